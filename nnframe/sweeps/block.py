"""What a worker does: train the trials of one block as one stack, and tell what came of each as rows of text."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnframe.config.build import Job, model_of, tested, training_of
from nnframe.config.experiment import Experiment, checked, inspected
from nnframe.config.reading import Document
from nnframe.data.dataset import Dataset, array_hash
from nnframe.data.source import PreparedData, Source
from nnframe.data.stacking import form, stack
from nnframe.errors import OptionError
from nnframe.layers.base import Layer
from nnframe.layers.containers import Sequential
from nnframe.sweeps.keep import Keep
from nnframe.sweeps.plan import Stack, Trials, assigned, one_fold
from nnframe.sweeps.sources import Sources, config_text
from nnframe.training.callbacks import BestWeights
from nnframe.training.history import History
from nnframe.training.log import in_order
from nnframe.training.loop import Training

PARTS = ("training", "validation", "test")


@dataclass(frozen=True)
class Block:
    """Trials to train as one stack: values that they share, and lists of one value a trial, by path."""

    trials: list[int]
    settings: list[int]  # as tables have them
    shared: dict[str, Any]
    varied: dict[str, list[Any]]
    seeds: list[int]
    folds: list[int | None]

    @classmethod
    def of(cls, trials: Trials, stack: Stack, numbers: np.ndarray) -> "Block":
        """Some trials of a stack, by their numbers."""
        settings = (numbers // trials.each).tolist()
        varied = {path: [trials.parameters[path].value(trials.settings[path][s]) for s in settings] for path in stack.varied}
        seeds, folds = ([of(trial) for trial in numbers.tolist()] for of in (trials.seed, trials.fold))
        return cls(numbers.tolist(), [trials.numbers[s] for s in settings], stack.shared, varied, seeds, folds)  # type: ignore[arg-type]

    def part(self, places: Iterable[int]) -> "Block":
        """Some of its trials, by their places."""
        chosen = list(places)

        def some(values: list[Any]) -> list[Any]:
            return [values[place] for place in chosen]

        varied = {path: some(values) for path, values in self.varied.items()}
        return Block(some(self.trials), some(self.settings), self.shared, varied, some(self.seeds), some(self.folds))


@dataclass(frozen=True)
class Outcome:
    """What came of one trial: its row of the table by column, and its lines of the log without the trial's number."""

    row: dict[str, str]
    lines: list[str]

    @classmethod
    def failed(cls, reason: str) -> "Outcome":
        return cls({"status": "failed", "epochs": "0", "reason": reason}, [])


