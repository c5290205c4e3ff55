"""What changes inputs, or targets, before they are trained on: the base of all transforms."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np

from nnframe.components.component import Component
from nnframe.components.names import nearest
from nnframe.components.options import field
from nnframe.data.dataset import Dataset
from nnframe.data.mapped import Mapped
from nnframe.errors import DataError, listed


class Transform(Component):
    """Base: write `apply`, and `fit` if it learns anything from the training rows. Both get x (rows, ...) of the inputs that `columns`
    names; unless given, of all that it `takes`. A transform that makes other columns than it is given writes `names`, one that can also be
    used for targets `invert`. Rows are treated one by one.

    While it works, `inputs` are the names of the columns that it is given, `categories` the texts of each, None for one of numbers.
    """

    slot = "transform"
    takes: ClassVar[Literal["numbers", "texts", "all"]] = "numbers"  # which columns, unless some are named; the others pass as they are
    fitted: ClassVar[tuple[str, ...]] = ()  # the attributes that hold what was learnt

    columns: tuple[str, ...] | None = field(default=None, kw_only=True)
    inputs: tuple[str, ...] = field(init=False)
    categories: tuple[tuple[str, ...] | None, ...] = field(init=False)
    _places: list[int] | None = field(default=None, init=False)  # of its columns among all, None for all

    def fit(self, x: np.ndarray) -> None:
        """Learn from the training rows."""

    def fit_chunks(self, chunks: Iterator[np.ndarray]) -> None:
        """Learn from training rows that are too many to hold at once. Raises DataError unless overridden."""
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

    def on(self, data: Dataset) -> Dataset:
        """The data with its columns transformed. New ones stand behind all others."""
        x = data.x.then(self._on_array) if isinstance(data.x, Mapped) else self._on_array(data.x)
        if self._places is None:
            inputs: tuple[str, ...] = self.names()
        else:
            made = self.names()
            if len(made) == len(self.inputs):
                named = dict(zip(self._places, made, strict=True))
                inputs = tuple(named.get(i, name) for i, name in enumerate(data.inputs))
            else:
                inputs = (*(name for i, name in enumerate(data.inputs) if i not in self._places), *made)
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
        """What was learnt, as plain data for the run's record."""
        learnt = {name: getattr(self, name) for name in self.fitted}
        plain = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in learnt.items()}
        return {"type": type(self).__name__} | ({} if self._places is None else {"columns": list(self.inputs)}) | plain

    def _choose(self, data: Dataset) -> None:
        texts = data.categories
        if self.columns is not None:
            if missing := [name for name in self.columns if name not in data.inputs]:
                known = f"Inputs: {listed(data.inputs)}." if data.inputs else "The inputs have no names."
                raise DataError(f"there is no input {missing[0]!r}.{nearest(missing[0], data.inputs)} {known}", path="columns")
            places = [data.inputs.index(name) for name in self.columns]
        elif self.takes == "all" or (self.takes == "numbers" and not texts):
            places = list(range(len(data.inputs)))
        else:
            places = [i for i, name in enumerate(data.inputs) if (name in texts) == (self.takes == "texts")]
            if not places and self.takes == "texts":
                raise DataError("there is no input of texts; say which columns it is for", path="columns")
        every = places == list(range(len(data.inputs)))
        self._places = None if every else places
        self.inputs = data.inputs if every else tuple(data.inputs[i] for i in places)
        self.categories = tuple(texts.get(name) for name in self.inputs)
        if self.takes == "numbers" and any(texts is not None for texts in self.categories):
            name = next(name for name, texts in zip(self.inputs, self.categories, strict=True) if texts is not None)
            raise DataError(f"the column {name!r} holds texts; write OneHot or Ordinal before it, or leave it out", path="columns")

    def _chosen(self, x: np.ndarray) -> np.ndarray:
        return x if self._places is None else x[:, self._places]

    def _on_array(self, x: np.ndarray) -> np.ndarray:
        if self._places is None:
            return self.apply(x)
        if not self._places:
            return x
        made = self.apply(x[:, self._places])
        if made.shape[1] == len(self._places):
            whole = x.astype(np.result_type(x, made))
            whole[:, self._places] = made
            return whole
        rest = [i for i in range(x.shape[1]) if i not in self._places]
        return np.concatenate([x[:, rest], made], axis=1)
