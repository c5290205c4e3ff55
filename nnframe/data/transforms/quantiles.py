"""Transforms to a distribution of known form."""

from typing import Annotated, Literal

import numpy as np

from nnframe.components.component import register
from nnframe.components.markers import Range
from nnframe.data.transforms.base import Transform, floating

FARTHEST = 1e-7 - 2.0**-52  # a normal output ends at the quantile of this share, as scikit-learn's does


@register
class Quantiles(Transform):
    """The share of training rows that are below x, between `count` quantiles by lines, so that outputs are even in [0, 1]; or the normal
    quantile of that share. What lies outside the training rows is as their ends are. A constant input becomes 0.5, or 0.

    As scikit-learn's QuantileTransformer, but that all rows count, and that a constant stands in the middle.
    """

    count: Annotated[int, Range(min=2)] = 1000
    to: Literal["uniform", "normal"] = "uniform"

    fitted = ("quantiles",)  # (count or the number of training rows, *inputs)

    def fit(self, x: np.ndarray) -> None:
        self.missing_in(x)
        shares = np.linspace(0, 1, min(self.count, len(x))) * 100
        self.quantiles = np.maximum.accumulate(np.nanpercentile(floating(x), shares, axis=0), 0)  # rounding may take one below another

    def apply(self, x: np.ndarray) -> np.ndarray:
        flat = floating(x).reshape(len(x), -1)
        share = np.empty(flat.shape)
        for i, (column, known) in enumerate(zip(flat.T, self._columns, strict=True)):
            of = np.linspace(0, 1, len(known))
            share[:, i] = 0.5 * (np.interp(column, known, of) - np.interp(-column, -known[::-1], -of[::-1]))  # the middle of equal ones
            if known[0] < known[-1]:
                share[column >= known[-1], i] = 1
                share[column <= known[0], i] = 0
            else:
                share[~np.isnan(column), i] = 0.5
        if self.to == "normal":
            from scipy.special import ndtri

            share = ndtri(np.clip(share, FARTHEST, 1 - FARTHEST))
        return share.reshape(x.shape).astype(flat.dtype, copy=False)

    def invert(self, y: np.ndarray) -> np.ndarray:
        share = np.asarray(y, np.float64)
        if self.to == "normal":
            from scipy.special import ndtr

            share = ndtr(share)
            share = np.where(share <= FARTHEST * (1 + 1e-6), 0, np.where(share >= 1 - FARTHEST * (1 + 1e-6), 1, share))
        known = self._columns
        flat = share.reshape(-1, len(known))
        columns = [np.interp(column, np.linspace(0, 1, len(q)), q) for column, q in zip(flat.T, known, strict=True)]
        return np.stack(columns, -1).reshape(share.shape) if columns else share

    @property
    def _columns(self) -> np.ndarray:
        """The quantiles of each input: (inputs, quantiles)."""
        return self.quantiles.reshape(len(self.quantiles), -1).T
