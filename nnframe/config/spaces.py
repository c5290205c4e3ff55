"""How other tools write which values a parameter may take, and what that is here: answered, never accepted.

`{min: 1e-4, max: 1e-1}` (W&B), `{type: float, low: 1, high: 9, log: true}` (Optuna), `loguniform(1e-4, 1e-1)` (Ray, Hyperopt, SciPy),
`{_type: choice, _value: [1, 2]}` (NNI), `int(interval(4, 16))` (Hydra) and the like.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nnframe.components.names import number, plain


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


LOW = _words("low min minimum minval lower lowerbound from start lo")
HIGH = _words("high max maximum maxval upper upperbound to stop end hi")
LISTS = _words("values choices choice categorical gridsearch")
KINDS = _words("type distribution dist sampling sampler kind")
ENDS = _words("bounds range interval limits")
STEPS, COUNTS = _words("q step quantization"), _words("count num numpoints")
WITHOUT = _words("base mu sigma mean std probabilities weights default valuetype isordered digits")  # what has no counterpart
CHOICES = _words("choice categorical gridsearch ordinal pchoice suggestcategorical list")
EXCLUSIVE = _words("randint lograndint range")  # their upper end is none of the values
DISTRIBUTIONS = _words(
    "uniform loguniform reciprocal quniform qloguniform loguniformvalues qloguniformvalues uniformint intuniform quniformint randint"
    " lograndint qrandint qlograndint int integer float double real linear log linspace logspace geomspace range interval suggestfloat"
    " suggestint suggestuniform suggestloguniform discreteuniform normal lognormal qnormal qlognormal randn constant"
)


@dataclass
class Space:
    """What a person may have meant by a parameter's values."""

    kind: str = ""
    low: Any = None
    high: Any = None
    values: Sequence[Any] | None = None
    step: Any = None
    count: Any = None
    log: bool = False
    integer: bool = False

    def written(self) -> str:
        """The same as a config has it; nothing if it is not clear."""
        if self.values is not None:
            return f"[{', '.join(map(_text, self.values))}]"
        if not (_is_number(self.low) and _is_number(self.high)):
            return "{low: ..., high: ...}: numbers are drawn evenly, with scale: log on a log scale" if self.kind else ""
        low, high = sorted((self.low, self.high))
        log = self.log or (("log" in self.kind or self.kind in ("reciprocal", "geomspace")) and "logistic" not in self.kind)
        if self.kind == "logspace" or (log and low <= 0):  # exponents
            low, high = (_power(10 if self.kind == "logspace" else math.e, end) for end in (low, high))
        integer = self.integer or "int" in self.kind.removesuffix("interval")
        parts = {"low": _text(low), "high": _text(high)} | ({"scale": "log"} if log else {}) | ({"integer": "true"} if integer else {})
        parts |= {"step": _text(self.step)} if self.step is not None and not log else {}
        parts |= {"count": _text(self.count)} if self.count is not None else {}
        wide = not self.kind and not log and 0 < 100 * low <= high
        return f"{{{', '.join(f'{key}: {text}' for key, text in parts.items())}}}" + (", or with scale: log" if wide else "")


def translated(value: Any) -> str:
    """What to write instead of a value in the form of another tool; nothing if it is in none."""
    space = _of_mapping(value) if isinstance(value, Mapping) else _of_text(value) if isinstance(value, str) else None
    return space.written() if space is not None else ""


