"""Copies of a model's runs as one stack: gradients of many rows, or at many points, are computed at once, on no model but the copies.

A run of a stack gives the bytes that it gives alone, so what is found does not depend on how many copies there are.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from math import prod
from typing import Any

import numpy as np

from nnframe.components.arrays import as_numbers
from nnframe.components.walk import Problems, validate
from nnframe.components.wording import describe, shown
from nnframe.errors import OptionError, UsageError
from nnframe.layers import layout
from nnframe.layers.base import Layer
from nnframe.losses.base import Loss
from nnframe.metrics.base import Metric
from nnframe.system import blas, npz
from nnframe.training.evaluation import batches_for

ROOM = 2**20  # numbers that the copies of a stack may take, about: a block of some small networks is fastest


class Copies:
    """`at(of)` is the stack of the runs `of` (k,), each as often as it is named, with the loss and data as these runs have them.

    One network counts as a stack of one. All in evaluation mode: no Dropout, and BatchNorm with its running mean and variance.
    """

    def __init__(self, caller: str, model: Layer, *, dtype: Any = None) -> None:
        if not isinstance(model, Layer):
            raise OptionError(f"expected {describe(Layer)}, got {shown(model)}", path=f"{caller}.model")
        layout.verify(model)
        if not model.params.shape[-1]:
            raise UsageError("the model has no parameters", path=caller)
        self.caller, self.runs = caller, model.runs
        self._plain = model if dtype in (None, model.dtype) else _in_dtype(model, dtype)
        self.whole = self._plain if model.runs else self._plain._taken(None)
        self.every = np.arange(self.whole.runs[0])
        self.params = self.whole.params
        self.size = 1
        self._parts: list[Any] = []
        self.batches: Any = None
        self._made: tuple[bytes, Any] = (b"", None)

    def on(self, loss: Loss, data: Any, metrics: Iterable[Metric] = (), batch_size: int | None = None) -> "Copies":
        """With a loss and metrics on data as for `fit`, `batch_size` rows at a time. Raises ShapeError, DataError or OptionError."""
        if not isinstance(loss, Loss):
            raise OptionError(f"expected {describe(Loss)}, got {shown(loss)}", path=f"{self.caller}.loss")
        self.size = self._plain.evaluation_options(self.caller, batch_size, "auto")[0]
        self._parts = [deepcopy(loss), *metrics]
        batches = batches_for(
            self._plain, self._parts[0], self._parts[1:], data, f"{self.caller}.data", self._plain._store.seeds, self.size, False
        )
        self.batches = batches if self.runs else batches.take(None)
        for part in self._parts:
            part.bind(self.whole.runs, self.whole.dtype)
        return self

    def rows(self, x: Any, name: str) -> np.ndarray:
        """`x` as rows that the model can be fed."""
        x = self._plain.cast(as_numbers(x, f"{self.caller}.{name}"))
        self._plain._check_input(x)
        return x

    @contextmanager
    def computing(self) -> Iterator[None]:
        threads = blas.resolve("auto", self.size * self.whole.largest_product())
        with np.errstate(all="ignore"), blas.threads(threads):
            yield

    def pieces(self, count: int, group: int = 1) -> Iterator[slice]:
        """`count` groups of so many copies, in pieces of about ROOM numbers; a matter of memory and speed only."""
        widths = sum(prod(layer.output_shape) for _, _, layer in layout.walk(self.whole))
        length = max(ROOM // (3 * group * (self.params.shape[-1] + self.size * widths)), 1)
        for start in range(0, count, length):
            yield slice(start, min(start + length, count))

    def at(self, of: np.ndarray) -> tuple[Layer, list[Any], Any]:
        """The stack, its loss and metrics, and their batches."""
        key = of.tobytes()
        if self._made[0] != key:
            model = self.whole._taken(of)
            parts = [deepcopy(part, part.taken(of)) for part in self._parts]
            self._made = key, (model, parts, self.batches and self.batches.take(of))
        return self._made[1]


def room_for(caller: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """A new array for a result. Raises UsageError where it would not fit into this machine's memory."""
    size, memory = prod(shape) * np.dtype(dtype).itemsize, npz.memory()
    if size > memory:
        told = (
            f"the result {shape} needs {size / 2**30:,.1f} GiB, and this machine has {memory / 2**30:,.1f} GiB of memory; give fewer rows"
        )
        raise UsageError(told, path=caller)
    return np.empty(shape, dtype)


def checked(caller: str, **given: tuple[Any, Any]) -> list[Any]:
    """Values as their annotations have them, given as name=(annotation, value). Raises OptionError."""
    problems = Problems()
    found = [validate(kind, value, name, problems) for name, (kind, value) in given.items()]
    if problems:
        raise OptionError(problems[0][1], path=f"{caller}.{problems[0][0]}")
    return found


def _in_dtype(model: Layer, dtype: Any) -> Layer:
    """A copy whose numbers, also those that follow a schedule, are those of now."""
    copied = model.astype(dtype)
    for (_, _, layer), (_, _, other) in zip(layout.walk(model), layout.walk(copied), strict=True):
        for name, number in layer.numbers().items():
            other.numbers()[name][...] = number
        other.derive()
    return copied
