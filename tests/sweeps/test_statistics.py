"""What is said of a sweep's best setting, against SciPy's tests, design matrices written out, and calculations by hand."""

import importlib.util
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from nnframe.components.wording import about, rounded
from nnframe.sweeps.sentences import confirmed, verdict
from nnframe.sweeps.statistics import compare, critical, failure_bound, interval, moments, ranked, summarize, tails, two_way

NAN, INF = np.nan, np.inf
ROOT = Path(__file__).parents[2]
BY_HAND = np.array([[2.0, 1, 0, -1, -2], [-1, -2, 2, 1, 0], [-1, 1, -2, 0, 2]])  # squares of each row add up to 10, columns to 0


def with_gaps(y, rng, part=0.15):
    return np.where(rng.random(y.shape) < part, NAN, y)


def by_design(y):
    """Effects of settings for seeds that add up to 0, the residuals' sum of squares, and its degrees of freedom: by a matrix of dummies."""
    rows, columns = np.nonzero(~np.isnan(y))
    design = np.zeros((len(rows), len(y) + y.shape[1] - 1))
    design[np.arange(len(rows)), rows] = 1
    for seed in range(y.shape[1] - 1):
        design[:, len(y) + seed] = (columns == seed) * 1.0 - (columns == y.shape[1] - 1)
    found, _, rank, _ = np.linalg.lstsq(design, y[rows, columns], rcond=None)
    rest = y[rows, columns] - design @ found
    residuals = np.full(y.shape, NAN)
    residuals[rows, columns] = rest
    return found[: len(y)], residuals, len(rows) - rank


# ------------------------------------------------------------------------------------------ effects and ranks


@pytest.mark.parametrize("shape", [(4, 9), (9, 4), (3, 3), (1, 5), (7, 1)])
@pytest.mark.parametrize("gaps", [False, True])
def test_effects_are_those_of_a_design_matrix(rng, shape, gaps):
    y = rng.normal(size=shape) + 3
    if gaps and min(shape) > 2:
        y[0, 1] = y[2, 0] = y[2, 2] = NAN
    settings, seeds = two_way(y)
    np.testing.assert_allclose(settings, by_design(y)[0], rtol=1e-10)
    assert seeds.sum() == pytest.approx(0, abs=1e-12)


def test_a_setting_that_missed_the_hard_seed_is_not_better_for_it():
    y = np.array([[5.0, 5, 5, 5, 5, 0], [4, 4, 4, 4, 4, NAN]])
    assert moments(y)[1].argmax() == 0 or moments(y)[1].tolist() == pytest.approx([25 / 6, 4])
    y[0] -= 0.5  # its mean is 3.67 now, below 4, and yet it is better on every seed that both have
    assert moments(y)[1].argmax() == 1 and ranked(y)[0].tolist() == [0, 1]


def test_settings_with_too_few_seeds_come_last_and_win_nothing():
    y = np.array([[1.0] * 8, [9, 9, 9, 9, NAN, NAN, NAN, NAN], [2] * 8, [NAN] * 8])
    assert ranked(y)[0].tolist() == [2, 0, 1, 3]
    found = compare(y + np.random.default_rng(0).normal(size=8) + np.eye(4, 8) / 100)
    assert found.winner == 2 and found.compared.tolist() == [True, False, False, False]


# ------------------------------------------------------------------------------------------ the two tests


def test_two_settings_are_the_paired_t_test(rng):
    for n in (5, 8, 20):
        y = rng.normal(size=(2, n)) + rng.normal(size=n)
        found = compare(y)
        expected = stats.ttest_rel(*y).pvalue
        assert found.p()[1 - found.winner] == pytest.approx(expected, rel=1e-6)
        assert found.behind[1 - found.winner] == (expected < 0.05)
        y[0, 0] = y[1, n - 1] = NAN
        if n > 6:
            found = compare(y)
            assert found.p()[1 - found.winner] == pytest.approx(stats.ttest_rel(*y, nan_policy="omit").pvalue, rel=1e-6)


