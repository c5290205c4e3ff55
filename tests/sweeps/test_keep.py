"""`sweep: {keep: best | all}` and `nnframe trial FOLDER N --out DIR`: what a trial leaves is what its config, run alone, leaves."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import nnframe as nn
from nnframe.command.main import main
from nnframe.config.compose import load
from nnframe.config.reading import dump
from nnframe.sweeps import plan

ROOT = Path(__file__).parents[2]
LRS = "sweep={seeds: 2, parameters: {optimizer.lr: [0.01, 0.1, 0.05]}}"
ENDINGS = ["train.epochs=5", "callbacks=[BestWeights, {type: EarlyStopping, patience: 1}]"]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """More than one block a sweep, of more than one trial."""
    monkeypatch.setattr(plan, "block_size", lambda *_: 4)


def do(capsys, *arguments):
    capsys.readouterr()
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return status, captured.out, captured.err


def swept(capsys, *arguments):
    status, out, err = do(capsys, "run", *arguments, "--quiet", "--workers=1")
    assert (status, err) == (0, "")
    return Path(out.splitlines()[-1])


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def numbers(folder):
    return sorted(int(path.name) for path in (folder / "trials").iterdir()) if (folder / "trials").exists() else []


def contents(folder, *without):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name not in without}


def as_run_alone(capsys, folder):
    """A trial's folder holds what `nnframe run` makes of the config in it, byte for byte."""
    alone = Path(do(capsys, "run", folder / "config.yaml", "--quiet", "--out", "alone")[1].splitlines()[0])
    names = {path.name for path in folder.iterdir()}
    assert names == {path.name for path in alone.iterdir()} - {"timing.csv", "checkpoint.npz", "checkpoint.before.npz"}
    for name in names - {"run.json"}:
        assert (folder / name).read_bytes() == (alone / name).read_bytes(), name
    kept, made = (json.loads((path / "run.json").read_text()) for path in (folder, alone))
    assert kept["of"].keys() >= {"sweep", "trial", "setting", "seed"}
    assert kept.keys() - {"of"} == made.keys() - {"test_intervals"}
    made["results"] = {name: value for name, value in made["results"].items() if not name.startswith("test_")}
    for key in ("name", "status", "seed", "config_sha256", "parameters", "results", "versions", "blas"):
        assert kept[key] == made[key], key
    for key in kept["data"].keys() - ({"sha256", "test_rows"} if made["data"]["test_rows"] else set()):
        assert kept["data"][key] == made["data"][key], key
    return kept


def test_every_trial_is_kept_as_if_it_had_been_run_alone(place, capsys):
    layers = "model=[{type: Dense, units: 8, bias: false}, BatchNorm, ReLU, Dropout, {type: Dense, units: 3}]"
    folder = swept(capsys, "iris.yaml", LRS, "sweep.keep=all", layers, *ENDINGS)
    assert numbers(folder) == list(range(6))
    for row in table(folder / "trials.csv"):
        kept = as_run_alone(capsys, folder / "trials" / row["trial"])
        of = {"sweep": str(folder.absolute()), "trial": int(row["trial"]), "setting": int(row["setting"]), "seed": int(row["seed"])}
        assert kept["of"] == of
        assert (kept["results"]["val_loss"], kept["results"]["epochs"]) == (float(row["val_loss"]), int(row["epochs"]))
        config = load(folder / "trials" / row["trial"] / "config.yaml").data
        assert "sweep" not in config and config["optimizer"]["lr"] == float(row["optimizer.lr"])
    other = swept(capsys, "iris.yaml", LRS, layers, *ENDINGS)
    for name in ("trials.csv", "losses.csv", "summary.csv"):
        plain = [re.sub(r",[^,]*,0$", "", line) for line in (other / name).read_text().splitlines()]  # without seconds
        assert plain == [re.sub(r",[^,]*,0$", "", line) for line in (folder / name).read_text().splitlines()]
    assert not (other / "trials").exists()


def test_folds_and_data_that_differ_by_seed_are_kept(place, capsys):
    folds = ["data.validation=null", "data.cv=3", "sweep={seeds: 2, keep: all}"]
    folder = swept(capsys, "tabular/wine.yaml", *folds, "train.epochs=2", "callbacks=[]")
    assert numbers(folder) == list(range(6))
    assert as_run_alone(capsys, folder / "trials" / "4")["of"]["fold"] == 1
    folder = swept(
        capsys,
        "iris.yaml",
        "data={type: Moons, rows: 50, noise: 0.1, vary: all, validation: 0.2}",
        "model=[{type: Dense, units: 2}]",
        "predict={}",
        LRS,
        "sweep.keep=all",
        *ENDINGS,
    )
    as_run_alone(capsys, folder / "trials" / "3")


