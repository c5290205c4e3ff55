"""Markers in annotations say more of an option than a type can: `Positive`, `Size`, `PerRun[...]`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar, Union, get_args, get_origin

import numpy as np


class Named:
    """What a config can name: the base of `Component`, for those who must know no more of it."""

    slot: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ()  # of the files that it reads
    schedulable: ClassVar[bool] = True  # may its PerRun numbers follow a schedule?
    stands_for: ClassVar[Mapping[type, str]] = {}  # the component that a plain number, text or list in a config may be meant as
    _options: dict[str, Any]


@dataclass(eq=False, repr=False)
class Range:
    """Marks the finite numbers that an option takes: from `min` or above `above`, up to `max` or below `below`."""

    min: float | None = None
    max: float | None = None
    above: float | None = None
    below: float | None = None

    def __contains__(self, value: float) -> bool:
        return (
            (self.min is None or value >= self.min)
            and (self.max is None or value <= self.max)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    def __str__(self) -> str:
        words = {"of at least": self.min, "greater than": self.above, "at most": self.max, "less than": self.below}
        return " and ".join(f"{word} {bound}" for word, bound in words.items() if bound is not None)

    def with_low(self) -> "Range":
        """With its lower bound included: a schedule may run down to it."""
        low = self.above
        return Range(self.min if low is None else low, self.max, below=self.below)


Positive = Annotated[float, Range(above=0)]
NonNegative = Annotated[float, Range(min=0)]
Probability = Annotated[float, Range(min=0, max=1)]
Fraction = Annotated[float, Range(min=0, below=1)]
Size = Annotated[int, Range(min=1)]


class Filled:
    """Marks a list that holds at least one item."""


@dataclass(eq=False, repr=False)
class Matches:
    """Marks a text that matches a pattern as a whole; `words` say what that means."""

    pattern: str
    words: str


class PerRunMark:
    pass


if TYPE_CHECKING:
    T = TypeVar("T")
    PerRun = Union[T, Sequence[T], np.ndarray, Named]  # noqa: UP007  a type variable in it
else:

    class PerRun:
        """`PerRun[Positive]`: a number, one number per run of a stack, or a schedule."""

        def __class_getitem__(cls, kind: Any) -> Any:
            return Annotated[kind, PerRunMark()]


def bare(kind: Any) -> Any:
    """An annotation without its markers."""
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def markers_of(kind: Any) -> tuple[Any, ...]:
    """The markers of an annotation."""
    return kind.__metadata__ if get_origin(kind) is Annotated else ()


def per_run(kind: Any) -> bool:
    """Does an annotation hold a number that may differ between the runs of a stack?"""
    return any(isinstance(mark, PerRunMark) for mark in markers_of(kind)) or (
        get_origin(kind) in (tuple, Union, UnionType) and any(map(per_run, get_args(kind)))
    )
