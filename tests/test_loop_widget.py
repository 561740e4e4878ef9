"""The widget of the feedback loop: what it tells, what it refuses, and that the page follows the hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import browser, chromium_or_skip
from page_widgets import loop_record
from playwright.sync_api import expect

from gsl_tutorial.course.plots.loop import ARM_LOOKS, draw_loop_log, draw_rounds, draw_scaling
from gsl_tutorial.course.plots.style import png
from gsl_tutorial.course.two_tower.loop import LOOP_ARMS
from gsl_tutorial.course.two_tower.loop_report import Series
from gsl_tutorial.course.widgets import FeedbackLoop
from gsl_tutorial.errors import DataMissingError, InvalidInputError

RECORDS = [loop_record("oracle"), loop_record("uniform"), loop_record("text")]
CELLS = {1: 0, 2: 1, 3: 2, 7: 0, 9: 1}


def widget(**settings: Any) -> FeedbackLoop:
    return FeedbackLoop(RECORDS, CELLS, {2: "Film <two>"}, **settings)


def test_it_says_what_it_shows_and_draws_a_still() -> None:
    one = widget(arm=1, round=2)
    assert one.lists[1][0][1] == [["Film <two>", 1, 1], ["film 7", 0, 0], ["film 9", 1, 0]]
    assert "Negatives uniform, round 2 of 3" in one.alt
    assert "from 2 true cells for user 1, who clicks 1" in one.alt
    assert png(one.still())
    one.arm, one.round = 0, 3
    assert "oracle, round 3" in one.alt
    assert png(one.still())
    html = one.to_html()
    assert "Film <two>" not in html.split("<script>")[0].split("</script>")[0]
    told = json.loads(re.search(r'application/json">(.*?)</script>', html, re.S).group(1))  # type: ignore[union-attr]
    assert told["state"]["round"] == 3
    assert told["controls"] == []


def test_what_it_cannot_show_is_refused() -> None:
    with pytest.raises(DataMissingError, match="users were watched"):
        FeedbackLoop([{**RECORDS[0], "watched": []}], CELLS)
    with pytest.raises(DataMissingError, match="0 records"):
        FeedbackLoop([], CELLS)
    with pytest.raises(InvalidInputError, match="round"):
        widget(round=4)
    one = widget()
    one.arm = 9
    assert "arm" in repr(one)
    assert "<img" not in one._repr_mimebundle_()[0]["text/html"]


def test_every_arm_has_a_look_of_its_own() -> None:
    assert set(ARM_LOOKS) == set(LOOP_ARMS)
    assert len(set(ARM_LOOKS.values())) == len(LOOP_ARMS)
    rng = np.random.default_rng(0)
    by_arm = {arm: Series(arm, rng.random((3, 4)), (0, 1, 2)) for arm in LOOP_ARMS}
    assert png(draw_rounds({"gini": by_arm, "recall": by_arm, "head": by_arm}, list(LOOP_ARMS)))
    assert (by_arm["text"].half_width > 0).all()
    assert not Series("text", np.ones((1, 4)), (0,)).half_width.any()
    assert png(draw_scaling([10, 1000], {"a": [1.0, 2.0], "b": [3.0, 400.0]}))
    assert png(draw_loop_log(np.array([1, 0.5]), np.array([1, 0.4]), np.array([1, 0.3])))


def test_the_page_lives_without_a_kernel(tmp_path: Path) -> None:
    chromium_or_skip()
    path = tmp_path / "loop.html"
    path.write_text(f"<!doctype html><meta charset='utf-8'><body>{widget(arm=1).to_html()}")
    with browser() as chromium:
        page = chromium.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path.as_uri())
        items = page.locator(".gsl-loop-list li")
        expect(items).to_have_count(3)
        expect(items.first).to_contain_text("film 1")
        slider = page.locator("input[type=range]")
        slider.focus()
        page.keyboard.press("ArrowRight")
        expect(items.first).to_contain_text("Film <two>")
        expect(items.first).to_contain_text("clicked")
        expect(page.locator("[data-read=round]")).to_have_text("2 of 3")
        expect(page.locator("[data-read=sentence]")).to_contain_text("Gini coefficient is 0.20")
        page.locator("[data-choose=arm]").select_option("text")
        expect(page.locator(".gsl-loop-says")).to_contain_text("same text cluster")
        page.get_by_role("button", name="Play").click()
        expect(page.locator("[data-read=round]")).to_have_text("3 of 3")
        expect(page.get_by_role("button", name="Play")).to_be_visible()
        page.locator("[data-choose=user]").select_option("user 2")
        expect(page.locator("figcaption").first).to_contain_text("user 2")
        assert errors == []
