"""The tables of a sweep, trials.csv and losses.csv, while their rows come in any order, and once they are complete."""

import csv
import io
import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from nnframe.errors import FileError
from nnframe.system import files
from nnframe.system.files import Growing

EVERY = 1.0  # seconds after which rows are on the disk and noted

TABLES, JOURNAL = ("trials.csv", "losses.csv"), ".journal"
SORTED = b'"sorted"'  # the journal's last line, once both tables stand sorted beside the others

Row = tuple[int, str, list[str]]  # trial, its line of trials.csv, its lines of losses.csv


class Results:
    """Rows as blocks end. A journal beside the tables says which bytes are whose, so that after any end of the process
    what a journal line says is there, and nothing else is; at the end, rows are put in the order of their trials."""

    def __init__(self, folder: Path, heads: Sequence[str], count: int) -> None:
        """Begin, or go on with what stands in the folder. Raises FileError."""
        self.folder, self.heads = folder, [f"{head}\n".encode() for head in heads]
        self.places = np.zeros((count, 4), np.int64)  # start and length of each trial's bytes in both tables; length 0 if missing
        self.paths = [folder / name for name in TABLES]
        self.tables, self.journal = [Growing(path) for path in self.paths], Growing(folder / JOURNAL)
        self.waiting: list[list[int]] = []  # trials and their places, not noted yet
        self.noted = time.monotonic()
        noted = 0
        for line in _lines(self.journal.path):
            noted += len(line) + 1
            try:
                self._take_in(json.loads(line))
            except (ValueError, IndexError):
                raise FileError(f"{self.journal.path} is damaged, so the sweep cannot go on") from None
        for k, (table, head) in enumerate(zip(self.tables, self.heads, strict=True)):
            end = int(self.places[:, 2 * k : 2 * k + 2].sum(1).max(initial=0))
            if end and (not table.path.exists() or table.path.stat().st_size < end):
                raise FileError(f"{table.path} is not what the sweep wrote: expected at least {end:,} bytes, so it cannot go on")
            table.cut(end)
            if not end:
                table.write(head)
        self.journal.cut(noted)

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
            self._note(json.dumps(self.waiting).encode())
            self._take_in(self.waiting)
        self.waiting, self.noted = [], time.monotonic()

    def finish(self) -> None:
        """Put all rows in the order of their trials. Raises FileError, with the rows as they were."""
        self.note()
        parts = [Growing(_sorted(path)) for path in self.paths]
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
        except FileError:
            for part in parts:
                part.close()
                with suppress(OSError):
                    part.path.unlink()
            raise
        for part in parts:
            part.close()
        self._note(SORTED)
        self.close()
        settle(self.folder)

    def close(self) -> None:
        for table in (*self.tables, self.journal):
            table.close()

    def _take_in(self, entry: list[list[int]]) -> None:
        numbers = np.array(entry)
        self.places[numbers[:, 0]] = numbers[:, 1:]

    def _note(self, line: bytes) -> None:
        self.journal.write(line + b"\n")
        self.journal.sync()


def settle(folder: Path) -> bool:
    """Are the tables of a folder complete? If the last that their process did was to sort them, they take their places now."""
    journal = folder / JOURNAL
    if _lines(journal)[-1:] == [SORTED]:
        for name in TABLES:
            with suppress(FileNotFoundError):  # it was done already
                os.replace(_sorted(folder / name), folder / name)
        files.sync(folder)
        journal.unlink(missing_ok=True)
    return (folder / TABLES[0]).exists() and not journal.exists()


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


def _lines(journal: Path) -> list[bytes]:
    """The complete lines of a journal; none if there is no journal."""
    try:
        return journal.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise FileError(f"cannot read {journal}: {error.strerror}") from None


def _sorted(path: Path) -> Path:
    return path.with_name(f".{path.name}.sorted")
