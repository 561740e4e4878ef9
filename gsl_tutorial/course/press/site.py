"""The static site: every chapter, solved and executed, as pages that need no network and no server.

Sphinx makes the pages, the navigation and the search, MyST-NB reads the notebooks, Furo is the look.
Ours is what keeps the network out: formulas are MathML with a font beside them, pictures lie beside the
pages, and a widget that lives in the page comes as the notebook holds it. Nothing is executed.
"""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat

from gsl_tutorial.course.press import columns, formulas
from gsl_tutorial.course.press.errors import SourceError
from gsl_tutorial.course.press.pages import beside, with_pictures
from gsl_tutorial.course.press.student_page import title_of
from gsl_tutorial.course.widgets import GradientExplorer
from gsl_tutorial.course.widgets.explorer_play import PRESETS, TOUR
from gsl_tutorial.errors import DataMissingError, InvalidInputError, StorageError, UnknownNameError

TOOLS = ("furo", "latex2mathml", "myst_nb", "sphinx", "sphinx_revealjs", "ziamath")
TITLE = "Gradient snapping: a workbook"

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_INDEX = """\
# {title}

On learned quantization and similarity search, with the gradient snapping layer. These pages show the
solved notebooks as they ran; figures that can be dragged are alive here. To do the exercises, open the
notebooks in JupyterLab.

Move the point z, press **Tour**, or open one of the named worlds:

`````{{raw}} html
{explorer}
`````

The layer is from Liu and Lu, [arXiv 1610.09645](https://arxiv.org/abs/1610.09645). Only the abstract of
that paper was at hand: the formulas are a reconstruction.

```{{toctree}}
:maxdepth: 1

{chapters}
```
"""
_STYLE = """\
.cell_output pre { white-space: pre-wrap; }
.cell_output img { max-width: 100%; height: auto; background: #fff; margin: 0.5rem 0; }
.cell_output .still { font-size: 0.85em; font-style: italic; margin-top: 0; }
:focus-visible { outline: 3px solid var(--color-brand-primary); outline-offset: 2px; }
/* A line of code has up to a hundred letters; text stays as narrow as it was. */
.content { width: 55em; }
td:first-child code { white-space: nowrap; }
.cell_output table { font-size: 0.85em; }
.cell_output .table-wrapper { margin: 0; padding: 0; }
article section > details { margin-bottom: 1rem; }
article section > :is(p, ul, ol, blockquote) { max-width: 46em; }
@media (min-width: 63em) { .sidebar-drawer { width: calc(50% - 30em); } }
@media (max-width: 46em) { article table { font-size: 0.8em; } }
@media print {
  .skip-to-content, .toc-drawer, .back-to-top { display: none !important; }
  .highlight pre { white-space: pre-wrap; font-size: 0.64rem; }
  .cell_output img, .gsl-explorer-page, .cell_output tr { break-inside: avoid; }
  .cell_output table { font-size: 0.65em; }
}
"""


@dataclass(frozen=True)
class Site:
    """Where the site begins, and its chapters.

    Attributes
    ----------
    index : Path
        The first page.
    chapters : tuple of str
        Names of the chapters.
    """

    index: Path
    chapters: tuple[str, ...]


def require_tools() -> None:
    """Check that the optional tools for pages and slides are installed.

    Raises
    ------
    DataMissingError
        Some of them are not.
    """
    missing = [tool for tool in TOOLS if find_spec(tool) is None]
    if missing:
        raise DataMissingError(
            "the tools that make pages",
            f"none called {', '.join(missing)}",
            'run `python -m pip install -c constraints.txt -e ".[authors]"`',
        )


def build_site(root: Path, to: Path, *, only: list[str] | None = None) -> Site:
    """Make the site of the repository at `root` in the folder `to`.

    Parameters
    ----------
    root : Path
        The folder that holds ``notebooks/solutions``.
    to : Path
        A new folder, or one that a former call made; it is replaced whole.
    only : list of str, optional
        Numbers of the chapters to show; all by default.

    Returns
    -------
    Site
        What was made.

    Raises
    ------
    DataMissingError
        The optional tools are not installed.
    InvalidInputError
        There are no solved notebooks, or `to` holds something else than a site.
    SourceError
        A formula or a link is wrong; the text names the place.
    StorageError
        The site could not be written.
    """
    require_tools()
    notebooks = _chosen(root, only)
    if to.exists() and (not to.is_dir() or (any(to.iterdir()) and not _is_site(to))):
        raise InvalidInputError(
            "a new folder for the site", f"{to}, which holds more", "name another"
        )
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=to.parent, prefix=".site-") as scratch:
            source, pages = Path(scratch) / "source", Path(scratch) / "pages"
            _stage(notebooks, source)
            # A part of the chapters links to others that are not there.
            whole = {} if only is None else {"suppress_warnings": ["myst.xref_missing"]}
            _press(source, pages, Path(scratch) / "doctrees", _SETTINGS | whole)
            _finish(pages)
            if to.exists():
                shutil.rmtree(to)
            shutil.move(pages, to)
    except (PermissionError, FileExistsError, NotADirectoryError) as error:
        raise StorageError(
            f"to write the site into {to.name}", str(error), "make room or allow writing"
        ) from error
    return Site(to / "index.html", tuple(path.stem for path in notebooks))


