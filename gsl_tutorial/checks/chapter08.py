"""Checks of chapter 08: what a retrieval result is worth and what it costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.checks.core import Mistake, as_array, call, exercise
from gsl_tutorial.checks.diagnosis import at_every_size, compare


@exercise(
    "08.1",
    hints=(
        "A neighbour is right when its label equals the query's.",
        "query_labels[:, None] == neighbour_labels gives a (B, k) table of right and wrong.",
        "The mean of that table over k is the precision of each query.",
    ),
)
def precision_at_k(answer: Any) -> str:
    """precision_at_k(query_labels (B,), neighbour_labels (B, k)) -> (B,)."""
    rng = np.random.default_rng(8)
    sizes = ((5, 4), (3, 10))

    def one(number: int) -> None:
        B, k = sizes[number]
        query, neighbours = rng.integers(0, 3, B), rng.integers(0, 3, (B, k))
        same = query[:, None] == neighbours
        right = same.mean(axis=1)
        wrong = {
            "that is the mean over all queries; give one number for each query.": same.mean(),
            "you counted the right ones; divide by k.": same.sum(axis=1),
            "that is the share of wrong neighbours.": 1 - right,
            "you looked at the first neighbour only.": same[:, 0],
            "that is whether any neighbour is right; take the share.": same.any(axis=1),
            "this is the table of right and wrong; one step is left: its mean over the neighbours, "
            "axis=1.": same,
            "you took the mean over the queries; take it over the neighbours of each, axis=1.": (
                same.mean(axis=0)
            ),
            "you divided by the number of queries; divide by k.": same.sum(axis=1) / B,
            "that is in per cent; leave the share between 0 and 1.": 100 * right,
        }
        compare(
            call(answer, query, neighbours),
            right,
            wrong,
            otherwise=f"for a query of label {query[0]} and neighbours {neighbours[0]} it should give "
            f"{right[0]:.2f}.",
        )

    at_every_size([f"B = {B}, k = {k}" for B, k in sizes], one)
    return "precision at k is the share of right ones among the first k."


@exercise(
    "08.2",
    hints=(
        "A float32 number takes 4 bytes, whatever it says.",
        "A code takes M log2 K bits; a byte has 8 bits.",
        "(N * dim * 4, N * M * log2(K) / 8)",
    ),
)
def memory_bytes(answer: Any) -> str:
    """memory_bytes(N, dim, M, K) -> (bytes as float32 vectors, bytes as codes)."""
    for N, dim, M, K in ((1000, 32, 4, 256), (50_000, 64, 8, 16)):
        got = as_array(call(answer, N, dim, M, K), (2,))
        floats, codes = N * dim * 4, N * M * np.log2(K) / 8
        if np.allclose(got, [floats, codes]):
            continue
        if np.allclose(got, [codes, floats]):
            raise Mistake("the two are swapped: first the vectors, then the codes.")
        if not np.isclose(got[0], floats):
            raise Mistake(f"float32 vectors: expected {floats:,} bytes, got {got[0]:,.0f}.")
        if np.isclose(got[1], codes * 8):
            raise Mistake("those are bits; eight of them make a byte.")
        if np.isclose(got[1], N * M * K / 8):
            raise Mistake("one of K codewords takes log2 K bits, not K.")
        if np.isclose(got[1], N * M * np.sqrt(K) / 8):
            raise Mistake("log2, not the square root: K = 256 codewords need 8 bits.")
        raise Mistake(f"codes: expected {codes:,.0f} bytes, got {got[1]:,.0f}.")
    return "the codes are smaller by 32 dim / (M log2 K)."


@exercise(
    "08.3",
    hints=(
        "Distortion is the mean over vectors of the squared distance to the reconstruction.",
        "Divide it by the same quantity for the mean vector as the only reconstruction.",
        "((z - q) ** 2).sum(1).mean() / ((z - z.mean(0)) ** 2).sum(1).mean()",
    ),
)
def relative_distortion(answer: Any) -> str:
    """relative_distortion(z (N, dim), q (N, dim)) -> a number."""
    rng = np.random.default_rng(9)
    for N, dim in ((20, 3), (50, 8)):
        z = rng.normal(size=(N, dim)) + 2
        q = z + 0.3 * rng.normal(size=(N, dim))
        got = float(as_array(call(answer, z, q), ()))
        distortion = ((z - q) ** 2).sum(1).mean()
        right = distortion / ((z - z.mean(0)) ** 2).sum(1).mean()
        if np.isclose(got, right):
            continue
        if np.isclose(got, distortion):
            raise Mistake("that is the distortion itself; make it relative to the spread.")
        if np.isclose(got, distortion / (z**2).sum(1).mean()):
            raise Mistake("subtract the mean in the denominator: spread, not length.")
        if np.isclose(got, np.sqrt(right)):
            raise Mistake("no square root: squared distances over squared distances.")
        if np.isclose(got, 1 / right):
            raise Mistake("the fraction is upside down.")
        raise Mistake(f"expected {right:.4f}, got {got:.4f}.")
    return "0 means perfect, 1 means no better than one codeword for all."
