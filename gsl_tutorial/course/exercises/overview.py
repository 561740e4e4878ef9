"""The reader's own page of progress, for chapter 00."""

from __future__ import annotations

from pathlib import Path

from gsl_tutorial.course.exercises import progress_file as record
from gsl_tutorial.course.exercises.checking import check
from gsl_tutorial.course.exercises.progress_file import Progress
from gsl_tutorial.course.exercises.progress_view import Overview, chapters


def my_progress() -> Overview:
    """What is done and what is next in every chapter; while notebooks are built, nothing is done."""
    if not record.is_recorded():
        return Overview(chapters(Progress(), check.ids))
    path = record.progress_file()
    progress, trouble = record.note(path, "", right=None)
    where = trouble or f"Kept in {path}; nothing leaves this machine."
    return Overview(chapters(progress, check.ids), where, _notebooks())


def _notebooks() -> dict[str, str]:
    """The chapters that lie in the folder of this notebook, by number."""
    return {path.name[:2]: path.name for path in sorted(Path.cwd().glob("[0-9][0-9]_*.ipynb"))}
