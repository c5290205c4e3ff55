"""Which trials are trained together: those that differ only in seeds and in numbers that a signature marks `PerRun`.

Trials of one stack share shapes, data and batch size. A stack is cut into blocks of runs, so large that a block stays near
the processor's cache; how it is cut never changes a result.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, is_dataclass, replace
from functools import cached_property
from math import prod
from types import UnionType
from typing import Any, Union, get_args, get_origin

import numpy as np

from nnframe.components.component import Component, config_of
from nnframe.components.markers import bare, per_run
from nnframe.components.options import options
from nnframe.components.registry import find, slots_of
from nnframe.config.compose import assign
from nnframe.config.experiment import Experiment
from nnframe.config.reading import Document
from nnframe.config.sections import Between, Choice, Parameters, Settings
from nnframe.data.splits import CV
from nnframe.errors import ConfigError, OptionError
from nnframe.system import blas, npz
from nnframe.training.loop import Training

BYTES = 2**22  # of one block's working set
MOST = 256  # runs in a block


@dataclass
class Trials:
    """All trials of a sweep: a setting with a seed, and with one fold where there are some. Folds change fastest, then seeds."""

    document: Document  # of the config, without its section `sweep`
    parameters: Parameters
    settings: Settings
    seeds: list[int]
    numbers: Sequence[int] = ()  # of the settings, as tables have them; from 0 unless given
    test: bool = False  # are they evaluated on the test part, once they are trained?
    cv: CV | None = None

    def __post_init__(self) -> None:
        self.folds = 1 if self.cv is None else self.cv.count
        self.each = len(self.seeds) * self.folds  # trials of a setting
        self.count = len(next(iter(self.settings.values()), [0])) * self.each
        self.numbers = self.numbers or range(self.count // self.each)
        self.columns = [f"config.{path}" if path == "loss" else path for path in self.settings]  # of tables, where loss is a result
        self._paths = sorted(self.settings, key=lambda path: (path.count("."), not path.endswith(".type")))

    @cached_property
    def stacks(self) -> list["Stack"]:
        """All trials in stacks, in the order of their first trials."""
        return stacks(self)

    def setting(self, number: int) -> dict[str, Any]:
        """The values of a setting, by path; whole objects before what is inside them, and a type before its options."""
        return {path: self.parameters[path].value(self.settings[path][number]) for path in self._paths}

    def names(self, number: int) -> list[str]:
        """What a table shows of a setting, by column."""
        return [self.parameters[path].name(column[number]) for path, column in self.settings.items()]

    def of(self, settings: Sequence[int], seeds: list[int], *, test: bool = False) -> "Trials":
        """Trials of some settings, by their places here, with such seeds."""
        points = {path: [column[j] for j in settings] for path, column in self.settings.items()}
        return Trials(self.document, self.parameters, points, seeds, [self.numbers[j] for j in settings], test, self.cv)

    def seed(self, trial: int) -> int:
        return self.seeds[trial // self.folds % len(self.seeds)]

    def fold(self, trial: int) -> int | None:
        return None if self.cv is None else trial % self.folds

    def own(self, trial: int) -> dict[str, Any]:
        """What a trial has beside its setting, by path."""
        fold = self.fold(trial)
        return {"seed": self.seed(trial), **({} if self.cv is None or fold is None else one_fold(self.cv, fold))}

    def alone(self, trial: int) -> Document:
        """The config of one trial."""
        return assigned(self.document, self.setting(trial // self.each) | self.own(trial))


def one_fold(cv: CV, fold: int) -> dict[str, Any]:
    """What a config has where it trains one fold, by path."""
    return {"data.cv": plain(replace(cv, only=fold))}


@dataclass
class Stack:
    """Trials that can be trained together: the values that they share, and the paths of those that differ."""

    trials: np.ndarray
    shared: dict[str, Any]
    varied: list[str]
    size: int = 1  # runs in a block
    bytes: float = 0.0  # of a run's working set; 0 if nobody knows
    seconds: float = 0.0  # that a run is expected to take; 0 if nobody knows

    def blocks(self, missing: np.ndarray) -> Iterator[np.ndarray]:
        """The trials that are `missing`, a mask over all trials, cut into blocks of one size as nearly as can be."""
        left = self.trials[missing[self.trials]]
        if left.size:
            yield from np.array_split(left, -(-left.size // self.size))


def assigned(document: Document, values: Mapping[str, Any]) -> Document:
    """The document with other values at some paths, which stand where the sweep's parameters do. Raises ConfigError.

    BLAS has one thread unless the config says otherwise: the cores are for the trials.
    """
    changed = Document(plain(document.data), dict(document.marks), document.path)
    for path, value in values.items():
        place = f"sweep.parameters.{path}" if f"sweep.parameters.{path}" in document.marks else path
        where = document.where(place), document.mark(place)
        assign(changed, path.split("."), plain(value), where[0])
        changed.marks[path] = where[1]
    train = changed.data.get("train")
    if isinstance(train, dict) and train.get("blas_threads", "auto") == "auto":
        train["blas_threads"] = 1
    return changed


def stacks(trials: Trials) -> list[Stack]:
    """All trials in stacks, in the order of their first trials."""
    if not trials.settings:
        return [Stack(np.arange(trials.count), {}, [])]
    points = {path: np.array(column) for path, column in trials.settings.items()}
    number = {path: _are_numbers(trials.parameters[path], column) for path, column in points.items()}
    whole = [np.where(number[path], -1, points[path]) for path in points if not number[path].all()]
    found = []
    for rows in _groups(whole, len(next(iter(points.values())))):  # what is no number is the same for all of these
        setting = trials.setting(rows[0])
        varied = []
        with suppress(ConfigError):  # a setting that cannot be made tells so when it is its turn
            data = assigned(trials.document, setting).data
            varied = [path for path in setting if number[path][rows[0]] and _varies(data, path)]
        fixed = [path for path in setting if path not in varied]
        for part in _groups([points[path][rows] for path in fixed], len(rows)):
            settings = rows[part]
            values = trials.setting(settings[0])
            numbers = (settings[:, None] * trials.each + np.arange(trials.each)).ravel()
            found.append(Stack(numbers, {path: values[path] for path in fixed}, varied))
    return sorted(found, key=lambda stack: stack.trials[0])


def _groups(columns: Sequence[np.ndarray], rows: int) -> list[np.ndarray]:
    """The rows that are equal in all columns, together."""
    group = np.zeros(rows, int)
    for column in columns:
        values, codes = np.unique(column, return_inverse=True)
        group = np.unique(group * len(values) + codes, return_inverse=True)[1]
    order = np.argsort(group, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1)


def _are_numbers(parameter: Between | Choice, points: np.ndarray) -> np.ndarray:
    """Which of some points of a parameter stand for numbers."""
    if isinstance(parameter, Between):
        return np.ones(len(points), bool)
    return np.array([isinstance(value, (int, float)) and not isinstance(value, bool) for value in parameter.values])[points]


def _varies(data: Any, path: str) -> bool:
    """Is there a number at this path of a config that may differ between the runs of a stack?"""
    kind: Any = Experiment
    for key in path.split("."):
        kind, data = _inside(kind, data, key)
    return per_run(kind) and get_origin(bare(kind)) not in (Union, UnionType, tuple)


def _inside(kind: Any, value: Any, key: str) -> tuple[Any, Any]:
    """The annotation and the value of one part of a value; Any where nothing is known."""
    inner = value[int(key)] if isinstance(value, list) else value.get(key) if isinstance(value, Mapping) else None
    base, slots = bare(kind), slots_of(kind)
    if get_origin(base) in (Union, UnionType):
        members = [bare(member) for member in get_args(base)]
        base = next((member for member in members if isinstance(member, type) or get_origin(member) is tuple), Any)
    if get_origin(base) is tuple:
        kinds = get_args(base)
        return kinds[0] if kinds[-1] is Ellipsis else kinds[int(key)], inner
    if get_origin(base) is dict:
        return get_args(base)[1], inner
    name = value if isinstance(value, str) else value.get("type") if isinstance(value, Mapping) else None
    if per_run(kind):
        base = find(str(name), "schedule") or Any
    elif slots:
        base = find(str(name), *slots) or Any
    if base is Any or not isinstance(base, type):
        return Any, inner
    option = options(base).get(key)
    return (Any if option is None else option.kind), inner


def plain(value: Any) -> Any:
    """A copy as a config has it: mappings, lists and plain numbers, also of what Python says with arrays, ranges and components.

    Raises OptionError for a component that no config can name.
    """
    if isinstance(value, Component) and find(type(value).__name__, value.slot) is not type(value):
        told = f"a sweep makes its own for every trial; put @register above the class, so that a config can say {type(value).__name__}"
        raise OptionError(f"got {value!r}: {told}")
    if isinstance(value, Component) or (is_dataclass(value) and not isinstance(value, type)):
        value = config_of(value)
    if isinstance(value, Mapping):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple, range, np.ndarray)):
        return [plain(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value


# ---------------------------------------------------------------------------------------------- sizes of blocks


def working_set(training: Training) -> float:
    """Bytes that a step of one run touches: parameters, gradients, optimizer, and the layers' outputs for a batch."""
    model, optimizer = training.model, training.optimizer
    runs = max(model.runs[0] if model.runs else 1, 1)
    numbers = 3 * model.params.size + sum(array.size for array in optimizer.state.values()) + model.state.size
    widths = sum(prod(layer.output_shape) for layer in model.layers)
    return (numbers / runs + 4 * widths * training.train.batch_size) * model.dtype.itemsize


