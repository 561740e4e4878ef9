"""A chapter's source, read as two notebooks that have not run yet.

jupytext parses the percent cells. We add what makes a build repeatable and an exercise honest:
ids made of chapter and position, nbval's tag on every claim, blanks in place of solutions, and
the proof that each cell compiles.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import jupytext
from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from gsl_tutorial.course.press.blanks import blank, has_marker
from gsl_tutorial.course.press.errors import SourceError

Variant = Literal["student", "solution"]
VARIANTS: tuple[Variant, ...] = ("student", "solution")

#: All that a finished notebook says about itself: no versions, no paths.
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

#: Shorter solutions (`return x`) occur by chance in other text, so finding them proves no leak.
SHORTEST_LEAK = 20

#: nbval's word for "compare the output of this cell".
NBVAL_TAG = "nbval-check-output"

#: The site's word for "show what the cell does and fold how"; JupyterLab has a setting for it.
FOLDED = "hide-input"

#: Stands in every solved notebook, below its import of `check`.
OFF_THE_RECORD = (
    "check.off_the_record()  # this is a solved notebook: nothing counts as your progress"
)

#: What jupytext notes about the layout of the file.
_LAYOUT = {"title", "cell_depth", "cell_marker", "lines_to_next_cell", "region_name"}
_SOURCE_NAME = re.compile(r"\d\d_\w+")
_CELL_START = re.compile(r"\s*#\s*%%(\s.*|%+\s.*)?")
_NEW_CELL = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}


@dataclass(frozen=True)
class Draft:
    """A notebook before its run.

    Attributes
    ----------
    source : Path
        Where it comes from.
    variant : {"student", "solution"}
        Which of the chapter's notebooks it is.
    notebook : NotebookNode
        The notebook itself.
    lines : dict of str to int
        Id of a cell -> its line in the source.
    hidden : dict of str to tuple of str
        Id of a cell -> its solutions, which this variant must not contain (none for the solved one).
    """

    source: Path
    variant: Variant
    notebook: NotebookNode
    lines: dict[str, int]
    hidden: dict[str, tuple[str, ...]]

    @property
    def solutions(self) -> tuple[str, ...]:
        """All texts that this variant must not contain."""
        return tuple(text for texts in self.hidden.values() for text in texts)

    def where(self, cell: NotebookNode) -> str:
        """Where an author finds the cell."""
        return f"{self.source.name}, line {self.lines[cell.id]} (cell {cell.id}, {self.variant})"


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell."""
    return list(cell.metadata.get("tags", []))


def draft(source: Path, variant: Variant) -> Draft:
    """Read a source as the student's notebook or as the solved one.

    Parameters
    ----------
    source : Path
        The source of a chapter.
    variant : {"student", "solution"}
        Which notebook to make.

    Returns
    -------
    Draft
        The notebook, not yet run.

    Raises
    ------
    SourceError
        The file's name, a marker, a tag or a cell breaks a rule, or a solution would leak.
    """
    cells: list[NotebookNode] = []
    lines: dict[str, int] = {}
    hidden: dict[str, tuple[str, ...]] = {}
    for index, (cell, line) in enumerate(_read(source), start=1):
        id = f"{source.stem[:2]}-{index:03d}"
        text, secret = _text_for(variant, cell, source.name, line)
        if secret:
            hidden[id] = secret
        if text is None:
            continue
        if variant == "solution" and cell.cell_type == "code":
            text = _not_recorded(text)
        made = _NEW_CELL[cell.cell_type](text, id=id, metadata=_metadata(cell))
        cells.append(made)
        lines[made.id] = line
    result = Draft(source, variant, new_notebook(cells=cells, metadata=METADATA), lines, hidden)
    for cell in cells:
        if fault := syntax_fault(cell):
            raise SourceError(
                "code that compiles", f"{fault} at {result.where(cell)}", "correct the cell"
            )
        refuse_leak(result, cell, [cell.source])
    return result


def refuse_leak(made: Draft, cell: NotebookNode, texts: Iterable[str]) -> None:
    """Refuse texts of a cell that contain a whole solution.

    Parameters
    ----------
    made : Draft
        The notebook, with the solutions that it must not contain.
    cell : NotebookNode
        The cell that the texts belong to, for the message.
    texts : iterable of str
        What is searched.

    Raises
    ------
    SourceError
        One of the texts contains a solution.
    """
    for text in map(_without_layout, texts):
        for solution in map(_without_layout, made.solutions):
            if len(solution) >= SHORTEST_LEAK and solution in text:
                raise SourceError(
                    "no solution in the student's notebook",
                    f"{solution.splitlines()[0]!r} at {made.where(cell)}",
                    "put this text between solution markers too, or write it differently",
                )


