"""Numbers that change during training. A schedule stands wherever a `PerRun` number may stand; `fit` writes its values.

`value(t, total)` is the number at epoch `t`, a float that starts at 0 (step / steps an epoch), of `total` epochs.
"""

from typing import Any

import numpy as np

from nnframe.components.component import Component


class Schedule(Component):
    """Base: write `value`, (*runs, 1) from the bound options `self.bound`, and `extremes`, the numbers to check against a range."""

    slot = "schedule"
    schedulable = False

    def value(self, t: float, total: float) -> np.ndarray:
        raise NotImplementedError

    def extremes(self) -> list[float]:
        raise NotImplementedError


def ends(option: Any) -> np.ndarray:
    """The values of a PerRun option of a schedule, one or one per run."""
    return np.atleast_1d(np.asarray(option, np.float64))
