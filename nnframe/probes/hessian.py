"""The Hessian of the loss on given data: its products with vectors, its eigenvalues and its trace.

A product is a central difference of gradients in float64, H v = (g(p + h v) - g(p - h v)) / 2h with h |v| = cbrt(eps) (1 + rms(p)), which
balances its error, of order h^2, with that of rounding, eps / h: about 1e-9 of its norm. Of ReLU and its like it is the Hessian between
kinks: a batch with a kink within the step, where the three gradients are on no line, is tried again with smaller ones.
"""

from typing import Annotated, Any, Literal, NamedTuple

import numpy as np

from nnframe.components.arrays import as_numbers
from nnframe.components.markers import Range, Size
from nnframe.errors import DataError, OptionError, ShapeError, UsageError
from nnframe.layers.base import Layer
from nnframe.losses.base import Loss
from nnframe.probes.copies import Copies, checked, room_for
from nnframe.streams import generator

STEP = np.cbrt(np.finfo(np.float64).eps)
SMALLER, STRAIGHT = (0.1, 0.01, 1e-3), 1e-3  # steps to try where gradients are no such line: h^2 then is 1e-9 of it, but at a kink
ROWS = 256  # to go through at a time, at least: each batch has its work with all parameters
DENSE = 128  # parameters up to which the whole matrix costs little more than a few eigenvalues
TOLERANCE = 1e-10  # of eigsh, relative to an eigenvalue: products are not more exact

OneSeed = Annotated[int, Range(min=0, max=2**63 - 1)]
Which = Literal["largest", "smallest", "magnitude"]


class Eigen(NamedTuple):
    """Eigenvalues (*runs, k), the first one being what was asked for most, and their eigenvectors of length 1, (*runs, k, P)."""

    values: np.ndarray
    vectors: np.ndarray


class Trace(NamedTuple):
    """An estimate (*runs,) and its standard error (*runs,)."""

    value: np.ndarray
    se: np.ndarray


def hessian_vector_product(model: Layer, loss: Loss, data: Any, v: Any, *, batch_size: int | None = None) -> np.ndarray:
    """H v, (*runs, P) in float64, where H is the matrix of second derivatives of the loss on all of the data.

    data: as for fit. v: (*runs, P), or (P,) shared by all runs. batch_size: rows at a time; by default it follows from the layers' shapes.
    In evaluation mode: no Dropout, and BatchNorm with its running mean and variance. Of the loss alone, without weight decay.
    """
    hessian = _Hessian("hessian_vector_product", model, loss, data, batch_size)
    array = as_numbers(v, f"{hessian.caller}.v").astype(np.float64)
    if array.shape not in (hessian.shape[-1:], model.params.shape):
        wanted = " or ".join(str(shape) for shape in dict.fromkeys([model.params.shape, hessian.shape[-1:]]))
        raise ShapeError(f"expected {wanted}, got {array.shape}", path=f"{hessian.caller}.v")
    if not np.isfinite(array).all():
        raise DataError("expected finite numbers", path=f"{hessian.caller}.v")
    return hessian.times(hessian.every, np.broadcast_to(array, hessian.shape)).reshape(model.params.shape)


def hessian_eigenvalues(
    model: Layer, loss: Loss, data: Any, k: int = 5, *, which: Which = "largest", batch_size: int | None = None
) -> Eigen:
    """The k largest, smallest (most negative), or largest in magnitude of the eigenvalues of the loss's Hessian, for each run.

    By SciPy's eigsh from Hessian-vector products, or from the whole matrix where there are few parameters. NaN for a run whose gradient is
    not finite. data, batch_size: as for `hessian_vector_product`. An eigenvector's largest entry is positive.
    """
    hessian = _Hessian("hessian_eigenvalues", model, loss, data, batch_size)
    checked(hessian.caller, k=(Size, k), which=(Which, which))
    P = hessian.shape[-1]
    if k > P:
        raise OptionError(f"expected at most {P}, the number of parameters, got {k}", path=f"{hessian.caller}.k")
    values, vectors = np.full((len(hessian.every), k), np.nan), room_for(hessian.caller, (len(hessian.every), k, P), np.float64)
    vectors.fill(np.nan)
    finite = np.isfinite(hessian.times(hessian.every, np.broadcast_to(hessian.start, hessian.shape))).all(-1)
    for run in hessian.every[finite]:  # each goes as many steps as it needs
        with hessian.copies.computing():
            found, theirs = hessian.dense(run) if P <= DENSE or k == P else hessian.some(run, k, which)
        order = np.argsort({"largest": -found, "smallest": found, "magnitude": -abs(found)}[which], kind="stable")[:k]
        signs = np.sign(theirs[abs(theirs).argmax(0), range(len(found))])
        values[run], vectors[run] = found[order], (theirs * signs).T[order]
    return Eigen(values.reshape(*model.runs, k), vectors.reshape(*model.runs, k, P))


