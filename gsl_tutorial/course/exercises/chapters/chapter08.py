"""Checks of chapter 08: what a retrieval result is worth and what it costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import Mistake, as_array, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare


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
    rng = np.random.default_rng(5)
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
            "the shares are rounded to whole numbers; leave them as they are.": right.round(),
        }
        try:
            result = call(answer, query, neighbours)
        except ValueError as error:
            if "broadcast" not in str(error):
                raise
            raise Mistake(
                f"({B},) and ({B}, {k}) do not fit together: make the labels of the queries a "
                "column first, query_labels[:, None]."
            ) from error
        compare(
            result,
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
    # With 512 codewords log2 K, the root of K and one byte for each piece are three different things.
    cases = ((1000, 36, 4, 512), (50_000, 64, 8, 16), (24, 10, 5, 8), (16, 3, 3, 2))

    def one(number: int) -> None:
        N, dim, M, K = cases[number]
        result = call(answer, N, dim, M, K)
        if isinstance(result, int | float | np.number):
            raise Mistake(
                "expected two numbers, bytes as vectors and bytes as codes; return them with a comma "
                "between."
            )
        got = as_array(result, (2,))
        floats, codes = N * dim * 4, N * M * np.log2(K) / 8
        if np.allclose(got, [codes, floats]):
            raise Mistake("the two are swapped: first the vectors, then the codes.")
        wrong_floats = {
            "float32 vectors: N * dim numbers, 4 bytes each; you counted the numbers.": N * dim,
            "float32 vectors: those are bits; eight of them make a byte.": floats * 8,
            "float32 vectors: a float32 takes 4 bytes; 8 are a float64.": N * dim * 8,
            "float32 vectors: that is one vector; the database has N.": dim * 4,
        }
        wrong_codes = {
            "codes: those are bits; eight of them make a byte.": codes * 8,
            "codes: one of K codewords takes log2 K bits, not K.": N * M * K / 8,
            "codes: log2 K, not the square root of K: 256 codewords need 8 bits.": (
                N * M * np.sqrt(K) / 8
            ),
            "codes: log2 is the logarithm to base 2; np.log is another one.": N * M * np.log(K) / 8,
            "codes: log2 is the logarithm to base 2; np.log10 is another one.": (
                N * M * np.log10(K) / 8
            ),
            "codes: one byte for each number is right for 256 codewords only: log2 K bits.": N * M,
            "codes: each number of a code takes log2 K bits; it is not a float.": 4 * N * M,
            "codes: that is one code; the database has N.": codes / N,
            "codes: M numbers of log2 K bits for each vector, whatever its dim.": (
                N * dim * np.log2(K) / 8
            ),
            "codes: leave the codebooks out; they were not to be counted.": codes + 4 * K * dim,
        }
        compare(got[0], floats, wrong_floats,
                otherwise=f"float32 vectors: expected {floats:,} bytes, got {got[0]:,.0f}.")  # fmt: skip
        compare(got[1], codes, wrong_codes,
                otherwise=f"codes: expected {codes:,.0f} bytes, got {got[1]:,.0f}.")  # fmt: skip

    at_every_size([f"N = {N}, dim = {dim}, M = {M}, K = {K}" for N, dim, M, K in cases], one)
    return "the codes are smaller by 32 dim / (M log2 K)."


@exercise(
    "08.3",
    hints=(
        "Distortion is the mean over vectors of the squared distance to the reconstruction.",
        "Divide it by the same quantity with z.mean(axis=0) as the reconstruction of all.",
        "((z - q) ** 2).sum(1).mean() / ((z - z.mean(0)) ** 2).sum(1).mean()",
    ),
)
def relative_distortion(answer: Any) -> str:
    """relative_distortion(z (N, dim), q (N, dim)) -> a number."""
    rng = np.random.default_rng(9)
    sizes = ((20, 3), (50, 8), (7, 2))

    def one(number: int) -> None:
        N, dim = sizes[number]
        z = rng.normal(size=(N, dim)) + np.arange(dim)  # each number has a mean of its own
        q = z + 0.3 * rng.normal(size=(N, dim))
        lost, spread = (z - q) ** 2, (z - z.mean(axis=0)) ** 2
        distortion = lost.sum(axis=1).mean()
        right = distortion / spread.sum(axis=1).mean()
        ratios = lost.sum(axis=1) / spread.sum(axis=1)
        wrong = {
            "that is the distortion itself; make it relative to the spread.": distortion,
            "subtract the mean in the denominator: spread, not length.": lost.sum() / (z**2).sum(),
            "no square root: squared distances over squared distances.": np.sqrt(right),
            "lengths in place of their squares: squared distances over squared distances.": (
                np.sqrt(lost.sum(axis=1)).mean() / np.sqrt(spread.sum(axis=1)).mean()
            ),
            "the fraction is upside down.": 1 / right,
            "that is the share that is kept; the share that is lost was asked for.": 1 - right,
            "the mean of z is a vector: z.mean(axis=0), one number for each column.": (
                lost.sum() / ((z - z.mean()) ** 2).sum()
            ),
            "the mean of z is the mean over the vectors, axis=0, not over the numbers of each.": (
                lost.sum() / ((z - z.mean(axis=1, keepdims=True)) ** 2).sum()
            ),
            "a ratio for each vector; take both means first, then divide.": ratios,
            "a mean of ratios; take both means first, then divide.": ratios.mean(),
            "the spread is that of z, not that of q.": lost.sum() / ((q - q.mean(0)) ** 2).sum(),
            "one mean is over the numbers, the other over the vectors: take the same for both.": (
                right / dim
            ),
            "one mean is over the vectors, the other over the numbers: take the same for both.": (
                right * dim
            ),
        }
        compare(call(answer, z, q), right, wrong,
                otherwise=f"expected {right:.4f}: a mean squared distance over another.")  # fmt: skip

    at_every_size([f"{N} vectors of {dim} numbers" for N, dim in sizes], one)
    return "0 means perfect, 1 means no better than one codeword for all."
