"""What may happen after every epoch. A callback is an object with `on_epoch(state)`; `Callback` is the base of those that do more."""

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass
from dataclasses import field as part
from typing import Any, Literal

import numpy as np

from nnframe.components.component import Component, register
from nnframe.components.markers import NonNegative, Size
from nnframe.components.names import nearest
from nnframe.components.options import field
from nnframe.errors import OptionError
from nnframe.layers.base import Layer
from nnframe.optimizers.base import Optimizer

Columns = Mapping[str, str]  # of the log: "min" or "max", whichever is better there


def no_column(name: str, columns: Columns, purpose: str = "") -> str:
    """That the log has no column of this name, and which it has."""
    hint = ""
    if name.startswith(("val_", "ensemble_val_")) and "val_loss" not in columns:
        hint = "; there is no validation data"
    elif name.startswith("ensemble_val_") and "ensemble_val_loss" not in columns:
        hint = "; ensembles have it: ensemble: 16 at the top of a config, fit(..., ensemble=True)"
    return f"the log has no column {name!r}{purpose}{hint}.{nearest(name, columns)} Columns: {', '.join(columns)}."


@dataclass(eq=False, repr=False)
class State:
    """Training after an epoch, as callbacks see it.

    `logs` maps a column of the log to one number per run that still trains, (*runs,): loss, val_loss, the metrics, lr.
    `runs` are the numbers of those runs in the stack that `fit` began with, None for one network. `model` and `optimizer`
    hold those runs alone; `optimizer.numbers()["lr"]` (*runs, 1) may be changed, with `optimizer.derive()` behind it.
    """

    epoch: int  # from 1; 0 before training
    epochs: int
    step: int  # steps taken since the beginning
    logs: dict[str, np.ndarray]
    model: Layer
    optimizer: Optimizer
    runs: np.ndarray | None
    resumed: bool = False  # does training go on from a checkpoint?
    stopped: Any = False
    reasons: list[tuple[Any, str]] = part(default_factory=list)  # which runs, and why
    kept: np.ndarray = part(init=False)  # the epoch whose weights each run has, (*runs,): this one unless a callback puts others back

    def __post_init__(self) -> None:
        self.kept = np.full(self.model.runs, self.epoch)

    def stop(self, which: Any = True, reason: str = "stopped by a callback") -> None:
        """End training of these runs after this epoch: a mask like the arrays of `logs`, or all of them."""
        which, runs = np.asarray(which, bool), self.model.runs
        if which.shape not in ((), runs):
            still = f"one for each run that still trains, {runs}" if runs else "one value"
            raise OptionError(f"expected {still}, got {which.shape}; index by state.runs", path="state.stop")
        self.stopped = np.asarray(self.stopped) | which
        self.reasons.append((which, reason))

    def places(self, which: Any = slice(None)) -> tuple[Any, Any]:
        """Where some of the runs that still train stand, a mask or all of them: in an array as long as the whole stack, and in
        one of these runs alone."""
        return (..., ...) if self.runs is None else (self.runs[which], which)


class Callback(Component):
    """Base of callbacks: write `on_epoch`.

    What it must remember to go on after an interruption is declared in `setup` with `add_state`: arrays as long as the whole stack,
    (*runs, *shape), to be indexed by `state.runs`.
    """

    slot = "callback"

    def build(self, columns: Columns) -> None:
        """Check options against the log's columns. Raises OptionError."""

    def setup(self, model: Layer) -> None:
        """Declare what is remembered with `add_state`; `model` is the whole stack, before training."""

    def on_begin(self, state: State) -> None:
        """Training begins, or with `state.resumed` goes on, with what is remembered put back."""

    def on_epoch(self, state: State) -> None:
        """Look at an epoch that has just ended; `state.stop()` ends training."""

    def on_end(self, state: State, which: np.ndarray) -> None:
        """Training of some runs has ended, for whatever reason: a mask (*runs,). `state.model` may still be changed; who puts the weights
        of an earlier epoch there writes that into `state.kept`."""


