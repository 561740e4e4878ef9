"""A real browser and a real JupyterLab, for the tests of the widgets and for their benchmark.

No test waits for a time. `until` looks again and again until what it looks at is as it should be, and says
what it saw last when that never comes; playwright's own waits get the same generous limit.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import nbformat
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Error,
    Locator,
    Page,
    expect,
    sync_playwright,
)

Seen = TypeVar("Seen")

#: How long anything may take before a test gives up. A busy machine is slow, not wrong: only a fault of
#: ours, which would never end, is worth this long a wait.
LIMIT_S = 300.0
LIMIT_MS = 1000 * LIMIT_S
_LOOK_EVERY_S = 0.05
expect.set_options(timeout=LIMIT_MS)

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
        opened = playwright.chromium.launch(
            executable_path=chromium_or_skip(), args=FLAGS, timeout=LIMIT_MS
        )
        yield opened
        opened.close()


def patient_context(opened: Browser, **options: Any) -> BrowserContext:
    """A context of the browser's own in which everything is waited for, up to the limit."""
    context = opened.new_context(**options)
    context.set_default_timeout(LIMIT_MS)
    return context


def patient_page(opened: Browser, *, width: int, height: int, **options: Any) -> Page:
    """A page in a context of its own, so many pixels wide and high; see `patient_context`."""
    size = {"width": width, "height": height}
    return patient_context(opened, viewport=size, **options).new_page()


def show_alone(page: Page, body: str = "") -> None:
    """Show nothing but this, at an address in which no earlier widget has left a link."""
    page.goto("about:blank")
    page.set_content(f"<!doctype html><body>{body}</body>")


def until(page: Page | None, look: Callable[[], Seen], *, limit_s: float = LIMIT_S) -> Seen:
    """What `look` returns, once it raises no AssertionError.

    Parameters
    ----------
    page : Page or None
        The page that is looked at; it lives on in between. None where no browser takes part.
    look : callable
        Reads the state and asserts what it should be. What is not there yet may raise playwright's error.
    limit_s : float
        Seconds after which the state counts as one that never comes.

    Raises
    ------
    AssertionError
        The last one of `look`, which says what was seen, with the seconds that were waited.
    """
    began = time.monotonic()
    while True:
        try:
            return look()
        except (AssertionError, Error) as error:
            waited = time.monotonic() - began
            if waited > limit_s or (page is not None and page.is_closed()):
                raise AssertionError(f"still so after {waited:.0f} s: {error}") from error
        if page is None:
            time.sleep(_LOOK_EVERY_S)
        else:
            page.wait_for_timeout(1000 * _LOOK_EVERY_S)  # the page's events are handled meanwhile


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


LAB = ("-c", "from gsl_tutorial.course.cli import main; main()", "lab", "--no-browser", "--port")


@contextmanager
def jupyterlab(home: Path, words: Sequence[str] = LAB) -> Iterator[str]:
    """Serve home/work, opened by the command that users type; gives its address.

    `words` is what Python is called with; the port follows it.
    """
    write_notebook(home / "work" / "notebooks" / "00_start_here.ipynb", "1 + 1")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = home / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, *words, str(port)],
            cwd=home / "work", env=lab_environment(home), stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    address = f"http://127.0.0.1:{port}"

    def answers() -> None:
        if server.poll() is not None:
            pytest.fail(f"JupyterLab ended by itself: {log.read_text()}")
        try:
            urllib.request.urlopen(f"{address}/api?token={TOKEN}", timeout=LIMIT_S).close()
        except OSError as error:
            raise AssertionError(f"{error}; it said: {log.read_text()}") from error

    try:
        until(None, answers, limit_s=2 * LIMIT_S)  # it imports half a Jupyter first
        yield address
    finally:
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            # A server that is slow to stop is not what any test here is about.
            server.kill()
            server.wait()


def open_notebook(page: Page, address: str, name: str) -> None:
    """Open a notebook and wait until its cells are there."""
    page.goto(f"{address}/lab/tree/notebooks/{name}.ipynb?reset&token={TOKEN}", timeout=LIMIT_MS)
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=LIMIT_MS)


def wait_for_kernel(page: Page) -> None:
    # The toolbar says idle before there is a kernel; only the status bar tells.
    idle = "document.querySelector('#jp-main-statusbar')?.innerText.includes('| Idle')"
    page.wait_for_function(idle, timeout=LIMIT_MS)


def menu(page: Page, *names: str) -> None:
    """Choose from JupyterLab's menus, for instance "Run", "Run All Cells"."""
    for name in names:
        page.get_by_role("menuitem", name=name, exact=True).click(timeout=LIMIT_MS)


def wait_until_saved(page: Page) -> None:
    """Until no tab of JupyterLab is marked as changed."""
    expect(page.locator(".jp-mod-dirty")).to_have_count(0)


def resting_box(locator: Locator) -> dict[str, float]:
    """Where an element stands on the page, once two frames in a row agree."""
    twice = """(one) => new Promise((done) => {
        const box = () => {
            const { x, y, width, height } = one.getBoundingClientRect();
            return { x, y, width, height };
        };
        requestAnimationFrame(() => {
            const first = box();
            requestAnimationFrame(() => done([first, box()]));
        });
    })"""

    def look() -> dict[str, float]:
        before, after = locator.evaluate(twice)
        assert before == after, "it moves"
        assert after["width"] > 0, "it is not shown"
        return after

    return until(locator.page, look)


def drag(page: Page, handle: str, by: tuple[float, float]) -> None:
    """Drag a handle of the first plane, by so much in its own units."""
    page.locator(".gsl-plane").first.scroll_into_view_if_needed()
    box = resting_box(page.locator(f"[data-handle='{handle}']").first)
    scale = resting_box(page.locator(".gsl-plane").first)["width"] / 2.5
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by[0] * scale, y - by[1] * scale, steps=5)
    page.mouse.up()
