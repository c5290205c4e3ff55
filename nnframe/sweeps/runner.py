"""A sweep from its config to its tables: what `python -m nnframe.run` does with a config that has a section `sweep`."""

import json
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import islice
from multiprocessing import current_process
from pathlib import Path
from typing import Any

import numpy as np

from nnframe.components import plugins
from nnframe.components.markers import Size
from nnframe.components.tables import Rows, as_html, as_text, cell, chosen
from nnframe.components.walk import Problems, validate
from nnframe.components.wording import ordinary
from nnframe.config.build import build
from nnframe.config.compose import change, load
from nnframe.config.reading import Document, dump
from nnframe.config.sections import kind_of
from nnframe.errors import FileError, NNFrameError, OptionError, UsageError, printable
from nnframe.runs import folder as run_folder
from nnframe.runs.advice import print_advice
from nnframe.sweeps import plan, results, sentences, statistics
from nnframe.sweeps.again import Different, again
from nnframe.sweeps.block import Block, Outcome, Trainer
from nnframe.sweeps.execute import UNGUARDED, Stop, execute, told_later
from nnframe.sweeps.keep import Keep, Unkept
from nnframe.sweeps.plan import Stack
from nnframe.sweeps.prepare import PreparedSweep, prepare
from nnframe.sweeps.sources import Changed
from nnframe.system import files
from nnframe.system.signals import Interrupted, caught
from nnframe.training.checkpoint import describe_changes, differences
from nnframe.training.log import Meter, entry

CONFIG = "config.yaml"
CONFIRM = "confirm"  # folders beside the search's tables: its best settings with fresh seeds,
TEST = "test"  # and the best of these on the test part
SHOW = 10.0  # seconds between lines where there is no terminal


@dataclass(frozen=True)
class Options:
    """How to run a sweep; none of them changes its tables."""

    workers: int
    plugins: Sequence[str]
    fail_fast: bool
    quiet: bool = True


class Failed(NNFrameError):
    """A trial failed, and none may."""


@dataclass(frozen=True)
class Phase:
    """Trials that have been trained, and what can be said of them: the search, and what comes after it."""

    prepared: PreparedSweep
    summary: statistics.Summary
    failed: int
    folds: statistics.Folds | None = None

    def name(self, setting: int) -> str:
        """A setting in words."""
        return sentences.label(self.prepared.trials, setting) or "the only setting"

    @property
    def verdict(self) -> list[str]:
        """What can be said of the best setting."""
        return sentences.verdict(self.summary, self.name, self.prepared.experiment.data.split_varies, self.folds)


class Columns(dict[str, np.ndarray]):
    """The table of a sweep by column, a row a trial; `folder` holds the files, `verdict` is what can be said of the best."""

    folder: Path
    verdict: str

    def __repr__(self) -> str:
        return as_text(*self._excerpt())

    def _repr_html_(self) -> str:
        return as_html(*self._excerpt())

    def _excerpt(self) -> tuple[str, list[str], Rows, str]:
        """What it is, the names of its columns, a few of its rows, and the verdict."""
        trials = max(map(len, self.values()), default=0)
        title = f"{trials:,} trial{'s' * (trials != 1)}" + (f" in {self.folder}" if hasattr(self, "folder") else "")
        rows = [["..." if i is None else cell(column[i]) for column in self.values()] for i in chosen(trials)]
        return title, list(self), rows, getattr(self, "verdict", "")


def run(config: Any, overrides: Sequence[str], out: Any, options: Options) -> Columns:
    """What `nnframe.sweep` does."""
    problems = Problems()
    validate(Size, options.workers, "sweep.workers", problems)
    if problems:
        raise OptionError(problems[0][1], path=problems[0][0])
    if options.workers > 1 and getattr(current_process(), "_inheriting", False):  # a worker imports the script that began it
        raise UsageError(UNGUARDED)
    for name in options.plugins:
        plugins.load(name)
    if isinstance(config, Mapping):
        document = Document(plan.plain(config))
        change(document, overrides)
    else:
        document = load(Path(config), overrides)
    prepared = prepare(document)
    folder = run_folder.make_folder(Path(out) / prepared.experiment.name, prepared.identity)
    with files.owned(folder):
        (search, *more), test = train(prepared, folder, options)
    table = table_of(prepared, folder)
    table.verdict = " ".join([*search.verdict, *(line for phase in more for line in confirmed(search, phase)), *test_lines(prepared, test)])
    return table


