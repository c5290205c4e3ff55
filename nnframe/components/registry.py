"""What a config can name, and its options: a class's constructor is their only description."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from inspect import Parameter, signature
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from nnframe.components.markers import Named, bare
from nnframe.errors import OptionError

REGISTRY: dict[str, dict[str, type[Any]]] = {}


@dataclass(frozen=True)
class Option:
    """One option of a component: its annotation and default, as the signature has them."""

    name: str
    kind: Any
    default: Any
    variadic: bool = False

    @property
    def required(self) -> bool:
        return self.default is Parameter.empty


def options(cls: Any) -> dict[str, Option]:
    """The options of a component or of a dataclass of options, in the order of the signature."""
    if "_option_table" not in vars(cls):
        cls._option_table = dict(_options(cls))
    return cls._option_table


def _options(cls: Any) -> Iterator[tuple[str, Option]]:
    if is_dataclass(cls):
        hints = get_type_hints(cls, include_extras=True)
        for field in fields(cls):
            default = Parameter.empty if field.default is MISSING else field.default
            if field.default_factory is not MISSING:
                default = field.default_factory()
            yield field.name, Option(field.name, _kind(hints[field.name]), default)
        return
    base = cls._base()
    inherited = [(base, [p for p in parameters(base).values() if p.kind is Parameter.KEYWORD_ONLY])]
    for owner, taken in [(cls, [*parameters(cls).values()][1:]), *inherited]:
        hints = get_type_hints(owner.__init__, include_extras=True)
        for p in taken:
            if p.kind is Parameter.VAR_KEYWORD:
                raise OptionError("its constructor takes **; options must be named one by one", path=cls.__name__)
            kind, variadic = _kind(hints.get(p.name, Any)), p.kind is Parameter.VAR_POSITIONAL
            if owner is cls or p.name not in parameters(cls):
                default = Parameter.empty if variadic else p.default
                yield p.name, Option(p.name, tuple.__class_getitem__((kind, ...)) if variadic else kind, default, variadic)


def _kind(hint: Any) -> Any:
    """An annotation as it is checked: `list[int]` and `Sequence[int]` are tuples of any length."""
    inner = tuple(map(_kind, get_args(hint)))
    if get_origin(hint) in (list, Sequence):
        return tuple.__class_getitem__((inner[0], ...))
    return Union[inner] if get_origin(hint) in (Union, UnionType) else hint  # noqa: UP007  their number is not known here


@cache
def parameters(cls: Any) -> Mapping[str, Parameter]:
    """The parameters of a class's constructor."""
    return signature(cls.__init__).parameters


def required(cls: Any) -> list[str]:
    return [name for name, option in options(cls).items() if option.required and not option.variadic]


def find(slot: str, name: str) -> type[Any] | None:
    """The registered class of that name; installed plugins are looked at only for a name that is not known yet."""
    if name not in REGISTRY.get(slot, {}):
        find_more()
    return REGISTRY.get(slot, {}).get(name)


def find_more() -> None:
    """Register what else is installed; `plugins` puts its own function here."""


def is_component(base: Any) -> bool:
    return isinstance(base, type) and issubclass(base, Named)


def is_options(base: Any) -> bool:
    """A dataclass is an option with parts."""
    return isinstance(base, type) and is_dataclass(base)


def slot_of(kind: Any) -> str | None:
    """The slot of the components that an option holds, alone or in a list."""
    parts = (bare(kind), *map(bare, get_args(bare(kind))))
    return next((part.slot for part in parts if is_component(part)), None)


def sentence(cls: Any) -> str:
    """What a class is, in its docstring's first sentence or first paragraph."""
    paragraph = " ".join((cls.__doc__ or "").strip().partition("\n\n")[0].split())
    first, stop, _ = paragraph.partition(". ")
    return first + stop.strip()
