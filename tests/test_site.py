"""The static site and the slides in a real browser without a network, and formulas as MathML."""

from __future__ import annotations

import html
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest
from browser import browser, patient_context, until
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image
from playwright.sync_api import Locator, Page

from gsl_tutorial.course.press import SourceError, columns, site
from gsl_tutorial.errors import DataMissingError, InvalidInputError, UnknownNameError

REPOSITORY = Path(__file__).parents[1]
CHAPTERS = ["00", "02", "05"]


@pytest.fixture(scope="module")
def tools() -> None:
    missing = [tool for tool in site.TOOLS if find_spec(tool) is None]
    reason = f'{missing} not installed: pip install -c constraints.txt -e ".[authors]"'
    if missing and os.environ.get("GSL_TUTORIAL_REQUIRE_SITE"):
        pytest.fail(reason)
    if missing:
        pytest.skip(reason)


@pytest.fixture(scope="module")
def pages(tools: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages") / "site"
    site.build_site(REPOSITORY, folder, only=CHAPTERS)
    return folder


@contextmanager
def offline(width: int = 1280, height: int = 760) -> Iterator[Page]:
    """A page of a browser without a network; what it asks for or complains about fails the test."""
    complaints: list[str] = []
    with browser() as opened:
        size = {"width": width, "height": height}
        context = patient_context(opened, offline=True, viewport=size)
        page = context.new_page()
        page.on("requestfailed", lambda one: complaints.append(f"failed: {one.url[:200]}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda one: complaints.append(one.text) if one.type == "error" else None)
        page.on(
            "request",
            lambda one: (
                None
                if one.url.startswith(("file:", "data:"))
                else complaints.append(f"asked for {one.url}")
            ),
        )
        yield page
    assert complaints == []


def assert_formulas_are_drawn(page: Page) -> None:
    """Every formula has a size and its font, and none is left as text."""
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    sizes = page.eval_on_selector_all(
        "math", "all => all.map(one => one.getBoundingClientRect().width)"
    )
    shown = page.eval_on_selector_all("math", "all => all.map(one => one.checkVisibility())")
    assert any(shown)
    assert all(size > 0 for size, seen in zip(sizes, shown, strict=True) if seen)
    assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('16px Formula'))")
    assert page.locator("merror").count() == 0
    text = page.evaluate(
        """() => { const copy = document.body.cloneNode(true);
        copy.querySelectorAll('pre, code, script, style, math').forEach(one => one.remove());
        return copy.textContent; }"""
    )
    assert not re.search(r"\$[^$\n]{1,80}\$|\\[a-z]{2,}", text)


# ---- the site ------------------------------------------------------------------------------------


def test_pages_work_without_a_network(pages: Path) -> None:
    with offline() as page:
        for chapter in pages.glob("0[25]_*.html"):  # chapter 00 shows live figures only
            page.goto(chapter.as_uri())
            assert_formulas_are_drawn(page)
            images = page.locator("article img")
            assert images.count()
            for image in images.all():
                image.scroll_into_view_if_needed()
            page.wait_for_function(
                "[...document.querySelectorAll('article img')].every(one => one.naturalWidth > 0)"
            )
            assert all(image.get_attribute("alt") for image in images.all())
            assert page.locator("h1").count() == 1


def test_printed_tables_keep_their_columns(pages: Path) -> None:
    with offline(width=390) as page:
        page.goto(next(pages.glob("05_*.html")).as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        table = page.locator("pre.columns", has_text="uphill").first
        lines = table.inner_text().rstrip().count("\n") + 1
        height, letter = table.evaluate(
            "one => [one.clientHeight, parseFloat(getComputedStyle(one).lineHeight)]"
        )
        assert height < (lines + 2.5) * letter  # no line wraps
        assert table.get_attribute("tabindex") == "0"
        page.emulate_media(media="print")
        assert not page.locator(".skip-to-content").is_visible()


def test_what_is_a_table_and_how_broad() -> None:
    assert columns.letters("method   mAP\nnone     0.5 ± 0.1\n") == 18
    assert columns.letters("title\n  a   1\n  bc  2\n") == 7
    prose = "one line of prose, broader than what follows\nbits    12\nqueries 500\nties    exact"
    assert columns.letters(prose) == columns.letters("") == columns.letters("True\nFalse") == 0
    assert columns.letters("a  gap\nand the next line  has one elsewhere") == 0


def test_a_folded_table_keeps_its_columns_too() -> None:
    """As `show_folded` writes it; its own size of letters would win over the page's."""
    table = "method            mAP\n" + "none              0.500 ± 0.100, no clear difference\n"
    folded = (
        '<details><summary>All numbers</summary><pre tabindex="0" style="font-size: 85%">{}</pre>'
    )
    page = columns.marked(folded.format(table))
    assert page.count('class="columns"') == page.count("style=") == page.count("tabindex=") == 1
    assert f"--letters: {columns.letters(table)}" in page
    assert columns.marked(folded.format("prose")) == folded.format("prose")


def test_a_table_in_markdown_that_code_showed_is_a_table(tools: None, tmp_path: Path) -> None:
    folder = tmp_path / "notebooks" / "solutions"
    folder.mkdir(parents=True)
    shown = new_output("display_data", {"text/markdown": "| a | b |\n| --- | --- |\n| 1 | 2 |"})
    cells = [new_markdown_cell("# A page"), new_code_cell("table()", outputs=[shown])]
    about = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    nbformat.write(new_notebook(cells=cells, metadata=about), folder / "00_page.ipynb")
    site.build_site(tmp_path, tmp_path / "site")
    assert "<table" in (tmp_path / "site" / "00_page.html").read_text("utf-8")


def test_search_and_navigation_by_keyboard(pages: Path) -> None:
    with offline() as page:
        page.goto((pages / "index.html").as_uri())
        page.keyboard.press("Tab")
        assert "Skip to content" in page.evaluate("document.activeElement.textContent")
        page.locator(".sidebar-tree a", has_text=re.compile("^02 ")).press("Enter")
        page.wait_for_url("**/02_*.html")
        page.locator(".related-pages .next-page").press("Enter")
        page.wait_for_url("**/05_*.html")
        search = page.locator("input[name=q]").first
        search.fill("codebook")
        search.press("Enter")
        page.wait_for_selector("#search-results li a")
        page.locator("#search-results li a").first.press("Enter")
        page.wait_for_url(re.compile(r"0[25]_.*html"))


def differs(shown: Locator, before: str) -> None:
    assert shown.inner_html() != before, "nothing has changed"


def test_the_explorer_is_alive_on_a_page(pages: Path) -> None:
    with offline() as page:
        page.goto(next(pages.glob("05_*.html")).as_uri())
        explorer = page.locator(".gsl-explorer-page").first
        before = explorer.inner_html()
        explorer.locator("input[type=range]:visible").first.press("End")
        until(page, lambda: differs(explorer, before))


def test_what_is_asked_wrongly_is_said(tools: None, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="77"):
        site.build_site(REPOSITORY, tmp_path / "site", only=["77"])
    with pytest.raises(InvalidInputError, match="notebooks/solutions"):
        site.build_site(tmp_path, tmp_path / "site")
    (tmp_path / "mine.txt").write_text("not a site")
    with pytest.raises(InvalidInputError, match="holds more"):
        site.build_site(REPOSITORY, tmp_path)


def test_missing_tools_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "TOOLS", ("no_such_tool",))
    with pytest.raises(DataMissingError, match=r"no_such_tool.*\[authors\]"):
        site.require_tools()


def every_page(pages: Path) -> list[Path]:
    return [one for one in sorted(pages.rglob("*.html")) if "_static" not in one.parts]


def test_a_phone_shows_no_serious_fault_on_any_page(pages: Path) -> None:
    """axe-core looks for what keeps people out; nothing is wider than the screen."""
    from axe_playwright_python.sync_playwright import Axe

    # What axe would fetch for checks of its own, a page without a server may not read.
    options = {"resultTypes": ["violations"], "preload": False}
    found = []
    with offline(width=390) as page:
        for path in every_page(pages):
            page.goto(path.as_uri())
            # A picture that is being computed is pale until it is there.
            page.wait_for_function("!document.querySelector('.gsl-stale, [data-busy=true]')")
            name = path.relative_to(pages).as_posix()
            width = page.evaluate("document.documentElement.scrollWidth")
            found += [f"{name}: {width} pixels wide"] if width > 390 else []
            for fault in Axe().run(page, options=options).response["violations"]:
                if fault["impact"] in ("serious", "critical"):
                    places = [node["html"][:120] for node in fault["nodes"]]
                    found.append(f"{name}: {fault['id']}: {places[:3]}, {len(places)} in all")
    assert found == []


def test_the_first_page_has_a_live_figure_and_a_card_for_each_chapter(pages: Path) -> None:
    with offline() as page:
        page.goto((pages / "index.html").as_uri())
        explorer = page.locator(".gsl-explorer-page").first
        before = explorer.inner_html()
        explorer.locator("input[type=range]:visible").first.press("End")
        until(page, lambda: differs(explorer, before))
        cards = page.locator("ul.cards li")
        assert cards.count() == len(CHAPTERS)
        assert all("minutes" in text for text in cards.all_inner_texts())
        assert page.locator("meta[name=description]").get_attribute("content")
        assert page.locator("meta[property='og:image']").get_attribute("content")
        # No address is known yet, so no button may lead to one.
        assert page.locator(".buttons a[href*='://']").count() == 0
        # The link lies over the picture, so a click there follows it, too.
        cards.first.locator("img").click(force=True)
        page.wait_for_url("**/00_*.html")


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_card_shows_a_picture_of_its_chapter_and_says_what_it_is(chapter: str) -> None:
    from gsl_tutorial.course.press.front_page import card_of

    (path,) = (REPOSITORY / "notebooks" / "solutions").glob(f"{chapter}_*.ipynb")
    card = card_of(path)
    with Image.open(io.BytesIO(card.picture)) as picture:
        assert picture.width <= 480
        darkest, _ = picture.convert("L").getextrema()
    assert darkest < 100
    # A sentence, not a description as long as a paragraph; it comes from the chapter.
    assert 15 < len(card.alt) < 400
    told = "".join(
        html.unescape(output["data"].get("text/html", ""))
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", ())
        if "data" in output
    )
    assert card.alt in told


def test_a_chapter_without_a_picture_has_a_card_all_the_same(tmp_path: Path) -> None:
    from gsl_tutorial.course.press.front_page import card_of

    path = tmp_path / "13_empty.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Empty")]), path)
    assert "<img" not in card_of(path).as_html(tmp_path)


