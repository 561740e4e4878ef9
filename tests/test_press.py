"""The notebook press: what it makes of good sources, and what it says about bad ones."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from gsl_tutorial.course.plots.style import image
from gsl_tutorial.course.press import (
    NotebookRunError,
    OrphanNotebookError,
    SourceError,
    build,
    check_notebook,
    is_stale,
)
from gsl_tutorial.course.press.blanks import YOUR_TURN, blank
from gsl_tutorial.course.press.cleaning import RUN_ME, WIDGET_VIEW, clean, faults
from gsl_tutorial.course.press.execution import kernel_environment
from gsl_tutorial.course.press.sources import draft
from gsl_tutorial.errors import InvalidInputError, StorageError, UnknownNameError

REPOSITORY = Path(__file__).parents[1]
SOURCES = sorted((REPOSITORY / "notebooks" / "src").glob("*.py"))

CHAPTER = """
# %% [markdown]
# # A chapter

# %%
# %matplotlib inline
import os, sys, time
import ipywidgets
import matplotlib.pyplot as plt
from gsl_tutorial.course.plots.style import show

assert sys.executable == os.environ["TEST_PRESS_PYTHON"]
assert "GSL_TUTORIAL_DATA" not in os.environ
assert os.environ["OMP_NUM_THREADS"] == os.environ["OPENBLAS_NUM_THREADS"] == "1"
assert os.listdir(os.environ["GSL_TUTORIAL_CACHE"]) == []
print(os.environ["GSL_TUTORIAL_PRESS"], hash("seed"), os.path.basename(os.getcwd()))
held = b"x" * (300 * 2**20)
del held

# %% tags=["claim"]
1 + 1

# %% tags=["claim"]
print("two", end=" ", flush=True)
print("words")

# %% tags=["claim"]
"é"

# %% tags=["exercise"]
def distance(x, y):
    # BEGIN SOLUTION
    difference = x - y
    return difference * difference
    # END SOLUTION

# %% tags=["volatile"]
print(time.perf_counter_ns())

# %% tags=["raises-exception"]
raise ValueError("as announced")

# %% tags=["stderr-ok"]
print("a bar", file=sys.stderr)

# %%
ipywidgets.interact(lambda x: print(x), x=(0, 3));

# %%
figure, axes = plt.subplots(figsize=(1, 1))
plt.close(figure)
show(figure, "an empty frame")

