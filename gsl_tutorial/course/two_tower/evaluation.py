"""How good are the lists? Recall, NDCG, coverage, popularity and the tail, over the whole catalogue.

Every item that the user has not had before the test moment is ranked; none is left out to make the task
easier (sampled metrics mislead: Krichene and Rendle 2020). Beside "found or not" stands *what* was
retrieved: how popular, how much of the catalogue, and whether rare items were found at all.

Equal scores have no order. Short codes give many of them, so among equal scores lots are drawn for each
user (`interactions.lots`): by position, a scorer that knows nothing would be given the recall and the
popularity of whatever stands first in the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from gsl_tutorial.course.datasets.interactions import Interactions, lots
from gsl_tutorial.course.two_tower.data import TwoTowerData, last_events
from gsl_tutorial.course.two_tower.sampling import InvertedLists
from gsl_tutorial.course.two_tower.training import Trained
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers import Quantizer
from gsl_tutorial.validation import as_array, check_count, describe

CUTS = (10, 50, 100)
#: The tail is this share of the catalogue: the items with the fewest training events.
TAIL_SHARE = 0.8

#: (users (B, dim), items (N, dim)) -> (B, N), larger is better.
Scorer = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Measured:
    """Means over users, and the recall at 10 of each user for paired comparisons.

    Attributes
    ----------
    figures : dict of str to float
        By name, see `measure_lists`.
    recall_at_10 : (U,) float array
        Of each user.
    """

    figures: dict[str, float]
    recall_at_10: Float[np.ndarray, " U"] = field(repr=False)


def exact(users: Float[np.ndarray, "B dim"], items: Float[np.ndarray, "N dim"]) -> Any:
    """Inner products.

    Parameters
    ----------
    users : (B, dim) float array
        Vectors of users.
    items : (N, dim) float array
        Vectors of items.

    Returns
    -------
    (B, N) float array
    """
    return users @ items.T


def by_codes(quantizer: Quantizer) -> Scorer:
    """Scores of the items' codes alone: minus the ADC distance of chapter 03.

    Parameters
    ----------
    quantizer : Quantizer
        What makes codes of the items' vectors.

    Returns
    -------
    callable(users, items)
        A scorer, like `exact`.
    """

    def score(users: np.ndarray, items: np.ndarray) -> np.ndarray:
        return -quantizer.distances(users, quantizer.encode(items))

    return score


def measure_towers(
    trained: Trained,
    data: TwoTowerData,
    *,
    part: str = "test",
    scorer: Scorer = exact,
    block: int = 256,
) -> Measured:
    """Rank the whole catalogue for every user with hidden events in `part`.

    What the profile's user had before is left out of the ranking.

    Parameters
    ----------
    trained : Trained
        The towers.
    data : TwoTowerData
        The users, and what is hidden of them.
    part : str
        "validation" (profiles of training events) or "test" (profiles of training and validation).
    scorer : callable(users, items)
        `exact`, or what `by_codes` returned.
    block : int
        How many users to rank at a time.

    Returns
    -------
    Measured

    Raises
    ------
    InvalidInputError
        For another part.
    """
    if part not in ("validation", "test"):
        raise InvalidInputError("part validation or test", repr(part), "choose one")
    check_count(block, name="block", low=1)
    events = data.events
    known = events.train if part == "validation" else events.seen_before_test
    hidden: Interactions = getattr(events, part)
    users = np.unique(hidden.user)
    vectors, items = _vectors(trained, known, users)
    top = np.concatenate(
        [
            top_items(scorer(vectors[rows], items), known, users[rows], max(CUTS))
            for rows in np.array_split(np.arange(len(users)), -(-len(users) // block))
        ]
    )
    return measure_lists(top, users, hidden, data.popularity)


def recommended(
    trained: Trained, data: TwoTowerData, users: Int[np.ndarray, " B"], k: int
) -> Int[np.ndarray, "B k"]:
    """The k items that the towers rank first for some users, given all events before the test.

    Parameters
    ----------
    trained : Trained
        The towers.
    data : TwoTowerData
        The users, and what they had.
    users : (B,) integer array
        For whom.
    k : int
        The length of a list; cut to the size of the catalogue.

    Returns
    -------
    (B, k) integer array
        Items, best first, none of which the user had; see `top_items`.
    """
    users = _whole(users, "users")
    known = data.events.seen_before_test
    vectors, items = _vectors(trained, known, users)
    return top_items(exact(vectors, items), known, users, k)


def _vectors(
    trained: Trained, known: Interactions, users: Int[np.ndarray, " B"]
) -> tuple[Float[np.ndarray, "B dim"], Float[np.ndarray, "N dim"]]:
    """Vectors of these users, from what they had last, and of all items."""
    profiles = last_events(known, trained.config.history)
    with torch.no_grad():
        items = trained.model.items().numpy()
        vectors = trained.model.users(
            torch.from_numpy(profiles[users]),
            torch.from_numpy(users) if trained.config.user_id else None,
        ).numpy()
    return vectors, items


def top_items(
    scores: Float[np.ndarray, "B N"],
    known: Interactions,
    users: Int[np.ndarray, " B"],
    k: int,
    *,
    seed: int = 0,
) -> Int[np.ndarray, "B k"]:
    """The k best items of each row, best first, without those that the user had.

    Among equal scores each user's own lots decide, so a list does not depend on the other rows.

    Parameters
    ----------
    scores : (B, N) array
        A row for each user, larger is better.
    known : Interactions
        What users had.
    users : (B,) integer array
        Whose rows they are.
    k : int
        The length of a list; cut to N.
    seed : int
        Draws the lots.

    Returns
    -------
    (B, k) integer array
        Items; -1 fills up where fewer than k are left.

    Raises
    ------
    InvalidInputError
        On NaN, and for rows that are not one for each user.

    Examples
    --------
    >>> known = Interactions(np.array([0]), np.array([2]), np.array([5]), 1, 4)
    >>> top_items(np.array([[0.1, 0.9, 0.8, 0.3]]), known, np.array([0]), 4)
    array([[ 1,  3,  0, -1]])
    """
    scores = as_array(scores, name="scores")
    users = _whole(users, "users")
    if scores.shape != (len(users), known.n_items) or scores.dtype.kind not in "biuf":
        raise InvalidInputError(
            f"scores ({len(users)}, {known.n_items}): a row for each user, a column for each item",
            describe(scores),
            "score the whole catalogue for these users",
        )
    scores = scores.astype(np.float64)
    if np.isnan(scores).any():
        raise InvalidInputError(
            f"scores without NaN for {len(users)} users",
            f"NaN in {int(np.isnan(scores).any(axis=1).sum())} rows",
            "look for NaN in the towers' vectors: a diverged training",
        )
    if len(users) and not 0 <= users.min() <= users.max() < known.n_users:
        raise InvalidInputError(
            f"users from 0 to {known.n_users - 1}", f"{users.min()} to {users.max()}",
            "number users as the events do",
        )  # fmt: skip
    k = min(check_count(k, name="k", low=1), scores.shape[1])
    starts = known.starts
    out = np.full((len(scores), k), -1, dtype=np.int64)
    for line, user, places in zip(scores, users, out, strict=True):
        free = np.ones(len(line), dtype=bool)
        free[known.item[starts[user] : starts[user + 1]]] = False
        left = np.flatnonzero(free)
        n = min(k, len(left))
        if n == 0:
            continue
        # Only what may be in the list is sorted: at least as good as the n-th best score.
        bar = np.partition(line[left], len(left) - n)[len(left) - n]
        near = left[line[left] >= bar]
        order = np.lexsort((near, lots(user, near, seed=seed), -line[near]))
        places[:n] = near[order[:n]]
    return out


def measure_lists(
    top: Int[np.ndarray, "U k"],
    users: Int[np.ndarray, " U"],
    hidden: Interactions,
    popularity: Int[np.ndarray, " N"],
) -> Measured:
    """All figures of ranked lists.

    Parameters
    ----------
    top : (U, k) integer array
        Row u is the list of users[u], best first; -1 may fill up its end.
    users : (U,) integer array
        Of whom something is hidden.
    hidden : Interactions
        What the lists should find.
    popularity : (N,) integer array
        Training events of each item.

    Returns
    -------
    Measured

    Raises
    ------
    InvalidInputError
        For items that there are not, or that a list repeats.

    Notes
    -----
    recall@k: found of the user's hidden items. ndcg@10: discounted by rank, 1 for a perfect list.
    coverage@10: share of the catalogue that is in any list. popularity@10: mean number of training
    events of what is retrieved. tail_recall@50: recall of hidden items in the less popular four
    fifths (where the cut goes through items of equal popularity, lots decide); tail_events: how
    many these are.
    """
    users, popularity = _whole(users, "users"), _whole(popularity, "popularity")
    if hidden.n_items != len(popularity) or not np.isin(users, hidden.user).all():
        raise InvalidInputError(
            f"the popularity of {hidden.n_items} items, and users with hidden events",
            f"{len(popularity)} items, {len(users)} users",
            "measure lists of users of whom something was hidden",
        )
    top = _checked_lists(top, len(users), len(popularity))
    starts = hidden.starts
    numbers = np.arange(len(popularity))
    order = np.lexsort((lots(numbers), -popularity))
    tail = np.zeros(len(popularity), dtype=bool)
    tail[order[int(len(order) * (1 - TAIL_SHARE)) :]] = True
    recalls: dict[int, list[float]] = {k: [] for k in CUTS}
    ndcg, tail_found, tail_total = [], 0, 0
    discount = 1 / np.log2(np.arange(2, 12))
    for row, user in enumerate(users):
        wanted = hidden.item[starts[user] : starts[user + 1]]
        hits = np.isin(top[row], wanted)
        for k in CUTS:
            recalls[k].append(hits[:k].sum() / len(wanted))
        ndcg.append((hits[:10] * discount[: len(hits[:10])]).sum() / discount[: len(wanted)].sum())
        rare = wanted[tail[wanted]]
        tail_total += len(rare)
        tail_found += int(np.isin(rare, top[row, :50]).sum())
    shown = top[:, :10][top[:, :10] >= 0]
    figures = {f"recall@{k}": float(np.mean(recalls[k])) for k in CUTS}
    figures |= {
        "ndcg@10": float(np.mean(ndcg)),
        "coverage@10": len(np.unique(shown)) / len(popularity),
        "popularity@10": float(popularity[shown].mean()) if len(shown) else 0.0,
        "tail_recall@50": tail_found / tail_total if tail_total else 0.0,
        "tail_events": float(tail_total),
    }
    return Measured(figures, np.array(recalls[10]))


def _whole(values: object, name: str) -> Int[np.ndarray, " n"]:
    array = as_array(values, name=name)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InvalidInputError(f"{name} as whole numbers (n,)", describe(array), "pass integers")
    return array.astype(np.int64)


def _checked_lists(top: object, n_users: int, n_items: int) -> Int[np.ndarray, "U k"]:
    """Lists of different items, filled up with -1 at their ends only."""
    lists = as_array(top, name="lists")
    if lists.ndim != 2 or len(lists) != n_users or lists.dtype.kind not in "iu":
        raise InvalidInputError(
            f"a list of item numbers for each of {n_users} users", describe(lists),
            "pass what `top_items` returned for these users",
        )  # fmt: skip
    lists = lists.astype(np.int64)
    ends_too_soon = (lists[:, :-1] < 0) & (lists[:, 1:] >= 0)
    if lists.size and (lists.min() < -1 or lists.max() >= n_items or ends_too_soon.any()):
        raise InvalidInputError(
            f"items from 0 to {n_items - 1}, and -1 at the ends of lists only",
            f"numbers from {lists.min()} to {lists.max()}",
            "number the items as the catalogue does",
        )
    in_order = np.sort(lists, axis=1)
    if ((in_order[:, 1:] == in_order[:, :-1]) & (in_order[:, 1:] >= 0)).any():
        raise InvalidInputError(
            "lists that name an item once", "an item twice in one list", "leave the second one out"
        )
    return lists


def false_negative_rate(
    data: TwoTowerData, cells: Int[np.ndarray, " N"] | None = None
) -> dict[str, float]:
    """How often a draw for a training event is an item that the user likes, exactly, on average.

    Parameters
    ----------
    data : TwoTowerData
        The users, and what they like.
    cells : (N,) integer array, optional
        Where draws come from; None asks it of uniform draws.

    Returns
    -------
    dict
        Two shares: "known", the item is in the user's training history, so the sampler excludes it;
        "hidden", it is among the validation or test events, so nothing can exclude it.
    """
    events = data.events
    n = events.train.n_items
    if cells is None:
        cells = np.zeros(n, dtype=np.int64)
    sizes = InvertedLists.of(cells).sizes
    n_cells = len(sizes)

    def per_cell(one: Interactions) -> np.ndarray:
        keys = one.user * n_cells + cells[one.item]
        return np.bincount(keys, minlength=one.n_users * n_cells).reshape(one.n_users, n_cells)

    own = per_cell(events.train)
    later = per_cell(events.validation) + per_cell(events.test)
    user, cell = events.train.user, cells[events.train.item]
    mates = sizes[cell] - 1
    return {
        "known": float(((own[user, cell] - 1) / mates).mean()),
        "hidden": float((later[user, cell] / mates).mean()),
    }
