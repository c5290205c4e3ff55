"""Named random streams: what is drawn depends on (seed, name, block) alone, never on who else draws or in what chunks.

Runs of a stack that share a seed share every draw, so that their comparison is paired.
"""

from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from typing import Any

import numpy as np

from nnframe.errors import OptionError

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
        if not every or not integers or min(every) < 0:
            raise OptionError(f"expected an integer of at least 0, or a list of one per run, got {seed!r:.60}", path="seed")
        if max(every) >= 2**64:
            raise OptionError(f"expected integers less than 2**64, got {max(every)}", path="seed")
        values = np.array(given, np.uint64)
        self.values = values
        self.runs = values.shape
        distinct, self.index = np.unique(values.ravel(), return_inverse=True)
        self.distinct: list[int] = distinct.tolist()

    def spread(self, drawn: np.ndarray) -> np.ndarray:
        """From one draw a distinct seed, (distinct, ...), to one a run: (*runs, ...), or (...) where all runs share it."""
        return drawn[0] if len(self.distinct) == 1 else drawn[self.index]

    def take(self, rows: Any) -> "Seeds":
        return Seeds(self.values[rows])


class Stream:
    """One named stream of random numbers per distinct seed, as dropout masks and noise need them."""

    def __init__(self, seeds: Seeds, name: str) -> None:
        self.seeds = seeds
        self.generators = [generator(seed, name) for seed in seeds.distinct]

    def random(self, out: np.ndarray) -> np.ndarray:
        """Uniform numbers in [0, 1): `out` (distinct, ...) is filled and spread over the runs."""
        for rng, part in zip(self.generators, out, strict=True):
            rng.random(dtype=out.dtype, out=part)
        return self.seeds.spread(out)

    def take(self, seeds: Seeds) -> "Stream":
        """The streams of fewer seeds, each from where it stands now."""
        taken = deepcopy(self)
        taken.seeds = seeds
        taken.generators = [taken.generators[self.seeds.distinct.index(seed)] for seed in seeds.distinct]
        return taken

    def put(self, taken: "Stream") -> None:
        """Go on from where taken streams have got to."""
        for seed, rng in zip(taken.seeds.distinct, taken.generators, strict=True):
            self.generators[self.seeds.distinct.index(seed)].bit_generator.state = rng.bit_generator.state

    @property
    def state(self) -> list[Any]:
        """Where each generator stands; assign it to go back there."""
        return [rng.bit_generator.state for rng in self.generators]

    @state.setter
    def state(self, states: list[Any]) -> None:
        for rng, state in zip(self.generators, states, strict=True):
            rng.bit_generator.state = state
