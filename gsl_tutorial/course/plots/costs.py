"""What something costs, as bars with their numbers: memory, time, operations."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.style import BLUE, GREY, new_figure

_TEXT = 11


def draw_costs(costs: Mapping[str, float], *, unit: str, title: str = "") -> Figure:
    """Draw a bar for each cost, the largest one in full.

    Parameters
    ----------
    costs : mapping of str to float
        What it is -> what it costs, above zero.
    unit : str
        What the numbers count; it is written behind each.
    title : str
        What stands above.

    Returns
    -------
    Figure
        Horizontal bars in the order given, each with its number.
    """
    figure = new_figure(7.6, 0.7 + 0.5 * len(costs))
    axes = figure.add_subplot()
    at, values = np.arange(len(costs)), np.array(list(costs.values()), dtype=float)
    axes.barh(at, values, 0.6, color=BLUE, edgecolor=GREY)
    for y, value in enumerate(values.tolist()):
        written = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
        axes.text(value, y, f" {written} {unit}", va="center", fontsize=_TEXT)
    axes.set(xlim=(0, 1.25 * values.max()), xticks=[], title=title)
    axes.set_yticks(at, list(costs), fontsize=_TEXT)
    axes.invert_yaxis()
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    return figure
