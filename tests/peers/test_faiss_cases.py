"""What faiss asks of its own product quantizers, residual quantizers and k-means, asked of ours.

The cases are written anew for the package's names: sizes, data and tolerances are ours.
"""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
import pytest

from gsl_tutorial import (
    AdditiveQuantizer,
    OptimizedProductQuantizer,
    ProductQuantizer,
    ResidualQuantizer,
)
from gsl_tutorial.quantizers.faiss_index import from_faiss, to_faiss
from gsl_tutorial.quantizers.kmeans import kmeans

KINDS = [ProductQuantizer, OptimizedProductQuantizer, ResidualQuantizer, AdditiveQuantizer]


def clustered(n: int, dim: int, seed: int = 0) -> np.ndarray:
    """Points around 40 centres that lie on a few dimensions: easy to compress."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(40, 4)) @ np.random.default_rng(98).normal(
        size=(4, dim)
    )
    return (centres[rng.integers(0, 40, n)] + 0.3 * rng.normal(size=(n, dim))).astype(np.float32)


@pytest.fixture(scope="module")
def X() -> np.ndarray:
    return clustered(1500, 32)


def error(X: np.ndarray, decoded: np.ndarray) -> float:
    return float(((X - decoded) ** 2).sum(axis=1).mean())


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_no_code_differs_from_those_of_faiss(bits: int, X: np.ndarray) -> None:
    ours = ProductQuantizer(4, 2**bits, random_state=0).fit(X)
    theirs = faiss.ProductQuantizer(32, 4, bits)
    faiss.copy_array_to_vector(ours.codebooks_.ravel(), theirs.centroids)
    fresh = clustered(8000, 32, 5)
    codes = faiss.unpack_bitstrings(theirs.compute_codes(fresh), 4, bits)
    mine, parts = ours.encode(fresh), fresh.reshape(8000, 4, 8).astype(np.float64)
    rows, m = np.nonzero(mine != codes)
    assert len(rows) <= 2
    # Where one differs, both codewords are as near, up to the rounding of float32.
    far = [((parts[rows, m] - ours.codebooks_[m, c[rows, m]]) ** 2).sum(1) for c in (mine, codes)]
    np.testing.assert_allclose(*far, rtol=1e-5)


def test_training_is_no_worse_than_that_of_faiss(X: np.ndarray) -> None:
    theirs = faiss.ProductQuantizer(32, 4, 6)
    theirs.cp.min_points_per_centroid = 1
    theirs.train(X)
    ours = ProductQuantizer(4, 64, random_state=0).fit(X)
    assert ours.distortion_ <= error(X, theirs.decode(theirs.compute_codes(X))) * 1.03


def test_a_rotation_pays_and_two_more_bits_pay(X: np.ndarray) -> None:
    plain, turned = (kind(4, 16, random_state=0).fit(X) for kind in KINDS[:2])
    assert turned.distortion_ < plain.distortion_
    assert ProductQuantizer(4, 64, random_state=0).fit(X).distortion_ < plain.distortion_


def test_the_rotation_is_no_worse_than_that_of_faiss(X: np.ndarray) -> None:
    opq = faiss.OPQMatrix(32, 4)
    opq.niter = 20
    opq.pq = trial = faiss.ProductQuantizer(32, 4, 4)
    opq.train(X)
    rotated = opq.apply(X)
    trial.cp.min_points_per_centroid = 1
    trial.train(rotated)
    theirs = error(rotated, trial.decode(trial.compute_codes(rotated)))
    assert OptimizedProductQuantizer(4, 16, random_state=0).fit(X).distortion_ <= theirs * 1.03


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.short_name)
def test_an_index_finds_what_our_distances_find(kind: Any, X: np.ndarray) -> None:
    quantizer = kind(4, 16, random_state=0).fit(X)
    codes, queries = quantizer.encode(X), clustered(20, 32, 7)
    index = to_faiss(quantizer, codes)
    found, items = index.search(queries, 10)
    ours = quantizer.distances(queries, codes)
    np.testing.assert_allclose(found, np.sort(ours, axis=1)[:, :10], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(np.take_along_axis(ours, items, 1), found, rtol=1e-3, atol=1e-3)
    again, same = from_faiss(index)
    np.testing.assert_array_equal(same, codes)
    np.testing.assert_allclose(again.decode(same), quantizer.decode(codes), atol=1e-4)


@pytest.mark.parametrize("bits", [1, 3, 8, 10])
def test_codes_survive_packing(bits: int) -> None:
    rng = np.random.default_rng(0)
    books = rng.normal(size=(3, 2**bits, 4)).astype(np.float32)
    pq = ProductQuantizer(3, 2**bits).with_codebooks(books)
    codes = rng.integers(0, 2**bits, (50, 3))
    _, back = from_faiss(to_faiss(pq, codes))
    np.testing.assert_array_equal(back, codes)


def test_kmeans_ends_where_faiss_ends(X: np.ndarray) -> None:
    start = X[:20].copy()
    theirs = faiss.Kmeans(32, 20, niter=15, max_points_per_centroid=len(X))
    theirs.train(X, init_centroids=start)
    ours = kmeans(X, 20, seed=0, n_iterations=15, start=start)
    np.testing.assert_allclose(ours, theirs.centroids, atol=1e-4)


def test_kmeans_leaves_no_cluster_empty_and_keeps_few_points() -> None:
    X = clustered(60, 8)
    assert len(np.unique(kmeans(X, 30, seed=0), axis=0)) == 30
    np.testing.assert_array_equal(np.sort(kmeans(X, 60, seed=0), axis=0), np.sort(X, axis=0))
    twice = np.repeat(X[:5], 2, axis=0)
    assert error(twice, kmeans(twice, 10, seed=0)) == 0.0


def test_a_wider_beam_and_more_stages_are_nearer(X: np.ndarray) -> None:
    errors = [ResidualQuantizer(M, 16, random_state=0).fit(X).distortion_ for M in (1, 2, 4)]
    assert errors == sorted(errors, reverse=True)
    rq = ResidualQuantizer(4, 16, random_state=0).fit(X)
    narrow, wide = (rq.set_params(beam=beam).distortion(X) for beam in (1, 16))
    assert wide < narrow
