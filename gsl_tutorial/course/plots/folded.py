"""Detail that is there for whoever wants it: a line that unfolds to a text."""

from __future__ import annotations

import html

from IPython.display import display


def show_folded(summary: str, text: str) -> None:
    """Display a line that opens to a text of fixed width, without kernel and without scripts.

    Parameters
    ----------
    summary : str
        The line.
    text : str
        What it hides, such as a table.
    """
    look = "overflow-x: auto; font-size: 85%; line-height: 1.35"
    fold = (
        f"<details><summary>{html.escape(summary)}</summary>"
        f'<pre tabindex="0" style="{look}">{html.escape(text)}</pre></details>'
    )
    display({"text/html": fold, "text/plain": f"{summary}\n{text}"}, raw=True)
