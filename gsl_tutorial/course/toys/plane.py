"""A world of two dimensions in which a gradient can be seen: the toy of chapters 05 and 06.

One point z, one partner it should come near to, a few codewords. The similarity loss is half the
squared distance to the partner; the quantization penalty pulls to the nearest codeword. Everything is
NumPy and small, and calls the plain twin of the snapping layer.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.snapping import SnapOptions
from gsl_tutorial.snapping.by_hand import snap_gradient_numpy
from gsl_tutorial.validation import as_vectors, check_count


@dataclass(frozen=True)
class Plane:
    """Codewords, and the partner that the similarity loss pulls to.

    Parameters
    ----------
    codewords : (K, 2) float array
        The codewords.
    partner : (2,) float array
        The positive of every point.
    """

    codewords: Float[np.ndarray, "K 2"]
    partner: Float[np.ndarray, " 2"]

    def __post_init__(self) -> None:
        as_vectors(self.codewords, dim=2, name="codewords")
        as_vectors(np.asarray(self.partner)[None], dim=2, name="partner")
        if not len(self.codewords):
            raise InvalidInputError("at least one codeword", "none", "pass an array (K, 2)")

    def loss(self, z: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, " N"]:
        """Similarity loss of each point: half the squared distance to the partner.

        Parameters
        ----------
        z : (N, 2) float array
            The points.

        Returns
        -------
        (N,) float array
            0 or more.
        """
        return 0.5 * ((z - self.partner) ** 2).sum(axis=-1)

    def gradient(self, z: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, "N 2"]:
        """Gradient of `loss` with respect to z: z - partner.

        Parameters
        ----------
        z : (N, 2) float array
            The points.

        Returns
        -------
        (N, 2) float array
        """
        return z - self.partner

    def candidates(self, z: Float[np.ndarray, "N 2"], n: int) -> Float[np.ndarray, "N n 2"]:
        """The n codewords nearest to each point, nearest first.

        Parameters
        ----------
        z : (N, 2) float array
            The points.
        n : int
            How many codewords, from 1 to K.

        Returns
        -------
        (N, n, 2) float array

        Raises
        ------
        InvalidInputError
            If n is not from 1 to K.
        """
        check_count(n, name="n", low=1, high=len(self.codewords))
        squared = ((z[:, None] - self.codewords[None]) ** 2).sum(axis=2)
        return self.codewords[np.argsort(squared, axis=1, kind="stable")[:, :n]]

    def reconstruct(self, z: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, "N 2"]:
        """The nearest codeword of each point."""
        return self.candidates(z, 1)[:, 0]

    def penalized(self, z: Float[np.ndarray, "N 2"], strength: float) -> Float[np.ndarray, "N 2"]:
        """Gradient of similarity loss + strength * |z - q(z)|^2, for each point on its own.

        Parameters
        ----------
        z : (N, 2) float array
            The points.
        strength : float
            How much the quantization penalty counts.

        Returns
        -------
        (N, 2) float array
        """
        return self.gradient(z) + 2 * strength * (z - self.reconstruct(z))

    def snapped(
        self, z: Float[np.ndarray, "N 2"], options: SnapOptions
    ) -> Float[np.ndarray, "N 2"]:
        """What leaves the snapping layer, for each point on its own.

        Parameters
        ----------
        z : (N, 2) float array
            The points.
        options : SnapOptions
            How to snap; how many candidates each point has.

        Returns
        -------
        (N, 2) float array
            A gradient, to be subtracted.

        Raises
        ------
        InvalidInputError
            If there are not so many codewords as candidates.
        """
        gradient, how = self.gradient(z), asdict(options)
        rows = [
            snap_gradient_numpy(g[None, None], one[None, None], c[None, None], **how)[0, 0]
            for g, one, c in zip(gradient, z, self.candidates(z, options.n_candidates), strict=True)
        ]
        return np.array(rows).reshape(z.shape)


def cosine(a: Float[np.ndarray, "... 2"], b: Float[np.ndarray, "... 2"]) -> Any:
    """Cosine of the angle between vectors; 0 where one of them is zero.

    Parameters
    ----------
    a, b : (..., 2) float arrays
        Of shapes that broadcast.

    Returns
    -------
    float array
        From -1 to 1.
    """
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return np.divide((a * b).sum(axis=-1), lengths, out=np.zeros_like(lengths), where=lengths > 0)
