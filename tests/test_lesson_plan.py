"""The plans of INSTRUCTORS.md fit the time that they promise, as far as minutes can be counted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell

from benchmarks import lesson_plan
from benchmarks.lesson_plan import PLAN, Part, minutes_of, n_words, row

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "INSTRUCTORS.md").read_text("utf-8")
SOURCES = sorted((ROOT / "notebooks" / "src").glob("*.py"))
PROSE = "\n".join(path.read_text("utf-8") for path in SOURCES)
CELLS = [
    new_markdown_cell("# Title\n\none two"),
    new_code_cell("from gsl_tutorial.course.widgets import Guess, Ruler"),
    new_markdown_cell("## First\n\nthree four\n\n**Try it.** five\n\n<details>six seven</details>"),
    new_code_cell('Guess.of("00 length")'),
    new_code_cell("Ruler(3)"),
    new_markdown_cell("**Exercise 00.1** (easy, 7 minutes).\n\n## Second\n\neight"),
    new_code_cell("Ruler(4)"),
]


def test_every_part_of_the_90_minutes_fits_and_the_page_says_what_was_counted() -> None:
    counted = list(lesson_plan.counted())
    assert sum(part.minutes for part in PLAN) == 90
    for part, minutes in counted:
        assert minutes.in_all < part.minutes
        assert row(part, minutes) in PAGE, (
            "run `python -m benchmarks.lesson_plan`, and copy its rows"
        )


def test_the_hours_of_the_page_are_those_that_were_counted() -> None:
    begin = 0
    for part in PLAN:
        end = begin + part.minutes
        (told,) = re.findall(rf"^\| {begin}-{end} \| \[{part.chapter} .*$", PAGE, re.MULTILINE)
        assert set(re.findall(r"\d\d\.\d", told)) == set(part.exercises)
        begin = end


def test_four_weeks_of_two_hours() -> None:
    of_chapter = {}
    for path in SOURCES:
        (minutes,) = re.findall(r"[Aa]bout (\d+)\s+(?:# )?minutes", path.read_text("utf-8"))[:1]
        of_chapter[path.stem[:2]] = int(minutes)
    of_exercise = dict(re.findall(r"\*\*Exercise (\d\d\.\d)\*\* \(\w+, (\d+) minutes\)", PROSE))
    weeks = re.findall(r"^\| [1-4] \| (.*?) \| (.*?) \|", PAGE, re.MULTILINE)
    assert len(weeks) == 4
    for in_class, at_home in weeks:
        minutes = 0.0
        names = re.sub(r"\(.*?\)", "", in_class)
        for share, chapter in re.findall(r"(first half of )?\[?\b(\d\d)\b", names):
            minutes += of_chapter[chapter] / (2 if share else 1)
        minutes -= sum(int(of_exercise[one]) for one in re.findall(r"\d\d\.\d", at_home))
        assert 90 <= minutes <= 120, in_class


def test_what_counts_as_reading() -> None:
    assert n_words("one **two** three") == 3
    assert n_words("one\n<details><summary>Answer</summary>\n\ntwo three\n</details>\nfour") == 2
    assert n_words("[one two](https://a.b/c_d) $x = y$") == 5


def test_minutes_of_a_part() -> None:
    part = Part("00", 20, ("First",), ("00.1",))
    minutes = minutes_of(part, CELLS, 30.0)
    assert minutes.trying == 1 + 2 + 2  # the guess, the ruler, "Try it"
    assert minutes.exercises == 7
    assert minutes.waiting == 0.5
    longer = [*CELLS[:3], new_markdown_cell("word " * 400), *CELLS[3:]]
    assert minutes_of(part, longer, 30.0).in_all == pytest.approx(minutes.in_all + 2)
    whole = Part("00", 20, ("First", "Second"), ("00.1",))
    assert minutes_of(whole, CELLS, 30.0).trying == minutes.trying + 2


@pytest.mark.parametrize(
    "part", [Part("00", 9, ("Third",), ()), Part("00", 9, ("Second",), ("00.1",))]
)
def test_a_plan_that_names_what_is_not_there_is_refused(part: Part) -> None:
    with pytest.raises(ValueError, match=r"Third|00\.1"):
        minutes_of(part, CELLS, 0.0)
