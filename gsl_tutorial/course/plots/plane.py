"""The plane with its cells, losses and arrows: one drawing for a point, one for a field, one for paths.

Arrows are descent directions: they point where the point will go, against the gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle
from scipy.spatial import Voronoi

from gsl_tutorial.course.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    YELLOW,
    new_figure,
)
from gsl_tutorial.course.toys.plane import Plane, cosine
from gsl_tutorial.snapping import SnapOptions

_LIMIT = 1.25
#: Arrows are cut at this length, so that their heads stay in the picture, and marked as cut.
_LONGEST = 0.9
#: What stands below the legends of arrows.
ARROW_NOTE = (
    "The arrows are to scale, but a training\nstep is only a small part of one. At the end\n"
    "of a long arrow the loss may be higher\nthan where it began."
)
#: Arrows and paths: colour, line style, width, label.
_LOOKS: dict[str, tuple[str, str, float, str]] = {
    "similarity": (BLUE, "-", 2.0, "similarity: −g"),
    "quantization": (ORANGE, "--", 2.0, "pull to the nearest codeword"),
    "penalty": (PURPLE, "-.", 2.0, "their sum (penalty)"),
    "snapped": (GREEN, "-", 3.5, "snapped step"),
}


def draw_snap(plane: Plane, z: Float[np.ndarray, " 2"], **how: Any) -> Figure:
    """Draw one point with all its arrows.

    Parameters
    ----------
    plane : Plane
        The world that the point lives in.
    z : (2,) array
        The point.
    **how
        Any of `SnapOptions`.

    Returns
    -------
    Figure
        Candidates are ringed, the half-plane of descent is shaded; a legend stands beside.
    """
    figure = new_figure(7.8, 4.9, layout="none")
    _draw_point(figure.add_axes((0.01, 0.01, 0.555, 0.885)), plane, z, SnapOptions(**how))
    _add_legend(figure)
    figure.text(0.59, 0.03, ARROW_NOTE, fontsize=9.5, va="bottom")
    return figure


def draw_fields(
    plane: Plane,
    panels: dict[str, Float[np.ndarray, "N 2"]],
    points: Float[np.ndarray, "N 2"],
) -> Figure:
    """Draw fields of gradients as arrows of descent.

    Parameters
    ----------
    plane : Plane
        The world.
    panels : dict of str to (N, 2) array
        Title -> the gradient at each point.
    points : (N, 2) array
        Where the arrows begin.

    Returns
    -------
    Figure
        One panel for each field, at most four side by side; arrows that go uphill are marked.
    """
    columns = min(4, len(panels))
    rows = -(-len(panels) // columns)
    figure = new_figure(3.3 * columns, 3.95 * rows)
    g = plane.gradient(points)
    for i, (title, gradients) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(rows, columns, i)
        _draw_world(axes, plane)
        uphill = (gradients * g).sum(axis=1) < -1e-12
        size = np.linalg.norm(gradients, axis=1, keepdims=True)
        shown = 0.17 * gradients / np.maximum(size, 0.5)  # weak ones short, all others alike
        for chosen, colour in ((~uphill, BLUE), (uphill, ORANGE)):
            axes.quiver(
                *points[chosen].T,
                *-shown[chosen].T,
                color=colour,
                angles="xy",
                scale_units="xy",
                scale=1,
                width=0.008,
                zorder=5,
            )
        axes.plot(*points[uphill].T, "x", color=BLACK, ms=5, zorder=6)
        share = f"{uphill.mean():.0%} uphill (×)"
        axes.set_title(f"{title}\n{share}", fontsize=11)
    return figure


def draw_paths(plane: Plane, paths: dict[str, Float[np.ndarray, "T N 2"]]) -> Figure:
    """Draw the ways of points under several rules.

    Parameters
    ----------
    plane : Plane
        The world.
    paths : dict of str to (T, N, 2) array
        Title -> the places of N points at T moments.

    Returns
    -------
    Figure
        One panel for each rule; a start is hollow, an end full.
    """
    figure = new_figure(3.3 * len(paths), 3.95)
    for i, (title, path) in enumerate(paths.items(), start=1):
        axes = figure.add_subplot(1, len(paths), i)
        _draw_world(axes, plane)
        axes.plot(path[:, :, 0], path[:, :, 1], color=BLUE, lw=0.8, alpha=0.8, zorder=4)
        axes.plot(*path[0].T, "o", ms=4, mfc="white", mec=BLACK, zorder=5)
        axes.plot(*path[-1].T, "o", ms=5, color=BLACK, zorder=6)
        end = path[-1]
        loss = plane.loss(end).mean()
        distortion = ((end - plane.reconstruct(end)) ** 2).sum(axis=1).mean()
        axes.set_title(f"{title}\nloss {loss:.2f}, distortion {distortion:.2f}", fontsize=11)
    return figure


def _draw_point(axes: Axes, plane: Plane, z: Any, options: SnapOptions) -> None:
    _draw_world(axes, plane)
    z = np.asarray(z, dtype=np.float64)
    g = plane.gradient(z[None])[0]
    nearest = plane.reconstruct(z[None])[0]
    penalized = plane.penalized(z[None], options.strength)[0]
    snapped = plane.snapped(z[None], options)[0]
    _shade_descent(axes, z, g)
    candidates = plane.candidates(z[None], options.n_candidates)[0]
    axes.plot(*candidates.T, "o", ms=15, mfc="none", mec=BLACK, mew=1.4, zorder=4)
    arrows = {
        "similarity": -g,
        "quantization": 2 * options.strength * (nearest - z),
        "penalty": -penalized,
        "snapped": -snapped,
    }
    for name, arrow in arrows.items():
        _arrow(axes, z, arrow, name)
    axes.plot(*z, "o", ms=9, color=BLACK, zorder=8)
    axes.set_title(_read_out(g, penalized, snapped), fontsize=11, loc="left", family="monospace")


def _add_legend(figure: Figure) -> None:
    handles = [
        Line2D([], [], color=colour, ls=style, lw=width, label=label)
        for colour, style, width, label in _LOOKS.values()
    ]
    handles += [cut_sample(), *_legend_points()]
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.575, 0.915),
        frameon=False,
        fontsize=10.5,
        handlelength=3.2,
    )


def _draw_world(axes: Axes, plane: Plane) -> None:
    """Cells, loss contours, codewords, partner."""
    axes.add_collection(
        LineCollection(list(_borders(plane)), colors="#9A9A9A", linewidths=1.4, zorder=1)
    )
    for level in np.linspace(0.05, 2.5, 9):  # the loss is quadratic: its contours are circles
        radius = float(np.sqrt(2 * level))
        axes.add_patch(Circle(tuple(plane.partner), radius, fill=False, ec=SKY, lw=0.7, zorder=2))
    axes.plot(*plane.codewords.T, "s", ms=7, color=GREY, mec=BLACK, zorder=3)
    axes.plot(*plane.partner, "*", ms=16, color=YELLOW, mec=BLACK, zorder=7)
    axes.set(xlim=(-_LIMIT, _LIMIT), ylim=(-_LIMIT, _LIMIT), aspect="equal", xticks=[], yticks=[])


def _borders(plane: Plane) -> Float[np.ndarray, "E 2 2"]:
    """The borders between cells, as line segments."""
    # Mirror images far outside close every cell, so that no border runs to infinity.
    far = 20 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
    cells = Voronoi(np.concatenate([plane.codewords, far]))
    inside = [ridge for ridge in cells.ridge_vertices if -1 not in ridge]
    return cells.vertices[np.array(inside, dtype=int).reshape(-1, 2)]


def _shade_descent(axes: Axes, z: Any, g: Any) -> None:
    """Hatch the half-plane in which a step lowers the similarity loss."""
    size = np.linalg.norm(g)
    if size == 0:
        return
    along, across = -g / size, np.array([g[1], -g[0]]) / size
    corners = [
        z + 5 * across,
        z + 5 * across + 5 * along,
        z - 5 * across + 5 * along,
        z - 5 * across,
    ]
    axes.fill(
        *np.array(corners).T, facecolor=SKY, alpha=0.14, hatch="..", edgecolor=SKY, lw=0, zorder=0
    )


def _arrow(axes: Axes, start: Any, arrow: Any, name: str) -> None:
    colour, style, width, _ = _LOOKS[name]
    size = np.linalg.norm(arrow)
    if size < 1e-9:
        return
    arrow = arrow * min(1.0, _LONGEST / size)
    axes.annotate(
        "",
        xy=start + arrow,
        xytext=start,
        arrowprops={
            "arrowstyle": "-|>",
            "color": colour,
            "lw": width,
            "ls": style,
            "shrinkA": 0,
            "shrinkB": 0,
            "mutation_scale": 9 + 3 * width,
        },
        zorder=5 if name == "snapped" else 6,
        annotation_clip=False,
    ).arrow_patch.set_clip_box(axes.bbox)  # type: ignore[union-attr]
    if size > _LONGEST:
        _mark_as_cut(axes, start + 0.5 * arrow, arrow / _LONGEST, colour)


def _mark_as_cut(axes: Axes, middle: Any, direction: Any, colour: str) -> None:
    """Draw two strokes across the shaft of an arrow."""
    across = 0.045 * np.array([-direction[1], direction[0]]) + 0.018 * direction
    for shift in (-0.02, 0.02):
        ends = middle + shift * direction + np.outer([-1, 1], across)
        axes.plot(*ends.T, color=colour, lw=2, zorder=6.5, gid="cut")


def cut_sample() -> Line2D:
    """The entry of a legend for an arrow that is longer than drawn."""
    return Line2D([], [], color=BLACK, lw=1.5, marker="$//$", ms=10, label="cut: longer than drawn")


def _legend_points() -> list[Line2D]:
    def point(marker: str, size: float, label: str, **look: Any) -> Line2D:
        return Line2D([], [], ls="none", marker=marker, ms=size, label=label, **look)

    return [
        point("o", 8, "z, the point", color=BLACK),
        point("*", 13, "its positive", color=YELLOW, mec=BLACK),
        point("s", 7, "codeword", color=GREY, mec=BLACK),
        point("o", 13, "candidate", mfc="none", mec=BLACK),
        point("s", 10, "here the loss falls", color=SKY, alpha=0.4),
    ]


def _read_out(g: Any, penalized: Any, snapped: Any) -> str:
    def verdict(gradient: Any) -> str:
        if np.linalg.norm(gradient) < 1e-9:
            return "stays"
        value = float(gradient @ g)
        if np.linalg.norm(g) < 1e-9 or abs(value) < 1e-9:
            return "level"
        return f"{'downhill' if value > 0 else 'UPHILL'}, cos {float(cosine(gradient, g)):+.2f}"

    return f"penalty: {verdict(penalized)}\nsnapped: {verdict(snapped)}"
