"""Runs and sweeps for Python. What they need is imported when it is used."""

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nnframe.runs.load import Trained
    from nnframe.sweeps.runner import Columns


def sweep(
    config: str | PathLike[str] | Mapping[str, Any],
    overrides: Sequence[str] = (),
    *,
    workers: int = 1,
    out: str | PathLike[str] = "experiments/runs",
    plugins: Sequence[str] = (),
    fail_fast: bool = False,
) -> "Columns":
    """Run a sweep, given a config's path or its contents, and return its table of trials as columns: name -> (trials,).

    Args:
        overrides: `key.path=value`, as on the command line.
        config: its lists may be tuples, ranges and arrays too.
        workers: processes that train; 1 is this one. With more than one, a script needs `if __name__ == "__main__":` around the call, as
            always with processes that are spawned.
        out: where the sweep's folder is made; the table's `folder` says where that is, its `verdict` what can be said of the best.
        plugins: files or modules with components that the workers need.
        fail_fast: end with the first trial that fails.

    Raises ConfigError and others before any training, Interrupted after a signal, NNFrameError for a failure with `fail_fast`;
    what was trained until then is in the folder.
    """
    from nnframe.sweeps import runner

    return runner.run(config, overrides, out, runner.Options(workers, plugins, fail_fast))


def train(
    config: str | PathLike[str] | Mapping[str, Any],
    *,
    out: str | PathLike[str] = "experiments/runs",
    plugins: Sequence[str] = (),
    **changes: Any,
) -> "Trained":
    """Train what a config describes, given its path or its contents, in a folder of its own, and return what was trained.

    Args:
        out: where the run's folder is made; `folder` of the result says where that is.
        plugins: files or modules with components that it needs.
        changes: values of the config by dotted path, as in `nn.train("iris.yaml", seed=3, **{"optimizer.lr": 0.01})`.

    `history` has every epoch, of an ensemble for each member. A run that diverges ends with a DivergenceWarning. Raises ConfigError and
    others before any training, Interrupted after a signal; what was trained until then is in the folder, for --resume.
    """
    from nnframe.sweeps import load as loading

    return loading.train(config, Path(out), plugins, changes)


def load(folder: str | PathLike[str], *, plugins: Sequence[str] = (), weights: str = "weights.npz") -> "Trained":
    """What the run or the sweep of a folder has trained, wherever the folder was made or copied to: an object that predicts.

    Args:
        plugins: files or modules with components that it was trained with.
        weights: which file of the folder to take; best.npz has those of the best epoch, where BestWeights kept them.

    Of a sweep it is all networks of the best setting, averaged, if they were kept: `sweep: {keep: best}`. Raises FileError where a file is
    missing or damaged, ConfigError where this version does not know what the config says, UsageError where no weights were kept.
    """
    from nnframe.sweeps import load as loading

    return loading.load(Path(folder), plugins, weights)
