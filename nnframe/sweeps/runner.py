"""A sweep from its config to its tables: what `python -m nnframe.run` does with a config that has a section `sweep`."""

import json
import shlex
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnframe import blas, files, plugins, runs
from nnframe.component import config_of
from nnframe.config.build import Job, build
from nnframe.config.check import Experiment, checked, located
from nnframe.config.compose import load, override
from nnframe.config.reading import Document, dump
from nnframe.errors import ConfigError, FileError, NNFrameError, OptionError, UsageError, nearest, printable
from nnframe.sweeps import plan, results, statistics
from nnframe.sweeps.block import Block, Outcome, Trainer, problems_of
from nnframe.sweeps.execute import block_of, execute
from nnframe.sweeps.plan import Stack, Trials
from nnframe.sweeps.space import Between
from nnframe.training.checkpoint import differences
from nnframe.training.log import in_order
from nnframe.training.signals import Interrupted, caught

Say = Callable[[str], None]


@dataclass
class Prepared:
    """A sweep that can begin: every mistake that can be found before training is behind it."""

    document: Document
    experiment: Experiment
    trials: Trials
    first: Job  # of trial 0, alone
    columns: dict[str, str]  # of the log, and what is best there
    metric: str  # that ranks
    mode: str
    kept: bool = True  # is stacked equal to alone on this machine?

    @property
    def objective(self) -> str:
        """The column of trials.csv that ranks."""
        return f"best_{self.metric}" if self.trials.sweep.objective.at == "best" else self.metric

    @property
    def heads(self) -> tuple[list[str], list[str]]:
        """The columns of trials.csv and losses.csv."""
        values = [
            name for column in in_order(self.columns) if column in self.columns and column != "lr" for name in (column, f"best_{column}")
        ]
        row = ["trial", "setting", *self.trials.settings, "seed", "status", "epochs", *values, "weights", "reason", "seconds", "worker"]
        return row, ["trial", "epoch", "step", *in_order(self.columns)]

    def identity(self) -> dict[str, Any]:
        """Plain data that says what is tried on what."""
        loaded = {plugin["plugin"]: plugin["sha256"] for plugin in plugins.LOADED}
        return {"config": resolved(self), "the data's hash": runs.data_digest(self.first), "plugins": loaded}


def prepare(document: Document) -> Prepared:
    """Check a sweep's config and build its first trial. Raises ConfigError with everything that was found wrong."""
    experiment = checked(document)
    sweep = experiment.sweep
    if sweep is None:
        raise located(document, [("", "has no section 'sweep'")])
    base = Document({key: value for key, value in document.data.items() if key != "sweep"}, document.marks, document.path)
    train = base.data["train"] = dict(base.data["train"])
    if train.get("blas_threads", "auto") == "auto":
        train["blas_threads"] = 1  # the cores are for the trials
    seeds = sweep.all_seeds(experiment.seed)
    if problems := list(_wrong_values(document, base, sweep)):
        raise located(document, problems)
    try:
        trials = Trials(base, sweep, sweep.settings(len(seeds)), seeds)
    except OptionError as error:
        raise located(document, [(f"sweep.{error.path or 'sampler'}", error.message)]) from None
    first = build(trials.alone(0))
    columns = first.training.columns()
    if any(path.split(".")[0] in ("metrics", "data") for path in trials.settings):
        trainer = Trainer(base)
        for stack in plan.stacks(trials)[:1000]:  # whose logs may have other columns
            columns = trainer.training(_first_block(trials, stack)).columns() | columns
    objective = sweep.objective
    metric = objective.metric or ("val_loss" if "val_loss" in columns else "loss")
    if metric not in columns:
        hint = "; there is no validation data" if metric.startswith("val_") and "val_loss" not in columns else ""
        words = f"the log has no column {metric!r}{hint}.{nearest(metric, columns)} Columns: {', '.join(columns)}."
        raise located(document, [("sweep.objective.metric", words)])
    return Prepared(document, experiment, trials, first, columns, metric, objective.mode or columns[metric])


