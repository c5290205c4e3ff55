"""The runner as its user meets it: what it prints, what it leaves behind, and what it says to a mistake."""

import csv
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
from pathlib import Path

import numpy as np
import pytest

import nnframe as nn
from nnframe import __main__ as command
from nnframe import run

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "configs"
GENDER = (CONFIGS / "gender.yaml").read_text()


def train(capsys, *arguments):
    """Exit status, lines printed, and the run's folder."""
    status = run.main([*map(str, arguments), "--out", "runs"])
    lines = capsys.readouterr().out.splitlines()
    return status, lines, Path(lines[-1])


def process(*arguments, **options):
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | options.pop("environment", {})
    return subprocess.Popen([sys.executable, "-m", "nnframe.run", *arguments], env=environment, text=True, **options)


def test_the_main_job(place, capsys):
    status, lines, folder = train(capsys, "gender.yaml")
    assert status == 0
    assert lines[0] == "gender: 4 rows, 2 inputs, 4 layers, 9 parameters, float64"
    assert [line for line in lines if line.startswith("epoch ")][-1].startswith("epoch 1000/1000  loss ")
    emily, frank = (next(line.split() for line in lines if name in line) for name in ("Emily", "Frank"))
    assert emily[2] == "F" and 0.93 < float(emily[1]) < 0.985
    assert frank[2] == "M" and 0.02 < float(frank[1]) < 0.08
    files = ["checkpoint.before.npz", "checkpoint.npz", "config.yaml", "losses.csv", "run.json", "timing.csv", "weights.npz"]
    assert sorted(file.name for file in folder.iterdir()) == files
    rows = list(csv.DictReader((folder / "losses.csv").read_text().splitlines()))
    assert list(rows[0]) == ["epoch", "step", "loss", "val_loss", "binary_accuracy", "lr"]
    assert [int(row["epoch"]) for row in rows] == list(range(1, 1001))
    assert rows[-1]["step"] == "4000" and rows[-1]["val_loss"] == "" and rows[-1]["lr"] == "0.1"
    assert len((folder / "timing.csv").read_text().splitlines()) == 1001
    record = json.loads((folder / "run.json").read_text())
    assert record["status"] == "finished" and record["results"]["loss"] == float(rows[-1]["loss"])
    assert record["data"]["classes"] == ["M", "F"] and record["versions"]["numpy"] == np.__version__


@pytest.mark.parametrize("config", sorted(path.name for path in CONFIGS.glob("*.yaml") if "sweep" not in path.stem))
def test_every_example_learns_and_its_resolved_config_gives_the_same_bytes(place, capsys, config):
    status, lines, folder = train(capsys, config)
    assert status == 0
    rows = list(csv.DictReader((folder / "losses.csv").read_text().splitlines()))
    accuracy = next(name for name in rows[0] if name.endswith("accuracy"))
    assert float(rows[-1]["loss"]) < 0.1 * float(rows[0]["loss"]) and float(rows[-1][accuracy]) > 0.95
    again = train(capsys, folder / "config.yaml")[2]
    assert again != folder
    for name in ("config.yaml", "losses.csv", "weights.npz"):
        assert (again / name).read_bytes() == (folder / name).read_bytes(), name


SETS = sorted(str(path.relative_to(CONFIGS)) for path in CONFIGS.glob("*/*.yaml"))


@pytest.mark.parametrize("config", SETS)
def test_every_example_in_a_folder_trains(place, capsys, config):
    """For two epochs; some need minutes to get where they say."""
    assert run.main([config, "train.epochs=2", *(["sweep.seeds=2"] if "sweep:" in Path(config).read_text() else []), "--out", "runs"]) == 0
    capsys.readouterr()
    (log,) = Path("runs").glob("*/*/losses.csv")
    assert all(float(row["loss"]) > 0 and 0 < float(row["val_loss"]) < 10 for row in csv.DictReader(log.read_text().splitlines()))


