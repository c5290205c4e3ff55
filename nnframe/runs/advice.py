"""What a careful colleague says of an experiment before it is trained."""

import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np

from nnframe.components.component import written
from nnframe.components.wording import ordinary
from nnframe.config.build import Job
from nnframe.data.duplicates import as_bytes, shared
from nnframe.data.mapped import Mapped, extremes
from nnframe.data.source import Source
from nnframe.errors import printable
from nnframe.layers.activations.elementwise import Sigmoid, Tanh
from nnframe.layers.activations.softmax import Softmax
from nnframe.layers.base import Layer
from nnframe.layers.containers import Sequential
from nnframe.layers.dense import Dense
from nnframe.layers.normalization import BatchNorm
from nnframe.losses.classification import BinaryCrossEntropy, CrossEntropy
from nnframe.losses.regression import MAE, MSE
from nnframe.training.fit import evaluate

ROWS = 1000  # of the data, to look at the loss before training
FAR = 3  # times the loss of a model that knows nothing, at which inputs are to blame if they spread as far as
COMPARED = 10**5  # rows at most, among which those are looked for that stand in two parts
ENOUGH = 10  # epochs, after which the mean should be known
LARGE = 10  # targets' root mean square, far from which outputs start
SPREAD = 10  # this many, on both sides of 0 together


def print_advice(job: Job, *, forward: bool = True) -> None:
    """Print the warnings to stderr."""
    for line in advice(job, forward=forward):
        print(f"warning: {printable(line)}", file=sys.stderr)


def advice(job: Job, *, forward: bool = True) -> Iterator[str]:
    """Warnings, each with the place in the config that it is about. Without `forward` no layer is run for them."""
    data, experiment, last = job.data.training, job.experiment, job.model.layers[-1]
    place = f"model.{len(job.model.layers) - 1}"
    while type(last) is Sequential:
        place, last = f"{place}.layers.{len(last.layers) - 1}", last.layers[-1]
    for layer, loss in ((Softmax, CrossEntropy), (Sigmoid, BinaryCrossEntropy)):
        if isinstance(last, layer) and isinstance(experiment.loss, loss):
            yield f"{place}: {layer.__name__} before {loss.__name__}, which takes logits and applies its own; leave it out"
    outputs, classes = job.model.output_shape[-1], len(data.classes)
    if isinstance(experiment.loss, CrossEntropy) and outputs > classes > 0:
        yield f"{place}: {outputs} outputs for {classes} classes, so that the last {outputs - classes} are never right"
    if isinstance(last, (Sigmoid, Tanh, Softmax)) and isinstance(experiment.loss, MSE):
        low, high = (-1 if isinstance(last, Tanh) else 0), 1
        y = _targets(job)
        if y.min() < low or y.max() > high:
            yield f"data.target: targets from {ordinary(y.min())} to {ordinary(y.max())}, but {type(last).__name__} gives {low} to {high}"
    if data.classes:
        found = set(np.unique(data.y).tolist())
        for i, name in enumerate(data.classes):
            if i not in found:
                yield f"data.target: no row of the class {name!r} is in the training part"
    for at, inner, after in _pairs(job.model, "model"):
        if isinstance(inner, Dense) and inner.bias and isinstance(after, BatchNorm):
            yield f"{at}: a bias straight before BatchNorm does nothing, and is moved by rounding alone; write bias: false"
    if isinstance(experiment.loss, (MSE, MAE)) and isinstance(last, Dense) and (told := _scale_targets(job)):
        y = _targets(job)
        reach = f"targets go from {y.min():.4g} to {y.max():.4g}, and outputs start near 0"
        yield f"data.target: {reach}; {told} (metrics stay in the target's units)"
    yield from _trained_on_too(job)
    if forward:
        yield from _unscaled(job)


def constant_inputs(job: Job) -> list[str]:
    """The names of inputs that tell nothing: as pixels at the rim of an image, they are no mistake by themselves."""
    data, (low, high) = job.data.training, extremes(job.data.training.x)
    return [name for name, same in zip(data.inputs, low == high, strict=True) if same] if data.x.ndim == 2 else []


def start(job: Job, rows: int | None = None) -> tuple[float, float, str]:
    """The loss before training, of all or the first `rows`; that of a model that knows nothing, NaN if there is none; what that is."""
    loss, data = job.experiment.loss, job.data.training if rows is None else job.data.training.rows(slice(rows))
    with np.errstate(all="ignore"):
        found = float(np.mean(evaluate(job.model, loss, data)["loss"]))  # over the members of an ensemble
    return found, *_nothing(job, rows)


def _nothing(job: Job, rows: int | None = None) -> tuple[float, str]:
    """The loss of a model that knows nothing, NaN if that is not known; and what it is."""
    loss = job.experiment.loss
    if isinstance(loss, CrossEntropy):
        classes = job.model.output_shape[-1]
        return float(np.log(classes)), f"ln {classes} = {ordinary(np.log(classes))} if all classes are as likely"
    if isinstance(loss, BinaryCrossEntropy):
        return float(np.log(2)), f"ln 2 = {ordinary(np.log(2))} if both are as likely"
    if isinstance(loss, MSE):
        variance = float(np.var(_targets(job, rows), axis=0).mean())
        return variance, f"{ordinary(variance)}, the targets' variance, if the mean is always given"
    if isinstance(loss, MAE):
        y = _targets(job, rows)
        distance = float(np.abs(y - np.median(y, axis=0)).mean())
        return distance, f"{ordinary(distance)}, the targets' mean distance from their median, if that is always given"
    return float("nan"), ""


