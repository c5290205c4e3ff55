"""Gradient descent, with momentum or without."""

from dataclasses import KW_ONLY
from typing import Any

import numpy as np
from numpy import add, multiply, subtract

from nnframe.components.component import register
from nnframe.components.markers import Fraction, NonNegative, PerRun, Positive
from nnframe.errors import OptionError
from nnframe.optimizers.base import Optimizer, all_zero, follow, some_zero


@register
class SGD(Optimizer):
    """v = momentum v + (1 - dampening) g, beginning with v = g; p -= lr v, or with `nesterov` p -= lr (g + momentum v).

    g includes weight_decay p. Formulas and defaults are PyTorch's.
    """

    lr: PerRun[Positive] = 1e-2
    _: KW_ONLY
    momentum: PerRun[Fraction] = 0.0
    dampening: PerRun[Fraction] = 0.0
    weight_decay: PerRun[NonNegative] = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        if self.nesterov and (some_zero(self.momentum) or not all_zero(self.dampening)):
            raise OptionError("needs a momentum greater than 0 and no dampening", path="nesterov")

    def setup(self) -> None:
        self._moves, self._dampens = not all_zero(self.momentum), not all_zero(self.dampening)
        if self._moves:
            self.add_state("velocity")

    def derived(self) -> dict[str, np.ndarray]:
        still = self.bound.momentum == 0
        self._rests = bool(still.any())
        return super().derived() | {"undamped": 1 - self.bound.dampening, "still": still}

    def update(self, p: np.ndarray, g: np.ndarray, w: Any) -> None:
        g, u = self.decayed(p, g, w) if self._decays else g, w.u
        if self._moves:
            damped = self._dampens and self.steps
            follow(w.velocity, multiply(g, w.undamped, u) if damped else g, w.momentum, w.still if self._rests else None, g)
            g = add(g, multiply(w.velocity, w.momentum, u), u) if self.nesterov else w.velocity
        multiply(g, w.lr, u)
        subtract(p, u, p)
