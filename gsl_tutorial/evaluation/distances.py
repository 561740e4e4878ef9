"""Exact squared distances between queries and a database, some queries at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int

from gsl_tutorial.validation import as_rows

#: Queries whose distances are held at once: 250 x 50,000 float32 are 50 MB.
BLOCK = 250

#: Distances that are computed at once, 8 MB in double precision, and queries among them.
_AT_ONCE, _SIDE = 2**20, 256

#: Share of the squared lengths below which a distance is computed by subtraction. Rounding is some
#: 2^-50 of them, so what lies above is right to seven digits.
_CANCELLED = 2.0**-26


def squared_distances(
    queries: Float[np.ndarray, "B dim"], database: Float[np.ndarray, "N dim"]
) -> Float[np.ndarray, "B N"]:
    """Exact squared distances, wherever the vectors lie; equal rows are at equal distances.

    |q|^2 - 2 q.x + |x|^2, so that a matrix product does the work, but around the mean of the
    database and in double precision; where the three terms still cancel, q and x are subtracted.

    Parameters
    ----------
    queries
        (B, dim) Finite numbers.
    database
        (N, dim) The same.

    Returns
    -------
    numpy.ndarray
        (B, N) of float64 where both are float64, otherwise of float32. Never negative; 0 for equal
        vectors.

    Raises
    ------
    InvalidInputError
        For vectors of different length, NaN, and numbers too large to be squared.

    Examples
    --------
    >>> far = np.array([[4.2e6, 2.3e6, 4.1e6]], dtype=np.float32)
    >>> squared_distances(far, far + np.array([[-500, 800, 100], [1, 2, 2]], dtype=np.float32))
    array([[9.e+05, 9.e+00]], dtype=float32)
    """
    database = as_rows(database, name="database vectors")
    queries = as_rows(queries, dim=database.shape[1], name="query vectors")
    double = queries.dtype == database.dtype == np.float64
    result = np.empty((len(queries), len(database)), dtype=np.float64 if double else np.float32)
    if not result.size:
        return result
    if not database.shape[1]:
        result[:] = 0
        return result
    centre = database.mean(axis=0, dtype=np.float64)
    # One product gives all three terms: (-2 q, |q|^2, 1) times (x, 1, |x|^2).
    left, right = _with_squares(queries, centre), _with_squares(database, centre)
    left[:, :-2] *= -2
    left[:, [-2, -1]] = left[:, [-1, -2]]
    first, copies = _first_of_equals(right)
    if first is not None:
        right = right[first]
    longest = right[:, -1].max()
    rows = _SIDE
    columns = max(1, _AT_ONCE // min(rows, len(left)))
    for start in range(0, len(left), rows):
        q = left[start : start + rows]
        whole = result[start : start + rows] if copies is None else np.empty((len(q), len(right)))
        for begin in range(0, len(right), columns):
            x = right[begin : begin + columns]
            total = q @ x.T
            if (total.min(axis=1) <= _CANCELLED * (q[:, -2] + longest)).any():
                near = total <= _CANCELLED * (q[:, -2:-1] + x[:, -1])
                _subtract(q[:, :-2] / -2, x[:, :-2], total, near)
            whole[:, begin : begin + columns] = total
        if copies is not None:
            result[start : start + rows] = whole[:, copies]
    return result


def _with_squares(
    rows: Float[np.ndarray, "N dim"], centre: Float[np.ndarray, " dim"]
) -> Float[np.ndarray, "N dim+2"]:
    """The rows around the centre, a column of ones and their squared lengths, in double precision."""
    wide = np.empty((len(rows), rows.shape[1] + 2))
    around = wide[:, :-2]
    np.subtract(rows, centre, out=around)
    wide[:, -2] = 1
    np.einsum("ij,ij->i", around, around, out=wide[:, -1])
    return wide


def _first_of_equals(
    wide: Float[np.ndarray, "N width"],
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " N"]] | tuple[None, None]:
    """Rows without their copies, and where each row's copy is; None and None where all differ.

    A matrix product may round two equal columns differently, depending on where they stand.
    """
    in_order = np.sort(wide[:, -1])
    if not (in_order[1:] == in_order[:-1]).any():
        return None, None
    _, first, copies = np.unique(wide, axis=0, return_index=True, return_inverse=True)
    return first, copies.ravel()


def _subtract(
    q: Float[np.ndarray, "B dim"],
    x: Float[np.ndarray, "N dim"],
    total: Float[np.ndarray, "B N"],
    near: Bool[np.ndarray, "B N"],
) -> None:
    """Put the sum of squared differences where `near` says so, some pairs at a time."""
    rows, columns = np.nonzero(near)
    pairs = max(1, _AT_ONCE // x.shape[1])
    for start in range(0, len(rows), pairs):
        i, j = rows[start : start + pairs], columns[start : start + pairs]
        difference = q[i] - x[j]
        total[i, j] = np.einsum("ij,ij->i", difference, difference)


def blocks(n: int) -> Iterator[slice]:
    """Slices of at most `BLOCK` rows that cover n."""
    return (slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK))
