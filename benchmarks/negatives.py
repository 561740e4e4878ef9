"""Hard negatives in real time: what a draw costs from ten thousand to ten million items.

Three ways to get 8 negatives for each of 256 positives: uniform; from the positive's own inverted list,
with its expected counts; and the naive way, which scores the whole catalogue and keeps the hardest. Seconds
are those of the processor, on one thread, so that other work on the machine does not count. For the naive
way a few positives are scored at once, as memory allows, and the time is multiplied.

A refresh of the cells is timed in its steps: k-means on a sample, assigning in shards, building the lists;
and how many batches were drawn while a refresh ran in the background.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gsl_tutorial.course.two_tower.refresh import BackgroundRefresh, streamed_cells
from gsl_tutorial.course.two_tower.sampling import InvertedLists, SameCell, Uniform

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
BATCH, NEGATIVES, DIM = 256, 8, 16
#: Items of a cell, on average: more items, more cells.
PER_CELL = 1000
SHARD = 250_000


def measure() -> dict[str, Any]:
    rows = [_one_size(n) for n in SIZES]
    first, last = rows[0], rows[-1]
    return {
        "batch": BATCH,
        "negatives": NEGATIVES,
        "sizes": rows,
        "items_grow_by": last["items"] // first["items"],
        "list_draw_grows_by": round(last["list_ms"] / first["list_ms"], 1),
        "naive_grows_by": round(last["naive_ms"] / first["naive_ms"], 1),
        "refresh": _refresh(1_000_000),
    }


def _one_size(n: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    labels = rng.integers(max(2, n // PER_CELL), size=n)
    lists = InvertedLists.of(labels)
    cells, uniform = SameCell(lists, NEGATIVES), Uniform(n, NEGATIVES)
    batches = [rng.integers(n, size=BATCH) for _ in range(50)]

    def draw(source: SameCell | Uniform) -> float:
        return _seconds(lambda b: source.expected(source.draw(b, rng), b), batches)

    # Unit vectors are not needed to see what scoring costs.
    vectors = rng.standard_normal((n, DIM), dtype=np.float32)
    few = max(1, min(BATCH, 20_000_000 // n))
    naive = _seconds(lambda b: _hardest(vectors, b[:few]), batches[:3]) * BATCH / few
    drawn, listed = draw(uniform), draw(cells)
    kept = sum(one.nbytes for one in (lists.labels, lists.items, lists.place, lists.starts))
    return {
        "items": n,
        "cells": len(lists.starts) - 1,
        "uniform_ms": round(1000 * drawn, 3),
        "list_ms": round(1000 * listed, 3),
        "naive_ms": round(1000 * naive, 1),
        "naive_scored_at_once": few,
        "list_over_uniform": round(listed / drawn, 1),
        "naive_over_list": round(naive / listed),
        "list_mb_a_million": round(kept / n, 1),
    }


def _hardest(vectors: np.ndarray, positives: np.ndarray) -> np.ndarray:
    scores = vectors[positives] @ vectors.T
    return np.argpartition(scores, -NEGATIVES, axis=1)[:, -NEGATIVES:]


def _seconds(what: Callable[[np.ndarray], object], batches: list[np.ndarray]) -> float:
    """Of the processor, the median over batches; the first one warms up."""
    spent = []
    for batch in batches:
        begun = time.process_time()
        what(batch)
        spent.append(time.process_time() - begun)
    return float(np.median(spent[1:]))


def _refresh(n: int) -> dict[str, Any]:
    n_cells = n // PER_CELL

    def shards() -> Iterator[np.ndarray]:
        for start in range(0, n, SHARD):  # each shard is made anew, and never all of them at once
            rng = np.random.default_rng([1, start])
            yield rng.standard_normal((min(SHARD, n - start), DIM), dtype=np.float32)

    def find() -> np.ndarray:
        return streamed_cells(shards, n_cells, random_state=0)

    begun = time.process_time()
    labels = find()
    clustering = time.process_time() - begun
    begun = time.process_time()
    lists = InvertedLists.of(labels)
    building = time.process_time() - begun
    source, rng = SameCell(lists, NEGATIVES), np.random.default_rng(2)
    positives = rng.integers(n, size=BATCH)
    with BackgroundRefresh(source, delay=1_000_000_000) as refresh:
        refresh.begin(0, find)
        batches, begun = 0, time.perf_counter()
        assert refresh._next is not None
        while not refresh._next[1].done():
            source.draw(positives, rng)
            batches += 1
            time.sleep(0.01)  # a training step stands here
        waited = time.perf_counter() - begun
        begun = time.perf_counter()
        refresh.at(1_000_000_000)
        swapped = time.perf_counter() - begun
    return {
        "items": n,
        "cells": n_cells,
        "cluster_and_assign_s": round(clustering, 2),
        "build_lists_s": round(building, 2),
        "batches_drawn_meanwhile": batches,
        "background_s": round(waited, 1),
        "exchange_ms": round(1000 * swapped, 3),
    }
