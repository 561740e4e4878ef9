"""Arrays in the files that this field passes around, read without running anything that is in them.

Codes, vectors, labels and neighbours come as MATLAB files, as the .fvecs family of the TEXMEX corpus
(one small header for each row), as the .fbin family of the billion-scale benchmarks (one for the
file), as HDF5 (ann-benchmarks), as NumPy arrays, as tables of text, and as the image lists of HashNet
("path 0 1 0" on each line). Each has a reader of a few lines here. What can only be opened by
unpickling, such as .pt, is refused with the line that converts it.

What these readers add to NumPy's and SciPy's own: a file is compared with its size before memory is set
aside. A header may claim any number of rows; so a claim that the bytes cannot fill is an error, not an
allocation, and a pipe or a folder is named as such instead of being waited for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from gsl_tutorial.course.results.array_files.binary import BINARY
from gsl_tutorial.course.results.array_files.refusals import CONVERSIONS, READABLE, broken, not_read
from gsl_tutorial.course.results.array_files.text import TEXT
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.storage import check_regular

_READERS = {**BINARY, **TEXT}


def read_array(where: str | Path) -> Shaped[np.ndarray, "..."]:
    """Read one array from a file, by its suffix.

    Parameters
    ----------
    where
        The file. Where it holds several arrays (.mat, .npz, .safetensors, HDF5) or columns (.csv with a
        header), write the name of the one behind a colon: ``data.mat:B_tst``, ``glove.hdf5:test``.

    Returns
    -------
    array
        As it is stored: nothing is converted, only sparse matrices are made dense.

    Raises
    ------
    DataMissingError
        No such file, or something that is not a file.
    InvalidInputError
        A damaged file, a file of several arrays without a name, or a kind that is not read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "two.fvecs"
    ...     _ = path.write_bytes(np.array([1, 7, 1, 9], "<i4").tobytes())
    ...     read_array(path.rename(path.with_suffix(".ivecs")))
    array([[7],
           [9]], dtype=int32)
    """
    return _plain(_read(where), where)


def read_labels(where: str | Path) -> Shaped[np.ndarray, "..."] | list[list[int]]:
    """Read labels: what `read_array` reads, and lists of different lengths, one set for each item.

    Such lists come from .json (``[[1, 5], [2]]``) or from .txt and .csv, one line for each item.
    """
    found = _read(where)
    if isinstance(found, list) and all(isinstance(one, list) for one in found):
        return found
    table = _plain(found, where)
    is_text = _located(where)[0].suffix.lower() in TEXT
    are_lists = is_text and table.ndim == 2 and table.dtype.kind == "i" and table.shape[1] > 1
    if are_lists and not ((table == 0) | (table == 1)).all():
        return list(table.tolist())  # each item happens to have as many labels
    return table


def _read(where: str | Path) -> Any:
    path, name = _located(where)
    check_regular(path)
    kind = path.suffix.lower()
    if kind in CONVERSIONS:
        what, line = CONVERSIONS[kind]
        raise not_read(path, what, line)
    if kind not in _READERS:
        kind = _looks_like(path)
    if path.stat().st_size == 0:
        broken(path, "an empty file")
    return _READERS[kind](path, name)


def _located(where: str | Path) -> tuple[Path, str | None]:
    """Part "file:name" at the colon behind which a file ends; other colons belong to the path."""
    text = str(where)
    colons = [i for i, c in enumerate(text) if c == ":"]
    if not _is_there(Path(text)):
        for i in reversed(colons):
            if text[i + 1 :] and _is_there(Path(text[:i])):
                return Path(text[:i]), text[i + 1 :]
    return Path(text), None


def _is_there(path: Path) -> bool:
    try:
        return path.exists() and not path.is_dir()
    except (OSError, ValueError):
        return False


def _looks_like(path: Path) -> str:
    """The suffix that belongs to the first bytes of a file with an unusual name."""
    with path.open("rb") as file:
        start = file.read(16)
    known = {b"\x93NUMPY": ".npy", b"MATLAB": ".mat", b"\x89HDF": ".h5"}
    for magic, kind in known.items():
        if start.startswith(magic):
            return kind
    raise InvalidInputError(
        f"a file of one of the kinds {READABLE}",
        f"{path.name!r}",
        "rename it, or save the array with numpy.save",
    )


def _plain(found: Any, where: str | Path) -> np.ndarray:
    """One array of numbers, truth values or words; lists of different lengths have no columns."""
    if isinstance(found, list):
        raise InvalidInputError(
            f"rows of one length in {where}",
            "lists of different lengths",
            "only labels may be such lists",
        )
    array = np.asarray(found)
    if array.dtype.kind not in "biufUS":
        raise InvalidInputError(
            f"numbers or words in {where}",
            f"values of type {array.dtype}",
            "save plain numbers",
        )
    return array
