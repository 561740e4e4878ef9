"""Chapter 06's controls: move the point, choose the rule, see which way it is sent."""

from __future__ import annotations

from typing import Any, get_args

import ipywidgets as W
import numpy as np
from matplotlib.figure import Figure

from gsl_tutorial.plane import Plane
from gsl_tutorial.plots.plane import draw_snap, draw_snap_bare, draw_snap_legend
from gsl_tutorial.snapping import Fallback, Form, Length
from gsl_tutorial.widgets.drawing import DrawingWithControls


class SnapSliders(DrawingWithControls):
    """Sliders for the point, lambda, n and eta; menus for form, length and fallback."""

    def __init__(self, plane: Plane, *, x: float = -0.25, y: float = -0.1) -> None:
        style = {"description_width": "9.5em"}

        def slider(text: str, value: float, low: float, high: float, step: float) -> Any:
            return W.FloatSlider(
                value=value, min=low, max=high, step=step, description=text, style=style
            )

        def menu(text: str, options: tuple[str, ...]) -> Any:
            return W.Dropdown(options=options, description=text, style=style)

        n_codewords = len(plane.codewords)
        controls = {
            "x": slider("point, across", x, -1.2, 1.2, 0.05),
            "y": slider("point, up", y, -1.2, 1.2, 0.05),
            "strength": slider("strength (lambda)", 0.6, 0.0, 3.0, 0.1),
            "n": W.IntSlider(
                value=min(3, n_codewords),
                min=1,
                max=n_codewords,
                description="candidates (n)",
                style=style,
            ),
            "form": menu("form of the snap", get_args(Form)),
            "length": menu("length (replace)", get_args(Length)),
            "fallback": menu("fallback", get_args(Fallback)),
            "step": slider("look-ahead (eta)", 0.5, 0.0, 2.0, 0.1),
        }

        def draw(x: float, y: float, **how: Any) -> Figure:
            return draw_snap_bare(plane, np.array([x, y]), **how)

        def still(x: float, y: float, **how: Any) -> Figure:
            return draw_snap(plane, np.array([x, y]), **how)

        super().__init__(
            draw,
            controls,
            legend=draw_snap_legend(),
            still=still,
            alt="A point among codewords with four arrows: the descent of the similarity loss, the "
            "pull to the nearest codeword, their sum, and the snapped step. The half-plane in "
            "which the similarity loss falls is shaded.",
        )
