"""Links inside the project lead somewhere: from notebooks and pages, to files and to headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    {*ROOT.glob("*.md"), *(ROOT / "data").rglob("*.md"), *(ROOT / "notebooks").rglob("*.ipynb")}
)
_OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_HTML_LINK = re.compile(r"""<a\b[^>]*\bhref\s*=\s*["']([^"']*)""", re.IGNORECASE)


def texts(path: Path) -> list[str]:
    if path.suffix != ".ipynb":
        return [path.read_text(encoding="utf-8")]
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


def links(path: Path) -> Iterator[str]:
    for text in texts(path):
        for token in MarkdownIt("commonmark").enable("table").parse(text):
            for one in (token, *(token.children or [])):
                if one.type == "link_open":
                    yield str(one.attrGet("href"))
                elif one.type == "image":
                    yield str(one.attrGet("src"))
                elif one.type in ("html_block", "html_inline"):
                    yield from _HTML_LINK.findall(one.content)


def anchors(path: Path) -> set[str]:
    """The names of headings as GitHub makes them, and as Jupyter does."""
    found = set()
    for text in texts(path):
        tokens = MarkdownIt("commonmark").parse(text)
        for before, inline in pairwise(tokens):
            if before.type == "heading_open":
                found.add(re.sub(r"[^\w\- ]", "", inline.content.lower()).replace(" ", "-"))
                found.add(inline.content.replace(" ", "-"))
    return found


def dead(path: Path) -> list[str]:
    found = []
    for link in links(path):
        if _OUTSIDE.match(link) or link.startswith("#gsl"):  # the state of a widget, see links.py
            continue
        file, _, anchor = unquote(link).partition("#")
        target = (path.parent / file).resolve() if file else path
        is_page = target.suffix in (".md", ".ipynb")
        if (
            not target.exists()
            or not target.is_relative_to(ROOT)
            or (anchor and (not is_page or anchor not in anchors(target)))
        ):
            found.append(link)
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_inside_the_project_lead_somewhere(path: Path) -> None:
    assert dead(path) == []


def test_dead_links_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "# Say it twice\n[a](page.md#say-it-twice) [b](#nowhere) [c](gone.md) [d](../above.md)\n"
        '[e](https://example.org) ![f](gone.png) <a href="away.html">g</a>\n'
    )
    assert dead(page) == ["#nowhere", "gone.md", "../above.md", "gone.png", "away.html"]
