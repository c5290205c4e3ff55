"""Metrics of classes."""

import numpy as np

from nnframe.components.component import register
from nnframe.components.markers import Probability
from nnframe.errors import ShapeError
from nnframe.metrics.base import Metric, Shape


@register
class Accuracy(Metric):
    """The share of rows whose largest output is that of their class."""

    counts_rows = True

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

    counts_rows = True

    def __init__(self, threshold: Probability = 0.5) -> None:
        self.threshold = threshold

    def rows(self, pred: np.ndarray, target: np.ndarray) -> np.ndarray:
        return self._flat((pred >= self.threshold) == (target >= 0.5))
