"""k-means by faiss, from a seed or from where the centroids stand.

A thin door to `faiss.Kmeans`: it fixes the settings that matter for reproducible teaching (no
sub-sampling, a seed of our own, silence). A centroid that loses all its points is re-seeded by faiss
next to a crowded one.

faiss clusters the points around their mean, so that an offset costs no digits. Where the clusters are
so tight, seen from that mean, that even there its float32 products cannot tell them apart (groups far
from each other), rounds of our own go on from its centroids, with assignments that are always right.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers.nearest import centre_of, exponent_of, nearest, scaled
from gsl_tutorial.validation import as_vectors, check_count, describe

#: Share of the points' spread below which faiss's rounding, some 2^-21 of it, moves assignments.
_TIGHT = 2.0**-14


def kmeans(
    X: Float[np.ndarray, "N d"],
    n_clusters: int,
    *,
    seed: int,
    n_iterations: int = 25,
    start: Float[np.ndarray, "K d"] | None = None,
) -> Float[np.ndarray, "K d"]:
    """Return the centroids that k-means ends with.

    Parameters
    ----------
    X
        (N, d) One point a row.
    n_clusters
        K, from 1 to N.
    seed
        From 0 to 2^31 - 1.
    n_iterations
        Rounds of assigning and moving.
    start
        (K, d) Where the centroids stand at first, for a warm start; None: faiss draws them.

    Returns
    -------
    numpy.ndarray
        (K, d) of float32.

    Raises
    ------
    InvalidInputError
        For fewer points than clusters, or another shape of `start`.
    """
    return kmeans_counting(X, n_clusters, seed=seed, n_iterations=n_iterations, start=start)[0]


def kmeans_counting(
    X: Float[np.ndarray, "N d"],
    n_clusters: int,
    *,
    seed: int,
    n_iterations: int = 25,
    start: Float[np.ndarray, "K d"] | None = None,
) -> tuple[Float[np.ndarray, "K d"], int]:
    """Return the centroids of `kmeans` and how often one that had no points was re-seeded.

    Parameters
    ----------
    X, n_clusters, seed, n_iterations, start
        As in `kmeans`.

    Raises
    ------
    InvalidInputError
        As `kmeans`.
    """
    import faiss  # late: chapters draw points before they cluster any

    points = as_vectors(X, name="points")
    check_count(n_clusters, name="n_clusters", low=1)
    if not points.shape[1]:
        raise InvalidInputError("points of one number or more", describe(points), "pass (N, d)")
    if len(points) < n_clusters:
        raise InvalidInputError(
            f"at least as many points as n_clusters={n_clusters}",
            f"{len(points)}",
            "pass more points or ask for fewer clusters",
        )
    if start is not None:
        start = as_vectors(start, name="start")
        if start.shape != (n_clusters, points.shape[1]):
            raise InvalidInputError(
                f"a start of shape ({n_clusters}, {points.shape[1]})",
                describe(start),
                "pass one row for each cluster, as long as a point",
            )
    if len(points) == n_clusters:
        return points.copy(), 0  # each is its own, to the last bit
    centre = centre_of(points)
    around = points - centre
    exponent = exponent_of(around)
    around = scaled(around, -exponent)
    if start is not None:
        start = scaled(start - centre, -exponent)
    solver = faiss.Kmeans(
        points.shape[1],
        n_clusters,
        niter=n_iterations,
        seed=seed,
        verbose=False,
        # faiss would train on a sample above this, and print a warning below the other.
        max_points_per_centroid=len(points),
        min_points_per_centroid=1,
    )
    solver.train(around, init_centroids=start)
    centroids = np.array(solver.centroids, dtype=np.float32)
    steps = solver.iteration_stats or []
    reseeded = sum(int(step["nsplit"]) for step in steps)
    # The sum that faiss reports is off by as much as its assignments.
    if steps and steps[-1]["obj"] < 2 * _TIGHT * np.einsum("ij,ij", around, around, dtype="f8"):
        centroids = _rounds_where_tight(around, centroids, n_iterations)
    return scaled(centroids, exponent) + centre, reseeded


def _rounds_where_tight(
    points: Float[np.ndarray, "N d"], centroids: Float[np.ndarray, "K d"], n_iterations: int
) -> Float[np.ndarray, "K d"]:
    """Assign and move, as k-means does, where faiss's rounding is no longer small beside the distances."""
    found = nearest(points, centroids)
    for _ in range(n_iterations):
        distortion = ((points - centroids[found]).astype(np.float64) ** 2).sum() / len(points)
        if distortion > _TIGHT * (points.astype(np.float64) ** 2).sum() / len(points):
            break
        moved = _means(points, found, centroids)
        again = nearest(points, moved)
        if np.array_equal(again, found):
            return moved
        centroids, found = moved, again
    return centroids


def _means(
    points: Float[np.ndarray, "N d"],
    assigned: Int[np.ndarray, " N"],
    centroids: Float[np.ndarray, "K d"],
) -> Float[np.ndarray, "K d"]:
    """The mean of each centroid's points; one without points takes the farthest of a crowded one."""
    K = len(centroids)
    ones = sparse.csr_matrix(
        (np.ones(len(points)), (assigned, np.arange(len(points)))), shape=(K, len(points))
    )
    sizes = np.bincount(assigned, minlength=K)
    means = (ones @ points.astype(np.float64)) / np.maximum(sizes, 1)[:, None]
    left = ((points - means[assigned]) ** 2).sum(axis=1)
    for k in np.flatnonzero(sizes == 0):
        farthest = int(left.argmax())
        means[k], left[farthest] = points[farthest], 0
    return means.astype(np.float32)


def seed_from(random_state: int | np.random.Generator | None) -> int:
    """A seed for faiss: the integer itself, or one drawn from the generator."""
    if isinstance(random_state, (int, np.integer)):
        return int(random_state) & 0x7FFFFFFF
    return int(np.random.default_rng(random_state).integers(2**31 - 1))
