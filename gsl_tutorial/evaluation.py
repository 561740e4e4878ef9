"""Retrieval metrics as pure functions of distances and labels, with nothing left unsaid.

Two choices decide what "mean average precision" means, so both are arguments. The *denominator*: the
number of relevant items ("relevant") or only of those found within the first `at` ("retrieved").
The *ties*: codes are short, so many items have equal distances; "exact" is the mean over all orders
of tied items (McSherry and Najork, 2008), "optimistic" and "pessimistic" are its two ends.
Inputs are never changed.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Integer

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_count, check_name, describe

Denominator = Literal["relevant", "retrieved"]
Ties = Literal["exact", "optimistic", "pessimistic"]


def average_precision(
    distances: Float[np.ndarray, " N"],
    relevant: Bool[np.ndarray, " N"],
    *,
    at: int | None = None,
    denominator: Denominator = "relevant",
    ties: Ties = "exact",
) -> float:
    """Average precision of one ranked list: the mean of P(k) over the ranks k of relevant items.

    distances: smaller is better. relevant: which items count. at: only the first `at` ranks (None:
    all); the sum is then divided by min(at, number relevant), or by the number of relevant items
    found there (`denominator="retrieved"`). A query with nothing relevant counts 0.

    Raises `InvalidInputError` on NaN, on shapes that do not fit, on `at` below 1.

    >>> average_precision(np.array([0.1, 0.2, 0.3]), np.array([True, False, True]))
    0.8333333333333333
    >>> average_precision(np.zeros(2), np.array([True, False]))  # a tie: the mean of 1 and 1/2
    0.75
    """
    distances = np.asarray(distances)
    relevant = np.asarray(relevant)
    if distances.ndim != 1 or relevant.shape != distances.shape or relevant.dtype != bool:
        raise InvalidInputError(
            "distances (N,) and boolean relevant (N,)",
            f"{describe(distances)} and {describe(relevant)}",
            "pass one row of distances and `database_labels == query_label`",
        )
    at = _check_choices(distances[None], at, denominator, ties)
    return _average_precision(_sortable(distances), relevant, at, denominator, ties)


def average_precisions(
    distances: Float[np.ndarray, "B N"],
    query_labels: Integer[np.ndarray, " B"],
    database_labels: Integer[np.ndarray, " N"],
    *,
    at: int | None = None,
    denominator: Denominator = "relevant",
    ties: Ties = "exact",
) -> Float[np.ndarray, " B"]:
    """Average precision of each query; an item is relevant when its label equals the query's."""
    distances = np.asarray(distances)
    query_labels, database_labels = np.asarray(query_labels), np.asarray(database_labels)
    _check_labels(distances, query_labels, database_labels)
    at = _check_choices(distances, at, denominator, ties)

    def one(i: int) -> float:
        relevant = database_labels == query_labels[i]
        return _average_precision(_sortable(distances[i]), relevant, at, denominator, ties)

    # NumPy's sort releases the interpreter lock, so threads help.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.fromiter(pool.map(one, range(len(distances))), dtype=np.float64)


def mean_average_precision(
    distances: Float[np.ndarray, "B N"],
    query_labels: Integer[np.ndarray, " B"],
    database_labels: Integer[np.ndarray, " N"],
    *,
    at: int | None = None,
    denominator: Denominator = "relevant",
    ties: Ties = "exact",
) -> float:
    """Mean of `average_precisions` over all queries, those with nothing relevant included (as 0).

    >>> d = np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    >>> mean_average_precision(d, np.array([0, 1]), np.array([0, 1, 1]))
    1.0
    """
    each = average_precisions(
        distances, query_labels, database_labels, at=at, denominator=denominator, ties=ties
    )
    if not len(each):
        raise InvalidInputError("at least one query", "none", "pass a non-empty query set")
    return float(each.mean())