@pytest.mark.parametrize("gaps", [False, True])
def test_one_round_is_the_larger_p_of_both_tests(gaps):
    rng = np.random.default_rng(11)
    y = rng.normal(size=(5, 8)) * [[1], [2], [2], [1], [1]] + rng.normal(size=8)
    if gaps:
        y[1, 2] = y[3, 0] = y[0, 7] = NAN
    found = compare(y)
    assert len(found.rounds) == 1 and not found.behind.any()
    effects, r, df = by_design(y)
    w = int(effects.argmax())
    mse = np.nansum(r * r) / df
    n = (~np.isnan(y)).sum(1)
    v = np.maximum((np.nansum(r * r, 1) / (n - 1) - mse / 5) / (1 - 2 / 5), 0)
    for j in set(range(5)) - {w}:
        common = y[w] - y[j]
        common = common[~np.isnan(common)]
        t1, t2 = common.mean() / np.sqrt(2 * mse / len(common)), common.mean() / np.sqrt((v[w] + v[j]) / len(common))
        tukey = stats.studentized_range.sf(np.sqrt(2) * t1, 5, df) if t1 > 0 else 1
        howell = stats.studentized_range.sf(np.sqrt(2) * t2, 5, 2 * (len(common) - 1)) if t2 > 0 else 1
        assert found.p()[j] == pytest.approx(max(tukey, howell), rel=1e-6), j
    v_j = np.median(np.delete(v, w))
    both = critical(5, df) * np.sqrt(mse / n[w]), stats.studentized_range.ppf(0.95, 5, 14) * np.sqrt((v[w] + v_j) / 2 / n[w])
    assert found.shows == pytest.approx(max(both), rel=1e-6 if not gaps else 0.1)


def test_without_seed_effects_tukeys_test_is_scipys():
    """Deviations (2 1 0 -1 -2) in orders whose seed means are equal: one-way and two-way residuals agree, but for 12 and 8 degrees."""
    y = BY_HAND + np.array([[7], [4], [0]])
    assert np.ptp(y.mean(0)) == 0
    one_way = stats.tukey_hsd(*y)
    mse = 30 / 12
    for j in (1, 2):
        q = (y[0].mean() - y[j].mean()) / np.sqrt(mse / 5)
        assert stats.studentized_range.sf(q, 3, 12) == pytest.approx(one_way.pvalue[0, j], rel=1e-6)
    found = compare(y)
    (first, second) = found.rounds
    assert first.settings.tolist() == [2] and first.k == 3 and first.df[0].tolist() == [8] and first.df[1].tolist() == [8]
    assert first.q[0] == pytest.approx(7 / np.sqrt(30 / 8 / 5)) and second.k == 2  # by hand: MSE = 30 / 8
    # squares of each setting 10: v = (10 / 4 - 3.75 / 3) / (1 - 2 / 3) = 3.75, so that both tests have the same q
    assert first.q[1] == pytest.approx(first.q[0])
    assert found.p()[1] == pytest.approx(stats.ttest_rel(y[0], y[1]).pvalue, rel=1e-6)


def test_what_one_round_finds_helps_the_next():
    """Alone with the best, a setting is behind by the paired t test; among twelve of which none goes, it cannot be told."""
    rng = np.random.default_rng(3)
    best = rng.normal(size=8)
    y = np.vstack([best, best - 1.2 + rng.normal(size=8), rng.normal(size=(10, 8)) - 100])
    assert stats.ttest_rel(*y[:2]).pvalue < 0.05
    found = compare(y)
    first, second = found.rounds
    assert first.k == 12 and sorted(first.settings) == list(range(2, 12)) and second.k == 2 and found.behind[1]
    assert found.p()[1] >= found.p()[2:].max()  # none is below that of an earlier round
    y[2:] = best - 0.3 + rng.normal(size=(10, 8))
    assert not compare(y).behind.any()


