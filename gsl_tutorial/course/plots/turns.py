"""Learning in turns, seen on the circle: embeddings, codewords, cells, and who is sent uphill.

Embeddings of two numbers and of unit length lie on a circle, all classes on top of one another. So each
class is drawn on a ring of its own outside it, at its true angle; codewords stand at their true places,
and the short lines across the rings are the borders between their cells. Pure functions of recordings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from gsl_tutorial.course.plots.study import LOOKS
from gsl_tutorial.course.plots.style import (
    BLACK,
    CLASS_COLOURS,
    CLASS_MARKERS,
    GREY,
    YELLOW,
    new_figure,
)
from gsl_tutorial.course.plots.turn_courses import COURSES, add_course
from gsl_tutorial.course.training.recording import Frame, Recording

_TEXT = 11
_FIRST_RING, _RING = 1.08, 0.075
#: Room for a circle with its rings, and for one with its title.
_WIDE, _HIGH = 3.0, 3.3
#: So many vectors are drawn; all are counted.
_SHOWN = 240
_TURNS = {"start": "before training", "network": "network's turn", "codebooks": "codebooks' turn"}


def draw_turn(recordings: Sequence[Recording], now: int) -> Figure:
    """Draw every recording after its `now`-th turn, and below it the course so far; no legend.

    Parameters
    ----------
    recordings : sequence of Recording
        What was recorded.
    now : int
        0 is the start, odd numbers end a network's turn, even ones a codebooks' turn.

    Returns
    -------
    Figure
        One circle for each recording.
    """
    # Fixed places and few axes: a slider redraws this many times a second.
    figure = new_figure(9.0, 5.7, layout="none")
    axes = _stage(figure, (0.0, 0.0, 1.0, 0.95), columns=len(recordings), rows=1, below=2.0)
    circles = [_circle(r, now, (_WIDE * i, 0.0)) for i, r in enumerate(recordings)]
    _draw_circles(axes, circles, 1.0)
    for circle, recording in zip(circles, recordings, strict=True):
        title = f"{recording.method}\n{_read_out(recording.frames[now])}"
        _entitle(axes, circle.at, title, _TEXT)
    first = recordings[0].frames[now]
    said = f"turn {now}: {_TURNS[first.turn]}" + (f" of round {first.round}" if now else "")
    figure.text(0.01, 0.985, said, fontsize=_TEXT + 1, fontweight="bold", va="top")
    across = _WIDE * len(recordings) / len(COURSES)
    for i, key in enumerate(COURSES):
        box = (across * i - 0.35 * _WIDE, -3.2, across - 0.75, 1.0)
        add_course(axes, box, recordings, key, now)
    return figure


def draw_turn_legend(recordings: Sequence[Recording], names: Sequence[str]) -> Figure:
    """Draw what the marks of `draw_turn` mean, to stand below it.

    Parameters
    ----------
    recordings : sequence of Recording
        What was recorded.
    names : sequence of str
        Names of the classes.

    Returns
    -------
    Figure
        The legend alone.
    """
    marks = _marks(len(np.unique(recordings[0].labels)), names) + _lines(recordings)
    figure = new_figure(9.0, 0.3 * -(-len(marks) // 6) + 0.1, layout="none")
    figure.legend(
        handles=marks, loc="center", ncols=6, frameon=False, fontsize=_TEXT, borderpad=0,
    )  # fmt: skip
    return figure


def draw_turns(
    recordings: Sequence[Recording],
    moments: Sequence[int],
    names: Sequence[str],
    *,
    titles: Sequence[str] = (),
) -> Figure:
    """Draw the same circles at several moments.

    Parameters
    ----------
    recordings : sequence of Recording
        What was recorded.
    moments : sequence of int
        Which turns are shown, as `now` in `draw_turn`.
    names : sequence of str
        Names of the classes.
    titles : sequence of str
        Titles of the rows; the methods' names by default.

    Returns
    -------
    Figure
        A row for each recording; time runs to the right.
    """
    titles = titles or [recording.method for recording in recordings]
    rows, columns = len(recordings), len(moments)
    figure = new_figure(2.35 * columns, 2.35 * 1.1 * rows + 0.35, layout="none")
    legend = 0.35 / figure.get_figheight()
    axes = _stage(figure, (0.0, legend, 1.0, 1 - legend), columns=columns, rows=rows)
    circles = []
    for row, recording in enumerate(recordings):
        for column, now in enumerate(moments):
            at = (_WIDE * column, -_HIGH * row)
            frame = recording.frames[now]
            circles.append(_circle(recording, now, at))
            when = f"round {frame.round}" if frame.round else "start"
            _entitle(axes, at, f"{titles[row]}, {when}\n{_read_out(frame)}", 9)
    _draw_circles(axes, circles, 0.75)
    marks = _marks(len(np.unique(recordings[0].labels)), names)
    figure.legend(
        handles=marks, loc="lower center", ncols=len(marks), frameon=False, fontsize=9,
        columnspacing=1.0, handletextpad=0.2,
    )  # fmt: skip
    return figure


def draw_renumbered(
    z: Float[np.ndarray, "N 2"],
    labels: Int[np.ndarray, " N"],
    panels: Mapping[str, Float[np.ndarray, "K 2"]],
) -> Figure:
    """Draw the same embeddings with the numbered codewords of each panel.

    Parameters
    ----------
    z : (N, 2) array
        Embeddings.
    labels : (N,) array of int
        Their classes.
    panels : mapping of str to (K, 2) array
        Title -> codewords, whose rows are their numbers.

    Returns
    -------
    Figure
        One panel for each title.
    """
    figure = new_figure(3.1 * len(panels), 3.4, layout="none")
    axes = _stage(figure, (0.0, 0.0, 1.0, 1.0), columns=len(panels), rows=1)
    for i, (title, codewords) in enumerate(panels.items()):
        at = np.array([_WIDE * i, 0.0])
        _draw_circles(axes, [_Circle(at, z, labels, np.zeros(len(z), bool), codewords)], 1.0)
        # Neighbours' numbers stand at different depths, so that none lies on another.
        for rank, k in enumerate(np.argsort(np.arctan2(codewords[:, 1], codewords[:, 0])).tolist()):
            place = at + codewords[k]
            x, y = at + (0.78 - 0.18 * (rank % 3)) * codewords[k] / np.linalg.norm(codewords[k])
            axes.plot([x, place[0]], [y, place[1]], color=GREY, lw=0.8)
            axes.text(
                x, y, str(k), ha="center", va="center", fontsize=13, fontweight="bold", zorder=7,
                path_effects=[withStroke(linewidth=3, foreground="white")],
            )  # fmt: skip
        _entitle(axes, at, title, _TEXT)
    return figure


def borders_on_circle(codewords: Float[np.ndarray, "K 2"]) -> Float[np.ndarray, " E"]:
    """Find where on the circle the nearest codeword of a point changes.

    Parameters
    ----------
    codewords : (K, 2) array
        Places in the plane.

    Returns
    -------
    (E,) array
        Angles in radians.

    Examples
    --------
    >>> np.degrees(borders_on_circle(np.array([[1.0, 0.0], [-1.0, 0.0]]))).round()
    array([-90.,  90.])
    """
    angles = np.linspace(-np.pi, np.pi, 1441)[:-1] + np.pi / 1440
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    # |c|^2 - 2 z.c ranks as the squared distance does.
    nearest = ((codewords**2).sum(axis=1) - 2 * circle @ codewords.T).argmin(axis=1)
    return angles[nearest != np.roll(nearest, 1)] - np.pi / 1440


def _stage(
    figure: Figure,
    place: tuple[float, float, float, float],
    *,
    columns: int,
    rows: int,
    below: float = 0.0,
) -> Axes:
    """Room for circles _WIDE apart and their titles: many axes would take longer than all in them."""
    axes = figure.add_axes(place)
    axes.axis("off")
    axes.set(
        xlim=(-_WIDE / 2, _WIDE * (columns - 0.5)),
        ylim=(-_WIDE / 2 - _HIGH * (rows - 1) - below, _HIGH - _WIDE / 2),
        aspect="equal",
    )
    return axes


def _entitle(axes: Axes, at: Any, text: str, fontsize: float) -> None:
    # Not set_title: it measures everything in the axes first.
    top = at[1] + _HIGH - _WIDE / 2 - 0.04
    axes.text(at[0], top, text, ha="center", va="top", fontsize=fontsize)


@dataclass(frozen=True)
class _Circle:
    """What is drawn around one centre; `before` are the codewords before a codebooks' turn."""

    at: Any
    z: np.ndarray
    labels: np.ndarray
    uphill: np.ndarray
    codewords: np.ndarray | None
    before: np.ndarray | None = None


