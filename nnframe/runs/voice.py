"""How a person hears of what went wrong, and of the folder at the end: on a terminal, or as warnings of Python."""

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

INNER = {"nnframe", "functools"}  # packages whose lines are not the caller's


@dataclass(frozen=True)
class Voice:
    """`warn` takes a text, and of which category it is as a warning."""

    warn: Callable[..., None]
    end: Callable[[Path], None]


def _warn(text: str, category: type[Warning] = UserWarning) -> None:
    """Warn of the caller's line that led here."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in INNER:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, category, stacklevel=level)


COMMAND = Voice(lambda text, category=None: print(text, file=sys.stderr), print)
PYTHON = Voice(_warn, lambda folder: None)
