"""The student copy: nothing of a solution in it, and everything that runs it."""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import io
import json
import keyword
import os
import pkgutil
import subprocess
import sys
import textwrap
import tokenize
import types
from pathlib import Path

import nbformat
import pytest

from gsl_tutorial.course.exercises import check, checking
from gsl_tutorial.course.exercises.sealed import seal, unseal
from gsl_tutorial.course.press import SourceError
from gsl_tutorial.course.press.blanks import blank
from gsl_tutorial.course.press.building import finished
from gsl_tutorial.course.press.leaks import (
    SHORTEST_PIECE,
    Pieces,
    leaks,
    secret_lines,
    secret_pieces,
)
from gsl_tutorial.course.press.releasing import HOLD_ANSWERS, Released, release
from gsl_tutorial.course.press.sources import draft
from gsl_tutorial.errors import InvalidInputError

REPOSITORY = Path(__file__).parents[1]
SOURCES = sorted((REPOSITORY / "notebooks" / "src").glob("*.py"))
CHAPTER = """\
# %% [markdown]
# # Add things

# %% tags=["exercise"]
def add(x, y):
    scale = 1.0 + 0.0 * float(x)
    # BEGIN SOLUTION
    total = total_of_both = x + y + 0
    scale = 1.0 + 0.0 * float(x)
    return total
    # END SOLUTION


check.add(add)

# %%
hint("00.1")
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A repository of one chapter, finished without a run."""
    root = tmp_path / "repository"
    source = root / "notebooks" / "src" / "00_add.py"
    source.parent.mkdir(parents=True)
    source.write_text(CHAPTER)
    for variant in ("student", "solution"):
        path = finished(source, variant)  # type: ignore[arg-type]
        path.parent.mkdir(exist_ok=True)
        nbformat.write(draft(source, variant).notebook, path)  # type: ignore[arg-type]
    (root / "gsl_tutorial" / "chapters").mkdir(parents=True)
    (root / "gsl_tutorial" / "tool.py").write_text("total = total_of_both = x + y + 0\n")
    (root / "gsl_tutorial" / "other.py").write_text("x = 1\n")
    (root / "gsl_tutorial" / "chapters" / "chapter00.py").write_text("right = 1\n")
    (root / "tests").mkdir()
    return root


def edit(root: Path, output: str) -> None:
    path = root / "notebooks" / "00_add.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text=output)]
    notebook.cells[2].outputs = [
        nbformat.v4.new_output("stream", text="total = total_of_both = x + y + 0")
    ]
    nbformat.write(notebook, path)


# ---- made-up ones --------------------------------------------------------------------------------


def test_sealed_modules_run_and_can_be_inspected_but_not_read() -> None:
    module = types.ModuleType("example")
    source = (
        "from __future__ import annotations\n\n\ndef f(x: Unknown) -> int:\n    return x + 41\n"
    )
    stub = seal(source, title="An example.")
    assert "41" not in stub.split("unseal(")[0]
    assert "return x" not in stub
    exec(stub, module.__dict__)
    assert module.f(1) == 42
    with pytest.raises(OSError, match="source"):
        inspect.getsource(module.f)
    with pytest.raises(Exception, match=r"."):
        unseal({"__name__": "broken"}, "bm90IHppcHBlZA==")


def test_secret_lines_leave_out_what_the_student_is_given(small: Path) -> None:
    assert secret_lines([small / "notebooks" / "src" / "00_add.py"]) == {
        "total = total_of_both = x + y + 0"
    }


def test_a_copy_holds_no_solution_and_leaves_the_rest_behind(small: Path, tmp_path: Path) -> None:
    edit(small, "○ Not yet")
    made = release(small, tmp_path / "copy")
    assert made.notebooks == ("00_add.ipynb",)
    assert made.sealed == ("chapters/chapter00.py", "tool.py")
    files = {path.relative_to(made.folder).as_posix() for path in made.folder.rglob("*.*")}
    assert files == {
        "README.md", "notebooks/00_add.ipynb", "gsl_tutorial/tool.py", "gsl_tutorial/other.py",
        "gsl_tutorial/chapters/chapter00.py",
    }  # fmt: skip
    assert "[00](notebooks/00_add.ipynb) | Add things" in (made.folder / "README.md").read_text()
    hints = nbformat.read(made.folder / "notebooks" / "00_add.ipynb", as_version=4).cells[2]
    assert hints.outputs == []


