"""The way from rows as a person has them to rows as a model sees them, as training fitted it, and back from what is predicted."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nnframe.components.arrays import as_numbers
from nnframe.components.names import nearest
from nnframe.components.registry import find
from nnframe.components.wording import shown
from nnframe.data.dataset import Dataset
from nnframe.data.source import PreparedData, Undo
from nnframe.data.sources.frames import Frame
from nnframe.data.table import Column, Table, number_of
from nnframe.data.transforms.base import Transform
from nnframe.errors import DataError, FileError, NNFrameError, ShapeError, listed

TRIED = 2**24  # numbers of a row that may be tried
MEND = "the model was trained without Impute, and needs a number here"


@dataclass(frozen=True, eq=False, repr=False)
class Pipeline:
    """`raw` is a row of inputs as it was before transforms: what it has of names, texts, shape and dtype is what rows must have; `shape` is
    that of a row as the model sees it."""

    raw: Dataset
    shape: tuple[int, ...]
    transforms: tuple[Transform, ...] = ()
    target_transforms: tuple[Transform, ...] = ()

    @classmethod
    def of(cls, data: PreparedData) -> "Pipeline":
        training = data.training
        of_targets = () if training.undo is None else training.undo.transforms
        return cls(data.raw or training.rows(slice(1)), training.x.shape[1:], data.transforms, of_targets)

    # ------------------------------------------------------------------------------------------ as plain data

    def record(self) -> dict[str, Any]:
        """All that it takes to make it again, for a run's record."""
        raw = self.raw
        of_raw = {"inputs": list(raw.inputs), "shape": list(raw.x.shape[1:]), "dtype": str(raw.x.dtype)}
        return {
            "shape": list(self.shape),
            "raw": of_raw | {"categories": {name: list(texts) for name, texts in raw.categories.items()}},
            "transforms": [transform.record() for transform in self.transforms],
            "target_transforms": [transform.record() for transform in self.target_transforms],
        }

    @classmethod
    def recalled(cls, record: Mapping[str, Any]) -> "Pipeline":
        """What `record` was made of: the section `data` of a run's record. Raises FileError for what is none."""
        try:
            raw, targets, shape = record["raw"], _texts(record["targets"]), _whole(record["shape"])
            x, y = np.broadcast_to(_zero(raw["dtype"]), (1, *_whole(raw["shape"]))), np.zeros((1, len(targets)))  # takes no memory
            categories = {name: _texts(texts) for name, texts in raw["categories"].items()}
            first = data = Dataset(x, y, None, _texts(raw["inputs"]), targets, _texts(record["classes"]), categories)
            transforms = []
            for i, told in enumerate(record["transforms"]):
                transforms.append(_recalled(told, data, f"transforms.{i}"))
                data = _names_after(transforms[-1], data)
            if data.inputs != _texts(record["inputs"]):
                raise ValueError(f"its transforms make the inputs {listed(data.inputs)}, and it says {listed(record['inputs'])}")
            as_inputs = Dataset(y, y, inputs=targets)
            of_targets = [_recalled(told, as_inputs, f"target_transforms.{i}") for i, told in enumerate(record["target_transforms"])]
            found = cls(first, shape, tuple(transforms), tuple(of_targets))
            found._try()
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
            path = getattr(error, "path", "")
            missing = f"it has no {error}" if isinstance(error, KeyError) else str(error)
            raise FileError(f"does not say how rows became what the model sees: {missing}", path="" if path else "data") from None
        return found

    def _try(self) -> None:
        """Raise ValueError, TypeError or OverflowError unless a row goes all the way: what was learnt are numbers of the right size."""
        raw, last = self.raw, self.raw.y
        with suppress(DataError):  # as may the row below
            last = self.targets(last)
        if raw.inputs and raw.x.shape[1:] != (len(raw.inputs),):
            raise ValueError(f"its rows have the shape {raw.x.shape[1:]}, and {len(raw.inputs)} names")
        if self.undo is not None:
            self.undo(last)
        if raw.x.size > TRIED:
            return
        with suppress(DataError), np.errstate(all="ignore"):  # this row may be one that is refused
            for transform in self.transforms:
                raw = transform.on(raw)
            if raw.x.shape[1:] != self.shape:
                raise TypeError(f"its transforms make rows of the shape {raw.x.shape[1:]}, and it says {self.shape}")

    # ------------------------------------------------------------------------------------------ rows as people have them

    def rows(self, rows: Any) -> Dataset:
        """Rows as Python has them: a data frame of polars or pandas, a mapping of names to columns, one of names to values or a list of
        these, an array or lists of numbers (rows, *shape), or a Dataset. Raises DataError or ShapeError."""
        if isinstance(rows, Dataset):
            if rows.inputs == self.raw.inputs and rows.categories.keys() == self.raw.categories.keys():
                return rows
            return self._of_array(rows.x)
        if isinstance(rows, Mapping) and rows and not any(_is_column(value) for value in rows.values()):
            rows = [rows]
        if isinstance(rows, (list, tuple)) and rows and all(isinstance(row, Mapping) for row in rows):
            rows = self._columns(rows)
        if isinstance(rows, Mapping) or hasattr(rows, "columns"):
            return self.table(Frame(rows, target="").table())
        return self._of_array(rows)

    def table(self, table: Table) -> Dataset:
        """The inputs among the columns of a table. Raises DataError where some are missing, or hold something else than in training."""
        self.refuse_lacking(table)
        inputs = self.raw.inputs
        columns = [self._column(table, name) for name in inputs]
        categories = {name: column.texts for name, column in zip(inputs, columns, strict=True) if name in self.raw.categories}
        x = table.matrix(inputs, columns)
        return Dataset(x, np.zeros((len(x), 0)), None, inputs, categories=categories, origin=table.origin, notes=table.notes)

    def refuse_lacking(self, table: Table) -> None:
        """Raise DataError for a table that lacks an input, with all that it lacks."""
        inputs = self.raw.inputs
        if not inputs:
            raise DataError(f"{table.name} has columns, but the model was trained on arrays (rows, {_shape(self.raw)})")
        if missing := [name for name in inputs if name not in table.columns]:
            close = nearest(missing[0], [name for name in table.columns if name not in inputs])
            told = f"lacks the input{'s' * (len(missing) > 1)} {listed(list(map(repr, missing)))}"
            raise DataError(f"{table.name} {told}.{close} Its columns: {listed(table.columns)}.{table.hint()}")

    def extra(self, table: Table, known: Iterable[str] = ()) -> list[str]:
        """The columns of a table that are not looked at, but those that are `known`."""
        return [name for name in table.columns if name not in {*self.raw.inputs, *known}]

    def _column(self, table: Table, name: str) -> Column:
        column = table.column(name, "", texts=name in self.raw.categories)
        if name in self.raw.categories or column.codes is None:
            return column
        if column.lost == len(column):
            return Column(np.full(len(column), np.nan))
        wrong = [place for place, text in enumerate(column.texts) if number_of(text) is None]
        rows = np.isin(column.codes, wrong) if wrong else ~column.missing
        row = int(rows.argmax())
        told = "" if wrong else ", a text that says a number; make numbers of the column"
        got = repr(column.texts[column.codes[row]][:60])
        raise DataError(f"{table.where(row)}: column {name!r}: expected a number, as in training, got {got}{told}")

    def _columns(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
        for i, row in enumerate(rows):
            if missing := [name for name in self.raw.inputs if name not in row]:
                close = nearest(missing[0], [name for name in row if name not in self.raw.inputs])
                raise DataError(f"row {i} lacks the input{'s' * (len(missing) > 1)} {listed(list(map(repr, missing)))}.{close}")
            for name in self.raw.inputs:
                if isinstance(row[name], str) and name not in self.raw.categories:
                    raise DataError(f"row {i}: {name!r}: expected a number, got {shown(row[name])}")
        return {name: [row[name] for row in rows] for name in self.raw.inputs}

    def _of_array(self, rows: Any) -> Dataset:
        raw = self.raw
        if raw.categories:
            names = listed(list(map(repr, raw.categories)))
            raise DataError(f"the inputs {names} are texts, so rows must have names; give a data frame, or a list of dicts")
        x = as_numbers(rows, "rows")
        if x.shape[1:] != raw.x.shape[1:]:
            one = "; one row alone is [row]" if x.shape == raw.x.shape[1:] else ""
            named = f" of {listed(raw.inputs)}" if raw.inputs and x.ndim == 2 else ""
            raise ShapeError(f"expected (rows, {_shape(raw)}){named}, got {x.shape}{one}")
        return Dataset(x, np.zeros((len(x), 0)), None, raw.inputs)

    # ------------------------------------------------------------------------------------------ and as the model sees them

    def __call__(self, data: Dataset) -> np.ndarray:
        """The inputs of raw rows as the model sees them. Raises DataError for a value that cannot be."""
        with np.errstate(all="ignore"):  # what is not finite is refused below
            for transform in self.transforms:
                data = transform.on(data)
        data.refuse_missing(MEND)
        return data.x

    def targets(self, y: np.ndarray) -> np.ndarray:
        """Targets, or what is predicted of them, (rows, m) as a person has them, as the model has them."""
        data = Dataset(y, y, inputs=self.raw.targets)
        with np.errstate(all="ignore"):
            for transform in self.target_transforms:
                data = transform.on(data)
        return data.x

    @property
    def undo(self) -> Undo | None:
        """The way back of `targets`."""
        return Undo(self.target_transforms) if self.target_transforms else None


def _texts(value: Any) -> tuple[str, ...]:
    """Names in a record. Raises ValueError."""
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError(f"expected a list of texts, got {shown(value)}")
    return tuple(value)


def _whole(value: Any) -> tuple[int, ...]:
    """A shape in a record. Raises ValueError."""
    if not isinstance(value, list) or not all(type(n) is int and n > 0 for n in value):
        raise ValueError(f"expected a shape, a list of integers greater than 0, got {value if isinstance(value, list) else shown(value)}")
    return tuple(value)


def _zero(dtype: Any) -> np.ndarray:
    """A number of a dtype in a record. Raises ValueError, or TypeError, for what is none of numbers."""
    if not isinstance(dtype, str) or len(dtype) > 10 or np.dtype(dtype).kind not in "fiub":
        raise ValueError(f"expected a dtype of numbers, got {shown(dtype)}")
    return np.zeros((), dtype)


def _recalled(record: Mapping[str, Any], data: Dataset, path: str) -> Transform:
    cls = find(str(record["type"]), "transform")
    if cls is None:
        raise FileError(f"there is no transform {record['type']!r} here; name the plugin that it is from", path=path)
    try:
        return cls.recalled(record, data)
    except NNFrameError as error:
        raise error.within(path) from None


def _names_after(transform: Transform, data: Dataset) -> Dataset:
    """What a transform makes of the names and texts of a row, whatever its numbers."""
    every = (*data.inputs, *transform.names())
    inputs = transform.names() if transform._order is None else tuple(every[i] for i in transform._order)
    others = {name: texts for name, texts in data.categories.items() if name not in transform.inputs}
    return replace(data, inputs=inputs, categories=others | transform.kept_categories())


def _is_column(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, (str, bytes)) and getattr(value, "shape", (1,)) != ()


def _shape(raw: Dataset) -> str:
    return ", ".join(map(str, raw.x.shape[1:]))
