"""Layers made of layers."""

from collections.abc import Iterator
from typing import Any, overload

import numpy as np
from numpy import add

from nnframe.components.component import register
from nnframe.errors import OptionError, ShapeError, UsageError
from nnframe.layers import layout
from nnframe.layers.base import Layer


@register
class Sequential(Layer):
    """Layers in a row; itself a layer.

    `model[2]` is a layer of it, `model[:2]` its first two as a model: with the same numbers, so that what is written or trained there is
    written or trained here.
    """

    def __init__(self, *layers: Layer) -> None:
        if not layers:
            raise OptionError("expected at least one layer", path="layers")
        self.layers = layers

    def setup(self, features: tuple[int, ...]) -> tuple[int, ...]:
        for i, layer in enumerate(self.layers):
            try:
                features = layer.connect(features)
            except ShapeError as error:
                raise error.within(f"layers.{i}") from None
        self._chain()
        return features

    def _chain(self) -> None:
        """What follows from its layers, once they are set up."""
        self.product = max(layer.product for layer in self.layers)
        first = next((i for i, layer in enumerate(self.layers) if _trained(layer)), len(self.layers))
        self._back = [(layer, True) for layer in self.layers[::-1]]  # each with whether its input's gradient is needed:
        self._back_to_trained = [(layer, i > first) for i, layer in enumerate(self.layers) if i >= first][::-1]

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    @overload
    def __getitem__(self, place: int) -> Layer: ...

    @overload
    def __getitem__(self, place: slice) -> "Sequential": ...

    def __getitem__(self, place: Any) -> Layer:
        try:
            found = self.layers[place]
        except (TypeError, IndexError):
            raise UsageError(f"expected a layer's number below {len(self)} or a slice such as model[:2], got {place!r:.60}") from None
        if not isinstance(place, slice):
            return found
        if place.indices(len(self))[2] != 1:
            raise UsageError(f"expected layers that follow each other, got a step of {place.step}")
        if not found:
            raise UsageError(f"the slice has none of the {len(self)} layers")
        part = Sequential(*found)
        if hasattr(self, "_store"):
            layout.verify(self)
            layout.join(part, found)
            part._chain()
            part.bind(self.runs, self.dtype)
        return part

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        for layer in self.layers:
            x = layer.forward(x, training=training)
        return x

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        gradient: Any = dy
        for layer, needed in self._back if need_dx else self._back_to_trained:
            gradient = layer.backward(gradient, need_dx=needed)
        return gradient if need_dx else None


@register
class Residual(Sequential):
    """y = x + f(x), where f is the layers in a row; f must keep the shape (He et al. 2016)."""

    def setup(self, features: tuple[int, ...]) -> tuple[int, ...]:
        inner = super().setup(features)
        if inner != features:
            raise ShapeError(f"adds its layers' output to its input; expected them to keep the shape {features}, got {inner}")
        return features

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        return {name: self.output_like(x) for name in ("y", "dy", "dx")}

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        w = self.arrays_for(x, training)
        return add(x, super().forward(x, training=training), w.y)

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        w = self._w
        if not need_dx:
            return super().backward(dy, need_dx=False)
        np.copyto(w.dy, dy)  # a layer inside may overwrite it
        inner: Any = super().backward(dy)
        return add(w.dy, inner, w.dx)


def _trained(layer: Layer) -> bool:
    return any(spec.home == "params" for spec in layer._specs.values()) or any(map(_trained, layer.layers))