def test_a_leak_in_an_output_is_refused_and_nothing_is_written(small: Path, tmp_path: Path) -> None:
    edit(small, "look: total = total_of_both = x + y + 0")
    with pytest.raises(SourceError, match=r"total_of_both.*00_add\.ipynb"):
        release(small, tmp_path / "copy")
    assert [path.name for path in tmp_path.iterdir()] == ["repository"]


def test_stale_notebooks_and_full_folders_are_refused(small: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="holds something"):
        release(small, small)
    with pytest.raises(InvalidInputError, match="chapters in notebooks/src"):
        release(tmp_path / "nowhere", tmp_path / "copy")
    source = small / "notebooks" / "src" / "00_add.py"
    source.write_text(CHAPTER.replace("Add things", "Add more"))
    with pytest.raises(SourceError, match="gsl-tutorial build"):
        release(small, tmp_path / "copy")


RENAMED = """
def thing(p, q):
    # another name for everything, another layout
    both_of_them = (p
        + q + 17)
    return both_of_them
"""


@pytest.mark.parametrize("suffix", [".py", ".md", ".ipynb"])
def test_a_renamed_solution_is_found_in_any_file(small: Path, tmp_path: Path, suffix: str) -> None:
    source = small / "notebooks" / "src" / "00_add.py"
    source.write_text(
        CHAPTER.replace("total = total_of_both = x + y + 0", "total = (x + y + 0) * (x - y) / 2")
    )
    pieces = secret_pieces([source])
    renamed = RENAMED.replace("(p\n        + q + 17)", "(p\n   + q + 17) * (p - q) / 3")
    other = RENAMED.replace("(p\n        + q + 17)", "(p + q + 17) * (q - p) / 3")
    for text, found in ((renamed, True), (other, False)):
        path = tmp_path / f"file{suffix}"
        cell = nbformat.v4.new_code_cell(text)
        notebook = nbformat.writes(nbformat.v4.new_notebook(cells=[cell]))
        path.write_text(notebook if suffix == ".ipynb" else text)
        assert bool(pieces.in_file(path)) is found
    (tmp_path / "picture.png").write_bytes(b"\0" + renamed.encode())
    assert pieces.in_file(tmp_path / "picture.png") == []


# ---- the repository's own ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Released:
    return release(REPOSITORY, tmp_path_factory.mktemp("release") / "copy")


def test_no_line_of_any_solution_is_in_any_file(released: Released) -> None:
    """Counted anew: solutions straight from the markers of the sources, searched for as plain text."""
    blocks: list[str] = []
    for source in SOURCES:
        for cell in source.read_text().split("\n# %%"):
            if "BEGIN SOLUTION" in cell:
                blocks += blank(cell).solutions
    assert len(blocks) >= len(SOURCES)
    texts = {
        path: path.read_bytes().decode("utf-8", errors="replace")
        for path in released.folder.rglob("*")
        if path.is_file()
    }
    secret = secret_lines(SOURCES)
    for block in blocks:
        lines = [line.strip() for line in block.splitlines() if len(line.strip()) >= 20]
        for path, text in texts.items():
            as_json = [json.dumps(line)[1:-1] for line in lines]
            found = [one for one in (*lines, *as_json) if one in text and one in secret]
            assert not found, f"{found[0]} in {path}"
            assert len(lines) < 2 or not all(line in text for line in lines), path


@pytest.fixture(scope="module")
def pieces() -> Pieces:
    return secret_pieces(SOURCES)


def test_no_later_cell_of_a_chapter_shows_a_solution_with_other_names(pieces: Pieces) -> None:
    for source in SOURCES:
        for cell in draft(source, "student").notebook.cells:
            assert pieces.of(cell.source) == [], cell.id


#: Names that a copy keeps.
PYTHONS = {*dir(builtins), *keyword.kwlist, "np", "torch", "math"}
#: Answers that are a value, not code: a place, and three words.
VALUES = ("uphill_place = ", "three_faults = ")


def renamed(code: str) -> str:
    """Code as somebody may have copied it: other names, no comments, spaces round each token."""
    names: dict[str, str] = {}
    tokens = [one for one in tokenize.generate_tokens(io.StringIO(code).readline) if one.string]
    copied = []
    for before, one, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        word, left, right = one.string, before and before.string, after and after.string
        is_own = one.type == tokenize.NAME and word not in PYTHONS and left != "."
        if is_own and not (left in ("(", ",") and right == "="):
            word = names.setdefault(word, f"q{len(names)}")
        copied.append("" if one.type == tokenize.COMMENT else word)
    return " ".join(copied)


