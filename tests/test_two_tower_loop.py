"""The feedback loop: no leak from the future, streams that no arm changes, bad worlds refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gsl_tutorial.course.results.saved_runs import DATA
from gsl_tutorial.course.study import run_part
from gsl_tutorial.course.two_tower import loop as loop_module
from gsl_tutorial.course.two_tower import loop_study
from gsl_tutorial.course.two_tower.arms import get_arm, sources_of
from gsl_tutorial.course.two_tower.cells import shuffled_cells
from gsl_tutorial.course.two_tower.loop import LOOP_ARMS, LoopConfig, LoopRun, run_loop
from gsl_tutorial.course.two_tower.loop_grid import load_loop_grid
from gsl_tutorial.course.two_tower.loop_log import (
    MOMENTS,
    Log,
    NoClicksError,
    clicks_per_look,
    exposure_weights,
    impressions,
    looks_by_rank,
)
from gsl_tutorial.course.two_tower.loop_measures import (
    curve,
    distance,
    gini,
    head_of,
    regret,
    true_recall,
)
from gsl_tutorial.course.two_tower.loop_report import (
    Series,
    difference,
    loop_as_text,
    series,
    student_interval,
)
from gsl_tutorial.course.two_tower.loop_study import LoopResults
from gsl_tutorial.course.two_tower.loop_world import World, examination, make_world
from gsl_tutorial.course.two_tower.sampling import CellTooSmallError, PairSet, draw_negatives
from gsl_tutorial.course.two_tower.simulator import made_up_items
from gsl_tutorial.errors import (
    DataMissingError,
    InvalidInputError,
    RunMismatchError,
    UnknownNameError,
)

TEXT, CELLS = made_up_items(80, 4, random_state=0)
KNOWN = {
    "text": CELLS,
    "random": shuffled_cells(CELLS, random_state=0),
    "genre": (CELLS > 1).astype(int),
}
WORLD = make_world(TEXT, CELLS, KNOWN, n_users=30, sharpness=1.0, random_state=0)
SMALL = LoopConfig(rounds=3, slots=5, start=20, epochs=1, batch=16, dim=8)


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def of(arm: str, **settings: Any) -> LoopRun:
    return run_loop(WORLD, replace(SMALL, arm=arm, **settings))


@pytest.mark.parametrize("arm", LOOP_ARMS)
def test_every_arm_runs_shows_whole_lists_and_never_what_was_clicked(arm: str) -> None:
    run = of(arm)
    assert len(run.rounds) == len(run.lists) == 3
    log = run.log
    for number, shown in enumerate(run.lists, start=1):
        assert shown.shape == (30, 5)
        assert all(len(set(row)) == 5 for row in shown.tolist())
        taken = log.take(log.round < number).taken(30, 80)
        assert not np.take_along_axis(taken, shown, axis=1).any()
    for figures in run.rounds:
        assert all(np.isfinite(one).all() for one in figures.values())
        assert 0 <= figures["recall"] <= 1
        assert figures["regret"] >= -1e-9
    if (towers := replace(SMALL, arm=arm).towers()) is not None:
        assert towers.group - 1 + towers.budget == 15  # one budget


@pytest.mark.parametrize(
    "arm", [name for name, one in LOOP_ARMS.items() if one.training is not None]
)
def test_the_loss_of_an_arm_estimates_the_full_softmax_unless_it_says_raw(arm: str) -> None:
    """The mean of the sampled sum over 2,000 batches, four standard errors; raw arms miss by far more."""
    towers = replace(SMALL, arm=arm).towers()
    assert towers is not None
    rng = np.random.default_rng(0)
    share = rng.dirichlet(np.ones(80) * 5)
    sources = sources_of(
        get_arm(towers.arm), share=share, cells=KNOWN, group=towers.group, budget=towers.budget,
        hard_share=towers.hard_share, warm=True,
    )  # fmt: skip
    positive = 5
    s = rng.normal(size=80) + 2.0 * (CELLS[positive] == CELLS)
    history, nobody = (
        PairSet(np.zeros(2, int), np.array([9, 30]), 80),
        PairSet(*[np.empty(0, int)] * 2, 80),
    )
    totals = []
    for _ in range(2000):
        positives = rng.choice(80, size=towers.group, p=share)
        positives[0] = positive
        drawn = draw_negatives(
            sources, np.zeros(towers.group, int), positives, history=history, twins=nobody, rng=rng
        )
        kept = ~drawn.excluded[0]
        totals.append((np.exp(s[drawn.items[0]]) / drawn.expected[0])[kept].sum())
    full = np.exp(np.delete(s, [positive, 9, 30])).sum()
    off, error = abs(np.mean(totals) - full), np.std(totals) / np.sqrt(len(totals))
    if arm.endswith("raw"):
        assert off > 10 * error
    else:
        assert off < 4 * error


def test_the_oracle_is_the_ceiling_and_the_lottery_the_floor() -> None:
    oracle, lottery, uniform = (of(arm).rounds[-1] for arm in ("oracle", "lottery", "uniform"))
    assert oracle["recall"] == 1
    assert oracle["regret"] == pytest.approx(0)
    assert lottery["regret"] > uniform["regret"] > 0
    assert lottery["coverage"] > uniform["coverage"]


def test_the_same_config_gives_the_same_run_and_shorter_ones_are_its_beginning() -> None:
    long, again, short = of("uniform"), of("uniform"), of("uniform", rounds=2)
    assert long.rounds == again.rounds
    assert short.rounds == long.rounds[:2]
    assert np.array_equal(short.log.clicked, long.log.clicked[: len(short.log)])


def test_arms_meet_the_same_users_and_the_same_coins() -> None:
    a, b = of("uniform"), of("text")
    for one in ("user", "item", "clicked"):  # the start is the same for all
        start = getattr(a.log, one)[a.log.round == 0]
        assert np.array_equal(start, getattr(b.log, one)[b.log.round == 0])
    rng = np.random.default_rng(0)
    lists = np.arange(60).reshape(30, 2) % 80
    looks, randomised = np.ones(2), np.zeros((30, 2), dtype=bool)
    first, other = (
        impressions(
            shown,
            looks,
            WORLD.chance,
            number=1,
            randomised=randomised,
            rng=np.random.default_rng(7),
        )
        for shown in (lists, np.where(rng.random(lists.shape) < 0.5, lists, (lists + 40) % 80))
    )
    same = first.item == other.item
    assert 0 < same.sum() < len(same)
    assert np.array_equal(first.clicked[same], other.clicked[same])


def test_a_round_learns_from_earlier_rounds_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What later users do changes no earlier list, and no training event is of its own round."""
    seen: list[int] = []
    original = loop_module.train_towers

    def train(data: Any, config: Any, **rest: Any) -> Any:
        seen.append(int(data.events.train.time.max()) // MOMENTS)
        return original(data, config, **rest)

    monkeypatch.setattr(loop_module, "train_towers", train)
    plain = of("uniform")
    assert seen == [0, 1, 2]
    stream = loop_module._stream

    def other_future(config: LoopConfig, number: int, purpose: int) -> np.random.Generator:
        return stream(config, number + 100 * (number > 1), purpose)

    monkeypatch.setattr(loop_module, "_stream", other_future)
    changed = of("uniform")
    assert np.array_equal(plain.lists[1], changed.lists[1])
    assert not np.array_equal(plain.lists[2], changed.lists[2])


def test_exploring_fills_the_share_randomised_and_nothing_twice() -> None:
    run = of("oracle", explore=0.4, rounds=6)
    log = run.log.take(run.log.round > 0)
    assert log.randomised.mean() == pytest.approx(0.4, abs=0.08)
    assert all(len(set(row)) == 5 for shown in run.lists for row in shown.tolist())
    assert not of("oracle").log.randomised[of("oracle").log.round > 0].any()


def test_a_user_without_history_is_served_like_the_others() -> None:
    chance = WORLD.chance.copy()
    chance[3] = 0  # likes nothing, so that nothing is ever clicked
    run = run_loop(World(TEXT, {**KNOWN, "true": CELLS}, chance), replace(SMALL, arm="uniform"))
    assert not run.log.clicked[run.log.user == 3].any()
    assert all((shown[3] >= 0).all() for shown in run.lists)


def test_a_user_who_has_taken_everything_gets_an_empty_list() -> None:
    chance = np.full((20, 16), 0.5)
    chance[0] = 1
    text, cells = made_up_items(16, 2, random_state=1)
    world = World(text, {"true": cells, "text": cells}, chance)
    run = run_loop(world, replace(SMALL, arm="uniform", start=16))
    assert (run.lists[0][0] == -1).all()
    assert np.isfinite(run.rounds[-1]["regret"])


def test_a_round_without_clicks_is_an_error_that_says_so() -> None:
    nobody = World(TEXT, {**KNOWN, "true": CELLS}, np.zeros((30, 80)))
    with pytest.raises(
        NoClicksError, match="a click in round 0; got none on 600 films shown to 30"
    ):
        run_loop(nobody, SMALL)


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"arm": "nonsense"}, UnknownNameError, "weighted"),
        ({"explore": 1.5}, InvalidInputError, "explore from 0 to 1"),
        ({"rounds": 0}, InvalidInputError, "rounds"),
        ({"position": -1.0}, InvalidInputError, "position"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    change: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words):
        replace(SMALL, **change)


