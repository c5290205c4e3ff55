"""Loss and metrics of a model on data, and the check of both against each other."""

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np

from nnframe.data.augmentations.base import Augmentation
from nnframe.data.batches import Batches
from nnframe.data.dataset import Dataset, as_dataset
from nnframe.errors import DataError, OptionError, ShapeError
from nnframe.layers.base import Layer
from nnframe.losses.base import Loss
from nnframe.metrics.base import Metric
from nnframe.metrics.losses import LossMetric, as_metric
from nnframe.streams import Seeds


def own_metrics(metrics: Iterable[Any]) -> list[Metric]:
    """Copies of metrics and of losses that are named as such. Raises OptionError for anything else."""
    found = [as_metric(deepcopy(metric)) for metric in metrics]
    for i, metric in enumerate(found):
        if not isinstance(metric, Metric):
            raise OptionError(f"expected a metric or a loss, such as Accuracy() or MAE(), got {metric!r:.60}", path=f"metrics.{i}")
    return found


def in_own_units(loss: Loss, pred: np.ndarray, y: np.ndarray, undo: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outputs, what a person reads from them, and targets, in the units that targets came in, which `undo` goes back to."""
    read = loss.readout(pred)
    if undo is None:
        return pred, read, y
    read = undo(read)
    return read, read, undo(y)


def gather(metrics: Sequence[Metric], loss: Loss, pred: np.ndarray, y: np.ndarray, weight: np.ndarray | None, undo: Any = None) -> None:
    """Add a batch to all metrics."""
    if metrics:
        pred, read, y = in_own_units(loss, pred, y, undo)
        for metric in metrics:
            metric.update(pred if metric.on_outputs else read, y, weight)


def begun(augment: Iterable[Any], model: Layer, seeds: Seeds) -> list[Augmentation]:
    """Copies of augmentations, each with a stream of its own for each seed. Raises OptionError or ShapeError for what is none, or cannot be
    done to rows of the model's inputs."""
    found, names = [deepcopy(change) for change in augment], [type(change).__name__ for change in augment]
    for i, change in enumerate(found):
        if not isinstance(change, Augmentation):
            raise OptionError(f"expected an augmentation, such as Noise(0.1), got {change!r:.60}", path=f"augment.{i}")
        number = names[:i].count(names[i])  # so that another kind in front of it changes no draw
        try:
            change.begin(seeds, f"augment/{names[i]}{f'.{number}' if number else ''}", model.input_shape, model.output_shape)
        except ShapeError as error:
            raise error.within(f"augment.{i}") from None
    return found


def mixed(data: Any, model: Layer, loss: Loss) -> Any:
    """Data whose targets can be mixed: floating numbers, and rows of shares for classes. Raises ShapeError or DataError."""
    data = data if isinstance(data, Dataset) else as_dataset(data, model.input_shape, model.runs, model.dtype)
    try:
        data = data.as_targets_for(model.output_shape, loss.takes_classes)
        y = data.y
        if loss.takes_classes and y.dtype.kind in "iu":
            loss.build(model.output_shape, y)
            y = np.eye(model.output_shape[-1], dtype=model.dtype)[y]
    except (DataError, ShapeError) as error:
        raise error.within("data.y") from None
    return replace(data, y=y.astype(np.result_type(y.dtype, model.dtype), copy=False), classes=())


def refuse_integers(augment: Sequence[Augmentation], batches: Batches) -> None:
    """Raise DataError for an augmentation that cannot change such inputs."""
    for i, change in enumerate(augment):
        if not batches.floating and not change.takes_integers:
            raise DataError(f"{type(change).__name__} is for floating numbers, but the inputs are integers", path=f"augment.{i}")


def batches_for(
    model: Layer, loss: Loss, metrics: Sequence[Metric], data: Any, what: str, seeds: Seeds, size: int, shuffle: bool
) -> Batches:
    """Check data against model, loss and metrics. Raises ShapeError or DataError."""
    if isinstance(data, Dataset):
        try:
            data = data.as_targets_for(model.output_shape, loss.takes_classes)
        except DataError as error:
            raise error.within(f"{what}.y") from None
    data = as_dataset(data, model.input_shape, model.runs, model.dtype, what)
    numbers = data.y.dtype.kind == "f" or not data.targets  # a source's integers are classes
    if numbers and data.y.ndim == 1 + (data.sets is not None) and loss.target_row(model.output_shape, data.y.dtype.kind in "iu") == (1,):
        data = replace(data, y=data.y[..., None])  # one number a row cannot mean anything else
    names = [metric.name for metric in metrics]
    if twice := [name for name in names if names.count(name) > 1]:
        raise OptionError(f"two are named {twice[0]!r}, so that their columns in the log would be one", path="metrics")
    try:
        loss.build(model.output_shape, data.y)
        target_runs = loss.target_runs(data.y, model.output_shape)
        own = (data.x.ndim > 1 + len(model.input_shape), bool(target_runs), data.weight is not None and data.weight.ndim == 2)
        rows, targets = data.x.shape[1 if own[0] else 0], data.y.shape[len(target_runs)]
        if target_runs not in ((), model.runs if data.sets is None else data.sets.counts.shape) or rows != targets:
            raise ShapeError(f"{rows} rows of inputs do not go with targets {data.y.shape}")
    except (ShapeError, DataError) as error:
        raise error.within(f"{what}.y") from None
    for i, metric in enumerate(metrics):
        try:
            metric.build(model.output_shape, data.y.shape[len(target_runs) + 1 :], data.y.dtype.kind in "iu")
            if isinstance(metric, LossMetric):
                metric.loss.build(model.output_shape, data.y)
        except (ShapeError, DataError) as error:
            raise error.within(f"metrics.{i}") from None
    return Batches(data, own, seeds, size, shuffle)


class Tally:
    """Loss and metrics of predictions, batch by batch."""

    def __init__(self, loss: Loss, metrics: Sequence[Metric], undo: Any) -> None:
        self.loss, self.metrics, self.undo = loss, metrics, undo
        self.total: Any = np.float64(0)
        self.total_weight: Any = np.float64(0)
        for metric in metrics:
            metric.reset()

    def add(self, pred: np.ndarray, y: np.ndarray, weight: np.ndarray | None, rows: np.float64) -> None:
        value = self.loss.forward(pred, y, weight)
        batch_weight = rows if weight is None else np.add.reduce(weight, -1, np.float64)
        self.total = self.total + value * batch_weight
        self.total_weight = self.total_weight + batch_weight
        gather(self.metrics, self.loss, pred, y, weight, self.undo)

    def values(self) -> dict[str, np.ndarray]:
        return {"loss": self.total / self.total_weight} | {metric.name: metric.value() for metric in self.metrics}


def run_through(
    model: Layer, loss: Loss, metrics: Sequence[Metric], batches: Batches, between: Callable[[], None]
) -> dict[str, np.ndarray]:
    """Loss and metrics over all rows, not in training. `between` is called between batches."""
    tally = Tally(loss, metrics, batches.undo)
    for x, y, weight, rows in batches.epoch(0):
        tally.add(model.forward(x), y, weight, rows)
        between()
    return tally.values()
