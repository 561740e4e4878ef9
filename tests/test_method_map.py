"""Chapter 07's map in the page: its numbers are Python's, bets come before answers, bad input is told."""

import json
from collections.abc import Iterator
from typing import Any

import map_cases
import pytest
from browser import browser, patient_page, show_alone, until
from playwright.sync_api import Page, expect
from widget_cases import alt_of

from gsl_tutorial.course.study.map_file import parse_map
from gsl_tutorial.course.study.map_words import answer, when_it_matters
from gsl_tutorial.course.widgets import MethodMap
from gsl_tutorial.course.widgets.method_map import RIVALS, SCRIPT, STYLE
from gsl_tutorial.errors import InvalidInputError, UnknownNameError

TABLE = parse_map(map_cases.found())


@pytest.fixture(scope="module")
def opened() -> Iterator[Page]:
    with browser() as chromium:
        page = patient_page(chromium, width=1000, height=900, has_touch=True)
        page.context.set_offline(True)
        yield page


def alive(page: Page, the_map: MethodMap) -> None:
    page.mouse.move(0, 0)  # a row under the pointer would be chosen
    show_alone(page, the_map.to_html())


def tile(page: Page, cell: str) -> Any:
    return page.locator(f"[data-cell='{cell}']")


def agrees(page: Page, the_map: MethodMap) -> None:
    """Wait until the page says of the chosen method and cell what Python says."""

    def look() -> None:
        out = the_map.read_out()
        assert page.locator("[data-read='sentence']").inner_text() == out.sentence
        row = page.locator(f"[data-method='{the_map.method}']")
        assert row.get_attribute("aria-checked") == "true"
        assert row.locator(".gsl-map-number").first.inner_text() == out.mean
        told = page.locator("[data-against]")
        seen = {
            one.get_attribute("data-against"): one.inner_text() for one in told.element_handles()
        }
        assert seen == out.against
        assert tile(page, the_map.cell).get_attribute("aria-checked") == "true"

    until(page, look)


def test_every_cell_and_method_says_what_python_says(opened: Page, problems: list[str]) -> None:
    the_map = MethodMap(TABLE, whole=True)
    alive(opened, the_map)
    for cell in ("2x4", "4x16", "2x8"):
        tile(opened, cell).click()
        the_map.cell = cell
        for method in ("snap-pull", "none", "pull-relative"):
            opened.locator(f"[data-method='{method}']").click()
            the_map.method = method
            agrees(opened, the_map)
            expect(opened.locator("[data-read='answer']")).to_have_text(the_map.read_out().answer)
    assert problems == []


def test_a_validation_trial_never_stands_among_results_on_test_images(opened: Page) -> None:
    the_map = MethodMap(TABLE, cell="2x4", method="pull-relative", whole=True)
    assert TABLE.cell("2x4").state == "tested"
    assert TABLE.cell("2x4").findings["pull-relative"].trial is not None
    out = the_map.read_out()
    assert out.mean == "–"
    assert "validation images" in out.sentence
    assert "no test images" in out.sentence
    alive(opened, the_map)
    agrees(opened, the_map)
    row = opened.locator("[data-method='pull-relative']")
    expect(row.locator("g[visibility='hidden']")).to_have_count(1)


def test_a_tile_shows_the_difference_of_whom_is_asked(opened: Page) -> None:
    alive(opened, MethodMap(TABLE, whole=True))
    for rival in RIVALS:
        opened.locator("select").nth(1).select_option(rival)
        opened.locator("select").nth(0).select_option("ste")
        for cell in TABLE.cells:
            gain = cell.gain("ste", rival)
            sign = "no interval" if cell.state == "tuned" else "not yet run"
            if rival == "ste" and cell.state != "not yet run":
                sign = "itself"
            wanted = sign if gain is None else f"{gain.difference:+.3f}"
            expect(tile(opened, cell.name).locator(".gsl-map-found")).to_contain_text(wanted)