def test_worlds_that_cannot_be_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="none of them empty"):
        make_world(TEXT, CELLS * 2, KNOWN, n_users=3, sharpness=1, random_state=0)
    with pytest.raises(InvalidInputError, match="from 0 to 1"):
        World(TEXT, {}, np.full((3, 80), 1.1))
    with pytest.raises(InvalidInputError, match="one row of text for each of 79"):
        World(TEXT, {}, np.full((3, 79), 0.1))
    with pytest.raises(InvalidInputError, match="slots"):
        run_loop(WORLD, replace(SMALL, slots=81))
    alone = {**KNOWN, "text": np.where(np.arange(80) == 5, 9, CELLS)}
    with pytest.raises(CellTooSmallError, match="cells with one"):
        run_loop(
            World(TEXT, {**alone, "true": CELLS}, WORLD.chance),
            replace(SMALL, arm="mixed", epochs=2),
        )


counts = st.lists(st.integers(0, 50), min_size=2, max_size=40).filter(any).map(np.array)


@settings(max_examples=60, deadline=None)
@given(counts, st.integers(1, 5))
def test_gini_is_that_of_all_pairs(values: np.ndarray, factor: int) -> None:
    pairs = np.abs(values[:, None] - values[None]).sum() / (2 * len(values) * values.sum())
    assert gini(values) == pytest.approx(pairs)
    assert gini(values * factor) == pytest.approx(gini(values))
    assert 0 <= gini(values) <= 1 - 1 / len(values) + 1e-12