def _is_site(folder: Path) -> bool:
    return (folder / "searchindex.js").exists() and (folder / "index.html").exists()


def _chosen(root: Path, only: list[str] | None) -> list[Path]:
    notebooks = sorted((root / "notebooks" / "solutions").glob("*.ipynb"))
    if not notebooks:
        raise InvalidInputError(
            "a folder with notebooks/solutions", f"{root}", "run this in the repository"
        )
    known = [path.stem[:2] for path in notebooks]
    for number in only or []:
        if number not in known:
            raise UnknownNameError("chapter", number, known)
    return [path for path in notebooks if only is None or path.stem[:2] in only]


def _stage(notebooks: list[Path], source: Path) -> None:
    """What Sphinx reads: the notebooks, their pictures, and a first page."""
    static = source / "_static"
    place = beside(static / "figures", "_static/figures")
    static.mkdir(parents=True)
    for path in notebooks:
        shown = with_pictures(nbformat.read(path, as_version=4), place)
        nbformat.write(shown, source / path.name)
    entries = "\n".join(f"{path.stem[:2]} {title_of(path)} <{path.stem}>" for path in notebooks)
    explorer = GradientExplorer(presets=PRESETS, tour=TOUR).to_html()
    index = _INDEX.format(title=TITLE, chapters=entries, explorer=explorer)
    (source / "index.md").write_text(index, "utf-8")
    letters = formulas.STYLE.format(family=formulas.FONT_FAMILY, address="formulas.ttf")
    (static / "workbook.css").write_text(letters + _STYLE + columns.STYLE, "utf-8")


def _press(source: Path, pages: Path, doctrees: Path, settings: dict[str, Any]) -> None:
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    warnings = io.StringIO()
    with patch_docutils(), docutils_namespace():
        sphinx = Sphinx(
            str(source), None, str(pages), str(doctrees), "html",
            confoverrides=settings, status=None, warning=warnings, freshenv=True,
        )  # fmt: skip
        sphinx.build()
    if said := _COLOUR.sub("", warnings.getvalue()).strip():
        first = said.splitlines()[0].replace(str(source), "").lstrip("/")
        raise SourceError("pages without warnings", first, "correct the chapter and build it again")


def _finish(pages: Path) -> None:
    text = ""
    for page in pages.glob("*.html"):
        page.write_text(columns.marked(formulas.unbroken(page.read_text("utf-8"))), "utf-8")
        text += page.read_text("utf-8")
    shutil.rmtree(pages / "_sources", ignore_errors=True)  # the notebooks once more
    (pages / "_static" / "formulas.ttf").write_bytes(formulas.font(text))


def setup(app: Any) -> dict[str, bool]:
    """Teach Sphinx our formulas; it calls this by itself."""
    from docutils import nodes

    def visit(translator: Any, node: Any) -> None:
        display = isinstance(node, nodes.math_block)
        translator.body.append(formulas.mathml(node.astext(), display=display))
        raise nodes.SkipNode

    app.add_html_math_renderer("mathml", (visit, None), (visit, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


_SETTINGS: dict[str, Any] = {
    "project": TITLE,
    "extensions": ["myst_nb", "gsl_tutorial.course.press.site"],
    "html_theme": "furo",
    "html_title": TITLE,
    "html_static_path": ["_static"],
    "html_css_files": ["workbook.css"],
    "html_math_renderer": "mathml",
    "html_show_sourcelink": False,
    "html_copy_source": False,
    "html_show_copyright": False,
    # Summaries of results are fetched from the pages, which a browser forbids where there is no server.
    "html_show_search_summary": False,
    "myst_enable_extensions": ["dollarmath"],
    "nb_execution_mode": "off",
    # The default knows no tables.
    "nb_render_markdown_format": "myst",
    "nb_ipywidgets_js": {},
}
