"""Running a study: nothing twice, nothing left out, whole records only, the best trial chosen."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_study import SMALL

from gsl_tutorial import storage
from gsl_tutorial.course.study import Study, StudyResults, StudyRun, load_study, run_part, running
from gsl_tutorial.course.training.config import PROFILES
from gsl_tutorial.errors import (
    DataMissingError,
    InvalidInputError,
    RunMismatchError,
    StorageError,
)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    path = tmp_path / "mine.toml"
    path.write_text(SMALL)
    return load_study(path)


def pretended(run: StudyRun, study: Study) -> Any:
    """A record as `execute` gives it, without the training: the last trial of a method is best."""
    score = 0.25 * run.variant
    record = {
        "run": run.name,
        "part": run.part,
        "variant": run.variant,
        "adc_map": score,
        "loss": run.config.loss,
        "method": run.config.method,
        **running.what_was_asked(run, study),
    }
    return record, np.array([0.25, 1.0, score])


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the runs that were made, in order; each takes no time."""
    names: list[str] = []

    def execute(run: StudyRun, study: Study, bench: Any) -> Any:
        names.append(run.name)
        return pretended(run, study)

    monkeypatch.setattr(running, "execute", execute)
    return names


def test_shares_are_everything_without_overlap(
    study: Study, made: list[str], tmp_path: Path
) -> None:
    results = StudyResults(study, tmp_path)
    planned = [run.name for run in results.planned("tune")]
    for n in (2, 3):
        parts = []
        for i in range(1, n + 1):
            made.clear()
            run_part(StudyResults(study, tmp_path / f"{n}-{i}"), "tune", share=(i, n))
            parts.append(list(made))
        assert Counter(itertools.chain(*parts)) == Counter(planned)
        assert max(map(len, parts)) - min(map(len, parts)) <= 1
    made.clear()
    assert run_part(results, "tune", share=(1, 2)) == 2
    assert run_part(results, "tune", share=(2, 2)) == 2
    assert sorted(made) == sorted(planned)
    assert run_part(results, "tune") == 0


@pytest.mark.parametrize("share", [(0, 2), (3, 2), (1, 0), (-1, 1)])
def test_a_share_that_cannot_be_is_refused(
    share: tuple[int, int], study: Study, made: list[str], tmp_path: Path
) -> None:
    with pytest.raises(InvalidInputError, match="a share like 1/2 or 2/2"):
        run_part(StudyResults(study, tmp_path), "tune", share=share)
    assert made == []


def test_what_is_done_is_not_done_again(study: Study, made: list[str], tmp_path: Path) -> None:
    results = StudyResults(study, tmp_path)
    told: list[tuple[str, int, int]] = []
    gone = results.planned("tune")[1]
    assert run_part(results, "tune", provenance={"commit": "abc"}) == 4
    assert all(record["commit"] == "abc" for record in results.records("tune"))
    before = {path: path.stat().st_mtime_ns for path in results.path.rglob("*.json")}
    results.file(gone).unlink()
    made.clear()
    done = run_part(results, "tune", on_run=lambda run, i, n: told.append((run.name, i, n)))
    assert (done, made, told) == (1, [gone.name], [(gone.name, 1, 1)])
    for path, time in before.items():
        assert (path.stat().st_mtime_ns == time) is (path != results.file(gone))
    assert not list(results.path.rglob("*.tmp"))


def strengths(study: Study, *values: float) -> Study:
    penalty = tuple({"strength": value} for value in values)
    (loss, trials), *_ = study.trials.items()
    return replace(study, trials={loss: {**trials, "penalty": penalty}})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: replace(s, base=replace(s.base, dim=16)), ["config.dim = 16", "config.dim = 8"]),
        (lambda s: replace(s, learning_rates={"cross-entropy": 0.2}), ["config.learning_rate"]),
        (
            lambda s: strengths(s, 3.0, 3.0),
            ["config.options.strength = 3.0", "config.options.strength = 1.0"],
        ),
        (
            lambda s: replace(s, train_per_class=21),
            ["train_per_class = 21", "train_per_class = 20"],
        ),
        (lambda s: replace(s, queries=40), ["queries = 40", "queries = 30"]),
    ],
)
def test_results_of_other_settings_are_refused_by_name(
    change: Any, said: list[str], study: Study, made: list[str], tmp_path: Path
) -> None:
    run_part(StudyResults(study, tmp_path), "tune")
    made.clear()
    with pytest.raises(RunMismatchError) as caught:
        run_part(StudyResults(change(study), tmp_path), "tune")
    assert made == []
    for phrase in (*said, "another name"):
        assert phrase in str(caught.value)
    assert "config.bits" not in str(caught.value)


