"""The options of a component: a class's annotated fields, or its constructor's signature where it writes one."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import KW_ONLY, MISSING, dataclass, fields, is_dataclass
from functools import cache
from inspect import Parameter, signature
from types import SimpleNamespace, UnionType
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

from nnframe.components.markers import Named
from nnframe.errors import OptionError

ABBREVIATION = re.compile(r"\b(et al|e\.g|i\.e|cf|vs|resp|approx|fig|eqs?|sec)\.$", re.IGNORECASE)  # a stop that ends no sentence
MEANT = ("layers", "name")  # options that may have the name of something that the base class has


class Field:
    """More of an option than its annotation says: see `field`."""

    def __init__(self, default: Any, default_factory: Any, init: bool, kw_only: bool) -> None:
        self.default, self.default_factory, self.init, self.kw_only = default, default_factory, init, kw_only


def field(*, default: Any = MISSING, default_factory: Any = MISSING, init: bool = True, kw_only: bool = False) -> Any:
    """An option that must be named (`kw_only`), whose default is made anew for each object (`default_factory`), or an annotated
    attribute that is no option at all (`init=False`), such as an array that a layer holds."""
    return Field(default, default_factory, init, kw_only)


@dataclass(eq=False, repr=False)
class Option:
    """One option of a component: its annotation and default."""

    name: str
    kind: Any
    default: Any = Parameter.empty
    factory: Any = None
    variadic: bool = False
    positional: bool = False

    @property
    def required(self) -> bool:
        return self.default is Parameter.empty and self.factory is None and not self.variadic

    def value(self) -> Any:
        """The default; a component of its own for each object, where it may remember anything."""
        if isinstance(self.default, Named) and self.default.slot != "initializer":
            return deepcopy(self.default)
        return () if self.variadic else self.factory() if self.factory else self.default


def options(cls: Any) -> dict[str, Option]:
    """The options of a component or of a dataclass of options, in order; read when they are first asked for.

    Raises OptionError for an option whose name would hide something that a base class has.
    """
    if "_option_table" not in vars(cls):
        if is_dataclass(cls):
            found = {option.name: option for option in _of_dataclass(cls)}
        else:
            base = slot_base(cls)
            known = _fields(cls, base) if writer(cls) is None else {option.name: option for option in _of_signature(cls)}
            found = known | {name: option for name, option in _fields(base, base).items() if name not in known}
            refuse_hidden(cls, found)
        cls._option_table = found
    return cls._option_table


def slot_base(cls: Any) -> Any:
    """The class that opened the slot."""
    return next((base for base in reversed(cls.__mro__) if "slot" in vars(base)), cls)


def writer(cls: Any) -> Any:
    """The class that wrote the constructor, None where the base makes it from fields."""
    return next((base for base in cls.__mro__ if "__init__" in vars(base) and not _is_base(base)), None)


def inherited_fields(cls: Any) -> dict[str, Option]:
    """The options that `super().__init__` takes in the constructor of a class that writes its own."""
    classes = cls.__mro__
    last = max(i for i, base in enumerate(classes) if "__init__" in vars(base) and not _is_base(base))
    parent = next((base for base in classes[last + 1 :] if issubclass(base, Named)), Named)
    base = slot_base(cls)
    return _fields(parent, base) | _fields(base, base)


def _is_base(cls: Any) -> bool:
    """Is its constructor the one that is made from fields?"""
    return cls is object or "makes_constructors" in vars(cls)


def _fields(cls: Any, base: Any) -> dict[str, Option]:
    """The fields of a class and its parents, those of its slot's base only for that class itself; those that a call must give, by
    place, stand first. A default that is stated anew keeps its place."""
    found: dict[str, Option] = {}
    for owner in reversed(cls.__mro__):
        if issubclass(owner, Named) and (owner is cls or not issubclass(base, owner)):
            keyword = False
            for name, hint in own_annotations(owner).items():
                keyword = keyword or hint is KW_ONLY
                declared = vars(owner).get("_declared", {}).get(name, vars(owner).get(name, MISSING))
                said = declared if isinstance(declared, Field) else Field(declared, MISSING, True, False)
                if name == "_":
                    continue
                place = found[name].positional if name in found else not (keyword or said.kw_only)
                default = Parameter.empty if said.default is MISSING else said.default
                factory = None if said.default_factory is MISSING else said.default_factory
                found[name] = Option(name, _kind(hint), default, factory, positional=place)
    return dict(sorted(found.items(), key=lambda item: not (item[1].positional and item[1].required)))


def annotations(cls: Any) -> Mapping[str, Any]:
    """What a class itself annotates, as it stands there."""
    if sys.version_info >= (3, 14):
        from annotationlib import Format, get_annotations

        return get_annotations(cls, format=Format.FORWARDREF)
    return vars(cls).get("__annotations__", {})


@cache
def own_annotations(cls: Any) -> Mapping[str, Any]:
    """The annotations of a class's own options, and KW_ONLY where it stands, with texts read as what they mean."""
    given = {name: hint for name, hint in annotations(cls).items() if name == "_" or _may_be_option(cls, name, hint)}
    names = vars(sys.modules[cls.__module__]) | {cls.__name__: cls}
    return get_type_hints(SimpleNamespace(__annotations__=given), names, dict(vars(cls)), include_extras=True)


