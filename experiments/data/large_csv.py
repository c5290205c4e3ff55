"""How long large CSV files take: ours beside what polars' own read_csv takes, on the same file, in turns, each time in a fresh process.

    pip install 'nnframe[data]'
    python experiments/data/large_csv.py

10 million rows of 5 columns are written to a temporary file (470 MB) and read three times by each; imports are in neither time. And 100,000
rows of 10 columns are read by nnframe's own reader, without polars. Writes large_csv.csv beside this file.
"""

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
READERS = {
    "polars": "import polars; begin(); polars.read_csv({path!r}); end()",
    "nnframe": "import nnframe as nn, polars; begin(); nn.CSV({path!r}, target='y').read(); end()",
    "nnframe alone": "import sys, nnframe as nn; sys.modules['polars'] = None; begin(); nn.CSV({path!r}, target='y').read(); end()",
}
CLOCK = """
import time
def begin():
    global start
    start = time.perf_counter()
def end():
    print(time.perf_counter() - start, flush=True)
    import os
    os._exit(0)  # to give the memory back takes its time, and is nobody's reading
"""


def write(path: Path, rows: int, columns: int) -> None:
    """Normal numbers of six decimals, the last column named y."""
    rng = np.random.default_rng(0)
    names = [*(f"x{i}" for i in range(columns - 1)), "y"]
    with path.open("w") as file:
        file.write(",".join(names) + "\n")
        for start in range(0, rows, 100_000):
            part = rng.normal(size=(min(100_000, rows - start), columns)).round(6)
            file.writelines(",".join(map(repr, row)) + "\n" for row in part.tolist())


def seconds(reader: str, path: Path) -> float:
    code = CLOCK + READERS[reader].format(path=str(path))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    table = []
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder) / "large.csv", Path(folder) / "small.csv"
        write(large, options.rows, 5)
        write(small, 100_000, 10)
        seconds("polars", large)  # the file is in the system's cache from here on
        times: dict[str, list[float]] = {"polars": [], "nnframe": []}
        for turn in range(options.repeats):
            for reader in list(times)[:: 1 if turn % 2 else -1]:
                times[reader].append(seconds(reader, large))
        ratios = [ours / theirs for ours, theirs in zip(times["nnframe"], times["polars"], strict=True)]
        table.append(row("ratio to polars.read_csv", options.rows, 5, ratios, 1.2))
        table += [row(f"seconds, {reader}", options.rows, 5, found, "") for reader, found in times.items()]
        alone = [seconds("nnframe alone", small) for _ in range(options.repeats)]
        table.append(row("seconds, nnframe without polars", 100_000, 10, alone, 2))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    said = {
        "polars": version("polars"),
        "numpy": np.__version__,
        "python": sys.version.split()[0],
        "cpus": os.cpu_count(),
        "commit": commit,
    }
    with (HERE / "large_csv.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*table[0], *said], lineterminator="\n")
        writer.writeheader()
        for line in table:
            writer.writerow(line | said)
            print("  ".join(f"{name} {value}" for name, value in line.items()))


def row(what: str, rows: int, columns: int, found: list[float], target: object) -> dict[str, object]:
    numbers = {"median": statistics.median(found), "lowest": min(found), "highest": max(found)}
    return (
        {"what": what, "rows": rows, "columns": columns, "repeats": len(found)}
        | {k: f"{v:.3f}" for k, v in numbers.items()}
        | {"target": target}
    )


if __name__ == "__main__":
    main()
