"""Pictures of a study: what compactness costs, and how the gradient's bias grows with training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from gsl_tutorial.course.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    new_figure,
)
from gsl_tutorial.course.study.report import Row
from gsl_tutorial.course.training.method_names import named

#: Colour, marker and line of each method, the same in every picture.
LOOKS: dict[str, tuple[str, str, str]] = {
    "none": (BLACK, "o", "-"),
    "penalty": (RED, "X", "--"),
    "ste": (ORANGE, "v", ":"),
    "rotation": (PURPLE, "^", "-."),
    "soft": (GREY, "s", (0, (1, 1))),  # type: ignore[dict-item]
    "snap-replace": (SKY, "D", (0, (5, 1))),  # type: ignore[dict-item]
    "snap-pull": (BLUE, "*", "-"),
    "snap-lookahead": (GREEN, "P", "--"),
    "halfway": ("#5B2A86", "p", "-."),
    "radius": ("#8C6D00", "h", ":"),
    "pull-relative": (BLUE, "d", ":"),
}


def draw_seeds(
    groups: Mapping[str, Sequence[float]], *, xlabel: str, names: Mapping[str, str] | None = None
) -> Figure:
    """Draw the figure of every seed as a mark, and their mean as a line.

    Parameters
    ----------
    groups : mapping of str to sequence of float
        Method -> one value for each seed.
    xlabel : str
        What the values are.
    names : mapping of str to str, optional
        What is called otherwise than `named` says.

    Returns
    -------
    Figure
        One row for each method.
    """
    figure = new_figure(7.0, 0.9 + 0.42 * len(groups))
    axes = figure.add_subplot()
    for row, (method, values) in enumerate(groups.items()):
        colour, marker, _ = LOOKS.get(method, (BLACK, "o", "-"))
        size = 12 if marker == "*" else 8
        axes.plot(values, np.full(len(values), row), marker, color=colour, ms=size, mec="white")
        mean = float(np.mean(values))
        axes.plot([mean, mean], [row - 0.32, row + 0.32], color=colour, lw=2)
    labels = [(names or {}).get(method, named(method)) for method in groups]
    axes.set(yticks=range(len(groups)), yticklabels=labels, xlabel=xlabel)
    axes.set_ylim(len(groups) - 0.5, -0.5)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw_pareto(groups: dict[str, Sequence[Row]]) -> Figure:
    """Draw ADC mAP against relative distortion: up and left is better.

    Parameters
    ----------
    groups : dict of str to sequence of Row
        Title -> the rows of `compare`.

    Returns
    -------
    Figure
        A panel for each group. Bars span one standard deviation over the seeds.
    """
    figure = new_figure(4.6 * len(groups), 4.0)
    for axes, (title, rows) in zip(
        figure.subplots(1, len(groups), squeeze=False)[0], groups.items(), strict=True
    ):
        for row in rows:
            colour, marker, _ = LOOKS[row.method]
            axes.errorbar(
                row.relative_distortion.mean,
                row.adc_map.mean,
                xerr=row.relative_distortion.deviation,
                yerr=row.adc_map.deviation,
                color=colour,
                marker=marker,
                markersize=11 if marker == "*" else 8,
                markeredgecolor="white",
                linestyle="none",
                elinewidth=1,
                capsize=2,
                label=named(row.method),
            )
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("relative distortion of the database (log scale)")
        axes.set_ylabel("ADC mAP@all")
        axes.set_title(title, fontsize=10)
        axes.grid(alpha=0.25)
    _legend(figure, len(groups))
    return figure


def draw_bias(groups: dict[str, dict[str, dict[str, Float[np.ndarray, "seeds rounds"]]]]) -> Figure:
    """Draw by round how far each method departs from the similarity gradient.

    Parameters
    ----------
    groups : dict of str to dict of str to dict of str to (seeds, rounds) array
        Title -> method -> "cosine" and "uphill".

    Returns
    -------
    Figure
        Above, the cosine with the similarity gradient; below, the share of vectors moved uphill.
        Lines are means over seeds.
    """
    figure = new_figure(4.6 * len(groups), 5.2)
    grid = figure.subplots(2, len(groups), squeeze=False, sharex=True, sharey="row")
    for column, (title, methods) in enumerate(groups.items()):
        for method, measures in methods.items():
            colour, marker, line = LOOKS[method]
            for row, key in enumerate(("cosine", "uphill")):
                values = measures[key].mean(axis=0)
                rounds = np.arange(2, 2 + len(values))
                grid[row, column].plot(
                    rounds, values, color=colour, marker=marker, linestyle=line, label=named(method)
                )
        grid[0, column].set_title(title, fontsize=10)
        grid[1, column].set_xlabel("round (the first trains without codebooks)")
    grid[0, 0].set_ylabel("cosine with the\nsimilarity gradient")
    grid[1, 0].set_ylabel("share of images\nmoved uphill")
    for axes in grid.flat:
        axes.grid(alpha=0.25)
    _legend(figure, len(groups))
    return figure


def _legend(figure: Figure, n_panels: int) -> None:
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4 * n_panels, fontsize=9)
