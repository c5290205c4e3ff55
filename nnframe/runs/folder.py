"""A run's folder: plain files that can be copied, read by anything, and run again."""

import csv
import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from nnframe import __version__
from nnframe.components import plugins
from nnframe.config.build import Job
from nnframe.config.reading import dump
from nnframe.data.pipeline import Pipeline
from nnframe.data.source import PreparedData, regular_file
from nnframe.errors import FileError, printable
from nnframe.layers.weights import save_weights
from nnframe.system import blas, files
from nnframe.training.callbacks import BestWeights, State
from nnframe.training.history import History

CONFIG, LOG, WEIGHTS = "config.yaml", "losses.csv", "weights.npz"
DATA = "the data's hash"  # a key of an identity


class RunFolder:
    """The folder of one run: `config.yaml` (resolved, runnable), `losses.csv`, `timing.csv`, `checkpoint.npz`, `weights.npz`, `run.json`.

    It watches the training: config.yaml and run.json are written when that begins.
    """

    def __init__(self, job: Job, folder: Path, record: dict[str, Any], known: dict[str, Any] | None = None) -> None:
        """`record`: run.json of what goes on here. `known`: what else is to stand there, the environment unless given."""
        earlier = record.get("resumed")
        earlier = earlier if isinstance(earlier, list) else []
        self.job, self.folder, self.begun = job, folder, False
        self.config = dump(job.resolved)
        self.record: dict[str, Any] = {
            "name": job.experiment.name,
            "status": "running",
            "started": record.get("started") or _now(),
            "resumed": [*earlier, _now()] if record else [],
            "seconds": None,
            "seed": job.experiment.seed,
            **({"ensemble": job.experiment.ensemble} if job.experiment.ensemble else {}),
            "config_sha256": sha256(self.config.encode()).hexdigest(),
            "data": {"sha256": job.data_hash} | data_record(job.data),
            "parameters": job.model.params.shape[-1],  # of one network
        } | (environment() if known is None else known)

    @classmethod
    def new(cls, job: Job, out: Path) -> "RunFolder":
        """Make the folder, `<out>/<name>/<date-time>-<hash of config and data>`. Raises FileError if that cannot be done."""
        return cls(job, make_folder(out / job.experiment.name, [job.resolved, job.data_hash]), {})

    def changed(self) -> bool:
        """Is the config another one than the folder's?"""
        try:
            return (self.folder / CONFIG).read_text(encoding="utf-8") != self.config
        except OSError:
            return True

    def on_begin(self, state: State) -> None:
        files.write(self.folder / CONFIG, self.config.encode())
        self._save()
        self.begun = True

    def on_epoch(self, state: State) -> None:
        pass

    def finish(self, status: str, results: dict[str, Any], intervals: Mapping[str, Any] | None = None) -> None:
        """Write the weights and how it ended; 95 % intervals of results on the test part."""
        save_weights(self.job.model, self.folder / WEIGHTS)
        for callback in self.job.experiment.callbacks:
            if isinstance(callback, BestWeights) and callback.where == "best.npz":
                best = deepcopy(self.job.model)
                callback.restore(best)
                save_weights(best, self.folder / "best.npz")
        if intervals:
            self.record["test_intervals"] = {name: [as_json(end) for end in ends] for name, ends in intervals.items()}
        self.ended(status, results)

    def leave(self, lines: Iterable[str], status: str, results: dict[str, Any]) -> None:
        """Write all that a run leaves which has been trained elsewhere, with these lines of its log; run.json last."""
        files.write(self.folder / CONFIG, self.config.encode())
        files.write(self.folder / LOG, "".join(f"{line}\n" for line in lines).encode())
        self.begun = True
        self.finish(status, results)

    def ended(self, status: str, results: dict[str, Any]) -> None:
        """Write how it ended, if it began."""
        if self.begun:
            told = {name: as_json(value) for name, value in results.items()}
            self.record |= {"status": status, "seconds": round(self.job.training.elapsed(), 3), "results": told}
            self._save()

    def close(self) -> None:
        pass

    def _save(self) -> None:
        write_record(self.folder, self.record)


def data_record(data: PreparedData) -> dict[str, Any]:
    """What run.json says of the data beside their hash: what it takes to make other rows into inputs, and outputs into answers."""
    return {
        "rows": len(data.training.x),
        "validation_rows": 0 if data.validation is None else len(data.validation.x),
        "test_rows": 0 if data.test is None else len(data.test.x),
        "inputs": list(data.training.inputs),
        "targets": list(data.training.targets),
        "classes": list(data.training.classes),
    } | Pipeline.of(data).record()


