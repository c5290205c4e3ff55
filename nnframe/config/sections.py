"""What the section `sweep` of a config may say: which values which keys take, and what their trials are ranked by.

A sampler makes settings of them; every setting is trained with every seed, and each of these trainings is a trial.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np

from nnframe.components.component import Component
from nnframe.components.markers import Range, Size
from nnframe.components.registry import REGISTRY
from nnframe.components.walk import Problems, validate
from nnframe.components.wording import shown
from nnframe.config.spaces import translated
from nnframe.errors import OptionError

MOST = 10**6  # trials of a sweep

SweepSeed = Annotated[int, Range(min=0, max=2**63 - 1)]


@dataclass(frozen=True)
class Objective:
    """What settings are ranked by: a column of the log, in the epoch whose weights are kept (`last`) or in its own best one. Unless given,
    `metric` is val_loss where there is validation data and else loss, and `mode` follows from the metric."""

    metric: str | None = None
    mode: Literal["min", "max"] | None = None
    at: Literal["last", "best"] = "last"


@dataclass(frozen=True)
class Confirm:
    """The best settings are trained again with `seeds` that the search has not used. There are `top` of them; unless given, 5, or 8 where
    the search had at least 100 settings or only 3 seeds."""

    top: Size | None = None
    seeds: Size = 16

    def among(self, settings: int, seeds: int) -> "Confirm":
        """With `top` as a number, for a search of so many settings and seeds. Raises OptionError."""
        if (self.top or 0) > settings:
            raise OptionError(f"expected at most {settings:,}, the number of settings, got {self.top:,}", path="confirm.top")
        top = self.top or min(8 if settings >= 100 or seeds == 3 else 5, settings)
        if top * self.seeds > MOST:
            raise OptionError(f"expected at most {MOST:,} trials, got {top * self.seeds:,}", path="confirm.seeds")
        return Confirm(top, self.seeds)

    def fresh(self, used: Sequence[int]) -> list[int]:
        """The integers after the largest seed of the search. Raises OptionError if they would be too large for seeds."""
        first = max(used) + 1
        if first + self.seeds > 2**63:
            raise OptionError(f"after {first - 1}, the largest seed of the search, there are no {self.seeds} others", path="confirm.seeds")
        return list(range(first, first + self.seeds))


@dataclass(frozen=True)
class Between:
    """Numbers from `low` to `high`. A grid takes `count` of them, evenly spaced on the scale, or those every `step`."""

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"
    integer: bool = False
    step: float | None = None
    count: Size | None = None

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise OptionError(f"expected low to be at most high, got {self.low:g} and {self.high:g}", path="low")
        if self.scale == "log" and self.low <= 0:
            raise OptionError(f"expected a number greater than 0 on a log scale, got {self.low:g}", path="low")
        if self.step is not None and (self.step <= 0 or self.scale == "log" or self.count is not None):
            raise OptionError("expected a number greater than 0, on a linear scale, and no count beside it", path="step")
        if self.integer and (self.low != int(self.low) or self.high != int(self.high) or (self.step or 1) != int(self.step or 1)):
            raise OptionError("expected whole numbers with integer: true", path="low")
        if not math.isfinite((self.high - self.low) / (self.step or 1)):
            raise OptionError(f"the range from {self.low:g} to {self.high:g} is too wide", path="high")

    def value(self, point: Any) -> Any:
        """What the config gets for a point of a setting."""
        return point

    def name(self, point: Any) -> str:
        """What a table shows for it."""
        return name_of(point)

    def grid(self) -> list[Any]:
        """All points that a grid takes."""
        if self.step is not None:
            return self._numbers(self.low + self.step * np.arange(self._steps()))
        if self.count is None and self.integer and self.scale == "linear":
            return self._numbers(np.arange(self.low, self.high + 1))
        if self.count is None:
            raise OptionError("a grid needs to know which numbers: give step or count, or a list of values")
        points = np.geomspace if self.scale == "log" else np.linspace
        return list(dict.fromkeys(self._numbers(points(self.low, self.high, self.count))))

    def size(self) -> int:
        """How many values a grid has at most; 1 if that is not known."""
        if self.step is not None:
            return self._steps()
        return self.count or (int(self.high - self.low) + 1 if self.integer and self.scale == "linear" else 1)

    def at(self, u: np.ndarray) -> list[Any]:
        """Points for numbers in [0, 1), each part of the scale as likely as any other."""
        if self.step is not None:
            return self._numbers(self.low + self.step * np.floor(u * self._steps()))
        low, high = (self.low - 0.5, self.high + 0.5) if self.integer else (self.low, self.high)
        if self.scale == "log":
            return self._numbers(np.exp(math.log(low) + u * (math.log(high) - math.log(low))))
        return self._numbers(low + u * (high - low))

    def _steps(self) -> int:
        return math.floor((self.high - self.low) / (self.step or 1) * (1 + 1e-12)) + 1

    def _numbers(self, values: np.ndarray) -> list[Any]:
        values = np.clip(values, self.low, self.high)
        return [round(value) for value in values.tolist()] if self.integer else values.tolist()


@dataclass(frozen=True)
class Choice:
    """Values by name: those of a list by themselves, alternatives by the names that they were given. A point is a place in the list."""

    names: tuple[str, ...]
    values: tuple[Any, ...]

    def value(self, point: int) -> Any:
        return self.values[point]

    def name(self, point: int) -> str:
        return self.names[point]

    def grid(self) -> list[int]:
        return list(range(len(self.values)))

    def size(self) -> int:
        return len(self.values)

    def at(self, u: np.ndarray) -> list[int]:
        return np.floor(u * len(self.values)).astype(int).tolist()


Parameters = dict[str, Between | Choice]
Settings = dict[str, list[Any]]  # of each parameter, by dotted path, one point a setting


class Sampler(Component):
    """Base of all samplers: write `settings`, one list of values a parameter."""

    slot = "sampler"

    def settings(self, parameters: Parameters, count: int | None) -> Settings:
        """`count` settings; None if the sweep does not say how many. Raises OptionError."""
        raise NotImplementedError


@dataclass(frozen=True)
class Sweep:
    """The section `sweep` of a config. `trials` counts all trainings, `settings` times seeds; one of the two is enough.

    `parameters` says by dotted path which values what may take, and `sampler` which of all their combinations are tried. Each of these
    settings is trained with all `seeds`, so many from the config's own on or those of a list, and ranked by the `objective`. With `confirm`
    the best few are trained again. `keep` says which trials leave a run's folder, with weights: those of the best setting, or all.
    """

    parameters: dict[str, Any] = field(default_factory=dict)
    seeds: Size | tuple[SweepSeed, ...] | None = None
    sampler: Sampler = field(default_factory=lambda: REGISTRY["sampler"]["Grid"]())
    trials: Size | None = None
    settings: Size | None = None
    objective: Objective = field(default_factory=Objective)
    confirm: Confirm | None = None
    keep: Literal["best", "all"] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.seeds, tuple):
            if not self.seeds:
                raise OptionError("expected a number of seeds or a list of them, got an empty list", path="seeds")
            if (twice := _twice(self.seeds)) is not None:
                raise OptionError(f"the seed {twice} stands there twice; a trial of the same seed tells nothing new", path="seeds")
        elif self.seeds is not None and self.seeds > MOST:
            raise OptionError(f"expected at most {MOST:,} seeds, got {self.seeds:,}", path="seeds")
        self.space  # noqa: B018  raises what is wrong with it

    @cached_property
    def space(self) -> Parameters:
        """The parameters as what they may be. Raises OptionError for one that is none."""
        return {path: parameter_of(path, value) for path, value in self.parameters.items()}

    def all_seeds(self, base: int) -> list[int]:
        """The seeds of every setting; `base` is the config's own."""
        if self.seeds is None:
            return [base]
        return list(self.seeds) if isinstance(self.seeds, tuple) else list(range(base, base + self.seeds))

    def all_settings(self, seeds: int) -> Settings:
        """All settings; no parameters make one. Raises OptionError."""
        count, key = self._count(seeds), "trials" if self.settings is None else "settings"
        if not self.parameters and count not in (None, 1):
            raise OptionError(f"without parameters there is one setting, not {count:,}; leave {key} out", path=key)
        try:
            found = self.sampler.settings(self.space, count) if self.parameters else {}
        except OptionError as error:
            if error.path == "trials":  # samplers count settings
                error.path, error.message = key, error.message.replace("leave trials out", f"leave {key} out")
            raise
        if (total := len(next(iter(found.values()), [0])) * seeds) > MOST:
            times = f"{total // seeds:,} settings x {seeds:,} seeds"
            raise OptionError(f"expected at most {MOST:,} trials, got {total:,}: {times}", path="seeds")
        return found

    def _count(self, seeds: int) -> int | None:
        """How many settings, if that is said. Raises OptionError."""
        count, rest = (self.settings, 0) if self.trials is None else divmod(self.trials, seeds)
        if rest:
            told = f"expected a multiple of the number of seeds, {seeds}, since every setting is trained with each; got {self.trials}"
            raise OptionError(told, path="trials")
        if count != (self.settings or count):
            told = f"expected {count:,}, since {self.trials:,} trials with {seeds:,} seeds are so many settings, got {self.settings:,}"
            raise OptionError(f"{told}; leave one of the two out", path="settings")
        if (count or 0) * seeds > MOST:
            key, of = ("settings", f": {count:,} settings x {seeds:,} seeds") if self.trials is None else ("trials", "")
            raise OptionError(f"expected at most {MOST:,} trials, got {(count or 0) * seeds:,}{of}", path=key)
        return count


