"""Runs one command after another, each in a fork of this process, and tells what it did: exit status, output, CPU time, memory,
and what Python's audit events show of it. A fork may hang, fill memory or crash without harm to the tests.

A request is a line of JSON on standard input, {"folder", "arguments", "reads"}; so is the answer on standard output.
"""

import contextlib
import importlib
import io
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a process with threads must not fork
sys.path.insert(0, str(Path(__file__).parent.parent.parent))

import numpy as np

from nnframe import run

"".encode("cp1252")  # a codec is imported once it is asked for
sys.modules["polars"] = None  # the core is tested here: polars imports, and starts threads, once it is asked

ROOM = 2**30  # bytes of address space that a command may add
SECONDS = 5  # on the clock, after which it is killed

WARM = """
data: {type: Arrays, path: data.npz}
model: [{type: Dense, units: 1}]
loss: MSE
optimizer: {type: SGD, lr: {type: Cosine, start: 0.1}}
train: {epochs: 1, batch_size: 2}
metrics: [MAE]
"""

FORBIDDEN = (
    "code.", "cpython.", "ctypes.", "exec", "fcntl.", "ftplib.", "gc.", "http.", "imaplib.", "import", "marshal.", "mmap.", "nntplib.", "pickle.",
    "os.chdir", "os.chflags", "os.chmod", "os.chown", "os.exec", "os.fork", "os.kill", "os.link", "os.mkdir", "os.posix_spawn", "os.putenv",
    "os.remove", "os.rename", "os.rmdir", "os.setxattr", "os.spawn", "os.startfile", "os.symlink", "os.system", "os.truncate", "os.unsetenv", "os.utime",
    "poplib.", "pty.", "shutil.", "smtplib.", "socket.", "sqlite3.", "subprocess.", "syslog.", "telnetlib.", "tempfile.", "urllib.", "webbrowser.",
)  # fmt: skip


class Watch:
    """What Python's audit events show while it is on."""

    def __init__(self):
        self.on, self.seen, self.folder, self.reads = False, [], "", ()
        sys.addaudithook(self)

    def __call__(self, event, args):
        if self.on:
            self.on = False  # what happens in here is our own doing
            if (event.startswith(FORBIDDEN) and event != "gc.get_objects") or (event == "open" and not self.allowed(*args)):
                self.seen.append(f"{event} {args[:2]!r}"[:300])
            elif event == "compile" and args[1] != "<unknown>":  # ast.literal_eval names its text so, and runs nothing
                self.seen.append(f"{event} {args!r}"[:300])
            self.on = True

    def allowed(self, file, mode, flags):
        """To read what is in the command's folder, or what its config names and the case says so."""
        writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        if flags & writing or set(mode or "") & set("wax+") or isinstance(file, int):
            return False
        path = os.path.abspath(os.fsdecode(file))
        return path.startswith(self.folder + os.sep) or path in self.reads


def warm_up():
    """Have everything imported and cached that an honest command and an honest mistake need."""
    for name in (
        "difflib",
        "zipfile",
        "unicodedata",
        "encodings.utf_8_sig",
        "encodings.unicode_escape",
        "bz2",
        "lzma",
        "ast",
        "tokenize",
        "nnframe.sweeps.runner",
    ):
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()) as out:
        np.savez("data.npz", x=np.eye(4, 2), y=np.eye(4, 1))
        Path("warm.yaml").write_text(WARM)
        Path("data.csv").write_text("a,b,y\n0,1,2\n3,4,5\n")
        with contextlib.redirect_stderr(io.StringIO()) as err:
            for arguments in ([], ["data={type: CSV, path: data.csv, target: y}"]):
                assert run.main(["warm.yaml", *arguments]) == 0, err.getvalue()
            for arguments in (["optimizer.type=x"], ["data.y=x"], ["data={type: CSV, path: data.csv, target: x}"], ["seed=[1"]):
                assert run.main(["warm.yaml", *arguments]) == 2, out.getvalue()


def memory(key):
    """A number of bytes from what the system says of this process."""
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(key)) * 1024


def command(arguments):
    try:
        return run.main(arguments)
    except SystemExit as error:  # argparse
        return error.code
    except BaseException:
        traceback.print_exc()
        return 1


def probe(arguments):
    """What a guilty command would do, to see that it does not go unnoticed."""
    try:
        exec(arguments[1], {})
    except BaseException:
        traceback.print_exc()
        return 1
    return 2


def perform(watch, request):
    os.chdir(request["folder"])
    sys.path.insert(0, request["folder"])  # as `python -m` has it
    watch.folder, watch.reads = os.path.realpath(request["folder"]), request["reads"]
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", errors, write_through=True) for errors in ("strict", "backslashreplace"))
    work = probe if request["arguments"][0] == "probe" else command
    signal.alarm(SECONDS)
    resource.setrlimit(resource.RLIMIT_AS, (memory("VmSize:") + ROOM, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = memory("VmRSS:")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("always")
        began, watch.on = time.process_time(), True
        status = work(request["arguments"])
        watch.on, seconds = False, time.process_time() - began
    return {
        "status": status,
        "out": out.buffer.getvalue().decode(),
        "err": err.buffer.getvalue().decode(),
        "seen": watch.seen,
        "seconds": seconds,
        "memory": memory("VmHWM:") - before,
    }


def serve():
    warm_up()
    watch = Watch()
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        ours, theirs = os.pipe()
        child = os.fork()
        if not child:
            with os.fdopen(theirs, "w") as file:
                json.dump(perform(watch, json.loads(line)), file)
            os._exit(0)
        os.close(theirs)
        with os.fdopen(ours) as file:
            answer = file.read()
        _, status = os.waitpid(child, 0)
        if status or not answer:
            died = signal.Signals(status & 127).name if status & 127 else f"exit {status >> 8}"
            answer = json.dumps({"status": died, "out": "", "err": "", "seen": [], "seconds": 0, "memory": 0})
        answers.write(answer + "\n")
        answers.flush()


if __name__ == "__main__":
    serve()
