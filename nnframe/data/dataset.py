"""What is trained on: rows of inputs and targets, with the names that a person knows them by."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nnframe.errors import DataError, ShapeError, listed


@dataclass(frozen=True)
class Dataset:
    """x (rows, *features), y (rows, *targets) or integer classes (rows,), weight (rows,); each may have a runs axis in front
    if each run of a stack has rows of its own.

    `inputs` and `targets` name the columns of x and y, `classes` the classes of y in order.
    """

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None = None
    inputs: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def rows(self, index: Any) -> "Dataset":
        """Some of the rows, in the order of `index`; for data without a runs axis."""
        return replace(self, x=self.x[index], y=self.y[index], weight=None if self.weight is None else self.weight[index])

    def as_targets_for(self, outputs: tuple[int, ...], takes_classes: bool) -> "Dataset":
        """With classes as a model of `outputs` needs them: integers if the loss takes classes, a column of 0 and 1 for one
        output and two classes, a row with a 1 for the class otherwise.

        Raises DataError if the numbers of classes and outputs do not agree.
        """
        count = len(self.classes)
        if takes_classes and not count and self.y.ndim == 2 and self.y.shape[1] == 1 and outputs != (1,):
            return replace(self, y=_integers(self.y[:, 0]))
        if count and takes_classes and outputs[-1:] < (count,):
            hint = "; BinaryCrossEntropy is for one output" if (count, outputs) == (2, (1,)) else ""
            raise DataError(f"the target has {count} classes ({listed(self.classes)}), but the model has outputs {outputs}{hint}")
        if not count or takes_classes:
            return self
        if outputs == (1,) and count == 2:
            return replace(self, y=self.y[:, None].astype(np.float64))
        if outputs == (count,):
            return replace(self, y=np.eye(count)[self.y])
        raise DataError(f"the target has {count} classes ({listed(self.classes)}), but the model has outputs {outputs}")


def _integers(values: np.ndarray) -> np.ndarray:
    if wrong := [v for v in values[:1000].tolist() if v < 0 or v != int(v)]:
        raise DataError(f"the loss takes classes: expected whole numbers from 0 in the target, got {wrong[0]:g}")
    return values.astype(np.int64)


def as_dataset(data: Any, features: tuple[int, ...], runs: tuple[int, ...], dtype: Any, what: str = "data") -> Dataset:
    """`data` as checked arrays: (x, y), (x, y, weight) or a Dataset; floating numbers cast to `dtype`, integers kept.

    Raises ShapeError or DataError if the arrays do not fit the model or each other, or hold NaN or infinity.
    """
    if not isinstance(data, Dataset):
        if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
            raise ShapeError(f"expected (x, y), (x, y, weight) or a Dataset, got {type(data).__name__}", path=what)
        x, y, weight = (
            None if part is None else _array(part, f"{what}.{name}")
            for name, part in zip(("x", "y", "weight"), (*data, None)[:3], strict=True)
        )
        if x is None or y is None:
            raise DataError("expected arrays, got nothing", path=f"{what}.{'y' if x is not None else 'x'}")
        data = Dataset(x, y, weight)
    x, y, weight = data.x, data.y, data.weight
    cast = [a if a is None or a.dtype.kind in "iu" else _numbers(a, dtype, f"{what}.{name}") for name, a in (("x", x), ("y", y))]
    x, y = cast[0], cast[1]
    own = x.shape[: max(x.ndim - 1 - len(features), 0)]
    if x.ndim < 1 + len(features) or x.shape[len(own) + 1 :] != features or own not in ((), runs):
        wanted = " or ".join(f"({', '.join(map(str, (*lead, 'rows', *features)))})" for lead in dict.fromkeys([(), runs]))
        raise ShapeError(f"expected {wanted}, got {x.shape}", path=f"{what}.x")
    rows = x.shape[len(own)]
    if rows == 0:
        raise DataError("has no rows", path=what)
    if weight is not None:
        weight = _numbers(weight, dtype, f"{what}.weight")
        if weight.shape not in ((rows,), (*runs, rows)):
            wanted = " or ".join(str(shape) for shape in dict.fromkeys([(rows,), (*runs, rows)]))
            raise ShapeError(f"expected {wanted}, got {weight.shape}", path=f"{what}.weight")
        if weight.min() < 0 or not weight.any(-1).all():
            where = f", in run {int(np.argmin(weight.any(-1)))} too" if weight.ndim == 2 else ""
            raise DataError(f"expected weights of at least 0, and some above it{where}", path=f"{what}.weight")
    return Dataset(x, y, weight, data.inputs, data.targets, data.classes)


def _array(part: Any, what: str) -> np.ndarray:
    try:
        return np.asarray(part)
    except ValueError:
        raise DataError("expected rows of the same length", path=what) from None


def _numbers(a: np.ndarray, dtype: Any, what: str) -> np.ndarray:
    if a.dtype.kind not in "fiub":
        raise DataError(f"expected numbers, got {a.dtype}", path=what)
    with np.errstate(over="ignore"):
        a = a.astype(dtype, copy=False)
    if not np.isfinite(a).all():
        first = np.argwhere(~np.isfinite(a))[0].tolist()
        raise DataError(f"expected finite numbers, got {a[tuple(first)]} at {first}", path=what)
    return a


def split(rows: int, fraction: float, rng: "np.random.Generator", what: str = "validation") -> tuple[np.ndarray, np.ndarray]:
    """Row numbers of the training part and of another one, drawn by `rng`, each in the data's order.

    Raises DataError if either part would be empty.
    """
    held = round(rows * fraction)
    if not 0 < held < rows:
        verb = {"validation": "validate", "test": "test"}[what]
        raise DataError(f"a {what} part of {fraction:g} of {rows} rows leaves {rows - held} to train on and {held} to {verb} on")
    chosen = rng.permutation(rows)
    return np.sort(chosen[held:]), np.sort(chosen[:held])


def digest(arrays: Iterable[np.ndarray]) -> str:
    """SHA-256 of the numbers in arrays, their dtypes and shapes."""
    from hashlib import sha256

    found = sha256()
    for array in arrays:
        found.update(f"{array.dtype.str}{array.shape}".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
