"""Chapter 09's tiles in real JupyterLab and real chromium: by mouse, by keyboard, heard by Python."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import (
    browser,
    chromium_or_skip,
    jupyterlab,
    menu,
    open_notebook,
    patient_page,
    until,
    wait_for_kernel,
    write_notebook,
)
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.slow

MAKE = """
import numpy as np
from gsl_tutorial import ProductQuantizer
from gsl_tutorial.course.training.embedding import Embedded
from gsl_tutorial.course.widgets import QueryPicker
rng = np.random.default_rng(0)
labels = rng.integers(0, 3, 300)
z = (np.eye(4)[labels] + 0.4 * rng.normal(size=(300, 4))).astype(np.float32)
pq = ProductQuantizer(2, 8, random_state=0).fit(z)
pixels = rng.integers(0, 255, size=(300, 32, 32, 3), dtype=np.uint8)
query, database = Embedded(z[:9], labels[:9], labels[:9]), Embedded(z, labels, labels)
names = ["cat", "dog", "automobile"]
picker = QueryPicker(
    pq, query, database, pq.encode(z), names, range(5), images=(pixels[:9], pixels)
)
picker
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    chromium_or_skip()
    home: Path = tmp_path_factory.mktemp("picker")
    cells = os.environ.get("GSL_TUTORIAL_PICKER_CELL", MAKE), "print('python sees', picker.values)"
    write_notebook(home / "work" / "notebooks" / "one.ipynb", *cells)
    with jupyterlab(home) as address, browser() as opened:
        page = patient_page(opened, width=1100, height=1000)
        open_notebook(page, address, "one")
        wait_for_kernel(page)
        menu(page, "Run", "Run All Cells")
        page.wait_for_selector(".gsl-tiles button")
        yield page


def test_tiles_are_chosen_by_mouse_and_by_keyboard_and_the_picture_follows(page: Page) -> None:
    tiles = page.get_by_role("radiogroup", name="Choose a query").get_by_role("radio")
    picture = page.locator(".gsl-drawing").first
    seen = [picture.get_attribute("src")]

    def changed(number: int) -> None:
        expect(tiles.nth(number)).to_have_attribute("aria-checked", "true")
        expect(page.locator(".gsl-tiles [aria-checked=true]")).to_have_count(1)
        expect(picture).not_to_have_attribute("src", seen[-1] or "")
        seen.append(picture.get_attribute("src"))

    tiles.nth(2).click()
    changed(2)
    for key, number in (("ArrowRight", 3), ("ArrowUp", 2), ("End", tiles.count() - 1), ("Home", 0)):
        page.keyboard.press(key)
        changed(number)
        expect(tiles.nth(number)).to_be_focused()
    page.keyboard.press("ArrowLeft")  # round to the last one
    changed(tiles.count() - 1)
    page.get_by_role("button", name="exact").click()
    expect(picture).not_to_have_attribute("src", seen[-1] or "")
    if shot := os.environ.get("GSL_TUTORIAL_PICKER_SHOT"):
        page.screenshot(path=shot)


def test_python_has_heard_it(page: Page) -> None:
    last = page.locator(".gsl-tiles button").count() - 1
    said = f"python sees {{'number': {last}, 'how': 'exact', 'each': 'distance'}}"

    def ask() -> None:
        """Once may be too early: a cell does not wait for what the page still has to tell a busy kernel."""
        page.locator(".jp-CodeCell .jp-InputArea-editor").nth(1).click()
        page.keyboard.press("Control+Enter")
        answer = page.locator(".jp-OutputArea-output", has_text=said)
        expect(answer).to_be_visible(timeout=3000)

    until(page, ask)