def test_buttons_lead_to_the_repository_once_it_is_known(tools: None, tmp_path: Path) -> None:
    from gsl_tutorial.course.press.front_page import front_page, repository_of

    (tmp_path / "pyproject.toml").write_text('[tool.gsl-tutorial]\nrepository = "ada/codes"\n')
    known = repository_of(tmp_path)
    assert known == "ada/codes"
    notebooks = [next((REPOSITORY / "notebooks" / "solutions").glob("02_*.ipynb"))]
    page = front_page(notebooks, tmp_path, title="A title", repository=known, toctrees="")
    assert "https://mybinder.org/v2/gh/ada/codes/HEAD?urlpath=lab/tree/notebooks/" in page
    assert "https://github.com/ada/codes/archive/HEAD.zip" in page
    (tmp_path / "pyproject.toml").write_text('[tool.gsl-tutorial]\nrepository = "OWNER/NAME"\n')
    assert repository_of(tmp_path) == ""


def test_pages_for_students_have_exercises_and_no_solutions(pages: Path) -> None:
    from gsl_tutorial.course.press.leaks import leaks, secret_lines

    for chapter in CHAPTERS:
        (path,) = (pages / "student").glob(f"{chapter}_*.html")
        source = next((REPOSITORY / "notebooks" / "src").glob(f"{chapter}_*.py"))
        assert leaks(path, secret_lines([source])) == []
        assert "your code here" in path.read_text("utf-8")
    with offline() as page:
        page.goto(next((pages / "student").glob("02_*.html")).as_uri())
        fold = page.locator("details", has_text="Hint 1 of 3").first
        assert fold.get_attribute("open") is None
        for image in page.locator("article img").all():
            image.scroll_into_view_if_needed()
        page.wait_for_function(
            "[...document.querySelectorAll('article img')].every(one => one.naturalWidth > 0)"
        )


