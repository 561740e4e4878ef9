"""Labels as other people's files hold them, and what is refused: `validation.as_labels`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch

from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import as_array, as_labels

BIG = 2**53


@pytest.mark.parametrize(
    "values",
    [
        [3, 5, -1],
        np.array([[3], [5], [-1]], np.int16),  # as scipy.io.loadmat reads a column
        np.array([3.0, 5.0, -1.0], np.float32),
        torch.tensor([3, 5, -1]),
        torch.tensor([3.0, 5.0, -1.0], requires_grad=True),
        torch.tensor([3.0, 5.0, -1.0], dtype=torch.bfloat16),
        np.array([3, 5, -1], dtype=object),
        np.ma.array([3, 5, -1]),
        np.array([3, 5, -1], ">i4"),
    ],
)
def test_one_whole_number_for_each_item(values: Any) -> None:
    labels = as_labels(values)
    assert labels.dtype == np.int64
    assert labels.tolist() == [3, 5, -1]
    assert as_labels(labels) is labels


def test_large_numbers_stay_themselves() -> None:
    assert as_labels(np.array([BIG, BIG + 1])).tolist() == [BIG, BIG + 1]
    assert as_labels(np.array([BIG, BIG + 1], np.uint64)).dtype == np.int64
    huge = as_labels(np.array([2**63 + 1, 1], np.uint64))
    assert huge.dtype == np.uint64
    assert huge.tolist() == [2**63 + 1, 1]
    assert as_labels(np.array([2**64 - 1, 0], dtype=object)).tolist() == [2**64 - 1, 0]
    assert as_labels(np.array([2.0**53 - 1])).tolist() == [BIG - 1]


def test_text_and_truth_values() -> None:
    for words in (["cat", "dog"], np.array([b"cat", b"dog"]), np.array(["cat", "dog"], object)):
        assert as_labels(words).tolist() == ["cat", "dog"]
    assert as_labels(np.array([["cat"], ["dog"]])).tolist() == ["cat", "dog"]
    assert as_labels([True, False]).tolist() == [1, 0]


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
def test_several_labels_in_a_table(dtype: Any) -> None:
    table = np.array([[0, 1, 1], [0, 0, 0]], dtype)
    for given in (table, table.tolist(), torch.as_tensor(table), scipy.sparse.csr_array(table)):
        labels = as_labels(given)
        assert labels.dtype == bool
        np.testing.assert_array_equal(labels, table.astype(bool))
    # One column of truth values is a table; one column of numbers is one number each.
    assert as_labels(np.array([[True], [False]])).shape == (2, 1)


def test_several_labels_in_sets() -> None:
    given = [{np.int64(1), 2}, set(), frozenset({"sky"})]
    labels = as_labels(given)
    assert labels.tolist() == [frozenset({1, 2}), frozenset(), frozenset({"sky"})]
    assert as_labels(labels).tolist() == labels.tolist()


def test_no_items() -> None:
    for none in ([], np.zeros(0), np.zeros((0, 1), int), np.zeros((0, 4), bool)):
        assert len(as_labels(none)) == 0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0.5, 1.0], ["database labels that are whole", "round scores"]),
        ([np.nan, 1.0], ["that are whole"]),
        (np.array([2.0**53]), ["at most 9007199254740991 as float64", "integers"]),
        (np.array([2.0**24], np.float32), ["at most 16777215 as float32"]),
        (np.array([1j]), ["whole numbers, strings or sets", "complex128"]),
        (np.array([None, 1], object), ["whole numbers, strings or sets"]),
        (np.array([2**64, 1], object), ["whole numbers, strings or sets"]),
        (np.array([[0, 2], [1, 1]]), ["(N, L) truth values (0 and 1)", "(2, 2) array of int64"]),
        (np.array([[-1, 1]]), ["truth values (0 and 1)", "write 1 where"]),
        (np.array([["a", "b"]]), ["truth values (0 and 1)"]),
        (np.zeros((2, 2, 2)), ["(N,), one for each item", "(2, 2, 2)"]),
        (np.array(3), ["(N,), one for each item"]),
        ([[1, 2], [3]], ["form an array", "same length"]),
        ([{1}, 2], ["all sets", "item 1", "set()"]),
        (np.ma.array([1, 2, 3], mask=[0, 1, 0]), ["without a mask", "hides 1 of 3", "filled"]),
        (np.ma.array([[1, 0]], mask=[[0, 1]]), ["without a mask"]),
        (np.array([b"\xff\xfe"]), ["whole numbers, strings or sets"]),
    ],
)
def test_what_is_refused(values: Any, words: list[str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        as_labels(values, name="database labels")
    for word in words:
        assert word in str(caught.value)


def test_arrays_of_any_make() -> None:
    with pytest.raises(InvalidInputError, match="distances without a mask"):
        as_array(np.ma.array([1.0, 2.0], mask=[True, False]), name="distances")
    graded = torch.ones(2, 3, dtype=torch.bfloat16, requires_grad=True)
    assert as_array(graded, name="distances").dtype == np.float32
    with pytest.raises(InvalidInputError, match="distances that form an array"):
        as_array([[1.0], [1.0, 2.0]], name="distances")
