"""Reports on progress: of one reader, or of a class whose files lie in one folder.

Pure functions from `Progress` to text, JSON and CSV; the command line prints what they return. A name is
the stem of the file it came from. Nothing is sent anywhere.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gsl_tutorial.course.exercises.progress_file import Entry, Progress, read
from gsl_tutorial.course.exercises.progress_view import Overview, chapters
from gsl_tutorial.course.text_table import text_table
from gsl_tutorial.errors import DataMissingError, TutorialError

CSV_COLUMNS = ("student", "chapter", "exercise", "solved", "tries", "first_solved", "last_tried")


@dataclass(frozen=True)
class Class:
    """The progress of several readers by name, and what is wrong with files that gave none."""

    students: Mapping[str, Progress]
    problems: Mapping[str, str]


def read_folder(folder: Path) -> Class:
    """Every .json file of a folder, in the order of the names.

    Raises `DataMissingError` when there is none. A file that cannot be read is named in `problems`.
    """
    files = sorted(one for one in folder.glob("*.json") if not one.name.startswith("."))
    if not files:
        raise DataMissingError(
            f"a folder with progress files (.json) at {folder}",
            "none" if folder.is_dir() else "no such folder",
            "ask each student for the output of `gsl-tutorial report --json --out NAME.json`",
        )
    students, problems = {}, {}
    for file in files:
        try:
            students[file.stem] = read(file)
        except TutorialError as error:
            got = getattr(error, "got", error)
            problems[file.name] = f"not a progress file ({got}); ask for it once more"
    return Class(students, problems)


def student_text(name: str, progress: Progress, ids: Sequence[str], *, where: str) -> str:
    """The overview of one reader, then the exercises that were tried."""
    lines = [f"Progress of {name}", "", repr(Overview(chapters(progress, ids), where))]
    tried = [(one, progress.entries[one]) for one in ids if one in progress.entries]
    if tried:
        head = ("exercise", "solved", "tries", "first solved (UTC)")
        rows = [
            (one, "yes" if e.solved else "no", e.tries, e.first_solved[:16].replace("T", " "))
            for one, e in tried
        ]
        lines += ["", text_table(rows, head=head, right=(2,))]
    return "\n".join(lines)


def class_text(group: Class, ids: Sequence[str]) -> str:
    """One row for a student: solved exercises of each chapter; last, how many solved each exercise."""
    heads = [(one.chapter, len(one.exercises)) for one in chapters(Progress(), ids)]
    rows = []
    for name, progress in group.students.items():
        solved = [len(one.solved) for one in chapters(progress, ids)]
        tries = sum(progress.entries.get(one, Entry()).tries for one in ids)
        rows.append((name, sum(solved), tries, *solved))
    head = ("student", "done", "tries", *(f"{chapter}/{n}" for chapter, n in heads))
    lines = [text_table(rows, head=head, right=range(1, len(head)))]
    lines += ["", f"{len(rows)} students, {len(ids)} exercises. Solved by how many:"]
    counts = [(one, sum(each.solved(one) for each in group.students.values())) for one in ids]
    lines += [
        "  ".join(f"{one}: {n}" for one, n in counts if one.startswith(f"{chapter}."))
        for chapter, _ in heads
    ]
    return "\n".join(lines)


def as_json(name: str, progress: Progress, ids: Sequence[str]) -> dict[str, Any]:
    """A reader's progress with its sums; `gsl-tutorial report --folder` reads it back."""
    rows = {
        one.chapter: {"done": len(one.solved), "of": len(one.exercises), "next": one.next}
        for one in chapters(progress, ids)
    }
    done = sum(row["done"] for row in rows.values())  # type: ignore[misc]
    return {"student": name, "done": done, "of": len(ids), "chapters": rows, **progress.as_dict()}


def as_csv(students: Mapping[str, Progress], ids: Sequence[str]) -> str:
    """One row for each student and exercise, also for those that were never tried."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(CSV_COLUMNS)
    for name, progress in students.items():
        for one in ids:
            entry = progress.entries.get(one, Entry())
            table.writerow(
                [_harmless(name), one.split(".")[0], one, int(entry.solved), entry.tries,
                 _harmless(entry.first_solved), _harmless(entry.last_tried)]
            )  # fmt: skip
    return text.getvalue()


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in tuple("=+-@\t\r") and text else text
