"""`nnframe data CONFIG` tells what is in it."""

from pathlib import Path

import numpy as np
import pytest

from nnframe.command.main import main

CONFIG = """
name: shown
data: {type: CSV, path: rows.csv, target: y, MORE}
model: [{type: Dense, units: 1}]
loss: MSE
optimizer: SGD
train: {epochs: 1, batch_size: 2}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [(1, 0, 5.5, 1), (1, 0, 5.5, 1), (2, 1, -3, 2), (4, 1, 7, 8), (9, 0, 1, 3), (2.5, 1, 2, 4)]
    Path("rows.csv").write_text("a,flag,b,y\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    return tmp_path


def told(capsys, more="", *overrides):
    Path("c.yaml").write_text(CONFIG.replace(", MORE", f", {more}" if more else ""))
    assert main(["data", "c.yaml", *overrides]) == 0
    return capsys.readouterr().out.splitlines()


def test_columns_with_their_kind_and_range(here, capsys):
    lines = told(capsys)
    assert lines[0] == "shown: CSV, 6 rows: 6 to train on"
    assert [line.split() for line in lines[2:6]] == [
        ["input", "kind", "from", "to", "missing", "in", "the", "training", "part"], ["a", "numbers", "1", "9"], ["flag", "0", "or", "1", "0", "1"], ["b", "numbers", "-3", "7"],
    ]  # fmt: skip
    assert lines[7] == f"target in training: y, from 1 to 8, mean {np.mean([1, 1, 2, 8, 3, 4]):.4g}, sd {np.std([1, 1, 2, 8, 3, 4]):.4g}"
    assert lines[9] == "duplicates (the same inputs): 1 row within the training part"


def test_the_first_rows_are_shown_as_the_model_sees_them(here, capsys):
    lines = told(capsys, "transforms: [{type: Shift, by: 10}]")
    assert lines[-6].split() == ["a", "flag", "b", "y"] and lines[-5].split() == ["11", "10", "15.5", "1"] and len(lines[-5:]) == 5


def test_parts_and_rows_that_stand_in_several(here, capsys):
    Path("other.csv").write_text("a,flag,b,y\n1,0,5.5,1\n7,7,7,7\n")
    lines = told(capsys, "validation: {type: CSV, path: other.csv, target: y}")
    assert lines[0] == "shown: CSV, 8 rows: 6 to train on, 2 to validate on"
    assert "duplicates (the same inputs): 1 row within the training part, 1 to validate on that are trained on too" in lines
    assert any(line.startswith("target in validation: y, from 1 to 7") for line in lines)


def test_classes_and_their_balance_in_a_fold(place, capsys):
    assert main(["data", "iris.yaml", "data.validation=null", "data.cv=4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "iris: CSV, 150 rows: 112 to train on, 38 to validate on in fold 0 of 4"
    at = lines.index("target: species")
    assert [line.split()[0] for line in lines[at + 1 : at + 5]] == ["class", "setosa", "versicolor", "virginica"]
    assert sum(int(line.split()[1]) for line in lines[at + 2 : at + 5]) == 112


def test_many_inputs_are_cut_short_and_say_so(place, capsys):
    assert main(["data", "digits.yaml"]) == 0
    out = capsys.readouterr().out
    assert "... and 44 more inputs, from 0 to 1" in out and "(56 more)" in out and max(map(len, out.splitlines())) < 140


def test_a_mistake_is_told_where_it_stands(here, capsys):
    Path("c.yaml").write_text(CONFIG.replace("MORE", "validation: 0.01"))
    assert main(["data", "c.yaml"]) == 2
    assert capsys.readouterr().err.startswith("c.yaml:3:46: data.validation: a validation part of 0.01 of 6 rows")
