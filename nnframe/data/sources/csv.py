"""Data from a CSV file."""

import codecs
import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import KW_ONLY
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path
from typing import Literal, TextIO

import numpy as np

from nnframe.components.component import register
from nnframe.components.names import number
from nnframe.components.options import field
from nnframe.components.wording import shown
from nnframe.data.dataset import Dataset, Origin
from nnframe.data.source import regular_file
from nnframe.data.sources import form, polars_csv
from nnframe.data.table import Column, Table, Tabular, coded, days, number_of, truths
from nnframe.data.table import Target as Target
from nnframe.errors import DataError, FileError, OptionError, listed, more

LARGE = 2**26  # bytes from which polars reads a file, if it is there


@register
class CSV(Tabular):
    """A CSV file in UTF-8, or another `encoding`. Separator, decimal mark and whether the first line is a header are found, unless they are
    given; columns of a file without a header are named "0", "1", ...

    Inputs are all columns but target, weight and those that `split` names, unless `inputs` names them. Texts are categories, and a cell
    of `missing` becomes NaN, until transforms do something about them; dates of the columns `dates`, written 2020-01-31 or 31.1.2020, are
    days since 1970-01-01. A column without a name, one that only counts the rows, one of dates and one of all different texts are inputs
    only if `inputs` names them. A target column of numbers is taken as such, one of texts as classes, numbered in the order of `classes`
    or else sorted; a list of columns makes several outputs.
    """

    suffixes = (".csv", ".tsv", ".txt")

    path: Path
    _: KW_ONLY
    delimiter: str | None = None
    decimal: Literal[".", ","] | None = None
    header: bool | None = None
    missing: tuple[str, ...] = ("", "NA", "N/A", "NaN", "nan", "null", "None", "?")
    dates: tuple[str, ...] = ()
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            tab = r'; write "\t"' if self.delimiter in ("tab", "TAB", r"\t") else ""
            raise OptionError(f"expected one character, got {shown(self.delimiter)}{tab}", path="delimiter")
        if self.delimiter == self.decimal == ",":
            raise OptionError("a comma cannot separate columns and mark decimals", path="decimal")
        used = super().named
        if self.inputs is not None and (idle := [name for name in self.dates if name not in used]):
            raise OptionError(f"{idle[0]!r} is not among the inputs; name it there too, or leave it out here", path="dates")
        try:
            "".encode(self.encoding)
        except (LookupError, ValueError):
            known = "such as utf-8, cp1252 (Windows), latin-1 or utf-16"
            raise OptionError(f"expected the name of an encoding of texts, {known}, got {shown(self.encoding)}", path="encoding") from None

    @property
    def named(self) -> dict[str, str]:
        """The columns that options name, each with its option."""
        return dict.fromkeys(self.dates, "dates") | super().named

    @property
    def is_utf8(self) -> bool:
        return codecs.lookup(self.encoding).name == "utf-8"

    def read(self) -> Dataset:
        found: Dataset | None = None
        try:
            if regular_file(self.path).stat().st_size > LARGE and self.is_utf8:
                found = polars_csv.read(self)
            table = self.table() if found is None else None
        except (DataError, FileError) as error:
            raise error.within("path") from None
        if found is None:
            assert table is not None
            found = self._of(table)
        return found

    def table(self) -> Table:
        return Cells(self)


