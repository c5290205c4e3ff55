"""What the trials of a sweep say: mean and interval of every setting over its seeds, and what can be said of the best one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nnframe.sweeps.plan import Trials
from nnframe.sweeps.results import line_of
from nnframe.system import files

LEVEL = 0.05


@dataclass
class Summary:
    """Settings with what their seeds gave. Arrays are (settings,) in the settings' own order; NaN where nothing can be said."""

    order: np.ndarray  # setting numbers, the best first
    n: np.ndarray  # seeds that ended well
    failed: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    half: np.ndarray  # half of the 95 % interval of the mean
    best: np.ndarray
    values: np.ndarray  # (settings, seeds)
    sign: int  # 1 if small is good


@np.errstate(all="ignore")  # a loss may be as large as a number can be
def summarize(values: np.ndarray, mode: str) -> Summary:
    """`values` (settings, seeds) of the objective, NaN where a trial failed. Means rank; settings with failures come after
    settings without any, since a mean over the seeds that went well flatters."""
    sign = -1 if mode == "max" else 1
    values = np.where(np.isfinite(values), values, np.nan)
    n, mean, sd = _moments(values)
    half = np.full(len(n), np.nan)
    if (n > 1).any():
        from scipy.special import stdtrit

        half[n > 1] = stdtrit(n[n > 1] - 1, 1 - LEVEL / 2) * sd[n > 1] / np.sqrt(n[n > 1])
    best = np.where(n > 0, sign * np.min(np.where(np.isnan(values), np.inf, sign * values), 1), np.nan)
    failed = values.shape[1] - n
    order = np.lexsort((np.where(n > 0, sign * mean, np.inf), failed))
    return Summary(order, n, failed, mean, sd, half, best, values, sign)


@np.errstate(all="ignore")
def verdict(summary: Summary, name: Callable[[int], str]) -> str:
    """What a careful colleague says of the best setting: paired differences on the seeds that settings have in common, a
    two-sided t-test for each, and Holm's correction for looking at all of them. `name` tells a setting."""
    winner, *others = summary.order.tolist()
    if not summary.n[winner]:
        return "no trial ended well"
    told = f"{name(winner) or 'the only setting'}: {summary.mean[winner]:.4g}"
    if summary.n[winner] == 1:
        return f"{told} with one seed; nothing can be said about chance, try some seeds"
    told += f" ± {summary.half[winner]:.2g} over {summary.n[winner]} seeds"
    if not others:
        return told
    difference = summary.sign * (summary.values[others] - summary.values[winner])
    p = holm(paired(difference))
    known = ~np.isnan(p)
    ahead = _moments(difference)[1] > 0  # a setting with failures may have the better mean
    same, worse, better = map(np.flatnonzero, (p >= LEVEL, (p < LEVEL) & ahead, (p < LEVEL) & ~ahead))
    if same.size:
        told += f"; not distinguishable from {name(others[same[0]])} (p = {p[same[0]]:.2g})"
        told += f" and {same.size - 1} more" if same.size > 1 else ""
    if worse.size or not (same.size or better.size):
        told += f"; better than {worse.size} of {len(others)} other settings"
    if better.size:
        told += f"; worse than {name(others[better[0]])} on the seeds that did not fail there"
    return told + (f"; {(~known).sum()} could not be compared" if not known.all() else "")


@np.errstate(all="ignore")
def paired(difference: np.ndarray) -> np.ndarray:
    """Two-sided p values of mean differences (settings, seeds), NaN where a seed is not common: (settings,).

    NaN for fewer than two seeds; 1 if there is no difference at all, 0 if all seeds have the same.
    """
    from scipy.special import stdtr

    n, mean, sd = _moments(difference)
    t = np.where(mean == 0, 0.0, np.abs(mean) / (sd / np.sqrt(n)))
    return np.where(n > 1, 2 * stdtr(np.maximum(n - 1, 1), -t), np.nan)


def holm(p: np.ndarray) -> np.ndarray:
    """P values corrected for their number (Holm 1979); NaN stays and does not count."""
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    corrected = p.astype(float)
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1.0)
    return corrected


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How many numbers of each row are not NaN, their mean, and their standard deviation; NaN where there are too few."""
    good = ~np.isnan(values)
    n = good.sum(1)
    mean = np.where(n > 0, np.where(good, values, 0.0).sum(1) / np.maximum(n, 1), np.nan)
    spread = np.where(good, values - mean[:, None], 0.0)
    return n, mean, np.where(n > 1, np.sqrt((spread * spread).sum(1) / np.maximum(n - 1, 1)), np.nan)


# ---------------------------------------------------------------------------------------------- for people


def write(path: Path, trials: Trials, summary: Summary) -> None:
    """summary.csv: a row a setting, the best first. Raises FileError."""
    head = ["rank", "setting", *trials.columns, "n", "mean", "sd", "low", "high", "best", "failed"]
    low, high = summary.mean - summary.half, summary.mean + summary.half
    numbers = np.stack([summary.mean, summary.sd, low, high, summary.best], 1)
    lines = [line_of(head)]
    for rank, setting in enumerate(summary.order.tolist(), 1):
        cells = ["" if np.isnan(number) else str(number) for number in numbers[setting].tolist()]
        names = trials.names(setting)
        lines.append(line_of([str(rank), str(setting), *names, str(summary.n[setting]), *cells, str(summary.failed[setting])]))
    files.write(path, "".join(f"{line}\n" for line in lines).encode())


def table(trials: Trials, summary: Summary, most: int = 10) -> list[str]:
    """The best settings as lines for a terminal."""
    rows = [[*_heads(trials), "mean", "95 %", "sd", "best", "n", "failed"]]
    for setting in summary.order[:most].tolist():
        mean, sd, best = (_number(array[setting]) for array in (summary.mean, summary.sd, summary.best))
        interval = _number(summary.half[setting], "± {:.2g}")
        counts = str(summary.n[setting]), str(summary.failed[setting] or "")
        rows.append([*map(_short, trials.names(setting)), mean, interval, sd, best, *counts])
    lines = list(aligned(rows))
    if len(summary.order) > most:
        lines.append(f"... and {len(summary.order) - most:,} more in summary.csv")
    return lines


def aligned(rows: list[list[str]]) -> Iterator[str]:
    """The rows of a table as lines, in columns as wide as it takes."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def label(trials: Trials, setting: int) -> str:
    """`lr=0.01, units=4` for a setting."""
    return ", ".join(f"{head}={_short(name)}" for head, name in zip(_heads(trials), trials.names(setting), strict=True))


def _heads(trials: Trials) -> list[str]:
    """The parameters, each by the last part of its path where that is enough to know it by."""
    last = [path.rpartition(".")[2] for path in trials.settings]
    return [path if name.isdecimal() or last.count(name) > 1 else name for path, name in zip(trials.settings, last, strict=True)]


def _number(value: float, form: str = "{:.4g}") -> str:
    return "" if np.isnan(value) else form.format(value)


def _short(name: str) -> str:
    """A value as a person reads it: numbers in four digits."""
    try:
        number = float(name)
    except ValueError:
        return name if len(name) <= 40 else f"{name[:37]}..."
    return name if len(name) <= 7 else f"{number:.4g}"
