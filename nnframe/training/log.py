"""The log of one network's training: CSV files with every epoch, and a bar or lines for the person who waits."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from nnframe.components.markers import Size
from nnframe.system.files import Growing
from nnframe.training.callbacks import Callback, State
from nnframe.training.ensemble import row

FLUSH = 1.0  # seconds after which rows go to the disk and the bar shows new numbers


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
        from tqdm import tqdm

        self.bar = tqdm(total=epochs, desc=name, unit="epoch", dynamic_ncols=True, leave=False)
        self.shown = 0.0

    def on_epoch(self, state: State) -> None:
        now = time.monotonic()
        if now - self.shown > 0.1:
            self.bar.set_postfix_str(summary(row(state.logs)), refresh=False)
            self.shown = now
        self.bar.update(state.epoch - self.bar.n)  # not 1 in the first epoch after an interruption

    def close(self) -> None:
        self.bar.close()


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
    return "  ".join(f"{name} {float(value):.4g}" for name, value in logs.items() if name != "lr")
