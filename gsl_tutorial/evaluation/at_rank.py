"""Measures with a cut: precision and recall at rank k, at every rank, and within a radius.

What they divide by has a name, as in `evaluation`. Where the cut goes through tied items, each counts
as its group's share of relevant ones: the mean over all orders. A radius never cuts a tie. Values are
per query; their mean over all queries, those with nothing relevant included (as 0), is what tables
show.

Mind the word: here recall@k is the share of the *relevant* items found (same label). In the literature
on nearest-neighbour search the same word means the share of queries whose true nearest neighbour is
among the first k.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Bool, Float, Integer, Real

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.evaluation.ranking import Members, check_distances, check_labels, stream
from gsl_tutorial.evaluation.ties import Runs, hits_within
from gsl_tutorial.validation import check_count, check_name, describe

RecallDenominator = Literal["relevant", "attainable"]
Empty = Literal["zero", "left out"]


def precisions_at(
    distances: Real[np.ndarray, "B N"],
    query_labels: Integer[np.ndarray, " B"],
    database_labels: Integer[np.ndarray, " N"],
    *,
    k: int,
) -> Float[np.ndarray, " B"]:
    """Share of relevant items among the first k of each ranking; the divisor is always k.

    Raises `InvalidInputError` when there are not k items, besides what `average_precision` refuses.

    >>> d = np.array([[0.0, 1.0, 1.0]])  # the second place is tied between a hit and a miss
    >>> precisions_at(d, np.array([7]), np.array([7, 7, 3]), k=2)
    array([0.75])
    """
    k = check_count(k, name="k", low=1, high=np.shape(distances)[-1])
    of_runs = partial(precision_of_runs, k=k)
    parts = _each(distances, query_labels, database_labels, of_runs)
    return np.concatenate([np.empty(0), *parts])


def recalls_at(
    distances: Real[np.ndarray, "B N"],
    query_labels: Integer[np.ndarray, " B"],
    database_labels: Integer[np.ndarray, " N"],
    *,
    k: int,
    denominator: RecallDenominator = "relevant",
) -> Float[np.ndarray, " B"]:
    """Share of each query's relevant items that are among the first k of its ranking.

    denominator: "relevant", the number of relevant items; or "attainable", min(k, that number), so
    that a perfect ranking scores 1 at every k.

    >>> d, labels = np.array([[0.0, 1.0, 2.0]]), np.array([7, 3, 7])
    >>> recalls_at(d, np.array([7]), labels, k=1)
    array([0.5])
    >>> recalls_at(d, np.array([7]), labels, k=1, denominator="attainable")
    array([1.])
    """
    k = check_count(k, name="k", low=1, high=np.shape(distances)[-1])
    check_name("recall denominator", denominator, get_args(RecallDenominator))
    of_runs = partial(recall_of_runs, k=k, denominator=denominator)
    parts = _each(distances, query_labels, database_labels, of_runs)
    return np.concatenate([np.empty(0), *parts])


def precision_recall_curve(
    distances: Real[np.ndarray, "B N"],
    query_labels: Integer[np.ndarray, " B"],
    database_labels: Integer[np.ndarray, " N"],
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """Precision at k and recall at k, k = 1..N, averaged over queries; tied items share evenly.

    The plain curve, never interpolated. Queries with nothing relevant have recall 0.
    """
    total = np.zeros((2, np.shape(distances)[-1]))
    for sums in _each(distances, query_labels, database_labels, curve_of_runs):
        total += sums
    precision, recall = total / max(1, len(query_labels))
    return precision, recall


def precision_of_runs(runs: Runs, *, k: int) -> Float[np.ndarray, " B"]:
    """`precisions_at` for rankings that `ranking.stream` condensed."""
    return hits_within(runs, k) / k


def recall_of_runs(
    runs: Runs, *, k: int, denominator: RecallDenominator = "relevant"
) -> Float[np.ndarray, " B"]:
    """`recalls_at` for rankings that `ranking.stream` condensed."""
    most = runs.relevant if denominator == "relevant" else np.minimum(k, runs.relevant)
    return hits_within(runs, k) / np.maximum(most, 1)


def curve_of_runs(runs: Runs) -> Float[np.ndarray, "2 N"]:
    """Precision and recall at each rank, *summed* over the queries: add blocks up, divide by B.

    The expected hits of one query rise along a straight line of slope r / n inside a run and are flat
    between runs; so it is enough to note where slopes begin and end, and to sum twice.
    """
    begin = runs.n_before.astype(np.int64)
    end = begin + runs.n.astype(np.int64)
    curves = []
    for weight in (1.0, 1 / np.maximum(runs.relevant, 1)[runs.row]):
        slope = weight * runs.r / runs.n
        turns = np.bincount(begin, slope, runs.n_items + 1)
        turns -= np.bincount(end, slope, runs.n_items + 1)
        curves.append(np.cumsum(np.cumsum(turns[: runs.n_items])))
    return np.stack([curves[0] / np.arange(1, runs.n_items + 1), curves[1]])


class Within(NamedTuple):
    """What lies within a radius of each query: the share relevant, the share found, how many items."""

    precision: Float[np.ndarray, " B"]
    recall: Float[np.ndarray, " B"]
    retrieved: Integer[np.ndarray, " B"]


def within_radius(
    distances: Real[np.ndarray, "B U"],
    query_labels: Integer[np.ndarray, " B"],
    members: Members,
    *,
    radius: float,
    empty: Empty = "zero",
) -> Within:
    """Precision and recall of the items at a distance of at most `radius`.

    distances: those of `code_distances` (precision within a Hamming radius), or squared ones, and then
    the radius is squared, too. members: `Members.of_labels(labels)` for items,
    `Members.of_counts(members)` for the distinct codes of `group_codes`.
    empty: what the precision is where nothing lies within the radius: "zero", the field's custom, or
    "left out": NaN, for `numpy.nanmean`, which flatters codes that retrieve little. Always print how
    many queries retrieved nothing beside it.

    >>> d, labels = np.array([[0, 1, 2], [3, 3, 3]]), np.array([7, 3, 7])
    >>> within_radius(d, np.array([7, 7]), Members.of_labels(labels), radius=1)
    Within(precision=array([0.5, 0. ]), recall=array([0.5, 0. ]), retrieved=array([2, 0]))
    """
    distances, query_labels = np.asarray(distances), np.asarray(query_labels)
    check_name("rule for queries that retrieve nothing", empty, get_args(Empty))
    if distances.shape != (len(query_labels), len(members.sizes)):
        raise InvalidInputError(
            f"distances ({len(query_labels)}, {len(members.sizes)})",
            describe(distances),
            "rows are queries, columns are what `members` counts",
        )
    check_distances(distances)
    if not radius >= 0:
        raise InvalidInputError("a radius of 0 or more", f"{radius}", "change the radius")
    inside: Bool[np.ndarray, "B U"] = distances <= radius
    retrieved = inside @ members.sizes.astype(np.int64)
    relevant = members.relevant_to(query_labels)
    hits = np.where(inside, relevant, 0).sum(axis=1)
    nothing = 0.0 if empty == "zero" else np.nan
    precision = np.where(retrieved > 0, hits / np.maximum(retrieved, 1), nothing)
    return Within(precision, hits / np.maximum(relevant.sum(axis=1), 1), retrieved)


def code_distances(
    query_codes: Integer[np.ndarray, "B M"], codes: Integer[np.ndarray, "U M"]
) -> Integer[np.ndarray, "B U"]:
    """In how many of the M subspaces two codes differ: the Hamming distance of symbols.

    With one column a bit it is the Hamming distance. Raises `InvalidInputError` for codes that are
    not integers or have different lengths.

    >>> code_distances(np.array([[3, 5]]), np.array([[3, 5], [3, 9], [0, 0]]))
    array([[0, 1, 2]], dtype=uint8)
    """
    query_codes, codes = np.asarray(query_codes), np.asarray(codes)
    if (
        query_codes.ndim != 2
        or codes.ndim != 2
        or query_codes.shape[1] != codes.shape[1]
        or not all(np.issubdtype(c.dtype, np.integer) for c in (query_codes, codes))
    ):
        raise InvalidInputError(
            "integer codes (B, M) and (U, M)",
            f"{describe(query_codes)} and {describe(codes)}",
            "pass codes of one quantizer, one row for each item",
        )
    differing = np.zeros((len(query_codes), len(codes)), np.min_scalar_type(codes.shape[1]))
    for mine, theirs in zip(query_codes.T, codes.T, strict=True):
        differing += mine[:, None] != theirs
    return differing


def _each(
    distances: Real[np.ndarray, "B N"],
    query_labels: Integer[np.ndarray, " B"],
    database_labels: Integer[np.ndarray, " N"],
    score: Callable[[Runs], Float[np.ndarray, "..."]],
) -> Iterator[Float[np.ndarray, "..."]]:
    distances = np.asarray(distances)
    query_labels, database_labels = np.asarray(query_labels), np.asarray(database_labels)
    check_labels(distances, query_labels, database_labels)
    check_distances(distances)
    members = Members.of_labels(database_labels)
    return stream(lambda rows: distances[rows], query_labels, members, score)
