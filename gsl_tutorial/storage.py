"""Files that are either whole or absent: safetensors and JSON, written beside and then renamed.

A crash, a full disk or Ctrl-C in the middle of a write leaves the previous file as it was. Arrays are
safetensors, never pickles; each file carries a small JSON header that says what it is.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from gsl_tutorial.errors import ChecksumError, DataMissingError, InvalidInputError, StorageError


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file as a whole; where that fails, the old one stays.

    Parameters
    ----------
    path
        Where to; missing folders are made.
    content
        All bytes of the file.

    Raises
    ------
    StorageError
        When the disk is full or the folder cannot be written to.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)  # temporary files are private to their owner
        os.replace(temporary, path)
    except OSError as error:
        raise StorageError(
            f"to write {len(content):,} bytes to {path.name}",
            f"{error.strerror or error}",
            f"free space or choose another folder than {path.parent}; the old file is untouched",
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any, *, indent: int | None = 1) -> None:
    """Write a value as readable JSON, keys in the order given.

    Parameters
    ----------
    path
        Where to, as in `write_bytes`.
    value
        What `json.dumps` takes.
    indent
        Spaces a level; None: all on one line.

    Raises
    ------
    StorageError
        As `write_bytes`.
    """
    write_bytes(path, (json.dumps(value, indent=indent) + "\n").encode())


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    DataMissingError
        When there is no file, or it cannot be read.
    InvalidInputError
        When it is not JSON.
    """
    try:
        return json.loads(_read(path))
    except ValueError as error:
        raise InvalidInputError(
            f"JSON in {path.name}", f"{error}", "check the path, or make the file again"
        ) from error


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> None:
    """Write named arrays with a JSON header to a safetensors file.

    Parameters
    ----------
    path
        Where to, as in `write_bytes`.
    arrays
        Arrays of numbers by name, of any shape.
    header
        What the file is, as values that JSON knows.

    Raises
    ------
    StorageError
        As `write_bytes`.
    """
    # Not ascontiguousarray: that turns a scalar, shape (), into shape (1,).
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    write_bytes(path, save(contiguous, metadata={"header": json.dumps(dict(header))}))


def load_arrays(
    path: Path, *, sha256: str | None = None
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what `save_arrays` wrote.

    Parameters
    ----------
    path
        The file.
    sha256
        The checksum of the right file, in hexadecimal, compared before anything is read; None: any
        file.

    Returns
    -------
    arrays
        By name.
    header
        Empty where the file has none.

    Raises
    ------
    ChecksumError
        When the bytes are others than those of `sha256`.
    DataMissingError
        When there is no file, or it cannot be read.
    InvalidInputError
        When it is not a whole safetensors file.
    """
    if sha256 is not None and (found := digest(path)) != sha256:
        raise ChecksumError(
            f"SHA-256 {sha256} for {path.name}", found, "fetch the file again: it has changed"
        )
    _read(path, size=0)
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return arrays, json.loads((file.metadata() or {}).get("header", "{}"))
    except (SafetensorError, ValueError) as error:
        raise InvalidInputError(
            f"a whole safetensors file at {path.name}", f"{error}", "make or fetch it again"
        ) from error


def save_array(path: Path, array: np.ndarray) -> None:
    """Write one array as a .npy file.

    Parameters
    ----------
    path
        Where to, as in `write_bytes`.
    array
        Plain numbers of any shape.

    Raises
    ------
    StorageError
        As `write_bytes`.
    """
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    write_bytes(path, buffer.getvalue())


def _not_npy(path: Path) -> str:
    # In our words: NumPy's own advise to open the file unsafely.
    with path.open("rb") as file:
        start = file.read(6)
    if not start:
        return "an empty file"
    return "a broken file, or objects" if start == b"\x93NUMPY" else "another kind of file"


def load_array(path: Path) -> np.ndarray:
    """Read a .npy file, never a pickle.

    Raises
    ------
    DataMissingError
        When there is no file, or it cannot be read.
    InvalidInputError
        When it is broken or holds anything but one array of plain numbers.
    """
    check_regular(path)
    try:
        # Mapped first: a header that claims more numbers than the file has bytes for is refused
        # before any memory is set aside for them.
        with np.errstate(over="ignore"):
            mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise DataMissingError(
            f"a readable file {path}", f"{error.strerror or error}", "check the path"
        ) from error
    except Exception as error:  # NumPy parses the header as Python: any error of a parser
        raise InvalidInputError(
            f"one array of plain numbers in {path}, saved by numpy.save",
            _not_npy(path),
            "convert it to numbers and save it again: pickled objects are never opened",
        ) from error
    if not isinstance(mapped, np.ndarray):  # an .npz archive
        mapped.close()
        raise InvalidInputError(
            f"one array in {path}", "an archive of several", "save each with numpy.save"
        )
    return np.array(mapped, copy=True, subok=False)


def check_regular(path: Path) -> None:
    """Refuse folders, pipes and devices before they are opened: a pipe would wait for ever.

    Raises
    ------
    DataMissingError
        When there is nothing at the path, or something that is not a file.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise DataMissingError(
            f"a readable file {path}",
            f"{getattr(error, 'strerror', None) or error}",
            "check the path",
        ) from error
    if not stat.S_ISREG(mode):
        kind = next(
            (name for test, name in _NOT_FILES if test(mode)), "something that is not a file"
        )
        raise DataMissingError(f"a readable file {path}", kind, "name a file of its own on disk")


_NOT_FILES = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal.

    Raises
    ------
    DataMissingError
        When there is no file, or it cannot be read.
    """
    return hashlib.sha256(_read(path)).hexdigest()


def _read(path: Path, size: int = -1) -> bytes:
    check_regular(path)
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise DataMissingError(
            f"a readable file {path}", f"{error.strerror or error}", "check the path"
        ) from error
