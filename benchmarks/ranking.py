"""mAP@all of 10,000 queries x 50,000 items, tie-aware, beside the loop that the field uses.

The loop handles one query at a time: one-hot labels are multiplied to find what is relevant, the
distances are sorted by argsort, and precision is averaged over the relevant ranks. It breaks ties
by position; ours averages over all orders. Both get the same tables of squared distances and codes,
in one run and in turns; the loop is timed on a sample of queries; of each the quickest turn counts,
because other work on the machine only ever adds. Compiling (once on a machine) is timed apart.
Targets: 3 s at 16 bits, 8 s at 32, 20 times faster than the loop, 2 GB; a million items near-linear.
"""

from __future__ import annotations

import resource
import time
from typing import Any

import numpy as np

from gsl_tutorial.course.results.saved_runs import load_shipped
from gsl_tutorial.evaluation import (
    group_codes,
    mean_average_precision,
    streamed_average_precisions,
)
from gsl_tutorial.quantizers import ProductQuantizer

_SAMPLE = 250
_TURNS = 4
_MILLION = 1_000_000


def measure() -> dict[str, Any]:
    run = load_shipped("cifar10-p2-32bit")
    quantizer, codes = run.model.quantizer, run.codes
    query, database = run.query, run.database
    results: dict[str, Any] = {"queries": len(query), "items": len(database)}
    first, _ = _grouped(quantizer, query, codes, database.labels)
    second, _ = _grouped(quantizer, query, codes, database.labels)
    results["compiling_seconds"] = max(0.0, first - second)
    sixteen = ProductQuantizer(2, 256, random_state=0).fit(database.z)
    targets = {16: 3.0, 32: 8.0}
    for bits, pq, items in ((32, quantizer, codes), (16, sixteen, sixteen.encode(database.z))):
        turns = [
            (
                *_grouped(pq, query, items, database.labels),
                *_loop(pq, query, items, database.labels),
            )
            for _ in range(_TURNS)
        ]
        ours = min(turn[0] for turn in turns)
        loop = min(turn[2] for turn in turns) * len(query) / _SAMPLE
        results[f"{bits}_bits"] = {
            "distinct_codes": len(np.unique(items, axis=0)),
            "seconds": ours,
            "seconds_of_each_turn": [turn[0] for turn in turns],
            "seconds_target": targets[bits],
            "loop_seconds_for_all_queries": loop,
            "times_faster": loop / ours,
            "times_faster_target": 20.0,
            "map": turns[0][1],
            "loop_map_on_sample": turns[0][3],
        }
    sample = slice(0, _SAMPLE)
    distances = quantizer.distances(query.z[sample], codes)
    started = time.perf_counter()
    mean_average_precision(distances, query.labels[sample], database.labels)
    results["dense_seconds_for_all_queries"] = (
        (time.perf_counter() - started) * len(query) / _SAMPLE
    )
    results["peak_memory_mb"] = _peak_mb()
    results["peak_memory_mb_target"] = 2048
    results["a_million_items"] = _million(quantizer, query, codes, database)
    return results


def _million(pq: ProductQuantizer, query: Any, codes: np.ndarray, database: Any) -> dict[str, Any]:
    """The same queries against 20 shaken copies of the database; a sample of them, and memory."""
    rng = np.random.default_rng(0)
    copies = _MILLION // len(database)
    spread = 0.1 * database.z.std()
    many = np.concatenate(
        [
            pq.encode(database.z + rng.normal(0, spread, database.z.shape).astype(np.float32))
            for _ in range(copies)
        ]
    )
    labels = np.tile(database.labels, copies)
    some = slice(0, 2 * _SAMPLE)
    part = type(query)(query.z[some], query.labels[some], query.predicted[some])
    small = min(_ranked(pq, part, *group_codes(codes, database.labels))[0] for _ in range(_TURNS))
    before = _peak_mb()
    started = time.perf_counter()
    distinct, members = group_codes(many, labels)
    grouping = time.perf_counter() - started
    memory_of_grouping = _peak_mb()
    large = min(_ranked(pq, part, distinct, members)[0] for _ in range(2))
    scale = len(query) / len(part)
    return {
        "distinct_codes": len(distinct),
        "grouping_seconds": grouping,
        "seconds_for_all_queries": large * scale + grouping,
        "times_the_items": copies,
        "times_the_distinct_codes": len(distinct) / len(np.unique(codes, axis=0)),
        "times_the_seconds": large / small,
        "peak_memory_mb": [before, memory_of_grouping, _peak_mb()],
    }


def _grouped(
    pq: ProductQuantizer, query: Any, codes: np.ndarray, labels: np.ndarray
) -> tuple[float, float]:
    started = time.perf_counter()
    grouped = group_codes(codes, labels)
    grouping = time.perf_counter() - started
    seconds, value = _ranked(pq, query, *grouped)
    return grouping + seconds, value


def _ranked(
    pq: ProductQuantizer, query: Any, distinct: np.ndarray, members: dict[int, np.ndarray]
) -> tuple[float, float]:
    started = time.perf_counter()
    each = streamed_average_precisions(
        lambda rows: pq.distances(query.z[rows], distinct), query.labels, members
    )
    return time.perf_counter() - started, float(each.mean())


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _loop(
    pq: ProductQuantizer, query: Any, codes: np.ndarray, labels: np.ndarray
) -> tuple[float, float]:
    one_hot = np.eye(10, dtype=np.float32)
    query_labels, database_labels = one_hot[query.labels], one_hot[labels]
    started = time.perf_counter()
    total = 0.0
    for i in range(_SAMPLE):
        relevant = (query_labels[i] @ database_labels.T) > 0
        distance = pq.distances(query.z[i : i + 1], codes)[0]
        ranked = relevant[np.argsort(distance)]
        ranks = np.flatnonzero(ranked) + 1.0
        total += np.mean(np.arange(1, len(ranks) + 1) / ranks)
    return time.perf_counter() - started, total / _SAMPLE
