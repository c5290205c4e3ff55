"""What stands in a sweep's folder is what was written down: whether it is complete, on which data, and that nothing was changed since."""

import csv
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nnframe as nn
from nnframe import run
from nnframe.command.main import main as command
from nnframe.components import plugins
from nnframe.components.registry import REGISTRY
from nnframe.config.compose import load
from nnframe.sweeps import plan, results, sources
from nnframe.sweeps import prepare as prepare_module
from nnframe.system import files

ROOT = Path(__file__).parents[2]

CONFIG = """\
data: {type: Arrays, path: a.npz}
model: [{type: Dense, units: 4}, Tanh, {type: Dense, units: 3}]
loss: CrossEntropy
optimizer: {type: SGD, lr: 0.1}
train: {epochs: 2, batch_size: 16}
"""
LRS = "sweep: {seeds: 2, parameters: {optimizer.lr: [0.1, 0.2, 0.3, 0.4]}}\n"
PATHS = "sweep: {seeds: 2, parameters: {data.path: [a.npz, b.npz], optimizer.lr: [0.1, 0.2]}}\n"
HELD = "data: {type: Arrays, path: a.npz, validation: {type: Arrays, path: b.npz}}\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with two small sets of data, as the current one; blocks are of one trial."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plan, "block_size", lambda *_: 1)
    for seed, name in enumerate(("a.npz", "b.npz")):
        data(name, seed)
    return tmp_path


def data(path, seed):
    rng = np.random.default_rng(seed)
    np.savez(path, x=rng.normal(size=(40, 5)), y=rng.integers(0, 3, 40))


def written(section=LRS, head=CONFIG):
    Path("sweep.yaml").write_text(head + section)
    return "sweep.yaml"


def swept(capsys, section=LRS, head=CONFIG):
    assert run.main([written(section, head), "--quiet", "--workers=1"]) == 0
    return Path(capsys.readouterr().out.strip())


def half_swept(monkeypatch, capsys, section=LRS, head=CONFIG, number=3):
    """The folder of a sweep that SIGTERM ended after so many trials."""
    done, add = [], results.Results.add

    def adding(self, rows):
        add(self, rows)
        done.append(1)
        if len(done) == number:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(results.Results, "add", adding)
        assert run.main([written(section, head), "--quiet", "--workers=1"]) == 143
    folder = Path(capsys.readouterr().out.strip())
    assert len(table(folder / "trials.csv")) == number
    return folder


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def refused(capsys, *arguments):
    """What is said as a command is refused, with exit status 2 and no traceback; nothing in the folder changes."""
    folder = next(Path(word) for word in arguments if Path(word).is_dir())
    before = contents(folder)
    capsys.readouterr()
    verb = run.main if arguments[0] == "--resume" else command
    assert verb(list(map(str, arguments))) == 2
    said = capsys.readouterr()
    assert "Traceback" not in said.err and said.err.count("\n") <= 3, said.err
    assert contents(folder) == before
    return said.err


def contents(folder):
    return {path: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}


def resume(folder):
    return run.main(["--resume", str(folder), "--quiet", "--workers=1"])


def left(folder):
    """All that a sweep leaves, but for what tells the time."""
    rows = [{name: cell for name, cell in row.items() if name not in ("seconds", "worker")} for row in table(folder / "trials.csv")]
    return rows, *((folder / name).read_bytes() for name in ("losses.csv", "summary.csv", "config.yaml")), sorted(os.listdir(folder))


# ------------------------------------------------------------------------------------------ begun, half done, complete


def test_a_folder_is_plain_files_without_dots(here, capsys):
    folder = swept(capsys)
    assert sorted(os.listdir(folder)) == ["config.yaml", "journal.jsonl", "losses.csv", "run.json", "summary.csv", "trials.csv"]
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    assert lines[0]["trials"] == 8 and "complete" in lines[-1]


