"""What the explorer invites to: links, presets, tours, the formula, phrases that drive a figure."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import browser, patient_page, show_alone, until
from explorer_reading import agrees
from playwright.sync_api import Page, expect

from gsl_tutorial.course.toys.plane_methods import method_gradient
from gsl_tutorial.course.widgets import (
    CodewordExplorer,
    GradientExplorer,
    TurnsExplorer,
)
from gsl_tutorial.course.widgets.explorer import SCRIPT
from gsl_tutorial.course.widgets.explorer_play import (
    COUNTEREXAMPLES,
    PRESETS,
    TOUR,
    TOUR_PENALTY,
    winner,
)
from gsl_tutorial.course.widgets.links import read_link, write_link
from gsl_tutorial.errors import InvalidInputError


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with browser() as chromium:
        page = patient_page(chromium, width=1280, height=900, reduced_motion="reduce")
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda line: problems.append(line.text))
        yield page
        assert problems == []


def alive(page: Page, folder: Path, *widgets: Any, link: str = "", words: str = "") -> None:
    path = folder / "page.html"
    body = words + "".join(widget.to_html() for widget in widgets)
    path.write_text(f"<!doctype html><meta charset=utf-8><body>{body}</body>", "utf-8")
    page.goto("about:blank")
    page.goto(path.as_uri() + (f"#{link}" if link else ""))


# ---- links ----

VALUES: dict[str, Any] = {
    "number": -0.25, "whole": 3, "tiny": 1e-7, "truth": True, "not": False, "none": None,
    "name": "two-class", "odd": "a=b&c#%ü", "list": [1.5, 2], "one": [4], "empty": [],
    "rows": [[0.1, 0.2], [-0.3, 1]], "row": [[5, 6]],
}  # fmt: skip


def test_page_and_python_read_what_the_other_wrote(page: Page) -> None:
    show_alone(page)
    page.add_script_tag(content=SCRIPT)
    text = write_link("gradient", VALUES, hide=["tour", "link"])
    seen = page.evaluate("(text) => links.read(text, 'gradient')", text)
    assert (seen["values"], seen["hide"]) == (VALUES, ["tour", "link"])
    again = page.evaluate("(seen) => links.write('gradient', seen.values, seen.hide)", seen)
    assert read_link(again, "gradient") == (VALUES, ["tour", "link"])
    assert read_link(f"https://example.org/a?b=c#{again}", "gradient")[0] == VALUES
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 2)).tolist()
    told = page.evaluate("(rows) => links.write('gradient', { rows })", rows)
    assert read_link(told, "gradient")[0]["rows"] == rows, "to the last bit"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "a link that begins with gsl1"),
        ("gsl1.gradient", "a link that begins with gsl1"),
        ("gsl9.gradient?mode=run", "a link of version 1; got 9"),
        ("gsl1.codewords?rounds=1", "kind 'gradient'"),
        ("gsl1.gradient?point=1,x,", "finite numbers in the lists"),
        ("gsl1.gradient?point=1,nan,", "finite numbers in the lists"),
        ("gsl1.gradient?point=1,2,3,", "two finite numbers"),
        ("gsl1.gradient?point=5", "point"),
        ("gsl1.gradient?codewords=1,2;3;", "(n, 2)"),
        ("gsl1.gradient?n_codewords=50", "K"),
        ("gsl1.gradient?strength=-1", "strength"),
        ("gsl1.gradient?mode=dance", "mode"),
        ("gsl1.gradient?form_index=9", "form_index"),
        ("gsl1.gradient?later=1", "sets what this widget has"),
        ("gsl1.gradient?n_candidates=two", "n_candidates"),
    ],
)
def test_damaged_and_future_links_change_nothing(
    page: Page, tmp_path: Path, text: str, words: str
) -> None:
    explorer = GradientExplorer()
    before = explorer.link
    with pytest.raises(InvalidInputError):
        explorer.open_link(text)
    assert explorer.link == before
    alive(page, tmp_path, explorer, link=text)
    agrees(page, explorer)
    message = page.locator(".gsl-message")
    if text.startswith("gsl") and "?" in text and "codewords?" not in text:
        expect(message).to_contain_text(words)
        expect(message).to_contain_text("What to do")
    else:  # an anchor of somebody else's
        expect(message).to_be_hidden()
    expect(page.locator(".gsl-stale")).to_have_count(0)


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_is_a_click_and_a_link_and_holds_what_it_says(
    page: Page, tmp_path: Path, name: str
) -> None:
    twin = GradientExplorer()
    twin.open_link(PRESETS[name])
    out = twin.read_out()
    if name == "uphill trap":
        assert (out.penalty_verdict, out.snapped_verdict) == ("UPHILL", "downhill")
    if name == "no codeword descends":
        assert out.chosen is None
    if name == "border flip":
        after = GradientExplorer()
        after.open_link(PRESETS[name])
        after.point = (twin.point[0], twin.point[1] - 0.02)
        assert after.read_out().nearest != out.nearest
    alive(page, tmp_path, GradientExplorer(presets=PRESETS), link=PRESETS["uphill trap"])
    page.get_by_role("button", name=name, exact=True).click()
    if twin.mode == "point":
        agrees(page, twin)
        return
    lost = winner(twin)
    assert (lost["snap"] < lost["penalty"]) == (name == "snap wins")
    says = page.locator("[data-read='winner']")
    expect(says).to_contain_text(f"penalty {lost['penalty']:.3f}, snap {lost['snap']:.3f}")
    expect(says).to_contain_text("step 100")
    expect(says).to_contain_text(f"The {name.split()[0]} wins")


@pytest.mark.parametrize("name", COUNTEREXAMPLES)
def test_counterexamples_hold(name: str) -> None:
    explorer = GradientExplorer()
    explorer.open_link(COUNTEREXAMPLES[name])
    lost = winner(explorer)
    loser = "snap" if name.startswith("snapping") else "penalty"
    assert lost[loser] - min(lost.values()) > 0.01, "a clear case, not one of the last digit"


def test_address_follows_the_hand_and_each_of_two_widgets_has_its_own(
    page: Page, tmp_path: Path
) -> None:
    first, second = GradientExplorer(), GradientExplorer(point=(0.4, -0.4))
    alive(page, tmp_path, first, second)
    agrees(page, second, 1)
    page.locator(".gsl-explorer").nth(1).locator("[data-handle='point-0']").focus()
    page.keyboard.press("ArrowUp")
    second.point = (0.4, -0.35)
    agrees(page, second, 1)
    until(page, lambda: followed(page, "gsl1.gradient.2?", "point=0.4,-0.35,"))
    page.reload()
    agrees(page, first, 0)
    agrees(page, second, 1)
    page.get_by_label("strength (lambda)").nth(1).focus()
    page.keyboard.press("End")
    until(page, lambda: followed(page, "gsl1.gradient.2?", "strength=3&"))


def followed(page: Page, *parts: str) -> None:
    address = page.evaluate("location.hash")
    assert all(part in address for part in parts), address


def test_step_of_a_run_and_hidden_controls_are_in_the_link(page: Page, tmp_path: Path) -> None:
    explorer = GradientExplorer()
    link = write_link(
        "gradient", {"mode": "run", "shown_step": 7}, hide=["loss", "strength", "reset"]
    )
    alive(page, tmp_path, explorer, link=link)
    expect(page.locator("[data-read='step']")).to_have_text("step 7 of 100")
    for name in ("loss", "strength", "reset"):
        expect(page.locator(f"[data-control='{name}']")).to_be_hidden()
    expect(page.locator("[data-control='step']")).to_be_visible()
    page.get_by_role("button", name="Copy link").click()
    text = page.locator(".gsl-link").input_value()
    assert "shown_step=7" in text
    assert "hide=loss.strength.reset" in text
    explorer.open_link(text)
    assert explorer.mode == "run"
    assert explorer.controls["strength"].layout.display == "none"


def test_codewords_are_shared_with_the_same_line(page: Page, tmp_path: Path) -> None:
    widget = CodewordExplorer([[0.0, 0.0], [1.0, 0.0]], [[0.0, 0.5]])
    alive(page, tmp_path, widget, link="gsl1.codewords?rounds=1")
    expect(page.locator("[data-read='distortion']")).to_have_text("0.2500")
    widget.open_link(widget.link)


def test_the_plane_with_turns_is_shared_with_its_step(page: Page, tmp_path: Path) -> None:
    widget = TurnsExplorer(n_steps=12)
    alive(page, tmp_path, widget, link="gsl1.turns?rival=rotation&strength=.5&shown_step=5")
    expect(page.locator("[data-read='step']")).to_have_text("step 5 of 12")
    page.get_by_role("button", name="Step", exact=True).click()
    page.get_by_role("button", name="Copy link").click()
    text = page.locator(".gsl-link").input_value()
    assert "shown_step=6" in text
    widget.open_link(text)
    assert (widget.rival, widget.strength) == ("rotation", 0.5)


def test_a_phrase_in_the_text_sets_the_figure(page: Page, tmp_path: Path) -> None:
    words = f"<p>Look at the <a href='#{PRESETS['uphill trap']}'>uphill trap</a>.</p>"
    alive(page, tmp_path, GradientExplorer(), words=words)
    page.get_by_role("link", name="uphill trap").click()
    twin = GradientExplorer()
    twin.open_link(PRESETS["uphill trap"])
    agrees(page, twin)


# ---- the tour ----


@pytest.mark.parametrize("snap", [True, False])
def test_a_tour_completes_when_the_reader_acts_and_can_be_left(
    page: Page, tmp_path: Path, snap: bool
) -> None:
    steps = TOUR if snap else TOUR_PENALTY
    alive(page, tmp_path, GradientExplorer(snap=snap, tour=steps, strength=0.2))
    panel, lit = page.locator(".gsl-tour"), page.locator(".gsl-lit")
    expect(panel).to_be_hidden()
    page.get_by_role("button", name="Tour", exact=True).click()

    def on(step: int) -> None:
        expect(panel).to_contain_text(f"Step {step} of 5. {steps[step - 1]['say']}")
        expect(lit).to_have_count(1)

    on(1)
    page.locator("[data-handle='point-0']").focus()
    page.keyboard.press("ArrowUp")
    on(2)
    page.get_by_label("strength (lambda)").focus()
    page.keyboard.press("ArrowRight")
    on(3)
    if not snap:
        page.keyboard.press("End")
        on(4)
    page.locator("[data-handle='codewords-0']").focus()
    page.keyboard.press("ArrowUp")
    on(4 if snap else 5)
    if snap:
        page.get_by_role("button", name="Field", exact=True).click()
        on(5)
        page.get_by_role("button", name="Run", exact=True).click()
        page.get_by_role("button", name="Step", exact=True).click()
    else:
        page.locator("[data-handle='similar-0']").focus()
        page.keyboard.press("ArrowUp")
    expect(panel).to_contain_text("That was the tour")
    expect(lit).to_have_count(0)
    page.get_by_role("button", name="Tour", exact=True).click()
    on(1)
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(lit).to_have_count(0)


# ---- the formula ----


def test_the_formula_holds_the_numbers_and_lights_the_arrows(page: Page, tmp_path: Path) -> None:
    twin = GradientExplorer()
    alive(page, tmp_path, twin)
    plane, z = twin.plane, np.asarray([twin.point])
    g = plane.gradient(z)[0]

    def look() -> None:
        for name, read in (("penalty", "inner-penalty"), ("snap", "inner-snap")):
            value = page.locator(f"[data-read='{read}']").get_attribute("data-value")
            wanted = float(method_gradient(plane, z, name, twin.rule)[0] @ g)
            assert float(value or "nan") == pytest.approx(wanted, abs=1e-9)

    until(page, look)
    expect(page.locator("[data-read='inner-penalty']")).to_contain_text("< 0: uphill")
    page.locator("[data-term='sum']").hover()
    expect(page.locator("[data-arrow='penalty']")).to_have_class(
        "gsl-arrow gsl-line-penalty gsl-lit-arrow"
    )
    page.locator("[data-term='pull']").focus()
    expect(page.locator("[data-arrow='quantization']")).to_have_class(
        "gsl-arrow gsl-line-quantization gsl-lit-arrow"
    )
    page.locator("[data-arrow='similarity'] .gsl-head").hover()
    expect(page.locator("[data-term='g']")).to_have_class(
        "gsl-term gsl-line-similarity gsl-lit-term"
    )
