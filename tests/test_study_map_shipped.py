"""The records of the maps that are shipped: whole, of the declared grid, and small."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import t as student_t
from test_study import MAPS

from gsl_tutorial.course.study import StudyResults, load_study
from gsl_tutorial.course.study.law import rank_correlation
from gsl_tutorial.course.study.map_file import read_map
from gsl_tutorial.course.study.map_report import as_json, as_text, cell_of, differences, entries
from gsl_tutorial.course.study.map_words import verdict
from gsl_tutorial.course.study.report import compare, difference_by_seed, settings

RESULTS = Path(__file__).parents[1] / "data" / "results"


@pytest.fixture(params=[*MAPS, "digits-coarse"])
def results(request: pytest.FixtureRequest) -> StudyResults:
    shipped = StudyResults(load_study(request.param), RESULTS)
    if not shipped.path.exists():
        pytest.skip(f"no results of {request.param} are shipped yet")
    return shipped


def test_every_record_is_a_run_of_the_grid(results: StudyResults) -> None:
    for part in ("tune", *(p.name for p in results.study.parts)):
        planned = {run.name: run for run in results.planned(part)}
        for record in results.records(part):
            run = planned[record["run"]]
            assert results.has(run)
            assert asdict(run.config) == record["config"]
            assert {"command", "commit", "train_seconds"} <= set(record) or "diverged" in record
            assert "dirty" not in record["commit"]
            if "diverged" in record:
                continue
            assert 0 < record["adc_map"] <= 1
            last = record["history"][-1]
            assert {"purity", "pure_cells", "moved", "cosine", "uphill"} <= set(last)
            assert 0 <= last["pure_cells"] <= 1
            if part != "tune":
                assert results.per_query(record).shape == (record["n_query"],)
                assert results.per_query(record).mean() == pytest.approx(
                    record["adc_map"], abs=1e-3
                )


def test_the_records_are_small_and_the_map_is_smaller(results: StudyResults) -> None:
    # Fifteen megabytes for a study of 1,300 runs.
    files = [path for path in results.path.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 15e6
    assert all(path.stat().st_size < 12_000 for path in files)
    found = json.dumps(as_json(results), allow_nan=False)
    assert len(found) < 300_000
    assert results.study.name in as_text(results)


METHODS = ("none", "penalty", "snap-pull", "ste")
NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight")


def test_the_readme_says_what_the_records_say() -> None:
    readme = (RESULTS.parents[1] / "README.md").read_text(encoding="utf-8")
    told = readme[readme.index("**When does it matter") : readme.index("![The map")]
    text = " ".join(told.split())
    table = read_map()
    figures = []
    for cell in ("8x16", "2x4"):
        found = table.cell(cell).findings
        assert {len(found[method].seeds) for method in METHODS} == {5}
        figures += [f"{found[method].mean:.2f}".lstrip("0") for method in METHODS]
    assert re.findall(r"\.\d+", told) == [*figures, ".02", ".012"]
    scarce = table.cell("2x4")
    assert [verdict(scarce.gain(m, "none")) for m in ("snap-pull", "ste")] == ["wins", "wins"]
    assert verdict(scarce.gain("snap-pull", "penalty")) == "ties"
    ahead = {
        rival: [cell for cell in table.cells if verdict(cell.gain("snap-pull", rival)) == "wins"]
        for rival in ("none", "penalty")
    }
    assert (
        f"Over all {NUMBERS[len(table.cells)]} cells of the map, the snapped pull beats plain training "
        f"clearly in {NUMBERS[len(ahead['none'])]} and the penalty in {NUMBERS[len(ahead['penalty'])]}, two"
    ) in text
    assert sum(c.gain("snap-pull", "penalty").difference < 0.02 for c in ahead["penalty"]) == 2
    apart = [abs(cell.gain("snap-pull", "ste").difference) for cell in table.cells]
    assert max(apart) <= 0.012
    for cell in table.cells:
        for method, one in cell.findings.items():
            if "snap-pull" in one.against:
                assert verdict(one.against["snap-pull"]) != "wins", (cell.name, method)


def test_the_readme_says_where_the_answer_does_not_hold() -> None:
    readme = (RESULTS.parents[1] / "README.md").read_text(encoding="utf-8")
    text = " ".join(readme[: readme.index("![The map")].split())
    table = read_map()
    residual = table.elsewhere["quantizers"]["rq 2x4"]
    assert "With two residual codebooks of four codewords the snap loses clearly to both" in text
    assert [verdict(residual[rival]) for rival in ("penalty", "ste")] == ["loses", "loses"]
    assert "straight-through falls clearly behind the snap and plain training" in text
    contrastive = table.elsewhere["contrastive-ste"]
    assert {verdict(contrastive[cell]["none"]) for cell in contrastive} == {"loses"}
    assert "For classes that training never saw, no method is clearly ahead of plain" in text
    for study in ("map", "map-crowd"):
        results = StudyResults(load_study(study), RESULTS)
        part = next(part for part in results.study.parts if part.name == "unseen")
        for method in part.methods[1:]:
            over = differences(results, part, method, "none")
            assert "wins" not in map(verdict, over.values()), (study, method)
    assert {verdict(one["none"]) for one in table.elsewhere["crowd-unseen-ste"].values()} == {
        "loses"
    }


def test_the_instructors_page_says_what_the_records_say() -> None:
    table = read_map()
    for cell in ("4x16", "8x16"):
        means = [table.cell(cell).findings[method].mean for method in METHODS]
        assert max(means) - min(means) < 0.01
    clear = [c.name for c in table.cells if verdict(c.gain("snap-pull", "ste")) != "ties"]
    assert clear == ["4x16"], "straight-through is as good as the snap nearly everywhere"


def test_chapter_07_may_say_that_no_variant_is_clearly_better() -> None:
    found = read_map().elsewhere["forms"]
    assert {place: set(rivals) for place, rivals in found.items()} == {
        cell: {"ste", "snap-pull"} for cell in ("2x4", "4x4", "4x16", "2x16")
    }
    assert all(verdict(one) == "ties" for rivals in found.values() for one in rivals.values())
    means = {
        cell: {m: f.mean for m, f in read_map().cell(cell).findings.items() if f.mean is not None}
        for cell in ("2x4", "4x4")
    }
    assert all(max(of, key=of.__getitem__) == "halfway" for of in means.values())


def test_chapter_07_may_say_that_the_law_is_a_tendency() -> None:
    gains = read_map().gains
    digits, photographs = (gains[study]["penalty"] for study in ("map-digits", "map-classes"))
    assert {len(one.by_seed) for one in photographs} == {3}
    assert {one.classes for one in photographs} == {3, 6}
    large = [one for one in digits if one.cell.startswith("2x") and one.mean > 0.03]
    assert len(large) >= 6
    assert all(one.words_per_class < 0 for one in large)
    two = [one for one in digits if one.cell.startswith("2x")]
    one_book = [one for one in digits if one.cell.startswith("1x")]
    assert all(
        verdict(rank_correlation(some, "words_per_class")) == "loses" for some in (two, one_book)
    )
    assert np.median([one.mean for one in one_book]) < 0.003
    assert verdict(rank_correlation(list(photographs), "words_per_class")) == "ties"
    of = {(one.cell, one.classes): one.mean for one in photographs}
    assert max(of, key=of.__getitem__) == ("2x4", 6)
    assert abs(of["2x2", 3]) < 0.005
    enough = [one.mean for one in photographs if one.words_per_class > 0]
    assert 0.005 < min(enough) < max(enough) < 0.02


def test_no_ladder_of_plain_training_ended_too_early() -> None:
    results = StudyResults(load_study("map"), RESULTS)
    at_end = {
        cell.name: next(words for words, score in one.tried if score == one.trial)
        for cell in read_map().cells
        if (one := cell.findings["none"]).at_end
    }
    assert at_end == {"4x4": "learning rate x 4", "1x256": "learning rate x 4"}
    rates: dict[tuple[str, float], dict[int, float]] = {}
    for one in results.records("ends"):
        rate = one["config"]["learning_rate"] / results.study.learning_rates["cross-entropy"]
        rates.setdefault((cell_of(one), rate), {})[one["seed"]] = one["adc_map"]
    for cell in at_end:
        best, further = rates[cell, 4.0], rates[cell, 8.0]
        assert len(best) == 4
        assert all(further[seed] < value for seed, value in best.items()), cell


def test_chapter_07_may_call_one_win_fragile_and_two_small() -> None:
    results = StudyResults(load_study("map"), RESULTS)
    table = read_map()
    assert table.level == pytest.approx(0.05)
    assert table.comparisons == 8
    factor = student_t.ppf(1 - 0.05 / 8 / 2, 4)
    assert f"{factor:.1f}" == "5.3"
    contains_zero = {}
    for cell in ("4x4", "8x16", "1x256"):
        of = {
            method: {
                one["seed"]: results.per_query(one).mean()
                for one in results.records("test")
                if (one["method"], cell_of(one), one["config"]["quantizer"]) == (method, cell, "pq")
            }
            for method in ("snap-pull", "penalty")
        }
        gains = np.array([of["snap-pull"][s] - of["penalty"][s] for s in range(5)])
        half = factor * gains.std(ddof=1) / np.sqrt(5)
        contains_zero[cell] = bool(gains.mean() - half < 0)
        assert verdict(table.cell(cell).gain("snap-pull", "penalty")) == "wins"
        assert (gains.mean() < 0.02) == (cell != "4x4")
    assert contains_zero == {"4x4": True, "8x16": False, "1x256": False}
    assert verdict(table.elsewhere["why"]["4x4"]["penalty"]) == "wins"


def test_chapter_07_may_say_in_which_row_the_two_intervals_part() -> None:
    results = StudyResults(load_study("map"), RESULTS)
    runs = [one for one in results.records("test") if one["config"]["quantizer"] == "pq"]
    parted = []
    for cell in read_map().cells:
        for rival in ("penalty", "ste"):
            mine, other = (
                [one for one in runs if (one["method"], cell_of(one)) == (method, cell.name)]
                for method in ("snap-pull", rival)
            )
            package = difference_by_seed(results, mine, other, shared_queries=False)
            of = [
                {one["seed"]: results.per_query(one).mean() for one in side}
                for side in (mine, other)
            ]
            gains = np.array([of[0][seed] - of[1][seed] for seed in sorted(of[0])])
            half = student_t.ppf(0.975, 4) * gains.std(ddof=1) / np.sqrt(5)
            by_hand = bool(abs(gains.mean()) > half)
            if by_hand != package.excludes_zero:
                parted.append((cell.name, rival, by_hand))
    assert parted == [("2x4", "penalty", False)]


def test_chapter_07_may_say_what_it_says_of_the_circle() -> None:
    circle = read_map().circle
    for method in ("penalty", "snap-pull"):
        strengths = [float(words.split()[1]) for words, _ in circle[method].tried]
        assert circle[method].setting == f"strength {min(strengths):g}", method
    fast, same = circle["none (learning rate x 10)"].adc_map, circle["none"].adc_map
    assert any(new - old > 0.3 for new, old in zip(fast, same, strict=True))


def test_chapter_07_may_say_that_the_embedding_gains_where_codes_lose_little() -> None:
    results = StudyResults(load_study("cifar10"), RESULTS)
    rows = {row.method: row for row in compare(results, "core", ("P2", "cross-entropy", "pq", 16))}
    plain = rows["none"]
    assert plain.exact_map.mean < plain.adc_map.mean + 0.001
    for method in ("penalty", "ste", "rotation", "snap-pull", "snap-lookahead"):
        assert rows[method].exact_map.mean > plain.exact_map.mean + 0.015, method


def test_chapter_07_may_say_what_it_says_of_the_rounds() -> None:
    table = read_map()
    rounds = table.rounds
    assert list(rounds) == ["2x4", "4x4", "2x16"]
    for cell in ("2x4", "4x4"):
        found = table.cell(cell).findings
        by_purity = sorted(METHODS, key=lambda m, of=rounds[cell]: of[m]["purity"][-1])
        assert by_purity == sorted(METHODS, key=lambda m, of=found: of[m].mean or 0.0)
    four = rounds["4x4"]
    assert max(METHODS, key=lambda m: sum(four[m]["moved"][2:])) == "none"
    assert min(METHODS, key=lambda m: four[m]["purity"][-1]) == "none"
    means = [table.cell("2x16").findings[method].mean for method in METHODS]
    assert max(means) - min(means) < 0.013
    scarce, plenty = rounds["2x4"], rounds["2x16"]
    assert scarce["penalty"]["moved"][0] < scarce["snap-pull"]["moved"][0]
    assert sum(scarce["penalty"]["moved"]) < sum(scarce["snap-pull"]["moved"])
    assert scarce["penalty"]["uphill"][0] < scarce["penalty"]["uphill"][-1]
    assert scarce["ste"]["purity"][-1] - scarce["snap-pull"]["purity"][-1] < 0.02
    assert max(plenty[m]["purity"][-1] for m in METHODS) < 0.02 + min(
        plenty[m]["purity"][-1] for m in METHODS
    )


def test_chapter_07_may_say_what_it_says_of_the_snap_taken_apart() -> None:
    two, four = (read_map().elsewhere["why"][cell] for cell in ("2x4", "4x4"))
    pulls = ("pull-second", "pull-random", "pull-near-descending", "pull-farthest")
    assert verdict(two["penalty"]) == verdict(four["penalty"]) == "wins"
    assert {verdict(two[pull]) for pull in pulls} == {"ties"}
    assert [verdict(four[pull]) for pull in pulls] == ["wins", "wins", "ties", "wins"]
    left = {pull: 1 - two[pull].difference / two["penalty"].difference for pull in pulls}
    assert min(left.values()) > 0.4, "every mean lies well above that of the penalty"
    assert min(left, key=left.__getitem__) == "pull-farthest"


def test_chapter_07_may_say_what_it_says_of_other_quantizers() -> None:
    found = read_map().elsewhere["quantizers"]
    assert set(found) == {"opq 2x4", "opq 4x16", "rq 2x4", "rq 4x16"}
    assert verdict(found["opq 2x4"]["none"]) == verdict(found["opq 4x16"]["penalty"]) == "wins"
    assert {verdict(found[f"opq {cell}"]["ste"]) for cell in ("2x4", "4x16")} == {"ties"}
    assert verdict(read_map().cell("4x16").gain("snap-pull", "penalty")) == "ties"
    residual = found["rq 2x4"]
    assert residual["ste"].difference < residual["penalty"].difference < 0


def test_chapter_07_may_say_what_its_tiles_show() -> None:
    table = read_map()

    def clear(one: str, other: str) -> list[str]:
        return [c.name for c in table.cells if verdict(c.gain(one, other)) != "ties"]

    assert clear("snap-pull", "penalty") == ["4x4", "8x16", "1x256"]
    assert clear("snap-pull", "ste") == ["4x16"]
    assert clear("ste", "penalty") == ["2x4", "1x16", "1x256"]
    assert verdict(table.cell("1x16").gain("ste", "penalty")) == "loses"
    best = {
        cell.name: max(f.mean for f in cell.findings.values() if f.mean is not None)
        for cell in table.cells
    }
    assert best["1x16"] > best["2x4"]
    assert best["2x16"] > best["4x4"] > best["1x256"]


def test_chapter_07_may_say_which_methods_on_digits_are_dominated() -> None:
    results = StudyResults(load_study("digits"), RESULTS)
    (setting,) = settings(results, "core")
    of = {row.method: row for row in compare(results, "core", setting)}
    snap, penalty = of["snap-pull"], of["penalty"]
    for worse in (of["none"], of["snap-replace"]):
        assert snap.adc_map.mean > worse.adc_map.mean, worse.method
        assert 4 * snap.relative_distortion.mean < worse.relative_distortion.mean
    lead = snap.adc_map.mean - of["none"].adc_map.mean
    assert of["none"].adc_map.deviation < lead < 2 * of["none"].adc_map.deviation
    assert 2 * penalty.relative_distortion.mean < snap.relative_distortion.mean
    assert penalty.adc_map.mean < snap.adc_map.mean


def test_chapter_07_may_say_what_it_says_of_classes_never_trained_on() -> None:
    found = read_map().elsewhere["unseen"]
    assert set(found) == {"2x4", "4x16"}
    for rivals in found.values():
        assert set(rivals) == {"none", "penalty", "ste", "rotation"}
        assert {verdict(one) for one in rivals.values()} == {"ties"}
        assert max(one.high for one in rivals.values()) < 0.03
    results = StudyResults(load_study("map"), RESULTS)
    part = next(part for part in results.study.parts if part.name == "unseen")
    for pair in itertools.combinations(part.methods, 2):
        assert {verdict(one) for one in differences(results, part, *pair).values()} == {"ties"}
    of = entries(results, part)
    assert len(of) == 10
    for one in of:
        assert len(one.seeds) == 10
        assert 0.07 < one.spread("adc_map").deviation < 0.09, (one.cell, one.method)


def test_chapter_07_may_say_what_it_says_of_the_contrastive_loss() -> None:
    results = StudyResults(load_study("map-contrastive"), RESULTS)
    (part,) = results.study.parts
    assert [len(one.seeds) for one in entries(results, part)] == [5] * 10
    found = read_map().elsewhere["contrastive"]
    for cell in ("2x4", "4x16"):
        assert verdict(found[cell]["ste"]) == verdict(found[cell]["rotation"]) == "wins"
        assert verdict(found[cell]["none"]) == verdict(found[cell]["penalty"]) == "ties"
        plain = [differences(results, part, m, "none")["pq", cell] for m in ("ste", "rotation")]
        assert {verdict(one) for one in plain} == {"loses"}
    penalty = differences(results, part, "penalty", "none")
    assert [verdict(penalty["pq", cell]) for cell in ("2x4", "4x16")] == ["wins", "ties"]
    of = {(one.cell, one.method): one.spread("adc_map") for one in entries(results, part)}
    assert 0 < of["2x4", "snap-pull"].mean - of["2x4", "penalty"].mean < 0.02
    assert of["2x4", "snap-pull"].deviation > 1.5 * of["2x4", "penalty"].deviation


def test_chapter_07_may_say_how_much_strength_each_bears() -> None:
    table = read_map()
    assert table.sweep_trials == (), "every column shows runs of its own"
    lost, weakest, missed = {}, {}, {}
    for cell in ("2x4", "4x4", "4x16"):
        assert {len(one.adc_map) for of in table.sweep[cell].values() for one in of} == {3}
        for method, of in table.sweep[cell].items():
            means = {one.strength: sum(one.adc_map) / 3 for one in of}
            assert max(means) / min(means) == pytest.approx(1e4)
            lost[cell, method] = 1 - means[100.0] / max(means.values())
            weakest[cell, method] = means[0.1]
            missed[cell, method] = max(means.values()) - means[0.1]
    for cell in ("2x4", "4x4", "4x16"):
        assert missed[cell, "snap-pull"] > missed[cell, "penalty"]
        assert weakest[cell, "snap-pull"] > weakest[cell, "penalty"]
    assert 0.6 < lost["4x4", "penalty"] < 2 / 3
    assert 0.15 < lost["4x4", "snap-pull"] < 0.2
    assert 1 / 3 < lost["4x16", "penalty"] < 0.4
    assert lost["4x16", "snap-pull"] == pytest.approx(1 / 7, abs=0.02)


def test_chapter_07_may_say_what_it_says_of_a_hundred_classes() -> None:
    found = read_map().elsewhere["crowd"]
    assert list(found) == ["2x16", "1x256"], "two of four cells have run"
    assert {rival: verdict(one) for rival, one in found["2x16"].items()} == {
        "none": "wins",
        "penalty": "ties",
        "ste": "loses",
    }
    results = StudyResults(load_study("map-crowd"), RESULTS)
    part = results.study.parts[0]
    of = entries(results, part)
    assert [len(one.seeds) for one in of] == [3] * 8
    assert all(one.spread("exact_map").mean < 0.2 for one in of)
    for method in ("penalty", "ste"):
        assert verdict(differences(results, part, method, "none")["pq", "2x16"]) == "wins"
    for pair in itertools.combinations(part.methods, 2):
        assert verdict(differences(results, part, *pair)["pq", "1x256"]) == "ties", pair
    means = {(one.cell, one.method): one.spread("adc_map").mean for one in of}
    best = max(mean for (cell, _), mean in means.items() if cell == "2x16")
    assert f"{means['1x256', 'none']:.2f} {best:.2f}" == "0.17 0.14"
    unseen = results.study.parts[1]
    unseen_of = {
        pair: verdict(differences(results, unseen, *pair)["pq", "2x16"])
        for pair in itertools.combinations(unseen.methods, 2)
    }
    assert {pair for pair, said in unseen_of.items() if said != "ties"} == {
        ("none", "ste"),
        ("penalty", "ste"),
    }
    assert unseen_of["none", "ste"] == unseen_of["penalty", "ste"] == "wins"
    spreads = {one.method: one.spread("adc_map") for one in entries(results, unseen)}
    assert max(one.deviation for one in spreads.values()) < 0.015
    by_mean = sorted(spreads, key=lambda method: spreads[method].mean)
    assert (by_mean[0], by_mean[-1]) == ("ste", "none")
