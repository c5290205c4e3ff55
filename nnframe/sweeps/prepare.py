"""From a sweep's config to trials that can begin: every mistake that can be found before training is told, all at once."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any

from nnframe.components.component import config_of
from nnframe.config.build import Job, build
from nnframe.config.experiment import Experiment, checked, inspected, is_sweep, located
from nnframe.config.reading import Document
from nnframe.config.sections import Between, Choice, Sweep, parameter_of
from nnframe.data.source import Source
from nnframe.errors import ENOUGH, ConfigError, NNFrameError, OptionError
from nnframe.metrics.losses import as_metric
from nnframe.runs import folder as run_folder
from nnframe.sweeps import plan
from nnframe.sweeps.block import Block, Outcome, Trainer
from nnframe.sweeps.execute import told_later
from nnframe.sweeps.plan import Trials
from nnframe.sweeps.sources import SHARED, UNREADABLE, Sources, all_of, name_of
from nnframe.system.signals import theirs
from nnframe.training.callbacks import no_column
from nnframe.training.log import in_order

IDLE = ("sweep", "name", "log", "predict", "train.checkpoint")  # keys that change nothing that is trained
CLOCK = "a trial shares its time with others; limit train.epochs"
NONE = {
    "seed": "is no parameter; write sweep.seeds instead",
    "ensemble": "is no parameter; write sweep.seeds instead",
    "train.max_seconds": CLOCK,
    "data.cv": "is no parameter: all settings are trained on the same folds",
}
STACKS = 1000  # to look at before training
MANY = 100  # values of a parameter to try one by one


@dataclass
class PreparedSweep:
    """A sweep that can begin."""

    experiment: Experiment  # of the config itself, with the sweep's values as they are tried
    trials: Trials
    first: Job  # of trial 0, alone
    sources: Sources  # of all trials, with the hashes of their data
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
        held = name not in self._counting and name.removeprefix("val_") in self._counting
        batches = training.validation if held else training.batches if name in self._counting else None
        return None if batches is None else 0.5 / batches.rows / self.trials.folds

    @cached_property
    def _counting(self) -> set[str]:
        """The metrics that are shares of rows."""
        metrics = (*self.first.training.metrics, *map(as_metric, self.experiment.metrics))
        return {metric.name for metric in metrics if metric.counts_rows}

    def is_share(self, column: str) -> bool:
        """Is a column of the log a share of rows, from 0 to 1?"""
        return bool({column, column.removeprefix("val_")} & self._counting)

    @property
    def headline(self) -> str:
        """What is about to be trained, in a line."""
        trials = self.trials
        folds = {} if trials.cv is None else {trials.cv.word: trials.folds}
        counts = {"setting": trials.count // trials.each, "seed": len(trials.seeds), **folds, "trial": trials.count}
        *factors, count = (f"{number:,} {word}{'s' * (number != 1)}" for word, number in counts.items())
        told = f"{self.experiment.name}: {' x '.join(factors)} = {count}, ranked by {self.objective} ({self.mode})"
        confirm = self.experiment.sweep and self.experiment.sweep.confirm
        return f"{told}; the best {confirm.top} again with {confirm.seeds} fresh seeds" if confirm else told

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
        fold = ["fold"] if self.trials.cv else []
        return ["trial", "setting", *self.trials.columns, "seed", *fold, *self.results, "worker"], ["trial", "epoch", "step", *self.log]

    def row(self, trial: int, outcome: Outcome, worker: int) -> list[str]:
        """The row of a trial in trials.csv."""
        setting = trial // self.trials.each
        fold = [str(self.trials.fold(trial))] if self.trials.cv else []
        told = [outcome.row.get(name, "") for name in self.results]
        return [
            str(trial),
            str(self.trials.numbers[setting]),
            *self.trials.names(setting),
            str(self.trials.seed(trial)),
            *fold,
            *told,
            str(worker),
        ]

    def confirming(self, best: Sequence[int]) -> "PreparedSweep":
        """Some settings of the search again, with seeds of their own."""
        assert self.experiment.sweep is not None and self.experiment.sweep.confirm is not None
        return replace(self, trials=self.trials.of(best, self.experiment.sweep.confirm.fresh(self.trials.seeds)))

    def testing(self, setting: int, seeds: list[int]) -> "PreparedSweep":
        """One setting again, this time evaluated on the test part."""
        return replace(self, trials=self.trials.of([setting], seeds, test=True))

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """The complete config of the sweep: defaults written out, paths absolute."""
        e = self.experiment
        threads = 1 if e.train.blas_threads == "auto" else e.train.blas_threads
        plain = config_of(replace(e, train=replace(e.train, blas_threads=threads)))
        if e.sweep is not None and e.sweep.settings is None:  # sweeps that were begun before it could be said go on
            del plain["sweep"]["settings"]
        if plain["weights"] is None:
            del plain["weights"]
        return {key: plain[key] for key in ("name", "seed", "dtype")} | plain

    @cached_property
    def identity(self) -> dict[str, Any]:
        """Plain data that says what is tried on which data; what is kept of it makes no difference."""
        resolved = dict(self.resolved)
        resolved["sweep"] = {key: value for key, value in resolved["sweep"].items() if key != "keep"}
        return run_folder.identity(resolved, self.sources.hashes)


def prepare(document: Document) -> PreparedSweep:
    """Check a sweep's config and build its first trial. Raises ConfigError with everything that was found wrong."""
    experiment, problems = inspected(document)
    if experiment is not None and experiment.sweep is None:
        if not is_sweep(document):
            raise located(document, [("", "has no section 'sweep'")])
        experiment = replace(experiment, sweep=Sweep())
    section = _mapping(document.data.get("sweep"))
    base, values, wrong = _values(document, _mapping(section.get("parameters")))
    problems += wrong
    sources, trials, first = Sources(), None, None
    if experiment is not None and experiment.sweep is not None:
        try:
            sweep = experiment.sweep if problems else replace(experiment.sweep, parameters=values)
            seeds = sweep.all_seeds(experiment.seed)
            trials = Trials(base, sweep.space, sweep.all_settings(len(seeds)), seeds, cv=experiment.data.all_folds)
            if sweep.confirm is not None:
                confirm = sweep.confirm.among(len(trials.numbers), len(seeds))
                confirm.fresh(seeds)
                sweep = replace(sweep, confirm=confirm)
            first = None if problems else _first(document, trials, sources)
        except OptionError as error:
            problems.append((f"sweep.{error.path or 'sampler'}", error.message))
        except ConfigError as error:
            if not error.found:
                raise
            problems += error.found
    if experiment is None or trials is None or first is None:
        problems += _wrong_objective(base, section, sources)
        raise located(document, list(dict.fromkeys(problems)))
    for source in _sources(trials):
        with told_later():
            sources.load(source)
        sources.hashes.setdefault(name_of(source), UNREADABLE)
    columns = _columns(trials, first, sources)
    metric = sweep.objective.metric or ("val_loss" if "val_loss" in columns else "loss")
    if wrong := _no_metric(metric, columns):
        raise located(document, wrong)
    mode = sweep.objective.mode or columns[metric]
    return PreparedSweep(replace(experiment, sweep=sweep), trials, first, sources, columns, metric, mode)


