"""Functions to be fitted: one number for each row, of inputs drawn uniformly from a box."""

from dataclasses import KW_ONLY, replace
from math import pi
from typing import Annotated, ClassVar

import numpy as np

from nnframe.components.component import register
from nnframe.components.markers import NonNegative, Positive, Range
from nnframe.data.dataset import Dataset
from nnframe.data.sources.generators.base import Noisy, numbered


class Function(Noisy):
    """Base of functions to be fitted: write `box` and `value`. A normal number of standard deviation `noise` is added to each target."""

    _: KW_ONLY
    noise: NonNegative = 0.0

    def box(self) -> tuple[tuple[float, float], ...]:
        """From where to where each input is drawn."""
        raise NotImplementedError

    def value(self, x: np.ndarray) -> np.ndarray:
        """The function's values (rows,) at x (rows, inputs)."""
        raise NotImplementedError

    def drawn(self, rng: "np.random.Generator") -> Dataset:
        low, high = zip(*self.box(), strict=True)
        x = rng.uniform(low, high, (self.rows, len(low)))
        return Dataset(x, self.value(x)[:, None], None, numbered("x", len(low)), ("y",))

    def blurred(self, data: Dataset, rng: "np.random.Generator") -> Dataset:
        return replace(data, y=data.y + self.noise * rng.standard_normal(data.y.shape))


@register
class Sinusoid(Function):
    """y = sin(pi periods x), x from -1 to 1: so many periods."""

    _: KW_ONLY
    periods: Positive = 1.0

    def box(self) -> tuple[tuple[float, float], ...]:
        return ((-1, 1),)

    def value(self, x: np.ndarray) -> np.ndarray:
        return np.sin(pi * self.periods * x[:, 0])


@register
class Plane(Function):
    """y = (x1 + x2) / 10, both from -6 to 6: the TensorFlow playground's first set for regression (Smilkov and others 2017)."""

    def box(self) -> tuple[tuple[float, float], ...]:
        return ((-6, 6), (-6, 6))

    def value(self, x: np.ndarray) -> np.ndarray:
        return (x[:, 0] + x[:, 1]) / 10


@register
class Gaussians(Function):
    """Six bumps of alternating sign: y = sum of s max(0, 1 - |x - c| / 2), c at x1 of -4, 0, 4 and x2 of 2.5 (s is 1, -1, 1) and -2.5
    (s is -1, 1, -1), x1 and x2 from -6 to 6: the TensorFlow playground's second set for regression (Smilkov and others 2017), which calls
    these cones so."""

    centers: ClassVar[list[tuple[float, float]]] = [(-4, 2.5), (0, 2.5), (4, 2.5), (-4, -2.5), (0, -2.5), (4, -2.5)]
    signs: ClassVar[list[int]] = [1, -1, 1, -1, 1, -1]

    def box(self) -> tuple[tuple[float, float], ...]:
        return ((-6, 6), (-6, 6))

    def value(self, x: np.ndarray) -> np.ndarray:
        away = x[:, None] - np.array(self.centers)
        return np.maximum(0, 1 - np.hypot(away[..., 0], away[..., 1]) / 2) @ np.array(self.signs)


@register
class Friedman1(Function):
    """y = 10 sin(pi x1 x2) + 20 (x3 - 1/2)^2 + 10 x4 + 5 x5, inputs from 0 to 1; those behind the fifth say nothing (Friedman 1991,
    "Multivariate adaptive regression splines", whose noise is 1)."""

    _: KW_ONLY
    features: Annotated[int, Range(min=5)] = 10

    def box(self) -> tuple[tuple[float, float], ...]:
        return ((0, 1),) * self.features

    def value(self, x: np.ndarray) -> np.ndarray:
        return 10 * np.sin(pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]


class Circuit(Function):
    """Base of what Friedman (1991) takes from an alternating current: resistance x1 from 0 to 100, frequency x2 from 40 pi to 560 pi,
    inductance x3 from 0 to 1, capacitance x4 from 1 to 11."""

    def box(self) -> tuple[tuple[float, float], ...]:
        return ((0, 100), (40 * pi, 560 * pi), (0, 1), (1, 11))

    def reactance(self, x: np.ndarray) -> np.ndarray:
        return x[:, 1] * x[:, 2] - 1 / (x[:, 1] * x[:, 3])


@register
class Friedman2(Circuit):
    """y = sqrt(x1^2 + (x2 x3 - 1 / (x2 x4))^2), the impedance of a circuit: x1 from 0 to 100, x2 from 40 pi to 560 pi, x3 from 0 to 1, x4
    from 1 to 11 (Friedman 1991)."""

    def value(self, x: np.ndarray) -> np.ndarray:
        return np.hypot(x[:, 0], self.reactance(x))


@register
class Friedman3(Circuit):
    """y = arctan((x2 x3 - 1 / (x2 x4)) / x1), the phase of a circuit: x1 from 0 to 100, x2 from 40 pi to 560 pi, x3 from 0 to 1, x4 from 1
    to 11 (Friedman 1991)."""

    def value(self, x: np.ndarray) -> np.ndarray:
        return np.arctan2(self.reactance(x), x[:, 0])  # as x1 is at least 0; it may be 0 itself
