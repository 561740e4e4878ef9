"""Rows set out in columns, as plain text: for a terminal, a notebook and a file alike.

Nothing is cut and no word is broken. In a terminal the last column wraps between words and stays below
its heading; elsewhere every row is one line, and whoever shows it may scroll.

Source: rich's Table, which knows how broad a letter is (a name in Chinese takes twice its length). What
we changed: no frames and no colours, and nothing is dropped where a terminal is too narrow.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Iterable, Sequence
from io import StringIO

_ENDLESS = 10_000


def text_table(
    rows: Iterable[Sequence[object]], *, head: Sequence[str] = (), right: Collection[int] = ()
) -> str:
    r"""Return the rows as aligned text, two spaces between columns, without a line end at the end.

    Parameters
    ----------
    rows : iterable of sequences
        The cells, as many in each row; a cell may hold several lines.
    head : sequence of str, optional
        The headings.
    right : collection of int
        Which columns stand at their right edge, counted from 0: those of whole numbers.

    Returns
    -------
    str
        The lines, without spaces at their ends and without escape codes.

    Examples
    --------
    >>> print(text_table([("none", 7), ("snap", 12)], head=("method", "seed"), right=(1,)))
    method  seed
    none       7
    snap      12
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    written = StringIO()
    console = Console(
        file=written,
        width=_ENDLESS,
        color_system=None,
        force_terminal=False,
        force_jupyter=False,
    )
    # As Text, so that a word in square brackets is no markup and a :smile: no picture.
    lines = [[Text(str(cell)) for cell in row] for row in rows]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=bool(head))
    columns = list(zip(*([list(map(Text, head))] if head else []), *lines, strict=True))
    sizes = [[console.measure(cell) for cell in column] for column in columns]
    for i in range(len(columns)):
        table.add_column(
            columns[i][0] if head else "",
            justify="right" if i in right else "left",
            no_wrap=i < len(columns) - 1,
        )
    for line in lines:
        table.add_row(*line)
    # As broad as the terminal, but never narrower than what must not be broken.
    *fixed, last = sizes or [[]]
    width = sum(2 + max(size.maximum for size in column) for column in fixed)
    width += max((size.minimum for size in last), default=0)
    broad = shutil.get_terminal_size().columns if sys.stdout.isatty() else _ENDLESS
    console.print(table, width=max(width, broad), crop=False)
    return "\n".join(line.rstrip() for line in written.getvalue().rstrip("\n").split("\n"))
