"""The contract of a layer: declare in `setup`, map a batch in `forward`, map its gradient in `backward`.

Arrays are (*runs, batch, *features): `runs` is () for one network and (R,) for a stack of R, and a batch that all runs
share has no runs axis.
"""

from collections.abc import Iterator
from copy import deepcopy
from math import prod
from typing import Annotated, Any, ClassVar, Self, TypeVar

import numpy as np

from nnframe.components.arrays import as_numbers
from nnframe.components.buffers import IDLE, Buffers, broadcasting, keep, product_of
from nnframe.components.component import Component
from nnframe.components.markers import Matches, Size
from nnframe.components.options import field, options
from nnframe.components.tables import as_html
from nnframe.components.walk import Problems, validate
from nnframe.errors import OptionError, ShapeError, UsageError
from nnframe.initializers import Constant, Initializer
from nnframe.layers import layout
from nnframe.streams import Seed
from nnframe.system import blas

L = TypeVar("L", bound="Layer")

LayerName = Annotated[str, Matches(r"[^\W\d][\w-]{0,99}", "up to 100 letters, digits, '-' and '_', beginning with a letter")]


class Layer(Component):
    """Base of all layers. A subclass writes `setup` if it has parameters, `forward`, and `backward`.

    `name` keeps the layer's weights and random streams the same wherever it stands in a model. What a layer must remember from
    step to step goes through `add_param`, `add_state` and `add_stream`: nothing else is in a checkpoint, or stays with its run.

    Working arrays: `w = self.arrays_for(x, training)` in `forward` gives what `buffers` makes, kept from step to step, and every PerRun
    number and what is derived from it, shaped to broadcast with x: `w.p`. `backward` finds the same at `self._w`. `w.x` is the input of the
    last forward, in training or not.

    An output may lack the runs axis where the input does and nothing in the layer differs from run to run. `backward` may be called again
    after the same forward, with another `dy`. Layers among the options are part of the model, as `layers`; `setup` calls `connect` on each.

    Attributes of a built layer: `params`, `grads` (*runs, P) and `state` (*runs, S), the numbers of this layer and of those
    inside it; a declared parameter `W` and its gradient `dW`, views into them; `runs`, `dtype`, `input_shape`, `output_shape`.
    """

    slot = "layer"
    stands_for = {float: "Dense", list: "Sequential"}  # noqa: RUF012  read only
    exact_gradient: ClassVar[bool] = True  # is backward meant to be the derivative of forward?
    folds: ClassVar[bool] = False  # are leading feature axes folded into rows, so that arrays are (*runs, rows, n)?

    name: LayerName | None = field(default=None, kw_only=True)
    layers: tuple["Layer", ...] = field(default=(), init=False)
    # multiply-adds, per row of a batch, of the largest matrix product that is one call; a convolution's are those of one piece of columns
    product: int = field(default=0, init=False)
    params: np.ndarray = field(init=False)
    grads: np.ndarray = field(init=False)
    state: np.ndarray = field(init=False)
    input_shape: tuple[int, ...] = field(init=False)
    output_shape: tuple[int, ...] = field(init=False)

    _kept: dict[Any, Buffers] = field(init=False)  # working arrays by input shape
    _w: Any = field(init=False)  # those of the last forward
    _specs: dict[str, layout.Spec] = field(init=False)  # what `setup` declared: arrays
    _streams: tuple[str, ...] = field(default=(), init=False)  # and random streams
    _store: layout.Store = field(init=False)  # the numbers of the whole tree
    _path: str = field(init=False)  # how Python reaches the layer in it
    _key: str = field(init=False)  # names its weights and streams
    _places: dict[str, tuple[str, int, int]] = field(init=False)  # where each declared array stands in them,
    _span: dict[str, tuple[int, int]] = field(init=False)  # and all numbers of this layer and those inside it
    _views: dict[str, np.ndarray] = field(init=False)  # the views that `bind` gave it
    _probed: Any = field(init=False)  # the attributes that a probe has given it for a while; no copy has them

    def __new__(cls) -> Self:
        layer = super().__new__(cls)
        layer._kept, layer._w = {}, IDLE  # not the class's: Python reads an object's own attributes faster
        return layer

    def _made(self) -> None:
        if "layers" not in vars(self):
            self.layers = tuple(layer for value in self._options.values() for layer in _layers(value))

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

    def add_state(self, name: str, shape: tuple[int, ...] = (), init: float | Initializer = 0.0) -> None:  # type: ignore[override]
        """Declare an array that is not trained but remembered, such as a running mean: `self.name` (*runs, *shape) once built."""
        start = init if isinstance(init, Initializer) else Constant(init)
        self._declare(name, layout.Spec("state", tuple(shape), start, False, (prod(shape[:-1]), shape[-1] if shape else 1)))

    def add_stream(self, name: str) -> None:
        """Declare a stream of random numbers of the layer's own: `self.name`, a `streams.Stream`, once built."""
        self._streams = (*self._streams, name)

    def _declare(self, name: str, spec: layout.Spec) -> None:
        taken = {*self._specs, *(f"d{other}" for other in self._specs)}
        if name in taken or f"d{name}" in taken:
            raise UsageError(f"{type(self).__name__} declares {name!r} twice")
        if name in options(type(self)) or hasattr(type(self), name) or any(name in vars(base).get("_declared", ()) for base in _BASES):
            raise UsageError(f"{type(self).__name__} declares {name!r}, which is the name of something that it has; choose another one")
        self._specs[name] = spec

    def arrays_for(self, x: np.ndarray, training: bool) -> Any:
        """The working arrays of `buffers` for an input like `x`, with the PerRun numbers, also as `self._w`: kept from step to step in
        training, fresh otherwise. Raises ShapeError if `x` is not what the layer was built for.

        In a step of training a layer is mostly given the very array of the step before, `self._w.seen`; then a layer in a hot
        path may take `self._w` as it is.
        """
        w: Any = self._kept.get(x.shape) if training else None
        if w is None:
            self._check_input(x)
            numbers = broadcasting(self.bound, self.runs, 2 if self.folds else 1 + len(self.input_shape))
            made = self.buffers(x)
            if taken := numbers.keys() & made.keys() or numbers.keys() & {"x", "seen"}:
                raise UsageError(f"{type(self).__name__}: {min(taken)!r} names a working array and a number; rename one of them")
            w = Buffers(**numbers, **made)
            if training:
                keep(self._kept, x.shape, w)
        w.x, w.seen = x, x if training else None
        self._w = w
        return w

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        """Working arrays by name for inputs of x's shape; see `arrays_for`."""
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

    def bind(self, runs: tuple[int, ...], dtype: Any) -> None:
        super().bind(runs, dtype)
        self._kept, self._w = {}, IDLE

    def _remembered(self) -> dict[str, np.ndarray]:
        return {}  # its arrays stand in the model's flat ones

    @property
    def runs(self) -> tuple[int, ...]:
        """() for one network, (R,) for a stack of R."""
        return self._store.seeds.runs

    @property
    def dtype(self) -> np.dtype:
        return self._store.params.dtype

    @property
    def decayed(self) -> np.ndarray:
        """Which of the P parameters weight decay applies to: (P,) of bool."""
        return self._store.decay[slice(*self._span["params"])]

    def slices(self) -> dict[str, slice]:
        """Where each parameter stands in the flat vectors: `model.params[..., model.slices()["0.W"]]`; names as in a file of weights."""
        layout.verify(self)
        return {name: place for name, place, _ in layout.parameters(self)}

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
        return self._taken(rows)

    def astype(self: L, dtype: Any) -> L:
        """A copy with its numbers in another dtype."""
        dtype = layout.floating(dtype)
        copied = self._copy(self._store.astype(dtype), ...)
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
        validate(Size | None, batch_size, "batch_size", problems)
        validate(blas.Threads, blas_threads, "blas_threads", problems)
        if problems:
            raise OptionError(problems[0][1], path=f"{caller}.{problems[0][0]}")
        size = batch_size or self.evaluation_rows()
        return size, blas.resolve(blas_threads, size * self.largest_product())

    def __str__(self) -> str:
        return _summary(self) if self.layers else repr(self)

    def summary(self) -> None:
        """Print the layers with their output shapes and numbers of parameters."""
        print(_summary(self))

    def _repr_html_(self) -> str:
        total = ["", "in all", "", f"{self.params.shape[-1]:,}"] if hasattr(self, "_store") else []
        return as_html(_headline(self), ["", "layer", "output", "parameters"], _rows(self), foot=total)

    # ------------------------------------------------------------------------------------------ copies keep views

    def _taken(self: L, rows: Any) -> L:
        """What `take` makes, and of one network for None a stack of one; no probe follows it."""
        return self._copy(self._store.take(rows), rows)

    def _copy(self: L, store: layout.Store, rows: Any) -> L:
        memo: dict[int, Any] = {id(self._store): store}
        for _, _, layer in layout.walk(self):
            memo |= layer.taken(rows)
        return deepcopy(self, memo)

    def __getstate__(self) -> dict[str, Any]:
        if hasattr(self, "_views"):
            layout.verify_views(self, self._path or type(self).__name__)
        made_again = {"_views", "_kept", "_w", *getattr(self, "_views", ()), *self._streams, *getattr(self, "_probed", ())}
        return {name: value for name, value in vars(self).items() if name not in made_again}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if "_store" in state:
            layout.bind(self)

    def _check_input(self, x: np.ndarray) -> None:
        if not hasattr(self, "_store"):
            raise UsageError(f"{type(self).__name__} is not built; call build(input_shape) first")
        features, runs = self.input_shape, self.runs
        axes = x.ndim - len(features)
        if x.shape[axes:] != features or not (axes == 1 or (axes == 2 and runs and x.shape[0] == runs[0])):
            wanted = [f"({', '.join(map(str, (*lead, 'batch', *features)))})" for lead in ([(), runs] if runs else [()])]
            raise ShapeError(f"{type(self).__name__} was built for inputs {' or '.join(wanted)}, got {x.shape}")


