"""Sweeps for Python. What they need is imported when the first one runs."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
