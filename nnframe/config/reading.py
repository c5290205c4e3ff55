"""From YAML text to plain data with line marks. Scalars are YAML 1.2's: `1e-3` is a number, `no` a text.

Nothing is constructed but mappings, lists, texts, numbers, true, false and null.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nnframe.component import shown
from nnframe.data.source import regular_file
from nnframe.errors import ConfigError, FileError

SIZE, NODES, DEPTH = 2**20, 20_000, 60  # of one document, aliases written out

COMMAND_LINE = "command line"

Marks = dict[str, tuple[str, int, int]]  # dotted path -> (file, line, column)

_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is ten times faster, where PyYAML has it
_NUMBERS = (
    (re.compile(r"[-+]?[0-9]+"), lambda text: int(text) if len(text) < 4000 else float(text)),
    (re.compile(r"0o[0-7]{1,1000}"), lambda text: int(text[2:], 8)),
    (re.compile(r"0x[0-9a-fA-F]{1,1000}"), lambda text: int(text, 16)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), lambda text: float(text.replace(".", ""))),
)
_WORDS = {word: value for value in (True, False, None) for name in [str(value).lower().replace("none", "null")]
          for word in (name, name.title(), name.upper())} | {"~": None, "": None}  # fmt: skip


class _Loader(_Parser):
    """PyYAML's parser without its YAML 1.1 guesses about plain scalars."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  as PyYAML wants it


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


def read(path: Path) -> Document:
    """Read a config. Raises ConfigError for text that is not YAML or too large, FileError for a file that cannot be read."""
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
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if _scalar(text) == text != "<<" else '"')


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
    if any(line.startswith("%") for line in text.split("\n", 100)):
        raise ConfigError([f"{file}: YAML directives (%) are not supported"])
    try:
        _limit(text, file)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except UnicodeEncodeError:
        raise ConfigError([f"{file}: {root}{': ' * bool(root)}expected text that can be written in UTF-8"]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{file}: {root}" if root else f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        several = error.context == "expected a single document in the stream"
        raise ConfigError([f"{place}: {'expected one document; remove the --- line' if several else _yaml_problem(error)}"]) from None
    except yaml.YAMLError as error:
        raise ConfigError([f"{file}: is not YAML: {' '.join(str(error).split())[:200]}"]) from None
    except RecursionError:
        raise ConfigError([f"{file}: is nested too deeply"]) from None
    if node is None:
        return None
    return _Builder(file, marks).build(node, root, 0)


def _limit(text: str, file: str) -> None:
    """Look through the parser's events before anything is built from them: nesting would overflow the C stack."""
    loader, depth, count = _Loader(text), 0, 0
    try:
        while loader.check_event():
            event = loader.get_event()
            count += 1
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEPTH or count > NODES:
                place = f"{file}:{event.start_mark.line + 1}:{event.start_mark.column + 1}"
                raise ConfigError([f"{place}: is nested too deeply" if depth > DEPTH else f"{place}: has more than {NODES:,} parts"])
    finally:
        loader.dispose()


def _yaml_problem(error: yaml.MarkedYAMLError) -> str:
    problem = f"is not YAML: {error.problem or error.context}"
    if "tab character" in problem or "\\t" in problem:
        problem += "; indent with spaces, not tabs"
    return problem[:300]


class _Builder:
    """Plain data from YAML nodes, and the mark of each."""

    def __init__(self, file: str, marks: Marks) -> None:
        self.file, self.marks, self.count = file, marks, 0

    def build(self, node: yaml.Node, path: str, depth: int) -> Any:
        self.count += 1
        if self.count > NODES or depth > DEPTH:
            raise self.error(node, "is nested too deeply" if depth > DEPTH else f"has more than {NODES:,} parts, aliases written out")
        self.marks.setdefault(path, self.mark(node))
        self.no_tag(node)
        if isinstance(node, yaml.ScalarNode):
            try:
                return node.value if node.style else _scalar(node.value)
            except (ValueError, OverflowError):
                raise self.error(node, "a number that is too large") from None
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, join(path, i), depth + 1) for i, item in enumerate(node.value)]
        return dict(self.entries(node, path, depth))

    def entries(self, node: yaml.Node, path: str, depth: int) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise self.error(key_node, "expected a text as key, got a list or mapping")
            self.no_tag(key_node)
            key, line = key_node.value, key_node.start_mark.line + 1
            if len(key) > 200:
                raise self.error(key_node, f"expected a key of at most 200 characters, got {len(key)}")
            if key == "<<" and not key_node.style:
                raise self.error(key_node, "merge keys (<<) are not supported; write the keys out")
            if key in seen:
                raise self.error(key_node, f"the key {key!r} is given twice, first in line {seen[key]}")
            seen[key] = line
            self.marks[join(path, key)] = self.mark(key_node)
            yield key, self.build(value_node, join(path, key), depth + 1)

    def no_tag(self, node: yaml.Node) -> None:
        if node.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"):
            raise self.error(node, f"the tag {shown(node.tag)} is refused: a config is plain data")

    def mark(self, node: yaml.Node) -> tuple[str, int, int]:
        return self.file, node.start_mark.line + 1, node.start_mark.column + 1

    def error(self, node: yaml.Node, message: str) -> ConfigError:
        return ConfigError([f"{':'.join(map(str, self.mark(node)))}: {message}"])


def join(path: str, key: object) -> str:
    return f"{path}.{key}" if path else str(key)
