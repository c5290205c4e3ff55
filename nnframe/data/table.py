"""Named columns, as a CSV file, a Parquet file or a data frame has them, as rows to train on."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from nnframe.components.names import nearest, unit_hint
from nnframe.components.options import field
from nnframe.components.wording import flow
from nnframe.data.dataset import Dataset, Origin
from nnframe.data.mending import Lacking
from nnframe.data.source import Source
from nnframe.errors import ColumnsError, DataError, OptionError, listed, more

DATE = re.compile(r"\d{1,2}([./-])\d{1,2}\1(\d{4}|\d\d)|\d{4}[./]\d{1,2}[./]\d{1,2}")  # not as ISO has it
DAY_FIRST = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?!\d)", re.A)  # with points, the day always is
FEW = 9  # rows that a column may count by chance
TEXTS = 50  # distinct texts from which a column may be one of names or sentences


@dataclass(frozen=True)
class Target:
    """A target column; with `classes`, its texts are numbered in that order."""

    column: str
    classes: tuple[str | int, ...] | None = None

    def __post_init__(self) -> None:
        names = None if self.classes is None else list(map(str, self.classes))
        if names is not None and (len(names) < 2 or len(set(names)) < len(names)):
            raise OptionError(f"expected at least two classes, all different, got {', '.join(names) or 'none'}", path="classes")


@dataclass(frozen=True, eq=False)
class Column:
    """The cells of a column: `numbers` (rows,) with NaN for what is missing, or else the place of each among its sorted `texts`, -1 for
    what is missing."""

    numbers: np.ndarray | None = None
    codes: np.ndarray | None = None
    texts: tuple[str, ...] = ()
    truths: bool = False  # are its numbers True and False?
    days: bool = False  # are they dates?

    def __len__(self) -> int:
        return len(self.x)

    @property
    def missing(self) -> np.ndarray:
        return np.isnan(self.x)

    @property
    def lost(self) -> int:
        """How many cells are missing."""
        return int(np.count_nonzero(self.missing))

    @property
    def ends(self) -> tuple[float, float]:
        """Its first and last number."""
        assert self.numbers is not None
        return self.numbers[0], self.numbers[-1]

    @property
    def x(self) -> np.ndarray:
        """As inputs have it: (rows,) of floating numbers."""
        if self.numbers is not None:
            return self.numbers
        assert self.codes is not None
        return np.where(self.codes < 0, np.nan, self.codes)

    def as_texts(self) -> np.ndarray:
        assert self.codes is not None
        return np.array(self.texts)[self.codes]


class Table:
    """Base: named columns, read one by one. Every error names file, row and column."""

    dated: ClassVar[str]  # what makes dates of a column of texts

    name: str
    columns: tuple[str, ...]
    origin: Origin | None = None
    notes: tuple[str, ...] = ()

    def column(self, name: str, option: str, texts: bool = False) -> Column:
        """The cells of a column, as texts if that is asked for. Raises DataError where numbers are meant and some are none."""
        raise NotImplementedError

    def got(self, name: str, row: int) -> str:
        """A cell in words."""
        return "an empty cell"

    def hint(self) -> str:
        """What may be wrong where a column is not found."""
        return ""

    def where(self, row: int) -> str:
        return f"row {row}" if self.origin is None else self.origin.at(row)

    def look_up(self, name: str, option: str) -> None:
        """Raise DataError if there is no such column."""
        if name not in self.columns:
            known = f"{nearest(name, self.columns)} Columns: {listed(self.columns)}.{self.hint()}"
            raise DataError(f"{self.name} has no column {name[:60]!r}.{known}", path=option)

    def full(self, name: str, option: str, column: Column, expected: str = "a finite number") -> Column:
        """The column. Raises DataError if any cell of it is missing."""
        if column.lost:
            row = int(column.missing.argmax())
            told = f"expected {expected}, got {self.got(name, row)}{more(column.lost)}; leave out the row{'s' * (column.lost > 1)}"
            raise DataError(f"{self.where(row)}: column {name!r}: {told}", path=option)
        return column

    def matrix(self, names: Sequence[str], columns: Sequence[Column]) -> np.ndarray:
        """Some columns as x: (rows, columns)."""
        return np.stack([column.x for column in columns], -1)


class Tabular(Source):
    """Base of what has columns: write `table`.

    Inputs are all columns but target, weight and those that `split` names, unless `inputs` names them. One of texts becomes numbers, the
    place of each among its sorted texts, and wants a transform that encodes it; a missing cell becomes NaN. A column without a name, one
    that only counts the rows, one of dates and one of all different texts are inputs only if `inputs` names them.

    A target column of numbers is taken as such, one of texts as classes, numbered in the order of `classes` or else sorted; a list of
    columns makes several outputs.
    """

    target: str | tuple[str, ...] | Target = field(kw_only=True)
    inputs: tuple[str, ...] | None = field(default=None, kw_only=True)
    weight: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        target, inputs = self.target, self.inputs
        for option, names in (("inputs", inputs), ("target", target if isinstance(target, tuple) else None)):
            if names is not None and (not names or len(set(names)) < len(names)):
                raise OptionError(f"expected at least one column, each once, got {', '.join(names) or 'none'}", path=option)
        if also := [name for name in self.targets if name in (inputs or ())]:
            raise OptionError(f"{also[0]!r} is the target too; leave it out here", path="inputs")

    @property
    def targets(self) -> tuple[str, ...]:
        """The target columns."""
        return self.target if isinstance(self.target, tuple) else (self.target.column if isinstance(self.target, Target) else self.target,)

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The classes of the target, if they are given."""
        given = self.target.classes if isinstance(self.target, Target) else None
        return None if given is None else tuple(map(str, given))

    @property
    def named(self) -> dict[str, str]:
        """The columns that options name, each with its option."""
        parts = {part: getattr(self.split, part) for part in ("column", "groups", "time")}
        others = dict.fromkeys(self.inputs or (), "inputs") | ({} if self.weight is None else {self.weight: "weight"})
        others |= {name: f"split.{part}" for part, name in parts.items() if name is not None}
        return dict.fromkeys(self.targets, "target") | others

    def table(self) -> Table:
        """What is read. Raises FileError or DataError."""
        raise NotImplementedError

    def read(self) -> Dataset:
        return self._of(self.table())

    def _of(self, table: Table) -> Dataset:
        """The rows of a table. Raises DataError with file, row and column."""
        for name, option in self.named.items():
            table.look_up(name, option)
        others = {*self.targets, self.weight, *self.split.columns.values()}
        inputs = self.inputs or tuple(name for name in table.columns if name not in others)
        if not inputs:
            raise DataError(f"{table.name} has no column beside the target; expected inputs", path="inputs")
        columns, wrong = self._inputs(table, inputs)
        weight = None
        try:
            weight = None if self.weight is None else self.numbers_of(table, self.weight, "weight")
            y, classes = self.target_of(table)
        except DataError as error:
            wrong.append(error)
        if wrong:
            raise self._at_once(wrong, inputs, columns)
        return Dataset(
            table.matrix(inputs, list(columns.values())),
            y,
            weight,
            inputs,
            self.targets,
            classes,
            categories={name: column.texts for name, column in columns.items() if column.codes is not None},
            columns={name: self._split_column(table, name) for name in self.split.columns.values()},
            origin=table.origin,
            notes=table.notes + _of_truths(table, columns) + self._of_identifiers(columns),
        )

    def _inputs(self, table: Table, names: tuple[str, ...]) -> tuple[dict[str, Column], list[DataError]]:
        """The input columns that can be read, and what is wrong with them and the others."""
        columns: dict[str, Column] = {}
        wrong: list[DataError] = []
        for name in names:
            try:
                columns[name] = table.column(name, "inputs")
            except DataError as error:
                wrong.append(error)
            else:
                why = self._no_input(table, name, columns[name], len(names))
                wrong += [Refused(table.name, name, names, *why)] if why else []
        return columns, wrong

    def _no_input(self, table: Table, name: str, column: Column, count: int) -> tuple[str, ...]:
        """Why a column is no measurement, unless `inputs` names it; then what else may be done: an index in sorted rows gives the answer
        away."""
        if column.lost == len(column):
            return (EMPTY,)
        if self.inputs is not None:
            return ()
        if _unnamed(name):
            return ("which has no name, like an index that pandas wrote",)
        if count > 1 and _counts(column):
            return ("which only counts the rows",)
        if are_dates(column.texts):
            return (
                f"which holds dates such as {column.texts[0][:60]!r}",
                f"{table.dated.format(flow(name))} to have them as numbers of days",
            )
        if column.texts and all(map(DATE.fullmatch, column.texts)):
            return (f"with texts such as {column.texts[0]!r}", "dates are read where they are written 2020-01-31 or 31.1.2020")
        if len(column.texts) > TEXTS and len(column.texts) * 2 > len(column):
            return ("which looks like an identifier or free text",)
        return ()

    def _at_once(self, wrong: list[DataError], inputs: tuple[str, ...], columns: dict[str, Column]) -> DataError:
        """All that is wrong, and what to write; one mistake alone says that by itself."""
        refused = [error for error in wrong if isinstance(error, Refused)]
        others: list[DataError] = [error for error in wrong if not isinstance(error, Refused)]
        out = [error.column for error in refused]
        if refused and self.inputs is None:
            found = [name for name in columns if name not in out and self._may_identify(columns[name])]
            out += found
            others += [DataError(identifier(name), path="inputs") for name in found]
        rest = [name for name in inputs if name not in out]
        kept = {name: column for name, column in columns.items() if name in rest}
        texts = [name for name, column in kept.items() if column.codes is not None]
        lacking = Lacking(self.transforms, texts, [name for name, column in kept.items() if column.lost])
        if refused:
            others += lacking.errors()
        if len(refused) + len(others) == 1:
            return wrong[0]
        for error in refused:
            error.message = error.short
        inputs_ = [f"inputs: {flow(rest)}"] if refused and rest else []
        mend = ", ".join([*inputs_, *filter(None, [lacking.mend])]) if refused else ""
        return ColumnsError(
            [*refused, *others], f"{'Write' if len(wrong) == len(refused) else 'Mend the cells, and write'} {mend}" if mend else ""
        )

    def _of_identifiers(self, columns: Mapping[str, Column]) -> tuple[str, ...]:
        """Which columns may be identifiers, in words."""
        names = [name for name, column in columns.items() if len(columns) > 1 and self._may_identify(column)]
        rest = [name for name in columns if name not in names]
        return tuple(f"{identifier(name)} inputs: [{listed(list(map(flow, rest)))}] leaves it out" for name in names if rest)

    def _may_identify(self, column: Column) -> bool:
        """Is this an input only since nobody said which columns are, and counts something that is no measurement?"""
        return self.inputs is None and _rises(column)

    def numbers_of(self, table: Table, name: str, option: str, column: Column | None = None) -> np.ndarray:
        """A column of numbers, all there. Raises DataError."""
        column = column or table.column(name, option)
        if column.codes is not None:
            table.full(name, option, column)
            got = f"got {column.as_texts()[0][:60]!r}{more(len(column))}{unit_hint(column.texts)}"
            raise DataError(f"{table.where(0)}: column {name!r}: expected a finite number, {got}", path=option)
        return table.full(name, option, column).x

    def target_of(self, table: Table) -> tuple[np.ndarray, tuple[str, ...]]:
        """y and its classes."""
        first, classes = self.targets[0], self.classes
        if classes is None and len(self.targets) == 1:
            column = table.column(first, "target")
            if column.codes is None and not column.truths:
                return self.numbers_of(table, first, "target", column)[:, None], ()
        elif classes is None:
            return np.stack([self.numbers_of(table, name, "target") for name in self.targets], -1), ()
        column = table.column(first, "target", texts=True)
        table.full(first, "target", column, "a class")
        assert column.codes is not None
        classes = classes or column.texts
        number = {name: i for i, name in enumerate(classes)}
        if unknown := [i for i, text in enumerate(column.texts) if text not in number]:
            row = int(np.isin(column.codes, unknown).argmax())
            text = column.texts[column.codes[row]]
            known = f"{listed(classes)}.{nearest(text, classes)}"
            raise DataError(f"{table.where(row)}: column {first!r}: {text[:60]!r} is not among the classes {known}", path="target")
        return np.array([number[text] for text in column.texts], np.int64)[column.codes], classes

    def _split_column(self, table: Table, name: str) -> np.ndarray:
        """What rows are split by: numbers, or texts; dates are numbers of days."""
        option = self.named[name]
        option = option if option.startswith("split") else "split"
        column = table.full(name, option, table.column(name, option), "a value")
        if column.codes is not None and are_dates(column.texts):
            return np.array(list(days(column.texts)))[column.codes]
        if column.truths:
            column = table.column(name, option, texts=True)
        return column.x if column.codes is None else column.as_texts()


