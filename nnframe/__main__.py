"""The command `nnframe VERB ...`, also `python -m nnframe VERB ...`."""

import sys

import nnframe

USAGE = """usage: nnframe VERB ...

  run CONFIG [key=value ...]   train the network that a YAML file describes

nnframe VERB --help tells more; nnframe --version prints the version.
"""


def main() -> int:
    """Hand over to the verb's own module. Returns the exit status."""
    verb, *rest = sys.argv[1:] or ["--help"]
    if verb == "run":
        from nnframe import run

        return run.main(rest, "nnframe run")
    if verb in ("-h", "--help", "--version"):
        print(nnframe.__version__ if verb == "--version" else USAGE, end="\n" if verb == "--version" else "")
        return 0
    from nnframe.errors import nearest

    print(f"unknown verb {verb!r}.{nearest(verb, ['run'])}\n\n{USAGE}", end="", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