def test_weights_load_into_a_model_of_the_same_layers(place, capsys):
    _, lines, folder = train(capsys, "gender.yaml")
    model = nn.Sequential(nn.Dense(2), nn.Sigmoid(), nn.Dense(1), nn.Sigmoid()).build(2, dtype="float64")
    nn.load_weights(model, folder / "weights.npz")
    shown = next(line.split()[1] for line in lines if "Emily" in line)
    assert f"{model.predict(np.array([[128.0 - 135, 63 - 66]]))[0, 0]:.4g}" == shown


def test_transforms_are_fitted_on_the_training_part(place, capsys):
    _, _, folder = train(capsys, "iris.yaml", "train.epochs=1")
    data = json.loads((folder / "run.json").read_text())["data"]
    assert (data["rows"], data["validation_rows"]) == (120, 30)
    table = np.array([row[:4] for row in csv.reader((place / "data/iris.csv").read_text().splitlines())][1:], float)
    mean = np.array(data["transforms"][0]["mean"])
    order, species = nn.generator(0, "split").permutation(150), np.arange(150) // 50
    held = np.concatenate([order[species[order] == number][:10] for number in range(3)])  # a fifth of each species
    kept = np.setdiff1d(np.arange(150), held)
    np.testing.assert_allclose(mean, table[kept].mean(0), rtol=1e-12)
    assert not np.allclose(mean, table.mean(0), rtol=1e-6)


def test_overrides(place, capsys):
    _, lines, folder = train(capsys, "gender.yaml", "train.epochs=20", "model.0.units=3", "optimizer={type: Adam, lr: 1e-2}", "name=small")
    assert "13 parameters" in lines[0] and folder.parent.name == "small"
    rows = (folder / "losses.csv").read_text().splitlines()
    assert len(rows) == 21 and rows[-1].endswith(",0.01")
    config = (folder / "config.yaml").read_text()
    assert "type: Adam" in config and "eps: 1e-08" in config


def test_a_new_type_leaves_the_old_ones_options_behind(place, capsys):
    _, _, folder = train(capsys, "gender.yaml", "train.epochs=1", "optimizer.type=Adam")
    assert (folder / "losses.csv").read_text().splitlines()[-1].endswith(",0.001")  # Adam's default, not SGD's 0.1


