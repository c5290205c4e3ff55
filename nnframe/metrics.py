"""Metrics: what a person judges a model by, exact over an epoch (sums over all rows, not means of batches' means).

`update(pred, target, weight)` adds a batch, `value()` gives one number per run, `reset()` starts again. `fit` hands over
what `loss.readout` makes of the outputs, so probabilities where the loss takes logits.
"""

from copy import deepcopy
from typing import Any, ClassVar, Literal

import numpy as np

from nnframe.component import Component, register
from nnframe.errors import ShapeError, UsageError
from nnframe.markers import Probability

Shape = tuple[int, ...]


class Metric(Component):
    """Base: write `rows`, the value of each row, if the metric is a mean over rows; else `reset`, `update` and `value`.

    Rows are weighted by the data's weights, if it has them. All sums are in float64.
    """

    slot = "metric"
    better: ClassVar[Literal["min", "max"]] = "max"  # which values are the good ones?

    @property
    def name(self) -> str:
        """The column's name in the log: the class's name in lower case with underscores."""
        words = type(self).__name__
        starts = [i and c.isupper() and (words[i - 1].islower() or words[i + 1 : i + 2].islower()) for i, c in enumerate(words)]
        return "".join("_" * bool(start) + c.lower() for start, c in zip(starts, words, strict=True))

    def rows(self, pred: np.ndarray, target: np.ndarray) -> np.ndarray:
        """pred (*runs, batch, *outputs), target the same or (*runs, batch) of classes, to (*runs, batch, m)."""
        raise NotImplementedError

    def build(self, outputs: Shape, target_row: Shape, integers: bool) -> None:
        """Raise ShapeError unless rows of such outputs and targets can be compared. Unless overridden: the same shape."""
        self.outputs = outputs
        if outputs != target_row:
            hint = "; Accuracy is for classes" if integers else ""
            raise ShapeError(f"{type(self).__name__} expected targets shaped like the outputs {outputs}, got {target_row}{hint}")

    def reset(self) -> None:
        self._sum: Any = np.float64(0)
        self._weight: Any = np.float64(0)

    def update(self, pred: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None) -> None:
        values = self.rows(pred, target)
        values = np.add.reduce(values, -1, np.float64) / values.shape[-1]
        self._sum = self._sum + np.add.reduce(values if weight is None else values * weight, -1)
        self._weight = self._weight + (values.shape[-1] if weight is None else np.add.reduce(weight, -1, np.float64))

    def value(self) -> np.ndarray:
        return self._sum / self._weight

    def get_state(self) -> dict[str, np.ndarray]:
        """What `update` has gathered, as arrays by name: all numbers that `reset` would change."""
        begun = deepcopy(self)
        before = dict(vars(begun))
        begun.reset()
        gathered = {}
        for name, value in vars(begun).items():
            now = vars(self).get(name)
            if now is None or (value is before.get(name) and not isinstance(value, np.ndarray)):
                continue
            if not isinstance(now, (np.ndarray, np.generic, float, int)):
                raise UsageError(f"{type(self).__name__}.{name} is a {type(now).__name__}; give the metric get_state and set_state")
            gathered[name] = np.asarray(now)
        return gathered

    def set_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go back to where `get_state` was called."""
        self.reset()
        for name, array in arrays.items():
            setattr(self, name, array[()])

    def _flat(self, a: np.ndarray) -> np.ndarray:
        """With all output axes folded into one: (*runs, batch, m)."""
        return a.reshape(*a.shape[: a.ndim - len(self.outputs)], -1)


@register
class Accuracy(Metric):
    """The share of rows whose largest output is that of their class."""

    def build(self, outputs: Shape, target_row: Shape, integers: bool) -> None:
        self.outputs, self.integers = outputs, integers
        if not outputs or outputs[-1] < 2 or target_row != (outputs[:-1] if integers else outputs):
            hint = "; BinaryAccuracy is for one output" if outputs == (1,) else ""
            raise ShapeError(f"Accuracy expected outputs (..., classes) and targets that are classes, got {outputs} and {target_row}{hint}")

    def rows(self, pred: np.ndarray, target: np.ndarray) -> np.ndarray:
        hits = pred.argmax(-1) == (target if self.integers else target.argmax(-1))
        return hits.reshape(*hits.shape[: hits.ndim - len(self.outputs) + 1], -1)


@register
class BinaryAccuracy(Metric):
    """The share of outputs that are on the same side of `threshold` as their targets are of 0.5."""

    def __init__(self, threshold: Probability = 0.5) -> None:
        self.threshold = threshold

    def rows(self, pred: np.ndarray, target: np.ndarray) -> np.ndarray:
        return self._flat((pred >= self.threshold) == (target >= 0.5))


@register
class MAE(Metric):
    """Mean absolute error."""

    better = "min"

    def rows(self, pred: np.ndarray, target: np.ndarray) -> np.ndarray:
        return self._flat(np.absolute(np.subtract(pred, target, dtype=np.float64)))


@register
class R2(Metric):
    """Coefficient of determination, 1 - sum (target - pred)^2 / sum (target - mean)^2, the mean over outputs.

    As in scikit-learn, an output whose target is constant counts 1 if it is met exactly and else 0.
    """

    def reset(self) -> None:
        self._weight, self._mean, self._square, self._residual = (np.float64(0) for _ in range(4))
        self._first: Any = None

    def update(self, pred: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None) -> None:
        y, error = self._flat(target).astype(np.float64), self._flat(np.subtract(pred, target, dtype=np.float64))
        w: Any = np.ones((y.shape[-2], 1)) if weight is None else weight.astype(np.float64)[..., None]
        if self._first is None:
            self._first = y[..., :1, :].copy()
        y -= self._first  # so that a constant target is exactly constant, and a large mean costs no digits
        total = np.add.reduce(w, -2)
        mean = np.add.reduce(y * w, -2) / (total + (total == 0))
        square = np.add.reduce((y - mean[..., None, :]) ** 2 * w, -2)
        both = self._weight + total  # batches are merged as Chan, Golub and LeVeque (1983) do
        part, step = total / (both + (both == 0)), mean - self._mean
        self._square = self._square + square + step * step * self._weight * part
        self._mean = self._mean + step * part
        self._weight = both
        self._residual = self._residual + np.add.reduce(error * error * w, -2)

    def value(self) -> np.ndarray:
        constant = self._square == 0
        score = np.where(constant, self._residual == 0, 1 - self._residual / (self._square + constant))
        return np.add.reduce(score, -1) / score.shape[-1]
