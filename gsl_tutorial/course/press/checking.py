"""What is wrong with a finished notebook, for its readers and for the next build.

Markdown is parsed by markdown-it (jupytext brings it), so that a `#` in a code block is no heading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import nbformat
from markdown_it import MarkdownIt
from markdown_it.token import Token
from nbformat import NotebookNode

from gsl_tutorial.course.press.budgets import BUDGETS, disk_mb
from gsl_tutorial.course.press.cleaning import WIDGET_VIEW, faults
from gsl_tutorial.course.press.sources import syntax_fault, tags

#: How many claims a chapter may make; the first page has none to make.
CLAIMS = range(3, 7)
NO_CLAIMS_NEEDED = "00"

_HTML_IMAGE = re.compile(r"<img\b[^>]*>", re.IGNORECASE)
_HTML_ALT = re.compile(r"""\balt\s*=\s*(["'])\s*[^"'\s]""", re.IGNORECASE)


def check_notebook(path: Path) -> list[str]:
    """List the problems of a finished notebook.

    Parameters
    ----------
    path : Path
        The notebook.

    Returns
    -------
    list of str
        One sentence for each problem; empty when there are none.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except (OSError, ValueError, AttributeError, KeyError, nbformat.ValidationError) as error:
        return [f"it cannot be read as a notebook: {str(error).splitlines()[0]}"]
    return [
        *_whole(path, notebook),
        *_ids(path, notebook),
        *_headings(notebook),
        *(problem for cell in notebook.cells for problem in _cell(cell)),
    ]


def _whole(path: Path, notebook: NotebookNode) -> Iterator[str]:
    if (size := disk_mb(path)) > BUDGETS.disk_mb:
        yield f"it takes {size:.1f} MB on disk, more than {BUDGETS.disk_mb:g} MB"
    if "widgets" in notebook.metadata:
        yield "its metadata holds widget state"
    claims = sum("claim" in tags(cell) for cell in notebook.cells)
    if claims not in CLAIMS and not path.name.startswith(NO_CLAIMS_NEEDED):
        yield f"it makes {claims} claims, not {CLAIMS.start} to {CLAIMS.stop - 1}"
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        yield "its cells were not run once each, from top to bottom"


def _ids(path: Path, notebook: NotebookNode) -> Iterator[str]:
    ids = [cell.get("id", "") for cell in notebook.cells]
    wrong = [name for name in ids if not re.fullmatch(rf"{path.name[:2]}-\d{{3,}}", name)]
    for name in wrong:
        yield f"the cell id {name!r} is not made of chapter and position"
    if not wrong and ids != sorted(set(ids)):
        yield "its cell ids do not rise"


def _headings(notebook: NotebookNode) -> Iterator[str]:
    levels = [
        int(token.tag[1:])
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for token in MarkdownIt().parse(cell.source)
        if token.type == "heading_open"
    ]
    if levels.count(1) != 1:
        yield f"it has {levels.count(1)} headings of level 1, not one"
    for above, below in pairwise([0, *levels]):
        if below > above + 1:
            yield f"a heading of level {below} follows one of level {above}"


def _cell(cell: NotebookNode) -> Iterator[str]:
    name = f"cell {cell.get('id')}"
    for fault in faults(cell):
        yield f"{name} has {fault}"
    if broken := syntax_fault(cell):
        yield f"{name} does not compile ({broken})"
    if cell.cell_type == "markdown" and any(map(_lacks_alt_text, _tokens(cell.source))):
        yield f"{name} has an image without alt text"
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if WIDGET_VIEW in data:
            yield f"{name} has a widget view without its widget"
        if "image/png" in data or any(
            not _HTML_ALT.search(one) for one in _HTML_IMAGE.findall(data.get("text/html", ""))
        ):
            yield f"{name} has a picture among its outputs without alt text"


def _tokens(markdown: str) -> Iterator[Token]:
    for token in MarkdownIt().parse(markdown):
        yield token
        yield from token.children or []


def _lacks_alt_text(token: Token) -> bool:
    if token.type == "image":
        return not token.content.strip()
    if token.type in ("html_inline", "html_block"):
        return any(not _HTML_ALT.search(image) for image in _HTML_IMAGE.findall(token.content))
    return False
