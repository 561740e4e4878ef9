"""Chapter 02's controls: step through k-means, and place the codewords by hand."""

from __future__ import annotations

from functools import cache

import ipywidgets as W
import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from gsl_tutorial.clustering import Step, kmeans_steps, start_on_points
from gsl_tutorial.plots.clusters import draw_kmeans
from gsl_tutorial.widgets.drawing import DrawingWithControls

_STYLE = {"description_width": "9.5em"}
_WIDE = {"description_width": "12em"}


class KMeansSliders(DrawingWithControls):
    """Sliders for the half-step, the number of codewords, and the random start."""

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


class CodewordSliders(DrawingWithControls):
    """Two sliders for each codeword, and one for the rounds of k-means that start from there."""

    def __init__(
        self,
        points: Float[np.ndarray, "N 2"],
        start: Float[np.ndarray, "K 2"],
        *,
        best: float,
        n_rounds: int = 12,
    ) -> None:
        def slider(text: str, value: float) -> W.FloatSlider:
            return W.FloatSlider(
                value=value, min=-1.0, max=1.0, step=0.05, description=text, style=_WIDE
            )

        controls = {
            f"{axis}{k}": slider(f"codeword {k}, {text}", float(value))
            for k, place in enumerate(start)
            for axis, text, value in zip("xy", ("across", "up"), place, strict=True)
        }
        controls["rounds"] = W.IntSlider(
            value=0, min=0, max=n_rounds, description="rounds of k-means", style=_WIDE
        )

        def draw(rounds: int, **places: float) -> Figure:
            by_hand = np.array(list(places.values())).reshape(-1, 2)
            steps = kmeans_steps(points, by_hand, n_rounds=n_rounds)
            # A round ends with an assignment: half-steps 1, 3, 5, ...
            return draw_kmeans(points, steps, 2 * rounds + 1, best=best, longest=2 * n_rounds + 1)

        super().__init__(
            draw,
            controls,
            alt="Points in three groups, with codewords placed by hand and their cells. On the "
            "right the distortion of this placing, and of the k-means rounds that start from it, "
            "beside the best distortion known.",
        )
