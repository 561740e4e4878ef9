"""From embeddings and codes to the row of a table, with everything that must stand beside it.

`measure` takes arrays, so it serves a fresh run, the shipped embeddings and anybody's own codes.
Distances are computed for some queries at a time, and only to distinct codes: memory stays flat.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.course.training.embedding import Embedded
from gsl_tutorial.evaluation import (
    average_precisions,
    group_codes,
    grouped_average_precisions,
    streamed_average_precisions,
)
from gsl_tutorial.evaluation.distances import blocks, squared_distances
from gsl_tutorial.quantizers import Quantizer
from gsl_tutorial.quantizers.faiss_index import to_faiss


@dataclass(frozen=True)
class RetrievalResult:
    """mAP@all under one protocol, and what must be printed with it.

    Attributes
    ----------
    protocol : str
        The code of the protocol.
    n_query, n_train, n_database : int
        How many images.
    train_in_database, query_in_database : bool
        What lies in the database.
    metric, denominator, ties : str
        Which mAP it is, what it divides by, and how ties count.
    bits : int
        The length of a code.
    adc_map, sdc_map, exact_map, argmax_map : float
        See `measure`.
    accuracy : float
        Of the network's classifier.
    relative_distortion : float
        Of the codes: 0 is perfect, 1 no better than the mean.
    distinct_codes : int
        In the database.
    search_seconds : float
        That faiss took for the queries.
    per_query : (B,) float array
        Average precision of each query under ADC, for paired comparisons.
    """

    protocol: str
    n_query: int
    n_train: int
    n_database: int
    train_in_database: bool
    query_in_database: bool
    metric: str
    denominator: str
    ties: str
    bits: int
    adc_map: float
    sdc_map: float
    exact_map: float
    argmax_map: float
    accuracy: float
    relative_distortion: float
    distinct_codes: int
    search_seconds: float
    #: Average precision of each query under ADC, for paired comparisons; not part of the table.
    per_query: Float[np.ndarray, " B"] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the per-query values, ready for JSON."""
        values = asdict(self)
        del values["per_query"]
        return values


def measure(
    quantizer: Quantizer,
    query: Embedded,
    database: Embedded,
    *,
    protocol: dict[str, Any],
    codes: Integer[np.ndarray, "N M"] | None = None,
    on_stage: Callable[[str], None] = lambda text: None,
) -> RetrievalResult:
    """Mean average precision over all queries and the whole database, four ways.

    ADC (the query exact, the database as codes), SDC (both as codes), exact float vectors (the
    ceiling), and the trivial code: the class that the network's classifier picks (the floor to
    beat). Ties exact, denominator the number of relevant items.

    Parameters
    ----------
    quantizer : Quantizer
        What made the codes.
    query, database : Embedded
        The embeddings of both, and their labels.
    protocol : dict
        The fields of the protocol to print: code, sizes, what lies inside the database.
    codes : (N, M) integer array, optional
        Of the database, where they are known already.
    on_stage : callable(text)
        Told in words what begins.

    Returns
    -------
    RetrievalResult
    """
    codes = quantizer.encode(database.z) if codes is None else codes
    on_stage("searching the codes with faiss")
    index = to_faiss(quantizer, codes)
    started = time.perf_counter()
    index.search(query.z, 10)
    search_seconds = time.perf_counter() - started

    distinct, members = group_codes(codes, database.labels)

    def ranked(queries: Float[np.ndarray, "B dim"]) -> Float[np.ndarray, " B"]:
        return streamed_average_precisions(
            lambda rows: quantizer.distances(queries[rows], distinct), query.labels, members
        )

    on_stage("ranking by ADC")
    adc = ranked(query.z)
    on_stage("ranking by SDC")
    sdc = ranked(quantizer.decode(quantizer.encode(query.z)))
    on_stage("ranking by exact distances")
    exact = [
        average_precisions(
            squared_distances(query.z[rows], database.z), query.labels[rows], database.labels
        )
        for rows in blocks(len(query))
    ]
    return RetrievalResult(
        **protocol,
        metric="mAP@all",
        denominator="relevant",
        ties="exact",
        bits=quantizer.bits,
        adc_map=float(adc.mean()),
        sdc_map=float(sdc.mean()),
        exact_map=float(np.concatenate(exact).mean()),
        argmax_map=argmax_map(query, database),
        accuracy=float((query.predicted == query.labels).mean()),
        relative_distortion=quantizer.relative_distortion(database.z),
        distinct_codes=len(distinct),
        search_seconds=search_seconds,
        per_query=adc,
    )


def argmax_map(query: Embedded, database: Embedded) -> float:
    """mAP of the trivial code: items of the predicted class first, all tied; then all others.

    Parameters
    ----------
    query, database : Embedded
        What the classifier predicts, and the labels.

    Returns
    -------
    float
    """
    classes, members = group_codes(database.predicted[:, None], database.labels)
    other = (query.predicted[:, None] != classes[None, :, 0]).astype(np.float32)
    return float(grouped_average_precisions(other, query.labels, members).mean())
