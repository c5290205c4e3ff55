"""Cross-validation: folds are runs of one stack, each the same as alone, and what is said of them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from test_statistics import two

import nnframe as nn
from nnframe import run
from nnframe.__main__ import main as command
from nnframe.command.main import main
from nnframe.config.build import build
from nnframe.config.compose import load
from nnframe.sweeps.block import Block, Trainer
from nnframe.sweeps.prepare import prepare
from nnframe.sweeps.runner import over_folds
from nnframe.sweeps.statistics import Folds

CONFIG = """
name: cv
data: {type: CSV, path: rows.csv, target: TARGET, inputs: [a, b], transforms: [Standardize], MORE}
model: [{type: Dense, units: 8}, Tanh, {type: Dropout, p: 0.2}, {type: Dense, units: OUT}]
loss: LOSS
optimizer: {type: Adam, lr: 0.02}
train: {epochs: 3, batch_size: 4}
metrics: [METRIC]
"""
FORMS = {
    "classes": ("kind", "3", "CrossEntropy", "Accuracy", "cv: 5"),
    "sizes that differ by one": ("kind", "3", "CrossEntropy", "Accuracy", "cv: 7, label_noise: 0.1, class_weights: balanced"),
    "one by one": ("kind", "3", "CrossEntropy", "F1", "cv: 4, split: {stratify: false}, test: 0.2"),
    "bootstraps": ("kind", "3", "CrossEntropy", "Accuracy", "cv: {bootstraps: 6}"),
    "fixed folds": ("kind", "3", "CrossEntropy", "Accuracy", "cv: 5, split_seed: 3"),
    "one row left out": ("kind", "3", "CrossEntropy", "Accuracy", "cv: 26, split: {stratify: false}, test: 0.5"),
    "mixed": ("kind", "3", "CrossEntropy", "Accuracy", "cv: 4, augment: [Mixup]"),
    "numbers": ("y", "1", "MSE", "MAE", "cv: 5, target_transforms: [Standardize], augment: [Noise]"),
}


@pytest.fixture
def here(tmp_path, monkeypatch, rng):
    """A folder with rows.csv, as the current one."""
    monkeypatch.chdir(tmp_path)
    rows = [
        f"{a!r},{b!r},{'xyz'[int(a > 0) + int(b > 0)]},{100 + 30 * a!r},{g}"
        for a, b, g in zip(*rng.normal(size=(2, 52)).tolist(), rng.integers(0, 6, 52), strict=True)
    ]
    Path("rows.csv").write_text("\n".join(["a,b,kind,y,group", *rows]))
    return tmp_path


def write(form, **more):
    target, out, loss, metric, options = FORMS[form]
    text = CONFIG
    for word, value in {"TARGET": target, "OUT": out, "LOSS": loss, "METRIC": metric, "MORE": options}.items():
        text = text.replace(word, value)
    Path("config.yaml").write_text(text)
    return load(Path("config.yaml"))


def table(folder, name="trials.csv"):
    with (Path(folder) / name).open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("form", FORMS)
def test_folds_as_one_stack_are_those_alone_byte_for_byte(here, form, seeds):
    document = write(form)
    prepared = prepare(load(Path("config.yaml"), [f"sweep.seeds={seeds}"]))
    trials = prepared.trials
    block = Block.of(trials, trials.stacks[0], np.arange(trials.count))
    trainer = Trainer(trials.document, prepared.log)
    assert len(list(trainer._alike(block))) == (seeds if form == "bootstraps" else 1)  # what is left out differs with the seed
    together = trainer.train(block)
    for trial in range(trials.count):
        job = build(trials.alone(trial))
        history = job.training.run()
        (alone,) = Trainer(trials.document, prepared.log).train(Block.of(trials, trials.stacks[0], np.array([trial])))
        assert alone.lines == together[trial].lines and alone.row["weights"] == together[trial].row["weights"]
        assert [line.split(",")[2] for line in alone.lines] == [str(value) for value in history["loss"].tolist()]
        assert [line.split(",")[3] for line in alone.lines] == [str(value) for value in history["val_loss"].tolist()]
    assert len({outcome.row["weights"] for outcome in together}) == trials.count
    assert document.data["data"].get("cv")


def test_the_command_trains_a_fold_alone_to_the_same_log(here, capsys):
    write("sizes that differ by one")
    assert run.main(["config.yaml"]) == 0
    folder = Path(capsys.readouterr().out.splitlines()[-1])
    rows = table(folder)
    assert [row["fold"] for row in rows] == list("0123456")
    for fold in (0, 3, 6):
        assert run.main(["config.yaml", f"data.cv={{folds: 7, only: {fold}}}", "train.blas_threads=1"]) == 0
        alone = table(capsys.readouterr().out.splitlines()[-1], "losses.csv")
        assert [row for row in table(folder, "losses.csv") if row["trial"] == str(fold)] == [{"trial": str(fold)} | row for row in alone]
    assert command(["trial", str(folder), "4"]) == 0
    assert "is identical" in capsys.readouterr().out


def test_rows_are_held_once_for_all_seeds(here):
    write("fixed folds")
    prepared = prepare(load(Path("config.yaml"), ["sweep.seeds=10"]))
    training = Trainer(prepared.trials.document).training(Block.of(prepared.trials, prepared.trials.stacks[0], np.arange(50)))
    assert training.model.runs == (50,) and training.batches._arrays[0].shape[0] == 5 == training.validation._arrays[0].shape[0]


def test_groups_of_other_sizes_are_stacks_of_their_own(here, capsys):
    write("classes")
    config = Path("config.yaml").read_text().replace("cv: 5", "cv: 3, split: {groups: group}")
    Path("config.yaml").write_text(config)
    prepared = prepare(load(Path("config.yaml")))
    trials = prepared.trials
    block, trainer = Block.of(trials, trials.stacks[0], np.arange(3)), Trainer(trials.document, prepared.log)
    assert 1 <= len(list(trainer._alike(block))) <= 3
    together = trainer.train(block)
    for fold in range(3):
        (alone,) = trainer.train(block.part([fold]))
        assert alone.lines == together[fold].lines and alone.row["weights"] == together[fold].row["weights"]


def test_a_run_with_folds_says_what_they_gave(here, capsys):
    write("classes")
    assert run.main(["config.yaml"]) == 0
    first, _, head, *lines, last, folder = capsys.readouterr().out.splitlines()
    assert first == "cv: 1 setting x 1 seed x 5 folds = 5 trials, ranked by val_loss (min)"
    assert head.split() == ["fold", "val_loss", "val_accuracy"] and [line.split()[0] for line in lines] == [
        "0",
        "1",
        "2",
        "3",
        "4",
        "mean",
        "95",
    ]
    values = np.array([float(row["val_loss"]) for row in table(folder)])
    half = 2.7764451051977987 * values.std(ddof=1) * np.sqrt(1 / 5 + 1 / 4)  # t of 4 degrees; Nadeau and Bengio's variance
    mean, low, high = (two(values.mean() + shift, half) for shift in (0, -half, half))
    said = f"{mean} over 5 folds (95 %: {low} to {high}, variance corrected as Nadeau and Bengio (2003) do)."
    assert last == f"val_loss: the only setting: {said}"
    (summary,) = table(folder, "summary.csv")
    np.testing.assert_allclose(
        [float(summary[f"folds_{name}"]) for name in ("mean", "low", "high")], [values.mean(), values.mean() - half, values.mean() + half]
    )


def test_settings_are_ranked_by_their_mean_over_folds(here, capsys):
    write("classes")
    assert run.main(["config.yaml", "sweep={seeds: 2, parameters: {optimizer.lr: [0.001, 0.05]}}"]) == 0
    out = capsys.readouterr().out
    folder = out.splitlines()[-1]
    values = np.array([float(row["val_loss"]) for row in table(folder)]).reshape(2, 2, 5)
    rows = {int(row["setting"]): row for row in table(folder, "summary.csv")}
    for setting, row in rows.items():
        np.testing.assert_allclose(float(row["mean"]), values[setting].mean())
        np.testing.assert_allclose(float(row["sd"]), values[setting].mean(-1).std(ddof=1))
    assert "over 5 folds (95 %" in out and "not allowing for having picked the best" in out
    assert main(["best", folder]) == 0
    assert "cv: {folds: 5, bootstraps: null, only: null}" in capsys.readouterr().out


def test_a_diverged_fold_counts_for_its_setting():
    values = np.array([[[1.0, 2.0], [np.inf, 1.0]], [[np.nan, 1.0], [np.inf, np.nan]]])
    np.testing.assert_array_equal(over_folds(values), [[1.5, np.inf], [np.nan, np.inf]])


def test_folds_are_no_parameter_and_an_interrupted_run_goes_on(here, capsys):
    write("classes")
    assert run.main(["config.yaml", "sweep.parameters={data.cv: [3, 4]}"]) == 2
    assert "sweep.parameters.data.cv: is no parameter: all settings are trained on the same folds" in capsys.readouterr().err
    assert run.main(["config.yaml", "data.cv=30"]) == 2
    assert "data.cv: the class 'x' has " in capsys.readouterr().err
    assert run.main(["config.yaml"]) == 0
    folder = Path(capsys.readouterr().out.splitlines()[-1])
    assert run.main(["--resume", str(folder)]) == 0
    assert "nothing is left to do" in capsys.readouterr().out
    assert json.loads((folder / "run.json").read_text())["status"] == "finished"


def test_rows_to_validate_on_per_row_to_train_on():
    assert nn.CV(5).ratio(nn.Split()) == 1 / 4 and nn.CV(bootstraps=9).ratio(nn.Split()) == pytest.approx(0.368 / 0.632, rel=1e-2)
    assert nn.CV(4).ratio(nn.Split(time="t")) == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


def test_the_interval_covers_what_it_says():
    """Means of folds that share rows: 2,000 data sets of 40 rows, whose mean is estimated by ten folds of each. The naive interval covers less."""
    rng, hits, naive = np.random.default_rng(0), 0, 0
    for _ in range(2000):
        y = rng.normal(size=40)
        folds = (
            np.array([(np.delete(part, i, 0).mean() - part[i]) ** 2 for part in [y.reshape(10, 4)] for i in range(10)])
            .reshape(10, 4)
            .mean(1)
        )
        found = Folds.of(folds[None, None], "fold", 1 / 9, False, False)
        truth = 1 + 1 / 36  # of the squared error of a mean of 36 rows
        hits += found.low[0] <= truth <= found.high[0]
        naive += abs(folds.mean() - truth) < 1.96 * folds.std(ddof=1) / np.sqrt(10)
    assert hits / 2000 > 0.93 > naive / 2000