class Folding(Layer):
    """Base of layers that see the last axis alone: leading feature axes are folded into rows, (*runs, batch, ..., n) to (*runs, rows, n).

    A subclass writes `forward_rows` and `backward_rows`, which fill `w.y` and `w.dx`, (*runs, rows, n): `w.rows` is the folded input,
    `w.rows_T` its transpose, and `w.product` the fastest matrix product for them.
    """

    folds = True

    def forward_rows(self, w: Any, training: bool) -> None:
        """Fill `w.y` from `w.rows`."""
        raise NotImplementedError

    def backward_rows(self, w: Any, dy: np.ndarray, need_dx: bool) -> None:
        """Fill the parameters' gradients, and `w.dx` if it is needed, from `dy` (*runs, rows, n)."""
        raise NotImplementedError

    def setup(self, features: tuple[int, ...]) -> tuple[int, ...]:
        if not features:
            raise ShapeError("expects inputs (..., n), got single numbers")
        return features

    def buffers(self, x: np.ndarray) -> dict[str, Any]:
        axes = len(self.input_shape)
        lead = x.shape[-1 - axes : -1]  # batch, ...
        rows = prod(lead)
        fold = None if axes == 1 else (*x.shape[: -1 - axes], rows, x.shape[-1])
        y, dx = (np.empty((*self.runs, rows, n), self.dtype) for n in (self.output_shape[-1], x.shape[-1]))
        return {
            "y": y,
            "dx": dx,
            "dy": None,
            "x_dtype": x.dtype,
            "fastest": product_of(x if fold is None else x.reshape(fold), y),
            "ones": np.ones((1, rows), self.dtype),  # sums over rows are products with it: several times faster than np.sum
            "several": rows > 1,
            "fold": fold,
            "unfolded": tuple(a.reshape(*self.runs, *lead, a.shape[-1]) for a in (y, dx)),
        }

    def arrays_for(self, x: np.ndarray, training: bool) -> Any:
        w = Layer.arrays_for(self, x, training)  # super() takes as long as the rest, and the first layer has another x in every step
        rows = w.rows = x if w.fold is None else x.reshape(w.fold)
        if rows is not x:
            w.seen = None  # the rows may be a copy
        w.rows_T = rows.mT
        w.product = w.fastest if rows.flags.c_contiguous and rows.dtype is w.x_dtype else np.matmul
        return w

    def forward(self, x: np.ndarray, *, training: bool = False) -> np.ndarray:
        w = self._w
        if not training or x is not w.seen:
            w = self.arrays_for(x, training)
        self.forward_rows(w, training)
        return w.unfolded[0]

    def backward(self, dy: np.ndarray, *, need_dx: bool = True) -> np.ndarray | None:
        w = self._w
        if dy is not w.dy:
            rows = np.ascontiguousarray(dy, w.y.dtype).reshape(w.y.shape)  # a view of dy, or a copy of it
            w.dy, w.dy_rows = (dy if np.may_share_memory(rows, dy) else None), rows
        self.backward_rows(w, w.dy_rows, need_dx)
        return w.unfolded[1] if need_dx else None


