"""The log of a recommender: what was shown to whom, at which place, in which round, and what was clicked.

A log does not say what a user likes. It says what the user was shown, looked at, and liked: a film that was
never shown cannot be clicked, and one at the end of a list hardly ever is. `exposure_weights` makes up for
both, as far as a log allows.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Bool, Float, Int

from gsl_tutorial.course.datasets.interactions import Histories, Interactions
from gsl_tutorial.errors import InvalidInputError

#: Times of a log: those of round t lie from t * MOMENTS on, one for each place of the list.
MOMENTS = 1000
#: A weight is at most so many times the mean one: the price of a steadier training is a little bias.
LARGEST_WEIGHT = 10.0


class NoClicksError(InvalidInputError):
    """In a round nobody clicked on anything: there is nothing to learn from."""


@dataclass(frozen=True, eq=False)
class Log:
    """Impressions in the order in which they were shown.

    Attributes
    ----------
    user, item, round, rank : (n,) integer arrays
        Who was shown what, in which round, and at which place, counted from 0.
    looks : (n,) float array
        The chance that the place was looked at.
    clicked : (n,) bool array
        Whether the user clicked.
    randomised : (n,) bool array
        Whether the film stood there at random, and not because somebody thought that the user likes it.
    """

    user: Int[np.ndarray, " n"]
    item: Int[np.ndarray, " n"]
    round: Int[np.ndarray, " n"]
    rank: Int[np.ndarray, " n"]
    looks: Float[np.ndarray, " n"]
    clicked: Bool[np.ndarray, " n"]
    randomised: Bool[np.ndarray, " n"]

    def __len__(self) -> int:
        return len(self.user)

    def followed_by(self, other: Log) -> Log:
        """Both logs as one."""
        return Log(
            *(np.concatenate([getattr(self, f.name), getattr(other, f.name)]) for f in fields(Log))
        )

    def clicks(self, n_items: int) -> Int[np.ndarray, " n_items"]:
        """How often each item was clicked."""
        return np.bincount(self.item[self.clicked], minlength=n_items)

    def taken(self, n_users: int, n_items: int) -> Bool[np.ndarray, "n_users n_items"]:
        """What each user has clicked.

        Parameters
        ----------
        n_users, n_items : int
            How many there are.

        Returns
        -------
        (n_users, n_items) array of bool
            True where the user has clicked on the item.
        """
        table = np.zeros((n_users, n_items), dtype=bool)
        table[self.user[self.clicked], self.item[self.clicked]] = True
        return table

    def take(self, rows: Bool[np.ndarray, " n"]) -> Log:
        """These impressions alone."""
        return Log(*(getattr(self, f.name)[rows] for f in fields(Log)))

    def events(self, n_users: int, n_items: int) -> Interactions:
        """The clicks as training events, in the order in which they happened.

        Parameters
        ----------
        n_users, n_items : int
            How many there are.

        Returns
        -------
        Interactions
        """
        rows = np.flatnonzero(self.clicked)
        time = self.round[rows] * MOMENTS + self.rank[rows]
        return Interactions(self.user[rows], self.item[rows], time, n_users, n_items)


def impressions(
    shown: Int[np.ndarray, "U k"],
    looks: Float[np.ndarray, " k"],
    chance: Float[np.ndarray, "U N"],
    *,
    number: int,
    randomised: Bool[np.ndarray, "U k"],
    rng: np.random.Generator,
) -> Log:
    """Show a list to every user and write down what they click.

    The coins that decide are tossed for every user and item, whatever is shown: two recommenders that
    show the same film to the same user in the same round see the same answer.

    Parameters
    ----------
    shown : (U, k) integer array
        The lists; -1 for an empty place.
    looks : (k,) float array
        The chance that each place is looked at.
    chance : (U, N) float array
        The chance of a click once it is.
    number : int
        Of the round.
    randomised : (U, k) bool array
        Which places were filled at random.
    rng : Generator
        Where the randomness comes from.

    Returns
    -------
    Log

    Raises
    ------
    NoClicksError
        If nobody clicked.
    """
    coins = rng.random(chance.shape)
    users, ranks = np.nonzero(shown >= 0)
    items = shown[users, ranks]
    clicked = coins[users, items] < looks[ranks] * chance[users, items]
    if not clicked.any():
        raise NoClicksError(
            f"a click in round {number}",
            f"none on {len(items):,} films shown to {len(shown):,} users",
            "show more, weaken the position effect, or make users who like something",
        )
    round_ = np.full(len(users), number)
    return Log(users, items, round_, ranks, looks[ranks], clicked, randomised[users, ranks])


def histories(events: Interactions) -> Histories:
    """All events to learn from; nothing is hidden, because the truth is known."""
    nothing = events.take(np.zeros(len(events), dtype=bool))
    return Histories(events, nothing, nothing)


def looks_by_rank(log: Log, n_slots: int) -> Float[np.ndarray, " n_slots"]:
    """How often each place is looked at, compared with the first, as a log tells it.

    Films that stand somewhere at random are alike at all places, so that what is clicked less there was
    looked at less. This is a **propensity**: what must be known to undo the position effect.

    Parameters
    ----------
    log : Log
        With places filled at random.
    n_slots : int
        The length of a list.

    Returns
    -------
    (n_slots,) float array
        The click rate of randomised films at each place over that at the first.

    Raises
    ------
    NoClicksError
        If no randomised film was clicked at the first place.
    """
    rows = log.randomised
    shown = np.bincount(log.rank[rows], minlength=n_slots)[:n_slots]
    clicks = np.bincount(log.rank[rows & log.clicked], minlength=n_slots)[:n_slots]
    if not clicks[0]:
        raise NoClicksError(
            "a click on a randomised film at the first place",
            f"none on {int(shown[0])}",
            "explore more, or log for longer",
        )
    rate = clicks / np.maximum(shown, 1)
    return np.asarray(rate / rate[0])


def clicks_per_look(
    log: Log, looks: Float[np.ndarray, " n_slots"], n_items: int
) -> Float[np.ndarray, " n_items"]:
    """How often each film is clicked once it is looked at.

    Parameters
    ----------
    log : Log
        What was shown, at which place, and what was clicked.
    looks : (n_slots,) float array
        How often each place is looked at.
    n_items : int
        The size of the catalogue.

    Returns
    -------
    (n_items,) float array
        NaN for a film that was never shown: of that nothing is known.
    """
    seen = np.bincount(log.item, weights=looks[log.rank], minlength=n_items)
    return np.divide(log.clicks(n_items), seen, out=np.full(n_items, np.nan), where=seen > 0)


def exposure_weights(log: Log, events: Interactions, n_items: int) -> Float[np.ndarray, " n"]:
    """Count each click less, the more often its item was looked at.

    An item's **exposure** is the expected number of looks at it: the sum, over all times it was shown, of
    the chance that its place was looked at. A click counts 1 / exposure, so that the clicks of an item
    add up to its clicks per look. Weights have mean 1 and are cut at 10.

    Parameters
    ----------
    log : Log
        All that was shown.
    events : Interactions
        Its clicks.
    n_items : int
        The size of the catalogue.

    Returns
    -------
    (n,) float array
        A weight for each event.
    """
    exposure = np.bincount(log.item, weights=log.looks, minlength=n_items)
    weights = 1 / exposure[events.item]
    return np.asarray(np.minimum(weights / weights.mean(), LARGEST_WEIGHT))
