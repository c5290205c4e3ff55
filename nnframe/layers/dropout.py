"""Layers that draw random numbers in training."""

from typing import Any

import numpy as np
from numpy import greater_equal, multiply

from nnframe.components.buffers import IDLE
from nnframe.components.component import register
from nnframe.components.markers import Fraction, PerRun
from nnframe.layers.base import Layer


@register
class Dropout(Layer):
    """In training y = x m / (1 - p), where m is 0 with probability p and else 1; otherwise y = x (Srivastava et al. 2014).

    x, y (*runs, batch, *features). The mask of a step is kept for its backward.
    """

    def __init__(self, p: PerRun[Fraction] = 0.5) -> None:
        self.p = p

    def setup(self, features: tuple[int, ...]) -> tuple[int, ...]:
        self.add_stream("dropout")
        return features

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        y, dx, mask = (self.output_like(x) for _ in range(3))
        rows = y.shape[len(self.runs) :]
        return {
            "uniform": np.empty((len(self.dropout.generators), *rows), np.float32),
            "per_run": (*self.runs, *(1 for _ in rows)),
            "kept": np.empty(y.shape, bool),
            "mask": mask,
            "y": y,
            "dx": dx,
        }

    def derive(self) -> None:
        self._scale = 1 / (1 - self._p)

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        if not training:
            self._work = IDLE
            return x
        w = self.work(x, training)
        greater_equal(self.dropout.random(w.uniform), self._p.reshape(w.per_run), w.kept)
        multiply(w.kept, self._scale.reshape(w.per_run), w.mask)
        return multiply(x, w.mask, w.y)

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray:
        w = self._work
        return dy if w is IDLE else multiply(dy, w.mask, w.dx)
