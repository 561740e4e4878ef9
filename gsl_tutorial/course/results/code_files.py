"""Somebody else's codes, measured as we measure our own, with every trap looked for.

`measure_outside` ranks once, streamed, reads everything off that ranking, and prints nothing without
its protocol. The traps are `audit`'s, the ways to compare are those of `searches`. With several labels for
each item (NUS-WIDE, COCO, MIRFlickr), relevant is what shares a label, and nDCG, graded by the number
of shared labels, stands beside mAP. `measure_neighbours` compares with given neighbours in place of labels.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.course.datasets import PROTOCOLS, Protocol, get_protocol
from gsl_tutorial.course.datasets.split_file import SplitFile, label_checksum
from gsl_tutorial.course.results.audit import (
    Warned,
    check_one_kind,
    check_query_in_database,
    check_sizes_and_classes,
    take_labels,
    warn_of_collapse,
    warn_of_empty,
    warn_of_metric,
    warn_of_ties,
)
from gsl_tutorial.course.results.searches import Search
from gsl_tutorial.course.toys.neighbours import recall_of_lists
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.evaluation import Denominator, group_codes
from gsl_tutorial.evaluation.at_rank import precision_of_runs, recall_of_runs, within_radius
from gsl_tutorial.evaluation.discounted_gain import (
    Gain,
    discounted_gains_of_runs,
    worth_of_shared,
)
from gsl_tutorial.evaluation.distances import blocks
from gsl_tutorial.evaluation.ranking import Members, check_distances, stream
from gsl_tutorial.evaluation.ties import TieGroups, average_precisions_of_runs
from gsl_tutorial.validation import as_array, as_places, check_count, check_name, describe

#: Stands for "no published protocol".
OWN = "own"


@dataclass(frozen=True)
class OutsideResult:
    """A number with all that must stand beside it, in the order in which it is printed.

    Attributes
    ----------
    protocol : str
        A code of `PROTOCOLS`, or "own".
    n_query, n_train, n_database : int
        How many items; None for a training set that nobody named.
    train_in_database, query_in_database : bool or None
        What lies in the database; None where it is not known.
    search : str
        What is measured, such as the Hamming distance.
    bits : int
        The length of a code.
    distinct_codes : int or None
        In the database; None where items are no codes.
    relevance : str
        When an item is relevant to a query.
    metric, denominator, ties : str
        Which figure `value` is, what it divides by, and how ties count.
    value : float
        The figure, from 0 to 1.
    map_all : float
        mAP@all, ties exact.
    map_all_if_ties_fell_well, map_all_if_ties_fell_badly : float
        The best and the worst order of tied items.
    map_all_of_chance : float
        Of a random ranking.
    extras : dict of str to float
        Figures that were asked for besides, by name.
    queries_without_relevant : int
        They count 0.
    query_label_sha256, database_label_sha256 : str
        Checksums of the labels in their order.
    warnings : tuple of Warned
        The traps that were found.
    per_query : (B,) float array
        The figure of each query, for paired comparisons; not printed.
    """

    protocol: str
    n_query: int
    n_train: int | None
    n_database: int
    train_in_database: bool | None
    query_in_database: bool | None
    search: str
    bits: int
    distinct_codes: int | None
    relevance: str
    metric: str
    denominator: str
    ties: str
    value: float
    map_all: float
    map_all_if_ties_fell_well: float
    map_all_if_ties_fell_badly: float
    map_all_of_chance: float
    extras: dict[str, float]
    queries_without_relevant: int
    query_label_sha256: str
    database_label_sha256: str
    warnings: tuple[Warned, ...]
    #: (B,) of `metric`, for paired comparisons; not printed.
    per_query: Float[np.ndarray, " B"] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the per-query values, ready for JSON."""
        values = asdict(self)
        del values["per_query"]
        values["warnings"] = [str(one) for one in self.warnings]
        values.update(values.pop("extras"))
        return values


