"""The gradient snapping layer (`layer`), what lets it live in any training, and the rule by hand."""

from gsl_tutorial.snapping.layer import (
    Fallback,
    Form,
    GradientSnapping,
    Length,
    SnapOptions,
    snap_gradient,
)

__all__ = ["Fallback", "Form", "GradientSnapping", "Length", "SnapOptions", "snap_gradient"]
