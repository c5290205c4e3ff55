"""`nnframe diff`: what differs between two configs, or the folders of two runs or sweeps."""

import filecmp
import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, islice, zip_longest
from pathlib import Path
from typing import Any

from nnframe.command import changes
from nnframe.components.component import config_of
from nnframe.components.wording import aligned
from nnframe.config.compose import load
from nnframe.config.experiment import inspected, located
from nnframe.errors import FileError, join, printable
from nnframe.runs.folder import DATA, LOG, config_in, read_record, read_rows
from nnframe.runs.replay import Change, differences_in
from nnframe.training.checkpoint import differences

BUILT = {"train.blas_threads": "auto", "train.eval_batch_size": None, "sweep.confirm.top": None}  # known once it is built, as in a folder
LONG, SOME = 100, 5  # items of a list that are put beside each other, and numbers of one list that are told
UNTIMED = ("seconds", "worker")  # columns of trials.csv that no config decides


@dataclass(frozen=True)
class _Side:
    """A config, and the folder that it stands in if that is of a run or a sweep."""

    path: Path
    config: dict[str, Any]
    folder: Path | None
    record: dict[str, Any]

    @classmethod
    def of(cls, path: Path) -> "_Side":
        """Raises FileError, and ConfigError for a config that is none; what a folder has is taken as it is."""
        folder = path if path.is_dir() else None
        document = load(path if folder is None else config_in(folder))
        experiment, problems = inspected(document)
        if experiment is None and folder is None:
            raise located(document, problems)
        config = document.data if experiment is None else config_of(experiment)
        order = [*(key for key in ("name", "seed", "dtype") if key in config), *config]
        config = {key: config[key] for key in order if config[key] is not None or key != "sweep"}
        return cls(path, config, folder, {} if folder is None else read_record(folder))

    @property
    def is_sweep(self) -> bool:
        return self.folder is not None and (self.folder / "trials.csv").exists()


def show(a: Path, b: Path) -> int:
    """Print what differs. Returns the exit status, as diff does: 1 if anything differs."""
    sides = _Side.of(a), _Side.of(b)
    found = list(_configs(*sides))
    told: list[str] = []
    both = None not in (sides[0].folder, sides[1].folder)
    if both:
        found += differences_in(sides[0].record, sides[1].record, ("status", "versions"))
        found += differences(_hashes(sides[0].record), _hashes(sides[1].record), DATA)
        if sides[0].is_sweep == sides[1].is_sweep:
            try:
                told = list((_sweeps if sides[0].is_sweep else _runs)(*sides))
            except FileError as error:
                told = [f"not compared: {error}"]
    for line in changes.lines(found):
        print(line)
    for line in told:
        print(printable(line))
    if not found and not told:
        print("nothing differs" + (", to the last digit of every epoch" if both else ""))
    return 1 if found or told else 0


def _configs(one: _Side, other: _Side) -> Iterator[Change]:
    """What differs in the complete configs."""
    every = (change for pair in differences(one.config, other.config) for change in _items(*pair))
    for parent, group in groupby(every, key=_list_of):
        some = [change for change in group if not _only_later(change, one, other) and not _same_file(*change[1:])]
        yield from some if parent is None or len(some) <= SOME + 1 else some[:SOME]
        if parent is not None and len(some) > SOME + 1:
            yield parent, f"and {len(some) - SOME:,} more items", "others"


def _items(path: str, was: Any, now: Any) -> Iterator[Change]:
    """Lists of several lengths, such as layers, item by item where they are not the same."""
    if not (isinstance(was, list) and isinstance(now, list) and max(len(was), len(now)) <= LONG):
        yield path, was, now
        return
    texts = [[json.dumps(item, default=str) for item in items] for items in (was, now)]
    for tag, start, end, begin, stop in SequenceMatcher(None, texts[0], texts[1], autojunk=False).get_opcodes():
        if tag != "equal":
            pairs = zip_longest(range(start, end), range(begin, stop))
            for i, j in pairs:
                yield from differences(... if i is None else was[i], ... if j is None else now[j], join(path, j if i is None else i))


def _list_of(change: Change) -> str | None:
    """The list that a number or a text is an item of, if it is one."""
    parent, _, key = change[0].rpartition(".")
    return parent if key.isdecimal() and not any(isinstance(value, (dict, list)) for value in change[1:]) else None


