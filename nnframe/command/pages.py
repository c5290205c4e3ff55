"""What a config may say, as pages to read: every section and every component with its text, its options, and an example that is valid."""

import inspect
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from nnframe.components.component import Component, config_of
from nnframe.components.markers import Matches, Range, bare, markers_of, per_run
from nnframe.components.options import is_options, options, sentence, slot_base
from nnframe.components.registry import REGISTRY, is_component, slots_of
from nnframe.components.walk import Problems, validate
from nnframe.components.wording import describe
from nnframe.config.experiment import Experiment
from nnframe.config.reading import dump
from nnframe.config.sections import Between, Sweep
from nnframe.data.source import Source

PLAIN = (str, int, float, bool, NoneType)
LONG = 72  # characters of an example that is made of defaults
RANGE = {"low": 1e-4, "high": 0.1, "scale": "log", "count": 8}

EXAMPLES: dict[str, dict[str, Any]] = {  # of what needs some options, or says little without; all others are made of defaults
    "Experiment": {
        "data": {"type": "Digits", "validation": 0.2},
        "model": [{"type": "Dense", "units": 64}, "ReLU", {"type": "Dense", "units": 10}],
        "loss": "CrossEntropy",
        "optimizer": {"type": "Adam", "lr": 0.003},
        "train": {"epochs": 30, "batch_size": 32},
        "metrics": ["Accuracy"],
    },
    "Source": {"type": "CSV", "path": "data.csv", "target": "y", "transforms": ["Standardize"], "validation": 0.2},
    "Start": {"folder": "experiments/runs/iris/2026-11-22_20-57-48-61718ecb", "match": "0.*"},
    "CSV": {"path": "data.csv", "target": "y", "transforms": ["Standardize"], "validation": 0.2},
    "Parquet": {"path": "data.parquet", "target": "y", "validation": 0.2},
    "Arrays": {"path": "data.npz"},
    "NPY": {"path": "x.npy", "y": "y.npy"},
    "IDX": {"images": "train-images-idx3-ubyte.gz", "labels": "train-labels-idx1-ubyte.gz"},
    "EarlyStopping": {"monitor": "val_loss", "patience": 10},
    "BestWeights": {"monitor": "val_loss"},
    "Shift": {"by": -20},
    "Scale": {"by": 0.1},
    "Clip": {"low": -3, "high": 3},
    "Features": {"products": [["petal_length", "petal_width"]]},
    "Ordinal": {"order": {"size": ["S", "M", "L"]}},
    "Constant": {"value": 0.1},
    "Dense": {"units": 64},
    "Sequential": {"layers": [{"type": "Dense", "units": 64}, "ReLU"]},
    "Residual": {"layers": [{"type": "Dense", "units": 64}, "ReLU"]},
    "Cosine": {"start": 0.1},
    "Step": {"start": 0.1, "every": 10},
    "Train": {"epochs": 100, "batch_size": 32},
    "Every": {"seconds": 30},
    "Log": {"every": 10},
    "Split": {"groups": "patient"},
    "CV": {"folds": 5},
    "Target": {"column": "species", "classes": ["setosa", "versicolor"]},
    "Sweep": {"seeds": 8, "parameters": {"optimizer.lr": RANGE}, "objective": {"metric": "val_loss"}},
    "Objective": {"metric": "val_loss", "mode": "min", "at": "last"},
    "Confirm": {"top": 5, "seeds": 16},
    "Between": {"optimizer.lr": RANGE, "model.0.units": [32, 64], "train.batch_size": {"low": 16, "high": 64, "integer": True, "step": 16}},
}
PLACES: dict[str, Callable[[Any], dict[str, Any]]] = {  # where in a config a component of a slot stands
    "data source": lambda it: {"data": it},
    "transform": lambda it: {"data": {"type": "Iris", "transforms": [it]}},
    "augmentation": lambda it: {"data": {"type": "Digits", "augment": [it]}},
    "layer": lambda it: {"model": [it]},
    "initializer": lambda it: {"model": [{"type": "Dense", "units": 64, "init": it}]},
    "loss": lambda it: {"loss": it},
    "optimizer": lambda it: {"optimizer": it},
    "schedule": lambda it: {"optimizer": {"type": "Adam", "lr": it}},
    "metric": lambda it: {"metrics": [it]},
    "callback": lambda it: {"callbacks": [it]},
    "sampler": lambda it: {"sweep": {"sampler": it, "trials": 8, "parameters": {"optimizer.lr": RANGE}}},
}


@dataclass(frozen=True)
class Row:
    """An option: what it takes, what it is unless given, and of which slots the components are that it holds."""

    name: str
    default: str
    takes: str
    slots: tuple[str, ...] = ()
    shared: bool = False  # do all components of its slot have it?


