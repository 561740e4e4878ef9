"""Pictures of how a number goes wrong, for chapter 10: what each mistake adds, who gains from a tie.

Sign is shown by colour and hatching, significance by filled and hollow marks, so that all survive a
grey print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

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
from gsl_tutorial.evaluation.intervals import Interval

#: Below this many points a bar is called neither up nor down.
HARDLY = 0.05
#: Longer bars are cut here, so that the others can still be read.
LONGEST = 20.0


class Added(NamedTuple):
    """What one mistake does to one figure.

    Attributes
    ----------
    family : str
        The group of mistakes that it belongs to.
    mistake : str
        Its name.
    measured : str
        What was measured on what.
    honest, mistaken : float
        The figure without and with the mistake, from 0 to 1.
    """

    family: str
    mistake: str
    measured: str
    honest: float
    mistaken: float

    @property
    def points(self) -> float:
        """Points of a hundred that the mistake adds."""
        return 100 * (self.mistaken - self.honest)


def draw_added(rows: Sequence[Added]) -> Figure:
    """Draw what each mistake adds to a figure or takes from it.

    Parameters
    ----------
    rows : sequence of Added
        The mistakes; those of a family stand together.

    Returns
    -------
    Figure
        A bar for each mistake: to the right the figure rises, to the left it falls. Bars beyond
        `LONGEST` points are cut, and an arrow says so.
    """
    families = list(dict.fromkeys(row.family for row in rows))
    height = len(rows) + 0.9 * len(families)
    figure = new_figure(8.4, 0.9 + 0.31 * height)
    axes = figure.add_subplot()
    ticks, names, at = [], [], 0.0
    for family in families:
        axes.text(
            -0.01, at, family, transform=axes.get_yaxis_transform(), ha="right", va="center",
            fontsize=9, weight="bold",
        )  # fmt: skip
        at += 0.9
        for row in (one for one in rows if one.family == family):
            _bar(axes, at, row.points)
            ticks.append(at)
            names.append(f"{row.mistake} ({row.measured})")
            at += 1
    shown = np.clip([0.0, *(row.points for row in rows)], -LONGEST, LONGEST)
    low, high = shown.min(), shown.max()
    room = 0.2 * max(1.0, high - low)
    cut = any(abs(row.points) > LONGEST for row in rows)
    axes.set(
        yticks=ticks, ylim=(at - 0.4, -0.6), xlim=(low - room * (low < 0), high + room),
        xlabel="points that the mistake adds to the figure"
        + f" (bars are cut at {LONGEST:.0f})" * cut,
    )  # fmt: skip
    axes.set_yticklabels(names, fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.axvline(0, color=BLACK, lw=1)
    axes.grid(axis="x", alpha=0.25)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return figure


def _bar(axes: Axes, at: float, points: float) -> None:
    colour, hatch = (ORANGE, "//") if points > 0 else (SKY, "..")
    end = float(np.clip(points, -LONGEST, LONGEST))
    axes.barh(at, end, 0.72, color=colour, hatch=hatch, edgecolor="white")
    left = points < -HARDLY
    word = f"{points:+.1f}" if abs(points) >= HARDLY else "0.0"
    if points != end:
        word = f"◂ {word}" if left else f"{word} ▸"
    axes.text(
        end, at, f"{word} " if left else f" {word}", ha="right" if left else "left", va="center",
        fontsize=9,
    )  # fmt: skip


def draw_class_gains(
    gains: Mapping[str, Float[np.ndarray, " C"]], class_names: Sequence[str]
) -> Figure:
    """Draw what the queries of each class gain, in points of a hundred.

    Parameters
    ----------
    gains : mapping of str to (C,) array
        Way to order the database (at most 3) -> gain of each class, in shares from -1 to 1.
    class_names : sequence of str
        Names of the C classes.

    Returns
    -------
    Figure
        For each class, a bar for each way.
    """
    figure = new_figure(7.6, 3.2)
    axes = figure.add_subplot()
    looks = [(BLUE, ""), (ORANGE, "//"), (GREY, "xx")]
    width = 0.8 / len(gains)
    for i, ((name, values), (colour, hatch)) in enumerate(zip(gains.items(), looks, strict=False)):
        at = np.arange(len(values)) + (i - (len(gains) - 1) / 2) * width
        axes.bar(
            at, 100 * values, 0.92 * width, color=colour, hatch=hatch, edgecolor="white", label=name
        )
    axes.axhline(0, color=BLACK, lw=1)
    axes.set(xticks=range(len(class_names)), ylabel="points gained by\nthe queries of a class")
    axes.set_xticklabels(class_names, rotation=30, ha="right")
    axes.margins(x=0.02)
    axes.grid(axis="y", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=len(gains), frameon=False, fontsize=9)
    return figure


def draw_cuts(
    cuts: Sequence[int], curves: Mapping[str, Float[np.ndarray, " R"]], *, all_of_them: float
) -> Figure:
    """Draw mAP@R against R on a log scale.

    Parameters
    ----------
    cuts : sequence of int
        The values of R.
    curves : mapping of str to (R,) array
        Divisor -> mAP@R at each cut.
    all_of_them : float
        mAP@all, drawn as the dotted line.

    Returns
    -------
    Figure
        One line for each divisor.
    """
    figure = new_figure(6.8, 3.4)
    axes = figure.add_subplot()
    looks = [(BLUE, "-", "o"), (ORANGE, "--", "s"), (GREEN, "-.", "D")]
    for (name, values), (colour, style, marker) in zip(curves.items(), looks, strict=False):
        axes.plot(cuts, values, color=colour, ls=style, marker=marker, ms=6, label=name)
    axes.axhline(all_of_them, color=BLACK, lw=1.2, ls=":", label="mAP@all")
    axes.set(xscale="log", xlabel="R, how many ranks are looked at", ylabel="mAP@R")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.margins(y=0.12)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=9)
    return figure


def draw_choices(
    validation: Float[np.ndarray, "S E"], test: Float[np.ndarray, "S E"], *, first: int
) -> Figure:
    """Draw validation and test over the epochs, and three ways to choose an epoch.

    Parameters
    ----------
    validation, test : (S, E) arrays
        The figure of S seeds after each of E epochs, by validation queries and by test queries.
    first : int
        The number of the first epoch drawn; the courses begin there.

    Returns
    -------
    Figure
        A panel for each seed: both courses, and on the test course the three choices.
    """
    figure = new_figure(3.1 * len(test), 3.3)
    grid = figure.subplots(1, len(test), squeeze=False, sharey=True)[0]
    epochs = first + np.arange(test.shape[1])
    for seed, axes in enumerate(grid):
        axes.plot(epochs, validation[seed], color=GREY, ls="--", lw=1.2, label="validation queries")
        axes.plot(epochs, test[seed], color=BLACK, lw=1.4, label="test queries")
        best_of = {
            "last epoch": (-1, {"marker": "o", "ms": 14, "mfc": "none", "mec": BLUE, "mew": 2}),
            "best on test": (test[seed].argmax(), {"marker": "*", "ms": 15, "mfc": ORANGE}),
            "best on validation": (
                validation[seed].argmax(),
                {"marker": "D", "ms": 6, "mfc": GREEN},
            ),
        }
        for label, (where, look) in best_of.items():
            how: dict[str, Any] = {"mec": BLACK, "ls": "none", "label": label, "zorder": 3, **look}
            axes.plot(epochs[where], test[seed][where], **how)
        axes.set(xlabel="epoch", title=f"seed {seed}")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.margins(x=0.08, y=0.1)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    grid[0].set_ylabel("mAP@all")
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
    return figure


def draw_intervals(groups: Mapping[str, Mapping[str, Interval]], *, xlabel: str) -> Figure:
    """Draw differences with their intervals.

    Parameters
    ----------
    groups : mapping of str to mapping of str to Interval
        Title of a panel -> name -> difference; names run from top to bottom.
    xlabel : str
        What the differences are.

    Returns
    -------
    Figure
        One panel for each group, all on one scale. A filled square means that the interval lies
        on one side of zero, a hollow circle that it reaches zero.
    """
    n_rows = max(len(rows) for rows in groups.values())
    figure = new_figure(4.3 * len(groups), 1.3 + 0.34 * n_rows)
    for axes, (title, rows) in zip(
        figure.subplots(1, len(groups), squeeze=False, sharex=True)[0], groups.items(), strict=True
    ):
        for at, (_, interval) in enumerate(rows.items()):
            told = interval.excludes_zero
            colour = (ORANGE if interval.difference > 0 else PURPLE) if told else GREY
            axes.plot([interval.low, interval.high], [at, at], color=colour, lw=2.2)
            axes.plot(
                interval.difference, at, "s" if told else "o", ms=8, mec=BLACK,
                mfc=colour if told else "white",
            )  # fmt: skip
        axes.axvline(0, color=BLACK, lw=1, ls="--")
        axes.set(yticks=range(len(rows)), ylim=(len(rows) - 0.5, -0.5))
        axes.set_yticklabels(list(rows), fontsize=9)
        axes.set_title(title, fontsize=10)
        axes.grid(axis="x", alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.supxlabel(xlabel, fontsize=10)
    return figure


def draw_reported(figures: Sequence[float], now: float) -> Figure:
    """Draw all figures that one search can be reported as, and the one that is.

    Parameters
    ----------
    figures : sequence of float
        One for each way to report; the first is where the reader begins.
    now : float
        The figure that is reported.

    Returns
    -------
    Figure
        A line of numbers with a small mark for each way.
    """
    figure = new_figure(8.0, 1.6)
    axes = figure.add_subplot()
    axes.plot(figures, np.zeros(len(figures)), "|", ms=16, color=GREY, mew=1.5)
    axes.plot([figures[0], now], [0, 0], color=RED, lw=3)
    axes.plot(figures[0], 0, "D", ms=12, mfc="white", mec=BLACK, mew=2)
    axes.plot(now, 0, "o", ms=14, color=RED, mec="white", zorder=4)
    axes.annotate(f"{now:.3f}", (now, 0), xytext=(0, 14), textcoords="offset points",
                  ha="center", fontsize=16, fontweight="bold")  # fmt: skip
    low, high = np.floor(10 * min(figures)) / 10, np.ceil(10 * max(figures)) / 10
    axes.set(xlim=(low - 0.01, high + 0.01), ylim=(-0.5, 1.6), yticks=[])
    axes.set_xlabel("mean average precision; the diamond is where we begin")
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.spines[["top", "left", "right"]].set_visible(False)
    return figure
