"""What was trained, for use: a run's folder, or a sweep's, as one object that predicts and evaluates."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from nnframe import __version__
from nnframe.components.wording import shown
from nnframe.config.compose import load
from nnframe.config.experiment import Experiment, inspected, located
from nnframe.config.reading import Document
from nnframe.data.dataset import Dataset, array_hash
from nnframe.data.pipeline import Pipeline
from nnframe.data.source import PreparedData, regular_file
from nnframe.errors import ConfigError, FileError, UsageError, listed
from nnframe.layers import layout
from nnframe.layers.activations.elementwise import Sigmoid
from nnframe.layers.activations.softmax import Softmax
from nnframe.layers.base import Layer
from nnframe.layers.containers import Sequential
from nnframe.layers.weights import load_weights
from nnframe.losses.base import Loss
from nnframe.runs.folder import LOG, WEIGHTS, read_rows
from nnframe.system import npz
from nnframe.system.warn import warn
from nnframe.training.ensemble import QUANTILES, spread, uncertainty
from nnframe.training.history import History

PIECE = 2**13  # rows to take at a time, about
SPARE = 2**22  # numbers that a model may be built for beyond those of its file, to be told what differs


@dataclass(frozen=True, eq=False, repr=False)
class Part:
    """Networks that see rows in the same way: `model` is one of them, or a stack."""

    pipeline: Pipeline
    model: Layer

    @classmethod
    def of(cls, pipeline: Pipeline, model: Layer, record: Mapping[str, Any]) -> "Part":
        """Members of an ensemble that have diverged, as a run's record says, are left out, but if all have: some end with weights that are
        numbers still. Raises FileError for a record that does not say it."""
        good = np.isfinite(model.params).all(-1)
        if model.runs:
            members = record.get("members")
            if not isinstance(members, list) or len(members) != len(good) or not all(isinstance(one, dict) for one in members):
                raise FileError(f"expected what has become of each of {len(good)} members", path="members")
            good &= [one.get("status") != "diverged" for one in members]
        return cls(pipeline, model if good.all() or not good.any() else model.take(np.flatnonzero(good)))

    @property
    def members(self) -> int:
        return self.model.runs[0] if self.model.runs else 1

    def outputs(self, x: np.ndarray, **options: Any) -> np.ndarray:
        """(members, rows, *outputs) of inputs as the model sees them. Raises UsageError for a model that has diverged."""
        if not np.isfinite(self.model.params).all():
            raise UsageError("the training diverged, so that the weights are no numbers; train it again with a smaller lr")
        found = self.model.predict(x, **options)
        return found if self.model.runs else found[None]


class Trained:
    """A trained network, or several that are averaged: those of a run with `ensemble`, or those of a sweep's best setting.

    `predict` takes rows as people have them: a data frame of polars or pandas, a dict of columns, a dict a row, or an array (rows, inputs)
    of numbers as they were before transforms. `model` is the network, or the stack, `transforms` what rows go through before it, `history`
    the log, `config` the complete config, `record` what run.json says, `data` what was trained on, read again."""

    def __init__(
        self, folder: Path, experiment: Experiment, record: dict[str, Any], parts: Sequence[Part], history: History, same_rows: bool = True
    ) -> None:
        """`same_rows`: have all networks been trained on the same rows?"""
        self.folder, self.experiment, self.record, self.parts, self.history = folder, experiment, record, tuple(parts), history
        self.same_rows = same_rows
        self.loss: Loss = experiment.loss
        first = parts[0].pipeline.raw
        self.inputs, self.targets, self.classes = first.inputs, first.targets, first.classes
        self.outputs = parts[0].model.output_shape
        self.members = sum(part.members for part in parts)

    # ------------------------------------------------------------------------------------------ what was trained

    @property
    def model(self) -> Layer:
        """The network, or the stack of those that are averaged. Raises UsageError where these see rows differently."""
        return self._only().model

    @property
    def transforms(self) -> tuple[Any, ...]:
        """What inputs go through, fitted on the training part."""
        return self._only().pipeline.transforms

    @property
    def config(self) -> dict[str, Any]:
        """The complete config."""
        return load(self.folder / "config.yaml").data

    @cached_property
    def data(self) -> PreparedData:
        """What was trained on, read again, split and transformed. Raises FileError or DataError where it cannot be, UsageError where
        networks were trained on different rows, and warns if it has changed since."""
        self.must_share_rows()
        experiment = self.experiment
        found = experiment.data.prepare(experiment.seed, test=True)
        was, tested = self.record["data"].get("sha256"), self.record["data"].get("test_rows")  # a sweep's trial has not read its test part
        parts = [part for part in (found.training, found.validation, found.test if tested else None) if part is not None]
        if was and was != array_hash(array for part in parts for array in (part.x, part.y, part.weight) if array is not None):
            warn(f"the data is no longer what {self.folder} was trained on")
        return found

    def must_share_rows(self) -> None:
        """Raise UsageError unless all networks were trained on the same rows."""
        if not self.same_rows:
            raise UsageError(f"{self.folder}: {self.members} networks, each trained on rows of its own, so that none are kept from all")

    def _only(self) -> Part:
        if len(self.parts) > 1:
            told = f"{self.folder}: {self.members} networks, each with transforms that were fitted to rows of its own"
            raise UsageError(f"{told}; each one's stand in `parts`")
        return self.parts[0]

    # ------------------------------------------------------------------------------------------ what it says of rows

    def predict(self, rows: Any) -> np.ndarray:
        """The names of classes, (rows,), integers where all names are; or numbers in the units of the target, (rows,) for one output, else
        (rows, outputs).

        An output that is a probability of something without classes gives 0 or 1. Raises DataError or ShapeError for rows that are not like
        those of the training.
        """
        return self.named(self.read(rows))

    def predict_proba(self, rows: Any) -> np.ndarray:
        """The probabilities of the classes, (rows, classes); of outputs that are probabilities without classes, (rows, outputs).

        Raises UsageError for a model that gives none.
        """
        self.must_be_probable()
        return self.shares(self.read(rows))

    def spread(self, rows: Any) -> dict[str, np.ndarray]:
        """How far the averaged networks disagree on rows: of probabilities of classes `entropy`, and its part that is disagreement,
        `mutual_information`, in nats; of numbers `sd`, `q05` and `q95`. Raises UsageError for a network alone."""
        if self.members == 1:
            raise UsageError(f"{self.folder}: one network alone has no spread; train with ensemble: 16, or keep a sweep's best setting")
        return self.spread_of(self.outputs_of(rows))

    def read(self, rows: Any) -> np.ndarray:
        """What a person reads from outputs, (rows, *outputs): probabilities where they are logits, numbers in the units of the target."""
        return self.averaged(self.outputs_of(rows))[1]

    def outputs_of(self, rows: Any) -> np.ndarray:
        """Outputs of each network, (members, rows, *outputs)."""
        return self.outputs_of_raw(self.parts[0].pipeline.rows(rows))

    def outputs_of_raw(self, raw: Dataset) -> np.ndarray:
        """The same for rows that have been read. They go the whole way some at a time, so that memory is needed for no more of them."""
        size = self.piece
        if len(raw.x) <= size:
            return self._outputs(raw)
        pieces = [self._outputs(raw.rows(slice(start, start + size))) for start in range(0, len(raw.x), size)]
        return np.concatenate(pieces, 1)

    @property
    def piece(self) -> int:
        """Rows to take at a time: a multiple of those that the model takes, so that all go through it in the same batches."""
        batch = self.parts[0].model.evaluation_rows()
        return max(PIECE // batch, 1) * batch

    def _outputs(self, raw: Dataset) -> np.ndarray:
        train, seen = self.experiment.train, self.seen(raw)
        found = [part.outputs(x, blas_threads=train.blas_threads) for part, x in zip(self.parts, seen, strict=True)]
        if self.own_units:
            found = [part.pipeline.undo(outputs) for part, outputs in zip(self.parts, found, strict=True)]  # type: ignore[misc]
        return found[0] if len(found) == 1 else np.concatenate(found)

    @property
    def own_units(self) -> bool:
        """Has each network units of its own? Outputs of several are in those of the target then, where all can be averaged."""
        return len(self.parts) > 1 and self.parts[0].pipeline.undo is not None

    def as_first(self, outputs: np.ndarray) -> np.ndarray:
        """Outputs (..., rows, *outputs) of networks as the first has them, which the loss takes."""
        if not self.own_units:
            return outputs
        rows = self.parts[0].pipeline.targets(outputs.reshape(-1, outputs.shape[-1]))
        return rows.reshape(outputs.shape).astype(self.parts[0].model.dtype)

    def seen(self, raw: Dataset) -> list[np.ndarray]:
        """Rows as the networks of each part see them. Raises DataError for a value that they cannot."""
        return [part.pipeline(raw) for part in self.parts]

    def averaged(self, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Outputs of each network as those of one that stands for all, and what a person reads from them: (rows, *outputs) each."""
        pred = outputs[0] if len(outputs) == 1 else self.loss.averaged(outputs)
        return self.as_first(pred), self._in_units(self.loss.readout(pred))

    def _in_units(self, read: np.ndarray) -> np.ndarray:
        undo = self.parts[0].pipeline.undo
        return read if undo is None or self.own_units else undo(read)

    @property
    def kinds(self) -> int:
        """How many classes are told apart: 0 where numbers are predicted."""
        if self.classes or self.loss.takes_classes:
            return max(len(self.classes), self.outputs[-1] if self.outputs else 1, 2)
        return 0

    @property
    def class_names(self) -> tuple[str, ...]:
        """A name for each of these classes: its number where it has no other."""
        return (*self.classes, *map(str, range(len(self.classes), self.kinds)))

    def chosen(self, read: np.ndarray) -> np.ndarray:
        """The numbers of the classes that are predicted, from what `read` gives."""
        return (read[..., 0] >= 0.5).astype(int) if self.outputs == (1,) else read.argmax(-1)

    def named(self, read: np.ndarray) -> np.ndarray:
        """What is predicted, from what `read` gives."""
        if self.kinds:
            found = np.array(self.class_names)[self.chosen(read)]
            return found.astype(int) if all(name.isdecimal() and str(int(name)) == name for name in self.class_names) else found
        if self.loss.reads_as != "numbers":
            read = (read >= 0.5).astype(int)
        return read[:, 0] if self.outputs == (1,) else read

    def shares(self, read: np.ndarray) -> np.ndarray:
        """Probabilities, from what `read` gives."""
        return np.concatenate([1 - read, read], -1) if self.kinds and self.outputs == (1,) else read

    @property
    def probable(self) -> bool:
        """Are outputs read as probabilities?"""
        last = self.parts[0].model
        while isinstance(last, Sequential) and type(last) is Sequential:
            last = last.layers[-1]
        return self.loss.reads_as != "numbers" or (bool(self.kinds) and isinstance(last, (Sigmoid, Softmax)))

    def must_be_probable(self) -> None:
        """Raise UsageError unless outputs are probabilities."""
        if not self.probable:
            told = "gives numbers, no probabilities" if not self.kinds else f"was trained with {type(self.loss).__name__} on plain outputs"
            raise UsageError(f"{self.folder}: the model {told}; CrossEntropy, or a Softmax or Sigmoid at the end, gives probabilities")

    def spread_of(self, outputs: np.ndarray) -> dict[str, np.ndarray]:
        """What `spread` gives, from what `outputs_of` does."""
        read = self._in_units(self.loss.readout(outputs))
        if self.kinds and self.probable:
            return uncertainty(self.shares(read))
        found = spread(read)
        return {name: found[name] for name in ("sd", *QUANTILES)}

    # ------------------------------------------------------------------------------------------ how people see it

    def __repr__(self) -> str:
        layers = " ".join(type(layer).__name__ for layer in self.parts[0].model.layers)
        many = f"{self.members} networks of " if self.members > 1 else ""
        of = f"classes {listed(self.classes, 5)}" if self.classes else f"{'classes' if self.kinds else 'numbers'} {listed(self.targets, 5)}"
        told = f"<trained {self.experiment.name}: {many}{layers}, {listed(self.inputs, 5) or 'arrays'} to {of}"
        return f"{told}; {self.record.get('status', 'unfinished')}, {self.folder}>"


