"""Which rows are trained on, which validate, and which test: fractions, a column that says so, folds and bootstraps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np

from nnframe.components.markers import Range, Size
from nnframe.components.wording import shown
from nnframe.data.dataset import Dataset
from nnframe.errors import DataError, OptionError, listed

PARTS = {  # what a column may call them
    "training": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "holdout"),
}
VERBS = {"validation": "validate", "test": "test"}

Rows = np.ndarray  # of row numbers


@dataclass(frozen=True)
class Split:
    """How rows are told apart. Unless given, they are drawn one by one, of each class as many as its share.

    `column` says of each row whether it is train, validation or test. `groups` names a column whose equal values stay in one part.
    `time` names one of dates or numbers, whose last rows are held out.
    """

    column: str | None = None
    stratify: bool | None = None
    groups: str | None = None
    time: str | None = None

    def __post_init__(self) -> None:
        given = [name for name in ("column", "groups", "time") if getattr(self, name) is not None]
        if len(given) > 1:
            raise OptionError(f"expected one of column, groups and time, got {' and '.join(given)}", path=given[1])
        if self.stratify and given:
            raise OptionError(f"rows that {given[0]} tells apart cannot be drawn by class too; leave out one of them", path="stratify")

    @property
    def columns(self) -> dict[str, str]:
        """The columns that it names, by option."""
        named = {"column": self.column, "groups": self.groups, "time": self.time}
        return {option: name for option, name in named.items() if name is not None}

    @property
    def is_drawn(self) -> bool:
        """Does a seed decide?"""
        return self.column is None and self.time is None


@dataclass(frozen=True)
class CV:
    """Cross-validation: every row validates once, in one of `folds`, or those do that a resample of as many rows has left out, in each of
    `bootstraps`. `only` is the one to train on, from 0; unless given, all are, as runs of one stack."""

    folds: Annotated[int, Range(min=2)] | None = None
    bootstraps: Size | None = None
    only: Annotated[int, Range(min=0)] | None = None

    def __post_init__(self) -> None:
        if (self.folds is None) == (self.bootstraps is None):
            raise OptionError("expected one of folds and bootstraps")
        if self.only is not None and self.only >= self.count:
            raise OptionError(f"expected a number from 0 to {self.count - 1}, got {self.only}", path="only")

    @property
    def count(self) -> int:
        return self.folds or self.bootstraps or 0

    @property
    def word(self) -> str:
        return "bootstrap" if self.folds is None else "fold"

    def ratio(self, split: Split) -> float:
        """Rows to validate on per row to train on; a resample has 1 - 1/e of all rows, and by time fold i trains on i + 1 times as many."""
        if self.folds is None:
            return 1 / (np.e - 1)
        return 1 / (self.folds - 1) if split.time is None else sum(1 / (i + 1) for i in range(self.folds)) / self.folds


def by_column(data: Dataset, column: str) -> dict[str, Rows]:
    """The rows of each part, as a column says. Raises DataError for a value that names none, and if none is to train on."""
    said = [str(value).strip().lower() for value in data.columns[column]]
    part_of = {word: part for part, words in PARTS.items() for word in words}
    if unknown := [row for row, word in enumerate(said) if word not in part_of]:
        where = f"row {unknown[0]}" if data.origin is None else data.origin.at(unknown[0])
        got = shown(str(data.columns[column][unknown[0]]))
        raise DataError(f"{where}: column {column!r}: expected train, validation or test, got {got}", path="split.column")
    parts = np.array([part_of[word] for word in said])
    found = {part: np.flatnonzero(parts == part) for part in PARTS if (parts == part).any()}
    if "training" not in found:
        raise DataError(
            f"the column {column!r} says of no row that it is to train on; expected train, validation or test", path="split.column"
        )
    return found


def held_out(data: Dataset, fraction: float, rng: "np.random.Generator", split: Split, what: str = "validation") -> tuple[Rows, Rows]:
    """Row numbers of those that stay and of a `fraction` that is held out, each in the data's order. Raises DataError if either would be
    empty."""
    rows = len(data.x)
    count = round(rows * fraction)
    if not 0 < count < rows:
        told = f"leaves {rows - count} to train on and {count} to {VERBS[what]} on"
        raise DataError(f"a {what} part of {fraction:g} of {rows} rows {told}", path=what)
    if split.time is not None:
        held = _last(data, split.time, count)
    elif split.groups is not None:
        held = _some_groups(data, split.groups, count, rng)
    elif _stratifies(data, split):
        held = _some_of_each_class(data, count, rng)
    else:
        held = rng.permutation(rows)[:count]
    kept = np.setdiff1d(np.arange(rows), held)
    if not len(kept) or not len(held):
        raise DataError(f"a {what} part of {fraction:g} leaves {len(kept)} rows to train on and {len(held)} to {VERBS[what]} on", path=what)
    return kept, np.sort(held)


def folds(data: Dataset, cv: CV, rng: "np.random.Generator", split: Split) -> list[tuple[Rows, Rows]]:
    """The rows to train on and to validate on of every fold. Raises DataError for a fold without rows, and for a class that is too small
    to be in all of them."""
    if split.column is not None:
        raise DataError("folds are drawn, or follow groups or time; leave it out", path="split.column")
    if cv.folds is None:
        found = list(_bootstraps(data, cv.count, rng, split))
    else:
        rows = len(data.x)
        if rows < cv.folds:
            raise DataError(f"{rows} rows cannot make {cv.folds} folds", path="cv")
        if split.time is not None:
            return list(_forward(data, split.time, cv.folds))
        place = np.empty(rows, int)
        if split.groups is not None:
            place = _groups_to_folds(data, split.groups, cv.folds, rng)
        else:
            order = rng.permutation(rows)
            if _stratifies(data, split):
                _enough_of_each_class(data, cv.folds)
                order = order[np.argsort(data.y[order], kind="stable")]
            place[order] = np.arange(rows) % cv.folds
        found = [(np.flatnonzero(place != fold), np.flatnonzero(place == fold)) for fold in range(cv.folds)]
    if empty := [fold for fold, parts in enumerate(found) if not all(map(len, parts))]:
        raise DataError(f"fold {empty[0]} has no rows to {'train' if not len(found[empty[0]][0]) else 'validate'} on", path="cv")
    return found


def fold_of(data: Dataset, cv: CV, fold: int, rng: "np.random.Generator", split: Split) -> tuple[Dataset, Dataset]:
    """What one fold trains on and validates on.

    Folds whose training parts differ by at most one row visit as many rows an epoch as the smallest, and all have as many rows to validate
    on as the largest, filled up with some of weight 0: so they can be runs of one stack, and each is the same alone.
    """
    every = folds(data, cv, rng, split)
    sizes = [len(train) for train, _ in every]
    most = max(len(held) for _, held in every)
    train, held = every[fold]
    training = replace(data.rows(train), visited=min(sizes) if max(sizes) - min(sizes) <= 1 else len(train))
    validation = data.rows(np.concatenate([held, np.repeat(held[:1], most - len(held))]))
    if any(len(other) != most for _, other in every):
        weight = np.ones(most) if validation.weight is None else np.array(validation.weight, float)
        weight[len(held) :] = 0
        validation = replace(validation, weight=weight)
    return training, validation


# ------------------------------------------------------------------------------------------ classes


def _stratifies(data: Dataset, split: Split) -> bool:
    if split.stratify and not data.classes:
        raise DataError("the target has no classes to draw by; leave it out", path="split.stratify")
    return bool(data.classes) and split.stratify is not False


def _some_of_each_class(data: Dataset, count: int, rng: "np.random.Generator") -> Rows:
    """`count` rows, of each class as near to its share as whole rows can be; one of each class, if it has any, stays."""
    order = rng.permutation(len(data.y))
    sizes = np.bincount(data.y, minlength=len(data.classes))
    share = sizes * (count / len(order))
    taken = np.minimum(np.floor(share).astype(int), np.maximum(sizes - 1, 0))
    for number in np.argsort(-(share - taken), kind="stable").tolist() * 2:
        if taken.sum() < count and taken[number] < sizes[number] - 1:
            taken[number] += 1
    by_class = [order[data.y[order] == number][:some] for number, some in enumerate(taken.tolist())]
    return np.concatenate(by_class)


def _enough_of_each_class(data: Dataset, folds: int) -> None:
    sizes = np.bincount(data.y, minlength=len(data.classes))
    if few := [name for name, size in zip(data.classes, sizes.tolist(), strict=True) if 0 < size < folds]:
        size = int(sizes[data.classes.index(few[0])])
        told = f"the class {few[0]!r} has {size} row{'s' * (size != 1)}, too few to be in each of {folds} folds"
        raise DataError(f"{told}; take fewer folds, or write split: {{stratify: false}}", path="cv")


# ------------------------------------------------------------------------------------------ groups


def _groups(data: Dataset, column: str) -> tuple[np.ndarray, np.ndarray]:
    """The number of each row's group, and how many rows each has."""
    _, number, sizes = np.unique(data.columns[column], return_inverse=True, return_counts=True)
    if len(sizes) < 2:
        raise DataError(f"the column {column!r} has one value in all rows, so that nothing can be held out by it", path="split.groups")
    return number, sizes


