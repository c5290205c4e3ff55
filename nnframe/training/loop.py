"""The training loop: one network or a stack, the same lines."""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import islice
from time import monotonic
from typing import Any, ClassVar

import numpy as np

from nnframe.components.component import Component, config_of
from nnframe.components.markers import Positive, Size
from nnframe.data.augmentations.base import Augmentation
from nnframe.data.batches import Batches
from nnframe.errors import FileError, OptionError
from nnframe.layers import layout
from nnframe.layers.base import Layer
from nnframe.losses.base import Loss
from nnframe.metrics.losses import LossMetric
from nnframe.optimizers.base import Optimizer
from nnframe.streams import Seed, Seeds
from nnframe.system import blas
from nnframe.system.signals import Interrupted
from nnframe.system.warn import warn
from nnframe.training.callbacks import Callback, State
from nnframe.training.checkpoint import Checkpoints, CheckpointWarning, Every
from nnframe.training.ensemble import Judges, check_members, for_one, run_members
from nnframe.training.evaluation import batches_for, begun, gather, mixed, own_metrics, refuse_integers, run_through
from nnframe.training.history import DivergenceWarning, History
from nnframe.training.state import Resumable, hook


@dataclass(frozen=True)
class Train:
    """How to train: the options of `fit` that are plain values, and the section `train` of a config.

    All rows are trained on `epochs` times, `batch_size` of them a step, in an order drawn anew unless `shuffle` is false. What is logged of
    the training part is that of its rows as they were trained on, with `evaluate_train` as they are after the epoch; `eval_batch_size` rows
    are evaluated at a time, so many as the layers suggest unless given. `blas_threads` compute matrix products, `auto` as many as their
    size rewards. Training ends after the epoch in which `max_seconds` have gone by. `checkpoint` says how often to write one.
    """

    epochs: Size
    batch_size: Size
    shuffle: bool = True
    evaluate_train: bool = False
    eval_batch_size: Size | None = None
    blas_threads: blas.Threads = "auto"
    max_seconds: Positive | None = None
    checkpoint: Every = field(default_factory=lambda: Every(seconds=30.0))


def seeds_of(model: Layer, seed: Seed | None) -> Seeds:
    """The seeds of the rows' order, one for each run; the model's unless given. Raises OptionError."""
    seeds = model._store.seeds if seed is None else Seeds(seed)
    if seeds.runs == model.runs:
        return seeds
    if seeds.runs:
        has = f"there are {model.runs[0]} runs" if model.runs else "there is one network"
        raise OptionError(f"has {seeds.runs[0]} values, but {has}", path="fit.seed")
    return Seeds([int(seeds.values)] * model.runs[0])


