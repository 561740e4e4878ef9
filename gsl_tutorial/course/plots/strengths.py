"""How much strength each method bears, and whether the gain follows a law: dots first, then their means."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.study import LOOKS
from gsl_tutorial.course.plots.style import BLACK, BLUE, GREY, RED, new_figure
from gsl_tutorial.course.study.law import Gain, bins
from gsl_tutorial.course.study.map_file import Swept
from gsl_tutorial.course.study.map_report import sizes
from gsl_tutorial.course.study.map_words import size_of
from gsl_tutorial.course.training.method_names import named


def draw_sweep(
    sweep: Mapping[str, Mapping[str, Sequence[Swept]]], *, trials: Sequence[str] = ()
) -> Figure:
    """Draw ADC mAP and relative distortion against the strength.

    Parameters
    ----------
    sweep : mapping of str to mapping of str to sequence of Swept
        Cell -> method -> by rising strength.
    trials : sequence of str
        Cells that show trials of one seed, which their titles then say.

    Returns
    -------
    Figure
        A column for each cell; above mAP, below distortion. Dots are seeds, lines their means.
    """
    cells = list(sweep) or [""]
    figure = new_figure(3.3 * len(cells) + 0.6, 5.0)
    grid = figure.subplots(2, len(cells), squeeze=False, sharex=True, sharey="row")
    for column, cell in enumerate(cells):
        for method, points in sweep.get(cell, {}).items():
            for row, name in enumerate(("adc_map", "relative_distortion")):
                _swept(grid[row, column], points, name, method)
        title = f"{size_of(cell)}, {sizes(cell)[2]} bits" if cell else "not yet run"
        title += " (trials, one seed)" if cell in trials else ""
        grid[0, column].set_title(title, fontsize=10)
        grid[0, column].set_xscale("log")
        grid[1, column].set_xlabel("strength λ (log scale)")
    grid[0, 0].set_ylabel("ADC mAP")
    grid[1, 0].set_ylabel("relative distortion")
    for axes in grid.flat:
        axes.grid(alpha=0.25)
        axes.set_ylim(bottom=0)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=9)
    return figure


def _swept(axes: Axes, points: Sequence[Swept], name: str, method: str) -> None:
    colour, marker, line = LOOKS[method]
    strengths = [one.strength for one in points]
    for one in points:
        values = getattr(one, name)
        level = [one.strength] * len(values)
        axes.plot(level, values, ls="none", marker=".", ms=5, color=colour, alpha=0.6)
    means = [np.mean(getattr(one, name)) for one in points]
    axes.plot(strengths, means, color=colour, ls=line, marker=marker, ms=9 if marker == "*" else 6,
              mec="white" if marker == "*" else colour, label=named(method))  # fmt: skip


def draw_law(groups: Mapping[str, Sequence[Gain]], *, rival: str = "penalty") -> Figure:
    """Draw the gain of snap (pull) against codewords for each class.

    Parameters
    ----------
    groups : mapping of str to sequence of Gain
        Title -> gains; an empty one is drawn as "not yet run".
    rival : str
        Over whom the gain is.

    Returns
    -------
    Figure
        A panel for each group: a dot for each cell and number of classes, means of whole steps as lines.
    """
    titles = list(groups) or [""]
    figure = new_figure(4.8 * len(titles), 3.8)
    counts = sorted({sizes(gain.cell)[0] for gains in groups.values() for gain in gains})
    # One look for one number of codebooks in all panels, and one scale, so that they can be compared.
    looks = dict(
        zip(counts, [(BLUE, "o", "-"), (RED, "s", "--"), (BLACK, "D", "-.")], strict=False)
    )
    panels = figure.subplots(1, len(titles), squeeze=False, sharey=True)[0]
    for axes, title in zip(panels, titles, strict=True):
        gains = groups.get(title, ())
        axes.axhline(0, color=BLACK, lw=0.8)
        axes.axvline(0, color=GREY, lw=0.8, ls=":")
        for M, (colour, marker, line) in looks.items():
            some = [gain for gain in gains if sizes(gain.cell)[0] == M]
            if not some:
                continue
            axes.plot([g.words_per_class for g in some], [g.mean for g in some], ls="none", color=colour,
                      marker=marker, ms=5, alpha=0.55)  # fmt: skip
            steps = bins(some, "words_per_class")
            middle = [
                np.mean([g.words_per_class for g in some if step <= g.words_per_class < step + 1])
                for step, *_ in steps
            ]
            axes.plot(middle, [mean for _, _, mean, _ in steps], color=colour, ls=line, lw=2,
                      label=f"{M} codebook{'s' if M > 1 else ''}")  # fmt: skip
        ticks = _powers(gains)
        axes.set_xticks(
            ticks, [f"{2.0**tick:g}" if tick >= 0 else f"1/{2**-tick}" for tick in ticks]
        )
        axes.set_title(title + ("" if gains else " (not yet run)"), fontsize=10)
        axes.set_xlabel("codewords of a codebook for each class (log scale)")
        axes.grid(alpha=0.25)
        if gains:
            axes.legend(frameon=False, fontsize=9)
    figure.axes[0].set_ylabel(f"ADC mAP: snap (pull) less {named(rival)}")
    return figure


def _powers(gains: Sequence[Gain]) -> list[int]:
    places = [gain.words_per_class for gain in gains] or [0.0]
    return list(range(math.floor(min(places)), math.ceil(max(places)) + 1))
