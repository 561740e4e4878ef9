"""Checks of chapter 11, third part: the feedback loop in a log, found and corrected."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsl_tutorial.course.exercises.checking import call, exercise
from gsl_tutorial.course.exercises.compare import (
    at_every_size,
    compare,
)


def _log(seed: int, n: int, k: int, n_items: int) -> tuple[np.ndarray, ...]:
    """Rank, item, clicked, randomised of n impressions; good films stand high, and high places are seen."""
    rng = np.random.default_rng(seed)
    # Not all places are shown equally often: a rate is no count.
    rank = np.append(rng.choice(k, n, p=np.arange(k, 0, -1) / (k * (k + 1) / 2)), np.arange(k))
    randomised = rng.random(len(rank)) < 0.4
    liked = rng.random(len(rank)) < np.where(randomised, 0.3, 0.9 - 0.5 * rank / k)
    clicked = liked & (rng.random(len(rank)) < 1 / (1 + rank))
    item = rng.integers(n_items, size=len(rank))
    # One randomised impression of each place, with a click; each film is shown, and looked at.
    fixed = np.arange(k)
    return (
        np.concatenate([rank, fixed]),
        np.concatenate([item, rng.permutation(np.arange(k) % n_items)]),
        np.concatenate([clicked, np.ones(k, dtype=bool)]),
        np.concatenate([randomised, np.ones(k, dtype=bool)]),
    )


def _rates(rank: np.ndarray, clicked: np.ndarray, k: int) -> np.ndarray:
    shown = np.bincount(rank, minlength=k)
    return np.asarray(np.bincount(rank[clicked], minlength=k) / np.maximum(shown, 1))


@exercise(
    "11.5",
    hints=(
        "Films that the model chose are better at the top. Only randomised ones are alike at all places.",
        "For each place take two counts over the randomised rows: how often shown, how often clicked. "
        "Their ratio is a click rate.",
        "np.bincount(rank[randomised], minlength=k) counts how often each place was shown, and "
        "with randomised & clicked how often it was clicked. Divide one by the other, then "
        "all of it by the first.",
    ),
)
def place_propensity(answer: Any) -> str:
    """place_propensity(rank (n,), clicked (n,), randomised (n,), k) -> (k,) numbers, the first 1."""

    def one(number: int) -> None:
        n, k = ((160, 4), (300, 6), (200, 5))[number]
        rank, _, clicked, randomised = _log(114 + number, n, k, 8)
        if number == 2:  # nobody clicks at the last place
            clicked = clicked & (rank < k - 1)
        rate = _rates(rank[randomised], clicked[randomised], k)
        right = rate / rate[0]
        every = _rates(rank, clicked, k)
        chosen = _rates(rank[~randomised], clicked[~randomised], k)
        chosen = chosen / chosen[0] if chosen[0] else np.full(k, np.nan)
        counts = np.bincount(rank[randomised & clicked], minlength=k).astype(float)
        shown = np.bincount(rank[randomised], minlength=k)
        overall = np.bincount(rank, minlength=k)
        result = call(answer, rank, clicked, randomised, k)
        compare(
            result,
            right,
            {
                "all rows are in it. The model puts the better films first, so the first places look "
                "even more seen than they are: use the randomised rows alone.": every / every[0],
                "those are the rows that the model chose; use the randomised ones.": chosen,
                "those are clicks, and not all places were shown equally often: divide by how often "
                "each was shown at random.": counts / counts[0],
                "those are numbers of clicks; a propensity is a rate, compared with the first place.": (
                    counts
                ),
                "those are click rates; divide them by that of the first place.": rate,
                "those are click rates of all rows; use the randomised, and divide by the first.": every,
                "the rates add up to 1; divide by that of the first place instead.": rate
                / rate.sum(),
                "divide by the rate of the first place, not by the largest.": rate / rate.max(),
                "that is one over the propensity: the weight of a click, not the chance of a look.": (
                    np.divide(rate[0], rate, out=np.full(k, np.inf), where=rate > 0)
                ),
                "that is how often each place was shown; who clicked there?": shown / shown[0],
                "you divided by how often a place was shown at all; count the randomised rows alone.": (
                    (counts / overall) / (counts[0] / overall[0])
                ),
                "the places at the end on which nobody clicked are missing: np.bincount stops at the "
                "largest number that it meets, so give it minlength=k.": rate[
                    : 1 + rate.nonzero()[0][-1]
                ]
                / rate[0],
                "that is the rule of the simulator; estimate it from the log.": 1
                / (1 + np.arange(k)),
            },
            otherwise=lambda at: (
                "these are not the click rates of randomised films over that of the first place. At place "
                f"{at[0]} there were {counts[at]:.0f} clicks on {shown[at]} of them, at place 0 "
                f"{counts[0]:.0f} on {shown[0]}, so expected {right[at]:.4f}."
            ),
        )

    at_every_size(["4 places", "6 places", "5 places, the last one without a click"], one)
    return (
        "randomised films are alike at all places, so what is left is who looked. "
        "Without a little exploration no log could tell."
    )


@exercise(
    "11.6",
    hints=(
        "A film that stood at the end was hardly seen. How many looks did each film get?",
        "One impression at place r is worth looks[r] of a look; add these up for each film.",
        "np.bincount adds up weights: with weights=looks[rank] and minlength=n_items it gives the looks of "
        "each film. Count the items of the clicked rows in the same way, and divide.",
    ),
)
def clicks_per_look(answer: Any) -> str:
    """clicks_per_look(item (n,), rank (n,), clicked (n,), looks (k,), n_items) -> (n_items,) numbers."""

    def one(number: int) -> None:
        n, k, n_items = ((150, 4, 5), (320, 6, 9), (200, 5, 7))[number]
        rank, item, clicked, _ = _log(117 + number, n, k, n_items)
        item = np.append(item, np.arange(n_items))
        rank = np.append(rank, np.arange(n_items) % k)
        clicked = np.append(clicked, np.arange(n_items) % 2 == 0)
        if number == 2:  # nobody clicks on the last film
            clicked = clicked & (item < n_items - 1)
        looks = np.array([1.0, 0.6, 0.35, 0.3, 0.2, 0.15])[:k]

        def per_film(weights: np.ndarray) -> np.ndarray:
            return np.bincount(item, weights=weights, minlength=n_items)

        clicks, shown, seen = per_film(clicked), per_film(np.ones(len(item))), per_film(looks[rank])
        right = clicks / seen
        weighted = per_film(clicked / looks[rank])
        of_clicked = per_film(clicked * looks[rank])
        result = call(answer, item, rank, clicked, looks, n_items)
        compare(
            result,
            right,
            {
                "those are clicks: the film that is shown most wins, which is the loop itself. Divide by "
                "the looks that each film got.": clicks,
                "you divided by how often a film was shown. A place at the end is hardly looked at: an "
                "impression counts looks[rank].": clicks / shown,
                "those are looks; how many of them led to a click?": seen,
                "each click counts one over its propensity, as it should, but a film shown twice as "
                "often still counts twice. Divide by how often it was shown.": weighted,
                "that is unbiased as well: each click counts one over its propensity. But one click at the "
                "last place moves it a lot. Asked for are clicks over looks, which is steadier.": (
                    weighted / shown
                ),
                "you multiplied the clicks by their propensity; what is seen rarely must count more.": (
                    of_clicked
                ),
                "the looks are counted at clicked places alone; a look without a click is a look.": (
                    np.divide(clicks, of_clicked, out=np.zeros(n_items), where=of_clicked > 0)
                ),
                "the fraction is upside down: clicks over looks.": np.divide(
                    seen, clicks, out=np.full(n_items, np.inf), where=clicks > 0
                ),
                "these are shares that add up to 1; give clicks per look.": right / right.sum(),
                "those are shares of all clicks, which is what the loop feeds on; divide by looks.": (
                    clicks / clicks.sum()
                ),
                "you divided the clicks by the looks twice.": weighted / seen,
            },
            otherwise=lambda at: (
                "these are not the clicks of each film over the looks that it got. Film "
                f"{at[0]} had {clicks[at]:.0f} clicks on {seen[at]:.2f} looks, so expected {right[at]:.4f}."
            ),
        )

    at_every_size(["5 films", "9 films", "7 films, the last one without a click"], one)
    return "a film is judged by those who saw it, however often it was shown."
