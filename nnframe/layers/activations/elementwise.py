"""Activations: elementwise functions, and softmax over the last axis. Inputs and outputs are (*runs, batch, *features).

Three habits make small arrays twice as fast in NumPy: constants are arrays in full or without axes, not scalars or arrays of
one number; results go to another array than the operands, which matters where there is only one number; and functions are
imported by name, because Python looks up the names of the module numpy slowly.
"""

from typing import Any

import numpy as np
from numpy import add, exp, greater, maximum, minimum, multiply, negative, reciprocal, subtract, tanh

from nnframe.components.component import register
from nnframe.layers.base import Layer


@register
class Identity(Layer):
    """y = x."""

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        return x

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray:
        return dy


@register
class Sigmoid(Layer):
    """y = 1 / (1 + exp(-x)).

    In float64 by SciPy's `expit`, one call with the same digits as NumPy's five; in float32 by those, which are faster there.
    """

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        y, dx, t = (self.output_like(x) for _ in range(3))
        work = {"y": y, "dx": dx, "t": t, "one": np.ones((), self.dtype), "expit": None}
        if self.dtype == np.float64:
            from scipy.special import expit

            return work | {"expit": expit}
        return work | {"cap": np.full_like(y, np.floor(np.log(np.finfo(self.dtype).max)))}  # exp of more would overflow

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        w = self._work if training and x is self._work.x else self.work(x, training)
        y = w.y
        if w.expit is not None:
            return w.expit(x, y)
        t = w.t
        negative(x, y)
        minimum(y, w.cap, out=t)
        exp(t, y)
        add(y, w.one, t)
        return reciprocal(t, y)

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray:
        w = self._work
        y, dx, t = w.y, w.dx, w.t
        subtract(w.one, y, dx)
        multiply(dx, y, t)
        return multiply(t, dy, dx)


@register
class Tanh(Layer):
    """y = tanh(x)."""

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        y, dx, t = (self.output_like(x) for _ in range(3))
        return {"y": y, "dx": dx, "t": t, "one": np.ones((), self.dtype)}

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        w = self._work if training and x is self._work.x else self.work(x, training)
        return tanh(x, w.y)

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray:
        w = self._work
        y, dx, t = w.y, w.dx, w.t
        multiply(y, y, dx)
        subtract(w.one, dx, t)
        return multiply(t, dy, dx)


@register
class ReLU(Layer):
    """y = max(x, 0); its derivative at 0 is 0."""

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        y, dx = self.output_like(x), self.output_like(x)
        return {"y": y, "dx": dx, "zeros": np.zeros_like(y), "positive": np.empty(y.shape, bool)}

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        w = self._work if training and x is self._work.x else self.work(x, training)
        return maximum(x, w.zeros, out=w.y)

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray:
        w = self._work
        greater(w.y, w.zeros, w.positive)
        return multiply(dy, w.positive, w.dx)
