"""RMSprop."""

from dataclasses import KW_ONLY
from typing import Any

import numpy as np
from numpy import add, divide, multiply, sqrt, subtract

from nnframe.components.component import register
from nnframe.components.markers import Fraction, NonNegative, PerRun, Positive
from nnframe.optimizers.base import Optimizer, all_zero, follow


@register
class RMSprop(Optimizer):
    """v = alpha v + (1 - alpha) g^2; p -= lr g / (sqrt(v) + eps) (Hinton 2012).

    With `centered`, sqrt(v - a^2) where a = alpha a + (1 - alpha) g (Graves 2013); with `momentum`, b = momentum b + g / (...) is what is
    stepped along. g includes weight_decay p. Formulas and defaults are PyTorch's.
    """

    lr: PerRun[Positive] = 1e-2
    _: KW_ONLY
    alpha: PerRun[Fraction] = 0.99
    eps: PerRun[Positive] = 1e-8
    momentum: PerRun[Fraction] = 0.0
    centered: bool = False
    weight_decay: PerRun[NonNegative] = 0.0

    def setup(self) -> None:
        self._moves = not all_zero(self.momentum)
        for name in ("v", *["a"] * self.centered, *["velocity"] * self._moves):
            self.add_state(name)

    def derived(self) -> dict[str, np.ndarray]:
        still = self.bound.momentum == 0
        self._rests = bool(still.any())
        return super().derived() | {"rest": 1 - self.bound.alpha, "still": still}

    def update(self, p: np.ndarray, g: np.ndarray, w: Any) -> None:
        g, u = self.decayed(p, g, w) if self._decays else g, w.u
        multiply(w.v, w.alpha, w.v)
        add(w.v, multiply(multiply(g, g, u), w.rest, u), w.v)
        variance = w.v
        if self.centered:
            multiply(w.a, w.alpha, w.a)
            add(w.a, multiply(g, w.rest, u), w.a)
            variance = subtract(w.v, multiply(w.a, w.a, u), u)
        divide(g, add(sqrt(variance, u), w.eps, u), u)
        if self._moves:
            follow(w.velocity, u, w.momentum, w.still if self._rests else None, u)
            u = multiply(w.velocity, w.lr, u)
        else:
            multiply(u, w.lr, u)
        subtract(p, u, p)
