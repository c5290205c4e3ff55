"""The gradient check itself: it catches what is wrong by 0.05 %, says which array, and leaves the model alone."""

import re

import numpy as np
import pytest

import nnframe as nn

OFF = 1.0005


class OffInW(nn.Dense):
    def backward(self, dy, *, need_dx=True):
        dx = super().backward(dy, need_dx=need_dx)
        self.dW *= OFF
        return dx


class OffInB(nn.Dense):
    def backward(self, dy, *, need_dx=True):
        dx = super().backward(dy, need_dx=need_dx)
        self.db *= OFF
        return dx


class OffInX(nn.Dense):
    def backward(self, dy, *, need_dx=True):
        dx = super().backward(dy, need_dx=need_dx)
        return dx if dx is None else dx * OFF


class OffInOneRun(nn.Dense):
    def backward(self, dy, *, need_dx=True):
        dx = super().backward(dy, need_dx=need_dx)
        self.dW[1] *= OFF
        return dx


class OffInOneEntry(nn.Dense):
    def backward(self, dy, *, need_dx=True):
        dx = super().backward(dy, need_dx=need_dx)
        self.dW[..., 0, 0] *= OFF
        return dx


class OffWithoutDx(nn.Dense):
    def backward(self, dy, *, need_dx=True):
        dx = super().backward(dy, need_dx=need_dx)
        if not need_dx:
            self.dW *= OFF
        return dx


class Turned(nn.Dense):
    def backward(self, dy, *, need_dx=True):
        dx = super().backward(dy, need_dx=need_dx)
        return dx if dx is None else dx.swapaxes(-1, -2)


class NaN(nn.Dense):
    def backward(self, dy, *, need_dx=True):
        dx = super().backward(dy, need_dx=need_dx)
        self.dW[...] = np.nan
        return dx


class OffLoss(nn.MSE):
    slope = 2.0 * OFF


class OffRectifier(nn.ReLU):
    def backward(self, dy, *, need_dx=True):
        return super().backward(dy) * OFF


def arrays_in(message):
    """What an error says: the arrays that it names, with how much each is off, and the run if it says so."""
    found = re.findall(r"(\S+): the gradient is off by (\S+) of its norm(?: in run (\d+))?, more than 1e-07", message)
    return {name: (float(off), run) for name, off, run in found}


def fails(model, x, **options):
    with pytest.raises(nn.GradientError) as error:
        nn.check_gradients(model, x, **options)
    return str(error.value)


@pytest.mark.parametrize(("wrong", "name"), [(OffInW, "W"), (OffInB, "b"), (OffInX, "x"), (OffInOneEntry, "W")])
@pytest.mark.parametrize("seed", [0, range(3)], ids=["alone", "stack"])
def test_the_wrong_array_is_named_and_no_other(wrong, name, seed, rng):
    message = fails(wrong(3).build(4, seed=seed), rng.normal(size=(5, 4)))
    assert message.startswith(f"{wrong.__name__}: {name}: the gradient is off by ")
    found = arrays_in(message)
    assert list(found) == [name]
    assert 1e-6 < found[name][0] < 6e-4


def test_inside_a_model_the_name_is_a_path(rng):
    model = nn.Sequential(nn.Dense(3), nn.Residual(nn.Tanh(), OffInB(3)), nn.Dense(2)).build(4)
    message = fails(model, rng.normal(size=(5, 4)))
    assert list(arrays_in(message)) == ["layers.1.layers.1.b"]


def test_what_passes_on_a_wrong_gradient_is_wrong_below_it(rng):
    model = nn.Sequential(nn.Dense(3), OffRectifier(), nn.Dense(2)).build(4)
    assert list(arrays_in(fails(model, rng.normal(size=(5, 4))))) == ["layers.0.W", "layers.0.b", "x"]


def test_the_wrong_run_is_named(rng):
    message = fails(OffInOneRun(3).build(4, seed=range(3)), rng.normal(size=(5, 4)))
    assert [(name, run) for name, (_, run) in arrays_in(message).items()] == [("W", "1")]


