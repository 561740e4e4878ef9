"""Average precision against scikit-learn, every order of the ties, and the field's mistakes."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score
from twins import (
    ap_of_all_orders,
    ap_of_ranking,
    field_map,
    patterns,
    precision_recall_of_all_orders,
    rankings,
)

from gsl_tutorial.errors import InvalidInputError, UnknownNameError
from gsl_tutorial.evaluation import (
    average_precision,
    average_precisions,
    group_codes,
    grouped_average_precisions,
    mean_average_precision,
    precision_recall_curve,
)
from gsl_tutorial.ties import ascending

DENOMINATORS, TIES = ("relevant", "retrieved"), ("exact", "optimistic", "pessimistic")
many = settings(max_examples=150, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def tied(
    n: int, seed: int, *, levels: int = 3, dtype: Any = np.float32
) -> tuple[np.ndarray, np.ndarray]:
    """Distances with few values, so that they tie, and which of the items are relevant."""
    rng = np.random.default_rng(seed)
    return rng.integers(-1, levels - 1, n).astype(dtype), rng.random(n) < rng.random()


def labelled(
    B: int, N: int, seed: int, *, levels: int = 4, classes: int = 3
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distances, query labels, database labels; nothing may write to them."""
    rng = np.random.default_rng(seed)
    arrays = (
        rng.integers(0, levels, (B, N)).astype(np.float32),
        rng.integers(0, classes + 1, B),  # the last class is nowhere in the database
        rng.integers(0, classes, N),
    )
    for array in arrays:
        array.flags.writeable = False
    return arrays


# Against others, and against every order


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
    # Under both rules the order with the relevant items first is the best with "relevant";
    # with "retrieved" the ends are still those two orders, though not always the extremes.
    for ties, first in (("optimistic", True), ("pessimistic", False)):
        order = sorted(range(n), key=lambda i, first=first: (distances[i], relevant[i] != first))
        ranking = tuple(bool(relevant[i]) for i in order)
        expected = ap_of_ranking(ranking, at=at, denominator=denominator)
        assert got[ties] == pytest.approx(expected, abs=1e-12)
    if denominator == "relevant":
        assert got["optimistic"] == pytest.approx(every.max(), abs=1e-12)
        assert got["pessimistic"] == pytest.approx(every.min(), abs=1e-12)


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


# Distances of every kind


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


# Mistakes that public code of the field makes


def test_a_query_with_nothing_relevant_counts_zero() -> None:
    distances = np.array([[0.0, 1.0], [0.0, 1.0]])
    assert mean_average_precision(distances, np.array([0, 7]), np.array([0, 1])) == 0.5
    for at, denominator, ties in product((None, 1), DENOMINATORS, TIES):
        how: dict[str, Any] = {"at": at, "denominator": denominator, "ties": ties}
        assert average_precision(np.zeros(3), np.zeros(3, bool), **how) == 0.0


def test_a_query_with_no_hit_within_at_counts_zero() -> None:
    distances, relevant = np.arange(5.0), np.array([False, False, False, False, True])
    for denominator, ties in product(DENOMINATORS, TIES):
        how: dict[str, Any] = {"denominator": denominator, "ties": ties}
        assert average_precision(distances, relevant, at=4, **how) == 0.0
        assert average_precision(distances, relevant, at=5, **how) == pytest.approx(0.2)


def test_one_more_hit_never_scores_lower() -> None:
    distances = np.arange(3.0)
    more, fewer = (
        {
            denominator: average_precision(
                np.append(distances, 9.0), np.append(shown, last), at=3, denominator=denominator
            )
            for denominator in DENOMINATORS
        }
        for shown, last in (([True, False, True], False), ([True, False, False], True))
    )
    # [+,-,+] against [+,-,-], each with two relevant items in the database.
    assert more["relevant"] == pytest.approx((1 + 2 / 3) / 2)
    assert fewer["relevant"] == pytest.approx(1 / 2)
    assert more["retrieved"] < fewer["retrieved"] == 1.0  # why it is not the default
    default = average_precision(np.arange(4.0), np.array([True, False, True, False]), at=3)
    assert default == more["relevant"]


