"""Which settings a sweep tries, and which of them share a stack."""

import time

import numpy as np
import pytest
from scipy.stats import qmc

import nnframe as nn
from nnframe.config.reading import Document
from nnframe.config.sections import Between, Choice, Sweep
from nnframe.sweeps import plan
from nnframe.sweeps.plan import Trials
from nnframe.sweeps.space import Grid, LatinHypercube, Random, Sobol

A = {"a": Between(0, 1), "b": Choice(("x", "y", "z"), (1, 2, 3)), "c": Between(1e-4, 1, "log")}


def test_a_grid_changes_its_last_parameter_fastest():
    found = Grid().settings(
        {"a": Choice(("1", "2"), (1, 2)), "b": Between(0, 1, count=2), "c": Choice(("x", "y", "z"), tuple("xyz"))}, None
    )
    assert list(zip(*found.values(), strict=True)) == [(a, b, c) for a in (0, 1) for b in (0.0, 1.0) for c in (0, 1, 2)]


@pytest.mark.parametrize(
    ("between", "grid"),
    [
        (Between(0, 1, count=5), [0, 0.25, 0.5, 0.75, 1]),
        (Between(1e-3, 1, "log", count=4), [1e-3, 1e-2, 1e-1, 1]),
        (Between(0, 1, step=0.3), [0, 0.3, 0.6, 0.9]),
        (Between(0.1, 0.3, step=0.1), [0.1, 0.2, 0.3]),  # 3 of them, though 0.1 + 2 * 0.1 is above 0.3 in floating point
        (Between(2, 5, integer=True), [2, 3, 4, 5]),
        (Between(1, 9, integer=True, step=4), [1, 5, 9]),
        (Between(1, 4, integer=True, count=10), [1, 2, 3, 4]),
        (Between(1, 100, "log", integer=True, count=3), [1, 10, 100]),
        (Between(3, 3, count=4), [3]),
    ],
)
def test_numbers_of_a_grid(between, grid):
    found = between.grid()
    assert found == pytest.approx(grid, rel=1e-14) and len(found) == len(grid)
    assert all(type(number) is (int if between.integer else float) for number in found)
    assert found[-1] <= between.high


def test_drawn_integers_are_all_as_likely(rng):
    counts = np.bincount(Between(2, 5, integer=True).at(rng.random(40_000)), minlength=6)
    assert counts[:2].sum() == 0 and abs(counts[2:] - 10_000).max() < 400  # four standard deviations are 346
    steps = Between(0, 1, step=0.5).at(rng.random(30_000))
    assert sorted(set(steps)) == [0, 0.5, 1] and abs(np.unique(steps, return_counts=True)[1] - 10_000).max() < 400


def test_a_log_range_draws_every_decade_as_often(rng):
    drawn = np.array(Between(1e-4, 1, "log").at(rng.random(40_000)))
    assert abs(np.histogram(np.log10(drawn), [-4, -3, -2, -1, 0])[0] - 10_000).max() < 400


def test_a_drawn_value_does_not_change_when_parameters_are_added():
    alone = Random(seed=3).settings({"c": A["c"]}, 20)
    assert Random(seed=3).settings(A, 20)["c"] == alone["c"]
    assert Random(seed=3).settings(A, 50)["c"][:20] == alone["c"]
    assert Random(seed=4).settings({"c": A["c"]}, 20)["c"] != alone["c"]


@pytest.mark.parametrize("sampler", [Random, Sobol, LatinHypercube])
def test_the_same_seed_draws_the_same(sampler):
    assert sampler(seed=1).settings(A, 16) == sampler(seed=1).settings(A, 16) != sampler(seed=2).settings(A, 16)


def test_sobol_points_fill_every_elementary_interval():
    """A (0, 2, 2)-net in base 2: each of the 2^m boxes of volume 2^-m holds one point (Sobol 1967, as scipy documents)."""
    u = Sobol(seed=5).points({"a": A["a"], "c": A["c"]}, 16)
    for power in range(5):
        boxes = np.floor(u * [2**power, 2 ** (4 - power)]).astype(int)
        assert len(np.unique(boxes, axis=0)) == 16
    assert len(Sobol(seed=5).settings(A, 10)["a"]) == 10 and len(Sobol(seed=5).settings(A, 1)["a"]) == 1
    assert qmc.discrepancy(u) < qmc.discrepancy(Random(seed=5).points({"a": A["a"], "c": A["c"]}, 16)) / 3


def test_a_latin_hypercube_has_one_point_in_every_slice():
    u = LatinHypercube(seed=5).points(A, 30)
    assert (np.sort(np.floor(u * 30), axis=0) == np.arange(30)[:, None]).all()


def test_a_draw_of_one_is_still_among_the_choices():
    class Edge(Random):
        def points(self, parameters, count):
            return np.ones((count, len(parameters)))

    assert Edge().settings(A, 1)["b"] == [2]


