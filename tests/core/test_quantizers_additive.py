"""Sums of codewords: beam search against plain lists and faiss, least squares, new places."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_quantizers_contract import correlated, made, vectors
from twins import DEVICES, additive_adc, additive_distance, beam_twin

from gsl_tutorial import AdditiveQuantizer, ResidualQuantizer
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers import additive_base
from gsl_tutorial.quantizers.additive import least_squares
from gsl_tutorial.quantizers.additive_base import beam_search
from gsl_tutorial.quantizers.residual import stagewise_kmeans

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def squared(X: np.ndarray, decoded: np.ndarray) -> np.ndarray:
    return ((X.astype(np.float64) - decoded) ** 2).sum(axis=1)


# The beam


@few
@given(st.integers(1, 3), st.integers(2, 6), st.integers(1, 4), st.integers(1, 9), seeds)
def test_the_beam_is_that_of_plain_lists(M: int, K: int, dim: int, width: int, seed: int) -> None:
    books, z = vectors(M * K, dim, seed).reshape(M, K, dim), vectors(5, dim, seed + 1)
    exact = torch.from_numpy(books).double(), torch.from_numpy(z).double()
    got = beam_search(exact[1], exact[0], width=width)
    assert got.shape == (5, min(width, K**M), M)
    for codes, x in zip(got.tolist(), z, strict=True):
        assert [tuple(code) for code in codes] == beam_twin(x, books, width)


@few
@given(st.integers(1, 3), st.integers(2, 5), st.integers(1, 4), st.integers(1, 9), seeds)
def test_further_sweeps_never_lose_and_never_repeat(
    M: int, K: int, dim: int, width: int, seed: int
) -> None:
    books = torch.from_numpy(vectors(M * K, dim, seed).reshape(M, K, dim)).double()
    z = torch.from_numpy(vectors(5, dim, seed + 1)).double()
    last = np.inf
    for sweeps in range(4):
        codes = beam_search(z, books, width=width, sweeps=sweeps)
        for row in codes.tolist():
            assert len({tuple(code) for code in row}) == min(width, K**M)
        sums = books[torch.arange(M), codes].sum(2)
        far = (z.unsqueeze(1) - sums).square().sum(2).numpy()
        assert (np.diff(far, axis=1) >= -1e-9).all()
        assert (far[:, 0] <= last + 1e-9).all()
        last = far[:, 0]


def test_local_search_ends_where_no_single_change_helps() -> None:
    books, z = vectors(3 * 6, 4).reshape(3, 6, 4), vectors(10, 4, 1)
    codes = beam_search(torch.from_numpy(z), torch.from_numpy(books), width=1, sweeps=20)[:, 0]
    for x, code in zip(z, codes.tolist(), strict=True):
        mine = additive_distance(x, tuple(code), books)
        for m, k in np.ndindex(3, 6):
            other = tuple(k if stage == m else old for stage, old in enumerate(code))
            assert mine <= additive_distance(x, other, books) + 1e-5


@pytest.mark.parametrize("device", DEVICES)
def test_far_from_the_origin_the_beam_still_sees_the_differences(device: str) -> None:
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(400, 8)) + 1000).astype(np.float32)
    rq = ResidualQuantizer(2, 16, beam=1, random_state=0).fit(X)  # a wider beam would hide it
    first = rq.candidates(torch.from_numpy(X).to(device), 1)[:, 0, 0].cpu().numpy()
    exact = rq.candidates(torch.from_numpy(X).double(), 1)[:, 0, 0].numpy()
    assert squared(X, first).mean() < squared(X, exact).mean() * 1.001


# Against faiss


@few
@given(st.integers(1, 4), st.integers(1, 5), st.sampled_from([1, 4, 8]), seeds)
def test_residual_codes_are_those_of_faiss(M: int, bits: int, beam: int, seed: int) -> None:
    ours = made(ResidualQuantizer, M, 2**bits, 2, seed).set_params(beam=beam)
    theirs = faiss.ResidualQuantizer(2 * M, M, bits)
    faiss.copy_array_to_vector(ours.codebooks_.ravel(), theirs.codebooks)
    theirs.is_trained = True
    theirs.max_beam_size = min(beam, 2 ** (bits * M))  # faiss packs wrong codes from a wider one
    X = vectors(60, 2 * M, seed + 7)
    packed = theirs.compute_codes(X)
    codes = faiss.unpack_bitstrings(packed, M, bits)
    np.testing.assert_allclose(theirs.decode(packed), ours.decode(codes), atol=1e-5)
    far = squared(X, ours.decode(ours.encode(X)))
    # Equal but for ties in float32, which may put another sum in the beam.
    assert np.isclose(far, squared(X, theirs.decode(packed)), rtol=1e-4, atol=1e-5).mean() > 0.95
    first = ours.join(ours.candidates(X, 1)[:, :, 0])
    np.testing.assert_allclose(squared(X, first), far, rtol=1e-4, atol=1e-5)


def test_the_local_search_finds_what_that_of_faiss_finds_or_better() -> None:
    X = correlated(1000, 16)
    ours = AdditiveQuantizer(4, 16, random_state=0).fit(X[:700])
    theirs = faiss.LocalSearchQuantizer(16, 4, 4)
    faiss.copy_array_to_vector(ours.codebooks_.ravel(), theirs.codebooks)
    theirs.is_trained = True
    found = squared(X[700:], theirs.decode(theirs.compute_codes(X[700:])))
    codes = ours.encode(X[700:])
    assert squared(X[700:], ours.decode(codes)).mean() <= found.mean() * 1.01
    # And a vector's code does not depend on the row that it stands in.
    np.testing.assert_array_equal(ours.encode(X[750:]), codes[50:])


def test_training_is_no_worse_than_that_of_faiss() -> None:
    X = correlated(600, 8)
    rq = faiss.ResidualQuantizer(8, 3, 4)
    lsq = faiss.LocalSearchQuantizer(8, 3, 4)
    lsq.nperts = 3
    for theirs, kind in ((rq, ResidualQuantizer), (lsq, AdditiveQuantizer)):
        theirs.train(X)
        reached = squared(X, theirs.decode(theirs.compute_codes(X))).mean()
        assert kind(3, 16, random_state=0).fit(X).distortion_ <= reached * 1.05


# Distances, and turns


@few
@given(
    st.sampled_from([ResidualQuantizer, AdditiveQuantizer]),
    st.integers(1, 3),
    st.integers(2, 6),
    st.integers(0, 6),
    seeds,
)
def test_tables_and_norms_make_the_distance(kind: type, M: int, K: int, n: int, seed: int) -> None:
    ours, queries = made(kind, M, K, 2, seed), vectors(3, 2 * M, seed + 1)
    codes = np.random.default_rng(seed).integers(0, K, (n, M))
    tables, norms = ours.lookup_tables(queries), ours.code_norms(codes)
    expected = additive_adc(queries, codes, ours.codebooks_)
    summed = sum(tables[:, m][:, codes[:, m]] for m in range(M)) + norms
    np.testing.assert_allclose(summed, expected, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ours.distances(queries, codes), expected, rtol=1e-5, atol=1e-6)
    c = ours.codebooks_[M - 1, K - 1].astype(float)
    plain = -2 * queries.astype(float) @ c
    if M > 1:
        np.testing.assert_allclose(tables[:, M - 1, K - 1], plain, rtol=1e-9, atol=1e-9)


def test_the_first_stage_is_k_means_and_the_second_that_of_what_is_left() -> None:
    X = correlated(300)
    books, _ = stagewise_kmeans(X, 2, 8, seed=3)
    first = stagewise_kmeans(X, 1, 8, seed=3)[0]
    np.testing.assert_array_equal(books[0], first[0])
    rq = ResidualQuantizer(2, 8, beam=1, random_state=3).fit(X)
    left_over = X - books[0][rq.encode(X)[:, 0]]
    again = stagewise_kmeans(left_over, 1, 8, seed=4)[0]
    np.testing.assert_allclose(rq.codebooks_[1], again[0], atol=1e-5)


@pytest.mark.parametrize("kind", [ResidualQuantizer, AdditiveQuantizer])
def test_a_wider_beam_is_nearer(kind: type) -> None:
    X = correlated(500, 12)
    fitted = kind(4, 8, random_state=0).fit(X)
    one, eight = (fitted.set_params(beam=b).distortion(X) for b in (1, 8))
    assert eight < one
    with pytest.raises(InvalidInputError, match="beam a whole number, 1 or more"):
        fitted.set_params(beam=0).encode(X)


def test_least_squares_is_that_of_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gsl_tutorial.quantizers.additive._RIDGE", 1e-9)
    rng = np.random.default_rng(0)
    X, codes = correlated(50, 3), rng.integers(0, 4, (50, 2))
    hot = np.zeros((50, 8))
    hot[np.arange(50)[:, None], codes + np.array([0, 4])] = 1
    expected = hot @ np.linalg.lstsq(hot, X.astype(float))[0]
    books = least_squares(X, codes, vectors(8, 3).reshape(2, 4, 3))
    np.testing.assert_allclose(books[[0, 1], codes].sum(axis=1), expected, atol=1e-3)


def test_the_ridge_leaves_an_unused_codeword_where_it_is() -> None:
    X, books = correlated(50, 3), vectors(8, 3).reshape(2, 4, 3)
    codes = np.random.default_rng(0).integers(0, 3, (50, 2))
    moved = least_squares(X, codes, books)
    np.testing.assert_allclose(moved[:, 3], books[:, 3], atol=1e-6)
    before, after = (squared(X, b[[0, 1], codes].sum(axis=1)).sum() for b in (books, moved))
    assert after < before


@pytest.mark.parametrize("n", [1, 3, 27])
def test_a_codeword_of_few_vectors_moves_as_if_three_more_held_it(n: int) -> None:
    books = np.array([[[0.0], [10.0]]], dtype=np.float32)
    moved = least_squares(np.ones((n, 1), dtype=np.float32), np.zeros((n, 1), dtype=int), books)
    np.testing.assert_allclose(moved.ravel(), [n / (n + 3), 10], rtol=1e-6)


def test_turns_lower_the_distortion() -> None:
    X = correlated(600, 12)
    reached = [
        AdditiveQuantizer(3, 16, n_iterations=n, random_state=0).fit(X).distortion_
        for n in (0, 1, 8)
    ]
    assert reached[0] > reached[1] > reached[2]
    with pytest.raises(InvalidInputError, match="n_iterations a whole number, 0 or more"):
        AdditiveQuantizer(3, 16, n_iterations=-1).fit(X)


def test_large_sets_are_searched_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    X, ours = correlated(50), made(ResidualQuantizer, 2, 16, 4)
    whole, rows = ours.encode(X), []

    def noted(z: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:
        rows.append(len(z))
        return beam_search(z, *args, **options)

    monkeypatch.setattr(additive_base, "beam_search", noted)
    monkeypatch.setattr(additive_base, "_NUMBERS_AT_ONCE", 8 * (2 * 16 + 4 * 8) * 7)
    assert (ours.encode(X) == whole).all(axis=1).mean() > 0.9
    assert rows == [7] * 8  # the last row among copies of itself, see `_LEAST_ROWS`
