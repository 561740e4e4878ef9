"""Methods side by side: every seed as a dot, and differences with their intervals on one axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.study import LOOKS
from gsl_tutorial.course.plots.style import BLACK, GREY, new_figure
from gsl_tutorial.course.training.method_names import named
from gsl_tutorial.evaluation.intervals import Interval


def draw_seeds(rows: Mapping[str, Sequence[float]], *, xlabel: str = "ADC mAP") -> Figure:
    """Draw one figure of each seed, a line for each method.

    Parameters
    ----------
    rows : mapping of str to sequence of float
        Method -> one value for each seed.
    xlabel : str
        What is drawn.

    Returns
    -------
    Figure
        Small dots are seeds, the mark of the method is their mean; the highest mean stands above.
    """
    order = sorted(rows, key=lambda method: -float(np.mean(rows[method])))
    figure = new_figure(7.2, 0.36 * max(1, len(order)) + 0.9)
    axes = figure.add_subplot()
    for y, method in enumerate(order):
        colour, marker, _ = LOOKS.get(method, LOOKS["none"])  # "none" at another rate, too
        axes.plot(
            rows[method],
            [y] * len(rows[method]),
            ls="none",
            marker="o",
            ms=4,
            color=colour,
            alpha=0.55,
        )
        axes.plot(np.mean(rows[method]), y, marker=marker, ms=13 if marker == "*" else 9, color=colour,
                  mec="white")  # fmt: skip
    axes.set_yticks(range(len(order)), [named(method) for method in order])
    axes.set(ylim=(len(order) - 0.5, -0.5), xlabel=xlabel)
    axes.grid(axis="x", alpha=0.3)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return figure


def draw_differences(groups: Mapping[str, Mapping[str, Interval]], *, xlabel: str) -> Figure:
    """Draw differences with their intervals, a panel for each group, a line for each method.

    Parameters
    ----------
    groups : mapping of str to mapping of str to Interval
        Title -> method -> its difference.
    xlabel : str
        The difference to what.

    Returns
    -------
    Figure
        Filled where the interval excludes zero, hollow where it does not.
    """
    shown = {method for rows in groups.values() for method in rows}
    others = dict.fromkeys(m for rows in groups.values() for m in rows if m not in LOOKS)
    methods = [*(m for m in LOOKS if m in shown), *others]
    across = min(4, max(1, len(groups)))
    down = -(-max(1, len(groups)) // across)
    figure = new_figure(2.55 * across + 1.0, down * (0.25 * max(3, len(methods)) + 0.55) + 0.3)
    grid = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    for axes, (title, rows) in zip(grid.flat, groups.items(), strict=False):
        axes.axvline(0, color=BLACK, lw=0.9)
        for y, method in enumerate(methods):
            if method not in rows:
                axes.plot(0, y, marker="_", color=GREY, ms=0)
                continue
            colour, marker, _ = LOOKS.get(method, (BLACK, "o", "-"))
            one = rows[method]
            axes.plot([one.low, one.high], [y, y], color=colour, lw=1.6)
            axes.plot(one.difference, y, marker=marker, ms=10 if marker == "*" else 7, color=colour,
                      mfc=colour if one.excludes_zero else "white")  # fmt: skip
        axes.set_title(title, fontsize=8.5)
        axes.grid(axis="x", alpha=0.3)
    for axes in grid.flat[len(groups) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_yticks(range(len(methods)), [named(m) for m in methods], fontsize=8.5)
        axes.set_ylim(len(methods) - 0.5, -0.5)
    figure.supxlabel(xlabel, fontsize=9.5)
    return figure
