"""What a sweep's statistics are for people: the table of settings, and the sentences that a careful colleague says of the best one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnframe.components.wording import about, aligned, ordinary, rounded
from nnframe.sweeps.plan import Trials
from nnframe.sweeps.results import line_of
from nnframe.sweeps.statistics import MIN, Folds, Summary, failure_bound, moments, ranked
from nnframe.system import files

TESTS = "Tukey and Games-Howell"

SPREAD = "mean ± sd"

Name = Callable[[int], str]  # of a setting


def verdict(summary: Summary, name: Name, split_varies: bool, folds: Folds | None = None) -> list[str]:
    """What can be said of the best setting. `split_varies`: do seeds draw the rows that it is measured on too?"""
    w, count = summary.winner, len(summary.n)
    if not summary.n[w]:
        return ["No trial ended well."]
    of, picked = (f", best of {count:,}", ", allowing for having picked the best") if count > 1 else ("", "")
    best = f"{name(w) or 'the only setting'}: {_estimate(summary)}{of} over {_seeds(summary)}{_between(summary, picked)}."
    told = [f"{best} {_told_apart(summary, name)}".rstrip()]
    if folds is not None:
        told = _over_folds(summary, folds, name) if count == summary.seeds == 1 else [*told, *_over_folds(summary, folds, name)]
    if folds is not None and summary.seeds == 1:
        return told
    return [*told, *_troubles(summary, name), _chance(split_varies)]


def _over_folds(summary: Summary, folds: Folds, name: Name) -> list[str]:
    """The winner's mean over folds, and how sure that is."""
    w, count = summary.winner, len(summary.n)
    mean, low, high = _with_ends(folds.mean[w], folds.low[w], folds.high[w])
    told = f"{name(w) or 'the only setting'}: {mean} over {folds.count} {_plural(folds.word, folds.count)}"
    if not np.isnan(folds.low[w]):
        picked = ", not allowing for having picked the best" if count > 1 else ""
        told += f" (95 %: {low} to {high}, variance corrected as Nadeau and Bengio (2003) do{picked})"
    return [f"{told}."]


def confirmed(summary: Summary, name: Name, split_varies: bool, first: str, left: int, folds: Folds | None = None) -> list[str]:
    """What can be said after fresh seeds: `first` was the search's best, and `left` settings were not tried again."""
    w, count = summary.winner, len(summary.n)
    if not summary.n[w]:
        return ["No trial with fresh seeds ended well."]
    told = f"Best of {count} on {_seeds(summary, 'fresh ')}: {name(w)}, {_estimate(summary)}{_between(summary)}."
    behind, same = ([j for j in summary.order.tolist() if which[j]] for which in _told(summary))
    if summary.n[w] < MIN:
        told += f" {_few(summary)}"
    elif behind or same:
        parts = [f"{_names(behind, name)} {_are(behind)} behind ({_tests(summary)}, p < .05)"] * bool(behind)
        told += f" {'; '.join([*parts, *[f'{_names(same, name)} cannot be told from it'] * bool(same)])}."
    told += f" The search had put {'it' if name(w) == first else first} first."
    if left:
        told += f" The {left:,} others were not retried." if left > 1 else " The other one was not retried."
    return [told, *(_over_folds(summary, folds, name) if folds else ()), *_troubles(summary, name), _chance(split_varies)]


@dataclass(frozen=True)
class Tested:
    """What a setting gave on the test part: the mean of the trials that ended well, and its 95 % interval, NaN for fewer than 3."""

    mean: float
    low: float
    high: float
    trials: int
    seeds: int

    def record(self) -> dict[str, float | None]:
        """For run.json."""
        return {name: None if np.isnan(value) else value for name, value in vars(self).items()}


