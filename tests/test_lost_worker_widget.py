"""The widget of the lost worker: Python is the reference, and the page does the same sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from browser import browser, chromium_or_skip, patient_page, show_alone
from playwright.sync_api import expect

from gsl_tutorial.course.plots.style import png
from gsl_tutorial.course.widgets import LostWorker
from gsl_tutorial.course.widgets.lost_worker import SCRIPT
from gsl_tutorial.errors import InvalidInputError

RNG = np.random.default_rng(0)
# Whole numbers, so that there are ties.
DISTANCES = np.sort(RNG.integers(0, 9, size=(7, 3)), axis=1).astype(np.float32)
IDS = np.arange(21).reshape(7, 3)
TOOK = [30, 50, 40, 35, 45, 30, 60]


def widget(**settings: Any) -> LostWorker:
    return LostWorker(DISTANCES, IDS, TOOK, **settings)


def test_at_the_end_the_list_is_that_of_one_index() -> None:
    one = widget(time=10_000, lost=[[1, 60], [0, 90]])
    came, merged = one.merged()
    assert sorted(came) == list(range(7))
    order = np.lexsort((IDS.ravel(), DISTANCES.ravel()))[:3]
    assert [i for _, i in merged] == IDS.ravel()[order].tolist()
    assert "7 of 7 lists are merged, and 3 of the 3 nearest" in one.alt
    assert "Worker 0 is killed after 90 ms." in one.alt
    assert png(one.still())
    one.time = 0
    assert one.merged() == ([], [])
    assert png(one.still())
    again = widget()
    again.open_link(one.link)
    assert (again.time, again.lost) == (one.time, one.lost)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"workers": 1}, "workers"),
        ({"time": -1}, "time"),
        ({"lost": [[3, 10]]}, "from 0 to 2"),
        ({"lost": [[0, -1]]}, "from 0 to 2"),
        ({"lost": [[0]]}, "from 0 to 2"),
        ({"lost": [[0, 1], [1, 1], [2, 1]]}, "a worker that is left"),
    ],
)
def test_what_it_cannot_show_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        widget(**settings)
    one = widget()
    for name, value in settings.items():
        setattr(one, name, value)
    assert said in repr(one)
    with pytest.raises(InvalidInputError, match="for each shard"):
        LostWorker(DISTANCES, IDS, TOOK[:-1])


def test_the_page_does_the_same_sums_and_follows_the_hand() -> None:
    chromium_or_skip()
    cases = []
    for case in range(60):
        draw = np.random.default_rng(case)
        workers = int(draw.integers(2, 5))
        killed = draw.permutation(workers)[: draw.integers(0, workers)]
        cases.append(
            widget(
                workers=workers, notice=int(draw.integers(0, 50)), time=int(draw.integers(0, 300)),
                lost=[[int(w), int(draw.integers(0, 120))] for w in killed],
            )
        )  # fmt: skip
    states = [{name: getattr(one, name) for name in one.told} for one in cases]
    sums = """states => states.map(state => {
        const made = clusterAttempts(state), { came, merged } = clusterMerged(state, made);
        const rows = made.map(a => [a.worker, a.shard, a.began, a.ended, a.done]);
        return [rows, came, merged.map(m => m.slice(0, 2))];
    })"""
    with browser() as chromium:
        page = patient_page(chromium, width=360, height=800)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        show_alone(page)
        page.add_script_tag(content=SCRIPT)
        for one, (made, came, merged) in zip(cases, page.evaluate(sums, states), strict=True):
            ours = [[a.worker, a.shard, a.began, a.ended, a.done] for a in one.attempts()]
            assert made == ours
            assert [came, merged] == [list(part) for part in one.merged()]
        show_alone(page, widget(time=20).to_html())
        sentence = page.locator("[data-read=sentence]")
        expect(sentence).to_contain_text("After 20 ms: 0 of 7 lists")
        page.locator("[data-kill='1']").focus()
        page.keyboard.press("Enter")
        expect(sentence).to_contain_text("has not noticed yet that shard 1 is lost")
        expect(page.locator("[data-kill='1']")).to_be_disabled()
        expect(page.locator("rect[data-shard='1']")).to_have_class("gsl-cluster-lost")
        page.locator("input[type=range]").focus()
        page.keyboard.press("End")
        whole = widget(time=10**6, lost=[[1, 20]])
        expect(page.locator(".gsl-cluster-list li")).to_have_count(3)
        for row, (_, number) in enumerate(whole.merged()[1]):
            expect(page.locator(".gsl-cluster-list li").nth(row)).to_contain_text(f"id {number},")
        expect(sentence).to_contain_text("7 of 7 lists are merged, and 3 of the 3")
        expect(sentence).to_contain_text("Shard 1 is handed out again")
        page.get_by_role("button", name="Start again").click()
        expect(sentence).to_contain_text("After 0 ms")
        page.get_by_role("button", name="Play").click()
        expect(sentence).to_contain_text("7 of 7 lists")
        wide = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert wide, "a phone scrolls sideways"
        assert errors == []
