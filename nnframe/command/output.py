"""What the command prints to: a full device is told, a name that is no text is printed as it is."""

import codecs
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any

from nnframe.errors import FileError
from nnframe.training.log import quiet

AS_IT_IS = "nnframe.as_it_is"  # what to do with characters that an encoding lacks


class Output:
    """The standard output. Once something could not be written, `write` and `flush` raise FileError, whoever caught the first one.

    A reader that has gone is a BrokenPipeError, as everywhere.
    """

    def __init__(self, out: Any) -> None:
        self.out = out
        self.lost: FileError | None = None

    def write(self, text: str) -> Any:
        return self._attempt(self.out.write, text)

    def flush(self) -> None:
        self._attempt(self.out.flush)

    def _attempt(self, work: Callable[..., Any], *arguments: Any) -> Any:
        if self.lost is not None:
            raise self.lost
        try:
            return work(*arguments)
        except BrokenPipeError:
            raise
        except OSError as error:
            quiet(self.out)  # or Python would try again when it ends
            self.lost = FileError(f"cannot write to the standard output: {error.strerror}")
            raise self.lost from None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.out, name)


class Messages(Output):
    """The standard error output. What cannot be written there is lost: nobody could be told."""

    def _attempt(self, work: Callable[..., Any], *arguments: Any) -> Any:
        with suppress(OSError):
            return work(*arguments)
        quiet(self.out)


@contextmanager
def watched() -> Iterator[None]:
    """Within it, `sys.stdout` and `sys.stderr` are these; where the shell closed them, what is written goes nowhere."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors=AS_IT_IS)
    out, messages = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))  # noqa: SIM115  lives as long as the process
    with redirect_stdout(Output(out)), redirect_stderr(Messages(messages)):
        yield


def _as_it_is(error: UnicodeError) -> tuple[str | bytes, int]:
    """The bytes of a file's name that are no text, and an escape for every other character."""
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)


codecs.register_error(AS_IT_IS, _as_it_is)
