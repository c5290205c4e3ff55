"""npz files that are checked before they are trusted, and written whole or not at all. Nothing is ever unpickled."""

import errno
import os
from ast import literal_eval
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from io import BytesIO
from math import prod
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from nnframe.errors import FileError, UsageError
from nnframe.system import files

if TYPE_CHECKING:
    import zipfile

DAMAGE = (OSError, ValueError, EOFError, SyntaxError, NotImplementedError, RuntimeError, KeyError, TypeError, MemoryError)

MEMBERS = 10_000
CHECKSUM = 64  # characters of hexadecimal digits at the end
LARGE = 2**26  # bytes in all that may not be compressed to a hundredth: a zip bomb is, and data hardly ever

Header = tuple[tuple[int, ...], np.dtype]


def memory() -> float:
    """Bytes of this machine's memory, without end where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return float("inf")


def headers(path: Path) -> dict[str, Header]:
    """Shape and dtype of every array in the file, after checking that its bytes are there; nothing is allocated.

    Raises FileError if the file is missing, damaged, or no npz file.
    """
    import zipfile  # not needed for importing
    import zlib

    try:
        _regular(path)
        size = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MEMBERS:
                raise ValueError(f"it has more than {MEMBERS:,} members")
            seen: set[str] = set()
            for name in (info.filename.removesuffix(".npy") for info in members):
                if name in seen:
                    raise ValueError(f"it has two members named {name!r}")
                seen.add(name)
            claimed = sum(info.file_size for info in members)
            if claimed > LARGE and claimed > 100 * size:
                raise ValueError(f"it claims {claimed:,} bytes in {size:,}; if it is meant so, save it without compression")
            return {info.filename.removesuffix(".npy"): _header(archive, info, size) for info in members if info.filename.endswith(".npy")}
    except FileNotFoundError:
        raise FileError(f"there is no file {path}") from None
    except (*DAMAGE, zipfile.BadZipFile, zlib.error) as error:
        raise FileError(f"{path} is not an npz file of plain arrays: {getattr(error, 'strerror', None) or error}") from None


def _header(archive: "zipfile.ZipFile", info: "zipfile.ZipInfo", file_size: int) -> Header:
    """What an array's header says, read by hand: NumPy's own reader evaluates more, and trusts the lengths it finds."""
    packed, size = info.compress_size, info.file_size
    if (
        not 0 <= packed <= file_size
        or info.compress_type not in (0, 8)
        or size > (packed if info.compress_type == 0 else 1032 * packed + 64)
    ):
        raise ValueError(f"{info.filename} claims {size} bytes in {packed}")
    with archive.open(info) as member:
        shape, dtype, begin, _ = _described(member, info.filename)
    if not dtype.hasobject and begin + dtype.itemsize * prod(shape) != size:
        raise ValueError(f"{info.filename} claims {begin + dtype.itemsize * prod(shape)} bytes and has {size}")
    return shape, dtype


def _described(file: IO[bytes], name: str) -> tuple[tuple[int, ...], np.dtype, int, bool]:
    """What an array's header says: shape, dtype, where its numbers begin, and whether they are in Fortran's order. Raises ValueError."""
    start = file.read(12)
    if start[:6] != b"\x93NUMPY" or len(start) < 12 or start[6] not in (1, 2, 3):
        raise ValueError(f"{name} is no array")
    length = int.from_bytes(start[8:10] if start[6] == 1 else start[8:12], "little")
    if length > 10_000:
        raise ValueError(f"{name} has a header of {length} bytes")
    begin = 10 if start[6] == 1 else 12
    text = (start[begin:] + file.read(length + begin - 12)).decode("utf-8" if start[6] == 3 else "latin-1")
    try:
        header = literal_eval(text.strip())
        shape, descr, fortran = header["shape"], header["descr"], header["fortran_order"]
        dtype = np.dtype(descr) if isinstance(descr, str) and len(descr) < 100 else None
    except Exception:
        raise ValueError(f"{name} has a header that is none") from None
    if dtype is None or not isinstance(shape, tuple) or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError(f"{name} holds no plain numbers")
    return shape, dtype, begin + length, fortran is True


@dataclass(frozen=True)
class Place:
    """An array in a file: where its numbers begin, and how they lie."""

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype
    offset: int
    fortran: bool = False

    @property
    def nbytes(self) -> int:
        return self.dtype.itemsize * prod(self.shape)

    def mapped(self) -> np.ndarray:
        """The array, left in its file."""
        return np.memmap(self.path, self.dtype, "r", self.offset, self.shape, "F" if self.fortran else "C")

    def read(self) -> np.ndarray:
        """The array. Raises FileError if it does not fit in memory, or is there no more."""
        if self.nbytes > memory():
            raise FileError(f"{self.path} is larger than this machine's memory")
        try:
            found = np.fromfile(self.path, self.dtype, prod(self.shape), offset=self.offset)
            return found.reshape(self.shape, order="F" if self.fortran else "C")
        except MemoryError:
            raise FileError(f"{self.path} is larger than the memory that is free") from None
        except (OSError, ValueError) as error:
            raise FileError(f"cannot read {self.path}: {getattr(error, 'strerror', None) or error}") from None


def npy(path: Path) -> Place:
    """Where the array of an npy file is, after checking that all its bytes are there. Raises FileError."""
    try:
        _regular(path)
        size = path.stat().st_size
        with path.open("rb") as file:
            shape, dtype, begin, fortran = _described(file, path.name)
    except FileNotFoundError:
        raise FileError(f"there is no file {path}") from None
    except (OSError, ValueError, EOFError) as error:
        raise FileError(f"{path} is not an npy file of plain numbers: {getattr(error, 'strerror', None) or error}") from None
    if dtype.hasobject:
        raise FileError(f"{path} holds Python objects, which are never unpickled")
    if (expected := begin + dtype.itemsize * prod(shape)) != size:
        what = "is cut short" if size < expected else "is longer than it should be"
        raise FileError(f"{path} {what}: {shape} numbers of {dtype} make {expected:,} bytes, got {size:,}; write it again")
    return Place(path, shape, dtype, begin, fortran)


def stored(path: Path, name: str) -> Place | None:
    """Where an array of an npz file is that `headers` has found good; None if it is compressed."""
    import zipfile

    with zipfile.ZipFile(path) as archive, archive.open(info := archive.getinfo(f"{name}.npy")) as member:
        shape, dtype, begin, fortran = _described(member, name)
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        return None
    with path.open("rb") as file:
        file.seek(info.header_offset)
        local = file.read(30)
    offset = info.header_offset + 30 + int.from_bytes(local[26:28], "little") + int.from_bytes(local[28:30], "little") + begin
    if local[:4] != b"PK\3\4" or offset + dtype.itemsize * prod(shape) > path.stat().st_size:
        raise FileError(f"{path} is damaged: {name!r} is not where the file's directory says")
    return Place(path, shape, dtype, offset, fortran)


def read(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """The arrays of these names. Raises FileError as `headers` does, also if the contents do not match their checksums."""
    import zipfile
    import zlib

    found = headers(path)
    if pickled := [name for name in names if found[name][1].hasobject]:
        raise FileError(f"{path}: {pickled[0]!r} holds Python objects, which are never unpickled")
    if sum(dtype.itemsize * prod(shape) for name, (shape, dtype) in found.items() if name in names) > memory():
        raise FileError(f"{path} is larger than this machine's memory")
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[f"{name}.npy"] for name in names}
    except MemoryError:
        raise FileError(f"{path} is larger than the memory that is free") from None
    except (*DAMAGE, zipfile.BadZipFile, zlib.error) as error:
        raise FileError(f"{path} is damaged: {error}") from None


def pack(arrays: Mapping[str, Any]) -> bytes:
    """The bytes of an npz file, the same for the same arrays; they end with a checksum of all that stands before it.

    Raises UsageError for what is no array of numbers or texts.
    """
    import zipfile

    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, value in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, _plain(name, value), allow_pickle=False)
    with buffer.getbuffer() as content:
        content[-2:] = CHECKSUM.to_bytes(2, "little")  # the last field of a zip file: the length of a comment that follows
        checksum = _checksum(content)
    buffer.seek(0, 2)
    buffer.write(checksum)
    return buffer.getvalue()


def _plain(name: str, value: Any) -> np.ndarray:
    try:
        array = np.asanyarray(value)
    except ValueError:  # lists of several lengths
        array = np.empty(0, object)
    if array.dtype.hasobject:
        raise UsageError(f"{name}: expected an array of numbers or texts, got {value!r:.60}; Python objects are never written to a file")
    return array


def intact(path: Path) -> bool:
    """Are all bytes of a file that `pack` made as they were made? Raises OSError."""
    _regular(path)
    content = memoryview(path.read_bytes())
    return content[-CHECKSUM:] == _checksum(content[:-CHECKSUM])


def _regular(path: Path) -> None:
    """Raise OSError for what is there and no file: to read a pipe would wait for ever."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file")


def _checksum(content: Any) -> bytes:
    from hashlib import blake2b

    return blake2b(content, digest_size=CHECKSUM // 2).hexdigest().encode()


def write(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays so that `path` is, at any instant, the old file or the new one. Raises FileError if that fails."""
    files.write(path, pack(arrays))
