"""Chapter 07's control: scrub through trainings that were recorded turn by turn."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets as W
from matplotlib.figure import Figure

from gsl_tutorial.course.plots.turns import draw_turn, draw_turn_legend, draw_turns
from gsl_tutorial.course.training.recording import Recording
from gsl_tutorial.course.widgets.drawing import DrawingWithControls
from gsl_tutorial.errors import InvalidInputError


class RecordingSlider(DrawingWithControls):
    """One slider over the turns of recordings of equal length.

    Where no widget runs, four moments stand side by side.

    Parameters
    ----------
    recordings : sequence of Recording
        What was recorded.
    names : sequence of str
        Names of the classes.
    alt : str
        What the recordings show.

    Raises
    ------
    InvalidInputError
        The recordings differ in length.
    """

    def __init__(self, recordings: Sequence[Recording], names: Sequence[str], *, alt: str) -> None:
        lengths = {len(recording.frames) for recording in recordings}
        if len(lengths) != 1:
            raise InvalidInputError(
                "recordings with as many turns each", f"{sorted(lengths)}", "use one schedule"
            )
        last = lengths.pop() - 1
        moments = sorted({0, min(2, last), last // 5 * 2, last})

        def draw(now: int) -> Figure:
            return draw_turn(recordings, now)

        def still(now: int) -> Figure:
            return draw_turns(recordings, moments, names)

        controls = {
            "now": W.IntSlider(
                value=min(2, last), min=0, max=last, description="turn",
                style={"description_width": "9.5em"},
            )
        }  # fmt: skip
        super().__init__(
            draw,
            controls,
            legend=draw_turn_legend(recordings, names),
            still=still,
            alt=alt,
        )
