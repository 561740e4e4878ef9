"""A ranking, condensed: for every query the tie groups that hold something relevant, and nothing else.

Every measure of `evaluation` and `curves` is a sum over these groups (`ties.Runs`). `Members` says what
is relevant to whom; `relevant_runs` condenses the distances of some queries; `stream` does so for
many queries, a few at a time and in threads, so that memory stays flat however many there are.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Bool, Integer, Real

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.evaluation.ties import Runs, runs_by_sorting
from gsl_tutorial.validation import describe

#: From so many distances on, compiling (seconds, once on a machine) is worth it: NumPy needs a second.
COMPILED_FROM = 10_000_000

# Distances that one thread works on at a time: few enough for the cache, enough to be worth a call.
_CACHED = 800_000

T = TypeVar("T")


@dataclass(frozen=True)
class Members:
    """What a database holds: U groups of items that are always tied, and how many of each label.

    A group is a distinct code (`of_counts`) or a single item (`of_labels`). Label number c has its
    items in groups[starts[c] : starts[c + 1]], counts[...] of them in each; after the last label
    stands an empty one, for labels that the database lacks.
    """

    labels: Integer[np.ndarray, " C"]
    starts: Integer[np.ndarray, " C+2"]
    groups: Integer[np.ndarray, " R"]
    counts: Integer[np.ndarray, " R"]
    sizes: Integer[np.ndarray, " U"]

    @classmethod
    def of_labels(cls, labels: Integer[np.ndarray, " N"]) -> Members:
        """Every item a group of its own."""
        known, number = np.unique(labels, return_inverse=True)
        order = np.argsort(number, kind="stable").astype(np.int32)
        ones = np.ones(len(labels), dtype=np.int32)
        return cls(known, _starts(np.bincount(number, minlength=len(known))), order, ones, ones)

    @classmethod
    def of_counts(cls, counts: Mapping[int, Integer[np.ndarray, " U"]]) -> Members:
        """From the dictionary of `group_codes`: for each label, its items in each group."""
        known = np.array(sorted(counts), dtype=np.int64)
        table = np.stack([counts[label] for label in known.tolist()] or [np.zeros(0, np.int32)])
        number, groups = np.nonzero(table)
        sizes = np.bincount(number, minlength=len(known))
        return cls(
            known,
            _starts(sizes),
            groups.astype(np.int32),
            table[number, groups].astype(np.int32),
            table.sum(axis=0, dtype=np.int32),
        )

    def number_of(self, query_labels: Integer[np.ndarray, " B"]) -> Integer[np.ndarray, " B"]:
        """The number c of each query's label; C where the database has nothing of it."""
        place = np.searchsorted(self.labels, query_labels)
        known = place < len(self.labels)
        known[known] = self.labels[place[known]] == query_labels[known]
        return np.where(known, place, len(self.labels))

    def relevant_to(self, query_labels: Integer[np.ndarray, " B"]) -> Integer[np.ndarray, "B U"]:
        """How many items of each group are relevant to each query."""
        hits = np.zeros((len(query_labels), len(self.sizes)), dtype=np.int32)
        for row, c in zip(hits, self.number_of(query_labels).tolist(), strict=True):
            part = slice(self.starts[c], self.starts[c + 1])
            row[self.groups[part]] = self.counts[part]
        return hits


