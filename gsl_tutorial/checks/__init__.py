"""Checks that tell a student "right", "not yet", or "this is the mistake", and hints in three steps.

In a notebook: `from gsl_tutorial.checks import check, hint`, then `check.squared_distance(answer)`
and `hint("03.1")`; `my_progress()` shows what is done. Each chapter's exercises are in a module of its
own; importing it here puts them into `check`.
"""

from gsl_tutorial.checks import (  # noqa: F401
    chapter00,
    chapter01,
    chapter01_recall,
    chapter02,
    chapter02_codewords,
    chapter03,
    chapter03_search,
    chapter04,
    chapter04_sums,
    chapter05,
    chapter05_place,
    chapter06,
    chapter07,
    chapter07_codes,
    chapter07_pareto,
    chapter08,
    chapter09,
    chapter09_tables,
    chapter10,
    chapter10_seeds,
    chapter10_table,
    chapter11,
    chapter11_hidden,
)
from gsl_tutorial.checks.core import check
from gsl_tutorial.checks.hints import hint
from gsl_tutorial.checks.overview import my_progress

__all__ = ["check", "hint", "my_progress"]
