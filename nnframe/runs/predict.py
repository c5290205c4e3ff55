"""Predicting the rows of a file, some at a time, so that neither the file nor what is predicted has to fit into memory."""

import csv
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from nnframe.data.dataset import Dataset
from nnframe.data.mapped import Mapped
from nnframe.data.source import regular_file
from nnframe.data.sources.csv import CSV, Cells, Unlabelled
from nnframe.data.sources.frames import Parquet
from nnframe.errors import DataError, FileError, UsageError, listed
from nnframe.runs.load import Trained
from nnframe.system import npz

READING = ("delimiter", "decimal", "header", "missing", "dates", "encoding")  # options of CSV that say how a file is read


@dataclass(frozen=True)
class Piece:
    """Some rows of a file: how many, what reads those of them that are wanted, where one of them stands, and the columns to copy."""

    count: int
    raw: Callable[[np.ndarray], Dataset]
    where: Callable[[int], str]
    copied: Sequence[Sequence[str]] = ()


def predict(
    trained: Trained, path: Path, output: Path | None, skip_bad: bool, say: Callable[[str], None], copied: Sequence[str] = ()
) -> int:
    """Write what is predicted for the rows of a file, a row each, to the file `output` or to standard output, behind columns of the rows
    that are `copied`.

    With `skip_bad` a row that has a mistake is told, and its line has empty cells. Returns how many these were. Raises DataError for such a
    row otherwise, FileError where files cannot be read or written, UsageError where `output` is `path`; nothing is left of `output` then.
    """
    pieces = _pieces(trained, path, say, copied)
    first = next(pieces, None)
    if first is None:
        raise DataError(f"{path} has no rows")
    nothing = np.zeros((trained.members, 1, *trained.outputs), trained.parts[0].model.dtype)
    count, names = 0, list(answers(trained, nothing))
    with _written(output, path) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*copied, *names])
        for piece in chain([first], pieces):
            outputs, bad = _outputs(trained, piece, skip_bad, say)
            found = {} if outputs is None else answers(trained, outputs)
            cells = [column.astype(str).tolist() for column in found.values()] or [[""] * piece.count for _ in names]
            for column in cells:
                for row in bad:
                    column[row] = ""
            writer.writerows(zip(*piece.copied, *cells, strict=True))
            count += len(bad)
    return count


def _outputs(trained: Trained, piece: Piece, skip_bad: bool, say: Callable[[str], None]) -> tuple[np.ndarray | None, list[int]]:
    """The outputs of all rows of a piece, and which of these have mistakes: another stands in their place, so that the others are predicted
    in the same batches as without them."""
    rows = np.arange(piece.count)
    try:
        return trained.outputs_of_raw(piece.raw(rows)), []
    except DataError as error:
        bad = dict(_mistakes(trained, piece, rows))
        if not bad:
            raise
        if not skip_bad:
            told = next(iter(bad.values()))
            more = f" {len(bad) - 1} more of its {piece.count:,} rows have mistakes." if len(bad) > 1 else ""
            raise DataError(f"{told.rstrip('.')}.{more} --skip-bad goes on without such rows") from error
    for message in bad.values():
        say(f"skipped: {message}")
    good = np.setdiff1d(rows, list(bad))
    if not good.size:
        return None, list(bad)
    rows[list(bad)] = good[0]
    return trained.outputs_of_raw(piece.raw(rows)), list(bad)


def _mistakes(trained: Trained, piece: Piece, rows: np.ndarray) -> Iterator[tuple[int, str]]:
    """The rows that cannot be predicted, each with what is wrong: they are looked for by halves."""
    try:
        trained.seen(piece.raw(rows))
    except DataError as error:
        if len(rows) > 1:
            for half in np.array_split(rows, 2):
                yield from _mistakes(trained, piece, half)
            return
        place = piece.where(int(rows[0]))
        yield int(rows[0]), error.message if error.message.startswith(place) else f"{place}: {error.message}"


def answers(trained: Trained, outputs: np.ndarray) -> dict[str, np.ndarray]:
    """What outputs (members, rows, *outputs) say of rows, as columns (rows,) by name: what is predicted, then probabilities, then how sure
    that is."""
    read, names, sure = trained.averaged(outputs)[1], _targets(trained), bool(trained.kinds) and trained.probable
    steps = [f"_{i}" for i in range(int(np.prod(trained.outputs[:-1])))] if trained.kinds and len(trained.outputs) > 1 else [""]
    each = trained.class_names if sure or (trained.kinds and trained.outputs != (1,)) else names
    labels = [f"{step}_{name}" for step in steps for name in each]  # of what is read
    parts = [([f"{name}{step}" for name in names for step in steps], trained.named(read))]
    if sure or trained.loss.reads_as != "numbers":
        parts.append(([f"p{label}" for label in labels], trained.shares(read)))
    elif trained.kinds:
        parts.append(([f"output{label}" for label in labels], read))
    for told, value in trained.spread_of(outputs).items() if trained.members > 1 else ():
        parts.append(([f"{told}{step}" for step in steps] if sure else [f"{label[1:]}_{told}" for label in labels], value))
    return {name: column for names, part in parts for name, column in zip(names, part.reshape(len(read), -1).T, strict=True)}


