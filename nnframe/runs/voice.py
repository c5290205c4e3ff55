"""How a person hears of what went wrong, and of the folder at the end: on a terminal, or as warnings of Python."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nnframe.system.warn import warn


@dataclass(frozen=True)
class Voice:
    """`warn` takes a text, and of which category it is as a warning."""

    warn: Callable[..., None]
    end: Callable[[Path], None]


COMMAND = Voice(lambda text, category=None: print(text, file=sys.stderr), print)
PYTHON = Voice(lambda text, category=UserWarning: warn(text.removeprefix("warning: "), category), lambda folder: None)
