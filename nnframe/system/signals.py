"""Signals that end training: the first one lets the step end and a checkpoint be written, a second SIGINT ends at once."""

import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nnframe.errors import UsageError

SIGPIPE = getattr(signal, "SIGPIPE", 13)
CAUGHT = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name)]


class Interrupted(KeyboardInterrupt):
    """Training was ended by a signal, after a checkpoint. `signal` is its number, 128 + that the usual exit status."""

    def __init__(self, number: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.signal = number


_seen: list[int] | None = None  # the signals that came within `caught`; None outside of it


def came() -> bool:
    """Can a KeyboardInterrupt in this thread be a signal's? If not, some code raised it itself."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        return False
    return _seen is None or bool(_seen)


@contextmanager
def theirs(placed: bool = False) -> Iterator[None]:
    """Within it, code of others cannot end the process: what it raises for that is an error. A signal still can.

    With `placed`, the error says in which line that was.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, (Exception, Interrupted)) or (isinstance(error, KeyboardInterrupt) and came()):
            raise
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if placed else ""
        raise UsageError(f"{type(error).__name__}: {error}".removesuffix(": "), path=place) from error


@contextmanager
def caught(note: Callable[[int], None]) -> Iterator[None]:
    """Within it, a signal is handed to `note` and does nothing else, but that a second SIGINT raises KeyboardInterrupt.

    Outside the main thread nothing is caught. One within another counts on from its signals.
    """
    global _seen
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[Any, Any] = {}
    outer = _seen
    seen = _seen = [] if outer is None else outer

    def handle(number: int, frame: object) -> None:
        if number == signal.SIGINT and number in seen:
            raise KeyboardInterrupt
        seen.append(number)
        note(number)

    try:
        for number in CAUGHT:
            before[number] = signal.signal(number, handle)
        yield
    finally:
        _seen = outer
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: not one of Python's
