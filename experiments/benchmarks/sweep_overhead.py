"""What a sweep costs beside its training, and that its memory does not grow with the number of trials.

    python experiments/benchmarks/sweep_overhead.py

The trials are trivial: one epoch of one step of the gender network. A part of the time is training all the same: the column
`fit_ms` is that of `nn.fit` on stacks of 256 of them, built and trained, and `overhead_ms` what is left. Each sweep has a process
of its own, whose largest memory is told, workers apart. Writes sweep_overhead.csv beside this file.
"""

import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import nnframe as nn
from nnframe import run

HERE = Path(__file__).parent
CONFIG = HERE.parent.parent / "configs/gender.yaml"
SWEEPS = ((1_000, 1), (10_000, 1), (10_000, 2), (100_000, 2))  # trials, workers
SEEDS = 10


def sweep(trials: int, workers: int) -> dict[str, float]:
    """Seconds and megabytes of one sweep."""
    space = f"{{low: 0.01, high: 1, count: {trials // SEEDS}}}"
    changes = ["train.epochs=1", "train.batch_size=4", f"sweep={{seeds: {SEEDS}, parameters: {{optimizer.lr: {space}}}}}"]
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        run.main([str(CONFIG), *changes, "--quiet", f"--workers={workers}", f"--out={folder}"])
        seconds = time.perf_counter() - start
    return {"seconds": seconds, "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def fit(stacks: int = 20, runs: int = 256) -> float:
    """Seconds of a trial that is built and trained without a sweep, in stacks."""
    x, y = np.array([[-2.0, -1], [25, 6], [17, 4], [-15, -6]]), np.array([[1.0], [0], [0], [1]])
    start = time.perf_counter()
    for stack in range(stacks):
        layer = {"init": nn.Normal(), "bias_init": nn.Normal()}
        model = nn.Sequential(nn.Dense(2, **layer), nn.Sigmoid(), nn.Dense(1, **layer), nn.Sigmoid())
        model.build(2, seed=range(stack * runs, (stack + 1) * runs), dtype="float64")
        nn.fit(model, nn.MSE(), nn.SGD(lr=0.1), (x, y), epochs=1, batch_size=4, evaluate_train=True)
    return (time.perf_counter() - start) / stacks / runs


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(sweep(*map(int, sys.argv[1:]))))
        return
    fit(2)
    alone = fit()
    rows = []
    for trials, workers in SWEEPS:
        command = [sys.executable, __file__, str(trials), str(workers)]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
        overhead = found["seconds"] * 1000 / trials - alone * 1000 / workers
        row = {"trials": trials, "workers": workers, "seconds": round(found["seconds"], 2), "fit_ms": round(alone * 1000, 3)}
        rows.append(row | {"overhead_ms": round(overhead, 3), "memory_mb": round(found["memory_mb"], 1)})
        print(rows[-1], flush=True)
    with (HERE / "sweep_overhead.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__":
    main()
