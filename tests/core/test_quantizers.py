"""Product quantization against faiss, nanopq and plain loops; manners, edges and bad input."""

from __future__ import annotations

import warnings
from typing import Any

import faiss
import nanopq
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError as SklearnNotFittedError
from twins import DEVICES, pq_adc, pq_clear, pq_decode, pq_encode, pq_sdc, pq_tables

from gsl_tutorial import ProductQuantizer
from gsl_tutorial.errors import InvalidInputError, NotFittedError, TutorialError

few = settings(max_examples=25, deadline=None)
shapes = st.tuples(st.integers(1, 4), st.integers(1, 5))  # M, d
seeds = st.integers(0, 2**32 - 1)


def vectors(n: int, dim: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)


def given_books(M: int, K: int, d: int, seed: int = 0) -> ProductQuantizer:
    books = np.random.default_rng([seed, 1]).normal(size=(M, K, d)).astype(np.float32)
    return ProductQuantizer(M, K).with_codebooks(books)


def as_faiss(pq: ProductQuantizer) -> faiss.ProductQuantizer:
    bits = int(pq.n_codewords).bit_length() - 1
    theirs = faiss.ProductQuantizer(pq.dim_, pq.n_subspaces, bits)
    faiss.copy_array_to_vector(pq.codebooks_.ravel(), theirs.centroids)
    return theirs


@pytest.fixture(scope="module")
def X() -> np.ndarray:
    return vectors(300, 8)


@pytest.fixture(scope="module")
def pq(X: np.ndarray) -> ProductQuantizer:
    return ProductQuantizer(4, 16, random_state=0).fit(X)


# The same as others, and as plain loops


@few
@given(shapes, st.integers(1, 8), st.integers(0, 40), seeds)
def test_faiss_agrees(shape: tuple[int, int], bits: int, n: int, seed: int) -> None:
    M, d = shape
    assume(d != 2 or bits > 2)  # faiss itself fails there: "ksub % 8 == 0"
    ours = given_books(M, 2**bits, d, seed)
    theirs = as_faiss(ours)
    X, queries = vectors(n, M * d, seed), vectors(3, M * d, seed + 1)
    codes = ours.encode(X)
    assert codes.shape == (n, M)
    if n:
        packed = theirs.compute_codes(X)
        theirs_codes = faiss.unpack_bitstrings(packed, M, bits)
        clear = pq_clear(X, ours.codebooks_)
        np.testing.assert_array_equal(codes[clear], theirs_codes[clear])
        packed = faiss.pack_bitstrings(codes.astype(np.int32), bits)
        np.testing.assert_array_equal(ours.decode(codes), theirs.decode(packed))

    index = faiss.IndexPQ(M * d, M, bits)
    index.pq, index.is_trained = theirs, True
    if n:
        index.add_sa_codes(faiss.pack_bitstrings(codes.astype(np.int32), bits))
        found, which = index.search(queries, n)
        distances = ours.distances(queries, codes)
        assert (np.sort(which, axis=1) == np.arange(n)).all()
        np.testing.assert_allclose(
            np.take_along_axis(distances, which, axis=1), found, rtol=1e-4, atol=1e-4
        )


@few
@given(shapes, st.integers(2, 300), st.integers(1, 30), seeds)
def test_nanopq_agrees(shape: tuple[int, int], K: int, n: int, seed: int) -> None:
    M, d = shape
    ours = given_books(M, K, d, seed)
    theirs = nanopq.PQ(M, Ks=K, verbose=False)
    theirs.codewords, theirs.Ds = ours.codebooks_, d
    X = vectors(n, M * d, seed)
    codes = ours.encode(X)
    assert codes.dtype == theirs.code_dtype == (np.uint8 if K <= 256 else np.uint16)
    clear = pq_clear(X, ours.codebooks_)
    np.testing.assert_array_equal(codes[clear], theirs.encode(X)[clear])
    np.testing.assert_array_equal(ours.decode(codes), theirs.decode(codes))
    table = theirs.dtable(X[0])
    np.testing.assert_allclose(ours.lookup_tables(X[:1])[0], table.dtable, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        ours.distances(X[:1], codes)[0], table.adist(codes), rtol=1e-4, atol=1e-5
    )


