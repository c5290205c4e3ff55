"""Kill training whenever it may hurt, resume it until it is done, and compare all it leaves with a run that nobody disturbed.

    python experiments/reliability/storm.py
    python experiments/reliability/storm.py my.yaml 'model.1={type: GRU, units: 8}' --plugin my_layers.py

Without a config: everything.yaml, and each stack of STACKS through `fit(..., checkpoint=)`, with a checkpoint after every step and with
one every 30 seconds, so that a killed life begins where the one before it began. The storms for each of them: SIGKILL at every call that
changes files or folders, a write being torn in its middle; at such calls, and between steps, several lives in a row; SIGKILL at random
instants; SIGTERM, SIGINT or SIGUSR1 at random instants.

A life is a process forked from this one, so that thousands are quick; of those that end at random every tenth is the command
`python -m nnframe.run`. Prints a table, writes it with --out, and ends with status 1 if anything differed.
"""

import argparse
import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

import nnframe as nn
from nnframe import run
from nnframe.system import npz

sys.path.insert(0, str(Path(__file__).parent))
from callbacks import Average

HERE = Path(__file__).parent
CALLS = ("mkdir", "open", "write", "ftruncate", "fsync", "close", "replace", "unlink")  # of the os module
SELDOM = 30.0  # seconds between checkpoints, as `nnframe.run` has it unless told otherwise
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
CLOCK = ("training/seconds", "watcher 1/seconds", "watcher 1/timing bytes", "watcher 1/timing hash")  # in a checkpoint
EXACT = ("config.yaml", "losses.csv", "weights.npz", "best.npz", "result.npz")  # equal by bytes, where there are any


def classifier(*layers: nn.Layer) -> nn.Sequential:
    return nn.Sequential(nn.Dense(8), *layers, nn.Dense(3))


STACKS: dict[str, Callable[[], nn.Layer]] = {  # a line for each layer with a state or a stream
    "stack of 8: BatchNorm and Dropout": lambda: classifier(nn.BatchNorm(), nn.ReLU(), nn.Dropout(0.3)),
}


class Config:
    """A config that `nnframe.run` trains in a folder below `out`; one that was killed before it had a config.yaml begins anew."""

    def __init__(self, config: Path, overrides: list[str], plugin: list[str], name: str = "") -> None:
        self.name, self.config = name or config.stem, str(config.resolve())
        self.overrides, self.options = overrides, ["--quiet", *(f"--plugin={Path(name).resolve()}" for name in plugin)]

    def folder(self, out: Path) -> Path | None:
        return next((path.parent for path in out.glob("*/*/config.yaml")), None)

    def arguments(self, out: Path) -> list[str]:
        if (folder := self.folder(out)) is not None:
            return ["--resume", str(folder), *self.options]
        shutil.rmtree(out, ignore_errors=True)
        return [self.config, *self.overrides, "--out", str(out), *self.options]

    def work(self, out: Path) -> int:
        return run.main(self.arguments(out))

    def command(self, out: Path) -> list[str] | None:
        return [sys.executable, "-m", "nnframe.run", *self.arguments(out)]


