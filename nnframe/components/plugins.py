"""A user's own components: from a file or module named on the command line, or from installed packages.

Nothing that a config says can load a plugin.
"""

import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from hashlib import sha256
from importlib import import_module, util
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from nnframe.components import registry
from nnframe.components.component import Component, register
from nnframe.components.registry import REGISTRY
from nnframe.errors import FileError, NNFrameError

GROUP = "nnframe.plugins"

LOADED: list[dict[str, Any]] = []  # path and hash of each, for the record of a run


def load(name: str) -> None:
    """Import a file `my_layers.py` or a module `my.layers` and register the components that it defines.

    Raises FileError if there is no such file or module, or with the place in it where it fails.
    """
    path = Path(name)
    if path.suffix == ".py" or len(path.parts) > 1:
        if not path.is_file():
            raise FileError(f"--plugin: there is no file {name}")
        if any(plugin["sha256"] == sha256(path.read_bytes()).hexdigest() for plugin in LOADED):
            return  # the very same is loaded already
        module_name = f"nnframe_plugin_{path.stem}"
        spec = util.spec_from_file_location(module_name, path)
        if spec is None or spec.loader is None:
            raise FileError(f"--plugin {name}: expected a Python file, with a name that ends in .py")
        module = sys.modules[module_name] = util.module_from_spec(spec)
        execute = spec.loader.exec_module
        _take_in(lambda: execute(module) or module, f"--plugin {name}", name)
    else:
        found = None
        with suppress(ImportError, ValueError):
            found = util.find_spec(name)
        if found is not None:
            _take_in(lambda: import_module(name), f"--plugin {name}", name)
            return
        raise FileError(f"--plugin: there is neither a file {name}.py to name nor an installed module {name!r}")


@cache
def load_installed() -> None:
    """Import the plugins of installed packages; asked for once a name is unknown, since looking costs time."""
    for entry in entry_points(group=GROUP):
        _take_in(entry.load, f"installed plugin {entry.value}", entry.value)


def _take_in(work: Callable[[], Any], what: str, name: str) -> None:
    """Import a module and register its components. Its own mistakes are told with the line, without our frames around."""
    before = _registered()
    try:
        module = work()
        _register(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever a file does: it may even call sys.exit
        words = str(error) if isinstance(error, NNFrameError) else f"{type(error).__name__}: {getattr(error, 'msg', None) or error}"
        raise FileError(f"{what}: {_place(error, name)}{words.removesuffix(': ')}") from error
    module_name = getattr(module, "__name__", "")
    if _registered() == before and not any(f"{cls.__module__}.".startswith(f"{module_name}.") for cls in before):
        raise FileError(f"{what}: it defines no component, that is, no subclass of nn.Layer, nn.Loss, nn.Optimizer or the like")
    _remember(name, module)


def _registered() -> set[type[Component]]:
    return {cls for known in REGISTRY.values() for cls in known.values()}


def _place(error: BaseException, name: str) -> str:
    """The line of the plugin that an error comes from, if there is one."""
    if isinstance(error, SyntaxError):
        if error.filename:
            return f"{error.filename}:{error.lineno}: "
        return f"{Path(name).absolute()}: " if name.endswith(".py") else ""
    frames = traceback.extract_tb(error.__traceback__)
    stem = Path(name).stem if name.endswith(".py") else name.rpartition(".")[2].partition(":")[0]
    files = [(frame, Path(frame.filename)) for frame in frames]
    own = [frame for frame, file in files if file.stem == stem or (file.stem == "__init__" and file.parent.name == stem)]
    return f"{own[-1].filename}:{own[-1].lineno}: " if own else ""


def _remember(name: str, module: Any) -> None:
    file = getattr(module, "__file__", None)
    LOADED.append({"plugin": name, "path": file, "sha256": sha256(Path(file).read_bytes()).hexdigest() if file else None})


def _register(module: Any) -> None:
    """Register what a plugin defines and has not registered itself: classes of any slot, by their own names."""
    for value in list(vars(module).values()):
        own = isinstance(value, type) and issubclass(value, Component) and value.__module__ == getattr(module, "__name__", None)
        if own and hasattr(value, "slot") and value.__name__[0] != "_" and REGISTRY[value.slot].get(value.__name__) is not value:
            register(value)


registry.find_more = load_installed
