"""The command's other verbs, check, show, list and the help, and plugins: a user's own components."""

import argparse
import hashlib
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from cases import LAYERS, VECTOR

import nnframe as nn
from nnframe import __main__ as command
from nnframe.command import arguments as table
from nnframe.command import verbs
from nnframe.components import plugins
from nnframe.components.component import config_of
from nnframe.components.registry import REGISTRY

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with the example configs and data, as the current one. What is registered and imported in it is forgotten."""
    shutil.copytree(CONFIGS, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(plugins, "LOADED", [])
    known, modules = {slot: dict(names) for slot, names in REGISTRY.items()}, set(sys.modules)
    yield tmp_path
    for slot, names in REGISTRY.items():
        for name in set(names) - set(known.get(slot, ())):
            del names[name]
    for name in set(sys.modules) - modules:
        if str(tmp_path) in (getattr(sys.modules[name], "__file__", None) or ""):
            del sys.modules[name]
    plugins.load_installed.cache_clear()


def do(capsys, *arguments):
    """Exit status, what is printed, and what goes to stderr."""
    try:
        status = command.main([str(argument) for argument in arguments])
    except SystemExit as end:
        status = end.code
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return status, captured.out, captured.err


def test_of_many_layers_that_are_alike_one_is_checked_and_then_all_together(place, capsys, monkeypatch):
    checked, check = [], verbs.check_gradients
    monkeypatch.setattr(verbs, "check_gradients", lambda layer, *args, **kwargs: checked.append(layer) or check(layer, *args, **kwargs))
    layers = "[{type: Dense, units: 3}, " + "Tanh, Sigmoid, " * 100 + "{type: Dense, units: 3}, {type: Dense, units: 1}]"
    status, out, _ = do(capsys, "check", "xor.yaml", f"model={layers}")
    assert status == 0 and "gradients: every layer's backward" in out
    assert [type(layer).__name__ for layer in checked] == ["Dense", "Tanh", "Sigmoid", "Dense", "Dense", "Sequential"]


def process(*arguments, cwd, paths=()):
    """The same in a process of its own."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, [ROOT, *paths]))}
    done = subprocess.run([sys.executable, "-m", "nnframe", *map(str, arguments)], cwd=cwd, env=environment, capture_output=True, text=True)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def tree(folder):
    return sorted(str(path) for path in folder.rglob("*") if "__pycache__" not in path.parts)


# ---------------------------------------------------------------------------------------------- check


@pytest.mark.parametrize(
    "config, rows, layers, parameters, start",
    [
        ("gender", "gender: 4 rows", ["Dense(2, init=Normal(), bias_init=Normal())", "Sigmoid()", "Dense(1, init=Normal(), bias_init=Normal())", "Sigmoid()"], [6, 0, 3, 0], "0.25, the targets' variance, if the mean is always given"),
        ("iris", "iris: 120 rows, 30 to validate on", ["Dense(16, init=HeNormal())", "ReLU()", "Dense(3)"], [80, 0, 51], "ln 3 = 1.099 if all classes are as likely"),
        ("xor", "xor: 4 rows", ["Dense(8)", "Tanh()", "Dense(1)"], [24, 0, 9], "ln 2 = 0.6931 if both are as likely"),
    ],
)  # fmt: skip
def test_check_says_what_would_be_trained_and_writes_nothing(place, capsys, config, rows, layers, parameters, start):
    before = tree(place)
    status, out, err = do(capsys, "check", f"{config}.yaml")
    assert (status, err) == (0, "")
    first, head, *table = out.splitlines()
    table, (memory, loss, gradients) = table[: len(layers)], table[len(layers) :]
    assert first == rows
    assert re.fullmatch(rf"Sequential: inputs \(\d+,\), {sum(parameters)} parameters, float(32|64)", head)
    for number, (line, layer, count) in enumerate(zip(table, layers, parameters, strict=True)):
        assert re.fullmatch(rf"  {number}  {re.escape(layer)} +\(\d+,\) +{count}", line)
    assert re.fullmatch(r"memory: [\d,]+(\.\d+)? [KMG]iB for parameters, gradients, optimizer and one batch", memory)
    assert re.fullmatch(rf"loss at the start: [\d.]+ \(expected {re.escape(start)}\)", loss)
    assert gradients == "gradients: every layer's backward is the derivative of its forward"
    assert tree(place) == before


