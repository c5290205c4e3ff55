"""Kill a sweep in every way there is, resume it, and compare its tables with those of an undisturbed one.

    python experiments/reliability/sweep_storm.py --out experiments/reliability/sweep_storm.csv

A row a storm: its workers killed; itself killed at random instants, at the system calls of its begin and of its end, and several
times in a row at any of them; SIGTERM and SIGINT; a full disk, by a limit of each file's size and on a small file system; no inodes.
Small file systems are mounted, which takes root; without it there are no such rows, and that is said.

At the end there must be the same bytes (but for the columns `seconds` and `worker`), no other files, no process that outlives its
parent, and what was noted in the journal before must not have been trained again. Exits with 1 if anything differs.
"""

import argparse
import csv
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from storm import count_calls, ended

from nnframe import run

ROOT = Path(__file__).parent.parent.parent
SWEEP = "sweep={seeds: 8, parameters: {optimizer.lr.start: {low: 1e-3, high: 1e-1, scale: log, count: 8}, model.0.units: [8, 16]}}"
WITHIN = 5.0  # seconds in which a signal, and the death of a parent, must have ended everything


class Life:
    """One sweep in a folder below `out`, begun and resumed as often as it takes."""

    def __init__(self, out: Path, epochs: int) -> None:
        self.out, self.epochs = out, epochs

    @property
    def folder(self) -> Path | None:
        return next((path.parent for path in self.out.glob("*/*/config.yaml")), None)

    def arguments(self, workers: int) -> list[str]:
        fresh = [str(ROOT / "configs/iris.yaml"), f"train.epochs={self.epochs}", SWEEP, "--out", str(self.out)]
        return [*(fresh if self.folder is None else ["--resume", str(self.folder)]), "--quiet", f"--workers={workers}"]

    def begin(self, workers: int = 2, most: int | None = None) -> subprocess.Popen[str]:
        """A process that sweeps; no file of it may be larger than `most` bytes."""
        limit = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))) if most else None
        command = [sys.executable, "-m", "nnframe.run", *self.arguments(workers)]
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}  # the limit is not for Python's own files
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, preexec_fn=limit, **pipes)

    def dies_at(self, call: int) -> int:
        """Sweep in a fork that is killed at one of its system calls; how it ended. `calls.txt` tells how many there were."""
        if child := os.fork():
            return ended(child, 600) or 0
        status = 70
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            number = count_calls(call)
            status = run.main(self.arguments(1))
            self.out.with_name("calls.txt").write_text(str(number()))
        finally:
            os._exit(status)

    def finish(self) -> None:
        process = self.begin()
        _, said = process.communicate()
        if process.returncode:
            raise RuntimeError(f"resuming ends with status {process.returncode}: {said}")

    def noted(self) -> dict[str, str]:
        """Rows of trials.csv, by trial, that the journal has."""
        if self.folder is None:
            return {}
        *lines, _ = (self.folder / "journal.jsonl").read_bytes().split(b"\n")
        entries = [entry for line in lines for entry in json.loads(line).get("rows", ())]
        content = (self.folder / "trials.csv").read_bytes() if entries else b""
        if "complete" in json.loads(lines[-1]) and not (self.folder / "trials.sorted.csv").exists():  # it has taken its place
            return {line.partition(",")[0]: line for line in content.decode().splitlines()}
        return {str(trial): content[start : start + length].decode().strip() for trial, start, length, *_ in entries}

    def left(self) -> dict[str, object]:
        """All that a finished sweep leaves, but for what tells the time and the worker."""
        assert self.folder is not None
        found: dict[str, object] = {"files": sorted(path.name for path in self.folder.iterdir())}
        found |= {name: (self.folder / name).read_bytes() for name in ("losses.csv", "summary.csv", "config.yaml")}
        lines = (self.folder / "trials.csv").read_text().splitlines()
        return found | {"trials.csv": [line.rsplit(",", 2)[0] for line in lines]}

    def rows(self) -> set[str]:
        assert self.folder is not None
        return set((self.folder / "trials.csv").read_text().splitlines())


