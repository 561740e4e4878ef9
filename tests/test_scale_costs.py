"""The model of cost: limits that are known, agreement with the simulation, and what a fit recovers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsl_tutorial import OptimizedProductQuantizer, ProductQuantizer
from gsl_tutorial.course.results.saved_runs import DATA
from gsl_tutorial.course.scale import lists
from gsl_tutorial.course.scale.costs import Job, Machine, attempts, fit_scan, predict, simulate
from gsl_tutorial.course.scale.measuring import growth, measure_engines
from gsl_tutorial.course.scale.sources import SyntheticVectors
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.storage import read_json

QUIET = Machine(scan=1e-9, task=1e-3)
JOB = Job(n=10**7, n_queries=50, k=10, dim=32, code_bytes=8, n_shards=24, n_workers=4)


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 24, 100])
@pytest.mark.parametrize("shards", [1, 24, 50])
def test_without_chance_formula_and_simulation_agree(workers: int, shards: int) -> None:
    job = replace(JOB, n_workers=workers, n_shards=shards)
    assert simulate(QUIET, job) == pytest.approx(predict(QUIET, job).seconds, rel=0.1)


@pytest.mark.parametrize("workers", [2, 4, 16])
def test_with_chance_they_agree_on_average(workers: int) -> None:
    noisy = replace(QUIET, spread=0.3)
    job = replace(JOB, n_workers=workers, n_shards=8 * workers)
    runs = [simulate(noisy, job, seed=seed) for seed in range(40)]
    assert np.mean(runs) == pytest.approx(predict(noisy, job).seconds, rel=0.15)


def test_a_lost_worker_costs_time_and_never_the_answer() -> None:
    whole = simulate(QUIET, JOB)
    halfway = simulate(QUIET, JOB, lost_at=whole / 2)
    early = simulate(QUIET, JOB, lost_at=0.0)
    after = simulate(QUIET, JOB, lost_at=10 * whole)
    assert whole < early <= halfway
    assert after == whole
    # Three workers do what four did, and what was lost begins when the loss has been noticed.
    for lost in (early, halfway):
        assert lost <= predict(QUIET, replace(JOB, n_workers=3)).seconds + whole + QUIET.notice
    with pytest.raises(InvalidInputError, match="two workers or more"):
        simulate(QUIET, replace(JOB, n_workers=1), lost_at=0.1)


def plainly(took: list[int], n_workers: int, lost: dict[int, int], notice: int) -> list[int]:
    """The same in steps of one tick: at which tick each shard is done. Slow, and hard to get wrong."""
    todo, back, doing, done = list(range(len(took))), [], {}, [-1] * len(took)
    for tick in range(10_000):
        for worker, (shard, left) in list(doing.items()):
            if left == 0:
                done[shard] = tick
                del doing[worker]
            elif lost.get(worker) == tick:
                back.append((tick + notice, shard))
                del doing[worker]
        for worker in range(n_workers):
            if worker not in doing and tick < lost.get(worker, 10_000):
                known = sorted(one for one in back if one[0] <= tick)
                if known:
                    back.remove(known[0])
                shard = known[0][1] if known else todo.pop(0) if todo else None
                if shard is not None:
                    doing[worker] = shard, took[shard]
        doing = {worker: (shard, left - 1) for worker, (shard, left) in doing.items()}
        if min(done) >= 0:
            return done
    raise AssertionError("no end")


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=9),
    st.integers(1, 4),
    st.dictionaries(st.integers(0, 2), st.integers(0, 20), max_size=3),
    st.integers(1, 9),
)
def test_tasks_are_handed_out_as_in_a_clock_that_ticks(
    took: list[int], n_workers: int, lost: dict[int, int], notice: int
) -> None:
    lost = {worker: at for worker, at in lost.items() if worker < n_workers - 1}
    made = attempts(took, n_workers, lost=lost, notice=notice)
    done = {one.shard: one.ended for one in made if one.done}
    assert [done[shard] for shard in range(len(took))] == plainly(took, n_workers, lost, notice)
    for one in made:
        assert one.began < one.ended <= lost.get(one.worker, np.inf)
        if not one.done:
            again = [two for two in made if two.shard == one.shard and two.began > one.began]
            assert again[0].began >= one.ended + notice


def test_nobody_is_left() -> None:
    with pytest.raises(InvalidInputError, match="a worker that is not lost"):
        attempts([1.0, 1.0], 2, lost={0: 0.5, 1: 0.5})


def test_memory_and_network_are_counted() -> None:
    cost = predict(QUIET, JOB)
    assert cost.memory == 10**7 / 4 * 8
    assert cost.network == 24 * (32 * 4 + 10 * 12)


def test_a_fit_recovers_what_made_the_times() -> None:
    sizes = np.array([1e4, 1e5, 1e6])
    found = fit_scan(sizes, 2e-3 + sizes * 100 * 3e-9, n_queries=100)
    assert (found.scan, found.task) == (pytest.approx(3e-9), pytest.approx(2e-3))
    for bad in (([1e4], [1.0]), ([1e4, 1e4], [1.0, 1.0]), ([1e4, 1e5], [1.0, 0.0])):
        with pytest.raises(InvalidInputError, match="two sizes or more"):
            fit_scan(*bad, n_queries=1)


# ---- lists ---------------------------------------------------------------------------------------

SOURCE = SyntheticVectors(4000, dim=8, n_centres=30)
SAMPLE = SOURCE.rows(0, 2000)
QUERIES = SOURCE.queries(30)


def test_exact_neighbours_are_those_of_a_plain_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "AT_ONCE", 700)
    X = SOURCE.rows(0, SOURCE.n).astype(np.float64)
    squared = ((QUERIES[:, None] - X) ** 2).sum(axis=2)
    ids = lists.exact_neighbours(SOURCE, QUERIES, 5)[1]
    assert np.array_equal(ids, np.argsort(squared, axis=1, kind="stable")[:, :5])


@pytest.mark.parametrize("residual", [False, True])
@pytest.mark.parametrize("graph", [False, True])
def test_all_lists_together_find_what_codes_find(residual: bool, graph: bool) -> None:
    centroids = lists.coarse_centroids(SAMPLE, 16)
    rest = lists.residuals(SAMPLE, centroids) if residual else SAMPLE
    quantizer = ProductQuantizer(4, 16, random_state=0).fit(rest)
    index = lists.inverted_lists(quantizer, centroids, SOURCE, residual=residual, graph=graph)
    index.nprobe = 16
    found = index.search(QUERIES, 10)[0]
    X = SOURCE.rows(0, SOURCE.n)
    left = lists.residuals(X, centroids) if residual else X
    decoded = quantizer.decode(quantizer.encode(left)) + (X - left)
    squared = ((QUERIES[:, None].astype(np.float64) - decoded) ** 2).sum(axis=2)
    assert np.allclose(found, np.sort(squared, axis=1)[:, :10], rtol=1e-3, atol=1e-3)


def test_ranks_say_what_nprobe_finds() -> None:
    centroids = lists.coarse_centroids(SAMPLE, 16)
    true = lists.exact_neighbours(SOURCE, QUERIES, 1)[1]
    near = SOURCE.rows(0, SOURCE.n)[true[:, 0]]
    ranks = lists.ranks_of_lists(centroids, QUERIES, near)
    own = lists.residuals(near, centroids)
    home = near - own
    for query, there, rank in zip(QUERIES, home, ranks, strict=True):
        nearer = ((query - centroids) ** 2).sum(axis=1) < ((query - there) ** 2).sum() - 1e-4
        assert nearer.sum() == rank


def test_what_lists_cannot_hold() -> None:
    centroids = lists.coarse_centroids(SAMPLE, 4)
    wide = ProductQuantizer(2, 32, random_state=0).fit(SAMPLE)
    with pytest.raises(InvalidInputError, match="16 codewords"):
        lists.inverted_lists(wide, centroids, SOURCE, fast=True)
    with pytest.raises(InvalidInputError, match="16 codewords"):
        lists.fast_codes(wide, wide.encode(SAMPLE))
    opq = OptimizedProductQuantizer(2, 16, random_state=0).fit(SAMPLE)
    with pytest.raises(InvalidInputError, match="a ProductQuantizer"):
        lists.inverted_lists(opq, centroids, SOURCE)


@pytest.mark.slow
def test_engines_are_measured_in_one_run() -> None:
    rows = measure_engines(3000, n_lists=64, n_queries=20)["engines"]
    assert rows[0]["engine"] == "exact"
    assert rows[0]["recall@1"] == 1
    for row in rows:
        assert row["recall@1"] <= row["recall@10"] <= row["recall@100"] <= 1
        assert row["queries_a_second"] > 0
    probed = [row for row in rows if row["engine"] == "lists, residual codes"]
    assert [row["nprobe"] for row in probed] == [1, 4, 16, 64]
    assert probed[0]["recall@100"] <= probed[-1]["recall@100"]


# ---- the records ---------------------------------------------------------------------------------


def test_the_shipped_records_say_what_the_chapter_says() -> None:
    sizes = sorted((DATA / "results" / "scale").glob("size-*.json"))
    records = sorted((read_json(path) for path in sizes), key=lambda one: one["n"])
    assert records[-1]["n"] == 10**7
    small = records[0]
    machine = fit_scan(small["shard_sizes"], small["shard_seconds"], n_queries=small["queries"])
    for one in records[1:]:
        predicted = one["shards"] * machine.task + machine.scan * one["queries"] * one["n"]
        assert predicted == pytest.approx(one["search_seconds"], rel=0.3)
    for stage in ("build_seconds", "search_seconds"):
        large = [one for one in records if one["n"] >= 10**6]
        assert 0.8 < growth([one["n"] for one in large], [one[stage] for one in large]) < 1.2
    for one in records:
        assert list(one["workers"]) == ["1", "2", "4"]
        busiest = [run["busiest_seconds"] for run in one["workers"].values()]
        assert busiest == sorted(busiest, reverse=True)
        assert all(run["equal"] for run in one["workers"].values())
        assert all(run["peak_memory_mb"] < 1024 for run in one["workers"].values())
        assert one["recall"]["1"] <= one["recall"]["10"] <= one["recall"]["100"]
