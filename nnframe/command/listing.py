"""What `nnframe list` prints of a config's sections and of components, and how it finds what was asked for."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from textwrap import wrap
from typing import NoReturn

from nnframe.command.pages import Page, Row, Slot, sections, slots
from nnframe.components.names import closest, habits, plain, same
from nnframe.components.wording import shown
from nnframe.errors import OptionError

NARROW, WIDE, PIPED = 40, 100, 80  # characters of a line
TABLE = 72  # from which a table has its columns side by side,
MOST, DEFAULT = 24, 20  # of a name and a default at most


@dataclass(frozen=True)
class Option:
    """An option by itself, and whose it is."""

    name: str
    rows: tuple[tuple[str, Row], ...]


Thing = Page | Slot | Option


def answer(words: Sequence[str]) -> str:
    """What is known of some words, or of everything. Raises OptionError for one of which nothing is."""
    known, width = Known(), _width()
    if not words:
        return "\n".join(_overview(known, width)) + "\n"
    asked = [" ".join(words)] if known.find(" ".join(words)) else words
    found = dict.fromkeys(thing for word in asked for thing in known.find(word) or known.refuse(word))
    notes = [f"{word[:60]!r} is called {ours} here.\n" for word in asked if (ours := known.called_otherwise(word))]
    return "\n".join([*notes, *("\n".join(_lines(thing, width)) + "\n" for thing in found)])


class Known:
    """Everything that a word may mean."""

    def __init__(self) -> None:
        self.sections, self.slots = sections(), slots()
        self.pages = [*self.sections, *(page for slot in self.slots for page in slot.pages)]
        self.named: dict[str, list[Thing]] = {}
        things: list[Page | Slot] = [*self.pages, *self.slots]
        for thing in things:
            for name in dict.fromkeys(self._names(thing)):
                self.named.setdefault(name, []).append(thing)

    def find(self, word: str) -> list[Thing]:
        """What has this name, else the option of this name, else what is called so elsewhere."""
        asked = plain(word)
        if found := [thing for name, things in self.named.items() if plain(name) == asked for thing in things]:
            return found
        owner, _, name = word.rpartition(".")
        rows = self._options()
        if owner and (owners := self.find(owner)):
            labels = {thing.name for thing in owners} | {page.name for thing in owners if isinstance(thing, Slot) for page in thing.pages}
            rows = [(label, row) for label, row in rows if label in labels]
        if of_name := [(label, row) for label, row in rows if plain(row.name) == plain(name)]:
            return [Option(of_name[0][1].name, tuple(of_name))]
        if ours := same(word, self.named):
            return self.named[ours]
        if ours := same(name, [row.name for _, row in rows]):
            return [Option(ours, tuple((label, row) for label, row in rows if row.name == ours))]
        return []

    def called_otherwise(self, word: str) -> str | None:
        """Our name of what was found by the name that others have for it."""
        (found, *_), last = self.find(word), plain(word.rpartition(".")[2])
        ours = [found.name] if isinstance(found, Option) else self.named
        return None if last in map(plain, ours) or plain(word) in map(plain, ours) else found.name

    def refuse(self, word: str) -> NoReturn:
        close = closest(word, [*self.named, *(row.name for _, row in self._options())])
        meant = habits().get(plain(word)) or (f"Did you mean {close!r}?" if close else "")
        raise OptionError(f"nothing here is called {shown(word)}. {meant} `nnframe list` names everything.".replace("  ", " "), path="list")

    def _names(self, thing: Page | Slot) -> Iterator[str]:
        yield thing.name
        if isinstance(thing, Slot):
            yield thing.plural
            places = {page.name for page in self.sections}
            yield from (place for place in thing.places if "." not in place and place not in places)
        else:
            yield thing.name.rpartition(".")[2]

    def _options(self) -> list[tuple[str, Row]]:
        """All options with whose they are; one that all of a slot have, once."""
        found = [(page.name, row) for page in self.sections for row in page.rows]
        for slot in self.slots:
            common = {row.name: row for page in slot.pages for row in page.rows if row.shared}
            if slot.name != "data source":  # whose options stand in the section `data`
                found += [(f"every {slot.name}", row) for row in common.values()]
            found += [(page.name, row) for page in slot.pages for row in page.rows if not row.shared]
        return found


def _width() -> int:
    """Of a line on this terminal; of a file or pipe as most expect it."""
    columns = shutil.get_terminal_size((PIPED, 24)).columns if sys.stdout.isatty() else PIPED
    return min(max(columns, NARROW), WIDE)


def _overview(known: Known, width: int) -> Iterator[str]:
    yield from _wrapped("A config has these keys and sections; `nnframe list NAME` tells more of any name below.", width)
    yield ""
    yield from _table([(page.name, ", ".join(row.name for row in page.rows)) for page in known.sections], width)
    for slot in known.slots:
        yield ""
        yield from _lines(slot, width)


def _lines(thing: Thing, width: int) -> Iterator[str]:
    if isinstance(thing, Slot):
        yield from _wrapped(f"{thing.plural}, in {_few(thing.places)}:", width)
        for page in thing.pages:
            yield from _wrapped(page.form, width, "  ", "    ")
            yield from _wrapped(page.first, width, " " * 6)
        if thing.name == "metric":
            yield "  (and every loss, by its own name)"
    elif isinstance(thing, Option):
        yield from _wrapped(f"{thing.name}, an option of {_few([owner for owner, _ in thing.rows], 12)}", width)
        yield ""
        yield from _table([(owner, row.default, row.takes) for owner, row in thing.rows], width)
    else:
        yield from _wrapped(f"{thing.name}, {thing.kind}", width)
        for paragraph in thing.text:
            yield ""
            for line in paragraph.split("\n"):
                yield from _wrapped(line, width, "  ") if line.strip() else [""]
        if thing.rows:
            yield ""
            yield from _table([("option", "default", "takes"), *((row.name, row.default, row.takes) for row in thing.rows)], width)
        yield ""
        yield from (f"  {line}" for line in thing.example.splitlines())


def _few(names: Sequence[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _wrapped(text: str, width: int, first: str = "", then: str | None = None) -> list[str]:
    lead = text[: len(text) - len(text.lstrip())]  # a formula stays indented
    then = first if then is None else then
    return wrap(text.strip(), width, initial_indent=first + lead, subsequent_indent=then + lead, break_on_hyphens=False)


def _table(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Rows in columns; what is too long goes on below itself. On a narrow terminal the last column stands below the others."""
    if width < TABLE:
        for *cells, last in rows:
            yield from _wrapped("  ".join(cells), width, "  ")
            yield from _wrapped(last, width, " " * 6)
        return
    *fixed, _ = zip(*rows, strict=True)
    widths = [min(max(map(len, column)), DEFAULT if i else MOST) for i, column in enumerate(fixed)]
    widths.append(width - sum(widths) - 2 * len(rows[0]))
    for row in rows:
        parts = [wrap(cell, room, break_on_hyphens=False) for cell, room in zip(row, widths, strict=True)]
        for line in zip_longest(*parts, fillvalue=""):
            yield "  " + "  ".join(cell.ljust(room) for cell, room in zip(line, widths, strict=True)).rstrip()
