"""A user's own components: from a file or module named on the command line, or from installed packages.

Nothing that a config says can load a plugin.
"""

import sys
from functools import cache
from hashlib import sha256
from importlib import import_module, util
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from nnframe import component
from nnframe.component import REGISTRY, Component, register
from nnframe.errors import FileError, NNFrameError

GROUP = "nnframe.plugins"

LOADED: list[dict[str, Any]] = []  # path and hash of each, for the record of a run


def load(name: str) -> None:
    """Import a file `my_layers.py` or a module `my.layers` and register the components that it defines.

    Raises FileError if there is no such file or module, and what the plugin itself raises as an NNFrameError.
    """
    path = Path(name)
    if path.suffix == ".py" or len(path.parts) > 1:
        if not path.is_file():
            raise FileError(f"--plugin: there is no file {name}")
        module_name = f"nnframe_plugin_{path.stem}"
        spec = util.spec_from_file_location(module_name, path)
        assert spec is not None and spec.loader is not None
        module = util.module_from_spec(spec)
        sys.modules[module_name] = module
        _run(lambda: spec.loader.exec_module(module), name)
    else:
        if util.find_spec(name.partition(".")[0]) is None:
            raise FileError(f"--plugin: there is neither a file {name}.py to name nor an installed module {name!r}")
        module = _run(lambda: import_module(name), name)
    _register(module)
    _remember(name, module)


@cache
def load_installed() -> None:
    """Import the plugins of installed packages; asked for once a name is unknown, since looking costs time."""
    for entry in entry_points(group=GROUP):
        module = _run(entry.load, entry.value)
        _register(module)
        _remember(entry.value, module)


def _run(work: Any, name: str) -> Any:
    """A plugin's own mistake is the user's to mend: say where it is, without our own frames around it."""
    try:
        return work()
    except NNFrameError:
        raise
    except Exception as error:
        import traceback

        at = traceback.extract_tb(error.__traceback__)[-1]
        raise FileError(f"--plugin {name}: {at.filename}:{at.lineno}: {type(error).__name__}: {error}") from error


def _remember(name: str, module: Any) -> None:
    file = getattr(module, "__file__", None)
    LOADED.append({"plugin": name, "path": file, "sha256": sha256(Path(file).read_bytes()).hexdigest() if file else None})


def _register(module: Any) -> None:
    """Register what a plugin defines and has not registered itself: classes of any slot, by their own names."""
    for value in list(vars(module).values()):
        own = isinstance(value, type) and issubclass(value, Component) and value.__module__ == getattr(module, "__name__", None)
        if own and hasattr(value, "slot") and value.__name__[0] != "_" and REGISTRY[value.slot].get(value.__name__) is not value:
            register(value)


component.find_more = load_installed
