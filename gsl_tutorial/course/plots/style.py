"""The one look of all figures, and the one door through which they reach the page.

Colours are those of Okabe and Ito (2008), distinguishable with any colour vision; what matters also
differs in marker, line style or hatching, so that it survives a grey print.
"""

from __future__ import annotations

import html
import io
from typing import Any

import numpy as np
from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from gsl_tutorial.errors import InvalidInputError

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
RED, SKY, YELLOW, BLACK, GREY = "#D55E00", "#56B4E9", "#F0E442", "#000000", "#767676"

#: A marker and a colour for each of up to ten classes.
CLASS_MARKERS = "osD^v<>Pp*"
CLASS_COLOURS = [BLUE, ORANGE, GREEN, PURPLE, RED, SKY, BLACK, GREY, "#8C6D00", "#5B2A86"]

#: One look for each curve of a chart: colour, marker, line style.
CURVES = ((BLUE, "o", "-"), (RED, "s", "--"), (BLACK, "D", ":"), (GREEN, "^", "-."))


def new_figure(width: float, height: float, *, layout: Any = "constrained") -> Figure:
    """Make a figure of its own, known to no global state, and drawn on white in any theme.

    Parameters
    ----------
    width, height : float
        Size in inches.
    layout : str or None
        Layout engine of matplotlib.

    Returns
    -------
    Figure
        The empty figure.
    """
    return Figure(figsize=(width, height), layout=layout)


def png(figure: Figure, *, dpi: int = 110) -> bytes:
    """Return the figure as PNG bytes.

    They have 256 colours, are small enough to keep in a notebook, and carry no metadata.

    Parameters
    ----------
    figure : Figure
        What is saved.
    dpi : int
        Pixels per inch.

    Returns
    -------
    bytes
        The content of a PNG file.
    """
    return _packed(
        _drawn(figure, dpi).quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE),
        optimize=True,
    )


def quick_png(figure: Figure, *, dpi: int = 90) -> bytes:
    """Do the same as `png` for a figure that is redrawn while a slider moves: hardly compressed.

    Parameters
    ----------
    figure : Figure
        What is saved.
    dpi : int
        Pixels per inch.

    Returns
    -------
    bytes
        The content of a PNG file.
    """
    return _packed(_drawn(figure, dpi), compress_level=1)


def _drawn(figure: Figure, dpi: int) -> Image.Image:
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3])


def _packed(image: Image.Image, **how: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", **how)
    return buffer.getvalue()


def show(figure: Figure, alt: str, *, caption: str = "", dpi: int = 110) -> None:
    """Display a figure with a caption for everyone and a text for those who do not see it.

    Tools that make pages take `alt` from the metadata. JupyterLab drops the `alt` of a picture, so it
    also stands below the figure, where a screen reader finds it and nobody else.

    Parameters
    ----------
    figure : Figure
        What is displayed.
    alt : str
        What the picture shows, described.
    caption : str
        What to look at and what it means, in a sentence or two; none by default.
    dpi : int
        Pixels per inch.

    Raises
    ------
    InvalidInputError
        `alt` is empty.
    """
    if not alt.strip():
        raise InvalidInputError("a text that stands for the picture", "none", "write alt='...'")
    data = {"image/png": png(figure, dpi=dpi), "text/plain": f"[Figure: {alt}]"}
    width, height = figure.get_size_inches()
    size = {"width": int(width * 80), "height": int(height * 80)}
    display(data, raw=True, metadata={"image/png": {"alt": alt, **size}})
    below = (_paragraph(caption) if caption else "") + for_screen_readers(alt)
    display({"text/html": below, "text/plain": f"[{caption or alt}]"}, raw=True)


def for_screen_readers(text: str) -> str:
    """Return the HTML of a text that is read aloud and takes no room."""
    # Only what JupyterLab's sanitizer leaves in a notebook that is not trusted yet.
    hidden = "max-height: 1px; overflow: hidden; margin: 0; font-size: 1px; opacity: 0.01"
    return f'<p style="{hidden}">{html.escape(text)}</p>'


def caption(text: str) -> str:
    """Return the HTML of the line below a picture."""
    return _paragraph(text)


def _paragraph(text: str) -> str:
    look = "max-width: 45em; font-size: 85%; line-height: 1.4; margin: 0 0 1em"
    return f'<p style="{look}">{html.escape(text)}</p>'
