"""Schedules that lead from one number to another."""

from dataclasses import KW_ONLY

import numpy as np

from nnframe.components.component import register
from nnframe.components.markers import PerRun, Positive
from nnframe.schedules.base import Schedule, ends


@register
class Cosine(Schedule):
    """Half a cosine from `start` at the beginning down (or up) to `stop` at the end (Loshchilov and Hutter 2017, without restarts)."""

    start: PerRun[float]
    stop: PerRun[float] = 0.0

    def value(self, t: float, total: float) -> np.ndarray:
        start, stop = self.bound.start, self.bound.stop
        return stop + (start - stop) * ((1 + np.cos(np.pi * t / total)) / 2)

    def extremes(self) -> list[float]:
        return np.concatenate([ends(self.start), ends(self.stop)]).tolist()


@register
class Step(Schedule):
    """`start`, multiplied by `factor` after every `every` epochs."""

    start: PerRun[float]
    _: KW_ONLY
    every: Positive
    factor: PerRun[Positive] = 0.1

    def value(self, t: float, total: float) -> np.ndarray:
        value, power = self.bound.start, self.bound.factor
        times = int(round(t / self.every, 9))  # 0.3 is the third time of 0.1, though 0.3 / 0.1 is less than 3
        while times:  # by squaring, since np.power gives other bits for one number than for a row of them
            if times % 2:
                value = value * power
            power, times = power * power, times // 2
        return value

    def extremes(self) -> list[float]:
        start, factor = np.broadcast_arrays(ends(self.start), ends(self.factor))
        last = start * np.where(factor > 1, np.inf, np.where(factor < 1, 0, 1)) if np.all(start) else np.zeros(1)
        return [*start.tolist(), *last.tolist()]
