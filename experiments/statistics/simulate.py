"""How often what is said of a sweep's winner is wrong, by nnframe's own functions and by paired t tests with Holm's correction.

    python experiments/statistics/simulate.py --out experiments/statistics/results.csv

Every cell is a sweep of `settings` x `seeds` trials that is drawn `repetitions` times. The standard error of a rate p is
sqrt(p (1 - p) / repetitions): 0.5 % at 5 % and 2,000 repetitions, 1.1 % at most.
"""

import argparse
import csv
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from scipy.special import stdtr, stdtrit

from nnframe.streams import generator
from nnframe.sweeps.statistics import LEVEL, compare, interval, moments

OUTCOMES = ("normal", "skewed", "collapsing", "stepped")
STEP = 1.0  # of a stepped outcome in sds: an accuracy over 360 rows with an sd of 0.0028


@dataclass(frozen=True)
class Cell:
    """What is simulated. Spreads and distances are in standard deviations of a setting over its seeds."""

    settings: int
    seeds: int
    outcome: str = "normal"  # one of OUTCOMES; skewed has its long end where it is bad, collapsing loses 5 in 15 % of its runs
    shared: float = 0.5  # part of the variance that the seeds bring to all settings alike
    spread: float = 1.0  # the largest standard deviation of a setting, of which the smallest is 1
    ahead: float = 0.0  # by how much some settings are better than all others
    winners: int = 1  # how many these are
    missing: float = 0.0  # part of the trials that crash
    fresh: int = 0  # seeds that confirm the best 5, or 8 of at least 100


def outcomes(cell: Cell, settings: int, seeds: int, rng: np.random.Generator) -> np.ndarray:
    """Outcomes (settings, seeds) with mean 0."""
    noise = rng.standard_normal((settings, seeds)) if cell.outcome != "skewed" else 1 - rng.standard_exponential((settings, seeds))
    y = np.sqrt(cell.shared) * rng.standard_normal(seeds) + np.sqrt(1 - cell.shared) * noise
    return y - 5 * ((rng.random((settings, seeds)) < 0.15) - 0.15) if cell.outcome == "collapsing" else y


