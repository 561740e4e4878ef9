"""Widgets: sliders and buttons around the pure drawings of `gsl_tutorial.plots`, and the explorer."""

from gsl_tutorial.widgets.compression_sliders import CompressionSliders
from gsl_tutorial.widgets.drawing import DrawingWithControls
from gsl_tutorial.widgets.explorer import GradientExplorer
from gsl_tutorial.widgets.kmeans_sliders import CodewordSliders, KMeansSliders
from gsl_tutorial.widgets.quantizer_sliders import MethodSliders, TurnSliders
from gsl_tutorial.widgets.recording_slider import RecordingSlider
from gsl_tutorial.widgets.snap_sliders import SnapSliders

__all__ = [
    "CodewordSliders",
    "CompressionSliders",
    "DrawingWithControls",
    "GradientExplorer",
    "KMeansSliders",
    "MethodSliders",
    "RecordingSlider",
    "SnapSliders",
    "TurnSliders",
]
