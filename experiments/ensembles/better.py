"""Is an ensemble of 16 better than its members are on average?

    python experiments/ensembles/better.py

Trains configs/tabular/breast_cancer.yaml and wine.yaml with `ensemble=16` on 20 splits, each with a fifth of the rows as the test part and
seeds of its own. Of each split the members' mean value on the test part and that of their averaged prediction are compared: better.csv has
the mean difference over the splits, its 95 % t interval, and a wider one whose variance is corrected for the rows that splits share
(Nadeau and Bengio 2003). splits.csv has the values of every split.
"""

import argparse
import csv
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.stats import t

from nnframe.config.build import build
from nnframe.config.compose import load

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MEMBERS, TEST = 16, 0.2
BETTER = {"loss": -1, "accuracy": 1}  # which way a difference is good


def on_split(config: str, split: int) -> Iterator[dict]:
    """The test values of one ensemble, by measure."""
    changes = [f"ensemble={MEMBERS}", "data.validation=null", f"data.test={TEST}", f"data.split_seed={split}", f"seed={1000 * split}"]
    job = build(load(ROOT / f"configs/tabular/{config}.yaml", changes), test=True)
    history = job.training.run(warn=False)
    assert job.data.test is not None and not history.diverged.any()
    each, together = job.members_on(job.data.test)
    for measure in BETTER:
        values = {"members": each[measure].mean(), "ensemble": together[measure]}
        yield {"config": config, "split": split, "measure": measure} | {name: f"{float(value):.6g}" for name, value in values.items()}


def compared(config: str, measure: str, rows: list[dict]) -> dict:
    """The ensemble's gain over its members' mean: positive where it is better."""
    members, ensemble = (np.array([float(row[name]) for row in rows]) for name in ("members", "ensemble"))
    gain = (ensemble - members) * BETTER[measure]
    n, mean, sd = len(gain), gain.mean(), gain.std(ddof=1)
    row = {"config": config, "measure": measure, "splits": n, "members": members.mean(), "ensemble": ensemble.mean(), "gain": mean}
    for name, variance in (("t", 1 / n), ("corrected", 1 / n + TEST / (1 - TEST))):
        half = t.ppf(0.975, n - 1) * sd * np.sqrt(variance)
        row |= {f"{name}_low": mean - half, f"{name}_high": mean + half}
    return row | {"better_on": int((gain > 0).sum()), "worse_on": int((gain < 0).sum())}


def write(path: Path, rows: list[dict]) -> None:
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--splits", type=int, default=20)
    splits = parser.parse_args().splits
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    every, found = [], []
    for config in ("breast_cancer", "wine"):
        rows = [row for split in range(splits) for row in on_split(config, split)]
        every += rows
        for measure in BETTER:
            row = compared(config, measure, [row for row in rows if row["measure"] == measure])
            found.append({name: f"{value:.4g}" if isinstance(value, float) else value for name, value in row.items()} | {"commit": commit})
            print(*found[-1].values())
    write(HERE / "splits.csv", every)
    write(HERE / "better.csv", found)


if __name__ == "__main__":
    main()