@settings(max_examples=60, deadline=None)
@given(counts, counts)
def test_distance_and_curve_are_what_they_say(a: np.ndarray, b: np.ndarray) -> None:
    n = min(len(a), len(b))
    a, b = a[:n] + 1, b[:n] + 1
    assert distance(a, b) == pytest.approx(distance(b, a))
    assert 0 <= distance(a, b) <= 1
    assert distance(a, 3 * a) == pytest.approx(0)
    rising = curve(a)
    assert (rising[0], rising[-1]) == (0, pytest.approx(1))
    assert (np.diff(rising) >= -1e-12).all()
    assert (np.diff(rising, 2) <= 1e-9).all()  # the most shown come first


def test_counts_that_are_none_are_refused() -> None:
    for bad in (np.array([1, -1]), np.array([[1]]), np.array(["a"]), np.array([np.nan, 1.0])):
        with pytest.raises(InvalidInputError):
            gini(bad)
    with pytest.raises(InvalidInputError, match="show something first"):
        gini(np.zeros(4))
    assert set(head_of(np.arange(20)).tolist()) == {18, 19}


def test_recall_and_regret_against_slow_twins() -> None:
    rng = np.random.default_rng(0)
    chance, scores = rng.random((6, 30)), rng.random((6, 30))
    slow = [
        len(set(np.argsort(-scores[u])[:20]) & set(np.argsort(-chance[u])[:20])) / 20
        for u in range(6)
    ]
    assert true_recall(scores, chance).tolist() == pytest.approx(slow)
    assert true_recall(np.zeros((400, 40)), rng.random((400, 40)), 4).mean() == pytest.approx(
        0.1, abs=0.03
    )  # ties: what chance gives
    taken, looks = rng.random((6, 30)) < 0.3, examination(5, 1.0)
    shown = np.array([rng.choice(np.flatnonzero(~row), 5, replace=False) for row in taken])
    missed = []
    for u in range(6):
        left = sorted((chance[u, i] for i in range(30) if not taken[u, i]), reverse=True)
        best = sum(x * y for x, y in zip(left, looks, strict=False))
        missed.append(best - sum(chance[u, i] * y for i, y in zip(shown[u], looks, strict=True)))
    assert regret(shown, chance, taken, looks) == pytest.approx(np.mean(missed))