def _may_be_option(cls: Any, name: str, hint: Any) -> bool:
    said = vars(cls).get("_declared", {}).get(name)
    no_option = name.startswith("_") or (said is not None and not said.init)
    return not no_option and hint is not ClassVar and get_origin(hint) is not ClassVar and "ClassVar" not in str(hint)[:20]


def refuse_hidden(cls: Any, names: Iterable[str] | None = None) -> None:
    """Raise OptionError if an option would hide something of a base class, which would break far from here. Unless given, `names` are the
    options that the class itself seems to have, so that nothing needs to be read."""
    if names is None:
        own = vars(cls).get("__init__")
        names = (
            own.__code__.co_varnames[1 : own.__code__.co_argcount + own.__code__.co_kwonlyargcount]
            if hasattr(own, "__code__")
            else [name for name, hint in annotations(cls).items() if _may_be_option(cls, name, hint)]
        )
    for base in cls.__mro__[1:]:
        if issubclass(base, Named):
            theirs, hints = vars(base), annotations(base)
            for name in names:
                if (name in theirs or name in hints) and name not in MEANT and not _is_for_subclasses(base, name):
                    told = f"an option of this name would hide {base.__name__}.{name}; choose another name"
                    raise OptionError(told, path=f"{cls.__name__}.{name}")


def _is_for_subclasses(base: Any, name: str) -> bool:
    """Is a name of a base class an option of its own, or what it leaves to those below it to say?"""
    if not hasattr(base, "makes_constructors"):
        return False  # what all components have is annotated there, and no option
    if name in _fields(base, slot_base(base)) or (writer(base) is not None and name in parameters(base)):
        return True
    hint = annotations(base).get(name)
    return hasattr(base, "slot") and (get_origin(hint) is ClassVar or hint is ClassVar)


def _of_dataclass(cls: Any) -> Iterator[Option]:
    hints = get_type_hints(cls, include_extras=True)
    for part in fields(cls):
        default = Parameter.empty if part.default is MISSING else part.default
        yield Option(part.name, _kind(hints[part.name]), default, None if part.default_factory is MISSING else part.default_factory)


def _of_signature(cls: Any) -> Iterator[Option]:
    """The options of a constructor that somebody wrote."""
    owner = writer(cls)
    for below in cls.__mro__[: cls.__mro__.index(owner)]:
        added = _fields(below, owner) if issubclass(below, Named) else {}
        if new := [name for name in added if name not in parameters(owner)]:
            told = f"adds an option to {owner.__name__}, which writes its own constructor; write one here too"
            raise OptionError(told, path=f"{cls.__name__}.{new[0]}")
    hints = get_type_hints(owner.__init__, include_extras=True)
    for p in list(parameters(cls).values())[1:]:
        if p.kind is Parameter.VAR_KEYWORD:
            raise OptionError("its constructor takes **; options must be named one by one", path=cls.__name__)
        kind, variadic = _kind(hints.get(p.name, Any)), p.kind is Parameter.VAR_POSITIONAL
        kind = tuple.__class_getitem__((kind, ...)) if variadic else kind
        yield Option(p.name, kind, p.default, None, variadic, p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD))


def _kind(hint: Any) -> Any:
    """An annotation as it is checked: `list[int]` and `Sequence[int]` are tuples of any length."""
    inner = tuple(map(_kind, get_args(hint)))
    if get_origin(hint) in (list, Sequence):
        return tuple.__class_getitem__((inner[0], ...))
    return Union[inner] if get_origin(hint) in (Union, UnionType) else hint  # noqa: UP007  their number is not known here


@cache
def parameters(cls: Any) -> Mapping[str, Parameter]:
    """The parameters of a constructor that somebody wrote."""
    return signature(cls.__init__).parameters


def required(cls: Any) -> list[str]:
    return [name for name, option in options(cls).items() if option.required]


def is_options(base: Any) -> bool:
    """A dataclass is an option with parts."""
    return isinstance(base, type) and is_dataclass(base)


def sentence(cls: Any) -> str:
    """What a class is, in its docstring's first sentence or first paragraph."""
    paragraph = " ".join((cls.__doc__ or "").strip().partition("\n\n")[0].split())
    ends = (stop.end() for stop in re.finditer(r"\.(?= )", paragraph))
    return paragraph[: next((end for end in ends if not ABBREVIATION.search(paragraph[:end])), None)]
