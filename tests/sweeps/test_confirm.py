"""The best settings of a search again, with fresh seeds: their tables, their sentence, and what becomes of them after a kill."""
# ruff: noqa: F811

import json
import re

import numpy as np
import pytest
from scipy import stats
from test_statistics import two
from test_sweeps import here, swept, table, written  # noqa: F401  a fixture is known by its import

import nnframe as nn
from nnframe import run
from nnframe.command.main import main as command
from nnframe.config.compose import load
from nnframe.config.sections import Confirm
from nnframe.sweeps import results
from nnframe.sweeps.prepare import prepare

CONFIRMED = """
sweep:
  seeds: [3, 7]
  objective: {metric: val_loss}
  parameters: {optimizer.lr: [1e-3, 0.01, 0.1, 1, 10], model.0.units: [4, 5]}
  confirm: {top: 3, seeds: 5}
"""


def reproducible(folder):
    """All that must be the same bytes, whatever happened."""
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    contents = [(folder / name).read_bytes() for name in names if name.endswith(("losses.csv", "summary.csv", "config.yaml"))]
    rows = [[*row.items()][:-2] for name in names if name.endswith("trials.csv") for row in table(folder / name)]
    return names, contents, rows


def test_the_best_few_are_trained_with_seeds_that_the_search_has_not_used(here):
    folder = swept(written(CONFIRMED), "--workers=2")
    search, rows = table(folder / "summary.csv"), table(folder / "confirm/trials.csv")
    best = [row["setting"] for row in search[:3]]
    assert [row["setting"] for row in rows] == [setting for setting in best for _ in range(5)]
    assert [row["seed"] for row in rows] == ["8", "9", "10", "11", "12"] * 3 and [row["trial"] for row in rows] == list(map(str, range(15)))
    assert {row["setting"] for row in table(folder / "confirm/summary.csv")} == set(best)
    trials = prepare(load(folder / "config.yaml")).trials
    for row in rows[::4]:
        parameters = [f"optimizer.lr={row['optimizer.lr']}", f"model.0.units={row['model.0.units']}"]
        alone = nn.sweep(written(""), [f"sweep.parameters={{optimizer.lr: [{row['optimizer.lr']}]}}", parameters[1], f"seed={row['seed']}"])
        assert alone["weights"].tolist() == [row["weights"]] and str(alone["val_loss"][0]) == row["val_loss"]
        assert trials.names(int(row["setting"])) == [row["optimizer.lr"], row["model.0.units"]]


def test_how_many_are_tried_again():
    for settings, seeds, top in ((32, 8, 5), (4, 8, 4), (99, 4, 5), (100, 8, 8), (32, 3, 8), (6, 3, 6)):
        assert Confirm().among(settings, seeds) == Confirm(top, 16)
    assert Confirm(2, 9).among(200, 3) == Confirm(2, 9)


def test_the_confirmed_winner_is_the_best(here, capsys):
    written(CONFIRMED)
    assert run.main(["sweep.yaml", "--workers=1"]) == 0
    *lines, folder = capsys.readouterr().out.splitlines()
    assert lines[0] == "sweep: 10 settings x 2 seeds = 20 trials, ranked by val_loss (min); the best 3 again with 5 fresh seeds"
    first = table(here / folder / "confirm/summary.csv")[0]
    (said,) = [line for line in lines if line.startswith("val_loss: Best of 3 on 5 fresh seeds: lr=")]
    low, high = float(first["low"]), float(first["high"])
    mean, low, high = (two(number, (high - low) / 2) for number in (float(first["mean"]), low, high))
    assert f"lr={float(first['optimizer.lr']):g}, model.0 Dense.units={first['model.0.units']}, {mean} (95 %: {low} to {high})." in said
    assert "The search had put " in said and said.endswith(" The 7 others were not retried.")
    assert command(["best", folder, "-o", "best.yaml"]) == 0
    best = load(here / "best.yaml").data
    assert (best["seed"], best["model"][0]["units"]) == (8, int(first["model.0.units"]))
    assert best["optimizer"]["lr"] == float(first["optimizer.lr"])
    alone = swept("best.yaml")
    trial = next(row for row in table(here / folder / "confirm/trials.csv") if row["setting"] == first["setting"])
    assert table(alone / "losses.csv")[-1]["val_loss"] == trial["val_loss"]


