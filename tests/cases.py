"""One table of cases for every component of every slot, which the tests walk. A new component needs a line or two here.

What a case says of inputs and targets is a function `(rng, rows, shape)` that draws one of `shape` for each row, and `rows` are (batch,) or
(runs, batch). tests/test_cases.py asserts that the table is complete.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import nnframe as nn
from nnframe.components.component import Component
from nnframe.components.markers import Probability
from nnframe.components.registry import REGISTRY

Shape = tuple[int, ...]
Draw = Callable[[np.random.Generator, Shape, Shape], np.ndarray]

RUNS = 3  # of a stack, each with its own of the values in `per_run`
VECTOR, SEQUENCE, IMAGE = (4,), (3, 4), (2, 3, 4)


def away_from_0(rng, rows, shape):
    """Normal numbers, but none near 0, where ReLU has its kink."""
    x = rng.normal(size=(*rows, *shape))
    return x + 0.2 * np.sign(x)


def positive(rng, rows, shape):
    return np.exp(rng.normal(size=(*rows, *shape)))


def first_a_text(rng, rows, shape):
    """Columns of which the first has the numbers of three texts, and the second few numbers."""
    x = rng.normal(size=(*rows, *shape))
    x[..., 0], x[..., 1] = rng.integers(0, 3, size=rows), rng.integers(0, 4, size=rows)
    return x


def with_gaps(draw):
    """Of which every third misses its second number, and if the first is a text that too."""

    def drawn(rng, rows, shape):
        x = draw(rng, rows, shape)
        x[1::3, [0, 1] if draw is first_a_text else 1] = np.nan
        return x

    return drawn


def indices(rng, rows, shape):
    return rng.integers(0, 9, size=(*rows, *shape))


def numbers(rng, rows, outputs):
    return rng.normal(size=(*rows, *outputs))


def yes_and_no(rng, rows, outputs):
    return rng.integers(0, 2, size=(*rows, *outputs)).astype(float)


def probabilities(rng, rows, outputs):
    return rng.uniform(size=(*rows, *outputs))


def classes(rng, rows, outputs):
    return rng.integers(0, outputs[-1], size=(*rows, *outputs[:-1]))


def distributions(rng, rows, outputs):
    return rng.dirichlet(np.ones(outputs[-1]), size=(*rows, *outputs[:-1]))


@dataclass(frozen=True)
class Case:
    """A component, and what it is tried on.

    `shapes` are those of one row of a layer's inputs, or of the outputs that a loss or metric is given. `per_run` has RUNS values for each
    option that may differ from run to run: a list, a pair of them, or a component with lists among its options.
    """

    component: Any
    shapes: tuple[Shape, ...] = (VECTOR, SEQUENCE)
    inputs: Draw = away_from_0
    targets: Draw = numbers
    per_run: dict[str, Any] = field(default_factory=dict)
    categories: dict[str, Any] = field(default_factory=dict)  # of a transform's inputs a, b, c, d: their texts

    def of(self, rows: int | Sequence[int] | None = None, **changed: Any) -> Any:
        """The component as some runs have it, new: one network's for an index, that of a stack for a list of them; unless they are given,
        as it stands in the table."""
        given = {} if rows is None else {name: _chosen(value, rows) for name, value in self.per_run.items()}
        return type(self.component)._make(deepcopy(dict(_remade(self.component, given | changed)._options)))

    def __str__(self) -> str:
        kind = "" if self.targets is numbers else f" of {self.targets.__name__}"
        return repr(self.component) + kind + (f" with {' '.join(self.per_run)} per run" if self.per_run else "")


def _chosen(value: Any, rows: int | Sequence[int]) -> Any:
    if isinstance(value, list):
        return value[rows % RUNS] if isinstance(rows, int) else [value[row % RUNS] for row in rows]
    if isinstance(value, tuple):
        return tuple(_chosen(part, rows) for part in value)
    if isinstance(value, Component):
        return _remade(value, {name: _chosen(list(v), rows) for name, v in value._options.items() if isinstance(v, tuple)})
    return value


def _remade(component: Any, changed: dict[str, Any]) -> Any:
    """The component with some options changed, checked as its constructor checks them."""
    return type(component)(**component._options | changed) if changed else component


LAYERS = [
    Case(nn.Dense(3), (VECTOR, SEQUENCE, IMAGE), per_run={"init": nn.Normal([0.1, 0.5, 1.0]), "bias_init": nn.Constant([0.0, 0.1, 1.0])}),
    Case(nn.Dense(1, bias=False)),
    Case(nn.Dense(4, init="Orthogonal", bias_init=nn.Normal(0.5), name="head")),
    Case(nn.Identity()),
    Case(nn.Sigmoid()),
    Case(nn.Tanh(), (VECTOR, SEQUENCE, IMAGE)),
    Case(nn.ReLU()),
    Case(nn.LeakyReLU(), per_run={"slope": [0.0, 0.01, 0.3]}),
    Case(nn.LeakyReLU(0.3)),
    Case(nn.Softmax()),
    Case(nn.Dropout(), per_run={"p": [0.0, 0.3, 0.6]}),
    Case(nn.Dropout(0.2)),
    Case(nn.BatchNorm(), (VECTOR, SEQUENCE, IMAGE), per_run={"eps": [1e-5, 0.1, 1.0], "momentum": [0.0, 0.1, 1.0]}),
    Case(nn.BatchNorm(eps=0.1, momentum=0.3)),
    Case(nn.LayerNorm(), per_run={"eps": [1e-5, 0.1, 1.0]}),
    Case(nn.LayerNorm(eps=0.1)),
    Case(nn.Sequential(nn.Tanh(), nn.Dense(2))),
    Case(nn.Sequential(nn.Dense(3, bias=False), nn.BatchNorm(), nn.Tanh(), nn.Dropout(0.3), nn.Dense(2))),
    Case(nn.Residual(nn.Sigmoid())),
    Case(nn.Residual(nn.Dense(3), nn.Tanh(), nn.Residual(nn.Dense(3)), nn.Dense(4))),
]

LOSSES = [
    Case(nn.MSE()),
    Case(nn.MAE()),
    Case(nn.BinaryCrossEntropy(), targets=yes_and_no),
    Case(nn.BinaryCrossEntropy(), targets=probabilities),
    Case(nn.CrossEntropy(), targets=classes),
    Case(nn.CrossEntropy(), targets=distributions),
]

METRICS = [
    Case(nn.Accuracy(), targets=classes),
    Case(nn.Accuracy(), targets=distributions),
    Case(nn.BinaryAccuracy(0.3), ((1,), SEQUENCE), targets=yes_and_no),
    Case(nn.F1(average="micro"), targets=classes),
    Case(nn.F1(average="weighted"), targets=distributions),
    Case(nn.F1(threshold=0.3), ((1,),), targets=yes_and_no),
    Case(nn.R2()),
]

OPTIMIZERS = [  # a 0 among the values must take the path of a run alone that never heard of the option
    Case(nn.SGD(0.1), per_run={"lr": [0.3, 0.1, 0.01], "momentum": [0, 0.9, 0.5], "weight_decay": [0, 0.1, 0.02]}),
    Case(nn.SGD(0.1, momentum=0.9), per_run={"dampening": [0, 0.5, 0.1], "weight_decay": [0.1, 0, 0.02]}),
    Case(nn.SGD(0.1, momentum=0.9, dampening=0.5), per_run={"momentum": [0, 0.9, 0.5], "dampening": [0.5, 0, 0.1]}),
    Case(nn.SGD(0.1, momentum=0.9, nesterov=True), per_run={"momentum": [0.5, 0.9, 0.8], "weight_decay": [0, 0.1, 0.02]}),
    Case(
        nn.SGD(0.1, weight_decay=0.01),
        per_run={"lr": nn.Cosine([0.1, 0.3, 0.2], 0), "momentum": nn.Step([0.5, 0.9, 0.8], every=3, factor=[1, 0.5, 0.1])},
    ),
    Case(
        nn.Adam(0.05),
        per_run={
            "lr": [1e-3, 0.1, 0.05],
            "betas": ([0, 0.9, 0.8], [0.9, 0.999, 0.95]),
            "eps": [1e-8, 1e-3, 1e-6],
            "weight_decay": [0, 0.1, 0.02],
        },
    ),
    Case(nn.Adam(0.05, betas=(0.8, 0.9), eps=1e-6)),
    Case(nn.Adam(0.05, weight_decay=0.01), per_run={"betas": (nn.Cosine([0.9, 0.5, 0.7], 0.8), 0.99)}),
    Case(nn.Adam(0.05, amsgrad=True), per_run={"weight_decay": [0, 0.1, 0.02], "betas": (nn.Cosine([0.9, 0.5, 0.7], 0.8), 0.99)}),
    Case(nn.RMSprop(0.05, alpha=0.9, eps=1e-6), per_run={"lr": [1e-3, 0.1, 0.05], "alpha": [0, 0.9, 0.99], "eps": [1e-8, 1e-3, 1e-6]}),
    Case(nn.RMSprop(0.02, momentum=0.5), per_run={"momentum": [0, 0.5, 0.9]}),
    Case(nn.RMSprop(0.02, centered=True), per_run={"alpha": [0.9, 0.5, 0.99]}),
    Case(nn.RMSprop(0.02, weight_decay=0.01), per_run={"weight_decay": [0, 0.1, 0.02]}),
    Case(nn.AdamW(nn.Cosine(0.1)), per_run={"lr": nn.Step([0.1, 0.2, 0.05], every=2, factor=[0.1, 0.5, 1])}),
    Case(nn.AdamW(0.05, betas=(0.8, 0.9), eps=1e-6), per_run={"eps": [1e-8, 1e-3, 1e-6]}),
    Case(
        nn.AdamW(0.05, weight_decay=0.02),
        per_run={"lr": [1e-3, 0.1, 0.05], "betas": ([0, 0.9, 0.8], [0.9, 0.999, 0.95]), "weight_decay": [0, 0.1, 0.02]},
    ),
    Case(nn.AdamW(0.05, amsgrad=True), per_run={"weight_decay": [0.1, 0, 0.02]}),
]
WHOLE = [  # optimizers that take no steps; tests/training/test_scipy.py has what the others are tried on elsewhere
    Case(nn.SciPy()),
    Case(nn.SciPy("L-BFGS-B", tolerance=1e-3, memory=3)),
    Case(nn.SciPy("Newton-CG")),
    Case(nn.SciPy("trust-ncg")),
    Case(nn.SciPy("least_squares", tolerance=0)),
]  # fmt: skip

SCHEDULES = [
    Case(nn.Cosine(0.1, 0.02), per_run={"start": [0.1, 0.5, 0.2], "stop": [0.0, 0.02, 0.3]}),
    Case(nn.Step(1, every=2, factor=0.5), per_run={"start": [0.1, 0.5, 0.2], "factor": [0.5, 1.0, 0.1]}),
]

INITIALIZERS = [
    Case(nn.FanInUniform()),
    Case(nn.GlorotUniform(), per_run={"gain": [1, 3, 2]}),
    Case(nn.GlorotUniform(2)),
    Case(nn.GlorotNormal(), per_run={"gain": [1, 3, 2]}),
    Case(nn.GlorotNormal(2)),
    Case(nn.HeUniform()),
    Case(nn.HeNormal()),
    Case(nn.LecunNormal()),
    Case(nn.Orthogonal(), per_run={"gain": [1, 3, 2]}),
    Case(nn.Orthogonal(2)),
    Case(nn.Normal(), per_run={"std": [0.1, 2.0, 0.0], "mean": [0, 3, -1]}),
    Case(nn.Normal(0.1, mean=3)),
    Case(nn.Uniform(), per_run={"low": [-1, 0, 1], "high": [5, 0, 2]}),
    Case(nn.Uniform(2, 5)),
    Case(nn.Zeros()),
    Case(nn.Constant(2.5), per_run={"value": [1, 2, -1]}),
]

CALLBACKS = [
    Case(nn.BestWeights("loss")),
    Case(nn.BestWeights("val_loss", min_delta=0.05, mode="max")),
    Case(nn.EarlyStopping("loss", patience=1, min_delta=0.05, mode="min")),
    Case(nn.EarlyStopping(patience=2, restore_best=False)),
]

SAMPLERS = [Case(nn.Grid()), Case(nn.Random(seed=3)), Case(nn.Sobol(seed=3)), Case(nn.LatinHypercube(seed=3))]

COLORS = {"a": ("red", "green", "blue")}  # texts of the column a, drawn by `first_a_text`

TRANSFORMS = [
    Case(nn.Shift(2.0)),
    Case(nn.Shift([1, -2, 0.5, 0])),
    Case(nn.Scale(2.0)),
    Case(nn.Scale([1, -2, 0.5, 3])),
    Case(nn.Standardize()),
    Case(nn.Standardize(columns=["b", "d"])),
    Case(nn.Standardize(), inputs=first_a_text, categories=COLORS),
    Case(nn.MinMax()),
    Case(nn.MinMax(-1, 3)),
    Case(nn.Robust()),
    Case(nn.Quantiles()),
    Case(nn.Quantiles(5, to="normal")),
    Case(nn.OneHot(), inputs=first_a_text, categories=COLORS),
    Case(nn.OneHot(columns=["b", "a"], unknown="zeros"), inputs=first_a_text, categories=COLORS),
    Case(nn.Ordinal(), inputs=first_a_text, categories=COLORS),
    Case(nn.Ordinal({"a": ["red", "green", "blue"]}, unknown=-1), inputs=first_a_text, categories=COLORS),
    Case(nn.Impute(), inputs=with_gaps(numbers)),
    Case(nn.Impute("median", columns=["b"], indicator=True), inputs=with_gaps(numbers)),
    Case(nn.Impute("constant", value=3.0), inputs=with_gaps(numbers)),
    Case(nn.Impute("most_frequent", columns=["a", "b"]), inputs=with_gaps(first_a_text), categories=COLORS),
    Case(nn.Log(), inputs=positive),
    Case(nn.Log(0.5), inputs=positive),
    Case(nn.Clip(-1, 0.5)),
    Case(nn.Clip(high=0.5)),
    Case(nn.Clip(quantiles=[0.1, 0.9])),
    Case(nn.Features(squares=["a"], products=[["a", "b"]], sines=["c"])),
]

AUGMENTATIONS = [
    Case(nn.Noise(), (VECTOR, SEQUENCE), per_run={"std": [0.0, 0.1, 1.0]}),
    Case(nn.Noise(0.5)),
    Case(nn.Mixup(), (VECTOR, SEQUENCE), per_run={"alpha": [0.0, 0.2, 1.0]}),
    Case(nn.Mixup(1.0), targets=classes),
    Case(nn.Flip(), (IMAGE,), per_run={"p": [0.0, 0.5, 1.0]}),
    Case(nn.Flip(0.3, axis="height"), (IMAGE,)),
    Case(nn.Crop(), (IMAGE,)),
    Case(nn.Crop(1), (IMAGE,)),
]

PARTS: dict[str, Any] = {"validation": 0.25, "test": 0.25}

SOURCES = [  # files that tests/test_cases.py writes
    Case(
        nn.CSV("data.csv", target="k", encoding="cp1252", decimal=".", header=True, missing=["-"], dates=["d"], inputs=["d", "a"], validation=0.25, test=0.25)
    ),
    Case(nn.NPY("a.npy", y="k.npy", weight="c.npy", mapped=True, validation=0.25, test=0.25)),
    Case(nn.NPY("a.npy", y="k.npy", transforms=[nn.Standardize()], validation=0.25, test=0.25)),
    Case(nn.IDX("images-ubyte", "labels-ubyte", transforms=[nn.Standardize()], validation=0.25, test=0.25)),
    Case(nn.IDX("images-ubyte", "labels-ubyte", image=True, validation=0.25, test=0.25)),
    Case(nn.Digits(image=True, validation=0.25, test=0.25)),
    Case(nn.Gender(transforms=[nn.Standardize()], validation=0.25, test=0.25)),
    Case(nn.Iris(transforms=[nn.Standardize()], validation=0.25, test=0.25)),
    Case(nn.Wine(transforms=[nn.Standardize()], validation=0.25, test=0.25)),
    Case(nn.BreastCancer(transforms=[nn.Standardize()], validation=0.25, test=0.25)),
    Case(nn.Diabetes(transforms=[nn.Standardize()], target_transforms=[nn.Standardize()], validation=0.25, test=0.25)),
    Case(nn.Parquet("data.parquet", target="k", inputs=["a", "d"], weight="c", validation=0.25, test=0.25)),
    Case(nn.Arrays("data.npz", x="a", y="b", weight="c", transforms=[nn.Standardize()], validation=0.25, test=0.25, split_seed=1)),
    Case(
        nn.CSV(
            "data.csv",
            target="k",
            inputs=["a", "b"],
            weight="c",
            delimiter=";",
            transforms=[nn.Shift(1.0)],
            validation=0.25,
            test=0.2,
            split_seed=1,
            label_noise=0.1,
            class_weights="balanced",
            split=nn.Split(stratify=False),
        )
    ),
    Case(nn.CSV("data.csv", target=nn.Target("k", ("no", "yes")), dates=["d"], validation=nn.CSV("data.csv", target="k", dates=["d"]))),
    Case(nn.Digits(transforms=[nn.Standardize()], validation=0.25, test=0.1, split_seed=1)),
    Case(nn.Digits(cv=nn.CV(folds=4, only=1), test=0.1, augment=[nn.Noise()])),
    Case(nn.Arrays("data.npz", x="a", y="b", target_transforms=[nn.Standardize()], validation=0.25, test=0.25)),
    *(Case(source) for source in [
        nn.XOR(**PARTS),
        nn.XOR(16, noise=0.1, seed=1, noise_seed=2, vary="noise", **PARTS),
        nn.Spirals(30, noise=0.1, classes=3, turns=0.5, seed=1, noise_seed=2, vary="all", **PARTS),
        nn.Moons(21, noise=0.1, seed=1, noise_seed=2, vary="noise", **PARTS),
        nn.Circles(20, noise=0.1, factor=0.8, seed=1, noise_seed=2, vary="noise", **PARTS),
        nn.Blobs(41, centers=4, features=3, std=0.1, seed=1, noise_seed=2, vary="all", **PARTS),
        nn.Plane(20, noise=0.1, seed=1, noise_seed=2, vary="noise", **PARTS),
        nn.Gaussians(20, noise=0.1, seed=1, noise_seed=2, vary="all", **PARTS),
        nn.Friedman1(20, noise=1, features=5, seed=1, noise_seed=2, vary="noise", **PARTS),
        nn.Friedman2(20, noise=0.1, seed=1, noise_seed=2, vary="all", **PARTS),
        nn.Friedman3(20, noise=0.1, seed=1, noise_seed=2, vary="all", **PARTS),
        nn.Sinusoid(20, noise=0.1, periods=2.5, seed=1, noise_seed=2, vary="noise", **PARTS),
        nn.Adding(20, length=7, seed=1, vary="all", **PARTS),
        nn.Copying(20, symbols=2, length=3, delay=4, one_hot=False, seed=1, vary="all", **PARTS),
        nn.ModularAddition(5, one_hot=False, **PARTS),
        nn.MNIST1D(200, part="test", **PARTS),
        nn.MNIST1D(
            40, training_share=0.5, template_length=10, padding=(5, 9), scale=0.1, translation=3, correlated_noise=0.1, white_noise=0.1,
            shear=0.1, shuffled=True, length=20, seed=1, **PARTS,
        ),
    ]),
]  # fmt: skip

CASES = {
    "layer": LAYERS,
    "loss": LOSSES,
    "metric": METRICS,
    "optimizer": OPTIMIZERS + WHOLE,
    "schedule": SCHEDULES,
    "initializer": INITIALIZERS,
    "callback": CALLBACKS,
    "sampler": SAMPLERS,
    "transform": TRANSFORMS,
    "augmentation": AUGMENTATIONS,
    "data source": SOURCES,
}


def every(*cases: Case) -> Any:
    """Runs a test for each of some cases, handed over as `case`."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=str(case)) for case in cases])