class Cells(Table):
    """The cells of a CSV file by column, as texts."""

    dated = "write dates: [{}]"

    def __init__(self, source: CSV) -> None:
        path = regular_file(source.path)
        if path.stat().st_size == 0:
            raise DataError(f"{path} is empty; expected a header line and rows")
        with _opened(source) as file:
            first = form.beginning(file, path)
            delimiter = source.delimiter or form.delimiter_of(first, path)
            numbered = list(_rows(first, file, path, delimiter))
        self._begin(source, numbered, delimiter)
        rows = self._take(numbered[self.has_header :])
        if not rows:
            raise DataError(f"{path} has a header but no rows")
        self.decimal = source.decimal or form.decimal_of(self.cells, delimiter, path)
        self._note()
        if path.stat().st_size > LARGE and source.is_utf8:
            self.notes += large_note(path)

    def _begin(self, source: CSV, numbered: list[tuple[int, list[str]]], delimiter: str) -> None:
        """What the first rows say of all."""
        self.source, path = source, source.path
        self.name, self.missing = str(path), frozenset(text.strip() for text in source.missing)
        self.plain = not any(number_of(text) is not None and np.isfinite(float(text)) for text in self.missing)
        if not numbered:
            raise DataError(f"{path} is empty; expected a header line and rows")
        self.delimiter, self.first = delimiter, [cell.strip() for cell in numbered[0][1]]
        self.has_header = form.header_of(self.first, source.named) if source.header is None else source.header
        self.columns = tuple(self.first) if self.has_header else tuple(map(str, range(len(self.first))))
        self.index = {name: i for i, name in enumerate(self.columns)}
        if twice := [name for i, name in enumerate(self.columns) if self.index[name] != i]:
            raise DataError(f"{path}:{numbered[0][0]}: the column {twice[0][:60]!r} stands twice in the header")

    def _take(self, rows: Sequence[tuple[int, list[str]]]) -> int:
        """Have these rows, each with its line. How many they are."""
        for line, row in rows:
            if len(row) != len(self.first):
                like = "header" if self.has_header else "first line"
                comma = "; a comma inside a number or a text wants quotes around it, or columns separated by ';'"
                hint = self.hint() or comma * (self.delimiter == "," and len(row) > len(self.first))
                raise DataError(f"{self.name}:{line}: expected {len(self.first)} cells, as in the {like}, got {len(row)}{hint}")
        self.cells = list(zip(*(row for _, row in rows), strict=True))
        self.origin = Origin(self.name, np.array([line for line, _ in rows], np.int32))
        return len(rows)

    def _note(self) -> None:
        self.notes = form.notes(
            self.source.path,
            None if self.source.delimiter else self.delimiter,
            None if self.source.decimal else self.decimal,
            self.first,
            self.has_header if self.source.header is None else None,
        )

    def of_rows(self, rows: Sequence[tuple[int, list[str]]]) -> "Cells":
        """The same table, but of other rows, each with its line. Raises DataError for one that has not as many cells."""
        other = copy(self)
        other._take(rows)
        return other

    def hint(self) -> str:
        """What may separate the columns, if they seem to be one; or that there may be no header."""
        found = [mark for mark in ";\t|, " if mark in self.columns[0]] if len(self.columns) == 1 else []
        if found:
            return " Write delimiter: {}, if that separates them.".format('"\\t"' if found[0] == "\t" else repr(found[0]))
        if self.source.header is not None:
            return ""
        if not self.has_header:
            told = f" The first line looks like data ({listed(self.first, 5)}), so columns are named by their places, 0, 1, ..., in quotes"
            return f"{told}: name one of these, or put a line of names above; write header: true if the first line is one."
        cells = dict(zip(self.columns, getattr(self, "cells", ()), strict=False))
        if any(number_of(name) is not None or name in cells.get(name, ()) for name in self.columns):
            told = " The first line, taken as the header, looks like data: put a line of names above it"
            return f"{told}, or write header: false, and columns are named by their places, 0, 1, ..., in quotes."
        return ""

    def got(self, name: str, row: int) -> str:
        cell = self.cells[self.index[name]][row].strip()
        if not cell:
            return "an empty cell"
        return repr(cell[:60]) + (", which stands for a missing value (see `missing`)" if cell in self.missing else "")

    def column(self, name: str, option: str, texts: bool = False) -> Column:
        cells = self.cells[self.index[name]]
        if name in self.source.dates:
            return self._dates(name, cells)
        if not texts and self.plain and (numbers := _all_numbers(cells, self.decimal)) is not None:
            return Column(numbers)
        stripped = [cell.strip() for cell in cells]
        known = self.source.classes if texts else None
        column = coded(stripped, self.missing - set(known or ()))
        if texts:
            return column
        return truths(column) or self._numbers(name, option, stripped, column)

    def _numbers(self, name: str, option: str, cells: list[str], column: Column) -> Column:
        """A column as numbers, unless most of its cells are none. Raises DataError where most are, but not all."""
        value = {text: number_of(text, self.decimal) for text in column.texts}
        there = [cell for cell in cells if cell in value]
        if 2 * sum(value[cell] is not None for cell in there) > len(there) or not there:
            found = np.array([value.get(cell, np.nan) for cell in cells], np.float64)
            wrong = ~np.isfinite(found) & ~column.missing
            if not wrong.any():
                return Column(found)
            raise DataError(self._no_number(name, wrong.nonzero()[0].tolist()), path=option)
        other = "," if self.decimal == "." else "."
        if 2 * sum(number_of(cell, other) is not None for cell in there) > len(there):
            rows = [row for row, cell in enumerate(cells) if value.get(cell, 0) is None and number_of(cell, other) is not None]
            raise DataError(self._no_number(name, rows), path=option)
        return column

    def _no_number(self, name: str, rows: list[int]) -> str:
        """Some cells that are no numbers, in words."""
        cells = [self.cells[self.index[name]][row].strip() for row in rows]
        told = f"{self.where(rows[0])}: column {name!r}: expected a finite number, got {self.got(name, rows[0])}{more(len(rows))}"
        other = "," if self.decimal == "." else "."
        value = number_of(cells[0], other)
        if value is None or not np.isfinite(value):
            if (meant := number(cells[0])) is not None:
                return f"{told}; write the number alone, {meant:.12g}"
            if len(set(cells)) > 1 or len(cells[0]) > 20 or value is not None:
                return told
            missing = [*sorted({cell.strip() for column in self.cells for cell in column} & self.missing), cells[0]]
            return f"{told}; if it stands for a missing value, write missing: [{', '.join(map(repr, missing))}]"
        if self.source.decimal is not None:
            return f"{told}; write decimal: {other!r} if that marks its decimals"
        unlike = form.POINT if self.decimal == "." else form.COMMA
        mixed = next((column for column, texts in zip(self.columns, self.cells, strict=True) if unlike.search("\n".join(texts))), None)
        if mixed is not None:
            without = other == "," and form.thousands(cells) and f"; if commas mark thousands here, write {cells[0].replace(',', '')}"
            return f"{told}; decimals are marked by one sign in all columns, and in {mixed!r} that is {self.decimal!r}{without or ''}"
        return f"{told}; {(other == ',' and form.thousands(cells)) or f'write decimal: {other!r} if that marks its decimals'}"

    def _dates(self, name: str, cells: tuple[str, ...]) -> Column:
        """Dates as days. Raises DataError for a cell that holds none."""
        stripped = [cell.strip() for cell in cells]
        there = [cell for cell in stripped if cell not in self.missing]
        found: list[float] = []
        try:
            found.extend(days(there))
        except ValueError:
            row = [row for row, cell in enumerate(stripped) if cell not in self.missing][len(found)]
            told = f"expected a date such as 2020-01-31, 2020-01-31T12:00 or 31.1.2020, got {self.got(name, row)}"
            raise DataError(f"{self.where(row)}: column {name!r}: {told}", path="dates") from None
        numbers = np.full(len(cells), np.nan)
        numbers[[cell not in self.missing for cell in stripped]] = found
        return Column(numbers, days=True)


