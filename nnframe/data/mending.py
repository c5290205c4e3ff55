"""What columns with texts or empty cells need before they can be trained on, beside the transforms that are given."""

from collections.abc import Collection, Sequence

from nnframe.components.component import written
from nnframe.data.transforms.base import Transform
from nnframe.data.transforms.encoding import OneHot
from nnframe.data.transforms.missing import Impute
from nnframe.errors import DataError, listed


class Lacking:
    """Which columns no transform of those `given` is for: of `numbers` and of `texts` with empty cells, and of `plain` texts."""

    def __init__(self, given: Sequence[Transform], texts: Collection[str], gaps: Collection[str]) -> None:
        self.given = list(given)
        fill = [t for t in given if isinstance(t, Impute)]
        encode = [t for t in given if t.takes == "texts"]
        zeros = [t for t in encode if getattr(t, "unknown", "") == "zeros"]
        self.numbers = [name for name in gaps if name not in texts and not any(_is_for(t, name) for t in fill)]
        named = [t for t in fill if t.columns is not None]
        self.texts = [name for name in gaps if name in texts and not any(_is_for(t, name) for t in (*named, *zeros))]
        self.plain = [name for name in texts if not any(_is_for(t, name) for t in encode)]

    def errors(self) -> list[DataError]:
        """One for each kind of lack."""
        told = (("cells are empty in", self.numbers), ("cells are empty in the texts of", self.texts), ("there are texts in", self.plain))
        return [DataError(f"{words} {listed(list(map(repr, names)))}", path="inputs") for words, names in told if names]

    @property
    def mend(self) -> str:
        """The transforms as a config should have them, nothing if those given are enough."""
        if not (self.numbers or self.texts or self.plain):
            return ""
        found, fill = list(self.given), [Impute()] if self.numbers else []
        fill += [Impute("most_frequent", columns=tuple(self.texts))] if self.texts else []
        encoding = [i for i, t in enumerate(found) if t.takes == "texts"]
        place = encoding[0] if encoding else _behind(found)
        found[place:place] = fill
        place = _behind(found)
        found[place:place] = [OneHot()] if self.plain else []
        return f"transforms: [{', '.join(map(written, found))}]"


def _is_for(transform: Transform, name: str) -> bool:
    return transform.columns is None or name in transform.columns


def _behind(transforms: Sequence[Transform]) -> int:
    """The place behind all that fill or encode."""
    return max((i + 1 for i, t in enumerate(transforms) if isinstance(t, Impute) or t.takes == "texts"), default=0)