def test_the_loss_at_the_start_is_that_before_any_step(place, capsys):
    _, out, _ = do(capsys, "check", "gender.yaml")
    said = float(re.search(r"loss at the start: ([\d.]+)", out)[1])
    model = nn.Sequential(
        nn.Dense(2, init="Normal", bias_init="Normal"), nn.Sigmoid(), nn.Dense(1, init="Normal", bias_init="Normal"), nn.Sigmoid()
    )
    model.build(2, seed=0, dtype="float64")
    pred = model.predict([[-2.0, -1], [25, 6], [17, 4], [-15, -6]])[:, 0]
    assert said == pytest.approx((((pred - [1, 0, 0, 1]) ** 2).sum()) / 4, rel=1e-3)


def test_memory_grows_with_the_model_and_the_batch(place, capsys):
    found = []
    for arguments in ([], ["model.0.units=3000"], ["model.0.units=3000", "train.batch_size=3000"]):
        _, out, _ = do(capsys, "check", "xor.yaml", *arguments)
        number, unit = re.search(r"memory: ([\d,.]+) ([KMG])iB", out).groups()
        found.append(float(number.replace(",", "")) * {"K": 1, "M": 1024, "G": 1024**2}[unit])
    assert found[0] > 0, "a small model takes some memory too"
    assert found[0] < found[1] < found[2]
    parameters = 3000 * 4 + 1  # Adam keeps two numbers for each, beside its gradient
    assert found[1] == pytest.approx((4 * parameters + 4 * 4 * 6001) * 4 / 1024, rel=0.2)


def test_check_takes_overrides_and_refuses_mistakes(place, capsys):
    assert "  0  Dense(64)  (64,)  192" in do(capsys, "check", "xor.yaml", "model.0.units=64")[1]
    assert do(capsys, "check", "xor.yaml", "model.0.units=0") == (
        2,
        "",
        "command line: model.0.units: expected an integer of at least 1, got 0\n",
    )
    assert do(capsys, "check", "nowhere.yaml")[0] == 2


def test_check_of_every_kind_of_layer(place, capsys):
    layers = [case.component for case in LAYERS if VECTOR in case.shapes]
    between = [layer for given in layers for layer in (nn.Dense(VECTOR[0], bias=not isinstance(given, nn.BatchNorm)), given)]
    status, out, err = do(capsys, "check", "xor.yaml", f"model={json.dumps(config_of([*between, nn.Dense(1)]))}")
    assert (status, err) == (0, "") and "warning" not in out
    for i, layer in enumerate(layers):
        assert re.search(rf"^ +{2 * i + 1} +{re.escape(type(layer).__name__ if layer.layers else repr(layer))} ", out, re.M)
        assert not layer.layers or f"    {2 * i + 1}.0 " in out


WARNINGS = [  # config, overrides, the warning
    ("gender", [], None),
    ("iris", [], None),
    ("xor", [], None),
    ("iris", ["model=[{type: Dense, units: 3}, Softmax]"], "model.1: Softmax before CrossEntropy, which takes logits and applies its own; leave it out"),
    ("xor", ["model=[{type: Dense, units: 1}, Sigmoid]"], "model.1: Sigmoid before BinaryCrossEntropy, which takes logits and applies its own; leave it out"),
    ("gender", ["data.inputs=[height]", "data.target=weight", "data.transforms=[]", "predict={}"], "data.target: targets from 120 to 160, but Sigmoid gives 0 to 1"),
    ("gender", ["model.3=Tanh", "data.inputs=[height]", "data.target=weight", "data.transforms=[]", "predict={}"], "data.target: targets from 120 to 160, but Tanh gives -1 to 1"),
    ("gender", ["model.3=Tanh"], None),
    ("iris", ["loss=MSE", "model=[{type: Dense, units: 3}, Softmax]"], None),
    ("iris", ["data.target={column: species, classes: [setosa, versicolor, virginica, tulip]}", "model.2.units=4"], "data.target: no row of the class 'tulip' is in the training part"),
    ("iris", ["model.2.units=5"], "model.2: 5 outputs for 3 classes, so that the last 2 are never right"),
    ("gender", ["data.path=constant.csv"], "data: the input 'height' has the same value in all rows of the training part"),
]  # fmt: skip


