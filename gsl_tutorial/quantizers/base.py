"""The one contract that every quantizer keeps.

A quantizer stands for each vector `z` by a short code and, from the code, gives back a
reconstruction `q(z)`. Five verbs are enough for all that the workbook does: `fit`, `encode`,
`decode`, `lookup_tables` (search without decoding) and `candidates` (where a gradient may snap to).
Two more, `split` and `join`, go between an embedding and the pieces that candidates stand for.

Axes, one letter each in all chapters: N vectors, B queries, M subspaces, K codewords in each,
d numbers in a piece (dim / M; for additive quantizers dim), n candidates.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

import numpy as np
import torch
from jaxtyping import Float, Integer

from gsl_tutorial.errors import InvalidInputError, NotFittedError
from gsl_tutorial.storage import save_arrays
from gsl_tutorial.validation import (
    as_array,
    as_codes,
    as_vectors,
    check_count,
    check_name,
    check_sizes,
    check_tail,
    check_training_set,
    column_names,
    describe,
    largest,
    named_arrays,
)

if TYPE_CHECKING:
    # What we use of scikit-learn, which ships no types: without these lines the quantizers would be
    # of type Any, and no misspelt method would ever be found.
    class BaseEstimator:
        def get_params(self, deep: bool = True) -> dict[str, Any]: ...
        def set_params(self, **params: Any) -> Self: ...
        def __sklearn_tags__(self) -> Any: ...

    class TransformerMixin:
        def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any: ...
        def set_output(self, *, transform: str | None = None) -> Self: ...

    class ClassNamePrefixFeaturesOutMixin:
        def get_feature_names_out(self, input_features: Any = None) -> np.ndarray: ...
else:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

#: How near is measured: squared distance, or inner product with its sign turned, so that in both the
#: smaller number is the nearer item.
Metric = Literal["l2", "inner_product"]

#: Numbers that are compared with their reconstructions at once: 32 MB in double precision.
_AT_ONCE = 2**22


class Quantizer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, ABC):
    """Base of all quantizers; scikit-learn's manners (`fit` returns self, learned names end in _).

    Two quantizers are equal when class, parameters and what they learned are. In a pipeline,
    `transform` gives the codes, not the reconstructions: they are what is stored and what
    `distances` takes, and `inverse_transform` goes from them to the reconstructions, never back.

    Attributes
    ----------
    codebooks_
        (M, K, d) float32.
    usage_
        (M, K) Training vectors on each codeword.
    reseeded_
        (M,) How often a codeword without vectors was given a new place.
    distortion_
        Mean squared distance from a training vector to its reconstruction.
    n_features_in_, dim_
        Length of a vector.
    feature_names_in_
        From a data frame: another one must have the same columns in the same order.
    """

    n_subspaces: int
    n_codewords: int
    dim_: int
    codebooks_: Float[np.ndarray, "M K d"]
    n_features_in_: int
    feature_names_in_: np.ndarray
    usage_: Integer[np.ndarray, "M K"]
    reseeded_: Integer[np.ndarray, "M"]
    distortion_: float

    #: What `repr` calls it.
    short_name: ClassVar[str]

    @abstractmethod
    def fit(self, X: Float[np.ndarray, "N dim"], y: None = None) -> Self:
        """Learn the codebooks from `X`.

        Parameters
        ----------
        X
            (N, dim) One vector a row; N at least K.
        y
            Ignored.

        Raises
        ------
        InvalidInputError
            For vectors or sizes that nothing can be learned from.
        """

    @abstractmethod
    def refit(self, X: Float[np.ndarray, "N dim"]) -> Self:
        """Learn again from where the codebooks stand, so that a code keeps its meaning.

        Raises
        ------
        InvalidInputError
            As `fit`, and for vectors of another length than before.
        NotFittedError
            Before the first fit.
        """

    @abstractmethod
    def encode(self, X: Float[np.ndarray, "N dim"]) -> Integer[np.ndarray, "N M"]:
        """Return the codes of `X`.

        Raises
        ------
        InvalidInputError
            For vectors of another length than those of the fit, NaN, and other columns.
        NotFittedError
            Before the first fit.
        """

    @abstractmethod
    def decode(self, codes: Integer[np.ndarray, "N M"]) -> Float[np.ndarray, "N dim"]:
        """Return the reconstructions that `codes` stand for.

        Raises
        ------
        InvalidInputError
            For codes that are not (N, M) whole numbers from 0 to K - 1.
        NotFittedError
            Before the first fit.
        """

    def transform(self, X: Float[np.ndarray, "N dim"]) -> Integer[np.ndarray, "N M"]:
        """Return the codes of `X`, as `encode` does: what a pipeline ends with."""
        return self.encode(X)

    def inverse_transform(self, codes: Integer[np.ndarray, "N M"]) -> Float[np.ndarray, "N dim"]:
        """Return the reconstructions, as `decode` does."""
        return self.decode(codes)

    @abstractmethod
    def lookup_tables(
        self, queries: Float[np.ndarray, "B dim"], *, metric: Metric = "l2"
    ) -> Float[np.ndarray, "B M K"]:
        """Return the tables whose entries, summed along a code, give the squared distance.

        An additive code leaves one number out, its own squared length: there the sum is the
        distance less `code_norms(codes)`, and `distances` adds it.

        Parameters
        ----------
        queries
            (B, dim) One vector a row.
        metric
            "l2", or "inner_product": then the sum is the negative inner product, whole for all
            quantizers.

        Returns
        -------
        numpy.ndarray
            (B, M, K) One number for each query and codeword.

        Raises
        ------
        InvalidInputError, NotFittedError
            As `encode`.
        UnknownNameError
            For another metric.
        """

    @abstractmethod
    def split(self, z: Any) -> Any:
        """Return the pieces of `z` that candidates stand for: (N, dim) -> (N, M, d).

        M = 1 for additive quantizers. A tensor keeps its type, device and gradient; an array gives an
        array. The map keeps angles and lengths, <split(a), split(b)> = <a, b>, so it carries
        gradients as well as embeddings.
        """

    @abstractmethod
    def join(self, parts: Any) -> Any:
        """Undo `split`: (N, M, d) -> (N, dim).

        `join(candidates(z, 1)[:, :, 0])` is the nearest reconstruction of `z`.
        """

    @abstractmethod
    def with_codebooks(self, codebooks: Float[np.ndarray, "M K d"]) -> Self:
        """Adopt codebooks learned elsewhere (a file, faiss, a slider) instead of fitting.

        Raises
        ------
        InvalidInputError
            For another shape than (M, K, d), NaN, and numbers too large to be squared.
        """

    @property
    @abstractmethod
    def most_candidates(self) -> int:
        """How many places there are to choose from: the largest `n` of `candidates`."""

    @abstractmethod
    def _candidates(
        self, z: Float[torch.Tensor, "N dim"], n: int
    ) -> Float[torch.Tensor, "N M n d"]: ...

    def candidates(self, z: Any, n: int) -> Any:
        """Return the `n` nearest places that each vector may snap to, nearest first.

        Parameters
        ----------
        z
            (N, dim) One vector a row. A tensor gives a tensor of its type on its device, an array
            gives an array.
        n
            How many, from 1 to `most_candidates`.

        Returns
        -------
        torch.Tensor or numpy.ndarray
            (N, M, n, d) for quantizers with independent subspaces, (N, 1, n, dim) for additive
            ones.

        Raises
        ------
        InvalidInputError, NotFittedError
            As `encode`, and for `n` out of range.
        """
        self._check_is_fitted()
        check_count(n, name="n", low=1, high=self.most_candidates)
        if not isinstance(z, torch.Tensor):
            return self._candidates(torch.tensor(self._validated(z)), n).numpy()
        if not z.is_floating_point():
            raise InvalidInputError("floating-point embeddings", describe(z), "call .float()")
        check_tail(z, self.dim_, name="embeddings")
        z = z.detach()
        if z.layout != torch.strided or z.device.type == "meta":
            as_vectors(z)  # which says what is wrong with them
        if z.numel() and not z.abs().max() <= largest(self.dim_):
            as_vectors(z)
        # Squares of half precision end at 65,504.
        exact = z.float() if z.dtype in (torch.float16, torch.bfloat16) else z
        return self._candidates(exact, n).to(z.dtype)

    @property
    def bits(self) -> int:
        """Bits of one code: M log2 K, rounded up for each subspace."""
        M, K = check_sizes(self)
        return int(M * np.ceil(np.log2(K)))

    def distances(
        self,
        queries: Float[np.ndarray, "B dim"],
        codes: Integer[np.ndarray, "N M"],
        *,
        metric: Metric = "l2",
    ) -> Float[np.ndarray, "B N"]:
        """Squared distances with the query kept exact: asymmetric distance computation, ADC.

        One table lookup and one addition for each subspace; nothing is decoded. The sum runs over
        subspaces in a fixed order, so equal codes get bit-for-bit equal distances.

        Parameters
        ----------
        queries
            (B, dim) One vector a row.
        codes
            (N, M) From `encode`.
        metric
            "l2", or "inner_product": the negative inner products, so that smaller is nearer.

        Returns
        -------
        numpy.ndarray
            (B, N) of float32.

        Raises
        ------
        InvalidInputError, NotFittedError, UnknownNameError
            As `lookup_tables` and `decode`.
        """
        self._check_is_fitted()
        codes = as_codes(codes, n_subspaces=self.n_subspaces, n_codewords=self.n_codewords)
        return _summed(self.lookup_tables(queries, metric=metric), codes)

    def symmetric_distances(
        self,
        query_codes: Integer[np.ndarray, "B M"],
        codes: Integer[np.ndarray, "N M"],
        *,
        metric: Metric = "l2",
    ) -> Float[np.ndarray, "B N"]:
        """Squared distances with the query quantized too: symmetric distance computation, SDC.

        Parameters
        ----------
        query_codes
            (B, M) From `encode`.
        codes, metric
            As in `distances`.

        Returns
        -------
        numpy.ndarray
            (B, N) of float32.

        Raises
        ------
        InvalidInputError, NotFittedError, UnknownNameError
            As `distances`.
        """
        check_name("metric", metric, get_args(Metric))
        return self.distances(self.decode(query_codes), codes, metric=metric)

    def distortion(self, X: Float[np.ndarray, "N dim"]) -> float:
        """Mean squared distance from a vector to its reconstruction; 0.0 for no vectors."""
        X = self._validated(X)
        return self._distortion(X, self.encode(X))

    def relative_distortion(self, X: Float[np.ndarray, "N dim"]) -> float:
        """Distortion divided by that of a single codeword, the mean: 0 is perfect, 1 is useless.

        Where all vectors are equal, up to the rounding of float32, the mean has no distortion to
        compare with: then it is 0 for vectors that come back as they were, and infinite for others.
        """
        X = self._validated(X)
        distortion = self._distortion(X, self.encode(X))
        if not len(X):
            return 0.0
        mean = X.mean(axis=0, dtype=np.float64)
        spread = sum(float(((X[rows] - mean) ** 2).sum()) for rows in _blocks(X)) / len(X)
        rounding = np.spacing(np.abs(X).max(axis=0)).astype(np.float64)
        if spread <= float((rounding**2).sum()):
            return 0.0 if distortion <= 4 * float((rounding**2).sum()) else math.inf
        return distortion / spread

    def perplexity(self, codes: Any) -> Float[np.ndarray, "M"]:
        """How many codewords of each subspace are really in use: exp(entropy), from 1 to K.

        Parameters
        ----------
        codes
            (N, M) codes, or (N, dim) vectors, which are encoded first; N 1 or more.

        Raises
        ------
        InvalidInputError
            When there are none, and as `encode` and `decode`.
        NotFittedError
            Before the first fit.
        """
        self._check_is_fitted()
        codes = as_array(codes, name="codes or vectors")
        if np.issubdtype(codes.dtype, np.floating):
            codes = self.encode(codes)
        codes = as_codes(codes, n_subspaces=self.n_subspaces, n_codewords=self.n_codewords)
        if not len(codes):
            raise InvalidInputError("at least one code", "none", "pass codes or vectors")
        share = self._count(codes) / len(codes)
        # 0 log 0 = 0: an unused codeword adds nothing.
        return np.exp(-(share * np.log(np.where(share > 0, share, 1))).sum(axis=1))

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, Quantizer):
            return NotImplemented
        ours, theirs = self.get_params(deep=False), other.get_params(deep=False)
        if any(not _same(ours[name], theirs[name]) for name in ours):
            return False
        if not (hasattr(self, "dim_") and hasattr(other, "dim_")):
            return hasattr(self, "dim_") == hasattr(other, "dim_")
        mine, others = self.arrays(), other.arrays()
        return all(np.array_equal(mine[name], others[name]) for name in mine)

    # What can change and is compared by value must not be a key.
    __hash__ = None  # type: ignore[assignment]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # codes are whole numbers
        return tags

    @property
    def _n_features_out(self) -> int:
        # For the names of the columns of codes: productquantizer0, productquantizer1, ...
        return self.n_subspaces

    def arrays(self) -> dict[str, np.ndarray]:
        """What was learned, by name; enough to rebuild the quantizer with `with_arrays`."""
        self._check_is_fitted()
        return {"codebooks": self.codebooks_}

    def with_arrays(self, arrays: Mapping[str, np.ndarray]) -> Self:
        """Adopt what `arrays` gave.

        Raises
        ------
        InvalidInputError
            For other names or shapes.
        """
        return self.with_codebooks(**named_arrays(arrays, "codebooks"))

    def save(self, path: str | Path) -> None:
        """Write class, parameters and arrays to a safetensors file, for `load_quantizer`.

        Raises
        ------
        NotFittedError
            Before the first fit.
        StorageError
            When the file cannot be written.
        """
        parameters = self.get_params(deep=False)
        if not isinstance(parameters["random_state"], (int, np.integer)):
            parameters["random_state"] = None  # a generator has no place in a file
        as_python = {k: v.item() if isinstance(v, np.generic) else v for k, v in parameters.items()}
        header = {"quantizer": type(self).__name__, "parameters": as_python}
        save_arrays(Path(path), self.arrays(), header)

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        state = "not fitted"
        if hasattr(self, "codebooks_"):
            state = "given codebooks"
            if hasattr(self, "distortion_"):
                state = f"distortion {self.distortion_:.3g}"
        try:
            bits = str(self.bits)
        except InvalidInputError:  # sizes that `fit` will refuse can still be looked at
            bits = "?"
        sizes = f"{self.n_subspaces} x {self.n_codewords} codewords"
        return f"{self.short_name}({sizes}, {bits} bits, {state})"

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
        M, K = self.codebooks_.shape[:2]
        if (self.n_subspaces, self.n_codewords) != (M, K):
            raise NotFittedError(
                f"n_subspaces={M} and n_codewords={K}, as when it was fitted",
                f"{self.n_subspaces} and {self.n_codewords}",
                "set them back, or call fit(X) again",
            )

    def _validated(self, X: object) -> Float[np.ndarray, "N dim"]:
        self._check_is_fitted()
        names, learned = column_names(X), getattr(self, "feature_names_in_", None)
        if names is not None and learned is not None and list(names) != list(learned):
            raise InvalidInputError(
                f"the columns {', '.join(learned)}, in this order",
                ", ".join(names),
                "pass frame[list(quantizer.feature_names_in_)]",
            )
        return as_vectors(X, dim=self.dim_)

    def _learnable(self, X: object, *, pieces: int) -> Float[np.ndarray, "N dim"]:
        """Check what `fit` was given, and remember the names of its columns."""
        rows = check_training_set(X, self, pieces=pieces)
        names = column_names(X)
        self.__dict__.pop("feature_names_in_", None)
        if names is not None:
            self.feature_names_in_ = names
        return rows

    def _adopt(self, codebooks: object, *, dim: int) -> Self:
        """Set checked codebooks; forget what was measured on those before them."""
        M, K = check_sizes(self)
        flat = as_vectors(np.asarray(codebooks).reshape(M * K, -1), name="codebooks")
        self.codebooks_ = flat.reshape(M, K, -1).copy()
        for measured in ("usage_", "distortion_", "reseeded_"):
            self.__dict__.pop(measured, None)
        if len(getattr(self, "feature_names_in_", ())) != dim:
            self.__dict__.pop("feature_names_in_", None)
        self.dim_ = self.n_features_in_ = dim
        return self

    def _measure(self, X: Float[np.ndarray, "N dim"]) -> Self:
        codes = self.encode(X)
        self.usage_ = self._count(codes)
        self.distortion_ = self._distortion(X, codes)
        return self

    def _distortion(
        self, X: Float[np.ndarray, "N dim"], codes: Integer[np.ndarray, "N M"]
    ) -> float:
        """In double precision, some rows at a time."""
        total = 0.0
        for rows in _blocks(X):
            total += float(((X[rows] - self.decode(codes[rows]).astype(np.float64)) ** 2).sum())
        return total / max(1, len(X))

    def _count(self, codes: Integer[np.ndarray, "N M"]) -> Integer[np.ndarray, "M K"]:
        return np.stack([np.bincount(column, minlength=self.n_codewords) for column in codes.T])


def _summed(
    tables: Float[np.ndarray, "B M K"], codes: Integer[np.ndarray, "N M"]
) -> Float[np.ndarray, "B N"]:
    """The entries along each code, added in the order of the subspaces."""
    total = np.take(tables[:, 0], codes[:, 0], axis=1)
    for m in range(1, tables.shape[1]):
        total += np.take(tables[:, m], codes[:, m], axis=1)
    return total


def _blocks(X: Float[np.ndarray, "N dim"]) -> Iterator[slice]:
    rows = max(1, _AT_ONCE // max(1, X.shape[1]))
    return (slice(start, start + rows) for start in range(0, len(X), rows))


def _same(one: object, other: object) -> bool:
    if isinstance(one, np.random.Generator) and isinstance(other, np.random.Generator):
        return bool(one.bit_generator.state == other.bit_generator.state)
    return type(one) is type(other) and bool(one == other)
