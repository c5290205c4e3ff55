"""How many threads BLAS uses: part of a setting, because another number of threads gives other bits."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Annotated, Any, Literal

from nnframe.components.markers import Range

Threads = Literal["auto"] | Annotated[int, Range(min=1, max=4096)]

LARGE = 2**23  # multiply-adds in one product from which a second core pays (measured: 64x784x512 yes, 64x256x256 no)


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Within it, BLAS products use `number` threads, whatever the environment says."""
    with _controller().limit(limits=number, user_api="blas"):
        yield


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
