"""Metrics of numbers."""

from typing import Any

import numpy as np

from nnframe.components.component import register
from nnframe.metrics.base import Metric, Shape


@register
class R2(Metric):
    """Coefficient of determination, 1 - sum (target - pred)^2 / sum (target - mean)^2, the mean over outputs.

    As in scikit-learn, an output whose target is constant counts 1 if it is met exactly and else 0.
    """

    def build(self, outputs: Shape, target_row: Shape, integers: bool) -> None:
        super().build(outputs, target_row, integers)
        for name in ("total", "mean", "square", "residual"):
            self.add_state(name)
        self.add_state("first", init=np.nan)

    def update(self, pred: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None) -> None:
        s = self.state
        y, error = self.flat(target).astype(np.float64), self.flat(np.subtract(pred, target, dtype=np.float64))
        w: Any = np.ones((y.shape[-2], 1)) if weight is None else weight.astype(np.float64)[..., None]
        if np.isnan(s["first"]).all():
            s["first"] = y[..., :1, :].copy()
        y -= s["first"]  # so that a constant target is exactly constant, and a large mean costs no digits
        total = np.add.reduce(w, -2)
        mean = np.add.reduce(y * w, -2) / (total + (total == 0))
        square = np.add.reduce((y - mean[..., None, :]) ** 2 * w, -2)
        both = s["total"] + total  # batches are merged as Chan, Golub and LeVeque (1983) do
        part, step = total / (both + (both == 0)), mean - s["mean"]
        s["square"] = s["square"] + square + step * step * s["total"] * part
        s["mean"] = s["mean"] + step * part
        s["total"] = both
        s["residual"] = s["residual"] + np.add.reduce(error * error * w, -2)

    def value(self) -> np.ndarray:
        square, residual = self.state["square"], self.state["residual"]
        constant = square == 0
        score = np.where(constant, residual == 0, 1 - residual / (square + constant))
        return np.add.reduce(score, -1) / score.shape[-1]
