"""Checkpoints: all that a training needs to go on, in one file that is whole at any instant. The last two are kept.

What stands in a checkpoint is a dict of arrays by name; this module knows nothing of models or optimizers.
"""

import json
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from nnframe import files, npz
from nnframe.component import Positive, Size
from nnframe.errors import FileError, OptionError
from nnframe.training import signals

Arrays = dict[str, np.ndarray]
FREE = ("name", "data", "train.max_seconds", "train.checkpoint", "log", "predict")  # keys that do not change what is trained on what


@dataclass(frozen=True)
class Every:
    """How often to write a checkpoint: after so many seconds, at the end of every so many epochs, or whichever comes first.

    One is always written before training, after it, and when a signal ends it.
    """

    seconds: Positive | None = None
    epochs: Size | None = None


class CheckpointWarning(UserWarning):
    """A checkpoint was damaged, and the one before it was used."""


class Checkpoints:
    """The checkpoints of one training, `checkpoint.npz` and the one before it, in a folder that this process owns."""

    def __init__(self, folder: Path, every: Every, config: Any) -> None:
        """`config`: plain data that says what is trained; only a training of the same config goes on from a checkpoint."""
        self.path, self.before = folder / "checkpoint.npz", folder / "checkpoint.before.npz"
        self.every, self.config = every, config
        self.due = monotonic()  # when the next one is to be written; 0 as soon as possible
        self.signal: int | None = None  # that has come, and ends training
        self.was: Any = None  # the config of the checkpoint that was loaded

    def save(self, arrays: Mapping[str, Any]) -> None:
        """Write the next checkpoint. Raises FileError, with the last one intact, if that fails."""
        config = np.frombuffer(_json(self.config).encode(), np.uint8)
        part = files.stage(self.path, data := npz.pack({**arrays, "config": config}))
        try:
            with suppress(FileNotFoundError):
                os.replace(self.path, self.before)
            os.replace(part, self.path)
            files.sync(self.path.parent)
        except OSError as error:
            raise files.unwritten(self.path, error, len(data), part) from None
        self.due = monotonic() + (self.every.seconds or float("inf"))

    def load(self, expected: Mapping[str, Any]) -> Arrays | None:
        """The newest checkpoint that is intact, None if there is none at all.

        Names under the same heads as in `expected` (`model/`, ...) must be the same there, with shapes and dtypes. Raises
        FileError for files that are damaged or of something else, OptionError with the differences for another config.
        """
        damaged = ""
        for path in (self.path, self.before):
            if not path.exists():
                continue
            try:
                arrays = _read(path, expected)
            except FileError as error:
                damaged = damaged or str(error)
                continue
            if damaged:
                warnings.warn(f"{damaged}; going on from {path.name}, the one before it", CheckpointWarning, stacklevel=4)
                self.path.unlink()  # or it would take the good one's place
            self._compare(json.loads(bytes(arrays.pop("config"))), path)
            return arrays
        if damaged:
            raise FileError(f"{damaged}; there is no other to go on from")
        return None

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Within it, a signal makes a checkpoint due and is kept in `signal`."""

        def note(number: int) -> None:
            self.signal, self.due = number, 0.0

        with signals.caught(note):
            yield

    def _compare(self, was: Any, path: Path) -> None:
        now = json.loads(_json(self.config))
        self.was = was
        if changes := [change for change in _changes(was, now) if _matters(*change)]:
            told = "; ".join(f"{key or 'config'}: {_shown(old)} before, {_shown(new)} now" for key, old, new in changes[:10])
            more = f"; and {len(changes) - 10} more" if len(changes) > 10 else ""
            raise OptionError(
                f"{path} is of another config: {told}{more}. Only train.epochs may grow; train it anew, or take the change back"
            )


def _read(path: Path, expected: Mapping[str, Any]) -> Arrays:
    """Raises FileError unless every byte is as it was written, and what stands there is what is expected."""
    try:
        intact = npz.intact(path)
    except (OSError, MemoryError) as error:
        raise FileError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    if not intact:
        raise FileError(f"{path} is damaged")
    found, heads = npz.headers(path), {name.split("/")[0] for name in expected}
    for name in found.keys() | expected.keys():
        if name not in expected and name.split("/")[0] not in heads:
            continue
        wanted = (np.shape(expected[name]), np.asarray(expected[name]).dtype) if name in expected else None
        if found.get(name) != wanted:
            told = ["nothing" if header is None else f"{header[1]} {header[0]}" for header in (wanted, found.get(name))]
            raise FileError(f"{path} is of another training: {name}: expected {told[0]}, got {told[1]}")
    if "config" not in found:
        raise FileError(f"{path} is no checkpoint")
    return npz.read(path, found)


def _changes(was: Any, now: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(dotted path, before, now) of every difference between two configs."""
    if isinstance(was, dict) and isinstance(now, dict):
        pairs = {key: (was.get(key, ...), now.get(key, ...)) for key in [*was, *now]}
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        pairs = {str(i): pair for i, pair in enumerate(zip(was, now, strict=True))}
    else:
        if was != now or type(was) is not type(now):
            yield path, was, now
        return
    for key, (old, new) in pairs.items():
        yield from _changes(old, new, f"{path}.{key}" if path else key)


def _matters(path: str, was: Any, now: Any) -> bool:
    if path == "train.epochs":
        return not (isinstance(now, int) and now > was)
    return not any(path == free or path.startswith(f"{free}.") for free in FREE)


def _shown(value: Any) -> str:
    text = "nothing" if value is ... else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _json(config: Any) -> str:
    return json.dumps(config, ensure_ascii=False)
