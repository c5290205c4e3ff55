"""How much memory a training takes on an array of 4 GB that stays in its file.

    python experiments/data/mapped.py

Writes 4 GB of normal float32 numbers and their classes to a temporary folder, trains an MLP on them for one epoch from a config with
`nnframe.run`, with a tenth of the rows held out, and samples RssAnon of that process: memory that is its own, and not the file's. Writes
mapped.csv beside this file. Linux only.
"""

import argparse
import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
INPUTS = 256
LIMIT = 500  # MB of its own memory
CONFIG = """
data: {type: NPY, path: x.npy, y: y.npy, validation: 0.1}
model: [{type: Dense, units: 32}, ReLU, {type: Dense, units: 2}]
loss: CrossEntropy
optimizer: {type: Adam, lr: 1e-3}
train: {epochs: 1, batch_size: 1024, eval_batch_size: 4096}
metrics: [Accuracy]
"""


def write(folder: Path, rows: int) -> None:
    """x and y, chunk by chunk: a class is told by the sum of the first ten inputs."""
    rng = np.random.default_rng(0)
    x = np.lib.format.open_memmap(folder / "x.npy", "w+", np.float32, (rows, INPUTS))
    y = np.empty(rows, np.int64)
    for start in range(0, rows, 2**16):
        part = rng.standard_normal((min(2**16, rows - start), INPUTS), np.float32)
        x[start : start + len(part)] = part
        y[start : start + len(part)] = part[:, :10].sum(1) > 0
    x.flush()
    np.save(folder / "y.npy", y)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--gigabytes", type=float, default=4)
    gigabytes = parser.parse_args().gigabytes
    rows = int(gigabytes * 1e9) // (4 * INPUTS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if shutil.disk_usage(folder).free < 2 * gigabytes * 1e9:
            sys.exit(f"{folder} has too little room")
        write(folder, rows)
        (folder / "mapped.yaml").write_text(CONFIG)
        begun, peak, whole = time.perf_counter(), 0, 0
        command = [sys.executable, "-m", "nnframe.run", "mapped.yaml", "--out", "runs"]
        process = subprocess.Popen(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True)
        while process.poll() is None:
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                break
            sizes = {key: int(size) for key, size in re.findall(r"(RssAnon|VmRSS):\s+(\d+) kB", status)}
            peak, whole = max(peak, sizes.get("RssAnon", 0)), max(whole, sizes.get("VmRSS", 0))
            time.sleep(0.02)
        out = process.communicate()[0]
        seconds = time.perf_counter() - begun
        if process.returncode:
            sys.exit(out)
        print(out)
        bytes_of_x = (folder / "x.npy").stat().st_size
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    accuracy = re.findall(r"val_accuracy ([\d.]+)", out)[-1]
    row = {
        "rows": rows, "inputs": INPUTS, "file_mb": round(bytes_of_x / 1e6), "peak_own_mb": round(peak * 1024 / 1e6), "target_mb": LIMIT,
        "peak_rss_mb": round(whole * 1024 / 1e6), "seconds": round(seconds, 1), "val_accuracy": accuracy, "numpy": np.__version__,
        "python": sys.version.split()[0], "cpus": os.cpu_count(), "commit": commit,
    }  # fmt: skip
    with (HERE / "mapped.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerow(row)
    print("  ".join(f"{name} {value}" for name, value in row.items()))


if __name__ == "__main__":
    main()
