"""Answers to the larger exercises, in which a chapter's pieces are put together."""

from __future__ import annotations

from typing import Any

import numpy as np
from answers import Exercise


def _cells(points: Any, codewords: Any) -> Any:
    return ((points[:, None] - codewords) ** 2).sum(axis=2).argmin(axis=1)


def _kmeans(
    points: Any, start: Any, n_rounds: int, middle: Any = np.mean, empty: Any = None
) -> Any:
    codewords = start.copy()
    for _ in range(n_rounds):
        cells = _cells(points, codewords)
        for k in range(len(codewords)):
            if (cells == k).any():
                codewords[k] = middle(points[cells == k], axis=0)
            elif empty is not None:
                codewords[k] = empty
    return codewords


def _kmeans_by_counting(points: Any, start: Any, n_rounds: int) -> Any:
    codewords = start
    for _ in range(n_rounds):
        table = ((points[:, None] - codewords) ** 2).sum(axis=-1)
        belongs = table.argmin(axis=1)[:, None] == np.arange(len(start))
        counts = belongs.sum(axis=0)[:, None]
        codewords = np.where(counts > 0, belongs.T @ points / np.maximum(counts, 1), codewords)
    return codewords


def _kmeans_in_lists(points: Any, start: Any, n_rounds: int) -> Any:
    codewords = [list(one) for one in start]
    for _ in range(n_rounds):
        groups: list[list[Any]] = [[] for _ in codewords]
        for point in points:
            far = [sum((a - b) ** 2 for a, b in zip(point, c, strict=True)) for c in codewords]
            groups[far.index(min(far))].append(point)
        codewords = [
            [sum(column) / len(group) for column in zip(*group, strict=True)] if group else old
            for group, old in zip(groups, codewords, strict=True)
        ]
    return codewords


def _return_inside(points: Any, start: Any, n_rounds: int) -> Any:
    codewords = start.copy()
    for _ in range(n_rounds):
        return _kmeans(points, codewords, 1)
    return codewords


def _cells_once(points: Any, start: Any, n_rounds: int) -> Any:
    cells, codewords = _cells(points, start), start.copy()
    for _ in range(n_rounds):
        for k in np.unique(cells):
            codewords[k] = points[cells == k].mean(axis=0)
    return codewords


def _one_by_one(points: Any, start: Any, n_rounds: int) -> Any:
    codewords = start.copy()
    for _ in range(n_rounds):
        for k in range(len(codewords)):
            mine = points[_cells(points, codewords) == k]
            if len(mine):
                codewords[k] = mine.mean(axis=0)
    return codewords


def _no_guard(points: Any, start: Any, n_rounds: int) -> Any:
    codewords = start.copy()
    with np.errstate(all="ignore"):
        for _ in range(n_rounds):
            cells = _cells(points, codewords)
            sums = np.stack([points[cells == k].sum(axis=0) for k in range(len(codewords))])
            codewords = sums / np.bincount(cells, minlength=len(codewords))[:, None]
    return codewords


def _farthest(points: Any, start: Any, n_rounds: int) -> Any:
    codewords = start.copy()
    for _ in range(n_rounds):
        cells = ((points[:, None] - codewords) ** 2).sum(axis=2).argmax(axis=1)
        for k in np.unique(cells):
            codewords[k] = points[cells == k].mean(axis=0)
    return codewords


def _absolute(points: Any, start: Any, n_rounds: int) -> Any:
    codewords = start.copy()
    for _ in range(n_rounds):
        cells = np.abs(points[:, None] - codewords).sum(axis=2).argmin(axis=1)
        for k in np.unique(cells):
            codewords[k] = points[cells == k].mean(axis=0)
    return codewords


def _in_place(points: Any, start: Any, n_rounds: int) -> Any:
    start[:] = _kmeans(points, start, n_rounds)
    return start


def _tables(queries: Any, codebooks: Any) -> Any:
    M, _, d = codebooks.shape
    return ((codebooks - queries.reshape(len(queries), M, 1, d)) ** 2).sum(axis=3)


def _distances(queries: Any, codebooks: Any, codes: Any) -> Any:
    return _tables(queries, codebooks)[:, np.arange(len(codebooks)), codes].sum(axis=2)


def _order(queries: Any, codebooks: Any, codes: Any) -> Any:
    return _distances(queries, codebooks, codes).argsort(axis=1)


def _search_by_decoding(queries: Any, codebooks: Any, codes: Any, k: int) -> Any:
    decoded = codebooks[np.arange(len(codebooks)), codes].reshape(len(codes), -1)
    return np.array([((decoded - q) ** 2).sum(axis=1).argsort()[:k] for q in queries])


def _search_by_partition(queries: Any, codebooks: Any, codes: Any, k: int) -> Any:
    found = []
    for distances in _distances(queries, codebooks, codes):
        some = np.argpartition(distances, k - 1)[:k]
        found.append(some[distances[some].argsort()])
    return np.stack(found)


