"""What the command does before a sweep and after it: plan one, write the winner's config, train one trial again."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from nnframe.components.wording import aligned
from nnframe.config.build import build
from nnframe.config.compose import load
from nnframe.config.reading import dump
from nnframe.errors import FileError, UsageError
from nnframe.sweeps import plan, results, sentences
from nnframe.sweeps.again import Different, again
from nnframe.sweeps.block import Block, Trainer
from nnframe.sweeps.execute import Stop, attempt, stoppable, told_later
from nnframe.sweeps.keep import Keep
from nnframe.sweeps.plan import Stack, Trials
from nnframe.sweeps.prepare import PreparedSweep, prepare
from nnframe.sweeps.runner import CONFIRM, TEST, Phase, phase_of, recorded, stacks_of, test_lines, tested, to_confirm, to_test, unfinished
from nnframe.system import blas, files
from nnframe.system.signals import caught

UNFINISHED = "{folder}: the sweep has not finished; go on with python -m nnframe.run --resume {folder}"
NONE = "no trial ended well, so none is the best"
MOST, PATIENCE = 20, 2.0  # stacks to show and to try, and seconds for all of them


def show_plan(config: Path, overrides: list[str], workers: int | None) -> int:
    """Print trials, stacks, sizes of blocks, memory, and how long it will take. Returns the exit status."""
    prepared = prepare(load(config, overrides))
    workers, trials = workers or blas.cores(), prepared.trials
    found, _ = stacks_of(prepared, workers)
    shown, trainer = found[:MOST], Trainer(trials.document, sources=prepared.sources)
    for stack in shown:
        with stoppable(), told_later():
            _measure(trials, stack, trainer, PATIENCE / len(shown))
    print(prepared.headline)
    rows = [["trials", "blocks of", "memory", "a trial", "the same in all of them"]]
    for stack in shown:
        names = dict(zip(trials.settings, trials.names(int(stack.trials[0]) // trials.each), strict=True))
        shared = ", ".join(f"{path}={names[path]}" for path in stack.shared)
        memory, time = f"{stack.bytes * stack.size / 2**20:.1f} MiB", f"{stack.seconds * 1000:.3g} ms"
        rows.append([f"{len(stack.trials):,}", str(stack.size), memory, time if stack.seconds else "unknown", shared])
    for line in aligned(rows):
        print(f"  {line}")
    if len(found) > len(shown):
        print(f"  ... and {len(found) - len(shown):,} more stacks")
    known = sum(len(stack.trials) for stack in found if stack.seconds)
    seconds = sum(stack.seconds * len(stack.trials) for stack in found)
    total = f"about {seconds * trials.count / known / workers:.1f} s" if known else "nobody knows how long"
    print(f"{len(found):,} stack{'s' * (len(found) != 1)}; {total} on {workers} worker{'s' * (workers != 1)}")
    return 0


def _measure(trials: Trials, stack: Stack, trainer: Trainer, seconds: float) -> None:
    """Find out how long a trial of a stack takes."""
    training = trainer.training(Block.of(trials, stack, stack.trials[: stack.size]))
    stack.bytes = plan.working_set(training)
    stack.seconds = plan.seconds_an_epoch(training, seconds) * training.train.epochs / len(stack.trials[: stack.size])


def best(folder: Path, output: Path | None) -> int:
    """Write the config of the winner, the confirmed one if there is one, with the first of its seeds. Returns the exit status."""
    prepared = _of(folder)
    phases = [phase_of(prepared, folder)] if results.complete(folder) else []
    chosen = to_confirm(phases[0]) if phases else []
    if chosen and _is_complete(folder / CONFIRM):
        phases.append(phase_of(prepared.confirming(chosen), folder / CONFIRM))
    if len(phases) == 1 + bool(chosen):
        trials, winner = phases[-1].prepared.trials, phases[-1].summary.winner
        if not phases[-1].summary.n[winner]:
            raise UsageError(f"{folder}: {NONE}")
        told = _tested(phases, folder) if prepared.experiment.data.test is not None else []
    else:
        (trials, winner), told = _leading(prepared, folder), []
    resolved = build(trials.alone(winner * trials.each)).resolved
    if trials.cv is not None:  # all folds of it
        resolved["data"]["cv"] = plan.plain(trials.cv)
    text = "".join(f"# {line}\n" for line in told) + dump(resolved)
    if output is None:
        print(text, end="")
    else:
        files.write(output, text.encode())
        name = sentences.label(trials, winner) or "the only setting"
        print(*told, f"{name}: written to {output}", sep="\n", file=sys.stderr)
    return 0


def _leading(prepared: PreparedSweep, folder: Path) -> tuple[Trials, int]:
    """The trials of a sweep that has not ended and the setting that leads, which a note tells. Raises UsageError if there is none."""
    last, values, count = unfinished(prepared, folder)
    told = UNFINISHED.format(folder=folder)
    if (winner := sentences.best_so_far(values, last.mode)) is None:
        raise UsageError(f"{told}. So far {NONE}")
    of = f"{count:,} of {last.trials.count:,} trials{' with fresh seeds' * (last is not prepared)}"
    name = sentences.label(last.trials, winner) or "the only setting"
    print(f"note: {told}. The best so far, after {of}, of which no more can be said: {name}", file=sys.stderr)
    return last.trials, winner


def _is_complete(folder: Path) -> bool:
    return folder.exists() and results.complete(folder)


def _tested(phases: list[Phase], folder: Path) -> list[str]:
    """What the winner gives on the test part: with all of its fresh seeds, if it was confirmed by some, otherwise trained anew with its
    first one."""
    if (last := to_test(phases)) is not None:
        if _is_complete(folder / TEST):
            return test_lines(last, tested(last, folder / TEST))
        print(f"note: {UNFINISHED.format(folder=folder)}. The test part has not been read", file=sys.stderr)
        return []
    prepared, winner = phases[-1].prepared, phases[-1].summary.winner
    last = prepared.testing(winner, prepared.trials.seeds[:1])
    found = attempt(
        Trainer(last.trials.document, last.log, last.sources, test=True),
        Block.of(last.trials, last.trials.stacks[0], np.arange(last.trials.count)),
    )
    if isinstance(found, str):
        raise UsageError(f"{folder}: the winner cannot be tested: {found}")
    good = [outcome.row for outcome in found if last.tests and last.tests[0] in outcome.row]
    means = {name: np.mean([float(row[name]) for row in good]) for name in last.tests} if good else {}
    one = {name: sentences.Tested(float(value), np.nan, np.nan, 1, 1) for name, value in means.items()}
    return test_lines(last, one)


def trial(folder: Path, number: int, out: Path | None) -> int:
    """Train one trial again, alone, and compare it with its row; with `out`, leave what it trained there, as a run's folder. Returns the
    exit status: 1 if it differs."""
    prepared = _of(folder)
    trials = prepared.trials
    if not 0 <= number < trials.count:
        raise UsageError(f"expected a trial from 0 to {trials.count - 1}, got {number}")
    found, stop = "", Stop()
    with _leaving(out) as place, caught(stop.note):
        try:
            row = again(prepared, folder, [number], trials.stacks, stop, keep=None if place is None else Keep(place, folder))[number]
        except Different as error:
            found = str(error)
    if found:
        print(found)
    else:
        told = dict(zip(prepared.heads[0], row, strict=False))
        ended = f"weights {told['weights']}" if told["weights"] else told["reason"]
        print(f"trial {number} is identical: {told['epochs']} epochs, {ended}")
    if out is not None:
        print(out if out.exists() else f"{out} is not there: a trial that failed leaves nothing")
    return 1 if found else 0


@contextmanager
def _leaving(out: Path | None) -> Iterator[Path | None]:
    """A folder beside `out`, from which the one that a trial leaves takes its place there in the end."""
    if out is None:
        yield None
        return
    try:
        if out.exists() and not (out.is_dir() and not any(out.iterdir())):
            raise FileError(f"{out} is there already; --out names a folder that is to be made")
        out.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as place:
            yield Path(place)
            for made in Path(place).iterdir():
                os.replace(made, out)
    except OSError as error:
        raise error if isinstance(error, FileError) else FileError(f"cannot make the folder {out}: {error.strerror}") from None


def _of(folder: Path) -> PreparedSweep:
    if not (folder / "trials.csv").exists():
        raise FileError(f"{folder} is no sweep's folder: it has no trials.csv")
    prepared = prepare(load(folder / "config.yaml"))
    recorded(folder, prepared, free=("plugins",))  # whether they still do the same, `trial` tells
    return prepared
