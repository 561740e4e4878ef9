"""Retrieval metrics as pure functions of distances and labels, with nothing left unsaid.

Two choices decide what "mean average precision" means, so both are arguments. The *denominator*: the
number of relevant items ("relevant") or only of those found within the first `at` ("retrieved").
The *ties*: codes are short, so many items have equal distances; "exact" is the mean over all orders
of tied items (McSherry and Najork, 2008), "optimistic" and "pessimistic" are its two ends.
Inputs are never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Integer, Real

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.evaluation.at_rank import precision_recall_curve
from gsl_tutorial.evaluation.ranking import (
    Members,
    check_distances,
    check_labels,
    runs_of_one,
    stream,
)
from gsl_tutorial.evaluation.ties import Runs, average_precisions_of_runs
from gsl_tutorial.validation import check_count, check_name, describe

__all__ = [
    "Denominator",
    "Ties",
    "average_precision",
    "average_precisions",
    "group_codes",
    "grouped_average_precisions",
    "mean_average_precision",
    "precision_recall_curve",
    "streamed_average_precisions",
]

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
    score = _scoring(at, denominator, ties)
    return float(score(runs_of_one(distances, relevant))[0])


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
    check_labels(distances, query_labels, database_labels)
    check_distances(distances)
    return _concatenated(
        lambda rows: distances[rows],
        query_labels,
        Members.of_labels(database_labels),
        _scoring(at, denominator, ties),
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
    members: Mapping[int, Integer[np.ndarray, " U"]],
    *,
    at: int | None = None,
    denominator: Denominator = "relevant",
    ties: Ties = "exact",
) -> Float[np.ndarray, " B"]:
    """`average_precisions` from the distances to distinct codes and the counts of `group_codes`."""
    distances, query_labels = np.asarray(distances), np.asarray(query_labels)
    grouped = Members.of_counts(members)
    if distances.shape != (len(query_labels), len(grouped.sizes)):
        raise InvalidInputError(
            f"distances ({len(query_labels)}, {len(grouped.sizes)}), one column for each distinct "
            "code",
            describe(distances),
            "compute the distances to what `group_codes` returned",
        )
    check_distances(distances)
    score = _scoring(at, denominator, ties)
    return _concatenated(lambda rows: distances[rows], query_labels, grouped, score)


def streamed_average_precisions(
    distances_of: Callable[[slice], Real[np.ndarray, "b U"]],
    query_labels: Integer[np.ndarray, " B"],
    members: Mapping[int, Integer[np.ndarray, " U"]],
    *,
    at: int | None = None,
    denominator: Denominator = "relevant",
    ties: Ties = "exact",
) -> Float[np.ndarray, " B"]:
    """The same without ever holding all distances: they are asked for, some queries at a time.

    distances_of: takes a slice of the queries and returns their distances to the U distinct codes; it
    is called in threads, so that computing distances is shared out as well.

    >>> distinct, members = group_codes(np.array([[0], [1], [1]]), np.array([5, 5, 6]))
    >>> queries = np.array([0.2, 0.9])
    >>> streamed_average_precisions(
    ...     lambda rows: (queries[rows, None] - distinct.T) ** 2, np.array([5, 6]), members
    ... )
    array([0.91666667, 0.75      ])
    """
    score = _scoring(at, denominator, ties)
    return _concatenated(distances_of, np.asarray(query_labels), Members.of_counts(members), score)


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


def _scoring(
    at: int | None, denominator: str, ties: str
) -> Callable[[Runs], Float[np.ndarray, " b"]]:
    check_name("denominator", denominator, get_args(Denominator))
    check_name("tie rule", ties, get_args(Ties))
    at = None if at is None else check_count(at, name="at", low=1)
    return lambda runs: average_precisions_of_runs(runs, at=at, denominator=denominator, ties=ties)


def _concatenated(
    distances_of: Callable[[slice], Real[np.ndarray, "b U"]],
    query_labels: Integer[np.ndarray, " B"],
    members: Members,
    score: Callable[[Runs], Float[np.ndarray, " b"]],
) -> Float[np.ndarray, " B"]:
    return np.concatenate([np.empty(0), *stream(distances_of, query_labels, members, score)])
