"""Count the minutes of a plan for 90 minutes: `python -m benchmarks.lesson_plan` prints them.

Nobody stood beside a class with a watch. What is counted: the words of the sections that a plan names, what
there is to guess and to try in them, the minutes that exercises state, and the seconds of the computer on
one core. INSTRUCTORS.md shows the result; the tests compare the two, and refuse a plan that does not fit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).parents[1]
#: Slow enough for formulas, and for readers whose language is another one.
WORDS_A_MINUTE = 200
GUESS_MINUTES = 1
#: A figure to play with, and each "Try it".
TRY_MINUTES = 2

_FOLD = re.compile(r"<details>.*?</details>", re.DOTALL)
_EXERCISE = re.compile(r"\*\*Exercise (\d\d\.\d)\*\* \(\w+, (\d+) minutes\)")
_GUESS = re.compile(r"^Guess\.of\(", re.MULTILINE)
_IMPORTED = re.compile(r"^from gsl_tutorial\.course\.widgets import (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """A part of the plan: some sections of one chapter.

    Attributes
    ----------
    chapter : str
        Its number.
    minutes : int
        How long it may take.
    sections : tuple of str
        Titles of those that are read; the opening of the chapter always is.
    exercises : tuple of str
        Those that everybody solves, and those that you solve on the projector.
    """

    chapter: str
    minutes: int
    sections: tuple[str, ...]
    exercises: tuple[str, ...]


#: The plan of INSTRUCTORS.md.
PLAN = (
    Part(
        "00",
        18,
        (
            "Search photographs through four bytes",
            "Drag a point and watch its gradient snap",
            "Do an exercise",
        ),
        ("00.1",),
    ),
    Part(
        "03",
        32,
        (
            "Cut the vector",
            "Count what one big codebook would cost",
            "Learn a small codebook for each subspace",
            "Encode: write down the nearest codewords",
            "Rebuild the digits from their codes",
            "Count the bits and the bytes",
            "Fill a lookup table for one query",
        ),
        ("03.1", "03.2", "03.3"),
    ),
    Part(
        "06",
        31,
        (
            "Meet the two pulls",
            "Find the codewords that descend",
            "Choose one of them",
            "Send the gradient there",
            "Drag and see",
        ),
        ("06.1", "06.2", "06.4"),
    ),
    Part(
        "08",
        9,
        (
            "Say what is searched, and with what",
            "Make it hard: four bits for a picture",
            "Train in turns, in five ways",
            "Measure, with everything that belongs beside the number",
        ),
        (),
    ),
)


@dataclass(frozen=True)
class Minutes:
    """Where the minutes of a part go, as fractions of minutes.

    Attributes
    ----------
    reading, trying, exercises, waiting : float
        For the words, for guesses and figures to play with, for exercises, and for the computer.
    """

    reading: float
    trying: float
    exercises: float
    waiting: float

    @property
    def in_all(self) -> float:
        """Their sum."""
        return self.reading + self.trying + self.exercises + self.waiting


def sections(cells: Sequence[NotebookNode]) -> dict[str, list[NotebookNode]]:
    """The cells of each section by its title; "" holds the opening of the chapter.

    Parameters
    ----------
    cells : sequence of cells
        Those of a student's notebook. One that holds several headings is cut before each.

    Returns
    -------
    dict of str to list of cells
        In order.
    """
    found: dict[str, list[NotebookNode]] = {"": []}
    title = ""
    for cell in cells:
        if cell.cell_type != "markdown":
            found[title].append(cell)
            continue
        for text in re.split(r"(?m)^(?=##+ )", cell.source):
            if heading := re.match(r"##+ (.+)", text):
                title = heading[1].strip()
                found.setdefault(title, [])
            if text.strip():
                found[title].append(nbformat.v4.new_markdown_cell(text))
    return found


def n_words(text: str) -> int:
    """How many words are read in a text of Markdown: not those of folds, nor where links lead.

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    int

    Examples
    --------
    >>> n_words("See [the map](07_map.ipynb).<details><summary>Why</summary>Because.</details>")
    3
    """
    return len(re.sub(r"\]\([^)]*\)", "]", _FOLD.sub("", text)).split())


def minutes_of(part: Part, cells: Sequence[NotebookNode], cpu_seconds: float) -> Minutes:
    """Count the minutes of a part.

    Parameters
    ----------
    part : Part
        The part.
    cells : sequence of cells
        The student's notebook.
    cpu_seconds : float
        What *Run All* costs on one core: whoever runs it all need not wait again.

    Returns
    -------
    Minutes
        What was counted.

    Raises
    ------
    ValueError
        A section or an exercise of the plan is not in the notebook.
    """
    by_title = sections(cells)
    if strange := {*part.sections} - {*by_title}:
        raise ValueError(f"chapter {part.chapter} has no section {sorted(strange)}")
    chosen = [cell for title in ("", *part.sections) for cell in by_title[title]]
    prose = "\n\n".join(cell.source for cell in chosen if cell.cell_type == "markdown")
    code = "\n".join(cell.source for cell in chosen if cell.cell_type == "code")
    stated = {number: int(minutes) for number, minutes in _EXERCISE.findall(prose)}
    if strange := {*part.exercises} - {*stated}:
        raise ValueError(f"no section of the plan has exercise {sorted(strange)}")
    every = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    widgets = {*re.findall(r"\w+", " ".join(_IMPORTED.findall(every)))} - {"Guess"}
    figures = [name for name in re.findall(r"\b(\w+)\(", code) if name in widgets]
    tries = prose.count("**Try it.**") + len(figures)
    return Minutes(
        reading=n_words(prose) / WORDS_A_MINUTE,
        trying=GUESS_MINUTES * len(_GUESS.findall(code)) + TRY_MINUTES * tries,
        exercises=float(sum(stated[one] for one in part.exercises)),
        waiting=cpu_seconds / 60,
    )


def counted() -> Iterator[tuple[Part, Minutes]]:
    """The parts of the plan, each with its minutes."""
    costs: dict[str, Any] = json.loads(
        (ROOT / "benchmarks/results/one_core.json").read_text("utf-8")
    )
    for part in PLAN:
        (path,) = (ROOT / "notebooks").glob(f"{part.chapter}_*.ipynb")
        cells = nbformat.read(path, as_version=4).cells
        yield part, minutes_of(part, cells, costs["notebooks"][path.stem]["cpu_seconds"])


def row(part: Part, minutes: Minutes) -> str:
    """The part as a row of the table in INSTRUCTORS.md."""
    shares = (minutes.reading, minutes.trying, minutes.exercises, minutes.waiting, minutes.in_all)
    return " | ".join([f"| {part.chapter}", *(f"{one:.1f}" for one in shares), f"{part.minutes} |"])


def main() -> None:
    print("| chapter | reading | trying | exercises | waiting | in all | planned |")
    for part, minutes in counted():
        print(row(part, minutes))


if __name__ == "__main__":
    main()
