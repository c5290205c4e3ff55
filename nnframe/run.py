"""Train what a config describes: `python -m nnframe.run configs/gender.yaml`."""

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from nnframe import blas, files, plugins
from nnframe.config.build import Job, build
from nnframe.config.compose import change, load
from nnframe.config.reading import Document
from nnframe.errors import ConfigError, FileError, NNFrameError, OptionError, printable
from nnframe.runs import Run, identity, read_record, resume_command
from nnframe.training.callbacks import BestWeights
from nnframe.training.checkpoint import Checkpoints, CheckpointWarning
from nnframe.training.log import Bar, CSVLog, Lines, quiet, summary
from nnframe.training.signals import SIGPIPE, Interrupted

EXAMPLES = """examples:
  %(prog)s configs/gender.yaml
  %(prog)s configs/gender.yaml optimizer.lr=0.5 train.epochs=200 seed=3
  %(prog)s configs/iris.yaml 'optimizer={type: SGD, lr: 0.1, momentum: 0.9}' model.0.units=32
  %(prog)s --resume experiments/runs/gender/2026-11-22_13-11-26-bc02d5ef

A key=value changes one value of the config; the value is YAML, and the items of a list are numbered from 0.
The last line printed is the run's folder: config.yaml (complete, runnable as it is), losses.csv (every epoch),
timing.csv, checkpoint.npz, weights.npz (and best.npz, where BestWeights keeps them) and run.json.

Ctrl-C, SIGTERM and SIGUSR1 end training after the step, with a checkpoint; --resume goes on from there to the very same
numbers, also after the process was killed. A second Ctrl-C ends at once.

exit status: 0 trained; 1 the loss was not finite; 2 a mistake in the config, the data or the call, or a full disk;
128 + its number after a signal, such as 130 after Ctrl-C
"""


DESCRIPTION: dict[str, Any] = {
    "description": "Train the network that a YAML file describes.",
    "epilog": EXAMPLES,
    "formatter_class": argparse.RawDescriptionHelpFormatter,
}


def add_plugin(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--plugin", action="append", default=[], metavar="FILE.py", help="your own components: a Python file or a module's name"
    )


def add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", type=Path, help="the YAML file")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="change one value of the config, such as optimizer.lr=0.01")
    add_plugin(parser)


def workers(text: str) -> int:
    """A number of processes, as argparse asks for it."""
    if not text.isdecimal() or not 0 < int(text) <= 1024:
        raise argparse.ArgumentTypeError(f"expected an integer from 1 to 1024, got {text!r}")
    return int(text)


