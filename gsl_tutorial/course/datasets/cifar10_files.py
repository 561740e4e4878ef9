"""The official files of CIFAR-10: what each must be, and where we look for them.

Two questions, kept apart. *Is it there?* compares names and sizes, costs nothing, and is asked
often. *Is it the real one?* reads every byte and compares its MD5 with the official list, and is
asked before anything in the file is believed.

Source: the MD5 list that every public loader of CIFAR-10 checks against. What we changed: sizes
stand beside the digests, so that a half-extracted folder is told from a whole one without reading
184 MB.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

from gsl_tutorial.errors import ChecksumError, DataMissingError

#: The folder inside the official archive.
FOLDER = "cifar-10-batches-py"


class OfficialFile(NamedTuple):
    """What one file of the official archive must be.

    Attributes
    ----------
    md5 : str
        Its checksum, in hexadecimal.
    n_bytes : int
        Its size.
    """

    md5: str
    n_bytes: int


#: The official files. The five training batches come first, in order, then the test batch.
FILES: Mapping[str, OfficialFile] = MappingProxyType(
    {
        "data_batch_1": OfficialFile("c99cafc152244af753f735de768cd75f", 31_035_704),
        "data_batch_2": OfficialFile("d4bba439e000b95fd0a9bffe97cbabec", 31_035_320),
        "data_batch_3": OfficialFile("54ebc095f3ab1f0389bbae665268c751", 31_035_999),
        "data_batch_4": OfficialFile("634d18415352ddfa80567beed471001a", 31_035_696),
        "data_batch_5": OfficialFile("482c414d41f54cd18b22e5b47cb7c3cb", 31_035_623),
        "test_batch": OfficialFile("40351d587109b95175f43aff81a1287e", 31_035_526),
        "batches.meta": OfficialFile("5ff9c542aee3614f3951f8cda6e48888", 158),
    }
)
#: What every message about missing data ends with.
HOW_TO_GET = (
    "either run `gsl-tutorial fetch` (170 MB, once), or copy the whole folder cifar-10-batches-py "
    "from another machine and set GSL_TUTORIAL_DATA to the folder that holds it"
)


@dataclass(frozen=True)
class Cifar10Status:
    """What lies in one place: all files, none, or some. Sizes are compared, contents are not.

    Attributes
    ----------
    state : str
        "complete", "missing" or "incomplete".
    folder : Path
        The place that this is about.
    present, missing : tuple of str
        The files that have their full size, and the others.
    looked_in : tuple of Path
        All places that were tried.
    """

    state: Literal["complete", "missing", "incomplete"]
    folder: Path
    present: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    looked_in: tuple[Path, ...] = ()

    def __str__(self) -> str:
        if self.state == "complete":
            return f"complete: {self.folder}"
        if self.state == "missing":
            return f"missing: no batch in {' or '.join(map(str, self.looked_in))}"
        return f"incomplete: {self.lack}"

    @property
    def lack(self) -> str:
        """What is not there, for a message that has named the places already."""
        if self.state == "missing":
            return "none of them, the folder is missing"
        there = ", ".join(self.present) or "no whole file"
        return f"{self.folder} has {there}; missing or cut short: {', '.join(self.missing)}"


def cache_folder() -> Path:
    """Return the user's cache: `GSL_TUTORIAL_CACHE`, else the operating system's own place."""
    if named := os.environ.get("GSL_TUTORIAL_CACHE"):
        return Path(named).expanduser()
    import pooch  # late: only who asks for the cache pays for it

    return Path(pooch.os_cache("gsl-tutorial"))


def cifar10_status(root: str | Path | None = None) -> Cifar10Status:
    """Say what is there, without reading the files: the first complete place, else the fullest.

    Parameters
    ----------
    root : path, optional
        A folder that is, or holds, ``cifar-10-batches-py``. Without it: the folder named by
        `GSL_TUTORIAL_DATA`, then the user's cache.

    Returns
    -------
    Cifar10Status
    """
    if root is not None:
        places = [Path(root).expanduser()]
    else:
        named = os.environ.get("GSL_TUTORIAL_DATA")
        places = [Path(named).expanduser()] if named else []
        places.append(cache_folder())
    found = [_inspect(folder) for place in places for folder in (place / FOLDER, place)]
    # Of two places with as many whole files, the one where something was begun says more.
    best = max(found, key=lambda status: (len(status.present), status.state != "missing"))
    return replace(best, looked_in=tuple(places))


def find_cifar10(root: str | Path | None = None) -> Path | None:
    """Return the folder with all the batches, or None.

    This is cheap, because nothing is read or hashed.

    Parameters
    ----------
    root : path, optional
        See `cifar10_status`.

    Returns
    -------
    Path or None
    """
    status = cifar10_status(root)
    return status.folder if status.state == "complete" else None


def verify_files(folder: Path, files: Mapping[str, OfficialFile] | None = None) -> None:
    """Compare the MD5 of every file with the official one.

    Parameters
    ----------
    folder : Path
        Where the files lie.
    files : mapping, optional
        Names, and what each file must be; by default those of CIFAR-10.

    Raises
    ------
    DataMissingError
        If a file is missing or cannot be read.
    ChecksumError
        If a file's bytes are not the published ones.
    """
    files = FILES if files is None else files
    for name in files:
        read_verified(folder, name, files)


def read_verified(
    folder: Path, name: str, files: Mapping[str, OfficialFile] | None = None
) -> bytes:
    """Return the bytes of one file: what is hashed is what is returned, whatever happens on disk.

    Parameters
    ----------
    folder, files
        See `verify_files`.
    name : str
        Of the file, a key of `files`.

    Returns
    -------
    bytes

    Raises
    ------
    DataMissingError, ChecksumError
        See `verify_files`.
    """
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise DataMissingError(
            f"a readable file {folder / name}", error.strerror or str(error), HOW_TO_GET
        ) from error
    official = FILES if files is None else files
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if digest != official[name].md5:
        raise ChecksumError(
            f"{folder / name} with MD5 {official[name].md5}",
            f"{digest} ({len(content):,} bytes); nothing was unpickled",
            f"delete the folder {folder} and {HOW_TO_GET}",
        )
    return content


def _inspect(folder: Path) -> Cifar10Status:
    def whole(name: str) -> bool:
        try:
            return (folder / name).stat().st_size == FILES[name].n_bytes
        except OSError:
            return False

    present = tuple(name for name in FILES if whole(name))
    missing = tuple(name for name in FILES if name not in present)
    if not missing:
        return Cifar10Status("complete", folder, present)
    touched = present or any((folder / name).exists() for name in FILES)
    return Cifar10Status("incomplete" if touched else "missing", folder, present, missing)
