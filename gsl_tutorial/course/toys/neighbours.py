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
from gsl_tutorial.validation import as_array, as_rows, check_count, describe


@dataclass(frozen=True)
class Compressed:
    """Vectors after compression: where their codes put them, bits of a code, and how it was done."""

    x: Float[np.ndarray, "N dim"]
    bits: int
    label: str


def nearest_neighbours(distances: Float[np.ndarray, "B N"], k: int) -> Integer[np.ndarray, "B k"]:
    """Return the columns of the k smallest distances of each row, nearest first, ties by column.

    >>> nearest_neighbours(np.array([[3.0, 1.0, 2.0]]), 2)
    array([[1, 2]])
    """
    distances = _table(distances)
    check_count(k, name="k", low=1, high=distances.shape[1])
    return np.argsort(distances, axis=1, kind="stable")[:, :k]


def chances(
    distances: Float[np.ndarray, "B N"], which: Integer[np.ndarray, "B t"], k: int
) -> Float[np.ndarray, "B t"]:
    """The chance of each named column to stand among the first k, all orders of ties being equal.

    >>> chances(np.array([[0.0, 1.0, 1.0]]), np.array([[0, 1, 2]]), 2)
    array([[1. , 0.5, 0.5]])
    """
    distances, which = _table(distances), as_array(which, name="columns")
    check_count(k, name="k", low=1, high=distances.shape[1])
    if which.ndim != 2 or len(which) != len(distances):
        raise InvalidInputError(
            f"a row of columns for each of the {len(distances)} rows of distances",
            describe(which),
            "pass what `nearest_neighbours` returned for the same queries",
        )
    if which.dtype.kind not in "iu" or (
        which.size and not (which.min() >= 0 and which.max() < distances.shape[1])
    ):
        got = f"{which.min()} to {which.max()}" if which.dtype.kind in "iu" else describe(which)
        raise InvalidInputError(
            f"columns from 0 to {distances.shape[1] - 1}",
            got,
            "leave out the neighbours that a search did not find (often -1)",
        )
    own = np.take_along_axis(distances, which, axis=1)[:, :, None]
    before = (distances[:, None] < own).sum(axis=2)
    tied = (distances[:, None] == own).sum(axis=2)
    return np.clip((k - before) / tied, 0.0, 1.0)


def recall_at(
    distances: Float[np.ndarray, "B N"], true: Integer[np.ndarray, "B k"]
) -> Float[np.ndarray, " B"]:
    """The share of the k true neighbours that stand among the first k by these distances.

    >>> recall_at(np.array([[0.0, 1.0, 1.0]]), np.array([[0, 2]]))
    array([0.75])
    """
    true = as_array(true, name="columns")
    return chances(distances, true, true.shape[-1] if true.ndim else 0).mean(axis=1)


def _table(distances: object) -> Float[np.ndarray, "B N"]:
    table = as_array(distances, name="distances")
    if table.ndim != 2 or table.dtype.kind not in "fiu" or np.isnan(table).any():
        got = describe(table) + (", some of them NaN" if table.dtype.kind == "f" else "")
        raise InvalidInputError(
            "a (B, N) array of distances, none of them NaN", got, "pass a row for each query"
        )
    return table


def round_numbers(
    x: Float[np.ndarray, "N dim"], bits: int, *, low: float, high: float
) -> Float[np.ndarray, "N dim"]:
    """Cut [low, high] into two to the power of `bits` equal parts; return the middles of the parts.

    Numbers outside belong to the first or the last part.

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
