"""Where the numbers of a tree of layers live: one array for parameters, one for gradients, one for state.

This is the one place where views are made. A layer's `W` is a view into `params (*runs, P)`, so an optimizer needs only
two flat arrays, and keeping some runs of a stack means copying a few arrays and making the views again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from nnframe.components.buffers import IDLE
from nnframe.components.wording import shown
from nnframe.errors import OptionError, ShapeError, UsageError
from nnframe.initializers import Initializer
from nnframe.streams import Seeds, Stream, generator
from nnframe.system import npz

if TYPE_CHECKING:
    from nnframe.layers.base import Layer


LARGEST, AXES = 2**40, 60  # numbers and axes of one row: NumPy has 64, of which runs, batch and layers take some


@dataclass(eq=False, repr=False)
class Spec:
    """One declared array of a layer. `home` is "params" or "state"; `fans` are (fan_in, fan_out)."""

    home: str
    shape: tuple[int, ...]
    init: Initializer
    decay: bool
    fans: tuple[int, int]


class Store:
    """All numbers of one tree of layers that have a runs axis: `params` and `grads` (*runs, P), `state` (*runs, S), streams."""

    def __init__(self, seeds: Seeds, dtype: Any, params: int, state: int) -> None:
        self.seeds = seeds
        self.params = np.zeros((*seeds.runs, params), dtype)
        self.grads = np.zeros_like(self.params)
        self.state = np.zeros((*seeds.runs, state), dtype)
        self.decay = np.ones(params, bool)  # which parameters weight decay applies to
        self.streams: dict[str, Stream] = {}

    def take(self, rows: Any) -> "Store":
        """A copy of some runs of a stack. Raises UsageError if there are none, or `rows` takes no runs."""
        try:
            found = self.seeds.values[rows]
        except (IndexError, ValueError, TypeError, OverflowError) as error:
            raise UsageError(f"take: {error}") from None
        if found.ndim > 1:
            raise UsageError(f"take: expected an index, or a list, slice or mask of runs, got rows of {found.ndim} axes")
        if found.size == 0:
            raise UsageError(f"take: the rows are none of the {self.seeds.values.size} runs")
        taken = Store.__new__(Store)
        taken.seeds = self.seeds.take(rows)
        taken.params, taken.grads, taken.state = (np.array(a[rows]) for a in (self.params, self.grads, self.state))
        taken.decay = self.decay
        taken.streams = {name: stream.take(rows) for name, stream in self.streams.items()}
        return taken

    def astype(self, dtype: Any) -> "Store":
        """A copy in another dtype."""
        copied = self.take(...)
        copied.params, copied.grads, copied.state = (a.astype(dtype) for a in (self.params, self.grads, self.state))
        return copied


def floating(dtype: Any) -> np.dtype:
    """float32 or float64. Raises UsageError for anything else."""
    try:
        found = None if dtype is None else np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found not in (np.float32, np.float64):
        raise UsageError(f"expected dtype float32 or float64, got {repr(dtype)[:60] if found is None else found}")
    return found


def lay_out(root: "Layer", input_shape: int | tuple[int, ...], seed: Any, dtype: Any) -> None:
    """Declare, place and draw all parameters and state of `root` and the layers in it, and give each layer its views."""
    dtype = floating(dtype)
    tree, sizes = list(walk(root)), _declared(root, input_shape)
    seeds = Seeds(seed)
    _must_fit(seeds.values.size * (2 * sizes["params"] + sizes["state"]) * dtype.itemsize)
    arrays = Store(seeds, dtype, sizes["params"], sizes["state"])
    ends = dict.fromkeys(HOMES, 0)
    spans: list[dict[str, int]] = []
    for path, key, layer in tree:
        spans.append(dict(ends))
        layer._store, layer._path, layer._key, layer._places = arrays, path, key, {}
        for name, spec in layer._specs.items():
            start, ends[spec.home] = ends[spec.home], ends[spec.home] + prod(spec.shape)
            layer._places[name] = (spec.home, start, ends[spec.home])
            if spec.home == "params":
                arrays.decay[start : ends[spec.home]] = spec.decay
        for name in layer._streams:
            arrays.streams[f"{key}.{name}"] = Stream(arrays.seeds, f"{name}/{key}")
    for i, (path, _, layer) in enumerate(tree):  # a layer's subtree follows it, so its numbers stand in one piece
        after = spans[i + sum(1 for _ in walk(layer))] if i + sum(1 for _ in walk(layer)) < len(tree) else ends
        layer._span = {home: (spans[i][home], after[home]) for home in HOMES}
        bind(layer)
        try:
            layer.bind(arrays.seeds.runs, dtype)
            for name, spec in layer._specs.items():
                with _named_as_option(layer, spec.init):
                    draw(getattr(layer, name), spec, arrays.seeds, f"init/{layer._key}.{name}")
        except OptionError as error:
            raise error.within(path) if path else error from None


def size(root: "Layer", input_shape: int | tuple[int, ...]) -> int:
    """How many numbers `root`, which need not be built, has for inputs of a shape: parameters and state of one run."""
    return sum(_declared(root, input_shape).values())


def _declared(root: "Layer", input_shape: int | tuple[int, ...]) -> dict[str, int]:
    """Have all layers declare their arrays for inputs of a shape. Returns how many numbers these are, by home."""
    root.connect(_features(input_shape))
    specs = [spec for _, _, layer in walk(root) for spec in layer._specs.values()]
    return {home: sum(prod(spec.shape) for spec in specs if spec.home == home) for home in HOMES}


def _features(input_shape: Any) -> tuple[int, ...]:
    """A shape as it was given. Raises ShapeError if it is none, or larger than any array."""
    given = tuple(input_shape) if isinstance(input_shape, (tuple, list)) else (input_shape,)
    whole = all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) for n in given)
    features = tuple(map(int, given)) if whole else (0,)
    if (size := max(abs(prod(features)), *map(abs, features), 1)) > LARGEST:
        raise ShapeError(f"expected an input shape of at most 2**40 numbers, got {shown(size)}")
    if min(features, default=1) < 1:
        raise ShapeError(f"expected an input shape of positive integers, without the batch axis, got {input_shape!r}")
    if len(features) > AXES:
        raise ShapeError(f"expected an input shape of at most {AXES} axes, got {len(features)}")
    return features


def _must_fit(size: int) -> None:
    """Raise UsageError where parameters and gradients would not fit into this machine's memory."""
    memory = npz.memory()
    if size > memory:
        raise UsageError(f"parameters and gradients need {size / 2**30:,.1f} GiB, and this machine has {memory / 2**30:,.1f} GiB of memory")


