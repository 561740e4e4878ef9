"""The progress file and what is drawn from it: two writers at once, damage, a full disk, a build."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.formatters import DisplayFormatter
from nbclient import NotebookClient
from nbformat.v4 import new_notebook

from gsl_tutorial.course.exercises import check, my_progress
from gsl_tutorial.course.exercises import progress_file as record
from gsl_tutorial.course.exercises.progress_file import Entry, Progress, note, progress_file, read
from gsl_tutorial.course.exercises.progress_view import Overview, ProgressLine, Standing, chapters
from gsl_tutorial.course.press.execution import kernel_environment
from gsl_tutorial.course.press.sources import draft
from gsl_tutorial.errors import DataMissingError, InvalidInputError

EXAMINES = re.compile(r"report|level|finding")
SOURCES = Path(__file__).parents[1] / "notebooks" / "src"


def right(x: Any, y: Any) -> Any:
    return ((x - y) ** 2).sum()


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A progress file of one's own, not yet there."""
    path = tmp_path / "a student" / "progress.json"
    monkeypatch.setenv("GSL_TUTORIAL_PROGRESS", str(path))
    monkeypatch.delenv("GSL_TUTORIAL_PRESS", raising=False)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    return path


def test_answers_are_counted_and_a_right_one_stays(file: Path) -> None:
    check.squared_distance(None)
    assert not file.exists()
    for answer in (lambda x, y: 0, right, lambda x, y: 0):
        check.squared_distance(answer)
    entry = read(file).entries["00.1"]
    assert (entry.tries, entry.solved) == (3, True)
    assert entry.first_solved <= entry.last_tried
    assert file.stat().st_size < 500


def test_the_line_under_a_check_says_where_the_chapter_stands(file: Path) -> None:
    assert str(check.assign_cells(None).line) == "□□□□□ Chapter 02: 0 of 5 done; next is 02.1."
    assert str(check.squared_distance(right).line) == "■ Chapter 00: 1 of 1 done."
    data, _ = DisplayFormatter().format(check.squared_distance(right))
    assert data["text/plain"].splitlines()[-1] == "■ Chapter 00: 1 of 1 done."
    assert '<span aria-hidden="true">■</span> Chapter 00: 1 of 1 done.' in data["text/html"]


def test_a_blank_says_what_to_do_next_between_the_verdict_and_the_progress(file: Path) -> None:
    def assign_cells(points: Any, codewords: Any) -> Any: ...

    data, _ = DisplayFormatter().format(check.assign_cells(assign_cells))
    for text in data.values():
        said = " ".join(re.sub(r"<[^>]+>", " ", text).split())
        places = [
            said.index(w) for w in ("Not yet", "body of assign_cells", "Shift+Enter", "0 of 5")
        ]
        assert places == sorted(places)
    assert max(map(len, data["text/plain"].splitlines())) <= 110


@pytest.mark.parametrize(
    "name", [{"GSL_TUTORIAL_PRESS": "1"}, {"JPY_SESSION_NAME": "notebooks/solutions/00_x.ipynb"}]
)
def test_a_build_and_the_solved_notebooks_leave_no_trace(
    name: dict[str, str], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in name.items():
        monkeypatch.setenv(variable, value)
    verdict = check.squared_distance(right)
    assert verdict.line is None
    assert set(DisplayFormatter().format(verdict)[0]) == {"text/plain"}
    assert not file.parent.exists()


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "counts"), [("solution", False), ("student", True)])
def test_solved_notebooks_never_count_whatever_runs_them(
    variant: str, counts: bool, file: Path
) -> None:
    """As nbconvert, papermill and editors do: the cells are run, and nothing tells where they are from."""
    made = draft(SOURCES / "00_start_here.py", variant)  # type: ignore[arg-type]
    cells = [
        one for one in made.notebook.cells if "check" in one.source and one.cell_type == "code"
    ]
    for cell in cells:
        lines = [one for one in cell.source.split("\n") if not EXAMINES.search(one)]
        cell.source = "\n".join(lines).replace(
            "...  # your code here", "return ((x - y) ** 2).sum()"
        )
    notebook = new_notebook(cells=cells)
    NotebookClient(notebook, timeout=600, startup_timeout=600).execute()
    assert "✓ Right" in str(notebook.cells[-1].outputs)
    assert file.exists() is counts


