"""Commands for those who teach or publish the workbook: release, site."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gsl_tutorial.course.cli.app import AsJson, app


@app.command()
def release(
    to: Annotated[Path, typer.Option(help="A new folder for the copy.")],
    nbgrader: Annotated[
        bool, typer.Option("--nbgrader", help="With nbgrader's metadata and its settings.")
    ] = False,
    json_: AsJson = False,
) -> None:
    """Write a student copy: notebooks, package and data, without any text of a solution.

    With --nbgrader the folder is an nbgrader course; in it, `nbgrader generate_assignment notebooks
    --create` makes the assignment.
    """
    from gsl_tutorial.course.press.releasing import release as write

    made = write(Path.cwd(), to, nbgrader=nbgrader)
    if json_:
        about = {"notebooks": made.notebooks, "sealed": made.sealed}
        print(json.dumps({"folder": str(made.folder), **about}))
    else:
        print(f"{len(made.notebooks)} notebooks without solutions are in {made.folder}")


@app.command()
def site(
    to: Annotated[Path, typer.Option(help="Folder of the pages; replaced whole.")] = Path("site"),
    only: Annotated[
        list[str] | None, typer.Option(help="Number of a chapter, once or more; all by default.")
    ] = None,
    json_: AsJson = False,
) -> None:
    """Make the static site from the solved notebooks. It needs `pip install -e ".[authors]"`."""
    from gsl_tutorial.course.press.site import build_site

    made = build_site(Path.cwd(), to, only=only or None)
    if json_:
        print(json.dumps({"index": str(made.index), "chapters": made.chapters}))
    else:
        print(f"{len(made.chapters)} chapters; open {made.index} in a browser")
