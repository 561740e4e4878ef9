"""What the metrics refuse, and what they say then."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gsl_tutorial.errors import InvalidInputError, UnknownNameError
from gsl_tutorial.evaluation import (
    average_precision,
    group_codes,
    grouped_average_precisions,
    mean_average_precision,
    precision_recall_curve,
)

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
        (
            lambda: mean_average_precision(np.ma.array(D, mask=D == 0), Q, L),
            ["distances without a mask"],
        ),
        (lambda: average_precision(np.ma.array(D[0], mask=[1, 0, 0]), L == 0), ["without a mask"]),
        (lambda: average_precision(D[0], np.ma.array(L == 0, mask=[1, 0, 0])), ["without a mask"]),
        (
            lambda: mean_average_precision(D, Q, np.ma.array(L, mask=[1, 0, 0])),
            ["labels without a mask"],
        ),
        (lambda: mean_average_precision(D, Q, ["a", "b", "c"]), ["of one kind", "store both"]),
        (
            lambda: mean_average_precision(D, np.eye(2), np.eye(3)),
            ["of one kind", "(2, 2)", "(3, 3)"],
        ),
        (lambda: mean_average_precision(D, [{1}, {2}], L), ["of one kind"]),
        (lambda: mean_average_precision(D, Q, L + 0.5), ["database labels that are whole"]),
        (lambda: mean_average_precision([[1.0], [1.0, 2.0]], Q, L), ["form an array"]),
        (lambda: average_precision(D[0], [0, 1, 2]), ["boolean relevant"]),
        (
            lambda: average_precision(np.full(20_000, np.nan), np.ones(20_000, bool)),
            ["without NaN"],
        ),
        (lambda: mean_average_precision(np.full((9, 3), -np.nan), L[[0] * 9], L), ["without NaN"]),
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
