"""Answers to the exercises of chapter 07: right ones, and wrong ones with a word of their
diagnosis. The tests are in `test_checks.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from answers import Exercise


def _nearest(z: Any, c: Any) -> Any:
    return ((z[:, None] - c) ** 2).sum(axis=2).argmin(axis=1)


def _means(z: Any, c: Any, code: Any) -> Any:
    moved = c.copy()
    for k in set(code.tolist()):
        moved[k] = z[code == k].mean(axis=0)
    return moved


def _round(z: Any, g: Any, c: Any, rate: float) -> Any:
    moved = z - rate * g
    return moved, _means(moved, c, _nearest(moved, c))


def _round_by_loops(z: Any, g: Any, c: Any, rate: float) -> Any:
    moved = [p - rate * one for p, one in zip(z, g, strict=True)]
    cells: list[list[Any]] = [[] for _ in c]
    for p in moved:
        cells[min(range(len(c)), key=lambda k: np.linalg.norm(p - c[k]))].append(p)
    return moved, [np.mean(cell, axis=0) if cell else c[k] for k, cell in enumerate(cells)]


def _filled(z: Any, g: Any, c: Any, rate: float, fill: Any) -> Any:
    moved, new = _round(z, g, c, rate)
    new[np.bincount(_nearest(moved, c), minlength=len(c)) == 0] = fill
    return moved, new


def _alive(z: Any, g: Any, c: Any, rate: float) -> Any:
    moved, new = _round(z, g, c, rate)
    return moved, new[np.unique(_nearest(moved, c))]


def _rewritten(z: Any, g: Any, c: Any, rate: float, how: str) -> Any:
    moved, new = _round(z, g, c, rate)
    code = _nearest(moved, c)
    for k in set(code.tolist()):
        cell = moved[code == k]
        new[k] = {"flat": cell.mean(), "sum": cell.sum(axis=0)}.get(
            how, c[k] + rate * (cell.mean(axis=0) - c[k])
        )
    return moved, new


def _dot(used: Any, g: Any) -> Any:
    return (used * g).sum(axis=1)


def _norm(a: Any) -> Any:
    return np.linalg.norm(a, axis=1)


def _cosines(used: Any, g: Any) -> Any:
    return _dot(used, g) / _norm(used) / _norm(g)


def _share(used: Any, g: Any) -> Any:
    return (_dot(used, g) < 0).mean()


def _bias_by_loops(used: Any, g: Any) -> Any:
    cosines = [a @ b / np.sqrt((a @ a) * (b @ b)) for a, b in zip(used, g, strict=True)]
    return sum(cosines) / len(cosines), sum(one < 0 for one in cosines) / len(cosines)


def _with_share(cosine: Any) -> Any:
    return lambda used, g: (cosine(used, g), _share(used, g))


def _with_cosine(share: Any) -> Any:
    return lambda used, g: (_cosines(used, g).mean(), share(used, g))


def _dominated(q: Any, d: Any) -> Any:
    no_worse = (q >= q[:, None]) & (d <= d[:, None])
    return (no_worse & ((q > q[:, None]) | (d < d[:, None]))).any(axis=1)


def _dominated_by_loops(q: Any, d: Any) -> list[bool]:
    pairs = list(zip(q.tolist(), (-d).tolist(), strict=True))
    return [any(b != a and b[0] >= a[0] and b[1] >= a[1] for b in pairs) for a in pairs]


def _weakly(q: Any, d: Any) -> Any:
    return (q >= q[:, None]) & (d <= d[:, None])


CHAPTER_07 = [
    Exercise(
        "one_round",
        right=(_round, _round_by_loops),
        wrong=(
            (lambda z, g, c, r: _round(z, -g, c, r), "points climbed"),
            (lambda z, g, c, r: _round(z, 0 * g, c, r), "network missed its turn"),
            (lambda z, g, c, r: _round(z, g, c, 1.0), "multiply it by rate"),
            (lambda z, g, c, r: _round(z, g, c, r)[::-1], "swapped"),
            (lambda z, g, c, r: (c[_nearest(z, c)], c), "jumped onto their codewords"),
            (lambda z, g, c, r: (z + 1, c), "the first point should move to"),
            (lambda z, g, c, r: (z - r * g, c), "codebooks missed their turn"),
            (
                lambda z, g, c, r: (z - r * g, _means(z, c, _nearest(z, c))),
                "before the network's turn",
            ),
            (
                lambda z, g, c, r: (z - r * g, _means(z - r * g, c, _nearest(z, c))),
                "right for the old cells",
            ),
            (
                lambda z, g, c, r: (z - r * g, _means(z, c, _nearest(z - r * g, c))),
                "means of the old points",
            ),
            (lambda z, g, c, r: _filled(z, g, c, r, 0.0), "went to zero"),
            (lambda z, g, c, r: _filled(z, g, c, r, np.nan), "become NaN"),
            (
                lambda z, g, c, r: _filled(z, g, c, r, (z - r * g).mean(axis=0)),
                "went to the mean of all; it",
            ),
            (_alive, "without points is missing"),
            (
                lambda z, g, c, r: (z - r * g, np.tile((z - r * g).mean(axis=0), (len(c), 1))),
                "take those of its own cell",
            ),
            (lambda z, g, c, r: (z - r * g, c + 1), "codeword 0 should be at"),
            (lambda z, g, c, r: _rewritten(z, g, c, r, "flat"), "a mean of its own"),
            (lambda z, g, c, r: _rewritten(z, g, c, r, "sum"), "sums of the cells"),
            (lambda z, g, c, r: _rewritten(z, g, c, r, "part"), "a part of the way"),
            (lambda z, g, c, r: z - r * g, "two results"),
            (lambda z, g, c, r: (z - r * g, None), "results is None"),
            (lambda z, g, c, r: (z - 0.7 * g, _round(z, g, c, 0.7)[1]), "written into your code"),
        ),
    ),
    Exercise(
        "bias_of",
        right=(
            lambda used, g: (_cosines(used, g).mean(), _share(used, g)),
            _bias_by_loops,
            lambda used, g: np.array([_cosines(used, g).mean(), (_cosines(used, g) < 0).mean()]),
        ),
        wrong=(
            (_with_share(lambda u, g: _dot(u, g).mean()), "mean product"),
            (_with_share(lambda u, g: (_dot(u, g) / _norm(u)).mean()), "one length only"),
            (_with_share(lambda u, g: (_dot(u, g) / _norm(g)).mean()), "a cosine needs both"),
            (
                _with_share(lambda u, g: (_dot(u, g) / _norm(u) ** 2 / _norm(g) ** 2).mean()),
                "lengths are squared",
            ),
            (
                _with_share(lambda u, g: (u * g).sum() / np.linalg.norm(u) / np.linalg.norm(g)),
                "long gradients drown",
            ),
            (
                _with_share(lambda u, g: _dot(u, g).mean() / _norm(u).mean() / _norm(g).mean()),
                "a ratio of means: take a cosine for each row first, then",
            ),
            (
                _with_share(lambda u, g: _dot(u, g).mean() / (_norm(u) * _norm(g)).mean()),
                "a ratio of means",
            ),
            (_with_share(lambda u, g: _cosines(-u, g).mean()), "the sign is turned"),
            (_with_share(_cosines), "one cosine for each row"),
            (_with_share(lambda u, g: _cosines(u.T, g.T).mean()), "axes are swapped"),
            (
                _with_share(lambda u, g: _cosines(u.mean(0)[None], g.mean(0)[None])[0]),
                "the two mean vectors",
            ),
            (_with_cosine(lambda u, g: (u * g < 0).mean()), "number by number"),
            (lambda u, g: (_share(u, g), _cosines(u, g).mean()), "results are swapped"),
            (_with_share(lambda u, g: 0.5), "expected a mean cosine of"),
            (_with_cosine(lambda u, g: (_dot(u, g) > 0).mean()), "downhill"),
            (_with_cosine(lambda u, g: (_dot(u, g) < 0).sum()), "you counted them"),
            (_with_cosine(lambda u, g: _dot(u, g) < 0), "take the mean"),
            (_with_cosine(lambda u, g: 100 * _share(u, g)), "per cent"),
            (_with_cosine(lambda u, g: 0.123), "expected a share of"),
            (lambda u, g: _share(u, g), "two results"),
        ),
    ),
    Exercise(
        "share_changed",
        right=(
            lambda a, b: (a != b).any(axis=1).mean(),
            lambda a, b: 1 - (a == b).all(axis=1).mean(),
            lambda a, b: sum(tuple(x) != tuple(y) for x, y in zip(a, b, strict=True)) / len(a),
        ),
        wrong=(
            (lambda a, b: (a != b).mean(), "share of numbers that changed"),
            (lambda a, b: (a != b).all(axis=1).mean(), "one is enough"),
            (lambda a, b: (a == b).all(axis=1).mean(), "share that stayed"),
            (lambda a, b: (a == b).mean(), "numbers that stayed"),
            (lambda a, b: (a != b).any(axis=1).sum(), "you counted the vectors"),
            (lambda a, b: (a != b).sum(), "you counted the numbers"),
            (lambda a, b: (a != b)[:, 0].mean(), "first number only"),
            (lambda a, b: (a != b).any(axis=1), "one answer for each vector"),
            (lambda a, b: a != b, "one answer for each number"),
            (lambda a, b: (a != b).any(axis=0).mean(), "axes are swapped"),
            (lambda a, b: abs(a - b).mean(), "how far apart"),
            (lambda a, b: 0.123, "share of rows in which any number differs"),
            (lambda a, b: (a != b).any(axis=1).sum() / a.size, "number of numbers in the table"),
            (lambda a, b: (a != b).mean(axis=0), "a share for each number"),
            (lambda a, b: float((a != b).any()), "any code at all"),
            (lambda a, b: (a.sum(axis=1) != b.sum(axis=1)).mean(), "changes can cancel"),
            (lambda a, b: ((a - b).mean(axis=1) != 0).mean(), "cancel in a sum"),
            (lambda a, b: 100 * (a != b).any(axis=1).mean(), "per cent"),
        ),
    ),
    Exercise(
        "dominated",
        right=(_dominated, _dominated_by_loops),
        wrong=(
            (lambda q, d: ~_dominated(q, d), "the front itself"),
            (lambda q, d: _weakly(q, d).any(axis=1), "all are marked"),
            (
                lambda q, d: ((q > q[:, None]) | (d < d[:, None])).any(axis=1),
                "beaten in one number",
            ),
            (lambda q, d: ((q > q[:, None]) & (d < d[:, None])).any(axis=1), "better in both"),
            (
                lambda q, d: (_weakly(q, d) & ~np.eye(len(q), dtype=bool)).any(axis=1),
                "twins dominate",
            ),
            (lambda q, d: _dominated(q, -d), "more of it for better"),
            (
                lambda q, d: (_weakly(q, d) & ((q > q[:, None]) | (d < d[:, None]))).any(axis=0),
                "the table is turned",
            ),
            (lambda q, d: _dominated(-q, d), "less of it for better"),
            (lambda q, d: q < q.max(), "highest mAP is left"),
            (lambda q, d: d > d.min(), "least distortion is left"),
            (lambda q, d: (q < q.max()) & (d > d.min()), "two ends of the front"),
            (lambda q, d: np.flatnonzero(_dominated(q, d)), "row numbers"),
            (lambda q, d: _dominated(q, d).sum(), "say which"),
            (lambda q, d: np.zeros(len(q), dtype=bool), "is dominated;"),
        ),
    ),
]
