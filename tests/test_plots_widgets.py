"""The sliders around the drawings: every control works at both ends, and a picture is left behind."""

from __future__ import annotations

from typing import Any

import pytest
from plots_cases import DIGITS, PLANE, RECORDINGS, RNG, recording
from widget_cases import alt_of, move_every_control

from gsl_tutorial.course.plots.plane import draw_snap
from gsl_tutorial.course.toys.neighbours import Compressed
from gsl_tutorial.course.toys.plane_codes import cut_along, turn
from gsl_tutorial.errors import InvalidInputError


def _snap_sliders() -> Any:
    import ipywidgets as W

    from gsl_tutorial.course.widgets import DrawingWithControls

    controls = {
        "strength": W.FloatSlider(value=0.6, min=0, max=3),
        "n_candidates": W.IntSlider(value=3, min=1, max=4),
        "form": W.Dropdown(options=["replace", "pull"]),
    }
    return DrawingWithControls(
        lambda **how: draw_snap(PLANE, (0.2, -0.1), **how), controls, alt="The similarity loss."
    )


def test_widget_redraws_on_every_control_and_keeps_the_picture_when_a_value_is_bad() -> None:
    sliders = _snap_sliders()
    seen = {sliders._image.value}
    for name, value in [("form", "pull"), ("strength", 1.0), ("n_candidates", 1)]:
        sliders._controls[name].value = value
        assert sliders.values[name] == value
        seen.add(sliders._image.value)
    assert len(seen) == 4
    sliders._controls["n_candidates"].max = 99
    sliders._controls["n_candidates"].value = 99
    assert "expected" in sliders._message.value
    assert sliders._image.value in seen
    sliders._controls["n_candidates"].value = 2
    assert sliders._message.value == ""


def test_widget_leaves_a_picture_and_its_text_where_no_widget_runs() -> None:
    sliders = _snap_sliders()
    assert "similarity loss" in alt_of(sliders)
    assert "0x" not in sliders._repr_mimebundle_()[0]["text/plain"]


def test_every_control_of_chapters_01_and_02_works_at_both_ends() -> None:
    from gsl_tutorial.course.widgets import CompressionSliders, KMeansSliders

    points = RNG.uniform(-1, 1, size=(30, 2))
    ways = {
        "few": [Compressed(points.round(), 2, "coarse"), Compressed(points, 4, "fine")],
        "one": [Compressed(0 * points, 1, "all in one place")],
    }
    for widget in (
        CompressionSliders(points, ways, points[:3]),
        KMeansSliders(points, most=5),
    ):
        assert len(move_every_control(widget)) > 50


def test_every_control_of_chapter_04_works_at_both_ends() -> None:
    from gsl_tutorial import OptimizedProductQuantizer, ResidualQuantizer
    from gsl_tutorial.course.widgets import MethodSliders, RotationSliders

    points = RNG.uniform(-0.7, 0.7, size=(30, 2))
    methods = {"OPQ": OptimizedProductQuantizer, "RQ": ResidualQuantizer}
    for widget in (RotationSliders(points), MethodSliders(points, methods)):
        assert len(move_every_control(widget)) > 50


def test_the_title_of_a_rotated_grid_is_the_distortion_of_its_quantizer() -> None:
    from gsl_tutorial.course.widgets import RotationSliders

    points = RNG.uniform(-0.7, 0.7, size=(30, 2))
    widget = RotationSliders(points, tilt=30)
    widget._controls["grid"].value = 75
    title = widget._draw(**widget.values).axes[0].get_title(loc="left")
    lost = cut_along(turn(points, 30), 75, 2).distortion(turn(points, 30))
    assert title == f"grid turned by 75°\ndistortion {lost:.3f}"


def test_the_slider_of_chapter_07_reaches_every_turn_and_refuses_unequal_recordings() -> None:
    from gsl_tutorial.course.widgets import RecordingSlider

    slider = RecordingSlider(RECORDINGS, DIGITS, alt="what it shows")
    seen = set()
    for now in range(7):
        slider._controls["now"].value = now
        assert slider._message.value == ""
        seen.add(slider._image.value)
    assert len(seen) == 7
    assert alt_of(slider) == "what it shows"
    assert slider._image.alt == "what it shows"
    with pytest.raises(InvalidInputError, match="as many turns each"):
        RecordingSlider([RECORDINGS[0], recording("ste", 2)], DIGITS, alt="unequal")
