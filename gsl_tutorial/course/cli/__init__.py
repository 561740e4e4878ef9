"""The command line: look at the machine, open the workbook, fetch, train, evaluate, export, build.

Each module of this folder holds the commands of one subject, short functions around one of the package;
this is the door. Errors become one readable sentence and an exit status (see
`gsl_tutorial.errors`). Heavy imports happen inside the commands, so `--help` does not wait for torch.
Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

import typer

from gsl_tutorial.course.cli import (  # noqa: F401  (registers the commands)
    authors,
    evaluating,
    method_map,
    report,
    runs,
    scale,
    study,
    two_tower,
    workbook,
)
from gsl_tutorial.course.cli.app import app
from gsl_tutorial.errors import TutorialError

_INTERRUPTED = 128 + signal.SIGINT


def main() -> None:
    """Entry point: run a command and turn what goes wrong into a sentence and an exit status."""
    try:
        # Not standalone, typer returns the status of an Exit (and 130 on Ctrl-C) instead of leaving.
        status = app(prog_name="gsl-tutorial", standalone_mode=False)
    except TutorialError as error:
        _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        status = _INTERRUPTED
    except Exception as error:
        show: Callable[[], None] | None = getattr(error, "show", None)
        if show is None:  # a fault of ours: the trace helps whoever mends it
            raise
        show()
        sys.exit(2)
    if status == _INTERRUPTED:
        _fail("Interrupted.", status)
    sys.exit(status if isinstance(status, int) else 0)


def _fail(text: str, status: int) -> None:
    print(f"gsl-tutorial: {text}", file=sys.stderr)
    sys.exit(status)
