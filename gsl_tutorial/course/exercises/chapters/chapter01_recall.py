"""Checks of chapter 01, second half: the price of a database in bytes, and recall."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare, same


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
    # The last one ends inside a byte, if each vector is stored by itself.
    trials = ((2500, 64, 16), (10, 24, 3), (10**9, 96, 32), (8, 10, 3))

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
            "bits // 8 drops what is left over: multiply first, and divide the whole by 8.": (
                N * dim * (bits // 8)
            ),
            "you cut each vector to whole bytes, one vector after the other: multiply first, and divide "
            "the whole by 8.": N * (dim * bits // 8),
            "that is in thousands of bytes; the answer is in bytes.": right / 1000,
            "that is in millions of bytes; the answer is in bytes.": right / 10**6,
            "that is in gigabytes; the answer is in bytes.": right / 10**9,
            "you divided by 1024 as well; the answer is in bytes.": right / 1024,
        }
        result = call(answer, N, dim, bits)
        # Files store whole bytes for each vector: who rounds up is right, too.
        padded = N * math.ceil(dim * bits / 8)
        right = padded if same(result, padded) else right
        compare(result, right, wrong, otherwise=f"expected {right:,.0f} bytes.")

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
        rng = np.random.default_rng(53 + number)
        rows = [rng.permutation(3 * k) for _ in range(B)]
        true = np.stack([rng.permutation(row[:k]) for row in rows])
        # The second row finds none of the true ones, the last one all of them, at any place.
        shared = [k * b // (B - 1) for b in (1, 0, *range(2, B))]
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
            "that is the first query only; take the mean over all of them.": hits[0].mean(),
            "the mean runs over each comparison of a pair: first ask .any(axis=1), then the mean.": (
                (found[:, :, None] == true[:, None]).mean()
            ),
            "you sorted the rows and compared place by place; ask for each row number whether it "
            "stands anywhere in the other row.": (
                (np.sort(found, axis=1) == np.sort(true, axis=1)).mean()
            ),
        }
        compare(
            call(answer, found, true),
            right,
            wrong,
            otherwise=f"expected {right:.3f}: for the first query {hits[0].sum()} of {k} were found.",
        )

    at_every_size([f"B = {B}, k = {k}" for B, k in sizes], one)
    return "what was found, out of what was to be found; the order within the k does not matter."