def results_of(history: History, run: tuple[int, ...] = ()) -> dict[str, Any]:
    """How one network's training ended, of a stack that of one run: epochs, and the log's row of the epoch whose weights are kept."""
    epochs, kept = int(history.epochs[run]), int(history.kept[run])
    return {"epochs": epochs, "kept_epoch": kept} | {name: float(values[(kept - 1, *run)]) for name, values in history.items()}


def config_in(folder: Path) -> Path:
    """The config in the folder of a run or a sweep. Raises FileError where there is none."""
    path = folder / CONFIG
    if not path.is_file():
        inside = sorted((path.parent for path in folder.glob(f"*/*/{CONFIG}")), key=lambda path: path.name)
        newest = f"; it holds runs, of which {inside[-1]} is the newest" if inside else ""
        raise FileError(f"{folder} is the folder of no run and of no sweep: it has no {CONFIG}{newest}")
    return path


def as_json(value: Any) -> Any:
    """A number as JSON can hold it."""
    return value if np.isfinite(value) else str(value)


def read_record(folder: Path) -> dict[str, Any]:
    """What run.json says, as far as it can be read; keys without a value are left out."""
    try:
        record = json.loads(regular_file(folder / "run.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return {key: value for key, value in record.items() if value is not None} if isinstance(record, dict) else {}


def read_rows(path: Path) -> Iterator[list[str]]:
    """The rows of a table, its head first; none of a last line that is not whole yet.

    Raises FileError if there is no such table, or a row has not as many cells as the head.
    """
    try:
        with regular_file(path).open(encoding="utf-8", newline="") as file:
            rows = csv.reader(line for line in file if line.endswith(("\n", "\r")))
            if not (head := next(rows, [])):
                raise FileError(f"{path} is empty; expected a line of columns")
            yield head
            for row in rows:
                if len(row) != len(head):
                    raise FileError(f"{path}:{rows.line_num}: expected {len(head)} cells, as in the first line, got {len(row)}")
                yield row
    except FileError:
        raise
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write run.json. Raises FileError."""
    files.write(folder / "run.json", (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode(errors="backslashreplace"))


def environment() -> dict[str, Any]:
    """What numbers and times depend on besides the config."""
    machine = {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count(), "host": platform.node()}
    known = {"versions": versions(), "blas": blas.info(), "machine": machine, "plugins": plugins.LOADED}
    return known | {"git_commit": git_commit(), "command": sys.argv}


def identity(config: dict[str, Any], data: Any) -> dict[str, Any]:
    """Plain data that says what is trained on what, for a complete config and the hash of its data, or hashes."""
    known = {Path(plugin["plugin"]).name: plugin["sha256"] for plugin in plugins.LOADED}
    begun = {} if config.get("weights") is None else {"the weights' hash": hash_of(Path(config["weights"]["folder"]) / WEIGHTS)}
    return config | {DATA: data, "plugins": known} | begun


def hash_of(path: Path) -> str:
    """Of a file, nothing if there is none."""
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def resume_command(folder: Path, plugin_names: Sequence[str]) -> str:
    """What a person types to go on with the run or sweep of a folder."""
    return printable(shlex.join(["python", "-m", "nnframe.run", "--resume", str(folder), *(f"--plugin={name}" for name in plugin_names)]))


def _now() -> str:
    return datetime.now().astimezone().isoformat(timespec="seconds")


def make_folder(parent: Path, identity: Any) -> Path:
    """A new folder, `<parent>/<date-time>-<hash of identity>`; `mkdir` is atomic, so two runs never share one.

    Raises FileError if it cannot be made.
    """
    digest = sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:8]
    stem = f"{datetime.now():%Y-%m-%d_%H-%M-%S}-{digest}"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for number in range(1, 1000):
            folder = parent / (stem if number == 1 else f"{stem}-{number}")
            try:
                folder.mkdir()
                return folder
            except FileExistsError:
                continue
    except OSError as error:
        raise FileError(f"cannot make a folder in {parent}: {error.strerror}; choose another place with --out") from None
    raise FileError(f"{parent} holds 1000 runs of this second")


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    found = {"nnframe": __version__, "python": platform.python_version()}
    for name in ("numpy", "scipy", "pyyaml", "threadpoolctl"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """The commit of the repository that the current folder is in, if it is in one."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
