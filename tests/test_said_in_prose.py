"""What chapters 08 to 12 say in their prose and no cell prints: each sentence is tried on the records."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from gsl_tutorial.course.results import published
from gsl_tutorial.course.results.saved_runs import DATA, load_shipped
from gsl_tutorial.course.scale.costs import Job, Machine, fit_scan, predict, simulate
from gsl_tutorial.course.study import StudyResults, load_study
from gsl_tutorial.course.study.map_file import read_map
from gsl_tutorial.course.study.report import Row, compare
from gsl_tutorial.course.two_tower.grid import load_grid
from gsl_tutorial.course.two_tower.loop_grid import load_loop_grid
from gsl_tutorial.course.two_tower.loop_report import series
from gsl_tutorial.course.two_tower.loop_study import LoopResults
from gsl_tutorial.course.two_tower.study import TwoTowerResults
from gsl_tutorial.evaluation import average_precisions
from gsl_tutorial.evaluation.intervals import clustered_bootstrap
from gsl_tutorial.storage import read_json


@cache
def coarse() -> dict[str, list[dict[str, Any]]]:
    """The test runs of chapter 08 by method, seeds rising."""
    study = StudyResults(load_study("digits-coarse"), DATA / "results")
    found: dict[str, list[dict[str, Any]]] = {}
    for one in sorted(study.records("test"), key=lambda one: int(one["seed"])):
        found.setdefault(one["method"], []).append({**one, "each": study.per_query(one)})
    return found


@cache
def rows(part: str, bits: int) -> dict[str, Row]:
    results = StudyResults(load_study("cifar10"), DATA / "results")
    return {one.method: one for one in compare(results, part, ("P2", "cross-entropy", "pq", bits))}


@cache
def loop(measure: str, arm: str, part: str = "core") -> np.ndarray:
    """(seeds, rounds) of an arm."""
    results = LoopResults(load_loop_grid(), DATA / "results")
    return series(results, measure, part=part)[arm].values


def engine(name: str, key: str = "recall@10") -> list[float]:
    found = read_json(DATA / "results" / "scale" / "engines-300000.json")["engines"]
    return [one[key] for one in found if one["engine"] == name]


def test_08_map_rises_as_distortion_falls_but_not_in_step() -> None:
    means = {
        method: [np.mean([one[key] for one in runs]) for key in ("relative_distortion", "adc_map")]
        for method, runs in coarse().items()
    }
    by_distortion = sorted(means, key=lambda method: -means[method][0])
    assert by_distortion == sorted(means, key=lambda method: means[method][1])
    assert means["penalty"][0] < means["none"][0] / 2
    assert means["penalty"][1] - means["none"][1] < 0.02
    assert min(means[one][1] for one in ("ste", "snap-pull", "snap-replace")) > 0.94
    assert max(means[one][1] for one in ("none", "penalty")) < 0.85


def test_08_the_margin_of_the_pull_is_a_hair() -> None:
    each = {method: np.stack([one["each"] for one in runs]) for method, runs in coarse().items()}
    found = {
        method: clustered_bootstrap(
            each[method], each["penalty"], random_state=0, confidence=0.99, n_resamples=4000
        )
        for method in ("ste", "snap-replace", "snap-pull", "none")
    }
    assert abs(found["snap-pull"].low) < 0.01
    assert min(found["ste"].low, found["snap-replace"].low) > 0.015
    assert found["none"].low < -0.08
    assert found["none"].high > 0.06


def test_09_what_moves_published_figures() -> None:
    of = published.LETTERED
    assert of["a"].method == of["n"].method == "GreedyHash"
    assert of["a"].maps[48] - of["n"].maps[48] > 0.1
    assert of["j"].maps[32] - of["i"].maps[32] > 0.1
    assert "DQN" in of["i"].method
    assert "DQN" in of["j"].method
    within = [value for row in of.values() if row.protocol == "P1a" for value in row.maps.values()]
    assert max(within) - min(within) > 0.2


def test_10_with_codes_to_spare_a_gain_can_come_from_the_embedding() -> None:
    seen = rows("bits", 32)
    assert seen["none"].adc_map.mean > seen["none"].exact_map.mean - 0.002
    assert seen["snap-pull"].exact_map.mean > seen["none"].exact_map.mean + 0.01


def test_10_only_one_of_seven_is_left_when_their_number_is_allowed_for() -> None:
    results = StudyResults(load_study("cifar10"), DATA / "results")
    each: dict[str, list[np.ndarray]] = {}
    for one in results.records("core"):
        if (one["loss"], one["protocol"]) == ("cross-entropy", "P2"):
            each.setdefault(one["method"], []).append(results.per_query(one))
    plain = np.stack(each.pop("none"))
    clear = [
        method
        for method, scores in each.items()
        if clustered_bootstrap(
            np.stack(scores),
            plain,
            shared_queries=False,
            random_state=1,
            confidence=1 - 0.05 / len(each),
        ).excludes_zero
    ]
    assert clear == ["soft"]


@pytest.mark.parametrize(
    ("n_bits", "mean", "class_gain"), [(4, (7, 10), (40, 70)), (32, (0, 0.2), (0.4, 1.5))]
)
def test_10_ties_by_position_with_few_bits_and_with_many(
    n_bits: int, mean: tuple[float, float], class_gain: tuple[float, float]
) -> None:
    run = load_shipped("cifar10-p2-32bit")
    rng = np.random.default_rng(10)

    def draw(labels: np.ndarray, n: int) -> np.ndarray:
        of = [rng.permutation(np.flatnonzero(labels == c))[:n] for c in range(10)]
        return rng.permutation(np.concatenate(of))

    asked, searched = draw(run.query.labels, 50), draw(run.database.labels, 1000)
    directions = np.random.default_rng(1).normal(size=(run.query.z.shape[1], n_bits))
    center = run.database.z[searched].mean(axis=0)
    query, items = (
        np.where((z - center) @ directions > 0, 1, -1)
        for z in (run.query.z[asked], run.database.z[searched])
    )
    hamming = (n_bits - query @ items.T) // 2
    query_labels, labels = run.query.labels[asked], run.database.labels[searched]
    fair = average_precisions(hamming, query_labels, labels)
    by_class = np.argsort(labels, kind="stable")
    order = np.argsort(hamming[:, by_class], axis=1, kind="stable")
    relevant = labels[by_class][order] == query_labels[:, None]
    precision = np.cumsum(relevant, axis=1) / np.arange(1, len(labels) + 1)
    gain = 100 * ((precision * relevant).sum(axis=1) / relevant.sum(axis=1) - fair)
    assert mean[0] <= abs(gain.mean()) <= mean[1]
    assert class_gain[0] < max(gain[query_labels == c].mean() for c in range(10)) < class_gain[1]
    if n_bits == 32:
        tied = (hamming == hamming.min(axis=1, keepdims=True)).sum(axis=1)
        assert np.median(tied) > 100
        assert (hamming.min(axis=1) == 0).mean() > 0.8


def test_11_the_first_lists_are_uneven_before_any_loop() -> None:
    first = loop("gini", "uniform").mean(axis=0)
    assert first[0] > loop("gini", "oracle").mean(axis=0)[0] + 0.2
    assert abs(first - first[0]).max() < 0.02


def test_11_what_the_loop_adds() -> None:
    coverage = loop("coverage", "uniform").mean(axis=0)
    assert 0.6 < coverage[1] / coverage[0] < 0.72
    assert coverage[1] < coverage[-1] < 0.85 * coverage[0]
    head, log = loop("head", "uniform").mean(axis=0), loop("distance", "uniform").mean(axis=0)
    assert (round(head[0], 2), round(head[-1], 2)) == (0.72, 0.94)
    assert (round(log[0], 2), round(log[-1], 2)) == (0.29, 0.50)
    assert (np.diff(log) > 0).all()
    for arm in ("oracle", "lottery"):
        assert abs(np.diff(loop("distance", arm).mean(axis=0)[[0, -1]])) < 0.05


def test_11_a_little_exploration_and_in_batch_without_the_correction() -> None:
    plain, explored, raw, everywhere = (
        {key: loop(key, *which)[:3, -1].mean() for key in ("distance", "recall", "regret", "gini")}
        for which in (("uniform",), ("uniform", "explore"), ("in-batch-raw",), ("uniform", "position"))
    )  # fmt: skip
    assert raw["distance"] < explored["distance"] - 0.03 < plain["distance"] - 0.06
    assert raw["recall"] < 0.7 * plain["recall"]
    assert abs(explored["recall"] - plain["recall"]) < 0.03
    assert plain["regret"] < explored["regret"] < plain["regret"] + 0.15
    assert everywhere["distance"] > plain["distance"]
    assert everywhere["gini"] > 0.9


def test_11_competing_is_not_enough() -> None:
    results = TwoTowerResults(load_grid(), DATA / "results")
    blunt = results.records("knob", task="simulated", arm="text", number=0)
    sharp = results.records("core", task="simulated", arm="text")
    beaten = [
        np.mean([one["history"][-1]["same cell"]["outscores"] for one in some])
        for some in (blunt, sharp)
    ]
    assert beaten[0] > beaten[1] > 0.08
    rivals = results.records("knob", task="simulated", arm="uniform", number=0)
    gained = np.mean([one["figures"]["recall@10"] for one in blunt]) - np.mean(
        [one["figures"]["recall@10"] for one in rivals]
    )
    assert gained < 0


def test_11_the_correction_matters_most_in_the_batch() -> None:
    results = TwoTowerResults(load_grid(), DATA / "results")

    def mean(arm: str, key: str, task: str = "movielens") -> float:
        found = results.records("core", task=task, arm=arm)
        return float(np.mean([one["figures"][key] for one in found]))

    assert 0.35 < 1 - mean("in-batch-raw", "recall@10") / mean("in-batch", "recall@10") < 0.45
    assert abs(mean("text-raw", "recall@10") - mean("text", "recall@10")) < 0.002
    assert mean("text-raw", "popularity@10") > mean("text", "popularity@10")
    lower = [mean(arm, "recall@100", "simulated") for arm in ("text", "text-raw")]
    assert lower[0] - lower[1] > 0.05


def test_12_lists_buy_time_and_the_residual_buys_recall() -> None:
    (all_plain,) = engine("codes 8 x 256")
    assert max(engine("lists, plain codes")) <= all_plain
    assert max(engine("lists, residual codes")) > all_plain + 0.2
    behind = engine("lists behind a graph, residual fast codes", "queries_a_second")
    flat = engine("lists, residual fast codes", "queries_a_second")
    assert all(graph < 1.2 * without for graph, without in zip(behind, flat, strict=True))


def test_12_more_workers_waited_longer_on_a_busy_machine() -> None:
    found = read_json(DATA / "results" / "scale" / "size-10000000.json")
    runs = [found["workers"][n] for n in ("1", "2", "4")]
    waited, busiest = ([one[key] for one in runs] for key in ("wall_seconds", "busiest_seconds"))
    assert waited == sorted(waited)
    assert busiest == sorted(busiest, reverse=True)
    assert found["load"] > found["cores"]


def test_12_losing_one_of_two_workers_halfway_takes_half_as_long_again() -> None:
    small = read_json(DATA / "results" / "scale" / "size-300000.json")
    fitted = fit_scan(small["shard_sizes"], small["shard_seconds"], n_queries=small["queries"])
    machine = Machine(scan=fitted.scan, task=max(fitted.task, 1e-3), spread=0.3)
    job = Job(n=10**9, n_queries=100, k=10, dim=96, code_bytes=8, n_shards=8, n_workers=2)
    half = predict(machine, job).seconds / 2
    whole = np.mean([simulate(machine, job, seed=s) for s in range(20)])
    lost = np.mean([simulate(machine, job, seed=s, lost_at=half) for s in range(20)])
    assert 1.35 < lost / whole < 1.65


def test_12_at_8_x_16_a_gain_as_large_as_at_2_x_16_is_not_excluded() -> None:
    two, eight = (read_map().cell(name).gain("snap-pull", "none") for name in ("2x16", "8x16"))
    assert two is not None
    assert eight is not None
    assert two.excludes_zero
    assert eight.low < 0 < two.difference < eight.high