# ------------------------------------------------------------------------------------------ from a folder


def of_run(folder: Path, document: Document, weights: str = WEIGHTS) -> Trained:
    """What the run of a folder, whose config is `document`, has trained. Raises FileError where a file is missing or damaged, ConfigError
    where this version does not know what the config says, UsageError where all weights are lost."""
    record = record_of(folder)
    experiment = experiment_of(document, record, folder)
    return Trained(folder, experiment, record, [_part(folder, experiment, record, weights)], history_of(folder, record))


def record_of(folder: Path) -> dict[str, Any]:
    """What run.json says. Raises FileError where it is missing or damaged."""
    path = regular_file(folder / "run.json")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise FileError(f"{path} is damaged: {getattr(error, 'strerror', None) or error}") from None
    if not isinstance(record, dict) or not isinstance(record.get("data"), dict):
        raise FileError(f"{path} is no run's record: expected what was trained on which data")
    return record


def experiment_of(document: Document, record: dict[str, Any], folder: Path) -> Experiment:
    """What the config of a folder says. Raises ConfigError, which names the version that wrote it if that is another."""
    experiment, problems = inspected(document)
    if experiment is not None:
        return experiment
    error = located(document, problems)
    versions, known = record.get("versions"), record.get("plugins")
    was = versions.get("nnframe") if isinstance(versions, dict) else None
    if was not in (None, __version__):
        error.problems.append(f"{folder} was written by nnframe {was}, and this is {__version__}: what is named above has changed since")
    if isinstance(known, list) and known:
        names = listed([str(plugin.get("plugin")) for plugin in known if isinstance(plugin, dict)])
        error.problems.append(f"{folder} was trained with --plugin {names}; name it here too")
    raise ConfigError(error.problems, error.found)


