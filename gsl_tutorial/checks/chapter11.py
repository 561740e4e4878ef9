"""Checks of chapter 11: the corrected softmax, who may be a negative, and what must stay hidden."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.checks.core import Mistake, NotYet, call, exercise
from gsl_tutorial.checks.diagnosis import at_every_size, compare, same


def _log_sum(*parts: Any) -> float:
    return float(np.log(np.exp(np.concatenate([np.atleast_1d(p) for p in parts])).sum()))


@exercise(
    "11.1",
    hints=(
        "A negative that is drawn Q times on average must count 1 / Q, so that it counts once.",
        "exp(s) / Q = exp(s - log Q). The positive is always there: its score stays as it is.",
        "logits = np.append(negatives - np.log(expected), positive); "
        "return np.log(np.exp(logits).sum()) - positive",
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
        compare(
            call(answer, p, s, q),
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
        "mates = np.flatnonzero(labels == labels[positive]); "
        "return mates[(mates != positive) & ~np.isin(mates, history)]",
    ),
)
def hard_candidates(answer: Any) -> str:
    """hard_candidates(positive, labels (N,), history (h,)) -> item numbers, rising."""

    def one(number: int) -> None:
        rng = np.random.default_rng(120 + number)
        n, cells = ((24, 3), (60, 4))[number]
        labels = rng.permutation(np.arange(n) % cells)
        positive = int(np.flatnonzero(labels == labels[n // 2])[1])
        mates = np.flatnonzero(labels == labels[positive])
        others = np.flatnonzero(labels != labels[positive])
        liked = mates[mates != positive]
        # In the history stand the positive's mates, and items of other cells.
        history = rng.permutation(np.concatenate([liked[1:3], others[:4]]))
        right = np.setdiff1d(liked, history)
        everything = np.arange(n)
        in_history = np.isin(everything, history)
        result = call(answer, positive, labels, history)
        compare(
            result,
            right,
            {
                "the positive itself is in it: the model would push away what it should find.": (
                    np.setdiff1d(mates, history)
                ),
                "items that the user has liked are in it: these are false negatives, leave out the "
                "history.": liked,
                "the positive and the history are both in it; leave them out.": mates,
                "these are items of other cells; hard negatives come from the positive's own.": (
                    np.setdiff1d(others, history)
                ),
                "these are items of any cell; keep those of the positive's own.": (
                    np.setdiff1d(everything[everything != positive], history)
                ),
                "these are items of the history; they are what must not be drawn.": (
                    np.intersect1d(liked, history)
                ),
                "those are True and False; give item numbers (np.flatnonzero helps).": (
                    np.isin(everything, right)
                ),
                "those are the cell's own numbers; give item numbers.": labels[right],
                "those are places inside the cell; give item numbers of the catalogue.": (
                    np.flatnonzero(np.isin(mates, right))
                ),
                "the numbers are right, but in another order; let them rise.": right[::-1],
                "that is how many there are; say which.": right.size,
                "you compared labels with the positive's number; compare with its cell, "
                "labels[positive].": np.flatnonzero((labels == positive) & ~in_history),
            },
            otherwise=f"expected {right.tolist()} for positive {positive}, cell {labels[positive]}.",
        )

    at_every_size(["24 items", "60 items"], one)
    return (
        "same cell, not the positive, not in the history. What the user will like later stays in."
    )


@exercise(
    "11.3",
    hints=(
        "Sort by time first; where two times are equal, by item number: np.lexsort((items, times)).",
        "The test moment is the earliest time among the hidden events.",
        "order = np.lexsort((items, times)); hidden = items[order][-n:]; moment = times[order][-n]; "
        "profile = items[order][times[order] < moment]",
    ),
)
def profile_and_hidden(answer: Any) -> str:
    """profile_and_hidden(items (h,), times (h,), n) -> (profile, hidden), both item numbers."""

    def one(number: int) -> None:
        # Unsorted, with a tie between two hidden events, and one across the test moment.
        items = np.array([7, 3, 9, 1, 8, 2, 6, 4])
        times = np.array([30, 10, 50, 20, 40, 40, 50, 15])
        n = 3
        if number:
            items, times, n = np.append(items, [5, 0]), np.append(times, [70, 60]), 4
        got = _pair(call(answer, items, times, n))
        order = np.lexsort((items, times))
        hidden, moment = items[order][-n:], times[order][-n]
        profile = items[order][times[order] < moment]
        if same(got[0], profile) and same(got[1], hidden):
            return
        by_row = np.argsort(times, kind="stable")
        unsorted = items[:-n], items[-n:]
        wrong = {
            "the two are swapped: first the profile, then what is hidden.": (hidden, profile),
            "the hidden items are in the profile, too: the model is shown what it must find.": (
                np.concatenate([profile, hidden]), hidden,
            ),
            "the whole history is in the profile: the model is shown what it must find.": (
                items[order], hidden,
            ),
            "the rows stand in no order: sort by time before you cut.": unsorted,
            "an event in the same second as the first hidden one is in the profile; nobody knows "
            "which came first. Keep what is strictly earlier than the test moment.": (
                items[order][:-n], hidden,
            ),
            "you hid the first events; hide the last.": (items[order][n:], items[order][:n]),
            "equal times are to be ordered by item number, so that the file's order cannot matter.": (
                items[by_row][times[by_row] < times[by_row][-n]], items[by_row][-n:],
            ),
            "those are times; give item numbers.": (
                times[order][times[order] < moment], times[order][-n:],
            ),
            "those are row numbers; give the items of these rows.": (
                order[times[order] < moment], order[-n:],
            ),
            "you hid the highest item numbers; hide the latest events.": (
                np.sort(items)[:-n], np.sort(items)[-n:],
            ),
        }  # fmt: skip
        for diagnosis, (a, b) in wrong.items():
            if same(got[0], a) and same(got[1], b):
                raise Mistake(diagnosis)
        which, right = ("profile", profile) if same(got[1], hidden) else ("hidden items", hidden)
        raise Mistake(f"expected the {which} {right.tolist()} for items {items.tolist()}.")

    at_every_size(["8 events", "10 events"], one)
    return "nothing at or after the test moment is in the profile."


def _pair(result: Any) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Mistake("expected two arrays: the profile, and the hidden items.")
    if all(part is ... for part in result):
        raise NotYet
    return np.asarray(result[0]), np.asarray(result[1])
