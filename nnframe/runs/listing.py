"""All runs and sweeps under a folder, as far as they can be read: half of them may be damaged, being written, or not ours."""

import csv
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import NoneType
from typing import Any

from nnframe.components.wording import shown
from nnframe.config.compose import load
from nnframe.errors import NNFrameError
from nnframe.system import files

STATUSES = ("running", "finished", "interrupted", "diverged", "failed", "unreadable")
TOO_LARGE, TAIL = 2**26, 2**14  # bytes of a run.json, and of the end of a log
TRACES = {"losses.csv", "checkpoint.npz", "journal.jsonl"}  # what tells a folder with a config.yaml from one of configs
OURS = {"status", "versions"}  # keys of every run.json of ours


@dataclass(frozen=True)
class Entry:
    """A run or a sweep. `done` of `total` epochs or trials, `values` are those of the weights that are kept, of a sweep the best
    setting's mean of what it ranks by; `why` says what is wrong with what cannot be read."""

    path: Path
    name: str
    kind: str
    status: str
    started: float  # seconds since 1970
    done: int | None = None
    total: int | None = None
    values: dict[str, float] = field(default_factory=dict)
    why: str = ""
    seconds: float | None = None

    def config(self) -> Any:
        """Its config, empty if that cannot be read."""
        with suppress(NNFrameError):
            return load(self.path / "config.yaml").data
        return {}


def entries(root: Path) -> Iterator[Entry]:
    """Those in a folder, in those inside it and so on; what stands inside a run's or a sweep's folder is part of it.

    Links are followed, each folder is looked into once. Hidden folders, and those that cannot be read, are left out.
    """
    waiting, seen = [root], set()
    while waiting:
        folder = waiting.pop()
        with suppress(OSError):
            status = folder.stat()
            if (place := (status.st_dev, status.st_ino)) in seen:
                continue
            seen.add(place)
            with os.scandir(folder) as found:
                inside = list(found)
            entry = _entry(folder, {item.name for item in inside if item.is_file()})
            if entry is not None:
                yield entry
            else:
                waiting += [folder / item.name for item in inside if item.name[0] != "." and item.is_dir()]


def _entry(folder: Path, names: set[str]) -> Entry | None:
    """What a folder with these files is; None if it is neither a run nor a sweep."""
    if "run.json" not in names:
        return _unreadable(folder, "it has no run.json") if "config.yaml" in names and names & TRACES else None
    try:
        if (folder / "run.json").stat().st_size > TOO_LARGE:
            return _unreadable(folder, "run.json is too large")
        record = json.loads((folder / "run.json").read_bytes())
    except OSError as error:
        return _unreadable(folder, f"run.json: {error.strerror}")
    except (ValueError, RecursionError):
        return _unreadable(folder, "run.json is damaged")
    if not isinstance(record, dict) or not record.keys() >= OURS:
        return _unreadable(folder, "run.json is of something else") if "config.yaml" in names and names & TRACES else None
    try:
        return (_sweep if "trials" in record else _run)(folder, record)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError, OSError, csv.Error) as error:
        return _unreadable(folder, f"run.json is damaged: {error}")


def _unreadable(folder: Path, why: str) -> Entry:
    return Entry(folder, folder.parent.name or folder.name, "", "unreadable", _began(folder, {}), why=why)


def _run(folder: Path, record: Mapping[str, Any]) -> Entry:
    results, status = record.get("results") or {}, _status(folder, record)
    values = {name: float(value) for name, value in results.items() if name not in ("epochs", "kept_epoch")}
    done, total = results.get("epochs"), None
    if status in ("running", "interrupted"):
        done, total = _last_epoch(folder / "losses.csv"), _epochs(folder / "config.yaml")
    if type(done) not in (int, NoneType):
        raise TypeError(f"results.epochs is {shown(done)}")
    kind = "ensemble" if record.get("ensemble") else "run"
    return Entry(folder, str(record.get("name")), kind, status, _began(folder, record), done, total, values, "", record.get("seconds"))


def _sweep(folder: Path, record: Mapping[str, Any]) -> Entry:
    status, total, table = _status(folder, record), int(record["trials"]), folder / "trials.csv"
    done, values = total, {}
    if status != "finished":
        done = 0
        with suppress(OSError):
            done = max(table.read_bytes().count(b"\n") - 1, 0)
    with suppress(OSError, StopIteration):
        head, best = islice(_rows(folder / "summary.csv"), 2) if (folder / "summary.csv").is_file() else ([], [])
        if best:
            values = {_objective(table, record): float(dict(zip(head, best, strict=True))["mean"] or "nan")}
    return Entry(folder, str(record.get("name")), "sweep", status, _began(folder, record), done, total, values, "", record.get("seconds"))


def _status(folder: Path, record: Mapping[str, Any]) -> str:
    """How it ended; what says that it runs, and is nobody's, was killed."""
    said = str(record["status"])
    return "interrupted" if said == "running" and not files.is_owned(folder) else said


def _objective(table: Path, record: Mapping[str, Any]) -> str:
    """The column that a sweep ranks by."""
    objective = record["identity"]["sweep"]["objective"]
    metric = objective["metric"] or ("val_loss" if "val_loss" in next(_rows(table)) else "loss")
    return f"best_{metric}" if objective["at"] == "best" else str(metric)


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        yield from csv.reader(file)


def _last_epoch(path: Path) -> int:
    """Of a log that may be growing: the number in front of its last whole line."""
    try:
        with path.open("rb") as file:
            file.seek(-min(TAIL, path.stat().st_size), os.SEEK_END)
            *lines, _ = file.read().split(b"\n")
    except (OSError, ValueError):
        return 0
    first = lines[-1].partition(b",")[0] if lines else b""
    return int(first) if first.isdigit() else 0


def _epochs(path: Path) -> int | None:
    """How many a config wants, without reading all of it as YAML."""
    try:
        found = re.search(r"^train:.*?\bepochs: (\d+)", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    except (OSError, ValueError):
        return None
    return int(found[1]) if found else None


def _began(folder: Path, record: Mapping[str, Any]) -> float:
    """When it began, by what it says, by the name of its folder, or by the folder's last change."""
    for text, form in ((record.get("started"), None), (folder.name[:19], "%Y-%m-%d_%H-%M-%S")):
        with suppress(ValueError, TypeError, OverflowError):
            return (datetime.fromisoformat(text) if form is None else datetime.strptime(text, form)).timestamp()  # type: ignore[arg-type]
    with suppress(OSError):
        return folder.stat().st_mtime
    return 0.0
