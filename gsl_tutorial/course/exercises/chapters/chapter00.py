"""The warm-up of chapter 00: the one distance that all later chapters are built on."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare
from gsl_tutorial.course.exercises.slips import of_a_sum


@exercise(
    "00.1",
    hints=(
        "Subtract first: x - y is the list of differences, one for each number.",
        "Square each difference with ** 2, then add them all up with .sum().",
        "return ((x - y) ** 2).sum()",
    ),
)
def squared_distance(answer: Any) -> str:
    """squared_distance(x, y) -> the sum of the squared differences of two vectors."""
    rng = np.random.default_rng(0)
    trials = [(np.array([1.0, 3.0]), np.array([5.0, 0.5]))]
    trials += [(rng.normal(size=d), rng.normal(size=d)) for d in (5, 1)]

    def one(number: int) -> None:
        x, y = trials[number]
        difference = x - y
        right = (difference**2).sum()
        wrong = {
            "you took the root. The squared distance stops one step earlier: leave it out.": (
                np.sqrt(right)
            ),
            "you added the differences as they are, so that they cancel; square each one first.": (
                difference.sum()
            ),
            "you squared the sum. Square each difference first, and add afterwards.": (
                difference.sum() ** 2
            ),
            "you added the sizes of the differences (absolute values); square them instead.": (
                np.abs(difference).sum()
            ),
            "these are the squared differences; one step is left: add them up with .sum().": (
                difference**2
            ),
            "these are the differences; square each one, then add them up.": difference,
            "you took the mean; take the sum.": (difference**2).mean(),
            "the sign is turned round: a square is never negative.": -right,
            "you added x and y; subtract one from the other.": ((x + y) ** 2).sum(),
            "that is the product x @ y, which grows when vectors agree; a distance shrinks.": x @ y,
            "you squared x and y before subtracting; subtract first.": (x**2 - y**2).sum(),
            **of_a_sum(difference**2),
        }
        compare(
            call(answer, x, y),
            right,
            wrong,
            otherwise=f"for x = {x.round(2)} and y = {y.round(2)} it should give {right:.2f}.",
        )

    at_every_size(["two numbers", "five numbers", "one number"], one)
    return "subtract, square, add. No root: it would not change who is nearest."
