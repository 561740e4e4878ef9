"""The one look of all figures, and the one door through which they reach the page.

Colours are those of Okabe and Ito (2008), distinguishable with any colour vision; what matters also
differs in marker, line style or hatching, so that it survives a grey print.
"""

from __future__ import annotations

import base64
import html
import io
import re
import struct
import zlib
from typing import Any

import numpy as np
from IPython.display import display
from jaxtyping import UInt8
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from gsl_tutorial.errors import InvalidInputError

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
RED, SKY, YELLOW, BLACK, GREY = "#D55E00", "#56B4E9", "#F0E442", "#000000", "#767676"

#: A marker and a colour for each of up to ten classes.
CLASS_MARKERS = "osD^v<>Pp*"
CLASS_COLOURS = [BLUE, ORANGE, GREEN, PURPLE, RED, SKY, BLACK, GREY, "#8C6D00", "#5B2A86"]

_DATA = "data:image/png;base64,"

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
    buffer = io.BytesIO()
    few = Image.fromarray(_drawn(figure, dpi)).quantize(
        256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    )
    few.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


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
    # Written here, every row as it is: choosing a filter for each row, as libraries do, takes longer than
    # all the rest, and for lines and marks on white it is no smaller.
    pixels = _drawn(figure, dpi)
    height, width, _ = pixels.shape
    rows = np.zeros(
        (height, 1 + 3 * width), dtype=np.uint8
    )  # each after the number of its filter: none
    rows[:, 1:] = pixels.reshape(height, 3 * width)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits, three colours
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG file: its length, its name, what is in it, and a checksum of both."""
    body = name + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def _drawn(figure: Figure, dpi: int) -> UInt8[np.ndarray, "height width 3"]:
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3]


def show(figure: Figure, alt: str, *, caption: str = "", dpi: int = 110) -> None:
    """Display a figure with a caption for everyone and a text for those who do not see it.

    It goes out as HTML, see `image`.

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
    width, height = (int(side * 80) for side in figure.get_size_inches())
    picture = image(png(figure, dpi=dpi), alt, width=width, height=height)
    below = _paragraph(caption) if caption else ""
    display({"text/html": picture + below, "text/plain": f"[Figure: {alt}]"}, raw=True)


def image(picture: bytes, alt: str, **size: int) -> str:
    """Return the HTML of a picture with its alt text.

    JupyterLab drops the alt text of an output of type ``image/png``; in HTML it stays, in a notebook
    that is not trusted as well.

    Parameters
    ----------
    picture : bytes
        A PNG file.
    alt : str
        What the picture shows, described.
    **size : int
        Width and height in pixels.

    Returns
    -------
    str
        An ``<img>``.
    """
    sides = "".join(f' {side}="{pixels}"' for side, pixels in size.items())
    packed = base64.b64encode(picture).decode()
    fit = "max-width: 100%; height: auto"
    return f'<img alt="{html.escape(alt)}"{sides} style="{fit}" src="{_DATA}{packed}">'


def first_image(page: str) -> tuple[str, bytes] | None:
    """Find the picture with which some HTML begins.

    Parameters
    ----------
    page : str
        The HTML of an output.

    Returns
    -------
    tuple of str and bytes, or None
        The address that `image` has written and the PNG file in it; None where there is none.
    """
    found = re.match(rf'<img alt="[^"]*"[^>]* src="({_DATA}([^"]+))">', page)
    return (found[1], base64.b64decode(found[2])) if found else None


def caption(text: str) -> str:
    """Return the HTML of the line below a picture."""
    return _paragraph(text)


def _paragraph(text: str) -> str:
    look = "max-width: 45em; font-size: 85%; line-height: 1.4; margin: 0 0 1em"
    return f'<p style="{look}">{html.escape(text)}</p>'
