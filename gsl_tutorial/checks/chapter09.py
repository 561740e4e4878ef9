"""Checks of chapter 09: a distance summed from tables, and average precision by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.checks.core import Mistake, as_array, call, exercise


@exercise(
    "09.1",
    hints=(
        "The code names one entry in each row of the table.",
        "Row m of the table belongs to subspace m: take table[m, code[m]].",
        "sum(table[m, code[m]] for m in range(len(code)))",
    ),
)
def adc_distance(answer: Any) -> str:
    """adc_distance(table (M, K), code (M,)) -> the squared distance."""
    rng = np.random.default_rng(91)
    for M, K in ((4, 16), (2, 8), (8, 256)):
        table, code = rng.random((M, K)), rng.integers(0, K, M)
        # The first rows of the code are 0..M-1 at most, so swapped axes would go unnoticed.
        entries = table[np.arange(M), code]
        got = float(as_array(call(answer, table, code), ()))
        if np.isclose(got, entries.sum()):
            continue
        if np.isclose(got, np.sqrt(entries.sum())):
            raise Mistake("no square root: squared distances are summed and compared as they are.")
        if np.isclose(got, (entries**2).sum()):
            raise Mistake("the table holds squared distances already; do not square them again.")
        if np.isclose(got, np.sqrt(entries).sum()):
            raise Mistake("distances do not add up over subspaces, squared distances do.")
        if np.isclose(got, entries.mean()):
            raise Mistake("that is the mean over subspaces; take the sum.")
        if np.isclose(got, table.min(axis=1).sum()):
            raise Mistake("you took the smallest entry of each row, not the one the code names.")
        if np.isclose(got, table[0, code].sum()):
            raise Mistake("you read all entries from the first row; each subspace has its own.")
        raise Mistake(f"expected {entries.sum():.4f}, got {got:.4f}.")
    return "M look-ups and M - 1 additions: that is the whole search."


@exercise(
    "09.2",
    hints=(
        "Precision at rank k is the number of right ones among the first k, divided by k.",
        "np.cumsum(relevant) counts the right ones; divide it by 1, 2, 3, ...",
        "Keep the precisions at the right items only, and divide their sum by how many there are.",
    ),
)
def average_precision(answer: Any) -> str:
    """average_precision(relevant, a boolean array in rank order) -> a number."""
    cases = ("0110100", "10110", "0101", "1000000", "0001", "110")
    for case in cases:
        relevant = np.array([character == "1" for character in case])
        precision = np.cumsum(relevant) / np.arange(1, len(relevant) + 1)
        right = precision[relevant].mean()
        got = float(as_array(call(answer, relevant), ()))
        if np.isclose(got, right):
            continue
        if np.isclose(got, relevant.mean()):
            raise Mistake("that is the share of right items; the order must count.")
        if np.isclose(got, precision.mean()):
            raise Mistake("average over the right items only, not over all ranks.")
        if np.isclose(got, precision[relevant].sum() / len(relevant)):
            raise Mistake("divide by the number of right items, not by the length of the list.")
        ranks = np.flatnonzero(relevant)
        if np.isclose(got, (np.cumsum(relevant)[relevant] / np.maximum(ranks, 1)).mean()):
            raise Mistake("ranks start at 1, not at 0.")
        if np.isclose(got, 1 / (ranks[0] + 1)):
            raise Mistake("that is the reciprocal rank of the first right item only.")
        raise Mistake(f"for {case} expected {right:.4f}, got {got:.4f}.")
    if float(as_array(call(answer, np.zeros(3, dtype=bool)), ())) != 0:
        raise Mistake("a query with nothing right counts 0.")
    return "and a query with nothing right counts 0."


@exercise(
    "09.3",
    hints=(
        "With the labels of the neighbours you know which are right.",
        "right.all(axis=1) says for each query whether all k are right.",
        "(neighbour_labels == query_labels[:, None]).all(axis=1).mean()",
    ),
)
def share_of_perfect(answer: Any) -> str:
    """share_of_perfect(query_labels (B,), neighbour_labels (B, k)) -> a number from 0 to 1."""
    rng = np.random.default_rng(93)
    for B, k in ((40, 2), (60, 3)):
        query, neighbours = rng.integers(0, 2, B), rng.integers(0, 2, (B, k))
        same = neighbours == query[:, None]
        got = float(as_array(call(answer, query, neighbours), ()))
        if np.isclose(got, same.all(axis=1).mean()):
            continue
        if np.isclose(got, same.mean()):
            raise Mistake("that is the precision at k; here a query counts only if all are right.")
        if np.isclose(got, same.any(axis=1).mean()):
            raise Mistake("that counts queries with at least one right neighbour.")
        if np.isclose(got, same.all(axis=1).sum()):
            raise Mistake("that is a number of queries; divide by how many there are.")
        if np.isclose(got, same.all(axis=0).mean()):
            raise Mistake("the axes are swapped: look along the neighbours of each query, axis 1.")
        raise Mistake(f"expected {same.all(axis=1).mean():.4f}, got {got:.4f}.")
    return "that is what a user sees: a page of results without a wrong one."
