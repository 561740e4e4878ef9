"""Measures with a cut: precision and recall at rank k, at every rank, and within a radius.

What they divide by has a name, as in `evaluation`. Where the cut goes through tied items, each counts
as its group's share of relevant ones: the mean over all orders. A radius never cuts a tie. Values are
per query; their mean over all queries, those with nothing relevant included (as 0), is what tables
show.

An item is relevant when it has the query's label, or, with several labels for each (`relevance`), when
it shares one. Mind the word: here recall@k is the share of the *relevant* items found. In the literature
on nearest-neighbour search the same word means the share of queries whose true nearest neighbour is
among the first k.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Bool, Float, Integer, Real

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.evaluation.ranking import Members, check_distances, check_labels, stream
from gsl_tutorial.evaluation.ties import TieGroups, hits_within
from gsl_tutorial.validation import as_array, as_labels, check_count, check_name, describe

RecallDenominator = Literal["relevant", "attainable"]
Empty = Literal["zero", "left out"]


def precisions_at(
    distances: Real[np.ndarray, "B N"],
    query_labels: Integer[np.ndarray, " B"] | Bool[np.ndarray, "B L"],
    database_labels: Integer[np.ndarray, " N"] | Bool[np.ndarray, "N L"],
    *,
    k: int,
) -> Float[np.ndarray, " B"]:
    """Share of relevant items among the first k of each ranking; the divisor is always k.

    Parameters
    ----------
    distances, query_labels, database_labels
        As in `average_precision.average_precisions`.
    k
        The cut, from 1 to N.

    Returns
    -------
    numpy.ndarray
        (B,) values from 0 to 1.

    Raises
    ------
    InvalidInputError
        When there are not k items, and as `average_precision.average_precisions`.

    Examples
    --------
    >>> d = np.array([[0.0, 1.0, 1.0]])  # the second place is tied between a hit and a miss
    >>> precisions_at(d, np.array([7]), np.array([7, 7, 3]), k=2)
    array([0.75])
    """
    distances = as_array(distances, name="distances")
    k = check_count(k, name="k", low=1, high=_n_items(distances))
    of_runs = partial(precision_of_runs, k=k)
    parts = _each(distances, query_labels, database_labels, of_runs)
    return np.concatenate([np.empty(0), *parts])


def recalls_at(
    distances: Real[np.ndarray, "B N"],
    query_labels: Integer[np.ndarray, " B"] | Bool[np.ndarray, "B L"],
    database_labels: Integer[np.ndarray, " N"] | Bool[np.ndarray, "N L"],
    *,
    k: int,
    denominator: RecallDenominator = "relevant",
) -> Float[np.ndarray, " B"]:
    """Share of each query's relevant items that are among the first k of its ranking.

    Parameters
    ----------
    distances, query_labels, database_labels
        As in `average_precision.average_precisions`.
    k
        The cut, from 1 to N.
    denominator
        "relevant", the number of relevant items; or "attainable", min(k, that number), so that a
        perfect ranking scores 1 at every k.

    Returns
    -------
    numpy.ndarray
        (B,) values from 0 to 1; 0 for a query with nothing relevant.

    Raises
    ------
    InvalidInputError
        As `precisions_at`.
    UnknownNameError
        For another denominator.

    Examples
    --------
    >>> d, labels = np.array([[0.0, 1.0, 2.0]]), np.array([7, 3, 7])
    >>> recalls_at(d, np.array([7]), labels, k=1)
    array([0.5])
    >>> recalls_at(d, np.array([7]), labels, k=1, denominator="attainable")
    array([1.])
    """
    distances = as_array(distances, name="distances")
    k = check_count(k, name="k", low=1, high=_n_items(distances))
    check_name("recall denominator", denominator, get_args(RecallDenominator))
    of_runs = partial(recall_of_runs, k=k, denominator=denominator)
    parts = _each(distances, query_labels, database_labels, of_runs)
    return np.concatenate([np.empty(0), *parts])


def precision_recall_curve(
    distances: Real[np.ndarray, "B N"],
    query_labels: Integer[np.ndarray, " B"] | Bool[np.ndarray, "B L"],
    database_labels: Integer[np.ndarray, " N"] | Bool[np.ndarray, "N L"],
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """Precision at k and recall at k, k = 1..N, averaged over queries; tied items share evenly.

    The plain curve, never interpolated.

    Parameters
    ----------
    distances, query_labels, database_labels
        As in `average_precision.average_precisions`.

    Returns
    -------
    precision
        (N,) At each k, from 0 to 1.
    recall
        (N,) At each k, from 0 to 1; queries with nothing relevant have recall 0.

    Raises
    ------
    InvalidInputError
        As `average_precision.average_precisions`.
    """
    distances = as_array(distances, name="distances")
    total = np.zeros((2, _n_items(distances)))
    for sums in _each(distances, query_labels, database_labels, curve_of_runs):
        total += sums
    precision, recall = total / max(1, len(distances))
    return precision, recall


def precision_of_runs(runs: TieGroups, *, k: int) -> Float[np.ndarray, " B"]:
    """`precisions_at` for rankings that `ranking.stream` condensed.

    Parameters
    ----------
    runs
        The runs of B queries.
    k
        As in `precisions_at`; not checked again.
    """
    return hits_within(runs, k) / k


def recall_of_runs(
    runs: TieGroups, *, k: int, denominator: RecallDenominator = "relevant"
) -> Float[np.ndarray, " B"]:
    """`recalls_at` for rankings that `ranking.stream` condensed.

    Parameters
    ----------
    runs
        The runs of B queries.
    k, denominator
        As in `recalls_at`; not checked again.
    """
    most = runs.relevant if denominator == "relevant" else np.minimum(k, runs.relevant)
    return hits_within(runs, k) / np.maximum(most, 1)


def curve_of_runs(runs: TieGroups) -> Float[np.ndarray, "2 N"]:
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
    """What lies within a radius of each of B queries.

    Attributes
    ----------
    precision
        (B,) Share of the items there that are relevant.
    recall
        (B,) Share of the query's relevant items that are there.
    retrieved
        (B,) How many items are there.
    """

    precision: Float[np.ndarray, " B"]
    recall: Float[np.ndarray, " B"]
    retrieved: Integer[np.ndarray, " B"]


def within_radius(
    distances: Real[np.ndarray, "B U"],
    query_labels: Integer[np.ndarray, " B"] | Bool[np.ndarray, "B L"],
    members: Members,
    *,
    radius: float,
    empty: Empty = "zero",
) -> Within:
    """Precision and recall of the items at a distance of at most `radius`.

    Parameters
    ----------
    distances
        (B, U) Those of `code_distances` (precision within a Hamming radius), or squared ones, and
        then the radius is squared, too.
    query_labels
        As in `average_precision.average_precisions`.
    members
        What the U columns stand for: `Members.of_labels(labels)` for items,
        `Members.of_counts(members)` for the distinct codes of `group_codes`.
    radius
        0 or more, in the unit of the distances.
    empty
        What the precision is where nothing lies within the radius: "zero", the field's custom, or
        "left out": NaN, for `numpy.nanmean`, which flatters codes that retrieve little. Always
        print how many queries retrieved nothing beside it.

    Returns
    -------
    Within
        (B,) each: precision, recall and number of items.

    Raises
    ------
    InvalidInputError
        On NaN, on shapes and kinds of labels that do not fit, on a radius below 0.
    UnknownNameError
        For another `empty`.

    Examples
    --------
    >>> d, labels = np.array([[0, 1, 2], [3, 3, 3]]), np.array([7, 3, 7])
    >>> within_radius(d, np.array([7, 7]), Members.of_labels(labels), radius=1)
    Within(precision=array([0.5, 0. ]), recall=array([0.5, 0. ]), retrieved=array([2, 0]))
    """
    distances = as_array(distances, name="distances")
    query_labels = as_labels(query_labels, name="query labels")
    check_name("rule for queries that retrieve nothing", empty, get_args(Empty))
    if distances.shape != (len(query_labels), len(members.sizes)):
        raise InvalidInputError(
            f"distances ({len(query_labels)}, {len(members.sizes)})",
            describe(distances),
            "rows are queries, columns are what `members` counts",
        )
    check_distances(distances)
    if not isinstance(radius, numbers.Real) or not radius >= 0:
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

    With one column a bit it is the Hamming distance.

    Parameters
    ----------
    query_codes
        (B, M) One code for each query.
    codes
        (U, M) One code for each item, or the distinct codes.

    Returns
    -------
    numpy.ndarray
        (B, U), from 0 to M, of the narrowest type that holds M.

    Raises
    ------
    InvalidInputError
        For codes that are not integers or have different lengths.

    Examples
    --------
    >>> code_distances(np.array([[3, 5]]), np.array([[3, 5], [3, 9], [0, 0]]))
    array([[0, 1, 2]], dtype=uint8)
    """
    query_codes, codes = (as_array(one, name="codes") for one in (query_codes, codes))
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
    counts = np.min_scalar_type(codes.shape[1])
    if _are_bits(query_codes) and _are_bits(codes):
        words = words_of_bits(query_codes), words_of_bits(codes)
        return word_distances(*words).astype(counts, copy=False)
    differing = np.zeros((len(query_codes), len(codes)), counts)
    for mine, theirs in zip(query_codes.T, codes.T, strict=True):
        # As bytes: adding truth values would convert them, at eight times the price.
        differing += (mine[:, None] != theirs).view(np.uint8)
    return differing


