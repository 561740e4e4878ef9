"""Chapter 01's controls: choose how the points are compressed and how hard, and move the query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as W
import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.neighbours import (
    draw_compression,
    draw_compression_bare,
    draw_compression_legend,
)
from gsl_tutorial.course.toys.neighbours import Compressed, chances, nearest_neighbours, recall_at
from gsl_tutorial.course.widgets.drawing import DrawingWithControls


class CompressionSliders(DrawingWithControls):
    """A menu of ways to compress, a slider for how many bits are kept, two for the query.

    Parameters
    ----------
    points : (N, 2) array
        What is searched.
    ways : mapping of str to sequence of Compressed
        Name -> the points compressed, from few bits to many.
    queries : (B, 2) array
        Over these the curves on the right are averaged.
    k : int
        How many neighbours are searched for.
    """

    def __init__(
        self,
        points: Float[np.ndarray, "N 2"],
        ways: Mapping[str, Sequence[Compressed]],
        queries: Float[np.ndarray, "B 2"],
        *,
        k: int = 10,
    ) -> None:
        exact = nearest_neighbours(_squared(queries, points), k)
        curves = {
            name: (
                [one.bits for one in levels],
                [float(recall_at(_squared(queries, one.x), exact).mean()) for one in levels],
            )
            for name, levels in ways.items()
        }
        style = {"description_width": "9.5em"}
        n_levels = max(map(len, ways.values()))

        def slider(text: str, value: float) -> W.FloatSlider:
            return W.FloatSlider(
                value=value, min=-1.0, max=1.0, step=0.05, description=text, style=style
            )

        controls = {
            "way": W.Dropdown(options=list(ways), description="way to compress", style=style),
            "level": W.IntSlider(
                value=min(3, n_levels), min=1, max=n_levels, description="level", style=style
            ),
            "x": slider("query, across", -0.3),
            "y": slider("query, up", 0.35),
        }

        def seen(way: str, level: int, x: float, y: float) -> tuple[tuple[Any, ...], Any]:
            at = min(level, len(ways[way])) - 1
            query, compressed = np.array([x, y]), ways[way][at]
            true = nearest_neighbours(_squared(query[None], points), k)[0]
            everything = np.arange(len(points))[None]
            found = chances(_squared(query[None], compressed.x), everything, k)[0]
            now = curves[way][0][at], curves[way][1][at]
            how = {"true": true, "found": found, "curves": curves, "now": now}
            return (points, compressed, query), how

        def draw(**values: Any) -> Figure:
            what, how = seen(**values)
            return draw_compression_bare(*what, **how)

        def still(**values: Any) -> Figure:
            what, how = seen(**values)
            return draw_compression(*what, **how)

        super().__init__(
            draw,
            controls,
            legend=draw_compression_legend(),
            still=still,
            alt="Points in the plane, each joined by a line to the place where its code puts it. "
            "Rings mark the ten true neighbours of a query, diamonds those that are found through "
            "the codes. On the right, recall rises with the bits of a code.",
        )


def _squared(
    queries: Float[np.ndarray, "B 2"], points: Float[np.ndarray, "N 2"]
) -> Float[np.ndarray, "B N"]:
    # Differences, not products: points at one place must get bit-for-bit one distance.
    return ((queries[:, None] - points) ** 2).sum(axis=2)
