"""Pictures of chapter 11: a map of cells with its negatives, what negatives do, what arms are worth.

Then what codes of the items cost, and what was tried in a search for settings. Each kind of negative
has one colour, one marker and one line in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator, PercentFormatter

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

#: Colour, marker and line of each kind of negative.
KINDS: dict[str, tuple[str, str, str]] = {
    "in-batch": (GREY, "s", ":"),
    "uniform": (BLUE, "o", "--"),
    "same cell": (RED, "X", "-"),
}
Spread = tuple[float, float]


def flat_map(vectors: Float[np.ndarray, "n t"], cells: Int[np.ndarray, " n"]) -> np.ndarray:
    """Project vectors onto the plane in which the means of their cells lie farthest apart.

    A flat picture of 64 numbers cannot keep all distances; items of different cells may overlap.

    Parameters
    ----------
    vectors : (n, t) array
        What is projected.
    cells : (n,) array of int
        The cell of each vector.

    Returns
    -------
    (n, 2) array
        Places in the plane.
    """
    means = np.stack([vectors[cells == cell].mean(axis=0) for cell in np.unique(cells)])
    _, _, axes = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    flat = (vectors - means.mean(axis=0)) @ axes[:2].T
    if flat.shape[1] < 2:  # two cells, or fewer: a line
        flat = np.column_stack([flat[:, 0], np.zeros(len(flat))])
    return np.asarray(flat)


def draw_negatives_map(
    places: Float[np.ndarray, "n 2"],
    cells: Int[np.ndarray, " n"],
    positive: int,
    hard: Sequence[int],
    easy: Sequence[int],
) -> Figure:
    """Draw a positive, negatives of its own cell, and negatives of any cell.

    Parameters
    ----------
    places : (n, 2) array
        Items of some cells, in the plane.
    cells : (n,) array of int
        The cell of each item.
    positive : int
        Row of the positive in `places`.
    hard, easy : sequence of int
        Rows of the negatives of its own cell, and of any cell.

    Returns
    -------
    Figure
        The map with its legend.
    """
    figure = new_figure(7.2, 4.8)
    axes = figure.subplots()
    own = cells == cells[positive]
    x, y = places.T
    axes.scatter(x[~own], y[~own], s=12, color="0.78", marker="o", linewidths=0)
    axes.scatter(x[own], y[own], s=16, color=ORANGE, marker="D", linewidths=0, alpha=0.75)
    for rows, kind, size in ((easy, "uniform", 70), (hard, "same cell", 80)):
        colour, marker, _ = KINDS[kind]
        axes.scatter(
            x[list(rows)],
            y[list(rows)],
            s=size,
            color=colour,
            marker=marker,
            edgecolors="white",
            zorder=3,
        )
    axes.scatter(
        x[positive], y[positive], s=330, color="#F0E442", marker="*", edgecolors="black", zorder=4
    )
    handles = [
        _dot("*", "#F0E442", "the positive", size=15, edge="black"),
        _dot("D", ORANGE, "items of its cell", size=5),
        _dot("X", RED, "drawn from its cell (hard)"),
        _dot("o", BLUE, "drawn from anywhere (easy)"),
        _dot("o", "0.7", "items of other cells", size=5),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    axes.set_aspect("equal", adjustable="datalim")
    axes.xaxis.set_major_locator(NullLocator())
    axes.yaxis.set_major_locator(NullLocator())
    return figure


def draw_course(
    groups: Mapping[str, Mapping[str, Mapping[str, Float[np.ndarray, "seeds epochs"]]]],
) -> Figure:
    """Draw by epoch how hard negatives are, and how much they push.

    Parameters
    ----------
    groups : mapping of str to mapping of str to mapping of str to (seeds, epochs) array
        Title -> kind of negative -> "outscores" and "pressure", NaN where the kind was not drawn.

    Returns
    -------
    Figure
        Above, the share of negatives that outscore the positive; below, |dL/ds| of one negative.
        Lines are means over seeds.
    """
    figure = new_figure(4.4 * len(groups), 5.2)
    grid = figure.subplots(2, len(groups), squeeze=False, sharex=True)
    for column, (title, kinds) in enumerate(groups.items()):
        for kind, measures in kinds.items():
            colour, marker, line = KINDS[kind]
            for row, key in enumerate(("outscores", "pressure")):
                values = np.asarray(measures[key], dtype=float)
                there = np.isfinite(values).any(axis=0)
                epochs = np.arange(1, values.shape[1] + 1)[there]
                grid[row, column].plot(
                    epochs,
                    np.nanmean(values[:, there], axis=0),
                    color=colour,
                    marker=marker,
                    linestyle=line,
                    label=kind,
                )
        grid[0, column].set_title(title, fontsize=10)
        grid[0, column].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        grid[1, column].set_xlabel("epoch")
        for axes in grid[:, column]:
            axes.set_ylim(bottom=0)
            axes.grid(alpha=0.25)
            axes.xaxis.get_major_locator().set_params(integer=True)
    grid[0, 0].set_ylabel("negatives that\noutscore the positive")
    grid[1, 0].set_ylabel("|dL/ds| of one negative")
    handles = {
        text: handle
        for axes in grid[0]
        for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3, fontsize=9)
    return figure


def draw_arms(
    arms: Sequence[str],
    figures: Mapping[str, Sequence[Spread]],
    *,
    title: str = "",
) -> Figure:
    """Draw the figures of several arms.

    Parameters
    ----------
    arms : sequence of str
        Names of the arms, from top to bottom.
    figures : mapping of str to sequence of (float, float)
        Name of a figure -> (mean, spread) of each arm.
    title : str
        What stands above.

    Returns
    -------
    Figure
        One line for each arm, one panel for each figure. Bars span one standard deviation over
        seeds; the dotted line is that of "uniform".
    """
    figure = new_figure(2.1 + 2.5 * len(figures), 0.9 + 0.34 * len(arms))
    grid = figure.subplots(1, len(figures), squeeze=False, sharey=True)[0]
    rows = np.arange(len(arms))[::-1]
    for axes, (name, values) in zip(grid, figures.items(), strict=True):
        for row, arm, (mean, spread) in zip(rows, arms, values, strict=True):
            is_reference = arm == "uniform"
            axes.errorbar(
                mean,
                row,
                xerr=spread,
                color=BLACK if is_reference else BLUE,
                marker="D" if is_reference else "o",
                markersize=6,
                capsize=3,
                linestyle="none",
            )
            if is_reference:
                axes.axvline(mean, color=BLACK, linestyle=":", linewidth=1)
        axes.set_title(name, fontsize=10)
        axes.grid(axis="x", alpha=0.25)
        axes.margins(x=0.12, y=0.5 / max(1, len(arms)))
        axes.locator_params(axis="x", nbins=5)
    grid[0].set_yticks(rows, arms)
    if title:
        figure.suptitle(title, fontsize=11)
    return figure


def draw_knob(
    sharpness: Sequence[float], gains: Mapping[str, Mapping[str, Sequence[Spread]]]
) -> Figure:
    """Draw what an arm gains over uniform negatives, against how sharp the users' taste is.

    Parameters
    ----------
    sharpness : sequence of float
        How sharp the taste is.
    gains : mapping of str to mapping of str to sequence of (float, float)
        Title of a panel -> label of a line -> (mean, spread over seeds) of the difference.

    Returns
    -------
    Figure
        One panel for each title.
    """
    looks = [(RED, "X", "-"), (PURPLE, "v", "--"), (GREEN, "^", ":")]
    figure = new_figure(4.2 * len(gains), 3.4)
    for axes, (title, lines) in zip(
        figure.subplots(1, len(gains), squeeze=False)[0], gains.items(), strict=True
    ):
        axes.axhline(0, color=BLACK, linewidth=1, linestyle=":")
        for (label, values), (colour, marker, line) in zip(lines.items(), looks, strict=False):
            mean, spread = np.array(values).reshape(-1, 2).T
            axes.errorbar(
                sharpness, mean, yerr=spread, color=colour, marker=marker, linestyle=line,
                capsize=3, label=label,
            )  # fmt: skip
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("sharpness of the taste inside a cell")
        axes.grid(alpha=0.25)
    figure.axes[0].set_ylabel("difference from uniform")
    figure.legend(
        *figure.axes[0].get_legend_handles_labels(),
        loc="outside lower center", ncols=3, fontsize=9,
    )  # fmt: skip
    return figure


def _dot(marker: str, colour: str, label: str, *, size: float = 8, edge: str = "white") -> Line2D:
    return Line2D(
        [], [], marker=marker, color=colour, label=label, markersize=size, markeredgecolor=edge,
        linestyle="none",
    )  # fmt: skip


#: Colour, marker and line of each method of quantization.
CODE_LOOKS: dict[str, tuple[str, str, str]] = {
    "none": (BLACK, "o", "-"),
    "penalty": (RED, "X", "--"),
    "snap-pull": (BLUE, "*", "-."),
}


def draw_codes(
    panels: Mapping[str, Mapping[str, Mapping[int, Spread]]], *, ylabel: str = "Recall@10"
) -> Figure:
    """Draw recall against bytes of an item's code.

    Parameters
    ----------
    panels : mapping of str to mapping of str to mapping of int to (float, float)
        Title -> method -> bytes -> (mean, spread); bytes 0 stands for exact search.
    ylabel : str
        What the recall is called.

    Returns
    -------
    Figure
        One panel for each title; the dotted line is exact search.
    """
    figure = new_figure(4.4 * len(panels), 3.6)
    for axes, (title, methods) in zip(
        figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
    ):
        for number, (method, sizes) in enumerate(methods.items()):
            colour, marker, line = CODE_LOOKS[method]
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


#: Colour and marker of each rival, in the order in which they come.
_LOOKS = [(BLUE, "o"), (RED, "X"), (BLACK, "^")]


def draw_trials(
    panels: Mapping[str, Mapping[str, Sequence[tuple[str, float]]]], *, xlabel: str
) -> Figure:
    """Draw the trials by which each rival's setting was chosen.

    Parameters
    ----------
    panels : mapping of str to mapping of str to sequence of (str, float)
        Title -> rival -> (setting, value) of its trials; a larger value is better.
    xlabel : str
        What the values are.

    Returns
    -------
    Figure
        One panel for each title, one row for each rival; the best trial of a row is named.
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
