"""The still of the plane with turns: where the points of two methods end, and in whose company."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.plane import _borders
from gsl_tutorial.course.plots.style import (
    BLACK,
    CLASS_COLOURS,
    CLASS_MARKERS,
    GREY,
    RED,
    new_figure,
)
from gsl_tutorial.course.toys.kmeans_steps import assign
from gsl_tutorial.course.toys.plane import Plane
from gsl_tutorial.course.toys.plane_turns import Course

_LIMIT = 1.25


def draw_turns_plane(courses: Mapping[str, Course], moment: int = -1) -> Figure:
    """Draw the points, codewords and cells of one moment.

    Parameters
    ----------
    courses : mapping of str to Course
        Title -> what is drawn in its panel.
    moment : int
        Which moment; the last by default.

    Returns
    -------
    Figure
        One panel for each course. Points are ringed in red where another class is more frequent in
        their cell or as frequent and counted first: those that cost purity.
    """
    figure = new_figure(4.3 * len(courses), 4.9)
    for i, (title, course) in enumerate(courses.items(), start=1):
        axes = figure.add_subplot(1, len(courses), i)
        _draw_moment(axes, course, moment)
        out = course.at(moment)
        axes.set_title(
            f"{title}\ncell purity {out.purity:.0%}, loss {out.loss:.2f}, "
            f"distortion {out.distortion:.3f}",
            fontsize=11,
        )
    return figure


def _draw_moment(axes: Axes, course: Course, moment: int) -> None:
    z, codewords = course.points[moment], course.codewords[moment]
    labels, positives = course.plane.labels, course.plane.positives
    cells = assign(z, codewords)
    if len(codewords) > 1:
        borders = list(_borders(Plane(codewords, positives[0])))
        axes.add_collection(LineCollection(borders, colors="#9A9A9A", linewidths=1.4, zorder=1))
    in_minority = ~_own_class_leads(cells, labels)
    axes.plot(*z[in_minority].T, "o", ms=13, mfc="none", mec=RED, mew=1.5, zorder=4)
    for label, positive in enumerate(positives):
        look: Any = {"marker": CLASS_MARKERS[label % 10], "color": CLASS_COLOURS[label % 10]}
        axes.plot(*positive, ms=17, alpha=0.35, mec=BLACK, ls="none", zorder=3, **look)
        axes.plot(*z[labels == label].T, ms=6, mec="white", mew=0.6, ls="none", zorder=5, **look)
    axes.plot(*codewords.T, "s", ms=7, color=GREY, mec=BLACK, ls="none", zorder=6)
    axes.set(xlim=(-_LIMIT, _LIMIT), ylim=(-_LIMIT, _LIMIT), aspect="equal", xticks=[], yticks=[])


def _own_class_leads(
    cells: Float[np.ndarray, " N"], labels: Float[np.ndarray, " N"]
) -> Float[np.ndarray, " N"]:
    leads = np.zeros(len(labels), dtype=bool)
    for cell in np.unique(cells):
        here = cells == cell
        leads[here] = labels[here] == np.bincount(labels[here]).argmax()
    return leads