def test_a_wrong_loss_is_caught(rng):
    x, y = rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    model = nn.Dense(3).build(4)
    nn.check_gradients(model, x, loss=nn.MSE(), target=y)
    assert list(arrays_in(fails(model, x, loss=OffLoss(), target=y))) == ["W", "b", "x"]


def test_a_gradient_that_is_not_a_number_is_caught(rng):
    assert "W: the gradient is off by nan" in fails(NaN(3).build(4), rng.normal(size=(5, 4)))


def test_a_gradient_that_depends_on_need_dx_is_caught(rng):
    assert fails(OffWithoutDx(3).build(4), rng.normal(size=(5, 4))) == "W: the gradient is another one with need_dx=False"


def test_a_gradient_of_another_shape_is_caught(rng):
    message = fails(Turned(3).build(4), rng.normal(size=(5, 4)))
    assert message == "x: expected a gradient of the input's shape (5, 4), got (4, 5)"


def test_what_is_right_passes_with_its_errors(rng):
    model = nn.Sequential(nn.Dense(5), nn.BatchNorm(), nn.ReLU(), nn.Dropout(), nn.Dense(3)).build(4, seed=range(3))
    target = rng.integers(0, 3, size=6)
    errors = nn.check_gradients(model, rng.normal(size=(6, 4)), loss=nn.CrossEntropy(), target=target)
    assert list(errors) == ["layers.0.W", "layers.0.b", "layers.1.gamma", "layers.1.beta", "layers.4.W", "layers.4.b", "x"]
    assert all(0 <= error < 1e-7 for error in errors.values())


def test_a_weighted_loss_is_checked_with_its_weights(rng):
    model, x, y = nn.Dense(3).build(4), rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    nn.check_gradients(model, x, loss=nn.MSE(), target=y, weight=[0, 1, 2, 3, 4])
    assert arrays_in(fails(model, x, loss=OffLoss(), target=y, weight=[0, 1, 2, 3, 4]))


@pytest.mark.parametrize("last", [nn.Dense, OffInW])
def test_the_model_stays_as_it_is(last, rng):
    model = nn.Sequential(nn.Dense(5), nn.BatchNorm(), nn.Dropout(), last(3)).build(4, seed=range(2))
    x = rng.normal(size=(6, 4)).astype("float32")
    model.forward(x, training=True)
    model.backward(np.ones((2, 6, 3), "float32"))

    def all_of_it():
        streams = [stream.get_state().tolist() for stream in model._store.streams.values()]
        return model.params.tobytes(), model.grads.tobytes(), model.state.tobytes(), repr(streams), model.dtype, x.tobytes()

    before, views = all_of_it(), [layer.W for layer in (model.layers[0], model.layers[3])]
    assert model.grads.any()
    if last is nn.Dense:
        nn.check_gradients(model, x)
    else:
        fails(model, x)
    assert all_of_it() == before
    assert all(a is b for a, b in zip(views, [model.layers[0].W, model.layers[3].W], strict=True))


class Slope(nn.Layer):
    """y = a x: a user's own layer, as the README would show it."""

    def setup(self, features):
        self.add_param("a", (1, *features), nn.Constant(1.0))
        return features

    def forward(self, x, *, training=False):
        self._x = x
        return x * self.a

    def backward(self, dy, *, need_dx=True):
        np.sum(dy * self._x, -2, out=self.da, keepdims=True)
        return dy * self.a


@pytest.mark.parametrize("seed", [0, range(3)], ids=["alone", "stack"])
def test_a_layer_of_ones_own(seed, rng):
    x = rng.normal(size=(5, 4))
    model = nn.Sequential(nn.Dense(4), Slope(), nn.Dense(2)).build(4, seed=seed)
    assert "layers.1.a" in nn.check_gradients(model, x)
    assert list(nn.check_gradients(Slope().build(4, seed=seed), x)) == ["a", "x"]


