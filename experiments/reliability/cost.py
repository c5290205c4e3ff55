"""What checkpoints cost: configs/iris.yaml stretched to a minute, with a checkpoint every 30 seconds and without any.

    python experiments/reliability/cost.py

Pairs are trained in turns in this process. `accounted` is the share of the minute spent in writing checkpoints, and in asking after
every step whether one is due: what a calm machine would show as the ratio of the pair, which noise of a per cent or two hides.
"""

import argparse
import csv
import statistics
import tempfile
import time
import timeit
from pathlib import Path

import numpy as np

import nnframe as nn
from nnframe.config.build import build
from nnframe.config.compose import load
from nnframe.training.checkpoint import Checkpoints

HERE = Path(__file__).parent
CONFIG = HERE.parent.parent / "configs/iris.yaml"


class Timed(Checkpoints):
    """Notes how long each checkpoint took."""

    def save(self, parts: dict) -> None:
        start = time.perf_counter()
        super().save(parts)
        self.took.append(time.perf_counter() - start)


def train(epochs: int, seconds: float | None) -> tuple[float, float, list[float], int]:
    """Wall and CPU seconds, seconds of each checkpoint, and steps."""
    job = build(load(CONFIG, [f"train.epochs={epochs}"]))
    with tempfile.TemporaryDirectory(dir=HERE) as folder:
        checkpoints = None if seconds is None else Timed(Path(folder), nn.Every(seconds=seconds), {})
        if checkpoints is not None:
            checkpoints.took = []
        wall, cpu = time.perf_counter(), time.process_time()
        job.training.run(checkpoints=checkpoints)
        took = (time.perf_counter() - wall, time.process_time() - cpu)
    return *took, [] if checkpoints is None else checkpoints.took, epochs * job.training.batches.steps


def asking() -> float:
    """Seconds that it takes to ask whether a checkpoint is due."""
    checkpoints = Checkpoints(HERE, nn.Every(), {})
    checkpoints.due = float("inf")
    names = {"checkpoints": checkpoints, "monotonic": time.monotonic}
    loop = timeit.repeat("checkpoints is not None and monotonic() >= checkpoints.due", number=10**5, repeat=9, globals=names)
    return statistics.median(loop) / 10**5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0, help="of each training (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=3)
    args = parser.parse_args()
    wall, *_ = train(500, None)
    epochs, ask = round(500 * args.minutes * 60 / wall), asking()
    rows = []
    for pair in range(1, args.pairs + 1):
        plain, plain_cpu, _, steps = train(epochs, None)
        with_them, with_cpu, took, _ = train(epochs, 30.0)
        row = {"pair": pair, "epochs": epochs, "seconds_without": plain, "seconds_with": with_them}
        row |= {"ratio_wall": with_them / plain, "ratio_cpu": with_cpu / plain_cpu, "checkpoints": len(took)}
        row |= {"seconds_a_checkpoint": float(np.mean(took)), "nanoseconds_a_step": 1e9 * ask}
        rows.append(row | {"accounted": (sum(took) + steps * ask) / plain})
        print(", ".join(f"{name} {value:.5g}" for name, value in rows[-1].items()), flush=True)
    with (HERE / "cost.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows({name: f"{value:.5g}" for name, value in row.items()} for row in rows)


if __name__ == "__main__":
    main()
