"""Training all trials: blocks handed to worker processes, rows written as blocks end, and whatever may go wrong on the way.

A worker is an executor of one process, so that it is known which block a process died of.
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from multiprocessing import connection, get_context, parent_process
from typing import Any

import numpy as np

from nnframe import plugins
from nnframe.config.reading import Document
from nnframe.errors import NNFrameError, UsageError
from nnframe.sweeps.block import Block, Outcome, Trainer
from nnframe.sweeps.plan import Stack, Trials

KILLS = 2  # of a worker by one block, until the block is taken apart


@dataclass
class Task:
    """A block to train, and how many workers died of it."""

    block: Block
    kills: int = 0

    def halves(self) -> list["Task"]:
        """The block in two."""
        middle = len(self.block.trials) // 2
        return [Task(_part(self.block, part)) for part in (slice(middle), slice(middle, None))]


Report = Callable[[Block, list[Outcome], int], None]  # a block, what came of it, and the number of its worker


def execute(
    trials: Trials, stacks: list[Stack], missing: np.ndarray, columns: list[str], workers: int, plugin_names: list[str], report: Report
) -> None:
    """Train all trials that are `missing`, a mask, and report each block as it ends. What `report` raises ends it all.

    A setting that cannot be trained, or that kills its worker, becomes a row that says so; its neighbours are trained anew.
    """
    tasks = chain.from_iterable((Task(block_of(trials, stack, part)) for part in stack.blocks(missing)) for stack in stacks)
    if workers == 1:
        _here(tasks, Trainer(trials.document, columns), report)
    else:
        _there(tasks, (trials.document, columns, plugin_names), workers, report)


def _here(tasks: Iterator[Task], trainer: Trainer, report: Report) -> None:
    again: deque[Task] = deque()
    while task := again.popleft() if again else next(tasks, None):
        outcome = attempt(trainer, task.block)
        if isinstance(outcome, list):
            report(task.block, outcome, 0)
        else:
            again.extendleft(reversed(_after(task, outcome, 0, report)))


def _there(tasks: Iterator[Task], setup: tuple[Any, ...], workers: int, report: Report) -> None:
    again: deque[Task] = deque()
    lanes = [_Lane(number, setup) for number in range(workers)]
    running: dict[Future[Any], tuple[_Lane, Task]] = {}
    try:
        while True:
            for lane in lanes:
                if not lane.busy and (task := again.popleft() if again else next(tasks, None)):
                    running[lane.submit(task.block)] = lane, task
            if not running:
                return
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            results = []
            for future in ended:
                lane, task = running.pop(future)
                lane.busy = False
                results.append((lane, task, future))
                if future.exception() is None and (next_task := again.popleft() if again else next(tasks, None)):
                    running[lane.submit(next_task.block)] = lane, next_task  # before rows are written, so that nobody waits
            for lane, task, future in results:
                if isinstance(future.exception(), BrokenProcessPool):
                    started = lane.replace()
                    task.kills += started
                    again.extend([task] if task.kills < KILLS else _after(task, "killed its worker process twice", lane.number, report))
                elif isinstance(outcome := future.result(), list):
                    report(task.block, outcome, lane.number)
                else:
                    again.extend(_after(task, outcome, lane.number, report))
    finally:
        for lane in lanes:
            lane.end()


def _after(task: Task, reason: str, worker: int, report: Report) -> list[Task]:
    """What is left to do for a block that failed: its halves. A single trial is reported as failed."""
    if len(task.block.trials) > 1:
        return task.halves()
    report(task.block, [Outcome({"status": "failed", "epochs": "0", "reason": reason}, [])], worker)
    return []


def attempt(trainer: Trainer, block: Block) -> list[Outcome] | str:
    """Train a block; a text that says why if that cannot be done."""
    try:
        return trainer.train(block)
    except NNFrameError as error:
        return str(error)
    except MemoryError as error:
        return f"out of memory: {error}"
    except Exception as error:  # of a plugin, or a bug of ours: the sweep goes on, and the row tells
        return f"{type(error).__name__}: {error}"


def block_of(trials: Trials, stack: Stack, numbers: np.ndarray) -> Block:
    """Some trials of a stack, by their numbers, as a block."""
    settings = (numbers // len(trials.seeds)).tolist()
    varied = {path: [trials.parameters[path].value(trials.settings[path][s]) for s in settings] for path in stack.varied}
    return Block(numbers.tolist(), stack.shared, varied, [trials.seed(trial) for trial in numbers.tolist()])


class _Lane:
    """One worker process, replaced when it dies."""

    def __init__(self, number: int, setup: tuple[Any, ...]) -> None:
        self.number, self.setup, self.busy = number, setup, False
        self.stillborn = 0  # processes in a row that died before they could do anything
        self._start()

    def _start(self) -> None:
        self.executor = ProcessPoolExecutor(1, get_context("spawn"), _begin, self.setup)
        self.ready = self.executor.submit(os.getpid)

    def replace(self) -> bool:
        """Start another process. Had the last one started at all? Raises UsageError if none ever does."""
        started = self.ready.exception() is None
        self.stillborn = 0 if started else self.stillborn + 1
        if self.stillborn == 3:
            raise UsageError("worker processes cannot start; a script that calls nn.sweep needs `if __name__ == '__main__':` around it")
        self._start()
        return started

    def submit(self, block: Block) -> "Future[Any]":
        self.busy = True
        try:
            return self.executor.submit(_train, block)
        except BrokenProcessPool:  # it died while it had nothing to do
            self.replace()
            return self.executor.submit(_train, block)

    def end(self) -> None:
        """End the process at once, whatever it does."""
        processes = list((getattr(self.executor, "_processes", None) or {}).values())
        self.executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            with suppress(OSError, ValueError):
                process.kill()


# ---------------------------------------------------------------------------------------------- in the worker

_trainer: Trainer


def _begin(document: Document, columns: list[str], plugin_names: list[str]) -> None:
    global _trainer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all processes of a terminal; the parent answers it
    if (parent := parent_process()) is not None:
        threading.Thread(target=_outlive, args=(parent.sentinel,), daemon=True).start()
    for name in plugin_names:
        plugins.load(name)
    _trainer = Trainer(document, columns)


def _outlive(sentinel: int) -> None:
    """No worker outlives its parent."""
    connection.wait([sentinel])
    os._exit(1)


def _train(block: Block) -> list[Outcome] | str:
    return attempt(_trainer, block)


def _part(block: Block, part: slice) -> Block:
    varied = {path: values[part] for path, values in block.varied.items()}
    return Block(block.trials[part], block.shared, varied, block.seeds[part])
