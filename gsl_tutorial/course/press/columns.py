"""Printed tables on a page: they keep their columns, where prose that was printed may wrap.

A notebook prints tables as text, some of them broader than a page. Wrapped, no column stands under its
heading. So the page is told which outputs are tables and how broad they are: its style makes their
letters smaller as far as they can be read, and lets the rest scroll.
"""

from __future__ import annotations

import html
import re
from itertools import pairwise

#: What the style needs to know; the container gives the width that is there.
STYLE = """\
.cell_output:has(pre.columns) { container-type: inline-size; }
/* A letter is 0.61 em broad; 2 em go to the padding. */
pre.columns {
  white-space: pre !important; overflow-x: auto;
  font-size: clamp(0.68rem, (100cqw - 2rem) / (0.61 * var(--letters)), var(--code-font-size));
}
@media print {
  pre.columns {
    font-size: clamp(0.3rem, (100cqw - 2rem) / (0.61 * var(--letters)), 0.7rem);
  }
}
"""
#: What a cell printed, or what it folded away (`show_folded`).
_OUTPUT = re.compile(
    r'(<div class="output [^"]*"><div class="highlight">|<details><summary>[^<]*</summary>)'
    r"<pre(?: tabindex=[^>]*)?>(.*?)</pre>",
    re.DOTALL,
)
_GAP = re.compile(r"\S( {2,})(?=\S)")
#: A line this long fits on a narrow page, too; nothing would wrap.
_SHORT = 40


def marked(page: str) -> str:
    """Tell the printed tables of a page apart.

    Parameters
    ----------
    page : str
        The HTML of a page.

    Returns
    -------
    str
        The same page; each table carries its breadth in letters.
    """

    def mark(found: re.Match[str]) -> str:
        breadth = letters(html.unescape(re.sub(r"<[^>]*>", "", found[2])))
        if breadth <= _SHORT:
            return found[0]
        # A box that scrolls is reached by Tab, in every browser.
        tags = f'class="columns" style="--letters: {breadth}" tabindex="0"'
        return f"{found[1]}<pre {tags}>{found[2]}</pre>"

    return _OUTPUT.sub(mark, page)


def letters(text: str) -> int:
    """Say how broad the table is that a text holds.

    A row is a line with a gap of two spaces or more that ends where a gap of a neighbouring line
    ends.

    Parameters
    ----------
    text : str
        A printed output.

    Returns
    -------
    int
        Breadth in letters; 0 if the text holds no table, or prose that is broader.
    """
    lines = text.splitlines()
    ends = [{one.end() for one in _GAP.finditer(line)} for line in lines]
    meets = [bool(first & second) for first, second in pairwise(ends)]
    is_row = [a or b for a, b in zip([False, *meets], [*meets, False], strict=True)]
    rows = max((len(line) for line, row in zip(lines, is_row, strict=False) if row), default=0)
    return rows if rows == max(map(len, lines), default=0) else 0
