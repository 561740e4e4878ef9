"""The shipped runs as the widgets of chapters 00 and 09 read them, without torch, which is slow to load."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from gsl_tutorial.course.datasets import CLASS_NAMES
from gsl_tutorial.course.plots.style import CLASS_COLOURS
from gsl_tutorial.course.workbook import data_folder
from gsl_tutorial.errors import DataMissingError
from gsl_tutorial.storage import load_arrays, read_json

#: The colour of the square that stands in for a photograph that is not on this machine.
SIGNS = dict(zip(CLASS_NAMES, CLASS_COLOURS, strict=True))
RUN = data_folder() / "cifar10-p2-32bit"
#: Photographs in a row of the sheet that holds many.
COLUMNS = 40


def shipped(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Read a shipped run, each file compared with its checksum first.

    Parameters
    ----------
    folder : Path
        Where it lies.

    Returns
    -------
    model, embeddings : dict of arrays
        As `data/README.md` describes them.

    Raises
    ------
    DataMissingError, ChecksumError
        The run is not there, or its files have changed.
    """
    if not (folder / "card.json").exists():
        raise DataMissingError(
            f"a shipped run in {folder.name}",
            "no card.json there",
            "work in a whole checkout of the repository: its data/ folder carries it",
        )
    sums = read_json(folder / "card.json")["sha256"]
    model, embeddings = (
        load_arrays(folder / name, sha256=sums[name])[0]
        for name in ("model.safetensors", "embeddings.safetensors")
    )
    return model, embeddings


def sheet_address(images: UInt8[np.ndarray, "N H W 3"]) -> str:
    """Lay photographs side by side in one picture.

    Parameters
    ----------
    images : (N, H, W, 3) array
        The photographs; `COLUMNS` of them stand in a row.

    Returns
    -------
    str
        The picture as an address that holds its bytes.
    """
    n, height, width, _ = images.shape
    rows = -(-n // COLUMNS)
    sheet = np.zeros((rows * COLUMNS, height, width, 3), dtype=np.uint8)
    sheet[:n] = images
    grid = sheet.reshape(rows, COLUMNS, height, width, 3).swapaxes(1, 2)
    buffer = io.BytesIO()
    Image.fromarray(grid.reshape(rows * height, COLUMNS * width, 3)).save(
        buffer, format="JPEG", quality=80
    )
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
