"""Weights of a model in an npz file: every parameter and state array under its layer's key, such as `0.W`."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from os import PathLike
from pathlib import Path

import numpy as np

from nnframe.components.names import nearest
from nnframe.errors import FileError, OptionError, listed
from nnframe.layers import layout
from nnframe.layers.base import Layer
from nnframe.system import npz


@dataclass(frozen=True)
class Start:
    """What a network begins with: of the weights in a run's folder those whose names `match`, such as "0.*" or ["0.W", "2.W"]. The others
    are drawn, as without it."""

    folder: Path
    match: str | tuple[str, ...] = "*"

    @property
    def path(self) -> Path:
        return self.folder / "weights.npz"


def save_weights(model: Layer, path: str | PathLike[str]) -> None:
    """Write all parameters and state of a built model; a stack's have the runs axis first. Raises FileError."""
    layout.verify(model)
    npz.write(Path(path), named(model))


def load_weights(model: Layer, path: str | PathLike[str]) -> None:
    """Read what `save_weights` wrote into a built model of the same layers.

    Names, shapes and dtypes are compared before anything is read or changed. Raises FileError with what differs.
    """
    layout.verify(model)
    path, arrays = Path(path), named(model)
    found = npz.headers(path)
    for name in arrays | found:
        if name not in found:
            raise FileError(f"{path} lacks {name!r} of the model.{nearest(name, found)}")
        if name not in arrays:
            raise FileError(f"{path} has {name!r}, which the model has not.{nearest(name, arrays)}")
        (shape, dtype), array = found[name], arrays[name]
        if (shape, dtype) != (array.shape, array.dtype):
            raise FileError(f"{path}: {name!r}: expected {array.dtype} {array.shape}, as in the model, got {dtype} {shape}")
    for name, values in npz.read(path, arrays).items():
        arrays[name][...] = values


def start_from(model: Layer, start: Start) -> None:
    """Write trained weights into a built model; all runs of a stack get the same, unless the folder's are of as many. Raises OptionError
    for a folder without weights, a pattern that matches none and weights that the model has no place for, FileError for damaged ones."""
    if not start.path.exists():
        what = "has no weights.npz" if start.folder.is_dir() else "is no folder"
        raise OptionError(f"{start.folder} {what}; name the folder of a run that was trained", path="folder")
    arrays, found = named(model), npz.headers(start.path)
    patterns = (start.match,) if isinstance(start.match, str) else start.match
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in found):
            raise OptionError(f"{pattern!r} matches none of the weights of {start.folder}: {listed(list(found))}", path="match")
    names = [name for name in found if any(fnmatchcase(name, pattern) for pattern in patterns)]
    for name in names:
        if name not in arrays:
            told = f"the model has no {name!r}.{nearest(name, arrays)} It has {listed(list(arrays))}; say with match which to take"
            raise OptionError(told, path="match")
        own, theirs = arrays[name].shape, found[name][0]
        if theirs not in (own, own[len(model.runs) :]):
            raise OptionError(f"{name!r} has the shape {theirs} there, and {own[len(model.runs) :]} in the model", path="match")
    for name, values in npz.read(start.path, set(names)).items():
        arrays[name][...] = values


def named(model: Layer) -> dict[str, np.ndarray]:
    """Every parameter and state array by its name in a file."""
    return {f"{key}.{name}" if key else name: getattr(layer, name) for _, key, layer in layout.walk(model) for name in layer._specs}


def get_state(model: Layer) -> dict[str, dict[str, np.ndarray]]:
    """All that a built model holds, as arrays by name: parameters and state under "model", random streams under "stream", and the
    last gradients, which a callback may look at after the epoch."""
    streams = {name: stream.get_state() for name, stream in model._store.streams.items()}
    return {"model": named(model), "gradients": {"all": model.grads}, "stream": streams}


def set_state(model: Layer, parts: dict[str, dict[str, np.ndarray]]) -> None:
    """Put what `get_state` gave back into a model of the same layers and runs."""
    for name, array in named(model).items():
        array[...] = parts["model"][name]
    model.grads[...] = parts["gradients"]["all"]
    for name, stream in model._store.streams.items():
        stream.set_state(parts["stream"][name])
    layout.bind_streams(model)
