"""Imports go one way, down the house list of the design, and starting loads no more than NumPy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ORDER = [
    "synonyms",
    "errors",
    "work",
    "files",
    "markers",
    "registry",
    "kinds",
    "meant",
    "checks",
    "component",
    "streams",
    "blas",
    "initializers",
    "schedules",
    "npz",
    "layers.layout",
    "layers.base",
    "layers.dense",
    "layers.activations",
    "layers.dropout",
    "layers.normalization",
    "layers.containers",
    "layers.weights",
    "losses",
    "metrics",
    "optimizers",
    "gradcheck",
    "data.dataset",
    "data.transforms",
    "data.source",
    "data.csv",
    "data.arrays",
    "data.digits",
    "data.batches",
    "training.signals",
    "training.callbacks",
    "training.checkpoint",
    "training.loop",
    "training.fit",
    "training.log",
    "config.syntax",
    "sweeps.space",
    "config.reading",
    "config.compose",
    "config.check",
    "config.build",
    "config.schema",
    "plugins",
    "runs",
    "sweeps.plan",
    "sweeps.block",
    "sweeps.execute",
    "sweeps.prepare",
    "sweeps.results",
    "sweeps.statistics",
    "sweeps.runner",
    "sweeps.verbs",
    "sweeps.api",
    "run",
    "verbs",
    "__main__",
]


def name_of(path):
    return ".".join(path.relative_to(ROOT / "nnframe").with_suffix("").parts)


MODULES = {name_of(path): path for path in sorted((ROOT / "nnframe").rglob("*.py")) if path.name != "__init__.py"}


def imports(path):
    """The package's own modules that a file imports, anywhere but under TYPE_CHECKING; "" is the package itself."""
    waiting, found = [ast.parse(path.read_text())], set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name.removeprefix("nnframe.") in MODULES else node.module for name in inner]
        else:
            names = []
            waiting += ast.iter_child_nodes(node)
        found |= {name.removeprefix("nnframe").removeprefix(".") for name in names if name.split(".")[0] == "nnframe"}
    return found


def reached_from(names):
    reached, waiting = set(), set(names)
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= imports(MODULES[name]) - reached - {""}
    return reached


def test_every_module_has_its_place():
    assert sorted(MODULES) == sorted(ORDER)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_from_above(name):
    above = {*ORDER[: ORDER.index(name)], ""}
    assert imports(MODULES[name]) <= above


def test_what_the_package_imports_does_not_import_the_package():
    """Only what stands outside of `import nnframe`, such as the command, may use it as a whole."""
    for name in reached_from(imports(ROOT / "nnframe" / "__init__.py") - {"sweeps.api"}):  # which imports when it is called
        assert "" not in imports(MODULES[name]), name


def test_the_walk_finds_imports(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        "from typing import TYPE_CHECKING\nimport nnframe.losses\nfrom nnframe import blas, __version__\n"
        "if TYPE_CHECKING:\n    import nnframe.run\nelse:\n    import nnframe.npz\n"
        "def f():\n    from nnframe.layers.base import Layer\n    from nnframe.layers import layout\n"
    )
    assert imports(path) == {"losses", "blas", "", "npz", "layers.base", "layers.layout"}


def test_starting_loads_no_heavy_packages():
    script = "import sys, nnframe; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    assert "numpy" in loaded
    assert not {"scipy", "msgspec", "tqdm", "yaml", "threadpoolctl", "zipfile"} & set(loaded)  # zipfile: importlib.metadata
