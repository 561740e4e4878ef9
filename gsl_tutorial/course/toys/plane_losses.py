"""Three similarity losses drawn over the plane: what a point z pays at each place.

`pair` is the contrastive loss of Hadsell, Chopra and LeCun (CVPR 2006): near the partner, and at
least a margin from the stranger. `triplet` is the loss of `torch.nn.TripletMarginLoss`: the partner
nearer than the stranger by a margin. `two-class` is the cross-entropy of a soft nearest neighbour
(Goldberger et al., NIPS 2004): a kernel around each data point votes for the class of z.

What we changed: each loss is a function of one free point z; the data stay where they are. `pair` and
`triplet` look at the first similar and the first dissimilar point only, `two-class` at all of them.
The page of the explorer computes the same in `widgets/explorer_math.js`; tests hold the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from gsl_tutorial.course.toys.plane import Plane
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import as_vectors, check_name

SIMILARITY_LOSSES = ("two-class", "triplet", "pair")

#: Distance that a stranger should keep (`pair`), and by which the partner should be nearer (`triplet`).
MARGIN = 0.8
#: Standard deviation of the kernels of `two-class`, in units of the plane.
KERNEL = 0.4


def as_points(values: object, name: str) -> Float[np.ndarray, "n 2"]:
    """Finite float64 points out of anything that holds them.

    Parameters
    ----------
    values : array-like
        (n, 2) numbers.
    name : str
        What an error calls them.

    Returns
    -------
    (n, 2) float64 array

    Raises
    ------
    InvalidInputError
        If it does not hold such points.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InvalidInputError(
            f"{name} of shape (n, 2)", f"{values!r}"[:80], "pass one pair of numbers per row"
        ) from None
    if array.size == 0 and array.ndim < 2:
        array = array.reshape(0, 2)
    as_vectors(array, dim=2, name=name)
    return array


@dataclass(frozen=True)
class LossPlane(Plane):
    """A `Plane` under one of `SIMILARITY_LOSSES`; `LossPlane.over` makes one.

    Parameters
    ----------
    codewords, partner
        See `Plane`.
    similar : (P, 2) float array
        Data of the same class as z; the first of them is the partner.
    dissimilar : (Q, 2) float array
        Data of another class; the first of them is the stranger, the negative of a triplet.
    kind : str
        One of `SIMILARITY_LOSSES`.

    Raises
    ------
    InvalidInputError
        Where a loss lacks the points it needs: only `pair` can do without a stranger, and is then
        half the squared distance to the partner, as in `Plane`.
    """

    similar: Float[np.ndarray, "P 2"]
    dissimilar: Float[np.ndarray, "Q 2"]
    kind: str

    @classmethod
    def over(
        cls, codewords: object, similar: object, dissimilar: object = (), kind: str = "pair"
    ) -> LossPlane:
        """A plane of anything that NumPy turns into points, checked.

        Parameters
        ----------
        codewords : array-like
            (K, 2).
        similar : array-like
            (P, 2), one point or more.
        dissimilar : array-like
            (Q, 2).
        kind : str
            One of `SIMILARITY_LOSSES`.

        Returns
        -------
        LossPlane

        Raises
        ------
        InvalidInputError
            For other shapes, numbers that are not finite, and without a similar point; else see
            `LossPlane`.

        Examples
        --------
        >>> LossPlane.over([[0, 0]], similar=[[0, 1]]).loss(np.array([[0.0, 0.5]]))
        array([0.125])
        """
        near = as_points(similar, "similar")
        if not len(near):
            raise InvalidInputError("at least one similar point", "none", "pass an array (P, 2)")
        return cls(
            as_points(codewords, "codewords"),
            near[0],
            near,
            as_points(dissimilar, "dissimilar"),
            kind,
        )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name("similarity loss", self.kind, SIMILARITY_LOSSES)
        if self.kind != "pair" and not len(self.dissimilar):
            raise InvalidInputError(
                f"a dissimilar point for the loss {self.kind!r}",
                "none",
                "pass dissimilar=..., or choose the loss 'pair'",
            )

    def loss(self, z: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, " N"]:
        """Similarity loss of each point.

        Parameters
        ----------
        z : (N, 2) float array
            The points.

        Returns
        -------
        (N,) float array
            0 or more.
        """
        if self.kind == "two-class":
            votes_all = _log_votes(z, np.concatenate([self.similar, self.dissimilar]))
            return votes_all - _log_votes(z, self.similar)
        near = np.linalg.norm(z - self.partner, axis=-1)
        far = [np.linalg.norm(z - stranger, axis=-1) for stranger in self.dissimilar[:1]]
        if self.kind == "triplet":
            return np.maximum(0.0, near - far[0] + MARGIN)
        return 0.5 * near**2 + sum(0.5 * np.maximum(0.0, MARGIN - d) ** 2 for d in far)

    def gradient(self, z: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, "N 2"]:
        """Gradient of `loss` with respect to z.

        Parameters
        ----------
        z : (N, 2) float array
            The points.

        Returns
        -------
        (N, 2) float array
            0 at a kink.
        """
        if self.kind == "two-class":
            # Only the centres of the votes differ: z itself cancels out.
            everyone = np.concatenate([self.similar, self.dissimilar])
            return (_centre(z, everyone) - _centre(z, self.similar)) / KERNEL**2
        towards_partner = z - self.partner
        if self.kind == "triplet":
            inside = (self.loss(z) > 0)[:, None]
            return np.where(inside, _unit(towards_partner) - _unit(z - self.dissimilar[0]), 0.0)
        gradient = np.array(towards_partner, dtype=np.float64)
        for stranger in self.dissimilar[:1]:
            away = z - stranger
            missing = np.maximum(0.0, MARGIN - np.linalg.norm(away, axis=-1, keepdims=True))
            gradient -= missing * _unit(away)
        return gradient


def _exponents(
    z: Float[np.ndarray, "N 2"], data: Float[np.ndarray, "D 2"]
) -> Float[np.ndarray, "N D"]:
    return -((z[:, None] - data[None]) ** 2).sum(axis=2) / (2 * KERNEL**2)


def _log_votes(z: Float[np.ndarray, "N 2"], data: Float[np.ndarray, "D 2"]) -> np.ndarray:
    exponents = _exponents(z, data)
    largest = exponents.max(axis=1)  # far from all data the sum of exponentials would vanish
    return largest + np.log(np.exp(exponents - largest[:, None]).sum(axis=1))


def _centre(z: Float[np.ndarray, "N 2"], data: Float[np.ndarray, "D 2"]) -> np.ndarray:
    """Mean of the data, each weighted by its vote."""
    exponents = _exponents(z, data)
    votes = np.exp(exponents - exponents.max(axis=1, keepdims=True))
    return votes @ data / votes.sum(axis=1, keepdims=True)


def _unit(vectors: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, "N 2"]:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
