"""The course of a training in turns: small curves that end where the slider stands, and stairs.

The small curves are drawn inside axes that hold other things, because axes of their own would take
longer to draw than all that is in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from gsl_tutorial.course.plots.study import LOOKS
from gsl_tutorial.course.plots.style import BLACK, BLUE, GREY, RED, new_figure
from gsl_tutorial.course.training.recording import Recording

_TEXT = 11
#: Title, lowest and highest value, ticks, and whether the scale is logarithmic.
COURSES: dict[str, tuple[str, tuple[float, float], tuple[float, ...], bool]] = {
    "relative_distortion": ("relative distortion (log)", (0.003, 1.0), (0.01, 1.0), True),
    "adc_map": ("ADC mAP", (0.0, 1.0), (0.0, 1.0), False),
    "uphill": ("share sent uphill", (0.0, 0.5), (0.0, 0.5), False),
}
_PANELS = (
    ("loss", "similarity loss in training", True),
    ("relative_distortion", "relative distortion", True),
    ("map", "mAP: full line exact, dotted ADC", False),
    ("uphill", "share sent uphill", False),
)


def add_course(
    axes: Axes,
    box: tuple[float, float, float, float],
    recordings: Sequence[Recording],
    key: str,
    now: int,
) -> None:
    """Add one small chart of `COURSES` to axes.

    Parameters
    ----------
    axes : Axes
        Where it is drawn.
    box : (float, float, float, float)
        Left, bottom, width and height in the axes' own units.
    recordings : sequence of Recording
        What was recorded; all have the same number of turns.
    key : str
        Which of `COURSES`.
    now : int
        The turn up to which the course is drawn.
    """
    title, (low, high), ticks, logarithmic = COURSES[key]
    left, bottom, width, height = box
    n_turns = len(recordings[0].frames) - 1

    def across(turns: Any) -> np.ndarray:
        return left + width * np.asarray(turns, dtype=float) / max(1, n_turns)

    def up(values: Any) -> np.ndarray:
        inside = np.clip(np.asarray(values, dtype=float), low, high)
        ends = np.array([low, high])
        if logarithmic:
            inside, ends = np.log10(inside), np.log10(ends)
        return bottom + height * (inside - ends[0]) / (ends[1] - ends[0])

    # Few numbers: a text takes longer to draw than a hundred points.
    turns = (0, n_turns)
    grid = [[(x, bottom), (x, bottom + height)] for x in across(turns)]
    grid += [[(left, y), (left + width, y)] for y in up(ticks)]
    axes.add_collection(LineCollection(grid, colors="0.85", linewidths=0.8, zorder=0))
    corner = [(left, bottom + height), (left, bottom), (left + width, bottom)]
    axes.add_collection(LineCollection([corner], colors=BLACK, linewidths=1, zorder=1))
    gap = 0.08 * height
    for turn, x in zip(turns, across(turns), strict=True):
        axes.text(x, bottom - gap, f"turn {turn}", fontsize=_TEXT - 1, ha="center", va="top")
    for tick, y in zip(ticks, up(ticks), strict=True):
        axes.text(left - gap, y, f"{tick:g}", fontsize=_TEXT - 1, ha="right", va="center")
    axes.text(left, bottom + height + 1.5 * gap, title, fontsize=_TEXT, va="bottom")
    for recording in recordings:
        colour, marker, line = LOOKS[recording.method]
        seen = _course(recording, key, now)
        if len(seen):
            x, y = across(seen[:, 0]), up(seen[:, 1])
            axes.plot(x, y, color=colour, ls=line, lw=1.8, zorder=3)
            size = 12 if marker == "*" else 8
            axes.plot(x[-1], y[-1], marker, ms=size, color=colour, mec="white", zorder=4)


def draw_courses(recordings: Sequence[Recording]) -> Figure:
    """Draw loss, relative distortion, mAP and share uphill after each turn of the codebooks.

    Parameters
    ----------
    recordings : sequence of Recording
        What was recorded; all have the same number of turns.

    Returns
    -------
    Figure
        One panel for each of `COURSES`.
    """
    figure = new_figure(9.0, 5.4)
    for axes, (key, title, logarithmic) in zip(figure.subplots(2, 2).flat, _PANELS, strict=True):
        for recording in recordings:
            colour, marker, line = LOOKS[recording.method]
            look = {"color": colour, "ms": 10 if marker == "*" else 6, "mec": "white", "lw": 1.6}
            rounds = [record["round"] for record in recording.history]
            if key == "map":
                frames = [recording.after(int(r)) for r in rounds]
                axes.plot(rounds, [f.exact_map for f in frames], marker=marker, ls="-", **look)
                axes.plot(rounds, [f.adc_map for f in frames], color=colour, ls=":", lw=2.4)
                continue
            there = [record for record in recording.history if key in record]
            axes.plot(
                [record["round"] for record in there], [record[key] for record in there],
                marker=marker, ls=line, label=recording.method, **look,
            )  # fmt: skip
        if logarithmic:
            axes.set_yscale("log", subs=())
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter(NullFormatter())
            low, high = axes.get_ylim()
            axes.set_ylim(0.8 * low, 1.5 * high)  # room for two labels at least
        else:
            axes.set_ylim(-0.03, 1.03 if key == "map" else 0.55)
        axes.set_title(title, fontsize=_TEXT)
        axes.set_xticks(rounds)
        axes.grid(alpha=0.3)
    for axes in figure.axes[2:]:
        axes.set_xlabel("round", fontsize=_TEXT)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=len(labels), frameon=False,
        fontsize=_TEXT,
    )  # fmt: skip
    return figure


def draw_stairs(values: Sequence[float], turns: Sequence[str], *, ylabel: str) -> Figure:
    """Draw a value after each turn.

    Parameters
    ----------
    values : sequence of float
        The value at the start and after each turn.
    turns : sequence of str
        "network" or "codebooks" for each value but the first.
    ylabel : str
        What the value is.

    Returns
    -------
    Figure
        The course, with a marker for each kind of turn.
    """
    figure = new_figure(8.6, 3.4)
    axes = figure.add_subplot()
    axes.plot(values, color=GREY, lw=1.5, zorder=1)
    axes.plot(0, values[0], "D", color=BLACK, ms=8, label="the start")
    for name, marker, colour in (("network", "o", BLUE), ("codebooks", "s", RED)):
        at = [i for i, turn in enumerate(turns, start=1) if turn == name]
        axes.plot(
            at, [values[i] for i in at], marker, color=colour, ms=8, label=f"after the {name}' turn"
            if name.endswith("s") else f"after the {name}'s turn",
        )  # fmt: skip
    axes.set_xlabel("turn", fontsize=_TEXT)
    axes.set_ylabel(ylabel, fontsize=_TEXT)
    axes.set_ylim(0, 1.08 * max(values))
    axes.set_xticks(range(len(values)))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=_TEXT, frameon=False)
    return figure


def _course(recording: Recording, key: str, now: int) -> np.ndarray:
    """(turn, value) of every turn up to now at which there were codewords."""
    seen = [
        (turn, float(np.mean(value)))
        for turn, frame in enumerate(recording.frames[: now + 1])
        if frame.codewords is not None and (value := getattr(frame, key)) is not None
    ]
    return np.array(seen).reshape(-1, 2)
