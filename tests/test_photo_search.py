"""Chapter 00's search by four bytes: what it finds is what the package finds, and the tiles answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser import browser, patient_page, show_alone
from playwright.sync_api import Page, expect

from gsl_tutorial import ProductQuantizer
from gsl_tutorial.course.results.saved_runs import DATA
from gsl_tutorial.course.widgets import PhotoSearch
from gsl_tutorial.errors import DataMissingError, InvalidInputError
from gsl_tutorial.storage import load_arrays

RUN = DATA / "cifar10-p2-32bit"


@pytest.fixture(scope="module")
def search() -> PhotoSearch:
    return PhotoSearch(pictures=False)


def test_it_finds_what_the_package_finds(search: PhotoSearch) -> None:
    books = load_arrays(RUN / "model.safetensors")[0]["codebooks"]
    arrays = load_arrays(RUN / "embeddings.safetensors")[0]
    pq = ProductQuantizer(4, 256).with_arrays({"codebooks": books})
    rng = np.random.default_rng(9)
    rows = [rng.choice(np.flatnonzero(arrays["query.labels"] == c)) for c in range(10)]
    z = arrays["query.z"][rows].astype(np.float32)
    distances = pq.distances(z, arrays["database.codes"])
    for query, code, one in zip(search.queries, pq.encode(z), distances, strict=False):
        assert query["code"] == code.tolist()
        nearest = []
        for row in one.argsort(kind="stable"):
            other = arrays["database.codes"][row].tolist()
            nearest += [] if other in nearest else [other]
            if len(nearest) == 10:
                break
        assert [item["code"] for item in query["found"]] == nearest


def test_every_class_is_asked_for_and_signs_stand_in(search: PhotoSearch) -> None:
    names = [query["name"] for query in search.queries]
    assert sorted(names[:10]) == sorted(search.signs)
    assert max(search.right[10:]) <= min(search.right[:10])  # the worst of a hundred
    assert not search.has_pictures
    assert {item["picture"] for query in search.queries for item in query["found"]} == {""}
    for query, right in zip(search.queries, search.right, strict=True):
        assert right == sum(item["name"] == query["name"] for item in query["found"])
        assert f"{query['name']} {right}" in search.described()


def test_what_is_faulty_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match="whole checkout"):
        PhotoSearch(tmp_path)
    search = PhotoSearch(pictures=False)
    search.chosen = 12
    with pytest.raises(InvalidInputError, match="a query from 0 to 11"):
        search.check()


@pytest.fixture(scope="module")
def page(search: PhotoSearch) -> Iterator[Page]:
    with browser() as opened:
        page = patient_page(opened, width=1000, height=700)
        show_alone(page, search.to_html())
        page.wait_for_selector(".gsl-results li")
        yield page


def test_a_click_and_an_arrow_key_choose(page: Page, search: PhotoSearch) -> None:
    for number, act in (
        (5, lambda: page.get_by_role("radio").nth(5).click()),
        (6, lambda: page.keyboard.press("ArrowRight")),
    ):
        act()
        told, query = page.locator("[data-read='found']"), search.queries[number]
        expect(told).to_have_attribute("data-value", str(number))
        expect(told).to_contain_text(f"{search.right[number]} of the 10")
        expect(page.get_by_role("radio").nth(number)).to_have_attribute("aria-checked", "true")
        codes = page.locator(".gsl-results .gsl-bytes").all_inner_texts()
        assert [[int(one) for one in code.split()] for code in codes] == [
            item["code"] for item in query["found"]
        ]
