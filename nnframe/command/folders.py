"""`nnframe runs`: a table of all runs and sweeps under a folder."""

import json
import math
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from time import time
from typing import Any

from nnframe.components.names import nearest
from nnframe.components.wording import aligned, ordinary
from nnframe.config.reading import COMMAND_LINE, parse
from nnframe.errors import FileError, OptionError, printable
from nnframe.runs.listing import STATUSES, Entry, entries

UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
SECONDS = [("y", 365 * 86400), ("w", 7 * 86400), ("d", 86400), ("h", 3600), ("min", 60), ("s", 1)]
ENDS = 11, 9  # characters that are left of a path, and of a name, in a narrow terminal
OWN: dict[str, Callable[[Entry], Any]] = {  # what else to sort by
    "name": lambda entry: entry.name,
    "kind": lambda entry: entry.kind,
    "status": lambda entry: STATUSES.index(entry.status) if entry.status in STATUSES else len(STATUSES),
    "age": lambda entry: -entry.started,
    "done": lambda entry: -1 if entry.done is None else entry.done,
    "path": lambda entry: str(entry.path),
}


def show(
    root: Path,
    name: str | None,
    status: list[str],
    since: str | None,
    where: list[str],
    sort: str | None,
    limit: int | None,
    as_json: bool,
) -> int:
    """Print those that all filters let through, the newest first. Returns the exit status."""
    if not root.is_dir():
        raise FileError(f"there is no folder {root}; name the one where runs are: nnframe runs FOLDER")
    if wrong := [one for one in status if one not in STATUSES]:
        raise OptionError(f"unknown status {wrong[0]!r}.{nearest(wrong[0], STATUSES)} Statuses: {', '.join(STATUSES)}.", path="--status")
    begin = 0.0 if since is None else _moment(since)
    wanted = [_condition(text) for text in where]
    found = [
        entry
        for entry in entries(root)
        if entry.started >= begin and (name is None or fnmatchcase(entry.name, name)) and (not status or entry.status in status)
    ]
    found = _sorted(_chosen(found, wanted), sort)
    shown = found[:limit]
    if as_json:
        print(_json(shown))
        return 0
    for line in _table(shown, shutil.get_terminal_size((10**6, 24)).columns):
        print(printable(line))
    if len(shown) < len(found):
        print(f"... and {len(found) - len(shown):,} more")
    if not found:
        print(f"no run and no sweep in {printable(str(root))}" + (" that is asked for" if name or status or since or where else ""))
    return 0


def _table(found: list[Entry], width: int) -> Iterator[str]:
    """A line each, as wide as the terminal at most: first what is kept is told in less, then paths lose their beginnings, then names their
    ends, and at last lines theirs."""
    if not found:
        return
    now = time()
    for most in (2, 1, 0):  # values of what is kept
        rows = [["name", "kind", "status", "done", *["kept"][:most], "age", "path"]]
        for entry in found:
            told = f"{entry.status}: {entry.why}" if entry.why else entry.status
            kept = [_kept(entry.values, most)][:most]
            rows.append([entry.name, entry.kind, told, _done(entry), *kept, _age(now - entry.started), str(entry.path)])
        if _narrowed(rows, width) or not most:
            break
    for line in aligned(rows):
        yield line if len(line) <= width else f"{line[: max(width - 3, 0)]}..."


def _narrowed(rows: list[list[str]], width: int) -> bool:
    """Shorten paths, and if that is not enough names, in the rows of a table. Is it narrow enough then?"""
    for column, least in ((-1, ENDS[0]), (0, ENDS[1])):
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        over = sum(widths) + 2 * (len(widths) - 1) - width
        room = max(widths[column] - over, least)
        for row in rows[1:] if over > 0 else ():
            if len(text := row[column]) > room:
                row[column] = f"...{text[3 - room :]}" if column else f"{text[: room - 3]}..."
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return sum(widths) + 2 * (len(widths) - 1) <= width


def _done(entry: Entry) -> str:
    if entry.done is None:
        return ""
    of, last = (f" of {entry.total:,}", entry.total) if entry.total not in (None, entry.done) else ("", entry.done)
    return f"{entry.done:,}{of} {'trial' if entry.kind == 'sweep' else 'epoch'}{'s' * (last != 1)}"


def _kept(values: Mapping[str, float], most: int) -> str:
    """What it is judged by: the loss on what is held out, and a metric there; without such rows the loss."""
    held = [name for name in values if name.startswith("ensemble_val_")] or [name for name in values if name.startswith("val_")]
    names = held[:most] if held else [name for name in values if name != "lr"][:1]
    return "  ".join(f"{name} {ordinary(values[name])}" for name in names)


