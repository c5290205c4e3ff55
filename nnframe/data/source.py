"""Where data comes from: the base of all data sources, and what they have in common."""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np

from nnframe.components.component import Component
from nnframe.components.markers import Range
from nnframe.components.names import nearest
from nnframe.data.dataset import Dataset, split
from nnframe.data.transforms.base import Transform
from nnframe.errors import DataError, FileError, UsageError
from nnframe.streams import generator

Part = Annotated[float, Range(above=0, below=1)]


@dataclass(frozen=True)
class Prepared:
    """Data ready to train on: split, and transformed by transforms that were fitted on the training part."""

    training: Dataset
    validation: Dataset | None
    transforms: tuple[Transform, ...]

    def inputs_of(self, row: Mapping[str, float]) -> np.ndarray:
        """One row of named inputs, transformed: (inputs,). Raises DataError for a missing or unknown name."""
        names = self.training.inputs
        for name in row:
            if name not in names:
                raise DataError(f"the data has no input {name!r}.{nearest(name, names)} Inputs: {', '.join(names)}.", path=name)
        if missing := [name for name in names if name not in row]:
            raise DataError(f"needs a value for the input {missing[0]!r}. Inputs: {', '.join(names)}.")
        x = np.array([row[name] for name in names], np.float64)[None]
        for transform in self.transforms:
            x = transform.apply(x)
        return x[0]


class Source(Component):
    """Base of all data sources: write `read`. Every source takes `transforms`, applied in their order, and `validation`: a
    fraction of the rows, drawn by stream "split", or a source of its own."""

    slot = "data source"

    def __init__(self, *, transforms: tuple[Transform, ...] = (), validation: "Part | Source | None" = None) -> None:
        self.transforms = transforms
        self.validation = validation

    def read(self) -> Dataset:
        """All rows, as they are. Raises FileError or DataError with file, line and column."""
        raise NotImplementedError

    def load(self) -> Dataset:
        """All rows, as they are. Raises UsageError where the options say more, which is for `prepare` to do."""
        left_out = [name for name in ("transforms", "validation") if getattr(self, name)]
        if left_out and type(self).load is Source.load:
            raise UsageError(
                f"load() gives the rows as they are, without {' and '.join(left_out)}; call prepare(seed)", path=type(self).__name__
            )
        return self.read()

    def _rows(self) -> Dataset:
        """What `read` gives, or `load` in a source that writes that."""
        return self.read() if type(self).load is Source.load else self.load()

    def prepare(self, seed: int, load: "Callable[[Source], Dataset] | None" = None) -> Prepared:
        """Read, split and transform. `load` stands in for `read` where rows are already at hand. Raises FileError or DataError."""
        load = load or Source._rows
        data, validation = load(self), None
        if isinstance(self.validation, Source):
            try:
                validation = load(self.validation)
            except (DataError, FileError) as error:
                raise error.within("validation") from None
            if validation.inputs != data.inputs or validation.x.shape[1:] != data.x.shape[1:]:
                raise DataError(f"expected inputs {', '.join(data.inputs)}, got {', '.join(validation.inputs)}", path="validation")
            if validation.classes != data.classes:
                raise DataError(
                    f"expected classes {', '.join(data.classes)}, got {', '.join(validation.classes)}; name them in `classes`",
                    path="validation",
                )
        elif self.validation is not None:
            kept, held = split(len(data.x), self.validation, generator(seed, "split"))
            data, validation = data.rows(kept), data.rows(held)
        transforms = deepcopy(self.transforms)
        for i, transform in enumerate(transforms):
            try:
                with np.errstate(all="ignore"):  # what is not finite is refused where it is trained on
                    transform.fit(data.x)
                    data = replace(data, x=transform.apply(data.x))
                    validation = None if validation is None else replace(validation, x=transform.apply(validation.x))
            except DataError as error:
                raise error.within(f"transforms.{i}") from None
        return Prepared(data, validation, transforms)


def regular_file(path: Path) -> Path:
    """`path`, if it is a file that can be read. Raises FileError if it is missing, a folder or a device."""
    try:
        if not path.exists():
            raise FileError(f"there is no file {path}{_instead(path)}")
        if not path.is_file():
            raise FileError(f"{path} is not a regular file")
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"cannot read {str(path)[:200]}: {getattr(error, 'strerror', None) or error}") from None
    return path


def _instead(path: Path) -> str:
    """What may have been meant by a path to nothing."""
    if re.search(r"(^|/)[a-z][a-z0-9+]+:/", path.as_posix()):
        return "; a config fetches nothing: download it, and write where it is"
    if "\\" in path.name:
        return "; write / between folders"
    if not path.parent.is_dir():
        return f"; there is no folder {path.parent}"
    entries = list(path.parent.iterdir())
    below = [f"{entry.name}/{path.name}" for entry in entries[:100] if entry.is_dir() and (entry / path.name).is_file()]
    return f". Did you mean {below[0]!r}?" if below else f".{nearest(path.name, [entry.name for entry in entries])}"
