"""A sweep's trials are those trained alone, byte for byte, whatever the blocks and workers; and what becomes of its tables."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nnframe as nn
from nnframe import run
from nnframe.command.main import main as command
from nnframe.components import plugins
from nnframe.components.registry import REGISTRY
from nnframe.config.build import build
from nnframe.config.compose import load
from nnframe.config.reading import dump
from nnframe.sweeps import plan, results, runner
from nnframe.sweeps.block import Block, Trainer, weights_hash
from nnframe.sweeps.prepare import prepare
from nnframe.training.log import CSVLog

ROOT = Path(__file__).parents[2]

BASE = """
data: {type: Arrays, path: data.npz, validation: 0.25}
model: [{type: Dense, units: 4}, Tanh, {type: Dense, units: 3}]
loss: CrossEntropy
optimizer: {type: SGD, lr: 0.1}
train: {epochs: 3, batch_size: 16}
metrics: [Accuracy]
"""

STRUCTURES = """
callbacks: [{type: EarlyStopping, monitor: loss, patience: 2}]
sweep:
  seeds: 3
  trials: 150
  sampler: {type: Random, seed: 1}
  parameters:
    model:
      shallow: [{type: Dense, units: 4}, Tanh, {type: Dense, units: 3}]
      deep: [{type: Dense, units: 5}, ReLU, {type: Dropout, p: 0.3}, {type: Dense, units: 4}, Sigmoid, {type: Dense, units: 3}]
      normed: [{type: Dense, units: 6}, BatchNorm, {type: Dropout, p: 0.1}, {type: Dense, units: 3}]
    model.0.units: [3, 8, 70]
    model.1: [ReLU, Sigmoid]
    optimizer: {plain: SGD, adam: Adam, decayed: {type: AdamW, weight_decay: 0.1}, moving: {type: SGD, momentum: 0.9, nesterov: true}}
    optimizer.lr: [0.1, 0.01, 1e38, {type: Cosine, start: 0.1}, {type: Step, start: 0.1, every: 1}]
    train.epochs: [2, 5]
    train.batch_size: [7, 16]
    train.shuffle: [true, false]
    train.evaluate_train: [false, true]
    callbacks.0.patience: [1, 3]
    loss: [CrossEntropy, MSE]
    metrics: {none: [], accuracy: [Accuracy]}
    data.validation: [0.25, null]
    data.weight: [null, w]
    data.transforms: {none: [], standard: [Standardize]}
    dtype: [float32, float64]
"""

NUMBERS = """
callbacks: [{type: EarlyStopping, monitor: val_loss, patience: 2}]
model: [{type: Dense, units: 4, init: {type: Normal, std: 0.1}}, BatchNorm, ReLU, {type: Dropout, p: 0.2}, {type: Dense, units: 3}]
optimizer: {type: SGD, lr: 0.1, momentum: 0.5}
sweep:
  seeds: [0, 3, 11]
  trials: 150
  sampler: {type: LatinHypercube, seed: 2}
  objective: {metric: val_accuracy, at: best}
  parameters:
    optimizer.lr: [0.01, 0.05, 0.2, 1e30, {type: Cosine, start: 0.1}]
    optimizer.momentum: {low: 0, high: 0.95}
    optimizer.weight_decay: [0, 1e-2]
    model.0.init.std: {low: 1e-3, high: 1, scale: log}
    model.1.momentum: [0.1, 0.5]
    model.3.p: {low: 0, high: 0.9, step: 0.1}
    train.epochs: {low: 3, high: 6, integer: true}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a small set of data, as the current one."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 5))
    y = (x @ rng.normal(size=(5, 3)) + rng.normal(size=(50, 3))).argmax(-1)
    np.savez(tmp_path / "data.npz", x=x, y=y, w=rng.uniform(0.5, 2, 50))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(text, path="sweep.yaml"):
    """A config of BASE and more; later keys stand for earlier ones."""
    Path("base.yaml").write_text(BASE)
    Path(path).write_text(f"extends: base.yaml\n{text}")
    return Path(path)


