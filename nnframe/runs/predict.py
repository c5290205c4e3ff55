"""Predicting the rows of a file, some at a time, so that neither the file nor what is predicted has to fit into memory."""

import csv
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from nnframe.data.dataset import Dataset
from nnframe.data.mapped import Mapped
from nnframe.data.source import regular_file
from nnframe.data.sources.csv import CSV, Unlabelled
from nnframe.data.sources.frames import Parquet
from nnframe.errors import DataError, FileError, UsageError, listed
from nnframe.runs.load import Trained
from nnframe.system import npz
from nnframe.training.ensemble import QUANTILES

SIZE = 2**13  # rows at a time, about: a multiple of those that the model takes at a time, so that all goes through it in the same batches
READING = ("delimiter", "decimal", "header", "missing", "dates")  # options of CSV that say how a file is read


@dataclass(frozen=True)
class Piece:
    """Some rows of a file: how many, and what reads a part of them."""

    count: int
    raw: Callable[[slice], Dataset]


def predict(trained: Trained, path: Path, output: Path | None, skip_bad: bool, say: Callable[[str], None]) -> int:
    """Write what is predicted for the rows of a file, a row each, to the file `output` or to the standard output.

    With `skip_bad` a row that has a mistake is told, and has empty cells. Returns how many these were. Raises DataError for such a row
    otherwise, FileError where files cannot be read or written; nothing is left of `output` then.
    """
    pieces = _pieces(trained, path, say)
    first = next(pieces, None)
    if first is None:
        raise DataError(f"{path} has no rows")
    bad = 0
    with _written(output) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns(trained))
        for piece in _and_then(first, pieces):
            for count, found in _good(trained, piece, slice(0, piece.count), skip_bad, say):
                if found is None:
                    bad += count
                    writer.writerows([[""] * len(columns(trained))] * count)
                else:
                    writer.writerows(zip(*_cells(trained, found), strict=True))
    return bad


def columns(trained: Trained) -> list[str]:
    """The names of the columns that are written: what is predicted, then probabilities, then how sure that is."""
    names, steps = _targets(trained), [""]
    found = list(names)
    if trained.kinds:
        classes = [*trained.classes, *map(str, range(len(trained.classes), trained.kinds))]
        steps = [f"_{i}" for i in range(int(np.prod(trained.outputs[:-1])))] if len(trained.outputs) > 1 else [""]
        found = [f"{names[0]}{step}" for step in steps]
        kind = "p" if trained.probable else "output"
        shown = classes if trained.probable or trained.outputs != (1,) else [names[0]]
        found += [f"{kind}{step}_{name}" for step in steps for name in shown]
    elif trained.loss.reads_as != "numbers":
        found += [f"p_{name}" for name in names]
    if trained.members > 1 and trained.kinds and trained.probable:
        found += [f"{name}{step}" for name in ("entropy", "mutual_information") for step in steps]
    elif trained.members > 1:
        outputs = names if not trained.kinds else found[len(steps) :]
        found += [f"{name}_{told}" for told in ("sd", *QUANTILES) for name in outputs]
    return found


def _targets(trained: Trained) -> list[str]:
    """A name for each output."""
    count = int(np.prod(trained.outputs))
    if trained.kinds:
        return [trained.targets[0] if trained.targets else "class"]
    if len(trained.targets) == count:
        return list(trained.targets)
    name = trained.targets[0] if trained.targets else "output"
    return [name] if count == 1 else [f"{name}_{i}" for i in range(count)]


def _cells(trained: Trained, outputs: np.ndarray) -> list[list[str]]:
    """What `columns` names, column by column, as texts."""
    read = trained.averaged(outputs)[1]
    rows = len(read)
    predicted = trained.named(read)
    parts = [predicted]
    if trained.kinds:
        parts.append(trained.shares(read) if trained.probable else read)
    elif trained.loss.reads_as != "numbers":
        parts.append(read)
    if trained.members > 1:
        parts += trained.spread_of(outputs).values()
    return [column.tolist() for part in parts for column in part.reshape(rows, -1).astype(str).T]