class Training(Resumable):
    """Everything that a training holds. When runs of a stack end, it goes on with the `take` of the others."""

    goes_on: ClassVar[str] = "go on"  # what it does after an interruption

    def __init__(
        self,
        model: Layer,
        loss: Loss,
        optimizer: Optimizer,
        data: Any,
        validation: Any,
        metrics: Iterable[Any],
        callbacks: Iterable[Any],
        seed: Seed | None,
        train: Train,
        augment: Iterable[Augmentation] = (),
        *,
        ensemble: bool = False,
    ) -> None:
        """`ensemble`: the runs of a stack are one, so that the log has values of their averaged prediction too."""
        seeds = seeds_of(model, seed)
        self.train, self.loss, self.metrics = train, deepcopy(loss), own_metrics(metrics)
        size = self.eval_batch_size = train.eval_batch_size or model.evaluation_rows()
        self.threads = blas.resolve(train.blas_threads, train.batch_size * model.largest_product())
        self.augment = begun(augment, model, seeds)
        drawn = mixed(data, model, self.loss) if any(change.changes_targets for change in self.augment) else data
        self.batches = batches_for(model, self.loss, self.metrics, drawn, "data", seeds, train.batch_size, train.shuffle)
        refuse_integers(self.augment, self.batches)
        self.validation = self.evaluated = None
        self.evaluating = deepcopy(self.metrics)  # of their own: targets that are trained on may be mixed
        if validation is not None:
            self.validation = batches_for(model, self.loss, self.evaluating, validation, "validation", seeds, size, False)
        if train.evaluate_train:
            self.evaluated = batches_for(model, self.loss, self.evaluating, data, "data", seeds, size, False)
        for metric in self.metrics:
            metric.reset()
        for component in (self.loss, *self.metrics, *self.augment):
            component.bind(model.runs, model.dtype)
        for metric in self.evaluating:
            metric.bind(model.runs, model.dtype)
        self.ensemble = ensemble
        self._one: Judges | None = None  # loss and metrics for the averaged prediction,
        self._one_of: Loss | None = None  # and the stack's loss that they were made from
        if ensemble:
            check_members(model, self.loss, self.evaluating, self.validation, "ensemble")
        self.model, self.optimizer = model, optimizer
        self.callbacks = {f"callback {i}": callback for i, callback in enumerate(callbacks)}
        columns = self.columns()
        for i, callback in enumerate(self.callbacks.values()):
            try:
                hook(callback, "build", columns)
                self._set_up(callback)
            except OptionError as error:
                raise error.within(f"callbacks.{i}") from None
        if getattr(getattr(optimizer, "model", None), "_store", None) is not model._store:
            optimizer.attach(model)
        self.begin()
        self.done, self.step = 0, 0
        self.total = self.total_weight = np.float64(0)
        self.seconds, self.since = 0.0, monotonic()
        self.history = History.of(model.runs)
        self.checkpoints: Checkpoints | None = None
        self.warn, self.resumed = True, False

    def _set_up(self, callback: Any) -> None:
        if isinstance(callback, Callback):
            callback.bind(self.model.runs, self.model.dtype)
            callback.setup(self.model)

    def columns(self) -> dict[str, str]:
        """The log's columns, and whether "min" or "max" is best there."""
        found = {"loss": "min"} | {metric.name: metric.better for metric in self.metrics}
        held = {} if self.validation is None else {f"val_{name}": better for name, better in found.items()}
        held |= {f"ensemble_{name}": better for name, better in held.items()} if self.ensemble else {}
        return found | held | ({"lr": "min"} if any(name == "lr" for name, _, _ in self.optimizer._per_run()) else {})

    def config(self) -> dict[str, Any]:
        """Plain data that says what is trained, for a training that no config file describes."""
        metrics = [metric.loss if isinstance(metric, LossMetric) else metric for metric in self.metrics]
        parts = {"model": self.whole, "loss": self.loss, "optimizer": self.whole_optimizer, "metrics": metrics, "train": self.train}
        parts |= {"augment": self.augment}
        named = [callback if isinstance(callback, Component) else type(callback).__name__ for callback in self.callbacks.values()]
        plain = {name: config_of(part) for name, part in (parts | {"callbacks": named}).items()}
        seeds = {"seed": self.whole._store.seeds.values.tolist(), "order_seed": self.batches.seeds.values.tolist()}
        data = {"data's hash": self.batches.data_hash(), "validation's hash": self.validation and self.validation.data_hash()}
        kind = {"ensemble": True} if self.ensemble else {}
        return plain | seeds | data | kind | {"dtype": str(self.whole.dtype), "blas_threads": self.threads}

    def run(self, watchers: Sequence[Any] = (), *, checkpoints: Checkpoints | None = None, warn: bool = True) -> History:
        """Train to the end, from the newest of `checkpoints` if there is one; the log of all epochs.

        `watchers` are further callbacks, called before the others. Raises Interrupted after a signal, with a checkpoint
        written; FileError where none can be written.
        """
        for watcher in watchers:
            self._set_up(watcher)
        self.callbacks = {f"watcher {i}": watcher for i, watcher in enumerate(watchers)} | self.callbacks
        self.find_components()
        self.warn, self.checkpoints = warn, checkpoints
        with nullcontext() if checkpoints is None else checkpoints.guarding():
            if checkpoints is not None:
                self._resume(checkpoints)
            try:
                history = self._run()
            except BaseException as error:  # also Ctrl-C
                try:
                    self.put_back()
                except Exception as other:  # what came first is told
                    error.add_note(f"The model is not where training had got to: {other}")
                raise
            self.put_back()
            return history

    def _resume(self, checkpoints: Checkpoints) -> None:
        """Go back to where the newest checkpoint was written, if there is one."""
        found = checkpoints.load(self.numbers())
        if found is None:
            return
        try:
            self.set_state(found)
        except (KeyError, ValueError, IndexError, TypeError) as error:
            raise FileError(f"{checkpoints.path.parent} holds a checkpoint of another version: {error}") from None
        self.resumed = True
        before = checkpoints.was["train"]["epochs"]
        if before != self.train.epochs and self.scheduled:
            told = f"{self.train.epochs} epochs from the start would give other numbers"
            warn(f"{told}: schedules went towards epoch {before} so far", CheckpointWarning)

    def _run(self) -> History:
        train, limit, checkpoints = self.train, self.train.max_seconds or float("inf"), self.checkpoints
        self.since = monotonic()
        began = self._state({})
        for callback in self.callbacks.values():
            hook(callback, "on_begin", began)
        with np.errstate(all="ignore"), blas.threads(self.threads):
            self._train(limit)
        if checkpoints is not None and self.done > began.epoch:
            checkpoints.save(self.get_state())
        layout.verify(self.model)  # a callback may have bound an array anew
        if not self.over:
            if self.done < train.epochs:
                self._note(np.ones(self.model.runs, bool), f"max_seconds: {limit:g} seconds have gone by")
            self._end(self._state({}), np.ones(self.model.runs, bool))
        self.history.make_room(self.history, self.done, train.epochs)
        for column in self.history.values():
            column[np.isnan(column)] = np.nan  # of the same bits everywhere, as `settle` has it
        return self.history

    def _train(self, limit: float) -> None:
        """Train epoch after epoch, until so many seconds have gone by."""
        train, checkpoints = self.train, self.checkpoints
        while not self.over and self.done < train.epochs and self.elapsed() < limit:
            self._watch()  # before any training too, so that what cannot be written is found now
            self._end_epoch(self.train_epoch())
            if checkpoints is not None and checkpoints.every.epochs and self.done % checkpoints.every.epochs == 0:
                checkpoints.due = 0.0

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
                component.move(epoch + step / batches.steps, self.train.epochs)
            for change in self.augment:
                x, y = change.change(x, y)
            pred = model.forward(x, training=True)
            value = loss.forward(pred, y, weight)
            if metrics:
                gather(metrics, loss, pred, y, weight, batches.undo)
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
        logs = self._with_validation(logs)
        if (lr := getattr(optimizer.bound, "lr", None)) is not None:
            logs["lr"] = lr[..., 0].copy()
        return logs

    def _with_validation(self, logs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """A row of the log, with what validation rows give beside each value, and for an ensemble what its averaged prediction gives."""
        if self.validation is not None:
            if self.ensemble:
                held, averaged = self._run_members(np.isfinite(logs["loss"]), self.validation)
            else:
                held, averaged = run_through(self.model, self.loss, self.evaluating, self.validation, self._watch), {}
            logs = {key: value for name in logs for key, value in ((name, logs[name]), (f"val_{name}", held[name]))}
            logs |= {f"ensemble_val_{name}": np.full(self.model.runs, value) for name, value in averaged.items()}
        return logs

    def _run_members(self, finite: np.ndarray, batches: Batches) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Loss and metrics on rows, of each member that still trains, and of the averaged prediction of all that have not diverged."""
        which: Any = ... if self.model is self.whole else self.alive
        if self.model is not self.whole:  # weights are all that an evaluation needs
            self.whole.params[which], self.whole.state[which] = self.model.params, self.model.state
        members = self.sound()
        members[which] &= finite
        judges = self.loss, self.evaluating
        if self._one is None or self._one_of is not self.loss or any(part.numbers() for part in (judges[0], *judges[1])):
            self._one, self._one_of = for_one(*judges), self.loss  # with their numbers as they are now
        return run_members(self.whole, members, which, *judges, self._one, batches, self._watch)

    def sound(self) -> np.ndarray:
        """The members that have not diverged, (members,): whose loss is finite, and whose weights are."""
        return ~self.history.diverged & np.isfinite(self.whole.params).all(-1)

    def _end_epoch(self, logs: dict[str, np.ndarray]) -> None:
        """Write the log, call the callbacks, and go on without the runs that end here."""
        where: Any = ... if self.model is self.whole else self.alive
        finite = np.isfinite(logs["loss"])
        going_on = finite if self.alive is None else finite.all()
        if not going_on:
            self.settle(~finite, logs)
        self.history.make_room(logs, self.done, self.train.epochs)
        for name, value in logs.items():
            self.history[name][self.done, where] = value
        self.done, self.step = self.done + 1, 0
        self.history.epochs[where] = self.history.kept[where] = self.done
        if going_on and not self.callbacks:
            return
        state = self._state(logs)
        for callback in self.callbacks.values():
            callback.on_epoch(state)
        if not going_on:
            self.history.diverged[where] = ~finite
            self._end_diverged(state, ~finite)
        if state.stopped is not False and np.any(state.stopped):
            stopped = np.broadcast_to(state.stopped, self.model.runs)
            for which, reason in state.reasons:
                self._note(np.broadcast_to(which, self.model.runs), reason)
            self._end(state, stopped)
            self.keep(np.flatnonzero(~stopped))

    def _end_diverged(self, state: State, diverged: np.ndarray) -> None:
        """End runs whose loss is not finite, and say so."""
        for loss in ("nan", "inf", "-inf"):
            if (which := np.asarray(state.logs["loss"]).astype(str) == loss).any():
                state.stop(which, f"the loss is {loss} at the end of epoch {state.epoch} (step {state.step})")
        if self.warn:
            runs = "" if self.alive is None else f"run {', '.join(map(str, self.alive[diverged][:10]))}: "
            mend = " A smaller lr may help." if "lr" in state.logs else ""
            warn(f"{runs}{state.reasons[-1][1]}; training ends here.{mend}", DivergenceWarning)

    def _state(self, logs: dict[str, np.ndarray]) -> State:
        steps = self.done * self.batches.steps + self.step
        return State(self.done, self.train.epochs, steps, logs, self.model, self.optimizer, self.alive, self.resumed)

    def _note(self, which: np.ndarray, reason: str) -> None:
        """Why some runs end; of several reasons the last one: divergence comes last."""
        self.history.note(np.flatnonzero(which) if self.alive is None else self.alive[which], reason)

    def _end(self, state: State, which: np.ndarray) -> None:
        for callback in self.callbacks.values():
            hook(callback, "on_end", state, which)
        where: Any = ... if self.model is self.whole else self.alive
        self.history.kept[where] = np.where(which, state.kept, self.history.kept[where])

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
