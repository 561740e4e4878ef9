"""The picture of what codes of the items cost: recall against bytes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gsl_tutorial.course.plots.style import BLACK, BLUE, RED, new_figure

#: Colour, marker and line of each method of quantization.
METHODS: dict[str, tuple[str, str, str]] = {
    "none": (BLACK, "o", "-"),
    "penalty": (RED, "X", "--"),
    "snap-pull": (BLUE, "*", "-."),
}
Spread = tuple[float, float]


def draw_codes(
    panels: Mapping[str, Mapping[str, Mapping[int, Spread]]], *, ylabel: str = "Recall@10"
) -> Figure:
    """Recall against bytes of an item's code; the dotted line is exact search.

    panels: title -> method -> bytes -> (mean, spread); bytes 0 stands for exact search.
    """
    figure = new_figure(4.4 * len(panels), 3.6)
    for axes, (title, methods) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        for number, (method, sizes) in enumerate(methods.items()):
            colour, marker, line = METHODS[method]
            if 0 in sizes:
                axes.axhline(sizes[0][0], color=BLACK, linestyle=":", linewidth=1.2)
            coded = [size for size in sizes if size]
            mean, spread = np.array([sizes[size] for size in coded]).T
            # A little apart, so that bars do not hide each other.
            axes.errorbar(
                np.array(coded) * 1.04 ** (number - 1),
                mean,
                yerr=spread,
                color=colour,
                marker=marker,
                markersize=10 if marker == "*" else 7,
                linestyle=line,
                capsize=3,
                label=method,
            )
        axes.set_xscale("log", base=2)
        ticks = sorted({size for sizes in methods.values() for size in sizes if size})
        axes.set_xticks(ticks, [str(size) for size in ticks])
        axes.set_xlabel("bytes of an item")
        axes.set_title(title, fontsize=10)
        axes.grid(alpha=0.25)
    figure.axes[0].set_ylabel(ylabel)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    exact = Line2D([], [], color=BLACK, linestyle=":", linewidth=1.2)
    figure.legend(
        [*handles, exact],
        [*labels, "exact search"],
        loc="outside lower center",
        ncols=4,
        fontsize=9,
    )
    return figure
