"""Arrays by name: what layers, losses and optimizers keep from step to step, so that no step makes arrays anew."""

from typing import TYPE_CHECKING, Any

import numpy as np

from nnframe.errors import UsageError

dot = np.ndarray.dot  # np.dot is the same, after a look for overrides that takes as long as a small product
KEPT = 3  # shapes whose working arrays are kept: those of a full batch, of an epoch's last one, and one to spare


class Buffers:
    """Values as attributes. Python reads those of a plain class twice as fast as those of a SimpleNamespace."""

    def __init__(self, **values: Any) -> None:
        vars(self).update(values)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

        def __setattr__(self, name: str, value: Any) -> None: ...


class _Idle(Buffers):
    def __getattr__(self, name: str) -> Any:
        raise UsageError("nothing to go back from; call forward first")


IDLE = _Idle(seen=None)  # stands for working arrays before the first forward


def keep(kept: dict[Any, Buffers], key: Any, made: Buffers) -> None:
    """Remember the latest few working arrays by what they were made for."""
    kept[key] = made
    if len(kept) > KEPT:
        del kept[next(iter(kept))]


def broadcasting(bound: Buffers, runs: tuple[int, ...], axes: int) -> dict[str, Any]:
    """Views of bound numbers, each (*runs, 1), as they broadcast with arrays (*runs, *axes): without any axis for one network,
    which NumPy computes with fastest. What is no such number, an array for each parameter, is as it is."""

    def shaped(number: Any) -> Any:
        if isinstance(number, tuple):
            return tuple(map(shaped, number))
        if number is None or number.shape != (*runs, 1):
            return number
        return number.reshape(*runs, *(1,) * axes) if runs else number.reshape(())

    return {name: shaped(number) for name, number in vars(bound).items()}


def product_of(x: np.ndarray, y: np.ndarray) -> Any:
    """`dot` or `matmul` for the products of a layer that maps rows x to rows y, and of their transposes: the same bytes, and dot takes half
    the time for the small matrices of one network.

    This is the one place where a stack is told from one network. dot wants matrices of one dtype, each in one piece: of others matmul makes
    something else. In a product of single numbers, and so in the sum over one row of one number, dot has another sign of zero.
    """
    matrices = x.ndim == y.ndim == 2 and x.dtype == y.dtype and (x.flags.c_contiguous or x.flags.f_contiguous)
    return dot if matrices and (x.size > 1 or y.size > 1) else np.matmul
