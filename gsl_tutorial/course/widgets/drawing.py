"""A drawing function with a control for each of its arguments.

The picture is redrawn on every move and put into one image, so nothing flickers and nothing piles
up; one that was drawn before is shown again at once, by the page itself. While nothing else is asked,
the pictures some steps further are drawn as well, so that a slider that goes on finds them there. Where no
widget can run (a reopened notebook, GitHub, print) the first picture and its text stand in its place. A
drawing that fails says so under the picture and leaves the last good one.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import ipywidgets as W
import numpy as np
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.style import caption, image, png, quick_png
from gsl_tutorial.course.widgets.picture import Picture, key_of
from gsl_tutorial.errors import TutorialError

#: So many pictures are kept; each takes about a tenth of a megabyte.
_KEPT = 100
#: Seconds for what the reader does next to come first.
_PAUSE_S = 0.02
#: Seconds between two pieces of what a picture needs: a message that is on its way goes first.
_BREATH_S = 0.002
#: Steps from where a control stands, on the way it went, to the pictures that may be wanted next. A hand
#: that goes on takes a new step sooner than Python draws a picture: it needs a lead.
_AHEAD = (1, 2, -1, 3, -2, 4, 5, 6)
#: And to those for which the dear part is prepared after that.
_FAR = tuple(way * n for n in range(1, 21) for way in (1, -1))


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
    prepare : callable, optional
        A generator function of the same arguments: does in pieces, and keeps, what takes longest in a
        picture. It is called ahead, and the reader comes first between two pieces.
    """

    def __init__(
        self,
        draw: Callable[..., Figure],
        controls: dict[str, Any],
        *,
        alt: str | Callable[..., str],
        legend: Figure | None = None,
        still: Callable[..., Figure] | None = None,
        prepare: Callable[..., Iterator[None]] = lambda **values: iter(()),
    ) -> None:
        _leave_imports_alone()
        self._prepare = prepare
        self._still = still or draw
        self._draw, self._controls = draw, controls
        self._describe, self._alt, self._caption = alt, "", W.HTML()
        self._drawn: dict[tuple[Any, ...], bytes] = {}
        self._image = Picture(list(controls.values()))
        self._next: asyncio.TimerHandle | None = None
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
            picture = self._picture(self.values)
            self._alt = self._said(self.values)
            self._image.show(picture, self._alt, self._key(self.values))
            self._caption.value = "" if isinstance(self._describe, str) else caption(self._alt)
            self._message.value = ""
        except TutorialError as error:
            self._message.value = f"<b>{error}</b>"
        if isinstance(change, dict):
            self._foresee(change["owner"], change["old"])

    def _picture(self, values: dict[str, Any]) -> bytes:
        """The picture for these values of the controls, drawn once."""
        place = tuple(values.values())
        if place not in self._drawn:
            if len(self._drawn) >= _KEPT:
                self._drawn.pop(next(iter(self._drawn)))
            self._drawn[place] = self._draw_anew(values)
        return self._drawn[place]

    def _draw_anew(self, values: dict[str, Any]) -> bytes:
        """Draw between two rounds of the garbage collector.

        A figure that is alive in a round is kept for the rare and long ones, which hold a slider up.
        One that comes and goes between two rounds is gone with the next, short one.
        """
        enabled = gc.isenabled()
        gc.disable()
        try:
            return quick_png(self._draw(**values))
        finally:
            if enabled:
                gc.enable()
                gc.collect(0)

    def _said(self, values: dict[str, Any]) -> str:
        return self._describe if isinstance(self._describe, str) else self._describe(**values)

    def _key(self, values: dict[str, Any]) -> str:
        """The key of these values: places in a list of options, values of what has none."""
        return key_of(
            [
                values[name] if places is None else places.index(values[name])
                for name, places in ((name, _options(one)) for name, one in self._controls.items())
            ]
        )

    def _foresee(self, control: Any, old: Any) -> None:
        """Draw what may come next, one after the other, whenever the kernel has nothing else to do."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # nobody listens: a program, or a test
            return
        work = self._work_ahead(control, old)

        def go_on() -> None:
            pause = next(work, None)
            if pause is not None:
                self._next = loop.call_later(pause, go_on)

        self._next = loop.call_later(_PAUSE_S, go_on)

    def _work_ahead(self, control: Any, old: Any) -> Iterator[float]:
        """Work for what may come next, a piece at a time; the seconds to leave to others after it."""
        name = next(name for name, one in self._controls.items() if one is control)
        for ahead in (_AHEAD, _FAR):
            for value in _next_values(control, old, ahead):
                values = self.values | {name: value}
                if tuple(values.values()) in self._drawn:
                    continue
                try:
                    for _ in self._prepare(**values):
                        yield _BREATH_S
                    if ahead is _FAR:
                        continue
                    self._image.foresee(
                        self._picture(values), self._said(values), self._key(values)
                    )
                except TutorialError:  # it says so when it is asked for
                    continue
                yield _PAUSE_S

    def __repr__(self) -> str:
        return f"[Interactive figure: {self._alt}]"

    def _repr_mimebundle_(self, **options: Any) -> Any:
        data = super()._repr_mimebundle_(**options) or {}
        data["text/plain"] = repr(self)
        data["text/html"] = image(png(self._still(**self.values)), self._alt)
        _, told = self._image._repr_mimebundle_(**options)  # Colab asks the box what it holds
        return data, told


def _options(control: Any) -> list[Any] | None:
    """What a menu, a row of buttons or a slider over a list lets choose; None for a slider of numbers."""
    options = getattr(control, "_options_full", None)
    return None if options is None else [value for _, value in options]


def _next_values(control: Any, old: Any, ahead: tuple[int, ...]) -> Iterator[Any]:
    """Where a control may go from here, so many steps: on the way it went, or back from an end."""
    options, value = _options(control), control.value
    if options is not None:
        here, before = options.index(value), options.index(old) if old in options else 0
        places = _places(here, before, 1, (0, len(options) - 1), ahead)
        yield from (options[place] for place in places)
        return
    low, high = getattr(control, "min", -np.inf), getattr(control, "max", np.inf)
    yield from _places(value, old, getattr(control, "step", 1), (low, high), ahead)


def _places(
    here: Any, before: Any, step: Any, ends: tuple[Any, Any], ahead: tuple[int, ...]
) -> Iterator[Any]:
    low, high = ends
    on = step if here >= before else -step
    if not low <= here + on <= high:
        on = -on
    for n in ahead:
        # A slider of the page counts in steps from its lower end, and rounds as few decimals as it shows.
        one = here + n * on
        near = round(one, 10) if isinstance(one, float) else one
        if low <= near <= high:
            yield near