def table_of(prepared: PreparedSweep, folder: Path) -> Columns:
    """trials.csv of a folder as columns: results as numbers, NaN where there are none; parameters as numbers where all are."""
    trials = prepared.trials
    kinds: dict[str, type] = dict.fromkeys(prepared.heads[0], float) | dict.fromkeys(("status", "weights", "reason"), str)
    kinds |= dict.fromkeys(("trial", "setting", "seed", "epochs", "worker"), int)
    kinds |= {column: kind_of(trials.parameters[path]) for path, column in zip(trials.settings, trials.columns, strict=True)}
    parts: list[list[np.ndarray]] = []
    rows = run_folder.read_rows(folder / "trials.csv")
    head = next(rows)
    while some := list(islice(rows, 10_000)):
        parts.append([_array(cells, kinds[name]) for name, cells in zip(head, zip(*some, strict=True), strict=True)])
    columns = Columns(zip(head, map(np.concatenate, zip(*parts, strict=True)), strict=True))
    columns.folder = folder
    return columns


def _array(cells: Sequence[str], kind: type) -> np.ndarray:
    return np.array([float(cell or "nan") for cell in cells] if kind is float else cells, kind)


def command(document: Document, out: Path, options: Options) -> int:
    """Run a sweep in a folder of its own, as the command line does. Returns the exit status."""
    prepared = prepare(document)
    print_advice(prepared.first, forward=not plugins.LOADED)  # code of others is run by workers alone
    folder = run_folder.make_folder(out / prepared.experiment.name, prepared.identity)
    with files.owned(folder):
        return _answer(prepared, folder, options)


def resume(folder: Path, document: Document, options: Options) -> int:
    """Go on with the sweep of a folder, which this process owns. Returns the exit status."""
    prepared = prepare(document)
    record = recorded(folder, prepared)
    if results.settle(folder) and record.get("status") == "finished" and not rekept(prepared, folder):
        print(f"this sweep has finished: {prepared.trials.count:,} trials; nothing is left to do")
        print(folder)
        return 0
    return _answer(prepared, folder, options, new=False)


def recorded(folder: Path, prepared: PreparedSweep, free: Collection[str] = ()) -> dict[str, Any]:
    """run.json of a sweep's folder. Raises FileError if it does not say what is tried on what, OptionError if that is another
    sweep than the one that is `prepared`, but for keys that are `free` and the place of the same weights to begin with."""
    record = run_folder.read_record(folder)
    was, now = record.get("identity"), json.loads(json.dumps(prepared.identity))
    if not isinstance(was, dict):
        raise FileError(f"{folder / 'run.json'} is missing or damaged, and nothing else says what was trained on which data so far")
    differing = (change for change in differences(was, now) if change[0] != "weights.folder")
    if changes := [change for change in differing if change[0].partition(".")[0] not in free]:
        raise OptionError(f"{folder} is of another sweep: {describe_changes(changes)}. Take the change back, or start a sweep of its own")
    return record


