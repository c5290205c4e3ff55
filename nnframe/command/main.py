"""The commands `nnframe VERB ...` and `python -m nnframe.run ...`: what is asked, and the answer as an exit status."""

import argparse
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nnframe import __version__
from nnframe.command import output
from nnframe.command.arguments import VERBS, parse, parse_training, usage
from nnframe.components import plugins
from nnframe.components.names import nearest
from nnframe.config.compose import change, load
from nnframe.config.experiment import is_sweep
from nnframe.config.reading import ROWS, no_config
from nnframe.errors import ConfigError, FileError, NNFrameError, OptionError, UsageError, printable
from nnframe.runs import train as training
from nnframe.runs.folder import config_in
from nnframe.system import blas, early, files, signals
from nnframe.training.log import quiet


def main(arguments: Sequence[str] | None = None) -> int:
    """The command `nnframe VERB ...`. Returns the exit status."""
    return answering(lambda: _hand_over(sys.argv[1:] if arguments is None else arguments))


def train(arguments: Sequence[str] | None = None) -> int:
    """The command `python -m nnframe.run CONFIG ...`. Returns the exit status."""
    return answering(lambda: _train("python -m nnframe.run", arguments))


def _train(command: str, arguments: Sequence[str] | None) -> int:
    args = parse_training(command, arguments)
    with _plugins(args.plugin):
        return start(args)


def _hand_over(arguments: Sequence[str]) -> int:
    """Hand over to the verb. Returns the exit status."""
    verb, *rest = arguments or ["--help"]
    if verb in ("-h", "--help", "--version"):
        print(__version__ if verb == "--version" else usage())
        return 0
    if verb not in VERBS and Path(verb).suffix in (".yaml", ".yml"):
        print(f"expected a verb before {verb!r}; write: nnframe run {shlex.join([verb, *rest])}", file=sys.stderr)
        return 2
    if verb not in VERBS and Path(verb).suffix.lower() in ROWS:
        raise UsageError(no_config(Path(verb)))
    if verb not in VERBS:
        print(f"unknown verb {verb!r}.{nearest(verb, VERBS)}\n\n{usage()}", file=sys.stderr)
        return 2
    if verb == "run":
        return _train("nnframe run", rest)
    options = vars(parse(verb, rest))
    with _plugins(options["plugin"] if VERBS[verb].hands_on else options.pop("plugin")):
        return VERBS[verb].do(options)


def start(args: argparse.Namespace) -> int:
    """Train or go on, as the command line says."""
    if args.resume is None:
        document = load(Path(args.config), args.overrides)
        if not is_sweep(document):
            return training.run(document, args.out, args.quiet, args.plugin)
        from nnframe.sweeps import runner

        return runner.command(document, args.out, runner.Options(args.workers or blas.cores(), args.plugin, args.fail_fast, args.quiet))
    folder = args.resume
    try:
        path = config_in(folder)
    except FileError as error:
        raise error.within("--resume") from None
    with files.owned(folder):
        document = load(path)
        was = is_sweep(document)
        change(document, [*filter(None, [args.config]), *args.overrides])
        now = is_sweep(document)
        if was != now:
            raise OptionError(f"{folder} holds {'a sweep' if was else 'one run'}, which cannot become {'a sweep' if now else 'one run'}")
        if not now:
            return training.resume(folder, document, args.quiet, args.plugin)
        from nnframe.sweeps import runner

        return runner.resume(folder, document, runner.Options(args.workers or blas.cores(), args.plugin, args.fail_fast, args.quiet))


@contextmanager
def _plugins(names: Sequence[str]) -> Iterator[None]:
    """Within it, the components of plugins are known, and cannot end the process."""
    with signals.theirs(placed=True):
        for name in names:
            plugins.load(name)
        yield


def answering(work: Callable[[], int]) -> int:
    """The exit status of some work; a user's mistakes are printed without a traceback."""
    with output.watched():
        try:
            early.raises(True)
            try:
                return work()
            finally:
                sys.stdout.flush()  # what cannot be written is noticed here, and not when Python ends
                early.raises(False)
        except ConfigError as error:
            mend = f" {error.mend}" if error.mend else ""
            end = [f"{error.summary}; nothing was trained.{mend}"] if error.summary else []
            print(*error.problems, *end, sep="\n", file=sys.stderr)
            return 2
        except NNFrameError as error:
            print(printable(str(error)), file=sys.stderr)
            return 2
        except BrokenPipeError:  # the reader of our output has gone, as with `| head`
            quiet(sys.stdout)
            return 141
        except KeyboardInterrupt:  # before or after training
            return 130
