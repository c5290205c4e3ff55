"""Bootstrap intervals of loss and metrics: those of samples that are evaluated one by one, and as wide as theory has it."""

import numpy as np
import pytest

import nnframe as nn
from nnframe.training.bootstrap import DRAWS, intervals

METRICS = [nn.Accuracy(), nn.F1(), nn.MSE()]


@pytest.fixture
def trained(rng):
    x = rng.normal(size=(150, 3))
    y = (x[:, 0] + 0.7 * rng.normal(size=150) > 0).astype(int)
    model = nn.Dense(2).build(3, dtype="float64")
    nn.fit(model, nn.CrossEntropy(), nn.Adam(0.05), (x, y), epochs=20, batch_size=10)
    return model, x, y, rng.integers(1, 4, 150).astype(float)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_interval_is_that_of_samples_evaluated_one_by_one(trained, weighted):
    model, x, y, weight = trained
    targets = np.eye(2)[y]  # for MSE as a metric
    data = (x, targets, weight) if weighted else (x, targets)
    found = intervals(model, nn.CrossEntropy(), data, metrics=METRICS, seed=5)
    drawn = nn.generator(5, "bootstrap").integers(0, 150, (DRAWS, 150))
    every = {name: [] for name in found}
    for rows in drawn:
        for name, value in nn.evaluate(model, nn.CrossEntropy(), tuple(part[rows] for part in data), metrics=METRICS).items():
            every[name].append(float(value))
    for name, ends in found.items():
        np.testing.assert_allclose(ends, np.percentile(every[name], (2.5, 97.5)), rtol=1e-10, err_msg=name)


def test_it_is_as_wide_as_the_standard_error_of_a_mean(trained):
    model, x, y, _ = trained
    low, high = intervals(model, nn.CrossEntropy(), (x, y), metrics=[nn.Accuracy()])["accuracy"]
    share = (model.predict(x).argmax(-1) == y).mean()
    half = 1.96 * np.sqrt(share * (1 - share) / 150)
    np.testing.assert_allclose((high - low) / 2, half, rtol=0.15)
    assert low < share < high


def test_numbers_of_regression_in_their_own_units(rng):
    x = rng.normal(size=(80, 2))
    y = 1000 + 50 * x[:, :1] + rng.normal(size=(80, 1))
    data = nn.Dataset(x, (y - 1000) / 50, undo=lambda y: y * 50.0 + 1000)
    model = nn.Dense(1).build(2, dtype="float64")
    nn.fit(model, nn.MSE(), nn.Adam(0.1), data, epochs=50, batch_size=20)
    found = intervals(model, nn.MSE(), data, metrics=[nn.R2(), nn.MAE()])
    values = nn.evaluate(model, nn.MSE(), data, metrics=[nn.R2(), nn.MAE()])
    assert all(low < values[name] < high for name, (low, high) in found.items())
    np.testing.assert_allclose(values["mae"], np.abs(model.predict(x) * 50 + 1000 - y).mean(), rtol=1e-9)