def remark(job: Job, first: Mapping[str, float], kept: Mapping[str, float]) -> str:
    """What is said after training of a loss that is worse than knowing nothing, or than it began; `first` and `kept` are of the first
    epoch and of the one whose weights are kept."""
    nothing, words = _nothing(job)
    nothing = _at_zero(job, nothing)
    loss, held = kept["loss"], kept.get("val_loss", float("nan"))
    lr = getattr(job.experiment.optimizer, "lr", None)
    help_ = "" if lr is None else f"; a smaller optimizer.lr{f' than {lr:g}' if isinstance(lr, float) else ''} may help"
    if len(_largest(job)):
        help_ = f"{help_ or '; it may help to write'}{help_ and ', or'} transforms: [Standardize], since inputs are not scaled"
    for name, value in (("loss", loss), ("val_loss", held)):
        if nothing > 0 and value > FAR * nothing:
            if name == "val_loss":
                sure = "it is too sure of rows that it was not trained on; EarlyStopping keeps an earlier epoch"
                help_ = f", while loss is {ordinary(loss)}: {sure}"
            return f"{name} {ordinary(value)} is far above that of a model that knows nothing, {words}{help_}"
        if not nothing > 0 and value > FAR * first[name] > 0:
            return f"{name} {ordinary(value)} is far above that of the first epoch, {ordinary(first[name])}{help_}"
    nothing, words = _nothing(job)
    enough = job.experiment.train.epochs >= ENOUGH and job.data.training.weight is None
    if enough and isinstance(job.experiment.loss, MSE) and loss >= nothing > 0:
        told = _scale_targets(job) or "more epochs or another optimizer.lr may help"
        return f"loss {ordinary(loss)} is no better than that of a model that knows nothing, {words}; {told}"
    return ""


def _scale_targets(job: Job) -> str:
    """What to write where targets are so far from 0, where outputs start, that steps of a usual lr hardly bring these there; a layer alone
    may do it, as may an optimizer that has no lr."""
    experiment, y = job.experiment, _targets(job).astype(np.float64)
    if len(job.model.layers) < 2 or experiment.weights is not None or not hasattr(experiment.optimizer, "lr"):
        return ""
    if np.sqrt(np.mean(y**2)) <= LARGE:
        return ""
    given = experiment.data.target_transforms
    return f"write target_transforms: [{', '.join([*map(written, given), 'Standardize'])}]"


def _trained_on_too(job: Job) -> Iterator[str]:
    """Rows of a source to validate or test on that stand among those that are trained on."""
    training = job.data.training
    for name in ("validation", "test"):
        part = getattr(job.data, name)
        if part is None or not isinstance(getattr(job.experiment.data, name), Source) or len(training.x) + len(part.x) > COMPARED:
            continue
        if isinstance(training.x, Mapped) or isinstance(part.x, Mapped) or training.x.dtype != part.x.dtype:
            continue
        if again := shared(rows := as_bytes(part), as_bytes(training)):
            yield f"data.{name}: {again:,} of the {len(rows):,} {name} rows are trained on too (their inputs are the same)"


def _at_zero(job: Job, nothing: float, rows: int | None = None) -> float:
    """The loss of knowing nothing, or of numbers near 0 if that is more: a model gives these at the start, and targets may be far from
    them."""
    power = {MSE: 2.0, MAE: 1.0}.get(type(job.experiment.loss))
    return nothing if power is None else max(nothing, float(np.mean(np.abs(_targets(job, rows)) ** power)))


def _targets(job: Job, rows: int | None = None) -> np.ndarray:
    """Of all that is trained on, or the first `rows`, as numbers that outputs are compared with."""
    return job.data.training.as_targets_for(job.model.output_shape, False).y[:rows]


def _unscaled(job: Job) -> Iterator[str]:
    """Inputs that reach so far that the loss at the start is far above that of a model that knows nothing."""
    x = job.data.training.x[:ROWS]
    if not len(largest := _largest(job)):
        return
    found, nothing, _ = start(job, ROWS)
    nothing = _at_zero(job, nothing, ROWS)
    if found > FAR * nothing:
        worst = int(largest.argmax())
        names = job.data.training.inputs
        name = repr(names[worst]) if names else f"number {worst}"
        reach = f"{name} goes from {ordinary(x[:, worst].min())} to {ordinary(x[:, worst].max())}"
        losses = f"the loss at the start is {ordinary(found)}, where a model that knows nothing has {ordinary(nothing)}"
        yield f"data: inputs are not scaled: {reach}, and {losses}; write transforms: [Standardize]"


def _largest(job: Job) -> np.ndarray:
    """How far each input reaches; empty if none reaches far."""
    x = job.data.training.x[:ROWS]
    if x.dtype.kind != "f" or x.ndim != 2 or (largest := np.abs(x).max(0)).max() < SPREAD:
        return np.empty(0)
    return largest


def _pairs(model: Layer, place: str) -> Iterator[tuple[str, Layer, Layer]]:
    """Each layer in a row with the one behind it, and where it stands; what is in a Sequential is in the row that this is in."""
    inner = list(_row(model, place))
    if isinstance(model, Sequential):
        for (at, layer), (_, after) in pairwise(inner):
            yield at, layer, after
    for at, layer in inner:
        yield from _pairs(layer, at)


def _row(model: Layer, place: str) -> Iterator[tuple[str, Layer]]:
    for i, layer in enumerate(model.layers):
        at = f"model.{i}" if place == "model" else f"{place}.layers.{i}"
        if isinstance(model, Sequential) and type(layer) is Sequential:
            yield from _row(layer, at)
        else:
            yield at, layer
