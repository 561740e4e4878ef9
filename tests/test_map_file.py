"""The map's file: made of the records, read back as objects, and refused where it cannot be one."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import map_cases
import numpy as np
import pytest
from test_study_map_report import figures
from typer.testing import CliRunner

from gsl_tutorial.course.cli import app
from gsl_tutorial.course.plots.method_map import described, map_svg
from gsl_tutorial.course.plots.rounds_told import draw_rounds
from gsl_tutorial.course.plots.strengths import draw_sweep
from gsl_tutorial.course.study import StudyResults, load_study, run_part, running
from gsl_tutorial.course.study import map_words as words
from gsl_tutorial.course.study.elsewhere import TOPICS, gather_elsewhere
from gsl_tutorial.course.study.law import Gain
from gsl_tutorial.course.study.map_file import COMMAND, FILE, gather, parse_map, read_map
from gsl_tutorial.course.study.map_report import difference, differences, entries, ladders
from gsl_tutorial.course.study.rounds_told import gather_rounds, parse_rounds
from gsl_tutorial.course.study.study_claims import sweep_claims
from gsl_tutorial.errors import DataMissingError, InvalidInputError
from gsl_tutorial.evaluation.intervals import Interval

RESULTS = FILE.parent / "results"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up records of two cells of the map, trials and test runs, and half of a third."""
    path = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(running, "execute", _figures)
        results = StudyResults(load_study("map"), path, only_cells=("2x4", "1x16"))
        for part in ("tune", "test"):
            run_part(results, part)
        third = StudyResults(load_study("map"), path, only_cells=("4x4",))
        run_part(third, "tune", share=(1, 3))
    return path


def _figures(run: Any, study: Any, bench: Any = None) -> Any:
    """Those of the report's tests; there the penalty gains .2 in cell 2x4, and nothing in 1x16."""
    if run.cell == "4x4":
        run = type(run)(run.part, run.config, run.variant, "4x2", run.classes)
    return figures(run, study, bench)


def test_the_file_says_what_the_records_say(root: Path) -> None:
    told = json.loads(json.dumps(gather(root), allow_nan=False))
    assert len(json.dumps(told)) < 300_000
    table = parse_map(told)
    states = {cell.name: cell.state for cell in table.cells}
    assert (states["2x4"], states["1x16"], states["4x4"]) == ("tested", "tested", "tuned")
    assert states["8x16"] == "not yet run"
    results = StudyResults(load_study("map"), root)
    part = next(part for part in results.study.parts if part.name == "test")
    by_place = {(e.cell, e.method): e for e in entries(results, part)}
    for (cell, method), entry in by_place.items():
        finding = table.cell(cell).findings[method]
        assert finding.seeds == entry.seeds
        assert finding.adc_map == pytest.approx(entry.figures["adc_map"], abs=1e-4)
    for ladder in ladders(results):
        finding = table.cell(ladder.key[2]).findings[ladder.key[1]]
        assert finding.trial == pytest.approx(ladder.best[1], abs=1e-4)
        assert finding.at_end == ladder.at_end
        assert len(finding.tried) == len(ladder.tried)
    interval = difference(
        results, by_place["2x4", "penalty"], by_place["2x4", "none"], comparisons=table.comparisons
    )
    assert interval is not None
    assert table.cell("2x4").gain("penalty", "none") == pytest.approx(interval, rel=1e-3)
    assert words.verdict(table.cell("2x4").gain("snap-pull", "penalty")) == "loses"
    assert words.opening(table).name == "2x4"
    assert table.sweep_trials == ("2x4", "4x4"), "no strength has run"
    assert set(table.sweep["2x4"]) == {"penalty", "snap-pull"}
    assert all(len(one.adc_map) == 1 for one in table.sweep["2x4"]["penalty"])