def swept(config, *options):
    """The folder of a sweep that was run by the command."""
    before = set(Path("experiments/runs").glob("*/*"))
    assert run.main([str(config), "--quiet", *options]) == 0
    (folder,) = set(Path("experiments/runs").glob("*/*")) - before
    return folder


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def reproducible(folder):
    """All that must not depend on workers and blocks."""
    rows = [{name: cell for name, cell in row.items() if name not in ("seconds", "worker")} for row in table(folder / "trials.csv")]
    return rows, (folder / "losses.csv").read_bytes(), (folder / "summary.csv").read_bytes(), (folder / "config.yaml").read_bytes()


def log_of(job, folder):
    """The log of a training alone, as `python -m nnframe.run` writes it."""
    watcher = CSVLog(folder)
    job.training.run([watcher], warn=False)
    watcher.close()
    return table(folder / "losses.csv")


@pytest.mark.parametrize("text", [STRUCTURES, NUMBERS], ids=["structures", "numbers"])
def test_every_trial_is_the_same_alone(here, text):
    config = written(text)
    folder = swept(config, "--workers=1")
    prepared = prepare(load(config))
    rows, lines = table(folder / "trials.csv"), table(folder / "losses.csv")
    logs = {trial: [line for line in lines if line["trial"] == str(trial)] for trial in range(len(rows))}
    assert [row["trial"] for row in rows] == list(map(str, range(150)))
    seen = {row["status"] for row in rows}
    assert seen == {"finished", "diverged"} and {row["reason"].partition(" ")[0] for row in rows} >= {"", "the"}
    stopped = [row for row in rows if "has not improved" in row["reason"]]
    assert stopped
    for trial, row in enumerate(rows):
        job = build(prepared.trials.alone(trial))
        alone = log_of(job, here)
        assert [told(line) for line in logs[trial]] == [told(line) for line in alone], trial
        assert row["weights"] == weights_hash(job.model.params, job.model.state), trial
        assert (row["epochs"], row["seed"]) == (str(len(alone)), str(job.experiment.seed))
        history = job.training.history
        kept = alone[int(history.epochs if history.diverged else history.kept) - 1]
        better = {name: float(line[name]) for line in [kept] for name in told(line) if name not in ("epoch", "step", "lr")}
        assert {name: float(row[name]) for name in better} == pytest.approx(better, rel=0, abs=0, nan_ok=True)


def told(line):
    """A line of a log without empty cells: a sweep's has a column for whatever any of its trials logs."""
    return {name: cell for name, cell in line.items() if cell and name != "trial"}


@pytest.mark.parametrize(
    ("text", "sizes", "crews"), [(STRUCTURES, (2,), (2,)), (NUMBERS, (1, 3, 7, 256), (2, 4))], ids=["structures", "numbers"]
)
def test_tables_do_not_depend_on_blocks_and_workers(here, monkeypatch, text, sizes, crews):
    config = written(text)
    expected = reproducible(swept(config, "--workers=1"))
    for size in sizes:
        monkeypatch.setattr(plan, "block_size", lambda *_, size=size: size)
        assert reproducible(swept(config, "--workers=1")) == expected, f"blocks of {size}"
    monkeypatch.undo()
    monkeypatch.chdir(here)
    for workers in crews:
        folder = swept(config, f"--workers={workers}")
        assert reproducible(folder) == expected, f"{workers} workers"
        assert len({row["worker"] for row in table(folder / "trials.csv")}) > 1


def test_weights_of_a_stack_are_those_alone_to_the_last_byte(here):
    trials = prepare(load(written(NUMBERS))).trials
    stack = max(plan.stacks(trials), key=lambda stack: len(stack.trials))
    assert len(stack.trials) > 20
    training = Trainer(trials.document).training(Block.of(trials, stack, stack.trials))
    training.run(warn=False)
    for run_number, trial in list(enumerate(stack.trials.tolist()))[::5]:
        alone = build(trials.alone(trial))
        alone.training.run(warn=False)
        for name in ("params", "state"):
            assert getattr(training.whole, name)[run_number].tobytes() == getattr(alone.model, name).tobytes()


