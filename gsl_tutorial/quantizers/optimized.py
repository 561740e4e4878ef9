"""Optimized product quantization: turn the space first, so that cutting it costs less.

Product quantization cuts a vector where its numbers happen to stand. When numbers in different pieces
depend on each other, or one piece carries nearly all the variance, bits are wasted. A rotation before
the cut changes no distance and no similarity; the best one is learned in turns: with the rotation
fixed, k-means in each piece; with the codebooks fixed, the orthonormal matrix that brings the vectors
nearest to their reconstructions (a Procrustes problem, solved by one singular value decomposition).

Source: Ge, He, Ke and Sun, "Optimized product quantization", 2013 (the non-parametric solution).
Changed here: the turns are faiss's `OPQMatrix`, started from no rotation at all. From there it can
only improve on product quantization; from a random rotation, faiss's default, it ended above it on
the digits (2 x 256 codewords: 0.73 against 0.62, and 0.64 without a rotation).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import faiss
import numpy as np
import torch
from jaxtyping import Float

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers.checks import (
    check_codebooks,
    check_tail,
    check_training_set,
    named_arrays,
)
from gsl_tutorial.quantizers.kmeans import seed_from
from gsl_tutorial.quantizers.product import ProductQuantizer
from gsl_tutorial.validation import as_vectors, check_count, describe


class OptimizedProductQuantizer(ProductQuantizer):
    """Product quantizer behind a learned rotation; everything else is the product quantizer's.

    Parameters
    ----------
    n_subspaces, n_codewords, random_state: as for `ProductQuantizer`.
    n_iterations: turns of rotation and codebooks; 0 leaves the space as it is.

    Learned: `rotation_` (dim, dim) float32, orthonormal, z' = rotation_ @ z; `codebooks_` (M, K, d)
    in the rotated space; `usage_`, `reseeded_`, `distortion_` as ever.

    >>> rng = np.random.default_rng(0)
    >>> X = (rng.normal(size=(500, 8)) @ rng.normal(size=(8, 8))).astype(np.float32)
    >>> opq = OptimizedProductQuantizer(4, 16, random_state=0).fit(X)
    >>> opq.distortion_ < ProductQuantizer(4, 16, random_state=0).fit(X).distortion_
    True
    """

    rotation_: Float[np.ndarray, "dim dim"]
    short_name: ClassVar[str] = "OPQ"

    def __init__(
        self,
        n_subspaces: int,
        n_codewords: int = 256,
        *,
        n_iterations: int = 20,
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        super().__init__(n_subspaces, n_codewords, random_state=random_state)
        self.n_iterations = n_iterations

    def fit(self, X: Float[np.ndarray, "N dim"], y: None = None) -> Self:
        """Learn the rotation, then the codebooks in the rotated space; needs at least K rows.

        `refit` keeps the rotation and moves the codewords only: another rotation would give every
        code another meaning.
        """
        X = check_training_set(X, self, pieces=self.n_subspaces)
        check_count(self.n_iterations, name="n_iterations", low=0)
        rotation = self._learned_rotation(X)
        parts = (X @ rotation.T).reshape(len(X), self.n_subspaces, -1)
        self._learn(parts, start=None)
        self.rotation_ = rotation
        return self._measure(X)

    def split(self, z: Any) -> Any:
        """Rotate, then cut in M pieces: (N, dim) -> (N, M, d)."""
        self._check_is_fitted()
        check_tail(z, self.dim_, name="embeddings")
        return super().split(z @ self._rotation_like(z).T)

    def join(self, parts: Any) -> Any:
        """Put the pieces side by side and rotate back: (N, M, d) -> (N, dim)."""
        rotated = super().join(parts)
        return rotated @ self._rotation_like(rotated)

    def arrays(self) -> dict[str, np.ndarray]:
        """The "codebooks" (M, K, d) and the "rotation" (dim, dim)."""
        return {**super().arrays(), "rotation": self.rotation_}

    def with_arrays(self, arrays: Mapping[str, np.ndarray]) -> Self:
        """Adopt what `arrays` gave; raises `InvalidInputError` on other names or shapes."""
        return self.with_codebooks(**named_arrays(arrays, "codebooks", "rotation"))

    def with_codebooks(
        self,
        codebooks: Float[np.ndarray, "M K d"],
        rotation: Float[np.ndarray, "dim dim"] | None = None,
    ) -> Self:
        """Adopt codebooks and an orthonormal rotation; without one, the space is not turned."""
        books = check_codebooks(codebooks, self)
        dim = len(books) * books.shape[2]
        matrix = np.eye(dim, dtype=np.float32)
        if rotation is not None:
            matrix = as_vectors(rotation, dim=dim, name="a rotation").copy()
            if len(matrix) != dim or np.abs(matrix @ matrix.T - np.eye(dim)).max() > 1e-3:
                raise InvalidInputError(
                    f"an orthonormal rotation of shape ({dim}, {dim})",
                    describe(matrix),
                    "pass the rotation_ that belongs to these codebooks",
                )
        self._adopt(books, dim=dim)
        self.rotation_ = matrix
        return self

    def _rotation_like(self, z: Any) -> Any:
        if isinstance(z, torch.Tensor):
            return torch.from_numpy(self.rotation_).to(z)
        return self.rotation_.astype(np.result_type(z.dtype, np.float32))

    def _learned_rotation(self, X: Float[np.ndarray, "N dim"]) -> Float[np.ndarray, "dim dim"]:
        dim = X.shape[1]
        # faiss counts codewords in whole bits; a rotation for fewer of them serves well enough.
        trial = faiss.ProductQuantizer(dim, self.n_subspaces, int(np.log2(self.n_codewords)))
        trial.cp.seed = seed_from(self.random_state)
        trial.cp.min_points_per_centroid, trial.cp.max_points_per_centroid = 1, len(X)
        solver = faiss.OPQMatrix(dim, self.n_subspaces)
        solver.niter, solver.max_train_points, solver.pq = self.n_iterations, len(X), trial
        faiss.copy_array_to_vector(np.eye(dim, dtype=np.float32).ravel(), solver.A)
        if self.n_iterations:
            solver.train(X)
        learned = faiss.vector_to_array(solver.A).reshape(dim, dim).astype(np.float64)
        # The nearest orthonormal matrix takes away what rounding added in all those turns.
        left, _, right = np.linalg.svd(learned)
        return (left @ right).astype(np.float32)