@few
@given(shapes, st.integers(2, 9), st.integers(0, 8), seeds)
def test_plain_loops_agree(shape: tuple[int, int], K: int, n: int, seed: int) -> None:
    M, d = shape
    ours, X = given_books(M, K, d, seed), vectors(n, M * d, seed)
    queries = vectors(3, M * d, seed + 1)
    codes = ours.encode(X)
    clear = pq_clear(X, ours.codebooks_)
    np.testing.assert_array_equal(codes[clear], pq_encode(X, ours.codebooks_)[clear])
    np.testing.assert_array_equal(ours.decode(codes), pq_decode(codes, ours.codebooks_))
    np.testing.assert_allclose(
        ours.lookup_tables(queries), pq_tables(queries, ours.codebooks_), rtol=1e-5
    )
    adc, sdc = ours.distances(queries, codes), ours.symmetric_distances(codes[:3], codes)
    assert adc.shape == (3, n)
    if n:
        np.testing.assert_allclose(adc, pq_adc(queries, codes, ours.codebooks_), rtol=1e-5)
        expected = pq_sdc(codes[:3], codes, ours.codebooks_)
        np.testing.assert_allclose(sdc, expected, rtol=1e-5, atol=1e-6)
        assert (np.diag(sdc[:, :3]) == 0).all()


@few
@given(shapes, st.integers(1, 6), seeds)
def test_symmetric_distances_are_sums_of_the_table_of_faiss(
    shape: tuple[int, int], bits: int, seed: int
) -> None:
    M, d = shape
    ours = given_books(M, 2**bits, d, seed)
    theirs = as_faiss(ours)
    theirs.compute_sdc_table()
    table = faiss.vector_to_array(theirs.sdc_table).reshape(M, 2**bits, 2**bits)
    codes = np.random.default_rng(seed).integers(0, 2**bits, (20, M))
    expected = sum(table[m][np.ix_(codes[:5, m], codes[:, m])] for m in range(M))
    np.testing.assert_allclose(
        ours.symmetric_distances(codes[:5], codes), expected, rtol=1e-4, atol=1e-5
    )


