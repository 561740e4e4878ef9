"""A study of cells: every method tuned in each, one rule for its last trial, and nothing lost or twice."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsl_tutorial.course.datasets import load_digits
from gsl_tutorial.course.study import Study, StudyResults, StudyRun, load_study, run_part, running
from gsl_tutorial.course.study.grid import next_trial
from gsl_tutorial.course.study.running import Bench, execute, few_classes
from gsl_tutorial.errors import InvalidInputError, RunMismatchError

CELLS = """
name = "cells"
split_seed = 0
train_per_class = 0
queries = 0
compact = true
more_trials = 2
[base]
dataset = "digits"
dim = 8
[learning_rates]
cross-entropy = 0.1
[tune]
protocols = ["validation"]
quantizers = ["pq"]
cells = ["2x4", "1x16", "4x2"]
seeds = [100, 101]
[tune.trials.cross-entropy]
none = [{rate = 0.5}, {rate = 1.0}]
penalty = [{strength = 1.0}, {strength = 3.0}]
[[parts]]
name = "test"
protocols = ["digits"]
losses = ["cross-entropy"]
methods = ["penalty", "none"]
quantizers = ["pq", "rq"]
cells = ["1x16", "2x4"]
seeds = [0, 1]
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write_(text: str = CELLS) -> Study:
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return load_study(path)

    return write_


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[StudyRun]:
    """The runs that were made, in order, without the training: mAP peaks at a strength of 10."""
    runs: list[StudyRun] = []

    def pretend(run: StudyRun, study: Study, bench: Any) -> Any:
        runs.append(run)
        strength = run.config.options.strength
        score = 1 / (1 + abs(np.log(strength / 10)))
        if run.config.method == "none":
            score = 1 / (1 + abs(run.config.learning_rate - 0.05))
        record = {"run": run.name, "part": run.part, "adc_map": score}
        return {**record, **running.what_was_asked(run, study)}, np.array([score])

    monkeypatch.setattr(running, "execute", pretend)
    return runs


# The ladder


@given(
    st.lists(st.floats(0.01, 100), min_size=2, max_size=6, unique=True),
    st.data(),
)
def test_the_next_trial_goes_beyond_an_end_or_beside_the_best(
    values: list[float], data: Any
) -> None:
    values = sorted({float(f"{value:.3g}") for value in values})
    if len(values) < 2 or min(b / a for a, b in itertools.pairwise(values)) < 1.1:
        return
    scores = data.draw(st.permutations(range(len(values))))
    rungs = [({"strength": v, "step": 1.0}, float(s)) for v, s in zip(values, scores, strict=True)]
    found = next_trial(data.draw(st.permutations(rungs)))
    assert found["step"] == 1.0
    best, new = int(np.argmax(scores)), found["strength"]
    assert new not in values
    if best == 0:
        assert new < values[0]
    elif best == len(values) - 1:
        assert new > values[-1]
    else:
        beside = max(best - 1, best + 1, key=lambda i: scores[i])
        assert sorted([values[best], values[beside]])[0] < new < max(values[best], values[beside])


@pytest.mark.parametrize(
    ("old", "new", "phrases"),
    [
        ('"2x4", "1x16", "4x2"', '"2x4", "1x16", "2x3"', ['cells such as "4x16"', "'2x3'"]),
        ('"2x4", "1x16", "4x2"', '"2x4", "1x16", "2*4"', ["'2*4'"]),
        ('"2x4", "1x16", "4x2"', '"2x4", "1x16", "3x4"', ["bits = M log2 K", "bits = 6"]),
        ('"2x4", "1x16", "4x2"', '"2x4", "1x16", "0x4"', ["'0x4'"]),
        ('"2x4", "1x16", "4x2"', '"1x16"', ["cells that were tuned (part test)", "got 2x4"]),
        ('cells = ["1x16", "2x4"]', "bits = [4]", ["cells that were tuned", "got 4"]),
        ("seeds = [0, 1]", "seeds = [0, 1]\nbits = [4]", ["bits or cells in test", "both"]),
        ('cells = ["1x16", "2x4"]', "", ["bits or cells in test", "neither"]),
        ("seeds = [0, 1]", "seeds = [0, 1]\nclasses = [5]", ["numbers of classes", "got 5"]),
        ("{strength = 3.0}", "{strength = 1.0}", ["differ in one number", "more_trials"]),
        ("{strength = 3.0}", "{strength = 3.0, step = 2.0}", ["differ in one number"]),
        ("{strength = 1.0}", "{strength = 0.0}", ["above 0"]),
        ("more_trials = 2", "more_trials = -1", ["more_trials a whole number"]),
    ],
)
def test_a_wrong_grid_of_cells_is_refused_where_it_is_read(
    old: str, new: str, phrases: list[str], write: Any
) -> None:
    assert old in CELLS
    with pytest.raises(InvalidInputError) as caught:
        write(CELLS.replace(old, new))
    for phrase in [*phrases, "What to do: "]:
        assert phrase in str(caught.value)


