"""What holds for every widget that is drawn in the page, a later one included: links, complaints, axe."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import browser, patient_page, show_alone, until
from page_widgets import CASES, PRESS, mount
from playwright.sync_api import Browser, Page, expect

from gsl_tutorial.course import widgets
from gsl_tutorial.course.widgets import CodewordExplorer, GradientExplorer, TurnsExplorer
from gsl_tutorial.course.widgets.page import PageWidget, lean, style
from gsl_tutorial.errors import InvalidInputError

#: Sets a link, and waits until the page has heard of it.
HEARD = """(link) => new Promise((done) => {
    addEventListener("hashchange", done, { once: true });
    location.hash = link;
})"""
NAMES = pytest.mark.parametrize("name", CASES)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def opened(chromium: Browser) -> Page:
    return patient_page(chromium, width=1280, height=900)


def test_no_widget_is_forgotten() -> None:
    for found in pkgutil.iter_modules(widgets.__path__):
        importlib.import_module(f"{widgets.__name__}.{found.name}")
    kinds = {one.kind for one in PageWidget.__subclasses__()}
    assert kinds == {case.make().kind for case in CASES.values()}


# ---- links ----


def bad_link(name: str) -> str:
    return f"gsl1.{CASES[name].make().kind}?colour=red"


def painted(page: Page) -> None:
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@NAMES
def test_a_complaint_outlives_what_was_done_just_before_its_link_came(
    opened: Page, problems: list[str], name: str
) -> None:
    """What the reader did is told, and the address follows, a moment later than it is done."""
    case, link = CASES[name], bad_link(name)
    mount(opened, case.make())
    alert = opened.get_by_role("alert")
    opened.evaluate(f"([s, link]) => {{ ({PRESS})(s); location.hash = link; }}", [case.press, link])
    until(opened, lambda: followed(opened, link))
    painted(opened)
    expect(alert).to_contain_text("expected a link that sets what this widget has; got colour")
    opened.evaluate(PRESS, case.press)
    expect(alert).to_be_hidden()
    assert problems == []


def followed(page: Page, link: str) -> None:
    address = page.evaluate("location.hash")
    assert "?" in address
    assert link not in address, "the address has not followed the hand yet"


@NAMES
def test_in_a_notebook_too(opened: Page, problems: list[str], name: str) -> None:
    case = CASES[name]
    mount(opened, case.make(), kernel=True)
    opened.get_by_role("button", name="Copy link").click()
    opened.evaluate(
        f"""async ([s, link]) => {{
            ({PRESS})(s);
            while (!told) await new Promise(requestAnimationFrame);
            ({PRESS})(s); // the first is told after its picture, the second waits its turn
            const field = document.querySelector(".gsl-link");
            field.value = link;
            field.dispatchEvent(new Event("change", {{ bubbles: true }}));
        }}""",
        [case.press, bad_link(name)],
    )
    opened.wait_for_function("told >= 2")
    painted(opened)
    alert = opened.get_by_role("alert")
    expect(alert).to_contain_text("expected a link that sets what this widget has; got colour")
    opened.evaluate(PRESS, case.press)
    expect(alert).to_be_hidden()
    problems[:] = [one for one in problems if "lipboard" not in one]
    assert problems == []


@NAMES
def test_the_address_does_not_follow_the_hand_over_a_link_that_has_just_come(
    opened: Page, problems: list[str], name: str
) -> None:
    case = CASES[name]
    other = case.make()
    other.open_link(case.links[0])
    mount(opened, case.make())
    opened.evaluate(
        """(link) => {
            location.hash = link;
            history.replaceState(null, "", "#"); // before the page hears of the link
        }""",
        case.links[0],
    )
    until(opened, lambda: same_state(opened, other))
    assert problems == []


def same_state(page: Page, widget: PageWidget) -> None:
    for name in widget.linked:
        told = widget.get_state(name)[name]
        seen = page.evaluate("(name) => model.get(name)", name)
        assert seen == (list(told) if isinstance(told, tuple) else told), name


@pytest.mark.parametrize(
    ("name", "start"),
    [("loop", "gsl1.loop?round=1"), ("cluster", "gsl1.cluster?time=0"),
     ("turns", "gsl1.turns?shown_step=0"), ("gradient", "gsl1.gradient?mode=run&shown_step=0")],
)  # fmt: skip
@pytest.mark.parametrize("good", [True, False])
def test_what_plays_stands_still_for_a_link(
    opened: Page, problems: list[str], name: str, start: str, good: bool
) -> None:
    mount(opened, CASES[name].make())
    opened.evaluate("(link) => (location.hash = link)", start)
    opened.get_by_role("button", name="Play").click()
    expect(opened.get_by_role("button", name="Play")).to_have_count(0)
    link = start if good else bad_link(name)
    opened.evaluate(
        "(link) => { history.replaceState(null, '', '#'); location.hash = link; }", link
    )
    expect(opened.get_by_role("button", name="Play")).to_be_visible()
    painted(opened)
    expect(opened.get_by_role("alert")).to_be_visible(visible=not good)
    assert problems == []


HOSTILE: dict[str, Any] = {
    "a future version": ("gsl9.{kind}?", "a link of version 1; got 9"),
    "of another kind": ("gsl1.else?x=1", "kind '{kind}'"),
    "cut off": ("gsl1.{kind}?{first}", "name=value"),
    "not a text": ("gsl1.{kind}?{first}=50%&x=1", "name=value"),
    "NaN": ("gsl1.{kind}?{first}=1,nan,", "finite numbers"),
    "infinite": ("gsl1.{kind}?{first}=1,1e999,", "expected"),
    "a name of JavaScript's": ("gsl1.{kind}?constructor=1", "what this widget has; got constructor"),
    "another such name": ("gsl1.{kind}?__proto__=1,2,", "what this widget has; got __proto__"),
    "a value of that name": ("gsl1.{kind}?{first}=constructor", "expected"),
    "words for numbers": ("gsl1.{kind}?{first}=%3Cimg%20src%3Dx%3E", "expected"),
    "rows without end": ("gsl1.{kind}?{first}=" + 30_000 * "0,0;", "characters"),
}  # fmt: skip


@NAMES
def test_a_damaged_link_is_a_sentence_and_changes_nothing(
    opened: Page, problems: list[str], name: str
) -> None:
    """Given to Python and to the page; the picture stays, and goes on."""
    case, widget = CASES[name], CASES[name].make()
    first, before = widget.linked[0], widget.link
    mount(opened, widget)
    opened.get_by_role("button", name="Copy link").click()
    alert, field = opened.get_by_role("alert"), opened.locator(".gsl-link")
    held = field.input_value().partition("?")[2].split("&")
    names = [one.partition("=")[0] for one in held]
    assert names == [*widget.linked, *widget.page_only], "page and Python link the same"
    for what, (text, words) in HOSTILE.items():
        link = text.format(kind=widget.kind, first=first)
        with pytest.raises(Exception, match="What to do") as told:
            widget.open_link(link)
        assert widget.link == before, what
        field.evaluate(
            "(field, link) => { field.value = link; field.dispatchEvent(new Event('change')); }",
            link,
        )
        expect(alert).to_contain_text(words.format(kind=widget.kind))
        expect(alert).to_contain_text("What to do")
        assert len(alert.inner_text()) < 400
        assert len(str(told.value)) < 600
        same_state(opened, widget)
        expect(opened.locator(".gsl-stale")).to_have_count(0)
    opened.evaluate(PRESS, case.press)
    expect(alert).to_be_hidden()
    problems[:] = [one for one in problems if "lipboard" not in one]
    assert problems == []


#: Links that hold what no page could draw or compute within a moment, and what is said of them.
TOO_MUCH = {
    "gsl1.gradient?mode=run&n_steps=1000000000&shown_step=1000000000": "n_steps",
    "gsl1.gradient?strength=1e308": "strength",
    "gsl1.gradient?point=1e308,-1e308,": "point",
    "gsl1.gradient?starts=" + 2001 * "0,0;": "at most 2,000 starts",
    "gsl1.turns?n_steps=1000000000": "n_steps",
    "gsl1.turns?positives=1e308,0;0,1e308;": "positives",
    "gsl1.turns?rate=1e308": "rate",
    "gsl1.codewords?n_rounds=1000000000": "n_rounds",
    "gsl1.codewords?points=1e308,1e308;": "points",
    "gsl1.codewords?points=" + 2001 * "0,0;": "at most 2,000 points",
    "gsl1.cluster?time=1.5": "time",
    "gsl1.loop?round=1000000000": "round",
    "gsl1.bytes?code=1,2,3,1000000000,": "code",
    "gsl1.quantization?query=1.5": "query",
    "gsl1.map?bets=" + 99 * "x": "bets",
}  # fmt: skip


@pytest.mark.parametrize("link", TOO_MUCH, ids=lambda link: str(link)[5:50])
def test_a_link_to_what_no_page_can_show_is_a_sentence(
    opened: Page, problems: list[str], link: str
) -> None:
    case = CASES[link.partition("?")[0].partition(".")[2]]
    widget = case.make()
    mount(opened, widget)
    opened.evaluate(HEARD, link)
    alert = opened.get_by_role("alert")
    expect(alert).to_contain_text(TOO_MUCH[link])
    expect(alert).to_contain_text("What to do")
    same_state(opened, widget)
    with pytest.raises(InvalidInputError, match="What to do"):
        widget.open_link(link)
    assert problems == []


@pytest.mark.parametrize(
    "link",
    ["gsl1.gradient?rate=1000000&mode=run&shown_step=90", "gsl1.gradient?strength=1000000&mode=field",
     "gsl1.gradient?codewords=1000000,0;-1000000,0;0,0;&n_codewords=3",
     "gsl1.turns?rate=1000000&shown_step=12", "gsl1.turns?n_steps=1000&shown_step=1000"],
)  # fmt: skip
def test_what_runs_far_away_is_drawn_without_a_fault(
    opened: Page, problems: list[str], link: str
) -> None:
    """Squares overflow on the way; no path of the picture may hold a NaN, which a browser reports."""
    mount(opened, CASES[link.partition("?")[0].partition(".")[2]].make())
    opened.evaluate(HEARD, link)
    painted(opened)
    expect(opened.get_by_role("alert")).to_be_hidden()
    assert problems == []


@pytest.mark.parametrize(
    "make",
    [lambda rows: CodewordExplorer(rows, [[0.0, 0.0]]), lambda rows: GradientExplorer(starts=rows),
     lambda rows: GradientExplorer(similar=rows), lambda rows: TurnsExplorer(rows[None])],
)  # fmt: skip
def test_a_million_rows_are_refused_before_they_are_sent(make: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"at most 2,000 .*got 1,000,000.*\[::500\]"):
        make(np.zeros((1_000_000, 2)))


# ---- what a page receives ----

FOLDER = Path(widgets.__path__[0])
#: What all files of the page weigh, and what a page gets of one widget, in kB; see CONTRIBUTING.
ALL_FILES, ONE_WIDGET = 247, 80


def test_the_files_of_the_page_do_not_grow_unnoticed() -> None:
    files = [*FOLDER.glob("*.js"), *FOLDER.glob("*.css")]
    words = (
        FOLDER / "page_words.json"
    )  # one file, a line for each of what is said, however many there are
    assert sum(path.stat().st_size for path in (*files, words)) <= 1000 * ALL_FILES
    for path in files:
        assert path.read_text("utf-8").count("\n") < 250, path.name
    for name, case in CASES.items():
        widget = case.make()
        assert len((widget.script + widget.style).encode()) <= 1000 * ONE_WIDGET, name


RULES = """(text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return [...sheet.cssRules].map((rule) => rule.cssText);
}"""


def test_a_style_sheet_without_its_comments_says_the_same(opened: Page) -> None:
    opened.goto("about:blank")
    for path in sorted(FOLDER.glob("*.css")):
        whole = opened.evaluate(RULES, path.read_text("utf-8"))
        sent = style(path.stem)
        assert "/*" not in sent
        assert opened.evaluate(RULES, sent) == whole != [], path.name


#: Comments, texts, regular expressions (after a sign that ends no value), words, room, single signs.
TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`"""
    r"""|(?:(?<=[(=,:?!&|\[])|(?<=[=(,:?&|] ))"""
    r"""/(?![/*])(?:\\.|\[[^\]\n]*\]|[^/\\\n])+/[a-z]*|[\w$]+|\s+|.""",
    re.DOTALL,
)


