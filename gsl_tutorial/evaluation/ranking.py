"""A ranking, condensed: for every query the tie groups that hold something relevant, and nothing else.

Every measure of `average_precision` and `at_rank` is a sum over these groups (`TieGroups`). `Members` says
which items a database holds and what is relevant to whom; `relevant_runs` condenses the distances of
some queries; `stream` does so for many queries, a few at a time and in threads, so that memory stays
flat however many there are.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool, Float, Integer, Real

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.evaluation.relevance import Relevance
from gsl_tutorial.evaluation.sorting import bits_for, flagged
from gsl_tutorial.evaluation.ties import Carried, TieGroups, runs_by_sorting, runs_of_flagged
from gsl_tutorial.validation import as_array, describe

# Distances that one thread works on at a time: few enough for the cache, enough to be worth a call.
_CACHED = 100_000
# So few distances are ranked before a pool of threads has started.
_ONE_THREAD = 100_000

# Bytes that the hits of queries seen before may take.
_REMEMBERED = 32_000_000

T = TypeVar("T")


class Members(Mapping[Any, Integer[np.ndarray, " U"]]):
    """What a database holds: U groups of items that are always tied, and how many of each label.

    A group is a distinct code (`of_groups`, `of_counts`) or a single item (`of_labels`). As a
    mapping it has, for each label, the number of its items in each group; with several labels for
    each item, an item counts for each of them.

    Parameters
    ----------
    relevance
        Labels of E entries: items of one label (or set of labels) in one group.
    group, count
        (E,) The entry's group and how many items it stands for; None: each is an item and a group.
    n_groups
        U, where `group` is given.
    """

    __hash__ = object.__hash__
    __eq__ = object.__eq__

    def __init__(
        self,
        relevance: Relevance,
        group: Integer[np.ndarray, " E"] | None = None,
        count: Integer[np.ndarray, " E"] | None = None,
        n_groups: int = 0,
    ) -> None:
        self.relevance = relevance
        self.group, self.count = group, count
        # Hits of queries seen before: many have the same label.
        self._known: dict[bytes, Integer[np.ndarray, " U"]] = {}
        self.n_groups = len(relevance) if group is None else n_groups

    @cached_property
    def sizes(self) -> Integer[np.ndarray, " U"]:
        """How many items each group has."""
        if self.group is None or self.count is None:
            return np.ones(self.n_groups, dtype=np.int32)
        return np.bincount(self.group, self.count, minlength=self.n_groups).astype(np.int32)

    @classmethod
    def of_labels(cls, labels: object) -> Members:
        """Every item a group of its own."""
        return cls(Relevance.of(labels))

    @classmethod
    def of_groups(
        cls, group: Integer[np.ndarray, " N"], labels: object, *, n_groups: int
    ) -> Members:
        """From the group and the label (or labels) of each of N items.

        Parameters
        ----------
        group
            (N,) From 0 to n_groups - 1.
        labels
            What `validation.as_labels` takes.
        n_groups
            U.
        """
        relevance = Relevance.of(labels)
        numbers = relevance.numbers().astype(np.int64)
        n_kinds = int(numbers.max(initial=0)) + 1
        # Items of one label in one group are one entry.
        _, first, count = np.unique(
            group * n_kinds + numbers, return_index=True, return_counts=True
        )
        return cls(relevance.take(first), group[first], count.astype(np.int32), n_groups)

    @classmethod
    def of_counts(cls, counts: Mapping[Any, Integer[np.ndarray, " U"]]) -> Members:
        """From a dictionary: for each label, the number of its items in each group."""
        if isinstance(counts, Members):
            return counts
        known = list(counts)
        table = np.stack([counts[label] for label in known] or [np.zeros(0, np.int32)])
        number, group = np.nonzero(table)
        labels = np.array(known, dtype=None if known else np.int64)[number]
        return cls(
            Relevance.of(labels), group, table[number, group].astype(np.int32), table.shape[1]
        )

    def __getitem__(self, label: Any) -> Integer[np.ndarray, " U"]:
        found = self.relevance.carrying(label)
        if not found.any():
            raise KeyError(label)
        return self._of_entries(found)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.relevance.names())

    def __len__(self) -> int:
        return len(self.relevance.names())

    def relevant_to(
        self, query_labels: object
    ) -> Integer[np.ndarray, "B U"] | Bool[np.ndarray, "B U"]:
        """How many items of each group are relevant to each query; truth values for single items."""
        return self._hits(self.relevance.asked(query_labels))

    def _hits(self, asked: np.ndarray) -> np.ndarray:
        if self.group is None:
            return self.relevance.relevant(asked)
        hits = np.empty((len(asked), self.n_groups), np.int32)
        for row, one in zip(hits, asked, strict=True):
            name = one.tobytes()
            known = self._known.get(name)
            if known is None:
                known = self._of_entries(self.relevance.relevant(one[None])[0])
                if (len(self._known) + 1) * known.nbytes <= _REMEMBERED:
                    self._known[name] = known
            row[:] = known
        return hits

    def _of_entries(self, found: Bool[np.ndarray, " E"]) -> Integer[np.ndarray, " U"]:
        """How many items of each group the chosen entries stand for."""
        if self.group is None or self.count is None:
            return found.astype(np.int32)
        chosen = np.flatnonzero(found)
        n = np.bincount(self.group[chosen], self.count[chosen], minlength=self.n_groups)
        return n.astype(np.int32)

    def graded(
        self, query_labels: object, gains: Float[np.ndarray, " V"]
    ) -> tuple[Integer[np.ndarray, "B U"], Float[np.ndarray, "B U"], Integer[np.ndarray, "B V"]]:
        """Relevant items of each group; their gains added up; and how many items have each gain.

        Parameters
        ----------
        query_labels
            The labels of B queries, as in `average_precision.average_precisions`.
        gains
            (V,) What an item is worth that shares 0, 1, 2, ... labels with the query.

        Returns
        -------
        hits
            (B, U) How many items of each group are relevant.
        gained
            (B, U) What they are worth together.
        levels
            (B, V) How many items share 0, 1, ..., V - 1 labels with the query.
        """
        return self._graded(self.relevance.asked(query_labels), gains)

    def _graded(
        self, asked: np.ndarray, gains: Float[np.ndarray, " V"]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        U = self.n_groups
        hits, gained = np.zeros((len(asked), U), np.int32), np.zeros((len(asked), U))
        levels = np.zeros((len(asked), len(gains)), np.int64)
        for b in range(len(asked)):
            shared = self.relevance.shared(asked[b : b + 1])[0]
            levels[b] = np.bincount(shared, self.count, minlength=len(gains))
            if self.group is None or self.count is None:
                hits[b], gained[b] = shared > 0, gains[shared]
            else:
                hits[b] = self._of_entries(shared > 0)
                gained[b] = np.bincount(self.group, self.count * gains[shared], minlength=U)
        return hits, gained, levels


def relevant_runs(
    distances: Real[np.ndarray, "B U"],
    query_labels: object,
    members: Members,
    *,
    gains: Float[np.ndarray, " V"] | None = None,
) -> TieGroups:
    """Condense the distances of B queries to the groups of `members`.

    Parameters
    ----------
    distances
        (B, U) From each query to each group.
    query_labels
        As in `average_precision.average_precisions`.
    members
        What the groups stand for.
    gains
        (V,) What an item is worth that shares 0, 1, 2, ... labels with the query, for `TieGroups.gain`;
        None: relevance has no grades.

    Raises
    ------
    InvalidInputError
        On NaN, complex or non-numeric distances and on shapes that do not fit.
    """
    return _runs(distances, members.relevance.asked(query_labels), members, gains)


def _runs(
    distances: Any, asked: np.ndarray, members: Members, gains: Float[np.ndarray, " V"] | None
) -> TieGroups:
    distances = as_array(distances, name="distances")
    if distances.shape != (len(asked), members.n_groups):
        raise InvalidInputError(
            f"distances ({len(asked)}, {members.n_groups}): a row for each query, a column "
            "for each item, or one for each distinct code of `group_codes`",
            describe(distances),
            "rows are queries; compute the distances to what the labels or counts belong to",
        )
    check_distances(distances)
    gained = levels = None
    if gains is None:
        hits = members._hits(asked)
    else:
        hits, gained, levels = members._graded(asked, gains)
    carried = None
    if members.group is not None or gains is not None:
        carried = Carried(bits_for(members.n_groups), members.sizes, hits, gained)
    keys = None
    if distances.size:
        keys = flagged(
            distances, hits.astype(bool, copy=False), n_bits=carried.n_bits if carried else 0
        )
    if keys is None:
        runs = runs_by_sorting(distances, members.sizes, hits, gained)
    else:
        runs = runs_of_flagged(keys, carried)
    return runs._replace(levels=levels)


def stream(
    distances_of: Callable[[slice], Real[np.ndarray, "b U"]],
    query_labels: object,
    members: Members,
    score: Callable[[TieGroups], T],
    *,
    gains: Float[np.ndarray, " V"] | None = None,
) -> Iterator[T]:
    """`score` of the runs of all queries, a few queries at a time, in order.

    Parameters
    ----------
    distances_of
        Gives the distances of the queries in a slice to the U groups. Where there is much to do it
        is called in threads, one for each core, and never for more queries than the cache holds.
    query_labels, members, gains
        As in `relevant_runs`.
    score
        What is wanted of the runs of some queries.

    Yields
    ------
    T
        What `score` returned, block by block. Only a few results wait at any time.

    Raises
    ------
    InvalidInputError
        As `relevant_runs`; nothing is checked twice.
    """
    asked = members.relevance.asked(query_labels)
    n_queries, n_groups = len(asked), members.n_groups
    threads = n_cores() if n_queries * n_groups > _ONE_THREAD else 1
    size = max(1, min(_CACHED // max(1, n_groups), math.ceil(n_queries / threads)))
    parts = [slice(i, min(i + size, n_queries)) for i in range(0, n_queries, size)]

    def work(rows: slice) -> T:
        return score(_runs(distances_of(rows), asked[rows], members, gains))

    if threads == 1 or len(parts) == 1:
        yield from map(work, parts)
        return
    waiting: deque[Future[T]] = deque()
    # NumPy releases the interpreter lock while it sorts, so threads help.
    with ThreadPoolExecutor(threads) as pool:
        for rows in parts:
            waiting.append(pool.submit(work, rows))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def n_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_distances(distances: np.ndarray) -> None:
    """Refuse what cannot be ranked: complex numbers, text, truth values, NaN.

    Raises
    ------
    InvalidInputError
        When there are some.
    """
    if distances.dtype.kind not in "iuf":
        raise InvalidInputError("real distances", describe(distances), "pass numbers")
    # The largest of some numbers is NaN as soon as one of them is.
    if distances.dtype.kind == "f" and distances.size and math.isnan(distances.max()):
        raise InvalidInputError(
            "distances without NaN", "NaN", "look for NaN embeddings before searching"
        )


def check_labels(distances: np.ndarray, query: np.ndarray, database: np.ndarray) -> None:
    """Refuse labels that are not one row for each row and each column of the distances.

    Parameters
    ----------
    distances
        (B, N) From each query to each item.
    query, database
        What `validation.as_labels` returned.

    Raises
    ------
    InvalidInputError
        When shapes or kinds of labels do not fit.
    """
    if query.ndim != database.ndim or distances.shape != (len(query), len(database)):
        raise InvalidInputError(
            "distances (B, N), query labels (B,), database labels (N,); or with several labels for each "
            "item (B, L) and (N, L) truth values",
            f"{describe(distances)}, {describe(query)}, {describe(database)}",
            "rows are queries and columns are database items",
        )


def runs_of_one(distances: Real[np.ndarray, " N"], relevant: Bool[np.ndarray, " N"]) -> TieGroups:
    """The runs of one query whose relevant items are given one by one.

    Parameters
    ----------
    distances
        (N,) Smaller is better.
    relevant
        (N,) Which items count.

    Raises
    ------
    InvalidInputError
        As `check_distances`.
    """
    check_distances(distances)
    keys = flagged(distances[None], relevant[None]) if len(distances) else None
    if keys is not None:
        return runs_of_flagged(keys)
    return runs_by_sorting(distances[None], np.ones(len(distances), np.int32), relevant[None])
