"""Who took what, and when: interactions, and the split that leaves each user's last ones out.

To judge a recommender we hide the end of every user's history and ask for it. Three rules keep that
honest. *Ties*: events of the same user in the same second have no order (in MovieLens a whole evening's
ratings may share one), so lots are drawn among them: `lots`, the same on every machine and in every order
of the file. The number of the item would not do: films are numbered by age, and the last of an evening
would be its newest. *No order inside a second*: none of these events may stand in the profile of
another. *The test moment*: a training event that shares its second with the first hidden one is dropped,
so that everything learned from is strictly earlier.

Source: leave-last-out as in He et al. 2017 (arXiv 1708.05031). Changed: several events are hidden from
each user, and the three rules are spelled out. Other users' later events remain in the training set: this
is a split by user, not by the clock of the world.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Shaped

from gsl_tutorial.course.datasets.splits import read_only
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import as_array, check_count, describe


class TooFewInteractionsError(InvalidInputError):
    """A user has not enough interactions to hide some and learn from the rest."""


@dataclass(frozen=True, eq=False, repr=False)
class Interactions:
    """Events sorted by user, then time, then by lot (`lots`); users and items count from 0.

    Parameters
    ----------
    user, item : (n,) integer arrays
        Who took what.
    time : (n,) integer array
        In whole seconds, or any whole numbers that grow.
    n_users, n_items : int
        How many there are, those without events included.

    Raises
    ------
    InvalidInputError
        Unless the three arrays are whole numbers of one length, within range.
    """

    user: Int[np.ndarray, " n"]
    item: Int[np.ndarray, " n"]
    time: Int[np.ndarray, " n"]
    n_users: int
    n_items: int

    def __post_init__(self) -> None:
        user, item, time = (
            as_array(getattr(self, name), name=name) for name in ("user", "item", "time")
        )
        for name, array in (("user", user), ("item", item), ("time", time)):
            if array.ndim != 1 or array.dtype.kind not in "iu" or array.shape != user.shape:
                raise InvalidInputError(
                    f"{name} as whole numbers, one for each event ({user.size})",
                    describe(array),
                    "pass three arrays of one length",
                )
        for name, array, size in (("user", user, self.n_users), ("item", item, self.n_items)):
            check_count(size, name=f"n_{name}s", low=1)
            if len(array) and not 0 <= array.min() <= array.max() < size:
                raise InvalidInputError(
                    f"{name} numbers from 0 to {size - 1}",
                    f"numbers from {array.min()} to {array.max()}",
                    "number them from 0; ids of a file are not row numbers",
                )
        order = np.lexsort((item, lots(user, item), time, user))
        for name, array in (("user", user), ("item", item), ("time", time)):
            object.__setattr__(self, name, read_only(array[order].astype(np.int64)))

    def __len__(self) -> int:
        return len(self.user)

    def __repr__(self) -> str:
        return f"Interactions({len(self):,} of {self.n_users:,} users, {self.n_items:,} items)"

    @property
    def starts(self) -> Int[np.ndarray, " n_users_plus_1"]:
        """Where each user's events begin; the last entry is the number of events."""
        return np.searchsorted(self.user, np.arange(self.n_users + 1))

    @property
    def moments(self) -> Int[np.ndarray, " n"]:
        """Where each event's moment begins: at the first event of its user with the same time."""
        changes = np.ones(len(self), dtype=bool)
        changes[1:] = np.diff(self.user).astype(bool) | np.diff(self.time).astype(bool)
        first = np.flatnonzero(changes)
        return np.asarray(first[np.cumsum(changes) - 1], dtype=np.int64)

    def counts(self) -> Int[np.ndarray, " n_items"]:
        """How often each item was taken."""
        return np.bincount(self.item, minlength=self.n_items)

    def take(self, rows: Shaped[np.ndarray, " k"]) -> Interactions:
        """The events of these rows; users and items keep their numbers.

        Parameters
        ----------
        rows : (k,) integer array, or (n,) mask
            Positions of events.

        Returns
        -------
        Interactions
        """
        return Interactions(
            self.user[rows], self.item[rows], self.time[rows], self.n_users, self.n_items
        )


@dataclass(frozen=True, repr=False)
class Histories:
    """What is learned from, chosen on, and tested on: no user's training reaches a hidden moment.

    Attributes
    ----------
    train, validation, test : Interactions
        Each user's earlier events, the hidden ones to choose on, and the last ones.
    n_dropped : int
        How many events are in none of them, because they share their time with a hidden one.
    """

    train: Interactions
    validation: Interactions
    test: Interactions
    n_dropped: int = 0

    def __repr__(self) -> str:
        parts = ", ".join(f"{name} {len(getattr(self, name)):,}" for name in _PARTS)
        return f"Histories({parts}, dropped at the moment of a hidden one {self.n_dropped:,})"

    @property
    def seen_before_test(self) -> Interactions:
        """Training and validation events together: what a user's profile may show at test time."""
        a, b = self.train, self.validation
        return Interactions(
            np.concatenate([a.user, b.user]),
            np.concatenate([a.item, b.item]),
            np.concatenate([a.time, b.time]),
            a.n_users,
            a.n_items,
        )


