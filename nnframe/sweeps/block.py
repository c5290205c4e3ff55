"""What a worker does: train the trials of one block as one stack, and tell what came of each as rows of text."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnframe.config.build import tested, training_of
from nnframe.config.experiment import Experiment, inspected
from nnframe.config.reading import Document
from nnframe.data.dataset import array_hash
from nnframe.data.source import PreparedData, Source
from nnframe.errors import OptionError
from nnframe.layers.base import Layer
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

    @classmethod
    def of(cls, trials: Trials, stack: Stack, numbers: np.ndarray) -> "Block":
        """Some trials of a stack, by their numbers."""
        settings = (numbers // len(trials.seeds)).tolist()
        varied = {path: [trials.parameters[path].value(trials.settings[path][s]) for s in settings] for path in stack.varied}
        return cls(numbers.tolist(), stack.shared, varied, [trials.seed(trial) for trial in numbers.tolist()])

    def part(self, part: slice) -> "Block":
        """Some of its trials."""
        varied = {path: values[part] for path, values in self.varied.items()}
        return Block(self.trials[part], self.shared, varied, self.seeds[part])


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
        start = time.perf_counter()
        experiment, training, test = self._made(block)
        history = training.run(warn=False)
        values = tested(experiment, training, test)
        seconds = (time.perf_counter() - start) / len(block.trials)
        return list(self._outcomes(training, history, values, seconds))

    def training(self, block: Block) -> Training:
        """The stack of a block, ready to train."""
        return self._made(block)[1]

    def _made(self, block: Block) -> tuple[Experiment, Training, Any]:
        """The stack of a block, ready to train, and the test part, if it is asked for."""
        document = assigned(self.document, block.shared | block.varied)
        experiment, problems = inspected(document, one_network=False)
        if experiment is None:
            raise OptionError("; ".join(f"{path}: {message}" for path, message in problems[:5]))
        prepared = self._prepared(experiment.data, block.seeds)
        features = prepared[0].training.x.shape[1:]
        model = Sequential(*experiment.model).build(features, seed=block.seeds, dtype=experiment.dtype)
        training = _stacked(experiment, model, [part.training for part in prepared])
        validation = _stacked(experiment, model, [part.validation for part in prepared])
        test = _stacked(experiment, model, [part.test for part in prepared])
        return experiment, training_of(experiment, model, training, validation), test

    def _prepared(self, source: Source, seeds: Sequence[int]) -> list[PreparedData]:
        """The data of every run, or once where all runs share them: only what is drawn depends on the seed."""
        if not source.varies:
            return [source.prepare(seeds[0], self.sources.load, test=self.test)]
        by_seed = {seed: source.prepare(seed, self.sources.load, test=self.test) for seed in dict.fromkeys(seeds)}
        return [by_seed[seed] for seed in seeds] if len(by_seed) > 1 else list(by_seed.values())

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


def _stacked(experiment: Experiment, model: Layer, parts: list[Any]) -> Any:
    """Data that all runs share as they are; otherwise arrays with a runs axis."""
    if len(parts) == 1 or parts[0] is None:
        return parts[0]
    fitted = [part.as_targets_for(model.output_shape, experiment.loss.takes_classes) for part in parts]
    arrays = [np.stack([getattr(part, name) for part in fitted]) for name in ("x", "y")]
    return (*arrays, None if fitted[0].weight is None else np.stack([part.weight for part in fitted]))


def weights_hash(params: np.ndarray, state: np.ndarray) -> str:
    """16 hexadecimal digits that tell one network's weights from others."""
    return array_hash([params, state])[:16]
