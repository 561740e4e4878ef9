"""A real browser and a real JupyterLab, for the tests of the explorer and for its benchmark."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

TOKEN = "only-for-this-test"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
FOLDERS = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    "IPYTHONDIR": "ipython",
    "GSL_TUTORIAL_PROGRESS": "progress.json",
}


def chromium_or_skip() -> str:
    """Path of a chromium; without one, skip with the reason, or fail where a browser is required."""
    names = ("chromium", "chromium-browser")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        reason = "no chromium: apt-get install chromium, or set CHROMIUM to a browser's path"
        if os.environ.get("GSL_TUTORIAL_REQUIRE_BROWSER"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium_or_skip(), args=FLAGS)
        yield opened
        opened.close()


def write_notebook(path: Path, *cells: str) -> None:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    notebook.cells = [nbformat.v4.new_code_cell(cell, id=f"c{i}") for i, cell in enumerate(cells)]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def lab_environment(home: Path) -> dict[str, str]:
    """Settings of this JupyterLab only; the token is one that the test knows."""
    own = {name: str(home / folder) for name, folder in FOLDERS.items()}
    return {**os.environ, **own, "JUPYTER_TOKEN": TOKEN}


@contextmanager
def jupyterlab(home: Path) -> Iterator[str]:
    """Serve home/work, opened by the command that users type; gives its address."""
    write_notebook(home / "work" / "notebooks" / "00_start_here.ipynb", "1 + 1")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = home / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-c", "from gsl_tutorial.course.cli import main; main()",
             "lab", "--no-browser", "--port", str(port)],
            cwd=home / "work", env=lab_environment(home), stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(480):
            assert server.poll() is None, log.read_text()
            try:
                urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=2)
                break
            except OSError:
                time.sleep(0.25)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def open_notebook(page: Page, address: str, name: str) -> None:
    """Open a notebook and wait until its cells are there."""
    page.goto(f"{address}/lab/tree/notebooks/{name}.ipynb?reset&token={TOKEN}", timeout=120_000)
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)


def wait_for_kernel(page: Page) -> None:
    # The toolbar says idle before there is a kernel; only the status bar tells.
    idle = "document.querySelector('#jp-main-statusbar')?.innerText.includes('| Idle')"
    page.wait_for_function(idle, timeout=90_000)


def menu(page: Page, *names: str) -> None:
    """Choose from JupyterLab's menus, for instance "Run", "Run All Cells"."""
    for name in names:
        page.get_by_role("menuitem", name=name, exact=True).click()


def drag(page: Page, handle: str, by: tuple[float, float]) -> None:
    """Drag a handle of the first plane, by so much in its own units."""
    box = page.locator(f"[data-handle='{handle}']").first.bounding_box()
    scale = page.locator(".gsl-plane").first.bounding_box()["width"] / 2.5  # type: ignore[index]
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by[0] * scale, y - by[1] * scale, steps=5)
    page.mouse.up()
