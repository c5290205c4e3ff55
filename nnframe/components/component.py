"""Components: classes whose constructor's signature is the only description of their options.

From the signature come the checks (the same words for Python and YAML), `repr` and the resolved config. `register` makes a
class known by its name.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import fields, is_dataclass
from inspect import Parameter
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import numpy as np

from nnframe.components.markers import Named, Range, bare, marks, per_run
from nnframe.components.registry import REGISTRY, options, parameters
from nnframe.components.walk import Enough, Problems, check_options
from nnframe.components.wording import describe, shown
from nnframe.errors import OptionError, join

C = TypeVar("C", bound="Component")


class _Checked(type):
    """Checks the arguments by the signature before the constructor runs, and remembers them as `_options`.

    Keyword-only options of the constructor of a slot's base class, such as a layer's `name`, belong to every class of
    the slot without being repeated there.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        known = options(cls)
        variadic = next((name for name, option in known.items() if option.variadic), None)
        positional = [name for name in known if name in cls._positional]
        if variadic is None and len(args) > len(positional):
            takes = f"takes at most {len(positional)} positional argument{'s' * (len(positional) != 1)}, got {len(args)}"
            others = ", ".join(name for name in known if name not in positional)
            raise OptionError(f"{takes}; name the others: {others}" if others else takes, path=cls.__name__)
        if variadic is not None and len(args) == 1 and isinstance(args[0], (list, tuple)):
            wanted = describe(get_args(known[variadic].kind)[0])
            raise OptionError(
                f"expected {wanted}, got {shown(args[0])}; write {cls.__name__}(*{variadic})", path=f"{cls.__name__}.{variadic}.0"
            )
        given = dict(zip(positional, args, strict=False)) if variadic is None else {variadic: args}
        if twice := given.keys() & kwargs.keys():
            raise OptionError("given twice", path=f"{cls.__name__}.{min(twice)}")
        problems = Problems()
        with suppress(Enough):
            values = check_options(cls, given | kwargs, "", problems)
        if problems:
            (first, message), *more = problems
            message += "".join(f"; {cls.__name__}{'.' * bool(path)}{path}: {also}" for path, also in more)
            raise OptionError(message, path=join(cls.__name__, first) if first else cls.__name__)
        try:
            return cls._make(values)
        except OptionError as error:
            raise error.within(cls.__name__) from None

    def _make(cls: Any, values: dict[str, Any]) -> Any:
        self = cls.__new__(cls)
        self._options = values
        own = parameters(cls)
        base = cls._base()
        if cls.__init__ is not base.__init__:
            base.__init__(self, **{name: value for name, value in values.items() if name not in own})
        arguments = {name: value for name, value in values.items() if name in own}
        variadic = next((name for name, p in own.items() if p.kind is Parameter.VAR_POSITIONAL), None)
        positional = arguments.pop(variadic) if variadic else ()
        cls.__init__(self, *positional, **arguments)
        return self

    def _base(cls: Any) -> Any:
        """The class that opened the slot."""
        return next((base for base in reversed(cls.__mro__) if "slot" in vars(base)), cls)

    @property
    def _positional(cls: Any) -> frozenset[str]:
        kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
        return frozenset(name for name, p in parameters(cls).items() if p.kind in kinds)