def measure_outside(
    search: Search,
    query_labels: Any,
    database_labels: Any,
    *,
    protocol: str = OWN,
    split: SplitFile | None = None,
    at: int | None = None,
    denominator: Denominator = "relevant",
    k: int | None = None,
    radius: int | None = None,
    gain: Gain = "linear",
) -> OutsideResult:
    """Measure and audit; ties are exact, the mean over all orders of tied items.

    Parameters
    ----------
    search : Search
        From `searches`.
    query_labels, database_labels : array-like
        In any form of `validation.as_labels`: numbers, words, tables (B, L) and (N, L) of 0 and 1,
        sets or lists of labels. Several labels for each item make relevant what shares one, and add
        nDCG.
    protocol : str
        A code of `PROTOCOLS`, or "own".
    split : SplitFile, optional
        The split file whose order the labels follow.
    at, denominator
        As in `evaluation.average_precision`.
    k : int, optional
        Also precision and recall at k.
    radius : int, optional
        Also precision within so many differing columns.
    gain : str
        For nDCG, what an item is worth that shares s labels: "linear", s, or "exponential", 2^s -
        1.

    Returns
    -------
    OutsideResult

    Raises
    ------
    InvalidInputError
        Where the number would be meaningless; the message names the mistake.
    """
    check_name("protocol", protocol, (*PROTOCOLS, OWN))
    numbers = None if protocol == OWN else get_protocol(protocol)
    n_items = len(search.database)
    q_labels = take_labels(query_labels, of="queries", n=search.n_query)
    d_labels = take_labels(database_labels, of="database items", n=n_items)
    checksums = _checksum(q_labels), _checksum(d_labels)
    q_labels, d_labels = check_one_kind(q_labels, d_labels)
    q_labels, d_labels = q_labels.copy(), d_labels.copy()  # to compare with the caller's afterwards
    several = q_labels.ndim == 2 or q_labels.dtype == object
    check_name("denominator", denominator, ("relevant", "retrieved"))
    at = None if at is None else check_count(at, name="at", low=1, high=n_items)
    k = None if k is None else check_count(k, name="k", low=1, high=n_items)
    found = [*check_sizes_and_classes(q_labels, d_labels, numbers, split), *search.found]
    if search.query is not None:
        found += check_query_in_database(
            search.query, search.database, numbers, are_codes=search.has_codes
        )

    rows, members = _grouped(search, d_labels)
    worth = worth_of_shared(members, gain) if several else None
    scores = np.concatenate(
        list(
            stream(
                lambda part: search.distances_of(part, rows),
                q_labels,
                members,
                lambda runs: _score(runs, at, denominator, k, worth),
                gains=worth,
            )
        ),
        axis=1,
    )
    value, relevant_value, all_, well, badly, chance, precision, recall, graded, relevant = scores
    again = (
        take_labels(query_labels, of="queries", n=search.n_query),
        take_labels(database_labels, of="database items", n=n_items),
    )
    if checksums != tuple(_checksum(labels) for labels in again):
        raise InvalidInputError(
            "labels that nobody writes to", "the mistake 'labels changed', during the ranking",
            "pass copies",
        )  # fmt: skip
    extras = {} if k is None else {f"precision@{k}": precision, f"recall@{k}": recall}
    means = {name: float(each.mean()) for name, each in extras.items()}
    if several:
        name = "ndcg" if gain == "linear" else "ndcg_exponential"
        means[f"{name}@{'all' if at is None else at}"] = float(graded.mean())
    if radius is not None:
        means |= _within(search, rows, q_labels, members, check_count(radius, name="radius", low=0))
    cut = {"value": value.mean(), "all": all_.mean(), "relevant": relevant_value.mean()}
    return OutsideResult(
        protocol=protocol if split is None else str(split),
        **_facts(numbers),
        n_query=search.n_query,
        n_database=n_items,
        search=search.kind,
        bits=search.bits,
        distinct_codes=len(rows) if search.has_codes else None,
        relevance="a shared label" if several else "the same label",
        metric="mAP@all" if at is None else f"mAP@{at}",
        denominator=denominator,
        ties="exact",
        value=float(value.mean()),
        map_all=float(all_.mean()),
        map_all_if_ties_fell_well=float(well.mean()),
        map_all_if_ties_fell_badly=float(badly.mean()),
        map_all_of_chance=float(chance.mean()),
        extras=means,
        queries_without_relevant=int((relevant == 0).sum()),
        query_label_sha256=checksums[0],
        database_label_sha256=checksums[1],
        warnings=(
            *found,
            *warn_of_metric(at, denominator, cut),
            *warn_of_ties(d_labels, float(well.mean()), float(badly.mean())),
            *warn_of_empty(value, relevant > 0),
            *warn_of_collapse(len(rows)),
        ),
        per_query=value,
    )


def measure_neighbours(
    search: Search, neighbours: np.ndarray, *, cuts: tuple[int, ...] = (1, 10, 100)
) -> dict[str, Any]:
    """How many of given neighbours a search finds: recall as in nearest-neighbour search.

    Parameters
    ----------
    search : Search
        From `by_codes`, `by_tables` or `by_vectors`.
    neighbours : (B, t) integer array
        The true neighbours of each query, nearest first: item numbers from 0.
    cuts : tuple of int
        "1-recall@k", the share of queries whose nearest neighbour is among the first k, for each of
        them up to N; "k-recall@k", the share of the first k neighbours among the first k, up to t.
        Items at equal distances share their places: the mean over all orders.

    Returns
    -------
    dict
        The recalls by name, from 0 to 1, and what must stand beside them, ready for JSON.

    Raises
    ------
    InvalidInputError
        For numbers that are no items, -1 among them, and for repeated ones.
    """
    n_items = len(search.database)
    true = as_places(
        neighbours, n_rows=search.n_query, n_items=n_items, name="neighbours", distinct=True
    )
    rows, which = search.database, np.arange(n_items)
    if search.has_codes:
        rows, which = np.unique(search.database, axis=0, return_inverse=True)
        which = which.reshape(-1)
    sizes = np.bincount(which, minlength=len(rows))
    before, tied = np.empty(true.shape), np.empty(true.shape)
    for part in blocks(search.n_query):
        distances = search.distances_of(part, rows)
        check_distances(distances)
        for i, line in enumerate(distances, start=part.start):
            order = np.argsort(line)
            n_before = np.append(0, np.cumsum(sizes[order]))
            own = line[which[true[i]]]
            first, last = (np.searchsorted(line[order], own, side) for side in ("left", "right"))
            before[i], tied[i] = n_before[first], n_before[last] - n_before[first]
    found = {}
    for k in (k for k in cuts if k <= n_items):
        chance = np.clip((k - before) / tied, 0, 1)
        found[f"1-recall@{k}"] = float(chance[:, 0].mean())
        if 1 < k <= true.shape[1]:
            found[f"{k}-recall@{k}"] = float(chance[:, :k].mean())
    return {
        "n_query": search.n_query,
        "n_database": n_items,
        "search": search.kind,
        "bits": search.bits,
        "distinct_codes": len(rows) if search.has_codes else None,
        "ties": "exact",
        **found,
        "warnings": [str(one) for one in search.found],
    }


