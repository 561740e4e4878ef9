"""nbgrader's metadata: the cells it needs, and nbgrader itself grading them, where it is installed."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from gsl_tutorial.course.exercises import checking, locked
from gsl_tutorial.course.press.building import finished
from gsl_tutorial.course.press.grading import CONFIG, SCRIPT, graded

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
    assert '_points("f", f)' in points.source
    assert points.source.endswith("_given")
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


def given(above: str, answer: str = "None") -> int:
    """The points of the locked cell of 00.1 below a cell of a submission."""
    cell = new_code_cell("check.squared_distance(answer)", metadata={"tags": ["exercise"]})
    locked = graded(new_notebook(cells=[cell]), {"squared_distance": "00.1"}).cells[1].source
    space: dict[str, Any] = {"__name__": "__main__"}
    modules = dict(sys.modules)
    try:
        exec(f"import numpy as np\nanswer = {answer}\n{above}\n{locked}", space)
    finally:
        sys.modules.clear()
        sys.modules.update(modules)
    return int(space["_given"])


RIGHT = "lambda x, y: ((x - y) ** 2).sum()"
PATCHES = {
    "the check": "from gsl_tutorial.course.exercises import checking\n"
    "checking._judge = lambda one, answer: checking.Verdict(one.id, 'right', 'haha')",
    "the registry": "from gsl_tutorial.course.exercises import check\n"
    "check.exercises['squared_distance'].judge = lambda answer: 'haha'",
    "the grader": "from gsl_tutorial.course.exercises import locked\nlocked.points = lambda *a: 1",
    "the module": "import types\nfake = types.ModuleType('fake')\nfake.points = lambda *a: 1\n"
    "sys = __import__('sys')\nsys.modules['gsl_tutorial.course.exercises.locked'] = fake",
    "numpy": "np.array_equal = np.allclose = np.isclose = lambda *a, **k: True",
    "a class of one's own": "class Always:\n    def __call__(self, *a, **k): return True\n"
    "np.allclose = np.isclose = Always()",
    "the builtins": "import builtins\nbuiltins.abs = lambda x: 0",
    "copies": "import copy\ncopy.deepcopy = lambda x: x",
}


@pytest.mark.parametrize("patch", PATCHES.values(), ids=PATCHES)
def test_no_patch_earns_a_point(patch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins
    import copy

    import numpy as np

    for module, names in (
        (np, ("array_equal", "allclose", "isclose")), (builtins, ("abs",)), (copy, ("deepcopy",)),
        (checking, ("_judge",)), (locked, ("points",)),
        (checking.check.exercises["squared_distance"], ("judge",)),
    ):  # fmt: skip
        for name in names:  # put back afterwards
            monkeypatch.setattr(module, name, getattr(module, name))
    assert given(patch) == 0


def test_a_right_answer_has_its_point_and_one_that_patches_while_it_runs_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import numpy as np

    monkeypatch.setattr(np, "isclose", np.isclose)
    assert given("", RIGHT) == 1
    assert given("", "lambda x, y: 3") == 0
    assert given("def answer(x, y):\n    np.isclose = lambda *a, **k: True\n    return 0.0") == 0
    assert given("def answer(x, y):\n    raise SystemExit") == 0


#: What takes the place of nbgrader in a sandbox: a submission is a shell script that says its points.
STAND_IN = """\
#!/bin/sh
case $1 in
  autograde) cd submitted/$4/notebooks && sh answer.sh && mkdir -p ../../../autograded/$4 ;;
  export) echo assignment,student_id,score > grades.csv
          for one in submitted/*; do
            echo "notebooks,${one#submitted/},$(cat $one/notebooks/points)"
          done >> grades.csv ;;
esac
"""
SUBMISSIONS = {
    "ann": "echo 9 > points",
    "ben": "echo 9 > points; "
    "echo 0 > {course}/submitted/ann/notebooks/points; echo gone > {outside}/file; true",
    "cem": "while true; do :; done",
    "dan": "(sleep 100000; echo late > {outside}/file) & echo 3 > points",
    "eve": "kill -9 $$",
    "fay": "echo 8 > points; rm -rf {course}/submitted {outside}",
    "gus": "echo 7 > points",
}


@pytest.mark.slow
def test_submissions_are_graded_in_a_sandbox(tmp_path: Path) -> None:
    course, outside = tmp_path / "course", tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("precious")
    for name, text in SUBMISSIONS.items():
        folder = course / "submitted" / name / "notebooks"
        folder.mkdir(parents=True)
        (folder / "answer.sh").write_text(text.format(course=course, outside=outside) + "\n")
    shutil.copy(SCRIPT, course)
    nbgrader = tmp_path / "nbgrader"
    nbgrader.write_text(STAND_IN)
    nbgrader.chmod(0o755)
    done = subprocess.run(
        ["sh", "grade.sh"], cwd=course, capture_output=True, text=True, check=False,
        env={**os.environ, "NBGRADER": str(nbgrader), "GRADE_SECONDS": "20"},
    )  # fmt: skip
    if "No sandbox here" in done.stderr:
        pytest.skip("this system has no user namespaces")
    assert done.returncode == 0, done.stderr
    rows = {
        row["student_id"]: row["score"] for row in csv.DictReader((course / "grades.csv").open())
    }
    # The write of ben and of fay fails; what they said of themselves stands, and nobody else is touched.
    assert rows == {"ann": "9", "ben": "9", "dan": "3", "gus": "7"} | (
        {"fay": "8"} if "fay: graded" in done.stdout else {}
    )
    assert "cem: NOT graded" in done.stdout
    assert "eve: NOT graded" in done.stdout
    assert (outside / "file").read_text() == "precious"
    assert {one.name for one in (course / "submitted").iterdir()} == set(SUBMISSIONS)


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