def _targets(trained: Trained) -> list[str]:
    """A name for each output."""
    count = int(np.prod(trained.outputs))
    if trained.kinds:
        return [trained.targets[0] if trained.targets else "class"]
    if len(trained.targets) == count:
        return list(trained.targets)
    name = trained.targets[0] if trained.targets else "output"
    return [name] if count == 1 else [f"{name}_{i}" for i in range(count)]


def _pieces(trained: Trained, path: Path, say: Callable[[str], None], copied: Sequence[str]) -> Iterator[Piece]:
    """The rows of a file. Raises FileError or DataError."""
    pipeline, size, suffix = trained.parts[0].pipeline, trained.piece, path.suffix.lower()
    if copied and suffix not in CSV.suffixes:
        raise UsageError(f"{path}: columns are copied of CSV files; leave --with out")
    if suffix in Parquet.suffixes:
        data = pipeline.table(Parquet(path, target="", inputs=pipeline.raw.inputs or None).table())
        yield from _of_rows(path, len(data.x), size, data.rows)
    elif suffix in (".npy", ".npz"):
        x = _array(trained, path)

        def rows(index: np.ndarray) -> Dataset:
            return Dataset(np.asarray(x[index]), np.zeros((len(index), 0)), None, pipeline.raw.inputs)

        yield from _of_rows(path, len(x), size, rows)
    elif suffix in CSV.suffixes:
        yield from _of_csv(trained, Unlabelled(path, **reading(trained)), size, say, copied)
    else:
        raise UsageError(f"{path}: expected a file of rows, {listed([*CSV.suffixes, *Parquet.suffixes, '.npy', '.npz'])}, by its ending")


def _of_rows(path: Path, count: int, size: int, rows: Callable[[np.ndarray], Dataset]) -> Iterator[Piece]:
    """Pieces of what has an index."""
    for start in range(0, count, size):

        def raw(index: np.ndarray, start: int = start) -> Dataset:
            return rows(start + index)

        def where(row: int, start: int = start) -> str:
            return f"{path}, row {start + row}"

        yield Piece(min(size, count - start), raw, where)


def _of_csv(trained: Trained, source: Unlabelled, size: int, say: Callable[[str], None], copied: Sequence[str]) -> Iterator[Piece]:
    pipeline = trained.parts[0].pipeline
    for number, (table, rows) in enumerate(source.pieces(size)):
        if not number:
            pipeline.refuse_lacking(table)
            for note in table.notes:
                say(f"note: {note}")
            for name in copied:
                table.look_up(name, "")
            if extra := pipeline.extra(table, [*trained.targets, *copied]):
                say(f"note: {source.path.name}: the model has no use for the column{'s' * (len(extra) > 1)} {listed(extra)}")

        def raw(index: np.ndarray, table: Cells = table, rows: list[Any] = rows) -> Dataset:
            return pipeline.table(table.of_rows([rows[i] for i in index.tolist()]))

        def where(row: int, rows: list[Any] = rows) -> str:
            return f"{source.path}:{rows[row][0]}"

        places = [table.index[name] for name in copied]
        yield Piece(len(rows), raw, where, [[row[place] if place < len(row) else "" for _, row in rows] for place in places])


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
def _written(output: Path | None, rows: Path) -> Iterator[TextIO]:
    """A file that is there once all is written, or the standard output. Raises FileError, and UsageError for the file of `rows` itself."""
    if output is None:
        yield sys.stdout
        return
    if output.is_dir():
        raise FileError(f"cannot write {output}: it is a folder; name a file")
    if output.exists() and output.samefile(rows):
        raise UsageError(f"{output} holds the rows to predict, and would be written over; name another file")
    place = output.resolve()  # a link stays one
    whole = place.is_file() or not place.exists()
    part = place.with_name(f".{place.name}.part") if whole else place  # a pipe or a device takes it as it comes
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        if whole:
            os.replace(part, place)
    except OSError as error:
        raise error if isinstance(error, FileError) else FileError(f"cannot write {output}: {error.strerror}") from None
    finally:
        if whole:
            with suppress(OSError):
                part.unlink()
