"""Graded retrieval: discounted cumulative gain over the number of shared labels.

With several labels for each item, some relevant items are more so than others: they share more labels
with the query. Discounted cumulative gain (Järvelin and Kekäläinen, "Cumulated gain-based evaluation of
IR techniques", ACM TOIS 2002) adds up what each item is worth, divided by log2(1 + rank). Divided by
that of the best order of the database (nDCG), it lies between 0 and 1. Items at equal distances share
their places: each group's gain is spread evenly over its ranks, which is the mean over all orders
(McSherry and Najork, ECIR 2008). What we add: it streams, and a group of tied codes costs the same
whatever its size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Bool, Float, Integer, Real

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.evaluation.ranking import Members, check_labels, stream
from gsl_tutorial.evaluation.ties import TieGroups
from gsl_tutorial.validation import as_array, as_labels, check_count, check_name

Gain = Literal["linear", "exponential"]


def normalized_discounted_cumulative_gain(
    distances: Real[np.ndarray, "B N"],
    query_labels: Integer[np.ndarray, " B"] | Bool[np.ndarray, "B L"],
    database_labels: Integer[np.ndarray, " N"] | Bool[np.ndarray, "N L"],
    *,
    at: int | None = None,
    gain: Gain = "linear",
) -> Float[np.ndarray, " B"]:
    """NDCG of each query, graded by the number of labels that an item shares with it.

    Parameters
    ----------
    distances
        (B, N) From each query to each item; smaller is better.
    query_labels, database_labels
        As in `average_precision.average_precisions`; with one label for each item, the grades are
        0 and 1.
    at
        Only the first `at` ranks count, of the ranking and of the best order (None: all).
    gain
        What an item is worth that shares s labels: "linear", s (as in scikit-learn), or
        "exponential", 2^s - 1, the custom of multi-label hashing.

    Returns
    -------
    numpy.ndarray
        (B,) values from 0 to 1; 0 for a query that shares nothing with any item.

    Raises
    ------
    InvalidInputError
        As `average_precision.average_precisions`, and where an exponential gain would be too large.
    UnknownNameError
        For another gain.

    Examples
    --------
    >>> d = np.array([[0.0, 1.0, 2.0]])
    >>> items = [{"sky"}, {"town"}, {"sea", "sky"}]
    >>> normalized_discounted_cumulative_gain(d, [{"sea", "sky"}], items).round(4)
    array([0.7602])
    """
    distances = as_array(distances, name="distances")
    query = as_labels(query_labels, name="query labels")
    database = as_labels(database_labels, name="database labels")
    check_labels(distances, query, database)
    members = Members.of_labels(database)
    return streamed_discounted_gains(lambda rows: distances[rows], query, members, at=at, gain=gain)


def streamed_discounted_gains(
    distances_of: Callable[[slice], Real[np.ndarray, "b U"]],
    query_labels: Any,
    members: Mapping[Any, Integer[np.ndarray, " U"]],
    *,
    at: int | None = None,
    gain: Gain = "linear",
) -> Float[np.ndarray, " B"]:
    """`normalized_discounted_cumulative_gain` from distances to groups, some queries at a time.

    Parameters
    ----------
    distances_of, query_labels, members
        As in `average_precision.streamed_average_precisions`.
    at, gain
        As in `normalized_discounted_cumulative_gain`.

    Returns
    -------
    numpy.ndarray
        (B,) values from 0 to 1.

    Raises
    ------
    InvalidInputError, UnknownNameError
        As `normalized_discounted_cumulative_gain`.
    """
    cut = None if at is None else check_count(at, name="at", low=1)
    grouped = Members.of_counts(members)
    gains = worth_of_shared(grouped, gain)
    parts = stream(
        distances_of,
        query_labels,
        grouped,
        lambda runs: discounted_gains_of_runs(runs, gains, cut),
        gains=gains,
    )
    return np.concatenate([np.empty(0), *parts])


def worth_of_shared(members: Members, gain: Gain) -> Float[np.ndarray, " V"]:
    """What an item is worth that shares 0, 1, ..., V - 1 labels: the `gains` of `ranking.stream`.

    Parameters
    ----------
    members
        Says how many labels an item can share with a query: V - 1.
    gain
        As in `normalized_discounted_cumulative_gain`.

    Raises
    ------
    InvalidInputError
        Where an exponential gain would be too large: with 1000 labels or more.
    UnknownNameError
        For another gain.
    """
    check_name("gain", gain, get_args(Gain))
    shared = np.arange(members.relevance.most_shared + 1, dtype=np.float64)
    if gain == "linear":
        return shared
    if len(shared) > 1000:
        raise InvalidInputError(
            "at most 999 labels with an exponential gain", f"{len(shared) - 1}",
            "use the linear gain",
        )  # fmt: skip
    worth: np.ndarray = 2**shared - 1
    return worth


def discounted_gains_of_runs(
    runs: TieGroups, gains: Float[np.ndarray, " V"], at: int | None
) -> Float[np.ndarray, " B"]:
    """NDCG of each query from its tie groups, their gains, and the number of items of each grade.

    Parameters
    ----------
    runs
        From `ranking.stream` or `ranking.relevant_runs` with `gains`.
    gains
        (V,) From `worth_of_shared`.
    at
        As in `normalized_discounted_cumulative_gain`; not checked again.

    Raises
    ------
    ValueError
        For runs that were condensed without gains.
    """
    if runs.gain is None or runs.levels is None:
        raise ValueError("runs without grades: `stream` was not given `gains`")
    discount = _discounts(runs.n_items)
    at = runs.n_items if at is None else min(at, runs.n_items)
    first = np.minimum(runs.n_before, at).astype(np.int64)
    last = np.minimum(runs.n_before + runs.n, at).astype(np.int64)
    gained = runs.per_query(runs.gain / runs.n * (discount[last] - discount[first]))
    # The best order: grades from the highest down.
    until = np.minimum(np.cumsum(runs.levels[:, ::-1], axis=1), at)
    best = np.diff(discount[until], prepend=0.0, axis=1) @ gains[::-1]
    return np.divide(gained, best, out=np.zeros(len(best)), where=best > 0)


@lru_cache(maxsize=4)
def _discounts(n: int) -> Float[np.ndarray, " {n}+1"]:
    """The sum of 1 / log2(1 + rank) over the first 0, 1, ..., n ranks."""
    return np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, n + 2)))])
