"""What was trained can be used: in another process and place it gives the bytes that it gave at the end of training."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cases import LAYERS, OWN, every, indices, numbers

import nnframe as nn
from nnframe import run
from nnframe.components.component import config_of
from nnframe.components.registry import REGISTRY
from nnframe.config.build import build
from nnframe.config.reading import Document
from nnframe.runs.folder import RunFolder
from nnframe.runs.train import train

ROOT = Path(__file__).parents[2]


def trained(config, out):
    """A run of a config, and its folder."""
    job = build(Document(config), test=True)
    folder = RunFolder.new(job, out)
    assert train(job, folder, True, ()) == 0
    return job, folder.folder


@every(*LAYERS, *OWN["layer"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_layer_predicts_what_it_did_when_training_ended(case, dtype, tmp_path, rng, capsys, monkeypatch):
    layer, shape = case.component, case.shapes[0]
    if layer.__class__.__name__ not in REGISTRY["layer"]:
        monkeypatch.setitem(REGISTRY["layer"], layer.__class__.__name__, layer.__class__)
    before = [] if case.inputs is indices else [{"type": "Dense", "units": shape[-1]}]
    x = case.inputs(rng, (21,), shape)
    outputs = nn.Sequential(*([nn.Dense(shape[-1])] if before else []), case.of()).build(shape).output_shape
    np.savez(tmp_path / "data.npz", x=x, y=numbers(rng, (21,), outputs))
    transforms = [] if case.inputs is indices else ["Standardize"]
    data = {
        "type": "Arrays",
        "path": str(tmp_path / "data.npz"),
        "transforms": transforms,
        "target_transforms": ["Standardize"],
        "validation": 0.2,
    }
    job, folder = trained(
        {
            "data": data if len(outputs) == 1 else data | {"target_transforms": []},
            "model": [*before, config_of(layer)],
            "loss": "MSE",
            "optimizer": {"type": "SGD", "lr": 0.01},
            "train": {"epochs": 2, "batch_size": 5},
            "dtype": dtype,
        },
        tmp_path,
    )
    again = nn.load(folder)
    held = job.data.validation
    assert again.model.predict(held.x).tobytes() == job.model.predict(held.x).tobytes()
    at_the_end = job.model.predict(np.concatenate([job.data.training.x, held.x]))
    read = at_the_end if held.undo is None else held.undo(at_the_end)
    raw = job.experiment.data.split_rows(0)
    found = again.read(np.concatenate([raw["training"].x, raw["validation"].x]))
    assert found.shape == (21, *outputs) and found.tobytes() == read.tobytes()
    assert again.predict(x).shape == ((21,) if outputs == (1,) else (21, *outputs))


IRIS = {"sepal_length": 5.9, "sepal_width": 3.0, "petal_length": 5.1, "petal_width": 1.8}


@pytest.fixture
def iris(place, capsys):
    assert run.main(["iris.yaml", "train.epochs=20", "--quiet"]) == 0
    return Path(capsys.readouterr().out.strip())


def test_rows_come_in_any_form(iris):
    found = nn.load(iris)
    data = nn.CSV("data/iris.csv", target="species").read()
    columns = {name: data.x[:, i] for i, name in enumerate(data.inputs)}
    rows = [dict(zip(data.inputs, row, strict=True)) for row in data.x.tolist()]
    expected = found.predict_proba(data.x)
    assert expected.shape == (150, 3) and np.allclose(expected.sum(1), 1, rtol=0, atol=1e-6)
    for form in (
        data.x.tolist(),
        columns,
        rows,
        data,
        columns | {"species": ["?"] * 150},
        {name: columns[name] for name in reversed(columns)},
    ):
        assert found.predict_proba(form).tobytes() == expected.tobytes()
    names = found.predict(rows)
    assert (names == np.array(data.classes)[expected.argmax(1)]).all() and (names == np.array(data.classes)[data.y]).mean() > 0.9
    assert found.predict(IRIS).tolist() == ["virginica"]


def test_what_it_has_to_show(iris):
    found = nn.load(str(iris))
    assert found.inputs == tuple(IRIS) and found.classes == ("setosa", "versicolor", "virginica")
    assert found.history["val_accuracy"].shape == (20,) and found.history.epochs == found.history.kept == 20
    assert found.model.runs == () and [type(transform) for transform in found.transforms] == [nn.Standardize]
    assert found.config["optimizer"]["type"] == "AdamW" and found.record["status"] == "finished"
    assert len(found.data.training.x) == 120 and found.data.validation.classes == found.classes
    assert re.match(r"^<trained iris: Dense ReLU Dense, sepal_length, .* to classes setosa, versicolor, virginica; finished, ", repr(found))
    held = found.data.validation
    values = nn.evaluate(found.model, found.loss, held, metrics=found.experiment.metrics)
    assert float(values["accuracy"]) == found.history["val_accuracy"][-1]


def test_it_works_in_another_place_and_process_after_the_data_is_gone(iris, tmp_path):
    expected = nn.load(iris).predict_proba(IRIS)
    elsewhere = tmp_path / "other machine"
    shutil.move(iris, elsewhere)
    shutil.rmtree("data")
    script = f"import nnframe as nn; print(nn.load({str(elsewhere)!r}).predict_proba({IRIS!r}).tolist())"
    told = subprocess.run(
        [sys.executable, "-c", script], cwd="/", env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True, text=True
    )
    assert json.loads(told.stdout) == expected.tolist()
    with pytest.raises(nn.FileError, match=r"there is no file .*data/iris\.csv"):
        _ = nn.load(elsewhere).data


def test_data_that_has_changed_since_is_told(iris):
    Path("data/iris.csv").write_text(Path("data/iris.csv").read_text().replace("5.1", "5.2", 1))
    with pytest.warns(UserWarning, match="the data is no longer what .* was trained on"):
        _ = nn.load(iris).data


@pytest.mark.parametrize(
    "rows, message",
    [
        ({"sepal_length": 1}, r"^row 0 lacks the inputs 'sepal_width', 'petal_length', 'petal_width'"),
        ({name.replace("petal_w", "petal-w"): 1 for name in IRIS}, r"^row 0 lacks the input 'petal_width'\. Did you mean 'petal-width'\?"),
        ([IRIS, {**IRIS, "petal_width": "wide"}], r"^row 1: 'petal_width': expected a number, got 'wide'"),
        (
            {**IRIS, "petal_width": None},
            r"column 'petal_width': expected a finite number, got an empty cell or nan; the model was trained without Impute",
        ),
        (np.zeros((3, 3)), r"^expected \(rows, 4\) of sepal_length, sepal_width, petal_length, petal_width, got \(3, 3\)"),
        (np.zeros(4), r"^expected \(rows, 4\).*, got \(4,\); one row alone is \[row\]"),
        ([["a", 1, 2, 3]], r"^rows: expected numbers, got <U"),
        (np.full((2, 4), np.inf), r"row 0: column 'sepal_length': expected a finite number, got inf"),
        (None, r"^rows: expected an array, got nothing"),
    ],
)
def test_rows_that_are_not_like_those_of_the_training(iris, rows, message):
    with pytest.raises(nn.NNFrameError, match=message):
        nn.load(iris).predict(rows)


def test_texts_dates_and_missing_values_go_the_way_of_the_training(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = ["size;colour;bought;y"]
    lines += [
        f"{'' if i % 7 == 0 else i / 10};{'red' if i % 3 else 'blue'};2020-01-{i % 28 + 1:02};{i * 2.5}".replace(".", ",")
        for i in range(60)
    ]
    Path("a.csv").write_text("\n".join(lines))
    Path("c.yaml").write_text(
        "data:\n  type: CSV\n  path: a.csv\n  target: y\n  dates: [bought]\n  inputs: [size, colour, bought]\n"
        "  transforms: [{type: Impute, indicator: true}, OneHot, Standardize]\n  target_transforms: [Standardize]\n"
        "model: [{type: Dense, units: 1}]\nloss: MSE\noptimizer: Adam\ntrain: {epochs: 3, batch_size: 10}\n"
        "predict: {one: {size: 2.5, colour: red, bought: 18270}}\n"
    )
    assert run.main(["c.yaml"]) == 0
    printed = capsys.readouterr().out.splitlines()
    folder = Path(printed[-1])
    found = nn.load(folder)
    job = build(Document(found.config), test=True)
    expected = job.data.training.undo(found.model.predict(job.data.training.x))[:, 0]
    Path("rows.csv").write_text(Path("a.csv").read_text())
    assert nn.load(folder).predict([{"size": 2.5, "colour": "red", "bought": 18270}]).tolist() == [
        pytest.approx(float(next(line for line in printed if "one" in line).split()[1]), rel=1e-3)
    ]
    from nnframe import __main__ as command

    assert command.main(["predict", str(folder), "rows.csv"]) == 0
    answer = capsys.readouterr()
    head, *cells = answer.out.splitlines()
    assert head == "y" and [float(cell) for cell in cells] == expected.tolist()
    assert "note: rows.csv: columns are separated by ';', decimals are written with ','" in answer.err
    with pytest.raises(nn.DataError, match=r"column 'colour': 'green' is not in the training part, which has blue, red"):
        found.predict({"size": 1, "colour": "green", "bought": 18270})
    with pytest.raises(nn.DataError, match=r"^the inputs 'colour' are texts, so rows must have names"):
        found.predict(np.zeros((1, 3)))


# ------------------------------------------------------------------------------------------ what may be wrong with a folder


def damaged(iris, name, content):
    path = iris / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("config.yaml", None, r"is the folder of no run and of no sweep: it has no config\.yaml"),
        ("config.yaml", b"model: [", r"config\.yaml:1:\d+: .*not closed"),
        ("config.yaml", b"", r"config\.yaml.*(empty|expected)"),
        ("run.json", None, r"there is no file .*run\.json"),
        ("run.json", b"{", r"run\.json is damaged: "),
        ("run.json", b"[1]", r"run\.json is no run's record: expected what was trained on which data"),
        ("run.json", b'{"data": {}}', r"run\.json: data: does not say how rows became what the model sees: it has no 'raw'"),
        ("weights.npz", None, r"has no weights\.npz yet \(status: finished\); go on with python -m nnframe\.run --resume "),
        ("weights.npz", b"PK", r"weights\.npz is not an npz file of plain arrays"),
        ("losses.csv", None, r"there is no file .*losses\.csv"),
        ("losses.csv", b"epoch,step,loss\n1,8\n", r"losses\.csv:2: expected 3 cells, as in the first line, got 2"),
        ("losses.csv", b"epoch,step,loss\n1,8,a lot\n", r"losses\.csv is damaged: could not convert"),
    ],
)
def test_a_file_that_is_missing_or_damaged(iris, name, content, message):
    damaged(iris, name, content)
    with pytest.raises(nn.NNFrameError, match=message):
        nn.load(iris)


def test_weights_of_another_model(iris, place):
    other = nn.Sequential(nn.Dense(3), nn.ReLU(), nn.Dense(3)).build(4)
    nn.save_weights(other, iris / "weights.npz")
    with pytest.raises(nn.FileError, match=r"weights\.npz: '0\.W': expected float32 \(4, 16\), as in the model, got float32 \(4, 3\)"):
        nn.load(iris)


@pytest.mark.parametrize("change", ["shape", "dtype", "inputs", "type", "learnt"])
def test_a_record_that_was_edited(iris, change):
    record = json.loads((iris / "run.json").read_text())
    data = record["data"]
    data |= {"shape": {"shape": ["four"]}, "dtype": {"raw": {**data["raw"], "dtype": "a lot"}}}.get(change, {})
    if change == "inputs":
        data["inputs"].reverse()
    if change == "type":
        data["transforms"][0]["type"] = "Nothing"
    if change == "learnt":
        del data["transforms"][0]["mean"]
    (iris / "run.json").write_text(json.dumps(record))
    with pytest.raises(
        nn.FileError, match=r"run\.json: .*(does not say how rows became what the model sees|there is no transform 'Nothing' here)"
    ):
        nn.load(iris)


HUGE = 10**12


@pytest.mark.parametrize(
    "at, value, message",
    [
        ("data.shape", [HUGE], "its transforms make rows of the shape (4,), and it says (1000000000000,)"),
        ("data.shape", [float("inf")], "expected a shape, a list of integers greater than 0, got [inf]"),
        ("data.shape", [-4], "expected a shape, a list of integers greater than 0, got [-4]"),
        ("data.raw.shape", [HUGE], "its rows have the shape (1000000000000,), and 4 names"),
        ("data.raw.dtype", "S1000000000", "expected a dtype of numbers, got 'S1000000000'"),
        ("data.raw.dtype", "O", "expected a dtype of numbers, got 'O'"),
        ("data.classes", [["a"], "b", "c"], "expected a list of texts, got a list of 3"),
        ("data.targets", "abc", "expected a list of texts, got 'abc'"),
        ("data.transforms.0.mean", ["a", "b", "c", "d"], "expected numbers, got <U1"),
        ("data.transforms.0.mean", [1.0] * 70, "operands could not be broadcast together"),
        ("data.transforms.0.std", None, "unsupported operand type"),
        ("results.kept_epoch", HUGE, "expected results.kept_epoch, one of the 20 of losses.csv, got 1000000000000"),
        ("results", [1], "expected results.kept_epoch, one of the 20 of losses.csv, got nothing"),
    ],
)
def test_a_record_that_would_take_all_memory_or_make_no_sense(iris, at, value, message):
    record = json.loads((iris / "run.json").read_text())
    *path, last = at.split(".")
    inner = record
    for key in path:
        inner = inner[int(key) if key.isdecimal() else key]
    inner[last] = value
    (iris / "run.json").write_text(json.dumps(record))
    with pytest.raises(nn.FileError, match=re.escape(message)):
        nn.load(iris)


def test_a_model_that_is_far_larger_than_its_weights_is_not_built(iris):
    config = (iris / "config.yaml").read_text()
    (iris / "config.yaml").write_text(config.replace("units: 16", "units: 20000000"))
    with pytest.raises(nn.FileError, match=r"weights\.npz holds 131 numbers, and the model of .*config\.yaml has 160,000,003"):
        nn.load(iris)


def test_places_that_are_no_folder_of_a_run(tmp_path):
    (tmp_path / "file").write_text("")
    for path, message in [
        ("none", "there is no folder"),
        ("file", r"is a file; name the folder that it is in"),
        (".", "is the folder of no run"),
    ]:
        with pytest.raises(nn.FileError, match=message):
            nn.load(tmp_path / path)


def test_a_folder_of_another_version_says_so(iris):
    config, record = (iris / "config.yaml").read_text(), json.loads((iris / "run.json").read_text())
    (iris / "config.yaml").write_text(config.replace("weight_decay:", "decay_of_weights:"))
    record["versions"]["nnframe"] = "0.0.9"
    (iris / "run.json").write_text(json.dumps(record))
    with pytest.raises(
        nn.ConfigError, match=r"(?s)has no option 'decay_of_weights'.*was written by nnframe 0\.0\.9, and this is "
    ) as caught:
        nn.load(iris)
    assert "weight_decay" in str(caught.value)


def test_a_run_that_diverged_has_nothing_to_predict_with(place, capsys):
    assert run.main(["iris.yaml", "optimizer={type: SGD, lr: 1e30}", "--quiet"]) == 1
    found = nn.load(capsys.readouterr().out.splitlines()[0])
    assert found.history.diverged and "diverged" in repr(found)
    with pytest.raises(nn.UsageError, match=r"the training diverged, so that the weights are no numbers; train it again with a smaller lr"):
        found.predict(IRIS)


def test_a_member_that_diverged_is_left_out_though_its_weights_are_numbers_still(place):
    Path("start").mkdir()
    weights = np.ones((3, 10, 1), "f4") * np.array([0, 1e25, 1], "f4")[:, None, None]
    np.savez("start/weights.npz", **{"0.W": weights, "0.b": np.zeros((3, 1, 1), "f4")})
    alone = {"model": [{"type": "Dense", "units": 1}], "optimizer": {"type": "SGD", "lr": 1e-30}, "train.epochs": 1}
    with pytest.warns(nn.DivergenceWarning, match="^1 of 3 members diverged and are left out of the ensemble: seed 1"):
        made = nn.train("tabular/diabetes.yaml", ensemble=3, **alone, **{"weights.folder": "start"})
    data = nn.Diabetes().read()
    for found in (made, nn.load(made.folder)):
        assert found.members == 2 and found.model.params.shape == (2, 11)
        mean, sd = data.y.mean(), data.y.std()
        assert found.predict(data.x).tobytes() == made.predict(data.x).tobytes()
        half = 0.5 * found.parts[0].pipeline(data).sum(-1)  # the mean of 0 and the sum of inputs
        np.testing.assert_allclose((found.predict(data.x) - mean) / sd, half, atol=0.2)
    record = json.loads((made.folder / "run.json").read_text())
    record["members"].pop()
    (made.folder / "run.json").write_text(json.dumps(record))
    with pytest.raises(nn.FileError, match=r"run\.json: members: expected what has become of each of 3 members"):
        nn.load(made.folder)


@pytest.mark.parametrize("ensemble", [None, 2])
def test_weights_of_an_earlier_end_are_not_taken_for_those_of_a_longer_training(place, ensemble):
    found = nn.train("iris.yaml", ensemble=ensemble, **{"train.epochs": 1})
    record = json.loads((found.folder / "run.json").read_text())
    (found.folder / "run.json").write_text(json.dumps(record | {"status": "running"}))
    told = r"has not ended since it was gone on with \(status: running\), so that weights\.npz is of an earlier end; go on with"
    with pytest.raises(nn.FileError, match=told):
        nn.load(found.folder)


def test_the_weights_of_the_best_epoch(place, capsys):
    assert run.main(["iris.yaml", "train.epochs=8", "callbacks=[{type: BestWeights, monitor: loss, mode: max}]", "--quiet"]) == 0
    folder = Path(capsys.readouterr().out.strip())
    assert nn.load(folder, weights="best.npz").model.params.tobytes() != nn.load(folder).model.params.tobytes()
    with pytest.raises(nn.FileError, match=r"has no last\.npz; a callback BestWeights writes one"):
        nn.load(folder, weights="last.npz")


def test_a_plugins_layer_needs_the_plugin(place, capsys, monkeypatch):
    monkeypatch.setitem(REGISTRY, "layer", dict(REGISTRY["layer"]))
    code = "import nnframe as nn\n\n\nclass Twice(nn.Activation):\n    def function(self, w, x, y):\n        y[...] = 2 * x\n\n"
    Path("twice.py").write_text(code + "    def derivative(self, w, dy, dx):\n        dx[...] = 2 * dy\n")
    command = [sys.executable, "-m", "nnframe.run", "iris.yaml", "model.1=Twice", "train.epochs=1", "--plugin", "twice.py", "--quiet"]
    folder = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True, text=True).stdout.strip()
    with pytest.raises(nn.ConfigError, match=r"(?s)unknown layer 'Twice'.*was trained with --plugin twice\.py; name it here too"):
        nn.load(folder)
    script = f"import nnframe as nn; nn.load({folder!r}, plugins=['twice.py']); nn.load({folder!r})"
    subprocess.run([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)


# ------------------------------------------------------------------------------------------ in Python, from the config on


def test_a_config_is_trained_in_python_as_by_the_command(iris, capsys):
    found = nn.train("iris.yaml", **{"train.epochs": 20})
    assert (found.folder / "losses.csv").read_bytes() == (iris / "losses.csv").read_bytes()
    assert (found.folder / "weights.npz").read_bytes() == (iris / "weights.npz").read_bytes()
    assert capsys.readouterr() == ("", "")
    again = nn.load(found.folder)
    assert found.predict_proba(IRIS).tobytes() == again.predict_proba(IRIS).tobytes()
    assert found.history["val_loss"].dtype == float and found.history["val_loss"].tolist() == again.history["val_loss"].tolist()
    assert len(found.data.validation.x) == 30 and found.config == again.config


def test_a_mapping_is_a_config_and_changes_may_be_objects(place):
    config = {
        "data": {"type": "Iris", "transforms": ["Standardize"], "validation": 0.2},
        "model": [{"type": "Dense", "units": 3}],
        "loss": "CrossEntropy",
        "optimizer": {"type": "SGD", "lr": nn.Cosine(0.1)},
        "train": {"epochs": 2, "batch_size": np.int64(16)},
    }
    found = nn.train(config, seed=3, optimizer=nn.Adam(0.01), out=place / "elsewhere")
    assert found.folder.parent == place / "elsewhere/run" and found.config["optimizer"]["type"] == "Adam" and found.config["seed"] == 3
    assert config["optimizer"]["type"] == "SGD"


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"optimizer.lr": -1}, r"^nn\.train: optimizer\.lr: expected a number greater than 0, got -1$"),
        ({"model.0.unit": 3}, r"^nn\.train: model\.0\.unit: Dense has no option 'unit'\. Did you mean 'units'\?"),
        ({"model.9.units": 3}, r"^nn\.train: model\.9\.units: model is a list of 3"),
        (
            {"extends": "iris.yaml"},
            r"^nn\.train: extends: can only stand in a file, to which its path is relative; name that file as the config$",
        ),
        ({"sweep": {"seeds": 3}}, r"^the config trains several networks, by its section sweep or by folds; nn\.sweep trains these"),
        ({"data.cv": 5, "data.validation": None}, r"^the config trains several networks"),
    ],
)
def test_mistakes_in_changes(place, changes, message):
    with pytest.raises(nn.NNFrameError, match=message):
        nn.train("iris.yaml", **changes)
    assert not Path("experiments").exists()


def test_a_training_that_diverges_or_is_doubtful_is_warned_of(place):
    with pytest.warns(nn.DivergenceWarning, match=r"the loss is nan at the end of epoch \d+ .*A smaller optimizer\.lr may help"):
        found = nn.train("iris.yaml", optimizer={"type": "SGD", "lr": 1e30})
    assert found.history.diverged
    with pytest.warns(UserWarning, match=r"model\.3: Softmax before CrossEntropy, which takes logits"):
        nn.train("iris.yaml", **{"train.epochs": 1, "model": ["ReLU", "ReLU", {"type": "Dense", "units": 3}, "Softmax"]})


@pytest.mark.parametrize("ensemble", [None, 3])
def test_a_signal_ends_training_in_python_with_a_folder_to_go_on_with(place, ensemble):
    script = (
        "import os, signal, threading, nnframe as nn\n"
        "threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGTERM)).start()\n"
        f"try:\n    nn.train('iris.yaml', **{{'train.epochs': 10**6, 'ensemble': {ensemble}}})\n"
        "except nn.Interrupted as stop:\n    print('stopped', stop.signal)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert answer.stdout == "stopped 15\n", answer.stderr
    folder = next(Path("experiments/runs/iris").iterdir())
    assert json.loads((folder / "run.json").read_text())["status"] == "interrupted"
    found = nn.load(folder)
    assert found.predict(IRIS).shape == (1,) and found.members == (ensemble or 1)


# ------------------------------------------------------------------------------------------ ensembles


def test_an_ensemble_predicts_the_mean_of_its_members(place):
    found = nn.train("iris.yaml", ensemble=3, **{"train.epochs": 5})
    again, data = nn.load(found.folder), nn.CSV("data/iris.csv", target="species").read()
    assert again.members == 3 and again.model.runs == (3,) and "3 networks of Dense ReLU Dense" in repr(again)
    seen = again.parts[0].pipeline(again.parts[0].pipeline.rows(data.x))
    each = np.exp(again.model.predict(seen).astype(float))
    each /= each.sum(-1, keepdims=True)
    np.testing.assert_allclose(again.predict_proba(data.x), each.mean(0), rtol=1e-5, atol=1e-7)
    spread = again.spread(data.x)
    mean = each.mean(0)
    entropy = -(mean * np.log(mean)).sum(-1)
    np.testing.assert_allclose(spread["entropy"], entropy, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(spread["mutual_information"], entropy + (each * np.log(each)).sum(-1).mean(0), rtol=1e-3, atol=1e-6)
    with pytest.raises(nn.UsageError, match="one network alone has no spread; train with ensemble: 16"):
        nn.train("iris.yaml", **{"train.epochs": 1}).spread(data.x)


def test_an_ensemble_of_numbers_has_a_deviation_and_quantiles(place, capsys):
    found = nn.train("tabular/diabetes.yaml", ensemble=4, **{"train.epochs": 3})
    data = nn.Diabetes().read()
    seen = found.parts[0].pipeline(data)
    each = found.parts[0].pipeline.undo(found.model.predict(seen))[..., 0]
    np.testing.assert_allclose(found.predict(data.x), each.mean(0), rtol=1e-5)
    spread = found.spread(data.x)
    np.testing.assert_allclose(spread["sd"][:, 0], each.std(0, ddof=1), rtol=1e-5)
    np.testing.assert_allclose(spread["q05"][:, 0], np.quantile(each, 0.05, axis=0), rtol=1e-5)
    from nnframe import __main__ as command

    assert command.main(["predict", str(found.folder), str(ROOT / "nnframe/data/sources/included/diabetes.csv")]) == 0
    head, first, *_ = capsys.readouterr().out.splitlines()
    assert head == "progression,progression_sd,progression_q05,progression_q95"
    assert list(map(float, first.split(","))) == pytest.approx(
        [found.predict(data.x)[0], *(spread[name][0, 0] for name in ("sd", "q05", "q95"))]
    )


# ------------------------------------------------------------------------------------------ as a newcomer has it


def test_classes_that_are_numbers_are_given_back_as_numbers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = np.arange(40.0)
    Path("c.csv").write_text("a,segment\n" + "".join(f"{value},{1 + i % 3}\n" for i, value in enumerate(x)))
    config = {
        "data": {
            "type": "CSV",
            "path": "c.csv",
            "target": {"column": "segment", "classes": [1, 2, 3]},
            "inputs": ["a"],
            "transforms": ["Standardize"],
        },
        "model": [{"type": "Dense", "units": 3}],
        "loss": "CrossEntropy",
        "optimizer": "Adam",
        "train": {"epochs": 1, "batch_size": 8},
    }
    found = nn.train(config).predict({"a": [1.0, 2.0]})
    assert found.dtype.kind == "i" and set(found.tolist()) <= {1, 2, 3}


def test_a_column_of_texts_names_the_cell_that_is_no_number(iris):
    rows = {name: ["1", "2", "3"] for name in IRIS}
    with pytest.raises(
        nn.DataError, match=r"row 0: column 'sepal_length': expected a number, as in training, got '1', a text that says a number"
    ):
        nn.load(iris).predict(rows)
    rows["sepal_length"][1] = "ninety"
    with pytest.raises(nn.DataError, match=r"row 1: column 'sepal_length': expected a number, as in training, got 'ninety'"):
        nn.load(iris).predict(rows)


def test_a_folder_of_runs_names_the_newest(iris, place):
    with pytest.raises(
        nn.FileError,
        match=rf"experiments/runs is the folder of no run and of no sweep: it has no config\.yaml; it holds runs, of which {iris} is the newest",
    ):
        nn.load("experiments/runs")
