"""Why a method helps or not: what becomes of the cells of the codebooks from round to round.

A cell is the set of vectors that share a code. Three questions, all on training vectors: do they still
change their cells, so that the network chases moving targets? Does a cell hold vectors of one class only,
so that its code says the class? And does each codebook by itself? The measures are ours; the second is the
purity of clusterings (Manning, Raghavan and Schuetze, "Introduction to Information Retrieval", 2008).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Integer


def cell_measures(
    codes: Integer[np.ndarray, "N M"],
    labels: Integer[np.ndarray, " N"],
    before: Integer[np.ndarray, "N M"] | None = None,
) -> dict[str, float]:
    """Shares from 0 to 1 by which the cells of a round are known.

    Parameters
    ----------
    codes, labels
        Of the same N training vectors.
    before
        Their codes a round ago, with codebooks whose codewords kept their meaning.

    Returns
    -------
    dict
        ``purity``: share of vectors whose class is the most frequent one of their cell.
        ``pure_cells``: share of the cells in use that hold one class only.
        ``codeword_purity``: the same as ``purity`` for the cells of one codebook, the mean over
        codebooks.
        With ``before``, ``moved``: share of vectors in another cell than a round ago, and
        ``codeword_moved``: share of their codewords that are others.

    Examples
    --------
    >>> codes, labels = np.array([[0, 0], [0, 0], [0, 1], [1, 1]]), np.array([0, 1, 1, 1])
    >>> cell_measures(codes, labels)
    {'purity': 0.75, 'pure_cells': 0.6666666666666666, 'codeword_purity': 0.75}
    """
    cells = np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1)
    purity, pure = _purity(cells, labels)
    measured = {
        "purity": purity,
        "pure_cells": pure,
        "codeword_purity": float(np.mean([_purity(column, labels)[0] for column in codes.T])),
    }
    if before is not None:
        others = codes != before
        measured["moved"] = float(others.any(axis=1).mean())
        measured["codeword_moved"] = float(others.mean())
    return measured


def _purity(
    cells: Integer[np.ndarray, " N"], labels: Integer[np.ndarray, " N"]
) -> tuple[float, float]:
    """Share of vectors in the majority of their cell, and share of occupied cells of one class."""
    counts = np.zeros((int(cells.max()) + 1, int(labels.max()) + 1))
    np.add.at(counts, (cells, labels), 1)
    counts = counts[counts.sum(axis=1) > 0]
    most = counts.max(axis=1)
    return float(most.sum() / len(labels)), float((most == counts.sum(axis=1)).mean())