EMPTY = "is empty in all rows"


class Refused(DataError):
    """A column that is no input, or none unless it is named; `short` without what to do."""

    def __init__(self, table: str, column: str, inputs: tuple[str, ...], why: str, instead: str = "") -> None:
        self.column = column
        rest = _without([column], inputs)
        if why is EMPTY:
            self.short = f"{table}: the column {column!r} {why}"
            super().__init__(f"{self.short}{rest and f'; {rest} to leave it out'}", path="inputs")
            return
        self.short = f"{table} has the column {column!r}, {why}{instead and f'; {instead}'}"
        leave = f"{rest} to leave it out, or name it there too" if rest else "name it in inputs"
        super().__init__(f"{self.short}{', or else' if instead else ';'} {leave} if it is meant", path="inputs")


def _of_truths(table: Table, columns: Mapping[str, Column]) -> tuple[str, ...]:
    """Which columns of truths are numbers now, in words."""
    names = [name for name, column in columns.items() if column.truths]
    return (f"{Path(table.name).name}: False is 0 and True is 1 in {listed(names)}",) if names else ()


def identifier(name: str) -> str:
    return f"{name} holds whole numbers, all different and rising: an identifier?"


def _without(names: list[str], inputs: tuple[str, ...]) -> str:
    rest = [name for name in inputs if name not in names]
    return f"write inputs: [{listed(list(map(flow, rest)))}]" if rest else ""