def _answer(prepared: PreparedSweep, folder: Path, options: Options, new: bool = True) -> int:
    say: Callable[[str], None] = (lambda text: None) if options.quiet else (lambda text: print(printable(text), flush=True))
    say(prepared.headline)
    for note in prepared.first.data.training.notes:
        say(f"note: {note}")
    try:
        (search, *more), test = train(prepared, folder, options, new)
    except (Interrupted, FileError, Failed) as error:
        if not (folder / CONFIG).exists():  # there is nothing to go on with
            raise
        with suppress(FileError):  # a full disk is told of below
            for line in so_far(prepared, folder):
                say(line)
        print(f"{printable(str(error))}; go on with\n  {run_folder.resume_command(folder, options.plugins)}", file=sys.stderr)
        print(folder)
        return 128 + error.signal if isinstance(error, Interrupted) else 1 if isinstance(error, Failed) else 2
    told = [(search, "", search.verdict), *((phase, f"{CONFIRM}/", confirmed(search, phase)) for phase in more)]
    for phase, place, (first, *rest) in told:
        lines = sentences.table(phase.prepared.trials, phase.summary, f"{place}summary.csv")
        for line in (
            by_fold(phase.prepared, folder / place) if phase.folds and phase.prepared.trials.each == phase.prepared.trials.count else lines
        ):
            say(f"  {line}")
        for line in (f"{prepared.objective}: {first}", *rest):
            say(line)
        if phase.failed:
            count = phase.prepared.trials.count
            say(f"{phase.failed:,} of {count:,} trials failed or have no {prepared.objective}; {place}trials.csv says why")
    for line in test_lines(prepared, test):
        say(line)
    for tables in (folder, folder / CONFIRM) if prepared.resolved["sweep"]["keep"] else ():
        if count := len(Keep.beside(tables).kept()):
            say(f"{count:,} trials are kept, each as a run's folder, in {Keep.beside(tables).folder}")
    if prepared.experiment.data.test is not None and not test:
        say(f"The test part was not read; nnframe best {folder} does.")
    print(folder)
    return 0


def unfinished(prepared: PreparedSweep, folder: Path) -> tuple[PreparedSweep, np.ndarray, int]:
    """What was trained last of a sweep that has not ended: its trials, their objective (settings, seeds, folds), and how many have a row.

    Raises FileError for tables that are not what was written.
    """
    tables = folder
    if results.complete(folder) and (chosen := to_confirm(phase_of(prepared, folder))) and (folder / CONFIRM).exists():
        confirming = prepared.confirming(chosen)
        if results.verified(folder / CONFIRM):
            prepared, tables = confirming, folder / CONFIRM
    ended, values = results.verified(tables), np.full(prepared.trials.count, np.nan)
    if len(ended):
        values[ended] = values_of(prepared, tables).ravel()[ended]
    return prepared, values.reshape(-1, len(prepared.trials.seeds), prepared.trials.folds), len(ended)


def so_far(prepared: PreparedSweep, folder: Path) -> list[str]:
    """The ranking of a sweep that has not ended, as lines; none if no trial has ended well."""
    last, values, ended = unfinished(prepared, folder)
    table = sentences.so_far(last.trials, values, last.mode)
    of = f"{ended:,} of {last.trials.count:,} trials{' with fresh seeds' * (last is not prepared)}"
    return [f"so far, {of}; nothing is said of a best one before all have ended:", *(f"  {line}" for line in table)] if table else []


def confirmed(search: Phase, phase: Phase) -> list[str]:
    """What can be said after fresh seeds for the best settings of a search."""
    first, left = search.name(search.summary.winner), len(search.summary.n) - len(phase.summary.n)
    return sentences.confirmed(phase.summary, phase.name, phase.prepared.experiment.data.split_varies, first, left, phase.folds)


def train(prepared: PreparedSweep, folder: Path, options: Options, new: bool = True) -> tuple[list[Phase], dict[str, sentences.Tested]]:
    """Train what is missing in a folder, which may be `new`, and write all tables: those of the search, those of its best settings with
    fresh seeds, and what the best of these gives on the test part.

    Raises Interrupted after a signal, FileError where nothing can be written, Failed; what was trained until then is kept.
    """
    start, stop = time.monotonic(), Stop()
    record = run_folder.environment() | {"name": prepared.experiment.name, "trials": prepared.trials.count, "identity": prepared.identity}
    with caught(stop.note):
        try:
            run_folder.write_record(folder, record | {"status": "running"})
            if new:  # the config last: a folder that has it can be gone on with
                results.begin(folder, _heads(prepared), prepared.trials.count)
            if new or rekept(prepared, folder):
                files.write(folder / CONFIG, dump(prepared.resolved).encode())
            phases = [_phase(prepared, folder, options, stop)]
            if best := to_confirm(phases[0]):
                phases.append(_phase(prepared.confirming(best), folder / CONFIRM, options, stop))
            _keep(phases, folder, options, stop)
            test: dict[str, sentences.Tested] = {}
            if (last := to_test(phases)) is not None:
                _look_at_test(last)
                _tables(last, folder / TEST, options, stop)
                test = tested(last, folder / TEST)
        except BaseException as error:
            with suppress(FileError):
                run_folder.write_record(folder, record | {"status": "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"})
            raise
        seconds = round(time.monotonic() - start, 3)
        failed, told = sum(phase.failed for phase in phases), {name: values.record() for name, values in test.items()}
        run_folder.write_record(folder, record | {"status": "finished", "failed": failed, "test": told, "seconds": seconds})
    return phases, test


