"""How the command ends when its surroundings fail it: a full device, a plugin that ends the process, Ctrl-C at any time."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nnframe.command.main import main as command
from nnframe.components import plugins
from nnframe.components.registry import REGISTRY

ROOT = Path(__file__).parents[2]
FULL = Path("/dev/full")
SWEEP = "{parameters: {optimizer.lr: [0.1, 0.2]}}"

ENDS = """
import signal
import sys

import nnframe as nn


class Ends(nn.Layer):
    '''y = x, or the end.'''

    def __init__(self, how: str = "") -> None:
        self.how = how

    def setup(self, features):
        if self.how == "setup":
            sys.exit("in setup")
        return features

    def forward(self, x, *, training=False):
        if training and self.how == "exit":
            sys.exit(0)
        if training and self.how == "interrupt":
            raise KeyboardInterrupt
        if training and self.how == "signals":
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        return x

    def backward(self, dy, *, need_dx=True):
        return dy
"""


def started(*arguments, environment=None, **options):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""} | (environment or {})
    return subprocess.Popen([sys.executable, "-m", *arguments], env=environment, stderr=subprocess.PIPE, **options)


def wait(child):
    """Exit status and what it said."""
    out, err = child.communicate(timeout=60)
    return child.returncode, out, err.decode()


def to(device, *arguments):
    """What a command whose output goes to a file ends with."""
    with device.open("wb") as out:
        return wait(started(*arguments, stdout=out))[::2]


# ------------------------------------------------------------------------------------------------- full devices

VERBS = [
    ("nnframe.run", "gender.yaml", "train.epochs=2"),
    ("nnframe.run", "gender.yaml", "train.epochs=2", "--quiet"),
    ("nnframe", "run", "gender.yaml", "train.epochs=2"),
    ("nnframe", "run", "--help"),
    ("nnframe", "check", "gender.yaml"),
    ("nnframe", "list"),
    ("nnframe", "show", "gender.yaml"),
    ("nnframe", "schema"),
    ("nnframe", "plan", "gender.yaml", f"sweep={SWEEP}", "--workers=1"),
    ("nnframe", "--help"),
    ("nnframe", "--version"),
]


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("arguments", VERBS, ids=" ".join)
def test_a_full_device_is_told(place, arguments):
    status, said = to(FULL, *arguments)
    assert (status, "Traceback" in said) == (2, False), said
    assert said.endswith("cannot write to the standard output: No space left on device\n")


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
def test_training_that_could_not_print_can_be_gone_on_with(place):
    status, said = to(FULL, "nnframe.run", "gender.yaml", "train.epochs=2", "log.every=1")
    assert status == 2 and "go on with\n  python -m nnframe.run --resume experiments/runs/gender/" in said
    assert to(Path(os.devnull), "nnframe.run", "--resume", said.partition("--resume ")[2].split()[0])[0] == 0


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "arguments, status",
    [
        (("nnframe.run", "gender.yaml", "train.epochs=2", "--quiet"), 0),
        (("nnframe.run", "gender.yaml", "optimizer.lr=-1"), 2),
        (("nnframe.run", "gender.yaml", "--unknown"), 2),
        (("nnframe", "run"), 2),
        (("nnframe", "nonsense"), 2),
        (("nnframe", "gender.yaml"), 2),
        (("nnframe", "run", "iris.yaml", "optimizer={type: SGD, lr: 1e30}"), 1),
    ],
)
def test_messages_that_cannot_be_written_change_no_exit_status(place, arguments, status):
    with FULL.open("wb") as full:
        command_line = [sys.executable, "-m", *arguments]
        done = subprocess.run(command_line, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=full, timeout=60)
    assert done.returncode == status


# ------------------------------------------------------------------------------------------------- names of files


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are text")
@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict", "utf-8:surrogateescape"])
def test_a_folder_that_is_not_utf_8_is_printed_as_it_is(place, encoding):
    out = os.fsdecode(b"caf\xe9")
    line = ("nnframe.run", "gender.yaml", "train.epochs=2", "--quiet", "--out", out)
    status, printed, said = wait(started(*line, stdout=subprocess.PIPE, environment={"PYTHONIOENCODING": encoding}))
    assert (status, said) == (0, "")
    assert printed.startswith(b"caf\xe9/gender/") and Path(os.fsdecode(printed.strip())).is_dir()


# ------------------------------------------------------------------------------------- plugins that end the process


@pytest.fixture
def ends(place, monkeypatch):
    Path("ends.py").write_text(ENDS)
    monkeypatch.setattr(plugins, "LOADED", [])
    yield ["gender.yaml", "--plugin=ends.py", "train.epochs=3", "--quiet"]
    REGISTRY["layer"].pop("Ends", None)


@pytest.mark.parametrize(
    "how, told",
    [
        ("setup", "ends.py:16: SystemExit: in setup\n"),
        ("exit", "ends.py:21: SystemExit: 0\n"),
        ("interrupt", "ends.py:23: KeyboardInterrupt\n"),
    ],
)
def test_a_layer_that_ends_the_process_is_told(ends, capsys, how, told):
    assert command(["run", *ends, f"model.1={{type: Ends, how: {how}}}"]) == 2
    assert capsys.readouterr().err.endswith(told)


def test_a_second_ctrl_c_is_none_of_the_layers_doing(ends, capsys):
    assert command(["run", *ends, "model.1={type: Ends, how: signals}"]) == 130
    assert "go on with" in capsys.readouterr().err


def test_check_of_a_layer_that_ends_the_process(ends, capsys):
    assert command(["check", *ends[:-1], "model.1={type: Ends, how: exit}"]) == 2
    assert capsys.readouterr().err.endswith("ends.py:21: SystemExit: 0\n")


# ---------------------------------------------------------------------------------------------------- Ctrl-C early

# Stands for NumPy, and takes its time: the package is being imported once it says so.
SLOW = "import pathlib, time\npathlib.Path('reached').touch()\ntime.sleep(30)\n"


@pytest.mark.parametrize("script", [False, True])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_modules_are_imported(tmp_path, monkeypatch, number, script):
    monkeypatch.chdir(tmp_path)
    Path("numpy.py").write_text(SLOW)
    Path("nnframe").write_text("import sys\nfrom nnframe.__main__ import main\nsys.exit(main())\n")  # as an installer writes it
    path = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    arguments = [sys.executable, *(["nnframe"] if script else ["-m", "nnframe.run"]), "gender.yaml"]
    child = subprocess.Popen(arguments, env=os.environ | path, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not Path("reached").exists():
        assert child.poll() is None, child.communicate()
        time.sleep(0.005)
    child.send_signal(number)
    assert (*child.communicate(timeout=20), child.returncode) == (b"", b"", 130 if number == signal.SIGINT else -signal.SIGTERM)


def test_a_process_that_imports_the_package_for_itself_keeps_its_ctrl_c(tmp_path):
    script = "import signal, nnframe; assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    subprocess.run([sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
