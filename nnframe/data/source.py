"""Where data comes from: the base of all data sources, and what they have in common."""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np

from nnframe.components.component import Component
from nnframe.components.markers import Fraction, NonNegative, Range
from nnframe.components.names import closest, nearest, unit_hint
from nnframe.components.options import field, options
from nnframe.components.wording import shown
from nnframe.data.augmentations.base import Augmentation
from nnframe.data.dataset import Dataset
from nnframe.data.mapped import Mapped
from nnframe.data.mending import Lacking
from nnframe.data.splits import CV, Split, by_column, fold_of, held_out, with_class_weights, with_label_noise
from nnframe.data.transforms.base import Transform
from nnframe.errors import ColumnsError, DataError, FileError, OptionError, UsageError, listed
from nnframe.streams import generator

Part = Annotated[float, Range(above=0, below=1)]
SplitSeed = Annotated[int, Range(min=0, max=2**63 - 1)]
MANY = 20  # unknown names to look at
BESIDES = (  # options that the data that are trained on have for all parts
    "transforms", "target_transforms", "augment", "validation", "test", "cv", "split", "split_seed", "label_noise", "class_weights",
)  # fmt: skip


@dataclass(eq=False, repr=False)
class PreparedData:
    """Data ready to train on: split, and transformed by transforms that were fitted on the training part."""

    training: Dataset
    validation: Dataset | None
    transforms: tuple[Transform, ...]
    test: Dataset | None = None  # unless it was left alone
    raw: Dataset | None = None  # a row as it was before transforms, for the names and texts of inputs

    def inputs_of(self, row: Mapping[str, Any]) -> np.ndarray:
        """One row of named inputs, transformed: (inputs,). Raises DataError for a missing or unknown name, and for a text that no transform
        takes."""
        raw = self.raw or self.training
        names = raw.inputs
        _refuse_row(row, raw)
        texts = {name: (*known, *{_text(row[name])}.difference(known)) for name, known in raw.categories.items()}
        x = np.array([texts[name].index(_text(row[name])) if name in texts else row[name] for name in names], np.float64)
        data = replace(raw, x=x[None].astype(np.result_type(raw.x.dtype, np.float64)), categories=texts, origin=None)
        for transform in self.transforms:
            data = transform.on(data)
        data.refuse_missing()
        return data.x[0]


def _refuse_row(row: Mapping[str, Any], raw: Dataset) -> None:
    """Raise DataError with all names of a row of inputs that are unknown or missing, or else all texts that stand for numbers."""
    names = raw.inputs
    unknown = [name for name in row if name not in names]
    meant = {closest(name, names) for name in unknown[:MANY]}
    missing = [repr(name) for name in names if name not in row and name not in meant]
    needs = f"needs a value for {'the input' if len(missing) == 1 else 'each of the inputs'} {listed(missing)}." if missing else ""
    if unknown:
        nor = f" Nor has it {listed([repr(name) for name in unknown[1:]])}." if unknown[1:] else ""
        known = f"{nearest(unknown[0], names)}{nor}{needs and f' It {needs}'} Inputs: {listed(names)}."
        raise DataError(f"the data has no input {unknown[0]!r}.{known}", path=unknown[0])
    if missing:
        raise DataError(f"{needs} Inputs: {listed(names)}.")
    texts = {name: value for name, value in row.items() if name not in raw.categories and isinstance(value, str)}
    if texts:
        from nnframe.components.hints import hint  # only needed once something went wrong

        (first, told), *others = ((name, f"expected a number, got {shown(value)}{hint(float, value)}") for name, value in texts.items())
        also = "".join(f"; {name!r}: {message}" for name, message in others)
        raise DataError(told + also, path=first)


