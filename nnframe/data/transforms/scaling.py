"""Transforms that shift and scale inputs."""

import numpy as np

from nnframe.components.component import register
from nnframe.data.transforms.base import Transform
from nnframe.errors import DataError


@register
class Shift(Transform):
    """x + by: one number, or one for each input."""

    by: float | tuple[float, ...]

    def fit(self, x: np.ndarray) -> None:
        if isinstance(self.by, tuple) and len(self.by) != x.shape[-1]:
            raise DataError(f"expected one number, or one for each of the {x.shape[-1]} inputs, got {len(self.by)}", path="by")

    def apply(self, x: np.ndarray) -> np.ndarray:
        return x + np.asarray(self.by)

    def invert(self, y: np.ndarray) -> np.ndarray:
        return y - np.asarray(self.by)


@register
class Standardize(Transform):
    """(x - mean) / std, each over the training rows, of whatever size; an input that is constant there is only shifted."""

    fitted = ("mean", "std")

    def fit(self, x: np.ndarray) -> None:
        constant = x.min(0) == x.max(0)
        self._down = np.zeros(x.shape[1:], int)
        if x.dtype.kind == "f":  # squares of what is beyond a quarter of the exponents would overflow, or vanish
            exponent = np.frexp(np.absolute(x).max(0))[1]
            self._down = np.where((abs(exponent) > np.finfo(x.dtype).maxexp // 4) & ~constant, exponent, 0)
        x = self._scaled(x)
        self._mean, self._std = np.where(constant, x[0], x.mean(0)), np.where(constant, 0, x.std(0))
        self.mean, self.std = np.ldexp(self._mean, self._down), np.ldexp(self._std, self._down)

    def apply(self, x: np.ndarray) -> np.ndarray:
        return (self._scaled(x) - self._mean) / np.where(self._std == 0, 1, self._std)

    def invert(self, y: np.ndarray) -> np.ndarray:
        return np.ldexp(y * np.where(self._std == 0, 1, self._std) + self._mean, self._down)

    def _scaled(self, x: np.ndarray) -> np.ndarray:
        """By powers of two, which is exact."""
        return np.ldexp(x * 1.0, -self._down) if self._down.any() else x
