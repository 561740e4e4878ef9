"""The map as a still picture: for places where no widget runs, and for the README.

A tile for each cell, K to the right and M downwards, with the difference between two methods; lines join
cells of equal bits. A verdict is told by a sign and an edge besides its colour.
"""

from __future__ import annotations

import html
import io

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from gsl_tutorial.course.plots.style import BLACK, BLUE, GREY, RED, new_figure
from gsl_tutorial.course.study.map_file import Cell, MethodTable
from gsl_tutorial.course.study.map_report import equal_bits
from gsl_tutorial.course.study.map_words import (
    in_a_sentence,
    size_of,
    verdict,
    when_it_matters,
)
from gsl_tutorial.course.training.method_names import named

#: Face, edge and sign of each verdict.
_TILES = {
    "wins": ("#d6e8f5", BLUE, "▲"),
    "ties": ("#f2f2f2", GREY, "≈"),
    "loses": ("#fbe0cf", RED, "▼"),
    "open": ("white", GREY, ""),
}


def draw_method_map(
    table: MethodTable, method: str = "snap-pull", rival: str = "penalty"
) -> Figure:
    """Draw the difference between two methods in every cell.

    Parameters
    ----------
    table : MethodTable
        The map.
    method, rival : str
        The difference is that of the first less the second.

    Returns
    -------
    Figure
    """
    Ms = sorted({cell.M for cell in table.cells})
    Ks = sorted({cell.K for cell in table.cells})
    figure = new_figure(1.6 * len(Ks) + 0.8, 1.02 * len(Ms) + 0.9)
    axes = figure.add_subplot()
    axes.set(xlim=(-0.5, len(Ks) - 0.5), ylim=(len(Ms) - 0.5, -0.5))
    for names in equal_bits(cell.name for cell in table.cells).values():
        linked = sorted((table.cell(name) for name in names), key=lambda cell: cell.K)
        x, y = [Ks.index(cell.K) for cell in linked], [Ms.index(cell.M) for cell in linked]
        axes.plot(x, y, color=BLACK, lw=1.4, ls=(0, (2, 2)), zorder=1)
    for cell in table.cells:
        _tile(axes, cell, Ks.index(cell.K), Ms.index(cell.M), method, rival)
    axes.set_xticks(range(len(Ks)), map(str, Ks))
    axes.set_yticks(range(len(Ms)), map(str, Ms))
    axes.set_xlabel("K, codewords in a codebook")
    axes.set_ylabel("M, codebooks")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(f"ADC mAP: {named(method)} less {named(rival)}", fontsize=10, loc="left")
    return figure


def _tile(axes: Axes, cell: Cell, x: int, y: int, method: str, rival: str) -> None:
    gain = cell.gain(method, rival)
    face, edge, sign = _TILES[verdict(gain)]
    axes.add_patch(
        FancyBboxPatch(
            (x - 0.4, y - 0.36), 0.8, 0.72, boxstyle="round,pad=0,rounding_size=0.06", facecolor=face,
            edgecolor=edge, lw=2 if gain else 1, ls="-" if gain else (0, (4, 3)), zorder=2,
        )
    )  # fmt: skip
    if gain is None:
        lines = ("not tested yet" if cell.state == "tuned" else cell.state, "")
    else:
        lines = (f"{sign} {gain.difference:+.3f}", f"{gain.low:+.3f} to {gain.high:+.3f}")
    texts = ((-0.2, f"{size_of(cell.name)}   {cell.bits} bits", 8.5), (0.03, lines[0], 10.5),
             (0.23, lines[1], 8))  # fmt: skip
    for shift, text, size in texts:
        axes.text(x, y + shift, text, fontsize=size, ha="center", va="center", zorder=3,
                  fontweight="bold" if gain and shift == 0.03 else "normal")  # fmt: skip


def map_svg(table: MethodTable) -> str:
    """The map as SVG with a title and a description, for the README.

    Parameters
    ----------
    table : MethodTable
        The map.

    Returns
    -------
    str
        The same text for the same map.
    """
    written = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "map"}):
        draw_method_map(table).savefig(
            written, format="svg", metadata={"Date": None, "Creator": None}
        )
    _, begin, rest = written.getvalue().partition("<svg ")
    tag, _, body = rest.partition(">")
    title = f"Where {in_a_sentence('snap-pull')} beats {in_a_sentence('penalty')}, and where not"
    return (
        f'{begin}role="img" {tag}><title>{html.escape(title)}</title>'
        f"<desc>{html.escape(described(table))}</desc>"
        f'<rect width="100%" height="100%" fill="#fff"/>{body.rstrip()}\n'
    )


def described(table: MethodTable) -> str:
    """What the picture says, in sentences."""
    return " ".join(when_it_matters(table))
