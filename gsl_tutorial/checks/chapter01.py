"""Checks of chapter 01: exact search by hand, its price in bytes, and recall."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.checks.core import Mistake, call, exercise
from gsl_tutorial.checks.diagnosis import at_every_size, compare, same


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
        }
        compare(
            call(answer, queries, database),
            right,
            wrong,
            otherwise=f"the first entry should be {right[0, 0]:.3f}: the squared distance from the "
            "first query to the first vector of the database.",
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
    sizes = ((4, 9, 3), (2, 12, 5), (3, 6, 1))

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
            "that is the whole order; keep the first k columns: [:, :k].": order,
            "you count from 1; in Python the first row of the database is number 0.": right + 1,
            "the sorting runs along the wrong axis: each query has a row, so axis=1.": (
                distances.argsort(axis=0)[:, :k]
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
            raise Mistake(
                "the right rows, but not nearest first: sort them by distance (argpartition alone "
                "leaves them in any order)."
            )
        compare(
            result,
            right,
            wrong,
            otherwise=f"for the first query expected {right[0]}, nearest first.",
        )
        kind = np.asarray(result).dtype
        if kind.kind not in "iu":
            raise Mistake(f"the numbers are right, but rows are whole numbers; yours are {kind}.")

    at_every_size([f"B = {B}, N = {N}, k = {k}" for B, N, k in sizes], one)
    return "that is a whole search engine: distances, then the k smallest."


@exercise(
    "01.3",
    hints=(
        "How many numbers are there in all? N vectors of dim numbers.",
        "Each takes so many bits, and a byte holds 8 bits.",
        "return N * dim * bits / 8",
    ),
)
def vector_bytes(answer: Any) -> str:
    """vector_bytes(N, dim, bits) -> bytes of N vectors of dim numbers, each of so many bits."""
    # Not 8 bits or 32 first: there "one byte" or "four bytes a number" would be right by accident.
    trials = ((2500, 64, 16), (10, 24, 3), (10**9, 96, 32))

    def one(number: int) -> None:
        N, dim, bits = trials[number]
        right = N * dim * bits / 8
        wrong = {
            "those are bits; a byte holds 8 of them, so divide.": N * dim * bits,
            "you multiplied by 8: a byte holds 8 bits, so divide.": N * dim * bits * 8,
            "that is one vector; there are N.": dim * bits / 8,
            "that is one number of each vector; there are dim.": N * bits / 8,
            "you counted a byte for each number; here a number takes `bits` bits.": N * dim,
            "four bytes are a number of 32 bits; here a number takes `bits` bits.": N * dim * 4,
            "2 ** bits is how many values a number can take; it takes only `bits` bits.": (
                N * dim * 2**bits / 8
            ),
            "that is in thousands of bytes; the answer is in bytes.": right / 1000,
            "that is in millions of bytes; the answer is in bytes.": right / 10**6,
        }
        compare(call(answer, N, dim, bits), right, wrong, otherwise=f"expected {right:,.0f} bytes.")

    at_every_size([f"N = {N:,}, dim = {dim}, bits = {bits}" for N, dim, bits in trials], one)
    return "N x dim x bits / 8. Three ways to save; from here on we attack dim x bits."


@exercise(
    "01.4",
    hints=(
        "For one query: how many of its true neighbours stand anywhere in its row of found?",
        "found[:, :, None] == true[:, None] compares each with each; .any(axis=1) says which of the "
        "true ones were found, (B, k).",
        "return (found[:, :, None] == true[:, None]).any(axis=1).mean()",
    ),
)
def recall_at_k(answer: Any) -> str:
    """recall_at_k(found, true) -> the mean share of the k true neighbours that were found."""
    sizes = ((4, 10), (3, 5), (6, 2))

    def one(number: int) -> None:
        B, k = sizes[number]
        rng = np.random.default_rng(52 + number)
        rows = [rng.permutation(3 * k) for _ in range(B)]
        true = np.stack([rng.permutation(row[:k]) for row in rows])
        # The first row finds none of the true ones, the last one all of them, at any place.
        shared = [k * b // max(B - 1, 1) for b in range(B)]
        found = np.stack(
            [rng.permutation(r[k - n : 2 * k - n]) for r, n in zip(rows, shared, strict=True)]
        )
        hits = (found[:, :, None] == true[:, None]).any(axis=1)
        later = (found[:, 1:, None] == true[:, None, 1:]).any(axis=1)
        union = np.array(
            [len({*f, *t}) for f, t in zip(found.tolist(), true.tolist(), strict=True)]
        )
        right = hits.mean()
        wrong = {
            "you compared place by place; a true neighbour counts wherever it stands among the k.": (
                (found == true).mean()
            ),
            "that is one value for each query; one step is left: .mean().": hits.mean(axis=1),
            "that says which were found; one step is left: .mean().": hits,
            "the mean runs over the queries only, so one number for each rank is left: .mean().": (
                hits.mean(axis=0)
            ),
            "you counted the hits of all queries; divide by how many there could be: .mean().": (
                hits.sum()
            ),
            "that is hits per query; divide by k, too.": hits.sum(axis=1).mean(),
            "you divided by k only; divide by the number of queries, too.": hits.sum() / k,
            "that is the share that was missed: take 1 minus it.": 1 - right,
            "you left out the first column. Queries are not in the database here: use all k.": (
                later.mean()
            ),
            "you left out the first column, but still divide by k: use all k.": later.sum() / B / k,
            "you compared each row with all rows: look among the true neighbours of its own query.": (
                np.isin(found, true).mean()
            ),
            "you divided by found and true taken together (the union); divide by k.": (
                (hits.sum(axis=1) / union).mean()
            ),
            "that asks only for the nearest neighbour; here all k of them count.": (
                hits[:, 0].mean()
            ),
            "that asks whether at least one was found; here every one counts.": (
                hits.any(axis=1).mean()
            ),
            "that asks whether all were found; here every single one counts.": (
                hits.all(axis=1).mean()
            ),
            "the share is right; return it as a fraction, not in per cent.": 100 * right,
        }
        compare(
            call(answer, found, true),
            right,
            wrong,
            otherwise=f"expected {right:.3f}: for the first query {hits[0].sum()} of {k} were found.",
        )

    at_every_size([f"B = {B}, k = {k}" for B, k in sizes], one)
    return "what was found, out of what was to be found; the order within the k does not matter."


def _as_table(result: Any) -> np.ndarray:
    """The result as an array that can be sorted; anything else becomes an empty one."""
    try:
        table = np.asarray(result)
    except Exception:  # ragged lists, objects that refuse: the comparison that follows explains
        return np.empty((0, 0))
    return table if table.dtype.kind in "iuf" and table.ndim else np.empty((0, 0))
