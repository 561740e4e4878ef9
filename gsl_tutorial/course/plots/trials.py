"""The picture of a search for settings: every trial as a point, rivals one above the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.style import BLACK, BLUE, RED, new_figure

#: Colour and marker of each rival, in the order in which they come.
_LOOKS = [(BLUE, "o"), (RED, "X"), (BLACK, "^")]


def draw_trials(
    panels: Mapping[str, Mapping[str, Sequence[tuple[str, float]]]], *, xlabel: str
) -> Figure:
    """One panel for each title, one row for each rival; the best trial of a row is named.

    panels: title -> rival -> (setting, value) of its trials; a larger value is better.
    """
    figure = new_figure(4.6 * len(panels), 2.7)
    for axes, (title, rivals) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        for row, (rival, (colour, marker)) in enumerate(zip(rivals, _LOOKS, strict=False)):
            values = np.array([value for _, value in rivals[rival]])
            best = int(values.argmax())
            axes.scatter(
                values, np.full(len(values), row), s=46, color=colour, marker=marker, alpha=0.6
            )
            axes.scatter(
                values[best], row, s=130, facecolors="none", edgecolors=BLACK, linewidths=1.4
            )
            axes.annotate(
                f"{rivals[rival][best][0]}: {values[best]:.3f}", (values[best], row),
                xytext=(5, 10), textcoords="offset points", ha="right", fontsize=9,
            )  # fmt: skip
        axes.set_yticks(range(len(rivals)), list(rivals))
        axes.set_ylim(-0.5, len(rivals) - 0.35)
        axes.margins(x=0.12)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(xlabel)
        axes.grid(axis="x", alpha=0.25)
        axes.locator_params(axis="x", nbins=5)
    return figure