@contextmanager
def _named_as_option(layer: "Layer", init: Initializer) -> Iterator[None]:
    """An initializer's mistake is told by the option that it stands in: `Dense.init.std`."""
    try:
        yield
    except OptionError as error:
        option = next((name for name, value in layer._options.items() if value is init), type(init).__name__)
        error.path = f"{type(layer).__name__}.{option}.{error.path.partition('.')[2]}"
        raise


HOMES = ("params", "state")


def walk(layer: "Layer", path: str = "", key: str = "") -> Iterator[tuple[str, str, "Layer"]]:
    """(path, key, layer) of a layer and all inside it. A path is how Python reaches it, `layers.2.layers.0`; a key names
    its weights and streams, `2.0`, or begins with the name that a layer was given.

    Raises UsageError if one layer object, or one name, stands at two places.
    """
    seen: dict[Any, str] = {}
    for place, name, found in _walk(layer, path, key):
        for identity, what, at in ((id(found), "layer object", place), (name, f"name {name!r}", f"{place}.name")):
            if identity in seen:
                where = f"stands at {seen[identity] or 'the top'} and at {place}"
                raise UsageError(f"the same {what} {where}; use one for each place", path=at)
            seen[identity] = place
        yield place, name, found


def _walk(layer: "Layer", path: str, key: str) -> Iterator[tuple[str, str, "Layer"]]:
    key = layer.name or key
    yield path, key, layer
    for i, inner in enumerate(layer.layers):
        yield from _walk(inner, f"{path}.layers.{i}" if path else f"layers.{i}", f"{key}.{i}" if key else str(i))


