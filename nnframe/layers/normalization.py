"""Layers that normalize."""

from math import prod
from typing import Any

import numpy as np
from numpy import add, matmul, multiply, subtract

from nnframe.components.component import register
from nnframe.components.markers import PerRun, Positive, Probability
from nnframe.errors import ShapeError
from nnframe.initializers import Constant
from nnframe.layers.base import Layer


@register
class BatchNorm(Layer):
    """y = gamma (x - mean) / sqrt(var + eps) + beta for each channel, the last axis (Ioffe and Szegedy 2015).

    x, y (*runs, batch, ..., channels); gamma, beta and the state mean, var are (*runs, 1, channels). In training mean and
    var are those of the batch and all axes but the last; the state moves towards them by `momentum` (towards the unbiased
    variance, as in PyTorch) and serves otherwise. A single row has no variance: it gives y = beta, and the state's var stays.
    """

    mean: np.ndarray
    var: np.ndarray

    def __init__(self, *, eps: PerRun[Positive] = 1e-5, momentum: PerRun[Probability] = 0.1) -> None:
        self.eps = eps
        self.momentum = momentum

    def setup(self, features: tuple[int, ...]) -> tuple[int, ...]:
        if not features:
            raise ShapeError("expects inputs (..., channels), got single numbers")
        shape = (1, features[-1])
        self.add_param("gamma", shape, Constant(1.0))
        self.add_param("beta", shape, Constant(0.0))
        self.add_state("mean", shape, 0.0)
        self.add_state("var", shape, 1.0)
        return features

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        axes, channels = len(self.input_shape), x.shape[-1]
        rows = prod(x.shape[-1 - axes : -1])
        xhat, y, dx = (np.empty((*self.runs, rows, channels), self.dtype) for _ in range(3))
        ones = np.ones((1, rows), self.dtype)
        return {
            "xhat": xhat,
            "y": y,
            "dx": dx,
            "folded": (*x.shape[: -1 - axes], rows, channels),
            "unfolded": tuple(a.reshape(*self.runs, *x.shape[-1 - axes :]) for a in (y, dx)),
            "sum": ones,  # sums and means over rows are products with a row of numbers: faster than np.sum
            "mean": ones / rows,
            "rows": np.full(1, rows, self.dtype),
        }

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        w = self.work(x, training)
        x, xhat, y = x.reshape(w.folded), w.xhat, w.y
        mean, var = matmul(w.mean, x) if training else self.mean, self.var
        subtract(x, mean, xhat)
        if training:
            multiply(xhat, xhat, y)
            var = matmul(w.mean, y)
            self._follow(mean, var, w.rows)
        w.training, w.scale = training, 1 / np.sqrt(var + self._eps[..., None])
        multiply(xhat, w.scale, xhat)
        multiply(xhat, self.gamma, y)
        add(y, self.beta, y)
        return w.unfolded[0]

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        w = self._work
        dy, xhat, dx = dy.reshape(w.y.shape), w.xhat, w.dx
        matmul(w.sum, dy, self.dbeta)
        multiply(dy, xhat, dx)
        matmul(w.sum, dx, self.dgamma)
        if not need_dx:
            return None
        scale = self.gamma * w.scale
        if not w.training:
            multiply(dy, scale, dx)
            return w.unfolded[1]
        multiply(xhat, self.dgamma / w.rows, dx)
        subtract(dy, dx, dx)
        subtract(dx, self.dbeta / w.rows, dx)
        multiply(dx, scale, dx)
        return w.unfolded[1]

    def _follow(self, mean: np.ndarray, var: np.ndarray, rows: np.ndarray) -> None:
        """Move the running mean and variance towards those of a batch."""
        momentum = self._momentum[..., None]
        self.mean += momentum * (mean - self.mean)
        if rows[0] > 1:
            self.var += momentum * (var * (rows / (rows - 1)) - self.var)
