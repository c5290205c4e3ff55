"""The tables of a sweep, trials.csv and losses.csv, while their rows come in any order, and once they are complete."""

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnframe import files
from nnframe.errors import FileError

Row = tuple[int, str, list[str]]  # trial, its line of trials.csv, its lines of losses.csv


class Results:
    """Rows as blocks end. A journal beside the tables says which bytes are whose, so that after any end of the process
    what a journal line says is there, and nothing else is; at the end, rows are put in the order of their trials.

    The journal's first line holds `identity`: plain data that says what is tried on what.
    """

    def __init__(self, folder: Path, heads: tuple[str, str], count: int, identity: Any) -> None:
        """Begin, or go on with what stands in the folder. Raises FileError, with the difference if it is another sweep."""
        self.folder, self.heads = folder, heads
        self.places = np.zeros((count, 4), np.int64)  # start and length of each trial's bytes in both tables; length 0 if missing
        self.paths = [folder / "trials.csv", folder / "losses.csv"]
        self.journal = folder / ".journal"
        self._settle()
        lines = self._journal_lines()
        self.tables = [_Growing(path) for path in self.paths]
        self.notes = _Growing(self.journal)
        if not lines:
            for table, head in zip(self.tables, heads, strict=True):
                table.cut(0)
                table.write(head.encode())
                table.sync()
            self.notes.cut(0)
            self._note(identity)
            return
        length = len(lines[0]) + 1
        for line in lines[1:]:
            length += len(line) + 1
            self._take_in(json.loads(line))
        for k, (table, head) in enumerate(zip(self.tables, heads, strict=True)):
            table.cut(max(int((self.places[:, 2 * k] + self.places[:, 2 * k + 1]).max(initial=0)), len(head.encode())))
        self.notes.cut(length)

    @property
    def missing(self) -> np.ndarray:
        """A mask of the trials that have no row yet."""
        return self.places[:, 1] == 0

    def add(self, rows: Sequence[Row]) -> None:
        """The rows of a block. Raises FileError where they cannot be written; then none of them counts."""
        entry = []
        for trial, line, log in rows:
            texts = [f"{line}\n".encode(), "".join(f"{trial},{part}\n" for part in log).encode()]
            places = []
            for table, text in zip(self.tables, texts, strict=True):
                places += [table.end, len(text)]
                table.write(text)
            entry.append([trial, *places])
        for table in self.tables:
            table.sync()
        self._note(entry)
        self._take_in(entry)

    def finish(self) -> None:
        """Put all rows in the order of their trials."""
        for k, (table, path, head) in enumerate(zip(self.tables, self.paths, self.heads, strict=True)):
            table.sync()
            ordered = _Growing(_part(path))
            ordered.cut(0)
            ordered.write(head.encode())
            with path.open("rb") as rows:
                for start, length in self.places[:, 2 * k : 2 * k + 2].tolist():
                    rows.seek(start)
                    ordered.write(rows.read(length))
            ordered.sync()
            ordered.close()
        self._note("sorted")
        self.close()
        self._settle()

    def close(self) -> None:
        for table in (*self.tables, self.notes):
            table.close()

    def _note(self, entry: Any) -> None:
        self.notes.write(f"{json.dumps(entry)}\n".encode())
        self.notes.sync()

    def _take_in(self, entry: Iterable[Sequence[int]]) -> None:
        for trial, *places in entry:
            self.places[trial] = places

    def _journal_lines(self) -> list[bytes]:
        """Its complete lines."""
        try:
            return self.journal.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise FileError(f"cannot read {self.journal}: {error.strerror}") from None

    def _settle(self) -> None:
        """Let the sorted tables take the places of the others, if all of them were written."""
        if self._journal_lines()[-1:] == [b'"sorted"']:
            for path in self.paths:
                if _part(path).exists():
                    os.replace(_part(path), path)
            files.sync(self.folder)
            self.journal.unlink()


def identity_of(folder: Path) -> Any:
    """What the journal of an unfinished sweep says is tried; None if there is no journal."""
    try:
        with (folder / ".journal").open("rb") as file:
            line = file.readline()
        return json.loads(line) if line.endswith(b"\n") else None
    except (OSError, ValueError):
        return None


def line_of(cells: Iterable[str]) -> str:
    """Cells as a line of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()


def read(path: Path) -> Iterator[list[str]]:
    """The rows of a table, its head first. Raises FileError if there is none."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.reader(file)
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}") from None


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


class _Growing:
    """A file that grows at its end. Raises FileError where it cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path, self.end = path, 0
        self.waiting: list[bytes] = []
        try:
            self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
        except OSError as error:
            raise FileError(f"cannot write {path}: {error.strerror}") from None

    def write(self, data: bytes) -> None:
        self.waiting.append(data)
        self.end += len(data)
        if len(self.waiting) > 1000:
            self.flush()

    def flush(self) -> None:
        rest = memoryview(b"".join(self.waiting))
        self.waiting = []
        try:
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]
        except OSError as error:
            raise files.unwritten(self.path, error, len(rest)) from None

    def sync(self) -> None:
        """Have everything on the disk."""
        self.flush()
        try:
            os.fsync(self.descriptor)
        except OSError as error:
            raise files.unwritten(self.path, error, self.end) from None

    def cut(self, size: int) -> None:
        """Drop all but the first `size` bytes."""
        self.end, self.waiting = size, []
        os.ftruncate(self.descriptor, size)
        os.lseek(self.descriptor, size, os.SEEK_SET)

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
