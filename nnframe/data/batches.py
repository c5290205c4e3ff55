"""Batches of shuffled rows. The order of an epoch is a function of (seed, epoch), so there is nothing to save."""

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from nnframe.data.dataset import Dataset, Sets, array_hash
from nnframe.data.mapped import Mapped
from nnframe.streams import Seeds, generator

DRAWS = 2**14  # row numbers that one stream gives, but 64 epochs at least and 4096 at most: making a stream costs as much as 1000
CHUNK = 2**20  # bytes of orders, and of gathered rows, to make at a time; a matter of memory only
DRAWN, GATHERED = 256, 64  # epochs at a time at most, for few rows: calls get rarer, but each gathered batch has views of its own

Batch = tuple[np.ndarray, np.ndarray, np.ndarray | None, np.float64]  # x, y, weight, number of rows


class Orders:
    """The orders of the rows, epoch by epoch: (*runs, rows) each, or (rows,) where all runs share one seed."""

    def __init__(self, seeds: Seeds, rows: int) -> None:
        self.seeds, self.rows = seeds, rows
        self.block = min(max(_power_of_two(DRAWS // rows), 64), 4096)  # epochs whose orders come from one stream
        self.together = min(_power_of_two(CHUNK // (8 * rows * len(seeds.distinct))), self.block, DRAWN)  # epochs drawn at a time
        self._next, self._start = -1, -1
        self._table = np.empty(0)

    def window(self, epoch: int) -> np.ndarray:
        """The orders of the `together` epochs among which `epoch` stands: (*runs, together, rows).

        Windows asked for in turn cost least: draws are sequential, and a block has to be drawn from its start.
        """
        first = epoch - epoch % self.together
        if first != self._start:
            if first != self._next or first % self.block == 0:
                self._generators = [generator(seed, "order", first // self.block) for seed in self.seeds.distinct]
                self._next = first - first % self.block
            rows = np.tile(np.arange(self.rows), (self.together, 1))
            while self._next <= first:
                self._table = np.stack([rng.permuted(rows, axis=1) for rng in self._generators])
                self._start, self._next = self._next, self._next + self.together
        return self.seeds.spread(self._table)


class Batches:
    """The batches of a training set, epoch after epoch; the last one of an epoch may be smaller.

    Arrays that come out are overwritten later.
    """

    def __init__(self, data: Dataset, own: tuple[bool, ...], seeds: Seeds, batch_size: int, shuffle: bool) -> None:
        """`own`: whether x, y and weight have an axis of runs, or of sets that runs share, in front."""
        self.seeds, self.size, self.shuffle, self.undo = seeds, batch_size, shuffle, data.undo
        self._data, self._arrays = data, [a for a in (data.x, data.y, data.weight) if a is not None]
        self._own = own[: len(self._arrays)]
        held = data.x.shape[1 if own[0] else 0]
        self.rows = data.visited or held
        self.steps = -(-self.rows // batch_size)
        runs = np.arange(seeds.values.size)
        self._sets = data.sets or Sets(runs, np.full(len(runs), held))
        self._in_order = np.array_equal(self._sets.of, np.arange(len(self._sets.counts)))
        self._orders = list(self._orders_by_count(held))
        self._gathered = range(0)  # epochs that are gathered at present
        self._pieces: list[_Piece] = []
        self._views: list[Batch] = []

    def _orders_by_count(self, held: int) -> Iterator[tuple[Any, Orders]]:
        """The orders of the runs whose sets have as many rows, and which runs these are."""
        counts = self._sets.counts[self._sets.of] if any(self._own) else np.full(1, held)
        for count in np.unique(counts).tolist():
            runs = np.flatnonzero(counts == count)
            every = len(runs) == len(counts)
            yield (... if every else runs), Orders(self.seeds if every else self.seeds.take(runs), count)

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of epoch number `epoch`, from 0: (x, y, weight or None, number of rows)."""
        if not self.shuffle:
            if not self._views and self._in_order and not isinstance(self._arrays[0], Mapped):
                self._views = list(self._in_place())
            yield from self._views or self._in_place()
            return
        if not self._pieces:
            self._pieces = list(self._plan())
        if epoch not in self._gathered or self._together == 1:
            first = epoch - epoch % self._together
            order = self._order(first)
            self._gathered = range(first, first + self._together)
            if self._together > 1:
                for piece in self._pieces:
                    self._gather(piece, order)
        for piece in self._pieces:
            if self._together == 1:
                self._gather(piece, order)
            yield from piece.batches(epoch - self._gathered.start)

    def _order(self, first: int) -> np.ndarray:
        """The orders (*runs, epochs, rows) of the epochs that are gathered together. Of a set with more rows than an epoch visits, the last
        of each order wait for another one."""
        found = []
        for runs, orders in self._orders:
            at = first % orders.together
            found.append((runs, orders.window(first)[..., at : at + self._together, : self.rows]))
        if len(found) == 1:
            return found[0][1]
        order = np.empty((*self.seeds.runs, self._together, self.rows), np.int64)
        for runs, part in found:
            order[runs] = part
        return order

    @property
    def own_rows(self) -> bool:
        """Have runs rows of their own?"""
        return any(self._own)

    @property
    def floating(self) -> bool:
        """Are inputs floating numbers?"""
        return self._arrays[0].dtype.kind == "f"

    def take(self, rows: Any) -> "Batches":
        """The batches of some runs of a stack."""
        data = replace(self._data, undo=self.undo and self.undo.take(rows))
        if any(self._own):
            data = replace(data, sets=Sets(np.atleast_1d(self._sets.of[rows]), self._sets.counts))
        return Batches(data, self._own, self.seeds.take(rows), self.size, self.shuffle)

    @property
    def most(self) -> int:
        """Rows of the largest set that a run may have."""
        return int(self._sets.counts.max())

    def every_row(self) -> "Batches":
        """Of one run: all of its rows in the data's order, also those that an epoch leaves for another one."""
        place = self._sets.of[0]
        count = self._sets.counts[place]
        own = [a[place : place + 1, :count] if own else a for a, own in zip(self._arrays, self._own, strict=True)]
        arrays: dict[str, Any] = dict(zip(("x", "y", "weight"), own, strict=False))
        return Batches(replace(self._data, **arrays, visited=None, sets=None), self._own, self.seeds, self.size, False)

    def data_hash(self) -> str:
        """SHA-256 of all numbers."""
        return array_hash(self._arrays)

    def _in_place(self) -> Iterator[Batch]:
        """The batches in the data's order: views of them, but where several runs share sets of rows."""
        for start in range(0, self.rows, self.size):
            part = slice(start, min(start + self.size, self.rows))
            arrays = [a[:, part] if own else a[part] for a, own in zip(self._arrays, self._own, strict=True)]
            if not self._in_order:
                arrays = [a[self._sets.of] if own else a for a, own in zip(arrays, self._own, strict=True)]
            yield _batch(arrays, part.stop - start)

    def _plan(self) -> Iterator["_Piece"]:
        """What is gathered at once: the full batches of several small epochs, and their last smaller ones; or some batches of a
        large epoch after the other. Each batch is in one piece in memory, whatever the number of runs."""
        runs = self.seeds.runs if len(self.seeds.distinct) > 1 or len(self._orders) > 1 else ()
        leads = [self.seeds.runs if own else runs for own in self._own]
        shapes = [(lead, a.shape[2:] if own else a.shape[1:]) for lead, a, own in zip(leads, self._arrays, self._own, strict=True)]
        row = sum(prod(lead) * prod(features) * a.itemsize for (lead, features), a in zip(shapes, self._arrays, strict=True))
        fewest = min(orders.together for _, orders in self._orders)
        self._together = min(_power_of_two(CHUNK // max(row * self.rows, 1)), fewest, GATHERED)
        full, rest = divmod(self.rows, self.size)
        length = full if self._together > 1 else max(CHUNK // max(row * self.size, 1), 1)
        room: dict[tuple[int, int], list[np.ndarray]] = {}
        counts = [(min(length, full - first), self.size) for first in range(0, full, length or 1)] + [(1, rest)] * bool(rest)
        start = 0
        for count, size in counts:
            if (count, size) not in room:
                room[count, size] = [
                    np.empty((self._together, count, *lead, size, *features), a.dtype)
                    for (lead, features), a in zip(shapes, self._arrays, strict=True)
                ]
            yield _Piece(start, count, size, room[count, size])
            start += count * size

    def _gather(self, piece: "_Piece", order: np.ndarray) -> None:
        """Fill a piece by the orders (*runs, epochs, rows) of its epochs."""
        chosen = order[..., piece.start : piece.start + piece.count * piece.size]
        chosen = chosen.reshape(*order.shape[:-1], piece.count, piece.size)  # (*runs, epochs, batches, rows)
        if chosen.ndim == 4:
            chosen = chosen.transpose(1, 2, 0, 3)
        for array, own, out in zip(self._arrays, self._own, piece.arrays, strict=True):
            index = chosen
            if own:  # rows of their own for each run
                sets, rows = array.shape[:2]
                index = (chosen if chosen.ndim == 4 else chosen[:, :, None]) + (self._sets.of * rows)[:, None]
                array = array.reshape(sets * rows, *array.shape[2:])
            if isinstance(array, Mapped):
                array.take(index, out)
            else:
                np.take(array, index, 0, out, "clip")  # clip: writes straight into out; all rows exist


class _Piece:
    """Batches that are gathered at once: `count` of `size` rows, from row `start` of an epoch's order, for several epochs."""

    def __init__(self, start: int, count: int, size: int, arrays: list[np.ndarray]) -> None:
        """`arrays`: (epochs, batches, *runs, rows, ...) each."""
        self.start, self.count, self.size, self.arrays = start, count, size, arrays
        self.views: dict[int, list[Batch]] = {}

    def batches(self, place: int) -> list[Batch]:
        """Those of the epoch at a place, as views."""
        if place not in self.views:
            self.views[place] = [_batch([a[place, i] for a in self.arrays], self.size) for i in range(self.count)]
        return self.views[place]


def _batch(views: list[np.ndarray], rows: int) -> Batch:
    return views[0], views[1], views[2] if len(views) > 2 else None, np.float64(rows)


def _power_of_two(number: int) -> int:
    """The largest power of two that is not above `number`; 1 for 0."""
    return 1 << max(number, 1).bit_length() - 1
