"""How many threads BLAS uses: part of a setting, because another number of threads gives other bits."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock, get_ident
from typing import Annotated, Any, Literal

from nnframe.components.markers import Range
from nnframe.errors import UsageError

Threads = Literal["auto"] | Annotated[int, Range(min=1, max=4096)]

LARGE = 2**23  # multiply-adds in one product from which a second core pays (measured: 64x784x512 yes, 64x256x256 no)


_LOCK = Lock()
_USERS: list[tuple[int, int]] = []  # who is within `threads` now, in the order in which they came: Python thread, number
_BEFORE: list[int] = []  # the numbers that the libraries had before the first of them


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Within it, BLAS products use `number` threads, whatever the environment says.

    The number is one for the whole process: Python threads that compute at the same time must use the same. One that is alone
    may nest another number in its own, as where a callback predicts. Raises UsageError.
    """
    me = get_ident(), number
    with _LOCK:
        if others := {used for thread, used in _USERS if thread != me[0]} - {number}:
            used = max(others)
            raise UsageError(
                f"BLAS uses {used} thread{'s' * (used > 1)} for another Python thread at the moment, so it cannot use {number} for "
                "this one: the number is one for the process, and part of the result; give both the same blas_threads",
                path="blas_threads",
            )
        libraries = _controller().select(user_api="blas").lib_controllers
        if not _USERS:
            _BEFORE[:] = [library.num_threads for library in libraries]
        _USERS.append(me)
        _set(libraries, [number] * len(libraries))
    try:
        yield
    finally:
        with _LOCK:
            del _USERS[len(_USERS) - 1 - _USERS[::-1].index(me)]
            _set(libraries, [_USERS[-1][1]] * len(libraries) if _USERS else _BEFORE)


def _set(libraries: list[Any], numbers: list[int]) -> None:
    for library, number in zip(libraries, numbers, strict=True):
        release = getattr(library, "clear_controlling_thread", lambda force: None)  # or it obeys only the thread that came first
        release(force=True)
        library.set_num_threads(number)
        release(force=True)


def resolve(number: int | str, product: int) -> int:
    """The number of threads that "auto" stands for, when the largest product of one run has `product` multiply-adds."""
    if number != "auto":
        return int(number)
    return cores() if product >= LARGE else 1


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _controller() -> Any:
    """Finding the loaded libraries costs milliseconds, so once a process."""
    import numpy.linalg  # noqa: F401  loads BLAS
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def info() -> list[dict[str, Any]]:
    """The BLAS libraries in use: name, version, architecture."""
    keys = ("internal_api", "version", "architecture", "threading_layer")
    return [{key: library.get(key) for key in keys} for library in _controller().info() if library["user_api"] == "blas"]


@cache
def arithmetic() -> str:
    """What the last digits depend on besides the config, in a line: `NumPy 2.4.6, SciPy 1.16.3, openblas 0.3.31 for Haswell`."""
    from importlib.metadata import version  # slow to import

    libraries = [f"{library['internal_api']} {library['version']} for {library['architecture']}" for library in info()]
    return ", ".join([f"NumPy {version('numpy')}", f"SciPy {version('scipy')}", *libraries])