# %% [markdown] tags=["solution"]
# A square needs no absolute value.
"""


def write_source(root: Path, text: str, name: str = "03_chapter") -> Path:
    source = root / "notebooks" / "src" / f"{name}.py"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
    return source


def finished_files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("notebooks/**/*"))
        if path.is_file() and path.suffix != ".py"
    }


@pytest.fixture(scope="module")
def pressed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository with one finished chapter."""
    root = tmp_path_factory.mktemp("repository")
    write_source(root, CHAPTER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_PRESS_PYTHON", sys.executable)
        patch.setenv("GSL_TUTORIAL_DATA", "somewhere")
        patch.setenv("MPLBACKEND", "no such backend")
        patch.setenv("OMP_NUM_THREADS", "3")
        build(root)
        yield root


def text_of(notebook: NotebookNode) -> str:
    return nbformat.writes(notebook)


# ---- blanks --------------------------------------------------------------------------------------

names = st.integers(0, 10**6).map("name_{}".format)
plain = names.map(lambda name: (False, [f"shown_{name} = 1"], []))
hidden = st.tuples(
    st.just(True),
    st.lists(names.map("hidden_{} = [2, 3]".format), min_size=1, max_size=3),
    st.lists(names.map("given_{} = None".format), max_size=2),
)


@given(st.lists(st.one_of(plain, hidden), min_size=1, max_size=5), st.booleans())
def test_blanking_hides_every_solution_line_and_loses_nothing(
    parts: list[tuple[bool, list[str], list[str]]], in_function: bool
) -> None:
    margin = "    " if in_function else ""
    lines = ["def work():"] if in_function else []
    for is_solution, code, given_lines in parts:
        block = [*code, *(f"#: {line}" for line in given_lines)]
        marked = ["# BEGIN SOLUTION", *block, "# END SOLUTION"] if is_solution else code
        lines += [margin + line for line in marked]

    cell = blank("\n".join(lines))

    for text in (cell.student, cell.solved):
        compile(text, "cell", "exec")
        assert "SOLUTION" not in text
        assert "#:" not in text
    assert "hidden_" not in cell.student
    assert "given_" not in cell.solved
    shown = [line for _, code, _ in parts for line in code]
    assert [line.strip() for line in cell.solved.split("\n")][len(lines[:in_function]) :] == shown
    for is_solution, code, given_lines in parts:
        for line in given_lines if is_solution else code:
            assert f"{margin}{line}" in cell.student.split("\n")
    without = sum(is_solution and not given_lines for is_solution, _, given_lines in parts)
    assert cell.student.count(YOUR_TURN) == without


def test_the_student_gets_the_replacement_lines_with_their_own_indentation() -> None:
    cell = blank(
        "for x in y:\n    # BEGIN SOLUTION\n    print(x)\n    #: if x:\n    #:     pass\n"
        "    #:\n    # END SOLUTION"
    )
    assert cell.student == "for x in y:\n    if x:\n        pass\n"
    assert cell.solved == "for x in y:\n    print(x)"


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("x = 1\n# END SOLUTION", 12, "`# BEGIN SOLUTION` first"),
        ("# BEGIN SOLUTION\nx = 1", 11, "before the cell ends"),
        ("# BEGIN SOLUTION\n# BEGIN SOLUTION\n", 12, "`# END SOLUTION` for line 11"),
        ("# BEGIN SOLUTION\n#: x = 1\n# END SOLUTION", 13, "a solution between the markers"),
        ("#begin solution\nx = 1\n# END SOLUTION", 11, "alone on its line"),
        ("x = 1  # BEGIN SOLUTION", 11, "alone on its line"),
        ("#: x = 1", 11, "between the solution markers only"),
    ],
)
def test_malformed_markers_are_named_with_file_and_line(
    text: str, line: int, expected: str
) -> None:
    with pytest.raises(
        SourceError, match=rf"at 03_chapter\.py, line {line}\. What to do"
    ) as caught:
        blank(text, file="03_chapter.py", first_line=11)
    assert expected in caught.value.expected


# ---- sources -------------------------------------------------------------------------------------


def test_variants_share_ids_and_only_the_solved_one_has_solution_cells(tmp_path: Path) -> None:
    source = write_source(tmp_path, CHAPTER)
    student, solved = (draft(source, variant).notebook for variant in ("student", "solution"))
    assert [cell.id for cell in solved.cells] == [f"03-{n:03d}" for n in range(1, 13)]
    assert [cell.id for cell in student.cells] == [cell.id for cell in solved.cells][:-1]
    assert "difference" not in text_of(student)
    assert "absolute" not in text_of(student)
    assert "difference * difference" in text_of(solved)
    assert "SOLUTION" not in text_of(student) + text_of(solved)
    assert student.cells[1].source.startswith("%matplotlib inline")
    assert student.cells[2].metadata["tags"] == ["claim", "nbval-check-output"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# %%\nx = 1\n# BEGIN SOLUTION\ny = 2\n# END SOLUTION", 'tagged "exercise" only.*line 2'),
        ("# %% [markdown]\n# BEGIN SOLUTION", "marker in the markdown cell at 03_chapter.py"),
        ('# %% tags=["exercise"]\n\n# END SOLUTION', r"'# END SOLUTION' at 03_chapter.py, line 3"),
        ("x = 1\n\n# %%\ny = 1", "every cell to begin with"),
        ("# %%\nif True:\n", r"compiles; got \w+Error.*line 2 \(cell 03-001, student\)"),
        ('# %%\nx = "\\d"\n', "invalid escape"),
        (
            '# %% tags=["claim", "volatile"]\n1',
            "claim or volatile; got both at 03_chapter.py, line 2",
        ),
        ('# %% tags="claim"\n1', "not of type 'array'"),
        ('# %% tags=["exercise", "hide-input"]\n1', "an exercise that is open"),
    ],
)
def test_a_malformed_source_is_refused(tmp_path: Path, text: str, message: str) -> None:
    source = write_source(tmp_path, text)
    with pytest.raises(SourceError, match=f"(?s){message}.*What to do"):
        draft(source, "student")
    assert issubclass(SourceError, InvalidInputError)


