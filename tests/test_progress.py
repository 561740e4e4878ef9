"""The bar of one or several trainings: where it stands, when it begins again, where it is silent."""

from __future__ import annotations

from typing import Any

import pytest

from gsl_tutorial.course.training import progress
from gsl_tutorial.course.training.rounds import TrainingStep


@pytest.fixture
def bars(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """All bars that are made."""
    made: list[Any] = []

    class Noted(progress.tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            made.append(self)

    monkeypatch.setattr(progress, "tqdm", Noted)
    monkeypatch.delenv("GSL_TUTORIAL_PRESS", raising=False)
    return made


def at(step: int, n_steps: int) -> TrainingStep:
    return TrainingStep(step, n_steps, 1 + step // 5, 3, 0.25)


def test_the_bar_stands_where_the_training_stands_and_begins_again_with_the_next(
    bars: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with progress.training_bar() as show:
        for step in (1, 2, 6):  # a resumed run jumps
            show(at(step, 10))
            assert (bars[0].n, bars[0].total) == (step, 10)
        assert "round 2/3" in bars[0].desc
        assert "loss=0.250" in bars[0].postfix
        bars[0].start_t -= 1000  # it took long; the next one has a clock of its own
        for step in (1, 4):  # a training of another length
            show(at(step, 20))
            assert (bars[0].n, bars[0].total) == (step, 20)
            assert bars[0].format_dict["elapsed"] < 500
        assert not bars[0].disable
    assert capsys.readouterr().out == ""


def test_no_bar_while_a_chapter_is_pressed(
    bars: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GSL_TUTORIAL_PRESS", "1")
    with progress.training_bar() as show:
        show(at(1, 10))
    with progress.progress_bar("fetch", unit="B") as bar:
        bar.update(5)
    assert [one.disable for one in bars] == [True, True]
    assert capsys.readouterr().err == ""


def test_lines_are_said_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    progress.say("a line")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "a line\n")
