"""Every loss of the table: a batch and its rows, a stack and its runs, what is left untouched."""

import copy
import pickle

import numpy as np
import pytest
from cases import RUNS, every_loss, same

from nnframe.losses.classification import _over_classes

ROWS = 5
weighted = pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])


def given(case, outputs, rng, *runs, weighted=False, dtype="float64"):
    """Predictions, targets and weights for some runs."""
    target = case.targets(rng, (*runs, ROWS), outputs)
    weight = rng.uniform(0.5, 2, (*runs, ROWS)).astype(dtype) if weighted else None
    pred = rng.normal(size=(*runs, ROWS, *outputs)).astype(dtype)
    return pred, target if target.dtype.kind == "i" else target.astype(dtype), weight


def both(loss, pred, target, weight):
    """Value and gradient."""
    value = loss.forward(pred, target, weight)
    return [np.array(value), loss.backward().copy()]


@every_loss
@weighted
def test_a_batch_gives_what_its_rows_give(case, weighted, rng):
    for outputs in case.shapes:
        pred, target, weight = given(case, outputs, rng, weighted=weighted)
        share = np.full(ROWS, 1 / ROWS) if weight is None else weight / weight.sum()
        loss = case.of().build(outputs)
        value, gradient = both(loss, pred, target, weight)
        rows = [both(loss, pred[i : i + 1], target[i : i + 1], None) for i in range(ROWS)]
        assert value == pytest.approx(sum(part * one for part, (one, _) in zip(share, rows, strict=True)), rel=1e-12)
        expected = np.concatenate([part * row for part, (_, row) in zip(share, rows, strict=True)])
        np.testing.assert_allclose(gradient, expected, rtol=1e-12, atol=1e-15)


@every_loss
@weighted
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("own", [True, False], ids=["own targets", "shared targets"])
def test_a_stack_gives_the_bytes_of_its_runs_alone(case, weighted, dtype, own, rng):
    for outputs in case.shapes:
        pred, target, weight = given(case, outputs, rng, RUNS, weighted=weighted, dtype=dtype)
        if not own:
            target, weight = target[0], weight if weight is None else weight[0]
        stack = both(case.of(range(RUNS)).build(outputs), pred, target, weight)
        for run in range(RUNS):
            rows = [a if a is None or not own else a[run] for a in (target, weight)]
            assert same([a[run] for a in stack], both(case.of(run).build(outputs), pred[run], *rows))


@every_loss
@weighted
def test_what_it_is_given_is_never_written_into(case, weighted, rng):
    arrays = given(case, case.shapes[0], rng, weighted=weighted)
    before = [None if a is None else a.tobytes() for a in arrays]
    both(case.of(), *arrays)
    assert [None if a is None else a.tobytes() for a in arrays] == before


@every_loss
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda loss: pickle.loads(pickle.dumps(loss))], ids=["deepcopy", "pickle"])
def test_a_copy_of_one_in_use_goes_on_alike(case, copied, rng):
    loss = case.of(range(RUNS)).build(case.shapes[0])
    both(loss, *given(case, case.shapes[0], rng, RUNS))
    arrays = given(case, case.shapes[0], rng, RUNS)
    assert same(both(copied(loss), *arrays), both(loss, *arrays))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("classes", range(1, 7))
def test_few_classes_are_reduced_to_the_bytes_of_numpy(classes, dtype, rng):
    for shape in ((7, classes), (3, 32, classes), (3, 5, 2, classes)):
        a = (rng.normal(size=shape) * 10.0 ** rng.integers(-5, 5, size=shape)).astype(dtype)
        for function in (np.add, np.maximum):
            assert _over_classes(function, a).tobytes() == function.reduce(a, -1, keepdims=True).tobytes()