def _are_bits(codes: Integer[np.ndarray, "n M"]) -> bool:
    return codes.shape[1] > 8 and codes.size > 0 and 0 <= codes.min() <= codes.max() <= 1


def words_of_bits(bits: Integer[np.ndarray, "n M"]) -> Integer[np.ndarray, "n W"]:
    """Columns of 0 and 1 in words of 64 bits, for `word_distances`; what fills up is 0."""
    n_words = -(-bits.shape[1] // 64)
    packed = np.zeros((len(bits), 8 * n_words), dtype=np.uint8)
    packed[:, : -(-bits.shape[1] // 8)] = np.packbits(bits.astype(np.uint8), axis=1)
    return packed.view(np.uint64)


def word_distances(
    query_words: Integer[np.ndarray, "B W"], words: Integer[np.ndarray, "U W"]
) -> Integer[np.ndarray, "B U"]:
    """The Hamming distance of codes in words: sixty-four bits in one exclusive or.

    Parameters
    ----------
    query_words, words
        (B, W) and (U, W) From `words_of_bits`.

    Returns
    -------
    numpy.ndarray
        (B, U), from 0 to 64 W, of the narrowest type that holds 64 W.
    """
    counts = np.min_scalar_type(64 * words.shape[1])
    differing = np.zeros((len(query_words), len(words)), counts)
    for mine, theirs in zip(query_words.T, words.T, strict=True):
        differing += np.bitwise_count(mine[:, None] ^ theirs)
    return differing


def _n_items(distances: np.ndarray) -> int:
    if distances.ndim != 2:
        raise InvalidInputError("distances (B, N)", describe(distances), "a row for each query")
    return int(distances.shape[1])


def _each(
    distances: Real[np.ndarray, "B N"],
    query_labels: Any,
    database_labels: Any,
    score: Callable[[TieGroups], Float[np.ndarray, "..."]],
) -> Iterator[Float[np.ndarray, "..."]]:
    query = as_labels(query_labels, name="query labels")
    database = as_labels(database_labels, name="database labels")
    check_labels(distances, query, database)
    check_distances(distances)
    members = Members.of_labels(database)
    return stream(lambda rows: distances[rows], query, members, score)
