"""Losses of numbers."""

import numpy as np
from numpy import multiply, subtract

from nnframe.components.buffers import Work
from nnframe.components.component import register
from nnframe.losses.base import Loss


@register
class MSE(Loss):
    """Mean squared error: l = mean (pred - target)^2 over a row's outputs."""

    slope = 2.0

    def elements(self, w: Work, pred: np.ndarray, target: np.ndarray) -> None:
        subtract(pred, target, w.a)
        multiply(w.a, w.a, w.elements)

    def gradient(self, w: Work, out: np.ndarray) -> None:
        multiply(w.a, w.share, out)
