"""MNIST-1D: the set that is generated is the set that was published."""

from pathlib import Path

import numpy as np
import pytest

import nnframe as nn

FROZEN = np.load(Path(__file__).with_name("mnist1d.npz"))


@pytest.mark.parametrize(("part", "names"), [("training", ("x", "y")), ("test", ("x_test", "y_test"))])
def test_the_default_is_the_frozen_set(part, names):
    state = np.random.get_state()[1].tobytes()  # noqa: NPY002
    data, (x, y) = nn.MNIST1D(part=part).read(), (FROZEN[name] for name in names)
    assert data.x.shape == x.shape and np.abs(data.x - x).max() < 1e-6 and np.array_equal(data.y, y)
    assert data.classes == tuple("0123456789") and len(data.inputs) == 40
    assert np.random.get_state()[1].tobytes() == state  # noqa: NPY002  global random state is nobody's


def test_shuffled_positions_are_one_permutation_of_all_rows():
    plain, shuffled = nn.MNIST1D(100).read(), nn.MNIST1D(100, shuffled=True).read()
    order = [int(np.flatnonzero((plain.x == column[:, None]).all(0)).item()) for column in shuffled.x.T]
    assert sorted(order) == list(range(40)) != order and shuffled.y.tolist() == plain.y.tolist()


def test_without_noise_and_changes_a_signal_is_its_template():
    still = {"padding": (0, 0), "scale": 0, "translation": 1, "correlated_noise": 0, "white_noise": 0, "shear": 0, "length": 12}
    data = nn.MNIST1D(20, **still).read()
    everything = np.concatenate([data.x, nn.MNIST1D(20, part="test", **still).read().x])
    assert len(data.x) == 16 and abs(everything.mean()) < 1e-12 and abs(everything.std() - 1) < 1e-12
    seven = data.x[data.y == 7][0]
    by_hand = np.array([5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5])  # of the paper's figure 2, up to a shift and a factor
    np.testing.assert_allclose((seven - seven[0]) / (seven[1] - seven[0]), (by_hand - 5) / 2, atol=1e-6)


def test_another_seed_gives_other_rows():
    assert not np.array_equal(nn.MNIST1D(20, seed=1).read().x, nn.MNIST1D(20).read().x)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rows": 15}, r"rows: expected as many rows of each of 10 classes, got 15"),
        ({"rows": 10, "training_share": 0.01}, r"training_share: 0.01 leaves 0 of 10 rows to train on and 10 to test on"),
        ({"padding": (9, 8)}, r"padding: expected the smallest and the largest, got \[9, 8\]"),
        ({"translation": 73}, r"translation: expected at most 72, which are the points of a signal, got 73"),
    ],
)
def test_options_that_make_no_signals(options, words):
    with pytest.raises(nn.OptionError, match=words):
        nn.MNIST1D(**options)


def test_its_other_part_validates():
    prepared = nn.MNIST1D(50, validation=nn.MNIST1D(50, part="test")).prepare(0)
    assert (len(prepared.training.x), len(prepared.validation.x)) == (40, 10)
