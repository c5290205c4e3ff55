"""npz files that are checked before they are trusted, and written whole or not at all. Nothing is ever unpickled."""

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnframe.errors import FileError

if TYPE_CHECKING:
    import zipfile

DAMAGE = (OSError, ValueError, EOFError, SyntaxError, NotImplementedError, RuntimeError, KeyError, TypeError, MemoryError)

Header = tuple[tuple[int, ...], np.dtype]


def headers(path: Path) -> dict[str, Header]:
    """Shape and dtype of every array in the file, after checking that its bytes are there; nothing is allocated.

    Raises FileError if the file is missing, damaged, or no npz file.
    """
    import zipfile  # not needed for importing
    import zlib

    try:
        with zipfile.ZipFile(path) as archive:
            return {info.filename.removesuffix(".npy"): _header(archive, info) for info in archive.infolist()}
    except FileNotFoundError:
        raise FileError(f"there is no file {path}") from None
    except (*DAMAGE, zipfile.BadZipFile, zlib.error) as error:
        raise FileError(f"{path} is not an npz file of plain arrays: {getattr(error, 'strerror', None) or error}") from None


def _header(archive: "zipfile.ZipFile", info: "zipfile.ZipInfo") -> Header:
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(member)
        if dtype.hasobject:  # such an array may be there, but is never read
            return shape, dtype
        size = member.tell() + dtype.itemsize * int(np.prod([int(n) for n in shape], dtype=object))
    if size != info.file_size:
        raise ValueError(f"{info.filename} claims {size} bytes and has {info.file_size}")
    return shape, dtype


def read(path: Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """The arrays of these names. Raises FileError as `headers` does, also if the contents do not match their checksums."""
    import zipfile
    import zlib

    found = headers(path)
    if pickled := [name for name in names if found[name][1].hasobject]:
        raise FileError(f"{path}: {pickled[0]!r} holds Python objects, which are never unpickled")
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in names}
    except (*DAMAGE, zipfile.BadZipFile, zlib.error) as error:
        raise FileError(f"{path} is damaged: {error}") from None


def write(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays so that `path` is, at any instant, the old file or the new one. Raises FileError if that fails."""
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise FileError(f"cannot write {path}: {error.strerror}") from None
