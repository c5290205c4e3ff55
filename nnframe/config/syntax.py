"""What is wrong with a text that is not YAML, in words that ask for no knowledge of YAML."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml

CLOSING = {"[": "]", "{": "}"}
_QUOTED = re.compile(
    r"""(?<![^\s\[{,])(?:(')(?:[^']|'')*$|(")(?:[^"\\]|\\.)*$|'(?:[^']|'')*'|"(?:[^"\\]|\\.)*"|#.*)"""
)  # left open, whole; a comment

Answer = tuple[int, int, str]  # line and column from 0, what is wrong and what to do


def explain(text: str, error: yaml.MarkedYAMLError) -> Answer:
    """Where a text stops being YAML, and why."""
    mark = error.problem_mark or error.context_mark
    begun = error.context_mark or mark
    said = f"{error.context or ''}: {error.problem or ''}"
    if mark is None or begun is None:
        return 0, 0, f"is not YAML{said}"
    lines = text.replace("\r", "").split("\n")
    trouble = _Trouble(lines, mark.line, mark.column, begun.line, begun.column, text[mark.index : mark.index + 1].strip())
    if open_quote := _open_quote(trouble):
        return open_quote
    for words, answer in _ANSWERS:
        if re.search(words, said):
            return answer(trouble)
    return mark.line, mark.column, f"is not YAML: {error.problem}"


@dataclass(frozen=True)
class _Trouble:
    """Where the parser gave up, and where began what it was reading."""

    lines: list[str]
    line: int
    column: int
    begun_line: int
    begun_column: int
    got: str  # the character there, empty at the end of a line

    @property
    def here(self) -> str:
        return self.lines[self.line] if self.line < len(self.lines) else ""

    @property
    def begun(self) -> str:
        return self.lines[self.begun_line][self.begun_column :]

    def above(self, line: int) -> Iterator[int]:
        """The lines before `line` that say something, from the nearest."""
        return (i for i in range(line - 1, -1, -1) if _content(self.lines[i]))


def _content(line: str) -> str:
    """A line without indentation and comment."""
    return re.sub(r"(^|\s)#.*", "", line).strip()


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."


def _open_quote(t: _Trouble) -> Answer | None:
    """A quote that was forgotten ends where the next one stands, lines below, and what follows there makes no sense."""
    for number, line in enumerate(t.lines[: t.line]):
        for found in _QUOTED.finditer(line):
            quote = found[1] or found[2]
            if quote and next((i for i in range(number + 1, t.line + 1) if quote in t.lines[i]), None) == t.line:
                return number, found.start(), f"the quote {quote} is not closed in its line"
    return None


def _quote(t: _Trouble) -> Answer:
    return t.begun_line, t.begun_column, f"the quote {t.begun[:1]} is not closed"


def _escape(t: _Trouble) -> Answer:
    return t.line, t.here.rfind("\\", 0, t.column + 1), r"a \ in double quotes means something else; use single quotes, or / in a path"


def _tab(t: _Trouble) -> Answer:
    return t.line, t.column, "a tab; indent with spaces"


def _start(t: _Trouble) -> Answer:
    if t.got == "" and "\t" in t.here[t.column : t.column + 1]:
        return _tab(t)
    return t.line, t.column, f"a text cannot begin with {t.got}; put it in quotes"


def _alias(t: _Trouble) -> Answer:
    star = t.here.rfind("*", 0, t.column + 1)
    if _content(t.here).startswith("* "):
        return t.line, star, "an item of a list begins with '-', not with '*'"
    return (
        t.line,
        max(star, 0),
        "'*' refers to what an '&' has named, and there is none of that name; put a text that begins with '*' in quotes",
    )


def _anchor(t: _Trouble) -> Answer:
    return t.begun_line, t.begun_column, "a text cannot begin with &; put it in quotes"


def _flow(t: _Trouble) -> Answer:
    opening = t.begun[:1]
    closing = CLOSING.get(opening, "]")
    if t.got in ("]", "}") and t.got != closing:
        return (
            t.line,
            t.column,
            f"expected {closing!r} to close the {opening!r} of line {t.begun_line + 1}, column {t.begun_column + 1}, got {t.got!r}",
        )
    if t.line > t.begun_line or not t.got:
        before = f"line {t.line + 1}" if any(map(_content, t.lines[t.line :])) else "the end"
        return t.begun_line, t.begun_column, f"the {opening!r} is not closed: expected ',' or {closing!r} before {before}"
    if t.got == ":" and (words := re.search(r"([^\s,{}\[\]]+)\s+([^\s,{}\[\]]+)\s*$", t.here[t.begun_column + 1 : t.column])):
        return t.line, t.begun_column + 1 + words.start(2), f"expected ',' between {words[1]!r} and {words[2]!r}"
    return t.line, t.column, f"expected ',' or {closing!r} before {_short(t.here[t.column :].split()[0])}"


