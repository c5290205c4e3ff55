"""Adam and its kin."""

from dataclasses import KW_ONLY
from typing import Any

import numpy as np
from numpy import add, divide, maximum, multiply, sqrt, subtract

from nnframe.components.component import Component, register
from nnframe.components.markers import Fraction, NonNegative, PerRun, Positive
from nnframe.optimizers.base import Optimizer


@register
class Adam(Optimizer):
    """m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p -= lr m^ / (sqrt(v^) + eps), where m^ = m / (1 - b1^t) and
    v^ = v / (1 - b2^t) (Kingma and Ba 2015). With `amsgrad`, v^ is made of the largest v so far (Reddi et al. 2018).

    g includes weight_decay p. Formulas and defaults are PyTorch's. The state `m` and `v` stands without the factors
    (1 - b1) and (1 - b2), which go into step size and eps: 10 passes over the parameters instead of 13.
    """

    lr: PerRun[Positive] = 1e-3
    _: KW_ONLY
    betas: tuple[PerRun[Fraction], PerRun[Fraction]] = (0.9, 0.999)
    eps: PerRun[Positive] = 1e-8
    weight_decay: PerRun[NonNegative] = 0.0
    amsgrad: bool = False

    def setup(self) -> None:
        for name in ("m", "v", "largest")[: 3 if self.amsgrad else 2]:
            self.add_state(name)
        for name in ("power1", "power2", "fold1", "fold2"):
            self.add_state(name, (1,), 1.0)
        self._moving_betas = any(isinstance(beta, Component) for beta in self.betas)

    def derived(self) -> dict[str, np.ndarray]:
        (b1, b2), lr = self.bound.betas, self.bound.lr
        every_step = {name: np.zeros_like(lr) for name in ("size", "small")}  # which `begin` writes
        rests = {"rest1": 1 - b1, "rest2": 1 - b2, "lr_rest1": lr * (1 - b1)}
        return super().derived() | rests | every_step | {"keep1": b1, "keep2": b2, "keep_largest": np.ones_like(b2)}

    def begin(self) -> None:
        b, state = self.bound, self.state
        (b1, b2), power1, power2 = b.betas, state["power1"], state["power2"]
        multiply(power1, b1, power1)
        multiply(power2, b2, power2)
        root = sqrt(b.rest2 / (1 - power2))
        divide(b.eps, root, b.small)
        divide(b.lr_rest1, (1 - power1) * root, b.size)
        if self._moving_betas:
            self._refold()

    def update(self, p: np.ndarray, g: np.ndarray, w: Any) -> None:
        self._adapt(p, self.decayed(p, g, w) if self._decays else g, w)

    def _adapt(self, p: np.ndarray, g: np.ndarray, w: Any) -> None:
        m, v, u = w.m, w.v, w.u
        multiply(m, w.keep1, m)
        add(m, g, m)
        multiply(g, g, u)
        multiply(v, w.keep2, v)
        add(v, u, v)
        if self.amsgrad:
            if self._moving_betas:
                multiply(w.largest, w.keep_largest, w.largest)
            v = maximum(w.largest, v, out=w.largest)
        sqrt(v, u)
        add(u, w.small, u)
        divide(m, u, u)
        multiply(u, w.size, u)
        subtract(p, u, p)

    def _refold(self) -> None:
        """Where betas follow a schedule, the factors that m and v stand without change with them."""
        b = self.bound
        for beta, rest, fold, keep in ((b.betas[0], b.rest1, "fold1", b.keep1), (b.betas[1], b.rest2, "fold2", b.keep2)):
            ratio = self.state[fold] / rest
            self.state[fold][...] = rest
            keep[...] = beta * ratio
        b.keep_largest[...] = ratio


@register
class AdamW(Adam):
    """Adam with p *= 1 - lr weight_decay before each step, in place of weight decay in g (Loshchilov and Hutter 2019)."""

    weight_decay: PerRun[NonNegative] = 1e-2

    def update(self, p: np.ndarray, g: np.ndarray, w: Any) -> None:
        if self._decays:
            multiply(w.each_decay, w.lr, w.u)
            subtract(1, w.u, w.u)
            multiply(p, w.u, p)
        self._adapt(p, g, w)
