import os
import shutil
from pathlib import Path

import numpy as np
import pytest

# What makes NumPy and its BLAS take another kind of CPU than the machine's, or other sizes of blocks: it changes bytes.
KIND_OF_CPU = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "MKL_ENABLE_INSTRUCTIONS", "BLIS_ARCH_TYPE", "NPY_DISABLE_CPU_FEATURES")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """The whole suite runs in two processes and tells its ten slowest tests, unless options say otherwise; a part of it starts at once, in one."""
    option = config.option
    if config.args != config.getini("testpaths") or option.keyword or hasattr(config, "workerinput"):  # what a worker of xdist has
        return
    if config.pluginmanager.hasplugin("xdist") and option.numprocesses is None and not option.usepdb:
        option.numprocesses = 2
    if option.durations is None:
        option.durations = 10


@pytest.fixture(autouse=True)
def strict():
    """NumPy raises where it would warn or keep silent. `fit` and `predict` set their own state: overflow is a run's own affair."""
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def bare():
    """An environment with nothing in it but the kind of CPU."""
    return {name: os.environ[name] for name in KIND_OF_CPU if name in os.environ}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with the example configs and data, as the current one."""
    shutil.copytree(Path(__file__).parent.parent / "configs", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path
