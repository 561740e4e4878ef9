"""The student copy: the workbook without solutions, in a folder that can be handed out.

It holds the students' notebooks, the package they import, its data, and what pip needs. The sources of
the chapters, the solved notebooks, the tests and the history stay behind. Modules that hold the text
of a solution, the checks above all, are packed (see `exercises.sealed`). Before the folder is put
in place, every file in it is searched for every line of every solution, and for solutions with other
names.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from gsl_tutorial.course.exercises.sealed import seal
from gsl_tutorial.course.press.building import finished, is_stale
from gsl_tutorial.course.press.errors import SourceError
from gsl_tutorial.course.press.grading import CONFIG, SCRIPT, graded
from gsl_tutorial.course.press.leaks import Pieces, leaks, secret_lines, secret_pieces
from gsl_tutorial.course.press.student_page import readme
from gsl_tutorial.errors import InvalidInputError, StorageError

#: What a copy holds besides notebooks and README.md: what pip and the chapters read.
PARTS = (
    "gsl_tutorial", "data", "pyproject.toml", "constraints.txt", "environment.yml",
    "LICENSE", "LICENSE-TEXT", "CITATION.cff",
)  # fmt: skip
_LEFT_BEHIND = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info", "*.orig")
_CHECKS = "chapter"
#: Modules with a function that a check takes for an answer, however it is written.
HOLD_ANSWERS = (
    "course/toys/kmeans_steps.py", "course/toys/neighbours.py", "course/toys/pq_search.py",
    "evaluation/distances.py", "quantizers/nearest.py",
)  # fmt: skip


@dataclass(frozen=True)
class Released:
    """A student copy.

    Attributes
    ----------
    folder : Path
        Where it is.
    notebooks : tuple of str
        Its notebooks.
    sealed : tuple of str
        The modules that were packed.
    """

    folder: Path
    notebooks: tuple[str, ...]
    sealed: tuple[str, ...]


def release(root: Path, to: Path, *, nbgrader: bool = False) -> Released:
    """Write a student copy of the repository at `root` into the new folder `to`.

    Parameters
    ----------
    root : Path
        The folder that holds ``notebooks/src``.
    to : Path
        A folder that does not exist or is empty. It appears whole, or not at all.
    nbgrader : bool
        Add nbgrader's metadata, a locked cell of points after each exercise, a
        ``nbgrader_config.py``, and a ``grade.sh`` that grades in a sandbox.

    Returns
    -------
    Released
        What was written.

    Raises
    ------
    InvalidInputError
        `root` is no workbook, or `to` holds something.
    SourceError
        A notebook is stale, or the text of a solution stands in the copy.
    StorageError
        The copy could not be written.
    """
    sources = sorted((root / "notebooks" / "src").glob("*.py"))
    _refuse(root, to, sources)
    secret, pieces = secret_lines(sources), secret_pieces(sources)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=to.parent, prefix=".release-") as scratch:
            copy = Path(scratch) / "copy"
            names = _write_notebooks(sources, copy / "notebooks", nbgrader=nbgrader)
            for part in PARTS:
                _copy(root / part, copy / part)
            sealed = _seal(copy / "gsl_tutorial", secret, pieces)
            (copy / "README.md").write_text(readme(copy / "notebooks"), encoding="utf-8")
            if nbgrader:
                (copy / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
                shutil.copyfile(SCRIPT, copy / SCRIPT.name)
            refuse_leaks(copy, secret, pieces)
            if to.exists():
                to.rmdir()
            shutil.move(copy, to)
    except OSError as error:
        raise StorageError(
            f"to write the copy into {to.name}", str(error), "make room or allow writing"
        ) from error
    return Released(to, tuple(names), tuple(sealed))


def refuse_leaks(folder: Path, secret: set[str], pieces: Pieces) -> None:
    """Refuse a folder in which a solution can be read.

    Parameters
    ----------
    folder : Path
        Every file in it is searched.
    secret : set of str
        Lines of solutions.
    pieces : Pieces
        Solutions whatever their names are.

    Raises
    ------
    SourceError
        A secret line stands in a file, or a solution with other names.
    """
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (found := leaks(path, secret) or pieces.in_file(path)):
            raise SourceError(
                "no solution text in a student copy",
                f"{found[0]!r} in {path.relative_to(folder).as_posix()}; nothing was written",
                "write this line differently there, or in the solution",
            )


def _refuse(root: Path, to: Path, sources: list[Path]) -> None:
    if not sources:
        raise InvalidInputError(
            "a folder with chapters in notebooks/src", f"{root}", "run this in the repository"
        )
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise InvalidInputError(
            "a new or empty folder for the copy", f"{to}, which holds something", "name another"
        )
    stale = [source.stem for source in sources if is_stale(source)]
    if stale:
        raise SourceError(
            "notebooks that are as new as their sources",
            f"older ones for {', '.join(stale)}",
            "run `gsl-tutorial build` first",
        )


def _write_notebooks(sources: list[Path], folder: Path, *, nbgrader: bool) -> list[str]:
    folder.mkdir(parents=True)
    for source in sources:
        notebook = nbformat.read(finished(source, "student"), as_version=4)
        for cell in notebook.cells:
            # An opened ladder of hints ends with the solution; running the cell brings it back.
            if cell.cell_type == "code" and re.search(r"^\s*hint\(", cell.source, re.MULTILINE):
                cell.outputs = []
        if nbgrader:
            notebook = graded(notebook, _exercises())
        _write(notebook, folder / f"{source.stem}.ipynb")
    return [f"{source.stem}.ipynb" for source in sources]


def _exercises() -> dict[str, str]:
    from gsl_tutorial.course.exercises import check

    return {name: one.id for name, one in check.exercises.items()}


def _write(notebook: NotebookNode, path: Path) -> None:
    nbformat.validate(notebook)
    path.write_text(nbformat.writes(notebook).rstrip("\n") + "\n", encoding="utf-8", newline="\n")


def _copy(part: Path, to: Path) -> None:
    if part.is_dir():
        shutil.copytree(part, to, ignore=_LEFT_BEHIND)
    elif part.exists():
        shutil.copyfile(part, to)


def _seal(package: Path, secret: set[str], pieces: Pieces) -> list[str]:
    """Pack the modules that would give something away; returns their paths in the package."""
    sealed = []
    for path in sorted(package.rglob("*.py")):
        is_check = path.parent.name == "chapters" and path.stem.startswith(_CHECKS)
        name = path.relative_to(package).as_posix()
        if is_check or name in HOLD_ANSWERS or leaks(path, secret) or pieces.in_file(path):
            text = path.read_text(encoding="utf-8")
            path.write_text(seal(text, title=f"What {path.stem} holds."), encoding="utf-8")
            sealed.append(name)
    return sealed
