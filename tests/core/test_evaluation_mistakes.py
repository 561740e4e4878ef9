"""The mistakes that public code of the field makes, none of which the metrics make."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from evaluation_cases import DENOMINATORS, TIES, labelled
from twins import (
    field_map,
)

from gsl_tutorial.evaluation import (
    average_precision,
    average_precisions,
    group_codes,
    grouped_average_precisions,
    mean_average_precision,
    precision_recall_curve,
)


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
