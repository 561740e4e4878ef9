"""What is measured of two towers, by a plain loop: whose profile, which items, which hidden events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from gsl_tutorial.course.datasets.interactions import Interactions
from gsl_tutorial.course.two_tower.data import simulated_data
from gsl_tutorial.course.two_tower.evaluation import CUTS, measure_lists, measure_towers
from gsl_tutorial.course.two_tower.simulator import made_up_items
from gsl_tutorial.course.two_tower.towers import TwoTower
from gsl_tutorial.course.two_tower.training import Trained, TwoTowerConfig

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
    head = set(np.argsort(-popularity, kind="stable")[: N // 5].tolist())
    rare = [(row, j) for row, j in zip(hidden.user, hidden.item, strict=True) if j not in head]
    assert figures["tail_events"] == len(rare) > 0
    hits = sum(j in top[row, :50] for row, j in rare)
    assert figures["tail_recall@50"] == pytest.approx(hits / len(rare))
