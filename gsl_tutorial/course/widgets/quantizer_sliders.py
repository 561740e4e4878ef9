"""Chapter 04's controls: turn the data and the grid, and see four quantizers on the same points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import ipywidgets as W
import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.quantizers import draw_methods, draw_rotated_grid
from gsl_tutorial.course.toys.plane_codes import all_places, cut_along, turn
from gsl_tutorial.course.widgets.drawing import DrawingWithControls
from gsl_tutorial.quantizers import Quantizer

_STYLE = {"description_width": "9.5em"}
#: Degrees between two positions of a slider that turns something.
_STEP = 5


class RotationSliders(DrawingWithControls):
    """Sliders that turn the points, and the grid of a product quantizer of two pieces.

    Parameters
    ----------
    points : (N, 2) array
        What is quantized.
    n_codewords : int
        Codewords of each piece.
    tilt : int
        Angle of the points at first, in degrees.
    """

    def __init__(
        self, points: Float[np.ndarray, "N 2"], *, n_codewords: int = 2, tilt: int = 30
    ) -> None:
        every = range(0, 90, _STEP)
        # Only the angle between grid and points matters, so that one round serves all positions.
        fitted = {angle: cut_along(points, angle, n_codewords) for angle in every}
        lost = {angle: one.distortion(points) for angle, one in fitted.items()}

        def draw(tilt: int, grid: int) -> Figure:
            quantizer = fitted[(grid - tilt) % 90]
            decoded = quantizer.decode(quantizer.encode(points))
            curve = [lost[(angle - tilt) % 90] for angle in (*every, 90)]
            return draw_rotated_grid(
                turn(points, tilt), turn(decoded, tilt), turn(all_places(quantizer), tilt), grid,
                ([*every, 90], curve),
            )  # fmt: skip

        controls = {
            "tilt": _slider("turn the points (°)", tilt, 0, 90, _STEP),
            "grid": _slider("turn the grid (°)", 0, 0, 90, _STEP),
        }
        super().__init__(
            draw,
            controls,
            alt="Points in groups, and a grid of reconstructions with a line from each point to its "
            "own. On the right the distortion for every angle of the grid, lowest where the grid "
            "and the groups are turned alike.",
        )


class MethodSliders(DrawingWithControls):
    """The same points under several quantizers; sliders for their angle and the codewords.

    Parameters
    ----------
    points : (N, 2) array
        What is quantized.
    methods : mapping of str to class
        Name -> a class of quantizers.
    """

    def __init__(
        self, points: Float[np.ndarray, "N 2"], methods: Mapping[str, Callable[..., Quantizer]]
    ) -> None:
        panels: dict[tuple[str, int, int], Any] = {}

        def prepare(tilt: int, K: int) -> Iterator[None]:
            for name in methods:
                if (name, tilt, K) not in panels:
                    turned = turn(points, tilt)
                    one = methods[name](2, K, random_state=0).fit(turned)
                    panels[name, tilt, K] = turned, one.decode(one.encode(turned)), all_places(one)
                    yield

        def draw(tilt: int, K: int) -> Figure:
            for _ in prepare(tilt, K):
                pass
            return draw_methods({name: panels[name, tilt, K] for name in methods})

        controls = {
            "tilt": _slider("turn the points (°)", 0, 0, 90, _STEP),
            "K": _slider("codewords (K)", 4, 2, 8, 1),
        }
        names = list(methods)
        super().__init__(
            draw,
            controls,
            prepare=prepare,
            alt=f"The same points in {len(names)} panels: {', '.join(names)}. Diamonds mark all that "
            "a code can say; a line joins each point to its own. The distortion stands above.",
        )


def _slider(text: str, value: int, low: int, high: int, step: int) -> W.IntSlider:
    return W.IntSlider(value=value, min=low, max=high, step=step, description=text, style=_STYLE)
