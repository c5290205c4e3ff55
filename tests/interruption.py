"""Training that is broken off by a signal after a step."""

import signal
from contextlib import contextmanager

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
