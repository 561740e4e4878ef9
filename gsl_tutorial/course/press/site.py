"""The static site: the chapters as they ran and for students, and the reference; no network, no server.

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

from gsl_tutorial.course.press import columns, formulas, reference
from gsl_tutorial.course.press.errors import SourceError
from gsl_tutorial.course.press.front_page import front_page, repository_of
from gsl_tutorial.course.press.pages import beside, with_pictures
from gsl_tutorial.course.press.student_page import title_of
from gsl_tutorial.errors import DataMissingError, InvalidInputError, StorageError, UnknownNameError

TOOLS = ("furo", "latex2mathml", "myst_nb", "sphinx", "sphinx_revealjs", "ziamath")
TITLE = "Gradient snapping: a workbook"

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_STYLE = Path(__file__).parent / "workbook.css"
_TRAINING = Path("docs") / "training.md"
#: The folder of the pages for students, whose notebooks have exercises to solve.
_STUDENT = "student"
_TOCTREE = """\
```{{toctree}}
:hidden:
:maxdepth: 1
:caption: {caption}

{entries}
```
"""
#: What can be scrolled sideways is reached by Tab, in every browser.
_SCROLLS = re.compile(r'<div class="table-wrapper[^"]*"|<math (?=[^>]*display="block")')
#: Furo calls the captions of its navigation headings and does not say of which level.
_CAPTION = '<p class="caption" role="heading"'


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
            _stage(root, notebooks, source)
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


def _stage(root: Path, notebooks: list[Path], source: Path) -> None:
    """What Sphinx reads: the notebooks, their pictures, the reference, and a first page."""
    static = source / "_static"
    (source / _STUDENT).mkdir(parents=True)
    static.mkdir()
    solved, blank = [], []
    for path in notebooks:
        _stage_notebook(path, source / path.name, static, prefix="")
        solved.append(f"{path.stem[:2]} {title_of(path)} <{path.stem}>")
        exercises = root / "notebooks" / path.name
        if exercises.exists():
            _stage_notebook(exercises, source / _STUDENT / path.name, static, prefix="../")
            blank.append(f"Exercises {path.stem[:2]} <{_STUDENT}/{path.stem}>")
    toctrees = _TOCTREE.format(caption="Chapters, solved", entries="\n".join(solved))
    if blank:
        toctrees += _TOCTREE.format(caption="For students", entries="\n".join(blank))
    reference.write_reference(source / "reference")
    package = ["Reference <reference/index>"]
    if (root / _TRAINING).exists():
        shutil.copyfile(root / _TRAINING, source / "training.md")
        package.insert(0, "training")
    toctrees += _TOCTREE.format(caption="The package", entries="\n".join(package))
    page = front_page(
        notebooks, static, title=TITLE, repository=repository_of(root), toctrees=toctrees
    )
    (source / "index.md").write_text(page, "utf-8")
    letters = formulas.STYLE.format(family=formulas.FONT_FAMILY, address="formulas.ttf")
    look = letters + _STYLE.read_text("utf-8") + columns.STYLE
    (static / "workbook.css").write_text(look, "utf-8")


def _stage_notebook(path: Path, to: Path, static: Path, *, prefix: str) -> None:
    kind = _STUDENT if prefix else "solved"
    place = beside(static / "figures" / kind, f"{prefix}_static/figures/{kind}")
    nbformat.write(with_pictures(nbformat.read(path, as_version=4), place), to)


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
    for page in pages.rglob("*.html"):
        made = columns.marked(formulas.unbroken(page.read_text("utf-8")))
        made = _SCROLLS.sub(r'\g<0> tabindex="0" ', made)
        made = made.replace(_CAPTION, f'{_CAPTION} aria-level="2"')
        if page.parent.name == _STUDENT:  # paper keeps its folds closed
            made = made.replace("<body>", '<body class="exercises">', 1)
        page.write_text(made, "utf-8")
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
    reference.connect(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


_SETTINGS: dict[str, Any] = {
    "project": TITLE,
    "extensions": ["myst_nb", *reference.EXTENSIONS, "gsl_tutorial.course.press.site"],
    **reference.SETTINGS,
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
    # A link to a heading is written as JupyterLab wants it.
    "myst_heading_anchors": 3,
    "myst_heading_slug_func": "gsl_tutorial.course.press.pages.anchor",
    "nb_execution_mode": "off",
    # The default knows no tables.
    "nb_render_markdown_format": "myst",
    "nb_ipywidgets_js": {},
}