# Running


def test_every_method_gets_the_same_number_of_trials_in_every_cell(
    write: Any, made: list[StudyRun], tmp_path: Path
) -> None:
    study = write()
    results = StudyResults(study, tmp_path)
    assert run_part(results, "tune") == 3 * 2 * (2 + 2) * 2
    counts = Counter((run.cell, run.config.method, run.config.seed) for run in made)
    assert set(counts.values()) == {4}
    assert len(counts) == 12
    # Cell by cell, so that a study that is stopped is whole for the cells it did.
    assert [cell for cell, _ in itertools.groupby(run.cell for run in made)] == [
        "2x4",
        "1x16",
        "4x2",
    ]
    tried = {run.config.options.strength for run in made if run.config.method == "penalty"}
    assert tried == {1.0, 3.0, 9.0, 27.0}
    chosen = results.chosen()
    assert chosen["cross-entropy", "penalty", "4x2"] == {"strength": 9.0}
    assert chosen["cross-entropy", "none", "2x4"] == {"rate": 0.5}
    made.clear()
    assert run_part(results, "test") == 2 * 2 * 2 * 2
    assert {run.config.options.strength for run in made if run.config.method == "penalty"} == {9.0}
    assert [run.config.seed for run in made] == [0] * 8 + [1] * 8
    assert made[0].name == "digits_cross-entropy_penalty_pq1x16_seed0"
    assert (made[0].config.bits, made[0].config.n_codewords) == (4, 16)
    made.clear()
    assert run_part(results, "tune") == run_part(results, "test") == 0
    assert made == []


def test_a_second_seed_moves_the_choice_and_not_the_trials(
    write: Any, made: list[StudyRun], tmp_path: Path
) -> None:
    study = write()
    results = StudyResults(study, tmp_path)
    run_part(results, "tune")
    planned = [run.name for run in results.planned("tune")]
    for run in results.planned("tune"):
        if run.config.seed == 101:
            path = results.file(run)
            score = 0.9 if run.variant == 0 else 0.1
            path.write_text(json.dumps({**json.loads(path.read_text()), "adc_map": score}))
    assert [run.name for run in results.planned("tune")] == planned
    assert results.chosen()["cross-entropy", "penalty", "2x4"] == {"strength": 1.0}


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_shares_do_everything_once_and_wait_for_nobody(
    n: int, write: Any, made: list[StudyRun], tmp_path: Path
) -> None:
    results = StudyResults(write(), tmp_path)
    for i in range(1, n + 1):  # the last share has not begun when the first is at its tests
        for part in ("tune", "test"):
            run_part(results, part, share=(i, n))
    names = Counter((run.part, run.name) for run in made)
    assert set(names.values()) == {1}
    whole = [(p, run.name) for p in ("tune", "test") for run in results.planned(p)]
    assert set(names) == set(whole)


def test_cells_that_are_named_are_done_alone(
    write: Any, made: list[StudyRun], tmp_path: Path
) -> None:
    some = StudyResults(write(), tmp_path, only_cells=("1x16", "4x2"))
    assert run_part(some, "tune") == 2 * 2 * (2 + 2) * 2
    assert {run.cell for run in made} == {"1x16", "4x2"}
    assert run_part(StudyResults(write(), tmp_path), "tune") == 2 * (2 + 2) * 2
    with pytest.raises(InvalidInputError, match="cells of the study cells: 2x4, 1x16, 4x2"):
        StudyResults(write(), tmp_path, only_cells=("2x5",))


def test_a_part_takes_up_the_cells_that_are_tuned(
    write: Any, made: list[StudyRun], tmp_path: Path
) -> None:
    results = StudyResults(write(), tmp_path)
    assert results.planned("test") == []
    run_part(results, "tune")
    gone = next(r for r in results.planned("tune") if r.cell == "2x4" and r.variant == 3)
    results.file(gone).unlink()
    ready = {(run.cell, run.config.method) for run in results.planned("test")}
    assert ready == {("1x16", "none"), ("1x16", "penalty"), ("2x4", "penalty")}


