"""What a feedback loop does to a catalogue, in numbers: concentration, coverage, distance, regret, recall.

All of them are compared with what the world itself would do: an oracle that knows every taste concentrates,
too, because true tastes do. A loop is what goes beyond that.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from gsl_tutorial.course.datasets.interactions import lots
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.validation import as_array, check_count, describe

#: The head is this share of the catalogue: the items with the most clicks so far.
HEAD_SHARE = 0.1


def gini(counts: Int[np.ndarray, " N"]) -> float:
    """The Gini coefficient of how often items are shown.

    Parameters
    ----------
    counts : (N,) array of numbers, 0 or more
        How often each item was shown.

    Returns
    -------
    float
        0 if all are shown equally often, near 1 if one item takes everything.

    Raises
    ------
    InvalidInputError
        For negative counts, and if nothing was shown at all.

    Examples
    --------
    >>> gini(np.array([5, 5, 5, 5])), gini(np.array([0, 0, 0, 20]))
    (0.0, 0.75)
    """
    ordered = np.sort(_counts(counts))
    n = len(ordered)
    below = np.cumsum(ordered)
    return float((n + 1 - 2 * below.sum() / below[-1]) / n)


def curve(counts: Int[np.ndarray, " N"], points: int = 21) -> Float[np.ndarray, " points"]:
    """The share of what is shown that goes to the most shown part of the catalogue.

    Parameters
    ----------
    counts : (N,) array of numbers, 0 or more
        How often each item was shown.
    points : int
        How many parts of the catalogue, evenly from none to all.

    Returns
    -------
    (points,) float array
        From 0 to 1, rising fast where few items take most.

    Examples
    --------
    >>> curve(np.array([6, 2, 2, 0]), points=5)
    array([0. , 0.6, 0.8, 1. , 1. ])
    """
    check_count(points, name="points", low=2)
    ordered = np.sort(_counts(counts))[::-1]
    reached = np.concatenate([[0], np.cumsum(ordered)]) / ordered.sum()
    return np.interp(np.linspace(0, len(ordered), points), np.arange(len(ordered) + 1), reached)


def head_of(clicks: Int[np.ndarray, " N"]) -> Int[np.ndarray, " h"]:
    """The tenth of the catalogue with the most clicks; lots decide among equals.

    Parameters
    ----------
    clicks : (N,) integer array
        Of each item so far.

    Returns
    -------
    (h,) integer array
        Items, one at least.
    """
    clicks = _counts(clicks)
    order = np.lexsort((lots(np.arange(len(clicks))), -clicks))
    return order[: max(1, int(len(clicks) * HEAD_SHARE))]


def distance(a: Float[np.ndarray, " N"], b: Float[np.ndarray, " N"]) -> float:
    """Total variation between two popularities: the share that would have to move.

    Parameters
    ----------
    a, b : (N,) arrays of numbers, 0 or more
        Each is divided by its sum.

    Returns
    -------
    float
        0 for the same shares, 1 for no item in common.

    Examples
    --------
    >>> distance(np.array([2, 2, 0]), np.array([1, 0, 1]))
    0.5
    """
    a, b = _counts(a), _counts(b)
    return float(np.abs(a / a.sum() - b / b.sum()).sum() / 2)


def true_recall(
    scores: Float[np.ndarray, "U N"], chance: Float[np.ndarray, "U N"], k: int = 20
) -> Float[np.ndarray, " U"]:
    """How much of each user's true best k is in the best k of the scores.

    Parameters
    ----------
    scores : (U, N) float array
        Of a recommender, larger is better.
    chance : (U, N) float array
        The truth.
    k : int
        The length of both lists.

    Returns
    -------
    (U,) float array
        From 0 to 1.
    """
    n = chance.shape[1]
    k = min(check_count(k, name="k", low=1), n)
    # Items stand in the order of their lots, so that among equals no place in the catalogue is favoured.
    order = np.argsort(lots(np.arange(n)))
    best = [np.argpartition(-table[:, order], k - 1, axis=1)[:, :k] for table in (scores, chance)]
    marks = np.zeros(chance.shape, dtype=bool)
    np.put_along_axis(marks, best[1], True, axis=1)
    return np.asarray(np.take_along_axis(marks, best[0], axis=1).mean(axis=1))


def regret(
    shown: Int[np.ndarray, "U k"],
    chance: Float[np.ndarray, "U N"],
    taken: Int[np.ndarray, "U N"],
    looks: Float[np.ndarray, " k"],
) -> float:
    """Clicks that a user misses in one round, on average, for not being shown the best list.

    The best list is that of an oracle, from the items that the same user has not taken yet.

    Parameters
    ----------
    shown : (U, k) integer array
        The lists; -1 for an empty place.
    chance : (U, N) float array
        The truth.
    taken : (U, N) bool array
        What each user has taken before.
    looks : (k,) float array
        The chance that each place is looked at, falling.

    Returns
    -------
    float
        0 or more, in clicks.
    """
    left = np.where(taken, 0.0, chance)
    k = min(len(looks), left.shape[1])
    best = -np.sort(np.partition(-left, k - 1, axis=1)[:, :k], axis=1)
    got = np.where(shown >= 0, np.take_along_axis(chance, shown.clip(min=0), axis=1), 0.0)
    return float((best @ looks[: best.shape[1]] - got @ looks).mean())


def _counts(values: object) -> Float[np.ndarray, " N"]:
    counts = as_array(values, name="counts")
    if counts.ndim != 1 or counts.dtype.kind not in "iuf" or not (counts >= 0).all():
        raise InvalidInputError(
            "a number of 0 or more for every item", describe(counts), "pass counts (N,)"
        )
    if counts.sum() <= 0:
        raise InvalidInputError("at least one count above 0", "none", "show something first")
    return counts.astype(np.float64)