def relevant_runs(
    distances: Real[np.ndarray, "B U"],
    query_labels: Integer[np.ndarray, " B"],
    members: Members,
    *,
    compiled: bool = False,
) -> Runs:
    """Condense the distances of B queries to the groups of `members`.

    compiled: use `evaluation.compiled`, for distances that float32 holds exactly; others are sorted.
    Raises `InvalidInputError` on NaN, complex or non-numeric distances and on shapes that do not fit.
    """
    distances = np.asarray(distances)
    if distances.shape != (len(query_labels), len(members.sizes)):
        raise InvalidInputError(
            f"distances ({len(query_labels)}, {len(members.sizes)}): a row for each query, a column "
            "for each item, or one for each distinct code of `group_codes`",
            describe(distances),
            "rows are queries; compute the distances to what the labels or counts belong to",
        )
    check_distances(distances)
    if not compiled or not np.can_cast(distances.dtype, np.float32) or not distances.size:
        return runs_by_sorting(distances, members.sizes, members.relevant_to(query_labels))
    from gsl_tutorial.evaluation.compiled import runs_by_counting  # late: numba takes half a second

    which = members.number_of(query_labels)
    most = int((members.starts[which + 1] - members.starts[which]).sum())
    row, runs = np.empty(most, dtype=np.int64), np.empty((4, most))
    n_buckets = 1 << min(16, max(8, distances.shape[1].bit_length() - 1))
    found = runs_by_counting(
        np.ascontiguousarray(distances, dtype=np.float32),
        members.sizes,
        which,
        members.starts,
        members.groups,
        members.counts,
        n_buckets,
        row,
        runs,
    )
    totals = np.add.reduceat(np.append(members.counts, 0), members.starts[:-1], dtype=np.int64)
    totals[members.starts[1:] == members.starts[:-1]] = 0
    n, r, n_before, r_before = runs[:, :found]
    relevant = totals[which].astype(np.float64)
    return Runs(row[:found], n, r, n_before, r_before, relevant, int(members.sizes.sum()))


def stream(
    distances_of: Callable[[slice], Real[np.ndarray, "b U"]],
    query_labels: Integer[np.ndarray, " B"],
    members: Members,
    score: Callable[[Runs], T],
) -> Iterator[T]:
    """`score` of the runs of all queries, a few queries at a time, in order.

    distances_of: gives the distances of the queries in a slice to the U groups; it is called in
    threads, one for each core, and never for more queries than the cache holds. Only a few results
    wait at any time. Nothing is checked twice: errors are those of `relevant_runs`.
    """
    n_queries, n_groups = len(query_labels), len(members.sizes)
    size = max(1, _CACHED // max(1, n_groups))
    compiled = n_queries * n_groups >= COMPILED_FROM

    def work(rows: slice) -> T:
        runs = relevant_runs(distances_of(rows), query_labels[rows], members, compiled=compiled)
        return score(runs)

    threads = os.cpu_count() or 1
    waiting: deque[Future[T]] = deque()
    # NumPy and the compiled loop release the interpreter lock, so threads help.
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, n_queries, size):
            waiting.append(pool.submit(work, slice(start, min(start + size, n_queries))))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def check_distances(distances: np.ndarray) -> None:
    """Refuse what cannot be ranked: complex numbers, text, truth values, NaN."""
    if not np.issubdtype(distances.dtype, np.number) or np.iscomplexobj(distances):
        raise InvalidInputError("real distances", describe(distances), "pass numbers")
    if np.isnan(distances).any():
        raise InvalidInputError(
            "distances without NaN", "NaN", "look for NaN embeddings before searching"
        )


def check_labels(distances: np.ndarray, query: np.ndarray, database: np.ndarray) -> None:
    """Refuse labels that are not one for each row and one for each column of the distances."""
    if query.ndim != 1 or database.ndim != 1 or distances.shape != (len(query), len(database)):
        raise InvalidInputError(
            "distances (B, N), query labels (B,), database labels (N,)",
            f"{describe(distances)}, {describe(query)}, {describe(database)}",
            "rows are queries and columns are database items",
        )


def _starts(sizes: Any) -> Integer[np.ndarray, " C+2"]:
    return np.concatenate([[0], np.cumsum(sizes), [np.sum(sizes)]]).astype(np.int64)


def runs_of_one(distances: Real[np.ndarray, " N"], relevant: Bool[np.ndarray, " N"]) -> Runs:
    """The runs of one query whose relevant items are given one by one."""
    check_distances(distances)
    return runs_by_sorting(distances[None], np.ones(len(distances), np.int32), relevant[None])