@pytest.mark.parametrize("config, overrides, warning", WARNINGS, ids=[f"{w[0]} {' '.join(w[1])}"[:60] for w in WARNINGS])
def test_check_warns_of_what_may_be_meant_but_seldom_is(place, capsys, config, overrides, warning):
    (place / "constant.csv").write_text("name,weight,height,gender\nA,133,65,F\nB,160,65,M\nC,152,65,M\n")
    status, out, err = do(capsys, "check", f"{config}.yaml", *overrides)
    assert (status, err) == (0, "")
    assert [line for line in out.splitlines() if line.startswith("warning: ")] == ([f"warning: {warning}"] if warning else [])


def test_a_softmax_at_the_end_of_a_nested_model_is_warned_of_too(place, capsys):
    _, out, _ = do(capsys, "check", "iris.yaml", "model=[{type: Sequential, layers: [{type: Dense, units: 3}, Softmax]}]")
    assert "warning: model.0.layers.1: Softmax before CrossEntropy" in out


def test_a_class_that_only_the_validation_part_has_is_warned_of(place, capsys):
    (place / "v.csv").write_text("a,b,k\n1,2,x\n3,4,y\n5,6,z\n")
    (place / "t.csv").write_text("a,b,k\n1,2,x\n3,4,y\n5,7,y\n")
    data = "data={type: CSV, path: t.csv, target: {column: k, classes: [x, y, z]}, validation: {type: CSV, path: v.csv, target: {column: k, classes: [x, y, z]}}}"
    status, out, _ = do(capsys, "check", "xor.yaml", data, "loss=CrossEntropy", "metrics=[Accuracy]", "predict={}", "model.2.units=3")
    assert status == 0 and out.startswith("xor: 3 rows, 3 to validate on\n")
    assert "warning: data.target: no row of the class 'z' is in the training part\n" in out


WRONG = '''
import numpy as np
import nnframe as nn


class Crooked(nn.Layer):
    """y = x^2, with a backward that forgets the 2."""

    def forward(self, x, *, training=False):
        self._x = x
        return x * x

    def backward(self, dy, *, need_dx=True):
        return dy * self._x


class Halved(nn.Loss):
    """The squared error, and half of its gradient."""

    def forward(self, pred, target, weight=None):
        self._d = pred - target
        return (self._d**2).mean((-1, -2))

    def backward(self):
        return self._d / (self._d.shape[-1] * self._d.shape[-2])
'''


def test_a_wrong_backward_is_named(place, capsys):
    (place / "wrong.py").write_text(WRONG)
    before = tree(place)
    status, out, err = do(capsys, "check", "xor.yaml", "--plugin", "wrong.py", "model.1=Crooked")
    assert status == 2
    assert re.fullmatch(r"error: model\.1: Crooked: x: the gradient is off by \d\.\de-01 of its norm, more than 1e-06\n", err)
    assert "gradients:" not in out
    assert tree(place) == before


def test_a_wrong_loss_is_named(place, capsys):
    (place / "wrong.py").write_text(WRONG)
    status, _, err = do(capsys, "check", "gender.yaml", "--plugin", "wrong.py", "loss=Halved")
    assert status == 2
    assert err.startswith("error: loss: with Halved() at its end: ") and "Crooked" not in err


# ---------------------------------------------------------------------------------------------- show


@pytest.mark.parametrize(
    "config, overrides",
    [("gender", ["train.epochs=3"]), ("iris", ["train.epochs=2", "optimizer.lr.start=0.01"]), ("xor", ["train.epochs=2", "optimizer=SGD"])],
)
def test_show_is_what_a_run_would_write_and_runs(place, capsys, config, overrides):
    before = tree(place)
    status, shown, err = do(capsys, "show", f"{config}.yaml", *overrides)
    assert (status, err) == (0, "") and tree(place) == before
    _, out, _ = do(capsys, "run", f"{config}.yaml", *overrides, "--quiet", "--out", "runs")
    folder = Path(out.strip())
    assert (folder / "config.yaml").read_text() == shown
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / "shown.yaml").write_text(shown)
    assert do(capsys, "show", "elsewhere/shown.yaml") == (0, shown, "")
    _, out, _ = do(capsys, "run", "elsewhere/shown.yaml", "--quiet", "--out", "runs")
    assert (Path(out.strip()) / "weights.npz").read_bytes() == (folder / "weights.npz").read_bytes()


