"""Cells of the catalogue: clusters of texts, and the controls that show whether they mean anything.

`text_cells` groups items by what a language model says of them. `shuffled_cells` has the same sizes and
no meaning; `genre_cells` groups by the words of a catalogue. If the first is no better than the second,
not meaning but grouping helped. A coarse quantizer's cells (chapter 12) are the same thing as these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers.kmeans import kmeans, seed_from
from gsl_tutorial.quantizers.nearest import centre_of, nearest
from gsl_tutorial.validation import as_vectors, check_count


def text_cells(
    vectors: Float[np.ndarray, "N t"], n_cells: int, *, random_state: int
) -> Int[np.ndarray, " N"]:
    """Cells by k-means of the vectors; cells of one item are merged into the nearest other cell.

    Parameters
    ----------
    vectors : (N, t) float array
        What the language model says of each item.
    n_cells : int
        How many cells, from 1 to N / 2.
    random_state : int
        Where k-means starts.

    Returns
    -------
    (N,) integer array
        Cell numbers from 0.

    Raises
    ------
    InvalidInputError
        For NaN, or more than N / 2 cells.
    """
    vectors = as_vectors(vectors, name="vectors to cluster")
    check_count(n_cells, name="n_cells", low=1, high=max(1, len(vectors) // 2))
    centroids = kmeans(vectors, n_cells, seed=seed_from(random_state), n_iterations=20)
    return merge_small_cells(nearest(vectors, centroids), vectors)


def merge_small_cells(
    labels: Int[np.ndarray, " N"], vectors: Float[np.ndarray, "N t"], *, at_least: int = 2
) -> Int[np.ndarray, " N"]:
    """Move items of small cells to the nearest larger cell.

    Parameters
    ----------
    labels : (N,) integer array
        The cell of each item.
    vectors : (N, t) float array
        What says which cell is near.
    at_least : int
        Items that a cell must have to stay.

    Returns
    -------
    (N,) integer array
        Cell numbers from 0.

    Raises
    ------
    InvalidInputError
        Where no cell is large enough.
    """
    check_count(at_least, name="at_least", low=1)
    names, labels = np.unique(labels, return_inverse=True)
    sizes = np.bincount(labels, minlength=len(names))
    large = np.flatnonzero(sizes >= at_least)
    if not len(large):
        raise InvalidInputError(
            f"a cell with {at_least} items or more",
            f"the largest of {len(sizes)} has {sizes.max(initial=0)}",
            "use fewer cells",
        )
    small = sizes[labels] < at_least
    if small.any():
        vectors = as_vectors(vectors, name="vectors to cluster")
        vectors = vectors - centre_of(vectors)
        means = np.stack([centre_of(vectors[labels == cell]) for cell in large])
        labels[small] = large[nearest(vectors[small], means)]
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def shuffled_cells(
    labels: Int[np.ndarray, " N"], *, random_state: int | np.random.Generator
) -> Int[np.ndarray, " N"]:
    """Cells of the same sizes, dealt out by chance: the control.

    Parameters
    ----------
    labels : (N,) integer array
        The cell of each item.
    random_state : int or Generator
        Where the randomness comes from.

    Returns
    -------
    (N,) integer array
    """
    return np.random.default_rng(random_state).permutation(labels)


def genre_cells(genres: Sequence[str], *, at_least: int = 20) -> Int[np.ndarray, " N"]:
    """One cell for each combination of genres; a rare one joins the cell of its first genre.

    Parameters
    ----------
    genres : sequence of str
        Of each item, such as "Drama|War".
    at_least : int
        Items that a combination must have to be a cell of its own.

    Returns
    -------
    (N,) integer array
        Cell numbers from 0.

    Examples
    --------
    >>> genre_cells(["Comedy", "Comedy", "Drama|War", "Drama"], at_least=2).tolist()
    [0, 0, 1, 1]
    """
    check_count(at_least, name="at_least", low=1)
    counts = Counter(genres)
    words = [one if counts[one] >= at_least else one.split("|")[0] for one in genres]
    return np.unique(words, return_inverse=True)[1].astype(np.int64)


def find_twins(
    vectors: Float[np.ndarray, "N t"], *, cosine: float = 0.95, block: int = 1024
) -> tuple[Int[np.ndarray, " p"], Int[np.ndarray, " p"]]:
    """All ordered pairs of different items whose texts nearly agree: sequels, editions, duplicates.

    Done once, before training; it compares all pairs.

    Parameters
    ----------
    vectors : (N, t) float array
        What the language model says of each item.
    cosine : float
        From which cosine on two texts nearly agree.
    block : int
        How many rows to compare at a time.

    Returns
    -------
    rows, mates : (p,) integer arrays
        The first and the second item of each pair.
    """
    vectors = as_vectors(vectors, name="item texts")
    check_count(block, name="block", low=1)
    # By the largest entry first: squares of small numbers would be none.
    size = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
    vectors = vectors / np.where(size > 0, size, 1)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(length > 0, length, 1)
    rows, mates = [], []
    for start in range(0, len(unit), block):
        a, b = np.nonzero(unit[start : start + block] @ unit.T > cosine)
        apart = a + start != b
        rows.append(a[apart] + start)
        mates.append(b[apart])
    return np.concatenate(rows), np.concatenate(mates)
