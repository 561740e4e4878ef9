"""Checks of chapter 11, first part: the corrected softmax, and who may be a negative."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import call, exercise
from gsl_tutorial.course.exercises.compare import (
    Differs,
    KnownMistake,
    at_every_size,
    compare,
    same,
)


def _log_sum(*parts: Any) -> float:
    return float(np.log(np.exp(np.concatenate([np.atleast_1d(p) for p in parts])).sum()))


@exercise(
    "11.1",
    hints=(
        "A negative that is drawn Q times on average must count 1 / Q, so that it counts once.",
        "exp(s) / Q = exp(s - log Q). The positive is always there: its score stays as it is.",
        "total = np.exp(positive) + sum(np.exp(s) / q for s, q in zip(negatives, expected)); "
        "the loss is np.log(total) - positive.",
    ),
)
def sampled_loss(answer: Any) -> str:
    """sampled_loss(positive, negatives (n,), expected (n,)) -> a number."""

    def one(number: int) -> None:
        rng = np.random.default_rng(110 + number)
        n = (5, 9)[number]
        s, q, p = rng.normal(size=n), rng.uniform(0.1, 3, size=n), float(rng.normal())
        right = _log_sum(p, s - np.log(q)) - p
        weights = np.exp(s) / q
        apart = float(np.logaddexp(p, s - np.log(q)).sum() - p)
        result = call(answer, p, s, q)
        if not same(result, s - np.log(q) - p) and _numbers(result) in ((n,), (n + 1,)):
            raise KnownMistake(
                f"those are {_numbers(result)[0]} numbers; the loss is one. log Q belongs to the "
                "negatives alone, and their exponentials are added up."
            )
        compare(
            result,
            right,
            {
                "logQ has the wrong sign: what is drawn often must count less, so subtract log Q.": (
                    _log_sum(p, s + np.log(q)) - p
                ),
                "the negatives are not corrected: subtract log Q from their scores.": (
                    _log_sum(p, s) - p
                ),
                "you subtracted Q; subtract its logarithm.": _log_sum(p, s - q) - p,
                "you corrected the positive, too. It is there for sure, so its score stays.": (
                    _log_sum(p - np.log(q.mean()), s - np.log(q)) - (p - np.log(q.mean()))
                ),
                "the positive is missing in the sum below the fraction.": (
                    _log_sum(s - np.log(q)) - p
                ),
                "the sign of the loss is turned round: it is 0 or more.": -right,
                "that is the probability of the positive; the loss is minus its logarithm.": (
                    np.exp(-right)
                ),
                "that is only the logarithm of the sum; subtract the positive's score.": right + p,
                "you took the mean of the negatives; they are summed, Q has done the weighting.": (
                    float(np.log(np.exp(p) + weights.mean())) - p
                ),
                "you divided the scores by Q; divide exp(score), so subtract log Q.": (
                    _log_sum(p, s / q) - p
                ),
                "you took a logarithm for each negative; add the exponentials up first.": apart,
                "use the natural logarithm.": float(
                    np.log10(np.exp(p) + weights.sum()) - np.log10(np.exp(p))
                ),
                "these are one number for each negative; the loss is one number.": (
                    s - np.log(q) - p
                ),
            },
            otherwise=f"expected {right:.4f} for {n} negatives.",
        )

    at_every_size(["5 negatives", "9 negatives"], one)
    return "each item of the catalogue counts once on average, wherever it was drawn from."


@exercise(
    "11.2",
    hints=(
        "Three conditions: the positive's cell, not the positive itself, not in the history.",
        "labels == labels[positive] marks the cell; np.isin(np.arange(N), history) what to leave out.",
        "allowed = labels == labels[positive]; allowed[history] = False; allowed[positive] = False; "
        "np.flatnonzero(allowed) are the numbers.",
    ),
)
def hard_candidates(answer: Any) -> str:
    """hard_candidates(positive, labels (N,), history (h,)) -> item numbers, rising."""

    def one(number: int) -> None:
        rng = np.random.default_rng(120 + number)
        n, cells = ((24, 3), (60, 4))[number]
        labels = rng.permutation(np.arange(n) % cells)
        positive = int(np.flatnonzero(labels == labels[0 if number else n // 2])[1])
        own_cell = labels == labels[positive]
        mates = np.flatnonzero(own_cell)
        others = np.flatnonzero(~own_cell)
        liked = mates[mates != positive]
        # In the history stand the positive's mates, and items of other cells.
        history = rng.permutation(np.concatenate([liked[1:3], others[:4]]))
        right = np.setdiff1d(liked, history)
        everything = np.arange(n)
        result = call(answer, positive, labels, history)
        _refuse_no_item_numbers(result)
        known = {
            "the positive itself is in it: the model would push away what it should find.": (
                np.setdiff1d(mates, history)
            ),
            "items that the user has liked are in it: these are false negatives, leave out the "
            "history.": liked,
            "the positive and the history are both in it; leave them out.": mates,
            "these are items of other cells; hard negatives come from the positive's own.": (
                np.setdiff1d(others, history)
            ),
            "these are all items of other cells; the positive's own cell is asked for.": others,
            "these are items of any cell; keep those of the positive's own.": (
                np.setdiff1d(everything[everything != positive], history)
            ),
            "these are items of the history; they are what must not be drawn.": (
                np.intersect1d(liked, history)
            ),
            "this is the history; it is what must not be drawn.": np.sort(history),
            "those are the cell's own numbers; give item numbers.": labels[right],
            "those are places inside the cell; give item numbers of the catalogue.": (
                np.flatnonzero(np.isin(mates, right))
            ),
            "the numbers are right, but in another order; let them rise.": right[::-1],
            "that is how many there are; say which.": right.size,
        }
        why = _first_wrong_item(result, right, positive, labels)
        try:
            compare(result, right, known, otherwise=why or "these are not the item numbers.")
        except Differs as error:
            error.plain = why or error.plain
            raise

    at_every_size(["24 items", "60 items"], one)
    return (
        "same cell, not the positive, not in the history. What the user will like later stays in."
    )


def _numbers(result: Any) -> tuple[int, ...]:
    """The shape of an array of numbers, () for anything else."""
    try:
        array = np.asarray(result)
    except Exception:  # whatever a student returns
        return ()
    return array.shape if array.dtype.kind in "biuf" else ()


def _refuse_no_item_numbers(result: Any) -> None:
    if isinstance(result, (set, frozenset)):
        raise KnownMistake("a set has no order; sorted(...) makes a rising list of it.")
    if isinstance(result, tuple) and len(result) == 1:
        raise KnownMistake("np.where gives a tuple of arrays; take its [0], or use np.flatnonzero.")
    shape = _numbers(result)
    if shape and np.asarray(result).dtype.kind == "b":
        raise KnownMistake("those are True and False; give item numbers (np.flatnonzero helps).")
    if shape == (0,) or (isinstance(result, list) and not result):
        raise KnownMistake(
            "nothing is left. The cell of the positive is labels[positive]; and it is item numbers, "
            "not labels, that may be in the history."
        )


def _first_wrong_item(
    result: Any, right: np.ndarray, positive: int, labels: np.ndarray
) -> str | None:
    """What is wrong with the first item that should not be there, or that is missing."""
    if len(_numbers(result)) != 1:
        return None
    values = np.asarray(result)
    if values.dtype.kind not in "iu":
        return None
    for item in values.tolist():
        if item in right:
            continue
        if not 0 <= item < len(labels):
            return f"{item} is no item: they are numbered from 0 to {len(labels) - 1}."
        if item == positive:
            return f"item {item} is in it, and it is the positive itself."
        if labels[item] != labels[positive]:
            where = f"its cell is {labels[item]}, the positive's is {labels[positive]}."
            return f"item {item} is in it: {where}"
        return f"item {item} is in it, and the user has liked it: it stands in the history."
    missing = np.setdiff1d(right, values)
    if missing.size:
        return (
            f"item {missing[0]} is missing: it is of the positive's cell, and not in the history."
        )
    return "the numbers are right, but not each one once and rising."