def test_the_reference_tells_every_public_name(pages: Path) -> None:
    import gsl_tutorial
    from gsl_tutorial import errors, evaluation

    text = "".join(one.read_text("utf-8") for one in (pages / "reference").glob("*.html"))
    types = {"Denominator", "Gain", "Ties"}
    public = {*gsl_tutorial.__all__, *evaluation.__all__} - types
    public |= {
        name
        for name, one in vars(errors).items()
        if getattr(one, "__module__", "") == errors.__name__ and isinstance(one, type)
    }
    public -= {"NotFittedError"}  # made when it is first asked for, so no page has it yet
    missing = [
        name for name in public if not re.search(rf'id="gsl_tutorial\.[\w.]*\b{name}"', text)
    ]
    assert missing == []
    assert "set_fit_request" not in text  # scikit-learn's, not ours
    assert "Use the layer in your own training" in (pages / "training.html").read_text("utf-8")


def test_drawings_turn_dark_with_the_page(pages: Path) -> None:
    with offline() as page:
        page.emulate_media(color_scheme="dark")
        page.goto(next(pages.glob("02_*.html")).as_uri())
        image = page.locator(".cell_output img").first
        assert "invert" in image.evaluate("one => getComputedStyle(one).filter")
        page.emulate_media(media="print")
        assert image.evaluate("one => getComputedStyle(one).filter") == "none"