def block_size(training: Training, trials: int, workers: int) -> int:
    """Runs in a block, by the working set of one: all cores get some, and the machine's memory is enough for all of them."""
    one, model = working_set(training), training.model
    row = prod(model.input_shape) + prod(model.output_shape)
    data = training.batches.rows * row * model.dtype.itemsize  # that a run may have for itself
    most = min(MOST, -(-trials // workers), int(npz.memory() / 4 / workers / (one + data)))
    return max(min(int(BYTES / one), most), 1)


def seconds_an_epoch(training: Training, patience: float) -> float:
    """How long an epoch takes, tried for about so many seconds: whole ones with their evaluation, or else steps of one.

    The training is of no use afterwards.
    """
    model, loss, optimizer = training.model, training.loss, training.optimizer
    start = time.perf_counter()
    times: list[float] = []
    with np.errstate(all="ignore"), blas.threads(training.threads):
        for steps, (x, y, weight, _) in enumerate(training.batches.epoch(0), 1):
            loss.forward(model.forward(x, training=True), y, weight)
            model.backward(loss.backward(), need_dx=False)
            if not optimizer.whole:
                optimizer.step()
            if (now := time.perf_counter()) - start > patience:
                return (now - start) / steps * training.batches.steps * 1.5  # evaluation is less than a step, as it has no backward
        while sum(times) < patience and len(times) < 100:
            before = time.perf_counter()
            training.train_epoch()
            training.step = 0
            times.append(time.perf_counter() - before)
    return float(np.median(times))


def self_test(training: Training) -> bool:
    """Does this machine keep the promise: is a step of a stack's first run, byte for byte, that of this run alone?"""
    if not training.model.runs:
        return True
    rows = training.batches.take([0])
    alone = training.model.take([0])
    grads = []
    with np.errstate(all="ignore"), blas.threads(training.threads):
        for model, batches in ((training.model, training.batches), (alone, rows)):
            x, y, weight, _ = next(iter(batches.epoch(0)))
            loss = deepcopy(training.loss, training.loss.taken([0]) if model is alone else None)
            loss.forward(model.forward(x, training=True), y, weight)
            model.backward(loss.backward(), need_dx=False)
            grads.append(model.grads[0].tobytes())
    return grads[0] == grads[1]
