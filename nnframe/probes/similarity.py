"""How alike two representations of the same rows are."""

from typing import Any

import numpy as np

from nnframe.components.arrays import as_numbers
from nnframe.errors import DataError, ShapeError


def cka(a: Any, b: Any) -> np.ndarray:
    """Linear centered kernel alignment of activations of the same rows (Kornblith et al. 2019): |B'A|^2 / (|A'A| |B'B|) of Frobenius norms,
    where the columns of A and B are centered. From 0 to 1; 1 for what is alike but for a rotation and a scale.

    a, b: (rows, n) and (rows, m), or (R, rows, ...) for each run of a stack; one without runs is compared with every run. Fold further
    axes before: a.reshape(R, rows, -1). Returns (*runs,) in float64; NaN where all rows of one are the same.
    """
    a, b = _centered(a, "cka.a"), _centered(b, "cka.b")
    if a.shape[-2] != b.shape[-2] or (a.ndim == b.ndim == 3 and len(a) != len(b)):
        raise ShapeError(f"expected activations of the same rows and runs, got {a.shape} and {b.shape}", path="cka")
    return _alignment(a, b)


def cka_of_runs(a: Any, b: Any = None) -> np.ndarray:
    """`cka` of every run of a with every run of b, or of a itself: (R, rows, n) and (S, rows, m) to (R, S)."""
    first = _centered(a, "cka_of_runs.a")
    second = first if b is None else _centered(b, "cka_of_runs.b")
    if first.ndim != 3 or second.ndim != 3 or first.shape[1] != second.shape[1]:
        shapes = f"{first.shape}" if b is None else f"{first.shape} and {second.shape}"
        raise ShapeError(f"expected activations (R, rows, n) of the same rows, got {shapes}", path="cka_of_runs")
    return np.stack([_alignment(one, second) for one in first])  # all pairs at once would take R times the memory


def _centered(value: Any, name: str) -> np.ndarray:
    a = as_numbers(value, name).astype(np.float64)
    if a.ndim not in (2, 3) or 0 in a.shape:
        raise ShapeError(f"expected (rows, n) or (R, rows, n), got {a.shape}; fold further axes: a.reshape(R, rows, -1)", path=name)
    if not np.isfinite(a).all():
        raise DataError("expected finite numbers", path=name)
    return a - a.mean(-2, keepdims=True)


def _alignment(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of (..., rows, n) and (..., rows, m), by whichever matrices are smaller: of features, or of rows."""
    rows, n, m = a.shape[-2], a.shape[-1], b.shape[-1]
    if max(n, m) <= rows:
        aa, bb, ab = (x.mT @ y for x, y in ((a, a), (b, b), (a, b)))
        shared = _sum(ab * ab)
    else:
        aa, bb = a @ a.mT, b @ b.mT
        shared = _sum(aa * bb)
    norms = np.sqrt(_sum(aa * aa)) * np.sqrt(_sum(bb * bb))
    with np.errstate(all="ignore"):
        return np.where(norms > 0, shared / norms, np.nan)


def _sum(a: np.ndarray) -> np.ndarray:
    return a.reshape(*a.shape[:-2], -1).sum(-1)
