"""Tasks of sequences and of symbols: what must be remembered, or grokked."""

from dataclasses import KW_ONLY
from typing import Annotated, Literal

import numpy as np

from nnframe.components.component import register
from nnframe.components.markers import Range, Size
from nnframe.data.dataset import Dataset
from nnframe.data.source import Source
from nnframe.data.sources.generators.base import Generator, numbered


@register
class Adding(Generator):
    """x (rows, length, 2): numbers from 0 to 1, and marks, 1 at one step in each half of the sequence and 0 elsewhere; y (rows, 1) is the
    sum of the two marked numbers (Hochreiter and Schmidhuber 1997, in the form of Arjovsky, Shah and Bengio 2016)."""

    rows: Size = 1000
    _: KW_ONLY
    length: Annotated[int, Range(min=2)] = 50
    vary: Literal["all"] | None = None

    def drawn(self, rng: "np.random.Generator") -> Dataset:
        x, row, half = np.zeros((self.rows, self.length, 2)), np.arange(self.rows), self.length // 2
        x[..., 0] = rng.random((self.rows, self.length))
        first, second = rng.integers(0, half, self.rows), rng.integers(half, self.length, self.rows)
        x[row, first, 1] = x[row, second, 1] = 1
        return Dataset(x, (x[row, first, 0] + x[row, second, 0])[:, None], targets=("sum",))


@register
class Copying(Generator):
    """A word of `length` drawn from `symbols`, to be said again `delay` steps later (Hochreiter and Schmidhuber 1997, in the form of
    Arjovsky, Shah and Bengio 2016).

    x (rows, delay + 2 length, symbols + 2) in ones and zeros, or numbers (rows, delay + 2 length) unless `one_hot`: the word, blanks
    (number `symbols`), of which the one before the word is due is a signal (number symbols + 1); y the class of each step, (rows,
    delay + 2 length): blanks, and the word at the end.
    """

    rows: Size = 1000
    _: KW_ONLY
    symbols: Size = 8
    length: Size = 10
    delay: Size = 100
    one_hot: bool = True
    vary: Literal["all"] | None = None

    def drawn(self, rng: "np.random.Generator") -> Dataset:
        word = rng.integers(0, self.symbols, (self.rows, self.length))
        x = np.full((self.rows, self.delay + 2 * self.length), self.symbols)
        y = x.copy()
        x[:, : self.length] = y[:, -self.length :] = word
        x[:, -self.length - 1] = self.symbols + 1
        return Dataset(one_hot(x, self.symbols + 2) if self.one_hot else x, y, targets=("symbol",))  # classes are named for whole rows only


@register
class ModularAddition(Source):
    """All pairs (a, b) of numbers below `modulus`, of the class (a + b) mod modulus (Power and others 2022, "Grokking").

    x (modulus^2, 2 modulus) in ones and zeros, a before b, or numbers (modulus^2, 2) unless `one_hot`.
    """

    modulus: Annotated[int, Range(min=2)] = 97
    _: KW_ONLY
    one_hot: bool = True

    def read(self) -> Dataset:
        p = self.modulus
        x = np.stack(np.divmod(np.arange(p * p), p), 1)
        classes = tuple(map(str, range(p)))
        if not self.one_hot:
            return Dataset(x, x.sum(1) % p, None, ("a", "b"), ("sum",), classes)
        names = numbered("a", p, 0) + numbered("b", p, 0)
        return Dataset(one_hot(x, p).reshape(p * p, 2 * p), x.sum(1) % p, None, names, ("sum",), classes)


def one_hot(numbers: np.ndarray, count: int) -> np.ndarray:
    """(..., count), 1 at each number."""
    return np.eye(count, dtype=np.float32)[numbers]
