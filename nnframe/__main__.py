"""The command `nnframe VERB ...`, also `python -m nnframe VERB ...`."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from nnframe import __version__, run
from nnframe.config.compose import load
from nnframe.errors import nearest

VERBS = {
    "run": "train what a config describes",
    "check": "build without training: layers, memory, the loss at the start, every gradient, and warnings",
    "show": "print the complete config: defaults, absolute paths, what it extends and what is overridden",
    "list": "print every component with its options",
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
        parser = argparse.ArgumentParser("nnframe run", **run.DESCRIPTION)
        run.add_arguments(parser)
        return parser.parse_intermixed_args(arguments)
    parser = argparse.ArgumentParser(f"nnframe {verb}", description=f"{VERBS[verb].capitalize()}.")
    if verb in ("check", "show", "plan"):
        run.add_config(parser)
    else:
        run.add_plugin(parser)
    if verb == "plan":
        run.add_workers(parser)
    if verb in ("best", "trial"):
        parser.add_argument("folder", type=Path, help="the sweep's folder")
    if verb == "trial":
        parser.add_argument("number", type=int, help="of the trial, as in trials.csv")
    if verb == "list":
        parser.add_argument("slot", nargs="?", help="layer, loss, optimizer, ...")
    if verb in ("schema", "best"):
        parser.add_argument("-o", "--output", type=Path, help="write it to this file instead")
    return parser.parse_intermixed_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Hand over to the verb. Returns the exit status."""
    verb, *rest = (sys.argv[1:] if arguments is None else list(arguments)) or ["--help"]
    if verb in ("-h", "--help", "--version"):
        print(__version__ if verb == "--version" else usage())
        return 0
    if verb not in VERBS and Path(verb).suffix in (".yaml", ".yml"):
        print(f"expected a verb before {verb!r}; write: nnframe run {shlex.join([verb, *rest])}", file=sys.stderr)
        return 2
    if verb not in VERBS:
        print(f"unknown verb {verb!r}.{nearest(verb, VERBS)}\n\n{usage()}", file=sys.stderr)
        return 2
    args = parse(verb, rest)

    def work() -> int:
        if verb == "run":
            return run.start(args)
        if verb in ("plan", "best", "trial"):
            from nnframe.sweeps import verbs as sweeping

            if verb == "plan":
                return sweeping.show_plan(load(args.config, args.overrides), args.workers)
            return sweeping.best(args.folder, args.output) if verb == "best" else sweeping.trial(args.folder, args.number)
        from nnframe import verbs

        if verb == "list":
            return verbs.list_components(args.slot)
        if verb == "schema":
            return verbs.write_schema(args.output)
        return (verbs.check if verb == "check" else verbs.show)(args.config, args.overrides)

    return run.answering(args.plugin, work)


if __name__ == "__main__":
    sys.exit(main())
