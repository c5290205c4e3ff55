"""Configs made of others: `extends: base.yaml`, and `key.path=value` on the command line."""

from collections.abc import Sequence
from os.path import realpath
from pathlib import Path
from typing import Any

from nnframe.component import shown
from nnframe.config.reading import COMMAND_LINE, DEPTH, Document, Marks, join, parse, read
from nnframe.errors import ConfigError, FileError


def load(path: Path, overrides: Sequence[str] = ()) -> Document:
    """Read a config and what it extends, and change what `overrides` say. Raises ConfigError or FileError."""
    document = _load(path, ())
    for assignment in overrides:
        override(document, assignment)
    return document


def _load(path: Path, chain: tuple[Path, ...]) -> Document:
    document = read(path)
    if "extends" not in document.data:
        return document
    where, base = document.where("extends"), document.data.pop("extends")
    chain = (*chain, Path(realpath(path)))
    if not isinstance(base, str) or not base or "\0" in base:
        raise ConfigError([f"{where}: extends: expected the path of one config, relative to this file, got {shown(base)}"])
    target = path.parent / base
    if Path(realpath(target)) in chain:
        raise ConfigError([f"{where}: extends: goes round in a circle: {' -> '.join(str(p) for p in (*chain, Path(realpath(target))))}"])
    if len(chain) > 20:
        raise ConfigError([f"{where}: extends: more than 20 configs in a row"])
    try:
        below = _load(target, chain)
    except FileError as error:
        raise ConfigError([f"{where}: extends: {error.message}"]) from None
    marks = dict(below.marks)
    data = _merge(below.data, document.data, "", marks)
    return Document(data, marks | document.marks, path)


def _merge(base: Any, over: Any, path: str, marks: Marks) -> Any:
    """Mappings merge, everything else replaces. A mapping of another `type` replaces too: options of the old type do not
    survive in the new one. `marks` loses the places of what is replaced."""
    old_type = base if isinstance(base, str) else base.get("type") if isinstance(base, dict) else None
    if isinstance(over, dict) and (isinstance(base, dict) or (isinstance(base, str) and path)) and over.get("type", old_type) == old_type:
        base = {"type": base} if isinstance(base, str) else base
        return base | {key: _merge(base[key], value, join(path, key), marks) if key in base else value for key, value in over.items()}
    if isinstance(base, (dict, list)):
        _forget(path, marks)
    marks.pop(path, None)
    return over


def override(document: Document, assignment: str) -> None:
    """Set `key.path=value` in a document; the value is YAML, a list's items are numbered from 0. Raises ConfigError."""
    path, equals, text = assignment.partition("=")
    keys = [str(int(key)) if _is_index(key) else key for key in path.strip().split(".")]
    if len(keys) > DEPTH:
        raise ConfigError([f"{COMMAND_LINE}: expected a path of at most {DEPTH} parts, got {len(keys)}"])
    if not equals or not all(keys):
        raise ConfigError([f"{COMMAND_LINE}: expected key=value, such as optimizer.lr=0.01, got {shown(assignment)}"])
    marks: Marks = {}
    value = parse(text, COMMAND_LINE, ".".join(keys), marks)
    assign(document, keys, value, COMMAND_LINE)
    document.marks |= dict.fromkeys(marks, (COMMAND_LINE, 0, 0))


def assign(document: Document, keys: Sequence[str], value: Any, where: str) -> None:
    """Set the value that `keys` lead to. `where` says who asks: it stands before the messages.

    A bare name on the way, such as `optimizer: SGD`, becomes `{type: SGD}`; a new `type` leaves the old one's options behind.
    Raises ConfigError for keys that cannot be followed.
    """
    path, parent = ".".join(keys), document.data
    for done, key in enumerate(keys):
        place = ".".join(keys[:done]) or "the config"
        if isinstance(parent, list):
            if not _is_index(key) or int(key) >= len(parent):
                has = f"{place} is a list of {len(parent)}" + (f"; expected 0 to {len(parent) - 1}" if parent else "")
                raise ConfigError([f"{where}: {path}: {has}, got {key!r}"])
        elif not isinstance(parent, dict):
            raise ConfigError([f"{where}: {path}: {place} is {shown(parent)}, which has no {key!r}"])
        at: Any = int(key) if isinstance(parent, list) else key
        if done == len(keys) - 1:
            break
        if isinstance(parent, dict) and at not in parent:
            parent[at] = {}
            document.marks[".".join(keys[: done + 1])] = COMMAND_LINE, 0, 0
        inner = parent[at]
        if isinstance(inner, str):
            inner = {"type": inner}
        parent[at] = inner = {} if inner is None else inner
        parent = inner
    if at == "type" and isinstance(parent, dict) and parent.get("type") != value:
        parent.clear()
    parent[at] = value
    _forget(path, document.marks)
    document.marks[path] = COMMAND_LINE, 0, 0


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdecimal() and len(key) < 10


def _forget(path: str, marks: Marks) -> None:
    for old in [mark for mark in marks if mark == path or mark.startswith(f"{path}.")]:
        del marks[old]
