"""Is a backward the derivative of its forward? Central differences along random directions, in float64."""

from copy import deepcopy
from typing import Annotated, Any

import numpy as np

from nnframe.components.arrays import as_numbers
from nnframe.components.markers import Positive, Range
from nnframe.components.walk import Problems, validate
from nnframe.components.wording import describe, shown
from nnframe.errors import GradientError, OptionError, UsageError, join
from nnframe.layers import layout
from nnframe.layers.base import Layer
from nnframe.losses.base import Loss

STEPS = (1e-4, 1e-6)  # a kink between two points spoils a difference; one nearer to the point may still be good
DIRECTIONS = 3

OneSeed = Annotated[int, Range(min=0, max=2**63 - 1)]


def check_gradients(
    model: Layer,
    x: Any,
    *,
    loss: Loss | None = None,
    target: Any = None,
    weight: Any = None,
    training: bool = True,
    tolerance: float = 1e-7,
    seed: int = 0,
) -> dict[str, float]:
    """Compare the gradients of a built layer or model with differences of its outputs, for parameters and input.

    Args:
        x: a batch, (batch, *features) or (R, batch, *features), away from kinks such as ReLU's at 0.
        loss, target, weight: check the loss's gradient too; without a loss a random combination of the outputs is derived.
        tolerance: the error allowed, relative to the norm of the gradient.
        seed: of the random directions and of that combination.

    The check works on a copy in float64: parameters, state, streams and gradients of `model` stay as they are. Masks and noise
    are the same in all evaluations. Returns the largest relative error of each array, such as {"layers.0.W": 2e-11, "x": 1e-10}.
    Raises GradientError that names each wrong array, the run, and by how much it is off; OptionError, ShapeError or DataError
    for what does not fit.
    """
    for part, given, base in (("model", model, Layer), *([] if loss is None else [("loss", loss, Loss)])):
        if not isinstance(given, base):
            raise OptionError(f"expected {describe(base)}, got {shown(given)}", path=f"check_gradients.{part}")
    layout.verify(model)
    problems = Problems()
    validate(bool, training, "training", problems)
    validate(Positive, tolerance, "tolerance", problems)
    validate(OneSeed, seed, "seed", problems)
    if problems:
        raise OptionError(problems[0][1], path=f"check_gradients.{problems[0][0]}")
    if loss is not None and target is None:
        raise UsageError("check_gradients: a loss needs a target")
    return _Check(model.astype("float64"), x, loss, target, weight, training, seed).run(tolerance)


