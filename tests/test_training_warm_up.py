"""A run that takes over the warm-up of another ends where it would have ended alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from runs_cases import Stop, assert_same_weights, config, make_data, outcome, shorten

from gsl_tutorial.course.training.methods import MethodOptions
from gsl_tutorial.course.training.rounds import train
from gsl_tutorial.course.training.runs import RunFolder
from gsl_tutorial.errors import DataMissingError, RunMismatchError


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten(monkeypatch)


@pytest.fixture
def other(tmp_path: Path) -> RunFolder:
    """A finished run with other codes and another method."""
    folder = RunFolder(tmp_path / "other")
    train(config(method="none"), *make_data("digits"), folder=folder)
    return folder


@pytest.mark.parametrize(
    "settings",
    [
        {"method": "snap-pull"},
        {"method": "ste", "n_codewords": 4, "bits": 4},
        {"method": "penalty", "options": MethodOptions(strength=3.0), "quantizer": "opq"},
    ],
)
def test_the_weights_are_those_of_a_run_of_its_own(
    settings: dict[str, Any], other: RunFolder, tmp_path: Path
) -> None:
    data, asked = make_data("digits"), config(**settings)
    alone = train(asked, *data)
    branched = train(asked, *data, folder=RunFolder(tmp_path / "b"), warm_up=other)
    assert_same_weights(branched, alone)
    n = asked.schedule.warmup_rounds
    assert outcome(branched)[n - 1 :] == outcome(alone)[n - 1 :]
    assert [row["loss"] for row in branched.history] == [row["loss"] for row in alone.history]


def test_it_can_be_stopped_and_taken_up_again(other: RunFolder, tmp_path: Path) -> None:
    data, folder = make_data("digits"), RunFolder(tmp_path / "b")
    with pytest.raises(KeyboardInterrupt):
        train(config(), *data, folder=folder, warm_up=other, on_round=Stop(2, "after").on_round)
    # The warm-up is asked for again, as in the same command with --resume, and not taken twice.
    resumed = train(config(), *data, folder=folder, resume=True, warm_up=other)
    assert_same_weights(resumed, train(config(), *data))


def test_a_warm_up_of_another_run_is_refused(other: RunFolder, tmp_path: Path) -> None:
    data = make_data("digits")
    with pytest.raises(RunMismatchError, match="seed"):
        train(config(seed=1), *data, warm_up=other)
    with pytest.raises(DataMissingError, match="a finished warm-up"):
        train(config(), *data, warm_up=RunFolder(tmp_path / "none"))
