"""What a person may have meant by an option, a component or a value that is none of ours: the hints of error messages."""

import re
import shlex
from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from nnframe.components.markers import Named, bare
from nnframe.components.names import absent, closest, habits, nearest, number, plain, same
from nnframe.components.options import is_options, options, required, slot_base
from nnframe.components.registry import REGISTRY, known_to, slots_of
from nnframe.components.wording import fits, shown
from nnframe.errors import join

Slots = tuple[str, ...]

MANY, FEW = 10, 5  # names to print in full, and how many of more


def unknown_option(cls: Any, key: str, given: Mapping[str, Any], known: Sequence[str]) -> tuple[str | None, str]:
    """The option that an unknown key is another spelling of, and a sentence about what to write instead."""
    value, keys = given[key], list(given)
    before = given[keys[keys.index(key) - 1]] if keys[0] != key else None
    if value is None and (pair := re.fullmatch(r"(\w+)\s*[:=\s]\s*(\S.*)", key)) and (ours := same(pair[1], ("type", *known))):
        return ours, f" Write {ours}: {pair[2]}, with a ': ' between them."
    if value is None and type(before) is int and re.fullmatch(r"-?\d+", key):
        point = "" if key[0] == "-" else f"A number is written with a point, {before}.{key}. "
        return None, f" {point}A list is written [{before}, {key}]."
    if ours := same(key, known):
        return ours, f" Did you mean {ours!r}?"
    others = {} if is_options(cls) else REGISTRY.get(cls.slot, {})
    if isinstance(value, str) and (other := same(value, others)) and not required(others[other]):
        return None, f" Put {other} after it: it is a {cls.slot} of its own."
    if plain(key) in habits():
        return None, f" {habits()[plain(key)]}"
    if other := same(key, others):
        return None, f" Put {form(others[other], [] if isinstance(value, bool) else [value])} after it: it is a {cls.slot} of its own."
    for option in () if is_options(cls) else options(cls).values():
        slots, members = slots_of(option.kind), [bare(option.kind), *map(bare, get_args(bare(option.kind)))]
        parts = [] if slots == (cls.slot,) else [*known_to(*slots).values(), *filter(is_options, members)]
        if any(key in options(part) for part in parts):
            return None, f" It belongs in {option.name}."
    if having := [name for name, other in others.items() if key in options(other)]:
        return None, f" {' and '.join(having[:3])} {'have' if len(having) > 1 else 'has'} it."
    return None, ""


def no_component(slots: Slots, value: Any, path: str) -> tuple[str, str]:
    """Where a text or mapping names no component of some slots, and what to say."""
    name, known, slot = value if isinstance(value, str) else value.get("type"), known_to(*slots), slots[0]
    names = known_names(slots, name)
    if isinstance(name, str):
        write = form_of(slots, name)
        hint = f". {advice}" if (advice := absent(name)) else f"; write {write}" if write else f".{nearest(name, known)} {names}"
        return path if isinstance(value, str) else join(path, "type"), f"unknown {slot} {shown(name)}{hint}"
    got = f", got {shown(name)}" if "type" in value else ""
    key, hint = _missing_type(slots, value, path)
    place = join(path, "type" if got else key) if got or key else path
    return place, f"expected a 'type' that names the {slot}{got}{hint}" + (f". {names}" if "write" not in hint else "")


def known_names(slots: Slots, asked: Any = "") -> str:
    """`Known: A, B.`: all names of some slots, or where they are many those nearest to what was asked for, and who prints all."""
    known = sorted(known_to(*slots))
    if len(known) <= MANY:
        return f"Known: {', '.join(known)}."
    from difflib import SequenceMatcher

    word = plain(str(asked)[:80])
    near = sorted(known, key=lambda name: -SequenceMatcher(None, word, plain(name)).ratio())[:FEW]
    commands = " and ".join(f"`nnframe list {shlex.quote(slot)}`" for slot in slots)
    return f"Known: {', '.join(near)}, ... ({commands} print{'s' * (len(slots) == 1)} all {len(known)})."


def _missing_type(slots: Slots, given: Mapping[str, Any], path: str) -> tuple[str, str]:
    """The key that may be meant as a component's type, and what to write."""
    if write := form_of(slots, given):
        return "", f"; write {write}"
    known = known_to(*slots)
    own = {name for cls in known.values() for name in options(cls).keys() - options(slot_base(cls)).keys()}
    for key, value in given.items():
        named = key not in own and isinstance(value, str) and value.isidentifier() and same(value, known)
        if key != "type" and (closest(key, ["type"]) or named):
            return key, f", got {shown(key)}; write type"
        if found := re.fullmatch(r"type\s*[:=\s]\s*(\w+)", key):
            return key, f"; write type: {found[1]}, with a ': ' between them"
    having = [name for name, cls in sorted(known.items()) if given and given.keys() <= options(cls).keys()]
    if not having or given.keys() <= options(slot_base(known[having[0]])).keys():  # such as `name`, which all have
        return "", ""
    index = path.rpartition(".")[2]
    above = "; if it belongs to the item above, remove its '-'" if index.isdecimal() and index != "0" else ""
    return "", f", such as {' or '.join(having[:3])}{above}"


