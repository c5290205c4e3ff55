"""Options may have any name but one that would hide something of a base class; numbers and working arrays stay apart."""

from typing import Any

import numpy as np
import pytest

import nnframe as nn
from nnframe.components.options import options
from nnframe.components.registry import REGISTRY

HIDDEN = {  # a base, and names of its that no option may have
    nn.Layer: "params grads state runs dtype take build forward backward bound numbers schedule predict product input_shape",
    nn.Optimizer: "model steps step params grads state attach update take bound numbers",
    nn.Loss: "outputs forward backward build bind readout state bound",
    nn.Metric: "value update reset rows outputs state bound",
    nn.Callback: "setup on_epoch numbers scheduled state",
    nn.Schedule: "value extremes bound",
    nn.Initializer: "draw bound",
}
PAIRS = [pytest.param(base, name, id=f"{base.__name__}.{name}") for base, names in HIDDEN.items() for name in names.split()]


def with_fields(base: Any, *names: str, kind: Any = float, default: Any = 0.5, **body: Any) -> Any:
    """A class with these options, as fields."""
    return type(base)(
        "Mine", (base,), {"__module__": __name__, "__annotations__": dict.fromkeys(names, kind)} | dict.fromkeys(names, default) | body
    )


def with_constructor(base: Any, name: str) -> Any:
    """The same with a constructor of its own."""
    space: dict[str, Any] = {}
    exec(f"def __init__(self, {name}: float = 0.5):\n    self.given = {name}", space)
    return type(base)("Mine", (base,), {"__module__": __name__, "__init__": space["__init__"]})


def owner(base: Any, name: str) -> str:
    """Where the name stands, as the message says it: with the class that has it, or one below."""
    return next(cls.__name__ for cls in base.__mro__ if name in vars(cls) or name in vars(cls).get("__annotations__", {}))


@pytest.mark.parametrize("how", ["@register", "first use", "first look"])
@pytest.mark.parametrize("made", [with_fields, with_constructor], ids=["fields", "constructor"])
@pytest.mark.parametrize(("base", "name"), PAIRS)
def test_a_name_that_hides_something_is_refused(base, name, made, how, monkeypatch):
    monkeypatch.setitem(REGISTRY, base.slot, dict(REGISTRY[base.slot]))
    cls = made(base, name)
    use = {"@register": nn.register, "first use": lambda cls: cls(), "first look": options}[how]
    with pytest.raises(nn.OptionError) as error:
        use(cls)
    assert str(error.value).endswith(f"Mine.{name}: an option of this name would hide {owner(base, name)}.{name}; choose another name")
    assert "Mine" not in REGISTRY[base.slot]


def test_a_name_that_a_parent_has_as_an_option_is_fine():
    class Slow(nn.Adam):
        lr: nn.PerRun[nn.Positive] = 1e-4

    assert Slow().lr == 1e-4 and list(options(Slow)) == list(options(nn.Adam))


def test_a_name_of_a_class_in_between_is_refused_too():
    with pytest.raises(nn.OptionError, match=r"Mine\.forward_rows: an option of this name would hide Dense\.forward_rows; choose another"):
        options(with_fields(nn.Dense, "forward_rows"))


# ------------------------------------------------------------------------------------------------ names that are free

FREE = ["path", "span", "streams", "places", "specs", "views", "kept", "arrays", "work", "decay", "bound_", "store", "key", "sign", "start"]
kinds = pytest.mark.parametrize("kind", [float, nn.PerRun[float]], ids=["plain", "PerRun"])
free = pytest.mark.parametrize("name", FREE)


def value(component: Any, name: str, kind: Any) -> float:
    """What an option arrives as, where it is used."""
    return float(getattr(component, name) if kind is float else getattr(component.bound, name)[..., 0])


def fitted(layer=None, loss=None, optimizer=None, metric=None) -> tuple[Any, Any]:
    """A training of two steps."""
    x, y = np.linspace(-1, 1, 12).reshape(4, 3), np.ones((4, 2))
    model = nn.Sequential(nn.Dense(2), *([layer] if layer else [])).build(3, dtype="float64")
    history = nn.fit(model, loss or nn.MSE(), optimizer or nn.SGD(0.1), (x, y), epochs=2, batch_size=4, metrics=[metric] if metric else [])
    return model, history


@kinds
@free
def test_a_layer_trains_with_such_an_option(name, kind):
    def setup(self, features):
        self.add_param("a", (1, *features), nn.Constant(1.0))
        return features

    def forward(self, x, *, training=False):
        w = self.arrays_for(x, training)
        return x * self.a * (getattr(self, name) if kind is float else getattr(w, name))

    def backward(self, dy, *, need_dx=True):
        scale = value(self, name, kind)
        self.da[...] = (dy * self._w.x).sum(0) * scale
        return dy * self.a * scale

    cls = with_fields(nn.Layer, name, kind=kind, setup=setup, forward=forward, backward=backward)
    layer = cls(**{name: 2.0})
    model, _ = fitted(layer=layer)
    nn.check_gradients(model, np.ones((4, 3)))

    class Twice(nn.Layer):
        """The same with the number written in."""

        setup = cls.setup

        def forward(self, x, *, training=False):
            self.arrays_for(x, training)
            return x * self.a * 2.0

        def backward(self, dy, *, need_dx=True):
            self.da[...] = (dy * self._w.x).sum(0) * 2.0
            return dy * self.a * 2.0

    assert model.params.tobytes() == fitted(layer=Twice())[0].params.tobytes()