class Storm:
    """What happened to sweeps, and what they should have left."""

    def __init__(self, place: Path, epochs: int, seed: int) -> None:
        self.place, self.epochs, self.random = place, epochs, random.Random(seed)
        life = Life(place / "undisturbed" / "out", epochs)
        start = time.monotonic()
        life.finish()
        self.seconds, self.expected = time.monotonic() - start, life.left()
        self.size = (life.folder / "losses.csv").stat().st_size if life.folder else 0
        self.wrong: list[str] = []
        self.slowest = 0.0

    def rain(self, what: str, number: int, strike: Callable[[Life], int], place: Any = nullcontext) -> dict[str, object]:
        """Strike sweeps until there were so many deaths, and let each end; a row of the table. `place` is made of each one's."""
        start, deaths, sweeps, before = time.monotonic(), 0, 0, len(self.wrong)
        self.slowest = 0.0
        while deaths < number:
            with tempfile.TemporaryDirectory(dir=self.place) as folder, place(Path(folder) / "out"):
                life, noted = Life(Path(folder) / "out", self.epochs), {}
                for _ in range(min(number - deaths, 6)):
                    struck = strike(life)
                    deaths += struck
                    noted |= life.noted()
                    if not struck:
                        break
                life.finish()
                found = life.left() | {"files": sorted(path.name for path in life.folder.iterdir())} if life.folder else {}
                self.wrong += [f"{what}: {name} differs" for name in self.expected if found.get(name) != self.expected[name]]
                if again := set(noted.values()) - life.rows():
                    self.wrong.append(f"{what}: {len(again)} rows were trained again")
            sweeps += 1
        row = {"storm": what, "deaths": deaths, "sweeps": sweeps, "wrong": len(self.wrong) - before}
        return row | {"slowest_end": round(self.slowest, 2), "seconds": round(time.monotonic() - start)}

    def worker(self, life: Life) -> int:
        """SIGKILL to a worker at a random instant."""
        process = life.begin()
        deaths, died = 0, time.monotonic()
        while process.poll() is None:
            if time.monotonic() - died > self.random.uniform(0.1, 1) and (workers := list(children(process.pid))):
                worker = self.random.choice(workers)
                if "spawn_main" in command_of(worker):  # and no other helper of a pool
                    os.kill(worker, signal.SIGKILL)
                    deaths, died = deaths + 1, time.monotonic()
            time.sleep(0.01)
            if deaths == 4:
                break
        _, said = process.communicate()
        if process.returncode:
            self.wrong.append(f"a worker killed: status {process.returncode}: {said}")
        return deaths

    def parent(self, life: Life) -> int:
        """SIGKILL to the sweep at a random instant."""
        return self._struck(life, signal.SIGKILL, -signal.SIGKILL)

    def stopped(self, life: Life) -> int:
        """SIGTERM or SIGINT at a random instant."""
        number = self.random.choice((signal.SIGTERM, signal.SIGINT))
        return self._struck(life, number, 128 + number)

    def _struck(self, life: Life, number: signal.Signals, status: int) -> int:
        process = life.begin(self.random.choice((1, 2)))
        with suppress(subprocess.TimeoutExpired):
            process.wait(self.random.uniform(0.3, self.seconds))
        workers, start = list(children(process.pid)), time.monotonic()
        if process.poll() is None:
            process.send_signal(number)
        _, said = process.communicate()
        while any(command_of(worker) for worker in workers) and time.monotonic() - start < 60:
            time.sleep(0.01)
        seconds = time.monotonic() - start
        self.slowest = max(self.slowest, seconds)
        if seconds > WITHIN:
            self.wrong.append(f"{number.name}: ended with status {process.returncode} after {seconds:.1f} s: {said}")
        if process.returncode not in (0, status, -number):
            self.wrong.append(f"{number.name}: status {process.returncode}: {said}")
        if process.returncode == 128 + number and said and f"--resume {life.folder}" not in said:  # nothing, before it begins
            self.wrong.append(f"{number.name}: does not say how to go on: {said}")
        return int(process.returncode != 0)

    def disk(self, life: Life) -> int:
        """A disk that is full, at some size of the largest file."""
        process = life.begin(self.random.choice((1, 2)), self.random.choice((500, self.random.randint(1, self.size - 1))))
        _, said = process.communicate()
        self._told_that_it_is_full(life, process.returncode, said, "cannot write the ")
        return 1

    def _told_that_it_is_full(self, life: Life, status: int, said: str, words: str) -> None:
        if status != 2 or words not in said or ("--resume" in said) != (f"--resume {life.folder}" in said):
            self.wrong.append(f"a full disk: status {status}: {said}")
        names = [] if life.folder is None else [path.name for path in life.folder.iterdir()]
        if parts := [name for name in names if name.startswith(".") or ".sorted." in name]:
            self.wrong.append(f"a full disk: leaves {', '.join(parts)}")

    def without(self, what: str) -> Callable[[Life], int]:
        """A small file system that has no room left for bytes, `size`, or for files, `nr_inodes`, at some instant."""

        def strike(life: Life) -> int:
            now = os.statvfs(life.out)
            if what == "size":
                room = f"{(now.f_blocks - now.f_bfree) * now.f_frsize + self.random.randint(1, 2 * self.size)}"
            else:
                room = f"{now.f_files - now.f_ffree + self.random.randint(1, 14)}"
            mount(life.out, f"remount,{what}={room}")
            process = life.begin(self.random.choice((1, 2)))
            _, said = process.communicate()
            mount(life.out, f"remount,{ROOMY}")
            if process.returncode:
                self._told_that_it_is_full(life, process.returncode, said, "No space left on device")
            return int(process.returncode != 0)

        return strike

    @cached_property
    def last(self) -> int:
        """The number of an undisturbed sweep's last system call."""
        life = Life(self.place / "counted" / "out", self.epochs)
        life.dies_at(0)
        return int(life.out.with_name("calls.txt").read_text())

    def at(self, places: Iterable[int]) -> Callable[[Life], int]:
        """SIGKILL at some system calls, once a sweep."""
        left = iter(places)
        return lambda life: int(life.dies_at(next(left)) == -signal.SIGKILL) if life.folder is None else 0

    def anywhere(self, life: Life) -> int:
        """SIGKILL at any system call; what is left to do has fewer of them each time."""
        most = self.last if life.folder is None else self.last // 2
        return int(life.dies_at(self.random.randint(1, most)) == -signal.SIGKILL)


