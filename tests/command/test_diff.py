"""`nnframe diff A B`: what differs between configs and folders, and nothing else."""

import json
import re
import shutil
from pathlib import Path

import pytest

from nnframe.command.main import main


def do(capsys, *arguments):
    capsys.readouterr()
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return status, captured.out, captured.err


def trained(capsys, config, *changes):
    return Path(do(capsys, "run", config, "--quiet", *changes)[1].splitlines()[0])


def differing(capsys, a, b):
    """The lines, with single spaces; nothing if nothing differs."""
    status, out, err = do(capsys, "diff", a, b)
    assert err == "" and status == (0 if out.startswith("nothing differs") else 1)
    return [] if status == 0 else [re.sub(" +", " ", line) for line in out.splitlines()]


def config(name, *lines):
    """A config that changes gender.yaml."""
    Path(name).write_text("\n".join(["extends: gender.yaml", "name: gender", *lines]) + "\n")
    return name


def test_two_configs_are_compared_as_they_are_complete(place, capsys):
    same = config("same.yaml", "seed: 0", "optimizer: {type: SGD, lr: 0.1, momentum: 0}", "loss: {type: MSE}", "train: {shuffle: true}")
    assert differing(capsys, "gender.yaml", same) == []
    other = config("other.yaml", "seed: 1", "optimizer: {type: Adam}", "train: {epochs: 10}")
    assert differing(capsys, "gender.yaml", other) == [
        "seed: 0 | 1",
        "optimizer.type: SGD | Adam",
        "optimizer.lr: 0.1 | 0.001",
        "optimizer.momentum: 0.0 | nothing",
        "optimizer.dampening: 0.0 | nothing",
        "optimizer.nesterov: false | nothing",
        "optimizer.betas: nothing | [0.9, 0.999]",
        "optimizer.eps: nothing | 1e-08",
        "optimizer.amsgrad: nothing | false",
        "train.epochs: 1000 | 10",
    ]


def test_a_layer_that_stands_in_between_is_one_line(place, capsys):
    layers = [
        "{type: Dense, units: 2, init: Normal, bias_init: Normal}",
        "Sigmoid",
        "Dropout",
        "{type: Dense, units: 1, init: Normal, bias_init: Normal}",
        "Sigmoid",
    ]
    other = config("other.yaml", f"model: [{', '.join(layers)}]")
    assert differing(capsys, "gender.yaml", other) == ["model.2: nothing | Dropout(p=0.5, name=null)"]
    assert differing(capsys, other, "gender.yaml") == ["model.2: Dropout(p=0.5, name=null) | nothing"]


def test_long_lists_are_shortened(place, capsys):
    lists = [str([(k + shift) / 1000 for k in range(300)]) for shift in (0, 1)]
    a, b = (
        config(f"{i}.yaml", "sweep:", f"  parameters: {{optimizer.lr: {one}}}".replace("0.0,", "0.5,", 1)) for i, one in enumerate(lists)
    )
    lines = differing(capsys, a, b)
    assert len(lines) == 6 and lines[-1] == "sweep.parameters.optimizer.lr: and 295 more items | others"
    c = config("c.yaml", "sweep:", "  parameters: {optimizer.lr: [0.1]}")
    (line,) = differing(capsys, a, c)
    assert line.startswith("sweep.parameters.optimizer.lr: [0.5, 0.001,") and " ... " in line and len(line) < 120


def test_a_file_in_another_place_differs_if_its_bytes_do(place, capsys):
    shutil.copytree(place, place / "copied")
    assert differing(capsys, "gender.yaml", "copied/gender.yaml") == []
    with Path("copied/data/gender.csv").open("a") as file:
        file.write("Eve,150,70,F\n")
    (line,) = differing(capsys, "gender.yaml", "copied/gender.yaml")
    assert re.fullmatch(r"data.path: \S*data/gender.csv \| \S*copied/data/gender.csv", line)
    Path("copied/data/gender.csv").unlink()
    assert differing(capsys, "gender.yaml", "copied/gender.yaml")[0].endswith("copied/data/gender.csv")  # data are not read


def test_a_config_and_the_folder_of_its_run(place, capsys):
    folder = trained(capsys, "iris.yaml", "train.epochs=2")
    assert differing(capsys, folder, "iris.yaml") == ["train.epochs: 2 | 100"]
    Path("iris.yaml").write_text(Path("iris.yaml").read_text().replace("batch_size: 16", "batch_size: 16, blas_threads: 2"))
    assert differing(capsys, "iris.yaml", folder) == ["train.epochs: 100 | 2", "train.blas_threads: 2 | 1"]


