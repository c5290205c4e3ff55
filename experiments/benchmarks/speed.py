"""How fast a training step is, and how fast the command starts. Prints a table and writes results.csv beside this file.

    python experiments/benchmarks/speed.py

All cases are measured in turns in one process, one BLAS thread, several rounds. A time is the median over the rounds; what
counts are the ratios, taken round by round, with their spread: machines differ, and a shared one from minute to minute.
"handwritten" is a straight line of the same NumPy calls, with nothing around them.
"""

import argparse
import csv
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import baseline
import handwritten
import numpy as np
from threadpoolctl import threadpool_limits

import nnframe as nn

HERE = Path(__file__).parent
GENDER_X = np.array([[-2.0, -1], [25, 6], [17, 4], [-15, -6]])
GENDER_Y = np.array([[1.0], [0], [0], [1]])


def gender(seed: int | range, epochs: int) -> float:
    """Seconds a step of the article's network, one sample a step."""
    normal = {"init": "Normal", "bias_init": "Normal"}
    model = nn.Sequential(nn.Dense(2, **normal), nn.Sigmoid(), nn.Dense(1, **normal), nn.Sigmoid())
    model.build(2, seed=seed, dtype="float64")
    return clock(lambda: nn.fit(model, nn.MSE(), nn.SGD(lr=0.1), (GENDER_X, GENDER_Y), epochs=epochs, batch_size=1), 4 * epochs)


def gender_baseline(seed: int | range, epochs: int) -> float:
    model = baseline.Sequential(baseline.Dense(2), baseline.Sigmoid(), baseline.Dense(1), baseline.Sigmoid())
    model.build((2,), seed=seed, dtype="float64")
    lr = 0.1 if isinstance(seed, int) else np.full(len(seed), 0.1)
    train = {"epochs": epochs, "batch_size": 1, "seed": seed}
    return clock(lambda: baseline.fit(model, baseline.MSE(), baseline.SGD(lr), GENDER_X, GENDER_Y, **train), 4 * epochs)


def digits(seed: int | range, epochs: int) -> float:
    """Seconds a step and run of 64-64-64-10, ReLU, cross-entropy, Adam, float32, batch 32, on 1,792 rows of noise."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(1792, 64)).astype(np.float32), rng.integers(0, 10, 1792)
    model = nn.Sequential(nn.Dense(64), nn.ReLU(), nn.Dense(64), nn.ReLU(), nn.Dense(10)).build(64, seed=seed)
    runs = 1 if isinstance(seed, int) else len(seed)
    return clock(lambda: nn.fit(model, nn.CrossEntropy(), nn.Adam(), (x, y), epochs=epochs, batch_size=32), 56 * epochs * runs)


def clock(work: Callable[[], object], steps: int) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) / steps


def process(*command: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, capture_output=True, cwd=HERE.parent.parent)
    return time.perf_counter() - start


BUILD = """
import time
import scipy.special
from nnframe.config import build, compose
from pathlib import Path
began = time.perf_counter()
build.build(compose.load(Path("configs/gender.yaml")))
print(time.perf_counter() - began)
"""


def building() -> float:
    """Seconds to read, check and build the example's config, on top of importing, in a process that has done nothing before."""
    done = subprocess.run([sys.executable, "-c", BUILD], check=True, capture_output=True, text=True, cwd=HERE.parent.parent)
    return float(done.stdout)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=9)
    rounds = options.parse_args().rounds
    out = tempfile.mkdtemp()
    cases: dict[str, Callable[[], float]] = {
        "gender, baseline": lambda: gender_baseline(0, 500),
        "gender": lambda: gender(0, 500),
        "gender, handwritten": lambda: handwritten.gender((), 2000),
        "gender x 256, baseline": lambda: gender_baseline(range(256), 512),
        "gender x 256": lambda: gender(range(256), 512),
        "gender x 256, handwritten": lambda: handwritten.gender((256,), 500),
        "64-64-64-10": lambda: digits(0, 4),
        "64-64-64-10 x 16": lambda: digits(range(16), 2),
        "import numpy": lambda: process("-c", "import numpy"),
        "import nnframe": lambda: process("-c", "import nnframe"),
        "read, check and build": building,
        "run configs/gender.yaml": lambda: process("-m", "nnframe.run", "configs/gender.yaml", "--out", out),
    }
    ratios = [  # what, over what, target
        ("gender, baseline", "gender", "at least 2.2"),
        ("gender x 256, baseline", "gender x 256", "at least 2.5"),
        ("gender, baseline", "gender, handwritten", "a bound"),
        ("gender x 256, baseline", "gender x 256, handwritten", "a bound"),
        ("64-64-64-10", "64-64-64-10 x 16", "at least 1.5"),
        ("import nnframe", "import numpy", "at most 1.5"),
        ("read, check and build", "import numpy", "at most 0.6"),
        ("run configs/gender.yaml", "import numpy", "at most 10"),
    ]
    with threadpool_limits(1):
        for work in cases.values():
            work()
        times = [{name: work() for name, work in cases.items()} for _ in range(rounds)]
    print(f"{'case':28}{'median':>12}{'min':>12}{'max':>12}")
    for name in cases:
        column = [row[name] for row in times]
        print(f"{name:28}" + "".join(f"{value * 1e6:9.1f} us" for value in (statistics.median(column), min(column), max(column))))
    print(f"\n{'ratio':54}{'median':>8}{'min':>8}{'max':>8}  target")
    with (HERE / "results.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["ratio", "median", "min", "max", "target", "rounds"])
        for over, under, target in ratios:
            values = [row[over] / row[under] for row in times]
            figures = [f"{value:.2f}" for value in (statistics.median(values), min(values), max(values))]
            print(f"{over + ' / ' + under:54}" + "".join(f"{figure:>8}" for figure in figures) + f"  {target}")
            table.writerow([f"{over} / {under}", *figures, target, rounds])


if __name__ == "__main__":
    main()