def test_choices_have_the_names_that_they_were_given():
    space = Sweep(
        {"model": {"small": [1], "large": [2]}, "optimizer": ["SGD", {"type": "Adam", "lr": 0.1}], "x": [None, True, 1e-3, [1, "a"]]}
    ).space
    assert space["model"].names == ("small", "large")
    assert space["optimizer"].names == ("SGD", "Adam(lr=0.1)")
    assert space["x"].names == ("null", "true", "0.001", "[1, a]")


# ------------------------------------------------------------------------------------------ stacks

CONFIG = {
    "data": {"type": "Digits", "validation": 0.2},
    "model": [
        {"type": "Dense", "units": 4, "init": {"type": "Normal", "std": 1.0}},
        "BatchNorm",
        {"type": "Dropout", "p": 0.5},
        {"type": "Dense", "units": 10},
    ],
    "loss": "CrossEntropy",
    "optimizer": {"type": "Adam", "lr": {"type": "Cosine", "start": 0.1}, "betas": [0.9, 0.99]},
    "train": {"epochs": 2, "batch_size": 32},
    "callbacks": [{"type": "EarlyStopping", "patience": 2}],
}


def trials_of(parameters, seeds=2):
    sweep = Sweep(parameters, seeds=seeds)
    return Trials(Document(CONFIG), sweep.space, sweep.all_settings(seeds), sweep.all_seeds(7))


@pytest.mark.parametrize(
    "path",
    [
        "optimizer.lr.start",
        "optimizer.lr.stop",
        "optimizer.betas.0",
        "optimizer.eps",
        "optimizer.weight_decay",
        "model.0.init.std",
        "model.1.momentum",
        "model.2.p",
    ],
)
def test_numbers_that_may_differ_between_runs_share_a_stack(path):
    (stack,) = plan.stacks(trials_of({path: [0.1, 0.2, 0.3]}))
    assert stack.trials.tolist() == list(range(6)) and stack.varied == [path] and not stack.shared


@pytest.mark.parametrize(
    ("path", "values"),
    [("model.0.units", [2, 3]), ("train.epochs", [1, 2]), ("train.batch_size", [8, 9]), ("optimizer.type", ["SGD", "Adam"]), ("optimizer.amsgrad", [True, False]),
     ("callbacks.0.patience", [1, 2]), ("data.validation", [0.1, 0.2]), ("dtype", ["float32", "float64"]), ("model.1", ["ReLU", "Tanh"])],
)  # fmt: skip
def test_what_must_be_equal_separates_stacks(path, values):
    stacks = plan.stacks(trials_of({path: values, "model.2.p": [0.1, 0.2]}))
    assert [stack.trials.tolist() for stack in stacks] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert [stack.shared for stack in stacks] == [{path: value} for value in values] and stacks[0].varied == ["model.2.p"]


def test_numbers_and_schedules_of_one_parameter_are_two_stacks():
    stacks = plan.stacks(trials_of({"optimizer.lr": [0.1, {"type": "Cosine", "start": 0.1}, 0.2]}, seeds=1))
    assert [stack.trials.tolist() for stack in stacks] == [[0, 2], [1]]


def test_a_million_settings_are_in_stacks_at_once():
    """It took 1.6 s of a processor, and each of three columns the memory of a mapping of a million numbers."""
    points = np.random.default_rng(0).random((3, 10**6)).tolist()
    units = [0, 1] * 500_000
    space = {"optimizer.lr": Between(0, 1), "optimizer.weight_decay": Between(0, 1), "model.2.p": Between(0, 1)}
    space["model.0.units"] = Choice(("2", "3"), (2, 3))
    trials = Trials(Document(CONFIG), space, dict(zip(space, [*points, units], strict=True)), [7])
    start = time.process_time()
    stacks = plan.stacks(trials)
    assert time.process_time() - start < 0.8
    assert [stack.shared for stack in stacks] == [{"model.0.units": 2}, {"model.0.units": 3}]
    assert (stacks[0].trials == np.arange(0, 10**6, 2)).all() and (stacks[1].trials == np.arange(1, 10**6, 2)).all()


def test_a_type_comes_before_its_options():
    trials = trials_of({"optimizer.momentum": [0.5], "optimizer.lr": [0.3], "optimizer.type": ["SGD"]})
    assert trials.alone(0).data["optimizer"] == {"type": "SGD", "lr": 0.3, "momentum": 0.5}
    assert trials.alone(1).data["seed"] == 8


def test_a_block_is_cut_into_equal_parts():
    (stack,) = plan.stacks(trials_of({"model.2.p": {"low": 0, "high": 0.9, "count": 5}}))
    stack.size = 4
    missing = np.ones(10, bool)
    missing[3] = False
    assert [part.tolist() for part in stack.blocks(missing)] == [[0, 1, 2], [4, 5, 6], [7, 8, 9]]
    assert not list(stack.blocks(np.zeros(10, bool)))


def test_numbers_out_of_range_are_refused_in_python_too():
    with pytest.raises(nn.OptionError, match="expected low to be at most high, got 2 and 1"):
        Between(2, 1)
