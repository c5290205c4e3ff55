"""Starting numbers of parameters. An initializer draws the array of one run from that run's own stream, in float64."""

from dataclasses import KW_ONLY
from math import prod
from typing import Any

import numpy as np

from nnframe.components.component import Component, register
from nnframe.components.markers import NonNegative, PerRun, Positive
from nnframe.errors import OptionError
from nnframe.system import blas


class Initializer(Component):
    """Base: write `draw`, for options that are one run's. `fans` are the numbers of inputs and outputs of one unit: (fan_in, fan_out)."""

    slot = "initializer"
    stands_for = {float: "Constant"}  # noqa: RUF012  read only
    schedulable = False

    def draw(self, rng: "np.random.Generator", shape: tuple[int, ...], fans: tuple[int, int]) -> np.ndarray:
        raise NotImplementedError


@register
class FanInUniform(Initializer):
    """U(-1/sqrt(fan_in), 1/sqrt(fan_in)): what PyTorch's Linear and Conv start from, weights and biases alike."""

    def draw(self, rng: "np.random.Generator", shape: tuple[int, ...], fans: tuple[int, int]) -> np.ndarray:
        bound = 1 / np.sqrt(max(fans[0], 1))
        return rng.uniform(-bound, bound, shape)


@register
class GlorotUniform(Initializer):
    """U(-a, a) with a = gain sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010)."""

    gain: PerRun[Positive] = 1.0

    def draw(self, rng: "np.random.Generator", shape: tuple[int, ...], fans: tuple[int, int]) -> np.ndarray:
        bound = self.gain * np.sqrt(6 / sum(fans))
        return rng.uniform(-bound, bound, shape)


@register
class GlorotNormal(Initializer):
    """N(0, s^2) with s = gain sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio 2010)."""

    gain: PerRun[Positive] = 1.0

    def draw(self, rng: "np.random.Generator", shape: tuple[int, ...], fans: tuple[int, int]) -> np.ndarray:
        return rng.normal(0, self.gain * np.sqrt(2 / sum(fans)), shape)


@register
class HeUniform(Initializer):
    """U(-a, a) with a = sqrt(6 / fan_in), for ReLU (He et al. 2015)."""

    def draw(self, rng: "np.random.Generator", shape: tuple[int, ...], fans: tuple[int, int]) -> np.ndarray:
        bound = np.sqrt(6 / max(fans[0], 1))
        return rng.uniform(-bound, bound, shape)


@register
class HeNormal(Initializer):
    """N(0, 2 / fan_in), for ReLU (He et al. 2015)."""

    def draw(self, rng: "np.random.Generator", shape: tuple[int, ...], fans: tuple[int, int]) -> np.ndarray:
        return rng.normal(0, np.sqrt(2 / max(fans[0], 1)), shape)


@register
class LecunNormal(Initializer):
    """N(0, 1 / fan_in) (LeCun et al. 1998)."""

    def draw(self, rng: "np.random.Generator", shape: tuple[int, ...], fans: tuple[int, int]) -> np.ndarray:
        return rng.normal(0, np.sqrt(1 / max(fans[0], 1)), shape)


@register
class Orthogonal(Initializer):
    """Orthonormal rows or columns, whichever are fewer, times `gain`; leading axes are folded (Saxe et al. 2014)."""

    gain: PerRun[Positive] = 1.0

    def draw(self, rng: "np.random.Generator", shape: tuple[int, ...], fans: tuple[int, int]) -> np.ndarray:
        rows, columns = prod(shape[:-1]), shape[-1]
        tall = rng.normal(size=(max(rows, columns), min(rows, columns)))
        with blas.threads(1):
            q, r = np.linalg.qr(tall)
        q *= np.sign(np.diagonal(r))  # makes the distribution uniform (Mezzadri 2007)
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


@register
class Normal(Initializer):
    """N(mean, std^2)."""

    std: PerRun[NonNegative] = 1.0
    _: KW_ONLY
    mean: PerRun[float] = 0.0

    def draw(self, rng: "np.random.Generator", shape: tuple[int, ...], fans: tuple[int, int]) -> np.ndarray:
        mean, std = _numbers(self.mean, self.std)
        return rng.normal(mean, std, shape)


@register
class Uniform(Initializer):
    """U(low, high)."""

    low: PerRun[float] = -1.0
    high: PerRun[float] = 1.0

    def __post_init__(self) -> None:
        if np.any(np.asarray(self.low) > np.asarray(self.high)):
            raise OptionError(f"low {self.low} is above high {self.high}", path="low")

    def draw(self, rng: "np.random.Generator", shape: tuple[int, ...], fans: tuple[int, int]) -> np.ndarray:
        low, high = _numbers(self.low, self.high)
        return rng.uniform(low, high, shape)


@register
class Zeros(Initializer):
    """All 0."""

    def draw(self, rng: "np.random.Generator", shape: tuple[int, ...], fans: tuple[int, int]) -> np.ndarray:
        return np.zeros(shape)


@register
class Constant(Initializer):
    """All `value`."""

    value: PerRun[float]

    def draw(self, rng: "np.random.Generator", shape: tuple[int, ...], fans: tuple[int, int]) -> np.ndarray:
        return np.full(shape, self.value)


def _numbers(*options: Any) -> Any:
    """PerRun options as what they are in one run: numbers."""
    return options
