"""Check of chapter 07, middle part: how many codes change in a turn of the codebooks."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare


def _codes(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes before and after. In the first trial the last number of all stays as it was; in both, some
    rows change in two numbers so that their sum stays."""
    N, M = ((40, 3), (30, 4))[number]
    rng = np.random.default_rng(82 + number)
    before = rng.integers(1, 7, (N, M))
    other = (before + rng.integers(1, 8, (N, M))) % 8
    after = np.where(rng.uniform(size=(N, M)) < 0.3, other, before)
    after[1:6] = before[1:6]
    after[1:6, 0] += 1
    after[1:6, 1] -= 1
    if number == 0:
        after[:, 2] = before[:, 2]
    else:
        after[0] = (before[0] + 1) % 8  # one vector changed in all its numbers
    return before, after


@exercise(
    "07.3",
    hints=(
        "before != after is a table (N, M) of numbers that changed.",
        "A vector must be stored anew as soon as one of its M numbers has changed: .any(axis=1).",
        "The mean of these N booleans is the share.",
    ),
)
def share_changed(answer: Any) -> str:
    """share_changed(before (N, M), after (N, M)) -> share of vectors whose code has changed."""

    def one(number: int) -> None:
        before, after = _codes(number)
        differ = before != after
        share = float(differ.any(axis=1).mean())
        compare(
            call(answer, before, after),
            share,
            {
                "that is the share of numbers that changed; one changed number changes the code of "
                "its vector: .any(axis=1) first.": differ.mean(),
                "that is the share whose numbers have all changed; one is enough.": (
                    differ.all(axis=1).mean()
                ),
                "that is the share that stayed; ask which differ.": 1 - share,
                "that is the share of numbers that stayed; ask which differ.": 1 - differ.mean(),
                "you counted the vectors; divide by how many there are.": (
                    float(differ.any(axis=1).sum())
                ),
                "you counted the numbers; count vectors, and divide.": float(differ.sum()),
                "you divided by the number of numbers in the table; divide by that of vectors.": (
                    differ.any(axis=1).sum() / differ.size
                ),
                "you looked at the first number only.": differ[:, 0].mean(),
                "one answer for each vector; take the mean.": differ.any(axis=1),
                "one answer for each number; .any(axis=1), then the mean.": differ,
                "a share for each number; a vector has changed when any of its numbers has.": (
                    differ.mean(axis=0)
                ),
                "the axes are swapped: a vector is a row, so any(axis=1).": (
                    differ.any(axis=0).mean()
                ),
                "that asks whether any code at all has changed; ask row by row, any(axis=1), then the "
                "mean.": 1.0,
                "changes can cancel in a sum or a mean: ask of each number whether it differs.": (
                    (before.sum(axis=1) != after.sum(axis=1)).mean()
                ),
                "how far apart two code numbers are means nothing: ask only whether they differ.": (
                    np.abs(before - after).mean()
                ),
                "in per cent; a share lies between 0 and 1.": 100 * share,
            },
            otherwise=f"expected {share:.3f}: the share of rows in which any number differs.",
        )

    at_every_size(["codes of 3 numbers", "codes of 4 numbers"], one)
    return "every one of these would have to be encoded and stored anew."