def said_in(text: str) -> list[str]:
    """The tokens of a script, without comments and room."""
    tokens = TOKEN.findall(text)
    assert "".join(tokens) == text
    return [one for one in tokens if not one.isspace() and not one.startswith(("//", "/*"))]


def test_a_script_without_its_comments_says_the_same() -> None:
    for path in sorted(FOLDER.glob("*.js")):
        whole = path.read_text("utf-8")
        sent = lean(whole)
        assert said_in(sent) == said_in(whole), path.name
        assert len(sent) < len(whole)
    for kept in (
        'a = "1 // 2";',
        "a = `x // ${b}`;",
        r"a = b.replace(/ \/\/ /, c);",
        "a = 1; // it's",
    ):
        assert lean(kept) == kept
    assert lean('  a = "b"; // b\n\n  // c\n') == 'a = "b";'


# ---- what keeps people out ----

SCREENS = [(look, width) for look in ("light", "dark") for width in (1280, 390)]


def faults(page: Page) -> list[str]:
    """What axe-core finds serious or critical in the widget, and whether a reader must scroll sideways."""
    from axe_playwright_python.sync_playwright import Axe

    options = {"resultTypes": ["violations"], "preload": False}
    page.wait_for_function("!document.querySelector('.gsl-stale, [data-busy=true]')")
    found = Axe().run(page, context=".gsl-explorer-page", options=options).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{wide} pixels too wide"] * (wide > 0) + [
        f"{fault['id']}: {node['html'][:150]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


@NAMES
def test_no_widget_keeps_anybody_out(chromium: Browser, name: str) -> None:
    """axe-core looks: light and dark, wide and narrow, with a link's field, a complaint and a tour open."""
    case = CASES[name]
    found = []
    for look, width in SCREENS:
        page = patient_page(
            chromium, width=width, height=900, color_scheme=look, reduced_motion="reduce"
        )
        show_alone(page, case.make().to_html())
        states = ["", *case.links, bad_link(name)] if look == "dark" or width == 1280 else [""]
        for link in states:
            if link:
                page.evaluate(HEARD, link)
                painted(page)
            if link == states[-1]:
                for button in page.locator("[data-control='tour'], [data-control='link']").all():
                    button.click()
            found += [f"{look}, {width}, {link}: {fault}" for fault in faults(page)]
        page.close()
    assert found == []
