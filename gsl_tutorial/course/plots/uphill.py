"""Where a penalty goes uphill: the question at one point, the regions, and how large they grow.

A place is uphill when a small step against the gradient of similarity loss + strength * |z - q(z)|^2
raises the similarity loss. Arrows are steps, as in `plots.plane`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Patch

from gsl_tutorial.course.plots.plane import _LIMIT, _arrow, _draw_world, _shade_descent
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
from gsl_tutorial.course.toys.plane import Plane

_LINES = (
    (BLUE, "o", "-"), (ORANGE, "s", "--"), (GREEN, "^", "-."), (PURPLE, "D", ":"), (RED, "X", "-"),
)  # fmt: skip


def draw_question(plane: Plane, z: Float[np.ndarray, " 2"], strength: float) -> Figure:
    """Draw a point with the descent of the similarity loss and the pull, but not their sum.

    Parameters
    ----------
    plane : Plane
        The world that the point lives in.
    z : (2,) array
        The point.
    strength : float
        Weight of the pull.

    Returns
    -------
    Figure
        The plane with its two arrows.
    """
    figure = new_figure(6.9, 4.4, layout="none")
    axes = figure.add_axes((0.01, 0.01, 0.62, 0.98))
    _draw_world(axes, plane)
    one = np.asarray(z, dtype=np.float64)[None]
    g = plane.gradient(one)[0]
    _shade_descent(axes, one[0], g)
    _arrow(axes, one[0], -g, "similarity")
    _arrow(axes, one[0], 2 * strength * (plane.reconstruct(one) - one)[0], "quantization")
    axes.plot(*one[0], "o", ms=9, color=BLACK, zorder=8)
    handles = [
        Line2D([], [], color=BLUE, lw=2, label="descent of the\nsimilarity loss: −g"),
        Line2D([], [], color=ORANGE, lw=2, ls="--", label="pull to the nearest\ncodeword"),
        *_marks("z, the point"),
        Patch(facecolor="#56B4E924", edgecolor="#56B4E9", hatch="..", label="here the loss falls"),
    ]
    _beside(figure, handles, 0.645)
    return figure


def draw_uphill(plane: Plane, strengths: Sequence[float]) -> Figure:
    """Draw the places that the penalty sends uphill.

    In each cell the uphill places lie in the circle whose diameter runs from the partner to the
    least value of the sum in that cell, (partner + 2 strength c) / (1 + 2 strength).

    Parameters
    ----------
    plane : Plane
        The world.
    strengths : sequence of float
        Weights of the penalty.

    Returns
    -------
    Figure
        A panel for each strength: uphill places are hatched, each with the place where its cell's
        sum rests. Circles are drawn where that place lies in the cell itself.
    """
    figure = new_figure(3.3 * len(strengths), 4.35)
    line = np.linspace(-_LIMIT, _LIMIT, 301)
    grid = np.stack(np.meshgrid(line, line), axis=-1)
    places = grid.reshape(-1, 2)
    g = plane.gradient(places)
    for i, strength in enumerate(strengths, start=1):
        axes = figure.add_subplot(1, len(strengths), i)
        _draw_world(axes, plane)
        along = (plane.penalized(places, strength) * g).sum(axis=1)
        share = (along < 0).mean()
        if share > 0:
            values = along.reshape(grid.shape[:2])
            axes.contourf(
                line, line, values, levels=[-np.inf, 0], colors=[RED], alpha=0.3, hatches=["///"]
            )
            axes.contour(line, line, values, levels=[0], colors=[RED], linewidths=1)
        for rest in resting_places(plane, strength):
            _add_circle(axes, plane.partner, rest)
        axes.set_title(f"strength λ = {strength:g}\n{share:.0%} uphill", fontsize=11)
    handles = [
        Patch(facecolor="#D55E004D", edgecolor=RED, hatch="///", label="uphill places"),
        Line2D([], [], ls="none", marker="D", ms=7, color=BLUE, label="here the sum rests"),
        Line2D([], [], color=BLUE, lw=0.9, ls="--", label="circle from positive to rest"),
        *_marks()[:2],
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False, fontsize=10)
    return figure


def draw_shares(strengths: Sequence[float], shares: dict[str, Sequence[float]]) -> Figure:
    """Draw the share of uphill places against the strength on a log scale.

    Parameters
    ----------
    strengths : sequence of float
        Weights of the penalty.
    shares : dict of str to sequence of float
        Name -> share from 0 to 1 at each strength.

    Returns
    -------
    Figure
        One line for each name.
    """
    figure = new_figure(6.6, 3.9)
    axes = figure.add_subplot()
    for (name, values), (colour, marker, line) in zip(shares.items(), _LINES, strict=False):
        axes.plot(strengths, values, color=colour, marker=marker, ls=line, ms=6, label=name)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set(xlabel="strength λ of the penalty (log scale)", ylabel="share of places uphill")
    axes.set_ylim(0, 0.5)
    axes.grid(alpha=0.25)
    axes.legend(loc="upper left", frameon=False)
    return figure


def resting_places(plane: Plane, strength: float) -> Float[np.ndarray, "R 2"]:
    """Find the places where the sum's gradient vanishes.

    Parameters
    ----------
    plane : Plane
        The world.
    strength : float
        Weight of the penalty.

    Returns
    -------
    (R, 2) array
        One place for each cell that holds its own.

    Examples
    --------
    >>> resting_places(Plane(np.array([[1.0, 0.0]]), np.array([0.0, 0.0])), 0.5)
    array([[0.5, 0. ]])
    """
    rests = (plane.partner + 2 * strength * plane.codewords) / (1 + 2 * strength)
    return rests[(plane.reconstruct(rests) == plane.codewords).all(axis=1)]


def _add_circle(
    axes: Axes, partner: Float[np.ndarray, " 2"], rest: Float[np.ndarray, " 2"]
) -> None:
    middle, radius = (partner + rest) / 2, float(np.linalg.norm(rest - partner)) / 2
    axes.add_patch(Circle(tuple(middle), radius, fill=False, ec=BLUE, lw=0.9, ls="--", alpha=0.6))
    axes.plot(*rest, "D", ms=7, color=BLUE, mec="white", zorder=6)


def _marks(point: str = "") -> list[Line2D]:
    named = [
        ("*", 13, "#F0E442", "its positive" if point else "positive"),
        ("s", 7, GREY, "codeword"),
        ("o", 8, BLACK, point),
    ]
    return [
        Line2D([], [], ls="none", marker=marker, ms=size, color=colour, mec=BLACK, label=label)
        for marker, size, colour, label in named
        if label
    ]


def _beside(figure: Figure, handles: Sequence[Artist], left: float) -> None:
    figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(left, 0.97), frameon=False,
        fontsize=10.5, handlelength=2.8, labelspacing=0.9,
    )  # fmt: skip
