"""The training loop: one network or a stack, the same lines."""

import json
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from copy import copy, deepcopy
from dataclasses import dataclass, field
from itertools import islice
from time import monotonic
from typing import Any

import numpy as np

from nnframe.components.component import Component, config_of
from nnframe.components.markers import Positive, Size
from nnframe.data.batches import Batches
from nnframe.data.dataset import Dataset, as_dataset
from nnframe.errors import DataError, FileError, OptionError, ShapeError, UsageError
from nnframe.layers import layout, weights
from nnframe.layers.base import Layer
from nnframe.losses.base import Loss
from nnframe.metrics.base import Metric
from nnframe.optimizers.base import Optimizer
from nnframe.streams import Seed, Seeds
from nnframe.system import blas
from nnframe.system.signals import Interrupted
from nnframe.training.callbacks import State
from nnframe.training.checkpoint import Checkpoints, CheckpointWarning, Every

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
    max_seconds: Positive | None = None
    checkpoint: Every = field(default_factory=lambda: Every(seconds=30.0))


class History(dict[str, np.ndarray]):
    """The log of a training: column -> (epochs, *runs), NaN after a run's early end.

    `epochs` (*runs,) is how many epochs each run was trained, `diverged` (*runs,) whether its loss was not finite at the end,
    `reasons` says of each run that ended early why: {run: reason}, run 0 for one network.
    """

    epochs: np.ndarray
    diverged: np.ndarray
    reasons: dict[int, str]