def test_a_cell_keeps_its_answer_until_the_bet(opened: Page, problems: list[str]) -> None:
    the_map = MethodMap(TABLE)
    assert the_map.cell == "4x16"  # where snapping loses
    alive(opened, the_map)
    answer, numbers = opened.locator("[data-read='answer']"), opened.locator("[data-method='ste']")
    expect(answer).to_be_hidden()
    expect(numbers).to_be_hidden()
    expect(tile(opened, "4x16")).to_contain_text("?")
    expect(tile(opened, "2x4")).to_contain_text("?")
    opened.get_by_role("button", name="snapping wins").tap()
    expect(answer).to_have_text(f"Not quite. {the_map.read_out().answer}")
    expect(numbers).to_be_visible()
    agrees(opened, the_map)
    expect(tile(opened, "4x16")).to_contain_text("▼ -0.012")
    expect(tile(opened, "2x4")).to_contain_text("?")
    opened.get_by_role("button", name="the penalty wins").click()  # too late
    expect(answer).to_contain_text("Not quite.")
    expect(opened.locator("[data-read='score']")).to_have_text("Bets: 0 of 1 right.")
    tile(opened, "2x4").tap()
    expect(answer).to_be_hidden()
    opened.get_by_role("button", name="snapping wins").click()
    expect(answer).to_contain_text("You were right.")
    expect(opened.locator("[data-read='score']")).to_have_text("Bets: 1 of 2 right.")
    tile(opened, "2x8").click()
    opened.get_by_role("button", name="no clear difference").click()
    expect(answer).to_contain_text("Your bet stays open. Not decided yet")
    tile(opened, "8x16").click()
    expect(opened.get_by_role("group", name="Your bet")).to_be_hidden()
    expect(answer).to_contain_text("not been run")
    opened.get_by_role("button", name="Reset").click()
    tile(opened, "4x16").click()
    expect(answer).to_be_hidden()
    assert problems == []


def test_the_keyboard_walks_tiles_and_methods(opened: Page) -> None:
    the_map = MethodMap(TABLE, cell="2x4", whole=True)
    alive(opened, the_map)
    assert opened.locator("[data-cell][tabindex='0']").count() == 1
    assert opened.locator("[data-method][tabindex='0']").count() == 1
    tile(opened, "2x4").focus()
    for key, cell in (("ArrowRight", "2x8"), ("ArrowRight", "2x16"), ("ArrowUp", "1x16"),
                      ("ArrowRight", "1x256"), ("Home", "1x16"), ("End", "8x16"),
                      ("ArrowUp", "4x16"), ("ArrowLeft", "4x4")):  # fmt: skip
        opened.keyboard.press(key)
        expect(tile(opened, cell)).to_have_attribute("aria-checked", "true")
        expect(tile(opened, cell)).to_be_focused()
    the_map.cell = "4x4"
    opened.locator("[data-method='snap-pull']").focus()
    for key, method in (("ArrowDown", "ste"), ("Home", "none"), ("ArrowUp", "none"),
                        ("End", "snap-replace")):  # fmt: skip
        opened.keyboard.press(key)
        the_map.method = method
        agrees(opened, the_map)
        expect(opened.locator(f"[data-method='{method}']")).to_be_focused()
    opened.get_by_role("button", name="1 × 256").or_(
        opened.locator(".gsl-map-go", has_text="2 × 16")
    ).last.focus()
    opened.keyboard.press("Enter")
    expect(tile(opened, "2x16")).to_have_attribute("aria-checked", "true")


def test_names_for_screen_readers_and_no_overflow_on_a_phone(opened: Page) -> None:
    alive(opened, MethodMap(TABLE, whole=True))
    expect(opened.get_by_role("region", name="The map: when does snapping matter?")).to_be_visible()
    named = opened.get_by_role("radio", name="2 × 4, 4 bits: snap (pull) less penalty +0.080")
    expect(named).to_have_count(1)
    expect(opened.get_by_role("radiogroup")).to_have_count(2)
    unnamed = (
        "(all) => all.filter((e) => !(e.ariaLabel || e.textContent || e.labels?.length)).length"
    )
    assert opened.locator("button, select").evaluate_all(unnamed) == 0
    opened.set_viewport_size({"width": 390, "height": 800})
    wide = "document.documentElement.scrollWidth <= 390"
    opened.wait_for_function(wide)
    opened.set_viewport_size({"width": 1000, "height": 900})


