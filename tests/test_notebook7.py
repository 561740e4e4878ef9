"""Chapter 06 in Jupyter Notebook 7: run it all, drag a point, ask Python, save, and read what was saved.

Notebook 7 shares JupyterLab's parts, but neither its page nor the settings that it reads on its own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from browser import TOKEN, browser, chromium_or_skip, drag, jupyterlab, menu, patient_page, until
from explorer_reading import read, saved_points
from playwright.sync_api import Page, expect

from gsl_tutorial.course.cli.lab import _SETTINGS

pytestmark = pytest.mark.slow

CHAPTER = "06_snapping_the_gradient"
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
#: As anybody starts it, with the settings that wheel and Makefile put where both of its servers look: where
#: JupyterLab is installed too, it is JupyterLab's that answers Notebook 7 what is to be saved.
NOTEBOOK = (
    "-m", "notebook", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
    f"--JupyterNotebookApp.app_settings_dir={_SETTINGS}", f"--LabApp.app_settings_dir={_SETTINGS}",
    "--ServerApp.port_retries=0", "--port",
)  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if find_spec("notebook") is None:
        reason = 'Notebook 7 is not installed: pip install -c constraints.txt -e ".[test]"'
        if os.environ.get("GSL_TUTORIAL_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    chromium_or_skip()
    folder = tmp_path_factory.mktemp("notebook7")
    work = folder / "work" / "notebooks"
    work.mkdir(parents=True)
    shutil.copy(NOTEBOOKS / "solutions" / f"{CHAPTER}.ipynb", work)
    return folder


@pytest.fixture(scope="module")
def page(home: Path) -> Iterator[Page]:
    """The solved chapter, run from its first cell to its last."""
    problems: list[str] = []
    with jupyterlab(home, NOTEBOOK) as address, browser() as opened:
        page = patient_page(opened, width=1300, height=1000)
        page.goto(f"{address}/notebooks/notebooks/{CHAPTER}.ipynb?token={TOKEN}")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        # Its sign for the kernel fades away once the kernel is there.
        page.wait_for_selector(".jp-NotebookKernelStatus-fade", state="attached")
        kernel = page.locator(".jp-Notebook-ExecutionIndicator")
        expect(kernel).to_have_attribute("data-status", "idle")
        # While it loads, the shortcuts of Notebook 7.6 may ask for their own settings before these are
        # there ("reading 'schema'"), whatever the notebook holds. From here on an error is ours.
        page.on("pageerror", lambda error: problems.append(str(error)))
        menu(page, "Run", "Run All Cells")
        for status in ("busy", "idle"):
            expect(kernel).to_have_attribute("data-status", status)
        yield page
        assert problems == []


def test_the_chapter_runs_to_its_end(page: Page) -> None:
    stderr = "[data-mime-type='application/vnd.jupyter.stderr']"
    assert page.locator(stderr).all_inner_texts() == []
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert page.get_by_text("Error displaying widget").count() == 0


def test_python_and_the_page_draw_the_same_field(page: Page) -> None:
    """The reader's rule, called by the kernel, differs nowhere from the snap that the page computes."""
    explorer = page.locator(".gsl-explorer").first
    explorer.scroll_into_view_if_needed()
    explorer.get_by_role("button", name="Field").click()
    own = explorer.locator("[data-panel='own']:visible [data-read='own']")
    expect(own).to_have_attribute("data-differ", "0")


def test_a_dragged_point_is_saved_where_it_lies(page: Page, home: Path) -> None:
    explorer = page.locator(".gsl-explorer").first
    explorer.get_by_role("button", name="One point").click()
    before = read(page)["handles"]["point-0"]
    drag(page, "point-0", (0.3, 0.2))

    def moved() -> list[float]:
        point: list[float] = read(page)["handles"]["point-0"]
        assert point == pytest.approx([before[0] + 0.3, before[1] + 0.2], abs=0.02)
        return point

    point = until(page, moved)
    page.keyboard.press("Control+s")

    def saved() -> None:
        kept = saved_points(home / "work" / "notebooks" / f"{CHAPTER}.ipynb")
        assert pytest.approx(point, abs=1e-3) in [one for one in kept if one]

    until(page, saved)
    if folder := os.environ.get("GSL_TUTORIAL_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/notebook7.png")
