"""Every metric of the table, and every loss as one: a batch and its rows, a stack and its runs, an epoch that is broken off."""

import copy
import pickle

import numpy as np
import pytest
from cases import LOSSES, METRICS, OWN, RUNS, every, same

from nnframe.metrics.losses import as_metric

every_one = every(*METRICS, *LOSSES, *OWN["metric"], *OWN["loss"])
ROWS = 7


def given(case, outputs, rng, *runs):
    """Predictions between 0 and 1, targets and weights for some runs."""
    return rng.uniform(size=(*runs, ROWS, *outputs)), case.targets(rng, (*runs, ROWS), outputs), rng.uniform(0.5, 2, (*runs, ROWS))


def begun(case, rows, outputs, target, runs=()):
    metric = as_metric(case.of(rows))
    metric.build(outputs, target.shape[1 + len(runs) :], target.dtype.kind == "i")
    if hasattr(metric, "loss"):
        metric.loss.build(outputs)
    metric.reset()
    metric.bind(runs, "float64")
    return metric


def gathered(metric, pred, target, weight, cuts, lead=0):
    """The metric after a batch for each piece of the rows."""
    for start, stop in zip([0, *cuts], [*cuts, ROWS], strict=True):
        piece = (slice(None),) * lead + (slice(start, stop),)
        metric.update(pred[piece], target[piece], None if weight is None else weight[piece])
    return metric


@every_one
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_an_epoch_gives_what_its_rows_give(case, weighted, rng):
    for outputs in case.shapes:
        pred, target, weight = given(case, outputs, rng)
        weight = weight if weighted else None
        whole, pieces, rows = (
            gathered(begun(case, None, outputs, target), pred, target, weight, cuts).value() for cuts in ([], [1, 5], range(1, ROWS))
        )
        assert whole.shape == () and np.isfinite(whole)
        assert pieces == pytest.approx(whole, rel=1e-12) and rows == pytest.approx(whole, rel=1e-12)


@every_one
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_a_stack_gives_the_bytes_of_its_runs_alone(case, weighted, rng):
    for outputs in case.shapes:
        arrays = list(given(case, outputs, rng, RUNS))
        arrays[2] = arrays[2] if weighted else None
        before = [None if a is None else a.tobytes() for a in arrays]
        stack = gathered(begun(case, range(RUNS), outputs, arrays[1], (RUNS,)), *arrays, [3, 6], 1).value()
        assert stack.shape == (RUNS,)
        for run in range(RUNS):
            own = [None if a is None else a[run] for a in arrays]
            alone = gathered(begun(case, run, outputs, own[1]), *own, [3, 6]).value()
            assert same([np.asarray(stack[run])], [np.asarray(alone)])
        assert [None if a is None else a.tobytes() for a in arrays] == before


def through_its_state(metric):
    other = copy.deepcopy(metric)
    state = {name: array.copy() for name, array in metric.get_state().items()}
    other.reset()
    other.set_state(state)
    return other


@every_one
@pytest.mark.parametrize(
    "copied",
    [copy.deepcopy, lambda metric: pickle.loads(pickle.dumps(metric)), through_its_state],
    ids=["deepcopy", "pickle", "state"],
)
def test_a_copy_in_the_middle_of_an_epoch_goes_on_alike(case, copied, rng):
    arrays = given(case, case.shapes[0], rng, RUNS)
    metric = gathered(begun(case, range(RUNS), case.shapes[0], arrays[1], (RUNS,)), *arrays, [3], 1)
    other = copied(metric)
    before = other.value().copy()
    assert same([before], [metric.value()])
    more = given(case, case.shapes[0], rng, RUNS)
    gathered(metric, *more, [4], 1)
    assert same([other.value()], [before])  # nothing is shared
    assert same([gathered(other, *more, [4], 1).value()], [metric.value()])
