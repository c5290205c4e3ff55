"""How sure the loss and metrics of one network on some rows are: their spread when these rows are drawn again, with replacement."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from math import prod
from typing import Any

import numpy as np

from nnframe.layers.base import Layer
from nnframe.losses.base import Loss
from nnframe.metrics.base import Metric
from nnframe.metrics.losses import LossMetric
from nnframe.streams import generator
from nnframe.system import blas
from nnframe.training.evaluation import batches_for, in_own_units, own_metrics

DRAWS, LEVEL = 1000, 0.05
CHUNK = 2**22  # numbers to hold at a time


def intervals(
    model: Layer,
    loss: Loss,
    data: Any,
    *,
    metrics: Iterable[Any] = (),
    seed: int = 0,
    batch_size: int | None = None,
    blas_threads: Any = "auto",
    members: np.ndarray | None = None,
    prefix: str = "",
) -> dict[str, tuple[float, float]]:
    """95 % intervals of the loss and the metrics of one network on data as for `evaluate`, by name: the percentiles of 1,000 bootstrap
    samples of the rows (Efron 1979), drawn by stream "bootstrap" of `seed`. `members`, a mask of the runs of a stack: those of the means
    over these, and, as `ensemble_loss`, those of their averaged prediction. With a `prefix`, `test_loss` and `ensemble_test_loss`."""
    size, threads = model.evaluation_options("intervals", batch_size, blas_threads)
    loss, own = deepcopy(loss), own_metrics(metrics)
    batches = batches_for(model, loss, own, data, "data", model._store.seeds, size, False)
    with np.errstate(all="ignore"), blas.threads(threads):
        parts = [(np.array(model.forward(x)), y, weight) for x, y, weight, _ in batches.epoch(0)]
        pred, y = np.concatenate([part[0] for part in parts], len(model.runs)), np.concatenate([part[1] for part in parts])
        several = (
            {prefix: pred[None]} if members is None else {prefix: pred[members], f"ensemble_{prefix}": loss.averaged(pred[members])[None]}
        )
        weight = np.ones(len(y)) if parts[0][2] is None else np.concatenate([part[2] for part in parts]).astype(np.float64)
        judged = {kind: [_Judged(loss, own, outputs, y, batches.undo, model.dtype) for outputs in preds] for kind, preds in several.items()}
        found: dict[str, list[np.ndarray]] = {}
        for counts in _samples(len(y), prod(pred.shape[len(model.runs) + 1 :]), generator(seed, "bootstrap")):
            for kind, networks in judged.items():
                drawn = [network.on(counts * weight) for network in networks]
                for name in drawn[0]:
                    found.setdefault(kind + name, []).append(np.mean([values[name] for values in drawn], axis=0))
    ends = (100 * LEVEL / 2, 100 - 100 * LEVEL / 2)
    return {name: _ends(np.concatenate(values), ends) for name, values in found.items()}


class _Judged:
    """What one network's outputs are worth, row by row, or for metrics that are no means over rows, from the outputs themselves."""

    def __init__(self, loss: Loss, metrics: Iterable[Metric], pred: np.ndarray, y: np.ndarray, undo: Any, dtype: Any) -> None:
        outputs, self.read, self.shown = in_own_units(loss, pred, y, undo)
        self.means, self.others, self.dtype = {"loss": _row_by_row(loss, pred, y)}, list[Metric](), dtype
        for metric in metrics:
            if isinstance(metric, LossMetric):
                self.means[metric.name] = _row_by_row(metric.loss, outputs, self.shown)
            elif type(metric).update is Metric.update:
                metric.bind((), dtype)
                metric.reset()
                values = metric.rows(self.read, self.shown)
                self.means[metric.name] = np.add.reduce(values, -1, np.float64) / values.shape[-1]
            else:
                self.others.append(metric)

    def on(self, sample: np.ndarray) -> dict[str, np.ndarray]:
        """By name, on each of some samples that rows have such weights in: (samples,)."""
        found = {name: sample @ values / sample.sum(-1) for name, values in self.means.items()}
        return found | {metric.name: _of_samples(metric, self.read, self.shown, sample, self.dtype) for metric in self.others}


def _ends(values: np.ndarray, percent: tuple[float, float]) -> tuple[float, float]:
    low, high = np.percentile(values[~np.isnan(values)], percent) if not np.isnan(values).all() else (np.nan, np.nan)
    return float(low), float(high)


def _row_by_row(loss: Loss, pred: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The loss of each row alone: (rows,)."""
    loss = deepcopy(loss)
    loss.build(pred.shape[1:])
    return np.array(loss.forward(pred[:, None], y[:, None]), np.float64)


def _samples(rows: int, width: int, rng: "np.random.Generator") -> Iterator[np.ndarray]:
    """How often each row is in each of some samples: (samples, rows), DRAWS of them in all."""
    some = max(min(CHUNK // (rows * width), DRAWS), 1)
    for start in range(0, DRAWS, some):
        count = min(some, DRAWS - start)
        drawn = rng.integers(0, rows, (count, rows)) + rows * np.arange(count)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * count).reshape(count, rows)


def _of_samples(metric: Metric, pred: np.ndarray, y: np.ndarray, weight: np.ndarray, dtype: Any) -> np.ndarray:
    """A metric on each of some samples, as if they were runs of a stack: (samples,)."""
    metric = deepcopy(metric)
    metric.bind((len(weight),), dtype)
    metric.reset()
    metric.update(np.broadcast_to(pred, (len(weight), *pred.shape)), y, weight)
    return np.array(metric.value(), np.float64)
