"""Configs made of others: `extends`, `key=value`, and the resolved config that says it all again."""

from copy import deepcopy
from math import isfinite
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import nnframe as nn
from nnframe import run
from nnframe.components import walk
from nnframe.components.component import Component, config_of
from nnframe.components.markers import Range, bare, markers_of, per_run
from nnframe.components.options import options, slot_base
from nnframe.components.registry import REGISTRY
from nnframe.config.build import build
from nnframe.config.compose import load, override
from nnframe.config.experiment import Experiment, checked
from nnframe.config.reading import Document, dump, parse
from nnframe.data.table import Tabular
from nnframe.errors import ConfigError, FileError, NNFrameError

CONFIGS = Path(__file__).parents[2] / "configs"


def write(path, text):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# ---------------------------------------------------------------------------------------------- extends


@pytest.mark.parametrize(
    "base, over, merged",
    [
        # mappings merge
        ("a: 1\nb: 2", "b: 3\nc: 4", {"a": 1, "b": 3, "c": 4}),
        ("t: {a: 1, b: 2}", "t: {b: 3}", {"t": {"a": 1, "b": 3}}),
        ("t: {u: {a: 1, b: 2}}", "t: {u: {b: 3}, v: 4}", {"t": {"u": {"a": 1, "b": 3}, "v": 4}}),
        ("p: {Emily: {w: 1}}", "p: {Frank: {w: 2}}", {"p": {"Emily": {"w": 1}, "Frank": {"w": 2}}}),
        ("", "b: 3", None),
        # everything else replaces
        ("l: [1, 2, 3]", "l: [4]", {"l": [4]}),
        ("l: [{a: 1, b: 2}]", "l: [{a: 3}]", {"l": [{"a": 3}]}),
        ("l: [1, 2]", "l: {a: 1}", {"l": {"a": 1}}),
        ("l: {a: 1}", "l: [1, 2]", {"l": [1, 2]}),
        ("t: {a: 1}", "t: null", {"t": None}),
        ("t: {a: 1}", "t: 5", {"t": 5}),
        ("t: 5", "t: {a: 1}", {"t": {"a": 1}}),
        ("t: null", "t: {a: 1}", {"t": {"a": 1}}),
        # another type leaves the old one's options behind, the same one keeps them
        ("o: {type: SGD, lr: 1, momentum: 0.9}", "o: {type: SGD, lr: 2}", {"o": {"type": "SGD", "lr": 2, "momentum": 0.9}}),
        ("o: {type: SGD, lr: 1, momentum: 0.9}", "o: {lr: 2}", {"o": {"type": "SGD", "lr": 2, "momentum": 0.9}}),
        ("o: {type: SGD, lr: 1, momentum: 0.9}", "o: {type: Adam}", {"o": {"type": "Adam"}}),
        ("o: {type: SGD, lr: 1, momentum: 0.9}", "o: Adam", {"o": "Adam"}),
        ("o: SGD", "o: {lr: 2}", {"o": {"type": "SGD", "lr": 2}}),
        ("o: SGD", "o: {type: SGD, lr: 2}", {"o": {"type": "SGD", "lr": 2}}),
        ("o: SGD", "o: {type: Adam, lr: 2}", {"o": {"type": "Adam", "lr": 2}}),
        ("o: {lr: {type: Cosine, start: 1, stop: 0.5}}", "o: {lr: {type: Step, start: 1, every: 2}}", {"o": {"lr": {"type": "Step", "start": 1, "every": 2}}}),
        ("o: {lr: {type: Cosine, start: 1, stop: 0.5}}", "o: {lr: {start: 2}}", {"o": {"lr": {"type": "Cosine", "start": 2, "stop": 0.5}}}),
        ("o: {lr: {type: Cosine, start: 1}}", "o: {lr: 0.1}", {"o": {"lr": 0.1}}),
        ("o: {lr: 0.1}", "o: {lr: {type: Cosine, start: 1}}", {"o": {"lr": {"type": "Cosine", "start": 1}}}),
    ],
)  # fmt: skip
def test_what_extends_merges_and_what_it_replaces(tmp_path, base, over, merged):
    write(tmp_path / "base.yaml", base)
    path = write(tmp_path / "over.yaml", f"extends: base.yaml\n{over}\n")
    if merged is None:
        with pytest.raises(ConfigError, match=r"base\.yaml: is empty"):
            load(path)
    else:
        assert load(path).data == merged