def sweep(cell: Cell, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The outcomes that something is said of, large is good, and the true means of their settings. Confirmed are the best few of a
    sweep, by other seeds alone."""
    scales, truth, seeds = np.geomspace(1, cell.spread, cell.settings), np.zeros(cell.settings), cell.seeds
    truth[: cell.winners] = cell.ahead  # where they stand says nothing: nobody looks at the order of settings
    if cell.fresh:
        searched = truth[:, None] + scales[:, None] * outcomes(cell, cell.settings, seeds, rng)
        best = np.argsort(-searched.mean(1))[: 8 if cell.settings >= 100 else 5]
        scales, truth, seeds = scales[best], truth[best], cell.fresh
    y = truth[:, None] + scales[:, None] * outcomes(cell, len(truth), seeds, rng)
    if cell.outcome == "stepped":
        y = np.round(y / STEP) * STEP
    y[rng.random(y.shape) < cell.missing] = np.nan
    return y, truth


Said = tuple[int, np.ndarray, tuple[float, float]]  # the winner, which settings are behind it, and the interval of its mean


def paired_and_holm(y: np.ndarray) -> Said:
    """The method that was used before: paired t tests of all others against the winner with Holm's correction, and the winner's plain
    interval. Settings with gaps came after those without any."""
    n, mean, sd = moments(y)
    winner = int(np.lexsort((-mean, -n))[0])
    half = stdtrit(n[winner] - 1, 1 - LEVEL / 2) * sd[winner] / np.sqrt(n[winner])
    count, difference, spread = moments(y[winner] - np.delete(y, winner, 0))
    with np.errstate(all="ignore"):
        t = np.where(difference == 0, 0.0, np.abs(difference) / (spread / np.sqrt(count)))
    p = np.where(count > 1, 2 * stdtr(np.maximum(count - 1, 1), -t), 1.0)
    order = np.argsort(p, kind="stable")
    corrected = np.empty(len(p))
    corrected[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    behind = np.insert((corrected < LEVEL) & (difference > 0), winner, False)
    return winner, behind, (mean[winner] - half, mean[winner] + half)


def both_must_agree(y: np.ndarray, floor: float | None) -> Said:
    """nnframe's method."""
    found = compare(y, floor)
    return found.winner, found.behind, interval(y, found.winner)


def simulate(cell: Cell, repetitions: int, seed: int = 0) -> dict[str, object]:
    """A row of the table, by both methods: part of the sweeps of which something false is said, part of the settings that are behind
    and called so, and part of the intervals that hold the winner's true mean."""
    rng, floor = generator(seed, repr(cell)), STEP / 2 if cell.outcome == "stepped" else None
    counts = np.zeros((2, 3))
    for _ in range(repetitions):
        y, truth = sweep(cell, rng)
        worse = truth < truth.max()
        for row, (winner, behind, (low, high)) in zip(counts, (paired_and_holm(y), both_must_agree(y, floor)), strict=True):
            found = (behind & worse).sum() / worse.sum() if worse.any() and not worse[winner] else 0.0
            row += (behind & (truth >= truth[winner])).any(), found, low <= truth[winner] <= high
    rates = (counts / repetitions).round(4).T.ravel().tolist()
    names = [f"{what}_{method}" for what in ("false", "power", "coverage") for method in ("old", "new")]
    return asdict(cell) | {"repetitions": repetitions} | dict(zip(names, rates, strict=True))


def cells() -> Iterator[Cell]:
    """All that is simulated."""
    for settings in (2, 8, 32, 128):
        for seeds in (5, 8, 20):
            cell = Cell(settings, seeds)
            for outcome in OUTCOMES:
                yield from (replace(cell, outcome=outcome, shared=shared) for shared in (0.0, 0.5))
                yield replace(cell, outcome=outcome, spread=3.0)
                if settings > 2:
                    yield replace(cell, outcome=outcome, ahead=3.0, winners=2)
            yield from (replace(cell, ahead=ahead) for ahead in (1.0, 2.0))
    for settings in (8, 32):
        yield from (Cell(settings, 8, outcome, shared=shared, missing=0.1) for outcome in OUTCOMES for shared in (0.0, 0.5))
        yield Cell(settings, 8, ahead=2.0, missing=0.1)
    for outcome in OUTCOMES:
        for settings in (32, 128):
            yield from (Cell(settings, 8, outcome, shared=shared, fresh=16) for shared in (0.0, 0.5))
            yield Cell(settings, 8, outcome, spread=3.0, fresh=16)
    yield Cell(32, 8, ahead=1.0, fresh=16)


def summary(rows: list[dict[str, object]]) -> Iterator[str]:
    """The rows of the README's table, in percent."""

    def rate(name: str, pick: Callable[..., float] = max, **wanted: object) -> str:
        found = [row for row in rows if all(row[key] == value for key, value in (equal | wanted).items())]
        return " -> ".join(f"{100 * pick(float(str(row[f'{name}_{method}'])) for row in found):.1f}" for method in ("old", "new"))

    sizes = [(settings, seeds, 0.0) for settings in (2, 8, 32, 128) for seeds in (5, 8, 20)]
    for settings, seeds, missing in (*sizes, (8, 8, 0.1), (32, 8, 0.1)):
        equal = {"settings": settings, "seeds": seeds, "fresh": 0, "missing": missing}
        normal = {"outcome": "normal", "ahead": 0.0, "spread": 1.0, "shared": 0.0}
        far = {"outcome": "normal", "ahead": 2.0}
        figures = rate("false", **normal), rate("false"), rate("power", **far), rate("coverage", **normal), rate("coverage", min, ahead=0.0)
        yield f"| {settings}, {seeds}{', gaps' * bool(missing)} | {' | '.join(figures)} |"
    for settings in (32, 128):
        equal = {"settings": settings, "fresh": 16, "ahead": 0.0}
        coverage = [float(str(row["coverage_new"])) for row in rows if all(row[key] == value for key, value in equal.items())]
        told = f"{100 * np.median(coverage):.1f} (median), {100 * min(coverage):.1f}"
        power = rate("power", ahead=1.0) if settings == 32 else ""
        yield f"| {settings}, 8, confirmed | {rate('false', outcome='normal')} | {rate('false')} | {power} | {told} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=2000, help="of each cell (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="write the table there, as CSV")
    args = parser.parse_args()
    todo = sorted(cells(), key=lambda cell: -cell.settings)
    with ProcessPoolExecutor(args.workers, get_context("spawn")) as pool:
        rows = list(pool.map(simulate, todo, [args.repetitions] * len(todo)))
    with args.out.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    print(*summary(rows), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
