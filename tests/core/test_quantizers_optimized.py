"""The rotation of optimized product quantization: against faiss, nanopq, and no rotation at all."""

from __future__ import annotations

from typing import Any

import faiss
import nanopq
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_quantizers_contract import correlated, made, vectors
from twins import pq_adc, pq_clear

from gsl_tutorial import OptimizedProductQuantizer, ProductQuantizer
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers.optimized import balanced_rotation


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), st.integers(2, 20), st.integers(0, 2**32 - 1))
def test_nanopq_agrees(M: int, d: int, K: int, seed: int) -> None:
    ours = made(OptimizedProductQuantizer, M, K, d, seed)
    theirs = nanopq.OPQ(M, Ks=K, verbose=False)
    theirs.pq.codewords, theirs.pq.Ds = ours.codebooks_, d
    theirs.R = ours.rotation_.T
    X = vectors(20, M * d, seed)
    codes = ours.encode(X)
    clear = pq_clear(X @ ours.rotation_.T, ours.codebooks_, gap=1e-4).all(axis=1)
    np.testing.assert_array_equal(codes[clear], theirs.encode(X)[clear])
    np.testing.assert_allclose(ours.decode(codes), theirs.decode(codes), atol=1e-5)
    table = theirs.dtable(X[0])
    np.testing.assert_allclose(ours.lookup_tables(X[:1])[0], table.dtable, rtol=1e-3, atol=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_faiss_agrees(M: int, bits: int, seed: int) -> None:
    ours, d = made(OptimizedProductQuantizer, M, 2**bits, 3, seed), 3 * M
    rotate = faiss.LinearTransform(d, d)
    faiss.copy_array_to_vector(ours.rotation_.ravel(), rotate.A)
    rotate.is_trained = True
    X = vectors(20, d, seed)
    np.testing.assert_allclose(ours.split(X).reshape(20, d), rotate.apply(X), atol=1e-5)
    theirs = faiss.ProductQuantizer(d, M, bits)
    faiss.copy_array_to_vector(ours.codebooks_.ravel(), theirs.centroids)
    codes = faiss.unpack_bitstrings(theirs.compute_codes(rotate.apply(X)), M, bits)
    clear = pq_clear(X @ ours.rotation_.T, ours.codebooks_, gap=1e-4)
    np.testing.assert_array_equal(ours.encode(X)[clear], codes[clear])


def test_distances_are_those_in_the_rotated_space() -> None:
    ours = made(OptimizedProductQuantizer, 2, 5, 2)
    X = vectors(6, 4)
    codes = ours.encode(X)
    expected = pq_adc(X @ ours.rotation_.T, codes, ours.codebooks_)
    np.testing.assert_allclose(ours.distances(X, codes), expected, rtol=1e-4, atol=1e-5)


def test_without_a_rotation_it_is_product_quantization() -> None:
    X = correlated(300)
    pq = ProductQuantizer(2, 16, random_state=0).fit(X)
    opq = OptimizedProductQuantizer(2, 16, n_iterations=0, random_state=0).fit(X)
    np.testing.assert_array_equal(opq.rotation_, np.eye(8))
    np.testing.assert_array_equal(opq.encode(X), pq.encode(X))
    given_books = OptimizedProductQuantizer(2, 16).with_codebooks(pq.codebooks_)
    np.testing.assert_array_equal(given_books.encode(X), pq.encode(X))


@pytest.mark.parametrize(("M", "K", "dim"), [(1, 2, 1), (4, 6, 4), (2, 16, 24), (2, 300, 4)])
def test_the_rotation_is_orthonormal(M: int, K: int, dim: int) -> None:
    X = vectors(max(K, 20), dim) + 100  # fewer vectors than numbers in them, far from the origin
    opq = OptimizedProductQuantizer(M, K, random_state=0).fit(X)
    np.testing.assert_allclose(opq.rotation_ @ opq.rotation_.T, np.eye(dim), atol=1e-5)
    assert opq.distortion_ <= ProductQuantizer(M, K, random_state=0).fit(X).distortion_ + 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_it_never_distorts_more_than_plain_cutting(seed: int) -> None:
    X = vectors(200, 6, seed)  # nothing to gain
    opq = OptimizedProductQuantizer(3, 8, n_iterations=3, random_state=seed).fit(X)
    pq = ProductQuantizer(3, 8, random_state=seed).fit(X)
    assert opq.distortion_ <= pq.distortion_ * (1 + 1e-6)


def test_balanced_pieces_have_equal_products_of_variances() -> None:
    X = vectors(5000, 4) * np.array([8, 4, 2, 1], dtype=np.float32)
    rotation = balanced_rotation(X, 2)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(4), atol=1e-6)
    np.testing.assert_allclose(np.abs(rotation[:2]).argmax(axis=1), [0, 3])
    np.testing.assert_allclose(np.abs(rotation[2:]).argmax(axis=1), [1, 2])


def test_it_turns_variance_away_from_a_crowded_piece() -> None:
    """All the variance in the first piece: a cut wastes the second codebook, a rotation does not."""
    X = vectors(800, 8) * np.array([4, 4, 4, 4, 0.1, 0.1, 0.1, 0.1], dtype=np.float32)
    pq = ProductQuantizer(2, 32, random_state=0).fit(X)
    opq = OptimizedProductQuantizer(2, 32, random_state=0).fit(X)
    assert opq.distortion_ < 0.8 * pq.distortion_
    variance = opq.split(X).var(axis=0).sum(axis=1)
    assert variance.max() < 3 * variance.min()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda q, X: OptimizedProductQuantizer(3, 4).fit(X), ["divisible by n_subspaces=3"]),
        (lambda q, X: q.set_params(n_iterations=-1).fit(X), ["n_iterations", "0 or more"]),
        (lambda q, X: q.with_codebooks(q.codebooks_, 2 * np.eye(8)), ["orthonormal", "(8, 8)"]),
        (lambda q, X: q.with_codebooks(q.codebooks_, 1.01 * np.eye(8)), ["orthonormal"]),
        (lambda q, X: q.with_codebooks(q.codebooks_, np.eye(8)[:4]), ["orthonormal", "(4, 8)"]),
        (lambda q, X: q.with_codebooks(q.codebooks_, np.eye(4)), ["rotation of shape (n, 8)"]),
        (lambda q, X: q.with_arrays({"codebooks": q.codebooks_}), ["codebooks and rotation"]),
    ],
)
def test_bad_input_is_named(call: Any, words: list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        call(made(OptimizedProductQuantizer, 2, 4, 4), vectors(20, 8))
    for word in words:
        assert word in str(caught.value)