def test_only_both_tests_together_say_behind():
    """Tukey's test alone trusts the average spread, Games and Howell's alone a small own one."""
    rng = np.random.default_rng(0)
    quiet = 0.01 * rng.normal(size=(10, 8))
    loud = np.vstack([quiet, 3 + 4 * rng.normal(size=(1, 8))])
    found = compare(loud)
    assert found.winner == 10 and found.rounds[0].q[0].min() > critical(11, 70) and found.rounds[0].q[1].max() < critical(11, 14)
    assert not found.behind.any()


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_below_five_seeds_nothing_is_behind(rng, n):
    found = compare(np.arange(6.0)[:, None] * 1000 + rng.normal(size=(6, n)))
    assert not found.behind.any() and not found.compared.any() and np.isnan(found.p()).all() and np.isnan(found.shows)


def test_differences_below_a_step_are_not_told():
    accuracy = np.array([[0.9] * 5 + [0.9 + 1 / 360], [0.9] * 6, [0.9] * 6])
    assert not compare(accuracy, 0.5 / 360).behind.any()
    assert not compare(np.array([[1.0] * 6, [1 + 1e-9] * 6])).behind.any()  # rounding
    steady = np.array([[0.9] * 6, [0.88] * 6])
    found = compare(steady, 0.5 / 360)
    assert found.behind.tolist() == [False, True]
    assert found.p()[1] == pytest.approx(stats.studentized_range.sf(0.02 * np.sqrt(6) / (0.5 / 360), 2, 5), rel=1e-6)
    assert compare(np.zeros((3, 5))).p()[1:].tolist() == [1, 1]


def test_common_seeds_decide_who_can_be_compared():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(3, 8)) - np.array([[0], [50], [50]])
    y[0, :2] = y[1, 6:] = NAN  # four seeds in common
    found = compare(y)
    assert found.winner == 0 and found.compared.tolist() == [False, False, True] and found.behind.tolist() == [False, False, True]
    assert np.isnan(found.p()[1])


def test_critical_values_are_those_of_published_tables():
    """Harter 1960: 5 % points of the studentized range."""
    for k, df, q in ((2, 10, 3.15), (3, 10, 3.88), (5, 20, 4.23), (10, 60, 4.65), (20, 120, 5.13)):
        assert critical(k, df) == pytest.approx(q, abs=0.006)


def test_tens_of_thousands_of_settings_take_seconds_and_no_warning(rng):
    values = rng.normal(size=(20_000, 5)) + np.linspace(0, 30, 20_000)[:, None]
    summary = summarize(values, "min")
    assert summary.behind.sum() > 10_000 and (np.isnan(summary.p).sum(), summary.p[summary.behind].max() < 0.05) == (1, True)


def test_many_p_values_are_read_off_a_curve():
    q = np.linspace(-1, 30, 150)
    for k, df in ((2, 4), (8, 14), (300, 2093)):
        found, exact = tails(q, k, np.full(150, df)), stats.studentized_range.sf(np.maximum(q, 0), k, df)
        seen = exact > 1e-9
        np.testing.assert_allclose(found[seen], exact[seen], rtol=3e-3)
        assert (np.diff(found) <= 0).all() and found[0] == 1


# ------------------------------------------------------------------------------------------ the interval


def test_the_interval_of_one_setting_is_students(rng):
    y = rng.normal(size=(1, 9)) + 4
    np.testing.assert_allclose(interval(y, 0), stats.t.interval(0.95, 8, loc=y.mean(), scale=stats.sem(y[0])), rtol=1e-12)


def test_the_interval_of_the_best_by_hand():
    """Variances 2.5, mean 2.5; the winner's are deviations (2 1 0 -1 -2). Seeds are all alike, so that MSE = 30 / 8 is above it, and rho 0."""
    y = BY_HAND + np.array([[7], [4], [0]])
    se = np.sqrt(2.5 / 5)
    expected = 7 - stats.t.ppf(1 - 0.025 / 3, 12) * se, 7 + stats.t.ppf(0.975, 12) * se
    np.testing.assert_allclose(interval(y, 0), expected, rtol=1e-12)
    shared = y[:1] - np.array([[0], [3], [7]])  # all variance is the seeds': rho 1, nu = 12 / (1 + 2)
    expected = 7 - stats.t.ppf(1 - 0.025 / 3, 4) * se, 7 + stats.t.ppf(0.975, 4) * se
    np.testing.assert_allclose(interval(shared, 0), expected, rtol=1e-12)
    loud = y * [[2], [1], [1]]  # its own variance is above the mean of all: 10
    low, high = interval(loud, 0)
    assert high - 14 > stats.t.ppf(0.975, 12) * np.sqrt(10 / 5) * (1 - 1e-12)