def _circle(recording: Recording, now: int, at: Any) -> _Circle:
    frame = recording.frames[now]
    before = recording.frames[now - 1].codewords if frame.turn == "codebooks" else None
    # Every so many vectors: all would be a blur, and take their time.
    some = slice(None, None, max(1, len(frame.z) // _SHOWN))
    return _Circle(
        np.asarray(at), frame.z[some], recording.labels[some], frame.uphill[some],
        frame.codewords, before,
    )  # fmt: skip


def _draw_circles(axes: Axes, circles: Sequence[_Circle], size: float) -> None:
    """All circles at once: one artist for each kind of mark is what makes it quick."""
    angles = np.linspace(0, 2 * np.pi, 121)
    outline = np.column_stack([np.cos(angles), np.sin(angles)])
    rims = [one.at + outline for one in circles]
    axes.add_collection(LineCollection(rims, colors="#9A9A9A", linewidths=1, zorder=1))
    for label in np.unique(np.concatenate([one.labels for one in circles])):
        ring = _FIRST_RING + _RING * label
        mine = np.concatenate([one.at + ring * one.z[one.labels == label] for one in circles])
        look = CLASS_MARKERS[label % 10], CLASS_COLOURS[label % 10]
        axes.plot(*mine.T, look[0], color=look[1], ms=5 * size, mew=0, alpha=0.8, zorder=3)
    # Uphill ones go inside the circle, so that the mark hides nobody.
    inside = np.concatenate([one.at + 0.8 * one.z[one.uphill] for one in circles])
    axes.plot(*inside.T, "x", color=BLACK, ms=5 * size, mew=1.2 * size, zorder=5)
    borders, ways, places = [], [], []
    for one in circles:
        if one.codewords is None:
            continue
        at_borders = borders_on_circle(one.codewords)
        ends = np.column_stack([np.cos(at_borders), np.sin(at_borders)])
        borders += list(one.at + np.stack([0.88 * ends, 0.48 * _WIDE * ends], axis=1))
        places += list(one.at + one.codewords)
        if one.before is not None:
            ways += list(one.at + np.stack([one.before, one.codewords], axis=1))
    axes.add_collection(LineCollection(borders, colors="#A0A0A0", linewidths=1, zorder=0))
    axes.add_collection(LineCollection(ways, colors=BLACK, linewidths=2 * size, zorder=4))
    x, y = np.reshape(places, (-1, 2)).T
    axes.plot(x, y, "s", color=YELLOW, mec=BLACK, mew=1.3, ms=7.5 * size, zorder=6)


def _read_out(frame: Frame) -> str:
    if frame.adc_map is None:
        return f"no codewords yet, exact mAP {frame.exact_map:.2f}"
    return f"ADC mAP {frame.adc_map:.2f}, uphill {frame.uphill.mean():.0%}"


def _marks(n_classes: int, names: Sequence[str]) -> list[Line2D]:
    def mark(marker: str, label: str, **look: object) -> Line2D:
        return Line2D([], [], ls="none", marker=marker, label=label, **look)  # type: ignore[arg-type]

    classes = [
        mark(CLASS_MARKERS[c % 10], names[c], color=CLASS_COLOURS[c % 10]) for c in range(n_classes)
    ]
    return [
        *classes,
        mark("s", "codeword", color=YELLOW, mec=BLACK, ms=8),
        Line2D([], [], color=BLACK, lw=2, label="its way"),
        mark("x", "sent uphill", color=BLACK),
        Line2D([], [], color="#A0A0A0", label="border"),
    ]


def _lines(recordings: Sequence[Recording]) -> list[Line2D]:
    looks = {recording.method: LOOKS[recording.method] for recording in recordings}
    return [
        Line2D([], [], color=colour, marker=marker, ls=line, lw=1.8, ms=9, mec="white", label=name)
        for name, (colour, marker, line) in looks.items()
    ]
