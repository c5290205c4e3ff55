"""Metrics: what a person judges a model by, exact over an epoch (sums over all rows, not means of batches' means).

`update(pred, target, weight)` adds a batch, `value()` gives one number per run, `reset()` starts again. `fit` hands over
what `loss.readout` makes of the outputs, so probabilities where the loss takes logits.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import numpy as np

from nnframe.components.component import Component
from nnframe.components.options import field
from nnframe.errors import ShapeError, UsageError

Shape = tuple[int, ...]


class Metric(Component):
    """Base: write `rows`, the value of each row, if the metric is a mean over rows; else `build`, `update` and `value`.

    What is gathered over an epoch is declared in `build` with `add_state`, and stands in `self.state`, in float64. Rows are weighted by the
    data's weights, if it has them.
    """

    slot = "metric"
    better: ClassVar[Literal["min", "max"]] = "max"  # which values are the good ones?
    on_outputs: ClassVar[bool] = False  # is it given the model's outputs as they are, and not what the loss reads out of them?
    outputs: Shape = field(init=False)  # the shape of one row's outputs
    _start: dict[str, np.ndarray] = field(init=False)  # what has been gathered before the first batch
    counts_rows: ClassVar[bool] = False  # is it a share of rows, so that it goes in steps of 1 / rows?

    @property
    def name(self) -> str:
        """The column's name in the log: the class's name in lower case with underscores."""
        return column_name(type(self))

    def rows(self, pred: np.ndarray, target: np.ndarray) -> np.ndarray:
        """pred (*runs, batch, *outputs), target the same or (*runs, batch) of classes, to (*runs, batch, m)."""
        raise NotImplementedError

    def build(self, outputs: Shape, target_row: Shape, integers: bool) -> None:
        """Raise ShapeError unless rows of such outputs and targets can be compared: unless overridden, those of the same shape; and
        declare what is gathered."""
        self.begin(outputs)
        if outputs != target_row:
            hint = "; Accuracy is for classes" if integers else ""
            raise ShapeError(f"{type(self).__name__} expected targets shaped like the outputs {outputs}, got {target_row}{hint}")

    def begin(self, outputs: Shape) -> None:
        """Forget what was declared and gathered; declare what a mean over rows needs, if it is one."""
        self.outputs, self.state, self._start = outputs, {}, {}
        if type(self).update is Metric.update:
            self.add_state("sum")
            self.add_state("weight")

    def add_state(self, name: str, shape: Shape = (), init: Any = 0.0, dtype: Any = np.float64) -> np.ndarray:
        """Declare an array that is gathered over an epoch: `self.state[name]`, of `shape` at first, to be replaced by what it grows to,
        (*runs, *shape)."""
        self._start[name] = self.state[name] = np.full(shape, init, dtype)
        return self.state[name]

    def reset(self) -> None:
        """Begin again."""
        self.state = dict(self._start)

    def update(self, pred: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None) -> None:
        values, state = self.rows(pred, target), self.state
        values = np.add.reduce(values, -1, np.float64) / values.shape[-1]
        state["sum"] = state["sum"] + np.add.reduce(values if weight is None else values * weight, -1)
        state["weight"] = state["weight"] + (values.shape[-1] if weight is None else np.add.reduce(weight, -1, np.float64))

    def value(self) -> np.ndarray:
        return self.state["sum"] / self.state["weight"]

    def get_state(self) -> dict[str, np.ndarray]:
        """What has been gathered. Raises UsageError where nothing was declared, since that would be missing in a checkpoint."""
        if not self.state and not any(self.parts()):
            told = "writes its own `update`, but declares nothing that it gathers; declare it in `build` with add_state"
            raise UsageError(told, path=type(self).__name__)
        return super().get_state()

    def set_state(self, arrays: dict[str, np.ndarray]) -> None:
        self.state = {name: np.array(arrays[name]) for name in self._start}
        super().set_state(arrays)

    def _remembered(self) -> dict[str, np.ndarray]:
        return {name: np.asarray(array) for name, array in self.state.items()}

    def _own_arrays(self) -> Iterator[np.ndarray]:
        return self._own_numbers()  # runs leave between epochs, when nothing is gathered

    def flat(self, a: np.ndarray) -> np.ndarray:
        """With all output axes folded into one: (*runs, batch, m)."""
        return a.reshape(*a.shape[: a.ndim - len(self.outputs)], -1)


def column_name(cls: type) -> str:
    """`BinaryAccuracy` as a column of the log: `binary_accuracy`."""
    words = cls.__name__
    starts = [i and c.isupper() and (words[i - 1].islower() or words[i + 1 : i + 2].islower()) for i, c in enumerate(words)]
    return "".join("_" * bool(start) + c.lower() for start, c in zip(starts, words, strict=True))
