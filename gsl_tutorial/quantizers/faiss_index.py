"""faiss indexes from our quantizers and back: what was learned here serves anywhere faiss runs.

An index holds the packed codes, the codebooks and, where there is one, the rotation; for additive
quantizers also the squared length of each item. Searching it is the asymmetric distance computation
of `Quantizer.distances`, in faiss's C++. Numbers agree to float rounding.

That rounding is faiss's. An additive index expands the square in float32, so for vectors far from the
origin (their mean many times their spread) its distances lose digits where ours do not: subtract the
mean before `fit`, or search with `Quantizer.distances`.

| quantizer | index |
| --- | --- |
| ProductQuantizer | IndexPQ; with 16 codewords also IndexPQFastScan, the fastest of all |
| OptimizedProductQuantizer | IndexPreTransform: a LinearTransform, then IndexPQ |
| ResidualQuantizer | IndexResidualQuantizer |
| AdditiveQuantizer | IndexLocalSearchQuantizer |
"""

from __future__ import annotations

import math
from typing import Any

import faiss
import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers import (
    AdditiveQuantizer,
    OptimizedProductQuantizer,
    ProductQuantizer,
    Quantizer,
    ResidualQuantizer,
)
from gsl_tutorial.quantizers.additive_base import AdditiveBase
from gsl_tutorial.validation import as_codes, describe


def to_faiss(
    quantizer: Quantizer,
    codes: Integer[np.ndarray, "N M"] | None = None,
    *,
    fast_scan: bool = False,
) -> Any:
    """Return a trained faiss index with our codebooks.

    Parameters
    ----------
    quantizer
        A fitted one.
    codes
        (N, M) What the index shall hold; None: nothing yet.
    fast_scan
        Keep the lookup tables in registers (André, Kermarrec and Le Scouarnec, 2015). Their entries
        are rounded to 8 bits, so items at nearly equal distances may change places.

    Returns
    -------
    faiss.Index
        Of the kind that the table at the top of `faiss_index` says.

    Raises
    ------
    InvalidInputError
        When the number of codewords is not a power of two up to 65,536 (faiss stores whole bits),
        for 2 or 4 codewords of dimension 2 in a product quantizer, which faiss can store but not
        search, and for a fast scan of anything but product quantization with 16 codewords.
    NotFittedError
        Before the first fit.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(100, 8)).astype(np.float32)
    >>> rq = ResidualQuantizer(2, 16, random_state=0).fit(X)
    >>> distances, items = to_faiss(rq, rq.encode(X)).search(X[:3], 5)
    >>> items.shape
    (3, 5)
    """
    quantizer._check_is_fitted()
    bits = _whole_bits(quantizer)
    if fast_scan and not (isinstance(quantizer, ProductQuantizer) and bits == 4):
        raise InvalidInputError(
            "for a fast scan a product quantizer with 16 codewords, a table that fits a register",
            f"{type(quantizer).__name__} with {quantizer.n_codewords}",
            "leave out fast_scan, or fit a ProductQuantizer(M, 16)",
        )
    if codes is not None:
        codes = as_codes(
            codes, n_subspaces=quantizer.n_subspaces, n_codewords=quantizer.n_codewords
        )
    if isinstance(quantizer, ProductQuantizer):
        index: Any = _index_pq(quantizer, codes, bits)
        if fast_scan:
            index = faiss.IndexPQFastScan(index)
        if isinstance(quantizer, OptimizedProductQuantizer):
            rotate = faiss.LinearTransform(quantizer.dim_, quantizer.dim_)
            faiss.copy_array_to_vector(quantizer.rotation_.ravel(), rotate.A)
            rotate.is_trained = True
            rotate.set_is_orthonormal()  # which lets faiss rotate reconstructions back
            return faiss.IndexPreTransform(rotate, index)
        return index
    return _index_additive(quantizer, codes, bits)


def from_faiss(index: Any) -> tuple[Quantizer, Integer[np.ndarray, "N M"]]:
    """Return the quantizer and the codes of a trained index of the kinds that `to_faiss` makes.

    Raises
    ------
    InvalidInputError
        For another index, and for one that ranks by inner product: ours compute squared distances.
    """
    # `index` itself stays in scope: a downcast looks into its memory and does not own it.
    known = (faiss.IndexPQ, faiss.IndexPreTransform, faiss.IndexAdditiveQuantizer)
    concrete: Any = faiss.downcast_index(index) if isinstance(index, faiss.Index) else index
    if not isinstance(concrete, known) or not concrete.is_trained:
        raise InvalidInputError(
            "a trained faiss.IndexPQ, IndexPreTransform or additive index",
            describe(concrete),
            "train the index first",
        )
    if concrete.metric_type != faiss.METRIC_L2:
        raise InvalidInputError(
            "an index of squared distances (METRIC_L2)",
            f"metric_type {concrete.metric_type}",
            "build it with faiss.METRIC_L2",
        )
    if isinstance(concrete, faiss.IndexPreTransform):
        rotation = _rotation_of(concrete)
        inner, codes = from_faiss(concrete.index)
        opq = OptimizedProductQuantizer(inner.n_subspaces, inner.n_codewords)
        return opq.with_codebooks(inner.codebooks_, rotation), codes
    if isinstance(concrete, faiss.IndexPQ):
        pq = concrete.pq
        books = faiss.vector_to_array(pq.centroids).reshape(pq.M, pq.ksub, pq.dsub)
        quantizer = ProductQuantizer(pq.M, pq.ksub).with_codebooks(books)
        return quantizer, _unpacked(concrete, pq.M, pq.nbits)
    return _from_additive(concrete)


