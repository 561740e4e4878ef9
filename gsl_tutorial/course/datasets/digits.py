"""Handwritten digits, 8x8: the images that every installation has, without a network.

1,797 grey images of ten digits come inside scikit-learn; a whole retrieval pipeline on them takes a
minute on a laptop. 360 of them, 36 a class, are the queries; the other 1,437 are the database, and
the training set is *inside* it (labels seen), as in protocol P2 on CIFAR-10: easy conditions, and
said so.

Source: ``sklearn.datasets.load_digits`` (UCI "Optical Recognition of Handwritten Digits", test
part, E. Alpaydin and C. Kaynak 1998). What we changed: pixels divided by 16, and the split.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from gsl_tutorial.course.datasets.protocols import split
from gsl_tutorial.course.datasets.splits import Dataset, Split, draw_per_class, per_class


def load_digits(*, random_state: int | np.random.Generator = 0, validation: int = 0) -> Dataset:
    """Return the digits as a data set of 64-dimensional vectors in [0, 1], float32.

    Parameters
    ----------
    random_state : int or Generator
        Which images become queries, and which are held out. The queries of one seed are the same
        whatever `validation` is.
    validation : int
        How many images to hold out of the training set to make choices on; a multiple of 10, the
        same number of each digit. They stay in the database, which is always 1,437 images.

    Raises
    ------
    InvalidInputError
        If `validation` is not a multiple of 10 or leaves a digit without training images.

    Examples
    --------
    >>> load_digits(validation=200)
    Dataset(digits, 10 classes)
      Split(train: 1237 x 64 float32, 10 classes)
      Split(validation: 200 x 64 float32, 10 classes)
      Split(database: 1437 x 64 float32, 10 classes)
      Split(query: 360 x 64 float32, 10 classes)
    """
    pixels, targets = _pixels_and_targets()
    everything = Split(
        "all",
        (pixels / 16).astype(np.float32),
        labels=targets.astype(np.int64),
        indices=np.arange(len(targets)),
    )
    n_each = per_class(validation, 10, argument="validation")
    rng = np.random.default_rng(random_state)
    parts = split(everything.labels, "digits", random_state=rng)
    database = everything.take(parts.database, name="database")
    held_out = draw_per_class(database.labels, n_each, rng=rng)
    return Dataset(
        "digits",
        tuple("0123456789"),
        train=database.take(np.setdiff1d(np.arange(len(database)), held_out), name="train"),
        validation=database.take(held_out, name="validation"),
        database=database,
        query=everything.take(parts.query, name="query"),
    )


def _pixels_and_targets() -> tuple[np.ndarray, np.ndarray]:
    """What scikit-learn's `load_digits` returns, from the file beside it.

    To import `sklearn.datasets` takes a second and 60 MB; a chapter's first picture need not wait for that.
    """
    spec = find_spec("sklearn")  # finds the folder and imports nothing
    for folder in (spec and spec.submodule_search_locations) or ():
        file = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        if file.exists():
            table = np.loadtxt(file, delimiter=",", dtype=np.int64)
            return table[:, :-1].astype(np.float64), table[:, -1]
    from sklearn.datasets import load_digits as sklearn_digits

    return sklearn_digits(return_X_y=True)