def lots(*numbers: Int[np.ndarray, "..."], seed: int = 0) -> Shaped[np.ndarray, "..."]:
    """A lot for each tuple of whole numbers: as good as random, and the same every time.

    What must be put in some order and has none is sorted by its lot. Unlike a stream of random
    numbers, a lot depends on nothing but its own numbers: not on the order of a file, nor on who is
    asked first.

    Parameters
    ----------
    *numbers : integer arrays
        Of shapes that broadcast; one number of each makes a tuple.
    seed : int
        Another seed gives other lots.

    Returns
    -------
    uint64 array
        Of the shape to which the numbers broadcast.

    References
    ----------
    The mixing is that of SplitMix64 (Steele, Lea and Flood 2014).

    Examples
    --------
    >>> lots(np.array([1, 2, 1])) % 100
    array([65, 10, 65], dtype=uint64)
    """
    mixed = np.asarray(np.uint64(seed))
    with np.errstate(over="ignore"):  # arithmetic modulo 2**64 is what is meant
        for each in numbers:
            mixed = mixed ^ np.asarray(each).astype(np.int64).view(np.uint64)
            mixed = mixed + np.uint64(0x9E3779B97F4A7C15)
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            mixed = mixed ^ (mixed >> np.uint64(31))
    return mixed


_PARTS = ("train", "validation", "test")


def only_active(events: Interactions, *, at_least: int) -> Interactions:
    """Keep users with at least so many events, and number these users anew from 0.

    Parameters
    ----------
    events : Interactions
        Of all users.
    at_least : int
        How many events a user must have, 1 or more.

    Returns
    -------
    Interactions
        Of the users who stay; items keep their numbers.

    Raises
    ------
    TooFewInteractionsError
        If no user has so many.
    """
    check_count(at_least, name="at_least", low=1)
    counts = np.bincount(events.user, minlength=events.n_users)
    kept = counts >= at_least
    if not kept.any():
        raise TooFewInteractionsError(
            f"users with {at_least} events or more",
            f"none; the most active one has {counts.max(initial=0)}",
            "lower at_least",
        )
    number = np.cumsum(kept) - 1
    rows = kept[events.user]
    return Interactions(
        number[events.user[rows]],
        events.item[rows],
        events.time[rows],
        int(kept.sum()),
        events.n_items,
    )


def leave_last_out(events: Interactions, *, n_test: int = 1, n_validation: int = 1) -> Histories:
    """Hide each user's last `n_test` events, and the `n_validation` before them.

    Where the cut goes through events of one moment, lots decide which of them are hidden. Events
    that share their second with the first hidden event after them are dropped, so that training
    events are strictly earlier than validation events, and these strictly earlier than test events.

    Parameters
    ----------
    events : Interactions
        Of all users.
    n_test, n_validation : int
        How many events of each user to hide, 1 or more.

    Returns
    -------
    Histories

    Raises
    ------
    TooFewInteractionsError
        For a user with fewer than n_test + n_validation + 1 events.
    """
    check_count(n_test, name="n_test", low=1)
    check_count(n_validation, name="n_validation", low=1)
    counts = np.bincount(events.user, minlength=events.n_users)
    needed = n_test + n_validation + 1
    if (counts < needed).any():
        poor = np.flatnonzero(counts < needed)
        raise TooFewInteractionsError(
            f"{needed} events or more of every user ({n_test} to test, {n_validation} to choose, "
            "one to learn from)",
            f"{len(poor)} users with fewer, user {poor[0]} has {counts[poor[0]]}",
            f"call only_active(events, at_least={needed}) first",
        )
    ends = events.starts[1:]
    left = ends[events.user] - np.arange(len(events))  # 1 for a user's last event
    is_test, is_hidden = left <= n_test, left <= n_test + n_validation
    test_moment = events.time[ends - n_test][events.user]
    validation_moment = events.time[ends - n_test - n_validation][events.user]
    train = ~is_hidden & (events.time < validation_moment)
    validation = is_hidden & ~is_test & (events.time < test_moment)
    dropped = len(events) - int((train | validation | is_test).sum())
    return Histories(
        events.take(train), events.take(validation), events.take(is_test), n_dropped=dropped
    )