def test_killed_while_it_begins_it_can_be_gone_on_with(here, capsys, monkeypatch):
    """At every call that changes a file until the first rows are noted; the config stands there only when the rest does."""
    expected = left(swept(capsys))
    last, begun = 0, 0
    while True:
        last += 1
        shutil.rmtree("experiments", ignore_errors=True)
        if (child := os.fork()) == 0:
            _die_at(last)
        _, status = os.waitpid(child, 0)
        if status != signal.SIGKILL:
            break
        folders = list(Path("experiments/runs/sweep").glob("*/config.yaml"))
        if folders:
            begun += 1
            assert resume(folders[0].parent) == 0, last
            assert left(folders[0].parent) == expected
    assert last > 30 and begun > 20


def _die_at(number):
    made = 0

    def dying(call):
        def made_it(*arguments, **options):
            nonlocal made
            made += 1
            if made == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return made_it

    for name in ("mkdir", "open", "write", "ftruncate", "fsync", "close", "replace", "unlink"):
        setattr(os, name, dying(getattr(os, name)))
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        run.main([written(), "--quiet", "--workers=1"])
    finally:
        os._exit(0)


@pytest.mark.parametrize("size", [0, 10, 400, 900])
def test_a_disk_that_is_full_while_it_begins(here, capsys, size):
    """Whatever could not be written, what is told can be done."""
    expected = left(swept(capsys))
    shutil.rmtree("experiments", ignore_errors=True)
    script = [sys.executable, "-m", "nnframe.run", written(), "--quiet", "--workers=1"]
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))  # noqa: E731
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}  # a limit would cut that too
    done = subprocess.run(script, env=environment, capture_output=True, text=True, preexec_fn=limit, timeout=60)
    assert done.returncode == 2 and "cannot write the " in done.stderr and "Traceback" not in done.stderr
    (folder,) = Path("experiments/runs/sweep").iterdir()
    assert ("--resume" in done.stderr) == (folder / "config.yaml").exists()
    if "--resume" in done.stderr:
        assert resume(folder) == 0 and left(folder) == expected


def test_no_room_for_another_file(here, capsys, monkeypatch):
    """As without inodes: what exists can grow, and nothing can be made."""
    expected = left(swept(capsys))
    opened, real = [], os.open

    def full(path, flags, *mode, **options):
        if flags & os.O_CREAT and not os.path.exists(path):
            opened.append(path)
            if len(opened) > allowed:
                raise OSError(28, "No space left on device")
        return real(path, flags, *mode, **options)

    seen = set()
    for allowed in range(1, 20):
        shutil.rmtree("experiments", ignore_errors=True)
        opened.clear()
        with monkeypatch.context() as patch:
            patch.setattr(os, "open", full)
            status = run.main([written(), "--quiet", "--workers=1"])
        said = capsys.readouterr().err
        (folder,) = Path("experiments/runs/sweep").iterdir()
        if status == 0:
            break
        assert status == 2 and "No space left on device" in said and ("--resume" in said) == (folder / "config.yaml").exists()
        seen.add("--resume" in said)
        if "--resume" in said:
            assert resume(folder) == 0 and left(folder) == expected, allowed
    assert status == 0 and seen == {True, False}


def test_a_copy_of_a_half_done_sweep_is_half_done(here, capsys, monkeypatch):
    expected = left(swept(capsys))
    folder = half_swept(monkeypatch, capsys)
    copy = here / "copy"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(".*"))
    assert command(["best", str(copy)]) == 0
    assert f"{copy}: the sweep has not finished; go on with python -m nnframe.run --resume {copy}" in capsys.readouterr().err
    assert resume(copy) == 0
    assert left(copy) == expected


@pytest.mark.parametrize("half", [True, False])
def test_without_its_journal_nobody_knows(here, capsys, monkeypatch, half):
    folder = half_swept(monkeypatch, capsys) if half else swept(capsys)
    (folder / "journal.jsonl").unlink()
    for arguments in (("--resume", folder), ("best", folder)):
        assert refused(capsys, *arguments) == (
            f"{folder}/journal.jsonl is missing, and nothing else says which rows are whole; copy it from where the folder comes from\n"
        )


