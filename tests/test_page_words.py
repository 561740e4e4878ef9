"""All words of the widgets that are drawn in the page stand in one file, so that they can be translated.

Looked at twice: the scripts themselves, where no sentence may stand, and the widgets as they are drawn with
every letter of that file made unreadable, where nothing readable may be left but what Python has sent.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import browser, patient_page
from page_widgets import CASES, mount
from playwright.sync_api import Page

from gsl_tutorial.course import widgets
from gsl_tutorial.course.widgets.page_words import WORDS

FOLDER = Path(widgets.__path__[0])
SCRIPTS, SHEETS = sorted(FOLDER.glob("*.js")), sorted(FOLDER.glob("*.css"))

# ---- what the scripts hold ----

#: A comment of its own line, or a text in quotes; in `...` what is filled in becomes a blank of its own.
TEXT = re.compile(
    r"""^\s*//.*$|\s//\s[^"'`]*$|"((?:\\.|[^"\\\n])*)"|`((?:\\.|[^`\\])*)`""", re.MULTILINE
)
FILLED = re.compile(r"\$\{(?:[^{}]|\{[^{}]*\})*\}")
#: A word as it stands in a sentence, unlike the names of classes, attributes, colours and paths.
WORD = re.compile(r"""[("'“]?[A-Za-z][a-z]+['’]?[a-z]*[.,;?!)"'”]*$""")
#: What one word with a capital can be, if it is no label.
KEYS = {"Home", "End", "Enter", "Escape"}
#: A state of a cell, as Python calls it.
SENT = {"not yet run"}


def is_prose(text: str) -> bool:
    """Two words side by side, a word beside something that is filled in, or a label with a capital."""
    parts = FILLED.sub("\0", text).split()
    words = [WORD.match(part) is not None for part in parts]
    filled = ["\0" in part for part in parts]
    pairs = itertools.pairwise(zip(words, filled, strict=True))
    beside = any((a and (b or to)) or (b and of) for (a, of), (b, to) in pairs)
    return text not in SENT and (
        beside or (re.fullmatch("[A-Z][a-z]+", text) is not None and text not in KEYS)
    )


def texts_of(script: str) -> Iterator[str]:
    for found in TEXT.finditer(script):
        text = found[1] if found[1] is not None else found[2]
        if text is not None:
            yield text
            if found[2] is not None:  # texts inside of what is filled in
                for filled in FILLED.findall(text):
                    yield from texts_of(filled[2:-1])


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_of_the_page_holds_a_sentence(path: Path) -> None:
    assert [text for text in texts_of(path.read_text("utf-8")) if is_prose(text)] == []


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_no_style_sheet_holds_a_sentence(path: Path) -> None:
    for text in re.findall(r"(?<![\w-])content:\s*([^;}]*)", path.read_text("utf-8")):
        assert not re.search(
            "[A-Za-z]{2}", re.sub(r"\\[0-9a-f]+|(counter|attr)\([^)]*\)|none", "", text)
        )


@pytest.mark.parametrize(
    "code",
    ['say("The snap wins.")', '"Reset"', "`step ${t} of ${n}`", "`Bets: ${right} right`", '"no points"',
     '`${word ? "which is here" : ""}`', "`${n} bits`", '"your rule"', "`round ${n}`"],
)  # fmt: skip
def test_a_sentence_is_recognized(code: str) -> None:
    assert any(is_prose(text) for text in texts_of(code))


@pytest.mark.parametrize(
    "code",
    ['"gsl-photos gsl-results"', '"Home"', "`M${x} ${y}h26`", '"xMidYMid meet"', '// "A note."',
     '"change:value change:index"', "`translate(${x} 10)`", '"0 0 390 205"', "`gsl-tile gsl-${look}`"],
)  # fmt: skip
def test_what_is_no_sentence_is_left_alone(code: str) -> None:
    assert not any(is_prose(text) for text in texts_of(code))


def test_every_word_is_said_and_every_section_is_known() -> None:
    scripts = "".join(path.read_text("utf-8") for path in [*SCRIPTS, *FOLDER.glob("*.py")])
    assert set(re.findall(r"\bWORDS\.(\w+)", scripts)) == set(WORDS)
    for section, said in WORDS.items():
        assert [name for name in said if not re.search(rf"\b{name}\b", scripts)] == [], section


# ---- what the widgets show ----

READABLE = """() => {
    const root = document.querySelector(".gsl-explorer");
    const said = [...root.querySelectorAll("*")].flatMap((one) =>
        ["aria-label", "aria-valuetext", "aria-roledescription", "title", "alt", "placeholder"]
            .map((name) => one.getAttribute(name) ?? ""));
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walk.nextNode())
        if (walk.currentNode.parentNode.tagName !== "STYLE") said.push(walk.currentNode.data);
    return said;
}"""
OPEN = """(link) => {
    const field = document.querySelector(".gsl-link");
    field.value = link;
    field.dispatchEvent(new Event("change"));
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""


def unreadable(value: Any) -> Any:
    """The same words with a sign that is no letter for each letter."""
    if isinstance(value, dict):
        return {name: unreadable(one) for name, one in value.items()}
    if isinstance(value, list):
        return [unreadable(one) for one in value]
    return re.sub("[A-Za-z]", "·", value)


@pytest.fixture(scope="module")
def opened() -> Iterator[Page]:
    with browser() as chromium:
        yield patient_page(chromium, width=1280, height=900)


@pytest.mark.parametrize("name", CASES)
def test_a_widget_shows_no_words_but_those(
    opened: Page, problems: list[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    case = CASES[name]
    widget = case.make()
    words, script = type(widget).script.split("\n", 1)
    said = json.loads(words.removeprefix("const WORDS = ").removesuffix(";"))
    line = f"const WORDS = {json.dumps(unreadable(said))};"
    monkeypatch.setattr(type(widget), "script", f"{line}\n{script}")
    mount(opened, widget)
    sent = json.dumps([widget.get_state([*widget.told, "around"]), case.links], default=str)
    known = {*re.findall("[A-Za-z]+", sent), "gsl", "colour", "other"}
    for link in ("", *case.links, "gsl2.other?", f"gsl1.{widget.kind}?colour=red"):
        opened.evaluate(OPEN, link)
        texts = opened.evaluate(READABLE)
        shown = {word for text in texts for word in re.findall("[A-Za-z]{2,}", text)}
        assert shown - known == set(), link
    assert problems == []