class Trainer:
    """Trains blocks of trials of a document's sweep, on data of `sources`."""

    def __init__(
        self,
        document: Document,
        columns: Sequence[str] = (),
        sources: Sources | None = None,
        *,
        test: bool = False,
        keep: Keep | None = None,
    ) -> None:
        """`columns` of the log that lines are to have, in order; unless given, those that the training has. With `test`, trials are
        evaluated on the test part, which is not read otherwise. With `keep`, each leaves a folder."""
        self.document, self.columns, self.sources, self.test, self.keep = document, list(columns), sources or Sources(), test, keep
        self._kept: tuple[str, dict[Any, PreparedData]] = "", {}

    def train(self, block: Block) -> list[Outcome]:
        """Raises NNFrameError for a setting that cannot be trained."""
        found: dict[int, Outcome] = {}
        start = time.perf_counter()
        for part in self._alike(block):
            training, test = part.stack()
            history = training.run(warn=False)
            values = tested(part.experiment, training, test)
            start, began = time.perf_counter(), start
            seconds = (start - began) / len(part.places)
            found |= zip(part.places, self._outcomes(training, history, values, seconds), strict=True)
            if self.keep is not None:
                self._leave(self.keep, block, part, training, history, seconds)
        return [found[place] for place in range(len(block.trials))]

    def training(self, block: Block) -> Training:
        """The stack of a block, ready to train; that of its first trials, if data of several forms make several."""
        return next(self._alike(block)).stack()[0]

    def _alike(self, block: Block) -> Iterator["_Alike"]:
        """The trials of a block, together as far as their data have one form, so that they can be one stack."""
        experiment = self._experiment(block)
        keys = [(seed if experiment.data.varies else None, fold) for seed, fold in zip(block.seeds, block.folds, strict=True)]
        data = {key: self._data(experiment.data, seed, key) for key, seed in dict(zip(keys, block.seeds, strict=True)).items()}
        forms = {key: tuple(map(form, (one.training, one.validation, one.test))) for key, one in data.items()}
        for shape in dict.fromkeys(forms.values()):
            places = [place for place, key in enumerate(keys) if forms[key] == shape]
            used = list(dict.fromkeys(keys[place] for place in places))
            of = np.array([used.index(keys[place]) for place in places])
            some = experiment if len(places) == len(keys) else self._experiment(block.part(places))
            yield _Alike(places, [block.seeds[place] for place in places], some, [data[key] for key in used], of)

    def _experiment(self, block: Block) -> Experiment:
        experiment, problems = inspected(assigned(self.document, block.shared | block.varied), one_network=False)
        if experiment is None:
            raise OptionError("; ".join(f"{path}: {message}" for path, message in problems[:5]))
        return experiment

    def _data(self, source: Source, seed: int, key: tuple[int | None, int | None]) -> PreparedData:
        """What a trial trains on. What does not depend on seeds is kept for the next block, which mostly has the same."""
        if key[0] is not None:
            return source.prepare(seed, self.sources.load, test=self.test, fold=key[1])
        section = config_text(source)
        if self._kept[0] != section:
            self._kept = section, {}
        if key not in self._kept[1]:
            self._kept[1][key] = source.prepare(seed, self.sources.load, test=self.test, fold=key[1])
        return self._kept[1][key]

    def _outcomes(self, training: Training, history: History, test: dict[str, np.ndarray], seconds: float) -> Iterator[Outcome]:
        """The rows and lines of a stack that has been trained, run by run."""
        model, last, runs = training.whole, np.where(history.diverged, history.epochs, history.kept) - 1, np.arange(len(history.epochs))
        values: dict[str, list[float]] = {}
        for name, better in training.columns().items():
            if name != "lr":
                best = (np.fmin if better == "min" else np.fmax).reduce(history[name])
                values |= {name: history[name][last, runs].tolist(), f"best_{name}": best.tolist()}
        values |= {name: value.tolist() for name, value in test.items()}
        for run, epochs in enumerate(history.epochs.tolist()):
            row = {"status": "diverged" if history.diverged[run] else "finished", "epochs": str(epochs)}
            row |= {name: str(column[run]) for name, column in values.items()}
            row |= {"weights": weights_hash(model.params[run], model.state[run]), "reason": history.reasons.get(run, "")}
            yield Outcome(row | {"seconds": f"{seconds:.4f}"}, self._lines(training, history, run, epochs, self.columns))

    def _lines(self, training: Training, history: History, run: int, epochs: int, columns: Sequence[str]) -> list[str]:
        """The log of one run, as a run alone writes it."""
        steps = training.batches.steps
        cells = [[f"{epoch},{epoch * steps}" for epoch in range(1, epochs + 1)]]
        for name in columns or in_order(history):
            if name not in history:
                cells.append([""] * epochs)
            elif name == "lr":  # in the model's dtype; most often there are few of them
                rates, places = np.unique(history[name][:epochs, run].astype(training.whole.dtype), return_inverse=True)
                texts = list(map(str, rates))
                cells.append([texts[place] for place in places.tolist()])
            else:
                cells.append(list(map(str, history[name][:epochs, run].tolist())))
        return list(map(",".join, zip(*cells, strict=True)))

    def _leave(self, keep: Keep, block: Block, part: "_Alike", training: Training, history: History, seconds: float) -> None:
        """Write what each run of a stack leaves that has been trained. Raises Unkept."""
        head = ",".join(["epoch", "step", *in_order(history)])
        for run, place in enumerate(part.places):
            job = self._alone(block, place, part, training, run)
            job.training.seconds = seconds
            lines = self._lines(training, history, run, int(history.epochs[run]), ())
            names: dict[str, list[Any]] = {"trial": block.trials, "setting": block.settings, "seed": block.seeds, "fold": block.folds}
            keep.write(job, history, run, [head, *lines], {name: of[place] for name, of in names.items()})

    def _alone(self, block: Block, place: int, part: "_Alike", training: Training, run: int) -> Job:
        """One trial of a block as a job of its own, with the weights that it has as a run of a stack, and the best that it had."""
        values = block.shared | {path: column[place] for path, column in block.varied.items()} | {"seed": block.seeds[place]}
        if (fold := block.folds[place]) is not None and (cv := part.experiment.data.folds) is not None:
            values |= one_fold(cv, fold)
        e, data = checked(assigned(self.document, values)), part.data[int(part.of[run])]
        model = Sequential(*e.model).build(data.training.x.shape[1:], seed=e.seed, dtype=e.dtype)
        job = Job(e, data, model, training_of(e, model, data.training, data.validation), {})
        model.params[...], model.state[...] = training.whole.params[run], training.whole.state[run]
        for mine, stacked in zip(e.callbacks, training.callbacks.values(), strict=True):
            if isinstance(mine, BestWeights):
                mine.set_state({name: array[run] for name, array in stacked.get_state().items()})
        return job


@dataclass(frozen=True)
class _Alike:
    """Trials that can be one stack: their places in a block, and the data, each once, with which of these each trial has."""

    places: list[int]
    seeds: list[int]
    experiment: Experiment
    data: list[PreparedData]
    of: np.ndarray

    def stack(self) -> tuple[Training, Dataset | None]:
        """Ready to train, and the test part, if that was asked for."""
        e, features = self.experiment, self.data[0].training.x.shape[1:]
        model = model_of(e, features, self.seeds)
        training, validation, test = (self._stacked(model, [getattr(one, part) for one in self.data]) for part in PARTS)
        assert training is not None
        return training_of(e, model, training, validation), test

    def _stacked(self, model: Layer, parts: list[Dataset | None]) -> Dataset | None:
        known = [part for part in parts if part is not None]
        if len(parts) > 1:
            known = [part.as_targets_for(model.output_shape, self.experiment.loss.takes_classes) for part in known]
        return stack(known, self.of) if known else None


def weights_hash(params: np.ndarray, state: np.ndarray) -> str:
    """16 hexadecimal digits that tell one network's weights from others."""
    return array_hash([params, state])[:16]
