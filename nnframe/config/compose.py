"""Configs made of others: `extends: base.yaml`, and `key.path=value` on the command line."""

from collections.abc import Sequence
from os.path import realpath
from pathlib import Path
from typing import Any

from nnframe.components.wording import shown
from nnframe.config.reading import COMMAND_LINE, DEPTH, KEY, NODES, Document, Marks, parse, read
from nnframe.errors import ConfigError, FileError, join

CHAIN = 20  # configs that extend one another


def load(path: Path, overrides: Sequence[str] = ()) -> Document:
    """Read a config and what it extends, and change what `overrides` say. Raises ConfigError or FileError."""
    document, *bases = _chain(path)
    marks: Marks = {}
    data: Any = {}
    for part in (*bases[::-1], document):
        data = _merge(data, part.data, "", marks)
        marks |= part.marks
    document = Document(data, marks, path)
    change(document, overrides)
    return document


def change(document: Document, overrides: Sequence[str]) -> None:
    """Apply all overrides. Raises ConfigError with what is wrong with any of them."""
    problems: list[str] = []
    for assignment in overrides:
        try:
            override(document, assignment)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)


def _chain(path: Path) -> list[Document]:
    """A config, what it extends, what that extends, and so on."""
    documents, seen = [read(path)], [realpath(path)]
    while "extends" in (data := documents[-1].data):
        where, base = documents[-1].where("extends"), data.pop("extends")
        if not isinstance(base, str) or not base or "\0" in base:
            raise ConfigError([f"{where}: extends: expected the path of one config, relative to this file, got {shown(base)}"])
        path = path.parent / base
        seen.append(realpath(path))
        if seen[-1] in seen[:-1]:
            raise ConfigError([f"{where}: extends: goes round in a circle: {' -> '.join(seen)}"])
        if len(seen) > CHAIN:
            raise ConfigError([f"{where}: extends: more than {CHAIN} configs in a row"])
        try:
            documents.append(read(path))
        except FileError as error:
            raise ConfigError([f"{where}: extends: {error.message}"]) from None
        if sum(len(document.marks) for document in documents) > NODES:
            raise ConfigError([f"{where}: extends: all configs together have more than {NODES:,} parts"])
    return documents


def _merge(base: Any, over: Any, path: str, marks: Marks) -> Any:
    """Mappings merge, everything else replaces. A mapping of another `type` replaces too: options of the old type do not
    survive in the new one. `marks` loses the places of what is replaced."""
    old_type = base if isinstance(base, str) else base.get("type") if isinstance(base, dict) else None
    if isinstance(over, dict) and (isinstance(base, dict) or (isinstance(base, str) and path)) and over.get("type", old_type) == old_type:
        base = {"type": base} if isinstance(base, str) else base
        return base | {key: _merge(base[key], value, join(path, key), marks) if key in base else value for key, value in over.items()}
    _forget(path, base, marks)
    return over


def override(document: Document, assignment: str) -> None:
    """Set `key.path=value` in a document; the value is YAML, a list's items are numbered from 0. Raises ConfigError."""
    path, equals, text = assignment.partition("=")
    keys = [str(int(key)) if _is_index(key) else key for key in path.strip().split(".")]
    if keys[:2] == ["sweep", "parameters"] and keys[2:]:
        keys[2:] = [".".join(keys[2:])]  # the path of a parameter is one key there
    if len(keys) > DEPTH:
        raise ConfigError([f"{COMMAND_LINE}: expected a path of at most {DEPTH} parts, got {len(keys)}"])
    if not equals or not all(keys):
        raise ConfigError([f"{COMMAND_LINE}: expected key=value, such as optimizer.lr=0.01, got {shown(assignment)}"])
    if long := [key for key in keys if len(key) > KEY]:
        raise ConfigError([f"{COMMAND_LINE}: expected keys of at most {KEY} characters, got one of {len(long[0])}"])
    if keys == ["extends"]:
        raise ConfigError([f"{COMMAND_LINE}: extends: can only stand in a file; write `extends: {text[:100]}` in one, and train that"])
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
    _forget(path, parent.get(at) if isinstance(parent, dict) else parent[at], document.marks)
    parent[at] = value
    document.marks[path] = COMMAND_LINE, 0, 0


def _is_index(key: str) -> bool:
    return key.isascii() and key.isdecimal() and len(key) < 10


def _forget(path: str, value: Any, marks: Marks) -> None:
    """Lose the places of a value and of all that is in it."""
    marks.pop(path, None)
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        _forget(join(path, key), inner, marks)
