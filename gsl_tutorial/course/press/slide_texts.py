"""The text of a markdown cell for slides: cut where a slide may begin, formulas as MathML.

A piece begins at each heading and at each exercise. A long table becomes several, each with its head.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from gsl_tutorial.course.press import formulas

_WIDTH, _ROW, _ROWS = 85, 1.2, 11
_EXERCISE = re.compile(r"\*\*Exercise \d")


def texts(markdown: str) -> Iterator[tuple[str, float, bool, bool]]:
    """Cut a markdown text into the pieces that stay whole on a slide.

    Parameters
    ----------
    markdown : str
        Source of a cell.

    Yields
    ------
    html : str
        One piece.
    lines : float
        How many lines it takes.
    opens : bool
        Whether it opens a chapter or a section.
    leads : bool
        Whether it leads to what follows: an exercise to its blank, a sentence that ends with a
        colon to its example.
    """
    reader = _reader()
    environment: dict[str, Any] = {}
    piece: list[list[Token]] = []

    def made() -> tuple[str, float, bool, bool]:
        tokens = [token for block in piece for token in block]
        html = reader.renderer.render(tokens, reader.options, environment)
        first, last = piece[0], piece[-1]
        leads = _is_exercise(first) or (
            last[0].type == "paragraph_open" and _said(last)[-1:] == ":"
        )
        lines = sum(map(_lines, piece))
        return f'<div class="text">{html}</div>', lines, first[0].tag in ("h1", "h2"), leads

    for block in _blocks(reader.parse(markdown, environment)):
        for number, part in enumerate(_portions(block)):
            if piece and (number or part[0].type == "heading_open" or _is_exercise(part)):
                yield made()
                piece = []
            piece.append(part)
    if piece:
        yield made()


def _blocks(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Paragraphs, lists, tables: what stands at the outermost level, with all it holds."""
    block: list[Token] = []
    for token in tokens:
        block.append(token)
        if token.level == 0 and token.nesting <= 0:
            yield block
            block = []


def _portions(block: list[Token]) -> Iterator[list[Token]]:
    """A block as it is; a long table in parts of equal length, each with the head."""
    ends = [i + 1 for i, token in enumerate(block) if token.type == "tr_close"][1:]
    if block[0].type != "table_open" or len(ends) <= _ROWS:
        yield block
        return
    body = 1 + next(i for i, token in enumerate(block) if token.type == "tbody_open")
    n_parts = -(-len(ends) // _ROWS)
    cuts = [body, *(ends[len(ends) * part // n_parts - 1] for part in range(1, n_parts + 1))]
    for start, end in pairwise(cuts):
        yield [*block[:body], *block[start:end], *block[ends[-1] :]]


def _lines(block: list[Token]) -> float:
    if block[0].type == "table_open":
        n_rows = sum(token.type == "tr_open" for token in block)
        return _ROW * max(n_rows, len(_said(block)) / _WIDTH)
    return sum(1 + len(token.content) / _WIDTH for token in block if token.content)


def _said(block: list[Token]) -> str:
    return "".join(token.content for token in block)


def _is_exercise(block: list[Token]) -> bool:
    return block[0].type == "paragraph_open" and bool(_EXERCISE.match(_said(block)))


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