def test_a_folded_cell_is_folded_in_the_lab_and_on_the_site(tmp_path: Path) -> None:
    source = write_source(tmp_path, '# %% tags=["claim", "hide-input"]\n1 + 1\n\n# %%\n2 + 2')
    folded, plain = draft(source, "student").notebook.cells
    assert folded.metadata["jupyter"] == {"source_hidden": True}
    assert folded.metadata["tags"] == ["claim", "hide-input", "nbval-check-output"]
    assert "jupyter" not in plain.metadata


def test_a_source_needs_a_chapter_number(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"named NN_name\.py; got chapter\.py"):
        draft(write_source(tmp_path, "# %%\n1", name="chapter"), "student")


def test_a_solution_repeated_elsewhere_is_a_leak(tmp_path: Path) -> None:
    text = (
        CHAPTER + "\n# %%\nx, y = 1, 2\ndifference = x - y\n\nif x:\n    difference * difference\n"
    )
    draft(write_source(tmp_path, text), "student")  # one line in common is no leak
    text = CHAPTER + "\n# %% [markdown]\n# A square needs no absolute value.\n"
    source = write_source(tmp_path, text)
    with pytest.raises(SourceError, match="no solution in the student's notebook"):
        draft(source, "student")
    draft(source, "solution")


# ---- cleaning ------------------------------------------------------------------------------------


def cleaned(*outputs: NotebookNode, tags: tuple[str, ...] = ()) -> NotebookNode:
    cell = new_code_cell(
        "1", metadata={"tags": list(tags)}, outputs=list(outputs), execution_count=1
    )
    notebook = new_notebook(
        cells=[cell], metadata={"widgets": {}, "language_info": {"name": "python", "version": "3"}}
    )
    clean(notebook)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert notebook.metadata["language_info"] == {"name": "python"}
    return notebook.cells[0]


def stream(text: str, name: str = "stdout") -> NotebookNode:
    return new_output("stream", name=name, text=text)


def shown(**data: str) -> NotebookNode:
    names = {"plain": "text/plain", "png": "image/png", "view": WIDGET_VIEW, "html": "text/html"}
    return new_output("display_data", data={names[kind]: value for kind, value in data.items()})


def test_neighbouring_streams_are_joined_and_overwritten_lines_dropped() -> None:
    cell = cleaned(stream("10 %\r"), stream("20 %\n"), shown(plain="1"), stream("a\n"), stream("b"))
    assert [output.get("text") for output in cell.outputs] == ["20 %\n", None, "a\nb"]


def test_addresses_are_neutral_and_a_claim_must_not_have_one() -> None:
    outputs = [stream("<object at 0x7f12ab>"), shown(html="<p>0x7f0011223344</p>", plain="0xff")]
    cell = cleaned(*outputs)
    assert cell.outputs[0].text == "<object at 0x...>"
    assert cell.outputs[1].data == {"text/html": "<p>0x...</p>", "text/plain": "0xff"}
    assert faults(cell) == []
    assert "memory address" in " ".join(faults(cleaned(*outputs, tags=("claim",))))


