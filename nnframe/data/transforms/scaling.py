"""Transforms that shift and scale inputs."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from nnframe.components.component import register
from nnframe.data.transforms.base import Transform, floating, like
from nnframe.errors import DataError, OptionError


class ByColumn(Transform):
    """Base of transforms by one number, or by one for each input."""

    by: float | tuple[float, ...]

    def fit(self, x: np.ndarray) -> None:
        if isinstance(self.by, tuple) and len(self.by) != x.shape[-1]:
            raise DataError(f"expected one number, or one for each of the {x.shape[-1]} inputs, got {len(self.by)}", path="by")

    def fit_chunks(self, chunks: Iterator[np.ndarray]) -> None:
        self.fit(next(chunks))


@register
class Shift(ByColumn):
    """x + by: one number, or one for each input."""

    def apply(self, x: np.ndarray) -> np.ndarray:
        return like(x, x + np.asarray(self.by))

    def invert(self, y: np.ndarray) -> np.ndarray:
        return y - np.asarray(self.by)


@register
class Scale(ByColumn):
    """x by: one number, or one for each input."""

    def __post_init__(self) -> None:
        if not np.all(self.by):
            raise OptionError("expected numbers other than 0", path="by")

    def apply(self, x: np.ndarray) -> np.ndarray:
        return like(x, x * np.asarray(self.by))

    def invert(self, y: np.ndarray) -> np.ndarray:
        return y / np.asarray(self.by)


@register
class Standardize(Transform):
    """(x - mean) / std, each over the training rows, of whatever size; an input that is constant there is only shifted."""

    fitted = ("mean", "std", "exponent")  # the last only where numbers are so large, or small, that they are scaled by 2^-exponent first

    def fit(self, x: np.ndarray) -> None:
        if self.missing_in(x) is not None:
            self.fit_chunks(iter([x]))
            return
        constant, down = x.min(0) == x.max(0), np.zeros(x.shape[1:], int)
        if x.dtype.kind == "f":  # squares of what is beyond a quarter of the exponents would overflow, or vanish
            exponent = np.frexp(np.absolute(x).max(0))[1]
            down = np.where((abs(exponent) > np.finfo(x.dtype).maxexp // 4) & ~constant, exponent, 0)
        self.exponent = down if down.any() else None
        x = self._scaled(x)
        self.mean = self._unscaled(np.where(constant, x[0], x.mean(0)))
        self.std = self._unscaled(np.where(constant, 0, x.std(0)))

    def fit_chunks(self, chunks: Iterator[np.ndarray]) -> None:
        """Moments of chunks, merged: M2 = M2_a + M2_b + d^2 n_a n_b / n with d = mean_b - mean_a (Chan, Golub and LeVeque 1983), in
        float64, of numbers scaled to below 1 by a power of two that grows with them."""
        count: Any = 0
        mean: Any = 0.0
        squares: Any = 0.0
        low: Any = np.inf
        high: Any = -np.inf
        first: Any = np.nan
        down: Any = None
        dtype = np.dtype(np.float64)
        for raw in chunks:
            dtype, x = floating(raw[:0]).dtype, raw.astype(np.float64)
            there = ~np.isnan(x)
            low = np.minimum(low, np.where(there, x, np.inf).min(0))
            high = np.maximum(high, np.where(there, x, -np.inf).max(0))
            first = np.where(np.isnan(first), np.take_along_axis(x, there.argmax(0)[None], 0)[0], first)
            largest = np.where(there, abs(x), 0).max(0)
            exponent = np.where(largest == 0, -1100, np.frexp(largest)[1])  # 0 is less than all
            grown = exponent if down is None else np.maximum(down, exponent)
            if down is not None:
                mean, squares = np.ldexp(mean, down - grown), np.ldexp(squares, 2 * (down - grown))
            down = grown
            x, n = np.where(there, np.ldexp(x, -down), 0), there.sum(0)
            of_chunk = x.sum(0) / np.maximum(n, 1)
            apart, total = of_chunk - mean, np.maximum(count + n, 1)
            squares = squares + np.where(there, (x - of_chunk) ** 2, 0).sum(0) + apart**2 * (count * n / total)
            mean, count = mean + apart * (n / total), count + n
        self.missing_in(np.where(count == 0, np.nan, first)[None])
        constant, down = low == high, np.asarray(down)
        extreme = (abs(down) > np.finfo(dtype).maxexp // 4) & ~constant
        self.exponent = np.where(extreme, down, 0) if extreme.any() else None
        std = np.sqrt(squares / np.maximum(count, 1))
        self.mean = np.where(constant, first, np.ldexp(mean, down)).astype(dtype)
        self.std = np.where(constant, 0, np.ldexp(std, down)).astype(dtype)

    def apply(self, x: np.ndarray) -> np.ndarray:
        mean, std = self._scaled(self.mean), self._scaled(self.std)
        return (self._scaled(x) - mean) / np.where(std == 0, 1, std)

    def invert(self, y: np.ndarray) -> np.ndarray:
        mean, std = self._scaled(self.mean), self._scaled(self.std)
        return self._unscaled(y * np.where(std == 0, 1, std) + mean)

    def _scaled(self, x: np.ndarray) -> np.ndarray:
        """By powers of two, which is exact."""
        return x if self.exponent is None else np.ldexp(x * 1.0, -self.exponent)

    def _unscaled(self, x: np.ndarray) -> np.ndarray:
        return x if self.exponent is None else np.ldexp(x, self.exponent)


@register
class MinMax(Transform):
    """low + (high - low) (x - min) / (max - min), with the least and the largest of the training rows; an input that is constant there
    becomes `low`."""

    low: float = 0.0
    high: float = 1.0

    fitted = ("min", "max")

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise OptionError(f"expected a number greater than low, {self.low:g}, got {self.high:g}", path="high")

    def fit(self, x: np.ndarray) -> None:
        self.fit_chunks(iter([x]))

    def fit_chunks(self, chunks: Iterator[np.ndarray]) -> None:
        first = floating(next(chunks))
        self.min, self.max = np.fmin.reduce(first, 0), np.fmax.reduce(first, 0)
        for x in chunks:
            self.min, self.max = np.fmin(self.min, np.fmin.reduce(x, 0)), np.fmax(self.max, np.fmax.reduce(x, 0))
        self.missing_in(self.min[None])

    def apply(self, x: np.ndarray) -> np.ndarray:
        return self.low + (self.high - self.low) * ((x - self.min) / self._range)

    def invert(self, y: np.ndarray) -> np.ndarray:
        return self.min + (y - self.low) / (self.high - self.low) * self._range

    @property
    def _range(self) -> np.ndarray:
        return np.where(self.min == self.max, 1, self.max - self.min)


@register
class Robust(Transform):
    """(x - median) / (q75 - q25), of the training rows, which outliers hardly move; where both quartiles are the same, x - median."""

    fitted = ("median", "iqr")

    def fit(self, x: np.ndarray) -> None:
        self.missing_in(x)
        low, self.median, high = like(x, np.nanpercentile(floating(x), [25, 50, 75], axis=0))
        self.iqr = high - low

    def apply(self, x: np.ndarray) -> np.ndarray:
        return (x - self.median) / np.where(self.iqr == 0, 1, self.iqr)

    def invert(self, y: np.ndarray) -> np.ndarray:
        return y * np.where(self.iqr == 0, 1, self.iqr) + self.median