def _unnamed(name: str) -> bool:
    """As pandas writes the header of an index, and reads it back."""
    return not name or (name.startswith("Unnamed: ") and name[9:].isdecimal())


def _counts(column: Column) -> bool:
    """Does a column only count the rows?"""
    count = len(column)
    if column.codes is not None or count <= FEW or column.ends[0] not in (0, 1) or column.ends[1] != column.ends[0] + count - 1:
        return False
    return bool(np.all(column.x == np.arange(count) + column.ends[0]))


def _rises(column: Column) -> bool:
    """Does a column hold whole numbers, each above the one before?"""
    if column.codes is not None or column.days or len(column) <= FEW or column.lost:
        return False
    first, last = column.ends
    if first % 1 or last % 1 or last - first < len(column) - 1:
        return False
    x = column.x
    return bool(np.all(x[1:] > x[:-1]) and np.all(x % 1 == 0))


# ------------------------------------------------------------------------------------------ texts as columns


def number_of(text: str, decimal: str = ".") -> float | None:
    """None where a text is no number. NaN and infinities are numbers here."""
    if "_" in text or (decimal == "," and "." in text):
        return None
    try:
        return float(text.replace(",", ".") if decimal == "," else text)
    except ValueError:
        return None


def coded(texts: Sequence[str | None], missing: frozenset[str] = frozenset()) -> Column:
    """Stripped texts by their place among the distinct ones; None is missing, too."""
    known = sorted({text for text in texts if text is not None} - missing)
    place: dict[str | None, int] = {text: i for i, text in enumerate(known)}
    return Column(codes=np.array([place.get(text, -1) for text in texts], np.int64), texts=tuple(known))