def hessian_trace(model: Layer, loss: Loss, data: Any, *, samples: int = 100, seed: int = 0, batch_size: int | None = None) -> Trace:
    """Hutchinson's estimate of the trace of the loss's Hessian, the mean of v H v over random vectors v of 1 and -1 (Hutchinson 1990).

    All runs have the same vectors, those of the stream "hutchinson" of `seed`. data, batch_size: as for `hessian_vector_product`.
    """
    hessian = _Hessian("hessian_trace", model, loss, data, batch_size)
    samples, seed = checked(hessian.caller, samples=(Annotated[int, Range(min=2, max=2**31)], samples), seed=(OneSeed, seed))
    runs, P = hessian.shape
    rng, found = generator(seed, "hutchinson"), np.empty((runs, samples))
    for piece in hessian.copies.pieces(samples, 3 * runs):
        drawn = np.stack([np.where(rng.random(P) < 0.5, -1.0, 1.0) for _ in range(samples)[piece]])
        of, v = np.tile(hessian.every, len(drawn)), np.repeat(drawn, runs, 0)
        found[:, piece] = (v * hessian.times(of, v)).sum(-1).reshape(len(drawn), runs).T
    se = found.std(-1, ddof=1) / np.sqrt(np.float64(samples))
    return Trace(found.mean(-1).reshape(model.runs), se.reshape(model.runs))


class _Hessian:
    """That of each run, at its parameters."""

    def __init__(self, caller: str, model: Layer, loss: Loss, data: Any, batch_size: int | None) -> None:
        self.caller = caller
        copies = Copies(caller, model, dtype=np.float64)
        rows = max(copies.whole.evaluation_rows(), ROWS) if batch_size is None else batch_size
        self.copies = copies.on(loss, data, batch_size=rows)
        self.every, self.shape = self.copies.every, self.copies.params.shape
        self.start = generator(0, "eigsh").standard_normal(self.shape[-1])

    def times(self, of: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The products of the runs `of` (k,) with v (k, P)."""
        p, size = self.copies.params[of], abs(v).max(-1, keepdims=True)
        v = v / (size + (size == 0))  # so that no square of it overflows
        found = np.empty_like(p)
        with self.copies.computing():
            norm = _norm(v)
            h = STEP * (1 + _norm(p) / np.sqrt(np.float64(p.shape[-1]))) / (norm + (norm == 0))
            for piece in self.copies.pieces(len(of), 3):
                found[piece] = self._times(of[piece], p[piece], v[piece], h[piece]) * size[piece]
        return found

    def _times(self, of: np.ndarray, p: np.ndarray, v: np.ndarray, h: np.ndarray) -> np.ndarray:
        """The same with steps h (k, 1), batch by batch, by a stack of three copies of each run."""
        stack, (loss,), batches = self.copies.at(np.tile(of, 3))
        total, total_weight = np.zeros_like(p), np.zeros((1, 1))
        for *batch, rows in batches.epoch(0):
            product, bend = _difference(stack, loss, batch, p, v, h)
            for smaller in SMALLER:
                if not (bent := bend > STRAIGHT).any():
                    break
                another, its_bend = _difference(stack, loss, batch, p, v, smaller * h)
                better = bent & (its_bend < bend)
                product[better], bend[better] = another[better], its_bend[better]
            weight = batch[2]
            its_weight = np.atleast_1d(rows if weight is None else np.add.reduce(weight, -1, np.float64))[: len(of), None]
            total += product * its_weight
            total_weight = total_weight + its_weight
        return total / total_weight

    def dense(self, run: int) -> tuple[np.ndarray, np.ndarray]:
        """All eigenvalues and vectors, as the columns of a matrix."""
        P = self.shape[-1]
        H = self.times(np.full(P, run), np.eye(P))
        return np.linalg.eigh((H + H.T) / 2)

    def some(self, run: int, k: int, which: Which) -> tuple[np.ndarray, np.ndarray]:
        """Some of them, by Lanczos's iteration, from a start that is the same for all. Raises UsageError where it does not converge."""
        from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

        P, of = self.shape[-1], np.array([run])
        operator = LinearOperator((P, P), lambda v: self.times(of, v.reshape(1, P))[0], dtype=np.float64)
        if not operator(self.start).any():
            return np.zeros(k), np.eye(P, k)  # a matrix of zeros, which eigsh refuses
        kind = {"largest": "LA", "smallest": "SA", "magnitude": "LM"}[which]
        try:
            return eigsh(operator, k, which=kind, v0=self.start, tol=TOLERANCE)
        except ArpackError as error:
            raise UsageError(f"run {run}: eigsh did not find {k} eigenvalues ({error}); ask for fewer", path=self.caller) from None


def _difference(stack: Layer, loss: Loss, batch: list[Any], p: np.ndarray, v: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """H v (k, P) on a batch, from gradients one step back, here and one ahead; and how far they are from a line, (k,)."""
    x, y, weight = batch
    stack.params[...] = np.concatenate([p - h * v, p, p + h * v])
    loss.forward(stack.forward(x), y, weight)
    stack.backward(loss.backward(), need_dx=False)
    behind, here, ahead = np.split(stack.grads, 3)
    rise = ahead - behind
    return rise / (2 * h), (_norm(ahead + behind - 2 * here) / _norm(rise))[:, 0]


def _norm(a: np.ndarray) -> np.ndarray:
    """Of each row, (k, 1)."""
    return np.sqrt((a * a).sum(-1, keepdims=True))
