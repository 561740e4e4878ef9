"""What a new student wrote into the blanks of chapters 00 to 05: more wrong answers, by exercise.

Each comes with a word of its diagnosis. `answers_all.py` appends them to the other wrong answers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from answers import Answer


def _table(rows: Any, others: Any) -> Any:
    return ((rows[:, None] - others) ** 2).sum(axis=2)


def _nothing(*arguments: Any) -> None:
    total = 0
    for one in arguments:
        total += np.size(one)


def _all_but_the_last(queries: Any, database: Any) -> Any:
    table = _table(queries, database)
    table[-1, -1] = 0
    return table


def _as_whole(function: Any) -> Answer:
    return lambda *arguments: np.asarray(function(*arguments)).astype(int)


def _hits(found: Any, true: Any) -> Any:
    return (found[:, :, None] == true[:, None]).any(axis=1)


def _far(points: Any, codewords: Any, assignment: Any) -> Any:
    return np.argsort(-((points - codewords[assignment]) ** 2).sum(axis=1))


def _dead(codewords: Any, assignment: Any) -> Any:
    return np.flatnonzero(np.bincount(assignment, minlength=len(codewords)) == 0)


def _moved(points: Any, codewords: Any, assignment: Any, cells: Any) -> Any:
    new = codewords.copy()
    for k in cells:
        if (assignment == k).any():
            new[k] = points[assignment == k].mean(axis=0)
    return new


def _revived(points: Any, codewords: Any, assignment: Any, *, start: Any = None, dead: Any) -> Any:
    new = np.array(codewords if start is None else start)
    new[dead] = points[_far(points, codewords, assignment)[: len(dead)]]
    return new


def _without_minlength(points: Any, codewords: Any, assignment: Any) -> Any:
    dead = np.flatnonzero(np.bincount(assignment) == 0)
    return _revived(points, codewords, assignment, dead=dead)


def _by_nearest(points: Any, codewords: Any, assignment: Any) -> Any:
    new, dead = codewords.copy(), _dead(codewords, assignment)
    new[dead] = points[np.argsort(-_table(points, codewords).min(axis=1))[: len(dead)]]
    return new


def _mean_of_cells(points: Any, codewords: Any, assignment: Any) -> Any:
    far = ((points - codewords[assignment]) ** 2).sum(axis=1)
    return np.mean([far[assignment == k].mean() for k in range(len(codewords))])


def _pieces(z: Any, books: Any) -> Any:
    return z.reshape(len(books), 1, -1)


def _search(z: Any, books: Any, start: Any) -> list[int]:
    d = books.shape[2]
    return [
        int(((book - z[start(m, d) : start(m, d) + d]) ** 2).sum(axis=1).argmin())
        for m, book in enumerate(books)
    ]


def _quantized_first(query: Any, books: Any) -> Any:
    table = ((books - _pieces(query, books)) ** 2).sum(axis=2)
    chosen = books[np.arange(len(books)), table.argmin(axis=1)]
    return ((books - chosen[:, None]) ** 2).sum(axis=2)


def _entries(table: Any, codes: Any) -> Any:
    return table[np.arange(len(table)), codes]


def _stages(z: Any, books: Any) -> list[int]:
    left, code = z, []
    for book in books:
        code.append(int(((book - left) ** 2).sum(axis=1).argmin()))
        left = left - book[code[-1]]
    return code


def _argmin_of_the_table(z: Any, books: Any) -> list[int]:
    left, code = z, []
    for book in books:
        code.append(int(((book - left) ** 2).argmin()))
        left = left - book[code[-1]]
    return code


def _pairs(z: Any, first: Any, second: Any, width: int) -> tuple[Any, Any]:
    kept = ((first - z) ** 2).sum(axis=1).argsort()[:width]
    return kept, ((z - first[kept][:, None] - second) ** 2).sum(axis=2)


def _largest(z: Any, first: Any, second: Any, width: int) -> tuple[int, int]:
    kept, errors = _pairs(z, first, second, width)
    row, column = np.unravel_index(errors.argmax(), errors.shape)
    return kept[row], int(column)


def _last_tried(z: Any, first: Any, second: Any, width: int) -> tuple[int, int]:
    kept, errors = _pairs(z, first, second, width)
    return kept[-1], int(errors[-1].argmin())


def _critical(g: Any, z: Any, q: Any) -> float:
    return float(g @ g / (2 * g @ (q - z))) if g @ (q - z) > 0 else np.inf


def _lengths(a: Any) -> Any:
    return np.linalg.norm(a, axis=1, keepdims=True)


def _bits(M: int, K: int) -> float:
    return float(M * np.log2(K))


ALSO_WRONG: dict[str, tuple[tuple[Answer, str], ...]] = {
    "squared_distance": (
        (_nothing, "returned nothing"),
        (lambda x, y: [((x - y) ** 2).sum()], "expected one number, got shape (1,)"),
        (lambda x, y: (x - y) ^ 2, "written **"),
    ),
    "all_distances": (
        (lambda q, x: ((q - x) ** 2).sum(axis=1), "x[:, None]"),
        (lambda q, x: _table(q, x) + q @ x.T, "products count twice"),
        (_all_but_the_last, "row 0, column 1 should be"),
        (_as_whole(_table), "fractions are cut off"),
    ),
    "nearest_rows": (
        (lambda d, k: np.argsort(d, axis=0)[:k], "down the queries"),
        (lambda d, k: np.argsort(d, axis=None)[:k], "over all queries together"),
        (lambda d, k: d.argsort(axis=1)[:, : k - 1], "one neighbour too few"),
        (lambda d, k: np.argpartition(d, k, axis=1)[:, :k], "not nearest first"),
    ),
    "vector_bytes": (
        (lambda N, dim, bits: N * dim * (bits // 8), "multiply first"),
        (lambda N, dim, bits: N * dim * bits / 8e9, "gigabytes"),
        (lambda N, dim, bits: N * dim * bits / 8192, "1024"),
    ),
    "recall_at_k": (
        (lambda f, t: _hits(f, t)[0].mean(), "first query only"),
        (lambda f, t: (f[:, :, None] == t[:, None]).mean(), "comparison of a pair"),
        (lambda f, t: (np.sort(f) == np.sort(t)).mean(), "sorted the rows"),
    ),
    "assign_cells": (
        (lambda p, c: _table(p, c).argmin(axis=1)[:1], "first point only"),
        (lambda p, c: ((p[:, None] - c) ** 2).argmin(axis=1), "before argmin"),
        (lambda p, c: _table(p, c) == _table(p, c).min(1, keepdims=True), "marks the nearest"),
        (lambda p, c: _table(p, c).argmin(axis=1)[:, None], "an axis of length 1 too many"),
    ),
    "mean_distortion": (
        (lambda p, c, a: ((p - c[a]) ** 2).sum(axis=0).mean(), "over the points, axis 0"),
        (_mean_of_cells, "a cell without points has no mean"),
    ),
    "move_codewords": (
        (lambda p, c, a: _moved(p, c, a, range(1)), "codeword 1 has not moved"),
        (lambda p, c, a: _moved(p, c, a, range(len(c) - 1)), "codeword 1 has not moved"),
        (
            lambda p, c, a: _moved(p, c, _table(p, c).argmin(axis=1), range(len(c))),
            "assigned the points anew",
        ),
    ),
    "revive_dead": (
        (_without_minlength, "minlength=len(codewords)"),
        (_by_nearest, "to the one that `assignment` names"),
        (lambda p, c, a: _revived(p, c, a, dead=_dead(c, a)[:1]), "only the first dead"),
        (lambda p, c, a: _revived(p, c, a, start=0 * c, dead=_dead(c, a)), "went to zero"),
        (
            lambda p, c, a: _revived(
                p, c, a, start=_moved(p, c, a, range(len(c))), dead=_dead(c, a)
            ),
            "the others have moved",
        ),
    ),
    "encode_one": (
        (lambda z, C: _search(z, C, lambda m, d: 0), "first subvector everywhere"),
        (lambda z, C: _search(z, C, lambda m, d: m), "the subvectors overlap"),
        (lambda z, C: ((C - _pieces(z, C)) ** 2).sum(axis=1).argmin(axis=1), "over the codewords"),
        (lambda z, C: ((C - _pieces(z, C)) ** 2).sum(axis=2).argmin(), "one number for all rows"),
    ),
    "code_size": ((lambda N, M, K: (_bits(M, K), N * round(_bits(M, K) / 8)), "nearest byte"),),
    "lookup_table": ((_quantized_first, "quantized the query first"),),
    "adc_distances": (
        (lambda t, c: _entries(t, c)[:, -1], "last subvector only"),
        (lambda t, c: _entries(t, c)[:, 0], "first subvector only"),
        (lambda t, c: np.sort(_entries(t, c).sum(axis=1)), "but sorted"),
        (lambda t, c: _entries(t, c).sum(axis=1) + np.eye(1, len(c), 3)[0], "distance of code 3"),
    ),
    "rotate_quantize": (
        (lambda X, R, quantize: (R.T @ quantize(R @ X.T)).T, "takes an array of rows"),
        (lambda X, R, quantize: [R.T @ quantize(R @ x) for x in X], "takes an array of rows"),
        (lambda X, R, quantize: quantize.encode(X @ R.T) @ R, "is a function here"),
    ),
    "residual_code": (
        (lambda z, C: _stages(z, C)[:1], "first stage only"),
        (lambda z, C: _stages(z, np.repeat(C[:1], len(C), axis=0)), "first codebook in every"),
        (_argmin_of_the_table, "outside the codebook"),
    ),
    "beam_code": (
        (_largest, "largest error of all pairs"),
        (_last_tried, "last pair"),
        (lambda z, a, b, w: _pairs(z, a, b, w)[0][0], "expected shape (2,), got one number"),
        (
            lambda z, a, b, w: [(i, e.argmin()) for i, e in zip(*_pairs(z, a, b, w), strict=True)],
            "pairs of all kept",
        ),
    ),
    "additive_distances": (
        (
            lambda x, C, codes, norms: (
                x @ x - 2 * _entries(C @ x, codes).sum(axis=1, keepdims=True) + norms
            ),
            "a table, each with each",
        ),
        (lambda x, C, codes, norms: _entries(x @ C, codes), "In a @ b the last axis"),
    ),
    "penalty_gradient": (
        (lambda z, q, s: 2 * s * (z - q) / _lengths(z - q), "unit vectors"),
        (lambda z, q, s: 2 * s * _lengths(z - q)[:, 0] / len(z), "those are lengths"),
        (lambda z, q, s: 2 * s * z / len(z), "q is missing"),
        (lambda z, q, s: s * (z - q) ** 2 / len(z), "take their derivative"),
    ),
    "goes_uphill": (
        (lambda g, p: g @ (g + p).T < 0, "each vector with each"),
        (lambda g, p: [1] if ((g + p) * g).sum(axis=1) < 0 else [0], "Leave the if out"),
    ),
    "uphill_place": ((dict, "is a class"),),
    "critical_strength": (
        (lambda g, z, q: _critical(g, z, q) if g @ (q - z) > 0 else None, "return nothing (None)"),
        (lambda g, z, q: g @ g / 2 * (g @ (q - z)), "in brackets"),
        (lambda g, z, q: g @ g / (2 * ((q - z) @ (q - z))), "not |u|^2"),
        (lambda g, z, q: g**2 / (2 * g * (q - z)), "not g * u"),
        (lambda g, z, q: _critical(g, z, q) if g @ (q - z) > 0 else "inf", "without quotes"),
    ),
}
