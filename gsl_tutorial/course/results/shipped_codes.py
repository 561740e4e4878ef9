"""Codes of a run, shipped without its network: what a search needs, in less than a megabyte.

A folder holds `codes.safetensors` (the codes of the database, its labels, the codebooks, and the queries as
float16 vectors with their labels) and `card.json`, as in `saved_runs`. Neither pixels nor vectors of the
database are in it, so exact search is told by the card alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, Integer

from gsl_tutorial.course.results.saved_runs import DATA, card_of
from gsl_tutorial.course.training.config import TrainingConfig
from gsl_tutorial.course.training.embedding import Embedded
from gsl_tutorial.course.training.runs import TrainedModel
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers import Quantizer
from gsl_tutorial.storage import digest, load_arrays, save_arrays, write_json

_FILE = "codes.safetensors"
_LEARNED = "quantizer."


@dataclass(frozen=True)
class ShippedCodes:
    """A searchable database of codes, and queries for it.

    Attributes
    ----------
    config : TrainingConfig
        Of the run.
    quantizer : Quantizer
        Its codebooks as training left them.
    codes : (N, M) integer array
        Of the database.
    labels : (N,) integer array
        Of the database.
    query : Embedded
        The queries.
    card : dict
        Who made it, its figures, and the checksum of the file.
    """

    config: TrainingConfig
    quantizer: Quantizer
    codes: Integer[np.ndarray, "N M"]
    labels: Int[np.ndarray, " N"]
    query: Embedded
    card: dict[str, Any]


def ship_codes(
    folder: Path,
    model: TrainedModel,
    query: Embedded,
    database: Embedded,
    *,
    metrics: dict[str, Any],
) -> None:
    """Write the folder that `load_codes` reads.

    Parameters
    ----------
    folder : Path
        Where to write.
    model : TrainedModel
        Whose quantizer encodes the database.
    query, database : Embedded
        What its network makes of the images.
    metrics : dict
        From `summary`.
    """
    learned = {f"{_LEARNED}{name}": array for name, array in model.quantizer.arrays().items()}
    save_arrays(
        folder / _FILE,
        {
            "database.codes": model.quantizer.encode(database.z),
            "database.labels": database.labels.astype(np.uint8),
            "query.z": query.z.astype(np.float16),
            "query.labels": query.labels.astype(np.uint8),
            "query.predicted": query.predicted.astype(np.uint8),
            **learned,
        },
        {"config": model.config.to_dict(), "protocol": metrics["protocol"]},
    )
    write_json(
        folder / "card.json",
        {**model.provenance, "metrics": metrics, "sha256": {_FILE: digest(folder / _FILE)}},
    )


def load_codes(name: str, *, root: Path = DATA) -> ShippedCodes:
    """Read a folder of codes.

    Parameters
    ----------
    name : str
        Of the folder.
    root : Path
        Where it lies.

    Returns
    -------
    ShippedCodes

    Raises
    ------
    DataMissingError
        If there is no such folder, or a file of it is missing.
    InvalidInputError
        If the folder holds something else.
    ChecksumError
        On changed bytes.
    """
    folder = root / name
    card = card_of(folder, of="codes")
    if _FILE not in card.get("sha256", {}):
        raise InvalidInputError(
            f"codes in {folder}",
            f"a card of {', '.join(card.get('sha256', {})) or 'no file'}",
            "read a whole run with load_shipped, or write codes: gsl-tutorial export --codes",
        )
    arrays, header = load_arrays(folder / _FILE, sha256=card["sha256"][_FILE])
    config = TrainingConfig.from_dict(header["config"])
    quantizer = config.new_quantizer().with_arrays(
        {key.removeprefix(_LEARNED): a for key, a in arrays.items() if key.startswith(_LEARNED)}
    )
    query = Embedded(
        arrays["query.z"].astype(np.float32),
        arrays["query.labels"].astype(np.int64),
        arrays["query.predicted"].astype(np.int64),
    )
    labels = arrays["database.labels"].astype(np.int64)
    return ShippedCodes(config, quantizer, arrays["database.codes"], labels, query, card)
