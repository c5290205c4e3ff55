"""Promise 2: a network trained in a stack has the same bytes as the same network trained alone."""

import os
import subprocess
import sys
import warnings
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from cases import LAYERS, LOSSES, OPTIMIZERS, VECTOR, indices, of_nnframe

import nnframe as nn
from nnframe.layers import layout
from nnframe.system import blas

ROOT = Path(__file__).parents[1]
PACKAGE = f"{Path(nn.__file__).parent}{os.sep}"  # not its folder's name, which an environment beside it may have in its path too

# ------------------------------------------------------------------------------- a setting, as a stack and alone


class PerRun(list):
    """One value per run of a stack."""


def of_run(spec: Any, run: int | None) -> Any:
    """`spec` with the value of one run in place of every PerRun; with all of them for run None."""
    if isinstance(spec, PerRun):
        return list(spec) if run is None else spec[run]
    if isinstance(spec, dict):
        return {key: of_run(value, run) for key, value in spec.items()}
    if isinstance(spec, (list, tuple)):
        return type(spec)(of_run(value, run) for value in spec)
    return spec


@dataclass
class Setting:
    """All that a training needs, as plain data. `seed` and whatever differs between the runs is a PerRun."""

    layers: list[Any]
    loss: str
    optimizer: dict[str, Any]
    data: tuple[Any, ...]
    features: tuple[int, ...]
    seed: PerRun
    dtype: str = "float64"
    options: dict[str, Any] = field(default_factory=lambda: {"epochs": 2, "batch_size": 4})
    metrics: list[str] = field(default_factory=list)

    def train(self, run: int | None) -> dict[str, np.ndarray]:
        """Everything that a training leaves behind, as a stack (run None) or alone, by name."""
        layers, optimizer, data, seed, options = of_run((self.layers, self.optimizer, self.data, self.seed, self.options), run)
        model = nn.Sequential(*layers).build(self.features, seed=seed, dtype=self.dtype)
        optimizer = getattr(nn, optimizer["type"])(**{name: value for name, value in optimizer.items() if name != "type"})
        loss, metrics = getattr(nn, self.loss)(), [getattr(nn, metric)() for metric in self.metrics]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", nn.DivergenceWarning)
            history = nn.fit(model, loss, optimizer, data, metrics=metrics, **options)
        left = {"params": model.params, "state": model.state, "predictions": model.predict(np.asarray(data[0]))}
        left |= {f"optimizer.{name}": array for name, array in optimizer.state.items()}
        left |= {f"evaluate.{name}": value for name, value in nn.evaluate(model, loss, data, metrics=metrics).items()}
        left |= {"epochs": history.epochs, "diverged": history.diverged}
        # Epochs come first in a history, runs come first in everything else.
        return left | {f"history.{name}": np.moveaxis(column, 0, -1) for name, column in history.items()}

    def differences(self, runs: list[int] | None = None) -> list[str]:
        """What is not the same, byte for byte, in the stack and in runs trained alone: `run 3: params`."""
        stack = self.train(None)
        found = []
        for run in range(len(self.seed)) if runs is None else runs:
            alone = self.train(run)
            missing = {name for name in stack if not name.startswith("optimizer.")} - alone.keys()
            found += [f"run {run}: {name} is missing" for name in sorted(missing)]
            for name, array in alone.items():
                one = np.asarray(stack[name][run])
                same = (one.shape, one.dtype, one.tobytes()) == (array.shape, array.dtype, array.tobytes())
                found += [] if same else [f"run {run}: {name}"]
        return found


# ------------------------------------------------------------------------------------------ random settings