def rekept(prepared: PreparedSweep, folder: Path) -> bool:
    """Does the sweep keep other trials than the config of its folder says? All else is the same in one that is gone on with."""
    was = load(folder / CONFIG).data.get("sweep") or {}
    return bool(was.get("keep") != prepared.resolved["sweep"]["keep"])


def _keep(phases: list[Phase], folder: Path, options: Options, stop: Stop) -> None:
    """Have the folders of the trials that are to be kept: who trained them may have kept others, or none."""
    which = phases[0].prepared.experiment.sweep and phases[0].prepared.experiment.sweep.keep
    for phase, tables in zip(phases, (folder, folder / CONFIRM), strict=False):
        keep, wanted, trials = Keep.beside(tables), _with_weights(tables), phase.prepared.trials
        if which == "best":
            first = phase.summary.winner * trials.each
            wanted &= {*range(first, first + trials.each)} if phase is phases[-1] and phase.summary.n[phase.summary.winner] else set()
            keep.drop(keep.begun() - wanted)
        if which is not None and (missing := wanted - keep.kept()):
            with stop.at_once():
                stacks, _ = stacks_of(phase.prepared, options.workers)
            try:
                again(phase.prepared, tables, sorted(missing), stacks, stop, options.workers, options.plugins, keep)
            except Different as error:
                keep.drop(missing & keep.begun())
                told = "what is to be kept must be what was ranked, and is not, trained again"
                raise UsageError(f"{tables}: {told}: {error.message}; nnframe replay {folder} tells why") from None


def _with_weights(tables: Path) -> set[int]:
    """The trials that ended with weights."""
    head, *rows = run_folder.read_rows(tables / "trials.csv")
    return {int(row[0]) for row in rows if row[head.index("weights")]}


def to_confirm(search: Phase) -> list[int]:
    """The settings of a search that are to be trained again, best first."""
    sweep, summary = search.prepared.experiment.sweep, search.summary
    return [] if sweep is None or sweep.confirm is None else [j for j in summary.order[: sweep.confirm.top].tolist() if summary.n[j]]


def test_lines(prepared: PreparedSweep, found: dict[str, sentences.Tested]) -> list[str]:
    """What can be said of a winner on the test part."""
    data = prepared.experiment.data
    return sentences.tested(found, drawn_anew=isinstance(data.test, float) and data.split_varies)


def to_test(phases: list[Phase]) -> PreparedSweep | None:
    """The trials of a confirmed winner, to be evaluated on the test part; None if there is no such winner or no such part."""
    prepared, summary = phases[-1].prepared, phases[-1].summary
    if len(phases) < 2 or prepared.experiment.data.test is None or not summary.n[summary.winner]:
        return None
    return prepared.testing(summary.winner, prepared.trials.seeds)


def tested(prepared: PreparedSweep, folder: Path) -> dict[str, sentences.Tested]:
    """What the trials of a winner gave on the test part, by name."""
    rows = run_folder.read_rows(folder / "trials.csv")
    head = next(rows)
    table, found = [row if row[head.index("status")] == "finished" else [""] * len(head) for row in rows], {}
    for name in prepared.tests:
        every = np.array([float(row[head.index(name)] or "nan") for row in table]).reshape(-1, prepared.trials.folds).mean(-1)
        values = every[np.isfinite(every)][None]
        if values.size:
            found[name] = sentences.Tested(float(values.mean()), *statistics.interval(values, 0), values.size, len(every))
    return found


