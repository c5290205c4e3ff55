"""What stands for values that are missing."""

from dataclasses import KW_ONLY
from typing import Any, Literal

import numpy as np

from nnframe.components.component import register
from nnframe.data.transforms.base import Transform, floating
from nnframe.errors import DataError, OptionError


@register
class Impute(Transform):
    """What is missing becomes the mean, median or most frequent value of the training rows, or the constant `value`; of equally frequent
    ones the least. By default in all columns of numbers; columns of texts, if `columns` names them, take their most frequent text, or a
    constant one.

    With `indicator`, a column `a missing` of 0 and 1 is added for each column that misses a value in the training rows.
    """

    takes_any = True
    fitted = ("fill", "marked")
    fitted_lists = True

    strategy: Literal["mean", "median", "most_frequent", "constant"] = "mean"
    _: KW_ONLY
    value: float | str = 0.0
    indicator: bool = False

    def __post_init__(self) -> None:
        if self.strategy != "constant" and self.value != 0:
            raise OptionError("is for strategy: constant; leave it out", path="value")

    def names(self) -> tuple[str, ...]:
        return (*self.inputs, *(f"{self.inputs[place]} missing" for place in self.marked))

    def kept_categories(self) -> dict[str, tuple[str, ...]]:
        return {name: self._texts(place) for place, name in enumerate(self.inputs) if self.categories[place] is not None}

    def fit(self, x: np.ndarray) -> None:
        x = floating(x)
        if self.indicator and not self.inputs:
            raise DataError("only columns with names can be marked", path="indicator")
        if self.strategy != "constant":
            self.missing_in(x)
        flat = x.reshape(len(x), -1)
        self.fill = [self._of(column, place) for place, column in enumerate(flat.T)]
        self.marked = np.flatnonzero(np.isnan(flat).any(0)).tolist() if self.indicator else []

    def apply(self, x: np.ndarray) -> np.ndarray:
        x = floating(x)
        fill = np.array([self._number(place, value) for place, value in enumerate(self.fill)], x.dtype).reshape(x.shape[1:])
        missing = np.isnan(x)
        filled = np.where(missing, fill, x)
        return np.concatenate([filled, missing[:, self.marked].astype(x.dtype)], 1) if self.marked else filled

    def _of(self, column: np.ndarray, place: int) -> Any:
        """What is put into a column: a number, or a text."""
        texts = self._known(place)
        if self.strategy == "constant":
            if isinstance(self.value, str) != (texts is not None):
                kind = "numbers" if texts is None else "texts"
                raise DataError(f"{self.at(place)}the column holds {kind}, but {self.value!r} is none of them", path="value")
            return self.value
        there = column[~np.isnan(column)]
        if texts is not None:
            if self.strategy != "most_frequent":
                raise DataError(f"{self.at(place)}texts have no {self.strategy}; write most_frequent", path="strategy")
            counts = np.bincount(there.astype(int), minlength=len(texts))
            return min(texts[i] for i in np.flatnonzero(counts == counts.max()))
        if self.strategy == "most_frequent":
            values, counts = np.unique(there, return_counts=True)
            return float(values[counts.argmax()])
        return float(there.mean() if self.strategy == "mean" else np.median(there))

    def _known(self, place: int) -> tuple[str, ...] | None:
        return self.categories[place] if place < len(self.categories) else None

    def _texts(self, place: int) -> tuple[str, ...]:
        """A column's texts, with what is put in behind them if it is none."""
        texts, fill = self._known(place) or (), self.fill[place]
        return texts if fill in texts else (*texts, fill)

    def _number(self, place: int, value: Any) -> float:
        return self._texts(place).index(value) if isinstance(value, str) else value
