"""Where the text of a solution can be read: line by line, in any file.

`sources.refuse_leak` looks for whole solutions in a student's notebook. This looks for each of their
lines, in everything that a student copy holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat

from gsl_tutorial.course.press.cleaning import output_texts
from gsl_tutorial.course.press.sources import SHORTEST_LEAK, draft, tags


def secret_lines(sources: Iterable[Path]) -> set[str]:
    """Collect every line of code of every solution that a reader could recognise as one.

    Left out are comments, lines shorter than `SHORTEST_LEAK` characters, which occur by chance, and
    lines that the same chapter gives to the student in another exercise.

    Parameters
    ----------
    sources : iterable of Path
        Sources of chapters.

    Returns
    -------
    set of str
        The lines.
    """
    secret: set[str] = set()
    for source in sources:
        made = draft(source, "student")
        exercises = [cell for cell in made.notebook.cells if "exercise" in tags(cell)]
        given = {line.strip() for cell in exercises for line in cell.source.splitlines()}
        lines = {line.strip() for text in made.solutions for line in text.splitlines()}
        secret |= {
            line for line in lines - given if len(line) >= SHORTEST_LEAK and line[0] not in "#"
        }
    return secret


def leaks(path: Path, secret: Iterable[str]) -> list[str]:
    """Find the secret lines that can be read in a file.

    Parameters
    ----------
    path : Path
        The file. In a notebook the cells and their outputs are searched, too, as a reader sees
        them.
    secret : iterable of str
        The secret lines.

    Returns
    -------
    list of str
        Those that were found, sorted.
    """
    text = path.read_bytes().decode("utf-8", errors="replace")
    texts = [text, *_texts_of_notebook(text)] if path.suffix == ".ipynb" else [text]
    return sorted(line for line in secret if any(line in one for one in texts))


def _texts_of_notebook(text: str) -> Iterator[str]:
    for cell in nbformat.reads(text, as_version=4).cells:
        yield cell.source
        yield from output_texts(cell)