#: What a sheet of A4 leaves between margins of 15 mm.
PAPER = 680


@pytest.fixture
def paper(pages: Path) -> Iterator[Page]:
    """A page as it is printed, by a reader whose screen is dark."""
    with offline(width=PAPER) as page:
        page.emulate_media(media="print", color_scheme="dark")
        yield page


def test_paper_is_white_and_its_figures_too(pages: Path, paper: Page) -> None:
    paper.goto((pages / "index.html").as_uri())
    colour = "one => getComputedStyle(one).color.match(/[0-9]+/g).map(Number)"
    assert max(paper.locator("article p").first.evaluate(colour)) < 100
    explorer = paper.locator(".gsl-explorer-page .gsl-explorer").first
    value = "(one, name) => getComputedStyle(one).getPropertyValue(name).trim()"
    assert explorer.evaluate(value, "--paper") == "#fff"
    assert explorer.evaluate(value, "--ink") == "#000"
    assert explorer.evaluate(value, "--similarity") == "#0072b2"
    assert not explorer.get_by_role("button").first.is_visible()


def test_nothing_is_cut_off_on_paper(pages: Path, paper: Page) -> None:
    """No box hides a part of what it holds, and nothing sticks out of the sheet."""
    cut = """(width) => [...document.querySelectorAll('article, article *')].filter((one) => {
        const narrow = one.scrollWidth > one.clientWidth + 1;
        const hides = narrow && getComputedStyle(one).overflowX !== 'visible';
        return one.clientWidth && (hides || one.getBoundingClientRect().right > width + 1);
    }).map((one) => `${one.tagName}.${one.className} ${one.textContent.slice(0, 60)}`)"""
    found = {}
    for path in every_page(pages):
        paper.goto(path.as_uri())
        found[path.relative_to(pages).as_posix()] = paper.evaluate(cut, PAPER)
    assert {name: places for name, places in found.items() if places} == {}


