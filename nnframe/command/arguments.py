"""What stands on a command line: the options of every verb."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from nnframe.command.unknown import Parser


@dataclass(frozen=True)
class Verb:
    """`text` says what it does, `add` gives a parser its options. `work` names a function of a module beside this one, which is imported
    when it is its turn: it takes each option by its name, --plugin only if it hands that on, and returns the exit status."""

    text: str
    add: Callable[[argparse.ArgumentParser], None]
    work: str = ""
    hands_on: bool = False

    def do(self, options: dict[str, Any]) -> int:
        module, _, name = self.work.partition(".")
        return getattr(import_module(f"nnframe.command.{module}"), name)(**options)


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


def add_sweep(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="the sweep's folder")
    add_plugin(parser)


def add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=file_to_write, metavar="FILE", help="write it to this file instead")


def file_to_write(text: str) -> Path | None:
    """A file by its name, as argparse asks for it; None for the standard output by one of its own."""
    if text in ("-", "/dev/stdout"):
        return None
    if not Path(text).name or Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"expected a file to write, got {f'the folder {text}' if text else 'nothing'}")
    return Path(text)


def number(text: str) -> int:
    """A number of things, as argparse asks for it."""
    if not text.isdecimal() or not 0 < int(text) < 10**9:
        raise argparse.ArgumentTypeError(f"expected an integer greater than 0, got {text!r}")
    return int(text)


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
    parser = Parser(command, **DESCRIPTION)
    add_training(parser)
    args = parser.parse_intermixed_args(arguments)
    if args.config is None and args.resume is None:
        parser.error("name a config, or --resume FOLDER")
    return args


def _plan(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    add_workers(parser)


def _list(parser: argparse.ArgumentParser) -> None:
    add_plugin(parser)
    parser.add_argument(
        "words", nargs="*", metavar="NAME", help="a component, a kind of them, a section or an option: Dense, losses, train, lr"
    )
    parser.add_argument("--html", action="store_true", help="a page of everything, for a browser")
    add_output(parser)


def _best(parser: argparse.ArgumentParser) -> None:
    add_sweep(parser)
    add_output(parser)


def _trial(parser: argparse.ArgumentParser) -> None:
    add_sweep(parser)
    parser.add_argument("number", type=int, help="of the trial, as in trials.csv")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="leave what it trained here, as a run's folder")


def _predict(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="of a run, or of a sweep that kept its best setting")
    parser.add_argument("rows", type=Path, help="a .csv, .parquet, .npy or .npz file of inputs, as they were before transforms")
    parser.add_argument("--skip-bad", action="store_true", help="go on without rows that have a mistake; their predictions are empty")
    parser.add_argument(
        "--with", action="append", default=[], dest="copied", metavar="COLUMN", help="copy a column of the rows, such as an id"
    )
    add_plugin(parser)
    add_output(parser)


def _evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="of a run, or of a sweep that kept its best setting")
    parser.add_argument("rows", type=Path, nargs="?", help="a file of rows with targets (default: the test part, or the validation part)")
    parser.add_argument("--json", action="store_true", dest="as_json", help="print it as JSON")
    add_plugin(parser)


def _replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="of a run or a sweep")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="such as data.path=FILE, where the data are elsewhere now")
    add_workers(parser)
    add_plugin(parser)


def _diff(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", type=Path, help="a config, or the folder of a run or a sweep")
    parser.add_argument("b", type=Path, help="another one")
    add_plugin(parser)


def _runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "root", nargs="?", type=Path, default=Path("experiments/runs"), help="the folder that they are in (default: experiments/runs)"
    )
    parser.add_argument("--name", metavar="GLOB", help="those of such a name: 'iris*'")
    parser.add_argument("--status", action="append", default=[], help="running, finished, interrupted, diverged, failed or unreadable")
    parser.add_argument("--since", metavar="TIME", help="those that began since then: 30min, 12h, 2d, 1w ago, or a date")
    parser.add_argument("--where", action="append", default=[], metavar="key=value", help="those whose config says so: optimizer.lr=0.01")
    parser.add_argument("--sort", metavar="COLUMN", help="val_loss, name, age, ...: the smallest first; --sort=-accuracy: the largest")
    parser.add_argument("--limit", type=number, metavar="N", help="the first N of them")
    parser.add_argument("--json", dest="as_json", action="store_true", help="one JSON array with all values")
    add_plugin(parser)


def _schema(parser: argparse.ArgumentParser) -> None:
    add_plugin(parser)
    add_output(parser)
    parser.add_argument("--no-plugins", action="store_true", help="the package's own components only, whatever else is installed")


VERBS = {
    "run": Verb("train what a config describes", add_training),
    "check": Verb("build without training: layers, memory, the loss at the start, every gradient, and warnings", add_config, "verbs.check"),
    "show": Verb("print the complete config: defaults, absolute paths, what it extends and what is overridden", add_config, "verbs.show"),
    "data": Verb(
        "print what is in a config's data: parts, columns, classes, duplicates, and the first rows as the model sees them",
        add_config,
        "data.show",
    ),
    "list": Verb(
        "print what a config may say: its sections, and every component with its options and an example", _list, "verbs.show_list"
    ),
    "predict": Verb("write what a trained network, or an ensemble, predicts for the rows of a file", _predict, "using.predict"),
    "evaluate": Verb("print loss, metrics and confusion matrix on rows with targets, with 95 % intervals", _evaluate, "using.evaluate"),
    "plan": Verb("print what a sweep will do: trials, stacks, sizes of blocks, memory, time", _plan, "sweeping.show_plan"),
    "best": Verb("write the config of a sweep's best setting", _best, "sweeping.best"),
    "trial": Verb(
        "train one trial of a sweep again, alone, and compare it with its row; --out keeps what it trained", _trial, "sweeping.trial"
    ),
    "replay": Verb(
        "train again from a folder's own config, and tell what is not, to the last bit, as it was", _replay, "replaying.show", hands_on=True
    ),
    "diff": Verb("print what differs between two configs, or two folders of runs or sweeps", _diff, "comparing.show"),
    "runs": Verb("print a table of all runs and sweeps under a folder", _runs, "folders.show"),
    "schema": Verb("print the JSON Schema of configs, for editors", _schema, "verbs.write_schema"),
}


def usage() -> str:
    width = max(map(len, VERBS)) + 2
    lines = [f"  {name:{width}}{verb.text}" for name, verb in VERBS.items()]
    more = "nnframe VERB --help tells more; nnframe --version prints the version."
    first = "A first try: nnframe list config shows one; nnframe run it.yaml ends with its FOLDER; nnframe predict FOLDER rows.csv uses it."
    return "\n".join(["usage: nnframe VERB ...", "", *lines, "", more, first])


def parse(name: str, arguments: Sequence[str]) -> argparse.Namespace:
    """The options of one verb."""
    verb = VERBS[name]
    parser = Parser(f"nnframe {name}", description=f"{verb.text.capitalize()}.")
    verb.add(parser)
    return parser.parse_intermixed_args(arguments)
