"""What a notebook prints: sentences that wrap between words, and tables that a page can scroll.

JupyterLab breaks a printed line where the cell ends, in the middle of a word. Beside the file browser, in
a window 1280 pixels wide, a cell holds 107 letters. So a sentence is wrapped before it gets there, and a
table with many columns goes out as HTML, with the aligned text beside it for terminals and text readers.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Collection, Iterable, Sequence

from gsl_tutorial.course.text_table import text_table

#: How many letters a printed line may have.
LINE = 104

_SCROLLS = "overflow-x: auto; max-width: 100%"
#: As many letters are never broken in a table.
_SHORT = 18
_TABLE = "font-variant-numeric: tabular-nums; margin: 0.3em 0 0.8em"


def wrapped(text: str) -> str:
    """Return a text with line ends between words, so that no line is longer than `LINE`.

    A line that goes on below is set in by four spaces, or under its own first word where it was set in
    itself. A single word that is longer than a line stays whole.

    Parameters
    ----------
    text : str
        One or more lines.

    Returns
    -------
    str

    Examples
    --------
    >>> print(wrapped("Of 10,000 queries " + "very " * 18 + "many improve."))
    Of 10,000 queries very very very very very very very very very very very very very very very very
        very very many improve.
    """
    return "\n".join(_broken(line) for line in text.split("\n"))


def _broken(line: str) -> str:
    if len(line) <= LINE:
        return line
    set_in = len(line) - len(line.lstrip())
    return textwrap.fill(
        line,
        LINE,
        subsequent_indent=" " * (set_in + 4),
        break_long_words=False,
        break_on_hyphens=False,
    )


def say(*texts: object) -> None:
    """Print sentences, each on lines of its own, and none of them wider than a notebook.

    Parameters
    ----------
    *texts : object
        What is printed, see `wrapped`.
    """
    for text in texts:
        print(wrapped(str(text)))


class Table:
    """Rows in columns: a table on a page, aligned text in a terminal.

    A notebook shows it when it is the last line of a cell; `print` writes the text.

    Parameters
    ----------
    rows : iterable of sequences
        The cells, as many in each row.
    head : sequence of str
        The headings.
    right : collection of int
        Which columns stand at their right edge, counted from 0.
    """

    def __init__(
        self, rows: Iterable[Sequence[object]], *, head: Sequence[str], right: Collection[int] = ()
    ) -> None:
        self.rows = [[str(cell) for cell in row] for row in rows]
        self.head = list(head)
        self.right = frozenset(right)

    def __str__(self) -> str:
        return text_table(self.rows, head=self.head, right=self.right)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(
            f'<th scope="col"{self._look(i)}>{html.escape(one)}</th>'
            for i, one in enumerate(self.head)
        )
        body = "".join(
            "<tr>"
            + f'<th scope="row"{self._look(0, row[0])}>{html.escape(row[0])}</th>'
            + "".join(
                f"<td{self._look(i, one)}>{html.escape(one)}</td>" for i, one in enumerate(row) if i
            )
            + "</tr>"
            for row in self.rows
        )
        return (
            f'<div style="{_SCROLLS}" tabindex="0" role="group" aria-label="Table">'
            f'<table style="{_TABLE}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        )

    def _look(self, column: int, cell: str | None = None) -> str:
        """The style of a heading, or of a cell: "0.21 ± 0.01" stays on one line, a sentence wraps."""
        side = f"text-align: {'right' if column in self.right else 'left'}"
        wraps = cell is None or len(cell) > _SHORT
        return f' style="{side}{"" if wraps else "; white-space: nowrap"}"'
