"""nbgrader's metadata: the cells it needs, and nbgrader itself grading them, where it is installed."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from gsl_tutorial.course.press.building import finished
from gsl_tutorial.course.press.grading import CONFIG, graded

REPOSITORY = Path(__file__).parents[1]
FIRST = REPOSITORY / "notebooks" / "src" / "00_start_here.py"
STUB = "...  # your code here"
ANSWERS = {"ann": "return ((x - y) ** 2).sum()", "ben": STUB, "cem": "return abs(x - y).sum()"}


def test_each_exercise_gets_a_solution_cell_and_a_locked_one() -> None:
    exercise = {"tags": ["exercise"]}
    notebook = new_notebook(
        cells=[
            new_markdown_cell("# A", id="00-001"),
            new_code_cell("def f(x):\n    ...\n\n\ncheck.f(f)", id="00-002", metadata=exercise),
            new_code_cell("x = ...  # nothing asks for it", id="00-003", metadata=exercise),
            new_code_cell("check.f(f)", id="00-004"),
        ]
    )
    made = graded(notebook, {"f": "00.1"})
    nbformat.validate(made)
    answer, points = made.cells[1], made.cells[2]
    assert answer.metadata.nbgrader.solution
    assert not answer.metadata.nbgrader.grade
    assert points.metadata.nbgrader.locked
    assert points.metadata.nbgrader.points == 1
    assert points.source.endswith('int(check.f(f).kind == "right")')
    assert [cell.id for cell in made.cells] == [
        "00-001",
        "00-002",
        "00-002-points",
        "00-003",
        "00-004",
    ]
    assert "nbgrader" not in notebook.cells[1].metadata


def nbgrader(course: Path, *words: str) -> str:
    """Run nbgrader in a course; skip where it is not installed, except where it is required."""
    extra = os.environ.get("GSL_TUTORIAL_NBGRADER", "")
    if not extra and find_spec("nbgrader") is None:
        reason = 'nbgrader is not installed: pip install -c constraints.txt -e ".[nbgrader]"'
        if os.environ.get("GSL_TUTORIAL_REQUIRE_NBGRADER"):
            pytest.fail(reason)
        pytest.skip(reason)
    paths = [str(REPOSITORY), *([extra] if extra else [])]
    binaries = [str(Path(sys.executable).parent), *([f"{extra}/bin"] if extra else [])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "PATH": os.pathsep.join([*binaries, os.environ["PATH"]]),
        "GSL_TUTORIAL_PROGRESS": str(course / "progress.json"),
    }
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words], cwd=course, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


@pytest.mark.slow
def test_nbgrader_makes_the_assignment_and_grades_right_blank_and_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    notebook = nbformat.read(finished(FIRST, "student"), as_version=4)
    nbformat.write(graded(notebook, {"squared_distance": "00.1"}), folder / "00.ipynb")
    (tmp_path / "nbgrader_config.py").write_text(CONFIG)
    nbgrader(tmp_path, "generate_assignment", "notebooks", "--create")

    given = nbformat.read(tmp_path / "release" / "notebooks" / "00.ipynb", as_version=4)
    asked = [cell for cell in given.cells if "nbgrader" in cell.metadata]
    assert [cell.source for cell in asked] != []
    assert STUB in asked[0].source, "nbgrader cleared what was blank already"
    for student, answer in ANSWERS.items():
        handed_in = tmp_path / "submitted" / student / "notebooks"
        handed_in.mkdir(parents=True)
        shutil.copy(tmp_path / "release" / "notebooks" / "00.ipynb", handed_in)
        text = (handed_in / "00.ipynb").read_text()
        (handed_in / "00.ipynb").write_text(text.replace(STUB, answer))
    nbgrader(tmp_path, "autograde", "notebooks", "--create")
    nbgrader(tmp_path, "export")
    rows = list(csv.DictReader((tmp_path / "grades.csv").open()))
    assert {row["student_id"]: float(row["score"]) for row in rows} == {
        "ann": 1,
        "ben": 0,
        "cem": 0,
    }
    assert {float(row["max_score"]) for row in rows} == {1.0}
    assert not (tmp_path / "progress.json").exists(), "graded answers are not the teacher's own"
