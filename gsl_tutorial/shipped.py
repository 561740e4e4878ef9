"""What the repository carries in `data/`: our own weights, embeddings and codes, each with a card.

A folder holds `model.safetensors`, `embeddings.safetensors` (float16 embeddings, codes, true and
predicted class of every image, no pixels) and `card.json` with the command, seed, commit, seconds,
metrics and the SHA-256 of both files, which is checked before anything is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Integer

from gsl_tutorial.errors import DataMissingError
from gsl_tutorial.retrieval import Embedded
from gsl_tutorial.runs import TrainedModel, load_model_file
from gsl_tutorial.storage import digest, load_arrays, read_json, save_arrays, write_json

#: The folder `data/` beside the package in a checkout of the repository.
DATA = Path(__file__).resolve().parent.parent / "data"


@dataclass(frozen=True)
class Shipped:
    """A trained model with the embeddings of its queries and its database."""

    model: TrainedModel
    query: Embedded
    database: Embedded
    codes: Integer[np.ndarray, "N M"]
    card: dict[str, Any]


def ship(
    folder: Path,
    model: TrainedModel,
    query: Embedded,
    database: Embedded,
    *,
    metrics: dict[str, Any],
) -> None:
    """Write the folder that `load_shipped` reads."""
    codes = model.quantizer.encode(database.z)
    save_arrays(
        folder / "model.safetensors",
        model.arrays(),
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
    """Read a shipped folder; raises `DataMissingError`, or `ChecksumError` on changed bytes."""
    folder = root / name
    if not (folder / "card.json").exists():
        raise DataMissingError(
            f"shipped results in {folder}",
            "no card.json there",
            "work in a whole checkout of the repository: its data/ folder carries them",
        )
    card = read_json(folder / "card.json")
    model = load_model_file(
        folder / "model.safetensors", sha256=card["sha256"]["model.safetensors"]
    )
    arrays, _ = load_arrays(
        folder / "embeddings.safetensors", sha256=card["sha256"]["embeddings.safetensors"]
    )

    def embedded(part: str) -> Embedded:
        return Embedded(
            arrays[f"{part}.z"].astype(np.float32),
            arrays[f"{part}.labels"].astype(np.int64),
            arrays[f"{part}.predicted"].astype(np.int64),
        )

    return Shipped(model, embedded("query"), embedded("database"), arrays["database.codes"], card)
