"""Changes to inputs before they are trained on, fitted on the training part alone."""

from typing import Any

import numpy as np

from nnframe.component import Component, register
from nnframe.errors import DataError


class Transform(Component):
    """Base: write `apply`, and `fit` if it learns anything from the training inputs x (rows, inputs)."""

    slot = "transform"

    def fit(self, x: np.ndarray) -> None:
        """Learn from the training inputs; what is learnt stands in the attributes that `fitted` names."""

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Transformed inputs, a new array."""
        raise NotImplementedError

    fitted: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """What was learnt, as plain data for the run's record."""
        return {"type": type(self).__name__} | {name: getattr(self, name).tolist() for name in self.fitted}


@register
class Shift(Transform):
    """x + by: one number, or one for each input."""

    def __init__(self, by: float | tuple[float, ...]) -> None:
        self.by = by

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
