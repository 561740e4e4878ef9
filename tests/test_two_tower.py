"""Two towers: training, evaluation against slow twins, the simulator, what is shipped, bad input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gsl_tutorial.course.datasets.interactions import (
    Histories,
    Interactions,
    leave_last_out,
    lots,
)
from gsl_tutorial.course.two_tower import items as items_module
from gsl_tutorial.course.two_tower.data import (
    TwoTowerData,
    last_events,
    prefixes,
    simulated_data,
)
from gsl_tutorial.course.two_tower.evaluation import (
    by_codes,
    exact,
    false_negative_rate,
    measure_lists,
    measure_towers,
    top_items,
)
from gsl_tutorial.course.two_tower.items import load_items, principal_axes, ship_items
from gsl_tutorial.course.two_tower.language import MissingTextError, embed_texts, item_text
from gsl_tutorial.course.two_tower.simulator import made_up_items, simulate_users
from gsl_tutorial.course.two_tower.towers import TwoTower
from gsl_tutorial.course.two_tower.training import TwoTowerConfig, train_towers
from gsl_tutorial.errors import ChecksumError, DataMissingError, InvalidInputError

TEXT, CELLS = made_up_items(120, 6, random_state=0)
DATA = simulated_data(TEXT, CELLS, CELLS, n_users=40, sharpness=3, random_state=0)
QUICK = TwoTowerConfig(epochs=2, batch=64, dim=16, n_cells=6)


def _random_events(rng: np.random.Generator, n_users: int, n_items: int) -> Interactions:
    sizes = rng.integers(0, 6, n_users)
    user = np.repeat(np.arange(n_users), sizes)
    item = rng.integers(n_items, size=len(user))
    return Interactions(user, item, rng.integers(9, size=len(user)), n_users, n_items)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_profiles_hold_only_what_came_before(seed: int, length: int) -> None:
    events = _random_events(np.random.default_rng(seed), 4, 9)
    got, last = prefixes(events, length), last_events(events, length)
    for row in range(len(events)):  # the slow twin
        user, moment = events.user[row], events.time[row]
        own = [events.item[i] for i in range(len(events))
               if events.user[i] == user and events.time[i] < moment][-length:]  # fmt: skip
        assert got[row].tolist() == [-1] * (length - len(own)) + own
    for user in range(4):
        own = events.item[events.user == user].tolist()[-length:]
        assert last[user].tolist() == [-1] * (length - len(own)) + own


def test_what_comes_later_changes_no_profile() -> None:
    rng = np.random.default_rng(3)
    events = DATA.events
    before = last_events(events.seen_before_test, 30)
    shuffled = Histories(
        events.train,
        events.validation,
        replace(events.test, item=rng.permutation(events.test.item)),
    )
    assert np.array_equal(last_events(shuffled.seen_before_test, 30), before)
    other = TwoTowerData("future shuffled", shuffled, TEXT, DATA.cells)
    a, b = (train_towers(one, QUICK).model.items() for one in (DATA, other))
    assert torch.equal(a, b)


def test_measures_agree_with_a_plain_loop() -> None:
    rng = np.random.default_rng(4)
    known, hidden = (_random_events(rng, 8, 150) for _ in range(2))
    users, popularity = np.unique(hidden.user), known.counts()
    scores = rng.integers(0, 40, size=(len(users), 150)).astype(float)
    top = top_items(scores, known, users, 100)
    got = measure_lists(top, users, hidden, popularity).figures
    recall, ndcg, found, rare_total = [], [], 0, 0
    tail = sorted(range(150), key=lambda j: (-popularity[j], int(lots(j))))[30:]
    for row, user in enumerate(users):
        had = set(known.item[known.user == user].tolist())
        ranked = sorted(
            (j for j in range(150) if j not in had),
            key=lambda j: (-scores[row, j], int(lots(user, j)), j),
        )
        assert top[row].tolist() == ranked[:100]
        wanted = hidden.item[hidden.user == user].tolist()
        recall.append(sum(j in wanted for j in ranked[:10]) / len(wanted))
        gain = sum(1 / np.log2(r + 2) for r, j in enumerate(ranked[:10]) if j in wanted)
        ndcg.append(gain / sum(1 / np.log2(r + 2) for r in range(len(wanted))))
        found += sum(j in ranked[:50] for j in wanted if j in tail)
        rare_total += sum(j in tail for j in wanted)
    assert got["recall@10"] == pytest.approx(np.mean(recall))
    assert got["ndcg@10"] == pytest.approx(np.mean(ndcg))
    assert got["tail_recall@50"] == pytest.approx(found / rare_total)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Two threads may add the gradients of an embedding in either order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    "arm",
    [
        "in-batch-raw",
        "in-batch",
        "uniform-4x",
        "text",
        "text-raw",
        "true",
        "random",
        "learned",
        "full",
    ],
)
def test_every_arm_trains_and_is_the_same_twice(one_thread: None, arm: str) -> None:
    config = replace(QUICK, arm=arm)
    one, two = train_towers(DATA, config), train_towers(DATA, config)
    assert torch.equal(one.model.items(), two.model.items())
    assert all(np.isfinite(record["loss"]) for record in one.history)
    figures = measure_towers(one, DATA, part="validation").figures
    assert 0 < figures["recall@100"] <= 1
    if arm == "text":
        noted = one.history[-1]["same cell"]
        assert noted["excluded"] > one.history[-1]["uniform"]["excluded"]


def test_training_learns_what_the_simulated_users_like() -> None:
    trained = train_towers(DATA, replace(QUICK, epochs=6, user_id=True))
    chance = 10 / 120
    assert measure_towers(trained, DATA).figures["recall@10"] > 1.5 * chance
    assert trained.history[-1]["loss"] < trained.history[0]["loss"]


@pytest.mark.parametrize("method", ["penalty", "snap-pull"])
def test_training_with_a_quantizer_gives_one_and_it_can_be_searched(method: str) -> None:
    trained = train_towers(DATA, replace(QUICK, method=method, bytes_per_item=4, epochs=3))
    assert trained.quantizer is not None
    figures = measure_towers(trained, DATA, scorer=by_codes(trained.quantizer)).figures
    assert figures["recall@100"] > 0.3


def test_adc_scores_are_those_of_the_reconstructions() -> None:
    trained = train_towers(DATA, replace(QUICK, method="penalty", bytes_per_item=4))
    assert trained.quantizer is not None
    items = trained.model.items().detach().numpy()
    users, q = items[:5], trained.quantizer.decode(trained.quantizer.encode(items))
    slow = -((users[:, None] - q) ** 2).sum(2)
    assert np.allclose(by_codes(trained.quantizer)(users, items), slow, atol=1e-5)
    assert np.allclose(exact(users, items), np.einsum("bd,nd->bn", users, items))


def test_false_negatives_inside_a_cell_are_counted_exactly() -> None:
    events = DATA.events
    got = false_negative_rate(DATA, CELLS)
    known, hidden = [], []
    for user, item in zip(events.train.user, events.train.item, strict=True):
        mates = [j for j in range(120) if CELLS[j] == CELLS[item] and j != item]
        own = set(events.train.item[events.train.user == user])
        later = {
            j for part in (events.validation, events.test) for j in part.item[part.user == user]
        }
        known.append(np.mean([j in own for j in mates]))
        hidden.append(np.mean([j in later for j in mates]))
    assert got["known"] == pytest.approx(np.mean(known))
    assert got["hidden"] == pytest.approx(np.mean(hidden))
    assert false_negative_rate(DATA)["hidden"] < got["hidden"]


def test_the_simulator_keeps_to_its_cells_and_the_knob_sharpens() -> None:
    flat, sharp = (
        simulate_users(TEXT, CELLS, n_users=50, sharpness=s, n_events=10, random_state=1)
        for s in (0, 8)
    )
    for events in (flat, sharp):
        for user in range(50):
            mine = events.item[events.user == user]
            assert len(set(mine)) == 10
            assert len(set(CELLS[mine])) == 2
    again = simulate_users(TEXT, CELLS, n_users=50, sharpness=8, n_events=10, random_state=1)
    assert np.array_equal(again.item, sharp.item)
    with pytest.raises(InvalidInputError, match="2 cells with 50 items"):
        simulate_users(TEXT, CELLS, n_users=2, sharpness=1, n_events=100, random_state=0)


def _model(**changes: object) -> TwoTower:
    made = {"dim": 8, "n_users": 5, "generator": torch.Generator().manual_seed(0), **changes}
    return TwoTower(TEXT, **made)  # type: ignore[arg-type]


def test_towers_give_unit_vectors_and_an_empty_profile_is_fine() -> None:
    model = _model(n_users=0)
    histories = torch.tensor([[-1, -1], [-1, 3], [3, 3]])
    users = model.users(histories)
    assert torch.allclose(users.norm(dim=1), torch.ones(3))
    assert torch.allclose(users[1], users[2], atol=1e-6)
    assert torch.allclose(model.items().norm(dim=1), torch.ones(120))


@pytest.mark.parametrize("rows", [[120], [-1], [10**9]])
def test_items_unseen_in_training_are_refused(rows: list[int]) -> None:
    with pytest.raises(InvalidInputError, match="not in the catalogue"):
        _model().items(torch.tensor(rows))


def test_users_unseen_in_training_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="unseen in training"):
        _model().users(torch.zeros(1, 2, dtype=torch.long), torch.tensor([5]))
    with pytest.raises(InvalidInputError, match="has an embedding for each"):
        _model().users(torch.zeros(1, 2, dtype=torch.long))


def test_one_nan_in_the_texts_is_refused_before_it_spreads() -> None:
    bad = TEXT.copy()
    bad[3, 2] = np.nan
    with pytest.raises(InvalidInputError, match="first is row 3"):
        TwoTowerData("x", DATA.events, bad, {})
    with pytest.raises(InvalidInputError, match="one row of text for each of 120"):
        TwoTowerData("x", DATA.events, TEXT[:50], {})
    with pytest.raises(InvalidInputError, match="one row of cells for each"):
        TwoTowerData("x", DATA.events, TEXT, {"cells": CELLS[:3]})


@pytest.mark.parametrize(
    "changes",
    [{"arm": "x"}, {"method": "x"}, {"batch": 20}, {"group": 1}, {"temperature": 0}, {"epochs": 0},
     {"hard_share": 2.0}, {"learning_rate": float("nan")}],
)  # fmt: skip
def test_a_configuration_that_cannot_be_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError):
        replace(QUICK, **changes)  # type: ignore[arg-type]


def test_too_few_events_to_fill_a_group() -> None:
    few = Interactions(np.zeros(3, int), np.arange(3), np.arange(3), 1, 120)
    data = TwoTowerData("few", leave_last_out(few), TEXT, {})
    with pytest.raises(InvalidInputError, match="8 training events or more"):
        train_towers(data, QUICK)


def test_shipped_items_are_read_back_and_guarded(tmp_path: Path) -> None:
    ids, wide = np.arange(400) * 3, np.random.default_rng(0).normal(size=(400, 20))
    folder = tmp_path / items_module.FOLDER
    made = ship_items(folder, ids, wide.astype(np.float32), provenance={"command": "test"}, dim=8)
    read = load_items(tmp_path)
    assert np.array_equal(read.vectors, made.vectors)
    assert read.rows(np.array([6, 0])).tolist() == [2, 0]
    with pytest.raises(MissingTextError, match="7 among them"):
        read.rows(np.array([6, 7]))
    (folder / "items.safetensors").write_bytes(b"other bytes")
    with pytest.raises(ChecksumError):
        load_items(tmp_path)
    with pytest.raises(DataMissingError, match=r"card\.json"):
        load_items(tmp_path / "nowhere")


def test_principal_axes_keep_distances_and_their_signs() -> None:
    X = np.random.default_rng(5).normal(size=(30, 4)).astype(np.float32)
    full, kept = principal_axes(X, 4)
    assert kept == pytest.approx(1)
    assert np.allclose(np.linalg.norm(full[0] - full[1]), np.linalg.norm(X[0] - X[1]), atol=1e-5)
    assert np.allclose(principal_axes(X[:, ::-1].copy(), 4)[0] ** 2, full**2, atol=1e-4)


@pytest.mark.parametrize(
    ("title", "genres", "text"),
    [("Toy Story (1995)", "Animation|Comedy", "Toy Story (1995). Genres: Animation, Comedy."),
     ("Beautiful Mind, A (2001)", "Drama", "A Beautiful Mind (2001). Genres: Drama."),
     ("Paterson", "(no genres listed)", "Paterson.")],
)  # fmt: skip
def test_the_sentence_that_the_model_reads(title: str, genres: str, text: str) -> None:
    assert item_text(title, genres) == text


@pytest.mark.parametrize("bad", ["", "  ", ".", None, 3])
def test_an_item_without_text_is_named(bad: object) -> None:
    with pytest.raises(MissingTextError, match="none for item 1"):
        embed_texts(["a film", bad])  # type: ignore[list-item]
