"""A codeword that no vector uses: where it goes, and that the ones after it know."""

from __future__ import annotations

import numpy as np
import pytest
from test_quantizers_contract import vectors

from gsl_tutorial import ResidualQuantizer
from gsl_tutorial.quantizers import additive_base
from gsl_tutorial.quantizers.additive_base import reseed_unused

FAR = [77.0, 77.0]


def test_an_unused_codeword_goes_where_the_worst_vector_needs_it() -> None:
    X = np.array([[0.0, 0], [1, 0], [9, 9], [5, 5]], dtype=np.float32)
    books = np.array([[[0.0, 0], [5, 5], FAR]], dtype=np.float32)
    codes = np.array([[0], [0], [0], [1]])
    new, new_codes, moved = reseed_unused(X, codes, books)
    np.testing.assert_array_equal(new, [[[0, 0], [5, 5], [9, 9]]])
    np.testing.assert_array_equal(new_codes[:, 0], [0, 0, 2, 1])
    np.testing.assert_array_equal(moved, [1])
    assert (books[0, 2] == 77).all()


def test_the_second_unused_codeword_takes_from_what_is_crowded_by_then() -> None:
    X = np.array([[0.0, 0], [0, 1], [0, 3], [9, 0], [9, 1], [9, 2]], dtype=np.float32)
    books = np.array([[[0.0, 0], [9, 0], FAR, FAR]], dtype=np.float32)
    new, codes, moved = reseed_unused(X, np.array([[0], [0], [0], [1], [1], [1]]), books)
    np.testing.assert_array_equal(new[0, 2:], [[0, 3], [9, 2]])
    np.testing.assert_array_equal(codes[:, 0], [0, 0, 2, 1, 1, 3])
    np.testing.assert_array_equal(moved, [2])


def test_a_vector_that_is_met_exactly_needs_no_codeword_of_the_next_stage() -> None:
    X = np.array([[0.0, 0], [0, 3], [0, 5]], dtype=np.float32)
    books = np.array([[[0.0, 0], FAR], [[0.0, 0], FAR]], dtype=np.float32)
    new, codes, moved = reseed_unused(X, np.zeros((3, 2), dtype=int), books)
    np.testing.assert_array_equal(new[:, 1], [[0, 5], [0, 3]])
    np.testing.assert_array_equal(codes, [[0, 0], [0, 1], [1, 0]])
    np.testing.assert_array_equal(moved, [1, 1])


def test_what_the_search_leaves_unused_after_k_means_gets_a_last_chance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def learned(seed: int) -> ResidualQuantizer:
        return ResidualQuantizer(3, 16, random_state=0).fit(vectors(50, 2, seed))

    with monkeypatch.context() as patched:
        patched.setattr(additive_base, "_LAST_CHANCES", 0)
        # About one set in eight leaves a codeword unused; which one depends on rounding.
        unused = ((seed, learned(seed)) for seed in range(100))
        seed, without = next(pair for pair in unused if pair[1].usage_.min() == 0)
    fitted = learned(seed)
    assert fitted.usage_.min() > 0
    assert fitted.reseeded_.sum() > without.reseeded_.sum()