def test_two_seeds_have_no_interval():
    assert np.isnan(interval(np.array([[1.0, 2], [3, 4]]), 1)).all()


def test_a_rate_of_failures_that_none_has_shown():
    assert failure_bound(8) == pytest.approx(0.312, abs=5e-4)  # (1 - 0.312)^8 = 0.05
    assert (1 - failure_bound(20)) ** 20 == pytest.approx(0.05)


# ------------------------------------------------------------------------------------------ summaries


def test_means_and_spreads_are_numpys(rng):
    values = rng.normal(size=(6, 9))
    for mode, best, worst in (("min", np.min, np.max), ("max", np.max, np.min)):
        summary = summarize(values, mode)
        np.testing.assert_allclose(summary.mean, values.mean(1), rtol=1e-12)
        np.testing.assert_allclose(summary.median, np.median(values, 1), rtol=1e-12)
        np.testing.assert_allclose(summary.sd, values.std(1, ddof=1), rtol=1e-12)
        np.testing.assert_array_equal(summary.best, best(values, 1))
        np.testing.assert_array_equal(summary.worst, worst(values, 1))
        np.testing.assert_array_equal(summary.order, np.argsort(values.mean(1))[:: 1 if mode == "min" else -1])


def test_losses_are_mirrored_scores(rng):
    values = rng.normal(size=(6, 9)) + 5 * np.arange(6)[:, None]
    loss, score = summarize(values, "min"), summarize(-values, "max")
    for name in ("order", "behind", "compared", "p", "sd", "shows"):
        np.testing.assert_array_equal(getattr(loss, name), getattr(score, name))
    assert loss.interval == (-score.interval[1], -score.interval[0]) and loss.estimate == -score.estimate
    assert loss.interval[0] < loss.estimate < loss.interval[1]


def test_the_interval_of_a_share_does_not_leave_its_range():
    values = np.array([[1.0, 0.9, 1, 1, 0.95], [0.6, 0.9, 0.1, 1, 1]])
    assert summarize(values, "max").interval[1] > 1 == summarize(values, "max", 0.01).interval[1]
    assert np.isnan(summarize(values[:, :2], "max", 0.01).interval[1])


def test_numbers_of_any_size_give_the_same(rng):
    values = rng.normal(size=(4, 6)) + np.arange(4)[:, None]
    expected = summarize(values, "min")
    for power in (-900, 900):
        found = summarize(values * 2.0**power, "min")
        np.testing.assert_array_equal(found.p, expected.p)
        np.testing.assert_array_equal(found.sd, expected.sd * 2.0**power)


def test_losses_without_measure_are_no_error():
    summary = summarize(np.array([[1e308, 1.5e308], [1, 2], [-1e308, 1e200], [3, 1e160]]), "max")
    assert summary.order.tolist()[0] == 0 and summary.mean[0] == 1.25e308
    assert summarize(np.full((2, 5), 1.7e308), "min").mean.tolist() == [1.7e308] * 2
    assert summarize(np.zeros((2, 5)), "min").order.tolist() == [0, 1]


def test_diverged_trials_count_as_the_worst_value_and_missing_ones_do_not():
    summary = summarize(np.array([[3.0, 5, 4], [1, INF, 1], [INF, INF, NAN], [9, 9, 9], [2, NAN, 2]]), "min")
    assert summary.n.tolist() == [3, 3, 2, 3, 2] and summary.counted == 9
    assert summary.diverged.tolist() == [0, 1, 2, 0, 0] and summary.failed.tolist() == [0, 0, 1, 0, 1]
    np.testing.assert_allclose(summary.mean, [4, 11 / 3, 9, 9, 2])
    assert summary.order.tolist() == [1, 0, 3, 4, 2]  # a setting without all three seeds is no winner
    assert summarize(np.array([[0.5, INF], [0.2, 0.9]]), "max").mean.tolist() == pytest.approx([0.35, 0.55])


