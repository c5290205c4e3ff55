"""`nnframe replay`: is what a folder holds what its config gives, to the last bit?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nnframe.command import changes
from nnframe.config.build import Job
from nnframe.config.compose import load
from nnframe.config.experiment import is_sweep
from nnframe.config.reading import Document
from nnframe.errors import ConfigError, printable
from nnframe.runs.folder import DATA, config_in, read_record
from nnframe.runs.replay import Replayed, missing_plugins, replay
from nnframe.runs.train import headline
from nnframe.system import blas
from nnframe.training.log import Bar


def show(folder: Path, overrides: list[str], workers: int | None, plugin: list[str]) -> int:
    """Train again from a folder's own config, and tell what differs. Nothing is written. Returns the exit status: 1 if anything does."""
    path = config_in(folder)
    try:
        document = load(path, overrides)
        found = _sweep(folder, document, workers, plugin) if is_sweep(document) else replay(folder, document, _watch)
    except ConfigError as error:
        if missing := missing_plugins(read_record(folder)):
            print(
                f"plugins were in use that are not loaded now: {', '.join(map(printable, missing))}; name them by --plugin", file=sys.stderr
            )
        if any("there is no file" in problem for problem in error.problems):
            print(f"if the data are elsewhere now: nnframe replay {printable(str(folder))} data.path=FILE", file=sys.stderr)
        raise
    told = [(_place(path, document), *values) for path, *values in found.changes if found.difference or path != "resumed"]
    known = bool(read_record(folder))
    if found.difference:
        print(f"different: {printable(found.difference)}")
        if told or known:
            print("since then, this has changed:" if told else "config, data, versions, BLAS, machine and plugins are as they were.")
    else:
        print(f"identical to the last bit: {found.compared}" + (", although this has changed:" if told else ""))
    for line in changes.lines(told):
        print(f"  {line}")
    if not known:
        print("run.json is missing or damaged, so nothing says with which versions and data this was trained.")
    return 1 if found.difference else 0


def _place(path: str, document: Document) -> str:
    """What has changed, by its place; of data the file, where they have one."""
    source = document.data.get("data")
    file = source.get("path") if path == DATA and isinstance(source, dict) else None
    return f"{path} ({file})" if file else path


def _watch(job: Job) -> Iterator[Any]:
    """What shows that something goes on."""
    print(printable(headline(job)), flush=True)
    if sys.stdout.isatty() and sys.stderr.isatty():
        yield Bar(job.experiment.train.epochs, job.experiment.name)


def _sweep(folder: Path, document: Document, workers: int | None, plugin: list[str]) -> Replayed:
    from nnframe.sweeps.replay import replay

    return replay(folder, document, lambda text: print(printable(text), flush=True), workers or blas.cores(), plugin)