def test_two_folders_also_by_what_they_hold(place, capsys):
    a, same, b = (
        trained(capsys, "iris.yaml", *changes) for changes in (["train.epochs=3"], ["train.epochs=3"], ["train.epochs=3", "seed=1"])
    )
    assert do(capsys, "diff", a, same) == (0, "nothing differs, to the last digit of every epoch\n", "")
    rows = [[line.split(",") for line in (folder / "losses.csv").read_text().splitlines()] for folder in (a, b)]
    records = [json.loads((folder / "run.json").read_text()) for folder in (a, b)]
    lines = differing(capsys, a, b)
    hashes = " | ".join(record["data"]["sha256"][:16] for record in records)
    assert lines[:3] == [
        "seed: 0 | 1",
        f"the data's hash: {hashes}",
        f"losses.csv: first differs in epoch 1: loss {rows[0][1][2]} | {rows[1][1][2]}",
    ]
    assert lines[3] == f"at its end: {a} {b}"
    assert f" val_loss {records[0]['results']['val_loss']} {records[1]['results']['val_loss']}" in lines
    text = (same / "losses.csv").read_text().splitlines(keepends=True)
    (same / "losses.csv").write_text("".join([*text[:2], text[2].replace(f",{text[2].split(',')[3]},", ",0.5,"), text[3]]))
    assert differing(capsys, a, same)[0] == f"losses.csv: first differs in epoch 2: val_loss {text[2].split(',')[3]} | 0.5"
    (same / "losses.csv").write_text("".join(text[:3]))
    assert differing(capsys, a, same)[0] == "losses.csv: the first 2 rows are the same, and then one of them ends"
    (same / "losses.csv").unlink()
    assert differing(capsys, a, same)[0].startswith(f"not compared: there is no file {same / 'losses.csv'}")


def test_versions_and_plugins_are_told(place, capsys):
    a, b = (trained(capsys, "gender.yaml", "train.epochs=2") for _ in range(2))
    record = json.loads((b / "run.json").read_text())
    was = record["versions"]["numpy"]
    record["versions"]["numpy"], record["status"] = "1.0", "interrupted"
    record["plugins"] = [{"plugin": "mine.py", "path": None, "sha256": "f" * 64}]
    (b / "run.json").write_text(json.dumps(record))
    assert differing(capsys, a, b) == [
        "status: finished | interrupted",
        f"versions.numpy: {was} | 1.0",
        f"plugins.mine.py: nothing | {'f' * 16}",
    ]
    for damage in ("{", "[]", "", '{"versions": 3, "data": [], "plugins": {"a": 1}, "results": 0}'):
        (b / "run.json").write_text(damage)
        assert do(capsys, "diff", a, b)[0] == 1


def test_logs_with_other_columns(place, capsys):
    a, b = trained(capsys, "iris.yaml", "train.epochs=2"), trained(capsys, "iris.yaml", "train.epochs=2", "metrics=[F1]")
    assert "losses.csv: columns accuracy, val_accuracy | f1, val_f1" in differing(capsys, a, b)


def test_two_sweeps(place, capsys):
    a, same, b = (
        trained(capsys, "iris.yaml", "sweep={seeds: 2, parameters: {optimizer.lr: [0.01, 0.1]}}", "--workers=1", *more)
        for more in (["train.epochs=2"], ["train.epochs=2"], ["train.epochs=3"])
    )
    assert differing(capsys, a, same) == []
    lines = differing(capsys, a, b)
    assert lines[:4] == [
        "train.epochs: 2 | 3",
        "trials.csv: first differs in trial 0: epochs 2 | 3",
        "losses.csv: row 3 is of trial 1, epoch 1 | trial 0, epoch 3",
        f"best setting: {a} {b}",
    ]
    assert any(line.startswith(" mean 0.") for line in lines)
    assert differing(capsys, "iris.yaml", a)[0] == "train.epochs: 100 | 2"


@pytest.mark.parametrize("wrong", ["nothing.yaml", "data", "broken.yaml", "data/iris.csv"])
def test_mistakes(place, capsys, wrong):
    Path("broken.yaml").write_text("extends: gender.yaml\nloss: MES\n")
    for pair in (("gender.yaml", wrong), (wrong, "gender.yaml")):
        status, out, err = do(capsys, "diff", *pair)
        assert (status, out) == (2, "")
        expected = {
            "nothing.yaml": "there is no file nothing.yaml",
            "data": "data is the folder of no run and of no sweep: it has no config.yaml",
        }
        assert err.startswith(expected.get(wrong, wrong)), err


def test_a_folder_that_needs_a_plugin_is_compared_as_it_is(place, capsys):
    a = trained(capsys, "gender.yaml", "train.epochs=2")
    b = a.parent / "b"
    shutil.copytree(a, b)
    (b / "config.yaml").write_text((a / "config.yaml").read_text().replace("type: Sigmoid", "type: Mine", 1))
    assert differing(capsys, a, b)[0] == "model.1.type: Sigmoid | Mine"
