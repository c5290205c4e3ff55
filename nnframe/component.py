"""Components: classes whose constructor's signature is the only description of their options.

From the signature come the checks (the same words for Python and YAML), `repr` and the resolved config. Markers in the
annotations say more than a type can: `Positive`, `Size`, `PerRun[...]`. `register` makes a class known by its name.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from inspect import Parameter, signature
from os import PathLike, fspath
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from nnframe.errors import ENOUGH, NNFrameError, OptionError, closest, nearest, same

# ---------------------------------------------------------------------------------------------- markers


@dataclass(frozen=True)
class Range:
    """Marks the finite numbers that an option takes: from `min` or above `above`, up to `max` or below `below`."""

    min: float | None = None
    max: float | None = None
    above: float | None = None
    below: float | None = None

    def __contains__(self, value: float) -> bool:
        return (
            (self.min is None or value >= self.min)
            and (self.max is None or value <= self.max)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    def __str__(self) -> str:
        words = {"of at least": self.min, "greater than": self.above, "at most": self.max, "less than": self.below}
        return " and ".join(f"{word} {bound}" for word, bound in words.items() if bound is not None)

    def with_low(self) -> "Range":
        """With its lower bound included: a schedule may run down to it."""
        low = self.above
        return Range(self.min if low is None else low, self.max, below=self.below)


Positive = Annotated[float, Range(above=0)]
NonNegative = Annotated[float, Range(min=0)]
Probability = Annotated[float, Range(min=0, max=1)]
Fraction = Annotated[float, Range(min=0, below=1)]
Size = Annotated[int, Range(min=1)]


@dataclass(frozen=True)
class Filled:
    """Marks a list that holds at least one item."""


@dataclass(frozen=True)
class Matches:
    """Marks a text that matches a pattern as a whole; `words` say what that means."""

    pattern: str
    words: str


class _PerRunMark:
    pass


if TYPE_CHECKING:
    T = TypeVar("T")
    PerRun = Union[T, Sequence[T], np.ndarray, "Component"]  # noqa: UP007  a forward reference in it
else:

    class PerRun:
        """`PerRun[Positive]`: a number, one number per run of a stack, or a schedule."""

        def __class_getitem__(cls, kind: Any) -> Any:
            return Annotated[kind, _PerRunMark()]


# ---------------------------------------------------------------------------------------------- components

REGISTRY: dict[str, dict[str, type["Component"]]] = {}
C = TypeVar("C", bound="Component")


@dataclass(frozen=True)
class Option:
    """One option of a component: its annotation and default, as the signature has them."""

    name: str
    kind: Any
    default: Any
    variadic: bool = False

    @property
    def required(self) -> bool:
        return self.default is Parameter.empty


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
            raise OptionError(message, path=_join(cls.__name__, first) if first else cls.__name__)
        try:
            return cls._make(values)
        except OptionError as error:
            raise error.within(cls.__name__) from None

    def _make(cls: Any, values: dict[str, Any]) -> Any:
        self = cls.__new__(cls)
        self._options = values
        own = _parameters(cls)
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
        return frozenset(name for name, p in _parameters(cls).items() if p.kind in kinds)


class Component(metaclass=_Checked):
    """Base of everything that a config can name. Each `slot` (layer, loss, ...) has a registry of its own."""

    slot: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ()  # of the files that it reads
    schedulable: ClassVar[bool] = True  # may its PerRun numbers follow a schedule?
    _options: dict[str, Any]

    if TYPE_CHECKING:  # a PerRun option `x` has its bound array at `_x`

        def __getattr__(self, name: str) -> Any: ...

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


@cache
def _parameters(cls: Any) -> Mapping[str, Parameter]:
    """The parameters of a class's constructor."""
    return signature(cls.__init__).parameters


def options(cls: Any) -> dict[str, Option]:
    """The options of a component or of a dataclass of options, in the order of the signature."""
    if "_option_table" not in vars(cls):
        cls._option_table = dict(_options(cls))
    return cls._option_table


