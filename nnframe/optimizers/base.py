"""Optimizers: a few in-place operations on the flat `params` and `grads` of a model, (*runs, P)."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy import add, copyto, multiply

from nnframe.components.buffers import Buffers, broadcasting
from nnframe.components.component import Component
from nnframe.components.names import nearest
from nnframe.components.options import field
from nnframe.errors import UsageError, listed
from nnframe.layers import layout
from nnframe.layers.base import Layer
from nnframe.losses.base import Loss

O = TypeVar("O", bound="Optimizer")  # noqa: E741


CHUNK = 2**20  # numbers to update at a time: beyond the last cache, smaller pieces pay, and up to it they cost


class Unattached:
    """Stands for what an optimizer has only once it is attached."""

    def __get__(self, optimizer: Any, owner: type) -> Any:
        raise UsageError(f"{owner.__name__} is not attached; call attach(model) first")


class Optimizer(Component):
    """Base of all optimizers. A subclass writes `update`, and `setup` if it remembers anything from step to step.

    `attach(model)` comes first, then `step()` after every backward. What is remembered is declared with `add_state`; nothing else, but the
    number of `steps`, is in a checkpoint. An optimizer made of others attaches them in its `setup`, each to a layer of its model, and steps
    them in its `step`.
    """

    slot = "optimizer"
    whole: ClassVar[bool] = False  # does it train a whole network in `minimize`, and take no steps?

    model: Layer = field(init=False)
    steps: int = field(init=False)
    params: np.ndarray = field(init=False)
    grads: np.ndarray = field(init=False)
    _decays: bool = field(default=False, init=False)  # is there any weight decay?
    _undecayed: bool = field(default=False, init=False)  # and a run without it?
    _chunks: Any = field(default=Unattached(), init=False)

    def setup(self) -> None:
        """Declare what is remembered with `add_state`."""

    def begin(self) -> None:
        """Once a step, before the parameters are updated: compute what depends on the step alone."""

    def update(self, p: np.ndarray, g: np.ndarray, w: Any) -> None:
        """Update a piece p (*runs, piece) of the parameters in place, from its gradients g, which stay as they are.

        `w` has the same piece of each state array, by name, the PerRun numbers, and working arrays `w.u` and `w.d`.
        """
        raise NotImplementedError

    def add_state(self, name: str, shape: tuple[int, ...] | None = None, init: Any = 0.0, dtype: Any = None) -> np.ndarray:
        """Declare an array that is remembered from step to step: like the parameters, and `w.name` in `update`, unless a `shape` for each
        run is given; then it is `self.state[name]`, (*runs, *shape), in float64."""
        given = np.float64 if shape is not None else self.params.dtype
        return super().add_state(name, self.params.shape[-1:] if shape is None else shape, init, given if dtype is None else dtype)

    def derived(self) -> dict[str, np.ndarray]:
        """Weight decay is one number a run, or one a parameter where some parameters are exempt from it."""
        decay = getattr(self.bound, "weight_decay", None)
        if decay is None or not self._decays:
            return {}
        self._undecayed = bool((decay == 0).any())
        decayed = self.model.decayed
        return {"each_decay": decay if decayed.all() else decay * decayed, "undecayed": decay == 0}

    def check(self, model: Layer, loss: Loss) -> None:
        """Of one that is `whole`: raise OptionError for what it cannot train."""

    def minimize(self, objective: Any, iterated: Callable[[], None]) -> str:
        """Of one that is `whole`: train from where the parameters stand, with `iterated()` after every iteration, whose parameters and
        gradient are in the model then. Returns why it ended. `objective`: an `Objective`."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------ what everyone calls

    def attach(self: O, model: Layer) -> O:
        """Begin to train `model`, or a layer of one: no step taken, state at its start."""
        layout.verify(model)
        self.model, self.steps, self.state = model, 0, {}
        self.params, self.grads = model.params, model.grads
        given = {name: value for name, _, value in self._per_run()}
        self._decays = not all_zero(given.get("weight_decay", 0))
        self.bind(model.runs, model.dtype)
        self.setup()
        self._cut()
        return self

    def step(self) -> None:
        """One update of all parameters from their gradients. Raises UsageError before `attach`."""
        self.begin()
        for p, g, w in self._chunks:
            self.update(p, g, w)
        self.steps += 1

    def view(self, name: str, parameter: str) -> np.ndarray:
        """What is remembered of one parameter, such as `view("m", "0.W")`: (*runs, *shape), a view into `self.state["m"]`. Parameters are
        named as in the `slices()` of the attached model. Raises UsageError."""
        if not hasattr(self, "model"):
            raise UsageError(f"{type(self).__name__} is not attached; call attach(model) first")
        arrays = {known: array for known, array in self.state.items() if array.shape == self.params.shape}
        if not isinstance(name, str) or name not in arrays:
            known = f"{nearest(name, arrays)} It remembers: {listed(arrays)}." if arrays else " It remembers none."
            raise UsageError(f"{type(self).__name__} remembers no {name!r} for each parameter.{known}", path="view")
        places = {known: (place, shape) for known, place, shape in layout.parameters(self.model)}
        if not isinstance(parameter, str) or parameter not in places:
            raise UsageError(f"there is no parameter {parameter!r}.{nearest(parameter, places)} Parameters: {listed(places)}.", path="view")
        place, shape = places[parameter]
        return arrays[name][..., place].reshape(*self.params.shape[:-1], *shape)

    def take(self: O, rows: Any, model: Layer) -> O:
        """A new optimizer for some runs of a stack, which goes on from where this one is. `model` is the `take(rows)` of the attached one,
        or of the model that it is part of."""
        if not hasattr(self, "model"):
            raise UsageError(f"{type(self).__name__} is not attached; call attach(model) first")
        kept = np.empty(self.params.shape[:-1], bool)[rows].shape
        same_place = {layer._path: layer for _, _, layer in layout.walk(model)}
        memo: dict[int, Any] = dict(self.taken(rows))
        for part in self.tree():
            if isinstance(part, Optimizer):
                memo[id(part.model._store)] = model._store
                for _, _, layer in layout.walk(part.model):
                    own = same_place.get(layer._path)
                    if own is None and layer is part.model and layer.layers:
                        continue  # `model[:2]` stands at no place of the model, but its layers do
                    if own is None or own.params.shape != (*kept, layer.params.shape[-1]):
                        raise UsageError(f"take: expected the model's take of the same rows, {kept} runs, got a model of {model.runs} runs")
                    memo[id(layer)] = own
        return deepcopy(self, memo)

    def put(self, rows: Any, taken: Any) -> None:
        super().put(rows, taken)
        for whole, part in zip(self.tree(), taken.tree(), strict=True):
            if isinstance(whole, Optimizer):
                whole.steps = max(whole.steps, part.steps)

    def get_state(self) -> dict[str, np.ndarray]:
        return super().get_state() | {"steps": np.array(self.steps)}

    def set_state(self, arrays: dict[str, np.ndarray]) -> None:
        self.steps = int(arrays["steps"])
        super().set_state(arrays)

    def decayed(self, p: np.ndarray, g: np.ndarray, w: Any) -> np.ndarray:
        """g + weight_decay p, in `w.d`; for an optimizer that `_decays`."""
        multiply(p, w.each_decay, w.d)
        add(g, w.d, w.d)
        if self._undecayed:
            copyto(w.d, g, where=w.undecayed)
        return w.d

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_chunks", "params", "grads")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if "model" in state:
            self.params, self.grads = self.model.params, self.model.grads
            self._cut()

    def _cut(self) -> None:
        """Make the views of each piece of the parameters."""
        runs, size = self.params.shape[:-1], self.params.shape[-1]
        length = min(max(CHUNK // (runs[0] if runs else 1), 1024), max(size, 1))
        arrays = broadcasting(self.bound, runs, 1)
        if taken := {"u", "d"} & (arrays.keys() | self.state.keys()) or arrays.keys() & self.state.keys():
            raise UsageError(f"{type(self).__name__}: {min(taken)!r} names two things; rename one of them")
        arrays |= self.state
        whole = {name for name, array in arrays.items() if isinstance(array, np.ndarray) and array.shape == self.params.shape}
        scratch = [np.empty((*runs, length), self.params.dtype) for _ in "ud"]
        self._chunks = []
        for start in range(0, size, length):
            part = (..., slice(start, start + length))
            w = Buffers(**{name: array[part] if name in whole else array for name, array in arrays.items()})
            for name, array in zip("ud", scratch, strict=True):
                setattr(w, name, array[..., : min(length, size - start)])
            self._chunks.append((self.params[part], self.grads[part], w))


def all_zero(value: Any) -> bool:
    """Is a PerRun number 0 in every run? A schedule counts as not 0."""
    return not isinstance(value, Component) and bool(np.all(np.asarray(value) == 0))


def some_zero(value: Any) -> bool:
    """Is it 0 in some run?"""
    return not isinstance(value, Component) and bool(np.any(np.asarray(value) == 0))


def follow(v: np.ndarray, g: np.ndarray, momentum: np.ndarray, still: np.ndarray | None, alone: np.ndarray) -> None:
    """v = momentum v + g; exactly `alone` in runs that are `still`, whose momentum is 0: what they step along where nothing moves."""
    multiply(v, momentum, v)
    add(v, g, v)
    if still is not None:
        copyto(v, alone, where=still)