def test_a_widget_becomes_its_picture_or_an_invitation() -> None:
    cell = cleaned(shown(view="{}", plain="VBox()"), shown(view="{}", plain="Snap()", png="AA=="))
    assert cell.outputs[0].data == {"text/plain": RUN_ME}
    assert cell.outputs[1].data == {"text/plain": "Snap()", "image/png": "AA=="}


def test_an_expected_error_keeps_its_message_only() -> None:
    frames = [f'File "{Path.cwd()}/x.py", line 1']
    output = new_output("error", ename="ValueError", evalue="no", traceback=frames)
    cell = cleaned(output, tags=("raises-exception",))
    assert cell.outputs[0].traceback == ["ValueError: no"]
    assert faults(cell) == []
    assert faults(cleaned(output)) == ["a ValueError"]


@pytest.mark.parametrize("folder", [Path.home(), Path.cwd(), sys.prefix, "/tmp"])
def test_a_path_of_this_machine_is_a_fault(folder: Path | str) -> None:
    assert "of this machine" in faults(cleaned(stream(f"saved in {folder}/file")))[0]
    assert "of this machine" in faults(cleaned(shown(html=f"<a href='{folder}'>")))[0]
    assert faults(cleaned(stream(f"see example.org{folder}"), shown(png=str(folder)))) == []


def test_a_longer_name_is_no_path_of_this_machine() -> None:
    assert faults(cleaned(stream("/tmperature and ./tmp"))) == []


def test_the_environment_hides_the_images_unless_they_are_wanted(tmp_path: Path) -> None:
    around = {"GSL_TUTORIAL_DATA": "images", "HOME": "home", "MPLBACKEND": "agg"}
    hidden_ = kernel_environment(tmp_path, around=around)
    assert "GSL_TUTORIAL_DATA" not in hidden_
    assert hidden_["GSL_TUTORIAL_OFFLINE"] == "1"
    seen = kernel_environment(tmp_path, around=around, images=True)
    assert seen["GSL_TUTORIAL_DATA"] == "images"
    assert seen["OMP_NUM_THREADS"] == "1"
    assert not {"GSL_TUTORIAL_OFFLINE", "GSL_TUTORIAL_CACHE", "MPLBACKEND"} & set(seen)


# ---- building ------------------------------------------------------------------------------------


