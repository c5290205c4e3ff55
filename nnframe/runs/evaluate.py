"""How good what was trained is on rows with their targets: loss and metrics, how sure these are, which class is taken for which."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nnframe.components.wording import aligned, ordinary
from nnframe.data.dataset import Dataset
from nnframe.data.source import regular_file
from nnframe.data.sources.csv import CSV
from nnframe.data.sources.frames import Frame, Parquet
from nnframe.data.table import Tabular, Target
from nnframe.errors import DataError, ShapeError, UsageError, listed, printable
from nnframe.layers.activations.elementwise import Identity
from nnframe.runs.load import Trained
from nnframe.runs.predict import reading
from nnframe.system import npz
from nnframe.training.bootstrap import intervals
from nnframe.training.fit import evaluate

SHOWN = 20  # classes of a table on a terminal


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """Loss and metrics on some rows: `values` by name, their 95 % `intervals` over bootstrap samples of the rows, `members` (members,)
    those of each network that is averaged, and of classes the `confusion` matrix (true, predicted) in rows."""

    rows: int
    of: str  # what rows these are
    values: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    members: dict[str, np.ndarray]
    confusion: np.ndarray | None
    classes: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """Plain data."""
        told = {
            name: {"value": value, "low": self.intervals[name][0], "high": self.intervals[name][1]} for name, value in self.values.items()
        }
        for name, values in self.members.items():
            told[name]["members"] = values.tolist()
        table = {} if self.confusion is None else {"classes": list(self.classes), "confusion": self.confusion.tolist()}
        return {"rows": self.rows, "of": self.of, "values": told} | table

    def __str__(self) -> str:
        many = [f"mean of {len(next(iter(self.members.values())))} members"] if self.members else []
        lines = [["", "value", "95 %", *many]]
        for name, value in self.values.items():
            low, high = self.intervals[name]
            alone = [ordinary(self.members[name].mean())] if self.members else []
            lines.append([name, ordinary(value), f"{ordinary(low)} to {ordinary(high)}", *alone])
        text = "\n".join(aligned(lines))
        if self.confusion is None or len(self.classes) > SHOWN:
            return text
        table = [["true \\ predicted", *self.classes]]
        table += [[name, *map(str, row)] for name, row in zip(self.classes, self.confusion.tolist(), strict=True)]
        return "\n".join([text, "", *map(printable, aligned(table))])

    __repr__ = __str__


def evaluated(trained: Trained, rows: Any = None) -> Evaluation:
    """Of the rows of a file, a frame, a Dataset or arrays (x, y) or (x, y, weight); unless given, of the test part of what was trained on,
    or else its validation part. Raises FileError, DataError, ShapeError or UsageError."""
    data, of = _held_out(trained) if rows is None else (_labelled(trained, rows), "the rows given")
    of = str(rows) if isinstance(rows, (str, Path)) else of
    weight = getattr(trained.experiment.data, "weight", None)
    if data.weight is None and isinstance(weight, str):
        of += f", which count alike without the weight {weight!r}"
    outputs = trained.outputs_of_raw(data)
    pipeline, experiment = trained.parts[0].pipeline, trained.experiment
    y = data.y if trained.classes or data.y.dtype.kind in "iu" else pipeline.targets(data.y)
    pred, read = trained.averaged(outputs)
    seen = Dataset(pred, y, data.weight, targets=trained.targets, classes=trained.classes, undo=pipeline.undo)
    metrics, loss = experiment.metrics, experiment.loss
    model = Identity().build(pred.shape[1:], dtype=pred.dtype)
    values = {name: float(value) for name, value in evaluate(model, loss, seen, metrics=metrics).items()}
    members: dict[str, np.ndarray] = {}
    if len(outputs) > 1:
        stack = Identity().build(pred.shape[1:], seed=[0] * len(outputs), dtype=pred.dtype)
        members = evaluate(stack, loss, replace(seen, x=trained.as_first(outputs)), metrics=metrics)
    ends = intervals(model, loss, seen, metrics=metrics, seed=experiment.seed)
    confusion = _confusion(trained, read, data.y) if trained.kinds and data.y.dtype.kind in "iu" else None
    return Evaluation(len(pred), of, values, ends, members, confusion, trained.class_names)


def _confusion(trained: Trained, read: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How many rows of each class are taken for which."""
    table = np.zeros((trained.kinds, trained.kinds), int)
    np.add.at(table, (y.reshape(-1), trained.chosen(read).reshape(-1)), 1)
    return table


