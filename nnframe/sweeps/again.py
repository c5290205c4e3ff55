"""Trials of a sweep trained again, and held against their rows, which they must equal to the last digit."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from nnframe.errors import NNFrameError, UsageError
from nnframe.runs.folder import read_rows
from nnframe.sweeps.block import Block, Outcome
from nnframe.sweeps.execute import Stop, execute
from nnframe.sweeps.keep import Keep
from nnframe.sweeps.plan import Stack
from nnframe.sweeps.prepare import PreparedSweep


class Different(NNFrameError):
    """A trial is not what its row says."""


def again(
    prepared: PreparedSweep,
    folder: Path,
    numbers: Collection[int],
    stacks: Sequence[Stack],
    stop: Stop,
    workers: int = 1,
    plugin_names: Sequence[str] = (),
    keep: Keep | None = None,
) -> dict[int, list[str]]:
    """Train some trials again, by their numbers, and compare them with the tables of a folder. Returns their rows there.

    Raises Different with the first thing that differs, but for seconds and workers; UsageError for a trial without a row, Interrupted
    after a signal.
    """
    head, log_head = prepared.heads
    wanted = {str(number): number for number in numbers}
    rows = {wanted[cells[0]]: cells for cells in read_rows(folder / "trials.csv") if cells[0] in wanted}
    for number in numbers:
        if number not in rows:
            raise UsageError(f"{folder}: trial {number} has not been trained yet")
    logs: dict[int, list[list[str]]] = {number: [] for number in numbers}
    for cells in read_rows(folder / "losses.csv"):
        if cells[0] in wanted:
            logs[wanted[cells[0]]].append(cells)

    def report(block: Block, outcomes: list[Outcome], worker: int) -> None:
        for trial, outcome in zip(block.trials, outcomes, strict=True):
            lines = [[str(trial), *line.split(",")] for line in outcome.lines]
            for was, now in zip(logs[trial], lines, strict=False):
                if differing := _difference(log_head, was, now):
                    raise Different(f"trial {trial} differs in epoch {now[1]}: {differing}")
            if len(logs[trial]) != len(lines):
                raise Different(f"trial {trial} differs: losses.csv has {len(logs[trial])} epochs, it has {len(lines)}")
            if differing := _difference(head[:-2], rows[trial], prepared.row(trial, outcome, worker)):  # but for seconds and worker
                raise Different(f"trial {trial} differs: {differing}")

    chosen = np.isin(np.arange(prepared.trials.count), list(numbers))
    execute(prepared.trials, stacks, chosen, prepared.log, prepared.sources, workers, plugin_names, report, stop, keep)
    return rows


def _difference(head: list[str], was: list[str], now: list[str]) -> str:
    """The first cell in which two rows differ."""
    return next((f"{name} was {old}, is {new}" for name, old, new in zip(head, was, now, strict=False) if old != new), "")
