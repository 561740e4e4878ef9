"""Load the data of a configuration and train on it: the path of one run up to its model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gsl_tutorial.course.datasets import (
    CLASS_NAMES,
    Dataset,
    Split,
    arrange,
    load_digits,
    read_cifar10,
)
from gsl_tutorial.course.datasets.cifar100 import arrange_100, read_cifar100
from gsl_tutorial.course.training.config import DATASETS, TrainingConfig, check_protocol
from gsl_tutorial.course.training.embedding import as_tensor
from gsl_tutorial.course.training.rounds import TrainingStep, train
from gsl_tutorial.course.training.runs import RunFolder, TrainedModel
from gsl_tutorial.course.training.shared_work import SharedWork
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import check_name


def load_data(name: str, *, protocol: str = "", seed: int = 0, root: Path | None = None) -> Dataset:
    """The splits of a data set under a protocol.

    Parameters
    ----------
    name : str
        One of `DATASETS`.
    protocol : str
        One of the data set's; empty: its first one.
    seed : int
        Draws the splits.
    root : Path, optional
        Where CIFAR is, as in `read_cifar10` and `read_cifar100`.

    Returns
    -------
    Dataset

    Raises
    ------
    UnknownNameError, InvalidInputError
        When there is no such data set, or no such protocol of it.
    DataMissingError, ChecksumError
        When CIFAR is not there, or is not as published.
    """
    check_name("dataset", name, DATASETS)
    protocol = protocol or DATASETS[name][0]
    check_protocol(name, protocol)
    if name == "digits":
        if protocol == "validation":
            return load_digits(random_state=seed, validation=200).as_validation()
        return load_digits(random_state=seed)
    if name == "cifar100":
        return arrange_100(*read_cifar100(root), protocol=protocol, random_state=seed)
    images, labels = read_cifar10(root)
    return arrange(images, labels, protocol=protocol, random_state=seed, class_names=CLASS_NAMES)


def train_run(
    config: TrainingConfig,
    data: Dataset,
    *,
    folder: RunFolder | None = None,
    resume: bool = False,
    warm_up: RunFolder | None = None,
    provenance: dict[str, Any] | None = None,
    on_progress: Callable[[TrainingStep], None] | None = None,
    on_round: Callable[[TrainedModel, int], None] | None = None,
    shared: SharedWork | None = None,
) -> TrainedModel:
    """Train on the training split, on a GPU where torch finds one.

    The model remembers which images these were, so that `evaluate_model` can refuse other splits.

    Parameters
    ----------
    config : TrainingConfig
        What is asked for.
    data : Dataset
        Of its splits only the training images are used.
    folder, resume, warm_up, provenance, on_progress, on_round, shared
        As in `train`.

    Returns
    -------
    TrainedModel

    Raises
    ------
    InvalidInputError
        With fewer than two classes to train on.
    RunMismatchError, DivergedError, StorageError
        As in `train`.
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
            warm_up=warm_up,
            device="cuda" if torch.cuda.is_available() else "cpu",
            provenance={**(provenance or {}), "trained_on": fingerprint(data.train)},
            on_progress=on_progress,
            on_round=on_round,
            shared=shared,
        )


def fingerprint(split: Split) -> str:
    """A short name for a choice of images.

    Parameters
    ----------
    split : Split
        The order of its images does not matter.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    return hashlib.sha256(np.sort(split.indices).astype("<i8").tobytes()).hexdigest()[:16]


@contextmanager
def _threads(n: int) -> Iterator[None]:
    """Let torch use n threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)
