"""The report of a map: ladders, equal bits, corrected intervals, and the law with its fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_study_cells import CELLS

from gsl_tutorial.course.study import (
    Study,
    StudyResults,
    StudyRun,
    again,
    law,
    load_study,
    run_part,
    running,
)
from gsl_tutorial.course.study.map_report import (
    as_json,
    as_text,
    differences,
    entries,
    equal_bits,
    ladders,
    sizes,
)
from gsl_tutorial.errors import DataMissingError

SEEDS = "seeds = [0, 1, 2, 3, 4]"
#: What a method gains in a cell over "none".
GAIN = {"2x4": 0.2, "1x16": 0.0, "4x2": 0.01}


def figures(run: StudyRun, study: Study, bench: Any = None) -> Any:
    """A record without a training; in cell 2x4 the penalty gains .2, in 1x16 nothing."""
    config = run.config
    rng = np.random.default_rng(config.seed)
    difficulty = rng.random(50)
    own = np.random.default_rng([config.seed, len(run.name), config.bits])
    score = 0.4 + 0.1 * rng.random() + 0.005 * own.standard_normal()
    score += GAIN[run.cell] * (config.method == "penalty")
    if run.part == "tune":
        score = 0.5 - 0.1 * abs(np.log(config.options.strength / 2))
    per_query = np.clip(score + 0.2 * (difficulty - difficulty.mean()), 0, 1)
    last = {"purity": 0.5, "pure_cells": 0.1, "codeword_purity": 0.3, "cosine": 0.9, "uphill": 0.1}
    record = {
        "run": run.name,
        "part": run.part,
        "variant": run.variant,
        "commit": "abc",
        "adc_map": float(per_query.mean()),
        "exact_map": 0.7,
        "argmax_map": 0.6,
        "relative_distortion": 0.3,
        "train_seconds": 1.0,
        "quantizer": config.quantizer,
        "method": config.method,
        "seed": config.seed,
        "history": [{**last, "moved": 0.2, "codeword_moved": 0.1}],
        **running.what_was_asked(run, study),
    }
    return record, per_query


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StudyResults:
    monkeypatch.setattr(running, "execute", figures)
    path = tmp_path / "mine.toml"
    text = CELLS.replace("seeds = [0, 1]", SEEDS).replace('["pq", "rq"]', '["pq"]')
    path.write_text(text.replace("split_seed = 0\n", ""))
    return StudyResults(load_study(path), tmp_path / "results")


def test_nothing_is_said_of_what_has_not_run(results: StudyResults) -> None:
    (part,) = results.study.parts
    assert ladders(results) == []
    assert entries(results, part) == []
    assert differences(results, part, "penalty", "none") == {}
    assert as_json(results)["parts"] == {}
    assert "trials" in as_text(results)


def test_a_ladder_says_what_was_tried_and_whether_the_best_stands_at_an_end(
    results: StudyResults,
) -> None:
    run_part(results, "tune", share=(2, 6))
    (penalty,) = ladders(results)
    assert penalty.key == ("cross-entropy", "penalty", "2x4")
    strengths = [settings["strength"] for settings, _ in penalty.tried]
    assert strengths == sorted(strengths)
    assert len(strengths) == 4
    assert penalty.whole
    assert not penalty.at_end
    assert penalty.best[0]["strength"] == pytest.approx(2, abs=0.5)
    results.file(results.planned("tune", [penalty.key])[-1]).unlink()
    (less,) = ladders(results)
    assert not less.whole


def test_intervals_are_those_of_all_cells_together(results: StudyResults) -> None:
    for part in ("tune", "test"):
        run_part(results, part)
    (part,) = results.study.parts
    found = differences(results, part, "penalty", "none")
    assert set(found) == {("pq", "2x4"), ("pq", "1x16")}
    assert found["pq", "2x4"].difference == pytest.approx(0.2, abs=0.02)
    assert found["pq", "2x4"].excludes_zero
    assert not found["pq", "1x16"].excludes_zero
    alone = {
        (e.cell, e.method): np.stack([results.per_query(r) for r in e.records])
        for e in entries(results, part)
    }
    from gsl_tutorial.evaluation.intervals import clustered_bootstrap

    single = clustered_bootstrap(
        alone["2x4", "penalty"], alone["2x4", "none"], shared_queries=False, random_state=0
    )
    corrected = found["pq", "2x4"]
    assert corrected.low < single.low < single.high < corrected.high
    text = as_text(results)
    assert "95% in all 2 together" in text
    assert "(5 seeds)" in text


def test_the_json_of_a_map_is_small_and_says_what_its_intervals_allow_for(
    results: StudyResults,
) -> None:
    for part in ("tune", "test"):
        run_part(results, part)
    found = json.loads(json.dumps(as_json(results), allow_nan=False))
    assert found["cells"]["2x4"] == {"M": 2, "K": 4, "bits": 4}
    assert found["equal_bits"] == {"4": ["1x16", "2x4", "4x2"]}
    test = found["parts"]["test"]
    assert test["comparisons"] == 2
    assert set(test["cells"]) == {"pq 2x4", "pq 1x16"}
    assert test["cells"]["pq 2x4"]["penalty"]["seeds"] == [0, 1, 2, 3, 4]
    assert len(test["differences"]["penalty - none"]["pq 2x4"]) == 3
    assert found["commits"] == ["abc"]
    assert found["tuned"]["2x4"]["penalty"]["whole"]


def test_cells_and_equal_bits() -> None:
    assert [sizes(cell) for cell in ("2x4", "1x256", "8x16")] == [
        (2, 4, 4),
        (1, 256, 8),
        (8, 16, 32),
    ]
    cells = ["2x4", "4x4", "4x16", "2x16", "2x8", "1x16", "8x16", "1x256"]
    assert equal_bits(cells) == {4: ["1x16", "2x4"], 8: ["1x256", "2x16", "4x4"]}


# The law


def lawful(run: StudyRun, study: Study, bench: Any = None) -> Any:
    """The penalty gains as much as the codewords are fewer than the classes."""
    record, per_query = figures(run, study)
    K = run.config.n_codewords
    gain = 0.1 * max(0.0, np.log2(run.classes / K)) * (run.config.method == "penalty")
    return {**record, "adc_map": 0.5 + gain}, per_query


def test_a_law_that_holds_is_found_and_one_that_does_not_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "execute", lawful)
    monkeypatch.setitem(GAIN, "2x2", 0.0)
    monkeypatch.setitem(GAIN, "2x16", 0.0)
    text = CELLS.replace('"2x4", "1x16", "4x2"', '"2x2", "2x4", "2x16"')
    text = text.replace('"1x16", "2x4"', '"2x2", "2x4", "2x16"').replace('["pq", "rq"]', '["pq"]')
    text = text.replace("[100, 101]", "[100]\nclasses = [2, 5, 10]")
    path = tmp_path / "mine.toml"
    path.write_text(text.replace("seeds = [0, 1]", "seeds = [0, 1]\nclasses = [2, 5, 10]"))
    results = StudyResults(load_study(path), tmp_path / "results")
    (part,) = results.study.parts
    with pytest.raises(DataMissingError, match="finished runs of penalty and none"):
        law.gains(results, part, "penalty", "none")
    for name in ("tune", "test"):
        run_part(results, name)
    found = law.gains(results, part, "penalty", "none")
    assert len(found) == 9
    by_place = {(gain.cell, gain.classes): gain.mean for gain in found}
    assert by_place["2x4", 10] == pytest.approx(0.1 * np.log2(2.5))
    assert by_place["2x16", 10] == 0
    correlation = law.rank_correlation(found, "words_per_class")
    assert correlation.difference < -0.8
    assert correlation.high <= 0  # three cells only: a draw of one cell three times says nothing
    means = [
        mean for *_, mean, _ in [(b[0], b[2], b[3]) for b in law.bins(found, "words_per_class")]
    ]
    assert means == sorted(means, reverse=True)
    nothing = law.gains(results, part, "none", "none")
    assert law.rank_correlation(nothing, "words_per_class").difference == 0
    said = law.as_text(results, part, "penalty", "none")
    assert "rank correlation" in said
    assert "+0.132" in said


# Once more


def test_a_cell_is_trained_again_and_a_figure_that_differs_is_seen(
    results: StudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataMissingError, match="records of cell 2x4"):
        list(again.repeat_cell(results, "test", "2x4"))
    for part in ("tune", "test"):
        run_part(results, part)
    monkeypatch.setattr(again, "execute", figures)
    compared = dict(again.repeat_cell(results, "test", "2x4"))
    assert len(compared) == 2
    assert all(row.agrees and row.card == row.again for row in compared.values())
    assert all("seed0" in name and "2x4" in name for name in compared)
    record = next(r for r in results.records("test") if r["run"] == next(iter(compared)))
    path = results.path / "test" / f"{record['run']}.json"
    path.write_text(json.dumps({**record, "adc_map": record["adc_map"] - 0.9}))
    changed = dict(again.repeat_cell(results, "test", "2x4", seed=0))
    assert [row.again - row.card for row in changed.values()] == pytest.approx([0.9, 0], abs=1e-9)
    with pytest.raises(DataMissingError, match="none with seed 77"):
        list(again.repeat_cell(results, "test", "2x4", seed=77))
