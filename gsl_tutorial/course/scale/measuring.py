"""Measure builds and searches of growing size, and engines beside one another, for the record.

Seconds are the processor's (one thread), so that other programs on the machine count little; where several
processes work at once, the wall clock is taken as well, the best of three, beside the processor seconds of
the busiest worker: what a machine with a free core for each of them would have waited. `load` is how many
programs wanted the machine meanwhile. Recall is against the true nearest vectors, not against other codes.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from jaxtyping import Float

from gsl_tutorial.course.scale import lists
from gsl_tutorial.course.scale.building import build_index
from gsl_tutorial.course.scale.searching import search_index
from gsl_tutorial.course.scale.shards import open_shard
from gsl_tutorial.course.scale.sources import Source, SyntheticVectors
from gsl_tutorial.quantizers import ProductQuantizer
from gsl_tutorial.quantizers.faiss_index import to_faiss

#: What is told of progress: one line.
Tell = Callable[[str], None]


def measure_size(
    n: int,
    folder: Path,
    *,
    n_queries: int = 100,
    shard_size: int = 250_000,
    workers: Sequence[int] = (1, 2, 4),
    tell: Tell = lambda line: None,
) -> dict[str, Any]:
    """Build and search an index of n synthetic vectors, 8 bytes each.

    Parameters
    ----------
    n
        How many vectors.
    folder
        Of the index; what is built there already is not built again.
    n_queries
        How many queries.
    shard_size
        Vectors in a shard.
    workers
        With how many worker processes the search is timed.
    tell
        Called with a line now and then.

    Returns
    -------
    dict
        Ready for JSON; its `seconds` are the processor's.
    """
    from gsl_tutorial.course.scale.cluster import connect

    faiss.omp_set_num_threads(1)
    source = SyntheticVectors(n)
    quantizer = ProductQuantizer(8, 256, random_state=0).fit(source.rows(0, min(n, 30_000)))
    index = build_index(
        source, quantizer, folder, shard_size=shard_size,
        on_shard=lambda card, left: tell(f"{n:,}: shard {card.number} built, {left} to come"),
    )  # fmt: skip
    cards = index.cards()
    for card in cards:  # checksums are compared before the clock starts
        open_shard(index.folder, card, dim=index.dim)
    queries = source.queries(n_queries)
    began = time.process_time()
    found = search_index(index, queries, 100)
    search_seconds = time.process_time() - began
    shard_seconds = [_shard_seconds(index, card, queries) for card in cards[-2:]]
    tell(f"{n:,}: searched; exact neighbours next")
    began = time.process_time()
    true = lists.exact_neighbours(source, queries, 1)[1]
    exact_seconds = time.process_time() - began
    record: dict[str, Any] = {
        "n": n, "dim": index.dim, "bits": index.bits, "shards": len(cards), "queries": n_queries,
        "build_seconds": round(sum(card.seconds for card in cards), 2),
        "search_seconds": round(search_seconds, 3),
        "exact_seconds_with_drawing": round(exact_seconds, 2),
        "shard_sizes": [card.n for card in cards[-2:]], "shard_seconds": shard_seconds,
        "bytes": sum(card.n_bytes for card in cards),
        "recall": {str(at): round(lists.recall(found.ids, true, at), 4) for at in (1, 10, 100)},
        "peak_memory_mb": round(peak_memory_mb(), 1), "load": round(_load(), 1),
        "workers": {},
    }  # fmt: skip
    for count in workers:
        with connect(workers=count) as client:
            search_index(index, queries[:1], 1, client=client)  # opens the shards
            walls, busiest, equal = [], [], True
            for _ in range(3):
                before = client.run(time.process_time)
                began = time.perf_counter()
                again = search_index(index, queries, 100, client=client)
                walls.append(time.perf_counter() - began)
                after = client.run(time.process_time)
                busiest.append(max(after[one] - before[one] for one in before))
                equal &= bool(np.array_equal(again.ids, found.ids))
            memory = max(client.run(peak_memory_mb).values())
        record["workers"][str(count)] = {
            "wall_seconds": round(min(walls), 3), "busiest_seconds": round(min(busiest), 3),
            "peak_memory_mb": round(memory, 1), "equal": equal,
        }  # fmt: skip
        tell(f"{n:,}: {count} workers")
    return record


def measure_engines(
    n: int,
    *,
    n_lists: int = 512,
    n_queries: int = 100,
    tell: Tell = lambda line: None,
) -> dict[str, Any]:
    """Exact search, codes, fast codes and inverted lists over the same synthetic vectors, in one run.

    Parameters
    ----------
    n
        How many vectors; all of them are held in memory for the exact search.
    n_lists
        How many inverted lists.
    n_queries
        How many queries.
    tell
        Called with a line now and then.

    Returns
    -------
    dict
        Of each engine: recall at 1, 10 and 100, queries a second of one thread, bytes a vector.
    """
    faiss.omp_set_num_threads(1)
    source = SyntheticVectors(n)
    sample, queries = source.rows(0, min(n, 30_000)), source.queries(n_queries)
    true = lists.exact_neighbours(source, queries, 1)[1]
    rows: list[dict[str, Any]] = []

    def add(name: str, search: Callable[[], Any], n_bytes: float, **more: Any) -> None:
        search()  # once for the caches
        began = time.process_time()
        ids = search()[1]
        seconds = max(time.process_time() - began, 1e-6)
        rows.append(
            {"engine": name, **more, "queries_a_second": round(n_queries / seconds, 1),
             "bytes": n_bytes, **{f"recall@{at}": lists.recall(ids, true, at) for at in (1, 10, 100)}}
        )  # fmt: skip
        tell(f"{name} {more}: {rows[-1]}")

    flat = faiss.IndexFlatL2(source.dim)
    for _, vectors in lists.blocks(source):
        flat.add(vectors)
    add("exact", lambda: flat.search(queries, 100), 4 * source.dim)
    del flat
    centroids = lists.coarse_centroids(sample, n_lists)
    wide = ProductQuantizer(8, 256, random_state=0).fit(sample)
    small = ProductQuantizer(16, 16, random_state=0).fit(sample)
    codes = np.concatenate([wide.encode(v) for _, v in lists.blocks(source)])
    one = to_faiss(wide, codes)
    add("codes 8 x 256", lambda: one.search(queries, 100), 8)
    codes = np.concatenate([small.encode(v) for _, v in lists.blocks(source)])
    fast = lists.fast_codes(small, codes)
    del codes
    add("fast codes 16 x 16", lambda: fast.search(queries, 100), 8)
    rest = lists.residuals(sample, centroids)
    residual = ProductQuantizer(8, 256, random_state=0).fit(rest)
    residual_small = ProductQuantizer(16, 16, random_state=0).fit(rest)
    for name, quantizer, options in (
        ("lists, plain codes", wide, {}),
        ("lists, residual codes", residual, {"residual": True}),
        ("lists, residual fast codes", residual_small, {"residual": True, "fast": True}),
        ("lists behind a graph, residual fast codes", residual_small,
         {"residual": True, "fast": True, "graph": True}),
    ):  # fmt: skip
        index = lists.inverted_lists(quantizer, centroids, source, **options)
        for nprobe in (1, 4, 16, 64):
            index.nprobe = nprobe
            add(name, partial(index.search, queries, 100), 16, nprobe=nprobe)
    return {"n": n, "lists": n_lists, "queries": n_queries, "engines": rows}


def growth(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """The exponent of the power law through (size, seconds): 1 is linear.

    Parameters
    ----------
    sizes, seconds
        Two or more, positive.

    Examples
    --------
    >>> round(growth([1, 10, 100], [3, 30, 300]), 6)
    1.0
    """
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def peak_memory_mb() -> float:
    """The most memory that this process ever held, pages of mapped files included (Linux)."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        import psutil

        return float(psutil.Process().memory_info().rss) / 2**20
    return next(
        int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:")
    )


def _load() -> float:
    """Programs that wanted a core during the last minute; 0 where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def _shard_seconds(index: Any, card: Any, queries: Float[np.ndarray, "B dim"]) -> float:
    shard = open_shard(index.folder, card, dim=index.dim)
    began = time.process_time()
    shard.search(queries, 100)
    return round(time.process_time() - began, 4)


def source_of(path: Path | None, n: int, dim: int, seed: int) -> Source:
    """The vectors of a file, or n synthetic ones where no file is named.

    Parameters
    ----------
    path
        A .npy file, or None.
    n, dim, seed
        Of the synthetic vectors.
    """
    from gsl_tutorial.course.scale.sources import VectorFile

    return VectorFile(str(path)) if path is not None else SyntheticVectors(n, dim=dim, seed=seed)