_BASES = (Layer, Component)


def _layers(value: Any) -> Iterator[Layer]:
    """The layers in an option's value."""
    if isinstance(value, Layer):
        yield value
    elif isinstance(value, (tuple, dict)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _layers(inner)


def _summary(model: Layer) -> str:
    """The layers of a model with their output shapes and numbers of parameters."""
    rows = _rows(model)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [f"  {a:<{widths[0]}}  {b:<{widths[1]}}  {c:<{widths[2]}}  {d:>{widths[3]}}".rstrip() for a, b, c, d in rows]
    return "\n".join([_headline(model), *lines])


def _headline(model: Layer) -> str:
    if not hasattr(model, "_store"):
        return f"{type(model).__name__}, not built"
    stack = f", {model.runs[0]} runs" if model.runs else ""
    return f"{type(model).__name__}: inputs {model.input_shape}, {model.params.shape[-1]:,} parameters, {model.dtype}{stack}"


def _rows(model: Layer) -> list[list[str]]:
    """Place, kind, output shape and number of parameters of each layer; the last two empty before `build`."""
    built, rows = hasattr(model, "_store"), []
    for path, _, layer in layout.walk(model):
        if path or not model.layers:
            place = path.replace("layers.", "")
            text = type(layer).__name__ if layer.layers else repr(layer)
            own = sum(prod(spec.shape) for spec in layer._specs.values() if spec.home == "params") if built else 0
            numbers = [str(layer.output_shape), f"{own:,}"] if built else ["", ""]
            rows.append(["  " * place.count(".") + place, text, *numbers])
    return rows
