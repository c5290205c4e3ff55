"""The base of activations: elementwise functions of one input.

Three habits make small arrays twice as fast in NumPy: constants are arrays in full or without axes, not scalars or arrays of
one number; results go to another array than the operands, which matters where there is only one number; and functions are
imported by name, because Python looks up the names of the module numpy slowly.
"""

from typing import Any

import numpy as np

from nnframe.layers.base import Layer


class Activation(Layer):
    """Base of y = f(x) for each number: a subclass writes `function` and `derivative`. x, y are (*runs, batch, *features).

    Working arrays, all like y: `w.y`, `w.dx` and `w.t`, which is free; the constants are `w.one`, without axes, and `w.zeros`.
    """

    def function(self, w: Any, x: np.ndarray, y: np.ndarray) -> None:
        """Fill y = f(x)."""
        raise NotImplementedError

    def derivative(self, w: Any, dy: np.ndarray, dx: np.ndarray) -> None:
        """Fill dx = dy f'(x), from `w.x` and `w.y`."""
        raise NotImplementedError

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        y, dx, t = (self.output_like(x) for _ in range(3))
        return {"y": y, "dx": dx, "t": t, "one": np.ones((), self.dtype), "zeros": np.zeros_like(y)}

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        w = self._w
        if not training or x is not w.seen:
            w = self.arrays_for(x, training)
        self.function(w, x, w.y)
        return w.y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray:
        w = self._w
        self.derivative(w, dy, w.dx)
        return w.dx
