"""The errors that a user can mend: each message says where, what was expected, what came, and the nearest valid name if any."""

from collections.abc import Collection, Sequence


class NNFrameError(Exception):
    """Base of all errors below. `path` is the dotted place, such as `model.0.units`; the message stands behind it."""

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message

    def within(self, path: str) -> "NNFrameError":
        """The same error, seen from one level further out."""
        self.path = join(path, self.path) if self.path else path
        return self


class OptionError(NNFrameError, ValueError):
    """An option that is unknown, missing, of the wrong type or out of its range."""


class ShapeError(NNFrameError, ValueError):
    """Arrays or layers that do not fit together."""


class DataError(NNFrameError, ValueError):
    """Data that cannot be read or trained on."""


class ColumnsError(DataError):
    """What is wrong with several columns: `each` of the errors, and in `mend` what to write in a line."""

    def __init__(self, each: Sequence[DataError], mend: str) -> None:
        self.each, self.mend = list(each), mend
        told = [error.message if i == 0 else f"Also: {error.message}" for i, error in enumerate(self.each[: ALSO + 1])]
        rest = [f"And {len(self.each) - ALSO - 1:,} more mistakes"] if len(self.each) > ALSO + 1 else []
        super().__init__(". ".join([*told, *rest, *filter(None, [mend])]), path=self.each[0].path)

    def within(self, path: str) -> "NNFrameError":
        for error in self.each:
            error.within(path)
        return super().within(path)


class FileError(NNFrameError, OSError):
    """A file or folder that cannot be read, written or trusted."""

    __str__ = NNFrameError.__str__  # OSError has a form of its own


class UsageError(NNFrameError, RuntimeError):
    """Calls in an order that cannot work, such as `forward` before `build`."""


class GradientError(NNFrameError, AssertionError):
    """A backward that is not the derivative of its forward."""


ALSO = 3  # columns beside the first one whose mistake is told in full, where all is one message
MOST, ENOUGH = 20, 200  # problems of one config to tell at once, and to look for


class ConfigError(NNFrameError):
    """Everything that is wrong with one config: `problems` holds a line for each of the first, `count` says how many there are;
    `found` has dotted path and message of each where they are known, `mend` what to write to mend several."""

    def __init__(self, problems: list[str], found: Sequence[tuple[str, str]] = (), mend: str = "") -> None:
        self.found, self.mend = list(found), printable(mend, 10_000)
        self.problems, self.count = [printable(problem) for problem in problems[:MOST]], len(problems)
        super().__init__("\n".join([*self.problems, *filter(None, [self.mend])]))

    @property
    def summary(self) -> str:
        """`3 mistakes`, or nothing if there is but one."""
        count = f"{self.count}{' or more' * (self.count >= ENOUGH)} mistakes" if self.count > 1 else ""
        return f"{count}, of which {MOST} stand above" if self.count > MOST else count


def join(path: str, key: object) -> str:
    """The dotted path of a key or index inside a place."""
    return f"{path}.{key}" if path else str(key)


def printable(text: str, limit: int = 1000) -> str:
    """A line that a terminal shows as it is: control characters and changes of direction are escaped, and it ends somewhere."""
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:limit])
    return line if len(text) <= limit and len(line) <= limit else f"{line[: limit - 3]}..."


def more(count: int) -> str:
    """`, and 12 more such cells` after the first of so many."""
    return "" if count < 2 else f", and {count - 1:,} more such cell{'s' * (count > 2)}"


def listed(names: Collection[object], most: int = 20) -> str:
    """`a, b, c`, or the first of them and how many there are."""
    first = ", ".join(str(name)[:60] for name in list(names)[:most])
    return first if len(names) <= most else f"{first}, ... ({len(names):,} in all)"
