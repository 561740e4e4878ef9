"""Chapter 09's photograph of four bytes: the page finds what Python finds, by mouse, touch and keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from browser import browser, patient_page, show_alone, until
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

from gsl_tutorial import ProductQuantizer
from gsl_tutorial.course.results.saved_runs import DATA
from gsl_tutorial.course.widgets import FourBytes
from gsl_tutorial.course.widgets.photo_data import sheet_address
from gsl_tutorial.errors import InvalidInputError
from gsl_tutorial.storage import load_arrays

RUN = DATA / "cifar10-p2-32bit"
CODES = st.lists(st.integers(0, 255), min_size=4, max_size=4)


@pytest.fixture(scope="module")
def made() -> FourBytes:
    return FourBytes(pictures=False)


def at(made: FourBytes, query: int, after: bool, code: Any = None) -> FourBytes:
    made.query, made.after, made.code = query, after, code
    return made


# ---- in Python ----


@pytest.mark.parametrize("after", [False, True])
def test_it_finds_what_the_package_finds(made: FourBytes, after: bool) -> None:
    arrays = load_arrays(RUN / "embeddings.safetensors")[0]
    books = load_arrays(RUN / "model.safetensors")[0]["codebooks"]
    if not after:
        books = arrays["before.quantizer.codebooks"]
    codes = arrays["database.codes" if after else "before.codes"][made.rows]
    pq = ProductQuantizer(4, 256).with_arrays({"codebooks": books})
    for query in range(10):
        out = at(made, query, after).read_out()
        z = np.array(made.data["spaces"]["after" if after else "before"]["z"][query], np.float32)
        true = pq.distances(z[None], codes)[0]
        # The page gets codewords in two bytes a number: hence not to the last digit.
        np.testing.assert_allclose(np.sort(true)[:10], out.distances, atol=2e-4)
        np.testing.assert_allclose(true[list(out.items)], out.distances, atol=2e-4)
        assert out.code == tuple(pq.encode(z[None])[0])
        labels = arrays["database.labels"][made.rows[list(out.items)]]
        assert out.right == tuple(labels == query)
        # By hand the same code finds what the reconstruction finds.
        hand = at(made, query, after, list(out.code)).read_out()
        rebuilt = pq.distances(pq.decode(np.array([out.code], np.uint8)), codes)[0]
        np.testing.assert_allclose(np.sort(rebuilt)[:10], hand.distances, atol=2e-4)
    at(made, 0, True)


@given(query=st.integers(0, 9), after=st.booleans(), code=CODES)
def test_distances_rise_and_the_parts_are_the_squared_error(
    made: FourBytes, query: int, after: bool, code: list[int]
) -> None:
    own = at(made, query, after).read_out()
    out = at(made, query, after, code).read_out()
    assert list(out.distances) == sorted(out.distances)
    assert len(set(out.items)) == 10
    assert sum(own.parts) <= sum(out.parts) + 1e-12, "no code by hand is nearer than the own one"
    at(made, 0, True)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"query": 10}, "query"),
        ({"code": [1, 2, 3]}, "a code of 4 whole numbers"),
        ({"code": [1, 2, 3, 256]}, "a byte of the code"),
        ({"code": "abcd"}, "a code of 4 whole numbers"),
        ({"n_each": 0}, "n_each"),
    ],
)
def test_what_is_faulty_is_told(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        FourBytes(pictures=False, **wrong)


def test_another_run_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="4 codebooks of 256"):
        FourBytes(DATA / "cifar10-p2-16bit", pictures=False)


def test_a_sheet_holds_photographs_row_by_row() -> None:
    address = sheet_address(np.zeros((41, 32, 32, 3), np.uint8))
    assert address.startswith("data:image/jpeg;base64,")


# ---- in the page ----


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    with browser() as chromium:
        yield chromium


@pytest.fixture(scope="module")
def page(opened: Any, made: FourBytes) -> Iterator[Page]:
    page = patient_page(opened, width=1000, height=1200)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text))
    page.on("request", lambda one: one.url.startswith("data:") or problems.append(one.url))
    show_alone(page, at(made, 0, True).to_html())
    page.wait_for_selector(".gsl-results li")
    yield page
    assert problems == []


def agrees(page: Page, made: FourBytes) -> None:
    """The page shows what Python reads out."""
    out = made.read_out()
    found = page.locator(".gsl-results li")

    def numbers(selector: str, name: str) -> list[float]:
        each = f"all => all.map((one) => Number(one.dataset.{name}))"
        seen: list[float] = page.locator(selector).evaluate_all(each)
        return seen

    def look() -> None:
        fields = page.locator("[data-byte]").evaluate_all("all => all.map((one) => one.value)")
        assert fields == [str(k) for k in out.code]
        assert numbers("[data-entry]", "value") == pytest.approx(out.parts, abs=1e-9)
        assert numbers("[data-read='sum']", "value") == pytest.approx([sum(out.parts)], abs=1e-9)
        assert numbers(".gsl-results li", "item") == list(out.items)
        assert numbers(".gsl-results li", "distance") == pytest.approx(out.distances, abs=1e-9)
        marks = found.evaluate_all("all => all.map((one) => one.matches('.gsl-right'))")
        assert marks == list(out.right)

    until(page, look)
    expect(page.locator("[data-read='found']")).to_contain_text(f"{sum(out.right)} of the 10")


def test_many_codes_find_in_the_page_what_they_find_in_python(page: Page, made: FourBytes) -> None:
    rng = np.random.default_rng(0)
    for turn in range(24):
        query, after = int(rng.integers(10)), bool(turn % 2)
        code = None if turn < 6 else rng.integers(0, 256, 4).tolist()
        at(made, query, after, code)
        page.evaluate("(link) => (location.hash = link)", made.link)
        agrees(page, made)


def test_mouse_and_keyboard_change_a_byte(page: Page, made: FourBytes) -> None:
    page.get_by_role("button", name="Reset").click()
    agrees(page, at(made, 0, True))
    own = list(made.read_out().code)

    page.get_by_label("byte 2", exact=True).fill("17")
    page.keyboard.press("Enter")
    agrees(page, at(made, 0, True, [own[0], 17, *own[2:]]))
    expect(page.locator("[data-read='found']")).to_contain_text("your code")

    page.locator("[data-walk='2']").focus()
    page.keyboard.press("End")
    expect(page.locator("[data-byte]").nth(2)).not_to_have_value(str(own[2]))
    code = [
        int(k) for k in page.locator("[data-byte]").evaluate_all("all => all.map((a) => a.value)")
    ]
    assert code[2] != own[2]
    agrees(page, at(made, 0, True, code))
    farthest = made.read_out().parts[2]
    for k in range(256):
        assert at(made, 0, True, [*code[:2], k, code[3]]).read_out().parts[2] <= farthest

    page.get_by_label("byte 1", exact=True).fill("300")
    page.keyboard.press("Enter")
    expect(page.get_by_label("byte 1", exact=True)).to_have_value(str(own[0]))  # not taken

    page.get_by_role("button", name="Its own code again").click()
    agrees(page, at(made, 0, True))
    page.get_by_role("radio").nth(4).click()
    agrees(page, at(made, 4, True))
    page.get_by_role("button", name="before joint training").click()
    agrees(page, at(made, 4, False))
    page.get_by_role("radio").nth(4).focus()
    page.keyboard.press("ArrowRight")
    agrees(page, at(made, 5, False))


def test_a_damaged_link_is_a_sentence_and_changes_nothing(page: Page, made: FourBytes) -> None:
    page.get_by_role("button", name="Reset").click()
    link = at(made, 0, True).link
    page.wait_for_function("(link) => location.hash === `#${link}`", arg=link)
    for bad, said in (
        ("gsl1.bytes?query=0&after=true&code=1,2,3,400,", "4 whole numbers from 0 to 255"),
        ("gsl1.bytes?query=44", "a query from 0 to 9"),
        ("gsl2.bytes?query=0", "version 1"),
    ):
        page.evaluate("(link) => (location.hash = link)", bad)
        expect(page.get_by_role("alert")).to_contain_text(said)
        agrees(page, at(made, 0, True))
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_finger_on_a_small_screen(opened: Any, made: FourBytes) -> None:
    page = patient_page(opened, width=390, height=900, has_touch=True)
    show_alone(page, at(made, 0, True).to_html())
    page.wait_for_selector(".gsl-results li")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    walk = page.locator("[data-walk='0']")
    before = page.locator("[data-byte='0']").input_value()
    walk.scroll_into_view_if_needed()
    box = walk.bounding_box()
    assert box is not None
    walk.tap(position={"x": box["width"] * 0.7, "y": box["height"] / 2})
    expect(page.locator("[data-byte='0']")).not_to_have_value(before)
    code = [
        int(k) for k in page.locator("[data-byte]").evaluate_all("all => all.map((a) => a.value)")
    ]
    agrees(page, at(made, 0, True, code))
    page.close()
    at(made, 0, True)
