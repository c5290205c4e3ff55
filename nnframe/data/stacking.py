"""Several prepared data sets as one, for the runs of a stack that train on them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nnframe.data.dataset import Dataset, Sets
from nnframe.data.mapped import Mapped


@dataclass(frozen=True)
class UndoEach:
    """`Dataset.undo` of runs whose sets of rows have one each."""

    undos: tuple[Any, ...]
    of: np.ndarray  # (runs,)

    def __call__(self, y: np.ndarray) -> np.ndarray:
        return np.stack([self.undos[place](rows) for place, rows in zip(self.of.tolist(), y, strict=True)])

    def take(self, rows: Any) -> "UndoEach":
        return UndoEach(self.undos, np.atleast_1d(self.of[rows]))


def form(data: Dataset | None) -> tuple[Any, ...]:
    """What two data sets must have in common, so that one stack can train on them."""
    if data is None:
        return ()
    rows = (len(data.x), None) if data.visited is None else (None, data.visited)
    alone = id(data) if isinstance(data.x, Mapped) else None  # its rows stay in their file
    return *rows, data.x.shape[1:], data.y.shape[1:], data.y.dtype.kind, data.weight is None, data.classes, data.undo is None, alone


def stack(parts: Sequence[Dataset], of: np.ndarray) -> Dataset:
    """Data sets of one form, their targets as the model needs them, for a stack whose run r trains on that at place `of[r]`. One alone is
    shared by all runs."""
    first, counts = parts[0], np.array([len(part.x) for part in parts])
    if len(parts) == 1:
        return first
    arrays = {name: _stacked([getattr(part, name) for part in parts], counts.max()) for name in ("x", "y", "weight")}
    undo = None if first.undo is None else UndoEach(tuple(part.undo for part in parts), of)
    return replace(first, **arrays, undo=undo, sets=Sets(of, counts), classes=(), columns={}, origin=None)


def _stacked(arrays: list[Any], most: int) -> Any:
    """(sets, rows, ...), those with fewer rows filled up with copies of their last, which no run sees."""
    if arrays[0] is None:
        return None
    out = np.empty((len(arrays), most, *arrays[0].shape[1:]), np.result_type(*arrays))
    for place, array in zip(out, arrays, strict=True):
        place[: len(array)], place[len(array) :] = array, array[-1]
    return out
