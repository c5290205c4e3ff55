"""Files that are whole at any instant, files that grow, and folders that have one owner."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from nnframe.errors import FileError

try:
    import fcntl
except ImportError:  # Windows: folders are not locked there
    fcntl = None  # type: ignore[assignment]

PART = ".nnframe-part"  # ends the name of a file that is not whole yet


def write(path: Path, data: bytes) -> None:
    """Write a file so that `path` holds, whenever the process or the machine stops, all of the old bytes or all of the new.

    Raises FileError if that fails; the old file is as it was then.
    """
    part = stage(path, data)
    try:
        os.replace(part, path)
        sync(path.parent)
    except OSError as error:
        raise unwritten(path, error, len(data), part) from None


def stage(path: Path, data: bytes) -> Path:
    """Write what is to become `path` to a file beside it, down to the disk. Raises FileError."""
    part = path.with_name(f".{path.name}{PART}")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise unwritten(path, error, len(data), part) from None
    return part


def folder(path: Path) -> Path:
    """A folder in one that is there, made unless it is there too. Raises FileError."""
    try:
        path.mkdir(exist_ok=True)
        sync(path.parent)
    except OSError as error:
        raise FileError(f"cannot make the folder {path}: {error.strerror}") from None
    return path


def sync(folder: Path) -> None:
    """Make the names in a folder last."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unwritten(path: Path, error: OSError, size: int, part: Path | None = None) -> FileError:
    """The error that says what could not be written; `part` is removed."""
    if part is not None:
        with suppress(OSError):
            part.unlink()
    return FileError(f"cannot write the {size:,} bytes of {path}: {error.strerror}")


class Growing:
    """A file that grows at its end, and can be cut back to what it was. Raises FileError where it cannot be read or written.

    `bytes` and `hash` are those of all that was written; they are in the file after `flush`, and on the disk after `sync`.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.descriptor = path, -1
        self.bytes, self.hash = 0, _hash()
        self.waiting: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.waiting.append(data)
        self.bytes += len(data)
        self.hash.update(data)
        if len(self.waiting) == 1000:
            self.flush()

    def flush(self) -> None:
        """Hand what was written to the system."""
        rest = memoryview(b"".join(self.waiting))
        try:
            while rest:
                rest = rest[os.write(self.descriptor, rest) :]
        except OSError as error:
            self.waiting = [bytes(rest)]
            raise unwritten(self.path, error, len(rest)) from None
        self.waiting = []

    def sync(self) -> None:
        """Have what was written on the disk."""
        self.flush()
        try:
            os.fsync(self.descriptor)
        except OSError as error:
            raise unwritten(self.path, error, self.bytes) from None

    def verify(self, size: int, digest: bytes) -> None:
        """Raise FileError unless the file's first `size` bytes are those that were hashed."""
        found, rest = _hash(), size
        if self.path.exists() and not self.path.is_file():  # to read a pipe would wait for ever
            raise FileError(f"{self.path} is not a regular file; training cannot go on without it")
        try:
            with self.path.open("rb") as file:
                while rest and (part := file.read(min(rest, 2**20))):
                    found.update(part)
                    rest -= len(part)
        except OSError as error:
            raise FileError(f"cannot read {self.path}: {error.strerror}; training cannot go on without it") from None
        if rest or found.digest() != digest:
            raise FileError(f"{self.path} is not what training wrote: its first {size:,} bytes were changed, so it cannot go on")
        self.hash = found

    def cut(self, size: int) -> None:
        """Drop all but the first `size` bytes; the hash is right if these were verified, or there are none."""
        self.bytes, self.waiting = size, []
        self.hash = self.hash if size else _hash()
        try:
            if self.descriptor < 0:
                self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
            os.ftruncate(self.descriptor, size)
            os.lseek(self.descriptor, size, os.SEEK_SET)
        except OSError as error:
            raise FileError(f"cannot write {self.path}: {error.strerror}") from None

    def close(self) -> None:
        """What cannot be written by now is not needed: what was noted elsewhere counts."""
        if self.descriptor >= 0:
            with suppress(FileError):
                self.flush()
            os.close(self.descriptor)
            self.descriptor = -1


def _hash() -> Any:
    from hashlib import blake2b  # not needed for importing

    return blake2b()


@contextmanager
def owned(folder: Path) -> Iterator[None]:
    """Within it, no other process can own the folder. The lock is the kernel's: it ends with the process, however that ends.

    In the end, parts of files are removed that a process left behind which was killed, now or earlier.
    Raises FileError if another process owns the folder, or it cannot be written to.
    """
    path = folder / ".lock"
    descriptor = _lock(path)
    try:
        yield
    finally:
        for left in (*folder.glob(f".*{PART}"), path):  # the lock last, and still ours: whoever opens it now makes a new file
            with suppress(OSError):
                left.unlink()
        os.close(descriptor)


def is_owned(folder: Path) -> bool:
    """Does a process own the folder now? Nothing is written; where folders cannot be locked, one that was killed owns it for ever."""
    try:
        descriptor = os.open(folder / ".lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # given back at once
        return fcntl is None
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _lock(path: Path) -> int:
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise FileError(f"cannot write to {path.parent}: {error.strerror}") from None
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if fcntl is None or os.path.samestat(os.fstat(descriptor), os.stat(path)):
                return descriptor
        except FileNotFoundError:
            pass  # its owner has just ended and removed it
        except BlockingIOError:
            os.close(descriptor)
            raise FileError(f"{path.parent} is in use: another process trains there") from None
        except OSError as error:  # a file system without locks
            os.close(descriptor)
            raise FileError(f"cannot lock {path.parent}: {error.strerror}") from None
        os.close(descriptor)
