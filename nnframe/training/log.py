"""The log of one network's training: CSV files with every epoch, and a bar or lines for the person who waits."""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from nnframe.component import Size
from nnframe.errors import FileError
from nnframe.training.callbacks import Callback, State

FLUSH = 1.0  # seconds after which rows go to the disk and the bar shows new numbers


@dataclass(frozen=True)
class Log:
    """`every`: epochs between lines on a terminal without a bar; by default about ten lines in all."""

    every: Size | None = None


class CSVLog(Callback):
    """`losses.csv`, `epoch,step,loss,val_loss,<metrics>,lr`, only what is reproducible; and `timing.csv`, seconds since the start."""

    def __init__(self, folder: Path) -> None:
        self.start = self.flushed = time.monotonic()
        try:
            self.losses = (folder / "losses.csv").open("w", encoding="utf-8", newline="")
            self.timing = (folder / "timing.csv").open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise FileError(f"cannot write to {folder}: {error.strerror}") from None
        self.timing.write("epoch,seconds\n")

    def on_epoch(self, state: State) -> None:
        logs, now = state.logs, time.monotonic()
        if state.epoch == 1:
            rest = [name for name in logs if name not in ("loss", "val_loss", "lr")]
            self.losses.write(",".join(["epoch", "step", "loss", "val_loss", *rest, "lr"]) + "\n")
            self.columns = ["loss", "val_loss", *rest, "lr"]
        self.losses.write(",".join([str(state.epoch), str(state.step), *(cell(logs.get(name)) for name in self.columns)]) + "\n")
        self.timing.write(f"{state.epoch},{now - self.start:.6f}\n")
        if now - self.flushed > FLUSH:
            self.losses.flush()
            self.timing.flush()
            self.flushed = now

    def close(self) -> None:
        self.losses.close()
        self.timing.close()


class Lines(Callback):
    """A line now and then, where there is no terminal."""

    def __init__(self, every: int, out: TextIO | None = None) -> None:
        self.every, self.out = every, out or sys.stdout

    def on_epoch(self, state: State) -> None:
        if state.epoch % self.every == 0 or state.epoch in (1, state.epochs):
            width = len(str(state.epochs))
            print(f"epoch {state.epoch:>{width}}/{state.epochs}  {summary(state.logs)}", file=self.out, flush=True)

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
            self.bar.set_postfix_str(summary(state.logs), refresh=False)
            self.shown = now
        self.bar.update()

    def close(self) -> None:
        self.bar.close()


def cell(value: Any) -> str:
    """A number in as many digits as it takes to read the same number back; nothing for an absent one."""
    return "" if value is None else str(value)


def summary(logs: Mapping[str, Any]) -> str:
    """`loss 0.0016  val_loss 0.002  accuracy 1` for a person to read."""
    return "  ".join(f"{name} {float(value):.4g}" for name, value in logs.items() if name != "lr")
