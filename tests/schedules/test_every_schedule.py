"""Every schedule of the table: a stack and its runs, and the extremes that it says it has."""

import copy
import pickle

import numpy as np
import pytest
from cases import RUNS, SCHEDULES, every, same

TIMES = [0.0, 1 / 3, 1.0, 1.9999, 2.0, 7.3, 10.0]


def bound(schedule, runs):
    schedule.bind(runs, "float64")
    return schedule


@every(*SCHEDULES)
@pytest.mark.parametrize("copied", [lambda s: s, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))], ids=["it", "deepcopy", "pickle"])
def test_a_stack_gives_the_bytes_of_its_runs_alone(case, copied):
    stack = copied(bound(case.of(range(RUNS)), (RUNS,)))
    for t in TIMES:
        values = stack.value(t, 10.0)
        assert values.shape == (RUNS, 1)
        for run in range(RUNS):
            assert same([values[run]], [bound(case.of(run), ()).value(t, 10.0)])


@every(*SCHEDULES)
def test_it_stays_between_its_extremes(case):
    schedule = bound(case.of(range(RUNS)), (RUNS,))
    extremes = schedule.extremes()
    values = np.array([schedule.value(t, 10.0) for t in TIMES])
    assert min(extremes) <= values.min() and values.max() <= max(extremes)
    assert len(np.unique(values)) > 1
