"""What a sweep keeps of its trials: an ordinary run's folder for each, as if it had been trained alone."""

import shutil
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nnframe.config.build import Job
from nnframe.errors import FileError
from nnframe.runs.folder import RunFolder, environment, read_record, results_of
from nnframe.system import files
from nnframe.training.history import History

TRIALS = "trials"  # a folder beside the tables, with one for each trial by its number


class Unkept(FileError):
    """The folder of a trial cannot be written. It ends the sweep: the trial's row would say that all is well."""


@dataclass(frozen=True)
class Keep:
    """Makes a folder for each trial by its number. `sweep` is where the tables are."""

    folder: Path
    sweep: Path

    @classmethod
    def beside(cls, tables: Path) -> "Keep":
        return cls(tables / TRIALS, tables)

    @cached_property
    def environment(self) -> dict[str, Any]:
        """The same for all of them: it takes longer to find out than some trials to train."""
        return environment()

    def write(self, job: Job, history: History, run: int, lines: list[str], trial: dict[str, int | None]) -> None:
        """What a trial leaves, as run number `run` of a stack with this log; `job` is of it alone, with its weights. Raises Unkept."""
        status = "diverged" if history.diverged[run] else "finished"
        of = {"sweep": str(self.sweep.absolute())} | {name: number for name, number in trial.items() if number is not None}
        try:
            record = RunFolder(job, files.folder(files.folder(self.folder) / str(trial["trial"])), {}, {"of": of} | self.environment)
            record.leave(lines, status, results_of(history, (run,)))
        except FileError as error:
            raise Unkept(f"trial {trial['trial']} cannot be kept: {error.message}") from None

    def kept(self) -> set[int]:
        """The trials whose folders are whole: run.json is written last."""
        found = self.folder.glob("[0-9]*/run.json")
        return {int(path.parent.name) for path in found if path.parent.name.isdecimal() and "of" in read_record(path.parent)}

    def begun(self) -> set[int]:
        """The trials that have folders, whole or not: config.yaml is written first."""
        return {int(path.parent.name) for path in self.folder.glob("[0-9]*/config.yaml") if path.parent.name.isdecimal()}

    def drop(self, trials: Collection[int]) -> None:
        """Remove the folders of some trials. Raises FileError."""
        try:
            for trial in trials:
                (self.folder / str(trial) / "run.json").unlink(missing_ok=True)  # from now on it is not whole
                shutil.rmtree(self.folder / str(trial))
        except OSError as error:
            raise FileError(f"cannot remove {error.filename}: {error.strerror}") from None
        with suppress(OSError):  # others are left in it
            self.folder.rmdir()
