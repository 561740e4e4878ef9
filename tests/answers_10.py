"""Answers to the exercises of chapter 10: right ones, and wrong ones with a word of their
diagnosis. The tests are in `test_checks.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from answers import Exercise


def _gained(relevant: Any) -> Any:
    return relevant * np.cumsum(relevant) / np.arange(1, len(relevant) + 1)


def _ap_at(relevant: Any, n_relevant: int, R: int) -> Any:
    return _gained(relevant)[:R].sum() / max(1, min(R, n_relevant))


def _ap_at_by_loop(relevant: Any, n_relevant: int, R: int) -> float:
    if n_relevant == 0:
        return 0.0
    total, found = 0.0, 0
    for rank in range(1, R + 1):
        if relevant[rank - 1]:
            found += 1
            total += found / rank
    return total / (n_relevant if n_relevant < R else R)


def _divided(divisor: Any) -> Any:
    return lambda relevant, n, R: _gained(relevant)[:R].sum() / max(1, divisor(relevant, n, R))


def _edge(distances: Any, k: int) -> Any:
    edge = np.sort(distances)[k - 1]
    return distances < edge, distances == edge


def _expected(distances: Any, relevant: Any, k: int) -> Any:
    sure, tied = _edge(distances, k)
    return relevant[sure].sum() + (k - sure.sum()) * relevant[tied].mean()


def _expected_by_shuffling(distances: Any, relevant: Any, k: int) -> float:
    """The mean over the places that each tied item may take: all rotations of each group."""
    total, count = 0.0, 2520
    order = np.argsort(distances, kind="stable")
    groups = [order[distances[order] == value] for value in np.unique(distances)]
    for turn in range(count):
        ranking = np.concatenate([np.roll(group, turn) for group in groups])
        total += relevant[ranking[:k]].sum()
    return total / count


def _ordered(order: Any) -> Any:
    return lambda d, r, k: r[order(d, r)[:k]].sum()


def _chosen(validation: Any, test: Any) -> Any:
    return test[np.arange(len(test)), validation.argmax(axis=1)]


def _se(a: Any, b: Any) -> Any:
    return (a - b).std(ddof=1) / np.sqrt(len(a))


CHAPTER_10 = [
    Exercise(
        "ap_at",
        right=(_ap_at, _ap_at_by_loop),
        wrong=(
            (_divided(lambda relevant, n, R: relevant[:R].sum()), "hits inside the top R"),
            (_divided(lambda relevant, n, R: R), "divided by R"),
            (_divided(lambda relevant, n, R: n), "divided by n_relevant"),
            (lambda r, n, R: _gained(r).sum() / max(1, min(R, n)), "not cut"),
            (lambda r, n, R: _gained(r).sum() / max(1, n), "AP of the whole ranking"),
            (lambda r, n, R: r[:R].mean(), "precision at R"),
            (lambda r, n, R: r[:R].sum() / max(1, n), "recall at R"),
            (
                lambda r, n, R: (np.cumsum(r[:R]) / np.arange(1, R + 1)).mean(),
                "at the right items only",
            ),
            (lambda r, n, R: _gained(r)[:R].sum() / np.float64(min(R, n)), "divided by zero"),
            (lambda r, n, R: 0.123, "expected 0.41"),
            (_divided(lambda relevant, n, R: min(R, relevant.sum())), "items of the list"),
            (lambda r, n, R: _gained(r)[:R].sum(), "these are sums"),
            (lambda r, n, R: _gained(r)[: R - 1].sum() / max(1, min(R, n)), "with rank R"),
            (
                lambda r, n, R: (r * np.cumsum(r) / np.arange(len(r)))[:R].sum() / max(1, min(R, n)),
                "ranks start at 1",
            ),
        ),
    ),
    Exercise(
        "expected_hits",
        right=(_expected, _expected_by_shuffling),
        wrong=(
            (_ordered(lambda d, r: np.argsort(d, kind="stable")), "by the order in the file:"),
            (_ordered(lambda d, r: np.lexsort((-np.arange(len(d)), d))), "reversed order"),
            (lambda d, r, k: r[_edge(d, k)[0]].sum(), "surely inside are counted"),
            (lambda d, r, k: r[_edge(d, k)[0] | _edge(d, k)[1]].sum(), "all tied items"),
            (_ordered(lambda d, r: np.lexsort((~r, d))), "optimistic"),
            (_ordered(lambda d, r: np.lexsort((r, d))), "pessimistic"),
            (
                lambda d, r, k: (
                    r[_edge(d, k)[0]].sum() + (k - _edge(d, k)[0].sum()) * r.mean()
                ),
                "shared among all items",
            ),
            (lambda d, r, k: _expected(d, r, k) / k, "precision at k"),
            (
                lambda d, r, k: r[_edge(d, k)[0]].sum() + k * r[_edge(d, k)[1]].mean(),
                "scaled all tied items",
            ),
            (lambda d, r, k: 0.123, "places for"),
            (lambda d, r, k: r[:k].sum(), "first k of the file"),
            (lambda d, r, k: _expected(-d, r, k), "farthest items"),
            (lambda d, r, k: r[_edge(d, k)[0]].sum() + r[_edge(d, k)[1]].sum() / 2, "a guess"),
            (lambda d, r, k: r[_edge(d, k)[0]].sum() + r[_edge(d, k)[1]].mean(), "gives one place"),
            (lambda d, r, k: k * r[d <= np.sort(d)[k - 1]].mean(), "surely inside; only"),
            (lambda d, r, k: round(_expected(d, r, k)), "do not round"),
            (lambda d, r, k: _expected(d, r, k) if k < len(d) else d[k], "it raised IndexError"),
        ),
    ),
    Exercise(
        "honest_score",
        right=(
            lambda v, t: _chosen(v, t).mean(),
            lambda v, t: np.mean(
                [b[max(range(len(a)), key=a.__getitem__)] for a, b in zip(v, t, strict=True)]
            ),
            lambda v, t: np.take_along_axis(t, v.argmax(axis=1)[:, None], axis=1).mean(),
        ),
        wrong=(
            (lambda v, t: t.max(axis=1).mean(), "the very mistake"),
            (lambda v, t: t.max(), "mistake twice"),
            (lambda v, t: _chosen(v, t).max(), "best seed"),
            (lambda v, t: v.max(axis=1).mean(), "report the validation score"),
            (lambda v, t: t[:, -1].mean(), "last epoch"),
            (lambda v, t: t.mean(), "mean over all epochs"),
            (lambda v, t: t[:, v.mean(axis=0).argmax()].mean(), "honest as well"),
            (lambda v, t: _chosen(-v, t).mean(), "worst epoch"),
            (_chosen, "a number for each seed"),
            (lambda v, t: v.argmax(axis=1), "these are the epochs"),
            (lambda v, t: v.argmax(axis=1).mean(), "mean of the epochs"),
            (lambda v, t: t[:, v.argmax(axis=1)].mean(), "all pairs"),
            (lambda v, t: t[:, v.argmax(axis=1)], "all pairs"),
            (lambda v, t: 0.123, "the best of each seed"),
            (lambda v, t: _chosen(t, v).mean(), "the two are swapped"),
            (lambda v, t: t[np.arange(len(t)), v.argmax(axis=1) - 1].mean(), "counts from 0"),
            (lambda v, t: t.ravel()[v.argmax()], "one run chose for all"),
        ),
    ),
    Exercise(
        "standard_error",
        right=(
            _se,
            lambda a, b: np.sqrt((((a - b) - (a - b).mean()) ** 2).sum()) / len(a),
            lambda a, b: np.sqrt(
                (np.var(a, ddof=1) + np.var(b, ddof=1) - 2 * np.cov(a, b)[0, 1]) / len(a)
            ),
        ),
        wrong=(
            (lambda a, b: np.hypot(a.std(ddof=1), b.std(ddof=1)) / len(a) ** 0.5, "unrelated"),
            (lambda a, b: np.hypot(a.std(), b.std()) / len(a) ** 0.5, "unrelated"),
            (lambda a, b: (a - b).std(), "varies less"),
            (lambda a, b: (a - b).std() / len(a), "instead of its root"),
            (lambda a, b: (a - b).var(ddof=1) / len(a), "variance"),
            (lambda a, b: (a.std() - b.std()) / len(a) ** 0.5, "difference of two"),
            (lambda a, b: a.std() / len(a) ** 0.5, "of a alone"),
            (lambda a, b: b.std() / len(a) ** 0.5, "of b alone"),
            (lambda a, b: (a - b).mean() / _se(a, b), "how many standard errors"),
            (lambda a, b: 1.96 * _se(a, b), "factor 1.96"),
            (lambda a, b: 2 * _se(a, b), "factor 2 out"),
            (lambda a, b: (a - b).mean(), "mean difference"),
            (lambda a, b: 0.123, "over the root of"),
            (lambda a, b: (a - b).std() * len(a) ** 0.5, "you multiplied"),
            (lambda a, b: (a - b).std(ddof=1) / (len(a) - 1) ** 0.5, "in the spread already"),
            (lambda a, b: (((a - b) ** 2).mean() / len(a)) ** 0.5, "not about 0"),
            (lambda a, b: abs(a - b).std() / len(a) ** 0.5, "keep the signs"),
        ),
    ),
    Exercise(
        "three_faults",
        right=(
            lambda: {"C": "cut", "D": "bits", "F": "query"},
            {"C": "cut", "D": "bits", "F": "query"},
            [("f", " Query"), ("d", "bits"), ("c", "cut")],
        ),
        wrong=(
            ({"C": "cut", "D": "bits"}, "missed: 1; look down the column 'database'"),
            ({"C": "cut"}, "columns 'books x words', 'database'"),
            ({"C": "cut", "D": "bits", "F": "train"}, "it would be 59,000"),
            ({"C": "bits", "D": "bits", "F": "query"}, "C is at fault, but not of 'bits'"),
            ({"C": "cut", "E": "bits", "F": "query"}, "E is honest: 2 log2 65,536"),
            ({"B": "test"}, "found: none yet"),
            (dict.fromkeys("ABCDEFGH", "ties"), "(6 more.)"),
            ({"Z": "bits"}, "no row 'Z'"),
            ({"C": "R"}, "unknown word 'r'"),
            ({"C", "D", "F"}, "expected a dictionary"),
            ({1: "bits"}, "both texts"),
        ),
    ),
]  # fmt: skip
