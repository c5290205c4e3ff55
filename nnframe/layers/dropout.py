"""Layers that draw random numbers in training."""

from typing import Any

import numpy as np
from numpy import greater_equal, multiply

from nnframe.components.buffers import Buffers
from nnframe.components.component import register
from nnframe.components.markers import Fraction, PerRun
from nnframe.components.options import field
from nnframe.layers.base import Layer
from nnframe.streams import Stream


@register
class Dropout(Layer):
    """In training y = x m / (1 - p), where m is 0 with probability p and else 1; otherwise y = x (Srivastava et al. 2014).

    x, y (*runs, batch, *features). The mask of a step is kept for its backward.
    """

    p: PerRun[Fraction] = 0.5
    dropout: Stream = field(init=False)

    def setup(self, features: tuple[int, ...]) -> tuple[int, ...]:
        self.add_stream("dropout")
        return features

    def derived(self) -> dict[str, np.ndarray]:
        return {"scale": 1 / (1 - self.bound.p)}

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        y, dx, mask = (self.output_like(x) for _ in range(3))
        uniform = np.empty((len(self.dropout.generators), *y.shape[len(self.runs) :]), np.float32)
        return {"uniform": uniform, "kept": np.empty(y.shape, bool), "mask": mask, "y": y, "dx": dx}

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        if not training:
            self._w = Buffers(x=x, seen=None, mask=None)
            return x
        w = self.arrays_for(x, training)
        greater_equal(self.dropout.random(w.uniform), w.p, w.kept)
        multiply(w.kept, w.scale, w.mask)
        return multiply(x, w.mask, w.y)

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray:
        w = self._w
        return dy if w.mask is None else multiply(dy, w.mask, w.dx)
