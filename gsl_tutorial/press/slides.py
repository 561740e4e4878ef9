"""Slides of a chapter: one HTML file that needs nothing else, no network, no server.

reveal.js, which sphinx-revealjs carries, moves through them. Each heading of level 2 opens a column, in
which text, code and pictures follow downwards. What is too long for a slide is set smaller, and scrolls
when that is not enough. Formulas are MathML; pictures and fonts lie in the file. The students' notebook
is shown, so no solution is.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from nbformat import NotebookNode

from gsl_tutorial.errors import StorageError
from gsl_tutorial.press import formulas
from gsl_tutorial.press.building import finished, selected
from gsl_tutorial.press.pages import inline, with_pictures
from gsl_tutorial.press.site import require_tools
from gsl_tutorial.press.student_page import title_of

_HERE = Path(__file__).parent
#: Lines of text on a slide, letters in a line; the height of a line of code and of a picture, in lines.
_LINES, _WIDTH, _CODE, _PICTURE = 18, 85, 0.75, 14
_ONLY_HINT = re.compile(r"\s*hint\([^\n]*\s*")


def build_slides(root: Path, chapter: str, *, to: Path) -> Path:
    """Write the slides of a chapter, given by number or name, as one file in the folder `to`.

    Raises
    ------
    DataMissingError
        The optional tools are not installed.
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
    """The page of slides for a finished notebook."""
    notebook = with_pictures(nbformat.read(path, as_version=4), inline)
    body = "".join(
        f"<section>{''.join(f'<section>{slide}</section>' for slide in column)}</section>\n"
        for column in _columns(notebook)
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
    """Something that stays on one slide, with the lines it takes there; `opens` begins a column."""

    page: str
    lines: float
    opens: bool = False


def _columns(notebook: NotebookNode) -> list[list[str]]:
    """Columns of slides; neighbours share a slide where there is room."""
    columns: list[list[str]] = []
    used = 0.0
    for piece in _pieces(notebook):
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


def _pieces(notebook: NotebookNode) -> Iterator[_Piece]:
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield from _texts(cell.source)
        elif cell.cell_type == "code" and not _ONLY_HINT.fullmatch(cell.source):
            beside: list[str] = []
            below: list[str] = []
            for output in cell.outputs:
                made = _output(output)
                # A caption stays with its picture.
                (below if below or "<img" in made or "<script" in made else beside).append(made)
            said = "".join(beside)
            lines = _CODE * (cell.source.count("\n") + 1 + said.count("\n"))
            yield _Piece(_code(cell.source) + said, lines + 1)
            starts = [i for i, one in enumerate(below) if i == 0 or "<img" in one]
            for start, end in pairwise([*starts, len(below)]):
                yield _Piece("".join(below[start:end]), _PICTURE)


def _texts(markdown: str) -> Iterator[_Piece]:
    """A markdown cell, cut before each heading."""
    reader = _reader()
    environment: dict[str, Any] = {}
    tokens = reader.parse(markdown, environment)
    starts = [i for i, token in enumerate(tokens) if token.type == "heading_open"]
    for start, end in zip([0, *starts], [*starts, len(tokens)], strict=True):
        if piece := tokens[start:end]:
            text = reader.renderer.render(piece, reader.options, environment)
            lines = sum(1 + len(one.content) / _WIDTH for one in piece if one.content)
            yield _Piece(f'<div class="text">{text}</div>', lines, piece[0].tag in ("h1", "h2"))


def _reader() -> MarkdownIt:
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    def formula(latex: str, about: dict[str, Any]) -> str:
        return formulas.mathml(latex, display=about["display_mode"])

    reader = MarkdownIt("commonmark").enable("table")
    reader.use(dollarmath_plugin, renderer=formula)
    reader.add_render_rule("link_open", _outside_only)
    return reader


def _outside_only(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    """Links to other chapters lead nowhere from a file that travels alone."""
    if not str(tokens[index].attrGet("href")).startswith("http"):
        return "<a>"
    return self.renderToken(tokens, index, options, env)


def _code(source: str) -> str:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    return highlight(source, PythonLexer(), HtmlFormatter(cssclass="code"))


def _code_style() -> str:
    from pygments.formatters import HtmlFormatter

    return str(HtmlFormatter(style="xcode").get_style_defs(".code"))


def _output(output: NotebookNode) -> str:
    if output.output_type in ("stream", "error"):
        text = output.get("text") or f"{output.get('ename')}: {output.get('evalue')}"
    elif "text/html" in output.data:
        return str(output.data["text/html"])
    else:
        text = output.data.get("text/plain", "")
    return f'<pre class="output">{html.escape(text)}</pre>'


def _reveal(name: str) -> str:
    files = resources.files("sphinx_revealjs").joinpath("_static/revealjs/dist")
    return files.joinpath(name).read_text("utf-8")
