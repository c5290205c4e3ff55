"""Warnings that name the line of the caller, however deep they come from."""

import sys
import warnings

INNER = {"nnframe", "functools", "contextlib", "scipy"}  # packages whose lines are not the caller's


def warn(text: str, category: type[Warning] = UserWarning) -> None:
    """Warn of the line outside of the package that led here."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in INNER:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, category, stacklevel=level)
