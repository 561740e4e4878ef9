"""A study in earnest, in small and by the command line; and the records that are shipped."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from test_study import SMALL

from gsl_tutorial.course import cli
from gsl_tutorial.course.study import Study, StudyResults, load_study, running
from gsl_tutorial.course.training.config import PROFILES, Schedule, TrainingConfig

REQUIRED = {
    *("run", "part", "variant", "protocol", "n_query", "n_train", "n_database", "metric"),
    *("train_in_database", "query_in_database", "denominator", "ties", "bits", "adc_map"),
    *("sdc_map", "exact_map", "argmax_map", "accuracy", "relative_distortion", "perplexity"),
    *("dataset", "quantizer", "method", "loss", "encoder", "pre_training", "profile", "seed"),
    *("train_seconds", "options", "learning_rate", "history", "config", "command", "commit"),
}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    path = tmp_path / "mine.toml"
    path.write_text(SMALL)
    return load_study(path)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*arguments: object) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["gsl-tutorial", "study", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capsys.readouterr()
        return SimpleNamespace(status=left.value.code, out=out, err=err)

    return run


def test_a_study_from_tuning_to_records(
    command: Any, study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = Schedule(2, epochs=1, batch_size=64, learning_rate=0.1)
    monkeypatch.setitem(PROFILES["digits"], "quick", short)
    where = (tmp_path / "mine.toml", "--results", tmp_path / "results")
    tuned = command(*where, "--part", "tune", "--share", "1/2")
    assert tuned.status == 0, tuned.err
    assert "tune: 2 runs done, 2 were there or are others'" in tuned.out
    early = command(*where, "--part", "core")
    assert early.status == 3
    assert "2 are missing" in early.err
    done = command(*where)
    assert done.status == 0, done.err
    assert "tune: 2 runs done, 2 were there" in done.out
    assert "core: 8 runs done, 0 were there" in done.out
    assert "core 8/8: digits_cross-entropy_penalty_rq8_seed1_v1" in done.err
    again = command(*where)
    assert "tune: 0 runs done, 4" in again.out
    assert "core: 0 runs done, 8" in again.out

    results = StudyResults(study, tmp_path / "results")
    records = results.records("tune") + results.records("core")
    assert len(records) == 12
    for record in records:
        assert set(record) >= REQUIRED
        assert TrainingConfig.from_dict(record["config"]).seed == record["seed"]
        assert record["schedule"]["rounds"] == len(record["history"]) == 2
        assert (record["n_train"], record["n_database"], record["n_query"]) == (200, 200, 30)
        per_query = results.per_query(record)
        assert per_query.shape == (30,)
        assert per_query.mean() == pytest.approx(record["adc_map"], abs=1e-3)
        assert record["options"] == record["config"]["options"]
        assert "study" in record["command"]
    assert {record["protocol"] for record in results.records("tune")} == {"validation"}
    # The same run again gives the same figures.
    run = results.planned("core")[1]
    fresh, per_query = running.execute(run, study)
    kept = next(record for record in records if record["run"] == run.name)
    for key in ("adc_map", "exact_map", "relative_distortion", "perplexity", "accuracy"):
        assert fresh[key] == kept[key]
    assert np.array_equal(per_query.astype(np.float16), results.per_query(kept))


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        (["--share", "2"], "a share like 1/2"),
        (["--share", "3/2"], "a share like 1/2 or 2/2"),
        (["--share", "a/b"], "a share like 1/2"),
        (["--part", "cores"], "one of the parts tune, core"),
        (["--part", "cores", "--report"], "one of the parts tune, core"),
    ],
)
def test_the_command_refuses_what_cannot_be(
    arguments: list[str], phrase: str, command: Any, study: Study, tmp_path: Path
) -> None:
    left = command(tmp_path / "mine.toml", "--results", tmp_path / "r", *arguments)
    assert left.status == 2
    assert phrase in left.err
    assert not (tmp_path / "r").exists()


def test_a_report_of_nothing_says_so(command: Any, study: Study, tmp_path: Path) -> None:
    left = command(tmp_path / "mine.toml", "--results", tmp_path / "r", "--report")
    assert left.status == 3
    assert "expected finished runs of tune, core in" in left.err


def test_an_unknown_study_on_the_command_line(command: Any) -> None:
    left = command("mnist")
    assert left.status == 2
    assert "expected a study out of" in left.err
    for name in ("cifar10", "digits", "map", "map-why"):
        assert re.search(rf"[ ,]{name}[,;]", left.err), name


RESULTS = Path(__file__).parents[1] / "data" / "results"


@pytest.mark.parametrize("name", ["cifar10", "digits"])
def test_the_shipped_records_are_whole(name: str) -> None:
    study = load_study(name)
    results = StudyResults(study, RESULTS)
    if not results.path.exists():
        pytest.skip(f"no results of {name} are shipped")
    for part in ("tune", *(p.name for p in study.parts)):
        planned = {run.name: run for run in results.planned(part)}
        for record in results.records(part):
            assert set(record) >= REQUIRED
            assert results.has(planned[record["run"]])
            assert asdict(planned[record["run"]].config) == record["config"]
            assert all(0 < record[key] <= 1 for key in ("adc_map", "sdc_map", "exact_map"))
            # A classifier of seven classes never names an unseen one.
            assert (record["accuracy"] == 0) is (record["protocol"] == "unseen")
            assert results.per_query(record).shape == (record["n_query"],)
            last = record["history"][-1]
            assert {"loss", "cosine", "uphill", "perplexity", "relative_distortion"} <= set(last)
            assert "dirty" not in record["commit"]