@kinds
@free
def test_an_optimizer_trains_with_such_an_option(name, kind):
    def update(self, p, g, w):
        p -= g * (getattr(self, name) if kind is float else getattr(w, name))

    cls = with_fields(nn.Optimizer, name, kind=kind, update=update)
    model, _ = fitted(optimizer=cls(**{name: 0.25}))
    np.testing.assert_allclose(model.params, fitted(optimizer=nn.SGD(0.25))[0].params, rtol=1e-14)


def test_an_optimizer_with_decay_beside_weight_decay():
    """`decay` got 0.001, the weight decay, where 0.9 was asked."""

    class Both(nn.Optimizer):
        decay: nn.PerRun[float] = 0.9
        weight_decay: nn.PerRun[float] = 0.001

        def update(self, p, g, w):
            arrived.append((float(w.decay), float(w.weight_decay)))
            p -= 0.1 * g

    arrived = []
    optimizer = Both()
    fitted(optimizer=optimizer)
    assert arrived == [(0.9, 0.001)] * 2
    assert (value(optimizer, "decay", None), value(optimizer, "weight_decay", None)) == (0.9, 0.001)


@kinds
@free
def test_a_loss_trains_with_such_an_option(name, kind):
    def elements(self, w, pred, target):
        np.subtract(pred, target, w.a)
        np.multiply(w.a**2, getattr(self, name) if kind is float else getattr(w, name), w.elements)

    def gradient(self, w, out):
        np.multiply(w.a, 2 * w.share * value(self, name, kind), out)

    cls = with_fields(nn.Loss, name, kind=kind, elements=elements, gradient=gradient)
    model, history = fitted(loss=cls(**{name: 1.0}))
    plain, expected = fitted()
    np.testing.assert_allclose(model.params, plain.params, rtol=1e-14)
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-14)


@kinds
@free
def test_a_metric_is_logged_with_such_an_option(name, kind):
    def rows(self, pred, target):
        return self.flat(np.absolute(pred - target) * value(self, name, kind))

    cls = with_fields(nn.Metric, name, kind=kind, rows=rows)
    history = fitted(metric=cls(**{name: 3.0}))[1]
    np.testing.assert_allclose(history["mine"], 3 * fitted(metric=nn.MAE())[1]["mae"], rtol=1e-14)


# ------------------------------------------------------------------------------------------------ two things of one name


def test_a_working_array_and_a_number_of_one_name_are_refused():
    layer = with_fields(nn.Layer, "y", kind=nn.PerRun[float], buffers=lambda self, x: {"y": np.empty_like(x)},
                        forward=lambda self, x, *, training=False: self.arrays_for(x, training).y)()  # fmt: skip
    layer.build(3)
    for training in (True, False):
        with pytest.raises(nn.UsageError, match=r"^Mine: 'y' names a working array and a number; rename one of them$"):
            layer.forward(np.ones((2, 3), "float32"), training=training)


@pytest.mark.parametrize("name", ["x", "seen"])
def test_a_number_named_like_what_every_layer_works_with_is_refused(name):
    layer = with_fields(nn.Activation, name, kind=nn.PerRun[float])().build(3)
    with pytest.raises(nn.UsageError, match=rf"^Mine: '{name}' names a working array and a number; rename one of them$"):
        layer.forward(np.ones((2, 3), "float32"))


@pytest.mark.parametrize("name", ["u", "d", "m"])
def test_an_optimizers_number_and_array_of_one_name_are_refused(name):
    cls = with_fields(nn.Optimizer, name, kind=nn.PerRun[float], setup=lambda self: self.add_state("m"))
    with pytest.raises(nn.UsageError, match=rf"^Mine: '{name}' names two things; rename one of them$"):
        cls().attach(nn.Dense(1).build(2))


@pytest.mark.parametrize("name", ["a", "b", "share", "equal", "pred", "dpred", "m", "count"])
def test_a_losss_number_and_working_array_of_one_name_are_refused(name):
    cls = with_fields(nn.Loss, name, kind=nn.PerRun[float], elements=nn.MSE.elements, gradient=nn.MSE.gradient)
    with pytest.raises(nn.UsageError, match=rf"^Mine: '{name}' names a working array and a number; rename one of them$"):
        cls().forward(np.ones((2, 3)), np.zeros((2, 3)))


def test_a_derived_number_that_hides_a_bound_one_is_refused():
    cls = with_fields(nn.Dropout, "scale", kind=nn.PerRun[float])
    with pytest.raises(nn.UsageError, match=r"^Mine: 'scale' names an option and what is derived; rename one of them$"):
        cls().build(3)


def test_a_declared_array_named_like_something_is_refused():
    layer = with_fields(nn.Layer, "gain", setup=lambda self, features: self.add_param("gain", (1, *features), nn.Zeros()) or features)()
    with pytest.raises(nn.UsageError, match=r"^Mine declares 'gain', which is the name of something that it has; choose another one$"):
        layer.build(3)