HOOKS = [name for name in vars(Callback) if name.startswith("on_")]


def check_hooks(callbacks: Iterable[Any], path: str) -> None:
    """Raise OptionError for what is no callback, and for a method that nobody would ever call."""
    for i, callback in enumerate(callbacks):
        methods = [name for name in dir(callback) if name.startswith("on_") and callable(getattr(callback, name, None))]
        if wrong := [name for name in methods if name not in HOOKS]:
            between = {"batch", "step"} & {*wrong[0].split("_")}  # of which there is none
            hint = "" if between else nearest(wrong[0], HOOKS)
            told = f"has a method {wrong[0]!r}, which is never called.{hint} Methods: {', '.join(HOOKS)}."
            raise OptionError(told, path=f"{path}.{i}.{type(callback).__name__}")
        if "on_epoch" not in methods:
            raise OptionError(f"expected an object with a method on_epoch, got {callback!r:.60}", path=f"{path}.{i}")


@register
class BestWeights(Callback):
    """Keeps the weights of the epoch where the column `monitor` was best, for each run.

    `mode` says what is best, "min" or "max"; unless given it follows from the column. A change of at most `min_delta`
    is no improvement. A run's folder gets them as `best.npz`; in Python `restore(model)` puts them into the model.

    Attributes after training: `best` and `epoch`, (*runs,): the column's best value, and its epoch.
    """

    where = "best.npz"  # a run's folder has the best weights there

    monitor: str = "val_loss"
    _: KW_ONLY
    min_delta: NonNegative = 0.0
    mode: Literal["min", "max"] | None = None
    best: np.ndarray = field(init=False)
    epoch: np.ndarray = field(init=False)

    def build(self, columns: Columns) -> None:
        if self.monitor not in columns:
            raise OptionError(no_column(self.monitor, columns), path="monitor")
        self._sign = -1 if (self.mode or columns[self.monitor]) == "max" else 1

    def setup(self, model: Layer) -> None:
        self.best = self.add_state("best", init=np.inf * self._sign)
        self.epoch = self.add_state("epoch", dtype=int)
        self._params = self.add_state("params", model.params.shape[-1:], model.params, model.dtype)
        self._state = self.add_state("state", model.state.shape[-1:], model.state, model.dtype)

    def on_epoch(self, state: State) -> None:
        value, (training, _) = np.asarray(state.logs[self.monitor], np.float64), state.places()
        better = np.asarray(value * self._sign < self.best[training] * self._sign - self.min_delta)
        if better.any():
            whole, here = state.places(better)
            self.best[whole], self.epoch[whole] = value[here], state.epoch
            self._params[whole], self._state[whole] = state.model.params[here], state.model.state[here]

    def restore(self, model: Layer) -> None:
        """Put the best weights into a model of the same layers and runs."""
        model.params[...], model.state[...] = self._params, self._state


@register
class EarlyStopping(BestWeights):
    """Ends a run when the column `monitor` has not improved by more than `min_delta` for `patience` epochs.

    With `restore_best` a run ends with the weights of its best epoch, whatever ended it. See BestWeights for the rest.
    """

    _: KW_ONLY
    patience: Size = 10
    restore_best: bool = True

    def __post_init__(self) -> None:
        self.where = "weights.npz" if self.restore_best else "best.npz"

    def on_epoch(self, state: State) -> None:
        super().on_epoch(state)
        training, _ = state.places()
        waited = state.epoch - self.epoch[training]
        if (waited >= self.patience).any():
            state.stop(waited >= self.patience, f"{self.monitor} has not improved for {self.patience} epochs")

    def on_end(self, state: State, which: np.ndarray) -> None:
        training, _ = state.places()
        found = which & (self.epoch[training] > 0)
        if self.restore_best and found.any():
            whole, here = state.places(found)
            state.model.params[here], state.model.state[here] = self._params[whole], self._state[whole]
            state.kept[here] = self.epoch[whole]
