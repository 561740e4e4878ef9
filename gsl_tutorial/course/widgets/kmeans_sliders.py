"""Chapter 02's controls: step through k-means."""

from __future__ import annotations

from functools import cache

import ipywidgets as W
import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.clusters import draw_kmeans
from gsl_tutorial.course.toys.kmeans_steps import Step, kmeans_steps, start_on_points
from gsl_tutorial.course.widgets.drawing import DrawingWithControls

_STYLE = {"description_width": "9.5em"}


class KMeansSliders(DrawingWithControls):
    """Sliders for the half-step, the number of codewords, and the random start.

    Parameters
    ----------
    points : (N, 2) array
        What is clustered.
    n_codewords : int
        Codewords at first.
    most : int
        The largest number of codewords that the slider offers.
    longest : int
        The last half-step that the slider offers.
    """

    def __init__(
        self,
        points: Float[np.ndarray, "N 2"],
        *,
        n_codewords: int = 4,
        most: int = 8,
        longest: int = 30,
    ) -> None:
        @cache
        def steps(K: int, seed: int) -> list[Step]:
            start = start_on_points(points, K, random_state=seed)
            return kmeans_steps(points, start, n_rounds=longest // 2)

        def draw(now: int, K: int, seed: int) -> Figure:
            return draw_kmeans(points, steps(K, seed), now, longest=longest)

        def slider(text: str, value: int, low: int, high: int) -> W.IntSlider:
            return W.IntSlider(value=value, min=low, max=high, description=text, style=_STYLE)

        controls = {
            "now": slider("half-step", 3, 0, longest),
            "K": slider("codewords (K)", n_codewords, 1, most),
            "seed": slider("random start", 0, 0, 19),
        }
        super().__init__(
            draw,
            controls,
            alt="Points in the plane, marked by the cell they belong to, with the borders of the "
            "cells, the codewords and the ways they have come. On the right the distortion falls "
            "from half-step to half-step, steeply first.",
        )
