"""Ctrl-C while the package is imported: in a process that was started for one of its commands, it ends that without a traceback.

The package imports this first, so it loads as little as can be.
"""

import os
import signal
import sys
from itertools import pairwise


def raises(wanted: bool) -> None:
    """From here on SIGINT raises KeyboardInterrupt in a command of ours too, or again ends it at once."""
    if ENDS:
        signal.signal(signal.SIGINT, signal.default_int_handler if wanted else _end)


def _end(number: int, frame: object) -> None:
    os._exit(128 + number)


def _is_command() -> bool:
    """Was this process started for a command of the package?"""
    name, words = sys.argv[0] if sys.argv else "", sys.orig_argv  # workers have our `argv`, but words of their own
    if name == "-m":  # as long as Python looks for the module
        return any(pair in (("-m", "nnframe"), ("-m", "nnframe.run")) for pair in pairwise(words))
    return os.path.basename(name) in ("nnframe", "nnframe.exe") and name in words


ENDS = _is_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler
raises(False)
