import numpy as np
import pytest


@pytest.fixture(autouse=True)
def strict():
    """NumPy raises where it would warn or keep silent. `fit` and `predict` set their own state: overflow is a run's own affair."""
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(0)
