"""The tables of a sweep, such as trials.csv and losses.csv, while their rows come in any order, and once they are complete.

A journal beside them says what stands in them: which bytes are whose, a hash of all, and at last that they are complete. It is there
before the tables and stays; what it does not say is not so.
"""

import csv
import io
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from nnframe.data.source import regular_file
from nnframe.errors import FileError, UsageError
from nnframe.system import files
from nnframe.system.files import Growing

CHECK = 16  # bytes of the hash that ties a line of the journal to those before it
EVERY = 1.0  # seconds after which rows are on the disk and noted

Row = tuple[int, str, list[str]]  # trial, its line of trials.csv, its lines of losses.csv


TABLES = ("trials.csv", "losses.csv")  # a row a trial, and its log;
JOURNAL = "journal.jsonl"  # and the journal of both


def begin(folder: Path, heads: Sequence[str], count: int) -> None:
    """Write the journal's first line, which says what is to come: `count` trials in two tables with these heads. Raises FileError."""
    files.write(folder / JOURNAL, _line("", {"trials": count, "heads": list(heads)})[0])


def begin_folder(folder: Path, heads: Sequence[str], count: int) -> None:
    """Make a folder whose journal has begun: at any instant there is none, or one that can be gone on with. Raises FileError."""
    part = files.folder(folder.with_name(f"{folder.name}.part"))
    begin(part, heads, count)
    try:
        os.replace(part, folder)
        files.sync(folder.parent)
    except OSError as error:
        raise FileError(f"cannot make the folder {folder}: {error.strerror}") from None


class Results:
    """Rows as blocks end. A line of the journal says which bytes are whose, so that after any end of the process
    what it says is there, and nothing else is; at the end, rows are put in the order of their trials."""

    def __init__(self, folder: Path, heads: Sequence[str], count: int) -> None:
        """Go on with what stands in a folder whose journal has begun. Raises FileError for files that are not what was written."""
        self.folder, self.heads = folder, [f"{head}\n".encode() for head in heads]
        self.places = np.zeros((count, 4), np.int64)  # start and length of each trial's bytes in both tables; length 0 if missing
        self.paths = [folder / name for name in TABLES]
        self.tables, self.journal = [Growing(path) for path in self.paths], Growing(folder / JOURNAL)
        self.waiting: list[list[int]] = []  # trials and their places, not noted yet
        self.noted = time.monotonic()
        (first, *entries), self.check, size = _read(self.journal.path)
        if (first["trials"], first["heads"]) != (count, list(heads)):
            raise FileError(f"{self.journal.path} is of other tables, so the sweep cannot go on")
        for entry in entries:
            self._take_in(entry["rows"])
        stands = entries[-1]["tables"] if entries else [(0, "")] * len(self.tables)
        for table, (length, digest) in zip(self.tables, stands, strict=True):  # before any of them is changed
            if length:
                _verify(table, length, digest)
        for table, (length, _), head in zip(self.tables, stands, self.heads, strict=True):
            table.cut(length)
            if not length:
                table.write(head)
        self.journal.cut(size)

    @property
    def missing(self) -> np.ndarray:
        """A mask of the trials that have no row yet."""
        return self.places[:, 1] == 0

    def add(self, rows: Iterable[Row]) -> None:
        """The rows of a block, noted soon. Raises FileError where they cannot be written."""
        for trial, line, log in rows:
            entry = [trial]
            for table, text in zip(self.tables, (f"{line}\n", "".join([f"{trial},{part}\n" for part in log])), strict=True):
                data = text.encode()
                entry += [table.bytes, len(data)]
                table.write(data)
            self.waiting.append(entry)
        if time.monotonic() - self.noted > EVERY:
            self.note()

    def note(self) -> None:
        """Have all rows on the disk, and then noted. Raises FileError; rows that were not noted do not count then."""
        for table in self.tables:
            table.sync()
        if self.waiting:
            self._note({"rows": self.waiting, "tables": _state(self.tables)})
            self._take_in(self.waiting)
        self.waiting, self.noted = [], time.monotonic()

    def finish(self) -> None:
        """Put all rows in the order of their trials. Raises FileError, with the rows as they were; UsageError if some are missing."""
        self.note()
        if self.missing.any():
            raise UsageError(f"{self.folder}: {int(self.missing.sum()):,} trials have no row, so the tables are not complete")
        parts, size = [Growing(_sorted(path)) for path in self.paths], self.journal.bytes
        try:
            for k, (part, path, head) in enumerate(zip(parts, self.paths, self.heads, strict=True)):
                part.cut(0)
                part.write(head)
                with path.open("rb") as rows:
                    for start, length in self.places[:, 2 * k : 2 * k + 2]:
                        rows.seek(start)
                        part.write(rows.read(length))
                part.sync()
            files.sync(self.folder)
            self._note({"complete": _state(parts)})
        except FileError:
            self.journal.cut(size)
            for part in parts:
                part.close()
                with suppress(OSError):
                    part.path.unlink()
            raise
        for part in parts:
            part.close()
        self.close()
        settle(self.folder)

    def close(self) -> None:
        for table in (*self.tables, self.journal):
            table.close()

    def _take_in(self, rows: list[list[int]]) -> None:
        numbers = np.array(rows)
        self.places[numbers[:, 0]] = numbers[:, 1:]

    def _note(self, entry: dict[str, Any]) -> None:
        line, self.check = _line(self.check, entry)
        self.journal.write(line)
        self.journal.sync()


