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


@register
class Standardize(Transform):
    """(x - mean) / std, each over the training rows; an input that is constant there is only shifted."""

    fitted = ("mean", "std")

    def fit(self, x: np.ndarray) -> None:
        self.mean, self.std = x.mean(0), x.std(0)

    def apply(self, x: np.ndarray) -> np.ndarray:
        return (x - self.mean) / np.where(self.std == 0, 1, self.std)
