"""What Python users read when something is wrong: each mistake as they type it, and the exact words that come back."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

import nnframe as nn
from nnframe.components.registry import REGISTRY

ALL_INITIALIZERS = "... (`nnframe list initializer` prints all 11)."
DENSE = "Options: units, init, bias, bias_init, name."
LR = "SGD.lr: expected a number greater than 0, got "

OPTIONS = [
    # numbers
    ("SGD(lr=-1)", LR + "-1"),
    ("SGD(lr=0)", LR + "0"),
    ("SGD(lr=float('nan'))", LR + "nan"),
    ("SGD(lr=float('inf'))", LR + "inf"),
    ("SGD(lr='0.1')", LR + "'0.1' (a text); write the number without quotes"),
    ("SGD(lr='fast')", LR + "'fast'"),
    ("SGD(lr=True)", LR + "true"),
    ("SGD(lr=None)", LR + "nothing"),
    ("SGD(lr=1j)", LR + "1j"),
    ("SGD(momentum=1)", "SGD.momentum: expected a number of at least 0 and less than 1, got 1"),
    ("Dense(0)", "Dense.units: expected an integer of at least 1, got 0"),
    ("Dense(-3)", "Dense.units: expected an integer of at least 1, got -3"),
    ("Dense(2.0)", "Dense.units: expected an integer of at least 1, got 2.0; write 2"),
    ("Dense(2.5)", "Dense.units: expected an integer of at least 1, got 2.5"),
    ("Dense('2')", "Dense.units: expected an integer of at least 1, got '2' (a text); write the number without quotes"),
    ("Dense([2])", "Dense.units: expected an integer of at least 1, got a list of 1"),
    ("Dropout(1)", "Dropout.p: expected a number of at least 0 and less than 1, got 1"),
    ("BatchNorm(momentum=2)", "BatchNorm.momentum: expected a number of at least 0 and at most 1, got 2"),
    ("BatchNorm(eps=0)", "BatchNorm.eps: expected a number greater than 0, got 0"),
    (
        "check_gradients(Dense(2).build(3), np.ones((1, 3)), tolerance=0)",
        "check_gradients.tolerance: expected a number greater than 0, got 0",
    ),
    ("Step(1, every=0)", "Step.every: expected a number greater than 0, got 0"),
    ("Uniform(1, 0)", "Uniform.low: low 1.0 is above high 0.0"),
    # pairs, lists and schedules
    ("Adam(betas=(0.9, 1.0))", "Adam.betas.1: expected a number of at least 0 and less than 1, got 1.0"),
    ("Adam(betas=(-0.1, 0.9))", "Adam.betas.0: expected a number of at least 0 and less than 1, got -0.1"),
    ("SGD(lr=[0.1, -1])", "SGD.lr.1: expected a number greater than 0, got -1"),
    ("SGD(lr=[])", "SGD.lr: expected a number greater than 0 or one per run, got an empty list"),
    ("SGD(lr=Cosine(-1))", "SGD.lr: expected a schedule of numbers of at least 0, got Cosine(-1.0), which reaches -1"),
    # 1 has to stay out of reach, for 1 / (1 - p) and 1 / (1 - beta) have no value there; a rate of 0 is merely no step
    ("Dropout(Cosine(1))", "Dropout.p: expected a schedule of numbers of at least 0 and less than 1, got Cosine(1.0), which reaches 1"),
    (
        "Dropout(Cosine(0, 1))",
        "Dropout.p: expected a schedule of numbers of at least 0 and less than 1, got Cosine(0.0, stop=1.0), which reaches 1",
    ),
    (
        "Adam(betas=(Cosine(1, 0.9), 0.999))",
        "Adam.betas.0: expected a schedule of numbers of at least 0 and less than 1, got Cosine(1.0, stop=0.9), which reaches 1",
    ),
    (
        "Dropout(Step(0.5, every=1, factor=2))",
        "Dropout.p: expected a schedule of numbers of at least 0 and less than 1, got Step(0.5, every=1.0, factor=2.0), which reaches inf",
    ),
    ("SGD(lr={'type': 'Cosin', 'start': 1})", "SGD.lr.type: unknown schedule 'Cosin'. Did you mean 'Cosine'? Known: Cosine, Step."),
    ("Normal(std=Cosine(1))", "Normal.std: expected a number, got Cosine(1.0): a schedule has no meaning here"),
    # texts and flags
    ("Dense(2, bias=1)", "Dense.bias: expected true or false, got 1; write true"),
    ("Dense(2, bias='no')", "Dense.bias: expected true or false, got 'no'; write false"),
    ("Dense(2, name='1a')", "Dense.name: expected up to 100 letters, digits, '-' and '_', beginning with a letter, got '1a'"),
    ("Dense(2, name='')", "Dense.name: expected up to 100 letters, digits, '-' and '_', beginning with a letter, got ''"),
    ("Dense(2, name='a.b')", "Dense.name: expected up to 100 letters, digits, '-' and '_', beginning with a letter, got 'a.b'"),
    # which options there are
    ("Dense()", "Dense: Dense needs the option 'units'; expected an integer of at least 1"),
    ("Dense(2, 3)", "Dense: takes at most 1 positional argument, got 2; name the others: init, bias, bias_init, name"),
    ("Dense(2, units=2)", "Dense.units: given twice"),
    ("Dense(unit=2, units=2)", f"Dense.unit: Dense has no option 'unit'. Did you mean 'units'? {DENSE}"),
    (
        "Dense(2, activation='relu')",
        f"Dense.activation: Dense has no option 'activation'. Put ReLU after it: it is a layer of its own. {DENSE}",
    ),
    (
        "MSE(reduction='sum')",
        "MSE.reduction: MSE has no option 'reduction'. Leave it out: the loss is the mean over the batch. It has no options.",
    ),
    # components
    (
        "Dense(2, init='Norml')",
        f"Dense.init: unknown initializer 'Norml'. Did you mean 'Normal'? Known: Normal, HeNormal, Uniform, LecunNormal, GlorotNormal, {ALL_INITIALIZERS}",
    ),
    (
        "Dense(2, init='normal')",
        f"Dense.init: unknown initializer 'normal'. Did you mean 'Normal'? Known: Normal, HeNormal, LecunNormal, GlorotNormal, Uniform, {ALL_INITIALIZERS}",
    ),
    (
        "Dense(2, init='Xyz')",
        f"Dense.init: unknown initializer 'Xyz'. Known: Zeros, Constant, FanInUniform, GlorotNormal, GlorotUniform, {ALL_INITIALIZERS}",
    ),
    ("Dense(2, init=MSE())", "Dense.init: expected an initializer, got MSE()"),
    ("Dense(2, init=3)", "Dense.init: expected an initializer, got 3; write {type: Constant, value: 3}"),
    ("Dense(2, init={'type': 'Normal', 'std': -1})", "Dense.init.std: expected a number of at least 0, got -1"),
    ("Sequential()", "Sequential.layers: expected at least one layer"),
    ("Sequential(Dense(2), 3)", "Sequential.layers.1: expected a layer, got 3; write {type: Dense, units: 3}"),
    ("Sequential([Dense(2), Sigmoid()])", "Sequential.layers.0: expected a layer, got a list of 2; write Sequential(*layers)"),
    ("Sequential(Dense)", "Sequential.layers.0: expected a layer, got <class 'nnframe.layers.dense.Dense'>"),
    # options that do not go together
    ("SGD(nesterov=True)", "SGD.nesterov: needs a momentum greater than 0 and no dampening"),
    ("SGD(nesterov=True, momentum=[0.9, 0])", "SGD.nesterov: needs a momentum greater than 0 and no dampening"),
    ("SGD(nesterov=True, momentum=0.9, dampening=0.1)", "SGD.nesterov: needs a momentum greater than 0 and no dampening"),
    # all mistakes at once
    (
        "Dense(-1, bias='no', unit=3)",
        f"Dense.unit: Dense has no option 'unit'. Did you mean 'units'? {DENSE}; Dense.units: expected an integer of at least 1, got -1; "
        "Dense.bias: expected true or false, got 'no'; write false",
    ),
]


FINE = ["SGD(lr=Cosine(0.1))", "SGD(lr=Cosine(0, 1))", "SGD(lr=Step(0.1, every=1, factor=2))", "SGD(momentum=Step(0.9, every=1))"]


@pytest.mark.parametrize("typed", FINE)
def test_schedules_that_are_fine(typed):
    eval(typed, vars(nn))


def says(typed, names=()):
    """The words of the error that this line of Python gives, and the error."""
    with pytest.raises(nn.NNFrameError) as error:
        eval(typed, vars(nn) | {"np": np} | dict(names))
    return str(error.value), error.value


@pytest.mark.parametrize(("typed", "message"), OPTIONS, ids=[typed for typed, _ in OPTIONS])
def test_options(typed, message):
    said, error = says(typed)
    assert said == message
    assert isinstance(error, nn.OptionError)
    assert isinstance(error, ValueError)


RUNS = [  # one value per run, but not as many as there are runs
    ("SGD(lr=[0.1, 0.2, 0.3]).attach(stack)", "SGD.lr: has 3 values, but there are 2 runs"),
    ("SGD(lr=[0.1, 0.2]).attach(model)", "SGD.lr: has 2 values, but there is one network"),
    ("Adam(betas=([0.9, 0.8, 0.7], 0.9)).attach(stack)", "Adam.betas.0: has 3 values, but there are 2 runs"),
    ("SGD(lr=Cosine([0.1, 0.2, 0.3])).attach(stack)", "SGD.lr.start: has 3 values, but there are 2 runs"),
    ("Dense(2, init=Normal([1, 2, 3])).build(2, seed=[1, 2])", "Dense.init.std: has 3 values, but there are 2 runs"),
    ("Sequential(Dropout([0.1, 0.2])).build(2)", "layers.0.Dropout.p: has 2 values, but there is one network"),
    ("SGD(lr=1e60).attach(model)", "SGD.lr: 1e+60 is too large for float32"),
]


@pytest.fixture
def built():
    return {
        "model": nn.Sequential(nn.Dense(2), nn.Sigmoid()).build(3),
        "stack": nn.Sequential(nn.Dense(2), nn.Sigmoid()).build(3, seed=[0, 1]),
        "images": nn.Sequential(nn.Dense(2)).build((4, 3)),
    }


@pytest.mark.parametrize(("typed", "message"), RUNS, ids=[typed for typed, _ in RUNS])
def test_values_per_run(typed, message, built):
    said, error = says(typed, built)
    assert said == message
    assert isinstance(error, nn.OptionError)


SHAPES = [
    ("Sequential(Identity(), Dense(2)).build(())", "layers.1: Dense expects inputs (..., n), got single numbers"),
    ("Softmax().build(())", "Softmax expects inputs (..., n), got single numbers"),
    ("BatchNorm().build(())", "BatchNorm expects inputs (..., n), got single numbers"),
    (
        "Sequential(Dense(2), Residual(Dense(3))).build(2)",
        "layers.1: Residual adds its layers' output to its input; expected them to keep the shape (2,), got (3,)",
    ),
    ("Sequential(Sequential(Identity(), Sequential(Dense(2)))).build(())", "layers.0.layers.1.layers.0: "
     "Dense expects inputs (..., n), got single numbers"),
    ("Dense(2).build(0)", "expected an input shape of positive integers, without the batch axis, got 0"),
    ("Dense(2).build((3, -1))", "expected an input shape of positive integers, without the batch axis, got (3, -1)"),
    ("Dense(2).build((None, 3))", "expected an input shape of positive integers, without the batch axis, got (None, 3)"),
    ("Dense(2).build('3')", "expected an input shape of positive integers, without the batch axis, got '3'"),
    ("Dense(2).build(3.0)", "expected an input shape of positive integers, without the batch axis, got 3.0"),
    ("Dense(2).build(None)", "expected an input shape of positive integers, without the batch axis, got None"),
    ("Dense(2).build(True)", "expected an input shape of positive integers, without the batch axis, got True"),
    ("Dense(2).build(10**400)", "expected an input shape of at most 2**40 numbers, got 100000000000000000000000000000000000000000000000000000000..."),
    ("ReLU().build(10**5000)", "expected an input shape of at most 2**40 numbers, got an integer of more than 4300 digits"),
    ("ReLU().build((2**30, 2**30))", "expected an input shape of at most 2**40 numbers, got 1152921504606846976"),
    ("ReLU().build((1,) * 61)", "expected an input shape of at most 60 axes, got 61"),
    ("Dense(2).build((2, -(10**5000)))", "expected an input shape of at most 2**40 numbers, got an integer of more than 4300 digits"),
    ("model.predict(np.ones((4, 2)))", "Sequential was built for inputs (batch, 3), got (4, 2)"),
    ("model.predict(np.ones(3))", "Sequential was built for inputs (batch, 3), got (3,)"),
    ("model.predict(np.ones((2, 4, 3)))", "Sequential was built for inputs (batch, 3), got (2, 4, 3)"),
    ("stack.predict(np.ones((3, 4, 3)))", "Sequential was built for inputs (batch, 3) or (2, batch, 3), got (3, 4, 3)"),
    ("images.predict(np.ones((4, 3)))", "Sequential was built for inputs (batch, 4, 3), got (4, 3)"),
    ("model.forward(np.ones((4, 2), 'float32'))", "Dense was built for inputs (batch, 3), got (4, 2)"),
    ("model.forward(np.ones((4, 2), 'float32'), training=True)", "Dense was built for inputs (batch, 3), got (4, 2)"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "message"), SHAPES, ids=[typed for typed, _ in SHAPES])
def test_shapes(typed, message, built):
    said, error = says(typed, built)
    assert said == message
    assert isinstance(error, nn.ShapeError)


USAGE = [
    ("Dense(2).forward(np.ones((1, 2)))", "Dense is not built; call build(input_shape) first"),
    ("Sequential(Sigmoid(), Dense(2)).forward(np.ones((1, 2)))", "Sigmoid is not built; call build(input_shape) first"),
    ("Dense(2).predict(np.ones((1, 2)))", "Dense is not built; call build(input_shape) first"),
    ("SGD().attach(Dense(2))", "Dense is not built; call build(input_shape) first"),
    ("Dense(2).take(0)", "Dense is not built; call build(input_shape) first"),
    ("model.take(0)", "take: this is one network; only a stack has runs to take"),
    ("Dense(2).build(3, dtype='int32')", "expected dtype float32 or float64, got int32"),
    ("Dense(2).build(3, dtype=int)", "expected dtype float32 or float64, got int64"),
    ("Dense(2).build(3, dtype='float16')", "expected dtype float32 or float64, got float16"),
    ("Dense(2).build(3, dtype='double precision')", "expected dtype float32 or float64, got 'double precision'"),
    ("Dense(2).build(3, dtype=None)", "expected dtype float32 or float64, got None"),
    ("model.astype('int32')", "expected dtype float32 or float64, got int32"),
    ("Sequential(*[Sigmoid()] * 2).build(3)", "layers.1: the same layer object stands at layers.0 and at layers.1; use one for each place"),
    (
        "Sequential(Dense(2, name='a'), Dense(2, name='a')).build(3)",
        "layers.1.name: the same name 'a' stands at layers.0 and at layers.1; use one for each place",
    ),
    ("SGD().step()", "SGD is not attached; call attach(model) first"),
    ("Dense(2).build(3).backward(np.ones((1, 2)))", "nothing to go back from; call forward first"),
    ("MSE().backward()", "MSE: nothing to go back from; call forward(pred, target) first"),
]


@pytest.mark.parametrize(("typed", "message"), USAGE, ids=[typed for typed, _ in USAGE])
def test_usage(typed, message, built):
    said, error = says(typed, built)
    assert said == message
    assert isinstance(error, nn.UsageError)


# ------------------------------------------------------------------------------------------------ a class of one's own


def test_a_taken_name():
    class Dense(nn.Layer):
        pass

    said, error = says("register(Mine)", {"Mine": Dense})
    assert said == "layer Dense: the name is taken by nnframe.layers.dense.Dense"
    assert isinstance(error, nn.OptionError)


def test_a_constructor_that_swallows_typos():
    class Swallows(nn.Layer):
        def __init__(self, units: nn.Size = 1, **kwargs):
            pass

    for typed in ("register(Mine)", "Mine()"):
        assert says(typed, {"Mine": Swallows})[0] == "Swallows: its constructor takes **; options must be named one by one"
    assert "Swallows" not in REGISTRY["layer"]


def test_a_parameter_declared_twice():
    class Twice(nn.Layer):
        def setup(self, features):
            self.add_param("W", (1,), nn.Zeros())
            self.add_param("W", (1,), nn.Zeros())
            return features

    assert says("Mine().build(2)", {"Mine": Twice})[0] == "Twice declares 'W' twice"


def test_ones_own_lists_and_functions_are_checked_too():
    class Mine(nn.Layer):
        def __init__(self, sizes: list[nn.Size], rates: Sequence[float] | None = None, map: Callable[[float], float] | None = None):
            self.given = sizes, rates, map

    made = Mine([1, 2], rates=(1, 0.5), map=abs)
    assert made.given == ((1, 2), (1.0, 0.5), abs) and repr(made).startswith("Mine([1, 2], rates=[1.0, 0.5]")
    assert says("Mine([1, 'a'])", {"Mine": Mine})[0] == "Mine.sizes.1: expected an integer of at least 1, got 'a'"
    assert says("Mine(3)", {"Mine": Mine})[0] == "Mine.sizes: expected a list, each item an integer of at least 1, got 3; write [3]"
    assert says("Mine([1], rates=['x'])", {"Mine": Mine})[0] == "Mine.rates.0: expected a number, got 'x'"
    assert says("Mine([1], map=2)", {"Mine": Mine})[0] == "Mine.map: expected collections.abc.Callable[[float], float], got 2"


def test_ones_own_options_are_checked_by_the_signature():
    class Mine(nn.Layer):
        def __init__(self, rate: nn.PerRun[nn.Positive], *, mode: str = "a", p: nn.Probability = 0.5):
            pass

    assert says("Mine(0)", {"Mine": Mine})[0] == "Mine.rate: expected a number greater than 0, got 0"
    assert says("Mine(1, mode=2)", {"Mine": Mine})[0] == "Mine.mode: expected a text, got 2"
    assert says("Mine(1, p=2)", {"Mine": Mine})[0] == "Mine.p: expected a number of at least 0 and at most 1, got 2"
    assert says("Mine(1, moed='b')", {"Mine": Mine})[0] == (
        "Mine.moed: Mine has no option 'moed'. Did you mean 'mode'? Options: rate, mode, p, name."
    )
