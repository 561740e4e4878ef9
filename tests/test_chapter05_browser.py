"""Chapter 05 as a reader meets it: Run All, guess by keyboard, raise lambda, drag, and ask the check."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from browser import browser, chromium_or_skip, jupyterlab, menu, open_notebook, wait_for_kernel
from playwright.sync_api import Locator, Page

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
        page = opened.new_page(viewport={"width": 1300, "height": 1000})
        page.on("pageerror", lambda error: problems.append(str(error)))
        open_notebook(page, address, "chapter")
        wait_for_kernel(page)
        menu(page, "Run", "Run All Cells")
        page.wait_for_selector(".gsl-explorer .gsl-plane", timeout=120_000)
        page.wait_for_selector("text=Not yet (05.1)", timeout=60_000)
        yield page
        assert problems == []


def keep_screenshot(page: Page, name: str) -> None:
    if folder := os.environ.get("GSL_TUTORIAL_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png")


def said(page: Page, name: str) -> str:
    page.evaluate("() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r)))")
    return page.locator(f".gsl-explorer [data-read='{name}']").first.inner_text()


def cell_with(page: Page, text: str) -> Locator:
    return page.locator(".jp-CodeCell", has_text=text).last


def ask_the_check(page: Page) -> str:
    """Write `uphill_place = explorer` into the exercise, run it, give what is said below."""
    cell = cell_with(page, "check.uphill_place")
    cell.locator(".jp-InputArea-editor").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("uphill_place = explorer\ncheck.uphill_place(uphill_place)")
    page.keyboard.press("Control+Enter")
    answer = cell.locator(".jp-OutputArea-output", has_text="(05.1)")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.jp-OutputArea-output')]"
        ".some((o) => /(Right|Look again) \\(05.1\\)/.test(o.innerText))",
        timeout=60_000,
    )
    text = answer.inner_text()
    cell.locator(".jp-InputArea-editor").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("uphill_place = ...\ncheck.uphill_place(uphill_place)")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("text=Not yet (05.1)", timeout=60_000)
    return text


def test_a_guess_is_made_by_keyboard_and_answered(page: Page) -> None:
    guess = page.locator(".gsl-guess").first
    assert guess.locator("[role=status]").count() == 0
    guess.locator("button", has_text="away from the star").focus()
    page.keyboard.press("Space")
    guess.locator("[role=status]", has_text="Your guess: away from the star. Yes").wait_for(
        timeout=30_000
    )
    keep_screenshot(page, "chapter05_guess")


def test_without_a_pull_the_check_says_so(page: Page) -> None:
    assert said(page, "penalty-verdict") == "downhill"
    assert "the strength is 0" in ask_the_check(page)


def test_lambda_turns_the_sum_uphill_and_the_check_agrees(page: Page) -> None:
    row = page.locator(".widget-slider", has_text="strength (lambda)").first
    row.locator(".noUi-handle").focus()
    for _ in range(15):
        page.keyboard.press("ArrowRight")
    assert said(page, "penalty-verdict") == "UPHILL"
    keep_screenshot(page, "chapter05_uphill")
    assert "Right" in ask_the_check(page)


def test_a_dragged_point_is_what_the_check_sees(page: Page) -> None:
    page.locator(".gsl-plane").first.scroll_into_view_if_needed()
    box = page.locator("[data-handle='point-0']").first.bounding_box()
    plane = page.locator(".gsl-plane").first.bounding_box()
    assert box is not None
    assert plane is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 1.1 * plane["width"] / 2.5, y - 0.7 * plane["width"] / 2.5, steps=5)
    page.mouse.up()
    assert said(page, "penalty-verdict") == "downhill"
    keep_screenshot(page, "chapter05_dragged")
    answer = ask_the_check(page)
    assert "Look again" in answer
    assert "so it helps" in answer
