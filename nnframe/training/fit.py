"""Train and evaluate from Python: `fit` and `evaluate`."""

from collections.abc import Iterable
from copy import deepcopy
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from nnframe.components.component import Component
from nnframe.components.walk import Problems, validate
from nnframe.components.wording import describe, shown
from nnframe.data.augmentations.base import Augmentation
from nnframe.data.batches import Batches
from nnframe.data.source import Source
from nnframe.errors import FileError, OptionError
from nnframe.layers import layout
from nnframe.layers.base import Layer
from nnframe.losses.base import Loss
from nnframe.metrics.base import Metric
from nnframe.optimizers.base import Optimizer
from nnframe.streams import Seed, Seeds
from nnframe.system import blas, files
from nnframe.training.callbacks import Callback, check_hooks
from nnframe.training.checkpoint import Checkpoints, Every
from nnframe.training.ensemble import check_members, for_one, run_members
from nnframe.training.evaluation import batches_for, own_metrics, run_through
from nnframe.training.history import History
from nnframe.training.loop import Train, seeds_of
from nnframe.training.parts import parts_of
from nnframe.training.whole import training_by


def fit(
    model: Layer,
    loss: Loss,
    optimizer: Optimizer,
    data: Any,
    *,
    epochs: int,
    batch_size: int,
    seed: Seed | None = None,
    shuffle: bool = True,
    validation: Any = None,
    metrics: Iterable[Metric | Loss] = (),
    callbacks: Iterable[Callback] = (),
    augment: Iterable[Augmentation] = (),
    evaluate_train: bool = False,
    ensemble: bool = False,
    eval_batch_size: int | None = None,
    blas_threads: int | str = "auto",
    max_seconds: float | None = None,
    checkpoint: str | PathLike[str] | None = None,
    checkpoint_every: Every = Every(seconds=30.0),
) -> History:
    """Train a built model, in place, and return the log of its epochs.

    Args:
        data: (x, y), (x, y, weight) or a Dataset; rows shared by all runs of a stack, or (R, rows, ...) with its own for each. Or a data
            source, such as nn.Iris(validation=0.2, transforms=[nn.Standardize()]), or what its `prepare` gives: its training and its
            validation part, as each run's seed draws them. Targets of one output may be (rows,).
        batch_size: the last batch of an epoch may be smaller.
        seed: of the rows' order; the model's unless given.
        shuffle: False keeps the rows' order.
        validation: like data, or a fraction of the rows, drawn by each run's seed, of each class its share; evaluated after every epoch.
        augment: what is done to each batch that is trained on, in turn, such as Noise(0.1).
        evaluate_train: log loss and metrics of the training data as evaluated after the epoch. Otherwise they are those of
            the samples as they were trained on: sum of w l / sum of w over the epoch.
        ensemble: the runs of a stack are one ensemble: the log has `ensemble_val_loss` and the metrics of the averaged prediction of all
            members that have not diverged, the same number for each that still trains. A callback that monitors one couples them.
        eval_batch_size: rows to evaluate at a time; by default a number that follows from the model's shapes.
        blas_threads: "auto" is 1, or all cores if a product of one run is large. The number is part of the result, and one for
            the process: trainings in several Python threads at a time must have the same.
        max_seconds: training ends after the epoch in which so much time has gone by.
        checkpoint: a folder, made if there is none. If it holds a checkpoint of the same training, that one goes on, to the
            same numbers as if it had never been interrupted. SIGINT, SIGTERM and SIGUSR1 then end training with a checkpoint
            after the step, and raise `Interrupted`, a KeyboardInterrupt.
        checkpoint_every: how often; such as Every(epochs=10).

    An optimizer that was attached to this model goes on from its state, and trains a part alone if it was attached to that; any other
    is attached. A run whose loss is not finite at the end of an epoch ends there, with a DivergenceWarning; the others go on unchanged.
    Raises OptionError, ShapeError, DataError or UsageError before any training.
    """
    for name, value, base in (("model", model, Layer), ("loss", loss, Loss), ("optimizer", optimizer, Optimizer)):
        if not isinstance(value, base):
            raise OptionError(f"expected {describe(base)}, got {value!r:.60}", path=f"fit.{name}")
    every_metric, every_callback = _list(metrics, "fit.metrics"), _list(callbacks, "fit.callbacks")
    check_hooks(every_callback, "fit.callbacks")
    given: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size, "shuffle": shuffle, "evaluate_train": evaluate_train}
    given |= {"eval_batch_size": eval_batch_size, "blas_threads": blas_threads, "max_seconds": max_seconds}
    problems = Problems()
    train = validate(Train, given | {"checkpoint": checkpoint_every}, "", problems)
    folder = validate(Path | None, checkpoint, "checkpoint", problems)
    if problems:
        raise OptionError("; ".join(f"{path}: {message}" for path, message in problems), path="fit")
    layout.verify(model)
    changes, together = _list(augment, "fit.augment"), _flag(ensemble, "fit.ensemble")
    if isinstance(data, Source) and data.augment:
        if changes:
            raise OptionError("the data source has its own; leave one of them out", path="fit.augment")
        changes = list(data.augment)
    seeds = seeds_of(model, seed)
    data, validation = parts_of(data, validation, model, loss, Seeds(int(seeds.values.flat[0])) if together else seeds)
    parts = (model, loss, optimizer, data, validation, every_metric, every_callback, seed, train, changes)
    training = training_by(optimizer)(*parts, ensemble=together)
    if folder is None:
        return training.run()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make the folder {folder}: {error.strerror}", path="fit.checkpoint") from None
    with files.owned(folder):
        return training.run(checkpoints=Checkpoints(folder, train.checkpoint, training.config()))


