"""What a config may say, and the check of one: all its mistakes at once, each with file, line, path and what was expected."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

from nnframe.components.component import config_of
from nnframe.components.markers import Filled, Matches, Range, bare
from nnframe.components.options import is_options, options
from nnframe.components.registry import known_to, slots_of
from nnframe.components.walk import Problems, TooManyProblems, validate
from nnframe.components.wording import shown
from nnframe.config.reading import COMMAND_LINE, Document
from nnframe.config.sections import Sweep
from nnframe.data.source import Source
from nnframe.errors import ColumnsError, ConfigError, NNFrameError, OptionError, join
from nnframe.layers.base import Layer
from nnframe.layers.weights import Start
from nnframe.losses.base import Loss
from nnframe.metrics.base import Metric
from nnframe.optimizers.base import Optimizer
from nnframe.training.callbacks import Callback
from nnframe.training.log import Log
from nnframe.training.loop import Train

NAME = Matches(  # and no name of a device on Windows
    r"(?!([Cc][Oo][Nn]|[Pp][Rr][Nn]|[Aa][Uu][Xx]|[Nn][Uu][Ll]|[Cc][Oo][Mm][0-9]|[Ll][Pp][Tt][0-9])(\.|$))"
    r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,98}[A-Za-z0-9_-])?",
    "up to 100 letters, digits, '_', '-' and '.', since it names a folder",
)


@dataclass(frozen=True)
class Experiment:
    """The keys of a config.

    A `model` of layers in their order learns from `data`: the `optimizer` makes the `loss` small, as `train` says. `name` is that of the
    run's folder, the file's own unless given; `seed` draws weights, batches, parts of the data and what else is drawn; trained `weights` of
    another run are begun with instead. The log has a column for each of `metrics`; `callbacks` act at the end of an epoch; `predict` names
    rows of inputs whose outputs are told in the end. An `ensemble` of so many networks is trained at once, and predicts as one; a `sweep`
    trains many such networks to compare them.
    """

    besides: ClassVar = ("extends",)  # what is read before

    data: Source
    model: Annotated[tuple[Layer, ...], Filled()]
    loss: Loss
    optimizer: Optimizer
    train: Train
    name: Annotated[str, NAME] = "run"
    seed: Annotated[int, Range(min=0, max=2**63 - 1)] = 0
    ensemble: Annotated[int, Range(min=2, max=1024)] | None = None  # networks that are trained as one, with seeds from `seed` on
    dtype: Literal["float32", "float64"] = "float32"
    weights: Start | None = None
    metrics: tuple[Metric | Loss, ...] = ()
    callbacks: tuple[Callback, ...] = ()
    predict: dict[str, dict[str, float | str]] = field(default_factory=dict)
    log: Log = field(default_factory=Log)
    sweep: Sweep | None = None

    def __post_init__(self) -> None:
        if self.ensemble is not None and self.seed + self.ensemble > 2**63:
            raise OptionError(f"from seed {self.seed} on there are no {self.ensemble} seeds; choose a smaller seed", path="ensemble")

    @property
    def seeds(self) -> Any:
        """Of the model: one, or one for each member of an ensemble."""
        return self.seed if self.ensemble is None else range(self.seed, self.seed + self.ensemble)


def is_sweep(document: Document) -> bool:
    """Does a config train several networks: has it a section `sweep`, or folds of which none is chosen?"""
    data = document.data.get("data")
    cv = data.get("cv") if isinstance(data, dict) else None
    return document.data.get("sweep") is not None or (cv is not None and not (isinstance(cv, dict) and cv.get("only") is not None))


def checked(document: Document) -> Experiment:
    """The experiment that a document describes. Raises ConfigError with every mistake in it."""
    experiment, problems = inspected(document)
    if experiment is None:
        raise located(document, problems)
    return experiment


def inspected(document: Document, *, one_network: bool = True) -> tuple[Experiment | None, list[tuple[str, str]]]:
    """The experiment that a document describes, or None and what is wrong: (dotted path, message)."""
    problems = _Problems(document)
    problems.one_network = one_network
    data = dict(document.data)
    if document.path is not None:
        data.setdefault("name", re.sub(r"[^A-Za-z0-9_.-]+", "-", document.path.stem).lstrip(".-") or "run")
    if data.pop("extends", None) is not None:  # of a file it has been read
        problems.append(("extends", "can only stand in a file, to which its path is relative; name that file as the config"))
    experiment = None
    with suppress(TooManyProblems):
        experiment = validate(Experiment, data, "", problems)
        for path, text in _unwritable(config_of(experiment)):
            problems.append((path, f"expected text in UTF-8, as a run's config.yaml has to hold it, got {text}; rename the file or folder"))
    if (members := document.data.get("ensemble")) is not None and is_sweep(document):
        folds = document.data.get("sweep") is None
        what = "the folds of data.cv are a sweep, and a sweep" if folds else "a sweep"
        alone = ", or add data.cv.only: 0 for an ensemble on one fold" if folds else ""
        count = f": {members}" if isinstance(members, int) else ""
        told = f"{what} trains seeds by itself; write sweep.seeds{count} in place of it, since a sweep's folder is an ensemble too{alone}"
        problems.append(("ensemble", told))
    return None if problems else experiment, [(path, f"{told}{_several(document) if path == 'seed' else ''}") for path, told in problems]


def _several(document: Document) -> str:
    """What to write in place of a list where one seed stands."""
    from nnframe.components.names import number  # like difflib in it, only needed once something went wrong

    given = document.data["seed"]
    texts = re.split(r"[\s,]+", given.strip(" ,")) if isinstance(given, str) else given if isinstance(given, list) else []
    if len(texts) < 2 or (isinstance(given, str) and number(given) is not None) or not all(str(text).isdecimal() for text in texts):
        return ""
    seeds = ", ".join(map(str, texts[:20])) + (", ..." if len(texts) > 20 else "")
    write = (
        f"'sweep.seeds=[{seeds.replace(' ', '')}]'"
        if document.where("seed") == COMMAND_LINE
        else f"sweep: {{seeds: [{seeds}]}} in its place"
    )
    return f"; for several write {write}"


def _unwritable(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Texts that no file in UTF-8 can hold, by dotted path: Python has the bytes of other file names as surrogates."""
    if isinstance(value, str) and not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _unwritable(inner, join(path, key))