def _part(folder: Path, experiment: Experiment, record: dict[str, Any], weights: str) -> Part:
    """The network, or networks, of a run's folder."""
    try:
        pipeline = Pipeline.recalled(record["data"])
    except FileError as error:
        was = (record.get("versions") or {}).get("nnframe")
        by = f"; nnframe {was} wrote it, and this is {__version__}: train it again" if was not in (None, __version__) else ""
        raise FileError(f"{folder / 'run.json'}: {error}{by}") from None
    status, again = record.get("status", "unknown"), f"go on with python -m nnframe.run --resume {folder}"
    if not (folder / weights).exists():
        if weights != WEIGHTS:
            raise FileError(f"{folder} has no {weights}; a callback BestWeights writes one")
        raise FileError(f"{folder} has no {weights} yet (status: {status}); {again}")
    if status not in ("finished", "diverged", "interrupted"):
        told = f"has not ended since it was gone on with (status: {status}), so that {weights} is of an earlier end"
        raise FileError(f"{folder} {told}; {again}")
    model = Sequential(*experiment.model)
    held = sum(prod(shape) for shape, _ in npz.headers(folder / weights).values())
    if (wanted := layout.size(model, pipeline.shape) * (experiment.ensemble or 1)) > held + SPARE:
        raise FileError(f"{folder / weights} holds {held:,} numbers, and the model of {folder / 'config.yaml'} has {wanted:,}")
    load_weights(model.build(pipeline.shape, seed=experiment.seeds, dtype=experiment.dtype), folder / weights)
    try:
        return Part.of(pipeline, model, record)
    except FileError as error:
        raise FileError(f"{folder / 'run.json'}: {error}") from None


def history_of(folder: Path, record: dict[str, Any]) -> History:
    """The log in losses.csv: column -> (epochs,)."""
    path = folder / LOG
    head, *rows = read_rows(path)
    try:
        columns = {name: [float(cell or "nan") for cell in cells] for name, cells in zip(head, zip(*rows, strict=True), strict=bool(rows))}
    except ValueError as error:
        raise FileError(f"{path} is damaged: {error}") from None
    history = History.of(())
    for name, values in columns.items():
        if name not in ("epoch", "step") and not np.isnan(values).all():
            history[name] = np.array(values)
    results = record.get("results") or {}
    kept = results.get("kept_epoch", len(rows)) if isinstance(results, dict) else None
    if type(kept) is not int or not 0 <= kept <= len(rows):
        told = f"expected results.kept_epoch, one of the {len(rows)} of {path.name}, got {shown(kept)}"
        raise FileError(f"{folder / 'run.json'} is damaged: {told}")
    history.epochs[...], history.kept[...] = len(rows), kept
    history.diverged[...] = record.get("status") == "diverged"
    return history
