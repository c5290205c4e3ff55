"""What stands on a command line: the options of every verb."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

VERBS = {
    "run": "train what a config describes",
    "check": "build without training: layers, memory, the loss at the start, every gradient, and warnings",
    "show": "print the complete config: defaults, absolute paths, what it extends and what is overridden",
    "data": "print what is in a config's data: parts, columns, classes, duplicates, and the first rows as the model sees them",
    "list": "print what a config may say: its sections, and every component with its options and an example",
    "plan": "print what a sweep will do: trials, stacks, sizes of blocks, memory, time",
    "best": "write the config of a sweep's best setting",
    "trial": "train one trial of a sweep again, alone, and compare it with its row",
    "schema": "print the JSON Schema of configs, for editors",
}


def usage() -> str:
    lines = [f"  {verb:8}{text}" for verb, text in VERBS.items()]
    return "\n".join(["usage: nnframe VERB ...", "", *lines, "", "nnframe VERB --help tells more; nnframe --version prints the version."])


def parse(verb: str, arguments: Sequence[str]) -> argparse.Namespace:
    """The options of one verb."""
    if verb == "run":
        return parse_training("nnframe run", arguments)
    parser = argparse.ArgumentParser(f"nnframe {verb}", description=f"{VERBS[verb].capitalize()}.")
    if verb in ("check", "show", "data", "plan"):
        add_config(parser)
    else:
        add_plugin(parser)
    if verb == "plan":
        add_workers(parser)
    if verb in ("best", "trial"):
        parser.add_argument("folder", type=Path, help="the sweep's folder")
    if verb == "trial":
        parser.add_argument("number", type=int, help="of the trial, as in trials.csv")
    if verb == "list":
        parser.add_argument(
            "words", nargs="*", metavar="NAME", help="a component, a kind of them, a section or an option: Dense, losses, train, lr"
        )
        parser.add_argument("--html", action="store_true", help="a page of everything, for a browser")
    if verb in ("list", "schema", "best"):
        parser.add_argument("-o", "--output", type=Path, help="write it to this file instead")
    if verb == "schema":
        parser.add_argument("--no-plugins", action="store_true", help="the package's own components only, whatever else is installed")
    return parser.parse_intermixed_args(arguments)


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

exit status: 0 trained; 1 the loss was not finite; 2 a mistake in the config, the data, a plugin or the call, or a full disk or output;
128 + its number after a signal, such as 130 after Ctrl-C; 141 once nobody reads the output
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


def add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", nargs="?", help="the YAML file")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="change one value of the config, such as optimizer.lr=0.01")
    add_plugin(parser)
    parser.add_argument("--resume", type=Path, metavar="FOLDER", help="go on with the run of this folder; train.epochs may have grown")
    parser.add_argument("--out", type=Path, default=Path("experiments/runs"), help="where the run's folder is made (default: %(default)s)")
    parser.add_argument("--quiet", action="store_true", help="print nothing but the run's folder")
    add_workers(parser)
    parser.add_argument("--fail-fast", action="store_true", help="end a sweep with its first trial that fails")


def parse_training(command: str, arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options of training: a config, or a folder to go on with."""
    parser = argparse.ArgumentParser(command, **DESCRIPTION)
    add_training(parser)
    args = parser.parse_intermixed_args(arguments)
    if args.config is None and args.resume is None:
        parser.error("name a config, or --resume FOLDER")
    return args
