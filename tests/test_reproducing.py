"""A shipped run trained again: its figures agree with the card, and a changed card is told so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from runs_cases import config
from typer.testing import CliRunner

from gsl_tutorial.course.cli import app
from gsl_tutorial.course.datasets import Dataset
from gsl_tutorial.course.results.evaluate_run import embed_before, evaluate_model, summary
from gsl_tutorial.course.results.reproduce import TOLERANCE, Comparison, reproduce
from gsl_tutorial.course.results.saved_runs import load_shipped, rounded, ship
from gsl_tutorial.course.training.runs import RunFolder
from gsl_tutorial.course.training.train_run import load_data, train_run
from gsl_tutorial.errors import DataMissingError, RunMismatchError


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load_data("digits")


@pytest.fixture(scope="module")
def shipped(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("shipped")
    folder = RunFolder(home / "run")
    train_run(config("digits"), data, folder=folder)
    model, warm = rounded(folder.load_model()), folder.load_warm()
    assert warm is not None
    result, query, database = evaluate_model(model)
    metrics = summary(model, result)
    ship(home / "digits", model, query, database, metrics=metrics, before=embed_before(warm))
    return home / "digits"


def test_what_was_before_comes_back(shipped: Path) -> None:
    back = load_shipped("digits", root=shipped.parent)
    warm = RunFolder(shipped.parent / "run").load_warm()
    assert back.before is not None
    assert warm is not None
    expected = embed_before(warm)
    np.testing.assert_array_equal(back.before.codes, expected.codes)
    np.testing.assert_allclose(back.before.query.z, expected.query.z, atol=2**-11)
    np.testing.assert_array_equal(back.before.query.predicted, expected.query.predicted)
    np.testing.assert_array_equal(back.before.query.labels, back.query.labels)
    np.testing.assert_array_equal(back.before.quantizer.codebooks_, warm.quantizer.codebooks_)
    assert len(warm.history) == warm.config.schedule.warmup_rounds
    assert not np.array_equal(back.before.codes, back.codes)


def test_the_files_keep_the_rounded_weights_exactly_and_in_half_the_bytes(shipped: Path) -> None:
    run = RunFolder(shipped.parent / "run")
    mine = rounded(run.load_model()).arrays()
    for name, array in load_shipped("digits", root=shipped.parent).model.arrays().items():
        np.testing.assert_array_equal(array, mine[name])
    exact = run.load_model().arrays()
    assert any(not np.array_equal(exact[name], array) for name, array in mine.items())
    ratio = (shipped / "model.safetensors").stat().st_size / run.model_file.stat().st_size
    assert 0.4 < ratio < 0.75


def test_the_same_machine_repeats_the_figures(shipped: Path, tmp_path: Path) -> None:
    rows = reproduce(shipped, tmp_path / "again")
    assert [row.name for row in rows] == list(TOLERANCE)
    assert all(row.again == pytest.approx(row.card, abs=1e-6) for row in rows)
    # Called again, it measures what is there and trains nothing.
    before = (tmp_path / "again" / "model.safetensors").stat().st_mtime_ns
    assert reproduce(shipped, tmp_path / "again") == rows
    assert (tmp_path / "again" / "model.safetensors").stat().st_mtime_ns == before


def test_a_figure_beyond_the_tolerance_is_named_and_ends_with_status_1(
    shipped: Path, tmp_path: Path
) -> None:
    card = json.loads((shipped / "card.json").read_text())
    card["metrics"]["adc_map"] += 0.02
    other = tmp_path / "other"
    other.mkdir()
    (other / "card.json").write_text(json.dumps(card))
    (other / "model.safetensors").write_bytes((shipped / "model.safetensors").read_bytes())
    out = str(tmp_path / "run")
    told = CliRunner().invoke(app, ["reproduce", str(other), "--out", out])
    assert told.exit_code == 1
    assert "adc_map" in told.output
    assert told.output.count("DIFFERS") == 1
    assert told.output.count("agrees") == len(TOLERANCE) - 1
    told = CliRunner().invoke(app, ["reproduce", str(shipped), "--out", out, "--json"])
    assert told.exit_code == 0
    assert all(row["agrees"] for row in json.loads(told.stdout))


def test_the_tolerance_is_inclusive_and_has_two_sides() -> None:
    assert Comparison("a", 0.5, 0.25, 0.25).agrees
    assert Comparison("a", 0.25, 0.5, 0.25).agrees
    assert not Comparison("a", 0.5, 0.2, 0.25).agrees
    assert not Comparison("a", 0.2, 0.5, 0.25).agrees


def test_a_folder_without_a_card_and_a_foreign_run_are_refused(
    shipped: Path, data: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(DataMissingError, match="no card"):
        reproduce(tmp_path, tmp_path / "run")
    RunFolder(tmp_path / "foreign").open(config("digits", seed=5), resume=False)
    with pytest.raises(RunMismatchError, match="seed=5 instead of 0"):
        reproduce(shipped, tmp_path / "foreign")