def test_a_chain_of_three_each_in_its_own_folder(place, capsys):
    """Paths are relative to the file that they stand in, and a mistake is reported where it stands."""
    write("deep/er/base.yaml", (place / "gender.yaml").read_text().replace("data/gender.csv", "../data/people.csv"))
    write("deep/data/people.csv", (place / "data/gender.csv").read_text())
    write("deep/middle.yaml", "extends: er/base.yaml\noptimizer: {lr: 0.2}\nname: middle\n")
    write("top.yaml", "extends: deep/middle.yaml\ntrain: {epochs: 1}\n")
    document = load(Path("top.yaml"))
    experiment = checked(document)
    assert "extends" not in document.data
    assert experiment.data.path.resolve() == place / "deep/data/people.csv"
    assert (experiment.optimizer.lr, experiment.train.epochs, experiment.train.batch_size, experiment.name) == (0.2, 1, 1, "middle")
    assert document.where("data.path") == "deep/er/base.yaml:9:3"
    assert document.where("optimizer.lr") == "deep/middle.yaml:2:13"
    assert document.where("optimizer.type") == "deep/er/base.yaml:19:13"
    assert document.where("train.epochs") == "top.yaml:2:9"
    assert document.where("model.0.units") == "deep/er/base.yaml:14:19"
    assert run.main(["top.yaml", "--quiet", "--out", "runs"]) == 0


def test_a_path_may_be_said_again_nearer_to_the_top(place):
    write("base/base.yaml", (place / "gender.yaml").read_text())
    write("top.yaml", "extends: base/base.yaml\ndata: {path: data/gender.csv}\n")
    assert checked(load(Path("top.yaml"))).data.path == place / "data/gender.csv"


def test_all_mistakes_of_all_files_come_at_once(place, capsys):
    write("base.yaml", (place / "gender.yaml").read_text().replace("units: 2", "unit: 2").replace("seed: 0", "sead: 0"))
    write("top.yaml", "extends: base.yaml\noptimizer: {lr: -1}\nmetrics: [Acuracy]\n")
    assert run.main(["top.yaml", "train.epochs=0"]) == 2
    lines = capsys.readouterr().err.splitlines()
    starts = [line.split(": ")[0] for line in lines]
    assert sorted(starts) == sorted(
        [
            "base.yaml:14:19",
            "base.yaml:5:1",
            "top.yaml:2:13",
            "top.yaml:3:11",
            "command line",
            "5 mistakes; nothing was trained.",
        ]
    )


def test_a_replaced_mistake_is_none(place):
    write("base.yaml", (place / "gender.yaml").read_text().replace("lr: 0.1", "lr: -1").replace("- Sigmoid ", "- Sigmod "))
    write("top.yaml", "extends: base.yaml\noptimizer: Adam\nmodel: [{type: Dense, units: 1}]\n")
    checked(load(Path("top.yaml")))


def test_what_is_replaced_leaves_no_marks(place):
    write("base.yaml", "o: {type: SGD, momentum: 0.9}\nl: [1, {a: 2}]\n")
    document = load(write("top.yaml", "extends: base.yaml\no: {type: Adam}\nl: [5]\n"))
    assert {path for path in document.marks if path.startswith(("o.", "l."))} == {"o.type", "l.0"}
    assert all(document.marks[path][0] == "top.yaml" for path in ("o", "o.type", "l", "l.0"))


