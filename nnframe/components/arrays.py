"""What a person gives as numbers, as an array."""

from typing import Any

import numpy as np

from nnframe.errors import DataError


def as_numbers(value: Any, path: str = "") -> np.ndarray:
    """`value` as an array of floating numbers, integers or booleans. Integers are signed, or of less than 64 bits: NumPy
    computes with int64 and uint64 together in floating numbers.

    Raises DataError for what is none: rows of several lengths, texts, objects, complex numbers, integers from 2**63.
    """
    if value is None:
        raise DataError("expected an array, got nothing", path=path)
    try:
        array = np.asarray(value)
    except ValueError:
        raise DataError("expected rows of the same length", path=path) from None
    if array.dtype.kind not in "fiub":
        raise DataError(f"expected numbers, got {array.dtype}", path=path)
    if array.dtype == np.uint64:
        if array.size and array.max() >= 2**63:
            raise DataError(f"expected integers less than 2**63, got {array.max()}", path=path)
        return array.astype(np.int64)
    return array
