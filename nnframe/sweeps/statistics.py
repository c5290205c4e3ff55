"""What the trials of a sweep say: mean and interval of every setting over its seeds, and what can be said of the best one."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnframe import files
from nnframe.sweeps.plan import Trials

LEVEL = 0.05


@dataclass
class Summary:
    """Settings with what their seeds gave, the best first. Arrays are (settings,); NaN where nothing can be said."""

    order: np.ndarray  # setting numbers
    n: np.ndarray  # seeds that ended well
    failed: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    half: np.ndarray  # half of the 95 % interval of the mean
    best: np.ndarray
    values: np.ndarray  # (settings, seeds) in the settings' own order
    sign: int  # 1 if small is good


def summarize(values: np.ndarray, mode: str) -> Summary:
    """`values` (settings, seeds) of the objective, NaN where a trial failed. Means rank; settings with failures come after
    settings without any, since a mean over the seeds that went well flatters."""
    sign = -1 if mode == "max" else 1
    good = np.isfinite(values)
    n = good.sum(1)
    kept = np.where(good, values, 0.0)
    some, several = np.maximum(n, 1), np.maximum(n - 1, 1)
    mean = np.where(n > 0, kept.sum(1) / some, np.nan)
    spread = np.where(good, values - mean[:, None], 0.0)
    sd = np.where(n > 1, np.sqrt((spread * spread).sum(1) / several), np.nan)
    half = np.full(len(n), np.nan)
    if (n > 1).any():
        from scipy.special import stdtrit

        half[n > 1] = stdtrit(n[n > 1] - 1, 1 - LEVEL / 2) * sd[n > 1] / np.sqrt(n[n > 1])
    best = np.where(n > 0, sign * np.min(np.where(good, sign * values, np.inf), 1), np.nan)
    failed = values.shape[1] - n
    order = np.lexsort((np.arange(len(n)), np.where(n > 0, sign * mean, np.inf), failed))
    return Summary(order, n, failed, mean, sd, half, best, values, sign)


def verdict(summary: Summary, names: Sequence[str]) -> str:
    """What a careful colleague says of the best setting: paired differences on the seeds that settings have in common, a
    two-sided t-test for each, and Holm's correction for looking at all of them."""
    winner = int(summary.order[0])
    if not summary.n[winner]:
        return "no trial ended well"
    told = f"{names[winner] or 'the only setting'}: {summary.mean[winner]:.4g}"
    if summary.n[winner] == 1:
        return f"{told} with one seed; nothing can be said about chance, try some seeds"
    told += f" ± {summary.half[winner]:.2g} over {summary.n[winner]} seeds"
    others = [int(setting) for setting in summary.order[1:]]
    if not others:
        return told
    p = holm(np.array([_paired(summary.values[winner], summary.values[other], summary.sign) for other in others]))
    known = ~np.isnan(p)
    worse = int((p[known] < LEVEL).sum())
    same = [(other, q) for other, q in zip(others, p.tolist(), strict=True) if q >= LEVEL]
    if same:
        first = f"not distinguishable from {names[same[0][0]]} (p = {same[0][1]:.2g})"
        told += f"; {first}" + (f" and {len(same) - 1} more" if len(same) > 1 else "")
    told += f"; better than {worse} of {len(others)} other settings" if worse or not same else ""
    if unknown := int((~known).sum()):
        told += f"; {unknown} could not be compared"
    return told


def holm(p: np.ndarray) -> np.ndarray:
    """P values corrected for their number (Holm 1979); NaN stays and does not count."""
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    corrected = p.astype(float)
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1.0)
    return corrected


def _paired(winner: np.ndarray, other: np.ndarray, sign: int) -> float:
    """The p value of the mean difference on common seeds; NaN for fewer than two, 1 if there is no difference at all."""
    both = np.isfinite(winner) & np.isfinite(other)
    difference = sign * (other[both] - winner[both])
    if difference.size < 2:
        return np.nan
    error = difference.std(ddof=1) / np.sqrt(difference.size)
    if error == 0:
        return 1.0 if difference[0] == 0 else 0.0
    from scipy.special import stdtr

    return float(2 * stdtr(difference.size - 1, -abs(difference.mean() / error)))


def write(path: Path, trials: Trials, summary: Summary) -> None:
    """summary.csv: a row a setting, the best first. Raises FileError."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["rank", "setting", *trials.settings, "n", "mean", "sd", "low", "high", "best", "failed"])
    for rank, setting in enumerate(summary.order.tolist(), 1):
        mean, half = summary.mean[setting], summary.half[setting]
        numbers = [mean, summary.sd[setting], mean - half, mean + half, summary.best[setting]]
        cells = ["" if np.isnan(number) else str(float(number)) for number in numbers]
        names = trials.names(setting).values()
        table.writerow([rank, setting, *names, summary.n[setting], *cells, summary.failed[setting]])
    files.write(path, text.getvalue().encode())


def table(trials: Trials, summary: Summary, most: int = 10) -> list[str]:
    """The best settings as lines for a terminal."""
    heads = [
        *(path.rpartition(".")[2] if _alone(path, trials) else path for path in trials.settings),
        "mean",
        "95 %",
        "sd",
        "best",
        "n",
        "failed",
    ]
    rows = [heads]
    for setting in summary.order[:most].tolist():
        numbers = [summary.mean[setting], summary.half[setting], summary.sd[setting], summary.best[setting]]
        told = ["" if np.isnan(x) else f"{'± ' if i == 1 else ''}{x:.{2 if i == 1 else 4}g}" for i, x in enumerate(numbers)]
        rows.append([*map(_short, trials.names(setting).values()), *told, str(summary.n[setting]), str(summary.failed[setting] or "")])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    if len(summary.order) > most:
        lines.append(f"... and {len(summary.order) - most:,} more in summary.csv")
    return lines


def labels(trials: Trials, settings: int) -> "list[str]":
    """`lr=0.01, units=4` for each setting."""
    shown = {path: path.rpartition(".")[2] if _alone(path, trials) else path for path in trials.settings}
    return [", ".join(f"{shown[path]}={_short(name)}" for path, name in trials.names(s).items()) for s in range(settings)]


def _alone(path: str, trials: Trials) -> bool:
    """Is the last part of a path enough to know it by?"""
    last = path.rpartition(".")[2]
    return not last.isdecimal() and [other.rpartition(".")[2] for other in trials.settings].count(last) == 1


def _short(name: str) -> Any:
    """A value as a person reads it: numbers in four digits."""
    try:
        number = float(name)
    except ValueError:
        return name if len(name) <= 40 else f"{name[:37]}..."
    return name if len(name) <= 7 else f"{number:.4g}"