@pytest.mark.parametrize(
    "files, answer",
    [
        ({"a.yaml": "extends: a.yaml"}, "a.yaml:1:1: extends: goes round in a circle: {0}/a.yaml -> {0}/a.yaml"),
        (
            {"a.yaml": "extends: b.yaml", "b.yaml": "x: 1\nextends: c/c.yaml", "c/c.yaml": "extends: ../a.yaml"},
            "c/c.yaml:1:1: extends: goes round in a circle: {0}/a.yaml -> {0}/b.yaml -> {0}/c/c.yaml -> {0}/a.yaml",
        ),
        ({"a.yaml": "extends: b.yaml", "b.yaml": "extends: ./b.yaml"}, "b.yaml:1:1: extends: goes round in a circle: {0}/a.yaml -> {0}/b.yaml -> {0}/b.yaml"),
        ({"a.yaml": "extends: 3"}, "a.yaml:1:1: extends: expected the path of one config, relative to this file, got 3"),
        ({"a.yaml": "extends:"}, "a.yaml:1:1: extends: expected the path of one config, relative to this file, got nothing"),
        ({"a.yaml": "extends: ''"}, "a.yaml:1:1: extends: expected the path of one config, relative to this file, got ''"),
        ({"a.yaml": "extends: [b.yaml, c.yaml]"}, "a.yaml:1:1: extends: expected the path of one config, relative to this file, got a list of 2"),
        ({"a.yaml": "extends: {path: b.yaml}"}, "a.yaml:1:1: extends: expected the path of one config, relative to this file, got a mapping of 'path'"),
        ({"a.yaml": "extends: \"b\\0\""}, "a.yaml:1:1: extends: expected the path of one config, relative to this file, got 'b\\x00'"),
        ({"a.yaml": "extends: b.yaml", "b.yaml": "x: [1}"}, "b.yaml:1:6: expected ']' to close the '[' of line 1, column 4, got '}'"),
        ({"a.yaml": "extends: b.yaml", "b.yaml": "- 1"}, "b.yaml:1:1: expected keys such as model, data, loss; got a list of 1"),
        ({"a.yaml": "extends: b.yaml", "b.yaml": "x: 1\nx: 2"}, "b.yaml:2:1: the key 'x' is given twice, first in line 1"),
    ],
)  # fmt: skip
def test_an_extends_that_cannot_be_followed(tmp_path, monkeypatch, files, answer):
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        write(name, text + "\n")
    with pytest.raises(ConfigError) as error:
        load(Path("a.yaml"))
    assert str(error.value) == answer.replace("{0}", str(tmp_path))


def test_a_missing_base_names_the_config_that_asks_for_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("a.yaml", "extends: base.yaml\n")
    write("base.yaml", "x: 1\nextends: bsae2.yaml\n")
    with pytest.raises((ConfigError, FileError)) as error:
        load(Path("a.yaml"))
    assert str(error.value).startswith("base.yaml:2:1: extends: there is no file ") and "bsae2.yaml" in str(error.value)


