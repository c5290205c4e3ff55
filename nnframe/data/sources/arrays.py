"""Data from NumPy's npz and npy files."""

from collections.abc import Mapping
from dataclasses import KW_ONLY
from pathlib import Path
from typing import Any

import numpy as np

from nnframe.components.arrays import as_numbers
from nnframe.components.component import register
from nnframe.components.names import nearest
from nnframe.data.dataset import Dataset
from nnframe.data.mapped import Mapped
from nnframe.data.source import Source, regular_file
from nnframe.errors import DataError, FileError
from nnframe.system import npz

LARGE = 2**28  # bytes of x from which rows stay in the file


@register
class Arrays(Source):
    """Arrays of an npz file by name: inputs `x` (rows, ...), targets `y` and, if named, `weight` (rows,).

    Integer targets (rows,) are classes, numbers (rows,) a column; NaN in x is a missing value. An x of more than 256 MiB that is not
    compressed stays in the file, and is read row by row. Nothing in the file is unpickled.
    """

    suffixes = (".npz",)

    path: Path
    _: KW_ONLY
    x: str = "x"
    y: str = "y"
    weight: str | None = None

    def read(self) -> Dataset:
        names = {"x": self.x, "y": self.y} | ({"weight": self.weight} if self.weight else {})
        try:
            held = npz.headers(regular_file(self.path))
            for option, name in names.items():
                if name not in held:
                    raise DataError(f"{self.path} has no array {name!r}.{nearest(name, held)} Arrays: {', '.join(held)}.", path=option)
            _same_rows(self.path, {name: held[name][0] for name in names.values()}, self.x)
            shape, dtype = held[self.x]
            large = dtype.itemsize * np.prod(shape, dtype=float) > LARGE and dtype.kind in "fiub"
            place = npz.stored(self.path, self.x) if large else None
            read = npz.read(self.path, {name for name in names.values() if place is None or name != self.x})
        except FileError as error:
            raise error.within("path") from None
        found: dict[str, Any] = {option: read[name] for option, name in names.items() if name in read}
        if place is not None:
            found["x"] = Mapped.of(place.mapped(), self.path)
        return _dataset(found, {option: (self.path, name) for option, name in names.items()})


@register
class NPY(Source):
    """Inputs x (rows, ...) from one npy file, targets `y` from another and, if given, `weight` (rows,) from a third.

    Integer targets (rows,) are classes, numbers (rows,) a column; NaN in x is a missing value. With `mapped`, unless given for an x of more
    than 256 MiB, x stays in its file, and is read row by row.
    """

    suffixes = (".npy",)

    path: Path
    _: KW_ONLY
    y: Path
    weight: Path | None = None
    mapped: bool | None = None

    def read(self) -> Dataset:
        paths = {"path": self.path, "y": self.y} | ({} if self.weight is None else {"weight": self.weight})
        places = {}
        for option, path in paths.items():
            try:
                places[option] = npz.npy(regular_file(path))
            except FileError as error:
                raise error.within(option) from None
        _same_rows(self.path, {paths[option].name: place.shape for option, place in places.items()}, self.path.name)
        x = places.pop("path")
        try:
            mapped = x.nbytes > LARGE if self.mapped is None else self.mapped
            found: dict[str, Any] = {"x": Mapped.of(x.mapped(), self.path) if mapped and x.dtype.kind in "fiub" else x.read()}
            found |= {option: place.read() for option, place in places.items()}
        except FileError as error:
            raise error.within("path") from None
        return _dataset(found, {("x" if option == "path" else option): (path, path.stem) for option, path in paths.items()})


def _same_rows(path: Path, shapes: Mapping[str, tuple[int, ...]], x: str) -> None:
    """Raise DataError if arrays by name have no rows, or not as many of them as the others."""
    if any(not shape for shape in shapes.values()) or len({shape[0] for shape in shapes.values()}) > 1 or 0 in shapes[x]:
        said = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise DataError(f"{path}: expected x (rows, ...), and as many rows of everything, got {said}")


def _dataset(found: dict[str, Any], named: Mapping[str, tuple[Path, str]]) -> Dataset:
    """x, y and weight as a data set; `named` has the file and name of each. Raises DataError."""
    for option, array in found.items():
        path, name = named[option]
        if isinstance(array, Mapped):
            continue  # that all is finite is asked where rows are gone through anyway
        try:
            found[option] = as_numbers(array, option)
        except DataError as error:
            raise DataError(f"{path}: {error.message}", path=option) from None
        wrong = np.isinf(array) if option == "x" else ~np.isfinite(array)  # what is missing in x may be filled
        if wrong.any():
            at = np.argwhere(wrong)[0].tolist()
            raise DataError(f"{path}: expected finite numbers in {name!r}, got {array[tuple(at)]} at {at}", path=option)
    x, y, weight = found["x"], found["y"], found.get("weight")
    if x.ndim < 2:
        path, name = named["x"]
        raise DataError(f"{path}: expected x (rows, ...), got {name} {x.shape}", path="x")
    path, name = named["y"]
    inputs = tuple(map(str, range(x.shape[1]))) if x.ndim == 2 else ()  # they have no names but their numbers
    if y.dtype.kind in "iu" and y.ndim == 1:
        if y.min() < 0:
            raise DataError(f"{path}: expected classes from 0 in {name!r}, got {y.min()}", path="y")
        classes = tuple(map(str, range(int(y.max()) + 1))) if y.max() < 10_000 else ()
        return Dataset(x, y.astype(np.int64), weight, inputs, (name,), classes)
    return Dataset(x, y if y.ndim > 1 else y[:, None], weight, inputs, (name,))
