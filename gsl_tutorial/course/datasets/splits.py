"""A data set as four named splits: train, validation, database, query.

Retrieval needs more words than "train" and "test": the *database* is what is searched, the *query*
is what we search with, and the *validation* images are the only ones that choices may be made on.
Each split remembers where its rows stood in the original data (`indices`), so that overlap between
splits - the leak behind many published figures - can be seen and tested. Every array is read-only:
a metric that changes labels in place raises instead of lying.

Source: faiss ``contrib/datasets.py`` (data sets as small objects with a contract). What we changed:
frozen dataclasses, the validation split, the original positions, and read-only arrays.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

from gsl_tutorial.errors import InvalidInputError


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """One part of a data set, with the labels and the original position of every row.

    Parameters
    ----------
    name : str
        ``"train"``, ``"validation"``, ``"database"`` or ``"query"``.
    x : (n, *shape) array
        Images or vectors, one a row. Units are the data set's own.
    labels : (n,) integer array
        The class of each row.
    indices : (n,) integer array
        Where each row stood in the original data.

    Raises
    ------
    InvalidInputError
        If the three arrays do not have the same number of rows, or the last two are not integers.

    Examples
    --------
    >>> labels = np.array([0, 1, 0, 1])
    >>> split = Split("query", np.zeros((4, 2)), labels=labels, indices=np.arange(4))
    >>> split
    Split(query: 4 x 2 float64, 2 classes)
    >>> split.labels[0] = 7
    Traceback (most recent call last):
    ValueError: assignment destination is read-only
    """

    name: str
    x: Shaped[np.ndarray, n * shape]
    _: KW_ONLY
    labels: Int[np.ndarray, " n"]
    indices: Int[np.ndarray, " n"]

    def __post_init__(self) -> None:
        for field in ("x", "labels", "indices"):
            object.__setattr__(self, field, read_only(np.asarray(getattr(self, field))))
        for field in ("labels", "indices"):
            array = getattr(self, field)
            if array.shape != self.x.shape[:1] or array.dtype.kind not in "iu":
                raise InvalidInputError(
                    f"one integer in {field} for each of the rows of x, shape {self.x.shape[:1]}",
                    f"shape {array.shape}, type {array.dtype}",
                    f"give x, labels and indices of the split {self.name!r} the same length",
                )

    def __len__(self) -> int:
        return len(self.x)

    def __repr__(self) -> str:
        shape = "x".join(str(n) for n in self.x.shape[1:]) or "1"
        return (
            f"Split({self.name}: {len(self)} x {shape} {self.x.dtype}, "
            f"{len(np.unique(self.labels))} classes)"
        )

    def take(self, rows: Int[np.ndarray, " k"] | slice, *, name: str | None = None) -> Split:
        """Return the split made of these rows.

        Parameters
        ----------
        rows : (k,) integer array or slice
            A slice shares memory, an index array copies.
        name : str, optional
            Of the new split; by default that of this one.

        Returns
        -------
        Split
        """
        return Split(
            self.name if name is None else name,
            self.x[rows],
            labels=self.labels[rows],
            indices=self.indices[rows],
        )


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """The four splits of one data set. Without a held-out part, `validation` has no rows.

    `database` is what the *query* images search. `train` may lie inside it (the labels were seen):
    the protocol says so. The *validation* images search `train`, see `as_validation`.

    Parameters
    ----------
    name : str
        Of the data set, or of its protocol.
    class_names : tuple of str
        The name of each label.
    train, validation, database, query : Split
        The four splits.
    """

    name: str
    class_names: tuple[str, ...]
    _: KW_ONLY
    train: Split
    validation: Split
    database: Split
    query: Split

    def __repr__(self) -> str:
        splits = (self.train, self.validation, self.database, self.query)
        lines = "".join(f"\n  {split!r}" for split in splits)
        return f"Dataset({self.name}, {len(self.class_names)} classes){lines}"

    def as_validation(self) -> Dataset:
        """Return the data to make choices on: held-out images search the rest of the training set.

        The test queries are not in it, so no choice can be made on them by mistake.

        Returns
        -------
        Dataset

        Raises
        ------
        InvalidInputError
            If nothing was held out.
        """
        if len(self.validation) == 0:
            raise InvalidInputError(
                "a data set with validation images",
                f"{self.name} loaded without a held-out part",
                "load it with load_cifar10(holdout=5000) or load_digits(validation=200)",
            )
        return Dataset(
            f"{self.name}/validation",
            self.class_names,
            train=self.train,
            validation=self.validation.take(slice(0, 0)),
            database=replace(self.train, name="database"),
            query=replace(self.validation, name="query"),
        )


def read_only(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return a view that cannot be written to; the caller's own array stays as it is."""
    view = array.view()
    view.flags.writeable = False
    return view


def draw_per_class(
    labels: Int[np.ndarray, " n"], n_per_class: int, *, rng: np.random.Generator
) -> Int[np.ndarray, " k"]:
    """Draw the same number of positions from every class, without repetition, in rising order.

    Parameters
    ----------
    labels : (n,) integer array
        The class of each row.
    n_per_class : int
        How many positions of each class, 0 or more.
    rng : Generator
        Where the randomness comes from.

    Returns
    -------
    (k,) integer array
        Positions in `labels`.

    Raises
    ------
    InvalidInputError
        If a class has fewer than `n_per_class` rows, or `n_per_class` is negative.

    Examples
    --------
    >>> labels = np.array([0, 1, 0, 1, 0, 1])
    >>> labels[draw_per_class(labels, 2, rng=np.random.default_rng(0))].tolist().count(1)
    2
    """
    classes, sizes = np.unique(labels, return_counts=True)
    if n_per_class < 0 or np.any(sizes < n_per_class):
        raise InvalidInputError(
            f"between 0 and {min(sizes, default=0)} rows a class (the smallest class has no more)",
            f"{n_per_class}",
            "ask for fewer",
        )
    drawn = [rng.permutation(np.flatnonzero(labels == c))[:n_per_class] for c in classes]
    return np.sort(np.concatenate(drawn)) if drawn else np.empty(0, dtype=np.int64)


def per_class(total: int, n_classes: int, *, argument: str) -> int:
    """Return ``total / n_classes``, where `total` images are to be shared equally by all classes.

    Parameters
    ----------
    total, n_classes : int
        How many images, and how many classes share them.
    argument : str
        What the caller calls `total`.

    Returns
    -------
    int
        How many images each class gets.

    Raises
    ------
    InvalidInputError
        If it does not come out even, or `total` is negative; the message names `argument`.
    """
    if total < 0 or total % n_classes:
        raise InvalidInputError(
            f"{argument} as a multiple of {n_classes} (the same number of every class), 0 or more",
            f"{total}",
            f"take {max(0, round(total / n_classes)) * n_classes}, for example",
        )
    return total // n_classes
