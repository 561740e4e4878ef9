"""Solution markers: from one text, what the student gets and what the solved notebook shows.

Between ``# BEGIN SOLUTION`` and ``# END SOLUTION`` stands the solution. Lines ``#: code`` in the
same block become ``code`` for the student and vanish in the solved text; a block without them
leaves ``...  # your code here``. The grammar is strict, because a marker that is misread hands
out a solution.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gsl_tutorial.course.press.errors import SourceError

YOUR_TURN = "...  # your code here"

_MARKER = re.compile(r"(?P<indent>[ ]*)# (?P<kind>BEGIN|END) SOLUTION")
_LOOKS_LIKE_A_MARKER = re.compile(r"\b(BEGIN|END)[\s_-]*SOLUTION", re.IGNORECASE)
_REPLACEMENT = re.compile(r"(?P<indent>[ ]*)#:(?: (?P<code>.*))?")


@dataclass(frozen=True)
class Blanked:
    """The two readings of a cell.

    Attributes
    ----------
    student : str
        What the student gets.
    solved : str
        The cell with its solutions.
    solutions : tuple of str
        The solutions, which only `solved` may contain.
    """

    student: str
    solved: str
    solutions: tuple[str, ...]


def has_marker(text: str) -> bool:
    """Whether a line of the text is a solution marker, or was meant to be one."""
    return _LOOKS_LIKE_A_MARKER.search(text) is not None


def blank(text: str, *, file: str = "cell", first_line: int = 1) -> Blanked:
    """Split an exercise cell into the student's text and the solved one.

    Parameters
    ----------
    text : str
        Source of the cell.
    file, first_line : str, int
        Where the text stands, for the messages.

    Returns
    -------
    Blanked
        Both texts, and the solutions.

    Raises
    ------
    SourceError
        Markers are nested, unpaired or misspelt, a block is empty, or ``#:`` stands outside one.

    Examples
    --------
    >>> cell = blank('''def double(x):
    ...     # BEGIN SOLUTION
    ...     return 2 * x
    ...     #: return None
    ...     # END SOLUTION''')
    >>> print(cell.student)
    def double(x):
        return None
    >>> print(cell.solved)
    def double(x):
        return 2 * x
    """
    student: list[str] = []
    solved: list[str] = []
    solutions: list[str] = []
    block: _Block | None = None

    for number, line in enumerate(text.split("\n"), start=first_line):
        marker = _MARKER.fullmatch(line.rstrip())
        if marker is None and has_marker(line):
            raise _malformed(
                "`# BEGIN SOLUTION` or `# END SOLUTION`, alone on its line", line, file, number
            )
        kind = marker["kind"] if marker else None
        replacement = _REPLACEMENT.fullmatch(line.rstrip())

        if marker and kind == "BEGIN":
            if block:
                raise _malformed(f"`# END SOLUTION` for line {block.line}", line, file, number)
            block = _Block(number, marker["indent"], [], [])
        elif kind == "END":
            if not block:
                raise _malformed("`# BEGIN SOLUTION` first", line, file, number)
            if not any(kept.strip() for kept in block.solution):
                raise _malformed("a solution between the markers", "nothing", file, number)
            student += block.replacement or [block.indent + YOUR_TURN]
            solved += block.solution
            solutions.append("\n".join(block.solution))
            block = None
        elif replacement and block:
            block.replacement.append((replacement["indent"] + (replacement["code"] or "")).rstrip())
        elif replacement:
            raise _malformed("`#:` lines between the solution markers only", line, file, number)
        elif block:
            block.solution.append(line)
        else:
            student.append(line)
            solved.append(line)

    if block:
        raise _malformed(
            "`# END SOLUTION` before the cell ends", "the end of the cell", file, block.line
        )
    return Blanked("\n".join(student), "\n".join(solved), tuple(solutions))


@dataclass(frozen=True)
class _Block:
    line: int
    indent: str
    solution: list[str]
    replacement: list[str]


def _malformed(expected: str, got: str, file: str, line: int) -> SourceError:
    return SourceError(
        expected,
        f"{got.strip()!r} at {file}, line {line}",
        "write each solution between `# BEGIN SOLUTION` and `# END SOLUTION`, not nested, "
        "with the student's lines, if any, as `#: code` in between",
    )
