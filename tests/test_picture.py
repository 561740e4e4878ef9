"""Pictures that Python draws: the page keeps them, and gets the next ones before they are asked for."""

from __future__ import annotations

import asyncio
import gc
import json
from typing import Any

import ipywidgets as W
import pytest
from browser import browser, chromium_or_skip, patient_page, show_alone
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.style import new_figure
from gsl_tutorial.course.widgets import DrawingWithControls
from gsl_tutorial.course.widgets.picture import Picture, key_of
from gsl_tutorial.errors import InvalidInputError

VALUES = [[0], [3, 0.35, -1.0], [-0.0, 1e-3, 1 / 3, 12345.5], [True, 2], []]
STUB = """() => {
    const made = (values) => {
        const heard = {};
        return {
            get: (name) => values[name],
            on: (names, f) => names.split(" ").forEach((name) => (heard[name] ??= []).push(f)),
            off: () => {},
            tell(changes, event, ...told) {
                Object.assign(values, changes);
                (heard[event] ?? []).forEach((f) => f(...told));
            },
        };
    };
    const png = (letter) => new TextEncoder().encode(letter);
    window.png = png;
    window.controls = [made({ value: 1 }), made({ value: "b", index: 1 })];
    window.model = made({ key: "[1,1]", value: png("A"), alt: "A", controls: ["x", "y"] });
    model.widget_manager = { get_model: async (id) => controls["xy".indexOf(id)] };
    window.el = document.body.appendChild(document.createElement("div"));
    window.end = render({ model, el });
}"""


def test_a_key_is_what_the_page_writes() -> None:
    chromium_or_skip()
    with browser() as chromium:
        page = patient_page(chromium, width=300, height=300)
        show_alone(page)
        for values in VALUES:
            assert key_of(values) == page.evaluate("(values) => JSON.stringify(values)", values)


def test_the_page_shows_again_what_it_has_and_is_never_taken_back() -> None:
    chromium_or_skip()
    with browser() as chromium:
        page = patient_page(chromium, width=300, height=300)
        show_alone(page)
        page.add_script_tag(content=str(Picture._esm).replace("export default", "void"))
        page.evaluate(STUB)

        def seen() -> tuple[str, str]:
            source = "async () => (await fetch(document.querySelector('.gsl-drawing').src)).text()"
            return page.evaluate(source), page.locator(".gsl-drawing").get_attribute("alt") or ""

        def move(value: int) -> None:
            page.evaluate("(value) => controls[0].tell({ value }, 'change:value')", value)

        def tell(key: str, letter: str) -> None:
            page.evaluate(
                "([key, alt]) => model.tell({ key, alt, value: png(alt) }, 'change:told')",
                [key, letter],
            )

        assert seen() == ("A", "A")
        move(2)
        assert seen() == ("A", "A"), "what has not come yet leaves the picture"
        tell("[2,1]", "B")
        assert seen() == ("B", "B")
        move(1)
        assert seen() == ("A", "A"), "without asking"
        page.evaluate("model.tell({}, 'msg:custom', { key: '[3,1]', alt: 'C' }, [png('C')])")
        assert seen() == ("A", "A"), "not wanted yet"
        move(3)
        assert seen() == ("C", "C")
        tell("[1,1]", "A")
        assert seen() == ("C", "C"), "an answer that comes late"
        page.evaluate("controls[1].tell({ index: 0 }, 'change:index')")
        tell("[3,0]", "D")
        assert seen() == ("D", "D")
        for number in range(150):  # no more are kept than Python keeps
            tell(f"[{number},0]", "E")
        move(149)
        assert seen() == ("E", "E")
        page.evaluate("end()")


def drawing(drawn: list[tuple[int, str]]) -> DrawingWithControls:
    def draw(now: int, way: str) -> Figure:
        if now == 4:
            raise InvalidInputError("another", "4", "move on")
        drawn.append((now, way))
        return new_figure(1, 1)

    controls = {
        "now": W.IntSlider(value=1, min=0, max=9),
        "way": W.Dropdown(options=[("first", "a"), ("second", "b"), ("third", "c")]),
    }
    return DrawingWithControls(draw, controls, alt=lambda now, way: f"{now} {way}")


def foreseen(moves: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> tuple[Any, list[Any]]:
    drawn: list[tuple[int, str]] = []
    sent: list[Any] = []
    one = drawing(drawn)
    monkeypatch.setattr(
        Picture, "send", lambda _, content, buffers=None: sent.append((content, buffers))
    )

    async def play() -> None:
        for name, value in moves.items():
            one._controls[name].value = value
        while one._next is not None and not one._next.cancelled():
            waiting = one._next
            await asyncio.sleep(0.03)
            if one._next is waiting:  # nothing was left to draw
                break

    asyncio.run(play())
    return drawn, sent


def test_pictures_some_steps_further_come_before_they_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn, sent = foreseen({"now": 6}, monkeypatch)
    assert drawn == [(1, "a"), (6, "a"), (7, "a"), (8, "a"), (5, "a"), (9, "a")]
    assert [json.loads(content["key"]) for content, _ in sent] == [[7, 0], [8, 0], [5, 0], [9, 0]]
    assert [content["alt"] for content, _ in sent] == ["7 a", "8 a", "5 a", "9 a"]
    assert all(buffers[0].startswith(b"\x89PNG") for _, buffers in sent)


def test_only_for_where_the_reader_is_and_never_past_an_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn, sent = foreseen({"now": 3, "way": "c"}, monkeypatch)
    assert drawn == [(1, "a"), (3, "a"), (3, "c"), (3, "b")], "what was wanted before is forgotten"
    assert [content["key"] for content, _ in sent] == ["[3,1]"]


def test_what_cannot_be_drawn_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, sent = foreseen({"now": 3}, monkeypatch)
    assert drawn == [(1, "a"), *((now, "a") for now in (3, 5, 2, 6, 7, 8, 9))]
    assert len(sent) == 6


def test_from_an_end_the_only_way_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, _ = foreseen({"now": 9}, monkeypatch)
    assert drawn[2:] == [(8, "a"), (7, "a"), (6, "a"), (5, "a"), (3, "a")]


def test_drawing_leaves_the_garbage_collector_as_it_was() -> None:
    one = drawing([])
    for enabled in (False, True):
        (gc.enable if enabled else gc.disable)()
        one._picture({"now": 5 + enabled, "way": "a"})
        assert gc.isenabled() is enabled
        with pytest.raises(InvalidInputError):
            one._picture({"now": 4, "way": "a"})
        assert gc.isenabled() is enabled


def test_without_a_loop_nothing_is_foreseen() -> None:
    drawn: list[tuple[int, str]] = []
    one = drawing(drawn)
    one._controls["now"].value = 6
    assert drawn == [(1, "a"), (6, "a")]
    assert one._image.key == "[6,0]"
