"""The one look of all figures, and the one door through which they reach the page.

Colours are those of Okabe and Ito (2008), distinguishable with any colour vision; what matters also
differs in marker, line style or hatching, so that it survives a grey print.
"""

from __future__ import annotations

import io

from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gsl_tutorial.errors import InvalidInputError

BLUE, ORANGE, GREEN, PURPLE = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
RED, SKY, YELLOW, BLACK, GREY = "#D55E00", "#56B4E9", "#F0E442", "#000000", "#767676"

#: A marker and a colour for each of up to ten classes.
CLASS_MARKERS = "osD^v<>Pp*"
CLASS_COLOURS = [BLUE, ORANGE, GREEN, PURPLE, RED, SKY, BLACK, GREY, "#8C6D00", "#5B2A86"]


def new_figure(width: float, height: float, *, layout: str = "constrained") -> Figure:
    """A figure of its own, known to no global state; drawn on white in any theme."""
    figure = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    return figure


def png(figure: Figure, *, dpi: int = 110, compress_level: int = 6) -> bytes:
    """The figure as PNG bytes, without the version of the library that drew it."""
    buffer = io.BytesIO()
    figure.savefig(
        buffer,
        format="png",
        dpi=dpi,
        metadata={"Software": None},
        pil_kwargs={"compress_level": compress_level},
    )
    return buffer.getvalue()


def show(figure: Figure, alt: str, *, dpi: int = 110) -> None:
    """Display a figure with a text for those who do not see it.

    alt: what the picture shows and what follows from it, in one or two sentences.
    Raises `InvalidInputError` when it is empty.
    """
    if not alt.strip():
        raise InvalidInputError("a text that stands for the picture", "none", "write alt='...'")
    data = {"image/png": png(figure, dpi=dpi), "text/plain": f"[Figure: {alt}]"}
    width, height = figure.get_size_inches()
    metadata = {
        "image/png": {"alt": alt, "width": int(width * 72), "height": int(height * 72)},
    }
    display(data, raw=True, metadata=metadata)