def test_records_of_another_grid_and_half_records_are_refused(
    write: Any, made: list[StudyRun], tmp_path: Path
) -> None:
    study = write()
    results = StudyResults(study, tmp_path)
    run_part(results, "tune", share=(1, 2))
    other = replace(study, base=replace(study.base, dim=16))
    with pytest.raises(RunMismatchError, match=r"config\.dim = 16"):
        run_part(StudyResults(other, tmp_path), "tune")
    path = results.file(made[0])
    path.write_text(path.read_text()[:40])
    made.clear()
    with pytest.raises(InvalidInputError, match="JSON in"):
        run_part(results, "tune")
    assert made == []


# In earnest


def test_a_number_of_classes_is_drawn_with_the_seed() -> None:
    data = load_digits()
    drawn = []
    for seed in range(8):
        few = few_classes(data, 3, seed=seed)
        assert np.array_equal(few.database.indices, few.train.indices)
        classes = set(few.train.labels.tolist())
        assert len(classes) == 3
        assert set(few.query.labels.tolist()) == classes
        drawn.append(classes)
    assert any(one != drawn[0] for one in drawn)
    for n in (1, 11):
        with pytest.raises(InvalidInputError, match="classes"):
            few_classes(data, n, seed=0)


def test_a_run_on_a_used_bench_is_the_run_itself_and_a_record_is_small(write: Any) -> None:
    text = CELLS.replace("seeds = [100, 101]", "seeds = [100]\nclasses = [3]")
    study = write(text.replace("seeds = [0, 1]", "seeds = [0]\nclasses = [3]"))
    bench = Bench(study)
    for run in study.tuning()[:6:2]:
        used, alone = execute(run, study, bench), execute(run, study)
        assert np.array_equal(used[1], alone[1])
        for key in ("adc_map", "exact_map", "perplexity", "argmax_map", "classes"):
            assert used[0][key] == alone[0][key]
        assert "classes3" in run.name
        assert {"purity", "moved", "cosine", "uphill"} <= set(used[0]["history"][-1])
        assert len(json.dumps(used[0])) < 5_000
        # What is compared with what is asked keeps all its digits.
        assert (
            used[0]["schedule"]
            == json.loads(json.dumps(running.what_was_asked(run, study)))["schedule"]
        )


def test_a_run_that_diverges_is_on_record_as_such(write: Any, tmp_path: Path) -> None:
    study = write(CELLS.replace("{strength = 3.0}", "{strength = 1e38}"))
    results = StudyResults(study, tmp_path)
    run = next(r for r in study.tuning() if r.config.options.strength == 1e38)
    record, per_query = execute(run, study)
    results.save(run, record, per_query)
    assert results.has(run)
    assert record["adc_map"] == 0
    assert "finite" in record["diverged"]


def test_kill_at_any_moment_loses_nothing_and_repeats_nothing(write: Any, tmp_path: Path) -> None:
    one_cell = CELLS.replace('cells = ["2x4", "1x16", "4x2"]', 'cells = ["2x4"]')
    one_cell = one_cell.replace("[100, 101]", "[100]").replace("more_trials = 2", "more_trials = 1")
    study = write(one_cell.replace('cells = ["1x16", "2x4"]', 'cells = ["2x4"]'))
    results = StudyResults(study, tmp_path / "results")
    command = [
        *(sys.executable, "-c", "from gsl_tutorial.course.cli import main; main()", "study"),
        *(str(tmp_path / "mine.toml"), "--part", "tune", "--threads", "1"),
        *("--results", str(tmp_path / "results"), "--commit", "abc"),
    ]
    whole: dict[Path, tuple[int, bytes]] = {}
    for wanted in (1, 3):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        while process.poll() is None and len(results.records("tune")) < wanted:
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        assert process.communicate()[1] is not None
        assert process.returncode == -signal.SIGKILL
        now = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in results.path.rglob("*.json")}
        assert len(now) >= wanted
        assert whole.items() <= now.items()
        whole = now
    last = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"tune: {6 - len(whole)} runs done" in last.stdout
    records = results.records("tune")
    assert len(records) == len({record["run"] for record in records}) == 6
    assert {record["commit"] for record in records} == {"abc"}
    for path, before in whole.items():
        assert (path.stat().st_mtime_ns, path.read_bytes()) == before
