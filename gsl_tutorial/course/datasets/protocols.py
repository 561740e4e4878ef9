"""The retrieval protocols: which images are queries, are trained on, are searched.

The same network scores .6 or .9 on CIFAR-10 depending on this choice alone, so a figure without its
protocol says nothing. Each protocol here is a row of numbers (`PROTOCOLS`) and a rule that draws
positions among the 60,000 images (0..49,999 the training batches, 50,000..59,999 the test batch).
P1a and P1b draw queries and training images from all 60,000, as DeepHash's `cifar10` lists do.

Source: swuxyj/DeepHash-pytorch (`cifar10`, `cifar10-1`, `cifar10-2`), the DSH code (P0), and
Sablayrolles et al. 2017, arXiv 1609.06753 (unseen classes). What we changed: the draw is seeded and
returned as positions, never as file lists.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

import numpy as np
from jaxtyping import Int, Shaped

from gsl_tutorial.course.datasets.splits import Dataset, Split, draw_per_class, read_only
from gsl_tutorial.errors import InvalidInputError, UnknownNameError

_TRAIN_BATCHES = 50_000
_TEST = slice(_TRAIN_BATCHES, 60_000)


@dataclass(frozen=True)
class Protocol:
    """The numbers that must stand beside every figure measured under this protocol.

    Parameters
    ----------
    code, note : str
        The protocol's name, and what it is, in words.
    n_query, n_train, n_database : int
        How many images search, are trained on, and are searched.
    train_in_database, query_in_database : bool
        Whether these images lie in the database, too.
    """

    code: str
    note: str
    _: KW_ONLY
    n_query: int
    n_train: int
    n_database: int
    train_in_database: bool
    query_in_database: bool = False

    def __str__(self) -> str:
        inside = "with" if self.train_in_database else "without"
        return (
            f"{self.code}: {self.n_query:,} queries, {self.n_train:,} to train on, "
            f"{self.n_database:,} in the database ({inside} the training images)"
        )


@dataclass(frozen=True, eq=False)
class ProtocolIndices:
    """Positions of the query, train and database images.

    Parameters
    ----------
    query, train, database : (q,), (t,) and (d,) integer arrays
        Rows of the whole data set.
    held_out : tuple of int
        The unseen classes.
    """

    query: Int[np.ndarray, " q"]
    train: Int[np.ndarray, " t"]
    _: KW_ONLY
    database: Int[np.ndarray, " d"]
    held_out: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for name in ("query", "train", "database"):
            object.__setattr__(self, name, read_only(getattr(self, name)))


_Labels = Int[np.ndarray, " n"]


def _p0(labels: _Labels, rng: np.random.Generator) -> ProtocolIndices:
    test = np.arange(_TRAIN_BATCHES, len(labels))
    return ProtocolIndices(test, np.arange(_TRAIN_BATCHES), database=test)


def _p1b(labels: _Labels, rng: np.random.Generator) -> ProtocolIndices:
    query = draw_per_class(labels, 100, rng=rng)
    rest = np.setdiff1d(np.arange(len(labels)), query)
    train = rest[draw_per_class(labels[rest], 500, rng=rng)]
    return ProtocolIndices(query, train, database=rest)


def _p1a(labels: _Labels, rng: np.random.Generator) -> ProtocolIndices:
    drawn = _p1b(labels, rng)
    without_train = np.setdiff1d(drawn.database, drawn.train)
    return ProtocolIndices(drawn.query, drawn.train, database=without_train)


def _p2(labels: _Labels, rng: np.random.Generator) -> ProtocolIndices:
    train = np.arange(_TRAIN_BATCHES)
    return ProtocolIndices(np.arange(_TRAIN_BATCHES, len(labels)), train, database=train)


def _unseen(labels: _Labels, rng: np.random.Generator) -> ProtocolIndices:
    held_out = np.sort(rng.permutation(np.unique(labels))[:3])
    new = np.isin(labels, held_out)
    in_train = np.arange(len(labels)) < _TRAIN_BATCHES
    return ProtocolIndices(
        np.flatnonzero(new & ~in_train),
        np.flatnonzero(~new & in_train),
        database=np.flatnonzero(new & in_train),
        held_out=tuple(int(c) for c in held_out),
    )


def _validation(labels: _Labels, rng: np.random.Generator) -> ProtocolIndices:
    query = draw_per_class(labels[:_TRAIN_BATCHES], 500, rng=rng)
    rest = np.setdiff1d(np.arange(_TRAIN_BATCHES), query)
    return ProtocolIndices(query, rest, database=rest)


def _digits(labels: _Labels, rng: np.random.Generator) -> ProtocolIndices:
    query = draw_per_class(labels, 36, rng=rng)
    rest = np.setdiff1d(np.arange(len(labels)), query)
    return ProtocolIndices(query, rest, database=rest)


_TABLE = [
    # (code, query, train, database, train in the database, what to know), the rule that draws it
    (("P0", 10_000, 50_000, 10_000, False, "the original DSH code: every query finds itself"), _p0),
    (("P1a", 1_000, 5_000, 54_000, False, "DeepHash `cifar10`: train left out"), _p1a),
    (("P1b", 1_000, 5_000, 59_000, True, "`cifar10-1`: train included in the database"), _p1b),
    (("P2", 10_000, 50_000, 50_000, True, "`cifar10-2`: the database is the training set"), _p2),
    (("unseen", 3_000, 35_000, 15_000, False, "7 classes to train, 3 others to retrieve"), _unseen),
    (("validation", 5_000, 45_000, 45_000, True, "P2 without the test images"), _validation),
    (("digits", 360, 1_437, 1_437, True, "scikit-learn digits, P2 in small"), _digits),
]
_RULES: dict[str, Callable[[_Labels, np.random.Generator], ProtocolIndices]] = {
    row[0]: rule for row, rule in _TABLE
}

#: Every protocol by its code.
PROTOCOLS: dict[str, Protocol] = {
    code: Protocol(
        code,
        note,
        n_query=n_query,
        n_train=n_train,
        n_database=n_database,
        train_in_database=train_in_database,
        query_in_database=code == "P0",
    )
    for (code, n_query, n_train, n_database, train_in_database, note), _ in _TABLE
}


def get_protocol(code: str) -> Protocol:
    """Return the numbers of one protocol.

    Raises
    ------
    UnknownNameError
        If there is no such protocol; the message lists them.

    Examples
    --------
    >>> print(get_protocol("P1a"))
    P1a: 1,000 queries, 5,000 to train on, 54,000 in the database (without the training images)
    """
    if code not in PROTOCOLS:
        raise UnknownNameError("protocol", code, list(PROTOCOLS))
    return PROTOCOLS[code]


def split(
    labels: Int[np.ndarray, " n"], protocol: str, *, random_state: int | np.random.Generator
) -> ProtocolIndices:
    """Draw the positions of the query, train and database images.

    Parameters
    ----------
    labels : (60000,) integer array
        The labels of CIFAR-10, training batches first (`read_cifar10`); (1797,) for ``"digits"``.
    protocol : str
        A key of `PROTOCOLS`.
    random_state : int or Generator
        Where the randomness comes from. P0 and P2 draw nothing. P1a and P1b of one seed share their
        queries and training images.

    Returns
    -------
    ProtocolIndices

    Raises
    ------
    UnknownNameError
        If there is no such protocol.
    InvalidInputError
        If the labels are not those of the whole data set in its official order.
    """
    sizes = get_protocol(protocol)
    labels = np.asarray(labels)
    expected = "the 1,797 labels of the digits"
    fits = labels.shape == (1_797,)
    if protocol != "digits":
        expected = "60,000 labels of CIFAR-10: 5,000 a class, then the 1,000 a class of the test"
        fits = labels.shape == (60_000,) and all(
            np.array_equal(np.unique(labels[part], return_counts=True)[1], [each] * 10)
            for part, each in ((slice(_TRAIN_BATCHES), 5_000), (_TEST, 1_000))
        )
    if not fits:
        raise InvalidInputError(
            f"{expected} (protocol {sizes.code})",
            f"an array of shape {labels.shape}",
            "pass the labels of read_cifar10() as they come, or use another protocol",
        )
    return _RULES[protocol](labels, np.random.default_rng(random_state))


def arrange(
    images: Shaped[np.ndarray, n * shape],
    labels: Int[np.ndarray, " n"],
    *,
    protocol: str,
    random_state: int | np.random.Generator,
    class_names: tuple[str, ...],
) -> Dataset:
    """Return the images (or their embeddings, row by row) as the data set of one protocol.

    Memory is shared wherever the positions are consecutive (P0 and P2 copy nothing).

    Parameters
    ----------
    images : (n, *shape) array
        Images or vectors, in the order of the labels.
    labels, protocol, random_state
        See `split`.
    class_names : tuple of str
        The name of each label.

    Returns
    -------
    Dataset
        Its validation split has no rows.

    Raises
    ------
    UnknownNameError, InvalidInputError
        See `split`.
    """
    drawn = split(labels, protocol, random_state=random_state)
    everything = Split("all", images, labels=labels, indices=np.arange(len(labels)))
    database = everything.take(_as_slice(drawn.database), name="database")
    same = np.array_equal(drawn.train, drawn.database)
    train = database.take(slice(None)) if same else everything.take(_as_slice(drawn.train))
    return Dataset(
        protocol,
        class_names,
        train=train.take(slice(None), name="train"),
        validation=everything.take(slice(0, 0), name="validation"),
        database=database,
        query=everything.take(_as_slice(drawn.query), name="query"),
    )


def _as_slice(positions: Int[np.ndarray, " k"]) -> Int[np.ndarray, " k"] | slice:
    """Return consecutive positions as a slice, because a slice of an array costs no memory."""
    if len(positions) and np.array_equal(positions, np.arange(len(positions)) + positions[0]):
        return slice(int(positions[0]), int(positions[-1]) + 1)
    return positions
