"""`gsl-tutorial report`: one student, a class of thirty, damaged files among them, text, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from gsl_tutorial.course import cli
from gsl_tutorial.course.exercises import check
from gsl_tutorial.course.exercises.progress_file import Entry, Progress, read
from gsl_tutorial.course.exercises.reports import CSV_COLUMNS, as_csv, read_folder
from gsl_tutorial.storage import write_json

Run = Callable[..., SimpleNamespace]
THEN = "2026-01-02T03:04:05+00:00"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run the command line in this process, with a progress file of its own: (status, out, err)."""
    monkeypatch.setenv("GSL_TUTORIAL_PROGRESS", str(tmp_path / "own" / "progress.json"))

    def run_(*arguments: object) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["gsl-tutorial", "report", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capsys.readouterr()
        return SimpleNamespace(status=left.value.code, out=out, err=err)

    return run_


def some_progress(seed: int) -> Progress:
    rng = random.Random(seed)
    return Progress(
        {
            one: Entry(
                rng.randint(1, 9), solved := rng.random() < 0.6, THEN if solved else "", THEN
            )
            for one in rng.sample(check.ids, rng.randint(0, len(check.ids)))
        }
    )


@pytest.fixture
def thirty(tmp_path: Path) -> dict[str, Progress]:
    """A class of thirty in the folder `handed-in`."""
    students = {f"student-{i:02}": some_progress(i) for i in range(30)}
    for name, progress in students.items():
        write_json(tmp_path / "handed-in" / f"{name}.json", progress.as_dict())
    return students


def n_solved(progress: Progress) -> int:
    return sum(map(progress.solved, check.ids))


def test_one_student(run: Run, tmp_path: Path) -> None:
    told = run()
    assert told.status == 0
    assert f"0 of {len(check.ids)} exercises done." in told.out
    assert not (tmp_path / "own").exists()  # looking writes nothing

    check.squared_distance(lambda x, y: ((x - y) ** 2).sum())
    check.assign_cells(lambda x, c: 3)
    told = run()
    assert f"1 of {len(check.ids)} exercises done." in told.out
    assert "00.1      yes         1  20" in told.out
    assert "02.1      no          1" in told.out
    assert "progress.json; nothing leaves this machine" in told.out
    assert "Progress of you" in told.out


def test_what_a_student_hands_in_is_what_the_instructor_reads(run: Run, tmp_path: Path) -> None:
    check.squared_distance(lambda x, y: ((x - y) ** 2).sum())
    told = run("--json", "--out", tmp_path / "handed-in" / "ada.json")
    assert (told.status, told.out) == (0, "")
    handed_in = tmp_path / "handed-in" / "ada.json"
    assert str(handed_in) in told.err
    assert read(handed_in) == read(tmp_path / "own" / "progress.json")
    value = json.loads(handed_in.read_text())
    assert (value["student"], value["done"], value["of"]) == ("ada", 1, len(check.ids))
    assert value["chapters"]["00"] == {"done": 1, "of": 1, "next": ""}
    assert value["chapters"]["01"]["next"] == "01.1"
    assert "Progress of ada" in run("--file", handed_in).out
    assert run("--folder", handed_in.parent).out.splitlines()[1].split()[:3] == ["ada", "1", "1"]


def test_a_class_of_thirty_as_text(run: Run, tmp_path: Path, thirty: dict[str, Progress]) -> None:
    told = run("--folder", tmp_path / "handed-in")
    assert (told.status, told.err) == (0, "")
    lines = told.out.splitlines()
    for line, (name, progress) in zip(lines[1:31], thirty.items(), strict=True):
        cells = line.split()
        assert (cells[0], int(cells[1])) == (name, n_solved(progress))
        assert sum(map(int, cells[3:])) == n_solved(progress)
    assert len({len(line) for line in lines[:31]}) == 1, "the columns stand below each other"
    assert len(lines[0]) <= 100
    by_exercise = sum(each.solved("03.2") for each in thirty.values())
    assert f"03.2: {by_exercise}" in told.out


def test_a_class_of_thirty_as_csv_and_json(
    run: Run, tmp_path: Path, thirty: dict[str, Progress]
) -> None:
    out = tmp_path / "class.csv"
    assert run("--folder", tmp_path / "handed-in", "--csv", "--out", out).status == 0
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert len(rows) == 30 * len(check.ids)
    solved = sum(int(row["solved"]) for row in rows if row["student"] == "student-07")
    assert solved == n_solved(thirty["student-07"])
    told = json.loads(run("--folder", tmp_path / "handed-in", "--json").out)
    assert {one["student"]: one["done"] for one in told} == {
        name: n_solved(progress) for name, progress in thirty.items()
    }


def test_damaged_files_are_named_and_the_others_reported(
    run: Run, tmp_path: Path, thirty: dict[str, Progress]
) -> None:
    folder = tmp_path / "handed-in"
    (folder / "student-03.json").write_text("{")
    (folder / "student-04.json").write_bytes(b"\xff\xfe")
    (folder / "notes.txt").write_text("no report")
    told = run("--folder", folder, "--csv")
    assert told.status == 3
    assert "student-03.json: not a progress file" in told.err
    assert "student-04.json: not a progress file" in told.err
    assert "28" in run("--folder", folder).out.split("students")[-2]
    assert (folder / "student-03.json").read_text() == "{", "somebody else's file is left alone"
    for name in thirty:
        assert (name in told.out) is (name not in ("student-03", "student-04"))


ENTRY = {"tries": 1, "solved": True, "first_solved": THEN, "last_tried": THEN}


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b"9" * 5000, b'{"format": 1}',
        b'{"format": 1, "exercises": []}', b"\x00" * 100, b" " * 2_000_000,
    ],
)  # fmt: skip
def test_whatever_a_file_holds_the_others_are_reported(
    run: Run, tmp_path: Path, content: bytes
) -> None:
    folder = tmp_path / "handed-in"
    write_json(folder / "ada.json", Progress({"00.1": Entry(1, True, THEN, THEN)}).as_dict())
    (folder / "bad.json").write_bytes(content)
    out = tmp_path / "class.csv"
    told = run("--folder", folder, "--csv", "--out", out)
    assert told.status == 3
    assert "bad.json: not a progress file" in told.err
    assert {row["student"] for row in csv.DictReader(io.StringIO(out.read_text()))} == {"ada"}


