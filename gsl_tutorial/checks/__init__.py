"""Checks that tell a student "right", "not yet", or "this is the mistake", and hints in three steps.

In a notebook: `from gsl_tutorial.checks import check, hint`, then `check.squared_distance(answer)`
and `hint("03.1")`. Each chapter's exercises are in a module of its own.
"""

from gsl_tutorial.checks import chapter06  # noqa: F401
from gsl_tutorial.checks.core import check, hint

__all__ = ["check", "hint"]
