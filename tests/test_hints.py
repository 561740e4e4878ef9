"""The hint ladder: closed at first, one step inside the other, and text where there is no HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from IPython.core.formatters import DisplayFormatter

from gsl_tutorial.course.exercises import check, hint
from gsl_tutorial.course.exercises.hints import HintLadder
from gsl_tutorial.course.press.leaks import secret_lines
from gsl_tutorial.errors import InvalidInputError, UnknownNameError

SOURCES = sorted((Path(__file__).parents[1] / "notebooks" / "src").glob("*.py"))
ALL = pytest.mark.parametrize("id", check.ids)


class _Depths(HTMLParser):
    """How deep in folds each text stands; a fold's own title counts as outside of it."""

    def __init__(self) -> None:
        super().__init__()
        self.depth, self.texts, self.open = 0, {}, []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "details":
            assert "open" not in dict(attributes)
            self.depth += 1
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        self.depth -= tag == "details"

    def handle_data(self, text: str) -> None:
        if text.strip():
            self.texts[text.strip()] = self.depth - (self.open[-1] == "summary")


def ladder(id: str) -> HintLadder:
    (one,) = (each for each in check.exercises.values() if each.id == id)
    return HintLadder(id, one.hints)


@ALL
def test_each_hint_lies_inside_the_one_before(id: str) -> None:
    page = _Depths()
    page.feed(ladder(id)._repr_html_())
    assert page.open == []
    hints = ladder(id).hints
    for step, text in enumerate(hints, start=1):
        assert page.texts[text] == step
    titles = [f"Hint 1 of 3 ({id})", "Hint 2 of 3", "Hint 3 of 3"]
    assert [page.texts[title] for title in titles] == [0, 1, 2]
    assert set(page.texts) == {*titles, *hints}


@ALL
def test_running_all_cells_shows_no_hint(id: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert hint(id) is None
    printed = capsys.readouterr().out
    assert f"Hint 1 of 3 ({id})" in printed
    assert not any(text in printed for text in ladder(id).hints)


def test_the_notebook_gets_html_and_the_terminal_text() -> None:
    data, _ = DisplayFormatter().format(ladder("00.1"))
    assert set(data) == {"text/plain", "text/html"}


def test_letters_that_html_would_swallow_survive() -> None:
    page = HintLadder("00.0", ("a < b & c", "two", "<b>bold</b>"))._repr_html_()
    assert "a &lt; b &amp; c" in page
    assert "<b>" not in page


@ALL
def test_no_hint_would_be_taken_for_a_formula(id: str) -> None:
    assert "$" not in "".join(ladder(id).hints)


@ALL
def test_a_step_can_be_printed(id: str, capsys: pytest.CaptureFixture[str]) -> None:
    for step in (1, 2, 3):
        hint(id, step)
        printed = capsys.readouterr().out
        assert printed == f"Hint {step} of 3 ({id}): {ladder(id).hints[step - 1]}\n"
        assert len(re.findall("Hint", printed)) == 1


def test_what_does_not_exist_is_said() -> None:
    with pytest.raises(UnknownNameError, match=r"an exercise out of 00\.1"):
        hint("99.9")
    with pytest.raises(InvalidInputError, match="from 1 to 3"):
        hint("00.1", 4)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_the_last_hint_leaves_a_line_to_write(source: Path) -> None:
    """Hints stand folded in every student's page, so none holds a line of the solution word for word."""
    secret = secret_lines([source])
    told = {
        one.id: [line for line in secret if any(line in text for text in one.hints)]
        for one in check.exercises.values()
        if one.id.startswith(source.name[:2])
    }
    assert {id: lines for id, lines in told.items() if lines} == {}
