"""Checks of chapter 10: AP@R, a cut through ties, an epoch chosen honestly, a paired standard error."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from gsl_tutorial.checks.core import Mistake, as_array, call, exercise
from gsl_tutorial.checks.diagnosis import compare, same


def _quietly(answer: Any, *arguments: Any) -> Any:
    """Call the answer; a division by zero in it shows in the result, not as a warning."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return call(answer, *arguments)


#: Rankings as texts, how many items are relevant in the whole database, and R.
_RANKINGS = (
    ("1010011010", 5, 4),
    ("0110100000", 3, 6),
    ("1111100000", 8, 5),
    ("0000010001", 2, 4),
    ("0000000000", 0, 4),
)


@exercise(
    "10.2",
    hints=(
        "Cut the ranking after R. At each right item that is left take the precision, and add up.",
        "At most min(R, n_relevant) right items can stand there: that is the divisor.",
        "np.cumsum of the cut ranking, divided by 1, 2, 3, ..., is the precision at each rank. Where "
        "nothing is relevant the divisor would be 0: take at least 1.",
    ),
)
def ap_at(answer: Any) -> str:
    """ap_at(relevant (N,) booleans in rank order, n_relevant, R) -> number."""
    for text, n_relevant, R in _RANKINGS:
        relevant = np.array([character == "1" for character in text])
        precision = np.cumsum(relevant) / np.arange(1, len(relevant) + 1)
        gained = precision * relevant
        total, hits = gained[:R].sum(), int(relevant[:R].sum())
        right = total / max(1, min(R, n_relevant))
        got = _quietly(answer, relevant, n_relevant, R)
        if n_relevant == 0 and isinstance(got, float | np.floating) and np.isnan(got):
            raise Mistake("you divided by zero: a query with nothing relevant counts 0.")
        compare(
            got,
            right,
            {
                "you divided by the hits inside the top R: so [+, -, -] beats [+, -, +]. Divide by "
                "min(R, n_relevant).": total / max(1, hits),
                "you divided by R; where fewer than R items are relevant, nobody could score 1. "
                "Divide by min(R, n_relevant).": total / R,
                "you divided by n_relevant; where R is smaller, nobody could score 1. Divide by "
                "min(R, n_relevant).": total / max(1, n_relevant),
                "the ranking is not cut: only the first R ranks count.": (
                    gained.sum() / max(1, min(R, n_relevant))
                ),
                "that is AP of the whole ranking; only the first R ranks count.": (
                    gained.sum() / max(1, n_relevant)
                ),
                "that is precision at R; the order inside must count.": hits / R,
                "that is recall at R; the order inside must count.": hits / max(1, n_relevant),
                "you averaged the precision over all R ranks; take it at the right items only.": (
                    precision[:R].mean()
                ),
            },
            otherwise=f"for {text} with R = {R} and {n_relevant} relevant items expected "
            f"{right:.4f}."
            + (" A query with nothing relevant counts 0." if not n_relevant else ""),
        )
    return "one hit more can never lower it, and a perfect top R scores 1."


@exercise(
    "10.1",
    hints=(
        "Find the distance at which the k-th place falls: np.sort(distances)[k - 1].",
        "All nearer items are in. The places that are left go to the tied items, and each of them "
        "has the same chance.",
        "Count the relevant ones among the sure items. To them add the number of places left, times the "
        "mean of `relevant` over the tied items.",
    ),
)
def expected_hits(answer: Any) -> str:
    """expected_hits(distances (N,), relevant (N,) booleans, k) -> number."""
    for number, k in enumerate((6, 4, 3, 11)):
        rng = np.random.default_rng(102 + number)
        N = (12, 9, 6, 30)[number]
        distances = rng.integers(0, 4, N)
        distances[:3] = 0, 2, 2
        relevant = np.arange(N) % 3 != 0 if number else np.array([c == "1" for c in "101010010111"])
        if number == 0:
            distances = np.array([1, 3, 0, 1, 1, 0, 1, 1, 1, 3, 1, 1])
        edge = np.sort(distances)[k - 1]
        sure, tied = distances < edge, distances == edge
        places = k - sure.sum()
        inside, of_tied = int(relevant[sure].sum()), int(relevant[tied].sum())
        first = np.argsort(distances, kind="stable")[:k]
        last = np.lexsort((-np.arange(N), distances))[:k]
        right = inside + places * relevant[tied].mean()
        compare(
            _quietly(answer, distances, relevant, k),
            right,
            {
                "you broke the tie by the order in the file: another file order, another number.": (
                    relevant[first].sum()
                ),
                "you broke the tie by the reversed order in the file; average over all orders.": (
                    relevant[last].sum()
                ),
                "only the items that are surely inside are counted; the tied ones fill the places "
                "that are left.": inside,
                "all tied items are counted as inside; there are only k places.": inside + of_tied,
                "optimistic: you let the relevant ones of the tied items go first.": (
                    inside + min(places, of_tied)
                ),
                "pessimistic: you let the relevant ones of the tied items go last.": (
                    inside + max(0, places - (tied.sum() - of_tied))
                ),
                "the places left are shared among all items; only the tied ones compete for them.": (
                    inside + places * relevant.mean()
                ),
                "that is precision at k: do not divide by k here.": right / k,
                "you scaled all tied items by k; only k minus those surely inside are left.": (
                    inside + k * relevant[tied].mean()
                ),
            },
            otherwise=f"for k = {k} expected {right:.4f}: {inside} surely, and {places} places for "
            f"{int(tied.sum())} tied items, {of_tied} of them relevant.",
        )
    return "now the order of the files cannot matter, for nobody."


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
    for S, E, state in ((3, 8, 3), (5, 12, 14)):  # with these states every wrong way differs
        rng = np.random.default_rng(state)
        course = 0.75 - 0.01 * np.abs(np.arange(E) - 0.6 * E)
        validation = course + rng.normal(scale=0.04, size=(S, E))
        test = course - 0.01 + rng.normal(scale=0.04, size=(S, E))
        seeds, epochs = np.arange(S), validation.argmax(axis=1)
        each = test[seeds, epochs]
        compare(
            _quietly(answer, validation, test),
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
    for Q in (20, 50):
        rng = np.random.default_rng(Q)
        hardness = rng.uniform(0.2, 0.8, Q)
        a = np.clip(hardness + 0.03 + rng.normal(scale=0.04, size=Q), 0, 1)
        b = np.clip(hardness + rng.normal(scale=0.06, size=Q), 0, 1)
        result = _quietly(answer, a, b)
        # With Q - 1 or with Q: the difference is small, and either will do.
        rights = [(a - b).std(ddof=ddof) / np.sqrt(Q) for ddof in (1, 0)]
        if any(same(result, right) for right in rights):
            continue
        for ddof in (1, 0):
            for diagnosis, value in _wrong_errors(a, b, ddof).items():
                if same(result, value):
                    raise Mistake(diagnosis)
        as_array(result, ())
        raise Mistake(f"expected {rights[0]:.5f}: the spread of a - b over the root of {Q}.")
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