def test_propensities_and_rates_find_the_truth_in_a_long_log() -> None:
    """Statistical: four standard errors of what is estimated."""
    world = make_world(TEXT, CELLS, {}, n_users=1500, sharpness=1, random_state=1)
    run = run_loop(world, LoopConfig(arm="oracle", rounds=8, slots=4, start=5, explore=0.5))
    log = run.log.take(run.log.round > 0)
    found, truth = looks_by_rank(log, 4), examination(4, 1.0)
    clicks = np.array([(log.randomised & log.clicked & (log.rank == r)).sum() for r in range(4)])
    error = found * np.sqrt(1 / clicks + 1 / clicks[0])
    assert (np.abs(found - truth)[1:] < 4 * error[1:]).all()
    randomised = clicks_per_look(log.take(log.randomised), truth, 80)
    assert distance(randomised, world.popularity) < distance(log.clicks(80), world.popularity)
    never = log.take(log.item != 7)
    assert np.isnan(clicks_per_look(never, truth, 80)[7])
    with pytest.raises(NoClicksError, match="randomised"):
        looks_by_rank(log.take(~log.randomised), 4)


def test_weights_add_up_to_clicks_per_look() -> None:
    log = Log(
        user=np.array([0, 0, 1, 1, 1]), item=np.array([0, 1, 0, 1, 0]), round=np.ones(5, int),
        rank=np.array([0, 1, 0, 1, 2]), looks=np.array([1, 0.5, 1, 0.5, 0.25]),
        clicked=np.array([True, True, True, False, False]), randomised=np.zeros(5, bool),
    )  # fmt: skip
    events = log.events(2, 3)
    weights = exposure_weights(log, events, 3)
    per_item = np.bincount(events.item, weights=weights, minlength=2)
    rates = np.array([2 / 2.25, 1 / 1.0])
    assert per_item / per_item.sum() == pytest.approx(rates / rates.sum())
    assert weights.mean() == pytest.approx(1)


