"""A real browser opens a chapter in real JupyterLab, runs it, and moves a slider.

Needs Debian's chromium (or one that CHROMIUM names); skipped with the reason where there is none,
except where GSL_TUTORIAL_REQUIRE_BROWSER is set, as on CI.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "only-for-this-test"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


@pytest.fixture(scope="session")
def chromium() -> str:
    found = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    if found is None:
        reason = "no chromium: apt-get install chromium, or set CHROMIUM to a browser's path"
        if os.environ.get("GSL_TUTORIAL_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab that serves a copy of the notebooks."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", home / "work" / "notebooks")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    environment = os.environ | {name: str(home / folder) for name, folder in folders.items()}
    # The same words as `gsl-tutorial lab`, but a token that the test knows.
    environment["JUPYTER_TOKEN"] = TOKEN
    log = (home / "log").open("w")
    server = subprocess.Popen(
        [sys.executable, "-c", "from gsl_tutorial.course.cli import main; main()",
         "lab", "--no-browser", "--port", str(port)],
        cwd=home / "work", env=environment, stdout=log, stderr=subprocess.STDOUT,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(480):
            assert server.poll() is None, (home / "log").read_text()
            try:
                urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=2)
                break
            except OSError:
                time.sleep(0.25)
        yield address
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def page(chromium: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser.new_page(viewport={"width": 1300, "height": 1000})
        browser.close()


def _run_all(page: Page, lab: str, notebook: str) -> None:
    page.goto(f"{lab}/lab/tree/notebooks/{notebook}?reset&token={TOKEN}")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
    # The toolbar says idle before there is a kernel; only the status bar tells.
    idle = "document.querySelector('#jp-main-statusbar')?.innerText.includes('| Idle')"
    page.wait_for_function(idle, timeout=90_000)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


@pytest.mark.slow
def test_sliders_of_chapter_01_change_the_picture(lab: str, page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    _run_all(page, lab, "01_search_by_similarity.ipynb")
    picture = page.locator(".jp-OutputArea img.gsl-drawing, .jp-OutputArea .gsl-drawing").first
    picture.wait_for(timeout=120_000)
    picture.scroll_into_view_if_needed()

    seen = [picture.get_attribute("src")]

    def changed() -> None:
        page.wait_for_function(
            "old => document.querySelector('.gsl-drawing')?.src !== old",
            arg=seen[-1],
            timeout=30_000,
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
    page.goto(f"{lab}/lab/tree/notebooks/06_snapping_the_gradient.ipynb?reset&token={TOKEN}")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
    pictures = page.locator(".jp-OutputArea img")
    pictures.first.wait_for(timeout=60_000)
    # JupyterLab gives pictures no alt; the text stands below each of them.
    below = page.get_by_text("The penalty's arrow points away from the partner")
    below.first.wait_for(timeout=30_000)
    assert page.get_by_text("Error displaying widget").count() == 0
