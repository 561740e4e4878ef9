"""faiss indexes from our codebooks: same distances, same codes, there and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from quantizer_cases import ADDITIVE, CUT, made
from twins import pq_clear

from gsl_tutorial import OptimizedProductQuantizer, ProductQuantizer, ResidualQuantizer
from gsl_tutorial.errors import InvalidInputError, NotFittedError
from gsl_tutorial.quantizers.faiss_index import from_faiss, to_faiss


def vectors(n: int, dim: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)


def given_books(M: int, K: int, d: int, seed: int = 0) -> ProductQuantizer:
    return ProductQuantizer(M, K).with_codebooks(vectors(M * K, d, seed).reshape(M, K, d))


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 5),
    st.sampled_from([1, 2, 3, 4, 5, 6, 8, 9, 10]),
    st.integers(1, 4),
    st.integers(1, 60),
    st.integers(0, 2**32 - 1),
)
def test_search_is_ours_in_their_words(M: int, bits: int, d: int, n: int, seed: int) -> None:
    pq, queries = given_books(M, 2**bits, d, seed), vectors(4, M * d, seed + 1)
    codes = pq.encode(vectors(n, M * d, seed + 2))
    assume(d != 2 or bits > 2)  # faiss itself fails there: "ksub % 8 == 0"
    index = to_faiss(pq, codes)
    assert (index.ntotal, index.d, index.is_trained) == (n, M * d, True)
    found, which = index.search(queries, n)
    ours = pq.distances(queries, codes)
    assert (np.sort(which, axis=1) == np.arange(n)).all()
    np.testing.assert_allclose(found, np.take_along_axis(ours, which, axis=1), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found, np.sort(ours, axis=1), rtol=1e-4, atol=1e-4)
    for i in range(n):
        np.testing.assert_array_equal(index.reconstruct(i), pq.decode(codes[i : i + 1])[0])


@pytest.mark.parametrize("bits", [1, 4, 6, 8, 10])
@pytest.mark.parametrize("n", [0, 1, 77])
def test_there_and_back(bits: int, n: int) -> None:
    pq = given_books(3, 2**bits, 3)
    codes = pq.encode(vectors(n, 9))
    again, codes_again = from_faiss(to_faiss(pq, codes))
    np.testing.assert_array_equal(again.codebooks_, pq.codebooks_)
    np.testing.assert_array_equal(codes_again, codes)
    assert codes_again.dtype == codes.dtype
    assert codes_again.shape == (n, 3)
    assert (again.n_subspaces, again.n_codewords, again.dim_) == (3, 2**bits, 9)
    assert repr(again).endswith("given codebooks)")


def test_an_index_without_codes_takes_vectors_and_encodes_as_we_do() -> None:
    X = vectors(500, 8)
    pq = ProductQuantizer(4, 64, random_state=0).fit(X)
    index = to_faiss(pq)
    assert index.ntotal == 0
    assert from_faiss(index)[1].shape == (0, 4)
    index.add(X)
    clear = pq_clear(X, pq.codebooks_)
    np.testing.assert_array_equal(from_faiss(index)[1][clear], pq.encode(X)[clear])


def test_an_index_trained_by_faiss_comes_over(tmp_path: Path) -> None:
    X = vectors(700, 8)
    index = faiss.IndexPQ(8, 2, 4)
    index.train(X)
    index.add(X)
    faiss.write_index(index, str(tmp_path / "index"))
    for source in (index, faiss.read_index(str(tmp_path / "index"))):
        pq, codes = from_faiss(source)
        clear = pq_clear(X, pq.codebooks_)
        np.testing.assert_array_equal(pq.encode(X)[clear], codes[clear])
        found, _ = source.search(X[:5], 700)
        ours = np.sort(pq.distances(X[:5], codes), axis=1)
        np.testing.assert_allclose(found, ours, rtol=1e-4, atol=1e-4)
    del index, source  # the quantizer keeps its own memory
    assert np.isfinite(pq.codebooks_).all()


def test_the_index_keeps_its_own_memory() -> None:
    pq = given_books(2, 16, 2)
    codes = pq.encode(vectors(9, 4))
    frozen = codes.copy()
    frozen.flags.writeable = False
    index = to_faiss(pq, frozen)
    before = index.search(vectors(3, 4), 9)[0]
    pq.codebooks_[:] = 0
    np.testing.assert_array_equal(index.search(vectors(3, 4), 9)[0], before)


def inner_product() -> faiss.IndexPQ:
    index = faiss.IndexPQ(4, 2, 4, faiss.METRIC_INNER_PRODUCT)
    index.train(vectors(700, 4))
    return index


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(CUT + ADDITIVE),
    st.integers(1, 4),
    st.sampled_from([3, 4, 5, 8]),
    st.integers(1, 40),
    st.integers(0, 2**32 - 1),
)
def test_every_quantizer_searches_as_it_measures(
    kind: Any, M: int, bits: int, n: int, seed: int
) -> None:
    quantizer, queries = made(kind, M, 2**bits, 2, seed), vectors(4, 2 * M, seed + 1)
    codes = quantizer.encode(vectors(n, 2 * M, seed + 2))
    index = to_faiss(quantizer, codes)
    assert (index.ntotal, index.d, index.is_trained) == (n, 2 * M, True)
    found, which = index.search(queries, n)
    ours = quantizer.distances(queries, codes)
    assert (np.sort(which, axis=1) == np.arange(n)).all()
    np.testing.assert_allclose(found, np.take_along_axis(ours, which, axis=1), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(index.reconstruct_n(0, n), quantizer.decode(codes), atol=1e-5)
    again, codes_again = from_faiss(index)
    assert type(again) is kind
    np.testing.assert_array_equal(codes_again, codes)
    for name, array in quantizer.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], array)


@pytest.mark.parametrize("kind", CUT + ADDITIVE)
def test_vectors_can_be_added_by_faiss(kind: Any, tmp_path: Path) -> None:
    X = vectors(300, 8)
    quantizer = kind(2, 16, random_state=0).fit(X)
    faiss.write_index(to_faiss(quantizer), str(tmp_path / "index"))
    index = faiss.read_index(str(tmp_path / "index"))
    index.add(X)
    codes = from_faiss(index)[1]
    far = ((X - quantizer.decode(codes)) ** 2).sum(axis=1).mean()
    assert far == pytest.approx(quantizer.distortion(X), rel=0.02)
    found, which = index.search(X[:5], 300)
    ours = quantizer.distances(X[:5], codes)
    np.testing.assert_allclose(found, np.take_along_axis(ours, which, axis=1), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("index", "kind"),
    [
        (faiss.IndexResidualQuantizer(8, 3, 4), ADDITIVE[0]),
        (faiss.IndexPreTransform(faiss.OPQMatrix(8, 2), faiss.IndexPQ(8, 2, 4)), CUT[1]),
        (faiss.index_factory(8, "LSQ4x4"), ADDITIVE[1]),
    ],
)
def test_what_faiss_trained_comes_over(index: Any, kind: Any) -> None:
    X = vectors(700, 8)
    index.train(X)
    index.add(X)
    quantizer, codes = from_faiss(index)
    assert type(quantizer) is kind
    np.testing.assert_allclose(quantizer.decode(codes), index.reconstruct_n(0, 700), atol=1e-4)


def test_a_beam_wider_than_there_are_sums_adds_the_right_codes() -> None:
    X = vectors(50, 2)
    rq = made(ADDITIVE[0], 1, 4, 2)
    index = to_faiss(rq)
    index.add(X)
    np.testing.assert_array_equal(from_faiss(index)[1], rq.encode(X))


def two_steps() -> faiss.IndexPreTransform:
    index = faiss.IndexPreTransform(faiss.OPQMatrix(4, 2), faiss.IndexPQ(4, 2, 3))
    index.prepend_transform(faiss.PCAMatrix(4, 4))
    index.is_trained = True
    return index


def unequal_stages() -> faiss.IndexResidualQuantizer:
    stages = faiss.UInt64Vector()
    faiss.copy_array_to_vector(np.array([2, 3], dtype=np.uint64), stages)
    index = faiss.IndexResidualQuantizer(4, stages)
    index.train(vectors(700, 4))
    return index


def other_additive() -> faiss.IndexProductResidualQuantizer:
    index = faiss.IndexProductResidualQuantizer(4, 2, 2, 3)
    index.train(vectors(700, 4))
    return index


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: to_faiss(given_books(2, 12, 2)), ["power of two", "got 12"]),
        (lambda: to_faiss(given_books(2, 2, 2)), ["8 codewords or more", "got 2"]),
        (lambda: to_faiss(given_books(2, 4, 2)), ["8 codewords or more", "got 4"]),
        (lambda: from_faiss(two_steps()), ["one rotation and then an IndexPQ", "'PCAMatrix'"]),
        (lambda: from_faiss(unequal_stages()), ["as many codewords in each stage", "[2, 3]"]),
        (lambda: from_faiss(other_additive()), ["IndexResidualQuantizer", "IndexProduct"]),
        (lambda: to_faiss(given_books(2, 255, 1)), ["power of two", "got 255"]),
        (lambda: to_faiss(given_books(2, 4, 2), np.full((3, 2), 4)), ["codes from 0 to 3"]),
        (lambda: to_faiss(given_books(2, 4, 2), np.zeros((3, 3), int)), ["shape (n, 2)"]),
        (lambda: to_faiss(given_books(2, 4, 2), np.zeros((3, 2))), ["integer codes", "float64"]),
        (lambda: from_faiss(faiss.IndexPQ(4, 2, 4)), ["trained faiss.IndexPQ", "train the index"]),
        (lambda: from_faiss(faiss.IndexFlatL2(4)), ["faiss.IndexPQ", "IndexFlatL2"]),
        (lambda: from_faiss(None), ["faiss.IndexPQ", "None"]),
        (lambda: from_faiss(inner_product()), ["squared distances", "METRIC_L2"]),
    ],
)
def test_bad_input_is_named(call: Any, words: list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


def test_an_unfitted_quantizer_is_refused() -> None:
    with pytest.raises(NotFittedError, match=r"call fit\(X\) first"):
        to_faiss(ProductQuantizer(2, 16))


# Fast scan


@pytest.mark.parametrize("kind", [ProductQuantizer, OptimizedProductQuantizer])
def test_a_fast_scan_finds_what_the_tables_find(kind: type[ProductQuantizer]) -> None:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(3000, 16)).astype(np.float32)
    quantizer = kind(4, 16, random_state=0).fit(X)
    codes = quantizer.encode(X)
    queries = rng.normal(size=(50, 16)).astype(np.float32)
    found, items = to_faiss(quantizer, codes, fast_scan=True).search(queries, 10)
    exact = quantizer.distances(queries, codes)
    # Each of the M entries is rounded to one of 255 steps of the largest sum that there can be.
    tables = quantizer.lookup_tables(queries)
    step = (tables.max(2) - tables.min(2)).sum(1, keepdims=True) / 255
    there = np.take_along_axis(exact, items, 1)
    assert (np.abs(found - there) <= 4 * step).all()
    tenth = np.sort(exact, axis=1)[:, 9:10]
    assert (there <= tenth + 8 * step).all()


def test_a_fast_scan_of_other_codes_is_refused() -> None:
    X = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    for other in (ProductQuantizer(2, 8), ResidualQuantizer(2, 16)):
        other.fit(X)
        with pytest.raises(InvalidInputError, match="with 16 codewords, a table that fits"):
            to_faiss(other, other.encode(X), fast_scan=True)
