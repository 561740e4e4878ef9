"""Chapter 05 as a reader meets it: Run All, guess by keyboard, raise lambda, drag, and ask the check."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from browser import (
    browser,
    chromium_or_skip,
    drag,
    jupyterlab,
    menu,
    open_notebook,
    patient_page,
    until,
    wait_for_kernel,
)
from playwright.sync_api import Locator, Page, expect

from gsl_tutorial.course.press.sources import draft

pytestmark = pytest.mark.slow

SOURCE = Path(__file__).parents[1] / "notebooks" / "src" / "05_biased_gradients.py"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The student's notebook up to its first exercise, run from top to bottom."""
    chromium_or_skip()
    home = tmp_path_factory.mktemp("chapter05")
    notebook = draft(SOURCE, "student").notebook
    first = next(i for i, cell in enumerate(notebook.cells) if "uphill_place" in cell.source)
    notebook.cells = notebook.cells[: first + 1]
    path = home / "work" / "notebooks" / "chapter.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    problems: list[str] = []
    with jupyterlab(home) as address, browser() as opened:
        page = patient_page(opened, width=1300, height=1000)
        page.on("pageerror", lambda error: problems.append(str(error)))
        open_notebook(page, address, "chapter")
        wait_for_kernel(page)
        menu(page, "Run", "Run All Cells")
        page.wait_for_selector(".gsl-explorer .gsl-plane")
        page.wait_for_selector("text=Not yet (05.1)")
        yield page
        assert problems == []


def keep_screenshot(page: Page, name: str) -> None:
    if folder := os.environ.get("GSL_TUTORIAL_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png")


def says(page: Page, verdict: str) -> None:
    """Wait until the explorer says so of loss plus penalty."""
    expect(page.locator(".gsl-explorer [data-read='penalty-verdict']").first).to_have_text(verdict)


def cell_with(page: Page, text: str) -> Locator:
    return page.locator(".jp-CodeCell", has_text=text).last


def run_instead(page: Page, cell: Locator, code: str, said: str) -> None:
    """Write `code` into a cell and run it, until the check says so.

    Once may be too early: what was done in the page waits for a kernel that is busy, and a cell does not
    wait for it.
    """

    def look() -> None:
        cell.locator(".jp-InputArea-editor").click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(code)
        page.keyboard.press("Control+Enter")
        expect(cell.locator(".jp-OutputArea-output")).to_contain_text(said, timeout=3000)

    until(page, look)


def the_check_says(page: Page, *words: str) -> None:
    """Give the explorer to the exercise, look for the words in what is said, and leave the blank again."""
    cell = cell_with(page, "check.uphill_place")
    for word in words:
        run_instead(page, cell, "uphill_place = explorer\ncheck.uphill_place(uphill_place)", word)
    blank = "uphill_place = ...\ncheck.uphill_place(uphill_place)"
    run_instead(page, cell, blank, "Not yet (05.1)")


def test_a_guess_is_made_by_keyboard_and_answered(page: Page) -> None:
    guess = page.locator(".gsl-guess").first
    assert guess.locator("[role=status]").count() == 0
    guess.locator("button", has_text="away from the star").focus()
    page.keyboard.press("Space")
    guess.locator("[role=status]", has_text="Your guess: away from the star. Yes").wait_for()
    keep_screenshot(page, "chapter05_guess")


def test_without_a_pull_the_check_says_so(page: Page) -> None:
    says(page, "downhill")
    the_check_says(page, "the strength is 0")


def test_lambda_turns_the_sum_uphill_and_the_check_agrees(page: Page) -> None:
    row = page.locator(".widget-slider", has_text="strength (lambda)").first
    row.locator(".noUi-handle").focus()
    for _ in range(15):
        page.keyboard.press("ArrowRight")
    says(page, "UPHILL")
    keep_screenshot(page, "chapter05_uphill")
    the_check_says(page, "stood from the start")
    drag(page, "point-0", (-0.3, 0.3))
    says(page, "UPHILL")
    the_check_says(page, "Right (05.1)")


def test_a_dragged_point_is_what_the_check_sees(page: Page) -> None:
    drag(page, "point-0", (1.1, 0.7))
    says(page, "downhill")
    keep_screenshot(page, "chapter05_dragged")
    the_check_says(page, "Look again (05.1)", "so it helps")