def test_a_build_makes_both_notebooks_and_they_have_no_problems(pressed: Path) -> None:
    student = nbformat.read(pressed / "notebooks" / "03_chapter.ipynb", as_version=4)
    solved = nbformat.read(pressed / "notebooks" / "solutions" / "03_chapter.ipynb", as_version=4)
    for path in pressed.glob("notebooks/**/*.ipynb"):
        assert check_notebook(path) == []
        raw = path.read_bytes()
        assert raw.endswith(b"}\n")
        assert "é".encode() in raw
    assert "difference" not in text_of(student)
    assert "absolute" not in text_of(student)
    assert "absolute" in text_of(solved)
    code = [cell for cell in student.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert code[0].outputs[0].text == solved.cells[1].outputs[0].text
    assert code[0].outputs[0].text.endswith("notebooks\n")
    assert code[2].outputs[0].text == "two words\n"


def test_what_is_fresh_is_not_built_and_force_changes_no_byte(pressed: Path) -> None:
    before = finished_files(pressed)
    assert build(pressed, check=True) == []
    assert not any(one.built for one in build(pressed))
    said: list[tuple[int, int, str]] = []
    costs = build(pressed, force=True, only="03", progress=lambda *step: said.append(step))
    assert finished_files(pressed) == before
    assert said == [
        (0, 2, "03_chapter (student)"),
        (1, 2, "03_chapter (solution)"),
        (2, 2, "done"),
    ]
    for cost in costs:
        assert cost.built
        assert cost.seconds > 0
        assert 300 < cost.memory_mb < 1024  # held for a moment only
        assert 0 < cost.disk_mb < 1


def test_volatile_outputs_are_refreshed_when_earlier_code_changes(tmp_path: Path) -> None:
    chapter = '# %%\nx = 1\n\n# %% tags=["volatile"]\nimport time; print(time.time_ns())\n'
    source = write_source(tmp_path, chapter)

    def timing() -> str:
        build(tmp_path)
        notebook = nbformat.read(tmp_path / "notebooks" / "03_chapter.ipynb", as_version=4)
        return notebook.cells[-1].outputs[0].text

    first = timing()
    source.write_text("# %% [markdown]\n# New words.\n\n" + chapter)
    assert is_stale(source)
    assert timing() == first
    assert not is_stale(source)
    source.write_text(chapter.replace("x = 1", "x = 2"))
    assert timing() != first


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def fail():\n    1 / 0\nfail()", "ZeroDivisionError: division by zero"),
        ("import warnings; warnings.warn('old')", "text on stderr"),
        ("import tempfile; print(tempfile.gettempdir())", "the path /.* of this machine"),
        ("import os; os._exit(3)", "the kernel's death"),
        ("print(chr(100) + 'efinition = [1, 2, 3, 4]')", "no solution in the student's notebook"),
    ],
)
def test_a_cell_that_fails_stops_the_build_and_the_old_notebook_stays(
    tmp_path: Path, code: str, message: str
) -> None:
    hidden_ = '# %% tags=["exercise"]\n# BEGIN SOLUTION\ndefinition = [1, 2, 3, 4]\n# END SOLUTION'
    write_source(tmp_path, f"{hidden_}\n\n# %%\n{code}\n")
    old = tmp_path / "notebooks" / "03_chapter.ipynb"
    old.write_text("the old one")
    before = finished_files(tmp_path)
    with pytest.raises((NotebookRunError, SourceError), match=message) as caught:
        build(tmp_path)
    assert "03_chapter.py, line 7 (cell 03-002, student)" in str(caught.value)
    assert finished_files(tmp_path) == before


def test_a_notebook_that_cannot_be_written_is_a_storage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_source(tmp_path, "# %%\n1\n")

    def no_room(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", no_room)
    with pytest.raises(StorageError, match="No space left"):
        build(tmp_path)
    assert finished_files(tmp_path) == {}


def test_check_lists_what_is_stale_and_writes_nothing(tmp_path: Path) -> None:
    source = write_source(tmp_path, "# %%\n1\n")
    assert is_stale(source)
    stale = build(tmp_path, check=True)
    assert [(one.chapter, one.variant, one.built) for one in stale] == [
        ("03_chapter", "student", False),
        ("03_chapter", "solution", False),
    ]
    assert finished_files(tmp_path) == {}


def test_unknown_chapters_orphans_and_wrong_roots_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="notebooks/src"):
        build(tmp_path)
    write_source(tmp_path, "# %%\n1\n")
    with pytest.raises(UnknownNameError, match=r"a chapter out of 03_chapter; got '04'"):
        build(tmp_path, only="04")
    for name in ("03", "chapter", "03_chapter"):
        assert len(build(tmp_path, only=name, check=True)) == 2
    (tmp_path / "notebooks" / "solutions").mkdir()
    (tmp_path / "notebooks" / "solutions" / "09_gone.ipynb").touch()
    with pytest.raises(OrphanNotebookError, match=r"none for notebooks/solutions/09_gone\.ipynb"):
        build(tmp_path, check=True)


# ---- checking ------------------------------------------------------------------------------------


def clean_notebook() -> NotebookNode:
    picture = new_output("display_data", data={"text/html": image(b"a picture", "a line")})
    claims = [
        new_code_cell(
            f"{n}", execution_count=n, metadata={"tags": ["claim"]}, outputs=[stream(f"{n}")]
        )
        for n in (1, 2, 3)
    ]
    cells = [
        new_markdown_cell(
            "# Title\n\n## Part\n\n```\n# no heading\n```\n![a cat](cat.png) <img src='x' alt='y'>"
        ),
        new_markdown_cell("### Detail\n\n## Part\n"),
        *claims,
        new_code_cell("%matplotlib inline", execution_count=4, outputs=[picture]),
    ]
    for index, cell in enumerate(cells, start=1):
        cell.id = f"03-{index:03d}"
    return new_notebook(cells=cells)


