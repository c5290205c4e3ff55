"""Losses as metrics: each may be named among the metrics, and is then logged over the epoch."""

from typing import Any

import numpy as np

from nnframe.errors import ShapeError
from nnframe.losses.base import Loss
from nnframe.metrics.base import Metric, Shape, column_name


class LossMetric(Metric):
    """The value of a loss on the model's outputs, sum of w l over sum of w."""

    better = "min"
    on_outputs = True

    loss: Loss

    @property
    def name(self) -> str:
        return column_name(type(self.loss))

    def build(self, outputs: Shape, target_row: Shape, integers: bool) -> None:
        self.begin(outputs)
        self.add_state("sum")
        self.add_state("weight")
        if self.loss.target_row(outputs, integers) != target_row:
            kind = " of classes" if integers else ""
            raise ShapeError(f"{type(self.loss).__name__} expected targets that go with outputs {outputs}, got {target_row}{kind}")

    def update(self, pred: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None) -> None:
        rows: Any = np.float64(pred.shape[-1 - len(self.outputs)]) if weight is None else np.add.reduce(weight, -1, np.float64)
        self.state["sum"] = self.state["sum"] + self.loss.forward(pred, target, weight) * rows
        self.state["weight"] = self.state["weight"] + rows


def as_metric(metric: Any) -> Any:
    """A loss as a metric; whatever else as it is."""
    return LossMetric(metric) if isinstance(metric, Loss) else metric
