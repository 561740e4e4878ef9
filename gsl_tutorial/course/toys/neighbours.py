"""Exact nearest neighbours, and how many of them are left once the vectors are compressed.

Pure functions of distances: the search sorts, the recall counts. Compressed vectors often coincide;
then their distances are *tied* and no order among them is right. `recall_at` lets them share the
places evenly, which is the mean over all orders, and draws nothing at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import as_array, as_places, as_rows, check_count, describe


@dataclass(frozen=True)
class Compressed:
    """Vectors after compression.

    Attributes
    ----------
    x : (N, dim) float array
        Where their codes put them.
    bits : int
        The length of a code.
    label : str
        How it was done.
    """

    x: Float[np.ndarray, "N dim"]
    bits: int
    label: str


def nearest_neighbours(distances: Float[np.ndarray, "B N"], k: int) -> Integer[np.ndarray, "B k"]:
    """Return the columns of the k smallest distances of each row, nearest first, ties by column.

    Parameters
    ----------
    distances : (B, N) float array
        Of each query (row) to each item (column).
    k : int
        How many columns, from 1 to N.

    Returns
    -------
    (B, k) integer array
        Columns.

    Raises
    ------
    InvalidInputError
        On NaN, and for a k that is not from 1 to N.

    Examples
    --------
    >>> nearest_neighbours(np.array([[3.0, 1.0, 2.0]]), 2)
    array([[1, 2]])
    """
    distances = _checked(distances)
    check_count(k, name="k", low=1, high=distances.shape[1])
    return np.argsort(distances, axis=1, kind="stable")[:, :k]


def differences_first(
    queries: Float[np.ndarray, "B dim"], database: Float[np.ndarray, "N dim"]
) -> Float[np.ndarray, "B N"]:
    """Compute squared distances as one would write them first, with every difference in memory at once.

    Parameters
    ----------
    queries : (B, dim) array
        What is searched for.
    database : (N, dim) array
        What is searched.

    Returns
    -------
    (B, N) array
        The same as `squared_distances` gives, in ``dim`` times the memory.
    """
    away = np.expand_dims(queries, 1) - np.expand_dims(database, 0)
    return np.einsum("bnd,bnd->bn", away, away)


def chances(
    distances: Float[np.ndarray, "B N"], which: Integer[np.ndarray, "B t"], k: int
) -> Float[np.ndarray, "B t"]:
    """The chance of each named column to stand among the first k, all orders of ties being equal.

    Parameters
    ----------
    distances : (B, N) float array
        Of each query (row) to each item (column).
    which : (B, t) integer array
        For each row the columns that are asked about.
    k : int
        How many places there are, from 1 to N.

    Returns
    -------
    (B, t) float array
        From 0 to 1.

    Raises
    ------
    InvalidInputError
        On NaN, for a k that is not from 1 to N, and for columns that there are not: -1, faiss's
        sign for "nothing found", is no column.

    Examples
    --------
    >>> chances(np.array([[0.0, 1.0, 1.0]]), np.array([[0, 1, 2]]), 2)
    array([[1. , 0.5, 0.5]])
    """
    distances = _checked(distances)
    check_count(k, name="k", low=1, high=distances.shape[1])
    which = as_places(which, n_rows=len(distances), n_items=distances.shape[1], name="columns")
    found = np.empty(which.shape)
    for row, places, out in zip(distances, which, found, strict=True):
        in_order, own = np.sort(row), row[places]
        before = np.searchsorted(in_order, own, "left")
        tied = np.searchsorted(in_order, own, "right") - before
        out[:] = np.clip((k - before) / tied, 0.0, 1.0)
    return found


def recall_at(
    distances: Float[np.ndarray, "B N"], true: Integer[np.ndarray, "B k"]
) -> Float[np.ndarray, " B"]:
    """The share of the k true neighbours that stand among the first k by these distances.

    Parameters
    ----------
    distances : (B, N) float array
        Of each query (row) to each item (column), as the codes give them.
    true : (B, k) integer array
        The true neighbours of each query, as columns.

    Returns
    -------
    (B,) float array
        From 0 to 1; ties count as the mean over their orders.

    Raises
    ------
    InvalidInputError
        As `chances`, and for a neighbour that a row names twice.

    Examples
    --------
    >>> recall_at(np.array([[0.0, 1.0, 1.0]]), np.array([[0, 2]]))
    array([0.75])
    """
    distances = _checked(distances)
    true = as_places(
        true, n_rows=len(distances), n_items=distances.shape[1], name="columns", distinct=True
    )
    return chances(distances, true, true.shape[1]).mean(axis=1)


def recall_of_lists(
    found: Integer[np.ndarray, "B f"], true: Integer[np.ndarray, "B t"], k: int
) -> Float[np.ndarray, " B"]:
    """The share of the first k true neighbours that stand among the first k of somebody's search.

    Parameters
    ----------
    found : (B, f) integer array
        What the search returned, nearest first, such as the ids of faiss.
    true : (B, t) integer array
        The true neighbours, nearest first, such as a ground truth from an .ivecs file.
    k : int
        How many of each list count, from 1 to f and t.

    Returns
    -------
    (B,) float array
        From 0 to 1.

    Raises
    ------
    InvalidInputError
        For lists shorter than k, negative numbers and repeated ones.

    Examples
    --------
    >>> recall_of_lists([[4, 0, 2]], [[0, 4, 1]], 2)
    array([1.])
    """
    lists = []
    found = as_array(found, name="found neighbours")
    if found.ndim != 2:
        raise InvalidInputError("found neighbours (B, f)", describe(found), "a row for each query")
    for name, given in (("found neighbours", found), ("true neighbours", true)):
        array = as_places(given, n_rows=len(found), name=name, distinct=True)
        check_count(k, name="k", low=1, high=array.shape[1])
        lists.append(array[:, :k])
    shared = [np.isin(one, other).sum() for one, other in zip(*lists, strict=True)]
    return np.array(shared, dtype=np.float64) / k


def _checked(distances: object) -> Float[np.ndarray, "B N"]:
    array = as_array(distances, name="distances")
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        raise InvalidInputError("distances (B, N)", describe(array), "a row for each query")
    if array.dtype.kind == "f" and np.isnan(array).any():
        raise InvalidInputError(
            "distances without NaN", "NaN", "look for NaN embeddings before searching"
        )
    return array


def round_numbers(
    x: Float[np.ndarray, "N dim"], bits: int, *, low: float, high: float
) -> Float[np.ndarray, "N dim"]:
    """Cut [low, high] into two to the power of `bits` equal parts; return the middles of the parts.

    Numbers outside belong to the first or the last part.

    Parameters
    ----------
    x : (N, dim) float array
        What is rounded.
    bits : int
        From 1 to 32.
    low, high : float
        The range that is cut, in the units of `x`.

    Returns
    -------
    (N, dim) float array
        Of the type of `x`.

    Raises
    ------
    InvalidInputError
        Unless low < high and `bits` is from 1 to 32.

    Examples
    --------
    >>> round_numbers(np.array([[0.0, 0.3, 0.6, 1.0]]), 1, low=0.0, high=1.0)
    array([[0.25, 0.25, 0.75, 0.75]])
    """
    check_count(bits, name="bits", low=1, high=32)
    x = as_rows(x)
    if not low < high:
        raise InvalidInputError("low < high", f"low={low}, high={high}", "pass the data's range")
    width = (high - low) / 2**bits
    part = np.clip(np.floor((x - low) / width), 0, 2**bits - 1)
    return (low + (part + 0.5) * width).astype(x.dtype)
