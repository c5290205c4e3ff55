"""Data from NumPy's npz files."""

from dataclasses import KW_ONLY
from pathlib import Path

import numpy as np

from nnframe.components.arrays import as_numbers
from nnframe.components.component import register
from nnframe.components.names import nearest
from nnframe.data.dataset import Dataset
from nnframe.data.source import Source, regular_file
from nnframe.errors import DataError, FileError
from nnframe.system import npz


@register
class Arrays(Source):
    """Arrays of an npz file by name: inputs `x` (rows, ...), targets `y` and, if named, `weight` (rows,).

    Integer targets (rows,) are classes, numbers (rows,) a column. Nothing in the file is unpickled.
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
            shapes = {option: held[name][0] for option, name in names.items()}
            if any(not shape for shape in shapes.values()) or len({shape[0] for shape in shapes.values()}) > 1 or 0 in shapes["x"]:
                said = ", ".join(f"{names[option]} {shape}" for option, shape in shapes.items())
                raise DataError(f"{self.path}: expected x (rows, ...), and as many rows of everything, got {said}")
            read = npz.read(self.path, set(names.values()))
            found = {option: read[name] for option, name in names.items()}
        except FileError as error:
            raise error.within("path") from None
        for option, array in found.items():
            try:
                found[option] = as_numbers(array, option)
            except DataError as error:
                raise DataError(f"{self.path}: {error.message}", path=option) from None
            if not np.isfinite(array).all():
                at = np.argwhere(~np.isfinite(array))[0].tolist()
                raise DataError(f"{self.path}: expected finite numbers in {names[option]!r}, got {array[tuple(at)]} at {at}", path=option)
        x, y, weight = found["x"], found["y"], found.get("weight")
        if x.ndim < 2:
            raise DataError(f"{self.path}: expected x (rows, ...), got {self.x} {x.shape}", path="x")
        if y.dtype.kind in "iu" and y.ndim == 1:
            if y.min() < 0:
                raise DataError(f"{self.path}: expected classes from 0 in {self.y!r}, got {y.min()}", path="y")
            classes = tuple(map(str, range(int(y.max()) + 1))) if y.max() < 10_000 else ()
            return Dataset(x, y.astype(np.int64), weight, _numbered(x), (self.y,), classes)
        return Dataset(x, y if y.ndim > 1 else y[:, None], weight, _numbered(x), (self.y,))


def _numbered(x: np.ndarray) -> tuple[str, ...]:
    """Inputs of arrays have no names but their numbers."""
    return tuple(map(str, range(x.shape[1]))) if x.ndim == 2 else ()
