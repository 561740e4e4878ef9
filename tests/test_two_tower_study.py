"""The study on hard negatives: its grid, its records, what it chooses, and what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gsl_tutorial.course.results.saved_runs import DATA
from gsl_tutorial.course.study import run_part
from gsl_tutorial.course.two_tower import study as study_module
from gsl_tutorial.course.two_tower.data import simulated_data
from gsl_tutorial.course.two_tower.grid import load_grid, tuned_arm
from gsl_tutorial.course.two_tower.report import (
    arms_as_text,
    code_table,
    compare_arms,
    paired_difference,
    search_trials,
)
from gsl_tutorial.course.two_tower.simulator import made_up_items
from gsl_tutorial.course.two_tower.study import TIES, TwoTowerResults
from gsl_tutorial.errors import (
    DataMissingError,
    InvalidInputError,
    RunMismatchError,
    UnknownNameError,
)
from gsl_tutorial.storage import read_json, save_arrays, write_json

SMALL = """
name = "small"
[base]
epochs = 2
batch = 64
dim = 16
[tasks.simulated]
n_users = 40
sharpness = 3.0
[[parts]]
name = "tune"
on = "validation"
tasks = ["simulated"]
arms = ["uniform", "text"]
seeds = [9]
variants = [{temperature = 0.1}, {temperature = 0.05}]
[[parts]]
name = "core"
on = "test"
tasks = ["simulated"]
arms = ["uniform", "text"]
seeds = [0, 1]
[[parts]]
name = "codes-tune"
on = "validation"
tasks = ["simulated"]
arms = ["text"]
seeds = [9]
variants = [{method = "penalty", strength = 1.0, bytes_per_item = 4}]
[[parts]]
name = "codes"
on = "test"
tasks = ["simulated"]
arms = ["text"]
seeds = [0]
variants = [{method = "none"}, {method = "penalty", bytes_per_item = 4}]
"""


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TwoTowerResults:
    """A study of seconds, over a made-up catalogue in place of the shipped one."""
    text, cells = made_up_items(300, 6, random_state=0)

    def data(run: Any, *rest: Any) -> Any:
        return simulated_data(text, cells, cells, random_state=run.config.seed, **run.data)

    monkeypatch.setattr(study_module, "task_data", data)
    monkeypatch.setattr(study_module, "SIZES", (4, 8))
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return TwoTowerResults(load_grid(path), tmp_path / "results")


def test_a_study_runs_chooses_resumes_and_reports(results: TwoTowerResults) -> None:
    with pytest.raises(DataMissingError, match="part tune"):
        run_part(results, "core")
    assert run_part(results, "tune", share=(1, 2)) == 2
    with pytest.raises(DataMissingError, match="are missing"):
        results.planned("core")
    assert run_part(results, "tune") == 2
    assert run_part(results, "tune") == 0
    trials = results.records("tune", arm="text")
    best = max(trials, key=lambda r: r["figures"]["recall@10"])["config"]["temperature"]
    assert {r.config.temperature for r in results.planned("core") if r.config.arm == "text"} == {
        best
    }
    assert run_part(results, "core", provenance={"commit": "x"}) == 4
    rows = compare_arms(results, "core", "simulated")
    text, uniform = (["core"], "text"), (["core"], "uniform")
    difference = paired_difference(results, "simulated", text, uniform)
    assert difference == rows[-1].against_uniform
    assert difference == paired_difference(results, "simulated", (["core"] * 2, "text"), uniform)
    with pytest.raises(DataMissingError, match="two seeds or more of text in core, tune"):
        paired_difference(results, "simulated", (["core", "tune"], "text"), (["tune"], "uniform"))
    assert [row.arm for row in rows] == ["uniform", "text"]
    assert rows[0].against_uniform is None
    assert rows[1].against_uniform is not None
    record = results.records("core", arm="text", seed=0)[0]
    assert record["commit"] == "x"
    assert results.per_query(record).mean() == pytest.approx(
        record["figures"]["recall@10"], abs=1e-3
    )
    words = arms_as_text(rows)
    table, _, below = words.partition("\n\n")
    assert [line.split()[0] for line in table.splitlines()] == ["arm", "uniform", "text"]
    assert below.startswith("Recall@10 against uniform")
    assert below.endswith(("no clear difference", "better", "worse"))
    alone = arms_as_text([replace(row, seeds=(0,), against_uniform=None) for row in rows])
    assert "±" in words
    assert "±" not in alone  # one seed has no spread
    assert "against" not in alone
    run_part(results, "codes-tune")
    run_part(results, "codes")
    table = code_table(results, "simulated")
    assert list(table["none"]) == [0, 4, 8]
    assert list(table["penalty"]) == [4]


def test_records_of_other_settings_are_not_taken_for_ours(results: TwoTowerResults) -> None:
    run_part(results, "tune")
    run = results.planned("tune")[0]
    record = read_json(results.file(run))
    record["config"]["epochs"] = 99
    write_json(results.file(run), record)
    with pytest.raises(RunMismatchError, match="config"):
        results.has(run)


@pytest.mark.parametrize(
    ("old", "new", "kind", "words"),
    [
        ('arms = ["uniform", "text"]', 'arms = ["nonsense"]', UnknownNameError, "in-batch"),
        ('on = "test"', 'on = "train"', UnknownNameError, "validation"),
        ("seeds = [9]", "seed = [9]", InvalidInputError, "got seed"),
        ('tasks = ["simulated"]', 'tasks = ["people"]', UnknownNameError, "movielens"),
        ("temperature = 0.1", "temperature = 0", InvalidInputError, "temperature"),
        ("temperature = 0.1", "warmth = 0.1", InvalidInputError, "warmth"),
        ("[base]", "[base", InvalidInputError, "TOML"),
        ('name = "small"', "", InvalidInputError, "name"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(
    tmp_path: Path, old: str, new: str, kind: type[Exception], words: str
) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(SMALL.replace(old, new))
    with pytest.raises(kind, match=words):
        load_grid(path)
    with pytest.raises(DataMissingError, match="no such file"):
        load_grid(tmp_path / "none.toml")


def test_our_grid_is_fair() -> None:
    grid = load_grid()
    tune = grid.part("tune")
    assert set(tune.arms) == {"uniform", "text"}
    assert tune.on == "validation"
    assert not set(tune.seeds) & set(grid.part("core").seeds)
    assert [tuned_arm(a) for a in ("genre", "in-batch", "full")] == ["text", "uniform", "uniform"]
    runs = grid.runs("core", lambda *of: {})
    assert len({(run.part, run.name) for run in runs}) == len(runs)
    assert not [r for r in runs if r.task == "movielens" and r.config.arm == "true"]
    assert {(r.config.budget, r.config.group, r.config.epochs) for r in runs} == {(8, 8, 4)}
    with pytest.raises(UnknownNameError, match="core"):
        grid.part("nonsense")


@pytest.mark.parametrize("share", [(0, 2), (3, 2)])
def test_a_share_that_is_none_is_refused(results: TwoTowerResults, share: tuple[int, int]) -> None:
    with pytest.raises(InvalidInputError, match="count from 1"):
        run_part(results, "tune", share=share)


def test_shipped_records_are_those_of_the_grid_and_hold_no_ratings() -> None:
    kept = TwoTowerResults(load_grid(), DATA / "results")
    for part in kept.study.parts:
        planned = {run.name: run for run in kept.planned(part.name)}
        records = kept.records(part.name)
        assert {r["run"] for r in records} == set(planned), part.name
        assert all(kept.has(run) for run in planned.values())
    for path in kept.path.rglob("*.safetensors"):
        assert path.stat().st_size < 20_000


def test_spread_over_identical_seeds_is_zero(tmp_path: Path) -> None:
    kept = TwoTowerResults(load_grid(), tmp_path)
    figures = dict.fromkeys(
        ("recall@10", "recall@50", "recall@100", "ndcg@10", "tail_recall@50", "coverage@10",
         "popularity@10"), 0.5,
    )  # fmt: skip
    for arm, value in (("uniform", 0.2), ("text", 0.3)):
        for seed in (0, 1, 2):
            name = f"{arm}{seed}"
            record = {
                "run": name, "part": "core", "task": "movielens", "arm": arm, "seed": seed,
                "figures": figures, "history": [], "train_seconds": 1.0,
            }  # fmt: skip
            write_json(kept.path / "core" / f"{name}.json", record)
            recall = {"recall_at_10": np.full(50, value, np.float16)}
            save_arrays(kept.path / "core" / f"{name}.safetensors", recall, {})
    uniform, text = compare_arms(kept, "core", "movielens")
    assert uniform.figures["recall@10"] == (0.5, 0.0)
    assert text.verdict.startswith("+0.100")
    assert text.verdict.endswith("better")
    with pytest.raises(DataMissingError, match="--part core"):
        compare_arms(kept, "core", "simulated")


def test_records_of_two_rules_for_ties_are_not_compared(tmp_path: Path) -> None:
    results = TwoTowerResults(load_grid(), tmp_path)
    old = {"run": "a", "arm": "text"}
    write_json(results.path / "core" / "a.json", old)
    assert results.records("core", arm="text") == [old]  # what is shipped stays readable
    write_json(results.path / "core" / "b.json", {"run": "b", "arm": "text", "ties": TIES})
    with pytest.raises(RunMismatchError, match="item number and lots"):
        results.records("core")


def test_nor_are_those_of_two_parts_with_two_rules(tmp_path: Path) -> None:
    results = TwoTowerResults(load_grid(), tmp_path)
    for part, arm, ties in (("core", "uniform", {}), ("winner", "text", {"ties": TIES})):
        for seed in (0, 1):
            record = {"task": "simulated", "arm": arm, "seed": seed, **ties}
            write_json(results.path / part / f"{arm}{seed}.json", record)
    with pytest.raises(RunMismatchError, match="runs of core, winner with one rule"):
        paired_difference(results, "simulated", (["winner"], "text"), (["core"], "uniform"))
    for part, ties in (("tune", {}), ("search", {"ties": TIES})):
        for number in range(len(results.study.part(part).variants)):
            record = {"task": "simulated", "arm": "text", "number": number, **ties}
            record["figures"] = {"recall@10": 0.1}
            write_json(results.path / part / f"{number}.json", record)
        assert search_trials(results, [part], "simulated", ["text"])
    with pytest.raises(RunMismatchError, match="runs of tune, search with one rule"):
        search_trials(results, ["tune", "search"], "simulated", ["text"])


def test_the_winners_of_the_shipped_search_are_what_went_to_the_test_films() -> None:
    shipped = TwoTowerResults(load_grid(), DATA / "results")
    tested = {part.name: part.variants[0] for part in shipped.study.parts if "winner" in part.name}
    searched = next(part for part in shipped.study.parts if part.name == "search").variants
    for task, part in (("simulated", "winner"), ("movielens", "winner-people")):
        hard = [
            one for name in ("tune", "search", "search-refreshed") for one in shipped.records(name)
            if one["task"] == task and one["arm"] != "uniform"
        ]  # fmt: skip
        best = max(hard, key=lambda one: one["figures"]["recall@10"])
        assert best["part"] == "search"
        assert searched[best["number"]] == tested[part]