def _values(document: Document, given: Mapping[str, Any]) -> tuple[Document, dict[str, Any], list[tuple[str, str]]]:
    """The config without its sweep; the values of all parameters, as they are tried in it; and what is wrong with them."""
    places = {path: mark for path, mark in document.marks.items() if not path.startswith("sweep.")}  # not those of all values
    places |= {place: document.mark(place) for place in (f"sweep.parameters.{path}" for path in given)}
    base = Document({key: value for key, value in document.data.items() if key != "sweep"}, places, document.path)
    experiment, _ = inspected(base)
    problems = [("train.max_seconds", CLOCK)] if experiment is not None and experiment.train.max_seconds else []
    values: dict[str, Any] = {}
    for path, value in given.items():
        try:
            parameter = parameter_of(path, value)
        except OptionError as error:
            problems.append((f"sweep.{error.path}", error.message))
            continue
        if experiment is not None:
            values[path], wrong = _checked_values(base, path, parameter, value)
            problems += wrong
    return base, values, problems


def _wrong_objective(base: Document, section: Mapping[str, Any], sources: Sources) -> list[tuple[str, str]]:
    """What is wrong with the objective beside other mistakes, as far as the config without its sweep can tell."""
    metric = _mapping(section.get("objective")).get("metric")
    roots = {path.partition(".")[0] for path in _mapping(section.get("parameters"))}
    if isinstance(metric, str) and not roots & {"metrics", "data"}:
        with suppress(NNFrameError):
            cv = checked(base).data.all_folds
            first = base if cv is None else plan.assigned(base, plan.one_fold(cv, 0))
            return _no_metric(metric, build(first, sources.load).training.columns())
    return []


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _no_metric(metric: str, columns: Mapping[str, str]) -> list[tuple[str, str]]:
    """What is wrong with an objective, if it is no column of the log."""
    known = {name: better for name, better in columns.items() if name != "lr"}
    return [] if metric in known else [("sweep.objective.metric", no_column(metric, known, " to rank by"))]


