"""One walk over plain data by annotations serves Python calls and YAML alike. It reports all mistakes at once."""

import math
import re
from collections.abc import Callable, Mapping
from inspect import Parameter
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import numpy as np

from nnframe.components.markers import Filled, Matches, Named, PerRunMark, Range, bare, markers_of, per_run
from nnframe.components.names import closest, same
from nnframe.components.options import Option, is_options, options, slot_base
from nnframe.components.registry import REGISTRY, find, is_component, slots_of
from nnframe.components.wording import describe, fits, one, shown
from nnframe.errors import ENOUGH, NNFrameError, join

Problem = tuple[str, str]  # dotted path, message


class TooManyProblems(Exception):
    """So much is wrong that a check ends before its end."""


class Problems(list[Problem]):
    """What was found wrong, and what a check has to know about the place where its values stand."""

    one_network = False  # is a list of one number per run out of place?

    def append(self, problem: Problem) -> None:
        super().append(problem)
        if len(self) == ENOUGH:
            raise TooManyProblems

    def folder(self, path: str) -> Path:
        """The folder that a file name at a dotted path is relative to."""
        return Path()

    def home(self, path: str, key: str, value: Any) -> str:
        """` It belongs in train.` if the unknown key at a dotted path does."""
        return ""


def validate(kind: Any, value: Any, path: str, problems: Problems) -> Any:
    """`value` as an object of the annotated `kind`; what is wrong goes to `problems`, and None comes back then."""
    if isinstance(value, np.generic):
        value = value.item()
    if any(isinstance(mark, PerRunMark) for mark in markers_of(kind)):
        return _check_per_run(kind, value, path, problems)
    base: Any = bare(kind)
    origin = get_origin(base)
    if origin in (Union, UnionType) and value is not None and (numbers := [member for member in get_args(base) if per_run(member)]):
        return _check_per_run(numbers[0], value, path, problems)
    if base in (Any, Parameter.empty, object):
        return value
    if not fits(base, value):
        problems.append((path, f"expected {describe(kind)}, got {shown(value)}{_hint(base, value)}"))
        return None
    if origin in (Union, UnionType):
        slots = slots_of(base)
        if slots and isinstance(value, (str, Mapping)) and all(is_component(member) for member in get_args(base)):
            return _check_component(slots, value, path, problems)
        if isinstance(value, str) and slots and (hint := _hint(base, value)):
            problems.append((path, f"expected {describe(kind)}, got {shown(value)}{hint}"))
            return None
        return validate(next(member for member in get_args(base) if fits(bare(member), value)), value, path, problems)
    if base in (int, float):
        return _check_number(kind, value, path, problems)
    if origin is tuple:
        kinds = list(get_args(base))
        if not value and any(isinstance(mark, Filled) for mark in markers_of(kind)):
            problems.append((path, f"expected at least one {one(kinds[0])}"))
        if kinds[-1] is Ellipsis:
            kinds = kinds[:1] * len(value)
        return tuple(validate(k, v, join(path, i), problems) for i, (k, v) in enumerate(zip(kinds, value, strict=True)))
    if origin is dict:
        inner = get_args(base)[1]
        if get_origin(bare(inner)) is dict and value and all(isinstance(v, (int, float, str)) for v in value.values()):
            problems.append((path, f"expected a mapping of names to mappings, got {shown(value)}{_hint(base, value)}"))
            return None
        return {key: validate(inner, v, join(path, key), problems) for key, v in value.items()}
    if base is str and (
        wrong := [mark for mark in markers_of(kind) if isinstance(mark, Matches) and not re.fullmatch(mark.pattern, value)]
    ):
        problems.append((path, f"expected {wrong[0].words}, got {shown(value)}"))
        return None
    if base is Path:
        return problems.folder(path) / value
    if is_component(base) and not isinstance(value, base):
        return _check_component((base.slot,), value, path, problems)
    if is_options(base) and not isinstance(value, base):
        before = len(problems)
        values = validate_options(base, value, path, problems)
        return _construct(lambda: base(**values), path, problems) if len(problems) == before else None
    return value


def _hint(base: Any, value: Any) -> str:
    from nnframe.components.hints import hint  # like all of its module, only needed once something went wrong

    return hint(base, value)