def settle(folder: Path) -> bool:
    """Are the tables complete, and in order? If the last that their process did was to sort them, they take their places now.

    Raises FileError if the journal is missing or damaged, or a table is not what it says.
    """
    last = _read(folder / JOURNAL)[0][-1]
    for path, length, digest in _stated(folder, last.get("tables", ())):
        _verify(Growing(path), length, digest)
    for path, length, digest in _stated(folder, last.get("complete", ())):
        if _same(_sorted(path), length, digest):
            try:
                os.replace(_sorted(path), path)
                files.sync(folder)
            except OSError as error:
                raise FileError(f"cannot put {_sorted(path)} in the place of {path}: {error.strerror}") from None
    return complete(folder)


def complete(folder: Path) -> bool:
    """Are the tables complete, and in order? Nothing is changed. Raises FileError as `settle` does."""
    last = _read(folder / JOURNAL)[0][-1]
    for path, length, digest in _stated(folder, last.get("complete", ())):
        if _same(_sorted(path), length, digest):
            return False
        if not _same(path, length, digest):
            raise FileError(f"{path} is not what the sweep wrote: expected the {length:,} bytes whose hash is in {JOURNAL}")
    return "complete" in last


def noted(folder: Path) -> list[int]:
    """The trials whose rows are said to be whole. Raises FileError for a journal that is missing or damaged."""
    entries = _read(folder / JOURNAL)[0]
    return [row[0] for entry in entries for row in entry.get("rows", ())]


def verified(folder: Path) -> list[int]:
    """The same, once the bytes of tables, complete or not, are known to be those that were noted. Raises FileError as `settle` does."""
    _, *entries = _read(folder / JOURNAL)[0]
    rows = [entry for entry in entries if "rows" in entry]
    for path, length, digest in _stated(folder, rows[-1]["tables"] if rows and "complete" not in entries[-1] else ()):
        _verify(Growing(path), length, digest)
    return noted(folder)


def line_of(cells: Iterable[str]) -> str:
    """Cells as a line of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def _line(before: str, entry: Mapping[str, Any]) -> tuple[bytes, str]:
    """An entry as a line of the journal, and its check, a hash of the entry and of all before it."""
    return _sealed(before, json.dumps(entry)[1:].encode())


def _sealed(before: str, text: bytes) -> tuple[bytes, str]:
    check = blake2b(before.encode() + text, digest_size=CHECK).hexdigest()
    return b'{"check": "%s", %s\n' % (check.encode(), text), check


def _read(journal: Path) -> tuple[list[dict[str, Any]], str, int]:
    """The entries of a journal, its last check, and the bytes of its whole lines. Raises FileError unless all is as it was written."""
    if not journal.exists():
        raise FileError(f"{journal} is missing, and nothing else says which rows are whole; copy it from where the folder comes from")
    try:
        *lines, _ = regular_file(journal).read_bytes().split(b"\n")
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"cannot read {journal}: {error.strerror}") from None
    entries, check = [], ""
    for number, line in enumerate(lines or [b""], 1):
        sealed, check = _sealed(check, line[len('{"check": "", ') + 2 * CHECK :])
        if sealed != line + b"\n":
            raise FileError(f"{journal} is damaged, so the sweep cannot go on: its line {number} is not what was written")
        entries.append(json.loads(line))
    return entries, check, sum(map(len, lines)) + len(lines)


def _stated(folder: Path, states: Iterable[tuple[int, str]]) -> list[tuple[Path, int, str]]:
    """Path, length and hash of each table of which the journal states something."""
    return [(folder / name, *state) for name, state in zip(TABLES, states, strict=False)]


def _state(tables: Iterable[Growing]) -> list[tuple[int, str]]:
    """Length and hash of each table."""
    return [(table.bytes, table.hash.hexdigest()) for table in tables]


def _verify(table: Growing, length: int, digest: str) -> None:
    """Raise FileError unless a table begins with the bytes that were hashed."""
    if not table.path.exists() or table.path.stat().st_size < length:
        raise FileError(f"{table.path} is not what the sweep wrote: expected at least {length:,} bytes, so it cannot go on")
    table.verify(length, bytes.fromhex(digest))


def _same(path: Path, length: int, digest: str) -> bool:
    """Does a file hold just the bytes that were hashed?"""
    try:
        Growing(path).verify(length, bytes.fromhex(digest))
        return path.stat().st_size == length
    except OSError:
        return False


def _sorted(path: Path) -> Path:
    return path.with_name(f"{path.stem}.sorted{path.suffix}")
