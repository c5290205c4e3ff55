"""From a sweep's config to trials that can begin: every mistake that can be found before training is told, all at once."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from nnframe.components.component import config_of
from nnframe.config.build import Job, build
from nnframe.config.experiment import Experiment, checked, inspected, located
from nnframe.config.reading import Document
from nnframe.config.sections import Between, Choice
from nnframe.errors import ENOUGH, ConfigError, NNFrameError, OptionError
from nnframe.metrics.losses import as_metric
from nnframe.runs import folder as run_folder
from nnframe.sweeps import plan
from nnframe.sweeps.block import Block, Outcome, Trainer
from nnframe.sweeps.plan import Trials
from nnframe.training.callbacks import no_column
from nnframe.training.log import in_order

IDLE = ("sweep", "name", "log", "predict", "train.checkpoint")  # keys that change nothing that is trained
CLOCK = "a trial shares its time with others; limit train.epochs"
NONE = {"seed": "is no parameter; write sweep.seeds instead", "train.max_seconds": CLOCK}
STACKS = 1000  # to look at before training
MANY = 100  # values of a parameter to try one by one


@dataclass
class Prepared:
    """A sweep that can begin."""

    experiment: Experiment  # of the config itself, with the sweep's values as they are tried
    trials: Trials
    first: Job  # of trial 0, alone
    columns: dict[str, str]  # of the log, and what is best there
    metric: str  # that ranks
    mode: str

    @property
    def objective(self) -> str:
        """The column of trials.csv that ranks."""
        at_best = self.experiment.sweep is not None and self.experiment.sweep.objective.at == "best"
        return f"best_{self.metric}" if at_best else self.metric

    @property
    def floor(self) -> float | None:
        """Half a step of the objective, if it counts rows."""
        training, name = self.first.training, self.metric
        counting = {metric.name for metric in (*training.metrics, *map(as_metric, self.experiment.metrics)) if metric.counts_rows}
        held = name not in counting and name.removeprefix("val_") in counting
        batches = training.validation if held else training.batches if name in counting else None
        return None if batches is None else 0.5 / batches.rows

    @property
    def log(self) -> list[str]:
        """The columns of losses.csv after trial, epoch and step."""
        return in_order(self.columns)

    @cached_property
    def results(self) -> list[str]:
        """The columns of trials.csv that tell what came of a trial."""
        values = [name for column in self.log if column in self.columns and column != "lr" for name in (column, f"best_{column}")]
        return ["status", "epochs", *values, *self.tests, "weights", "reason", "seconds"]

    @property
    def tests(self) -> list[str]:
        """The columns of trials.csv that tell what a trial gives on the test part."""
        held = {f"val_{name}" for name in self.columns}
        return [f"test_{name}" for name in self.columns if name != "lr" and name not in held] if self.trials.test else []

    @property
    def heads(self) -> tuple[list[str], list[str]]:
        """The columns of trials.csv and losses.csv."""
        return ["trial", "setting", *self.trials.columns, "seed", *self.results, "worker"], ["trial", "epoch", "step", *self.log]

    def row(self, trial: int, outcome: Outcome, worker: int) -> list[str]:
        """The row of a trial in trials.csv."""
        setting = trial // len(self.trials.seeds)
        told = [outcome.row.get(name, "") for name in self.results]
        return [
            str(trial),
            str(self.trials.numbers[setting]),
            *self.trials.names(setting),
            str(self.trials.seed(trial)),
            *told,
            str(worker),
        ]

    def confirming(self, best: Sequence[int]) -> "Prepared":
        """Some settings of the search again, with seeds of their own."""
        assert self.experiment.sweep is not None and self.experiment.sweep.confirm is not None
        return replace(self, trials=self.trials.of(best, self.experiment.sweep.confirm.fresh(self.trials.seeds)))

    def testing(self, setting: int, seeds: list[int]) -> "Prepared":
        """One setting again, this time evaluated on the test part."""
        return replace(self, trials=self.trials.of([setting], seeds, test=True))

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """The complete config of the sweep: defaults written out, paths absolute."""
        e = self.experiment
        threads = 1 if e.train.blas_threads == "auto" else e.train.blas_threads
        plain = config_of(replace(e, train=replace(e.train, blas_threads=threads)))
        return {key: plain[key] for key in ("name", "seed", "dtype")} | plain

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Plain data that says what is tried on what."""
        return run_folder.identity(self.resolved, self.first)