def _options(cls: Any) -> Iterator[tuple[str, Option]]:
    if is_dataclass(cls):
        hints = get_type_hints(cls, include_extras=True)
        for field in fields(cls):
            default = Parameter.empty if field.default is MISSING else field.default
            if field.default_factory is not MISSING:
                default = field.default_factory()
            yield field.name, Option(field.name, hints[field.name], default)
        return
    base = cls._base()
    inherited = [(base, [p for p in _parameters(base).values() if p.kind is Parameter.KEYWORD_ONLY])]
    for owner, parameters in [(cls, [*_parameters(cls).values()][1:]), *inherited]:
        hints = get_type_hints(owner.__init__, include_extras=True)
        for p in parameters:
            if p.kind is Parameter.VAR_KEYWORD:
                raise OptionError("its constructor takes **; options must be named one by one", path=cls.__name__)
            kind, variadic = hints.get(p.name, Any), p.kind is Parameter.VAR_POSITIONAL
            if owner is cls or p.name not in _parameters(cls):
                default = Parameter.empty if variadic else p.default
                yield p.name, Option(p.name, tuple.__class_getitem__((kind, ...)) if variadic else kind, default, variadic)


def per_run(kind: Any) -> bool:
    """Does an annotation hold a number that may differ between the runs of a stack?"""
    return any(isinstance(mark, _PerRunMark) for mark in marks(kind)) or (
        get_origin(kind) in (tuple, Union, UnionType) and any(map(per_run, get_args(kind)))
    )


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


# ---------------------------------------------------------------------------------------------- checks
# One walk over plain data by annotations serves Python calls and YAML alike. It reports all mistakes at once.

Problem = tuple[str, str]  # dotted path, message


class Enough(Exception):
    """So much is wrong that a check ends before its end."""


class Problems(list[Problem]):
    """What was found wrong, and what a check has to know about the place where its values stand."""

    one_network = False  # is a list of one number per run out of place?

    def append(self, problem: Problem) -> None:
        super().append(problem)
        if len(self) == ENOUGH:
            raise Enough

    def folder(self, path: str) -> Path:
        """The folder that a file name at a dotted path is relative to."""
        return Path()

    def home(self, path: str, key: str, value: Any) -> str:
        """` It belongs in train.` if the unknown key at a dotted path does."""
        return ""


def check(kind: Any, value: Any, path: str, problems: Problems) -> Any:
    """`value` as an object of the annotated `kind`; what is wrong goes to `problems`, and None comes back then."""
    if isinstance(value, np.generic):
        value = value.item()
    if any(isinstance(mark, _PerRunMark) for mark in marks(kind)):
        return _check_per_run(kind, value, path, problems)
    base: Any = bare(kind)
    origin = get_origin(base)
    if base in (Any, Parameter.empty, object):
        return value
    if not _fits(base, value):
        problems.append((path, f"expected {describe(kind)}, got {shown(value)}{_hint(base, value)}"))
        return None
    if origin in (Union, UnionType):
        if isinstance(value, str) and slot_of(base) and (hint := _hint(base, value)):
            problems.append((path, f"expected {describe(kind)}, got {shown(value)}{hint}"))
            return None
        return check(next(member for member in get_args(base) if _fits(bare(member), value)), value, path, problems)
    if base in (int, float):
        return _check_number(kind, value, path, problems)
    if origin is tuple:
        kinds = list(get_args(base))
        if not value and Filled() in marks(kind):
            problems.append((path, f"expected at least one {_one(kinds[0])}"))
        if kinds[-1] is Ellipsis:
            kinds = kinds[:1] * len(value)
        return tuple(check(k, v, _join(path, i), problems) for i, (k, v) in enumerate(zip(kinds, value, strict=True)))
    if origin is dict:
        inner = get_args(base)[1]
        return {key: check(inner, v, _join(path, key), problems) for key, v in value.items()}
    if base is str and (wrong := [mark for mark in marks(kind) if isinstance(mark, Matches) and not re.fullmatch(mark.pattern, value)]):
        problems.append((path, f"expected {wrong[0].words}, got {shown(value)}"))
        return None
    if base is Path:
        return problems.folder(path) / value
    if _is_component(base) and not isinstance(value, base):
        return _check_component(base, value, path, problems)
    if _is_options(base) and not isinstance(value, base):
        before = len(problems)
        values = check_options(base, value, path, problems)
        return _construct(lambda: base(**values), path, problems) if len(problems) == before else None
    return value