def test_folds_are_open_on_paper_or_say_that_they_are_not(pages: Path, paper: Page) -> None:
    closed = """() => [...document.querySelectorAll('article details:not([open])')].filter((one) => {
        const content = getComputedStyle(one, '::details-content').contentVisibility;
        return content === 'hidden' && one.firstElementChild.checkVisibility();
    }).map((one) => getComputedStyle(one.firstElementChild, '::after').content)"""
    for folder, drawing_only in (("", True), ("student", False)):
        paper.goto(next((pages / folder).glob("02_*.html")).as_uri())
        said = paper.evaluate(closed)
        assert said
        assert all("folded on paper" in one for one in said)
        assert (len(said) == paper.locator("article details.hide").count()) is drawing_only


def test_addresses_are_printed(pages: Path, paper: Page) -> None:
    paper.goto(next(pages.glob("02_*.html")).as_uri())
    link = paper.locator("article a.external").first
    said = link.evaluate("one => getComputedStyle(one, '::after').content")
    assert link.get_attribute("href") in said


def test_links_to_headings_of_other_pages_arrive(pages: Path) -> None:
    found = 0
    for path in every_page(pages):
        for file, anchor in re.findall(r'href="([^":#]*\.html)#([^"]+)"', path.read_text("utf-8")):
            target = path.parent / file
            if target.exists():
                found += 1
                assert f'id="{anchor}"' in target.read_text("utf-8"), (
                    f"{path.name}: {file}#{anchor}"
                )
    assert found


# ---- slides --------------------------------------------------------------------------------------


def test_slides_are_one_file_that_needs_no_network(tools: None, tmp_path: Path) -> None:
    from gsl_tutorial.course.press.slides import build_slides

    path = build_slides(REPOSITORY, "05", to=tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    with offline() as page:
        page.goto(path.as_uri())
        page.wait_for_function("Reveal.isReady()")
        assert_formulas_are_drawn(page)
        seen = 1
        while not page.evaluate("Reveal.isLastSlide()"):
            page.keyboard.press("Space")
            size = page.evaluate("parseFloat(Reveal.getCurrentSlide().style.fontSize)")
            width = page.evaluate(
                "(one => one.scrollWidth - one.clientWidth)(Reveal.getCurrentSlide())"
            )
            assert size >= 50
            assert width <= 1
            seen += 1
        assert seen == page.evaluate("Reveal.getTotalSlides()") > 10


def test_slides_do_not_show_solutions(tools: None, tmp_path: Path) -> None:
    from gsl_tutorial.course.press.leaks import leaks, secret_lines
    from gsl_tutorial.course.press.slides import build_slides

    source = next((REPOSITORY / "notebooks" / "src").glob("02_*.py"))
    assert leaks(build_slides(REPOSITORY, "02", to=tmp_path), secret_lines([source])) == []


# ---- formulas ------------------------------------------------------------------------------------


def test_formulas_are_read_as_written(tools: None) -> None:
    from gsl_tutorial.course.press.formulas import mathml

    made = mathml(r"\lVert z - q(z) \rVert^2 \le \log_2 K", display=True)
    assert made.startswith('<math alttext="\\lVert z')
    assert 'display="block"' in made
    assert '<mo stretchy="false">&#x02016;</mo>' in made
    with pytest.raises(SourceError, match="latex2mathml understands"):
        mathml(r"\nosuchcommand{x}", display=False)
    with pytest.raises(SourceError, match="latex2mathml understands"):
        mathml(r"\left( x", display=False)
