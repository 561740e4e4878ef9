"""Checks of chapter 11, second part: what must stay hidden from the profile."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import Mistake, NotYet, call, exercise
from gsl_tutorial.course.exercises.compare import Differs, at_every_size, note, same


@exercise(
    "11.3",
    hints=(
        "Sort by time first; where two times are equal, by item number: np.lexsort((items, times)).",
        "The test moment is the earliest time among the hidden events.",
        "events = sorted(zip(times, items)); moment = events[-n][0]; hidden are the items of events[-n:], "
        "the profile those of all events with a time < moment.",
    ),
)
def profile_and_hidden(answer: Any) -> str:
    """profile_and_hidden(items (h,), times (h,), n) -> (profile, hidden), both item numbers."""

    def one(number: int) -> None:
        # Unsorted, with a tie between two hidden events, and one across the test moment.
        items = np.array([7, 3, 9, 1, 8, 2, 6, 4])
        times = np.array([30, 10, 50, 20, 40, 40, 50, 15])
        n = 3
        if number == 1:
            items, times, n = np.append(items, [5, 0]), np.append(times, [70, 60]), 4
        elif number > 1:
            rng = np.random.default_rng(110 + number)
            h, n = ((12, 2), (9, 5), (6, 1))[number - 2]
            items, times = rng.permutation(h * 2)[:h], rng.integers(10, 10 + h, size=h)
        got = _pair(call(answer, items, times, n))
        rank = np.lexsort((items, times))
        hidden, moment = items[rank][-n:], times[rank][-n]
        profile = items[rank][times[rank] < moment]
        by_row = np.argsort(times, kind="stable")
        unsorted = items[:-n], items[-n:]
        wrong = {
            "the two are swapped: first the profile, then what is hidden.": (hidden, profile),
            "the hidden items are in the profile, too: the model is shown what it must find.": (
                np.concatenate([profile, hidden]), hidden,
            ),
            "the whole history is in the profile: the model is shown what it must find.": (
                items[rank], hidden,
            ),
            "the rows stand in no order: sort by time before you cut.": unsorted,
            "an event in the same second as the first hidden one is in the profile; nobody knows "
            "which came first. Keep what is strictly earlier than the test moment.": (
                items[rank][:-n], hidden,
            ),
            "you hid the first events; hide the last.": (items[rank][n:], items[rank][:n]),
            "equal times are to be ordered by item number, so that the file's order cannot matter.": (
                items[by_row][times[by_row] < times[by_row][-n]], items[by_row][-n:],
            ),
            "those are times; give item numbers.": (
                times[rank][times[rank] < moment], times[rank][-n:],
            ),
            "those are row numbers; give the items of these rows.": (
                rank[times[rank] < moment], rank[-n:],
            ),
            "you hid the highest item numbers; hide the latest events.": (
                np.sort(items)[:-n], np.sort(items)[-n:],
            ),
        }  # fmt: skip
        named = [one for one, (a, b) in wrong.items() if same(got[0], a) and same(got[1], b)]
        note(np.concatenate([part.ravel() for part in got]), wrong, named)
        if not (same(got[0], profile) and same(got[1], hidden)):
            plain = _split_wrong(got, (profile, hidden), items[by_row][-n:], moment, n)
            raise Differs(named, plain, size=len(items))

    at_every_size(["8 events", "10 events", "12 events", "9 events", "6 events"], one)
    return "nothing at or after the test moment is in the profile."


def _pair(result: Any) -> tuple[np.ndarray, np.ndarray]:
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise Mistake("expected two arrays: the profile, and the hidden items.")
    if all(part is ... for part in result):
        raise NotYet
    return np.asarray(result[0]), np.asarray(result[1])


def _split_wrong(
    got: tuple[np.ndarray, np.ndarray],
    right: tuple[np.ndarray, np.ndarray],
    by_row: np.ndarray,
    moment: int,
    n: int,
) -> str:
    """What to say of a split that no known mistake leads to: first the hidden part, then the profile."""
    profile, hidden = right
    if any(part.dtype.kind not in "iuf" for part in got):
        return "expected two arrays of item numbers: the profile, and the hidden items."
    if not same(got[1], hidden):
        if got[1].shape != hidden.shape:
            return (
                f"{got[1].size} items are hidden; hide the {n} latest events, no more and no fewer."
            )
        if same(got[1], by_row):
            return "equal times are to be ordered by item number, so that the file's order cannot matter."
        if same(np.sort(got[1]), np.sort(hidden)):
            return "the hidden items are the right ones, but earliest first, equal times by item number."
        return f"the hidden items should be {hidden.tolist()}."
    if same(np.sort(got[0]), np.sort(profile)):
        return (
            "the hidden items are right, and the profile holds the right ones, but earliest first."
        )
    if got[0].size > profile.size:
        return (
            f"the hidden items are right. The profile holds too much: the test moment is {moment}, keep "
            "what is strictly earlier."
        )
    return f"the hidden items are right; the profile should be {profile.tolist()}."
