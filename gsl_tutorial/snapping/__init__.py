"""The gradient snapping layer (`layer`), its rule (`rule`), and the rule by hand in NumPy (`by_hand`)."""

from gsl_tutorial.snapping.layer import GradientSnapping
from gsl_tutorial.snapping.rule import Fallback, Form, Length, SnapOptions, snap_gradient

__all__ = ["Fallback", "Form", "GradientSnapping", "Length", "SnapOptions", "snap_gradient"]
