"""Four quantizers in pictures: grids and sums of codewords, where a point may snap, and charts of errors.

Pure functions of points, reconstructions and measured numbers; none of them encodes anything itself.
Blue discs are data, orange diamonds are what a quantizer can say, and a thin line joins the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import Bbox, BboxTransform, TransformedBbox

from gsl_tutorial.course.plots.clusters import borders
from gsl_tutorial.course.plots.light import add_light_chart, round_ticks
from gsl_tutorial.course.plots.style import (
    BLACK,
    BLUE,
    CURVES,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    new_figure,
)

_TEXT = 11
_FRAME = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]])
_HALO: list[Any] = [withStroke(linewidth=3, foreground="white")]
#: One look for each step of a sum: colour, line style.
_STEPS = ((BLUE, "-"), (RED, "--"), (GREEN, "-."), (PURPLE, ":"))


def draw_rotated_grid(
    points: Float[np.ndarray, "N 2"],
    decoded: Float[np.ndarray, "N 2"],
    places: Float[np.ndarray, "P 2"],
    degrees: float,
    curve: tuple[Sequence[float], Sequence[float]],
) -> Figure:
    """Draw a grid of reconstructions rotated by some angle, and what every angle costs.

    Parameters
    ----------
    points, decoded : (N, 2) arrays
        The points and their reconstructions.
    places : (P, 2) array
        All that the quantizer can say.
    degrees : float
        Angle of the grid.
    curve : pair of sequences of float
        Angles in degrees, and the distortion at each of them.

    Returns
    -------
    Figure
        Points and grid on the left, the curve on the right.
    """
    # Fixed places instead of a layout engine: a slider redraws this many times a second.
    figure = new_figure(8.8, 4.7, layout="none")
    left = figure.add_axes((0.01, 0.02, 0.5, 0.88))
    angle = np.radians(degrees)
    for direction in (np.array([np.cos(angle), np.sin(angle)]), [-np.sin(angle), np.cos(angle)]):
        ends = [[p - 4 * np.asarray(direction), p + 4 * np.asarray(direction)] for p in places]
        left.add_collection(LineCollection(ends, colors="0.75", linewidths=1.2, zorder=0))
    _draw_code(left, points, decoded, places)
    left.set(xlim=(-1.25, 1.25), ylim=(-1.25, 1.25), aspect="equal", xticks=[], yticks=[])
    lost = ((points - decoded) ** 2).sum(axis=1).mean()
    left.set_title(
        f"grid turned by {degrees:g}°\ndistortion {lost:.3f}", fontsize=_TEXT, loc="left"
    )

    angles, values = curve
    top = 1.2 * max(values) or 1.0
    axes = add_light_chart(
        figure, (0.61, 0.13, 0.37, 0.72), xticks=range(0, int(max(angles)) + 1, 15),
        yticks=round_ticks(top), xlim=(0, max(angles)), ylim=(0, top),
        xlabel="degrees that the grid is turned", title="distortion",
    )  # fmt: skip
    axes.plot(angles, values, "-", color=GREY, lw=2)
    axes.plot(degrees, lost, "D", ms=11, color=ORANGE, mec=BLACK, mew=1.5, clip_on=False, zorder=5)
    return figure


def draw_methods(
    panels: Mapping[
        str, tuple[Float[np.ndarray, "N 2"], Float[np.ndarray, "N 2"], Float[np.ndarray, "P 2"]]
    ],
) -> Figure:
    """Draw points under several quantizers.

    Parameters
    ----------
    panels : mapping of str to tuple
        Title -> (points (N, 2), their reconstructions (N, 2), all that the quantizer can say (P,
        2)).

    Returns
    -------
    Figure
        Two panels in a row.
    """
    rows = -(-len(panels) // 2)
    columns = min(len(panels), 2)
    width, height = 2.1, 2.28
    figure = new_figure(2.85 * width, 1.425 * height * rows, layout="none")
    # A slider redraws this many times a second, so all panels share one set of lines and marks, and
    # there are no axes: their making takes longer than all that is drawn inside them.
    across = (-1.03, width * columns - 1.03)
    up = (-height * rows + 1.23, 1.25)
    shown = TransformedBbox(Bbox.from_extents(0, 0, columns / 2, 1), figure.transFigure)
    window = BboxTransform(Bbox.from_extents(across[0], up[0], across[1], up[1]), shown)
    links, frames, data = [], [], []
    places_by_size: dict[float, list[Any]] = {}
    for i, (title, (points, decoded, places)) in enumerate(panels.items()):
        row, column = divmod(i, 2)
        middle = np.array([width * column, -height * row])
        frames.append(_FRAME + middle)
        links.append(np.stack([points, decoded], axis=1) + middle)
        data.append(points + middle)
        places_by_size.setdefault(_size(places), []).append(places + middle)
        lost = ((points - decoded) ** 2).sum(axis=1).mean()
        said = f"{title}: distortion {lost:.4f}"
        x, y = np.add(middle, (-1, 1.06))
        figure.add_artist(Text(x, y, said, fontsize=_TEXT, transform=window))
    marks = [
        LineCollection(frames, colors=BLACK, linewidths=0.8),
        LineCollection(np.concatenate(links), colors=BLUE, linewidths=0.8, alpha=0.6),  # type: ignore[arg-type]
        _marks(np.concatenate(data), marker="o", ms=3.2, color=BLUE, mew=0),
    ]
    for size, every in places_by_size.items():
        marks.append(_diamonds(np.concatenate(every), size))
    for mark in marks:
        mark.set_transform(window)
        figure.add_artist(mark)
    return figure


def draw_subvector_clouds(
    rows: Mapping[str, tuple[Float[np.ndarray, "N M 2"], Float[np.ndarray, "M K 2"]]],
) -> Figure:
    """Draw subvectors of two numbers with their codewords and cells.

    Parameters
    ----------
    rows : mapping of str to ((N, M, 2) array, (M, K, 2) array)
        Quantizer -> the subvectors of N vectors, and its codebooks.

    Returns
    -------
    Figure
        A row of M panels for each quantizer.
    """
    n_subspaces = max(parts.shape[1] for parts, _ in rows.values())
    figure = new_figure(3.7 * n_subspaces, 3.5 * len(rows))
    panels = figure.subplots(len(rows), n_subspaces, squeeze=False)
    reach = 1.05 * max(float(np.abs(parts).max()) for parts, _ in rows.values())
    for (name, (parts, books)), line in zip(rows.items(), panels, strict=True):
        for m, axes in enumerate(line):
            axes.add_collection(LineCollection(list(borders(books[m])), colors="#9A9A9A"))
            axes.plot(*parts[:, m].T, "o", ms=3, color=BLUE, alpha=0.5, mew=0)
            axes.plot(*books[m].T, "D", ms=8, color=ORANGE, mec=BLACK)
            axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
            axes.set(xticks=[], yticks=[])
            axes.set_title(f"{name}, subvector {m}", fontsize=_TEXT)
    return figure


def draw_sums(
    z: Float[np.ndarray, " 2"],
    panels: Mapping[str, Float[np.ndarray, "M 2"]],
    places: Float[np.ndarray, "P 2"],
) -> Figure:
    """Draw codewords as arrows, head to tail, from the origin to a reconstruction.

    Parameters
    ----------
    z : (2,) array
        The point that is coded.
    panels : mapping of str to (M, 2) array
        Title -> the codewords that are added.
    places : (P, 2) array
        All that the quantizer can say.

    Returns
    -------
    Figure
        One panel for each sum.
    """
    figure = new_figure(4.4 * len(panels), 4.6)
    all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
    sums = [np.cumsum(chosen, axis=0) for chosen in panels.values()]
    # One window for all panels, around what happens; places outside of it do not matter here.
    shown = np.concatenate([*sums, z[None], np.zeros((1, 2))])
    middle = (shown.max(axis=0) + shown.min(axis=0)) / 2
    reach = 1.4 * max(float((shown.max(axis=0) - shown.min(axis=0)).max()) / 2, 0.05)
    for axes, (title, chosen) in zip(all_axes, panels.items(), strict=True):
        axes.plot(*places.T, "D", ms=5, color=ORANGE, alpha=0.6, mew=0, label="all sums")
        tail = np.zeros(2)
        for m, step in enumerate(chosen):
            colour, line = _STEPS[m % len(_STEPS)]
            head = tail + step
            axes.annotate(
                "", head, tail, zorder=4,
                arrowprops={"arrowstyle": "-|>", "color": colour, "ls": line, "lw": 2.2,
                            "shrinkA": 0, "shrinkB": 0, "mutation_scale": 15},
            )  # fmt: skip
            # Beside the arrow, not on it.
            aside = 13 * np.array([-step[1], step[0]]) / max(float(np.linalg.norm(step)), 1e-9)
            axes.annotate(
                f"$c_{{{m}}}$", tail + step / 2, xytext=tuple(aside), textcoords="offset points",
                fontsize=14, color=colour, ha="center", va="center", path_effects=_HALO, zorder=6,
            )  # fmt: skip
            tail = head
        axes.plot(*tail, "D", ms=9, color=ORANGE, mec=BLACK, mew=1.5, zorder=5, label="q(z)")
        axes.plot(*z, "o", ms=9, color=BLACK, zorder=6, label="z")
        axes.plot(0, 0, "+", ms=12, color=BLACK, mew=2, label="origin")
        lost = float(((z - tail) ** 2).sum())
        axes.set_title(f"{title}: squared error {lost:.4f}", fontsize=_TEXT)
        axes.set(xlim=middle[0] + np.array([-reach, reach]))
        axes.set(ylim=middle[1] + np.array([-reach, reach]), aspect="equal", xticks=[], yticks=[])
    handles, labels = all_axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, ncols=4, fontsize=10, frameon=False, loc="outside lower center")
    return figure


def draw_candidates(
    z: Float[np.ndarray, " 2"],
    panels: Mapping[str, tuple[Float[np.ndarray, "P 2"], Float[np.ndarray, "M n d"]]],
) -> Figure:
    """Draw where a point may snap.

    Parameters
    ----------
    z : (2,) array
        The point.
    panels : mapping of str to ((P, 2) array, (M, n, d) array)
        Title -> all reconstructions, and the candidates, nearest first.

    Returns
    -------
    Figure
        One panel for each title. The nearest candidate is number 1; subvectors of one number are lines.
    """
    figure = new_figure(4.6 * len(panels), 4.8)
    all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, (places, candidates)) in zip(all_axes, panels.items(), strict=True):
        axes.plot(*places.T, "D", ms=8, color=ORANGE, mec=BLACK, mew=0.8, ls="none", zorder=3)
        if candidates.shape[2] == 1:
            _draw_candidate_lines(axes, candidates[:, :, 0])
        else:
            _draw_candidate_places(axes, candidates[0])
        axes.plot(*z, "o", ms=10, color=BLACK, zorder=6)
        _name(axes, "z", z, (9, -17), BLACK)
        axes.set(xlim=(-1.02, 1.02), ylim=(-1.02, 1.02), aspect="equal", xticks=[], yticks=[])
        axes.set_title(title, fontsize=_TEXT)
    return figure


def _draw_candidate_lines(axes: Axes, values: Float[np.ndarray, "2 n"]) -> None:
    for rank, (x, y) in enumerate(values.T, start=1):
        axes.axvline(x, color=BLUE, lw=2.2, ls="-", zorder=2)
        axes.axhline(y, color=RED, lw=2.2, ls="--", zorder=2)
        _name(axes, str(rank), (x, 0.92), (4, -4), BLUE)
        _name(axes, str(rank), (-1.0, y), (2, 4), RED)


def _draw_candidate_places(axes: Axes, places: Float[np.ndarray, "n 2"]) -> None:
    axes.plot(*places.T, "s", ms=17, mfc="none", mec=BLUE, mew=2.2, zorder=4)
    for rank, place in enumerate(places, start=1):
        _name(axes, str(rank), place, (11, 7), BLUE)


def _name(axes: Axes, text: str, at: Any, away: tuple[float, float], colour: str) -> None:
    axes.annotate(
        text, at, xytext=away, textcoords="offset points", fontsize=13, fontweight="bold",
        color=colour, path_effects=_HALO, zorder=7,
    )  # fmt: skip


def _draw_code(
    axes: Axes,
    points: Float[np.ndarray, "N 2"],
    decoded: Float[np.ndarray, "N 2"],
    places: Float[np.ndarray, "P 2"],
) -> None:
    """Points, a thin line from each to its reconstruction, and all the places there are."""
    lines = list(np.stack([points, decoded], axis=1))
    axes.add_collection(LineCollection(lines, colors=BLUE, linewidths=0.8, alpha=0.6, zorder=1))
    axes.plot(*points.T, "o", ms=3.2, color=BLUE, mew=0, zorder=2)
    axes.add_line(_diamonds(places, _size(places)))


def _size(places: Float[np.ndarray, "P 2"]) -> float:
    """Many diamonds are small ones, or they would hide the points."""
    return 9 if len(places) <= 25 else 5.5


def _diamonds(places: Float[np.ndarray, "P 2"], size: float) -> Line2D:
    return _marks(places, marker="D", ms=size, color=ORANGE, mec=BLACK, mew=size / 8, zorder=3)


def _marks(places: Float[np.ndarray, "P 2"], **look: Any) -> Line2D:
    return Line2D(*places.T, ls="none", **look)


def draw_beam(widths: Sequence[int], curves: Mapping[str, Sequence[float]]) -> Figure:
    """Draw distortion against the width of the beam.

    Parameters
    ----------
    widths : sequence of int
        Widths of the beam.
    curves : mapping of str to sequence of float
        Set of vectors -> its distortion at each width.

    Returns
    -------
    Figure
        One line for each set of vectors.
    """
    figure = new_figure(6.4, 3.6)
    axes = figure.add_subplot()
    for (name, values), (colour, marker, line) in zip(curves.items(), CURVES, strict=False):
        axes.plot(widths, values, color=colour, marker=marker, ls=line, lw=2, ms=8, label=name)
    axes.set_xscale("log", base=2)
    axes.set_xticks(widths, [str(width) for width in widths])
    axes.set_ylim(0, 1.25 * max(map(max, curves.values())) or 1.0)
    axes.set_xlabel("sums kept (beam)", fontsize=_TEXT)
    axes.set_ylabel("distortion", fontsize=_TEXT)
    axes.grid(color="0.9")
    axes.legend(fontsize=_TEXT, frameon=False)
    return figure


def draw_gaps(
    panels: Mapping[str, Mapping[str, tuple[float, float]]],
    names: tuple[str, str] = ("learned from", "held out"),
) -> Figure:
    """Draw each quantizer's distortion on two sets of vectors.

    Parameters
    ----------
    panels : mapping of str to mapping of str to (float, float)
        Size -> quantizer -> its distortion on the first and on the second set.
    names : (str, str)
        What the legend calls the two sets.

    Returns
    -------
    Figure
        One panel for each size.
    """
    figure = new_figure(9.4, 4.0)
    all_axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axes, (title, methods) in zip(all_axes, panels.items(), strict=True):
        places = range(len(methods))
        pairs = list(methods.values())
        axes.vlines(places, [min(p) for p in pairs], [max(p) for p in pairs], color=GREY, lw=3)
        for i, (name, (colour, marker, _)) in enumerate(zip(names, CURVES, strict=False)):
            values = [pair[i] for pair in pairs]
            axes.plot(places, values, marker, ms=10, color=colour, label=name, zorder=3)
        axes.set_xticks(places, list(methods), fontsize=_TEXT)
        axes.set_xlim(-0.5, len(methods) - 0.5)
        axes.set_title(title, fontsize=12)
        axes.grid(axis="y", color="0.9")
    highest = max(
        value for methods in panels.values() for pair in methods.values() for value in pair
    )
    all_axes[0].set_ylim(0, 1.12 * highest or 1.0)
    all_axes[0].set_ylabel("distortion", fontsize=_TEXT)
    all_axes[-1].legend(fontsize=_TEXT, frameon=False, loc="upper right")
    return figure
