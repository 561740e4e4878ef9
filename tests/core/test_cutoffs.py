"""Precision and recall with a cut, against every order of the ties and against scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve as sklearn_curve
from twins import precision_recall_of_all_orders, within_radius_of_one

from gsl_tutorial.errors import InvalidInputError, UnknownNameError
from gsl_tutorial.evaluation import group_codes
from gsl_tutorial.evaluation.at_rank import (
    code_distances,
    curve_of_runs,
    precision_of_runs,
    precision_recall_curve,
    precisions_at,
    recall_of_runs,
    recalls_at,
    within_radius,
)
from gsl_tutorial.evaluation.ranking import Members, stream

many = settings(max_examples=100, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def labelled(B: int, N: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return (
        rng.integers(0, 3, (B, N)).astype(np.float32),
        rng.integers(0, 3, B),
        rng.integers(0, 2, N),
    )


@many
@given(st.integers(1, 4), st.integers(1, 6), st.data(), seeds)
def test_cuts_through_ties_are_the_mean_over_all_orders(
    B: int, N: int, data: st.DataObject, seed: int
) -> None:
    distances, query_labels, labels = labelled(B, N, seed)
    k = data.draw(st.integers(1, N))
    both = [
        precision_recall_of_all_orders(row, labels == label)
        for row, label in zip(distances, query_labels, strict=True)
    ]
    relevant = np.array([(labels == label).sum() for label in query_labels])
    got = precisions_at(distances, query_labels, labels, k=k)
    np.testing.assert_allclose(got, [p[k - 1] for p, _ in both], atol=1e-12)
    recall = recalls_at(distances, query_labels, labels, k=k)
    np.testing.assert_allclose(recall, [r[k - 1] for _, r in both], atol=1e-12)
    attainable = recalls_at(distances, query_labels, labels, k=k, denominator="attainable")
    np.testing.assert_allclose(
        attainable, recall * np.maximum(relevant, 1) / np.maximum(1, np.minimum(k, relevant))
    )
    assert (attainable <= 1 + 1e-12).all()


def test_the_curve_goes_through_scikit_learns_points() -> None:
    rng = np.random.default_rng(0)
    distances, labels = rng.permutation(40) / 7, rng.integers(0, 2, 40)
    precision, recall = precision_recall_curve(distances[None], np.array([1]), labels)
    theirs = sklearn_curve(labels, -distances)
    # Theirs runs from the last rank to the first and ends in an artificial (1, 0).
    np.testing.assert_allclose(theirs[0][:-1][::-1], precision, atol=1e-12)
    np.testing.assert_allclose(theirs[1][:-1][::-1], recall, atol=1e-12)


def test_the_curve_of_blocks_of_distinct_codes_is_the_curve_of_items() -> None:
    rng = np.random.default_rng(0)
    codes, labels = rng.integers(0, 3, (90, 2)), rng.integers(0, 3, 90)
    query_codes, query_labels = rng.integers(0, 3, (20, 2)), rng.integers(0, 4, 20)
    distinct, counts = group_codes(codes, labels)
    members = Members.of_counts(counts)
    sums = sum(
        stream(lambda rows: code_distances(query_codes[rows], distinct), query_labels, members,
               curve_of_runs)
    )  # fmt: skip
    every = code_distances(query_codes, codes)
    precision, recall = precision_recall_curve(every, query_labels, labels)
    np.testing.assert_allclose(np.asarray(sums) / 20, [precision, recall], atol=1e-12)
    for k in (1, 7, 90):
        (p,) = stream(lambda rows: code_distances(query_codes[rows], distinct), query_labels,
                      members, lambda runs, k=k: precision_of_runs(runs, k=k))  # fmt: skip
        np.testing.assert_allclose(p, precisions_at(every, query_labels, labels, k=k), atol=1e-12)
        assert precision[k - 1] == pytest.approx(p.mean())
        (r,) = stream(lambda rows: code_distances(query_codes[rows], distinct), query_labels,
                      members, lambda runs, k=k: recall_of_runs(runs, k=k))  # fmt: skip
        assert recall[k - 1] == pytest.approx(r.mean())


# Within a radius


@many
@given(st.integers(1, 4), st.integers(1, 30), st.sampled_from([0, 0.5, 1, 2, np.inf]), seeds)
def test_within_a_radius_item_by_item(B: int, N: int, radius: float, seed: int) -> None:
    distances, query_labels, labels = labelled(B, N, seed)
    distances = distances + 0.5 * (seed % 2)
    got = within_radius(distances, query_labels, Members.of_labels(labels), radius=radius)
    expected = [
        within_radius_of_one(row, labels == label, radius)
        for row, label in zip(distances, query_labels, strict=True)
    ]
    for mine, theirs in zip(got, zip(*expected, strict=True), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-12)


def test_distinct_codes_count_for_all_their_items() -> None:
    rng = np.random.default_rng(0)
    codes, labels = rng.integers(0, 2, (200, 3)), rng.integers(0, 3, 200)
    query_codes, query_labels = rng.integers(0, 2, (9, 3)), rng.integers(0, 4, 9)
    distinct, counts = group_codes(codes, labels)
    for radius in (0, 1, 2):
        grouped = within_radius(code_distances(query_codes, distinct), query_labels,
                                Members.of_counts(counts), radius=radius)  # fmt: skip
        items = within_radius(code_distances(query_codes, codes), query_labels,
                              Members.of_labels(labels), radius=radius)  # fmt: skip
        for one, other in zip(grouped, items, strict=True):
            np.testing.assert_allclose(one, other)


def test_a_query_that_retrieves_nothing_counts_zero_or_is_left_out_by_name() -> None:
    distances, labels = np.array([[5.0, 6.0], [0.0, 6.0]]), np.array([1, 0])
    members, asked = Members.of_labels(labels), np.array([1, 1])
    zero = within_radius(distances, asked, members, radius=1)
    assert (zero.precision.tolist(), zero.retrieved.tolist()) == ([0.0, 1.0], [0, 1])
    left = within_radius(distances, asked, members, radius=1, empty="left out")
    assert np.isnan(left.precision).tolist() == [True, False]
    assert np.nanmean(left.precision) == 1.0 > zero.precision.mean()


def test_code_distances_are_hamming_distances() -> None:
    rng = np.random.default_rng(0)
    query, codes = rng.integers(0, 3, (4, 300)), rng.integers(0, 3, (6, 300))
    got = code_distances(query.astype(np.uint8), codes)
    assert got.dtype == np.uint16  # 300 differing columns do not fit into eight bits
    np.testing.assert_array_equal(got, (query[:, None] != codes).sum(axis=2))
    assert code_distances(query[:, :255], 9 + codes[:, :255]).max() == 255


D, Q, L = np.zeros((2, 3)), np.zeros(2, int), np.zeros(3, int)
M = Members.of_labels(L)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: precisions_at(D, Q, L, k=0), ["k a whole number, from 1 to 3", "0"]),
        (lambda: precisions_at(D, Q, L, k=4), ["from 1 to 3", "4"]),
        (lambda: recalls_at(D, Q, L, k=4), ["from 1 to 3"]),
        (lambda: recalls_at(D, Q, L, k=1, denominator="all"), ["attainable, relevant", "'all'"]),  # type: ignore[arg-type]
        (lambda: precisions_at(D.T, Q, L, k=1), ["(B, N)", "(3, 2)"]),
        (lambda: precisions_at(D * np.nan, Q, L, k=1), ["without NaN"]),
        (lambda: within_radius(D, Q, M, radius=-1), ["radius of 0 or more", "-1"]),
        (lambda: within_radius(D, Q, M, radius=np.nan), ["radius of 0 or more", "nan"]),
        (lambda: within_radius(D[:, :2], Q, M, radius=1), ["distances (2, 3)", "(2, 2)"]),
        (lambda: within_radius(D * np.nan, Q, M, radius=1), ["without NaN"]),
        (lambda: within_radius(D, Q, M, radius=1, empty="skip"), ["left out, zero", "'skip'"]),  # type: ignore[arg-type]
        (lambda: code_distances(D, D), ["integer codes", "float64"]),
        (lambda: code_distances(L, L), ["(B, M)", "(3,)"]),
        (lambda: code_distances(L[None], L[None, :2]), ["one quantizer", "(1, 2)"]),
    ],
)
def test_bad_input_is_named(call: Any, words: list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        call()
    assert isinstance(caught.value, UnknownNameError) == ("choose one" in str(caught.value))
    for word in words:
        assert word in str(caught.value)


@many
@given(st.integers(1, 3), st.integers(1, 6), st.data(), seeds)
def test_several_labels_are_relevant_where_one_is_shared(
    B: int, N: int, data: st.DataObject, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    distances = rng.integers(0, 3, (B, N)).astype(np.float32)
    query, database = rng.random((B, 4)) < 0.4, rng.random((N, 4)) < 0.4
    k = data.draw(st.integers(1, N))
    relevant = (query[:, None] & database).any(axis=2)
    both = [precision_recall_of_all_orders(*row) for row in zip(distances, relevant, strict=True)]
    forms: list[Any] = [
        lambda table: table,
        lambda table: table.astype(float),
        lambda table: [set(np.flatnonzero(row)) for row in table],
    ]
    form = forms[seed % 3]
    labels = form(query), form(database)
    got = precisions_at(distances, *labels, k=k)
    np.testing.assert_allclose(got, [p[k - 1] for p, _ in both], atol=1e-12)
    recall = recalls_at(distances, *labels, k=k)
    np.testing.assert_allclose(recall, [r[k - 1] for _, r in both], atol=1e-12)
    precision, _ = precision_recall_curve(distances, *labels)
    assert precision[k - 1] == pytest.approx(got.mean())
    inside = within_radius(distances, labels[0], Members.of_labels(labels[1]), radius=1)
    expected = [within_radius_of_one(*row, 1) for row in zip(distances, relevant, strict=True)]
    for mine, theirs in zip(inside, zip(*expected, strict=True), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-12)


@many
@given(st.integers(1, 140), st.sampled_from([2, 3]), seeds)
def test_code_distances_of_every_type_and_layout(M: int, n_symbols: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    query, codes = (rng.integers(0, n_symbols, (n, M)) for n in (3, 5))
    expected = (query[:, None] != codes).sum(axis=2)
    kinds: list[Any] = [np.uint8, np.int8, np.int64, ">i4", np.uint64]
    one, other = (kinds[i % len(kinds)] for i in (seed, seed // 7))
    got = code_distances(np.asfortranarray(query.astype(one)), codes.astype(other)[::-1][::-1])
    np.testing.assert_array_equal(got, expected)
    frozen = codes.astype(other)
    frozen.flags.writeable = False
    np.testing.assert_array_equal(code_distances(query.tolist(), frozen), expected)


def test_labels_in_a_column_and_words_are_taken() -> None:
    distances, labels = np.array([[0.0, 1.0, 2.0]]), np.array([7, 3, 7])
    expected = precisions_at(distances, np.array([7]), labels, k=2)
    for form in (
        lambda x: x[:, None],
        lambda x: x * 1.0,
        lambda x: x.astype(str),
        lambda x: x.tolist(),
    ):
        got = precisions_at(distances, form(np.array([7])), form(labels), k=2)  # type: ignore[no-untyped-call]
        np.testing.assert_array_equal(got, expected)
    masked = np.ma.masked_equal(distances, 0)
    for call in (
        lambda: precisions_at(masked, [7], labels, k=1),
        lambda: precision_recall_curve(masked, [7], labels),
        lambda: within_radius(masked, [7], M, radius=1),
        lambda: code_distances(np.ma.masked_equal(labels[None], 3), labels[None]),
    ):
        with pytest.raises(InvalidInputError, match="without a mask"):
            call()
