"""From YAML text to plain data with line marks. Scalars are YAML 1.2's: `1e-3` is a number, `no` a text.

Nothing is constructed but mappings, lists, texts, numbers, true, false and null.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from nnframe.components.wording import shown
from nnframe.config.syntax import explain
from nnframe.data.source import regular_file
from nnframe.errors import ConfigError, FileError, join

SIZE, NODES, DEPTH, KEY = 2**20, 20_000, 60, 200  # of one document, aliases written out; characters of a key

COMMAND_LINE = "command line"
ROWS = {".csv": "CSV", ".tsv": "CSV", ".parquet": "Parquet", ".pq": "Parquet"}  # endings of files that are no configs

Marks = dict[str, tuple[str, int, int]]  # dotted path -> (file, line, column)

_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is ten times faster, where PyYAML has it
_NUMBERS = (
    (re.compile(r"[-+]?[0-9]+"), lambda text: int(text) if len(text) < 4000 else float(text)),
    (re.compile(r"0o[0-7]{1,1000}"), lambda text: int(text[2:], 8)),
    (re.compile(r"0x[0-9a-fA-F]{1,1000}"), lambda text: int(text, 16)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), lambda text: float(text.replace(".", ""))),
)
_FIRST = re.compile(r"^[ \t]*[^\s#]", re.MULTILINE)  # what is no comment
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_WORDS = {word: value for value in (True, False, None) for name in [str(value).lower().replace("none", "null")]
          for word in (name, name.title(), name.upper())} | {"~": None, "": None}  # fmt: skip


class _Loader(_Parser):
    """PyYAML's parser without its YAML 1.1 guesses about plain scalars: what has no tag in the text is given none."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        return ""


@dataclass
class Document:
    """What a config says (`data`), and where, lines and columns from 1."""

    data: Any
    marks: Marks = field(default_factory=dict)
    path: Path | None = None

    def where(self, path: str) -> str:
        """`file:line:column` of a dotted path, or of the nearest thing around it."""
        file, line, column = self.mark(path)
        return f"{file}:{line}:{column}" if line else file

    def mark(self, path: str) -> tuple[str, int, int]:
        while path not in self.marks and path:
            path = path.rpartition(".")[0]
        return self.marks.get(path, (str(self.path or COMMAND_LINE), 1, 1))

    def folder(self, path: str) -> Path:
        """What a file name that stands at a dotted path is relative to: its config's folder, or the current one for overrides."""
        file, _, _ = self.mark(path)
        return Path.cwd() if file == COMMAND_LINE else Path(file).absolute().parent


def no_config(path: Path) -> str:
    """That a file of rows is none, and how a config names it."""
    kind = ROWS[path.suffix.lower()]
    return (
        f"{path} is data, not a config; a config names it: data: {{type: {kind}, path: {path}, target: ...}}; nnframe list config shows one"
    )


def read(path: Path) -> Document:
    """Read a config. Raises ConfigError for text that is not YAML or too large, FileError for a file that cannot be read."""
    if path.suffix.lower() in ROWS and path.is_file():
        raise ConfigError([no_config(path)])
    try:
        with regular_file(path).open("rb") as file:
            raw = file.read(SIZE + 1)
    except OSError as error:
        raise error if isinstance(error, FileError) else FileError(f"cannot read {path}: {error.strerror}") from None
    if len(raw) > SIZE:
        raise ConfigError([f"{path}: a config of more than {SIZE // 2**20} MiB is refused"])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError([f"{path}:{line}: expected text in UTF-8, got byte {raw[error.start]:#x}; save the file as UTF-8"]) from None
    document = Document(None, path=path)
    document.data = parse(text, str(path), "", document.marks)
    if document.data is None:
        raise ConfigError([f"{path}: is empty; expected the keys model, data, loss, optimizer and train"])
    if not isinstance(document.data, dict):
        raise ConfigError([f"{document.where('')}: expected keys such as model, data, loss; got {shown(document.data)}"])
    return document


def dump(data: Any) -> str:
    """Plain data as YAML that `read` reads back to the same."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)


class _Dumper(yaml.SafeDumper):
    """Writes plain texts only where YAML 1.2 reads them back as texts."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: Any, text: str) -> yaml.Node:
    plain = _scalar(text) == text != "<<" and text.isprintable() and " " not in text  # at a space it might go on in the next line
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


def _represent_plain(dumper: Any, value: Any) -> yaml.Node:
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    text = text.replace("inf", ".inf").replace("nan", ".nan")
    return dumper.represent_scalar("tag:yaml.org,2002:str", text)


_Dumper.add_representer(str, _represent_text)
for _kind in (float, int, bool, type(None)):
    _Dumper.add_representer(_kind, _represent_plain)


