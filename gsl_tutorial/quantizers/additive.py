"""Additive quantization with local search: the codebooks of all stages learned together.

A residual quantizer fixes its first codebook before it knows the second. Here all M codebooks change
at once, in turns: with the codebooks fixed, search for the best code of each vector (a beam, then
local search: `beam_search`); with the codes fixed, the reconstruction is *linear* in the codewords, so the
best codebooks are one least-squares solution. No order and no scale of the stages is assumed.

Sources: Babenko and Lempitsky, "Additive quantization for extreme vector compression", 2014; Martinez,
Clement, Hoos and Little, "Revisiting additive quantization", 2016 (local search, "LSQ"); Martinez,
Zakhmi, Hoos and Little, "LSQ++", 2018. Changed here: the turns start from a residual quantizer, not
from random codes, and without random perturbations. `faiss.LocalSearchQuantizer` does both and was
farther off: on 1,400 digits, 4 x 256 codewords, 0.67 against 0.08 (residual quantizer 0.15), and with
the same codebooks its search found sums up to 6 per cent farther away. Its search also makes the code
of a vector depend on the row that it stands in; ours does not.
"""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
from jaxtyping import Float, Integer
from scipy import linalg, sparse

from gsl_tutorial.quantizers.additive_base import AdditiveBase, reseed_unused
from gsl_tutorial.quantizers.kmeans import seed_from
from gsl_tutorial.quantizers.residual import stagewise_kmeans
from gsl_tutorial.validation import check_count, check_training_set

#: Turns of a refit: it starts near its end.
_REFIT_TURNS = 2

#: A codeword moves as if so many more vectors already sat where it stands. Without that, a codeword
#: of few vectors follows their noise: on unseen digits (4 x 256) 0.89 became 0.81, and elsewhere
#: nothing changed. It also keeps what the data leave undecided (an unused codeword, a shift from one
#: codebook to another) where it was, so that codes keep their meaning.
_RIDGE = 3.0


class AdditiveQuantizer(AdditiveBase):
    """Additive quantizer of `n_subspaces` (M) codebooks with `n_codewords` (K) codewords each.

    Parameters
    ----------
    n_subspaces
        The codebooks. They are no subspaces, but the name lets one line of code swap quantizers.
    n_codewords
        Codewords in each codebook. A fit solves M K equations at once: 8 x 256 take half a second
        and 32 MB each turn, 8 x 4,096 some minutes and 8 GB.
    beam
        Sums that an encoding keeps; more is nearer and slower.
    n_iterations
        Turns of codes and codebooks in `fit`; 0 leaves a residual quantizer.
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
    >>> from gsl_tutorial.quantizers.residual import ResidualQuantizer
    >>> X = np.random.default_rng(0).normal(size=(500, 8)).astype(np.float32)
    >>> aq = AdditiveQuantizer(4, 16, random_state=0).fit(X)
    >>> aq.distortion_ < ResidualQuantizer(4, 16, random_state=0).fit(X).distortion_
    True
    """

    short_name: ClassVar[str] = "LSQ"
    sweeps: ClassVar[int] = 1

    def __init__(
        self,
        n_subspaces: int,
        n_codewords: int = 256,
        *,
        beam: int = 8,
        n_iterations: int = 8,
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        super().__init__(n_subspaces, n_codewords, beam=beam, random_state=random_state)
        self.n_iterations = n_iterations

    def fit(self, X: Float[np.ndarray, "N dim"], y: None = None) -> Self:
        """Start from greedy residual stages, then take turns; needs at least K rows."""
        X = self._learnable(X, pieces=1)
        check_count(self.n_iterations, name="n_iterations", low=0)
        books, reseeded = stagewise_kmeans(
            X, self.n_subspaces, self.n_codewords, seed=seed_from(self.random_state)
        )
        self._adopt(books, dim=X.shape[1])
        return self._take_turns(X, self.n_iterations, reseeded)

    def refit(self, X: Float[np.ndarray, "N dim"]) -> Self:
        """Take a few turns from the present codebooks; an unused codeword gets a new place."""
        X = check_training_set(self._validated(X), self, pieces=1)
        return self._take_turns(X, _REFIT_TURNS, np.zeros(self.n_subspaces, dtype=np.int64))

    def _take_turns(
        self, X: Float[np.ndarray, "N dim"], turns: int, reseeded: Integer[np.ndarray, "M"]
    ) -> Self:
        for _ in range(turns):
            books, codes, moved = reseed_unused(X, self.encode(X), self.codebooks_)
            self._adopt(least_squares(X, codes, books), dim=X.shape[1])
            reseeded = reseeded + moved
        return self._finish(X, reseeded)


def least_squares(
    X: Float[np.ndarray, "N dim"],
    codes: Integer[np.ndarray, "N M"],
    codebooks: Float[np.ndarray, "M K dim"],
) -> Float[np.ndarray, "M K dim"]:
    """Return the codebooks that fit `X` best under these codes, held near the present ones.

    One-hot rows make the reconstruction linear: B C, with B (N, M K) zeros and ones. Minimises
    |X - B C'|^2 + ridge |C' - C|^2, so the distortion under these codes never grows.

    Parameters
    ----------
    X
        (N, dim) One vector a row.
    codes
        (N, M) Their codes.
    codebooks
        (M, K, dim) The present ones.
    """
    (M, K, dim), N = codebooks.shape, len(X)
    columns = codes.astype(np.int64) + np.arange(M) * K
    ones = sparse.csr_matrix(
        (np.ones(N * M), columns.ravel(), np.arange(N + 1) * M), shape=(N, M * K)
    )
    flat = codebooks.reshape(M * K, dim).astype(np.float64)
    normal = (ones.T @ ones).toarray() + _RIDGE * np.eye(M * K)
    step = linalg.solve(normal, ones.T @ (X - ones @ flat), assume_a="pos", overwrite_a=True)
    return (flat + step).astype(np.float32).reshape(M, K, dim)
