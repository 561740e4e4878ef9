"""Search a sharded index: each shard gives its nearest, and the lists are merged into one.

The answer is that of one index over all vectors, bit for bit, whatever the number of shards and workers,
and whoever dies while it is computed. An answer that is not complete is given only to those who ask for
it, and says what is missing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import faiss
import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.course.scale.building import ShardedIndex
from gsl_tutorial.course.scale.errors import ClusterTimeout
from gsl_tutorial.course.scale.merging import Lists, merge_lists
from gsl_tutorial.course.scale.shards import ShardCard, open_shard
from gsl_tutorial.validation import as_vectors, check_count

if TYPE_CHECKING:
    from distributed import Client

#: Queries that travel together: their lists are merged before the next ones leave.
AT_ONCE = 2048


@dataclass(frozen=True)
class Partial:
    """What one task did, for those who watch.

    Attributes
    ----------
    shard
        Which shard it searched.
    worker, process
        Where: the name that Dask gave the worker, and the number of its process.
    began, ended
        Seconds of the wall clock.
    distances, ids
        (B, k) Its list.
    """

    shard: int
    worker: str
    process: int
    began: float
    ended: float
    distances: Float[np.ndarray, "B k"]
    ids: Integer[np.ndarray, "B k"]


@dataclass(frozen=True)
class Found:
    """The nearest vectors of each query.

    Attributes
    ----------
    distances, ids
        (B, k) Nearest first, of equal distances the smaller id first; infinite and -1 where there
        are not so many.
    missing
        Shards that did not answer in time, where a partial answer was asked for; else ().
    n_searched
        How many vectors were looked at.
    """

    distances: Float[np.ndarray, "B k"]
    ids: Integer[np.ndarray, "B k"]
    missing: tuple[int, ...]
    n_searched: int


def search_index(
    index: ShardedIndex,
    queries: Float[np.ndarray, "B dim"],
    k: int = 10,
    *,
    client: Client | None = None,
    timeout_s: float | None = None,
    partial: bool = False,
    on_partial: Callable[[Partial], None] | None = None,
) -> Found:
    """Search all shards and merge.

    Parameters
    ----------
    index
        Complete; its folder must be seen by all workers.
    queries
        (B, dim) One vector a row, B 1 or more.
    k
        How many neighbours.
    client
        A Dask client (`cluster.connect`); None: this process searches, one shard after the other.
    timeout_s
        How long a block of queries may take on a cluster; None: as long as it takes.
    partial
        Whether what has come by then is an answer.
    on_partial
        Called with the list of each shard when it comes.

    Returns
    -------
    Found
        Equal to the search of one index.

    Raises
    ------
    InvalidInputError
        For queries of another length, and for shards that do not make up one index.
    DataMissingError, ChecksumError, RunMismatchError
        For shards that are missing, damaged or of another index, each by its number.
    ClusterTimeout
        When time is up and a partial answer was not asked for, or nothing has come.
    ClusterError
        When the scheduler is gone.
    """
    queries = as_vectors(queries, dim=index.dim, name="queries")
    check_count(k, name="k", low=1)
    check_count(len(queries), name="the number of queries", low=1)
    cards = index.cards()
    blocks, missing = [], set[int]()
    for first in range(0, len(queries), AT_ONCE):
        block, lost = _search_block(
            index, cards, queries[first : first + AT_ONCE], k,
            client=client, timeout_s=timeout_s, partial=partial, on_partial=on_partial,
        )  # fmt: skip
        blocks.append(block)
        missing |= lost
    searched = sum(card.n for card in cards if card.number not in missing)
    distances, ids = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return Found(distances, ids, tuple(sorted(missing)), searched)


def search_shard(
    folder: Path, card: ShardCard, queries: Float[np.ndarray, "B dim"], k: int
) -> Partial:
    """The nearest vectors of one shard: the task of a worker.

    Parameters
    ----------
    folder
        Of the whole index.
    card
        Of the shard.
    queries
        (B, dim) Checked before.
    k
        How many neighbours.

    Raises
    ------
    DataMissingError, ChecksumError, InvalidInputError
        As `shards.open_shard`.
    """
    faiss.omp_set_num_threads(1)  # the cluster decides how many work at once
    began = time.time()
    shard = open_shard(folder, card, dim=queries.shape[1])
    distances, ids = shard.search(queries, min(k, card.n))
    ids[ids >= 0] += card.start
    return Partial(card.number, _worker(), os.getpid(), began, time.time(), distances, ids)


def _search_block(
    index: ShardedIndex,
    cards: Sequence[ShardCard],
    queries: Float[np.ndarray, "B dim"],
    k: int,
    *,
    client: Client | None,
    timeout_s: float | None,
    partial: bool,
    on_partial: Callable[[Partial], None] | None,
) -> tuple[Lists, set[int]]:
    best: Lists | None = None
    missing = {card.number for card in cards}

    def take(answer: Partial) -> None:
        nonlocal best
        missing.discard(answer.shard)
        lists = [(answer.distances, answer.ids)]
        best = merge_lists(lists if best is None else [best, *lists], k)
        if on_partial is not None:
            on_partial(answer)

    if client is None:
        for card in cards:
            take(search_shard(index.folder, card, queries, k))
    else:
        from gsl_tutorial.course.scale.cluster import answers

        tasks = {card.number: (search_shard, index.folder, card, queries, k) for card in cards}
        try:
            for _, answer in answers(client, tasks, what="search of shard", timeout_s=timeout_s):
                take(answer)
        except ClusterTimeout:
            if not partial or best is None:
                raise
    return best, missing  # type: ignore[return-value]  # there is at least one shard


def _worker() -> str:
    """The name of this worker, or "this process"."""
    try:
        from distributed import get_worker

        return str(get_worker().name)
    except (ImportError, ValueError):
        return "this process"
