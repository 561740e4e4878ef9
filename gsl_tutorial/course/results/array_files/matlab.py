"""MATLAB's files of versions 4 to 7.2: numbers, truth values and sparse matrices, nothing else.

Most label files of the hashing literature are such files. SciPy reads them, too, and much more than
numbers; but its compiled reader trusts what a file says of its own sizes, and one wrong byte can end
the process. So the few parts that hold plain arrays are read here, in Python: every size is compared
with the bytes that are there. (Version 7.3 is HDF5, see `binary`.)

Source of the layout: The MathWorks, "MAT-File Format", chapters 1 and 2.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gsl_tutorial.course.results.array_files.refusals import broken, chosen_of

#: Bytes that a sparse matrix may need once it is dense.
_DENSE = 2 * 2**30

#: Decompressed bytes that are enough for the name and the shape of an array.
_FOREWORD = 4096

_COMPRESSED, _MATRIX = 15, 14
_TYPES = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}
_CLASSES = {
    6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8",
}  # fmt: skip
_SPARSE = 5
_OLD_TYPES = ("f8", "f4", "i4", "i2", "u2", "u1")


class _Foreword(NamedTuple):
    """What stands before the numbers of an array: its class, flags, shape and name."""

    kind: int
    is_logical: bool
    is_complex: bool
    shape: tuple[int, ...]
    name: str


def read_mat(path: Path, name: str | None) -> np.ndarray:
    """Return one array; the whole file is in memory meanwhile.

    Parameters
    ----------
    path : Path
        The file.
    name : str or None
        Of the array; None: the only one.

    Returns
    -------
    array

    Raises
    ------
    InvalidInputError
        When the file is damaged, and when it holds no such array, or several and none is named.
    """
    content = path.read_bytes()
    try:
        if len(content) >= 20 and 0 in content[:4]:
            return _read_old(path, content, name)
        return _read(path, content, name)
    except (struct.error, zlib.error, ValueError, IndexError, OverflowError) as error:
        if type(error) not in (struct.error, zlib.error, ValueError, IndexError, OverflowError):
            raise  # a refusal of ours, in words of its own
        broken(path, f"{type(error).__name__}: {error}")


def _read(path: Path, content: bytes, name: str | None) -> np.ndarray:
    order = {b"IM": "<", b"MI": ">"}.get(content[126:128])
    if order is None:
        broken(path, "no header of a MATLAB file")
    known: dict[str, tuple[int, bytes]] = {}
    place = 128
    while place + 8 <= len(content):
        tag, size = struct.unpack(order + "II", content[place : place + 8])
        body = content[place + 8 : place + 8 + size]
        if len(body) < size:
            broken(path, f"an array of {size:,} bytes of which {len(body):,} are there")
        place += 8 + size
        start = zlib.decompressobj().decompress(body, _FOREWORD) if tag == _COMPRESSED else body
        start = start[8:] if tag == _COMPRESSED else start[:_FOREWORD]
        if tag in (_COMPRESSED, _MATRIX):
            words = _foreword(start, order)
            if words.name and words.kind in (*_CLASSES, _SPARSE):
                known[words.name] = tag, body
    tag, body = known[chosen_of(path, name, known)]
    if tag == _COMPRESSED:
        # As the numbers come, so that a false claim of their size costs nothing.
        body = zlib.decompressobj().decompress(body)[8:]
    words, parts = _foreword(body, order), list(_elements(body, order))[3:]
    if words.is_complex:
        broken(path, "complex numbers", "save real numbers")
    if words.kind == _SPARSE:
        rows, ends, values = parts[:3]
        array = _dense(path, words.shape, rows, ends, values)
    else:
        array = parts[0].astype(_CLASSES[words.kind]).reshape(words.shape, order="F")
    return np.ascontiguousarray(array, bool if words.is_logical else None)


def _foreword(body: bytes, order: str) -> _Foreword:
    parts = _elements(body, order)
    flags, shape, name = next(parts), next(parts), next(parts)
    bits = int(flags[0])
    sizes = tuple(int(each) for each in shape)
    if min(sizes) < 0:
        raise ValueError(f"an array of shape {sizes}")
    return _Foreword(
        bits & 0xFF, bool(bits & 0x200), bool(bits & 0x800), sizes, name.tobytes().decode("latin1")
    )


def _elements(body: bytes, order: str) -> Iterator[np.ndarray]:
    """The parts of an array: each has a type, a size and numbers, filled up to eight bytes."""
    place = 0
    while place + 8 <= len(body):
        kind, size = struct.unpack(order + "II", body[place : place + 8])
        if kind >> 16:  # up to four bytes stand in the tag itself
            kind, size, start, step = kind & 0xFFFF, kind >> 16, place + 4, 8
        else:
            start, step = place + 8, 8 + size + -size % 8
        if kind not in _TYPES or start + size > len(body):
            raise ValueError(f"a part of type {kind} and {size:,} bytes")
        yield np.frombuffer(body[start : start + size], order + _TYPES[kind])
        place += step


def _read_old(path: Path, content: bytes, name: str | None) -> np.ndarray:
    """Version 4: five numbers, the name, the numbers by columns; sparse ones as (row, column, value)."""
    known: dict[str, Any] = {}
    place = 0
    while place + 20 <= len(content):
        order = "<" if struct.unpack("<i", content[place : place + 4])[0] in range(5000) else ">"
        code, n_rows, n_columns, imaginary, length = struct.unpack(
            order + "5i", content[place : place + 20]
        )
        code %= 1000
        dtype = np.dtype(order + _OLD_TYPES[code // 10])
        size = n_rows * n_columns * dtype.itemsize
        begin = place + 20 + length
        place = begin + size * (2 if imaginary else 1)
        if min(n_rows, n_columns, length) < 0 or place > len(content):
            broken(path, f"an array of shape ({n_rows}, {n_columns})")
        if not imaginary and code % 10 in (0, 2):
            words = content[begin - length : begin].rstrip(b"\0").decode("latin1")
            values = np.frombuffer(content[begin : begin + size], dtype)
            known[words] = values.reshape(n_rows, n_columns, order="F"), code % 10 == 2
    array, is_sparse = known[chosen_of(path, name, known)]
    if not is_sparse:
        return np.array(array, array.dtype.newbyteorder("="), order="C")
    rows, columns = (array[:-1, i].astype(np.int64) - 1 for i in (0, 1))
    counts = np.bincount(columns, minlength=int(array[-1, 1]))
    by_column = np.argsort(columns, kind="stable")
    ends = np.append(0, np.cumsum(counts))
    shape = int(array[-1, 0]), int(array[-1, 1])
    return _dense(path, shape, rows[by_column], ends, array[by_column, 2])


def _dense(
    path: Path, shape: tuple[int, ...], rows: np.ndarray, ends: np.ndarray, values: np.ndarray
) -> np.ndarray:
    n_rows, n_columns = shape
    if n_rows * n_columns * values.itemsize > _DENSE:
        broken(path, f"a sparse matrix of shape {shape}", "keep fewer of its columns")
    counts: np.ndarray = np.diff(ends[: n_columns + 1].astype(np.int64))
    n = int(ends[n_columns])
    if (counts < 0).any() or ends[0] != 0 or len(rows) < n or len(values) < n:
        broken(path, "a sparse matrix whose columns do not add up")
    if n and not 0 <= int(rows[:n].min()) <= int(rows[:n].max()) < n_rows:
        broken(path, "a sparse matrix with places outside it")
    out = np.zeros(shape, values.dtype.newbyteorder("="))
    out[rows[:n], np.repeat(np.arange(n_columns), counts)] = values[:n]
    return out