def parameter_of(path: str, value: Any) -> Between | Choice:
    """What a parameter may be. Raises OptionError."""
    place = f"parameters.{path}"
    if isinstance(value, (list, tuple)):
        if not value:
            raise OptionError("expected at least one value, got an empty list", path=place)
        names = tuple(map(name_of, value))
        if (twice := _twice(names)) is not None:
            raise OptionError(f"the value {twice} stands there twice; a setting of the same values tells nothing new", path=place)
        return Choice(names, tuple(value))
    write = "" if isinstance(value, Mapping) and value.keys() <= {field.name for field in fields(Between)} else translated(value)
    if isinstance(value, Mapping) and {"low", "high"} & value.keys() and not write:
        problems = Problems()
        found = validate(Between, dict(value), place, problems)
        if problems:
            raise OptionError(problems[0][1], path=problems[0][0])
        return found
    if isinstance(value, Mapping) and value and "type" not in value and not write:
        return Choice(tuple(map(str, value)), tuple(value.values()))
    raise OptionError(
        f"expected a list of values, a range such as {{low: 1e-3, high: 1, scale: log}}, or alternatives by name, got {shown(value)}"
        + (f"; write {write}" if write else ""),
        path=place,
    )


def kind_of(parameter: Between | Choice) -> type:
    """What a table holds of a parameter: int or float if all its values are such numbers, otherwise their names, str."""
    if isinstance(parameter, Between):
        return int if parameter.integer else float
    kinds = {type(value) for value in parameter.values}
    named = any(name != name_of(value) for name, value in zip(parameter.names, parameter.values, strict=True))
    return str if named or not kinds <= {int, float} else int if kinds == {int} else float


def _twice(values: Sequence[Any]) -> Any:
    """The first value that stands there for the second time; None if all differ."""
    seen: set[Any] = set()
    return next((value for value in values if value in seen or seen.add(value)), None)  # type: ignore[func-returns-value]


def name_of(value: Any) -> str:
    """A value as a table shows it, in one line."""
    if isinstance(value, Mapping):
        rest = ", ".join(f"{key}={name_of(v)}" for key, v in value.items() if key != "type")
        return f"{value.get('type', '')}({rest})" if rest else str(value.get("type", "{}"))
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(name_of, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value) if isinstance(value, float) else str(value)
