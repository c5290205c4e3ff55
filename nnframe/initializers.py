"""Starting numbers of parameters. An initializer draws the array of one run from that run's own stream, in float64."""

from math import prod

import numpy as np

from nnframe.components.component import Component, register
from nnframe.components.markers import NonNegative, PerRun, Positive
from nnframe.errors import OptionError
from nnframe.system import blas


class Initializer(Component):
    """Base: write `draw`. `fans` are the numbers of inputs and outputs of one unit: (fan_in, fan_out)."""

    slot = "initializer"
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

    def __init__(self, gain: PerRun[Positive] = 1.0) -> None:
        self.gain = gain

    def draw(self, rng: "np.random.Generator", shape: tuple[int, ...], fans: tuple[int, int]) -> np.ndarray:
        bound = self.gain * np.sqrt(6 / sum(fans))
        return rng.uniform(-bound, bound, shape)


@register
class GlorotNormal(Initializer):
    """N(0, s^2) with s = gain sqrt(2 / (fan_in + fan_out)) (Glorot and Bengio 2010)."""

    def __init__(self, gain: PerRun[Positive] = 1.0) -> None:
        self.gain = gain

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

    def __init__(self, gain: PerRun[Positive] = 1.0) -> None:
        self.gain = gain

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

    def __init__(self, std: PerRun[NonNegative] = 1.0, *, mean: PerRun[float] = 0.0) -> None:
        self.std = std
        self.mean = mean

    def draw(self, rng: "np.random.Generator", shape: tuple[int, ...], fans: tuple[int, int]) -> np.ndarray:
        return rng.normal(self.mean, self.std, shape)


@register
class Uniform(Initializer):
    """U(low, high)."""

    def __init__(self, low: PerRun[float] = -1.0, high: PerRun[float] = 1.0) -> None:
        if np.any(np.asarray(low) > np.asarray(high)):
            raise OptionError(f"low {low} is above high {high}", path="low")
        self.low = low
        self.high = high

    def draw(self, rng: "np.random.Generator", shape: tuple[int, ...], fans: tuple[int, int]) -> np.ndarray:
        return rng.uniform(self.low, self.high, shape)


@register
class Zeros(Initializer):
    """All 0."""

    def draw(self, rng: "np.random.Generator", shape: tuple[int, ...], fans: tuple[int, int]) -> np.ndarray:
        return np.zeros(shape)


@register
class Constant(Initializer):
    """All `value`."""

    def __init__(self, value: PerRun[float]) -> None:
        self.value = value

    def draw(self, rng: "np.random.Generator", shape: tuple[int, ...], fans: tuple[int, int]) -> np.ndarray:
        return np.full(shape, self.value)
