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
from gsl_tutorial.errors import DataMissingError

CSV_COLUMNS = ("student", "chapter", "exercise", "solved", "tries", "first_solved", "last_tried")


@dataclass(frozen=True)
class Class:
    """The progress of several readers, and what is wrong with files that gave none.

    Attributes
    ----------
    students : mapping of str to Progress
        The progress by the name of the student.
    problems : mapping of str to str
        Name of a file -> why it could not be read.
    """

    students: Mapping[str, Progress]
    problems: Mapping[str, str]


def read_folder(folder: Path) -> Class:
    """Read every .json file of a folder, in the order of the names.

    Parameters
    ----------
    folder : Path
        Where the files lie; the name of a file is the name of its student.

    Returns
    -------
    Class
        The progress of each; a file that cannot be read is named in `problems`.

    Raises
    ------
    DataMissingError
        There is no such file.
    """
    files = sorted(one for one in folder.glob("*.json") if not one.name.startswith("."))
    if not files:
        raise DataMissingError(
            f"a folder with progress files (.json) at {folder}",
            "none" if folder.is_dir() else "no such folder",
            "ask each student for the output of `gsl-tutorial report --json --out NAME.json`",
        )
    students: dict[str, Progress] = {}
    problems: dict[str, str] = {}
    for file in files:
        name = readable(file.stem)
        if name in students:
            problems[readable(file.name)] = "a second file of this name; rename one of them"
            continue
        try:
            students[name] = read(file)
        except Exception as error:  # whatever a file holds, the others are still reported
            got = readable(str(getattr(error, "got", error)))
            problems[readable(file.name)] = f"not a progress file ({got}); ask for it once more"
    return Class(students, problems)


def readable(text: str) -> str:
    r"""Return a name as a terminal, a table and UTF-8 can show it.

    Parameters
    ----------
    text : str
        The name of a file, which may hold line ends, escape codes or bytes that are no text.

    Returns
    -------
    str
        The same, with what cannot be printed written out.

    Examples
    --------
    >>> print(readable("Zoë \x1b[31m"))
    Zoë \x1b[31m
    """
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def student_text(name: str, progress: Progress, ids: Sequence[str], *, where: str) -> str:
    """Write the overview of one reader, then the exercises that were tried.

    Parameters
    ----------
    name : str
        Name of the reader.
    progress : Progress
        What was tried and solved.
    ids : sequence of str
        All exercises of the series.
    where : str
        A sentence: where the progress is kept, or what went wrong.

    Returns
    -------
    str
        The text, times in UTC.
    """
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
    """Write one row for each student, and last, how many solved each exercise.

    Parameters
    ----------
    group : Class
        The students.
    ids : sequence of str
        All exercises of the series.

    Returns
    -------
    str
        A table; in a row stand the solved exercises of each chapter.
    """
    heads = [(one.chapter, len(one.exercises)) for one in chapters(Progress(), ids)]
    rows = []
    for name, progress in group.students.items():
        solved = [len(one.solved) for one in chapters(progress, ids)]
        tries = sum(progress.entries.get(one, Entry()).tries for one in ids)
        rows.append((name, sum(solved), tries, *solved))
    head = ("student", "sum", "tries", *(f"{chapter}/{n}" for chapter, n in heads))
    lines = [text_table(rows, head=head, right=range(1, len(head)))]
    lines += ["", f"{len(rows)} students, {len(ids)} exercises. Solved by how many:"]
    counts = [(one, sum(each.solved(one) for each in group.students.values())) for one in ids]
    lines += [
        "  ".join(f"{one}: {n}" for one, n in counts if one.startswith(f"{chapter}."))
        for chapter, _ in heads
    ]
    return "\n".join(lines)


def as_json(name: str, progress: Progress, ids: Sequence[str]) -> dict[str, Any]:
    """Return a reader's progress with its sums; `gsl-tutorial report --folder` reads it back.

    Parameters
    ----------
    name : str
        Name of the reader.
    progress : Progress
        What was tried and solved.
    ids : sequence of str
        All exercises of the series.

    Returns
    -------
    dict
        What JSON can hold.
    """
    rows = {
        one.chapter: {"done": len(one.solved), "of": len(one.exercises), "next": one.next}
        for one in chapters(progress, ids)
    }
    done = sum(row["done"] for row in rows.values())  # type: ignore[misc]
    return {"student": name, "done": done, "of": len(ids), "chapters": rows, **progress.as_dict()}


def as_csv(students: Mapping[str, Progress], ids: Sequence[str]) -> str:
    """Write one row for each student and exercise, also for those that were never tried.

    Parameters
    ----------
    students : mapping of str to Progress
        The progress by the name of the student.
    ids : sequence of str
        All exercises of the series.

    Returns
    -------
    str
        A table of comma-separated values, headed by `CSV_COLUMNS`.
    """
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
