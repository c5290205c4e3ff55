"""Train what a config describes: `python -m nnframe.run configs/gender.yaml`."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnframe import plugins
from nnframe.config.build import Job, build
from nnframe.config.compose import load
from nnframe.errors import ConfigError, NNFrameError, printable
from nnframe.runs import Run
from nnframe.training.log import Bar, CSVLog, Lines, summary

EXAMPLES = """examples:
  %(prog)s configs/gender.yaml
  %(prog)s configs/gender.yaml optimizer.lr=0.5 train.epochs=200 seed=3
  %(prog)s configs/iris.yaml 'optimizer={type: SGD, lr: 0.1, momentum: 0.9}' model.0.units=32

A key=value changes one value of the config; the value is YAML, and the items of a list are numbered from 0.
The last line printed is the run's folder: config.yaml (complete, runnable as it is), losses.csv (every epoch),
timing.csv, weights.npz and run.json.

exit status: 0 trained; 1 the loss was not finite; 2 a mistake in the config, the data or the call; 130 interrupted
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--out", type=Path, default=Path("experiments/runs"), help="where the run's folder is made (default: %(default)s)")
    parser.add_argument("--quiet", action="store_true", help="print nothing but the run's folder")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns the exit status."""
    parser = argparse.ArgumentParser("python -m nnframe.run", **DESCRIPTION)
    add_arguments(parser)
    args = parser.parse_intermixed_args(arguments)

    return answering(args.plugin, lambda: run(args.config, args.overrides, args.out, args.quiet))


def answering(plugin_names: Sequence[str], work: Callable[[], int]) -> int:
    """The exit status of some work with plugins; a user's mistakes are printed without a traceback."""
    try:
        for name in plugin_names:
            plugins.load(name)
        return work()
    except ConfigError as error:
        count = len(error.problems)
        tail = f"\n{count} mistakes; nothing was trained." if count > 1 else ""
        print(f"{error}{tail}", file=sys.stderr)
        return 2
    except NNFrameError as error:
        print(printable(str(error)), file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has gone, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def run(config: Path, overrides: Sequence[str], out: Path, quiet: bool) -> int:
    """Train a config in a folder of its own. Raises NNFrameError for anything wrong, before the folder is made."""
    job = build(load(config, overrides))
    experiment, training = job.experiment, job.training
    record = Run(job, out)
    say = (lambda text: None) if quiet else (lambda text: print(printable(text)))
    say(headline(job))
    log, epochs = CSVLog(record.folder), experiment.train.epochs
    watchers: list[Any] = [log]
    if not quiet:
        every = experiment.log.every or max(epochs // 10, 1)
        watchers.append(Bar(epochs, experiment.name) if sys.stdout.isatty() and sys.stderr.isatty() else Lines(every))
    status = "interrupted"
    results: dict[str, Any] = {}
    try:
        history = training.run(watchers, warn=False)
        status = "diverged" if history.diverged else "finished"
        last = int(history.epochs) - 1
        results = {"epochs": last + 1} | {name: float(values[last]) for name, values in history.items()}
    except KeyboardInterrupt:
        pass
    except BaseException:
        status = "failed"
        raise
    finally:
        for watcher in watchers:
            watcher.close()
        record.finish(job, status, {name: value if np.isfinite(value) else str(value) for name, value in results.items()})
    if status == "finished":
        say(f"after {epochs} epochs: {summary({k: v for k, v in results.items() if k != 'epochs'})}")
        for line in predictions(job):
            say(line)
    print(record.folder)
    if status == "diverged":
        message = (
            f"the loss is {results['loss']} at the end of epoch {results['epochs']} (step {results['epochs'] * training.batches.steps})"
        )
        print(f"{message}; training ended there. A smaller optimizer.lr may help.", file=sys.stderr)
        return 1
    return 0 if status == "finished" else 130


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
