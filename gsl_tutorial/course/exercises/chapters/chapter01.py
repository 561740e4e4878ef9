"""Checks of chapter 01, first half: exact search by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import Mistake, call, exercise
from gsl_tutorial.course.exercises.compare import KnownMistake, at_every_size, compare, same
from gsl_tutorial.course.exercises.slips import of_a_sum


@exercise(
    "01.1",
    hints=(
        "One query against all rows is database - query. You need that for every query at once.",
        "queries[:, None] has shape (B, 1, dim); subtract the database: differences (B, N, dim).",
        "return ((queries[:, None] - database) ** 2).sum(axis=2)",
    ),
)
def all_distances(answer: Any) -> str:
    """all_distances(queries, database) -> (B, N) squared distances."""
    sizes = ((3, 7, 2), (5, 4, 6), (1, 2, 1))

    def one(number: int) -> None:
        B, N, dim = sizes[number]
        rng = np.random.default_rng(10 + number)
        queries, database = rng.normal(size=(B, dim)), rng.normal(size=(N, dim))
        difference = queries[:, None] - database
        right = (difference**2).sum(axis=2)
        wrong = {
            "you took the root. It would not change who is nearest: leave it out.": np.sqrt(right),
            "the axes are swapped: one row for each query, one column for each vector.": right.T,
            "these are the squared differences; add them up over the numbers: .sum(axis=2).": (
                difference**2
            ),
            "the sum runs over the queries; sum over the numbers of a vector: axis 2.": (
                (difference**2).sum(axis=0)
            ),
            "the sum runs over the database; sum over the numbers of a vector: axis 2.": (
                (difference**2).sum(axis=1)
            ),
            "that is one number for everything; sum along axis 2 only.": right.sum(),
            "you added the differences without squaring them, so that they cancel.": (
                difference.sum(axis=2)
            ),
            "you added the differences (database minus query) without squaring them.": (
                -difference.sum(axis=2)
            ),
            "you squared the sum; square each difference first, then add.": (
                difference.sum(axis=2) ** 2
            ),
            "you added absolute differences; square them instead.": np.abs(difference).sum(axis=2),
            "you took the mean; take the sum.": (difference**2).mean(axis=2),
            "those are inner products, which grow when vectors agree; a distance shrinks.": (
                queries @ database.T
            ),
            "that is the first query only; there is one row for each query.": right[0],
            "multiplied out, the products count twice: minus 2 times queries @ database.T.": (
                right + queries @ database.T
            ),
            **of_a_sum(difference**2),
        }
        compare(
            call(answer, queries, database),
            right,
            wrong,
            otherwise=lambda at: (
                f"row {at[0]}, column {at[1]} should be {right[at]:.3f}: the squared distance from "
                f"query {at[0]} to vector {at[1]} of the database. Other entries may be right."
            ),
        )

    at_every_size([f"B = {B}, N = {N}, dim = {dim}" for B, N, dim in sizes], one)
    return "B rows, N columns: every number of every vector was touched. That is the price."


@exercise(
    "01.2",
    hints=(
        "Sorting tells the order; you need the positions, not the sorted values.",
        "distances.argsort(axis=1) gives for each row the columns from near to far.",
        "return distances.argsort(axis=1)[:, :k]",
    ),
)
def nearest_rows(answer: Any) -> str:
    """nearest_rows(distances, k) -> (B, k) rows of the database, nearest first."""
    # The last is long enough for argpartition to leave its rows unsorted.
    sizes = ((4, 9, 3), (2, 12, 5), (3, 6, 1), (2, 3000, 1000))

    def one(number: int) -> None:
        B, N, k = sizes[number]
        distances = np.random.default_rng(20 + number).uniform(0.1, 9, size=(B, N))
        order = distances.argsort(axis=1)
        right = order[:, :k]
        wrong = {
            "those are the farthest ones: sort upwards, from near to far.": order[:, ::-1][:, :k],
            "those are the farthest ones: the nearest stand at the front of the order.": (
                order[:, -k:]
            ),
            "those are the smallest distances; return where they stand: argsort, not sort.": (
                np.sort(distances, axis=1)[:, :k]
            ),
            "you left out the nearest one. A query is not in the database here: start at 0.": (
                order[:, 1 : k + 1]
            ),
            "that is one neighbour too many: [:, :k] keeps k of them.": order[:, : k + 1],
            "that is one neighbour too few: [:, :k] keeps k of them.": order[:, : k - 1],
            "that is the whole order; keep the first k columns: [:, :k].": order,
            "you count from 1; in Python the first row of the database is number 0.": right + 1,
            "the sorting runs along the wrong axis: each query has a row, so axis=1.": (
                distances.argsort(axis=0)[:, :k]
            ),
            "the sorting runs along the wrong axis, down the queries: each has a row, so axis=1.": (
                distances.argsort(axis=0)[:k]
            ),
            "the sorting runs over all queries together: each has a row of its own, so axis=1.": (
                distances.argsort(axis=None)[:k]
            ),
            "you kept the first k queries; keep the first k columns: [:, :k].": order[:k],
            "the axes are swapped: one row for each query, one column for each rank.": right.T,
            "that is the first query only; there is one row for each query.": right[0],
            "that is the nearest one only; keep k of them.": order[:, 0],
        }
        result = call(answer, distances, k)
        if same(np.sort(_as_table(result), axis=-1), np.sort(right, axis=1)) and not same(
            result, right
        ):
            raise KnownMistake(
                "the right rows, but not nearest first: sort them by distance (argpartition alone "
                "leaves them in any order)."
            )
        compare(
            result,
            right,
            wrong,
            otherwise=lambda at: f"for query {at[0]} expected {right[at[0]][:6]}, nearest first.",
        )
        kind = np.asarray(result).dtype
        if kind.kind not in "iu":
            raise Mistake(f"the numbers are right, but rows are whole numbers; yours are {kind}.")

    at_every_size([f"B = {B}, N = {N}, k = {k}" for B, N, k in sizes], one)
    return "that is a whole search engine: distances, then the k smallest."


def _as_table(result: Any) -> np.ndarray:
    """The result as an array that can be sorted; anything else becomes an empty one."""
    try:
        table = np.asarray(result)
    except Exception:  # ragged lists, objects that refuse: the comparison that follows explains
        return np.empty((0, 0))
    return table if table.dtype.kind in "iuf" and table.ndim else np.empty((0, 0))