def test_a_trial_is_what_the_command_makes_of_its_config(here):
    folder = swept(written(NUMBERS), "--workers=1")
    trials = prepare(load(folder / "config.yaml")).trials
    lines = table(folder / "losses.csv")
    for trial in (4, 77):
        Path("alone.yaml").write_text(dump(build(trials.alone(trial)).resolved))
        alone = swept("alone.yaml")
        assert [told(line) for line in table(alone / "losses.csv")] == [told(line) for line in lines if line["trial"] == str(trial)]


# ------------------------------------------------------------------------------------------ trials that go wrong

TROUBLE = """
import os

import numpy as np

import nnframe as nn


class Trouble(nn.Layer):
    '''y = x, but for some kinds of trouble.'''

    def __init__(self, kind: nn.PerRun[float] = 0.0) -> None:
        self.kind = kind

    def forward(self, x, *, training=False):
        if (self.bound.kind == 1).any():
            raise ValueError("one\\nof these")
        if (self.bound.kind == 2).any():
            os._exit(3)
        if (self.bound.kind == 3).any():
            np.empty(2**57)
        return x * np.where(self.bound.kind == 4, np.inf, 1).astype(x.dtype)[..., None]

    def backward(self, dy, *, need_dx=True):
        return dy
"""

TROUBLES = """
model: [{type: Dense, units: 4}, Trouble, {type: Dense, units: 3}]
sweep: {seeds: 2, parameters: {model.1.kind: [0.5, 1, 2, 3, 4, 5]}}
"""


@pytest.fixture
def trouble(here, monkeypatch):
    """The plugin trouble.py, which this process forgets in the end."""
    (here / "trouble.py").write_text(TROUBLE)
    monkeypatch.setattr(plugins, "LOADED", [])
    yield here
    REGISTRY["layer"].pop("Trouble", None)


REASONS = {
    "0.5": "",
    "1": "ValueError: one; of these",
    "2": "killed its worker process twice (exit status 3)",
    "3": "out of memory: Unable to allocate 1.00 EiB for an array with shape (144115188075855872,) and data type float64",
    "4": "the loss is nan at the end of epoch 1 (step 3)",
    "5": "",
}


def test_a_trial_that_goes_wrong_is_a_row_and_leaves_its_neighbours_alone(trouble, capsys):
    config, plugin = written(TROUBLES), "--plugin=trouble.py"
    folder = swept(config, plugin, "--workers=2")
    rows, lines = table(folder / "trials.csv"), table(folder / "losses.csv")
    assert {row["model.1.kind"]: row["reason"] for row in rows} == REASONS
    statuses = ["finished"] * 2 + ["failed"] * 6 + ["diverged"] * 2 + ["finished"] * 2
    assert [row["status"] for row in rows] == statuses
    assert {row["trial"] for row in lines} == {"0", "1", "8", "9", "10", "11"}
    for path in ("trials.csv", "losses.csv"):
        expected = table(swept(config, plugin, "--workers=1", "sweep.parameters={model.1.kind: [0.5, 5]}") / path)
        kept = [row for row in table(folder / path) if row["trial"] in ("0", "1", "10", "11")]
        skipped = ("trial", "setting", "seconds", "worker")
        assert [{k: v for k, v in row.items() if k not in skipped} for row in kept] == [
            {k: v for k, v in row.items() if k not in skipped} for row in expected
        ]
    summary = table(folder / "summary.csv")
    assert [row["failed"] for row in summary] == ["0", "0", "0", "2", "2", "2"] and summary[-1]["mean"] == ""
    assert [row["diverged"] for row in summary] == ["0", "0", "2", "0", "0", "0"]
    assert summary[2]["mean"] == max(row["val_loss"] for row in rows[:2] + rows[10:])  # counted as the worst
    capsys.readouterr()
    for trial, said in ((0, "3 epochs, weights"), (2, "0 epochs, ValueError: one; of these"), (8, "1 epochs, weights")):
        assert command(["trial", str(folder), str(trial), plugin]) == 0
        assert f"trial {trial} is identical: {said}" in capsys.readouterr().out


