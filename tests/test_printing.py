"""What notebooks print: no line that JupyterLab would break in a word, no table that wraps."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from gsl_tutorial.course.printing import LINE, Table, say, wrapped

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").rglob("*.ipynb"))
#: A cell of JupyterLab beside the file browser, 1280 pixels wide: 840 pixels for letters of 7.83.
FITS = 107
_ALONE = {"text/plain"}


def printed(path: Path) -> list[str]:
    """The lines that a reader sees as text of fixed width."""
    texts = []
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                texts.append(output.text)
            elif set(output.get("data", {})) == _ALONE:
                texts.append(output.data["text/plain"])
    return [line for text in texts for line in text.split("\n")]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}-{path.stem[:2]}")
def test_no_printed_line_is_wider_than_a_cell(path: Path) -> None:
    wide = [line for line in printed(path) if cell_len(line) > LINE and " " in line]
    assert not wide, "print it with `say`, or show a `Table`"


def test_a_line_fits_into_a_cell() -> None:
    assert LINE <= FITS


texts = st.text(st.sampled_from("ab é-[µ] \n"), max_size=600)


@given(texts)
def test_wrapping_loses_no_word_and_keeps_what_fits(text: str) -> None:
    made = wrapped(text)
    assert made.split() == text.split()
    for line in made.split("\n"):
        assert len(line) <= LINE or " " not in line.strip()
    if all(len(line) <= LINE for line in text.split("\n")):
        assert made == text


@given(st.integers(0, 20))
def test_what_goes_on_below_is_set_in(indent: int) -> None:
    first, *others = wrapped(" " * indent + "word " * 60).split("\n")
    assert first.startswith(" " * indent + "word")
    assert others
    assert all(re.match(rf" {{{indent + 4}}}word", line) for line in others)


def test_each_sentence_has_its_own_line(capsys: pytest.CaptureFixture[str]) -> None:
    say("One.", 2, "Three.\nFour.")
    assert capsys.readouterr().out == "One.\n2\nThree.\nFour.\n"


class _Cells(HTMLParser):
    """The rows of a table, as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        self.rows[-1][-1] += data


cells = st.text(st.sampled_from("ab<>&\"'é 1"), min_size=1, max_size=8)


@given(
    st.integers(1, 4).flatmap(lambda n: st.lists(st.tuples(*[cells] * n), min_size=2, max_size=5))
)
def test_page_and_text_hold_the_same_cells(rows: list[tuple[str, ...]]) -> None:
    head, *body = rows
    table = Table(body, head=head, right=(0,))
    page = _Cells(table._repr_html_())
    assert page.rows == [list(row) for row in rows]
    assert page.tags.count("th") == len(head) + len(body)
    assert str(table).split() == " ".join(" ".join(row) for row in rows).split()
    assert repr(table) == str(table)
