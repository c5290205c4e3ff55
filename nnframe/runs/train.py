"""Training what a config describes, in a folder of its own: from the first step, or from where a checkpoint stands."""

import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from nnframe.components.wording import ordinary
from nnframe.config.build import Job, build
from nnframe.config.reading import Document
from nnframe.errors import FileError, printable
from nnframe.runs.advice import advice, print_advice
from nnframe.runs.ending import members, of_members, of_one
from nnframe.runs.folder import RunFolder, identity, read_record, resume_command
from nnframe.runs.voice import COMMAND, PYTHON, Voice
from nnframe.system import files
from nnframe.system.signals import SIGPIPE, Interrupted, theirs
from nnframe.training.checkpoint import Checkpoints, CheckpointWarning
from nnframe.training.log import Bar, CSVLog, Lines

LINE = 120  # characters of a list of classes that is worth reading


def run(document: Document, out: Path, silent: bool, plugin_names: Sequence[str] = ()) -> int:
    """Train a config in a folder of its own. Raises NNFrameError for anything wrong, before the folder is made."""
    job = build(document, test=True)
    print_advice(job)
    record = RunFolder.new(job, out)
    with files.owned(record.folder):
        return train(job, record, silent, plugin_names)


def run_in_python(document: Document, out: Path) -> tuple[Job, Path]:
    """The same for a program, which is told by warnings. Raises Interrupted after a signal."""
    job = build(document, test=True)
    for line in advice(job):
        PYTHON.warn(line)
    record = RunFolder.new(job, out)
    with files.owned(record.folder):
        status = train(job, record, True, (), PYTHON)
    if status >= 128:
        raise Interrupted(status - 128)
    return job, record.folder


def resume(folder: Path, document: Document, silent: bool, plugin_names: Sequence[str] = ()) -> int:
    """Go on with the run of a folder that this process owns. Raises NNFrameError, and changes nothing, if that cannot be done."""
    job, before = build(document, test=True), read_record(folder)
    record = RunFolder(job, folder, before)
    status, results = before.get("status"), before.get("results")
    if status in ("finished", "diverged") and isinstance(results, dict) and "epochs" in results and not record.changed():
        print(printable(f"this run has {status} after {results['epochs']} epochs; nothing is left to do"))
        print(folder)
        return 1 if status == "diverged" else 0
    log = folder / "losses.csv"
    if log.is_file() and log.stat().st_size and not any((folder / name).exists() for name in ("checkpoint.npz", "checkpoint.before.npz")):
        print(f"warning: {folder} has no checkpoint.npz, so training begins anew, and so does {log.name}", file=sys.stderr)
    return train(job, record, silent, plugin_names)


def train(job: Job, record: RunFolder, silent: bool, plugin_names: Sequence[str], voice: Voice = COMMAND) -> int:
    """Train from the folder's checkpoint, or from the beginning, to the end or a signal. Returns the exit status."""
    experiment, training, folder = job.experiment, job.training, record.folder
    say: Callable[[str], None] = (lambda text: None) if silent else (lambda text: print(printable(text)))
    say(headline(job))
    for note in job.data.training.notes:
        say(f"note: {note}")
    if classes := class_line(job):
        say(classes)
    epochs, checkpoints = experiment.train.epochs, Checkpoints(folder, experiment.train.checkpoint, identity(job.resolved, job.data_hash))
    watchers: list[Any] = [record, CSVLog(folder)]
    if not silent:
        lines = Lines(experiment.log.every or max(epochs // 10, 1), lambda: checkpoints.interrupt(SIGPIPE))
        watchers.append(Bar(epochs, experiment.name) if sys.stdout.isatty() and sys.stderr.isatty() else lines)
    again = resume_command(folder, plugin_names)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", CheckpointWarning)
            warnings.showwarning = lambda message, *_: voice.warn(f"warning: {message}")
            try:
                with checkpoints.guarding(), theirs(placed=True):
                    history = training.run(watchers, checkpoints=checkpoints, warn=False)
            finally:
                for watcher in watchers:
                    watcher.close()
    except Interrupted as stop:
        if experiment.ensemble:
            record.record["members"] = members(job, "interrupted")
        record.finish("interrupted", {"epochs": training.done})
        if stop.signal != SIGPIPE:
            place = f"epoch {training.done + 1}, step {training.step} of {training.batches.steps}"
            voice.warn(f"{stop} in {place}; {training.goes_on} with\n  {again}")
            voice.end(folder)
        return 128 + stop.signal
    except BaseException as error:
        with suppress(FileError):
            record.ended("interrupted" if isinstance(error, KeyboardInterrupt) else "failed", {"epochs": training.done})
        if record.begun and isinstance(error, (FileError, KeyboardInterrupt)):  # a full disk, or no time for a checkpoint
            when = "once there is room, " if isinstance(error, FileError) else ""
            voice.warn(f"training ended after epoch {training.done}; {when}{training.goes_on} with\n  {again}")
        raise
    conclude = of_members if experiment.ensemble else of_one
    well = conclude(job, record, history, say, voice)
    for line in predictions(job) if well else ():
        say(line)
    voice.end(folder)
    return 0 if well else 1


def headline(job: Job) -> str:
    """What is about to be trained, in a line."""
    data, model = job.data, job.model
    rows = f"{len(data.training.x)} rows" + (f" and {len(data.validation.x)} to validate on" if data.validation else "")
    rows += f" and {len(data.test.x)} to test on" if data.test else ""
    shape = " x ".join(map(str, model.input_shape))
    members = f"{model.runs[0]} networks of " if model.runs else ""
    sizes = f"{len(model.layers)} layers, {members}{model.params.shape[-1]:,} parameters, {model.dtype}"
    return f"{job.experiment.name}: {rows}, {shape} inputs, {sizes}"


def class_line(job: Job) -> str:
    """Which number stands for which class, of a few that are not numbers themselves."""
    classes = job.data.training.classes
    numbers = list(map(str, range(len(classes))))
    told = f"classes: {', '.join(f'{number} = {name}' for number, name in zip(numbers, classes, strict=True))}"
    if not classes or list(classes) == numbers or len(told) > LINE:
        return ""
    return told + (f"; an output near 1 means {classes[1]}" if job.model.output_shape == (1,) else "")


def predictions(job: Job) -> list[str]:
    """The rows of `predict`, each with its outputs and the class that they stand for; of an ensemble with the sd over its members."""
    found, spread = job.predict(), job.predict_sd()
    classes, width = job.data.training.classes, max(map(len, found), default=0)
    lines = []
    for name, pred in found.items():
        values = np.ravel(pred)
        label = ""
        if classes and values.size == 1:
            label = classes[int(values[0] >= 0.5)]
        elif classes:
            label = dict(enumerate(classes)).get(int(values.argmax()), "")
        told = [ordinary(value) for value in values]
        if name in spread:
            told = [f"{value} ± {sd:.2g}" for value, sd in zip(told, np.ravel(spread[name]), strict=True)]
        lines.append(f"  {name:<{width}}  {' '.join(told)}  {label}".rstrip())
    return lines
