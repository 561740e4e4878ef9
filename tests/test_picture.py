"""Pictures that Python draws: the page keeps them, and gets the next ones before they are asked for."""

from __future__ import annotations

import asyncio
import gc
import io
import json
from collections.abc import Iterator
from typing import Any

import ipywidgets as W
import numpy as np
import pytest
from browser import browser, chromium_or_skip, patient_page, show_alone
from matplotlib.figure import Figure
from PIL import Image

from gsl_tutorial.course.plots.style import new_figure, quick_png
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


def drawing(drawn: list[tuple[int, str]], **options: Any) -> DrawingWithControls:
    def draw(now: int, way: str) -> Figure:
        if now == 4:
            raise InvalidInputError("another", "4", "move on")
        drawn.append((now, way))
        return new_figure(1, 1)

    controls = {
        "now": W.IntSlider(value=1, min=0, max=9),
        "way": W.Dropdown(options=[("first", "a"), ("second", "b"), ("third", "c")]),
    }
    return DrawingWithControls(draw, controls, alt=lambda now, way: f"{now} {way}", **options)


def foreseen(
    moves: dict[str, Any], monkeypatch: pytest.MonkeyPatch, **options: Any
) -> tuple[Any, list[Any]]:
    drawn: list[tuple[int, str]] = []
    sent: list[Any] = []
    one = drawing(drawn, **options)
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


def test_the_dear_part_is_prepared_in_pieces_as_far_as_the_control_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[tuple[int, int]] = []

    def prepare(now: int, way: str) -> Iterator[None]:
        for piece in range(2):
            if (now, piece) not in done:
                done.append((now, piece))
                yield
        if now == 9:
            raise InvalidInputError("another", "9", "move on")

    drawn, _ = foreseen({"now": 0}, monkeypatch, prepare=prepare)
    assert [now for now, _ in drawn] == [1, 0, 2, 3, 5, 6], "4 cannot be drawn"
    assert {now for now, _ in done} == set(range(2, 10)), "7 to 9 as well, which were not drawn"
    assert len(done) == len(set(done)), "each piece once"


@pytest.mark.parametrize("size", [(1, 1), (0.02, 3), (2.51, 0.77)])
def test_a_quick_file_holds_the_pixels_of_the_slow_one(size: tuple[float, float]) -> None:
    def figure() -> Figure:
        made = new_figure(*size, layout="none")
        made.add_axes((0, 0, 1, 1)).imshow(np.random.default_rng(0).random((9, 7, 3)))
        made.text(0.1, 0.5, "q(z)", color="red")
        return made

    with io.BytesIO() as slow:
        figure().savefig(slow, format="png", dpi=90)
        wanted = np.asarray(Image.open(slow).convert("RGB"))
    read = Image.open(io.BytesIO(quick_png(figure())))
    assert read.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(read), wanted)
    read = Image.open(io.BytesIO(quick_png(figure())))
    read.verify()  # the checksums, too


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