def syntax_fault(cell: NotebookNode) -> str | None:
    """Say why a code cell does not compile; a magic counts as the call it stands for.

    Parameters
    ----------
    cell : NotebookNode
        A code cell.

    Returns
    -------
    str or None
        The fault, or None where there is none.
    """
    if cell.cell_type != "code":
        return None
    try:
        with warnings.catch_warnings():
            # An invalid escape would end up as a warning in the notebook.
            warnings.simplefilter("error")
            code = TransformerManager().transform_cell(cell.source)
            compile(code, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except (SyntaxError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _read(source: Path) -> list[tuple[NotebookNode, int]]:
    """The cells of a source, each with the line on which its text begins."""
    if not _SOURCE_NAME.fullmatch(source.stem):
        raise SourceError(
            "a source named NN_name.py", source.name, "rename it, for example 03_codes.py"
        )
    text = source.read_text(encoding="utf-8")
    try:
        cells = jupytext.reads(text, fmt="py:percent").cells
    except Exception as error:  # jupytext and its header parsers raise many kinds
        raise SourceError(
            "a py:percent file",
            f"{source.name}: {str(error).splitlines()[0]}",
            "correct its header or cells",
        ) from error
    lines = text.split("\n")
    starts = [number for number, line in enumerate(lines) if _CELL_START.fullmatch(line)]
    if len(starts) != len(cells):
        raise SourceError(
            "every cell to begin with a `# %%` line",
            f"{len(starts)} such lines and {len(cells)} cells in {source.name}",
            "write `# %%` above the first cell, and no `# %%` line inside a string",
        )
    return [
        (cell, _first_text_line(lines, start)) for cell, start in zip(cells, starts, strict=True)
    ]


def _first_text_line(lines: list[str], start: int) -> int:
    written = (number for number in range(start + 1, len(lines)) if lines[number].strip())
    return next(written, start) + 1


def _text_for(
    variant: Variant, cell: NotebookNode, file: str, line: int
) -> tuple[str | None, tuple[str, ...]]:
    """What a variant shows of a cell (None: nothing), and what it must show nowhere."""
    text = cell.source.strip("\n")
    marked = tags(cell)
    if {"claim", "volatile"} <= set(marked):
        raise SourceError(
            "a cell tagged claim or volatile",
            f"both at {file}, line {line}",
            "keep one of the tags",
        )
    if {"exercise", FOLDED} <= set(marked):
        raise SourceError(
            "an exercise that is open",
            f"{FOLDED} at {file}, line {line}",
            f"remove {FOLDED}: a reader must see where to write",
        )
    if "solution" in marked and variant == "student":
        return None, (text,)
    if "exercise" in marked and cell.cell_type == "code":
        parts = blank(text, file=file, first_line=line)
        return (parts.student, parts.solutions) if variant == "student" else (parts.solved, ())
    if has_marker(text):
        raise SourceError(
            'solution markers in code cells tagged "exercise" only',
            f"a marker in the {cell.cell_type} cell at {file}, line {line}",
            'write `# %% tags=["exercise"]` above the cell, or remove the marker',
        )
    return text, ()


def _not_recorded(text: str) -> str:
    """A solved notebook's import of `check`, followed by a line that takes its answers off the record.

    Whatever runs the notebook: a server, an editor, or a command that only executes it.
    """
    lines = text.split("\n")
    try:
        body = ast.parse(text).body
    except SyntaxError:  # a magic; what does not compile is refused later
        return text
    for node in body:
        if isinstance(node, ast.ImportFrom) and "check" in [one.name for one in node.names]:
            lines.insert(node.end_lineno or node.lineno, OFF_THE_RECORD)
            break
    return "\n".join(lines)


def _metadata(cell: NotebookNode) -> dict[str, Any]:
    """What the author wrote behind `# %%`, with nbval's own tag on each claim, folded where asked."""
    kept = {key: value for key, value in cell.metadata.items() if key not in _LAYOUT}
    if FOLDED in tags(cell):
        kept["jupyter"] = {"source_hidden": True}
    if "claim" in tags(cell):
        kept["tags"] = [tag for tag in tags(cell) if tag != NBVAL_TAG] + [NBVAL_TAG]
    return kept


def _without_layout(text: str) -> str:
    return "\n".join(line.strip() for line in text.split("\n") if line.strip())