@pytest.mark.parametrize(
    ("exercise", "change"),
    [
        ("00.1", {"tries": 0}), ("00.1", {"tries": -5}), ("00.1", {"tries": 10**9}),
        ("00.1", {"tries": 1.5}),
        ("00.1", {"tries": True}), ("00.1", {"solved": 1}), ("00.1", {"first_solved": "\ud800"}),
        ("00.1", {"last_tried": "\x1b[2J"}), ("00.1", {"last_tried": "now"}),
        ("00.1", {"last_tried": None}),
        ("\ud800", {}), ("\x1b[2J", {}), ("x" * 10_000, {}),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_name(
    run: Run, tmp_path: Path, exercise: str, change: dict[str, object]
) -> None:
    folder = tmp_path / "handed-in"
    write_json(folder / "ada.json", {"format": 1, "exercises": {"00.1": ENTRY}})
    write_json(folder / "eve.json", {"format": 1, "exercises": {exercise: {**ENTRY, **change}}})
    told = run("--folder", folder, "--csv")
    assert told.status == 3
    assert "eve.json: not a progress file" in told.err
    assert "\x1b" not in told.err
    assert len(told.err) < 500
    assert "ada,00,00.1,1,1" in told.out


def test_names_of_files_cannot_reach_the_terminal_or_break_the_table(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "handed-in"
    names = ["ada\x1b[2J", "line\nend", "\u202egnp", "bad\udcff", "Zoë", "=cmd"]
    for name in names:
        write_json(folder / f"{name}.json", {"format": 1, "exercises": {"00.1": ENTRY}})
    (folder / "\x1b]0;title\x07.json").write_text("{")
    for arguments in ((), ("--csv",), ("--json",)):
        told = run("--folder", folder, *arguments)
        assert not {"\x1b", "\u202e", "\udcff", "\x07"} & {*told.out, *told.err}
    rows = list(csv.DictReader(io.StringIO(run("--folder", folder, "--csv").out)))
    assert {row["student"] for row in rows} == {
        "ada\\x1b[2J", "line\\nend", "\\u202egnp", "bad\\udcff", "Zoë", "'=cmd",
    }  # fmt: skip


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_devices_and_folders_are_named_and_not_waited_for(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "handed-in"
    write_json(folder / "ada.json", {"format": 1, "exercises": {"00.1": ENTRY}})
    os.mkfifo(folder / "pipe.json")
    (folder / "dir.json").mkdir()
    (folder / "zero.json").symlink_to("/dev/zero")
    (folder / "gone.json").symlink_to("nowhere")
    told = run("--folder", folder)
    assert told.status == 3
    for name in ("pipe", "dir", "zero", "gone"):
        assert f"{name}.json: not a progress file" in told.err
    assert "1 students" in told.out


def test_ten_thousand_files(tmp_path: Path) -> None:
    folder = tmp_path / "handed-in"
    write_json(folder / "0.json", {"format": 1, "exercises": {"00.1": ENTRY}})
    for i in range(1, 10_000):
        os.link(folder / "0.json", folder / f"{i}.json")
    group = read_folder(folder)
    assert len(group.students) == 10_000
    assert as_csv(group.students, ["00.1"]).count("\n") == 10_001


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--folder", "nowhere"), 3, "no such folder"),
        (("--file", "nowhere.json"), 3, "expected a readable file nowhere.json"),
        (("--json", "--csv"), 2, "choose one of them"),
        (("--file", "a", "--folder", "b"), 2, "choose one of them"),
    ],
)
def test_what_is_wrong_is_said(
    run: Run, arguments: tuple[str, ...], status: int, said: str
) -> None:
    told = run(*arguments)
    assert told.status == status
    assert said in told.err
    assert told.out == ""


def test_a_spreadsheet_takes_no_name_for_a_formula() -> None:
    entry = Entry(1, True, "=1+1", THEN)
    rows = list(
        csv.reader(io.StringIO(as_csv({"=HYPERLINK(1)": Progress({"00.1": entry})}, ["00.1"])))
    )
    assert rows[1] == ["'=HYPERLINK(1)", "00", "00.1", "1", "1", "'=1+1", THEN]


def test_exercises_of_another_edition_do_not_count(run: Run, tmp_path: Path) -> None:
    write_json(tmp_path / "old.json", Progress({"99.1": Entry(1, True, THEN, THEN)}).as_dict())
    assert f"0 of {len(check.ids)} exercises done." in run("--file", tmp_path / "old.json").out
