"""scikit-learn as the outside witness; data/sklearn_reference.py made the numbers and describes them."""

import json
from pathlib import Path

import numpy as np
import pytest

import nnframe as nn
from nnframe.metrics.losses import LossMetric

SKLEARN = json.loads((Path(__file__).parents[1] / "data" / "sklearn_reference.json").read_text())
METRICS = {"Accuracy": nn.Accuracy, "BinaryAccuracy": nn.BinaryAccuracy, "MAE": lambda: LossMetric(nn.MAE()), "R2": nn.R2}
METRICS |= {"F1": nn.F1, "F1 weighted": lambda: nn.F1(average="weighted"), "F1 micro": lambda: nn.F1(average="micro")}
LOSSES = {"MSE": nn.MSE, "CrossEntropy": nn.CrossEntropy, "BinaryCrossEntropy": nn.BinaryCrossEntropy}
CUTS = [[], [1, 2, 10], range(1, 23)]  # where 23 rows are cut into batches, some of them of one row


def case(name):
    stored = SKLEARN[name]
    return [np.array(stored[key]) for key in ("pred", "target", "weight", "value", "weighted")]


def of(prefixes):
    return [name for name in SKLEARN if name.split()[0] in prefixes]


def score(metric, pred, target, weight=None, cuts=()):
    """The metric's value after a batch for each piece of the rows. pred (*runs, rows, outputs); the others may have runs too."""
    runs = pred.ndim - 2
    stacked = target.ndim > 1 + (target.dtype.kind != "i")
    metric.build(pred.shape[-1:], target.shape[1 + stacked :], target.dtype.kind == "i")
    metric.reset()
    for start, stop in zip([0, *cuts], [*cuts, pred.shape[-2]], strict=True):
        rows = slice(start, stop)
        part = None if weight is None else weight[..., rows]
        metric.update(pred[:, rows] if runs else pred[rows], target[:, rows] if stacked else target[rows], part)
    return metric.value()


@pytest.mark.parametrize("cuts", CUTS, ids=["one batch", "uneven", "rows"])
@pytest.mark.parametrize("name", of(METRICS))
class TestAgainstScikitLearn:
    def test_one_network(self, name, cuts):
        pred, target, weight, value, weighted = case(name)
        metric = METRICS.get(name, METRICS[name.split()[0]])()
        for run in range(2):
            assert score(metric, pred[run], target, cuts=cuts) == pytest.approx(value[run], rel=1e-9)
            assert score(metric, pred[run], target, weight, cuts) == pytest.approx(weighted[run], rel=1e-9)

    def test_a_stack_with_shared_targets(self, name, cuts):
        pred, target, weight, value, weighted = case(name)
        metric = METRICS.get(name, METRICS[name.split()[0]])()
        np.testing.assert_allclose(score(metric, pred, target, cuts=cuts), value, rtol=1e-9)
        np.testing.assert_allclose(score(metric, pred, target, weight, cuts), weighted, rtol=1e-9)

    def test_a_stack_with_targets_and_weights_of_its_own(self, name, cuts):
        pred, target, weight, value, weighted = case(name)
        metric = METRICS.get(name, METRICS[name.split()[0]])()
        found = score(metric, pred, np.stack([target, target]), np.stack([weight, np.ones_like(weight)]), cuts)
        np.testing.assert_allclose(found, [weighted[0], value[1]], rtol=1e-9)


@pytest.mark.parametrize("name", of(LOSSES))
def test_losses_are_scikit_learns(name):
    pred, target, weight, value, weighted = case(name)
    loss = LOSSES[name]()
    np.testing.assert_allclose(loss.forward(pred, target), value, rtol=1e-12)
    np.testing.assert_allclose(loss.forward(pred, target, weight), weighted, rtol=1e-12)


@pytest.mark.parametrize("name", ["CrossEntropy", "BinaryCrossEntropy"])
def test_what_a_loss_reads_out_are_the_probabilities_that_it_scores(name):
    pred, target, weight, _, weighted = case(name)
    p = LOSSES[name]().readout(pred)
    chosen = np.take_along_axis(p, target[None, :, None], -1)[..., 0] if target.ndim == 1 else np.where(target == 1, p, 1 - p)[..., 0]
    np.testing.assert_allclose(-(np.log(chosen) * weight).sum(-1) / weight.sum(), weighted, rtol=1e-12)


def test_evaluate_gives_the_whole_sets_loss_and_metrics():
    pred, target, weight, _, accuracy = case("Accuracy")
    entropy = case("CrossEntropy")[-1]
    found = nn.evaluate(
        nn.Identity().build(4, dtype="float64"), nn.CrossEntropy(), (pred[0], target, weight), metrics=[nn.Accuracy()], batch_size=5
    )
    assert found["accuracy"] == pytest.approx(accuracy[0], rel=1e-12)
    assert found["loss"] == pytest.approx(entropy[0], rel=1e-12)