def check_options(cls: Any, given: Mapping[str, Any], path: str, problems: Problems) -> dict[str, Any]:
    """All options of `cls`, checked, defaults filled in."""
    known, meant = options(cls), set()
    for key in given:
        if key not in known:
            ours, message = _unknown(cls, key, given, _join(path, key), problems)
            problems.append((_join(path, key), message))
            meant.add(ours)
    values = {}
    for name, option in known.items():
        if name not in given:
            if option.required and not option.variadic and name not in meant:
                needs = f"{cls.__name__} needs the option '{name}'" if not _is_options(cls) else f"the key '{name}' is missing"
                problems.append((path, f"{needs}; expected {describe(option.kind)}"))
            values[name] = () if option.variadic else option.default
            continue
        before = len(problems)
        values[name] = check(option.kind, given[name], _join(path, name), problems)
        scheduled = len(problems) == before and per_run(option.kind) and isinstance(values[name], Component)
        if scheduled and not getattr(cls, "schedulable", True):
            problems.append((_join(path, name), f"expected a number, got {values[name]!r}: a schedule has no meaning here"))
    return values


def _unknown(cls: Any, key: str, given: Mapping[str, Any], path: str, problems: Problems) -> tuple[str | None, str]:
    """Which option was meant by a key that is none, if that is plain, and what to say."""
    known = [*options(cls), *getattr(cls, "besides", ())]
    ours, hint = _meant(cls, key, given, known)
    hint = hint or problems.home(path, key, given[key])
    if not hint and (ours := closest(key, known)):
        hint = f" Did you mean {ours!r}?"
    if _is_options(cls):
        return ours, f"unknown key {shown(key)}.{hint} Keys: {', '.join(known)}."
    return ours, f"{cls.__name__} has no option {shown(key)}.{hint} " + (f"Options: {', '.join(known)}." if known else "It has no options.")


def _meant(cls: Any, key: str, given: Mapping[str, Any], known: Sequence[str]) -> tuple[str | None, str]:
    """The option that an unknown key is another spelling of, and a sentence about what to write instead."""
    from nnframe.synonyms import HABITS, plain

    value, keys = given[key], list(given)
    before = given[keys[keys.index(key) - 1]] if keys[0] != key else None
    if value is None and (pair := re.fullmatch(r"(\w+)\s*[:=\s]\s*(\S.*)", key)) and (ours := same(pair[1], ("type", *known))):
        return ours, f" Write {ours}: {pair[2]}, with a ': ' between them."
    if value is None and type(before) is int and re.fullmatch(r"-?\d+", key):
        point = "" if key[0] == "-" else f"A number is written with a point, {before}.{key}. "
        return None, f" {point}A list is written [{before}, {key}]."
    if ours := same(key, known):
        return ours, f" Did you mean {ours!r}?"
    others = {} if _is_options(cls) else REGISTRY.get(cls.slot, {})
    if isinstance(value, str) and (other := same(value, others)) and not _required(others[other]):
        return None, f" Put {other} after it: it is a {cls.slot} of its own."
    if plain(key) in HABITS:
        return None, f" {HABITS[plain(key)]}"
    if other := same(key, others):
        return None, f" Put {form(others[other], [] if isinstance(value, bool) else [value])} after it: it is a {cls.slot} of its own."
    for option in () if _is_options(cls) else options(cls).values():
        slot, members = slot_of(option.kind), map(bare, get_args(bare(option.kind)))
        parts = [] if slot == cls.slot else [*REGISTRY.get(slot or "", {}).values(), *filter(_is_options, members)]
        if any(key in options(part) for part in parts):
            return None, f" It belongs in {option.name}."
    if having := [name for name, other in others.items() if key in options(other)]:
        return None, f" {' and '.join(having[:3])} {'have' if len(having) > 1 else 'has'} it."
    return None, ""


def _required(cls: Any) -> list[str]:
    return [name for name, option in options(cls).items() if option.required and not option.variadic]


def form(cls: Any, positional: Sequence[Any] = (), named: Mapping[str, Any] | None = None) -> str:
    """How a config writes a component with these options, `...` for those that are missing: `{type: Dense, units: 2}`."""
    known = options(cls)
    given = dict(zip(known, positional, strict=False)) | {key: value for key, value in (named or {}).items() if key in known}
    needed = {name: given.get(name, "...") for name in _required(cls)}
    parts = {} if _is_options(cls) else {"type": cls.__name__}
    return _flow(parts | needed | given) if needed or given or not parts else cls.__name__


def _flow(value: Any) -> str:
    """A value as YAML in one line, as far as it is short."""
    if isinstance(value, Mapping):
        text = f"{{{', '.join(f'{key}: {_flow(v)}' for key, v in value.items())}}}"
    elif isinstance(value, (list, tuple)):
        text = f"[{', '.join(map(_flow, value))}]"
    else:
        text = value if isinstance(value, str) else shown(value).replace("nothing", "null")
    return text if len(text) <= 100 else "..."