def add_workers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", type=workers, metavar="N", help="processes that train a sweep (default: one a core); 1 is this one")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", nargs="?", help="the YAML file")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="change one value of the config, such as optimizer.lr=0.01")
    add_plugin(parser)
    parser.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with the run of this folder; train.epochs may have grown")
    parser.add_argument("--out", type=Path, default=Path("experiments/runs"), help="where the run's folder is made (default: %(default)s)")
    parser.add_argument("--quiet", action="store_true", help="print nothing but the run's folder")
    add_workers(parser)
    parser.add_argument("--fail-fast", action="store_true", help="end a sweep with its first trial that fails")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns the exit status."""
    parser = argparse.ArgumentParser("python -m nnframe.run", **DESCRIPTION)
    add_arguments(parser)
    args = parser.parse_intermixed_args(arguments)
    if args.config is None and args.resume is None:
        parser.error("name a config, or --resume FOLDER")
    return answering(args.plugin, lambda: start(args))


def start(args: argparse.Namespace) -> int:
    """Train or go on, as the command line says."""
    if args.resume is None:
        document = load(Path(args.config), args.overrides)
        if document.data.get("sweep") is None:
            return run(document, args.out, args.quiet, args.plugin)
        from nnframe.sweeps import runner

        return runner.command(document, args.out, runner.Options(args.workers or blas.cores(), args.plugin, args.fail_fast, args.quiet))
    folder = args.resume
    if not (folder / "config.yaml").is_file():
        raise FileError(f"{folder} is no run's folder: it has no config.yaml", path="--resume")
    with files.owned(folder):
        document = load(folder / "config.yaml")
        was = document.data.get("sweep") is not None
        change(document, [*filter(None, [args.config]), *args.overrides])
        now = document.data.get("sweep") is not None
        if was != now:
            raise OptionError(f"{folder} holds {'a sweep' if was else 'one run'}, which cannot become {'a sweep' if now else 'one run'}")
        if not now:
            return resume(folder, document, args.quiet, args.plugin)
        from nnframe.sweeps import runner

        return runner.resume(folder, document, runner.Options(args.workers or blas.cores(), args.plugin, args.fail_fast, args.quiet))


def answering(plugin_names: Sequence[str], work: Callable[[], int]) -> int:
    """The exit status of some work with plugins; a user's mistakes are printed without a traceback."""
    sys.stdout, sys.stderr = (out or open(os.devnull, "w") for out in (sys.stdout, sys.stderr))  # noqa: SIM115  None where the shell closed them
    try:
        for name in plugin_names:
            plugins.load(name)
        status = work()
        sys.stdout.flush()  # a reader that has gone is noticed here, and not when Python ends
        return status
    except ConfigError as error:
        print(error, *([f"{error.summary}; nothing was trained."] if error.summary else []), sep="\n", file=sys.stderr)
        return 2
    except NNFrameError as error:
        print(printable(str(error)), file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has gone, as with `| head`
        quiet(sys.stdout)
        return 141
    except KeyboardInterrupt:  # before or after training
        return 130


def run(document: Document, out: Path, silent: bool, plugin_names: Sequence[str] = ()) -> int:
    """Train a config in a folder of its own. Raises NNFrameError for anything wrong, before the folder is made."""
    job = build(document)
    record = Run.new(job, out)
    with files.owned(record.folder):
        return train(job, record, silent, plugin_names)


def resume(folder: Path, document: Document, silent: bool, plugin_names: Sequence[str] = ()) -> int:
    """Go on with the run of a folder that this process owns. Raises NNFrameError, and changes nothing, if that cannot be done."""
    job, before = build(document), read_record(folder)
    record = Run(job, folder, before)
    status = before.get("status")
    if status in ("finished", "diverged") and not record.changed():
        print(f"this run has {status} after {before['results']['epochs']} epochs; nothing is left to do")
        print(folder)
        return 1 if status == "diverged" else 0
    return train(job, record, silent, plugin_names)


def train(job: Job, record: Run, silent: bool, plugin_names: Sequence[str]) -> int:
    """Train from the folder's checkpoint, or from the beginning, to the end or a signal. Returns the exit status."""
    experiment, training, folder = job.experiment, job.training, record.folder
    say: Callable[[str], None] = (lambda text: None) if silent else (lambda text: print(printable(text)))
    say(headline(job))
    epochs, checkpoints = experiment.train.epochs, Checkpoints(folder, experiment.train.checkpoint, identity(job.resolved, job))
    watchers: list[Any] = [record, CSVLog(folder)]
    if not silent:
        lines = Lines(experiment.log.every or max(epochs // 10, 1), lambda: checkpoints.interrupt(SIGPIPE))
        watchers.append(Bar(epochs, experiment.name) if sys.stdout.isatty() and sys.stderr.isatty() else lines)
    again = resume_command(folder, plugin_names)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", CheckpointWarning)
            warnings.showwarning = lambda message, *_: print(f"warning: {message}", file=sys.stderr)
            try:
                history = training.run(watchers, checkpoints=checkpoints, warn=False)
            finally:
                for watcher in watchers:
                    watcher.close()
    except Interrupted as stop:
        record.finish("interrupted", {"epochs": training.done})
        if stop.signal != SIGPIPE:
            place = f"epoch {training.done + 1}, step {training.step} of {training.batches.steps}"
            print(f"{stop} in {place}; go on with\n  {again}", file=sys.stderr)
            print(folder)
        return 128 + stop.signal
    except BaseException as error:
        with suppress(FileError):
            record.ended("interrupted" if isinstance(error, KeyboardInterrupt) else "failed", {"epochs": training.done})
        if record.begun and isinstance(error, (FileError, KeyboardInterrupt)):  # a full disk, or no time for a checkpoint
            when = "once there is room, " if isinstance(error, FileError) else ""
            print(f"training ended after epoch {training.done}; {when}go on with\n  {again}", file=sys.stderr)
        raise
    last = int(history.epochs) - 1
    results = {"epochs": last + 1} | {name: float(values[last]) for name, values in history.items()}
    record.finish("diverged" if history.diverged else "finished", results)
    reason = history.reasons.get(0, "")
    if history.diverged:
        print(folder)
        print(f"{reason}; training ended there. A smaller optimizer.lr may help.", file=sys.stderr)
        return 1
    if reason:
        say(f"ended early: {reason}")
    for callback in experiment.callbacks:
        if isinstance(callback, BestWeights) and callback.epoch:
            say(f"best {callback.monitor} {float(callback.best):.4g} in epoch {int(callback.epoch)}, whose weights are in {callback.where}")
    say(f"after {last + 1} epochs: {summary({k: v for k, v in results.items() if k != 'epochs'})}")
    for line in predictions(job):
        say(line)
    print(folder)
    return 0


def headline(job: Job) -> str:
    """What is about to be trained, in a line."""
    data, model = job.data, job.model
    rows = f"{len(data.training.x)} rows" + (f" and {len(data.validation.x)} to validate on" if data.validation else "")
    shape = " x ".join(map(str, model.input_shape))
    return f"{job.experiment.name}: {rows}, {shape} inputs, {len(model.layers)} layers, {model.params.size:,} parameters, {model.dtype}"


def predictions(job: Job) -> list[str]:
    """The rows of `predict`, each with its outputs and the class that they stand for."""
    found = job.predict()
    classes, width = job.data.training.classes, max(map(len, found), default=0)
    lines = []
    for name, pred in found.items():
        values = np.ravel(pred)
        label = ""
        if classes and values.size == 1:
            label = classes[int(values[0] >= 0.5)]
        elif classes:
            label = dict(enumerate(classes)).get(int(values.argmax()), "")
        lines.append(f"  {name:<{width}}  {' '.join(f'{value:.4g}' for value in values)}  {label}".rstrip())
    return lines


if __name__ == "__main__":
    sys.exit(main())