class Lookup(nn.Layer):
    """y = W[x], x of integers: stands for embeddings until there is one."""

    n: nn.Size

    def setup(self, features):
        self.add_param("W", (9, self.n), nn.Normal())
        return (*features, self.n)

    def buffers(self, x):
        return {"one_hot": np.eye(9, dtype=self.dtype)[x].reshape(*x.shape[: x.ndim - 1 - len(self.input_shape)], -1, 9)}

    def forward(self, x, *, training=False):
        w = self.arrays_for(x, False)
        w.shape = (*self.runs, x.shape[-1 - len(self.input_shape)], *self.output_shape)
        return (w.one_hot @ self.W).reshape(w.shape)

    def backward(self, dy, *, need_dx=True):
        np.matmul(self._w.one_hot.mT, dy.reshape(*self.runs, -1, self.n), self.dW)
        return np.zeros((*self.runs, *dy.shape[len(self.runs) : dy.ndim - 1]), self.dtype)


class Pinball(nn.Loss):
    """A loss with PerRun options, one of them derived from: l = max(q e, (q - 1) e) scale, e = target - pred."""

    q: nn.PerRun[Probability] = 0.5
    scale: nn.PerRun[nn.Positive] = 1.0

    def derived(self):
        return {"rest": self.bound.q - 1, "negative": -self.bound.scale}

    def elements(self, w, pred, target):
        np.subtract(target, pred, w.a)
        w.b[...] = np.where(w.a > 0, w.q, w.rest)
        np.multiply(w.a, w.b * w.scale, w.elements)

    def gradient(self, w, out):
        np.multiply(w.b * w.negative, w.share, out)