def _wrong_values(document: Document, base: Document, sweep: Any) -> Any:
    """What is wrong with each value of each parameter by itself: (dotted path, message)."""
    for path, parameter in sweep.space().items():
        place = f"sweep.parameters.{path}"
        if path.split(".")[0] in ("seed", "sweep", "name", "log", "predict"):
            hint = "write sweep.seeds instead" if path == "seed" else "it changes nothing that is trained"
            yield place, f"{path!r} is no parameter of a sweep; {hint}"
            continue
        points = [parameter.low, parameter.high] if isinstance(parameter, Between) else range(len(parameter.values))
        for point in points:
            value = parameter.value(int(point) if isinstance(parameter, Between) and parameter.integer else point)
            try:
                found = problems_of(plan.assigned(base, {path: value}))
            except ConfigError as error:
                found = [(place, error.problems[0].partition(": ")[2])]
            if found:
                at = place if isinstance(parameter, Between) or isinstance(sweep.parameters[path], Mapping) else f"{place}.{point}"
                told = found[0][1] if found[0][0] in (path, place) else f"{found[0][0]}: {found[0][1]}"
                yield at, told
                break


def stacks_of(prepared: Prepared, workers: int, patience: float = 0.0) -> list[Stack]:
    """The stacks with the sizes of their blocks. With `patience`, for so many seconds other sizes are tried, and each stack
    is told how long it takes."""
    found, trainer = plan.stacks(prepared.trials), Trainer(prepared.trials.document)
    share = patience / max(min(len(found), 20), 1)
    for i, stack in enumerate(sorted(found, key=lambda stack: -len(stack.trials))):
        if len(stack.trials) == 1 and not share:
            continue
        try:
            training = trainer.training(_first_block(prepared.trials, stack))
            stack.size = plan.block_size(training, len(stack.trials), workers)
            if not i and not share:
                training = trainer.training(_first_block(prepared.trials, stack, stack.size))
                prepared.kept = plan.self_test(training)
            if share and i < 20:
                _measure(prepared.trials, stack, trainer, workers, share)
        except NNFrameError:
            continue  # a setting that cannot be trained tells so when it is its turn
    return found


