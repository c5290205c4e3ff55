"""A short form of experiments/reliability/storm.py: killed at any instant and resumed, training leaves the same bytes."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

FORGETFUL = """
import nnframe as nn


class Forgetful(nn.Layer):
    '''Counts its steps where no checkpoint sees it.'''

    def setup(self, features):
        self.count = 0
        return features

    def forward(self, x, *, training=False):
        self.count += training
        return x * (1 + self.count / 100)

    def backward(self, dy, *, need_dx=True):
        return dy * (1 + self.count / 100)
"""


def storm(*arguments, cwd, env):
    command = [sys.executable, ROOT / "experiments/reliability/storm.py", *arguments]
    return subprocess.run(command, cwd=cwd, env=env | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300)


def test_nothing_is_lost_in_a_storm(tmp_path, bare):
    done = storm("--calls=8", "--row=6", "--random=5", "--signals=3", "--epochs=5", "--out=table.csv", cwd=tmp_path, env=bare)
    assert (done.returncode, done.stderr) == (0, "")
    head, *rows = (line.split(",") for line in (tmp_path / "table.csv").read_text().splitlines())
    assert head[-5:] == ["deaths", "runs", "runs_that_differ", "slowest_end", "seconds"]
    assert len(rows) == 16
    for row in rows:
        assert int(row[-5]) > 0 and int(row[-4]) > 0 and row[-3] == "0" and float(row[-2]) < 5


def test_the_storm_finds_out_a_layer_that_forgets(tmp_path, bare):
    (tmp_path / "forgetful.py").write_text(FORGETFUL)
    every = ["train.epochs=5", "train.checkpoint={seconds: 1e-9}", "--calls=6", "--row=0", "--random=0", "--signals=0"]
    done = storm(ROOT / "configs/iris.yaml", "model.1=Forgetful", "--plugin=forgetful.py", *every, cwd=tmp_path, env=bare)
    assert done.returncode == 1
    assert "iris, SIGKILL at a call, run" in done.stderr and "differ in losses.csv, weights.npz" in done.stderr