ROOMY = "size=1g,nr_inodes=100000"


def mount(place: Path, options: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(place)], check=True, capture_output=True)


@contextmanager
def small(place: Path) -> Iterator[None]:
    """A file system of its own at a place. Raises CalledProcessError where that is not allowed."""
    place.mkdir()
    mount(place, ROOMY)
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def children(parent: int) -> Iterator[int]:
    """The processes that a process has begun."""
    try:
        yield from map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split())
    except OSError:
        return


def command_of(process: int) -> str:
    """The command line of a process that lives; empty for one that has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deaths", type=int, default=20, help="of each kind (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=200, help="of each trial (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the random instants (default: %(default)s)")
    parser.add_argument("--out", type=Path, help="write the table there, as CSV")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        storm = Storm(Path(place), args.epochs, args.seed)
        print(f"128 trials in {storm.seconds:.1f} s undisturbed", flush=True)
        rains = [
            lambda: storm.rain("SIGKILL to a worker", args.deaths, storm.worker),
            lambda: storm.rain("SIGKILL to the sweep", args.deaths, storm.parent),
            lambda: storm.rain("SIGTERM or SIGINT", args.deaths, storm.stopped),
            lambda: storm.rain("full disk", args.deaths, storm.disk),
            lambda: storm.rain("SIGKILL at a system call of the begin", 3 * args.deaths, storm.at(range(1, storm.last))),
            lambda: storm.rain("SIGKILL at a system call of the end", 2 * args.deaths, storm.at(range(storm.last, 0, -1))),
            lambda: storm.rain("SIGKILL at system calls, several in a row", 2 * args.deaths, storm.anywhere),
        ]
        try:
            with small(Path(place) / "small"):
                pass
            rains += [
                lambda: storm.rain("full file system", args.deaths, storm.without("size"), small),
                lambda: storm.rain("no inodes left", args.deaths, storm.without("nr_inodes"), small),
            ]
        except (subprocess.CalledProcessError, OSError):
            print("no file system can be mounted here, so none is full", flush=True)
        rows = []
        for rain in rains:
            rows.append(rain())
            print("  " + ", ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    print(*storm.wrong, sep="\n", file=sys.stderr, end="\n" if storm.wrong else "")
    if args.out is not None:
        with args.out.open("w", newline="") as file:
            table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            table.writeheader()
            table.writerows(rows)
    return int(bool(storm.wrong))


if __name__ == "__main__":
    sys.exit(main())
