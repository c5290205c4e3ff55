"""Numbers that may differ between the runs of a stack, or follow a schedule; and what a component remembers from step to step."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, get_args, get_origin

import numpy as np

from nnframe.components.buffers import Buffers
from nnframe.components.markers import Named, Range, bare, markers_of, per_run
from nnframe.components.options import options
from nnframe.components.wording import short
from nnframe.errors import OptionError, UsageError

Runs = tuple[int, ...]

NO_PARTS = ("_options", "_inherited", "_scheduled", "_runs", "state")  # attributes that hold no component, or one that stands elsewhere too


class Numbers(Named):
    """What all components have of arrays with a runs axis: `bound` are the numbers of PerRun options, `state` what is remembered.

    A component that holds others, in options or other attributes, alone or in lists, takes them along in all of this by itself.
    """

    bound: Buffers  # an option `lr` and what is derived from it have their array (*runs, 1) at `bound.lr`, the same one for good
    state: Any  # what `add_state` declared, by name; a layer's stands in the flat arrays of its model instead
    _runs: Runs
    _scheduled: list[tuple[Any, np.ndarray]]  # schedules, and the numbers that they move
    _inherited: dict[str, tuple[Any, Any]]  # options that a constructor of one's own handed to its parent's: kind and value

    # ------------------------------------------------------------------------------------------ what it holds

    def parts(self) -> Iterator[tuple[str, "Numbers"]]:
        """The components that it holds, each once, by the attribute and index or key: `optimizers.0`. Layers count by their place in a
        model and not here, schedules with the numbers that they move."""
        seen: set[int] = set()
        for name, value in vars(self).items():
            if isinstance(value, _HOLDERS) and name not in NO_PARTS:
                for place, part in _components(value, name):
                    if id(part) not in seen and part.slot not in ("layer", "initializer") and not self._moves_number(part):
                        seen.add(id(part))
                        yield place, part

    def _moves_number(self, part: "Numbers") -> bool:
        return part.slot == "schedule" and any(
            part is value or (isinstance(value, tuple) and part in value) for _, _, value in self._per_run()
        )

    def tree(self) -> Iterator["Numbers"]:
        """It and all that it holds, and what these hold."""
        yield self
        for _, part in self.parts():
            yield from part.tree()

    # ------------------------------------------------------------------------------------------ numbers

    def bind(self, runs: Runs, dtype: Any) -> None:
        """Make each PerRun option `x` an array `self.bound.x`, (*runs, 1) in `dtype`; a pair of them becomes a tuple of arrays, an option
        that is None stays so.

        Raises OptionError if an option has one value per run, but not as many as there are runs, or if a value is out of its
        range in `dtype`.
        """
        self._runs, self._scheduled, self.bound = runs, [], Buffers()
        for name, kind, value in self._per_run():
            if get_origin(bare(kind)) is tuple:
                parts = zip(get_args(bare(kind)), value, strict=True)
                bound: Any = tuple(self._bound(k, v, runs, dtype, f"{name}.{i}") for i, (k, v) in enumerate(parts))
            else:
                bound = None if value is None else self._bound(kind, value, runs, dtype, name)
            setattr(self.bound, name, bound)
        for name, number in self.derived().items():
            if hasattr(self.bound, name):
                raise UsageError(f"{type(self).__name__}: {name!r} names an option and what is derived; rename one of them")
            setattr(self.bound, name, np.array(number))
        for _, part in self.parts():
            part.bind(runs, dtype)

    def derived(self) -> dict[str, np.ndarray]:
        """What depends on the bound numbers alone, by the name that it will have beside them: `{"scale": 1 / (1 - self.bound.p)}`."""
        return {}

    def derive(self) -> None:
        """Write what is derived from the bound numbers anew, into the same arrays: for whoever has written into `numbers()`."""
        self._write_derived()
        for _, part in self.parts():
            part.derive()

    def _write_derived(self) -> None:
        for name, number in self.derived().items():
            getattr(self.bound, name)[...] = number

    def numbers(self) -> dict[str, np.ndarray]:
        """The bound arrays by option, (*runs, 1): `betas.0` is the first of a pair, `first.lr` one of the component at `first`."""
        found: dict[str, np.ndarray] = {}
        for name, _, _ in self._per_run():
            bound = getattr(self.bound, name)
            found |= {f"{name}.{i}": part for i, part in enumerate(bound)} if isinstance(bound, tuple) else {name: bound}
        found |= {f"{place}.{name}": number for place, part in self.parts() for name, number in part.numbers().items()}
        return {name: number for name, number in found.items() if number is not None}

    def schedule(self, t: float, total: float) -> None:
        """Write the value of every schedule at epoch `t` of `total` into the number that it moves."""
        for part in self.scheduled():
            part.move(t, total)

    def scheduled(self) -> list["Numbers"]:
        """Those, of it and what it holds, that follow a schedule."""
        return [part for part in self.tree() if part._scheduled]

    def move(self, t: float, total: float) -> None:
        """Write the values of its own schedules at epoch `t` of `total`, and what is derived from them."""
        for schedule, number in self._scheduled:
            number[...] = schedule.value(t, total)
        self._write_derived()

    def _per_run(self) -> Iterator[tuple[str, Any, Any]]:
        """Name, annotation and value of every PerRun option."""
        for name, option in options(type(self)).items():
            if per_run(option.kind):
                yield name, option.kind, self._options[name]
        for name, (kind, value) in self._inherited.items():
            if per_run(kind) and not (name in self._options and per_run(options(type(self))[name].kind)):
                yield name, kind, value

    def _bound(self, kind: Any, value: Any, runs: Runs, dtype: Any, path: str) -> np.ndarray:
        array = np.empty((*runs, 1), dtype)
        path = f"{type(self).__name__}.{path}"
        if isinstance(value, Numbers):
            value = deepcopy(value)  # one schedule may serve several options
            try:
                value.bind(runs, np.float64)
            except OptionError as error:
                raise OptionError(error.message, path=f"{path}.{error.path.partition('.')[2]}") from None
            self._scheduled.append((value, array))
            array[...] = value.value(0.0, 1.0)
            return array
        if isinstance(value, tuple) and runs != (len(value),):
            there = f"are {runs[0]} runs" if runs else "is one network"
            raise OptionError(f"has {len(value)} value{'s' * (len(value) > 1)}, but there {there}", path=path)
        with np.errstate(over="ignore", under="ignore"):
            array[...] = np.array(value)[:, None] if isinstance(value, tuple) else value
        if not np.isfinite(array).all():
            raise OptionError(f"{short(value)} is too large for {np.dtype(dtype)}", path=path)
        within = next((mark for mark in markers_of(kind) if isinstance(mark, Range)), Range())
        if outside := [number for number in array.ravel().tolist() if number not in within]:
            raise OptionError(f"expected a number {within}, got {short(value)}, which is {outside[0]:g} in {np.dtype(dtype)}", path=path)
        return array

    # ------------------------------------------------------------------------------------------ what is remembered

    def add_state(self, name: str, shape: Runs = (), init: Any = 0.0, dtype: Any = np.float64) -> np.ndarray:
        """Declare an array of `shape` for each run that is remembered from step to step: `state[name]`, (*runs, *shape), which is also
        returned, and is the same array for good. Nothing else is in a checkpoint, or stays with its run when others end."""
        self.state[name] = np.full((*self._runs, *shape), init, dtype)
        return self.state[name]

    def get_state(self) -> dict[str, np.ndarray]:
        """All that it, and what it holds, remembers, as arrays by name."""
        return self._remembered() | {f"{place}.{name}": array for place, part in self.parts() for name, array in part.get_state().items()}

    def _remembered(self) -> dict[str, np.ndarray]:
        """Of these, its own."""
        return self.state

    def set_state(self, arrays: dict[str, np.ndarray]) -> None:
        """Go back to where `get_state` was called."""
        for name, array in self._remembered().items():
            array[...] = arrays[name]
        for place, part in self.parts():
            part.set_state({name.removeprefix(f"{place}."): a for name, a in arrays.items() if name.startswith(f"{place}.")})

    # ------------------------------------------------------------------------------------------ some runs of a stack

    def _own_arrays(self) -> Iterator[np.ndarray]:
        """All of its own arrays with a runs axis."""
        yield from self._own_numbers()
        yield from self._remembered().values()

    def _own_numbers(self) -> Iterator[np.ndarray]:
        """Of these, its numbers, what is derived from them, and those of its schedules."""
        for number in vars(self.bound).values() if hasattr(self, "bound") else ():
            yield from number if isinstance(number, tuple) else () if number is None else (number,)
        for schedule, _ in getattr(self, "_scheduled", ()):
            for part in schedule.tree():
                yield from part._own_numbers()

    def taken(self, rows: Any) -> dict[int, np.ndarray]:
        """What `deepcopy` needs as its memo so that the copy, and what it holds, has some runs of a stack alone: each array's part."""
        return {id(array): np.array(array[rows]) for part in self.tree() for array in part._own_arrays()}

    def put(self, rows: Any, taken: "Numbers") -> None:
        """Write the arrays of runs that were taken, and trained since, back to their rows."""
        for whole, part in zip(self.tree(), taken.tree(), strict=True):
            for array, changed in zip(whole._own_arrays(), part._own_arrays(), strict=True):
                array[rows] = changed


_HOLDERS = (Numbers, list, tuple, dict)


def _components(value: Any, place: str) -> Iterator[tuple[str, Numbers]]:
    """The components in a value: a component, or a list, tuple or mapping."""
    if isinstance(value, Numbers):
        yield place, value
    else:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(inner, _HOLDERS):
                yield from _components(inner, f"{place}.{key}")