def test_the_command_writes_file_and_picture(root: Path, tmp_path: Path) -> None:
    to, picture = tmp_path / "out" / "map.json", tmp_path / "out" / "map.svg"
    told = ["map", "--results", str(root), "--to", str(to), "--picture", str(picture)]
    run = CliRunner().invoke(app, told)
    assert run.exit_code == 0, run.output
    table = read_map(to)
    assert picture.read_text() == map_svg(table)
    assert words.when_it_matters(table)[0] in run.output
    assert "Not run yet: Classes never trained on" in " ".join(run.output.split())
    missing = CliRunner().invoke(app, ["map", "--results", str(tmp_path / "no")])
    assert isinstance(missing.exception, DataMissingError)
    assert "gsl-tutorial study map" in str(missing.exception)


def test_sentences_follow_the_findings() -> None:
    table = parse_map(map_cases.found())
    said = words.when_it_matters(table)
    assert said[0].startswith("Helps.")
    assert "in 2 of 5 cells (2 × 4, 4 × 4)" in said[0]
    assert "+0.080 [+0.070, +0.090]" in said[0]
    assert "in 2 of 5 cells (2 × 16, 1 × 16)" in said[1]
    assert "in 1 of 5 cells (4 × 16)" in said[2]
    assert any(line.startswith("Is beaten by straight-through") for line in said)
    assert any(line.startswith("At 4 bits, the best mean is 0.782") for line in said)
    assert "2 × 8, 8 × 16, 1 × 256" in said[-1]
    assert words.opening(table).name == "4x16"
    assert "is beaten by the penalty" in words.answer(table.cell("4x16"))
    assert "Not decided yet" in words.answer(table.cell("2x8"))
    assert "not been run" in words.answer(table.cell("8x16"))
    assert "best at strength 3 (" in words.sweep_says(table)[0]
    assert "in 0 of 8 seeds" in words.circle_says(table)[1]


def test_nothing_is_claimed_of_an_empty_map() -> None:
    table = parse_map(map_cases.empty())
    (only,) = words.when_it_matters(table)
    assert only.startswith("Not decided yet: 2 × 4")
    assert words.opening(table).name == "2x4"
    assert words.sweep_says(table) == ["No strengths have been run yet."]
    assert "gsl-tutorial study circle" in words.circle_says(table)[0]
    assert described(table) in map_svg(table)


@pytest.mark.parametrize(
    ("slope", "said"), [(0.1, "as guessed"), (-0.1, "refuted"), (0.0, "not confirmed")]
)
def test_the_law_is_stated_or_refuted_by_its_fit(slope: float, said: str) -> None:
    gains = tuple(Gain(f"1x{K}", n, (slope * (n / K),)) for K in (2, 4, 8, 16) for n in (2, 6, 10))
    (line,) = words.law_says(gains, "penalty")
    assert said in line
    (few,) = words.law_says(gains[:3], "penalty")
    assert "too few" in few


def test_every_topic_is_a_part_of_a_study_and_has_its_sentences() -> None:
    for topic in TOPICS.values():
        part = next(p for p in load_study(topic.study).parts if p.name == topic.part)
        assert topic.method in part.methods
        assert set(topic.rivals) & set(part.methods)
    told = words.elsewhere_says(parse_map(map_cases.found()))
    assert any("RQ 2 × 4 +0.200 [+0.100, +0.300]" in line for line in told)
    (mixed,) = [line for line in told if "OPQ 2 × 4" in line]
    assert mixed.endswith("Clearly ahead in 1; no clear difference in 1.")
    (behind,) = [line for line in told if "less straight-through" in line]
    assert behind.endswith("Clearly behind.")
    assert told[-1].startswith("Not run yet: Supervised contrastive loss; ")
    assert words.elsewhere_says(parse_map(map_cases.empty()), ["why"]) == [
        "Not run yet: Pulled to another codeword."
    ]