def measure_found(
    found: np.ndarray, neighbours: np.ndarray, *, cuts: tuple[int, ...] = (1, 10, 100)
) -> dict[str, Any]:
    """How many of given neighbours are in the lists that somebody's own search returned.

    Parameters
    ----------
    found : (B, f) integer array
        Item numbers, nearest first.
    neighbours, cuts
        See `measure_neighbours`; cuts beyond f are left out.

    Returns
    -------
    dict
        The number of queries and the recalls by name, from 0 to 1.

    Raises
    ------
    InvalidInputError
        For lists that are no rows of item numbers, and for repeated neighbours.
    """
    lists = as_array(found, name="found neighbours")
    true = as_array(neighbours, name="true neighbours")
    if lists.ndim != 2:
        raise InvalidInputError("found neighbours (B, f)", describe(lists), "a row for each query")
    recalls = {}
    for k in (k for k in cuts if k <= lists.shape[1]):
        as_places(true, n_rows=len(lists), name="true neighbours", distinct=True)
        nearest = lists[:, :k] == true[:, :1]
        recall_of_lists(lists, true, 1)  # refuses what are no neighbours
        recalls[f"1-recall@{k}"] = float(nearest.any(axis=1).mean())
        if 1 < k <= true.shape[1]:
            recalls[f"{k}-recall@{k}"] = float(recall_of_lists(lists, true, k).mean())
    return {"n_query": len(lists), **recalls}


def _checksum(labels: np.ndarray) -> str:
    """SHA-256 of labels in their order: numbers as in a split file, words, tables and sets as text."""
    if labels.dtype.kind in "iu":
        return label_checksum(labels)
    is_set = labels.dtype == object
    rows = [sorted(map(repr, one)) for one in labels] if is_set else labels.tolist()
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def _facts(numbers: Protocol | None) -> dict[str, Any]:
    names = ("n_train", "train_in_database", "query_in_database")
    return {name: getattr(numbers, name, None) for name in names}


def _grouped(search: Search, labels: Integer[np.ndarray, " N"]) -> tuple[np.ndarray, Members]:
    """What distances are needed to: distinct codes, or all vectors; and who is relevant there."""
    if not search.has_codes:
        return search.database, Members.of_labels(labels)
    distinct, counts = group_codes(search.database, labels)
    return distinct, Members.of_counts(counts)


def _score(
    runs: TieGroups,
    at: int | None,
    denominator: str,
    k: int | None,
    worth: Float[np.ndarray, " V"] | None,
) -> Float[np.ndarray, "10 b"]:
    """Everything of some queries that the result needs, one row each."""
    B, N = len(runs.relevant), runs.n_items
    none, everything = np.zeros(B), np.full(B, float(N))
    # Chance: all items are tied.
    one_run = TieGroups(np.arange(B), everything, runs.relevant, none, none, runs.relevant, N)
    rules = [
        (runs, at, denominator, "exact"),
        (runs, at, "relevant", "exact"),
        (runs, None, "relevant", "exact"),
        (runs, None, "relevant", "optimistic"),
        (runs, None, "relevant", "pessimistic"),
        (one_run, None, "relevant", "exact"),
    ]
    cut = N if k is None else k
    return np.stack(
        [
            *(
                average_precisions_of_runs(of, at=a, denominator=by, ties=ties)
                for of, a, by, ties in rules
            ),
            precision_of_runs(runs, k=cut),
            recall_of_runs(runs, k=cut),
            none if worth is None else discounted_gains_of_runs(runs, worth, at),
            runs.relevant,
        ]
    )


def _within(
    search: Search,
    rows: np.ndarray,
    labels: Integer[np.ndarray, " B"],
    members: Members,
    radius: int,
) -> dict[str, float]:
    """Precision within a radius, by the field's rule, and how many queries retrieved nothing."""
    parts = [
        within_radius(search.distances_of(part, rows), labels[part], members, radius=radius)
        for part in blocks(len(labels))
    ]
    return {
        f"precision_within_{radius}": float(np.concatenate([p.precision for p in parts]).mean()),
        f"recall_within_{radius}": float(np.concatenate([p.recall for p in parts]).mean()),
        f"retrieve_nothing_within_{radius}": sum(int((p.retrieved == 0).sum()) for p in parts),
    }
