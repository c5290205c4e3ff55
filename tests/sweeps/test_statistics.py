"""Statistics against SciPy's, and the sentences that a careful colleague says."""

import numpy as np
import pytest
from scipy import stats

from nnframe.sweeps.statistics import holm, paired, summarize, verdict

NAN = np.nan


def told(values, mode="min"):
    return verdict(summarize(np.array(values, float), mode), lambda setting: f"lr={setting}")


def test_means_and_intervals_are_scipys(rng):
    values = rng.normal(size=(6, 9))
    summary = summarize(values, "min")
    np.testing.assert_allclose(summary.mean, values.mean(1), rtol=1e-12)
    np.testing.assert_allclose(summary.sd, values.std(1, ddof=1), rtol=1e-12)
    low, high = stats.t.interval(0.95, 8, loc=values.mean(1), scale=stats.sem(values, axis=1))
    np.testing.assert_allclose(summary.mean - summary.half, low, rtol=1e-12)
    np.testing.assert_allclose(summary.mean + summary.half, high, rtol=1e-12)
    np.testing.assert_array_equal(summary.best, values.min(1))
    np.testing.assert_array_equal(summary.order, np.argsort(values.mean(1)))


def test_failures_do_not_count_and_rank_last():
    summary = summarize(np.array([[3.0, 5, 4], [1, NAN, 1], [NAN, NAN, NAN], [9, 9, 9], [2, NAN, np.inf]]), "min")
    assert summary.n.tolist() == [3, 2, 0, 3, 1] and summary.failed.tolist() == [0, 1, 3, 0, 2]
    assert summary.order.tolist() == [0, 3, 1, 4, 2]
    np.testing.assert_array_equal(summary.mean, [4, 1, NAN, 9, 2])
    np.testing.assert_array_equal(summary.sd, [1, 0, NAN, 0, NAN])
    np.testing.assert_array_equal(summary.best, [3, 1, NAN, 9, 2])
    assert summarize(summary.values, "max").order.tolist() == [3, 0, 1, 4, 2]
    assert summarize(summary.values, "max").best[0] == 5


def test_losses_without_measure_are_no_error():
    summary = summarize(np.array([[1e308, 1.5e308], [1, 2], [-1e308, 1e200], [3, 1e160]]), "max")
    assert summary.order.tolist() == [0, 3, 1, 2] and np.isinf(summary.mean[0]) and summary.sd[1] == np.sqrt(0.5)
    assert verdict(summary, str).startswith("0: inf ± ")
    summary = summarize(summary.values, "min")
    assert summary.order.tolist() == [2, 1, 3, 0]
    assert summarize(np.array([[1, 1e160], [1, 2]]), "min").order.tolist() == [1, 0]


def test_ties_stay_in_the_order_of_settings():
    assert summarize(np.array([[2.0], [1], [1], [2]]), "min").order.tolist() == [1, 2, 0, 3]


def test_paired_differences_are_scipys(rng):
    winner, others = rng.normal(size=8), rng.normal(size=(5, 8))
    expected = [stats.ttest_rel(other, winner).pvalue for other in others]
    np.testing.assert_allclose(paired(others - winner), expected, rtol=1e-10)
    others[0, 2:5] = NAN
    expected = stats.ttest_rel(others[0], winner, nan_policy="omit").pvalue
    assert paired(others - winner)[0] == pytest.approx(expected, rel=1e-10)


def test_differences_without_spread():
    assert paired(np.array([[0.0, 0], [1, 1], [NAN, 1], [NAN, NAN]])).tolist() == pytest.approx([1, 0, NAN, NAN], nan_ok=True)


def test_holms_correction_by_hand():
    """Sorted 0.005 0.01 0.03 0.04, times 4 3 2 1: 0.02 0.03 0.06 0.04, and none below the one before it (Holm 1979)."""
    np.testing.assert_allclose(holm(np.array([0.01, 0.04, NAN, 0.03, 0.005])), [0.03, 0.06, NAN, 0.06, 0.02])
    np.testing.assert_allclose(holm(np.array([0.6, 0.9])), [1, 1])
    assert holm(np.array([])).size == 0


def test_holms_correction_as_published():
    """R's p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm") gives 0.05 0.08 0.09 0.09 0.09."""
    np.testing.assert_allclose(holm(np.array([0.01, 0.02, 0.03, 0.04, 0.05])), [0.05, 0.08, 0.09, 0.09, 0.09])


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([[0.5]], "lr=0: 0.5 with one seed; nothing can be said about chance, try some seeds"),
        ([[NAN, NAN]], "no trial ended well"),
        ([[1, 1.1, 0.9]], "lr=0: 1 ± 0.25 over 3 seeds"),
        ([[1, 1.1, 0.9], [1, 1.1, 0.9]], "lr=0: 1 ± 0.25 over 3 seeds; not distinguishable from lr=1 (p = 1)"),
        ([[5, 5.1, 4.9], [1, 1.1, 0.9]], "lr=1: 1 ± 0.25 over 3 seeds; better than 1 of 1 other settings"),
        ([[1, 1.2, 0.9], [1, 1.1, 1.2], [1, 1.3, 1.2]], "lr=0: 1.033 ± 0.38 over 3 seeds; not distinguishable from lr=1 (p = 0.63) and 1 more"),
        ([[1, 1.1, 0.9], [5, 5.1, 4.8], [1.1, 1.1, 0.9]],
         "lr=0: 1 ± 0.25 over 3 seeds; not distinguishable from lr=2 (p = 0.42); better than 1 of 2 other settings"),
        ([[1, 1.1, 0.9], [NAN, NAN, 4.8]], "lr=0: 1 ± 0.25 over 3 seeds; better than 0 of 1 other settings; 1 could not be compared"),
        ([[1, 1.1, 0.9, 1], [0.1, 0.21, NAN, 0.1]],
         "lr=0: 1 ± 0.13 over 4 seeds; worse than lr=1 on the seeds that did not fail there"),
    ],
)  # fmt: skip
def test_the_sentence_about_the_winner(values, sentence):
    assert told(values) == sentence
    assert told((-np.array(values)).tolist(), "max") == sentence.replace("lr=0: ", "lr=0: -").replace("lr=1: 1", "lr=1: -1")
