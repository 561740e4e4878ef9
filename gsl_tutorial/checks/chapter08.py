"""Checks of chapter 08: what a retrieval result is worth and what it costs."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.checks.core import Mistake, as_array, call, exercise


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
    for B, k in ((5, 4), (3, 10)):
        query, neighbours = rng.integers(0, 3, B), rng.integers(0, 3, (B, k))
        same = query[:, None] == neighbours
        result = call(answer, query, neighbours)
        if np.ndim(result) == 0 and np.isclose(float(result), same.mean()):
            raise Mistake("that is the mean over all queries; give one number for each query.")
        got = as_array(result, (B,))
        if np.allclose(got, same.mean(axis=1)):
            continue
        if np.allclose(got, same.sum(axis=1)):
            raise Mistake("you counted the right ones; divide by k.")
        if np.allclose(got, 1 - same.mean(axis=1)):
            raise Mistake("that is the share of wrong neighbours.")
        if np.allclose(got, same[:, 0]):
            raise Mistake("you looked at the first neighbour only.")
        raise Mistake(f"expected {same.mean(axis=1)}, got {got}.")
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
