"""Imports go one way, down the house list of the design, and starting loads no more than NumPy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOUSE = [  # from the ground up: a folder imports from those before it
    "errors",
    "streams",
    "components",
    "system",
    "initializers",
    "schedules",
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "gradcheck",
    "data",
    "training",
    "probes",
    "config",
    "runs",
    "sweeps",
    "command",
    "run",
    "__main__",
]
TIED_BY_TYPES = {("layers.layout", "layers.base")}  # a layout is of layers, and a layer is laid out


def name_of(path):
    return ".".join(path.relative_to(ROOT / "nnframe").with_suffix("").parts)


MODULES = {name_of(path): path for path in sorted((ROOT / "nnframe").rglob("*.py")) if path.name != "__init__.py"}


def imports(path, *, types=False):
    """The package's own modules that a file imports, under TYPE_CHECKING only with `types`; "" is the package itself."""
    waiting, found = [ast.parse(path.read_text())], set()
    while waiting:
        node = waiting.pop()
        if not types and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
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


def folder_of(name):
    return name.partition(".")[0]


def test_every_folder_has_its_place():
    assert {folder_of(name) for name in MODULES} == set(HOUSE)


@pytest.mark.parametrize("name", MODULES)
def test_a_folder_imports_only_from_those_before_it(name):
    before = {*HOUSE[: HOUSE.index(folder_of(name)) + 1], ""}
    assert {folder_of(found) for found in imports(MODULES[name], types=True)} <= before


@pytest.mark.parametrize("folder", sorted({folder_of(name) for name in MODULES}))
def test_there_are_no_circles_in_a_folder(folder):
    edges = {name: imports(MODULES[name], types=True) for name in MODULES if folder_of(name) == folder}
    edges = {name: {found for found in edges[name] & edges.keys() if (name, found) not in TIED_BY_TYPES} for name in edges}
    while free := [name for name in edges if not edges[name] & edges.keys()]:
        for name in free:
            del edges[name]
    assert not edges, "a circle among these, or something that imports from one"


def test_the_pair_that_is_tied_is_so_by_types_only():
    for one, other in TIED_BY_TYPES:
        assert other in imports(MODULES[one], types=True) and other not in imports(MODULES[one])


def test_what_the_package_imports_does_not_import_the_package():
    """Only what stands outside of `import nnframe`, such as the command, may use it as a whole."""
    for name in reached_from(imports(ROOT / "nnframe" / "__init__.py") - {"sweeps.api"}):  # which imports when it is called
        assert "" not in imports(MODULES[name]), name


def test_the_walk_finds_imports(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        "from typing import TYPE_CHECKING\nimport nnframe.losses.base\nfrom nnframe.system import blas\nfrom nnframe import __version__\n"
        "if TYPE_CHECKING:\n    import nnframe.run\nelse:\n    import nnframe.system.npz\n"
        "def f():\n    from nnframe.layers.base import Layer\n    from nnframe.layers import layout\n"
    )
    found = {"losses.base", "system.blas", "", "system.npz", "layers.base", "layers.layout"}
    assert imports(path) == found
    assert imports(path, types=True) == found | {"run"}


def test_starting_loads_no_heavy_packages():
    script = "import sys, nnframe; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    assert "numpy" in loaded
    assert not {"scipy", "msgspec", "tqdm", "yaml", "threadpoolctl", "zipfile"} & set(loaded)  # zipfile: importlib.metadata