class _Check:
    def __init__(self, model: Layer, x: Any, loss: Loss | None, target: Any, weight: Any, training: bool, seed: int) -> None:
        self.model, self.training, self.rng = model, training, np.random.default_rng(seed)
        self.x, self.loss = _copied(x, "x"), None
        if loss is not None:
            self.target = _copied(target, "target")
            self.weight = None if weight is None else _copied(weight, "weight").astype(np.float64)
            self.loss = deepcopy(loss).build(model.output_shape, self.target)
            self.loss.bind(model.runs, model.dtype)
        self.state, self.streams = model.state.copy(), {name: stream.get_state() for name, stream in model._store.streams.items()}
        y = self._outputs()
        self.lead = y.ndim - 1 - len(model.output_shape)  # 1 if the outputs have a runs axis
        self.combination = self.rng.normal(size=y.shape)

    def run(self, tolerance: float) -> dict[str, float]:
        arrays = {
            join(path, name): (getattr(layer, name), getattr(layer, f"d{name}"))
            for path, _, layer in layout.walk(self.model)
            for name, spec in layer._specs.items()
            if spec.home == "params"
        }
        exact = {name: gradient.copy() for name, (_, gradient) in self._backward(arrays).items()}
        points = {name: value for name, (value, _) in arrays.items()}
        if self.x.dtype.kind == "f":
            points["x"], exact["x"] = self.x, self.dx
        errors, wrong = {}, []
        for name, point in points.items():
            error = self._error(point, exact[name], name == "x", tolerance)
            errors[name] = float(error.max())
            if not errors[name] <= tolerance:  # also where it is NaN
                run = f" in run {int(error.argmax())}" if error.ndim else ""
                wrong.append(f"{name}: the gradient is off by {errors[name]:.1e} of its norm{run}, more than {tolerance:.0e}")
        if wrong:
            raise GradientError("; ".join(wrong), path=type(self.model).__name__)
        return errors

    def _backward(self, arrays: dict[str, tuple[np.ndarray, np.ndarray]]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """All gradients, in `arrays` and `self.dx`; they must be the same where that of the input is not asked for."""
        self._value()
        self.model.backward(self._output_gradient(), need_dx=False)
        without = {name: gradient.copy() for name, (_, gradient) in arrays.items()}
        self._value()
        self.dx = np.array(self.model.backward(self._output_gradient()))
        for name, (value, gradient) in arrays.items():
            if gradient.shape != value.shape or gradient.tobytes() != without[name].tobytes():
                raise GradientError("the gradient is another one with need_dx=False", path=name)
        if self.dx.shape[-self.x.ndim :] != self.x.shape:
            raise GradientError(f"expected a gradient of the input's shape {self.x.shape}, got {self.dx.shape}", path="x")
        return arrays

    def _error(self, point: np.ndarray, gradient: np.ndarray, is_x: bool, tolerance: float) -> np.ndarray:
        """The largest error along some directions, relative to the norm of the gradient, (*runs,). What rounding alone does
        to a difference stays below the tolerance."""
        lead = (self.x.ndim - 1 - len(self.model.input_shape)) if is_x else len(self.model.runs)
        norm = np.sqrt(_sum(gradient * gradient, self.lead))
        start = point.copy()
        worst = np.zeros(norm.shape)
        for _ in range(DIRECTIONS):
            v = self.rng.normal(size=point.shape)
            v /= np.sqrt(_sum(v * v, lead)).reshape(*point.shape[:lead], *(1,) * (point.ndim - lead))
            along = _sum(gradient * v, self.lead)
            errors = []
            for h in STEPS:
                values = []
                for k in (1, -1, 2, -2):
                    point[...] = start + k * h * v
                    values.append(self._value())
                point[...] = start
                a, b, c, d = values
                off = np.absolute((8 * (a - b) - (c - d)) / (12 * h) - along)
                rounding = 4 * np.finfo(np.float64).eps * self.magnitude / h
                errors.append(np.where(off == 0, 0, off / (norm + rounding / tolerance + (off == 0))))
            worst = np.maximum(worst, np.minimum(*errors))
        return worst

    def _outputs(self) -> np.ndarray:
        self.model.state[...] = self.state
        for name, state in self.streams.items():
            self.model._store.streams[name].set_state(state)
        return self.model.forward(self.x, training=self.training)

    def _value(self) -> np.ndarray:
        """The number that is derived, one per run; `self.magnitude` is the size of what it is summed from."""
        y = self._outputs()
        if self.loss is not None:
            value = self.loss.forward(y, self.target, self.weight)
            self.magnitude = np.absolute(value)
            return np.array(value)
        terms = self.combination * y
        self.magnitude = _sum(np.absolute(terms), self.lead)
        return _sum(terms, self.lead)

    def _output_gradient(self) -> np.ndarray:
        return self.loss.backward() if self.loss is not None else self.combination.copy()


def _copied(value: Any, name: str) -> np.ndarray:
    """Numbers as the check computes with them: floating ones in float64."""
    array = as_numbers(value, f"check_gradients.{name}")
    return array.astype(np.float64 if array.dtype.kind == "f" else array.dtype)


def _sum(a: np.ndarray, lead: int) -> np.ndarray:
    return a.reshape(*a.shape[:lead], -1).sum(-1)
