"""The still of the explorer: what stands in its place where no JavaScript runs (GitHub, PDF, print).

Colours, line styles and marks are those of the explorer's own page, `widgets/explorer.css`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gsl_tutorial.course.plots.plane import (
    ARROW_NOTE,
    _arrow,
    _borders,
    _shade_descent,
    cut_sample,
)
from gsl_tutorial.course.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    YELLOW,
)
from gsl_tutorial.course.plots.style import new_figure as _new_figure
from gsl_tutorial.course.toys.plane_losses import LossPlane
from gsl_tutorial.course.toys.plane_methods import (
    ReadOut,
    method_gradient,
    read_out,
    run_method,
)
from gsl_tutorial.snapping import SnapOptions

_LIMIT = 1.25
RIVALS = ("penalty", "straight-through", "rotation", "snap")
_HEIGHTS = (0.02, 0.1, 0.25, 0.45, 0.7, 1, 1.4, 1.9, 2.5, 3.2)


def draw_explorer_point(
    plane: LossPlane, z: Float[np.ndarray, " 2"], options: SnapOptions, *, snap: bool = True
) -> Figure:
    """Draw one point with its arrows, its candidates and the half-plane of descent.

    Parameters
    ----------
    plane : LossPlane
        The world that the point lives in.
    z : (2,) array
        The point.
    options : SnapOptions
        How it snaps.
    snap : bool
        Without it there are the two losses and their sum alone, as in chapter 05.

    Returns
    -------
    Figure
        The plane with a legend.
    """
    figure = _new_figure(7.8, 4.9, layout="none")
    axes = figure.add_axes((0.01, 0.01, 0.555, 0.885))
    draw_world(axes, plane)
    one = np.asarray(z, dtype=np.float64)[None]
    z = one[0]
    g = plane.gradient(one)[0]
    out = read_out(plane, z, options)
    _shade_descent(axes, z, g)
    if snap:
        axes.plot(
            *plane.candidates(one, options.n_candidates)[0].T,
            "o",
            ms=15,
            mfc="none",
            mec=BLACK,
            zorder=4,
        )
        if out.chosen is not None:
            chosen = plane.codewords[out.chosen]
            axes.plot(*chosen, "D", ms=15, mfc="none", mec=GREEN, mew=2.5, zorder=4)
        _arrow(axes, z, -method_gradient(plane, one, "snap", options)[0], "snapped")
    _arrow(axes, z, -method_gradient(plane, one, "penalty", options)[0], "penalty")
    pull = 2 * options.strength * (plane.codewords[out.nearest] - z)
    _arrow(axes, z, pull, "quantization")
    _arrow(axes, z, -g, "similarity")
    axes.plot(*z, "o", ms=9, color=BLACK, zorder=8)
    axes.set_title(_words(out, options, snap=snap), fontsize=11, loc="left", family="monospace")
    _add_legend(figure, plane, snap=snap)
    figure.text(0.59, 0.03, ARROW_NOTE, fontsize=9.5, va="bottom")
    return figure


def places() -> Float[np.ndarray, "144 2"]:
    """The places at which a field has an arrow, row by row from below."""
    line = -1.1 + 0.2 * np.arange(12)
    return np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)


def draw_explorer_field(
    plane: LossPlane,
    options: SnapOptions,
    *,
    snap: bool = True,
    own: Mapping[str, Float[np.ndarray, "144 2"]] | None = None,
) -> Figure:
    """Draw the field of arrows of each rival.

    Parameters
    ----------
    plane : LossPlane
        The world.
    options : SnapOptions
        How points snap, and the strength that all rivals share.
    snap : bool
        Whether all rivals are drawn; without it, the penalty alone.

    own : mapping of str to (144, 2) array
        Gradients of the reader's own rule at `places`, by its name: one more panel.

    Returns
    -------
    Figure
        One panel for each rival; crosses mark the places that are sent uphill.
    """
    own = own or {}
    figure, panels = _side_by_side(plane, snap=snap, own=own)
    grid = places()
    g = plane.gradient(grid)
    for method, axes in panels.items():
        known = method in own
        gradient = own[method] if known else method_gradient(plane, grid, method, options)
        uphill = (gradient * g).sum(axis=1) < -1e-12
        size = np.linalg.norm(gradient, axis=1, keepdims=True)
        shown = -0.17 * gradient / np.maximum(size, 0.5)
        for rows, colour in ((~uphill, BLUE), (uphill, RED)):
            axes.quiver(
                *grid[rows].T, *shown[rows].T,
                color=colour, angles="xy", scale_units="xy", scale=1, width=0.008, zorder=5,
            )  # fmt: skip
        axes.plot(*grid[uphill].T, "x", color=BLACK, ms=5, zorder=6)
        axes.set_title(f"{method}\n{uphill.mean():.0%} uphill (×)", fontsize=11)
    return figure


def draw_explorer_run(
    plane: LossPlane,
    starts: Float[np.ndarray, "N 2"],
    options: SnapOptions,
    *,
    n_steps: int,
    rate: float,
    snap: bool = True,
    own: Mapping[str, Float[np.ndarray, "T N 2"]] | None = None,
) -> Figure:
    """Draw the paths on which each rival moves the same points.

    Parameters
    ----------
    plane : LossPlane
        The world.
    starts : (N, 2) array
        Where the points begin.
    options : SnapOptions
        How points snap, and the strength that all rivals share.
    n_steps : int
        Length of the run.
    rate : float
        How far one step goes: z - rate * gradient.
    snap : bool
        Whether all rivals are drawn; without it, the penalty alone.

    own : mapping of str to (T, N, 2) array
        Paths under the reader's own rule, by its name: one more panel.

    Returns
    -------
    Figure
        One panel for each rival; starts are hollow, ends full.
    """
    own = own or {}
    figure, panels = _side_by_side(plane, snap=snap, own=own)
    for method, axes in panels.items():
        if method in own:
            path = own[method]
        else:
            path = run_method(plane, starts, method, options, n_steps=n_steps, rate=rate)
        axes.plot(path[:, :, 0], path[:, :, 1], color=BLUE, lw=0.8, alpha=0.8, zorder=4)
        axes.plot(*path[0].T, "o", ms=4, mfc="white", mec=BLACK, zorder=5)
        axes.plot(*path[-1].T, "o", ms=5, color=BLACK, zorder=6)
        end = path[-1]
        distortion = ((end - plane.reconstruct(end)) ** 2).sum(axis=1).mean()
        title = f"{method}\nloss {plane.loss(end).mean():.2f}, distortion {distortion:.3f}"
        axes.set_title(title, fontsize=11)
    return figure


def draw_world(axes: Axes, plane: LossPlane) -> None:
    """Draw cells, level lines of the similarity loss, codewords, and the data of the loss.

    Parameters
    ----------
    axes : Axes
        Where they are drawn.
    plane : LossPlane
        The world.
    """
    from matplotlib.collections import LineCollection

    borders = list(_borders(plane)) if len(plane.codewords) > 1 else []
    axes.add_collection(LineCollection(borders, colors="#9A9A9A", linewidths=1.4, zorder=1))
    line = np.linspace(-_LIMIT, _LIMIT, 81)
    grid = np.stack(np.meshgrid(line, line), axis=-1)
    heights = plane.loss(grid.reshape(-1, 2)).reshape(grid.shape[:2])
    if heights.max() > _HEIGHTS[0]:
        axes.contour(line, line, heights, levels=_HEIGHTS, colors=SKY, linewidths=0.8, zorder=2)
    axes.plot(*plane.codewords.T, "s", ms=7, color=GREY, mec=BLACK, zorder=3)
    for marker, size, colour, points in _data_looks(plane):
        axes.plot(*points.T, marker, ms=size, color=colour, mec=BLACK, ls="none", zorder=7)
    axes.set(xlim=(-_LIMIT, _LIMIT), ylim=(-_LIMIT, _LIMIT), aspect="equal", xticks=[], yticks=[])


def _data_looks(plane: LossPlane) -> list[tuple[str, float, str, Any]]:
    if plane.kind == "two-class":
        return [("^", 8, YELLOW, plane.similar), ("X", 8, RED, plane.dissimilar)]
    return [("*", 16, YELLOW, plane.similar[:1]), ("X", 11, RED, plane.dissimilar[:1])]


def _side_by_side(
    plane: LossPlane, *, snap: bool, own: Iterable[str]
) -> tuple[Figure, dict[str, Axes]]:
    methods = (*RIVALS, *own) if snap else ("penalty",)
    figure = _new_figure(3.3 * len(methods), 3.95)
    panels = {}
    for i, method in enumerate(methods, start=1):
        panels[method] = figure.add_subplot(1, len(methods), i)
        draw_world(panels[method], plane)
    return figure, panels


def _add_legend(figure: Figure, plane: LossPlane, *, snap: bool) -> None:
    def line(colour: str, style: str, width: float, label: str) -> Line2D:
        return Line2D([], [], color=colour, ls=style, lw=width, label=label)

    def mark(marker: str, size: float, label: str, **look: Any) -> Line2D:
        return Line2D([], [], ls="none", marker=marker, ms=size, label=label, **look)

    (near, near_size, *_), (far, far_size, *_) = _data_looks(plane)
    names = ("same class as z", "other class")
    if plane.kind != "two-class":
        names = ("positive: same class", "negative: other class")
    handles = [
        line(BLUE, "-", 2, "descent of the loss: −g"),
        line(ORANGE, "--", 2, "pull to the nearest codeword"),
        line(PURPLE, "-.", 2, "their sum (penalty)"),
        *([line(GREEN, "-", 3.5, "snapped step")] if snap else []),
        cut_sample(),
        mark("o", 8, "z, the point", color=BLACK),
        mark("s", 7, "codeword", color=GREY, mec=BLACK),
    ]
    if snap:
        handles += [
            mark("o", 13, "candidate", mfc="none", mec=BLACK),
            mark("D", 11, "chosen codeword", mfc="none", mec=GREEN, mew=2),
        ]
    handles += [
        mark(near, near_size, names[0], color=YELLOW, mec=BLACK),
    ]
    if len(plane.dissimilar):
        handles.append(mark(far, far_size, names[1], color=RED, mec=BLACK))
    handles.append(mark("s", 10, "here the loss falls", color=SKY, alpha=0.4))
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.575, 0.915), frameon=False,
        fontsize=10.5, handlelength=3.2,
    )  # fmt: skip


def _words(out: ReadOut, options: SnapOptions, *, snap: bool) -> str:
    penalty = f"penalty: {out.penalty_verdict}, cos {out.penalty_cosine:+.2f}"
    if not snap:
        return penalty
    left = "" if out.chosen is not None else f"  (fallback: {options.fallback})"
    return f"{penalty}\nsnapped: {out.snapped_verdict}, cos {out.snapped_cosine:+.2f}{left}"