@dataclass(frozen=True)
class Page:
    """A component (`Dense`) or a section by its place in a config (`train.checkpoint`)."""

    name: str
    kind: str  # `a layer`
    text: tuple[str, ...]  # paragraphs, those of several lines as they stand
    rows: tuple[Row, ...]
    example: str  # YAML
    form: str = ""  # how a config writes the component, in one line
    first: str = ""  # sentence of its text
    slot: str = ""


@dataclass(frozen=True)
class Slot:
    """A kind of component, where in a config they stand, and all there are."""

    name: str
    places: tuple[str, ...]
    pages: tuple[Page, ...]

    @property
    def plural(self) -> str:
        return f"{self.name}{'es' if self.name.endswith('s') else 's'}"


def sections() -> list[Page]:
    """The config as a whole, then its sections and what has parts in them, by their places."""
    kinds = {
        "config": "what a file may say",
        "data": "a section of a config, and the options of every data source",
        "sweep.parameters": "by dotted path a list of values, alternatives by name, or a range of these options",
    }
    return [_section(path, part, kinds.get(path, "a section of a config")) for path, part in _parts().items()]


def slots() -> list[Slot]:
    """All slots in the order in which a config comes to them, with all their components."""
    order: dict[str, dict[str, None]] = {}
    _places(order, "", Experiment)
    known = [*order, *(slot for slot in REGISTRY if slot not in order)]
    return [
        Slot(
            slot,
            tuple(sorted(order.get(slot, ()), key=lambda place: not place.endswith(".lr"))),
            tuple(_component(slot, cls) for cls in REGISTRY[slot].values()),
        )
        for slot in known
        if REGISTRY.get(slot)
    ]


def _parts() -> dict[str, Any]:
    """What has options in a config and is no component, by its place."""
    found: dict[str, Any] = {"config": Experiment}

    def visit(place: str, *owners: Any) -> None:
        """What the options of the last owner hold; the others hold it."""
        for path, kind in _options_in(place, owners[-1]):
            for part in _members(kind):
                if (is_options(part) and part not in owners) or (part is Source and not place):
                    found.setdefault(path, part)
                    for owner in (part, *(REGISTRY["data source"].values() if part is Source else ())):
                        visit(path, *owners, owner)
        if owners[-1] is Sweep:
            found.setdefault(f"{place}.parameters", Between)

    visit("", Experiment)
    return found


def _options_in(place: str, owner: Any) -> Iterator[tuple[str, Any]]:
    """The place and annotation of each option that an owner has for itself."""
    shared = _shared(owner)
    yield from ((f"{place}.{name}" if place else name, option.kind) for name, option in options(owner).items() if name not in shared)


def _members(kind: Any) -> tuple[Any, ...]:
    """An annotation and what it is put together of, without markers."""
    return (bare(kind), *map(bare, get_args(bare(kind))))


def _places(found: dict[str, dict[str, None]], place: str, *owners: Any) -> None:
    """The places of every slot, in the order in which they are come to."""
    for path, kind in _options_in(place, owners[-1]):
        scheduled = per_run(kind) and getattr(owners[-1], "schedulable", True)
        for slot in (*slots_of(kind)[:1], *(["schedule"] if scheduled else [])):  # the first: a loss may stand for a metric
            known = {} if slot in found else REGISTRY.get(slot, {})
            found.setdefault(slot, {})[path] = None
            for base in dict.fromkeys(map(slot_base, known.values())):
                _places(found, path, base)
            for cls in known.values():
                _places(found, cls.__name__, cls)
        for part in _members(kind):
            if is_options(part) and part not in owners:
                _places(found, path, *owners, part)


def _section(path: str, part: Any, kind: str) -> Page:
    given: Any = EXAMPLES.get(part.__name__, {})
    for key in reversed(path.split(".") if part is not Experiment else ()):
        given = {key: given}
    return Page(path, kind, _paragraphs(part), tuple(_rows(part)), written(given))


def _component(slot: str, cls: Any) -> Page:
    minimal, full = _examples(cls)
    place = PLACES.get(slot, lambda it: {slot: it})
    return Page(cls.__name__, describe(cls), _paragraphs(cls), tuple(_rows(cls)), written(place(full)), flow(minimal), sentence(cls), slot)


def _rows(owner: Any) -> Iterator[Row]:
    if owner is Source:
        yield Row("type", "required", f"one of {', '.join(REGISTRY['data source'])}; each has options of its own")
    shared = _shared(owner)
    for name, option in options(owner).items():
        default = "required" if option.required or option.variadic else flow(_plainly(option.value()))
        yield Row(name, default, _takes(option.kind, getattr(owner, "schedulable", True)), slots_of(option.kind), name in shared)
    if owner is Experiment:
        yield Row("extends", "null", "another config, relative to this file, that this one merges over")


def _shared(owner: Any) -> Collection[str]:
    """The options that all components of the slot have."""
    base = slot_base(owner)
    return options(base).keys() if issubclass(owner, Component) and owner is not base else ()