class DivergenceWarning(UserWarning):
    """A run's loss was not finite at the end of an epoch, and the run ended there."""


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
        callbacks: Sequence[Any],
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
        self.batches = batches_for(model, self.loss, self.metrics, data, "data", seeds, train.batch_size, train.shuffle)
        self.validation = self.evaluated = None
        if validation is not None:
            self.validation = batches_for(model, self.loss, self.metrics, validation, "validation", seeds, size, False)
        if train.evaluate_train:
            self.evaluated = batches_for(model, self.loss, self.metrics, data, "data", seeds, size, False)
        for metric in self.metrics:
            metric.reset()
        self.evaluating = deepcopy(self.metrics)  # metrics of their own, so that an evaluation can be broken off
        self.whole, self.whole_optimizer = self.model, self.optimizer = model, optimizer
        self.callbacks: dict[str, Any] = {f"callback {i}": callback for i, callback in enumerate(callbacks)}
        columns = self.columns()
        for i, callback in enumerate(callbacks):
            try:
                _hook(callback, "build", columns)
            except OptionError as error:
                raise error.within(f"callbacks.{i}") from None
        self.loss.bind(model.runs, model.dtype)
        if getattr(optimizer, "params", None) is not model.params:
            if place := next((path for path, _, layer in layout.walk(model) if layer is getattr(optimizer, "model", None)), ""):
                raise UsageError(f"is attached to {place} alone, and fit trains the whole model; give it a new one", path="fit.optimizer")
            optimizer.attach(model)
        self.alive = np.arange(model.runs[0]) if model.runs else None
        self.over = False  # has every run ended early?
        self.done, self.step = 0, 0  # epochs, and steps of the present one
        self.total: Any = np.float64(0)  # over these steps: of losses, each times its batch's weight,
        self.total_weight: Any = np.float64(0)  # and of these weights
        self.seconds, self.since = 0.0, monotonic()
        self.history = History()
        self.history.epochs, self.history.diverged = np.zeros(model.runs, int), np.zeros(model.runs, bool)
        self.history.reasons = {}
        self.checkpoints: Checkpoints | None = None
        self.warn = True
        self._find_components()
        self.whole_components = self.components

    def columns(self) -> dict[str, str]:
        """The log's columns, and whether "min" or "max" is best there."""
        found = {"loss": "min"} | {metric.name: metric.better for metric in self.metrics}
        held = {} if self.validation is None else {f"val_{name}": better for name, better in found.items()}
        return found | held | ({"lr": "min"} if "lr" in dict(self.optimizer._per_run()) else {})

    def config(self) -> dict[str, Any]:
        """Plain data that says what is trained, for a training that no config file describes."""
        parts = {"model": self.whole, "loss": self.loss, "optimizer": self.whole_optimizer, "metrics": self.metrics, "train": self.train}
        named = [callback if isinstance(callback, Component) else type(callback).__name__ for callback in self.callbacks.values()]
        plain = {name: config_of(part) for name, part in (parts | {"callbacks": named}).items()}
        seeds = {"seed": self.whole._arrays.seeds.values.tolist(), "order_seed": self.batches.seeds.values.tolist()}
        data = {"data's hash": self.batches.digest(), "validation's hash": self.validation and self.validation.digest()}
        return plain | seeds | data | {"dtype": str(self.whole.dtype), "blas_threads": self.threads}

    def run(self, watchers: Sequence[Any] = (), *, checkpoints: Checkpoints | None = None, warn: bool = True) -> History:
        """Train to the end, from the newest of `checkpoints` if there is one; the log of all epochs.

        `watchers` are further callbacks, called before the others. Raises Interrupted after a signal, with a checkpoint
        written; FileError where none can be written.
        """
        self.callbacks = {f"watcher {i}": watcher for i, watcher in enumerate(watchers)} | self.callbacks
        self.warn, self.checkpoints = warn, checkpoints
        with nullcontext() if checkpoints is None else checkpoints.guarding():
            if checkpoints is not None:
                self._resume(checkpoints)
            return self._run()

    def _resume(self, checkpoints: Checkpoints) -> None:
        """Go back to where the newest checkpoint was written, if there is one."""
        found = checkpoints.load(self._numbers())
        if found is None:
            return
        try:
            self.set_state(found)
        except (KeyError, ValueError, IndexError, TypeError) as error:
            raise FileError(f"{checkpoints.path.parent} holds a checkpoint of another version: {error}") from None
        before = checkpoints.was["train"]["epochs"]
        if before != self.train.epochs and self.scheduled:
            told = f"{self.train.epochs} epochs from the start would give other numbers"
            warnings.warn(f"{told}: schedules went towards epoch {before} so far", CheckpointWarning, stacklevel=4)

    def _run(self) -> History:
        train, limit, checkpoints = self.train, self.train.max_seconds or float("inf"), self.checkpoints
        self.since = monotonic()
        began = self._state({})
        for callback in self.callbacks.values():
            _hook(callback, "on_begin", began)
        with np.errstate(all="ignore"), blas.threads(self.threads):
            while not self.over and self.done < train.epochs and self.elapsed() < limit:
                self._watch()  # before any training too, so that what cannot be written is found now
                self._end_epoch(self.train_epoch())
                if checkpoints is not None and checkpoints.every.epochs and self.done % checkpoints.every.epochs == 0:
                    checkpoints.due = 0.0
        if checkpoints is not None and self.done > began.epoch:
            checkpoints.save(self.get_state())
        layout.verify(self.model)  # a callback may have bound an array anew
        if not self.over:
            if self.done < train.epochs:
                self._note(np.ones(self.model.runs, bool), f"max_seconds: {limit:g} seconds have gone by")
            self._end(self._state({}), np.ones(self.model.runs, bool))
        self.put_back()
        self._make_room(self.history)
        for column in self.history.values():
            column[np.isnan(column)] = np.nan  # of the same bits everywhere, as `settle` has it
        return self.history

    def train_epoch(self) -> dict[str, np.ndarray]:
        """Train one epoch, or what is left of it; its row of the log."""
        model, loss, optimizer, batches, checkpoints = self.model, self.loss, self.optimizer, self.batches, self.checkpoints
        metrics = self.metrics if self.evaluated is None else []
        epoch, total, total_weight = self.done, self.total, self.total_weight
        if not self.step:
            total = total_weight = np.float64(0)
            for metric in metrics:
                metric.reset()
        for step, (x, y, weight, rows) in enumerate(islice(batches.epoch(epoch), self.step, None), self.step):
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
            if checkpoints is not None and monotonic() >= checkpoints.due:
                self.step, self.total, self.total_weight = step + 1, total, total_weight
                self._watch()
        self.step, self.total, self.total_weight = batches.steps, total, total_weight
        logs = {"loss": total / total_weight}
        for metric in metrics:
            logs[metric.name] = metric.value()
        if self.evaluated is not None:
            logs = run_through(model, loss, self.evaluating, self.evaluated, self._watch)
        if self.validation is not None:
            held = run_through(model, loss, self.evaluating, self.validation, self._watch)
            logs = {key: value for name in logs for key, value in ((name, logs[name]), (f"val_{name}", held[name]))}
        if hasattr(optimizer, "_lr"):
            logs["lr"] = optimizer._lr[..., 0].copy()
        return logs

    def _end_epoch(self, logs: dict[str, np.ndarray]) -> None:
        """Write the log, call the callbacks, and go on without the runs that end here."""
        where: Any = ... if self.model is self.whole else self.alive
        self._make_room(logs)
        for name, value in logs.items():
            self.history[name][self.done, where] = value
        self.done, self.step = self.done + 1, 0
        self.history.epochs[where] = self.done
        finite = np.isfinite(logs["loss"])
        going_on = finite if self.alive is None else finite.all()
        if going_on and not self.callbacks:
            return
        state = self._state(logs)
        for callback in self.callbacks.values():
            callback.on_epoch(state)
        if not going_on:
            diverged = ~finite
            self.history.diverged[where] = diverged
            self.settle(diverged)
            for loss in ("nan", "inf", "-inf"):
                if (which := np.asarray(logs["loss"]).astype(str) == loss).any():
                    state.stop(which, f"the loss is {loss} at the end of epoch {state.epoch} (step {state.step})")
            if self.warn:
                runs = "" if self.alive is None else f"run {', '.join(map(str, self.alive[diverged][:10]))}: "
                warnings.warn(f"{runs}{state.reasons[-1][1]}; training ends here. A smaller lr may help.", DivergenceWarning, stacklevel=5)
        if state.stopped is not False and np.any(state.stopped):
            stopped = np.broadcast_to(state.stopped, self.model.runs)
            for which, reason in state.reasons:
                self._note(np.broadcast_to(which, self.model.runs), reason)
            self._end(state, stopped)
            self._keep(np.flatnonzero(~stopped))

    def _state(self, logs: dict[str, np.ndarray]) -> State:
        steps = self.done * self.batches.steps + self.step
        return State(self.done, self.train.epochs, steps, logs, self.model, self.optimizer, self.alive)

    def _note(self, which: np.ndarray, reason: str) -> None:
        """Why some runs end."""
        for run in np.flatnonzero(which) if self.alive is None else self.alive[which]:
            self.history.reasons[int(run)] = reason  # of several reasons the last one: divergence comes last

    def _end(self, state: State, which: np.ndarray) -> None:
        for callback in self.callbacks.values():
            _hook(callback, "on_end", state, which)

    def _make_room(self, names: Iterable[str]) -> None:
        """Have the log's columns reach to the present epoch, and some epochs more."""
        if self.history and min(self.done + 1, self.train.epochs) <= len(self.history["loss"]):
            return
        room = max(ROOM // max(self.whole._arrays.seeds.values.size, 1), 1)
        rows = min(-(-(self.done + 1) // room) * room, self.train.epochs)
        for name in list(names):
            column = np.full((rows, *self.whole.runs), np.nan)
            before = self.history.get(name, column[:0])
            column[: len(before)] = before
            self.history[name] = column

    # ------------------------------------------------------------------------------------------ checkpoints

    def _watch(self) -> None:
        """Write a checkpoint if one is due. Raises Interrupted if a signal has come."""
        checkpoints = self.checkpoints
        if checkpoints is not None and monotonic() >= checkpoints.due:
            checkpoints.save(self.get_state())
            if checkpoints.signal is not None:
                raise Interrupted(checkpoints.signal)

    def elapsed(self) -> float:
        """Seconds spent on training, before interruptions too."""
        return self.seconds + monotonic() - self.since

    def _numbers(self) -> dict[str, dict[str, Any]]:
        """What model, loss and optimizer hold."""
        self.put_back()
        numbers = {f"{i}.{name}": array for i, part in enumerate(self.whole_components) for name, array in part.numbers().items()}
        return weights.get_state(self.whole) | {"optimizer": self.whole_optimizer.get_state(), "numbers": numbers}

    def get_state(self) -> dict[str, dict[str, Any]]:
        """All that it takes to go on from between these two steps: arrays by the name of a part and their own."""
        log = {name: column[: self.done] for name, column in self.history.items()}
        training = {
            "epochs": self.done,
            "step": self.step,
            "total": self.total,
            "total_weight": self.total_weight,
            "seconds": self.elapsed(),
            "over": self.over,
            "alive": np.arange(0) if self.alive is None else self.alive,
            "trained": self.history.epochs,
            "diverged": self.history.diverged,
            "reasons": np.frombuffer(json.dumps(self.history.reasons).encode(), np.uint8),
        }
        metrics = {f"metric {i}": metric.get_state() for i, metric in enumerate(self.metrics)}
        callbacks = {name: _hook(callback, "get_state") or {} for name, callback in self.callbacks.items()}
        return self._numbers() | {"log": log, "training": training} | metrics | callbacks

    def set_state(self, parts: dict[str, dict[str, np.ndarray]]) -> None:
        """Go back to where `get_state` was called, in a training that has just been made."""
        weights.set_state(self.whole, parts)
        self.whole_optimizer.set_state(parts["optimizer"])
        for i, component in enumerate(self.whole_components):  # as schedules, or a callback, had left them
            for name, array in component.numbers().items():
                array[...] = parts["numbers"][f"{i}.{name}"]
            component.derive()
        training, history = parts["training"], self.history
        self.done, self.step, self.over = int(training["epochs"]), int(training["step"]), bool(training["over"])
        self.total, self.total_weight, self.seconds = training["total"][()], training["total_weight"][()], float(training["seconds"])
        history.epochs[...], history.diverged[...] = training["trained"], training["diverged"]
        history.reasons = {int(run): reason for run, reason in json.loads(bytes(training["reasons"])).items()}
        for name, column in parts.get("log", {}).items():
            history[name] = np.array(column)
        if self.alive is not None:
            self._keep(training["alive"])
        for i, metric in enumerate(self.metrics):
            metric.set_state(parts.get(f"metric {i}", {}))
        for name, callback in self.callbacks.items():
            _hook(callback, "set_state", parts.get(name, {}))

    # ------------------------------------------------------------------------------------------ runs that end early

    def _keep(self, keep: np.ndarray) -> None:
        """Go on with some of the runs that still train; `keep` are their numbers among these."""
        if self.alive is None or not keep.size:
            self.over = True
            return
        if keep.size == self.alive.size:
            return
        self.put_back()
        self.alive = self.alive[keep]
        self.model = self.model.take(keep)
        self.optimizer = self.optimizer.take(keep, self.model)
        self.loss = deepcopy(self.loss)
        self.loss.take_numbers(keep)
        self.batches = self.batches.take(keep)
        self.evaluated = self.evaluated and self.evaluated.take(keep)
        self.validation = self.validation and self.validation.take(keep)
        self._find_components()

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
            for whole, part in zip(self.whole_components, self.components, strict=True):
                numbers = whole.numbers()
                for name, array in part.numbers().items():
                    numbers[name][self.alive] = array
                whole.derive()

    def _find_components(self) -> None:
        """Those with numbers that may differ from run to run, or follow a schedule."""
        self.components: list[Component] = [*(layer for _, _, layer in layout.walk(self.model)), self.loss, self.optimizer]
        self.scheduled = [component for component in self.components if component._scheduled]


def _hook(callback: Any, name: str, *arguments: Any) -> Any:
    """Call a method that a callback may have or not."""
    method = getattr(callback, name, None)
    return None if method is None else method(*arguments)


def batches_for(
    model: Layer, loss: Loss, metrics: Sequence[Metric], data: Any, what: str, seeds: Seeds, size: int, shuffle: bool
) -> Batches:
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


def run_through(
    model: Layer, loss: Loss, metrics: Sequence[Metric], batches: Batches, between: Callable[[], None]
) -> dict[str, np.ndarray]:
    """Loss and metrics over all rows, not in training. `between` is called between batches."""
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
        between()
    return {"loss": total / total_weight} | {metric.name: metric.value() for metric in metrics}
