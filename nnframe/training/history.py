"""The log of a training, in memory."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from nnframe.components.tables import Rows, as_html, as_text, cell, chosen

ROOM = 4 * 10**6  # numbers of one column to make room for at a time


class DivergenceWarning(UserWarning):
    """A run's loss was not finite at the end of an epoch, and the run ended there."""


class History(dict[str, np.ndarray]):
    """The log of a training: column -> (epochs, *runs), NaN after a run's early end.

    `epochs` (*runs,) is how many epochs each run was trained, `kept` (*runs,) the epoch whose weights it has now (the last one, unless
    EarlyStopping put back those of its best), `diverged` (*runs,) whether its loss was not finite at the end, `reasons` says of each run
    that ended early why: {run: reason}, run 0 for one network.
    """

    epochs: np.ndarray
    kept: np.ndarray
    diverged: np.ndarray
    reasons: dict[int, str]

    @classmethod
    def of(cls, runs: tuple[int, ...]) -> "History":
        """An empty log."""
        history = cls()
        history.epochs, history.kept = np.zeros(runs, int), np.zeros(runs, int)
        history.diverged, history.reasons = np.zeros(runs, bool), {}
        return history

    def make_room(self, names: Iterable[str], done: int, epochs: int) -> None:
        """Have the columns reach to the epoch after those that are `done`, and some of all `epochs` more."""
        if self and min(done + 1, epochs) <= len(self["loss"]):
            return
        room = max(ROOM // max(self.epochs.size, 1), 1)
        rows = min(-(-(done + 1) // room) * room, epochs)
        for name in list(names):
            column = np.full((rows, *self.epochs.shape), np.nan)
            before = self.get(name, column[:0])
            column[: len(before)] = before
            self[name] = column

    def note(self, runs: Iterable[int], reason: str) -> None:
        """Why some runs end; of several reasons the last one counts."""
        self.reasons |= dict.fromkeys(map(int, runs), reason)

    def plot(self) -> Any:
        """A figure of matplotlib's with a panel for losses and one for each metric, over the epochs.

        Of a stack it shows the median run, the band from the 10 % to the 90 % quantile, and every run's best epoch: the one that it kept,
        or else that of its lowest val_loss, or loss. In a notebook it is shown by the last line of a cell, in a script by matplotlib's
        `show`; `savefig` writes it to a file. Raises UsageError without matplotlib.
        """
        from nnframe.training.plot import plot

        return plot(self)

    def __repr__(self) -> str:
        return as_text(*self._excerpt())

    def _repr_html_(self) -> str:
        return as_html(*self._excerpt())

    def _excerpt(self) -> tuple[str, list[str], Rows]:
        """What it is, the names of its columns, and their numbers in a few epochs; of a stack the medians."""
        columns = {
            name: column for name, column in self.items() if isinstance(column, np.ndarray) and column.ndim and column.dtype.kind in "fiub"
        }
        length = max(map(len, columns.values()), default=0)
        columns = {name: column for name, column in columns.items() if len(column) == length}
        runs = next((column.shape[1:] for column in columns.values()), ())
        epochs = max((_reached(column) for column in columns.values()), default=0)  # fewer, where all runs have ended before
        title = f"History: {epochs} epoch{'s' * (epochs != 1)}"
        title += f", {runs[0]} runs; columns {(length, *runs)}, of which medians" if runs else ""
        if columns and not runs and 0 < getattr(self, "kept", epochs) < epochs:
            title += f"; kept epoch {self.kept}"
        rows = [
            ["..."] * (1 + len(columns)) if i is None else [str(i + 1), *(cell(_median(column[i])) for column in columns.values())]
            for i in chosen(epochs)
        ]
        return title, ["epoch", *columns] if columns else [], rows


def _reached(column: np.ndarray) -> int:
    """The last epoch of which a column holds a number."""
    there = np.flatnonzero(~np.isnan(np.asarray(column, float)).reshape(len(column), -1).all(1))
    return int(there[-1]) + 1 if there.size else 0


def _median(numbers: np.ndarray) -> np.floating:
    """Of the runs that still have a number."""
    there = np.asarray(numbers, float)[~np.isnan(numbers)]
    return np.median(there) if there.size else np.float64(np.nan)
