"""A run's folder: plain files that can be copied, read by anything, and run again."""

import json
import os
import platform
import subprocess
import sys
import time
from datetime import datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from nnframe import __version__, blas, plugins
from nnframe.config.build import Job
from nnframe.config.reading import dump
from nnframe.data.dataset import Dataset
from nnframe.errors import FileError
from nnframe.layers.weights import save_weights


class Run:
    """The folder of one run: `config.yaml` (resolved, runnable), `losses.csv`, `timing.csv`, `weights.npz`, `run.json`."""

    def __init__(self, job: Job, out: Path) -> None:
        """Make the folder, `<out>/<name>/<date-time>-<hash of config and data>`. Raises FileError if that cannot be done."""
        config = dump(job.resolved)
        data = data_hash(job.data.training, job.data.validation)
        self.started, self.clock = datetime.now().astimezone(), time.monotonic()
        self.folder = _make(out / job.experiment.name, self.started, sha256(f"{config}{data}".encode()).hexdigest()[:8])
        self.record: dict[str, Any] = {
            "name": job.experiment.name,
            "status": "running",
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": None,
            "seed": job.experiment.seed,
            "config_sha256": sha256(config.encode()).hexdigest(),
            "data": {
                "sha256": data,
                "rows": len(job.data.training.x),
                "validation_rows": 0 if job.data.validation is None else len(job.data.validation.x),
                "inputs": list(job.data.training.inputs),
                "targets": list(job.data.training.targets),
                "classes": list(job.data.training.classes),
                "transforms": [transform.record() for transform in job.data.transforms],
            },
            "parameters": job.model.params.size,
            "versions": versions(),
            "blas": blas.info(),
            "machine": {
                "system": platform.platform(),
                "processor": platform.machine(),
                "cores": os.cpu_count(),
                "host": platform.node(),
            },
            "plugins": plugins.LOADED,
            "git_commit": git_commit(),
            "command": sys.argv,
        }
        self._write("config.yaml", config)
        self._save()

    def finish(self, job: Job, status: str, results: dict[str, Any]) -> None:
        """Write the weights and how it ended."""
        save_weights(job.model, self.folder / "weights.npz")
        self.record |= {"status": status, "seconds": round(time.monotonic() - self.clock, 3), "results": results}
        self._save()

    def _save(self) -> None:
        self._write("run.json", json.dumps(self.record, indent=2, ensure_ascii=False) + "\n")

    def _write(self, name: str, text: str) -> None:
        part = self.folder / f".{name}.part"
        try:
            part.write_text(text, encoding="utf-8")
            part.replace(self.folder / name)
        except OSError as error:
            raise FileError(f"cannot write {self.folder / name}: {error.strerror}") from None


def _make(parent: Path, started: datetime, digest: str) -> Path:
    """A new folder; `mkdir` is atomic, so two runs never share one."""
    stem = f"{started:%Y-%m-%d_%H-%M-%S}-{digest}"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for number in range(1, 1000):
            folder = parent / (stem if number == 1 else f"{stem}-{number}")
            try:
                folder.mkdir()
                return folder
            except FileExistsError:
                continue
    except OSError as error:
        raise FileError(f"cannot make a folder in {parent}: {error.strerror}; choose another place with --out") from None
    raise FileError(f"{parent} holds 1000 runs of this second")


def data_hash(*parts: Dataset | None) -> str:
    """SHA-256 of all numbers trained and validated on."""
    digest = sha256()
    for part in parts:
        for array in (part.x, part.y, part.weight) if part else ():
            if array is not None:
                digest.update(f"{array.dtype.str}{array.shape}".encode())
                digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    found = {"nnframe": __version__, "python": platform.python_version()}
    for name in ("numpy", "scipy", "pyyaml", "threadpoolctl"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """The commit of the repository that the current folder is in, if it is in one."""
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
