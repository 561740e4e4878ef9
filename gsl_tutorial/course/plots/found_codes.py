"""One search through short codes at a glance: a query, its code, and the codes that were nearest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from gsl_tutorial.course.plots.style import BLACK, GREEN, GREY, RED, new_figure

_COLUMNS, _WIDTH = 2, 50.0
#: Where the parts of a tile begin, in hundredths of the picture.
_NAME, _CODE, _STEP = 7.5, 23.5, 5.7
_SAME = "#BFE7DC"


def draw_found_codes(
    query_name: str,
    query_code: UInt8[np.ndarray, " M"],
    names: Sequence[str],
    codes: UInt8[np.ndarray, "k M"],
    right: Bool[np.ndarray, " k"],
    *,
    colours: Mapping[str, str],
) -> Figure:
    """Draw a query and what was found for it, each as a square, a name and the numbers of its code.

    Parameters
    ----------
    query_name : str
        Class of the query.
    query_code : (M,) array of bytes
        Its code; it has at most four numbers.
    names : sequence of str
        Classes of what was found, nearest first.
    codes : (k, M) array of bytes
        Their codes. A number that is the query's own stands on green.
    right : (k,) array of bool
        Which carry a tick; the others carry a cross.
    colours : mapping of str to str
        The colour of the square that stands for a class.

    Returns
    -------
    Figure
        The query above, and below it two columns, to be read row by row.
    """
    rows = -(-len(names) // _COLUMNS)
    figure = new_figure(6.4, 0.9 + 0.48 * rows, layout="none")
    axes = figure.add_axes((0.01, 0.01, 0.98, 0.98))
    axes.set_axis_off()
    _square(axes, 0, -1.55, 1.4, colours[query_name])
    axes.text(13, -0.85, f"query: {query_name}", fontsize=13.5, va="center", weight="bold")
    _code(axes, 51, -0.85, query_code, query_code, scale=1.9)
    for i, (name, code, good) in enumerate(zip(names, codes, right, strict=True)):
        row, column = divmod(i, _COLUMNS)
        left, y = column * _WIDTH, row + 0.65
        _square(axes, left, y - 0.36, 0.72, colours[name])
        tick = f"{'✓' if good else '✗'} {name}"
        axes.text(left + _NAME, y, tick, fontsize=10, va="center", color=BLACK if good else RED)
        _code(axes, left + _CODE, y, code, query_code)
    axes.set(xlim=(-0.5, 100), ylim=(rows + 0.1, -1.7))
    return figure


def _square(axes: Axes, left: float, top: float, height: float, colour: str) -> None:
    # A tile is as wide as it is high: the picture has 100 units across 6.4 inches, a row of 0.48.
    width = height * 0.48 * 100 / 6.4
    look = "round,pad=0,rounding_size=0.6"
    axes.add_patch(
        FancyBboxPatch(
            (left, top), width, height, boxstyle=look, mutation_aspect=0.13, fc=colour, lw=0
        )
    )


def _code(
    axes: Axes, left: float, y: float, code: np.ndarray, like: np.ndarray, *, scale: float = 1.0
) -> None:
    """The numbers of a code in boxes of their own, on green where the query has the same."""
    for m, (number, other) in enumerate(zip(code.tolist(), like.tolist(), strict=True)):
        same = number == other
        axes.text(
            left + _STEP * scale * (m + 0.5), y, f"{number}", fontsize=9.5 * min(scale, 1.7),
            ha="center", va="center", weight="bold" if same else "normal",
        )  # fmt: skip
        axes.add_patch(
            FancyBboxPatch(
                (left + _STEP * scale * m + 0.2, y - 0.34 * scale**0.8), _STEP * scale - 0.4,
                0.68 * scale**0.8, boxstyle="square,pad=0", fc=_SAME if same else "white",
                ec=GREEN if same else GREY, lw=1.3 if same else 0.8,
            )
        )  # fmt: skip
