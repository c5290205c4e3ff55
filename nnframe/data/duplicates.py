"""Rows of inputs that occur more than once."""

import numpy as np

from nnframe.data.dataset import Dataset


def as_bytes(data: Dataset) -> np.ndarray:
    """Each row of inputs as one value that can be compared, without rows that only fill up."""
    x = data.x if data.weight is None else data.x[data.weight != 0]
    rows = np.ascontiguousarray(x.reshape(len(x), -1))
    return rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize)))[:, 0]


def shared(rows: np.ndarray, others: np.ndarray) -> int:
    """How many rows, as `as_bytes` has them, are among others."""
    return int(np.isin(rows, others).sum())
