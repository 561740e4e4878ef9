"""What is measured of two towers, by a plain loop: whose profile, which items, which hidden events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gsl_tutorial.course.datasets.interactions import Interactions, lots
from gsl_tutorial.course.two_tower.data import simulated_data
from gsl_tutorial.course.two_tower.evaluation import (
    CUTS,
    measure_lists,
    measure_towers,
    recommended,
    top_items,
)
from gsl_tutorial.course.two_tower.simulator import made_up_items
from gsl_tutorial.course.two_tower.towers import TwoTower
from gsl_tutorial.course.two_tower.training import Trained, TwoTowerConfig
from gsl_tutorial.errors import InvalidInputError

N = 300
TEXT, CELLS = made_up_items(N, 6, random_state=0)
DATA = simulated_data(TEXT, CELLS, CELLS, n_users=30, sharpness=2, random_state=0)


def towers(*, user_id: bool) -> Trained:
    model = TwoTower(
        TEXT,
        dim=8,
        n_users=30 if user_id else 0,
        generator=torch.Generator().manual_seed(0),
    )
    return Trained(model, TwoTowerConfig(dim=8, history=7, user_id=user_id), [], 0.0)


def of(events: Interactions, user: int) -> list[int]:
    return [int(item) for item in events.item[events.user == user]]


@pytest.mark.parametrize("part", ["validation", "test"])
@pytest.mark.parametrize("user_id", [False, True])
def test_profiles_rankings_and_hidden_events_are_those_of_the_part(
    part: str, user_id: bool
) -> None:
    trained, events = towers(user_id=user_id), DATA.events
    rng = np.random.default_rng(1)
    blocks: list[np.ndarray] = []
    scores: list[np.ndarray] = []

    def scorer(users: np.ndarray, items: np.ndarray) -> Any:
        blocks.append(users)
        scores.append(rng.random((len(users), len(items))))
        return scores[-1]

    got = measure_towers(trained, DATA, part=part, scorer=scorer, block=11)
    vectors, all_scores = np.concatenate(blocks), np.concatenate(scores)
    assert [len(block) for block in blocks] == [10, 10, 10]
    lists, hidden = [], []
    for user in range(30):
        had = of(events.train, user)
        if part == "test":
            had = had + of(events.validation, user)
        with torch.no_grad():
            numbers = torch.tensor([user]) if user_id else None
            u = trained.model.users(torch.tensor([had[-7:]]), numbers).numpy()
        np.testing.assert_allclose(vectors[user], u[0], atol=1e-6)
        order = np.argsort(-all_scores[user]).tolist()
        lists.append([j for j in order if j not in had])
        hidden.append(of(getattr(events, part), user))
        assert len(hidden[-1]) > 0
    found = {
        k: [
            sum(j in one[:k] for j in own) / len(own)
            for one, own in zip(lists, hidden, strict=True)
        ]
        for k in CUTS
    }
    for k in CUTS:
        assert got.figures[f"recall@{k}"] == pytest.approx(np.mean(found[k]))
    assert got.recall_at_10.tolist() == pytest.approx(found[10])


@pytest.mark.parametrize("user_id", [False, True])
def test_what_is_recommended_is_the_best_of_what_a_user_has_not_had(user_id: bool) -> None:
    trained, known = towers(user_id=user_id), DATA.events.seen_before_test
    lists = recommended(trained, DATA, np.array([4, 0, 4]), 9)
    assert lists[0].tolist() == lists[2].tolist()
    for user, found in zip([4, 0], lists, strict=False):
        had = of(known, user)
        with torch.no_grad():
            numbers = torch.tensor([user]) if user_id else None
            u = trained.model.users(torch.tensor([had[-7:]]), numbers).numpy()[0]
            scores = trained.model.items().numpy() @ u
        order = [j for j in np.argsort(-scores).tolist() if j not in had][:9]
        assert found.tolist() == order


@pytest.mark.parametrize("seed", range(3))
def test_what_was_retrieved_is_that_of_the_first_ten(seed: int) -> None:
    rng = np.random.default_rng(seed)
    top = np.stack([rng.permutation(N)[:100] for _ in range(4)])
    popularity = rng.integers(0, 50, N)
    hidden = Interactions(np.arange(8) // 2, rng.integers(N, size=8), np.arange(8), 4, N)
    figures = measure_lists(top, np.arange(4), hidden, popularity).figures
    shown = [int(j) for row in top for j in row[:10]]
    assert figures["coverage@10"] == pytest.approx(len(set(shown)) / N)
    assert figures["popularity@10"] == pytest.approx(sum(popularity[j] for j in shown) / 40)
    head = set(sorted(range(N), key=lambda j: (-popularity[j], int(lots(j))))[: N // 5])
    rare = [(row, j) for row, j in zip(hidden.user, hidden.item, strict=True) if j not in head]
    assert figures["tail_events"] == len(rare) > 0
    hits = sum(j in top[row, :50] for row, j in rare)
    assert figures["tail_recall@50"] == pytest.approx(hits / len(rare))


def test_a_scorer_that_knows_nothing_gets_what_chance_gives() -> None:
    """Popular items stand first in this catalogue: by position, they would all be found."""
    rng = np.random.default_rng(0)
    n_users, n = 400, 500
    popularity = np.sort(rng.integers(1, 100, n))[::-1]
    liked = rng.choice(n, n_users, p=popularity**2.0 / (popularity**2.0).sum())
    hidden = Interactions(np.arange(n_users), liked, np.zeros(n_users, int), n_users, n)
    nothing = np.zeros(0, int)
    known = Interactions(nothing, nothing, nothing, n_users, n)
    users = np.arange(n_users)
    figures = measure_lists(
        top_items(np.zeros((n_users, n)), known, users, 100), users, hidden, popularity
    ).figures
    by_position = measure_lists(
        np.tile(np.arange(100), (n_users, 1)), users, hidden, popularity
    ).figures
    assert by_position["recall@10"] > 0.03
    assert figures["recall@10"] == pytest.approx(10 / n, abs=0.02)
    assert figures["popularity@10"] == pytest.approx(popularity.mean(), rel=0.03)
    assert figures["coverage@10"] == 1


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from([1, 3, 1000]))
def test_lists_hold_the_best_of_what_is_left_once_each(seed: int, k: int, n_scores: int) -> None:
    rng = np.random.default_rng(seed)
    n, n_users = 30, 4
    user, item = rng.integers(0, n_users, 60), rng.integers(0, n, 60)
    known = Interactions(user, item, rng.integers(0, 9, 60), n_users, n)
    users = rng.permutation(n_users)
    scores = rng.integers(0, n_scores, (n_users, n)).astype(rng.choice([np.float32, np.float64]))
    scores[rng.random(scores.shape) < 0.1] = -np.inf
    top = top_items(scores, known, users, k)
    assert top.shape == (n_users, min(k, n))
    for row, who in enumerate(users):
        left = sorted(set(range(n)) - set(of(known, who)))
        listed = [j for j in top[row] if j >= 0]
        assert len(listed) == len(set(listed)) == min(k, len(left))
        assert set(listed) <= set(left)
        assert (top[row, len(listed) :] == -1).all()
        best = sorted((scores[row, j] for j in left), reverse=True)[: len(listed)]
        assert [scores[row, j] for j in listed] == best
        # Neither the other rows nor their number matter, but the seed does.
        one = top_items(scores[row : row + 1], known, users[row : row + 1], k)
        assert one[0].tolist() == top[row].tolist()
    if n_scores == 1:
        assert not np.array_equal(top_items(scores, known, users, k, seed=1), top) or k < 3
    filled = top_items(scores, known, users, n)
    measure_lists(filled, users, known, known.counts())


@pytest.mark.parametrize("where", [0, 7])
def test_scores_that_are_not_numbers_are_refused(where: int) -> None:
    known = Interactions(np.array([0]), np.array([2]), np.array([5]), 1, 8)
    scores = np.arange(8.0)[None]
    scores[0, where] = np.nan
    with pytest.raises(InvalidInputError, match="without NaN"):
        top_items(scores, known, np.array([0]), 3)
    with pytest.raises(InvalidInputError, match="a row for each user"):
        top_items(scores[:, :5], known, np.array([0]), 3)
    with pytest.raises(InvalidInputError, match="users from 0 to 0"):
        top_items(np.zeros((1, 8)), known, np.array([-1]), 3)


@pytest.mark.parametrize(
    ("top", "words"),
    [([[0, -1, 2]], "at the ends"), ([[0, 1, 8]], "items from 0 to 7"), ([[0, 1, -2]], "from -2"),
     ([[3, 1, 3]], "an item twice"), ([[0.5, 1, 2]], "item numbers"), ([[0], [1]], "1 users")],
)  # fmt: skip
def test_lists_that_are_none_are_refused(top: list[list[float]], words: str) -> None:
    hidden = Interactions(np.array([0]), np.array([2]), np.array([5]), 1, 8)
    with pytest.raises(InvalidInputError, match=words):
        measure_lists(np.array(top), np.array([0]), hidden, np.arange(8))