def truths(column: Column) -> Column | None:
    """A column of True and False as numbers; None if it holds anything else."""
    said = {text: text.lower() for text in column.texts[:7]}
    if not said or len(column.texts) > 6 or not set(said.values()) <= {"true", "false"}:
        return None
    values = np.array([*(float(said[text] == "true") for text in column.texts), np.nan])
    assert column.codes is not None
    return Column(values[column.codes], truths=True)


def are_dates(texts: Sequence[str]) -> bool:
    """Are all texts dates such as 2020-01-31 or 31.1.2020, with a time of day or without?"""
    iso = all(len(text) >= 10 and text[4] == text[7] == "-" and text[:4].isdecimal() for text in texts)
    if not texts or not (iso or all(map(DAY_FIRST.match, texts))):
        return False
    try:
        return len(list(days(texts))) == len(texts)
    except ValueError:
        return False


def days(texts: Iterable[str]) -> Iterator[float]:
    """Days since 1970-01-01 of dates such as 2020-01-31 or 31.1.2020, with a fraction for the time of day; UTC where a time zone is given.
    Raises ValueError."""
    from datetime import UTC, datetime, timedelta  # not needed for importing

    day, naive, aware = timedelta(days=1), datetime(1970, 1, 1), datetime(1970, 1, 1, tzinfo=UTC)
    zoned = None
    for text in texts:
        found = DAY_FIRST.match(text)
        moment = datetime.fromisoformat(f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}{text[found.end() :]}" if found else text)
        if zoned is None:
            zoned = moment.tzinfo is not None
        elif zoned != (moment.tzinfo is not None):
            raise ValueError("a time zone in some rows only")
        yield (moment - (aware if zoned else naive)) / day
