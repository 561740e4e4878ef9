"""Checks of chapter 04, second half: a beam of two stages, and distances to sums of codewords."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import Mistake, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare
from gsl_tutorial.course.exercises.slips import of_looking_up

#: K, dim, width of the trials, and seeds of examples in which the mistakes below lead to other pairs.
_BEAMS = ((12, 3, 4), (12, 4, 2), (5, 2, 5), (12, 3, 3), (12, 3, 3), (12, 3, 3), (12, 3, 3))
_BEAM_SEEDS = (31327, 746, 0, 7, 61, 146, 468)


@exercise(
    "04.3",
    hints=(
        "Sort the rows of `first` by squared distance to z; the first `width` of them stay in play.",
        "For each k of them, z - first[k] is left. Find the nearest row j of `second`, and its error.",
        "Compare the errors *after* the second stage: keep (k, j) when its squared error is the "
        "smallest so far, starting from np.inf. At the end return np.array((k, j)) of the best.",
    ),
)
def beam_code(answer: Any) -> str:
    """beam_code(z, first, second, width) -> (2,) row numbers of the best pair in the beam."""

    def one(number: int) -> None:
        K, dim, width = _BEAMS[number]
        rng = np.random.default_rng(_BEAM_SEEDS[number])
        z, first = rng.normal(size=dim), rng.normal(size=(K, dim))
        second = 0.7 * rng.normal(size=(K, dim))
        if number > 2:  # far out, where a wrong order of the first stage leaves out the best
            z = 2.5 * z
        to_first = ((first - z) ** 2).sum(axis=1)
        errors = ((z - first[:, None] - second) ** 2).sum(axis=2)
        order = to_first.argsort()
        kept = order[:width]

        def best(rows: Any, table: Any = errors) -> Any:
            row = rows[table[rows].min(axis=1).argmin()]
            return np.array([row, table[row].argmin()])

        right = best(kept)
        place = int(np.flatnonzero(kept == right[0])[0])
        largest = np.unravel_index(errors[kept].argmax(), (len(kept), K))
        worst = kept[errors[kept].min(axis=1).argmax()]
        alone = ((second - z) ** 2).sum(axis=1).argmin()
        wrong = {
            "that is the greedy code: keep `width` codewords of the first stage, not one.": best(
                order[:1]
            ),
            "you tried every codeword of the first stage; keep only the `width` nearest.": best(
                order
            ),
            "you kept the farthest codewords of the first stage; argsort begins with the nearest.": (
                best(order[-width:])
            ),
            "you took the pair with the largest error; take the smallest.": np.array(
                [worst, errors[worst].argmin()]
            ),
            "you took the largest error of all pairs; take the smallest: argmin.": np.array(
                [kept[largest[0]], largest[1]]
            ),
            "that is the last pair that was tried; keep the pair with the smallest error.": (
                np.array([kept[-1], errors[kept[-1]].argmin()])
            ),
            "those are the pairs of all kept codewords; return only the best one.": np.stack(
                [kept, errors[kept].argmin(axis=1)], axis=1
            ),
            "that is the row of `first` only; return both numbers.": right[0],
            "you kept one codeword too many: [:width].": best(order[: width + 1]),
            "you kept one codeword too few: [:width].": best(order[: max(width - 1, 1)]),
            "you kept the first rows of the codebook; keep the nearest ones: argsort first.": best(
                np.arange(width)
            ),
            "the first number is a place in the list of kept rows; return the row itself: "
            "kept[place].": np.array([place, right[1]]),
            "the second stage looked at z; it should look at what is left, z - first[k].": np.array(
                [order[0], alone]
            ),
            "what is left is z - first[k], not first[k] - z.": best(
                kept, ((first[:, None] - z - second) ** 2).sum(axis=2)
            ),
            "the two numbers are swapped: the row of `first` comes first.": right[::-1],
            "you count from 1; in Python the first codeword is number 0.": right + 1,
            "those are the codewords; return only their row numbers.": np.stack(
                [first[right[0]], second[right[1]]]
            ),
            "that is the sum; return the row numbers.": first[right[0]] + second[right[1]],
            "that is the smallest error; return the row numbers that lead to it.": errors[
                tuple(right)
            ],
        }
        result = call(answer, z, first, second, width)
        compare(
            result, right, wrong,
            otherwise=f"expected rows {right}; in play are the rows {kept} of `first`, and their "
            f"best errors are {errors[kept].min(axis=1).round(3)}.",
        )  # fmt: skip
        kind = np.asarray(result).dtype
        if kind.kind not in "iu":
            raise Mistake(f"the numbers are right, but rows are whole numbers; yours are {kind}.")

    at_every_size([f"K = {K}, dim = {dim}, width = {width}" for K, dim, width in _BEAMS], one)
    return "decide late: the best first step need not begin the best sum."


@exercise(
    "04.4",
    hints=(
        "The three terms: |query|^2, minus twice the products with the chosen codewords, plus norms.",
        "codebooks @ query has shape (M, K); indexed by [np.arange(M), codes] it gives (N, M).",
        "Sum the looked-up products over axis 1. Then take |query|^2, subtract twice these sums, and add "
        "the norms.",
    ),
)
def additive_distances(answer: Any) -> str:
    """additive_distances(query, codebooks, codes, norms) -> (N,) squared distances to the sums."""
    sizes = ((3, 8, 4, 6), (2, 5, 3, 4), (1, 4, 2, 3))

    def one(number: int) -> None:
        M, K, dim, N = sizes[number]
        rng = np.random.default_rng(95 + number)
        query, books = rng.normal(size=dim), rng.normal(size=(M, K, dim))
        codes = rng.integers(K, size=(N, M), dtype=np.uint8)
        chosen = books[np.arange(M), codes]
        sums = chosen.sum(axis=1)
        norms = (sums**2).sum(axis=1)
        square, products = (query**2).sum(), chosen @ query
        cross = products.sum(axis=1)
        right = square - 2 * cross + norms
        apart = ((query - chosen) ** 2).sum(axis=2).sum(axis=1)
        wrong = {
            "the squared lengths of the sums are missing: add norms.": square - 2 * cross,
            "the products count twice: -2 times their sum.": square - cross + norms,
            "the sign of the products is turned round: minus twice their sum.": (
                square + 2 * cross + norms
            ),
            "|query|^2 is missing. The order is right without it, but these are no distances.": (
                norms - 2 * cross
            ),
            "you subtracted norms; add them.": square - 2 * cross - norms,
            "norms are squared lengths already; do not square them.": square - 2 * cross + norms**2,
            "norms are squared lengths; do not take their root.": (
                square - 2 * cross + np.sqrt(norms)
            ),
            "|query|^2 is a square: (query**2).sum(), not the length.": (
                np.sqrt(square) - 2 * cross + norms
            ),
            "you added the squared distances to the codewords one by one. That holds for subvectors; "
            "a sum of codewords is one place, with one distance.": apart,
            "you added the squared lengths of the codewords; what counts is the squared length of "
            "their sum: that is what norms holds.": (
                square - 2 * cross + (chosen**2).sum(axis=2).sum(axis=1)
            ),
            "|query|^2 came in once for each stage; it counts once.": M * square
            - 2 * cross
            + norms,
            "norms came in once for each stage; they count once.": square - 2 * cross + M * norms,
            "only the first stage was looked up; add the products of all stages.": (
                square - 2 * products[:, 0] + norms
            ),
            "you looked everything up in the first codebook; stage m has codebooks[m].": (
                square - 2 * (books[0][codes] @ query).sum(axis=1) + norms
            ),
            "you took the mean over the stages; add them.": square - 2 * cross / M + norms,
            "you took the root; leave the distances squared.": np.sqrt(right),
            "those are the reconstructions; one step is left: their squared distance to the "
            "query.": sums,
            "these are the products; the distances need the squares as well.": cross,
            "that is one number for all items; add along the stages only: axis 1.": right.sum(),
            "tables[:, codes] looks up every row for every stage; pair row m with stage m: "
            "tables[np.arange(M), codes].": (
                square - 2 * (books @ query)[:, codes].sum(axis=(0, 2)) + norms
            ),
            **of_looking_up(books @ query, codes, name="tables"),
        }
        try:
            result = call(answer, query, books, codes, norms)
        except IndexError as error:
            raise Mistake(
                f"a lookup fell outside ({error}). The rows of codebooks @ query are stages and "
                "its columns codewords: tables[m, codes[:, m]]."
            ) from error
        compare(
            result, right, wrong,
            otherwise=f"the first distance is {square:.3f} - 2 x {cross[0]:.3f} + {norms[0]:.3f} = "
            f"{right[0]:.3f}.",
        )  # fmt: skip

    at_every_size([f"M = {M}, K = {K}, dim = {dim}" for M, K, dim, _ in sizes], one)
    return "a table for the query, one number for the item: sums are searched as fast as product codes."