def _nothing(t: _Trouble) -> Answer:
    if t.got == ",":
        return t.line, t.column, "nothing stands before this ','; remove it"
    if t.got == "-":
        return t.line, t.column, "inside [...] items are separated by ',' and have no '-'"
    if t.got in ("]", "}"):
        return t.line, t.column, f"{t.got!r} closes nothing that is open; put a text that begins with it in quotes"
    for i in (t.line, *t.above(t.line)):
        if i < len(t.lines) and (column := max(map(t.lines[i].rfind, CLOSING))) >= 0:
            return i, column, f"the {t.lines[i][column]!r} is not closed"
    return t.line, t.column, "expected a value"


def _second_colon(t: _Trouble) -> Answer:
    before = t.here[: t.column]
    key, colon, _ = before.partition(": ")
    if colon:
        if "{" in key:
            return _no_colon(t, t.line)
        return t.line, t.column, "a second ':' in one line; put {...} around a mapping, or quotes around a text"
    above = next(t.above(t.line), None)
    if above is None:
        return t.line, t.column, "expected a key before ':'"
    if re.search(r"^- |:(\s|$)", _content(t.lines[above])):
        return t.line, _indentation(t.here), f"indented further than line {above + 1}, which has its value already; indent them alike"
    return _no_colon(t, above)


def _key_begun(t: _Trouble) -> Answer:
    return _no_colon(t, t.begun_line)


def _no_colon(t: _Trouble, number: int) -> Answer:
    """A line that should be `key: value` or `- item` and is neither."""
    line = t.lines[number]
    content, column = _content(line), _indentation(line)
    neighbours = [t.lines[i] for i in (next(t.above(number), number), min(number + 1, len(t.lines) - 1))]
    pair = re.match(r"([\w.]+)(:|\s*=\s*|\s+)(.+)", content)
    if content.startswith(("//", "/*")):
        say = "a comment begins with '#'"
    elif re.match(r"-[^\s-]", content):
        say = f"put a space after '-': '- {_short(content[1:])}'"
    elif any(near.startswith(" " * column + "- ") for near in neighbours):
        say = f"expected an item of the list, got '{_short(content)}'; write '- {_short(content)}'"
    elif pair and pair[2] == ":":
        say = f"put a space after the colon: '{_short(f'{pair[1]}: {pair[3]}')}'"
    else:
        say = f"expected 'key: value', got '{_short(content)}'"
        say += f"; write '{_short(f'{pair[1]}: {pair[3]}')}'" if pair else f"; write '{content}:'" if re.fullmatch(r"\w+", content) else ""
    return number, column, say


def _level(t: _Trouble) -> Answer:
    """A line whose indentation fits none above it, or more than a line."""
    indentation = _indentation(t.here)
    rest = _content(t.here[t.column :])
    if t.column > indentation:
        if t.got in ("]", "}"):
            return t.line, t.column, f"{t.got!r} closes nothing that is open"
        if t.here[t.column - 1] in ("'", '"'):
            return t.line, t.column, f"the text in quotes ends before '{_short(rest)}'; write '' for a ' inside '...'"
        return (
            t.line,
            t.column,
            "a comment begins with '#'" if rest.startswith("/") else f"expected the end of the line, got '{_short(rest)}'",
        )
    if rest.startswith(":"):
        return t.line, t.column, "expected a key before ':'"
    levels: list[int] = []
    for i in t.above(t.line):
        if not levels or _indentation(t.lines[i]) < levels[-1]:
            levels.append(_indentation(t.lines[i]))
    if indentation in levels:
        item = rest.startswith("-")
        wanted = "a key, got an item of a list" if item else "an item of the list, that begins with '- '"
        return t.line, t.column, f"expected {wanted}; check the indentation of this line"
    spaces = f"{indentation} space{'s' * (indentation != 1)}, but the lines above by {' or '.join(map(str, sorted(levels)))}"
    return t.line, t.column, f"indented by {spaces}; indent alike what belongs together"


def _dash(t: _Trouble) -> Answer:
    return t.line, t.column, "a list in one line is written [a, b]; items with '-' begin in the next line"


def _block_text(t: _Trouble) -> Answer:
    return t.begun_line, t.begun_column, f"{t.begun[:1]!r} begins a text in the next lines; put a text that begins with it in quotes"


def _question(t: _Trouble) -> Answer:
    return t.line, t.column, "put a text that begins with '?' in quotes"


def _documents(t: _Trouble) -> Answer:
    return t.line, t.column, "expected one document; remove the --- line"


_ANSWERS: tuple[tuple[str, Callable[[_Trouble], Answer]], ...] = (  # to what the parser says
    ("expected a single document", _documents),
    ("quoted scalar: found unexpected", _quote),
    ("quoted scalar", _escape),
    ("tab character", _tab),
    ("cannot start any token", _start),
    ("alias", _alias),
    ("anchor", _anchor),
    ("expected ',' or", _flow),
    ("expected node content", _nothing),
    ("mapping values", _second_colon),
    ("simple key", _key_begun),
    ("expected key|'-' indicator|document start", _level),
    ("block sequence entries", _dash),
    ("block scalar", _block_text),
    ("mapping keys", _question),
)
