"""Activations that are functions of one number."""

from typing import Any

import numpy as np
from numpy import add, copyto, exp, greater, maximum, minimum, multiply, negative, reciprocal, subtract, tanh

from nnframe.components.component import register
from nnframe.components.markers import PerRun
from nnframe.layers.activations.base import Activation
from nnframe.layers.base import Layer


@register
class Identity(Layer):
    """y = x."""

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        return x

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray:
        return dy


@register
class Sigmoid(Activation):
    """y = 1 / (1 + exp(-x)).

    In float64 by SciPy's `expit`, one call with the same digits as NumPy's five; in float32 by those, which are faster there.
    """

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        made = super().buffers(x)
        if self.dtype == np.float64:
            from scipy.special import expit

            return made | {"expit": expit}
        cap = np.floor(np.log(np.finfo(self.dtype).max))  # exp of more would overflow
        return made | {"expit": None, "cap": np.full_like(made["y"], cap)}

    def function(self, w: Any, x: np.ndarray, y: np.ndarray) -> None:
        if w.expit is not None:
            w.expit(x, y)
            return
        negative(x, y)
        minimum(y, w.cap, out=w.t)
        exp(w.t, y)
        add(y, w.one, w.t)
        reciprocal(w.t, y)

    def derivative(self, w: Any, dy: np.ndarray, dx: np.ndarray) -> None:
        subtract(w.one, w.y, dx)
        multiply(dx, w.y, w.t)
        multiply(w.t, dy, dx)


@register
class Tanh(Activation):
    """y = tanh(x)."""

    def function(self, w: Any, x: np.ndarray, y: np.ndarray) -> None:
        tanh(x, y)

    def derivative(self, w: Any, dy: np.ndarray, dx: np.ndarray) -> None:
        multiply(w.y, w.y, dx)
        subtract(w.one, dx, w.t)
        multiply(w.t, dy, dx)


@register
class ReLU(Activation):
    """y = max(x, 0); its derivative at 0 is 0."""

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        made = super().buffers(x)
        return made | {"positive": np.empty(made["y"].shape, bool)}

    def function(self, w: Any, x: np.ndarray, y: np.ndarray) -> None:
        maximum(x, w.zeros, out=y)

    def derivative(self, w: Any, dy: np.ndarray, dx: np.ndarray) -> None:
        greater(w.y, w.zeros, w.positive)
        multiply(dy, w.positive, dx)


@register
class LeakyReLU(ReLU):
    """y = x where x > 0, else slope x; its derivative at 0 is slope, as in PyTorch (Maas, Hannun and Ng 2013)."""

    slope: PerRun[float] = 0.01

    def function(self, w: Any, x: np.ndarray, y: np.ndarray) -> None:
        greater(x, w.zeros, w.positive)
        multiply(x, w.slope, y)
        copyto(y, x, where=w.positive)

    def derivative(self, w: Any, dy: np.ndarray, dx: np.ndarray) -> None:
        multiply(dy, w.slope, dx)
        copyto(dx, dy, where=w.positive)
