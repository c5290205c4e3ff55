"""The log of one network's training: CSV files with every epoch, and a bar or lines for the person who waits."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from nnframe.components.markers import Size
from nnframe.components.wording import ordinary
from nnframe.system.files import Growing
from nnframe.training.callbacks import Callback, State
from nnframe.training.ensemble import row

FLUSH = 1.0  # seconds after which rows go to the disk,
SHOW = 0.1  # and a bar shows new numbers
WIDEST = 30  # cells of a bar


@dataclass(frozen=True)
class Log:
    """`every`: epochs between lines on a terminal without a bar; by default about ten lines in all."""

    every: Size | None = None


class CSVLog(Callback):
    """`losses.csv`, `epoch,step,loss,val_loss,<metrics>,lr`, only what is reproducible; and `timing.csv`, seconds since the start."""

    def __init__(self, folder: Path) -> None:
        self.losses, self.timing = Growing(folder / "losses.csv"), Growing(folder / "timing.csv")
        self.start = self.flushed = time.monotonic()

    def on_begin(self, state: State) -> None:
        if not state.resumed:
            self.losses.cut(0)
            self.timing.cut(0)
            self.timing.write(b"epoch,seconds\n")

    def on_epoch(self, state: State) -> None:
        now, columns = time.monotonic(), in_order(state.logs)
        if state.epoch == 1:
            self.losses.write(f"{','.join(['epoch', 'step', *columns])}\n".encode())
        self.losses.write(f"{row_of(state, columns)}\n".encode())
        self.timing.write(f"{state.epoch},{now - self.start:.6f}\n".encode())
        if now - self.flushed > FLUSH:
            self.losses.flush()
            self.timing.flush()
            self.flushed = now

    def get_state(self) -> dict[str, np.ndarray]:
        """Length and hash of each file, which are on the disk then; seconds since the start."""
        arrays = {"seconds": np.array(time.monotonic() - self.start)}
        for name, table in (("losses", self.losses), ("timing", self.timing)):
            table.sync()
            arrays |= {f"{name} bytes": np.array(table.bytes), f"{name} hash": np.frombuffer(table.hash.digest(), np.uint8)}
        return arrays

    def set_state(self, arrays: dict[str, np.ndarray]) -> None:
        tables = {"losses": self.losses, "timing": self.timing}
        for name, table in tables.items():  # before any of them is changed
            table.verify(int(arrays[f"{name} bytes"]), arrays[f"{name} hash"].tobytes())
        for name, table in tables.items():
            table.cut(int(arrays[f"{name} bytes"]))
        self.start = time.monotonic() - float(arrays["seconds"])

    def close(self) -> None:
        self.losses.close()
        self.timing.close()


class Lines(Callback):
    """A line now and then, where there is no terminal. `gone` is called once the reader has gone, as with `| head`."""

    def __init__(self, every: int, gone: Callable) -> None:
        self.every, self.gone = every, gone

    def on_epoch(self, state: State) -> None:
        if state.epoch % self.every == 0 or state.epoch in (1, state.epochs):
            width = len(str(state.epochs))
            try:
                print(f"epoch {state.epoch:>{width}}/{state.epochs}  {summary(row(state.logs))}", flush=True)
            except BrokenPipeError:
                quiet(sys.stdout)
                self.gone()

    def close(self) -> None:
        pass


class Bar(Callback):
    """A progress bar on a terminal."""

    def __init__(self, epochs: int, name: str) -> None:
        self.meter = Meter(name, epochs)

    def on_epoch(self, state: State) -> None:
        if self.meter.is_due(state.epoch):
            logs = row(state.logs)
            self.meter.show([entry(name, logs[name]) for name in in_order(logs) if name in logs and name != "lr"])

    def close(self) -> None:
        self.meter.close()


class Meter:
    """One line of a terminal that is written anew now and then, and is gone at the end."""

    def __init__(self, name: str, total: int, done: int = 0) -> None:
        from tqdm import tqdm

        self.name, self.before, self.shown = name, done, 0.0
        start = fitted(20, name, f"{done}/{total}", "", [])  # there may be no more room
        self.bar = tqdm(total=total, initial=done, dynamic_ncols=True, leave=False, bar_format=start)

    def is_due(self, done: int) -> bool:
        """Is it time to show how much is done?"""
        self.bar.n = done
        return time.monotonic() - self.shown > SHOW

    def show(self, entries: Sequence[str]) -> None:
        known = self.bar.format_dict
        done, total, ncols = known["n"], known["total"], known["ncols"]
        seconds = known["elapsed"] / max(done - self.before, 1) * (total - done)
        left = f"{self.bar.format_interval(seconds)} left"
        self.bar.bar_format = fitted((ncols or 80) - 1, self.name, f"{done}/{total}", left, entries)
        self.bar.refresh()
        self.shown = time.monotonic()

    def close(self) -> None:
        self.bar.close()


def fitted(width: int, name: str, count: str, left: str, entries: Sequence[str]) -> str:
    """What stands in a line of so many characters, as tqdm's format: whole entries, the first two of them before all else, and a bar."""
    first, rest = list(entries[:2]), list(entries[2:])
    kept, room = [], width + 2
    for part in filter(None, [*first, count, left, *rest, name]):
        if len(part) + 2 <= room:
            kept.append(part)
            room -= len(part) + 2
    bar = f"|{{bar:{min(room - 4, WIDEST)}}}|" if room >= 10 else ""
    parts = [name, bar, count, *first, *rest, left]
    return "  ".join(part for part in parts if part and (part is bar or part in kept))


def quiet(out: TextIO) -> None:
    """Let an output whose reader has gone lead nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


def in_order(names: Iterable[str]) -> list[str]:
    """The columns of a log as losses.csv has them."""
    return ["loss", "val_loss", *(name for name in names if name not in ("loss", "val_loss", "lr")), "lr"]


def row_of(state: State, columns: Iterable[str]) -> str:
    """The line of an epoch in losses.csv."""
    logs = row(state.logs)
    return ",".join([str(state.epoch), str(state.step), *(cell(logs.get(name)) for name in columns)])


def cell(value: Any) -> str:
    """A number in as many digits as it takes to read the same number back; nothing for an absent one."""
    return "" if value is None else str(value)


def summary(logs: Mapping[str, Any]) -> str:
    """`loss 0.0016  val_loss 0.002  accuracy 1` for a person to read."""
    return "  ".join(entry(name, value) for name, value in logs.items() if name != "lr")


def entry(name: str, value: Any) -> str:
    return f"{name} {ordinary(float(value))}"
