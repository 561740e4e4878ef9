"""Answers to the exercises of chapters 06 and 08: right ones, and wrong ones with a word of
their diagnosis. `test_checks.py` holds those of 00 and 03, and all the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Answer = Callable[..., Any]


@dataclass(frozen=True)
class Exercise:
    """Answers to one exercise: right ones, and wrong ones with a word that their diagnosis says."""

    name: str
    right: tuple[Answer, ...]
    wrong: tuple[tuple[Answer, str], ...]


def _cosines(g: Any, z: Any, c: Any) -> Any:
    return (c - z) @ -g / np.linalg.norm(c - z, axis=1) / np.linalg.norm(g)


def _choose(g: Any, z: Any, c: Any) -> int | None:
    cosines = _cosines(g, z, c)
    return int(cosines.argmax()) if cosines.max() > 0 else None


def _choose_by_loop(g: Any, z: Any, candidates: Any) -> int | None:
    best, found = 0.0, None
    for j, c in enumerate(candidates):
        value = float(np.dot(-g, c - z)) / float(np.sqrt(((c - z) ** 2).sum()))
        if value > best:
            best, found = value, j
    return found


def _unit(z: Any, c: Any) -> Any:
    return (c - z) / np.linalg.norm(c - z)


CHAPTER_06 = [
    Exercise(
        "descends",
        right=(
            lambda g, z, c: (c - z) @ -g > 0,
            lambda g, z, c: np.array([float(np.dot(g, one - z)) < 0 for one in c]),
        ),
        wrong=(
            (lambda g, z, c: (c - z) @ g > 0, "sign is turned round"),
            (lambda g, z, c: c @ -g > 0, "direction of the step"),
            (lambda g, z, c: _nearest_only(z, c), "nearness does not matter"),
            (lambda g, z, c: (c - z) @ -g, "compare the product with 0"),
            (lambda g, z, c: (c - z) > 0, "expected shape"),
        ),
    ),
    Exercise(
        "choose",
        right=(_choose, _choose_by_loop),
        wrong=(
            (lambda g, z, c: int(_cosines(g, z, c).argmin()), "straight uphill"),
            (lambda g, z, c: int(np.linalg.norm(c - z, axis=1).argmin()), "nearest codeword"),
            (lambda g, z, c: int(((c - z) @ -g).argmax()), "divide by the length"),
            (lambda g, z, c: int(_cosines(g, z, c).argmax()), "return None"),
            (lambda g, z, c: c[_cosines(g, z, c).argmax()], "one index"),
            (lambda g, z, c: 17, "expected an index from 0"),
        ),
    ),
    Exercise(
        "replace_gradient",
        right=(
            lambda g, z, c: (g @ _unit(z, c)) * _unit(z, c),
            lambda g, z, c: (c - z) * np.dot(g, c - z) / np.dot(c - z, c - z),
        ),
        wrong=(
            (lambda g, z, c: -(g @ _unit(z, c)) * _unit(z, c), "the other way"),
            (lambda g, z, c: (g @ (c - z)) * (c - z), "unit vector first"),
            (lambda g, z, c: (g @ (c - z)) * _unit(z, c), "one of the two factors"),
            (lambda g, z, c: z - c, "pull's gradient"),
            (lambda g, z, c: -np.linalg.norm(g) * _unit(z, c), "full"),
            (lambda g, z, c: g @ _unit(z, c), "expected shape"),
        ),
    ),
    Exercise(
        "pull_gradient",
        right=(
            lambda g, z, c, strength, batch: g + 2 * strength * (z - c) / batch,
            lambda g, z, c, strength, batch: g - (c - z) * (2 * strength / batch),
        ),
        wrong=(
            (lambda g, z, c, strength, batch: g - 2 * strength * (z - c) / batch, "sign"),
            (lambda g, z, c, strength, batch: 2 * strength * (z - c) / batch, "g is lost"),
            (lambda g, z, c, strength, batch: g + strength * (z - c) / batch, "factor 2"),
            (lambda g, z, c, strength, batch: g + 2 * strength * (z - c), "divide the pull"),
            (lambda g, z, c, strength, batch: g, "expected ["),
        ),
    ),
]


def _nearest_only(z: Any, c: Any) -> Any:
    squared = ((c - z) ** 2).sum(axis=1)
    return squared == squared.min()


def _same(query: Any, neighbours: Any) -> Any:
    return neighbours == query[:, None]


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
            (lambda N, dim, M, K: (N * dim, N * M * np.log2(K) / 8), "float32 vectors"),
            (lambda N, dim, M, K: (4 * N * dim, N * M * np.log2(K)), "those are bits"),
            (lambda N, dim, M, K: (4 * N * dim, N * M * K / 8), "log2 K bits"),
            (lambda N, dim, M, K: (4 * N * dim, N * M * np.sqrt(K) / 8), "square root"),
            (lambda N, dim, M, K: 4 * N * dim, "expected shape"),
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
        ),
    ),
]