def _some_groups(data: Dataset, column: str, count: int, rng: "np.random.Generator") -> Rows:
    """The rows of whole groups, as near to `count` as these come when they are gone through in a drawn order."""
    number, sizes = _groups(data, column)
    chosen: list[int] = []
    held = 0
    for group in rng.permutation(len(sizes)).tolist():
        if len(chosen) < len(sizes) - 1 and abs(held + sizes[group] - count) < abs(held - count):
            chosen.append(group)
            held += sizes[group]
    chosen = chosen or [int(sizes.argmin())]
    return np.flatnonzero(np.isin(number, chosen))


def _groups_to_folds(data: Dataset, column: str, count: int, rng: "np.random.Generator") -> np.ndarray:
    """The fold of each row: the largest groups first, each to the fold that has fewest rows."""
    number, sizes = _groups(data, column)
    if len(sizes) < count:
        raise DataError(f"the column {column!r} has {len(sizes)} values, too few for {count} folds", path="cv")
    drawn = rng.permutation(len(sizes))
    rows, fold = np.zeros(count, int), np.empty(len(sizes), int)
    for group in drawn[np.argsort(-sizes[drawn], kind="stable")].tolist():
        fold[group] = rows.argmin()
        rows[fold[group]] += sizes[group]
    return fold[number]


