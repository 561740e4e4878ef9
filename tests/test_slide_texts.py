"""What stands together on a slide, and what becomes of formulas and pictures on their way to a page."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
)

from gsl_tutorial.course.plots.style import image
from gsl_tutorial.course.press.formulas import unbroken
from gsl_tutorial.course.press.pages import with_pictures
from gsl_tutorial.course.press.site import TOOLS

needs_tools = pytest.mark.skipif(
    any(find_spec(tool) is None for tool in TOOLS),
    reason='pip install -c constraints.txt -e ".[authors]"',
)
BLANK = "def f(x):\n    ...  # your code here\n\n\ncheck.f(f)"


def columns(*cells: object) -> list[list[str]]:
    from gsl_tutorial.course.press.slides import _columns

    return _columns(new_notebook(cells=list(cells)))


def printed(text: str) -> object:
    return new_output("stream", name="stdout", text=text)


def shown(text: str) -> object:
    return new_output("display_data", data={"text/html": text, "text/plain": "a"})


@needs_tools
def test_an_exercise_stands_beside_its_blank() -> None:
    filler = "\n\n".join(["A line of text."] * 15)
    text = f"## A\n\n{filler}\n\n**Exercise 06.1** (easy, 4 minutes). Write it."
    exercise = new_code_cell(BLANK, metadata={"tags": ["exercise"]})
    (slides,) = columns(new_markdown_cell(text), exercise)
    assert len(slides) == 2
    assert "Exercise" not in slides[0]
    assert "Exercise" in slides[1]
    assert "your code here" in slides[1]


@needs_tools
def test_code_that_draws_or_imports_is_folded_and_a_blank_is_not() -> None:
    picture = shown('<img src="a.png" alt="a">')
    for cell, is_folded in (
        (new_code_cell("show(draw(x))", outputs=[picture]), True),
        (new_code_cell("import numpy as np\n\nx = 1"), True),
        (new_code_cell("print(1 + 1)", outputs=[printed("2\n")]), False),
        (new_code_cell(BLANK, outputs=[picture], metadata={"tags": ["exercise"]}), False),
    ):
        slide = columns(cell)[0][0]
        assert ("<summary>Code</summary>" in slide) is is_folded


@needs_tools
def test_what_is_long_is_cut_and_nothing_is_lost() -> None:
    rows = "\n".join(f"| row {i} | {i} |" for i in range(25))
    table = f"## The letters\n\nText.\n\n| name | number |\n| --- | --- |\n{rows}\n"
    (slides,) = columns(new_markdown_cell(table))
    assert [slide.count("<th>name</th>") for slide in slides] == [1, 1, 1]
    whole = "".join(slides)
    assert [whole.count(f">row {i}<") for i in range(25)] == [1] * 25
    lines = "\n".join(f"line {i}." for i in range(60))
    (slides,) = columns(new_code_cell("print(text)", outputs=[printed(lines)]))
    assert len(slides) == 3
    assert [sum(f"line {i}." in slide for slide in slides) for i in range(60)] == [1] * 60


@needs_tools
def test_a_table_in_an_output_is_a_table() -> None:
    data = {"text/markdown": "| a |\n| --- |\n| one |", "text/plain": "<Markdown object>"}
    output = new_output("display_data", data=data)
    ((slide,),) = columns(new_code_cell("display(table)", outputs=[output]))
    assert "<td>one</td>" in slide
    assert "Markdown object" not in slide


@needs_tools
def test_a_broad_printed_table_is_set_smaller_and_not_wrapped() -> None:
    ((slide,),) = columns(new_code_cell("print(x)", outputs=[printed("x" * 120)]))
    assert 'style="zoom: 90%"' in slide
    ((slide,),) = columns(new_code_cell("print(x)", outputs=[printed("x" * 100)]))
    assert "zoom" not in slide


@needs_tools
def test_formulas_stay_with_their_stops_and_bars_are_as_wide_as_their_letter() -> None:
    from gsl_tutorial.course.press.formulas import mathml

    formula = mathml("z^2", display=False)
    assert unbroken(f"<p>({formula}), then {formula} alone</p>") == (
        f'<p><span class="unbroken">({formula}),</span> then {formula} alone</p>'
    )
    assert unbroken(mathml("z", display=True) + ".").startswith("<math")
    assert "&#x0203E;" in mathml(r"\hat a + \bar z", display=False)


def test_a_still_of_a_widget_says_that_it_is_one() -> None:
    picture = image(b"a picture", "a plane")
    for text, is_still in (("[Interactive figure: a plane]", True), ("[Figure: a plane]", False)):
        output = new_output("display_data", data={"text/html": picture, "text/plain": text})
        cell = new_code_cell("show(x)", outputs=[output])
        made = with_pictures(new_notebook(cells=[cell]), lambda name, picture: name)
        page = made.cells[0].outputs[0].data["text/html"]
        assert ("still picture" in page) is is_still
        assert 'alt="a plane"' in page
        assert "base64" not in page
