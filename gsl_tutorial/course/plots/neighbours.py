"""Search by similarity in pictures: neighbours in the plane, what compression does to them, the price.

Pure functions: distances, neighbours and recall come in as arrays, and a figure goes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Integer
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle

from gsl_tutorial.course.plots.light import add_light_chart
from gsl_tutorial.course.plots.style import (
    BLACK,
    BLUE,
    CURVES,
    GREY,
    ORANGE,
    RED,
    SKY,
    YELLOW,
    new_figure,
)
from gsl_tutorial.course.toys.neighbours import Compressed

_TEXT = 11
_LIMIT = 1.2


def draw_neighbours(
    points: Float[np.ndarray, "N 2"],
    query: Float[np.ndarray, " 2"],
    nearest: Integer[np.ndarray, " k"],
) -> Figure:
    """Draw points in the plane, a query, and lines to its neighbours.

    Parameters
    ----------
    points : (N, 2) array
        What is searched.
    query : (2,) array
        The query.
    nearest : (k,) array of int
        Rows of its neighbours, nearest first.

    Returns
    -------
    Figure
        The neighbours carry their rank, from the nearest on.
    """
    figure = new_figure(5.2, 5.0)
    axes = figure.add_subplot()
    chosen = points[nearest]
    axes.plot(*points.T, "o", ms=6, color=GREY, mec="white", mew=0.6, zorder=3)
    axes.add_collection(LineCollection([[query, one] for one in chosen], colors=BLUE, lw=1.2))
    radius = float(np.linalg.norm(chosen[-1] - query))
    axes.add_patch(Circle(tuple(query), radius, fill=False, ec=BLUE, ls="--", lw=1.2))
    axes.plot(*chosen.T, "o", ms=8, color=BLUE, mec="white", zorder=4)
    for rank, one in enumerate(chosen, start=1):
        # Outwards from the query, where the lines do not run.
        away = (one - query) / max(float(np.linalg.norm(one - query)), 1e-9)
        axes.annotate(
            str(rank), one, xytext=tuple(11 * away), textcoords="offset points",
            ha="center", va="center", fontsize=_TEXT, color=BLUE, fontweight="bold", zorder=6,
        )  # fmt: skip
    axes.plot(*query, "*", ms=17, color=YELLOW, mec=BLACK, zorder=5)
    _square(axes)
    axes.set_title(f"the {len(nearest)} nearest of {len(points)} points", fontsize=_TEXT)
    return figure


def draw_compression(
    points: Float[np.ndarray, "N 2"],
    compressed: Compressed,
    query: Float[np.ndarray, " 2"],
    **how: Any,
) -> Figure:
    """Draw what a search through codes finds.

    Parameters
    ----------
    points : (N, 2) array
        What is searched.
    compressed : Compressed
        The points after compression.
    query : (2,) array
        The query.
    **how
        `true`, rows of the real neighbours, (k,); `found`, for each point its chance to be found,
        from 0 to 1, (N,); `curves`, name -> (bits, recall); `now`, bits and recall of what the left
        side shows.

    Returns
    -------
    Figure
        The plane on the left, recall against bits on the right, and a legend below.
    """
    figure = new_figure(8.6, 5.85, layout="none")
    _draw_compression(figure, 0.85, points, compressed, query, **how)
    _add_legend(figure, 0.06)
    return figure


def draw_compression_bare(
    points: Float[np.ndarray, "N 2"],
    compressed: Compressed,
    query: Float[np.ndarray, " 2"],
    **how: Any,
) -> Figure:
    """Draw the same as `draw_compression`, without the legend, which is drawn once.

    Parameters
    ----------
    points, compressed, query, **how
        As in `draw_compression`.

    Returns
    -------
    Figure
        The plane on the left, recall against bits on the right.
    """
    figure = new_figure(8.6, 5.0, layout="none")
    _draw_compression(figure, 0.0, points, compressed, query, **how)
    return figure


def draw_compression_legend() -> Figure:
    """Draw the legend of `draw_compression_bare`, to stand below it."""
    figure = new_figure(8.6, 0.85, layout="none")
    _add_legend(figure, 0.5)
    return figure


def draw_found_images(
    query: Float[np.ndarray, " dim"],
    rows: Mapping[str, tuple[Float[np.ndarray, "k dim"], Bool[np.ndarray, " k"]]],
) -> Figure:
    """Draw a query image, then rows of found images.

    Parameters
    ----------
    query : (dim,) array
        A square grey image, its values from 0 to 1.
    rows : mapping of str to ((k, dim) array, (k,) array of bool)
        Name -> the images, and whether each is a true neighbour.

    Returns
    -------
    Figure
        Images that an exact search finds, too, are ticked.
    """
    side = int(np.sqrt(len(query)))
    k = max(len(images) for images, _ in rows.values())
    wide, tall = side + 1.6, side + 3.6
    figure = new_figure(9.4, 8.0 * ((len(rows) + 1) * tall - 2) / (k * wide))
    axes = figure.add_subplot()

    def image(pixels: np.ndarray, column: int, line: int, colour: str, width: float) -> None:
        x, y = column * wide, line * tall
        axes.imshow(
            pixels.reshape(side, side), extent=(x, x + side, y + side, y),
            cmap="gray_r", vmin=0, vmax=1, interpolation="nearest",
        )  # fmt: skip
        axes.add_patch(Rectangle((x, y), side, side, fill=False, ec=colour, lw=width))

    image(query, 0, 0, BLACK, 1.2)
    for line, (images, right) in enumerate(rows.values(), start=1):
        for column, (pixels, good) in enumerate(zip(images, right, strict=True)):
            colour, mark = (BLUE, "✓") if good else (RED, "✗")
            image(pixels, column, line, colour, 2.0)
            axes.text(
                column * wide + side / 2, line * tall + side + 0.3, mark, ha="center", va="top",
                fontsize=13, color=colour, fontweight="bold",
            )  # fmt: skip
    axes.set(xlim=(-0.4, k * wide - 1), ylim=((len(rows) + 1) * tall - 0.8, -0.4), aspect="equal")
    axes.set_xticks([])
    axes.set_yticks(np.arange(len(rows) + 1) * tall + side / 2, ["query", *rows], fontsize=_TEXT)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def _draw_compression(
    figure: Figure,
    below: float,
    points: np.ndarray,
    compressed: Compressed,
    query: np.ndarray,
    *,
    true: Integer[np.ndarray, " k"],
    found: Float[np.ndarray, " N"],
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    now: tuple[float, float],
) -> None:
    """Both sides, in the upper 5 inches of a figure that has `below` inches more."""
    # Fixed places instead of a layout engine: a slider redraws this many times a second.

    def place(
        left: float, bottom: float, width: float, height: float
    ) -> tuple[float, float, float, float]:
        whole = 5.0 + below
        return left, (5 * bottom + below) / whole, width, 5 * height / whole

    plane = figure.add_axes(place(0.01, 0.01, 0.53, 0.87))
    _draw_plane(plane, points, compressed.x, query, true, found)
    recall = float(found[true].sum() / len(true))
    plane.set_title(
        f"{compressed.label}\nrecall@{len(true)} of this query: {recall:.2f}",
        fontsize=_TEXT, loc="left",
    )  # fmt: skip
    most = max(max(bits) for bits, _ in curves.values())
    chart = add_light_chart(
        figure, place(0.625, 0.12, 0.355, 0.76),
        xticks=range(0, int(most) + 1, 2), yticks=(0, 0.2, 0.4, 0.6, 0.8, 1),
        xlim=(0, most + 0.7), ylim=(0, 1.06),
        xlabel="bits of a code", title=f"recall@{len(true)}, mean of many queries",
    )  # fmt: skip
    for i, ((name, (bits, values)), look) in enumerate(zip(curves.items(), CURVES, strict=False)):
        colour, marker, line = look
        chart.plot(bits, values, color=colour, marker=marker, ls=line, lw=2, ms=7, clip_on=False)
        # Named in the corner that a rising curve leaves free.
        x, y = 0.4 * most, 0.06 + 0.09 * i
        chart.plot([x - 0.09 * most, x - 0.01 * most], [y, y], color=colour, ls=line, lw=2)
        chart.plot(x - 0.05 * most, y, marker, color=colour, ms=7)
        chart.text(x + 0.03 * most, y, name, fontsize=_TEXT, va="center")
    chart.plot(*now, "o", ms=18, mfc="none", mec=BLACK, mew=2, clip_on=False)


def _add_legend(figure: Figure, height: float) -> None:
    def mark(marker: str, size: float, label: str, **look: Any) -> Line2D:
        return Line2D([], [], ls="none", marker=marker, ms=size, label=label, **look)

    handles = [
        mark("*", 14, "query", color=YELLOW, mec=BLACK),
        mark("o", 5, "point", color=GREY),
        mark("s", 8, "where its code puts it", color=SKY, mec=BLACK),
        mark("o", 13, "a true neighbour", mfc="none", mec=BLACK, mew=1.6),
        mark("D", 7, "found", color=ORANGE, mec=BLACK),
        mark("^", 9, "tied for the last places: luck decides", mfc="none", mec=RED, mew=1.8),
    ]
    figure.legend(
        handles=handles, loc="center left", ncols=3, frameon=False, fontsize=10.5, numpoints=1,
        bbox_to_anchor=(0.0, height), columnspacing=1.5, handletextpad=0.4,
    )  # fmt: skip


def _draw_plane(
    axes: Axes, points: np.ndarray, places: np.ndarray, query: np.ndarray, true: np.ndarray,
    found: np.ndarray,
) -> None:  # fmt: skip
    ways = np.stack([points, places], axis=1)
    axes.add_collection(LineCollection(list(ways), colors="0.75", linewidths=0.8, zorder=1))
    axes.plot(*np.unique(places, axis=0).T, "s", ms=7, color=SKY, mec=BLACK, mew=0.8, zorder=2)
    axes.plot(*points.T, "o", ms=3.5, color=GREY, zorder=3)
    sure, perhaps = found >= 1, (found > 0) & (found < 1)
    axes.plot(*points[sure].T, "D", ms=6, color=ORANGE, mec=BLACK, mew=0.8, zorder=4)
    axes.plot(*points[perhaps].T, "^", ms=9, mfc="none", mec=RED, mew=1.6, zorder=4)
    axes.plot(*points[true].T, "o", ms=13, mfc="none", mec=BLACK, mew=1.6, zorder=5)
    axes.plot(*query, "*", ms=16, color=YELLOW, mec=BLACK, zorder=6)
    _square(axes)


def _square(axes: Axes) -> None:
    limits = (-_LIMIT, _LIMIT)
    axes.set(xlim=limits, ylim=limits, aspect="equal", xticks=[], yticks=[])


def draw_memory(
    counts: Sequence[float], sizes: Mapping[str, float], limits: Mapping[str, float]
) -> Figure:
    """Draw bytes against the number of vectors, both logarithmic.

    Parameters
    ----------
    counts : sequence of float
        Numbers of vectors.
    sizes : mapping of str to float
        Name -> bytes that one vector takes.
    limits : mapping of str to float
        Name -> bytes of a memory, drawn as a thick line across.

    Returns
    -------
    Figure
        One line for each size.
    """
    figure = new_figure(8.2, 4.4)
    axes = figure.add_subplot()
    for (label, each), (colour, marker, line) in zip(sizes.items(), CURVES, strict=False):
        taken = [each * count for count in counts]
        axes.loglog(counts, taken, color=colour, marker=marker, ls=line, lw=2, ms=8, label=label)
    for label, limit in limits.items():
        axes.axhline(limit, color=GREY, lw=5, alpha=0.5, zorder=0)
        axes.text(counts[0], limit * 1.35, label, fontsize=_TEXT, va="bottom")
    axes.set_xlabel("vectors", fontsize=_TEXT)
    axes.set_ylabel("bytes", fontsize=_TEXT)
    axes.grid(color="0.9")
    axes.legend(fontsize=_TEXT, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def draw_recall(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], k: int = 10
) -> Figure:
    """Draw recall against bits of a code on a logarithmic axis.

    Parameters
    ----------
    curves : mapping of str to (bits, recall)
        Way of compressing -> its curve.
    k : int
        How many neighbours the recall counts; it is written at the axis.

    Returns
    -------
    Figure
        One line for each way.
    """
    figure = new_figure(7.6, 4.0)
    axes = figure.add_subplot()
    for (name, (bits, values)), (colour, marker, line) in zip(curves.items(), CURVES, strict=False):
        axes.plot(bits, values, color=colour, marker=marker, ls=line, lw=2, ms=8, label=name)
    every = np.concatenate([np.asarray(bits, dtype=float) for bits, _ in curves.values()])
    powers = 2.0 ** np.arange(np.floor(np.log2(every.min())), np.ceil(np.log2(every.max())) + 1)
    axes.set_xscale("log", base=2)
    axes.set_xticks(powers, [f"{power:g}" for power in powers])
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("bits of a code", fontsize=_TEXT)
    axes.set_ylabel(f"recall@{k}", fontsize=_TEXT)
    axes.grid(color="0.9")
    axes.legend(fontsize=_TEXT, frameon=False)
    return figure