GRID = """
name = "small-loop"
[world]
n_users = 20
n_true_cells = 2
sharpness = 1.0
n_cells = 4
[base]
rounds = 2
slots = 4
start = 20
epochs = 1
batch = 16
dim = 8
[[parts]]
name = "core"
arms = ["oracle", "uniform", "text"]
seeds = [0, 1]
watched = 1
"""


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoopResults:
    path = tmp_path / "loop.toml"
    path.write_text(GRID)
    monkeypatch.setattr(
        loop_study, "loop_world",
        lambda run, *rest: (
            make_world(TEXT, CELLS, KNOWN, n_users=20, sharpness=1, random_state=run.config.seed),
            np.arange(80) + 1000,
        ),
    )  # fmt: skip
    return LoopResults(load_loop_grid(path), tmp_path / "results")


def test_a_study_that_is_killed_goes_on_and_ends_the_same(
    results: LoopResults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = LoopResults(results.study, tmp_path / "whole")
    assert run_part(whole, "core") == 6
    original, left = loop_study.execute_loop, [3]

    def dies(*arguments: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return original(*arguments)

    monkeypatch.setattr(loop_study, "execute_loop", dies)
    with pytest.raises(KeyboardInterrupt):
        run_part(results, "core")
    monkeypatch.setattr(loop_study, "execute_loop", original)
    assert run_part(results, "core", provenance={"commit": "x"}) == 3
    assert run_part(results, "core") == 0
    for a, b in zip(whole.records("core"), results.records("core"), strict=True):
        assert a["rounds"] == b["rounds"]
        assert a["watched"] == b["watched"]
    assert {len(r["watched"]) for r in results.records("core", seed=0)} == {1}
    assert not results.records("core", seed=1)[0]["watched"]
    assert min(results.records("core", seed=0)[0]["watched"][0]["shown"][0]) >= 1000
    words = loop_as_text(results, "core")
    assert [line.split()[0] for line in words.splitlines()] == ["arm", "oracle", "uniform", "text"]
    found = series(results, "gini")
    assert found["uniform"].values.shape == (2, 2)
    gap = difference(found["text"], found["uniform"], last=2)
    assert gap.low <= gap.difference <= gap.high


def test_records_of_another_world_and_missing_ones_are_named(results: LoopResults) -> None:
    with pytest.raises(DataMissingError, match="two-tower loop --part core"):
        series(results, "gini")
    run_part(results, "core", share=(1, 6))
    changed = replace(results.study, world={**results.study.world, "sharpness": 2.0})
    with pytest.raises(RunMismatchError, match="sharpness"):
        run_part(LoopResults(changed, results.path.parent), "core")
    with pytest.raises(UnknownNameError, match="regret"):
        series(results, "beauty")
    one = Series("text", np.zeros((1, 2)), (0,))
    with pytest.raises(InvalidInputError, match="two seeds"):
        difference(one, one)
    with pytest.raises(InvalidInputError, match="two differences"):
        student_interval(np.array([0.1]))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"oracle"', '"orakel"', "arm"),
        ("watched", "watching", "watching"),
        ("[base]", "[base", "TOML"),
        ("rounds = 2", "rounds = 0", "rounds"),
        ("n_users = 20\n", "", "n_users"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(GRID.replace(old, new))
    with pytest.raises(InvalidInputError, match=words):
        load_loop_grid(path)
    with pytest.raises(DataMissingError, match="no such file"):
        load_loop_grid(tmp_path / "none.toml")


def test_shipped_loops_are_those_of_the_grid_and_hold_no_title() -> None:
    kept = LoopResults(load_loop_grid(), DATA / "results")
    for part in kept.study.parts:
        planned = {run.name: run for run in kept.planned(part.name)}
        found = {r["run"] for r in kept.records(part.name)}
        assert found == set(planned) or (part.name != "core" and not found), part.name
        assert all(kept.has(planned[name]) for name in found)
        for record in kept.records(part.name):
            assert len(record["rounds"]) == kept.study.base["rounds"] >= 10
            assert record["commit"]
            shown = [one["shown"] for one in record["watched"]]
            assert np.asarray(shown).dtype.kind in "iuf"  # ids, never titles
    assert len(kept.study.part("core").seeds) >= 5