def _measure(trials: Trials, stack: Stack, trainer: Trainer, workers: int, seconds: float) -> None:
    """Try half and twice the size, and take one of them if it is clearly faster for each run."""
    most = min(plan.MOST, -(-len(stack.trials) // workers))
    speeds = {}
    for size in dict.fromkeys([stack.size, max(stack.size // 2, 1), min(stack.size * 2, most)]):
        training = trainer.training(_first_block(trials, stack, size))
        speeds[size] = plan.seconds_an_epoch(training, seconds / 3) / size
    fastest = min(speeds, key=lambda size: speeds[size])
    if speeds[fastest] < 0.85 * speeds[stack.size]:
        stack.size = fastest
    stack.seconds = speeds[stack.size] * training.train.epochs


def _first_block(trials: Trials, stack: Stack, size: int = 1) -> Block:
    return block_of(trials, stack, stack.trials[:size])


def resolved(prepared: Prepared) -> dict[str, Any]:
    """The complete config of the sweep."""
    plain = prepared.first.resolved
    plain["seed"] = prepared.experiment.seed
    return plain | {"sweep": config_of(prepared.experiment.sweep)}


# ---------------------------------------------------------------------------------------------- running


class Columns(dict[str, np.ndarray]):
    """The table of a sweep by column, a row a trial; `folder` holds the files, `verdict` is what can be said of the best."""

    folder: Path
    verdict: str


def run(config: Any, overrides: Sequence[str], workers: int, out: Any, plugin_names: Sequence[str], fail_fast: bool) -> Columns:
    """What `nnframe.sweep` does."""
    for name in plugin_names:
        plugins.load(name)
    if isinstance(config, Mapping):
        document = Document(deepcopy(dict(config)))
        for assignment in overrides:
            override(document, assignment)
    else:
        document = load(Path(config), overrides)
    prepared = prepare(document)
    folder = runs.make_folder(Path(out) / prepared.experiment.name, prepared.identity())
    with files.owned(folder):
        summary, _ = _train(prepared, folder, workers, plugin_names, fail_fast, lambda text: None, False)
    table = table_of(folder)
    table.verdict = statistics.verdict(summary, statistics.labels(prepared.trials, len(summary.n)))
    return table


def table_of(folder: Path) -> Columns:
    """trials.csv of a folder as columns: numbers where all cells are numbers, texts otherwise."""
    head, *rows = results.read(folder / "trials.csv")
    columns = Columns()
    for name, cells in zip(head, zip(*rows, strict=True), strict=True):
        column = np.array(cells)
        for kind in (int, float):
            try:
                column = column.astype(kind)
                break
            except ValueError:
                continue
        columns[name] = column
    columns.folder = folder
    return columns


def command(document: Document, out: Path, silent: bool, plugin_names: Sequence[str], workers: int | None, fail_fast: bool) -> int:
    """Run a sweep in a folder of its own, as the command line does. Returns the exit status."""
    prepared = prepare(document)
    folder = runs.make_folder(out / prepared.experiment.name, prepared.identity())
    with files.owned(folder):
        return _answer(prepared, folder, silent, plugin_names, workers, fail_fast)


def resume(folder: Path, document: Document, silent: bool, plugin_names: Sequence[str], workers: int | None, fail_fast: bool) -> int:
    """Go on with the sweep of a folder, which this process owns. Returns the exit status."""
    prepared = prepare(document)
    was = runs.read_record(folder).get("identity") or results.identity_of(folder)
    now = json.loads(json.dumps(prepared.identity()))
    if was is not None and (changes := [change for change in differences(was, now)]):
        told = "; ".join(f"{path}: {old!r:.60} before, {new!r:.60} now" for path, old, new in changes[:10])
        raise OptionError(f"{folder} is of another sweep: {told}. Take the change back, or start a sweep of its own")
    if (folder / "summary.csv").exists() and not (folder / ".journal").exists():
        print(f"this sweep has finished: {prepared.trials.count:,} trials; nothing is left to do")
        print(folder)
        return 0
    return _answer(prepared, folder, silent, plugin_names, workers, fail_fast)


def _answer(prepared: Prepared, folder: Path, silent: bool, plugin_names: Sequence[str], workers: int | None, fail_fast: bool) -> int:
    say: Say = (lambda text: None) if silent else (lambda text: print(printable(text), flush=True))
    say(headline(prepared))
    again = shlex.join(["python", "-m", "nnframe.run", "--resume", str(folder), *(f"--plugin={name}" for name in plugin_names)])
    try:
        summary, failed = _train(prepared, folder, workers or blas.cores(), plugin_names, fail_fast, say, not silent)
    except (Interrupted, FileError, _Failed) as error:
        print(f"{error}; go on with\n  {printable(again)}", file=sys.stderr)
        print(folder)
        return 128 + error.signal if isinstance(error, Interrupted) else 1 if isinstance(error, _Failed) else 2
    for line in statistics.table(prepared.trials, summary):
        say(f"  {line}")
    say(f"{prepared.objective}: {statistics.verdict(summary, statistics.labels(prepared.trials, len(summary.n)))}")
    if failed:
        say(f"{failed:,} of {prepared.trials.count:,} trials failed; trials.csv says why")
    print(folder)
    return 0


def headline(prepared: Prepared) -> str:
    trials = prepared.trials
    settings, seeds = trials.count // len(trials.seeds), len(trials.seeds)
    plural = [
        f"{number:,} {word}{'s' * (number != 1)}" for number, word in ((settings, "setting"), (seeds, "seed"), (trials.count, "trial"))
    ]
    return f"{prepared.experiment.name}: {plural[0]} x {plural[1]} = {plural[2]}, ranked by {prepared.objective} ({prepared.mode})"


class _Failed(Exception):
    """A trial failed, and none may."""


def _train(
    prepared: Prepared, folder: Path, workers: int, plugin_names: Sequence[str], fail_fast: bool, say: Say, shows: bool
) -> tuple[statistics.Summary, int]:
    """Train what is missing and write all tables; the summary, and how many trials failed."""
    trials, (table_head, log_head) = prepared.trials, prepared.heads
    identity = prepared.identity()
    record = runs.environment() | {"name": prepared.experiment.name, "status": "running", "identity": identity, "trials": trials.count}
    files.write(folder / "config.yaml", dump(identity["config"]).encode())
    runs.write_record(folder, record)
    start = time.monotonic()
    if not (folder / "trials.csv").exists() or (folder / ".journal").exists():
        stacks = stacks_of(prepared, workers)
        if not prepared.kept:
            print("warning: with this BLAS a trial in a stack is not, to the last bit, the same trial alone", file=sys.stderr)
        heads = tuple(results.line_of(head) + "\n" for head in (table_head, log_head))
        tables = results.Results(folder, heads, trials.count, identity)  # type: ignore[arg-type]
        with closing(tables), caught(_stop), closing(_Progress(prepared, tables.missing, shows)) as progress:

            def report(block: Block, outcomes: list[Outcome], worker: int) -> None:
                rows = []
                for trial, outcome in zip(block.trials, outcomes, strict=True):
                    setting = trial // len(trials.seeds)
                    known = {"trial": str(trial), "setting": str(setting), "seed": str(trials.seed(trial)), "worker": str(worker)}
                    known |= trials.names(setting) | outcome.row
                    rows.append((trial, results.line_of(known.get(name, "") for name in table_head), outcome.lines))
                tables.add(rows)
                progress.add(block, outcomes)
                if fail_fast and (bad := [i for i, outcome in enumerate(outcomes) if outcome.row["status"] != "finished"]):
                    raise _Failed(f"trial {block.trials[bad[0]]} {outcomes[bad[0]].row['status']}: {outcomes[bad[0]].row['reason']}")

            left = int(tables.missing.sum())
            count = sum(1 for stack in stacks for _ in stack.blocks(tables.missing))
            execute(trials, stacks, tables.missing.copy(), log_head[3:], min(workers, max(count, 1)), list(plugin_names), report)
            tables.finish()
            say(f"{left:,} trials in {time.monotonic() - start:.1f} s")
    values, failed = _values(folder, prepared)
    summary = statistics.summarize(values, prepared.mode)
    statistics.write(folder / "summary.csv", trials, summary)
    runs.write_record(folder, record | {"status": "finished", "failed": failed, "seconds": round(time.monotonic() - start, 3)})
    return summary, failed


def _stop(number: int) -> None:
    raise Interrupted(number)


def _values(folder: Path, prepared: Prepared) -> tuple[np.ndarray, int]:
    """The objective (settings, seeds), NaN where a trial failed, and how many did."""
    rows = results.read(folder / "trials.csv")
    head = next(rows)
    column, status = head.index(prepared.objective), head.index("status")
    values = np.array([float(row[column]) if row[status] == "finished" and row[column] else np.nan for row in rows])
    return values.reshape(-1, len(prepared.trials.seeds)), int((~np.isfinite(values)).sum())


class _Progress:
    """A bar on a terminal, or a line every some seconds: done, failed, best, time left."""

    def __init__(self, prepared: Prepared, missing: np.ndarray, shows: bool) -> None:
        self.prepared, self.done, self.failed = prepared, int((~missing).sum()), 0
        self.count, self.best = len(missing), np.nan
        self.start = self.shown = time.monotonic()
        self.before, self.shows = self.done, shows
        self.bar: Any = None
        if shows and sys.stdout.isatty() and sys.stderr.isatty():
            from tqdm import tqdm

            self.bar = tqdm(
                total=self.count, initial=self.done, desc=prepared.experiment.name, unit="trial", dynamic_ncols=True, leave=False
            )

    def add(self, block: Block, outcomes: list[Outcome]) -> None:
        self.done += len(outcomes)
        good = [float(outcome.row[self.prepared.objective]) for outcome in outcomes if outcome.row["status"] == "finished"]
        self.failed += len(outcomes) - len(good)
        self.best = (np.nanmin if self.prepared.mode == "min" else np.nanmax)([*good, self.best]) if good else self.best
        told = f"failed {self.failed}, best {self.best:.4g}"
        now = time.monotonic()
        if self.bar is not None:
            self.bar.set_postfix_str(told, refresh=False)
            self.bar.update(len(outcomes))
        elif self.shows and now - self.shown > 10:
            left = (now - self.start) / (self.done - self.before) * (self.count - self.done)
            print(f"{self.done:,} of {self.count:,} trials, {told}, about {left:.0f} s left", flush=True)
            self.shown = now

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


# ---------------------------------------------------------------------------------------------- before and after


def show_plan(document: Document, workers: int | None) -> int:
    """Print trials, stacks, sizes of blocks, memory, and how long it will take. Returns the exit status."""
    prepared = prepare(document)
    workers = workers or blas.cores()
    found = stacks_of(prepared, workers, patience=2.0)
    trainer = Trainer(prepared.trials.document)
    print(headline(prepared))
    rows = [["trials", "blocks of", "memory", "a trial", "the same in all of them"]]
    for stack in found[:20]:
        need = plan.working_set(trainer.training(_first_block(prepared.trials, stack))) * stack.size
        names = prepared.trials.names(int(stack.trials[0]) // len(prepared.trials.seeds))
        shared = ", ".join(f"{path}={names[path]}" for path in stack.shared)
        rows.append([f"{len(stack.trials):,}", str(stack.size), f"{need / 2**20:.1f} MiB", f"{stack.seconds * 1000:.3g} ms", shared])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  " + "  ".join(cell.rjust(width) for cell, width in zip(row[:-1], widths, strict=False)) + f"  {row[-1]}".rstrip())
    if len(found) > 20:
        print(f"  ... and {len(found) - 20:,} more stacks")
    known = [stack for stack in found if stack.seconds]
    per_trial = sum(stack.seconds * len(stack.trials) for stack in known) / max(sum(len(stack.trials) for stack in known), 1)
    total = per_trial * prepared.trials.count / workers
    print(f"{len(found):,} stacks; about {total:.1f} s on {workers} worker{'s' * (workers != 1)}")
    return 0


def best(folder: Path, output: Path | None) -> int:
    """Write the config of the winner, with the first of its seeds. Returns the exit status."""
    prepared = _of(folder)
    values, _ = _values(folder, prepared)
    summary = statistics.summarize(values, prepared.mode)
    setting = int(summary.order[0])
    if not summary.n[setting]:
        raise UsageError(f"{folder}: no trial ended well, so none is the best")
    job = build(prepared.trials.alone(setting * len(prepared.trials.seeds)))
    text = dump(job.resolved)
    if output is None:
        print(text, end="")
    else:
        files.write(output, text.encode())
        print(f"{statistics.labels(prepared.trials, len(summary.n))[setting]}: written to {output}", file=sys.stderr)
    return 0


def trial(folder: Path, number: int) -> int:
    """Train one trial again, alone, and compare it with its row. Returns the exit status: 1 if it differs."""
    prepared = _of(folder)
    if not 0 <= number < prepared.trials.count:
        raise UsageError(f"expected a trial from 0 to {prepared.trials.count - 1}, got {number}")
    head, *rows = results.read(folder / "trials.csv")
    row = next((dict(zip(head, cells, strict=True)) for cells in rows if cells[0] == str(number)), None)
    if row is None:
        raise UsageError(f"{folder}: trial {number} has not been trained yet")
    log = results.read(folder / "losses.csv")
    log_head = next(log)
    lines = [cells[1:] for cells in log if cells[0] == str(number)]
    stack = next(stack for stack in plan.stacks(prepared.trials) if number in stack.trials)
    (outcome,) = Trainer(prepared.trials.document, log_head[3:]).train(block_of(prepared.trials, stack, np.array([number])))
    again = [line.split(",") for line in outcome.lines]
    for old, new in zip(lines, again, strict=False):
        if old != new:
            name, was, now = next((n, a, b) for n, a, b in zip(log_head[1:], old, new, strict=True) if a != b)
            print(f"trial {number} differs in epoch {old[0]}: {name} was {was}, is {now}")
            return 1
    for name, now in outcome.row.items():
        if name != "seconds" and row.get(name) != now:
            print(f"trial {number} differs: {name} was {row.get(name)}, is {now}")
            return 1
    print(f"trial {number} is identical: {len(again)} epochs, weights {outcome.row['weights']}")
    return 0


def _of(folder: Path) -> Prepared:
    if not (folder / "trials.csv").exists():
        raise FileError(f"{folder} is no sweep's folder: it has no trials.csv")
    return prepare(load(folder / "config.yaml"))
