"""`nnframe runs`: a table of what is under a folder, whatever is under it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from nnframe.command.main import main

ROOT = Path(__file__).parents[2]
RECORD = {"name": "iris", "status": "finished", "versions": {}, "results": {"epochs": 3, "kept_epoch": 2, "loss": 0.5, "lr": 0.1}}


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)


def do(capsys, *arguments):
    capsys.readouterr()
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return status, captured.out, captured.err


def trained(capsys, config, *changes):
    return Path(do(capsys, "run", config, "--quiet", *changes)[1].splitlines()[0])


def listed(capsys, *arguments):
    """The lines of the table by its head's words, with single spaces between two."""
    status, out, err = do(capsys, "runs", *arguments)
    assert (status, err) == (0, "")
    head, *lines = out.splitlines()
    starts = [match.start() for match in re.finditer(r"\S+", head)]
    rows = [[line[a:b].strip() for a, b in zip(starts, [*starts[1:], None], strict=True)] for line in lines]
    return [dict(zip(head.split(), row, strict=True)) for row in rows]


def made(path, record=RECORD, config="optimizer: {type: SGD, lr: 0.1}\n", log="epoch,step,loss\n1,4,0.5\n"):
    """A folder as a run leaves it, as far as it is read."""
    path.mkdir(parents=True)
    (path / "run.json").write_text(record if isinstance(record, str) else json.dumps(record))
    (path / "config.yaml").write_text(config)
    (path / "losses.csv").write_text(log)
    return path


def paths(capsys, *arguments):
    return [row["path"] for row in listed(capsys, *arguments)]


def test_runs_and_sweeps_the_newest_first(place, capsys):
    run = trained(capsys, "iris.yaml", "train.epochs=3")
    sweep = trained(
        capsys, "iris.yaml", "name=lrs", "sweep={seeds: 2, keep: all, parameters: {optimizer.lr: [0.01, 0.1]}}", "train.epochs=1"
    )
    wild = trained(capsys, "iris.yaml", "optimizer={type: SGD, lr: 1e30}")
    results = json.loads((run / "run.json").read_text())["results"]
    (best, *_) = (sweep / "summary.csv").read_text().splitlines()[1:]
    head = (sweep / "summary.csv").read_text().splitlines()[0].split(",")
    rows = listed(capsys)
    told = {row["path"]: (row["name"], row["kind"], row["status"], row["done"], row["kept"]) for row in rows}
    kept = f"val_loss {results['val_loss']:.4g}  val_accuracy {results['val_accuracy']:.4g}"
    assert told[str(run)] == ("iris", "run", "finished", "3 epochs", kept)
    assert told[str(sweep)] == ("lrs", "sweep", "finished", "4 trials", f"val_loss {float(best.split(',')[head.index('mean')]):.4g}")
    assert told[str(wild)][:3] == ("iris", "run", "diverged") and len(told) == 3
    assert paths(capsys, sweep) == [str(sweep)]  # the folders of its trials are part of it
    assert len(listed(capsys, sweep / "trials")) == 4
    began = {str(path): datetime.now().timestamp() - 60 * k for k, path in enumerate((wild, run))}
    for path in (wild, run):
        record = json.loads((path / "run.json").read_text())
        record["started"] = datetime.fromtimestamp(began[str(path)] - 7200).astimezone().isoformat()
        (path / "run.json").write_text(json.dumps(record))
    rows = listed(capsys)
    assert [row["path"] for row in rows] == [str(sweep), str(wild), str(run)]
    assert [row["age"] for row in rows][1:] == ["2 h", "2 h"] and rows[0]["age"].endswith(" s")


def test_an_ensemble_is_judged_by_its_averaged_prediction(place, capsys):
    folder = trained(capsys, "iris.yaml", "train.epochs=2", "ensemble=3")
    results = json.loads((folder / "run.json").read_text())["results"]
    (row,) = listed(capsys)
    kept = "  ".join(f"{name} {results[name]:.4g}" for name in ("ensemble_val_loss", "ensemble_val_accuracy"))
    assert (row["kind"], row["done"], row["kept"]) == ("ensemble", "2 epochs", kept)


def test_all_values_as_json(place, capsys):
    folder = trained(capsys, "iris.yaml", "train.epochs=3")
    made(place / "experiments" / "runs" / "odd", RECORD | {"status": "diverged", "results": {"epochs": 1, "loss": "nan"}})
    status, out, err = do(capsys, "runs", "--json", "--sort", "name")
    assert (status, err) == (0, "")
    rows = {row["path"]: row for row in json.loads(out, parse_constant=lambda name: pytest.fail(name))}
    record = json.loads((folder / "run.json").read_text())
    row = rows[str(folder)]
    assert row["values"] == {name: value for name, value in record["results"].items() if name not in ("epochs", "kept_epoch")}
    assert (row["status"], row["kind"], row["done"], row["seconds"]) == ("finished", "run", 3, record["seconds"])
    assert datetime.fromisoformat(row["started"]) == datetime.fromisoformat(record["started"]) and 0 <= row["age_seconds"] < 60
    assert rows["experiments/runs/odd"]["values"] == {"loss": "nan"}
    assert do(capsys, "runs", "data", "--json") == (0, "[]\n", "")


