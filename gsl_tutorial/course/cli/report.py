"""The command `report`: how far a reader is, or a class."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gsl_tutorial.course.cli.app import AsJson, app
from gsl_tutorial.errors import InvalidInputError


@app.command()
def report(
    file: Annotated[
        Path | None, typer.Option(help="Another progress file than your own.", show_default=False)
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="A folder with the files of a class.", show_default=False)
    ] = None,
    json_: AsJson = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print a table for a spreadsheet.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write to this file instead.", show_default=False)
    ] = None,
) -> None:
    """Show which exercises are solved, by you or by a class. Nothing leaves this machine.

    A student hands in:   gsl-tutorial report --json --out ada.json

    An instructor reads:  gsl-tutorial report --folder handed-in --csv --out class.csv

    The name of a file is the name of its student. Exit status 3 when a file of the folder is damaged;
    the others are still reported.
    """
    if json_ and csv:
        raise InvalidInputError("--json or --csv", "both", "choose one of them")
    if file is not None and folder is not None:
        raise InvalidInputError("--file or --folder", "both", "choose one of them")
    from gsl_tutorial.course.training.progress import say

    text, problems = _one(file, json_, csv, out) if folder is None else _many(folder, json_, csv)
    if out is None:
        print(text)
    else:
        from gsl_tutorial.storage import write_bytes

        write_bytes(out, f"{text}\n".encode())
        say(f"Written to {out}")
    for name, problem in problems.items():
        say(f"{name}: {problem}")
    if problems:
        raise typer.Exit(3)


def _one(file: Path | None, json_: bool, csv: bool, out: Path | None) -> tuple[str, dict[str, str]]:
    from gsl_tutorial.course.exercises import check, reports
    from gsl_tutorial.course.exercises import progress_file as record

    path = file or record.progress_file()
    untried = file is None and not path.exists()
    progress = record.Progress() if untried else record.read(path)
    # Handed in, a report is named like its file.
    name = file.stem if file else out.stem if out else "you"
    if json_:
        return json.dumps(reports.as_json(name, progress, check.ids), indent=1), {}
    if csv:
        return reports.as_csv({name: progress}, check.ids).rstrip("\n"), {}
    where = f"Kept in {path}; nothing leaves this machine."
    return reports.student_text(name, progress, check.ids, where=where), {}


def _many(folder: Path, json_: bool, csv: bool) -> tuple[str, dict[str, str]]:
    from gsl_tutorial.course.exercises import check, reports

    group = reports.read_folder(folder)
    problems = dict(group.problems)
    if json_:
        rows = [reports.as_json(name, one, check.ids) for name, one in group.students.items()]
        return json.dumps(rows, indent=1), problems
    if csv:
        return reports.as_csv(group.students, check.ids).rstrip("\n"), problems
    return reports.class_text(group, check.ids), problems