def test_distances_are_those_to_the_decoded_vectors(pq: ProductQuantizer, X: np.ndarray) -> None:
    codes, queries = pq.encode(X), vectors(5, 8, seed=9)
    expected = ((queries[:, None] - pq.decode(codes)[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(pq.distances(queries, codes), expected, rtol=1e-5)
    assert pq.distortion(X) == pytest.approx(((X - pq.decode(codes)) ** 2).sum(1).mean(), rel=1e-6)


def test_equal_codes_have_bit_equal_distances(pq: ProductQuantizer, X: np.ndarray) -> None:
    codes = np.tile(pq.encode(X[:7]), (13, 1))  # 7 is no multiple of any vector width
    for distances in (
        pq.distances(X, codes),
        pq.symmetric_distances(pq.encode(X), codes),
    ):
        copies = distances.reshape(len(X), 13, 7)
        assert (copies.view(np.uint32) == copies[:, :1].copy().view(np.uint32)).all()


def test_nearest_codes_make_the_smallest_distance(pq: ProductQuantizer, X: np.ndarray) -> None:
    every = np.stack(np.meshgrid(*[np.arange(16)] * 2, [0], [0]), axis=-1).reshape(-1, 4)
    mine = pq.encode(X[:20])
    mine[:, 2:] = 0
    best = pq.distances(X[:20], every).min(axis=1)
    np.testing.assert_allclose(np.diag(pq.distances(X[:20], mine)), best, rtol=1e-5)


# Fitting


def test_fit_has_the_manners_of_scikit_learn(X: np.ndarray) -> None:
    pq = ProductQuantizer(2, 8, random_state=3)
    assert pq.get_params() == {"n_subspaces": 2, "n_codewords": 8, "random_state": 3}
    assert pq.fit(X) is pq
    assert pq.fit(X, y=np.zeros(len(X))) is pq
    assert pq.refit(X) is pq
    assert pq.codebooks_.shape == (2, 8, 4)
    assert pq.codebooks_.dtype == np.float32
    assert pq.dim_ == 8
    copy = clone(pq)
    assert copy.get_params() == pq.get_params()
    assert not hasattr(copy, "codebooks_")
    assert ProductQuantizer(4).n_codewords == 256


def test_random_state_decides_and_nothing_global_is_touched(X: np.ndarray) -> None:
    before, torch_before = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    one, same, other = (
        ProductQuantizer(4, 16, random_state=s).fit(X).codebooks_ for s in (5, 5, 6)
    )
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    assert (torch.get_rng_state() == torch_before).all()
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    a, b = (
        ProductQuantizer(2, 8, random_state=np.random.default_rng(1)).fit(X).codebooks_
        for _ in range(2)
    )
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("seed", [0, -1, 2**31 - 1, 2**31, 2**40, np.int64(7)])
def test_any_integer_is_a_random_state(X: np.ndarray, seed: int) -> None:
    one, two = (ProductQuantizer(4, 4, random_state=seed).fit(X) for _ in range(2))
    np.testing.assert_array_equal(one.codebooks_, two.codebooks_)


def test_subspaces_with_the_same_data_are_seeded_apart() -> None:
    half = vectors(200, 3)
    books = ProductQuantizer(2, 8, random_state=0).fit(np.hstack([half, half])).codebooks_
    assert (books[0] != books[1]).any()


def test_fitting_leaves_the_data_alone_and_says_nothing(
    X: np.ndarray, capfd: pytest.CaptureFixture[str]
) -> None:
    frozen = X.copy()
    frozen.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pq = ProductQuantizer(4, 64, random_state=0).fit(frozen)
        pq.candidates(frozen, 2)
        pq.refit(frozen).encode(frozen)
    np.testing.assert_array_equal(frozen, X)
    assert capfd.readouterr() == ("", "")


def test_training_measures_itself(pq: ProductQuantizer, X: np.ndarray) -> None:
    codes = pq.encode(X)
    for m in range(4):
        np.testing.assert_array_equal(pq.usage_[m], np.bincount(codes[:, m], minlength=16))
    assert pq.distortion_ == pytest.approx(pq.distortion(X), rel=1e-6)
    assert pq.bits == 16
    assert repr(pq).startswith("PQ(4 x 16 codewords, 16 bits, distortion 0.")
    assert repr(ProductQuantizer(3, 100)) == "PQ(3 x 100 codewords, 21 bits, not fitted)"


def test_kmeans_has_converged_to_means(pq: ProductQuantizer, X: np.ndarray) -> None:
    pq = clone(pq).fit(X)
    for _ in range(20):
        pq.refit(X)
    codes, pieces = pq.encode(X), X.reshape(len(X), 4, 2)
    for m, k in np.ndindex(4, 16):
        mean = pieces[codes[:, m] == k, m].mean(axis=0)
        np.testing.assert_allclose(pq.codebooks_[m, k], mean, atol=1e-4)


def test_more_codewords_distort_less(X: np.ndarray) -> None:
    distortions = [ProductQuantizer(2, K, random_state=0).fit(X).distortion_ for K in (2, 8, 32)]
    assert distortions == sorted(distortions, reverse=True)
    relative = ProductQuantizer(2, 32, random_state=0).fit(X).relative_distortion(X)
    spread = ((X - X.mean(axis=0)) ** 2).sum(axis=1).mean()
    assert relative == pytest.approx(distortions[-1] / spread, rel=1e-5)
    assert ProductQuantizer(2, 4, random_state=0).fit(X * 0).relative_distortion(X * 0) == 0.0


def test_refit_keeps_the_meaning_of_codes(X: np.ndarray) -> None:
    pq = ProductQuantizer(4, 16, random_state=0).fit(X)
    codes, before = pq.encode(X), pq.distortion_
    again = pq.refit(X).encode(X)
    assert (codes == again).mean() > 0.95
    assert pq.distortion_ <= before * (1 + 1e-5)
    # A cold start with another seed numbers the codewords anew: refit is not that.
    cold = ProductQuantizer(4, 16, random_state=1).fit(X).encode(X)
    assert (codes == cold).mean() < 0.5


def test_refit_on_moved_data_follows_it(X: np.ndarray) -> None:
    rng = np.random.default_rng(2)
    centres = rng.normal(scale=10, size=(16, 4)).astype(np.float32)
    labels = np.arange(320) % 16
    cloud = centres[labels] + vectors(320, 4) * 0.1
    pq = ProductQuantizer(1, 16).with_codebooks(centres[None])
    moved = cloud + 0.3
    np.testing.assert_array_equal(pq.refit(moved).encode(moved)[:, 0], labels)
    np.testing.assert_allclose(pq.codebooks_[0], centres + 0.3, atol=0.15)


def test_refit_seeds_a_dead_codeword_anew(X: np.ndarray) -> None:
    pq = ProductQuantizer(4, 16, random_state=0).fit(X)
    books = pq.codebooks_.copy()
    books[1, 5] = 1e4
    pq.with_codebooks(books)
    assert (pq.encode(X)[:, 1] != 5).all()
    pq.refit(X)
    assert np.abs(pq.codebooks_).max() < 10
    assert pq.usage_.min() > 0
    assert (pq.encode(X)[:, 1] == 5).any()


def test_given_codebooks_are_copied_and_forget_the_old_fit(X: np.ndarray) -> None:
    pq = ProductQuantizer(4, 16, random_state=0).fit(X)
    books = np.zeros((4, 16, 2), dtype=np.float32)
    books.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert pq.with_codebooks(books) is pq
        pq.candidates(torch.zeros(3, 8), 2)
    assert "given codebooks" in repr(pq)
    assert not hasattr(pq, "usage_")
    books.flags.writeable = True
    books += 1
    assert (pq.codebooks_ == 0).all()


# Small and odd sizes and types


def test_as_many_vectors_as_codewords_are_kept_exactly() -> None:
    X = vectors(8, 6)
    pq = ProductQuantizer(3, 8, random_state=0).fit(X)
    assert pq.distortion_ == 0.0
    np.testing.assert_array_equal(pq.decode(pq.encode(X)), X)


def test_equal_vectors_are_no_trouble() -> None:
    X = np.full((40, 6), 2.5, dtype=np.float32)
    pq = ProductQuantizer(3, 8, random_state=0).fit(X)
    np.testing.assert_allclose(pq.decode(pq.encode(X)), X, rtol=1e-3)


@pytest.mark.parametrize("n", [0, 1, 2])
@pytest.mark.parametrize(("M", "d"), [(1, 1), (3, 1), (1, 3)])
def test_short_batches_and_thin_pieces(n: int, M: int, d: int) -> None:
    pq, X = given_books(M, 5, d), vectors(n, M * d)
    codes = pq.encode(X)
    assert codes.shape == (n, M)
    assert codes.dtype == np.uint8
    assert pq.decode(codes).shape == (n, M * d)
    assert pq.lookup_tables(X).shape == (n, M, 5)
    assert pq.distances(X, codes).shape == (n, n)
    assert pq.symmetric_distances(codes, codes).shape == (n, n)
    for k in (1, 5):
        assert pq.candidates(X, k).shape == (n, M, k, d)
        assert pq.candidates(torch.from_numpy(X), k).shape == (n, M, k, d)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.dtype(">f4")])
def test_any_float_goes_in_as_float32(pq: ProductQuantizer, X: np.ndarray, dtype: Any) -> None:
    given = np.asfortranarray(X[:50].astype(dtype))
    same = given.astype(np.float32)
    np.testing.assert_array_equal(pq.encode(given), pq.encode(same))
    np.testing.assert_array_equal(pq.lookup_tables(given), pq.lookup_tables(same))
    assert pq.lookup_tables(given).dtype == pq.decode(pq.encode(given)).dtype == np.float32
    one, two = (ProductQuantizer(2, 4, random_state=0).fit(v).codebooks_ for v in (given, same))
    np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(("K", "dtype"), [(2, "u1"), (256, "u1"), (257, "u2"), (65536, "u2")])
def test_codes_take_the_fewest_bytes(K: int, dtype: str) -> None:
    books = np.arange(K, dtype=np.float32).reshape(1, K, 1)
    pq = ProductQuantizer(1, K).with_codebooks(books)
    codes = pq.encode(np.array([[0.0], [K - 1.0]]))
    assert codes.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(codes[:, 0], [0, K - 1])
    np.testing.assert_array_equal(pq.decode(codes)[:, 0], [0, K - 1])


# Candidates


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("seed", range(10))
def test_candidates_are_the_nearest_by_brute_force(device: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    M, d, K = int(rng.integers(1, 5)), int(rng.integers(1, 6)), int(rng.integers(2, 40))
    pq, z = given_books(M, K, d, seed), vectors(20, M * d, seed)
    for n in {1, min(4, K), K}:
        got = pq.candidates(torch.from_numpy(z).to(device), n).cpu().numpy()
        assert got.shape == (20, M, n, d)
        tables = np.sort(pq_tables(z, pq.codebooks_), axis=2)[:, :, :n]
        mine = ((got.astype(float) - z.reshape(20, M, 1, d)) ** 2).sum(axis=3)
        np.testing.assert_allclose(mine, tables, rtol=1e-4, atol=1e-5)  # and so nearest first
        for m in range(M):  # each is a codeword of its own subspace, and none comes twice
            rows = {tuple(book) for book in pq.codebooks_[m]}
            for vector in got[:, m]:
                assert len({tuple(c) for c in vector} & rows) == n


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_candidates_come_as_the_embedding_came(
    pq: ProductQuantizer, X: np.ndarray, dtype: torch.dtype, device: str
) -> None:
    z = torch.from_numpy(X[:5]).to(device, dtype).requires_grad_()
    got = pq.candidates(z, 3)
    assert got.dtype == dtype
    assert got.device == z.device
    assert not got.requires_grad
    got.zero_()  # the codebooks are not handed out
    assert (pq.codebooks_ != 0).any()
    array = pq.candidates(X[:5].astype(np.float64), 3)
    assert isinstance(array, np.ndarray)
    assert array.dtype == np.float32


def test_the_first_candidate_is_the_reconstruction(pq: ProductQuantizer, X: np.ndarray) -> None:
    clear = pq_clear(X, pq.codebooks_)
    first, decoded = pq.candidates(X, 1)[:, :, 0], pq.decode(pq.encode(X)).reshape(-1, 4, 2)
    np.testing.assert_array_equal(first[clear], decoded[clear])
    strided = torch.from_numpy(X).t().contiguous().t()
    np.testing.assert_array_equal(pq.candidates(strided, 1)[:, :, 0].numpy()[clear], first[clear])


# Bad input


def spoiled(X: np.ndarray, value: float) -> np.ndarray:
    X = X.copy()
    X[3, 2] = X[7, 0] = value
    return X


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda q, X: ProductQuantizer(3, 4).fit(X), ["divisible by n_subspaces=3", "length 8"]),
        (lambda q, X: ProductQuantizer(2, 4).fit(X[:, :0]), ["divisible by n_subspaces=2"]),
        (lambda q, X: ProductQuantizer(2, 16).fit(X[:15]), ["at least n_codewords=16", "got 15"]),
        (lambda q, X: clone(q).fit(X).refit(X[:15]), ["at least n_codewords=16", "got 15"]),
        (lambda q, X: ProductQuantizer(2, 4).fit(spoiled(X, np.nan)), ["2 of 300", "row 3"]),
        (lambda q, X: q.encode(spoiled(X, np.inf)), ["finite", "NaN or infinity in 2", "row 3"]),
        (lambda q, X: q.encode(spoiled(X.astype(float), 1e300)), ["finite", "2 of 300"]),
        (lambda q, X: q.candidates(spoiled(X, -np.inf), 2), ["finite", "first is row 3"]),
        (lambda q, X: q.lookup_tables(spoiled(X, np.nan)), ["finite", "first is row 3"]),
        (lambda q, X: q.encode(X[0]), ["shape (n, 8)", "(8,) array of float32"]),
        (lambda q, X: q.encode(X[:, :6]), ["shape (n, 8)", "(300, 6) array"]),
        (lambda q, X: q.distances(X[:, :6], q.encode(X)), ["shape (n, 8)", "(300, 6) array"]),
        (lambda q, X: q.refit(X[:, :4]), ["shape (n, 8)", "(300, 4) array"]),
        (lambda q, X: q.candidates(torch.zeros(3, 6), 2), ["shape (N, 8)", "(3, 6)"]),
        (lambda q, X: q.candidates(torch.zeros(3, 8).int(), 2), ["floating-point", "int32"]),
        (lambda q, X: q.encode(X.astype(complex)), ["floating-point", "complex128", ".astype"]),
        (lambda q, X: ProductQuantizer(2, 4).fit(X > 0), ["floating-point", "of bool"]),
        (lambda q, X: ProductQuantizer(2, 4).fit(None), ["shape (n, dim)"]),
        (lambda q, X: q.decode(np.array([[0, 0, 0, 16]])), ["codes from 0 to 15", "0 to 16"]),
        (lambda q, X: q.decode(np.array([[0, 0, 0, -1]])), ["codes from 0 to 15", "-1 to 0"]),
        (lambda q, X: q.distances(X, np.full((2, 4), 99)), ["codes from 0 to 15", "99 to 99"]),
        (lambda q, X: q.decode(np.zeros((2, 4))), ["integer codes", "float64"]),
        (lambda q, X: q.decode(np.zeros((2, 3), int)), ["shape (n, 4)", "(2, 3)"]),
        (lambda q, X: q.decode(np.zeros(4, int)), ["shape (n, 4)", "(4,)"]),
        (lambda q, X: q.symmetric_distances(np.full((1, 4), 16), q.encode(X)), ["0 to 15"]),
        (lambda q, X: q.candidates(X, 17), ["n a whole number, from 1 to 16", "got 17"]),
        (lambda q, X: q.candidates(X, 0), ["n a whole number, from 1 to 16", "got 0"]),
        (lambda q, X: q.candidates(X, 2.0), ["n a whole number", "got 2.0"]),
        (lambda q, X: q.candidates(X, True), ["n a whole number", "got True"]),
        (lambda q, X: ProductQuantizer(0).fit(X), ["n_subspaces a whole number, 1 or more"]),
        (lambda q, X: ProductQuantizer(2.0).fit(X), ["n_subspaces a whole number", "2.0"]),
        (lambda q, X: ProductQuantizer(True).fit(X), ["n_subspaces a whole number", "True"]),
        (lambda q, X: ProductQuantizer(2, 1).fit(X), ["n_codewords", "from 2 to 65536", "got 1"]),
        (lambda q, X: ProductQuantizer(2, 65537).fit(X), ["n_codewords", "from 2 to 65536"]),
        (lambda q, X: ProductQuantizer(2, 4.0).fit(X), ["n_codewords a whole number", "4.0"]),
        (lambda q, X: ProductQuantizer(2, None).fit(X), ["n_codewords a whole number", "None"]),
        (
            lambda q, X: ProductQuantizer(2, 4).with_codebooks(np.zeros((2, 5, 3))),
            ["codebooks of shape (2, 4, d)", "(2, 5, 3)"],
        ),
        (
            lambda q, X: ProductQuantizer(2, 4).with_codebooks(np.full((2, 4, 3), np.nan)),
            ["finite codebooks"],
        ),
    ],
)
def test_bad_input_is_named(
    pq: ProductQuantizer, X: np.ndarray, call: Any, words: list[str]
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        call(pq, X)
    assert isinstance(caught.value, ValueError)
    text = str(caught.value)
    for word in ["expected ", "; got ", "What to do: ", *words]:
        assert word in text


@pytest.mark.parametrize(
    "use",
    [
        lambda q, X, codes: q.encode(X),
        lambda q, X, codes: q.decode(codes),
        lambda q, X, codes: q.lookup_tables(X),
        lambda q, X, codes: q.distances(X, codes),
        lambda q, X, codes: q.symmetric_distances(codes, codes),
        lambda q, X, codes: q.candidates(X, 1),
        lambda q, X, codes: q.candidates(torch.from_numpy(X), 1),
        lambda q, X, codes: q.refit(X),
        lambda q, X, codes: q.distortion(X),
        lambda q, X, codes: q.relative_distortion(X),
    ],
)
def test_unfitted_use_is_refused(X: np.ndarray, use: Any) -> None:
    with pytest.raises(NotFittedError, match=r"fitted.*ProductQuantizer.*call fit\(X\)") as caught:
        use(ProductQuantizer(4, 16), X, np.zeros((2, 4), dtype=np.uint8))
    assert isinstance(caught.value, TutorialError)
    assert isinstance(caught.value, SklearnNotFittedError)


def test_candidates_far_from_the_origin_are_still_the_nearest() -> None:
    """With |z|^2 a million times the distances, expanded squares alone would drown them."""
    rng = np.random.default_rng(0)
    X = (rng.normal(size=(400, 8)) + 1000).astype(np.float32)
    pq = ProductQuantizer(2, 16, random_state=0).fit(X)
    nearest = pq.candidates(X, 1).reshape(X.shape)
    assert (nearest == pq.decode(pq.encode(X))).all(axis=1).mean() > 0.99
