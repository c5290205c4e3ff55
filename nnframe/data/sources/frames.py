"""Data from Parquet files, and from data frames that a program has at hand."""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import KW_ONLY
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from nnframe.components.component import Component, register
from nnframe.components.wording import shown
from nnframe.data.dataset import Origin
from nnframe.data.source import regular_file
from nnframe.data.sources.form import unchanged
from nnframe.data.table import Column, Table, Tabular, coded
from nnframe.errors import DataError, FileError, OptionError, listed

Values = tuple[np.ndarray, np.ndarray]  # the cells of a column, and which of them are missing
DAY = 86_400_000_000  # microseconds


@register
class Parquet(Tabular):
    """A Parquet file, read by polars, which `pip install 'nnframe[data]'` installs.

    Inputs are all columns but target, weight and those that `split` names, unless `inputs` names them. Texts are categories, and null
    becomes NaN, until transforms do something about them; dates are days since 1970-01-01. A column without a name, one that only counts
    the rows, and one of all different texts are inputs only if `inputs` names them. A target column of numbers is taken as such, one of
    texts as classes, numbered in the order of `classes` or else sorted; a list of columns makes several outputs.
    """

    suffixes = (".parquet", ".pq")

    path: Path
    _: KW_ONLY

    def table(self) -> Table:
        path = self.path
        try:
            regular_file(path)
            try:
                polars = import_module("polars")
            except ImportError:
                raise FileError(f"{path} is read by polars, which is not installed: pip install 'nnframe[data]'") from None
            try:
                with path.open("rb") as file, unchanged(path, file.fileno()):
                    names = list(polars.read_parquet_schema(path))
                    wanted = None if self.inputs is None else [name for name in names if name in self.named]
                    frame = polars.read_parquet(path, columns=wanted, glob=False)
            except (polars.exceptions.PolarsError, polars.exceptions.PanicException) as error:
                raise FileError(f"{path} is no Parquet file that can be read: {str(error).partition(chr(10))[0][:200]}") from None
            except OSError as error:
                raise error if isinstance(error, FileError) else FileError(f"cannot read {path}: {error.strerror or error}") from None
            if not len(frame):
                raise DataError(f"{path} has no rows")
        except (DataError, FileError) as error:
            raise error.within("path") from None
        return Columns(str(path), tuple(names), _of_polars(frame), Origin(str(path), np.arange(len(frame)), ", row "))


class Frame(Tabular):
    """Columns that a program has at hand, so for Python alone: a data frame of polars or pandas, or a mapping of names to arrays or lists.

    `nn.Frame(df, target="y", validation=0.2, transforms=[nn.Standardize()]).prepare(seed=0)`. Columns are taken as those of a Parquet file.
    """

    frame: Any
    _: KW_ONLY

    def __post_init__(self) -> None:
        super().__post_init__()
        _kind_of(self.frame)

    def table(self) -> Table:
        kind, frame = _kind_of(self.frame), self.frame
        names = list(frame) if kind == "mapping" else list(frame.columns)
        columns = tuple(map(str, names))
        if twice := [name for i, name in enumerate(columns) if name in columns[:i]]:
            raise DataError(f"the frame has two columns of the name {twice[0][:60]!r}", path="frame")
        if kind == "polars":
            values, rows = _of_polars(frame), len(frame)
        elif kind == "pandas":
            values, rows = _of_pandas(frame, columns), len(frame)
        else:
            values, rows = _of_mapping({str(name): frame[name] for name in names})
        if not rows:
            raise DataError("the frame has no rows", path="frame")
        return Columns("the frame", columns, values, None)

    def __repr__(self) -> str:
        kind = _kind_of(self.frame)
        size = f"{len(self.frame)} columns" if kind == "mapping" else "{} rows, {} columns".format(*self.frame.shape)
        other = copy(self)
        other._options = self._options | {"frame": _Said(f"<{kind}: {size}>")}
        return Component.__repr__(other)


class _Said:
    """Stands for something that is too long to read."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _kind_of(frame: Any) -> str:
    """Which library's frame it is. Raises OptionError."""
    module, name = type(frame).__module__.partition(".")[0], type(frame).__name__
    if module in ("polars", "pandas") and name == "DataFrame":
        return module
    if isinstance(frame, Mapping) and frame:
        return "mapping"
    collect = "; call collect() first" if name == "LazyFrame" else ""
    got = shown(frame) if isinstance(frame, (str, Mapping)) else f"{module}.{name}"
    raise OptionError(f"expected a data frame of polars or pandas, or a mapping of names to columns, got {got}{collect}", path="frame")


