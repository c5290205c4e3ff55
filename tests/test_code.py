"""Format, lint and types, so that one command checks all there is to check."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("tool", ["ruff format --check --quiet .", "ruff check .", "mypy"])
def test_code(tool):
    done = subprocess.run([sys.executable, "-m", *tool.split()], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ci_runs_the_readmes_test_command():
    done = subprocess.run(["bash", ".ci/run", "--print"], cwd=ROOT, capture_output=True, text=True, check=True)
    readme = (ROOT / "README.md").read_text().split("```")
    assert done.stdout.strip() in readme[1] + readme[3]
    assert "pytest" in done.stdout


def test_every_dependency_has_a_lower_bound():
    """From which .ci/run makes the versions that it tests, too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert [dependency for dependency in project["dependencies"] if not re.fullmatch(r"[a-z]+>=[\d.]+", dependency)] == []


TYPED = """
from dataclasses import KW_ONLY

import numpy as np

import nnframe as nn

nn.SGD(lr=0.1)
nn.SGD(0.1, momentum=[0.1, 0.2], weight_decay=np.ones(2))
nn.Adam(nn.Cosine(0.1), betas=(0.9, 0.99))
nn.Dense(3, name="head").build(4).params.sum()
nn.SGD(lrr=0.1)  # error: call-arg
nn.SGD(0.1, 0.9)  # error: call-arg
nn.SGD("fast")  # error: arg-type
nn.Dense()  # error: call-arg


class Scale(nn.Layer):
    by: nn.PerRun[float] = 1.0
    _: KW_ONLY
    loud: bool = False
    W: np.ndarray = nn.field(init=False)

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        w = self.arrays_for(x, training)
        return x * w.by * self.W

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray:
        return dy * self.typo  # error: attr-defined


Scale(2.0, loud=True, name="a")
Scale(W=np.ones(3))  # error: call-arg
Scale(2.0, True)  # error: call-arg
Scale(loud="yes")  # error: arg-type
"""


def test_mypy_knows_the_constructor_and_finds_typos(tmp_path):
    (tmp_path / "typed.py").write_text(TYPED)
    done = subprocess.run([sys.executable, "-m", "mypy", str(tmp_path / "typed.py")], cwd=ROOT, capture_output=True, text=True)
    found: dict[int, str] = {}  # the first error of each line
    for number, code in re.findall(r"typed\.py:(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.M):
        found.setdefault(int(number), code)
    assert found == {i: line.rpartition("# error: ")[2] for i, line in enumerate(TYPED.splitlines(), 1) if "# error: " in line}, done.stdout
