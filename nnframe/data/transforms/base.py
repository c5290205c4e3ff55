"""What changes inputs, or targets, before they are trained on: the base of all transforms."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np

from nnframe.components.arrays import as_numbers
from nnframe.components.component import Component, config_of
from nnframe.components.names import nearest
from nnframe.components.options import field, options
from nnframe.data.dataset import Dataset
from nnframe.data.mapped import Mapped
from nnframe.errors import DataError, listed


class Transform(Component):
    """Base: write `apply`, and `fit` if it learns anything from the training rows. Both get x (rows, ...) of the inputs that `columns`
    names; unless given, of all that it `takes`. A transform that makes other columns than it is given writes `names`, one that can also be
    used for targets `invert`. Rows are treated one by one. Columns that keep their name stay where they are, new ones stand behind all.

    What is missing is NaN: `fit` learns from what is there, `apply` hands it on. While it works, `inputs` are the names of the columns that
    it is given, `categories` the texts of each, None for one of numbers; what it learns of texts are these, and never their numbers, which
    rows that are not trained on have a part in.
    """

    slot = "transform"
    takes: ClassVar[Literal["numbers", "texts", "all"]] = "numbers"  # which columns, unless some are named; the others pass as they are
    takes_any: ClassVar[bool] = False  # may one that takes numbers be told to take columns of texts?
    fitted: ClassVar[tuple[str, ...]] = ()  # the attributes that hold what was learnt,
    fitted_lists: ClassVar[bool] = False  # as lists, one item a column, and not as arrays

    columns: tuple[str, ...] | None = field(default=None, kw_only=True)
    inputs: tuple[str, ...] = field(init=False)
    categories: tuple[tuple[str, ...] | None, ...] = field(init=False)
    _places: list[int] | None = field(default=None, init=False)  # of its columns among all, None for all
    _order: list[int] | None = field(default=None, init=False)  # of what comes out among all that went in and then what was made

    def fit(self, x: np.ndarray) -> None:
        """Learn from the training rows."""

    def fit_chunks(self, chunks: Iterator[np.ndarray]) -> None:
        """Learn from training rows that are too many to hold at once. Raises DataError unless overridden, or nothing is learnt."""
        if not self.fitted:
            for part in chunks:
                self.fit(part)
            return
        raise DataError(f"{type(self).__name__} needs all rows at once, and these stay in their file, as they are too many")

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Transformed columns, a new array."""
        raise NotImplementedError

    def invert(self, y: np.ndarray) -> np.ndarray:
        """What `apply` was given, from what it gave: (..., columns). Raises DataError unless overridden."""
        raise DataError(f"{type(self).__name__} cannot be undone, so it is none for targets")

    def names(self) -> tuple[str, ...]:
        """The names of the columns that `apply` gives; unless overridden, those that it is given."""
        return self.inputs

    def kept_categories(self) -> dict[str, tuple[str, ...]]:
        """The texts of those columns that `apply` gives which still hold texts."""
        return {name: texts for name, texts in zip(self.inputs, self.categories, strict=False) if texts is not None}

    # ------------------------------------------------------------------------------------------ what data sources call

    def fit_to(self, data: Dataset) -> None:
        """Choose its columns among those of the training part, and learn from that. Raises DataError."""
        self._choose(data)
        if isinstance(data.x, Mapped):
            if type(self).fit is not Transform.fit:
                self.fit_chunks(self._chosen(part) for part in data.x.chunks())
        else:
            self.fit(self._chosen(data.x))
        self._lay_out(data)

    def on(self, data: Dataset) -> Dataset:
        """The data with its columns transformed. Raises DataError for values that it cannot transform."""
        self.categories = tuple(data.categories.get(name) for name in self.inputs)
        made = self.names()
        x = data.x.then(self._on_array) if isinstance(data.x, Mapped) else self._on_array(data.x)
        inputs = made if self._order is None else tuple((*data.inputs, *made)[i] for i in self._order)
        others = {name: texts for name, texts in data.categories.items() if name not in self.inputs}
        return replace(data, x=x, inputs=inputs, categories=others | self.kept_categories())

    def undone(self, y: np.ndarray) -> np.ndarray:
        """Targets (..., m), or outputs, as they were before their columns were transformed."""
        if self._places is None:
            return self.invert(y)
        whole = np.array(y)
        whole[..., self._places] = self.invert(y[..., self._places])
        return whole

    def record(self) -> dict[str, Any]:
        """All that says what it does to a row, as plain data for the run's record: its options, columns, and what was learnt."""
        given = {name: value for name, value in config_of(self).items() if name != "columns"}
        columns = {} if self._places is None and self.columns is None else {"columns": list(self.inputs)}
        learnt = {name: getattr(self, name) for name in self.fitted}
        narrow = any(getattr(value, "dtype", None) == np.float32 for value in learnt.values())
        return given | columns | {name: _plain(value) for name, value in learnt.items()} | ({"dtype": "float32"} if narrow else {})

    @classmethod
    def recalled(cls, record: Mapping[str, Any], data: Dataset) -> "Transform":
        """The transform of which `record` was made, for rows like those of `data`. Raises OptionError, DataError or KeyError for a record
        that is none, or of another transform."""
        made = cls(**{name: record[name] for name in options(cls) if name in record})
        made._choose(data)
        for name in cls.fitted:
            value = record[name]
            if isinstance(value, list) and not cls.fitted_lists:
                value = as_numbers(value, name)
                value = value.astype(np.float32) if value.dtype.kind == "f" and record.get("dtype") == "float32" else value
            setattr(made, name, value)
        made._lay_out(data)
        return made

    def at(self, place: int) -> str:
        """The start of a message: `column 'a': `, or nothing where columns have no names."""
        return f"column {self.inputs[place]!r}: " if place < len(self.inputs) else ""

    def missing_in(self, x: np.ndarray) -> np.ndarray | None:
        """Where numbers are missing, None if nowhere. Raises DataError for a column of which all are: nothing can be learnt from that."""
        if x.dtype.kind != "f":
            return None
        missing = np.isnan(x)
        if missing.any():
            if (empty := missing.all(0)).any():
                raise DataError(f"{self.at(int(np.argwhere(empty)[0, 0]))}all values of the training part are missing; leave it out")
            return missing
        return None

    def _choose(self, data: Dataset) -> None:
        texts = data.categories
        if self.columns is not None:
            if not self.columns or len(set(self.columns)) < len(self.columns):
                raise DataError(f"expected at least one column, each once, got {listed(self.columns) or 'none'}", path="columns")
            if missing := [name for name in self.columns if name not in data.inputs]:
                known = f"Inputs: {listed(data.inputs)}." if data.inputs else "The inputs have no names."
                raise DataError(f"there is no input {missing[0]!r}.{nearest(missing[0], data.inputs)} {known}", path="columns")
            places = [data.inputs.index(name) for name in self.columns]
        elif self.takes == "all" or (self.takes == "numbers" and not texts):
            places = list(range(len(data.inputs)))
        else:
            places = [i for i, name in enumerate(data.inputs) if (name in texts) == (self.takes == "texts")]
            if not places:
                hint = "say which columns it is for" if self.takes == "texts" else "leave it out, or write it behind what makes some"
                raise DataError(f"there is no input of {self.takes}; {hint}", path="columns")
        every = places == list(range(len(data.inputs)))
        self._places = None if every else places
        self.inputs = data.inputs if every else tuple(data.inputs[i] for i in places)
        self.categories = tuple(texts.get(name) for name in self.inputs)
        if self.takes == "numbers" and not self.takes_any and any(texts is not None for texts in self.categories):
            name = next(name for name, texts in zip(self.inputs, self.categories, strict=True) if texts is not None)
            raise DataError(f"the column {name!r} holds texts; write OneHot or Ordinal before it, or leave it out", path="columns")

    def _chosen(self, x: np.ndarray) -> np.ndarray:
        return x if self._places is None else x[:, self._places]

    def _lay_out(self, data: Dataset) -> None:
        """Where what it makes will stand. Raises DataError for a name that is there already."""
        made, count = self.names(), len(data.inputs)
        self._order = None
        if self._places is None and made == data.inputs:
            return
        new = [name for name in made if name not in self.inputs]
        others = {name for i, name in enumerate(data.inputs) if self._places is not None and i not in self._places}
        if twice := [name for i, name in enumerate(made) if name in others or name in made[:i]]:
            raise DataError(f"there would be two columns {twice[0]!r}; rename one")
        own = set(self.inputs)
        kept = [i if name not in own else count + made.index(name) for i, name in enumerate(data.inputs) if name not in own or name in made]
        self._order = [*kept, *(count + made.index(name) for name in new)]

    def _on_array(self, x: np.ndarray) -> np.ndarray:
        if self._order is None:
            return self.apply(x)
        made = self.apply(self._chosen(x))
        return np.take(np.concatenate([x, made], 1), self._order, 1)


def floating(x: np.ndarray) -> np.ndarray:
    """Numbers as they are, integers as float64."""
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def like(x: np.ndarray, made: np.ndarray) -> np.ndarray:
    """What was made of numbers, as wide as these are."""
    return made.astype(x.dtype, copy=False) if x.dtype.kind == "f" else made


def _plain(value: Any) -> Any:
    """What was learnt as plain data: tuples are lists, NumPy's numbers Python's."""
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
