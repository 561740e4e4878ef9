"""What the reader is asked: each question has an answer to unfold, and nothing gives it away before.

What could spoil a guess (outputs, captions, alt texts, titles) stands in the built notebooks, so it is
those that are read.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from gsl_tutorial.course.widgets import Guess
from gsl_tutorial.course.widgets.guesses import GUESSES

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
CHAPTERS = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
EACH = pytest.mark.parametrize("chapter", CHAPTERS)
USED = re.compile(r'Guess\.of\("([^"]+)"\)')
FOLD = re.compile(r"<details>.*?</details>", re.DOTALL)
TRY = "**Try it.**"
#: Where the answer to a "Try it" has to stand at the latest.
NEXT = re.compile(r"^#{2,4} |\*\*Exercise \d|\*\*Try it\.\*\*", re.MULTILINE)
#: Words that ask for a guess.
ASKS = re.compile(
    r"[Gg]uess (?:first|what|which|how|whether)|[Ww]ith a guess|[Bb]et before|your bets?\b"
    r"|(?:would|[Dd]o) you expect\b|Before you (?:look at|open|press|run)\b|[Dd]ecide before"
    r"|[Dd]o you think"
)
#: A widget that asks by itself: its tiles open after a bet.
ASKS_ITSELF = ("MethodMap(",)
NUMBER = re.compile(r"\d(?:[\d,.]*\d)?")
#: So many words in a row are no accident.
IN_A_ROW = 5
#: guess -> numbers of its replies that are premises, said to everybody before
PREMISES = {"05 one step": {"1.5"}}


@cache
def cells(chapter: str) -> list[NotebookNode]:
    return nbformat.read(NOTEBOOKS / f"{chapter}.ipynb", as_version=4).cells


def guesses(chapter: str) -> list[tuple[int, str]]:
    """(place of the cell, name of the guess), in order."""
    return [
        (i, name) for i, cell in enumerate(cells(chapter)) for name in USED.findall(cell.source)
    ]


def texts(cell: NotebookNode) -> str:
    """All that a cell says: its source without folds, its outputs, and the words in their markup."""
    said = [FOLD.sub("", cell.source)]
    for output in cell.get("outputs", []):
        said.append(output.get("text", ""))
        for kind, data in output.get("data", {}).items():
            if kind.startswith("text/"):
                said.append(re.sub(r"data:[\w/;+]+,[^\"]*", "", data))
    return "\n".join(said)


def unfolded(source: str) -> list[str]:
    """The parts of a text that begin with "Try it" and hold no fold before the next question."""
    return [
        part.strip()[:42]
        for part in source.split(TRY)[1:]
        if "<details>" not in (part[: found.start()] if (found := NEXT.search(part)) else part)
    ]


def unasked(cells: list[NotebookNode]) -> list[str]:
    """What asks for a guess while neither of the next two cells of code brings buttons."""
    found = []
    for i, cell in enumerate(cells[1:], 1):
        if cell.cell_type != "markdown" or not (asked := ASKS.findall(FOLD.sub("", cell.source))):
            continue
        after = "\n".join([c.source for c in cells[i + 1 :] if c.cell_type == "code"][:2])
        if not USED.search(after) and not any(name in after for name in ASKS_ITSELF):
            found += asked
    return found


def runs(text: str) -> set[str]:
    words = re.findall(r"[a-z0-9.%×]+", text.lower())
    return {" ".join(words[i : i + IN_A_ROW]) for i in range(len(words) - IN_A_ROW + 1)}


@cache
def idioms() -> set[str]:
    """Runs that stand in the replies to more than one guess, such as "it is the other way round"."""
    of_each = [set().union(*map(runs, replies.values())) for _, replies in GUESSES.values()]
    return {run for run, n in Counter(run for one in of_each for run in one).items() if n > 1}


def given_away(question: str, replies: dict[str, str], before: str) -> set[str]:
    """What the replies say (numbers, runs of words, the right choice) and was read before the question."""
    known = set(NUMBER.findall(" ".join([question, *replies])))
    numbers = set(NUMBER.findall(" ".join(replies.values()))) - known
    said = set().union(*map(runs, replies.values())) - idioms()
    right = next(choice for choice, reply in replies.items() if reply.startswith("Yes"))
    telling = {right} if NUMBER.search(right) and " " in right and right in before else set()
    return numbers & set(NUMBER.findall(before)) | said & runs(before) | telling


@EACH
def test_each_try_it_has_an_answer_to_unfold(chapter: str) -> None:
    prose = "\n\n".join(c.source if c.cell_type == "markdown" else "" for c in cells(chapter))
    assert not unfolded(prose)


@EACH
def test_who_is_asked_to_guess_gets_buttons(chapter: str) -> None:
    assert not unasked(cells(chapter))


@EACH
def test_nothing_before_a_guess_gives_its_answer_away(chapter: str) -> None:
    for place, name in guesses(chapter):
        before = "\n".join(map(texts, cells(chapter)[:place]))
        assert given_away(*GUESSES[name], before) <= PREMISES.get(name, set()), name


@EACH
def test_a_guess_has_a_cell_of_its_own_and_its_code_is_folded(chapter: str) -> None:
    for place, name in guesses(chapter):
        cell = cells(chapter)[place]
        assert cell.source.strip() == f'Guess.of("{name}")'
        assert "hide-input" in cell.metadata.tags


def test_every_guess_is_asked_once_and_in_its_chapter() -> None:
    sources = {
        chapter: (NOTEBOOKS / "src" / f"{chapter}.py").read_text("utf-8") for chapter in CHAPTERS
    }
    asked = [
        (chapter[:2], name) for chapter, text in sources.items() for name in USED.findall(text)
    ]
    assert sorted(name for _, name in asked) == sorted(GUESSES)
    assert all(name.startswith(f"{chapter} ") for chapter, name in asked)


@pytest.mark.parametrize("name", GUESSES)
def test_one_choice_is_right_and_every_reply_says_something(name: str) -> None:
    _, replies = GUESSES[name]
    assert sum(reply.startswith("Yes") for reply in replies.values()) == 1
    assert all(len(reply.split()) >= 6 for reply in replies.values())
    guess = Guess.of(name)
    for choice in replies:
        guess.buttons.value = choice
        assert replies[choice] in guess.said
    assert guess.first == next(iter(replies))


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (f"{TRY} What is it?\n\n<details>It is this.</details>\n", 0),
        (f"{TRY} What is it?\n\n## Next\n\n<details>Of another question.</details>\n", 1),
        (f"{TRY} What is it?\n\n{TRY} And that?\n\n<details>It is this.</details>\n", 1),
        (f"{TRY} What is it?\n\n**Exercise 03.1** (easy)\n\n<details>A hint.</details>\n", 1),
    ],
)
def test_a_question_without_answer_is_found(text: str, faults: int) -> None:
    assert len(unfolded(text)) == faults


@pytest.mark.parametrize(
    "asked",
    [
        "Before you look at the picture:",
        "Place your bet.",
        "Guess what comes.",
        "What would you expect here?",
    ],
)
@pytest.mark.parametrize(("after", "faults"), [('Guess.of("06 turns")', 0), ("draw()", 1)])
def test_a_guess_without_buttons_is_found(asked: str, after: str, faults: int) -> None:
    texts = ["# Title", asked, "Between."]
    made = [nbformat.v4.new_markdown_cell(text) for text in texts] + [
        nbformat.v4.new_code_cell(after)
    ]
    assert len(unasked(made)) == faults


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ("Here are 1,250 words.", False),
        ("A list of 37 pages, title of a figure", True),
        ("Most of us would say about 12.", True),
        ("one PAGE holds as many, as it can", True),
    ],
)
def test_a_spoiler_is_found(before: str, found: bool) -> None:
    replies = {
        "about 12": "Yes, since one page holds as many as it can, and there are 37.",
        "about 1,250": "That would be more than there are words.",
    }
    assert bool(given_away("How many pages?", replies, before)) is found
