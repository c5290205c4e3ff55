"""The training loop: one network or a stack, the same lines."""

import warnings
from collections.abc import Sequence
from copy import copy, deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnframe import blas
from nnframe.component import Component, Problems, Size, check, describe
from nnframe.data.batches import Batches
from nnframe.data.dataset import Dataset, as_dataset
from nnframe.errors import DataError, OptionError, ShapeError
from nnframe.layers import layout
from nnframe.layers.base import Layer
from nnframe.losses import Loss
from nnframe.metrics import Metric
from nnframe.optimizers import Optimizer
from nnframe.streams import Seed, Seeds
from nnframe.training.callbacks import Callback, State

ROOM = 4 * 10**6  # numbers of one column of the log to make room for at a time


@dataclass(frozen=True)
class Train:
    """How to train: the options of `fit` that are plain values, and the section `train` of a config."""

    epochs: Size
    batch_size: Size
    shuffle: bool = True
    evaluate_train: bool = False
    eval_batch_size: Size | None = None
    blas_threads: blas.Threads = "auto"


class History(dict[str, np.ndarray]):
    """The log of a training: column -> (epochs, *runs), NaN after a run's early end.

    `epochs` (*runs,) is how many epochs each run was trained, `diverged` (*runs,) whether its loss was not finite at the end.
    """

    epochs: np.ndarray
    diverged: np.ndarray


class DivergenceWarning(UserWarning):
    """A run's loss was not finite at the end of an epoch, and the run ended there."""


def fit(
    model: Layer,
    loss: Loss,
    optimizer: Optimizer,
    data: Any,
    *,
    epochs: int,
    batch_size: int,
    seed: Seed | None = None,
    shuffle: bool = True,
    validation: Any = None,
    metrics: Sequence[Metric] = (),
    callbacks: Sequence[Callback] = (),
    evaluate_train: bool = False,
    eval_batch_size: int | None = None,
    blas_threads: int | str = "auto",
) -> History:
    """Train a built model, in place, and return the log of its epochs.

    Args:
        data: (x, y), (x, y, weight) or a Dataset; rows shared by all runs of a stack, or (R, rows, ...) with its own for each.
        batch_size: the last batch of an epoch may be smaller.
        seed: of the rows' order; the model's unless given.
        shuffle: False keeps the rows' order.
        validation: like data; evaluated after every epoch.
        evaluate_train: log loss and metrics of the training data as evaluated after the epoch. Otherwise they are those of
            the samples as they were trained on: sum of w l / sum of w over the epoch.
        eval_batch_size: rows to evaluate at a time; by default a number that follows from the model's shapes.
        blas_threads: "auto" is 1, or all cores if a product of one run is large. The number is part of the result.

    An optimizer that was attached to this model goes on from its state; any other is attached. A run whose loss is not finite
    at the end of an epoch ends there, with a DivergenceWarning; the others go on unchanged.
    Raises OptionError, ShapeError, DataError or UsageError before any training.
    """
    for name, value, base in (("model", model, Layer), ("loss", loss, Loss), ("optimizer", optimizer, Optimizer)):
        if not isinstance(value, base):
            raise OptionError(f"expected {describe(base)}, got {value!r:.60}", path=f"fit.{name}")
    for i, callback in enumerate(callbacks):
        if not callable(getattr(callback, "on_epoch", None)):
            raise OptionError(f"expected an object with a method on_epoch, got {callback!r:.60}", path=f"fit.callbacks.{i}")
    given = {"epochs": epochs, "batch_size": batch_size, "shuffle": shuffle, "evaluate_train": evaluate_train}
    problems = Problems()
    train = check(Train, given | {"eval_batch_size": eval_batch_size, "blas_threads": blas_threads}, "", problems)
    if problems:
        raise OptionError("; ".join(f"{path}: {message}" for path, message in problems), path="fit")
    layout.verify(model)
    return Training(model, loss, optimizer, data, validation, metrics, seed, train).run(callbacks)


def evaluate(
    model: Layer,
    loss: Loss,
    data: Any,
    *,
    metrics: Sequence[Metric] = (),
    batch_size: int | None = None,
    blas_threads: int | str = "auto",
) -> dict[str, np.ndarray]:
    """Loss and metrics of a model on data as for `fit`, each (*runs,): {"loss": ..., "accuracy": ...}."""
    layout.verify(model)
    size, threads = model.evaluation_options("evaluate", batch_size, blas_threads)
    loss, metrics = copy(loss), deepcopy(list(metrics))
    batches = _batches(model, loss, metrics, data, "data", model._arrays.seeds, size, False)
    with np.errstate(all="ignore"), blas.threads(threads):
        return _evaluate(model, loss, metrics, batches)


