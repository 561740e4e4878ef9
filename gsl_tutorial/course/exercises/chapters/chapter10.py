"""Checks of chapter 10, first half: a cut through ties, and AP@R."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import Mistake, call, exercise
from gsl_tutorial.course.exercises.compare import at_every_size, compare


def quietly(answer: Any, *arguments: Any) -> Any:
    """Call the answer; a division by zero in it shows in the result, not as a warning.

    Parameters
    ----------
    answer : object
        A student's function.
    *arguments : object
        What it is called with.

    Returns
    -------
    object
        What it returns.
    """
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
    ("0110100001", 9, 6),
    ("1101100000", 4, 3),
    ("0110000001", 1, 4),
    ("0100000000", 6, 1),
    ("1000100100", 3, 7),
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

    def one(number: int) -> None:
        text, n_relevant, R = _RANKINGS[number]
        relevant = np.array([character == "1" for character in text])
        precision = np.cumsum(relevant) / np.arange(1, len(relevant) + 1)
        gained = precision * relevant
        total, hits = gained[:R].sum(), int(relevant[:R].sum())
        right = total / max(1, min(R, n_relevant))
        got = quietly(answer, relevant, n_relevant, R)
        if isinstance(got, float | np.floating) and not np.isfinite(got):
            if n_relevant == 0:
                raise Mistake("you divided by zero: a query with nothing relevant counts 0.")
            raise Mistake("ranks start at 1: divide by 1, 2, 3, ..., not by 0, 1, 2, ...")
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
                "you counted the relevant items of the list; n_relevant says how many there are in the "
                "database.": total / max(1, min(R, int(relevant.sum()))),
                "these are sums; divide by min(R, n_relevant).": total,
                "the first R ranks are relevant[:R], up to and with rank R.": (
                    gained[: R - 1].sum() / max(1, min(R, n_relevant))
                ),
                "that is one rank too many: the first R are relevant[:R].": (
                    gained[: R + 1].sum() / max(1, min(R, n_relevant))
                ),
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

    at_every_size([f"{text} with R = {R}, {n} relevant" for text, n, R in _RANKINGS], one)
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
    cases = list(_tied())

    def one(number: int) -> None:
        distances, relevant, k = cases[number]
        N, edge = len(distances), np.sort(distances)[k - 1]
        sure, tied = distances < edge, distances == edge
        places = k - sure.sum()
        inside, of_tied = int(relevant[sure].sum()), int(relevant[tied].sum())
        first = np.argsort(distances, kind="stable")[:k]
        last = np.lexsort((-np.arange(N), distances))[:k]
        right = _shared(distances, relevant, k)
        compare(
            quietly(answer, distances, relevant, k),
            right,
            {
                "you broke the tie by the order in the file: another file order, another number.": (
                    relevant[first].sum()
                ),
                "you broke the tie by the reversed order in the file; average over all orders.": (
                    relevant[last].sum()
                ),
                "you took the first k of the file; the nearest k were asked for.": relevant[
                    :k
                ].sum(),
                "those are the farthest items; small distances are near.": (
                    _shared(-distances, relevant, k)
                ),
                "only the items that are surely inside are counted; the tied ones fill the places "
                "that are left.": inside,
                "all tied items are counted as inside; there are only k places.": inside + of_tied,
                "half of the tied ones is a guess: the places left, times their share of relevant ones.": (
                    inside + of_tied / 2
                ),
                "that gives one place to the tied items; they share all places that are left.": (
                    inside + relevant[tied].mean()
                ),
                "optimistic: you let the relevant ones of the tied items go first.": (
                    inside + min(places, of_tied)
                ),
                "pessimistic: you let the relevant ones of the tied items go last.": (
                    inside + max(0, places - (tied.sum() - of_tied))
                ),
                "the places left are shared among all items; only the tied ones compete for them.": (
                    inside + places * relevant.mean()
                ),
                "the nearer items are surely inside; only the places that are left are shared.": (
                    k * relevant[sure | tied].mean()
                ),
                "that is precision at k: do not divide by k here.": right / k,
                "you scaled all tied items by k; only k minus those surely inside are left.": (
                    inside + k * relevant[tied].mean()
                ),
                "a mean over orders need not be a whole number: do not round it.": round(right),
            },
            otherwise=f"for k = {k} expected {right:.4f}: {inside} surely, and {places} places for "
            f"{int(tied.sum())} tied items, {of_tied} of them relevant.",
        )

    at_every_size([f"{len(d)} items, k = {k}" for d, _, k in cases], one)
    return "now the order of the files cannot matter, for nobody."


def _shared(distances: Any, relevant: Any, k: int) -> float:
    """The right answer: the sure ones, and the share of the tied ones in the places left."""
    edge = np.sort(distances)[k - 1]
    sure, tied = distances < edge, distances == edge
    return float(relevant[sure].sum() + (k - sure.sum()) * relevant[tied].mean())


def _tied() -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """Distances, relevance and k; in the first trial every wrong way gives another number, in the last
    all items are inside."""
    distances = np.array([2, 0, 1, 3, 1, 1, 1, 1, 1, 1, 3, 1, 1, 1, 0, 1])
    yield distances, np.array([c == "1" for c in "0110010010011111"]), 8
    for number, (N, k) in enumerate(((9, 4), (6, 3), (30, 11), (5, 5)), start=103):
        distances = np.random.default_rng(number).integers(0, 4, N)
        distances[:3] = 0, 2, 2
        yield distances, np.arange(N) % 3 != 0, k