def _index_pq(quantizer: ProductQuantizer, codes: np.ndarray | None, bits: int) -> faiss.IndexPQ:
    if quantizer.codebooks_.shape[2] == 2 and bits <= 2:
        raise InvalidInputError(
            "8 codewords or more where pieces have length 2",
            f"{quantizer.n_codewords}",
            "use quantizer.distances: faiss cannot search so few",
        )
    index = faiss.IndexPQ(quantizer.dim_, quantizer.n_subspaces, bits)
    faiss.copy_array_to_vector(quantizer.codebooks_.ravel(), index.pq.centroids)
    index.is_trained = True
    if codes is not None:
        index.add_sa_codes(faiss.pack_bitstrings(codes.astype(np.int32), bits))
    return index


def _index_additive(quantizer: Quantizer, codes: np.ndarray | None, bits: int) -> Any:
    sizes = (quantizer.dim_, quantizer.n_subspaces, bits, faiss.METRIC_L2)
    search = faiss.AdditiveQuantizer.ST_norm_float  # the length of each item behind its code
    kind: Any  # faiss's type hints know no search type
    if isinstance(quantizer, ResidualQuantizer):
        kind = faiss.IndexResidualQuantizer
        index = kind(*sizes, search)
        theirs = index.rq
        # A beam wider than there are sums makes faiss pack codes of other vectors.
        theirs.max_beam_size = min(quantizer.beam, quantizer.most_candidates)
    elif isinstance(quantizer, AdditiveQuantizer):
        kind = faiss.IndexLocalSearchQuantizer
        index = kind(*sizes, search)
        theirs = index.lsq
        theirs.nperts = min(theirs.nperts, quantizer.n_subspaces)  # else it cannot add vectors
    else:
        raise InvalidInputError(
            "one of the quantizers of this package", describe(quantizer), "see the table in search"
        )
    faiss.copy_array_to_vector(quantizer.codebooks_.ravel(), theirs.codebooks)
    theirs.is_trained = index.is_trained = True
    if codes is not None and len(codes):
        numbers = np.ascontiguousarray(codes, dtype=np.int32)
        norms = quantizer.code_norms(codes).astype(np.float32)
        packed = np.zeros((len(codes), theirs.code_size), dtype=np.uint8)
        pointers = (faiss.swig_ptr(numbers), faiss.swig_ptr(packed))
        theirs.pack_codes(len(codes), *pointers, -1, faiss.swig_ptr(norms))
        index.add_sa_codes(packed)
    return index


def _from_additive(index: Any) -> tuple[AdditiveBase, Integer[np.ndarray, "N M"]]:
    kinds: dict[type, tuple[str, type[AdditiveBase]]] = {
        faiss.IndexResidualQuantizer: ("rq", ResidualQuantizer),
        faiss.IndexLocalSearchQuantizer: ("lsq", AdditiveQuantizer),
    }
    if type(index) not in kinds:
        raise InvalidInputError(
            "an IndexResidualQuantizer or IndexLocalSearchQuantizer",
            describe(index),
            "use one of these",
        )
    attribute, kind = kinds[type(index)]
    theirs = getattr(index, attribute)
    bits = set(faiss.vector_to_array(theirs.nbits).tolist())
    if len(bits) != 1:
        raise InvalidInputError(
            "as many codewords in each stage", f"bits {sorted(bits)}", "train one with equal stages"
        )
    each = bits.pop()
    M, K = theirs.M, 2**each
    books = faiss.vector_to_array(theirs.codebooks)[: M * K * theirs.d].reshape(M, K, theirs.d)
    beam = {"beam": theirs.max_beam_size} if attribute == "rq" else {}
    return kind(M, K, **beam).with_codebooks(books), _unpacked(index, M, each)


def _unpacked(index: Any, M: int, bits: int) -> Integer[np.ndarray, "N M"]:
    packed = faiss.vector_to_array(index.codes).reshape(index.ntotal, index.code_size)
    # An additive index may keep the length of the item behind the code.
    code = np.ascontiguousarray(packed[:, : (M * bits + 7) // 8])
    return faiss.unpack_bitstrings(code, M, bits).astype(np.min_scalar_type(2**bits - 1))


def _rotation_of(index: Any) -> Float[np.ndarray, "dim dim"]:
    steps = [faiss.downcast_VectorTransform(index.chain.at(i)) for i in range(index.chain.size())]
    inner = faiss.downcast_index(index.index)
    if (
        len(steps) != 1
        or not isinstance(steps[0], faiss.LinearTransform)
        or (steps[0].have_bias and faiss.vector_to_array(steps[0].b).any())
        or not isinstance(inner, faiss.IndexPQ)
    ):
        raise InvalidInputError(
            "one rotation and then an IndexPQ",
            f"{[type(step).__name__ for step in steps]} and then {type(inner).__name__}",
            "build it as faiss.IndexPreTransform(faiss.OPQMatrix(...), faiss.IndexPQ(...))",
        )
    return faiss.vector_to_array(steps[0].A).reshape(steps[0].d_out, steps[0].d_in)


def _whole_bits(quantizer: Quantizer) -> int:
    bits = math.log2(quantizer.n_codewords)
    if not bits.is_integer():
        raise InvalidInputError(
            "a number of codewords that is a power of two",
            f"{quantizer.n_codewords}",
            "fit a quantizer with 16, 64 or 256 codewords",
        )
    return int(bits)