# ------------------------------------------------------------------------------------------ time


def _times(data: Dataset, column: str) -> np.ndarray:
    times = data.columns[column]
    if times.dtype.kind not in "iuf":
        raise DataError(f"the column {column!r} holds texts such as {shown(str(times[0]))}; expected dates or numbers", path="split.time")
    return times


def _last(data: Dataset, column: str, count: int) -> Rows:
    """The last rows, `count` of them and those of the same time as the first of these."""
    times = _times(data, column)
    return np.flatnonzero(times >= np.sort(times)[-count])


def _forward(data: Dataset, column: str, count: int) -> Iterator[tuple[Rows, Rows]]:
    """Each fold trains on all rows before those that it validates on (Tashman 2000)."""
    order = np.argsort(_times(data, column), kind="stable")
    size = len(order) // (count + 1)
    first = len(order) - size * count
    for fold in range(count):
        cut = first + fold * size
        yield np.sort(order[:cut]), np.sort(order[cut : cut + size])


# ------------------------------------------------------------------------------------------ bootstraps


def _bootstraps(data: Dataset, count: int, rng: "np.random.Generator", split: Split) -> Iterator[tuple[Rows, Rows]]:
    """Resamples with as many rows, and the rows that each has left out."""
    rows = np.arange(len(data.x))
    if split.time is not None:
        raise DataError("a bootstrap knows no order of time; take folds", path="split.time")
    strata: Sequence[np.ndarray] = [rows]
    if split.groups is not None:
        number, sizes = _groups(data, split.groups)
        members = [np.flatnonzero(number == group) for group in range(len(sizes))]
    elif _stratifies(data, split):
        strata = [np.flatnonzero(data.y == number) for number in range(len(data.classes))]
    for _ in range(count):
        if split.groups is not None:
            train = np.concatenate([members[group] for group in rng.integers(0, len(members), len(members))])
        else:
            train = np.concatenate([stratum[rng.integers(0, len(stratum), len(stratum))] for stratum in strata if len(stratum)])
        yield np.sort(train), np.setdiff1d(rows, train)


# ------------------------------------------------------------------------------------------ what is done to the training part alone


def with_label_noise(data: Dataset, share: float, rng: "np.random.Generator") -> Dataset:
    """With this share of the rows, drawn one by one, labelled as one of the other classes. Raises DataError where there are no classes."""
    if len(data.classes) < 2:
        raise DataError("expected a target of at least two classes to change labels of", path="label_noise")
    wrong = rng.random(len(data.y)) < share
    other = rng.integers(1, len(data.classes), len(data.y))
    return replace(data, y=np.where(wrong, (data.y + other) % len(data.classes), data.y))


def with_class_weights(data: Dataset, weights: Any) -> Dataset:
    """With a weight for each row by its class, times its own: "balanced" gives the rows of each class as much weight together,
    n / (k n_c)."""
    if not data.classes:
        raise DataError("the target has no classes to weigh", path="class_weights")
    sizes = np.bincount(data.y, minlength=len(data.classes))
    if weights == "balanced":
        by_class = len(data.y) / (np.count_nonzero(sizes) * np.maximum(sizes, 1))
    else:
        if unknown := [name for name in weights if name not in data.classes]:
            raise DataError(f"there is no class {unknown[0]!r}. Classes: {listed(data.classes)}.", path="class_weights")
        by_class = np.array([weights.get(name, 1.0) for name in data.classes])
    return replace(data, weight=by_class[data.y] * (1.0 if data.weight is None else data.weight))
