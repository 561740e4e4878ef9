"""Codes of points in the plane, small enough to be drawn whole: chapter 04.

A product quantizer of two pieces cuts the plane along its axes, so that its reconstructions form a
grid. `cut_along` turns the axes first and leaves the rest alone, which is what an optimized product
quantizer does; it learns the angle, and here the reader chooses it. Source: Ge, He, Ke and Sun,
"Optimized product quantization", 2013. Changed here: one angle instead of a learned matrix.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from jaxtyping import Float

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers import OptimizedProductQuantizer, ProductQuantizer, Quantizer
from gsl_tutorial.validation import as_vectors

#: More reconstructions than this make no picture.
_MOST_PLACES = 100_000


def axes_at(degrees: float) -> Float[np.ndarray, "2 2"]:
    """Return axes turned anticlockwise, one in each row: z' = axes @ z are the new coordinates.

    Parameters
    ----------
    degrees : float
        The angle.

    Returns
    -------
    (2, 2) float array
        Orthonormal rows.

    Examples
    --------
    >>> axes_at(90).round(3) + 0.0
    array([[ 0.,  1.],
           [-1.,  0.]])
    """
    angle = np.radians(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, sin], [-sin, cos]])


def turn(points: Float[np.ndarray, "N 2"], degrees: float) -> Float[np.ndarray, "N 2"]:
    """Return the points turned anticlockwise around the origin, in float32.

    Parameters
    ----------
    points : (N, 2) float array
        What is turned.
    degrees : float
        The angle.

    Returns
    -------
    (N, 2) float32 array

    Examples
    --------
    >>> turn(np.array([[1.0, 0.0]]), 90).round(3) + 0.0
    array([[0., 1.]], dtype=float32)
    """
    return (as_vectors(points, dim=2, name="points") @ axes_at(degrees)).astype(np.float32)


def cut_along(
    points: Float[np.ndarray, "N 2"], degrees: float, n_codewords: int, *, random_state: int = 0
) -> OptimizedProductQuantizer:
    """Return a quantizer of two subspaces whose grid is turned by `degrees`, fitted to the points.

    Parameters
    ----------
    points : (N, 2) float array
        What the codewords are fitted to.
    degrees : float
        The angle of the axes, see `axes_at`.
    n_codewords : int
        Along each axis.
    random_state : int
        Where k-means starts.

    Returns
    -------
    OptimizedProductQuantizer

    Examples
    --------
    >>> square = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, -1.0], [-1.0, 0.0]])
    >>> [round(cut_along(square, degrees, 2).distortion(square), 3) for degrees in (0, 45)]
    [0.333, 0.0]
    """
    axes = axes_at(degrees)
    pq = ProductQuantizer(2, n_codewords, random_state=random_state)
    pq.fit(as_vectors(points, dim=2, name="points") @ axes.T)
    return OptimizedProductQuantizer(2, n_codewords).with_codebooks(pq.codebooks_, axes)


def all_places(quantizer: Quantizer) -> Float[np.ndarray, "P dim"]:
    """Return every reconstruction that a small quantizer can express, K^M of them, code by code.

    Parameters
    ----------
    quantizer : Quantizer
        A fitted one.

    Returns
    -------
    (P, dim) float array
        P = K^M.

    Raises
    ------
    InvalidInputError
        Where there are too many to look at.

    Examples
    --------
    >>> square = np.array([[0.0, 1.0], [1.0, 0.0], [0.0, -1.0], [-1.0, 0.0]])
    >>> all_places(cut_along(square, 45, 2)).shape
    (4, 2)
    """
    M, K = quantizer.n_subspaces, quantizer.n_codewords
    if K**M > _MOST_PLACES:
        raise InvalidInputError(
            f"at most {_MOST_PLACES:,} reconstructions", f"{K}^{M}", "draw a smaller quantizer"
        )
    return quantizer.decode(np.array(list(product(range(K), repeat=M))))
