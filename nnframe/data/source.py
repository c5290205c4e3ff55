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
from nnframe.components.options import field
from nnframe.data.dataset import Dataset, split
from nnframe.data.transforms.base import Transform
from nnframe.errors import DataError, FileError, UsageError
from nnframe.streams import generator

Part = Annotated[float, Range(above=0, below=1)]
SplitSeed = Annotated[int, Range(min=0, max=2**63 - 1)]
BESIDES = ("transforms", "validation", "test", "split_seed")  # options that the data that are trained on have for all parts


@dataclass(eq=False, repr=False)
class PreparedData:
    """Data ready to train on: split, and transformed by transforms that were fitted on the training part."""

    training: Dataset
    validation: Dataset | None
    transforms: tuple[Transform, ...]
    test: Dataset | None = None  # unless it was left alone

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
    """Base of all data sources: write `read`. Every source takes `transforms`, applied in their order, `validation` and `test`.

    Each of these two is a fraction of the rows or a source of its own: `test` of all rows, drawn by stream "test split", `validation` of
    those that are left, drawn by stream "split", with `split_seed` or else the run's seed. Test rows are for what has been chosen.
    """

    slot = "data source"

    transforms: tuple[Transform, ...] = field(default=(), kw_only=True)
    validation: "Part | Source | None" = field(default=None, kw_only=True)
    test: "Part | Source | None" = field(default=None, kw_only=True)
    split_seed: SplitSeed | None = field(default=None, kw_only=True)

    @property
    def split_varies(self) -> bool:
        """Does the seed of a run draw which rows it trains on?"""
        return self.split_seed is None and any(isinstance(part, float) for part in (self.validation, self.test))

    def read(self) -> Dataset:
        """All rows, as they are. Raises FileError or DataError with file, line and column."""
        raise NotImplementedError

    def load(self) -> Dataset:
        """All rows, as they are. Raises UsageError where the options say more, which is for `prepare` to do."""
        left_out = [name for name in BESIDES if getattr(self, name) not in (None, ())]
        if left_out and type(self).load is Source.load:
            raise UsageError(
                f"load() gives the rows as they are, without {' and '.join(left_out)}; call prepare(seed)", path=type(self).__name__
            )
        return self.read()

    def _rows(self) -> Dataset:
        """What `read` gives, or `load` in a source that writes that."""
        return self.read() if type(self).load is Source.load else self.load()

    def prepare(self, seed: int, load: "Callable[[Source], Dataset] | None" = None, *, test: bool = False) -> PreparedData:
        """Read, split and transform; the test part only if `test` asks for it, otherwise its rows are left out and its source is not read.

        `load` stands in for `read` where rows are already at hand. Raises FileError or DataError.
        """
        load, seed = load or Source._rows, seed if self.split_seed is None else self.split_seed
        data = load(self)
        held: dict[str, Dataset] = {}
        for name, part, stream in (("test", self.test, "test split"), ("validation", self.validation, "split")):
            if isinstance(part, float):
                kept, out = split(len(data.x), part, generator(seed, stream), name)
                data, held[name] = data.rows(kept), data.rows(out)
            elif part is not None:
                if given := [option for option in BESIDES if getattr(part, option) not in (None, ())]:
                    raise DataError("is of the data that are trained on: write it there, and leave it out here", path=f"{name}.{given[0]}")
                try:
                    if name == "validation" or test:
                        held[name] = _like(data, load(part))
                    elif isinstance(path := getattr(part, "path", None), Path):
                        regular_file(path)  # that it is missing is found out now, and not when all has been trained
                except (DataError, FileError) as error:
                    raise error.within(name) from None
        if not test:
            held.pop("test", None)
        transforms = deepcopy(self.transforms)
        for i, transform in enumerate(transforms):
            try:
                with np.errstate(all="ignore"):  # what is not finite is refused where it is trained on
                    transform.fit(data.x)
                    data = replace(data, x=transform.apply(data.x))
                    held = {name: replace(part, x=transform.apply(part.x)) for name, part in held.items()}
            except DataError as error:
                raise error.within(f"transforms.{i}") from None
        return PreparedData(data, held.get("validation"), transforms, held.get("test"))


def _like(data: Dataset, other: Dataset) -> Dataset:
    """`other`, if it has the inputs and classes of `data`. Raises DataError."""
    if other.inputs != data.inputs or other.x.shape[1:] != data.x.shape[1:]:
        raise DataError(f"expected inputs {', '.join(data.inputs)}, got {', '.join(other.inputs)}")
    if other.classes != data.classes:
        raise DataError(f"expected classes {', '.join(data.classes)}, got {', '.join(other.classes)}; name them in `classes`")
    return other


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
