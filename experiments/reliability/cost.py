"""What checkpoints cost: configs/iris.yaml stretched to a minute, with a checkpoint every 30 seconds and without any.

    python experiments/reliability/cost.py

Both trainings run in this process and hand over to each other every 20 epochs, so that noise of the machine falls on both.
`accounted` is the share of the time spent in writing checkpoints, and in asking after every step whether one is due.
"""

import argparse
import csv
import statistics
import tempfile
import threading
import time
import timeit
from pathlib import Path

import nnframe as nn
from nnframe.config.build import build
from nnframe.config.compose import load
from nnframe.training.checkpoint import Checkpoints

HERE = Path(__file__).parent
CONFIG = HERE.parent.parent / "configs/iris.yaml"
SLICE = 20  # epochs


class Timed(Checkpoints):
    """Notes how long each checkpoint took."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, nn.Every(seconds=30), {})
        self.took: list[float] = []

    def save(self, parts: dict) -> None:
        start = time.perf_counter()
        super().save(parts)
        self.took.append(time.perf_counter() - start)


class Turns:
    """A callback that hands over to the other training now and then; `spent` are the seconds of its own."""

    def __init__(self) -> None:
        self.mine, self.spent = threading.Semaphore(0), 0.0

    def on_begin(self, state: nn.State) -> None:
        self.wait()

    def on_epoch(self, state: nn.State) -> None:
        if state.epoch % SLICE == 0:
            self.hand_over()
            self.wait()

    def wait(self) -> None:
        self.mine.acquire()
        self.since = time.perf_counter()

    def hand_over(self, times: int = 1) -> None:
        self.spent += time.perf_counter() - self.since
        self.other.mine.release(times)


def pair(epochs: int, first: bool) -> tuple[float, float, list[float], int]:
    """Seconds without and with checkpoints, seconds of each checkpoint, and steps. `first`: does the one with them begin?"""
    turns, steps = (Turns(), Turns()), 0
    turns[0].other, turns[1].other = turns[1], turns[0]
    with tempfile.TemporaryDirectory(dir=HERE) as folder:
        checkpoints = Timed(Path(folder))

        def train(own: Turns, kept: Timed | None) -> None:
            nonlocal steps
            training = build(load(CONFIG, [f"train.epochs={epochs}"])).training
            training.run([own], checkpoints=kept)
            steps = epochs * training.batches.steps
            own.hand_over(10**6)  # the other one goes on alone

        threads = [threading.Thread(target=train, args=case) for case in zip(turns, (None, checkpoints), strict=True)]
        for thread in threads:
            thread.start()
        turns[first].mine.release()
        for thread in threads:
            thread.join()
    return turns[0].spent, turns[1].spent, checkpoints.took, steps


def asking() -> float:
    """Seconds that it takes to ask whether a checkpoint is due."""
    checkpoints = Checkpoints(HERE, nn.Every(), {})
    checkpoints.due = float("inf")
    names = {"checkpoints": checkpoints, "monotonic": time.monotonic}
    loops = timeit.repeat("checkpoints is not None and monotonic() >= checkpoints.due", number=10**5, repeat=9, globals=names)
    return statistics.median(loops) / 10**5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each training (default: %(default)s)")
    parser.add_argument("--pairs", type=int, default=3)
    args = parser.parse_args()
    epochs, ask, rows = round(500 * args.seconds / pair(500, False)[0]), asking(), []
    for number in range(args.pairs):
        without, with_them, took, steps = pair(epochs, number % 2 == 1)
        row = {"epochs": epochs, "seconds_without": without, "seconds_with": with_them, "ratio": with_them / without}
        row |= {"checkpoints": len(took), "seconds_a_checkpoint": sum(took) / len(took), "nanoseconds_a_step": 1e9 * ask}
        rows.append(row | {"accounted": (sum(took) + steps * ask) / without})
        print(", ".join(f"{name} {value:.5g}" for name, value in rows[-1].items()), flush=True)
    with (HERE / "cost.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows({name: f"{value:.5g}" for name, value in row.items()} for row in rows)


if __name__ == "__main__":
    main()