def test_without_its_record_it_is_not_compared_with_itself(here, capsys, monkeypatch):
    folder = half_swept(monkeypatch, capsys)
    for lost in ("", "{}", '{"identity": null, "status": null}', "[1", "[" * 100_000, '{"identity": [1]}'):
        (folder / "run.json").write_text(lost)
        for arguments in (("--resume", folder), ("best", folder), ("trial", folder, 1)):
            said = refused(capsys, *arguments)
            assert said == f"{folder}/run.json is missing or damaged, and nothing else says what was trained on which data so far\n"
    (folder / "run.json").unlink()
    assert "run.json is missing or damaged" in refused(capsys, "--resume", folder)


def test_a_changed_config_has_no_best(here, capsys):
    folder = swept(capsys)
    text = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(text.replace("0.2", "0.25"))
    assert "sweep.parameters.optimizer.lr.1: 0.2 before, 0.25 now" in refused(capsys, "best", folder)


@pytest.mark.parametrize("name", results.TABLES)
@pytest.mark.parametrize("half", [True, False])
def test_an_edited_table_is_not_taken(here, capsys, monkeypatch, name, half):
    folder = half_swept(monkeypatch, capsys) if half else swept(capsys)
    content = (folder / name).read_bytes()
    edits = [content.replace(b"\n0,1,", b"\n0,2,").replace(b"\n0,0,0.1", b"\n0,0,0.2"), content[:-3], b"", b"\n", b"a,b\n1\n", b"\xff" * 9]
    if not half:
        edits.append(content + b"9\n")
    for edit in edits:
        assert edit != content
        (folder / name).write_bytes(edit)
        told = f"{folder / name} is not what "
        assert refused(capsys, "--resume", folder).startswith(told), edit
        if not half:
            assert refused(capsys, "best", folder).startswith(told), edit


@pytest.mark.parametrize("name", results.TABLES)
def test_a_trial_of_a_damaged_table_is_no_traceback(here, capsys, name):
    folder = swept(capsys)
    for edit in (b"", b"\n\n", b"trial,a\n1\n", b"\xff\n", b'"' + b"x" * 200_000 + b'"\n', b"trial\n\n1\n"):
        (folder / name).write_bytes(edit)
        capsys.readouterr()
        assert command(["trial", str(folder), "1"]) in (1, 2), edit
        assert capsys.readouterr().err.count("\n") <= 1


@pytest.mark.parametrize("half", [True, False])
def test_a_damaged_journal_is_told(here, capsys, monkeypatch, half):
    folder = half_swept(monkeypatch, capsys) if half else swept(capsys)
    journal = folder / "journal.jsonl"
    first, *rest = journal.read_text().splitlines(keepends=True)
    rows = rest[0].replace("[[", "[[-", 1)
    for number, text in (
        (1, ""),
        (1, "\n"),
        (1, "null\n"),
        (1, "[" * 99_999 + "\n"),
        (1, "".join(rest)),
        (2, first + rows),
        (2, f"{first}\0\n"),
    ):
        journal.write_text(text)
        said = refused(capsys, "--resume", folder)
        assert said == f"{journal} is damaged, so the sweep cannot go on: its line {number} is not what was written\n", text
        assert refused(capsys, "best", folder) == said
    journal.write_bytes(b"\xff\xfe\n")
    assert "its line 1 is not" in refused(capsys, "--resume", folder)


