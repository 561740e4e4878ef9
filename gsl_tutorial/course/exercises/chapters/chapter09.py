"""Checks of chapter 09, first half: a distance from the table, average precision, perfect pages."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import Mistake, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare
from gsl_tutorial.course.exercises.slips import of_a_sum, of_looking_up


@exercise(
    "09.1",
    hints=(
        "The code names one entry in each row of the table.",
        "Row m of the table belongs to subvector m: take table[m, code[m]].",
        "return sum(table[m, code[m]] for m in range(len(code)))",
    ),
)
def adc_distance(answer: Any) -> str:
    """adc_distance(table (M, K), code (M,)) -> the squared distance."""
    sizes = ((4, 16), (2, 8), (8, 256))

    def one(number: int) -> None:
        M, K = sizes[number]
        rng = np.random.default_rng(91 + number)
        # Entries at least M, so that swapped axes fall outside and are noticed.
        table, code = rng.uniform(0.1, 2, size=(M, K)), rng.integers(M, K, M)
        code[0] = K - 1  # the last column counts, too
        entries = table[np.arange(M), code]
        try:
            result = call(answer, table, code)
        except IndexError as error:
            raise Mistake(
                "a lookup fell outside the table. Its rows are subvectors, its columns codewords: the "
                f"entry of subvector m is table[m, code[m]], with m from 0 to {M - 1}."
            ) from error
        except (TypeError, ValueError) as error:
            if not _about_shapes(error):
                raise
            raise Mistake(
                f"arrays of different shapes were put together: the table is ({M}, {K}), the code "
                f"({M},). Look up one entry in each row first, table[np.arange({M}), code]; then add."
            ) from error
        compare(
            result,
            entries.sum(),
            {
                "no square root: squared distances are summed and compared as they are.": (
                    np.sqrt(entries.sum())
                ),
                "the table holds squared distances already; do not square them again.": (
                    (entries**2).sum()
                ),
                "distances do not add up over subvectors, squared distances do: leave the roots out.": (
                    np.sqrt(entries).sum()
                ),
                "that is the mean over the subvectors; take the sum.": entries.mean(),
                "you took the smallest entry of each row, not the one that the code names.": (
                    table.min(axis=1).sum()
                ),
                "you read all entries from the first row; each subvector has a row of its own.": (
                    table[0, code].sum()
                ),
                "these are the entries; one step is left: add them up.": entries,
                "you added whole columns: give each subvector its own row, table[np.arange(M), code].": (
                    table[:, code].sum()
                ),
                "that is every row at every number of the code: give each subvector its own row, "
                "table[np.arange(M), code].": table[:, code],
                "you added up every column of its own; pair row m with code[m], then add.": (
                    table[:, code].sum(axis=0)
                ),
                "you added up every row of its own; pair row m with code[m], then add.": (
                    table[:, code].sum(axis=1)
                ),
                "you added the numbers of the code; they say where to look in the table.": code.sum(),
                "you multiplied the entries; add them.": entries.prod(),
                **of_looking_up(table, code),
                **of_a_sum(entries),
            },
            otherwise=f"expected {' + '.join(f'{e:.2f}' for e in entries[:4])}"
            f"{' + ...' if M > 4 else ''} = {entries.sum():.2f}.",
        )

    at_every_size([f"M = {M}, K = {K}" for M, K in sizes], one)
    return "M lookups and M - 1 additions: that is the whole search."


def _about_shapes(error: Exception) -> bool:
    text = str(error)
    return any(
        word in text
        for word in ("broadcast", "shape", "mismatch", "only integer", "size-1", "length-1")
    )


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

    def one(number: int) -> None:
        relevant = np.array([character == "1" for character in cases[number]])
        counted, n = np.cumsum(relevant), len(relevant)
        ranks = np.flatnonzero(relevant)
        precision = counted / np.arange(1, n + 1)
        compare(
            call(answer, relevant),
            precision[relevant].mean(),
            {
                "that is the share of right items; the order must count.": relevant.mean(),
                "average over the right items only, not over all ranks.": precision.mean(),
                "divide by the number of right items, not by the length of the list.": (
                    precision[relevant].sum() / n
                ),
                "ranks start at 1, not at 0.": (counted[relevant] / np.maximum(ranks, 1)).mean(),
                "that is the reciprocal rank of the first right item only.": 1 / (ranks[0] + 1),
                "that is the mean reciprocal rank; at rank k count *all* right items up to k.": (
                    (1 / (ranks + 1)).mean()
                ),
                "these are the precisions; take their mean.": precision[relevant],
                "these are the precisions at all ranks; keep those of right items, then the mean.": (
                    precision
                ),
                "these are sums; divide by the number of right items.": precision[relevant].sum(),
                "at a right item count that item, too: the first ranks up to it and with it.": (
                    ((counted - 1) / (np.arange(n) + 1))[relevant].mean()
                ),
                "that is the precision one rank too early; take it at the right item itself.": (
                    np.concatenate([[0.0], precision[:-1]])[relevant].mean()
                ),
                "you took the best precision at that rank or later: that is interpolated AP.": (
                    np.maximum.accumulate(precision[::-1])[::-1][relevant].mean()
                ),
                "the list is read from its end: the first entry is the best.": (
                    _precision(relevant[::-1])[relevant[::-1]].mean()
                ),
            },
            otherwise=f"for {list(map(int, relevant))} expected {precision[relevant].mean():.4f}.",
        )

    at_every_size([f"the ranking {case}" for case in cases], one)
    with np.errstate(all="ignore"):
        nothing = call(answer, np.zeros(3, dtype=bool))
    if isinstance(nothing, float | np.floating) and np.isnan(nothing):
        raise Mistake("a query with nothing right counts 0; yours is NaN, the mean of no numbers.")
    compare(
        nothing,
        0.0,
        {"a query with nothing right counts 0, not 1.": 1.0},
        otherwise="a query with nothing right counts 0.",
    )  # fmt: skip
    return "and a query with nothing right counts 0."


def _precision(relevant: Any) -> Any:
    return np.cumsum(relevant) / np.arange(1, len(relevant) + 1)


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
    names = (
        "7 queries, 4 neighbours", "60 queries, 3 neighbours", "3 queries, 2 neighbours",
        "5 queries, 30 neighbours",
    )  # fmt: skip

    def one(number: int) -> None:
        query, neighbours = _page(number)
        (B, k), same = neighbours.shape, neighbours == query[:, None]
        try:
            result = call(answer, query, neighbours)
        except (TypeError, ValueError) as error:
            if not _about_shapes(error):
                raise
            raise Mistake(
                f"({B},) and ({B}, {k}) do not fit together: make the labels of the queries a "
                "column first, query_labels[:, None]."
            ) from error
        share, perfect = float(same.all(axis=1).mean()), int(same.all(axis=1).sum())
        compare(
            result,
            share,
            {
                "that is the precision at k; here a query counts only if all are right.": (
                    same.mean()
                ),
                "that counts queries with at least one right neighbour.": same.any(axis=1).mean(),
                "that counts queries with at least half of them right; all must be.": (
                    (same.mean(axis=1) >= 0.5).mean()
                ),
                "that is a number of queries; divide by how many there are.": float(perfect),
                "the axes are swapped: look along the neighbours of each query, axis 1.": (
                    same.all(axis=0).mean()
                ),
                "one answer for each query; take the mean.": same.all(axis=1),
                "that is the share of queries with a wrong neighbour.": 1 - share,
                "in per cent; a share lies between 0 and 1.": 100 * share,
                "you looked at the first neighbour only.": same[:, 0].mean(),
                "you asked whether the neighbours agree with each other; they must agree with the query.": (
                    (neighbours == neighbours[:, :1]).all(axis=1).mean() if number else np.nan
                ),
                "you divided by the number of neighbours; divide by that of queries.": perfect / k,
            },
            otherwise=lambda _: (
                f"expected {share:.4f}: of {B} queries {perfect} have all {k} right. "
                + (
                    "Is a number of neighbours written into your code, do you ask for all queries at once, "
                    "or is it rounded?"
                    if float(result) == 0
                    else f"Which rows count for you, those in which all {k} labels agree?"
                )
            ),
        )

    at_every_size(names, one)
    return "that is what a user sees: a page of results without a wrong one."


def _page(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of queries and neighbours; in the first trial every wrong way gives another number."""
    rng = np.random.default_rng(93 + number)
    if number == 0:
        rows = ("1111", "1111", "0101", "0100", "1101", "1110", "0110")
        right = np.array([[character == "1" for character in row] for row in rows])
    elif number == 1:
        right = rng.uniform(size=(60, 3)) < 0.7
    elif number == 2:
        right = np.array([[True, False], [False, True], [True, True]])
    else:  # nearly all is not all
        right = np.ones((5, 30), dtype=bool)
        right[[0, 2, 3], [29, 4, 17]] = False
    query = rng.integers(0, 4, len(right))
    return query, np.where(right, query[:, None], (query[:, None] + 1) % 4)
