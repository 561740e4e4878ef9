"""axe-core looks for figures without alt text in a real JupyterLab, trusted and not, stored and live."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
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
from nbformat.sign import NotebookNotary
from playwright.sync_api import Page

pytestmark = pytest.mark.slow

CHAPTER = "01_search_by_similarity"
PUBLISHED = Path(__file__).parents[1] / "notebooks" / f"{CHAPTER}.ipynb"
LIVE = """
import numpy as np
from gsl_tutorial.course.plots.style import new_figure, show
from gsl_tutorial.course.widgets import KMeansSliders

show(new_figure(3, 2), "An <empty> figure.", caption="Nothing.")
KMeansSliders(np.random.default_rng(0).uniform(-1, 1, size=(30, 2)), most=3)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chromium_or_skip()
    folder: Path = tmp_path_factory.mktemp("figures")
    write_notebook(folder / "work" / "notebooks" / "live.ipynb", LIVE)
    for name in ("trusted", "untrusted"):
        shutil.copy(PUBLISHED, folder / "work" / "notebooks" / f"{name}.ipynb")
    return folder


@pytest.fixture(scope="module")
def lab(home: Path) -> Iterator[str]:
    with jupyterlab(home) as address:
        yield address


@pytest.fixture
def page() -> Iterator[Page]:
    with browser() as opened:
        yield patient_page(opened, width=1200, height=1000)


def unnamed(page: Page) -> list[str]:
    """Pictures of the notebook for which axe finds no text, and how often it found one."""
    from axe_playwright_python.sync_playwright import Axe

    rules = ["image-alt", "svg-img-alt", "role-img-alt"]
    options = {"runOnly": rules, "resultTypes": ["violations"], "preload": False}
    found = Axe().run(page, context=".jp-Notebook", options=options).response["violations"]
    return [node["html"][:200] for fault in found for node in fault["nodes"]]


@pytest.mark.parametrize("name", ["untrusted", "trusted"])
def test_a_published_chapter_has_a_text_for_each_figure(
    home: Path, lab: str, page: Page, name: str
) -> None:
    path = home / "work" / "notebooks" / f"{name}.ipynb"
    notary = NotebookNotary(data_dir=str(home / "data"))
    if name == "trusted":
        notary.sign(nbformat.read(path, as_version=4))
    assert notary.check_signature(nbformat.read(path, as_version=4)) is (name == "trusted")
    open_notebook(page, lab, name)
    stored = re.findall(r'<img alt=\\"', path.read_text("utf-8"))
    assert len(stored) >= 9
    pictures = page.locator(".jp-Notebook .jp-OutputArea img")

    def look() -> None:
        # JupyterLab makes the cells as they come into sight.
        page.locator(".jp-Notebook").press("PageDown")
        assert pictures.count() == len(stored)

    until(page, look)
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        assert len(picture.get_attribute("alt") or "") > 30
        until(page, lambda shown=picture: wide(shown))
    assert unnamed(page) == []


def wide(picture: object) -> None:
    size = picture.evaluate("one => [one.naturalWidth, one.clientWidth]")  # type: ignore[attr-defined]
    assert size[0] > 100
    assert size[1] > 100


def test_live_figures_and_widgets_have_one_too(lab: str, page: Page) -> None:
    open_notebook(page, lab, "live")
    wait_for_kernel(page)
    menu(page, "Run", "Run All Cells")
    page.wait_for_selector("img.gsl-drawing")
    figure = page.locator("img[alt='An <empty> figure.']")
    assert figure.get_attribute("width") == "240"
    assert unnamed(page) == []
    # axe can see: without its text the figure would have been found.
    figure.evaluate("one => one.removeAttribute('alt')")
    assert len(unnamed(page)) == 1
