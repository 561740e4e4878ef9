"""The explorer in real JupyterLab and real chromium: every control, compared in substance to Python.

What the picture says is read off the page (positions of handles, vectors of arrows, numbers of the
read-out) and compared to the same computed by the package in this process.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from browser import (
    browser,
    chromium_or_skip,
    drag,
    jupyterlab,
    lab_environment,
    menu,
    open_notebook,
    patient_page,
    resting_box,
    until,
    wait_for_kernel,
    wait_until_saved,
    write_notebook,
)
from explorer_reading import agrees, compare, press, read, reset, saved_points, slider
from playwright.sync_api import Page, ViewportSize, expect

from gsl_tutorial.course.press.cleaning import clean
from gsl_tutorial.course.toys.plane_methods import method_gradient, run_curves, run_method
from gsl_tutorial.course.widgets import GradientExplorer, explorer_parts

pytestmark = pytest.mark.slow

MAKE = (
    "from gsl_tutorial.course.widgets import GradientExplorer\ne = GradientExplorer(n_steps=40)\ne"
)
ASK = "print('python sees', [round(x, 4) for x in e.point], round(e.strength, 4), e.form)"
SIZE: ViewportSize = {"width": 1300, "height": 1000}
SLIDERS = {
    "strength (lambda)": ("strength", 0.0, 3.0),
    "look-ahead (eta)": ("step", 0.0, 2.0),
    "candidates (n)": ("n_candidates", 1, 9),
    "codewords (K)": ("n_codewords", 1, 9),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chromium_or_skip()
    folder = tmp_path_factory.mktemp("explorer")
    write_notebook(folder / "work" / "notebooks" / "one.ipynb", MAKE, ASK)
    return folder


@pytest.fixture(scope="module")
def lab(home: Path) -> Iterator[str]:
    with jupyterlab(home) as address:
        yield address


def run_anew(page: Page, lab: str) -> None:
    """Open the notebook and run it from the top."""
    open_notebook(page, lab, "one")
    wait_for_kernel(page)
    menu(page, "Run", "Run All Cells")
    page.wait_for_selector(".gsl-explorer .gsl-plane")
    page.wait_for_selector("text=python sees")


@pytest.fixture(scope="module")
def watched(lab: str) -> Iterator[tuple[Page, list[str]]]:
    """A page, and the list of what went wrong on it: errors, and requests to anywhere else."""
    problems: list[str] = []

    def asked(request: Any) -> None:
        if not request.url.startswith((lab, lab.replace("http", "ws"), "data:", "blob:")):
            problems.append(f"request to {request.url}")

    with browser() as opened:
        page = patient_page(opened, **SIZE)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", asked)
        page.on("console", lambda line: line.type == "error" and problems.append(line.text))
        run_anew(page, lab)
        yield page, problems


@pytest.fixture
def bare_page(watched: tuple[Page, list[str]]) -> Iterator[Page]:
    """The page as the last test left it."""
    page, problems = watched
    problems.clear()
    yield page
    if folder := os.environ.get("GSL_TUTORIAL_SCREENSHOTS"):
        name = os.environ["PYTEST_CURRENT_TEST"].split("::")[1].split(" ")[0]
        page.screenshot(path=f"{folder}/{name}.png")
    assert problems == []


@pytest.fixture
def page(bare_page: Page, lab: str) -> Page:
    """The page with the explorer as it is at first; what failed before must not fail this test, too."""
    bare_page.set_viewport_size(SIZE)
    try:
        until(bare_page, lambda: compare(read(bare_page), GradientExplorer()), limit_s=5)
    except AssertionError:
        run_anew(bare_page, lab)
        agrees(bare_page, GradientExplorer())
    return bare_page


def test_every_slider_at_both_ends_and_in_the_middle(page: Page) -> None:
    twin = GradientExplorer()
    agrees(page, twin)
    for label, (name, low, high) in SLIDERS.items():
        first = getattr(twin, name)
        step = 0.1 if isinstance(low, float) else 1
        slider(page, label).focus()
        for key, value in (("Home", low), ("End", high)):
            press(page, key)
            setattr(twin, name, value)
            agrees(page, twin)
        way = round((high - (low + high) / 2) / step)
        press(page, *["ArrowLeft"] * way)
        setattr(twin, name, high - way * step)
        agrees(page, twin)
        back = round((first - getattr(twin, name)) / step)
        press(page, *["ArrowRight" if back > 0 else "ArrowLeft"] * abs(back))
        setattr(twin, name, first)
        agrees(page, twin)


def test_every_form_and_fallback(page: Page) -> None:
    twin = GradientExplorer()
    form, fallback = (page.locator(".widget-dropdown select").nth(i) for i in (0, 1))
    slider(page, "candidates (n)").focus()
    press(page, "Home")  # the one candidate lies uphill: the fallback is at work
    twin.n_candidates = 1
    assert twin.read_out().chosen is None
    for form_name in explorer_parts.FORMS:
        form.select_option(form_name)
        twin.form = form_name
        for fallback_name in explorer_parts.FALLBACKS:
            fallback.select_option(fallback_name)
            twin.fallback = fallback_name
            agrees(page, twin)
    form.select_option("pull")
    fallback.select_option("zero")
    slider(page, "candidates (n)").focus()
    press(page, "ArrowRight", "ArrowRight")


def moved(page: Page, handle: str, before: list[float], by: tuple[float, float]) -> dict[str, Any]:
    """What the explorer says, if a handle has gone so far from where it was."""
    seen = read(page)
    np.testing.assert_allclose(np.subtract(seen["handles"][handle], before), by, atol=0.02)
    return seen


@pytest.mark.parametrize("handle", ["point-0", "codewords-0", "similar-0", "dissimilar-0"])
def test_point_codeword_and_data_can_be_dragged(page: Page, handle: str) -> None:
    twin = GradientExplorer()
    reset(page)
    kind, index = handle.split("-")
    before = read(page)["handles"][handle]
    drag(page, handle, (0.3, -0.25))
    seen = until(page, lambda: moved(page, handle, before, (0.3, -0.25)))
    place = tuple(round(float(x), 4) for x in seen["handles"][handle])
    if kind == "point":
        twin.point = place
    else:
        rows = np.array(getattr(twin, kind))
        rows[int(index)] = place
        setattr(twin, kind, rows)
    # A position is read off the picture to 1e-4, so vectors agree to a little more than that.
    np.testing.assert_allclose(
        seen["arrows"]["similarity"], -twin.plane.gradient(np.array([twin.point]))[0], atol=1e-3
    )
    assert seen["values"]["nearest-distance"] == pytest.approx(twin.read_out().distance, abs=1e-3)
    reset(page)


def test_a_finger_drags_the_point(page: Page) -> None:
    reset(page)
    box = resting_box(page.locator("[data-handle='point-0']").first)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    phone = page.context.new_cdp_session(page)

    def finger(kind: str, *at: float) -> None:
        points = [{"x": at[0], "y": at[1]}] if at else []
        phone.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    before = read(page)["handles"]["point-0"]
    finger("touchStart", x, y)
    for i in range(1, 5):
        finger("touchMove", x + 10 * i, y + 5 * i)
    finger("touchEnd")
    scale = resting_box(page.locator(".gsl-plane").first)["width"] / 2.5
    until(page, lambda: moved(page, "point-0", before, (40 / scale, -20 / scale)))
    reset(page)
    phone.detach()


def focus_is_on(page: Page, handle: str) -> None:
    page.wait_for_function("(name) => document.activeElement.dataset.handle === name", arg=handle)


def test_keyboard_alone_moves_everything_and_home_puts_it_back(page: Page) -> None:
    twin = GradientExplorer()
    page.locator("[data-handle='point-0']").first.focus()
    press(page, "ArrowLeft", "ArrowUp", "ArrowUp", "Shift+ArrowRight")
    twin.point = (-0.24, 0.3)
    agrees(page, twin)
    expect(page.locator(".jp-Cell.jp-mod-active")).to_have_count(1)
    press(page, "Home", "Tab")  # on to the first codeword
    focus_is_on(page, "codewords-0")
    press(page, "ArrowDown")
    twin.point = (-0.2, 0.2)
    moved = np.array(twin.codewords)
    moved[0] += (0, -0.05)
    twin.codewords = moved
    agrees(page, twin)
    press(page, "Home", *["Tab"] * 9)
    focus_is_on(page, "similar-0")
    agrees(page, GradientExplorer())
    partner = page.locator("[data-handle='similar-0']").first
    expect(partner).to_have_attribute("aria-label", "positive, at -0.45 across, 0.45 up")


def test_python_hears_and_speaks(page: Page) -> None:
    page.locator("[data-handle='point-0']").first.focus()
    press(page, "ArrowLeft")
    cell = page.locator(".jp-Cell").nth(1)

    def ask() -> None:
        """Once may be too early: a cell does not wait for what the page still has to tell a busy kernel."""
        cell.locator(".jp-InputArea-editor").click()
        press(page, "Control+Enter")
        sees = "python sees [-0.25, 0.2] 1.5 pull"
        expect(cell.locator(".jp-OutputArea-output")).to_contain_text(sees, timeout=3000)

    until(page, ask)
    reset(page)


@pytest.mark.parametrize("loss", ["two-class", "triplet"])
def test_other_losses(page: Page, loss: str) -> None:
    page.get_by_label("Similarity loss").first.select_option(loss)
    twin = GradientExplorer(loss=loss)
    slope = twin.plane.gradient(np.array([twin.point]))[0]

    def look() -> None:
        seen = read(page)
        np.testing.assert_allclose(seen["arrows"]["similarity"], -slope, atol=1e-6)
        assert seen["values"]["loss-value"] == pytest.approx(twin.read_out().loss, abs=1e-6)
        n_data = sum(name.startswith(("similar", "dissimilar")) for name in seen["handles"])
        assert n_data == (10 if loss == "two-class" else 2)

    until(page, look)
    page.get_by_label("Similarity loss").first.select_option("pair")
    agrees(page, GradientExplorer())


def said(page: Page, method: str, **values: float) -> None:
    """Assert what the panel of one method says, field or run, to six digits."""
    panel = page.locator(f".gsl-panels:visible [data-read='{method}']").first
    seen = {name: float(panel.get_attribute(f"data-{name}") or "nan") for name in values}
    assert seen == pytest.approx(values, abs=1e-6), method


def test_field_says_the_share_that_goes_uphill(page: Page) -> None:
    page.get_by_role("button", name="Field").first.click()
    twin = GradientExplorer()
    line = -1.1 + 0.2 * np.arange(12)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    g = twin.plane.gradient(grid)
    for method in ("penalty", "straight-through", "rotation", "snap"):
        field = method_gradient(twin.plane, grid, method, twin.rule)
        share = ((field * g).sum(axis=1) < -1e-12).mean()
        until(page, lambda: said(page, method, value=share))  # noqa: B023  (called at once)
    page.get_by_role("button", name="One point").first.click()


def test_run_plays_steps_and_scrubs_back(page: Page) -> None:
    page.get_by_role("button", name="Run", exact=True).first.click()
    twin = GradientExplorer(n_steps=40)
    clock = page.locator("[data-read='step']").first

    def compare_at(t: int) -> None:
        expect(clock).to_have_text(f"step {t} of 40")
        for method in ("penalty", "straight-through", "rotation", "snap"):
            path = run_method(twin.plane, twin.starts, method, twin.rule, n_steps=t)
            curves = run_curves(twin.plane, path)
            ends = {name: curves[name][-1] for name in ("loss", "distortion")}
            until(page, lambda: said(page, method, **ends))  # noqa: B023  (called at once)

    compare_at(0)
    for _ in range(3):
        page.get_by_role("button", name="Step").first.click()
    compare_at(3)
    page.get_by_role("button", name="Play").first.click()
    expect(clock).to_have_text("step 40 of 40")
    expect(page.locator(".gsl-transport").first).to_contain_text("Play")
    compare_at(40)
    scrub = page.locator(".gsl-transport input").first
    scrub.focus()
    press(page, "ArrowLeft", "ArrowLeft")
    compare_at(38)
    press(page, "Home")
    compare_at(0)
    page.get_by_role("button", name="One point").first.click()


def test_narrow_window_loses_nothing(page: Page) -> None:
    side_bar = page.locator(".jp-SideBar [data-id='filebrowser']").first
    side_bar.click()  # it would take what little room there is
    page.set_viewport_size({"width": 420, "height": 900})
    page.locator(".gsl-explorer .gsl-plane").first.scroll_into_view_if_needed()

    def look() -> None:
        beyond = page.evaluate(
            """() => { const root = document.querySelector('.gsl-explorer').getBoundingClientRect();
                return ['.gsl-plane', 'table', 'button']
                    .flatMap((css) => [...document.querySelectorAll(`.gsl-explorer ${css}`)])
                    .map((e) => e.getBoundingClientRect().right - root.right); }"""
        )
        assert page.evaluate("document.querySelector('.gsl-explorer').clientWidth") < 420
        assert max(beyond) <= 1

    until(page, look)
    agrees(page, GradientExplorer())
    page.set_viewport_size(SIZE)
    side_bar.click()


def test_rerun_and_a_second_explorer_stand_alone(page: Page) -> None:
    # A second cell shows the same widget again, a rerun makes a new one.
    page.locator(".jp-Cell").nth(1).locator(".jp-InputArea-editor").click()
    press(page, "Control+a")
    page.keyboard.insert_text(
        "f = GradientExplorer(point=(0.4, -0.4), form='replace, projected')\nf"
    )
    press(page, "Control+Enter")
    page.wait_for_function("document.querySelectorAll('.gsl-explorer').length === 2")
    other = GradientExplorer(point=(0.4, -0.4), form="replace, projected")
    agrees(page, GradientExplorer(), 0)
    agrees(page, other, 1)
    slider(page, "strength (lambda)", 1).focus()
    press(page, "End")
    other.strength = 3.0
    agrees(page, GradientExplorer(), 0)
    agrees(page, other, 1)

    page.locator(".jp-Cell").first.locator(".jp-InputArea-editor").click()
    old = page.locator(".gsl-explorer").first.element_handle()
    press(page, "Control+Enter")
    page.wait_for_function("old => !old.isConnected", arg=old)
    page.wait_for_function("document.querySelectorAll('.gsl-explorer').length === 2")
    agrees(page, GradientExplorer(), 0)


def test_dropped_kernel_is_said_and_the_picture_works_on(page: Page, lab: str) -> None:
    menu(page, "Kernel")
    page.get_by_role("menuitem", name=re.compile("^Restart Kernel…")).click()  # a shortcut follows
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    note = page.locator(".gsl-explorer .gsl-note[role=status]").first
    note.wait_for(state="visible")
    expect(note).to_contain_text("Python no longer listens")
    twin = GradientExplorer()
    page.locator("[data-handle='point-0']").first.focus()
    press(page, "ArrowDown")
    twin.point = (-0.2, 0.15)
    agrees(page, twin)
    slider(page, "strength (lambda)").focus()
    press(page, "Home")
    twin.strength = 0.0
    agrees(page, twin)
    wait_for_kernel(page)
    menu(page, "Run", "Run All Cells")
    page.wait_for_function(
        "[...document.querySelectorAll('.gsl-explorer')].length === 2 && "
        "[...document.querySelectorAll('.gsl-explorer .gsl-note[role=status]')].every((n) => n.hidden)",
    )
    agrees(page, GradientExplorer())
    press(page, "Control+s")
    wait_until_saved(page)


@pytest.mark.parametrize("trusted", [True, False])
def test_published_notebook_reopened_and_not_run(
    bare_page: Page, lab: str, home: Path, trusted: bool
) -> None:
    """As the press leaves it: no widget state. Trusted it is alive; else a picture with its text."""
    page = bare_page
    folder = home / "work" / "notebooks"
    path = folder / f"published_{trusted}.ipynb"
    notebook = nbformat.v4.new_notebook()
    data, metadata = GradientExplorer()._repr_mimebundle_()
    output = nbformat.v4.new_output("execute_result", data, metadata=metadata, execution_count=1)
    # Trust goes by content, so the two notebooks must differ.
    source = f"{MAKE}  # {trusted}"
    cell = nbformat.v4.new_code_cell(source, outputs=[output], execution_count=1, id="c0")
    notebook.cells = [cell]
    clean(notebook)
    nbformat.write(notebook, path)
    if trusted:
        jupyter = [sys.executable, "-m", "jupyter", "trust", str(path)]
        subprocess.run(jupyter, check=True, env=lab_environment(home), capture_output=True)
    open_notebook(page, lab, path.stem)
    if trusted:
        page.wait_for_selector(".gsl-explorer .gsl-plane")
        agrees(page, GradientExplorer())
        page.locator("[data-handle='point-0']").first.focus()
        press(page, "ArrowUp")
        agrees(page, GradientExplorer(point=(-0.2, 0.25)))
    else:
        picture = page.locator(".jp-OutputArea img")
        picture.wait_for()
        assert "A point among 9 codewords" in (picture.get_attribute("alt") or "")


def test_saved_by_its_reader_and_reopened_without_running(
    bare_page: Page, lab: str, home: Path
) -> None:
    """`gsl-tutorial lab` saves widgets with the notebook: the explorer and its sliders live again."""
    page = bare_page
    path = home / "work" / "notebooks" / "saved.ipynb"
    write_notebook(path, MAKE, ASK)
    open_notebook(page, lab, "saved")
    wait_for_kernel(page)
    menu(page, "Run", "Run All Cells")
    page.wait_for_selector("text=python sees")
    page.locator("[data-handle='point-0']").first.focus()
    press(page, "ArrowUp")
    agrees(page, GradientExplorer(point=(-0.2, 0.25)))

    def save() -> None:
        press(page, "Control+s")  # from the handle
        assert [-0.2, 0.25] in saved_points(path), "saved without its widgets"

    until(page, save)
    wait_until_saved(page)
    menu(page, "Kernel", "Shut Down Kernel")
    expect(page.locator("#jp-main-statusbar")).to_contain_text("No Kernel")
    open_notebook(page, lab, "saved")
    page.wait_for_selector(".gsl-explorer .gsl-plane")
    twin = GradientExplorer(point=(-0.2, 0.25))
    agrees(page, twin)
    page.locator("[data-handle='point-0']").first.focus()
    press(page, "ArrowLeft")
    twin.point = (-0.25, 0.25)
    agrees(page, twin)
    slider(page, "strength (lambda)").focus()
    press(page, "End")
    twin.strength = 3.0
    agrees(page, twin)
