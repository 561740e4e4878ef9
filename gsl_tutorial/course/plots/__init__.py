"""Drawings: pure functions of their data, each returning a matplotlib figure; `show` puts one out."""

from gsl_tutorial.course.plots.style import show

__all__ = ["show"]
