"""The data that a sweep's trials are trained on: read once by each process, and the same from the first trial to the last."""

import json
from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from typing import Any

from nnframe.components.component import config_of
from nnframe.components.options import options
from nnframe.data.dataset import Dataset, array_hash
from nnframe.data.source import Source
from nnframe.data.sources.generators.base import Generator
from nnframe.errors import FileError, NNFrameError

SHARED = tuple(options(Source))  # what every source has: how its rows are split and transformed
UNREADABLE = "cannot be read"  # stands for the hash of a source that its trials fail with


class Changed(FileError):
    """Data that is not what it was when the sweep began. It ends the sweep: rows of both would tell nothing."""


class Sources:
    """Loads sources, each once, and compares what comes with `hashes` by name; a source that has none there is added."""

    def __init__(self, hashes: Mapping[str, str] | None = None) -> None:
        self.hashes = dict(hashes or {})
        self.loaded: dict[str, Dataset] = {}

    def load(self, source: Source) -> Dataset:
        """The rows of a source, before they are split and transformed. Raises Changed, and what `Source.load` does.

        Rows that are drawn for one run are neither kept nor compared: the config does not name them, and there may be thousands of sets.
        """
        if isinstance(source, Generator) and source.of_one_run:
            return source._rows()
        name = name_of(source)
        if name not in self.loaded:
            try:
                data = source._rows()
            except NNFrameError as error:
                self._compare(name, UNREADABLE, f" ({error})")
                raise
            self._compare(name, _hash(data))
            if isinstance(source, Generator):
                return data  # drawn again sooner than it would be missed
            self.loaded[name] = data
        return self.loaded[name]

    def _compare(self, name: str, found: str, why: str = "") -> None:
        was = self.hashes.setdefault(name, found)
        if was != found:
            told = f"its hash was {was[:16]}, and now {found[:16]}{why}"
            raise Changed(f"the data has changed since the sweep began: {name}: {told}; put back what it was")


def all_of(source: Source) -> Iterator[Source]:
    """A source, and its `validation` if that is one: what a search reads. Test data are for what it has chosen."""
    yield source
    if isinstance(source.validation, Source):
        yield source.validation


def name_of(source: Source) -> str:
    """What says which rows a source loads: its type and its own options, as far as they are given."""
    return config_text(source, [name for name in SHARED if name != "split" or not source.split.columns])


def config_text(source: Source, without: Collection[str] = ()) -> str:
    """The options of a source that are given, as text."""
    own = {key: value for key, value in config_of(source).items() if key not in without and value is not None}
    return json.dumps(own, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else str(value)


def _hash(data: Dataset) -> str:
    """SHA-256 of the numbers and names of some data."""
    numbers = array_hash(array for array in (data.x, data.y, data.weight) if array is not None)
    return sha256(json.dumps([numbers, data.inputs, data.targets, data.classes]).encode()).hexdigest()
