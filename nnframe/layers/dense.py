"""The affine layer."""

from dataclasses import KW_ONLY
from math import prod
from typing import Any

import numpy as np
from numpy import add, empty_like

from nnframe.components.component import register
from nnframe.components.markers import Size
from nnframe.components.options import field
from nnframe.initializers import FanInUniform, Initializer
from nnframe.layers.base import Folding


@register
class Dense(Folding):
    """Affine map y = x W + b.

    x (*runs, batch, ..., n), W (*runs, n, units), b (*runs, 1, units), y (*runs, batch, ..., units). Further feature axes
    before the last are folded into the rows of one product.
    """

    units: Size
    _: KW_ONLY
    init: Initializer = FanInUniform()
    bias: bool = True
    bias_init: Initializer = FanInUniform()
    W: np.ndarray = field(init=False)
    dW: np.ndarray = field(init=False)
    b: np.ndarray = field(init=False)
    db: np.ndarray = field(init=False)

    def setup(self, features: tuple[int, ...]) -> tuple[int, ...]:
        *outer, n = super().setup(features)
        self.add_param("W", (n, self.units), self.init)
        if self.bias:
            self.add_param("b", (1, self.units), self.bias_init, fans=(n, self.units))
        self.product = prod(features) * self.units
        return (*outer, self.units)

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        made = super().buffers(x)
        return made | {"xW": empty_like(made["y"]) if self.bias else made["y"], "W_T": self.W.mT}

    def forward_rows(self, w: Any, training: bool) -> None:
        w.product(w.rows, self.W, w.xW)
        if self.bias:
            add(w.xW, self.b, w.y)

    def backward_rows(self, w: Any, dy: np.ndarray, need_dx: bool) -> None:
        w.product(w.rows_T, dy, self.dW)
        if self.bias:
            if w.several:
                w.product(w.ones, dy, self.db)  # a sum over rows, as a product: several times faster
            else:
                self.db[...] = dy
        if need_dx:
            w.product(dy, w.W_T, w.dx)
