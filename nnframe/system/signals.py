"""Signals that end training: the first one lets the step end and a checkpoint be written, a second SIGINT ends at once."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

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
def caught(note: Callable[[int], None]) -> Iterator[None]:
    """Within it, a signal is handed to `note` and does nothing else, but that a second SIGINT raises KeyboardInterrupt.

    Outside the main thread nothing is caught.
    """
    global _seen
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[Any, Any] = {}
    seen: list[int] = []
    outer, _seen = _seen, seen

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