def located(document: Document, problems: list[tuple[str, str]], mend: str = "") -> ConfigError:
    """Problems by dotted path as one error, in the order in which they stand in the file."""
    ordered = sorted(problems, key=lambda problem: document.mark(problem[0])[1:])
    lines = [f"{document.where(path)}: {path}: {message}" if path else f"{document.where(path)}: {message}" for path, message in ordered]
    return ConfigError(lines, ordered, mend)


def each_of(error: NNFrameError, within: str) -> list[tuple[str, str]]:
    """Dotted path and message of an error, or of each that it has, seen from further out."""
    each = error.each if isinstance(error, ColumnsError) else [error]
    return [(".".join(filter(None, (within, one.path))), one.message) for one in each]


def _places(name: str, value: Any) -> Iterator[str]:
    """Where in a config a key could stand, compared as `plain` has it; for a `type`, where its value is known."""
    from nnframe.components.names import plain

    if any(plain(key) == name for key in options(Experiment)):
        yield "at the top of the config"
        return  # what most people mean, whoever else has an option of this name
    for key, option in options(Experiment).items():
        base, slots = bare(option.kind), slots_of(option.kind)
        known = known_to(*slots)
        holders = [base] if is_dataclass(base) else known.values()
        if str(value) in known if name == "type" else any(plain(inner) == name for holder in holders for inner in options(holder)):
            yield f"in a {slots[0]} of {key}" if get_origin(base) is tuple else f"in {key}"


def paths_in(data: Any) -> Iterator[str]:
    """The dotted paths of all values in a config, and then of what else could stand there."""

    def inside(value: Any, path: str) -> Iterator[str]:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
            yield join(path, key)
            yield from inside(inner, join(path, key))

    found = list(inside(data, ""))
    for key, option in options(Experiment).items():
        kinds = [kind for kind in (bare(option.kind), *map(bare, get_args(option.kind))) if is_options(kind)]
        many = get_origin(bare(option.kind)) is tuple  # its items are numbered
        holders = [*kinds, *(() if many else known_to(*slots_of(option.kind)).values())]
        found += [key, *(join(key, name) for holder in holders for name in options(holder))]
    yield from dict.fromkeys(found)


class _Problems(Problems):
    def home(self, path: str, key: str, value: Any) -> str:
        from nnframe.components.hints import form
        from nnframe.components.names import plain, theirs

        if path in ("", key) and self.document.mark(key)[0] == COMMAND_LINE:
            others = {name: inner for name, inner in self.document.data.items() if name != key}
            named = {key, *theirs().get(plain(key), ())}
            found = [place for place in paths_in(others) if "." in place and place.rpartition(".")[2] in named]
            if near := [place for place in found if place.count(".") == min(map(len, (place.split(".") for place in found))) - 1]:
                return f" Write {' or '.join(f'{place}={shown(value)}' for place in near[:3])}."
        for name in (key, *theirs().get(plain(key), ())) if len(key) > 1 else ():
            if places := [place for place in _places(plain(name), value) if not path.startswith(f"{place.rpartition(' ')[2]}.")]:
                where = " or ".join(places[:2])
                return f" It belongs {where}." if name == key else f" Did you mean {name!r}, {where}?"
        for option in options(Experiment).values():
            known = known_to(*slots_of(option.kind))
            for name, cls in known.items():
                if plain(name) == plain(key) and not path.startswith(f"{option.name}."):
                    write = f"[{form(cls)}]" if get_origin(bare(option.kind)) is tuple else form(cls)
                    return f" Write {option.name}: {write}."
        return ""

    def __init__(self, document: Document) -> None:
        super().__init__()
        self.document = document

    def folder(self, path: str) -> Path:
        return self.document.folder(path)