def _look_at_test(prepared: PreparedSweep) -> None:
    """Raise FileError if the test part cannot be read, before any row says that a trial failed by it."""
    try:
        build(prepared.trials.alone(0), test=True)
    except NNFrameError as error:
        raise FileError(f"the winner cannot be tested: {'; '.join(str(error).splitlines())}") from None


def _tables(prepared: PreparedSweep, folder: Path, options: Options, stop: Stop) -> None:
    """Train what is missing of some trials in a folder, which is made with its journal if there is none."""
    if not folder.exists():
        results.begin_folder(folder, _heads(prepared), prepared.trials.count)
    if not results.settle(folder):
        _fill(prepared, folder, options, stop)


def _phase(prepared: PreparedSweep, folder: Path, options: Options, stop: Stop) -> Phase:
    """Train what is missing of some trials in a folder, and write all of its tables."""
    _tables(prepared, folder, options, stop)
    with stop.at_once():
        phase = phase_of(prepared, folder)
        sentences.write(folder / "summary.csv", prepared.trials, phase.summary, phase.folds)
    return phase


def phase_of(prepared: PreparedSweep, folder: Path) -> Phase:
    """What the complete tables of a folder say."""
    values = values_of(prepared, folder)
    by_seed, failed, cv = over_folds(values), int((~np.isfinite(values)).sum()), prepared.trials.cv
    summary = statistics.summarize(by_seed, prepared.mode, prepared.floor)
    if cv is None:
        return Phase(prepared, summary, failed)
    drawn_anew, share = prepared.experiment.data.split_varies, prepared.floor is not None
    return Phase(
        prepared, summary, failed, statistics.Folds.of(values, cv.word, cv.ratio(prepared.experiment.data.split), drawn_anew, share)
    )


def over_folds(values: np.ndarray) -> np.ndarray:
    """The mean over folds of (settings, seeds, folds): infinite if one diverged, NaN if one has no value."""
    return np.where(np.isinf(values).any(-1), np.inf, values.mean(-1))


def _fill(prepared: PreparedSweep, folder: Path, options: Options, stop: Stop) -> None:
    """Train what is missing in the tables."""
    with stop.at_once():
        stacks, kept = stacks_of(prepared, options.workers)
    if not kept:
        print("warning: with this BLAS a trial in a stack is not, to the last bit, the same trial alone", file=sys.stderr)
    tables = results.Results(folder, _heads(prepared), prepared.trials.count)
    missing = tables.missing
    with closing(tables), closing(Progress(prepared, missing, not options.quiet)) as progress:

        def report(block: Block, outcomes: list[Outcome], worker: int) -> None:
            pairs = list(zip(block.trials, outcomes, strict=True))
            tables.add((trial, results.line_of(prepared.row(trial, outcome, worker)), outcome.lines) for trial, outcome in pairs)
            progress.add(outcomes)
            for trial, outcome in pairs:
                if options.fail_fast and outcome.row["status"] != "finished":
                    raise Failed(f"trial {trial} {outcome.row['status']}: {outcome.row['reason']}")

        workers = max(min(options.workers, sum(1 for stack in stacks for _ in stack.blocks(missing))), 1)
        try:
            sweep = prepared.experiment.sweep
            keep = Keep.beside(folder) if sweep is not None and sweep.keep == "all" and not prepared.trials.test else None
            execute(prepared.trials, stacks, missing, prepared.log, prepared.sources, workers, options.plugins, report, stop, keep)
        except (Interrupted, Failed, Changed, Unkept):
            tables.note()
            raise
        tables.finish()


def _heads(prepared: PreparedSweep) -> list[str]:
    return list(map(results.line_of, prepared.heads))