def test_show_of_a_mistake(place, capsys):
    assert do(capsys, "show", "xor.yaml", "loss=MES") == (
        2,
        "",
        "command line: loss: unknown loss 'MES'. Did you mean 'MSE'? Known: BinaryCrossEntropy, CrossEntropy, MAE, MSE.\n",
    )


# ---------------------------------------------------------------------------------------------- usage and help

VERBS = ("run", "check", "show", "data", "list", "predict", "evaluate", "plan", "best", "trial", "replay", "diff", "runs", "schema")


@pytest.mark.parametrize("arguments", [[], ["-h"], ["--help"]])
def test_usage(capsys, arguments):
    status, out, err = do(capsys, *arguments)
    assert (status, err) == (0, "") and out.startswith("usage: nnframe VERB ...")
    assert re.findall(r"^  (\w+)  ", out, flags=re.M) == list(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_each_verb(capsys, verb):
    status, out, err = do(capsys, verb, "--help")
    assert (status, err) == (0, "") and out.startswith(f"usage: nnframe {verb} ") and "--plugin" in out
    status, out, err = do(capsys, verb, "--no-such-option")
    assert (
        (status, out) == (2, "")
        and f"nnframe {verb}" in err
        and ("unknown option --no-such-option; nnframe" in err or err.startswith("usage: "))
    )


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "run"])
def test_what_does_a_verb_takes_each_of_its_options(verb):
    module, _, name = table.VERBS[verb].work.partition(".")
    parser = argparse.ArgumentParser()
    table.VERBS[verb].add(parser)
    options = {action.dest for action in parser._actions} - {"help", "" if table.VERBS[verb].hands_on else "plugin"}
    assert inspect.signature(getattr(import_module(f"nnframe.command.{module}"), name)).parameters.keys() == options


@pytest.mark.parametrize(
    "typed, meant",
    [("chekc", "check"), ("Run", "run"), ("lists", "list"), ("schem", "schema"), ("train", "run"), ("gender", None), ("", None)],
)
def test_an_unknown_verb(capsys, typed, meant):
    status, out, err = do(capsys, typed)
    assert (status, out) == (2, "")
    assert err.startswith(f"unknown verb {typed!r}.{f' Did you mean {meant!r}?' if meant else ''}\n\nusage: nnframe VERB ...")


def test_a_forgotten_verb(capsys):
    answer = "expected a verb before 'gender.yaml'; write: nnframe run gender.yaml 'optimizer={type: Adam}'\n"
    assert do(capsys, "gender.yaml", "optimizer={type: Adam}") == (2, "", answer)


def test_the_version(capsys):
    assert do(capsys, "--version") == (0, f"{nn.__version__}\n", "")


