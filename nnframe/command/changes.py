"""What differs, as a person reads it: a line each, `path: before | now`."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from nnframe.components.wording import aligned
from nnframe.errors import printable

WIDE, MOST = 50, 200  # characters of a value, and lines
HASH = re.compile(r"[0-9a-f]{40,}")


def lines(changes: Iterable[tuple[str, Any, Any]], most: int = MOST) -> Iterator[str]:
    """Differences by dotted path, the first of them; `...` stands for what is not there."""
    rows = [[f"{path}:", shown(was), "|", shown(now)] for path, was, now in changes]
    if rows:
        yield from map(printable, aligned(rows[:most]))
    if len(rows) > most:
        yield f"... and {len(rows) - most:,} more"


def shown(value: Any) -> str:
    """A value as YAML has it in one line, shortened in its middle; of a hash its beginning."""
    if value is ...:
        return "nothing"
    if isinstance(value, str) and HASH.fullmatch(value):
        return value[:16]
    text = value if isinstance(value, str) and value and value.isprintable() else json.dumps(value, ensure_ascii=False, default=str)
    half = (WIDE - 5) // 2
    return text if len(text) <= WIDE else f"{text[:half]} ... {text[-half:]}"
