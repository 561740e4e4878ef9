"""Look into a few lists instead of everywhere: inverted lists, small codebooks in registers, graphs.

A coarse k-means cuts the space into cells, and each cell keeps the codes of its vectors in a list.
A query looks into the `nprobe` lists whose centroids are nearest. All engines are faiss's; what is
ours is that they hold our quantizers' codebooks, learned or snapped. Sources: Jégou, Douze and
Schmid, "Product quantization for nearest neighbor search", 2011 (IVFADC); André, Kermarrec and Le
Scouarnec, "Cache locality is not enough", 2015, and "Quicker ADC", 2019 (lookup tables in
registers); Malkov and Yashunin, 2016 (HNSW).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import faiss
import numpy as np
from jaxtyping import Float, Integer

from gsl_tutorial.course.scale.merging import Lists, merge_lists
from gsl_tutorial.course.scale.sources import Source
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers import OptimizedProductQuantizer, ProductQuantizer
from gsl_tutorial.quantizers.faiss_index import to_faiss
from gsl_tutorial.validation import as_vectors, check_count, describe

#: Vectors that are looked at together.
AT_ONCE = 2**15


def blocks(source: Source) -> Iterator[tuple[int, Float[np.ndarray, "n dim"]]]:
    """The source piece by piece: the first id of each piece, and its vectors."""
    for start in range(0, source.n, AT_ONCE):
        yield start, source.rows(start, min(start + AT_ONCE, source.n))


def exact_neighbours(source: Source, queries: Float[np.ndarray, "B dim"], k: int) -> Lists:
    """The true nearest vectors, by comparing with all of them; never more than a piece in memory.

    Parameters
    ----------
    source
        Where the vectors come from.
    queries
        (B, dim) One vector a row.
    k
        How many neighbours.

    Returns
    -------
    distances, ids
        (B, k) squared distances and row numbers, nearest first.
    """
    queries = as_vectors(queries, dim=source.dim, name="queries")
    best: Lists | None = None
    for start, vectors in blocks(source):
        distances, ids = faiss.knn(queries, vectors, min(k, len(vectors)))
        part = distances, ids + start
        best = merge_lists([part] if best is None else [best, part], k)
    return best  # type: ignore[return-value]  # a source has at least one vector


def coarse_centroids(
    vectors: Float[np.ndarray, "N dim"], n_lists: int, *, seed: int = 0
) -> Float[np.ndarray, "n_lists dim"]:
    """The centroids of the lists: k-means on a sample.

    Parameters
    ----------
    vectors
        (N, dim) A sample, N at least `n_lists`; 40 for each list are enough.
    n_lists
        How many lists.
    seed
        Of k-means.
    """
    vectors = as_vectors(vectors)
    check_count(n_lists, name="n_lists", low=1, high=len(vectors))
    kmeans: Any = faiss.Kmeans(
        vectors.shape[1], n_lists, niter=10, seed=seed, min_points_per_centroid=1, verbose=False
    )
    kmeans.train(vectors)
    centroids: np.ndarray = kmeans.centroids.copy()
    return centroids


def residuals(
    vectors: Float[np.ndarray, "N dim"], centroids: Float[np.ndarray, "n_lists dim"]
) -> Float[np.ndarray, "N dim"]:
    """What is left of each vector without the centroid of its list: a residual quantizer is fitted on it.

    Parameters
    ----------
    vectors
        (N, dim) One a row.
    centroids
        (n_lists, dim) Of the lists.
    """
    nearest = faiss.knn(as_vectors(vectors), as_vectors(centroids), 1)[1][:, 0]
    return vectors - centroids[nearest]


def inverted_lists(
    quantizer: ProductQuantizer,
    centroids: Float[np.ndarray, "n_lists dim"],
    source: Source,
    *,
    residual: bool = False,
    fast: bool = False,
    graph: bool = False,
) -> Any:
    """An index of inverted lists with our codebooks.

    Parameters
    ----------
    quantizer
        A fitted ProductQuantizer: on vectors, or on `residuals`.
    centroids
        (n_lists, dim) From `coarse_centroids`.
    source
        The vectors, which are added piece by piece.
    residual
        Whether codes stand for what is left of a vector without its centroid.
    fast
        Whether the lookup tables are kept in registers (16 codewords only).
    graph
        Whether the nearest centroids are looked up in an HNSW graph instead of one by one.

    Returns
    -------
    faiss.IndexIVF
        Set `nprobe` before you search.

    Raises
    ------
    InvalidInputError
        For another quantizer, and for `fast` without 16 codewords.
    """
    if not isinstance(quantizer, ProductQuantizer) or isinstance(
        quantizer, OptimizedProductQuantizer
    ):
        raise InvalidInputError(
            "a ProductQuantizer", describe(quantizer), "rotate the vectors first, and fit a plain one"
        )  # fmt: skip
    quantizer._check_is_fitted()
    if fast and quantizer.n_codewords != 16:
        raise InvalidInputError(
            "16 codewords, whose tables fit a register", f"{quantizer.n_codewords}",
            "fit a quantizer with n_codewords=16",
        )  # fmt: skip
    dim, bits = quantizer.dim_, int(np.log2(quantizer.n_codewords))
    coarse: Any = faiss.IndexHNSWFlat(dim, 32) if graph else faiss.IndexFlatL2(dim)
    coarse.add(as_vectors(centroids, dim=dim))
    kind: Any = faiss.IndexIVFPQFastScan if fast else faiss.IndexIVFPQ
    index = kind(coarse, dim, len(centroids), quantizer.n_subspaces, bits)
    index.own_fields = False
    index.referenced_objects = [coarse]  # faiss keeps a pointer only
    index.by_residual = residual
    faiss.copy_array_to_vector(quantizer.codebooks_.ravel(), index.pq.centroids)
    index.is_trained = True
    if residual:
        index.precompute_table()
    for _, vectors in blocks(source):
        index.add(vectors)
    return index


def fast_codes(quantizer: ProductQuantizer, codes: Integer[np.ndarray, "N M"]) -> Any:
    """All codes without lists, their lookup tables in registers: faiss's fast-scan.

    Parameters
    ----------
    quantizer
        A fitted ProductQuantizer of 16 codewords.
    codes
        (N, M) From `encode`.

    Raises
    ------
    InvalidInputError
        For another number of codewords.
    """
    if quantizer.n_codewords != 16:
        raise InvalidInputError(
            "16 codewords, whose tables fit a register", f"{quantizer.n_codewords}",
            "fit a quantizer with n_codewords=16",
        )  # fmt: skip
    return faiss.IndexPQFastScan(to_faiss(quantizer, codes))


def ranks_of_lists(
    centroids: Float[np.ndarray, "n_lists dim"],
    queries: Float[np.ndarray, "B dim"],
    neighbours: Float[np.ndarray, "B dim"],
) -> Integer[np.ndarray, " B"]:
    """In which list, counted from the nearest, the neighbour of each query lies; 0 is the nearest list.

    Parameters
    ----------
    centroids
        (n_lists, dim) Of the lists.
    queries, neighbours
        (B, dim) Each query, and the vector that should be found.
    """
    order = faiss.knn(as_vectors(queries), as_vectors(centroids), len(centroids))[1]
    home = faiss.knn(as_vectors(neighbours), as_vectors(centroids), 1)[1]
    return (order == home).argmax(axis=1)


def recall(found: Integer[np.ndarray, "B k"], true: Integer[np.ndarray, "B t"], at: int) -> float:
    """Share of queries whose true nearest vector is among the first `at`: recall at `at`, 1-NN.

    Parameters
    ----------
    found
        (B, k) Ids, nearest first, k at least `at`.
    true
        (B, t) True neighbours; the first column counts.
    at
        How far down the list it may stand.
    """
    return float((found[:, :at] == true[:, :1]).any(axis=1).mean())