def test_a_chain_without_end_is_cut(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for i in range(40):
        write(f"{i}.yaml", f"extends: {i + 1}.yaml\n")
    with pytest.raises(ConfigError, match="extends: more than 20 configs in a row"):
        load(Path("0.yaml"))


def test_extends_stands_at_the_top_only(place, capsys):
    write("top.yaml", (place / "gender.yaml").read_text().replace("{epochs: 1000,", "{extends: gender.yaml, epochs: 1000,"))
    assert run.main(["top.yaml"]) == 2
    assert capsys.readouterr().err.startswith("top.yaml:20:9: train.extends: unknown key 'extends'.")


def test_the_name_is_that_of_the_file_unless_said(place):
    text = (place / "xor.yaml").read_text().replace("name: xor\n", "")
    write("base.yaml", text)
    assert checked(load(write("my run (2).yaml", "extends: base.yaml\n"))).name == "my-run-2-"
    assert checked(load(Path("base.yaml"))).name == "base"
    assert checked(load(write("...yaml", text))).name == "run"


# ---------------------------------------------------------------------------------------------- overrides


@pytest.mark.parametrize(
    "assignments, path, value",
    [
        (["optimizer.lr=0.5"], "optimizer.lr", 0.5),
        (["optimizer.lr=5e-1"], "optimizer.lr", 0.5),
        ([" optimizer.lr =0.5"], "optimizer.lr", 0.5),
        (["optimizer.lr=0.5", "optimizer.lr=0.25"], "optimizer.lr", 0.25),
        (["optimizer.momentum=0.5"], "optimizer", {"type": "SGD", "lr": 0.1, "momentum": 0.5}),
        (["optimizer=Adam"], "optimizer", "Adam"),
        (["optimizer=Adam", "optimizer.lr=0.5"], "optimizer", {"type": "Adam", "lr": 0.5}),
        (["optimizer.type=Adam"], "optimizer", {"type": "Adam"}),
        (["optimizer.type=SGD"], "optimizer", {"type": "SGD", "lr": 0.1}),
        (["optimizer={type: Adam, betas: [0.5, 0.6]}", "optimizer.betas.1=0.7"], "optimizer.betas", [0.5, 0.7]),
        (["optimizer.lr={type: Cosine, start: 1}", "optimizer.lr.stop=0.5"], "optimizer.lr", {"type": "Cosine", "start": 1, "stop": 0.5}),
        (["model.0.units=64"], "model.0.units", 64),
        (["model.0.init.std=0.5"], "model.0.init", {"type": "Normal", "std": 0.5}),
        (["model.1=Tanh"], "model.1", "Tanh"),
        (["model.1.name=a"], "model.1", {"type": "Sigmoid", "name": "a"}),
        (["model.3={type: Residual, layers: [Tanh]}", "model.3.layers.0=ReLU"], "model.3", {"type": "Residual", "layers": ["ReLU"]}),
        (["model=[{type: Dense, units: 1}]", "model.0.bias=false"], "model", [{"type": "Dense", "units": 1, "bias": False}]),
        (["loss=BinaryCrossEntropy"], "loss", "BinaryCrossEntropy"),
        (["data.target.classes=[F, M]"], "data.target.classes", ["F", "M"]),
        (["data.transforms.0.by.1=-60"], "data.transforms.0.by", [-135, -60]),
        (["data.transforms=[]"], "data.transforms", []),
        (["metrics=[]"], "metrics", []),
        (["predict.Bob.weight=3", "predict.Bob.height=4"], "predict.Bob", {"weight": 3, "height": 4}),
        (["predict={}"], "predict", {}),
        (["log={every: 5}"], "log", {"every": 5}),
        (["name='3'"], "name", "3"),
        (["name=a=b"], "name", "a=b"),
        (["seed=010"], "seed", 10),
        (["new.thing.here=1"], "new", {"thing": {"here": 1}}),
    ],
)  # fmt: skip
def test_overrides(place, assignments, path, value):
    document = load(Path("gender.yaml"))
    for assignment in assignments:
        override(document, assignment)
    found = document.data
    for key in path.split("."):
        found = found[int(key)] if isinstance(found, list) else found[key]
    assert found == value and type(found) is type(value)
    assert document.where(path if not isinstance(value, dict) or path == "new" else path.partition("=")[0]).split(":")[0] in (
        "command line",
        "gender.yaml",
    )
    assert document.where(assignments[-1].partition("=")[0].strip()) == "command line"


def test_overrides_that_say_the_same_as_a_file_resolve_to_the_same(place):
    first = build(
        load(write("a.yaml", "extends: gender.yaml\noptimizer: {type: Adam, lr: 1.0e-2}\nmodel: [{type: Dense, units: 1}]\nseed: 3\n"))
    )
    document = load(Path("gender.yaml"))
    for assignment in ("optimizer={type: Adam, lr: 1e-2}", "model=[{type: Dense, units: 1}]", "seed=3"):
        override(document, assignment)
    assert build(document).resolved == first.resolved


@pytest.mark.parametrize(
    "assignment, answer",
    [
        ("modle.0.units=1", "modle: unknown key 'modle'. Did you mean 'model'? Keys: "),
        ("optimiser.lr=1", "optimiser: unknown key 'optimiser'. Did you mean 'optimizer'? Keys: "),
        ("train.epoch=1", "train.epoch: unknown key 'epoch'. Did you mean 'epochs'? Keys: "),
        ("data.targt=1", "data.targt: CSV has no option 'targt'. Did you mean 'target'? Options: "),
        ("data.transforms.0.bye=1", "data.transforms.0.bye: Shift has no option 'bye'. Did you mean 'by'? Options: by, columns."),
        ("data.transforms.1.by=1", "data.transforms.1.by: data.transforms is a list of 1; expected 0 to 0, got '1'"),
        ("predict.Emily.hight=1", "predict.Emily.hight: the data has no input 'hight'. Did you mean 'height'? Inputs: weight, height."),
        ("log.evry=1", "log.evry: unknown key 'evry'. Did you mean 'every'? Keys: every."),
        ("model.٣.units=1", "model.٣.units: model is a list of 4; expected 0 to 3, got '٣'"),  # a digit, but not one of YAML's
        ("model.00.units=0", "model.0.units: expected an integer of at least 1, got 0"),
    ],
)  # fmt: skip
def test_an_unknown_path_on_the_command_line(place, capsys, assignment, answer):
    assert run.main(["gender.yaml", assignment]) == 2
    assert capsys.readouterr().err.splitlines()[0].startswith(f"command line: {answer}")


# ---------------------------------------------------------------------------------------------- the resolved config
# Valid configs are made from the signatures themselves: whatever is registered, with whatever options.

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8) | st.sampled_from(
    ["no", "1e-3", "~", "a: b", "- a", "0"]
)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,10}", fullmatch=True)
EXTRA: dict[tuple[str, str], Any] = {  # what a constructor asks for beyond its annotations
    ("Experiment", "name"): st.from_regex(r"[a-z0-9_]([A-Za-z0-9_.-]{0,19}_)?", fullmatch=True),
    ("Layer", "name"): NAMES | st.none(),
    ("CSV", "encoding"): st.sampled_from(["utf-8", "cp1252", "latin-1"]),
    ("CSV", "delimiter"): st.none() | st.sampled_from([";", "\t", " ", "|"]),
    ("Tabular", "target"): TEXTS | st.lists(TEXTS, min_size=1, max_size=3, unique=True) | st.deferred(lambda: of_options(nn.Target)),
    ("Tabular", "inputs"): st.none() | st.lists(TEXTS, min_size=1, max_size=3, unique=True),
    ("Source", "cv"): st.none() | st.integers(2, 9) | st.sampled_from([{"folds": 4, "only": 3}, {"bootstraps": 3}]),
    ("Source", "split"): st.sampled_from([{}, {"stratify": False}, {"groups": "g"}, {"time": "t"}]),
    ("Sweep", "parameters"): st.dictionaries(
        st.sampled_from(["optimizer.lr", "train.epochs"]),
        st.lists(st.floats(1e-3, 1), min_size=1, max_size=3, unique=True)
        | st.fixed_dictionaries({"low": st.floats(1e-3, 1), "high": st.floats(1, 9)}),
    ),
    ("Sweep", "seeds"): st.none() | st.integers(1, 9) | st.lists(st.integers(0, 99), min_size=1, max_size=4, unique=True),
    ("Target", "classes"): st.none() | st.lists(TEXTS | st.integers(-9, 9), min_size=2, max_size=4, unique_by=str),
}


