"""The explorer's page: bad input is told, and it lives without kernel, network or scripts."""

import json
import re
from collections.abc import Iterator
from typing import Any, get_args

import nbformat
import numpy as np
import pytest
from browser import browser, patient_context, patient_page, show_alone, until
from nbconvert import HTMLExporter
from playwright.sync_api import Page, expect
from widget_cases import alt_of

from gsl_tutorial.course.plots.explorer import RIVALS
from gsl_tutorial.course.press.cleaning import clean
from gsl_tutorial.course.toys.plane_losses import SIMILARITY_LOSSES
from gsl_tutorial.course.widgets import GradientExplorer, explorer_parts
from gsl_tutorial.course.widgets.explorer import SCRIPT, STYLE
from gsl_tutorial.errors import InvalidInputError, UnknownNameError
from gsl_tutorial.snapping import Form

NEAR = """([name, value]) => {
    const cell = document.querySelector(`[data-read='${name}']`);
    return Math.abs(cell.dataset.value - value) < 1e-6;
}"""


@pytest.fixture(scope="module")
def blank() -> Iterator[Page]:
    """A page of its own that knows the explorer's script."""
    with browser() as opened:
        page = patient_page(opened, width=1000, height=800)
        show_alone(page)
        page.add_script_tag(content=SCRIPT)
        page.add_style_tag(content=STYLE)
        yield page


# ---- bad input ----

NAN = float("nan")
BAD = [
    ({"codewords": [[NAN, 0.0]]}, "NaN or infinity"),
    ({"codewords": []}, "at least one codeword"),
    ({"codewords": [[0.0, 0.0, 0.0]]}, "shape (n, 2)"),
    ({"codewords": "nonsense"}, "shape (n, 2)"),
    ({"similar": np.zeros((3, 3))}, "shape (n, 2)"),
    ({"similar": []}, "at least one similar point"),
    ({"dissimilar": [[np.inf, 0.0]]}, "NaN or infinity"),
    ({"starts": np.full((2, 2), NAN)}, "NaN or infinity"),
    ({"point": (NAN, 0.0)}, "two finite numbers"),
    ({"strength": NAN}, "strength 0 or more"),
    ({"step": -1.0}, "step 0 or more"),
]


@pytest.mark.parametrize(("wrong", "words"), BAD, ids=lambda value: str(value)[:30])
def test_constructor_refuses_bad_input(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInputError, match=re.escape(words)):
        GradientExplorer(**wrong)


def test_constructor_refuses_words_and_counts() -> None:
    with pytest.raises(InvalidInputError, match="K, the codewords in use, a whole number"):
        GradientExplorer([[0.0, 0.0]], K=2)
    with pytest.raises(InvalidInputError, match="n, the number of candidates,"):
        GradientExplorer(n=0)
    with pytest.raises(InvalidInputError, match="a dissimilar point for the loss 'triplet'"):
        GradientExplorer(dissimilar=(), loss="triplet")
    for wrong in ({"form": "push"}, {"fallback": "none"}, {"loss": "mse"}, {"mode": "x"}):
        with pytest.raises(UnknownNameError):
            GradientExplorer(**wrong)  # type: ignore[arg-type]


def state_of(explorer: GradientExplorer) -> dict[str, Any]:
    """What the page is told, through JSON as it is strictly read."""
    sent = {name: explorer.get_state(name)[name] for name in explorer_parts.NAMES}
    return json.loads(json.dumps(sent, allow_nan=False))


def mount(page: Page, state: dict[str, Any]) -> None:
    page.evaluate(
        """(state) => {
            document.body.replaceChildren();
            history.replaceState(null, "", "#"); // no link of an earlier explorer is opened
            window.model = standIn(state);
            renderExplorer({ model: window.model, el: document.body });
        }""",
        state,
    )


MORE_BAD = [
    ({"n_codewords": 12}, "expected K from 1 to 9"),
    ({"n_candidates": 0}, "expected n, the candidates"),
    ({"loss": "mse"}, "similarity loss"),
    ({"loss": "triplet", "dissimilar": []}, "a dissimilar point"),
]


