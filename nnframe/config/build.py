"""From a checked config to a training that is ready to run, and the resolved config that describes it."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from nnframe.components.component import config_of
from nnframe.config.experiment import Experiment, checked, each_of, located
from nnframe.config.reading import Document
from nnframe.data.dataset import Dataset, array_hash
from nnframe.data.source import PreparedData, Source
from nnframe.errors import DataError, FileError, NNFrameError, OptionError
from nnframe.layers.base import Layer
from nnframe.layers.containers import Sequential
from nnframe.layers.weights import start_from
from nnframe.streams import Seed
from nnframe.training.bootstrap import intervals
from nnframe.training.callbacks import check_hooks
from nnframe.training.ensemble import spread
from nnframe.training.evaluation import batches_for, own_metrics
from nnframe.training.fit import evaluate, evaluate_members
from nnframe.training.loop import Training
from nnframe.training.whole import training_by


@dataclass
class Job:
    """An experiment with its data read and its model built: every mistake that can be found before training is behind it."""

    experiment: Experiment
    data: PreparedData
    model: Layer
    training: Training
    rows: dict[str, np.ndarray]  # of `predict`, transformed

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """The complete config: every default written out, paths absolute, BLAS threads as a number."""
        e = self.experiment
        train = replace(e.train, blas_threads=self.training.threads, eval_batch_size=self.training.eval_batch_size)
        plain = config_of(replace(e, train=train))
        optional = ("sweep", "ensemble", "weights")
        plain = {key: value for key, value in plain.items() if value is not None or key not in optional}
        first = ("name", "seed", "ensemble", "dtype")
        return {key: plain[key] for key in first if key in plain} | {key: value for key, value in plain.items() if key not in first}

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 of all numbers trained, validated and tested on."""
        parts = [part for part in (self.data.training, self.data.validation, self.data.test) if part is not None]
        return array_hash(array for part in parts for array in (part.x, part.y, part.weight) if array is not None)

    def test(self) -> dict[str, float]:
        """Loss and metrics of the model on the test part, if that was read: {"test_loss": ...}."""
        return {name: float(value) for name, value in tested(self.experiment, self.training, self.data.test).items()}

    def test_intervals(self) -> dict[str, tuple[float, float]]:
        """95 % intervals of what `test` gives, if the test rows were drawn again: {"test_loss": (low, high)}."""
        if self.data.test is None:
            return {}
        e, training = self.experiment, self.training
        options: dict[str, Any] = {"seed": e.seed, "batch_size": training.eval_batch_size, "blas_threads": training.threads}
        options["members"] = training.sound() if e.ensemble else None
        return intervals(self.model, e.loss, self.data.test, metrics=e.metrics, prefix="test_", **options)

    def members_on(self, data: Dataset) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Loss and metrics of each member of an ensemble on data, and those of the averaged prediction of all that have not diverged."""
        e, training = self.experiment, self.training
        return evaluate_members(self.model, e.loss, data, e.metrics, training.eval_batch_size, training.threads, training.sound())

    def predict(self) -> dict[str, np.ndarray]:
        """What the model gives for the rows of `predict`, probabilities where it gives logits: name -> (*outputs,)."""
        if not self.rows:
            return {}
        pred, loss = self._outputs(), self.experiment.loss
        return self._read(loss.averaged(pred) if self.experiment.ensemble else pred)

    def predict_sd(self) -> dict[str, np.ndarray]:
        """How far what `predict` gives is apart from member to member of an ensemble: name -> (*outputs,); nothing for one network."""
        if not self.rows or not self.experiment.ensemble:
            return {}
        members = [self._read(pred) for pred in self._outputs()]
        return {name: spread(np.stack([member[name] for member in members]))["sd"] for name in self.rows}

    def _outputs(self) -> np.ndarray:
        """Of the rows of `predict`, and of all members of an ensemble that have not diverged."""
        pred = self.model.predict(np.stack(list(self.rows.values())), blas_threads=self.training.threads)
        return pred[self.training.sound()] if self.experiment.ensemble else pred

    def _read(self, pred: np.ndarray) -> dict[str, np.ndarray]:
        read, undo = self.experiment.loss.readout(pred), self.data.training.undo
        return dict(zip(self.rows, read if undo is None else undo(read), strict=True))


def build(document: Document, load: Callable[[Source], Dataset] | None = None, *, test: bool = False) -> Job:
    """Check a config, read its data, with `test` also the test part, build its model. `load` stands for `Source.load` where rows may be at
    hand. Raises ConfigError with everything that was found wrong."""
    experiment = checked(document)
    path = "data"
    try:
        data = experiment.data.prepare(experiment.seed, load, test=test)
        path = "model"
        model = model_of(experiment, data.training.x.shape[1:], experiment.seeds)
        path = ""
        training = training_of(experiment, model, data.training, data.validation)
        if data.test is not None:  # what is wrong with it is told before training
            batches_for(model, deepcopy(experiment.loss), own_metrics(experiment.metrics), data.test, "test", model._store.seeds, 1, False)
    except NNFrameError as error:
        found = [(_in_config(place, experiment), message) for place, message in each_of(error, path)]
        raise located(document, found, getattr(error, "mend", "")) from None
    problems, rows = [], {}
    for name, row in experiment.predict.items():
        try:
            rows[name] = data.inputs_of(row)
        except (DataError, FileError) as error:
            problems.append((f"predict.{name}.{error.path}" if error.path else f"predict.{name}", error.message))
    if problems:
        raise located(document, problems)
    return Job(experiment, data, model, training, rows)


def model_of(experiment: Experiment, features: tuple[int, ...], seed: Seed) -> Layer:
    """The network for inputs of a shape, or a stack of it, with the weights that it begins with."""
    model = Sequential(*experiment.model).build(features, seed=seed, dtype=experiment.dtype)
    if experiment.weights is not None:
        try:
            start_from(model, experiment.weights)
        except OptionError as error:
            raise error.within("weights") from None
    return model


def training_of(experiment: Experiment, model: Layer, training: Dataset, validation: Dataset | None) -> Training:
    """What `experiment` says, ready to train a model that has been built: one network or a stack."""
    e = experiment
    check_hooks(e.callbacks, "callbacks")
    parts = (model, e.loss, e.optimizer, training, validation, e.metrics, e.callbacks, None, e.train, e.data.augment)
    return training_by(e.optimizer)(*parts, ensemble=e.ensemble is not None)


def tested(experiment: Experiment, training: Training, test: Any) -> dict[str, np.ndarray]:
    """Loss and metrics of what has been trained, one network or a stack, on the test part: {"test_loss": (*runs,)}."""
    if test is None:
        return {}
    options: dict[str, Any] = {"batch_size": training.eval_batch_size, "blas_threads": training.threads}
    found = evaluate(training.whole, experiment.loss, test, metrics=experiment.metrics, **options)
    return {f"test_{name}": value for name, value in found.items()}


def _in_config(path: str, experiment: Experiment) -> str:
    """Where a config has what Python reaches by `path`."""
    own = [(f"{type(getattr(experiment, key)).__name__}.", f"{key}.") for key in ("optimizer", "loss")]
    for start, key in (
        *own,
        ("model.layers.", "model."),
        ("model.weights.", "weights."),
        ("data.y", "data.target"),
        ("data.x", "data"),
        ("augment.", "data.augment."),
        ("validation", "data.validation"),
        ("test", "data.test"),
    ):
        if path.startswith(start):
            return key + path[len(start) :] if key.endswith(".") else key
    return path
