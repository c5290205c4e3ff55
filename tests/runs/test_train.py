"""What a run's folder has lost, or holds in place of its files, is told and never guessed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nnframe import run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(place, capsys):
    assert run.main(["iris.yaml", "train.epochs=3", "--quiet"]) == 0
    return Path(capsys.readouterr().out.strip())


@pytest.mark.parametrize("record", [None, "", "[1]", "null", '{"identity": [1]}', "[" * 100_000])
def test_a_finished_run_with_a_damaged_record(folder, capsys, record):
    before = (folder / "losses.csv").read_bytes(), (folder / "weights.npz").read_bytes()
    if record is None:  # every field is there, and says nothing
        record = json.dumps(dict.fromkeys(json.loads((folder / "run.json").read_text())))
    (folder / "run.json").write_text(record)
    assert run.main(["--resume", str(folder), "--quiet"]) == 0
    assert ((folder / "losses.csv").read_bytes(), (folder / "weights.npz").read_bytes()) == before
    assert json.loads((folder / "run.json").read_text())["status"] == "finished"


@pytest.mark.parametrize("results", [None, 3, {}])
def test_a_record_without_results(folder, capsys, results):
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {"results": results, "resumed": results}))
    assert run.main(["--resume", str(folder), "--quiet"]) == 0


@pytest.mark.parametrize("name", ["run.json", "losses.csv", "timing.csv"])
def test_a_pipe_where_a_file_should_be_does_not_hang(folder, name):
    (folder / name).unlink()
    os.mkfifo(folder / name)
    script = [sys.executable, "-m", "nnframe.run", "--resume", str(folder), "train.epochs=4", "--quiet"]
    done = subprocess.run(script, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr
    assert done.returncode == (0 if name == "run.json" else 2) and (name == "run.json" or f"{name} is not a regular file" in done.stderr)


def test_a_lost_checkpoint_is_told(folder, capsys):
    before = (folder / "losses.csv").read_bytes()
    for path in folder.glob("checkpoint*"):
        path.unlink()
    (folder / "run.json").unlink()
    assert run.main(["--resume", str(folder), "--quiet"]) == 0
    assert capsys.readouterr().err == f"warning: {folder} has no checkpoint.npz, so training begins anew, and so does losses.csv\n"
    assert (folder / "losses.csv").read_bytes() == before


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
@pytest.mark.parametrize("name", ["config.yaml", "checkpoint.npz", "checkpoint.before.npz", "losses.csv", "timing.csv", "weights.npz"])
def test_what_is_no_file_is_told(folder, name, make):
    (folder / name).unlink()
    make(folder / name)
    script = [sys.executable, "-m", "nnframe.run", "--resume", str(folder), "train.epochs=4", "--quiet"]
    done = subprocess.run(script, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in done.stderr
    replaced = make is os.mkfifo and name in ("checkpoint.npz", "checkpoint.before.npz", "weights.npz")
    assert done.returncode == (0 if replaced else 2) and (name in done.stderr or (replaced and name != "checkpoint.npz"))