def test_a_link_brings_cell_and_bets_back(opened: Page) -> None:
    sent = MethodMap(TABLE, cell="2x4", rival="ste", bets="2x4=ties 4x16=wins")
    the_map = MethodMap(TABLE)
    the_map.open_link(sent.link)
    assert (the_map.cell, the_map.rival, the_map.bets) == ("2x4", "ste", sent.bets)
    with pytest.raises(InvalidInputError, match="What to do"):
        the_map.open_link("gsl1.map?cell=3x3")
    alive(opened, the_map)
    expect(opened.locator("[data-read='answer']")).to_contain_text("Not quite.")
    expect(opened.get_by_role("button", name="Copy link")).to_be_visible()


def test_an_empty_map_says_so(opened: Page, problems: list[str]) -> None:
    the_map = MethodMap(parse_map(map_cases.empty()))
    assert the_map.read_out().sentence.endswith("not yet run.")
    assert "Not decided yet" in the_map.alt
    alive(opened, the_map)
    expect(opened.locator(".gsl-map-unrun")).to_have_count(8)
    expect(opened.locator("[data-read='answer']")).to_contain_text("not been run")
    assert problems == []


BAD: list[tuple[dict[str, Any], str]] = [
    ({"found": []}, "a map with one cell or more"),
    ({"found": {"cells": []}}, "a map with one cell or more"),
    ({"found": None}, "a map with one cell or more"),
    ({"cell": "3x3"}, "a cell out of 2x4"),
    ({"method": "magic"}, "a method out of"),
    ({"rival": "magic"}, "a rival out of"),
    ({"bets": "2x4=maybe"}, "bets like 2x4=wins"),
    ({"bets": "9x9=wins"}, ""),
    ({"bets": "nonsense"}, "bets like 2x4=wins"),
]


@pytest.mark.parametrize(("wrong", "words"), BAD, ids=lambda value: str(value)[:30])
def test_bad_input_is_said_in_the_widget_and_refused_by_the_constructor(
    opened: Page, wrong: dict[str, Any], words: str
) -> None:
    if "found" not in wrong:
        with pytest.raises((InvalidInputError, UnknownNameError), match="What to do"):
            MethodMap(TABLE, **wrong)
    the_map = MethodMap(TABLE)
    for name, value in wrong.items():
        setattr(the_map, name, value)
    assert "expected" in repr(the_map)
    assert "expected" in the_map._repr_mimebundle_()[0]["text/html"]
    state = {name: the_map.get_state(name)[name] for name in the_map.told}
    show_alone(opened)
    opened.add_script_tag(content=SCRIPT)
    opened.add_style_tag(content=STYLE)
    state = json.loads(json.dumps(state, allow_nan=False))
    opened.evaluate("(s) => renderMethodMap({ model: standIn(s), el: document.body })", state)
    expect(opened.locator(".gsl-message")).to_contain_text(words)
    expect(opened.locator(".gsl-message")).to_contain_text("What to do")


def test_a_map_of_nothing_is_refused() -> None:
    for wrong in (None, {}, map_cases.found()):
        with pytest.raises(InvalidInputError, match="pass read_map"):
            MethodMap(wrong)  # type: ignore[arg-type]


def test_the_still_and_its_words_hold_the_whole_map() -> None:
    told = "Snap (pull) beats the best-tuned penalty in 2 of 5 cells"
    assert told in alt_of(MethodMap(TABLE, whole=True))
    texts = [text.get_text() for text in MethodMap(TABLE).still().axes[0].texts]
    for cell in TABLE.cells:
        gain = cell.gain()
        if gain is not None:
            assert any(f"{gain.difference:+.3f}" in text for text in texts)
    assert "not yet run" in texts


@pytest.mark.parametrize("bets", ["", "2x4=wins"])
def test_the_words_for_the_picture_keep_the_answer_until_all_is_asked_for(bets: str) -> None:
    the_map = MethodMap(TABLE, bets=bets)
    words = alt_of(the_map)
    assert "after your bet" in words
    assert all(sentence not in words for sentence in when_it_matters(TABLE))
    assert all(answer(cell) not in words for cell in TABLE.cells)
    gains = [gain for cell in TABLE.cells if (gain := cell.gain()) is not None]
    assert gains
    assert all(f"{gain.difference:+.3f}" not in words for gain in gains)
    the_map.whole = True
    assert " ".join(when_it_matters(TABLE)) in alt_of(the_map)
