"""The whole path for one run: load the data, train, embed, measure; and ship what came out.

The command line and the notebooks call these few functions; each step is a module of its own.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from gsl_tutorial.course.datasets import (
    CLASS_NAMES,
    Dataset,
    Split,
    arrange,
    get_protocol,
    load_digits,
    read_cifar10,
)
from gsl_tutorial.course.results.measure import Embedded, RetrievalResult, measure
from gsl_tutorial.course.results.saved_runs import Before
from gsl_tutorial.course.training.config import DATASETS, TrainingConfig, check_protocol
from gsl_tutorial.course.training.encoders import embed
from gsl_tutorial.course.training.rounds import Progress, train
from gsl_tutorial.course.training.runs import RunFolder, TrainedModel
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_name


def load_data(name: str, *, protocol: str = "", seed: int = 0, root: Path | None = None) -> Dataset:
    """The splits of a data set under a protocol (empty: its first one)."""
    check_name("dataset", name, DATASETS)
    protocol = protocol or DATASETS[name][0]
    check_protocol(name, protocol)
    if name == "digits":
        if protocol == "validation":
            return load_digits(random_state=seed, validation=200).as_validation()
        return load_digits(random_state=seed)
    images, labels = read_cifar10(root)
    return arrange(images, labels, protocol=protocol, random_state=seed, class_names=CLASS_NAMES)


def as_tensor(split: Split) -> Tensor:
    """Images as the encoders take them: channels first, still uint8, nothing copied."""
    with warnings.catch_warnings():
        # The splits are read-only and torch cannot say so; nothing here writes to them.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        images = torch.from_numpy(split.x)
    return images.permute(0, 3, 1, 2) if images.ndim == 4 else images


def train_run(
    config: TrainingConfig,
    data: Dataset,
    *,
    folder: RunFolder | None = None,
    resume: bool = False,
    provenance: dict[str, Any] | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    on_round: Callable[[TrainedModel, int], None] | None = None,
) -> TrainedModel:
    """Train on the training split, on a GPU where torch finds one.

    The model remembers which images these were, so that `evaluate_model` can refuse other splits.
    """
    classes, labels = np.unique(data.train.labels, return_inverse=True)
    if len(classes) < 2:
        raise InvalidInputError(
            "two classes or more to train on", f"{len(classes)}", "use more data"
        )
    images = as_tensor(data.train)
    # Matrices as small as those of the digits wait for a second thread longer than they work.
    with _threads(1 if images.ndim == 2 else torch.get_num_threads()):
        return train(
            config,
            images,
            torch.from_numpy(labels),
            folder=folder,
            resume=resume,
            device="cuda" if torch.cuda.is_available() else "cpu",
            provenance={**(provenance or {}), "trained_on": _fingerprint(data.train)},
            on_progress=on_progress,
            on_round=on_round,
        )


def embed_split(
    model: TrainedModel,
    split: Split,
    *,
    classes: Int[np.ndarray, " C"] | None = None,
    mirror: bool | None = None,
) -> Embedded:
    """Embeddings and predicted classes of a split.

    classes: the labels of the training classes in rising order; None stands for 0..C-1.
    mirror: as in `embed`; None stands for what the schedule of the run says.
    """
    mirror = model.config.schedule.mirror if mirror is None else mirror
    z = embed(model.encoder, as_tensor(split), mirror=mirror)
    with torch.no_grad():
        predicted = model.classifier.to("cpu")(z).argmax(1).numpy()
    return Embedded(z.numpy(), split.labels, predicted if classes is None else classes[predicted])


def evaluate_model(
    model: TrainedModel,
    *,
    protocol: str = "",
    root: Path | None = None,
    on_stage: Callable[[str], None] = lambda text: None,
) -> tuple[RetrievalResult, Embedded, Embedded]:
    """Measure a model under a protocol that trains on the same images as it did.

    Returns the result, the embedded queries and the embedded database. Raises `InvalidInputError`
    for a protocol with other training images: its queries may have been trained on.
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
    if model.provenance.get("trained_on", trained := _fingerprint(data.train)) != trained:
        raise InvalidInputError(
            f"a model trained on the images of {protocol} with seed {config.seed}",
            "one trained on other images",
            "train with load_data(..., seed=config.seed): these queries may be among its images",
        )
    on_stage(f"embedding {len(data.query):,} queries and {len(data.database):,} database images")
    classes = np.unique(data.train.labels)
    query = embed_split(model, data.query, classes=classes)
    database = embed_split(model, data.database, classes=classes)
    numbers = get_protocol(protocol)
    result = measure(
        model.quantizer,
        query,
        database,
        protocol={
            "protocol": protocol,
            "n_query": len(query),
            "n_train": len(data.train),
            "n_database": len(database),
            "train_in_database": numbers.train_in_database,
            "query_in_database": numbers.query_in_database,
        },
        on_stage=on_stage,
    )
    return result, query, database


def embed_before(
    warm: TrainedModel,
    *,
    protocol: str = "",
    root: Path | None = None,
    on_stage: Callable[[str], None] = lambda text: None,
) -> Before:
    """Queries and codes as they were before joint training, for the pictures of chapter 09.

    Without mirror images, as the codebooks were fitted then.
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


def _fingerprint(split: Split) -> str:
    """A short name for a choice of images."""
    return hashlib.sha256(np.sort(split.indices).astype("<i8").tobytes()).hexdigest()[:16]


def summary(model: TrainedModel, result: RetrievalResult) -> dict[str, Any]:
    """The result and the facts about the run, as one flat dictionary for JSON and cards."""
    config = model.config
    return {
        **result.to_dict(),
        "dataset": config.dataset,
        "quantizer": config.quantizer,
        "method": config.method,
        "encoder": config.encoder,
        "weights": sum(p.numel() for p in model.encoder.parameters()),
        "pre_training": "none",
        "profile": config.profile,
        "seed": config.seed,
        "train_seconds": round(model.train_seconds, 1),
    }


def table(values: dict[str, Any]) -> str:
    """The same as text, one value a line."""
    width = max(map(len, values))
    return "\n".join(
        f"{key:{width}}  {f'{value:.4f}' if isinstance(value, float) else value}"
        for key, value in values.items()
    )


def provenance() -> dict[str, Any]:
    """Who made a run: the command, the commit, the versions that decide its numbers."""
    try:
        commit = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        commit = "not in a checkout"
    return {
        "command": shlex.join(["gsl-tutorial", *sys.argv[1:]]),
        "commit": commit,
        "torch": torch.__version__.split("+")[0],
        "threads": torch.get_num_threads(),
        "cores": os.cpu_count(),
    }


@contextmanager
def _threads(n: int) -> Iterator[None]:
    """Let torch use n threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)
