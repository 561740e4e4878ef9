"""Residual quantization: quantize, then quantize what was missed, again and again.

The first codebook stands for the vectors, the second for what the first leaves over, and so on; a
reconstruction is the sum. Every codeword is as long as the vector, so nothing is cut, and M codebooks
again stand for K^M reconstructions.

Training is greedy: k-means on the residuals of the stages before. Encoding need not be: a beam keeps
the best partial sums, since the nearest codeword now may leave a residual that the next stage has
nothing for. Sources: Chen, Guan and Wang, "Approximate nearest neighbor search by residual vector
quantization", 2010; the beam, Babenko and Lempitsky, 2014. Changed here: k-means is faiss's; the beam
runs in torch, where the gradients are, and finds what `faiss.ResidualQuantizer` finds.

faiss also *trains* on all the sums of its beam. On 1,400 digits (4 x 16) that took far longer and
distorted more (1.57 against 1.41 on the others); it can be better where each codeword has few vectors
to learn from. Greedy stages were kept for another reason too: a refit can start from them.
"""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.quantizers.additive_base import AdditiveBase
from gsl_tutorial.quantizers.kmeans import kmeans_counting, seed_from
from gsl_tutorial.quantizers.nearest import nearest
from gsl_tutorial.validation import check_training_set


class ResidualQuantizer(AdditiveBase):
    """Residual quantizer of `n_subspaces` (M) stages with `n_codewords` (K) codewords each.

    Parameters
    ----------
    n_subspaces
        The stages. They are no subspaces, but the name lets one line of code swap quantizers.
    n_codewords
        Codewords in each stage, 2 to 65,536. Codes are uint8 up to 256.
    beam
        Partial sums that an encoding keeps; 1 is greedy, more is nearer and slower.
    random_state
        Seed (int or Generator) of k-means; None draws a fresh one.

    Attributes
    ----------
    codebooks_
        (M, K, dim) float32.
    usage_, reseeded_, distortion_
        As in `Quantizer`.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(500, 8)).astype(np.float32)
    >>> rq = ResidualQuantizer(4, 16, random_state=0).fit(X)
    >>> rq.codebooks_.shape, rq.encode(X).shape, rq.candidates(X, 3).shape
    ((4, 16, 8), (500, 4), (500, 1, 3, 8))
    """

    short_name: ClassVar[str] = "RQ"

    def fit(self, X: Float[np.ndarray, "N dim"], y: None = None) -> Self:
        """Run k-means on `X`, then on what is left over, M times; needs at least K rows."""
        return self._learn(self._learnable(X, pieces=1), start=None)

    def refit(self, X: Float[np.ndarray, "N dim"]) -> Self:
        """The same from the present codebooks: each stage's k-means starts where it stands."""
        X = check_training_set(self._validated(X), self, pieces=1)
        return self._learn(X, start=self.codebooks_)

    def _learn(self, X: Float[np.ndarray, "N dim"], *, start: np.ndarray | None) -> Self:
        seed = seed_from(self.random_state)
        books, reseeded = stagewise_kmeans(
            X, self.n_subspaces, self.n_codewords, seed=seed, start=start
        )
        return self._adopt(books, dim=X.shape[1])._finish(X, reseeded)


def stagewise_kmeans(
    X: Float[np.ndarray, "N dim"],
    n_stages: int,
    n_codewords: int,
    *,
    seed: int,
    start: Float[np.ndarray, "M K dim"] | None = None,
) -> tuple[Float[np.ndarray, "M K dim"], Integer[np.ndarray, "M"]]:
    """Return the codebooks of greedy stages, and how often k-means re-seeded in each.

    Parameters
    ----------
    X
        (N, dim) One vector a row.
    n_stages
        M.
    n_codewords
        K, at most N.
    seed
        Of the first stage; the next take the numbers after it.
    start
        (M, K, dim) Where the codewords stand at first, for a warm start; None: from the seed.
    """
    residual, books, reseeded = X, [], []
    for m in range(n_stages):
        book, deaths = kmeans_counting(
            residual,
            n_codewords,
            seed=(seed + m) % 2**31,
            start=None if start is None else start[m],
        )
        residual = residual - book[nearest(residual, book)]
        books.append(book)
        reseeded.append(deaths)
    return np.stack(books), np.array(reseeded)