def prepare(document: Document) -> Prepared:
    """Check a sweep's config and build its first trial. Raises ConfigError with everything that was found wrong."""
    experiment = checked(document)
    sweep = experiment.sweep
    if sweep is None:
        raise located(document, [("", "has no section 'sweep'")])
    places = {path: mark for path, mark in document.marks.items() if not path.startswith("sweep.")}  # not those of all values
    places |= {place: document.mark(place) for place in (f"sweep.parameters.{path}" for path in sweep.parameters)}
    base = Document({key: value for key, value in document.data.items() if key != "sweep"}, places, document.path)
    values: dict[str, Any] = {}
    problems = [("train.max_seconds", CLOCK)] if experiment.train.max_seconds else []
    for path, parameter in sweep.space.items():
        values[path], wrong = _checked_values(base, path, parameter, sweep.parameters[path])
        problems += wrong
    if problems:
        raise located(document, problems)
    try:
        sweep = replace(sweep, parameters=values)
        seeds = sweep.all_seeds(experiment.seed)
        trials = Trials(base, sweep.space, sweep.settings(len(seeds)), seeds)
        if sweep.confirm is not None:
            confirm = sweep.confirm.among(len(trials.numbers), len(seeds))
            confirm.fresh(seeds)
            sweep = replace(sweep, confirm=confirm)
    except OptionError as error:
        raise located(document, [(f"sweep.{error.path or 'sampler'}", error.message)]) from None
    first = build(trials.alone(0))
    columns = _columns(trials, first)
    objective = sweep.objective
    metric = objective.metric or ("val_loss" if "val_loss" in columns else "loss")
    if metric not in columns or metric == "lr":
        known = {name: better for name, better in columns.items() if name != "lr"}
        raise located(document, [("sweep.objective.metric", no_column(metric, known, " to rank by"))])
    mode = objective.mode or columns[metric]
    return Prepared(replace(experiment, sweep=sweep), trials, first, columns, metric, mode)


def _columns(trials: Trials, first: Job) -> dict[str, str]:
    """The log's columns of all trials, and what is best there."""
    found = first.training.columns()
    if {path.partition(".")[0] for path in trials.settings} & {"metrics", "data", "optimizer"}:
        trainer = Trainer(trials.document)
        for stack in trials.stacks[:STACKS]:
            with suppress(NNFrameError):  # a setting that cannot be trained tells so when it is its turn
                found |= trainer.training(Block.of(trials, stack, stack.trials[:1])).columns()
    return found


def _checked_values(base: Document, path: str, parameter: Between | Choice, given: Any) -> tuple[Any, list[tuple[str, str]]]:
    """The values of a parameter with absolute paths, and what is wrong with each by itself: (dotted path, message)."""
    place = f"sweep.parameters.{path}"
    if path in NONE or any(path == idle or path.startswith(f"{idle}.") for idle in IDLE):
        return given, [(place, NONE.get(path, "is no parameter: it changes nothing that is trained"))]
    if isinstance(parameter, Between):
        points = [round(n) if parameter.integer else n for n in (parameter.low, parameter.high)]
        tried: Mapping[str, Any] = {f"{place}.low": points[0], f"{place}.high": points[1]}
    else:
        keys = given if isinstance(given, Mapping) else range(len(given))
        tried = {f"{place}.{key}": value for key, value in zip(keys, parameter.values, strict=True)}
    if len(tried) > MANY and {*map(type, tried.values())} in ({int}, {float}) and all(value == value for value in tried.values()):
        ends = {where: tried[where] for where in (min(tried, key=tried.__getitem__), max(tried, key=tried.__getitem__))}
        if not _tried(base, path, ends)[1]:  # numbers between two good ones are good, or tell so when it is their turn
            return given, []
    full, problems = _tried(base, path, tried)
    if len({message for _, message in problems}) == 1 and [where for where, _ in problems] == list(tried)[:ENOUGH]:  # wrong is the key
        return given, [(place, problems[0][1])]
    if problems or isinstance(parameter, Between):
        return given, problems
    return (dict(zip(given, full, strict=True)) if isinstance(given, Mapping) else full), problems


def _tried(base: Document, path: str, values: Mapping[str, Any]) -> tuple[list[Any], list[tuple[str, str]]]:
    """The good ones of some values at a path, with absolute paths, and what is wrong with the others; `values` by their places."""
    full: list[Any] = []
    problems: list[tuple[str, str]] = []
    for where, value in values.items():
        try:
            experiment, found = inspected(plan.assigned(base, {path: value}))
        except ConfigError as error:
            experiment, found = None, [(path, error.problems[0].partition(f"{path}: ")[2])]
        problems += [_moved(problem, path, where) for problem in found]
        if len(problems) >= ENOUGH:
            break
        if experiment is not None:
            full.append(_placed(value, _at(config_of(experiment), path)) if isinstance(value, (str, list, Mapping)) else value)
    return full, problems


def _moved(problem: tuple[str, str], path: str, where: str) -> tuple[str, str]:
    """What is wrong at a path of the config, told of the place in the sweep that its value comes from."""
    found, message = problem
    if found == path or found.startswith(f"{path}."):
        return where + found[len(path) :], message
    return where, f"{found}: {message}"


def _at(data: Any, path: str) -> Any:
    for key in path.split("."):
        data = data[int(key)] if isinstance(data, list) else data[key]
    return data


def _placed(value: Any, full: Any) -> Any:
    """A value with the paths of files written out as its complete form has them."""
    if isinstance(value, Mapping) and isinstance(full, Mapping):
        return {key: _placed(v, full[key]) for key, v in value.items()}
    if isinstance(value, list) and isinstance(full, list):
        return [_placed(v, f) for v, f in zip(value, full, strict=True)]
    return full if isinstance(value, str) and isinstance(full, str) else value