class Component(Named, metaclass=_Checked):
    """Base of everything that a config can name. Each `slot` (layer, loss, ...) has a registry of its own."""

    def __init__(self) -> None:
        pass

    def __repr__(self) -> str:
        parts: list[str] = []
        for name, option in options(type(self)).items():
            value = self._options[name]
            if option.variadic:
                parts += map(repr, value)
            elif option.required and name in type(self)._positional:
                parts.append(_short(value))
            elif not _same(value, option.default):
                parts.append(f"{name}={_short(value)}")
        return f"{type(self).__name__}({', '.join(parts)})"

    # PerRun numbers. `bind` makes them arrays; `fit` writes schedules into them; `take_numbers` keeps some runs.

    def bind(self, runs: tuple[int, ...], dtype: Any) -> None:
        """Make each PerRun option `x` an array `self._x`, (*runs, 1) in `dtype`; a pair of them becomes a tuple of arrays.

        Raises OptionError if an option has one value per run, but not as many as there are runs, or if a value is out of its
        range in `dtype`.
        """
        self._scheduled: list[tuple[Component, np.ndarray]] = []
        for name, value in self._per_run():
            kind = options(type(self))[name].kind
            if get_origin(bare(kind)) is tuple:
                parts = zip(get_args(bare(kind)), value, strict=True)
                bound: Any = tuple(self._bound(k, v, runs, dtype, f"{name}.{i}") for i, (k, v) in enumerate(parts))
            else:
                bound = self._bound(kind, value, runs, dtype, name)
            setattr(self, f"_{name}", bound)
        self.derive()

    def derive(self) -> None:
        """Compute what depends on the bound numbers alone; called whenever one of them has changed."""

    def _per_run(self) -> Iterator[tuple[str, Any]]:
        for name, option in options(type(self)).items():
            if per_run(option.kind) and self._options[name] is not None:
                yield name, self._options[name]

    def _bound(self, kind: Any, value: Any, runs: tuple[int, ...], dtype: Any, path: str) -> np.ndarray:
        array = np.empty((*runs, 1), dtype)
        path = f"{type(self).__name__}.{path}"
        if isinstance(value, Component):
            value = copy(value)  # one schedule may serve several options
            try:
                value.bind(runs, np.float64)
            except OptionError as error:
                raise OptionError(error.message, path=f"{path}.{error.path.partition('.')[2]}") from None
            self._scheduled.append((value, array))
            array[...] = value.value(0.0, 1.0)
            return array
        if isinstance(value, tuple) and runs != (len(value),):
            raise OptionError(f"has {len(value)} value{'s' * (len(value) > 1)}, but there {_count(runs)}", path=path)
        with np.errstate(over="ignore", under="ignore"):
            array[...] = np.array(value)[:, None] if isinstance(value, tuple) else value
        if not np.isfinite(array).all():
            raise OptionError(f"{_short(value)} is too large for {np.dtype(dtype)}", path=path)
        within = next((mark for mark in marks(kind) if isinstance(mark, Range)), Range())
        if outside := [number for number in array.ravel().tolist() if number not in within]:
            raise OptionError(f"expected a number {within}, got {_short(value)}, which is {outside[0]:g} in {np.dtype(dtype)}", path=path)
        return array

    def schedule(self, t: float, total: float) -> None:
        """Write the value of every schedule at epoch `t` of `total` into its bound array."""
        for schedule, array in self._scheduled:
            array[...] = schedule.value(t, total)
        if self._scheduled:
            self.derive()

    def numbers(self) -> dict[str, np.ndarray]:
        """The bound arrays by option, `betas.0` for the first of a pair. Whoever writes into one calls `derive`."""
        found: dict[str, np.ndarray] = {}
        for name, _ in self._per_run():
            bound = getattr(self, f"_{name}")
            found |= {f"{name}.{i}": part for i, part in enumerate(bound)} if isinstance(bound, tuple) else {name: bound}
        return found

    def take_numbers(self, rows: Any) -> None:
        """Keep the bound numbers of some runs of a stack."""
        taken: dict[int, np.ndarray] = {}

        def take(array: np.ndarray) -> np.ndarray:
            return taken.setdefault(id(array), np.array(array[rows]))

        for name, _ in self._per_run():
            bound = getattr(self, f"_{name}")
            setattr(self, f"_{name}", tuple(map(take, bound)) if isinstance(bound, tuple) else take(bound))
        self._scheduled = [(copy(schedule), taken[id(array)]) for schedule, array in self._scheduled]
        for schedule, _ in self._scheduled:
            schedule.take_numbers(rows)
        self.derive()

    def of_run(self: C, run: int) -> C:
        """The component as run number `run` of a stack has it."""
        chosen = {name: _of_run(options(type(self))[name].kind, value, run) for name, value in self._options.items()}
        return type(self)._make(chosen)


def register(cls: type[C]) -> type[C]:
    """Make a component known to configs under its class's name; a taken name is an error."""
    known = REGISTRY.setdefault(cls.slot, {})
    name = cls.__name__
    if name in known:
        raise OptionError(f"the name is taken by {known[name].__module__}.{name}", path=f"{cls.slot} {name}")
    options(cls)
    known[name] = cls
    return cls


def config_of(value: Any) -> Any:
    """Plain data that a config can hold: `{type: ..., every option}` for a component."""
    if isinstance(value, Component):
        return {"type": type(value).__name__} | {name: config_of(v) for name, v in value._options.items()}
    if is_dataclass(value):
        return {field.name: config_of(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): config_of(v) for key, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [config_of(v) for v in value]
    return str(value) if isinstance(value, Path) else value


def _of_run(kind: Any, value: Any, run: int) -> Any:
    """An option's value in one run: components and lists of them are gone into, one number per run becomes that number."""
    if isinstance(value, Component):
        return value.of_run(run)
    if not isinstance(value, tuple):
        return value
    if get_origin(bare(kind)) is tuple:
        kinds = get_args(bare(kind))
        kinds = kinds[:1] * len(value) if kinds[-1] is Ellipsis else kinds
        return tuple(_of_run(k, v, run) for k, v in zip(kinds, value, strict=True))
    return value[run] if per_run(kind) else value


def _count(runs: tuple[int, ...]) -> str:
    return f"are {runs[0]} runs" if runs else "is one network"


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and repr(a) == repr(b)


def _short(value: Any) -> str:
    """A list of one value per run is too long to read in full."""
    if isinstance(value, tuple) and len(value) > 6:
        return f"[{value[0]!r}, ..., {value[-1]!r}]"
    return repr(list(value)) if isinstance(value, tuple) else repr(value)
