"""What data sources of images have in common."""

import numpy as np


def laid_out(x: np.ndarray, height: int, width: int, image: bool) -> tuple[np.ndarray, tuple[str, ...]]:
    """Pixels (rows, height * width) and their names; as an `image` (rows, height, width, 1), whose pixels have none."""
    if image:
        return x.reshape(-1, height, width, 1), ()
    return x, tuple(f"pixel_{row}_{column}" for row in range(height) for column in range(width))