def test_a_chapters_source_opened_as_a_notebook_does_not_count(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = "def f(x, y):\n    # BEGIN SOLUTION\n    return ..."
    shell = SimpleNamespace(user_ns={"In": ["", cell]})
    monkeypatch.setattr(record, "get_ipython", lambda: shell)
    assert not record.is_recorded()
    shell.user_ns["In"].append("def f(x, y): return 3")
    assert record.is_recorded()


def test_a_build_and_nbval_say_that_nobody_is_watching(tmp_path: Path) -> None:
    assert kernel_environment(tmp_path)["GSL_TUTORIAL_PRESS"] == "1"
    assert kernel_environment(tmp_path, images=True)["GSL_TUTORIAL_PRESS"] == "1"


def test_without_a_notebook_nothing_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GSL_TUTORIAL_PROGRESS", raising=False)
    monkeypatch.delenv("GSL_TUTORIAL_PRESS", raising=False)
    assert not record.is_recorded()
    monkeypatch.setattr(record, "get_ipython", object)
    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/03_product_quantization.ipynb")
    assert record.is_recorded()
    assert progress_file().name == "progress.json"
    assert "gsl-tutorial" in progress_file().parts


@pytest.mark.slow
def test_two_notebooks_at_once_lose_nothing(file: Path) -> None:
    program = (
        "import sys; from gsl_tutorial.course.exercises.progress_file import note, progress_file\n"
        "for i in range(40): note(progress_file(), f'{sys.argv[1]}.{i % 4}', right=i > 20)"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", program, chapter], env=dict(os.environ))
        for chapter in ("03", "07")
    ]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    entries = read(file).entries
    assert {name: entry.tries for name, entry in entries.items()} == {
        f"{chapter}.{i}": 10 for chapter in ("03", "07") for i in range(4)
    }
    assert all(entry.solved for entry in entries.values())


HOLDER = """
import sys, time
from gsl_tutorial.course.exercises import progress_file as record
from gsl_tutorial.course.datasets.download import exclusive
path = record.progress_file()
with exclusive(path.with_name(f".{path.name}.lock"), on_wait=lambda: None):
    print("held", flush=True)
    time.sleep(3600)
"""


def test_a_notebook_that_keeps_the_file_is_named_and_not_waited_for(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check.squared_distance(right)
    name = "notebooks/07_learning_in_turns.ipynb"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        env={**os.environ, "JPY_SESSION_NAME": name}, stdout=subprocess.PIPE, text=True,
    ) as holder:  # fmt: skip
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            monkeypatch.setattr(record, "_PATIENCE_S", 0.3)
            verdict = check.assign_cells(lambda points, codewords: points)
            overview = repr(my_progress())
        finally:
            holder.kill()  # as a restart of its kernel does
    assert verdict.kind != "right"
    assert verdict.line is not None
    assert f"in use by process {holder.pid}, {name}." in verdict.line.trouble
    assert "restart its kernel" in verdict.line.trouble
    assert "run this cell again" in overview
    assert f"1 of {len(check.ids)} exercises done." in overview  # what was noted is shown
    line = check.assign_cells(lambda points, codewords: points).line
    assert line is not None
    assert line.trouble == ""
    assert read(file).entries["02.1"].tries == 1


DAMAGED = {
    "cut short": '{"format": 1, "exer',
    "empty": "",
    "bytes": "\x00\x01",
    "another format": '{"format": 2, "exercises": {}}',
    "a list": "[]",
    "no exercises": '{"format": 1}',
    "an entry of words": '{"format": 1, "exercises": {"00.1": "solved"}}',
    "an entry with a word for a number": json.dumps(
        {"format": 1, "exercises": {"00.1": {**vars(Entry()), "tries": "many"}}}
    ),
    "too deep": "[" * 100_000,
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_is_kept_aside_and_said(kind: str, file: Path) -> None:
    file.parent.mkdir()
    file.write_text(DAMAGED[kind])
    line = check.squared_distance(right).line
    assert line is not None
    assert "could not be read" in line.trouble
    aside = file.with_name("progress-damaged-1.json")
    assert str(aside) in line.trouble
    assert aside.read_text() == DAMAGED[kind]
    assert read(file).solved("00.1")
    assert check.squared_distance(right).line == ProgressLine(line.standing)  # said once
    file.write_text("again")
    check.squared_distance(right)
    assert file.with_name("progress-damaged-2.json").read_text() == "again"
    with pytest.raises((InvalidInputError, DataMissingError)):
        read(aside)


def test_where_nothing_can_be_written_the_check_still_answers(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.parent.write_text("a file where the folder should be")
    verdict = check.squared_distance(right)
    assert verdict.kind == "right"
    assert verdict.line is not None
    assert "could not be saved" in verdict.line.trouble
    monkeypatch.setenv("GSL_TUTORIAL_PROGRESS", str(file.parent.parent))  # a folder
    assert check.squared_distance(right).kind == "right"


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.json").open("wb") as huge:
        huge.truncate(10**10)
    with pytest.raises(InvalidInputError, match="at most 1,048,576 bytes"):
        read(tmp_path / "huge.json")


def test_chapters_in_order_and_what_is_next() -> None:
    progress = Progress({"03.1": Entry(1, True), "03.2": Entry(4), "gone.9": Entry(1, True)})
    first, second = chapters(progress, ["03.2", "04.1", "03.1"])
    assert (first.bar, first.counted, first.next) == ("■□", "1 of 2 done", "03.2")
    assert (second.bar, second.counted, second.next) == ("□", "0 of 1 done", "04.1")
    page = Overview([first, second], where="Kept in <a place>.")
    assert "03.2  ← go on here" in repr(page)
    assert repr(page).count("go on here") == 1
    assert "1 of 3 exercises done." in repr(page)
    assert "&lt;a place&gt;" in page._repr_html_()
    later, _ = chapters(Progress({"03.2": Entry(1, True)}), ["03.1", "03.2", "04.1"])
    assert later.bar == "□■", "a square lights where the exercise stands"
    linked = Overview([first, second], links={"03": "03_a b.ipynb"})._repr_html_()
    assert '<a href="03_a%20b.ipynb">03.2' in linked
    assert linked.count("<a ") == 1
    done = Standing("03", ("03.1",), frozenset(["03.1"]))
    assert (done.bar, done.counted, done.next) == ("■", "1 of 1 done", "")


def test_the_page_of_chapter_00(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check.squared_distance(right)
    assert f"1 of {len(check.ids)} exercises done." in repr(my_progress())
    assert str(file) in repr(my_progress())
    file.write_text("damaged")
    assert "could not be read" in repr(my_progress())
    monkeypatch.setenv("GSL_TUTORIAL_PRESS", "1")
    assert f"0 of {len(check.ids)} exercises done." in repr(my_progress())
    assert str(file.parent) not in repr(my_progress())


def test_reading_does_not_write(file: Path) -> None:
    assert note(file, "00.1", right=None) == (Progress(), "")
    assert not file.exists()