def together(cls, given):
    """May these options stand together? The refusals are tests of their own."""
    if cls is Experiment and given.get("ensemble"):
        data, many = given["data"], given.get("sweep") is not None
        cv = data.get("cv") if isinstance(data, dict) else None
        many |= cv is not None and not (isinstance(cv, dict) and cv.get("only") is not None)
        return given | ({"ensemble": None} if many else {"seed": min(given.get("seed", 0), 2**62)})
    if issubclass(cls, nn.Source) and given.get("cv"):
        given = {name: value for name, value in given.items() if name != "validation"}
    if issubclass(cls, nn.Generator):  # a part of the same kind might draw the same rows
        kinds = {part: given[part]["type"] if isinstance(given.get(part), dict) else given.get(part) for part in ("validation", "test")}
        given = {name: value for name, value in given.items() if kinds.get(name) != cls.__name__}
    if cls.__name__ == "MNIST1D":
        fitting = {"rows": 60, "training_share": 0.5, "padding": [3, 7]}
        given = given | {name: value for name, value in fitting.items() if name in given}
        return given | ({"translation": 8} if given.keys() & {"padding", "template_length", "translation"} else {})
    if cls.__name__ == "SGD" and given.get("nesterov"):
        return given | {"momentum": 0.9, "dampening": 0}
    if cls.__name__ == "SciPy" and given.get("method", "L-BFGS-B") != "L-BFGS-B":
        return given | {"memory": None}
    if issubclass(cls, Tabular) and given.get("inputs"):
        inputs = [f"{name} too" for name in given["inputs"]]  # none of them a target
        return given | {"inputs": inputs} | ({"dates": inputs[:1]} if "dates" in given else {})
    if cls.__name__ == "Uniform" and (given.get("low", -1) > given.get("high", 1)):
        return given | {"low": -2, "high": 3}
    if cls.__name__ == "MinMax" and not given.get("low", 0) < given.get("high", 1):
        return given | {"low": -2, "high": 3}
    if cls.__name__ == "Clip":
        return given | ({"low": None, "high": None, "quantiles": [0.1, 0.9]} if given.get("quantiles") else {"low": -2, "high": 3})
    if cls.__name__ == "Features":
        return given | {"squares": ["a"]}
    if cls.__name__ == "Scale":
        return given | {"by": 2}
    if cls.__name__ == "Impute" and given.get("value", 0) != 0:
        return given | {"strategy": "constant"}
    return given


