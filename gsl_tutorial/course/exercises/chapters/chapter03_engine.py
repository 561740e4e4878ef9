"""The check of chapter 03 that puts the parts together: a search engine on codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.course.exercises.checking import Mistake, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare
from gsl_tutorial.course.exercises.slips import of_looking_up

#: B, N, M, K, d and k: one query first, then several; d = M once, and K = M once.
_CASES = (
    (1, 9, 2, 4, 3, 3), (4, 12, 3, 5, 2, 5), (3, 8, 2, 3, 2, 1), (2, 20, 4, 4, 4, 6), (5, 7, 3, 6, 1, 7),
    (3, 15, 1, 16, 5, 4), (2, 2000, 3, 13, 2, 25),
)  # fmt: skip
_NAMES = [
    f"{B} quer{'y' if B == 1 else 'ies'}, k = {k} (N = {N}, M = {M}, K = {K}, d = {d})"
    for B, N, M, K, d, k in _CASES
]

Example = tuple[
    Float[np.ndarray, "B dim"], Float[np.ndarray, "M K d"], Integer[np.ndarray, "N M"], int
]


def _example(number: int) -> Example:
    """Queries, codebooks, codes that are all distinct, so that no two distances tie, and k."""
    B, N, M, K, d, k = _CASES[number]
    rng = np.random.default_rng(350 + number)
    codebooks = rng.normal(size=(M, K, d))
    every = rng.permutation(K**M)[:N]
    codes = np.stack(np.unravel_index(every, (K,) * M), axis=1)
    return rng.normal(size=(B, M * d)), codebooks, codes, k


@exercise(
    "03.5",
    hints=(
        "Go query by query: fill its table as in 03.3, add up its entries as in 03.4, then pick the k "
        "smallest as in 01.2.",
        "For one query: codebooks - query.reshape(M, 1, d) has shape (M, K, d); square it and sum over the "
        "last axis, and you have its table. table[np.arange(M), codes].sum(axis=1) is one distance for "
        "each image.",
        "Collect a row for each query in a list: distances.argsort()[:k]. After the loop make one array "
        "of the list: np.stack(rows).",
    ),
)
def search_codes(answer: Any) -> str:
    """search_codes(queries, codebooks, codes, k) -> (B, k) rows of the database, nearest first."""

    def one(number: int) -> None:
        queries, codebooks, codes, k = _example(number)
        M, _, d = codebooks.shape
        parts = queries.reshape(len(queries), M, 1, d)
        tables = ((codebooks - parts) ** 2).sum(axis=3)
        entries = tables[:, np.arange(M), codes]
        distances = entries.sum(axis=2)
        order = distances.argsort(axis=1, kind="stable")
        right = order[:, :k]
        sums = (codebooks - parts).sum(axis=3)[:, np.arange(M), codes].sum(axis=2)
        rooted = np.sqrt(entries).sum(axis=2)
        products = (codebooks * parts).sum(axis=3)[:, np.arange(M), codes].sum(axis=2)
        strided = queries.reshape(len(queries), d, M).transpose(0, 2, 1)[:, :, None]
        by_stride = ((codebooks - strided) ** 2).sum(axis=3)[:, np.arange(M), codes].sum(axis=2)
        first_book = ((codebooks[0] - parts) ** 2).sum(axis=3)[:, np.arange(M), codes].sum(axis=2)
        nearest = np.sort(distances, axis=1)[:, :k]
        wrong = {
            "those are the distances; return where they stand, the rows of the images: argsort.": nearest,
            "those are all distances; one step is left: for each query, the rows of the k smallest.": (
                distances
            ),
            "those are the farthest images: the smallest distances come first.": order[:, ::-1][
                :, :k
            ],
            "the right images, but sorted by row; the nearest comes first.": np.sort(right, axis=1),
            "the right images, but the nearest comes last.": right[:, ::-1],
            "that is the nearest image only; return k of them for each query.": order[:, :1],
            "that is the nearest image only; return k of them for each query. ": order[:, 0],
            "that is one image too few for each query.": order[:, : k - 1],
            "you left out the nearest: it is a result, too, unless a query lies in the database itself.": (
                order[:, 1 : k + 1]
            ),
            "you return all images in order; cut after k.": order,
            "that is for the first query only; does `return` stand inside the loop?": right[:1],
            "that is for the last query only; is each result written over by the next?": right[-1:],
            "you added roots over the subvectors; squares add up, roots do not.": (
                rooted.argsort(axis=1)[:, :k]
            ),
            "you added the differences without squaring them, so that they cancel.": (
                sums.argsort(axis=1)[:, :k]
            ),
            "you took inner products; fill the table with squared distances.": (
                products.argsort(axis=1)[:, :k]
            ),
            "you took every M-th number as a subvector; a subvector is d numbers side by side.": (
                by_stride.argsort(axis=1)[:, :k]
            ),
            "you compared every subvector with the first codebook; each subvector has its own.": (
                first_book.argsort(axis=1)[:, :k]
            ),
            "argsort ran over the queries; sort the distances of each query on their own.": (
                distances.argsort(axis=0)[:, :k]
            ),
            **{
                text: value
                for text, value in of_looking_up(tables[0], codes).items()
                if np.shape(value) != right.shape
            },
        }
        result = call(answer, queries, codebooks, codes, k)
        compare(
            result,
            right,
            wrong,
            otherwise=lambda at: (
                f"query {at[0]}, place {at[1]}: expected image {right[at]}, at a squared distance of "
                f"{distances[at[0], right[at]]:.3f}."
            ),
        )
        kind = np.asarray(result).dtype
        if kind.kind not in "iu":
            raise Mistake(f"the numbers are right, but rows are whole numbers; yours are {kind}.")

    at_every_size(_NAMES, one)
    return "a search engine that touches no pixel. The next cells search the digits with it, and time it."
