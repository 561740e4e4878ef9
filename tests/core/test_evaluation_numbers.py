"""Distances of every kind: all number types, both zeros, infinities; and the ends, where AP is 0 or 1."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from evaluation_cases import TIES, many
from hypothesis import given
from hypothesis import strategies as st

from gsl_tutorial.evaluation import (
    average_precision,
    average_precisions,
    group_codes,
    grouped_average_precisions,
    mean_average_precision,
)
from gsl_tutorial.evaluation.sorting import ascending


def test_kinds_of_numbers_rank_alike() -> None:
    rng = np.random.default_rng(0)
    whole, relevant = rng.integers(-20, 20, 100), rng.random(100) < 0.3
    expected = average_precision(whole.astype(np.float64), relevant)
    for dtype in (np.int8, np.int16, np.int64, np.float16, np.float32, ">f4", ">f8"):
        assert average_precision(whole.astype(dtype), relevant) == pytest.approx(expected)
    unsigned = (whole + 20).astype(np.uint8)
    assert average_precision(unsigned, relevant) == pytest.approx(expected)
    strided = np.repeat(whole.astype(np.float32), 2)[::2]
    assert average_precision(strided, relevant) == pytest.approx(expected)
    assert average_precision(whole.tolist(), relevant.tolist()) == pytest.approx(expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_both_zeros_tie_and_so_do_infinities(dtype: Any) -> None:
    relevant = np.array([True, False])
    for value in (np.inf, -np.inf):
        assert average_precision(np.full(2, value, dtype), relevant) == 0.75
    for pair in ([-0.0, 0.0], [0.0, -0.0]):
        assert average_precision(np.array(pair, dtype), relevant) == 0.75
        both = np.array([*pair, -1e-4], dtype)  # a negative number comes before either zero
        assert average_precision(both, np.array([False, False, True])) == 1.0
    row = np.array([np.inf, 1, -np.inf, np.inf], dtype)
    assert average_precision(row, np.array([False, False, True, False])) == 1.0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_exceptional_numbers_in_long_rankings(dtype: Any) -> None:
    """Every batch and both lengths against one plain comparison of Python numbers."""
    rng = np.random.default_rng(0)
    info = np.finfo(dtype)
    special = np.array([0, -0.0, 1, -1, np.inf, -np.inf, info.max, info.min, info.eps, 1 + info.eps,
                        info.smallest_subnormal, -info.smallest_subnormal, info.tiny], dtype)  # fmt: skip
    for n, pool in product((40, 3000), (special, np.abs(special), special[[2, 3, 8, 9, 12]])):
        distances = rng.choice(pool, (9, n))
        labels = rng.integers(0, 3, n)
        rank = np.empty((9, n), int)
        for b, row in enumerate(distances.tolist()):
            place = {value: i for i, value in enumerate(sorted(set(row)))}  # 0.0 and -0.0 are one
            rank[b] = [place[value] for value in row]
        np.testing.assert_allclose(
            average_precisions(distances, np.ones(9), labels),
            average_precisions(rank, np.ones(9), labels),
            atol=1e-12,
        )
        assert average_precision(distances[0], labels == 1) == pytest.approx(
            average_precision(rank[0], labels == 1), abs=1e-12
        )


@pytest.mark.parametrize("dtype", [np.int64, np.uint64, np.longdouble])
@pytest.mark.parametrize("n", [50, 11_000])
def test_neighbouring_large_numbers_stay_apart(dtype: Any, n: int) -> None:
    """2^53 and its neighbour are one float64; so are they not here."""
    labels = np.arange(n) % 2
    for start in (2**53, 2**63 - 3 if dtype is np.int64 else 2**63 + 5, 0):
        large = np.where(labels == 1, np.array(start, dtype), np.array(start + 1, dtype))
        rows = np.tile(large, (9, 1))
        assert average_precision(large, labels == 1) == 1.0
        np.testing.assert_array_equal(average_precisions(rows, np.ones(9), labels), 1.0)
    ends = np.array([np.iinfo(np.int64).min, np.iinfo(np.int64).max])
    assert average_precisions(np.tile(ends, (9, 1)), np.ones(9), [1, 0]).tolist() == [1.0] * 9


@many
@given(
    st.lists(
        st.floats(width=32, allow_nan=False)
        | st.sampled_from([0.0, 1.0, -1.0, np.inf, -np.inf, 1e-45, -1e-45]),
        max_size=50,
    )
)
def test_ascending_is_a_stable_argsort(values: list[float]) -> None:
    distances = np.array(values, dtype=np.float32)
    order = ascending(distances)
    expected = np.argsort(distances, kind="stable")
    np.testing.assert_array_equal(distances[order], distances[expected])
    # Between the two zeros the order may differ: they are one tie group all the same.
    plain = distances + np.float32(0.0)
    np.testing.assert_array_equal(ascending(plain), np.argsort(plain, kind="stable"))


def test_ascending_on_all_sizes_of_numbers() -> None:
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**32, 200_000, dtype=np.uint32)
    distances = bits.view(np.float32)
    distances = np.concatenate([distances[np.isfinite(distances)], [np.inf, -np.inf] * 3])
    distances = rng.permutation(np.repeat(distances + np.float32(0.0), 2)).astype(np.float32)
    np.testing.assert_array_equal(ascending(distances), np.argsort(distances, kind="stable"))


@pytest.mark.parametrize("n", [1, 3, 49, 500])
def test_a_perfect_ranking_scores_one_and_not_a_hair_more(n: int) -> None:
    for relevant in (np.ones(n, bool), np.arange(n) <= n // 2):
        for distances, ties in product((np.arange(n, dtype=float), ~relevant * 1.0), TIES):
            assert average_precision(distances, relevant, ties=ties) == 1.0  # type: ignore[arg-type]


def test_extremes() -> None:
    distances = np.arange(10.0)
    first = distances < 4
    assert average_precision(distances, first) == pytest.approx(1.0)
    assert average_precision(-distances, first) == pytest.approx(
        np.mean([(i + 1) / (i + 7) for i in range(4)])
    )
    assert average_precision(distances, np.ones(10, bool)) == pytest.approx(1.0)
    assert average_precision(np.zeros(0), np.zeros(0, bool)) == 0.0
    assert mean_average_precision(np.zeros((2, 0)), np.zeros(2), np.zeros(0)) == 0.0
    _, members = group_codes(np.zeros((0, 2), int), np.zeros(0, int))
    empty = grouped_average_precisions(np.zeros((2, 0)), np.zeros(2, int), members)
    assert empty.tolist() == [0.0, 0.0]


def test_tensors_of_any_make_rank_like_arrays() -> None:
    distances = np.random.default_rng(0).normal(size=(9, 40)).astype(np.float32).round(1)
    labels = torch.arange(40) % 3
    expected = mean_average_precision(distances, np.zeros(9), labels.numpy())
    for tensor in (torch.tensor(distances), torch.tensor(distances, requires_grad=True)):
        assert mean_average_precision(tensor, torch.zeros(9), labels) == expected  # type: ignore[arg-type]
    half = torch.tensor(distances).bfloat16()
    got = mean_average_precision(half, torch.zeros(9), labels)  # type: ignore[arg-type]
    assert got == mean_average_precision(half.float().numpy(), np.zeros(9), labels.numpy())
