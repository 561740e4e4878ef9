"""The answers to all exercises, and how to ask a check about one.

To add a chapter, write its answers in a file beside this one and append them to `EXERCISES`: the tests
of the checks need nothing else.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

from answers import CHAPTER_06, Answer, Exercise
from answers_00_03 import CHAPTER_00, CHAPTER_03
from answers_01_02 import CHAPTER_01, CHAPTER_02
from answers_04 import CHAPTER_04
from answers_05 import CHAPTER_05
from answers_07 import CHAPTER_07
from answers_08 import CHAPTER_08
from answers_09 import CHAPTER_09
from answers_10 import CHAPTER_10
from answers_11 import CHAPTER_11
from answers_12 import CHAPTER_12
from answers_builds import BUILDS
from answers_steps import STEPS
from answers_tried import ALSO_WRONG

from gsl_tutorial.course.exercises import check
from gsl_tutorial.course.exercises.checking import Verdict

__all__ = ["BY_NAME", "EXERCISES", "Answer", "judge"]

EXERCISES: list[Exercise] = [
    *CHAPTER_00,
    *CHAPTER_01,
    *CHAPTER_02,
    *CHAPTER_03,
    *CHAPTER_04,
    *CHAPTER_05,
    *CHAPTER_06,
    *CHAPTER_07,
    *CHAPTER_08,
    *CHAPTER_09,
    *CHAPTER_10,
    *CHAPTER_11,
    *CHAPTER_12,
    *BUILDS,
    *STEPS,
]
EXERCISES = [replace(one, wrong=(*one.wrong, *ALSO_WRONG.get(one.name, ()))) for one in EXERCISES]
BY_NAME = {one.name: one for one in EXERCISES}


def judge(name: str, answer: Any) -> Verdict:
    """Ask the check of that name; a warning of its own is an error here."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return getattr(check, name)(answer)