def test_a_changed_schedule_is_noticed_and_a_record_that_says_less_is_not_refused(
    study: Study, made: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = StudyResults(study, tmp_path)
    run_part(results, "tune")
    longer = replace(PROFILES["digits"]["quick"], rounds=77)
    monkeypatch.setitem(PROFILES["digits"], "quick", longer)
    with pytest.raises(RunMismatchError, match=r"schedule\.rounds = 77"):
        run_part(results, "tune")
    for path in results.path.rglob("*.json"):  # as the first records were
        record = json.loads(path.read_text())
        for key in ("schedule", "train_per_class", "queries"):
            del record[key]
        path.write_text(json.dumps(record))
    assert run_part(results, "tune") == 0
    # What the configuration of a run does not say is another matter.
    del record["config"]["dim"]
    path.write_text(json.dumps(record))
    with pytest.raises(RunMismatchError, match=r"config\.dim = 8.*config\.dim = None"):
        run_part(results, "tune")


@pytest.mark.parametrize("kind", [".safetensors", ".json"])
def test_an_interrupted_write_leaves_a_run_to_be_done(
    kind: str, study: Study, made: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = StudyResults(study, tmp_path)
    first, second = results.planned("tune")[:2]
    rename = storage.os.replace

    def broken(source: Any, target: Path) -> None:
        if Path(target).name == second.name + kind:
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr("gsl_tutorial.storage.os.replace", broken)
    with pytest.raises(StorageError, match="No space left"):
        run_part(results, "tune")
    assert results.has(first)
    assert not results.has(second)
    assert len(results.records("tune")) == 1
    monkeypatch.setattr("gsl_tutorial.storage.os.replace", rename)
    made.clear()
    assert run_part(results, "tune") == 3
    assert made[0] == second.name


def test_the_best_trial_on_validation_is_chosen(
    study: Study, made: list[str], tmp_path: Path
) -> None:
    results = StudyResults(study, tmp_path)
    with pytest.raises(DataMissingError, match=r"all 4 trials.*4 are missing.*--part tune"):
        results.planned("core")
    run_part(results, "tune", share=(1, 2))
    with pytest.raises(DataMissingError, match=r"2 are missing, .*none_pq8_seed100_v1 among them"):
        results.chosen()
    run_part(results, "tune")
    assert results.chosen() == {
        ("cross-entropy", "none"): {"rate": 0.5},
        ("cross-entropy", "penalty"): {"strength": 9.0},
    }
    assert {run.config.options.strength for run in results.planned("core")} == {9.0}
    # Another trial wins, and a tie keeps the first.
    for value, strength in ((0.9, 1.0), (0.25, 1.0), (0.2, 9.0)):
        path = results.file(study.tuning()[2])
        path.write_text(json.dumps({**json.loads(path.read_text()), "adc_map": value}))
        assert results.chosen()["cross-entropy", "penalty"] == {"strength": strength}, value
    # What a larger study left behind is nobody's choice.
    stray = {**pretended(study.tuning()[3], study)[0], "variant": 7, "adc_map": 1.0}
    (results.path / "tune" / "stray_v7.json").write_text(json.dumps(stray))
    assert results.chosen()["cross-entropy", "penalty"] == {"strength": 9.0}


def test_a_part_that_is_not_declared(study: Study, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"one of the parts tune, core; got cores"):
        StudyResults(study, tmp_path).planned("cores")
