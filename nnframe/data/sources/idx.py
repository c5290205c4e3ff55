"""Data from IDX files, as MNIST and its kin come."""

from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from nnframe.components.component import register
from nnframe.components.options import field
from nnframe.data.dataset import Dataset
from nnframe.data.source import Source, regular_file
from nnframe.data.sources.images import laid_out
from nnframe.errors import DataError, FileError
from nnframe.system.npz import LARGE, memory


@register
class IDX(Source):
    """Images and their labels from two IDX files, packed (.gz) or not, as MNIST has them: x (rows, pixels) from 0 to 1, or with `image`
    (rows, height, width, 1); y the labels as classes from 0.

    Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits" (1998).
    """

    suffixes = ("ubyte", "ubyte.gz", ".idx", ".idx.gz")

    images: Path
    labels: Path
    image: bool = field(default=False, kw_only=True)

    def read(self) -> Dataset:
        found = {}
        for option, path, axes in (("images", self.images, 3), ("labels", self.labels, 1)):
            try:
                found[option] = _bytes_of(regular_file(path), axes)
            except (DataError, FileError) as error:
                raise error.within(option) from None
        images, labels = found["images"], found["labels"]
        if len(images) != len(labels):
            raise DataError(
                f"{self.labels}: expected as many labels as {self.images} has images, {len(images)}, got {len(labels)}", path="labels"
            )
        rows, height, width = images.shape
        x, inputs = laid_out(images.reshape(rows, -1) / np.float32(255), height, width, self.image)
        classes = tuple(map(str, range(int(labels.max()) + 1)))
        return Dataset(x, labels.astype(np.int64), None, inputs, ("label",), classes)


def _bytes_of(path: Path, axes: int) -> np.ndarray:
    """The array of bytes in an IDX file. Raises FileError or DataError if it is another kind of file, or not as long as it says."""
    import gzip  # like zlib not needed for importing
    import zlib

    try:
        size = path.stat().st_size
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            shape = _shape(file, path, axes)
            count, got = prod(shape), size - 4 - 4 * axes
            if count > memory():
                raise FileError(f"{path} is larger than this machine's memory: it claims {' x '.join(map(str, shape))} bytes")
            if packed and count > LARGE and count > 100 * size:
                raise FileError(f"{path} claims {count:,} bytes in {size:,}; if it is meant so, unpack it")
            if not packed and got != count:
                raise DataError(_told(path, shape, got))
            content = file.read(count + 1)
    except (EOFError, zlib.error, OSError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path} is cut short or damaged: {getattr(error, 'strerror', None) or error}") from None
    if len(content) != count:
        raise DataError(_told(path, shape, len(content)))
    return np.frombuffer(content, np.uint8).reshape(shape)


def _shape(file: Any, path: Path, axes: int) -> tuple[int, ...]:
    start = file.read(4 + 4 * axes)
    if len(start) < 4 + 4 * axes or start[:4] != bytes([0, 0, 8, axes]):
        kind = {3: "images", 1: "labels"}[axes]
        got = " ".join(map(str, start[:4])) or "nothing"
        raise DataError(f"{path}: expected an IDX file of {kind}, which begins with 0 0 8 {axes}, got {got}")
    shape = tuple(int.from_bytes(start[4 * i : 4 * i + 4], "big") for i in range(1, axes + 1))
    if 0 in shape:
        raise DataError(f"{path}: expected at least one row and pixel, got {' x '.join(map(str, shape))}")
    return shape


def _told(path: Path, shape: tuple[int, ...], got: int) -> str:
    what = "is cut short" if got < prod(shape) else "is longer than it should be"
    return f"{path} {what}: {' x '.join(map(str, shape))} bytes make {prod(shape):,}, got {got:,}{' or more' * (got > prod(shape))}"
