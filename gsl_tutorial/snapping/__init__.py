"""The gradient snapping layer (`layer`), its rule (`rule`), and the rule by hand in NumPy (`by_hand`).

Each name is imported when first used: the plane by hand does not wait for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gsl_tutorial.snapping.layer import GradientSnapping
    from gsl_tutorial.snapping.options import Fallback, Form, Length, SnapOptions
    from gsl_tutorial.snapping.rule import snap_gradient

_HOMES = {
    "Fallback": "gsl_tutorial.snapping.options",
    "Form": "gsl_tutorial.snapping.options",
    "GradientSnapping": "gsl_tutorial.snapping.layer",
    "Length": "gsl_tutorial.snapping.options",
    "SnapOptions": "gsl_tutorial.snapping.options",
    "snap_gradient": "gsl_tutorial.snapping.rule",
}

__all__ = ["Fallback", "Form", "GradientSnapping", "Length", "SnapOptions", "snap_gradient"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
