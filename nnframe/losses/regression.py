"""Losses of numbers."""

import numpy as np
from numpy import absolute, multiply, sign, subtract

from nnframe.components.buffers import Buffers
from nnframe.components.component import register
from nnframe.losses.base import Loss


@register
class MSE(Loss):
    """Mean squared error: l = mean (pred - target)^2 over a row's outputs."""

    slope = 2.0

    def elements(self, w: Buffers, pred: np.ndarray, target: np.ndarray) -> None:
        subtract(pred, target, w.a)
        multiply(w.a, w.a, w.elements)

    def gradient(self, w: Buffers, out: np.ndarray) -> None:
        multiply(w.a, w.share, out)


@register
class MAE(Loss):
    """Mean absolute error: l = mean |pred - target| over a row's outputs; its derivative where they are equal is 0."""

    def elements(self, w: Buffers, pred: np.ndarray, target: np.ndarray) -> None:
        subtract(pred, target, w.a)
        absolute(w.a, w.elements)

    def gradient(self, w: Buffers, out: np.ndarray) -> None:
        sign(w.a, w.b)
        multiply(w.b, w.share, out)
