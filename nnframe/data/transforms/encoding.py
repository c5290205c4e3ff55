"""Transforms of texts, and of other values that are names, into numbers."""

from typing import Any, Literal

import numpy as np

from nnframe.components.component import register, written
from nnframe.components.names import nearest
from nnframe.data.transforms.base import Transform, floating
from nnframe.data.transforms.missing import Impute
from nnframe.errors import DataError, listed


class Encoding(Transform):
    """Base of encodings of columns by the distinct `values` that the training rows have there, sorted: texts, or numbers of a column that
    `columns` names."""

    takes = "texts"
    fitted = ("values",)
    fitted_lists = True
    allows = ""  # what to write so that other values are taken

    def fit(self, x: np.ndarray) -> None:
        self.missing_in(x)
        self.values = [self._distinct(column, texts) for column, texts in zip(x.T, self.categories, strict=True)]

    def kept_categories(self) -> dict[str, tuple[str, ...]]:
        return {}

    def places(self, x: np.ndarray, place: int, strict: bool) -> np.ndarray:
        """The index among the column's values of each row, -1 for other values. Raises DataError for these if `strict`."""
        column, texts, known = x[:, place], self.categories[place], self.values[place]
        there = ~np.isnan(column)
        if texts is None:
            at = np.searchsorted(known, column)
            found = np.where(np.append(known, np.nan)[np.minimum(at, len(known))] == column, at, -1)
        else:
            index = {text: i for i, text in enumerate(known)}
            found = np.append([index.get(text, -1) for text in texts], -1)[np.where(there, column, len(texts)).astype(int)]
        if strict and (unknown := np.flatnonzero((found < 0) & there)).size:
            value = column[unknown[0]]
            got = repr(texts[int(value)][:60]) if texts is not None else _shown(value)
            told = f"{got} is not in the training part, which has {listed(list(map(_shown, known)))}"
            hint = "" if texts is None else nearest(texts[int(value)], known)
            raise DataError(f"{self.at(place)}{told}.{hint} Write {self.allows} to take others too.")
        return found

    def _distinct(self, column: np.ndarray, texts: tuple[str, ...] | None) -> list[Any]:
        values = np.unique(column[~np.isnan(column)]).tolist()
        return values if texts is None else sorted(texts[int(value)] for value in values)


@register
class OneHot(Encoding):
    """A column of 0 and 1 for each distinct value of the training rows, `color=red`, in their order; by default of all columns of texts.

    Another value, or none, is an error, or gives zeros alone.
    """

    unknown: Literal["error", "zeros"] = "error"

    allows = "unknown: zeros"

    def names(self) -> tuple[str, ...]:
        return tuple(f"{name}={_shown(value)}" for name, values in zip(self.inputs, self.values, strict=True) for value in values)

    def apply(self, x: np.ndarray) -> np.ndarray:
        x, strict = floating(x), self.unknown == "error"
        if strict and np.isnan(x).any():
            place = int(np.argwhere(np.isnan(x).any(0))[0, 0])
            fill = "Impute" if self.categories[place] is None else written(Impute("most_frequent", columns=(self.inputs[place],)))
            raise DataError(f"{self.at(place)}a value is missing; write {fill} before it, or unknown: zeros")
        every = [self.places(x, place, strict)[:, None] == np.arange(len(values)) for place, values in enumerate(self.values)]
        return np.concatenate(every, 1).astype(x.dtype) if every else x


@register
class Ordinal(Encoding):
    """Numbers from 0 for the distinct values of the training rows, sorted, or for those that `order` lists: {size: [small, medium, large]};
    by default of all columns of texts. What is missing stays so.

    Another value is an error, or becomes the number `unknown`, as scikit-learn's unknown_value: -1 is usual.
    """

    order: dict[str, tuple[str, ...]] | None = None
    unknown: Literal["error"] | float = "error"

    allows = "unknown: -1"

    def fit(self, x: np.ndarray) -> None:
        super().fit(x)
        for name, values in (self.order or {}).items():
            if name not in self.inputs:
                raise DataError(
                    f"there is no such input here.{nearest(name, self.inputs)} Inputs: {listed(self.inputs)}.", path=f"order.{name}"
                )
            place = self.inputs.index(name)
            if self.categories[place] is None:
                raise DataError("the column holds numbers, which have an order", path=f"order.{name}")
            if not values or len(set(values)) < len(values):
                raise DataError(f"expected texts, each once, got {listed(values) or 'none'}", path=f"order.{name}")
            if left_out := [text for text in self.values[place] if text not in values]:
                told = (
                    f"the training part has {left_out[0]!r} too.{nearest(left_out[0], values)} Expected all of {listed(self.values[place])}"
                )
                raise DataError(told, path=f"order.{name}")
            self.values[place] = list(values)

    def apply(self, x: np.ndarray) -> np.ndarray:
        x, strict = floating(x), self.unknown == "error"
        codes = [self.places(x, place, strict) for place in range(len(self.values))]
        if not codes:
            return x
        found = np.stack(codes, -1).astype(x.dtype)
        if not strict:
            found[found < 0] = self.unknown
        return np.where(np.isnan(x), x, found)


def _shown(value: Any) -> str:
    """A value in a name: a text as it is, a number without .0."""
    return value if isinstance(value, str) else str(int(value)) if value == int(value) else repr(float(value))
