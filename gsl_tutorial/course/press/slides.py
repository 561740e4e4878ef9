"""Slides of a chapter: one HTML file that needs nothing else, no network, no server.

reveal.js, which sphinx-revealjs carries, moves through them. Each heading of level 2 opens a column, in
which text, code and pictures follow downwards; code that only draws or imports is folded. What is too
long for a slide is set smaller, and scrolls when that is not enough. Formulas are MathML; pictures and
fonts lie in the file. The students' notebook is shown, so no solution is.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from gsl_tutorial.course.press import formulas
from gsl_tutorial.course.press.building import finished, selected
from gsl_tutorial.course.press.pages import inline, with_pictures
from gsl_tutorial.course.press.site import require_tools
from gsl_tutorial.course.press.slide_texts import texts
from gsl_tutorial.course.press.sources import tags
from gsl_tutorial.course.press.student_page import title_of
from gsl_tutorial.errors import StorageError

_HERE = Path(__file__).parent
#: Lines of text on a slide; the height of a line of code and of a picture, in such lines.
_LINES, _CODE, _PICTURE = 18, 0.75, 15.5
#: Lines that a cell printed, and their letters at full size; the least size of broader ones, in percent.
_PRINTED, _BROAD, _SMALLEST = 21, 108, 65
_ONLY_HINT = re.compile(r"\s*hint\([^\n]*\s*")


def build_slides(root: Path, chapter: str, *, to: Path) -> Path:
    """Write the slides of a chapter as one file.

    Parameters
    ----------
    root : Path
        The folder that holds ``notebooks/src``.
    chapter : str
        Number or name of the chapter.
    to : Path
        The folder of the new file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    DataMissingError
        The optional tools are not installed.
    InvalidInputError
        `root` does not hold ``notebooks/src``.
    UnknownNameError
        No chapter is called so.
    SourceError
        A formula is not understood.
    StorageError
        The file could not be written.
    """
    require_tools()
    (source,) = selected(root, chapter)
    notebook = finished(source, "student")
    page = slides(notebook)
    path = to / f"{source.stem}.html"
    try:
        to.mkdir(parents=True, exist_ok=True)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"to write {path.name}", str(error), "make room or allow writing"
        ) from error
    return path


def slides(path: Path) -> str:
    """Make the page of slides for a finished notebook.

    Parameters
    ----------
    path : Path
        The notebook.

    Returns
    -------
    str
        The HTML of the page, which holds all that it needs.

    Raises
    ------
    SourceError
        A formula is not understood.
    """
    notebook = with_pictures(nbformat.read(path, as_version=4), inline)
    body = formulas.unbroken(
        "".join(
            f"<section>{''.join(f'<section>{slide}</section>' for slide in column)}</section>\n"
            for column in _columns(notebook)
        )
    )
    letters = base64.b64encode(formulas.font(body)).decode()
    style = formulas.STYLE.format(
        family=formulas.FONT_FAMILY, address=f"data:font/ttf;base64,{letters}"
    )
    return (_HERE / "slides.html").read_text("utf-8").format(
        title=html.escape(title_of(path)),
        style="\n".join([_reveal("reset.css"), _reveal("reveal.css"), _code_style(), style,
                         (_HERE / "slides.css").read_text("utf-8")]),
        script=_reveal("reveal.js").replace("</script", "<\\/script"),
        slides=body,
    )  # fmt: skip


@dataclass(frozen=True)
class _Piece:
    """Something that stays on one slide, with the lines it takes there.

    opens: begins a column. leads: belongs to what follows, like the text of an exercise to its blank.
    """

    page: str
    lines: float
    opens: bool = False
    leads: bool = False

    def __add__(self, other: _Piece) -> _Piece:
        return _Piece(self.page + other.page, self.lines + other.lines, self.opens, other.leads)


def _columns(notebook: NotebookNode) -> list[list[str]]:
    """Columns of slides; neighbours share a slide where there is room."""
    columns: list[list[str]] = []
    used = 0.0
    for piece in _led(_pieces(notebook)):
        if piece.opens or not columns:
            columns.append([piece.page])
        elif used + piece.lines <= _LINES:
            columns[-1][-1] += piece.page
            used += piece.lines
            continue
        else:
            columns[-1].append(piece.page)
        used = piece.lines
    return columns


def _led(pieces: Iterable[_Piece]) -> Iterator[_Piece]:
    """The pieces, each that leads joined to the next one where a slide holds both."""
    held: _Piece | None = None
    for piece in pieces:
        if held and held.leads and not piece.opens and held.lines + piece.lines <= _LINES:
            held += piece
            continue
        if held:
            yield held
        held = piece
    if held:
        yield held


def _pieces(notebook: NotebookNode) -> Iterator[_Piece]:
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for page, lines, opens, leads in texts(cell.source):
                yield _Piece(page, lines, opens, leads)
        elif cell.cell_type == "code" and not _ONLY_HINT.fullmatch(cell.source):
            beside: list[str] = []
            below: list[str] = []
            for output in cell.outputs:
                for made in _output(output):
                    # A caption stays with its picture.
                    is_below = below or "<img" in made or "<script" in made
                    (below if is_below else beside).append(made)
            code, lines = _code(cell, folded=bool(below))
            yield _Piece(code, lines, leads=bool(beside or below))
            for made in beside:
                yield _Piece(made, _CODE * (made.count("\n") + 1), leads=bool(below))
            starts = [i for i, one in enumerate(below) if i == 0 or "<img" in one]
            for start, end in pairwise([*starts, len(below)]):
                yield _Piece("".join(below[start:end]), _PICTURE)


def _code(cell: NotebookNode, *, folded: bool) -> tuple[str, float]:
    """The code of a cell and its lines; what draws or imports is folded, what is to be written is not."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    shown = highlight(cell.source, PythonLexer(), HtmlFormatter(cssclass="code"))
    folded = folded or cell.source.startswith(("import ", "from "))
    if folded and "exercise" not in tags(cell):
        return f"<details><summary>Code</summary>{shown}</details>", 1.5
    return shown, _CODE * (cell.source.count("\n") + 1) + 1


def _code_style() -> str:
    from pygments.formatters import HtmlFormatter

    return str(HtmlFormatter(style="xcode").get_style_defs(".code"))


def _output(output: NotebookNode) -> Iterator[str]:
    """The HTML of an output; a long text or table in several parts."""
    if output.output_type in ("stream", "error"):
        text = output.get("text") or f"{output.get('ename')}: {output.get('evalue')}"
    elif "text/html" in output.data:
        yield str(output.data["text/html"])
        return
    elif "text/markdown" in output.data:
        yield from (page for page, *_ in texts(output.data["text/markdown"]))
        return
    else:
        text = output.data.get("text/plain", "")
    lines = text.splitlines()
    for start in range(0, len(lines), _PRINTED):
        part = lines[start : start + _PRINTED]
        # A table of text is set smaller: wrapped, nobody could read its columns.
        size = max(_SMALLEST, min(100, 100 * _BROAD // max(1, *map(len, part))))
        style = f' style="zoom: {size}%"' if size < 100 else ""
        text = html.escape("\n".join(part))
        yield f'<pre class="output"{style}>{text}</pre>'


def _reveal(name: str) -> str:
    files = resources.files("sphinx_revealjs").joinpath("_static/revealjs/dist")
    return files.joinpath(name).read_text("utf-8")
