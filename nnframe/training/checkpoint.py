"""Checkpoints: all that a training needs to go on, in one file that is whole at any instant. The last two are kept.

What stands in a checkpoint are parts with arrays by name; this module knows nothing of models or optimizers.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from nnframe.components.markers import Positive, Size
from nnframe.errors import FileError, OptionError, join
from nnframe.system import blas, files, npz, signals
from nnframe.system.warn import warn

Parts = Mapping[str, Mapping[str, Any]]  # arrays by the name of a part, such as "optimizer", and their own
Headers = dict[str, npz.Header]
CONFIG, ARITHMETIC = "checkpoint/config", "checkpoint/arithmetic"  # texts that a checkpoint holds beside its parts
FREE = (
    "name",
    "data",
    "weights.folder",
    "train.max_seconds",
    "train.checkpoint",
    "log",
    "predict",
)  # keys that do not change what is trained on what


@dataclass(frozen=True)
class Every:
    """How often to write a checkpoint: after so many seconds, at the end of every so many epochs, or whichever comes first.

    One is always written before training, after it, and when a signal ends it.
    """

    seconds: Positive | None = None
    epochs: Size | None = None


class CheckpointWarning(UserWarning):
    """Training goes on from a checkpoint, but not quite as it would have gone without an interruption."""


class Checkpoints:
    """The checkpoints of one training, `checkpoint.npz` and the one before it, in a folder that this process owns."""

    def __init__(self, folder: Path, every: Every, config: Any) -> None:
        """`config`: plain data that says what is trained; only a training of the same config goes on from a checkpoint."""
        self.path, self.before = folder / "checkpoint.npz", folder / "checkpoint.before.npz"
        self.every, self.config = every, config
        self.due = 0.0  # when the next one is to be written, by the monotonic clock; 0 as soon as possible
        self.signal: int | None = None  # that has come, and ends training
        self.was: Any = None  # the config of the checkpoint that was loaded
        self._damaged = False  # is the file at `path`?

    def save(self, parts: Parts) -> None:
        """Write the next checkpoint. Raises FileError, with the last good one intact, if that fails."""
        arrays = {f"{head}/{name}": array for head, part in parts.items() for name, array in part.items()}
        texts = {CONFIG: _json(self.config), ARITHMETIC: blas.arithmetic()}
        data = npz.pack(arrays | {name: np.frombuffer(text.encode(), np.uint8) for name, text in texts.items()})
        part = files.stage(self.path, data)
        try:
            if not self._damaged:
                with suppress(FileNotFoundError):
                    os.replace(self.path, self.before)
            os.replace(part, self.path)
            files.sync(self.path.parent)
        except OSError as error:
            raise files.unwritten(Path(error.filename2 or self.path), error, len(data), part) from None
        self._damaged = False
        self._wait()

    def load(self, expected: Parts) -> dict[str, dict[str, np.ndarray]] | None:
        """The newest checkpoint that is intact, None if there is none at all.

        The parts that are `expected` must have the same names there, with shapes and dtypes. Nothing is changed. Raises
        FileError for files that are damaged or of something else, OptionError with the differences for another config.
        """
        damaged = ""
        for path in filter(Path.exists, (self.path, self.before)):
            try:
                headers = _headers(path)
            except FileError as error:
                damaged = damaged or str(error)
                continue
            self._compare(path, headers, expected)
            arrays = npz.read(path, list(headers))
            arrays.pop(CONFIG)
            if damaged:
                warn(f"{damaged}; going on from {path.name}, the one before it", CheckpointWarning)
                self._damaged = True
            if (was := bytes(arrays.pop(ARITHMETIC)).decode()) != (now := blas.arithmetic()):
                told = "numbers from here on may differ in their last digits from those of a training without an interruption"
                warn(f"{path} was written with {was}, and this is {now}: {told}", CheckpointWarning)
            self._wait()
            parts: dict[str, dict[str, np.ndarray]] = {}
            for full_name, array in arrays.items():
                head, _, name = full_name.partition("/")
                parts.setdefault(head, {})[name] = array
            return parts
        if damaged:
            raise FileError(f"{damaged}; there is no other to go on from")
        return None

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Within it, a signal ends training after a checkpoint."""
        with signals.caught(self.interrupt):
            yield

    def interrupt(self, number: int) -> None:
        """Have training end after a checkpoint, as by this signal."""
        self.signal, self.due = number, 0.0

    def _wait(self) -> None:
        self.due = monotonic() + (self.every.seconds or float("inf"))
        if self.signal is not None:  # it may have come at any instant
            self.due = 0.0

    def _compare(self, path: Path, headers: Headers, expected: Parts) -> None:
        """Is it of the same training? The config is told first: most differences of shapes come from there."""
        self.was, now = json.loads(bytes(npz.read(path, [CONFIG])[CONFIG])), json.loads(_json(self.config))
        if changes := [change for change in differences(self.was, now) if _matters(*change)]:
            mend = "Only train.epochs may grow; train it anew, or take the change back"
            raise OptionError(f"{path} is of another config: {describe_changes(changes)}. {mend}")
        wanted = {f"{head}/{name}": (np.shape(a), np.asarray(a).dtype) for head, part in expected.items() for name, a in part.items()}
        found = {name: header for name, header in headers.items() if name.partition("/")[0] in expected}
        for name in wanted | found:
            if wanted.get(name) != found.get(name):
                wants, got = (f"{header[1]} {header[0]}" if header else "nothing" for header in (wanted.get(name), found.get(name)))
                raise FileError(f"{path} is of another training: {name}: expected {wants}, got {got}")


def _headers(path: Path) -> Headers:
    """Of all arrays. Raises FileError unless every byte is as it was written."""
    try:
        intact = npz.intact(path)
    except (OSError, MemoryError) as error:
        raise FileError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    if not intact:
        raise FileError(f"{path} is damaged")
    headers = npz.headers(path)
    if not {CONFIG, ARITHMETIC} <= headers.keys():
        raise FileError(f"{path} is no checkpoint")
    return headers


def differences(was: Any, now: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
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
        yield from differences(old, new, join(path, key))


def describe_changes(changes: Sequence[tuple[str, Any, Any]]) -> str:
    """Differences in words, the first of them."""
    more = f"; and {len(changes) - 10} more" if len(changes) > 10 else ""
    return "; ".join(f"{key or 'config'}: {_shown(old)} before, {_shown(new)} now" for key, old, new in changes[:10]) + more


def _matters(path: str, was: Any, now: Any) -> bool:
    if path == "train.epochs":
        return not (isinstance(now, int) and now > was)
    return not any(path == free or path.startswith(f"{free}.") for free in FREE)


def _shown(value: Any) -> str:
    text = "nothing" if value is ... else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _json(config: Any) -> str:
    return json.dumps(config, ensure_ascii=False, default=_named)


def _named(value: Any) -> Any:
    """What stands for an option that no YAML could hold: the numbers of an array, the name of a function."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return f"{type(value).__name__} {getattr(value, '__qualname__', '')}".rstrip()
