"""Pictures of retrieval: galleries of neighbours, bars of mAP, the course of a training, PR curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Shaped
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

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
from gsl_tutorial.course.training.method_names import named

_LINES = [(BLUE, "-", "o"), (ORANGE, "--", "s"), (GREEN, "-.", "D"), (PURPLE, ":", "^")]


def draw_gallery(
    queries: Sequence[Any],
    neighbours: Sequence[Sequence[Any]],
    right: Bool[np.ndarray, "B k"],
    *,
    query_names: Sequence[str],
    neighbour_names: Sequence[Sequence[str]],
    titles: Sequence[str] | None = None,
) -> Figure:
    """Draw queries and the neighbours that were found for them.

    Parameters
    ----------
    queries : sequence of B pictures
        Arrays, or None where no image is at hand: then the class's name stands in a tile.
    neighbours : sequence of B sequences of k pictures
        Those found for each query, nearest first.
    right : (B, k) array of bool
        Which neighbours are right.
    query_names : sequence of str
        The class of each query.
    neighbour_names : sequence of sequences of str
        The class of each neighbour.
    titles : sequence of str, optional
        What stands above each query; "query: its class" by default.

    Returns
    -------
    Figure
        One row for each query. Right neighbours carry a thin frame and a tick, wrong ones a thick
        dashed frame and a cross.
    """
    n_rows, n_columns = right.shape
    figure = new_figure(0.95 * (n_columns + 1.2), 1.2 * n_rows, layout="none")
    # One pair of axes for all: hundreds of them would take seconds to draw.
    axes = figure.add_axes((0.005, 0, 0.995, 1))
    axes.set_axis_off()
    for row in range(n_rows):
        title = f"query: {query_names[row]}" if titles is None else titles[row]
        axes.text(0, row + 0.17, title, fontsize=8, va="bottom")
        _place(axes, row, 0, queries[row], query_names[row], (BLACK, 1.0, "-"))
        for k in range(n_columns):
            good, name = bool(right[row, k]), neighbour_names[row][k]
            look = (GREEN, 1.2, "-") if good else (RED, 3.0, "--")
            _place(axes, row, k + 1.25, neighbours[row][k], name, look)
            axes.text(
                k + 1.7, row + 0.17, f"{'✓' if good else '✗'} {name}", fontsize=8, ha="center",
                va="bottom", color=BLACK if good else RED,
            )  # fmt: skip
    axes.set(xlim=(-0.02, n_columns + 1.3), ylim=(n_rows, 0))
    return figure


def _place(
    axes: Axes, row: int, left: float, picture: Any, name: str, look: tuple[str, float, str]
) -> None:
    """A picture, or a tile with a name, in a frame."""
    colour, width, style = look
    top, height = row + 0.23, 0.74
    if picture is None:
        axes.add_patch(Rectangle((left, top), 0.9, height, facecolor="#F2F2F2"))
        axes.text(left + 0.45, top + height / 2, name, ha="center", va="center", fontsize=8)
    else:
        axes.imshow(
            picture, extent=(left, left + 0.9, top + height, top), aspect="auto",
            cmap="gray_r" if np.ndim(picture) == 2 else None, interpolation="nearest",
        )  # fmt: skip
    axes.add_patch(
        Rectangle((left, top), 0.9, height, fill=False, ec=colour, lw=width, ls=style, zorder=5)
    )


def draw_map_bars(
    rows: Mapping[str, Mapping[str, float]], *, low: float = 0.0, title: str = ""
) -> Figure:
    """Draw groups of bars of mAP.

    Parameters
    ----------
    rows : mapping of str to mapping of str to float
        Method -> its mAP by ADC, SDC, exact and argmax code.
    low : float
        Where the axis of mAP begins.
    title : str
        What stands above.

    Returns
    -------
    Figure
        One group of bars for each method.
    """
    names = list(next(iter(rows.values())))
    figure = new_figure(7.0, 1.0 + 0.85 * len(rows))
    axes = figure.add_subplot()
    looks = [(BLUE, ""), (ORANGE, "//"), (GREEN, ".."), (GREY, "xx")]
    thickness = 0.8 / len(names)
    for i, (name, (colour, hatch)) in enumerate(zip(names, looks, strict=False)):
        at = np.arange(len(rows)) + (i - (len(names) - 1) / 2) * thickness
        values = [row[name] for row in rows.values()]
        axes.barh(
            at, values, thickness * 0.92, color=colour, hatch=hatch, edgecolor="white", label=name
        )
        for y, value in zip(at, values, strict=True):
            axes.text(value, y, f" {value:.3f}", va="center", fontsize=9)
    axes.set(
        yticks=range(len(rows)), yticklabels=list(rows), xlim=(low, 1.02),
        xlabel="mAP@all" + (f" (the axis begins at {low:g})" if low else ""),
        title=title,
    )  # fmt: skip
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=len(names), frameon=False, fontsize=9)
    return figure


def draw_history(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> Figure:
    """Draw loss and relative distortion after each round.

    Parameters
    ----------
    histories : mapping of str to sequence of mapping
        Run -> its rounds, each with "round", "loss" and, where there were codes, "relative_distortion".
        A run that is named like a method of the study looks as it does there.

    Returns
    -------
    Figure
        Two panels, with one line for each run.
    """
    from gsl_tutorial.course.plots.study import LOOKS  # imports torch, which galleries do without

    figure = new_figure(7.4, 2.8)
    panels = [
        ("loss", "similarity loss in training"),
        ("relative_distortion", "relative distortion"),
    ]
    for i, (key, label) in enumerate(panels, start=1):
        axes = figure.add_subplot(1, 2, i)
        for j, (name, records) in enumerate(histories.items()):
            colour, style, marker = _LINES[j % len(_LINES)]
            if name in LOOKS:
                colour, marker, style = LOOKS[name]
            there = [record for record in records if key in record]
            rounds = [record["round"] for record in there]
            axes.plot(
                rounds, [record[key] for record in there], color=colour, ls=style, marker=marker,
                ms=4, label=named(name),
            )  # fmt: skip
        axes.set(xlabel="round", ylabel=label, yscale="log")
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
    axes.legend(frameon=False, fontsize=8)
    return figure


def draw_pr_curves(
    curves: Mapping[str, tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]],
) -> Figure:
    """Draw precision against recall.

    Parameters
    ----------
    curves : mapping of str to pair of (N,) arrays
        Ranking -> (precision, recall).

    Returns
    -------
    Figure
        One line for each ranking.
    """
    figure = new_figure(6.4, 3.8)
    axes = figure.add_subplot()
    for i, ((name, (precision, recall)), (colour, style, marker)) in enumerate(
        zip(curves.items(), _LINES, strict=False)
    ):
        axes.plot(
            recall, precision, color=colour, ls=style, marker=marker, ms=5,
            markevery=(0.04 * i, 0.16), label=name,
        )  # fmt: skip
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=10, loc="lower left")
    return figure


def draw_confusion(
    shares: Float[np.ndarray, "C C"], class_names: Sequence[str], *, title: str = ""
) -> Figure:
    """Draw what is retrieved for the queries of each class.

    Parameters
    ----------
    shares : (C, C) array
        Shares from 0 to 1: classes of the queries are rows, classes retrieved are columns.
    class_names : sequence of str
        Names of the C classes.
    title : str
        What stands above.

    Returns
    -------
    Figure
        The shares in per cent.
    """
    figure = new_figure(6.2, 4.6)
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (i, j), share in np.ndenumerate(shares):
        if share >= 0.005:
            colour = "white" if share > 0.55 else BLACK
            axes.text(
                j, i, f"{100 * share:.0f}", ha="center", va="center", fontsize=8, color=colour
            )
    ticks = range(len(class_names))
    axes.set(
        xticks=ticks, yticks=ticks, xlabel="class of what is retrieved", ylabel="class of the query",
        title=title,
    )  # fmt: skip
    axes.set_xticklabels(class_names, rotation=45, ha="right")
    axes.set_yticklabels(class_names)
    return figure


def pictures(images: Shaped[np.ndarray, "n ..."] | None, rows: Any) -> list[Any]:
    """Take the pictures of some rows.

    Parameters
    ----------
    images : (n, ...) array, optional
        All images; flat digits become 8 x 8.
    rows : sequence of int
        The rows to take.

    Returns
    -------
    list
        One picture for each row, or None for each where there are no images.
    """
    if images is None:
        return [None] * len(rows)
    chosen = images[rows]
    return list(chosen.reshape(-1, 8, 8) if chosen.ndim == 2 else chosen)
