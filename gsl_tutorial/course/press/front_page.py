"""The site's first page: what the workbook is, a figure to drag, and a card for each chapter.

All of it is taken from the notebooks, so that it cannot say something else: titles, minutes and aims from
their first cells, the pictures from their outputs, the live figure from chapter 05.
"""

from __future__ import annotations

import html
import io
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from PIL import Image

from gsl_tutorial.course.plots.style import first_image
from gsl_tutorial.course.press.student_page import title_of
from gsl_tutorial.course.widgets import GradientExplorer
from gsl_tutorial.course.widgets.explorer_play import PRESETS, TOUR

#: Width of a card's picture, in pixels.
_WIDTH = 480
_STILL = '<div class="gsl-still">'
_UNKNOWN = "OWNER/NAME"
_ABOUT = (
    "A workbook on learned quantization and similarity search: short codes for images, and the gradient "
    "snapping layer that teaches a network to fit them. Free, in Jupyter, with exercises that answer."
)

_PAGE = """\
---
myst:
  html_meta:
    description: "{about}"
    "property=og:title": "{title}"
    "property=og:description": "{about}"
    "property=og:type": website
{preview}---

# {title}

Fifty thousand photographs fit into 200 kilobytes if each of them becomes a code of four bytes. How does a
computer find the right pictures by such short codes, and how does a network learn to make pictures that
survive them? In {count} notebooks you build the answer yourself, from your first nearest neighbour to a
trained search engine, and you see every step as a picture that you can drag.

````````{{raw}} html
{buttons}
{explorer}
````````

## What you will learn

- How **vector quantization** and **product quantization** turn a vector into a few bytes, and what
  they lose.
- How to search millions of vectors by lookup tables, and how to time it.
- Why a quantization penalty can work against the loss that you care about, and how **gradient snapping**
  avoids it.
- How to tell a real gain from luck: protocols, ties, seeds, and results that others can repeat.

The layer is from Liu and Lu, [arXiv 1610.09645](https://arxiv.org/abs/1610.09645). We could only read the
abstract of that paper, so our formulas are a reconstruction, and each chapter that shows one says so.

## Chapters

Each card opens the solved chapter as it ran. To do the exercises yourself, choose the chapter under
"For students" on the left, or open the notebooks in JupyterLab.

````````{{raw}} html
<ul class="cards">
{cards}
</ul>
````````
"""


@dataclass(frozen=True)
class Card:
    """What the first page says about a chapter.

    Attributes
    ----------
    name : str
        The notebook's name, which is also its page's.
    title : str
        Its heading.
    minutes : int
        How long it takes; 0 where it does not say.
    aim : str
        The first sentence of what the reader will do.
    picture : bytes
        A small PNG, or nothing where the chapter has no figure.
    alt : str
        What the picture shows: the first sentence of its text in the chapter.
    """

    name: str
    title: str
    minutes: int
    aim: str
    picture: bytes
    alt: str = ""

    def as_html(self, folder: Path) -> str:
        """Write the picture into a folder called ``_static/cards`` and return the card."""
        image = ""
        if self.picture:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{self.name}.png").write_bytes(self.picture)
            # Beside the link and not in it, whose name would become as long as the text.
            alt = html.escape(self.alt)
            image = f'<img src="_static/cards/{self.name}.png" alt="{alt}" loading="lazy">'
        minutes = f'<span class="minutes">{self.minutes} minutes</span>' if self.minutes else ""
        return (
            f'<li>{image}<a href="{self.name}.html"><span class="number">{self.name[:2]}</span> '
            f"<strong>{html.escape(self.title)}</strong></a><p>{html.escape(self.aim)} {minutes}</p></li>"
        )


