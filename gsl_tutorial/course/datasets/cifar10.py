"""CIFAR-10 from a folder: check every byte, and only then read it.

The official batches are Python pickles, and a pickle can run any program when it is opened. So each
file is read once, the MD5 of *these bytes* is compared with the official list, and the same bytes
go to an unpickler that knows three NumPy names and nothing else. The images stay one block of 184
MB: train, validation, database and query are views of it.

Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. What we
changed: nothing is unpickled before its checksum has matched, and a seeded validation set is taken
out of the training batches.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64, UInt8

from gsl_tutorial.course.datasets import cifar10_files as files
from gsl_tutorial.course.datasets.cifar10_files import (
    HOW_TO_GET,
    cifar10_status,
    read_verified,
    verify_files,
)
from gsl_tutorial.course.datasets.splits import Dataset, Split, draw_per_class, per_class
from gsl_tutorial.errors import ChecksumError, DataMissingError, InvalidInputError

#: The ten classes; a label is a position in this tuple.
CLASS_NAMES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)

_BATCHES = tuple(name for name in files.FILES if name != "batches.meta")
_ROWS = 10_000  # images in each batch


def read_cifar10(
    root: str | Path | None = None,
) -> tuple[UInt8[np.ndarray, "60000 32 32 3"], Int64[np.ndarray, " 60000"]]:
    """Return all 60,000 images and labels: 0..49,999 the training batches, then the test batch.

    All files are verified before the first one is unpickled, and each again as it is read.

    Parameters
    ----------
    root : path, optional
        See `cifar10_status`.

    Returns
    -------
    images : (60000, 32, 32, 3) uint8, red, green and blue from 0 to 255
    labels : (60000,) int64, positions in `CLASS_NAMES`

    Raises
    ------
    DataMissingError
        If the folder or some of its files are missing; the message lists both kinds.
    ChecksumError
        If a file's bytes are not the published ones. Nothing was unpickled.
    """
    status = cifar10_status(root)
    if status.state != "complete":
        places = " or ".join(map(str, status.looked_in))
        expected = (
            f"the folder {files.FOLDER} with the {len(files.FILES)} files of CIFAR-10 in {places}"
        )
        raise DataMissingError(expected, status.lack, HOW_TO_GET)
    verify_files(status.folder)
    images = np.empty((len(_BATCHES) * _ROWS, 32, 32, 3), dtype=np.uint8)
    labels = np.empty(len(images), dtype=np.int64)
    for number, name in enumerate(_BATCHES):
        rows = slice(number * _ROWS, (number + 1) * _ROWS)
        batch = _unpickle(read_verified(status.folder, name), name)
        # A row is 1,024 red values, 1,024 green, 1,024 blue; pictures want the colour last.
        images[rows] = batch[b"data"].reshape(_ROWS, 3, 32, 32).transpose(0, 2, 3, 1)
        labels[rows] = batch[b"labels"]
    return images, labels


def load_cifar10(
    root: str | Path | None = None, *, holdout: int = 0, random_state: int | np.random.Generator = 0
) -> Dataset:
    """Return CIFAR-10 under protocol P2: 10,000 test queries search the 50,000 training images.

    Parameters
    ----------
    root : path, optional
        See `cifar10_status`.
    holdout : int
        How many training images to set apart to make choices on; a multiple of 10, the same number
        of every class. They stay in the database; `Dataset.as_validation` leaves them out of it.
    random_state : int or Generator
        Which images are set apart.

    Returns
    -------
    Dataset
        The images and labels as `read_cifar10` gives them.

    Raises
    ------
    DataMissingError, ChecksumError
        See `read_cifar10`.
    InvalidInputError
        If `holdout` is not a multiple of 10 below 50,000.
    """
    n_each = per_class(holdout, len(CLASS_NAMES), argument="holdout")
    n_train = (len(_BATCHES) - 1) * _ROWS
    if holdout >= n_train:
        raise InvalidInputError(
            f"holdout below {n_train:,}, so that some images are left to train on",
            f"{holdout:,}",
            "take holdout=5000, the size of the protocol 'validation'",
        )
    images, labels = read_cifar10(root)
    order = np.arange(len(images))
    held_out = draw_per_class(labels[:n_train], n_each, rng=np.random.default_rng(random_state))
    # Swap the held-out images with the last ones: train and validation are then slices, no copies.
    cut = n_train - holdout
    leave = held_out[held_out < cut]
    enter = np.setdiff1d(np.arange(cut, n_train), held_out)
    for array in (images, labels, order):
        array[leave], array[enter] = array[enter], array[leave]
    everything = Split("all", images, labels=labels, indices=order)
    return Dataset(
        "cifar10",
        CLASS_NAMES,
        train=everything.take(slice(cut), name="train"),
        validation=everything.take(slice(cut, n_train), name="validation"),
        database=everything.take(slice(n_train), name="database"),
        query=everything.take(slice(n_train, None), name="query"),
    )


# What the official batches call, by its names of 2009. `_reconstruct` has moved inside NumPy since;
# an array's own recipe says where it is now.
_KNOWN_GLOBALS = {
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class _BatchUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN_GLOBALS:
            raise pickle.UnpicklingError(f"a call to {module}.{name}")
        return _KNOWN_GLOBALS[module, name]


def _unpickle(content: bytes, name: str) -> Any:
    try:
        return _BatchUnpickler(io.BytesIO(content), encoding="bytes").load()
    except pickle.UnpicklingError as error:
        raise ChecksumError(
            f"a batch of NumPy arrays in {name}",
            f"{error}, which was refused",
            f"do not trust this copy: delete it and {HOW_TO_GET}",
        ) from error