def tested(found: dict[str, Tested], drawn_anew: bool) -> list[str]:
    """What a winner gave on the test part. `drawn_anew`: did each seed draw its own, so that the search has seen these rows too?"""
    if not found:
        return []
    one = next(iter(found.values()))
    values = []
    for name, v in found.items():
        mean, low, high = _with_ends(v.mean, v.low, v.high)
        values.append(f"{name} {mean}{'' if np.isnan(v.low) else f' (95 %: {low} to {high})'}")
    seeds = f"{one.trials}{f' of {one.seeds}' if one.trials < one.seeds else ''} {_plural('seed', one.seeds)}"
    what = "which each seed draws anew (data.split_seed keeps the same rows aside)" if drawn_anew else "which nothing was chosen by"
    return [f"On the test part, {what}, over {seeds}: {', '.join(values)}."]


def _told_apart(summary: Summary, name: Name) -> str:
    w, others = summary.winner, len(summary.n) - 1
    behind, same = _told(summary)
    if not others:
        return ""
    if summary.n[w] < MIN:
        return _few(summary)
    near = ""
    if same.any():
        nearest = next(j for j in summary.order.tolist() if same[j])
        near = f"nearest {name(nearest)} (p = {_p(summary.p[nearest])})"
    if behind.any():
        told = f"{behind.sum():,} of {others:,} {_are(behind.nonzero()[0])} behind it ({_tests(summary)}, p < .05)"
        return f"{told}; {same.sum():,} cannot be told from it, {near}." if near else f"{told}."
    if not near:
        return "No other setting can be compared with it."
    return (
        f"No setting is distinguishable from {name(w)} ({_tests(summary)}), {near}. "
        f"Differences below about {about(summary.shows)} would not show."
    )


def _told(summary: Summary) -> tuple[np.ndarray, np.ndarray]:
    """The settings that are behind, and those that cannot be told from the best."""
    return summary.behind, summary.compared & ~summary.behind


def _troubles(summary: Summary, name: Name) -> Iterator[str]:
    """What went wrong, and how it was counted."""
    w = summary.winner
    if diverged := int(summary.diverged.sum()):
        total = summary.diverged.size * summary.seeds
        yield f"{diverged:,} of {total:,} trials diverged, counted as the worst value of the table, {ordinary(summary.counted)}."
        if summary.diverged[w]:
            yield f"{name(w) or 'It'}: {summary.diverged[w]} of {summary.seeds} seeds diverged, counted as worst."
    if summary.n[w] >= MIN:
        few = [j for j in summary.order.tolist() if j != w and not summary.compared[j]]
        for j in few[:1]:
            more = f" Nor {_are(few[1:])} {len(few) - 1:,} {_plural('other', len(few) - 1)}." if len(few) > 1 else ""
            yield f"{name(j)} has {summary.n[j]} finished {_plural('seed', int(summary.n[j]))}; not compared.{more}"
    if summary.n[w] == summary.seeds and not summary.diverged[w]:
        rate = failure_bound(summary.seeds)
        yield f"No failure in {summary.seeds} {_plural('seed', summary.seeds)} leaves a failure rate of up to {100 * rate:.0f} %."


def _chance(split_varies: bool) -> str:
    if split_varies:
        return "Chance here means seeds, which draw the split of the rows too."
    return "Chance here means seeds; the test rows are the same."


def _between(summary: Summary, how: str = "") -> str:
    _, low, high = _with_ends(summary.estimate, *summary.interval)
    return "" if np.isnan(summary.interval[0]) else f" (95 %: {low} to {high}{how})"


def _estimate(summary: Summary) -> str:
    return _with_ends(summary.estimate, *summary.interval)[0]


def _with_ends(value: float, low: float, high: float) -> tuple[str, str, str]:
    """A number and the ends of its interval, as exactly as the interval is wide; there may be none."""
    value, low, high = float(value), float(low), float(high)
    return rounded(value, (high - low) / 2), rounded(low, (high - low) / 2), rounded(high, (high - low) / 2)


def _few(summary: Summary) -> str:
    return f"{_seeds(summary)}: too few to say which is better."


def _seeds(summary: Summary, kind: str = "") -> str:
    n = int(summary.n[summary.winner])
    return f"{n}{f' of {summary.seeds}' if n < summary.seeds else ''} {kind}{_plural('seed', summary.seeds)}"


