"""Augmentations of rows of any shape."""

import numpy as np

from nnframe.components.component import register
from nnframe.components.markers import NonNegative, PerRun
from nnframe.data.augmentations.base import Augmentation


@register
class Noise(Augmentation):
    """x + std n, with n from a normal distribution of variance 1, drawn anew for every number at every step (Bishop 1995)."""

    std: PerRun[NonNegative] = 0.1

    def change(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        noise = self.stream.normal(np.empty(self.draws(x)))
        return (x + self.number("std") * noise).astype(x.dtype, copy=False), y