def halves(code: str) -> list[str]:
    """The whole body, and its first and second half, statement by statement."""
    inside = "def f():\n" + textwrap.indent(textwrap.dedent(code), "    ")
    body, lines = ast.parse(inside).body[0].body, inside.splitlines()  # type: ignore[attr-defined]
    n = -(-len(body) // 2)
    parts = [one for one in (body, body[:n], body[n:]) if one]
    return ["\n".join(lines[one[0].lineno - 1 : one[-1].end_lineno]) for one in parts]


def test_a_solution_is_found_with_other_names_whole_and_by_half(pieces: Pieces) -> None:
    n_found = 0
    for source in SOURCES:
        for solutions in draft(source, "student").hidden.values():
            for solution in solutions:
                if solution.strip().startswith(VALUES):
                    continue
                whole, *parts = halves(solution)
                assert pieces.of(renamed(f"if True:\n{whole}\n")), solution
                for part in parts:
                    # Shorter ones are idioms, or were shown before.
                    if len(pieces.found_by.read(part)) >= 2 * SHORTEST_PIECE:
                        assert pieces.of(renamed(f"if True:\n{part}\n")), part
                        n_found += 1
    assert n_found > 30


def test_every_chapter_has_pieces_that_are_looked_for(pieces: Pieces) -> None:
    assert len(pieces.tokens) > 100
    assert any("np.flatnonzero" in piece for piece in pieces.tokens)


@pytest.mark.filterwarnings("ignore")
def test_functions_that_checks_take_for_answers_are_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every function of the rooms that chapters compute with is given to every check."""
    monkeypatch.setattr(checking, "LIMIT_S", 2.0)
    found = set()
    for name in ("quantizers", "evaluation", "snapping", "course.toys"):
        room = importlib.import_module(f"gsl_tutorial.{name}")
        for one in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
            module = importlib.import_module(one.name)
            for function in [*vars(module).values()]:
                if not inspect.isfunction(function) or function.__module__ != one.name:
                    continue
                if any(getattr(check, name)(function).kind == "right" for name in check.exercises):
                    found.add(one.name)
    assert found <= {f"gsl_tutorial.{name[:-3].replace('/', '.')}" for name in HOLD_ANSWERS}
    assert len(found) == len(HOLD_ANSWERS), "a module is sealed for nothing"


def test_sources_solutions_and_tests_stay_behind(released: Released) -> None:
    names = {path.relative_to(released.folder).parts[0] for path in released.folder.iterdir()}
    assert names == {
        "README.md", "notebooks", "gsl_tutorial", "data", "pyproject.toml", "constraints.txt",
        "environment.yml", "LICENSE", "LICENSE-TEXT", "CITATION.cff",
    }  # fmt: skip
    assert {path.suffix for path in (released.folder / "notebooks").iterdir()} == {".ipynb"}
    assert len(released.notebooks) == len(SOURCES)


def test_the_copys_own_package_imports_and_checks(released: Released) -> None:
    code = """
import importlib, pathlib, pkgutil, gsl_tutorial
assert pathlib.Path(gsl_tutorial.__file__).parents[1] == pathlib.Path.cwd()
for one in pkgutil.walk_packages(gsl_tutorial.course.exercises.__path__, "gsl_tutorial.course.exercises."):
    importlib.import_module(one.name)
import gsl_tutorial.course.plots.clusters, gsl_tutorial.snapping.by_hand, gsl_tutorial.course.cli
from gsl_tutorial.course.exercises import check
import numpy as np
print([check.squared_distance(f).kind for f in (None, lambda x, y: ((x - y) ** 2).sum(), lambda x, y: x)])
""".replace(
        "import gsl_tutorial.course.plots",
        "import gsl_tutorial.course.exercises, gsl_tutorial.course.plots",
    )
    code = code.replace(
        "pkgutil, gsl_tutorial\n", "pkgutil, gsl_tutorial, gsl_tutorial.course.exercises\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(released.folder)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=released.folder, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "['not yet', 'right', 'mistake']", done.stderr


def test_a_copy_that_gives_something_away_is_found(released: Released, tmp_path: Path) -> None:
    line = max(secret_lines(SOURCES), key=len)
    page = tmp_path / "page.md"
    page.write_text(f"Look: {line}.")
    assert leaks(page, {line}) == [line]
