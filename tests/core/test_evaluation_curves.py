"""Precision and recall at every rank, against every order of the ties."""

from __future__ import annotations

import numpy as np
import pytest
from evaluation_cases import labelled, many, seeds
from hypothesis import given
from hypothesis import strategies as st
from twins import (
    precision_recall_of_all_orders,
)

from gsl_tutorial.evaluation import (
    precision_recall_curve,
)


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
