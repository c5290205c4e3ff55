"""`nnframe replay`: a folder's config trained again, and every way in which a folder can be something else than what its config gives."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from nnframe.command.main import main
from nnframe.components import plugins
from nnframe.components.registry import REGISTRY

ROOT = Path(__file__).parents[2]
SCALE = """
import nnframe as nn

class Twice(nn.Layer):
    def forward(self, x, *, training=False):
        return 2 * x

    def backward(self, dy, *, need_dx=True):
        return 2 * dy
"""


def do(capsys, *arguments):
    capsys.readouterr()
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return status, captured.out, captured.err


def trained(capsys, config, *changes):
    """The folder of a run or a sweep."""
    _, out, _ = do(capsys, "run", config, "--quiet", *changes)
    return Path(out.splitlines()[0])


def told(capsys, folder, *more):
    """Exit status, and what it says after the headline."""
    status, out, err = do(capsys, "replay", folder, *more)
    assert err == ""
    return status, out.partition("\n")[2]


def edited(path, change):
    text = path.read_text()
    assert change(text) != text
    path.write_text(change(text))


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_is_replayed_to_the_last_bit(place, capsys, path):
    relative = path.relative_to(ROOT / "configs")
    small = (
        ["sweep.parameters={optimizer.lr: [0.01, 0.1]}", "sweep.seeds=2"] if "sweep:" in path.read_text() and "digits" in path.stem else []
    )
    folder = trained(capsys, relative, "train.epochs=2", *small)
    before = contents(folder)
    status, said = told(capsys, folder)
    assert status == 0 and re.match(r"identical to the last bit: (2 epochs, weights.npz|\d+ of \d+ trials; their logs and the)", said), said
    assert contents(folder) == before


def test_a_log_that_says_something_else(place, capsys):
    folder = trained(capsys, "iris.yaml", "train.epochs=4")
    rows = (folder / "losses.csv").read_text().splitlines(keepends=True)
    cells = rows[3].split(",")
    for column, value in ((2, "0.25"), (3, "")):
        was = [*cells[:column], value, *cells[column + 1 :]]
        (folder / "losses.csv").write_text("".join([*rows[:3], ",".join(was), rows[4]]))
        name, shown = rows[0].split(",")[column], value or "empty"
        as_before = "config, data, versions, BLAS, machine and plugins are as they were.\n"
        assert told(capsys, folder) == (1, f"different: epoch 3: {name} was {shown}, is {cells[column]}\n{as_before}")
    (folder / "losses.csv").write_text("".join(rows[:4]))
    assert told(capsys, folder)[1].startswith("different: losses.csv ends after epoch 3, and training now goes on\n")
    (folder / "losses.csv").write_text("".join([*rows, "5,20,1,1,1,1,1\n"]))
    assert told(capsys, folder)[1].startswith("different: training now ends after epoch 4, and losses.csv goes on to epoch 5\n")
    (folder / "losses.csv").write_text("".join([rows[0].replace("accuracy", "precision"), *rows[1:]]))
    assert "different: losses.csv has the columns epoch, step, loss, val_loss, precision" in told(capsys, folder)[1]


def test_weights_that_are_others(place, capsys):
    folder = trained(capsys, "xor.yaml", "train.epochs=3", "callbacks=[{type: BestWeights, monitor: loss}]")
    assert told(capsys, folder) == (0, "identical to the last bit: 3 epochs, weights.npz, best.npz\n")
    whole = dict(np.load(folder / "weights.npz"))
    for name in ("weights.npz", "best.npz"):
        before = (folder / name).read_bytes()
        other = {key: array.copy() for key, array in whole.items()}
        other["0.W"][1, 2] = -0.0 if name == "weights.npz" else 7
        np.savez(folder / name, **other)
        status, said = told(capsys, folder)
        assert status == 1 and re.match(rf"different: {name}: 0\.W\[1, 2\] was (-0\.0|7\.0), is .*; 1 of its 16 numbers differ\n", said), (
            said
        )
        np.savez(folder / name, **{"0.W": whole["0.W"]})
        assert told(capsys, folder)[1].startswith(f"different: {name} holds 0.W, and now they are 0.W, 0.b, 2.W, 2.b\n")
        (folder / name).unlink()
        assert told(capsys, folder)[1].startswith(f"different: there is no file {folder / name}\n")
        (folder / name).write_bytes(before)


def test_what_has_changed_since_is_told_beside_a_difference(place, capsys):
    folder = trained(capsys, "iris.yaml", "train.epochs=2")
    record = json.loads((folder / "run.json").read_text())
    record["versions"]["numpy"], record["blas"] = "1.26.4", [{"internal_api": "mkl", "version": "7", "architecture": "Z80"}]
    record["plugins"] = [{"plugin": "old.py", "path": "/old.py", "sha256": "ab" * 32}]
    (folder / "run.json").write_text(json.dumps(record))
    now = (
        f"versions.numpy: +1.26.4 +\\| +{np.__version__}\n  blas: +mkl 7 Z80 +\\| +\\w[^|]*\n  plugins.old.py: +{'ab' * 8} +\\| +nothing\n"
    )
    status, said = told(capsys, folder)
    assert status == 0 and re.fullmatch(rf"identical to the last bit: 2 epochs, weights.npz, although this has changed:\n  {now}", said)
    record |= {"versions": record["versions"] | {"numpy": np.__version__}, "blas": [], "plugins": []}
    (folder / "run.json").write_text(json.dumps(record))  # SciPy's BLAS is there only once SciPy is in use
    assert told(capsys, folder) == (0, "identical to the last bit: 2 epochs, weights.npz\n")
    with (place / "data" / "iris.csv").open("a") as file:
        file.write("5.1,3.5,1.4,0.2,setosa\n")
    status, said = told(capsys, folder)
    assert status == 1 and said.startswith("different: epoch 1: loss was ")
    assert "\nsince then, this has changed:\n" in said
    assert re.search(rf"\n  the data's hash \({re.escape(str(place / 'data' / 'iris.csv'))}\): +[0-9a-f]{{16}} +\| +[0-9a-f]{{16}}\n", said)


def test_data_that_are_elsewhere_or_gone(place, capsys):
    folder = trained(capsys, "iris.yaml", "train.epochs=2")
    shutil.move(place / "data" / "iris.csv", place / "moved.csv")
    status, out, err = do(capsys, "replay", folder)
    assert (status, out) == (2, "")
    assert f"if the data are elsewhere now: nnframe replay {folder} data.path=FILE\n" in err
    assert f"data.path: there is no file {place / 'data' / 'iris.csv'}" in err
    assert told(capsys, folder, "data.path=moved.csv") == (0, "identical to the last bit: 2 epochs, weights.npz\n")


def test_a_run_that_its_clock_ended(place, capsys):
    early = "{type: EarlyStopping, monitor: loss, patience: 1000000}"
    folder = trained(capsys, "gender.yaml", "train.epochs=1000000", "train.max_seconds=0.4", f"callbacks=[{early}]")
    epochs = len((folder / "losses.csv").read_text().splitlines()) - 1
    status, said = told(capsys, folder)
    assert status == 0
    assert (
        said
        == f"identical to the last bit: {epochs:,} epoch{'s' * (epochs > 1)}, as many as train.max_seconds left time for of 1,000,000, weights.npz\n"
    )


def test_an_ensemble_is_replayed_with_the_weights_of_its_members(place, capsys):
    folder = trained(capsys, "iris.yaml", "train.epochs=2", "ensemble=3", "callbacks=[BestWeights]")
    assert told(capsys, folder) == (0, "identical to the last bit: 2 epochs, weights.npz, best.npz\n")
    weights = dict(np.load(folder / "weights.npz"))
    weights["0.W"][2, 1, 0] = 9
    np.savez(folder / "weights.npz", **weights)
    assert told(capsys, folder)[1].startswith("different: weights.npz: 0.W[2, 1, 0] was 9.0, is ")


def test_a_run_that_diverged(place, capsys):
    folder = trained(capsys, "iris.yaml", "optimizer={type: SGD, lr: 1e30}")
    assert json.loads((folder / "run.json").read_text())["status"] == "diverged"
    assert told(capsys, folder) == (0, "identical to the last bit: 1 epoch, weights.npz\n")


def test_a_run_that_was_killed_and_one_that_goes_on(place, capsys):
    arguments = [sys.executable, "-m", "nnframe", "run", "gender.yaml", "train.epochs=10000000", "--out", "out", "--quiet"]
    process = subprocess.Popen(arguments, env=os.environ | {"PYTHONPATH": str(ROOT)})
    while not (logs := list(place.glob("out/*/*/losses.csv"))) or logs[0].read_text().count("\n") < 3:
        time.sleep(0.05)
    folder = logs[0].parent
    assert re.fullmatch(r"identical to the last bit: [\d,]+ epochs of 10,000,000, since the run has not ended\n", told(capsys, folder)[1])
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = contents(folder)
    assert re.fullmatch(r"identical to the last bit: [\d,]+ epochs of 10,000,000, since the run has not ended\n", told(capsys, folder)[1])
    assert contents(folder) == before
    edited(folder / "losses.csv", lambda text: text.replace("\n2,8,0", "\n2,8,1"))
    assert told(capsys, folder)[1].startswith("different: epoch 2: loss was 1")


def test_a_folder_that_nobody_may_write_to(place, capsys):
    folder = trained(capsys, "gender.yaml", "train.epochs=3")
    for path in (*folder.iterdir(), folder):
        path.chmod(path.stat().st_mode & ~0o222)
    try:
        assert told(capsys, folder) == (0, "identical to the last bit: 3 epochs, weights.npz\n")
    finally:
        folder.chmod(0o755)


def test_a_plugin_is_named_as_for_training(place, capsys, monkeypatch):
    monkeypatch.setattr(plugins, "LOADED", [])
    (place / "mine.py").write_text(SCALE)
    try:
        folder = trained(capsys, "gender.yaml", "train.epochs=2", "model.1=Twice", "--plugin", place / "mine.py")
        assert told(capsys, folder, "--plugin", place / "mine.py") == (0, "identical to the last bit: 2 epochs, weights.npz\n")
    finally:
        del REGISTRY["layer"]["Twice"]
    monkeypatch.setattr(plugins, "LOADED", [])
    status, out, err = do(capsys, "replay", folder)
    assert (status, out) == (2, "") and "unknown layer 'Twice'" in err
    assert err.startswith(f"plugins were in use that are not loaded now: {place / 'mine.py'}; name them by --plugin\n")


def test_a_sweep_is_replayed_trial_by_trial(place, capsys):
    sweep = ["sweep={seeds: 5, parameters: {optimizer.lr: [0.01, 0.1]}, confirm: {top: 1, seeds: 2}}", "data.test=0.2", "train.epochs=2"]
    folder = trained(capsys, "iris.yaml", *sweep, "--workers=1")
    before = contents(folder)
    status, out, err = do(capsys, "replay", folder, "--workers=1")
    counts = "10 of 10 trials, 2 of 2 trials of confirm/, 2 of 2 trials of test/; their logs and the hashes of their weights"
    assert (status, err) == (0, "") and out.splitlines()[1:] == [f"identical to the last bit: {counts}"]
    assert contents(folder) == before
    record = json.loads((folder / "run.json").read_text())
    record["versions"]["python"] = "2.7"
    (folder / "run.json").write_text(json.dumps(record))
    edited(folder / "losses.csv", lambda text: text.replace("\n7,2,", "\n7,2,9"))
    status, out, _ = do(capsys, "replay", folder, "--workers=1")
    assert status == 1 and re.search(
        r"\ndifferent: trial 7 differs in epoch 2: step was 9\d+, is \d+\nsince then, .*:\n  versions.python: +2.7 +\| +3", out
    )


def test_what_is_no_folder_of_a_run(place, capsys):
    for folder in ("nowhere", "data"):
        said = f"{folder} is the folder of no run and of no sweep: it has no config.yaml\n"
        assert do(capsys, "replay", folder) == (2, "", said)
    folder = trained(capsys, "gender.yaml", "train.epochs=2")
    (folder / "losses.csv").write_text("epoch,step,loss,val_loss,binary_accuracy,lr\n")
    assert do(capsys, "replay", folder) == (2, "", f"{folder}: losses.csv has no epoch to compare with\n")
    (folder / "run.json").rename(folder / "gone.json")
    (folder / "losses.csv").write_text("epoch,step,loss,val_loss,binary_accuracy,lr\n1,4,1,,1,1\n")
    said = "run.json is missing or damaged, so nothing says with which versions and data this was trained.\n"
    assert re.fullmatch(rf"different: epoch 1: loss was 1, is 0\.\d+\n{said}", told(capsys, folder)[1])
    (folder / "losses.csv").write_text("epoch,step\n1\n")
    assert do(capsys, "replay", folder) == (2, "", f"{folder / 'losses.csv'}:2: expected 2 cells, as in the first line, got 1\n")
    (folder / "losses.csv").unlink()
    assert do(capsys, "replay", folder)[2].startswith(f"there is no file {folder / 'losses.csv'}")
