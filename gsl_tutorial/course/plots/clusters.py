"""k-means in pictures: cells and codewords, a half-step at a time; distortion against bits.

Pure functions of what `course.toys.kmeans_steps` computes. Points take the marker and the colour
of their cell; the codeword is the large mark with a black edge and the number of its row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Integer
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from scipy.spatial import Voronoi

from gsl_tutorial.course.plots.light import add_light_chart, round_ticks
from gsl_tutorial.course.plots.style import (
    BLACK,
    BLUE,
    CLASS_COLOURS,
    CLASS_MARKERS,
    CURVES,
    GREY,
    RED,
    new_figure,
)
from gsl_tutorial.course.toys.kmeans_steps import Step
from gsl_tutorial.errors import InvalidInputError

_TEXT = 11
_LIMIT = 1.12
_SAYS = {
    "start": "the start: nothing is assigned yet",
    "assign": "assign: each point to its nearest codeword",
    "move": "move: each codeword to the mean of its points",
}


def draw_cells(panels: Mapping[str, tuple[Any, Any, Any]]) -> Figure:
    """Draw points, codewords and the borders of their cells.

    Parameters
    ----------
    panels : mapping of str to tuple
        Title -> (points (N, 2), codewords (K, 2), assignment (N,) or None).

    Returns
    -------
    Figure
        One panel for each title.
    """
    figure = new_figure(3.9 * len(panels) + 0.4, 4.3)
    for i, (title, (points, codewords, assignment)) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(1, len(panels), i)
        _draw_cells(axes, points, codewords, codewords, assignment)
        axes.set_title(title, fontsize=_TEXT)
    return figure


def draw_kmeans(
    points: Float[np.ndarray, "N 2"],
    steps: Sequence[Step],
    now: int,
    *,
    best: float | None = None,
    longest: int | None = None,
) -> Figure:
    """Draw one half-step of k-means, and the distortion of all half-steps so far.

    Parameters
    ----------
    points : (N, 2) array
        What is clustered.
    steps : sequence of Step
        The half-steps, beginning with the start.
    now : int
        Which half-step is shown, from 0; after the last one k-means stands still.
    best : float, optional
        A distortion to compare with, drawn as a line across.
    longest : int, optional
        How many half-steps the right-hand side has room for.

    Returns
    -------
    Figure
        The cells on the left, the distortion on the right.

    Raises
    ------
    InvalidInputError
        `now` is negative.
    """
    if now < 0:
        raise InvalidInputError("a half-step of 0 or more", f"{now}", "0 is the start")
    shown = min(now, len(steps) - 1)
    step = steps[shown]
    # Fixed places instead of a layout engine: a slider redraws this many times a second.
    figure = new_figure(8.8, 5.0, layout="none")
    left = figure.add_axes((0.01, 0.01, 0.52, 0.86))
    trail = [one.codewords for one in steps[: shown + 1] if one.kind != "assign"]
    _draw_cells(left, points, step.codewords, step.before, step.assignment, np.stack(trail))
    measured = "" if step.distortion is None else f"distortion {step.distortion:.4f}"
    if _is_still(steps) and shown == len(steps) - 1:
        measured += ";  still: no point changes its codeword"
    left.set_title(f"{_SAYS[step.kind]}\n{measured}", fontsize=_TEXT, loc="left")
    _draw_curve(figure, steps, shown, best, longest or len(steps) - 1)
    return figure


def draw_ends(ends: Sequence[float]) -> Figure:
    """Draw where many runs of k-means ended, sorted from the best to the worst.

    Parameters
    ----------
    ends : sequence of float
        The distortion at the end of each run, above zero.

    Returns
    -------
    Figure
        A dot for each run, and a line at the best.
    """
    sorted_ends = np.sort(np.asarray(ends, dtype=float))
    figure = new_figure(7.6, 3.0)
    axes = figure.add_subplot()
    axes.axhline(sorted_ends[0], color=GREY, lw=1.5, ls="--")
    axes.plot(np.arange(1, len(sorted_ends) + 1), sorted_ends, "o", ms=5, color=BLUE)
    axes.set(
        xlabel="runs of k-means, from the best end to the worst", ylabel="distortion at the end",
        ylim=(0, 1.1 * sorted_ends[-1]),
    )  # fmt: skip
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="0.9")
    return figure


def draw_rate(
    panels: Mapping[str, tuple[Sequence[float], Mapping[str, Sequence[float]]]],
    *,
    ylabel: str = "distortion left",
) -> Figure:
    """Draw distortion against bits.

    Parameters
    ----------
    panels : mapping of str to tuple
        Title -> (bits, {name: distortions}).
    ylabel : str
        What the vertical axis shows.

    Returns
    -------
    Figure
        One panel for each title, all on one scale.
    """
    figure = new_figure(9.4, 4.0)
    all_axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axes, (title, (bits, curves)) in zip(all_axes, panels.items(), strict=True):
        for (name, values), (colour, marker, line) in zip(curves.items(), CURVES, strict=False):
            axes.plot(bits, values, color=colour, marker=marker, ls=line, lw=2, ms=8, label=name)
        axes.set_title(title, fontsize=12)
        axes.set_xticks(bits)
        axes.set_ylim(0, 1.05)
        axes.set_xlabel("bits of a code", fontsize=_TEXT)
        axes.grid(color="0.9")
        axes.legend(fontsize=_TEXT, frameon=False, loc="best")
    all_axes[0].set_ylabel(ylabel, fontsize=_TEXT)
    return figure


def borders(codewords: Float[np.ndarray, "K 2"]) -> Float[np.ndarray, "E 2 2"]:
    """Find the borders between the cells of the codewords.

    Parameters
    ----------
    codewords : (K, 2) array
        Places in the plane.

    Returns
    -------
    (E, 2, 2) array
        Each border as a line segment: its two ends.

    Examples
    --------
    >>> borders(np.array([[-1.0, 0.0], [1.0, 0.0]]))[0, :, 0] + 0.0
    array([0., 0.])
    """
    different = np.unique(codewords, axis=0)
    if len(different) < 2:
        return np.empty((0, 2, 2))
    # Sites far outside close every cell, so that no border runs to infinity.
    far = 40 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    cells = Voronoi(np.concatenate([different, far]))
    inside = [
        ends
        for ends, sites in zip(cells.ridge_vertices, cells.ridge_points, strict=True)
        if -1 not in ends and max(sites) < len(different)
    ]
    return cells.vertices[np.array(inside, dtype=int).reshape(-1, 2)]


def _draw_cells(
    axes: Axes,
    points: Float[np.ndarray, "N 2"],
    codewords: Float[np.ndarray, "K 2"],
    before: Float[np.ndarray, "K 2"],
    assignment: Integer[np.ndarray, " N"] | None,
    trail: Float[np.ndarray, "T K 2"] | None = None,
) -> None:
    """Cells of `before`, with which the points were assigned, and the codewords where they are now."""
    counts = np.zeros(len(codewords), dtype=int)
    if assignment is None:
        axes.plot(*points.T, "o", ms=4.5, color=GREY, zorder=2)
    else:
        counts = np.bincount(assignment, minlength=len(codewords))
        axes.add_collection(
            LineCollection(list(borders(before)), colors="#9A9A9A", linewidths=1.4, zorder=1)
        )
        for k in np.flatnonzero(counts).tolist():
            colour, marker = _look(k)
            axes.plot(*points[assignment == k].T, marker, ms=4.5, color=colour, alpha=0.75, mew=0)
    if trail is not None and len(trail) > 1:
        for k, way in enumerate(trail.swapaxes(0, 1)):
            axes.plot(*way.T, "-", color=BLACK, lw=1.6, zorder=4)
            axes.plot(*way[0].T, _look(k)[1], ms=8, mfc="white", mec=BLACK, zorder=4)
    for k, codeword in enumerate(codewords):
        colour, marker = _look(k)
        dead = assignment is not None and not counts[k]
        look: dict[str, Any] = (
            {"mfc": "white", "mec": RED} if dead else {"mfc": colour, "mec": BLACK}
        )
        axes.plot(*codeword, marker, ms=14, mew=2, zorder=5, **look)
        axes.annotate(
            f"{k}: no points" if dead else str(k), codeword, xytext=(11, 9),
            textcoords="offset points", fontsize=_TEXT, fontweight="bold", zorder=6,
            ha=_side(codeword[0]) if dead else "center",
            path_effects=[withStroke(linewidth=3, foreground="white")],
        )  # fmt: skip
    limits = (-_LIMIT, _LIMIT)
    axes.set(xlim=limits, ylim=limits, aspect="equal", xticks=[], yticks=[])


def _side(x: float) -> str:
    """Where a long label of a mark at x has room."""
    return "right" if x > 0.4 else "left" if x < -0.4 else "center"


def _draw_curve(
    figure: Figure, steps: Sequence[Step], shown: int, best: float | None, longest: int
) -> None:
    every = [
        (i, one.kind, one.distortion) for i, one in enumerate(steps) if one.distortion is not None
    ]
    # One scale from the first half-step to the last, so that the curve does not jump.
    top = 1.3 * max([value for *_, value in every] + [best or 0.0]) or 1.0
    last = max(longest, len(steps) - 1)
    axes = add_light_chart(
        figure, (0.615, 0.12, 0.365, 0.75),
        xticks=round_ticks(last, 6), yticks=round_ticks(top), xlim=(-0.5, last + 1), ylim=(0, top),
        xlabel="half-step", title="distortion",
    )  # fmt: skip
    past = [(i, kind, value) for i, kind, value in every if i <= shown]
    axes.plot([i for i, *_ in past], [value for *_, value in past], "-", color=GREY, lw=1.5)
    for line, (wanted, marker, colour) in enumerate((("assign", "o", BLUE), ("move", "s", RED))):
        chosen = [(i, value) for i, kind, value in past if kind == wanted]
        at = 0.6 * last, top * (0.95 - 0.08 * line)
        axes.plot(
            [i for i, _ in chosen] + [at[0]], [value for _, value in chosen] + [at[1]],
            marker, ls="none", ms=7, color=colour,
        )  # fmt: skip
        axes.text(at[0] + 0.04 * last, at[1], f"after {wanted}", fontsize=_TEXT, va="center")
    if past:
        axes.plot(past[-1][0], past[-1][2], "o", ms=17, mfc="none", mec=BLACK, mew=2)
    if best is not None:
        axes.plot([-0.5, last + 1], [best, best], color=BLACK, ls=":", lw=2)
        axes.text(
            last + 1, best, f"best known: {best:.4f}", fontsize=_TEXT, ha="right", va="bottom"
        )


def _is_still(steps: Sequence[Step]) -> bool:
    """Whether the last round changed no assignment, rather than being the last that was asked for."""
    last = [one.assignment for one in steps if one.kind == "assign"][-2:]
    return len(last) == 2 and np.array_equal(last[0], last[1])  # type: ignore[arg-type]


def _look(k: int) -> tuple[str, str]:
    return CLASS_COLOURS[k % len(CLASS_COLOURS)], CLASS_MARKERS[k % len(CLASS_MARKERS)]
