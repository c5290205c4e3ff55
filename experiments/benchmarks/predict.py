"""What prediction costs beside the network's own forward pass: a million rows of 20 numbers through 20-64-64-1.

    python experiments/benchmarks/predict.py

In turns, in this process: `model.predict` of rows that are ready, and `predict` of raw ones, transforms and checks included. Then the
command, from an npy file and from a CSV file to a CSV file, each in a process of its own, with its largest memory for 100,000 rows and for
all. Writes predict.csv beside this file."""

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import nnframe as nn

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CONFIG = """
data: {type: Arrays, path: data.npz, transforms: [Standardize]}
model: [{type: Dense, units: 64}, ReLU, {type: Dense, units: 64}, ReLU, {type: Dense, units: 1}]
loss: MSE
optimizer: Adam
train: {epochs: 1, batch_size: 64}
"""
COMMAND = (
    "import resource, sys; from nnframe.__main__ import main; main(sys.argv[1:]); "
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)"
)


def command(*arguments: str) -> tuple[float, float]:
    """Seconds and MiB of the command."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", COMMAND, *arguments], check=True, capture_output=True, text=True)
    return time.perf_counter() - start, int(done.stderr.split()[-1]) / 1024


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--rows", type=int, default=1_000_000)
    args = options.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        rng = np.random.default_rng(0)
        np.savez("data.npz", x=rng.normal(size=(2000, 20)).astype(np.float32), y=rng.normal(size=(2000, 1)))
        Path("config.yaml").write_text(CONFIG)
        trained = nn.train("config.yaml", out="runs")
        x = rng.normal(size=(args.rows, 20)).astype(np.float32)
        few = x[: args.rows // 10]
        for name, rows in (("few", few), ("all", x)):
            np.save(f"{name}.npy", rows)
            np.savetxt(f"{name}.csv", rows, "%.6g", ",", header=",".join(map(str, range(20))), comments="")
        ready = trained.parts[0].pipeline(trained.parts[0].pipeline.rows(x))
        times: dict[str, list[float]] = {"forward": [], "predict": []}
        for _ in range(args.rounds):
            for name, work in (("forward", lambda: trained.model.predict(ready, blas_threads=1)), ("predict", lambda: trained.predict(x))):
                start = time.perf_counter()
                work()
                times[name].append(time.perf_counter() - start)
        forward = statistics.median(times["forward"])
        ratios = [one / other for one, other in zip(times["predict"], times["forward"], strict=True)]
        rows = [
            {
                "what": "predict of raw rows in Python",
                "median": f"{statistics.median(ratios):.2f}",
                "min": f"{min(ratios):.2f}",
                "max": f"{max(ratios):.2f}",
            }
        ]
        for kind in ("npy", "csv"):
            seconds = [command("predict", str(trained.folder), f"all.{kind}", "-o", "out.csv")[0] / forward for _ in range(3)]
            memory = [command("predict", str(trained.folder), f"{name}.{kind}", "-o", "out.csv")[1] for name in ("few", "all")]
            told = {"median": f"{statistics.median(seconds):.1f}", "min": f"{min(seconds):.1f}", "max": f"{max(seconds):.1f}"}
            rows.append(
                {"what": f"the command, {kind} to csv"} | told | {"MiB of a tenth": f"{memory[0]:.0f}", "MiB of all": f"{memory[1]:.0f}"}
            )
    names = ["what", "median", "min", "max", "MiB of a tenth", "MiB of all", "rounds", "nnframe", "numpy", "commit"]
    known = {"rounds": args.rounds, "nnframe": nn.__version__, "numpy": np.__version__, "commit": commit}
    with (HERE / "predict.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(row | known for row in rows)
    for row in rows:
        print(*(f"{name}: {value}" for name, value in row.items()), sep="  ")


if __name__ == "__main__":
    main()