def test_a_trial_that_diverges_is_kept_and_one_that_fails_is_not(place, capsys):
    lrs = "sweep={seeds: 1, keep: all, parameters: {optimizer.lr: [0.1, 1e30]}}"
    folder = swept(capsys, "iris.yaml", lrs, "optimizer={type: SGD, lr: 0.1}", *ENDINGS)
    assert numbers(folder) == [0, 1]
    kept = json.loads((folder / "trials" / "1" / "run.json").read_text())
    assert (kept["status"], kept["results"]["loss"]) == ("diverged", "nan")
    assert do(capsys, "replay", folder / "trials" / "1")[0] == 0
    seeds = "sweep={seeds: 1, keep: all, parameters: {data.target: [species, sepal_length]}}"
    folder = swept(capsys, "iris.yaml", seeds, "train.epochs=2", "metrics=[]")
    assert [row["status"] for row in table(folder / "trials.csv")] == ["finished", "failed"]
    assert numbers(folder) == [0]


def test_of_the_best_setting_all_seeds_are_kept(place, capsys):
    status, out, err = do(capsys, "run", "iris.yaml", LRS, "sweep.keep=best", "--workers=1", *ENDINGS)
    folder = Path(out.splitlines()[-1])
    assert (status, err) == (0, "")
    assert f"2 trials are kept, each as a run's folder, in {folder / 'trials'}\n" in out
    winner = table(folder / "summary.csv")[0]["setting"]
    assert numbers(folder) == [int(row["trial"]) for row in table(folder / "trials.csv") if row["setting"] == winner]
    for number in numbers(folder):
        as_run_alone(capsys, folder / "trials" / str(number))


def test_tables_of_a_sweep_that_were_edited_name_no_other_folder(place, capsys):
    folder = swept(capsys, "iris.yaml", LRS, "sweep.keep=best", "train.epochs=2")
    shutil.copytree(folder / "trials" / str(numbers(folder)[0]), folder.parent / "elsewhere")
    head, *rows = (folder / "trials.csv").read_text().splitlines(keepends=True)
    assert head.startswith("trial,")
    moved = [f"../../elsewhere,{row.partition(',')[2]}" for row in rows]
    (folder / "trials.csv").write_text("".join([head, *moved]))
    with pytest.raises(nn.FileError, match=r"trials\.csv is damaged: expected the number of a trial, got '\.\./\.\./elsewhere'"):
        nn.load(folder)
    for text, lacks in (
        (head.replace("trial,", "t,") + "".join(rows), "'trial'"),
        (head.replace("setting", "s") + "".join(rows), "'setting'"),
    ):
        (folder / "trials.csv").write_text(text)
        with pytest.raises(nn.FileError, match=f"its tables are damaged: they have no {lacks}"):
            nn.load(folder)
    (folder / "summary.csv").write_text((folder / "summary.csv").read_text().partition("\n")[0] + "\n")
    with pytest.raises(nn.FileError, match="its tables are damaged: they have no row"):
        nn.load(folder)
    (folder / "trials.csv").write_text("".join([head, *rows]))
    assert do(capsys, "diff", folder, folder)[0] == 0


def test_of_a_sweep_with_confirmation_the_confirmed_one_is_kept(place, capsys):
    confirm = ["sweep.confirm={top: 2, seeds: 3}", "sweep.keep=best", "data.test=0.2"]
    folder = swept(capsys, "iris.yaml", LRS, *confirm, *ENDINGS)
    winner = table(folder / "confirm" / "summary.csv")[0]["setting"]
    rows = [row for row in table(folder / "confirm" / "trials.csv") if row["setting"] == winner]
    assert numbers(folder) == [] and numbers(folder / "confirm") == [int(row["trial"]) for row in rows]
    kept = as_run_alone(capsys, folder / "confirm" / "trials" / rows[0]["trial"])
    assert (kept["of"]["setting"], kept["of"]["sweep"]) == (int(winner), str((folder / "confirm").absolute()))
    assert kept["data"]["test_rows"] == 0  # which the search never reads


def test_what_is_kept_may_change_when_a_sweep_is_gone_on_with(place, capsys):
    folder = swept(capsys, "iris.yaml", LRS, *ENDINGS)
    before = contents(folder, "run.json", "config.yaml")
    resume = ["run", "--resume", folder, "--quiet", "--workers=1"]
    assert do(capsys, *resume)[1].startswith("this sweep has finished: 6 trials; nothing is left to do\n")
    for keep, kept in (("all", 6), ("best", 2), ("all", 6), ("null", 6), ("best", 2)):
        assert do(capsys, *resume, f"sweep.keep={keep}")[0] == 0
        assert len(numbers(folder)) == kept, keep
        assert load(folder / "config.yaml").data["sweep"]["keep"] == (None if keep == "null" else keep)
        assert do(capsys, *resume)[1].startswith("this sweep has finished")
    as_run_alone(capsys, folder / "trials" / str(numbers(folder)[0]))
    shutil.rmtree(folder / "trials")
    assert contents(folder, "run.json", "config.yaml") == before


