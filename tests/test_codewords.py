"""Chapter 02's codewords in the page: k-means there is that of Python; drag, keyboard, bad input."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from browser import browser, drag, patient_page, show_alone, until
from playwright.sync_api import Page, expect
from widget_cases import alt_of

from gsl_tutorial.course.toys.kmeans_steps import kmeans_steps
from gsl_tutorial.course.widgets import CodewordExplorer
from gsl_tutorial.course.widgets.codewords import SCRIPT, STYLE
from gsl_tutorial.errors import InvalidInputError

RNG = np.random.default_rng(2)
POINTS = np.round(RNG.uniform(-1, 1, (40, 2)), 3)
START = [[-0.3, 0.5], [0.3, -0.3], [0.7, 0.6]]
NAN = float("nan")


@pytest.fixture(scope="module")
def opened() -> Iterator[Page]:
    with browser() as chromium:
        page = patient_page(chromium, width=1000, height=700)
        page.context.set_offline(True)
        yield page


def alive(page: Page, explorer: CodewordExplorer) -> None:
    show_alone(page, explorer.to_html())


def agrees(page: Page, explorer: CodewordExplorer) -> None:
    """Wait until the page says what Python says."""
    until(page, lambda: compare(page, explorer))


def compare(page: Page, explorer: CodewordExplorer) -> None:
    out = explorer.read_out()
    said = page.locator("[data-read='distortion']")
    assert float(said.get_attribute("data-value") or NAN) == pytest.approx(out.distortion, abs=1e-6)
    assert said.inner_text() == f"{out.distortion:.4f}"
    for k, place in enumerate(out.codewords):
        handle = page.locator(f"[data-handle='codewords-{k}']")
        where = (handle.get_attribute("transform") or "")[len("translate(") : -1].split(" ")
        seen = [(float(where[0]) - 250) / 200, (250 - float(where[1])) / 200]
        np.testing.assert_allclose(seen, place, atol=1e-4)
        dead = "gsl-dead" in (handle.get_attribute("class") or "")
        assert dead == (out.counts[k] == 0)


def test_k_means_in_the_page_is_that_of_python(opened: Page) -> None:
    show_alone(opened)
    opened.add_script_tag(content=SCRIPT)
    cases = []
    for _ in range(200):
        points = RNG.uniform(-1.2, 1.2, (RNG.integers(1, 60), 2))
        start = RNG.uniform(-1.2, 1.2, (RNG.integers(1, 9), 2))
        start[-1] = points[0] if RNG.random() < 0.5 else start[0]  # equal codewords, too
        cases.append((points, start, int(RNG.integers(0, 13))))
    told = [[points.tolist(), start.tolist(), rounds] for points, start, rounds in cases]
    script = "(cases) => cases.map((one) => kmeansMath.halfSteps(...one))"
    for (points, start, rounds), seen in zip(cases, opened.evaluate(script, told), strict=True):
        steps = kmeans_steps(points, start, n_rounds=rounds)[1:]
        assert [one["kind"] for one in seen["steps"]] == [one.kind for one in steps]
        for mine, wanted in zip(seen["steps"], steps, strict=True):
            np.testing.assert_array_equal(mine["assignment"], wanted.assignment)
            np.testing.assert_allclose(mine["codewords"], wanted.codewords, atol=1e-9)
            assert mine["distortion"] == pytest.approx(wanted.distortion, abs=1e-9)


def says_about(page: Page, distortion: float) -> None:
    seen = page.locator("[data-read='distortion']").get_attribute("data-value")
    assert float(seen or NAN) == pytest.approx(distortion, abs=0.02)


def test_drag_keyboard_and_rounds_without_kernel_or_network(
    opened: Page, problems: list[str]
) -> None:
    explorer = CodewordExplorer(POINTS, START, best=0.2)
    alive(opened, explorer)
    agrees(opened, explorer)

    drag(opened, "codewords-1", (-0.4, 0.2))
    explorer.codewords = [START[0], (-0.1, -0.1), START[2]]
    until(opened, lambda: says_about(opened, explorer.read_out().distortion))
    opened.locator("[data-handle='codewords-1']").focus()
    opened.keyboard.press("Home")
    explorer.codewords = START
    agrees(opened, explorer)

    opened.keyboard.press("ArrowRight")
    opened.keyboard.press("Shift+ArrowUp")
    explorer.codewords = [START[0], (0.35, -0.29), START[2]]
    agrees(opened, explorer)
    scrub = opened.get_by_label("rounds of k-means")
    for key, rounds in (("End", 12), ("ArrowLeft", 11), ("Home", 0), ("ArrowRight", 1)):
        scrub.focus()
        opened.keyboard.press(key)
        explorer.rounds = rounds
        agrees(opened, explorer)
    opened.get_by_role("button", name="One round").click()
    explorer.rounds = 2
    agrees(opened, explorer)

    # Who takes a codeword after some rounds goes on from what is shown.
    shown = explorer.read_out().codewords
    opened.locator("[data-handle='codewords-0']").focus()
    opened.keyboard.press("ArrowUp")
    explorer.rounds = 0
    explorer.codewords = [*shown.copy()]
    explorer.codewords[0] = np.round(shown[0] + (0, 0.05), 4)
    agrees(opened, explorer)
    opened.get_by_role("button", name="Reset").click()
    explorer.codewords = START
    agrees(opened, explorer)
    assert problems == []


def test_a_codeword_that_nobody_uses_is_marked_and_named(opened: Page) -> None:
    explorer = CodewordExplorer([[0, 0], [0.1, 0]], [[0, 0], [1.1, 1.1]])
    alive(opened, explorer)
    agrees(opened, explorer)
    expect(opened.get_by_text("1: no points")).to_be_visible()
    expect(opened.locator(".gsl-sentence")).to_contain_text("Without points: codeword 1")


BAD: list[tuple[dict[str, Any], str]] = [
    ({"points": [[NAN, 0.0]]}, "NaN or infinity"),
    ({"points": []}, "at least one row in points"),
    ({"codewords": []}, "at least one row in codewords"),
    ({"codewords": [[0.0, 0.0, 0.0]]}, "shape (n, 2)"),
    ({"codewords": None}, "codewords of shape (n, 2)"),
    ({"rounds": 99}, "rounds"),
    ({"n_rounds": -1}, "n_rounds"),
    ({"best": -1.0}, "best"),
]


@pytest.mark.parametrize(("wrong", "words"), BAD, ids=lambda value: str(value)[:30])
def test_bad_input_is_said_in_the_widget_and_refused_by_the_constructor(
    opened: Page, wrong: dict[str, Any], words: str
) -> None:
    if "rounds" not in wrong:
        given = {"start" if name == "codewords" else name: value for name, value in wrong.items()}
        with pytest.raises(InvalidInputError):
            CodewordExplorer(**({"points": POINTS, "start": START} | given))
    explorer = CodewordExplorer(POINTS, START)
    for name, value in wrong.items():
        setattr(explorer, name, value)
    assert "expected" in repr(explorer)
    assert "expected" in explorer._repr_mimebundle_()[0]["text/html"]
    state = {name: explorer.get_state(name)[name] for name in explorer.told}
    show_alone(opened)
    opened.add_script_tag(content=SCRIPT)
    opened.add_style_tag(content=STYLE)
    state = json.loads(json.dumps(state, allow_nan=False))
    opened.evaluate("(s) => renderCodewords({ model: standIn(s), el: document.body })", state)
    expect(opened.locator(".gsl-message")).to_contain_text(words)
    expect(opened.locator(".gsl-message")).to_contain_text("What to do")


def test_still_and_words_follow_the_rounds() -> None:
    explorer = CodewordExplorer(POINTS, START, best=0.2)
    assert "placed by hand" in alt_of(explorer)
    explorer.rounds = 12
    assert "after 12 rounds" in explorer.alt
    title = explorer.still().axes[0].get_title(loc="left")
    assert f"{explorer.read_out().distortion:.4f}" in title