def test_a_run_that_trains_now_and_one_that_was_killed(place, capsys):
    arguments = [sys.executable, "-m", "nnframe", "run", "gender.yaml", "train.epochs=10000000", "--quiet"]
    process = subprocess.Popen(arguments, env=os.environ | {"PYTHONPATH": str(ROOT)})
    while not (logs := list(place.glob("experiments/runs/*/*/losses.csv"))) or logs[0].read_text().count("\n") < 3:
        time.sleep(0.02)
    before = set(logs[0].parent.iterdir())
    (row,) = listed(capsys)
    assert row["status"] == "running" and re.fullmatch(r"[\d,]{2,} of 10,000,000 epochs", row["done"])
    assert set(logs[0].parent.iterdir()) >= before
    process.send_signal(signal.SIGKILL)
    process.wait()
    (row,) = listed(capsys)
    assert row["status"] == "interrupted" and re.fullmatch(r"[\d,]{2,} of 10,000,000 epochs", row["done"])
    assert do(capsys, "run", "--resume", row["path"], "train.max_seconds=0.01", "--quiet")[0] == 0  # looking took nobody's lock
    assert listed(capsys, "--status", "finished")[0]["path"] == row["path"]


def test_an_interrupted_sweep_tells_how_many_trials_are_done(place, capsys):
    sweep = trained(capsys, "iris.yaml", "sweep={seeds: 4, parameters: {optimizer.lr: [0.01]}}", "train.epochs=1")
    record = json.loads((sweep / "run.json").read_text())
    (sweep / "run.json").write_text(json.dumps(record | {"status": "running"}))
    (sweep / "summary.csv").unlink()
    (sweep / "trials.csv").write_text("".join((sweep / "trials.csv").read_text().splitlines(keepends=True)[:4]))
    (row,) = listed(capsys)
    assert (row["status"], row["done"], row["kept"]) == ("interrupted", "3 of 4 trials", "")


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ("", "run.json is damaged"),
        ("{", "run.json is damaged"),
        ("[" * 100_000, "run.json is damaged"),
        ("\xff", "run.json is of something else"),
        ('{"a": 1}', "run.json is of something else"),
        ("3", "run.json is of something else"),
        (json.dumps(RECORD | {"results": {"loss": []}}), "run.json is damaged: float() argument"),
        (json.dumps(RECORD | {"trials": "many"}), "run.json is damaged: invalid literal"),
        (json.dumps(RECORD | {"trials": 3, "identity": None}), None),
    ],
)
def test_a_damaged_folder_is_a_row_that_says_why(place, capsys, record, why):
    folder, good = made(place / "runs" / "iris" / "a"), made(place / "runs" / "iris" / "b")
    (folder / "run.json").write_text(record if record != "\xff" else '"x"')
    rows = {row["path"]: row for row in listed(capsys, "runs")}
    assert rows.keys() == {str(good.relative_to(place)), str(folder.relative_to(place))}
    if why is not None:
        assert rows["runs/iris/a"]["status"].startswith(f"unreadable: {why}")
    (folder / "run.json").unlink()
    assert {row["status"] for row in listed(capsys, "runs")} == {"finished", "unreadable: it has no run.json"}
    (folder / "run.json").mkdir()
    assert {row["status"] for row in listed(capsys, "runs")} == {"finished", "unreadable: it has no run.json"}


def test_what_is_no_run_is_left_out(place, capsys):
    good = made(place / "runs" / "deep" / "er" / "and" / "deeper")
    made(place / "runs" / ".hidden" / "run")
    (place / "runs" / "configs").mkdir()
    (place / "runs" / "configs" / "config.yaml").write_text("name: mine\n")
    (place / "runs" / "theirs").mkdir()
    (place / "runs" / "theirs" / "run.json").write_text('{"status": "of another program"}')
    (place / "runs" / "empty").mkdir()
    os.mkfifo(place / "runs" / "empty" / "run.json")  # to read it would wait for ever
    (place / "runs" / "loop").symlink_to(place / "runs")
    (place / "runs" / "deep" / "up").symlink_to("..")
    (place / "runs" / "gone").symlink_to("nowhere")
    (place / "runs" / "twice").symlink_to(good)
    closed = place / "runs" / "closed"
    closed.mkdir(mode=0)
    try:
        found = paths(capsys, "runs")
    finally:
        closed.chmod(0o755)
    assert [Path(path).resolve() for path in found] == [good]
    assert do(capsys, "runs", "data") == (0, "no run and no sweep in data\n", "")