@pytest.mark.parametrize(("wrong", "words"), BAD + MORE_BAD, ids=lambda value: str(value)[:30])
def test_widget_says_what_is_wrong_in_its_own_area(
    blank: Page, wrong: dict[str, Any], words: str
) -> None:
    explorer = GradientExplorer()
    mount(blank, state_of(explorer))
    message = blank.locator(".gsl-message")
    expect(message).to_be_hidden()
    good = state_of(explorer)
    for name, value in wrong.items():
        setattr(explorer, name, value)
    assert "expected" in repr(explorer)
    data, _ = explorer._repr_mimebundle_()
    assert "expected" in data["text/html"]

    bad = state_of(explorer)
    blank.evaluate("(s) => Object.entries(s).forEach(([k, v]) => window.model.set(k, v))", bad)
    blank.wait_for_function("!document.querySelector('.gsl-message').hidden")
    said = message.inner_text()
    assert words.split(" 0 ")[0] in said
    assert "What to do" in said
    assert blank.locator("[data-arrow='similarity']").count() == 1, "the last good picture stays"
    blank.evaluate("(s) => Object.entries(s).forEach(([k, v]) => window.model.set(k, v))", good)
    blank.wait_for_function("document.querySelector('.gsl-message').hidden")
    mount(blank, bad)  # shown with the fault from the start
    assert "What to do" in blank.locator(".gsl-message").inner_text()


def test_more_candidates_than_codewords_is_a_note_and_not_a_fault(blank: Page) -> None:
    explorer = GradientExplorer(n=5, K=3)
    mount(blank, state_of(explorer))
    assert "all of them are candidates" in blank.locator(".gsl-note[role=status]").inner_text()
    assert explorer.rule.n_candidates == 3


def test_a_late_answer_of_python_does_not_undo_what_the_reader_did_since(blank: Page) -> None:
    """The first change is told at once; the second waits its turn when the first one's echo arrives."""
    mount(blank, state_of(GradientExplorer()))
    said = blank.evaluate(
        """() => {
            const buttons = [...document.querySelectorAll("button")];
            const press = (name) => buttons.find((one) => one.textContent === name).click();
            press("Field");
            press("Run");
            window.model.set("mode", "field");
            return window.model.get("mode");
        }"""
    )
    assert said == "run"
    expect(blank.locator(".gsl-transport")).to_be_visible()
    # Once Python has heard it, Python may change it.
    until(blank, lambda: told_and_changed(blank, "field"))
    expect(blank.locator(".gsl-transport")).to_be_hidden()


def told_and_changed(page: Page, mode: str) -> None:
    page.evaluate("(mode) => window.model.set('mode', mode)", mode)
    assert page.evaluate("window.model.get('mode')") == mode


# ---- without a kernel, without scripts ----


