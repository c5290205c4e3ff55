"""What a worker does: train the trials of one block as one stack, and tell what came of each as rows of text."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnframe.config.build import tested, training_of
from nnframe.config.experiment import Experiment, inspected
from nnframe.config.reading import Document
from nnframe.data.dataset import Dataset, array_hash
from nnframe.data.source import PreparedData
from nnframe.data.stacking import form, stack
from nnframe.errors import OptionError
from nnframe.layers.containers import Sequential
from nnframe.sweeps.plan import Stack, Trials, assigned
from nnframe.sweeps.sources import Sources
from nnframe.training.history import History
from nnframe.training.log import in_order
from nnframe.training.loop import Training


@dataclass(frozen=True)
class Block:
    """Trials to train as one stack: values that they share, and lists of one value a trial, by path."""

    trials: list[int]
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
        return cls(numbers.tolist(), stack.shared, varied, seeds, folds)  # type: ignore[arg-type]

    def part(self, places: Iterable[int]) -> "Block":
        """Some of its trials, by their places."""
        chosen = list(places)

        def some(values: list[Any]) -> list[Any]:
            return [values[place] for place in chosen]

        varied = {path: some(values) for path, values in self.varied.items()}
        return Block(some(self.trials), self.shared, varied, some(self.seeds), some(self.folds))


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

    def __init__(self, document: Document, columns: Sequence[str] = (), sources: Sources | None = None, *, test: bool = False) -> None:
        """`columns` of the log that lines are to have, in order; unless given, those that the training has. With `test`, trials are
        evaluated on the test part, which is not read otherwise."""
        self.document, self.columns, self.sources, self.test = document, list(columns), sources or Sources(), test

    def train(self, block: Block) -> list[Outcome]:
        """Raises NNFrameError for a setting that cannot be trained."""
        found: dict[int, Outcome] = {}
        for places, experiment, prepared, of in self._alike(block):
            start, part = time.perf_counter(), block.part(places)
            training, test = self._made(part, experiment or self._experiment(part), prepared, of)
            history = training.run(warn=False)
            values = tested(experiment or self._experiment(part), training, test)
            seconds = (time.perf_counter() - start) / len(places)
            found |= zip(places, self._outcomes(training, history, values, seconds), strict=True)
        return [found[place] for place in range(len(block.trials))]

    def training(self, block: Block) -> Training:
        """The stack of a block, ready to train; of the first trials, if data of several forms make several of them."""
        places, experiment, prepared, of = next(self._alike(block))
        part = block.part(places)
        return self._made(part, experiment or self._experiment(part), prepared, of)[0]

    def _experiment(self, block: Block) -> Experiment:
        experiment, problems = inspected(assigned(self.document, block.shared | block.varied), one_network=False)
        if experiment is None:
            raise OptionError("; ".join(f"{path}: {message}" for path, message in problems[:5]))
        return experiment

    def _alike(self, block: Block) -> Iterator[tuple[list[int], Experiment | None, list[PreparedData], np.ndarray]]:
        """The trials whose data have one form, so that they can be one stack: their places in the block, their experiment if that is all of
        them, the data, each once, and which of these each trial has."""
        experiment = self._experiment(block)
        keys = [(seed if experiment.data.varies else None, fold) for seed, fold in zip(block.seeds, block.folds, strict=True)]
        data = {
            key: experiment.data.prepare(seed, self.sources.load, test=self.test, fold=key[1])
            for key, seed in dict(zip(keys, block.seeds, strict=True)).items()
        }
        forms = {key: tuple(map(form, (one.training, one.validation, one.test))) for key, one in data.items()}
        for shape in dict.fromkeys(forms.values()):
            places = [place for place, key in enumerate(keys) if forms[key] == shape]
            used = list(dict.fromkeys(keys[place] for place in places))
            of = np.array([used.index(keys[place]) for place in places])
            yield places, experiment if len(places) == len(keys) else None, [data[key] for key in used], of

    def _made(self, block: Block, experiment: Experiment, data: list[PreparedData], of: np.ndarray) -> tuple[Training, Dataset | None]:
        """The stack of a block, ready to train, and the test part, if it is asked for."""
        model = Sequential(*experiment.model).build(data[0].training.x.shape[1:], seed=block.seeds, dtype=experiment.dtype)

        def stacked(parts: list[Dataset | None]) -> Dataset | None:
            takes_classes = experiment.loss.takes_classes
            known = [
                part.as_targets_for(model.output_shape, takes_classes) if len(data) > 1 else part for part in parts if part is not None
            ]
            return stack(known, of) if known else None

        training, validation, test = (stacked([getattr(one, name) for one in data]) for name in ("training", "validation", "test"))
        assert training is not None
        return training_of(experiment, model, training, validation), test

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
            yield Outcome(row | {"seconds": f"{seconds:.4f}"}, self._lines(training, history, run, epochs))

    def _lines(self, training: Training, history: History, run: int, epochs: int) -> list[str]:
        """The log of one run, as a run alone writes it."""
        steps = training.batches.steps
        cells = [[f"{epoch},{epoch * steps}" for epoch in range(1, epochs + 1)]]
        for name in self.columns or in_order(history):
            if name not in history:
                cells.append([""] * epochs)
            elif name == "lr":  # in the model's dtype; most often there are few of them
                rates, places = np.unique(history[name][:epochs, run].astype(training.whole.dtype), return_inverse=True)
                texts = list(map(str, rates))
                cells.append([texts[place] for place in places.tolist()])
            else:
                cells.append(list(map(str, history[name][:epochs, run].tolist())))
        return list(map(",".join, zip(*cells, strict=True)))


def weights_hash(params: np.ndarray, state: np.ndarray) -> str:
    """16 hexadecimal digits that tell one network's weights from others."""
    return array_hash([params, state])[:16]