def test_filters_and_order(place, capsys):
    now = datetime.now().astimezone()
    for k, (name, lr, status, loss) in enumerate(
        [
            ("iris", "0.01", "finished", 0.3),
            ("iris-2", "1e-2", "diverged", "nan"),
            ("xor", "0.1", "finished", 0.1),
            ("xor", "true", "failed", 7),
        ]
    ):
        record = RECORD | {"name": name, "status": status, "started": (now - timedelta(hours=30 * k + 1)).isoformat()}
        config = f"optimizer:\n  type: {'SGD' if k % 2 else 'Adam'}\n  lr: {lr}\nmodel: [{{type: Dense, units: {k}}}]\n"
        made(place / "r" / str(k), record | {"results": {"epochs": 3, "loss": loss, f"only_{k}": k}}, config)

    def numbers(*arguments):
        return [int(Path(path).name) for path in paths(capsys, "r", *arguments)]

    assert numbers() == [0, 1, 2, 3]
    assert numbers("--name", "iris*") == [0, 1] and numbers("--name", "iris") == [0]
    assert numbers("--status", "finished") == [0, 2] and numbers("--status=failed", "--status=diverged") == [1, 3]
    assert numbers("--since", "2d") == [0, 1] and numbers("--since", "90min") == [0] and numbers("--since", "1w") == [0, 1, 2, 3]
    assert numbers("--since", (now - timedelta(hours=40)).date().isoformat())[0] == 0
    assert numbers("--where", "optimizer.lr=0.01") == [0, 1] and numbers("--where", "optimizer.lr=true") == [3]
    assert numbers("--where", "optimizer=Adam") == [0, 2] and numbers("--where", "optimizer={type: Adam, lr: 0.1}") == [2]
    assert numbers("--where", "optimizer=Adam", "--where", "model.0.units=2") == [2]
    assert numbers("--sort", "loss") == [2, 0, 3, 1] and numbers("--sort=-loss") == [3, 0, 2, 1]
    assert numbers("--sort", "only_2") == [2, 0, 1, 3] and numbers("--sort=-age") == [3, 2, 1, 0]
    assert do(capsys, "runs", "r", "--limit", 3)[1].endswith("... and 1 more\n")
    assert do(capsys, "runs", "r", "--name", "no") == (0, "no run and no sweep in r that is asked for\n", "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere"], "there is no folder nowhere; name the one where runs are: nnframe runs FOLDER"),
        (["iris.yaml"], "there is no folder iris.yaml"),
        (["--status", "finised"], "--status: unknown status 'finised'. Did you mean 'finished'? Statuses: running, finished,"),
        (["--since", "2 moons"], "--since: expected a time such as 30min, 12h, 2d or 1w, or a date such as 2026-11-24, got '2 moons'"),
        (["--since", "d"], "--since: expected a time"),
        (["--since", "1.2.3d"], "--since: expected a time"),
        (["--where", "optimizer.lr"], "--where: expected key=value, such as optimizer.lr=0.01, got 'optimizer.lr'"),
        (["--where", "optimizer.lrr=1"], "--where: no config of these 1 has 'optimizer.lrr'. Did you mean 'optimizer.lr'?"),
        (["--where", "optimizer=["], "command line: --where optimizer: "),
        (
            ["--sort", "los"],
            "--sort: nothing to sort by is called 'los'. Did you mean 'loss'? Known: name, kind, status, age, done, path, loss, lr.",
        ),
    ],
)
def test_mistakes(place, capsys, arguments, told):
    made(place / "experiments" / "runs" / "a")
    status, out, err = do(capsys, "runs", *arguments)
    assert (status, out) == (2, "") and err.startswith(told), err


@pytest.mark.parametrize("columns", [200, 80, 60, 20, 5])
def test_a_table_is_as_wide_as_the_terminal(place, capsys, monkeypatch, columns):
    for name in ("a" * 40, "b"):
        record = RECORD | {"name": name, "status": "interrupted", "results": {"epochs": 3, "val_loss": 0.123456, "val_accuracy": 0.98765}}
        made(place / "experiments" / "runs" / name / "2026-11-24_22-04-25-33b5e2ec", record)
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = do(capsys, "runs")[1].splitlines()
    assert len(lines) == 3 and max(map(len, lines)) <= columns
    assert ("33b5e2ec" in lines[1]) == (columns >= 60)
    assert ("val_accuracy 0.9877" in lines[1]) == (columns == 200)


def test_a_name_that_no_terminal_shows_is_escaped(place, capsys):
    made(place / "r" / "a\x1b[31m", RECORD | {"name": "red\x1b[31m\n"})
    out = do(capsys, "runs", "r")[1]
    assert "\x1b" not in out and r"red\x1b[31m\n" in out
