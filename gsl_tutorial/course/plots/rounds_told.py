"""From round to round: how many images move, how pure their cells are, whose gradient points uphill."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from gsl_tutorial.course.plots.study import LOOKS
from gsl_tutorial.course.plots.style import new_figure
from gsl_tutorial.course.study.map_report import sizes
from gsl_tutorial.course.study.map_words import size_of
from gsl_tutorial.course.study.rounds_told import MEASURES, Rounds
from gsl_tutorial.course.training.method_names import named

_LABELS = {"moved": "changed their cell", "purity": "purity of the cells", "uphill": "uphill"}


def draw_rounds(rounds: Rounds) -> Figure:
    """Draw the shares of `MEASURES` over the rounds of a training.

    Parameters
    ----------
    rounds : Rounds
        Cell -> method -> measure -> one value for each round from the second on.

    Returns
    -------
    Figure
        A column for each cell, a row for each measure, a line for each method.
    """
    cells = list(rounds)
    order = [method for method in LOOKS if any(method in of for of in rounds.values())]
    figure = new_figure(3.1 * len(cells) + 0.7, 6.2)
    grid = figure.subplots(len(MEASURES), len(cells), squeeze=False, sharex=True, sharey="row")
    for column, cell in enumerate(cells):
        grid[0, column].set_title(f"{size_of(cell)}, {sizes(cell)[2]} bits", fontsize=10)
        for row, measure in enumerate(MEASURES):
            axes = grid[row, column]
            for method in (m for m in order if m in rounds[cell]):
                shares = rounds[cell][method]
                colour, marker, line = LOOKS[method]
                axes.plot(range(2, 2 + len(shares[measure])), shares[measure], color=colour, ls=line,
                          marker=marker, ms=9 if marker == "*" else 5, label=named(method),
                          mec="white" if marker == "*" else colour)  # fmt: skip
            axes.grid(alpha=0.25)
            axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
            if column == 0:
                axes.set_ylabel(_LABELS[measure])
        grid[-1, column].set_xlabel("round")
    for axes in grid[:, 0]:  # after all panels: they share their scale
        axes.set_ylim(bottom=0)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=9)
    return figure
