"""Chapter 03's playground: its arithmetic is Python's; mouse, keyboard, links, files of all kinds."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import browser, patient_page, show_alone, until
from playwright.sync_api import Page, expect
from widget_cases import alt_of

from gsl_tutorial.course.toys import pq_search
from gsl_tutorial.course.widgets import QuantizationPlayground
from gsl_tutorial.course.widgets.quantization import (
    CODEWORDS,
    DATA,
    PRESETS,
    ROUNDS,
    SCRIPT,
    SUBSPACES,
)
from gsl_tutorial.errors import InvalidInputError, UnknownNameError
from gsl_tutorial.quantizers import ProductQuantizer

RNG = np.random.default_rng(3)
DATABASE, QUERIES = RNG.integers(0, 17, (60, 16)) / 16, RNG.integers(0, 17, (9, 16)) / 16
NAN = float("nan")


def playground(**options: Any) -> QuantizationPlayground:
    return QuantizationPlayground(DATABASE, QUERIES, **{"K": 8, "rounds": 2, **options})


@pytest.fixture(scope="module")
def opened() -> Iterator[Page]:
    with browser() as chromium:
        page = patient_page(chromium, width=1280, height=900)
        page.context.set_offline(True)
        yield page


@pytest.fixture
def page(opened: Page) -> Iterator[Page]:
    """A page that must not complain, and must ask nothing of the network."""
    found: list[str] = []
    told = {
        "pageerror": lambda error: found.append(str(error)),
        "console": lambda line: found.append(line.text),
        "request": lambda one: one.url.startswith(("data:", "file:")) or found.append(one.url),
    }
    for event, listener in told.items():
        opened.on(event, listener)
    yield opened
    for event, listener in told.items():
        opened.remove_listener(event, listener)
    assert found == []


def alive(page: Page, widget: QuantizationPlayground, folder: Path, link: str = "") -> None:
    """Open a page with the widget from a file, so that it has an address."""
    path = folder / "page.html"
    path.write_text(f"<!doctype html><meta charset=utf-8><body>{widget.to_html()}</body>", "utf-8")
    page.goto("about:blank")
    page.goto(path.as_uri() + (f"#{link}" if link else ""))


SEEN = """() => ({
    busy: document.querySelector("[data-busy]").dataset.busy,
    reads: Object.fromEntries([...document.querySelectorAll("[data-read][data-value]")]
        .map((e) => [e.dataset.read, +e.dataset.value])),
    code: [...document.querySelectorAll("[data-subspace]")].map((e) => +e.getAttribute("aria-valuenow")),
    found: Object.fromEntries([...document.querySelectorAll("[data-found]")].map((e) =>
        [e.dataset.found, [...e.querySelectorAll("button")].map((b) => +b.dataset.item)])),
})"""


def agrees(page: Page, twin: QuantizationPlayground) -> dict[str, Any]:
    """What the page says, as soon as it is what Python says."""
    out = twin.read_out()
    wanted = {
        "sum": out.total, "distortion": out.searched.distortion,
        "query_distortion": out.searched.query_distortion, "contrast": out.searched.contrast,
        "ADC": out.searched.recall["ADC"], "SDC": out.searched.recall["SDC"],
    }  # fmt: skip

    def look() -> dict[str, Any]:
        seen: dict[str, Any] = page.evaluate(SEEN)
        assert seen["busy"] == "false"
        assert tuple(seen["code"]) == out.code
        for name, value in wanted.items():
            assert seen["reads"][name] == pytest.approx(value, abs=1e-9), name
        for how, items in seen["found"].items():
            assert items == out.searched.found(how, twin.query, 8).tolist(), how
        return seen

    return until(page, look)


# ---- the reference ----


def test_the_reference_is_k_means_and_the_search_that_of_the_package() -> None:
    books = pq_search.learn(DATABASE, 4, 8, rounds=3, seed=1)
    package = ProductQuantizer(4, 8).with_codebooks(books)
    out = pq_search.search(DATABASE, QUERIES, books)
    np.testing.assert_array_equal(out.codes, package.encode(DATABASE.astype(np.float32)))
    np.testing.assert_allclose(
        out.distances["ADC"], package.distances(QUERIES, out.codes), atol=1e-5
    )
    symmetric = package.symmetric_distances(out.query_codes, out.codes)
    np.testing.assert_allclose(out.distances["SDC"], symmetric, atol=1e-5)
    assert out.distortion == pytest.approx(package.distortion(DATABASE), abs=1e-5)
    rounds = [
        pq_search.search(
            DATABASE, QUERIES, pq_search.learn(DATABASE, 2, 8, rounds=r, seed=0)
        ).distortion
        for r in range(6)
    ]
    assert (np.diff(rounds) <= 1e-12).all(), "no round may make it worse"
    assert rounds[-1] < rounds[0]


def test_random_numbers_have_no_neighbours_and_clusters_have() -> None:
    recalls = {}
    for kind in ("clusters", "random"):
        vectors = pq_search.made_vectors(kind, 0)
        books = pq_search.learn(vectors[:800], 4, 16, rounds=4, seed=0)
        out = pq_search.search(vectors[:800], vectors[800:], books)
        recalls[kind] = out.recall["ADC"], out.contrast
    assert recalls["random"][0] < 0.5 < recalls["clusters"][0]
    assert recalls["clusters"][1] < 0.4 < recalls["random"][1]


def test_the_page_computes_the_same(page: Page) -> None:
    show_alone(page)
    page.add_script_tag(content=SCRIPT)
    told = page.evaluate("[PQ_DATA, PQ_SUBSPACES, PQ_CODEWORDS, PQ_ROUNDS, PQ_NAMES, PQ_LINKED]")
    named = QuantizationPlayground.told
    assert told == [
        list(DATA),
        list(SUBSPACES),
        list(CODEWORDS),
        ROUNDS,
        list(named),
        list(named[2:]),
    ]
    for kind in ("clusters", "random"):
        for seed in (0, 7, 2**32 - 1):
            seen = page.evaluate("([k, s]) => [...pqMath.made(k, s).x]", [kind, seed])
            np.testing.assert_array_equal(seen, pq_search.made_vectors(kind, seed).ravel())
    learn = """([x, n, dim, M, K, rounds, seed]) => {
        const rows = (n) => ({ x: Float64Array.from(x.slice(0, n * dim)), n, dim });
        const set = { key: "", database: rows(n), queries: rows(2) };
        const work = pqWork();
        const result = work.ask({ set, M, K, rounds, seed });
        work.want([result]);
        while (!work.step(1e3));
        return {
            books: result.books.map((book) => [...book.c]),
            codes: result.assigned.map((one) => [...one.codes]), recall: result.recall };
    }"""
    for _ in range(40):
        M, d = int(RNG.integers(1, 5)), int(RNG.integers(1, 4))
        n, rounds, seed = (
            int(RNG.integers(4, 50)),
            int(RNG.integers(0, 5)),
            int(RNG.integers(0, 99)),
        )
        K = int(RNG.integers(1, n + 1))
        # Few different values: equal rows, equal distances and codewords that nobody uses.
        x = RNG.integers(0, int(RNG.integers(2, 9)), (n, M * d)) / 16
        seen = page.evaluate(learn, [x.ravel().tolist(), n, M * d, M, K, rounds, seed])
        books = pq_search.learn(x, M, K, rounds=rounds, seed=seed)
        np.testing.assert_allclose(seen["books"], books.reshape(M, -1), atol=1e-12)
        out = pq_search.search(x, x[:2], books)
        np.testing.assert_array_equal(np.transpose(seen["codes"]), out.codes)
        for how, value in out.recall.items():
            assert seen["recall"][how] == pytest.approx(value, abs=1e-9)


# ---- what a reader does ----


def test_sliders_codewords_items_and_reset_by_mouse_and_keyboard(
    page: Page, tmp_path: Path
) -> None:
    twin = playground()
    alive(page, twin, tmp_path)
    agrees(page, twin)
    steps: list[tuple[str, str, dict[str, Any]]] = [
        ("codewords (K)", "ArrowRight", {"n_codewords": 16}),
        ("subspaces (M)", "ArrowLeft", {"n_subspaces": 2}),
        ("rounds of k-means", "Home", {"rounds": 0}),
        ("query", "End", {"query": 8}),
        ("subspaces (M)", "End", {"n_subspaces": 16}),
        ("subspaces (M)", "ArrowLeft", {"n_subspaces": 8}),
    ]
    for label, key, changes in steps:
        page.get_by_label(label, exact=True).focus()
        page.keyboard.press(key)
        for name, value in changes.items():
            setattr(twin, name, value)
        agrees(page, twin)
    page.get_by_role("button", name="One round").click()
    twin.rounds = 1
    agrees(page, twin)
    page.get_by_role("button", name="Another start").click()
    twin.seed = 1
    code = agrees(page, twin)["code"]

    page.get_by_role("slider", name="codeword of subspace 3").focus()
    page.keyboard.press("ArrowRight" if code[2] < 15 else "ArrowLeft")
    code[2] += 1 if code[2] < 15 else -1
    twin.code = code
    agrees(page, twin)
    expect(page.locator(".gsl-sentence")).to_contain_text("Your code")
    page.keyboard.press("Home")
    twin.code = None
    agrees(page, twin)
    first = page.locator("[data-subspace='0'] .gsl-board").first
    first.click(position={"x": 4, "y": 4})
    twin.code = [0, *agrees_code(twin)[1:]]
    agrees(page, twin)
    page.locator("[data-found='ADC'] button").nth(2).click()
    twin.code, twin.item = None, int(twin.read_out().searched.found("ADC", twin.query)[2])
    agrees(page, twin)
    expect(page.locator(".gsl-sentence")).to_contain_text(f"Item {twin.item} has the code")
    page.get_by_role("button", name="Nearest codewords").click()
    twin.item = None
    agrees(page, twin)
    page.get_by_role("button", name="Reset").click()
    agrees(page, playground())


def agrees_code(twin: QuantizationPlayground) -> list[int]:
    twin.code = None
    return list(twin.read_out().code)


@pytest.mark.parametrize("data", ["clusters", "random"])
def test_made_vectors_and_why_recall_is_poor(page: Page, tmp_path: Path, data: str) -> None:
    twin = playground(rounds=1)
    alive(page, twin, tmp_path)
    page.get_by_label("Vectors", exact=True).select_option(data)
    twin.data = data
    agrees(page, twin)
    why = page.locator("[data-read='why']")
    if data == "random":
        expect(why).to_contain_text("hardly nearer than all the others")
    else:
        expect(why).to_have_text("")


def test_codebooks_of_4_and_8_bits_stand_side_by_side(page: Page, tmp_path: Path) -> None:
    twin = playground(data="clusters", rounds=1, K=16)
    alive(page, twin, tmp_path)
    page.get_by_label("4-bit and 8-bit codebooks side by side").check()
    database, queries = twin.sets()
    table = page.locator(".gsl-rivals tbody tr")
    for row, (M, K) in enumerate(((4, 16), (2, 256))):
        out = pq_search.search(database, queries, pq_search.learn(database, M, K, rounds=1, seed=0))
        cells = table.nth(row).locator("td")
        expect(cells.first).to_have_text(f"{4 if K == 16 else 8}-bit: {M} × {K}")
        expect(cells.nth(2)).to_have_text(f"{out.distortion:.2f}")
        expect(cells.nth(3)).to_have_text(f"{out.query_distortion:.2f}")
        expect(cells.nth(4)).to_have_text(f"{out.recall['ADC']:.2f}")
        expect(cells.nth(5)).to_have_text(str(M * K))


# ---- links ----


def test_a_link_brings_the_same_picture_and_the_address_follows(page: Page, tmp_path: Path) -> None:
    twin = playground(M=2, rounds=3, query=4, seed=5)
    twin.code = [1, 7]
    alive(page, playground(), tmp_path, twin.link + "&hide=search.presets")
    agrees(page, twin)
    expect(page.locator("[data-control='search']")).to_be_hidden()
    expect(page.locator(".gsl-presets")).to_be_hidden()
    page.get_by_label("query", exact=True).focus()
    page.keyboard.press("Home")
    twin.code, twin.query = None, 0
    agrees(page, twin)

    def address() -> str:
        text: str = page.evaluate("location.hash")
        other = playground()
        other.open_link(text)
        assert other.link == twin.link + "&hide=search.presets"
        return text

    text = until(page, address)
    page.reload()
    agrees(page, twin)
    other = playground()
    other.open_link(text)
    assert other.around["hide"] == ["search", "presets"]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_one_click_away_and_good(name: str) -> None:
    rows = RNG.random((300, 64))
    widget = QuantizationPlayground(rows[:280], rows[280:])
    widget.open_link(PRESETS[name])
    assert widget.link == PRESETS[name]


BAD_LINKS = {
    "gsl7.quantization?query=1": "a link of version 1",
    "gsl1.gradient?mode=run": "kind 'quantization'",
    "gsl1.quantization?query=99": "query as a whole number",
    "gsl1.quantization?n_subspaces=3": "M out of",
    "gsl1.quantization?query=text": "query",
    "gsl1.quantization?code=1,NaN,": "finite numbers in the lists",
    "gsl1.quantization?code=1,2,": "a code of 4",
    "gsl1.quantization?colour=red": "sets what this widget has",
    "gsl1.quantization?query": "name=value",
    "gsl1.quantization?data=own": "your own file",
    "hello": "begins with gsl1.quantization?",
}


@pytest.mark.parametrize("link", BAD_LINKS)
def test_a_damaged_or_future_link_is_a_sentence_and_changes_nothing(
    page: Page, tmp_path: Path, link: str
) -> None:
    twin = playground()
    alive(page, twin, tmp_path)
    agrees(page, twin)
    page.get_by_role("button", name="Copy link").click()
    field = page.locator(".gsl-link")
    field.fill(link)
    field.press("Enter")
    message = page.locator(".gsl-message")
    expect(message).to_contain_text(BAD_LINKS[link])
    expect(message).to_contain_text("What to do")
    agrees(page, twin)
    page.get_by_label("query", exact=True).focus()
    page.keyboard.press("ArrowRight")
    twin.query = 1
    agrees(page, twin)
    expect(message).to_be_hidden()
    if "own" not in link:
        before = twin.link
        with pytest.raises((InvalidInputError, UnknownNameError)):
            twin.open_link(link)
        assert twin.link == before


# ---- files of the reader's own ----


def files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Name -> a file, and what is said of it."""
    rows = RNG.normal(size=(90, 6)).round(3)
    made: dict[str, tuple[Path, str]] = {}

    def text(name: str, content: str, words: str) -> None:
        path = folder / f"{name}.csv"
        path.write_text(content)
        made[name] = path, words

    def npy(name: str, array: Any, words: str) -> None:
        path = folder / f"{name}.npy"
        np.save(path, array)
        made[name] = path, words

    body = "\n".join(",".join(map(str, row)) for row in rows.tolist())
    text("good", f"a,b,c,d,e,f\n{body}\n", "good.csv: 90 of its 90 rows are used")
    text("words", body.replace("0", "zero", 1), "expected numbers only")
    text("nan", f"{body}\n1,2,nan,4,5,6\n", "'nan' in row 91")
    text("ragged", f"{body}\n1,2,3\n", "6 numbers in every row")
    text("empty", "", "a table of at least 20 rows")
    text("short", "1,2\n3,4\n", "a table of at least 20 rows")
    text("million", "1,2\n3,4\n" * 500_000, "900 of its 1,000,000 rows are used")
    npy("float64", rows, "90 of its 90 rows")
    npy("int64", (10 * rows).astype(np.int64), "90 of its 90 rows")
    npy("infinite", np.where(rows > 1, np.inf, rows), "expected finite numbers")
    npy("cube", np.zeros((20, 3, 3)), "an NPY file of numbers with two axes")
    npy("wide", np.zeros((30, 2000), np.uint8), "20 rows and 2 to 1024 columns")
    npy("objects", np.array([[1, "a"]] * 30, dtype=object), "an NPY file of numbers with two axes")
    half = folder / "half.npy"
    half.write_bytes((folder / "float64.npy").read_bytes()[:600])
    made["half"] = half, "a file that ends too early"
    huge = folder / "huge.npy"
    with huge.open("wb") as opened:
        opened.truncate(200_000_000)  # takes no room on the disk
    made["huge"] = huge, "expected a file of at most 50 MB; got 200 MB"
    return made


