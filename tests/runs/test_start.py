"""A config that begins with trained weights: `weights: {folder: ..., match: ...}`."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import nnframe as nn
from nnframe import __main__ as command
from nnframe import run


@pytest.fixture
def trained(place, capsys):
    assert run.main(["iris.yaml", "train.epochs=3", "--quiet"]) == 0
    folder = Path(capsys.readouterr().out.strip())
    shutil.copytree(folder, "trained")
    return Path("trained").absolute()


def go(capsys, *changes, status=0):
    assert run.main(["iris.yaml", "train.epochs=2", "optimizer.lr=1e-30", "--quiet", *changes]) == status
    told = capsys.readouterr()
    return told.err if status else Path(told.out.splitlines()[-1])


def weights(folder):
    return dict(np.load(folder / "weights.npz"))


def test_training_begins_with_all_of_them_or_with_those_that_match(trained, capsys):
    was, fresh = weights(trained), weights(go(capsys, "seed=5"))
    for match, taken in [
        ("*", ("0.W", "0.b", "2.W", "2.b")),
        ("0.*", ("0.W", "0.b")),
        ("[2.b, 0.b]", ("0.b", "2.b")),
        ("'*.b'", ("0.b", "2.b")),
    ]:
        found = weights(go(capsys, "seed=5", f"weights={{folder: trained, match: {match if match != '*' else repr(match)}}}"))
        for name, array in found.items():
            assert np.allclose(array, (was if name in taken else fresh)[name], rtol=0, atol=1e-6), (match, name)


def test_the_folder_stands_in_the_config_and_the_run_may_be_gone_on_with(trained, capsys):
    folder = go(capsys, "weights={folder: trained}")
    config = nn.load(folder).config
    assert config["weights"] == {"folder": str(trained), "match": "*"}
    assert run.main(["--resume", str(folder), "train.epochs=3", "--quiet"]) == 0
    np.savez(trained / "weights.npz", **{name: array + 1 for name, array in weights(trained).items()})
    assert run.main(["--resume", str(folder), "train.epochs=4", "--quiet"]) == 2
    assert "the weights' hash: " in capsys.readouterr().err


def test_a_sweep_goes_on_and_is_replayed_with_the_same_weights_in_another_place(trained, capsys):
    folder = go(capsys, "weights={folder: trained}", "sweep={seeds: 2}", "--workers", "1")
    trained.rename("moved")
    assert command.main(["replay", str(folder), "--workers=1"]) == 2
    assert f"weights.folder: {trained} is no folder" in capsys.readouterr().err
    assert command.main(["replay", str(folder), "weights.folder=moved", "--workers=1"]) == 0
    assert "identical to the last bit: 2 of 2 trials" in capsys.readouterr().out
    moved = ["--resume", str(folder), "sweep.keep=best", "weights.folder=moved", "--workers=1", "--quiet"]
    assert run.main(moved) == 0 and nn.load(folder).members == 2
    np.savez("moved/weights.npz", **{name: array + 1 for name, array in weights(Path("moved")).items()})
    assert run.main(moved[:-3] + moved[-2:] + ["weights.folder=moved"]) == 2
    assert "is of another sweep: the weights' hash: " in capsys.readouterr().err


def test_all_trials_of_a_sweep_begin_with_them_and_are_what_they_are_alone(trained, capsys):
    folder = go(capsys, "weights={folder: trained}", "sweep={seeds: 2, parameters: {optimizer.lr: [0.1, 0.01]}}", "--workers", "1")
    for trial in range(4):
        assert command.main(["trial", str(folder), str(trial)]) == 0
    alone = go(capsys, "weights={folder: trained}", "optimizer.lr=0.1")
    line = (alone / "losses.csv").read_text().splitlines()[2]
    assert f"0,{line}" in (folder / "losses.csv").read_text()


@pytest.mark.parametrize(
    "section, message",
    [
        ("{folder: trained, match: '9.*'}", r"weights.match: '9.*' matches none of the weights of {trained}: 0.W, 0.b, 2.W, 2.b"),
        ("{folder: nowhere}", r"weights.folder: {place}/nowhere is no folder; name the folder of a run that was trained"),
        ("{folder: data}", r"weights.folder: {place}/data has no weights.npz; name the folder of a run that was trained"),
        ("trained", r"weights: expected a mapping of folder, match, got 'trained'"),
        ("{folder: trained, matches: x}", r"unknown key 'matches'. Did you mean 'match'?"),
    ],
)
def test_mistakes(trained, place, capsys, section, message):
    told = go(capsys, f"weights={section}", status=2)
    assert message.format(trained=trained, place=place) in told


@pytest.mark.parametrize(
    "change, message",
    [
        ("model.0.units=8", "weights.match: '0.W' has the shape (4, 16) there, and (4, 8) in the model"),
        ("model=[{type: Dense, units: 3}]", "weights.match: '0.W' has the shape (4, 16) there, and (4, 3) in the model"),
        (
            "model=[BatchNorm, {type: Dense, units: 3}]",
            "weights.match: the model has no '0.W'. It has 0.gamma, 0.beta, 0.mean, 0.var, 1.W, 1.b; say with match which to take",
        ),
    ],
)
def test_weights_that_the_model_has_no_place_for(trained, capsys, change, message):
    assert message in go(capsys, "weights={folder: trained}", change, status=2)
