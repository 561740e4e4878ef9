"""The picture of a topic: a panel for each place, a complaint where there is nothing to draw."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gsl_tutorial.course.plots import elsewhere
from gsl_tutorial.course.study.map_file import MethodTable, read_map
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.evaluation.intervals import Interval


@pytest.fixture
def table() -> MethodTable:
    one = {"penalty": Interval(0.1, 0.05, 0.15), "ste": Interval(0.0, -0.1, 0.1)}
    return replace(
        read_map(), elsewhere={"unseen": {"2x4": one}, "crowd": {"2x16": one, "1x256": one}}
    )


def test_one_topic_names_cells_and_several_name_themselves(table: MethodTable) -> None:
    assert list(elsewhere.panels(table, "crowd")) == ["2 × 16", "1 × 256"]
    assert list(elsewhere.panels(table, "unseen", "crowd")) == [
        "Classes never trained on\n2 × 4",
        "A hundred classes (CIFAR-100)\n2 × 16",
        "A hundred classes (CIFAR-100)\n1 × 256",
    ]


@pytest.mark.parametrize("folded", [False, True])
def test_the_picture_comes_with_its_sentences(
    table: MethodTable, folded: bool, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    drawn, hidden = [], []
    monkeypatch.setattr(elsewhere, "show", lambda figure, alt, dpi: drawn.append((figure, alt)))
    monkeypatch.setattr(elsewhere, "show_folded", lambda summary, text: hidden.append(text))
    elsewhere.show_elsewhere(table, "crowd", folded=folded)
    ((figure, alt),) = drawn
    assert sum(axes.get_visible() for axes in figure.axes) == 2
    assert "the penalty, straight-through" in alt
    assert "2 panels: 2 × 16; 1 × 256" in alt
    printed = capsys.readouterr().out
    text, other = (hidden[0], printed) if folded else (printed, "".join(hidden))
    assert "Clearly ahead." in text
    assert "No clear difference." in text
    assert not other


def test_nothing_to_draw_is_said(table: MethodTable) -> None:
    with pytest.raises(InvalidInputError, match="topics with finished runs"):
        elsewhere.panels(table, "contrastive")
    with pytest.raises(InvalidInputError, match=r"topics out of unseen, contrastive.*weather"):
        elsewhere.panels(table, "weather")
    table = replace(
        table, elsewhere={**table.elsewhere, "forms": {"2x4": {"ste": Interval(0, 0, 0)}}}
    )
    with pytest.raises(InvalidInputError, match="topics about one method"):
        elsewhere.show_elsewhere(table, "crowd", "forms")
