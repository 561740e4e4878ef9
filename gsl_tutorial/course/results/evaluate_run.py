"""Measure a trained run under a protocol, and lay out what was found with the facts of the run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Integer
from torch import Tensor

from gsl_tutorial.course.datasets import Dataset, get_protocol
from gsl_tutorial.course.results.measure import RetrievalResult, measure
from gsl_tutorial.course.results.saved_runs import Before
from gsl_tutorial.course.text_table import text_table
from gsl_tutorial.course.training.config import check_protocol
from gsl_tutorial.course.training.embedding import Embedded, embed_split
from gsl_tutorial.course.training.runs import TrainedModel
from gsl_tutorial.course.training.train_run import fingerprint, load_data
from gsl_tutorial.errors import InvalidInputError


def evaluate_model(
    model: TrainedModel,
    *,
    protocol: str = "",
    root: Path | None = None,
    on_stage: Callable[[str], None] = lambda text: None,
) -> tuple[RetrievalResult, Embedded, Embedded]:
    """Measure a model under a protocol that trains on the same images as it did.

    Parameters
    ----------
    model : TrainedModel
        What is measured.
    protocol : str
        By default the one that the model was trained under.
    root : Path, optional
        Where the images lie; see `load_data`.
    on_stage : callable(text)
        Told in words what begins.

    Returns
    -------
    result : RetrievalResult
        The figures.
    query, database : Embedded
        What the network makes of both.

    Raises
    ------
    InvalidInputError
        For a protocol with other training images: its queries may have been trained on.
    """
    config = model.config
    protocol = protocol or config.protocol
    check_protocol(config.dataset, protocol)
    trained_like = {"P0": "P2", "P1a": "P1b"}
    if trained_like.get(protocol, protocol) != trained_like.get(config.protocol, config.protocol):
        raise InvalidInputError(
            f"a model trained for protocol {protocol}",
            f"one trained on the images of {config.protocol}",
            f"train it with --protocol {protocol}: its queries may be among this model's images",
        )
    on_stage("reading the images")
    data = load_data(config.dataset, protocol=protocol, seed=config.seed, root=root)
    if model.provenance.get("trained_on", trained := fingerprint(data.train)) != trained:
        raise InvalidInputError(
            f"a model trained on the images of {protocol} with seed {config.seed}",
            "one trained on other images",
            "train with load_data(..., seed=config.seed): these queries may be among its images",
        )
    on_stage(f"embedding {len(data.query):,} queries and {len(data.database):,} database images")
    result, query, database, _ = measure_model(model, data, protocol=protocol, on_stage=on_stage)
    return result, query, database


class Evaluated(NamedTuple):
    """What a model makes of the splits of a protocol, and what that is worth.

    Attributes
    ----------
    result : RetrievalResult
        The figures.
    query, database : Embedded
        The embeddings.
    codes : (N, M) integer array
        The codes of the database.
    """

    result: RetrievalResult
    query: Embedded
    database: Embedded
    codes: Integer[np.ndarray, "N M"]


def measure_model(
    model: TrainedModel,
    data: Dataset,
    *,
    protocol: str,
    embedded: Tensor | None = None,
    on_stage: Callable[[str], None] = lambda text: None,
) -> Evaluated:
    """Embed queries and database of splits on which a model was trained, and measure its codes.

    Parameters
    ----------
    model : TrainedModel
        What is measured.
    data : Dataset
        The splits that the protocol gave, whole or thinned: their sizes go into the result.
    protocol : str
        The code of the protocol.
    embedded : (N, dim) Tensor, optional
        The embeddings of the database, where they are known already.
    on_stage : callable(text)
        Told in words what begins.

    Returns
    -------
    Evaluated
    """
    classes = np.unique(data.train.labels)
    query = embed_split(model, data.query, classes=classes)
    database = embed_split(model, data.database, classes=classes, embedded=embedded)
    codes = model.quantizer.encode(database.z)
    numbers = get_protocol(protocol)
    facts = {
        "protocol": protocol,
        "n_query": len(query),
        "n_train": len(data.train),
        "n_database": len(database),
        "train_in_database": numbers.train_in_database,
        "query_in_database": numbers.query_in_database,
    }
    result = measure(
        model.quantizer, query, database, codes=codes, protocol=facts, on_stage=on_stage
    )
    return Evaluated(result, query, database, codes)


def embed_before(
    warm: TrainedModel,
    *,
    protocol: str = "",
    root: Path | None = None,
    on_stage: Callable[[str], None] = lambda text: None,
) -> Before:
    """Queries and codes as they were before joint training, for the pictures of chapter 09.

    Without mirror images, as the codebooks were fitted then.

    Parameters
    ----------
    warm : TrainedModel
        The network before joint training, and the codebooks fitted to it.
    protocol, root, on_stage
        See `evaluate_model`.

    Returns
    -------
    Before
    """
    config = warm.config
    data = load_data(
        config.dataset, protocol=protocol or config.protocol, seed=config.seed, root=root
    )
    classes = np.unique(data.train.labels)
    on_stage("embedding once more, with the network before joint training")
    query = embed_split(warm, data.query, classes=classes, mirror=False)
    codes = warm.quantizer.encode(embed_split(warm, data.database, mirror=False).z)
    return Before(query, codes, warm.quantizer)


def summary(model: TrainedModel, result: RetrievalResult) -> dict[str, Any]:
    """The result and the facts about the run, as one flat dictionary for JSON and cards.

    Parameters
    ----------
    model : TrainedModel
        What was measured.
    result : RetrievalResult
        Its figures.

    Returns
    -------
    dict
        Without the figures of single queries.
    """
    config = model.config
    return {
        **result.to_dict(),
        "dataset": config.dataset,
        "quantizer": config.quantizer,
        "n_codewords": config.n_codewords,
        "method": config.method,
        "strength": config.options.strength,
        "encoder": config.encoder,
        "weights": sum(p.numel() for p in model.encoder.parameters()),
        "pre_training": "none",
        "profile": config.profile,
        "seed": config.seed,
        "train_seconds": round(model.train_seconds, 1),
    }


def table(values: dict[str, Any]) -> str:
    """The result of `summary` as text, one value a line."""
    return text_table(
        (key, f"{value:.4f}" if isinstance(value, float) else value)
        for key, value in values.items()
    )