def test_fragment_is_alive_without_a_kernel_and_asks_nothing_of_the_network(blank: Page) -> None:
    explorer = GradientExplorer()
    context = patient_context(blank.context.browser)
    page = context.new_page()
    asked: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda line: problems.append(line.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    show_alone(page, f"{explorer.to_html()}{explorer.to_html()}")
    expect(page.locator(".gsl-plane[role=group]")).to_have_count(2)
    expect(page.locator(".gsl-still")).to_have_count(0)
    slider = page.get_by_label("strength (lambda)").first
    for key, value in (("End", 3.0), ("Home", 0.0)):
        slider.focus()
        page.keyboard.press(key)
        explorer.strength = value
        out = explorer.read_out()
        page.wait_for_function(NEAR, arg=["snapped-cosine", out.snapped_cosine])
    handle = page.locator("[data-handle='point-0']").first
    handle.focus()
    page.keyboard.press("ArrowLeft")
    explorer.point = (-0.25, 0.2)
    cell = page.locator("[data-read='nearest-distance']").first
    page.wait_for_function(NEAR, arg=["nearest-distance", explorer.read_out().distance])
    expect(cell).to_have_text(f"{explorer.read_out().distance:.3f}")
    assert [url for url in asked if not url.startswith("data:")] == []
    assert problems == []
    context.close()


def test_page_made_of_a_published_notebook_is_alive_offline(blank: Page) -> None:
    """As nbconvert makes it, in its barest template: no network at all, and none is asked for."""
    explorer = GradientExplorer()
    notebook = nbformat.v4.new_notebook()
    data, metadata = explorer._repr_mimebundle_()
    output = nbformat.v4.new_output("execute_result", data, metadata=metadata, execution_count=1)
    notebook.cells = [nbformat.v4.new_code_cell("e", outputs=[output], execution_count=1)]
    clean(notebook)
    body, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    context = patient_context(blank.context.browser, offline=True)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("requestfailed", lambda request: asked.append(request.url))
    show_alone(page, body)
    handle = page.locator("[data-handle='codewords-0']").first
    handle.focus()
    page.keyboard.press("ArrowUp")
    explorer.codewords = [(0.1, 0.15), *explorer.codewords[1:]]
    page.wait_for_function(NEAR, arg=["nearest-distance", explorer.read_out().distance])
    assert page.locator(".gsl-still").count() == 0
    assert [url for url in asked if not url.startswith("data:")] == []
    context.close()


def test_still_and_text_stand_where_no_script_runs(blank: Page) -> None:
    explorer = GradientExplorer(alt="A point between <two> codewords")
    context = patient_context(blank.context.browser, java_script_enabled=False)
    page = context.new_page()
    show_alone(page, explorer.to_html())
    picture = page.locator(".gsl-still img")
    expect(picture).to_be_visible()
    assert picture.get_attribute("alt") == "A point between <two> codewords"
    assert picture.bounding_box()["width"] > 300  # type: ignore[index]
    context.close()


@pytest.mark.parametrize("mode", explorer_parts.MODES)
@pytest.mark.parametrize("loss", SIMILARITY_LOSSES)
def test_bundle_holds_a_picture_and_its_text(mode: str, loss: str) -> None:
    explorer = GradientExplorer(mode=mode, loss=loss, K=1, n=1, n_steps=3)
    data, _ = explorer._repr_mimebundle_()
    assert "image/png" not in data, "the picture stands in the HTML, once"
    assert alt_of(explorer) == explorer.alt
    assert explorer.alt in data["text/plain"]
    again, _ = GradientExplorer(mode=mode, loss=loss, K=1, n=1, n_steps=3)._repr_mimebundle_()
    assert data["text/html"] == again["text/html"], "building again must give no diff"


def test_words_of_page_and_python_are_the_same(blank: Page) -> None:
    page_words = blank.evaluate("[FORMS, FALLBACKS, MODES, NAMES, explorerMath.LOSSES]")
    parts = explorer_parts
    ours = (parts.FORMS, parts.FALLBACKS, parts.MODES, parts.NAMES, SIMILARITY_LOSSES)
    assert page_words == [list(words) for words in ours]
    explorer = GradientExplorer()
    for form, fallback in zip(parts.FORMS, (*parts.FALLBACKS, "zero"), strict=True):
        explorer.form, explorer.fallback = form, fallback
        assert explorer.form == form
        assert explorer.fallback == fallback
        assert explorer.rule.form in get_args(Form)
    with pytest.raises(UnknownNameError):
        explorer.form = "push"


def test_script_names_no_address() -> None:
    addresses = re.findall(r"https?://[^\s\"'`)]+", SCRIPT + STYLE)
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}  # a name, never fetched
    assert "import(" not in SCRIPT
    assert "fetch(" not in SCRIPT


@pytest.mark.parametrize("mode", ["field", "run"])
def test_without_the_snap_a_field_and_a_run_show_the_penalty_alone(blank: Page, mode: str) -> None:
    """Chapter 05 shows only what has been taught."""
    for snap, expected in ((False, ["penalty"]), (True, RIVALS)):
        explorer = GradientExplorer(mode=mode, snap=snap)
        mount(blank, state_of(explorer))
        shown = blank.locator(".gsl-panels figure:visible [data-read]")
        expect(shown).to_have_count(len(expected))
        assert [one.get_attribute("data-read") for one in shown.all()] == list(expected)
        assert ("side by side" in explorer.alt) is snap
        assert len(explorer.still().axes) == len(expected)
        if mode == "run":
            blank.get_by_role("button", name="Step", exact=True).click()
            drawn = blank.locator(".gsl-charts svg").first.locator(".gsl-curve[d^='M']")
            expect(drawn).to_have_count(len(expected))


@pytest.mark.parametrize("snap", [True, False])
def test_the_snap_and_its_controls_can_be_left_out(blank: Page, snap: bool) -> None:
    """Chapter 05 shows the sum alone; and where there is no stranger, no menu offers what needs one."""
    explorer = GradientExplorer(dissimilar=(), snap=snap)
    mount(blank, state_of(explorer))
    shown = "visible" if snap else "hidden"
    for what in (
        "[data-arrow='snap']",
        "[data-candidates]",
        ".gsl-point-mode [data-read='snapped-cosine']",
        ".gsl-point-mode [data-read='chosen-distance']",
        ".gsl-modes",
    ):
        assert blank.locator(what).first.is_visible() is snap, (what, shown)
    assert blank.locator("[data-arrow='penalty']").first.is_visible()
    assert blank.locator("select").count() == 0 or not blank.locator("select").first.is_visible()
    words = f"{blank.locator('.gsl-legend').inner_text()} {explorer.alt}"
    assert ("snapped step" in words) is snap
    assert ("form_index" in explorer.controls) is snap
    assert "strength" in explorer.controls
    mount(blank, state_of(GradientExplorer()))
    assert blank.locator("select").first.is_visible()
