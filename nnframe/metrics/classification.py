"""Metrics of classes."""

from dataclasses import KW_ONLY
from math import prod
from typing import Any, Literal

import numpy as np

from nnframe.components.component import register
from nnframe.components.markers import Probability
from nnframe.components.options import field
from nnframe.errors import ShapeError
from nnframe.metrics.base import Metric, Shape


@register
class Accuracy(Metric):
    """The share of rows whose largest output is that of their class."""

    counts_rows = True

    integers: bool = field(init=False)

    def build(self, outputs: Shape, target_row: Shape, integers: bool) -> None:
        self.begin(outputs)
        self.integers = integers
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

    threshold: Probability = 0.5

    def rows(self, pred: np.ndarray, target: np.ndarray) -> np.ndarray:
        return self.flat((pred >= self.threshold) == (target >= 0.5))


class Confusion(Metric):
    """Base of metrics that follow from a confusion matrix: write `score`.

    Outputs are one number a row, for two classes told apart by `threshold`, or (..., classes). `state["table"]` is (*runs, true,
    predicted), the weights of rows.
    """

    _: KW_ONLY
    threshold: Probability = 0.5
    classes: int = field(init=False)
    integers: bool = field(init=False)

    def score(self, table: np.ndarray) -> np.ndarray:
        """The metric of a confusion matrix (*runs, true, predicted): (*runs,)."""
        raise NotImplementedError

    def build(self, outputs: Shape, target_row: Shape, integers: bool) -> None:
        self.begin(outputs)
        one = outputs in ((), (1,))
        self.classes, self.integers = 2 if one else outputs[-1], integers
        if target_row != (outputs[:-1] if integers and not one else outputs):
            told = "expected outputs (..., classes) or one for each row, and targets that are classes"
            raise ShapeError(f"{type(self).__name__} {told}, got {outputs} and {target_row}")
        self.add_state("table", (self.classes, self.classes))

    def update(self, pred: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None) -> None:
        inner = self.outputs[:-1]
        if self.outputs in ((), (1,)):
            predicted, true, inner = pred >= self.threshold, target >= 0.5, self.outputs
        else:
            predicted, true = pred.argmax(-1), target if self.integers else target.argmax(-1)
        cells, size = true * self.classes + predicted, self.classes**2
        runs, rows = cells.shape[: cells.ndim - 1 - len(inner)], cells.shape[cells.ndim - 1 - len(inner)]
        cells = cells.reshape(*runs, rows, -1)
        weights = np.broadcast_to(1.0 if weight is None else weight[..., None], cells.shape)
        of_run = np.arange(prod(runs)).reshape(*runs, 1, 1) * size  # where the cells of each run begin
        counts = np.bincount((cells + of_run).ravel(), weights.ravel(), size * prod(runs))
        self.state["table"] = self.state["table"] + counts.reshape(*runs, self.classes, self.classes)

    def value(self) -> np.ndarray:
        return self.score(self.state["table"])


@register
class F1(Confusion):
    """2 tp / (2 tp + fp + fn) of each class, averaged as scikit-learn does: `macro` over the classes that occur, `weighted` by their rows,
    `micro` of all counts together. For one output a row it is that of the positive class. A class that nothing belongs to counts 0.
    """

    average: Literal["macro", "micro", "weighted"] = "macro"

    def score(self, table: np.ndarray) -> np.ndarray:
        hits, true, predicted = np.diagonal(table, axis1=-2, axis2=-1), table.sum(-1), table.sum(-2)
        if self.outputs in ((), (1,)):
            return _ratio(2 * hits, true + predicted)[..., 1]
        if self.average == "micro":
            return _ratio(hits.sum(-1), true.sum(-1))
        weights: Any = true if self.average == "weighted" else (true + predicted > 0).astype(float)
        return _ratio((_ratio(2 * hits, true + predicted) * weights).sum(-1), weights.sum(-1))


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, 0 where there is nothing."""
    return part / (whole + (whole == 0))