class Stack:
    """8 networks of one seed or another and rates of their own, one of which diverges; they leave the stack at different epochs."""

    def __init__(self, name: str, make: Callable[[], nn.Layer], epochs: int, every: float = 1e-9) -> None:
        self.name, self.make, self.epochs, self.every = name, make, epochs, every

    def folder(self, out: Path) -> Path | None:
        return out

    def command(self, out: Path) -> list[str] | None:
        return None

    def work(self, out: Path) -> int:
        rng = np.random.default_rng(0)
        x = rng.normal(size=(50, 4))
        y = (x @ rng.normal(size=(4, 3)) + rng.normal(size=(50, 3))).argmax(-1)
        model = self.make().build(4, seed=[0, 0, 1, 1, 2, 3, 4, 5], dtype="float64")
        optimizer = nn.Adam(nn.Cosine([1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1e300, 1.0], 0.0))
        stopping, average = nn.EarlyStopping(patience=2), Average(0.6)
        options = {"epochs": self.epochs, "batch_size": 16, "metrics": [nn.Accuracy()], "callbacks": [average, stopping]}
        options |= {"checkpoint": out, "checkpoint_every": nn.Every(seconds=self.every)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", nn.DivergenceWarning)
            history = nn.fit(model, nn.CrossEntropy(), optimizer, (x[:40], y[:40]), validation=(x[40:], y[40:]), **options)
        results = {"params": model.params, "grads": model.grads, "state": model.state, "steps": optimizer.steps} | optimizer.state
        results |= {"best": stopping.best, "epoch": stopping.epoch, "mean": average.mean, "norms": average.norms, **history}
        results |= {"epochs": history.epochs, "kept": history.kept, "diverged": history.diverged}
        results |= {f"reason of {run}": history.reasons[run] for run in sorted(history.reasons)}
        npz.write(out / "result.npz", results)
        return 0


Case = Config | Stack

# ------------------------------------------------------------------------------------------ lives and deaths


def born(case: Case, out: Path, die_at: int = 0, die_after: int = 0) -> int:
    """The number of a process that trains, or goes on; it is killed at its call number `die_at`, or after so many steps."""
    out.parent.mkdir(exist_ok=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # until the child stands on its own feet
    if child := os.fork():
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        return child
    status = 70
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        log = os.open(out.with_name("log.txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for descriptor in (1, 2):
            os.dup2(log, descriptor)
        calls, steps = count_calls(die_at), count_steps(die_after)
        status = case.work(out)
        out.with_name("counts.txt").write_text(f"{calls()} {steps()}")
    except KeyboardInterrupt as error:
        status = 128 + getattr(error, "signal", signal.SIGINT)
    except BaseException as error:
        if isinstance(error.__context__, KeyboardInterrupt):  # argparse fails in a way of its own when it is interrupted
            status = 130
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def count_calls(die_at: int) -> Callable[[], int]:
    """Count the calls of CALLS from now on, and die at one of them, a write being half done."""
    made = 0

    def counted(name: str) -> Callable:
        call = getattr(os, name)

        def made_it(*arguments: object, **options: object) -> object:
            nonlocal made
            made += 1
            if made == die_at:
                if name == "write":
                    call(arguments[0], arguments[1][: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        return made_it

    for name in CALLS:
        setattr(os, name, counted(name))
    return lambda: made


def count_steps(die_after: int) -> Callable[[], int]:
    """Count the steps of training from now on, and die after one of them."""
    made, step = 0, nn.Optimizer.step

    def counted(optimizer: nn.Optimizer) -> None:
        nonlocal made
        step(optimizer)
        made += 1
        if made == die_after:
            os.kill(os.getpid(), signal.SIGKILL)

    nn.Optimizer.step = counted
    return lambda: made


def ended(child: int, within: float) -> int | None:
    """The exit status of a process, minus the signal that killed it; None if it lives on for so many seconds."""
    end = time.monotonic() + within
    while not (found := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > end:
            return None
        time.sleep(0.0005)
    return os.waitstatus_to_exitcode(found[1])


def finish(case: Case, out: Path) -> None:
    """Go on until it is done, as a user would. Raises RuntimeError if that does not succeed."""
    for _ in range(3):
        status = ended(born(case, out), 600)
        if status == 0:
            return
    raise RuntimeError(f"resuming ends with status {status}: {out.with_name('log.txt').read_text()[-2000:]}")


def left(case: Case, out: Path) -> dict[str, object]:
    """All that a finished run leaves, but for what tells the time."""
    folder = case.folder(out)
    assert folder is not None
    found: dict[str, object] = {"files": sorted(path.name for path in folder.iterdir())}
    found |= {name: (folder / name).read_bytes() for name in EXACT if (folder / name).exists()}
    with np.load(folder / "checkpoint.npz") as file:
        found |= {f"checkpoint: {name}": (file[name].dtype, file[name].shape, file[name].tobytes()) for name in file if name not in CLOCK}
    for name in ("losses.csv", "timing.csv"):
        if (folder / name).exists():
            epochs = [line.partition(",")[0] for line in (folder / name).read_text().splitlines()]
            found[f"epochs of {name}"] = "each once" if epochs == ["epoch", *map(str, range(1, len(epochs)))] else epochs
    return found


class Storm:
    """What happened to one case. `seconds` and `calls` are those of an undisturbed run, `expected` is what that leaves."""

    def __init__(self, case: Case, place: Path, seed: int) -> None:
        self.case, self.place, self.random = case, place, random.Random(seed)
        out = place / "undisturbed" / "out"
        out.parent.mkdir(parents=True)
        start = time.monotonic()
        finish(case, out)
        self.seconds = time.monotonic() - start
        self.calls, self.steps = map(int, (out.parent / "counts.txt").read_text().split())
        self.expected = left(case, out)
        self.lives = 0

    def at_calls(self, most: int) -> dict[str, object]:
        """SIGKILL at every call, or at `most` of them."""
        places = range(1, self.calls + 1) if most >= self.calls else sorted(self.random.sample(range(1, self.calls + 1), most))
        return self._rain("SIGKILL at a call", [lambda out, at=at: self._at(out, at) for at in places], len(places))

    def in_a_row(self, number: int) -> dict[str, object]:
        """SIGKILL at calls and between steps, several lives to a run, most of them early."""
        return self._rain("SIGKILL at calls and between steps, in a row", [self._row] * number, number)

    def at_random(self, number: int, signals: tuple[signal.Signals, ...]) -> dict[str, object]:
        """These signals at random instants, several lives to a run."""
        names = ", ".join(number.name for number in signals)
        return self._rain(f"{names} at random", [lambda out: self._lives(out, signals)] * number, number)

    def _rain(self, what: str, tortures: list[Callable[[Path], int]], number: int) -> dict[str, object]:
        start, deaths, runs, wrong, self.slowest = time.monotonic(), 0, 0, 0, 0.0
        for torture in tortures:
            if deaths >= number:
                break
            with tempfile.TemporaryDirectory(dir=self.place) as folder:
                out = Path(folder) / "out"
                deaths += torture(out)
                finish(self.case, out)
                found = left(self.case, out)
            runs += 1
            if differing := [name for name in self.expected | found if found.get(name) != self.expected.get(name)]:
                wrong += 1
                print(f"{self.case.name}, {what}, run {runs}: differ in {', '.join(differing)}", file=sys.stderr)
        row = {"case": self.case.name, "storm": what, "deaths": deaths, "runs": runs, "runs_that_differ": wrong}
        return row | {"slowest_end": round(self.slowest, 3), "seconds": round(time.monotonic() - start)}

    def _at(self, out: Path, at: int) -> int:
        return int(ended(born(self.case, out, at), 600) == -signal.SIGKILL)

    def _row(self, out: Path) -> int:
        """Deaths of one run, each where the one before it may have died as well."""
        for deaths in range(self.random.randint(2, 5)):
            at = min(1 + int(self.random.expovariate(5 / self.steps)), self.steps)
            where = {"die_after": at} if self.random.random() < 0.6 else {"die_at": self.random.randint(1, self.calls)}
            if ended(born(self.case, out, **where), 600) != -signal.SIGKILL:
                return deaths
        return deaths + 1

    def _lives(self, out: Path, signals: tuple[signal.Signals, ...]) -> int:
        """Deaths of one run, until it ends by itself or has died often."""
        for deaths in range(20):
            self.lives += 1
            instant, command = self.random.expovariate(4 / self.seconds), self.case.command(out) if self.lives % 10 == 0 else None
            if command is not None:
                instant += self.random.uniform(0, 1)  # it takes that long to begin
                out.parent.mkdir(exist_ok=True)
                with open(out.with_name("log.txt"), "a") as log:
                    child = subprocess.Popen(command, stdout=log, stderr=log, cwd=HERE.parent.parent).pid
            else:
                child = born(self.case, out)
            if (status := ended(child, instant)) is None:
                number = self.random.choice(signals)
                os.kill(child, number)
                start = time.monotonic()
                status = ended(child, 60)
                self.slowest = max(self.slowest, time.monotonic() - start)
                if status not in (0, -number, 128 + number):
                    raise RuntimeError(f"status {status} after {number.name}: {out.with_name('log.txt').read_text()[-2000:]}")
            if status == 0:
                return deaths
        return 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", nargs="?", type=Path)
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    parser.add_argument("--plugin", action="append", default=[])
    parser.add_argument("--calls", type=int, default=10**6, help="system calls to die at, at most (default: all)")
    parser.add_argument("--row", type=int, default=150, help="deaths of which several are in a row (default: %(default)s)")
    parser.add_argument("--random", type=int, default=200, help="deaths at random instants (default: %(default)s)")
    parser.add_argument("--signals", type=int, default=100, help="signals at random instants (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=8, help="of the stacks (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the random instants (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="write the table there, as CSV")
    args = parser.parse_intermixed_args()
    if args.config is not None:
        cases: list[Case] = [Config(args.config, args.overrides, args.plugin)]
    else:
        everything, plugin = HERE / "everything.yaml", [str(HERE / "callbacks.py")]
        seldom = [*args.overrides, f"train.checkpoint={{seconds: {SELDOM}}}"]
        cases = [Config(everything, args.overrides, plugin), Config(everything, seldom, plugin, "everything, a checkpoint every 30 s")]
        for name, make in STACKS.items():
            cases += [Stack(name, make, args.epochs), Stack(f"{name}, a checkpoint every 30 s", make, args.epochs, SELDOM)]
    rows = []
    with tempfile.TemporaryDirectory() as place:
        for i, case in enumerate(cases):
            storm = Storm(case, Path(place) / str(i), args.seed)
            print(f"{case.name}: {storm.calls} calls and {storm.seconds:.2f} s undisturbed", flush=True)
            storms = (
                lambda storm=storm: storm.at_calls(args.calls),
                lambda storm=storm: storm.in_a_row(args.row),
                lambda storm=storm: storm.at_random(args.random, (signal.SIGKILL,)),
                lambda storm=storm: storm.at_random(args.signals, SIGNALS),
            )
            for rain in storms:
                rows.append(rain())
                print("  " + ", ".join(f"{name} {value}" for name, value in rows[-1].items() if name != "case"), flush=True)
    if args.out is not None:
        with args.out.open("w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            table.writeheader()
            table.writerows(rows)
    return int(any(row["runs_that_differ"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