def test_fail_fast_ends_with_the_first_failure_and_can_go_on(trouble, capsys):
    config = written(TROUBLES.replace("[0.5, 1, 2, 3, 4, 5]", "[0.5, 5, 1, 4]"))
    options = ["--plugin=trouble.py", "--workers=1", "--quiet"]
    assert run.main([str(config), "--fail-fast", *options]) == 1
    said = capsys.readouterr()
    folder = said.out.strip()
    assert said.err == (
        f"trial 4 failed: ValueError: one; of these; go on with\n  python -m nnframe.run --resume {folder} --plugin=trouble.py\n"
    )
    assert [row["trial"] for row in table(Path(folder) / "trials.csv")] == ["0", "1", "2", "3", "4"]
    assert run_json(folder)["status"] == "failed"
    with pytest.raises(nn.NNFrameError, match="trial 4 failed: ValueError: one; of these"):
        nn.sweep(config, workers=1, fail_fast=True)
    before = (Path(folder) / "trials.csv").read_text()
    assert run.main(["--resume", folder, *options]) == 0
    after = (Path(folder) / "trials.csv").read_text()
    assert after.startswith(before) and len(after.splitlines()) == 9
    assert run_json(folder)["status"] == "finished" and not list(Path(folder).glob(".*"))


def test_a_kill_between_the_two_renames_loses_nothing(here, monkeypatch):
    config = written(NUMBERS)
    expected = reproducible(swept(config, "--workers=1"))
    replaced, replace = [], results.os.replace

    def dying(source, target):
        if Path(target).name in results.TABLES:
            replaced.append(target)
            if len(replaced) == 2:
                raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(results.os, "replace", dying)
    with pytest.raises(KeyboardInterrupt):
        nn.sweep(config)
    monkeypatch.undo()
    monkeypatch.chdir(here)
    folder = replaced[0].parent
    assert sorted(path.name for path in folder.glob(".*")) == []
    assert (folder / "losses.sorted.csv").exists() and not (folder / "trials.sorted.csv").exists()
    seconds = [row["seconds"] for row in table(folder / "trials.csv")]
    assert run.main(["--resume", str(folder), "--quiet"]) == 0
    assert reproducible(folder) == expected and not list(folder.glob(".*"))
    assert [row["seconds"] for row in table(folder / "trials.csv")] == seconds  # nothing was trained again


def test_tables_that_were_changed_are_not_gone_on_with(trouble, capsys):
    config = written(TROUBLES)
    assert run.main([str(config), "--plugin=trouble.py", "--workers=1", "--fail-fast", "--quiet"]) == 1
    folder = Path(capsys.readouterr().out.strip())
    os.truncate(folder / "losses.csv", 100)
    assert run.main(["--resume", str(folder), "--plugin=trouble.py", "--quiet"]) == 2
    assert f"{folder}/losses.csv is not what the sweep wrote: expected at least " in capsys.readouterr().err
    assert (folder / "losses.csv").stat().st_size == 100
    (folder / "journal.jsonl").write_text("[[0, 1\n")
    assert run.main(["--resume", str(folder), "--plugin=trouble.py", "--quiet"]) == 2
    assert capsys.readouterr().err.startswith(f"{folder}/journal.jsonl is damaged, so the sweep cannot go on")


