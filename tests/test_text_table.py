"""Text tables: aligned, never cut, no word broken, no escape codes, at every width."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from gsl_tutorial.course.text_table import text_table

words = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=12)
tables = st.integers(1, 5).flatmap(
    lambda n: st.lists(st.tuples(*[words] * n), min_size=1, max_size=6)
)


@settings(deadline=None)
@given(tables)
def test_every_cell_stands_whole_below_its_heading(rows: list[tuple[str, ...]]) -> None:
    head, *body = rows
    lines = text_table(body, head=head).split("\n")
    assert len(lines) == len(rows)
    start = 0
    for i in range(len(head)):
        width = max(cell_len(row[i]) for row in rows)
        for line, row in zip(lines, rows, strict=True):
            before = line[: line.index(row[i], _letters(line, start))]
            assert cell_len(before) == start
        start += width + 2


def _letters(line: str, cells: int) -> int:
    """How many letters of a line fill so many cells of a terminal."""
    return next(n for n in range(len(line) + 1) if cell_len(line[:n]) >= cells)


def test_numbers_stand_at_their_right_edge_and_lines_end_without_spaces() -> None:
    text = text_table([("a", 7, ""), ("bcd", 123, "x")], head=("name", "n", ""), right=(1,))
    assert text == "name    n\na       7\nbcd   123  x"


@pytest.mark.parametrize("cell", ["[bold]x[/bold]", "[95% interval]", ":smile:", "a\\[b]", "[/]"])
def test_nothing_in_a_cell_is_read_as_markup(cell: str) -> None:
    assert text_table([(cell, cell)], head=(cell, "b")).count(cell) == 3


def test_names_in_broad_letters_do_not_shift_what_follows() -> None:
    first, second = text_table([("李明", "done"), ("anna", "done")]).split("\n")
    assert cell_len(first[: first.index("done")]) == second.index("done") == 6


def test_no_rows_leave_the_heading() -> None:
    assert text_table([], head=("a", "b")) == "a  b"
    assert text_table([]) == ""


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_in_a_terminal_the_last_column_wraps_between_words_and_no_cell_is_cut(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("FORCE_COLOR", "1")
    said = "set GSL_TUTORIAL_DATA to a folder that holds cifar-10-batches-py, or fetch it once"
    lines = text_table([("note", "CIFAR-10", said), ("ok", "a long topic here", "x")]).split("\n")
    assert " ".join(line[25:] for line in lines[:-1]) == said
    assert lines[-1] == "ok    a long topic here  x"
    assert max(map(len, lines)) <= max(columns, 25 + len("cifar-10-batches-py,"))
    assert "\x1b" not in "".join(lines)


def test_two_lines_of_a_cell_stand_below_each_other() -> None:
    assert text_table([("a", "one\n-> two"), ("b", "c")]) == "a  one\n   -> two\nb  c"
