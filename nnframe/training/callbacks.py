"""What may happen after every epoch. A callback is an object with `on_epoch(state)`."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from nnframe.errors import OptionError
from nnframe.layers.base import Layer
from nnframe.optimizers import Optimizer


@dataclass
class State:
    """Training after an epoch, as callbacks see it.

    `logs` maps a column of the log to one number per run that still trains, (*runs,): loss, val_loss, the metrics, lr.
    `runs` are the numbers of those runs in the stack that `fit` began with, None for one network. `model` and `optimizer`
    hold those runs alone.
    """

    epoch: int  # from 1
    epochs: int
    step: int  # steps taken since the beginning
    logs: dict[str, np.ndarray]
    model: Layer
    optimizer: Optimizer
    runs: np.ndarray | None
    stopped: Any = False

    def stop(self, which: Any = True) -> None:
        """End training of these runs after this epoch: a mask like the arrays of `logs`, or all of them."""
        which, runs = np.asarray(which, bool), self.logs["loss"].shape
        if which.shape not in ((), runs):
            still = f"one for each run that still trains, {runs}" if runs else "one value"
            raise OptionError(f"expected {still}, got {which.shape}; index by state.runs", path="state.stop")
        self.stopped = np.asarray(self.stopped) | which


class Callback:
    """Base of callbacks. Arrays that it keeps per run are best as long as the whole stack, and indexed by `state.runs`."""

    def on_epoch(self, state: State) -> None:
        """Look at an epoch that has just ended; `state.stop()` ends training."""
        raise NotImplementedError