def numbers(kind, within):
    """Numbers in a range, the ends of it often among them."""
    low = within.min if within.above is None else within.above
    high = within.max if within.below is None else within.below
    if kind is int:
        return st.integers(low, min(high, 10**6) if high is not None else 10**6)
    free = st.floats(
        low, high, allow_nan=False, allow_infinity=False, exclude_min=within.above is not None, exclude_max=within.below is not None
    )
    whole = [n for n in (0, 1, 2, -3) if n in within]
    return free | st.sampled_from(whole) if whole else free


def schedules(within):
    low = within.with_low()
    top = st.floats(0, 1e3).filter(lambda n: n in low)
    fall = st.fixed_dictionaries(
        {"type": st.just("Step"), "start": top, "every": st.floats(1e-3, 1e3)}, optional={"factor": st.floats(1e-3, 1)}
    )
    return st.fixed_dictionaries({"type": st.just("Cosine"), "start": top}, optional={"stop": top}) | (fall if 0 in low else st.nothing())


def values(kind, schedulable=True, depth=0):
    """What a config may write for an annotation."""
    base, origin = bare(kind), get_origin(bare(kind))
    within = next((mark for mark in markers_of(kind) if isinstance(mark, Range)), Range())
    if origin in (Union, UnionType):
        return st.one_of([values(member, schedulable, depth) for member in get_args(base)])
    if origin is Literal:
        return st.sampled_from(get_args(base))
    if base in (int, float):
        plain = numbers(base, within)
        return plain | schedules(within) if per_run(kind) and schedulable else plain
    if origin is tuple:
        inner = get_args(base)
        if inner[-1] is Ellipsis:
            return st.lists(values(inner[0], schedulable, depth + 1), min_size=int(is_layer(inner[0])), max_size=3)
        return st.tuples(*(values(member, schedulable, depth) for member in inner)).map(list)
    if origin is dict:
        return st.dictionaries(TEXTS.filter(lambda key: key and key != "<<"), values(get_args(base)[1]), max_size=2)
    if base in (None, NoneType):
        return st.none()
    if base is bool:
        return st.booleans()
    if base is str:
        return TEXTS
    if base is Path:
        return st.from_regex(r"[a-z]{1,5}(/[a-z]{1,5})?\.csv", fullmatch=True)
    if isinstance(base, type) and issubclass(base, Component):
        return st.deferred(lambda: component_configs(base.slot, depth))
    return of_options(base, depth)


def is_layer(kind):
    return isinstance(kind, type) and issubclass(kind, nn.Layer)


def of_options(cls, depth=0):
    """A mapping of options, any subset of the optional ones."""
    required, optional = {}, {}
    for name, option in options(cls).items():
        owner = "Layer" if name == "name" and issubclass(cls, nn.Layer) else cls.__name__
        owner = "Source" if issubclass(cls, nn.Source) and name in options(nn.Source) else owner
        owner = "Tabular" if issubclass(cls, Tabular) and ("Tabular", name) in EXTRA else owner
        schedulable = getattr(cls, "schedulable", True)
        strategy = EXTRA[owner, name] if (owner, name) in EXTRA else values(option.kind, schedulable, depth)
        needed = option.required or (option.variadic and is_layer(get_args(option.kind)[0]))
        (required if needed else optional)[name] = strategy
    return st.fixed_dictionaries(required, optional=optional).map(lambda given: together(cls, given))