def _tests(summary: Summary) -> str:
    return TESTS if len(summary.n) > 2 else "paired t"


def _names(settings: list[int], name: Name) -> str:
    shown = [f"[{name(j)}]" if "," in name(j) else name(j) for j in settings[:10]]
    return ", ".join(shown) + (f" and {len(settings) - 10} more" if len(settings) > 10 else "")


def _are(things: object) -> str:
    return "is" if len(things) == 1 else "are"  # type: ignore[arg-type]


def _plural(word: str, number: int) -> str:
    return word if number == 1 else f"{word}s"


def _p(p: float) -> str:
    return f"{p:.2g}".removeprefix("0")


# ------------------------------------------------------------------------------------------ tables


def write(path: Path, trials: Trials, summary: Summary, folds: Folds | None = None) -> None:
    """summary.csv: a row a setting, the best first. Raises FileError."""
    head = ["rank", "setting", *trials.columns, "n", "mean", "median", "sd", "low", "high", "behind", "p", "best", "worst", "diverged"]
    ends = np.full((2, len(summary.n)), np.nan)
    ends[:, summary.winner] = summary.interval
    numbers = np.stack([summary.mean, summary.median, summary.sd, *ends], 1)
    more = [] if folds is None else ["folds_mean", "folds_low", "folds_high"]
    lines = [line_of([*head, "failed", *more])]
    for rank, j in enumerate(summary.order.tolist(), 1):
        cells = ["" if np.isnan(number) else str(number) for number in [*numbers[j].tolist(), summary.best[j], summary.worst[j]]]
        told = [_behind(summary, j), "" if np.isnan(summary.p[j]) else f"{summary.p[j]:.3g}"]
        counts = [str(summary.diverged[j]), str(summary.failed[j])]
        setting = [str(rank), str(trials.numbers[j]), *trials.names(j), str(summary.n[j])]
        of_folds = [] if folds is None else ["" if np.isnan(a[j]) else str(a[j]) for a in (folds.mean, folds.low, folds.high)]
        lines.append(line_of([*setting, *cells[:-2], *told, *cells[-2:], *counts, *of_folds]))
    files.write(path, "".join(f"{line}\n" for line in lines).encode())


def table(trials: Trials, summary: Summary, file: str, most: int = 10) -> list[str]:
    """The best settings as lines for a terminal; `file` holds all of them."""
    counts = {name: array for name, array in (("diverged", summary.diverged), ("failed", summary.failed)) if array.any()}
    rows = [[*_heads(trials), SPREAD, "median", "worst seed", "best seed", "behind", "p", "n", *counts]]
    for j in summary.order[:most].tolist():
        spread = float(summary.sd[j])
        ends = [_rounded(float(array[j]), spread) for array in (summary.median, summary.worst, summary.best)]
        numbers = [_with_spread(float(summary.mean[j]), spread), *ends]
        p = "" if np.isnan(summary.p[j]) else _p(summary.p[j])
        ended = [str(array[j] or "") for array in counts.values()]
        rows.append([*map(_short, trials.names(j)), *numbers, _behind(summary, j), p, str(summary.n[j]), *ended])
    lines = list(aligned(rows))
    if len(summary.order) > most:
        lines.append(f"... and {len(summary.order) - most:,} more in {file}")
    return lines


def so_far(trials: Trials, values: np.ndarray, mode: str, most: int = 10) -> list[str]:
    """The settings of a sweep that has not ended, best first, as lines for a terminal. `values` (settings, seeds, folds) are NaN for
    trials that have none yet, and infinite for those that diverged, which count as the worst."""
    table = _ranked_so_far(values, mode)
    rows = [[*_heads(trials), SPREAD, "n"]]
    for j, mean, spread, n in table[:most]:
        rows.append([*map(_short, trials.names(j)), _with_spread(mean, spread), str(n)])
    if not table:
        return []
    few = min(max(n for *_, n in table), MIN)
    more = [f"... and {len(table) - most:,} more"] if len(table) > most else []
    return [*aligned(rows), *more, *([f"those with fewer than {few} trials come last"] if min(n for *_, n in table) < few else [])]