def _named(slot: str, value: Any) -> str:
    """The form that a component in a form of other libraries should have, such as `Dense(2)` or `{Dense: 2}`; nothing if none."""
    known = REGISTRY.get(slot, {})
    positional: list[Any] = []
    named: dict[str, Any] = {}
    if isinstance(value, str):
        if cls := next((cls for cls in known.values() if value.lower().endswith(cls.suffixes)), None):
            return form(cls, [value])
        call = re.fullmatch(r"([\w.]+)\s*\(([^()]*)\)", value[:200])
        name = (call[1] if call else value[:200]).rpartition(".")[2]
        if not call and name == value:
            return ""
        for part in filter(None, map(str.strip, call[2].split(",") if call else ())):
            key, equals, text = part.partition("=")
            named |= {key.strip(): text.strip()} if equals else {}
            positional += [] if equals else [part]
    elif isinstance(value, Mapping) and len(value) == 1:
        ((name, inner),) = value.items()
        named = dict(inner) if isinstance(inner, Mapping) else {}
        positional = [] if inner is None or named else [inner]
    elif isinstance(value, (list, tuple)) and value and isinstance(value[0], str):
        name, *positional = value
    else:
        return ""
    ours = same(name, known)
    if ours is None:
        return ""
    named = {same(key, options(known[ours])) or key: inner for key, inner in named.items()}
    return form(known[ours], positional if ours == name else [], named)


def find(slot: str, name: str) -> type[Component] | None:
    """The registered class of that name; installed plugins are looked at only for a name that is not known yet."""
    if name not in REGISTRY.get(slot, {}):
        find_more()
    return REGISTRY.get(slot, {}).get(name)


def find_more() -> None:
    """Register what else is installed; `plugins` puts its own function here."""


def _check_component(base: type[Component], value: Any, path: str, problems: Problems) -> Any:
    given = {"type": value} if isinstance(value, str) else dict(value)
    slot, known = base.slot, REGISTRY.get(base.slot, {})
    names = f"Known: {', '.join(known)}."
    if not isinstance(given.get("type"), str):
        got = f", got {shown(given['type'])}" if "type" in given else ""
        key, hint = _without_type(slot, given, path)
        place = _join(path, "type" if got else key) if got or key else path
        problems.append((place, f"expected a 'type' that names the {slot}{got}{hint}" + (f". {names}" if "write" not in hint else "")))
        return None
    name = given.pop("type")
    cls = find(slot, name)
    if cls is None:
        where = path if isinstance(value, str) else _join(path, "type")
        write = _named(slot, name)
        problems.append((where, f"unknown {slot} {shown(name)}" + (f"; write {write}" if write else f".{nearest(name, known)} {names}")))
        return None
    before = len(problems)
    values = check_options(cls, given, path, problems)
    return _construct(lambda: cls._make(values), path, problems) if len(problems) == before else None


def _without_type(slot: str, given: Mapping[str, Any], path: str) -> tuple[str, str]:
    """The key that may be meant as a component's type, and what to write."""
    if write := _named(slot, given):
        return "", f"; write {write}"
    known = REGISTRY.get(slot, {})
    for key, value in given.items():
        if key != "type" and (closest(key, ["type"]) or (isinstance(value, str) and value.isidentifier() and same(value, known))):
            return key, f", got {shown(key)}; write type"
        if found := re.fullmatch(r"type\s*[:=\s]\s*(\w+)", key):
            return key, f"; write type: {found[1]}, with a ': ' between them"
    having = [name for name, cls in known.items() if given and given.keys() <= options(cls).keys()]
    if not having or len(having) > 3:
        return "", ""
    number = path.rpartition(".")[2]
    above = "; if it belongs to the item above, remove its '-'" if number.isdecimal() and number != "0" else ""
    return "", f", such as {' or '.join(having)}{above}"


def _construct(make: Callable[[], Any], path: str, problems: Problems) -> Any:
    """A constructor may refuse options that do not go together."""
    try:
        return make()
    except NNFrameError as error:
        problems.append((_join(path, error.path) if error.path else path, error.message))
        return None