def validate_options(
    cls: Any, given: Mapping[str, Any], path: str, problems: Problems, known: Mapping[str, Option] | None = None
) -> dict[str, Any]:
    """All options of `cls`, or those that are `known`, checked, defaults filled in."""
    known, answered = options(cls) if known is None else known, set()
    for key in given:
        if key not in known:
            ours, message = _unknown(cls, key, given, join(path, key), problems)
            problems.append((join(path, key), message))
            answered.add(ours)
    values = {}
    for name, option in known.items():
        if name not in given:
            if option.required and name not in answered:
                needs = f"{cls.__name__} needs the option '{name}'" if not is_options(cls) else f"the key '{name}' is missing"
                problems.append((path, f"{needs}; expected {describe(option.kind)}"))
            values[name] = None if option.required else option.value()
            continue
        before = len(problems)
        values[name] = validate(option.kind, given[name], join(path, name), problems)
        scheduled = len(problems) == before and per_run(option.kind) and isinstance(values[name], Named)
        if scheduled and not getattr(cls, "schedulable", True):
            problems.append((join(path, name), f"expected a number, got {values[name]!r}: a schedule has no meaning here"))
    return values


def _unknown(cls: Any, key: str, given: Mapping[str, Any], path: str, problems: Problems) -> tuple[str | None, str]:
    """Which option was meant by a key that is none, if that is plain, and what to say."""
    from nnframe.components.hints import unknown_option

    known = [*options(cls), *getattr(cls, "besides", ())]
    ours, hint = unknown_option(cls, key, given, known)
    hint = hint or problems.home(path, key, given[key])
    if not hint and (ours := closest(key, known)):
        hint = f" Did you mean {ours!r}?"
    if is_options(cls):
        return ours, f"unknown key {shown(key)}.{hint} Keys: {', '.join(known)}."
    return ours, f"{cls.__name__} has no option {shown(key)}.{hint} " + (f"Options: {', '.join(known)}." if known else "It has no options.")


def _check_component(slots: tuple[str, ...], value: Any, path: str, problems: Problems) -> Any:
    given = {"type": value} if isinstance(value, str) else dict(value)
    name = given.pop("type", None)
    cls = find(name, *slots) if isinstance(name, str) else None
    if cls is None:
        from nnframe.components.hints import no_component

        problems.append(no_component(slots, value, path))
        return None
    before = len(problems)
    values = validate_options(cls, given, path, problems)
    return _construct(lambda: cls._make(values), path, problems) if len(problems) == before else None


def _construct(make: Callable[[], Any], path: str, problems: Problems) -> Any:
    """A constructor may refuse options that do not go together."""
    try:
        return make()
    except NNFrameError as error:
        problems.append((error.within(path).path, error.message))
        return None


def _check_per_run(kind: Any, value: Any, path: str, problems: Problems) -> Any:
    others = [mark for mark in markers_of(kind) if not isinstance(mark, PerRunMark)]
    number = Annotated[(bare(kind), *others)] if others else bare(kind)
    schedules = REGISTRY.get("schedule", {})
    if schedules and (isinstance(value, Mapping) or (isinstance(value, str) and _names_schedule(value))):
        value = validate(slot_base(next(iter(schedules.values()))), value, path, problems)
        if value is None:
            return None
    schedule: Any = value
    if isinstance(value, Named) and value.slot == "schedule":
        allowed = next((mark.with_low() for mark in markers_of(kind) if isinstance(mark, Range)), Range())
        for extreme in schedule.extremes():
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
        return tuple(validate(number, v, join(path, i), problems) for i, v in enumerate(value))
    return validate(number, value, path, problems)


def _names_schedule(text: str) -> bool:
    from nnframe.components.hints import form_of

    return bool(find(text, "schedule") or form_of(("schedule",), text) or same(text, REGISTRY["schedule"]))


def _check_number(kind: Any, value: float, path: str, problems: Problems) -> float | None:
    within = next((mark for mark in markers_of(kind) if isinstance(mark, Range)), Range())
    if value not in within or (isinstance(value, float) and not math.isfinite(value)):
        problems.append((path, f"expected {describe(kind)}, got {shown(value)}"))
        return None
    if isinstance(value, int) and (abs(value) >= 2**63 or (bare(kind) is int and within.max is None and value > 2**40)):
        problems.append((path, f"expected {describe(kind)}, got {shown(value)}, which is too large"))
        return None
    return float(value) if bare(kind) is float else int(value)