def test_a_storm(tmp_path, bare):
    script = [sys.executable, ROOT / "experiments/reliability/sweep_storm.py", "--deaths=1", "--epochs=30", "--out=table.csv"]
    done = subprocess.run(script, cwd=tmp_path, env=bare | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    rows = table(tmp_path / "table.csv")
    assert len(rows) in (7, 9) and all(int(row["deaths"]) > 0 and row["wrong"] == "0" for row in rows)


# ------------------------------------------------------------------------------------------ before and after


def run_json(folder):
    return json.loads((Path(folder) / "run.json").read_text())


SMALL = """
sweep: {seeds: 3, objective: {metric: accuracy}, parameters: {optimizer.lr: {low: 0.01, high: 1, scale: log, count: 3}, loss: [CrossEntropy, MSE]}}
"""


def test_the_winners_config_gives_the_winners_row(here, capsys):
    folder = swept(written(SMALL), "--workers=1")
    capsys.readouterr()
    assert command(["best", str(folder), "-o", "best.yaml"]) == 0
    assert capsys.readouterr().err.endswith(": written to best.yaml\n")
    first = table(folder / "summary.csv")[0]
    trial = min(int(row["trial"]) for row in table(folder / "trials.csv") if row["setting"] == first["setting"])
    alone = swept("best.yaml")
    lines = [told(line) for line in table(folder / "losses.csv") if line["trial"] == str(trial)]
    assert [told(line) for line in table(alone / "losses.csv")] == lines
    assert max(float(row["mean"]) for row in table(folder / "summary.csv")) == float(first["mean"])
    capsys.readouterr()
    assert command(["best", str(folder)]) == 0
    assert capsys.readouterr().out == Path("best.yaml").read_text()


def test_summary_has_a_row_a_setting(here):
    folder = swept(written(SMALL), "--workers=1")
    rows, trials = table(folder / "summary.csv"), table(folder / "trials.csv")
    assert list(rows[0]) == [
        "rank",
        "setting",
        "optimizer.lr",
        "config.loss",
        "n",
        "mean",
        "median",
        "sd",
        "low",
        "high",
        "behind",
        "p",
        "best",
        "worst",
        "diverged",
        "failed",
    ]
    assert [row["rank"] for row in rows] == list("123456") and sorted(row["setting"] for row in rows) == list("012345")
    for row in rows:
        own = [trial for trial in trials if trial["setting"] == row["setting"]]
        assert {(trial["optimizer.lr"], trial["config.loss"]) for trial in own} == {(row["optimizer.lr"], row["config.loss"])}
        assert float(row["mean"]) == pytest.approx(np.mean([float(trial["accuracy"]) for trial in own]), rel=1e-14)
        assert float(row["median"]) == pytest.approx(np.median([float(trial["accuracy"]) for trial in own]), rel=1e-14)
        assert float(row["worst"]) <= float(row["median"]) <= float(row["best"])
    assert float(rows[0]["low"]) < float(rows[0]["mean"]) < float(rows[0]["high"]) and {row["low"] for row in rows[1:]} == {""}
    assert {row["behind"] for row in rows} == {row["p"] for row in rows} == {""}  # three seeds are too few


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("losses.csv", lambda text: text.replace("\n4,2,", "\n4,2,9"), "differs in epoch 2: step was 96, is 6"),
        ("trials.csv", lambda text: text.replace("\n4,1,0.01,MSE", "\n4,1,0.02,MSE"), "differs: optimizer.lr was 0.02, is 0.01"),
        (
            "losses.csv",
            lambda text: text[: text.index("\n4,3,")] + text[text.index("\n5,1,") :],
            "differs: losses.csv has 2 epochs, it has 3",
        ),
    ],
)
def test_a_tampered_trial_is_found_out(here, capsys, name, change, said):
    folder = swept(written(SMALL), "--workers=1")
    capsys.readouterr()
    assert command(["trial", str(folder), "4"]) == 0
    assert capsys.readouterr().out.startswith("trial 4 is identical: 3 epochs, weights ")
    text = (folder / name).read_text()
    assert change(text) != text
    (folder / name).write_text(change(text))
    assert command(["trial", str(folder), "4"]) == 1
    assert capsys.readouterr().out == f"trial 4 {said}\n"


def test_what_cannot_be_asked_of_a_folder(here, capsys):
    folder = swept(written(SMALL), "--workers=1")
    capsys.readouterr()
    for arguments, said in (
        (["trial", str(folder), "18"], "expected a trial from 0 to 17, got 18"),
        (["best", "experiments"], "experiments is no sweep's folder: it has no trials.csv"),
    ):
        assert command(arguments) == 2
        assert capsys.readouterr().err == f"{said}\n"