def _ranked_so_far(values: np.ndarray, mode: str) -> list[tuple[int, float, float, int]]:
    """Setting, mean, deviation and number of its trials, the best first; none if no trial has ended well."""
    sign, y = 1 if mode == "max" else -1, values.reshape(len(values), -1)
    finite = np.isfinite(y)
    if not finite.any():
        return []
    with np.errstate(all="ignore"):  # a loss may be as large as a number can be
        y = np.where(np.isinf(y), (sign * y[finite]).min(), sign * y)
        order, (n, mean, sd) = ranked(y)[0].tolist(), moments(y)
    return [(j, sign * float(mean[j]), float(sd[j]), int(n[j])) for j in order if n[j]]


def best_so_far(values: np.ndarray, mode: str) -> int | None:
    """The setting that leads; None if no trial has ended well."""
    return next((j for j, *_ in _ranked_so_far(values, mode)), None)


def fold_table(columns: list[str], values: np.ndarray, folds: list[Folds]) -> list[str]:
    """`values` (folds, columns), their means and intervals as lines for a terminal."""
    rows = [[folds[0].word, *columns], *([str(fold), *map(_number, row)] for fold, row in enumerate(values.tolist()))]
    ends = [_with_ends(one.mean[0], one.low[0], one.high[0]) for one in folds]
    rows.append(["mean", *("" if np.isnan(one.mean[0]) else mean for one, (mean, *_) in zip(folds, ends, strict=True))])
    rows.append(["95 %", *("" if np.isnan(one.low[0]) else f"{low} to {high}" for one, (_, low, high) in zip(folds, ends, strict=True))])
    return list(aligned(rows))


def _behind(summary: Summary, j: int) -> str:
    return "yes" if summary.behind[j] else "no" if summary.compared[j] else ""


def label(trials: Trials, setting: int) -> str:
    """`lr=0.01, units=4` for a setting."""
    return ", ".join(f"{head}={_short(name)}" for head, name in zip(_heads(trials), trials.names(setting), strict=True))


def _heads(trials: Trials) -> list[str]:
    """The parameters, each by as much of its path as it takes to know it by: `lr`, `lr.start`, `Dropout.p`."""
    heads = [_head(path, trials.document.data) for path in trials.settings]
    return [path if heads.count(head) > 1 else head for path, head in zip(trials.settings, heads, strict=True)]


def _head(path: str, data: Any) -> str:
    *parents, last = path.split(".")
    if len(parents) < 2 or last.isdecimal():
        return path if last.isdecimal() else last
    if not parents[-1].isdecimal():
        return f"{parents[-1]}.{last}"
    for key in parents[:-1]:
        data = data.get(key, ()) if isinstance(data, dict) else data[int(key)] if isinstance(data, list) else ()
    kinds = [item.get("type") if isinstance(item, dict) else item for item in data] if isinstance(data, list) else []
    kind = kinds[int(parents[-1])] if int(parents[-1]) < len(kinds) else None
    if not isinstance(kind, str):
        return path
    return f"{'.'.join(parents)} {kind}.{last}" if kinds.count(kind) > 1 else f"{kind}.{last}"


def _number(value: float) -> str:
    return "" if np.isnan(value) else ordinary(value)


def _rounded(value: float, spread: float) -> str:
    return "" if np.isnan(value) else rounded(value, spread)


def _with_spread(mean: float, spread: float) -> str:
    """`3116 ± 840`, and the mean alone where there is no spread."""
    told = about(spread) if spread == 0 or spread > 10 else rounded(spread, spread)
    return _rounded(mean, spread) + ("" if np.isnan(spread) else f" ± {told}")


def _short(name: str) -> str:
    """A value as a person reads it: numbers in four digits."""
    try:
        number = float(name)
    except ValueError:
        return name if len(name) <= 40 else f"{name[:37]}..."
    return name if len(name) <= 7 else ordinary(number)
