"""Checks that tell a student "right", "not yet", or "this is the mistake", and hints in three steps.

In a notebook: `from gsl_tutorial.course.exercises import check, hint`, then
`check.squared_distance(answer)` and `hint("03.1")`; `my_progress()` shows what is done. Each chapter's
exercises are in modules of their own; importing `chapters` puts them into `check`.
"""

from gsl_tutorial.course.exercises import chapters  # noqa: F401
from gsl_tutorial.course.exercises.attempts import attempt
from gsl_tutorial.course.exercises.checking import check
from gsl_tutorial.course.exercises.hints import hint
from gsl_tutorial.course.exercises.overview import my_progress

__all__ = ["attempt", "check", "hint", "my_progress"]
