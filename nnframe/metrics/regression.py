"""Metrics of numbers."""

from typing import Any

import numpy as np

from nnframe.components.component import register
from nnframe.metrics.base import Metric


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
