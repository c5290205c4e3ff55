"""How fast a sweep is beside what people do today: PyTorch's loop on two processes, torch.func's vmap, JAX's vmap and scan.

    pip install torch==2.13.0 jax      # in an environment of their own, with nnframe
    python experiments/benchmarks/sweeps.py

256 trials, 32 learning rates with 8 seeds, of 64-64-64-10 on the digits (float32, batch 32, Adam, 20 epochs), and of the
article's network (float64, batch 1, SGD, 1000 epochs). All take turns, several rounds. nnframe's time is that of all of
`nn.sweep` with two workers: starting processes, checking, writing every epoch of every trial, statistics. Each peer runs in a
process of its own, so that none has another's threads; its imports are not in its time. Writes sweeps.csv beside this file.
"""

import argparse
import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
TARGETS = {"digits": {"torch eager": 10, "torch vmap": 1.5, "jax vmap": 1.0}, "gender": {"torch eager": 100}}


def task(name: str) -> dict:
    rates = np.geomspace(1e-4, 1e-1, 32).tolist() if name == "digits" else np.geomspace(1e-3, 1, 32).tolist()
    common = {"rates": rates, "seeds": list(range(8))}
    if name == "digits":
        import nnframe as nn

        data = nn.Digits().load()
        return common | {"x": data.x, "y": data.y, "widths": [64, 64, 64, 10], "activation": "relu", "loss": "classes",
                         "epochs": 20, "batch": 32, "dtype": "float32"}  # fmt: skip
    x, y = np.array([[-2.0, -1], [25, 6], [17, 4], [-15, -6]]), np.array([[1.0], [0], [0], [1]])
    return common | {
        "x": x,
        "y": y,
        "widths": [2, 2, 1],
        "activation": "sigmoid",
        "loss": "mse",
        "epochs": 1000,
        "batch": 1,
        "dtype": "float64",
    }


def ours(name: str) -> tuple[float, float]:
    import nnframe as nn

    t = task(name)
    layers: list = []
    for units in t["widths"][1:]:
        layers += [{"type": "Dense", "units": units}, {"relu": "ReLU", "sigmoid": "Sigmoid"}[t["activation"]]]
    digits = name == "digits"
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/data.npz", x=t["x"], y=t["y"])
        config = {
            "data": "Digits" if digits else {"type": "Arrays", "path": f"{folder}/data.npz"},
            "model": layers[:-1] if digits else layers,
            "loss": "CrossEntropy" if digits else "MSE",
            "optimizer": "Adam" if digits else "SGD",
            "dtype": t["dtype"],
            "train": {"epochs": t["epochs"], "batch_size": t["batch"]},
            "sweep": {"seeds": 8, "parameters": {"optimizer.lr": t["rates"]}},
        }
        begin = time.perf_counter()
        table = nn.sweep(config, workers=2, out=folder)
        seconds = time.perf_counter() - begin
    return seconds, float(table["loss"].mean())


def peer(which: str, name: str) -> tuple[float, float]:
    import peers

    if which == "torch eager":
        return peers.torch_eager(task(name), 4 if name == "digits" else 1)
    if which == "torch vmap":
        return peers.torch_vmap(task(name), 4 if name == "digits" else 50)
    return peers.jax_vmap(task(name))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    args = options.parse_args()
    if args.one:
        which, name = args.one
        print(json.dumps(ours(name) if which == "nnframe" else peer(which, name)))
        return
    rows = []
    for name in ("digits", "gender"):
        times: dict[str, list[float]] = {}
        for _ in range(args.rounds):
            for which in ("nnframe", "torch eager", "torch vmap", "jax vmap"):
                done = subprocess.run([sys.executable, __file__, "--one", which, name], capture_output=True, text=True, check=False)
                if done.returncode:
                    print(f"{name}, {which}: {done.stderr.strip().splitlines()[-1] if done.stderr else 'failed'}", file=sys.stderr)
                    continue
                seconds, loss = json.loads(done.stdout.splitlines()[-1])
                times.setdefault(which, []).append(seconds)
                print(f"{name:8}{which:14}{seconds:9.2f} s   mean loss {loss:.4g}", flush=True)
        for which, theirs in times.items():
            if which != "nnframe":
                ratios = [a / b for a, b in zip(theirs, times["nnframe"], strict=False)]
                figures = [f"{value:.1f}" for value in (statistics.median(ratios), min(ratios), max(ratios))]
                rows.append(
                    [
                        f"256 x {name}: {which} / nnframe",
                        *figures,
                        f"at least {TARGETS[name][which]}" if which in TARGETS[name] else "",
                        args.rounds,
                    ]
                )
    print(f"\n{'ratio':44}{'median':>8}{'min':>8}{'max':>8}  target")
    for row in rows:
        print(f"{row[0]:44}" + "".join(f"{figure:>8}" for figure in row[1:4]) + f"  {row[4]}")
    with (HERE / "sweeps.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["ratio", "median", "min", "max", "target", "rounds"], *rows])


if __name__ == "__main__":
    main()
