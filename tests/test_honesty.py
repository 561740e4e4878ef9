"""The drawings of chapter 10 at their ends, and the page with the questions."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from gsl_tutorial.course.exercises.chapters.chapter10_table import (
    FAULTS,
    GUILTY,
    INNOCENT,
    ROWS,
    results_table,
)
from gsl_tutorial.course.plots import honesty
from gsl_tutorial.course.plots.style import png
from gsl_tutorial.course.results import checklist
from gsl_tutorial.course.results.audit import NOT_VISIBLE
from gsl_tutorial.evaluation.intervals import Interval

RNG = np.random.default_rng(0)


def _added(*points: float) -> Figure:
    return honesty.draw_added(
        [
            honesty.Added("rank" if i % 2 else "score", f"mistake {i}", "mAP", 0.5, 0.5 + p / 100)
            for i, p in enumerate(points)
        ]
    )


def _choices(seeds: int, epochs: int) -> Figure:
    return honesty.draw_choices(
        RNG.uniform(size=(seeds, epochs)), RNG.uniform(size=(seeds, epochs)), first=3
    )


def _cuts(n: int) -> Figure:
    return honesty.draw_cuts(
        [10**i for i in range(n)], {"a": RNG.random(n), "b": RNG.random(n)}, all_of_them=0.5
    )


FIGURES = {
    "one bar": lambda: _added(3.0),
    "bars of zero": lambda: _added(0.0, 0.0),
    "bars to one side": lambda: _added(-0.001, -3.0, -7.0),
    "bars that are cut": lambda: _added(45.0, -48.0, 0.2, 3.0),
    "one class": lambda: honesty.draw_class_gains({"a": np.array([0.1])}, ["cat"]),
    "ten classes, three orders": lambda: honesty.draw_class_gains(
        {name: RNG.normal(size=10) for name in "abc"}, [f"class {i}" for i in range(10)]
    ),
    "one cut": lambda: _cuts(1),
    "five cuts": lambda: _cuts(5),
    "one seed, one epoch": lambda: _choices(1, 1),
    "three seeds": lambda: _choices(3, 20),
    "one interval": lambda: honesty.draw_intervals({"a": {"x": Interval(0, 0, 0)}}, xlabel="mAP"),
    "intervals": lambda: honesty.draw_intervals(
        {"a": {"x": Interval(0.1, 0.05, 0.2), "y": Interval(-0.1, -0.2, 0.1)}, "b": {
            "z": Interval(-0.3, -0.4, -0.2)}},
        xlabel="mAP",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_every_picture_is_drawn_without_a_warning(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = Image.open(io.BytesIO(png(FIGURES[name]())))
    assert np.asarray(image.convert("L")).std() > 5


def test_points_are_hundredths_and_long_bars_are_said_to_be_cut() -> None:
    row = honesty.Added("score", "divided by hits", "mAP@10", 0.8, 0.85)
    assert row.points == pytest.approx(5.0)
    (axes,) = _added(45.0, -3.0).axes
    written = [text.get_text().strip() for text in axes.texts]
    assert "+45.0 ▸" in written
    assert "-3.0" in written
    assert "cut at 20" in axes.get_xlabel()
    assert max(bar.get_width() for bar in axes.patches) == honesty.LONGEST
    assert "cut" not in _added(3.0).axes[0].get_xlabel()


def test_filled_marks_are_told_apart_and_hollow_ones_are_not() -> None:
    rows = {"apart": Interval(0.1, 0.05, 0.2), "not": Interval(0.1, -0.05, 0.2)}
    (axes,) = honesty.draw_intervals({"a": rows}, xlabel="mAP").axes
    marks = [line for line in axes.lines if line.get_marker() in ("s", "o")]
    assert [mark.get_marker() for mark in marks] == ["s", "o"]
    assert marks[1].get_markerfacecolor() == "white"


def test_the_checklist_fits_on_a_page_in_both_forms(tmp_path: Path) -> None:
    text = checklist.write_checklist(tmp_path / "list.txt").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert len(lines) <= 50
    assert max(map(len, lines)) <= 90
    questions = [question for group in checklist.CHECKLIST.values() for question in group]
    assert text.count("[ ]") == checklist.as_markdown().count("☐") == len(questions)
    assert all(question in text and question in checklist.as_markdown() for question in questions)
    # What no program sees is the last group of the page.
    assert len(list(checklist.CHECKLIST.values())[-1]) == len(NOT_VISIBLE)


def test_the_planted_table_accuses_or_defends_every_row() -> None:
    rows = [line[0] for line in ROWS]
    assert sorted([*GUILTY, *INNOCENT]) == rows
    assert set(GUILTY.values()) <= set(FAULTS)
    text = results_table()
    assert all(word in text for word in FAULTS)
    assert max(map(len, text.splitlines())) <= 100
