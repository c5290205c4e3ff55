"""Data from a CSV file."""

import csv
import re
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from nnframe.components.component import register
from nnframe.components.names import nearest
from nnframe.components.wording import shown
from nnframe.data.dataset import Dataset
from nnframe.data.source import Source, regular_file
from nnframe.errors import DataError, FileError, OptionError, listed

LINE = 2**24  # characters of one line
UNNAMED = re.compile(r"|Unnamed: \d+")  # as pandas writes the header of an index, and reads it back
FEW = 9  # rows that a column may count by chance


@dataclass(frozen=True)
class Target:
    """A target column; with `classes`, its texts are numbered in that order."""

    column: str
    classes: tuple[str | int, ...] | None = None

    def __post_init__(self) -> None:
        names = None if self.classes is None else list(map(str, self.classes))
        if names is not None and (len(names) < 2 or len(set(names)) < len(names)):
            raise OptionError(f"expected at least two classes, all different, got {', '.join(names) or 'none'}", path="classes")


@register
class CSV(Source):
    """A CSV file with a header line, in UTF-8. Inputs are columns of numbers, by default all but target and weight; a column
    without a name, or one that only counts the rows, is an input only if `inputs` names it.

    A target column of numbers is taken as such, one of texts as classes, numbered in the order of `classes` or else
    sorted; a list of columns makes several outputs.
    """

    suffixes = (".csv", ".tsv", ".txt")

    path: Path
    _: KW_ONLY
    target: str | tuple[str, ...] | Target
    inputs: tuple[str, ...] | None = None
    weight: str | None = None
    delimiter: str = ","

    def __post_init__(self) -> None:
        target, inputs = self.target, self.inputs
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            tab = r'; write "\t"' if self.delimiter in ("tab", "TAB", r"\t") else ""
            raise OptionError(f"expected one character, got {shown(self.delimiter)}{tab}", path="delimiter")
        for option, names in (("inputs", inputs), ("target", target if isinstance(target, tuple) else None)):
            if names is not None and (not names or len(set(names)) < len(names)):
                raise OptionError(f"expected at least one column, each once, got {', '.join(names) or 'none'}", path=option)
        if also := [name for name in self.targets if name in (inputs or ())]:
            raise OptionError(f"{also[0]!r} is the target too; leave it out here", path="inputs")

    @property
    def targets(self) -> tuple[str, ...]:
        """The target columns."""
        return self.target if isinstance(self.target, tuple) else (self.target.column if isinstance(self.target, Target) else self.target,)

    def read(self) -> Dataset:
        try:
            table = _Table(self.path, self.delimiter)
        except (DataError, FileError) as error:
            raise error.within("path") from None
        targets = self.targets
        for name in targets:
            table.texts(name, "target")
        inputs = self.inputs or tuple(name for name in table.columns if name not in (*targets, self.weight))
        if not inputs:
            raise DataError(f"{self.path} has no column beside the target; expected inputs", path="path")
        if self.inputs is None:
            self._refuse([name for name in inputs if UNNAMED.fullmatch(name)], inputs, "which has no name, like an index that pandas wrote")
        x = np.stack([table.numbers(name, "inputs") for name in inputs], -1)
        if self.inputs is None and len(inputs) > 1 and len(x) > FEW:
            rows = np.arange(len(x))
            counting = [
                name for name, column in zip(inputs, x.T, strict=True) if column[0] in (0, 1) and np.all(column == rows + column[0])
            ]
            self._refuse(counting, inputs, "which only counts the rows")
        weight = None if self.weight is None else table.numbers(self.weight, "weight")
        classes = getattr(self.target, "classes", None)
        if classes is None and len(targets) == 1 and not table.is_numeric(targets[0]):
            classes = tuple(sorted(set(table.texts(targets[0], "target"))))
        if classes is None:
            y = np.stack([table.numbers(name, "target") for name in targets], -1)
            return Dataset(x, y, weight, inputs, targets)
        labels = tuple(map(str, classes))
        return Dataset(x, table.classes(targets[0], labels), weight, inputs, targets, labels)

    def _refuse(self, found: list[str], inputs: tuple[str, ...], why: str) -> None:
        """Raise DataError for columns that are an index and no measurement: in sorted rows they give the answer away."""
        if found:
            rest = [name for name in inputs if name not in found]
            leave = f"write inputs: [{listed(rest)}] to leave it out, or name it there too" if rest else "name it in inputs"
            raise DataError(f"{self.path} has the column {found[0]!r}, {why}; {leave} if it is meant", path="inputs")


