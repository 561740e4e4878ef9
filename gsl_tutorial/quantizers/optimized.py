"""Optimized product quantization: turn the space first, so that cutting it costs less.

Product quantization cuts a vector where its numbers happen to stand. When numbers in different pieces
depend on each other, or one piece carries nearly all the variance, bits are wasted. A rotation before
the cut changes no distance and no similarity; the best one is learned in turns: with the rotation
fixed, k-means in each piece; with the codebooks fixed, the orthonormal matrix that brings the vectors
nearest to their reconstructions (a Procrustes problem, solved by one singular value decomposition).

Source: Ge, He, Ke and Sun, "Optimized product quantization", 2013. Changed here: the turns are
faiss's `OPQMatrix`, but they run from each of two places, no rotation and the balanced one (the
paper's parametric solution), where faiss starts at random; on 1,400 digits (2 x 256) a random start
ended at 0.73, above the 0.64 of no rotation, and ours at 0.62. The best of the two ends and the two
starts is kept, so that on its training vectors it never distorts more than plain cutting. Which start
is the better one cannot be told beforehand, not even from its own distortion.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import faiss
import numpy as np
import torch
from jaxtyping import Float, Integer

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers.kmeans import seed_from
from gsl_tutorial.quantizers.nearest import centre_of, exponent_of, is_far, scaled
from gsl_tutorial.quantizers.product import ProductQuantizer, nearest_codewords
from gsl_tutorial.validation import (
    as_codes,
    as_vectors,
    check_codebooks,
    check_count,
    check_tail,
    describe,
    named_arrays,
)

#: Share of the largest variance that counts as none.
_NO_VARIANCE = 1e-12


class OptimizedProductQuantizer(ProductQuantizer):
    """Product quantizer behind a learned rotation; everything else is the product quantizer's.

    Parameters
    ----------
    n_subspaces, n_codewords, random_state
        As in `ProductQuantizer`.
    n_iterations
        Turns of rotation and codebooks; 0 keeps the space as it is.

    Attributes
    ----------
    rotation_
        (dim, dim) float32, orthonormal: z' = rotation_ @ z.
    codebooks_
        (M, K, d) float32, in the rotated space.
    usage_, reseeded_, distortion_
        As in `Quantizer`.

    Examples
    --------
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
        X = self._learnable(X, pieces=self.n_subspaces)
        check_count(self.n_iterations, name="n_iterations", low=0)
        seed, dim = seed_from(self.random_state), X.shape[1]
        centre = centre_of(X)
        around = X - centre
        exponent = exponent_of(around)
        around = scaled(around, -exponent)

        def cut_after(rotation: Float[np.ndarray, "dim dim"]) -> OptimizedProductQuantizer:
            pq = ProductQuantizer(self.n_subspaces, self.n_codewords, random_state=seed)
            pq.fit(around @ rotation.T)
            turned = (rotation.astype(np.float64) @ centre).reshape(self.n_subspaces, 1, -1)
            books = scaled(pq.codebooks_.astype(np.float64), exponent) + turned
            trial = OptimizedProductQuantizer(self.n_subspaces, self.n_codewords)
            trial._adopt(books.astype(np.float32), dim=dim)
            trial.rotation_, trial.reseeded_ = rotation, pq.reseeded_
            return trial._measure(X)  # with the codebooks as float32 holds them, offset and all

        rotations = [np.eye(dim, dtype=np.float32)]
        if self.n_iterations:
            rotations.append(balanced_rotation(around, self.n_subspaces))
            rotations += [self._turned(around, start, seed) for start in rotations]
        best = min(map(cut_after, rotations), key=lambda trial: trial.distortion_)
        self._adopt(best.codebooks_, dim=dim)
        for name in ("rotation_", "reseeded_", "usage_", "distortion_"):
            setattr(self, name, getattr(best, name))
        return self

    def decode(self, codes: Integer[np.ndarray, "N M"]) -> Float[np.ndarray, "N dim"]:
        """Put the codewords of each code side by side and rotate back."""
        self._check_is_fitted()
        codes = as_codes(codes, n_subspaces=self.n_subspaces, n_codewords=self.n_codewords)
        centre, books = self._middle()
        decoded = self.join(books[np.arange(self.n_subspaces), codes])
        return decoded if centre is None else decoded + centre

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
        """Adopt what `arrays` gave.

        Raises
        ------
        InvalidInputError
            For other names or shapes.
        """
        return self.with_codebooks(**named_arrays(arrays, "codebooks", "rotation"))

    def with_codebooks(
        self,
        codebooks: Float[np.ndarray, "M K d"],
        rotation: Float[np.ndarray, "dim dim"] | None = None,
    ) -> Self:
        """Adopt codebooks and a rotation.

        Parameters
        ----------
        codebooks
            (M, K, d) In the rotated space.
        rotation
            (dim, dim) Orthonormal; None: the space is not turned.

        Raises
        ------
        InvalidInputError
            For other shapes, and for a rotation that is not orthonormal.
        """
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

    def _middle(self) -> tuple[Float[np.ndarray, " dim"] | None, Float[np.ndarray, "M K d"]]:
        """A point amid the reconstructions, and the codewords as seen from there.

        A rotation of numbers with a large offset would round as they do. So the offset stays out of it;
        a small one does no harm, and there is None.
        """
        centres = self.codebooks_.mean(axis=1, keepdims=True, dtype=np.float64)
        if not is_far(centres, self.codebooks_ - centres):
            return None, self.codebooks_
        rotation = self.rotation_.astype(np.float64)
        centre = (centres.ravel() @ rotation).astype(np.float32)
        turned = (rotation @ centre.astype(np.float64)).reshape(self.n_subspaces, 1, -1)
        return centre, (self.codebooks_ - turned).astype(np.float32)

    def _around(
        self, X: Float[np.ndarray, "N dim"]
    ) -> tuple[Float[np.ndarray, "N M d"], Float[np.ndarray, "M K d"]]:
        centre, books = self._middle()
        return self.split(X if centre is None else X - centre), books

    def _candidates(
        self, z: Float[torch.Tensor, "N dim"], n: int
    ) -> Float[torch.Tensor, "N M n d"]:
        middle, around = self._middle()
        if middle is None:
            return super()._candidates(z, n)
        centre, books = torch.from_numpy(middle).to(z), torch.from_numpy(around).to(z)
        near = nearest_codewords(self.split(z - centre), books, n)
        return near + self.split(centre.unsqueeze(0)).unsqueeze(2)

    def _rotation_like(self, z: Any) -> Any:
        if isinstance(z, torch.Tensor):
            return torch.from_numpy(self.rotation_).to(z)
        return self.rotation_.astype(np.result_type(z.dtype, np.float32))

    def _turned(
        self, X: Float[np.ndarray, "N dim"], start: Float[np.ndarray, "dim dim"], seed: int
    ) -> Float[np.ndarray, "dim dim"]:
        """The rotation after `n_iterations` turns of faiss."""
        dim = X.shape[1]
        # With fewer vectors than numbers in each, faiss writes past its memory. The same vectors
        # several times are the same problem.
        X = np.tile(X, (-(-dim // len(X)), 1))
        # faiss counts codewords in whole bits; a rotation for fewer of them serves well enough.
        trial = faiss.ProductQuantizer(dim, self.n_subspaces, int(np.log2(self.n_codewords)))
        trial.cp.seed = seed
        trial.cp.min_points_per_centroid, trial.cp.max_points_per_centroid = 1, len(X)
        solver = faiss.OPQMatrix(dim, self.n_subspaces)
        solver.niter, solver.max_train_points, solver.pq = self.n_iterations, len(X), trial
        faiss.copy_array_to_vector(start.ravel(), solver.A)
        solver.train(X)
        learned = faiss.vector_to_array(solver.A).reshape(dim, dim).astype(np.float64)
        # The nearest orthonormal matrix takes away what rounding added in all those turns.
        left, _, right = np.linalg.svd(learned)
        return (left @ right).astype(np.float32)


def balanced_rotation(
    X: Float[np.ndarray, "N dim"], n_subspaces: int
) -> Float[np.ndarray, "dim dim"]:
    """Principal axes of `X`, dealt out so that each piece gets the same share of the variance.

    The largest first, each to the piece with room whose variances have the smallest product: for
    normal data, equal products are what makes equal codebooks best. The same at every scale of `X`.

    Parameters
    ----------
    X
        (N, dim) One vector a row.
    n_subspaces
        M, which divides dim.
    """
    dim = X.shape[1]
    variances, axes = np.linalg.eigh(np.cov(X.astype(np.float64), rowvar=False).reshape(dim, dim))
    # As multiples of the smallest: of numbers below 1 a product gets smaller with each factor, and
    # the fullest piece would be filled further.
    largest = max(float(variances.max()), np.finfo(np.float64).tiny)
    shares = np.maximum(variances / largest, _NO_VARIANCE)
    weights = np.log(shares / shares.min())
    pieces: list[list[int]] = [[] for _ in range(n_subspaces)]
    product = np.zeros(n_subspaces)
    for axis in np.argsort(-variances):
        room = [m for m in range(n_subspaces) if len(pieces[m]) < dim // n_subspaces]
        chosen = min(room, key=lambda m: (product[m], len(pieces[m])))
        pieces[chosen].append(int(axis))
        product[chosen] += weights[axis]
    return axes[:, [axis for piece in pieces for axis in piece]].T.astype(np.float32)