def bind(layer: "Layer") -> None:
    """Give a layer its views into the tree's arrays: by name, and all of its subtree as `params`, `grads`, `state`."""
    store = layer._store
    runs = store.seeds.runs
    layer._views = {}
    for name, (home, start, stop) in layer._places.items():
        shape = (*runs, *layer._specs[name].shape)
        layer._views[name] = getattr(store, home)[..., start:stop].reshape(shape)
        if home == "params":
            layer._views["d" + name] = store.grads[..., start:stop].reshape(shape)
    for home, span in (("params", "params"), ("grads", "params"), ("state", "state")):
        layer._views[home] = getattr(store, home)[..., slice(*layer._span[span])]
    vars(layer).update(layer._views)
    _bind_streams(layer)


def _bind_streams(layer: "Layer") -> None:
    for name in layer._streams:
        setattr(layer, name, layer._store.streams[f"{layer._key}.{name}"])
    layer._kept, layer._w = {}, IDLE  # working arrays are made for a number of runs and streams


def join(part: "Layer", layers: tuple["Layer", ...]) -> None:
    """Give a layer that holds neighbours of one built tree their numbers: no copies, but views of its own into the same arrays."""
    first, last = layers[0], layers[-1]
    part.input_shape, part.output_shape, part._store = first.input_shape, last.output_shape, first._store
    part._specs, part._places = {}, {}
    part._path, part._key = f"{first._path}:{last._path}", ""
    part._span = {home: (first._span[home][0], last._span[home][1]) for home in HOMES}
    bind(part)


def parameters(root: "Layer") -> Iterator[tuple[str, slice, tuple[int, ...]]]:
    """Of every trained array in a built tree: its name in a file of weights, its place in `root.params`, and its shape without runs."""
    start = root._span["params"][0]
    for _, key, layer in walk(root):
        for name, (home, first, last) in layer._places.items():
            if home == "params":
                yield f"{key}.{name}" if key else name, slice(first - start, last - start), layer._specs[name].shape


def put(root: "Layer", rows: Any, taken: "Layer") -> None:
    """Write runs that were taken, and trained since, back to their rows."""
    whole, part = root._store, taken._store
    whole.params[rows], whole.grads[rows], whole.state[rows] = part.params, part.grads, part.state
    own = [f"{layer._key}.{name}" for _, _, layer in walk(root) for name in layer._streams]  # of a part of a model not all
    whole.streams |= {name: whole.streams[name].put(rows, part.streams[name]) for name in own}
    bind_streams(root)


def bind_streams(root: "Layer") -> None:
    """Give each layer the streams that the tree has now."""
    for _, _, layer in walk(root):
        _bind_streams(layer)


def verify(root: "Layer") -> None:
    """Raise UsageError unless the tree is built and every layer still holds the views that it was given."""
    if not hasattr(root, "_store"):
        raise UsageError(f"{type(root).__name__} is not built; call build(input_shape) first")
    for path, _, layer in walk(root):
        where = path or type(layer).__name__
        if getattr(layer, "_store", None) is not root._store:
            raise UsageError(
                "is not part of this build: it was added later, or built again in another model; build this model again", path=where
            )
        verify_views(layer, where)


def verify_views(layer: "Layer", where: str) -> None:
    """Raise UsageError if an array of the layer is no longer the view that it was given."""
    for name, view in layer._views.items():
        if getattr(layer, name) is not view:
            raise UsageError(
                f"was bound to another array, which training would not see; write `layer.{name}[...] = value` instead",
                path=f"{where}.{name}",
            )


def draw(view: np.ndarray, spec: Spec, seeds: Seeds, stream: str) -> None:
    """Fill an array with its starting numbers, one draw a distinct seed."""
    spec.init.bind(seeds.runs, np.float64)  # refuses a list that is not one value per run
    with np.errstate(over="ignore"):
        if any(isinstance(value, tuple) for _, _, value in spec.init._per_run()):
            for run, (row, seed) in enumerate(zip(view, seeds.values, strict=True)):
                row[...] = spec.init.of_run(run).draw(generator(int(seed), stream), spec.shape, spec.fans)
        else:
            drawn = [spec.init.draw(generator(seed, stream), spec.shape, spec.fans) for seed in seeds.distinct]
            view[...] = seeds.spread(np.stack(drawn))
