"""Large CSV files, read by polars. The result is that of our own reader; whatever polars might see in another way is left to that."""

import csv
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np

from nnframe.data.dataset import Dataset, Origin
from nnframe.data.sources import form
from nnframe.data.table import Column, Table, coded, days, number_of, truths
from nnframe.errors import DataError, FileError

PIECE = 2**18  # rows to bring into x at a time


class Surprise(Exception):
    """Something that our own reader has to look at."""


def read(source: Any) -> Dataset | None:
    """The rows of the file of a `CSV`; None without polars, and where our own reader is needed, which also tells what is wrong.

    Raises FileError if the file changes meanwhile.
    """
    if find_spec("polars") is None:
        return None
    import polars

    expected: Any = (Surprise, DataError, UnicodeDecodeError, csv.Error, polars.exceptions.PolarsError, polars.exceptions.PanicException)
    try:
        with source.path.open("rb") as file, form.unchanged(source.path, file.fileno()):
            for careful in (False, True):
                with suppress(*expected):
                    return source._of(Columns(source, polars, careful))
    except OSError as error:
        if isinstance(error, FileError):
            raise
    return None


class Numbers(Column):
    """A column of numbers as polars has it, in many pieces: to bring these together takes as long as to read half of the file."""

    series: Any

    def __init__(self, series: Any) -> None:
        super().__init__()
        object.__setattr__(self, "series", series)  # the class is frozen

    def __len__(self) -> int:
        return len(self.series)

    @property
    def missing(self) -> np.ndarray:
        return self.series.is_null().to_numpy()

    @property
    def lost(self) -> int:
        return self.series.null_count()

    @property
    def ends(self) -> tuple[float, float]:
        return self.series[0], self.series[-1]

    @property
    def x(self) -> np.ndarray:
        return self.series.to_numpy(writable=True)


class Columns(Table):
    """The columns of a file as polars has them. What its errors say is never read."""

    dated = ""

    def __init__(self, source: Any, polars: Any, careful: bool) -> None:
        """`careful`: look at each cell for what stands for a missing value, which takes a third as long again."""
        self.source, path = source, source.path
        self.name, self.missing = str(path), frozenset(text.strip() for text in source.missing)
        if any(number_of(text) is not None and np.isfinite(float(text)) for text in self.missing):
            raise Surprise  # polars compares before, our reader after it has stripped a cell
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = form.beginning(file, path)
        delimiter = source.delimiter or form.delimiter_of(lines, path)
        if not delimiter.isascii():
            raise Surprise
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        first = [cell.strip() for cell in next(reader, ())]
        header = form.header_of(first, source.named) if source.header is None else source.header
        self.columns = tuple(first) if header else tuple(map(str, range(len(first))))
        start = reader.line_num
        rows = [] if header else [first]
        rows += list(reader)[:-1]  # the last may go on
        if not first or start != 1 or len(set(self.columns)) < len(first) or len(rows) < 2 or any(len(row) != len(first) for row in rows):
            raise Surprise
        sample = list(zip(*rows, strict=True))
        decimal = source.decimal or form.decimal_of(sample, delimiter, path)
        texts = {name for name, cells in zip(self.columns, sample, strict=True) if not self._all_numbers(cells, decimal)}
        texts |= {*source.dates, *(source.targets if source.classes else ())}
        if decimal == "," or texts:
            import mmap  # not needed for importing

            with path.open("rb") as raw, mmap.mmap(raw.fileno(), 0, access=mmap.ACCESS_READ) as content:
                if decimal == "," and content.find(b".") >= 0:
                    raise Surprise  # polars takes 1.5 for a number too
                if texts and content.find(b'"') >= 0:
                    raise Surprise  # a quoted cell may have several lines
        if not careful and any(cell.strip() in self.missing - {""} for cells in sample for cell in cells):
            raise Surprise
        self.frame = polars.read_csv(
            path,
            separator=delimiter,
            has_header=False,
            skip_rows=int(header),
            schema={str(i): polars.String if name in texts else polars.Float64 for i, name in enumerate(self.columns)},
            null_values=sorted({"", *self.missing}) if careful else None,
            decimal_comma=decimal == ",",
            glob=False,
        )
        if self.frame.get_columns()[-1].null_count():
            raise Surprise  # rows that are too short, and empty lines
        self.origin = Origin(str(path), np.arange(header + 1, header + 1 + len(self.frame), dtype=np.int32))
        self.notes = form.notes(
            path,
            None if source.delimiter else delimiter,
            None if source.decimal else decimal,
            first,
            header if source.header is None else None,
        )

    def _all_numbers(self, cells: tuple[str, ...], decimal: str) -> bool:
        there = [cell for cell in map(str.strip, cells) if cell not in self.missing]
        return bool(there) and all(number_of(cell, decimal) is not None for cell in there)

    def column(self, name: str, option: str, texts: bool = False) -> Column:
        series = self.frame.get_columns()[self.columns.index(name)]
        nulls = series.null_count()
        if nulls and "" not in self.missing:
            raise Surprise
        if series.dtype.is_numeric():
            if texts or not (np.isfinite(series.sum()) or series.is_finite().all()):  # all() leaves out nulls
                raise Surprise
            return Numbers(series)
        if name in self.source.dates:
            return self._dates(series)
        distinct = series.unique().drop_nulls().to_list()
        column = coded([text.strip() for text in distinct], self.missing - set((self.source.classes if texts else None) or ()))
        if not texts and any(number_of(text) is not None or number_of(text, ",") is not None for text in column.texts):
            raise Surprise
        assert column.codes is not None
        if texts and nulls:
            raise Surprise
        codes = series.replace_strict(distinct, column.codes, default=-1).to_numpy()
        column = replace(column, codes=codes.astype(np.int64))
        return column if texts else truths(column) or column

    def _dates(self, series: Any) -> Column:
        texts = [text.strip() if text is not None else "" for text in series.to_list()]
        there = np.array([text not in self.missing for text in texts])
        found = np.full(len(texts), np.nan)
        try:
            found[there] = list(days(text for text in texts if text not in self.missing))
        except ValueError:
            raise Surprise from None
        return Column(found, days=True)

    def matrix(self, names: Any, columns: Any) -> np.ndarray:
        if not all(isinstance(column, Numbers) for column in columns):
            return super().matrix(names, columns)
        from concurrent.futures import ThreadPoolExecutor  # not needed for importing

        x = np.empty((len(self.frame), len(columns)))

        def fill(start: int) -> None:
            for place, column in enumerate(columns):
                x[start : start + PIECE, place] = column.series.slice(start, PIECE).to_numpy()

        with ThreadPoolExecutor() as pool:  # pages of new memory take as long as the numbers in them
            list(pool.map(fill, range(0, len(x), PIECE)))
        return x
