"""The door of the command `gsl-tutorial`, which also opens where only the core is installed.

`pip install gsl-tutorial` brings the core, without the packages that the commands need. Then the
command says so instead of showing a trace.
"""

from __future__ import annotations

import sys

_ADVICE = """\
gsl-tutorial: expected the packages of the course; got none called {name}. What to do: \
pip install "gsl-tutorial[course]"."""


def main() -> None:
    """Run the command line, or say what it lacks."""
    try:
        from gsl_tutorial.course.cli import main as run
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("gsl_tutorial"):
            raise
        sys.stderr.write(_ADVICE.format(name=error.name) + "\n")
        sys.exit(3)
    run()


if __name__ == "__main__":
    main()
