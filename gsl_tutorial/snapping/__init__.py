"""The gradient snapping layer (`layer`) and the same rule in plain NumPy loops (`by_hand`)."""

from gsl_tutorial.snapping.layer import Fallback, Form, GradientSnapping, Length, snap_gradient

__all__ = ["Fallback", "Form", "GradientSnapping", "Length", "snap_gradient"]
