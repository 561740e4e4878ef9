"""k-means by faiss, from a seed or from where the centroids stand.

A thin door to `faiss.Kmeans`: it fixes the settings that matter for reproducible teaching (no
sub-sampling, a seed of our own, silence) and adds nothing to the algorithm. A centroid that loses
all its points is re-seeded by faiss next to a crowded one.
"""

from __future__ import annotations

import faiss
import numpy as np
from jaxtyping import Float

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import as_vectors, check_count, describe


def kmeans(
    X: Float[np.ndarray, "N d"],
    n_clusters: int,
    *,
    seed: int,
    n_iterations: int = 25,
    start: Float[np.ndarray, "K d"] | None = None,
) -> Float[np.ndarray, "K d"]:
    """Return (n_clusters, d) float32 centroids; `start` makes it a warm start.

    Raises `InvalidInputError` for fewer points than clusters, or another shape of `start`.
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
    """Return the centroids of `kmeans` and how often one that had no points was re-seeded."""
    points = as_vectors(np.asarray(X, dtype=np.float32), name="points")
    check_count(n_clusters, name="n_clusters", low=1)
    if len(points) < n_clusters:
        raise InvalidInputError(
            f"at least as many points as n_clusters={n_clusters}",
            f"{len(points)}",
            "pass more points or ask for fewer clusters",
        )
    if start is not None:
        start = as_vectors(np.asarray(start, dtype=np.float32), name="start")
        if start.shape != (n_clusters, points.shape[1]):
            raise InvalidInputError(
                f"a start of shape ({n_clusters}, {points.shape[1]})",
                describe(start),
                "pass one row for each cluster, as long as a point",
            )
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
    solver.train(points, init_centroids=start)
    reseeded = sum(int(step["nsplit"]) for step in solver.iteration_stats or [])
    return np.array(solver.centroids, dtype=np.float32), reseeded


def seed_from(random_state: int | np.random.Generator | None) -> int:
    """A seed for faiss: the integer itself, or one drawn from the generator."""
    if isinstance(random_state, (int, np.integer)):
        return int(random_state) & 0x7FFFFFFF
    return int(np.random.default_rng(random_state).integers(2**31 - 1))
