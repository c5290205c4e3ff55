"""A sweep that has not ended: what it shows of its ranking, what `best` answers, and what is said when it goes on; and its table's words."""
# ruff: noqa: F811

import csv
import re
import signal
from pathlib import Path

import numpy as np
import pytest
from test_folders import CONFIG, half_swept, here, written  # noqa: F401  a fixture is known by its import

from nnframe import run
from nnframe.command.main import main as command
from nnframe.config.compose import load
from nnframe.config.reading import Document
from nnframe.config.sections import parameter_of
from nnframe.sweeps import results, sentences, statistics
from nnframe.sweeps.plan import Trials
from nnframe.sweeps.prepare import prepare

THREE = "sweep: {seeds: 2, parameters: {optimizer.lr: [0.1, 0.2, 0.3]}}\n"


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def stopped(monkeypatch, capsys, number, *arguments):
    """What is printed where Ctrl-C comes after so many trials: on stdout without the folder, on stderr, and the folder."""
    done, add = [], results.Results.add

    def adding(self, rows):
        add(self, rows)
        done.append(1)
        if len(done) == number:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(results.Results, "add", adding)
        assert run.main([written(THREE), "--workers=1", *arguments]) == 130
    said = capsys.readouterr()
    *lines, folder = said.out.splitlines()
    return lines, said.err, Path(folder)


def test_an_interrupted_sweep_shows_its_ranking_so_far(here, monkeypatch, capsys):
    lines, err, folder = stopped(monkeypatch, capsys, 3)
    rows = table(folder / "trials.csv")
    assert lines[2] == "so far, 3 of 6 trials; nothing is said of a best one before all have ended:"
    assert lines[3].split() == ["lr", "mean", "±", "sd", "n"]
    losses = {lr: [float(row["loss"]) for row in rows if row["optimizer.lr"] == lr] for lr in ("0.1", "0.2")}
    means = {lr: np.mean(values) for lr, values in losses.items()}
    told = [line.split() for line in lines[4:6]]
    assert lines[6] == "  those with fewer than 2 trials come last"
    assert sorted((line[0], line[-1]) for line in told) == [("0.1", "2"), ("0.2", "1")]
    for lr, mean, *_ in told:
        assert float(mean) == pytest.approx(means[lr], rel=0.01)
    assert "behind" not in str(lines) and "%" not in str(lines)  # no claim
    assert err == f"interrupted by SIGINT; go on with\n  python -m nnframe.run --resume {folder}\n"
    assert lines[1].endswith(", 3 of 6 in all")


def test_quietly_nothing_is_shown_of_it(here, monkeypatch, capsys):
    assert stopped(monkeypatch, capsys, 3, "--quiet")[0] == []


def test_going_on_says_how_many_more(here, monkeypatch, capsys):
    *_, folder = stopped(monkeypatch, capsys, 2)
    assert run.main(["--resume", str(folder), "--workers=1"]) == 0
    _, more, ended, *_ = capsys.readouterr().out.splitlines()
    assert more == "4 more, 6 in all" and ended.startswith("4 trials in ") and ended.endswith(" s, 6 of 6 in all")


def test_the_best_of_an_unfinished_sweep_is_answered_with_a_note(here, monkeypatch, capsys):
    folder = half_swept(monkeypatch, capsys)
    rows = table(folder / "trials.csv")
    assert [row["optimizer.lr"] for row in rows] == ["0.1", "0.1", "0.2"]
    assert command(["best", str(folder)]) == 0
    said = capsys.readouterr()
    unfinished = f"{folder}: the sweep has not finished; go on with python -m nnframe.run --resume {folder}"
    assert said.err.startswith(f"note: {unfinished}. The best so far, after 3 of 8 trials, of which no more can be said: lr=0.")
    assert command(["best", str(folder), "-o", "best.yaml"]) == 0
    *_, last = capsys.readouterr().err.splitlines()
    assert last.endswith(": written to best.yaml") and Path("best.yaml").read_text() == said.out
    assert f"lr={load(Path('best.yaml')).data['optimizer']['lr']}: " in last
    assert run.main(["best.yaml", "--quiet"]) == 0


def test_rows_that_the_journal_does_not_know_do_not_count(here, monkeypatch, capsys):
    folder = half_swept(monkeypatch, capsys)
    row = (folder / "trials.csv").read_text().splitlines()[-1].split(",")
    with (folder / "trials.csv").open("a") as file:
        file.write(",".join(["7", "3", "0.4", *row[3:]]).replace(row[6], "0.0") + "\n")
    assert command(["best", str(folder)]) == 0
    assert "after 3 of 8 trials" in (err := capsys.readouterr().err) and "lr=0.4" not in err


def test_a_changed_table_is_refused(here, monkeypatch, capsys):
    folder = half_swept(monkeypatch, capsys)
    text = (folder / "trials.csv").read_text()
    (folder / "trials.csv").write_text(text.replace("0.2", "0.3"))
    assert command(["best", str(folder)]) == 2 and "trials.csv" in capsys.readouterr().err


def test_without_any_trial_there_is_no_best(here, monkeypatch, capsys):
    def end(self, rows):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(results.Results, "add", end)
        run.main([written(), "--quiet", "--workers=1"])
    (folder,) = Path("experiments/runs/sweep").iterdir()
    capsys.readouterr()
    assert command(["best", str(folder)]) == 2
    assert capsys.readouterr().err.endswith(f"--resume {folder}. So far no trial ended well, so none is the best\n")


