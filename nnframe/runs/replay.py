"""The training of a run's folder once more, in memory, held against what the folder has: epoch by epoch, and then its weights."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nnframe.components import plugins
from nnframe.config.build import Job, build
from nnframe.config.reading import Document
from nnframe.errors import FileError, UsageError
from nnframe.layers.base import Layer
from nnframe.layers.weights import named
from nnframe.runs.folder import CONFIG, DATA, LOG, WEIGHTS, environment, hash_of, read_record, read_rows
from nnframe.system import npz
from nnframe.training.callbacks import BestWeights, State
from nnframe.training.checkpoint import differences
from nnframe.training.log import in_order, row_of

ENVIRONMENT = ("versions", "machine")  # keys of run.json: what the last digits may depend on besides config, data and plugins

Change = tuple[str, Any, Any]  # a dotted path, what was there, and what is now


@dataclass(frozen=True)
class Replayed:
    """What came of it: `compared` in words, the first `difference`, if there is one, and what else is not as it was."""

    compared: str
    difference: str
    changes: list[Change]


class _Enough(Exception):
    """The log that training is held against ends here, or says something else."""


class _Witness:
    """Holds every epoch against its row of a log, and ends training with the first that differs."""

    def __init__(self, rows: list[list[str]], whole: bool) -> None:
        """`whole`: did training end by itself after the last row? If not, nothing behind it can be compared."""
        (self.head, *self.rows), self.whole = rows, whole
        self.found = ""

    def on_epoch(self, state: State) -> None:
        columns = in_order(state.logs)
        if self.head != (head := ["epoch", "step", *columns]):
            self._end(f"{LOG} has the columns {', '.join(self.head)}, and now they are {', '.join(head)}")
        if state.epoch > len(self.rows):
            self._end(f"{LOG} ends after epoch {len(self.rows)}, and training now goes on")
        for name, was, now in zip(head, self.rows[state.epoch - 1], row_of(state, columns).split(","), strict=True):
            if was != now:
                self._end(f"epoch {state.epoch}: {name} was {was or 'empty'}, is {now or 'empty'}")
        if state.epoch == len(self.rows) and not self.whole:
            self._end("")

    def _end(self, found: str) -> None:
        self.found = found
        raise _Enough


class _Limit:
    """Ends training where the clock did."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_epoch(self, state: State) -> None:
        if state.epoch == self.epochs:
            state.stop()


def replay(folder: Path, document: Document, watch: Any) -> Replayed:
    """Train what a folder's config, `document`, describes, and compare. Nothing is written. `watch` makes further callbacks for a Job.

    Raises ConfigError where that cannot be trained, such as for data that are gone, and FileError where there is nothing to compare with.
    """
    record, rows = read_record(folder), list(read_rows(folder / LOG))
    if len(rows) < 2:
        raise UsageError(f"{folder}: {LOG} has no epoch to compare with")
    whole = record.get("status") in ("finished", "diverged")
    job = build(document, test=bool(_data(record).get("test_rows", True)))
    training, epochs = job.training, len(rows) - 1
    witness, others = _Witness(rows, whole), list(watch(job))
    limited = whole and training.train.max_seconds is not None
    training.train = replace(training.train, max_seconds=None)  # the clock is another one
    if limited:
        others.append(_Limit(epochs))
    try:
        training.run([witness, *others], warn=False)
        if training.done < epochs:
            witness.found = f"training now ends after epoch {training.done}, and {LOG} goes on to epoch {epochs}"
    except _Enough:
        pass
    finally:
        for watcher in others:
            getattr(watcher, "close", lambda: None)()
    told = [f"{epochs:,} epoch{'s' * (epochs != 1)}"]
    if limited and epochs < job.experiment.train.epochs:
        told[0] += f", as many as train.max_seconds left time for of {job.experiment.train.epochs:,}"
    elif not whole:
        told[0] += f" of {job.experiment.train.epochs:,}, since the run has not ended"
    found = witness.found
    for name, model in kept(job).items() if whole else ():
        told.append(name)
        found = found or weights_difference(model, folder / name)
    return Replayed(", ".join(told), found, list(changes(folder, record, job)))