def card_of(path: Path) -> Card:
    """Read a chapter's card from its notebook.

    Parameters
    ----------
    path : Path
        The notebook.

    Returns
    -------
    Card
        What it says of itself.
    """
    notebook = nbformat.read(path, as_version=4)
    first = notebook.cells[0].source if notebook.cells else ""
    found = re.search(r"About (\d+)\s+minutes", first)
    told = re.search(r"\*\*What you will do\.\*\*\s+(.+?[.?!])(?=\s|$)", first, re.DOTALL)
    aim = re.sub(
        r"[*_`$]|\s+", lambda one: " " if one[0].isspace() else "", told[1] if told else ""
    )
    minutes = int(found[1]) if found else 0
    return Card(path.stem, title_of(path), minutes, aim, *_first_picture(notebook))


def front_page(
    notebooks: list[Path], static: Path, *, title: str, repository: str, toctrees: str
) -> str:
    """Return the first page in MyST markdown, and write its pictures.

    Parameters
    ----------
    notebooks : list of Path
        The solved notebooks, in order.
    static : Path
        The folder ``_static`` of the pages.
    title : str
        Heading of the page.
    repository : str
        "owner/name" of the public repository; without one, no button leads there.
    toctrees : str
        The navigation, which stands at the end.

    Returns
    -------
    str
        The page.
    """
    cards = [card_of(path) for path in notebooks]
    pictures = [card for card in cards if card.picture]
    preview = f"_static/cards/{pictures[-1].name}.png" if pictures else ""
    if repository and preview:
        owner, _, name = repository.partition("/")
        preview = f"https://{owner}.github.io/{name}/{preview}"
    page = _PAGE.format(
        preview=f'    "property=og:image": "{preview}"\n' if preview else "",
        about=_ABOUT, title=title, count=len(cards),
        buttons=_buttons(repository, notebooks[0].stem), explorer=_explorer(),
        cards="\n".join(card.as_html(static / "cards") for card in cards),
    )  # fmt: skip
    return f"{page}\n{toctrees}"


def repository_of(root: Path) -> str:
    """Return "owner/name" as `make address` wrote it into pyproject.toml, or nothing."""
    project = root / "pyproject.toml"
    if not project.exists():
        return ""
    told = tomllib.loads(project.read_text("utf-8")).get("tool", {}).get("gsl-tutorial", {})
    repository = str(told.get("repository", ""))
    return "" if repository == _UNKNOWN else repository


def _buttons(repository: str, begin: str) -> str:
    links = [(f"Begin with chapter {begin[:2]}", f"{begin}.html")]
    if repository:
        first = "lab/tree/notebooks/00_start_here.ipynb"
        links = [
            ("Try it on Binder, nothing to install", f"https://mybinder.org/v2/gh/{repository}/HEAD?urlpath={first}"),
            ("Download everything", f"https://github.com/{repository}/archive/HEAD.zip"),
            ("Repository", f"https://github.com/{repository}"),
            *links,
        ]  # fmt: skip
    made = "".join(f'<a href="{html.escape(to)}">{text}</a>' for text, to in links)
    return f'<p class="buttons">{made}</p>'


def _explorer() -> str:
    """A figure that lives in the page, with its named worlds and its tour."""
    told = "Move the point z, press <strong>Tour</strong>, or open one of the named worlds."
    return f"<p>{told}</p>\n{GradientExplorer(presets=PRESETS, tour=TOUR).to_html()}"


def _first_picture(notebook: NotebookNode) -> tuple[bytes, str]:
    """The first drawing of a chapter, or else what its first live figure leaves where nothing is live."""
    pages = [
        output.get("data", {}).get("text/html", "")
        for cell in notebook.cells
        for output in cell.get("outputs", ())
    ]
    stills = [still for page in pages for still in page.split(_STILL)[1:]]
    for page in pages + stills:
        if found := first_image(page):
            with Image.open(io.BytesIO(found[1])) as image:
                small = image.convert("RGB")
                small.thumbnail((_WIDTH, _WIDTH))
                buffer = io.BytesIO()
                small.quantize(64).save(buffer, format="PNG", optimize=True)
            told = html.unescape(page[len('<img alt="') : page.index('"', len('<img alt="'))])
            return buffer.getvalue(), re.split(r"(?<=[.?!])\s", told, maxsplit=1)[0]
    return b"", ""
