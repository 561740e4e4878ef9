"""Checks of chapter 03, second half: the lookup table and the distances summed from it."""

from __future__ import annotations

from typing import Any

import numpy as np

#: M, K, d of the trials; the first are the notebook's own.
from gsl_tutorial.course.exercises.chapters.chapter03 import _SIZE_NAMES, _example
from gsl_tutorial.course.exercises.checking import Mistake, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare
from gsl_tutorial.course.exercises.slips import of_a_sum, of_looking_up


@exercise(
    "03.3",
    hints=(
        "It begins like exercise 03.1: cut the query, subtract from every codeword of its subvector.",
        "Square the differences (M, K, d) and sum over the last axis; that leaves (M, K).",
        "M, _, d = codebooks.shape; return ((codebooks - query.reshape(M, 1, d)) ** 2).sum(axis=2)",
    ),
)
def lookup_table(answer: Any) -> str:
    """lookup_table(query, codebooks) -> (M, K) squared distances, subvector to codeword."""

    def one(number: int) -> None:
        query, codebooks = _example(number)
        M, _, d = codebooks.shape
        pieces = query.reshape(M, 1, d)
        difference = codebooks - pieces
        right = (difference**2).sum(axis=2)
        strided = codebooks - query.reshape(d, M).T[:, None]
        overlapping = np.stack([query[m : m + d] for m in range(M)])
        wrong = {
            "you took the root. Roots do not add up to a distance; squares do: leave it out.": (
                np.sqrt(right)
            ),
            "the axes are swapped: one row for each subvector, one column for each codeword.": right.T,
            "these are the squared differences; add them up over the d numbers: .sum(axis=2).": (
                difference**2
            ),
            "the sum runs over the subvectors; sum over the d numbers of a subvector: axis 2.": (
                (difference**2).sum(axis=0)
            ),
            "the sum runs over the codewords; sum over the d numbers of a subvector: axis 2.": (
                (difference**2).sum(axis=1)
            ),
            "you added the differences without squaring them, so that they cancel.": (
                difference.sum(axis=2)
            ),
            "you added the differences (query minus codeword) without squaring them.": (
                -difference.sum(axis=2)
            ),
            "you squared the sum; square each difference first, then sum.": (
                difference.sum(axis=2) ** 2
            ),
            "you added absolute differences; square them instead.": np.abs(difference).sum(axis=2),
            "you took the mean; take the sum, or subvectors will not add up to the distance.": (
                (difference**2).mean(axis=2)
            ),
            "those are inner products; the table holds squared distances.": (
                (codebooks * pieces).sum(axis=2)
            ),
            "you took every M-th number as a subvector; a subvector is d neighbours.": (
                (strided**2).sum(axis=2)
            ),
            "the subvectors overlap: subvector m begins at m * d, so it is query[m * d : (m + 1) * d].": (
                ((codebooks - overlapping[:, None]) ** 2).sum(axis=2)
            ),
            "that is the table of subvector 0 only; does `return` stand in the loop?": (right[:1]),
            "you used the first subvector of the query everywhere; row m needs subvector m.": (
                ((codebooks - pieces[0]) ** 2).sum(axis=2)
            ),
            "you used the first codebook everywhere; row m needs codebooks[m].": (
                ((codebooks[0] - pieces) ** 2).sum(axis=2)
            ),
            "that is only the nearest codeword of each subvector; keep all K columns.": (
                right.min(axis=1)
            ),
            "you quantized the query first; here it stays exact: cut it and subtract.": (
                ((codebooks - codebooks[np.arange(M), right.argmin(axis=1)][:, None]) ** 2).sum(
                    axis=2
                )
            ),
            **of_a_sum(difference**2),
        }
        compare(
            call(answer, query, codebooks),
            right,
            wrong,
            otherwise=lambda at: (
                f"row {at[0]}, column {at[1]} should be {right[at]:.3f}: the squared distance from "
                f"subvector {at[0]} to its codeword {at[1]}. Other entries may be right."
            ),
        )

    at_every_size(_SIZE_NAMES, one)
    return "M rows, K columns: all that this query will ever need to know of the codebooks."


@exercise(
    "03.4",
    hints=(
        "For one vector: its code names one column in each row of the table. Look up, then add.",
        "table[m, codes[:, m]] looks up subvector m of all vectors at once; loop over m and add.",
        "M = len(table); return table[np.arange(M), codes].sum(axis=1)",
    ),
)
def adc_distances(answer: Any) -> str:
    """adc_distances(table, codes) -> (N,): for each code the sum of its M table entries."""
    sizes = ((4, 16, 30), (3, 5, 7), (1, 8, 2))

    def one(number: int) -> None:
        M, K, N = sizes[number]
        rng = np.random.default_rng(40 + number)
        table = rng.uniform(0.1, 2, size=(M, K))
        codes = rng.integers(K, size=(N, M), dtype=np.uint8)
        entries = table[np.arange(M), codes]
        right = entries.sum(axis=1)
        wrong = {
            "you took the root of the sum; these are squared distances: leave it out.": (
                np.sqrt(right)
            ),
            "you took roots before adding. Squared sub-distances add up to a squared distance; "
            "roots add up to nothing.": np.sqrt(entries).sum(axis=1),
            "you squared the entries; they are squared distances already.": (
                (entries**2).sum(axis=1)
            ),
            "the sum runs over the vectors; add the M entries of each vector: axis 1.": (
                entries.sum(axis=0)
            ),
            "these are the entries of each vector; one step is left: .sum(axis=1).": entries,
            "that is one number for the whole database; add along axis 1 only.": right.sum(),
            "you took the mean over the subvectors; take the sum.": entries.mean(axis=1),
            "you took the largest entry of each vector; add all M of them.": entries.max(axis=1),
            "you multiplied the entries; add them.": entries.prod(axis=1),
            "you looked everything up in the first row; subvector m has row m.": (
                table[0, codes].sum(axis=1)
            ),
            "you added whole rows; take only the column that the code names.": (
                np.full(N, table.sum())
            ),
            "that is the sum without the last subvector.": entries[:, :-1].sum(axis=1),
            "that is the last subvector only; add the entries of all M subvectors: +=, not =.": (
                entries[:, -1]
            ),
            "that is the first subvector only; does `return` stand inside the loop?": entries[:, 0],
            **of_looking_up(table, codes),
            **of_a_sum(entries),
            "those are the right distances, but sorted; leave them in the order of the codes.": (
                np.sort(right)
            ),
            "you added the codes themselves; they are column numbers of the table.": (
                codes.sum(axis=1)
            ),
            "these are positions sorted by distance; return the distances.": np.argsort(right),
        }
        try:
            result = call(answer, table, codes)
        except IndexError as error:
            raise Mistake(
                f"a lookup fell outside the table ({error}). Its rows are subvectors and its columns "
                "codewords: table[m, codes[:, m]]."
            ) from error

        def otherwise(at: tuple[int, ...]) -> str:
            terms = " + ".join(f"{entry:.2f}" for entry in entries[at])
            return f"the distance of code {at[0]} is {terms} = {right[at]:.2f}."

        compare(result, right, wrong, otherwise=otherwise)

    at_every_size([f"M = {M}, K = {K}, N = {N}" for M, K, N in sizes], one)
    return "M lookups and a sum for each vector: asymmetric distance computation, ADC."