def plant_source(index: int, text: str) -> Callable[[NotebookNode], object]:
    return lambda notebook: notebook.cells[index].update(source=text)


def plant_output(output: NotebookNode) -> Callable[[NotebookNode], object]:
    return lambda notebook: notebook.cells[2].outputs.append(output)


def plant_tags(indices: range, *tags: str) -> Callable[[NotebookNode], object]:
    def plant(notebook: NotebookNode) -> None:
        for index in indices:
            notebook.cells[index].metadata["tags"] = list(tags)

    return plant


MUTANTS: dict[str, Callable[[NotebookNode], object]] = {
    "is not made of chapter": lambda notebook: notebook.cells[3].update(id="1f2e3d4c"),
    "ids do not rise": lambda notebook: notebook.cells[3].update(id="03-009"),
    "does not compile": plant_source(3, "x = ("),
    "widget state": lambda notebook: notebook.metadata.update(widgets={}),
    "widget view": plant_output(shown(view="{}")),
    "path": plant_source(3, f"open('{Path.cwd()}/x')"),
    "path ": plant_output(stream(f"{sys.prefix}/lib")),
    "stderr": plant_output(stream("careful", "stderr")),
    "a ValueError": plant_output(
        new_output("error", ename="ValueError", evalue="no", traceback=["no"])
    ),
    "no exception": plant_tags(range(5, 6), "raises-exception"),
    "memory address": plant_output(stream("at 0x...")),
    "a widget in a claim": plant_output(shown(plain=RUN_ME)),
    "nothing to compare": lambda notebook: notebook.cells[2].update(outputs=[]),
    "MB on disk": plant_output(stream("x" * 2**20)),
    "0 headings of level 1": plant_source(0, "## Part"),
    "2 headings of level 1": plant_source(1, "Second\n======"),
    "heading of level 4": plant_source(1, "#### Deep"),
    "image without alt": plant_source(1, "![](cat.png)"),
    "image without alt text": plant_source(1, "text <img src='cat.png' alt=''> text"),
    "2 claims": plant_tags(range(2, 3)),
    "picture among its outputs": lambda notebook: (
        notebook.cells[5].outputs[0].data.update({"text/html": image(b"a picture", " ")})
    ),
    "a picture among its outputs without": plant_output(
        new_output("display_data", data={"image/png": "AA=="}, metadata={"image/png": {"alt": "a"}})
    ),
    "not run once each": lambda notebook: notebook.cells[4].update(execution_count=7),
}


@pytest.mark.parametrize("problem", MUTANTS)
def test_each_problem_is_reported_alone(tmp_path: Path, problem: str) -> None:
    path = tmp_path / "03_chapter.ipynb"
    notebook = clean_notebook()
    nbformat.write(notebook, path)
    assert check_notebook(path) == []
    MUTANTS[problem](notebook)
    path.write_text(nbformat.writes(notebook))
    problems = check_notebook(path)
    assert len(problems) == (1 if problem != "0 headings of level 1" else 2), problems
    assert any(problem.strip() in one for one in problems)


def test_claims_have_bounds_and_the_first_page_has_none(tmp_path: Path) -> None:
    notebook = clean_notebook()
    plant_tags(range(2, 6))(notebook)
    for cell in notebook.cells:
        cell.id = cell.id.replace("03-", "00-")
    nbformat.write(notebook, tmp_path / "00_start.ipynb")
    assert check_notebook(tmp_path / "00_start.ipynb") == []
    (tmp_path / "03_broken.ipynb").write_text("{")
    assert "cannot be read" in check_notebook(tmp_path / "03_broken.ipynb")[0]


