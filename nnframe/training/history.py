"""The log of a training, in memory."""

from collections.abc import Iterable

import numpy as np

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
