"""Augmentations of rows of any shape."""

import numpy as np

from nnframe.components.component import register
from nnframe.components.markers import NonNegative, PerRun
from nnframe.data.augmentations.base import Augmentation, rows_of


@register
class Noise(Augmentation):
    """x + std n, with n from a normal distribution of variance 1, drawn anew for every number at every step (Bishop 1995)."""

    std: PerRun[NonNegative] = 0.1

    def change(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        noise = self.stream.normal(np.empty(self.draws(x)))
        return (x + self.number("std") * noise).astype(x.dtype, copy=False), y


@register
class Mixup(Augmentation):
    """l x + (1 - l) x', l y + (1 - l) y', where x', y' is another row of the batch, by a permutation of it, and l one number a batch from
    Beta(alpha, alpha) (Zhang et al. 2018). With alpha 0 nothing is mixed.

    l is the quantile of a uniform number, so that runs of one seed draw alike whatever their alpha is. A row keeps its own weight.
    """

    alpha: PerRun[NonNegative] = 0.2

    changes_targets = True

    def change(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        from scipy.special import betaincinv

        uniform = self.stream.random(np.empty((len(self.stream.generators), 1 + self.draws(x)[1])))
        partner = uniform[..., 1:].argsort(-1, kind="stable")
        alpha = np.asarray(self.bound.alpha, np.float64)
        own = np.where(alpha > 0, betaincinv(np.where(alpha > 0, alpha, 1), np.where(alpha > 0, alpha, 1), uniform[..., :1]), 1)
        return self._mixed(x, self.features, own, partner), self._mixed(y, self.targets, own, partner)

    def _mixed(self, a: np.ndarray, row: tuple[int, ...], own: np.ndarray, partner: np.ndarray) -> np.ndarray:
        """Rows a, each of shape `row`, and their partners: `own` (*runs, 1) is a row's own share."""
        share = own.astype(a.dtype).reshape(*own.shape[:-1], *(1,) * (1 + len(row)))
        return np.where(share == 1, a, share * a + (1 - share) * rows_of(a, partner, len(row)))
