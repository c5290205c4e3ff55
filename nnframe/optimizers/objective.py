"""The loss of one network over all rows as a function of one vector, its parameters: what a minimizer asks for."""

from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import numpy as np

from nnframe.layers.base import Layer
from nnframe.losses.base import Loss

CHUNK = 2**20  # numbers of per-row gradients to make at a time; a matter of memory only


class Objective:
    """f(x) is the loss and its gradient (P,) at x, the P parameters of `part`, a layer of `model` or all of it.

    Rows go through in the batches of the data, whose gradients are summed in float64, each by its share of all weights; so memory does not
    grow with the rows. For MSE, half the sum of squared `residuals` is the loss, and `jacobian` is their exact derivative.
    """

    def __init__(
        self, model: Layer, loss: Loss, part: Layer, batches: Callable[[], Iterable[Any]], between: Callable[[], None] = lambda: None
    ) -> None:
        """`batches()`: (x, y, weight or None, rows) over all rows; `between` is called after each."""
        self.model, self.loss, self.part, self.batches, self.between = model, loss, part, batches, between
        self.weight = sum(_weight(weight, rows) for _, _, weight, rows in batches())
        self._known: tuple[np.ndarray, float, np.ndarray] | None = None  # the last x, and what came of it

    @property
    def start(self) -> np.ndarray:
        """Where the parameters stand now."""
        return self.part.params.ravel().astype(np.float64)

    def __call__(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        if self._known is None or not np.array_equal(self._known[0], x):
            self._known = np.array(x), *self._evaluated(x)
        return self._known[1], self._known[2].copy()

    def place(self, x: np.ndarray) -> None:
        """Leave the model with the parameters x and their gradient."""
        self.part.grads[...] = self(x)[1]
        self.part.params[...] = x

    def times_hessian(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        """H v, by a central difference of gradients along v."""
        length = np.sqrt((v * v).sum())
        if length == 0:
            return np.zeros_like(v)
        step = np.cbrt(np.finfo(np.float64).eps) * (1 + np.sqrt((x * x).sum())) / length
        return (self._evaluated(x + step * v)[1] - self._evaluated(x - step * v)[1]) / (2 * step)

    def residuals(self, x: np.ndarray) -> np.ndarray:
        """sqrt(2 w / (W m)) (pred - y) for each of the m outputs of each row of weight w; W is the sum of weights."""
        self.part.params[...] = x
        found = []
        for inputs, y, weight, rows in self.batches():
            difference = self.model.forward(inputs, training=True) - y
            found.append((difference.reshape(int(rows), -1) * self._roots(weight, int(rows))).ravel())
            self.between()
        return np.concatenate(found)

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """The derivatives of the residuals, (rows m, P): every row is a run of a stack, so that there is a backward for each output."""
        self.part.params[...] = x
        span, features = slice(*self.part._span["params"]), self.model.input_shape
        m, most = prod(self.model.output_shape), max(CHUNK // self.model.params.shape[-1], 1)
        stacks: dict[int, Layer] = {}
        found = []
        for inputs, _, weight, rows in self.batches():
            each, roots = inputs.reshape(-1, 1, *features), self._roots(weight, int(rows))
            for first in range(0, len(each), most):
                few, root = each[first : first + most], roots[first : first + most]
                stack = stacks.get(len(few)) or stacks.setdefault(len(few), _copies(self.model, len(few)))
                pred = stack.forward(few, training=True)
                derivatives = np.empty((len(few), m, x.size))
                for output in range(m):
                    dy = np.zeros((len(few), m), pred.dtype)
                    dy[:, output : output + 1] = root
                    stack.backward(dy.reshape(pred.shape), need_dx=False)
                    derivatives[:, output] = stack.grads[:, span]
                found.append(derivatives.reshape(-1, x.size))
                self.between()
        return np.concatenate(found)

    def _evaluated(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        self.part.params[...] = x
        value, gradient = 0.0, np.zeros(x.shape)
        for inputs, y, weight, rows in self.batches():
            share = _weight(weight, rows) / self.weight
            value += share * float(self.loss.forward(self.model.forward(inputs, training=True), y, weight).item())
            self.model.backward(self.loss.backward(), need_dx=False)
            gradient += share * self.part.grads.ravel()
            self.between()
        return float(value), gradient

    def _roots(self, weight: np.ndarray | None, rows: int) -> np.ndarray:
        each = np.ones((rows, 1)) if weight is None else weight.reshape(rows, 1).astype(np.float64)
        return np.sqrt(2 * each / (self.weight * prod(self.model.output_shape)))


def _weight(weight: np.ndarray | None, rows: np.float64) -> np.float64:
    return rows if weight is None else np.add.reduce(weight, None, np.float64)


def _copies(model: Layer, count: int) -> Layer:
    """A stack of copies of one network."""
    return (model if model.runs else model._taken(None))._taken([0] * count)
