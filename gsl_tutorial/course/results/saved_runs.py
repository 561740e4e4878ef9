"""What the repository carries in `data/`: our own weights, embeddings and codes, each with a card.

A folder holds `model.safetensors` (weights rounded to float16), `embeddings.safetensors` (float16
embeddings, codes, true and predicted class of every image, no pixels; embeddings of the queries, codes
and codebooks from before joint training too) and `card.json` with the command, seed, commit, seconds,
metrics and the SHA-256 of both files, which is checked before anything is read. The metrics are those
of the rounded weights: `rounded` comes before the measuring.

`labels_of` gives the labels of a whole data set, without its images where that is possible: those of
CIFAR-10 stand beside the embeddings, and, where these are not at hand, in the batches. Either are compared
with one checksum before they are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, Integer

from gsl_tutorial.course.datasets import load_digits, read_cifar10
from gsl_tutorial.course.datasets.split_file import label_checksum
from gsl_tutorial.course.training.config import TrainingConfig
from gsl_tutorial.course.training.embedding import Embedded
from gsl_tutorial.course.training.runs import TrainedModel, load_model_file
from gsl_tutorial.course.workbook import data_folder
from gsl_tutorial.errors import ChecksumError, DataMissingError
from gsl_tutorial.quantizers import Quantizer
from gsl_tutorial.storage import digest, load_arrays, read_json, save_arrays, write_json

#: The folder `data/` of a clone, or of an installed package.
DATA = data_folder()


@dataclass(frozen=True)
class Before:
    """The same images as the network saw them after the rounds without a quantizer.

    Attributes
    ----------
    query : Embedded
        The queries.
    codes : (N, M) integer array
        The codes of the database.
    quantizer : Quantizer
        What made them.
    """

    query: Embedded
    codes: Integer[np.ndarray, "N M"]
    quantizer: Quantizer


@dataclass(frozen=True)
class Shipped:
    """A trained model with the embeddings of its queries and its database.

    Attributes
    ----------
    model : TrainedModel
        The network and its quantizer.
    query, database : Embedded
        The embeddings.
    codes : (N, M) integer array
        The codes of the database.
    card : dict
        Who made it, its figures, and the checksums of the files.
    before : Before, optional
        The images before joint training, where they were kept.
    """

    model: TrainedModel
    query: Embedded
    database: Embedded
    codes: Integer[np.ndarray, "N M"]
    card: dict[str, Any]
    before: Before | None = None


def rounded(model: TrainedModel) -> TrainedModel:
    """The model with every matrix of its networks rounded to float16, as the files keep it.

    Parameters
    ----------
    model : TrainedModel
        It is changed.

    Returns
    -------
    TrainedModel
        The same model.
    """
    for module in (model.encoder, model.classifier):
        for value in module.state_dict().values():
            if value.ndim > 1:
                value.copy_(value.half())
    return model


def ship(
    folder: Path,
    model: TrainedModel,
    query: Embedded,
    database: Embedded,
    *,
    metrics: dict[str, Any],
    before: Before | None = None,
) -> None:
    """Write the folder that `load_shipped` reads.

    Parameters
    ----------
    folder : Path
        Where to write.
    model, query, database, before
        See `Shipped`.
    metrics : dict
        From `summary`.
    """
    codes = model.quantizer.encode(database.z)
    save_arrays(
        folder / "model.safetensors",
        {
            name: _smallest(array) if name.startswith(("encoder.", "classifier.")) else array
            for name, array in model.arrays().items()
        },
        {
            "config": model.config.to_dict(),
            "history": model.history,
            "provenance": model.provenance,
        },
    )
    arrays = {"database.codes": codes}
    for name, part in (("query", query), ("database", database)):
        arrays[f"{name}.z"] = part.z.astype(np.float16)
        arrays[f"{name}.labels"] = part.labels.astype(np.uint8)
        arrays[f"{name}.predicted"] = part.predicted.astype(np.uint8)
    if before is not None:
        arrays["before.query.z"] = before.query.z.astype(np.float16)
        arrays["before.query.predicted"] = before.query.predicted.astype(np.uint8)
        arrays["before.codes"] = before.codes
        learned = before.quantizer.arrays()
        arrays |= {f"before.quantizer.{name}": array for name, array in learned.items()}
    save_arrays(folder / "embeddings.safetensors", arrays, {"protocol": metrics["protocol"]})
    files = ["model.safetensors", "embeddings.safetensors"]
    write_json(
        folder / "card.json",
        {
            **model.provenance,
            "metrics": metrics,
            "sha256": {name: digest(folder / name) for name in files},
        },
    )


def load_shipped(name: str, *, root: Path = DATA) -> Shipped:
    """Read a shipped folder.

    Parameters
    ----------
    name : str
        Of the folder.
    root : Path
        Where it lies.

    Returns
    -------
    Shipped

    Raises
    ------
    DataMissingError
        If there is no such folder, or a file of it is missing.
    ChecksumError
        On changed bytes.
    """
    folder = root / name
    model, card = _load(folder)
    arrays, _ = load_arrays(
        folder / "embeddings.safetensors", sha256=card["sha256"]["embeddings.safetensors"]
    )

    def embedded(part: str) -> Embedded:
        return Embedded(
            arrays[f"{part}.z"].astype(np.float32),
            arrays[f"{part}.labels"].astype(np.int64),
            arrays[f"{part}.predicted"].astype(np.int64),
        )

    query, before = embedded("query"), None
    if "before.codes" in arrays:
        part = "before.quantizer."
        quantizer = model.config.new_quantizer().with_arrays(
            {name.removeprefix(part): a for name, a in arrays.items() if name.startswith(part)}
        )
        then = Embedded(
            arrays["before.query.z"].astype(np.float32),
            query.labels,
            arrays["before.query.predicted"].astype(np.int64),
        )
        before = Before(then, arrays["before.codes"], quantizer)
    return Shipped(model, query, embedded("database"), arrays["database.codes"], card, before)


def read_card(folder: Path) -> tuple[TrainingConfig, dict[str, Any]]:
    """The configuration and the card of a shipped folder.

    Parameters
    ----------
    folder : Path
        Of `ship`.

    Returns
    -------
    config : TrainingConfig
        What the model was trained with.
    card : dict
        See `Shipped`.

    Raises
    ------
    DataMissingError, ChecksumError
        See `load_shipped`.
    """
    model, card = _load(folder)
    return model.config, card


def card_of(folder: Path, *, of: str = "results") -> dict[str, Any]:
    """The card of a shipped folder.

    Parameters
    ----------
    folder : Path
        Of `ship`.
    of : str
        What the folder holds, for the message.

    Returns
    -------
    dict

    Raises
    ------
    DataMissingError
        If there is no card.
    """
    if not (folder / "card.json").exists():
        raise DataMissingError(
            f"shipped {of} in {folder}",
            "no card.json there",
            "work in a whole checkout of the repository: its data/ folder carries them",
        )
    card: dict[str, Any] = read_json(folder / "card.json")
    return card


def _load(folder: Path) -> tuple[TrainedModel, dict[str, Any]]:
    card = card_of(folder)
    expected = card["sha256"]["model.safetensors"]
    return load_model_file(folder / "model.safetensors", sha256=expected), card


def _smallest(array: np.ndarray) -> np.ndarray:
    """The array in float16 where nothing is lost by that."""
    half = array.astype(np.float16) if array.dtype == np.float32 and array.ndim > 1 else array
    return half if np.array_equal(half.astype(array.dtype), array) else array


#: Embeddings under P2, whose database are the training batches and whose queries the test batch.
SHIPPED = DATA / "cifar10-p2-32bit" / "embeddings.safetensors"
#: SHA-256 of the 60,000 labels of CIFAR-10, training batches first (`split_file.label_checksum`).
CIFAR10_SHA256 = "5083e6dd0895f94970ae8513f046bf3004b333931aad82b619d23ab76f2e1845"


def labels_of(protocol: str) -> Int[np.ndarray, " n"]:
    """All labels that a protocol splits, in the official order: the digits', or CIFAR-10's.

    Parameters
    ----------
    protocol : str
        Its code, "digits" for the digits.

    Returns
    -------
    (n,) integer array

    Raises
    ------
    ChecksumError
        When they are others than the published ones.
    """
    if protocol == "digits":
        data = load_digits()
        labels = np.empty(len(data.query) + len(data.database), dtype=np.int64)
        for part in (data.query, data.database):
            labels[part.indices] = part.labels
        return labels
    if SHIPPED.exists():
        arrays, _ = load_arrays(SHIPPED)
        labels = np.concatenate([arrays["database.labels"], arrays["query.labels"]])
        labels = labels.astype(np.int64)
    else:
        labels = read_cifar10()[1]
    if (found := label_checksum(labels)) != CIFAR10_SHA256:
        raise ChecksumError(
            f"the labels of CIFAR-10, SHA-256 {CIFAR10_SHA256}", found, "fetch the data again"
        )
    return labels