def component_configs(slot, depth=0):
    """Any component of a slot, nested ones not too deep; a bare name where that will do."""
    known = {
        name: cls
        for name, cls in REGISTRY[slot].items()
        if depth < (2 if slot == "data source" else 3) or not any(map(recursive, options(cls).values()))
    }
    return st.one_of([of_component(name, cls, depth) for name, cls in known.items()])


def recursive(option):
    return (
        option.variadic or Component in getattr(option.kind, "__mro__", ()) or "Source" in str(option.kind) or "Layer" in str(option.kind)
    )


def of_component(name, cls, depth=0):
    full = of_options(cls, depth + 1).map(lambda given: {"type": name} | given)
    needs = any(option.required or option.variadic for option in options(cls).values()) or name in ("Clip", "Features")
    return full if needs else full | st.just(name)


_OF_EXPERIMENT = of_options(Experiment)


@st.composite
def experiments(draw):
    """Whole configs, as a strategy that Hypothesis can print in a line."""
    return draw(_OF_EXPERIMENT)


def resolved(document):
    return config_of(checked(document))


def same(a, b):
    """Equal to the last bit, and of the same types."""
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and repr(a) == repr(b)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
)
@given(experiments())
def test_a_resolved_config_read_again_resolves_to_itself(data):
    first = resolved(Document(data))
    text = dump(first)
    second = resolved(Document(parse(text, "config.yaml", "", {})))
    assert same(first, second)
    assert dump(second) == text


@pytest.mark.parametrize("slot, name", [(slot, name) for slot, known in sorted(REGISTRY.items()) for name in known])
def test_every_component_resolves_to_itself(slot, name):
    """With any of its options, each written out in full."""
    cls = REGISTRY[slot][name]

    @settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(of_component(name, cls, 1))
    def resolves(given):
        problems = walk.Problems()
        made = walk.validate(slot_base(cls), given, "x", problems)
        assert not problems, problems
        plain = config_of(made)
        assert list(plain) == ["type", *options(cls)] and plain["type"] == name
        again = walk.validate(slot_base(cls), parse(dump(plain), "x.yaml", "", {}), "x", problems)
        assert not problems and type(again) is cls and same(config_of(again), plain)

    resolves()


@pytest.mark.parametrize("config", sorted(str(path.relative_to(CONFIGS)) for path in CONFIGS.rglob("*.yaml")))
def test_the_resolved_config_of_an_example_builds_the_same_job(place, monkeypatch, config):
    job = build(load(Path(config)))
    write("elsewhere/config.yaml", dump(job.resolved))
    monkeypatch.chdir("elsewhere")
    again = build(load(Path("config.yaml")))
    assert again.resolved == job.resolved
    assert list(job.resolved)[:3] == ["name", "seed", "dtype"]
    assert Path(job.resolved["data"].get("path", "/")).is_absolute() and isinstance(job.resolved["train"]["blas_threads"], int)
    assert again.model.params.tobytes() == job.model.params.tobytes()


# ---------------------------------------------------------------------------------------------- garbage

NUMBERS = st.sampled_from([10**30, -(10**30), 2**63, 10**400, -(10**400), 1e308, 5e-324, -0.0, 0, -1, 2, 0.5, float("inf"), float("nan")])
GARBAGE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 100)
    | NUMBERS
    | st.floats()
    | TEXTS
    | st.sampled_from(
        ["Dense", "Sigmoid", "SGD", "Cosine", "CSV", "MSE", "Normal", "Residual", "extends", "type", "data/gender.csv", "..", "/", "\0"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "layers", "units", "lr", "start", "", "0", "path", "x.y"]) | TEXTS, inner, max_size=3)
    ),
    max_leaves=6,
)


def places(container):
    """Every container and key in it, all the way down."""
    for key in list(container) if isinstance(container, dict) else range(len(container)):
        yield container, key
        if isinstance(container[key], (dict, list)):
            yield from places(container[key])


