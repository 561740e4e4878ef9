"""The snapping rule once more, for one sub-vector at a time, in plain NumPy.

The slow twin of `gsl_tutorial.snapping.snap_gradient`: loops instead of axes, so that each line can
be read beside chapter 06. Tests hold the two equal. Source and reservations are the same: a
reconstruction from the abstract of arXiv 1610.09645.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from gsl_tutorial.snapping import SnapOptions


def snap_gradient_numpy(
    gradient: Float[np.ndarray, "N M d"],
    embedding: Float[np.ndarray, "N M d"],
    candidates: Float[np.ndarray, "N M n d"],
    **how: Any,
) -> Float[np.ndarray, "N M d"]:
    """The gradient that leaves the layer, by loops.

    Parameters
    ----------
    gradient, embedding : (N, M, d) arrays
        Finite.
    candidates : (N, M, n, d) array
    **how
        Any of `SnapOptions`; n_candidates plays no part, since the candidates are given.

    Returns
    -------
    (N, M, d) array
    """
    options = SnapOptions(**how)
    snapped = np.empty_like(gradient)
    pull = 2 * options.strength / max(1, len(gradient))
    for i, m in np.ndindex(gradient.shape[:2]):
        g, z, codewords = gradient[i, m], embedding[i, m], candidates[i, m]
        if options.form == "look-ahead":
            ahead = z - options.step * g
            c = codewords[np.argmin([np.sum((ahead - c) ** 2) for c in codewords])]
            snapped[i, m] = g + pull * (z - c)
            continue
        c = descending_codeword(g, z, codewords)
        if c is None:
            snapped[i, m] = _fallback(g, z, codewords, options, pull)
        elif options.form == "pull":
            snapped[i, m] = g + pull * (z - c)
        else:
            u, is_projected = (c - z) / np.linalg.norm(c - z), options.length == "projected"
            snapped[i, m] = (u @ g) * u if is_projected else -np.linalg.norm(g) * u
    return snapped


def descending_codeword(
    g: Float[np.ndarray, " d"], z: Float[np.ndarray, " d"], codewords: Float[np.ndarray, "n d"]
) -> Float[np.ndarray, " d"] | None:
    """The codeword whose direction is best aligned with -g, or None where none descends.

    Parameters
    ----------
    g : (d,) array
        The gradient.
    z : (d,) array
        The embedding.
    codewords : (n, d) array
        The candidates.
    """
    best, best_cosine = None, 0.0
    for c in codewords:
        distance = np.linalg.norm(c - z)
        if distance == 0 or not g.any():
            continue
        cosine = -g @ (c - z) / (distance * np.linalg.norm(g))
        if cosine > best_cosine:
            best, best_cosine = c, cosine
    return best


def _fallback(
    g: Float[np.ndarray, " d"],
    z: Float[np.ndarray, " d"],
    codewords: Float[np.ndarray, "n d"],
    options: SnapOptions,
    pull: float,
) -> Float[np.ndarray, " d"]:
    """What leaves the layer where no candidate descends."""
    if options.fallback == "zero":
        return np.zeros_like(g) if options.form == "replace" else g
    if options.fallback == "keep":
        return g
    nearest = codewords[np.argmin([np.linalg.norm(c - z) for c in codewords])]
    towards = pull * (z - nearest)
    against, room = -towards @ g, (1 - 1e-3) * (g @ g)
    return g + (room / against if against > room else 1.0) * towards
