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
