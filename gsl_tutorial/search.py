"""faiss indexes from our codebooks and back: what was learned here serves anywhere faiss runs.

An index holds the packed codes and the codebooks and nothing else; searching it is the asymmetric
distance computation of `Quantizer.distances`, in faiss's C++. Numbers agree to float rounding.
"""

from __future__ import annotations

import math

import faiss
import numpy as np
from jaxtyping import Integer

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers import ProductQuantizer
from gsl_tutorial.validation import as_codes, describe


def to_faiss(
    quantizer: ProductQuantizer, codes: Integer[np.ndarray, "N M"] | None = None
) -> faiss.IndexPQ:
    """Return a trained `faiss.IndexPQ` with our codebooks, holding `codes` where given.

    Raises `InvalidInputError` when the number of codewords is not a power of two up to 65,536:
    faiss stores whole bits.
    """
    quantizer._check_is_fitted()
    bits = math.log2(quantizer.n_codewords)
    if not bits.is_integer():
        raise InvalidInputError(
            "a number of codewords that is a power of two",
            f"{quantizer.n_codewords}",
            "fit a quantizer with 16, 64 or 256 codewords",
        )
    index = faiss.IndexPQ(quantizer.dim_, quantizer.n_subspaces, int(bits))
    faiss.copy_array_to_vector(quantizer.codebooks_.ravel(), index.pq.centroids)
    index.is_trained = True
    if codes is not None:
        codes = as_codes(
            codes, n_subspaces=quantizer.n_subspaces, n_codewords=quantizer.n_codewords
        )
        packed = faiss.pack_bitstrings(codes.astype(np.int32), int(bits))
        index.add_sa_codes(packed)
    return index


def from_faiss(index: faiss.IndexPQ) -> tuple[ProductQuantizer, Integer[np.ndarray, "N M"]]:
    """Return the quantizer and the codes of a trained `faiss.IndexPQ`.

    Raises `InvalidInputError` for another index, and for one that ranks by inner product: ours
    compute squared distances.
    """
    if not isinstance(index, faiss.IndexPQ) or not index.is_trained:
        raise InvalidInputError("a trained faiss.IndexPQ", describe(index), "train the index first")
    if index.metric_type != faiss.METRIC_L2:
        raise InvalidInputError(
            "an index of squared distances (METRIC_L2)",
            f"metric_type {index.metric_type}",
            "build it with faiss.METRIC_L2",
        )
    pq = index.pq
    codebooks = faiss.vector_to_array(pq.centroids).reshape(pq.M, pq.ksub, pq.dsub)
    quantizer = ProductQuantizer(pq.M, pq.ksub).with_codebooks(codebooks)
    packed = faiss.vector_to_array(index.codes).reshape(index.ntotal, pq.code_size)
    codes = faiss.unpack_bitstrings(packed, pq.M, pq.nbits)
    return quantizer, codes.astype(np.min_scalar_type(pq.ksub - 1))
