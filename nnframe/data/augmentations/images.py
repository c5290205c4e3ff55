"""Augmentations of images (height, width, channels)."""

from math import prod
from typing import Literal

import numpy as np

from nnframe.components.component import register
from nnframe.components.markers import PerRun, Probability, Size
from nnframe.components.options import field
from nnframe.data.augmentations.base import Augmentation
from nnframe.errors import ShapeError


class OfImages(Augmentation):
    """Base of augmentations that move the pixels of each row's image."""

    takes_integers = True

    def check(self, features: tuple[int, ...]) -> None:
        if len(features) != 3:
            raise ShapeError(f"{type(self).__name__} needs images (height, width, channels), got {features}")


@register
class Flip(OfImages):
    """Each row's image is mirrored with probability p, left to right, or with `axis: height` upside down."""

    p: PerRun[Probability] = 0.5
    axis: Literal["width", "height"] = "width"

    def change(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        flipped = self.stream.random(np.empty(self.draws(x)[:2])) < self.bound.p
        mirrored = x[..., ::-1, :] if self.axis == "width" else x[..., ::-1, :, :]
        return np.where(flipped[..., None, None, None], mirrored, x), y


@register
class Crop(OfImages):
    """`padding` rows and columns of zeros are put on every side of each row's image, and a part of the old size is cut out of that, each
    place as likely as the others (as He et al. 2015 do with 4)."""

    padding: Size = 4
    _padded: np.ndarray | None = field(default=None, init=False)

    def change(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        height, width, channels = self.features
        pad, lead = self.padding, x.shape[:-3]
        shape = (*lead, height + 2 * pad, width + 2 * pad, channels)
        if self._padded is None or self._padded.shape != shape or self._padded.dtype != x.dtype:
            self._padded = np.zeros(shape, x.dtype)
        self._padded[..., pad : pad + height, pad : pad + width, :] = x
        uniform = self.stream.random(np.empty((*self.draws(x)[:2], 2)))
        first = np.floor(uniform * (2 * pad + 1)).astype(int)  # (..., 2), where each part begins
        line = np.arange(0, prod(lead) * shape[-3], shape[-3]).reshape(*lead, 1) + first[..., :1] + np.arange(height)
        pixel = line * shape[-2] + first[..., 1:]  # where each line of each part begins
        lines = np.lib.stride_tricks.sliding_window_view(self._padded.reshape(-1), width * channels)[::channels]
        return lines[pixel].reshape(*pixel.shape, width, channels), y
