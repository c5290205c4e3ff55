"""What is done to a batch of training rows, drawn anew at every step: the base of all augmentations."""

from collections.abc import Iterator
from math import prod
from typing import Any, ClassVar

import numpy as np

from nnframe.components.component import Component
from nnframe.components.options import field
from nnframe.streams import Seeds, Stream


class Augmentation(Component):
    """Base: write `change`. It draws from `self.stream`, which has one generator for each distinct seed; its state is in the checkpoint."""

    slot = "augmentation"
    changes_targets: ClassVar[bool] = False  # are targets mixed too, so that classes have to be rows of shares?
    takes_integers: ClassVar[bool] = False  # may inputs be integers, which cannot be changed by a little?

    stream: Stream = field(init=False)
    features: tuple[int, ...] = field(init=False)  # the shape of one row's inputs
    targets: tuple[int, ...] = field(init=False)  # of its targets, if these are changed

    def change(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """x (*runs, batch, *features) or (batch, *features) where runs share it, and y likewise, which must not be written into, to what is
        trained on; arrays that come out may be overwritten by the next step."""
        raise NotImplementedError

    def check(self, features: tuple[int, ...]) -> None:
        """Raise ShapeError unless rows of such inputs can be changed."""

    def number(self, name: str) -> np.ndarray:
        """The numbers of a PerRun option, as they broadcast with x: (*runs, 1, *1s)."""
        bound = getattr(self.bound, name)
        runs = bound.shape[:-1]
        return bound.reshape(*runs, *(1,) * (1 + len(self.features))) if runs else bound.reshape(())

    def draws(self, x: np.ndarray) -> tuple[int, ...]:
        """The shape of one number for each of x that the stream fills: (generators, batch, *features)."""
        return len(self.stream.generators), *x.shape[x.ndim - 1 - len(self.features) :]

    def begin(self, seeds: Seeds, name: str, features: tuple[int, ...], targets: tuple[int, ...]) -> None:
        """Begin the stream `name` of each seed, for rows of such inputs and targets. Raises ShapeError."""
        self.check(features)
        self.stream, self.features, self.targets = Stream(seeds, name), features, targets

    def _remembered(self) -> dict[str, np.ndarray]:
        return {**self.state, "stream": self.stream.get_state()}

    def set_state(self, arrays: dict[str, np.ndarray]) -> None:
        self.stream.set_state(arrays["stream"])
        super().set_state(arrays)

    def _own_arrays(self) -> Iterator[np.ndarray]:
        yield from self._own_numbers()
        yield from self.state.values()  # the stream has a way of its own, below

    def taken(self, rows: Any) -> dict[int, Any]:
        return super().taken(rows) | {id(self.stream): self.stream.take(rows)}

    def put(self, rows: Any, taken: Any) -> None:
        super().put(rows, taken)
        self.stream = self.stream.put(rows, taken.stream)


def rows_of(a: np.ndarray, index: np.ndarray, axes: int) -> np.ndarray:
    """The rows of a batch `a`, (*runs, batch, ...) or (batch, ...) with `axes` behind the batch, by an index (*runs, batch) or (batch,)."""
    lead = a.shape[: a.ndim - axes]
    start = np.arange(0, prod(lead), lead[-1]).reshape(*lead[:-1], 1)  # where the rows of each run begin
    return np.take(a.reshape(-1, *a.shape[len(lead) :]), start + index, 0)