@pytest.mark.parametrize("name", ["run.json", "journal.jsonl", "trials.csv", "losses.csv", "summary.csv", "trials.sorted.csv"])
@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_a_pipe_or_folder_where_a_file_should_be(here, capsys, monkeypatch, name, kind):
    folder = half_swept(monkeypatch, capsys)
    (folder / name).unlink(missing_ok=True)
    (Path.mkdir if kind == "folder" else os.mkfifo)(folder / name)
    verbs = [("--resume", str(folder))] + [("best", str(folder))] * (name != "summary.csv")
    verbs += [("trial", str(folder), "1")] * (name not in ("summary.csv", "journal.jsonl"))
    for arguments in verbs:
        module = "nnframe.run" if arguments[0] == "--resume" else "nnframe"
        script = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(script, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60)
        well = (name, kind) == ("summary.csv", "pipe") or "sorted" in name  # a pipe is replaced; trial does not look at what is sorted
        assert done.returncode in ((0, 2) if well else (2,)) and "Traceback" not in done.stderr, (arguments, done.stderr)


# ------------------------------------------------------------------------------------------ the same data to the end


@pytest.mark.parametrize(("section", "head"), [(PATHS, CONFIG), (LRS, CONFIG + HELD)], ids=["parameter", "validation"])
@pytest.mark.parametrize("half", [True, False])
def test_every_source_is_known_by_its_hash(here, capsys, monkeypatch, section, head, half):
    head = head.replace("data: {type: Arrays, path: a.npz}\n", "") if HELD in head else head
    folder = half_swept(monkeypatch, capsys, section, head) if half else swept(capsys, section, head)
    hashes = json.loads((folder / "run.json").read_text())["identity"]["the data's hash"]
    assert len(hashes) == 2 and len(set(hashes.values())) == 2
    data("b.npz", 7)
    said = refused(capsys, "--resume", folder)
    assert said.startswith(f"{folder} is of another sweep: the data's hash.") and "b.npz" in said and "a.npz" not in said
    assert "b.npz" in refused(capsys, "trial", folder, 0)
    data("b.npz", 1)
    assert resume(folder) == 0


def test_only_what_is_loaded_is_looked_at(here, monkeypatch):
    """Of a thousand fractions and shifts, each source once; it must not take a second for each thousand trials."""
    drawn = "sampler: Random, trials: 1000, parameters: {data.validation: {low: 0.1, high: 0.5}, data.transforms.0.by: {low: 0, high: 1}"
    head = CONFIG.replace("a.npz}", "a.npz, transforms: [{type: Shift, by: 1}]}")
    loaded = []
    monkeypatch.setattr(prepare_module, "name_of", lambda source: loaded.append(source) or sources.name_of(source))
    prepared = prepare_module.prepare(load(Path(written(f"sweep: {{{drawn}, data.path: [a.npz, b.npz]}}}}\n", head))))
    assert len(loaded) == 2 and len(prepared.sources.hashes) == 2


@pytest.mark.parametrize("workers", [1, 2])
def test_data_that_changes_while_the_sweep_runs_ends_it(here, capsys, monkeypatch, workers):
    """As for a worker that is replaced, or begins late: here the file changes after the sweep has looked at it."""
    expected = left(swept(capsys, PATHS))
    begin = results.Results.__init__

    def beginning(self, *arguments, **options):
        begin(self, *arguments, **options)
        data("b.npz", 7)

    loaded = sources.Sources.load
    with monkeypatch.context() as patch:
        patch.setattr(results.Results, "__init__", beginning)
        patch.setattr(sources.Sources, "load", lambda self, source: (self.loaded.clear(), loaded(self, source))[1])  # as if anew
        assert run.main([written(PATHS), "--quiet", f"--workers={workers}"]) == 2
    said = capsys.readouterr()
    folder = Path(said.out.strip())
    assert said.err.startswith("the data has changed since the sweep began: ") and "b.npz" in said.err and f"--resume {folder}" in said.err
    data("b.npz", 1)
    assert resume(folder) == 0 and left(folder) == expected


