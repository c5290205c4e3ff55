"""The Hessian of the loss on given data: its products with vectors, its eigenvalues and its trace.

A product is a central difference of gradients in float64, H v = (g(p + h v) - g(p - h v)) / 2h with h |v| = cbrt(eps) (1 + rms(p)), which
balances its error, of order h^2, with that of rounding, eps / h: about 1e-9 of its norm where the loss is smooth, whatever the model's
dtype. Of ReLU and its like it is the Hessian between kinks, and wrong for a row whose kink lies within the step.
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
    for run in hessian.every[hessian.finite()]:  # each goes as many steps as it needs
        found, theirs = hessian.dense(run) if max(P, k) <= DENSE or k == P else hessian.some(run, k, which)
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
    for piece in hessian.copies.pieces(samples, 8 * runs * P):
        drawn = np.stack([np.where(rng.random(P) < 0.5, -1.0, 1.0) for _ in range(samples)[piece]])
        of, v = np.tile(hessian.every, len(drawn)), np.repeat(drawn, runs, 0)
        found[:, piece] = (v * hessian.times(of, v)).sum(-1).reshape(len(drawn), runs).T
    se = found.std(-1, ddof=1) / np.sqrt(np.float64(samples))
    return Trace(found.mean(-1).reshape(model.runs), se.reshape(model.runs))


class _Hessian:
    """That of each run, at its parameters."""

    def __init__(self, caller: str, model: Layer, loss: Loss, data: Any, batch_size: int | None) -> None:
        self.caller = caller
        self.copies = Copies(caller, model, dtype=np.float64).on(loss, data, batch_size=batch_size)
        self.every, self.shape = self.copies.every, self.copies.params.shape

    def times(self, of: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The products of the runs `of` (k,) with v (k, P)."""
        p = self.copies.params[of]
        norm, size = np.sqrt((v * v).sum(-1, keepdims=True)), np.sqrt((p * p).sum(-1, keepdims=True) / p.shape[-1])
        h = STEP * (1 + size) / np.where(norm == 0, 1, norm)
        ahead, behind = np.split(self.gradients(np.concatenate([of, of]), np.concatenate([p + h * v, p - h * v])), 2)
        with np.errstate(all="ignore"):
            return (ahead - behind) / (2 * h)

    def gradients(self, of: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Those of the loss of the runs `of` (k,), with the parameters of `points` (k, P)."""
        found = np.empty_like(points)
        with self.copies.computing():
            for piece in self.copies.pieces(len(of)):
                stack, (loss,), batches = self.copies.at(of[piece])
                stack.params[...] = points[piece]
                total, total_weight = np.zeros_like(points[piece]), np.zeros(1)
                for x, y, weight, rows in batches.epoch(0):
                    loss.forward(stack.forward(x), y, weight)
                    stack.backward(loss.backward(), need_dx=False)
                    its_weight = np.asarray(rows if weight is None else np.add.reduce(weight, -1, np.float64))
                    total += stack.grads * its_weight[..., None]
                    total_weight = total_weight + its_weight
                found[piece] = total / total_weight[..., None]
        return found

    def finite(self) -> np.ndarray:
        """Which runs have a finite gradient, (runs,)."""
        return np.isfinite(self.gradients(self.every, self.copies.params)).all(-1)

    def dense(self, run: int) -> tuple[np.ndarray, np.ndarray]:
        """All eigenvalues and vectors, as the columns of a matrix."""
        P = self.shape[-1]
        H = self.times(np.full(P, run), np.eye(P))
        return np.linalg.eigh((H + H.T) / 2)

    def some(self, run: int, k: int, which: Which) -> tuple[np.ndarray, np.ndarray]:
        """Some of them, by Lanczos's iteration, from a start that is the same for all. Raises UsageError where it does not converge."""
        from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

        P, of = self.shape[-1], np.array([run])
        operator = LinearOperator((P, P), lambda v: self.times(of, v.reshape(1, P))[0], dtype=np.float64)
        kind = {"largest": "LA", "smallest": "SA", "magnitude": "LM"}[which]
        start = generator(0, "eigsh").standard_normal(P)
        try:
            return eigsh(operator, k, which=kind, v0=start, tol=TOLERANCE)
        except ArpackNoConvergence as error:
            told = f"eigsh found {len(error.eigenvalues)} of {k} eigenvalues of run {run}; ask for fewer"
            raise UsageError(told, path=self.caller) from None