def test_a_plan_tells_what_there_is_to_do(here, capsys):
    written(SMALL)
    assert command(["plan", "sweep.yaml", "--workers=2"]) == 0
    first, *table, last = capsys.readouterr().out.splitlines()
    assert first == "sweep: 6 settings x 3 seeds = 18 trials, ranked by accuracy (max)"
    assert [line.split()[:2] for line in table[1:]] == [["9", "5"], ["9", "5"]]
    assert [line.split(" ms ")[1].strip() for line in table[1:]] == ["loss=CrossEntropy", "loss=MSE"]
    assert last.startswith("2 stacks; about ") and last.endswith(" s on 2 workers")


def test_python_gets_columns(here):
    config = load(written(SMALL)).data | {"seed": 5}
    found = nn.sweep(config, ["sweep.seeds=2", "data.validation=0.25"], out="somewhere")
    assert found.folder.parent == Path("somewhere/run") and found.verdict.startswith("lr=")
    assert {name: column.dtype.kind for name, column in found.items()} == {
        "trial": "i", "setting": "i", "optimizer.lr": "f", "config.loss": "U", "seed": "i", "status": "U", "epochs": "i",
        "loss": "f", "best_loss": "f", "val_loss": "f", "best_val_loss": "f", "accuracy": "f", "best_accuracy": "f",
        "val_accuracy": "f", "best_val_accuracy": "f", "weights": "U", "reason": "U", "seconds": "f", "worker": "i",
    }  # fmt: skip
    assert (
        found["seed"].tolist() == [5, 6] * 6
        and found["config.loss"].tolist() == ["CrossEntropy"] * 2 + ["MSE"] * 2 + (["CrossEntropy"] * 2 + ["MSE"] * 2) * 2
    )
    np.testing.assert_allclose(found["optimizer.lr"], np.repeat([0.01, 0.1, 1], 4))
    by_path = nn.sweep("sweep.yaml", ["sweep.seeds=2", "data.validation=0.25", "seed=5"])
    for name in set(found) - {"seconds"}:
        np.testing.assert_array_equal(by_path[name], found[name])


