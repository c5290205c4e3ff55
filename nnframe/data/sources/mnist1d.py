"""MNIST-1D, made anew: digits as short signals, for which a network needs no picture and no minute."""

from dataclasses import KW_ONLY
from typing import Annotated, Literal

import numpy as np

from nnframe.components.component import register
from nnframe.components.markers import NonNegative, Range, Size
from nnframe.data.dataset import Dataset
from nnframe.data.source import Part, Source
from nnframe.errors import OptionError

TEMPLATES = (  # ten signals of 12 points: Greydanus and Kobak (2024), https://github.com/greydanus/mnist1d, Apache-2.0
    (5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5),
    (5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5),
    (5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5),
    (5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5),
    (5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5),
    (5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5),
    (5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5),
    (5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5),
)


@register
class MNIST1D(Source):
    """x (4000, 40), y ten classes; with `part: test` the 1,000 other rows (Greydanus and Kobak 2024, "Scaling Down Deep Learning with
    MNIST-1D"). Unless options say otherwise, these are the numbers that the paper's set has.

    A template of 12 points is padded with `padding` zeros, from the first number to the second; dilated to as many points as the longest;
    scaled by 1 + scale (u - 1/2), u from 0 to 1; moved around by less than `translation` points; given noise in place of its zeros, of
    standard deviation `correlated_noise` before a Gaussian filter, and everywhere, `white_noise`; sheared; and sampled at `length`
    points. Then all `rows` are mixed, the positions too if `shuffled`, and centered and scaled together.

    Args:
        rows: of both parts together, a multiple of 10.
        training_share: of the rows; the others are `part: test`.
        template_length: with the longest padding, the points of a dilated signal.
        seed: of NumPy's legacy generator, which gave the paper's numbers.
    """

    rows: Size = 5000
    _: KW_ONLY
    part: Literal["training", "test"] = "training"
    training_share: Part = 0.8
    template_length: Annotated[int, Range(min=2)] = 12
    padding: tuple[Annotated[int, Range(min=0)], Annotated[int, Range(min=0)]] = (36, 60)
    scale: NonNegative = 0.4
    translation: Size = 48
    correlated_noise: NonNegative = 0.25
    white_noise: NonNegative = 0.02
    shear: NonNegative = 0.75
    shuffled: bool = False
    length: Annotated[int, Range(min=2)] = 40
    seed: Annotated[int, Range(min=0, max=2**32 - 1)] = 42

    def __post_init__(self) -> None:
        if self.rows % len(TEMPLATES):
            raise OptionError(f"expected as many rows of each of 10 classes, got {self.rows}", path="rows")
        if not 0 < self._trained_on < self.rows:
            told = f"leaves {self._trained_on} of {self.rows} rows to train on and {self.rows - self._trained_on} to test on"
            raise OptionError(f"{self.training_share:g} {told}", path="training_share")
        if self.padding[0] > self.padding[1]:
            raise OptionError(f"expected the smallest and the largest, got {list(self.padding)}", path="padding")
        if self.translation > self._points:
            raise OptionError(
                f"expected at most {self._points}, which are the points of a signal, got {self.translation}", path="translation"
            )

    @property
    def _trained_on(self) -> int:
        return int(self.rows * self.training_share)

    @property
    def _points(self) -> int:
        """How many a signal has once it is dilated."""
        return self.template_length + self.padding[1]

    def read(self) -> Dataset:
        x, y = self._all()
        part = slice(self._trained_on) if self.part == "training" else slice(self._trained_on, None)
        return Dataset(x[part], y[part], None, tuple(map(str, range(self.length))), ("digit",), tuple("0123456789"))

    def _all(self) -> tuple[np.ndarray, np.ndarray]:
        """All rows, those to train on first: x (rows, length), y (rows,)."""
        from scipy.ndimage import gaussian_filter1d

        rng = np.random.RandomState(self.seed)  # newer ones have other streams
        y, points = np.repeat(np.arange(len(TEMPLATES)), self.rows // len(TEMPLATES)), self._points
        u, shift, noise = np.empty((3, self.rows)), np.empty(self.rows, int), np.empty((2, self.rows, points))
        for row in range(self.rows):  # one by one, as they were drawn: a row's numbers follow those of the row before
            u[:2, row] = rng.random_sample(2)
            shift[row] = rng.randint(self.translation)
            noise[:, row] = rng.standard_normal((2, points))
            u[2, row] = rng.random_sample()
        order = rng.permutation(self.rows)

        x = self._dilated(y, self.padding[0] + (u[0] * (self.padding[1] - self.padding[0] + 1)).astype(int), points)
        x *= 1 + self.scale * (u[1, :, None] - 0.5)
        x = np.take_along_axis(x, (np.arange(points) - shift[:, None]) % points, 1)
        x = np.where(x != 0, x, gaussian_filter1d(self.correlated_noise * noise[0], 2)) + self.white_noise * noise[1]
        x -= self.shear * (u[2, :, None] - 0.5) * np.linspace(-0.5, 0.5, points)
        x, y = _sampled(x, self.length)[order], y[order]
        if self.shuffled:
            x = x[:, rng.permutation(self.length)]
        return (x - x.mean()) / x.std(), y

    def _dilated(self, y: np.ndarray, padding: np.ndarray, points: int) -> np.ndarray:
        """The templates of classes y (rows,), each with its padding behind it, at so many points: (rows, points)."""
        templates = np.array(TEMPLATES, float)
        templates -= templates.mean(1, keepdims=True)
        templates /= templates.std(1, keepdims=True)
        templates = (templates - templates[:, :1]) / 6 + 1e-8  # so that nothing but padding is 0
        x = np.empty((len(y), points))
        for count in np.unique(padding).tolist():
            found = np.flatnonzero(padding == count)
            x[found] = _sampled(np.pad(templates, ((0, 0), (0, count))), points)[y[found]]
        return x


def _sampled(x: np.ndarray, points: int) -> np.ndarray:
    """Signals (rows, n) at so many places, at equal distances from the first point to the last, by straight lines: (rows, points)."""
    places, wanted = np.linspace(0, 1, x.shape[1]), np.linspace(0, 1, points)
    left = np.minimum(np.searchsorted(places, wanted, "right") - 1, x.shape[1] - 2)
    slope = (x[:, left + 1] - x[:, left]) / (places[left + 1] - places[left])
    return np.where(wanted == places[left + 1], x[:, left + 1], slope * (wanted - places[left]) + x[:, left])
