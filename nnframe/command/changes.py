"""What differs, as a person reads it: a line each, `path: before | now`."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from nnframe.components.wording import aligned
from nnframe.config.sections import name_of
from nnframe.errors import printable

WIDE, MOST = 50, 200  # characters of a value, and lines
HASH = re.compile(r"[0-9a-f]{40,}")


def lines(changes: Iterable[tuple[str, Any, Any]], most: int = MOST) -> Iterator[str]:
    """Differences by dotted path, the first of them; `...` stands for what is not there."""
    rows = [(f"{path}:", *_pair(_text(was), _text(now))) for path, was, now in changes]
    yield from (printable(line) for line in aligned([(path, was, "|", now) for path, was, now in rows[:most]]))
    if len(rows) > most:
        yield f"... and {len(rows) - most:,} more"


def _text(value: Any) -> str:
    """A value in one line; of a hash its beginning."""
    if value is ...:
        return "nothing"
    if isinstance(value, str):
        return value[:16] if HASH.fullmatch(value) else value if value == value.strip() != "" else repr(value)
    return name_of(value)


def _pair(was: str, now: str) -> tuple[str, str]:
    """Two texts, shortened so that where they begin to differ is to be seen."""
    same = next((i for i, (old, new) in enumerate(zip(was, now, strict=False)) if old != new), min(len(was), len(now)))
    if max(len(was), len(now)) > WIDE and same > WIDE // 2:
        was, now = (f"...{text[same - WIDE // 4 :]}" for text in (was, now))
    return _short(was), _short(now)


def _short(text: str) -> str:
    half = (WIDE - 5) // 2
    return text if len(text) <= WIDE else f"{text[:half]} ... {text[-half:]}"