def test_at_divides_by_the_smaller_of_at_and_relevant() -> None:
    distances, relevant = np.arange(6.0), np.ones(6, dtype=bool)
    assert average_precision(distances, relevant, at=2) == pytest.approx(1.0)
    relevant[0] = False
    assert average_precision(distances, relevant, at=2) == pytest.approx(0.25)


@pytest.mark.parametrize("ties", TIES)
def test_the_order_of_the_database_does_not_matter(ties: Any) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 25)
    distances, query_labels = (
        rng.integers(0, 3, (40, 100)).astype(float),
        np.repeat([0, 1, 2, 3], 10),
    )
    own = np.zeros(40, dtype=int)  # a first class at the head of the database, for every query
    orders = [np.arange(100), np.arange(100)[::-1], rng.permutation(100)]
    for at, denominator in product((None, 10), DENOMINATORS):
        how: dict[str, Any] = {"at": at, "denominator": denominator, "ties": ties}
        values = [
            average_precisions(distances[:, order], query_labels, labels[order], **how)
            for order in orders
        ]
        np.testing.assert_allclose(values[0], values[1], atol=1e-12)
        np.testing.assert_allclose(values[0], values[2], atol=1e-12)
    # The trap is real: the field's loop gains from a database sorted by class.
    lucky, unlucky, _ = (field_map(distances[:, o], own, labels[o]) for o in orders)
    assert lucky > unlucky + 0.1
    ours = mean_average_precision(distances, own, labels)
    assert unlucky < ours < lucky


def test_all_includes_the_item_ranked_last() -> None:
    distances, relevant = np.arange(4.0), np.array([False, False, False, True])
    assert average_precision(distances, relevant) == pytest.approx(0.25)
    assert average_precision(distances, relevant, at=4) == pytest.approx(0.25)
    _, recall = precision_recall_curve(distances[None], np.array([1]), relevant.astype(int))
    assert recall.tolist() == [0, 0, 0, 1]


def test_at_is_at_and_not_all() -> None:
    distances, query_labels, labels = labelled(10, 50, 0, levels=50)
    values = [mean_average_precision(distances, query_labels, labels, at=k) for k in (1, 10, 50)]
    assert len(set(values)) == 3
    assert values[2] == mean_average_precision(distances, query_labels, labels)


def test_nothing_is_written_to_the_inputs() -> None:
    arrays = labelled(6, 20, 0)  # read-only: writing would raise
    copies = [array.copy() for array in arrays]
    for at, denominator, ties in product((None, 3), DENOMINATORS, TIES):
        mean_average_precision(*arrays, at=at, denominator=denominator, ties=ties)  # type: ignore[arg-type]
    precision_recall_curve(*arrays)
    codes = np.arange(40).reshape(20, 2) % 3
    codes.flags.writeable = False
    distinct, members = group_codes(codes, arrays[2])
    for count in members.values():
        count.flags.writeable = False
    distances = np.zeros((6, len(distinct)), np.float32)
    distances.flags.writeable = False
    grouped_average_precisions(distances, arrays[1], members)
    for array, old in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, old)


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


# Precision and recall


@many
@given(st.integers(1, 4), st.integers(1, 6), st.booleans(), seeds)
def test_the_curve_is_the_mean_over_all_orders(B: int, N: int, far: bool, seed: int) -> None:
    distances, query_labels, labels = labelled(B, N, seed, levels=3, classes=2)
    if far:
        distances = np.where(distances == 2, np.inf, distances)
    expected = [
        precision_recall_of_all_orders(row, labels == label)
        for row, label in zip(distances, query_labels, strict=True)
    ]
    for dtype in (np.float32, np.float64) if far else (np.float32, np.uint8, np.int64):
        precision, recall = precision_recall_curve(distances.astype(dtype), query_labels, labels)
        np.testing.assert_allclose(precision, np.mean([p for p, _ in expected], 0), atol=1e-12)
        np.testing.assert_allclose(recall, np.mean([r for _, r in expected], 0), atol=1e-12)


