"""Softmax over the last axis."""

from typing import Any

import numpy as np
from numpy import add, divide, exp, maximum, multiply, subtract

from nnframe.components.component import register
from nnframe.errors import ShapeError
from nnframe.layers.activations.base import Activation


@register
class Softmax(Activation):
    """y = exp(x) / sum exp(x) over the last axis. Classification losses take logits, so it seldom ends a model."""

    def setup(self, features: tuple[int, ...]) -> tuple[int, ...]:
        if not features:
            raise ShapeError("expects inputs (..., n), got single numbers")
        return features

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        made = super().buffers(x)
        return made | {"row": np.empty((*made["y"].shape[:-1], 1), self.dtype)}  # one number a row

    def function(self, w: Any, x: np.ndarray, y: np.ndarray) -> None:
        subtract(x, maximum.reduce(x, -1, keepdims=True), y)
        exp(y, y)
        add.reduce(y, -1, out=w.row, keepdims=True)
        divide(y, w.row, y)

    def derivative(self, w: Any, dy: np.ndarray, dx: np.ndarray) -> None:
        multiply(dy, w.y, dx)
        add.reduce(dx, -1, out=w.row, keepdims=True)
        subtract(dy, w.row, dx)
        multiply(dx, w.y, dx)