@st.composite
def mutated(draw, start):
    """A config with up to three places broken."""
    root = {"config": deepcopy(draw(start))}  # strategies give some objects again and again
    for _ in range(draw(st.integers(1, 3))):
        everywhere = list(places(root))
        container, key = everywhere[draw(st.integers(min(1, len(everywhere) - 1), len(everywhere) - 1))]
        action = draw(st.sampled_from(["number", "replace", "replace", "remove", "add", "wrap", "double"]))
        value = container[key]
        if action == "remove" and container is not root:
            del container[key]
        elif action == "add" and isinstance(value, dict):
            value[draw(TEXTS)] = deepcopy(draw(GARBAGE))
        elif action == "wrap":
            container[key] = draw(st.sampled_from([[value], {"type": value}, {"x": value}, str(value)]))
        elif action == "double" and isinstance(value, list):
            container[key] = value * 2
        elif action == "number" or (isinstance(value, (int, float)) and draw(st.booleans())):
            container[key] = draw(NUMBERS)
        else:
            container[key] = deepcopy(draw(GARBAGE))
    return root["config"] if isinstance(root["config"], dict) else {"model": root["config"]}


def measured(value):
    """Nothing that would only take long or fill the memory: huge layers have tests of their own in test_mistakes."""
    if isinstance(value, dict):
        return all(map(measured, value)) and all(map(measured, value.values()))
    if isinstance(value, list):
        return all(map(measured, value))
    return not isinstance(value, (int, float)) or not isfinite(value if abs(value) < 1e300 else 0.0) or abs(value) <= 1000


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(mutated(experiments()))
def test_garbage_gives_an_experiment_or_a_config_error(data):
    """Of everything that is wrong, each line with its place."""
    try:
        checked(Document(data))
    except ConfigError as error:
        assert error.problems and all(line.startswith("command line") and "\n" not in line for line in error.problems), error.problems


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    data=mutated(st.sampled_from(["gender", "iris", "xor"]).map(lambda name: parse((CONFIGS / f"{name}.yaml").read_text(), name, "", {})))
)
def test_garbage_in_an_example_builds_or_gives_an_error_of_ours(data):
    assume(measured(data))
    try:
        build(Document(data, {"": (str(CONFIGS / "x.yaml"), 1, 1)}, CONFIGS / "x.yaml"))
    except NNFrameError as error:
        assert str(error)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.sampled_from(
            [
                "model",
                "model.0",
                "optimizer",
                ".",
                "=",
                "lr",
                "type",
                "0",
                "[",
                "]",
                "{",
                "}",
                ":",
                ",",
                " ",
                "1e-3",
                "-",
                "'",
                "&a",
                "*a",
                "!x",
                "\n",
                "\t",
                "٣",
                "²",
                "null",
            ]
        ),
        max_size=8,
    ).map("".join)
)
def test_garbage_on_the_command_line_is_followed_or_gives_a_config_error(assignment):
    document = Document({"model": [{"type": "Dense", "units": 1}, "Tanh"], "optimizer": "SGD"}, {}, Path("x.yaml"))
    try:
        override(document, assignment)
        checked(document)
    except ConfigError as error:
        assert error.problems


@settings(max_examples=200, deadline=None, suppress_health_check=[*HealthCheck])
@given(data=st.data())
def test_a_file_of_garbage_is_read_or_gives_an_error_of_ours(tmp_path_factory, data):
    text = (CONFIGS / "gender.yaml").read_bytes()
    at, length = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 30))
    patch = data.draw(
        st.binary(max_size=6)
        | st.sampled_from(
            [
                b"\t",
                b"- ",
                b"  ",
                b"{",
                b"}",
                b"[",
                b"]",
                b": ",
                b"'",
                b'"',
                b"#",
                b"\n",
                b"---\n",
                b"&a ",
                b"*a",
                b"!!",
                b"%",
                b"@",
                b"\xef\xbb\xbf",
                b"\x00",
                b"|",
                b">\n",
            ]
        )
    )
    path = tmp_path_factory.getbasetemp() / "garbage.yaml"
    path.write_bytes(text[:at] + patch + text[at + length :])
    try:
        checked(load(path))
    except NNFrameError as error:
        assert all(line.startswith(f"{path}") or "there is no file" in line for line in str(error).splitlines()), str(error)
