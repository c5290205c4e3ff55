"""Gradients row by row: of the loss, and of the outputs, whose products are the neural tangent kernel."""

from math import prod
from typing import Any, Literal

import numpy as np

from nnframe.layers.base import Layer
from nnframe.losses.base import Loss
from nnframe.probes.copies import Copies, checked, room_for

BLOCK = 2**24  # numbers of a Jacobian at a time


def per_sample_gradients(model: Layer, loss: Loss, data: Any) -> np.ndarray:
    """The gradient of each row's own loss with respect to all parameters, (*runs, rows, P) in the model's dtype.

    data: as for fit. A row's gradient is, to the last bit, that of a batch of this row alone, without its weight w: the gradient of the
    loss is the mean of all, or sum of w g / sum of w. In evaluation mode: no Dropout, and BatchNorm with its running mean and variance, so
    that rows do not depend on each other.

    Each row is a run of a stack of copies of the model, which are made in pieces of about 8 MB; only the result grows with the data.
    """
    copies = Copies("per_sample_gradients", model).on(loss, data)
    runs, (rows, P) = copies.every, (copies.batches.rows, copies.params.shape[-1])
    found = room_for(copies.caller, (len(runs), rows, P), model.dtype)
    start, copies.size = 0, 1
    with copies.computing():
        for x, y, _, _ in copies.batches.epoch(0):
            own_x = x.ndim > 1 + len(model.input_shape)
            own_y = bool(loss.target_runs(y, model.output_shape))
            count = x.shape[own_x]
            of, row = np.repeat(runs, count), np.tile(np.arange(count), len(runs))
            for piece in copies.pieces(len(of)):
                stack, (its_loss,), _ = copies.at(of[piece])
                at = of[piece], row[piece]
                one_x, one_y = (a[at if own else at[1]][:, None] for a, own in ((x, own_x), (y, own_y)))
                its_loss.forward(stack.forward(one_x), one_y)
                stack.backward(its_loss.backward(), need_dx=False)
                found[at[0], start + at[1]] = stack.grads
            start += count
    return found.reshape(*copies.runs, rows, P)


def ntk(model: Layer, x: Any, x2: Any = None, *, outputs: Literal["sum", "each"] = "sum") -> np.ndarray:
    """The empirical neural tangent kernel of the rows of x with those of x2, or with themselves (Jacot, Gabriel and Hongler 2018).

    K[i, j] = sum over outputs o and parameters p of df_o(x_i)/dp df_o(x2_j)/dp, (*runs, rows, rows2); with outputs="each" one kernel for
    each output, (*runs, *outputs, rows, rows2). x: (rows, *features), or (R, rows, *features). In the model's dtype and evaluation mode.

    Jacobians are made for blocks of rows whose size follows from the shapes of one run, about 2**24 numbers, so that only the kernel grows
    with the rows.
    """
    copies = Copies("ntk", model)
    checked(copies.caller, outputs=(Literal["sum", "each"], outputs))
    first = copies.rows(x, "x")
    second = first if x2 is None else copies.rows(x2, "x2")
    features, (outs, P) = len(model.input_shape), (prod(model.output_shape), copies.params.shape[-1])
    rows, rows2 = (a.shape[-1 - features] for a in (first, second))
    together, length = outputs == "sum", max(BLOCK // (outs * P), 1)  # rows of a product: from the shapes of one run alone
    runs = len(copies.every)
    found = room_for(copies.caller, (runs, 1 if together else outs, rows, rows2), model.dtype)

    def jacobian(a: np.ndarray, part: slice, of: np.ndarray) -> np.ndarray:
        """(runs, 1, rows, outs * P) or (runs, outs, rows, P)."""
        J = _jacobian(copies, a[of, part] if a.ndim > 1 + features else a[part], of)
        return J.reshape(*J.shape[:2], 1, -1).swapaxes(1, 2) if together else J.swapaxes(1, 2)

    block = max(BLOCK // (min(length, max(rows, rows2, 1)) * outs * P), 1)
    with copies.computing():
        for of in (copies.every[i : i + block] for i in range(0, runs, block)):
            for i in range(0, rows, length):
                J = jacobian(first, slice(i, i + length), of)
                for j in range(0 if x2 is not None else i, rows2, length):
                    other = J if x2 is None and i == j else jacobian(second, slice(j, j + length), of)
                    kernel = J @ other.mT
                    found[of[0] : of[-1] + 1, :, i : i + length, j : j + length] = kernel
                    if x2 is None and i != j:
                        found[of[0] : of[-1] + 1, :, j : j + length, i : i + length] = kernel.mT
    return found.reshape(*copies.runs, *(() if together else model.output_shape), rows, rows2)


def _jacobian(copies: Copies, x: np.ndarray, runs: np.ndarray) -> np.ndarray:
    """Of all outputs for each row with respect to all parameters, (runs, rows, outs, P)."""
    outputs = copies.whole.output_shape
    own = x.ndim > 1 + len(copies.whole.input_shape)
    rows, outs, P = x.shape[own], prod(outputs), copies.params.shape[-1]
    found = np.empty((len(runs), rows, outs, P), copies.whole.dtype)
    of, row = np.repeat(np.arange(len(runs)), rows), np.tile(np.arange(rows), len(runs))
    for piece in copies.pieces(len(of)):
        stack, _, _ = copies.at(runs[of[piece]])
        stack.forward(x[of[piece], row[piece]][:, None] if own else x[row[piece]][:, None])
        for o in range(outs):
            dy = np.zeros((len(of[piece]), 1, outs), stack.dtype)
            dy[..., o] = 1
            stack.backward(dy.reshape(-1, 1, *outputs), need_dx=False)
            found[of[piece], row[piece], o] = stack.grads
    return found
