"""The contract of a layer: declare in `setup`, map a batch in `forward`, map its gradient in `backward`.

Arrays are (*runs, batch, *features): `runs` is () for one network and (R,) for a stack of R, and a batch that all runs
share has no runs axis.
"""

from copy import deepcopy
from math import prod
from typing import Any, Self, TypeVar

import numpy as np

from nnframe.components.arrays import as_numbers
from nnframe.components.buffers import IDLE, Work
from nnframe.components.component import Component
from nnframe.components.markers import Size
from nnframe.components.walk import Problems, check
from nnframe.errors import OptionError, ShapeError, UsageError
from nnframe.initializers import Constant, Initializer
from nnframe.layers import layout
from nnframe.streams import Seed
from nnframe.system import blas

L = TypeVar("L", bound="Layer")

KEPT = 3  # input shapes whose working arrays are kept: a full batch, an epoch's last one, and one to spare


class Layer(Component):
    """Base of all layers. A subclass writes `setup` if it has parameters, `forward`, and `backward`.

    `name` keeps the layer's weights and random streams the same wherever it stands in a model. What a layer must remember from
    step to step goes through `add_param`, `add_state` and `add_stream`: nothing else is in a checkpoint, or stays with its run.

    Attributes of a built layer: `params`, `grads` (*runs, P) and `state` (*runs, S), the numbers of this layer and of those
    inside it; a declared parameter `W` and its gradient `dW`, views into them; `runs`, `dtype`, `input_shape`, `output_shape`.
    """

    slot = "layer"
    layers: tuple["Layer", ...] = ()
    product: int = 0  # multiply-adds of the largest matrix product, per row of a batch

    _kept: dict[tuple[int, ...], Any]  # working arrays by input shape
    _work: Any  # those of the last forward
    _specs: dict[str, layout.Spec]  # what `setup` declared: arrays
    _streams: tuple[str, ...] = ()  # and random streams
    _arrays: layout.Arrays  # the numbers of the whole tree
    _path: str  # how Python reaches the layer in it
    _key: str  # names its weights and streams
    _places: dict[str, tuple[str, int, int]]  # where each declared array stands in them,
    _span: dict[str, tuple[int, int]]  # and all numbers of this layer and those inside it
    _views: dict[str, np.ndarray]  # the views that `bind` gave it
    params: np.ndarray
    grads: np.ndarray
    state: np.ndarray
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]

    def __new__(cls) -> Self:
        layer = super().__new__(cls)
        layer._kept, layer._work = {}, IDLE  # not the class's: Python reads an object's own attributes faster
        return layer

    def __init__(self, *, name: str | None = None) -> None:
        if name is not None and (not 0 < len(name) <= 100 or name[0].isdigit() or not name.replace("_", "").replace("-", "").isalnum()):
            raise OptionError(f"expected up to 100 letters, digits, '-' and '_', beginning with a letter, got {name!r:.60}", path="name")
        self.name = name

    # ------------------------------------------------------------------------------------------ what a subclass writes

    def setup(self, features: tuple[int, ...]) -> tuple[int, ...]:
        """Declare parameters and state for inputs of shape `features` (without runs and batch); return the output's shape.

        Raise ShapeError if the shape does not fit.
        """
        return features

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        """Map a batch, (batch, *features) or (R, batch, *features). Never writes into `x`; in training it may return an
        array that the next step overwrites."""
        raise NotImplementedError

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        """Map the loss's gradient with respect to the last `forward`'s output to that of its input, and overwrite the
        parameters' gradients. May overwrite `dy`."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------ what it calls to do so

    def add_param(
        self, name: str, shape: tuple[int, ...], init: Initializer, *, decay: bool = True, fans: tuple[int, int] | None = None
    ) -> None:
        """Declare a trained array: `self.name` (*runs, *shape) and its gradient `self.dname` once built.

        `decay=False` exempts it from weight decay; `fans` (fan_in, fan_out) are those of `shape` as (..., in, out) unless given.
        """
        self._declare(name, layout.Spec("params", tuple(shape), init, decay, fans or (prod(shape[:-1]), shape[-1])))

    def add_state(self, name: str, shape: tuple[int, ...], value: float = 0.0) -> None:
        """Declare an array that is not trained but belongs to the layer, such as a running mean: `self.name` once built."""
        self._declare(name, layout.Spec("state", tuple(shape), Constant(value), False, (1, 1)))

    def add_stream(self, name: str) -> None:
        """Declare a stream of random numbers of the layer's own: `self.name`, a `streams.Stream`, once built."""
        self._streams = (*self._streams, name)

    def _declare(self, name: str, spec: layout.Spec) -> None:
        if name in self._specs or name in ("params", "grads", "state"):
            raise UsageError(f"{type(self).__name__} declares {name!r} twice")
        self._specs[name] = spec

    def work(self, x: np.ndarray, training: bool) -> Any:
        """The working arrays of `buffers` for an input like `x`, also as `self._work`: kept from step to step in training,
        fresh otherwise. Raises ShapeError if `x` is not what the layer was built for.

        In a step of training a layer is mostly given the very array of the step before, `self._work.x`; then a layer in a hot
        path may take `self._work` as it is.
        """
        work = self._kept.get(x.shape) if training else None
        if work is None:
            self._check_input(x)
            work = Work(**self.buffers(x))
            if training:
                self._kept = dict(list(self._kept.items())[1 - KEPT :]) | {x.shape: work}
        work.x = x if training else None
        self._work = work
        return work

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        """Working arrays by name for inputs of x's shape; see `work`."""
        return {}

    def output_like(self, x: np.ndarray, features: tuple[int, ...] | None = None) -> np.ndarray:
        """A new array (*runs, batch, *features) for the batch of `x`; its own features unless others are given."""
        batch = x.shape[-1 - len(self.input_shape)]
        return np.empty((*self.runs, batch, *(self.input_shape if features is None else features)), self.dtype)

    def connect(self, features: tuple[int, ...]) -> tuple[int, ...]:
        """Set the layer up for inputs of shape `features`: what a container calls for each layer inside it, in its own `setup`."""
        self._specs, self._streams = {}, ()
        self.input_shape = features
        try:
            self.output_shape = tuple(self.setup(features))
        except ShapeError as error:
            if not error.path:
                error.message = f"{type(self).__name__} {error.message}"
            raise
        return self.output_shape

    # ------------------------------------------------------------------------------------------ what everyone calls

    def build(self: L, input_shape: int | tuple[int, ...], *, seed: Seed = 0, dtype: Any = "float32") -> L:
        """Lay out and draw all parameters for inputs of `input_shape` (without the batch axis; an int n means (n,)).

        `seed`: an integer makes one network, a list of R integers a stack of R. `dtype`: float32 or float64. Building again
        starts anew. Raises ShapeError, with the layer's place, where shapes do not fit.
        """
        layout.lay_out(self, input_shape, seed, dtype)
        return self

    @property
    def runs(self) -> tuple[int, ...]:
        """() for one network, (R,) for a stack of R."""
        return self._arrays.seeds.runs

    @property
    def dtype(self) -> np.dtype:
        return self._arrays.params.dtype

    @property
    def decayed(self) -> np.ndarray:
        """Which of the P parameters weight decay applies to: (P,) of bool."""
        return self._arrays.decay[slice(*self._span["params"])]

    def predict(self, x: np.ndarray, *, batch_size: int | None = None, blas_threads: int | str = "auto") -> np.ndarray:
        """Outputs for the rows of `x`, (rows, *features), or (R, rows, *features) with rows of its own for each run:
        a new array (*runs, rows, *outputs).

        Rows go through in batches of `batch_size`, by default a number that follows from the layers' shapes.
        """
        layout.verify(self)
        x = self.cast(as_numbers(x, "predict.x"))
        self._check_input(x)
        size, threads = self.evaluation_options("predict", batch_size, blas_threads)
        rows = x.shape[-1 - len(self.input_shape)]
        y = np.empty((*self.runs, rows, *self.output_shape), self.dtype)
        before, after = (slice(None),) * (x.ndim - 1 - len(self.input_shape)), (slice(None),) * len(self.runs)
        with np.errstate(all="ignore"), blas.threads(threads):
            for start in range(0, rows, size):
                batch = slice(start, start + size)
                y[(*after, batch)] = self.forward(x[(*before, batch)])
        return y

    def take(self: L, rows: Any) -> L:
        """A new model of some runs of a stack: an index makes one network, a list, slice or mask makes a smaller stack.

        This one is unchanged. Training goes on as it would have gone without the dropped runs.
        """
        layout.verify(self)
        if not self.runs:
            raise UsageError("take: this is one network; only a stack has runs to take")
        return self._copy(self._arrays.take(rows), rows)

    def astype(self: L, dtype: Any) -> L:
        """A copy with its numbers in another dtype."""
        dtype = layout.floating(dtype)
        copied = self._copy(self._arrays.astype(dtype), ...)
        for _, _, layer in layout.walk(copied):
            layer.bind(self.runs, dtype)
        return copied

    def cast(self, x: Any) -> np.ndarray:
        """`x` as an array that the model can be fed: floating numbers in its dtype, integers as they are."""
        x = np.asarray(x)
        return x.astype(self.dtype, copy=False) if x.dtype.kind == "f" else x

    def largest_product(self) -> int:
        """Multiply-adds per row of a batch of the largest matrix product in the tree."""
        return max(layer.product for _, _, layer in layout.walk(self))

    def evaluation_rows(self) -> int:
        """Rows to evaluate at a time: as many as keep one run's widest layer within 128 KiB, from the shapes of one run alone."""
        widest = max(prod(shape) for _, _, layer in layout.walk(self) for shape in (layer.input_shape, layer.output_shape))
        return int(np.clip(2**17 // (widest * self.dtype.itemsize), 16, 1024))

    def evaluation_options(self, caller: str, batch_size: int | None, blas_threads: int | str) -> tuple[int, int]:
        """Rows at a time and number of BLAS threads. Raises OptionError for what these cannot be."""
        problems = Problems()
        check(Size | None, batch_size, "batch_size", problems)
        check(blas.Threads, blas_threads, "blas_threads", problems)
        if problems:
            raise OptionError(problems[0][1], path=f"{caller}.{problems[0][0]}")
        size = batch_size or self.evaluation_rows()
        return size, blas.resolve(blas_threads, size * self.largest_product())

    def __str__(self) -> str:
        return _table(self) if self.layers else repr(self)

    # ------------------------------------------------------------------------------------------ copies keep views

    def _copy(self: L, arrays: layout.Arrays, rows: Any) -> L:
        copied = deepcopy(self, {id(self._arrays): arrays})
        for _, _, layer in layout.walk(copied):
            layer.take_numbers(rows)
        return copied

    def __getstate__(self) -> dict[str, Any]:
        if hasattr(self, "_views"):
            layout.verify_views(self, self._path or type(self).__name__)
        made_again = {"_views", "_kept", "_work", *getattr(self, "_views", ()), *self._streams}
        return {name: value for name, value in vars(self).items() if name not in made_again}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if "_arrays" in state:
            layout.bind(self)

    def _check_input(self, x: np.ndarray) -> None:
        if not hasattr(self, "_arrays"):
            raise UsageError(f"{type(self).__name__} is not built; call build(input_shape) first")
        features, runs = self.input_shape, self.runs
        axes = x.ndim - len(features)
        if x.shape[axes:] != features or not (axes == 1 or (axes == 2 and runs and x.shape[0] == runs[0])):
            wanted = [f"({', '.join(map(str, (*lead, 'batch', *features)))})" for lead in ([(), runs] if runs else [()])]
            raise ShapeError(f"{type(self).__name__} was built for inputs {' or '.join(wanted)}, got {x.shape}")


def _table(model: Layer) -> str:
    """The layers of a model with their output shapes and numbers of parameters."""
    built = hasattr(model, "_arrays")
    rows = []
    for path, _, layer in layout.walk(model):
        place = path.replace("layers.", "")
        own = sum(prod(spec.shape) for spec in layer._specs.values() if spec.home == "params") if built else 0
        text = type(layer).__name__ if layer.layers else repr(layer)
        if path:
            rows.append(("  " * place.count(".") + place, text, str(layer.output_shape) if built else "", f"{own:,}" if built else ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [f"  {a:<{widths[0]}}  {b:<{widths[1]}}  {c:<{widths[2]}}  {d:>{widths[3]}}".rstrip() for a, b, c, d in rows]
    if not built:
        return "\n".join([f"{type(model).__name__}, not built", *lines])
    stack = f", {model.runs[0]} runs" if model.runs else ""
    head = f"{type(model).__name__}: inputs {model.input_shape}, {model.params.shape[-1]:,} parameters, {model.dtype}{stack}"
    return "\n".join([head, *lines])