class Counts(nn.Identity):
    """y = n x in the n-th training step."""

    def setup(self, features):
        self.add_state("n", (1, *features))
        return features

    def forward(self, x, *, training=False):
        self.n += training
        return x * self.n

    def backward(self, dy, *, need_dx=True):
        return dy * self.n


def test_all_evaluations_start_from_the_same_state(rng):
    nn.check_gradients(nn.Sequential(nn.Dense(3), Counts()).build(4), rng.normal(size=(5, 4)))


def test_integer_inputs_have_no_gradient():
    assert list(nn.check_gradients(nn.Dense(2).build(3), np.arange(12).reshape(4, 3))) == ["W", "b"]


def test_a_loss_needs_a_target():
    with pytest.raises(nn.UsageError) as error:
        nn.check_gradients(nn.Dense(2).build(3), np.ones((4, 3)), loss=nn.MSE())
    assert str(error.value) == "check_gradients: a loss needs a target"


def test_the_model_has_to_be_built():
    with pytest.raises(nn.UsageError) as error:
        nn.check_gradients(nn.Dense(2), np.ones((4, 3)))
    assert str(error.value) == "Dense is not built; call build(input_shape) first"


class Fold(nn.Layer):
    """Outputs of two axes, (2, 3), from 6 features."""

    def setup(self, features):
        return (2, 3)

    def forward(self, x, *, training=False):
        return x.reshape(*x.shape[:-1], 2, 3)

    def backward(self, dy, *, need_dx=True):
        return dy.reshape(*dy.shape[:-2], 6)


@pytest.mark.parametrize("seed", [0, range(3)], ids=["alone", "stack"])
def test_a_loss_over_outputs_of_several_axes(seed, rng):
    model, x = nn.Sequential(nn.Dense(6), Fold()).build(4, seed=seed), rng.normal(size=(5, 4))
    cases = [
        (nn.MSE(), rng.normal(size=(5, 2, 3))),
        (nn.CrossEntropy(), rng.integers(0, 3, size=(5, 2))),
        (nn.CrossEntropy(), rng.dirichlet(np.ones(3), size=(5, 2))),
    ]
    for loss, target in cases:
        for weight in (None, [0, 1, 2, 3, 4]):
            assert list(nn.check_gradients(model, x, loss=loss, target=target, weight=weight)) == ["layers.0.W", "layers.0.b", "x"]
        assert loss.outputs is None  # it was built on a copy
    message = fails(model, x, loss=OffLoss(), target=cases[0][1])
    assert list(arrays_in(message)) == ["layers.0.W", "layers.0.b", "x"]
    with pytest.raises(nn.ShapeError, match=r"MSE of outputs \(2, 3\) expected targets \(batch, 2, 3\), got \(5, 6\)"):
        nn.check_gradients(model, x, loss=nn.MSE(), target=np.ones((5, 6)))


def test_a_loss_that_serves_another_model_may_be_checked(rng):
    loss, x, y = nn.MSE().build((2, 3)), rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    nn.check_gradients(nn.Dense(3).build(4), x, loss=loss, target=y)
    assert loss.outputs == (2, 3)


WRONG: dict[str, tuple[dict, str]] = {
    "model": ({"model": 3}, "expected a layer, got 3"),
    "loss": ({"loss": "MSE"}, "expected a loss, got 'MSE'"),
    "tolerance": ({"tolerance": "1"}, "expected a number greater than 0, got '1'"),
    "tolerances": ({"tolerance": np.ones(2)}, r"expected a number greater than 0, got array\(\[1., 1.\]\)"),
    "seed": ({"seed": -1}, "expected an integer of at least 0 and at most 9223372036854775807, got -1"),
    "training": ({"training": np.ones(2)}, r"expected true or false, got array\(\[1., 1.\]\)"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_options(case):
    options, words = WRONG[case]
    model = options.pop("model", nn.Dense(2).build(3))
    with pytest.raises(nn.OptionError, match=rf"^check_gradients\.{case.removesuffix('s') if case == 'tolerances' else case}: {words}"):
        nn.check_gradients(model, np.ones((1, 3)), **{"target": np.ones((1, 2))} | options)