def stacks_of(prepared: PreparedSweep, workers: int) -> tuple[list[Stack], bool]:
    """All stacks with the sizes of their blocks; and whether, in the largest of them, stacked is alone on this machine."""
    found, trainer = prepared.trials.stacks, Trainer(prepared.trials.document, sources=prepared.sources)
    largest, kept = max(found, key=lambda stack: len(stack.trials)), True
    for stack in found:
        if len(stack.trials) > 1:
            with told_later():
                training = trainer.training(Block.of(prepared.trials, stack, stack.trials[:1]))
                stack.bytes = plan.working_set(training)
                stack.size = plan.block_size(training, len(stack.trials), workers)
                if stack is largest and not plugins.LOADED:  # code of others is run by workers alone
                    kept = plan.self_test(trainer.training(Block.of(prepared.trials, stack, stack.trials[: stack.size])))
    return found, kept


def values_of(prepared: PreparedSweep, folder: Path) -> np.ndarray:
    """The objective (settings, seeds, folds), infinite where a trial diverged and NaN where one has none."""
    rows = run_folder.read_rows(folder / "trials.csv")
    head = next(rows)
    column, status = head.index(prepared.objective), head.index("status")
    values = np.full(prepared.trials.count, np.nan)
    for row in rows:
        value = float(row[column] or "nan")
        if row[status] == "diverged" or (row[column] and not np.isfinite(value)):
            values[int(row[0])] = np.inf
        elif row[status] == "finished":
            values[int(row[0])] = value
    return values.reshape(-1, len(prepared.trials.seeds), prepared.trials.folds)


def by_fold(prepared: PreparedSweep, folder: Path) -> list[str]:
    """What every fold of the only setting gave, as lines of a table, with means and intervals; of several seeds their mean."""
    rows = run_folder.read_rows(folder / "trials.csv")
    head, *table = rows
    columns = [name for name in prepared.log if name.startswith("val_")]
    values = np.array([[float(row[head.index(name)] or "nan") for name in columns] for row in table]).reshape(
        1, len(prepared.trials.seeds), -1, len(columns)
    )
    cv, data = prepared.trials.cv, prepared.experiment.data
    assert cv is not None
    ratio = cv.ratio(data.split)
    found = [
        statistics.Folds.of(values[..., i], cv.word, ratio, data.split_varies, prepared.is_share(name)) for i, name in enumerate(columns)
    ]
    return sentences.fold_table(columns, values[0].mean(0), found)


class Progress:
    """A bar on a terminal, or a line every some seconds: done, failed, best, time left."""

    def __init__(self, prepared: PreparedSweep, missing: np.ndarray, shows: bool) -> None:
        self.objective, self.better = prepared.objective, min if prepared.mode == "min" else max
        self.count, self.done, self.failed = len(missing), int((~missing).sum()), 0
        self.before, self.best = self.done, np.nan
        self.start = self.shown = time.monotonic()
        self.lines, self.bar = shows, None  # type: tuple[bool, Meter | None]
        if self.lines and self.done:
            print(f"{self.count - self.done:,} more, {self.count:,} in all", flush=True)
        if shows and sys.stdout.isatty() and sys.stderr.isatty():
            self.bar = Meter(prepared.experiment.name, self.count, self.done)

    def add(self, outcomes: list[Outcome]) -> None:
        for outcome in outcomes:
            value = float(outcome.row.get(self.objective, "nan")) if outcome.row["status"] == "finished" else np.nan
            self.failed += bool(np.isnan(value))
            self.best = value if np.isnan(self.best) else self.best if np.isnan(value) else self.better(self.best, value)
        self.done += len(outcomes)
        told, now = f"failed {self.failed:,}, best {ordinary(self.best)}", time.monotonic()
        if self.bar is not None and self.bar.is_due(self.done):
            self.bar.show(["" if np.isnan(self.best) else entry("best", self.best), f"failed {self.failed:,}"])
        elif self.bar is None and self.lines and now - self.shown > SHOW:
            left = (now - self.start) / (self.done - self.before) * (self.count - self.done)
            print(f"{self.done:,} of {self.count:,} trials, {told}, about {left:.0f} s left", flush=True)
            self.shown = now

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
        if self.lines:
            more = f", {self.done:,} of {self.count:,} in all" if self.before or self.done < self.count else ""
            print(f"{self.done - self.before:,} trials in {time.monotonic() - self.start:.1f} s{more}", flush=True)
