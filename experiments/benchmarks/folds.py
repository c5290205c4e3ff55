"""What five folds cost as one stack: configs/digits.yaml with `data.cv: 5`, beside one of the folds alone.

    python experiments/benchmarks/folds.py

Both are sweeps in this process, in turns, several rounds; the time is that of their training as the tables of trials have it, preparing
the rows included, without starting and reading the config. Five would take five times as long one by one. Writes folds.csv beside this
file.
"""

import argparse
import csv
import statistics
import subprocess
import tempfile
from pathlib import Path

import numpy as np

import nnframe as nn

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
CONFIG = ROOT / "configs/digits.yaml"
FOLDS = {"five folds": "data.cv=5", "one fold": "data.cv={folds: 5, only: 0}"}


def trained(cv: str, epochs: int) -> tuple[float, "np.ndarray"]:
    """Seconds of training, and the validation accuracy of each fold."""
    with tempfile.TemporaryDirectory() as folder:
        table = nn.sweep(CONFIG, ["data.validation=null", cv, f"train.epochs={epochs}", "sweep.seeds=1"], out=folder)
    if set(table["status"]) != {"finished"}:
        raise SystemExit(f"{cv}: {', '.join(map(str, table['reason']))}")
    return float(np.sum(np.asarray(table["seconds"], float))), np.asarray(table["val_accuracy"], float)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--epochs", type=int, default=20)
    args = options.parse_args()
    times: dict[str, list[float]] = {name: [] for name in FOLDS}
    accuracy = {}
    for cv in FOLDS.values():
        trained(cv, 1)
    for _ in range(args.rounds):
        for name, cv in FOLDS.items():
            seconds, accuracy[name] = trained(cv, args.epochs)
            times[name].append(seconds)
    if len(accuracy["five folds"]) != 5 or accuracy["five folds"][0] != accuracy["one fold"][0]:
        raise SystemExit(f"expected five folds, of which the first is the one alone, got validation accuracies of {accuracy}")
    ratios = [five / one for five, one in zip(times["five folds"], times["one fold"], strict=True)]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    row = {
        "ratio": "five folds as one stack / one fold alone",
        "median": f"{statistics.median(ratios):.2f}",
        "min": f"{min(ratios):.2f}",
        "max": f"{max(ratios):.2f}",
        "rounds": args.rounds,
        "seconds of one": f"{statistics.median(times['one fold']):.3f}",
        "nnframe": nn.__version__,
        "numpy": np.__version__,
        "commit": commit,
    }
    print(
        f"{row['ratio']}: {row['median']} ({row['min']} to {row['max']}); validation accuracies {accuracy['five folds'].round(4).tolist()}"
    )
    with (HERE / "folds.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerow(row)


if __name__ == "__main__":
    main()