class Chooser:
    """Draws settings: each is a function of its number alone."""

    def __init__(self, number: int) -> None:
        self.rng = np.random.default_rng([number, 2])
        self.runs = int(self.rng.choice([1, 2, 3, 5, 8, 17, 40]))

    def of(self, *choices: Any) -> Any:
        return choices[self.rng.integers(len(choices))]

    def often(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def number(self, *choices: float) -> Any:
        """One for all runs, or one for each."""
        return PerRun(self.of(*choices) for _ in range(self.runs)) if self.often(0.6) else self.of(*choices)

    def array(self, *shape: int, own: bool) -> Any:
        draw = self.rng.normal
        return PerRun(draw(size=shape) for _ in range(self.runs)) if own else draw(size=shape)

    def layer(self, width: int, depth: int = 0) -> tuple[Any, int]:
        """A layer for the last axis `width`, and the last axis of its output."""
        kinds = (
            "Dense",
            "Dense",
            "Sigmoid",
            "Tanh",
            "ReLU",
            "Softmax",
            "Identity",
            "Dropout",
            "BatchNorm",
            "LeakyReLU",
            "LayerNorm",
            "Residual",
        )
        kind = self.of(*kinds[: 11 if depth else 12])
        if kind == "Dense":
            units = width if depth else self.of(1, 1, 2, 3, 4, 7, 33)
            init = self.of("HeUniform", "Orthogonal", {"type": "Normal", "std": self.number(0.1, 0.5, 1.0)})
            return {"type": kind, "units": units, "init": init, "bias": self.often(0.8), "bias_init": "FanInUniform"}, units
        if kind == "Dropout":
            return {"type": kind, "p": self.number(0.0, 0.2, 0.5)}, width
        if kind == "BatchNorm":
            return {"type": kind, "momentum": self.number(0.0, 0.1, 0.9), "eps": self.number(1e-5, 1e-3)}, width
        if kind == "LeakyReLU":
            return {"type": kind, "slope": self.number(0.0, 0.01, 0.3)}, width
        if kind == "LayerNorm":
            return {"type": kind, "eps": self.number(1e-5, 1e-3)}, width
        if kind == "Residual":
            return {"type": kind, "layers": [self.layer(width, depth + 1)[0] for _ in range(self.of(1, 2))]}, width
        return kind, width

    def optimizer(self) -> dict[str, Any]:
        kind = self.of("SGD", "Adam", "AdamW", "RMSprop")
        lr = self.number(1e-3, 1e-2, 0.1, 0.3) if kind == "SGD" else self.number(1e-4, 1e-3, 1e-2)
        if self.often(0.3):
            lr = {"type": "Cosine", "start": lr, "stop": self.number(0.0, 1e-4)}
        elif self.often(0.3):
            lr = {"type": "Step", "start": lr, "every": self.of(0.5, 1.0), "factor": self.number(0.1, 0.7)}
        chosen = {"type": kind, "lr": lr, "weight_decay": self.of(0.0, self.number(0.0, 0.01, 0.1))}
        if kind == "RMSprop":
            rest = {"momentum": self.of(0.0, self.number(0.0, 0.5)), "centered": self.often(0.3)}
            return chosen | {"alpha": self.number(0.9, 0.99), "eps": self.number(1e-8, 1e-4)} | rest
        if kind != "SGD":
            return chosen | {"betas": [self.number(0.0, 0.9), self.number(0.9, 0.999)], "amsgrad": self.often(0.3)}
        if self.often(0.3):
            return chosen | {"momentum": self.number(0.5, 0.9), "nesterov": True}
        return chosen | {"momentum": self.of(0.0, self.number(0.0, 0.5, 0.9)), "dampening": self.of(0.0, self.number(0.0, 0.5))}

    def targets(self, loss: str, rows: int, outputs: tuple[int, ...], integers: bool) -> Any:
        def one() -> np.ndarray:
            if loss in ("MSE", "MAE"):
                return self.rng.normal(size=(rows, *outputs))
            if loss == "BinaryCrossEntropy":
                return self.rng.random((rows, *outputs)).round(self.of(0, 3))
            if integers:
                return self.rng.integers(outputs[-1], size=(rows, *outputs[:-1]))
            return self.rng.dirichlet(np.ones(outputs[-1]), (rows, *outputs[:-1]))

        own = self.often(0.3)
        return PerRun(one() for _ in range(self.runs)) if own else one()

    def metrics(self, loss: str, outputs: tuple[int, ...], integers: bool) -> list[str]:
        if loss == "CrossEntropy":
            accuracy = ["Accuracy", "F1", "CrossEntropy"] if outputs[-1] > 1 else []
            return accuracy if integers else [*accuracy, "MAE"]
        return ["MSE", "MAE", "R2"] if loss in ("MSE", "MAE") else ["BinaryAccuracy", "MAE", *["F1"] * (outputs == (1,))]

    def setting(self) -> Setting:
        features = self.of((1,), (2,), (5,), (13,), (3, 4), (1, 1))
        layers, width = [], features[-1]
        for _ in range(self.of(1, 2, 3, 4, 5)):
            layer, width = self.layer(width)
            layers.append(layer)
        if self.often(0.7):
            width = self.of(1, 2, 3)
            layers.append({"type": "Dense", "units": width})
        else:
            layers.insert(0, {"type": "Dense", "units": features[-1]})
        outputs = (*features[:-1], width)
        loss, integers = self.of("MSE", "MAE", "BinaryCrossEntropy", "CrossEntropy", "CrossEntropy"), self.often(0.5)
        own_rows, weighted = self.often(0.3), self.often(0.4)

        def data(rows: int) -> tuple[Any, ...]:
            x, y = self.array(rows, *features, own=own_rows), self.targets(loss, rows, outputs, integers)
            if not weighted:
                return x, y
            weights = [self.rng.integers(1, 5, rows) * 0.5 * (np.arange(rows) != self.of(0, 1)) + (rows == 1) for _ in range(self.runs)]
            return x, y, PerRun(weights) if self.often(0.4) else weights[0]

        rows = self.of(1, 2, 5, 11, 24)
        options = {
            "epochs": 65 if rows < 5 and self.often(0.2) else self.of(1, 2, 3),
            "batch_size": self.of(1, 2, 3, 4, 7, 32),
            "shuffle": self.often(0.9),
            "evaluate_train": self.often(0.3),
            "eval_batch_size": self.of(None, 3),
            "validation": data(self.of(1, 6, 19)) if self.often(0.5) else None,
        }
        seeds = self.of(range(self.runs), self.rng.integers(0, 3, self.runs), [7] * self.runs)
        if self.often(0.2):
            options["seed"] = PerRun(int(seed) for seed in self.rng.integers(0, 2, self.runs))
        metrics = self.metrics(loss, outputs, integers) if self.often(0.7) else []
        dtype = self.of("float32", "float64")
        seed = PerRun(map(int, seeds))
        return Setting(layers, loss, self.optimizer(), data(rows), features, seed, dtype, options, metrics)


@pytest.mark.parametrize("chunk", range(10))
def test_random_settings(chunk):
    for number in range(20 * chunk, 20 * chunk + 20):
        chooser = Chooser(number)
        setting = chooser.setting()
        runs = sorted({0, chooser.runs // 2, chooser.runs - 1})
        assert setting.differences(runs) == [], f"setting {number}: {setting}"


# ------------------------------------------------------------------------------------------ across processes

SCRIPT = """
import contextlib, hashlib, sys
import numpy as np
import nnframe as nn
from nnframe.system import blas

if "unpinned" in sys.argv:
    blas.threads = lambda number: contextlib.nullcontext()

rng = np.random.default_rng(0)
cases = {
    "small": ((5,), [nn.Dense(7), nn.BatchNorm(), nn.Tanh(), nn.Dropout(0.3), nn.Dense(3)], [0, 1, 1], "float64", 4),
    "large": ((784,), [nn.Dense(512), nn.ReLU(), nn.Dense(3)], 0, "float32", 64),
    "orthogonal": ((300,), [nn.Dense(300, init=nn.Orthogonal()), nn.Dense(3)], 0, "float64", 4),
}
for name, (features, layers, seed, dtype, batch_size) in cases.items():
    x, y = rng.normal(size=(batch_size + 6, *features)), rng.integers(3, size=batch_size + 6)
    for threads in (1, "auto"):
        model = nn.Sequential(*layers).build(features, seed=seed, dtype=dtype)
        options = {"epochs": 2, "batch_size": batch_size, "validation": (x, y), "blas_threads": threads}
        history = nn.fit(model, nn.CrossEntropy(), nn.Adam(), (x, y), metrics=[nn.Accuracy()], **options)
        left = [model.params, model.state, *history.values()]
        print(name, threads, hashlib.sha256(b"".join(a.tobytes() for a in left)).hexdigest())
"""


def digests(hash_seed: int, threads: int, *arguments: str) -> list[str]:
    environment = os.environ | {"PYTHONHASHSEED": str(hash_seed), "OPENBLAS_NUM_THREADS": str(threads)}
    command = [sys.executable, "-c", SCRIPT, *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()


def test_processes_agree():
    found = {(hash_seed, threads): digests(hash_seed, threads) for hash_seed in (0, 1) for threads in (1, 2)}
    assert all(lines == found[0, 1] for lines in found.values()), found
    assert len(found[0, 1]) == 6


# ------------------------------------------------------------------- the comparison notices what would break it


def setting(**changes: Any) -> Setting:
    """A setting in which stack and alone agree, with much that can go wrong."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(70, 33)), rng.normal(size=(70, 17))
    given = {
        "layers": [{"type": "Dense", "units": 33}, "Tanh", {"type": "Dense", "units": 17}],
        "loss": "MSE",
        "optimizer": {"type": "SGD", "lr": PerRun([0.1, 0.2, 0.3])},
        "data": (x, y),
        "features": (33,),
        "seed": PerRun([5, 5, 5]),
        "dtype": "float32",
        "options": {"epochs": 2, "batch_size": 16, "validation": (x, y)},
    }
    return Setting(**given | changes)


def test_rules_are_kept_without_tampering():
    assert setting().differences() == []


@pytest.mark.skipif(blas.cores() < 2, reason="one core has one BLAS thread")
def test_notices_threads_left_to_the_environment():
    one, two = digests(0, 1, "unpinned"), digests(0, 2, "unpinned")
    large = [line for line in one if line.startswith("large")]
    assert large and not set(large) & set(two)


def test_notices_einsum(monkeypatch):
    def forward(self, x, *, training=False):
        self._x = x
        return np.einsum("...bi,...io->...bo", x, self.W, optimize=True) + self.b

    def backward(self, dy, *, need_dx=True):
        self.dW[...] = np.einsum("...bi,...bo->...io", self._x, dy, optimize=True)
        self.db[...] = np.einsum("...bo->...o", dy)[..., None, :]
        return np.einsum("...bo,...io->...bi", dy, self.W, optimize=True)

    monkeypatch.setattr(nn.Dense, "forward", forward)
    monkeypatch.setattr(nn.Dense, "backward", backward)
    assert any("params" in found for found in setting().differences())


def by_the_rule(g):
    return np.sqrt((g * g).sum(-1, keepdims=True))


def by_linalg(g):
    return np.linalg.norm(g) if g.ndim == 1 else np.linalg.norm(g, axis=-1, keepdims=True)


def by_dot(g):
    return np.sqrt(np.dot(g, g)) if g.ndim == 1 else by_the_rule(g)


def by_inner(g):
    return np.sqrt(np.inner(g, g)) if g.ndim == 1 else by_the_rule(g)


@pytest.mark.parametrize("norm", [by_the_rule, by_linalg, by_dot, by_inner])
def test_notices_norms(norm, monkeypatch):
    class Clipped(nn.SGD):
        def begin(self):
            self.grads *= 0.5 / norm(self.grads)

    monkeypatch.setattr(nn, "Clipped", Clipped, raising=False)
    found = setting(optimizer={"type": "Clipped", "lr": PerRun([0.1, 0.2, 0.3])}).differences()
    assert any("params" in what for what in found) == (norm is not by_the_rule)


def test_notices_evaluation_that_depends_on_the_stack(monkeypatch):
    monkeypatch.setattr(nn.Layer, "evaluation_rows", lambda self: 16 + 13 * len(self.runs))
    assert any("history.val_loss" in found for found in setting().differences())


# ------------------------------------------------------------------------------------------ one code path


class Shaped(nn.Layer):
    """Hands the numbers of a row on in another shape, over and over if it needs more."""

    to: tuple[int, ...]

    def setup(self, features: tuple[int, ...]) -> tuple[int, ...]:
        self.places = np.eye(prod(features), dtype=np.float32)[:, np.resize(np.arange(prod(features)), prod(self.to))]
        return self.to

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        lead = x.shape[: x.ndim - len(self.input_shape)]
        return (x.reshape(*lead, -1) @ self.places).reshape(*lead, *self.to)

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray:
        lead = dy.shape[: dy.ndim - len(self.to)]
        return (dy.reshape(*lead, -1) @ self.places.T).reshape(*lead, *self.input_shape)


def all_layers() -> nn.Sequential:
    """A model with all layers of the table that take floating numbers."""
    layers = [layer for case in LAYERS if case.inputs is not indices for layer in (Shaped(case.shapes[-1]), case.of())]
    return nn.Sequential(*layers, Shaped(VECTOR))


def pairs() -> Any:
    """Every optimizer of the table with some loss, and every loss with some optimizer."""
    chosen = [(LOSSES[i % len(LOSSES)], optimizer) for i, optimizer in enumerate(OPTIMIZERS)]
    assert len(chosen) >= len(LOSSES)
    return pytest.mark.parametrize(("loss", "optimizer"), [pytest.param(*pair, id=" ".join(map(str, pair))) for pair in chosen])


def test_all_components_are_here():
    model = all_layers().build(3)
    assert {type(layer).__name__ for _, _, layer in layout.walk(model)} >= of_nnframe("layer")


class Spy:
    """Stands where a module has `np`, or one of its functions by name, and notes what is called: functions and methods of ufuncs, by name."""

    def __init__(self, calls: list[str]) -> None:
        self.calls = calls

    def __getattr__(self, name: str) -> Any:
        return self.spied(getattr(np, name), name)

    def spied(self, value: Any, name: str) -> Any:
        if not callable(value) or isinstance(value, type):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append("matmul" if name == "dot" else name)  # the one difference that is allowed: the bytes are the same
            return value(*args, **kwargs)

        if isinstance(value, np.ufunc):
            for method in ("reduce", "accumulate", "reduceat", "outer", "at"):
                setattr(call, method, self.spied(getattr(value, method), f"{name}.{method}"))
        return call


@pytest.mark.parametrize("seed", [[0], [0, 0], [0, 1, 2]])
@pairs()
def test_a_stack_makes_the_same_numpy_calls(loss, optimizer, seed, monkeypatch, rng):
    data = (np.ones((7, 3)), loss.targets(rng, (7,), VECTOR), np.arange(7) + 1.0)

    def calls_of(seed: Any) -> list[str]:
        calls: list[str] = []
        watch = SimpleNamespace(on_epoch=lambda state: calls.append(f"epoch {state.epoch}"))
        model = all_layers().build(3, seed=seed)
        with monkeypatch.context() as patch:
            for module in [m for name, m in sys.modules.items() if name.startswith("nnframe.") and isinstance(m, ModuleType)]:
                if getattr(module, "np", None) is np:
                    patch.setattr(module, "np", Spy(calls))
                for name, value in vars(module).items():
                    if isinstance(value, np.ufunc) or value is np.ndarray.dot:  # imported by name
                        patch.setattr(module, name, Spy(calls).spied(value, name))
            nn.fit(model, loss.of(), optimizer.of(), data, epochs=3, batch_size=3, validation=data, callbacks=[watch])
        return calls[calls.index("epoch 1") :]

    alone, stack = calls_of(0), calls_of(seed)
    assert stack == alone
    assert alone.count("matmul") > 50 and {"add.reduce", "isfinite", "sqrt"} <= set(alone)


@pairs()
def test_a_stack_of_one_runs_the_same_lines(loss, optimizer, rng):
    x, y = np.ones((7, 3), np.float32), loss.targets(rng, (7,), VECTOR)

    def lines_of(seed: Any) -> list[tuple[str, int]]:
        lines: list[tuple[str, int]] = []

        def trace(frame: Any, event: str, _: Any) -> Any:
            if not frame.f_code.co_filename.startswith(PACKAGE):
                return None
            lines.append((frame.f_code.co_filename, frame.f_lineno))
            return trace

        model = all_layers().build(3, seed=seed)
        chosen, objective = optimizer.of().attach(model), loss.of()
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            for _ in range(2):
                objective.forward(model.forward(x, training=True), y)
                model.backward(objective.backward(), need_dx=False)
                chosen.step()
        finally:
            sys.settrace(before)
        return lines

    alone = lines_of(0)
    assert lines_of([0]) == alone
    assert len(alone) > 500