@contextmanager
def _opened(source: CSV) -> Iterator[TextIO]:
    """A file of text. Raises FileError or DataError where it cannot be read, is no text, or changes meanwhile."""
    path, encoding = source.path, "utf-8-sig" if source.is_utf8 else source.encoding
    try:
        with path.open(encoding=encoding, newline="") as file, form.unchanged(path, file.fileno()):
            yield file
    except UnicodeError as error:
        byte = f", got byte {error.object[error.start]:#x}" if isinstance(error, UnicodeDecodeError) else f": {error}"
        told = f"{path}: expected text in {source.encoding}{byte}; write the encoding that the file has"
        raise DataError(form.no_utf8(path) if source.is_utf8 else told) from None
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"cannot read {path}: {error.strerror}") from None


def _rows(first: list[str], file: TextIO, path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that have cells, each with its line; `first` lines have been read from the file. Raises DataError."""
    reader = csv.reader(chain(first, iter(lambda: form.line_of(file, path), "")), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num}: {error}") from None


class Unlabelled(CSV):
    """A CSV file of rows to predict, which needs no target."""

    target: str = field(default="", kw_only=True)
    targets = ()

    def pieces(self, size: int) -> Iterator[tuple[Cells, list[tuple[int, list[str]]]]]:
        """So many rows at a time, and the table that they are of. Raises FileError or DataError."""
        path = regular_file(self.path)
        with _opened(self) as file:
            first = form.beginning(file, path)
            delimiter = self.delimiter or form.delimiter_of(first, path)
            rows = _rows(first, file, path, delimiter)
            piece = list(islice(rows, size + 1))
            table = Cells.__new__(Cells)
            table._begin(self, piece, delimiter)
            rows = chain(piece[table.has_header :], rows)
            piece = list(islice(rows, size))
            known = [row for _, row in piece if len(row) == len(table.first)]
            table.decimal = self.decimal or form.decimal_of(list(zip(*known, strict=True)), delimiter, path)
            table._note()
            while piece:
                yield table, piece
                piece = list(islice(rows, size))


def _all_numbers(cells: tuple[str, ...], decimal: str) -> np.ndarray | None:
    """The numbers of a column, if all its cells are plainly that: most are, and to ask each one takes long."""
    joined = "".join(cells)
    if "_" in joined or (decimal == "," and "." in joined):
        return None
    try:
        found = np.array(list(map(float, [cell.replace(",", ".") for cell in cells] if decimal == "," else cells)))
    except ValueError:
        return None
    return found if np.isfinite(found).all() else None


def large_note(path: Path) -> tuple[str, ...]:
    """Advice where polars would help."""
    if find_spec("polars") is not None:
        return ()
    return (f"{path.name} has {path.stat().st_size / 2**20:.0f} MiB: pip install 'nnframe[data]' reads it much faster",)