def evaluate(
    model: Layer,
    loss: Loss,
    data: Any,
    *,
    metrics: Iterable[Metric | Loss] = (),
    ensemble: bool = False,
    batch_size: int | None = None,
    blas_threads: int | str = "auto",
) -> dict[str, np.ndarray]:
    """Loss and metrics of a model on data as for `fit`, each (*runs,): {"loss": ..., "accuracy": ...}. With `ensemble` those of the
    averaged prediction of a stack, each ()."""
    given = model, loss, data, metrics, batch_size, blas_threads
    if _flag(ensemble, "evaluate.ensemble"):
        return evaluate_members(*given)[1]
    loss, own, batches, threads = _ready(*given)
    with np.errstate(all="ignore"), blas.threads(threads):
        return run_through(model, loss, own, batches, lambda: None)


def evaluate_members(
    model: Layer,
    loss: Loss,
    data: Any,
    metrics: Iterable[Metric | Loss],
    batch_size: int | None,
    blas_threads: int | str,
    members: np.ndarray | None = None,
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Loss and metrics of each run of a stack, and those of the averaged prediction of `members`, a mask; of all unless given."""
    loss, own, batches, threads = _ready(model, loss, data, metrics, batch_size, blas_threads)
    check_members(model, loss, own, batches, "evaluate.ensemble")
    together = np.ones(model.runs, bool) if members is None else members
    with np.errstate(all="ignore"), blas.threads(threads):
        return run_members(model, together, ..., loss, own, for_one(loss, own), batches, lambda: None)


def _ready(
    model: Layer, loss: Loss, data: Any, metrics: Iterable[Metric | Loss], batch_size: int | None, blas_threads: int | str
) -> tuple[Loss, list[Metric], Batches, int]:
    """Copies of loss and metrics, batches and the number of BLAS threads, to evaluate with."""
    layout.verify(model)
    size, threads = model.evaluation_options("evaluate", batch_size, blas_threads)
    loss, own = deepcopy(loss), own_metrics(_list(metrics, "evaluate.metrics"))
    batches = batches_for(model, loss, own, data, "data", model._store.seeds, size, False)
    for component in (loss, *own):
        component.bind(model.runs, model.dtype)
    return loss, own, batches, threads


def _flag(given: Any, path: str) -> bool:
    """Raises OptionError for anything but True or False."""
    if given is True or given is False:
        return given
    raise OptionError(f"expected True or False, got {shown(given)}", path=path)


def _list(given: Any, path: str) -> list[Any]:
    """The items of anything that can be gone through, once. Raises OptionError for what cannot."""
    try:
        return list(given)
    except TypeError:
        alone = f"; write [{shown(given)}]" if isinstance(given, Component) else ""
        raise OptionError(f"expected a list, got {shown(given)}{alone}", path=path) from None