def test_a_source_that_appears_later_is_a_change(here, capsys, monkeypatch):
    section = PATHS.replace("b.npz", "c.npz")
    folder = half_swept(monkeypatch, capsys, section, number=5)
    assert {row["status"] for row in table(folder / "trials.csv")} == {"finished", "failed"}
    data("c.npz", 7)
    assert f"{sources.UNREADABLE}" in refused(capsys, "--resume", folder)
    Path("c.npz").unlink()
    assert resume(folder) == 0


# ------------------------------------------------------------------------------------------ plugins that end the process

ENDS = """
import sys
import nnframe as nn


class Ends(nn.Layer):
    '''y = x, or the end.'''

    def __init__(self, how: str = "") -> None:
        self.how = how

    def setup(self, features):
        if self.how == "setup":
            sys.exit("in setup")
        return features

    def forward(self, x, *, training=False):
        if self.how in ("exit", "interrupt"):
            raise SystemExit(3) if self.how == "exit" else KeyboardInterrupt
        return x

    def backward(self, dy, *, need_dx=True):
        return dy
"""
REASONS = {"": "", "exit": "SystemExit: 3", "interrupt": "KeyboardInterrupt", "setup": "SystemExit: in setup"}


@pytest.fixture
def ends(here, monkeypatch):
    Path("ends.py").write_text(ENDS)
    monkeypatch.setattr(plugins, "LOADED", [])
    yield CONFIG.replace("Tanh", "Ends") + "sweep: {parameters: {model.1.how: ['', exit, interrupt, setup]}}\n"
    REGISTRY["layer"].pop("Ends", None)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_plugin_that_ends_the_process_is_a_failed_row(ends, capsys, workers):
    assert run.main([written("", ends), "--plugin=ends.py", "--quiet", f"--workers={workers}"]) == 0
    folder = Path(capsys.readouterr().out.strip())
    rows = table(folder / "trials.csv")
    assert {row["model.1.how"]: row["reason"] for row in rows} == REASONS
    assert [row["status"] for row in rows] == ["finished", "failed", "failed", "failed"]
    for trial, reason in enumerate(REASONS.values()):
        assert command(["trial", str(folder), str(trial), "--plugin=ends.py"]) == 0
        assert reason in capsys.readouterr().out
    assert command(["plan", "sweep.yaml", "--plugin=ends.py"]) == 0


def test_a_first_trial_that_ends_the_process_is_told(ends, capsys):
    assert run.main([written("", ends.replace("['', exit", "[setup, exit").replace(", setup]", "]")), "--plugin=ends.py"]) == 2
    assert capsys.readouterr().err == "SystemExit: in setup\n"


def test_a_real_interrupt_still_ends_a_sweep(ends, capsys):
    text = ends.replace("['', exit, interrupt, setup]", "['', exit]")
    real = ENDS.replace(
        'if self.how in ("exit", "interrupt"):', "if self.how:\n            import signal; signal.raise_signal(signal.SIGINT)"
    )
    Path("ends.py").write_text(real)
    assert run.main([written("", text), "--plugin=ends.py", "--quiet", "--workers=1"]) == 130
    said = capsys.readouterr()
    assert said.err.startswith("interrupted by SIGINT; go on with") and len(table(Path(said.out.strip()) / "trials.csv")) == 1


# ------------------------------------------------------------------------------------------ another set of tables


def test_a_disk_that_is_full_for_the_last_line_of_the_journal(here, capsys, monkeypatch):
    expected = left(swept(capsys))
    real = files.Growing.sync

    def full(self):
        if self.path.name == "journal.jsonl" and any(b'"complete"' in data for data in self.waiting):
            raise nn.errors.FileError("cannot write the bytes: No space left on device")
        real(self)

    with monkeypatch.context() as patch:
        patch.setattr(files.Growing, "sync", full)
        assert run.main([written(), "--quiet", "--workers=1"]) == 2
    folder = Path(capsys.readouterr().out.strip())
    assert not list(folder.glob("*.sorted.csv"))
    assert resume(folder) == 0 and left(folder) == expected