class Columns(Table):
    """Columns of any kind of values."""

    dated = "make it a column of dates"

    def __init__(self, name: str, columns: tuple[str, ...], values: Callable[[str], Values], origin: Origin | None) -> None:
        self.name, self.columns, self.values, self.origin = name, columns, values, origin

    def got(self, name: str, row: int) -> str:
        return "nothing (null or nan)"

    def column(self, name: str, option: str, texts: bool = False) -> Column:
        cells, missing = self.values(name)
        kind: str = cells.dtype.kind
        if kind not in "fiubM":
            cells, kind = self._same_kind(name, option, cells, missing)
        if texts or kind not in "fiubM":
            return coded([None if gone else _label(cell) for cell, gone in zip(cells.tolist(), missing.tolist(), strict=True)])
        numbers = cells.astype("datetime64[us]").astype(np.int64) / DAY if kind == "M" else cells.astype(np.float64)
        numbers[missing] = np.nan
        if np.isinf(numbers).any():
            row = int(np.isinf(numbers).argmax())
            raise DataError(f"{self.where(row)}: column {name!r}: expected a finite number, got {numbers[row]}", path=option)
        return Column(numbers, truths=kind == "b", days=kind == "M")

    def _same_kind(self, name: str, option: str, cells: np.ndarray, missing: np.ndarray) -> tuple[np.ndarray, str]:
        """Python's objects as an array of numbers, truths or dates, or as the texts that they are. Raises DataError for a mixture."""
        rows = np.flatnonzero(~missing).tolist()
        kinds = {row: _kind_of_cell(cells[row]) for row in rows}
        found = sorted(set(kinds.values()), key=list(kinds.values()).count)
        if len(found) > 1 or found == ["other"]:
            row = next(row for row in rows if kinds[row] == found[0])
            expected = WORDS.get(found[-1], "a number, a text, a truth or a date")
            plain = isinstance(cells[row], (str, bool, int, float))
            got = shown(cells[row]) if plain else f"{type(cells[row]).__name__} {cells[row]!s:.60}"
            raise DataError(f"{self.where(row)}: column {name!r}: expected {expected}, got {got}", path=option)
        if found == ["text"]:
            return cells, "O"
        kind, dtype, empty = FILLED[found[0] if found else "number"]
        array = np.full(len(cells), empty, dtype)
        array[rows] = [cells[row] for row in rows]
        return array, kind


WORDS = {"number": "a finite number", "text": "a text", "truth": "true or false", "date": "a date"}

FILLED: dict[str, tuple[str, Any, Any]] = {  # kinds of cells as kinds of arrays, with their dtype and what stands for a missing one
    "number": ("f", float, np.nan),
    "truth": ("b", bool, False),
    "date": ("M", "datetime64[us]", "NaT"),
}


def _kind_of_cell(cell: Any) -> str:
    from datetime import date  # not needed for importing
    from decimal import Decimal

    if isinstance(cell, (bool, np.bool_)):
        return "truth"
    if isinstance(cell, (int, float, np.integer, np.floating, Decimal)):
        return "number"
    if isinstance(cell, (date, np.datetime64)) and getattr(cell, "tzinfo", None) is None:
        return "date"
    return "text" if isinstance(cell, str) else "other"


def _label(cell: Any) -> str:
    """A class as a person writes it."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def _of_polars(frame: Any) -> Callable[[str], Values]:
    def values(name: str) -> Values:
        series = frame.get_column(name)
        kind, missing = series.dtype, series.is_null().to_numpy()
        if kind.is_numeric():
            cells = series.cast(float).to_numpy()
            return cells, np.isnan(cells)
        if str(kind) == "Boolean":
            return series.fill_null(False).to_numpy(), missing
        if str(kind).startswith("Date"):  # and Datetime
            return series.to_numpy(), missing
        cells = np.empty(len(series), object)
        cells[:] = (series.cast(str) if str(kind).startswith(("Categorical", "Enum")) else series).to_list()
        return cells, missing

    return values


def _of_pandas(frame: Any, columns: tuple[str, ...]) -> Callable[[str], Values]:
    def values(name: str) -> Values:
        series = frame.iloc[:, columns.index(name)]
        kind, missing = getattr(series.dtype, "kind", "O"), series.isna().to_numpy().astype(bool)
        if str(series.dtype) == "category" or kind not in "fiubM":
            return series.astype(object).to_numpy(dtype=object), missing
        if kind == "M":
            utc = series if getattr(series.dtype, "tz", None) is None else series.dt.tz_convert("UTC").dt.tz_localize(None)
            return utc.to_numpy(dtype="datetime64[us]"), missing
        if kind == "b":
            return series.where(~missing, False).astype(bool).to_numpy(), missing
        return series.to_numpy(dtype=np.float64, na_value=np.nan), missing

    return values


def _of_mapping(frame: Mapping[str, Any]) -> tuple[Callable[[str], Values], int]:
    arrays: dict[str, np.ndarray] = {}
    for name, value in frame.items():
        array = value if isinstance(value, np.ndarray) else np.array(list(value), dtype=object)
        if array.ndim != 1:
            raise DataError(f"column {name!r}: expected (rows,), got {array.shape}", path="frame")
        arrays[name] = array.astype(object) if array.dtype.kind not in "fiubM" else array
    counts = {name: len(array) for name, array in arrays.items()}
    if len(set(counts.values())) > 1:
        said = listed([f"{name} {count}" for name, count in counts.items()])
        raise DataError(f"expected as many rows in all columns, got {said}", path="frame")

    def values(name: str) -> Values:
        array = arrays[name]
        if array.dtype.kind in "fM":
            return array, np.isnan(array)
        if array.dtype.kind in "iub":
            return array, np.zeros(len(array), bool)
        return array, np.array([_is_missing(cell) for cell in array], bool)

    return values, next(iter(counts.values()))


def _is_missing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, (float, np.floating)) and bool(np.isnan(cell))) or type(cell).__name__ in ("NAType", "NaTType")