def test_files_are_read_in_the_page_and_bad_ones_are_a_sentence(page: Page, tmp_path: Path) -> None:
    twin = playground()
    alive(page, twin, tmp_path)
    agrees(page, twin)
    note = page.locator(".gsl-note[role=status]")
    for name, (path, words) in files(tmp_path).items():
        page.get_by_label("Your own").set_input_files(path)
        expect(note).to_contain_text(words)
        expect(note).to_contain_text(path.name)
        if "used" not in words and "rows" not in words.split("of its")[-1]:
            expect(note).to_contain_text("What to do")
        until(page, lambda name=name: still_alive(page, name))
    page.get_by_label("Vectors", exact=True).select_option("given")
    twin.n_subspaces = int(
        page.get_by_label("subspaces (M)", exact=True).get_attribute("aria-valuetext") or 0
    )
    agrees(page, twin)


def still_alive(page: Page, name: str) -> None:
    seen = page.evaluate(SEEN)
    assert seen["busy"] == "false", name
    assert np.isfinite(seen["reads"]["sum"])


# ---- bad input from Python ----

BAD: list[tuple[dict[str, Any], str]] = [
    ({"M": 3}, "M out of 1, 2, 4, 8, 16"),
    ({"M": "four"}, "expected an int, not the str 'four'"),
    ({"K": 128}, "K out of 2, 4, 8, 16, 32"),
    ({"K": 5}, "K out of"),
    ({"rounds": 13}, "rounds"),
    ({"seed": -1}, "seed"),
    ({"query": 9}, "query"),
    ({"data": "mine"}, "data"),
    ({"database": [[NAN, 1.0]] * 20}, "NaN"),
    ({"database": "nonsense"}, "database"),
    ({"queries": np.zeros((3, 5))}, "queries"),
    ({"database": np.zeros((2000, 4)), "queries": np.zeros((3, 4))}, "number of vectors"),
]


@pytest.mark.parametrize(("wrong", "words"), BAD, ids=lambda value: str(value)[:30])
def test_constructor_refuses_bad_input(wrong: dict[str, Any], words: str) -> None:
    given = {"database": DATABASE, "queries": QUERIES} | wrong
    with pytest.raises(Exception, match=words):
        QuantizationPlayground(**given)


def test_still_words_and_bundle() -> None:
    widget = playground()
    data, _ = widget._repr_mimebundle_()
    assert "entries add up to" in alt_of(widget)
    assert data["text/html"] == playground()._repr_mimebundle_()[0]["text/html"], "again: no diff"
    widget.n_subspaces = 3
    assert "expected M out of" in repr(widget)
    json.dumps(widget.get_state(), allow_nan=False)
