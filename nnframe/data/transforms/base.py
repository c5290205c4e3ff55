"""What changes inputs before they are trained on: the base of all transforms."""

from typing import Any, ClassVar

import numpy as np

from nnframe.components.component import Component


class Transform(Component):
    """Base: write `apply`, and `fit` if it learns anything from the training inputs x (rows, inputs)."""

    slot = "transform"

    def fit(self, x: np.ndarray) -> None:
        """Learn from the training inputs; what is learnt stands in the attributes that `fitted` names."""

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Transformed inputs, a new array."""
        raise NotImplementedError

    fitted: ClassVar[tuple[str, ...]] = ()

    def record(self) -> dict[str, Any]:
        """What was learnt, as plain data for the run's record."""
        return {"type": type(self).__name__} | {name: getattr(self, name).tolist() for name in self.fitted}
