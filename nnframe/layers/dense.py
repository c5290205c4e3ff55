"""The affine layer."""

from math import prod
from typing import Any

import numpy as np
from numpy import add, matmul

from nnframe.components.component import register
from nnframe.components.markers import Size
from nnframe.errors import ShapeError
from nnframe.initializers import FanInUniform, Initializer
from nnframe.layers.base import Layer


@register
class Dense(Layer):
    """Affine map y = x W + b.

    x (*runs, batch, ..., n), W (*runs, n, units), b (*runs, 1, units), y (*runs, batch, ..., units). Further feature axes
    before the last are folded into the rows of one product.
    """

    def __init__(
        self, units: Size, *, init: Initializer = FanInUniform(), bias: bool = True, bias_init: Initializer = FanInUniform()
    ) -> None:
        self.units = units
        self.init = init
        self.bias = bias
        self.bias_init = bias_init

    def setup(self, features: tuple[int, ...]) -> tuple[int, ...]:
        if not features:
            raise ShapeError("expects inputs (..., n), got single numbers")
        *outer, n = features
        self.add_param("W", (n, self.units), self.init)
        if self.bias:
            self.add_param("b", (1, self.units), self.bias_init, fans=(n, self.units))
        self.product = prod(features) * self.units
        return (*outer, self.units)

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        axes, runs = len(self.input_shape), self.runs
        rows = prod(x.shape[-1 - axes : -1])
        y, dx = np.empty((*runs, rows, self.units), self.dtype), np.empty((*runs, rows, x.shape[-1]), self.dtype)
        return {
            "y": y,
            "product": np.empty_like(y) if self.bias else y,
            "dx": dx,
            "ones": np.ones((1, rows), self.dtype) if rows > 1 else None,
            "fold": None if axes == 1 else (*x.shape[: -1 - axes], rows, x.shape[-1]),
            "unfolded": tuple(a.reshape(*runs, *x.shape[-1 - axes : -1], -1) for a in (y, dx)),
            "W_T": self.W.mT,
        }

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        w = self._work
        if not training or x is not w.x or w.fold is not None:
            w = self.work(x, training)
            w.folded = x if w.fold is None else x.reshape(w.fold)
            w.folded_T = w.folded.mT
        matmul(w.folded, self.W, w.product)
        if self.bias:
            add(w.product, self.b, w.y)
        return w.unfolded[0]

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        w = self._work
        if w.fold is not None:
            dy = dy.reshape(w.y.shape)
        matmul(w.folded_T, dy, self.dW)
        if self.bias:
            if w.ones is None:
                self.db[...] = dy
            else:
                matmul(w.ones, dy, self.db)  # a sum over rows, as a product: several times faster
        if not need_dx:
            return None
        matmul(dy, w.W_T, w.dx)
        return w.unfolded[1]