def _of_mapping(value: Mapping[str, Any]) -> Space | None:
    found, plainly = Space(), None
    for key, inner in value.items():
        word, inner = plain(key), _number(inner)
        if word in KINDS and isinstance(inner, str) and plain(inner) in DISTRIBUTIONS | CHOICES:
            found.kind = plain(inner)
        elif word in LOW:
            found.low = inner
        elif word in HIGH:
            found.high = inner
        elif word in ENDS and _is_numbers(inner) and len(inner) == 2:
            found.low, found.high = inner
        elif word in LISTS and isinstance(inner, (list, tuple)):
            found.values = inner
        elif word == "value":
            plainly = inner
        elif word in STEPS:
            found.step = inner
        elif word in COUNTS:
            found.count = inner
        elif word in ("log", "logscale", "integer") and isinstance(inner, bool):
            found.log, found.integer = (found.log, inner) if word == "integer" else (inner, found.integer)
        elif word == "scale" and isinstance(inner, str):
            found.log = inner == "log"
        elif word in DISTRIBUTIONS and len(value) == 1 and _is_numbers(inner) and len(inner) > 1:
            return _of_call(word, inner)
        elif word in DISTRIBUTIONS and len(value) == 1 and isinstance(inner, Mapping) and "type" not in inner:
            within = _of_mapping(inner)
            return within and Space(**{**vars(within), "kind": word})
        elif word not in WITHOUT:
            return None
    if plainly is not None and isinstance(plainly, (list, tuple)) and found.kind:
        return _of_call(found.kind, plainly)
    if plainly is not None and (found.kind or len(value) == 1):
        found.values = [plainly]
    return found if found.values is not None or found.kind or (_is_number(found.low) and _is_number(found.high)) else None


def _of_call(kind: str, given: Sequence[Any]) -> Space:
    """What a distribution with some arguments in their order means."""
    if kind in CHOICES:
        return Space(kind, values=given[0] if len(given) == 1 and isinstance(given[0], (list, tuple)) else given)
    low, high, *rest = given if len(given) > 1 else (0, *given, None)
    third = next(iter(rest), None)
    if kind in EXCLUSIVE and _is_number(high):
        return Space(kind, low, high - 1, step=third, integer=True)
    return Space(kind, low, high, count=third if "space" in kind else None, step=None if "space" in kind else third)


def _of_text(text: str) -> Space | None:
    if len(text) > 200:
        return None
    if call := re.fullmatch(r"\s*(?:\w+\.)*(\w+)\((.*)\)\s*", text):
        kind, parts = plain(call[1]), [part.strip() for part in re.split(r",(?![^(\[]*[)\]])", call[2]) if part.strip()]
        if kind in ("int", "float", "tag") and parts and (within := _of_text(parts[-1])):  # Hydra's casts
            within.integer, within.log = within.integer or kind == "int", within.log or "log" in parts[:-1]
            return within
        named = dict(part.split("=", 1) for part in parts if re.match(r"\w+=", part))
        given = [_value(part) for part in parts if not re.match(r"\w+=", part)]
        if kind not in DISTRIBUTIONS | CHOICES:
            return None
        if len(given) > 1 and re.match(r"['\"]", parts[0]) and (kind not in CHOICES or isinstance(given[1], list)):
            given = given[1:]  # without the parameter's name
        found = _of_call(kind, given) if given else Space(kind)
        named_space = _of_mapping({key: _value(part) for key, part in named.items()} | {"type": kind}) if named else None
        if named_space is not None:
            for name, part in vars(named_space).items():
                if part:
                    setattr(found, name, part)
        return found
    if span := re.fullmatch(r"\s*(\S+?)\s*(?:\.\.+|\bto\b|:)\s*(\S+)\s*", text):
        low, high = number(span[1]), number(span[2])
        return Space(low=low, high=high) if low is not None and high is not None else None
    parts = [part.strip() for part in text.split(",")]
    return Space(values=[_value(part) for part in parts]) if len(parts) > 1 and all(parts) else None


def _value(text: str) -> Any:
    """What stands for an argument in a text."""
    if text[:1] == "[" and text[-1:] == "]":
        return [_value(part.strip()) for part in text[1:-1].split(",")]
    return {"True": True, "true": True, "False": False, "false": False}.get(text, _number(text.strip("'\"")))


def _number(value: Any) -> Any:
    found = number(value) if isinstance(value, str) else None
    return value if found is None else found


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_numbers(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(map(_is_number, value))


def _power(base: float, exponent: float) -> float:
    return base ** max(min(exponent, 300), -300)


def _text(value: Any) -> str:
    if isinstance(value, float):
        return repr(float(f"{value:.6g}"))
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)[:60] if isinstance(value, (int, str)) else "..."
