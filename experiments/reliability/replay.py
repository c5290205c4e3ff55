"""Every config in configs/ trained whole, and its folder replayed: is each identical to the last bit?

python experiments/reliability/replay.py --out experiments/reliability/replay.csv
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def nnframe(*arguments: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-m", "nnframe", *map(str, arguments)], env=environment, capture_output=True, text=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", type=Path, default=sorted((ROOT / "configs").rglob("*.yaml")))
    parser.add_argument("--workers", type=int, default=1, help="that train a sweep; its replay has one more")
    parser.add_argument("--out", type=Path, help="the table")
    args = parser.parse_args()
    rows = []
    for config in args.configs:
        with tempfile.TemporaryDirectory() as out:
            trained = nnframe("run", config, "--quiet", "--out", out, "--workers", args.workers)
            folder = trained.stdout.splitlines()[-1] if trained.returncode == 0 else None
            again = trained if folder is None else nnframe("replay", folder, "--workers", args.workers + 1)
        line = [*again.stdout.splitlines()[1:], ""][0]  # behind the headline
        identical, _, compared = line.partition(": ")
        name = os.path.relpath(config.absolute(), ROOT)
        rows.append([name, "yes" if again.returncode == 0 and identical == "identical to the last bit" else "no", compared or again.stderr])
        print(*rows[-1], sep="  ", flush=True)
    if args.out is not None:
        with args.out.open("w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([["config", "identical", "compared"], *rows])
    return int(any(identical != "yes" for _, identical, _ in rows))


if __name__ == "__main__":
    sys.exit(main())
