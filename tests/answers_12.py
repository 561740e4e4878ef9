"""Answers to the exercises of chapter 12: right ones, and wrong ones with a word of their diagnosis.
The tests are in `test_checks.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from answers import Exercise


def _merged(d: Any, i: Any, k: int) -> Any:
    return i.ravel()[np.lexsort((i.ravel(), d.ravel()))][:k]


def _merged_by_pairs(d: Any, i: Any, k: int) -> Any:
    pairs = sorted(zip(d.ravel().tolist(), i.ravel().tolist(), strict=True))
    return [item for _, item in pairs[:k]]


def _probe(ranks: Any, wanted: float) -> int:
    nprobe = 1
    while (ranks < nprobe).mean() < wanted:
        nprobe += 1
    return nprobe


def _probe_by_counting(ranks: Any, wanted: float) -> int:
    found = np.cumsum(np.bincount(ranks)) / len(ranks)
    return int(np.argmax(found >= wanted)) + 1


def _probe_beyond(ranks: Any, wanted: float) -> int:
    return next((p for p in range(1, 99) if (ranks < p).mean() > wanted), int(ranks.max()) + 1)


def _bytes(n: int, dim: int, lists: int, M: int, K: int) -> int:
    bits = M * int(np.log2(K))
    return n * (-(-bits // 8) + 8) + lists * dim * 4 + K * dim * 4


def _parts(n: int, dim: int, lists: int, M: int, K: int) -> tuple[int, int, int, int]:
    return n * math.ceil(M * math.log2(K) / 8), 8 * n, 4 * lists * dim, 4 * K * dim


def _left(ids: Any, size: int, lost: Any) -> Any:
    gone = np.isin(ids // size, lost)
    return (~gone).mean(), (~gone).all(axis=1).mean()


def _left_by_loop(ids: Any, size: int, lost: Any) -> Any:
    kept = [[int(one) // size not in lost for one in row] for row in ids]
    return sum(map(sum, kept)) / ids.size, sum(all(row) for row in kept) / len(ids)


CHAPTER_12 = [
    Exercise(
        "merge_top",
        right=(_merged, _merged_by_pairs),
        wrong=(
            (
                lambda d, i, k: i.ravel()[np.argsort(d.ravel(), kind="stable")][:k],
                "which shard answered first",
            ),
            (lambda d, i, k: i.ravel()[np.lexsort((-i.ravel(), d.ravel()))][:k], "the larger id"),
            (lambda d, i, k: i.ravel()[np.lexsort((i.ravel(), -d.ravel()))][:k], "the farthest"),
            (lambda d, i, k: _merged(d, i, k)[::-1], "reversed order"),
            (lambda d, i, k: np.sort(i.ravel())[:k], "the smallest ids"),
            (lambda d, i, k: i.ravel()[np.lexsort((d.ravel(), i.ravel()))][:k], "the smallest ids"),
            (lambda d, i, k: np.sort(d.ravel())[:k], "those are distances"),
            (lambda d, i, k: np.lexsort((i.ravel(), d.ravel()))[:k], "places in the long list"),
            (lambda d, i, k: i[0][:k], "first shard's own list"),
            (lambda d, i, k: _merged(d, i, d.size), "the whole list"),
            (lambda d, i, k: _merged(d, i, k + 1), "one item too many"),
            (lambda d, i, k: _merged(d, i, k - 1), "one item too few"),
            (lambda d, i, k: set(_merged(d, i, k).tolist()), "a set has no order"),
            (lambda d, i, k: _merged(d, i, k) * 0, "should hold id"),
            (lambda d, i, k: i[:, 0], "the best of each shard"),
        ),
    ),
    Exercise(
        "choose_nprobe",
        right=(_probe, _probe_by_counting),
        wrong=(
            (lambda r, w: _probe(r, w) - 1, "ranks count from 0"),
            (lambda r, w: _probe(r, w) + 1, "one list more"),
            (lambda r, w: int(r.max()) + 1, "finds every neighbour"),
            (lambda r, w: r.mean() + 1, "the mean rank"),
            (lambda r, w: math.ceil(w * len(r) - 1e-9), "how many queries"),
            (lambda r, w: (r < _probe(r, w)).mean(), "that is the recall"),
            (lambda r, w: _probe(r, 1 - w), "queries that are missed"),
            (lambda r, w: 17, "expected"),
            (_probe_beyond, "equal to the wanted one is enough"),
            (lambda r, w: len(r), "you got 10, expected 5"),
            (lambda r, w: -_probe(r, w), "the sign is turned round"),
            (lambda r, w: [_probe(r, w)] * 2, "you returned 2 things"),
            (lambda r, w: r[r < _probe(r, w)], "expected one number"),
            (lambda r, w: 1, "with one list less"),
            (lambda r, w: "many", "got text"),
        ),
    ),
    Exercise(
        "index_bytes",
        right=(_bytes, lambda *a: sum(_parts(*a))),
        wrong=(
            (lambda *a: sum(_parts(*a)) - _parts(*a)[1], "the ids are missing"),
            (lambda *a: sum(_parts(*a)) - _parts(*a)[2], "centroids of the lists are missing"),
            (lambda *a: sum(_parts(*a)) - _parts(*a)[3], "the codebooks are missing"),
            (lambda *a: sum(_parts(*a)[:2]), "centroids and codebooks"),
            (
                lambda n, d, L, M, K: n * (M * int(np.log2(K)) + 8) + 4 * L * d + 4 * K * d,
                "bits of a code as bytes",
            ),
            (
                lambda n, d, L, M, K: n * (M * np.log2(K) / 8 + 8) + 4 * L * d + 4 * K * d,
                "whole bytes: round up",
            ),
            (
                lambda n, d, L, M, K: _bytes(n, d, L, M, K) + 4 * (M - 1) * K * d,
                "subvectors of length dim / M",
            ),
            (lambda *a: sum(_parts(*a)[:2]) + sum(_parts(*a)[2:]) / 4, "counted in numbers"),
            (lambda *a: sum(_parts(*a)[:2]) + sum(_parts(*a)[2:]) * 2, "bytes of float64"),
            (lambda *a: 8 * _bytes(*a), "that is bits"),
            (lambda *a: _bytes(*a) / a[0], "for one vector"),
            (lambda *a: 5, "term by term"),
            (lambda *a: _bytes(*a) + 1, "counted exactly"),
            (lambda *a: _bytes(*a) - 8 * a[0] + 8, "id is counted once"),
            (
                lambda n, d, L, M, K: n * (M * int(np.log2(K)) // 8 + 8) + 4 * L * d + 4 * K * d,
                "round up, not down",
            ),
        ),
    ),
    Exercise(
        "what_is_left",
        right=(_left, _left_by_loop),
        wrong=(
            (lambda i, s, x: _left(i, s, x)[::-1], "swapped"),
            (lambda i, s, x: tuple(1 - one for one in _left(i, s, x)), "shares that are lost"),
            (
                lambda i, s, x: (1 - _left(i, s, x)[0], _left(i, s, x)[1]),
                "first number is what is lost",
            ),
            (
                lambda i, s, x: (
                    _left(i, s, x)[0],
                    (~np.isin(i // s, x)).any(axis=1).mean(),
                ),
                "(all, not any)",
            ),
            (
                lambda i, s, x: (_left(i, s, x)[0], (~np.isin(i // s, x)).all(axis=0).mean()),
                "down the columns",
            ),
            (lambda i, s, x: _left(i, 1, x), "first find the shard"),
            (lambda i, s, x: _left(i, s, x[:1]), "not for two of 6 shards: only the first lost"),
            (
                lambda i, s, x: (_left(i, s, x)[0] * i.size, _left(i, s, x)[1] * len(i)),
                "those are counts",
            ),
            (lambda i, s, x: _left(i, s, x)[0], "the recall alone"),
            (lambda i, s, x: _left(i, s, x)[1], "whole lists alone"),
            (lambda i, s, x: (0.123, 0.456), "neighbours are left"),
            (lambda i, s, x: (_left(i, s, x)[0], 1 - _left(i, s, x)[1]), "that lost something"),
            (lambda i, s, x: (_left(i, s, x)[0], _left(i, s, x)[1] * len(i)), "number is a count"),
            (lambda i, s, x: (~np.isin(i // s, x)).all(axis=1), "expected shape (2,)"),
            (lambda i, s, x: _left(i % (i.max() // s + 1), 1, x), "divide by size"),
        ),
    ),
]