def form_of(slots: Slots, value: Any) -> str:
    """How a config writes what `Dense(2)`, `{Dense: 2}` or only `2` may mean where a component should stand; nothing if none."""
    known = known_to(*slots)
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
        name = ""
    if (ours := same(name, known)) is None:
        kind = float if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value)
        meant = known.get(stands_for(slots).get(kind, ""))
        return form(meant, [value]) if meant and _takes(bare(next(iter(options(meant).values())).kind), value) else ""
    named = {same(key, options(known[ours])) or key: inner for key, inner in named.items()}
    return form(known[ours], positional if ours == name else [], named)


def _takes(base: Any, value: Any) -> bool:
    """Has a value, and each item in it if it is a list, the form of a type?"""
    items = get_args(base)[0] if get_origin(base) is tuple else Any
    return fits(base, value) and (not isinstance(value, (list, tuple)) or all(fits(bare(items), item) for item in value))


def stands_for(slots: Slots) -> Mapping[type, str]:
    """Which component a plain number (`float`), text or list is meant as, by the first of some slots."""
    return slot_base(next(iter(known_to(*slots[:1]).values()), Named)).stands_for


def hint(base: Any, value: Any) -> str:
    """What a person may have meant by a value of the wrong form."""
    members = list(map(bare, get_args(base))) if get_origin(base) in (Union, UnionType) else []
    if NoneType in members and isinstance(value, str) and value.lower() in ("none", "nil"):
        return "; write null"
    if members:
        return next(filter(None, (hint(member, value) for member in members)), "")
    if get_origin(base) is dict and isinstance(value, Mapping):
        return f"; put a name before it: {{name: {{{next(iter(value))}: ...}}}}"
    items = get_args(base) if get_origin(base) is tuple else ()
    many = bool(items) and items[-1] is Ellipsis
    part = bare(items[0]) if many else base
    slots = slots_of(part)
    if value is None:
        return "; write it after the ':', or indented below" if slots or many or is_options(base) else ""
    if many and isinstance(value, str) and value.lower() in ("none", "nil"):
        return "; write []"
    if many and fits(part, value):
        if isinstance(value, Mapping) and (write := form_of(slots, value)):
            return f"; write [{write}]"
        return (
            f"; write [{_item(slots, value)}]" if isinstance(value, (int, float, str)) and len(str(value)) < 60 else "; put [...] around it"
        )
    if slots and not many and (write := form_of(slots, value)):
        return f"; write {write}"
    if is_options(base) and isinstance(value, (list, tuple)):
        return "; write it without '-' and [ ]"
    if is_options(base) and fits(bare(next(iter(options(base).values())).kind), value):
        return f"; write {form(base, [value])}"
    if isinstance(value, float) and value.is_integer() and fits(base, int(value)):
        return f"; write {int(value)}"
    if base is bool and isinstance(value, (int, float)) and value in (0, 1):
        return f"; write {'true' if value else 'false'}"
    if get_origin(base) is Literal and isinstance(value, str) and (advice := absent(value)):
        return f". {advice}"
    if get_origin(base) is Literal:
        return f".{close}" if (close := nearest(value, [choice for choice in get_args(base) if isinstance(choice, str)])) else ""
    return _hint_for_text(base, value) if isinstance(value, str) else ""


def _item(slots: Slots, value: Any) -> str:
    """What should stand in a list in place of which it stands alone."""
    if not isinstance(value, str):
        return str(value)
    value = value.strip("()[]<> ")
    if not slots:
        return value
    return ", ".join(same(part, known_to(*slots)) or form_of(slots, part) or part for part in re.split(r",\s*(?![^(]*\))", value))


def _hint_for_text(base: Any, text: str) -> str:
    if base is bool:
        said = {"yes": "true", "on": "true", "no": "false", "off": "false", "true": "true", "false": "false"}.get(text.lower())
        return f" (a text); write {said} without quotes" if text.lower() == said else f"; write {said}" if said else ""
    if base not in (int, float):
        return ""
    meant = number(text)
    if meant is None or not fits(base, meant):
        return ""
    return " (a text); write the number without quotes" if re.fullmatch(r"[-+.\deE]+", text) else f"; write {shown(meant)}"


def form(cls: Any, positional: Sequence[Any] = (), named: Mapping[str, Any] | None = None) -> str:
    """How a config writes a component with these options, `...` for those that are missing: `{type: Dense, units: 2}`."""
    known = options(cls)
    given = dict(zip(known, positional, strict=False)) | {key: value for key, value in (named or {}).items() if key in known}
    needed = {name: given.get(name, "...") for name in required(cls)}
    parts = {} if is_options(cls) else {"type": cls.__name__}
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
