"""Training, validation and test parts: which rows are whose, and who reads the test rows when."""

import json
from pathlib import Path

import numpy as np
import pytest

import nnframe as nn
from nnframe import run
from nnframe.config.build import build
from nnframe.config.compose import load

CONFIG = """
data: {type: CSV, path: rows.csv, target: y, transforms: [Standardize], PARTS}
model: [{type: Dense, units: 1}]
loss: MSE
optimizer: {type: SGD, lr: 0.05}
train: {epochs: 2, batch_size: 5}
metrics: [MAE]
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with rows.csv and other.csv, as the current one; each row of them is known by its x."""
    monkeypatch.chdir(tmp_path)
    for name, start, count in (("rows.csv", 0, 60), ("other.csv", 1000, 20)):
        Path(name).write_text("x,y\n" + "".join(f"{start + i},{i % 7}\n" for i in range(count)))
    return tmp_path


def source(**options):
    return nn.CSV(Path("rows.csv"), target="y", **options)


def rows(part):
    return [] if part is None else part.x[:, 0].tolist()


def test_the_parts_share_no_row_and_the_test_part_is_split_off_first(here):
    data = source(test=0.25, validation=0.2).prepare(3, test=True)
    assert (len(rows(data.test)), len(rows(data.validation)), len(rows(data.training))) == (15, 9, 36)  # 0.2 of the 45 that are left
    assert sorted(rows(data.test) + rows(data.validation) + rows(data.training)) == list(range(60))
    assert rows(source(test=0.25, validation=0.5).prepare(3, test=True).test) == rows(data.test)


def test_the_rows_of_training_do_not_depend_on_who_reads_the_test_part(here):
    for options in ({"test": 0.25}, {"test": nn.CSV(Path("other.csv"), target="y")}):
        with_test, without = (source(validation=0.2, **options).prepare(3, test=test) for test in (True, False))
        assert without.test is None and len(with_test.test.x) > 10
        assert rows(with_test.training) == rows(without.training) and rows(with_test.validation) == rows(without.validation)


def test_a_split_seed_keeps_the_same_rows_aside(here):
    def parts(seed, **options):
        data = source(test=0.2, validation=0.2, **options).prepare(seed, test=True)
        return rows(data.test), rows(data.validation)

    assert parts(1) != parts(2) and parts(1)[0] != parts(2)[0]
    assert parts(1, split_seed=5) == parts(2, split_seed=5) == parts(5)
    varies = [source(**options).split_varies for options in ({}, {"test": 0.2}, {"validation": 0.2}, {"test": 0.2, "split_seed": 0})]
    assert varies == [False, True, True, False]


def test_transforms_are_fitted_on_the_training_part_alone(here):
    data = source(test=0.25, validation=0.2, transforms=(nn.Standardize(),)).prepare(0, test=True)
    bare = source(test=0.25, validation=0.2).prepare(0, test=True)
    mean, sd = bare.training.x.mean(), bare.training.x.std()
    np.testing.assert_allclose(data.test.x, (bare.test.x - mean) / sd)
    assert abs(data.training.x.mean()) < 1e-12 < abs(data.test.x.mean())


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ("test: 0.001", "data.test: a test part of 0.001 of 60 rows leaves 60 to train on and 0 to test on"),
        ("test: 1.5", "data.test: expected "),
        ("split_seed: -1", "data.split_seed: expected an integer of at least 0"),
        ("test: {type: CSV, path: non.csv, target: y}", "data.test.path: there is no file "),
        ("test: {type: CSV, path: other.csv, target: x}", "data.test: expected inputs x, got y"),
        ("test: {type: CSV, path: other.csv, target: y, validation: 0.2}", "data.test.validation: is of the data that are trained on: write it there"),
        ("validation: {type: CSV, path: other.csv, target: y, transforms: [Standardize]}", "data.validation.transforms: is of the data that are"),
        ("test: {type: CSV, path: other.csv, target: y, split_seed: 0}", "data.test.split_seed: is of the data that are trained on"),
    ],
)  # fmt: skip
def test_a_part_that_cannot_be_is_told_before_training(here, capsys, parts, told):
    Path("config.yaml").write_text(CONFIG.replace("PARTS", parts))
    assert run.main(["config.yaml"]) == 2
    assert told in capsys.readouterr().err and not Path("experiments").exists()


@pytest.mark.parametrize("parts", ["test: 0.25, validation: 0.2", "test: {type: CSV, path: other.csv, target: y}"])
def test_a_run_is_evaluated_on_the_test_part_at_its_end(here, capsys, parts):
    Path("config.yaml").write_text(CONFIG.replace("PARTS", parts))
    assert run.main(["config.yaml"]) == 0
    first, *_, told, folder = capsys.readouterr().out.splitlines()
    job = build(load(Path("config.yaml")), test=True)
    job.training.run()
    found = nn.evaluate(job.model, nn.MSE(), job.data.test, metrics=[nn.MAE()])
    results = json.loads((Path(folder) / "run.json").read_text())["results"]
    assert (results["test_loss"], results["test_mae"]) == (float(found["loss"]), float(found["mae"]))
    ends = json.loads((Path(folder) / "run.json").read_text())["test_intervals"]
    parts = [
        f"test_{name} {float(found[name]):.4g} (95 %: {ends[f'test_{name}'][0]:.4g} to {ends[f'test_{name}'][1]:.4g})" for name in found
    ]
    assert told == f"on the {len(job.data.test.x)} test rows: {'  '.join(parts)}"
    assert all(low < results[name] < high for name, (low, high) in ends.items())
    assert f" and {len(job.data.test.x)} to test on, " in first
    assert "test" not in (Path(folder) / "losses.csv").read_text()


def test_a_run_that_diverged_is_not_tested(here, capsys):
    Path("config.yaml").write_text(CONFIG.replace("PARTS", "test: 0.25"))
    assert run.main(["config.yaml", "optimizer.lr=1e30", "train.epochs=20"]) == 1
    folder = capsys.readouterr().out.splitlines()[-1]
    assert "test_loss" not in json.loads((Path(folder) / "run.json").read_text())["results"]