def _first(document: Document, trials: Trials, sources: Sources) -> Job:
    """The first trial, alone. Raises ConfigError; a mistake that its values make is told of the parameter that makes it."""
    setting, seed = trials.setting(0), trials.own(0)

    def wrong_with(values: Mapping[str, Any]) -> ConfigError | None:
        try:
            with theirs():
                build(plan.assigned(trials.document, {**values, **seed}), sources.load)
        except ConfigError as error:
            return error
        return None

    try:
        with theirs():
            return build(trials.alone(0), sources.load)
    except ConfigError as error:
        without = wrong_with({})
        if not error.found or (without is not None and without.found == error.found):  # the config itself is wrong
            raise
        named = [path for path in setting if any(found == path or found.startswith(f"{path}.") for found, _ in error.found)]
        made = (path for path in setting if wrong_with({key: value for key, value in setting.items() if key != path}) is None)
        path = next(chain(named, made), None)
        if path is None:
            raise located(document, [("sweep.parameters", f"in trial 0: {found}: {message}") for found, message in error.found]) from None
        place, point = f"sweep.parameters.{path}", trials.settings[path][0]
        if isinstance(choice := trials.parameters[path], Choice):
            alternatives = isinstance(document.data["sweep"]["parameters"][path], Mapping)
            place += f".{choice.names[point] if alternatives else point}"
        raise located(document, [_moved(problem, path, place) for problem in error.found]) from None


def _sources(trials: Trials) -> Iterator[Source]:
    """All sources that trials name; some may come more than once."""
    own = {path: column for path, column in trials.settings.items() if _may_name_sources(path, trials.parameters[path])}
    firsts: dict[tuple[Any, ...], int] = {}
    for setting, points in enumerate(zip(*own.values(), strict=True)):
        firsts.setdefault(points, setting)
    for setting in firsts.values() or [0]:
        values = {path: value for path, value in trials.setting(setting).items() if path in own}
        with suppress(ConfigError):  # a setting that cannot be made tells so when it is its turn
            experiment = inspected(plan.assigned(trials.document, values))[0]
            yield from all_of(experiment.data) if experiment is not None else ()


def _may_name_sources(path: str, parameter: Between | Choice) -> bool:
    """Can the values of a parameter make a difference to which rows are loaded? How they are split and transformed does not."""
    root, option, *inner = [*path.split("."), ""]
    if root != "data" or option == "transforms":
        return False
    named = isinstance(parameter, Choice) and any(isinstance(value, (str, Mapping)) for value in parameter.values)
    return named or inner != [""] or option not in SHARED


def _columns(trials: Trials, first: Job, sources: Sources) -> dict[str, str]:
    """The log's columns of all trials, and what is best there."""
    found = first.training.columns()
    if {path.partition(".")[0] for path in trials.settings} & {"metrics", "data", "optimizer"}:
        trainer = Trainer(trials.document, sources=sources)
        for stack in trials.stacks[:STACKS]:
            with told_later():
                found |= trainer.training(Block.of(trials, stack, stack.trials[:1])).columns()
    return found


def _checked_values(base: Document, path: str, parameter: Between | Choice, given: Any) -> tuple[Any, list[tuple[str, str]]]:
    """The values of a parameter with absolute paths, and what is wrong with each by itself: (dotted path, message)."""
    place = f"sweep.parameters.{path}"
    if none := [key for key in (*NONE, *IDLE) if path == key or path.startswith(f"{key}.")]:
        return given, [(place, NONE.get(none[0], "is no parameter: it changes nothing that is trained"))]
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
    if problems and isinstance(parameter, Between) and all(type(n) is float and n.is_integer() for n in tried.values()):
        integers = {where: int(n) for where, n in tried.items()}
        if not _tried(base, path, integers)[1]:
            return given, [(place, "expected a range of integers; write integer: true in it")]
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
