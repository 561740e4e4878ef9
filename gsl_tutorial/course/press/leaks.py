"""Where a solution can be read: line by line, or with other names, in any file.

`sources.refuse_leak` looks for whole solutions in a student's notebook. This looks for each of their
lines, and for code that is the same but for its names and numbers (`likeness`), in everything that a
student copy holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat

from gsl_tutorial.course.press.cleaning import output_texts
from gsl_tutorial.course.press.likeness import Reader, Tokens, find, pieces, wholes
from gsl_tutorial.course.press.sources import SHORTEST_LEAK, draft, tags

#: Shorter code is an idiom that everybody writes: `np.bincount(a, minlength=len(b))` has 13 tokens.
SHORTEST_PIECE = 14
#: A whole solution says more: `(codewords - z) @ -g > 0` has 10.
SHORTEST_WHOLE = 10


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
    texts = _texts(path)
    return sorted(line for line in secret if any(line in one for one in texts))


@dataclass(frozen=True)
class Pieces:
    """What gives solutions away, whatever its names are.

    Attributes
    ----------
    found_by : Reader
        The reader of the tokens.
    tokens : dict of str to Tokens
        A piece of a solution as its author wrote it -> its tokens.
    """

    found_by: Reader
    tokens: dict[str, Tokens]

    def of(self, text: str) -> list[str]:
        """Find the pieces that stand in a text.

        Parameters
        ----------
        text : str
            Anything that can be read.

        Returns
        -------
        list of str
            The pieces, as their author wrote them.
        """
        read = self.found_by.read(text)
        return [
            piece
            for piece, tokens in self.tokens.items()
            if find(tokens, read, self.found_by) is not None
        ]

    def in_file(self, path: Path) -> list[str]:
        """Find the pieces in a file, cell by cell in a notebook.

        Parameters
        ----------
        path : Path
            The file.

        Returns
        -------
        list of str
            Those that were found, sorted; none in a file that is no text.
        """
        whole, *cells = _texts(path)
        texts = cells if path.suffix == ".ipynb" else [whole] * ("\0" not in whole)
        return sorted({piece for text in texts if "(" in text for piece in self.of(text)})


def secret_pieces(sources: Iterable[Path]) -> Pieces:
    """Collect the statements of every solution, each two in a row, and the whole ones.

    Left out are idioms shorter than `SHORTEST_PIECE` tokens (whole solutions shorter than
    `SHORTEST_WHOLE`), tables of numbers and words, and what the series has shown before the exercise.

    Parameters
    ----------
    sources : iterable of Path
        Sources of chapters.

    Returns
    -------
    Pieces
        What no file of a student copy may hold.
    """
    reader = Reader()
    secret: dict[str, Tokens] = {}
    shown: list[Tokens] = []
    for source in sorted(sources):
        made = draft(source, "student")
        for cell in made.notebook.cells:
            shown.append(reader.read(cell.source))
            for solution in made.hidden.get(cell.id, ()):
                whole = set(wholes(solution))
                for piece in pieces(solution):
                    tokens = reader.read(piece)
                    long = len(tokens) >= (SHORTEST_WHOLE if piece in whole else SHORTEST_PIECE)
                    if long and all(find(tokens, one, reader) is None for one in shown):
                        secret.setdefault(piece, tokens)
    return Pieces(reader, secret)


def _texts(path: Path) -> list[str]:
    """A file's text, and of a notebook each cell's and each output's as a reader sees it."""
    text = path.read_bytes().decode("utf-8", errors="replace")
    return [text, *_texts_of_notebook(text)] if path.suffix == ".ipynb" else [text]


def _texts_of_notebook(text: str) -> Iterator[str]:
    for cell in nbformat.reads(text, as_version=4).cells:
        yield cell.source
        yield from output_texts(cell)
