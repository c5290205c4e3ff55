"""Samplers: which of all combinations of a sweep's parameters are tried."""

import math
from dataclasses import KW_ONLY
from typing import Any

import numpy as np

from nnframe.components.component import register
from nnframe.config.sections import MOST, Parameters, Sampler, Settings, SweepSeed
from nnframe.errors import OptionError
from nnframe.streams import generator


@register
class Grid(Sampler):
    """Every combination; the last parameter changes fastest."""

    def settings(self, parameters: Parameters, count: int | None) -> Settings:
        if (most := math.prod(parameter.size() for parameter in parameters.values())) > MOST:
            raise OptionError(f"the grid has {most:,} settings, and more than {MOST:,} are refused; draw some with sampler: Random")
        values = {}
        for path, parameter in parameters.items():
            try:
                values[path] = parameter.grid()
            except OptionError as error:
                raise error.within(f"parameters.{path}") from None
        after = total = math.prod(map(len, values.values()))
        if count not in (None, total):
            raise OptionError(f"the grid has {total:,} settings, not {count:,}; leave trials out", path="trials")
        found: Settings = {}
        for path, column in values.items():
            after //= len(column)  # settings until the next value
            found[path] = [value for value in column for _ in range(after)] * (total // (len(column) * after))
        return found


class Drawn(Sampler):
    """Base of samplers that draw points: write `points`, numbers in [0, 1) (count, parameters)."""

    _: KW_ONLY
    seed: SweepSeed = 0

    def points(self, parameters: Parameters, count: int) -> np.ndarray:
        raise NotImplementedError

    def settings(self, parameters: Parameters, count: int | None) -> Settings:
        if count is None:
            raise OptionError(f"{type(self).__name__} needs to know how many; write settings: 20, say", path="trials")
        points = np.minimum(self.points(parameters, count), np.nextafter(1, 0))
        return {path: parameter.at(points[:, i]) for i, (path, parameter) in enumerate(parameters.items())}


@register
class Random(Drawn):
    """Independent draws; a parameter's values stay the same when others are added."""

    def points(self, parameters: Parameters, count: int) -> np.ndarray:
        return np.stack([generator(self.seed, f"sweep/{path}").random(count) for path in parameters], axis=1)


@register
class Sobol(Drawn):
    """Scrambled Sobol points, which fill the space evenly; best with a power of two of them (Owen 1998)."""

    def points(self, parameters: Parameters, count: int) -> np.ndarray:
        from scipy.stats import qmc

        power = max(count - 1, 0).bit_length()
        points = _engine(qmc.Sobol, len(parameters), generator(self.seed, "sweep")).random_base2(power)
        return points[:count]


@register
class LatinHypercube(Drawn):
    """One point in each of `trials` equal slices of every parameter (McKay, Beckman and Conover 1979)."""

    def points(self, parameters: Parameters, count: int) -> np.ndarray:
        from scipy.stats import qmc

        return _engine(qmc.LatinHypercube, len(parameters), generator(self.seed, "sweep")).random(count)


def _engine(kind: Any, dimensions: int, rng: "np.random.Generator") -> Any:
    try:
        return kind(dimensions, rng=rng)
    except TypeError:  # SciPy before 1.15
        return kind(dimensions, seed=rng)