def test_ties_stay_in_the_order_of_settings():
    assert summarize(np.array([[2.0], [1], [1], [2]]), "min").order.tolist() == [1, 2, 0, 3]


# ------------------------------------------------------------------------------------------ sentences


def two(value, spread):
    """A number to the place of the second digit of its spread, by the decimal module."""
    place = min(Decimal(f"{spread:.1e}").as_tuple().exponent, 0)
    return f"{Decimal(float(value)).quantize(Decimal((0, (1,), place))):f}"


@pytest.mark.parametrize(
    ("value", "spread", "told"),
    [
        (3116.2, 840.4, "3116"),  # by hand, as all below
        (3116.2, 84.04, "3116"),
        (3116.2, 8.404, "3116.2"),
        (0.97954, 0.003922, "0.9795"),
        (0.97954, 0.05, "0.980"),
        (31160.2, 99.6, "31160"),
        (0.0, 0.5, "0.00"),
        (-12.345, 1.234, "-12.3"),
        (123456.0, 0.0, "123456"),
        (0.25, 0.0, "0.25"),
        (5.0e12, 2.0e11, "5e+12"),
        (2.5e-9, 1.0e-10, "2.5e-09"),
        (3116.2, NAN, "3116"),
        (INF, NAN, "inf"),
    ],
)
def test_a_number_is_as_exact_as_its_spread(value, spread, told):
    assert rounded(value, spread) == told


@pytest.mark.parametrize(
    ("value", "told"), [(840.4, "840"), (84.04, "84"), (0.0084, "0.0084"), (8.4e6, "8400000"), (8.4e8, "8.4e+08"), (99.6, "100")]
)
def test_a_spread_of_ordinary_size_has_no_exponent(value, told):
    assert about(value) == told


SAME = " Chance here means seeds; the test rows are the same."


def told(values, mode="max", **options):
    summary = summarize(np.array(values, float), mode, options.pop("floor", None))
    return " ".join(verdict(summary, lambda setting: f"lr={setting}", options.pop("split_varies", False)))


def steps(*means, n=8, spread=1.0):
    """Settings with such means, and deviations that differ."""
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(len(means), n))
    return np.array(means)[:, None] + spread * (noise - noise.mean(1, keepdims=True))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([[0.5]], "lr=0: 0.5 over 1 seed. No failure in 1 seed leaves a failure rate of up to 95 %."),
        (steps(1, n=3), "lr=0: 1 over 3 seeds (95 %: L to H). No failure in 3 seeds leaves a failure rate of up to 63 %."),
        (steps(1, 0, n=2),
         "lr=0: 1, best of 2 over 2 seeds. 2 seeds: too few to say which is better. No failure in 2 seeds leaves a failure rate of up to 78 %."),
        (steps(0, 9, n=3),
         "lr=1: 9, best of 2 over 3 seeds (95 %: L to H, allowing for having picked the best). 3 seeds: too few to say which is better. No failure in 3 seeds leaves a failure rate of up to 63 %."),
        (steps(9, 8.9, 0, 0),
         "lr=0: 9, best of 4 over 8 seeds (95 %: L to H, allowing for having picked the best). 2 of 3 are behind it (Tukey and Games-Howell, p < .05); 1 cannot be told from it, nearest lr=1 (p = P). No failure in 8 seeds leaves a failure rate of up to 31 %."),
        (steps(0, 9),
         "lr=1: 9, best of 2 over 8 seeds (95 %: L to H, allowing for having picked the best). 1 of 1 is behind it (paired t, p < .05). No failure in 8 seeds leaves a failure rate of up to 31 %."),
    ],
)  # fmt: skip
def test_the_sentence_about_the_winner(values, sentence):
    values = np.array(values, float)
    summary = summarize(values, "max")
    low, high = (two(end, np.ptp(summary.interval) / 2) if np.isfinite(end) else "" for end in summary.interval)
    if np.isfinite(summary.interval[0]):
        one, nine = (two(number, np.ptp(summary.interval) / 2) for number in (1, 9))
        sentence = sentence.replace(": 9,", f": {nine},").replace(": 1 over 3", f": {one} over 3")
    p = stats.ttest_rel(*values[:2]).pvalue if len(values) > 1 else NAN  # of the last two that are left
    assert told(values) == f"{sentence.replace('L to H', f'{low} to {high}').replace('= P)', f'= {p:.2g})'.replace('0.', '.'))}{SAME}"


