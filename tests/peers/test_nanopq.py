"""What nanopq's users rely on, asked of ours and of nanopq side by side.

The wheel of nanopq ships no tests, so these are our own cases: each asks one thing of both packages.
"""

from __future__ import annotations

import pickle
from typing import Any

import nanopq
import numpy as np
import pytest

from gsl_tutorial import OptimizedProductQuantizer, ProductQuantizer

M, K, DIM = 4, 12, 16


class Ours:
    """Our quantizers under the names of nanopq."""

    def __init__(self, kind: Any, M: int, Ks: int) -> None:
        self.quantizer = kind(M, Ks, random_state=0)
        self.M, self.Ks = M, Ks

    def fit(self, vecs: np.ndarray) -> Ours:
        self.quantizer.fit(vecs)
        return self

    @property
    def codewords(self) -> np.ndarray:
        return self.quantizer.codebooks_

    @property
    def Ds(self) -> int:
        return self.quantizer.codebooks_.shape[2]

    @property
    def code_dtype(self) -> Any:
        return np.min_scalar_type(self.Ks - 1).type

    @property
    def R(self) -> np.ndarray:
        return self.quantizer.rotation_.T  # nanopq turns rows: X @ R

    def encode(self, vecs: np.ndarray) -> np.ndarray:
        return self.quantizer.encode(vecs)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        return self.quantizer.decode(codes)

    def rotate(self, vecs: np.ndarray) -> np.ndarray:
        return self.quantizer.split(np.atleast_2d(vecs)).reshape(np.shape(vecs))

    def adist(self, query: np.ndarray, codes: np.ndarray) -> np.ndarray:
        return self.quantizer.distances(query[None], codes)[0]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ours) and self.quantizer == other.quantizer

    __hash__ = None  # type: ignore[assignment]


class Theirs:
    """nanopq, with the distance table and its use in one call."""

    def __init__(self, kind: Any, M: int, Ks: int) -> None:
        self.wrapped = kind(M, Ks=Ks, verbose=False)

    def fit(self, vecs: np.ndarray) -> Theirs:
        if isinstance(self.wrapped, nanopq.OPQ):
            self.wrapped.fit(vecs, parametric_init=True, pq_iter=10, rotation_iter=5)
        else:
            self.wrapped.fit(vecs, iter=10)
        return self

    def adist(self, query: np.ndarray, codes: np.ndarray) -> np.ndarray:
        return self.wrapped.dtable(query).adist(codes)

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "wrapped"), name)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Theirs) and self.wrapped == other.wrapped

    __hash__ = None  # type: ignore[assignment]


PLAIN = [(Ours, ProductQuantizer), (Theirs, nanopq.PQ)]
TURNED = [(Ours, OptimizedProductQuantizer), (Theirs, nanopq.OPQ)]
both = pytest.mark.parametrize(("wrap", "kind"), PLAIN + TURNED)


@pytest.fixture(scope="module")
def X() -> np.ndarray:
    return np.random.default_rng(0).random((300, DIM)).astype(np.float32)


@both
def test_sizes_and_types(wrap: Any, kind: Any, X: np.ndarray) -> None:
    for n_codewords, dtype in ((K, np.uint8), (256, np.uint8), (257, np.uint16)):
        pq = wrap(kind, M, n_codewords)
        assert (pq.M, pq.Ks, pq.code_dtype) == (M, n_codewords, dtype)
    pq = wrap(kind, M, K).fit(X)
    assert pq.Ds == DIM // M
    assert pq.codewords.shape == (M, K, DIM // M)
    codes = pq.encode(X)
    assert (codes.shape, codes.dtype) == ((300, M), np.uint8)
    decoded = pq.decode(codes)
    assert (decoded.shape, decoded.dtype) == (X.shape, np.float32)


@both
def test_more_codewords_are_nearer(wrap: Any, kind: Any, X: np.ndarray) -> None:
    errors = []
    for n_codewords in (4, 32, 128):
        pq = wrap(kind, M, n_codewords).fit(X)
        errors.append(float(((X - pq.decode(pq.encode(X))) ** 2).mean()))
    assert errors == sorted(errors, reverse=True)


@both
def test_a_distance_is_that_to_the_decoded_vector(wrap: Any, kind: Any, X: np.ndarray) -> None:
    pq = wrap(kind, M, K).fit(X)
    codes = pq.encode(X)
    right = ((X[3] - pq.decode(codes)) ** 2).sum(axis=1)
    np.testing.assert_allclose(pq.adist(X[3], codes), right, rtol=1e-4)


@both
def test_copies_are_equal_and_others_are_not(wrap: Any, kind: Any, X: np.ndarray) -> None:
    pq = wrap(kind, M, K).fit(X)
    again = pickle.loads(pickle.dumps(pq))
    assert again == pq
    np.testing.assert_array_equal(again.encode(X), pq.encode(X))
    assert wrap(kind, M, K).fit(X[::-1].copy()) != pq


@pytest.mark.parametrize(("wrap", "kind"), TURNED)
def test_a_rotation_turns_and_keeps_lengths(wrap: Any, kind: Any, X: np.ndarray) -> None:
    pq = wrap(kind, M, K).fit(X)
    np.testing.assert_allclose(pq.R @ pq.R.T, np.eye(DIM), atol=1e-4)
    np.testing.assert_allclose(pq.rotate(X), X @ pq.R, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(pq.rotate(X[0])), np.linalg.norm(X[0]), rtol=1e-5)


@pytest.mark.parametrize(
    ("ours", "theirs"), [(ProductQuantizer, nanopq.PQ), (OptimizedProductQuantizer, nanopq.OPQ)]
)
def test_the_codes_of_nanopqs_codewords_are_nanopqs(ours: Any, theirs: Any, X: np.ndarray) -> None:
    learned = Theirs(theirs, M, K).fit(X)
    rotation = {"rotation": learned.R.T} if theirs is nanopq.OPQ else {}
    mine = ours(M, K).with_codebooks(learned.codewords, **rotation)
    rng = np.random.default_rng(1)
    fresh = rng.random((500, DIM)).astype(np.float32)
    codes = mine.encode(fresh)
    assert (codes != learned.encode(fresh)).sum() == 0
    np.testing.assert_allclose(mine.decode(codes), learned.decode(codes), atol=1e-5)
    np.testing.assert_allclose(
        mine.distances(fresh[:1], codes)[0], learned.adist(fresh[0], codes), rtol=1e-3, atol=1e-5
    )


def test_ours_is_no_farther_off(X: np.ndarray) -> None:
    for ours, theirs in ((ProductQuantizer, nanopq.PQ), (OptimizedProductQuantizer, nanopq.OPQ)):
        a, b = Ours(ours, M, K).fit(X), Theirs(theirs, M, K).fit(X)
        mine, other = (((X - pq.decode(pq.encode(X))) ** 2).mean() for pq in (a, b))
        assert mine <= other * 1.03