def test_run_and_the_module_run_are_the_same(place, capsys):
    for module in (["-m", "nnframe", "run"], ["-m", "nnframe.run"]):
        done = subprocess.run(
            [sys.executable, *module, "xor.yaml", "train.epochs=1", "--quiet", "--out", "runs"],
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        assert done.returncode == 0 and done.stdout.startswith("runs/xor/") and done.stderr == ""


# ---------------------------------------------------------------------------------------------- plugins

SCALE = '''
import nnframe as nn


class Scale(nn.Layer):
    """y = g x, one g for each feature."""

    def __init__(self, start: nn.Positive = 1.0):
        self.start = start

    def setup(self, features):
        self.add_param("g", (1, features[-1]), nn.Constant(self.start))
        return features

    def forward(self, x, *, training=False):
        self._x = x
        return self.g * x

    def backward(self, dy, *, need_dx=True):
        self.dg[...] = (dy * self._x).sum(-2, keepdims=True)
        return dy * self.g
'''
DECORATED = SCALE.replace("class Scale", "@nn.register\nclass Scale")
METRIC = '''
import numpy as np
import nnframe as nn


class MaxError(nn.Metric):
    """The largest error of a row."""

    def rows(self, pred, target):
        return self.flat(np.absolute(pred - target))


class _Helper(nn.Metric):
    """Not for configs."""


class Abstract:
    """Not a component."""
'''


def trained(capsys, *arguments):
    status, out, err = do(capsys, "run", "xor.yaml", "train.epochs=2", "--quiet", "--out", "runs", *arguments)
    assert (status, err) == (0, "")
    return Path(out.splitlines()[-1])


@pytest.mark.parametrize("source", [SCALE, DECORATED], ids=["plain", "@register"])
@pytest.mark.parametrize("name", ["mine.py", "mine", "lib/mine.py", "lib.mine"])
def test_a_plugin_by_file_or_by_module(place, capsys, source, name):
    """Its components are known in YAML, its path and hash are kept with the run."""
    file = place / name if name.endswith(".py") else place / f"{name.replace('.', '/')}.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(source)
    folder = trained(capsys, "--plugin", name, "model.1={type: Scale, start: 2}")
    assert "{type: Scale, start: 2.0, name: null}" in (folder / "config.yaml").read_text()
    (kept,) = json.loads((folder / "run.json").read_text())["plugins"]
    assert kept["plugin"] == name and (place / kept["path"]).samefile(file)
    assert Path(kept["path"]).is_absolute()
    assert kept["sha256"] == hashlib.sha256(source.encode()).hexdigest()
    with np.load(folder / "weights.npz") as weights:
        assert weights["1.g"].shape == (1, 8)


def test_its_options_are_checked_like_ours(place, capsys):
    (place / "mine.py").write_text(SCALE)
    for layer, answer in (
        ("{type: Scale, start: 0}", "command line: model.1.start: expected a number greater than 0, got 0\n"),
        (
            "{type: Scale, strat: 1}",
            "command line: model.1.strat: Scale has no option 'strat'. Did you mean 'start'? Options: start, name.\n",
        ),
    ):
        REGISTRY["layer"].pop("Scale", None)  # each call stands for a process of its own
        plugins.LOADED.clear()
        assert do(capsys, "run", "xor.yaml", "--plugin", "mine.py", f"model.1={layer}") == (2, "", answer)


def test_a_name_that_only_a_plugin_knows_is_unknown_without_it(place, capsys):
    (place / "mine.py").write_text(SCALE)
    status, _, err = do(capsys, "run", "xor.yaml", "model.1=Scale")
    assert status == 2 and err.startswith("command line: model.1: unknown layer 'Scale'. ")


def test_two_plugins(place, capsys):
    (place / "layers.py").write_text(SCALE)
    (place / "metrics.py").write_text(METRIC)
    folder = trained(capsys, "--plugin", "layers.py", "--plugin", "metrics.py", "model.1=Scale", "metrics=[MaxError]")
    assert (folder / "losses.csv").read_text().startswith("epoch,step,loss,val_loss,max_error,lr\n")
    assert [kept["plugin"] for kept in json.loads((folder / "run.json").read_text())["plugins"]] == ["layers.py", "metrics.py"]
    assert "_Helper" not in REGISTRY["metric"] and "Metric" not in REGISTRY["metric"]


def test_two_plugin_files_of_the_same_name(place, capsys):
    for folder, source in (("a", SCALE), ("b", METRIC)):
        (place / folder).mkdir()
        (place / folder / "mine.py").write_text(source)
    trained(capsys, "--plugin", "a/mine.py", "--plugin", "b/mine.py", "model.1=Scale", "metrics=[MaxError]")


def test_no_plugin_no_record(place, capsys):
    assert json.loads((trained(capsys) / "run.json").read_text())["plugins"] == []


def test_imported_components_are_not_the_plugins_own(place, capsys):
    (place / "mine.py").write_text("from nnframe import Dense, Sigmoid, Layer\n" + SCALE)
    trained(capsys, "--plugin", "mine.py", "model.1=Scale")


@pytest.mark.parametrize(
    "sources, at, answer",
    [
        ({"a.py": SCALE.replace("Scale", "Dense")}, "a.py", "layer Dense: the name is taken by nnframe.layers.dense.Dense"),
        ({"a.py": DECORATED.replace("Scale", "Dense")}, "a.py", "layer Dense: the name is taken by nnframe.layers.dense.Dense"),
        ({"a.py": SCALE, "b.py": SCALE + "# another\n"}, "b.py", "layer Scale: the name is taken by "),
        ({"a.py": "import nnframe as nn\nnn.SGD(lr=-1)\n"}, "{0}/a.py:2: ", "SGD.lr: expected a number greater than 0, got -1"),
        ({"a.py": SCALE.replace("start: nn.Positive = 1.0", "**kwargs")}, "a.py", "Scale: its constructor takes **; options must be named one by one"),
        ({"a.py": SCALE.replace("nn.Positive", "nn.Postive")}, "{0}/a.py:8: ", "AttributeError: module 'nnframe' has no attribute 'Postive'"),
        ({"a.py": "x = 1\nx +\n"}, "{0}/a.py:2: ", "SyntaxError: invalid syntax"),
        ({"a.py": "def f():\nreturn 1\n"}, "{0}/a.py:2: ", "IndentationError: expected an indented block after function definition on line 1"),
        ({"a.py": "x = 1\n\nimport numpyy\n"}, "{0}/a.py:3: ", "ModuleNotFoundError: No module named 'numpyy'"),
        ({"a.py": "from nnframe import Lyer\n"}, "{0}/a.py:1: ", "ImportError: cannot import name 'Lyer' from 'nnframe'"),
        ({"a.py": "def f():\n    return 1 / 0\n\nf()\n"}, "{0}/a.py:2: ", "ZeroDivisionError: division by zero"),
        ({"a.py": "import json\n\njson.loads('{')\n"}, "{0}/a.py:3: ", "JSONDecodeError: "),
        ({"a.py": "raise ValueError('two\\nlines')\n"}, "{0}/a.py:1: ", "ValueError: two"),
        ({"a.py": "x = '\xe9'\n".encode("latin-1")}, "{0}/a.py", "'utf-8' codec can't decode byte 0xe9"),
        ({"a.py": b"x = '\0'\n"}, "{0}/a.py", "null bytes"),
        ({"a.py": "import sys\n\nsys.exit(3)\n"}, "{0}/a.py:3: ", "SystemExit: 3\n"),
        ({"a.py": "exit()\n"}, "{0}/a.py:1: ", "SystemExit"),
        ({"a.py": "raise GeneratorExit\n"}, "{0}/a.py:1: ", "GeneratorExit\n"),
        ({"a.py": "def relu(x):\n    return x\n"}, "--plugin a.py: ", "it defines no component, that is, no subclass of nn.Layer, nn.Loss, nn.Optimizer or the like\n"),
        ({"a.py": "from nnframe import Dense\n"}, "--plugin a.py: ", "it defines no component"),
        ({"a.py": ""}, "--plugin a.py: ", "it defines no component"),
        ({}, "--plugin: ", "there is no file a.py"),
    ],
)  # fmt: skip
def test_a_plugin_that_does_not_work_is_answered_with_its_place(place, capsys, sources, at, answer):
    for name, source in sources.items():
        (place / name).write_bytes(source if isinstance(source, bytes) else source.encode())
    before = tree(place)
    names = [part for name in sources or ["a.py"] for part in ("--plugin", name)]
    for verb in ("run", "check"):
        plugins.LOADED.clear()
        REGISTRY["layer"].pop("Scale", None)
        status, out, err = do(capsys, verb, "xor.yaml", *names)
        assert (status, out) == (2, "")
        assert at.replace("{0}", str(place)) in err and answer in err, err
        assert "frozen" not in err and tree(place) == before


@pytest.mark.parametrize(
    "name, answer",
    [
        ("no/such.py", "--plugin: there is no file no/such.py"),
        ("mien.py", "--plugin: there is no file mien.py"),
        ("nosuch", "--plugin: there is neither a file nosuch.py to name nor an installed module 'nosuch'"),
        ("no.such", "--plugin: there is neither a file no.such.py to name nor an installed module 'no.such'"),
        ("data/", "--plugin"),
        ("gender.yaml", "--plugin"),
        ("", "--plugin"),
        (".", "--plugin"),
        ("..", "--plugin"),
        ("/", "--plugin"),
    ],
)
def test_a_plugin_that_is_not_there(place, name, answer):
    status, out, err = process("show", "xor.yaml", "--plugin", name, cwd=place)  # pytest's own import hook cannot look for ''
    assert (status, out) == (2, "") and err.startswith(answer), (status, out, err)


def test_a_module_inside_another_that_is_not_there(place, capsys):
    (place / "mine.py").write_text(SCALE)
    status, out, err = do(capsys, "run", "xor.yaml", "--plugin", "mine.layers")
    assert (status, out) == (2, "") and "mine.layers" in err and "frozen" not in err


@pytest.mark.parametrize(
    "source, answer", [(SCALE, None), ("x +\n", "mine.py:1: SyntaxError: invalid syntax"), (None, "--plugin: there is no file mine.py")]
)
def test_a_plugin_in_a_process_of_its_own(place, source, answer):
    if source is not None:
        (place / "mine.py").write_text(source)
    status, out, err = process(
        "run",
        "xor.yaml",
        "--quiet",
        "--out",
        "runs",
        "train.epochs=1",
        "--plugin",
        "mine.py",
        *(["model.1=Scale"] if source == SCALE else []),
        cwd=place,
    )
    if answer is None:
        assert (status, err) == (0, "") and out.startswith("runs/xor/")
    else:
        assert (status, out) == (2, "") and answer in err and len(err.splitlines()) == 1


# ---------------------------------------------------------------------------------------------- installed plugins


@pytest.fixture
def site(tmp_path):
    """A folder with an installed package whose entry point is a plugin; `looked` appears once that is imported."""
    folder = tmp_path / "site"
    (folder / "scales-1.0.dist-info").mkdir(parents=True)
    (folder / "scales-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: scales\nVersion: 1.0\n")
    (folder / "scales-1.0.dist-info" / "entry_points.txt").write_text("[nnframe.plugins]\nscales = scales\n")
    (folder / "scales.py").write_text(f"open({str(folder / 'looked')!r}, 'w').close()\n{SCALE}")
    return folder


def test_an_installed_plugin_is_looked_at_when_a_name_is_unknown(place, site):
    status, out, err = process("run", "xor.yaml", "--quiet", "--out", "runs", "train.epochs=1", "model.1=Scale", cwd=place, paths=[site])
    assert (status, err) == (0, "") and (site / "looked").exists()
    (kept,) = json.loads((place / out.strip() / "run.json").read_text())["plugins"]
    assert kept["path"] == str(site / "scales.py") and kept["sha256"] == hashlib.sha256((site / "scales.py").read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "xor.yaml", "--quiet", "--out", "runs", "train.epochs=1"],
        ["show", "xor.yaml"],
        ["check", "iris.yaml"],
        ["run", "xor.yaml", "optimizer.lr=-1"],
    ],
)
def test_and_not_when_all_are_known(place, site, arguments):
    process(*arguments, cwd=place, paths=[site])
    assert not (site / "looked").exists()


