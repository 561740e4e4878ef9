"""Retrieval metrics as pure functions of distances and labels, with nothing left unsaid.

Two choices decide what "mean average precision" means, so both are arguments. The *denominator*: the
number of relevant items ("relevant") or only of those found within the first `at` ("retrieved").
The *ties*: codes are short, so many items have equal distances; "exact" is the mean over all orders
of tied items (McSherry and Najork, 2008), "optimistic" and "pessimistic" are its two ends.
Inputs are never changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Integer

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.ties import average_precisions_of_groups
from gsl_tutorial.validation import check_count, check_name, describe

Denominator = Literal["relevant", "retrieved"]
Ties = Literal["exact", "optimistic", "pessimistic"]

# Distances that one thread works on at a time.
_CACHED = 200_000


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
    at = _check_choices(distances, at, denominator, ties)
    return float(
        average_precisions_of_groups(
            distances[None],
            np.ones(len(distances), dtype=np.int32),
            relevant[None],
            at=at,
            denominator=denominator,
            ties=ties,
        )[0]
    )


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
    sizes = np.ones(len(database_labels), dtype=np.int32)
    return _in_threads(
        lambda rows: average_precisions_of_groups(
            distances[rows],
            sizes,
            query_labels[rows, None] == database_labels,
            at=at,
            denominator=denominator,
            ties=ties,
        ),
        distances.shape,
    )


def group_codes(
    codes: Integer[np.ndarray, "N M"], labels: Integer[np.ndarray, " N"]
) -> tuple[Integer[np.ndarray, "U M"], dict[int, Integer[np.ndarray, " U"]]]:
    """The distinct codes of a database, and for each label how many items each code has of it.

    Items with equal codes are tied for every query, so a ranking needs distances to the U distinct
    codes only.
    """
    if len(codes) != len(labels):
        raise InvalidInputError(
            f"a label for each of {len(codes)} codes", f"{len(labels)}", "pass labels row by row"
        )
    distinct, which = np.unique(codes, axis=0, return_inverse=True)
    members = {
        int(label): np.bincount(which[labels == label], minlength=len(distinct)).astype(np.int32)
        for label in np.unique(labels)
    }
    return distinct, members


def grouped_average_precisions(
    distances: Float[np.ndarray, "B U"],
    query_labels: Integer[np.ndarray, " B"],
    members: dict[int, Integer[np.ndarray, " U"]],
    *,
    at: int | None = None,
    denominator: Denominator = "relevant",
    ties: Ties = "exact",
) -> Float[np.ndarray, " B"]:
    """`average_precisions` from the distances to distinct codes and the counts of `group_codes`."""
    distances, query_labels = np.asarray(distances), np.asarray(query_labels)
    counts = list(members.values()) or [np.zeros(0, dtype=np.int32)]
    sizes = np.asarray(np.sum(counts, axis=0, dtype=np.int32))
    if distances.shape != (len(query_labels), len(sizes)):
        raise InvalidInputError(
            f"distances ({len(query_labels)}, {len(sizes)}), one column for each distinct code",
            describe(distances),
            "compute the distances to what `group_codes` returned",
        )
    _check_choices(distances, at, denominator, ties)
    at = int(sizes.sum()) if at is None else at
    nothing = np.zeros_like(sizes)
    return _in_threads(
        lambda rows: average_precisions_of_groups(
            distances[rows],
            sizes,
            np.stack([members.get(label, nothing) for label in query_labels[rows].tolist()]),
            at=at,
            denominator=denominator,
            ties=ties,
        ),
        distances.shape,
    )


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
        values = row[order]
        starts = np.append(0, np.flatnonzero(values[1:] != values[:-1]) + 1)[:n_items]
        sizes = np.diff(starts, append=n_items)
        hits = np.cumsum(np.repeat(np.add.reduceat(relevant, starts) / sizes, sizes))
        precision += hits / ranks
        recall += hits / max(1.0, relevant.sum())
    n_queries = max(1, len(distances))
    return precision / n_queries, recall / n_queries


def _in_threads(
    some: Callable[[slice], Float[np.ndarray, " b"]], shape: tuple[int, ...]
) -> Float[np.ndarray, " B"]:
    """Work through the queries a few at a time: so many that their distances stay in the cache."""
    n_queries, n_items = shape
    size = max(1, _CACHED // max(1, n_items))
    parts = [slice(start, start + size) for start in range(0, n_queries, size)]
    # NumPy releases the interpreter lock while it sorts and adds, so threads help.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.concatenate([np.empty(0), *pool.map(some, parts)])


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
