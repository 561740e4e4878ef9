"""The films' texts as vectors, computed once by us and shipped: no language model is needed to read them.

`data/movielens-text` holds, for each MovieLens film id, 64 numbers (float16): the language model's 384
(`language`), minus their mean, turned onto their 64 principal axes. Beside them stand the cells that
k-means found. No title, no genre and no rating is in it. The card tells command, model and SHA-256.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from gsl_tutorial.course.datasets.movielens import rows_of
from gsl_tutorial.course.results.saved_runs import DATA, card_of
from gsl_tutorial.course.two_tower.cells import merge_small_cells, text_cells
from gsl_tutorial.course.two_tower.language import MissingTextError
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.storage import digest, load_arrays, save_arrays, write_json
from gsl_tutorial.validation import as_vectors, check_count

FOLDER = "movielens-text"
#: How many cells are shipped, and the seed of each k-means: the simulator's own, and training's.
N_CELLS = 100
CELL_SEEDS = {"simulator": 0, "training": 1}


@dataclass(frozen=True, eq=False)
class ItemTexts:
    """What the language model says of each film.

    Attributes
    ----------
    ids : (N,) integer array
        The ids of MovieLens.
    vectors : (N, t) float32 array
        t = 64 in what the repository ships.
    cells : dict of str to (N,) integer array
        By name, cell numbers from 0.
    card : dict
        Where the texts come from, and how they were made.
    """

    ids: Int[np.ndarray, " N"]
    vectors: Float[np.ndarray, "N t"]
    cells: dict[str, Int[np.ndarray, " N"]]
    card: dict[str, Any]

    def rows(self, ids: Int[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
        """Rows of these films.

        Parameters
        ----------
        ids : (n,) integer array
            The ids of MovieLens.

        Returns
        -------
        (n,) integer array

        Raises
        ------
        MissingTextError
            For a film without a text.
        """
        try:
            return rows_of(np.asarray(ids), self.ids)
        except InvalidInputError as error:
            raise MissingTextError(
                "a text for every item",
                error.got,
                "leave the items out, or embed their texts (gsl-tutorial two-tower embed)",
            ) from error


def first_cells(
    texts: ItemTexts, n_cells: int
) -> tuple[Int[np.ndarray, " n"], Float[np.ndarray, "n t"], dict[str, Int[np.ndarray, " n"]]]:
    """The films of the simulator's first cells.

    A smaller catalogue for a smaller world: with as many events for each item, in less time.

    Parameters
    ----------
    texts : ItemTexts
        All films.
    n_cells : int
        How many cells, 2 or more.

    Returns
    -------
    rows : (n,) integer array
        The rows of these films.
    vectors : (n, t) float array
        Their vectors.
    cells : dict of str to (n,) integer array
        Their cells, numbered anew.
    """
    check_count(n_cells, name="n_cells", low=2)
    rows = np.flatnonzero(texts.cells["simulator"] < n_cells)
    vectors = texts.vectors[rows]
    cells = {
        name: merge_small_cells(one[rows], vectors, at_least=8) for name, one in texts.cells.items()
    }
    return rows, vectors, cells


def load_items(root: Path = DATA) -> ItemTexts:
    """Read what the repository ships.

    Parameters
    ----------
    root : Path
        The folder of shipped data.

    Returns
    -------
    ItemTexts

    Raises
    ------
    DataMissingError
        If a file is missing.
    ChecksumError
        On other bytes.
    """
    folder = root / FOLDER
    card = card_of(folder, of="item texts")
    arrays, _ = load_arrays(
        folder / "items.safetensors", sha256=card["sha256"]["items.safetensors"]
    )
    cells = {
        name.removeprefix("cells."): array.astype(np.int64)
        for name, array in arrays.items()
        if name.startswith("cells.")
    }
    return ItemTexts(
        arrays["ids"].astype(np.int64), arrays["vectors"].astype(np.float32), cells, card
    )


def ship_items(
    folder: Path,
    ids: Int[np.ndarray, " N"],
    embeddings: Float[np.ndarray, "N 384"],
    *,
    provenance: dict[str, Any],
    dim: int = 64,
) -> ItemTexts:
    """Reduce, cluster and write; what is returned is what `load_items` will read.

    Parameters
    ----------
    folder : Path
        Where to write.
    ids : (N,) integer array
        The ids of MovieLens.
    embeddings : (N, 384) float array
        What the language model says of each film.
    provenance : dict
        Who made the files: goes onto the card.
    dim : int
        Length of the vectors to keep.

    Returns
    -------
    ItemTexts
    """
    vectors, kept = principal_axes(embeddings, dim)
    vectors = vectors.astype(np.float16).astype(np.float32)  # cells are of what is shipped
    cells = {
        name: text_cells(vectors, N_CELLS, random_state=seed) for name, seed in CELL_SEEDS.items()
    }
    arrays: dict[str, np.ndarray] = {
        "ids": np.asarray(ids, dtype=np.int32),
        "vectors": vectors.astype(np.float16),
    }
    arrays |= {f"cells.{name}": one.astype(np.uint8) for name, one in cells.items()}
    save_arrays(folder / "items.safetensors", arrays, {"what": "texts of films as vectors"})
    card = {
        **provenance,
        "items": len(ids),
        "dim": dim,
        "variance_kept": round(kept, 4),
        "cells": N_CELLS,
        "cell_seeds": CELL_SEEDS,
        "sha256": {"items.safetensors": digest(folder / "items.safetensors")},
    }
    write_json(folder / "card.json", card)
    return ItemTexts(np.asarray(ids), vectors, cells, card)


def principal_axes(
    X: Float[np.ndarray, "N D"], dim: int
) -> tuple[Float[np.ndarray, "N dim"], float]:
    """X minus its mean on its principal axes.

    Each axis points so that its entry largest in size is positive, so the result does not hang on
    the library that found it.

    Parameters
    ----------
    X : (N, D) float array
        The vectors, one a row.
    dim : int
        How many axes to keep, from 1 to D.

    Returns
    -------
    vectors : (N, dim) float32 array
        The coordinates on these axes.
    share : float
        The share of the variance that they keep.

    Raises
    ------
    InvalidInputError
        If `dim` is not from 1 to D.
    """
    X = as_vectors(X)
    check_count(dim, name="dim", low=1, high=X.shape[1])
    centred = X - X.mean(axis=0, dtype=np.float64).astype(np.float32)
    values, axes = np.linalg.eigh(centred.T.astype(np.float64) @ centred)
    axes = axes[:, ::-1][:, :dim]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(dim)])
    return (centred @ axes).astype(np.float32), float(values[::-1][:dim].sum() / values.sum())
