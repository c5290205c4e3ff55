"""Transforms by functions: logarithms, bounds, and features that are computed from others."""

from collections.abc import Iterator
from dataclasses import KW_ONLY

import numpy as np

from nnframe.components.component import register
from nnframe.components.markers import Probability
from nnframe.components.names import nearest
from nnframe.data.transforms.base import Transform, floating, like
from nnframe.errors import DataError, OptionError, listed


@register
class Log(Transform):
    """log(x + shift), to base e. A value that is not above -shift is an error, in the training rows and in all others."""

    shift: float = 0.0

    def fit(self, x: np.ndarray) -> None:
        self.apply(x)

    def apply(self, x: np.ndarray) -> np.ndarray:
        shifted = floating(x) + self.shift
        if (wrong := shifted <= 0).any():
            at = np.argwhere(wrong)[0].tolist()
            told = f"expected numbers above {-self.shift + 0:g}, as a logarithm needs them, got {x[tuple(at)]:g}; write a larger shift"
            raise DataError(f"{self.at(at[1])}{told}")
        return np.log(shifted)

    def invert(self, y: np.ndarray) -> np.ndarray:
        return np.exp(y) - self.shift


@register
class Clip(Transform):
    """x, but at least `low` and at most `high`; or at least and at most the quantiles of these two shares of the training rows."""

    low: float | None = None
    high: float | None = None
    _: KW_ONLY
    quantiles: tuple[Probability, Probability] | None = None

    fitted = ("least", "most")

    def __post_init__(self) -> None:
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        if bool(bounds) == (self.quantiles is not None):
            raise OptionError("expected low, or high, or both, or else quantiles")
        for name, pair in (("high", bounds), ("quantiles", list(self.quantiles or ()))):
            if len(pair) == 2 and not pair[0] < pair[1]:
                raise OptionError(f"expected the smaller bound first, got {pair[0]:g} and {pair[1]:g}", path=name)

    def fit(self, x: np.ndarray) -> None:
        self.least, self.most = self.low, self.high
        if self.quantiles is not None:
            self.missing_in(x)
            self.least, self.most = like(x, np.nanquantile(floating(x), self.quantiles, axis=0))

    def fit_chunks(self, chunks: Iterator[np.ndarray]) -> None:
        if self.quantiles is not None:
            super().fit_chunks(chunks)
        self.fit(next(chunks))

    def apply(self, x: np.ndarray) -> np.ndarray:
        return np.clip(floating(x), self.least, self.most)


@register
class Features(Transform):
    """Adds columns that are computed from named ones: squares `a^2`, products `a*b`, sines `sin(a)`."""

    squares: tuple[str, ...] = ()
    products: tuple[tuple[str, str], ...] = ()
    sines: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.squares or self.products or self.sines):
            raise OptionError("expected columns for squares, products or sines")

    def names(self) -> tuple[str, ...]:
        squares, sines = (f"{a}^2" for a in self.squares), (f"sin({a})" for a in self.sines)
        return (*self.inputs, *squares, *(f"{a}*{b}" for a, b in self.products), *sines)

    def fit(self, x: np.ndarray) -> None:
        pairs = (name for pair in self.products for name in pair)
        for option, names in (("squares", self.squares), ("products", pairs), ("sines", self.sines)):
            if missing := [name for name in names if name not in self.inputs]:
                known = f"Inputs: {listed(self.inputs)}." if self.inputs else "The inputs have no names."
                raise DataError(f"there is no input of numbers {missing[0]!r}.{nearest(missing[0], self.inputs)} {known}", path=option)

    def apply(self, x: np.ndarray) -> np.ndarray:
        x = floating(x)
        column = {name: x[:, place] for place, name in enumerate(self.inputs)}
        squares, sines = [column[a] * column[a] for a in self.squares], [np.sin(column[a]) for a in self.sines]
        made = [*squares, *(column[a] * column[b] for a, b in self.products), *sines]
        return np.concatenate([x, np.stack(made, -1)], 1)
