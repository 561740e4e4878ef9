"""Average precision against scikit-learn, every order of the ties, and the field's own loop."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from evaluation_cases import DENOMINATORS, TIES, labelled, many, seeds, tied
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score
from twins import (
    ap_of_all_orders,
    ap_of_ranking,
    field_map,
    patterns,
    rankings,
)

from gsl_tutorial.evaluation import (
    average_precision,
    average_precisions,
    group_codes,
    grouped_average_precisions,
    mean_average_precision,
)


@many
@given(st.integers(1, 60), seeds)
def test_scikit_learn_agrees_where_nothing_ties(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    distances, relevant = rng.permutation(n) / 7 - 2, rng.random(n) < 0.4
    relevant[rng.integers(n)] = True
    expected = average_precision_score(relevant, -distances)
    for ties in TIES:
        for dtype in (np.float32, np.float64):
            got = average_precision(distances.astype(dtype), relevant, ties=ties)  # type: ignore[arg-type]
            assert got == pytest.approx(expected, abs=1e-12)


@many
@given(
    st.integers(1, 6),
    st.integers(1, 4),
    st.sampled_from([None, 1, 2, 3, 4, 6, 99]),
    st.sampled_from(DENOMINATORS),
    st.sampled_from([np.float16, np.float32, np.float64, np.int8, np.int64]),
    seeds,
)
def test_exact_is_the_mean_over_all_orders(
    n: int, levels: int, at: int | None, denominator: Any, dtype: Any, seed: int
) -> None:
    distances, relevant = tied(n, seed, levels=levels, dtype=dtype)
    every = ap_of_all_orders(distances, relevant, at=at, denominator=denominator)
    got = {
        ties: average_precision(distances, relevant, at=at, denominator=denominator, ties=ties)
        for ties in TIES
    }
    assert got["exact"] == pytest.approx(every.mean(), abs=1e-12)
    assert got["optimistic"] == pytest.approx(every.max(), abs=1e-12)
    assert got["pessimistic"] == pytest.approx(every.min(), abs=1e-12)


@many
@given(
    st.integers(1, 10),
    st.integers(1, 4),
    st.sampled_from([1, 2, 3, 5, 8, 13]),
    st.sampled_from(DENOMINATORS),
    seeds,
)
def test_the_ends_are_the_best_and_the_worst_order(
    n: int, levels: int, at: int, denominator: Any, seed: int
) -> None:
    """Longer lists, all patterns of relevance, one row and a batch, single items and groups."""
    rng = np.random.default_rng(seed)
    distances, relevant = tied(n, seed, levels=levels)
    every = [
        ap_of_ranking(p, at=at, denominator=denominator) for p in patterns(distances, relevant)
    ]
    _, members = group_codes(np.arange(n)[:, None], relevant.astype(int))
    batch = np.tile(distances, (rng.integers(9, 12), 1))
    for ties, end in (("exact", np.mean), ("optimistic", np.max), ("pessimistic", np.min)):
        how: dict[str, Any] = {"at": at, "denominator": denominator, "ties": ties}
        expected = pytest.approx(end(every), abs=1e-12)
        assert average_precision(distances, relevant, **how) == expected
        ones = np.ones(len(batch), int)
        for each in (
            average_precisions(batch, ones, relevant.astype(int), **how),
            grouped_average_precisions(batch, ones, members, **how),
        ):
            np.testing.assert_allclose(each, end(every), atol=1e-12)


def test_the_worst_order_may_show_more_hits() -> None:
    """Divided by the hits found, one hit at rank 1 is perfect; the worst order shows a second, late."""
    how: dict[str, Any] = {"at": 3, "denominator": "retrieved"}
    row = [2, 2, 1, 2, 2], [1, 0, 1, 0, 1]
    worst = average_precision(*row, ties="pessimistic", **how)  # type: ignore[arg-type]
    assert worst == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(*row, ties="optimistic", **how) == 1.0  # type: ignore[arg-type]


@pytest.mark.parametrize(("n", "seed"), [(5, 0), (6, 1), (6, 2)])
def test_all_orders_and_distinct_patterns_are_one_and_the_same_mean(n: int, seed: int) -> None:
    distances, relevant = tied(n, seed, levels=2)
    for at in (None, 2):
        long = [ap_of_ranking(r, at=at) for r in rankings(distances, relevant)]
        short = [ap_of_ranking(p, at=at) for p in patterns(distances, relevant)]
        assert len(short) < len(long)
        assert np.mean(short) == pytest.approx(np.mean(long), abs=1e-12)


@pytest.mark.parametrize("denominator", DENOMINATORS)
@pytest.mark.parametrize("at", [None, 1, 7, 10, 21])
@pytest.mark.parametrize("seed", range(3))
def test_codes_of_21_items_by_brute_force(seed: int, at: int | None, denominator: Any) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 2, (21, 3)).astype(np.uint8)
    labels = rng.integers(0, 3, 21)
    distinct, members = group_codes(codes, labels)
    # Two different codes at the same distance tie as well.
    to_distinct = rng.integers(0, 7, (4, len(distinct))).astype(np.float32)
    which = [[(distinct == code).all(axis=1).argmax() for code in codes]]
    distances = np.take_along_axis(to_distinct, np.repeat(which, 4, axis=0), axis=1)
    query_labels = np.array([0, 1, 2, 3])
    expected = [
        np.mean(
            [
                ap_of_ranking(pattern, at=at, denominator=denominator)
                for pattern in patterns(row, labels == label)
            ]
        )
        for row, label in zip(distances, query_labels, strict=True)
    ]
    assert expected[3] == 0.0
    how = {"at": at, "denominator": denominator}
    for got in (
        average_precisions(distances, query_labels, labels, **how),
        grouped_average_precisions(to_distinct, query_labels, members, **how),
    ):
        np.testing.assert_allclose(got, expected, atol=1e-12)


@many
@given(
    st.integers(0, 5),
    st.integers(1, 80),
    st.sampled_from([None, 1, 2, 17, 200]),
    st.sampled_from(DENOMINATORS),
    st.sampled_from(TIES),
    seeds,
)
def test_grouped_equals_dense(
    B: int, N: int, at: int | None, denominator: Any, ties: Any, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    codes, labels = rng.integers(0, 4, (N, 2)), rng.integers(-3, 3, N)
    query_labels = rng.integers(-3, 4, B)
    distinct, members = group_codes(codes, labels)
    assert sum(int(count.sum()) for count in members.values()) == N
    to_distinct = rng.normal(size=(B, len(distinct))).round(1).astype(np.float32)
    to_all = np.zeros((B, N), np.float32)
    for i, code in enumerate(codes):
        to_all[:, i] = to_distinct[:, (distinct == code).all(axis=1)][:, 0]
    how = {"at": at, "denominator": denominator, "ties": ties}
    np.testing.assert_allclose(
        grouped_average_precisions(to_distinct, query_labels, members, **how),
        average_precisions(to_all, query_labels, labels, **how),
        atol=1e-12,
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_fields_own_loop_agrees_where_nothing_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    distances = rng.permuted(np.tile(np.arange(200.0), (20, 1)), axis=1)
    query_labels, labels = rng.integers(0, 12, 20), rng.integers(0, 10, 200)
    assert mean_average_precision(distances, query_labels, labels) == pytest.approx(
        field_map(distances, query_labels, labels), abs=1e-12
    )


@pytest.mark.parametrize("seed", range(5))
def test_the_mean_is_that_of_single_queries(seed: int) -> None:
    distances, query_labels, labels = labelled(7, 30, seed)
    for at, denominator, ties in product((None, 5), DENOMINATORS, TIES):
        how: dict[str, Any] = {"at": at, "denominator": denominator, "ties": ties}
        single = [
            average_precision(row, labels == label, **how)
            for row, label in zip(distances, query_labels, strict=True)
        ]
        np.testing.assert_array_equal(
            average_precisions(distances, query_labels, labels, **how), single
        )
        mean = mean_average_precision(distances, query_labels, labels, **how)
        assert isinstance(mean, float)
        assert mean == pytest.approx(np.mean(single), abs=1e-12)


def test_long_tied_lists_keep_their_digits() -> None:
    """100,000 items in 8 groups against the sum of McSherry and Najork, term by term."""
    rng = np.random.default_rng(0)
    distances, relevant = rng.integers(0, 8, 100_000).astype(np.float32), rng.random(100_000) < 0.1
    total, N0, R0 = 0.0, 0, 0
    for value in range(8):
        n = int((distances == value).sum())
        r = int(relevant[distances == value].sum())
        i = np.arange(1, n + 1)
        total += r / n * ((R0 + 1 + (i - 1) * (r - 1) / (n - 1)) / (N0 + i)).sum()
        N0, R0 = N0 + n, R0 + r
    assert average_precision(distances, relevant) == pytest.approx(total / R0, rel=1e-10)
