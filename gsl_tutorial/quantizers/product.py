"""Product quantization: cut the vector in M pieces and quantize each with its own small codebook.

M codebooks of K codewords stand for K^M reconstructions while only M x K codewords are stored and
searched. Source: Jégou, Douze and Schmid, "Product quantization for nearest neighbor search", 2011.
Changed here: k-means is faiss's; squared sub-distances always; errors are typed.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self, get_args

import numpy as np
import torch
from jaxtyping import Float, Integer
from scipy.spatial.distance import cdist

from gsl_tutorial.quantizers.base import Metric, Quantizer
from gsl_tutorial.quantizers.kmeans import kmeans_counting, seed_from
from gsl_tutorial.quantizers.nearest import nearest_pieces
from gsl_tutorial.validation import (
    as_codes,
    check_codebooks,
    check_name,
    check_tail,
    check_training_set,
)


class ProductQuantizer(Quantizer):
    """Product quantizer with `n_subspaces` (M) codebooks of `n_codewords` (K) codewords.

    Parameters
    ----------
    n_subspaces
        Pieces of a vector; must divide its length.
    n_codewords
        Codewords in each piece, 2 to 65,536. Codes are uint8 up to 256.
    random_state
        Seed (int or Generator) of k-means; None draws a fresh one.

    Attributes
    ----------
    codebooks_
        (M, K, d) float32.
    usage_
        (M, K) Training vectors on each codeword.
    reseeded_, distortion_
        As in `Quantizer`.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(500, 8)).astype(np.float32)
    >>> pq = ProductQuantizer(4, 16, random_state=0).fit(X)
    >>> pq
    PQ(4 x 16 codewords, 16 bits, distortion 0.761)
    >>> pq.encode(X).shape, pq.decode(pq.encode(X)).shape
    ((500, 4), (500, 8))
    """

    short_name: ClassVar[str] = "PQ"

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
        X = self._learnable(X, pieces=self.n_subspaces)
        parts = X.reshape(len(X), self.n_subspaces, -1)
        return self._learn(parts, start=None)._measure(X)

    def refit(self, X: Float[np.ndarray, "N dim"]) -> Self:
        """Run k-means from the present codebooks; a codeword that dies is seeded anew by faiss."""
        X = check_training_set(self._validated(X), self, pieces=self.n_subspaces)
        return self._learn(self.split(X), start=self.codebooks_)._measure(X)

    def encode(self, X: Float[np.ndarray, "N dim"]) -> Integer[np.ndarray, "N M"]:
        """Return for each sub-vector the number of its nearest codeword."""
        parts, books = self._around(self._validated(X))
        return nearest_pieces(parts, books, np.min_scalar_type(self.n_codewords - 1))

    def decode(self, codes: Integer[np.ndarray, "N M"]) -> Float[np.ndarray, "N dim"]:
        """Put the codewords of each code side by side."""
        self._check_is_fitted()
        codes = as_codes(codes, n_subspaces=self.n_subspaces, n_codewords=self.n_codewords)
        return self.join(self.codebooks_[np.arange(self.n_subspaces), codes])

    def lookup_tables(
        self, queries: Float[np.ndarray, "B dim"], *, metric: Metric = "l2"
    ) -> Float[np.ndarray, "B M K"]:
        """Squared distance from each piece of each query to each codeword of that piece.

        Parameters
        ----------
        queries
            (B, dim) One vector a row.
        metric
            With "inner_product" the negative inner product of the two.
        """
        check_name("metric", metric, get_args(Metric))
        X = self._validated(queries)
        if metric == "inner_product":
            parts = self.split(X).astype(np.float64)
            return -np.einsum("bmd,mkd->bmk", parts, self.codebooks_, optimize=True).astype("f4")
        parts, books = self._around(X)
        tables = [
            cdist(parts[:, m], book, "sqeuclidean").astype(np.float32)
            for m, book in enumerate(books)
        ]
        return np.stack(tables, axis=1)

    def split(self, z: Any) -> Any:
        """Cut each vector in M pieces: (N, dim) -> (N, M, d)."""
        self._check_is_fitted()
        check_tail(z, self.dim_, name="embeddings")
        return z.reshape(len(z), self.n_subspaces, self.dim_ // self.n_subspaces)

    def join(self, parts: Any) -> Any:
        """Put the pieces side by side: (N, M, d) -> (N, dim)."""
        self._check_is_fitted()
        check_tail(parts, self.n_subspaces, self.dim_ // self.n_subspaces, name="pieces")
        return parts.reshape(len(parts), self.dim_)

    @property
    def most_candidates(self) -> int:
        """K: each subspace has its own codewords to choose from."""
        return self.n_codewords

    def with_codebooks(self, codebooks: Float[np.ndarray, "M K d"]) -> Self:
        """Adopt codebooks learned elsewhere (a file, faiss, a slider) instead of fitting."""
        books = check_codebooks(codebooks, self)
        return self._adopt(books, dim=len(books) * books.shape[2])

    def _around(
        self, X: Float[np.ndarray, "N dim"]
    ) -> tuple[Float[np.ndarray, "N M d"], Float[np.ndarray, "M K d"]]:
        """The pieces of `X`, and codebooks with the same distances to them as `codebooks_` has."""
        return self.split(X), self.codebooks_

    def _candidates(
        self, z: Float[torch.Tensor, "N dim"], n: int
    ) -> Float[torch.Tensor, "N M n d"]:
        # On the CPU and in float32 this shares the codebooks' memory instead of copying.
        codebooks = torch.from_numpy(self.codebooks_).to(device=z.device, dtype=z.dtype)
        return nearest_codewords(self.split(z), codebooks, n)

    def _learn(
        self, parts: Float[np.ndarray, "N M d"], *, start: Float[np.ndarray, "M K d"] | None
    ) -> Self:
        seed, books, reseeded = seed_from(self.random_state), [], []
        for m in range(self.n_subspaces):
            book, deaths = kmeans_counting(
                parts[:, m],
                self.n_codewords,
                seed=(seed + m) % 2**31,
                start=None if start is None else start[m],
            )
            books.append(book)
            reseeded.append(deaths)
        self._adopt(books, dim=parts[0].size)
        self.reseeded_ = np.array(reseeded)
        return self


def nearest_codewords(
    z: Float[torch.Tensor, "N M d"], codebooks: Float[torch.Tensor, "M K d"], n: int
) -> Float[torch.Tensor, "N M n d"]:
    """The `n` nearest codewords of each sub-vector, nearest first.

    Ranks by |c|^2 - 2 z.c: the missing |z|^2 is the same for all codewords. The largest array is
    (M, N, K) numbers; differences `c - z` are never formed for all K codewords.

    Parameters
    ----------
    z
        (N, M, d) The sub-vectors.
    codebooks
        (M, K, d) One for each subspace.
    n
        From 1 to K.
    """
    # Around the mean codeword: far from the origin the squares would drown the differences.
    centre = codebooks.mean(dim=1, keepdim=True)
    z, around = z - centre.squeeze(1), codebooks - centre
    cross = torch.bmm(z.transpose(0, 1), around.transpose(1, 2))
    scores = cross.mul_(-2).add_(around.square().sum(2).unsqueeze(1))
    nearest = scores.topk(n, dim=2, largest=False).indices
    M, N = nearest.shape[:2]
    flat = nearest + (torch.arange(M, device=z.device) * codebooks.shape[1]).view(M, 1, 1)
    chosen = codebooks.reshape(-1, z.shape[2]).index_select(0, flat.reshape(-1))
    return chosen.view(M, N, n, z.shape[2]).transpose(0, 1)