def _good(
    trained: Trained, piece: Piece, part: slice, skip_bad: bool, say: Callable[[str], None]
) -> Iterator[tuple[int, np.ndarray | None]]:
    """The outputs of rows in their order, and None for one that has a mistake: that is looked for by halves."""
    try:
        yield part.stop - part.start, trained.outputs_of_raw(piece.raw(part))
    except DataError as error:
        if not skip_bad:
            raise DataError(f"{error.message}; --skip-bad goes on without such rows") from None
        if part.stop - part.start == 1:
            say(f"skipped: {error.message}")
            yield 1, None
            return
        middle = (part.start + part.stop) // 2
        for half in (slice(part.start, middle), slice(middle, part.stop)):
            yield from _good(trained, piece, half, skip_bad, say)


def _pieces(trained: Trained, path: Path, say: Callable[[str], None]) -> Iterator[Piece]:
    """The rows of a file. Raises FileError or DataError."""
    pipeline, batch = trained.parts[0].pipeline, trained.parts[0].model.evaluation_rows()
    size, suffix = max(SIZE // batch, 1) * batch, path.suffix.lower()
    if suffix in Parquet.suffixes:
        table = Parquet(path, target="", inputs=pipeline.raw.inputs or None).table()
        yield from _of_data(pipeline.table(table), size)
    elif suffix in (".npy", ".npz"):
        yield from _of_data(pipeline.raw, size, _array(trained, path))
    elif suffix in CSV.suffixes:
        source = Unlabelled(path, **reading(trained))
        for number, (table, rows) in enumerate(source.pieces(size)):
            if not number:
                for note in table.notes:
                    say(f"note: {note}")
                if extra := pipeline.extra(table, trained.targets):
                    say(f"note: {path.name}: the model has no use for the column{'s' * (len(extra) > 1)} {listed(extra)}")
            yield Piece(len(rows), lambda part, table=table, rows=rows: pipeline.table(table.of_rows(rows[part])))  # type: ignore[misc]
    else:
        raise UsageError(f"{path}: expected a file of rows, {listed([*CSV.suffixes, *Parquet.suffixes, '.npy', '.npz'])}, by its ending")


def _of_data(data: Dataset, size: int, x: Any = None) -> Iterator[Piece]:
    """Rows that are at hand, or those of an array that may stay in its file."""
    count = len(data.x if x is None else x)
    for start in range(0, count, size):
        stop = min(start + size, count)

        def raw(part: slice, start: int = start) -> Dataset:
            chosen = slice(start + part.start, start + part.stop)
            return (
                data.rows(chosen) if x is None else Dataset(np.asarray(x[chosen]), np.zeros((part.stop - part.start, 0)), None, data.inputs)
            )

        yield Piece(stop - start, raw)


def _array(trained: Trained, path: Path) -> Any:
    """The array of inputs in a file. Raises FileError or DataError."""
    raw = trained.parts[0].pipeline.raw
    if raw.categories:
        raise DataError(f"{path}: the inputs {listed(list(raw.categories))} are texts, which no array has; give a CSV file")
    if path.suffix.lower() == ".npy":
        place = npz.npy(regular_file(path))
        x: Any = Mapped.of(place.mapped(), path) if place.nbytes else place.read()
    else:
        name = getattr(trained.experiment.data, "x", "x")
        x = npz.read(regular_file(path), {name})[name]
    if x.shape[1:] != raw.x.shape[1:] or x.dtype.kind not in "fiub":
        wanted = ", ".join(map(str, ("rows", *raw.x.shape[1:])))
        raise DataError(f"{path}: expected numbers ({wanted}), as in training, got {x.dtype} {x.shape}")
    return x


def reading(trained: Trained) -> dict[str, Any]:
    """How CSV files are read: as the one was that was trained on, as far as its config says."""
    source = trained.experiment.data
    return {name: getattr(source, name) for name in READING} if isinstance(source, CSV) else {}


@contextmanager
def _written(output: Path | None) -> Iterator[TextIO]:
    """A file that is there once all is written, or the standard output. Raises FileError."""
    if output is None:
        yield sys.stdout
        return
    part = output.with_name(f".{output.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        os.replace(part, output)
    except OSError as error:
        raise error if isinstance(error, FileError) else FileError(f"cannot write {output}: {error.strerror}") from None
    finally:
        with suppress(OSError):
            part.unlink()


def _and_then(first: Piece, others: Iterator[Piece]) -> Iterator[Piece]:
    yield first
    yield from others