def test_quiet_prints_only_the_folder(place, capsys):
    assert run.main(["gender.yaml", "--out", "runs", "--quiet", "train.epochs=3"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert Path(line).is_dir()


def test_a_second_run_of_the_same_second_has_a_folder_of_its_own(place, capsys):
    folders = {train(capsys, "gender.yaml", "train.epochs=1")[2] for _ in range(5)}
    assert len(folders) == 5


def test_a_path_in_an_override_is_relative_to_the_current_folder(place, capsys, monkeypatch):
    (place / "elsewhere").mkdir()
    (place / "elsewhere" / "people.csv").write_bytes((place / "data/gender.csv").read_bytes())
    monkeypatch.chdir(place / "elsewhere")
    assert run.main(["../gender.yaml", "data.path=people.csv", "train.epochs=1", "--quiet", "--out", "runs"]) == 0


def test_classes_are_named_with_their_numbers(place, capsys):
    few = ["train.epochs=1", "predict={}"]
    assert train(capsys, "gender.yaml", *few)[1][1] == "classes: 0 = M, 1 = F; an output near 1 means F"
    assert train(capsys, "gender.yaml", *few, "data.target.classes=[F, M]")[1][1] == "classes: 0 = F, 1 = M; an output near 1 means M"
    assert train(capsys, "iris.yaml", *few)[1][1] == "classes: 0 = setosa, 1 = versicolor, 2 = virginica"
    assert "classes: " not in str(train(capsys, "digits.yaml", "train.epochs=1")[1])  # 0 is 0
    Path("many.csv").write_text("x,y\n" + "".join(f"{i % 7},kind-{i % 40}\n" for i in range(80)))
    many = ["data={type: CSV, path: many.csv, target: y}", "loss=CrossEntropy", "model=[{type: Dense, units: 40}]", "metrics=[]"]
    assert "classes: " not in str(train(capsys, "xor.yaml", *few, *many)[1])
    assert "classes: " not in str(train(capsys, "tabular/diabetes.yaml", *few)[1])


def on_a_terminal(columns, *arguments):
    """What a terminal of so many columns gets."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    child = process(*arguments, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    try:
        while chunk := os.read(ours, 65536):
            seen += chunk
    except OSError:  # how a terminal says that the other side has closed
        pass
    os.close(ours)
    assert child.wait() == 0
    return seen.decode()


@pytest.mark.parametrize("columns", [100, 80, 60, 40, 20])
def test_a_bar_on_a_terminal_shows_whole_numbers_or_none(place, columns):
    """What it shows are numbers of losses.csv, none of them cut off; at its end the line of all epochs stands there, and no bar."""
    name = f"name={'a-long-name' * 3}"
    text = on_a_terminal(columns, "iris.yaml", "--out", "runs", "train.epochs=3000", "train.batch_size=120", name)
    before, *frames, _ = text.split("\r")
    folder = Path(place, text.split()[-1])
    with (folder / "losses.csv").open(newline="") as file:
        log = list(csv.DictReader(file))
    known = {name: {f"{float(row[name]):.4g}" for row in log} for name in log[0] if name not in ("epoch", "step", "lr")}
    shown = [frame.strip() for frame in frames if " loss " in f" {frame}" and "epochs: " not in frame]
    assert len(shown) > 2 and all(len(frame) < columns for frame in shown)
    for frame in shown:
        parts = re.split(r" {2,}", re.sub(r"\|.*\|", "a bar", frame))
        numbers = dict(part.split(" ") for part in parts if part.split(" ")[0] in known)
        assert all(number in known[name] for name, number in numbers.items()) and list(numbers)[:2] == ["loss", "val_loss"][: len(numbers)]
        rest = [part for part in parts if part.split(" ")[0] not in known]
        assert all(re.fullmatch(r"(a-long-name){3}|a bar|\d+/3000|[\d:]+ left", part) for part in rest), frame
        assert columns < 40 or len(numbers) > 1
    lines = [line.rsplit("\r", 1)[-1].strip() for line in text.replace("\r\n", "\n").split("\n")]
    assert lines[0].startswith("a-long-name") and any(line.startswith("after 3000 epochs: loss ") for line in lines)
    assert "epoch    1/" not in text and not any("/3000" in line for line in lines)


def test_ctrl_c_keeps_what_was_learnt(place):
    child = process(
        "gender.yaml", "--out", "runs", "train.epochs=100000000", "log.every=100", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    for line in child.stdout:
        if line.startswith("epoch       100/"):
            break
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130 and "Traceback" not in err
    folder = place / out.splitlines()[-1]
    assert re.fullmatch(
        rf"interrupted by SIGINT in epoch \d+, step [0-4] of 4; go on with\n  python -m nnframe.run --resume {out.splitlines()[-1]}\n", err
    )
    assert json.loads((folder / "run.json").read_text())["status"] == "interrupted"
    assert (folder / "weights.npz").exists() and len((folder / "losses.csv").read_text().splitlines()) > 100


def test_a_reader_that_goes_away_ends_it_quietly(place):
    arguments = ["gender.yaml", "--out", "runs", "log.every=1", "train.epochs=100000"]
    with process(*arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        child.stdout.readline()
        child.stdout.close()
        assert child.stderr.read() == ""
        assert child.wait(timeout=60) == 141


def test_a_diverging_run_says_so(place, capsys):
    status = run.main(["iris.yaml", "--out", "runs", "optimizer={type: SGD, lr: 1e30}", "--quiet"])
    captured = capsys.readouterr()
    assert status == 1
    assert captured.err.startswith("the loss is ") and "training ended there. A smaller optimizer.lr may help." in captured.err
    record = json.loads((Path(captured.out.strip()) / "run.json").read_text())
    assert record["status"] == "diverged" and record["results"]["loss"] in ("nan", "inf")


def test_help_and_verbs(place, capsys):
    with pytest.raises(SystemExit) as done:
        run.main(["--help"])
    assert done.value.code == 0
    text = capsys.readouterr().out
    assert "key=value" in text and "configs/gender.yaml" in text and "exit status" in text
    for arguments, status, words in (
        (["run", "gender.yaml", "--out", "runs", "--quiet", "train.epochs=1"], 0, "runs/gender/"),
        (["--version"], 0, nn.__version__),
        ([], 0, "nnframe VERB"),
        (["rnu"], 2, "Did you mean 'run'?"),
    ):
        assert command.main(arguments) == status
        captured = capsys.readouterr()
        assert words in captured.out + captured.err


# ---------------------------------------------------------------------------------------------- mistakes

FILES = {
    "empty.csv": b"",
    "header.csv": b"name,weight,height,gender\n",
    "text.csv": b"name,weight,height,gender\nAlice,133,tall,F\n",
    "nan.csv": b"name,weight,height,gender\nAlice,133,65,F\nBob,nan,72,M\n",
    "gap.csv": b"name,weight,height,gender\nAlice,133,,F\n",
    "short.csv": b"name,weight,height,gender\nAlice,133,65\n",
    "latin.csv": b"name,weight,height,gender\nRen\xe9,133,65,M\n",
    "twice.csv": b"weight,weight,height,gender\n1,2,3,M\n",
    "quote.csv": b'name,weight,height,gender\n"Alice,133,65,F\n',
}
EPOCHS = "train: {epochs: 1000, batch_size: 1, evaluate_train: true}"

# what is written in gender.yaml, what stands there instead, and what comes back
MISTAKES = [
    ("data/gender.csv", "data/gendr.csv", "9:3: data.path: there is no file {0}/data/gendr.csv. Did you mean 'gender.csv'?"),
    ("data/gender.csv", "date/gender.csv", "9:3: data.path: there is no file {0}/date/gender.csv; there is no folder {0}/date"),
    ("data/gender.csv", "data", "9:3: data.path: {0}/data is not a regular file"),
    ("data/gender.csv", "/dev/zero", "9:3: data.path: /dev/zero is not a regular file"),
    ("data/gender.csv", "empty.csv", "9:3: data.path: {0}/empty.csv is empty; expected a header line and rows"),
    ("data/gender.csv", "header.csv", "9:3: data.path: {0}/header.csv has a header but no rows"),
    (
        "data/gender.csv",
        "text.csv",
        "12:30: data.transforms.0.by: expected one number, or one for each of the 1 inputs, got 2; the column 'height' holds texts (tall)",
    ),
    (
        "data/gender.csv",
        "nan.csv",
        "10:3: data.inputs: {0}/nan.csv:3: column 'weight': expected a finite number, got an empty cell or nan; write transforms: [Impute], or leave out the row or the column",
    ),
    (
        "data/gender.csv",
        "gap.csv",
        "10:3: data.inputs: {0}/gap.csv: the column 'height' is empty in all rows; write inputs: [weight] to leave it out",
    ),
    ("data/gender.csv", "short.csv", "9:3: data.path: {0}/short.csv:2: expected 4 cells, as in the header, got 3"),
    (
        "data/gender.csv",
        "latin.csv",
        "9:3: data.path: {0}/latin.csv:2: expected text in UTF-8, got byte 0xe9; it looks like cp1252 (Windows), 'René,133,65,M': write encoding: cp1252, or save the file as UTF-8",
    ),
    ("data/gender.csv", "twice.csv", "9:3: data.path: {0}/twice.csv:1: the column 'weight' stands twice in the header"),
    ("data/gender.csv", "quote.csv", "9:3: data.path: {0}/quote.csv:2: unexpected end of data"),
    (
        "inputs: [weight, height]",
        "inputs: [wieght, height]",
        "10:3: data.inputs: {0}/data/gender.csv has no column 'wieght'. Did you mean 'weight'? Columns: name, weight, height, gender.",
    ),
    (
        "inputs: [weight, height]",
        "inputs: [name, height]",
        "12:30: data.transforms.0.by: expected one number, or one for each of the 1 inputs, got 2; the column 'name' holds texts (Alice, Bob, Charlie, Diana)",
    ),
    (
        "inputs: [weight, height]",
        "inputs: weight",
        "10:3: data.inputs: expected a list, each item a text, got 'weight'; write [weight]",
    ),
    ("[M, F]", "[M, W]", "11:3: data.target: {0}/data/gender.csv:2: column 'gender': 'F' is not among the classes M, W."),
    ("by: [-135, -66]", "by: [-135]", "12:30: data.transforms.0.by: expected one number, or one for each of the 2 inputs, got 1"),
    (
        "type: Shift",
        "type: Shft",
        "12:17: data.transforms.0.type: unknown transform 'Shft'. Did you mean 'Shift'? Known: Shift, ",
    ),
    ("- Sigmoid ", "- Sigmod ", "15:5: model.1: unknown layer 'Sigmod'. Did you mean 'Sigmoid'? Known: "),
    (
        "units: 2",
        "unit: 2",
        "14:19: model.0.unit: Dense has no option 'unit'. Did you mean 'units'? Options: units, init, bias, bias_init, name.",
    ),
    ("units: 2", "units: 0", "14:19: model.0.units: expected an integer of at least 1, got 0"),
    ("units: 2", "units: 2.0", "14:19: model.0.units: expected an integer of at least 1, got 2.0; write 2"),
    (
        "units: 2",
        "units: '2'",
        "14:19: model.0.units: expected an integer of at least 1, got '2' (a text); write the number without quotes",
    ),
    (
        "units: 2, init: Normal",
        "units: 2, init: {type: Normal, std: -1}",
        "14:50: model.0.init.std: expected a number of at least 0, got -1",
    ),
    ("lr: 0.1}", "lr: -0.1}", "19:24: optimizer.lr: expected a number greater than 0, got -0.1"),
    ("lr: 0.1}", "lr: 0}", "19:24: optimizer.lr: expected a number greater than 0, got 0"),
    ("lr: 0.1}", "lr: .nan}", "19:24: optimizer.lr: expected a number greater than 0, got nan"),
    ("lr: 0.1}", "lr: .inf}", "19:24: optimizer.lr: expected a number greater than 0, got inf"),
    ("lr: 0.1}", "lr: fast}", "19:24: optimizer.lr: expected a number greater than 0, got 'fast'"),
    ("lr: 0.1}", "lr: true}", "19:24: optimizer.lr: expected a number greater than 0, got true"),
    ("lr: 0.1}", "lr: [0.1, 0.2]}", "19:24: optimizer.lr: expected a number greater than 0, got a list of 2; one network takes one value"),
    (
        "lr: 0.1}",
        "lr: {type: Cosine, start: -1}}",
        "19:24: optimizer.lr: expected a schedule of numbers of at least 0, got Cosine(-1.0), which reaches -1",
    ),
    ("lr: 0.1}", "lr: 0.1, nesterov: true}", "19:33: optimizer.nesterov: needs a momentum greater than 0 and no dampening"),
    (
        "type: SGD",
        "type: SDG",
        "19:13: optimizer.type: unknown optimizer 'SDG'. Did you mean 'SGD'? Known: Adam, AdamW, RMSprop, SGD, SciPy.",
    ),
    ("units: 1,", "units: 3,", "11:3: data.target: the target has 2 classes (M, F), but the model has outputs (3,)"),
    (
        "- Sigmoid ",
        "- {type: Residual, layers: [{type: Dense, units: 3}]} ",
        "15:5: model.1: Residual adds its layers' output to its input; expected them to keep the shape (2,), got (3,)",
    ),
    (
        "loss: MSE",
        "loss: CrossEntropy",
        "11:3: data.target: the target has 2 classes (M, F), but the model has outputs (1,); BinaryCrossEntropy is for one output",
    ),
    ("loss: MSE", "loss: MES", "18:1: loss: unknown loss 'MES'. Did you mean 'MSE'? Known: BinaryCrossEntropy, CrossEntropy, MAE, MSE."),
    ("loss: MSE", "los: MSE", "18:1: los: unknown key 'los'. Did you mean 'loss'? Keys: "),
    ("loss: MSE", "", "4:1: the key 'loss' is missing; expected a loss"),
    (
        "metrics: [BinaryAccuracy]",
        "metrics: [Accuracy]",
        "21:11: metrics.0: Accuracy expected outputs (..., classes) and targets that are classes, got (1,) and (1,); "
        "BinaryAccuracy is for one output",
    ),
    (
        "metrics: [BinaryAccuracy]",
        "metrics: BinaryAccuracy",
        "21:1: metrics: expected a list, each item a metric, got 'BinaryAccuracy'; write [BinaryAccuracy]",
    ),
    (EPOCHS, "train: {epochs: 0, batch_size: 1}", "20:9: train.epochs: expected an integer of at least 1, got 0"),
    (EPOCHS, "train: {batch_size: 1}", "20:1: train: the key 'epochs' is missing; expected an integer of at least 1"),
    (EPOCHS, "train: {epochs: 1, batch_size: 1, shuffle: yes}", "20:35: train.shuffle: expected true or false, got 'yes'; write true"),
    ("weight: 128", "wait: 128", "22:19: predict.Emily.wait: the data has no input 'wait'. Did you mean 'weight'? Inputs: weight, height."),
    ("weight: 128, ", "", "22:11: predict.Emily: needs a value for the input 'weight'. Inputs: weight, height."),
    ("seed: 0", "seed: -1", "5:1: seed: expected an integer of at least 0 and at most 9223372036854775807, got -1"),
    ("seed: 0", "seed: 0\nseed: 1", "6:1: the key 'seed' is given twice, first in line 5"),
    ("seed: 0", "\tseed: 0", "5:1: a tab; indent with spaces"),
    (
        "seed: 0",
        "seed: !!python/object:os.system 0",
        "5:7: the tag 'tag:yaml.org,2002:python/object:os.system' is refused: a config is plain data",
    ),
    ("dtype: float64", "dtype: float46", "6:1: dtype: expected one of 'float32', 'float64', got 'float46'. Did you mean 'float64'?"),
    ("name: gender", "name: ../../gender", "4:1: name: expected up to 100 letters, digits, '_', '-' and '.', since it names a folder"),
]


@pytest.mark.parametrize("written, instead, answer", MISTAKES, ids=[f"{m[1][:40]}-{i}" for i, m in enumerate(MISTAKES)])
def test_a_mistake_in_the_config_is_answered(place, capsys, written, instead, answer):
    for name, content in FILES.items():
        (place / name).write_bytes(content)
    assert written in GENDER
    (place / "wrong.yaml").write_text(GENDER.replace(written, instead))
    answered(place, capsys, ["wrong.yaml"], "wrong.yaml:" + answer.format(place))


@pytest.mark.parametrize(
    "arguments, answer",
    [
        (["optimizr.lr=1"], "command line: optimizr: unknown key 'optimizr'. Did you mean 'optimizer'? Keys: "),
        (["optimizer.lr"], "command line: expected key=value, such as optimizer.lr=0.01, got 'optimizer.lr'"),
        (["optimizer.lr=-1"], "command line: optimizer.lr: expected a number greater than 0, got -1"),
        (["loss.x=1"], "command line: loss.x: MSE has no option 'x'. It has no options."),
        (["model.9.units=1"], "command line: model.9.units: model is a list of 4; expected 0 to 3, got '9'"),
        (["seed.x=1"], "command line: seed.x: seed is 0, which has no 'x'"),
        (["seed=[1"], "command line: seed: the '[' is not closed: expected ',' or ']' before the end"),
        (
            ["data.validation=0.1"],
            "command line: data.validation: a validation part of 0.1 of 4 rows leaves 4 to train on and 0 to validate on",
        ),
        (["--out", "gender.yaml"], "cannot make a folder in gender.yaml/gender: Not a directory; choose another place with --out"),
    ],
)
def test_a_mistake_on_the_command_line_is_answered(place, capsys, arguments, answer):
    answered(place, capsys, ["gender.yaml", *arguments], answer)


@pytest.mark.parametrize(
    "content, answer",
    [
        (b"", "x.yaml: is empty; expected the keys model, data, loss, optimizer and train"),
        (b"- a\n", "x.yaml:1:1: expected keys such as model, data, loss; got a list of 1"),
        (b"a: 1\n---\nb: 2\n", "x.yaml:2:1: expected one document; remove the --- line"),
        (b"a: \xff\n", "x.yaml:1: expected text in UTF-8, got byte 0xff; save the file as UTF-8"),
        (b"a: [" * 5000, "x.yaml"),
        (None, "there is no file x.yaml"),
    ],
)
def test_a_file_that_is_no_config_is_answered(place, capsys, content, answer):
    if content is not None:
        (place / "x.yaml").write_bytes(content)
    answered(place, capsys, ["x.yaml"], answer)


def answered(place, capsys, arguments, answer):
    before = sorted(place.rglob("*"))
    assert run.main(["--out", "runs", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert any(line.startswith(answer) for line in captured.err.splitlines()), captured.err
    assert sorted(place.rglob("*")) == before, "something was left behind"


def test_all_mistakes_come_at_once(place, capsys):
    (place / "wrong.yaml").write_text(GENDER.replace("units: 2", "units: 0").replace("lr: 0.1", "lr: -1").replace("seed: 0", "sead: 0"))
    assert run.main(["wrong.yaml"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in lines[:3]] == ["sead", "model.0.units", "optimizer.lr"]
    assert lines[3] == "3 mistakes; nothing was trained."


def test_a_mistake_ends_a_process_with_2_and_no_traceback(place):
    child = process("gender.yaml", "optimizer.lr=-1", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = child.communicate()
    assert (child.returncode, out) == (2, "")
    assert err == "command line: optimizer.lr: expected a number greater than 0, got -1\n"


@pytest.mark.parametrize(
    "make, written, instead",
    [
        (lambda: nn.SGD(lr=-1), "lr: 0.1}", "lr: -1}"),
        (lambda: nn.SGD(lr=float("nan")), "lr: 0.1}", "lr: .nan}"),
        (lambda: nn.Dense(0), "units: 2", "units: 0"),
        (lambda: nn.Dense(2.0), "units: 2", "units: 2.0"),
        (lambda: nn.Dense(unit=2), "units: 2", "unit: 2"),
        (lambda: nn.Dense(2, init="Nrmal"), "units: 2, init: Normal", "units: 2, init: Nrmal"),
        (lambda: nn.SGD(nesterov=True), "lr: 0.1}", "nesterov: true}"),
    ],
)
def test_python_says_the_same_words(place, capsys, make, written, instead):
    (place / "wrong.yaml").write_text(GENDER.replace(written, instead))
    run.main(["wrong.yaml"])
    yaml_words = [line.split(": ", 2)[2] for line in capsys.readouterr().err.splitlines() if line.startswith("wrong.yaml")]
    with pytest.raises(nn.OptionError) as error:
        make()
    assert all(words in str(error.value) for words in yaml_words), (yaml_words, str(error.value))
