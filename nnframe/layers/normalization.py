"""Layers that normalize."""

from dataclasses import KW_ONLY
from typing import Any

import numpy as np
from numpy import add, multiply, subtract

from nnframe.components.component import register
from nnframe.components.markers import PerRun, Positive, Probability
from nnframe.components.options import field
from nnframe.initializers import Constant
from nnframe.layers.base import Folding


class Affine(Folding):
    """Base of layers that normalize x to xhat, and end in y = gamma xhat + beta for each of the last axis: gamma, beta (*runs, 1, n)."""

    gamma: np.ndarray = field(init=False)
    dgamma: np.ndarray = field(init=False)
    beta: np.ndarray = field(init=False)
    dbeta: np.ndarray = field(init=False)

    def setup(self, features: tuple[int, ...]) -> tuple[int, ...]:
        shape = (1, super().setup(features)[-1])
        self.add_param("gamma", shape, Constant(1.0))
        self.add_param("beta", shape, Constant(0.0))
        return features

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        made = super().buffers(x)
        return made | {"xhat": np.empty_like(made["y"])}

    def scale_and_shift(self, w: Any) -> None:
        """Fill y from `w.xhat`."""
        multiply(w.xhat, self.gamma, w.y)
        add(w.y, self.beta, w.y)

    def sum_gradients(self, w: Any, dy: np.ndarray) -> None:
        """Fill the gradients of gamma and beta; `w.dx` is free."""
        w.product(w.ones, dy, self.dbeta)
        multiply(dy, w.xhat, w.dx)
        w.product(w.ones, w.dx, self.dgamma)


@register
class BatchNorm(Affine):
    """y = gamma (x - mean) / sqrt(var + eps) + beta for each channel, the last axis (Ioffe and Szegedy 2015).

    x, y (*runs, batch, ..., channels); gamma, beta and the state mean, var are (*runs, 1, channels). In training mean and
    var are those of the batch and all axes but the last; the state moves towards them by `momentum` (towards the unbiased
    variance, as in PyTorch) and serves otherwise. A single row has no variance: it gives y = beta, and the state's var stays.
    """

    _: KW_ONLY
    eps: PerRun[Positive] = 1e-5
    momentum: PerRun[Probability] = 0.1
    mean: np.ndarray = field(init=False)
    var: np.ndarray = field(init=False)

    def setup(self, features: tuple[int, ...]) -> tuple[int, ...]:
        shape = (1, super().setup(features)[-1])
        self.add_state("mean", shape, 0.0)
        self.add_state("var", shape, 1.0)
        return features

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        made = super().buffers(x)
        rows = made["ones"].shape[-1]
        return made | {"mean_of": made["ones"] / rows, "n": np.full(1, rows, self.dtype)}

    def forward_rows(self, w: Any, training: bool) -> None:
        x, xhat, y = w.rows, w.xhat, w.y
        mean, var = w.product(w.mean_of, x) if training else self.mean, self.var
        subtract(x, mean, xhat)
        if training:
            multiply(xhat, xhat, y)
            var = w.product(w.mean_of, y)
            self._follow(w, mean, var)
        w.training, w.slope = training, 1 / np.sqrt(var + w.eps)
        multiply(xhat, w.slope, xhat)
        self.scale_and_shift(w)

    def backward_rows(self, w: Any, dy: np.ndarray, need_dx: bool) -> None:
        self.sum_gradients(w, dy)
        xhat, dx = w.xhat, w.dx
        if not need_dx:
            return
        scale = self.gamma * w.slope
        if not w.training:
            multiply(dy, scale, dx)
            return
        multiply(xhat, self.dgamma / w.n, dx)
        subtract(dy, dx, dx)
        subtract(dx, self.dbeta / w.n, dx)
        multiply(dx, scale, dx)

    def _follow(self, w: Any, mean: np.ndarray, var: np.ndarray) -> None:
        """Move the running mean and variance towards those of a batch."""
        self.mean += w.momentum * (mean - self.mean)
        if w.several:
            self.var += w.momentum * (var * (w.n / (w.n - 1)) - self.var)


@register
class LayerNorm(Affine):
    """y = gamma (x - mean) / sqrt(var + eps) + beta over the last axis (Ba, Kiros and Hinton 2016).

    x, y (*runs, batch, ..., n); gamma, beta (*runs, 1, n). mean and var (biased) are those of each row's n numbers.
    """

    _: KW_ONLY
    eps: PerRun[Positive] = 1e-5

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        return super().buffers(x) | {"n": np.full((), x.shape[-1], self.dtype)}

    def forward_rows(self, w: Any, training: bool) -> None:
        xhat, y = w.xhat, w.y
        subtract(w.rows, add.reduce(w.rows, -1, keepdims=True) / w.n, xhat)
        multiply(xhat, xhat, y)
        w.slope = 1 / np.sqrt(add.reduce(y, -1, keepdims=True) / w.n + w.eps)
        multiply(xhat, w.slope, xhat)
        self.scale_and_shift(w)

    def backward_rows(self, w: Any, dy: np.ndarray, need_dx: bool) -> None:
        self.sum_gradients(w, dy)
        xhat, dx = w.xhat, w.dx
        if need_dx:  # dx = (g - mean(g) - xhat mean(g xhat)) / sqrt(var + eps), where g = dy gamma
            g = dy * self.gamma
            multiply(g, xhat, dx)
            multiply(xhat, add.reduce(dx, -1, keepdims=True) / w.n, dx)
            subtract(g, dx, dx)
            subtract(dx, add.reduce(g, -1, keepdims=True) / w.n, dx)
            multiply(dx, w.slope, dx)
