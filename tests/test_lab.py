"""A real browser opens a chapter in real JupyterLab, runs it, and moves a slider.

Needs Debian's chromium (or one that CHROMIUM names); skipped with the reason where there is none,
except where GSL_TUTORIAL_REQUIRE_BROWSER is set, as on CI.
"""

import os
import shutil
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
    wait_for_kernel,
)
from playwright.sync_api import Page, expect

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab that serves a copy of the notebooks."""
    chromium_or_skip()
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(NOTEBOOKS, home / "work" / "notebooks")
    with jupyterlab(home) as address:
        yield address


@pytest.fixture
def page(lab: str) -> Iterator[Page]:
    with browser() as opened:
        yield patient_page(opened, width=1300, height=1000)


@pytest.mark.slow
def test_sliders_of_chapter_01_change_the_picture(lab: str, page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_notebook(page, lab, "01_search_by_similarity")
    wait_for_kernel(page)
    menu(page, "Run", "Run All Cells")
    picture = page.locator(".jp-OutputArea img.gsl-drawing, .jp-OutputArea .gsl-drawing").first
    picture.wait_for()
    picture.scroll_into_view_if_needed()

    seen = [picture.get_attribute("src")]

    def changed() -> None:
        page.wait_for_function(
            "old => document.querySelector('.gsl-drawing')?.src !== old",
            arg=seen[-1],
        )
        seen.append(picture.get_attribute("src"))

    handle = page.locator(".widget-slider .noUi-handle").first
    handle.focus()
    for key in ("ArrowRight", "End", "Home"):
        page.keyboard.press(key)
        changed()
    assert len(set(seen)) == len(seen)
    assert page.get_by_text("Would you like to get notified").count() == 0
    stderr = page.locator("[data-mime-type='application/vnd.jupyter.stderr']")
    assert stderr.count() == 0
    assert not errors
    if folder := os.environ.get("GSL_TUTORIAL_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/chapter01.png")


@pytest.mark.slow
def test_reopened_notebook_shows_a_picture_in_place_of_the_widget(lab: str, page: Page) -> None:
    open_notebook(page, lab, "06_snapping_the_gradient")
    page.locator(".jp-OutputArea img").first.wait_for()
    told = page.get_by_alt_text("The penalty's arrow points away from the positive")
    expect(told.first).to_be_visible()
    assert page.get_by_text("Error displaying widget").count() == 0
