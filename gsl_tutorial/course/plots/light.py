"""A chart that is quick to draw: for pictures that are redrawn while a slider moves.

Matplotlib's axes with ticks, labels and a legend take longer than all that is drawn inside them.
Here the grid is one collection of lines, the numbers are a few texts, and each curve is named at a
place that the caller chooses.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

_TEXT = 11


def add_light_chart(
    figure: Figure,
    place: tuple[float, float, float, float],
    *,
    xticks: Sequence[float],
    yticks: Sequence[float],
    xlim: tuple[float, float],
    ylim: tuple[float, float],
    xlabel: str,
    title: str,
) -> Axes:
    """Add axes with a grid at the ticks and their numbers outside.

    Parameters
    ----------
    figure : Figure
        Where they are added.
    place : (float, float, float, float)
        Left, bottom, width and height in shares of the figure; leave room around it for the
        numbers.
    xticks, yticks : sequence of float
        Where the grid lines run.
    xlim, ylim : (float, float)
        Where the axes begin and end.
    xlabel, title : str
        What stands below and above.

    Returns
    -------
    Axes
        The new axes.
    """
    axes = figure.add_axes(place)
    axes.axis("off")
    axes.set(xlim=xlim, ylim=ylim)
    grid = [[(x, ylim[0]), (x, ylim[1])] for x in xticks]
    grid += [[(xlim[0], y), (xlim[1], y)] for y in yticks]
    axes.add_collection(LineCollection(grid, colors="0.88", linewidths=0.8, zorder=0))
    corners = [(xlim[0], ylim[1]), (xlim[0], ylim[0]), (xlim[1], ylim[0])]
    axes.add_collection(
        LineCollection([corners], colors="black", linewidths=1, zorder=1, clip_on=False)
    )
    for x in xticks:
        _outside(axes, f"{x:g}", (x, ylim[0]), (0, -5), "center", "top")
    for y in yticks:
        _outside(axes, f"{y:g}", (xlim[0], y), (-5, 0), "right", "center")
    _outside(axes, xlabel, ((xlim[0] + xlim[1]) / 2, ylim[0]), (0, -20), "center", "top")
    _outside(axes, title, (xlim[0], ylim[1]), (0, 8), "left", "bottom")
    return axes


def round_ticks(top: float, n: int = 4) -> list[float]:
    """Choose about `n` round numbers from 0 to at most `top`.

    Parameters
    ----------
    top : float
        The largest value that is drawn.
    n : int
        How many numbers there should be.

    Returns
    -------
    list of float
        The numbers, ascending.

    Examples
    --------
    >>> round_ticks(0.23)
    [0.0, 0.05, 0.1, 0.15, 0.2]
    """
    if top <= 0:
        return [0.0]
    power = 10.0 ** len(str(int(1 / top))) if top < 1 else 1.0
    unit = 1.0 / power if top < 1 else 10.0 ** (len(str(int(top))) - 1)
    step = min(
        (factor * unit for factor in (0.1, 0.2, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0)),
        key=lambda one: abs(top / one - n),
    )
    return [round(i * step, 12) for i in range(int(top / step + 1e-9) + 1)]


def _outside(
    axes: Axes, text: str, at: tuple[float, float], away: tuple[float, float], ha: str, va: str
) -> None:
    axes.annotate(
        text, at, xytext=away, textcoords="offset points", ha=ha, va=va, fontsize=_TEXT,
        annotation_clip=False,
    )  # fmt: skip
