"""Hints and progress in real JupyterLab: opened by keys and mouse, without a kernel, one at a time."""

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
    write_notebook,
)
from playwright.sync_api import Locator, Page, expect

from gsl_tutorial.course.exercises.progress_file import read

pytestmark = pytest.mark.slow

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
ANSWER = (
    "from gsl_tutorial.course.exercises import check, hint, my_progress",
    "check.squared_distance(lambda x, y: ((x - y) ** 2).sum())",
    "my_progress()",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chromium_or_skip()
    folder = tmp_path_factory.mktemp("hints")
    work = folder / "work" / "notebooks"
    for name in ("answered", "again", "solutions/answered"):
        write_notebook(work / f"{name}.ipynb", *ANSWER)
    shutil.copy(NOTEBOOKS / "00_start_here.ipynb", work / "start.ipynb")
    return folder


@pytest.fixture(scope="module")
def lab(home: Path) -> Iterator[str]:
    with jupyterlab(home) as address:
        yield address


@pytest.fixture(scope="module")
def page(lab: str) -> Iterator[Page]:
    with browser() as opened:
        yield patient_page(opened, width=1100, height=900)


def hints(page: Page) -> tuple[Locator, list[Locator]]:
    """The lines to open, and the texts."""
    ladder = page.locator(".jp-OutputArea details")
    return ladder.locator("> summary"), [ladder.nth(i).locator("> p") for i in range(3)]


@pytest.mark.parametrize("keys", [("Enter", "Space"), ()], ids=["keyboard", "mouse"])
def test_a_saved_notebook_opens_one_hint_at_a_time(
    page: Page, lab: str, keys: tuple[str, ...]
) -> None:
    open_notebook(page, lab, "start")
    lines, texts = hints(page)
    lines.first.scroll_into_view_if_needed()
    expect(lines.first).to_have_text("Hint 1 of 3 (00.1)")
    for text in texts:
        expect(text).to_be_hidden()
    expect(lines.nth(1)).to_be_hidden()
    for i in range(2):
        if keys:
            lines.first.focus() if i == 0 else page.keyboard.press("Tab")
            expect(lines.nth(i)).to_be_focused()
            page.keyboard.press(keys[i])
        else:
            lines.nth(i).click()
        expect(texts[i]).to_be_visible()
        expect(texts[i + 1]).to_be_hidden()
        expect(lines.nth(i + 1)).to_be_visible()


def run_all(page: Page, lab: str, name: str) -> Locator:
    open_notebook(page, lab, name)
    wait_for_kernel(page)
    menu(page, "Run", "Run All Cells")
    return page.locator(".jp-OutputArea-output")


def test_progress_is_seen_kept_and_outlives_the_kernel(page: Page, lab: str, home: Path) -> None:
    outputs = run_all(page, lab, "answered")
    expect(outputs.first).to_contain_text("■ Chapter 00: 1 of 1 done.")
    expect(outputs.nth(1)).to_contain_text("1 of ")
    assert read(home / "progress.json").entries["00.1"].tries == 1
    outputs = run_all(page, lab, "again")  # another kernel
    expect(outputs.nth(1)).to_contain_text("1 of 1 done")
    assert read(home / "progress.json").entries["00.1"].tries == 2


def test_a_solved_notebook_does_not_count(page: Page, lab: str, home: Path) -> None:
    before = read(home / "progress.json")
    outputs = run_all(page, lab, "solutions/answered")
    expect(outputs.first).to_contain_text("✓ Right (00.1)")
    expect(outputs.nth(1)).to_contain_text("0 of ")
    expect(outputs.first).not_to_contain_text("Chapter 00")
    assert read(home / "progress.json") == before
