"""How good are the lists? Recall, NDCG, coverage, popularity and the tail, over the whole catalogue.

Every item that the user has not had before the test moment is ranked; none is left out to make the task
easier (sampled metrics mislead: Krichene and Rendle 2020). Beside "found or not" stands *what* was
retrieved: how popular, how much of the catalogue, and whether rare items were found at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int

from gsl_tutorial.course.datasets.interactions import Interactions
from gsl_tutorial.course.two_tower.data import TwoTowerData, last_events
from gsl_tutorial.course.two_tower.sampling import InvertedLists
from gsl_tutorial.course.two_tower.training import Trained
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.quantizers import Quantizer
from gsl_tutorial.validation import check_count

CUTS = (10, 50, 100)
#: The tail is this share of the catalogue: the items with the fewest training events.
TAIL_SHARE = 0.8

#: (users (B, dim), items (N, dim)) -> (B, N), larger is better.
Scorer = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Measured:
    """Means over users, and the recall at 10 of each user for paired comparisons."""

    figures: dict[str, float]
    recall_at_10: Float[np.ndarray, " U"] = field(repr=False)


def exact(users: Float[np.ndarray, "B dim"], items: Float[np.ndarray, "N dim"]) -> Any:
    """Inner products."""
    return users @ items.T


def by_codes(quantizer: Quantizer) -> Scorer:
    """Scores of the items' codes alone: minus the ADC distance of chapter 03."""

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

    part: "validation" (profiles of training events) or "test" (profiles of training and validation).
    What the profile's user had before is left out of the ranking.
    """
    if part not in ("validation", "test"):
        raise InvalidInputError("part validation or test", repr(part), "choose one")
    check_count(block, name="block", low=1)
    events = data.events
    known = events.train if part == "validation" else events.seen_before_test
    hidden: Interactions = getattr(events, part)
    users = np.unique(hidden.user)
    profiles = last_events(known, trained.config.history)
    with torch.no_grad():
        items = trained.model.items().numpy()
        vectors = trained.model.users(
            torch.from_numpy(profiles[users]),
            torch.from_numpy(users) if trained.config.user_id else None,
        ).numpy()
    top = np.concatenate(
        [
            top_items(scorer(vectors[rows], items), known, users[rows], max(CUTS))
            for rows in np.array_split(np.arange(len(users)), -(-len(users) // block))
        ]
    )
    return measure_lists(top, users, hidden, data.popularity)


def top_items(
    scores: Float[np.ndarray, "B N"],
    known: Interactions,
    users: Int[np.ndarray, " B"],
    k: int,
) -> Int[np.ndarray, "B k"]:
    """The k best items of each row, best first, without those that the user had. Ties: by item."""
    scores = np.array(scores, dtype=np.float64)
    starts = known.starts
    for row, user in enumerate(users):
        scores[row, known.item[starts[user] : starts[user + 1]]] = -np.inf
    k = min(k, scores.shape[1])
    # A stable sort of the few that may be in the list: at least as good as the k-th best score.
    out = np.empty((len(scores), k), dtype=np.int64)
    for row, line in enumerate(scores):
        bar = np.partition(line, -k)[-k]
        near = np.flatnonzero(line >= bar)
        out[row] = near[np.argsort(-line[near], kind="stable")[:k]]
    return out


def measure_lists(
    top: Int[np.ndarray, "U k"],
    users: Int[np.ndarray, " U"],
    hidden: Interactions,
    popularity: Int[np.ndarray, " N"],
) -> Measured:
    """All figures of ranked lists; row u of `top` is the list of users[u].

    Recall@k: found of the user's hidden items. NDCG@10: discounted by rank, 1 for a perfect list.
    coverage@10: share of the catalogue that is in any list. popularity@10: mean number of training
    events of what is retrieved. tail_recall@50: recall of hidden items in the less popular four fifths.
    """
    starts = hidden.starts
    order = np.argsort(-popularity, kind="stable")
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
    figures = {f"recall@{k}": float(np.mean(recalls[k])) for k in CUTS}
    figures |= {
        "ndcg@10": float(np.mean(ndcg)),
        "coverage@10": len(np.unique(top[:, :10])) / len(popularity),
        "popularity@10": float(popularity[top[:, :10]].mean()),
        "tail_recall@50": tail_found / tail_total if tail_total else 0.0,
        "tail_events": float(tail_total),
    }
    return Measured(figures, np.array(recalls[10]))


def false_negative_rate(
    data: TwoTowerData, cells: Int[np.ndarray, " N"] | None = None
) -> dict[str, float]:
    """How often a draw for a training event is an item that the user likes, exactly, by expectation.

    "known": it is in the user's training history, so the sampler excludes it. "hidden": it is among the
    validation or test events, so nothing can exclude it. cells=None asks it of uniform draws.
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