def _only_later(change: Change, one: _Side, other: _Side) -> bool:
    """Is it what a config leaves open, and a folder has, since its config has been built?"""
    path, *values = change
    open_now = [value for value, side in zip(values, (one, other), strict=True) if side.folder is None]
    return path in BUILT and len(open_now) == 1 and open_now[0] == BUILT[path]


def _same_file(was: Any, now: Any) -> bool:
    """Do two paths lead to the same bytes?"""
    if not (isinstance(was, str) and isinstance(now, str) and Path(was).is_absolute() and Path(now).is_absolute()):
        return False
    try:
        return filecmp.cmp(was, now, shallow=False)
    except (OSError, ValueError):
        return False


def _runs(one: _Side, other: _Side) -> Iterator[str]:
    """The first row in which two logs differ, and how both ended."""
    assert one.folder is not None and other.folder is not None
    if not (found := list(_first(read_rows(one.folder / LOG), read_rows(other.folder / LOG), ("epoch",)))):
        return
    yield from (f"{LOG}: {line}" for line in found)
    results = [side.record.get("results") for side in (one, other)]
    ends = [result if isinstance(result, dict) else {} for result in results]
    if any(ends):
        table = [["at its end:", str(one.path), str(other.path)]]
        table += [[f"  {name}", *(_number(end.get(name)) for end in ends)] for name in ends[0] | ends[1]]
        yield from aligned(table)


def _sweeps(one: _Side, other: _Side) -> Iterator[str]:
    """The first rows in which the tables of two sweeps differ, and the best settings of both."""
    from nnframe.sweeps import results

    a, b = one.path, other.path
    if not all(results.complete(folder) for folder in (a, b)):
        yield "trials.csv: not compared, since one of the sweeps has not finished"
        return
    for name, keys in (("trials.csv", ("trial",)), (LOG, ("trial", "epoch"))):
        yield from (f"{name}: {line}" for line in _first(read_rows(a / name), read_rows(b / name), keys))
    best = [_first_row(folder / "summary.csv") for folder in (a, b)]
    if best[0] != best[1]:
        names = [name for name in best[0] | best[1] if name not in ("rank", "behind", "p")]
        yield from aligned(
            [["best setting:", str(a), str(b)], *([f"  {name}", *(_number(one.get(name)) for one in best)] for name in names)]
        )


def _first_row(path: Path) -> dict[str, str]:
    """Of a table, by column; empty if there is none."""
    head, *rows = islice(read_rows(path), 2)
    return dict(zip(head, rows[0], strict=True)) if rows else {}


def _first(rows: Any, others: Any, keys: tuple[str, ...]) -> Iterator[str]:
    """In which columns two tables differ, and in which row first: its place, by `keys`, and the first cell there."""
    rows, others = iter(rows), iter(others)
    head, other_head = next(rows), next(others)
    if head != other_head:
        only = [[name for name in one if name not in two] for one, two in ((head, other_head), (other_head, head))]
        yield f"columns {', '.join(only[0]) or 'in this order'} | {', '.join(only[1]) or 'in another'}"
    if lacking := [key for key in keys for names in (head, other_head) if key not in names]:
        yield f"not compared: one of them has no column {lacking[0]!r}"
        return
    places = [(name, head.index(name), other_head.index(name)) for name in head if name in other_head and name not in UNTIMED]
    count = 0
    for count, (row, other) in enumerate(zip_longest(rows, others), 1):
        if row is None or other is None:
            yield f"the first {count - 1:,} rows are the same, and then one of them ends"
            return
        place, other_place = (
            ", ".join(f"{key} {cells[names.index(key)]}" for key in keys) for cells, names in ((row, head), (other, other_head))
        )
        if place != other_place:
            yield f"row {count:,} is of {place} | {other_place}"
            return
        for name, i, j in places:
            if row[i] != other[j]:
                yield f"first differs in {place}: {name} {row[i] or 'empty'} | {other[j] or 'empty'}"
                return


def _hashes(record: dict[str, Any]) -> Any:
    """Of the data of a sweep."""
    identity = record.get("identity")
    return identity.get(DATA) if isinstance(identity, dict) else None


def _number(value: Any) -> str:
    return "" if value is None else str(value)
