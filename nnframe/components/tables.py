"""Short tables of what is long, as text and as HTML: what an object shows at a prompt and in a notebook."""

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any

import numpy as np

from nnframe.components.wording import aligned, ordinary
from nnframe.errors import printable

WIDTH = 80  # characters of a line of text
LONG = 40  # of a text
FIRST, LAST = 4, 3  # rows that are shown of many

Rows = list[list[str]]


def chosen(count: int) -> list[int | None]:
    """The rows to show of so many: the first and last, and None for those between."""
    if count <= FIRST + LAST + 1:
        return list(range(count))
    return [*range(FIRST), None, *range(count - LAST, count)]


def cell(value: Any) -> str:
    """A value in few characters; nothing for a number that is absent."""
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else ordinary(float(value))
    return printable(str(value), LONG)


def as_text(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], note: str = "") -> str:
    """As many columns as fit into a line, and the names of the others below; then what is to be noted."""
    if not head:
        return title
    columns = [list(column) for column in zip(head, *rows, strict=True)]
    widths = np.cumsum([max(map(len, column)) + 2 for column in columns])
    fitting = max(int(np.searchsorted(widths, WIDTH, "right")), 1)
    lines = [f"  {line}" for line in aligned(list(zip(*columns[:fitting], strict=True)))]
    more = [f"  and {', '.join(head[fitting:])}"] if head[fitting:] else []
    return "\n".join([title, *lines, *more, *wrap(note, WIDTH)])


def as_html(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], note: str = "", foot: Sequence[str] = ()) -> str:
    """All columns. Colours are left to the page."""
    from html import escape  # not needed for importing

    def line(cells: Iterable[str], tag: str) -> str:
        return f"<tr>{''.join(f'<{tag}>{escape(text)}</{tag}>' for text in cells)}</tr>"

    body = "".join(line(row, "td") for row in rows)
    end = f"<tfoot>{line(foot, 'th')}</tfoot>" if foot else ""
    table = f"<table><thead>{line(head, 'th')}</thead><tbody>{body}</tbody>{end}</table>"
    return f'<div style="overflow-x: auto"><p>{escape(title)}</p>{table}{f"<p>{escape(note)}</p>" if note else ""}</div>'
