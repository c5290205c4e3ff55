"""Metrics: what a person judges a model by, exact over an epoch (sums over all rows, not means of batches' means).

`update(pred, target, weight)` adds a batch, `value()` gives one number per run, `reset()` starts again. `fit` hands over
what `loss.readout` makes of the outputs, so probabilities where the loss takes logits.
"""

from copy import deepcopy
from typing import Any, ClassVar, Literal

import numpy as np

from nnframe.components.component import Component
from nnframe.errors import ShapeError, UsageError

Shape = tuple[int, ...]


class Metric(Component):
    """Base: write `rows`, the value of each row, if the metric is a mean over rows; else `reset`, `update` and `value`.

    Rows are weighted by the data's weights, if it has them. All sums are in float64.
    """

    slot = "metric"
    better: ClassVar[Literal["min", "max"]] = "max"  # which values are the good ones?
    counts_rows: ClassVar[bool] = False  # is it a share of rows, so that it goes in steps of 1 / rows?

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