@pytest.mark.parametrize("evaluate_train", [False, True])
def test_fit_hands_probabilities_to_metrics(evaluate_train):
    logits, target = np.array([[0.4], [-0.4], [0.4], [3.0]]), np.array([[1.0], [0.0], [0.0], [1.0]])
    model = nn.Dense(1, init=nn.Constant(1), bias_init="Zeros").build(1, dtype="float64")
    options = {"epochs": 1, "batch_size": 3, "metrics": [nn.BinaryAccuracy()], "validation": (logits, target)}
    log = nn.fit(model, nn.BinaryCrossEntropy(), nn.SGD(1e-9), (logits, target), evaluate_train=evaluate_train, **options)
    assert log["binary_accuracy"] == log["val_binary_accuracy"] == 3 / 4


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9, 1 / 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_r2_of_a_constant_target_is_1_if_it_is_met_and_0_if_not(constant, weighted, rng):
    target = np.full((23, 1), constant)
    missed = target.copy()
    missed[7] += 1
    weight = rng.uniform(0.2, 3, size=23) if weighted else None
    for cuts in CUTS:
        assert score(nn.R2(), target, target, weight, cuts) == 1
        assert score(nn.R2(), missed, target, weight, cuts) == 0


def test_r2_of_single_precision_is_summed_in_double():
    target = np.linspace(1000, 1001, 23, dtype="float32")[:, None]
    pred = target[::-1].copy()
    exact = 1 - ((pred.astype(float) - target) ** 2).sum() / ((target.astype(float) - target.astype(float).mean()) ** 2).sum()
    assert score(nn.R2(), pred, target, cuts=[4, 9]) == pytest.approx(exact, rel=1e-9)


def test_accuracy_of_sequences_counts_every_step():
    pred = np.eye(3)[[[0, 1], [2, 2], [1, 0], [0, 0]]]  # (4, 2, 3): 4 sequences of 2 steps
    target = np.array([[0, 1], [2, 0], [0, 1], [0, 2]])
    for given, integers in ((target, True), (np.eye(3)[target], False)):
        metric = nn.Accuracy()
        metric.build((2, 3), given.shape[1:], integers)
        metric.reset()
        metric.update(pred[:1], given[:1])
        metric.update(pred[1:], given[1:])
        assert metric.value() == 4 / 8


def test_the_threshold_of_binary_accuracy():
    pred, target = np.array([[0.1], [0.3], [0.7], [0.9]]), np.array([[0.0], [1.0], [0.0], [1.0]])
    assert score(nn.BinaryAccuracy(), pred, target) == 2 / 4
    assert score(nn.BinaryAccuracy(0.3), pred, target) == 3 / 4
    assert score(nn.BinaryAccuracy(0.8), pred, target) == 3 / 4


def test_reset_forgets():
    metric = LossMetric(nn.MAE())
    assert score(metric, np.ones((3, 1)), np.zeros((3, 1))) == 1
    assert score(metric, np.zeros((3, 1)), np.zeros((3, 1))) == 0


@pytest.mark.parametrize(
    ("metric", "name"),
    [(nn.Accuracy(), "accuracy"), (nn.BinaryAccuracy(), "binary_accuracy"), (LossMetric(nn.MAE()), "mae"), (nn.R2(), "r2")],
    ids=repr,
)
def test_names_in_the_log(metric, name):
    assert metric.name == name


MISFITS = [  # metric, outputs, row of the target, are targets integers?
    (nn.Accuracy, (1,), (1,), False, "Accuracy expected outputs (..., classes) and targets that are classes, got (1,) and (1,); "
     "BinaryAccuracy is for one output"),
    (nn.Accuracy, (3,), (2,), False, "Accuracy expected outputs (..., classes) and targets that are classes, got (3,) and (2,)"),
    (nn.Accuracy, (3,), (1,), True, "Accuracy expected outputs (..., classes) and targets that are classes, got (3,) and (1,)"),
    (METRICS["MAE"], (3,), (), True, "MAE expected targets that go with outputs (3,), got () of classes"),
    (nn.R2, (3,), (2,), False, "R2 expected targets shaped like the outputs (3,), got (2,)"),
]  # fmt: skip


@pytest.mark.parametrize(("metric", "outputs", "target_row", "integers", "message"), MISFITS)
def test_targets_that_do_not_fit(metric, outputs, target_row, integers, message):
    with pytest.raises(nn.ShapeError) as error:
        metric().build(outputs, target_row, integers)
    assert str(error.value) == message