class Training:
    """Everything that a training holds. When runs of a stack end, it goes on with the `take` of the others."""

    def __init__(
        self,
        model: Layer,
        loss: Loss,
        optimizer: Optimizer,
        data: Any,
        validation: Any,
        metrics: Sequence[Metric],
        seed: Seed | None,
        train: Train,
    ) -> None:
        seeds = model._arrays.seeds if seed is None else Seeds(seed)
        if seed is not None and seeds.runs != model.runs:
            if seeds.runs:
                has = f"there are {model.runs[0]} runs" if model.runs else "there is one network"
                raise OptionError(f"has {seeds.runs[0]} values, but {has}", path="fit.seed")
            seeds = Seeds([int(seeds.values)] * model.runs[0])
        self.train, self.loss, self.metrics = train, copy(loss), deepcopy(list(metrics))
        size = self.eval_batch_size = train.eval_batch_size or model.evaluation_rows()
        self.threads = blas.resolve(train.blas_threads, train.batch_size * model.largest_product())
        self.batches = _batches(model, self.loss, self.metrics, data, "data", seeds, train.batch_size, train.shuffle)
        self.validation = self.evaluated = None
        if validation is not None:
            self.validation = _batches(model, self.loss, self.metrics, validation, "validation", seeds, size, False)
        if train.evaluate_train:
            self.evaluated = _batches(model, self.loss, self.metrics, data, "data", seeds, size, False)
        self.loss.bind(model.runs, model.dtype)
        if getattr(optimizer, "params", None) is not model.params:
            optimizer.attach(model)
        self.whole, self.whole_optimizer = self.model, self.optimizer = model, optimizer
        self.alive = np.arange(model.runs[0]) if model.runs else None
        self._find_schedules()

    def run(self, callbacks: Sequence[Callback], *, warn: bool = True) -> History:
        """Train to the end; the log of all epochs."""
        train, history = self.train, History()
        history.epochs, history.diverged = np.zeros(self.model.runs, int), np.zeros(self.model.runs, bool)
        room = max(ROOM // max(self.alive.size if self.alive is not None else 1, 1), 1)
        with np.errstate(all="ignore"), blas.threads(self.threads):
            for epoch in range(train.epochs):
                logs = self.epoch(epoch)
                where: Any = ... if self.alive is None else self.alive
                if epoch % room == 0:
                    more = np.full((min(room, train.epochs - epoch), *self.whole.runs), np.nan)
                    for name in logs:
                        history[name] = np.concatenate([history[name], more]) if name in history else more.copy()
                for name, value in logs.items():
                    history[name][epoch, where] = value
                history.epochs[where] = epoch + 1
                finite = np.isfinite(logs["loss"])
                going_on = finite if self.alive is None else finite.all()
                if going_on and not callbacks:
                    continue
                state = State(epoch + 1, train.epochs, (epoch + 1) * self.batches.steps, logs, self.model, self.optimizer, self.alive)
                for callback in callbacks:
                    callback.on_epoch(state)
                if not going_on:
                    diverged = ~finite
                    history.diverged[where] = diverged
                    if warn:
                        _warn(state, diverged)
                    self.settle(diverged)
                    state.stop(diverged)
                if state.stopped is not False and np.any(state.stopped) and not self.drop(state.stopped):
                    break
        layout.verify(self.model)  # a callback may have bound an array anew
        self.put_back()
        return history

    def epoch(self, epoch: int) -> dict[str, np.ndarray]:
        """Train one epoch, from 0; its row of the log."""
        model, loss, optimizer, batches = self.model, self.loss, self.optimizer, self.batches
        metrics = self.metrics if self.evaluated is None else []
        for metric in metrics:
            metric.reset()
        total: Any = np.float64(0)
        total_weight: Any = np.float64(0)
        for step, (x, y, weight, rows) in enumerate(batches.epoch(epoch)):
            for component in self.scheduled:
                component.schedule(epoch + step / batches.steps, self.train.epochs)
            pred = model.forward(x, training=True)
            value = loss.forward(pred, y, weight)
            for metric in metrics:
                metric.update(loss.readout(pred), y, weight)
            model.backward(loss.backward(), need_dx=False)
            optimizer.step()
            batch_weight = rows if weight is None else np.add.reduce(weight, -1, np.float64)
            total = total + value * batch_weight
            total_weight = total_weight + batch_weight
        trained = {"loss": total / total_weight} | {metric.name: metric.value() for metric in metrics}
        if self.evaluated is not None:
            trained = _evaluate(model, loss, self.metrics, self.evaluated)
        held = {} if self.validation is None else _evaluate(model, loss, self.metrics, self.validation)
        logs = {}
        for name, value in trained.items():
            logs[name] = value
            if name in held:
                logs[f"val_{name}"] = held[name]
        if hasattr(optimizer, "_lr"):
            logs["lr"] = optimizer._lr[..., 0].copy()
        return logs

    def drop(self, stopped: np.ndarray) -> bool:
        """Go on without the stopped runs; False if there is none to go on with."""
        keep = np.flatnonzero(~np.broadcast_to(stopped, self.model.runs))
        if self.alive is None or not keep.size:
            return False
        self.put_back()
        self.alive = self.alive[keep]
        self.model = self.model.take(keep)
        self.optimizer = self.optimizer.take(keep, self.model)
        self.loss = deepcopy(self.loss)
        self.loss.take_numbers(keep)
        self.batches = self.batches.take(keep)
        self.evaluated = self.evaluated and self.evaluated.take(keep)
        self.validation = self.validation and self.validation.take(keep)
        self._find_schedules()
        return True

    def settle(self, diverged: np.ndarray) -> None:
        """Give all NaNs of diverged runs the same bits: which ones arithmetic makes depends on the place in an array."""
        arrays = self.model._arrays
        for array in (arrays.params, arrays.grads, arrays.state, *self.optimizer.state.values()):
            np.copyto(array, np.nan, where=np.isnan(array) & diverged[..., None])

    def put_back(self) -> None:
        """Write what the runs that still train have got to into the whole stack."""
        if self.model is not self.whole:
            layout.put(self.whole, self.alive, self.model)
            self.whole_optimizer.put(self.alive, self.optimizer)

    def _find_schedules(self) -> None:
        components: list[Component] = [layer for _, _, layer in layout.walk(self.model)]
        self.scheduled = [c for c in [*components, self.loss, self.optimizer] if c._scheduled]


def _batches(model: Layer, loss: Loss, metrics: Sequence[Metric], data: Any, what: str, seeds: Seeds, size: int, shuffle: bool) -> Batches:
    """Check data against model, loss and metrics. Raises ShapeError or DataError."""
    if isinstance(data, Dataset):
        try:
            data = data.as_targets_for(model.output_shape, loss.takes_classes)
        except DataError as error:
            raise error.within(f"{what}.y") from None
    data = as_dataset(data, model.input_shape, model.runs, model.dtype, what)
    for i, metric in enumerate(metrics):
        if not isinstance(metric, Metric):
            raise OptionError(f"expected a metric such as MAE(), got {metric!r:.60}", path=f"metrics.{i}")
    names = [metric.name for metric in metrics]
    if twice := [name for name in names if names.count(name) > 1]:
        raise OptionError(f"two are named {twice[0]!r}, so that their columns in the log would be one", path="metrics")
    try:
        loss.build(model.output_shape, data.y)
        target_runs = loss.target_runs(data.y, model.output_shape)
        own = (data.x.ndim > 1 + len(model.input_shape), bool(target_runs), data.weight is not None and data.weight.ndim == 2)
        rows, targets = data.x.shape[1 if own[0] else 0], data.y.shape[len(target_runs)]
        if target_runs not in ((), model.runs) or rows != targets:
            raise ShapeError(f"{rows} rows of inputs do not go with targets {data.y.shape}")
    except (ShapeError, DataError) as error:
        raise error.within(f"{what}.y") from None
    for i, metric in enumerate(metrics):
        try:
            metric.build(model.output_shape, data.y.shape[len(target_runs) + 1 :], data.y.dtype.kind in "iu")
        except ShapeError as error:
            raise error.within(f"metrics.{i}") from None
    return Batches(data, own, seeds, size, shuffle)


def _evaluate(model: Layer, loss: Loss, metrics: Sequence[Metric], batches: Batches) -> dict[str, np.ndarray]:
    """Loss and metrics over all rows, not in training."""
    for metric in metrics:
        metric.reset()
    total: Any = np.float64(0)
    total_weight: Any = np.float64(0)
    for x, y, weight, rows in batches.epoch(0):
        pred = model.forward(x)
        value = loss.forward(pred, y, weight)
        batch_weight = rows if weight is None else np.add.reduce(weight, -1, np.float64)
        total = total + value * batch_weight
        total_weight = total_weight + batch_weight
        for metric in metrics:
            metric.update(loss.readout(pred), y, weight)
    return {"loss": total / total_weight} | {metric.name: metric.value() for metric in metrics}


def _warn(state: State, diverged: np.ndarray) -> None:
    losses = np.atleast_1d(state.logs["loss"][diverged])
    which = "" if state.runs is None else f"run {', '.join(map(str, state.runs[diverged][:10]))}: "
    warnings.warn(
        f"{which}the loss is {losses[0]} at the end of epoch {state.epoch} (step {state.step}); training ends here. A smaller lr may help.",
        DivergenceWarning,
        stacklevel=4,
    )