def test_differences_elsewhere_are_those_of_the_records(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(running, "execute", _figures)
        results = StudyResults(load_study("map"), tmp_path, only_cells=("2x4",))
        for part in ("tune", "quantizers"):
            run_part(results, part)
    (topic,) = gather_elsewhere(tmp_path).items()
    assert topic[0] == "quantizers"
    assert set(topic[1]) == {"opq 2x4", "rq 2x4"}
    whole = StudyResults(load_study("map"), tmp_path)
    part = next(p for p in whole.study.parts if p.name == "quantizers")
    gains = differences(whole, part, "snap-pull", "none")
    assert topic[1]["rq 2x4"]["none"] == pytest.approx(gains["rq", "2x4"], rel=1e-3)


def test_a_cell_leaves_its_trials_when_all_its_strengths_have_run(tmp_path: Path) -> None:
    cells = ("2x4", "4x16")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(running, "execute", _figures)
        patched.setattr("test_study_map_report.GAIN", dict.fromkeys(cells, 0.0))
        results = StudyResults(load_study("map"), tmp_path, only_cells=cells)
        run_part(results, "tune")
        run_part(StudyResults(load_study("map"), tmp_path, only_cells=("2x4",)), "strength")
        run_part(
            StudyResults(load_study("map"), tmp_path, only_cells=("4x16",)),
            "strength",
            share=(1, 2),
        )
    told = gather(tmp_path)
    table = parse_map(told)
    assert table.sweep_trials == ("4x16",)
    whole, half = table.sweep["2x4"]["penalty"], table.sweep["4x16"]["penalty"]
    assert [one.strength for one in whole] == [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000]
    assert {len(one.adc_map) for one in whole} == {3}
    assert {len(one.adc_map) for one in half} == {1}
    assert words.sweep_says(table)[-1].startswith("4 × 16: these are the trials")
    titles = [axes.get_title() for axes in draw_sweep(table.sweep, trials=table.sweep_trials).axes]
    assert [title for title in titles if "trials" in title] == [
        "4 × 16, 16 bits (trials, one seed)"
    ]
    first, *_, last = sweep_claims(table)
    assert "/strength/" in first.records[0]
    assert first.seeds.startswith("3 for each strength")
    assert "/tune/" in last.records[0]


def test_rounds_are_the_means_of_the_histories(tmp_path: Path) -> None:
    def history(run: Any, study: Any, bench: Any = None) -> Any:
        record, per_query = _figures(run, study, bench)
        seed = run.config.seed
        record["history"] = [{"purity": 0.1}] + [
            {"moved": 0.5 - 0.01 * seed, "purity": 0.1 * n, "uphill": 0.02 * seed} for n in (6, 7)
        ]
        return record, per_query

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(running, "execute", history)
        results = StudyResults(load_study("map"), tmp_path, only_cells=("2x4", "1x16"))
        for part in ("tune", "test"):
            run_part(results, part)
    found = json.loads(json.dumps(gather(tmp_path)))["rounds"]
    assert set(found) == {"2x4"}, "1 x 16 is not told"
    assert set(found["2x4"]) == {"none", "penalty", "ste", "snap-pull"}
    assert found["2x4"]["ste"]["moved"] == pytest.approx([0.48, 0.48]), "the mean of five seeds"
    assert found["2x4"]["ste"]["purity"] == pytest.approx([0.6, 0.7]), "without the first round"
    assert found["2x4"]["ste"]["uphill"] == pytest.approx([0.04, 0.04])


def test_rounds_have_their_sentence() -> None:
    (line,) = words.rounds_say(parse_map(map_cases.found()))
    assert line.startswith("2 × 4: plain training: 30% a round changed their cell")
    assert (
        "the penalty: 30% a round changed their cell, purity at the end 66%, uphill at most 8%"
        in line
    )


def test_every_share_lies_inside_the_picture_of_rounds() -> None:
    rounds = read_map().rounds
    figure = draw_rounds(rounds)
    assert len(figure.axes) == 3 * len(rounds)
    for axes in figure.axes:
        low, high = axes.get_ylim()
        drawn = [np.asarray(line.get_ydata(), dtype=float) for line in axes.get_lines()]
        assert len(drawn) == 4
        assert low == 0 <= min(map(np.min, drawn)) <= max(map(np.max, drawn)) <= high


def _with(change: Any) -> dict[str, Any]:
    found = copy.deepcopy(map_cases.found())
    change(found)
    return found


HOSTILE = {
    "a list": ([], "a map as `gsl-tutorial map` writes it"),
    "no cells": ({"level": 0.05}, "cells"),
    "bits that do not fit": (_with(lambda f: f["cells"][0].update(bits=5)), "bits = M log2 K"),
    "no cell's name": (_with(lambda f: f["cells"][0].update(cell="two")), "a map as"),
    "more seeds than figures": (
        _with(lambda f: f["cells"][0]["methods"]["none"].update(seeds=[0])),
        "an ADC mAP from 0 to 1 for each seed of none",
    ),
    "above 1": (
        _with(lambda f: f["cells"][0]["methods"]["none"].update(seeds=[0], adc_map=[1.2])),
        "from 0 to 1",
    ),
    "an interval turned round": (
        _with(lambda f: f["cells"][0]["methods"]["none"].update(against={"ste": [0, 1, -1]})),
        "an interval",
    ),
    "half an interval": (
        _with(lambda f: f["cells"][0]["methods"]["none"].update(against={"ste": [0, 1]})),
        "a map as",
    ),
    "a topic that nobody knows": (_with(lambda f: f.update(elsewhere={"moon": {}})), "moon"),
    "elsewhere turned round": (
        _with(lambda f: f["elsewhere"]["unseen"]["2x4"].update(none=[0, 1, -1])),
        "an interval",
    ),
    "a share above 1": (
        _with(lambda f: f["rounds"]["2x4"]["none"].update(moved=[0.4, 1.3, 0.2])),
        "moved (0.4, 1.3, 0.2) is no share",
    ),
    "a round too few": (
        _with(lambda f: f["rounds"]["2x4"]["none"].update(moved=[0.4])),
        "different numbers of rounds",
    ),
    "a measure too few": (_with(lambda f: f["rounds"]["2x4"]["none"].pop("uphill")), "uphill"),
    "text for a number": (_with(lambda f: f.update(comparisons="many")), "a map as"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_map_is_refused_with_what_to_do(name: str) -> None:
    found, said = HOSTILE[name]
    with pytest.raises(InvalidInputError) as caught:
        parse_map(found)
    assert said in str(caught.value)
    assert COMMAND in str(caught.value)


def test_a_missing_file_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match="gsl-tutorial map"):
        read_map(tmp_path / "map.json")
    (tmp_path / "map.json").write_text("{half")
    with pytest.raises(Exception, match="What to do"):
        read_map(tmp_path / "map.json")


def test_the_shipped_file_is_that_of_the_shipped_records() -> None:
    """Intervals take minutes to draw again: here everything else, and that none is missing."""
    table = read_map()
    assert FILE.stat().st_size < 300_000
    stale = f"the records have changed: {COMMAND}"
    results = StudyResults(load_study("map"), RESULTS)
    part = next(part for part in results.study.parts if part.name == "test")
    tested = {(e.cell, e.method): e for e in entries(results, part)}
    for cell in table.cells:
        for method, finding in cell.findings.items():
            entry = tested.get((cell.name, method))
            assert finding.seeds == (entry.seeds if entry else ()), stale
            if entry:
                assert finding.adc_map == pytest.approx(entry.figures["adc_map"], abs=1e-4), stale
            for rival in ("none", "penalty", "ste"):
                both = {
                    seed for seed in finding.seeds if rival in cell.findings
                    and seed in cell.findings[rival].seeds
                }  # fmt: skip
                if rival != method:
                    assert (rival in finding.against) == (len(both) > 1), stale
    found = {(ladder.key[2], ladder.key[1]): ladder for ladder in ladders(results)}
    assert {(c.name, m) for c in table.cells for m, f in c.findings.items() if f.tried} == set(
        found
    )
    for (name, method), ladder in found.items():
        trial = table.cell(name).findings[method].trial
        assert trial == pytest.approx(ladder.best[1], abs=1e-4), stale
    assert table.rounds == parse_rounds(gather_rounds(results, part)), stale
    picture = FILE.parents[1] / "docs" / "map.svg"
    assert map_svg(table).split("</desc>")[0] == picture.read_text().split("</desc>")[0], stale


def test_intervals_are_named_by_their_verdict() -> None:
    assert words.verdict(Interval(0.0, -0.1, 0.1)) == "ties"
    assert words.said(Interval(-0.0124, -0.02, -0.001)) == "-0.012 [-0.020, -0.001]"
