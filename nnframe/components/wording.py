"""What an annotation takes, and how it and a value read in a message."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from nnframe.components.markers import Range, bare, markers_of
from nnframe.components.options import is_options, options
from nnframe.components.registry import is_component


def fits(base: Any, value: Any) -> bool:
    """Has `value` the form of the type `base`? What is inside it is checked later."""
    origin = get_origin(base)
    if base in (Any, object):
        return True
    if origin in (Union, UnionType):
        return any(fits(bare(member), value) for member in get_args(base))
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
    if is_component(base):
        return isinstance(value, (str, Mapping, base))
    if is_options(base):
        return isinstance(value, (Mapping, base))
    return isinstance(value, origin or base)


def describe(kind: Any) -> str:
    """An annotation in words: `a number greater than 0`."""
    base, origin = bare(kind), get_origin(bare(kind))
    if origin in (Union, UnionType):
        members = [member for member in get_args(base) if member is not NoneType]
        if all(map(is_component, members)):
            members = members[:1]  # a loss may stand for a metric
        return " or ".join(map(describe, members))
    within = next((f" {mark}" for mark in markers_of(kind) if isinstance(mark, Range)), "")
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
    if is_component(base):
        article = "an" if base.slot[0] in "aeio" else "a"
        return f"{article} {base.slot}"
    if is_options(base):
        return f"a mapping of {', '.join(options(base))}"
    return {bool: "true or false", str: "a text", Path: "a path", NoneType: "nothing", None: "nothing"}.get(base, str(base))


def one(kind: Any) -> str:
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


def flow(value: Any) -> str:
    """Plain data as YAML has it in a line: `{type: Impute, columns: [a]}`."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{flow(key)}: {flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(flow, value))}]"
    plain = isinstance(value, str) and re.fullmatch(r"[^\W\d]\w*( \w+)*", value) and value.lower() not in ("true", "false", "null")
    return value if plain else json.dumps(value, ensure_ascii=False)


def ordinary(value: float) -> str:
    """A number in four digits, and all before its point, with an exponent only where it is very large or very small."""
    text = f"{value:.4g}"
    return f"{value:.0f}" if "e+" in text and abs(value) < 1e7 else text


def about(value: float) -> str:
    """A spread or a difference, of which two digits are known: `840`, `0.0039`."""
    text = f"{value:.2g}"
    return f"{float(text):.0f}" if "e+" in text and abs(value) < 1e7 else text


def rounded(value: float, spread: float) -> str:
    """A number to the decimal place of the second digit of its spread: `3116` for 840, `0.9795` for 0.0039."""
    if not 0 < spread < 1e7 or not abs(value) < 1e7:
        return ordinary(value)
    places = max(1 - int(f"{spread:.1e}".partition("e")[2]), 0)
    return ordinary(value) if places > 7 else f"{value:.{places}f}"


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The rows of a table as lines, in columns as wide as it takes."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def short(value: Any) -> str:
    """An option as it is written, but that a list of one value per run is too long to read in full."""
    if isinstance(value, tuple) and len(value) > 6:
        return f"[{value[0]!r}, ..., {value[-1]!r}]"
    return repr(list(value)) if isinstance(value, tuple) else repr(value)