def _text(value: Any) -> str:
    """A value of a column of texts: 3.0 is what the file has as 3."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


class Source(Component):
    """Base of all data sources: write `read`.

    `test` is a fraction of the rows, or a source of its own, for what has been chosen; `validation` one of those that are left, or instead
    of it `cv` makes folds of them. Rows are drawn by streams "test split", "split" and "folds" of `split_seed` or else the run's seed, as
    `split` says. Then the training part alone gets `label_noise`, the share of rows with a wrong class (stream "label noise"), and
    `class_weights`. `transforms`, and `target_transforms` for numbers, are applied to all parts in their order, fitted on the training
    part; predictions and metrics are in the units that targets came in. `augment` changes every batch that is trained on.
    """

    slot = "data source"

    transforms: tuple[Transform, ...] = field(default=(), kw_only=True)
    target_transforms: tuple[Transform, ...] = field(default=(), kw_only=True)
    augment: tuple[Augmentation, ...] = field(default=(), kw_only=True)
    validation: "Part | Source | None" = field(default=None, kw_only=True)
    test: "Part | Source | None" = field(default=None, kw_only=True)
    cv: Annotated[int, Range(min=2)] | CV | None = field(default=None, kw_only=True)
    split: Split = field(default_factory=Split, kw_only=True)
    split_seed: SplitSeed | None = field(default=None, kw_only=True)
    label_noise: Fraction = field(default=0.0, kw_only=True)
    class_weights: Literal["balanced"] | dict[str, NonNegative] | None = field(default=None, kw_only=True)

    def _made(self) -> None:
        if self.cv is not None and self.validation is not None:
            raise OptionError("cv holds out rows by itself; leave one of them out", path="validation")
        if self.split.column is not None:
            for name in ("validation", "test", "cv"):
                if isinstance(getattr(self, name), (float, int, CV)):
                    raise OptionError(f"the column {self.split.column!r} of split says which rows these are; leave it out", path=name)

    @property
    def folds(self) -> CV | None:
        """`cv` with all that it says."""
        return CV(self.cv) if isinstance(self.cv, int) else self.cv

    @property
    def all_folds(self) -> CV | None:
        """`cv`, unless it says `only` one."""
        return None if self.folds is None or self.folds.only is not None else self.folds

    @property
    def given_for_all(self) -> tuple[str, ...]:
        """Those of the options for all parts that are given."""
        return tuple(name for name in BESIDES if getattr(self, name) != options(Source)[name].value())

    @property
    def split_varies(self) -> bool:
        """Does the seed of a run draw which rows it trains on?"""
        drawn = self.cv is not None or any(isinstance(part, float) for part in (self.validation, self.test))
        return drawn and self.split_seed is None and self.split.is_drawn

    @property
    def varies(self) -> bool:
        """Does the seed of a run decide anything of the data that it trains on?"""
        inner = (part.varies for part in (self.validation, self.test) if isinstance(part, Source))
        return self.split_varies or (self.label_noise > 0 and self.split_seed is None) or self.of_seed(0) is not self or any(inner)

    def of_seed(self, seed: int) -> "Source":
        """The source as a run of this seed reads it; itself, unless the run's seed draws rows or noise."""
        return self

    def read(self) -> Dataset:
        """All rows, as they are. Raises FileError or DataError with file, line and column."""
        raise NotImplementedError

    def load(self) -> Dataset:
        """All rows, as they are. Raises UsageError where the options say more, which is for `prepare` to do."""
        if (left_out := self.given_for_all) and type(self).load is Source.load:
            raise UsageError(
                f"load() gives the rows as they are, without {' and '.join(left_out)}; call prepare(seed)", path=type(self).__name__
            )
        return self.read()

    def _rows(self) -> Dataset:
        """What `read` gives, or `load` in a source that writes that."""
        return self.read() if type(self).load is Source.load else self.load()

    def prepare(
        self, seed: int, load: "Callable[[Source], Dataset] | None" = None, *, test: bool = False, fold: int | None = None
    ) -> PreparedData:
        """Read, split and transform; the test part only if `test` asks for it, otherwise its rows are left out and its source is not read.

        With `cv` the data of one `fold`, which must be given unless the options say `only`. `load` stands in for `read` where rows are
        already at hand. Raises FileError or DataError.
        """
        return self.transformed(self.split_rows(seed, load, test=test, fold=fold))

    def split_rows(
        self, seed: int, load: "Callable[[Source], Dataset] | None" = None, *, test: bool = False, fold: int | None = None
    ) -> dict[str, Dataset]:
        """The rows to train on, to validate on and to test on, by name, which `transformed` makes ready."""
        load, own_seed = load or Source._rows, seed
        seed = seed if self.split_seed is None else self.split_seed
        data = load(self.of_seed(own_seed))
        if data.classes and data.y.ndim == 1 and len(data.y) > 1 and (data.y == data.y[0]).all():
            only = data.classes[data.y[0]]
            raise DataError(
                f"the target has one class only, {only!r}, in all {len(data.y)} rows, so that there is nothing to learn", path="target"
            )
        held = self._told_apart(data, seed, fold)
        data = held.pop("training")
        for name, part in (("test", self.test), ("validation", self.validation)):
            if isinstance(part, Source):
                if given := part.given_for_all:
                    raise DataError("is of the data that are trained on: write it there, and leave it out here", path=f"{name}.{given[0]}")
                try:
                    if name == "validation" or test:
                        held[name] = _like(data, load(part.of_seed(own_seed)))
                    elif isinstance(path := getattr(part, "path", None), Path):
                        regular_file(path)  # that it is missing is found out now, and not when all has been trained
                except (DataError, FileError) as error:
                    raise error.within(name) from None
        if not test:
            held.pop("test", None)
        if self.label_noise:
            data = with_label_noise(data, self.label_noise, generator(seed, "label noise"))
        if self.class_weights is not None:
            data = with_class_weights(data, self.class_weights)
        return {"training": data} | held

    def _told_apart(self, data: Dataset, seed: int, fold: int | None) -> dict[str, Dataset]:
        """What is trained on, and what of the same rows is held out."""
        for option, name in self.split.columns.items():
            if name not in data.columns:
                known = f" Columns: {listed(data.inputs)}." if data.inputs else ""
                raise DataError(f"the data has no column {name!r} to split by.{nearest(name, data.inputs)}{known}", path=f"split.{option}")
        if self.split.column is not None:
            return {part: data.rows(rows) for part, rows in by_column(data, self.split.column).items()}
        held: dict[str, Dataset] = {}
        for name, part, stream in (("test", self.test, "test split"), ("validation", self.validation, "split")):
            if isinstance(part, float):
                kept, out = held_out(data, part, generator(seed, stream), self.split, name)
                data, held[name] = data.rows(kept), data.rows(out)
        if (cv := self.folds) is not None:
            fold = cv.only if fold is None else fold
            if fold is None:
                raise UsageError(f"cv makes {cv.count} sets of rows; say which one with `fold`, or with cv: {{only: ...}}")
            data, held["validation"] = fold_of(data, cv, fold, generator(seed, "folds"), self.split)
        return {"training": data} | held

    def transformed(self, parts: dict[str, Dataset]) -> PreparedData:
        """All parts, by transforms that are fitted to the one that is trained on. Raises DataError."""
        try:
            return self._transformed(parts)
        except DataError as error:
            raise self._lacking(parts) or error from None

    def _lacking(self, parts: dict[str, Dataset]) -> DataError | None:
        """What columns of texts or with empty cells lack, if that is more than one thing."""
        training = parts["training"]
        if training.x.ndim != 2 or any(isinstance(part.x, Mapped) for part in parts.values()):
            return None
        lost = np.any([np.isnan(part.x).any(0) for part in parts.values()], 0)
        gaps = [name for name, missing in zip(training.inputs, lost, strict=False) if missing]
        lacking = Lacking(self.transforms, training.categories, gaps)
        return ColumnsError(each, f"Write {lacking.mend}") if len(each := lacking.errors()) > 1 else None

    def _transformed(self, parts: dict[str, Dataset]) -> PreparedData:
        raw = replace(parts["training"].rows(slice(1)), visited=None)
        transforms, of_targets = deepcopy(self.transforms), deepcopy(self.target_transforms)
        with np.errstate(all="ignore"):  # what is not finite is refused below
            for i, transform in enumerate(transforms):
                try:
                    transform.fit_to(parts["training"])
                    parts = {name: transform.on(part) for name, part in parts.items()}
                except DataError as error:
                    if (held := parts["training"].categories) and error.path in ("columns", "by") and transform.columns is None:
                        name = next(iter(held))
                        error.message += f"; the column {name!r} holds texts ({listed(held[name], 5)})"
                    raise error.within(f"transforms.{i}") from None
            for i, transform in enumerate(of_targets):
                try:
                    parts = _with_target(parts, transform)
                except DataError as error:
                    raise error.within(f"target_transforms.{i}") from None
        if of_targets:
            parts = {name: replace(part, undo=Undo(of_targets)) for name, part in parts.items()}
        for name, part in parts.items():
            if part.categories:
                raise _texts_left(part, raw.inputs)
            try:
                part.refuse_missing()
            except DataError as error:
                raise (error if name == "training" or not isinstance(getattr(self, name), Source) else error.within(name)) from None
        return PreparedData(parts["training"], parts.get("validation"), transforms, parts.get("test"), raw)


