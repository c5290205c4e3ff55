"""Several networks as one: averaged outputs and their spread, by hand and by SciPy; training with values of the ensemble."""

import numpy as np
import pytest
from cases import every_loss
from scipy.special import expit, log_softmax, softmax
from scipy.stats import entropy

import nnframe as nn
from nnframe.training.ensemble import spread, uncertainty


@pytest.mark.parametrize("outputs", [(3,), (4, 3)])
def test_cross_entropy_averages_probabilities(outputs, rng):
    pred = rng.normal(0, 3, (5, 7, *outputs))
    loss = nn.CrossEntropy()
    np.testing.assert_allclose(softmax(loss.averaged(pred), -1), softmax(pred, -1).mean(0), rtol=1e-13)


def test_binary_cross_entropy_averages_probabilities(rng):
    pred = rng.normal(0, 3, (5, 7, 1))
    np.testing.assert_allclose(expit(nn.BinaryCrossEntropy().averaged(pred)), expit(pred).mean(0), rtol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sure_network_weighs_no_more_than_its_share(dtype):
    """Logits of 1000: by hand, the mean of p = 1 and p = 1/2 is 3/4, and where all are sure the least sure counts."""
    binary = nn.BinaryCrossEntropy()
    pairs = {(1000, 0): np.log(3), (0, -1000): -np.log(3), (1000, -1000): 0, (1000, 1000): 1000, (-1000, -1000): -1000}
    pairs |= {(1000, 30): 30 + np.log(2), (-1000, -30): -30 - np.log(2)}
    for logits, expected in pairs.items():
        got = binary.averaged(np.array(logits, dtype)[:, None, None])
        assert got.dtype == dtype and got.shape == (1, 1)
        assert got[0, 0] == pytest.approx(expected, rel=1e-6, abs=1e-6)
    classes = np.array([[[1000, 0, -1000]], [[1000, 0, 0]]], dtype)
    got = nn.CrossEntropy().averaged(classes)
    assert got.dtype == dtype
    np.testing.assert_allclose(got, [[0, -1000, -1000 - np.log(2)]], rtol=1e-6)
    wide = np.array([[[3e38, -3e38]], [[3e38, -3e38]]], dtype)
    assert not np.isnan(nn.CrossEntropy().averaged(wide)).any()
    assert not np.isnan(binary.averaged(np.array([[[np.inf]], [[-np.inf]]], dtype))).any()


@every_loss
def test_what_is_read_from_the_averaged_outputs_is_the_mean_of_what_is_read(case, rng):
    loss, pred = case.of(), rng.normal(0, 3, (6, 4, *case.shapes[0]))
    before = pred.copy()
    np.testing.assert_allclose(loss.readout(loss.averaged(pred)), loss.readout(pred).mean(0), rtol=1e-12)
    np.testing.assert_array_equal(pred, before)
    np.testing.assert_allclose(loss.readout(loss.averaged(pred[:1])), loss.readout(pred[0]), rtol=1e-12)


@pytest.mark.parametrize("base", [nn.MSE, nn.CrossEntropy])
def test_a_loss_with_a_readout_of_its_own_says_that_it_must_average_too(base):
    class Cold(base):
        def readout(self, pred):
            return super().readout(2 * pred)

    pred = np.zeros((2, 3, 2))
    with pytest.raises(nn.UsageError, match=r"Cold writes its own `readout`, .*; write `averaged` in Cold too"):
        Cold().averaged(pred)

    class Warm(Cold):
        def averaged(self, pred):
            return base.averaged(self, 2 * pred) / 2

    np.testing.assert_allclose(Warm().averaged(pred)[:, 0], Warm().averaged(pred)[:, 1])
    assert nn.MSE().averaged(pred).shape == (3, 2)  # and its bases are as they were


def test_the_spread_of_numbers_by_hand():
    read = np.array([1.0, 2, 3, 6])[:, None, None] * np.array([[1.0], [-1]])
    found = spread(read, nn.MSE())
    assert list(found) == ["mean", "sd", "q05", "q95"]
    assert found["mean"].ravel().tolist() == [3, -3]
    np.testing.assert_allclose(found["sd"], np.sqrt((4 + 1 + 0 + 9) / 3))
    np.testing.assert_allclose(found["q05"].ravel(), [1.15, -5.55])
    np.testing.assert_allclose(found["q95"].ravel(), [5.55, -1.15])
    assert np.isnan(spread(read[:1])["sd"]).all() and spread(read[:1])["mean"].tolist() == read[0].tolist()


def test_entropy_and_information_of_classes(rng):
    p = softmax(rng.normal(0, 2, (6, 5, 3)), -1)
    found = spread(p, nn.CrossEntropy())
    np.testing.assert_allclose(found["entropy"], entropy(p.mean(0), axis=-1), rtol=1e-13)
    np.testing.assert_allclose(found["mutual_information"], entropy(p.mean(0), axis=-1) - entropy(p, axis=-1).mean(0), rtol=1e-12)
    one = expit(rng.normal(0, 2, (6, 5, 1)))
    found, pair = spread(one, nn.BinaryCrossEntropy()), uncertainty(np.concatenate([1 - one, one], -1))
    for name in ("entropy", "mutual_information"):
        assert found[name].shape == (5,)
        np.testing.assert_array_equal(found[name], pair[name])
    several = spread(np.repeat(one, 2, -1), nn.BinaryCrossEntropy())
    np.testing.assert_array_equal(several["entropy"], np.repeat(pair["entropy"][:, None], 2, 1))


def test_members_that_disagree_for_sure_have_all_their_entropy_as_information():
    sure = np.array([[[1.0, 0]], [[0, 1.0]]])
    found = uncertainty(sure)
    assert found["entropy"] == pytest.approx(np.log(2)) and found["mutual_information"] == pytest.approx(np.log(2))


@pytest.mark.parametrize("members", [1, 2, 3, 10, 16])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_equal_members_share_no_information(members, dtype, rng):
    p = np.exp(log_softmax(rng.normal(0, 3, (1, 200, 7)).astype(dtype), -1))
    equal = np.repeat(p, members, 0)
    assert not uncertainty(equal)["mutual_information"].any()
    near = uncertainty(equal * (1 + 1e-7 * rng.normal(size=equal.shape)))["mutual_information"]
    assert (near >= 0).all() and near.max() < 1e-6
    if members > 1:
        found = spread(equal, nn.CrossEntropy())
        assert not found["sd"].any()
        np.testing.assert_array_equal(found["mean"], p[0])
