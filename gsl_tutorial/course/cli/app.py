"""The application that the commands register with, and what several of them have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from gsl_tutorial.errors import DataMissingError, InvalidInputError

app = typer.Typer(
    name="gsl-tutorial",
    help="""Train, search and measure with snapped gradients.

A first walk, about a minute, no downloads:

    gsl-tutorial doctor

    gsl-tutorial train --dataset digits --out runs/first

    gsl-tutorial evaluate runs/first

Exit status: 0 fine, 1 something is wrong, 2 wrong arguments, 3 data missing or damaged, 4 the run
folder holds another run, 5 cannot write, 6 training diverged, 130 interrupted.
""",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
FromAddress = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="ADDRESS",
        help="Where the archive lies, or the folder that holds it: tried before all mirrors.",
    ),
]
ArchivePath = Annotated[
    Path | None,
    typer.Option(
        "--archive", help="The archive itself, brought from elsewhere: no network needed."
    ),
]


def share_of(text: str) -> tuple[int, int]:
    """Read a share such as "1/2".

    Parameters
    ----------
    text : str
        Two numbers with a slash between them.

    Returns
    -------
    (int, int)
        Both numbers: (1, 2) for "1/2".

    Raises
    ------
    InvalidInputError
        The text is no share.
    """
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None:
        raise InvalidInputError("a share like 1/2", text, "write --share 1/2")
    return int(match[1]), int(match[2])


def numbers_of(text: str) -> list[int]:
    """Read whole numbers with commas between.

    Parameters
    ----------
    text : str
        Such as "1000,3000".

    Returns
    -------
    list of int

    Raises
    ------
    InvalidInputError
        Something in it is no whole number above 0.
    """
    parts = [part.strip().replace("_", "") for part in text.split(",")]
    if not all(re.fullmatch(r"0*[1-9]\d*", part) for part in parts):
        raise InvalidInputError("whole numbers like 1000,3000", text, "write --sizes 1000,3000")
    return [int(part) for part in parts]


def nothing_finished(parts: Iterable[str], folder: Path) -> DataMissingError:
    """Make the error for a report of parts without a finished run.

    Parameters
    ----------
    parts : iterable of str
        Names of the parts.
    folder : Path
        Where their runs were looked for.

    Returns
    -------
    DataMissingError
        The error, not yet raised.
    """
    return DataMissingError(
        f"finished runs of {', '.join(parts)} in {folder}",
        "none",
        "run the study first, or read ours: --results data/results",
    )
