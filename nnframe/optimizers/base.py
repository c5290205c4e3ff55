"""Optimizers: a few in-place operations on the flat `params` and `grads` of a model, (*runs, P)."""

from copy import copy
from typing import Any, TypeVar

import numpy as np
from numpy import add, multiply

from nnframe.components.buffers import Work
from nnframe.components.component import Component
from nnframe.errors import UsageError
from nnframe.layers import layout
from nnframe.layers.base import Layer

O = TypeVar("O", bound="Optimizer")  # noqa: E741


CHUNK = 2**20  # numbers to update at a time: beyond the last cache, smaller pieces pay, and up to it they cost


class Unattached:
    """Stands for what an optimizer has only once it is attached."""

    def __get__(self, optimizer: Any, owner: type) -> Any:
        raise UsageError(f"{owner.__name__} is not attached; call attach(model) first")


class Optimizer(Component):
    """Base of all optimizers. A subclass writes `update`, and `setup` if it remembers anything from step to step.

    `attach(model)` comes first, then `step()` after every backward. State arrays are `self.state[name]`; nothing else that it
    remembers, but the number of `steps`, is in a checkpoint.
    """

    slot = "optimizer"

    def setup(self) -> None:
        """Declare state with `add_state`, and per-run numbers with `add_number`."""

    def begin(self) -> None:
        """Once a step, before the parameters are updated: compute what depends on the step alone."""

    def update(self, p: np.ndarray, g: np.ndarray, w: Work) -> None:
        """Update a piece p (*runs, piece) of the parameters in place, from its gradients g, which stay as they are.

        `w` has the same piece of each state array, by name, and working arrays `w.u` and `w.d`.
        """
        raise NotImplementedError

    def add_state(self, name: str) -> None:
        """Declare an array like the parameters, 0 at the start: `w.name` in `update`."""
        self.state[name] = np.zeros_like(self.params)

    def add_number(self, name: str, value: float) -> None:
        """Declare one float64 number per run, (*runs, 1), that changes from step to step: `self.state[name]`."""
        self.state[name] = np.full((*self.params.shape[:-1], 1), value)

    # ------------------------------------------------------------------------------------------ what everyone calls

    def attach(self: O, model: Layer) -> O:
        """Begin to train `model`: no step taken, state at its start."""
        layout.verify(model)
        self.model, self.steps = model, 0
        self.params, self.grads = model.params, model.grads
        self.state: dict[str, np.ndarray] = {}
        self._decays, self._decay = not _all_zero(self._options.get("weight_decay", 0)), None
        self.setup()
        self.bind(model.runs, model.dtype)
        self._cut()
        return self

    def derive(self) -> None:
        """Weight decay is one number a run, or one a parameter where some parameters are exempt from it."""
        if not self._decays:
            return
        self._undecayed = _where_zero(self._weight_decay)
        decayed = self.model.decayed
        if decayed.all():
            self._decay = self._weight_decay
        elif self._decay is None:
            self._decay = self._weight_decay * decayed
        else:
            multiply(self._weight_decay, decayed, self._decay)  # in place: `update` has views of it

    _chunks: Any = Unattached()

    def step(self) -> None:
        """One update of all parameters from their gradients. Raises UsageError before `attach`."""
        self.begin()
        for p, g, w in self._chunks:
            self.update(p, g, w)
        self.steps += 1

    def take(self: O, rows: Any, model: Layer) -> O:
        """A new optimizer for `model`, which is the attached one's `take(rows)`; it goes on from where this one is."""
        if not hasattr(self, "state"):
            raise UsageError(f"{type(self).__name__} is not attached; call attach(model) first")
        kept = np.empty(self.params.shape[:-1], bool)[rows].shape
        if model.params.shape != (*kept, self.params.shape[-1]):
            raise UsageError(f"take: expected the model's take of the same rows, {kept} runs, got a model of {model.runs} runs")
        taken = copy(self)
        taken.model, taken.params, taken.grads = model, model.params, model.grads
        taken.state = {name: np.array(array[rows]) for name, array in self.state.items()}
        taken._decay = None
        taken.take_numbers(rows)
        taken._cut()
        return taken

    def put(self, rows: Any, taken: "Optimizer") -> None:
        """Write the state of runs that were taken, and trained since, back to their rows."""
        for name, array in taken.state.items():
            self.state[name][rows] = array
        self.steps = max(self.steps, taken.steps)

    def get_state(self) -> dict[str, np.ndarray]:
        """All that it remembers from step to step, as arrays by name."""
        return self.state | {"steps": np.array(self.steps)}

    def set_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go back to where `get_state` was called, on an attached optimizer of the same options."""
        self.steps = int(arrays["steps"])
        for name, array in self.state.items():
            array[...] = arrays[name]

    def _slim(self, number: np.ndarray) -> np.ndarray:
        """A per-run number, (*runs, 1), as NumPy broadcasts it fastest: without an axis for one network. A view."""
        return number if self.model.runs else number.reshape(())

    def _decayed(self, p: np.ndarray, g: np.ndarray, w: Work) -> np.ndarray:
        """g + weight_decay p, in `w.d`."""
        multiply(p, w.decay, w.d)
        add(g, w.d, w.d)
        if self._undecayed is not None:
            np.copyto(w.d, g, where=self._undecayed)
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
        whole = {name: array for name, array in self.state.items() if array.shape == self.params.shape}
        scratch = [np.empty((*runs, length), self.params.dtype) for _ in "ud"]
        self._chunks = []
        for start in range(0, size, length):
            part = (..., slice(start, start + length))
            w = Work(**{name: array[part] for name, array in whole.items()})
            for name, array in zip("ud", scratch, strict=True):
                setattr(w, name, array[..., : min(length, size - start)])
            if self._decay is not None:
                w.decay = self._decay[part] if self._decay.shape == self.params.shape else self._decay
            self._chunks.append((self.params[part], self.grads[part], w))


def _some_zero(value: Any) -> bool:
    """Is a PerRun number 0 in some run? A schedule counts as not 0."""
    return not isinstance(value, Component) and bool(np.any(np.asarray(value) == 0))


def _all_zero(value: Any) -> bool:
    return not isinstance(value, Component) and bool(np.all(np.asarray(value) == 0))


def _where_zero(bound: np.ndarray) -> np.ndarray | None:
    """The runs whose number is 0, so that they can take the very path of a run alone whose number is 0."""
    zero = bound == 0
    return zero if zero.any() else None
