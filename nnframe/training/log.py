"""The log of one network's training: CSV files with every epoch, and a bar or lines for the person who waits."""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from nnframe import files
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
        self.losses, self.timing = _Table(folder / "losses.csv"), _Table(folder / "timing.csv")
        self.start = self.flushed = time.monotonic()

    def on_begin(self, state: State) -> None:
        if not state.step:
            self.losses.cut(0, b"")
            self.timing.cut(0, b"")
            self.timing.write("epoch,seconds\n")

    def on_epoch(self, state: State) -> None:
        logs, now = state.logs, time.monotonic()
        columns = ["loss", "val_loss", *(name for name in logs if name not in ("loss", "val_loss", "lr")), "lr"]
        if state.epoch == 1:
            self.losses.write(",".join(["epoch", "step", *columns]) + "\n")
        self.losses.write(",".join([str(state.epoch), str(state.step), *(cell(logs.get(name)) for name in columns)]) + "\n")
        self.timing.write(f"{state.epoch},{now - self.start:.6f}\n")
        if now - self.flushed > FLUSH:
            self.losses.flush()
            self.timing.flush()
            self.flushed = now

    def get_state(self) -> dict[str, np.ndarray]:
        """Length and hash of each file, which are on the disk then; seconds since the start."""
        seconds = np.array(time.monotonic() - self.start)
        return {"seconds": seconds} | self.losses.get_state("losses") | self.timing.get_state("timing")

    def set_state(self, arrays: dict[str, np.ndarray]) -> None:
        self.losses.cut(int(arrays["losses bytes"]), arrays["losses hash"].tobytes())
        self.timing.cut(int(arrays["timing bytes"]), arrays["timing hash"].tobytes())
        self.start = time.monotonic() - float(arrays["seconds"])

    def close(self) -> None:
        self.losses.close()
        self.timing.close()


class _Table:
    """A file that grows at its end, and can be cut back to what it was. Raises FileError where it cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path, self.bytes, self.hash = path, 0, blake2b()
        self.waiting: list[bytes] = []
        try:
            self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise FileError(f"cannot write {path}: {error.strerror}") from None

    def write(self, text: str) -> None:
        self.waiting.append(text.encode())

    def flush(self) -> None:
        """Hand what was written to the system."""
        rest = memoryview(b"".join(self.waiting))
        try:
            while rest:
                written = os.write(self.descriptor, rest)
                self.bytes += written
                self.hash.update(rest[:written])
                rest = rest[written:]
        except OSError as error:
            self.waiting = [bytes(rest)]
            raise files.unwritten(self.path, error, len(rest)) from None
        self.waiting = []

    def get_state(self, name: str) -> dict[str, np.ndarray]:
        self.flush()
        try:
            os.fsync(self.descriptor)
        except OSError as error:
            raise files.unwritten(self.path, error, self.bytes) from None
        return {f"{name} bytes": np.array(self.bytes), f"{name} hash": np.frombuffer(self.hash.digest(), np.uint8)}

    def cut(self, size: int, digest: bytes) -> None:
        """Drop all but the first `size` bytes. Raises FileError if these are not those that were hashed."""
        self.bytes, self.hash, self.waiting = size, blake2b(), []
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        rest = size
        while rest and (part := os.read(self.descriptor, min(rest, 2**20))):
            self.hash.update(part)
            rest -= len(part)
        if size and (rest or self.hash.digest() != digest):
            raise FileError(f"{self.path} is not what training wrote: its first {size:,} bytes were changed, so it cannot go on")
        os.ftruncate(self.descriptor, size)
        os.lseek(self.descriptor, size, os.SEEK_SET)

    def close(self) -> None:
        if self.descriptor >= 0:
            try:
                self.flush()
            finally:
                os.close(self.descriptor)
                self.descriptor = -1


class Lines(Callback):
    """A line now and then, where there is no terminal."""

    def __init__(self, every: int, out: TextIO | None = None) -> None:
        self.every, self.out = every, out or sys.stdout

    def on_epoch(self, state: State) -> None:
        if state.epoch % self.every == 0 or state.epoch in (1, state.epochs):
            width = len(str(state.epochs))
            try:
                print(f"epoch {state.epoch:>{width}}/{state.epochs}  {summary(state.logs)}", file=self.out, flush=True)
            except BrokenPipeError:  # the reader has gone, and SIGPIPE has come too: training ends after a checkpoint
                quiet(self.out)

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
        self.bar.update(state.epoch - self.bar.n)  # not 1 in the first epoch after an interruption

    def close(self) -> None:
        self.bar.close()


def quiet(out: TextIO) -> None:
    """Let an output whose reader has gone lead nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


def cell(value: Any) -> str:
    """A number in as many digits as it takes to read the same number back; nothing for an absent one."""
    return "" if value is None else str(value)


def summary(logs: Mapping[str, Any]) -> str:
    """`loss 0.0016  val_loss 0.002  accuracy 1` for a person to read."""
    return "  ".join(f"{name} {float(value):.4g}" for name, value in logs.items() if name != "lr")
