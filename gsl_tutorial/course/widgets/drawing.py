"""A drawing function with a control for each of its arguments.

The picture is redrawn on every move and put into one image, so nothing flickers and nothing piles
up; one that was drawn before is shown again at once. Where no widget can run (a reopened notebook,
GitHub, print) the first picture and its text stand in its place. A drawing that fails says so under
the picture and leaves the last good one.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import cache
from typing import Any

import ipywidgets as W
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.style import caption, image, png, quick_png
from gsl_tutorial.course.widgets.picture import Picture
from gsl_tutorial.errors import TutorialError

#: So many pictures are kept; each takes about a tenth of a megabyte.
_KEPT = 100


@cache
def _leave_imports_alone() -> None:
    """Take what is loaded now out of the garbage collector's rounds, once in a process.

    Each redraw leaves a figure behind. With torch and its kin in memory, a full round looks at half a
    million objects that stay anyway, and holds the slider up for a quarter of a second.
    """
    gc.collect()
    gc.freeze()


class DrawingWithControls(W.VBox):
    """`draw(**values)` shown below its controls.

    Parameters
    ----------
    draw : callable
        Returns a matplotlib figure from keyword arguments named like the controls.
    controls : dict of str to widget
        A labelled ipywidgets control for each argument.
    alt : str or callable
        What the picture shows, for those who do not see it; a function of the same arguments where
        the words depend on the controls, which is then printed for everyone.
    legend : Figure, optional
        Stands beside the picture and is drawn only once.
    still : callable, optional
        Draws the picture for places where no widget runs; `draw` by default.
    """

    def __init__(
        self,
        draw: Callable[..., Figure],
        controls: dict[str, Any],
        *,
        alt: str | Callable[..., str],
        legend: Figure | None = None,
        still: Callable[..., Figure] | None = None,
    ) -> None:
        _leave_imports_alone()
        self._still = still or draw
        self._draw, self._controls = draw, controls
        self._describe, self._alt, self._caption = alt, "", W.HTML()
        self._drawn: dict[tuple[Any, ...], bytes] = {}
        self._image = Picture()
        self._message = W.HTML()
        for control in controls.values():
            control.observe(self._redraw, names="value")
            control.layout.width = "auto"  # as wide as its column
        rows = W.GridBox(
            list(controls.values()),
            layout=W.Layout(grid_template_columns="repeat(auto-fit, minmax(360px, 1fr))"),
        )
        picture = [self._image]
        if legend is not None:
            picture.append(Picture(value=quick_png(legend), alt="Legend"))
        beside = W.HBox(picture, layout=W.Layout(flex_flow="row wrap", align_items="flex-start"))
        # Above the picture, so that neither leaves the screen while the other is used.
        super().__init__([rows, beside, self._caption, self._message])
        self._redraw()

    @property
    def values(self) -> dict[str, Any]:
        """What the controls say now."""
        return {name: control.value for name, control in self._controls.items()}

    def _redraw(self, change: object = None) -> None:
        try:
            self._image.value = self._picture()
            told = self._describe
            self._alt = told if isinstance(told, str) else told(**self.values)
            self._image.alt = self._alt
            self._caption.value = "" if isinstance(told, str) else caption(self._alt)
            self._message.value = ""
        except TutorialError as error:
            self._message.value = f"<b>{error}</b>"

    def _picture(self) -> bytes:
        """The picture for the controls as they stand, drawn once."""
        place = tuple(self.values.values())
        if place not in self._drawn:
            if len(self._drawn) >= _KEPT:
                self._drawn.pop(next(iter(self._drawn)))
            self._drawn[place] = quick_png(self._draw(**self.values))
        return self._drawn[place]

    def __repr__(self) -> str:
        return f"[Interactive figure: {self._alt}]"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        data = super()._repr_mimebundle_(**options) or {}
        data["text/plain"] = repr(self)
        data["text/html"] = image(png(self._still(**self.values)), self._alt)
        return data, {}
