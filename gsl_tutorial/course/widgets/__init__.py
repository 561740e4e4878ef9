"""Widgets: sliders and buttons around the pure drawings of `gsl_tutorial.course.plots`, and the explorer.

Each is imported when first used: chapter 05 shows its first picture without waiting for torch, which
only some of the others need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gsl_tutorial.course.widgets.codewords import CodewordExplorer
    from gsl_tutorial.course.widgets.compression_sliders import CompressionSliders
    from gsl_tutorial.course.widgets.drawing import DrawingWithControls
    from gsl_tutorial.course.widgets.explorer import GradientExplorer
    from gsl_tutorial.course.widgets.explorer_turns import TurnsExplorer
    from gsl_tutorial.course.widgets.film_picker import FilmPicker
    from gsl_tutorial.course.widgets.four_bytes import FourBytes
    from gsl_tutorial.course.widgets.guess import Guess
    from gsl_tutorial.course.widgets.kmeans_sliders import KMeansSliders
    from gsl_tutorial.course.widgets.loop import FeedbackLoop
    from gsl_tutorial.course.widgets.lost_worker import LostWorker
    from gsl_tutorial.course.widgets.method_map import MethodMap
    from gsl_tutorial.course.widgets.negatives_sliders import NegativesSliders
    from gsl_tutorial.course.widgets.photo_search import PhotoSearch
    from gsl_tutorial.course.widgets.quantization import QuantizationPlayground
    from gsl_tutorial.course.widgets.quantizer_sliders import MethodSliders, RotationSliders
    from gsl_tutorial.course.widgets.query_picker import QueryPicker
    from gsl_tutorial.course.widgets.recording_slider import RecordingSlider
    from gsl_tutorial.course.widgets.reported import ReportedFigure

_HOMES = {
    "CodewordExplorer": "gsl_tutorial.course.widgets.codewords",
    "CompressionSliders": "gsl_tutorial.course.widgets.compression_sliders",
    "DrawingWithControls": "gsl_tutorial.course.widgets.drawing",
    "FeedbackLoop": "gsl_tutorial.course.widgets.loop",
    "FilmPicker": "gsl_tutorial.course.widgets.film_picker",
    "FourBytes": "gsl_tutorial.course.widgets.four_bytes",
    "GradientExplorer": "gsl_tutorial.course.widgets.explorer",
    "Guess": "gsl_tutorial.course.widgets.guess",
    "KMeansSliders": "gsl_tutorial.course.widgets.kmeans_sliders",
    "LostWorker": "gsl_tutorial.course.widgets.lost_worker",
    "MethodMap": "gsl_tutorial.course.widgets.method_map",
    "MethodSliders": "gsl_tutorial.course.widgets.quantizer_sliders",
    "NegativesSliders": "gsl_tutorial.course.widgets.negatives_sliders",
    "PhotoSearch": "gsl_tutorial.course.widgets.photo_search",
    "QuantizationPlayground": "gsl_tutorial.course.widgets.quantization",
    "QueryPicker": "gsl_tutorial.course.widgets.query_picker",
    "RecordingSlider": "gsl_tutorial.course.widgets.recording_slider",
    "ReportedFigure": "gsl_tutorial.course.widgets.reported",
    "RotationSliders": "gsl_tutorial.course.widgets.quantizer_sliders",
    "TurnsExplorer": "gsl_tutorial.course.widgets.explorer_turns",
}

__all__ = [
    "CodewordExplorer",
    "CompressionSliders",
    "DrawingWithControls",
    "FeedbackLoop",
    "FilmPicker",
    "FourBytes",
    "GradientExplorer",
    "Guess",
    "KMeansSliders",
    "LostWorker",
    "MethodMap",
    "MethodSliders",
    "NegativesSliders",
    "PhotoSearch",
    "QuantizationPlayground",
    "QueryPicker",
    "RecordingSlider",
    "ReportedFigure",
    "RotationSliders",
    "TurnsExplorer",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
