"""Answers to the exercises of chapters 01 and 02: right ones, and wrong ones with a word of their
diagnosis. The tests are in `test_checks.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from answers import Exercise


def _cut(rows: Any, others: Any) -> Any:
    return rows[:, None] - others


def _table(rows: Any, others: Any) -> Any:
    return (_cut(rows, others) ** 2).sum(axis=2)


def _table_by_products(queries: Any, database: Any) -> Any:
    cross = queries @ database.T
    return (queries**2).sum(1)[:, None] - 2 * cross + (database**2).sum(1)


def _nearest_by_partition(distances: Any, k: int) -> Any:
    some = np.argpartition(distances, k - 1, axis=1)[:, :k]
    order = np.take_along_axis(distances, some, axis=1).argsort(axis=1)
    return np.take_along_axis(some, order, axis=1)


def _unsorted(distances: Any, k: int) -> Any:
    return np.sort(distances.argsort(axis=1)[:, :k], axis=1)[:, ::-1]


def _hits(found: Any, true: Any) -> Any:
    return (found[:, :, None] == true[:, None]).any(axis=1)


def _recall_by_sets(found: Any, true: Any) -> float:
    pairs = zip(found.tolist(), true.tolist(), strict=True)
    return sum(len(set(f) & set(t)) for f, t in pairs) / true.size


def _jaccard(found: Any, true: Any) -> float:
    pairs = list(zip(found.tolist(), true.tolist(), strict=True))
    return sum(len({*f} & {*t}) / len({*f} | {*t}) for f, t in pairs) / len(pairs)


CHAPTER_01 = [
    Exercise(
        "all_distances",
        right=(
            _table,
            _table_by_products,
            lambda q, x: [[sum((a - b) ** 2) for b in x] for a in q],
            lambda q, x: torch.cdist(torch.from_numpy(q), torch.from_numpy(x)) ** 2,
        ),
        wrong=(
            (lambda q, x: np.sqrt(_table(q, x)), "root"),
            (lambda q, x: _table(x, q), "axes are swapped"),
            (lambda q, x: _cut(q, x) ** 2, "these are the squared differences"),
            (lambda q, x: (_cut(q, x) ** 2).sum(axis=0), "over the queries"),
            (lambda q, x: (_cut(q, x) ** 2).sum(axis=1), "over the database"),
            (lambda q, x: _table(q, x).sum(), "one number for everything"),
            (lambda q, x: _cut(q, x).sum(axis=2), "without squaring"),
            (lambda q, x: -_cut(q, x).sum(axis=2), "database minus query"),
            (lambda q, x: _cut(q, x).sum(axis=2) ** 2, "squared the sum"),
            (lambda q, x: abs(_cut(q, x)).sum(axis=2), "absolute"),
            (lambda q, x: (_cut(q, x) ** 2).mean(axis=2), "mean"),
            (lambda q, x: q @ x.T, "inner products"),
            (lambda q, x: _table(q, x)[0], "first query only"),
            (lambda q, x: _table(q, x) + 1, "row 0, column 0 should be"),
            (
                lambda q, x: _table(q[:3], x[:, :2]) if len(q) != 3 else _table(q, x),
                "not for B = 5",
            ),
        ),
    ),
    Exercise(
        "nearest_rows",
        right=(
            lambda d, k: d.argsort(axis=1)[:, :k],
            _nearest_by_partition,
            lambda d, k: [sorted(range(len(row)), key=row.__getitem__)[:k] for row in d],
            lambda d, k: torch.from_numpy(d).topk(k, largest=False).indices,
        ),
        wrong=(
            (lambda d, k: (-d).argsort(axis=1)[:, :k], "farthest ones: sort upwards"),
            (lambda d, k: d.argsort(axis=1)[:, -k:], "front of the order"),
            (lambda d, k: np.sort(d, axis=1)[:, :k], "argsort, not sort"),
            (lambda d, k: d.argsort(axis=1)[:, 1 : k + 1], "left out the nearest"),
            (lambda d, k: d.argsort(axis=1)[:, : k + 1], "one neighbour too many"),
            (lambda d, k: d.argsort(axis=1), "whole order"),
            (lambda d, k: d.argsort(axis=1)[:, :k] + 1, "from 1"),
            (lambda d, k: d.argsort(axis=0)[:, :k], "wrong axis"),
            (lambda d, k: d.argsort(axis=1)[:k], "first k queries"),
            (lambda d, k: d.argsort(axis=1)[:, :k].T, "axes are swapped"),
            (lambda d, k: d.argsort(axis=1)[0, :k], "first query only"),
            (lambda d, k: d.argmin(axis=1), "nearest one only"),
            (_unsorted, "not nearest first"),
            (lambda d, k: d.argsort(axis=1)[:, :k].astype(float), "whole numbers"),
            (lambda d, k: d.argsort(axis=1)[:, :3], "not for B = 3"),
        ),
    ),
    Exercise(
        "vector_bytes",
        right=(
            lambda N, dim, bits: N * dim * bits / 8,
            lambda N, dim, bits: (N * dim * bits) // 8,
            lambda N, dim, bits: np.float64(N) * dim * (bits / 8),
        ),
        wrong=(
            (lambda N, dim, bits: N * dim * bits, "those are bits"),
            (lambda N, dim, bits: N * dim * bits * 8, "so divide"),
            (lambda N, dim, bits: dim * bits / 8, "one vector"),
            (lambda N, dim, bits: N * bits / 8, "one number of each"),
            (lambda N, dim, bits: N * dim, "a byte for each number"),
            (lambda N, dim, bits: N * dim * 4, "four bytes"),
            (lambda N, dim, bits: N * dim * 2**bits / 8, "how many values"),
            (lambda N, dim, bits: N * dim * bits / 8 / 1000, "thousands"),
            (lambda N, dim, bits: N * dim * bits / 8e6, "millions"),
            (lambda N, dim, bits: 17, "expected 320,000 bytes"),
            (lambda N, dim, bits: N * dim * 2, "not for N = 10"),
        ),
    ),
    Exercise(
        "recall_at_k",
        right=(
            lambda f, t: _hits(f, t).mean(),
            _recall_by_sets,
            lambda f, t: np.mean([np.isin(b, a) for a, b in zip(f, t, strict=True)]),
        ),
        wrong=(
            (lambda f, t: (f == t).mean(), "place by place"),
            (lambda f, t: _hits(f, t).mean(axis=1), "one value for each query"),
            (lambda f, t: _hits(f, t), "which were found"),
            (lambda f, t: _hits(f, t).mean(axis=0), "over the queries only"),
            (lambda f, t: _hits(f, t).sum(), "counted the hits"),
            (lambda f, t: _hits(f, t).sum() / len(f), "divide by k, too"),
            (lambda f, t: _hits(f, t).sum() / f.shape[1], "number of queries, too"),
            (lambda f, t: 1 - _hits(f, t).mean(), "missed"),
            (lambda f, t: _hits(f[:, 1:], t[:, 1:]).mean(), "left out the first column. Queries"),
            (
                lambda f, t: _hits(f[:, 1:], t[:, 1:]).sum() / f.size,
                "left out the first column, but still",
            ),
            (lambda f, t: np.isin(f, t).mean(), "with all rows"),
            (_jaccard, "union"),
            (lambda f, t: (f == t[:, :1]).any(axis=1).mean(), "only for the nearest"),
            (lambda f, t: _hits(f, t).any(axis=1).mean(), "at least one"),
            (lambda f, t: _hits(f, t).all(axis=1).mean(), "whether all"),
            (lambda f, t: 100 * _hits(f, t).mean(), "per cent"),
            (lambda f, t: 0.123, "expected 0."),
        ),
    ),
]


def _squared(x: Any, c: Any, a: Any) -> Any:
    return ((x - c[a]) ** 2).sum(axis=1)


def _move(x: Any, c: Any, a: Any) -> Any:
    moved = c.copy()
    for k in set(a.tolist()):
        moved[k] = x[a == k].mean(axis=0)
    return moved


def _move_by_matrix(x: Any, c: Any, a: Any) -> Any:
    member = (a == np.arange(len(c))[:, None]).astype(float)
    counts = member.sum(axis=1, keepdims=True)
    return np.where(counts > 0, member @ x / np.maximum(counts, 1), c)


def _move_filled(x: Any, c: Any, a: Any, fill: Any) -> Any:
    moved = _move(x, c, a)
    moved[np.bincount(a, minlength=len(c)) == 0] = fill
    return moved


def _move_by(rule: Any) -> Any:
    def answer(x: Any, c: Any, a: Any) -> Any:
        moved = c.copy()
        for k in np.unique(a):
            moved[k] = rule(x[a == k], c[k])
        return moved

    return answer


def _dead(c: Any, a: Any) -> Any:
    return np.flatnonzero(np.bincount(a, minlength=len(c)) == 0)


def _put(c: Any, rows: Any, places: Any) -> Any:
    moved = c.copy()
    moved[rows] = places
    return moved


def _far(x: Any, c: Any, a: Any) -> Any:
    return np.argsort(-_squared(x, c, a))[: len(_dead(c, a))]


def _revive(x: Any, c: Any, a: Any) -> Any:
    return _put(c, _dead(c, a), x[_far(x, c, a)])


def _revive_by_loop(x: Any, c: Any, a: Any) -> Any:
    lost = [float(np.dot(p - c[k], p - c[k])) for p, k in zip(x, a, strict=True)]
    out = []
    for k, codeword in enumerate(c):
        if k in a:
            out.append(codeword)
        else:
            worst = lost.index(max(lost))
            out.append(x[worst])
            lost[worst] = -1.0
    return out


def _revive_together(x: Any, c: Any, a: Any) -> Any:
    return _put(c, _dead(c, a), x[_squared(x, c, a).argmax()])


def _measured_from_the_dead(x: Any, c: Any, a: Any) -> Any:
    dead = _dead(c, a)
    return _put(c, dead, x[np.argsort(-_table(x, c[dead]).sum(axis=1))[: len(dead)]])


CHAPTER_02 = [
    Exercise(
        "assign_cells",
        right=(
            lambda x, c: _table(x, c).argmin(axis=1),
            lambda x, c: [min(range(len(c)), key=lambda k: np.linalg.norm(p - c[k])) for p in x],
            lambda x, c: torch.cdist(torch.from_numpy(x), torch.from_numpy(c)).argmin(dim=1),
        ),
        wrong=(
            (lambda x, c: _table(x, c).argmax(axis=1), "farthest"),
            (lambda x, c: _table(x, c).min(axis=1), "not min"),
            (lambda x, c: _table(x, c).argmin(axis=0), "wrong axis"),
            (_table, "one step is left"),
            (lambda x, c: _table(x, c).argmin(axis=1) + 1, "from 1"),
            (lambda x, c: c[_table(x, c).argmin(axis=1)], "row numbers"),
            (lambda x, c: _cut(x, c).sum(axis=2).argmin(axis=1), "cancel"),
            (lambda x, c: (x @ c.T).argmax(axis=1), "inner product"),
            (lambda x, c: _table(x, c).argmin(), "give argmin axis=1"),
            (lambda x, c: _table(x, c).argmin(axis=1).astype(float), "whole numbers"),
            (lambda x, c: np.zeros(len(x), dtype=int), "point 0 belongs to codeword"),
        ),
    ),
    Exercise(
        "mean_distortion",
        right=(
            lambda x, c, a: _squared(x, c, a).mean(),
            lambda x, c, a: (
                sum(np.dot(p - c[k], p - c[k]) for p, k in zip(x, a, strict=True)) / len(x)
            ),
            lambda x, c, a: np.linalg.norm(x - c[a]) ** 2 / len(a),
        ),
        wrong=(
            (lambda x, c, a: _squared(x, c, a).sum(), "sum over all points"),
            (lambda x, c, a: ((x - c[a]) ** 2).mean(), "numbers of a vector, too"),
            (lambda x, c, a: np.sqrt(_squared(x, c, a).mean()), "root at the end"),
            (lambda x, c, a: np.sqrt(_squared(x, c, a)).mean(), "averaged distances"),
            (lambda x, c, a: abs(x - c[a]).sum(axis=1).mean(), "absolute"),
            (_squared, "one step is left"),
            (lambda x, c, a: ((x - c[a]) ** 2).mean(axis=0), "over the points only"),
            (lambda x, c, a: _table(x, c).min(axis=1).mean(), "`assignment` names"),
            (lambda x, c, a: _table(x, c).mean(), "all codewords"),
            (lambda x, c, a: _squared(x, c, a).sum() / len(c), "divided by K"),
            (
                lambda x, c, a: np.mean(
                    [_squared(x, c, a)[a == k].mean() for k in set(a.tolist())]
                ),
                "means of the cells",
            ),
            (lambda x, c, a: (x - c[a]).sum(axis=1).mean(), "cancel"),
            (lambda x, c, a: ((x - c[a]).sum(axis=1) ** 2).mean(), "squared the sum"),
            (lambda x, c, a: 7.0, "the first point adds"),
        ),
    ),
    Exercise(
        "move_codewords",
        right=(
            _move,
            _move_by_matrix,
            lambda x, c, a: [x[a == k].mean(0) if (a == k).any() else c[k] for k in range(len(c))],
        ),
        wrong=(
            (lambda x, c, a: np.stack([x[a == k].mean(0) for k in range(len(c))]), "become NaN"),
            (lambda x, c, a: _move_filled(x, c, a, 0.0), "went to zero; it should"),
            (lambda x, c, a: _move_filled(x, c, a, x.mean(axis=0)), "mean of all points; it"),
            (lambda x, c, a: np.stack([x[a == k].mean(0) for k in np.unique(a)]), "missing"),
            (_move_by(lambda mine, c: mine.sum(axis=0)), "divide by how many"),
            (
                lambda x, c, a: np.stack([x[a == k].sum(axis=0) for k in range(len(c))]),
                "take means",
            ),
            (
                lambda x, c, a: _put(
                    c, np.unique(a), [x[a == k].sum(axis=0) / len(x) for k in np.unique(a)]
                ),
                "number of all points",
            ),
            (lambda x, c, a: np.tile(x.mean(axis=0), (len(c), 1)), "its own cell"),
            (lambda x, c, a: c, "nothing has moved"),
            (lambda x, c, a: (c + _move(x, c, a)) / 2, "half of the way"),
            (_move_by(lambda mine, c: mine.mean()), "all numbers of a cell"),
            (_move_by(lambda mine, c: mine.mean(axis=1)), "wrong number"),
            (_move_by(lambda mine, c: np.median(mine, axis=0)), "median"),
            (_move_by(lambda mine, c: np.vstack([mine, c]).mean(axis=0)), "averaged in"),
            (lambda x, c, a: _move(x, c, a).T, "axes are swapped"),
            (lambda x, c, a: _move(x, c, a) + 1, "should be at"),
            (lambda x, c, a: _move(x, c, a) * np.nan, "cells with points"),
        ),
    ),
    Exercise(
        "revive_dead",
        right=(_revive, _revive_by_loop),
        wrong=(
            (lambda x, c, a: c, "are where they were"),
            (
                lambda x, c, a: _put(
                    c, _dead(c, a), x[np.argsort(_squared(x, c, a))[: len(_dead(c, a))]]
                ),
                "nearest to their codewords",
            ),
            (lambda x, c, a: _put(c, a[_far(x, c, a)], x[_far(x, c, a)]), "of the farthest point"),
            (
                lambda x, c, a: _put(c, np.bincount(a).argmax(), x[_far(x, c, a)[0]]),
                "with the most points",
            ),
            (_measured_from_the_dead, "measured from the dead"),
            (_revive_together, "went to one point"),
            (lambda x, c, a: _put(c, _dead(c, a), x[_far(x, c, a)][::-1]), "in the other order"),
            (lambda x, c, a: _put(c, _dead(c, a), x.mean(axis=0)), "mean of all points"),
            (lambda x, c, a: _put(c, _dead(c, a), c[a[_far(x, c, a)]]), "onto another codeword"),
            (lambda x, c, a: x[_far(x, c, a)], "only the revived"),
            (lambda x, c, a: _put(c, _dead(c, a), _far(x, c, a)[:, None]), "position of"),
            (lambda x, c, a: _dead(c, a), "row numbers"),
            (lambda x, c, a: c + 1, "only codewords without points"),
        ),
    ),
]