def kept(job: Job) -> dict[str, Layer]:
    """The models whose weights a run's folder holds once it has been trained, by file."""
    models = {WEIGHTS: job.model}
    for callback in job.experiment.callbacks:
        if isinstance(callback, BestWeights) and callback.where != WEIGHTS:
            callback.restore(best := deepcopy(job.model))
            models[callback.where] = best
    return models


def weights_difference(model: Layer, path: Path) -> str:
    """The first number in which a file is not what a model has; nothing if there is none."""
    arrays = named(model)
    try:
        headers = npz.headers(path)
        if headers.keys() != arrays.keys():
            return f"{path.name} holds {', '.join(headers)}, and now they are {', '.join(arrays)}"
        found = npz.read(path, arrays)
    except FileError as error:
        return str(error)
    for name, now in arrays.items():
        was, now = np.atleast_1d(found[name], now)
        if (was.dtype, was.shape) != (now.dtype, now.shape):
            return f"{path.name}: {name} was {was.dtype} {was.shape}, is {now.dtype} {now.shape}"
        bits = f"u{now.itemsize}"
        if len(places := np.argwhere(np.ascontiguousarray(was).view(bits) != np.ascontiguousarray(now).view(bits))):
            place = tuple(places[0].tolist())
            told = f"{name}{list(place)} was {was[place]}, is {now[place]}"
            return f"{path.name}: {told}; {len(places):,} of its {now.size:,} numbers differ"
    return ""


def changes(folder: Path, record: dict[str, Any], job: Job) -> Iterator[Change]:
    """What is not as it was when the folder was made, of all that numbers may depend on."""
    if record:
        yield from differences_in(record, environment() | {"data": {"sha256": job.data_hash}})
    if (was := record.get("config_sha256")) and was != (now := hash_of(folder / CONFIG)):
        yield CONFIG, was, now
    if isinstance(resumed := record.get("resumed"), list) and resumed:
        yield "resumed", len(resumed), 0


def differences_in(was: dict[str, Any], now: dict[str, Any], keys: Sequence[str] = ENVIRONMENT) -> Iterator[Change]:
    """Where two records of runs differ, in these keys, in BLAS, in plugins, and in the data."""
    for key in keys:
        yield from differences(was.get(key, {}), now.get(key, {}), key)
    libraries, loaded = _blas(was), _blas(now)
    if not (libraries <= loaded or loaded <= libraries):  # SciPy's is loaded by those who need it
        yield "blas", ", ".join(sorted(libraries)), ", ".join(sorted(loaded))
    yield from differences(_plugins(was), _plugins(now), "plugins")
    before, after = (_data(record).get("sha256") for record in (was, now))
    if None not in (before, after):
        yield from differences(before, after, DATA)


def missing_plugins(record: dict[str, Any]) -> list[str]:
    """The plugins that a run had, as far as they are not loaded."""
    loaded = {plugin["sha256"] for plugin in plugins.LOADED}
    return [str(plugin.get("path") or plugin.get("plugin")) for plugin in _listed(record) if plugin.get("sha256") not in loaded]


def _blas(record: dict[str, Any]) -> set[str]:
    found = record.get("blas")
    keys = ("internal_api", "version", "architecture")
    return {" ".join(str(one.get(key)) for key in keys) for one in found if isinstance(one, dict)} if isinstance(found, list) else set()


def _plugins(record: dict[str, Any]) -> dict[str, Any]:
    return {Path(str(plugin.get("plugin"))).name: plugin.get("sha256") for plugin in _listed(record)}


def _listed(record: dict[str, Any]) -> list[dict[str, Any]]:
    found = record.get("plugins")
    return [plugin for plugin in found if isinstance(plugin, dict)] if isinstance(found, list) else []


def _data(record: dict[str, Any]) -> dict[str, Any]:
    found = record.get("data")
    return found if isinstance(found, dict) else {}
