"""Answers to the exercises of chapter 08: right ones, and wrong ones with a word of their diagnosis.
The tests are in `test_checks.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from answers import Answer, Exercise


def _same(query: Any, neighbours: Any) -> Any:
    return neighbours == query[:, None]


def _codes(codes: Answer) -> Answer:
    """The right bytes as vectors, and these as codes."""
    return lambda N, dim, M, K: (4 * N * dim, codes(N, dim, M, K))


def _spread(z: Any) -> Any:
    return ((z - z.mean(axis=0)) ** 2).sum()


def _lengths(z: Any) -> Any:
    return np.linalg.norm(z, axis=1).mean()


def _ratios(z: Any, q: Any) -> Any:
    return ((z - q) ** 2).sum(axis=1) / ((z - z.mean(axis=0)) ** 2).sum(axis=1)


CHAPTER_08 = [
    Exercise(
        "precision_at_k",
        right=(
            lambda q, n: _same(q, n).mean(axis=1),
            lambda q, n: [sum(a == b for b in row) / len(row) for a, row in zip(q, n, strict=True)],
        ),
        wrong=(
            (lambda q, n: _same(q, n).mean(), "one number for each query"),
            (lambda q, n: _same(q, n).sum(axis=1), "divide by k"),
            (lambda q, n: 1 - _same(q, n).mean(axis=1), "wrong neighbours"),
            (lambda q, n: _same(q, n)[:, 0].astype(float), "first neighbour only"),
            (lambda q, n: _same(q, n).mean(axis=0), "over the queries"),
            (lambda q, n: _same(q, n), "one step is left"),
            (lambda q, n: _same(q, n).any(axis=1), "whether any"),
            (lambda q, n: _same(q, n).sum(axis=1) / len(q), "number of queries"),
            (lambda q, n: 100 * _same(q, n).mean(axis=1), "per cent"),
            (lambda q, n: _same(q, n)[:, :2].mean(axis=1), "it should give"),
            (lambda q, n: _same(q, n).mean(axis=1).round(), "rounded to whole numbers"),
            (lambda q, n: (n == q).mean(axis=1), "do not fit together"),
            (lambda q, n: _same(q, n).sum(axis=1) / 4, "not for B = 3"),
        ),
    ),
    Exercise(
        "memory_bytes",
        right=(
            lambda N, dim, M, K: (4 * N * dim, N * M * np.log2(K) / 8),
            lambda N, dim, M, K: (N * dim * 32 // 8, N * (M * (K - 1).bit_length()) // 8),
        ),
        wrong=(
            (lambda N, dim, M, K: (N * M * np.log2(K) / 8, 4 * N * dim), "swapped"),
            (lambda N, dim, M, K: (N * dim, 0), "you counted the numbers"),
            (lambda N, dim, M, K: (32 * N * dim, 0), "vectors: those are bits"),
            (lambda N, dim, M, K: (8 * N * dim, 0), "float64"),
            (lambda N, dim, M, K: (4 * dim, 0), "that is one vector"),
            (lambda N, dim, M, K: (7, 7), "float32 vectors: expected"),
            (_codes(lambda N, dim, M, K: N * M * np.log2(K)), "codes: those are bits"),
            (_codes(lambda N, dim, M, K: N * M * K / 8), "log2 K bits, not K"),
            (_codes(lambda N, dim, M, K: N * M * np.sqrt(K) / 8), "square root"),
            (_codes(lambda N, dim, M, K: N * M * np.log(K) / 8), "np.log is another"),
            (_codes(lambda N, dim, M, K: N * M * np.log10(K) / 8), "np.log10 is another"),
            (_codes(lambda N, dim, M, K: N * M), "for 256 codewords only"),
            (_codes(lambda N, dim, M, K: 4 * N * M), "not a float"),
            (_codes(lambda N, dim, M, K: M * np.log2(K) / 8), "that is one code"),
            (_codes(lambda N, dim, M, K: N * dim * np.log2(K) / 8), "whatever its dim"),
            (
                _codes(lambda N, dim, M, K: N * M * np.log2(K) / 8 + 4 * K * dim),
                "leave the codebooks out",
            ),
            (_codes(lambda N, dim, M, K: 7), "codes: expected"),
            (lambda N, dim, M, K: 4 * N * dim, "expected two numbers"),
        ),
    ),
    Exercise(
        "relative_distortion",
        right=(
            lambda z, q: ((z - q) ** 2).sum() / ((z - z.mean(axis=0)) ** 2).sum(),
            lambda z, q: np.linalg.norm(z - q) ** 2 / (z.var(axis=0).sum() * len(z)),
        ),
        wrong=(
            (lambda z, q: ((z - q) ** 2).sum(1).mean(), "distortion itself"),
            (lambda z, q: ((z - q) ** 2).sum() / (z**2).sum(), "subtract the mean"),
            (lambda z, q: np.linalg.norm(z - q) / np.linalg.norm(z - z.mean(0)), "no square root"),
            (lambda z, q: ((z - z.mean(0)) ** 2).sum() / ((z - q) ** 2).sum(), "upside down"),
            (lambda z, q: _lengths(z - q) / _lengths(z - z.mean(0)), "lengths in place"),
            (lambda z, q: 1 - ((z - q) ** 2).sum() / _spread(z), "share that is kept"),
            (lambda z, q: ((z - q) ** 2).mean() / z.var(), "z.mean(axis=0)"),
            (
                lambda z, q: ((z - q) ** 2).sum() / ((z - z.mean(1, keepdims=True)) ** 2).sum(),
                "not over the numbers of each",
            ),
            (lambda z, q: _ratios(z, q), "a ratio for each vector"),
            (lambda z, q: _ratios(z, q).mean(), "a mean of ratios"),
            (lambda z, q: ((z - q) ** 2).sum() / _spread(q), "not that of q"),
            (
                lambda z, q: ((z - q) ** 2).mean() / (_spread(z) / len(z)),
                "one mean is over the num",
            ),
            (
                lambda z, q: ((z - q) ** 2).sum(1).mean() / z.var(0).mean(),
                "one mean is over the vec",
            ),
            (lambda z, q: 0.123, "a mean squared distance over another"),
        ),
    ),
]
