"""Pictures for reading tables: published figures by protocol, and the trivial code by accuracy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.bits import PROTOCOL_LOOKS
from gsl_tutorial.course.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    new_figure,
)
from gsl_tutorial.course.results.published import Published
from gsl_tutorial.evaluation.argmax_code import trivial_map


def draw_published(
    published: Mapping[str, Published], ours: Mapping[str, Sequence[tuple[str, float]]]
) -> Figure:
    """Draw every row of published figures on a line of its own, grouped by protocol.

    Parameters
    ----------
    published : mapping of str to Published
        Rows by letter; hollow markers are second-hand, a star behind the encoder says that it was
        trained on ImageNet before.
    ours : mapping of str to sequence of (str, float)
        Protocol -> what to write and mAP of our runs (ADC).

    Returns
    -------
    Figure
        mAP to the right, with the bits beside each point.
    """
    groups: dict[str, list[tuple[str, Published]]] = {
        protocol: [] for protocol in (*(row.protocol for row in published.values()), *ours)
    }
    for letter, row in published.items():
        groups[row.protocol].append((letter, row))
    n_lines = sum(1 + len(rows) + len(ours.get(name, ())) for name, rows in groups.items())
    figure = new_figure(8.6, 0.235 * n_lines + 0.8)
    axes = figure.add_subplot()
    ticks: list[tuple[float, str]] = []
    y = 0.0
    for protocol, rows in groups.items():
        axes.axhline(y - 0.55, color="#CCCCCC", lw=0.8)
        ticks.append((y, f"protocol {protocol}"))
        y += 1
        for letter, row in rows:
            star = "*" if row.pre_training == "ImageNet" else ""
            ticks.append((y, f"{letter}  {row.method}, {row.encoder}{star}"))
            _points(axes, row, y)
            y += 1
        for words, value in ours.get(protocol, ()):
            ticks.append((y, words))
            axes.plot(value, y, color=BLUE, marker="*", ms=12, mec="white", ls="none")
            y += 1
    places, words_ = zip(*ticks, strict=True)
    axes.set_yticks(places, words_, fontsize=8.5)
    for tick in axes.get_yticklabels():
        if tick.get_text().startswith("protocol "):
            tick.set_fontweight("bold")
    axes.tick_params(axis="y", length=0)
    values = [v for row in published.values() for v in row.maps.values()]
    values += [value for rows_ in ours.values() for _, value in rows_]
    low = max(0.0, np.floor(10 * min(values, default=0.0)) / 10)
    axes.set(
        ylim=(y - 0.4, -0.6),
        xlim=(low, 1.0),
        xlabel=f"mAP (the axis begins at {low:g})      * trained on ImageNet before",
    )
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
    return figure


def _points(axes: Axes, row: Published, y: float) -> None:
    colour, marker = PROTOCOL_LOOKS[row.protocol]
    bits, maps = list(row.maps), np.array(list(row.maps.values()))
    face = "white" if row.second_hand else colour
    axes.plot(maps, np.full(len(maps), y), color=colour, ls="-", lw=0.8, marker=marker, mfc=face,
              ms=6, mew=1.4)  # fmt: skip
    text = "/".join(map(str, bits)) + " bits" + (", second-hand" if row.second_hand else "")
    left = maps.max() > 0.85  # no room on the right
    x, ha = (maps.min() - 0.012, "right") if left else (maps.max() + 0.012, "left")
    axes.text(x, y, text, fontsize=7.5, va="center", ha=ha)


def draw_trivial(runs: Mapping[str, tuple[float, float, float]], *, C: int = 10) -> Figure:
    """Draw mAP of the argmax code by the accuracy of a classifier.

    Parameters
    ----------
    runs : mapping of str to (float, float, float)
        Label -> accuracy on the queries, mAP of the argmax code, ADC mAP.
    C : int
        Number of classes.

    Returns
    -------
    Figure
        Two lines, and for each run its argmax code and its codes.
    """
    figure = new_figure(7.2, 4.2)
    axes = figure.add_subplot()
    _draw_trivial(axes, runs, C)
    axes.set(
        xlabel="accuracy of the classifier on the queries", ylabel="mAP@all", xlim=(0.5, 1),
        ylim=(0.2, 1.0),
    )  # fmt: skip
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(
        frameon=False, fontsize=8.5, loc="upper left",
        title="hollow: the argmax code; filled: codes by ADC", title_fontsize=8.5,
    )  # fmt: skip
    _enlarge(axes, runs, C)
    return figure


def _draw_trivial(axes: Axes, runs: Mapping[str, tuple[float, float, float]], C: int) -> None:
    accuracy = np.linspace(0.5, 1, 101)
    for database, label, style in (
        (1.0, "argmax code, database classified without a mistake", "-"),
        (None, "argmax code, database classified like the queries", "--"),
    ):
        maps = [trivial_map(a, database, C=C) for a in accuracy]
        axes.plot(accuracy, maps, color=BLACK, ls=style, lw=1.3, label=label)
    looks = [(BLUE, "o"), (ORANGE, "s"), (GREEN, "D"), (PURPLE, "^"), (RED, "v"), (GREY, "P")]
    for (label, (right, argmax, adc)), (colour, marker) in zip(
        runs.items(), looks * len(runs), strict=False
    ):
        axes.plot([right, right], [argmax, adc], color=colour, lw=1)
        axes.plot(right, argmax, color=colour, marker=marker, mfc="white", ms=8, mew=1.6, ls="none")
        axes.plot(right, adc, color=colour, marker=marker, ms=8, ls="none", label=label)


def _enlarge(
    axes: Axes, runs: Mapping[str, tuple[float, float, float]], C: int, box: float = 0.05
) -> None:
    """The runs once more, enlarged, where they lie so near each other that they hide each other."""
    if not runs:
        return
    right, low, high = np.array(list(runs.values())).T
    low, high = np.minimum(low, high).min(), np.maximum(low, high).max()
    if max(np.ptp(right), high - low) > box:
        return
    x, y = max(np.ptp(right), 0.002), max(high - low, 0.004)
    inset = axes.inset_axes((0.66, 0.09, 0.33, 0.4))
    _draw_trivial(inset, runs, C)
    inset.set(xlim=(right.min() - x, right.max() + x), ylim=(low - y / 3, high + y / 3))
    inset.tick_params(labelsize=7.5)
    inset.locator_params(nbins=3)
    inset.set_title("enlarged", fontsize=8.5, pad=3)
    axes.indicate_inset_zoom(inset, edgecolor=GREY)