def test_what_a_person_put_beside_the_trials_stays(place, capsys):
    folder = swept(capsys, "iris.yaml", LRS, "sweep.keep=all", *ENDINGS)
    (folder / "trials" / "99").mkdir()
    (folder / "trials" / "99" / "notes.txt").write_text("mine")
    (folder / "trials" / "plots").mkdir()
    for number in range(6):  # as a killed sweep may leave one
        (folder / "trials" / str(number) / "run.json").unlink()
    assert do(capsys, "run", "--resume", folder, "sweep.keep=best", "--workers=1")[0] == 0
    assert (folder / "trials" / "99" / "notes.txt").exists() and (folder / "trials" / "plots").exists()
    assert len(list((folder / "trials").iterdir())) == 4


def test_a_sweep_that_cannot_be_trained_again_to_the_same_keeps_nothing(place, capsys, monkeypatch):
    folder = swept(capsys, "iris.yaml", LRS, *ENDINGS)

    monkeypatch.setattr(nn.Adam, "step", lambda self: self.model.params.__iadd__(1e-3))
    status, out, err = do(capsys, "run", "--resume", folder, "sweep.keep=best", "--workers=1", "--quiet")
    assert (status, out) == (2, "")
    told = "what is to be kept must be what was ranked, and is not, trained again: trial"
    assert err.startswith(f"{folder}: {told}") and re.search(
        rf"differs in epoch 1: loss was .*, is .*; nnframe replay {folder} tells why\n", err
    )
    assert numbers(folder) == []


def test_a_killed_sweep_that_is_resumed_lacks_no_folder(place):
    (place / "sweep.yaml").write_text(dump(load(Path("iris.yaml"), [LRS, "sweep.seeds=8", "sweep.keep=all", "train.epochs=3"]).data))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "nnframe", "run", "--quiet", "--workers=1"]
    process = subprocess.Popen([*command, "sweep.yaml", "--out", "out"], env=environment, stdout=subprocess.DEVNULL)
    while len(list(place.glob("out/*/*/trials/*/run.json"))) < 3:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (folder,) = place.glob("out/*/*")
    assert 3 <= len(numbers(folder)) < 24
    subprocess.run([*command, "--resume", folder], env=environment, check=True, stdout=subprocess.DEVNULL)
    assert numbers(folder) == list(range(24))
    rows = table(folder / "trials.csv")
    for number in range(24):
        kept = json.loads((folder / "trials" / str(number) / "run.json").read_text())
        assert (kept["status"], kept["results"]["val_loss"]) == ("finished", float(rows[number]["val_loss"]))
    assert not [path for path in folder.rglob("*.nnframe-part")]


def test_a_trial_that_cannot_be_kept_ends_the_sweep(place, capsys):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000)); import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)"
    script = f"{limit}\nimport sys\nfrom nnframe.command.main import main\nsys.exit(main(sys.argv[1:]))"
    wide = "model=[{type: Dense, units: 300}, {type: Dense, units: 3}]"
    arguments = ["run", "iris.yaml", LRS, "sweep.keep=all", wide, "train.epochs=1", "--workers=1"]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    folder = done.stdout.splitlines()[-1]
    assert done.returncode == 2
    told = rf"trial 0 cannot be kept: cannot write the [\d,]+ bytes of {folder}/trials/0/weights.npz: File too large; go on with\n"
    assert re.match(told, done.stderr), done.stderr
    status, _, _ = do(capsys, "run", "--resume", folder, "--workers=1", "--quiet")
    assert status == 0 and numbers(Path(folder)) == list(range(6))


def test_one_trial_is_left_where_it_is_asked_for(place, capsys):
    folder = swept(capsys, "iris.yaml", LRS, "sweep.keep=all", *ENDINGS)
    status, out, err = do(capsys, "trial", folder, 4, "--out", "new/four")
    assert (status, err) == (0, "") and re.fullmatch(r"trial 4 is identical: \d epochs, weights [0-9a-f]{16}\nnew/four\n", out)
    as_run_alone(capsys, Path("new/four"))
    assert contents(Path("new/four"), "run.json") == contents(folder / "trials" / "4", "run.json")
    assert [path.name for path in Path("new").iterdir()] == ["four"]
    told = "is there already; --out names a folder that is to be made\n"
    assert do(capsys, "trial", folder, 4, "--out", "new/four") == (2, "", f"new/four {told}")
    assert do(capsys, "trial", folder, 4, "--out", "iris.yaml") == (2, "", f"iris.yaml {told}")
    assert do(capsys, "trial", folder, 4, "--out", "iris.yaml/x")[2] == "cannot make the folder iris.yaml/x: File exists\n"
    assert do(capsys, "trial", folder, 6, "--out", "six") == (2, "", "expected a trial from 0 to 5, got 6\n")
    assert not Path("six").exists()
    losses = (folder / "losses.csv").read_text()
    (folder / "losses.csv").write_text(losses.replace("\n4,1,", "\n4,1,9", 1))
    status, out, _ = do(capsys, "trial", folder, 4, "--out", "other")
    assert status == 1 and re.fullmatch(r"trial 4 differs in epoch 1: step was 9\d, is \d\nother\n", out)
    np.testing.assert_equal(dict(np.load("other/weights.npz")), dict(np.load("new/four/weights.npz")))