def _search_in_lists(queries: Any, codebooks: Any, codes: Any, k: int) -> Any:
    rows = range(len(codes))
    table = _distances(queries, codebooks, codes).tolist()
    return [sorted(rows, key=lambda i, far=far: far[i])[:k] for far in table]  # type: ignore[misc]


def _one_query(queries: Any, codebooks: Any, codes: Any, k: int) -> Any:
    return _order(queries, codebooks, codes)[:1, :k]


def _strided(queries: Any, codebooks: Any, codes: Any, k: int) -> Any:
    M, _, d = codebooks.shape
    mixed = queries.reshape(len(queries), d, M).transpose(0, 2, 1).reshape(len(queries), -1)
    return _order(mixed, codebooks, codes)[:, :k]


def _first_book(queries: Any, codebooks: Any, codes: Any, k: int) -> Any:
    return _order(queries, np.repeat(codebooks[:1], len(codebooks), axis=0), codes)[:, :k]


def _rooted(queries: Any, codebooks: Any, codes: Any, k: int) -> Any:
    entries = np.sqrt(_tables(queries, codebooks))[:, np.arange(len(codebooks)), codes]
    return entries.sum(axis=2).argsort(axis=1)[:, :k]


def _products(queries: Any, codebooks: Any, codes: Any, k: int) -> Any:
    M, _, d = codebooks.shape
    table = (codebooks * queries.reshape(len(queries), M, 1, d)).sum(axis=3)
    return table[:, np.arange(M), codes].sum(axis=2).argsort(axis=1)[:, :k]


def _unsquared(queries: Any, codebooks: Any, codes: Any, k: int) -> Any:
    M, _, d = codebooks.shape
    table = (codebooks - queries.reshape(len(queries), M, 1, d)).sum(axis=3)
    return table[:, np.arange(M), codes].sum(axis=2).argsort(axis=1)[:, :k]


BUILDS = [
    Exercise(
        "run_kmeans",
        right=(_kmeans_by_counting, _kmeans_in_lists),
        wrong=(
            (_return_inside, "where one round leads"),
            (_cells_once, "where one round leads"),
            (lambda p, s, n: s, "where they started"),
            (lambda p, s, n: _kmeans(p, s, max(n - 1, 0)), "one round too few"),
            (lambda p, s, n: _kmeans(p, s, n + 1), "one round too many"),
            (lambda p, s, n: _cells(p, _kmeans(p, s, n)), "return the codewords"),
            (lambda p, s, n: _cells(p, s), "return the codewords"),
            (lambda p, s, n: _kmeans(p, s, n, np.median), "median"),
            (lambda p, s, n: _kmeans(p, s, n, np.sum), "did not divide"),
            (_absolute, "absolute differences"),
            (_one_by_one, "after each single move"),
            (_farthest, "farthest"),
            (_no_guard, "NaN"),
            (lambda p, s, n: _kmeans(p, s, n, empty=0.0), "went to 0"),
            (_in_place, "changes its arguments"),
            (lambda p, s, n: _kmeans(p, s, n).T, "axes are swapped"),
            (lambda p, s, n: _kmeans(p, s, 5), "expected"),
            (lambda p, s, n: (_kmeans(p, s, n), _cells(p, s)), "number 0 of them"),
        ),
    ),
    Exercise(
        "search_codes",
        right=(_search_by_decoding, _search_by_partition, _search_in_lists),
        wrong=(
            (
                lambda q, b, c, k: np.sort(_distances(q, b, c), axis=1)[:, :k],
                "return where they stand",
            ),
            (lambda q, b, c, k: _distances(q, b, c), "one step is left"),
            (lambda q, b, c, k: _order(q, b, c)[:, ::-1][:, :k], "farthest"),
            (lambda q, b, c, k: np.sort(_order(q, b, c)[:, :k], axis=1), "sorted by row"),
            (lambda q, b, c, k: _order(q, b, c)[:, :k][:, ::-1], "nearest comes last"),
            (lambda q, b, c, k: _order(q, b, c)[:, :1], "nearest image only"),
            (lambda q, b, c, k: _distances(q, b, c).argmin(axis=1), "nearest image only"),
            (lambda q, b, c, k: _order(q, b, c)[:, : k - 1], "one image too few"),
            (lambda q, b, c, k: _order(q, b, c)[:, 1 : k + 1], "left out the nearest"),
            (lambda q, b, c, k: _order(q, b, c), "cut after k"),
            (_one_query, "first query only"),
            (_rooted, "roots do not"),
            (_unsquared, "without squaring"),
            (_products, "inner products"),
            (_strided, "every M-th number"),
            (_first_book, "has its own"),
            (lambda q, b, c, k: _distances(q, b, c).argsort(axis=0)[:, :k], "ran over the queries"),
            (lambda q, b, c, k: _order(q, b, c)[:, :k] + 1.0, "expected image"),
        ),
    ),
]
