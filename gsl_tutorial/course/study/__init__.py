"""The study: every method on the same encoder, data, seeds and budget, and what came of it."""

from gsl_tutorial.course.study.grid import Part, Study, StudyRun, available, load_study
from gsl_tutorial.course.study.records import run_part
from gsl_tutorial.course.study.running import StudyResults, execute, study_data

__all__ = [
    "Part",
    "Study",
    "StudyResults",
    "StudyRun",
    "available",
    "execute",
    "load_study",
    "run_part",
    "study_data",
]
