"""Handwritten digits, a small set that comes with the package."""

from pathlib import Path

import numpy as np

from nnframe.components.component import register
from nnframe.components.options import field
from nnframe.data.dataset import Dataset
from nnframe.data.source import Source
from nnframe.data.sources.images import laid_out
from nnframe.system import npz


@register
class Digits(Source):
    """1,797 handwritten digits of 8x8 pixels: x (1797, 64) from 0 to 1, or with `image` (1797, 8, 8, 1); y the classes 0 to 9.

    The test set of "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998, UCI Machine Learning Repository) in the
    form that scikit-learn has it, divided by 16.
    """

    image: bool = field(default=False, kw_only=True)

    def read(self) -> Dataset:
        read = npz.read(Path(__file__).with_name("digits.npz"), ("x", "y"))
        x, names = laid_out(read["x"] / np.float32(16), 8, 8, self.image)
        return Dataset(x, read["y"].astype(np.int64), None, names, ("digit",), tuple("0123456789"))