# ---- nbval ---------------------------------------------------------------------------------------


def nbval(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env"]
    command += ["--doctest-modules", "-p", "gsl_tutorial.course.press.nbval_budget", "--color=no"]
    command += ["-p", "no:cacheprovider", f"--rootdir={folder}", *options, str(folder)]
    environment = {**os.environ, "GSL_TUTORIAL_DATA": "images", **variables}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture
def small_notebook(tmp_path: Path) -> Path:
    """Two cells: one shows whether the images are in sight, the claim holds only without them."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "source.py").write_text("raise SystemExit('imported')")
    code = "import os; print('GSL_TUTORIAL_DATA' in os.environ)"
    claim = new_code_cell(
        code,
        id="03-002",
        execution_count=2,
        outputs=[stream("False\n")],
        metadata={"tags": ["claim", "nbval-check-output"]},
    )
    free = new_code_cell("1", id="03-001", execution_count=1, outputs=[stream("other")])
    path = tmp_path / "03_small.ipynb"
    nbformat.write(new_notebook(cells=[free, claim]), path)
    return path


def test_nbval_prints_what_each_notebook_costs(small_notebook: Path) -> None:
    result = nbval(small_notebook.parent)
    assert result.returncode == 0, result.stdout
    row = re.search(r"03_small\.ipynb +2 +(\S+) +(\S+) +1 +1  ok", result.stdout)
    assert row, result.stdout
    seconds, memory_mb = map(float, row.groups())
    assert seconds > 0
    assert 20 < memory_mb < 1024


def test_a_busy_machine_breaks_no_budget() -> None:
    """Two spin on one processor: each waits about as long as it runs, and the wait is told."""
    spin = (
        "import os, time\n"
        "from gsl_tutorial.course.press.execution import waited_seconds\n"
        "os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "before, start = waited_seconds('self'), time.thread_time()\n"
        "while time.thread_time() - start < 0.5: pass\n"
        "print(waited_seconds('self') - before)\n"
    )
    hold = "import os\nos.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\nwhile True: pass"
    if not (Path("/proc/self/schedstat").exists() and hasattr(os, "sched_setaffinity")):
        pytest.skip("this system does not count how long a process waits for a processor")
    other = subprocess.Popen([sys.executable, "-c", hold])
    try:
        done = subprocess.run(
            [sys.executable, "-c", spin], capture_output=True, text=True, check=True
        )
    finally:
        other.kill()
        other.wait()
    assert float(done.stdout) > 0.1


def test_a_broken_budget_fails_though_every_cell_passes(small_notebook: Path) -> None:
    result = nbval(
        small_notebook.parent, "-o", "notebook_seconds=0.01", "-o", "notebook_memory_mb=9"
    )
    assert result.returncode == 1
    assert "2 passed" in result.stdout
    assert re.search(r"OVER: \S+ s of 0\.01 s, \S+ MB of memory of 9 MB of memory", result.stdout)


def test_a_false_claim_fails_and_the_images_can_be_let_in(small_notebook: Path) -> None:
    result = nbval(small_notebook.parent, GSL_TUTORIAL_NBVAL_IMAGES="1")
    assert result.returncode == 1
    assert "1 failed, 1 passed" in result.stdout
    assert re.search(r"03_small\.ipynb .*  ok", result.stdout)


# ---- the chapters of this repository -------------------------------------------------------------


@pytest.mark.parametrize(
    "source", SOURCES or [None], ids=lambda source: source.stem if source else "none yet"
)
def test_committed_notebooks(source: Path | None) -> None:
    if source is None:
        print("no chapters in notebooks/src yet")
        return
    assert not is_stale(source), f"run: gsl-tutorial build {source.stem[:2]}"
    notebooks = REPOSITORY / "notebooks"
    for folder in (notebooks, notebooks / "solutions"):
        assert check_notebook(folder / f"{source.stem}.ipynb") == []
