"""Named random streams: what is drawn depends on (seed, name, block) alone, never on who else draws or in what chunks.

Runs of a stack that share a seed share every draw, so that their comparison is paired.
"""

from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from typing import Any

import numpy as np

from nnframe.errors import OptionError

MASK = 2**64 - 1

Seed = int | Sequence[int] | range | np.ndarray


def generator(seed: int, name: str, block: int = 0) -> "np.random.Generator":
    """The stream `name` of one seed: PCG64 of SeedSequence([seed, BLAKE2b-64 of the name, block]).

    Draws from it are sequential; how they are cut into chunks does not matter.
    """
    entropy = np.array([*_words(seed), *_name_words(name), *_words(block)], np.uint32)  # read faster than a list of integers
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


@cache
def _name_words(name: str) -> list[int]:
    from hashlib import blake2b  # this, like numpy.random, is not needed for importing

    return _words(int.from_bytes(blake2b(name.encode(), digest_size=8).digest()))


def _words(number: int) -> list[int]:
    """An integer as SeedSequence reads it: in words of 32 bits, the lowest first."""
    words = [number & 0xFFFFFFFF]
    while number := number >> 32:
        words.append(number & 0xFFFFFFFF)
    return words


class Seeds:
    """The seeds of a network (`runs` is ()) or of a stack (`runs` is (R,)), and which of them are distinct.

    Raises OptionError for anything but an integer of at least 0, or a non-empty list of them.
    """

    def __init__(self, seed: Seed) -> None:
        given: Any = list(seed) if isinstance(seed, (range, tuple)) else seed.tolist() if isinstance(seed, np.ndarray) else seed
        every = given if isinstance(given, list) else [given]
        integers = all(isinstance(s, (int, np.integer)) and not isinstance(s, bool) for s in every)
        largest = max(map(abs, map(int, every)), default=0) if integers else 0
        if largest >= 2**64:
            raise OptionError(f"expected integers less than 2**64, got one of {largest.bit_length()} bits", path="seed")
        if not every or not integers or min(every) < 0:
            raise OptionError(f"expected an integer of at least 0, or a list of one per run, got {seed!r:.60}", path="seed")
        values = np.array(given, np.uint64)
        self.values = values
        self.runs = values.shape
        distinct, self.index = np.unique(values.ravel(), return_inverse=True)
        self.distinct: list[int] = distinct.tolist()
        self._in_order = np.array_equal(self.index, np.arange(len(distinct)))

    def spread(self, drawn: np.ndarray) -> np.ndarray:
        """From one draw a distinct seed, (distinct, ...), to one a run: (*runs, ...), or (...) where all runs share it."""
        return _spread(drawn, self.index, self._in_order)

    def take(self, rows: Any) -> "Seeds":
        return Seeds(self.values[rows])


class Stream:
    """One named stream of random numbers per run, as dropout masks and noise need them; runs of one seed share one generator
    for as long as they train together."""

    def __init__(self, seeds: Seeds, name: str) -> None:
        self.runs = seeds.runs
        self._hold([generator(seed, name) for seed in seeds.distinct], seeds.index)

    def _hold(self, generators: list["np.random.Generator"], index: np.ndarray) -> None:
        """`index` (runs,): of each run's generator."""
        self.generators, self.index = generators, index
        self._in_order = np.array_equal(index, np.arange(len(generators)))

    def random(self, out: np.ndarray) -> np.ndarray:
        """Uniform numbers in [0, 1): `out` (generators, ...) is filled and spread over the runs, (*runs, ...) or (...)."""
        for rng, part in zip(self.generators, out, strict=True):
            rng.random(dtype=out.dtype, out=part)
        return _spread(out, self.index, self._in_order)

    def normal(self, out: np.ndarray) -> np.ndarray:
        """Normal numbers of mean 0 and variance 1, as `random`."""
        for rng, part in zip(self.generators, out, strict=True):
            rng.standard_normal(dtype=out.dtype, out=part)
        return _spread(out, self.index, self._in_order)

    def take(self, rows: Any) -> "Stream":
        """The streams of some runs of a stack, each from where it stands now."""
        index = self.index[rows]
        return self._of(self.generators, np.atleast_1d(index), np.shape(index))

    def put(self, rows: Any, taken: "Stream") -> "Stream":
        """With runs that were taken, and trained since, where they have got to."""
        index = self.index.copy()
        index[rows] = taken.index + len(self.generators)
        return self._of([*self.generators, *taken.generators], index, self.runs)

    def _of(self, generators: list["np.random.Generator"], index: np.ndarray, runs: tuple[int, ...]) -> "Stream":
        made = Stream.__new__(Stream)
        made.runs = runs
        used, index = np.unique(index, return_inverse=True)
        made._hold([deepcopy(generators[i]) for i in used], index)
        return made

    def get_state(self) -> np.ndarray:
        """Where each run's generator stands: (*runs, 6) words of 64 bits, the last two for half-used words."""
        states = np.array([_to_words(rng.bit_generator.state) for rng in self.generators], np.uint64)
        return states[self.index].reshape(*self.runs, states.shape[-1])

    def set_state(self, states: np.ndarray) -> None:
        """Go back to where `get_state` was called. Runs that stand at the same place share a generator from then on."""
        places, index = np.unique(states.reshape(-1, states.shape[-1]), axis=0, return_inverse=True)
        generators = [np.random.Generator(np.random.PCG64(0)) for _ in places]
        for rng, place in zip(generators, places.tolist(), strict=True):
            rng.bit_generator.state = _from_words(place)
        self._hold(generators, index.ravel())


def _spread(drawn: np.ndarray, index: np.ndarray, in_order: bool) -> np.ndarray:
    if len(drawn) == 1:
        return drawn[0]
    return drawn if in_order else drawn[index]


def _to_words(state: Any) -> list[int]:
    """The state of a PCG64 as words of 64 bits: state and increment, the higher half first, and a half-used word."""
    pcg = state["state"]
    return [pcg["state"] >> 64, pcg["state"] & MASK, pcg["inc"] >> 64, pcg["inc"] & MASK, state["has_uint32"], state["uinteger"]]


def _from_words(words: list[int]) -> dict[str, Any]:
    high, low, inc_high, inc_low, has_half, half = words
    pcg = {"state": high << 64 | low, "inc": inc_high << 64 | inc_low}
    return {"bit_generator": "PCG64", "state": pcg, "has_uint32": has_half, "uinteger": half}
