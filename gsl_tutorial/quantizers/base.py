"""The one contract that every quantizer keeps.

A quantizer stands for each vector `z` by a short code and, from the code, gives back a
reconstruction `q(z)`. Five verbs are enough for all that the workbook does: `fit`, `encode`,
`decode`, `lookup_tables` (search without decoding) and `candidates` (where a gradient may snap to).

Axes, one letter each in all chapters: N vectors, B queries, M subspaces, K codewords in each,
d = dim / M numbers in a sub-vector, n candidates.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float, Integer
from sklearn.base import BaseEstimator

from gsl_tutorial.errors import NotFittedError
from gsl_tutorial.validation import as_codes, as_vectors


class Quantizer(BaseEstimator, ABC):
    """Base of all quantizers; scikit-learn's manners (`fit` returns self, learned names end in _)."""

    n_subspaces: int
    n_codewords: int
    dim_: int

    @abstractmethod
    def fit(self, X: Float[np.ndarray, "N dim"], y: None = None) -> Self:
        """Learn the codebooks from `X`; `y` is ignored."""

    @abstractmethod
    def refit(self, X: Float[np.ndarray, "N dim"]) -> Self:
        """Learn again from where the codebooks stand, so that a code keeps its meaning."""

    @abstractmethod
    def encode(self, X: Float[np.ndarray, "N dim"]) -> Integer[np.ndarray, "N M"]:
        """Return the codes of `X`."""

    @abstractmethod
    def decode(self, codes: Integer[np.ndarray, "N M"]) -> Float[np.ndarray, "N dim"]:
        """Return the reconstructions that `codes` stand for."""

    @abstractmethod
    def lookup_tables(self, queries: Float[np.ndarray, "B dim"]) -> Float[np.ndarray, "B M K"]:
        """Return the tables whose entries, summed along a code, give the squared distance."""

    @abstractmethod
    def candidates(self, z: Any, n: int) -> Any:
        """Return the `n` nearest places that each vector may snap to, nearest first.

        (N, dim) -> (N, M, n, d) for quantizers with independent subspaces, (N, 1, n, dim) for
        additive ones. A tensor gives a tensor on its device, an array gives an array.
        """

    @property
    def bits(self) -> int:
        """Bits of one code: M log2 K, rounded up for each subspace."""
        return int(self.n_subspaces * np.ceil(np.log2(self.n_codewords)))

    def distances(
        self, queries: Float[np.ndarray, "B dim"], codes: Integer[np.ndarray, "N M"]
    ) -> Float[np.ndarray, "B N"]:
        """Squared distances with the query kept exact: asymmetric distance computation, ADC.

        One table look-up and one addition for each subspace; nothing is decoded. The sum runs over
        subspaces in a fixed order, so equal codes get bit-for-bit equal distances.
        """
        codes = as_codes(codes, n_subspaces=self.n_subspaces, n_codewords=self.n_codewords)
        tables = self.lookup_tables(queries)
        total = np.take(tables[:, 0], codes[:, 0], axis=1)
        for m in range(1, self.n_subspaces):
            total += np.take(tables[:, m], codes[:, m], axis=1)
        return total

    def symmetric_distances(
        self, query_codes: Integer[np.ndarray, "B M"], codes: Integer[np.ndarray, "N M"]
    ) -> Float[np.ndarray, "B N"]:
        """Squared distances with the query quantized too: symmetric distance computation, SDC."""
        return self.distances(self.decode(query_codes), codes)

    def distortion(self, X: Float[np.ndarray, "N dim"]) -> float:
        """Mean squared distance from a vector to its reconstruction."""
        X = self._validated(X)
        return float(((X - self.decode(self.encode(X))) ** 2).sum(axis=1).mean())

    def relative_distortion(self, X: Float[np.ndarray, "N dim"]) -> float:
        """Distortion divided by that of a single codeword, the mean: 0 is perfect, 1 is useless."""
        X = self._validated(X)
        spread = float(((X - X.mean(axis=0)) ** 2).sum(axis=1).mean())
        return self.distortion(X) / spread if spread > 0 else 0.0

    def _repr_mimebundle_(self, **options: object) -> dict[str, str]:
        # In place of scikit-learn's box of HTML: the line that teaches.
        return {"text/plain": repr(self)}

    def _check_is_fitted(self) -> None:
        if not hasattr(self, "dim_"):
            raise NotFittedError(
                "a fitted quantizer",
                f"a {type(self).__name__} that has no codebooks yet",
                "call fit(X) first",
            )

    def _validated(self, X: object) -> Float[np.ndarray, "N dim"]:
        self._check_is_fitted()
        return as_vectors(X, dim=self.dim_)


def nearest_codewords(
    z: Float[torch.Tensor, "N M d"], codebooks: Float[torch.Tensor, "M K d"], n: int
) -> Float[torch.Tensor, "N M n d"]:
    """The `n` nearest codewords of each sub-vector, nearest first.

    Ranks by |c|^2 - 2 z.c: the missing |z|^2 is the same for all codewords. The largest array is
    (M, N, K) numbers; differences `c - z` are never formed for all K codewords.
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
