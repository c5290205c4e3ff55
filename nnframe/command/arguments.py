"""What stands on a command line: the options of every verb."""

import argparse
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn, get_args, get_origin

from nnframe.errors import join

VERBS = {
    "run": "train what a config describes",
    "check": "build without training: layers, memory, the loss at the start, every gradient, and warnings",
    "show": "print the complete config: defaults, absolute paths, what it extends and what is overridden",
    "data": "print what is in a config's data: parts, columns, classes, duplicates, and the first rows as the model sees them",
    "list": "print every component with its options",
    "plan": "print what a sweep will do: trials, stacks, sizes of blocks, memory, time",
    "best": "write the config of a sweep's best setting",
    "trial": "train one trial of a sweep again, alone, and compare it with its row",
    "schema": "print the JSON Schema of configs, for editors",
}


class Parser(argparse.ArgumentParser):
    """Answers an unknown option with what to write instead: values of a config are changed by key=value."""

    given: Sequence[str] = ()

    def parse_intermixed_args(self, args: Any = None, namespace: Any = None) -> Any:
        self.given = list(sys.argv[1:] if args is None else args)
        return super().parse_intermixed_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        known = [name for name in self._option_string_actions if name.startswith("--")]
        lines = []
        for token, after in zip(self.given, [*self.given[1:], ""], strict=True) if message.startswith("unrecognized arguments: -") else ():
            option, equals, value = token.partition("=")
            if re.match(r"--?[^\W\d]", token) and not any(name.startswith(option) for name in self._option_string_actions):
                value = value if equals or re.match(r"--?[^\W\d]", after) or "=" in after else after
                lines.append(f"{self.prog}: unknown option {option}{self._instead(option.lstrip('-'), value, known)}\n")
        if lines:
            self.exit(2, "".join(lines))
        super().error(message)

    def _instead(self, name: str, value: str, known: Sequence[str]) -> str:
        """What to write in place of an option that is none."""
        from difflib import get_close_matches  # like all that is imported here, only needed once something went wrong

        from nnframe.components.names import habits, plain, same

        configs = [text for text in self.given if Path(text).suffix in (".yaml", ".yml") and text != value]
        paths = list(_paths(configs)) if any(action.dest == "overrides" for action in self._actions) else []
        lasts = list(dict.fromkeys(path.rpartition(".")[2] for path in paths))
        is_ours = name in paths or name in lasts
        if not is_ours and (advice := habits().get(plain(name))):
            return f". {advice}"
        if not is_ours and (own := get_close_matches(f"--{name}", known, 1, 0.7)):
            return f". Did you mean {own[0]}?"
        ours = name if is_ours else same(name, lasts) or next(iter(get_close_matches(name, lasts, 1, 0.75)), None)
        if found := [path for path in paths if path == ours or path.rpartition(".")[2] == ours]:
            depth = min(path.count(".") for path in found)
            write = [shlex.quote(f"{path}={value or '...'}") for path in found if path.count(".") == depth]
            return f"; write {' or '.join(write[:3])}"
        return f"; {self.prog} --help tells all" + ("; a value of the config is changed by key=value" if paths else "")


def _paths(configs: Sequence[str]) -> Iterator[str]:
    """The dotted paths of all values of a config, if it can be read, and of what else could stand there."""
    from nnframe.components.component import config_of
    from nnframe.components.markers import bare
    from nnframe.components.options import is_options, options
    from nnframe.components.registry import known_to, slots_of
    from nnframe.config.compose import load
    from nnframe.config.experiment import Experiment, inspected
    from nnframe.errors import NNFrameError

    def inside(value: Any, path: str) -> Iterator[str]:
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
            yield join(path, key)
            yield from inside(inner, join(path, key))

    data: Any = {}
    with suppress(NNFrameError, IndexError):
        document = load(Path(configs[0]))
        experiment = inspected(document)[0]
        data = document.data if experiment is None else config_of(experiment)
    found = list(inside(data, ""))
    for key, option in options(Experiment).items():
        kinds = [kind for kind in (bare(option.kind), *map(bare, get_args(option.kind))) if is_options(kind)]
        many = get_origin(bare(option.kind)) is tuple  # its items are numbered
        holders = [*kinds, *(() if many else known_to(*slots_of(option.kind)).values())]
        found += [key, *(join(key, name) for holder in holders for name in options(holder))]
    yield from dict.fromkeys(found)


def usage() -> str:
    lines = [f"  {verb:8}{text}" for verb, text in VERBS.items()]
    return "\n".join(["usage: nnframe VERB ...", "", *lines, "", "nnframe VERB --help tells more; nnframe --version prints the version."])


def parse(verb: str, arguments: Sequence[str]) -> argparse.Namespace:
    """The options of one verb."""
    if verb == "run":
        return parse_training("nnframe run", arguments)
    parser = Parser(f"nnframe {verb}", description=f"{VERBS[verb].capitalize()}.")
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
        parser.add_argument("slot", nargs="?", help="layer, loss, optimizer, ...")
    if verb in ("schema", "best"):
        parser.add_argument("-o", "--output", type=Path, help="write it to this file instead")
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
    parser = Parser(command, **DESCRIPTION)
    add_training(parser)
    args = parser.parse_intermixed_args(arguments)
    if args.config is None and args.resume is None:
        parser.error("name a config, or --resume FOLDER")
    return args
