"""A student's notebook with the metadata that nbgrader grades by.

Each exercise cell becomes nbgrader's solution cell, which the student edits. After it comes a locked
cell that asks the same check once more; its last value is the points: 1 where the check says "right",
else 0. So a blank exercise still stops nothing. The locked cell reads the checks afresh from their files,
whatever a cell above has put in their place (`exercises.locked`). The format is version 3 of nbgrader's
schema.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from gsl_tutorial.course.press.sources import tags

POINTS = 1

_LOCKED = """\
# Graded: {points} point for exercise {id}. The check is read afresh, whatever a cell above has changed.
import sys

_kept = {{n: sys.modules.pop(n) for n in [*sys.modules] if n.partition(".")[0] == "gsl_tutorial"}}
from gsl_tutorial.course.exercises.locked import points as _points

_given = _points("{name}", {answer})
sys.modules.update(_kept)
_given"""

#: Grades each submission by itself, in a sandbox.
SCRIPT = Path(__file__).with_name("grade.sh")

#: The folder of the copy is nbgrader's course, and its folder ``notebooks`` the one assignment. Making the
#: assignment clears nothing: the cells are blank already, and pictures stay.
CONFIG = """\
import os

c = get_config()  # noqa: F821

# Answers that are graded here are not the teacher's own progress.
os.environ["GSL_TUTORIAL_PRESS"] = "1"
c.CourseDirectory.course_id = "gsl-tutorial"
c.CourseDirectory.source_directory = "."
c.GenerateAssignment.preprocessors = [
    f"nbgrader.preprocessors.{name}"
    for name in ("LockCells", "CheckCellMetadata", "ComputeChecksums", "SaveCells")
]
# The slowest cell needs seconds; nbgrader's own limit of 30 is missed on a busy machine.
c.ExecutePreprocessor.timeout = 300
c.ExecutePreprocessor.startup_timeout = 300
c.ExecutePreprocessor.interrupt_on_timeout = True
"""


def graded(notebook: NotebookNode, exercises: dict[str, str]) -> NotebookNode:
    """Add to a notebook a solution cell and a locked cell for each exercise that is checked.

    Parameters
    ----------
    notebook : NotebookNode
        A student's notebook; it is left as it is.
    exercises : dict of str to str
        Name of a check -> id of its exercise ("squared_distance" -> "00.1").

    Returns
    -------
    NotebookNode
        A new notebook.
    """
    cells: list[NotebookNode] = []
    for cell in notebook.cells:
        cell = NotebookNode({**cell, "metadata": NotebookNode(cell.metadata)})
        cells.append(cell)
        asked = _check_of(cell) if "exercise" in tags(cell) and cell.cell_type == "code" else None
        if asked:
            name, answer = asked
            id = exercises[name]
            slug = id.replace(".", "-")
            cell.metadata.nbgrader = _metadata(f"answer-{slug}", solution=True)
            text = _LOCKED.format(points=POINTS, id=id, name=name, answer=answer)
            points = _metadata(f"points-{slug}", grade=True, locked=True, points=POINTS)
            cells.append(new_code_cell(text, id=f"{cell.id}-points", metadata={"nbgrader": points}))
    return NotebookNode({**notebook, "cells": cells})


def _metadata(id: str, **settings: Any) -> NotebookNode:
    off = {"grade": False, "solution": False, "locked": False, "task": False}
    return NotebookNode(
        {"schema_version": 3, "grade_id": id, "cell_type": "code", **off, **settings}
    )


def _check_of(cell: NotebookNode) -> tuple[str, str] | None:
    """The check that a cell asks last, and the answer it is given, as code; None where there is none."""
    asked = None
    for node in ast.parse(cell.source).body:
        call = node.value if isinstance(node, ast.Expr) else None
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and isinstance(call.func.value, ast.Name)
            and call.func.value.id == "check"
        ):
            asked = call.func.attr, ", ".join(map(ast.unparse, call.args))
    return asked
