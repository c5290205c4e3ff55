"""Nothing that a component holds is forgotten: in a stack, after `take`, by schedules, after an interruption."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from cases import RUNS
from interruption import Leave, broken_off

import nnframe as nn
from nnframe.components.markers import NonNegative, Probability
from nnframe.layers import layout

ROWS, FEATURES, OUTPUTS = 6, 3, 2


# ------------------------------------------------------------------------------------------------ components of components


class Several(nn.Optimizer):
    """Optimizers for the first layer and the last."""

    def held(self):
        raise NotImplementedError

    def setup(self):
        for optimizer, layer in zip(self.held(), (self.model.layers[0], self.model.layers[-1]), strict=True):
            optimizer.attach(layer)

    def step(self):
        for optimizer in self.held():
            optimizer.step()
        self.steps += 1


class Two(Several):
    first: nn.Optimizer
    last: nn.Optimizer

    def held(self):
        return self.first, self.last


class Written(Several):
    """With a constructor of its own, and under other names."""

    def __init__(self, first: nn.Optimizer, last: nn.Optimizer):
        self._inner = {"one": first, "other": last}

    def held(self):
        return self._inner.values()


class Listed(Several):
    optimizers: list[nn.Optimizer]

    def held(self):
        return self.optimizers


class Sum(nn.Loss):
    """share a + (1 - share) b."""

    a: nn.Loss
    b: nn.Loss
    share: nn.PerRun[Probability] = 0.5

    def derived(self):
        return {"rest": 1 - self.bound.share}

    def build(self, outputs, target=None):
        for loss in (self.a, self.b):
            loss.build(outputs, target)
        return super().build(outputs, target)

    def forward(self, pred, target, weight=None):
        values = [loss.forward(pred, target, weight) for loss in (self.a, self.b)]
        return self.bound.share[..., 0] * values[0] + self.bound.rest[..., 0] * values[1]

    def backward(self):
        return self.bound.share[..., None] * self.a.backward() + self.bound.rest[..., None] * self.b.backward()


class Scaled(nn.Layer):
    """y = scale f(x), where f is a layer."""

    inner: nn.Layer
    scale: nn.PerRun[float] = 1.0

    def setup(self, features):
        return self.inner.connect(features)

    def forward(self, x, *, training=False):
        w = self.arrays_for(x, training)
        return self.inner.forward(x, training=training) * w.scale

    def backward(self, dy, *, need_dx=True):
        return self.inner.backward(dy * self._w.scale, need_dx=need_dx)


class Doubled(nn.Metric):
    """Twice another metric."""

    inner: nn.Metric

    def build(self, outputs, target_row, integers):
        self.begin(outputs)
        self.inner.build(outputs, target_row, integers)

    def reset(self):
        super().reset()
        self.inner.reset()

    def update(self, pred, target, weight=None):
        self.inner.update(pred, target, weight)

    def value(self):
        return 2 * self.inner.value()


class Counted(Doubled):
    """One that gathers something itself, too."""

    def build(self, outputs, target_row, integers):
        super().build(outputs, target_row, integers)
        self.add_state("batches")

    def update(self, pred, target, weight=None):
        super().update(pred, target, weight)
        self.state["batches"] = self.state["batches"] + 1

    def value(self):
        return super().value() + self.state["batches"]


class Within(nn.Metric):
    """The share of outputs that are nearer to the target than `radius`, which may differ from run to run."""

    radius: nn.PerRun[nn.Positive] = 0.5

    def rows(self, pred, target):
        return self.flat(np.absolute(pred - target) < self.bound.radius[..., None])


class Noting(nn.Callback):
    """Holds a callback, and a number that may follow a schedule of its own."""

    inner: nn.Callback
    rate: nn.PerRun[NonNegative] = 1.0

    def build(self, columns):
        self.inner.build(columns)

    def setup(self, model):
        self.inner.setup(model)
        self.seen = self.add_state("seen")

    def on_epoch(self, state):
        self.inner.on_epoch(state)
        training, _ = state.places()
        self.seen[training] += self.bound.rate[..., 0][training] * state.logs["loss"]

    def on_end(self, state, which):
        self.inner.on_end(state, which)


class Warmup(nn.Schedule):
    """Another schedule, from 0 in its first epochs."""

    then: nn.Schedule
    epochs: nn.Positive = 1.0

    def value(self, t, total):
        return self.then.value(t, total) * min(1.0, (t + 0.5) / self.epochs)

    def extremes(self):
        return [0.0, *self.then.extremes()]


# ------------------------------------------------------------------------------------------------ how each is tried


def of(values, rows):
    """The values of some runs of the stack."""
    return [values[row] for row in rows] if np.ndim(rows) else values[rows]


def inner_optimizers(rows):
    lr = of([0.05, 0.1, 0.2], rows)
    return nn.SGD(nn.Cosine(lr, 0.01), momentum=of([0.0, 0.5, 0.9], rows)), nn.Adam(Warmup(nn.Step(lr, every=1.5), 2.0), weight_decay=0.01)


MADE = {  # what is tried, for some runs
    "an optimizer of two": lambda rows: {"optimizer": Two(*inner_optimizers(rows))},
    "of two, by its own constructor": lambda rows: {"optimizer": Written(*inner_optimizers(rows))},
    "of a list": lambda rows: {"optimizer": Listed(optimizers=list(inner_optimizers(rows)))},
    "of another one of two": lambda rows: {"optimizer": Two(nn.Adam(of([0.1, 0.2, 0.3], rows)), Two(nn.SGD(0.1), nn.Adam(Warmup(nn.Cosine(0.1)))))},
    "a loss of two": lambda rows: {"loss": Sum(nn.MSE(), nn.MAE(), of([0.0, 0.3, 1.0], rows))},
    "a loss of losses, by schedule": lambda rows: {"loss": Sum(nn.MSE(), Sum(nn.MAE(), nn.MSE(), nn.Cosine(of([0.1, 0.3, 1.0], rows))), 0.5)},
    "a layer of a layer": lambda rows: {"layer": Scaled(nn.Sequential(nn.Dense(4), nn.BatchNorm(), nn.Dropout(of([0.1, 0.5, 0.0], rows))), nn.Cosine(of([1.0, 2.0, 0.5], rows)))},
    "a metric of a metric": lambda rows: {"metric": Doubled(nn.R2())},
    "a metric of one with numbers": lambda rows: {"metric": Counted(Doubled(Within(of([0.1, 0.5, 2.0], rows))))},
    "a metric by schedule": lambda rows: {"metric": Counted(Within(nn.Cosine(of([0.5, 2.0, 4.0], rows), 0.1)))},
    "a callback of a callback": lambda rows: {"callback": Noting(nn.EarlyStopping("loss", patience=1), nn.Cosine(of([1.0, 0.5, 2.0], rows)))},
    "a schedule of a schedule": lambda rows: {"optimizer": nn.SGD(Warmup(Warmup(nn.Cosine(of([0.1, 0.2, 0.3], rows))), 2.0), momentum=0.9)},
}  # fmt: skip
every_made = pytest.mark.parametrize("made", MADE)


def model_of(rows, layer=None):
    inner = nn.Sequential(nn.Dense(4), nn.Tanh(), nn.Dense(OUTPUTS))
    return nn.Sequential(nn.Dense(4), nn.Dropout(0.3), *([layer] if layer else []), inner).build(FEATURES, seed=rows, dtype="float64")


def some_data():
    rng = np.random.default_rng(1)
    return rng.normal(size=(ROWS, FEATURES)), rng.normal(size=(ROWS, OUTPUTS))


def trained(parts, rows, leaves=None, diverging=False, **options):
    """All that a fit leaves behind, by name, runs first."""
    model = model_of(rows, parts.get("layer"))
    loss, optimizer = parts.get("loss", nn.MSE()), parts.get("optimizer", nn.SGD(0.1, momentum=0.9))
    callbacks = [*([parts["callback"]] if "callback" in parts else []), *([Leave(rows, leaves, diverging)] if leaves else [])]
    given = {"epochs": 4, "batch_size": 4, "metrics": [parts["metric"]] if "metric" in parts else [], "callbacks": callbacks}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", nn.DivergenceWarning)
        history = nn.fit(model, loss, optimizer, some_data(), validation=some_data(), **given | options)
    found = {"params": model.params, "state": model.state, "epochs": history.epochs}
    found |= {f"optimizer: {name}": array for name, array in (optimizer.numbers() | optimizer.get_state()).items()}
    found |= {name: np.moveaxis(column, 0, -1) for name, column in history.items()}
    for callback in callbacks[:1] if "callback" in parts else []:
        found |= {f"callback: {name}": array for name, array in callback.get_state().items()}
    return {name: np.array(array) for name, array in found.items()}


def bytes_of(arrays):
    return {name: (array.shape, array.dtype, array.tobytes()) for name, array in arrays.items()}


# ------------------------------------------------------------------------------------------------ what must hold


@every_made
@pytest.mark.parametrize("ending", [{}, {"leaves": 2}, {"leaves": 2, "diverging": True}], ids=["all stay", "one leaves", "one diverges"])
def test_a_stack_does_what_its_runs_do_alone(made, ending):
    stack = trained(MADE[made](range(RUNS)), range(RUNS), **ending)
    for run in range(RUNS):
        alone = {name: array for name, array in trained(MADE[made](run), run, **ending).items() if not name.endswith("steps")}
        assert bytes_of({name: stack[name][run] for name in alone}) == bytes_of(alone)


@every_made
@pytest.mark.parametrize("rows", [2, range(RUNS)], ids=["alone", "stack"])
def test_what_was_broken_off_goes_on_to_the_same_bytes(made, rows, tmp_path):
    ending = {"leaves": 2} if rows != 2 else {}
    expected = bytes_of(trained(MADE[made](rows), rows, **ending))
    for step in (3, 4, 7):  # in the middle of an epoch, at an end, and once a run has left
        place = tmp_path / str(step)
        broken_off(lambda place=place: trained(MADE[made](rows), rows, checkpoint=place, **ending), step)
        assert bytes_of(trained(MADE[made](rows), rows, checkpoint=place, **ending)) == expected


@pytest.mark.parametrize(
    "kind", [Two, Written, lambda first, last: Listed(optimizers=[first, last])], ids=["fields", "constructor", "list"]
)
@pytest.mark.parametrize("ending", [{}, {"leaves": 2}, {"leaves": 2, "diverging": True}], ids=["all stay", "one leaves", "one diverges"])
def test_an_optimizer_of_two_gives_the_bytes_of_the_two_alone(kind, ending):
    """The two alone: a bare loop over one network, and two optimizers that know of nothing."""
    epochs, size = 4, 4
    optimizer = kind(*inner_optimizers(range(RUNS)))
    stack = trained({"optimizer": optimizer}, range(RUNS), shuffle=False, epochs=epochs, **ending)
    x, y = some_data()
    for run in range(RUNS):
        model, loss = model_of(run), nn.MSE()
        pair = [inner.attach(layer) for inner, layer in zip(inner_optimizers(run), (model.layers[0], model.layers[-1]), strict=True)]
        for step in range(2 * int(stack["epochs"][run])):
            if run == 1 and ending.get("diverging") and step == 2 * ending["leaves"]:
                model.params[...] = np.nan
            rows = slice(size * (step % 2), size * (step % 2 + 1))
            for inner in pair:
                inner.schedule(step / 2, epochs)
            loss.forward(model.forward(x[rows], training=True), y[rows])
            model.backward(loss.backward(), need_dx=False)
            for inner in pair:
                inner.step()
        np.testing.assert_array_equal(stack["params"][run], model.params)
        assert np.isnan(model.params).any() or stack["params"][run].tobytes() == model.params.tobytes()
        for inner, held in zip(pair, optimizer.held(), strict=True):
            for name, array in inner.state.items():
                np.testing.assert_array_equal(held.state[name][run], array)
            np.testing.assert_array_equal(held.bound.lr[run], inner.bound.lr)


@pytest.mark.parametrize("rows", [[2, 0], slice(1, 3), 1], ids=str)
def test_take_of_an_optimizer_of_two_goes_on_as_without_the_others(rows):
    model, optimizer = model_of(range(RUNS)), Two(*inner_optimizers(range(RUNS)))
    optimizer.attach(model)
    kept = model.take(rows)
    kept_optimizer = optimizer.take(rows, kept)
    assert kept_optimizer.first.model is kept.layers[0] and kept_optimizer.last.model is kept.layers[-1]
    numbers = np.arange(RUNS)[rows].tolist()
    without = model_of(numbers)
    its = Two(*inner_optimizers(numbers)).attach(without)
    gradients = np.random.default_rng(0).normal(size=(4, *model.params.shape))
    for t, g in enumerate(gradients):
        for one, network, part in ((kept_optimizer, kept, g[rows]), (its, without, g[rows])):
            network.grads[...] = part
            one.schedule(t, 4)
            one.step()
    assert kept.params.tobytes() == without.params.tobytes()
    assert {name: array.tobytes() for name, array in kept_optimizer.numbers().items()} == {
        name: array.tobytes() for name, array in its.numbers().items()
    }
    assert model.params.tobytes() == model_of(range(RUNS)).params.tobytes()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))], ids=["deepcopy", "pickle"])
def test_a_copy_of_an_optimizer_of_two_trains_on_alike(copied):
    model = model_of(range(RUNS))
    pair = model, Two(*inner_optimizers(range(RUNS))).attach(model)
    other = copied(pair)
    assert other[1].first.model is other[0].layers[0] and other[1].first.params is other[0].layers[0].params
    for network, optimizer in (pair, other):
        network.grads[...] = 1
        optimizer.schedule(1, 2)
        optimizer.step()
    assert other[0].params.tobytes() == model.params.tobytes() != model_of(range(RUNS)).params.tobytes()


NAMES = [  # what is made, the numbers in it, and values of a few of them half way through a training of 4 epochs
    (Two(nn.SGD(nn.Cosine(0.4, 0.2)), nn.Adam(0.1)), {"first.lr": 0.3, "last.lr": 0.1, "last.betas.1": 0.999}),
    (Written(nn.SGD(nn.Cosine(0.4, 0.2)), nn.Adam(0.1)), {"_inner.one.lr": 0.3, "_inner.other.lr": 0.1}),
    (Listed(optimizers=[nn.SGD(nn.Cosine(0.4, 0.2)), nn.Adam(0.1)]), {"optimizers.0.lr": 0.3, "optimizers.1.lr": 0.1}),
    (Sum(nn.MSE(), Sum(nn.MAE(), nn.MSE(), nn.Cosine(0.4, 0.2)), 0.7), {"share": 0.7, "b.share": 0.3}),
    (Doubled(Within(nn.Cosine(0.4, 0.2))), {"inner.radius": 0.3}),
    (Noting(nn.EarlyStopping(), nn.Cosine(0.4, 0.2)), {"rate": 0.3}),
    (nn.SGD(Warmup(nn.Cosine(0.4, 0.2), 5.0)), {"lr": 0.15}),
]


@pytest.mark.parametrize(("component", "expected"), NAMES, ids=[repr(component) for component, _ in NAMES])
def test_numbers_inside_have_names_and_follow_their_schedules(component, expected):
    if isinstance(component, nn.Optimizer):
        component.attach(model_of(0))
    else:
        component.bind((), "float64")
    component.schedule(2, 4)
    found = component.numbers()
    assert {name: found[name].item() for name in expected} == {name: pytest.approx(value) for name, value in expected.items()}


def test_a_layer_of_a_layer_is_part_of_the_model():
    layer = Scaled(nn.Sequential(nn.Dense(4), nn.Dropout(nn.Cosine(0.5, 0.1))), 2.0)
    model = nn.Sequential(nn.Dense(3), layer).build(FEATURES, seed=range(RUNS), dtype="float64")
    paths = {path for path, _, _ in layout.walk(model)}
    assert {"layers.1.layers.0", "layers.1.layers.0.layers.1"} <= paths
    nn.check_gradients(model, np.random.default_rng(0).normal(size=(5, FEATURES)))
    dropout = layer.inner.layers[1]
    dropout.schedule(1, 1)
    np.testing.assert_allclose(dropout.bound.p, 0.1)
    kept = model.take(1)
    assert kept.layers[1].inner is kept.layers[1].layers[0]
    assert kept.layers[1].inner.layers[0].W.base is not model.layers[1].inner.layers[0].W.base
    assert kept.predict(np.ones((2, FEATURES))).tobytes() == model.predict(np.ones((2, FEATURES)))[1].tobytes()


def test_a_component_that_stands_at_two_places_is_one():
    shared = nn.SGD(nn.Cosine(0.4, 0.2))
    optimizer = Listed(optimizers=[shared, shared])
    assert [place for place, _ in optimizer.parts()] == ["optimizers.0"]
