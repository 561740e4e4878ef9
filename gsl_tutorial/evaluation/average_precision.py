"""Average precision as a pure function of distances and labels, with nothing left unsaid.

Two choices decide what "mean average precision" means, so both are arguments. The *denominator*: the
number of relevant items ("relevant") or only of those found within the first `at` ("retrieved").
The *ties*: codes are short, so many items have equal distances; "exact" is the mean over all orders
of tied items (McSherry and Najork, 2008), "optimistic" and "pessimistic" are its two ends, the best and
the worst order under the chosen denominator. What is relevant, one label or several, is told in
`relevance`. Inputs are never changed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, get_args

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
from gsl_tutorial.evaluation.ties import (
    TieGroups,
    average_precision_of_short,
    average_precisions_of_runs,
)
from gsl_tutorial.validation import as_array, as_labels, check_count, check_name, describe

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

_DENOMINATORS, _TIES = get_args(Denominator), get_args(Ties)

# Up to so many distances and queries, a ranking costs less than preparing many at once.
_SHORT, _FEW = 10_000, 8


def average_precision(
    distances: Float[np.ndarray, " N"],
    relevant: Bool[np.ndarray, " N"],
    *,
    at: int | None = None,
    denominator: Denominator = "relevant",
    ties: Ties = "exact",
) -> float:
    """Average precision of one ranked list: the mean of P(k) over the ranks k of relevant items.

    Parameters
    ----------
    distances
        (N,) Smaller is better.
    relevant
        (N,) Which items count: truth values, or 0 and 1.
    at
        Only the first `at` ranks count (None: all). The sum is then divided by min(at, number
        relevant), or by the number of relevant items found there (`denominator="retrieved"`).
    denominator
        "relevant" or "retrieved".
    ties
        "exact", the mean over all orders of items at equal distances; "optimistic" and
        "pessimistic", the largest and the smallest value over these orders.

    Returns
    -------
    float
        From 0 to 1. A query with nothing relevant, or nothing relevant found, counts 0.

    Raises
    ------
    InvalidInputError
        On NaN, on masked arrays, on shapes that do not fit, on `at` below 1.
    UnknownNameError
        For another denominator or rule for ties.

    Examples
    --------
    >>> average_precision(np.array([0.1, 0.2, 0.3]), np.array([True, False, True]))
    0.8333333333333333
    >>> average_precision(np.zeros(2), np.array([True, False]))  # a tie: the mean of 1 and 1/2
    0.75
    """
    distances = as_array(distances, name="distances")
    relevant = as_array(relevant, name="relevant")
    if relevant.dtype.kind in "iu" and ((relevant == 0) | (relevant == 1)).all():
        relevant = relevant.astype(bool)
    if distances.ndim != 1 or relevant.shape != distances.shape or relevant.dtype != bool:
        raise InvalidInputError(
            "distances (N,) and boolean relevant (N,)",
            f"{describe(distances)} and {describe(relevant)}",
            "pass one row of distances and `database_labels == query_label`",
        )
    return _rule(at, denominator, ties).of_one(distances, relevant)


def average_precisions(
    distances: Float[np.ndarray, "B N"],
    query_labels: Integer[np.ndarray, " B"] | Bool[np.ndarray, "B L"],
    database_labels: Integer[np.ndarray, " N"] | Bool[np.ndarray, "N L"],
    *,
    at: int | None = None,
    denominator: Denominator = "relevant",
    ties: Ties = "exact",
) -> Float[np.ndarray, " B"]:
    """Average precision of each query.

    Parameters
    ----------
    distances
        (B, N) From each query to each item; smaller is better.
    query_labels, database_labels
        One label for each query and item, (B,) and (N,): relevant is what has the query's label. Or
        several, as tables of truth values (B, L) and (N, L) or as lists of sets: relevant is what
        shares a label. All forms of `validation.as_labels` are taken.
    at, denominator, ties
        As in `average_precision`.

    Returns
    -------
    numpy.ndarray
        (B,) values from 0 to 1.

    Raises
    ------
    InvalidInputError
        On NaN, on masked arrays, on shapes and kinds of labels that do not fit, on `at` below 1.
    UnknownNameError
        As `average_precision`.

    Examples
    --------
    >>> d = np.array([[0.0, 1.0, 2.0]])
    >>> average_precisions(d, [{"sea", "sky"}], [{"sky"}, {"town"}, {"sea", "boat"}])
    array([0.83333333])
    """
    rule = _rule(at, denominator, ties)
    distances = as_array(distances, name="distances")
    query = as_labels(query_labels, name="query labels")
    database = as_labels(database_labels, name="database labels")
    check_labels(distances, query, database)
    if (
        len(query) <= _FEW
        and len(database) <= _SHORT
        and query.dtype == database.dtype
        and query.dtype.kind in "iu"
    ):
        return np.array(
            [rule.of_one(distances[i], database == query[i]) for i in range(len(query))]
        )
    return _concatenated(lambda rows: distances[rows], query, Members.of_labels(database), rule)


def group_codes(
    codes: Integer[np.ndarray, "N M"],
    labels: Integer[np.ndarray, " N"] | Bool[np.ndarray, "N L"],
) -> tuple[Integer[np.ndarray, "U M"], Members]:
    """The distinct codes of a database, and what each of them stands for.

    Items with equal codes are tied for every query, so a ranking needs distances to the U distinct
    codes only.

    Parameters
    ----------
    codes
        (N, M) One row for each item.
    labels
        What `average_precisions` takes for the database.

    Returns
    -------
    distinct
        (U, M) The different codes, sorted.
    members
        How many items each distinct code has, and of which labels; `members[label]` counts (U,)
        those of one label.

    Raises
    ------
    InvalidInputError
        When codes are no table of numbers, or there is not one label, or one set of labels, for each.
    """
    codes, labels = as_array(codes, name="codes"), as_labels(labels, name="database labels")
    if codes.ndim != 2 or codes.dtype == object:
        raise InvalidInputError(
            "codes (N, M), a row of numbers for each item",
            describe(codes),
            "pass what encode returned",
        )
    if len(codes) != len(labels):
        raise InvalidInputError(
            f"a label for each of {len(codes)} codes", f"{len(labels)}", "pass labels row by row"
        )
    distinct, which = np.unique(codes, axis=0, return_inverse=True)
    return distinct, Members.of_groups(which.reshape(-1), labels, n_groups=len(distinct))


def grouped_average_precisions(
    distances: Float[np.ndarray, "B U"],
    query_labels: Integer[np.ndarray, " B"] | Bool[np.ndarray, "B L"],
    members: Mapping[Any, Integer[np.ndarray, " U"]],
    *,
    at: int | None = None,
    denominator: Denominator = "relevant",
    ties: Ties = "exact",
) -> Float[np.ndarray, " B"]:
    """`average_precisions` from the distances to distinct codes and the members of `group_codes`.

    Parameters
    ----------
    distances
        (B, U) From each query to each distinct code.
    query_labels
        As in `average_precisions`.
    members
        From `group_codes`, or a dictionary: for each label, the number of its items in each group.
    at, denominator, ties
        As in `average_precision`.

    Returns
    -------
    numpy.ndarray
        (B,) values from 0 to 1.

    Raises
    ------
    InvalidInputError
        As `average_precisions`.
    """
    rule = _rule(at, denominator, ties)
    distances, grouped = as_array(distances, name="distances"), Members.of_counts(members)
    query = as_labels(query_labels, name="query labels")
    if distances.shape != (len(query), grouped.n_groups):
        raise InvalidInputError(
            f"distances ({len(query)}, {grouped.n_groups}), one column for each distinct code",
            describe(distances),
            "compute the distances to what `group_codes` returned",
        )
    return _concatenated(lambda rows: distances[rows], query, grouped, rule)


def streamed_average_precisions(
    distances_of: Callable[[slice], Real[np.ndarray, "b U"]],
    query_labels: Integer[np.ndarray, " B"] | Bool[np.ndarray, "B L"],
    members: Mapping[Any, Integer[np.ndarray, " U"]],
    *,
    at: int | None = None,
    denominator: Denominator = "relevant",
    ties: Ties = "exact",
) -> Float[np.ndarray, " B"]:
    """`grouped_average_precisions` without ever holding all distances at once.

    They are asked for, some queries at a time.

    Parameters
    ----------
    distances_of
        Takes a slice of the queries and returns their distances to the U distinct codes. It is
        called in threads, so that computing distances is shared out as well.
    query_labels, members, at, denominator, ties
        As in `grouped_average_precisions`.

    Returns
    -------
    numpy.ndarray
        (B,) values from 0 to 1.

    Raises
    ------
    InvalidInputError
        As `average_precisions`.

    Examples
    --------
    >>> distinct, members = group_codes(np.array([[0], [1], [1]]), np.array([5, 5, 6]))
    >>> queries = np.array([0.2, 0.9])
    >>> streamed_average_precisions(
    ...     lambda rows: (queries[rows, None] - distinct.T) ** 2, np.array([5, 6]), members
    ... )
    array([0.91666667, 0.75      ])
    """
    rule = _rule(at, denominator, ties)
    return _concatenated(distances_of, query_labels, Members.of_counts(members), rule)


def mean_average_precision(
    distances: Float[np.ndarray, "B N"],
    query_labels: Integer[np.ndarray, " B"] | Bool[np.ndarray, "B L"],
    database_labels: Integer[np.ndarray, " N"] | Bool[np.ndarray, "N L"],
    *,
    at: int | None = None,
    denominator: Denominator = "relevant",
    ties: Ties = "exact",
) -> float:
    """Mean of `average_precisions` over all queries, those with nothing relevant included (as 0).

    Parameters
    ----------
    distances, query_labels, database_labels
        As in `average_precisions`.
    at, denominator, ties
        As in `average_precision`.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    InvalidInputError
        As `average_precisions`, and when there is no query.

    Examples
    --------
    >>> d = np.array([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    >>> mean_average_precision(d, np.array([0, 1]), np.array([0, 1, 1]))
    1.0
    """
    each = average_precisions(
        distances, query_labels, database_labels, at=at, denominator=denominator, ties=ties
    )
    if not len(each):
        raise InvalidInputError("at least one query", "none", "pass a non-empty query set")
    return float(np.add.reduce(each) / len(each)) if len(each) > 1 else float(each[0])


class _Rule(NamedTuple):
    """What average precision is to mean."""

    at: int | None
    denominator: str
    ties: str

    def of_runs(self, runs: TieGroups) -> Float[np.ndarray, " b"]:
        return average_precisions_of_runs(
            runs, at=self.at, denominator=self.denominator, ties=self.ties
        )

    def of_one(self, distances: np.ndarray, relevant: np.ndarray) -> float:
        if not 0 < len(distances) <= _SHORT or distances.dtype.kind not in "iuf":
            return float(self.of_runs(runs_of_one(distances, relevant))[0])
        value = average_precision_of_short(
            distances, relevant, at=self.at, denominator=self.denominator, ties=self.ties
        )
        if math.isnan(value):
            check_distances(distances)
        return value


def _rule(at: int | None, denominator: str, ties: str) -> _Rule:
    if denominator not in _DENOMINATORS or ties not in _TIES:
        check_name("denominator", denominator, _DENOMINATORS)
        check_name("tie rule", ties, _TIES)
    return _Rule(None if at is None else check_count(at, name="at", low=1), denominator, ties)


def _concatenated(
    distances_of: Callable[[slice], Real[np.ndarray, "b U"]],
    query_labels: Any,
    members: Members,
    rule: _Rule,
) -> Float[np.ndarray, " B"]:
    return np.concatenate([np.empty(0), *stream(distances_of, query_labels, members, rule.of_runs)])
