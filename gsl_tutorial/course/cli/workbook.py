"""Commands around the workbook: doctor, lab, fetch, build."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsl_tutorial.course.cli.app import ArchivePath, AsJson, FromAddress, app
from gsl_tutorial.course.text_table import text_table
from gsl_tutorial.errors import DataMissingError

if TYPE_CHECKING:
    from gsl_tutorial.course.press.building import Pressed


@app.command()
def doctor(json_: AsJson = False) -> None:
    """Check this machine: versions, threads, memory and data, and what to do about anything missing."""
    from gsl_tutorial.course.cli.doctor import examine, render

    report = examine()
    print(json.dumps(report.as_dict(), indent=1) if json_ else render(report))
    if not report.ok:
        raise typer.Exit(1)


@app.command()
def lab(
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser window.")
    ] = True,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The port; a free one by default.")
    ] = None,
    copy: Annotated[
        bool, typer.Option("--copy", help="First copy notebooks and data into this folder.")
    ] = False,
) -> None:
    """Open the workbook in JupyterLab at chapter 00, on this machine only.

    Where the package was installed without a clone, the notebooks are copied into the present folder first,
    if you agree. What lies there already stays as it is: your answers, above all.
    """
    from gsl_tutorial.course import workbook
    from gsl_tutorial.course.cli.lab import start

    here, shipped = Path.cwd(), workbook.shipped_workbook()
    installed = shipped is not None and not workbook.is_clone(shipped)
    if installed and not copy and not workbook.is_workbook(here) and sys.stdin.isatty():
        size = workbook.workbook_size() / 1e6
        copy = typer.confirm(f"Copy notebooks and data ({size:.0f} MB) to {here}?", default=True)
    if copy:
        made = workbook.copy_workbook(here)
        print(f"{len(made)} files are new in {here}", file=sys.stderr)

    raise typer.Exit(start(browser=browser, port=port))


@app.command()
def fetch(address: FromAddress = "", archive: ArchivePath = None, json_: AsJson = False) -> None:
    """Download CIFAR-10 (170 MB) into your cache and verify it; does nothing where it is complete.

    Without a network, bring the archive cifar-10-python.tar.gz (--archive), or copy the folder
    cifar-10-batches-py from another machine and set GSL_TUTORIAL_DATA to the folder that holds it.
    A classroom can name its own copy in GSL_TUTORIAL_MIRROR, as --from does.
    """
    from gsl_tutorial.course.datasets import fetch_cifar10
    from gsl_tutorial.course.training.progress import progress_bar, say

    with progress_bar("fetch", unit="B") as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        folder = fetch_cifar10(packed=archive, address=address, progress=progress, notice=say)
    print(json.dumps({"cifar10": str(folder)}) if json_ else f"CIFAR-10 is complete in {folder}")


@app.command()
def build(
    only: Annotated[str | None, typer.Argument(help="One chapter: 03 or its name.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Build what is fresh, too.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only list what is stale.")] = False,
    slides: Annotated[
        str, typer.Option(help="A chapter: write slides/NN_name.html and build nothing else.")
    ] = "",
    json_: AsJson = False,
) -> None:
    """Build the student's and the solved notebook of each chapter from notebooks/src/NN_name.py."""
    from gsl_tutorial.course.press import build as press
    from gsl_tutorial.course.training.progress import say

    root = Path.cwd()
    if not (root / "notebooks" / "src").is_dir():
        raise DataMissingError(
            "to stand in the workbook's folder", f"no notebooks/src in {root}", "cd to it"
        )
    if slides:
        from gsl_tutorial.course.press.slides import build_slides

        path = build_slides(root, slides, to=root / "slides").relative_to(root)
        print(json.dumps({"slides": str(path)}) if json_ else f"open {path} in a browser")
        return
    made = press(
        root,
        only=only,
        force=force,
        check=check,
        progress=lambda done, total, what: say(f"[{done}/{total}] {what}"),
    )
    if json_:
        print(json.dumps([vars(one) for one in made], indent=1))
    else:
        rows = [(one.chapter, one.variant, "stale" if check else _cost(one)) for one in made]
        print(text_table(rows, right=(2,)))
    if check and made:
        raise typer.Exit(1)


def _cost(made: Pressed) -> str:
    return f"{made.seconds:.1f} s {made.memory_mb:5.0f} MB" if made.built else "up to date"
