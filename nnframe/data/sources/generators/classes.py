"""Points of several classes, most of them in a plane: what a classifier can be looked at with."""

from dataclasses import KW_ONLY, replace
from math import pi
from typing import Annotated

import numpy as np

from nnframe.components.component import register
from nnframe.components.markers import Fraction, NonNegative, Positive, Range, Size
from nnframe.data.dataset import Dataset
from nnframe.data.sources.generators.base import Noisy, numbered
from nnframe.errors import OptionError

Several = Annotated[int, Range(min=2)]


class Points(Noisy):
    """Base of points at fixed places, so that a seed draws nothing but their noise: a normal number of standard deviation `noise` is added
    to each coordinate. Write `drawn`."""

    _: KW_ONLY
    noise: NonNegative = 0.0

    def blurred(self, data: Dataset, rng: "np.random.Generator") -> Dataset:
        return replace(data, x=data.x + self.noise * rng.standard_normal(data.x.shape))


@register
class XOR(Points):
    """The four points of exclusive or by turns: x (rows, 2) of 0 and 1, and the class is 1 where they differ (Minsky and Papert 1969)."""

    rows: Size = 4

    def drawn(self, rng: "np.random.Generator") -> Dataset:
        x = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])[np.arange(self.rows) % 4]
        return _points(x, x[:, 0] != x[:, 1], 2)


@register
class Spirals(Points):
    """Intertwined spirals: x = r (cos a, sin a), a = 2 pi (turns r + class / classes), r from 0 (left out) to 1 in equal steps.

    After the two spirals that Wieland posed and Lang and Witbrock (1988) published.
    """

    _: KW_ONLY
    classes: Several = 2
    turns: Positive = 1.0

    def drawn(self, rng: "np.random.Generator") -> Dataset:
        y, counts = _labels(self.rows, self.classes)
        r = np.concatenate([np.arange(1, count + 1) / count for count in counts])
        angle = 2 * pi * (self.turns * r + y / self.classes)
        return _points(np.stack([r * np.cos(angle), r * np.sin(angle)], 1), y, self.classes)


@register
class Moons(Points):
    """Two half circles of radius 1 that reach into each other, each at equal angles t from 0 to pi: (cos t, sin t) of class 0 and
    (1 - cos t, 1/2 - sin t) of class 1; scikit-learn's make_moons without shuffling."""

    def drawn(self, rng: "np.random.Generator") -> Dataset:
        y, counts = _labels(self.rows, 2)
        t = np.concatenate([np.linspace(0, pi, count) for count in counts])
        x = np.stack([np.cos(t), np.sin(t)], 1)
        return _points(np.where(y[:, None] == 0, x, [1, 0.5] - x), y, 2)


@register
class Circles(Points):
    """Two circles about 0, each at equal angles: of radius 1 and class 0, and of radius `factor` and class 1; scikit-learn's make_circles
    without shuffling."""

    _: KW_ONLY
    factor: Fraction = 0.5

    def drawn(self, rng: "np.random.Generator") -> Dataset:
        y, counts = _labels(self.rows, 2)
        t = np.concatenate([2 * pi * np.arange(count) / count for count in counts])
        r = np.where(y == 0, 1, self.factor)
        return _points(np.stack([r * np.cos(t), r * np.sin(t)], 1), y, 2)


@register
class Blobs(Noisy):
    """Normal numbers of standard deviation `std`, the noise of this source, about one center a class: x (rows, features). Coordinates of
    centers are drawn between -10 and 10, as scikit-learn's make_blobs does; another `noise_seed` gives other rows about the same ones."""

    _: KW_ONLY
    centers: Several = 3
    features: Size = 2
    std: NonNegative = 1.0

    def drawn(self, rng: "np.random.Generator") -> Dataset:
        y, _ = _labels(self.rows, self.centers)
        return _points(rng.uniform(-10, 10, (self.centers, self.features))[y], y, self.centers)

    def blurred(self, data: Dataset, rng: "np.random.Generator") -> Dataset:
        return replace(data, x=data.x + self.std * rng.standard_normal(data.x.shape))


def _labels(rows: int, classes: int) -> tuple[np.ndarray, list[int]]:
    """The class of each row, (rows,), and how many rows each class has: as many as the others, or one fewer. Raises OptionError."""
    if rows < classes:
        raise OptionError(f"expected at least one row for each of {classes} classes, got {rows}", path="rows")
    counts = np.diff(np.arange(classes + 1) * rows // classes)
    return np.repeat(np.arange(classes), counts), counts.tolist()


def _points(x: np.ndarray, y: np.ndarray, classes: int) -> Dataset:
    """Points with names: inputs x1, x2, ..., classes 0, 1, ..."""
    return Dataset(x, y.astype(np.int64), None, numbered("x", x.shape[1]), ("class",), tuple(map(str, range(classes))))