def _age(seconds: float) -> str:
    """`3 h`: in the largest unit of which it is one at least."""
    unit, size = next(((unit, size) for unit, size in SECONDS if seconds >= size), ("s", 1))
    return f"{max(seconds, 0) / size:.0f} {unit}"


def _moment(since: str) -> float:
    """`2d` before now, or a date, in seconds since 1970. Raises OptionError."""
    unit = since.lstrip("0123456789.")
    number = since[: len(since) - len(unit)]
    if (size := UNITS.get(unit.strip())) and number.count(".") < 2 and number.strip("."):
        return time() - float(number) * size
    try:
        return datetime.fromisoformat(since).timestamp()
    except (ValueError, OverflowError):
        told = f"expected a time such as 30min, 12h, 2d or 1w, or a date such as 2026-11-24, got {since!r}"
        raise OptionError(told, path="--since") from None


def _condition(text: str) -> tuple[str, Any]:
    """A dotted path and the value that it is to have. Raises OptionError, and ConfigError for what is no YAML."""
    path, equals, value = text.partition("=")
    if not equals or not all(path.split(".")):
        raise OptionError(f"expected key=value, such as optimizer.lr=0.01, got {text!r}", path="--where")
    return path, parse(value, COMMAND_LINE, f"--where {path}", {})


def _chosen(found: list[Entry], wanted: list[tuple[str, Any]]) -> list[Entry]:
    """Those whose configs have all of some values. Raises OptionError for a path that is in none of them."""
    if not wanted or not found:
        return found
    configs = [entry.config() for entry in found]
    for path, _ in wanted:
        if all(_at(config, path) is ... for config in configs):
            known = {key for config in configs for key in _paths(config)}
            raise OptionError(f"no config of these {len(found):,} has {path!r}.{nearest(path, known)}", path="--where")
    return [entry for entry, config in zip(found, configs, strict=True) if all(_is(_at(config, path), value) for path, value in wanted)]


def _at(value: Any, path: str) -> Any:
    """What a dotted path leads to, `...` if it leads nowhere."""
    for key in path.split("."):
        if isinstance(value, dict):
            value = value.get(key, ...)
        else:
            value = value[int(key)] if isinstance(value, list) and key.isdecimal() and int(key) < len(value) else ...
    return value


def _paths(value: Any, path: str = "") -> Iterator[str]:
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield (place := f"{path}.{key}" if path else str(key))
        yield from _paths(inner, place)


def _is(value: Any, wanted: Any) -> bool:
    """Is a value the one that is wanted? A component is by its name alone, a mapping by those of its keys that are named."""
    if isinstance(value, dict) and isinstance(wanted, str):
        return bool(value.get("type") == wanted)
    if isinstance(value, dict) and isinstance(wanted, dict):
        return all(_is(value.get(key, ...), inner) for key, inner in wanted.items())
    return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)


def _sorted(found: list[Entry], sort: str | None) -> list[Entry]:
    """By a value or a column, the smallest first, with a minus before it the largest; those without it are the last. Raises OptionError."""
    newest = sorted(found, key=lambda entry: (-entry.started, str(entry.path)))
    if sort is None or not found:
        return newest
    key = sort.removeprefix("-")
    known = dict.fromkeys([*OWN, *(name for entry in found for name in entry.values)])
    if key not in known:
        raise OptionError(f"nothing to sort by is called {key!r}.{nearest(key, known)} Known: {', '.join(known)}.", path="--sort")
    of = OWN.get(key, partial(_value, name=key))
    with_it = [entry for entry in newest if key in OWN or not math.isnan(_value(entry, key))]
    return sorted(with_it, key=of, reverse=sort != key) + [entry for entry in newest if key not in OWN and math.isnan(_value(entry, key))]


def _value(entry: Entry, name: str) -> float:
    return entry.values.get(name, math.nan)


def _json(found: list[Entry]) -> str:
    """All that is known of each, as one JSON array; numbers that JSON has not are texts."""
    now = time()
    rows = []
    for entry in found:
        values = {name: value if math.isfinite(value) else str(value) for name, value in entry.values.items()}
        row = {name: getattr(entry, name) for name in ("name", "kind", "status", "why", "done", "total", "seconds")} | {"values": values}
        started = datetime.fromtimestamp(entry.started, UTC).isoformat(timespec="seconds")
        rows.append(row | {"started": started, "age_seconds": round(now - entry.started), "path": str(entry.path)})
    return json.dumps(rows, indent=1, ensure_ascii=True)
