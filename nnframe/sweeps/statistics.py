"""Which settings are behind the best one, and where that one lies, when the same seeds that describe it have picked it.

Two tests must both agree: Tukey's, on what is left when settings and seeds are taken out, and Games and Howell's, which gives every
setting a variance of its own. Functions of arrays `y` (settings, seeds): large is good, NaN is missing. experiments/statistics shows
how often they are wrong.
"""

import warnings
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

LEVEL = 0.05
MIN = 5  # seeds, below which nothing is said to be behind
RELATIVE = 1e-6  # of a mean: spreads below it are rounding
MANY = 101  # p values of one distribution, from which on they are read off a curve


# ------------------------------------------------------------------------------------------ of arrays


def two_way(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Effects of settings and of seeds by least squares; those of seeds add up to 0, so that a setting's is its mean where nothing is
    missing. NaN for a setting without numbers."""
    known = ~np.isnan(y)
    if known.all():
        return y.mean(1), y.mean(0) - y.mean()
    if len(y) < y.shape[1]:  # the fewer ones are solved for
        seeds, settings = two_way(y.T)
        shift = np.nanmean(seeds)
        return np.where(known.any(1), settings + shift, np.nan), seeds - shift
    n = known.sum(1)
    mean = np.where(known, y, 0.0).sum(1) / np.maximum(n, 1)
    share = known / np.maximum(n, 1)[:, None]
    deviation = np.where(known, y - mean[:, None], 0.0).sum(0)
    seeds = np.linalg.lstsq(np.diag(known.sum(0)) - known.T @ share, deviation, rcond=None)[0]
    return np.where(n > 0, mean - share @ seeds, np.nan), np.where(known.any(0), seeds, np.nan)


def ranked(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The settings, best first, and their effects; those with too few seeds to be compared come after all others."""
    effects, n = two_way(y)[0], (~np.isnan(y)).sum(1)
    return np.lexsort((-effects, n < enough(y))), effects


def enough(y: np.ndarray) -> int:
    """So many seeds a setting must have to be compared."""
    return max(min(int((~np.isnan(y)).sum(1).max(initial=0)), MIN), 1)


@dataclass
class _Round:
    """What one look at the settings that are left has told: of `settings` (those found to be behind, or in the last look all)."""

    settings: np.ndarray
    k: int
    q: tuple[np.ndarray, np.ndarray]
    df: tuple[np.ndarray, np.ndarray]


@dataclass
class Comparison:
    """`behind` and `compared` (settings,) say of each whether it is worse than the `winner`, and whether that could be asked;
    `shows` is about the smallest difference from the best that would be called behind, NaN if nothing is left to compare."""

    winner: int
    behind: np.ndarray
    compared: np.ndarray
    shows: float = np.nan
    rounds: list[_Round] = field(default_factory=list)

    def p(self) -> np.ndarray:
        """P values (settings,), NaN for the winner and what was not compared; none is below one of an earlier round."""
        p, least = np.full(len(self.behind), np.nan), 0.0
        for found in self.rounds:
            both = [tails(q, found.k, df) for q, df in zip(found.q, found.df, strict=True)]
            p[found.settings] = np.maximum(np.maximum(*both), least)
            least = max(least, p[found.settings].max(initial=0))
        return p


@np.errstate(all="ignore")
def compare(y: np.ndarray, floor: float | None = None) -> Comparison:
    """Which settings are behind the best one. `floor` is the least standard deviation that counts, half a step of what y counts;
    unless given, RELATIVE of the best mean."""
    known = ~np.isnan(y)
    n, (order, effects) = known.sum(1), ranked(y)
    winner = int(order[0])
    floor = RELATIVE * abs(effects[winner]) if floor is None else floor
    difference = y[winner] - y
    common = (~np.isnan(difference)).sum(1)
    d = np.nansum(difference, 1) / np.maximum(common, 1)
    compared = (common >= MIN) & (n >= enough(y))
    compared[winner] = False
    found = Comparison(winner, np.zeros(len(y), bool), compared)
    left = n >= max(enough(y), MIN)
    while compared[left].any():
        s = np.flatnonzero(left)
        k, part, j = len(s), y[s], np.flatnonzero(left & compared)
        settings, seeds = two_way(part)
        squares = np.nansum(np.square(part - settings[:, None] - seeds), 1)
        df1 = max(int(known[s].sum()) - k - int(known[s].any(0).sum()) + 1, 1)
        mse = squares.sum() / df1
        v = np.full(len(y), mse)  # of two settings the same for both: the paired t test
        if k > 2:
            v[s] = np.maximum((squares / (n[s] - 1) - mse / k) / (1 - 2 / k), 0)
        df2 = (common[j] - 1) * (2 if k > 2 else 1)
        q1 = _ratio(d[j] * np.sqrt(common[j]), np.sqrt(max(mse, floor**2)))
        q2 = _ratio(d[j] * np.sqrt(2 * common[j]), np.sqrt(np.maximum(v[winner] + v[j], 2 * floor**2)))
        behind = (q1 > critical(k, df1)) & (q2 > np.array([critical(k, df) for df in df2.tolist()]))
        told = behind if behind.any() else ~behind
        dfs = np.full(told.sum(), df1), df2[told]
        found.rounds.append(_Round(j[told], k, (q1[told], q2[told]), dfs))
        if not behind.any():
            both = max(v[winner] + np.median(v[j]), 2 * floor**2)
            tukey = critical(k, df1) * np.sqrt(max(mse, floor**2) / n[winner])
            found.shows = float(max(tukey, critical(k, int(df2.max())) * np.sqrt(both / 2 / n[winner])))
            break
        found.behind[j[behind]] = True
        left &= ~found.behind
    return found


@np.errstate(all="ignore")
def interval(y: np.ndarray, winner: int) -> tuple[float, float]:
    """95 % interval for the mean of the best of all settings: only its upper side has been selected. NaN for fewer than 3 seeds."""
    from scipy.special import stdtrit

    known, (settings, seeds) = ~np.isnan(y), two_way(y)
    n, k = known.sum(1), int(known.any(1).sum())
    if n[winner] < 3:
        return np.nan, np.nan
    deviations = np.nansum(np.square(y - moments(y)[1][:, None]), 1)
    total = int(np.maximum(n - 1, 0).sum())
    variance, rest = deviations.sum() / total, int(known.sum()) - k - int(known.any(0).sum()) + 1
    shared = 0.0
    if rest > 0 and variance > 0:
        shared = min(max(1 - np.nansum(np.square(y - settings[:, None] - seeds)) / rest / variance, 0), 1)
    df = total / (1 + (k - 1) * shared**2)
    se = np.sqrt(max(variance, deviations[winner] / (n[winner] - 1)) / n[winner])
    mean = settings[winner]
    return float(mean - stdtrit(df, 1 - LEVEL / 2 / k) * se), float(mean + stdtrit(df, 1 - LEVEL / 2) * se)


@np.errstate(all="ignore")
def moments(y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How many numbers each row has, their mean and their standard deviation; NaN where there are too few."""
    known = ~np.isnan(y)
    n = known.sum(1)
    mean = np.where(n > 0, np.where(known, y, 0.0).sum(1) / np.maximum(n, 1), np.nan)
    spread = np.where(known, y - mean[:, None], 0.0)
    return n, mean, np.where(n > 1, np.sqrt((spread * spread).sum(1) / np.maximum(n - 1, 1)), np.nan)


def failure_bound(n: int) -> float:
    """The largest rate of failures that shows none in `n` seeds in one case of twenty."""
    return 1 - LEVEL ** (1 / n)


@cache
@np.errstate(all="ignore")
def critical(k: int, df: int) -> float:
    """The studentized range of `k` means that chance exceeds in one case of twenty."""
    return float(_studentized_range("ppf", 1 - LEVEL, k, df))


@np.errstate(all="ignore")
def tails(q: np.ndarray, k: int, df: np.ndarray) -> np.ndarray:
    """How probable ranges of at least `q` are. SciPy needs milliseconds for each: many are read off a curve through MANY of them, to
    a thousandth of their size; beyond 50, the probability of 50 stands for smaller ones."""
    from scipy.interpolate import PchipInterpolator

    p = np.empty(len(q))
    for one in np.unique(df):
        some = df == one
        if some.sum() <= MANY:
            p[some] = _studentized_range("sf", q[some], k, one)
        else:
            at = 50 * np.linspace(0, 1, MANY) ** 2
            curve = PchipInterpolator(at, np.log(np.maximum(_studentized_range("sf", at, k, one), 1e-12)))
            p[some] = np.exp(curve(np.clip(q[some], 0, 50)))
    return np.where(q <= 0, 1.0, np.clip(p, 0, 1))


def _studentized_range(function: str, *arguments: Any) -> Any:
    from scipy.stats import studentized_range

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it doubts some tails of tens of thousands of settings, 1e-12 and below, which are good
        return getattr(studentized_range, function)(*arguments)


def _ratio(a: np.ndarray, b: Any) -> np.ndarray:
    """a / b, where no difference is 0 also without any spread."""
    return np.where(a == 0, 0.0, a / b)


# ------------------------------------------------------------------------------------------ of folds


@dataclass(frozen=True)
class Folds:
    """What folds gave, by setting: `mean` of those that ended well, and the 95 % interval from `low` to `high`, NaN for fewer than 2, whose
    variance is corrected for the rows that folds share as Nadeau and Bengio (2003) do: s2 (1 / n + ratio) for n values."""

    count: int
    word: str  # fold or bootstrap
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    @np.errstate(all="ignore")
    def of(cls, values: np.ndarray, word: str, ratio: float, drawn_anew: bool, share: bool) -> "Folds":
        """`values` (settings, seeds, folds) of a measure, a `share` from 0 to 1 or not; `ratio` is of rows to validate on to rows that are
        trained on. Of seeds with the same folds the mean is one value; seeds that draw their own make so many more (Bouckaert and
        Frank 2004)."""
        from scipy.special import stdtrit

        values = np.where(np.isfinite(values), values, np.nan)
        y = values.reshape(len(values), -1) if drawn_anew else values.mean(1)
        n, mean, sd = moments(y)
        half = np.where(n > 1, stdtrit(np.maximum(n - 1, 1), 1 - LEVEL / 2) * sd * np.sqrt(1 / np.maximum(n, 1) + ratio), np.nan)
        low, high = mean - half, mean + half
        return cls(values.shape[2], word, mean, np.maximum(low, 0) if share else low, np.minimum(high, 1) if share else high)


# ------------------------------------------------------------------------------------------ of a sweep


@dataclass
class Summary:
    """Settings with what their seeds gave. Arrays are (settings,) in the settings' own order; NaN where nothing can be said."""

    seeds: int  # that every setting was to be trained with
    order: np.ndarray  # setting numbers, the best first
    n: np.ndarray  # seeds that have a value; a diverged one has the worst of the table
    diverged: np.ndarray
    failed: np.ndarray  # or without a value
    mean: np.ndarray  # of those that have a value
    median: np.ndarray
    sd: np.ndarray
    best: np.ndarray
    worst: np.ndarray
    behind: np.ndarray
    compared: np.ndarray
    p: np.ndarray
    estimate: float  # of the best setting: its mean, allowing for seeds that are missing
    interval: tuple[float, float]  # of that
    shows: float  # about the smallest difference that would be called behind, if all that are left cannot be told apart
    counted: float  # the worst finite value, as which diverged ones count

    @property
    def winner(self) -> int:
        return int(self.order[0])


@np.errstate(all="ignore")  # a loss may be as large as a number can be
def summarize(values: np.ndarray, mode: str, floor: float | None = None) -> Summary:
    """`values` (settings, seeds) of the objective: infinite where a trial diverged, NaN where there is none. `floor` is half a step of
    an objective that is a share of rows, and so from 0 to 1."""
    diverged, sign = np.isinf(values), 1 if mode == "max" else -1
    finite = np.isfinite(values)
    if not finite.any():
        unknown, none, ends = np.full(len(values), np.nan), np.zeros(len(values), bool), (np.nan, np.nan)
        return Summary(
            values.shape[1], np.arange(len(values)), none.astype(int), diverged.sum(1), np.isnan(values).sum(1), unknown, unknown, unknown,
            unknown, unknown, none, none, unknown, np.nan, ends, np.nan, np.nan,
        )  # fmt: skip
    scale = 2.0 ** (np.frexp(np.abs(values[finite]).max())[1] - 1)  # so that no square is too large
    y = sign * np.where(finite, values, np.nan) / scale
    worst = np.nanmin(y)
    y[diverged] = worst
    order, effects = ranked(y)
    found = compare(y, None if floor is None else floor / scale)
    n, mean, sd = moments(y)
    known = n > 0
    lowest, highest, median = (np.full(len(y), np.nan) for _ in range(3))
    lowest[known], highest[known], median[known] = np.nanmin(y[known], 1), np.nanmax(y[known], 1), np.nanmedian(y[known], 1)
    low, high = sorted(sign * scale * end for end in interval(y, found.winner))
    if floor is not None:
        low, high = max(low, 0.0), min(high, 1.0)
    mean, median, best, least = (sign * scale * array for array in (mean, median, highest, lowest))
    return Summary(
        values.shape[1], order, n, diverged.sum(1), np.isnan(values).sum(1), mean, median, scale * sd, best, least,
        found.behind, found.compared, found.p(), float(sign * scale * effects[found.winner]), (low, high), scale * found.shows,
        float(sign * scale * worst),
    )  # fmt: skip
