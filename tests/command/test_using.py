"""`nnframe predict` and `nnframe evaluate`: what was trained, on the files of a stranger."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nnframe as nn
from nnframe import __main__ as command
from nnframe import run
from nnframe.config.build import build
from nnframe.config.reading import Document

ROOT = Path(__file__).parents[2]


@pytest.fixture
def iris(place, capsys):
    assert run.main(["iris.yaml", "train.epochs=20", "--quiet"]) == 0
    return capsys.readouterr().out.strip()


def told(capsys, *arguments, status=0):
    assert command.main(list(map(str, arguments))) == status
    return capsys.readouterr()


def lines(change=lambda number, line: line):
    text = Path("data/iris.csv").read_text().splitlines()
    Path("rows.csv").write_text("\n".join(change(number, line) for number, line in enumerate(text)) + "\n")
    return text


def test_every_row_gets_its_class_and_the_probabilities_of_all(iris, capsys):
    rows = list(csv.DictReader(told(capsys, "predict", iris, "data/iris.csv").out.splitlines()))
    found, data = nn.load(iris), nn.CSV("data/iris.csv", target="species").read()
    assert list(rows[0]) == ["species", "p_setosa", "p_versicolor", "p_virginica"] and len(rows) == 150
    assert [row["species"] for row in rows] == found.predict(data.x).tolist()
    probabilities = [[np.float32(row[f"p_{name}"]) for name in data.classes] for row in rows]
    assert np.array(probabilities, np.float32).tobytes() == found.predict_proba(data.x).tobytes()


def test_what_goes_to_a_file_is_what_is_printed(iris, capsys):
    printed = told(capsys, "predict", iris, "data/iris.csv").out
    assert told(capsys, "predict", iris, "data/iris.csv", "-o", "out.csv").out == "out.csv\n"
    assert Path("out.csv").read_text() == printed


def test_only_a_file_is_written_anew(iris, capsys):
    printed, before = told(capsys, "predict", iris, "data/iris.csv").out, Path("data/iris.csv").read_text()
    for name in ("-", "/dev/stdout"):
        assert told(capsys, "predict", iris, "data/iris.csv", "-o", name).out == printed
    Path("same.csv").symlink_to("data/iris.csv")
    for name in ("data/iris.csv", "same.csv"):
        answer = told(capsys, "predict", iris, "data/iris.csv", "-o", name, status=2)
        assert answer.err == f"{name} holds the rows to predict, and would be written over; name another file\n"
    assert Path("data/iris.csv").read_text() == before
    with pytest.raises(SystemExit) as stopped:
        command.main(["predict", iris, "data/iris.csv", "-o", "data"])
    assert stopped.value.code == 2 and "expected a file to write, got the folder data" in capsys.readouterr().err
    Path("link.csv").symlink_to("out.csv")
    told(capsys, "predict", iris, "data/iris.csv", "-o", "link.csv")
    assert Path("link.csv").is_symlink() and Path("out.csv").read_text() == printed
    os.mkfifo("pipe")
    with subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE, text=True) as reader:
        told(capsys, "predict", iris, "data/iris.csv", "-o", "pipe")
        assert reader.communicate()[0] == printed and not Path("pipe").is_file()


@pytest.mark.parametrize("form", ["npy", "npz", "semicolons", "order", "tsv"])
def test_other_forms_of_the_same_rows(iris, capsys, form):
    expected, data = told(capsys, "predict", iris, "data/iris.csv").out, nn.CSV("data/iris.csv", target="species").read()
    if form == "npy":
        np.save("rows.npy", data.x)
    elif form == "npz":
        np.savez("rows.npz", x=data.x)
    elif form == "semicolons":
        lines(lambda number, line: line.replace(",", ";").replace(".", ","))
    elif form == "tsv":
        Path("rows.tsv").write_text(Path("data/iris.csv").read_text().replace(",", "\t"))
    else:
        lines(lambda number, line: ",".join(line.split(",")[::-1]))
    path = next(Path(f"rows.{ending}") for ending in ("npy", "npz", "csv", "tsv") if Path(f"rows.{ending}").exists())
    assert told(capsys, "predict", iris, path).out == expected


def test_a_row_with_a_mistake_is_named_and_may_be_skipped(iris, capsys):
    wrong = {3: "5.1,oops,1.4,0.2,setosa", 5: "1,2", 6: "5.0,3.6,,0.2,setosa"}
    lines(lambda number, line: wrong.get(number, line))
    answer = told(capsys, "predict", iris, "rows.csv", "-o", "out.csv", status=2)
    assert answer.err == (
        "rows.csv:4: column 'sepal_width': expected a number, as in training, got 'oops'. 2 more of its 150 rows have mistakes. "
        "--skip-bad goes on without such rows\n"
    )
    assert not Path("out.csv").exists() and not list(Path().glob(".out*"))
    answer = told(capsys, "predict", iris, "rows.csv", "--skip-bad", status=1)
    assert [line.split(":")[2] for line in answer.err.splitlines()[:3]] == ["4", "6", "7"]
    assert answer.err.endswith("3 rows had mistakes; their predictions are empty\n")
    expected = told(capsys, "predict", iris, "data/iris.csv").out.splitlines()
    assert answer.out.splitlines() == [",,," if number in wrong else line for number, line in enumerate(expected)]


def test_a_file_of_nothing_but_mistakes(iris, capsys):
    lines(lambda number, line: line if not number else "a,b,c,d,e")
    assert told(capsys, "predict", iris, "rows.csv", "--skip-bad", status=1).out.splitlines()[1:] == [",,,"] * 150


def test_columns_are_found_by_their_names(iris, capsys):
    text = lines(lambda number, line: f"{number or 'hour'},{line}")
    answer = told(capsys, "predict", iris, "rows.csv")
    assert answer.err == "note: rows.csv: the model has no use for the column hour\n" and len(answer.out.splitlines()) == len(text)
    lines(lambda number, line: ",".join(line.split(",")[:2]))
    answer = told(capsys, "predict", iris, "rows.csv", status=2)
    assert answer.err.startswith("rows.csv lacks the inputs 'petal_length', 'petal_width'. Its columns: sepal_length, sepal_width.")
    assert answer.out == ""


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["none.csv"], "there is no file none.csv"),
        (["data"], "data: expected a file of rows, .csv, .tsv, .txt, .parquet, .pq, .npy, .npz, by its ending"),
        (["empty.csv"], "empty.csv is empty"),
        (["header.csv"], "header.csv has no rows"),
        (["binary.csv"], "binary.csv: expected text in UTF-8; it looks like UTF-16"),
        (["wide.npy"], "wide.npy: expected numbers (rows, 4), as in training, got float64 (3, 5)"),
        (["data/iris.csv", "-o", "none/out.csv"], "cannot write none/out.csv: No such file or directory"),
        (["data/iris.csv", "--plugin", "none.py"], "--plugin: there is no file none.py"),
    ],
)
def test_mistakes(iris, capsys, arguments, message):
    Path("empty.csv").write_text("")
    Path("header.csv").write_text("sepal_length,sepal_width,petal_length,petal_width\n")
    Path("binary.csv").write_bytes(b"\xff\xfe1,2\n")
    np.save("wide.npy", np.zeros((3, 5)))
    answer = told(capsys, "predict", iris, *arguments, status=2)
    assert message in answer.err and answer.out == ""


@pytest.mark.parametrize("output, got", [(".", "the folder ."), ("/", "the folder /"), ("data", "the folder data"), ("", "nothing")])
def test_what_is_written_is_a_file(place, capsys, output, got):
    for arguments in (["predict", "run", "data/iris.csv"], ["best", "sweep"], ["list"], ["schema"]):
        with pytest.raises(SystemExit) as end:
            command.main([*arguments, "-o", output])
        assert end.value.code == 2
        assert f"argument -o/--output: expected a file to write, got {got}\n" in capsys.readouterr().err


def test_numbers_are_in_the_units_of_the_target(place, capsys):
    assert run.main(["tabular/diabetes.yaml", "train.epochs=3", "--quiet"]) == 0
    folder = capsys.readouterr().out.strip()
    path = ROOT / "nnframe/data/sources/included/diabetes.csv"
    head, *cells = told(capsys, "predict", folder, path).out.splitlines()
    assert head == "progression" and np.mean(list(map(float, cells))) == pytest.approx(152, abs=20)
    # evaluated on the rows that it validated on, it has the values of the log
    record = json.loads((Path(folder) / "run.json").read_text())["results"]
    found = json.loads(told(capsys, "evaluate", folder, "--json").out)
    assert {name: told["value"] for name, told in found["values"].items()} == pytest.approx(
        {name: record[f"val_{name}"] for name in ("loss", "mae", "r2")}, rel=1e-6
    )


def test_an_evaluation_says_how_sure_it_is_and_what_is_taken_for_what(iris, capsys):
    answer = told(capsys, "evaluate", iris, "data/iris.csv").out.splitlines()
    assert answer[0] == "150 rows of data/iris.csv" and answer[1].split() == ["value", "95", "%"]
    found = json.loads(told(capsys, "evaluate", iris, "data/iris.csv", "--json").out)
    table, accuracy = np.array(found["confusion"]), found["values"]["accuracy"]
    assert table.sum(1).tolist() == [50, 50, 50] and table.trace() / 150 == pytest.approx(accuracy["value"])
    assert accuracy["low"] < accuracy["value"] < accuracy["high"]
    text = "\n".join(answer)
    assert "true \\ predicted  setosa  versicolor  virginica" in text and "versicolor        0" in text
    data = nn.load(iris).experiment.data.read()
    again = nn.load(iris)
    assert again.predict(data.x).tolist().count("setosa") == table[:, 0].sum()


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda number, line: line.rpartition(",")[0], "rows.csv lacks the target 'species', which rows are evaluated by"),
        (
            lambda number, line: line.replace("setosa", "rose") if number == 4 else line,
            "rows.csv:5: column 'species': 'rose' is not among the classes setosa",
        ),
        (lambda number, line: ",".join(line.split(",")[1:]), "rows.csv lacks the input 'sepal_length'"),
    ],
)
def test_rows_that_cannot_be_evaluated_on(iris, capsys, change, message):
    lines(change)
    assert message in told(capsys, "evaluate", iris, "rows.csv", status=2).err


def test_rows_without_the_weights_of_the_training_count_alike_and_it_is_said(place, capsys):
    rows = [["x", "y", "w"], *([i % 5, i % 2, 1 + i % 3] for i in range(30))]
    Path("rows.csv").write_text("".join(f"{','.join(map(str, row))}\n" for row in rows))
    Path("bare.csv").write_text("".join(f"{','.join(map(str, row[:2]))}\n" for row in rows))
    changes = ["data={type: CSV, path: rows.csv, target: y, weight: w}", "model=[{type: Dense, units: 1}]", "loss=MSE", "predict={}"]
    assert run.main(["iris.yaml", *changes, "metrics=[]", "train.epochs=1", "--quiet"]) == 0
    folder = capsys.readouterr().out.strip()
    assert told(capsys, "evaluate", folder, "rows.csv").out.startswith("30 rows of rows.csv\n")
    first = "30 rows of bare.csv, which count alike without the weight 'w'\n"
    assert told(capsys, "evaluate", folder, "bare.csv").out.startswith(first)
    model = nn.load(folder)
    x, y, w = np.array(rows[1:], np.float64).T
    squares = (model.predict(x[:, None]) - y) ** 2
    for name, expected in (("rows.csv", np.average(squares, weights=w)), ("bare.csv", squares.mean())):
        found = json.loads(told(capsys, "evaluate", folder, name, "--json").out)
        assert found["values"]["loss"]["value"] == pytest.approx(expected, rel=1e-5)


def test_that_a_training_did_not_end_well_is_told(place, capsys):
    Path("start").mkdir()
    np.savez("start/weights.npz", **{"0.W": np.full((10, 1), 1e25, "f4"), "0.b": np.zeros((1, 1), "f4")})
    changes = ["model=[{type: Dense, units: 1}]", "optimizer={type: SGD, lr: 1e-30}", "train.epochs=1", "weights.folder=start"]
    assert run.main(["tabular/diabetes.yaml", *changes, "--quiet"]) == 1
    folder = capsys.readouterr().out.splitlines()[0]
    np.save("rows.npy", nn.Diabetes().read().x)
    assert told(capsys, "predict", folder, "rows.npy").err == f"note: {folder}: the training diverged\n"
    record = Path(folder, "run.json")
    record.write_text(record.read_text().replace('"status": "diverged"', '"status": "interrupted"'))
    assert f"note: {folder}: the training was interrupted\n" in told(capsys, "evaluate", folder).err


def test_nothing_was_held_out(place, capsys):
    assert run.main(["gender.yaml", "train.epochs=3", "--quiet"]) == 0
    folder = capsys.readouterr().out.strip()
    assert "nothing was held out to evaluate on; name rows" in told(capsys, "evaluate", folder, status=2).err
    # one output for two classes: the second is what it is the probability of
    rows = list(csv.DictReader(told(capsys, "predict", folder, "data/gender.csv").out.splitlines()))
    assert list(rows[0]) == ["gender", "p_M", "p_F"]
    assert all(float(row["p_M"]) + float(row["p_F"]) == pytest.approx(1) for row in rows)
    assert all(row["gender"] == ("F" if float(row["p_F"]) >= 0.5 else "M") for row in rows)


def test_rows_larger_than_memory_would_go_through_in_the_same_batches_as_at_once(iris, capsys, monkeypatch):
    x = np.random.default_rng(0).normal(5, 1, size=(20_000, 4))
    np.save("rows.npy", x)
    with Path("rows.csv").open("w") as file:
        csv.writer(file).writerows([["sepal_length", "sepal_width", "petal_length", "petal_width"], *x.tolist()])
    found = nn.load(iris)
    assert found.piece < 10_000
    expected = found.loss.readout(found.model.predict(found.parts[0].pipeline(found.parts[0].pipeline.rows(x))))
    for path in ("rows.csv", "rows.npy"):
        rows = [line.split(",")[1:] for line in told(capsys, "predict", iris, path).out.splitlines()[1:]]
        assert np.array(rows, np.float32).tobytes() == expected.tobytes()
    assert found.predict_proba(x).tobytes() == expected.tobytes()


def test_memory_stays_flat(iris):
    """Ten times the rows take hardly more memory."""
    script = (
        "import resource, sys; from nnframe.__main__ import main; main(sys.argv[1:]); "
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
    )
    peaks = []
    for rows in (20_000, 200_000):
        row = "5.1,3.5,1.4,0.2\n"
        Path("rows.csv").write_text("sepal_length,sepal_width,petal_length,petal_width\n" + row * rows)
        command_line = [sys.executable, "-c", script, "predict", iris, "rows.csv", "-o", "out.csv"]
        answer = subprocess.run(command_line, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True, text=True)
        peaks.append(int(answer.stderr.split()[-1]))
        assert len(Path("out.csv").read_text().splitlines()) == rows + 1
    assert peaks[1] < peaks[0] + 10 * 1024  # KiB


def test_the_reader_may_go_away(iris):
    command_line = f"{sys.executable} -m nnframe predict {iris} data/iris.csv | head -1"
    answer = subprocess.run(
        command_line, shell=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True, text=True
    )
    assert answer.stdout == "species,p_setosa,p_versicolor,p_virginica\n" and answer.stderr == ""


def test_a_probability_without_classes_becomes_0_or_1(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 2))
    np.savez("d.npz", x=x, y=(x[:, :1] > 0).astype(float))
    config = {
        "data": {"type": "Arrays", "path": "d.npz"},
        "model": [{"type": "Dense", "units": 1}],
        "loss": "BinaryCrossEntropy",
        "optimizer": {"type": "Adam", "lr": 0.1},
        "train": {"epochs": 20, "batch_size": 10},
    }
    Path("c.yaml").write_text(json.dumps(config))
    assert run.main(["c.yaml", "--quiet"]) == 0
    folder = capsys.readouterr().out.strip()
    found = nn.load(folder)
    assert (found.predict(x) == (x[:, 0] > 0)).mean() > 0.9 and found.predict(x).dtype.kind == "i"
    assert found.predict_proba(x).shape == (40, 1)
    rows = told(capsys, "predict", folder, "d.npz").out.splitlines()
    assert rows[0] == "y,p_y" and all(line[0] in "01" for line in rows[1:])
    job = build(Document(config), test=True)
    assert job.data.training.classes == ()


def test_parquet_files_and_data_frames_are_rows_too(iris, capsys):
    polars, pandas = pytest.importorskip("polars"), pytest.importorskip("pandas")
    expected = told(capsys, "predict", iris, "data/iris.csv").out
    frame = polars.read_csv("data/iris.csv")
    frame.select(reversed(frame.columns)).write_parquet("rows.parquet")
    assert told(capsys, "predict", iris, "rows.parquet").out == expected
    assert (
        told(capsys, "evaluate", iris, "rows.parquet").out.splitlines()[1:]
        == told(capsys, "evaluate", iris, "data/iris.csv").out.splitlines()[1:]
    )
    found = nn.load(iris)
    names = [line.split(",")[0] for line in expected.splitlines()[1:]]
    assert found.predict(frame).tolist() == found.predict(pandas.read_csv("data/iris.csv")).tolist() == names
    frame.drop("petal_width").write_parquet("rows.parquet")
    assert "rows.parquet lacks the input 'petal_width'" in told(capsys, "predict", iris, "rows.parquet", status=2).err


def test_columns_of_the_rows_are_copied(iris, capsys):
    """An id joins predictions with other tables; rows with mistakes keep theirs."""
    lines(lambda number, line: f"{f'no. {number}' if number else 'id'},{line}" if number != 3 else "no. 3,5.1,oops,1.4,0.2,setosa")
    expected = told(capsys, "predict", iris, "data/iris.csv").out.splitlines()
    answer = told(capsys, "predict", iris, "rows.csv", "--with", "id", "--with", "species", "--skip-bad", status=1)
    found = answer.out.splitlines()
    assert found[0] == f"id,species,{expected[0]}" and found[1] == f"no. 1,setosa,{expected[1]}" and found[3] == "no. 3,setosa,,,,"
    assert "has no use" not in answer.err
    assert "rows.csv has no column 'ID'. Did you mean 'id'?" in told(capsys, "predict", iris, "rows.csv", "--with", "ID", status=2).err
    np.save("rows.npy", np.zeros((2, 4)))
    assert "columns are copied of CSV files; leave --with out" in told(capsys, "predict", iris, "rows.npy", "--with", "id", status=2).err
