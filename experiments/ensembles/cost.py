"""What an ensemble of 16 costs, in times of one network.

    taskset -c 0 python experiments/ensembles/cost.py

Trains configs/tabular/breast_cancer.yaml and wine.yaml with and without `ensemble=16` in turns, first one, then the other first, and writes
the medians of the ratios to cost.csv: of the whole command `python -m nnframe.run`, from its start to its folder, and of the training alone
(60 epochs with their validation, in this process). `load` is the machine's load average: other processes slow down both, but not alike.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from nnframe.config.build import build
from nnframe.config.compose import load

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def command(config: Path, changes: list[str], folder: str) -> float:
    begun = time.perf_counter()
    arguments = [sys.executable, "-m", "nnframe.run", str(config), *changes, "--quiet", "--out", folder]
    subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    return time.perf_counter() - begun


def training(config: Path, changes: list[str], folder: str) -> float:
    job = build(load(config, changes))
    begun = time.perf_counter()
    job.training.run()
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    if len(os.sched_getaffinity(0)) > 1:
        sys.exit("run it on one core: taskset -c 0 python experiments/ensembles/cost.py")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in ("breast_cancer", "wine"):
            config = ROOT / f"configs/tabular/{name}.yaml"
            for what in (command, training):
                one, many = [], []
                for turn in range(repeats):
                    for changes, took in ((([], one), (["ensemble=16"], many)))[:: 1 if turn % 2 else -1]:
                        took.append(what(config, changes, folder))
                ratios = sorted(b / a for a, b in zip(one, many, strict=True))
                row = {
                    "config": name,
                    "what": what.__name__,
                    "repeats": repeats,
                    "one_ms": 1e3 * median(one),
                    "sixteen_ms": 1e3 * median(many),
                }
                row |= {"ratio": median(ratios), "lowest": ratios[0], "highest": ratios[-1], "load": os.getloadavg()[0]}
                row = {key: f"{value:.3g}" if isinstance(value, float) else value for key, value in row.items()}
                rows.append(row | {"target": 3, "commit": commit})
                print(*rows[-1].values())
    with (HERE / "cost.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


if __name__ == "__main__":
    main()
