"""What is said of a file that is not read: the line that converts it, what is damaged, what it holds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from gsl_tutorial.errors import InvalidInputError

_TORCH = (
    'python -c "import numpy, torch; numpy.save({new!r}, '
    'torch.load({old!r}, weights_only=True).numpy(force=True))"'
)
_PICKLE = (
    'only if you trust whoever made it: python -c "import numpy, pickle; '
    'numpy.save({new!r}, pickle.load(open({old!r}, {rb!r})))"'
)
_PANDAS = (
    'python -c "import numpy, pandas; numpy.save({new!r}, pandas.read_{kind}({old!r}).to_numpy())"'
)
_FAISS = (
    'python -c "import faiss, numpy; from gsl_tutorial.quantizers.faiss_index import from_faiss; '
    'numpy.save({new!r}, from_faiss(faiss.read_index({old!r}))[1])"'
)

#: What we do not read, and how to turn it into something that we do.
CONVERSIONS = {
    **dict.fromkeys((".pt", ".pth", ".ckpt"), ("a PyTorch file, which is a pickle", _TORCH)),
    **dict.fromkeys((".pkl", ".pickle", ".p"), ("a pickle, which may run anything", _PICKLE)),
    ".joblib": ("a pickle, which may run anything", _PICKLE.replace("pickle", "joblib")),
    ".parquet": ("a Parquet table", _PANDAS.replace("{kind}", "parquet")),
    ".feather": ("a Feather table", _PANDAS.replace("{kind}", "feather")),
    ".xlsx": ("a spreadsheet", _PANDAS.replace("{kind}", "excel")),
    **dict.fromkeys((".faiss", ".index"), ("a faiss index", _FAISS)),
    **dict.fromkeys((".gz", ".bz2", ".xz", ".zst"), ("a compressed file", "unpack it first")),
    **dict.fromkeys((".zip", ".tar", ".tgz", ".7z", ".rar"), ("an archive", "unpack it first")),
    **dict.fromkeys(
        (".lmdb", ".mdb", ".tfrecord", ".arrow", ".zarr"),
        ("a database or a stream of records", "read it with its own library, then numpy.save"),
    ),
}

READABLE = (
    ".npy, .npz, .safetensors, .mat, .h5, .hdf5, .fvecs, .ivecs, .bvecs, .fbin, .ibin, .u8bin, "
    ".i8bin, .csv, .tsv, .txt, .json"
)


def not_read(path: Path, what: str, line: str) -> InvalidInputError:
    """The error for a kind of file that is not read.

    Parameters
    ----------
    path : Path
        The file.
    what : str
        Says what it is, such as "an archive".
    line : str
        Says how to convert it; "{old!r}" and "{new!r}" stand for the names of the files.

    Returns
    -------
    InvalidInputError
        To be raised.
    """
    safe = path.name if re.fullmatch(r"[\w.-]+", path.name) else f"FILE{path.suffix}"
    new = f"{safe.removesuffix(path.suffix)}.npy"
    return InvalidInputError(
        f"a file of one of the kinds {READABLE}",
        f"{printable(path.name)}, {what}",
        line.format(old=safe, new=new, rb="rb"),
    )


def broken(path: Path, found: str, todo: str = "make or download it again") -> NoReturn:
    """Refuse a file whose contents are not what its suffix says.

    Parameters
    ----------
    path : Path
        The file.
    found : str
        What is in it instead.
    todo : str
        What helps.

    Raises
    ------
    InvalidInputError
        Always.
    """
    kind = path.suffix.lower() or "NumPy"
    raise InvalidInputError(
        f"a whole {kind} file at {printable(path.name)}", printable(found), todo
    )


def chosen_of(path: Path, name: str | None, known: Iterable[str]) -> str:
    """The name of the array to read: the given one, or the only one.

    Parameters
    ----------
    path : Path
        The file.
    name : str or None
        What was asked for, if anything.
    known : iterable of str
        The names of the arrays in the file.

    Returns
    -------
    str

    Raises
    ------
    InvalidInputError
        When there is no such array, or several and none is named; it says which there are.
    """
    names = list(known)
    if name is None and len(names) == 1:
        return names[0]
    if name is not None and name in names:
        return name
    listed = ", ".join(map(printable, names[:20])) or "none"
    raise InvalidInputError(
        f"the name of one array of {printable(path.name)}",
        f"{printable(name) if name else 'none'}; it holds {listed}",
        f"write {printable(path.name)}:{printable(names[0]) if names else 'NAME'}",
    )


def no_name(path: Path, name: str | None) -> None:
    """Refuse a name behind a file that holds one array.

    Parameters
    ----------
    path : Path
        The file.
    name : str or None
        What was asked for, if anything.

    Raises
    ------
    InvalidInputError
        When there is a name.
    """
    if name is not None:
        raise InvalidInputError(
            f"no name behind {printable(path.name)}, which holds one array",
            printable(name),
            "leave it out",
        )


def printable(text: str) -> str:
    """Text of a file for a terminal: no escape codes, no line breaks."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
