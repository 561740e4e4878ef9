"""Arrays in binary files; each reader compares what a header claims with the size of the file first."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from gsl_tutorial.course.results.array_files.matlab import read_mat
from gsl_tutorial.course.results.array_files.refusals import broken, chosen_of, no_name
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.storage import load_array, load_arrays

#: Deflate, which .npz, .mat and HDF5 use, cannot make more of a byte than this.
_MOST_OUT_OF_A_BYTE = 1032

#: Types of the formats whose rows, or whose file, begin with 32-bit sizes.
_VECS = {".fvecs": "<f4", ".ivecs": "<i4", ".bvecs": "u1"}
_BINS = {".fbin": "<f4", ".ibin": "<i4", ".u8bin": "u1", ".i8bin": "i1"}


def _npy(path: Path, name: str | None) -> np.ndarray:
    no_name(path, name)
    return load_array(path)


def _npz(path: Path, name: str | None) -> np.ndarray:
    try:
        with zipfile.ZipFile(path) as archive:
            members = {
                one.filename.removesuffix(".npy"): one
                for one in archive.infolist()
                if one.filename.endswith(".npy")
            }
            chosen = members[chosen_of(path, name, members)]
            size = chosen.file_size
            if size > _MOST_OUT_OF_A_BYTE * path.stat().st_size:
                broken(path, f"{size:,} bytes in a file of {path.stat().st_size:,}")
            with archive.open(chosen) as file:
                version = np.lib.format.read_magic(file)
                read_header = (
                    np.lib.format.read_array_header_1_0
                    if version == (1, 0)
                    else np.lib.format.read_array_header_2_0
                )
                shape, in_columns, dtype = read_header(file)
                if dtype.hasobject:
                    raise ValueError("objects")
                if _n_bytes(shape, dtype) > size:
                    broken(path, f"a header that claims an array of shape {shape}")
                flat = np.frombuffer(file.read(_n_bytes(shape, dtype)), dtype)
            return flat.reshape(shape, order="F" if in_columns else "C").copy()
    except InvalidInputError:
        raise
    except Exception as error:  # of zipfile, zlib and NumPy's parser of headers
        broken(path, f"{error}", "save it again as plain numbers: objects are never unpickled")


def _safetensors(path: Path, name: str | None) -> np.ndarray:
    arrays, _ = load_arrays(path)
    return arrays[chosen_of(path, name, arrays)]


def _vecs(path: Path, name: str | None) -> np.ndarray:
    """Each row begins with its length, an int32: fvecs, ivecs, bvecs."""
    no_name(path, name)
    dtype, size = np.dtype(_VECS[path.suffix.lower()]), path.stat().st_size
    d = int(np.fromfile(path, "<i4", 1)[0]) if size >= 4 else 0
    row = 4 + d * dtype.itemsize
    if d < 1 or size % row:
        broken(
            path,
            f"{size:,} bytes, the first row of length {d:,}: "
            + (f"that is no whole number of rows of {row:,} bytes" if d > 0 else "no such length"),
        )
    raw = np.memmap(path, np.uint8, "r").reshape(-1, row)
    lengths = np.array(raw[:, :4], order="C").view("<i4")[:, 0]
    if (lengths != d).any():
        at = int((lengths != d).argmax())
        broken(path, f"length {lengths[at]:,} in row {at:,} after {d:,} before it")
    return np.array(raw[:, 4:], order="C").view(dtype)


def _bin(path: Path, name: str | None) -> np.ndarray:
    """Two int32, rows and columns, then the rows: fbin and its family. Ids may have distances behind."""
    no_name(path, name)
    dtype, size = np.dtype(_BINS[path.suffix.lower()]), path.stat().st_size
    n, d = (int(one) for one in np.fromfile(path, "<u4", 2)) if size >= 8 else (0, 0)
    body = n * d * dtype.itemsize
    sizes = (8 + body, 8 + 2 * body) if path.suffix.lower() == ".ibin" else (8 + body,)
    if not n * d or size not in sizes:
        broken(path, f"{size:,} bytes and a header that says {n:,} rows of length {d:,}")
    return np.fromfile(path, dtype, n * d, offset=8).reshape(n, d)


def _mat(path: Path, name: str | None) -> np.ndarray:
    with path.open("rb") as file:
        start = file.read(1024)
    if start.startswith(b"\x89HDF") or b"MATLAB 7.3" in start[:128]:
        return _hdf5(path, name).T  # MATLAB stores columns first
    return read_mat(path, name)


def _hdf5(path: Path, name: str | None) -> np.ndarray:
    try:
        import h5py
    except ImportError:
        raise InvalidInputError(
            f"the package h5py, which reads {path.name}",
            "none installed",
            "python -m pip install h5py",
        ) from None
    try:
        with h5py.File(path, "r") as file:
            arrays: dict[str, Any] = {}

            def note(key: str, one: Any) -> None:
                if isinstance(one, h5py.Dataset):
                    arrays[key] = one

            file.visititems(note)
            chosen = arrays[chosen_of(path, name, arrays)]
            if chosen.is_virtual or chosen.external:
                broken(path, "an array that lies in other files", "copy it into one file")
            if chosen.dtype.kind not in "biuf":
                broken(path, f"values of type {chosen.dtype}", "save plain numbers")
            _check_claim(path, _n_bytes(chosen.shape, chosen.dtype), chosen.shape)
            return np.asarray(chosen[()])
    except InvalidInputError:
        raise
    except Exception as error:  # a damaged file makes HDF5 raise errors of a dozen kinds
        broken(path, f"{type(error).__name__}: {error}")


def _n_bytes(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    total = int(dtype.itemsize)  # in Python's numbers: NumPy's product would overflow
    for each in shape:
        if each < 0:
            return 2**63
        total *= int(each)
    return total


def _check_claim(path: Path, n_bytes: int, shape: tuple[int, ...]) -> None:
    if n_bytes > _MOST_OUT_OF_A_BYTE * path.stat().st_size:
        broken(path, f"an array of shape {shape} in a file of {path.stat().st_size:,} bytes")


BINARY = {
    ".npy": _npy,
    ".npz": _npz,
    ".safetensors": _safetensors,
    ".mat": _mat,
    **dict.fromkeys((".h5", ".hdf5", ".hdf"), _hdf5),
    **dict.fromkeys(_VECS, _vecs),
    **dict.fromkeys(_BINS, _bin),
}
