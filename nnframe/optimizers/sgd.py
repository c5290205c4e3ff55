"""Gradient descent, with momentum or without."""

import numpy as np
from numpy import add, multiply, subtract

from nnframe.components.buffers import Work
from nnframe.components.component import register
from nnframe.components.markers import Fraction, NonNegative, PerRun, Positive
from nnframe.errors import OptionError
from nnframe.optimizers.base import Optimizer, _all_zero, _some_zero, _where_zero


@register
class SGD(Optimizer):
    """v = momentum v + (1 - dampening) g, beginning with v = g; p -= lr v, or with `nesterov` p -= lr (g + momentum v).

    g includes weight_decay p. Formulas and defaults are PyTorch's.
    """

    def __init__(
        self,
        lr: PerRun[Positive] = 1e-2,
        *,
        momentum: PerRun[Fraction] = 0.0,
        dampening: PerRun[Fraction] = 0.0,
        weight_decay: PerRun[NonNegative] = 0.0,
        nesterov: bool = False,
    ) -> None:
        if nesterov and (_some_zero(momentum) or not _all_zero(dampening)):
            raise OptionError("needs a momentum greater than 0 and no dampening", path="nesterov")
        self.lr = lr
        self.momentum = momentum
        self.dampening = dampening
        self.weight_decay = weight_decay
        self.nesterov = nesterov

    def setup(self) -> None:
        self._moves, self._dampens = not _all_zero(self.momentum), not _all_zero(self.dampening)
        if self._moves:
            self.add_state("velocity")

    def derive(self) -> None:
        super().derive()
        self._still = _where_zero(self._momentum)
        self._rate, self._friction, self._undamped = map(self._slim, (self._lr, self._momentum, 1 - self._dampening))

    def update(self, p: np.ndarray, g: np.ndarray, w: Work) -> None:
        u = w.u
        if self._decays:
            g = self._decayed(p, g, w)
        if self._moves:
            v = w.velocity
            multiply(v, self._friction, v)
            if self._dampens and self.steps:
                add(v, multiply(g, self._undamped, u), v)
            else:
                add(v, g, v)
            if self._still is not None:
                np.copyto(v, g, where=self._still)
            g = add(g, multiply(v, self._friction, u), u) if self.nesterov else v
        multiply(g, self._rate, u)
        subtract(p, u, p)
