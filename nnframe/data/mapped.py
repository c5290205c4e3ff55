"""Rows that stay in a file: each is read, and transformed, when a batch asks for it, so that a data set may be larger than the memory."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from nnframe.errors import FileError

CHUNK = 2**24  # bytes to read at a time when all rows are gone through

Step = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Mapped:
    """Some `rows` of an array (rows, *features) in a file, in their order, each with `steps` done to it: functions of (rows, ...) that
    treat rows one by one. What an array has, as far as training needs it: shape, dtype, an index of rows.

    Raises FileError, when rows are read, if the file has become shorter.
    """

    array: np.ndarray  # in the file
    path: Path
    size: int  # of the file in bytes, when it was opened
    dtype: np.dtype  # that rows come in
    features: tuple[int, ...]  # of a row that comes
    rows: np.ndarray | None = None  # all unless given
    steps: tuple[Step, ...] = ()

    @classmethod
    def of(cls, array: np.ndarray, path: Path) -> "Mapped":
        return cls(array, path, path.stat().st_size, array.dtype, array.shape[1:])

    @property
    def shape(self) -> tuple[int, ...]:
        return len(self), *self.features

    @property
    def ndim(self) -> int:
        return 1 + len(self.features)

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * self.itemsize

    def __len__(self) -> int:
        return len(self.array) if self.rows is None else len(self.rows)

    def __getitem__(self, index: Any) -> np.ndarray:
        """The rows of an index along the first axis, read now."""
        if os.stat(self.path).st_size < self.size:  # to touch what is no longer there would kill the process
            raise FileError(f"{self.path} has become shorter while it was read; put back what it was")
        found = np.asarray(self.array[index if self.rows is None else self.rows[index]])
        for step in self.steps:
            found = step(found)
        return found.astype(self.dtype, copy=False)

    def take(self, index: np.ndarray, out: np.ndarray) -> None:
        """Read the rows of an index of any shape into `out`, (*index.shape, *features)."""
        out[...] = self[index.ravel()].reshape(out.shape)

    def subset(self, index: Any) -> "Mapped":
        """Some rows, not read yet."""
        return replace(self, rows=(np.arange(len(self.array)) if self.rows is None else self.rows)[index])

    def then(self, step: Step) -> "Mapped":
        """With one more thing done to each row."""
        one = step(self[:1])
        return replace(self, steps=(*self.steps, step), dtype=one.dtype, features=one.shape[1:])

    def astype(self, dtype: Any, copy: bool = False) -> "Mapped":
        return replace(self, dtype=np.dtype(dtype))

    def chunks(self) -> Iterator[np.ndarray]:
        """All rows, some at a time."""
        step = max(CHUNK // max(prod(self.features) * self.itemsize, 1), 1)
        for start in range(0, len(self), step):
            yield self[start : start + step]


def chunks(array: Any) -> Iterator[np.ndarray]:
    """All rows of an array; of one that is mapped some at a time."""
    if isinstance(array, Mapped):
        yield from array.chunks()
    else:
        yield array


def not_finite(array: Any) -> tuple[list[int], Any] | None:
    """Where the first number is that is not finite, and which one; None if all are."""
    start = 0
    for part in chunks(array):
        if part.dtype.kind == "f" and not np.isfinite(part).all():
            row, *place = np.argwhere(~np.isfinite(part))[0].tolist()
            return [start + row, *place], part[row, *place]
        start += len(part)
    return None


def extremes(array: Any) -> tuple[np.ndarray, np.ndarray]:
    """The least and the largest number of every column, NaN left out: (*features) each."""
    low, high = np.full(array.shape[1:], np.inf), np.full(array.shape[1:], -np.inf)
    for part in chunks(array):
        low, high = np.fmin(low, np.fmin.reduce(part, 0)), np.fmax(high, np.fmax.reduce(part, 0))
    return low, high


def pick(array: Any, index: Any) -> Any:
    """Some rows of an array; of one that is mapped not read yet."""
    return array.subset(index) if isinstance(array, Mapped) else array[index]
