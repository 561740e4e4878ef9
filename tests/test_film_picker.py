"""The map of films: what is drawn for each, what it refuses, and that the page follows mouse and keys."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from browser import browser, chromium_or_skip, patient_page, show_alone
from playwright.sync_api import expect

from gsl_tutorial.course.plots.style import png
from gsl_tutorial.course.two_tower.items import ItemTexts
from gsl_tutorial.course.two_tower.language import MissingTextError
from gsl_tutorial.course.widgets import FilmPicker
from gsl_tutorial.errors import InvalidInputError

RNG = np.random.default_rng(0)
CELLS = np.repeat(np.arange(4), 60)
VECTORS = 3 * RNG.normal(size=(4, 8))[CELLS] + RNG.normal(size=(240, 8))
TEXTS = ItemTexts(
    np.arange(1000, 1240), VECTORS.astype(np.float32), {"training": CELLS, "simulator": CELLS}, {}
)
TITLES = {1000: "Film <zero>", 1001: " ".join(["A very long title"] * 8)}


def widget(**settings: Any) -> FilmPicker:
    return FilmPicker(TEXTS, [0, 2, 3], TITLES, **settings)


def test_hard_ones_are_of_the_same_cell_and_easy_ones_of_others() -> None:
    one = widget(liked=1000)
    assert one.names[one.film] == "Film <zero>"
    assert set(one.cells) == {0, 2, 3}
    assert all(one.cells.count(cell) <= 41 for cell in (0, 2, 3))
    for film, cell in enumerate(one.cells):
        for drawn in one.hard[film]:
            assert film not in drawn
            assert len(set(drawn)) == 4
            assert {one.cells[i] for i in drawn} == {cell}
        for drawn in one.easy[film]:
            assert len(set(drawn)) == 4
            assert cell not in {one.cells[i] for i in drawn}


def test_what_a_search_recommends_is_what_a_slow_one_finds() -> None:
    one = widget()
    unit = VECTORS.astype(np.float32)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    for film in (0, 17, len(one.names) - 1):
        number = next(i for i in TEXTS.ids if TITLES.get(int(i), f"film {i}") == one.names[film])
        row = int(number) - 1000
        order = [i for i in np.argsort(-(unit @ unit[row])) if i != row][:4]
        assert one.near[film] == [TITLES.get(1000 + i, f"film {1000 + i}") for i in order]


def test_it_says_what_it_shows_and_draws_a_still() -> None:
    one = widget(liked=1000)
    assert "The positive, a star, is Film <zero>" in one.alt
    assert png(one.still())
    one.draw = 2
    assert all(one.names[i] in one.alt for i in one.hard[one.film][2])
    again = widget()
    again.open_link(one.link)
    assert (again.film, again.draw) == (one.film, 2)
    assert "film 1003" in FilmPicker(TEXTS, [0, 1], liked=1003).alt


def test_what_it_cannot_show_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="two cells"):
        FilmPicker(TEXTS, [3])
    with pytest.raises(MissingTextError):
        widget(liked=5)
    for name, value in (("film", 9999), ("film", -1), ("draw", 3)):
        one = widget()
        setattr(one, name, value)
        assert name in repr(one)
        assert "<img" not in one._repr_mimebundle_()[0]["text/html"]


def test_the_page_follows_mouse_and_keys() -> None:
    chromium_or_skip()
    one = widget(liked=1000)
    with browser() as chromium:
        page = patient_page(chromium, width=360, height=900)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        show_alone(page, one.to_html())
        liked = page.locator("[data-read=liked]")
        expect(liked).to_have_text("You liked Film <zero>.")
        lists = page.locator(".gsl-film-lists ul")

        def expect_film(film: int, draw: int = 0) -> None:
            expect(liked).to_have_text(f"You liked {one.names[film]}.")
            wanted = [one.names[i] for kind in (one.hard, one.easy) for i in kind[film][draw]]
            expect(lists.locator("li")).to_have_text([*wanted, *one.near[film]])

        expect_film(one.film)
        page.get_by_role("button", name="Draw again").click()
        expect_film(one.film, 1)
        page.get_by_role("button", name="next film").click()
        expect_film(one.film + 1)
        chart = page.locator(".gsl-film-map")
        box = chart.bounding_box()
        assert box is not None
        inside = (460 - 2 * 18) / 460
        x, y = one.places[30]
        page.mouse.click(
            box["x"] + box["width"] * (18 / 460 + inside * x),
            box["y"] + box["height"] * (1 - 18 / 460 - inside * y),
        )
        expect_film(30)
        chart.focus()
        right = [i for i, (a, b) in enumerate(one.places) if a - x > abs(b - y)]
        page.keyboard.press("ArrowRight")
        expect_film(
            min(right, key=lambda i: (one.places[i][0] - x) ** 2 + (one.places[i][1] - y) ** 2)
        )
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert errors == []
