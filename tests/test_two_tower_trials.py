"""A search on validation events: its trials in words, best first."""

from __future__ import annotations

from pathlib import Path

import pytest

from gsl_tutorial.course.results.saved_runs import DATA
from gsl_tutorial.course.two_tower.grid import load_grid
from gsl_tutorial.course.two_tower.report import in_words, search_trials
from gsl_tutorial.course.two_tower.study import TwoTowerResults
from gsl_tutorial.errors import DataMissingError, UnknownNameError
from gsl_tutorial.storage import write_json

SMALL = """
name = "small"
[base]
[tasks.simulated]
[[parts]]
name = "search"
on = "validation"
tasks = ["simulated"]
arms = ["text", "learned"]
seeds = [1, 2]
variants = [{}, { n_cells = 30 }]
"""
SHIPPED = TwoTowerResults(load_grid(), DATA / "results")
UNIFORM = (["tune"], ["uniform"])
HARD = (["tune", "search", "search-refreshed"], ["text", "learned"])


def _results(folder: Path, *, leave_out: str = "") -> TwoTowerResults:
    (folder / "grid.toml").write_text(SMALL)
    results = TwoTowerResults(load_grid(folder / "grid.toml"), folder)
    for run in results.study.runs("search", lambda *of: {}):
        if run.name != leave_out:
            value = 0.1 * run.number + 0.01 * run.config.seed + 0.3 * (run.config.arm == "text")
            write_json(
                results.file(run),
                {
                    "task": "simulated", "arm": run.config.arm, "number": run.number,
                    "figures": {"recall@10": value},
                },
            )  # fmt: skip
    return results


def test_trials_are_means_over_seeds_best_first(tmp_path: Path) -> None:
    found = search_trials(_results(tmp_path), ["search"], "simulated", ["text", "learned"])
    assert [(one.arm, one.setting) for one in found] == [
        ("text", "30 cells"),
        ("text", "as chosen"),
        ("learned", "refreshed cells, 30 cells"),
        ("learned", "refreshed cells"),
    ]
    assert found[0].figures["recall@10"] == pytest.approx(0.415)
    assert len(search_trials(_results(tmp_path), ["search"], "simulated", ["text"])) == 2


def test_the_best_of_some_trials_is_not_taken_for_the_best_of_all(tmp_path: Path) -> None:
    results = _results(tmp_path, leave_out="simulated_text_v1_seed2")
    with pytest.raises(DataMissingError, match="text with 30 cells in search"):
        search_trials(results, ["search"], "simulated", ["text"])
    with pytest.raises(UnknownNameError):
        search_trials(results, ["nonsense"], "simulated", ["text"])


def test_settings_in_words() -> None:
    assert in_words("text", {"hard_share": 0.25, "warm_up": 0}) == "25% hard, warm-up 0"
    assert in_words("uniform", {"learning_rate": 0.004, "temperature": 0.1}) == "τ 0.1, rate 0.004"


@pytest.mark.parametrize("task", ["simulated", "movielens"])
def test_hard_negatives_had_the_advantage_of_more_trials(task: str) -> None:
    uniform, hard = (search_trials(SHIPPED, parts, task, arms) for parts, arms in (UNIFORM, HARD))
    assert (len(uniform), len(hard)) == (4, 10)
    for part in {one.part for one in (*uniform, *hard)}:
        assert SHIPPED.study.part(part).on == "validation"