def _scalar(text: str) -> Any:
    """A plain scalar by YAML 1.2's core schema."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > 4400:
        return text
    for pattern, number in _NUMBERS:
        if pattern.fullmatch(text):
            return number(text)
    return text


def parse(text: str, file: str, root: str, marks: Marks) -> Any:
    """What a text in YAML says; `root` is the dotted path that it stands for, on the command line. Raises ConfigError."""

    def error(message: str, line: int, column: int) -> ConfigError:
        return ConfigError([f"{file}: {root}: {message}" if root else f"{file}:{line + 1}:{column + 1}: {message}"])

    def error_at(index: int, message: str) -> ConfigError:
        return error(message, text.count("\n", 0, index), index - text.rfind("\n", 0, index) - 1)

    if (found := _FIRST.search(text)) and found[0] == "%":
        raise error_at(found.start(), "YAML directives (%) are not supported; remove the line")
    if found := _UNPRINTABLE.search(text):
        raise error_at(found.start(), f"the character U+{ord(found[0]):04X} cannot stand in YAML; remove it")
    try:
        if len(text) > DEPTH:  # what is shorter cannot be too much
            _limit(text, error)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as problem:
        line, column, message = explain(text, problem)
        raise error(message, line, column) from None
    if node is None:
        return None
    builder = _Builder(file, marks, error)
    builder.measure(node)
    return builder.build(node, root)


def _limit(text: str, error: Callable[[str, int, int], ConfigError], parser: Any = _Loader) -> None:
    """Look through the parser's events before anything is built from them: nesting would overflow the C stack."""
    loader, depth, count = parser(text), 0, 0
    try:
        while loader.check_event():
            event = loader.get_event()
            count += 1
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEPTH or count > NODES:
                message = "is nested too deeply" if depth > DEPTH else f"has more than {NODES:,} parts"
                raise error(message, event.start_mark.line, event.start_mark.column)
    except yaml.MarkedYAMLError as problem:
        # The C parser looks 1,024 characters ahead for the ':' of a key, and may meet its own limit there (since PyYAML 6.0.4) before it
        # tells of the first level. The one in Python has none, and comes to ours.
        if parser is not _Loader or "nesting" not in str(problem.problem):
            raise
        _limit(text, error, yaml.SafeLoader)
        raise
    finally:
        loader.dispose()


class _Builder:
    """Plain data from YAML nodes, and the mark of each."""

    def __init__(self, file: str, marks: Marks, error: Callable[[str, int, int], ConfigError]) -> None:
        self.file, self.marks, self.error_at = file, marks, error
        self.measured: dict[int, tuple[int, int]] = {}

    def measure(self, node: yaml.Node, depth: int = 0) -> tuple[int, int]:
        """Parts and levels of a node, aliases written out, without writing them out: a bomb costs what its text costs."""
        if id(node) not in self.measured:
            children = (
                () if isinstance(node, yaml.ScalarNode) else node.value if isinstance(node, yaml.SequenceNode) else chain(*node.value)
            )
            inner = [self.measure(child, depth + 1) for child in children] if depth <= DEPTH else [(0, DEPTH)]
            parts, levels = 1 + sum(size for size, _ in inner), 1 + max((height for _, height in inner), default=0)
            if parts > NODES or levels > DEPTH:
                raise self.error(node, "is nested too deeply" if levels > DEPTH else f"has more than {NODES:,} parts, aliases written out")
            self.measured[id(node)] = parts, levels
        return self.measured[id(node)]

    def build(self, node: yaml.Node, path: str) -> Any:
        self.marks.setdefault(path, self.mark(node))
        self.no_tag(node)
        if isinstance(node, yaml.ScalarNode):
            if not node.style and node.end_mark.line > node.start_mark.line:
                raise self.error(node, "a text of several lines; is the next one's indentation right? If it is meant so, put it in quotes")
            try:
                return node.value if node.style else _scalar(node.value)
            except (ValueError, OverflowError):
                raise self.error(node, "a number that is too large") from None
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, join(path, i)) for i, item in enumerate(node.value)]
        return dict(self.entries(node, path))

    def entries(self, node: yaml.Node, path: str) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self.error(key_node, "expected a text as key, got a list or mapping")
            self.no_tag(key_node)
            key, line = key_node.value, key_node.start_mark.line + 1
            if len(key) > KEY:
                raise self.error(key_node, f"expected a key of at most {KEY} characters, got {len(key)}")
            if key == "<<" and not key_node.style:
                raise self.error(key_node, "merge keys (<<) are not supported; write the keys out")
            if key in seen:
                raise self.error(key_node, f"the key {key!r} is given twice, first in line {seen[key]}")
            seen[key] = line
            self.marks[join(path, key)] = self.mark(key_node)
            yield key, self.build(value_node, join(path, key))

    def no_tag(self, node: yaml.Node) -> None:
        if node.tag:
            raise self.error(node, f"the tag {shown(node.tag)} is refused: a config is plain data")

    def mark(self, node: yaml.Node) -> tuple[str, int, int]:
        return self.file, node.start_mark.line + 1, node.start_mark.column + 1

    def error(self, node: yaml.Node, message: str) -> ConfigError:
        return self.error_at(message, node.start_mark.line, node.start_mark.column)