@pytest.mark.parametrize("keep", ["last", "true", "1"])
def test_what_can_be_kept(place, capsys, keep):
    status, out, err = do(capsys, "run", "iris.yaml", LRS, f"sweep.keep={keep}")
    assert (status, out) == (2, "") and "sweep.keep: expected one of 'best', 'all'" in err


def test_networks_that_were_trained_on_different_rows_have_no_validation_part_in_common(place, capsys):
    for own in ("data.split_seed=null", "data.cv=3"):
        changes = [own, "data.transforms=[]"] + ["data.validation=null"] * ("cv" in own)
        folder = swept(capsys, "iris.yaml", "sweep={seeds: 2, keep: best}", "train.epochs=2", *changes)
        found = nn.load(folder)
        assert len(found.parts) == 1 and found.members == (6 if "cv" in own else 2)
        status, _, err = do(capsys, "evaluate", folder)
        told = f"{folder}: {found.members} networks, each trained on rows of its own, so that none are kept from all"
        assert (status, err) == (2, f"{told}; name rows\n")
        with pytest.raises(nn.UsageError, match=re.escape(told)):
            found.data  # noqa: B018
        assert do(capsys, "evaluate", folder, "data/iris.csv")[0] == 0
    folder = swept(capsys, "iris.yaml", "sweep={seeds: 2, keep: best}", "train.epochs=2", "data.split_seed=0")
    assert do(capsys, "evaluate", folder)[1].startswith("30 rows of the validation part\n")
    assert len(nn.load(folder).data.validation.x) == 30
    folder = swept(capsys, "iris.yaml", "sweep={seeds: 2, keep: best}", "train.epochs=2", "data.split_seed=0", "data.test=0.2")
    for place in (folder, folder / "trials" / "0"):
        assert len(nn.load(place).data.test.x) == 30  # without a warning that the data have changed


def test_a_best_setting_with_a_fold_that_failed_has_nothing_to_use(place, capsys):
    Path("rows.csv").write_text("x,y\n" + "".join(f"{name},{i % 7}\n" for i, name in enumerate("ababababc" * 4 + "d")))
    data = "data={type: CSV, path: rows.csv, target: y, cv: 3, transforms: [OneHot]}"
    model = "model=[{type: Dense, units: 1}]"
    folder = swept(
        capsys, "iris.yaml", data, model, "loss=MSE", "metrics=[]", "predict={}", "sweep={keep: best, seeds: 1}", "train.epochs=2"
    )
    assert "failed" in {row["status"] for row in table(folder / "trials.csv")}
    with pytest.raises(nn.UsageError, match="no seed of the best setting ended well, so there is nothing to use"):
        nn.load(folder)


@pytest.mark.parametrize("transforms", ["[{type: Quantiles, to: normal}]", "[Log, Standardize]"])
def test_networks_with_units_of_their_own_are_averaged_in_those_of_the_target(place, capsys, transforms):
    folder = swept(
        capsys,
        "tabular/diabetes.yaml",
        f"data.target_transforms={transforms}",
        "data.split_seed=null",
        "sweep={seeds: 3, keep: best}",
        "train.epochs=5",
        "optimizer.lr=0.05",
    )
    found, data = nn.load(folder), nn.Diabetes().read()
    each = np.array([nn.load(folder / "trials" / str(number)).predict(data.x) for number in numbers(folder)])
    assert len(found.parts) == 3
    np.testing.assert_allclose(found.predict(data.x), each.mean(0), rtol=1e-6)
    spread = found.spread(data.x)
    np.testing.assert_allclose(spread["sd"][:, 0], each.std(0, ddof=1), rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(spread["q95"][:, 0], np.quantile(each, 0.95, axis=0), rtol=1e-6)
    rows = ROOT / "nnframe/data/sources/included/diabetes.csv"
    values = json.loads(do(capsys, "evaluate", folder, rows, "--json")[1])["values"]
    expected = np.abs(found.predict(data.x) - data.y[:, 0]).mean()
    assert values["mae"]["value"] == pytest.approx(expected, rel=0.05)  # that of targets beyond a training part's quantiles is less
    assert len(values["mae"]["members"]) == 3