def _check_per_run(kind: Any, value: Any, path: str, problems: Problems) -> Any:
    others = [mark for mark in marks(kind) if not isinstance(mark, _PerRunMark)]
    number = Annotated[(bare(kind), *others)] if others else bare(kind)
    schedules = REGISTRY.get("schedule", {})
    if schedules and (
        isinstance(value, Mapping)
        or (isinstance(value, str) and (find("schedule", value) or _named("schedule", value) or same(value, schedules)))
    ):
        value = check(next(iter(schedules.values()))._base(), value, path, problems)
        if value is None:
            return None
    if isinstance(value, Component) and value.slot == "schedule":
        allowed = next((mark.with_low() for mark in marks(kind) if isinstance(mark, Range)), Range())
        for extreme in value.extremes():
            if extreme not in allowed:
                problems.append((path, f"expected a schedule of numbers {allowed}, got {value!r}, which reaches {extreme:g}"))
                return None
        return value
    if isinstance(value, np.ndarray) and value.ndim == 1:
        value = value.tolist()
    if isinstance(value, (list, tuple, range)):
        if problems.one_network:
            problems.append((path, f"expected {describe(number)}, got {shown(value)}; one network takes one value"))
            return None
        if not value:
            problems.append((path, f"expected {describe(number)} or one per run, got an empty list"))
        return tuple(check(number, v, _join(path, i), problems) for i, v in enumerate(value))
    return check(number, value, path, problems)


def _check_number(kind: Any, value: float, path: str, problems: Problems) -> float | None:
    within = next((mark for mark in marks(kind) if isinstance(mark, Range)), Range())
    if value not in within or (isinstance(value, float) and not math.isfinite(value)):
        problems.append((path, f"expected {describe(kind)}, got {shown(value)}"))
        return None
    if isinstance(value, int) and (abs(value) >= 2**63 or (bare(kind) is int and within.max is None and value > 2**40)):
        problems.append((path, f"expected {describe(kind)}, got {shown(value)}, which is too large"))
        return None
    return float(value) if bare(kind) is float else int(value)


def _fits(base: Any, value: Any) -> bool:
    """Has `value` the form of the type `base`? What is inside it is checked later."""
    origin = get_origin(base)
    if base in (Any, object):
        return True
    if origin in (Union, UnionType):
        return any(_fits(bare(member), value) for member in get_args(base))
    if origin is Literal:
        return any(type(value) is type(choice) and value == choice for choice in get_args(base))
    if base is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if base is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if base is Path:
        return isinstance(value, (str, PathLike)) and "\0" not in fspath(value)
    if origin is tuple:
        kinds = get_args(base)
        return isinstance(value, (list, tuple)) and (kinds[-1] is Ellipsis or len(kinds) == len(value))
    if origin is dict:
        return isinstance(value, Mapping)
    if base in (None, NoneType):
        return value is None
    if _is_component(base):
        return isinstance(value, (str, Mapping, base))
    if _is_options(base):
        return isinstance(value, (Mapping, base))
    return isinstance(value, base)


def describe(kind: Any) -> str:
    """An annotation in words: `a number greater than 0`."""
    base, origin = bare(kind), get_origin(bare(kind))
    if origin in (Union, UnionType):
        return " or ".join(describe(member) for member in get_args(base) if member is not NoneType)
    within = next((f" {mark}" for mark in marks(kind) if isinstance(mark, Range)), "")
    if base in (int, float):
        return ("an integer" if base is int else "a number") + within
    if origin is Literal:
        choices = [repr(choice) for choice in get_args(base)]
        return choices[0] if len(choices) == 1 else f"one of {', '.join(choices)}"
    if origin is tuple:
        kinds = get_args(base)
        return (
            f"a list, each item {describe(kinds[0])}"
            if kinds[-1] is Ellipsis
            else f"a list of {len(kinds)}: {', '.join(map(describe, kinds))}"
        )
    if origin is dict:
        return "a mapping"
    if _is_component(base):
        article = "an" if base.slot[0] in "aeio" else "a"
        return f"{article} {base.slot}"
    if _is_options(base):
        return f"a mapping of {', '.join(options(base))}"
    return {bool: "true or false", str: "a text", Path: "a path", NoneType: "nothing", None: "nothing"}.get(base, str(base))


def _one(kind: Any) -> str:
    return describe(kind).partition(" ")[2]


def shown(value: Any) -> str:
    """A value as an error message shows it: short, and with its kind where that is not plain to see."""
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    if isinstance(value, Mapping):
        return f"a mapping of {', '.join(shown(key) for key in list(value)[:5])}" if value else "an empty mapping"
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    if isinstance(value, str):
        value = value[:61]
    try:
        text = repr(value)
    except ValueError:  # Python refuses to print integers of more than 4300 digits
        return "an integer of more than 4300 digits"
    return text if len(text) <= 60 else f"{text[:57]}..."


