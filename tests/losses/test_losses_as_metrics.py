"""A loss is a metric of its name: its value over the epoch, on the outputs."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from cases import LOSSES, OWN, RUNS, every, of_nnframe

import nnframe as nn
from nnframe import run
from nnframe.components.registry import REGISTRY
from nnframe.metrics.base import column_name


def trained(case, rows, *, weighted=False, **options):
    """A training with the loss of a case, named as a metric too; its data and the log."""
    rng, outputs, runs = np.random.default_rng(0), case.shapes[0], () if np.ndim(rows) == 0 else (len(rows),)
    model = nn.Sequential(nn.Dense(4), nn.Tanh(), nn.Dense(outputs[-1])).build((*outputs[:-1], 3), seed=rows)
    x, y = rng.normal(size=(10, *outputs[:-1], 3)), case.targets(rng, (10,), outputs)
    weight = (rng.uniform(0.5, 2, (*runs, 10)),) if weighted else ()
    data = (x, y, *weight)
    given = {"epochs": 3, "batch_size": 4, "validation": data} | options
    history = nn.fit(model, case.of(rows), nn.SGD(0.1), data, metrics=[case.of(rows)], **given)
    return model, data, history


every_loss = every(*LOSSES, *OWN["loss"])
rows = pytest.mark.parametrize("rows", [1, range(RUNS)], ids=["alone", "stack"])


@every_loss
@rows
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("evaluated", [False, True], ids=["as trained on", "evaluated"])
def test_it_is_logged_as_the_loss_itself(case, rows, weighted, evaluated):
    _, _, history = trained(case, rows, weighted=weighted, evaluate_train=evaluated)
    name = column_name(type(case.component))
    for logged, itself in ((name, "loss"), (f"val_{name}", "val_loss")):
        assert history[logged].tobytes() == history[itself].tobytes()
    assert history[name].shape == (3, *([RUNS] if np.ndim(rows) else []))


@every_loss
@rows
def test_evaluate_gives_it_too(case, rows):
    model, data, history = trained(case, rows)
    found = nn.evaluate(model, case.of(rows), data, metrics=[case.of(rows)])
    name = column_name(type(case.component))
    assert found[name].tobytes() == found["loss"].tobytes()
    np.testing.assert_allclose(found[name], history[f"val_{name}"][-1], rtol=1e-6)


def test_after_a_loss_of_logits_it_is_on_the_outputs_and_a_metric_on_what_is_read_out():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 3)), rng.integers(0, 2, (12, 1)).astype(float)
    model = nn.Dense(1).build(3, dtype="float64")
    found = nn.evaluate(model, nn.BinaryCrossEntropy(), (x, y), metrics=[nn.MSE(), nn.MAE(), nn.BinaryAccuracy(), nn.F1()])
    z = model.predict(x)
    assert found["mse"] == pytest.approx(np.mean((z - y) ** 2), rel=1e-14) and found["mae"] == pytest.approx(np.mean(abs(z - y)), rel=1e-14)
    assert found["binary_accuracy"] == np.mean((z >= 0) == (y == 1))  # a probability of 0.5
    assert list(found) == ["loss", "mse", "mae", "binary_accuracy", "f1"]


def test_cross_entropy_beside_accuracy_on_classes():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 3)), rng.integers(0, 4, 12)
    model = nn.Dense(4).build(3, seed=[0, 1], dtype="float64")
    found = nn.evaluate(model, nn.MSE(), (x, np.eye(4)[y]), metrics=[nn.CrossEntropy()])
    z = model.predict(x)
    p = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    np.testing.assert_allclose(found["cross_entropy"], -np.log(p[:, np.arange(12), y]).mean(-1), rtol=1e-12)
    with_classes = nn.evaluate(model, nn.CrossEntropy(), (x, y), metrics=[nn.CrossEntropy(), nn.Accuracy()])
    np.testing.assert_allclose(with_classes["cross_entropy"], found["cross_entropy"], rtol=1e-12)


def test_losses_that_are_handed_over_stay_as_they_were():
    loss, metric = nn.MSE(), nn.MAE()
    nn.fit(nn.Dense(1).build(2), loss, nn.SGD(), (np.ones((2, 2)), np.ones((2, 1))), epochs=1, batch_size=2, metrics=[metric])
    assert all(given.outputs is None and not hasattr(given, "bound") for given in (loss, metric))


def test_a_schedule_on_its_number_moves():
    (case,) = OWN["loss"]
    x, y = np.ones((4, 2)), np.zeros((4, 1))
    model = nn.Dense(1, init=nn.Constant(1), bias_init="Zeros").build(2, dtype="float64")
    metric = case.of(scale=nn.Step(1.0, every=1, factor=0.5))
    history = nn.fit(model, nn.MSE(), nn.SGD(1e-12), (x, y), epochs=3, batch_size=4, metrics=[metric])
    np.testing.assert_allclose(history["pinball"], [1.0, 0.5, 0.25], rtol=1e-9)  # l = 0.5 |2 - 0| scale


# ------------------------------------------------------------------------------------------------ in a config, and mistakes


def log_of(*arguments):
    assert run.main(["gender.yaml", "--quiet", "--out", "runs", "train.epochs=3", *arguments]) == 0
    (path,) = Path("runs").glob("*/*/losses.csv")
    return list(csv.DictReader(path.read_text().splitlines()))


@pytest.mark.parametrize("metrics", ["[MAE, MSE]", "[{type: MAE}, {type: MSE}]"])
def test_in_yaml(place, metrics):
    rows = log_of(f"metrics={metrics}")
    assert list(rows[0])[:3] == ["epoch", "step", "loss"] and {"mae", "mse"} < set(rows[0])
    assert [row["mse"] for row in rows] == [row["loss"] for row in rows]  # the loss of gender.yaml is MSE
    assert all(float(row["mae"]) ** 2 <= float(row["mse"]) for row in rows)


MISTAKES = [  # metrics, what is told
    ([nn.MAE()], nn.ShapeError, "metrics.0: MAE expected targets that go with outputs (4,), got () of classes"),
    ([nn.Accuracy(), nn.BinaryCrossEntropy()], nn.ShapeError, "metrics.1: BinaryCrossEntropy expected targets that go with outputs (4,), got () of classes"),
    ([nn.CrossEntropy(), nn.CrossEntropy()], nn.OptionError, "metrics: two are named 'cross_entropy', so that their columns in the log would be one"),
    ([nn.SGD()], nn.OptionError, "metrics.0: expected a metric or a loss, such as Accuracy() or MAE(), got SGD()"),
]  # fmt: skip


@pytest.mark.parametrize(("metrics", "kind", "message"), MISTAKES)
def test_mistakes_name_the_loss(metrics, kind, message):
    model, data = nn.Dense(4).build(3), (np.ones((5, 3)), np.arange(5) % 4)
    with pytest.raises(kind) as error:
        nn.fit(model, nn.CrossEntropy(), nn.SGD(), data, epochs=1, batch_size=5, metrics=metrics)
    assert str(error.value) == message


def test_targets_that_it_is_not_defined_for_are_told_before_training():
    model, data = nn.Dense(2).build(3), (np.ones((5, 3)), np.full((5, 2), 3.0))
    with pytest.raises(nn.DataError, match=r"^metrics\.0: BinaryCrossEntropy expected targets between 0 and 1, got 3 to 3$"):
        nn.fit(model, nn.MSE(), nn.SGD(), data, epochs=1, batch_size=5, metrics=[nn.BinaryCrossEntropy()])


# ------------------------------------------------------------------------------------------------ names


def test_public_names_are_unique_over_all_slots():
    """But a loss and a metric may share one."""
    together = [of_nnframe("loss") | of_nnframe("metric"), *(of_nnframe(slot) for slot in REGISTRY if slot not in ("loss", "metric"))]
    names = Counter(name for slot in together for name in slot)
    assert [name for name, count in names.items() if count > 1] == []
    assert all(hasattr(nn, name) for name in names)