def test_an_unknown_name_is_compared_with_those_of_installed_plugins_too(place, site):
    status, _, err = process("run", "xor.yaml", "model.1=Scael", cwd=place, paths=[site])
    assert status == 2 and (site / "looked").exists()
    assert err.startswith("command line: model.1: unknown layer 'Scael'. Did you mean 'Scale'? Known: ")


def test_list_and_schema_know_installed_plugins(place, site):
    assert "  Scale\n      y = g x, one g for each feature.\n" in process("list", "layer", cwd=place, paths=[site])[1]
    assert "layer.Scale" in json.loads(process("schema", cwd=place, paths=[site])[1])["$defs"]


def test_a_named_plugin_that_is_also_installed_is_one(place, site):
    status, out, err = process(
        "run", "xor.yaml", "--quiet", "--out", "runs", "train.epochs=1", "--plugin", "scales", "model.1=Scale", cwd=place, paths=[site]
    )
    assert (status, err) == (0, "")
    assert len(json.loads((place / out.strip() / "run.json").read_text())["plugins"]) == 1
    status, _, err = process("run", "xor.yaml", "--plugin", "scales", "model.1=Scael", cwd=place, paths=[site])
    assert status == 2 and "unknown layer 'Scael'" in err


@pytest.mark.parametrize(
    "source, entry, answer",
    [
        ("x = 1\n1 / 0\n", "scales", "{0}/scales.py:2: ZeroDivisionError: division by zero"),
        ("x +\n", "scales", "{0}/scales.py:1: SyntaxError: invalid syntax"),
        (SCALE.replace("Scale", "Dense"), "scales", "layer Dense: the name is taken by nnframe.layers.dense.Dense"),
        (SCALE, "nowhere", "No module named 'nowhere'"),
    ],
)
def test_an_installed_plugin_that_does_not_work_says_so(place, site, source, entry, answer):
    """And that it is the installed one: nobody wrote --plugin."""
    (site / "scales.py").write_text(source)
    (site / "scales-1.0.dist-info" / "entry_points.txt").write_text(f"[nnframe.plugins]\nscales = {entry}\n")
    status, out, err = process("run", "xor.yaml", "model.1=Scale", cwd=place, paths=[site])
    assert (status, out) == (2, "")
    assert answer.replace("{0}", str(site)) in err and "--plugin" not in err and "frozen" not in err, err