def _held_out(trained: Trained) -> tuple[Dataset, str]:
    """The rows that were not trained on, and which these are."""
    try:
        trained.must_share_rows()
    except UsageError as error:
        raise UsageError(f"{error}; name rows") from None
    parts = trained.experiment.data.split_rows(trained.experiment.seed, test=True)
    for name in ("test", "validation"):
        if name in parts:
            return parts[name], f"the {name} part"
    raise UsageError(f"{trained.folder}: nothing was held out to evaluate on; name rows")


def _labelled(trained: Trained, rows: Any) -> Dataset:
    """Raw rows with their targets as a person has them."""
    pipeline, source = trained.parts[0].pipeline, trained.experiment.data
    if isinstance(rows, (tuple, list)) and len(rows) in (2, 3) and all(isinstance(part, np.ndarray) for part in rows):
        return _with_targets(trained, pipeline.rows(rows[0]), *rows[1:])
    if isinstance(rows, Dataset):
        return _with_targets(trained, pipeline.rows(rows), rows.y, rows.weight)
    if not isinstance(rows, (str, Path)):
        return _of_table(trained, Frame(rows, **_target(trained)))
    path = Path(rows)
    if path.suffix.lower() == ".npz":
        names = {option: getattr(source, option, option) for option in ("x", "y")}
        held = npz.headers(regular_file(path))
        if missing := [name for name in names.values() if name not in held]:
            raise DataError(f"{path} has no array {missing[0]!r}. Arrays: {listed(held)}.")
        found = npz.read(path, set(names.values()))
        return _with_targets(trained, pipeline.rows(found[names["x"]]), found[names["y"]])
    if path.suffix.lower() in Parquet.suffixes:
        return _of_table(trained, Parquet(path, **_target(trained)))
    if path.suffix.lower() in CSV.suffixes:
        return _of_table(trained, CSV(path, **_target(trained), **reading(trained)))
    raise UsageError(f"{path}: expected a file of rows, {listed([*CSV.suffixes, *Parquet.suffixes, '.npz'])}, by its ending")


def _target(trained: Trained) -> dict[str, Any]:
    """The options of a table for what was predicted in training."""
    names = trained.targets
    if not names:
        raise UsageError(f"{trained.folder}: the model was trained on arrays; give x and y, or an npz file of them")
    target: Any = Target(names[0], trained.classes) if len(trained.classes) > 1 else names if len(names) > 1 else names[0]
    weight = getattr(trained.experiment.data, "weight", None)
    return {"target": target, "weight": weight if isinstance(weight, str) else None}


def _of_table(trained: Trained, source: Tabular) -> Dataset:
    table = source.table()
    if lacking := [name for name in source.targets if name not in table.columns]:
        raise DataError(f"{table.name} lacks the target {lacking[0]!r}, which rows are evaluated by. Its columns: {listed(table.columns)}.")
    data = trained.parts[0].pipeline.table(table)
    y, _ = source.target_of(table)
    weight = None if source.weight is None or source.weight not in table.columns else source.numbers_of(table, source.weight, "weight")
    return replace(data, y=y, weight=weight, targets=trained.targets, classes=trained.classes)


def _with_targets(trained: Trained, data: Dataset, y: Any, weight: Any = None) -> Dataset:
    y = np.asarray(y)
    if y.dtype.kind in "UO" and trained.classes:
        places = {name: i for i, name in enumerate(trained.classes)}
        if unknown := [text for text in map(str, y.ravel()) if text not in places]:
            raise DataError(f"{unknown[0][:60]!r} is not among the classes {listed(trained.classes)}")
        y = np.array([places[str(text)] for text in y.ravel()]).reshape(y.shape)
    if len(y) != len(data.x):
        raise ShapeError(f"expected as many targets as rows, {len(data.x)}, got {len(y)}")
    if y.ndim == 1 and y.dtype.kind == "f" and not trained.classes:
        y = y[:, None]
    return replace(data, y=y, weight=weight, targets=trained.targets, classes=trained.classes)
