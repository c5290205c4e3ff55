"""Components: classes whose annotated fields are the only description of their options.

From the fields come the constructor, its checks (the same words for Python and YAML), `repr` and the resolved config. `register` makes a
class known by its name.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import MISSING, fields, is_dataclass
from inspect import Parameter
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, dataclass_transform, get_args, get_origin

from nnframe.components.markers import bare, per_run
from nnframe.components.numbers import Numbers
from nnframe.components.options import (
    Field,
    Option,
    annotations,
    field,
    inherited_fields,
    options,
    own_annotations,
    parameters,
    refuse_hidden,
    writer,
)
from nnframe.components.registry import REGISTRY
from nnframe.components.walk import Problems, TooManyProblems, validate_options
from nnframe.components.wording import describe, flow, short, shown
from nnframe.errors import OptionError

C = TypeVar("C", bound="Component")


class _Checked(type):
    """Checks the arguments before an object is made of them, and remembers them as its `_options`."""

    if not TYPE_CHECKING:  # type checkers know the constructor by `dataclass_transform`

        def __call__(cls, *args, **kwargs):
            known = options(cls)
            try:
                return cls._make(_checked(cls, known, args, kwargs))
            except OptionError as error:
                raise error.within(cls.__name__) from None


@dataclass_transform(field_specifiers=(field,))
class Component(Numbers, metaclass=_Checked):
    """Base of everything that a config can name. Each `slot` (layer, loss, ...) has a registry of its own.

    An option is an annotated name without an underscore, in the order of the constructor; behind `_: KW_ONLY` it must be named. What is
    annotated as ClassVar, or is `field(init=False)`, is none. `__post_init__` runs once all options are set, and may refuse some with an
    OptionError. A subclass adds options to its parent's. A class that writes its own `__init__` is taken as it is: its signature counts.
    """

    makes_constructors: ClassVar[bool] = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._declared = {name: value for name, value in vars(cls).items() if isinstance(value, Field)}  # type: ignore[attr-defined]
        for name, said in cls._declared.items():  # type: ignore[attr-defined]
            if said.default is MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, said.default)

    if not TYPE_CHECKING:

        def __init__(self, *args, **kwargs):
            """What `super().__init__` means to a class that writes its own constructor: the options of its parents."""
            known = inherited_fields(type(self))
            values = _checked(type(self), known, args, kwargs)
            self._inherited = {name: (known[name].kind, value) for name, value in values.items()}
            self._set(values)

    def __post_init__(self) -> None:
        """Refuse options that do not go together, with an OptionError."""

    def _set(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        self.__post_init__()

    @classmethod
    def _make(cls: type[C], values: dict[str, Any]) -> C:
        """An object of options that have been checked."""
        self = cls.__new__(cls)
        self._options, self._inherited, self.state = values, {}, {}
        if writer(cls) is None:
            self._set(values)
        else:
            _call(self, values)
        self._made()
        return self

    def _made(self) -> None:
        """What a slot's base does with an object whose constructor has run."""

    def __repr__(self) -> str:
        parts: list[str] = []
        for name, option in options(type(self)).items():
            value = self._options[name]
            if option.variadic:
                parts += map(repr, value)
            elif option.required and option.positional:
                parts.append(short(value))
            elif not _same(value, option.value()):
                parts.append(f"{name}={short(value)}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def of_run(self: C, run: int) -> C:
        """The component as run number `run` of a stack has it."""
        chosen = {name: _of_run(options(type(self))[name].kind, value, run) for name, value in self._options.items()}
        return type(self)._make(chosen)


def _checked(cls: Any, known: Mapping[str, Option], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The options that the arguments of a call give, all of them. Raises OptionError with everything that is wrong."""
    variadic = next((name for name, option in known.items() if option.variadic), None)
    positional = [name for name, option in known.items() if option.positional]
    if variadic is None and len(args) > len(positional):
        takes = f"takes at most {len(positional)} positional argument{'s' * (len(positional) != 1)}, got {len(args)}"
        others = ", ".join(name for name in known if name not in positional)
        raise OptionError(f"{takes}; name the others: {others}" if others else takes)
    if variadic is not None and len(args) == 1 and isinstance(args[0], (list, tuple)):
        wanted = describe(get_args(known[variadic].kind)[0])
        raise OptionError(f"expected {wanted}, got {shown(args[0])}; write {cls.__name__}(*{variadic})", path=f"{variadic}.0")
    given = dict(zip(positional, args, strict=False)) if variadic is None else {variadic: args}
    if twice := given.keys() & kwargs.keys():
        raise OptionError("given twice", path=min(twice))
    problems = Problems()
    with suppress(TooManyProblems):
        values = validate_options(cls, given | kwargs, "", problems, known)
    if problems:
        (first, message), *more = problems
        message += "".join(f"; {cls.__name__}{'.' * bool(path)}{path}: {also}" for path, also in more)
        raise OptionError(message, path=first)
    return values


def _call(self: Any, values: dict[str, Any]) -> None:
    """Run a constructor that somebody wrote. Options of the slot's base that it does not take are set before."""
    cls: Any = type(self)
    own = parameters(cls)
    for name, value in values.items():
        if name not in own:
            setattr(self, name, value)
    arguments = {name: value for name, value in values.items() if name in own}
    variadic = next((name for name, p in own.items() if p.kind is Parameter.VAR_POSITIONAL), None)
    positional = arguments.pop(variadic) if variadic else ()
    cls.__init__(self, *positional, **arguments)


def register(cls: type[C]) -> type[C]:
    """Make a component known to configs under its class's name. Raises OptionError for a taken name, and for an option whose name would
    hide something of a base class."""
    known = REGISTRY.setdefault(cls.slot, {})
    name = cls.__name__
    if name in known:
        raise OptionError(f"the name is taken by {known[name].__module__}.{name}", path=f"{cls.slot} {name}")
    refuse_hidden(cls)
    if writer(cls) is not None:
        options(cls)  # what is a text in it is compiled now, and not while a config is read,
    for base in cls.__mro__:
        if any(isinstance(hint, str) for hint in annotations(base).values()):
            own_annotations(base)  # and so in annotations
    known[name] = cls
    return cls


def config_of(value: Any) -> Any:
    """Plain data that a config can hold: `{type: ..., every option}` for a component."""
    if isinstance(value, Component):
        return {"type": type(value).__name__} | {name: config_of(v) for name, v in value._options.items()}
    if is_dataclass(value):
        return {part.name: config_of(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): config_of(v) for key, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [config_of(v) for v in value]
    return str(value) if isinstance(value, Path) else value


def written(component: Component) -> str:
    """It as a config has it, in a line, without what is its default: `Standardize`, `{type: Impute, strategy: median}`."""
    known = options(type(component))
    given = {name: v for name, v in component._options.items() if known[name].required or not _same(v, known[name].value())}
    name = type(component).__name__
    return flow({"type": name} | config_of(given)) if given else name


def _of_run(kind: Any, value: Any, run: int) -> Any:
    """An option's value in one run: components and lists of them are gone into, one number per run becomes that number."""
    if isinstance(value, Component):
        return value.of_run(run)
    if not isinstance(value, tuple):
        return value
    if get_origin(bare(kind)) is tuple:
        kinds = get_args(bare(kind))
        kinds = kinds[:1] * len(value) if kinds[-1] is Ellipsis else kinds
        return tuple(_of_run(k, v, run) for k, v in zip(kinds, value, strict=True))
    return value[run] if per_run(kind) else value


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and repr(a) == repr(b)
