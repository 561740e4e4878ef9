"""The notebook press: one hand-edited source per chapter, two executed notebooks from it.

``notebooks/src/NN_name.py`` becomes ``notebooks/NN_name.ipynb`` (the student's, solutions blanked)
and ``notebooks/solutions/NN_name.ipynb`` (solved). Pressing again gives the same bytes.

* `blanks` - what stands between the solution markers, for the student and solved
* `sources` - a source as two notebooks that have not run yet
* `execution` - run one on a fresh kernel that sees no data of this machine
* `cleaning` - the same outputs on every build
* `building` - what is stale, and writing it whole or not at all
* `checking` - what is wrong with a finished notebook
* `budgets`, `nbval_budget` - what a notebook may cost, measured while nbval reproduces it
"""

from gsl_tutorial.course.press.budgets import BUDGETS, Budgets
from gsl_tutorial.course.press.building import Pressed, build, is_stale
from gsl_tutorial.course.press.checking import check_notebook
from gsl_tutorial.course.press.errors import NotebookRunError, OrphanNotebookError, SourceError

__all__ = [
    "BUDGETS",
    "Budgets",
    "NotebookRunError",
    "OrphanNotebookError",
    "Pressed",
    "SourceError",
    "build",
    "check_notebook",
    "is_stale",
]
