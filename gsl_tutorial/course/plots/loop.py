"""Pictures of the feedback loop: figures round by round, and one round looked at closely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from gsl_tutorial.course.plots.style import (
    BLACK,
    BLUE,
    CURVES,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    new_figure,
)
from gsl_tutorial.course.two_tower.loop_report import MEASURES, Series

#: Colour, marker and line of each arm, the same in all pictures.
ARM_LOOKS: dict[str, tuple[str, str, str]] = {
    "oracle": (BLACK, "", ":"),
    "lottery": (GREY, "", ":"),
    "in-batch-raw": (ORANGE, "s", "-."),
    "in-batch": (PURPLE, "s", "--"),
    "uniform": (BLUE, "o", "-"),
    "text": (RED, "X", "-"),
    "text-raw": (RED, "x", "--"),
    "mixed": (SKY, "D", "-"),
    "random": (SKY, "^", "--"),
    "genre": (PURPLE, "v", "-"),
    "weighted": (GREEN, "P", "-"),
}


def draw_rounds(by_measure: Mapping[str, Mapping[str, Series]], arms: Sequence[str]) -> Figure:
    """Draw figures round by round, a panel for each; the bands are intervals of the mean over seeds.

    Parameters
    ----------
    by_measure : mapping of str to mapping of str to Series
        By figure and arm, see `loop_report.series`.
    arms : sequence of str
        Which to draw.

    Returns
    -------
    Figure
        The panels side by side, two in a row.
    """
    n = len(by_measure)
    columns = min(2, n)
    figure = new_figure(9.2, 3.0 * -(-n // columns) + 0.5)
    axes = np.atleast_1d(figure.subplots(-(-n // columns), columns, sharex=True)).ravel()
    for axis, (measure, by_arm) in zip(axes, by_measure.items(), strict=False):
        for arm in arms:
            if arm not in by_arm:
                continue
            one = by_arm[arm]
            colour, marker, line = ARM_LOOKS[arm]
            rounds = np.arange(1, len(one.mean) + 1)
            axis.plot(
                rounds,
                one.mean,
                color=colour,
                marker=marker,
                linestyle=line,
                markersize=5,
                label=arm,
            )
            axis.fill_between(
                rounds, one.mean - one.half_width, one.mean + one.half_width, color=colour, alpha=0.12,
                linewidth=0,
            )  # fmt: skip
        axis.set_title(MEASURES[measure], fontsize=10)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.25)
    for axis in axes[n:]:
        axis.set_axis_off()
    for axis in axes[max(0, n - columns) : n]:
        axis.set_xlabel("round")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=min(6, len(labels)), fontsize=9
    )
    return figure


def draw_loop_round(
    curves: Sequence[Float[np.ndarray, " points"]],
    number: int,
    reference: Float[np.ndarray, " points"] | None,
    rows: Sequence[tuple[str, int, bool]],
    *,
    title: str,
) -> Figure:
    """Draw one round: the list of one user, and the curve of what everybody is shown.

    Parameters
    ----------
    curves : sequence of (points,) arrays
        Of each round, see `loop_measures.curve`.
    number : int
        Of the round, from 1.
    reference : (points,) array, or None
        The oracle's curve in that round.
    rows : sequence of (title, cell, clicked)
        The user's list.
    title : str
        Above the list.

    Returns
    -------
    Figure
        The list on the left, the curve on the right.
    """
    figure = new_figure(9.2, 3.8)
    left, axis = figure.subplots(1, 2)
    left.set_axis_off()
    left.set_title(title, fontsize=10, loc="left")
    for place, (name, cell, clicked) in enumerate(rows):
        words = f"{place + 1:2}. cell {cell}  {name[:34]}" + ("   (clicked)" if clicked else "")
        left.text(
            0, 0.94 - 0.095 * place, words, transform=left.transAxes, fontsize=9,
            fontweight="bold" if clicked else "normal",
        )  # fmt: skip
    part = np.linspace(0, 1, len(curves[0]))
    if reference is not None:
        axis.plot(part, reference, color=GREY, linestyle=":", label="oracle, same round")
    axis.plot(part, curves[0], color=BLUE, linestyle="--", label="round 1")
    axis.plot(part, curves[number - 1], color=RED, linewidth=2.2, label=f"round {number}")
    axis.set_xlabel("of the catalogue, most shown first")
    axis.set_title("share of all places in the lists", fontsize=10)
    for one in (axis.xaxis, axis.yaxis):
        one.set_major_formatter(PercentFormatter(1))
    axis.grid(alpha=0.25)
    axis.legend(loc="lower right", fontsize=9)
    return figure


def draw_scaling(sizes: Sequence[int], milliseconds: Mapping[str, Sequence[float]]) -> Figure:
    """Draw what a batch of negatives costs against the size of the catalogue, on logarithmic axes.

    Parameters
    ----------
    sizes : sequence of int
        Items of the catalogue.
    milliseconds : mapping of str to sequence of float
        For each way to draw, the time of a batch.

    Returns
    -------
    Figure
        One line for each way.
    """
    figure = new_figure(6.4, 3.4)
    axis = figure.subplots()
    for (name, times), (colour, marker, line) in zip(milliseconds.items(), CURVES, strict=False):
        axis.plot(sizes, times, color=colour, marker=marker, linestyle=line, label=name)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel("items in the catalogue")
    axis.set_ylabel("ms for a batch")
    axis.grid(alpha=0.25)
    axis.legend(fontsize=9)
    return figure


def draw_loop_log(
    truth: Float[np.ndarray, " k"],
    randomised: Float[np.ndarray, " k"],
    every: Float[np.ndarray, " k"],
) -> Figure:
    """Draw how often each place is looked at: the truth, and what a log says of it.

    Parameters
    ----------
    truth : (k,) array
        Of the simulator, compared with the first place.
    randomised, every : (k,) arrays
        Click rates of randomised places, and of all films, compared likewise.

    Returns
    -------
    Figure
        Three lines over the places.
    """
    figure = new_figure(6.4, 3.4)
    axis = figure.subplots()
    places = np.arange(1, len(truth) + 1)
    lines = {"truth": truth, "randomised places": randomised, "all films": every}
    looks = ((BLACK, "", "-"), (GREEN, "o", "--"), (RED, "X", ":"))
    for (name, values), (colour, marker, line) in zip(lines.items(), looks, strict=True):
        axis.plot(places, values, color=colour, marker=marker, linestyle=line, label=name)
    axis.set_xlabel("place in the list")
    axis.set_ylabel("compared with the first place")
    axis.set_yscale("log")
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.grid(alpha=0.25)
    axis.legend(fontsize=9)
    return figure