@pytest.mark.parametrize("death", range(1, 9))
def test_a_kill_at_any_point_of_it_changes_no_byte(here, monkeypatch, capsys, death):
    config = written(CONFIRMED)
    expected = reproducible(swept(config, "--workers=1"))
    count, begin, note, replace = [0], results.Results.__init__, results.Results.note, results.os.replace

    def dying(call):
        def killed(*arguments):
            count[0] += 1
            if count[0] == death:
                raise KeyboardInterrupt
            return call(*arguments)

        return killed

    monkeypatch.setattr(results.Results, "__init__", dying(begin))
    monkeypatch.setattr(results.Results, "note", dying(note))
    monkeypatch.setattr(
        results.os, "replace", lambda *names: dying(replace)(*names) if names[1].name in results.TABLES else replace(*names)
    )
    with pytest.raises(KeyboardInterrupt):
        nn.sweep(config)
    monkeypatch.undo()
    monkeypatch.chdir(here)
    folder = max((here / "experiments/runs/sweep").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    capsys.readouterr()
    assert command(["best", str(folder)]) == (2 if death < 3 else 0)
    said = capsys.readouterr().err
    assert death == 1 or f"{folder}: the sweep has not finished; go on with python -m nnframe.run --resume {folder}" in said
    assert (" trials with fresh seeds, of which no more" in said) == (death > 6), said
    assert run.main(["--resume", str(folder), "--quiet"]) == 0
    assert reproducible(folder) == expected


def test_python_hears_of_it_too(here):
    found = nn.sweep(written(CONFIRMED))
    assert "too few to say which is better." in found.verdict and " Best of 3 on 5 fresh seeds: " in found.verdict
    assert len(found["trial"]) == 20 and np.isfinite(found["val_loss"][:16]).all()


def test_a_search_in_which_nothing_ended_well_has_nothing_to_confirm(here):
    folder = swept(
        written(CONFIRMED),
        "sweep.parameters={optimizer.lr: [1e38, 2e38]}",
        "sweep.confirm.top=1",
        "loss=MSE",
        "train.epochs=6",
        "--workers=1",
    )
    assert not (folder / "confirm").exists()


# ------------------------------------------------------------------------------------------ the test part

TESTED = "data.test={type: Arrays, path: test.npz}"


@pytest.fixture
def unreadable(here):
    """A test part that nobody can read until it is written; a function that does so."""
    held = {name: array[:20] for name, array in np.load("data.npz").items()}
    (here / "test.npz").write_bytes(b"not to be read")
    return lambda: np.savez(here / "test.npz", **held)


def test_the_search_does_not_read_the_test_part(unreadable, here, capsys):
    config = written(CONFIRMED.replace("  confirm: {top: 3, seeds: 5}", ""))
    folder = swept(config, TESTED, "--workers=2")
    assert reproducible(folder)[2] == reproducible(swept(config, "--workers=2"))[2]
    assert {row["status"] for row in table(folder / "trials.csv")} == {"finished"}
    capsys.readouterr()
    assert command(["best", str(folder)]) == 2
    assert "the winner cannot be tested: test.path: " in capsys.readouterr().err
    unreadable()
    assert command(["best", str(folder), "-o", "best.yaml"]) == 0
    said = capsys.readouterr().err.splitlines()[0]
    assert said.startswith("On the test part, which nothing was chosen by, over 1 seed: test_loss ")
    assert (here / "best.yaml").read_text().startswith(f"# {said}\n")
    assert run.main(["best.yaml"]) == 0
    *_, last, _ = capsys.readouterr().out.splitlines()
    loss, accuracy = re.findall(r"test_(?:loss|accuracy) (\S+) \(95 %", last)
    assert said.endswith(f": test_loss {loss}, test_accuracy {accuracy}.")


def test_the_confirmed_winner_is_evaluated_once_at_the_end(unreadable, here, capsys):
    config = written(CONFIRMED)
    assert run.main([str(config), TESTED, "--workers=1"]) == 2
    said = capsys.readouterr()
    folder = here / said.out.splitlines()[-1]
    assert (
        "the winner cannot be tested: " in said.err
        and f"go on with\n  python -m nnframe.run --resume {folder.relative_to(here)}" in said.err
    )
    assert len(table(folder / "confirm/summary.csv")) == 3 and command(["best", str(folder)]) == 0
    assert "has not finished" in (err := capsys.readouterr().err) and err.endswith("The test part has not been read\n")
    unreadable()
    capsys.readouterr()
    assert run.main(["--resume", str(folder), "--workers=2"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("On the test part")]
    rows, first = table(folder / "test/trials.csv"), table(folder / "confirm/summary.csv")[0]
    assert [row["seed"] for row in rows] == ["8", "9", "10", "11", "12"] and {row["setting"] for row in rows} == {first["setting"]}
    confirmed = [row for row in table(folder / "confirm/trials.csv") if row["setting"] == first["setting"]]
    assert [row["weights"] for row in rows] == [row["weights"] for row in confirmed]
    values = np.array([float(row["test_accuracy"]) for row in rows])
    low, high = stats.t.interval(0.95, 4, loc=values.mean(), scale=stats.sem(values))
    mean, *ends = (two(number, (high - low) / 2) for number in (values.mean(), low, high))
    assert line.endswith(f"test_accuracy {mean} (95 %: {ends[0]} to {ends[1]}).") and ", over 5 seeds: test_loss " in line
    record = json.loads((folder / "run.json").read_text())["test"]["test_accuracy"]
    assert record == pytest.approx({"mean": values.mean(), "low": low, "high": high, "trials": 5, "seeds": 5})
    assert command(["best", str(folder)]) == 0
    assert capsys.readouterr().out.startswith(f"# {line}\n")


def test_rows_that_each_seed_draws_anew_are_said_to_be_so(here):
    verdict = nn.sweep(written(CONFIRMED), ["data.test=0.2"]).verdict
    assert "On the test part, which each seed draws anew (data.split_seed keeps the same rows aside), over 5 seeds: " in verdict
    assert "Chance here means seeds, which draw the split of the rows too." in verdict
    verdict = nn.sweep(written(CONFIRMED), ["data.test=0.2", "data.split_seed=1"]).verdict
    assert "On the test part, which nothing was chosen by, over 5 seeds: " in verdict
    assert "Chance here means seeds; the test rows are the same." in verdict