def test_a_script_that_workers_cannot_import_is_told_so(here, bare):
    written(SMALL)
    Path("script.py").write_text("import nnframe as nn\n\nnn.sweep('sweep.yaml', workers=2)\n")
    done = subprocess.run([sys.executable, "script.py"], env=bare | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.endswith("a script that calls nn.sweep needs `if __name__ == '__main__':` around it\n")
    (folder,) = Path("experiments/runs/sweep").iterdir()  # the workers made none
    assert run_json(folder)["status"] == "failed"


def test_parameters_can_be_given_on_the_command_line(here, capsys):
    written("")
    assert run.main(["sweep.yaml", "sweep.seeds=2", "sweep.parameters.optimizer.lr=[0.1, 0.2]", "--workers=1"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "sweep: 2 settings x 2 seeds = 4 trials, ranked by val_loss (min)" and said[1].startswith("4 trials in ")
    assert said[2].split() == ["lr", "mean", "±", "sd", "median", "worst", "seed", "best", "seed", "behind", "p", "n"]
    assert said[5].startswith("val_loss: lr=0.2: ") and said[-1].startswith("experiments/runs/sweep/")


def test_the_example_sweeps(place):
    assert prepare(load(Path("digits-sweep.yaml"))).trials.count == 256
    folder = swept("digits-sweep.yaml", "train.epochs=1", "sweep.seeds=5", "sweep.parameters.optimizer.lr=[1e-3, 1e-2]", "--workers=1")
    best, other = table(folder / "summary.csv")
    assert best["optimizer.lr"] == "0.01" and float(best["low"]) < float(best["mean"]) < float(best["high"])
    assert other["behind"] == "yes" and 0 < float(other["p"]) < 0.05


def test_trials_without_the_objective_are_no_crash(here, capsys):
    written("sweep: {seeds: 2, parameters: {data.validation: [null, 0.25]}}")
    assert run.main(["sweep.yaml", "--workers=1"]) == 0
    *_, verdict, _, _, failed, folder = capsys.readouterr().out.splitlines()
    assert verdict.startswith("val_loss: validation=0.25: ") and verdict.endswith(
        ", best of 2 over 2 seeds. 2 seeds: too few to say which is better."
    )
    assert failed == "2 of 4 trials failed or have no val_loss; trials.csv says why"
    rows = table(Path(folder) / "trials.csv")
    assert [(row["status"], bool(row["val_loss"])) for row in rows] == [("finished", False)] * 2 + [("finished", True)] * 2


def test_progress_is_told_now_and_then(here, capsys, monkeypatch):
    monkeypatch.setattr(runner, "SHOW", 0.0)
    monkeypatch.setattr(plan, "block_size", lambda *_: 4)
    assert run.main([str(written(SMALL)), "--workers=1"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if " of 18 trials, failed 0, best 0." in line]
    assert [int(line.split()[0]) for line in lines] == [3, 6, 9, 12, 15, 18] and lines[-1].endswith(", about 0 s left")


def test_a_terminal_has_a_bar(here, capsys, monkeypatch):
    for name in ("COLUMNS", "LINES"):  # set in the workers of pytest-xdist, and older versions of tqdm go by them
        monkeypatch.delenv(name, raising=False)
    for stream in (sys.stdout, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    assert run.main([str(written(SMALL)), "--workers=1"]) == 0
    err = capsys.readouterr().err
    assert "0/18" in err and re.search(r"sweep  \|.*\|  \d+/18  best 0\.\d+  failed 0  00:0\d left", err)


def test_a_machine_that_does_not_keep_the_promise_is_found_out(here, capsys, monkeypatch):
    monkeypatch.setattr(plugins, "LOADED", [])  # with code of others, workers alone train
    monkeypatch.setattr(nn.Tanh, "forward", lambda self, x, training=False: x * len(x))
    monkeypatch.setattr(nn.Tanh, "backward", lambda self, dy, need_dx=True: dy)
    swept(written(SMALL), "--workers=1")
    assert capsys.readouterr().err == "warning: with this BLAS a trial in a stack is not, to the last bit, the same trial alone\n"


def test_python_says_lists_in_its_own_ways(here):
    config = load(written(SMALL)).data | {"sweep": {"seeds": range(2), "parameters": {"optimizer.lr": np.geomspace(0.01, 1, 3)}}}
    found = nn.sweep(config)
    np.testing.assert_array_equal(found["optimizer.lr"], np.repeat(np.geomspace(0.01, 1, 3), 2))
    assert load(found.folder / "config.yaml").data["sweep"]["seeds"] == [0, 1]


def test_a_failed_trial_is_nan_in_python(trouble):
    found = nn.sweep(written(TROUBLES), ["sweep.parameters={model.1.kind: [0.5, 1]}"], plugins=["trouble.py"])
    assert np.isnan(found["loss"]).tolist() == [False, False, True, True] and found["epochs"].tolist() == [3, 3, 0, 0]
    assert found["model.1.kind"].tolist() == [0.5, 0.5, 1, 1]


def test_files_stand_beside_the_config_that_names_them(here, monkeypatch):
    Path("data.npz").rename("other.npz")
    np.savez("data.npz", **{name: array[:40] for name, array in np.load("other.npz").items()})
    config = written("sweep: {parameters: {data.path: [data.npz, other.npz], train.epochs: [1]}}").absolute()
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    folder = swept(config, "--workers=1")
    rows = table(folder / "trials.csv")
    assert [row["data.path"] for row in rows] == [str(here / "data.npz"), str(here / "other.npz")] and rows[0]["loss"] != rows[1]["loss"]
    assert command(["trial", str(folder), "1"]) == 0


def test_a_resumed_sweep_evaluates_as_before(here):
    """The rows to evaluate at a time follow from each trial's own shapes, and not from the first one's."""
    config = written("sweep: {parameters: {model.0.units: [4, 3000], optimizer.type: [Adam, SGD]}}\noptimizer: {momentum: 0.5}")
    folder = swept(config, "--workers=1")
    assert load(folder / "config.yaml").data["train"]["eval_batch_size"] is None
    assert load(folder / "config.yaml").data["optimizer"]["momentum"] == 0.5
    assert reproducible(swept(folder / "config.yaml", "--workers=1")) == reproducible(folder)