def _texts_left(part: Dataset, inputs: tuple[str, ...]) -> DataError:
    """That columns hold texts, which nothing has encoded; `inputs` as they were read."""
    where = "" if part.origin is None else f"{part.origin.name}: "
    (first, texts), *others = part.categories.items()
    also = f", and so {'do' if others[1:] else 'does'} {listed([repr(name) for name, _ in others])}" if others else ""
    rest = [name for name in inputs if name not in part.categories]
    it, leave = ("them" if others else "it"), f"inputs: [{', '.join(rest) if 0 < len(rest) <= MANY else '...'}]"
    told = f"{where}the column {first!r} holds texts ({listed(texts, 5)}){also}; write transforms: [OneHot] to encode {it}"
    return DataError(f"{told}, or leave {it} out with {leave}{unit_hint(texts)}", path="inputs")


@dataclass(frozen=True)
class Undo:
    """From targets, or outputs, back to the units that targets came in: (..., rows, m) to the same, in float64."""

    transforms: tuple[Transform, ...]

    def __call__(self, y: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            y = np.asarray(y, np.float64)
            for transform in reversed(self.transforms):
                y = transform.undone(y)
            return y

    def take(self, rows: Any) -> "Undo":
        """The same for some runs of a stack."""
        return self


def _with_target(parts: dict[str, Dataset], transform: Transform) -> dict[str, Dataset]:
    """All parts with their targets transformed. Raises DataError where these are classes, or the transform is not for targets."""
    training = parts["training"]
    if training.classes or training.y.ndim != 2:
        raise DataError("the target is no columns of numbers; only these can be transformed")
    as_inputs = {name: Dataset(part.y, part.y, inputs=part.targets) for name, part in parts.items()}
    transform.fit_to(as_inputs["training"])
    found = {name: transform.on(part).x for name, part in as_inputs.items()}
    transform.undone(found["training"][:1])  # raises if it cannot
    if not all(np.isfinite(y).all() for y in found.values()):
        raise DataError(f"{transform!r} gives targets that are not finite")
    return {name: replace(part, y=found[name]) for name, part in parts.items()}


def _like(data: Dataset, other: Dataset) -> Dataset:
    """`other`, if it has the inputs and classes of `data`; with texts numbered as they are there, new ones behind. Raises DataError."""
    if other.inputs != data.inputs or other.x.shape[1:] != data.x.shape[1:]:
        raise DataError(f"expected inputs {listed(data.inputs)}, got {listed(other.inputs)}{_other_inputs(data, other)}")
    if other.classes != data.classes:
        raise DataError(f"expected classes {listed(data.classes)}, got {listed(other.classes)}; {_other_classes(data, other)}")
    if other.categories == data.categories:
        return other
    if other.categories.keys() != data.categories.keys():
        name = min(other.categories.keys() ^ data.categories.keys())
        kinds = [f"{'texts' if name in part.categories else 'numbers'}" for part in (data, other)]
        raise DataError(f"expected {kinds[0]} in the column {name!r}, as in what is trained on, got {kinds[1]}")
    x, categories = np.array(other.x), {}
    for name, texts in other.categories.items():
        known = (*data.categories[name], *(text for text in texts if text not in data.categories[name]))
        place, column = data.inputs.index(name), np.array([*(known.index(text) for text in texts), np.nan])
        number = np.where(np.isnan(x[:, place]), len(texts), x[:, place]).astype(int)
        x[:, place], categories[name] = column[number], known
    return replace(other, x=x, categories=categories)


def _other_inputs(data: Dataset, other: Dataset) -> str:
    """What to do about inputs that are not those of the data that are trained on."""
    lacks, more = ([name for name in a.inputs if name not in b.inputs] for a, b in ((data, other), (other, data)))
    name = "the file" if other.origin is None else Path(other.origin.name).name
    told = f"; {name} lacks {listed([repr(name) for name in lacks])}" if lacks else ""
    if more:
        told += f"; {listed([repr(name) for name in more])} {'are' if more[1:] else 'is'} not trained on"
    if not lacks and data.inputs:
        told += f"; write inputs: [{listed(data.inputs)}] there"
    return told


def _other_classes(data: Dataset, other: Dataset) -> str:
    """What to do about classes that are not those of the data that are trained on."""
    new = [name for name in other.classes if name not in data.classes]
    if new and data.classes:
        told = f"{listed(new)} {'are' if new[1:] else 'is'} not in the rows to train on"
        return f"{told}; name them in `classes` of both, or leave those rows out"
    target = f"{{column: {other.targets[0]}, classes: [{listed(data.classes)}]}}" if other.targets and data.classes else ""
    return "name them in `classes`" + (f": write target: {target} there" if target else "")


def regular_file(path: Path) -> Path:
    """`path`, if it is a file that can be read. Raises FileError if it is missing, a folder or a device."""
    try:
        if not path.exists():
            raise FileError(f"there is no file {path}{_instead(path)}")
        if not path.is_file():
            raise FileError(f"{path} is not a regular file")
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"cannot read {str(path)[:200]}: {getattr(error, 'strerror', None) or error}") from None
    return path


def _instead(path: Path) -> str:
    """What may have been meant by a path to nothing."""
    if re.search(r"(^|/)[a-z][a-z0-9+]+:/", path.as_posix()):
        return "; a config fetches nothing: download it, and write where it is"
    if "\\" in path.name:
        return "; write / between folders"
    if not path.parent.is_dir():
        return f"; there is no folder {path.parent}"
    entries = list(path.parent.iterdir())
    below = [f"{entry.name}/{path.name}" for entry in entries[:100] if entry.is_dir() and (entry / path.name).is_file()]
    return f". Did you mean {below[0]!r}?" if below else f".{nearest(path.name, [entry.name for entry in entries])}"
