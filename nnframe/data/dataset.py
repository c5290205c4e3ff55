"""What is trained on: rows of inputs and targets, with the names that a person knows them by."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nnframe.components.arrays import as_numbers
from nnframe.components.names import unit_hint
from nnframe.data.mapped import Mapped, chunks, not_finite, pick
from nnframe.errors import DataError, ShapeError, listed, more


@dataclass(frozen=True, eq=False)
class Origin:
    """Where rows come from, for people: a file and the line of each row, or its number among the rows."""

    name: str
    lines: np.ndarray
    mark: str = ":"  # what stands between them

    def at(self, row: int) -> str:
        return f"{self.name}{self.mark}{self.lines[row]}"


@dataclass(frozen=True, eq=False)
class Sets:
    """How the runs of a stack share several sets of rows: arrays are (sets, rows, ...), and run r has the first `counts[of[r]]` rows of set
    `of[r]`; what stands behind them fills up."""

    of: np.ndarray  # (runs,)
    counts: np.ndarray  # (sets,)


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """x (rows, *features), y (rows, *targets) or integer classes (rows,), weight (rows,); each may have a runs axis in front
    if each run of a stack has rows of its own, or an axis of `sets` that runs share.

    `inputs` and `targets` name the columns of x and y, `classes` the classes of y in order. x may be `Mapped`, and stay in its file.
    An input among `categories` holds texts: x has the number of each in their order. NaN in x stands for what is missing.
    Raises DataError for what is no array of numbers.
    """

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None = None
    inputs: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)  # what rows are split by, beside inputs and targets
    origin: Origin | None = None
    undo: Any = None  # an Undo: from y, and from outputs, to the units that targets came in
    sets: Sets | None = None
    visited: int | None = None  # rows that an epoch of training goes through; all unless given
    notes: tuple[str, ...] = ()  # what a person should know of how it was read

    def __post_init__(self) -> None:
        for name in ("x", "y") if self.weight is None else ("x", "y", "weight"):
            if not isinstance(getattr(self, name), Mapped):
                object.__setattr__(self, name, as_numbers(getattr(self, name), name))  # the class is frozen

    def rows(self, index: Any) -> "Dataset":
        """Some of the rows, in the order of `index`; for data without a runs axis."""
        return replace(
            self,
            x=pick(self.x, index),
            y=self.y[index],
            weight=None if self.weight is None else self.weight[index],
            columns={name: column[index] for name, column in self.columns.items()},
            origin=None if self.origin is None else replace(self.origin, lines=self.origin.lines[index]),
        )

    def refuse_missing(self, mend: str = "write transforms: [Impute], or leave out the row or the column") -> None:
        """Raise DataError, with file, line and column, for an input that is missing or infinite; `mend` says what to do."""
        if (found := not_finite(self.x)) is None:
            return
        (row, *place), value = found
        name = self.inputs[place[0]] if len(place) == 1 and place[0] < len(self.inputs) else None
        what = f"column {name!r}: " if name else f"input {place}: "
        where = f"row {row}" if self.origin is None else self.origin.at(row)
        got = f"{value}"
        if np.isnan(value):
            got = f"an empty cell or nan{self._more_missing()}; {mend}"
        raise DataError(f"{where}: {what}expected a finite number, got {got}", path="inputs")

    def _more_missing(self) -> str:
        """How many cells are missing beside the first, and in which columns."""
        lost = sum(np.isnan(part).sum(0) for part in chunks(self.x))
        names = [repr(name) for name, count in zip(self.inputs, lost, strict=True) if count] if lost.shape == (len(self.inputs),) else []
        return more(int(lost.sum())) + (f" in {listed(names)}" if names and lost.sum() > 1 else "")

    def as_targets_for(self, outputs: tuple[int, ...], takes_classes: bool) -> "Dataset":
        """With classes as a model of `outputs` needs them: integers if the loss takes classes, a column of 0 and 1 for one
        output and two classes, a row with a 1 for the class otherwise.

        Raises DataError if the numbers of classes and outputs do not agree.
        """
        count = len(self.classes)
        if self.sets is not None:  # they were made so before they were put together
            return self
        if takes_classes and not count and self.y.ndim == 2 and self.y.shape[1] == 1 and outputs != (1,):
            y = _classes(self.y[:, 0])
            if self.targets and (y.min(), y.max()) == (1, outputs[-1]):
                known = f"{{column: {self.targets[0]}, classes: [{', '.join(map(str, range(1, y.max() + 1)))}]}}"
                told = f"the target {self.targets[0]!r} has classes from 1 to {y.max()}, and they are numbered from 0"
                raise DataError(f"{told}; write target: {known}")
            return replace(self, y=y)
        if count and takes_classes and outputs[-1:] < (count,):
            hint = "; BinaryCrossEntropy is for one output" if (count, outputs) == (2, (1,)) else ""
            raise self._other_outputs(outputs, hint)
        if not count or takes_classes:
            return self
        if outputs == (1,) and count == 2:
            return replace(self, y=_classes(self.y, count)[:, None].astype(np.float64))
        if outputs == (count,):
            return replace(self, y=np.eye(count)[_classes(self.y, count)])
        raise self._other_outputs(outputs)

    def _other_outputs(self, outputs: tuple[int, ...], hint: str = "") -> DataError:
        told = f"the target has {len(self.classes)} classes ({listed(self.classes)}), but the model has outputs {outputs}"
        return DataError(f"{told}{unit_hint(self.classes) or hint}")


def _classes(values: np.ndarray, count: int = 2**63) -> np.ndarray:
    """The numbers of classes below `count` as integers. Raises DataError if some are none."""
    right = (values >= 0) & (values < count) & (values == np.floor(values))
    if not right.all():
        at = np.argwhere(~right)[0].tolist()
        within = f"from 0 to {count - 1}" if count < 2**63 else "from 0"
        raise DataError(f"classes are numbered: expected whole numbers {within} in the target, got {values[tuple(at)]:g} at {at}")
    return values.astype(np.int64)


def as_dataset(data: Any, features: tuple[int, ...], runs: tuple[int, ...], dtype: Any, what: str = "data") -> Dataset:
    """`data` as checked arrays: (x, y), (x, y, weight) or a Dataset; floating numbers cast to `dtype`, integers kept.

    Raises ShapeError or DataError if the arrays do not fit the model or each other, or hold NaN or infinity.
    """
    if not isinstance(data, Dataset):
        if not isinstance(data, (tuple, list)) or len(data) not in (2, 3):
            raise ShapeError(f"expected (x, y), (x, y, weight) or a Dataset, got {type(data).__name__}", path=what)
        try:
            data = Dataset(*data)
        except DataError as error:
            raise error.within(what) from None
    x, y, weight = data.x, data.y, data.weight
    cast = [a if a is None or a.dtype.kind in "iu" else _numbers(a, dtype, f"{what}.{name}") for name, a in (("x", x), ("y", y))]
    x, y = cast[0], cast[1]
    runs = runs if data.sets is None else data.sets.counts.shape
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
    return replace(data, x=x, y=y, weight=weight)


def _numbers(a: Any, dtype: Any, what: str) -> Any:
    with np.errstate(over="ignore"):
        a = a.astype(dtype, copy=False)
        if (found := not_finite(a)) is not None:
            raise DataError(f"expected finite numbers, got {found[1]} at {found[0]}", path=what)
    return a


def array_hash(arrays: Iterable[Any]) -> str:
    """SHA-256 of the numbers in arrays, their dtypes and shapes."""
    from hashlib import sha256

    found = sha256()
    for array in arrays:
        found.update(f"{array.dtype.str}{array.shape}".encode())
        for part in chunks(array):
            found.update(np.ascontiguousarray(part).data)
    return found.hexdigest()