class _Table:
    """The cells of a CSV file by column. Every error names file, line and column."""

    def __init__(self, path: Path, delimiter: str) -> None:
        self.path = regular_file(path)
        if path.stat().st_size == 0:
            raise DataError(f"{path} is empty; expected a header line and rows")
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                lines = iter(lambda: _line(file, path), "")
                reader = csv.reader(lines, delimiter=delimiter, strict=True)
                numbered = [(reader.line_num, row) for row in reader if row]
        except UnicodeDecodeError as error:
            raise DataError(f"{path}: expected text in UTF-8, got byte {error.object[error.start]:#x}; save the file as UTF-8") from None
        except csv.Error as error:
            raise DataError(f"{path}:{reader.line_num}: {error}") from None
        except OSError as error:
            raise FileError(f"cannot read {path}: {error.strerror}") from None
        if not numbered:
            raise DataError(f"{path} is empty; expected a header line and rows")
        (_, header), *rows = numbered
        self.columns = tuple(name.strip() for name in header)
        self.lines = [line for line, _ in rows]
        self.index = {name: i for i, name in enumerate(self.columns)}
        if twice := [name for i, name in enumerate(self.columns) if self.index[name] != i]:
            raise DataError(f"{path}:1: the column {twice[0][:60]!r} stands twice in the header")
        if not rows:
            raise DataError(f"{path} has a header but no rows")
        for line, row in rows:
            if len(row) != len(header):
                raise DataError(f"{path}:{line}: expected {len(header)} cells, as in the header, got {len(row)}{self.other_delimiter()}")
        self.cells = list(zip(*(row for _, row in rows), strict=True))

    def texts(self, column: str, option: str) -> list[str]:
        if column not in self.index:
            known = f"{nearest(column, self.columns)} Columns: {listed(self.columns)}.{self.other_delimiter()}"
            raise DataError(f"{self.path} has no column {column[:60]!r}.{known}", path=option)
        return [cell.strip() for cell in self.cells[self.index[column]]]

    def other_delimiter(self) -> str:
        """What separates the columns, if they seem to be one."""
        found = [mark for mark in ";\t|, " if mark in self.columns[0]] if len(self.columns) == 1 else []
        return " Write delimiter: {}, if that separates them.".format('"\\t"' if found[0] == "\t" else repr(found[0])) if found else ""

    def numbers(self, column: str, option: str) -> np.ndarray:
        texts = self.texts(column, option)
        values = np.array([_number(text) for text in texts], np.float64)
        if not np.isfinite(values).all():
            at = int(np.flatnonzero(~np.isfinite(values))[0])
            got = "an empty cell" if not texts[at] else repr(texts[at][:60])
            raise DataError(f"{self.path}:{self.lines[at]}: column {column!r}: expected a finite number, got {got}", path=option)
        return values

    def is_numeric(self, column: str) -> bool:
        """Could the column be meant as numbers? One text among numbers is a mistake, and not a column of classes."""
        texts = self.texts(column, "target")
        return sum(_number(text) is not None for text in texts) * 2 > len(texts)

    def classes(self, column: str, classes: tuple[str, ...]) -> np.ndarray:
        number = {name: i for i, name in enumerate(classes)}
        texts = self.texts(column, "target")
        for line, text in zip(self.lines, texts, strict=True):
            if text not in number:
                known = f"{listed(classes)}.{nearest(text, classes)}"
                raise DataError(f"{self.path}:{line}: column {column!r}: {text[:60]!r} is not among the classes {known}", path="target")
        return np.array([number[text] for text in texts], np.int64)


def _line(file: TextIO, path: Path) -> str:
    line = file.readline(LINE)
    if len(line) == LINE:
        raise DataError(f"{path}: a line of more than {LINE // 2**20} MiB is refused")
    return line


def _number(text: str) -> Any:
    """None where a text is no number, which NumPy makes NaN."""
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None
