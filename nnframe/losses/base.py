"""Losses. The mean over the batch is taken here and nowhere else: sum of w l over sum of w, where l is a row's mean loss.

`forward(pred, target, weight=None)` gives one number per run, (*runs,); `backward()` its gradient, (*runs, batch, *outputs).
Classification losses take logits. Targets and weights (batch,) may have a runs axis or be shared by all runs.
"""

from typing import Any, ClassVar, Literal, Self, TypeVar

import numpy as np
from numpy import add

from nnframe.components.buffers import Buffers, broadcasting, keep
from nnframe.components.component import Component
from nnframe.components.options import field
from nnframe.errors import ShapeError, UsageError

L = TypeVar("L", bound="Loss")


Shape = tuple[int, ...]


class Loss(Component):
    """Base of all losses. A subclass writes `elements` and `gradient`.

    `build` fixes how many axes are outputs, so that no shape is guessed; a loss that was not built takes predictions
    (*runs, batch, outputs). One that was not bound binds itself at its first forward. Named as a metric, a loss is logged over the epoch.
    """

    slot = "loss"
    slope: ClassVar[float] = 1.0  # a constant factor of the gradient, taken together with the mean
    takes_classes: ClassVar[bool] = False  # are integer targets the numbers of classes?
    reads_as: ClassVar[Literal["numbers", "classes", "binary"]] = "numbers"  # what is read: "classes" has a probability for each along
    # the last axis, "binary" one in each output
    outputs: Shape | None = field(default=None, init=False)
    _kept: dict[Any, Buffers] = field(init=False)
    _w: Any = field(init=False)  # what the last forward left for backward
    _trusted: bool = field(init=False)  # all targets were checked by `build`
    _binds_itself: bool = field(init=False)  # nobody else has bound it

    def __new__(cls) -> Self:
        loss = super().__new__(cls)
        loss._kept, loss._w, loss._trusted, loss._binds_itself = {}, None, False, True  # not the class's: Python reads these faster
        return loss

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        if "readout" in vars(cls) and "averaged" not in vars(cls):  # what it inherits goes with another readout
            cls.averaged = _not_averaged  # type: ignore[assignment]

    # ------------------------------------------------------------------------------------------ what a subclass writes

    def elements(self, w: Buffers, pred: np.ndarray, target: np.ndarray) -> None:
        """Fill `w.elements`, shaped `element_shape`: the loss of a row is the mean of its elements. `w.a` and `w.b`, shaped
        like pred, are free for what `gradient` will need; a PerRun option `x` stands at `w.x`, and broadcasts with pred."""
        raise NotImplementedError

    def gradient(self, w: Buffers, out: np.ndarray) -> None:
        """Fill `out` (*runs, batch, *outputs) with `w.share` times the elements' derivatives with respect to pred, less `slope`."""
        raise NotImplementedError

    def element_shape(self, pred_shape: Shape) -> Shape:
        return pred_shape

    def target_row(self, outputs: Shape, integers: bool) -> Shape:
        """The shape of one row's target."""
        return outputs

    def check_target(self, target: np.ndarray, outputs: Shape) -> None:
        """Raise DataError unless all targets are values that this loss is defined for."""

    def readout(self, pred: np.ndarray) -> np.ndarray:
        """What a person reads from the model's outputs: probabilities where they are logits. Who overrides it writes `averaged` too."""
        return pred

    def averaged(self, pred: np.ndarray) -> np.ndarray:
        """The outputs of one network that stands for several, so that what is read from it is the mean of what is read from each:
        pred (members, batch, *outputs) to (batch, *outputs)."""
        return add.reduce(pred, 0) / pred.dtype.type(len(pred))

    # ------------------------------------------------------------------------------------------ what everyone calls

    def build(self: L, outputs: Shape, target: np.ndarray | None = None) -> L:
        """Fix the shape of the predictions' outputs, without runs and batch. `target`: all targets that will come, checked
        now and not again. Raises ShapeError or DataError, with what was expected."""
        self.outputs, self._kept, self._trusted = tuple(outputs), {}, target is not None
        if target is not None:
            self.target_runs(target, self.outputs)
            self.check_target(target, self.outputs)
        return self

    def bind(self, runs: Shape, dtype: Any) -> None:
        super().bind(runs, dtype)
        self._kept, self._w, self._binds_itself = {}, None, False

    def forward(self, pred: np.ndarray, target: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
        w = self._w
        if w is None or pred is not w.pred or target.shape != w.target_shape or target.dtype is not w.target_dtype:
            w = self._kept.get((pred.shape, target.shape, pred.dtype, target.dtype)) or self._arrays_for(pred, target)
            w.pred, self._w = pred, w
        if not self._trusted:
            self.check_target(target, w.outputs)
        self.elements(w, pred, target)
        if weight is None:
            w.share = w.equal
            return (add.reduce(w.flat, -1) if w.single is None else w.single[()]) / w.count
        if weight.shape not in w.weights:
            raise ShapeError(f"{type(self).__name__}: predictions {pred.shape} do not go with weights {weight.shape}")
        total = add.reduce(weight, -1, out=None, keepdims=True)
        share = weight / (total + (total == 0))  # rows that all weigh nothing have a loss of 0
        w.share = (share * w.slope)[(..., *(None,) * len(w.outputs))]
        return add.reduce(add.reduce(w.by_row, -1) * share, -1) / w.m

    def backward(self) -> np.ndarray:
        w = self._w
        if w is None:
            raise UsageError(f"{type(self).__name__}: nothing to go back from; call forward(pred, target) first")
        self.gradient(w, w.dpred)
        return w.dpred

    def _arrays_for(self, pred: np.ndarray, target: np.ndarray) -> Buffers:
        axes = 1 if self.outputs is None else len(self.outputs)
        runs, outputs = pred.shape[: -1 - axes], pred.shape[pred.ndim - axes :]
        if len(runs) > 1 or pred.ndim <= axes or self.outputs not in (None, outputs):
            wanted = _rows(self.outputs or ("outputs",))
            raise ShapeError(f"{type(self).__name__} expected predictions {wanted}, got {pred.shape}")
        batch, own = pred.shape[len(runs)], self.target_runs(target, outputs)
        if own not in ((), runs) and own == (batch,):
            raise self._wrong_target(target, outputs)
        if own not in ((), runs) or target.shape[len(own)] != batch:
            raise ShapeError(f"{type(self).__name__}: predictions {pred.shape} do not go with targets {target.shape}")
        if self._binds_itself or not hasattr(self, "bound"):
            kept = self._kept
            self.bind(runs, pred.dtype)
            self._kept, self._binds_itself = ({} if vars(self.bound) else kept), True
        dtype, elements = pred.dtype.type, np.empty(self.element_shape(pred.shape), pred.dtype)
        by_row = elements.reshape(*runs, batch, -1)
        m = by_row.shape[-1]
        made: dict[str, Any] = dict(
            outputs=outputs,
            target_shape=target.shape,
            target_dtype=target.dtype,
            elements=elements,
            weights=((batch,), (*runs, batch)),
            by_row=by_row,
            flat=elements.reshape(*runs, -1),
            single=elements.reshape(runs) if batch * m == 1 else None,  # a sum of one number is that number
            m=dtype(m),
            count=dtype(batch * m),
            slope=dtype(self.slope / m),
            equal=np.full((), self.slope / (batch * m), dtype),
            dpred=np.empty(pred.shape, dtype),
            a=np.empty(pred.shape, dtype),
            b=np.empty(pred.shape, dtype),
        )
        numbers = broadcasting(self.bound, runs, 1 + len(outputs))
        if taken := numbers.keys() & {*made, "pred", "share"}:
            raise UsageError(f"{type(self).__name__}: {min(taken)!r} names a working array and a number; rename one of them")
        w = Buffers(**numbers, **made)
        keep(self._kept, (pred.shape, target.shape, pred.dtype, target.dtype), w)
        return w

    def target_runs(self, target: np.ndarray, outputs: Shape) -> Shape:
        """The runs axis of targets, () or (R,). Raises ShapeError if they cannot meet the predictions: nothing is broadcast."""
        row = self.target_row(outputs, target.dtype.kind in "iu")
        runs = target.shape[: max(target.ndim - len(row) - 1, 0)]
        if target.ndim <= len(row) or len(runs) > 1 or target.shape[len(runs) + 1 :] != row:
            raise self._wrong_target(target, outputs)
        return runs

    def _wrong_target(self, target: np.ndarray, outputs: Shape) -> ShapeError:
        integers = target.dtype.kind in "iu"
        wanted = {_rows(self.target_row(outputs, False)): "", _rows(self.target_row(outputs, True)): " of integers"}
        several = len(wanted) > 1
        expected = " or ".join(shape + kind * several for shape, kind in wanted.items())
        kind = f" of {'integers' if integers else target.dtype}" * several
        column = "; write y[:, None] to make it a column" if target.ndim == 1 and self.target_row(outputs, integers) == (1,) else ""
        return ShapeError(f"{type(self).__name__} of outputs {outputs} expected targets {expected}, got {target.shape}{kind}{column}")

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_kept", "_w")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _kept={}, _w=None)


def _not_averaged(loss: Loss, pred: np.ndarray) -> np.ndarray:
    name = type(loss).__name__
    told = f"{name} writes its own `readout`, so it must say which outputs stand for several networks; write `averaged` in {name} too"
    raise UsageError(told)


def _rows(shape: tuple[Any, ...]) -> str:
    return f"({', '.join(map(str, ('batch', *shape)))}{'' if shape else ','})"
