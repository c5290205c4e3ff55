"""Training that is broken off by a signal after a step, or that one run of a stack leaves."""

import signal
from contextlib import contextmanager

import numpy as np
import pytest

import nnframe as nn


@contextmanager
def after_step(number, do):
    """Within it, `do` is called after the step of this number, from 1."""
    original, taken = nn.Optimizer.step, []

    def step(self):
        original(self)
        taken.append(1)
        if len(taken) == number:
            do()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.Optimizer, "step", step)
        yield


def ringing(*numbers):
    return lambda: [signal.raise_signal(number) for number in numbers]


def broken_off(train, step):
    """Train until a signal comes after this step."""
    with after_step(step, ringing(signal.SIGTERM)), pytest.raises(nn.Interrupted):
        train()


class Leave(nn.Callback):
    """Ends the run that is number 1 of `rows` after an epoch; with `diverging` it only loses its numbers there, so that the next epoch ends
    it."""

    def __init__(self, rows, epoch, diverging=False):
        self.rows, self.epoch, self.diverging = np.array(rows), epoch, diverging

    def on_epoch(self, state):
        training, _ = state.places()
        which = (self.rows[training] == 1) & (state.epoch == self.epoch)
        if self.diverging:
            state.model.params[which] = np.nan
        else:
            state.stop(which)
