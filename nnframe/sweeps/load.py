"""What the folder of a run or of a sweep has trained: of a sweep, all networks of the best setting."""

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from nnframe.components import plugins as plugin_files
from nnframe.components.wording import shown
from nnframe.config.compose import assign
from nnframe.config.compose import load as load_config
from nnframe.config.experiment import is_sweep
from nnframe.config.reading import COMMAND_LINE, Document
from nnframe.data.pipeline import Pipeline
from nnframe.errors import ConfigError, FileError, UsageError
from nnframe.runs.folder import WEIGHTS, config_in, read_rows
from nnframe.runs.load import Part, Trained, of_run, record_of
from nnframe.runs.train import run_in_python
from nnframe.sweeps.keep import TRIALS
from nnframe.sweeps.plan import plain


def load(folder: Path, plugins: Sequence[str] = (), weights: str = WEIGHTS) -> Trained:
    """What `nnframe.load` does."""
    for name in plugins:
        plugin_files.load(name)
    if not folder.is_dir():
        raise FileError(f"{folder} is a file; name the folder that it is in" if folder.exists() else f"there is no folder {folder}")
    document = load_config(config_in(folder))
    return _of_sweep(folder, weights) if is_sweep(document) else of_run(folder, document, weights)


def train(config: Any, out: Path, plugins: Sequence[str], changes: Mapping[str, Any]) -> Trained:
    """What `nnframe.train` does."""
    for name in plugins:
        plugin_files.load(name)
    try:
        document = Document(plain(config)) if isinstance(config, Mapping) else load_config(Path(config))
        for path, value in changes.items():
            assign(document, path.split("."), plain(value), COMMAND_LINE)
        if is_sweep(document):
            raise UsageError("the config trains several networks, by its section sweep or by folds; nn.sweep trains these")
        job, folder = run_in_python(document, out)
    except ConfigError as error:
        raise ConfigError([problem.replace(COMMAND_LINE, "nn.train", 1) for problem in error.problems], error.found) from None
    record = record_of(folder)
    found = Trained(folder, job.experiment, record, [Part.of(Pipeline.of(job.data), job.model, record)], job.training.history)
    found.data = job.data
    return found


def _of_sweep(folder: Path, weights: str) -> Trained:
    """The networks of the best setting: of the confirmed one, if there is one."""
    tables = folder / "confirm" if (folder / "confirm" / "summary.csv").exists() else folder
    if not (tables / "summary.csv").exists():
        raise UsageError(f"{folder}: the sweep has not finished; go on with python -m nnframe.run --resume {folder}")
    try:
        best = next(_rows(tables / "summary.csv"))
        winner, well = best["setting"], int(best["n"])  # of folds, all must have ended well
        good = [row["trial"] for row in _rows(tables / "trials.csv") if row["setting"] == winner and row["status"] == "finished"]
    except (KeyError, StopIteration, ValueError) as error:
        raise FileError(f"{tables}: its tables are damaged: they have no {str(error) or 'row'}") from None
    if not good or not well:
        raise UsageError(f"{folder}: no seed of the best setting ended well, so there is nothing to use")
    if odd := [trial for trial in good if not trial.isdecimal()]:
        raise FileError(f"{tables / 'trials.csv'} is damaged: expected the number of a trial, got {shown(odd[0])}")
    kept = [tables / TRIALS / trial for trial in good]
    if any(not one.is_dir() for one in kept):
        again = f"python -m nnframe.run --resume {folder} sweep.keep=best"
        raise UsageError(f"{folder}: the weights of the best setting were not kept; {again} trains it once more, and keeps them")
    each = [of_run(one, load_config(config_in(one)), weights) for one in kept]
    first, same = each[0], len({one.record["data"].get("sha256") for one in each}) == 1
    return Trained(folder, first.experiment, first.record, list(_joined([one.parts[0] for one in each])), first.history, same)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a table by column."""
    head, *rows = read_rows(path)
    return (dict(zip(head, row, strict=True)) for row in rows)


def _joined(parts: Sequence[Part]) -> Iterator[Part]:
    """Networks that see rows in the same way, together as stacks."""
    groups: dict[str, list[Part]] = {}
    for part in parts:
        groups.setdefault(json.dumps(part.pipeline.record()), []).append(part)
    for same in groups.values():
        seeds = [int(part.model._store.seeds.values) for part in same]
        model = deepcopy(same[0].model).build(same[0].pipeline.shape, seed=seeds, dtype=same[0].model.dtype)
        model.params[...], model.state[...] = (np.stack([getattr(part.model, name) for part in same]) for name in ("params", "state"))
        yield Part(same[0].pipeline, model)
