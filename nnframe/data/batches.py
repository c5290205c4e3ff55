"""Batches of shuffled rows. The order of an epoch is a function of (seed, epoch), so there is nothing to save."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nnframe.data.dataset import Dataset
from nnframe.streams import Seeds, generator

BLOCK = 64  # epochs whose orders come from one stream
CHUNK = 2**20  # bytes of orders, and of gathered rows, to make at a time; a matter of memory only

Batch = tuple[np.ndarray, np.ndarray, np.ndarray | None, np.float64]  # x, y, weight, number of rows


class Orders:
    """The orders of the rows, epoch by epoch: (*runs, rows) each, or (rows,) where all runs share one seed."""

    def __init__(self, seeds: Seeds, rows: int) -> None:
        self.seeds, self.rows = seeds, rows
        fits = max(CHUNK // (8 * rows * len(seeds.distinct)), 1)
        self.together = min(1 << fits.bit_length() - 1, BLOCK)  # epochs drawn at a time, a power of two
        self._next, self._start = -1, -1
        self._table = np.empty(0)

    def window(self, epoch: int) -> np.ndarray:
        """The orders of the `together` epochs among which `epoch` stands: (*runs, together, rows).

        Windows asked for in turn cost least: draws are sequential, and a block has to be drawn from its start.
        """
        first = epoch - epoch % self.together
        if first != self._start:
            if first != self._next or first % BLOCK == 0:
                self._generators = [generator(seed, "order", first // BLOCK) for seed in self.seeds.distinct]
                self._next = first - first % BLOCK
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
        """`own`: whether x, y and weight have a runs axis, rows of their own for each run."""
        self.seeds, self.size, self.shuffle = seeds, batch_size, shuffle
        self.rows = data.x.shape[1 if own[0] else 0]
        self.steps = -(-self.rows // batch_size)
        self._arrays = [a for a in (data.x, data.y, data.weight) if a is not None]
        self._own = own[: len(self._arrays)]
        self._orders = Orders(seeds, self.rows)
        self._gathered = range(0)  # epochs that are gathered at present
        self._pieces: list[tuple[slice, list[np.ndarray], list[list[Batch]]]] = []

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The batches of epoch number `epoch`, from 0: (x, y, weight or None, number of rows)."""
        if not self.shuffle:
            self._pieces = self._pieces or [(slice(0), [], [list(self._cut(self._arrays, list(self._own), 0, self.rows))])]
            yield from self._pieces[0][2][0]
            return
        order = None
        if epoch not in self._gathered:
            window = self._orders.window(epoch)
            if not self._pieces:
                self._pieces = list(self._plan(window.shape[:-2]))
            together = len(self._pieces[0][2])
            first = epoch - epoch % together
            at = first % self._orders.together
            order = window[..., at : at + together, :].reshape(*window.shape[:-2], -1)
            self._gathered = range(first, first + together)
        for part, gathered, epochs in self._pieces:
            if order is not None:
                for array, own, out in zip(self._arrays, self._own, gathered, strict=True):
                    _gather(array, own, order[..., part], out)
            yield from epochs[epoch - self._gathered.start]

    def take(self, rows: Any) -> "Batches":
        """The batches of some runs of a stack."""
        arrays = [a[rows] if own else a for a, own in zip(self._arrays, self._own, strict=True)]
        x, y, *rest = arrays
        data = Dataset(x, y, rest[0] if rest else None)
        return Batches(data, self._own, self.seeds.take(rows), self.size, self.shuffle)

    def _plan(self, runs: tuple[int, ...]) -> Iterator[tuple[slice, list[np.ndarray], list[list[Batch]]]]:
        """What is gathered at once: several small epochs, or a piece of a large one. With each piece come the arrays that
        it is gathered into, and their views that are its batches, by epoch."""
        copies = runs[0] if runs else 1
        row = sum(a.nbytes // (self.rows * (len(a) if own else 1)) * copies for a, own in zip(self._arrays, self._own, strict=True))
        epochs = max(CHUNK // max(row * self.rows, 1), 1)
        together = min(1 << epochs.bit_length() - 1, self._orders.together)
        length = self.rows * together if together > 1 else max(CHUNK // max(row * self.size, 1), 1) * self.size
        room: dict[int, list[np.ndarray]] = {}
        for start in range(0, self.rows * together, length):
            count = min(length, self.rows * together - start)
            if count not in room:
                leads = [
                    (len(a), count, *a.shape[2:]) if own else (*runs, count, *a.shape[1:])
                    for a, own in zip(self._arrays, self._own, strict=True)
                ]
                room[count] = [np.empty(shape, a.dtype) for shape, a in zip(leads, self._arrays, strict=True)]
            stacked = [own or bool(runs) for own in self._own]
            rows = count // together
            batches = [list(self._cut(room[count], stacked, e * rows, rows)) for e in range(together)]
            yield slice(start, start + count), room[count], batches

    def _cut(self, arrays: list[np.ndarray], stacked: list[bool], start: int, count: int) -> Iterator[Batch]:
        """Views of the batches among `count` rows from `start`."""
        for first in range(start, start + count, self.size):
            part = slice(first, min(first + self.size, start + count))
            views = [a[:, part] if runs_first else a[part] for a, runs_first in zip(arrays, stacked, strict=False)]
            yield views[0], views[1], views[2] if len(views) > 2 else None, np.float64(part.stop - part.start)


def _gather(array: np.ndarray, own: bool, order: np.ndarray, out: np.ndarray) -> None:
    """out = the rows `order` of `array`; an array with rows of its own for each run is taken from run by run."""
    if own:
        runs, rows = array.shape[:2]
        order = order + (np.arange(runs) * rows)[:, None]
        array = array.reshape(runs * rows, *array.shape[2:])
    np.take(array, order, 0, out, "clip")  # clip: writes straight into out; all rows exist
