"""Checks of chapter 10, second half: an epoch chosen honestly, and a paired standard error."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.chapters.chapter10 import quietly
from gsl_tutorial.course.exercises.checking import exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare, same


@exercise(
    "10.3",
    hints=(
        "Each seed is a run of its own: ask its validation scores which epoch to take.",
        "epoch = validation.argmax(axis=1) has one number for each seed; read test there.",
        "With epochs = validation.argmax(axis=1), test[range(len(test)), epochs] takes one of each seed; "
        "return the mean of that.",
    ),
)
def honest_score(answer: Any) -> str:
    """honest_score(validation (S, E), test (S, E)) -> number."""
    cases = ((3, 8, 3), (5, 12, 14), (4, 6, 7))  # with these states every wrong way differs

    def one(number: int) -> None:
        S, E, state = cases[number]
        rng = np.random.default_rng(state)
        course = 0.75 - 0.01 * np.abs(np.arange(E) - 0.6 * E)
        validation = course + rng.normal(scale=0.04, size=(S, E))
        test = course - 0.01 + rng.normal(scale=0.04, size=(S, E))
        seeds, epochs = np.arange(S), validation.argmax(axis=1)
        each = test[seeds, epochs]
        compare(
            quietly(answer, validation, test),
            each.mean(),
            {
                "that is the best epoch on the test queries: the very mistake.": (
                    test.max(axis=1).mean()
                ),
                "that is the largest test score of all epochs and seeds: the mistake twice.": (
                    test.max()
                ),
                "you chose the best seed after looking at the test scores; take the mean.": (
                    each.max()
                ),
                "you report the validation score, and those queries made the choice.": (
                    validation.max(axis=1).mean()
                ),
                "the two are swapped: that chooses on test and reports validation.": (
                    validation[seeds, test.argmax(axis=1)].mean()
                ),
                "that is the mean of the epochs before the chosen ones: argmax counts from 0.": (
                    test[seeds, epochs - 1].mean()
                ),
                "one run chose for all: each seed asks its own row, validation.argmax(axis=1).": (
                    test.ravel()[validation.argmax()]
                ),
                "that is the median over the seeds; take their mean.": np.median(each),
                "that is the first seed only; take the mean over all of them.": each[0],
                "that is the last seed only; take the mean over all of them.": each[-1],
                "that is the last epoch: honest, but then validation was for nothing.": (
                    test[:, -1].mean()
                ),
                "that is the mean over all epochs; take the chosen one of each seed.": test.mean(),
                "one epoch for all seeds is honest as well; here each run asks its own "
                "validation scores.": test[:, validation.mean(axis=0).argmax()].mean(),
                "that is the worst epoch on validation: argmax, not argmin.": (
                    test[seeds, validation.argmin(axis=1)].mean()
                ),
                "a number for each seed; take the mean.": each,
                "these are the epochs; read the test scores there.": epochs,
                "that is the mean of the epochs' numbers; read the test scores there.": (
                    epochs.mean()
                ),
                "you took all pairs of seeds and epochs: test[np.arange(S), epochs] takes one "
                "epoch of each seed.": test[:, epochs].mean(),
                "you took all pairs of seeds and epochs; take one epoch of each seed.": (
                    test[:, epochs]
                ),
            },
            otherwise=f"expected {each.mean():.4f}: epochs {epochs.tolist()}, the best of each seed on "
            "validation.",
        )

    at_every_size([f"{S} seeds, {E} epochs" for S, E, _ in cases], one)
    return "the test queries were asked once, after the choice."


@exercise(
    "10.4",
    hints=(
        "Both methods ranked the same queries: take the difference query by query first.",
        "The spread of the differences, divided by the root of how many there are.",
        "Take (a - b).std(ddof=1) and divide it by np.sqrt(len(a)).",
    ),
)
def standard_error(answer: Any) -> str:
    """standard_error(a (Q,), b (Q,)) -> standard error of the mean of a - b."""
    sizes = (20, 50, 9)

    def one(number: int) -> None:
        Q = sizes[number]
        rng = np.random.default_rng(Q)
        hardness = rng.uniform(0.2, 0.8, Q)
        a = np.clip(hardness + 0.03 + rng.normal(scale=0.04, size=Q), 0, 1)
        b = np.clip(hardness + rng.normal(scale=0.06, size=Q), 0, 1)
        result = quietly(answer, a, b)
        # With Q - 1 or with Q: the difference is small, and either will do.
        rights = [(a - b).std(ddof=ddof) / np.sqrt(Q) for ddof in (1, 0)]
        right = rights[1] if same(result, rights[1]) else rights[0]
        wrong: dict[str, Any] = {}
        for ddof in (1, 0):
            for diagnosis, value in _wrong_errors(a, b, ddof).items():
                wrong[diagnosis + " " * (1 - ddof)] = value
        compare(
            result, right, wrong,
            otherwise=f"expected {rights[0]:.5f}: the spread of a - b over the root of {Q}.",
        )  # fmt: skip

    at_every_size([f"{Q} queries" for Q in sizes], one)
    return "two of these on either side of the mean make an interval, for these two networks."


def _wrong_errors(a: Any, b: Any, ddof: int) -> dict[str, float]:
    """Diagnosis -> what that mistake gives."""
    n, spread = len(a), (a - b).std(ddof=ddof)
    each = a.std(ddof=ddof), b.std(ddof=ddof)
    error, mean = spread / np.sqrt(n), (a - b).mean()
    return {
        "you took the two for unrelated, and the hard queries, hard for both, drown the difference. "
        "Subtract query by query first.": np.hypot(*each) / np.sqrt(n),
        "that is the spread of the differences; their *mean* varies less, by the root of Q.": spread,
        "divided by Q instead of its root.": spread / n,
        "divide by the root of Q; you multiplied.": spread * np.sqrt(n),
        "Q - 1 stands in the spread already (ddof=1): divide by the root of Q.": (
            (a - b).std(ddof=1) / np.sqrt(n - 1)
        ),
        "the spread is about the mean of the differences, not about 0: take .std.": (
            np.sqrt(((a - b) ** 2).mean() / n)
        ),
        "keep the signs: the spread of a - b, not of its absolute values.": (
            np.abs(a - b).std(ddof=ddof) / np.sqrt(n)
        ),
        "that is a variance: take the root.": spread**2 / n,
        "that is the difference of two standard errors; take the differences first.": (
            (each[0] - each[1]) / np.sqrt(n)
        ),
        "that is the standard error of a alone; of the difference is asked.": each[0] / np.sqrt(n),
        "that is the standard error of b alone; of the difference is asked.": each[1] / np.sqrt(n),
        "that is how many standard errors the mean is away from 0; return the error itself.": (
            mean / error
        ),
        "that is half of the interval; leave the factor 1.96 out.": 1.96 * error,
        "that is half of the interval; leave the factor 2 out.": 2 * error,
        "that is the mean difference; the question is how far it might be off.": mean,
    }
