"""What is in the data of a config, for a person: parts, columns, classes, duplicates, and the first rows as the model sees them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nnframe.components.wording import aligned, flow, ordinary
from nnframe.config.compose import load
from nnframe.config.experiment import checked, each_of, located
from nnframe.config.reading import ROWS as ENDINGS
from nnframe.data.dataset import Dataset
from nnframe.data.duplicates import as_bytes, shared
from nnframe.data.mapped import Mapped, chunks, extremes
from nnframe.data.mending import Lacking
from nnframe.data.source import PreparedData, Source
from nnframe.data.sources.csv import CSV
from nnframe.data.sources.frames import Parquet
from nnframe.data.table import Refused
from nnframe.data.transforms.scaling import Standardize
from nnframe.errors import DataError, NNFrameError, listed

COLUMNS, ROWS, WIDE = 20, 5, 8  # of a table at most: lines, rows of data, and columns beside each other
MOST = 10**6  # rows among which duplicates are looked for
VERBS = {"training": "train", "validation": "validate", "test": "test"}


def show(config: Path, overrides: list[str]) -> int:
    """Print it. Returns the exit status. Raises ConfigError for data that cannot be trained on."""
    if config.suffix.lower() in ENDINGS and config.is_file() and not overrides:
        print(*_beginning(config), sep="\n")
        return 0
    experiment = checked(document := load(config, overrides))
    source = experiment.data
    fold = None if source.all_folds is None else 0
    try:
        parts = source.split_rows(experiment.seed, test=True, fold=fold)
        prepared = source.transformed(parts)
    except NNFrameError as error:
        raise located(document, each_of(error, "data"), getattr(error, "mend", "")) from None
    for line in described(experiment.name, source, parts, prepared):
        print(line)
    return 0


def _beginning(path: Path) -> Iterator[str]:
    """What is in a file of rows, and a config to begin with, whose target is the last column."""
    kind = {"CSV": CSV, "Parquet": Parquet}[ENDINGS[path.suffix.lower()]]
    *names, target = kind(path, target="").table().columns
    inputs = None
    try:
        data = kind(path, target=target).read()
    except DataError as error:
        out = [one.column for one in getattr(error, "each", [error]) if isinstance(one, Refused)]
        inputs = tuple(name for name in names if name not in out)
        if not out or not inputs:
            raise
        data = kind(path, target=target, inputs=inputs).read()
    yield from (f"# {line}" for line in (*data.notes, *_columns(data)))
    gaps = [name for name, lost in zip(data.inputs, np.isnan(data.x).any(0), strict=True) if lost]
    transforms = Lacking((Standardize(),), data.categories, gaps).mend or "transforms: [Standardize]"
    chosen = f", inputs: {flow(inputs)}" if inputs else ""
    scaled = "" if data.classes else ", target_transforms: [Standardize]"
    yield f"data: {{type: {kind.__name__}, path: {flow(str(path))}, target: {flow(target)}{chosen},"
    yield f"  {transforms}{scaled}, validation: 0.2}}"
    yield "model:"
    yield "  - {type: Dense, units: 16}"
    yield "  - Tanh"
    yield f"  - {{type: Dense, units: {len(data.classes) or 1}}}"
    yield f"loss: {'CrossEntropy' if data.classes else 'MSE'}"
    yield "optimizer: {type: Adam, lr: 0.01}"
    yield "train: {epochs: 50, batch_size: 32}"


def described(name: str, source: Source, parts: dict[str, Dataset], prepared: PreparedData) -> Iterator[str]:
    """The lines; `parts` are as they were read, `prepared` as they are trained on."""
    training = parts["training"]
    of_fold = "" if source.all_folds is None else f" in {source.all_folds.word} 0 of {source.all_folds.count}"
    counts = ", ".join(f"{_rows(part):,} to {VERBS[part_name]} on" for part_name, part in parts.items())
    yield f"{name}: {type(source).__name__}, {sum(map(_rows, parts.values())):,} rows: {counts}{of_fold}"
    yield from (f"note: {note}" for note in training.notes)
    if training.x.ndim == 2:
        yield ""
        yield from _columns(training)
    else:
        (low, high), missing = extremes(training.x), sum(np.isnan(part).sum() for part in chunks(training.x))
        shape = " x ".join(map(str, training.x.shape[1:]))
        yield f"inputs: {shape} numbers a row, from {ordinary(low.min())} to {ordinary(high.max())}, {int(missing):,} missing"
    yield ""
    yield from _classes(parts) if training.classes else _targets(parts)
    yield ""
    yield from _duplicates(parts)
    yield ""
    yield "the first rows that are trained on, as the model sees them:"
    yield from _first(prepared.training)


def _rows(part: Dataset) -> int:
    """Without those that only fill up."""
    return len(part.x) if part.weight is None else int(np.count_nonzero(part.weight))


def _columns(data: Dataset) -> Iterator[str]:
    (low, high), missing = extremes(data.x), sum(np.isnan(part).sum(0) for part in chunks(data.x))
    names = data.inputs or tuple(map(str, range(data.x.shape[1])))
    rows = [["input", "kind", "from", "to", "missing", "in the training part"]]
    for i, name in enumerate(names[:COLUMNS]):
        texts, lost = data.categories.get(name), f"{missing[i]:,}" if missing[i] else ""
        if texts is not None:
            rows.append([name, "texts", "", "", lost, listed(texts, 6)])
        else:
            rows.append([name, _kind(data, i), ordinary(low[i]), ordinary(high[i]), lost, "always the same" if low[i] == high[i] else ""])
    yield from aligned(rows)
    if len(names) > COLUMNS:
        yield f"... and {len(names) - COLUMNS:,} more inputs, from {ordinary(low[COLUMNS:].min())} to {ordinary(high[COLUMNS:].max())}"


def _kind(data: Dataset, column: int) -> str:
    first = next(chunks(data.x))[:, column]
    known = first[np.isfinite(first)]
    values = np.unique(known) if len(known) <= MOST else known
    if len(values) and set(values.tolist()) <= {0.0, 1.0}:
        return "0 or 1"
    return "whole numbers" if np.all(known == np.floor(known)) else "numbers"


def _classes(parts: dict[str, Dataset]) -> Iterator[str]:
    training = parts["training"]
    rows = [["class", *parts]]
    counts = {
        name: np.bincount(part.y, part.weight != 0 if part.weight is not None else None, len(training.classes))
        for name, part in parts.items()
    }
    for number, name in enumerate(training.classes[:COLUMNS]):
        told = [f"{int(count[number]):,} ({100 * count[number] / max(count.sum(), 1):.1f} %)" for count in counts.values()]
        rows.append([name, *told])
    yield f"target: {', '.join(training.targets) or 'classes'}"
    yield from aligned(rows)
    if len(training.classes) > COLUMNS:
        yield f"... and {len(training.classes) - COLUMNS:,} more classes"


def _targets(parts: dict[str, Dataset]) -> Iterator[str]:
    for name, part in parts.items():
        y = part.y.astype(np.float64)
        names = ", ".join(part.targets) or "target"
        low, high, mean, sd = map(ordinary, (y.min(), y.max(), y.mean(), y.std()))
        yield f"target in {name}: {names}, from {low} to {high}, mean {mean}, sd {sd}"


def _duplicates(parts: dict[str, Dataset]) -> Iterator[str]:
    """How many rows of inputs occur more than once, within what is trained on and between it and what is held out."""
    if any(isinstance(part.x, Mapped) for part in parts.values()) or sum(len(part.x) for part in parts.values()) > MOST:
        yield f"duplicates: not looked for among more than {MOST:,} rows, or rows that stay in their file"
        return
    held = {name: as_bytes(part) for name, part in parts.items()}
    distinct = np.unique(held["training"])
    again = len(held["training"]) - len(distinct)
    told = [f"{again:,} {'row' if again == 1 else 'rows'} within the training part"]
    for name, rows in held.items():
        if name != "training":
            told.append(f"{shared(rows, distinct):,} to {VERBS[name]} on that are trained on too")
    yield f"duplicates (the same inputs): {', '.join(told)}"


def _first(data: Dataset) -> Iterator[str]:
    x = np.asarray(data.x[:ROWS]).reshape(min(ROWS, len(data.x)), -1)
    shown = min(x.shape[1], WIDE)
    names = list((data.inputs or tuple(map(str, range(x.shape[1]))))[:shown]) if data.x.ndim == 2 else list(map(str, range(shown)))
    more = [] if shown == x.shape[1] else [f"... ({x.shape[1] - shown:,} more)"]
    rows = [[*names, *more, *(data.targets or ("target",))]]
    for inputs, target in zip(x, data.y[:ROWS], strict=True):
        said = data.classes[target] if data.classes else " ".join(ordinary(value) for value in np.ravel(target)[:WIDE])
        rows.append([*(ordinary(value) for value in inputs[:shown]), *("" for _ in more), said])
    if len(rows[0]) > len(rows[1]):  # several targets
        rows[0] = [*names, *more, ", ".join(data.targets[:WIDE])]
    yield from aligned(rows)
