"""The check of chapter 01 that puts the pieces together: a search that never holds the whole table."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
from jaxtyping import Float

from gsl_tutorial.course.exercises.checking import Mistake, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare

#: B, N, dim, k, block: one block, blocks that fit, a last one that is shorter, k above the block, block 1.
_CASES = (
    (2, 8, 3, 3, 8), (3, 12, 2, 4, 4), (2, 11, 3, 3, 4), (3, 13, 1, 6, 3), (1, 7, 4, 7, 1),
    (4, 9, 2, 1, 20),
)  # fmt: skip
_NAMES = [
    f"B = {B}, N = {N}, dim = {dim}, k = {k}, block = {block}" for B, N, dim, k, block in _CASES
]
#: The case that counts bytes: its whole table has 160 kB, a block of it 2 kB.
_MANY, _FEW, _BLOCK, _ALLOWED = 4_000, 5, 50, 130_000

Vectors = Float[np.ndarray, "rows dim"]


def _example(number: int) -> tuple[Vectors, Vectors, int, int]:
    B, N, dim, k, block = _CASES[number]
    rng = np.random.default_rng(150 + number)
    return rng.normal(size=(B, dim)), rng.normal(size=(N, dim)), k, block


@exercise(
    "01.5",
    hints=(
        "Take `block` rows of the database at a time, for instance with range(0, N, block). Keep the k "
        "best of all rows so far, with their distances, and let those of the next block compete with them.",
        "In each round: the distances of the block, and its row numbers start, start + 1, ... Join "
        "both to what you kept with np.hstack, sort by distance and cut after k. "
        "np.take_along_axis fetches distances and rows in that order.",
        "order = all_distances.argsort(axis=1)[:, :k]; best = np.take_along_axis(all_distances, "
        "order, "
        "axis=1); rows = np.take_along_axis(all_rows, order, axis=1); all_distances and all_rows "
        "are "
        "what you kept, joined to the new block. After the last block: return rows.",
    ),
)
def search_in_blocks(answer: Any) -> str:
    """search_in_blocks(queries, database, k, block) -> (B, k) rows, nearest first."""

    def one(number: int) -> None:
        queries, database, k, block = _example(number)
        N = len(database)
        table = ((queries[:, None] - database) ** 2).sum(axis=2)
        order = table.argsort(axis=1, kind="stable")
        right = order[:, :k]
        starts = range(0, N, block)
        locally = [table[:, s : s + block].argsort(axis=1, kind="stable") for s in starts]
        joined = np.concatenate([part[:, :k] for part in locally], axis=1)
        whole = N - N % block
        wrong = {
            "those are the distances; return where they stand, the rows.": (
                np.sort(table, axis=1)[:, :k]
            ),
            "those are rows of a block; add its start to get rows of the database.": right % block,
            "you kept the k best of every block side by side; let them compete for k places.": joined,
            "you searched the first block only.": locally[0][:, :k],
            "you searched the last block only; what came before must compete with it.": (
                locally[-1][:, :k] + starts[-1]
            ),
            "the last block, which is shorter, was left out.": (
                table[:, :whole].argsort(axis=1)[:, :k] if whole >= k else np.array(np.nan)
            ),
            "the right rows, but sorted by number; the nearest comes first.": np.sort(
                right, axis=1
            ),
            "the right rows, but the nearest comes last.": right[:, ::-1],
            "those are the farthest; the smallest distances come first.": order[:, ::-1][:, :k],
            "that is the nearest only; return k of them for each query.": order[:, :1],
            "you return all rows in order; cut after k.": order,
            "that is for the first query only; there is a row for each.": right[:1],
            "you left out the nearest; it is a result, too.": order[:, 1 : k + 1],
            "you took inner products; nearest means the smallest squared distance.": (
                (queries @ database.T).argsort(axis=1)[:, ::-1][:, :k]
            ),
            "you added the differences without squaring them, so that they cancel.": (
                (queries[:, None] - database).sum(axis=2).argsort(axis=1)[:, :k]
            ),
        }
        result = call(answer, queries, database, k, block)
        compare(
            result,
            right,
            wrong,
            otherwise=lambda at: (
                f"query {at[0]}, place {at[1]}: expected row {right[at]}, at a squared distance of "
                f"{table[at[0], right[at]]:.3f}."
            ),
        )
        if (kind := np.asarray(result).dtype).kind not in "iu":
            raise Mistake(f"the numbers are right, but rows are whole numbers; yours are {kind}.")

    at_every_size(_NAMES, one)
    held = _peak(answer) / 1e3
    if held > _ALLOWED / 1e3:
        raise Mistake(
            f"the rows are right, but for {_FEW} queries and {_MANY:,} vectors in blocks of {_BLOCK} you "
            f"hold {held:.0f} kB at once, as much as without blocks. Compute the distances of one block, "
            "keep the k best, and let go of the rest before the next."
        )
    return "exact, and it holds one block at a time: so a database may be larger than your memory."


def _peak(answer: Any) -> int:
    """The most bytes that an answer holds at once, its arguments and their copies not counted."""
    rng = np.random.default_rng(0)
    queries, database = rng.normal(size=(_FEW, 1)), rng.normal(size=(_MANY, 1))
    is_on = tracemalloc.is_tracing()
    if not is_on:
        tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        call(answer, queries, database, 3, _BLOCK)
        copies = queries.nbytes + database.nbytes
        return max(tracemalloc.get_traced_memory()[1] - before - copies, 0)
    finally:
        if not is_on:
            tracemalloc.stop()