def _takes(kind: Any, schedulable: bool) -> str:
    """What an option takes, in words."""
    words = next((f" ({mark.words})" for mark in _markers(kind) if isinstance(mark, Matches)), "")
    said = describe(kind).replace(str(2**63 - 1), "2^63 - 1").replace("typing.Any", "anything") + words
    return said + (f"; may differ per run{' or follow a schedule' if schedulable else ''}" if per_run(kind) else "")


def _markers(kind: Any) -> Iterator[Any]:
    yield from markers_of(kind)
    for part in get_args(bare(kind)):
        yield from markers_of(part)


def _plainly(value: Any) -> Any:
    """A value as a config would have it, without what need not be written."""
    if isinstance(value, Component):
        given = {name: _plainly(v) for name, v in value._options.items() if repr(v) != repr(options(type(value))[name].value())}
        return {"type": type(value).__name__} | given if given else type(value).__name__
    if is_options(type(value)):
        return {name: config_of(getattr(value, name)) for name in options(type(value)) if getattr(value, name) is not None}
    return config_of(value)


def _paragraphs(owner: Any) -> tuple[str, ...]:
    """The paragraphs of a docstring, each in one line unless it is indented; not what it says to those who write a subclass."""
    text = inspect.cleandoc(vars(owner).get("__doc__") or "")
    blocks = [block for block in re.split(r"\n\s*\n", text) if block.strip() and not block.startswith("Base of ")]
    return tuple(block.strip("\n") if re.search(r"^\s", block, re.MULTILINE) else " ".join(block.split()) for block in blocks)


def flow(value: Any) -> str:
    """Plain data as YAML in one line."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{flow(key)}: {flow(v)}' for key, v in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(flow, value))}]"
    return _scalar(value) if type(value) in PLAIN else repr(value)  # which no config can hold


@lru_cache(maxsize=None, typed=True)
def _scalar(value: Any) -> str:
    return dump(value).removesuffix("...\n").strip()


def written(data: Mapping[str, Any], indent: str = "") -> str:
    """Plain data as YAML, of which what fits stands in one line."""
    lines = ""
    for key, value in data.items():
        long = len(f"{indent}{key}: {flow(value)}") > LONG
        if long and isinstance(value, Mapping):
            lines += f"{indent}{key}:\n{written(value, indent + '  ')}"
        elif long and isinstance(value, list):
            lines += f"{indent}{key}:\n" + "".join(f"{indent}- {flow(item)}\n" for item in value)
        else:
            lines += f"{indent}{key}: {flow(value)}\n"
    return lines


# ------------------------------------------------------------------------------------------------ examples


def _examples(cls: Any) -> tuple[Any, Any]:
    """A component as a config writes it, the short way and with some defaults written out; each of them valid."""
    known, shared = options(cls), _shared(cls)
    needed = {name: _value(option.kind, name) for name, option in known.items() if option.required or option.variadic}
    said = EXAMPLES.get(cls.__name__, {})
    given = said if _is_valid(cls, said) else needed
    short = {name: given[name] for name in needed if name in given}
    short = short if _is_valid(cls, short) else given
    minimal = {"type": cls.__name__} | short if short else cls.__name__
    full: dict[str, Any] = {"type": cls.__name__} | given
    for name, option in known.items():
        if name in {*given, *shared} or option.required:
            continue
        value = _plainly(option.value())
        if type(value) in (*PLAIN, list, dict) and value not in (None, [], {}):
            longer = full | {name: value}
            if len(flow(longer)) <= LONG and _is_valid(cls, longer):
                full = longer
    return minimal, full if len(full) > 1 else minimal


def _is_valid(cls: Any, given: Mapping[str, Any]) -> bool:
    problems = Problems()
    with suppress(Exception):  # a plugin's constructor may do anything
        validate(cls, {"type": cls.__name__} | dict(given), "", problems)
        return not problems
    return False


def _value(kind: Any, name: str) -> Any:
    """A value that an option takes, as far as its annotation tells."""
    base, origin, parts = bare(kind), get_origin(bare(kind)), get_args(bare(kind))
    if base in (int, float):
        within = next((mark for mark in markers_of(kind) if isinstance(mark, Range)), Range())
        tried = (1, 2, 10, within.min, within.max) if base is int else (0.5, 1.0, 0.1, 10.0, within.min, within.max)
        return next((number for number in tried if number is not None and number in within), 1)
    if origin is Literal:
        return parts[0]
    if origin is tuple:
        return [_value(parts[0], name)] if parts[-1] is Ellipsis else [_value(part, name) for part in parts]
    if is_component(base):
        known = REGISTRY.get(base.slot, {})
        return next((name for name, cls in known.items() if not any(o.required or o.variadic for o in options(cls).values())), "...")
    if is_options(base):
        return {part: _value(option.kind, part) for part, option in options(base).items() if option.required}
    if origin is not None and parts:  # a union
        return {} if origin is dict else _value(next(part for part in parts if part is not NoneType), name)
    return {bool: True, str: name, Path: f"{name}.dat"}.get(base, "...")
