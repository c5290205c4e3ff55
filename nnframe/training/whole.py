"""Training by an optimizer that takes whole networks, such as SciPy's minimizers: run after run, an iteration is an epoch."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from nnframe.data.augmentations.base import Augmentation
from nnframe.errors import OptionError, UsageError
from nnframe.layers import layout
from nnframe.layers.base import Layer
from nnframe.losses.base import Loss
from nnframe.optimizers.base import Optimizer
from nnframe.optimizers.objective import Objective
from nnframe.streams import Seed
from nnframe.system.signals import Interrupted
from nnframe.training.checkpoint import Checkpoints
from nnframe.training.evaluation import run_through
from nnframe.training.loop import Train, Training

PARTS = ("model", "loss", "optimizer", "metrics", "evaluating", "augment", "batches", "evaluated", "validation", "alive", "over")
LIMIT = "max_seconds"


def training_by(optimizer: Optimizer) -> type[Training]:
    """The kind of training that an optimizer asks for."""
    return WholeTraining if optimizer.whole else Training


class _Ended(Exception):
    """The training of a run is over, whatever the minimizer would still do."""


class WholeTraining(Training):
    """A minimizer calls back after every iteration. What it remembers is in no checkpoint: there is one of the start, from which an
    interrupted training begins anew, and one of the end."""

    goes_on = "begin anew"

    def __init__(
        self,
        model: Layer,
        loss: Loss,
        optimizer: Optimizer,
        data: Any,
        validation: Any,
        metrics: Any,
        callbacks: Any,
        seed: Seed | None,
        train: Train,
        augment: Sequence[Augmentation] = (),
        *,
        ensemble: bool = False,
    ) -> None:
        name = type(optimizer).__name__
        if ensemble:
            told = (
                f"{name} trains one network after the other, which cannot be looked at as one meanwhile; train them as a sweep over seeds"
            )
            raise OptionError(told, path="ensemble")
        optimizer.check(model, loss)
        for i, change in enumerate(augment):
            raise OptionError(
                f"{name} minimizes one function, and {type(change).__name__} changes it from call to call", path=f"augment.{i}"
            )
        for path, _, layer in layout.walk(model):
            if told := _changing(layer):
                raise OptionError(f"{name} minimizes one function, but {type(layer).__name__} {told}", path=f"model.{path}".rstrip("."))
        super().__init__(model, loss, optimizer, data, validation, metrics, callbacks, seed, replace(train, evaluate_train=True), augment)
        if self.scheduled:
            raise OptionError(f"{name} minimizes one function, but a number of {type(self.scheduled[0]).__name__} follows a schedule")
        if train.batch_size < (rows := self.batches.most):
            raise OptionError(
                f"{name} takes all {rows} rows at once; write batch_size: {rows}, got {train.batch_size}", path="train.batch_size"
            )

    def _resume(self, checkpoints: Checkpoints) -> None:
        super()._resume(checkpoints)
        if not self.done:
            return
        longer = any(checkpoints.was["train"][key] != getattr(self.train, key) for key in ("epochs", LIMIT))
        reasons = [self.history.reasons.get(run, LIMIT) for run in range(max(self.history.epochs.size, 1))]
        if longer and any(reason.startswith(LIMIT) for reason in reasons):
            told = f"{type(self.optimizer).__name__} cannot go on from epoch {self.done}, where this training ended; train it anew"
            raise OptionError(told, path="train")

    def _train(self, limit: float) -> None:
        if self.done:
            return
        if self.checkpoints is not None:
            self.checkpoints.save(self.get_state())
        most = 0
        for run in [0] if self.alive is None else self.alive.tolist():
            self.done = 0
            with self._alone(run):
                self._minimize(limit)
            most = max(most, self.done)
        self.done, self.over = most, True

    @contextmanager
    def _alone(self, run: int) -> Iterator[None]:
        """Within it, one run of the stack is all that trains."""
        stack = {name: getattr(self, name) for name in PARTS}
        self.keep(np.array([run]))
        self.over = False
        self.evaluated = self.evaluated and self.evaluated.every_row()
        yield
        self.put_back()
        vars(self).update(stack)
        self.find_components()

    def _minimize(self, limit: float) -> None:
        params = self.optimizer.params
        reached, reason = params.copy(), ""  # where the last iteration ended; a minimizer may break off elsewhere

        def iterated() -> None:
            reached[...] = params
            self._end_epoch(self._row())
            if not self.over and not np.array_equal(reached, params):
                raise UsageError(f"a callback has changed weights, which {type(self.optimizer).__name__} would not see")
            reached[...] = params
            if self.over or self.done == self.train.epochs or self.elapsed() >= limit:
                raise _Ended

        try:
            reason = self.optimizer.minimize(self._objective(), iterated)
            params[...] = reached
            if not self.done:  # there was no way down from the start, which is what is told of the run
                iterated()
        except _Ended:
            pass
        finally:
            params[...] = reached
        if not self.over:
            every = np.ones(self.model.runs, bool)
            if not reason and self.done < self.train.epochs:
                reason = f"{LIMIT}: {limit:g} seconds have gone by"
            if reason:
                self._note(every, reason)
            self._end(self._state({}), every)

    def train_epoch(self) -> dict[str, np.ndarray]:
        """Of one run: about what an iteration takes, for those who time one."""
        objective = self._objective()
        objective(objective.start)
        return self._row()

    def _objective(self) -> Objective:
        assert self.evaluated is not None
        return Objective(self.model, self.loss, self.optimizer.model, partial(self.evaluated.epoch, 0), self._watch)

    def _row(self) -> dict[str, np.ndarray]:
        assert self.evaluated is not None
        return self._with_validation(run_through(self.model, self.loss, self.evaluating, self.evaluated, self._watch))

    def _watch(self) -> None:
        """Raises Interrupted if a signal has come."""
        if self.checkpoints is not None and self.checkpoints.signal is not None:
            raise Interrupted(self.checkpoints.signal)


def _changing(layer: Layer) -> str:
    """What makes a layer another function from call to call, if something does."""
    if layer._streams:
        return "draws random numbers in training; leave it out"
    if any(spec.home == "state" for spec in layer._specs.values()):
        return "changes what it remembers in training; leave it out, or write LayerNorm, which remembers nothing"
    return "" if layer.exact_gradient else "has a backward that is not its derivative"