def _hint(base: Any, value: Any) -> str:
    """What a person may have meant by a value of the wrong form."""
    members = list(map(bare, get_args(base))) if get_origin(base) in (Union, UnionType) else []
    if NoneType in members and isinstance(value, str) and value.lower() in ("none", "nil"):
        return "; write null"
    if members:
        return next(filter(None, (_hint(member, value) for member in members)), "")
    items = get_args(base) if get_origin(base) is tuple else ()
    many = bool(items) and items[-1] is Ellipsis
    part = bare(items[0]) if many else base
    slot = part.slot if _is_component(part) else None
    if value is None:
        return "; write it after the ':', or indented below" if slot or many or _is_options(base) else ""
    if many and isinstance(value, str) and value.lower() in ("none", "nil"):
        return "; write []"
    if many and _fits(part, value):
        if isinstance(value, Mapping) and (write := _named(slot or "", value)):
            return f"; write [{write}]"
        return (
            f"; write [{_item(slot, value)}]" if isinstance(value, (int, float, str)) and len(str(value)) < 60 else "; put [...] around it"
        )
    if slot and not many and (write := _named(slot, value)):
        return f"; write {write}"
    if _is_options(base) and isinstance(value, (list, tuple)):
        return "; write it without '-' and [ ]"
    if _is_options(base) and _fits(bare(next(iter(options(base).values())).kind), value):
        return f"; write {form(base, [value])}"
    if isinstance(value, float) and value.is_integer() and _fits(base, int(value)):
        return f"; write {int(value)}"
    if base is bool and value in (0, 1):
        return f"; write {'true' if value else 'false'}"
    return _hint_for_text(base, value) if isinstance(value, str) else ""


def _item(slot: str | None, value: Any) -> str:
    """What should stand in a list in place of which it stands alone."""
    if not isinstance(value, str):
        return str(value)
    value = value.strip("()[]<> ")
    if slot is None:
        return value
    return ", ".join(same(part, REGISTRY.get(slot, {})) or _named(slot, part) or part for part in re.split(r",\s*(?![^(]*\))", value))


def _hint_for_text(base: Any, text: str) -> str:
    if get_origin(base) is Literal:
        close = nearest(text, [choice for choice in get_args(base) if isinstance(choice, str)])
        return f".{close}" if close else ""
    if base is bool:
        said = {"yes": "true", "on": "true", "no": "false", "off": "false", "true": "true", "false": "false"}.get(text.lower())
        return f" (a text); write {said} without quotes" if text.lower() == said else f"; write {said}" if said else ""
    if base not in (int, float):
        return ""
    from nnframe.synonyms import number

    meant = number(text)
    if meant is None or not _fits(base, meant):
        return ""
    return " (a text); write the number without quotes" if re.fullmatch(r"[-+.\deE]+", text) else f"; write {shown(meant)}"


def sentence(cls: Any) -> str:
    """What a class is, in its docstring's first sentence or first paragraph."""
    paragraph = " ".join((cls.__doc__ or "").strip().partition("\n\n")[0].split())
    first, stop, _ = paragraph.partition(". ")
    return first + stop.strip()


def _is_options(base: Any) -> bool:
    """A dataclass is an option with parts."""
    return isinstance(base, type) and is_dataclass(base)


def _is_component(base: Any) -> bool:
    return isinstance(base, type) and issubclass(base, Component)


def slot_of(kind: Any) -> str | None:
    """The slot of the components that an option holds, alone or in a list."""
    parts = (bare(kind), *map(bare, get_args(bare(kind))))
    return next((part.slot for part in parts if _is_component(part)), None)


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


def bare(kind: Any) -> Any:
    """An annotation without its markers."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def marks(kind: Any) -> tuple[Any, ...]:
    """The markers of an annotation."""
    return kind.__metadata__ if get_origin(kind) is Annotated else ()


def _join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)


def _count(runs: tuple[int, ...]) -> str:
    return f"are {runs[0]} runs" if runs else "is one network"


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and repr(a) == repr(b)


def _short(value: Any) -> str:
    """A list of one value per run is too long to read in full."""
    if isinstance(value, tuple) and len(value) > 6:
        return f"[{value[0]!r}, ..., {value[-1]!r}]"
    return repr(list(value)) if isinstance(value, tuple) else repr(value)
