"""CIFAR-100 with 200 training images of each class: more classes than a codebook has words.

Two sources give the same 30,000 images in the same order, by class and by name: the official archive, out
of which the 200 are found by the names that it carries, and a folder of contact sheets of just these
images (`cifar-100-subset`), lossless, 49 MB in place of 184. The names were drawn once; they are kept
beside this module. Either source is verified before it is believed, and pickles are opened as in `cifar10`.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. What we changed: a
fifth of the images, so that a study of a hundred classes costs as much as one of ten.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import os
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import numpy as np
from jaxtyping import Int64, UInt8

from gsl_tutorial.course.datasets.cifar10 import _unpickle
from gsl_tutorial.course.datasets.cifar10_files import OfficialFile, cache_folder
from gsl_tutorial.course.datasets.protocols import get_protocol
from gsl_tutorial.course.datasets.splits import Dataset, Split, draw_per_class
from gsl_tutorial.errors import ChecksumError, DataMissingError, InvalidInputError

#: The folder inside the official archive, and that of the contact sheets.
FOLDER, SHEETS = "cifar-100-python", "cifar-100-subset"
#: The official files that are read; their sizes are not checked beforehand, their bytes are.
FILES = MappingProxyType(
    {
        "train": OfficialFile("16019d7e3df5f24257cddd939b257f8d", 155_249_918),
        "test": OfficialFile("f0ef6b0ae62326f3e7ffdfab6717acfc", 31_049_792),
    }
)
_SHEETS_LIST = "03b04d71090afe321cf044349a65e05d3eb5d94acf4c90bf1b4e88b6b09bac37"
_EACH = {"train": 200, "test": 100}
_N_TRAIN, _SIDE, _PER_ROW = 20_000, 32, 10
_HOW_TO_GET = (
    "unpack the official cifar-100-python.tar.gz (MD5 eb9058c3a382ffc7106e4002c42a8d85) in a folder and "
    "set GSL_TUTORIAL_DATA to it"
)

#: Of the protocols, those that CIFAR-100 can be arranged in; queries of "validation" and unseen classes.
PROTOCOLS_100 = ("P2", "validation", "unseen")
_HELD_OUT_EACH, _UNSEEN = 20, 20


def names() -> dict[str, tuple[str, ...]]:
    """Return the training images that are used, by the name of their class.

    Returns
    -------
    dict of str to tuple of str
        For each class its images: their names in the official archive, without ".png".
    """
    packed = (files("gsl_tutorial.course.datasets") / "cifar100_names.txt.xz").read_bytes()
    rows = [line.split() for line in lzma.decompress(packed).decode().splitlines()]
    return {row[0]: tuple(row[1:]) for row in rows}


def class_names() -> tuple[str, ...]:
    """The hundred classes in alphabetical order, as the official archive counts them."""
    return tuple(names())


def read_cifar100(
    root: str | Path | None = None,
) -> tuple[UInt8[np.ndarray, "30000 32 32 3"], Int64[np.ndarray, " 30000"]]:
    """Return 200 training images of each class, 0..19,999, then the 10,000 test images.

    Parameters
    ----------
    root : path, optional
        A folder that holds ``cifar-100-python`` or ``cifar-100-subset``. Without it: the folder
        named by `GSL_TUTORIAL_DATA`, then the user's cache.

    Returns
    -------
    images : (30000, 32, 32, 3) uint8
        Red, green and blue from 0 to 255.
    labels : (30000,) int64
        Positions in what `class_names` returns.

    Raises
    ------
    DataMissingError
        If neither is there, or a file of it is missing.
    ChecksumError
        If bytes are not the published ones. Nothing was unpickled.
    """
    if root is not None:
        places = [Path(root).expanduser()]
    else:
        named = os.environ.get("GSL_TUTORIAL_DATA")
        places = [*([Path(named).expanduser()] if named else []), cache_folder()]
    for place in places:
        for folder, read in ((FOLDER, _official), (SHEETS, _sheets)):
            if (place / folder).is_dir():
                return read(place / folder)
    raise DataMissingError(
        f"the folder {FOLDER} or {SHEETS} in {' or '.join(map(str, places))}",
        "neither of them",
        _HOW_TO_GET,
    )


def arrange_100(
    images: UInt8[np.ndarray, "30000 32 32 3"],
    labels: Int64[np.ndarray, " 30000"],
    *,
    protocol: str,
    random_state: int,
) -> Dataset:
    """Return CIFAR-100 as the data set of one protocol; all protocols have thinned training images.

    "P2": the test images search the training images. "validation": 20 training images of each class
    search the others. "unseen": 80 classes to train on; of the 20 others, the test images search
    the training images.

    Parameters
    ----------
    images : (30000, 32, 32, 3) uint8
        From `read_cifar100`, in its order.
    labels : (30000,) int64
        From `read_cifar100`.
    protocol : str
        One of `PROTOCOLS_100`.
    random_state : int
        Draws the classes that stay unseen, and the images held out.

    Returns
    -------
    Dataset

    Raises
    ------
    UnknownNameError
        If there is no such protocol.
    InvalidInputError
        For a protocol that is not among `PROTOCOLS_100`.
    """
    get_protocol(protocol)
    if protocol not in PROTOCOLS_100:
        raise InvalidInputError(
            f"a protocol of CIFAR-100: {', '.join(PROTOCOLS_100)}", protocol, "choose one of them"
        )
    rng = np.random.default_rng(random_state)
    everything = Split("all", images, labels=labels, indices=np.arange(len(labels)))
    is_train = np.arange(len(labels)) < _N_TRAIN
    train, database, query = is_train, is_train, ~is_train
    if protocol == "validation":
        query = np.zeros_like(is_train)
        query[draw_per_class(labels[:_N_TRAIN], _HELD_OUT_EACH, rng=rng)] = True
        train = database = is_train & ~query
    elif protocol == "unseen":
        new = np.isin(labels, rng.permutation(len(class_names()))[:_UNSEEN])
        train, database, query = is_train & ~new, is_train & new, ~is_train & new

    def take(rows: np.ndarray, name: str) -> Split:
        return everything.take(np.flatnonzero(rows), name=name)

    return Dataset(
        protocol,
        class_names(),
        train=take(train, "train"),
        validation=everything.take(slice(0, 0), name="validation"),
        database=take(database, "database"),
        query=take(query, "query"),
    )


def _official(
    folder: Path,
) -> tuple[UInt8[np.ndarray, "30000 32 32 3"], Int64[np.ndarray, " 30000"]]:
    contents = {}
    for part, official in FILES.items():
        content = _read(folder / part)
        found = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if found != official.md5:
            raise _changed(folder / part, f"MD5 {official.md5}", found)
        contents[part] = content
    images, labels = [], []
    for part, content in contents.items():  # both verified before the first is opened
        batch = _unpickle(content, part)
        of_part, of_labels = _by_name(
            np.asarray(batch[b"data"]),
            [name.decode() for name in batch[b"filenames"]],
            batch[b"fine_labels"],
            names() if part == "train" else None,
        )
        images.append(of_part)
        labels.append(of_labels)
    return np.concatenate(images), np.concatenate(labels)


def _by_name(
    data: np.ndarray,
    filenames: list[str],
    fine_labels: list[int],
    wanted: dict[str, tuple[str, ...]] | None,
) -> tuple[UInt8[np.ndarray, "n 32 32 3"], Int64[np.ndarray, " n"]]:
    """The images by class and name; of the training images those that are `wanted`.

    A name may stand in several classes, so it is looked up together with its class.
    """
    classes = class_names()
    place = {
        (classes[label], name.removesuffix(".png")): row
        for row, (name, label) in enumerate(zip(filenames, fine_labels, strict=True))
    }
    keys = (
        sorted(place)
        if wanted is None
        else [(kind, name) for kind, of_kind in wanted.items() for name in of_kind]
    )
    if lost := [key for key in keys if key not in place]:
        raise ChecksumError(
            "all images that are named", f"{len(lost)} missing, {lost[0]} among them", _HOW_TO_GET
        )
    images = data[[place[key] for key in keys]].reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1)
    labels = np.array([classes.index(kind) for kind, _ in keys], dtype=np.int64)
    return np.ascontiguousarray(images), labels


def _sheets(
    folder: Path,
) -> tuple[UInt8[np.ndarray, "30000 32 32 3"], Int64[np.ndarray, " 30000"]]:
    from PIL import Image  # late: only these sheets need it

    listed = _read(folder / "SHA256SUMS")
    if (found := hashlib.sha256(listed).hexdigest()) != _SHEETS_LIST:
        raise _changed(folder / "SHA256SUMS", f"SHA-256 {_SHEETS_LIST}", found)
    sums = dict(line.split()[::-1] for line in listed.decode().splitlines())
    images, labels = [], []
    for part, each in _EACH.items():
        for label, kind in enumerate(class_names()):
            content = _read(folder / part / f"{kind}.webp")
            found, wanted = hashlib.sha256(content).hexdigest(), sums[f"./{part}/{kind}.webp"]
            if found != wanted:
                raise _changed(folder / part / f"{kind}.webp", f"SHA-256 {wanted}", found)
            sheet = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
            tiles = sheet.reshape(each // _PER_ROW, _SIDE, _PER_ROW, _SIDE, 3)
            images.append(tiles.transpose(0, 2, 1, 3, 4).reshape(each, _SIDE, _SIDE, 3))
            labels.append(np.full(each, label, dtype=np.int64))
    return np.concatenate(images), np.concatenate(labels)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataMissingError(
            f"a readable file {path}", error.strerror or str(error), _HOW_TO_GET
        ) from error


def _changed(path: Path, wanted: str, found: str) -> ChecksumError:
    return ChecksumError(
        f"{path} with {wanted}",
        f"{found}; nothing of it was opened",
        f"delete it and {_HOW_TO_GET}",
    )
