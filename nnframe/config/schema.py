"""JSON Schema of configs, for editors, from the same signatures that the check walks."""

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from nnframe.components.component import Component, config_of
from nnframe.components.markers import Filled, Matches, Range, bare, markers_of, per_run
from nnframe.components.options import Option, options, sentence
from nnframe.components.registry import REGISTRY, slots_of
from nnframe.config.experiment import Experiment

Registry = Mapping[str, Mapping[str, type[Any]]]


def own() -> Registry:
    """Of what is registered only the package's components, whatever plugins there are."""
    return {slot: {name: cls for name, cls in known.items() if cls.__module__.startswith("nnframe.")} for slot, known in REGISTRY.items()}


def schema(registry: Registry = REGISTRY) -> dict[str, Any]:
    """The schema of a config, with every component that is registered at present, or only some."""
    structs = [_struct(cls, name, f"{_key(slot)}.{name}") for slot, known in registry.items() for name, cls in known.items()]
    parts = [_struct(kind) for kind in parts_of(Experiment, registry)]
    (reference,), definitions = msgspec.json.schema_components([_struct(Experiment)], ref_template="#/$defs/{name}")
    _, more = msgspec.json.schema_components([*structs, *parts], ref_template="#/$defs/{name}")
    definitions |= more
    for slot, known in registry.items():
        bare_names = [name for name, cls in known.items() if not any(o.required or o.variadic for o in options(cls).values())]
        choices: list[dict[str, Any]] = [{"enum": bare_names}] if bare_names else []
        definitions[_key(slot)] = {"anyOf": choices + [{"$ref": f"#/$defs/{_key(slot)}.{name}"} for name in known]}
    top = definitions.pop(reference["$ref"].rpartition("/")[2])
    extends = {"type": "string", "description": "another config, relative to this file, that this one merges over"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "nnframe config",
        "type": "object",
        "properties": {name: {} for name in top["properties"]} | {"extends": extends},
        "additionalProperties": False,
        # what a config that extends another leaves out stands in that other
        "if": {"required": ["extends"]},
        "else": {"required": top["required"], "properties": top["properties"]},
        "$defs": dict(sorted(definitions.items())),
    }


def _struct(cls: Any, tag: str | None = None, name: str = "") -> Any:
    """A msgspec struct with a class's options as its fields; a component is known by slot and name."""
    fields: list[Any] = []
    for key, option in options(cls).items():
        kind = _kind(Annotated[option.kind, Filled()] if option.variadic else option.kind, getattr(cls, "schedulable", True))
        if option.required or option.variadic:
            fields.append((key, kind))
        else:
            fields.append((key, kind, msgspec.field(default_factory=lambda: None) if not _scalar(option) else config_of(option.default)))
    return msgspec.defstruct(
        name or cls.__name__,
        fields,
        tag_field=None if tag is None else "type",
        tag=tag,
        kw_only=True,
        forbid_unknown_fields=True,
        namespace={"__doc__": sentence(cls)},
    )


def _scalar(option: Option) -> bool:
    return isinstance(option.default, (int, float, str, bool, NoneType))


def _kind(kind: Any, schedulable: bool = True) -> Any:
    """An annotation as msgspec writes it down: a range becomes bounds, a component a reference to its slot."""
    base, origin = bare(kind), get_origin(bare(kind))
    if per_run(kind) and origin is not tuple:
        return Union[_plain(kind, base), _reference("schedule")] if schedulable else _plain(kind, base)  # noqa: UP007  made at run time
    if origin in (Union, UnionType) and len(slots := slots_of(base)) > 1:
        return Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"anyOf": [{"$ref": f"#/$defs/{_key(slot)}"} for slot in slots]})]
    if origin in (Union, UnionType):
        return Union[tuple(_kind(member) for member in get_args(base))]  # noqa: UP007
    return _plain(kind, base)


def _plain(kind: Any, base: Any) -> Any:
    origin = get_origin(base)
    if base in (int, float):
        within = next((mark for mark in markers_of(kind) if isinstance(mark, Range)), Range())
        bounds = {"ge": within.min, "le": within.max, "gt": within.above, "lt": within.below}
        given: dict[str, Any] = {name: bound for name, bound in bounds.items() if bound is not None}
        return Annotated[base, msgspec.Meta(**given)] if given else base
    if base is str and (pattern := next((mark.pattern for mark in markers_of(kind) if isinstance(mark, Matches)), None)):
        return Annotated[str, msgspec.Meta(pattern=f"^(?:{pattern})$")]
    if origin is tuple and any(isinstance(mark, Filled) for mark in markers_of(kind)):
        return Annotated[list[_kind(get_args(base)[0])], msgspec.Meta(min_length=1)]  # type: ignore[misc]
    if origin is tuple:
        inner = get_args(base)
        return list[_kind(inner[0])] if inner[-1] is Ellipsis else tuple[tuple(map(_kind, inner))]  # type: ignore[misc]
    if origin is dict:
        return dict[str, _kind(get_args(base)[1])]  # type: ignore[misc]
    if base is Path:
        return str
    if isinstance(base, type) and issubclass(base, Component):
        return _reference(_key(base.slot))
    if is_dataclass(base):
        return _reference(base.__name__)  # type: ignore[union-attr]
    return base if origin is Literal or base in (str, bool, NoneType) else Any


def _reference(name: str) -> Any:
    """msgspec takes no unions of structs and texts, and components hold components, so slots are referred to by name."""
    return Annotated[msgspec.Raw, msgspec.Meta(extra_json_schema={"$ref": f"#/$defs/{name}"})]


def _key(slot: str) -> str:
    return slot.replace(" ", "_")


def parts_of(cls: Any, registry: Registry = REGISTRY) -> Iterator[Any]:
    """The dataclasses of options in a config: sections, and options with parts."""
    owners: list[Any] = [cls, *(component for known in registry.values() for component in known.values())]
    seen: list[Any] = []
    for owner in owners:  # which grow, since parts have parts
        for option in options(owner).values():
            for kind in (bare(option.kind), *map(bare, get_args(bare(option.kind)))):
                if is_dataclass(kind) and kind not in seen:
                    seen.append(kind)
                    owners.append(kind)
    yield from seen
