"""Product quantization: cut the vector in M pieces and quantize each with its own small codebook.

M codebooks of K codewords stand for K^M reconstructions while only M x K codewords are stored and
searched. Source: Jégou, Douze and Schmid, "Product quantization for nearest neighbor search", 2011.
Changed here: k-means is faiss's; squared sub-distances always; errors are typed.
"""

from __future__ import annotations

from typing import Any, Self

import faiss
import numpy as np
import torch
from jaxtyping import Float, Integer
from scipy.spatial.distance import cdist

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers.base import Quantizer, nearest_codewords
from gsl_tutorial.quantizers.kmeans import kmeans, seed_from
from gsl_tutorial.validation import as_codes, as_vectors, check_count, describe


class ProductQuantizer(Quantizer):
    """Product quantizer with `n_subspaces` (M) codebooks of `n_codewords` (K) codewords.

    Parameters
    ----------
    n_subspaces: pieces of a vector; must divide its length.
    n_codewords: codewords in each piece, 2 to 65,536. Codes are uint8 up to 256.
    random_state: seed (int or Generator) of k-means; None draws a fresh one.

    Learned: `codebooks_` (M, K, d) float32, `usage_` (M, K) training vectors on each codeword.

    >>> X = np.random.default_rng(0).normal(size=(500, 8)).astype(np.float32)
    >>> pq = ProductQuantizer(4, 16, random_state=0).fit(X)
    >>> pq
    PQ(4 x 16 codewords, 16 bits, distortion 0.761)
    >>> pq.encode(X).shape, pq.decode(pq.encode(X)).shape
    ((500, 4), (500, 8))
    """

    codebooks_: Float[np.ndarray, "M K d"]
    usage_: Integer[np.ndarray, "M K"]

    def __init__(
        self,
        n_subspaces: int,
        n_codewords: int = 256,
        *,
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        self.n_subspaces = n_subspaces
        self.n_codewords = n_codewords
        self.random_state = random_state

    def fit(self, X: Float[np.ndarray, "N dim"], y: None = None) -> Self:
        """Run k-means in each subspace of `X`; needs at least K rows."""
        return self._learn(self._checked_training_set(X), start=None)

    def refit(self, X: Float[np.ndarray, "N dim"]) -> Self:
        """Run k-means from the present codebooks; a codeword that dies is seeded anew by faiss."""
        self._check_is_fitted()
        return self._learn(self._checked_training_set(self._validated(X)), start=self.codebooks_)

    def encode(self, X: Float[np.ndarray, "N dim"]) -> Integer[np.ndarray, "N M"]:
        """Return for each sub-vector the number of its nearest codeword."""
        X = self._validated(X)
        codes = np.empty((len(X), self.n_subspaces), dtype=np.min_scalar_type(self.n_codewords - 1))
        if len(X):
            for m, piece in enumerate(self._pieces(X)):
                codes[:, m] = faiss.knn(piece, self.codebooks_[m], 1)[1][:, 0]
        return codes

    def decode(self, codes: Integer[np.ndarray, "N M"]) -> Float[np.ndarray, "N dim"]:
        """Put the codewords of each code side by side."""
        self._check_is_fitted()
        codes = as_codes(codes, n_subspaces=self.n_subspaces, n_codewords=self.n_codewords)
        return self.codebooks_[np.arange(self.n_subspaces), codes].reshape(len(codes), self.dim_)

    def lookup_tables(self, queries: Float[np.ndarray, "B dim"]) -> Float[np.ndarray, "B M K"]:
        """Squared distance from each piece of each query to each codeword of that piece."""
        pieces = self._pieces(self._validated(queries))
        tables = [
            cdist(piece, book, "sqeuclidean")
            for piece, book in zip(pieces, self.codebooks_, strict=True)
        ]
        return np.stack(tables, axis=1).astype(np.float32)

    def candidates(self, z: Any, n: int) -> Any:
        """The `n` nearest codewords of each sub-vector: (N, dim) -> (N, M, n, d), nearest first."""
        self._check_is_fitted()
        check_count(n, name="n", low=1, high=self.n_codewords)
        if not isinstance(z, torch.Tensor):
            return self.candidates(torch.tensor(self._validated(z)), n).numpy()
        if not z.is_floating_point():
            raise InvalidInputError("floating-point embeddings", describe(z), "call .float()")
        if z.ndim != 2 or z.shape[1] != self.dim_:
            raise InvalidInputError(
                f"embeddings of shape (N, {self.dim_})", describe(z), "pass one vector per row"
            )
        M, _, d = self.codebooks_.shape
        # On the CPU and in float32 this shares the codebooks' memory instead of copying.
        codebooks = torch.from_numpy(self.codebooks_).to(device=z.device, dtype=z.dtype)
        return nearest_codewords(z.detach().reshape(len(z), M, d), codebooks, n)

    def with_codebooks(self, codebooks: Float[np.ndarray, "M K d"]) -> Self:
        """Adopt codebooks learned elsewhere (a file, faiss, a slider) instead of fitting."""
        M, K = self._checked_sizes()
        books = np.asarray(codebooks)
        if books.ndim != 3 or books.shape[:2] != (M, K) or books.shape[2] < 1:
            raise InvalidInputError(
                f"codebooks of shape ({M}, {K}, d)", describe(books), "match M and K"
            )
        flat = as_vectors(books.reshape(M * K, -1), name="codebooks")
        self.codebooks_ = flat.reshape(books.shape).copy()
        # What was measured on the codebooks before these says nothing about these.
        for measured in ("usage_", "distortion_"):
            self.__dict__.pop(measured, None)
        self.dim_ = M * books.shape[2]
        return self

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        state = "not fitted"
        if hasattr(self, "distortion_"):
            state = f"distortion {self.distortion_:.3g}"
        elif hasattr(self, "codebooks_"):
            state = "given codebooks"
        return f"PQ({self.n_subspaces} x {self.n_codewords} codewords, {self.bits} bits, {state})"

    def _learn(self, X: Float[np.ndarray, "N dim"], *, start: np.ndarray | None) -> Self:
        seed = seed_from(self.random_state)
        self.codebooks_ = np.stack(
            [
                kmeans(
                    piece,
                    self.n_codewords,
                    seed=(seed + m) % 2**31,
                    start=None if start is None else start[m],
                )
                for m, piece in enumerate(self._pieces(X))
            ]
        )
        self.dim_ = X.shape[1]
        codes = self.encode(X)
        self.usage_ = np.stack(
            [np.bincount(column, minlength=self.n_codewords) for column in codes.T]
        )
        self.distortion_ = float(((X - self.decode(codes)) ** 2).sum(axis=1).mean())
        return self

    def _pieces(self, X: Float[np.ndarray, "N dim"]) -> list[Float[np.ndarray, "N d"]]:
        return [np.ascontiguousarray(piece) for piece in np.split(X, self.n_subspaces, axis=1)]

    def _checked_sizes(self) -> tuple[int, int]:
        M = check_count(self.n_subspaces, name="n_subspaces", low=1)
        return M, check_count(self.n_codewords, name="n_codewords", low=2, high=65536)

    def _checked_training_set(self, X: object) -> Float[np.ndarray, "N dim"]:
        M, K = self._checked_sizes()
        vectors = as_vectors(X)
        if vectors.shape[1] == 0 or vectors.shape[1] % M:
            raise InvalidInputError(
                f"vectors whose length is divisible by n_subspaces={M}",
                f"length {vectors.shape[1]}",
                "change n_subspaces, or pad or project the vectors",
            )
        if len(vectors) < K:
            raise InvalidInputError(
                f"at least n_codewords={K} training vectors",
                f"{len(vectors)}",
                "pass more vectors or ask for fewer codewords",
            )
        return vectors
