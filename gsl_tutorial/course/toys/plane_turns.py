"""The plane with turns: three classes, and codewords that are refitted while the points move.

Every point is drawn to the positive of its class. For a few steps the codewords are held still; then
they take their turn, one round of k-means on the points as they stand. That is how chapter 07 trains
networks; here a point is moved directly, so that it can be watched. Chapter 06 ends with it.

The page of `TurnsExplorer` computes the same in `widgets/explorer_turns_math.js`; tests hold the two
equal. Gradients are those of `plane_methods`, with one pair of losses for each class. The snap is the
package's own layer on all points at once, which a test compares with the loop.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Float, Int

from gsl_tutorial.course.toys.kmeans_steps import assign, kmeans_steps, move
from gsl_tutorial.course.toys.plane import Plane
from gsl_tutorial.course.toys.plane_losses import as_points
from gsl_tutorial.course.toys.plane_methods import method_gradient
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.snapping import SnapOptions
from gsl_tutorial.validation import check_count, check_size

#: The positive of each class: the corners of a triangle.
POSITIVES = ((-0.8, -0.6), (0.8, -0.6), (0.0, 0.9))
#: Squared distance to the nearest codeword from which on a point may get an unused codeword.
FAR = 1e-4
#: Rounds of k-means before the first step: the codewords begin fitted to the points.
FIRST_ROUNDS = 10


def random_starts(seed: int, n: int = 60) -> Float[np.ndarray, "n 2"]:
    """Draw points all over the plane; row i belongs to class i modulo the number of classes.

    Parameters
    ----------
    seed : int
        The same seed draws the same points.
    n : int
        How many points.

    Returns
    -------
    (n, 2) array
        From -1.1 to 1.1, rounded to thousandths.
    """
    return np.round(np.random.default_rng(seed).uniform(-1.1, 1.1, size=(n, 2)), 3)


@dataclass(frozen=True)
class TurnsPlane:
    """Points of several classes, their positives, and the schedule of turns.

    Parameters
    ----------
    positives : (C, 2) float array
        Where the similarity loss wants each class: half the squared distance to its positive.
    starts : (N, 2) float array
        Where the points begin. Row i belongs to class i modulo C.
    n_codewords : int
        K, from 1 to N. K-means starts from the first K points.
    every : int
        Steps between two turns of the codewords.
    rate : float
        How far one step goes: z - rate * gradient.
    reseed : bool
        Whether a codeword without points moves to the point that is farthest from its own codeword, as
        far as there are such points; else it stays where it is. The package's k-means re-seeds, too.

    Raises
    ------
    InvalidInputError
        Some of it is faulty.
    """

    positives: Float[np.ndarray, "C 2"]
    starts: Float[np.ndarray, "N 2"]
    n_codewords: int = 9
    every: int = 5
    rate: float = 0.05
    reseed: bool = True

    def __post_init__(self) -> None:
        for name in ("positives", "starts"):
            points = as_points(getattr(self, name), name=name)
            if not len(points):
                raise InvalidInputError(f"at least one row of {name}", "none", "pass (n, 2)")
            object.__setattr__(self, name, points)
        check_count(
            self.n_codewords, name="K, the number of codewords,", low=1, high=len(self.starts)
        )
        check_count(self.every, name="every, the steps between refits,", low=1)
        check_size(self.rate, name="rate")

    @property
    def labels(self) -> Int[np.ndarray, " N"]:
        """The class of each point."""
        return np.arange(len(self.starts)) % len(self.positives)

    def first_codewords(self) -> Float[np.ndarray, "K 2"]:
        """The codewords as they stand before the first step."""
        start = self.starts[: self.n_codewords]
        return kmeans_steps(self.starts, start, n_rounds=FIRST_ROUNDS)[-1].codewords

    def gradient(
        self,
        z: Float[np.ndarray, "N 2"],
        codewords: Float[np.ndarray, "K 2"],
        method: str,
        options: SnapOptions,
    ) -> Float[np.ndarray, "N 2"]:
        """The gradient with which a method moves each point, the codewords held still.

        Parameters
        ----------
        z : (N, 2) array
            The points.
        codewords : (K, 2) array
            The codewords.
        method : str
            One of `plane_methods.PLANE_METHODS`.
        options : SnapOptions
            All methods share its strength; the rest is for the snap.

        Returns
        -------
        (N, 2) array
            To be subtracted, times the rate.
        """
        plane = _ManyPositives(codewords, self.positives[self.labels])
        return method_gradient(plane, z, method, options)

    def run(self, method: str, options: SnapOptions, *, n_steps: int = 100) -> Course:
        """Let points and codewords take turns.

        Parameters
        ----------
        method, options
            See `gradient`.
        n_steps : int
            How many steps the points take, 0 or more.

        Returns
        -------
        Course
            Where everything stood before the first step and after each one.
        """
        check_count(n_steps, name="n_steps", low=0)
        points, codewords = [self.starts], [self.first_codewords()]
        for step in range(1, n_steps + 1):
            z, held = points[-1], codewords[-1]
            points.append(z - self.rate * self.gradient(z, held, method, options))
            their_turn = step % self.every == 0
            codewords.append(self._round(points[-1], held) if their_turn else held)
        return Course(self, np.stack(points), np.stack(codewords))

    def _round(
        self, points: Float[np.ndarray, "N 2"], codewords: Float[np.ndarray, "K 2"]
    ) -> Float[np.ndarray, "K 2"]:
        cells = assign(points, codewords)
        if self.reseed and len(np.unique(cells)) < len(codewords):
            away = ((points - codewords[cells]) ** 2).sum(axis=1)
            far = np.flatnonzero(away > FAR)
            far = far[np.argsort(-away[far], kind="stable")]
            unused = np.setdiff1d(np.arange(len(codewords)), cells)[: len(far)]
            codewords = codewords.copy()
            codewords[unused] = points[far[: len(unused)]]
            cells = assign(points, codewords)
        return move(points, codewords, cells)


@dataclass(frozen=True)
class Course:
    """Where points and codewords stood, T moments.

    Attributes
    ----------
    plane : TurnsPlane
        The world.
    points : (T, N, 2) array
        The points.
    codewords : (T, K, 2) array
        The codewords.
    """

    plane: TurnsPlane
    points: Float[np.ndarray, "T N 2"]
    codewords: Float[np.ndarray, "T K 2"]

    def at(self, moment: int) -> Standing:
        """What can be read off one moment; -1 is the last."""
        z, codewords, labels = self.points[moment], self.codewords[moment], self.plane.labels
        cells = assign(z, codewords)
        wanted = self.plane.positives[labels]
        return Standing(
            purity=purity(cells, labels),
            loss=float(0.5 * ((z - wanted) ** 2).sum(axis=1).mean()),
            distortion=float(((z - codewords[cells]) ** 2).sum(axis=1).mean()),
        )


@dataclass(frozen=True)
class Standing:
    """Means over all points at one moment.

    Attributes
    ----------
    purity : float
        The share of points whose own class is the most frequent one in their cell.
    loss : float
        Half the squared distance to the positive.
    distortion : float
        The squared distance to the nearest codeword.
    """

    purity: float
    loss: float
    distortion: float


def purity(cells: Int[np.ndarray, " N"], labels: Int[np.ndarray, " N"]) -> float:
    """The share of points whose own class is the most frequent one in their cell.

    Parameters
    ----------
    cells : (N,) array
        The codeword of each point.
    labels : (N,) array
        The class of each point, from 0.

    Returns
    -------
    float
        1 where every cell holds one class only.

    Examples
    --------
    >>> purity(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]))
    0.75
    """
    counts = np.zeros((int(cells.max()) + 1, int(labels.max()) + 1), dtype=np.int64)
    np.add.at(counts, (cells, labels), 1)
    return float(counts.max(axis=1).sum() / len(labels))


class _ManyPositives(Plane):
    """A plane in which each point has its own partner: row i of `partner` is that of row i of z."""

    def __post_init__(self) -> None:
        """What came in has been checked."""

    def snapped(
        self, z: Float[np.ndarray, "N 2"], options: SnapOptions
    ) -> Float[np.ndarray, "N 2"]:
        """As in `Plane`, all points at once.

        The layer divides its pull by the size of the batch; here each point is a batch of its own.
        """
        import torch  # late: most who draw this plane wait for no torch

        from gsl_tutorial.snapping import snap_gradient

        how = asdict(options) | {"strength": options.strength * len(z)}
        near = self.candidates(z, how.pop("n_candidates"))
        parts = (self.gradient(z)[:, None], z[:, None], near[:, None])
        gradient, here, candidates = (torch.from_numpy(np.array(one)) for one in parts)
        return snap_gradient(gradient, here, candidates, **how).numpy()[:, 0]
