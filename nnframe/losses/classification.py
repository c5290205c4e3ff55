"""Losses of classes, from logits."""

import numpy as np
from numpy import absolute, add, divide, exp, log, log1p, maximum, minimum, multiply, negative, reciprocal, subtract

from nnframe.components.buffers import Buffers
from nnframe.components.component import register
from nnframe.errors import DataError
from nnframe.losses.base import Loss, Shape


@register
class BinaryCrossEntropy(Loss):
    """Cross-entropy of Bernoulli outputs from logits z: l = mean max(z, 0) - z t + log(1 + exp(-|z|)), t in [0, 1]."""

    reads_as = "binary"

    def elements(self, w: Buffers, pred: np.ndarray, target: np.ndarray) -> None:
        w.target = target
        a, b, out = w.a, w.b, w.elements
        absolute(pred, a)
        negative(a, a)
        exp(a, a)
        log1p(a, a)  # slow, but log(1 + a) would lose small losses entirely
        multiply(pred, target, b)
        subtract(maximum(pred, 0, out=out), b, out)
        add(out, a, out)  # the small term last, or it would be lost too

    def gradient(self, w: Buffers, out: np.ndarray) -> None:
        subtract(_sigmoid(w.pred, out), w.target, out)
        multiply(out, w.share, out)

    def check_target(self, target: np.ndarray, outputs: Shape) -> None:
        if target.size and not (target.min() >= 0 and target.max() <= 1):
            raise DataError(f"BinaryCrossEntropy expected targets between 0 and 1, got {target.min():g} to {target.max():g}")

    def readout(self, pred: np.ndarray) -> np.ndarray:
        return _sigmoid(pred, np.empty_like(pred))

    @np.errstate(all="ignore")
    def averaged(self, pred: np.ndarray) -> np.ndarray:
        """The logit of the mean probability: log sum sigmoid(z) - log sum sigmoid(-z)."""
        small = log1p(exp(-absolute(pred)))
        return _log_mean(minimum(pred, 0) - small) - _log_mean(minimum(-pred, 0) - small)


@register
class CrossEntropy(Loss):
    """Cross-entropy from logits z over the last axis: l = log sum exp(z) - z[target] for integer classes, or
    l = -sum t log softmax(z) for rows t of probabilities.

    pred (*runs, batch, ..., classes), target (*runs, batch, ...) or like pred; l is the mean over the axes `...`.
    """

    takes_classes = True
    reads_as = "classes"

    def elements(self, w: Buffers, pred: np.ndarray, target: np.ndarray) -> None:
        if not hasattr(w, "one"):
            w.one = np.empty((*pred.shape[:-1], 1), pred.dtype)  # one number a row
            starts = np.arange(0, pred.size, pred.shape[-1]).reshape(pred.shape[:-1])
            w.starts = starts.astype(np.uint64) if target.dtype == np.uint64 else starts  # added to int64 it would be floating
            w.index, w.flat_z, w.flat_dpred = np.empty_like(starts), w.a.reshape(-1), w.dpred.reshape(-1)
        z, p, one, l = w.a, w.b, w.one, w.elements  # noqa: E741
        w.target, w.integers = target, target.dtype.kind in "iu"
        _over_classes(maximum, pred, one)
        subtract(pred, one, z)
        exp(z, p)
        _over_classes(add, p, one)
        divide(p, one, p)
        log(one, one)
        if w.integers:
            add(w.starts, target, w.index)
            np.take(w.flat_z, w.index, None, l, "clip")  # classes are in range; "clip" writes straight into l
            subtract(one[..., 0], l, l)
        else:
            subtract(one, z, z)
            np.copyto(z, 0, where=target == 0)  # where z overflowed, inf * 0 would be NaN
            multiply(z, target, z)
            add.reduce(z, -1, out=l)

    def gradient(self, w: Buffers, out: np.ndarray) -> None:
        if w.integers:
            multiply(w.b, w.share, out)
            w.flat_dpred[w.index] -= w.share if w.share is w.equal else w.share[..., 0]
        else:
            multiply(w.b, add.reduce(w.target, -1, out=None, keepdims=True), out)
            subtract(out, w.target, out)
            multiply(out, w.share, out)

    def element_shape(self, pred_shape: Shape) -> Shape:
        return pred_shape[:-1]

    def target_row(self, outputs: Shape, integers: bool) -> Shape:
        return outputs[:-1] if integers else outputs

    def check_target(self, target: np.ndarray, outputs: Shape) -> None:
        if target.dtype.kind not in "iu":
            if not (np.all(target >= 0) and np.allclose(target.sum(-1), 1, rtol=0, atol=1e-4)):
                raise DataError("CrossEntropy expected integer classes, or rows of probabilities that sum to 1")
        elif target.size and not (target.min() >= 0 and target.max() < outputs[-1]):
            wrong = target.min() if target.min() < 0 else target.max()
            hint = "; BinaryCrossEntropy is for one output" if outputs == (1,) else ""
            hint = "; they are numbered from 0: subtract 1" if (target.min(), wrong) == (1, outputs[-1]) else hint
            raise DataError(f"CrossEntropy of outputs {outputs} expected classes from 0 to {outputs[-1] - 1}, got {wrong}{hint}")

    def readout(self, pred: np.ndarray) -> np.ndarray:
        p = exp(pred - _over_classes(maximum, pred))
        return p / _over_classes(add, p)

    @np.errstate(all="ignore")
    def averaged(self, pred: np.ndarray) -> np.ndarray:
        """The log of the mean probabilities, by way of log softmax(z)."""
        z = pred - _over_classes(maximum, pred)
        return _log_mean(z - log(_over_classes(add, exp(z))))


FEW = 4  # classes


def _over_classes(function: np.ufunc, a: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """`function` over the last axis, which is kept. NumPy's own reduction takes as long for a row of two numbers as for one of twenty;
    few columns are taken together whole, in its order, which gives its bytes."""
    if not 2 <= a.shape[-1] <= FEW:
        return np.asarray(function.reduce(a, -1, out=out, keepdims=True))
    found = function(a[..., :1], a[..., 1:2], out=out)
    for i in range(2, a.shape[-1]):
        found = function(found, a[..., i : i + 1], out=out)
    return np.asarray(found)


def _sigmoid(z: np.ndarray, out: np.ndarray) -> np.ndarray:
    negative(z, out)
    minimum(out, np.floor(log(np.finfo(out.dtype).max)), out=out)  # exp of more would overflow
    exp(out, out)
    add(out, 1, out)
    return reciprocal(out, out)


def _log_mean(logs: np.ndarray) -> np.ndarray:
    """log mean exp over the first axis."""
    most = maximum(maximum.reduce(logs, 0), np.finfo(logs.dtype).min)  # where all are -inf, -inf less itself would be NaN
    return log(add.reduce(exp(logs - most), 0) / logs.dtype.type(len(logs))) + most