def precision_recall_curve(
    distances: Float[np.ndarray, "B N"],
    query_labels: Integer[np.ndarray, " B"],
    database_labels: Integer[np.ndarray, " N"],
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """Precision at k and recall at k, k = 1..N, averaged over queries; tied items share evenly.

    Inside a tie group each item counts as the group's share of relevant items: the mean over all
    orders. Queries with nothing relevant have recall 0.
    """
    distances = np.asarray(distances)
    query_labels, database_labels = np.asarray(query_labels), np.asarray(database_labels)
    _check_labels(distances, query_labels, database_labels)
    _check_choices(distances, None, "relevant", "exact")
    n_items = distances.shape[1]
    ranks = np.arange(1, n_items + 1)
    precision, recall = np.zeros(n_items), np.zeros(n_items)
    for row, label in zip(distances, query_labels, strict=True):
        order = np.argsort(row, kind="stable")
        relevant = (database_labels[order] == label).astype(np.float64)
        starts = np.flatnonzero(np.diff(row[order], prepend=np.nan) != 0)
        sizes = np.diff(starts, append=n_items)
        hits = np.cumsum(np.repeat(np.add.reduceat(relevant, starts) / sizes, sizes))
        precision += hits / ranks
        recall += hits / max(1.0, relevant.sum())
    n_queries = max(1, len(distances))
    return precision / n_queries, recall / n_queries


def _average_precision(
    keys: np.ndarray, relevant: Bool[np.ndarray, " N"], at: int, denominator: str, ties: str
) -> float:
    """AP from unsigned keys that order like the distances and whose lowest bit is free.

    Relevance goes into the free bit, so a plain sort (several times faster than argsort) carries it
    along. From then on only relevant items are looked at.
    """
    keys = np.sort(keys | (relevant if ties == "pessimistic" else ~relevant))
    hit = (keys & 1).astype(bool)
    if ties != "pessimistic":
        np.logical_not(hit, out=hit)
    rank = np.flatnonzero(hit) + 1
    total = len(rank)
    seen = np.arange(1, total + 1)
    if ties != "exact":
        within = rank <= at
        gained = (seen[within] / rank[within]).sum()
        found = float(within.sum())
    else:
        gained, found = _gain_with_ties(keys >> 1, rank, seen, at)
    divisor = found if denominator == "retrieved" else min(at, total)
    return float(gained / divisor) if divisor > 0 else 0.0


def _gain_with_ties(
    values: np.ndarray, rank: np.ndarray, seen: np.ndarray, at: int
) -> tuple[float, float]:
    """Expected sum of P(k) over relevant ranks k <= at, and expected number of relevant items there.

    A group of n tied items, r of them relevant, after N0 items of which R0 are relevant, adds
    (r / n) sum_i (R0 + 1 + (i - 1)(r - 1)/(n - 1)) / (N0 + i): each position holds a relevant item
    with probability r / n, and then a share (r - 1)/(n - 1) of those before it are relevant too.
    """
    # Relevant items sort first within their group, so a group shows as equal values at hit ranks.
    hit_values = values[rank - 1]
    first = np.flatnonzero(np.diff(hit_values, prepend=hit_values[:1] + 1 if len(rank) else 0))
    r = np.diff(first, append=len(rank))
    before = rank[first] - 1
    n = np.searchsorted(values, hit_values[first], side="right") - before
    alone = (n == 1) & (before < at)
    gained = ((seen[first] / rank[first])[alone]).sum()
    found = float(alone.sum())

    # All tied positions of all groups, laid end to end.
    tied = (n > 1) & (before < at)
    n, r, before, already = n[tied], r[tied], before[tied], seen[first][tied] - 1
    shown = np.minimum(n, at - before)
    group = np.repeat(np.arange(len(n)), shown)
    i = np.arange(len(group)) - np.repeat(np.cumsum(shown) - shown, shown)
    share = (r - 1) / (n - 1)
    expected = (already[group] + 1 + i * share[group]) / (before[group] + 1 + i)
    gained += (expected * (r / n)[group]).sum()
    return float(gained), found + float((r / n * shown).sum())


def _sortable(distances: np.ndarray) -> np.ndarray:
    """Unsigned integers that order like the distances, shifted left by one bit.

    The bits of a non-negative float, read as an integer, order like the float; its sign bit is
    always 0, so shifting it out loses nothing. Anything else is replaced by its dense rank.
    """
    if distances.dtype not in (np.float32, np.float64) or (distances < 0).any():
        distances = np.unique(distances, return_inverse=True)[1].astype(np.float32)
    unsigned = np.uint32 if distances.dtype == np.float32 else np.uint64
    # Adding 0.0 turns -0.0 into 0.0, which must tie with it.
    return (distances + distances.dtype.type(0)).view(unsigned) << 1


def _check_choices(distances: np.ndarray, at: int | None, denominator: str, ties: str) -> int:
    check_name("denominator", denominator, get_args(Denominator))
    check_name("tie rule", ties, get_args(Ties))
    if not np.issubdtype(distances.dtype, np.number) or np.iscomplexobj(distances):
        raise InvalidInputError("real distances", describe(distances), "pass numbers")
    if np.isnan(distances).any():
        raise InvalidInputError(
            "distances without NaN", "NaN", "look for NaN embeddings before searching"
        )
    return distances.shape[-1] if at is None else check_count(at, name="at", low=1)


def _check_labels(distances: np.ndarray, query: np.ndarray, database: np.ndarray) -> None:
    if query.ndim != 1 or database.ndim != 1 or distances.shape != (len(query), len(database)):
        raise InvalidInputError(
            "distances (B, N), query labels (B,), database labels (N,)",
            f"{describe(distances)}, {describe(query)}, {describe(database)}",
            "rows are queries and columns are database items",
        )
