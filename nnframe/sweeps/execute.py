"""Training all trials: blocks handed to worker processes, rows written as blocks end, and whatever may go wrong on the way.

A worker is an executor of one process, so that it is known which block a process died of.
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from multiprocessing import connection, get_context, parent_process
from typing import Any

import numpy as np

from nnframe.components import plugins
from nnframe.config.reading import Document
from nnframe.errors import NNFrameError, UsageError
from nnframe.sweeps.block import Block, Outcome, Trainer
from nnframe.sweeps.keep import Keep, Unkept
from nnframe.sweeps.plan import Stack, Trials
from nnframe.sweeps.sources import Changed, Sources
from nnframe.system.signals import Interrupted, caught, theirs

KILLS = 2  # of a worker by one block, until the block is taken apart
UNGUARDED = "worker processes cannot start; a script that calls nn.sweep needs `if __name__ == '__main__':` around it"
LOOK = 0.2  # seconds after which a waiting parent looks whether a signal has come


class Stop:
    """A signal that has come. It ends the sweep between two blocks, so that none is written in part, or at once within `at_once`."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.anywhere = False

    def note(self, number: int) -> None:
        self.signal = number
        if self.anywhere:
            self.check()

    def check(self) -> None:
        """Raise Interrupted if a signal has come."""
        if self.signal is not None:
            raise Interrupted(self.signal)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Around work that leaves nothing half done when it is broken off."""
        self.anywhere = True
        try:
            self.check()
            yield
        finally:
            self.anywhere = False


@contextmanager
def stoppable() -> Iterator[None]:
    """Around work of its own that a signal ends at once. Raises Interrupted."""
    stop = Stop()
    with caught(stop.note), stop.at_once():
        yield


@contextmanager
def told_later() -> Iterator[None]:
    """Around a look ahead at settings: one that cannot be trained tells so when it is its turn, and no plugin ends the process."""
    with suppress(Exception), theirs():
        yield


Report = Callable[[Block, list[Outcome], int], None]  # a block, what came of it, and the number of its worker


@dataclass
class Task:
    """A block to train, and how many workers died of it."""

    block: Block
    kills: int = 0

    def halves(self) -> list["Task"]:
        """The block in two."""
        middle = len(self.block.trials) // 2
        return [Task(self.block.part(part)) for part in (range(middle), range(middle, len(self.block.trials)))]


class Tasks:
    """The blocks that are left, those to be done again first, and what becomes of them."""

    def __init__(self, blocks: Iterator[Block], report: Report) -> None:
        self.new, self.report = map(Task, blocks), report
        self.again: deque[Task] = deque()

    def next(self) -> Task | None:
        return self.again.popleft() if self.again else next(self.new, None)

    def ended(self, task: Task, outcome: list[Outcome] | str, worker: int) -> None:
        """Report a block. One that failed is done again in halves, a single trial is reported as failed."""
        if isinstance(outcome, list):
            self.report(task.block, outcome, worker)
        elif len(task.block.trials) > 1:
            self.again.extendleft(reversed(task.halves()))
        else:
            self.report(task.block, [Outcome.failed(outcome)], worker)

    def killed(self, task: Task, how: str, worker: int) -> None:
        """Have a block that its worker died of done again."""
        task.kills += 1
        if task.kills < KILLS:
            self.again.appendleft(task)
        else:
            self.ended(task, f"killed its worker process twice ({how})", worker)


def execute(
    trials: Trials,
    stacks: Sequence[Stack],
    missing: np.ndarray,
    columns: list[str],
    sources: Sources,
    workers: int,
    plugin_names: Sequence[str],
    report: Report,
    stop: Stop,
    keep: Keep | None = None,
) -> None:
    """Train all trials that are `missing`, a mask, and report each block as it ends. What `report` raises ends it all.

    A setting that cannot be trained, or that kills its worker, becomes a row that says so; its neighbours are trained anew.
    Raises Interrupted soon after a signal, Changed for data that is not what `sources` knows, and Unkept.
    """
    blocks = chain.from_iterable((Block.of(trials, stack, part) for part in stack.blocks(missing)) for stack in stacks)
    tasks = Tasks(blocks, report)
    if workers == 1:
        _here(tasks, Trainer(trials.document, columns, sources, test=trials.test, keep=keep), stop)
    else:
        sources.loaded.clear()  # the workers read for themselves
        _there(tasks, (trials.document, columns, sources.hashes, trials.test, keep, plugin_names), workers, stop)


def _here(tasks: Tasks, trainer: Trainer, stop: Stop) -> None:
    while task := tasks.next():
        with stop.at_once():
            outcome = attempt(trainer, task.block)
        tasks.ended(task, outcome, 0)
        stop.check()


def _there(tasks: Tasks, setup: tuple[Any, ...], workers: int, stop: Stop) -> None:
    lanes: list[_Lane] = []
    running: dict[Future[Any], tuple[_Lane, Task]] = {}
    try:
        lanes += (_Lane(number, setup) for number in range(workers))
        idle = list(lanes)
        while True:
            while idle and (task := tasks.next()):
                lane = idle.pop()
                running[lane.submit(task.block)] = lane, task
            if not running:
                return
            ended, _ = wait(running, LOOK, FIRST_COMPLETED)
            stop.check()
            done = [(future, *running.pop(future)) for future in ended]
            for future, lane, _ in done:  # before any row is written, so that nobody waits
                if future.exception() is None and (task := tasks.next()):
                    running[lane.submit(task.block)] = lane, task
                else:
                    idle.append(lane)
            for future, lane, task in done:
                if not isinstance(future.exception(), BrokenProcessPool):
                    tasks.ended(task, future.result(), lane.number)
                elif lane.replace():
                    tasks.killed(task, lane.how, lane.number)
                else:  # it died before it could begin
                    tasks.again.appendleft(task)
    finally:
        for lane in lanes:
            lane.end()


def attempt(trainer: Trainer, block: Block) -> list[Outcome] | str:
    """Train a block; a text that says why if that cannot be done. Raises Changed and Unkept."""
    try:
        with theirs():
            return trainer.train(block)
    except (Changed, Unkept):
        raise
    except NNFrameError as error:
        return "; ".join(str(error).splitlines())
    except MemoryError as error:
        return f"out of memory: {error}"
    except Exception as error:  # of a plugin, or a bug of ours: the sweep goes on, and the row tells
        return "; ".join(f"{type(error).__name__}: {error}".splitlines())


class _Lane:
    """One worker process, replaced when it dies; `how` tells the end of the last one that did."""

    def __init__(self, number: int, setup: tuple[Any, ...]) -> None:
        self.number, self.setup, self.how = number, setup, ""
        self.stillborn = 0  # processes in a row that died before they could do anything
        self._start()

    def _start(self) -> None:
        self.executor = ProcessPoolExecutor(1, get_context("spawn"), _begin, self.setup)
        self.ready = self.executor.submit(os.getpid)
        self.processes = list((getattr(self.executor, "_processes", None) or {}).values())

    def replace(self) -> bool:
        """Start another process. Had the last one started at all? Raises UsageError if none ever does."""
        self.executor.shutdown()
        self.how = ", ".join(map(_how, self.processes))
        started = self.ready.exception() is None
        self.stillborn = 0 if started else self.stillborn + (self.how != "SIGKILL")
        if self.stillborn == 3:
            raise UsageError(UNGUARDED)
        self._start()
        return started

    def submit(self, block: Block) -> "Future[Any]":
        try:
            return self.executor.submit(_train, block)
        except BrokenProcessPool:  # it died while it had nothing to do
            self.replace()
            return self.executor.submit(_train, block)

    def end(self) -> None:
        """End the process at once, whatever it does."""
        self.executor.shutdown(wait=False, cancel_futures=True)
        for process in self.processes:
            with suppress(OSError, ValueError):
                process.kill()


def _how(process: Any) -> str:
    """How a process ended."""
    code = process.exitcode
    with suppress(ValueError, TypeError):
        return signal.Signals(-code).name
    return f"exit status {code}"


# ---------------------------------------------------------------------------------------------- in the worker

_trainer: Trainer


def _begin(
    document: Document, columns: list[str], hashes: dict[str, str], test: bool, keep: Keep | None, plugin_names: Sequence[str]
) -> None:
    global _trainer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all processes of a terminal; the parent answers it
    if (parent := parent_process()) is not None:
        threading.Thread(target=_outlive, args=(parent.sentinel,), daemon=True).start()
    for name in plugin_names:
        plugins.load(name)
    _trainer = Trainer(document, columns, Sources(hashes), test=test, keep=keep)


def _outlive(sentinel: int) -> None:
    """No worker outlives its parent."""
    connection.wait([sentinel])
    os._exit(1)


def _train(block: Block) -> list[Outcome] | str:
    return attempt(_trainer, block)
