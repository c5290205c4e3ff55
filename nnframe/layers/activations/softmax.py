"""Softmax over the last axis."""

from typing import Any

import numpy as np
from numpy import add, divide, exp, maximum, multiply, subtract

from nnframe.components.component import register
from nnframe.errors import ShapeError
from nnframe.layers.base import Layer


@register
class Softmax(Layer):
    """y = exp(x) / sum exp(x) over the last axis. Classification losses take logits, so it seldom ends a model."""

    def setup(self, features: tuple[int, ...]) -> tuple[int, ...]:
        if not features:
            raise ShapeError("expects inputs (..., n), got single numbers")
        return features

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        y, dx = self.output_like(x), self.output_like(x)
        return {"y": y, "dx": dx, "one": np.empty((*y.shape[:-1], 1), self.dtype)}  # one number a row

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        w = self._work if training and x is self._work.x else self.work(x, training)
        y, one = w.y, w.one
        subtract(x, maximum.reduce(x, -1, keepdims=True), y)
        exp(y, y)
        add.reduce(y, -1, out=one, keepdims=True)
        return divide(y, one, y)

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray:
        w = self._work
        y, dx, one = w.y, w.dx, w.one
        multiply(dy, y, dx)
        add.reduce(dx, -1, out=one, keepdims=True)
        subtract(dy, one, dx)
        return multiply(dx, y, dx)
