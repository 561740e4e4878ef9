"""Several labels for each item: relevant is what shares one; graded by how many. Against plain loops."""

from __future__ import annotations

from itertools import chain, permutations, product
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch
from evaluation_cases import DENOMINATORS, TIES, many, seeds
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score
from twins import tie_groups

from gsl_tutorial.errors import InvalidInputError, UnknownNameError
from gsl_tutorial.evaluation import (
    average_precision,
    average_precisions,
    group_codes,
    grouped_average_precisions,
    mean_average_precision,
    normalized_discounted_cumulative_gain,
    streamed_average_precisions,
)
from gsl_tutorial.evaluation.at_rank import within_radius
from gsl_tutorial.evaluation.discounted_gain import streamed_discounted_gains
from gsl_tutorial.evaluation.ranking import Members


def sets_of(table: np.ndarray) -> list[set[int]]:
    return [{int(i) for i in np.flatnonzero(row)} for row in table]


def shared(query: np.ndarray, database: np.ndarray) -> np.ndarray:
    """How many labels each query has in common with each item, one pair at a time."""
    return np.array([[len(q & d) for d in sets_of(database)] for q in sets_of(query)])


def drawn(B: int, N: int, L: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes with repeats, and tables of labels; some items and queries have none."""
    rng = np.random.default_rng(seed)
    share = rng.choice([0.05, 0.2, 0.6])
    return rng.integers(0, 3, (N, 2)), rng.random((B, L)) < share, rng.random((N, L)) < share


@many
@given(
    st.integers(1, 10),
    st.integers(1, 50),
    st.sampled_from([2, 8, 9, 24, 33, 64, 65, 130]),
    st.sampled_from([None, 1, 7, 200]),
    st.sampled_from(DENOMINATORS),
    st.sampled_from(TIES),
    seeds,
)
def test_sharing_a_label_is_relevance(
    B: int, N: int, L: int, at: int | None, denominator: Any, ties: Any, seed: int
) -> None:
    codes, query, database = drawn(B, N, L, seed)
    distinct, members = group_codes(codes, database)
    rng = np.random.default_rng(seed)
    to_distinct = rng.normal(size=(B, len(distinct))).round(1).astype(np.float32)
    which = [int((distinct == code).all(axis=1).argmax()) for code in codes]
    distances = to_distinct[:, which]
    how: dict[str, Any] = {"at": at, "denominator": denominator, "ties": ties}
    expected = [
        average_precision(row, relevant, **how)
        for row, relevant in zip(distances, shared(query, database) > 0, strict=True)
    ]
    for got in (
        average_precisions(distances, query, database, **how),
        average_precisions(distances, sets_of(query), sets_of(database), **how),
        grouped_average_precisions(to_distinct, query, members, **how),
        streamed_average_precisions(lambda rows: to_distinct[rows], query, members, **how),
    ):
        np.testing.assert_allclose(got, expected, atol=1e-12)


def test_every_form_of_the_same_labels() -> None:
    _, query, database = drawn(12, 40, 5, 0)
    distances = np.random.default_rng(0).normal(size=(12, 40))
    expected = mean_average_precision(distances, query, database)
    words = np.array(["sea", "sky", "town", "boat", "dog"])
    forms: list[Any] = [
        lambda table: table.astype(int),
        lambda table: table.astype(np.float32),
        lambda table: table.tolist(),
        torch.as_tensor,
        scipy.sparse.csr_matrix,
        lambda table: [{str(word) for word in words[row]} for row in table],
        lambda table: [frozenset(words[row].tolist()) for row in table],
    ]
    for form in forms:
        assert mean_average_precision(distances, form(query), form(database)) == expected


def test_one_label_each_is_the_same_by_table_by_set_and_by_number() -> None:
    rng = np.random.default_rng(1)
    distances, q, d = rng.integers(0, 9, (20, 60)), rng.integers(0, 5, 20), rng.integers(0, 4, 60)
    expected = average_precisions(distances, q, d)
    table = np.eye(5, dtype=bool)
    np.testing.assert_array_equal(average_precisions(distances, table[q], table[d]), expected)
    sets = [{int(label)} for label in q], [{int(label)} for label in d]
    np.testing.assert_array_equal(average_precisions(distances, *sets), expected)
    text = [f"class {label}" for label in q], [f"class {label}" for label in d]
    np.testing.assert_array_equal(average_precisions(distances, *text), expected)


@pytest.mark.parametrize("B", [1, 20])
def test_labels_of_every_type_name_the_same_classes(B: int) -> None:
    rng = np.random.default_rng(2)
    distances, q, d = rng.normal(size=(B, 60)), rng.integers(0, 5, B), rng.integers(0, 4, 60)
    expected = average_precisions(distances, q, d)
    forms: list[Any] = [
        lambda labels: labels.astype(np.uint8),
        lambda labels: labels.astype(np.float64)[:, None],
        lambda labels: labels.tolist(),
        lambda labels: labels * 10**15 - 10**15,
        lambda labels: labels.astype(np.uint64) + np.uint64(2**63),
        lambda labels: torch.as_tensor(labels),
    ]
    for form in forms:
        np.testing.assert_array_equal(average_precisions(distances, form(q), form(d)), expected)


@pytest.mark.parametrize("B", [1, 20])
@pytest.mark.parametrize("base", [2**53, 2**62, 0])
def test_signed_and_unsigned_labels_are_compared_exactly(base: int, B: int) -> None:
    rng = np.random.default_rng(3)
    distances, q, d = rng.normal(size=(B, 60)), rng.integers(0, 5, B), rng.integers(0, 4, 60)
    expected = average_precisions(distances, q, d)
    signed, unsigned = (q + base, d + base), (q.astype(np.uint64) + np.uint64(base),
                                              d.astype(np.uint64) + np.uint64(base))  # fmt: skip
    np.testing.assert_array_equal(average_precisions(distances, signed[0], unsigned[1]), expected)
    np.testing.assert_array_equal(average_precisions(distances, unsigned[0], signed[1]), expected)


def test_labels_that_no_type_holds_together() -> None:
    """Above 2^63 only uint64 reaches, below 0 only int64: -1 is not 2^64 - 1."""
    distances = np.array([[1.0, 2.0]])
    huge = np.array([2**64 - 1, 5], np.uint64)
    for B in (1, 10):
        rows = np.repeat(distances, B, axis=0)
        signed = average_precisions(rows, np.full(B, -1), huge)
        assert signed.tolist() == [0.0] * B
        assert average_precisions(rows, np.full(B, 5), huge).tolist() == [0.5] * B
        back = average_precisions(rows, np.repeat(huge[:1], B), np.array([-1, 5]))
        assert back.tolist() == [0.0] * B
        assert average_precisions(rows, np.repeat(huge[:1], B), huge).tolist() == [1.0] * B


def test_nothing_shared_counts_zero() -> None:
    distances, none, some = np.zeros((2, 3)), np.zeros((2, 4), bool), np.ones((3, 4), bool)
    assert average_precisions(distances, none, some).tolist() == [0.0, 0.0]
    assert average_precisions(distances, [{"dog"}, set()], [{"cat"}] * 3).tolist() == [0.0, 0.0]
    assert average_precisions(distances, [set(), {"cat"}], [set()] * 3).tolist() == [0.0, 0.0]
    for by in (some, [{"cat"}] * 3):
        query = none if by is some else [set(), {"dog"}]
        gained = normalized_discounted_cumulative_gain(distances, query, by)
        assert gained.tolist() == [0.0, 0.0]


def test_within_a_radius_with_several_labels() -> None:
    members = Members.of_labels([{1, 2}, {3}, {2, 3}])
    found = within_radius(np.array([[0, 1, 2]]), np.array([frozenset({2})]), members, radius=1)  # type: ignore[arg-type]
    assert (found.precision[0], found.recall[0], found.retrieved[0]) == (0.5, 0.5, 2)


def test_members_tell_what_they_hold() -> None:
    codes = np.array([[1], [0], [1], [1]])
    _, one = group_codes(codes, [7, 7, 3, 7])
    assert {label: n.tolist() for label, n in one.items()} == {3: [0, 1], 7: [1, 2]}
    assert one.sizes.tolist() == [1, 3]
    assert 5 not in one
    _, several = group_codes(codes, [{"a", "b"}, {"b"}, {"a"}, set()])
    assert {label: several[label].tolist() for label in sorted(several)} == {
        "a": [0, 2],
        "b": [1, 1],
    }
    assert several.relevant_to([{"a", "b"}, {"b"}, {"c"}]).tolist() == [[1, 2], [1, 1], [0, 0]]


# Graded relevance


def ndcg_of_all_orders(distances: np.ndarray, grades: np.ndarray, at: int | None) -> float:
    """The mean over every order of the tied items, from the definition."""

    def dcg(ranked: Any) -> float:
        return sum(g / np.log2(1 + k) for k, g in enumerate(list(ranked)[:at], start=1))

    best = dcg(sorted(grades.tolist(), reverse=True))
    orders = [dcg([grades[i] for i in order]) for order in orders_of(distances)]
    return float(np.mean(orders)) / best if best else 0.0


def orders_of(distances: np.ndarray) -> Any:

    for order in product(*[permutations(group) for group in tie_groups(distances)]):
        yield list(chain(*order))


@many
@given(
    st.integers(1, 6),
    st.sampled_from([None, 1, 2, 4, 99]),
    st.sampled_from(["linear", "exponential"]),
    seeds,
)
def test_graded_gain_is_the_mean_over_all_orders(
    N: int, at: int | None, gain: Any, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    distances = rng.integers(0, 3, (3, N)).astype(rng.choice([np.float32, np.float64, np.int8]))
    query, database = rng.random((3, 4)) < 0.6, rng.random((N, 4)) < 0.6
    worth = shared(query, database)
    worth = worth if gain == "linear" else 2**worth - 1
    expected = [ndcg_of_all_orders(*pair, at) for pair in zip(distances, worth, strict=True)]
    got = normalized_discounted_cumulative_gain(distances, query, database, at=at, gain=gain)
    np.testing.assert_allclose(got, expected, atol=1e-12)


@pytest.mark.parametrize("at", [None, 10])
@pytest.mark.parametrize("gain", ["linear", "exponential"])
def test_scikit_learn_agrees_on_graded_gain(at: int | None, gain: Any) -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (300, 2))
    query, database = rng.random((20, 24)) < 0.2, rng.random((300, 24)) < 0.2
    distinct, members = group_codes(codes, database)
    to_distinct = rng.integers(0, 9, (20, len(distinct))).astype(np.float32)
    which = [int((distinct == code).all(axis=1).argmax()) for code in codes]
    worth = shared(query, database)
    worth = worth if gain == "linear" else 2**worth - 1
    rows = [ndcg_score(worth[[i]], -to_distinct[[i]][:, which], k=at) for i in range(len(query))]
    how: dict[str, Any] = {"at": at, "gain": gain}
    for got in (
        normalized_discounted_cumulative_gain(to_distinct[:, which], query, database, **how),
        streamed_discounted_gains(lambda part: to_distinct[part], query, members, **how),
    ):
        np.testing.assert_allclose(got, rows, atol=1e-12)


def test_grades_of_one_label_are_relevance() -> None:
    distances = np.array([[0.0, 1.0, 2.0]])
    got = normalized_discounted_cumulative_gain(distances, [7], [7, 3, 7])
    assert got[0] == pytest.approx((1 + 1 / 2) / (1 + 1 / np.log2(3)))


def test_graded_gain_refuses() -> None:
    distances, labels = np.zeros((1, 3)), np.zeros(3, int)
    with pytest.raises(UnknownNameError, match="gain out of exponential, linear"):
        normalized_discounted_cumulative_gain(distances, labels[:1], labels, gain="log")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="at a whole number, 1 or more"):
        normalized_discounted_cumulative_gain(distances, labels[:1], labels, at=0)
    with pytest.raises(InvalidInputError, match="without NaN"):
        normalized_discounted_cumulative_gain(distances * np.nan, labels[:1], labels)
    wide = np.ones((3, 1200), bool)
    with pytest.raises(InvalidInputError, match="at most 999 labels"):
        normalized_discounted_cumulative_gain(distances, wide[:1], wide, gain="exponential")