def test_the_curve_has_the_shape_it_must() -> None:
    distances, query_labels, labels = labelled(9, 40, 1)
    precision, recall = precision_recall_curve(distances, query_labels, labels)
    found = np.isin(query_labels, labels)
    assert precision.shape == recall.shape == (40,)
    assert (np.diff(recall) >= -1e-12).all()
    assert recall[-1] == pytest.approx(found.mean())  # a query with nothing relevant recalls 0
    share = np.mean([(labels == label).mean() for label in query_labels])
    assert precision[-1] == pytest.approx(share)


# Bad input

D, Q, L = np.zeros((2, 3)), np.zeros(2, int), np.zeros(3, int)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mean_average_precision(D * np.nan, Q, L), ["without NaN", "NaN embeddings"]),
        (lambda: average_precision(np.array([1, np.nan]), Q == 0), ["distances without NaN"]),
        (lambda: precision_recall_curve(D * np.nan, Q, L), ["distances without NaN"]),
        (lambda: mean_average_precision(D.T, Q, L), ["(B, N)", "(3, 2)", "rows are queries"]),
        (lambda: mean_average_precision(D[0], Q, L), ["(B, N)", "(3,) array"]),
        (lambda: mean_average_precision(D, Q[:1], L), ["query labels (B,)", "(1,) array"]),
        (lambda: mean_average_precision(D, Q, L[:2]), ["database labels (N,)"]),
        (lambda: mean_average_precision(D, np.eye(2), L), ["query labels (B,)", "(2, 2)"]),
        (lambda: precision_recall_curve(D, Q, L[:2]), ["database labels (N,)"]),
        (lambda: average_precision(D, D == 0), ["distances (N,)", "(2, 3) array"]),
        (lambda: average_precision(D[0], D[0]), ["boolean relevant", "float64", "query_label"]),
        (lambda: average_precision(D[0], Q == 0), ["relevant (N,)", "(2,) array of bool"]),
        (lambda: average_precision(np.array(["a"]), Q[:1] == 0), ["real distances"]),
        (lambda: average_precision(D[0] > 0, L == 0), ["real distances", "of bool"]),
        (lambda: average_precision(D[0] * 1j, L == 0), ["real distances", "complex"]),
        (lambda: mean_average_precision(D, Q, L, at=0), ["at a whole number, 1 or more", "got 0"]),
        (lambda: mean_average_precision(D, Q, L, at=-1), ["1 or more", "got -1"]),
        (lambda: average_precision(D[0], L == 0, at=2.0), ["at a whole number", "got 2.0"]),
        (lambda: average_precision(D[0], L == 0, at=True), ["at a whole number", "got True"]),
        (
            lambda: grouped_average_precisions(D, Q, {0: L}, at=0),
            ["at a whole number, 1 or more"],
        ),
        (
            lambda: grouped_average_precisions(D[:, :2], Q, {0: L}),
            ["distances (2, 3), one column for each distinct code", "group_codes"],
        ),
        (lambda: mean_average_precision(D[:0], Q[:0], L), ["at least one query", "none"]),
    ],
)
def test_bad_input_is_named(call: Any, words: list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"denominator": "hits"}, ["denominator out of relevant, retrieved", "'hits'"]),
        ({"denominator": None}, ["denominator out of relevant, retrieved", "None"]),
        ({"ties": "random"}, ["tie rule out of exact, optimistic, pessimistic", "'random'"]),
        ({"ties": True}, ["tie rule out of exact, optimistic, pessimistic", "True"]),
    ],
)
def test_unknown_words_are_answered_with_the_known(how: dict[str, Any], words: list[str]) -> None:
    for call in (
        lambda: mean_average_precision(D, Q, L, **how),
        lambda: average_precision(D[0], L == 0, **how),
        lambda: grouped_average_precisions(D, Q, {0: L}, **how),
    ):
        with pytest.raises(UnknownNameError) as caught:
            call()
        for word in words:
            assert word in str(caught.value)


def test_group_codes_wants_a_label_for_each_code() -> None:
    with pytest.raises(InvalidInputError, match="a label for each of 3 codes; got 2"):
        group_codes(np.zeros((3, 2), dtype=np.uint8), np.zeros(2, dtype=int))
