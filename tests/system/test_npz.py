"""npz files that inflate: bounded by the size of the file, in all, before anything is read."""

import tracemalloc

import numpy as np
import pytest

import nnframe as nn
from nnframe.system import npz


def saved(path, **shapes):
    np.savez_compressed(path, **{name: np.zeros(shape) for name, shape in shapes.items()})
    return path


BOMBS = {
    "one array": {"x": (300, 105_000), "y": (300, 1)},
    "many arrays": {"x": (100, 2), "y": (100, 1)} | {f"z{i}": (2**17,) for i in range(100)},
}


@pytest.mark.parametrize("case", BOMBS)
def test_a_small_file_that_inflates_to_hundreds_of_megabytes_is_refused(tmp_path, case):
    path = saved(tmp_path / "d.npz", **BOMBS[case])
    assert path.stat().st_size < 320_000
    tracemalloc.start()
    with pytest.raises(
        nn.FileError, match=r"d\.npz is not an npz file of plain arrays: it claims [\d,]+ bytes in [\d,]+; if it is meant so,"
    ):
        nn.Arrays(path).load()
    assert tracemalloc.get_traced_memory()[1] < 2**21
    tracemalloc.stop()


def test_what_is_small_or_hardly_compressed_is_read(tmp_path, rng):
    small = saved(tmp_path / "small.npz", x=(1000, 2000), y=(1000, 1))  # 16 MB of zeros
    assert nn.Arrays(small).load().x.shape == (1000, 2000)
    np.savez_compressed(tmp_path / "sparse.npz", x=np.where(rng.random((1000, 5000)) < 0.02, 1.0, 0.0), y=np.zeros(1000))
    assert nn.Arrays(tmp_path / "sparse.npz").load().x.shape == (1000, 5000)
    np.savez(tmp_path / "plain.npz", x=np.zeros((1000, 5000)), y=np.zeros(1000))
    assert set(npz.headers(tmp_path / "plain.npz")) == {"x", "y"}
