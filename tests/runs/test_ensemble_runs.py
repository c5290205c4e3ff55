"""A run with `ensemble: 16`: its folder, its lines, its members alone, interruptions and mistakes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

import nnframe as nn
from nnframe import run
from nnframe.components import plugins
from nnframe.components.registry import REGISTRY

ROOT = Path(__file__).parents[2]
SPOIL = """
import os, signal
import nnframe as nn


@nn.register
class Spoil(nn.Callback):
    seeds: tuple[int, ...] = (2,)
    _: nn.KW_ONLY if hasattr(nn, "KW_ONLY") else None = None

    def on_epoch(self, state):
        for place, run in enumerate(state.runs):
            if state.epoch == 2 and int(run) in self.seeds:
                state.model.params[place] = float("nan")


@nn.register
class Killer(nn.Callback):
    def on_epoch(self, state):
        if state.epoch == int(os.environ.get("DIE", "0")):
            os.kill(os.getpid(), signal.SIGKILL)
""".replace('    _: nn.KW_ONLY if hasattr(nn, "KW_ONLY") else None = None\n', "")


@pytest.fixture(autouse=True)
def plugins_of_one_test(monkeypatch):
    for slot in ("loss", "callback"):
        monkeypatch.setitem(REGISTRY, slot, dict(REGISTRY[slot]))
    monkeypatch.setattr(plugins, "LOADED", [])


def trained(capsys, *arguments, status=0):
    """The folder of a run of wine, its lines, and what it said on stderr."""
    assert run.main(["tabular/wine.yaml", "train.epochs=6", *arguments]) == status
    said = capsys.readouterr()
    return Path(said.out.splitlines()[-1]), said.out.splitlines(), said.err


def record(folder):
    return json.loads((folder / "run.json").read_text())


def table(folder):
    head, *rows = (line.split(",") for line in (folder / "losses.csv").read_text().splitlines())
    return {name: np.array([float(row[i]) for row in rows]) for i, name in enumerate(head)}


def arrays(path):
    with np.load(path) as file:
        return dict(file)


def test_members_are_runs_alone_with_the_seeds_behind_the_first(place, capsys):
    folder, lines, _ = trained(capsys, "seed=5", "ensemble=4", "data.test=0.1")
    told, log, found = record(folder), table(folder), arrays(folder / "weights.npz")
    assert lines[0] == "wine: 128 rows and 32 to validate on and 18 to test on, 13 inputs, 3 layers, 4 networks of 275 parameters, float32"
    assert told["ensemble"] == 4 and told["seed"] == 5 and told["parameters"] == 275 and told["status"] == "finished"
    assert (folder / "config.yaml").read_text().startswith("name: wine\nseed: 5\nensemble: 4\n")
    head = "epoch,step,loss,val_loss,accuracy,val_accuracy,ensemble_val_loss,ensemble_val_accuracy,lr"
    assert (folder / "losses.csv").read_text().splitlines()[0] == head
    alone = [trained(capsys, f"seed={seed}", "data.test=0.1", "--quiet")[0] for seed in (5, 6, 7, 8)]
    logs, records = [table(one) for one in alone], [record(one) for one in alone]
    for member, one in enumerate(alone):
        for name, array in arrays(one / "weights.npz").items():
            assert found[name].shape == (4, *array.shape) and found[name][member].tobytes() == array.tobytes()
        results = records[member]["results"]
        assert told["members"][member] == {"seed": 5 + member, "status": "finished"} | results
    for name in ("loss", "val_loss", "accuracy", "val_accuracy"):
        np.testing.assert_allclose(log[name], np.mean([one[name] for one in logs], 0), rtol=1e-12)
        assert told["results"][name] == log[name][-1]
    assert (log["lr"] == logs[0]["lr"]).all() and (log["step"] == logs[0]["step"]).all()
    results = told["results"]
    assert results["epochs"] == results["kept_epoch"] == 6
    assert results["test_loss"] == pytest.approx(np.mean([one["results"]["test_loss"] for one in records]), rel=1e-12)
    assert results["ensemble_val_loss"] == log["ensemble_val_loss"][-1]
    assert results["ensemble_test_loss"] < results["test_loss"]
    assert list(told["test_intervals"]) == ["test_loss", "test_accuracy", "ensemble_test_loss", "ensemble_test_accuracy"]
    for name, (low, high) in told["test_intervals"].items():
        assert low <= results[name] <= high
    shown = f"ensemble_test_loss {results['ensemble_test_loss']:.4g} (95 %: {told['test_intervals']['ensemble_test_loss'][0]:.4g} to "
    assert lines[-2].startswith("on the 18 test rows: test_loss ") and shown in lines[-2]
    assert lines[-3].startswith("after 6 epochs: means of 4 members, and their ensemble: loss ")


def test_what_the_test_part_says_is_that_of_the_mean_probabilities(place, capsys):
    """By the weights of the folder, with plain NumPy and SciPy."""
    folder, _, _ = trained(capsys, "ensemble=3", "data.test=0.2", "data.validation=null", "dtype=float64", "--quiet")
    from nnframe.config.build import build
    from nnframe.config.compose import load

    job = build(load(folder / "config.yaml"), test=True)
    x, y, w = job.data.test.x, job.data.test.y, arrays(folder / "weights.npz")
    hidden = np.maximum(x @ w["0.W"] + w["0.b"].reshape(3, 1, -1), 0)
    p = softmax(hidden @ w["2.W"] + w["2.b"].reshape(3, 1, -1), -1)
    mean, rows = p.mean(0), np.arange(len(y))
    results, ends = record(folder)["results"], record(folder)["test_intervals"]
    assert results["ensemble_test_loss"] == pytest.approx(-np.log(mean[rows, y]).mean(), rel=1e-9)
    assert results["ensemble_test_accuracy"] == pytest.approx((mean.argmax(-1) == y).mean(), rel=1e-12)
    assert results["test_loss"] == pytest.approx(-np.log(p[:, rows, y]).mean(), rel=1e-9)
    assert not any(name.startswith("ensemble_val") for name in results)
    drawn = np.random.default_rng(1).integers(0, len(y), (4000, len(y)))
    for name, losses in (("ensemble_test_loss", -np.log(mean[rows, y])), ("test_loss", -np.log(p[:, rows, y]).mean(0))):
        low, high = np.percentile(losses[drawn].mean(1), [2.5, 97.5])
        assert ends[name] == pytest.approx([low, high], rel=0.15)


def test_rows_to_predict_have_a_spread(place, capsys):
    assert run.main(["iris.yaml", "train.epochs=20", "ensemble=4", "optimizer.lr=0.02"]) == 0
    *_, short, long, folder = capsys.readouterr().out.splitlines()
    assert short.startswith("  short petals  ") and short.endswith("  setosa") and short.count(" ± ") == 3 == long.count(" ± ")
    means = [float(part.split()[0]) for part in short.removeprefix("  short petals  ").replace(" ± ", "± ").split("± ")[:1]]
    assert 0.5 < means[0] <= 1 and arrays(Path(folder) / "weights.npz")["0.W"].shape == (4, 4, 16)


@pytest.mark.parametrize("monitor", ["val_loss", "ensemble_val_loss"])
def test_stopping_and_the_best_weights(place, capsys, monitor):
    stop = f"callbacks=[{{type: EarlyStopping, monitor: {monitor}, patience: 2}}, {{type: BestWeights, monitor: ensemble_val_loss}}]"
    folder, lines, _ = trained(capsys, "ensemble=4", "train.epochs=80", stop, "optimizer.lr=0.1")
    told, log = record(folder), table(folder)
    kept = {member["kept_epoch"] for member in told["members"]}
    shown = next(line for line in lines if line.startswith("after "))
    if monitor == "val_loss":
        assert len(kept) > 1 and "kept_epoch" not in told["results"]
        assert f"; kept epoch {min(kept)} to {max(kept)}: means of 4 members" in shown
    else:
        assert kept == {told["results"]["kept_epoch"]} == {log["ensemble_val_loss"].argmin() + 1}
        assert told["results"]["ensemble_val_loss"] == log["ensemble_val_loss"].min()
        assert "ended early: 4 of 4 members: ensemble_val_loss has not improved for 2 epochs" in lines
        best = arrays(folder / "best.npz")
        assert all(best[name].tobytes() == array.tobytes() for name, array in arrays(folder / "weights.npz").items())
        at = f"{log['ensemble_val_loss'].min():.4g} in epoch {min(kept)}"
        assert f"best ensemble_val_loss {at}, whose weights are in best.npz" in lines
    capsys.readouterr()
    assert run.main(["--resume", str(folder)]) == 0
    assert "this run has finished after" in capsys.readouterr().out


def test_a_member_that_diverges_is_named_and_left_out(place, capsys):
    (place / "spoil.py").write_text(SPOIL)
    spoil = ["ensemble=4", "seed=10", "data.test=0.1", "--plugin=spoil.py"]
    folder, lines, err = trained(capsys, *spoil, "callbacks=[{type: Spoil, seeds: [2]}]")
    told, log = record(folder), table(folder)
    reason = "the loss is nan at the end of epoch 3 (step 24)"
    said = f"warning: 1 of 4 members diverged and are left out of the ensemble: seed 12 ({reason}). A smaller optimizer.lr may help.\n"
    assert err == said
    assert [member["status"] for member in told["members"]] == ["finished", "finished", "diverged", "finished"]
    assert told["members"][2]["reason"] == reason and told["members"][2]["loss"] == "nan" and told["members"][2]["epochs"] == 3
    assert told["status"] == "finished" and all(np.isfinite(column).all() for name, column in log.items() if name != "val_loss")
    assert "means of 3 members" in lines[-3]
    others = [np.mean([member[name] for member in told["members"] if member["status"] == "finished"]) for name in ("loss", "test_loss")]
    assert [told["results"][name] for name in ("loss", "test_loss")] == pytest.approx(others, rel=1e-12)
    folder, _, err = trained(capsys, *spoil, "callbacks=[{type: Spoil, seeds: [0, 1, 2, 3]}]", status=1)
    assert record(folder)["status"] == "diverged" and "results" in record(folder)
    assert err == f"all 4 members diverged, the first: {reason}. A smaller optimizer.lr may help.\n"
    assert run.main(["--resume", str(folder), "--plugin=spoil.py"]) == 1


def test_an_ensemble_whose_losses_are_infinite(place, capsys):
    options = ["optimizer={type: SGD, lr: 1e30}", "loss=MSE", "metrics=[]", "dtype=float64", "ensemble=4", "--quiet", "data.test=0.1"]
    folder, lines, err = trained(capsys, *options, status=1)
    assert err.startswith("all 4 members diverged, the first: the loss is ") and "Warning" not in err
    told = record(folder)
    assert told["results"]["loss"] in ("inf", "nan") and "test_loss" not in told["results"] and lines == [str(folder)]


def test_weights_lost_in_the_last_epoch_are_left_out_too(place, capsys):
    (place / "spoil.py").write_text(SPOIL)
    folder, _, err = trained(
        capsys, "ensemble=4", "train.epochs=2", "callbacks=[{type: Spoil, seeds: [1]}]", "--plugin=spoil.py", "--quiet"
    )
    assert "1 of 4 members diverged and are left out of the ensemble: seed 1 (its weights are not finite)" in err
    assert np.isfinite(record(folder)["results"]["ensemble_val_loss"]) and record(folder)["members"][1]["status"] == "diverged"


@pytest.mark.parametrize("monitor", ["val_loss", "ensemble_val_loss"])
def test_an_ensemble_that_is_killed_again_and_again_ends_in_the_same_bytes(place, bare, monitor):
    (place / "spoil.py").write_text(SPOIL)
    stop = f"callbacks=[{{type: EarlyStopping, monitor: {monitor}, patience: 2}}, Killer, {{type: Spoil, seeds: [1]}}]"
    options = ["ensemble=4", "train.epochs=80", "train.checkpoint={epochs: 3}", "optimizer.lr=0.1", "data.test=0.1", stop]

    def life(out, die, *resume):
        config = ["--resume", *resume] if resume else ["tabular/wine.yaml", *options, "--out", out]
        command = [sys.executable, "-m", "nnframe.run", *map(str, config), "--plugin=spoil.py", "--quiet"]
        done = subprocess.run(command, env=bare | {"PYTHONPATH": str(ROOT), "DIE": str(die)}, capture_output=True, text=True)
        return done.returncode, done.stderr, next((place / out).glob("*/*"))

    status, _, undisturbed = life("once", 0)
    assert status == 0
    last = len((undisturbed / "losses.csv").read_text().splitlines()) - 1
    assert last > 5
    status, _, folder = life("often", 2)
    for die in (5, last - 1):
        assert status == -signal.SIGKILL
        status, _, folder = life("often", die, folder)
    assert status == -signal.SIGKILL
    status, said, folder = life("often", 0, folder)
    assert status == 0 and "1 of 4 members diverged" in said
    for name in ("losses.csv", "weights.npz"):
        assert (folder / name).read_bytes() == (undisturbed / name).read_bytes()
    for name in ("results", "members", "test_intervals"):
        assert record(folder)[name] == record(undisturbed)[name]


def test_another_number_of_members_is_another_training(place, capsys):
    folder, _, _ = trained(capsys, "ensemble=4", "--quiet")
    assert run.main(["--resume", str(folder), "ensemble=5", "train.epochs=7"]) == 2
    assert "is of another config: ensemble: 4 before, 5 now" in capsys.readouterr().err


def test_check_show_and_a_python_ensemble_agree(place, capsys):
    from nnframe.command.main import main

    assert main(["check", "tabular/wine.yaml", "ensemble=4"]) == 0
    told = capsys.readouterr().out
    assert "275 parameters, float32, 4 runs" in told and "gradients: every layer's backward is the derivative" in told
    assert main(["show", "tabular/wine.yaml", "ensemble=4"]) == 0
    Path("shown.yaml").write_text(capsys.readouterr().out)
    assert run.main(["shown.yaml", "train.epochs=6", "--quiet", "seed=1"]) == 0
    shown = Path(capsys.readouterr().out.strip())
    folder, _, _ = trained(capsys, "ensemble=4", "seed=1", "--quiet")
    assert (folder / "losses.csv").read_bytes() == (shown / "losses.csv").read_bytes()
    assert main(["show", "tabular/wine.yaml"]) == 0
    assert "ensemble" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["ensemble=1"], "ensemble: expected an integer of at least 2 and at most 1024, got 1"),
        (["ensemble=true"], "ensemble: expected an integer of at least 2 and at most 1024, got true"),
        (["ensemble=[1, 2]"], "ensemble: expected an integer"),
        (["ensemble=4", "seed=9223372036854775806"], "ensemble: from seed 9223372036854775806 on there are no 4 seeds"),
        (["ensemble=4", "sweep={seeds: 2}"], "ensemble: a sweep trains seeds by itself; write sweep.seeds: 4 in place of it"),
        (
            ["ensemble=4", "data.validation=null", "data.cv=5"],
            "write sweep.seeds: 4 in place of it, since a sweep's folder is an ensemble too",
        ),
        (["sweep.parameters.ensemble=[2, 4]"], "sweep.parameters.ensemble: is no parameter; write sweep.seeds instead"),
        (["callbacks=[{type: EarlyStopping, monitor: ensemble_val_loss}]"], "ensembles have it: ensemble: 16 at the top of a config"),
        (["ensemble=4", "optimizer.lr=[1, 2, 3, 4]"], "one network takes one value"),
    ],
)
def test_mistakes(place, capsys, given, told):
    assert run.main(["tabular/wine.yaml", *given, "--quiet"]) == 2
    assert told in capsys.readouterr().err
    assert not Path("experiments").exists()


def test_an_ensemble_on_one_fold(place, capsys):
    folder, lines, _ = trained(capsys, "ensemble=4", "data.validation=null", "data.cv={folds: 4, only: 1}")
    assert len(record(folder)["members"]) == 4 and "ensemble_val_loss" in lines[-2]


def test_a_loss_that_cannot_average_is_told_before_training(place, capsys):
    (place / "own.py").write_text(
        "import nnframe as nn\n\n\n@nn.register\nclass Own(nn.CrossEntropy):\n    def readout(self, pred):\n        return super().readout(pred) ** 2\n"
    )
    assert run.main(["tabular/wine.yaml", "ensemble=4", "loss=Own", "--plugin=own.py"]) == 2
    assert "loss: Own writes its own `readout`, so it must say" in capsys.readouterr().err
    assert run.main(["tabular/wine.yaml", "loss=Own", "--plugin=own.py", "--quiet", "train.epochs=1"]) == 0
    assert nn.CrossEntropy().averaged(np.zeros((2, 1, 3))).shape == (1, 3) and os.path.exists("experiments")
