"""Activations and gradients of layers by name, for the time of a `with` block."""

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

import numpy as np

from nnframe.components.names import nearest
from nnframe.components.wording import describe, shown
from nnframe.errors import OptionError, UsageError, listed
from nnframe.layers import layout
from nnframe.layers.base import Layer


class Recorded(dict[str, np.ndarray]):
    """Arrays by a layer's name. Raises UsageError for a layer that is not probed, or has none yet."""

    def __init__(self, names: tuple[str, ...], none: str) -> None:
        super().__init__()
        self._names, self._none = names, none

    def __missing__(self, name: object) -> np.ndarray:
        if name in self._names:
            raise UsageError(f"layer {name!r} {self._none}", path="probe")
        raise UsageError(f"layer {shown(name)} is not probed.{nearest(name, self._names)} Probed: {_told(self._names)}.", path="probe")


class probe:
    """Within `with probe(model, "2", "3.0") as p`, `p.activations["2"]` is the output of that layer's latest forward, and
    `p.gradients["2"]` the loss's gradient with respect to it at the latest backward, whoever calls them: fit, a bare loop, predict.

    Layers are named as in a file of weights, "" is the model itself; unless some are named, all inside are probed. Arrays are copies,
    (*runs, batch, *features), and remain after the block. Evaluations count too, and of predict it is the last batch: for all rows write
    predict(x, batch_size=len(x)). In training, layers before the first one with parameters are asked for no gradient. Nothing is spent
    while nothing is probed.

    A copy of a model is not probed, but what `take` makes of it is: so p follows fit, which goes on with the take of the runs that are left
    when others end; arrays then have the runs of `state.runs`.
    """

    def __init__(self, model: Layer, *names: str) -> None:
        if not isinstance(model, Layer):
            raise OptionError(f"expected {describe(Layer)}, got {shown(model)}", path="probe.model")
        layout.verify(model)
        known = [key for _, key, _ in layout.walk(model)]
        for name in names:
            if not isinstance(name, str) or name not in known:
                hint = f" Write {str(name)!r}." if str(name) in known else nearest(name, known)
                if isinstance(name, (list, tuple)):
                    hint = f" Write probe(model, {', '.join(map(repr, name))}): names one by one."
                raise OptionError(f"there is no layer {shown(name)}.{hint} Layers: {_told(known)}.", path="probe")
        self.names = tuple(dict.fromkeys(names or known[1:] or known))
        self.activations = Recorded(self.names, "has no activation yet: call the model's forward, or fit or predict")
        self.gradients = Recorded(self.names, "has no gradient yet: it has one after a backward that goes through it")
        self._model, self._watched, self._roots = model, WeakSet[Layer](), WeakSet[Layer]()

    def __enter__(self) -> Self:
        if self._watched:
            raise UsageError("this one is in use; make another one", path="probe")
        self._watch(self._model)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for layer in self._watched:
            layer._probed.remove(self)
        self._watched.clear()
        self._roots.clear()

    def _watch(self, model: Layer) -> None:
        self._roots.add(model)
        for _, key, layer in layout.walk(model):
            if layer is model or key in self.names:
                self._watched.add(layer)
                _Probed.of(layer).probes[self] = key


class _Probed:
    """Stands between a layer and whoever calls it."""

    def __init__(self, layer: Layer) -> None:
        self.layer, self.probes = layer, dict[probe, str]()
        self.calls: dict[str, Any] = {name: getattr(layer, name) for name in ("forward", "backward", "take")}
        self.before = {name: value for name, value in vars(layer).items() if name in self.calls}
        vars(layer).update(forward=self.forward, backward=self.backward, take=self.take, _probed=self)

    @classmethod
    def of(cls, layer: Layer) -> "_Probed":
        found: _Probed | None = getattr(layer, "_probed", None)
        return found or cls(layer)

    def __iter__(self) -> Iterator[str]:
        """The attributes that the layer has for now."""
        return iter([*self.calls, "_probed"])

    def remove(self, by: probe) -> None:
        del self.probes[by]
        if not self.probes:
            for name in self:
                del vars(self.layer)[name]
            vars(self.layer).update(self.before)

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        y: np.ndarray = self.calls["forward"](x, training=training)
        for by, name in self.probes.items():
            if name in by.names:
                by.activations[name] = self._copied(y)
        return y

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        for by, name in self.probes.items():
            if name in by.names:
                by.gradients[name] = self._copied(dy)  # before the layer overwrites it
        dx: np.ndarray | None = self.calls["backward"](dy, need_dx=need_dx)
        return dx

    def take(self, rows: Any) -> Layer:
        taken: Layer = self.calls["take"](rows)
        for by in self.probes:
            if self.layer in by._roots:
                by._watch(taken)
        return taken

    def _copied(self, a: np.ndarray) -> np.ndarray:
        """With the runs axis, which what all runs share may lack."""
        rows = a.shape[-1 - len(self.layer.output_shape) :]
        return np.array(np.broadcast_to(a, (*self.layer.runs, *rows)), order="C")


def _told(names: Iterable[str]) -> str:
    return listed([name or "'' (the model itself)" for name in names])
