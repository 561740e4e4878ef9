"""Every chapter has the same shape, and the letters of the series stand on one sheet.

These read the sources. What a finished notebook must be (headings, alt text among the outputs, size) is in
`gsl_tutorial.course.press.checking`; `test_press.py` asks it of every committed notebook.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import jupytext
import pytest
from markdown_it import MarkdownIt

from gsl_tutorial.course.exercises import check

ROOT = Path(__file__).parents[1]
SOURCES = {path.stem[:2]: path for path in sorted((ROOT / "notebooks" / "src").glob("*.py"))}
EACH = pytest.mark.parametrize("chapter", SOURCES)
SHEET = "Look up a letter"
ENDING = ["What to remember", "Quiz", "Further reading"]
MINUTES = re.compile(r"[Aa]bout (\d+)\s+minutes")
EXERCISE = re.compile(r"\*\*Exercise (\d\d\.\d)\*\* \((easy|medium|hard), (\d+) minutes\)")


@cache
def cells(chapter: str, kind: str) -> list[str]:
    notebook = jupytext.read(SOURCES[chapter], fmt="py:percent")
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


def prose(chapter: str) -> str:
    return "\n\n".join(cells(chapter, "markdown"))


def headings(chapter: str) -> list[tuple[int, str]]:
    tokens = MarkdownIt().parse(prose(chapter))
    return [
        (int(token.tag[1:]), tokens[i + 1].content)
        for i, token in enumerate(tokens)
        if token.type == "heading_open"
    ]


def section(chapter: str, title: str) -> str:
    """The text below a heading of level 2, up to the next one."""
    return re.split(r"(?m)^## ", prose(chapter).split(f"## {title}\n", 1)[1])[0]


def calls(chapter: str, name: str) -> Iterator[ast.Call]:
    for source in cells(chapter, "code"):
        code = "\n".join(line for line in source.splitlines() if not line.startswith(("%", "!")))
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
                yield node


@EACH
def test_one_title_and_no_skipped_level(chapter: str) -> None:
    levels = [level for level, _ in headings(chapter)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


@EACH
def test_it_opens_with_what_you_do_learn_and_need_and_the_minutes(chapter: str) -> None:
    opening = cells(chapter, "markdown")[0]
    places = [opening.find(f"**What you {verb}") for verb in ("will do", "will learn", "need")]
    assert -1 not in places
    assert places == sorted(places)
    minutes = MINUTES.search(opening)
    assert minutes, "say how many minutes it takes"
    exercises = sum(int(minutes) for _, _, minutes in EXERCISE.findall(prose(chapter)))
    assert exercises <= int(minutes[1]), "the exercises alone take longer than the chapter"


@EACH
def test_it_ends_with_what_to_remember_a_quiz_and_further_reading(chapter: str) -> None:
    titles = [title for level, title in headings(chapter) if level == 2]
    assert titles[-3:] == ENDING
    assert section(chapter, "What to remember").count("\n- ") >= 2
    assert section(chapter, "Further reading").count("\n- ") >= 2
    quiz, _, answers = section(chapter, "Quiz").partition("<details><summary>Answers</summary>")
    asked, answered = (re.findall(r"(?m)^(\d+)\. ", part) for part in (quiz, answers))
    assert len(asked) >= 2
    assert asked == answered == [str(i + 1) for i in range(len(asked))]
    assert "</details>" in answers


@EACH
def test_every_exercise_has_number_difficulty_minutes_check_and_hints(chapter: str) -> None:
    ids = [one for one in check.ids if one.startswith(chapter)]
    assert (1 if chapter == "00" else 2) <= len(ids) <= 6
    announced = EXERCISE.findall(prose(chapter))
    assert [one for one, _, _ in announced] == ids
    assert len(re.findall(r"\*\*Exercise", prose(chapter))) == len(ids)
    assert all(2 <= int(minutes) <= 20 for _, _, minutes in announced)
    hinted = [call.args[0].value for call in calls(chapter, "hint")]  # type: ignore[attr-defined]
    assert hinted == ids
    by_name = {name: one.id for name, one in check.exercises.items()}
    asked = [
        by_name[name]
        for source in cells(chapter, "code")
        for name in re.findall(r"\bcheck\.(\w+)\(", source)
    ]
    assert asked == ids


@EACH
def test_every_figure_has_a_text(chapter: str) -> None:
    for call in calls(chapter, "show"):
        (alt,) = [word.value for word in call.keywords if word.arg == "alt"]
        written = "".join(
            str(node.value) for node in ast.walk(alt) if isinstance(node, ast.Constant)
        )
        named = any(isinstance(node, ast.Name | ast.Call) for node in ast.walk(alt))
        assert named or len(written) >= 40, f"line {call.lineno}: {written!r}"
    for source in cells(chapter, "code"):
        assert not re.search(r"\bplt\.|\bpyplot\b|\.savefig\(", source), "figures go through show"


@EACH
def test_a_check_is_the_last_line_of_its_cell(chapter: str) -> None:
    """Else its answer, and the bar below it, are not shown."""
    for source in cells(chapter, "code"):
        if re.search(r"\bcheck\.\w+\(", source):
            last = ast.parse(source).body[-1]
            assert isinstance(last, ast.Expr)
            assert ast.unparse(last.value).startswith("check.")


# ---- the sheet of letters ------------------------------------------------------------------------

#: The symbols that the whole series keeps to.
SYMBOLS = [
    "z", "g = dL/dz", "M", "K", "d = \\text{dim} / M", "C", "q(z)", "M \\log_2 K", "n", "c_j",
    "d_j = c_j - z", "\\langle -g, d_j \\rangle > 0", "c^*", "\\lambda", "\\eta", "N", "B", "L",
    "\\text{dim}",
]  # fmt: skip
WORDS = [
    "replace", "pull", "look-ahead", "projected", "full", "zero", "keep", "nearest", "form",
    "length", "fallback", "strength", "step", "n_subspaces", "n_codewords",
]  # fmt: skip


def rows() -> list[dict[str, str]]:
    lines = [line for line in section("00", SHEET).splitlines() if line.startswith("|")]
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(table[0], row, strict=True)) for row in table[2:]]


def test_the_sheet_has_every_symbol_of_the_series() -> None:
    text = section("00", SHEET)
    written = re.findall(r"\$([^$]+)\$", text)
    assert [symbol for symbol in SYMBOLS if symbol not in written] == []
    assert [word for word in WORDS if f"`{word}`" not in text] == []
    assert "ADC" in text
    assert "SDC" in text


def in_code(row: dict[str, str]) -> list[str]:
    return [name.split("(")[0] for name in re.findall(r"`([^`]+)`", row["in the code"])]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["name"])
def test_a_letter_comes_in_the_chapter_that_the_sheet_names(row: dict[str, str]) -> None:
    assert row["name"]
    assert row["meaning"]
    chapter = SOURCES[row["first in"]].read_text()
    symbols = re.findall(r"\$([^$]+)\$|`([^`]+)`", row["symbol"]) or [(row["symbol"],)]
    parts = [part for symbol in symbols for part in symbol if part] + in_code(row)
    assert any(re.search(rf"(?<![\w\\]){re.escape(part)}(?!\w)", chapter) for part in parts)


def test_the_names_of_the_sheet_are_those_of_the_code() -> None:
    package = "\n".join(path.read_text() for path in (ROOT / "gsl_tutorial").rglob("*.py"))
    names = [name for row in rows() for name in in_code(row)]
    assert len(names) >= len(rows())
    assert [name for name in names if not re.search(rf"\b{name}\b", package)] == []


def test_the_sheet_is_in_the_order_of_the_chapters() -> None:
    first = [row["first in"] for row in rows()]
    assert first == sorted(first)
    assert len({row["name"] for row in rows()}) == len(rows())


def test_the_table_of_chapters_names_every_chapter() -> None:
    table = section("00", "Find your chapter")
    for chapter, path in SOURCES.items():
        if chapter != "00":
            assert f"]({path.stem}.ipynb)" in table, f"give {path.stem} its row"