class Within(nn.Metric):
    """The share of outputs that are nearer to the target than `radius`."""

    radius: nn.PerRun[nn.Positive] = 0.1

    def derived(self):
        return {"square": self.bound.radius**2}

    def rows(self, pred, target):
        square = self.bound.square.reshape(*self.bound.square.shape[:-1], *(1,) * (1 + len(self.outputs)))
        return self.flat((pred - target) ** 2 < square)


OWN = {  # what the slots of the package have no component for yet: integer inputs, and options that differ per run
    "layer": [Case(Lookup(2), inputs=indices)],
    "loss": [Case(Pinball(), per_run={"q": [0.1, 0.5, 0.9], "scale": [1.0, 2.0, 0.5]})],
    "metric": [Case(Within(), per_run={"radius": [0.5, 1.5, 1.0]})],
}
every_layer, every_loss = every(*LAYERS, *OWN["layer"]), every(*LOSSES, *OWN["loss"])
every_optimizer = every(*OPTIMIZERS)


def of_nnframe(slot: str) -> set[str]:
    """The names in a registry that are the package's own."""
    return {name for name, cls in REGISTRY[slot].items() if cls.__module__.startswith("nnframe.")}


def same(a: Any, b: Any) -> bool:
    """Are two lists of arrays equal, byte for byte?"""
    return [(x.shape, x.dtype, x.tobytes()) for x in a] == [(x.shape, x.dtype, x.tobytes()) for x in b]
