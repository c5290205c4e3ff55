"""The base of data that are drawn: which seed draws what."""

from dataclasses import KW_ONLY
from typing import Any, Literal, Self

import numpy as np

from nnframe.components.markers import Size
from nnframe.components.options import field
from nnframe.data.dataset import Dataset
from nnframe.data.source import Source, SplitSeed
from nnframe.errors import DataError, OptionError
from nnframe.streams import generator


class Generator(Source):
    """Base of data that are drawn: write `drawn`.

    Rows are drawn by the stream "data/<Name>" of `seed`, the same for every run unless `vary` says otherwise: with "all", each run has
    rows of its own, drawn by a seed that follows from the run's and from `seed`.
    """

    rows: Size = 200
    _: KW_ONLY
    seed: SplitSeed = 0
    vary: Literal["noise", "all"] | None = None
    of_one_run: bool = field(init=False)  # was it made by `of_seed`?

    def drawn(self, rng: "np.random.Generator") -> Dataset:
        """All rows, without noise."""
        raise NotImplementedError

    def read(self) -> Dataset:
        try:
            with np.errstate(over="ignore"):  # what is not finite is refused with its row, as in data that are read
                return self._all()
        except MemoryError:
            raise DataError(f"{self.rows:,} rows need more memory than there is", path="rows") from None

    def _all(self) -> Dataset:
        return self.drawn(generator(self.seed, f"data/{type(self).__name__}"))

    def of_seed(self, seed: int) -> "Source":
        return self if self.vary is None else self._with(vary=None, **self._seeds(seed))

    def _seeds(self, run: int) -> dict[str, Any]:
        """The options that say what a run draws."""
        return {"seed": mixed(run, self.seed)}

    def _with(self, **changed: Any) -> Self:
        """A copy for one run."""
        copy = type(self)(**self._options | changed)
        copy.of_one_run = True
        return copy

    def _made(self) -> None:
        super()._made()
        self.of_one_run = False
        for name in ("validation", "test"):
            other = getattr(self, name)
            if type(other) is type(self) and other._drawn_by() == self._drawn_by():
                told = f"draws the same as what is trained on; give it another seed than {self.seed}"
                raise OptionError(told, path=f"{name}.seed")

    def _drawn_by(self) -> tuple[Any, ...]:
        """All that decides what is drawn."""
        return self.vary, self.seed


class Noisy(Generator):
    """Base of data that are drawn, and then blurred: write `drawn` and `blurred`.

    Noise is drawn by the stream "noise/<Name>" of `noise_seed`, or else of `seed`; with `vary` of "noise", each run has the same rows with
    noise of its own.
    """

    _: KW_ONLY
    noise_seed: SplitSeed | None = None

    def blurred(self, data: Dataset, rng: "np.random.Generator") -> Dataset:
        """The rows with noise."""
        raise NotImplementedError

    def _all(self) -> Dataset:
        seed = self.seed if self.noise_seed is None else self.noise_seed
        return self.blurred(super()._all(), generator(seed, f"noise/{type(self).__name__}"))

    def _seeds(self, run: int) -> dict[str, Any]:
        noise = {"noise_seed": mixed(run, self.seed if self.noise_seed is None else self.noise_seed)}
        return noise if self.vary == "noise" else super()._seeds(run) | noise

    def _drawn_by(self) -> tuple[Any, ...]:
        return *super()._drawn_by(), self.noise_seed


def mixed(run: int, seed: int) -> int:
    """A seed of its own for a run and a source: no run's rows are those of another seed of the same source."""
    return int(generator(run, "seed of data", seed).integers(2**63))


def numbered(name: str, count: int, first: int = 1) -> tuple[str, ...]:
    """name1, name2, ..."""
    return tuple(f"{name}{i}" for i in range(first, first + count))