# ------------------------------------------------------------------------------------------ the ranking


def trials(model, paths, points=2, seeds=2):
    """Trials of parameters that take 1, 2, ... together."""
    document = Document({"model": model, "optimizer": {"type": "SGD", "lr": {"type": "Cosine", "start": 1}}})
    parameters = {path: parameter_of(path, list(range(1, points + 1))) for path in paths}
    return Trials(document, parameters, {path: list(range(points)) for path in paths}, list(range(seeds)))


def test_the_ranking_so_far_by_hand():
    nan, inf = np.nan, np.inf
    values = np.array([[[3.0], [nan]], [[nan], [nan]], [[1.0], [inf]], [[2.0], [4.0]]])
    lines = sentences.so_far(trials([], ["optimizer.lr"], 4), values, "min")
    # the diverged one counts as 4, the worst: (1 + 4) / 2 = 2.5; (2 + 4) / 2 = 3; and the one with a single seed comes last
    assert lines[0].split() == ["lr", "mean", "±", "sd", "n"] and [line.split()[0] for line in lines[1:4]] == ["3", "4", "1"]
    assert lines[4:] == ["those with fewer than 2 trials come last"]
    assert lines[1].split()[1:] == ["2.5", "±", "2.1", "2"] and lines[3].split()[1:] == ["3", "1"]
    assert sentences.best_so_far(values, "min") == 2 and sentences.best_so_far(values, "max") == 3
    assert (
        sentences.best_so_far(np.full((2, 1, 1), nan), "min") is None
        and sentences.so_far(trials([], []), np.full((1, 2, 1), nan), "min") == []
    )
    assert sentences.best_so_far(np.full((2, 1, 1), inf), "min") is None


# ------------------------------------------------------------------------------------------ heads of the table


DROPOUTS = [{"type": "Dense", "units": 4}, {"type": "Dropout", "p": 0.1}, "ReLU", {"type": "Dropout", "p": 0.2}]


@pytest.mark.parametrize(
    ("model", "paths", "heads"),
    [
        (DROPOUTS, ["optimizer.lr"], ["lr"]),
        (DROPOUTS, ["optimizer.lr.start"], ["lr.start"]),
        (DROPOUTS[:3], ["model.1.p"], ["Dropout.p"]),
        (DROPOUTS, ["model.3.p"], ["model.3 Dropout.p"]),
        (DROPOUTS, ["model.1.p", "model.3.p"], ["model.1 Dropout.p", "model.3 Dropout.p"]),
        (DROPOUTS, ["model.0.units", "data.noise", "train.batch_size"], ["Dense.units", "noise", "batch_size"]),
        (DROPOUTS, ["model.2", "model"], ["model.2", "model"]),
        (DROPOUTS, ["optimizer.seed", "data.seed"], ["optimizer.seed", "data.seed"]),
        (DROPOUTS, ["optimizer.lr.start", "optimizer.momentum.start"], ["lr.start", "momentum.start"]),
        (DROPOUTS, ["model.0.bias.a"], ["bias.a"]),
        ([{"type": "Residual", "layers": [{"type": "Dropout", "p": 0.1}]}], ["model.0.layers.0.p"], ["Dropout.p"]),
        (DROPOUTS, ["model.9.p"], ["model.9.p"]),
    ],
)
def test_a_parameter_is_known_by_as_much_of_its_path_as_it_takes(model, paths, heads):
    found, summary = trials(model, paths, seeds=1), statistics.summarize(np.array([[1.0], [2.0]]), "min")
    head, *_ = sentences.table(found, summary, "summary.csv")
    assert re.split(r" {2,}", head)[: len(heads) + 1] == [*heads, "mean ± sd"]
    assert sentences.label(found, 1) == ", ".join(f"{head}=2" for head in heads)


def test_the_table_tells_mean_and_spread_as_people_do():
    summary = statistics.summarize(np.array([[2276.0, 3116, 3956], [31000.0, 30000, 32000]]), "min")
    lines = sentences.table(trials([], ["optimizer.lr"], seeds=3), summary, "summary.csv")
    assert re.split(r" {2,}", lines[0]) == ["lr", "mean ± sd", "median", "worst seed", "best seed", "behind", "p", "n"]
    assert re.split(r" {2,}", lines[1])[:5] == ["1", "3116 ± 840", "3116", "3956", "2276"]
    assert re.split(r" {2,}", lines[2])[:2] == ["2", "31000 ± 1000"]


# ------------------------------------------------------------------------------------------ how many settings


@pytest.mark.parametrize("section", ["settings: 6", "trials: 12", "settings: 6, trials: 12"])
def test_settings_or_trials_say_how_many(here, section):
    config = written(f"sweep: {{seeds: 2, sampler: Random, {section}, parameters: {{optimizer.lr: {{low: 0.1, high: 1}}}}}}\n", CONFIG)
    prepared = prepare(load(Path(config)))
    assert prepared.headline.startswith("sweep: 6 settings x 2 seeds = 12 trials")
    assert prepared.resolved["sweep"].get("settings") == (6 if "settings" in section else None)
    again = prepare(Document(prepared.resolved))
    assert again.identity == prepared.identity and again.trials.count == 12


def test_a_sweep_that_does_not_say_settings_has_the_identity_that_it_had(here):
    assert "settings" not in prepare(load(Path(written(THREE)))).identity["sweep"]
