"""What every quantizer promises, whichever it is: pieces, candidates, distances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import DEVICES

from gsl_tutorial import (
    AdditiveQuantizer,
    OptimizedProductQuantizer,
    ProductQuantizer,
    ResidualQuantizer,
)

CUT = [ProductQuantizer, OptimizedProductQuantizer]
ADDITIVE = [ResidualQuantizer, AdditiveQuantizer]
each_kind = pytest.mark.parametrize("kind", CUT + ADDITIVE, ids=lambda kind: kind.short_name)
kinds, seeds = st.sampled_from(CUT + ADDITIVE), st.integers(0, 2**32 - 1)
few = settings(max_examples=40, deadline=None)


def vectors(n: int, dim: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)


def made(kind: Any, M: int, K: int, d: int, seed: int = 0) -> Any:
    """A quantizer of M x K codewords for vectors of length M d, from random arrays."""
    dim = M * d
    if kind in ADDITIVE:
        return kind(M, K).with_codebooks(vectors(M * K, dim, seed).reshape(M, K, dim))
    books = vectors(M * K, d, seed).reshape(M, K, d)
    if kind is ProductQuantizer:
        return kind(M, K).with_codebooks(books)
    return kind(M, K).with_codebooks(books, np.linalg.qr(vectors(dim, dim, seed + 1))[0])


def correlated(n: int, dim: int = 8, seed: int = 0) -> np.ndarray:
    return vectors(n, dim, seed) @ vectors(dim, dim, 77)


@pytest.fixture(scope="module")
def X() -> np.ndarray:
    return correlated(400)


@pytest.fixture(scope="module", params=CUT + ADDITIVE, ids=lambda kind: kind.short_name)
def fitted(request: pytest.FixtureRequest, X: np.ndarray) -> Any:
    return request.param(2, 16, random_state=0).fit(X)


# Pieces and candidates


@few
@given(kinds, st.integers(1, 4), st.integers(1, 4), st.integers(0, 6), seeds)
def test_pieces_keep_lengths_and_angles(kind: Any, M: int, d: int, n: int, seed: int) -> None:
    quantizer = made(kind, M, 3, d, seed)
    a, b = vectors(n, M * d, seed + 2), vectors(n, M * d, seed + 3)
    parts = quantizer.split(a)
    assert parts.shape == ((n, 1, M * d) if kind in ADDITIVE else (n, M, d))
    np.testing.assert_allclose(quantizer.join(parts), a, atol=1e-5)
    np.testing.assert_allclose(
        (parts * quantizer.split(b)).sum((1, 2)), (a * b).sum(1), rtol=1e-4, atol=1e-4
    )
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        z = torch.from_numpy(a).to(dtype).requires_grad_()
        assert quantizer.split(z).dtype == quantizer.join(quantizer.split(z)).dtype == dtype
    z = torch.from_numpy(a).double().requires_grad_()
    (quantizer.split(z) * quantizer.split(torch.from_numpy(b).double())).sum().backward()
    np.testing.assert_allclose(z.grad.numpy(), b, atol=1e-5)  # the map carries gradients back
    assert quantizer.split(a.astype(np.float64)).dtype == np.float64


@few
@given(kinds, st.integers(1, 3), st.integers(2, 5), st.integers(1, 3), seeds)
def test_candidates_are_codewords_or_sums_nearest_first(
    kind: Any, M: int, K: int, d: int, seed: int
) -> None:
    quantizer, z = made(kind, M, K, d, seed), vectors(4, M * d, seed + 5)
    every = np.stack(np.meshgrid(*[np.arange(K)] * M), axis=-1).reshape(-1, M)
    places = quantizer.split(quantizer.decode(every))  # (K^M, M or 1, d)
    n = int(np.random.default_rng(seed).integers(1, quantizer.most_candidates + 1))
    for given_z in (z, torch.from_numpy(z), torch.from_numpy(z).double()):
        got = np.asarray(quantizer.candidates(given_z, n))
        parts = quantizer.split(z)
        assert got.shape == (4, parts.shape[1], n, parts.shape[2])
        far = ((got - parts[:, :, None]) ** 2).sum(3)
        assert (np.diff(far, axis=2) >= -1e-4).all()
        for i, m in np.ndindex(*far.shape[:2]):
            gap = np.abs(got[i, m][:, None] - places[None, :, m]).max(2)
            assert gap.min(1).max() < 1e-5  # each of them is the place of some code
            assert len(np.unique(got[i, m].round(6), axis=0)) == n  # and none comes twice
    # Asked for all of them, a beam is exhaustive: the first is the nearest there is.
    all_of_them = quantizer.candidates(z, quantizer.most_candidates)
    exact = ((z[:, None] - quantizer.decode(every)) ** 2).sum(2).min(1)
    nearest = quantizer.join(all_of_them[:, :, 0])
    np.testing.assert_allclose(((z - nearest) ** 2).sum(1), exact, rtol=1e-3, atol=1e-4)


def test_the_first_candidate_is_the_reconstruction(fitted: Any, X: np.ndarray) -> None:
    first = fitted.join(fitted.candidates(X, 1)[:, :, 0])
    np.testing.assert_allclose(first, fitted.decode(fitted.encode(X)), atol=1e-4)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_candidates_come_as_the_embedding_came(
    fitted: Any, X: np.ndarray, dtype: torch.dtype, device: str
) -> None:
    z = torch.from_numpy(X[:5]).to(device, dtype).requires_grad_()
    got = fitted.candidates(z, 3)
    assert (got.dtype, got.device, got.requires_grad) == (dtype, z.device, False)
    if dtype == torch.float64:
        np.testing.assert_allclose(got.cpu().numpy(), fitted.candidates(X[:5], 3), atol=1e-4)


@each_kind
@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize(("M", "d"), [(1, 1), (3, 1), (1, 3)])
def test_short_batches_and_thin_pieces(kind: Any, n: int, M: int, d: int) -> None:
    quantizer, X = made(kind, M, 5, d), vectors(n, M * d)
    codes = quantizer.encode(X)
    assert (codes.shape, codes.dtype) == ((n, M), np.uint8)
    assert quantizer.decode(codes).shape == (n, M * d)
    assert quantizer.lookup_tables(X).shape == (n, M, 5)
    assert quantizer.distances(X, codes).shape == (n, n)
    for k in (1, 5, quantizer.most_candidates):
        assert quantizer.candidates(X, k).shape[:3:2] == (n, k)


@each_kind
def test_as_many_vectors_as_codewords(kind: Any) -> None:
    X = vectors(8, 6)
    np.testing.assert_allclose(kind(1, 8, random_state=0).fit(X).distortion_, 0, atol=1e-9)


# Distances


def test_distances_are_those_to_the_decoded_vectors(fitted: Any, X: np.ndarray) -> None:
    codes, queries = fitted.encode(X), correlated(5, seed=9)
    expected = ((queries[:, None] - fitted.decode(codes)[None]) ** 2).sum(axis=2)
    distances = fitted.distances(queries, codes)
    assert distances.dtype == np.float32
    np.testing.assert_allclose(distances, expected, rtol=1e-4, atol=1e-4)
    itself = fitted.symmetric_distances(codes, codes)
    assert (itself >= 0).all()
    assert np.diag(itself).max() < 1e-6


def test_equal_codes_have_bit_equal_distances(fitted: Any, X: np.ndarray) -> None:
    codes = np.tile(fitted.encode(X[:7]), (13, 1))  # 7 is no multiple of any vector width
    for got in (fitted.distances(X, codes), fitted.symmetric_distances(fitted.encode(X), codes)):
        copies = got.reshape(len(X), 13, 7)
        assert (copies.view(np.uint32) == copies[:, :1].copy().view(np.uint32)).all()
