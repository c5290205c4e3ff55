"""The form of a CSV file, found in its first lines: what separates columns, what marks decimals, whether there is a header."""

import csv
import os
import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from nnframe.data.table import number_of
from nnframe.errors import DataError, FileError

LINE = 2**24  # characters of one line
LINES, CHARACTERS = 200, 2**20  # of the beginning, by which a form is found
DELIMITERS = ",;\t|"
SHOWN = {"\t": "a tab"}

COMMA = re.compile(r"^\s*[-+]?\d*,\d+(?:[eE][-+]?\d+)?\s*$", re.M)
POINT = re.compile(r"^\s*[-+]?(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?\s*$", re.M)
THOUSANDS = re.compile(r"\s*[-+]?[1-9]\d{0,2},\d{3}\s*")


def line_of(file: TextIO, path: Path) -> str:
    """The next line. Raises DataError for one that is longer than any table has."""
    line = file.readline(LINE)
    if len(line) == LINE:
        raise DataError(f"{path}: a line of more than {LINE // 2**20} MiB is refused")
    return line


def no_utf8(path: Path) -> str:
    """What is wrong with a file that is no UTF-8, and what it looks like."""
    told, around = f"{path}: expected text in UTF-8", b""
    with path.open("rb") as file:
        if file.read(2) in (BOM_UTF16_LE, BOM_UTF16_BE):
            return f"{told}; it looks like UTF-16: write encoding: utf-16, or save the file as UTF-8"
        file.seek(0)
        for number, line in enumerate(iter(lambda: file.readline(LINE), b""), 1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                told = f"{path}:{number}: expected text in UTF-8, got byte {line[error.start]:#x}"
                around = line[max(error.start - 20, 0) : error.end + 20]
                break
    with suppress(UnicodeDecodeError):
        if (text := around.decode("cp1252").strip()) and text.isprintable():
            return f"{told}; it looks like cp1252 (Windows), {text!r}: write encoding: cp1252, or save the file as UTF-8"
    return f"{told}; save the file as UTF-8"


@contextmanager
def unchanged(path: Path, descriptor: int) -> Iterator[None]:
    """Raise FileError if an open file is written to meanwhile."""
    before = os.fstat(descriptor)
    yield
    after = os.fstat(descriptor)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise FileError(f"{path} changed while it was read; try again when nothing writes to it")


def beginning(file: TextIO, path: Path) -> list[str]:
    """The first lines."""
    found: list[str] = []
    size = 0
    while len(found) < LINES and size < CHARACTERS and (line := line_of(file, path)):
        found.append(line)
        size += len(line)
    return found


def delimiter_of(lines: Sequence[str], path: Path) -> str:
    """What separates the columns: the mark that cuts all lines into as many cells, and most of these are numbers. Raises DataError where
    two marks do so equally well."""
    text = "".join(lines)
    rows = {mark: _rows(lines, mark) for mark in DELIMITERS if mark in text}
    even = {mark: cut for mark, cut in rows.items() if cut and len(cut[0]) > 1 and len({len(row) for row in cut}) == 1}
    if len(even) > 1:
        share = {mark: _share_of_numbers(cut, mark) for mark, cut in even.items()}
        best = [mark for mark in even if share[mark] == max(share.values())]
        if len(best) > 1:
            told = " and by ".join(SHOWN.get(mark, repr(mark)) for mark in best)
            raise DataError(f"{path}: its lines may be separated by {told}; say which with `delimiter`")
        return best[0]
    if even:
        return next(iter(even))
    return max(rows, key=lambda mark: len(rows[mark][0]) if rows[mark] else 0, default=",")


def _rows(lines: Sequence[str], mark: str) -> list[list[str]]:
    """The lines as cells; without the last of them, where a quoted cell may have been cut off."""
    try:
        rows = [row for row in csv.reader(lines, delimiter=mark) if row]
    except csv.Error:
        return []
    return rows[:-1] if len(rows) > 2 and len(lines) == LINES else rows


def _share_of_numbers(rows: list[list[str]], mark: str) -> float:
    cells = [cell for row in (rows[1:] or rows) for cell in row]
    decimals = "." if mark == "," else ".,"
    return sum(any(number_of(cell.strip(), decimal) is not None for decimal in decimals) for cell in cells) / len(cells)


def thousands(cells: Sequence[str]) -> str:
    """That commas may be marks of thousands, in words; nothing if in some of the cells they are none."""
    if not all(map(THOUSANDS.fullmatch, cells)):
        return ""
    cell = cells[0].strip()
    point = cell.replace(",", ".")
    told = f"{cell!r} may be {point} or {cell.replace(',', '')}; write decimal: ',' if it is {point}"
    return f"{told}, or else the numbers without marks of thousands"


def decimal_of(columns: Sequence[Sequence[str]], delimiter: str, path: Path) -> str:
    """What marks decimals: a comma if there are cells such as 1,5 and none such as 1.5. Raises DataError if that may be thousands."""
    if delimiter == ",":
        return "."
    commas: list[str] = []
    for cells in columns:
        joined = "\n".join(cells)
        if "." in joined and POINT.search(joined):
            return "."
        if "," in joined:
            commas += COMMA.findall(joined)
    if commas and (told := thousands(commas)):
        raise DataError(f"{path}: {told}")
    return "," if commas else "."


def header_of(first: Sequence[str], named: Collection[str]) -> bool:
    """Is the first line, its cells stripped, a header? `named` are the columns that the options name.

    It is none if all its cells are numbers, or if some are and options name columns by their numbers.
    """
    numbers = [cell for cell in first if number_of(cell) is not None or number_of(cell, ",") is not None]
    if not numbers or counts(first):
        return True
    places = {str(i) for i in range(len(first))}
    by_place = not set(named) - places
    if len(numbers) == len(first):
        return not by_place and len(set(first)) == len(first) and not set(named) - set(first)
    return not by_place or not set(named) - set(first)


def counts(first: Sequence[str]) -> bool:
    """Is the first line 0, 1, ..., as pandas names columns that have no names?"""
    return list(first) == [str(i) for i in range(len(first))] and len(first) > 1


def notes(path: Path, delimiter: str | None, decimal: str | None, first: Sequence[str], header: bool | None) -> tuple[str, ...]:
    """What was found, in words; None for what was given, and nothing for a header, commas and points."""
    found: list[str] = []
    marks: list[Any] = []
    if delimiter not in (None, ","):
        marks.append(f"columns are separated by {SHOWN.get(delimiter, repr(delimiter))}")
    if decimal not in (None, "."):
        marks.append(f"decimals are written with {decimal!r}")
    if marks:
        found.append(f"{path.name}: {', '.join(marks)}")
    if header is False:
        found.append(f"{path.name} has no header: columns are named 0, 1, ...")
    elif header and counts(first):
        found.append(f"{path.name}: the first line, 0, 1, ..., is taken as the header")
    return tuple(found)
