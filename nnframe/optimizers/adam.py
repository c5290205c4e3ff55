"""Adam and its kin."""

import numpy as np
from numpy import add, divide, maximum, multiply, sqrt, subtract

from nnframe.components.buffers import Work
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

    def __init__(
        self,
        lr: PerRun[Positive] = 1e-3,
        *,
        betas: tuple[PerRun[Fraction], PerRun[Fraction]] = (0.9, 0.999),
        eps: PerRun[Positive] = 1e-8,
        weight_decay: PerRun[NonNegative] = 0.0,
        amsgrad: bool = False,
    ) -> None:
        self.lr = lr
        self.betas = betas
        self.eps = eps
        self.weight_decay = weight_decay
        self.amsgrad = amsgrad

    def setup(self) -> None:
        for name in ("m", "v", "largest")[: 3 if self.amsgrad else 2]:
            self.add_state(name)
        for name in ("power1", "power2", "rest1", "rest2"):
            self.add_number(name, 1.0)
        self._moving_betas = any(isinstance(beta, Component) for beta in self.betas)

    def derive(self) -> None:
        super().derive()
        (b1, b2), dtype = self._betas, self.params.dtype
        self._fold1, self._fold2 = self._slim(b1), self._slim(b2)
        self._rest1, self._rest2 = 1 - b1, 1 - b2
        self._lr_rest1 = self._lr * self._rest1
        self._size, self._small = np.empty(b1.shape, dtype), np.empty(b1.shape, dtype)
        self._slim_size, self._slim_small = self._slim(self._size), self._slim(self._small)

    def begin(self) -> None:
        b1, b2 = self._betas
        power1, power2 = self.state["power1"], self.state["power2"]
        multiply(power1, b1, power1)
        multiply(power2, b2, power2)
        root = sqrt(self._rest2 / (1 - power2))
        divide(self._eps, root, self._small)
        divide(self._lr_rest1, (1 - power1) * root, self._size)
        if self._moving_betas:
            self._refold()

    def update(self, p: np.ndarray, g: np.ndarray, w: Work) -> None:
        self._adapt(p, self._decayed(p, g, w) if self._decays else g, w)

    def _adapt(self, p: np.ndarray, g: np.ndarray, w: Work) -> None:
        m, v, u = w.m, w.v, w.u
        multiply(m, self._fold1, m)
        add(m, g, m)
        multiply(g, g, u)
        multiply(v, self._fold2, v)
        add(v, u, v)
        if self.amsgrad:
            if self._moving_betas:
                multiply(w.largest, self._refold2, w.largest)
            v = maximum(w.largest, v, out=w.largest)
        sqrt(v, u)
        add(u, self._slim_small, u)
        divide(m, u, u)
        multiply(u, self._slim_size, u)
        subtract(p, u, p)

    def _refold(self) -> None:
        """Where betas follow a schedule, the factors that m and v stand without change with them."""
        dtype, ratios = self.params.dtype, []
        for name, rest in (("rest1", self._rest1), ("rest2", self._rest2)):
            ratios.append(self.state[name] / rest)
            self.state[name][...] = rest
        self._fold1, self._fold2 = ((beta * ratio).astype(dtype) for beta, ratio in zip(self._betas, ratios, strict=True))
        self._refold2 = ratios[1].astype(dtype)


@register
class AdamW(Adam):
    """Adam with p *= 1 - lr weight_decay before each step, in place of weight decay in g (Loshchilov and Hutter 2019)."""

    def __init__(
        self,
        lr: PerRun[Positive] = 1e-3,
        *,
        betas: tuple[PerRun[Fraction], PerRun[Fraction]] = (0.9, 0.999),
        eps: PerRun[Positive] = 1e-8,
        weight_decay: PerRun[NonNegative] = 1e-2,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad)

    def update(self, p: np.ndarray, g: np.ndarray, w: Work) -> None:
        if self._decays:
            multiply(w.decay, self._lr, w.u)
            subtract(1, w.u, w.u)
            multiply(p, w.u, p)
        self._adapt(p, g, w)
