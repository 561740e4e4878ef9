"""A sharded index against one faiss index (the limit) and against brute force, in one run.

Ratios are what counts: they survive a busy machine better than seconds. `gsl-tutorial scale bench`
measures the large sizes; their records are in `data/results/scale`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from benchmarks.timing import in_turn
from gsl_tutorial import ProductQuantizer
from gsl_tutorial.course.scale.building import build_index
from gsl_tutorial.course.scale.cluster import connect
from gsl_tutorial.course.scale.searching import search_index
from gsl_tutorial.course.scale.sources import SyntheticVectors
from gsl_tutorial.quantizers.faiss_index import to_faiss

N, QUERIES, K, SHARDS = 200_000, 100, 10, 4


def measure() -> dict[str, Any]:
    faiss.omp_set_num_threads(1)
    source = SyntheticVectors(N)
    vectors, queries = source.rows(0, N), source.queries(QUERIES)
    quantizer = ProductQuantizer(8, 256, random_state=0).fit(vectors[:20_000])
    one, flat = to_faiss(quantizer, quantizer.encode(vectors)), faiss.IndexFlatL2(source.dim)
    flat.add(vectors)
    with (
        tempfile.TemporaryDirectory() as folder,
        connect(workers=2) as processes,
    ):
        index = build_index(source, quantizer, Path(folder), shard_size=N // SHARDS)
        seconds = in_turn(
            {
                "one_index": lambda: one.search(queries, K),
                "brute_force": lambda: flat.search(queries, K),
                "shards_in_this_process": lambda: search_index(index, queries, K),
                "shards_on_two_processes": lambda: search_index(
                    index, queries, K, client=processes
                ),
            },
            repeats=7,
        )
        equal = np.array_equal(search_index(index, queries, K).ids, one.search(queries, K)[1])
    return {
        "vectors": N, "dim": source.dim, "code_bytes": 8, "queries": QUERIES, "k": K, "shards": SHARDS,
        "seconds": {name: round(value, 5) for name, value in seconds.items()},
        "ratio_to_one_index": {
            name: round(value / seconds["one_index"], 3) for name, value in seconds.items()
        },
        "equal_to_one_index": bool(equal),
    }  # fmt: skip
