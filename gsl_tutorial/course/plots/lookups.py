"""The picture of one search through codes: what was looked up for each item found, stacked to its sum."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from gsl_tutorial.course.plots.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    YELLOW,
    new_figure,
)
from gsl_tutorial.course.toys.one_search import Found

_LOOKS = [
    (BLUE, ""), (ORANGE, "///"), (GREEN, "..."), (PURPLE, "\\\\\\"),
    (SKY, "xx"), (YELLOW, "--"), (RED, "||"), (GREY, "oo"),
]  # fmt: skip
#: Where pictures, text and bars begin; the figure is 100 wide, a row is 1 high.
_PICTURE, _TEXT, _END = 0.3, 4.6, 99.5
#: More subvectors than this are not written out.
_MOST_NUMBERS = 6
_GREY_TEXT = "#444444"

_SAY = {
    "ADC": "ADC: the query stays exact, items are codes. {M} lookups each.",
    "SDC": "SDC: query and items are codes. {M} lookups each.",
    "exact": "Exact: no code is used; the real distance, summed over {M} subvectors.",
}


def draw_lookups(
    found: Found,
    right: Bool[np.ndarray, " k"],
    *,
    query_name: str,
    names: Sequence[str],
    query_picture: Any = None,
    pictures: Sequence[Any] | None = None,
) -> Figure:
    """Draw a search: a row for each item found, with its lookups stacked to a bar.

    Parameters
    ----------
    found : Found
        The first k items of one search.
    right : (k,) array of bool
        Which rows carry a tick; the others stand in a dashed frame.
    query_name : str
        Class of the query.
    names : sequence of str
        What is written of each item.
    query_picture : image, optional
        The query's picture.
    pictures : sequence of images, optional
        Those of the items; None where no image is at hand.

    Returns
    -------
    Figure
        In each row: picture or tile, class, code, items tied with it, lookups stacked.
    """
    k, M = found.parts.shape
    figure = new_figure(8.8, 0.34 * (k + 2.6), layout="none")
    axes = figure.add_axes((0.005, 0.005, 0.99, 0.99))
    axes.set_axis_off()
    # Few artists, because each costs time while somebody clicks: a text and a frame for a row, a
    # collection of bars for a subvector, one image for all.
    _head(axes, found, query_name)
    ticks = np.where(right, "✓", "✗")
    for i, (tick, name) in enumerate(zip(ticks, names, strict=True)):
        text = f"{i + 1:2d} {tick} {name:20.20} {_numbers(found.codes[i]):{_wide(M)}} " \
               f"{found.tied[i]:6,} {found.distances[i]:7.4f}"  # fmt: skip
        axes.text(_TEXT, i + 0.5, text, fontsize=8.5, va="center", family="monospace")
    _bars(axes, found)
    wrong: Any = [
        [(0.1, i), (99.9, i), (99.9, i + 1), (0.1, i + 1)] for i in np.flatnonzero(~right)
    ]
    frames = PolyCollection(wrong, facecolor="none", edgecolor=RED, linewidth=1.2, linestyle="--")
    axes.add_collection(frames, autolim=False)
    if query_picture is not None:
        _picture(axes, query_picture, -2.4, -0.7, width=7.4)
    if pictures is not None:
        strip = np.concatenate([np.asarray(picture) for picture in pictures])
        _picture(axes, strip, 0, k, width=4.0)
    axes.set(xlim=(0, 100), ylim=(k + 0.15, -2.5))
    return figure


def _head(axes: Axes, found: Found, query_name: str) -> None:
    M = len(found.code)
    bars_at = _begin_of_bars(M)
    lines = [f"query: {query_name}, its code {_numbers(found.code)}", _SAY[found.how].format(M=M)]
    for y, line, weight in zip((-1.95, -1.25), lines, ("bold", "normal"), strict=True):
        axes.text(8.5, y, line, fontsize=9.5, va="center", weight=weight)
    head = f"     {'class':20} {'code':{_wide(M)}} {'tied':>6} {'sum':>7}"
    axes.text(_TEXT, -0.35, head, fontsize=8.5, va="center", family="monospace", color=_GREY_TEXT)
    axes.text(bars_at, -0.98, "subvector", fontsize=8.5, va="center", color=_GREY_TEXT)
    step = min(4.0, (97 - bars_at) / min(M, 8))
    for m in range(min(M, 8)):
        colour, hatch = _LOOKS[m]
        x = bars_at + step * m
        axes.add_patch(Rectangle((x, -0.6), 1.6, 0.5, fc=colour, hatch=hatch, ec="white", lw=0))
        axes.text(x + 1.8, -0.35, f"{m + 1}", fontsize=8.5, va="center", color=_GREY_TEXT)


def _bars(axes: Axes, found: Found) -> None:
    """For each subvector the segments of all rows, behind those of the subvectors before it."""
    k, M = found.parts.shape
    bars_at = _begin_of_bars(M)
    longest = max(float(found.distances.max()), 1e-12)
    ends = np.cumsum(np.column_stack([np.zeros(k), found.parts]), axis=1)
    ends = bars_at + ends * (_END - bars_at) / longest
    rows = np.arange(k)
    for m in range(M):
        colour, hatch = _LOOKS[m % len(_LOOKS)]
        corners = [
            (ends[:, m], 0.2),
            (ends[:, m + 1], 0.2),
            (ends[:, m + 1], 0.8),
            (ends[:, m], 0.8),
        ]
        boxes: Any = np.stack([np.column_stack([x, rows + y]) for x, y in corners], axis=1)
        segments = PolyCollection(
            boxes, facecolor=colour, hatch=hatch, edgecolor="white", linewidth=0.5
        )
        axes.add_collection(segments, autolim=False)


def _picture(axes: Axes, picture: Any, top: float, bottom: float, *, width: float) -> None:
    axes.imshow(
        picture, extent=(_PICTURE, _PICTURE + width, bottom, top), aspect="auto",
        interpolation="nearest", cmap="gray_r" if np.ndim(picture) == 2 else None,
    )  # fmt: skip


def _begin_of_bars(M: int) -> float:
    """Behind the text of a row: 41 letters and the code. A letter is up to 0.92 wide, as pixels round."""
    return _TEXT + 0.92 * (41 + _wide(M)) + 1.5


def _wide(M: int) -> int:
    return 4 * min(M, _MOST_NUMBERS) + (4 if M > _MOST_NUMBERS else 0)


def _numbers(code: Iterable[int]) -> str:
    numbers = [f"{int(number):3d}" for number in code]
    return " ".join(numbers[:_MOST_NUMBERS]) + (" ..." if len(numbers) > _MOST_NUMBERS else "")
