"""Where a reader stands: a line under each check, and a page of all chapters in chapter 00.

The bar is made of squares, one for an exercise, so that it reads in grey; the numbers beside it say the
same to those who do not see it. Pure functions of a `Progress` and the ids of all exercises.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from gsl_tutorial.course.exercises.progress_file import Progress
from gsl_tutorial.course.text_table import text_table

_DONE, _OPEN = "■", "□"
_CELL = "text-align: left; padding: 0.1em 1.2em 0.1em 0"


@dataclass(frozen=True)
class Standing:
    """How far one chapter is.

    Attributes
    ----------
    chapter : str
        Number of the chapter.
    exercises : tuple of str
        Ids of its exercises, in order.
    solved : frozenset of str
        Those of them that are solved.
    """

    chapter: str
    exercises: tuple[str, ...]
    solved: frozenset[str]

    @property
    def bar(self) -> str:
        """One square for each exercise, in their order, the solved ones filled."""
        return "".join(_DONE if one in self.solved else _OPEN for one in self.exercises)

    @property
    def next(self) -> str:
        """The first exercise that is not solved; empty when all are."""
        return next((one for one in self.exercises if one not in self.solved), "")

    @property
    def counted(self) -> str:
        """For instance "2 of 4 done"."""
        return f"{len(self.solved)} of {len(self.exercises)} done"


def chapters(progress: Progress, exercises: Iterable[str]) -> list[Standing]:
    """Return the standing in every chapter.

    Parameters
    ----------
    progress : Progress
        What was tried and solved.
    exercises : iterable of str
        All ids of the series, like "03.1".

    Returns
    -------
    list of Standing
        One for each chapter, in order.
    """
    by_chapter: dict[str, list[str]] = {}
    for one in sorted(exercises):
        by_chapter.setdefault(one.split(".")[0], []).append(one)
    return [
        Standing(chapter, tuple(ids), frozenset(filter(progress.solved, ids)))
        for chapter, ids in by_chapter.items()
    ]


@dataclass(frozen=True)
class ProgressLine:
    """The line under a check: the bar of its chapter, what is next, and what went wrong.

    Attributes
    ----------
    standing : Standing
        The standing in the chapter.
    trouble : str
        A sentence about what went wrong, or empty.
    """

    standing: Standing
    trouble: str = ""

    def __str__(self) -> str:
        return f"{self.standing.bar} {self._words}"

    def _repr_html_(self) -> str:
        bar = f'<span aria-hidden="true">{self.standing.bar}</span>'
        return f'<p style="margin: 0.4em 0">{bar} {html.escape(self._words)}</p>'

    @property
    def _words(self) -> str:
        one = self.standing
        follows = f"; next is {one.next}" if one.next else ""
        words = f"Chapter {one.chapter}: {one.counted}{follows}."
        return f"{words} {self.trouble}".strip()


@dataclass(frozen=True)
class Overview:
    """The page of chapter 00: every chapter that has exercises, what is done and what is next.

    Attributes
    ----------
    standings : sequence of Standing
        One for each chapter.
    where : str
        A sentence: where the progress is kept, or what went wrong.
    links : mapping of str to str
        Number of a chapter -> its notebook, for those that lie beside the one that is open.
    """

    standings: Sequence[Standing]
    where: str = ""
    links: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        rows = [(one.chapter, one.bar, one.counted, self._next(one)) for one in self.standings]
        return "\n".join([text_table(rows), self._sum, *([self.where] if self.where else [])])

    def _repr_html_(self) -> str:
        head = "".join(
            f'<th scope="col" style="{_CELL}">{name}</th>'
            for name in ("chapter", "exercises", "done", "next")
        )
        body = "\n".join(
            f'<tr><th scope="row" style="{_CELL}">{one.chapter}</th>'
            f'<td style="{_CELL}"><span aria-hidden="true">{one.bar}</span></td>'
            f'<td style="{_CELL}">{one.counted}</td>'
            f'<td style="{_CELL}">{self._next_linked(one)}</td></tr>'
            for one in self.standings
        )
        below = " ".join(filter(None, (self._sum, self.where)))
        return (
            f"<table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>\n"
            f"<p>{html.escape(below)}</p>"
        )

    @property
    def _sum(self) -> str:
        done = sum(len(one.solved) for one in self.standings)
        total = sum(len(one.exercises) for one in self.standings)
        return f"{done} of {total} exercises done."

    def _next_linked(self, one: Standing) -> str:
        """The next exercise, one click away where its notebook is at hand."""
        said, to = html.escape(self._next(one)), self.links.get(one.chapter)
        return f'<a href="{html.escape(quote(to))}">{said}</a>' if to and said else said

    def _next(self, one: Standing) -> str:
        """The next exercise of a chapter, marked in the first chapter that is not finished."""
        first = next((each for each in self.standings if each.next), None)
        return f"{one.next}  ← go on here" if one is first else one.next
