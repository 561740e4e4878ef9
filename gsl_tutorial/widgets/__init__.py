"""Widgets: sliders and buttons around the pure drawings of `gsl_tutorial.plots`."""

from gsl_tutorial.widgets.drawing import DrawingWithControls
from gsl_tutorial.widgets.snap_sliders import SnapSliders

__all__ = ["DrawingWithControls", "SnapSliders"]