def test_the_sentence_where_nothing_ended_well():
    assert told([[NAN, INF]]) == "No trial ended well."


def test_the_sentence_says_which_differences_would_not_show():
    y = steps(0.5, 0.4, 0.3)
    sentence = told(y)
    assert f"No setting is distinguishable from lr=0 (Tukey and Games-Howell), nearest lr=1 (p = .9{''}" in sentence
    assert f"Differences below about {compare(y).shows:.2g} would not show." in sentence


def test_the_sentence_says_what_failed():
    y = steps(9, 8, 0, 0, 0)
    y[0, :2] = INF
    y[2, :5] = NAN
    y[3, :6] = NAN
    sentence = told(y)
    assert sentence.startswith("lr=1: 8.0, best of 5 over 8 seeds ")
    assert "2 of 40 trials diverged, counted as the worst value of the table, -" in sentence
    assert "lr=3 has 2 finished seeds; not compared. Nor is 1 other." in sentence and "No failure" in sentence
    y[0, 2:] += 100
    assert "lr=0: 2 of 8 seeds diverged, counted as worst." in told(y) and "No failure" not in told(y)


def test_the_sentence_says_what_chance_is():
    assert told(steps(1, 2)).endswith(SAME)
    assert told(steps(1, 2), split_varies=True).endswith(" Chance here means seeds, which draw the split of the rows too.")


def test_the_sentence_after_fresh_seeds():
    summary = summarize(steps(8.9, 9, 0, 0, 8.8, n=16), "max")
    name = "ABCDE".__getitem__
    first, *_ = confirmed(summary, name, False, "A", 27)
    low, high = summary.interval
    mean, low, high = (two(number, np.ptp(summary.interval) / 2) for number in (9, low, high))
    assert first == (
        f"Best of 5 on 16 fresh seeds: B, {mean} (95 %: {low} to {high}). C, D are behind (Tukey and Games-Howell, p < .05); "
        "A, E cannot be told from it. The search had put A first. The 27 others were not retried."
    )
    assert confirmed(summary, name, False, "B", 0)[0].endswith("The search had put it first.")


# ------------------------------------------------------------------------------------------ the simulation


@pytest.fixture(scope="module")
def simulation():
    spec = importlib.util.spec_from_file_location("simulate", ROOT / "experiments/statistics/simulate.py")
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["simulate"] = module  # where its dataclass looks for its annotations
    spec.loader.exec_module(module)
    yield module
    del sys.modules["simulate"]


def holds(row, method, error=0.03):
    """Is what a method says wrong at most in 5 % of the sweeps, but for three standard errors of 500?"""
    return row[f"false_{method}"] <= 0.05 + error and row[f"coverage_{method}"] >= 0.95 - error


@pytest.mark.parametrize("settings, seeds", [(8, 5), (32, 8)])
@pytest.mark.parametrize("outcome", ["normal", "collapsing"])
def test_what_is_said_holds_and_what_was_said_before_did_not(simulation, settings, seeds, outcome):
    row = simulation.simulate(simulation.Cell(settings, seeds, outcome, shared=0.0), 500)
    assert holds(row, "new") and not holds(row, "old"), row


def test_a_difference_of_two_standard_deviations_is_found(simulation):
    row = simulation.simulate(simulation.Cell(8, 5, ahead=2.0), 500)
    assert row["power_new"] > 0.7 and row["power_new"] > row["power_old"], row


def test_gaps_make_nothing_false(simulation):
    assert holds(simulation.simulate(simulation.Cell(8, 8, missing=0.15), 300), "new", 0.04)
