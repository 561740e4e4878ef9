"""What additive quantizers share: a reconstruction is a sum of whole codewords, one from each codebook.

    q(x) = c_1 + c_2 + ... + c_M,   every c_m as long as the vector

Nothing is cut, so the codebooks need not be blind to each other; the price is that codes must be
searched for (`beam_search`), and that the distance is no longer a sum over stages alone:

    |q - x|^2 = |q|^2 - 2 <q, c_1> - ... - 2 <q, c_M> + |x|^2

The last term couples the stages, but it belongs to the item and not to the query: one number for each
item, computed once.

The search is a beam: it keeps the `width` best partial sums from stage to stage. Further sweeps go
through the stages again, free one codeword of each sum at a time and choose it anew, given the others:
that is the local search of additive quantizers (iterated conditional modes), done on a whole beam.
Since the present codeword is among the choices, a sweep never loses.

Sources: Babenko and Lempitsky, "Additive quantization for extreme vector compression", 2014 (sums, beam);
Martinez, Clement, Hoos and Little, "Revisiting additive quantization", 2016 (local search). Changed
here: beam and local search are one loop, in torch, on the device of the vectors; the number of an item
is kept in double precision, not quantized into the code; and a codeword that no vector uses is given
a place where one is needed (`reseed_unused`), which k-means in faiss does for itself, while an additive
code is chosen by a search over all stages together and may still leave one with none.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self, get_args

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Integer
from torch import Tensor

from gsl_tutorial.quantizers.base import Metric, Quantizer, _summed
from gsl_tutorial.quantizers.nearest import exponent_of, scaled
from gsl_tutorial.validation import (
    as_codes,
    as_vectors,
    check_codebooks,
    check_count,
    check_name,
    check_tail,
)

#: Numbers that a search may hold at once, of all kinds: 16 MB in float32.
_NUMBERS_AT_ONCE = 2**22

#: A new place draws vectors from others, which may leave another codeword with none.
_LAST_CHANCES = 3

#: With fewer rows than these, a matrix product takes another way and rounds otherwise; the code of a
#: vector must not depend on how many others are encoded with it.
_LEAST_ROWS = 16

#: Share of a vector's squared distance to the middle below which that to its sum is rounding in float32.
_DOUBTFUL = 2.0**-14


class AdditiveBase(Quantizer):
    """Base of the quantizers that add codewords up; `n_subspaces` (M) counts the stages.

    Parameters
    ----------
    n_subspaces
        M.
    n_codewords
        K, in each stage.
    beam
        Sums that an encoding keeps; more is nearer and slower.
    random_state
        Seed (int or Generator) of k-means; None draws a fresh one.
    """

    #: How often a search goes through the stages again; see `beam_search`.
    sweeps: ClassVar[int] = 0

    def __init__(
        self,
        n_subspaces: int,
        n_codewords: int = 256,
        *,
        beam: int = 8,
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        self.n_subspaces = n_subspaces
        self.n_codewords = n_codewords
        self.beam = beam
        self.random_state = random_state

    def encode(self, X: Float[np.ndarray, "N dim"]) -> Integer[np.ndarray, "N M"]:
        """Return the code of the nearest sum that a beam of width `beam` finds.

        Holds some 100 MB beside the vectors and their codes, whatever their number, or what the beam of
        a single vector takes.
        """
        X = self._validated(X)
        exponent = exponent_of(X, self.codebooks_)
        books = torch.from_numpy(scaled(self.codebooks_, -exponent))
        codes = np.empty((len(X), self.n_subspaces), dtype=np.min_scalar_type(self.n_codewords - 1))
        rows = max(_LEAST_ROWS, _NUMBERS_AT_ONCE // (4 * self.dim_))
        for start in range(0, len(X), rows):
            # A copy: torch warns of what it may not write to, though nobody does.
            z = torch.from_numpy(scaled(X[start : start + rows], -exponent).copy())
            found = self._search(z, books, 1)[:, 0]
            doubtful = _too_near(z, books, found)
            if doubtful.any():
                found[doubtful] = self._search(z[doubtful].double(), books.double(), 1)[:, 0]
            codes[start : start + rows] = found.numpy()
        return codes

    def decode(self, codes: Integer[np.ndarray, "N M"]) -> Float[np.ndarray, "N dim"]:
        """Add the codewords of each code, the first stage first."""
        self._check_is_fitted()
        return self._sums(self.codebooks_, codes)

    def lookup_tables(
        self, queries: Float[np.ndarray, "B dim"], *, metric: Metric = "l2"
    ) -> Float[np.ndarray, "B M K"]:
        """-2 <q, c> for each codeword; the first table also holds |q|^2. Double precision.

        Summed along a code, and with `code_norms(codes)` added, they give the squared distance. The
        terms may be much larger than their sum: hence the double precision.

        Parameters
        ----------
        queries
            (B, dim) One vector a row.
        metric
            With "inner_product" the entries are -<q, c> and nothing is left out.
        """
        check_name("metric", metric, get_args(Metric))
        exact = self._validated(queries).astype(np.float64)
        return _tables(exact, self.codebooks_.astype(np.float64), metric)

    def code_norms(self, codes: Integer[np.ndarray, "N M"]) -> Float[np.ndarray, "N"]:
        """Squared length of each reconstruction: what the tables leave out. Double precision."""
        self._check_is_fitted()
        return (self._sums(self.codebooks_.astype(np.float64), codes) ** 2).sum(axis=1)

    def distances(
        self,
        queries: Float[np.ndarray, "B dim"],
        codes: Integer[np.ndarray, "N M"],
        *,
        metric: Metric = "l2",
    ) -> Float[np.ndarray, "B N"]:
        """Squared distances with the query kept exact: the tables and the norms of the codes.

        Both are taken around the middle of the reconstructions, where their terms are small.

        Parameters
        ----------
        queries
            (B, dim) One vector a row.
        codes
            (N, M) From `encode`.
        metric
            With "inner_product", the negative inner products: smaller is nearer.
        """
        check_name("metric", metric, get_args(Metric))
        exact = self._validated(queries).astype(np.float64)
        code = as_codes(codes, n_subspaces=self.n_subspaces, n_codewords=self.n_codewords)
        books = self.codebooks_.astype(np.float64)
        if metric == "inner_product":
            return _summed(_tables(exact, books, metric), code).astype(np.float32)
        centre = books.mean(axis=1).sum(axis=0)
        exact -= centre
        books[0] -= centre
        total = _summed(_tables(exact, books, metric), code)
        total += (self._sums(books, code) ** 2).sum(axis=1)
        return np.maximum(total, 0, out=total).astype(np.float32)

    def split(self, z: Any) -> Any:
        """One piece, the vector itself: (N, dim) -> (N, 1, dim)."""
        self._check_is_fitted()
        check_tail(z, self.dim_, name="embeddings")
        return z.reshape(len(z), 1, self.dim_)

    def join(self, parts: Any) -> Any:
        """Undo `split`: (N, 1, dim) -> (N, dim)."""
        self._check_is_fitted()
        check_tail(parts, 1, self.dim_, name="pieces")
        return parts.reshape(len(parts), self.dim_)

    @property
    def most_candidates(self) -> int:
        """K^M: every sum."""
        return int(self.n_codewords) ** int(self.n_subspaces)

    def with_codebooks(self, codebooks: Float[np.ndarray, "M K dim"]) -> Self:
        """Adopt codebooks learned elsewhere (a file, faiss, a slider) instead of fitting."""
        books = check_codebooks(codebooks, self)
        M, K, dim = books.shape
        checked = as_vectors(books.reshape(M * K, dim), name="codebooks").astype(np.float64)
        # A sum may be as large as all of them together.
        sums = np.abs(checked).reshape(M, K, dim).max(axis=1).sum(axis=0)
        as_vectors(sums[None], name="sums of codewords")
        return self._adopt(checked, dim=dim)

    def _candidates(self, z: Float[Tensor, "N dim"], n: int) -> Float[Tensor, "N 1 n dim"]:
        books = torch.from_numpy(self.codebooks_).to(z)
        codes = self._search(z, books, n)
        total = books[0][codes[:, :, 0]]
        for m in range(1, self.n_subspaces):
            total = total + books[m][codes[:, :, m]]
        return total.unsqueeze(1)

    def _finish(self, X: Float[np.ndarray, "N dim"], reseeded: Integer[np.ndarray, "M"]) -> Self:
        """Give unused codewords a last chance, then measure."""
        for _ in range(_LAST_CHANCES):
            books, _codes, moved = reseed_unused(X, self.encode(X), self.codebooks_)
            if not moved.any():
                break
            self._adopt(books, dim=X.shape[1])
            reseeded = reseeded + moved
        self.reseeded_ = reseeded
        return self._measure(X)

    def _sums(self, books: np.ndarray, codes: object) -> Float[np.ndarray, "N dim"]:
        code = as_codes(codes, n_subspaces=self.n_subspaces, n_codewords=self.n_codewords)
        total = books[0][code[:, 0]]
        for m in range(1, self.n_subspaces):
            total += books[m][code[:, m]]
        return total

    def _search(
        self, z: Float[Tensor, "N dim"], books: Float[Tensor, "M K dim"], n: int
    ) -> Integer[Tensor, "N n M"]:
        width = max(check_count(self.beam, name="beam", low=1), n)
        width = min(width, self.most_candidates)
        # Of each vector: scores and their copy; what is missed, before and after; pairs of sums.
        each = width * (2 * self.n_codewords + 4 * self.dim_)
        each += width * width * self.n_subspaces // 4 if self.sweeps else 0
        rows = max(1, _NUMBERS_AT_ONCE // each)
        found = []
        for block in torch.split(z, rows):
            short = max(0, min(rows, _LEAST_ROWS) - len(block)) if len(block) else 0
            filled = torch.cat([block, block[:1].expand(short, -1)]) if short else block
            codes = beam_search(filled, books, width=width, sweeps=self.sweeps)
            found.append(codes[: len(block), :n])
        return torch.cat(found)


def _tables(
    queries: Float[np.ndarray, "B dim"], books: Float[np.ndarray, "M K dim"], metric: Metric
) -> Float[np.ndarray, "B M K"]:
    M, K, dim = books.shape
    products = (queries @ books.reshape(M * K, dim).T).reshape(len(queries), M, K)
    if metric == "inner_product":
        return np.negative(products, out=products)
    products *= -2
    products[:, 0] += (queries**2).sum(axis=1, keepdims=True)
    return products


def _too_near(
    z: Float[Tensor, "N dim"],
    books: Float[Tensor, "M K dim"],
    codes: Integer[Tensor, "N M"],
) -> Bool[Tensor, " N"]:
    """Rows so near to their sums, and so far from the middle, that float32 may have missed a nearer one."""
    left, centre = z.double(), books.double().mean(dim=1)
    for m in range(len(books)):
        left = left - books[m].double()[codes[:, m]]
    whole = (z - centre.sum(0)).square().sum(1)
    return left.square().sum(1) < _DOUBTFUL * whole


def beam_search(
    z: Float[Tensor, "N dim"], codebooks: Float[Tensor, "M K dim"], *, width: int, sweeps: int = 0
) -> Int[Tensor, "N width M"]:
    """Return the codes of the best sums found, nearest first, no code twice.

    The largest arrays are (N, width, K) and (N, width, dim), and with sweeps (N, width, width); the
    time is that of (1 + sweeps) M matrix products.

    Parameters
    ----------
    z
        (N, dim) One vector a row.
    codebooks
        (M, K, dim) Those of all stages.
    width
        Partial sums that are kept; cut to K^M, all there are.
    sweeps
        How often the search goes through the stages again, to choose one codeword of each sum anew.
    """
    M, K, dim = codebooks.shape
    # Around the mean codeword: far from the origin the squares would drown the differences.
    centres = codebooks.mean(dim=1)
    around = codebooks - centres.unsqueeze(1)
    squares = around.square().sum(2)
    codes = torch.zeros(len(z), 1, M, dtype=torch.long, device=z.device)
    residual = z.unsqueeze(1)  # (N, beam, dim): what the sums still miss

    for step in range(M * (1 + sweeps)):
        m, beam = step % M, codes.shape[1]
        first_visit = step < M
        if first_visit:
            residual = residual - centres[m]
        else:  # take this stage's codeword out of each sum, but not the mean that it lies around
            residual = residual + around[m][codes[:, :, m]]
            codes[:, :, m] = 0
        # |r - c|^2, for all codewords of this stage at once.
        flat = residual.reshape(-1, dim)
        scores = torch.addmm(squares[m], flat, around[m].T, alpha=-2)
        scores += flat.square().sum(1, keepdim=True)
        scores = scores.view(len(z), beam, K)
        if not first_visit:  # sums that differed only here would offer the same sums twice
            repeated = _repeated(codes)
            if repeated.any():
                scores.masked_fill_(repeated.unsqueeze(2), torch.inf)
        kept = min(width, beam * K) if first_visit else beam
        best = scores.flatten(1).topk(kept, dim=1, largest=False).indices
        parent, codeword = best // K, best % K
        codes = codes.gather(1, parent.unsqueeze(2).expand(-1, -1, M))
        codes[:, :, m] = codeword
        row = torch.arange(len(z), device=z.device).unsqueeze(1)
        residual = residual[row, parent] - around[m][codeword]
    return codes


def _repeated(codes: Int[Tensor, "N beam M"]) -> Tensor:
    """(N, beam) True where an earlier row of the same beam holds the same code."""
    same = (codes.unsqueeze(2) == codes.unsqueeze(1)).all(3)
    return same.tril(diagonal=-1).any(2)


def reseed_unused(
    X: Float[np.ndarray, "N dim"],
    codes: Integer[np.ndarray, "N M"],
    codebooks: Float[np.ndarray, "M K dim"],
) -> tuple[Float[np.ndarray, "M K dim"], Integer[np.ndarray, "N M"], Integer[np.ndarray, "M"]]:
    """Give each unused codeword the place where the worst vector of a crowded one needs it.

    The new place is the crowded codeword plus what it left over for that vector, which then is met
    exactly.

    Parameters
    ----------
    X
        (N, dim) One vector a row.
    codes
        (N, M) Their codes.
    codebooks
        (M, K, dim) Not changed.

    Returns
    -------
    codebooks
        (M, K, dim) The new ones.
    codes
        (N, M) The new ones.
    moved
        (M,) How many codewords of each codebook moved.
    """
    books, codes = codebooks.copy(), codes.copy()
    M, K, _ = books.shape
    left_over = X.copy()
    for m in range(M):
        left_over -= books[m][codes[:, m]]
    moved = np.zeros(M, dtype=np.int64)
    for m in range(M):
        usage = np.bincount(codes[:, m], minlength=K)
        for k in np.flatnonzero(usage == 0):
            crowded = int(usage.argmax())
            members = np.flatnonzero(codes[:, m] == crowded)
            worst = members[(left_over[members] ** 2).sum(axis=1).argmax()]
            books[m, k] = books[m, crowded] + left_over[worst]
            codes[worst, m], left_over[worst] = k, 0
            usage[crowded] -= 1
            moved[m] += 1
    return books, codes, moved
