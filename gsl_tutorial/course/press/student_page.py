"""The README of a student copy: how to install, how to open it, and what is in it."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat

_PAGE = """\
# Gradient snapping: a workbook on learned quantization and similarity search

You need Python 3.11, 3.12 or 3.13. In this folder, once:

    python3 -m venv .venv
    .venv/bin/python -m pip install -c constraints.txt -e ".[course]"

(On Windows, write `.venv\\Scripts\\python` and `.venv\\Scripts\\gsl-tutorial`.) On Linux the default
package index serves torch with CUDA, which is several GB; pytorch.org ("Start locally", CPU) gives the
address of the CPU index, to be added with `--extra-index-url`. With conda instead:
`conda env create -f environment.yml`, `conda activate gsl-tutorial`.

Then, each time:

    .venv/bin/gsl-tutorial lab        # opens JupyterLab at chapter 00
    .venv/bin/gsl-tutorial doctor     # says what is missing, if anything is

No chapter needs a network. Each exercise has three hints and a check that says what it thinks of your
answer; your progress stays on your machine. Solutions are not in this copy.

| chapter | title |
| --- | --- |
{rows}

Code: BSD-3-Clause ([LICENSE](LICENSE)). Text and figures: CC BY 4.0 ([LICENSE-TEXT](LICENSE-TEXT)).
"""


def readme(notebooks: Path) -> str:
    """Write the page for the notebooks in a folder.

    Parameters
    ----------
    notebooks : Path
        A folder called ``notebooks``.

    Returns
    -------
    str
        The page in markdown, with the notebooks' titles as they stand there.
    """
    rows = "\n".join(
        f"| [{path.stem[:2]}](notebooks/{path.name}) | {title_of(path)} |"
        for path in sorted(notebooks.glob("*.ipynb"))
    )
    return _PAGE.format(rows=rows)


def title_of(path: Path) -> str:
    """Return the heading of level 1 of a notebook, or its file's name where it has none."""
    for cell in nbformat.read(path, as_version=4).cells:
        found = re.search(r"^# (.+)$", cell.source, re.MULTILINE)
        if cell.cell_type == "markdown" and found:
            return found[1].strip()
    return path.stem
