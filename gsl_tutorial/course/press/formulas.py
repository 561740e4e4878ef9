"""Formulas as MathML, with the font they need: readable by browsers and screen readers, no script.

Jupyter lets MathJax draw formulas in the page, which pages without a network cannot load. Here they are
translated once, by latex2mathml. STIX Two Math, which ziamath carries, goes with the page, cut down to
the letters in use; without it a browser takes whatever font it finds.
"""

from __future__ import annotations

import html
import io
import logging
import re
import unicodedata
from importlib import resources

from gsl_tutorial.course.press.errors import SourceError

FONT_FAMILY = "Formula"
#: What a page says about its formulas, once; the address of the font goes into it.
STYLE = """\
@font-face {{ font-family: "{family}"; src: url("{address}") format("truetype"); }}
math {{ font-family: "{family}", math; font-size: 110%; }}
math[display="block"] {{ margin: 1em 0; overflow-x: auto; overflow-y: hidden; }}
.unbroken {{ white-space: nowrap; }}
"""
_ITALIC_H = 0x210E  # Unicode had this one before the others
#: Bars and angle brackets are fences that do not grow unasked, the name of a function keeps its
#: distance, a minus behind an opening bracket is a sign, and a bar is as wide as what is under it.
_MENDED = (
    (re.compile(r"<mo>(&#x0?2016;|&#x02225;|&#x0007C;)</mo>"), r'<mo stretchy="false">\1</mo>'),
    (re.compile(r"<mi>(&#x027E8;)</mi>"), r'<mo stretchy="false" form="prefix">\1</mo>'),
    (re.compile(r"<mi>(&#x027E9;)</mi>"), r'<mo stretchy="false" form="postfix">\1</mo>'),
    (re.compile(r"<mi>([a-z]{2,})</mi>"), r'<mo lspace="0.17em" rspace="0.17em">\1</mo>'),
    (re.compile(r"(&#x0(?:27E8|0028);</mo>)<mo>(&#x02212;)"), r'\1<mo form="prefix">\2'),
    (
        re.compile(r'<mover>((?:(?!<mover).)*?<mo stretchy="true">)&#x000AF;'),
        r'<mover accent="true">\1&#x0203E;',
    ),
)
_BESIDE_TEXT = re.compile(
    r'([(\[“‘]*)(<math [^>]*display="inline"[^>]*>.*?</math>)([.,;:?!)\]”’]*)', re.DOTALL
)
_LOOKS_RAW = re.compile(r"\\[a-zA-Z]+|merror")


def mathml(latex: str, *, display: bool) -> str:
    """Write one formula as a ``<math>`` element.

    Parameters
    ----------
    latex : str
        The formula.
    display : bool
        Whether it stands on a line of its own.

    Returns
    -------
    str
        The element.

    Raises
    ------
    SourceError
        Some of it is not understood.
    """
    from latex2mathml.converter import convert

    try:
        made = convert(latex, display="block" if display else "inline")
    except Exception as error:  # latex2mathml has a class for each mistake
        raise _not_understood(latex, type(error).__name__) from error
    if raw := _LOOKS_RAW.search(re.sub(r"<[^>]*>", " ", made)):
        raise _not_understood(latex, raw[0])
    for pattern, better in _MENDED:
        made = pattern.sub(better, made)
    return made.replace("<math ", f'<math alttext="{html.escape(latex.strip())}" ', 1)


def unbroken(page: str) -> str:
    """Tie each inline formula of a page to the stops and brackets that touch it."""

    def tie(found: re.Match[str]) -> str:
        before, formula, after = found.groups()
        return f'<span class="unbroken">{found[0]}</span>' if before or after else formula

    return _BESIDE_TEXT.sub(tie, page)


def font(pages: str) -> bytes:
    """Cut STIX Two Math down to what the formulas of some pages need.

    Parameters
    ----------
    pages : str
        The HTML of the pages.

    Returns
    -------
    bytes
        A TrueType font.
    """
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    formulas = re.findall(r"<math.*?</math>", pages, re.DOTALL)
    letters = set(html.unescape(re.sub(r"<[^>]*>", "", "".join(formulas)))) | set("0123456789()")
    data = resources.files("ziamath").joinpath("fonts/STIXTwoMath-Regular.ttf").read_bytes()
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every glyph
    cut = TTFont(io.BytesIO(data))
    options = Options(layout_features=["*"], notdef_outline=True)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes={ord(one) for one in letters} | set(map(_italic, letters)))
    subsetter.subset(cut)
    buffer = io.BytesIO()
    cut.save(buffer)
    return buffer.getvalue()


def _italic(letter: str) -> int:
    """A browser draws the variable x by U+1D465, its slanted form; itself where it has none."""
    try:
        name = unicodedata.name(letter).replace("LETTER ", "").split(" ", 1)[1]
        return ord(unicodedata.lookup(f"MATHEMATICAL ITALIC {name}"))
    except (IndexError, KeyError, ValueError):
        return _ITALIC_H if letter == "h" else ord(letter)


def _not_understood(latex: str, what: str) -> SourceError:
    return SourceError(
        "a formula that latex2mathml understands",
        f"{what!r} in {latex.strip()!r}",
        "write it with other commands",
    )
